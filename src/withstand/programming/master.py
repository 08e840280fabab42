"""The first stage with the cost of every scenario as one variable: what both solvers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from withstand.programming.objective import Objective
    from withstand.programming.two_stage import Cut, TwoStage

Array = np.ndarray
LARGE = 1e3
"""Rows of the first stage whose coefficients are all larger are scaled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Master:
    """min cost x, row_lower <= matrix x <= row_upper, with x = (z, theta, eta, excess, regret).

    Parameters
    ----------
    n : int
        First-stage variables, in front.
    theta : ndarray of int64, shape (n_scenarios,)
        Columns of R_s. They are there always; eta and the excesses where the CVaR enters, the
        regret where it is what is minimised.
    row_scale : ndarray of float64, shape (n_rows of the first stage,)
        What its rows were multiplied by, so that coefficients of money are near 1; the dual of a
        row, times this, is that of the row as it was stated.
    """

    n: int
    theta: Array
    cost: Array
    lower: Array
    upper: Array
    integer: Array
    matrix: sparse.csr_array
    row_lower: Array
    row_upper: Array
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    row_scale: Array

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.cost)

    def cut_rows(self, cuts: list[Cut]) -> tuple[sparse.csr_array, Array, Array]:
        """Return cuts as rows: theta_s - slope z >= constant (without theta if infeasible)."""
        row = np.zeros((len(cuts), self.size))
        low = np.empty(len(cuts))
        for k, cut in enumerate(cuts):
            row[k, : self.n] = -cut.slope
            if not cut.is_feasibility:
                row[k, self.theta[cut.scenario]] = 1.0
            low[k] = cut.constant
        return sparse.csr_array(row), low, np.full(len(cuts), np.inf)


class _Draft:
    """Columns and rows of a master as they are put together."""

    def __init__(self, problem: TwoStage, objective: Objective, floors: Array) -> None:
        first, n_s = problem.first, len(problem.scenarios)
        n = first.size
        self.theta = n + np.arange(n_s)
        self.eta = n + n_s
        self.excess = self.eta + 1 + np.arange(n_s if objective.needs_tail else 0)
        n_tail = 1 + n_s if objective.needs_tail else 0
        self.regret = n + n_s + n_tail
        self.width = self.regret + (1 if objective.best else 0)
        scenarios = [s.name for s in problem.scenarios]
        self.columns = [
            *(first.columns or [f"z_{k}" for k in range(n)]),
            *(f"answer_{name}" for name in scenarios),
            *(["eta", *(f"excess_{name}" for name in scenarios)] if n_tail else []),
            *(["regret"] if objective.best else []),
        ]
        self.cost = np.zeros(self.width)
        self.lower, self.upper = np.zeros(self.width), np.full(self.width, np.inf)
        self.lower[:n], self.upper[:n], self.lower[self.theta] = first.lower, first.upper, floors
        if n_tail:
            self.lower[self.eta] = min(0.0, float(floors.min()))
        matrix = sparse.csr_array(first.matrix)
        self.blocks = [
            sparse.csr_array(
                (matrix.data, matrix.indices, matrix.indptr),
                shape=(matrix.shape[0], self.width),
            )
        ]
        self.row_scale = _row_scale(matrix)
        self.blocks = [_scaled(self.blocks[0], self.row_scale)]
        self.lows = [first.row_lower * self.row_scale]
        self.highs = [first.row_upper * self.row_scale]
        self.rows = list(first.rows) or [f"first_{k}" for k in range(matrix.shape[0])]

    def add(self, rows: Array, low: Array, high: float, names: list[str]) -> None:
        self.blocks.append(sparse.csr_array(rows))
        self.lows.append(low)
        self.highs.append(np.full(len(low), high))
        self.rows += names


