"""The section on time: what is missed when, which stocks run out, who limited whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report import figures
from withstand.report.headline import SALES, first_missed
from withstand.report.markup import Section, details, figure, paragraphs, steps, table
from withstand.report.run_tables import deliveries_table, runs_table, stocks_table
from withstand.report.runs import chain, last_shown, what_happens, who_is_hit
from withstand.report.words import after, listing, periods, periods_range

if TYPE_CHECKING:
    from withstand.report.contents import Contents
    from withstand.report.tables import Table
    from withstand.stress.simulation import Simulation


def time_section(contents: Contents) -> Section:
    """Show what is missed when, in the worst run and in the others."""
    name = "Time line"
    if not contents.runs:
        body = paragraphs(["No scenario was played."], "empty")
        return Section(anchor="time", name=name, title="What is missed when", body=body)
    run = contents.runs[0]
    period = contents.network.settings.period
    caption = f"{what_happens(run)}: deliveries met in each {period}, share"
    body = figure("deliveries", figures.deliveries(run, contents.shared_run), caption)
    body += _other_runs(contents.runs[1:], period)
    body += paragraphs([_bridged(contents)], "about")
    body += details("Numbers of every run", table(_runs_in_short(contents)), is_open=True)
    body += details(f"Deliveries in each {period}", table(deliveries_table(contents), most=60))
    body += _stocks(contents) + _chains(contents)
    return Section(anchor="time", name=name, title=_time_title(contents, run), body=body)


def _time_title(contents: Contents, run: Simulation) -> str:
    period = contents.network.settings.period
    survive = run.time_to_survive
    if survive is None:
        return f"{what_happens(run)}, all deliveries could still be met"
    shared: Simulation | None = contents.shared_run
    lost = _most_lost(run, shared)
    return (
        f"{what_happens(run)}, {periods_range(run.loss_in_periods, lost, period)} of "
        f"{SALES[contents.network.settings.lens]} would be lost, the first {after(survive, period)}"
    )


def _runs_in_short(contents: Contents) -> Table:
    made = runs_table(contents)
    return made.only(*[c for c in made.frame.columns if c != "scenario"])


def _bridged(contents: Contents) -> str:
    """Say why the region that leaves least output need not be the one that costs most."""
    worst = [r for r in contents.runs if _region_of(r) == contents.worst_region]
    if not worst or worst[0] is contents.runs[0] or not worst[0].time_to_survive:
        return ""
    bridged = periods(worst[0].time_to_survive, contents.network.settings.period)
    return (
        f"Without {who_is_hit(worst[0])} the least output is left once stocks are gone, but stocks"
        f" on hand and goods on the way bridge the first {bridged}; over this time the loss of"
        f" {who_is_hit(contents.runs[0])} costs more."
    )


def _region_of(run: Simulation) -> str | None:
    return run.scenario.shocks[0].region if len(run.scenario.shocks) == 1 else None


def _most_lost(run: Simulation, shared: Simulation | None) -> float:
    return run.loss_in_periods if shared is None else shared.loss_in_periods


def _other_runs(runs: tuple[Simulation, ...], period: str) -> str:
    """Draw the other runs as small multiples, those without a loss as a sentence."""
    moved = [r for r in runs if r.time_to_survive is not None]
    calm = [who_is_hit(r) for r in runs if r.time_to_survive is None]
    last = last_shown(*moved)
    small = [
        figure(f"run-{at}", figures.deliveries_small(r, last),
               f"{who_is_hit(r)}: {r.loss_in_periods:.1f} {period}s lost, "
               f"{first_missed(r.time_to_survive or 0, period)}")
        for at, r in enumerate(moved)
    ]  # fmt: skip
    text = f'<div class="small">{"".join(small)}</div>' if small else ""
    if calm:
        text += paragraphs(
            [f"The same loss of {listing(calm, 8)} would leave all deliveries met."], "about"
        )
    return text


def _stocks(contents: Contents) -> str:
    found = stocks_table(contents)
    if found is None:
        said = "The network is too large for stocks to be recorded over this time."
        return paragraphs([said], "about")
    if found.frame.height == 0:
        stated = contents.network.input_stock.any()
        said = "No stock runs out in any run." if stated else "The tables state no stocks."
        return paragraphs([said], "about")
    first = who_is_hit(contents.runs[0])
    own = found.frame.filter(pl.col("lost") == first)
    summary = f"Stocks that run out: {own.height} without {first}, {found.frame.height} in all runs"
    return details(summary, table(found.only("lost", "period", "input_name", "buyer_name",
                                             "buyer_region", "stock")))  # fmt: skip


def _chains(contents: Contents) -> str:
    period = contents.network.settings.period
    parts = []
    for run in contents.runs:
        found = chain(run)
        if found:
            parts.append(f'<div class="path">{paragraphs([f"{what_happens(run)}:"])}'
                         f"{steps(found, period)}</div>")  # fmt: skip
    if not parts:
        return ""
    return (
        f'<h3>Who limited whom, when most was missed</h3><div class="paths">{"".join(parts)}</div>'
    )
