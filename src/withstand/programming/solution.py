"""What solving a two-stage programme gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoStageSolution:
    """The best first stage found, what it costs, and how far from the best it can be at most.

    Parameters
    ----------
    status : {"optimal", "limit", "infeasible", "unbounded"}
        "optimal": within the gap asked for. "limit": the time ran out; values are the best found.
    first : ndarray of float64, shape (n,)
        z; empty where none was found.
    answers : ndarray of float64, shape (n_scenarios,)
        R_s under z.
    objective, bound : float
        Of z, and of any first stage at least.
    duals : ndarray of float64, shape (m,)
        Of the rows of the first stage, in its continuous relaxation.
    relaxed : ndarray of float64, shape (n,)
        First stage of that relaxation.
    rounds, cuts : int
        Of the decomposition; 0 for the extensive form.
    method : {"extensive", "decomposition"}
    """

    status: str
    first: Array
    answers: Array
    objective: float
    bound: float
    duals: Array
    relaxed: Array
    rounds: int
    cuts: int
    method: str

    @property
    def gap(self) -> float:
        """Distance of objective and bound, as a share of the objective."""
        if not np.isfinite(self.objective) or not np.isfinite(self.bound):
            return float("inf")
        return max(self.objective - self.bound, 0.0) / max(abs(self.objective), 1e-10)


def nothing(status: str, n_rows: int, method: str) -> TwoStageSolution:
    """Return what is said where there is no solution."""
    return TwoStageSolution(
        status=status,
        first=np.empty(0),
        answers=np.empty(0),
        objective=np.inf if status == "infeasible" else -np.inf,
        bound=np.inf if status == "infeasible" else -np.inf,
        duals=np.zeros(n_rows),
        relaxed=np.empty(0),
        rounds=0,
        cuts=0,
        method=method,
    )
