"""The system of an economy, x = A x + y: one factor kept, many right-hand sides.

A[i, j] = flows[i, j] / output[j] is what j buys from i for one unit of its output. The rows of
L = (I - A)^-1 are never formed unless they are asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from scipy.sparse.linalg import SuperLU, splu

from withstand.errors import SolverError, UsageError
from withstand.model.findings import listed
from withstand.model.value_flows import value_flows
from withstand.programming.krylov import krylov_solve
from withstand.programming.memory import need_memory

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
LARGEST_SPARSE_FACTOR = 5_000
"""Nodes of a network of links that is factored; above, every right-hand side is solved by itself,
because the factor of a large irregular network can fill up without a bound known before."""
WORST_CONDITION = 1e12
"""Condition number beyond which fewer than four digits of an answer would be true."""
ROUNDING = 1e-9
SMALLEST_BLOCKED = 500
LARGEST_BLOCK = 400
"""Cells from which `solve_once` uses the groups; most cells of a group for that."""


class LeontiefSystem:
    """(I - A) x = y for one table, solved for many y.

    Parameters
    ----------
    flows : ndarray or scipy sparse array of float64, shape (n, n), currency per period
        Z: the row sells to the column; nothing negative. Not copied, not changed.
    output : ndarray of float64, shape (n,), currency per period
        x. A cell without output buys nothing (its column of A is zero).
    labels : ndarray of str, shape (n,), optional
        Names of the cells, for messages.
    groups : ndarray of int64, shape (n,), optional
        Region of each cell: cells of one region buy most from each other, and `solve_once` takes
        fewer rounds if it knows.
    row_factor : ndarray of float64, shape (n,), optional
        A is multiplied by it row by row (a correction of sales); nothing negative.

    Raises
    ------
    UsageError
        If sizes do not agree, or a number is negative or not finite.

    Notes
    -----
    The first `solve` takes one more matrix of n x n numbers (`memory_needed`) and about n^3 * 2/3
    operations; every later right-hand side takes 2 n^2. `solve_once` takes no matrix.
    Whether the table has an inverse that makes sense is certified: A is not negative, so the
    series I + A + A A + ... converges exactly if (I - A) u = 1 has a solution u >= 1.

    References
    ----------
    Miller and Blair (2009), Input-Output Analysis, chapter 2; Berman and Plemmons (1994),
    Nonnegative Matrices, theorem 6.2.3 (M-matrices).

    Examples
    --------
    Miller and Blair (2009), section 2.3: two sectors.

    >>> flows = np.array([[150.0, 500.0], [200.0, 100.0]])
    >>> system = LeontiefSystem(flows, np.array([1000.0, 2000.0]))
    >>> system.solve(np.array([600.0, 1500.0])).round(2).tolist()
    [1247.52, 1841.58]
    """

    def __init__(
        self,
        flows: Array | sparse.sparray,
        output: Array,
        *,
        labels: Array | None = None,
        groups: Array | None = None,
        row_factor: Array | None = None,
    ) -> None:
        self.output = np.ascontiguousarray(output, dtype=np.float64)
        n = len(self.output)
        if flows.shape != (n, n):
            raise UsageError(
                f"The flows are {flows.shape[0]} x {flows.shape[-1]} and there are {n} outputs; "
                "rows and columns must be the cells of the output."
            )
        if n == 0:
            raise UsageError("The table is empty; it needs at least one cell.")
        self.is_sparse = sparse.issparse(flows)
        self.flows = sparse.csr_array(flows) if self.is_sparse else np.asarray(flows, np.float64)
        self.labels = np.arange(n).astype(str) if labels is None else labels
        self.row_factor = np.ones(n) if row_factor is None else row_factor
        self._groups = groups
        self.per_output = _inverse_of(self.output)
        self._factor: tuple[Array, Array] | SuperLU | None = None
        self._is_certified = False
        bad_output = ~np.isfinite(self.output) | (self.output < 0)
        if bad_output.any():
            self._refuse(bad_output, "an output that is negative or no finite number")
        if not np.isfinite(self.column_sums).all():
            self._refuse(~np.isfinite(self.column_sums), "purchases that are no finite numbers")
        if self.flows.min() < 0 or self.row_factor.min() < 0:
            raise UsageError(
                "A flow between cells is negative; move it to final demand first, as a correction."
            )

    # facts

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.output)

    @property
    def is_factored(self) -> bool:
        """Whether the factor stands ready, so that a further right-hand side is cheap."""
        return self._factor is not None

    @property
    def memory_needed(self) -> int:
        """Bytes that the factor will take (0 where none is made, or it stands already)."""
        if self.is_factored or not self.can_factor:
            return 0
        return 8 * self.n * self.n

    @property
    def can_factor(self) -> bool:
        """Whether the system is of a kind that is factored."""
        return not self.is_sparse or self.n <= LARGEST_SPARSE_FACTOR

    @cached_property
    def column_sums(self) -> Array:
        """What each cell buys per unit of output: ndarray of float64, shape (n,)."""
        return (self.row_factor @ self.flows) * self.per_output

    @cached_property
    def value_shares(self) -> Array:
        """What is left of each unit of output after purchases: value added and net taxes.

        ndarray of float64, shape (n,); 1 for a cell without output, which buys nothing.
        """
        return 1.0 - self.column_sums

    @cached_property
    def without_output(self) -> Array:
        """Cells that make nothing: ndarray of int64."""
        return np.flatnonzero(self.output <= 0)

    @cached_property
    def multipliers(self) -> Array:
        """Output of all cells per unit of final demand of each: column sums of L, shape (n,)."""
        ones = np.ones(self.n)
        return self.solve_transposed(ones) if self.is_factored else self.solve_once(ones, True)

    def coefficients(self) -> Array | sparse.csr_array:
        """Return A as a new matrix, shape (n, n), input per unit of output.

        Raises
        ------
        UsageError
            If it would not fit into the memory.
        """
        if self.is_sparse:
            scaled = sparse.diags_array(self.row_factor) @ self.flows
            return sparse.csr_array(scaled @ sparse.diags_array(self.per_output))
        self._need(8.0 * self.n**2, "The matrix of coefficients")
        return self.flows * self.per_output * self.row_factor[:, None]

    # products

    def apply(self, vector: Array, transposed: bool = False) -> Array:
        """Return (I - A) v, or (I - A)' v: no matrix is made."""
        if transposed:
            return vector - ((self.row_factor * vector) @ self.flows) * self.per_output
        return vector - self.row_factor * (self.flows @ (self.per_output * vector))

    # solutions

    def solve(self, rhs: Array) -> Array:
        """Return (I - A)^-1 rhs, for one or many columns; the factor is made once and kept.

        Parameters
        ----------
        rhs : ndarray of float64, shape (n,) or (n, k)

        Raises
        ------
        UsageError
            If the table has no inverse that makes sense (the cells are named), or the factor
            would not fit into the memory.
        """
        return self._solve(rhs, transposed=False)

    def solve_transposed(self, rhs: Array) -> Array:
        """Return (I - A)'^-1 rhs = L' rhs; else as `solve`."""
        return self._solve(rhs, transposed=True)

    def solve_once(self, rhs: Array, transposed: bool = False) -> Array:
        """Return L rhs or L' rhs for one right-hand side without making a factor.

        By GMRES to a residual of 1e-12; from the factor if it stands ready.

        Raises
        ------
        UsageError
            If the table has no inverse that makes sense.
        """
        if self.is_factored:
            return self._solve(rhs, transposed)
        given = self._checked(rhs)
        if not transposed and not self._is_certified and (given == 1.0).all():
            return self._certificate()  # the proof is the answer itself
        self.certify()
        return self._iterate(given, transposed)

    def inverse(self) -> Array:
        """Return L = (I - A)^-1 as a dense matrix, shape (n, n); takes two more of that size.

        Raises
        ------
        UsageError
            If it would not fit into the memory; `solve` a few right-hand sides instead.
        """
        self._need(8.0 * self.n**2 + self.memory_needed, "The inverse and its factor")
        if self.is_sparse:
            return self.solve(np.eye(self.n))
        factor, pivots = self._made_factor()
        work, _ = lapack.dgetri_lwork(self.n)
        found, info = lapack.dgetri(factor, pivots, lwork=int(work.real))
        if info != 0:
            raise SolverError(f"LAPACK getri stopped with {info}.")
        return found.T

    # inside

    def _solve(self, rhs: Array, transposed: bool) -> Array:
        given = self._checked(rhs)
        if given.size == 0:
            return np.zeros(given.shape)
        if not self.can_factor:
            self.certify()
            if given.ndim == 1:
                return self._iterate(given, transposed)
            return np.column_stack([self._iterate(column, transposed) for column in given.T])
        return self._back_solve(self._made_factor(), given, transposed)

    def _back_solve(self, factor: tuple[Array, Array] | SuperLU, rhs: Array, trans: bool) -> Array:
        if isinstance(factor, SuperLU):
            return factor.solve(rhs, trans="T" if trans else "N")
        # LAPACK counts by columns, so what was factored is the transposed of I - A.
        found, info = lapack.dgetrs(*factor, rhs, trans=0 if trans else 1)
        if info != 0:
            raise SolverError(f"LAPACK getrs stopped with {info}.")
        return found

    def _made_factor(self) -> tuple[Array, Array] | SuperLU:
        if self._factor is None:
            factor = self._sparse_factor() if self.is_sparse else self._dense_factor()
            self._check_factor(factor)
            self._factor = factor
        return self._factor

    def _sparse_factor(self) -> SuperLU:
        matrix = sparse.eye_array(self.n, format="csc") - self.coefficients()
        try:
            return splu(sparse.csc_array(matrix))
        except RuntimeError:  # "Factor is exactly singular"
            self._refuse_singular()
            raise

    def _dense_factor(self) -> tuple[Array, Array]:
        self._need(self.memory_needed, "The factor of this table")
        matrix = np.multiply(self.flows, -self.per_output)
        if (self.row_factor != 1.0).any():
            matrix *= self.row_factor[:, None]
        matrix.flat[:: self.n + 1] += 1.0
        factor, pivots, info = lapack.dgetrf(matrix.T, overwrite_a=1)  # in place: no second copy
        if info != 0:
            self._refuse_singular()
        return factor, pivots

    def _check_factor(self, factor: tuple[Array, Array] | SuperLU) -> None:
        ones = np.ones(self.n)
        if not self._is_certified and not self._adds_value_everywhere():
            self._check_certificate(self._back_solve(factor, ones, False))
        reach = self._back_solve(factor, ones, True)
        condition = (1.0 + self.column_sums.max()) * reach.max()
        if not condition < WORST_CONDITION:
            self._refuse_singular()
        self._is_certified = True

    def certify(self) -> None:
        """Make sure that I + A + A A + ... converges; nothing to do where all cells add value.

        Raises
        ------
        UsageError
            If it does not; the cells that spend more than their output are named.
        """
        if self._is_certified:
            return
        if not self._adds_value_everywhere():
            self._certificate()
        self._is_certified = True

    def _certificate(self) -> Array:
        """Return u with (I - A) u = 1, which proves that the series converges if all u >= 1."""
        try:
            found = self._iterate(np.ones(self.n), transposed=False)
        except SolverError:
            self._refuse_singular()
            raise
        self._check_certificate(found)
        self._is_certified = True
        return found

    def _adds_value_everywhere(self) -> bool:
        """Whether all columns of A, or all rows, sum to less than one: enough to converge."""
        if (self.column_sums < 1.0 - ROUNDING).all():
            return True
        row_sums = self.row_factor * (self.flows @ self.per_output)
        return bool((row_sums < 1.0 - ROUNDING).all())

    def _check_certificate(self, u: Array) -> None:
        if not (u >= 1.0 - 1e-6).all() or not u.max() < WORST_CONDITION:
            self._refuse_singular()

    def _iterate(self, rhs: Array, transposed: bool) -> Array:
        blocks = self._blocks

        def near(vector: Array) -> Array:
            found = vector.copy()
            for members, inverse in blocks:
                found[members] = (inverse.T if transposed else inverse) @ vector[members]
            return found

        def apply(vector: Array) -> Array:
            return self.apply(vector, transposed)

        try:
            return krylov_solve(apply, rhs, near if blocks else None)
        except SolverError:  # close to singular: the factor is slower and surer
            if not self.can_factor:
                raise
            return self._back_solve(self._made_factor(), rhs, transposed)

    @cached_property
    def _blocks(self) -> list[tuple[Array, Array]]:
        """(I - A)^-1 of each group by itself, with its members; none where it would not pay."""
        if self._groups is None or self.is_sparse or self.n < SMALLEST_BLOCKED:
            return []
        order = np.argsort(self._groups, kind="stable")
        starts = np.flatnonzero(np.diff(self._groups[order])) + 1
        found = []
        for members in np.split(order, starts):
            if len(members) > LARGEST_BLOCK:
                return []
            own = self.flows[np.ix_(members, members)] * self.per_output[members]
            matrix = np.eye(len(members)) - own * self.row_factor[members, None]
            try:
                found.append((members, np.linalg.inv(matrix)))
            except np.linalg.LinAlgError:  # whether the whole is singular too will be seen
                return []
        return found

    def _checked(self, rhs: Array) -> Array:
        given = np.asarray(rhs, dtype=np.float64)
        if given.ndim not in (1, 2) or given.shape[0] != self.n:
            raise UsageError(
                f"The right-hand side has the shape {given.shape}; it needs {self.n} rows."
            )
        if not np.isfinite(given).all():
            raise UsageError("The right-hand side holds something that is no finite number.")
        return given

    def _need(self, n_bytes: float, what: str) -> None:
        need_memory(
            n_bytes,
            f"{what} ({self.n:,} cells)",
            "Aggregate regions or sectors, ask for one right-hand side (solve_once), or use a "
            "machine with more memory.",
        )

    def _refuse(self, is_bad: Array, what: str) -> None:
        raise UsageError(
            f"{listed(self.labels[is_bad].tolist())} have {what}. Correct these cells of the table."
        )

    def _refuse_singular(self) -> None:
        cost = np.flatnonzero(self.column_sums >= 1.0 - ROUNDING)
        worst = cost[np.argsort(-self.column_sums[cost], kind="stable")]
        named = ", ".join(f"{self.labels[i]} ({self.column_sums[i]:.4g})" for i in worst[:5])
        more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
        raise UsageError(
            "Around some cycle of this table purchases cost as much as the output, so no output "
            "would satisfy a final demand. Cells that spend all their output or more, per unit: "
            f"{named}{more}. Correct their flows or outputs, or merge them with a neighbour."
        )


def _inverse_of(output: Array) -> Array:
    """1 / output, and 0 where there is none."""
    return np.where(output > 0, 1.0 / np.where(output > 0, output, 1.0), 0.0)


_SYSTEMS: WeakKeyDictionary[ProductionNetwork, LeontiefSystem] = WeakKeyDictionary()


def leontief_of(network: ProductionNetwork) -> LeontiefSystem:
    """Return the system of a network: made once, kept as long as the network.

    Parameters
    ----------
    network : ProductionNetwork
        An economy, or a network of links whose nodes have prices.

    Raises
    ------
    UsageError
        If nothing has a price, or a number cannot be.

    Examples
    --------
    >>> import withstand as ws
    >>> net = ws.examples.tiny()
    >>> system = leontief_of(net)
    >>> system is leontief_of(net), system.n == net.n_nodes
    (True, True)
    """
    if network not in _SYSTEMS:
        flows, output = value_flows(network)
        _SYSTEMS[network] = LeontiefSystem(
            flows, output, labels=network.node_labels, groups=network.node_region
        )
    return _SYSTEMS[network]
