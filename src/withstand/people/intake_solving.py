"""Solve an intake programme: what is aimed at first, then cost where that leaves a choice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.programming.extensive import extensive_form
from withstand.programming.highs import OPTIMAL, Programme
from withstand.programming.objective import Objective
from withstand.programming.two_stage import Answer

if TYPE_CHECKING:
    from withstand.people.intake_draft import Staged
    from withstand.people.intake_problem import IntakeProblem
    from withstand.programming.two_stage import TwoStage

Array = np.ndarray
GAP = 1e-7
SLACK = 1e-10
"""Share of the best value that the second solve may give away: the solver's own tolerance."""
ELASTIC = 1e-7
"""A row counts towards a contradiction if its price in the least violation is above this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Solved:
    """What the solver found.

    Parameters
    ----------
    status : {"optimal", "infeasible"} or what else HiGHS says
    objective : float
    values : ndarray of float64, shape (scenarios, columns)
        First-stage columns are the same in each scenario.
    duals : ndarray of float64, shape (scenarios, rows), or None for whole numbers
        Change of the objective per unit of a row's limit; of first-stage rows in scenario 0.
    """

    status: str
    objective: float
    values: Array
    duals: Array | None


def objective_of(risk: str, alpha: float, n_scenarios: int) -> Objective:
    """Return what is made small: the mean, the worst, or the mean of the worst 1 - alpha."""
    if risk == "expected" or n_scenarios == 1:
        return Objective()
    level = 1.0 - 1.0 / n_scenarios if risk == "worst" else alpha
    return Objective(mean_weight=0.0, risk_weight=1.0, alpha=level)


def solve_staged(
    stages: Staged, problem: IntakeProblem, aim: Array, money: Array, risk: str, alpha: float
) -> Solved:
    """Return the best intake.

    Under a risk, the first stage that was found is answered at least cost in every scenario; under
    an aim other than cost, the least expected cost is sought among all plans that reach it.

    Parameters
    ----------
    stages : Staged
    problem : IntakeProblem
    aim, money : ndarray of float64, shape (columns,)
        What is made small, and the cost that decides between equals.
    risk, alpha
        As in `optimise_intake`.
    """
    n_s = len(problem.scenarios)
    probability = problem.probability
    if risk == "worst":  # the worst of all counts, however unlikely
        probability = np.full(n_s, 1.0 / n_s)
    two_stage = stages.two_stage(aim, problem.needs, probability, problem.scenarios)
    objective = objective_of(risk, alpha, n_s)
    programme, master = extensive_form(two_stage, objective, gap=GAP)
    found = programme.solve()
    n_one, n_two = len(stages.first), len(stages.second)
    if found.status != OPTIMAL:
        return Solved(status=found.status, objective=np.nan, values=np.empty((0, 0)), duals=None)
    columns = found.columns
    starts = master.size + n_two * np.arange(n_s)
    is_cost = np.array_equal(aim, money)
    if is_cost and not objective.is_plain and not stages.whole.any():
        columns = _answered(two_stage, columns, starts)
    elif not (is_cost and objective.is_plain):
        best = np.concatenate([master.cost, np.zeros(n_two * n_s)])
        if objective.is_plain:
            best[master.size :] = np.concatenate([p * aim[stages.second] for p in probability])
        top = found.objective + SLACK * max(1.0, abs(found.objective))
        programme.add_rows(sparse.csr_array(best[None, :]), np.array([-np.inf]), np.array([top]))
        cost = np.zeros(len(columns))
        cost[:n_one] = money[stages.first]
        for start, chance in zip(starts, problem.probability, strict=True):
            cost[start : start + n_two] = max(chance, 1e-9) * money[stages.second]
        programme.set_cost(np.arange(len(cost)), cost)
        again = programme.solve()
        columns = again.columns if again.status == OPTIMAL else columns
    values = np.zeros((n_s, len(stages.columns)))
    values[:, stages.first] = columns[:n_one]
    for s, start in enumerate(starts):
        values[s, stages.second] = columns[start : start + n_two]
    return Solved(
        status=OPTIMAL,
        objective=found.objective,
        values=np.where(np.abs(values) < 1e-9, 0.0, np.maximum(values, 0.0)),
        duals=None if stages.whole.any() else _duals(stages, found.duals, master.row_scale,
                                                     master.matrix.shape[0], n_s),
    )  # fmt: skip


def _answered(two_stage: TwoStage, columns: Array, starts: Array) -> Array:
    """Return the columns with the cheapest answer to their first stage in each scenario.

    The programme leaves answers outside the tail loose, for they do not count there.
    """
    answered = columns.copy()
    z = columns[: two_stage.first.size]
    for s, (scenario, start) in enumerate(zip(two_stage.scenarios, starts, strict=True)):
        answer = Answer(scenario, s)
        answer.solve(z)
        if answer.values is not None:
            answered[start : start + len(scenario.cost)] = answer.values
    return answered


def _duals(stages: Staged, duals: Array, row_scale: Array, n_master: int, n_s: int) -> Array:
    """Return the duals by scenario and row; each block has a row for its cost in front."""
    found = np.zeros((n_s, len(stages.rows)))
    n_one, n_two = len(stages.first_rows), len(stages.second_rows)
    found[0, stages.first_rows] = duals[:n_one] * row_scale
    for s in range(n_s):
        start = n_master + s * (n_two + 1) + 1
        found[s, stages.second_rows] = duals[start : start + n_two]
    return found


def conflict_of(stages: Staged, problem: IntakeProblem) -> tuple[tuple[int, int], ...]:
    """Return (row, scenario) of limits that cannot hold together, though any one less could.

    The least violation names a set of rows that contradict each other (those with a price); from
    these one after the other is dropped as long as the rest still contradict (deletion filter,
    Chinneck 2008, chapter 6). Rows of the first stage have scenario 0.
    """
    matrix, low, high, owner = _everything(stages, problem)
    can_go = np.array([bool(stages.rows[k].words) for k, _ in owner])
    n_rows, n_columns = matrix.shape
    loose = np.flatnonzero(can_go)
    slack = sparse.csr_array(
        (np.ones(len(loose)), (loose, np.arange(len(loose)))), shape=(n_rows, len(loose))
    )
    elastic = Programme(
        cost=np.concatenate([np.zeros(n_columns), np.ones(2 * len(loose))]),
        lower=np.zeros(n_columns + 2 * len(loose)),
        upper=np.full(n_columns + 2 * len(loose), np.inf),
        matrix=sparse.hstack([matrix, slack, -slack], format="csr"),
        row_lower=low,
        row_upper=high,
    )
    least = elastic.solve()
    if least.status != OPTIMAL or least.objective <= ELASTIC:
        return ()
    kept = [int(k) for k in loose if abs(least.duals[k]) > ELASTIC]
    trial = Programme(
        cost=np.zeros(n_columns),
        lower=np.zeros(n_columns),
        upper=np.full(n_columns, np.inf),
        matrix=matrix,
        row_lower=low,
        row_upper=high,
    )
    gone = np.array(sorted(set(loose.tolist()) - set(kept)), dtype=np.int64)
    trial.set_rows(gone, np.full(len(gone), -np.inf), np.full(len(gone), np.inf))
    for k in tuple(kept):
        at = np.array([k])
        trial.set_rows(at, np.array([-np.inf]), np.array([np.inf]))
        if trial.solve().status == OPTIMAL:
            trial.set_rows(at, low[at], high[at])
        else:
            kept.remove(k)
    return tuple(owner[k] for k in kept)


def _everything(
    stages: Staged, problem: IntakeProblem
) -> tuple[sparse.csr_array, Array, Array, list[tuple[int, int]]]:
    """Return all rows of all scenarios over all columns, and whose each row is."""
    n_s = len(problem.scenarios)
    one, two = stages.first, stages.second
    first = stages.matrix[stages.first_rows][:, one]
    shared = stages.matrix[stages.second_rows][:, one]
    own = stages.matrix[stages.second_rows][:, two]
    blocks = sparse.block_diag([own] * n_s, format="csr")
    left = sparse.vstack([first, *([shared] * n_s)], format="csr")
    right = sparse.vstack([sparse.csr_array((first.shape[0], blocks.shape[1])), blocks])
    matrix = sparse.csr_array(sparse.hstack([left, right], format="csr"))
    limits = [stages.limits(needs) for needs in problem.needs]
    low = np.concatenate(
        [limits[0][0][stages.first_rows], *(x[0][stages.second_rows] for x in limits)]
    )
    high = np.concatenate(
        [limits[0][1][stages.first_rows], *(x[1][stages.second_rows] for x in limits)]
    )
    owner = [(int(k), 0) for k in stages.first_rows]
    owner += [(int(k), s) for s in range(n_s) for k in stages.second_rows]
    return matrix, low, high, owner


def least_unmet(stages: Staged, problem: IntakeProblem) -> float:
    """Return the least expected work left undone, person-years, of stages that let it be."""
    weights = np.array([float(c.kind == "unmet") for c in stages.columns])
    plain = replace(stages, whole=np.zeros(len(stages.columns), dtype=bool))
    found = solve_staged(plain, problem, weights, weights, "expected", 0.5)
    return found.objective if found.status == OPTIMAL else np.nan
