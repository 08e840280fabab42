"""The sections on stress: who takes the rest along, how, what it can cost, how long there is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.report import stress_figures as figures
from withstand.report.markup import (
    Section,
    details,
    figure,
    paragraphs,
    prose,
    rounds,
    table,
)
from withstand.report.runs import who_is_hit
from withstand.report.stress_tables import (
    MOST_IN_ROUND,
    WHOLE,
    bracket_table,
    losses_table,
    node_name,
    replay_frame,
    replay_table,
    rho,
    risk_frame,
    risk_table,
    rounds_table,
    shown_as,
    survival_frame,
    survival_table,
    unit_of,
    why_not,
)
from withstand.report.words import capital, clean, percent, periods, plural

if TYPE_CHECKING:
    from withstand.report.contents import Contents, StressContents

NUMBERS = "Numbers behind the chart"
SHOWN = 10
COMPARED = 20
"""Riskiest nodes that are looked for among as many of the largest."""
TAIL, SHORT_TAIL, MANY = 0.95, 0.9, 100
"""Level of the tail, and the one for fewer scenarios than many."""
SMALL = 0.0005
"""Share of the whole that is not worth a word."""
STRONG, MOST_OF_THEM = 0.9, 0.8
"""Rank correlation and common part of both lists from which size is said to tell."""


def stress_sections(contents: Contents) -> list[Section]:
    """Return the sections on stress; none where nothing was computed."""
    found = contents.stress
    if found is None:
        return []
    return [
        risk_section(contents, found),
        replay_section(contents, found),
        range_section(contents, found),
        survival_section(contents, found),
    ]


def risk_section(contents: Contents, found: StressContents) -> Section:
    """Rank the nodes by what their failure takes along, and set that against their size."""
    name, anchor = "Systemic risk", "risk"
    made = risk_table(contents)
    if made is None or found.risk is None or made.frame.height == 0:
        body = paragraphs(["Systemic risk was not computed.", *found.left_out], "empty")
        return Section(anchor=anchor, name=name, title="Who takes the rest along", body=body)
    network = contents.network
    frame = risk_frame(found, network)
    first = frame.filter(pl.col("node") == found.worst_node).row(0, named=True)
    title = (
        f"The failure of {clean(first['who'])} takes {percent(first['esri'])} of the whole along"
    )
    about = (
        f"The whole is all {WHOLE[network.settings.lens]}. A node that fails loses all of its"
        " output; buyers lose what its missing goods make impossible, suppliers what it no longer"
        " buys, and so on until a round changes next to nothing. There is no time in it: no stock"
        " helps and nobody comes back. It ranks nodes; it does not forecast a loss."
    )
    drawn = figures.risk_against_size(frame)
    caption = (
        "What is lost of the whole when a node fails, against what the node itself is of it,"
        " logarithmic scales"
    )
    short = replace(made, title="The nodes whose failure takes most along.").only(
        "rank", shown_as(contents), "region", "esri", "own"
    )
    body = paragraphs([about], "about")
    body += f"<h3>{prose(size_sentence(frame))}</h3>"
    body += '<div class="beside">' + figure("risk-size", drawn, caption)
    body += f"<div>{table(short, most=SHOWN)}</div></div>"
    body += paragraphs([_not_drawn(frame), _not_settled(found)], "about")
    body += details("All columns, with bounds", table(made, most=25))
    return Section(anchor=anchor, name=name, title=title, body=body)


def size_sentence(frame: pl.DataFrame) -> str:
    """Say whether size tells who is risky: rank correlation, and who is on both lists.

    Parameters
    ----------
    frame : polars.DataFrame
        As `risk_frame` returns it.

    Examples
    --------
    >>> import polars as pl
    >>> n = 40
    >>> frame = pl.DataFrame({"rank": range(1, n + 1), "esri": [1 - i / n for i in range(n)],
    ...                       "own": [(i + 1) / n for i in range(n)],
    ...                       "rank_by_size": range(n, 0, -1)})
    >>> size_sentence(frame)
    'Size does not tell who is risky: 0 of the 20 riskiest are among the 20 largest (rank \
correlation -1.00)'
    """
    known = frame.filter(pl.col("esri").is_not_null())
    most = min(COMPARED, known.height // 2)
    correlation = rho(known["esri"].to_numpy(), known["own"].to_numpy())
    if most < 1 or not math.isfinite(correlation):
        return "All nodes are of one size or take the same along"
    both = known.filter((pl.col("rank") <= most) & (pl.col("rank_by_size") <= most)).height
    tells = correlation >= STRONG and both >= MOST_OF_THEM * most
    partly = correlation >= STRONG or both >= MOST_OF_THEM * most
    said = (
        "Size tells who is risky" if tells
        else "Size tells only in part who is risky" if partly
        else "Size does not tell who is risky"
    )  # fmt: skip
    of = (
        f"{both} of the {most} riskiest are among the {most} largest" if most > 1
        else f"the riskiest is {'' if both else 'not '}the largest"
    )  # fmt: skip
    return f"{said}: {of} (rank correlation {correlation:.2f})"


def _not_drawn(frame: pl.DataFrame) -> str:
    drawn = figures.thinned(frame).height
    nothing = frame.filter(pl.col("esri").is_null() | (pl.col("esri") <= figures.LOWEST)).height
    said = []
    if nothing:
        said.append(
            f"{plural(nothing, 'node takes', 'nodes take')} nothing along and cannot stand on a"
            " logarithmic scale."
        )
    if drawn + nothing < frame.height:
        said.append(f"Of the other {frame.height - nothing:,}, {drawn:,} are drawn.")
    return " ".join(said)


def _not_settled(found: StressContents) -> str:
    enclosed = found.enclosed
    if enclosed is None or enclosed.high is None:
        return " ".join(found.left_out[:1]) if found.left_out else ""
    count = int(np.isfinite(enclosed.high).sum())
    gain = float(np.nanmax(enclosed.low - enclosed.esri)) if len(enclosed.esri) else 0.0
    text = (
        "The published stop rule ends when a round changes no node by more than 1 %, which can be"
        " well before all is settled. "
    )
    if gain < SMALL:
        text += f"For the {len(enclosed.esri)} riskiest nodes that makes no difference."
    else:
        text += (
            f"For the {len(enclosed.esri)} riskiest nodes up to {percent(gain)} of the whole are"
            " lost beyond what is shown."
        )
    if count < len(enclosed.esri):
        text += (
            f" For {len(enclosed.esri) - count} of them no upper bound was found: the loss is at"
            " least the one given, and may be more."
        )
    return text


def replay_section(contents: Contents, found: StressContents) -> Section:
    """Show who is hit in which round when the riskiest node fails."""
    anchor, name = "replay", "Cascade"
    made, by_round = replay_table(contents), rounds_table(contents)
    if made is None or by_round is None or found.worst is None:
        body = paragraphs(["No cascade was played."], "empty")
        return Section(anchor=anchor, name=name, title="How a failure spreads", body=body)
    network = contents.network
    at = network.index("nodes")[found.worst_node]
    who = clean(node_name(network, at))
    frame = replay_frame(found, network)
    others = frame.filter(pl.col("round") > 0)
    last = int(others["round"].max() or 0)  # type: ignore[arg-type]
    if others.height == 0:
        title = f"The failure of {who} hits nobody else"
    else:
        title = (
            f"The failure of {who} reaches {plural(others.height, 'other node')} in "
            f"{plural(last, 'round')}"
        )
    about = (
        "A round passes losses on by one step: to the buyers of what is missing, and to the"
        " suppliers of who buys less. Rounds are steps, not weeks."
    )
    if network.settings.lens == "plant":
        about += " The failure of the final product itself is left out: then all stops."
    names, counts = _by_region(frame)
    shown = list(range(min(last, figures.MOST_ROUNDS) + 1))
    cells = {n: counts[n][: len(shown)] for n in names}
    caption = (
        f"Nodes first hit in each round when {who} fails, by region (stronger colour: a larger part"
        " of the region's)"
    )
    body = paragraphs([about], "about") + '<div class="beside">'
    body += figure("replay-regions", figures.rounds_by_region(cells, shown), caption)
    body += figure("replay-loss", figures.loss_by_round(by_round.frame),
                   "Lost of the whole after each round, share")  # fmt: skip
    body += "</div><h3>Round by round</h3>" + rounds(_round_items(frame), who)
    body += details("Every round in numbers", table(by_round, most=60))
    body += details("Every node that is hit", table(made, most=40))
    return Section(anchor=anchor, name=name, title=title, body=body)


def _by_region(frame: pl.DataFrame) -> tuple[list[str], dict[str, list[int]]]:
    """Return regions in order of nodes hit, and how many each round hits first."""
    last = int(frame["round"].max() or 0)  # type: ignore[arg-type]
    order = (
        frame["region"].value_counts(sort=True).sort(["count", "region"], descending=[True, False])
    )
    regions = order["region"].to_list()
    kept = regions[: figures.MOST_REGIONS - (len(regions) > figures.MOST_REGIONS)]
    rest = "Other regions"
    counts: dict[str, list[int]] = {r: [0] * (last + 1) for r in kept}
    for region, at in frame.select("region", "round").iter_rows():
        counts.setdefault(region if region in kept else rest, [0] * (last + 1))[at] += 1
    return list(counts), counts


def _round_items(frame: pl.DataFrame) -> list[tuple[int, int, list[tuple[str, str, str]]]]:
    """Return per round: its number, how many it hits, and the ones that weigh most."""
    items = []
    for (at,), part in frame.group_by(["round"], maintain_order=True):
        shown = [
            (
                str(row["who"]),
                "the failure itself" if row["round"] == 0 else _why_hit(row),
                percent(row["loss"]),
            )
            for row in part.head(MOST_IN_ROUND).iter_rows(named=True)
        ]
        items.append((int(at), part.height, shown))  # type: ignore[call-overload]
    return items


def _why_hit(row: dict[str, object]) -> str:
    lacks = row["because"]
    if row["channel"] == "buyers" or lacks is None:
        return "sells less"
    return f"lacks {lacks}" + (", sells less" if row["channel"] == "both" else "")


def range_section(contents: Contents, found: StressContents) -> Section:
    """Show how large losses get over a set of scenarios, and what the best answer would save."""
    anchor, name = "losses-range", "Range of losses"
    network = contents.network
    period = network.settings.period
    made, brackets = losses_table(contents), bracket_table(contents)
    body, title = "", ""
    if found.losses is not None and made is not None:
        count = found.losses.outcomes.height
        risk = found.losses.risk(TAIL if count >= MANY else SHORT_TAIL)
        axis, unit = unit_of(found.losses, period)
        mean, worst = (
            f"{percent(x)} of the whole" if unit == "%" else f"{periods(x, period)} of final demand"
            for x in (risk.mean, risk.cvar)
        )
        title = (
            f"{capital(plural(count, 'scenario'))}: {mean} lost on average, {worst} in the worst"
            f" {percent(1 - risk.alpha, 0)}"
        )
        body += paragraphs([found.losses_are], "about") + '<div class="beside">'
        drawn = figures.exceedance(found.losses.exceedance(), risk, axis, unit)
        body += figure("exceedance", drawn, "Weight of the scenarios that lose so much or more")
        wanted = ("hit", found.losses.loss_column, "time_to_survive", "probability")
        short = replace(made, title="The scenarios that cost most.").only(
            *(c for c in wanted if c in made.frame.columns)
        )
        body += f"<div>{table(short, most=SHOWN)}</div></div>"
        body += details("Every scenario", table(made, most=60))
    said = _bracket_said(found, period)
    if brackets is None:
        nothing = "No scenario of this report loses final demand: no answer could save any."
        body += paragraphs([nothing], "about")
    else:
        body += f"<h3>{prose(said)}</h3>" if title else ""
        body += _bracket_body(found, period) + details(NUMBERS, table(brackets), is_open=True)
    return Section(anchor=anchor, name=name, title=title or said, body=body)


def _bracket_said(found: StressContents, period: str) -> str:
    """Say what the best answer would save in the first scenario that can be compared."""
    for item in found.brackets:
        if item.bracket is not None and item.bracket.is_comparable:
            saved = periods(max(item.bracket.value_of_coordination, 0.0), period)
            lost = periods(item.run.loss_in_periods, period)
            return f"Without {who_is_hit(item.run)}, the best answer would save {saved} of {lost}"
    return "What the best answer would save was not computed"


def _bracket_body(found: StressContents, period: str) -> str:
    about = (
        "The simulation orders and delivers by habit: what is short is shared out in proportion."
        " The best answer knows how long the loss lasts and splits goods, stocks and capacity"
        " among the same links so that least is lost. What really happens lies between, and the"
        " distance is what coordination is worth."
    )
    usable = [b for b in found.brackets if b.bracket is not None and b.bracket.is_comparable]
    body = paragraphs([about], "about")
    if usable:
        drawn = figures.dumbbells(
            [who_is_hit(b.run) for b in usable],
            ("best answer", [b.bracket.best for b in usable if b.bracket]),
            ("simulation", [b.bracket.simulated for b in usable if b.bracket]),
            f"{period.capitalize()}s of final demand lost", f"{period}s",
        )  # fmt: skip
        body += figure("bracket", drawn, f"What is lost between best answer and habit, {period}s of"
                       " final demand")  # fmt: skip
    notes = [
        f"{who_is_hit(b.run)}: {why_not(b)}, because {clean(b.reason)}."
        for b in found.brackets
        if b.bracket is None or not b.bracket.is_comparable
    ]
    return body + paragraphs(notes, "about")


def survival_section(contents: Contents, found: StressContents) -> Section:
    """Set the time to survive of nodes against their time to recover, flagged ones first."""
    anchor, name = "survival", "Time to survive"
    made = survival_table(contents)
    if made is None or found.survival is None:
        body = paragraphs(found.left_out[-1:] or ["Times to survive were not computed."], "empty")
        title = "How long final demand lasts without each node was not computed"
        return Section(anchor=anchor, name=name, title=title, body=body)
    network = contents.network
    period = network.settings.period
    frame = survival_frame(found, network)
    flagged = frame.filter("exposed")
    count, all_ = flagged.height, frame.height
    if count == 0:
        title = f"None of {all_:,} nodes is out for longer than the rest can last"
    else:
        inner = flagged.filter(~pl.col("at").is_in(np.flatnonzero(network.final_demand > 0)))
        worst = (inner if inner.height else flagged).row(0, named=True)
        verb = "node is" if count == 1 else "nodes are"
        title = (
            f"{count:,} of {all_:,} {verb} out for longer than the rest can last; without"
            f" {clean(worst['who'])} it lasts {periods(worst['tts'] or 0.0, period)}"
        )
    stated = int(np.isfinite(network.recovery).sum())
    assumed = (
        f"The tables state how long {plural(stated, 'node takes', 'nodes take')} to recover; the"
        f" others are taken to be out for {found.recovery}, as in the runs."
        if stated else
        f"The tables do not state how long nodes take to recover: all are taken to be out for"
        f" {found.recovery}, as in the runs."
    )  # fmt: skip
    about = (
        "Time to survive is how long final demand can be met in full without a node, whatever is"
        " done with stocks, goods under way and the capacity of its other suppliers. Where it is"
        " shorter than the time to recover and the way to final demand, the node is flagged. "
        + assumed
    )
    body = paragraphs([about], "about")
    rows = (flagged if count else frame.filter(pl.col("tts").is_not_null())).head(figures.MOST_ROWS)
    if rows.height:
        drawn = figures.dumbbells(
            [str(n) for n in rows["who"]],
            ("time to survive", rows["tts"].to_list()),
            ("time to recover, and on the way", (rows["ttr"] + rows["lag"]).to_list()),
            f"{period.capitalize()}s since the failure", f"{period}s",
        )  # fmt: skip
        kept = f"the {rows.height} that cost most" if rows.height < count else "all of them"
        which = f"Flagged nodes ({kept})" if count else "The shortest times to survive"
        body += '<div class="beside">'
        body += figure("survival-times", drawn, f"{which}: time to survive against time to recover,"
                       f" {period}s")  # fmt: skip
        short = replace(made, title="Flagged nodes first.").only(
            shown_as(contents), "region", "tts", "ttr", "gap"
        )
        body += f"<div>{table(short, most=SHOWN)}</div></div>"
    lasting = frame.filter(pl.col("tts").is_null()).height
    body += paragraphs([_lasting(lasting)], "about")
    body += details("All columns", table(made, most=60))
    return Section(anchor=anchor, name=name, title=title, body=body)


def _lasting(count: int) -> str:
    if not count:
        return ""
    return (
        f"{plural(count, 'node', 'nodes')} can fail for ever without a loss of final demand: others"
        " make good for them, or final demand does not need them."
    )


def left_out_note(contents: Contents) -> str:
    """Say what was left out because of the network's size; nothing where all was computed."""
    said = [*contents.left_out, *(contents.stress.left_out if contents.stress else ())]
    return paragraphs([" ".join(said)], "about")
