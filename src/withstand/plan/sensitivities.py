"""How far a cost or an effect may be wrong before the plan changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.plan.solved import TAKEN
from withstand.programming.solving import solve_two_stage
from withstand.programming.two_stage import Answer

if TYPE_CHECKING:
    from withstand.plan.solved import SolvedPlan
    from withstand.programming.objective import Progress

Array = np.ndarray


def sensitivity(
    plan: SolvedPlan, *, effect: float = 0.8, jobs: int = 1, progress: Progress | None = None
) -> pl.DataFrame:
    """Return, for each option, how wrong its cost may be, and what a weaker effect would cost.

    The plan is solved again with the option ruled out (if it is chosen) or forced in (if not), by
    the cuts that are known. The difference of the two values is what its cost may rise by before
    it drops out, or must fall by before it comes in; nothing else changes meanwhile.

    Parameters
    ----------
    plan : SolvedPlan
    effect : float, 0 to 1
        Share of each chosen option's effect that is assumed instead of all of it.
    jobs, progress

    Returns
    -------
    polars.DataFrame
        option, is_chosen, cost (currency, discounted, of the start in the plan or the cheapest),
        margin (of what the plan minimises, no finer than its gap: where costs count in full that is
        the rise before it drops, or the fall before it enters; null where it cannot be forced in),
        margin_share (of the cost; null where costs do not count in full), loss_if_weaker
        (currency: rise of the expected loss with the weaker effect, plan unchanged; null if not
        chosen).

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
    >>> ws.plan.sensitivity(plan)["margin"].round(3).to_list()  # its cost may rise by
    [15800.0]
    """
    if not plan.is_found:
        raise UsageError(f"There is no plan to vary: {plan.status}.")
    if not 0.0 <= effect <= 1.0:
        raise UsageError(f"effect must lie between 0 and 1, not {effect}.")
    problem = plan.problem
    sizes = plan.sizes.sum(axis=1)
    rows = []
    for m, option in enumerate(problem.chain.options):
        if progress:
            progress("sensitivity", m, problem.n_options)
        starts = [s for s in problem.decisions.starts if s.option == m and s.year >= 0]
        if not starts:
            continue
        is_chosen = bool(sizes[m] > TAKEN)
        other = _value(plan, [s.column for s in starts], m, is_chosen, jobs)
        costs = [float(problem.two_stage.first.cost[s.column]) for s in starts]
        cost = (
            float(
                sum(plan.solution.first[s.column] * c for s, c in zip(starts, costs, strict=True))
            )
            if is_chosen
            else min(costs)
        )
        margin = None if other is None else max(other - plan.value, 0.0)
        rows.append(
            {
                "option": option.label,
                "is_chosen": is_chosen,
                "cost": cost,
                "margin": margin,
                "margin_share": margin / cost
                if margin is not None and cost > 0 and plan.objective.cost_weight == 1.0
                else None,
                "loss_if_weaker": _weaker(plan, m, effect) if is_chosen else None,
            }
        )
    schema = {
        "option": pl.String,
        "is_chosen": pl.Boolean,
        "cost": pl.Float64,
        "margin": pl.Float64,
        "margin_share": pl.Float64,
        "loss_if_weaker": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema).sort(
        ["is_chosen", "margin"], descending=[True, False], nulls_last=True
    )


def _value(
    plan: SolvedPlan, columns: list[int], m: int, is_chosen: bool, jobs: int
) -> float | None:
    """Return the value of the best plan on the other side; None if there is none."""
    first = plan.problem.two_stage.first
    if is_chosen:
        upper = first.upper.copy()
        upper[columns] = 0.0
        changed = replace(first, upper=upper)
    else:
        lower = first.row_lower.copy()
        once = [k for k, x in enumerate(plan.problem.limits) if (x.kind, x.option) == ("once", m)]
        lower[once] = plan.problem.decisions.limits[m] or 1.0
        changed = replace(first, row_lower=lower)
    solution = solve_two_stage(
        replace(plan.problem.two_stage, first=changed),
        plan.objective,
        method="decomposition",
        gap=plan.gap_wanted,
        jobs=jobs,
        store=plan.store,
    )
    return solution.objective if len(solution.first) else None


def _weaker(plan: SolvedPlan, m: int, effect: float) -> float:
    """Return the rise of the expected loss if an option works only in part."""
    decisions, first = plan.problem.decisions, plan.solution.first
    columns = decisions.columns_of(m)
    total = 0.0
    for k, s in enumerate(plan.problem.two_stage.scenarios):
        scale = np.ones(len(first))
        scale[columns] = effect
        weaker = replace(
            s,
            on_rows=s.on_rows.multiply(scale[None, :]).tocsr(),
            on_upper=s.on_upper.multiply(scale[None, :]).tocsr(),
        )
        total += s.probability * (Answer(weaker, k).solve(first)[0] - plan.losses[k])
    return max(total, 0.0)
