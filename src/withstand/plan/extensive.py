"""The extensive form: first stage and all scenarios as one programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.plan.master import Master, master_of
from withstand.plan.solution import TwoStageSolution, nothing
from withstand.programming.highs import INFEASIBLE, LIMIT, OPTIMAL, UNBOUNDED, Programme

if TYPE_CHECKING:
    from withstand.plan.objective import Objective
    from withstand.plan.two_stage import TwoStage

Array = np.ndarray
FEASIBILITY = 1e-9


def extensive_form(
    problem: TwoStage, objective: Objective, *, gap: float = 0.0, time_limit: float = np.inf
) -> tuple[Programme, Master]:
    """Return the programme of first stage and scenarios together, with named rows and columns."""
    floors = np.full(len(problem.scenarios), -np.inf)
    master = master_of(problem, objective, floors)
    if objective.is_plain:  # costs stand on the answers themselves, which integers like better
        master.cost[master.theta] = 0.0
        master.lower[master.theta] = master.upper[master.theta] = 0.0
    width = master.size
    costs, lowers, uppers = [master.cost], [master.lower], [master.upper]
    integer = [master.integer]
    columns, row_names = list(master.columns), list(master.rows)
    row_low, row_high = [master.row_lower], [master.row_upper]
    below: list[list[sparse.csr_array | None]] = []
    n_s = len(problem.scenarios)
    for number, s in enumerate(problem.scenarios):
        k = len(s.cost)
        limited = np.flatnonzero(np.diff(s.on_upper.indptr))
        pick = sparse.csr_array(
            (np.ones(len(limited)), (np.arange(len(limited)), limited)), shape=(len(limited), k)
        )
        theta = sparse.csr_array(([1.0], ([0], [master.theta[number]])), shape=(1, width))
        on_z = sparse.vstack([theta, _wide(-s.on_rows, width), _wide(-s.on_upper[limited], width)])
        priced = np.zeros(k) if objective.is_plain else -s.cost
        own = sparse.vstack([sparse.csr_array(priced[None, :]), s.matrix, pick])
        line: list[sparse.csr_array | None] = [None] * (n_s + 1)
        line[0], line[1 + number] = sparse.csr_array(on_z), sparse.csr_array(own)
        below.append(line)
        free = s.upper.copy()
        free[limited] = np.inf
        weight = objective.mean_weight * s.probability if objective.is_plain else 0.0
        costs.append(weight * s.cost)
        lowers.append(s.lower)
        uppers.append(free)
        integer.append(np.zeros(k, dtype=bool) if s.integer is None else s.integer)
        row_low += [np.zeros(1), s.row_lower, np.full(len(limited), -np.inf)]
        row_high += [np.full(1, np.inf), s.row_upper, s.upper[limited]]
        names = list(s.columns) or [f"y_{j}" for j in range(k)]
        columns += [f"{s.name}.{name}" for name in names]
        own_rows = list(s.rows) or [f"row_{j}" for j in range(len(s.row_lower))]
        row_names += [f"{s.name}.cost", *(f"{s.name}.{name}" for name in own_rows)]
        row_names += [f"{s.name}.limit_{names[j]}" for j in limited]
    top: list[sparse.csr_array | None] = [master.matrix, *([None] * n_s)]
    programme = Programme(
        cost=np.concatenate(costs),
        lower=np.concatenate(lowers),
        upper=np.concatenate(uppers),
        matrix=sparse.csr_array(sparse.block_array([top, *below], format="csr")),
        row_lower=np.concatenate(row_low),
        row_upper=np.concatenate(row_high),
        integer=np.concatenate(integer),
        gap=gap,
        names=(columns, row_names),
        tolerance=FEASIBILITY,
        time_limit=time_limit,
    )
    return programme, master


def _wide(matrix: sparse.csr_array, width: int) -> sparse.csr_array:
    rows = sparse.csr_array(matrix)
    return sparse.csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], width))


def solve_extensive(
    problem: TwoStage, objective: Objective, *, gap: float = 0.0, time_limit: float = np.inf
) -> TwoStageSolution:
    """Solve first stage and scenarios together: for small programmes, and for tests.

    Parameters
    ----------
    problem : TwoStage
    objective : Objective
    gap : float
        Relative gap at which a programme with integers counts as solved.
    time_limit : float, seconds of wall time
    """
    programme, master = extensive_form(problem, objective, gap=gap, time_limit=time_limit)
    n, m = problem.first.size, len(problem.first.row_lower)
    whole = np.flatnonzero(
        np.concatenate(
            [
                master.integer,
                *(
                    np.zeros(len(s.cost), dtype=bool) if s.integer is None else s.integer
                    for s in problem.scenarios
                ),
            ]
        )
    )
    duals, relaxed = np.zeros(m), np.empty(0)
    if len(whole):
        programme.relax(whole)
        smooth = programme.solve()
        if smooth.status == OPTIMAL:
            duals, relaxed = smooth.duals[:m], smooth.columns[:n]
        programme.restrict(whole)
    found = programme.solve()
    if found.status in (INFEASIBLE, UNBOUNDED):
        return nothing(found.status, m, "extensive")
    if not np.isfinite(found.objective) or len(found.columns) == 0:
        return nothing(LIMIT, m, "extensive")
    first = found.columns[:n].copy()
    first[problem.first.integer] = np.round(first[problem.first.integer])
    if not len(whole):
        duals, relaxed = found.duals[:m], first
    start = master.size
    answers = np.empty(len(problem.scenarios))
    for number, s in enumerate(problem.scenarios):
        answers[number] = s.cost @ found.columns[start : start + len(s.cost)]
        start += len(s.cost)
    value = objective.value(float(problem.first.cost @ first), answers, problem.probabilities)
    shift = problem.constant if not objective.best else 0.0
    return TwoStageSolution(
        status=found.status,
        first=first,
        answers=answers,
        objective=value + objective.cost_weight * shift,
        bound=found.bound + objective.cost_weight * shift,
        duals=duals,
        relaxed=relaxed,
        rounds=0,
        cuts=0,
        method="extensive",
    )
