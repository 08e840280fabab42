"""Ask a plan the next questions: does it help, what earns where, what would more money buy."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand import measures
from withstand.errors import SolverError, UsageError
from withstand.plan.frontiers import frontier
from withstand.plan.near_optimal import alternatives
from withstand.plan.out_of_reach import beyond_money
from withstand.report.plan_contents import PlanContents, scenario_names

if TYPE_CHECKING:
    from withstand.plan import Frontier, Plan, Verification
    from withstand.plan.solved import SolvedPlan
    from withstand.programming.objective import Progress

MOST_REGIONS = 12
REACH = 1.5
"""The frontier goes to so many times the money of the plan."""
BINDING = 0.8
"""Share of the budget spent from which the budget itself is the plan's place on the frontier."""
MONEY = ("programme_before", "programme_after", "simulated_before", "simulated_after")
WITHIN = 0.05
"""How much worse, as a share of its value, another plan may be."""


def gather_plan(
    plan: Plan,
    *,
    is_verified: bool = True,
    n_budgets: int = 0,
    n_alternatives: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> PlanContents:
    """Compute everything that the report of a plan shows.

    Parameters
    ----------
    plan : Plan
    is_verified : bool
        Whether every scenario is played on the full network, before and after.
    n_budgets : int
        Points of the frontier; 0 for none, else at least 2.
    n_alternatives : int
        Other plans nearly as good, at most; 0 for none.
    jobs : int
    progress : callable, optional

    Raises
    ------
    UsageError
        If there is no plan.
    """
    if not plan.is_found:
        raise UsageError(f"There is no plan to report: {plan.status}.")
    verification = plan.verify(progress=progress) if is_verified else None
    _say(progress, "which option earns where")
    strikes = strikes_of(plan, verification)
    earns = earns_of(plan, strikes)
    _say(progress, "output without each region")
    output = output_of(plan)
    beyond, too_late = beyond_of(plan, strikes, progress)
    others: tuple[SolvedPlan, ...] = ()
    curve: Frontier | None = None
    left_out = []
    try:
        if n_alternatives:
            _say(progress, "other plans nearly as good")
            others = alternatives(plan, n_alternatives, within=WITHIN, jobs=jobs)
    except SolverError as error:  # the plan itself is found and must not be lost
        left_out.append(f"Other plans were not found. {error}.")
    try:
        curve = _frontier(plan, n_budgets, jobs, progress) if n_budgets else None
    except SolverError as error:
        left_out.append(f"The frontier was not found. {error}.")
    return PlanContents(
        plan=plan,
        losses=losses_of(strikes),
        strikes=strikes,
        earns=earns,
        output=output,
        verification=verification,
        frontier=curve,
        alternatives=others,
        beyond=beyond,
        too_late=too_late,
        own_budget=own_budget(plan),
        made_at=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        left_out=tuple(left_out),
    )


def _say(progress: Progress | None, stage: str) -> None:
    if progress:
        progress(stage, 0, 1)


def strikes_of(plan: Plan, verification: Verification | None) -> pl.DataFrame:
    """Return one row a strike, losses undiscounted; "nothing happens" is left out."""
    problem = plan.problem
    scenarios = {s.scenario.name: s.scenario for s in problem.strikes if s.scenario.shocks}
    names = dict(
        zip(scenarios, scenario_names(plan.network, list(scenarios.values())), strict=True)
    )
    factor = np.array([problem.calendar.factor(s.onset) for s in problem.strikes])
    found = pl.DataFrame(
        {
            "strike": [s.name for s in problem.strikes],
            "scenario": [s.scenario.name for s in problem.strikes],
            "name": [names.get(s.scenario.name, "") for s in problem.strikes],
            "strikes_after_years": [s.onset for s in problem.strikes],
            "probability": problem.two_stage.probabilities,
            "programme_before": plan.losses_before / factor,
            "programme_after": plan.losses / factor,
        }
    )
    nothing = pl.Series([None] * found.height, dtype=pl.Float64)
    rows = None if verification is None else verification.to_frame()
    with_both = found.with_columns(
        (nothing if rows is None else rows[name]).alias(name)
        for name in ("simulated_before", "simulated_after")
    )
    return with_both.filter(pl.col("name") != "")


def losses_of(strikes: pl.DataFrame) -> pl.DataFrame:
    """Return one row a scenario: the means over its strikes, the largest loss before first.

    Examples
    --------
    >>> strikes = pl.DataFrame({
    ...     "scenario": ["a", "a", "b"], "name": ["A", "A", "B"], "probability": [0.1, 0.3, 0.2],
    ...     "programme_before": [8.0, 4.0, 9.0], "programme_after": [8.0, 0.0, 9.0],
    ...     "simulated_before": [None, None, None], "simulated_after": [None, None, None]})
    >>> losses_of(strikes).select("name", "programme_before", "programme_after").rows()
    [('B', 9.0, 9.0), ('A', 5.0, 2.0)]
    """
    p = pl.col("probability")
    even = pl.len().cast(pl.Float64)
    weight = pl.when(p.sum() > 0).then(p / p.sum()).otherwise(1.0 / even)
    means = [
        pl.when(pl.col(c).is_null().all()).then(None).otherwise((pl.col(c) * weight).sum()).alias(c)
        for c in MONEY
    ]
    grouped = strikes.group_by("scenario", maintain_order=True).agg(
        pl.col("name").first(), *means, p.sum()
    )
    most = pl.max_horizontal("programme_before", "simulated_before")
    return grouped.select("scenario", "name", "probability", *MONEY).sort(
        [most, pl.col("name")], descending=[True, False]
    )


def earns_of(plan: Plan, strikes: pl.DataFrame) -> pl.DataFrame:
    """Return what each option chosen saves in each scenario, the one that saves most first."""
    saved = plan.contributions().select("option", "strike", "saved")
    joined = saved.join(strikes.select("strike", "scenario", "name", "probability"), on="strike")
    totals = strikes.group_by("scenario").agg(pl.col("probability").sum().alias("total"))
    found = (
        joined.with_columns((pl.col("saved") * pl.col("probability")).alias("expected"))
        .group_by("option", "scenario", "name", maintain_order=True)
        .agg(pl.col("expected").sum())
        .join(totals, on="scenario")
        .with_columns((pl.col("expected") / pl.col("total")).alias("saved"))
    )
    return found.select("option", "scenario", "name", "saved", "expected").sort(
        [pl.col("expected").sum().over("option"), "option", "expected"],
        descending=[True, False, True],
    )


def output_of(plan: Plan) -> pl.DataFrame:
    """Return the output that capacities allow without each region, before the plan and after it.

    The regions are those that scenarios hit (with whole regions), else the six worst ones; after
    is the end of the horizon.
    """
    network = plan.network
    after = plan.apply(plan.problem.calendar.years)
    hit = [
        shock.region
        for strike in plan.problem.strikes
        for shock in strike.scenario.shocks
        if set(shock.targets) == {"region"} and shock.region is not None
    ]
    regions = list(dict.fromkeys(hit))[:MOST_REGIONS] or None
    before = measures.coverage_by_region(network, regions, limit="capacity")
    if regions is None:
        before = before.head(MOST_REGIONS // 2)
        regions = before["region"].to_list()
    if before.height == 0:
        schema = {"region": pl.String, "name": pl.String, "before": pl.Float64, "after": pl.Float64}
        binding = {"binding_before": pl.String, "binding_after": pl.String}
        return pl.DataFrame(schema={**schema, **binding})
    then = measures.coverage_by_region(after, regions, limit="capacity")
    return before.select(
        "region", "name", before="feasible_output", binding_before="binding"
    ).join(
        then.select("region", after="feasible_output", binding_after="binding"),
        on="region",
        maintain_order="left",
    ).select("region", "name", "before", "after", "binding_before", "binding_after")  # fmt: skip


def own_budget(plan: Plan) -> float:
    """Return the money at which a plan stands on the frontier: its budget, or what it takes of it.

    Where money does not bind and is there from the start, the same plan is found for what it
    spends; the rest of the budget would only stretch the picture.
    """
    money = plan.problem.decisions.money
    spent = float(plan.spend()["spent"].sum())
    if money is None:
        return spent
    is_at_once = not money[1:].any()
    return spent if is_at_once and spent < BINDING * money.sum() else float(money.sum())


def beyond_of(
    plan: Plan, strikes: pl.DataFrame, progress: Progress | None = None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return what is lost in each scenario whatever is spent, and the options that come too late.

    Means over the strikes of a scenario, undiscounted; the products that bind are those of the
    strike where most is left.
    """
    found = beyond_money(plan, progress=progress)
    factor = {s.name: plan.problem.calendar.factor(s.onset) for s in plan.problem.strikes}
    rows = found.to_frame().select("strike", "loss_that_stays", "binding")
    stays = rows.with_columns(
        pl.col("loss_that_stays") / pl.col("strike").replace_strict(factor, return_dtype=pl.Float64)
    )
    p = pl.col("probability")
    weight = pl.when(p.sum() > 0).then(p / p.sum()).otherwise(1.0 / pl.len().cast(pl.Float64))
    frame = (
        strikes.join(stays, on="strike", maintain_order="left")
        .group_by("scenario", maintain_order=True)
        .agg(
            pl.col("name").first(),
            (pl.col("programme_before") * weight).sum().alias("before"),
            (pl.col("programme_after") * weight).sum().alias("after"),
            (pl.col("loss_that_stays") * weight).sum().alias("left"),
            pl.col("binding").sort_by("loss_that_stays").last(),
        )
    )
    ordered = frame.sort(["before", "name"], descending=[True, False])
    return ordered.select("name", "before", "after", "left", "binding"), found.too_late


def budgets_of(plan: Plan, n: int) -> list[float]:
    """Return n amounts of money from 0 to well above the plan's own, which is one of them."""
    own = own_budget(plan)
    if own <= 0:
        own = sum(o.cost_once for o in plan.problem.chain.options) / 10.0
    found = np.linspace(0.0, REACH * own, max(n, 2))
    found[np.argmin(np.abs(found - own)[1:]) + 1] = own
    return [float(b) for b in found]


def _frontier(plan: Plan, n: int, jobs: int, progress: Progress | None) -> Frontier:
    return frontier(plan, budgets_of(plan, n), gap=plan.gap_wanted, jobs=jobs, progress=progress)
