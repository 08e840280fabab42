"""The headline: what the report found, in sentences for people who do not read charts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.report.basis import ASSUMED, PUBLIC, basis_counts
from withstand.report.blocks import cost_blocks
from withstand.report.chokepoints import NOTABLE, chokepoints, region_name
from withstand.report.runs import what_happens
from withstand.report.stress_tables import node_name
from withstand.report.words import (
    after,
    capital,
    clean,
    listing,
    percent,
    percent_range,
    periods,
    periods_range,
)

if TYPE_CHECKING:
    from withstand.measures.exposures import Exposure
    from withstand.model.network import ProductionNetwork
    from withstand.report.contents import Contents
    from withstand.stress.simulation import Simulation

SAME_INPUTS = "if makers abroad need the same inputs"
LARGEST_BLOCKS = 5
HALF = 0.5
_WHO = {"plant": "the plant buys", "firms": "these firms buy", "economy": "these industries buy"}
SALES = {"plant": "sales", "firms": "final demand", "economy": "final demand"}


@dataclass(frozen=True, kw_only=True)
class Card:
    """One big number: the number, what it is, and one line of caution."""

    number: str
    what: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What the report found: up to four big numbers, and sentences."""

    cards: tuple[Card, ...]
    sentences: tuple[str, ...]


def headline(contents: Contents, points: pl.DataFrame | None = None) -> Headline:
    """Say what was found, ranges where the two recipe rules differ.

    Parameters
    ----------
    contents : Contents
    points : polars.DataFrame, optional
        Chokepoints, where they were computed already.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> from withstand.workbench import gather
    >>> print(headline(gather(tiny())).sentences[0])
    20.0 % of what the plant buys directly is made at home. Looked at through every tier, 83.5 % \
of the value is.
    """
    network = contents.network
    found = chokepoints(contents) if points is None else points
    sentences = [
        home_sentence(network, contents.exposure),
        cost_sentence(network),
        *loss_sentences(contents),
        run_sentence(network, contents.runs, contents.shared_run),
        chokepoint_sentence(contents, found),
        failure_sentence(contents),
        basis_sentence(network),
    ]
    cards = [
        *_home_cards(network, contents.exposure),
        _loss_card(contents),
        _run_card(network, contents.runs, contents.shared_run),
    ]
    return Headline(
        cards=tuple(c for c in cards if c is not None),
        sentences=tuple(s for s in sentences if s),
    )


def title(network: ProductionNetwork, exposure: Exposure | None) -> str:
    """Return the headline of the headline."""
    if exposure is None or not network.is_home.any():
        return "What was found"
    direct, all_tiers = exposure.tier1_home_share, exposure.home_share
    if direct > HALF > all_tiers:
        return "Most is bought at home, but most of its value is made elsewhere"
    if all_tiers > HALF:
        return "Most of the value is made at home"
    return "Most of the value is made outside home"


def home_sentence(network: ProductionNetwork, exposure: Exposure | None) -> str:
    """Say how much is bought at home, and how much of the value is made there."""
    if exposure is None:
        return "The tables hold no prices, so shares of value cannot be given."
    if not network.is_home.any():
        return (
            "No region is marked as home, so nothing can be said to be made at home; every region"
            " counts as one that can be lost."
        )
    who = _WHO[network.settings.lens]
    return (
        f"{percent(exposure.tier1_home_share)} of what {who} directly is made at home. "
        f"Looked at through every tier, {percent(exposure.home_share)} of the value is."
    )


def cost_sentence(network: ProductionNetwork) -> str:
    """Name the largest blocks of the purchase cost."""
    blocks = cost_blocks(network)
    if blocks.height == 0:
        return ""
    top = blocks.head(LARGEST_BLOCKS)
    named = [
        f"{'work on ' if work else ''}{clean(name)} ({percent(share)})"
        for name, work, share in top.select("name", "is_work", "share").iter_rows()
    ]
    if len(named) == 1:
        return f"{capital(named[0])} is what the purchase cost is made of."
    return (
        f"The {_count(len(named))} largest blocks make up {percent(float(top['share'].sum()))} of"
        f" the purchase cost: {listing(named)}."
    )


def _count(number: int) -> str:
    return {2: "two", 3: "three", 4: "four", 5: "five"}.get(number, str(number))


def loss_sentences(contents: Contents) -> list[str]:
    """Say what the loss of the worst region leaves, under both rules."""
    network, losses = contents.network, contents.losses
    if losses.height == 0:
        return ["There is no region outside home that supplies anything."]
    best, worst = left_without(contents, contents.worst_region)
    if best >= 1.0 and worst >= 1.0 and (losses["shared"].fill_null(1.0) >= 1.0).all():
        return ["The loss of any single region would leave all output possible."]
    who = clean(region_name(network, contents.worst_region))
    left = f"{percent(best)} of output" if best > 0 else "no output"
    text = f"Without {who}, {left} could go on"
    text += f" ({percent(worst)} {SAME_INPUTS})." if percent(worst) != percent(best) else "."
    lowest = losses.sort(["shared", "region"], nulls_last=True).row(0, named=True)
    if lowest["region"] != contents.worst_region and lowest["shared"] is not None:
        text += (
            f" Counted that way, the loss of {clean(lowest['name'])} weighs most: "
            f"{percent(lowest['shared'])} could go on."
        )
    return [text]


