"""One linear system solved by products with its matrix only, to a residual that is checked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from withstand.errors import SolverError

Array = np.ndarray
TOLERANCE = 1e-12
"""Largest residual, relative to the right-hand side."""
ROUNDING = 1e-14
"""Residual, relative to the solution, below which products cannot tell more."""
LARGEST_GROWTH = 1e12
"""A solution this many times the right-hand side solves nothing: the matrix is singular."""
BASIS = 40
"""Vectors kept between restarts."""
MOST_STARTS = 25


Product = Callable[[Array], Array]


def krylov_solve(apply: Product, rhs: Array, precondition: Product | None = None) -> Array:
    """Solve M x = b by GMRES, started again from the true residual until that is small.

    Parameters
    ----------
    apply : callable
        v -> M v.
    rhs : ndarray of float64, shape (n,)
    precondition : callable, optional
        v -> P v with P near the inverse of M; the residual that is checked is the true one.

    Returns
    -------
    ndarray of float64, shape (n,)
        x with norm(b - M x) <= 1e-12 norm(b); where x is much larger than b, as near to it as
        rounding lets (1e-14 of the size of x).

    Raises
    ------
    SolverError
        If the residual stops falling before that.

    References
    ----------
    Saad and Schultz (1986), GMRES, SIAM Journal on Scientific and Statistical Computing 7.

    Examples
    --------
    >>> krylov_solve(lambda v: 2.0 * v, np.array([2.0, 4.0])).round(9).tolist()
    [1.0, 2.0]
    """
    n = len(rhs)
    near = precondition or (lambda v: v)
    matrix = LinearOperator((n, n), matvec=lambda v: apply(near(v)), dtype=np.float64)
    solution = np.zeros(n)
    size = float(np.linalg.norm(rhs))
    residual = rhs
    last = size
    for _ in range(MOST_STARTS):
        if last <= TOLERANCE * size:
            return solution
        wanted = max(0.5 * TOLERANCE * size / last, 1e-13)
        step, _ = gmres(matrix, residual, rtol=wanted, atol=0.0, restart=BASIS, maxiter=1)
        solution = solution + near(step)
        residual = rhs - apply(solution)
        now = float(np.linalg.norm(residual))
        if not now < 0.9 * last:  # also true of NaN
            break
        last = now
    reached = float(np.linalg.norm(solution))
    if last <= max(TOLERANCE * size, ROUNDING * reached) and reached < LARGEST_GROWTH * size:
        return solution
    raise SolverError(f"The system did not settle: its residual stays at {last / size:.1e}.")
