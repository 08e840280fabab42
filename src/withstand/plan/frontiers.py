"""What more money buys: plans for a row of budgets, and the curve through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.plan.planning import GAP, solve_problem
from withstand.plan.solved import Risk, SolvedPlan
from withstand.programming.decomposition import solve_by_decomposition
from withstand.programming.two_stage import FirstStage, TwoStage

if TYPE_CHECKING:
    from withstand.plan.problem import Problem
    from withstand.programming.objective import Progress

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Frontier:
    """Plans for a row of budgets.

    Parameters
    ----------
    budgets : tuple of float, currency
        In all, over the horizon.
    plans : tuple of SolvedPlan
    smooth : ndarray of float64, shape (n_budgets,), currency
        Value where options could be taken in part: a convex curve.
    worth : ndarray of float64, shape (n_budgets,)
        Fall of that value for one unit of currency more in all, spread over the years as the
        budget is. It never rises with the budget.
    """

    budgets: tuple[float, ...]
    plans: tuple[SolvedPlan, ...]
    smooth: Array
    worth: Array

    def __repr__(self) -> str:
        """Return one line."""
        first, last = self.budgets[0], self.budgets[-1]
        return f"<Frontier: {len(self.plans)} budgets, {first:,.0f} to {last:,.0f}>"

    def to_frame(self) -> pl.DataFrame:
        """Return one row a budget: cost, losses (currency), value, bound, worth, what is chosen."""
        rest = np.array([p.value for p in self.plans])
        step = np.diff(rest) / np.maximum(np.diff(np.array(self.budgets)), 1e-300)
        return pl.DataFrame(
            {
                "budget": self.budgets,
                "cost": [p.cost for p in self.plans],
                "expected_loss": [p.expected_loss for p in self.plans],
                "tail_loss": [p.cvar() for p in self.plans],
                "value": rest,
                "bound": [p.bound for p in self.plans],
                "value_in_parts": self.smooth,
                "worth_of_next": self.worth,
                "gain_to_next_budget": [*(-step), None],
                "chosen": [", ".join(p.chosen) for p in self.plans],
            }
        )


def frontier(
    plan: SolvedPlan,
    budgets: Sequence[float],
    *,
    risk: Risk | None = None,
    gap: float = GAP,
    time_limit: float = np.inf,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Frontier:
    """Return the best plans for other budgets; what one solve learnt serves the next.

    Parameters
    ----------
    plan : SolvedPlan
        A solved plan: its network, options, scenarios and risk.
    budgets : sequence of float, currency
        In all; spread over the years as the plan's own money is (from the start if it has none).
    risk : Risk, optional
        Default: that of the plan.
    gap, time_limit, jobs, progress
        As in `solve`; the time limit is for each budget.

    Raises
    ------
    UsageError
        If a budget is below 0.

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(ws.examples.tiny(), [more], [lost], horizon=1)
    >>> ws.plan.frontier(plan, [0.0, 1000.0]).to_frame()["expected_loss"].round(3).to_list()
    [16800.0, 0.0]
    """
    wanted = sorted({float(b) for b in budgets})
    if not wanted or wanted[0] < 0 or not np.isfinite(wanted[-1]):
        raise UsageError(f"budgets must be amounts of money of at least 0, not {budgets!r}.")
    o = plan.objective
    weighed = Risk(weight=o.risk_weight, alpha=o.alpha) if risk is None else risk
    aim = "loss" if o.cost_weight < 1.0 else "value"
    store = plan.store
    ray = _ray(plan)
    plans, smooth, worth = [], [], []
    for number, money in enumerate(wanted):
        if progress:
            progress("budgets", number, len(wanted))
        problem = plan.problem.with_budget(money * ray)
        solved = solve_problem(
            problem,
            risk=weighed,
            aim=aim,
            gap=gap,
            method="decomposition",
            time_limit=time_limit,
            jobs=jobs,
            store=store,
        )
        plans.append(solved)
        relaxed = _relaxed(problem.two_stage)
        in_parts = solve_by_decomposition(
            relaxed, solved.objective, gap=min(gap, 1e-6), jobs=jobs, store=store
        )
        smooth.append(in_parts.objective)
        worth.append(_worth(problem, in_parts.duals, ray))
    return Frontier(
        budgets=tuple(wanted),
        plans=tuple(plans),
        smooth=np.array(smooth),
        worth=np.array(worth),
    )


def _ray(plan: SolvedPlan) -> Array:
    """Return the shares of the money by year."""
    money = plan.problem.money
    years = plan.problem.calendar.years
    if money is None or money.sum() <= 0:
        ray = np.zeros(years)
        ray[0] = 1.0
        return ray
    return np.asarray(money / money.sum())


def _relaxed(problem: TwoStage) -> TwoStage:
    first = problem.first
    return TwoStage(
        first=FirstStage(**{**first.__dict__, "integer": np.zeros(first.size, dtype=bool)}),
        scenarios=problem.scenarios,
        constant=problem.constant,
    )


def _worth(problem: Problem, duals: Array, ray: Array) -> float:
    """Return sum over years of the dual of the money up to that year, times the money's share."""
    upto = np.cumsum(ray)
    return float(
        sum(
            max(-float(duals[k]), 0.0) * upto[limit.year]
            for k, limit in enumerate(problem.limits)
            if limit.kind == "money"
        )
    )