def left_without(contents: Contents, region: str) -> tuple[float, float]:
    """Return the output that can go on without a region, at best and at worst."""
    row = contents.losses.filter(pl.col("region") == region)
    if row.height == 0:
        return 1.0, 1.0
    best = float(row["none"][0])
    worst = best if row["shared"][0] is None else float(row["shared"][0])
    return max(best, 0.0), max(worst, 0.0)


def run_sentence(
    network: ProductionNetwork, runs: tuple[Simulation, ...], shared: Simulation | None
) -> str:
    """Say when deliveries are first missed in the worst run, and what is lost."""
    if not runs:
        return "No scenario was played."
    run = runs[0]
    period, sales = network.settings.period, SALES[network.settings.lens]
    survive = run.time_to_survive
    if survive is None:
        return f"{what_happens(run)}, all deliveries could still be met."
    text = (
        f"{what_happens(run)}, deliveries would {first_missed(survive, period, 'be ')} and "
        f"{periods(run.loss_in_periods, period)} of {sales} be lost"
    )
    if shared is not None and not _alike(shared.loss_in_periods, run.loss_in_periods):
        text += f" ({periods(shared.loss_in_periods, period)} {SAME_INPUTS})"
    return text + "."


def first_missed(survive: int, period: str, verb: str = "") -> str:
    """Return when deliveries are first missed, in words.

    Examples
    --------
    >>> first_missed(3, "week"), first_missed(3, "week", "be "), first_missed(0, "week")
    ('first missed after 3 weeks', 'first be missed after 3 weeks', 'missed at once')
    """
    first = "first " if survive > 0 else ""
    return f"{first}{verb}missed {after(survive, period)}"


def _alike(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-3, abs_tol=0.05)


def chokepoint_sentence(contents: Contents, points: pl.DataFrame) -> str:
    """Say how many products hang on one region, and name the first."""
    bought = contents.concentration.table.height
    hanging = points.filter(pl.col("share") >= NOTABLE)
    if hanging.height == 0:
        return f"None of the {bought:,} products bought gets {NOTABLE:.0%} or more from one region."
    if bought == 1:
        name, region, share = points.select("name", "region", "share").row(0)
        who = clean(region_name(contents.network, region))
        return f"The one product that is bought, {clean(name)}, gets {percent(share)} from {who}."
    home = " abroad" if contents.network.is_home.any() else ""
    first = hanging.sort(["share", "hangs"], descending=True).head(3)
    named = [
        f"{clean(n)} ({clean(region_name(contents.network, r))} {percent(s)})"
        for n, r, s in first.select("name", "region", "share").iter_rows()
    ]
    verb = "gets" if hanging.height == 1 else "get"
    return (
        f"{hanging.height:,} of the {bought:,} products that are bought {verb} "
        f"{NOTABLE * 100:.0f} % or more from one region{home}"
        + (f", among them {listing(named)}." if hanging.height > 3 else f": {listing(named)}.")
    )


def failure_sentence(contents: Contents) -> str:
    """Name the node whose failure takes most along, and count those out for too long."""
    found = contents.stress
    if found is None or found.worst is None:
        return ""
    network = contents.network
    who = clean(node_name(network, network.index("nodes")[found.worst_node]))
    text = f"The failure of {who} takes {percent(found.worst.loss)} of the whole along"
    if found.survival is not None:
        count = int(found.survival.is_exposed.sum())
        verb = "is" if count == 1 else "are"
        nodes = "node" if count == 1 else "nodes"
        text += f"; {count or 'no'} {nodes} {verb} out for longer than the rest can last"
    return f"{text}."


def basis_sentence(network: ProductionNetwork) -> str:
    """Say how much of it rests on assumptions."""
    counts = basis_counts(network)
    total = int(counts["numbers"].sum())
    if total == 0:
        return "The tables do not say what their numbers rest on."
    return (
        f"Of the {total:,} stated numbers behind this, {percent(_sum(counts, PUBLIC) / total)} are "
        f"public facts and {percent(_sum(counts, ASSUMED) / total)} assumptions: read the results "
        "as an order of importance, not as a forecast."
    )


def _sum(counts: pl.DataFrame, column: str) -> int:
    return sum(counts[column].to_list())


def _home_cards(network: ProductionNetwork, exposure: Exposure | None) -> list[Card]:
    if exposure is None or not network.is_home.any():
        return []
    return [
        Card(
            number=percent(exposure.tier1_home_share),
            what="of direct purchases are made at home",
            note="by value, priced goods",
        ),
        Card(
            number=percent(exposure.home_share),
            what="of the value is made at home",
            note="all tiers counted",
        ),
    ]


def _loss_card(contents: Contents) -> Card | None:
    if contents.losses.height == 0:
        return None
    best, worst = left_without(contents, contents.worst_region)
    who = clean(region_name(contents.network, contents.worst_region))
    return Card(
        number=percent_range(worst, best).replace(" to ", "–"),
        what=f"of output could go on without {who}",
        note="" if percent(best) == percent(worst) else f"the lower {SAME_INPUTS}",
    )


def _run_card(
    network: ProductionNetwork, runs: tuple[Simulation, ...], shared: Simulation | None
) -> Card | None:
    if not runs:
        return None
    run = runs[0]
    period, sales = network.settings.period, SALES[network.settings.lens]
    most = run.loss_in_periods if shared is None else shared.loss_in_periods
    survive = run.time_to_survive
    happens = what_happens(run)
    return Card(
        number=periods_range(run.loss_in_periods, most, period).replace(" to ", "–"),
        what=f"of {sales} lost {happens[0].lower()}{happens[1:]}",
        note="none missed" if survive is None else first_missed(survive, period),
    )
