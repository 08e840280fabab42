"""What money cannot mend: the loss that stays though every option was started today, for free."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.plan.plan_findings import too_late
from withstand.programming.objective import Objective
from withstand.programming.solving import solve_two_stage

if TYPE_CHECKING:
    from withstand.plan.problem import Problem
    from withstand.plan.solved import SolvedPlan
    from withstand.programming.objective import Progress
    from withstand.programming.two_stage import Answer, FirstStage

Array = np.ndarray
ONE_PERCENT = 0.01
MOST_PRODUCTS = 5
SMALL = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class BeyondMoney:
    """What no budget mends within the horizon.

    Parameters
    ----------
    rows : polars.DataFrame
        strike, probability, loss_before, loss_that_stays (currency, discounted as in the plan),
        share_that_stays, binding (products whose supply would help most, the first one first).
    too_late : tuple of str
        Options that are ready only after the last scenario is over.
    """

    rows: pl.DataFrame
    too_late: tuple[str, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return one row a strike, the largest loss first."""
        return self.rows

    @property
    def expected(self) -> float:
        """Mean of the loss that stays, currency."""
        return float((self.rows["probability"] * self.rows["loss_that_stays"]).sum())

    def summary(self) -> str:
        """Return one sentence or two."""
        before = float((self.rows["probability"] * self.rows["loss_before"]).sum())
        text = (
            f"With every option started at once and for free, {self.expected:,.0f} of an expected "
            f"loss of {before:,.0f} would stay."
        )
        if self.too_late:
            text += f" Too late for every scenario: {', '.join(self.too_late)}."
        return text

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<BeyondMoney: {self.summary()}>"


def beyond_money(plan: SolvedPlan, *, progress: Progress | None = None) -> BeyondMoney:
    """Return, strike by strike, the loss that no plan could avoid.

    Cost, budget and what building draws are left out of the programme; what excludes what, what
    waits for what, readiness and the law stay. Each strike gets the best first stage for itself
    alone, whole or in parts, so the loss that stays is a bound from below. A product binds where
    one percent more of it in every period would save something; they are ranked by what that is.

    Parameters
    ----------
    plan : SolvedPlan
        Its budget and what it chose do not matter.
    progress : callable, optional

    Returns
    -------
    BeyondMoney

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(ws.examples.tiny(), [more], [lost], horizon=1)
    >>> print(ws.plan.beyond_money(plan).summary())
    With every option started at once and for free, 0 of an expected loss of 16,800 would stay.
    """
    problem = plan.problem
    first = _free(problem)
    rows = []
    for k, strike in enumerate(problem.strikes):
        if progress:
            progress("what money cannot mend", k, len(problem.strikes))
        answer = plan.answers[k]
        loss = answer.solve(_best(problem, first, k))[0]
        before = float(plan.losses_before[k])
        rows.append(
            {
                "strike": strike.name,
                "probability": strike.probability,
                "loss_before": before,
                "loss_that_stays": loss,
                "share_that_stays": loss / before if before > 0 else 0.0,
                "binding": ", ".join(_binding(problem, answer, loss)),
            }
        )
    frame = pl.DataFrame(rows).sort("loss_that_stays", descending=True, maintain_order=True)
    return BeyondMoney(rows=frame, too_late=tuple(too_late(problem)))


def _free(problem: Problem) -> FirstStage:
    """Return the first stage without money, in parts."""
    first = problem.two_stage.first
    upper = first.row_upper.copy()
    for k, limit in enumerate(problem.limits):
        if limit.kind in ("money", "building"):
            upper[k] = np.inf
    return replace(
        first,
        cost=np.zeros(first.size),
        integer=np.zeros(first.size, dtype=bool),
        row_upper=upper,
    )


def _best(problem: Problem, first: FirstStage, k: int) -> Array:
    """Return the first stage that is best for one strike, cost aside."""
    if _only_adds(problem):
        z = np.zeros(first.size)
        for start in problem.decisions.starts:
            if start.year <= 0:
                z[start.column] = first.upper[start.column]
        return problem.decisions.in_place_under(z, first)
    scenario = replace(problem.two_stage.scenarios[k], probability=1.0)
    alone = replace(problem.two_stage, first=first, scenarios=(scenario,))
    return solve_two_stage(alone, Objective(cost_weight=0.0), method="decomposition").first


def _only_adds(problem: Problem) -> bool:
    """Tell whether starting everything at once is possible, and never worse."""
    amounts = (
        x
        for own in problem.chain.increments
        for step in own
        for x in (*step.capacity.values(), *step.stock.values(), *step.rest.values())
    )
    kinds = {limit.kind for limit in problem.limits}
    research = any(o.success_probability < 1 and o.ready_periods > 0 for o in problem.chain.options)
    return "excludes" not in kinds and not research and all(x >= 0 for x in amounts)


def _binding(problem: Problem, answer: Answer, loss: float) -> list[str]:
    """Return the products whose supply would save most, by the duals of the answer."""
    sk, labels = problem.skeleton, problem.chain.network.product_labels
    gain = np.zeros(problem.chain.n_products)
    for p, row in sk.product_row.items():
        gain[p] += np.maximum(-answer.duals[row], 0.0).sum()
    for j, k in enumerate(sk.served):
        product = sk.chain.activities[k].product
        if product not in sk.product_row and answer.values is not None:
            is_short = answer.values[sk.unmet[:, j]] > SMALL  # elsewhere the dual means nothing
            short = np.maximum(-answer.reduced_costs[sk.output[is_short, k]], 0.0).sum()
            gain[product] += short * sk.size[product] / sk.scale[k]
    gain *= ONE_PERCENT
    order = np.argsort(-gain, kind="stable")[:MOST_PRODUCTS]
    return [str(labels[p]) for p in order if gain[p] > SMALL * max(loss, 1e-300)]
