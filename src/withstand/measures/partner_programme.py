"""The best partners as one programme: a yes or no for each candidate, with a certified bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from withstand.errors import SolverError, UsageError
from withstand.measures.partner_sets import PhysicalCoverage, set_of
from withstand.programming.highs import LIMIT, OPTIMAL, Programme

Array = np.ndarray
NARROW = 1e-9
"""Tolerance of the rows that join what a region makes to whether it is a partner."""


class Found(NamedTuple):
    """A set, and a number that no other set of its size exceeds."""

    members: int
    bound: float


class BestPartners:
    """The largest theta such that at most k candidates supply.

        max theta,
        sum_n x_n >= sum_m a_pm x_m + theta d_p,   x_n <= limit_n y_r(n),   sum_r y_r <= k,
        0 <= theta <= 1,   y_r in {0, 1}

    with y_r = 1 for home and 0 for regions that are no candidates. Where a node has no limit of
    its own, the most that its product can be needed takes its place.

    Raises
    ------
    UsageError
        If a product can be needed without end (a cycle of products without stated suppliers).
    """

    def __init__(self, coverage: PhysicalCoverage) -> None:
        self.coverage = coverage
        parts, n = coverage.parts, coverage.n
        n_rows, n_columns = parts.matrix.shape
        limits = parts.limits.copy()
        limits[: coverage.theta] = _finite(coverage)
        limits[: coverage.theta][coverage.member_of == -2] = 0.0
        tied = np.flatnonzero((coverage.member_of >= 0) & (limits[: coverage.theta] > 0))
        self.n_columns = n_columns
        joins = sparse.coo_array(
            (
                np.concatenate([-np.ones(len(tied)), limits[tied]]),
                (
                    np.tile(np.arange(len(tied)), 2),
                    np.concatenate([tied, n_columns + coverage.member_of[tied]]),
                ),
            ),
            shape=(len(tied), n_columns + n),
        )
        wider = sparse.hstack([parts.matrix, sparse.csr_array((n_rows, n))])
        count = sparse.csr_array(
            (np.ones(n), (np.zeros(n, dtype=int), n_columns + np.arange(n))),
            shape=(1, n_columns + n),
        )
        matrix = sparse.csr_array(sparse.vstack([wider, joins, count]))
        self.count_row = np.array([matrix.shape[0] - 1])
        lower = np.zeros(matrix.shape[0])
        upper = np.full(matrix.shape[0], np.inf)
        upper[-1] = n
        integer = np.zeros(n_columns + n, dtype=bool)
        integer[n_columns:] = True
        self.programme = Programme(
            cost=np.concatenate([parts.cost, np.zeros(n)]),
            lower=np.zeros(n_columns + n),
            upper=np.concatenate([limits, np.ones(n)]),
            matrix=matrix,
            row_lower=lower,
            row_upper=upper,
            maximise=True,
            integer=integer,
            tolerance=NARROW,
        )

    def best(self, k: int, start: int, time_limit: float) -> Found:
        """Return the best set of at most k candidates found, and a bound on all of them.

        Parameters
        ----------
        k : int
        start : int
            A set to start from.
        time_limit : float, seconds

        Raises
        ------
        SolverError
            If HiGHS stops without an answer.
        """
        n = self.coverage.n
        self.programme.set_rows(self.count_row, np.zeros(1), np.array([float(k)]))
        chosen = np.array([float(start >> i & 1) for i in range(n)])
        self.programme.start_from(np.concatenate([self.coverage.columns(start), chosen]))
        self.programme.set_time_limit(time_limit)
        solution = self.programme.solve()
        if solution.status == LIMIT:
            bound = min(solution.bound, 1.0) if np.isfinite(solution.bound) else 1.0
            if len(solution.columns) != self.n_columns + n:
                return Found(start, bound)
        elif solution.status == OPTIMAL:
            bound = min(solution.bound, 1.0)
        else:
            raise SolverError(f"The programme of partners ended without one: {solution.status}.")
        members = set_of(np.flatnonzero(solution.columns[self.n_columns :] > 0.5).tolist())
        return Found(members, bound)


def _finite(coverage: PhysicalCoverage) -> Array:
    """Return the limits of all nodes, with the most its product can be needed where none is stated.

    need_p <= sum_m a_pm limit_m + d_p, in units of each product's need, over makers m and theta 1.
    """
    parts = coverage.parts
    theta, n_rows = coverage.theta, parts.matrix.shape[0]
    given = parts.limits[:theta]
    if np.isfinite(given).all():
        return given
    matrix = parts.matrix[:, : theta + 1].tocoo()
    is_use = matrix.data < 0
    row, column, use = matrix.row[is_use], matrix.col[is_use], -matrix.data[is_use]
    makes = np.full(theta, -1, dtype=np.int64)
    makes[matrix.col[~is_use]] = matrix.row[~is_use]
    yields = np.ones(theta)  # less than 1 where a node uses some of what it makes
    yields[matrix.col[~is_use]] = matrix.data[~is_use]
    need = np.full(n_rows, np.inf)
    limits = given
    for _ in range(n_rows + 1):
        limits = np.minimum(given, np.where(makes >= 0, need[makes] / yields, 0.0))
        following = np.bincount(row, use * np.append(limits, 1.0)[column], n_rows)
        if np.array_equal(following, need):
            break
        need = following
    if not np.isfinite(limits).all():
        raise UsageError(
            "Products without stated suppliers need each other in a cycle, so that what partners "
            "make has no limit. State their suppliers, or use best='brute_force'."
        )
    return limits
