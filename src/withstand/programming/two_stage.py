"""Two-stage programmes under uncertainty: decide now, answer each scenario when it comes.

    minimise   c'z + risk over scenarios of R_s
    first      row_lower <= A z <= row_upper,  lower <= z <= upper,  some z whole
    R_s =      min q's y   with   row_lower_s + U_s z <= W_s y <= row_upper_s + U_s z,
                                  lower_s <= y <= upper_s + V_s z

The second stage may depend on the first through the limits of its rows (U_s: opening stocks,
goods under way) and of its variables (V_s: capacity). Both keep R_s convex in z, so that the duals
of one solved scenario give a cut that holds everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from withstand.errors import UsageError
from withstand.programming.highs import INFEASIBLE, OPTIMAL, UNBOUNDED, Programme

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstStage:
    """What is decided now.

    Parameters
    ----------
    cost, lower, upper : ndarray of float64, shape (n,)
    integer : ndarray of bool, shape (n,)
    matrix : scipy.sparse.csr_array, shape (m, n)
    row_lower, row_upper : ndarray of float64, shape (m,)
    columns, rows : sequence of str
        Names; may be empty.
    """

    cost: Array
    lower: Array
    upper: Array
    integer: Array
    matrix: sparse.csr_array
    row_lower: Array
    row_upper: Array
    columns: Sequence[str] = ()
    rows: Sequence[str] = ()

    @property
    def size(self) -> int:
        """Number of variables."""
        return len(self.cost)


def is_possible(first: FirstStage, z: Array, slack: float = 1e-6) -> bool:
    """Tell whether a first stage keeps its own bounds and rows, and whole numbers."""
    rows = first.matrix @ z
    room = slack * np.maximum(1.0, np.abs(rows))
    return bool(
        (z >= first.lower - slack).all()
        and (z <= first.upper + slack).all()
        and (rows >= first.row_lower - room).all()
        and (rows <= first.row_upper + room).all()
        and (np.abs(z - np.round(z))[first.integer] <= slack).all()
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Recourse:
    """One scenario: its probability and the programme that answers it.

    Parameters
    ----------
    name : str
    probability : float
    cost, lower, upper : ndarray of float64, shape (k,)
    matrix : scipy.sparse.csr_array, shape (r, k)
    row_lower, row_upper : ndarray of float64, shape (r,)
    on_rows : scipy.sparse.csr_array, shape (r, n)
        What each first-stage variable adds to both limits of a row.
    on_upper : scipy.sparse.csr_array, shape (k, n)
        What it adds to the upper bound of a variable.
    integer : ndarray of bool, shape (k,), optional
        Whole variables; only the extensive form can hold them.
    columns, rows : sequence of str
    """

    name: str
    probability: float
    cost: Array
    lower: Array
    upper: Array
    matrix: sparse.csr_array
    row_lower: Array
    row_upper: Array
    on_rows: sparse.csr_array
    on_upper: sparse.csr_array
    integer: Array | None = None
    columns: Sequence[str] = ()
    rows: Sequence[str] = ()

    @property
    def is_mixed(self) -> bool:
        """Whether some variables must be whole."""
        return self.integer is not None and bool(self.integer.any())

    @property
    def is_bounded_by_zero(self) -> bool:
        """Whether the cost can never fall below zero."""
        return bool((self.cost >= 0).all() and (self.lower[self.cost > 0] >= 0).all())


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoStage:
    """A first stage and its scenarios; probabilities sum to 1.

    Raises
    ------
    UsageError
        If sizes differ or probabilities do not sum to 1.
    """

    first: FirstStage
    scenarios: tuple[Recourse, ...]
    constant: float = 0.0

    def __post_init__(self) -> None:
        """Refuse programmes that do not fit together."""
        if not self.scenarios:
            raise UsageError("A two-stage programme needs at least one scenario.")
        total = sum(s.probability for s in self.scenarios)
        if abs(total - 1.0) > 1e-9 or min(s.probability for s in self.scenarios) < 0:
            raise UsageError(f"Probabilities must sum to 1 and be at least 0; they sum to {total}.")
        n = self.first.size
        for s in self.scenarios:
            if s.on_rows.shape != (len(s.row_lower), n) or s.on_upper.shape != (len(s.cost), n):
                raise UsageError(f"Scenario {s.name} does not fit the first stage of {n} columns.")

    @property
    def probabilities(self) -> Array:
        """Of the scenarios, shape (n_scenarios,)."""
        return np.array([s.probability for s in self.scenarios])


@dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """R_s(z) >= constant + slope @ z for every z; or, of an infeasible answer, 0 >= the same."""

    scenario: int
    constant: float
    slope: Array
    is_feasibility: bool = False


class Answer:
    """The second stage of one scenario, kept in the solver between calls."""

    def __init__(self, scenario: Recourse, number: int, tolerance: float = 1e-8) -> None:
        self._scenario, self._number = scenario, number
        self._tolerance = tolerance
        self._programme = Programme(
            cost=scenario.cost,
            lower=scenario.lower,
            upper=scenario.upper,
            matrix=scenario.matrix,
            row_lower=scenario.row_lower,
            row_upper=scenario.row_upper,
            tolerance=tolerance,
        )
        self._rows = np.flatnonzero(np.diff(scenario.on_rows.indptr))
        self._columns = np.flatnonzero(np.diff(scenario.on_upper.indptr))
        self._elastic: Programme | None = None
        self.values: Array | None = None
        self.duals = self.reduced_costs = np.empty(0)

    def _limits(self, z: Array) -> tuple[Array, Array, Array]:
        s = self._scenario
        moved = s.on_rows @ z
        upper = np.maximum(s.upper + s.on_upper @ z, s.lower)
        return s.row_lower + moved, s.row_upper + moved, upper

    def solve(self, z: Array) -> tuple[float, Cut]:
        """Return the cost of the best answer to `z` (inf if there is none), and its cut.

        Raises
        ------
        UsageError
            If the answer has no least cost.
        """
        s = self._scenario
        low, high, upper = self._limits(z)
        self._programme.set_rows(self._rows, low[self._rows], high[self._rows])
        self._programme.set_columns(self._columns, s.lower[self._columns], upper[self._columns])
        found = self._programme.solve()
        if found.status == UNBOUNDED:
            raise UsageError(f"Scenario {s.name} has no least cost: something earns without limit.")
        if found.status == INFEASIBLE:
            return np.inf, self._feasibility_cut(z)
        if found.status != OPTIMAL:
            raise UsageError(f"Scenario {s.name} was not solved: {found.status}.")
        self.values = found.columns
        self.duals, self.reduced_costs = found.duals, found.reduced_costs
        slope = s.on_rows.T @ found.duals + s.on_upper.T @ np.minimum(found.reduced_costs, 0.0)
        return found.objective, Cut(
            scenario=self._number,
            constant=found.objective - float(slope @ z),
            slope=np.asarray(slope),
        )

    def _feasibility_cut(self, z: Array) -> Cut:
        """Return the cut of the least sum by which rows must be missed."""
        s = self._scenario
        low, high, upper = self._limits(z)
        r, k = len(s.row_lower), len(s.cost)
        if self._elastic is None:
            eye = sparse.eye_array(r, format="csr")
            self._elastic = Programme(
                cost=np.concatenate([np.zeros(k), np.ones(2 * r)]),
                lower=np.concatenate([s.lower, np.zeros(2 * r)]),
                upper=np.concatenate([s.upper, np.full(2 * r, np.inf)]),
                matrix=sparse.hstack([s.matrix, eye, -eye], format="csr"),
                row_lower=s.row_lower,
                row_upper=s.row_upper,
                tolerance=self._tolerance,
            )
        rows, columns = np.arange(r), np.arange(k)
        self._elastic.set_rows(rows, low, high)
        self._elastic.set_columns(columns, s.lower, upper)
        found = self._elastic.solve()
        slope = s.on_rows.T @ found.duals
        slope = slope + s.on_upper.T @ np.minimum(found.reduced_costs[:k], 0.0)
        return Cut(
            scenario=self._number,
            constant=found.objective - float(slope @ z),
            slope=np.asarray(slope),
            is_feasibility=True,
        )