def master_of(problem: TwoStage, objective: Objective, floors: Array) -> Master:
    """Return the master; `floors` are lower bounds of R_s, shape (n_scenarios,)."""
    draft = _Draft(problem, objective, floors)
    _set_costs(draft, problem, objective)
    if objective.needs_tail:
        _add_tail(draft, problem, objective)
    if objective.mean_limit < np.inf:
        row = np.zeros((1, draft.width))
        row[0, draft.theta] = -problem.probabilities
        draft.add(row, np.array([-objective.mean_limit]), np.inf, ["mean"])
    if objective.best:
        _add_regret(draft, problem, objective)
    n = problem.first.size
    integer = np.zeros(draft.width, dtype=bool)
    integer[:n] = problem.first.integer
    return Master(
        n=n,
        theta=draft.theta,
        cost=draft.cost,
        lower=draft.lower,
        upper=draft.upper,
        integer=integer,
        matrix=sparse.csr_array(sparse.vstack(draft.blocks)),
        row_lower=np.concatenate(draft.lows),
        row_upper=np.concatenate(draft.highs),
        columns=tuple(draft.columns),
        rows=tuple(draft.rows),
        row_scale=draft.row_scale,
    )


def _row_scale(matrix: sparse.csr_array) -> Array:
    """Return a factor (a power of two) of each row whose coefficients are all far above 1.

    The smallest one becomes about 1. Scaled by the largest, a cheap option beside a very dear one
    would break its budget by less than the solver's tolerance, and be taken.
    """
    smallest = np.full(matrix.shape[0], np.inf)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    size = np.abs(matrix.data)
    np.minimum.at(smallest, rows[size > 0], size[size > 0])
    is_large = np.isfinite(smallest) & (smallest > LARGE)
    return np.where(is_large, 2.0 ** -np.ceil(np.log2(np.where(is_large, smallest, 1.0))), 1.0)


def _scaled(matrix: sparse.csr_array, factor: Array) -> sparse.csr_array:
    data = matrix.data * np.repeat(factor, np.diff(matrix.indptr))
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _set_costs(draft: _Draft, problem: TwoStage, objective: Objective) -> None:
    if objective.best:
        draft.cost[draft.regret], draft.lower[draft.regret] = 1.0, -np.inf
        return
    p = problem.probabilities
    draft.cost[: problem.first.size] = objective.cost_weight * problem.first.cost
    draft.cost[draft.theta] = objective.mean_weight * p
    if objective.risk_weight:
        draft.cost[draft.eta] = objective.risk_weight
        draft.cost[draft.excess] = objective.risk_weight * p / (1.0 - objective.alpha)


def _add_tail(draft: _Draft, problem: TwoStage, objective: Objective) -> None:
    """Add excess_s + eta - theta_s >= 0, and the limit of the CVaR."""
    n_s = len(problem.scenarios)
    at = np.arange(n_s)
    rows = np.zeros((n_s, draft.width))
    rows[at, draft.excess], rows[at, draft.theta], rows[:, draft.eta] = 1.0, -1.0, 1.0
    names = [f"excess_of_{s.name}" for s in problem.scenarios]
    draft.add(rows, np.zeros(n_s), np.inf, names)
    if objective.risk_limit < np.inf:
        row = np.zeros((1, draft.width))
        row[0, draft.eta] = -1.0
        row[0, draft.excess] = -problem.probabilities / (1.0 - objective.alpha)
        draft.add(row, np.array([-objective.risk_limit]), np.inf, ["cvar"])


def _add_regret(draft: _Draft, problem: TwoStage, objective: Objective) -> None:
    """Add regret >= c'z + theta_s - best_s."""
    n_s = len(problem.scenarios)
    rows = np.zeros((n_s, draft.width))
    rows[:, : problem.first.size] = -problem.first.cost
    rows[np.arange(n_s), draft.theta] = -1.0
    rows[:, draft.regret] = 1.0
    names = [f"regret_in_{s.name}" for s in problem.scenarios]
    draft.add(rows, -np.array(objective.best), np.inf, names)
