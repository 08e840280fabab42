"""Other plans that are nearly as good, and as different as possible."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.errors import UsageError
from withstand.plan.solved import TAKEN, SolvedPlan
from withstand.programming.solving import solve_two_stage

if TYPE_CHECKING:
    from withstand.plan.problem import Problem
    from withstand.programming.objective import Progress
    from withstand.programming.two_stage import FirstStage

Array = np.ndarray


def alternatives(
    plan: SolvedPlan, n: int = 3, *, within: float = 0.05, time_limit: float = np.inf, jobs: int = 1
) -> tuple[SolvedPlan, ...]:
    """Return plans whose value is within a share of the best, each far from those before it.

    Each new plan must differ from the first and from every one found in as many options as
    possible: the number is raised as long as a plan within reach has it, so the plans are as far
    apart as the tolerance allows, one at a time.

    Parameters
    ----------
    plan : SolvedPlan
    n : int
        How many, at most.
    within : float
        Share of the value that an alternative may be worse by.
    time_limit : float, seconds
        For each solve.
    jobs : int

    Raises
    ------
    UsageError
        If there is no plan, or a number is not possible.

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(ws.examples.tiny(), [more], [lost], horizon=1)
    >>> [one.chosen for one in ws.plan.alternatives(plan, 1, within=1.0)]  # nothing is too dear
    []
    """
    if not plan.is_found:
        raise UsageError(f"There is no plan to vary: {plan.status}.")
    if n < 1 or not 0.0 <= within < 10.0:
        raise UsageError("n must be at least 1, and within a share of at least 0.")
    most = plan.value + within * abs(plan.value)
    found = [plan]
    distance = plan.problem.n_options
    while len(found) <= n and distance >= 1:
        candidate = _farther(plan, found, distance, time_limit, jobs)
        if candidate is None or candidate.value > most + 1e-9 * abs(most):
            distance -= 1
            continue
        found.append(candidate)
    return tuple(found[1:])


def next_best(
    plan: SolvedPlan,
    n: int,
    *,
    time_limit: float = np.inf,
    jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[SolvedPlan, ...]:
    """Return the next best portfolios after a plan, the best first: fewer where there are no more.

    Each differs from all before it in at least one option.

    Raises
    ------
    UsageError
        If there is no plan.

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(ws.examples.tiny(), [more], [lost], horizon=1)
    >>> [one.chosen for one in ws.plan.next_best(plan, 2)]
    [()]
    """
    if not plan.is_found:
        raise UsageError(f"There is no plan to vary: {plan.status}.")
    found = [plan]
    while len(found) <= n:
        if progress:
            progress("next best plans", len(found) - 1, n)
        candidate = _farther(plan, found, 1, time_limit, jobs)
        if candidate is None:
            break
        found.append(candidate)
    return tuple(found[1:])


def _farther(
    plan: SolvedPlan, found: list[SolvedPlan], distance: int, time_limit: float, jobs: int
) -> SolvedPlan | None:
    """Return the best plan that differs from each one found in `distance` options or more."""
    problem = plan.problem
    rows, low = [], []
    for other in found:
        row, constant = _difference(problem, other)
        rows.append(row)
        low.append(distance - constant)
    first = _with_rows(problem.two_stage.first, np.array(rows), np.array(low))
    solution = solve_two_stage(
        replace(problem.two_stage, first=first),
        plan.objective,
        method="decomposition",
        gap=plan.gap_wanted,
        time_limit=time_limit,
        jobs=jobs,
        store=plan.store,
    )
    if len(solution.first) == 0:
        return None
    return replace(
        plan, solution=replace(solution, duals=solution.duals[: len(first.rows) - len(rows)])
    )


def _difference(problem: Problem, other: SolvedPlan) -> tuple[Array, float]:
    """Return row and constant: options that differ = row @ z + constant (sizes count in part)."""
    row = np.zeros(problem.two_stage.first.size)
    sizes = other.sizes.sum(axis=1)
    constant = 0.0
    for m in range(problem.n_options):
        top = problem.decisions.limits[m] or 1.0
        is_taken = sizes[m] > TAKEN
        constant += 1.0 if is_taken else 0.0
        for start in problem.decisions.starts:
            if start.option == m and start.year >= 0:
                row[start.column] = (-1.0 if is_taken else 1.0) / top
    return row, constant


def _with_rows(first: FirstStage, rows: Array, low: Array) -> FirstStage:
    return replace(
        first,
        matrix=sparse.csr_array(sparse.vstack([first.matrix, sparse.csr_array(rows)])),
        row_lower=np.concatenate([first.row_lower, low]),
        row_upper=np.concatenate([first.row_upper, np.full(len(low), np.inf)]),
        rows=(*first.rows, *(f"differs_{k}" for k in range(len(low)))),
    )
