"""Why there is no plan: a smallest set of limits that contradict each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.programming.solving import solve_two_stage

if TYPE_CHECKING:
    from withstand.plan.problem import Problem
    from withstand.plan.solved import SolvedPlan
    from withstand.programming.objective import Objective

LAW = "the law (regions that may not supply)"
MEAN = "the limit of the expected loss"
TAIL = "the limit of the tail"


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Limits that cannot hold together, though they could if any one of them went.

    Parameters
    ----------
    limits : tuple of str
        Groups of rows: "money", "the limit of the expected loss", "M02 needs M01 first" ...
    """

    limits: tuple[str, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return one row a limit."""
        return pl.DataFrame({"limit": list(self.limits)}, schema={"limit": pl.String})

    def summary(self) -> str:
        """Return one sentence."""
        return (
            "These limits contradict each other; any one of them gone, the others could be met: "
            + "; ".join(self.limits)
            + "."
        )


def explain_infeasible(plan: SolvedPlan, *, jobs: int = 1) -> Conflict:
    """Find an irreducible set of limits that rule every plan out.

    Limits are dropped one by one; one whose absence leaves no plan either is not needed for the
    contradiction (deletion filter, Chinneck 2008, chapter 6).

    Raises
    ------
    UsageError
        If there is a plan.

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(
    ...     ws.examples.tiny(), [more], [lost], horizon=1, budget=500.0, loss_limit=100.0)
    >>> ws.plan.explain_infeasible(plan).limits
    ('the budget', 'the limit of the expected loss')
    """
    problem, objective = plan.problem, plan.objective
    if plan.is_found or plan.status != "infeasible":
        raise UsageError(f"There is nothing to explain: the plan's status is '{plan.status}'.")
    groups = _groups(problem, objective)
    kept = dict(groups)
    for name in groups:
        trial = {k: v for k, v in kept.items() if k != name}
        if not _is_feasible(problem, objective, trial, plan, jobs):
            kept = trial
    return Conflict(limits=tuple(kept))


def _groups(problem: Problem, objective: Objective) -> dict[str, tuple[int, ...]]:
    """Return the groups of limits by name, each with its rows (none for targets)."""
    found: dict[str, list[int]] = {}
    for k, limit in enumerate(problem.limits):
        if limit.kind != "waiting":
            name = "the budget" if limit.kind == "money" else limit.words
            found.setdefault(name, []).append(k)
    groups = {name: tuple(rows) for name, rows in found.items()}
    if (problem.two_stage.first.upper <= 0).any():
        groups[LAW] = ()
    if objective.mean_limit < np.inf:
        groups[MEAN] = ()
    if objective.risk_limit < np.inf:
        groups[TAIL] = ()
    return groups


def _is_feasible(
    problem: Problem,
    objective: Objective,
    groups: dict[str, tuple[int, ...]],
    plan: SolvedPlan,
    jobs: int,
) -> bool:
    first = problem.two_stage.first
    lower, upper = first.row_lower.copy(), first.row_upper.copy()
    held = {k for rows in groups.values() for k in rows}
    for k, limit in enumerate(problem.limits):
        if k not in held and limit.kind != "waiting":
            lower[k], upper[k] = -np.inf, np.inf
    tops = first.upper if LAW in groups else np.where(first.upper <= 0, 1.0, first.upper)
    trial = replace(
        objective,
        mean_limit=objective.mean_limit if MEAN in groups else np.inf,
        risk_limit=objective.risk_limit if TAIL in groups else np.inf,
    )
    found = solve_two_stage(
        replace(
            problem.two_stage,
            first=replace(first, row_lower=lower, row_upper=upper, upper=tops),
        ),
        trial,
        method="decomposition",
        gap=0.5,
        jobs=jobs,
        store=plan.store,
    )
    return found.status != "infeasible"
