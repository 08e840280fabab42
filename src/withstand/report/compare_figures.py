"""The figures of a comparison: every network on the same axes, in the same order and colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report.figures import (
    BLUE,
    GREY,
    INK,
    OTHERS,
    SKY,
    VERMILLION,
    _figure,
    _hundred,
    _percent_axis,
    _rows_axis,
)
from withstand.report.words import label, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from withstand.report.comparisons import Compared
    from withstand.report.tracking import Judgement

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")
COLOURS = (BLUE, *OTHERS)
MOST_REGIONS = 8
LONGEST = 64
STATUS_COLOURS = {"met": BLUE, "on course": SKY, "open": GREY, "late": VERMILLION,
                  "missed": VERMILLION, "not known": GREY}  # fmt: skip


def share_dots(found: Compared) -> go.Figure:
    """Draw the indicators that are shares, one row each, a mark for each network."""
    shares = found.rows.filter((pl.col("unit") == "share") & pl.col("value").is_not_null())
    names = shares["says"].unique(maintain_order=True).to_list()
    figure = _figure(110 + 40 * len(names), top=50, legend=True)
    rows = {name: at for at, name in enumerate(names)}
    for at, case in enumerate(found.cases):
        own = shares.filter(pl.col("case") == case.name)
        figure.add_scatter(
            x=_hundred(own["value"].to_list()),
            y=[rows[n] for n in own["says"]],
            mode="markers", name=label(case.name, 24),
            marker={"symbol": SYMBOLS[at], "size": 13 - at, "color": COLOURS[at],
                    "line": {"width": 1, "color": INK}},
            hovertemplate="%{x:.1f} %<extra>" + label(case.name, 24) + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(**_percent_axis("share"), automargin=True)
    figure.update_yaxes(**_rows_axis(names, LONGEST))
    figure.update_yaxes(showgrid=True)
    return figure


def regions_beside(
    frame: pl.DataFrame, cases: Sequence[str], column: str, title: str, *, worst: bool
) -> go.Figure:
    """Draw a share by region, a bar for each network; the regions that matter most in any.

    Parameters
    ----------
    frame : polars.DataFrame
        case, name (of the region) and the column (0 to 1).
    cases : sequence of str
    column, title : str
    worst : bool
        Whether small shares matter rather than large ones.
    """
    least = pl.col(column).min() if worst else -pl.col(column).max()
    order = frame.group_by("name").agg(least.alias("by")).sort(["by", "name"])
    names = order["name"].head(MOST_REGIONS).to_list()
    figure = _figure(120 + (16 * len(cases) + 18) * len(names), top=50, legend=True)
    rows = {name: at for at, name in enumerate(names)}
    for at, case in enumerate(cases):
        own = frame.filter((pl.col("case") == case) & pl.col("name").is_in(names))
        figure.add_bar(
            x=_hundred(own[column].to_list()),
            y=[rows[n] for n in own["name"]],
            orientation="h", name=label(case, 24),
            marker={"color": COLOURS[at], "pattern": {"shape": ("", "/", ".", "x", "-", "|")[at],
                                                      "solidity": 0.25}},
            text=[percent(v) for v in own[column]], textposition="outside", cliponaxis=False,
            textfont={"size": 11, "color": INK},
            hovertemplate="%{text}<extra>" + label(case, 24) + "</extra>",
        )  # fmt: skip
    figure.update_layout(barmode="group", margin={"r": 56})
    figure.update_xaxes(**_percent_axis(title))
    figure.update_yaxes(**_rows_axis(names, 24))
    return figure


def target_path(found: Judgement) -> go.Figure:
    """Draw what was measured, the straight path to a target, and the target."""
    goal = found.goal
    unit = goal.asked.indicator.unit if goal.asked else "count"
    scale = 100.0 if unit == "share" else 1.0
    known = [p for p in found.points if p.value is not None and p.value != float("inf")]
    figure = _figure(300, top=50, legend=True)
    end = f"{goal.target.year}-12-31"
    value = goal.target.value * scale
    if known:
        first = known[0]
        assert first.value is not None
        start = goal.target.value if goal.target.is_met(first.value) else first.value
        figure.add_scatter(
            x=[first.when.isoformat(), end], y=[start * scale, value], mode="lines",
            name="straight path", line={"color": GREY, "width": 2, "dash": "dash"},
            hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=[p.when.isoformat() for p in known], y=[(p.value or 0.0) * scale for p in known],
            mode="lines+markers", name="measured",
            line={"color": STATUS_COLOURS[found.status], "width": 2},
            marker={"size": 9, "color": STATUS_COLOURS[found.status]},
            text=[label(p.name, 24) for p in known],
            hovertemplate="%{y:,.4~g}<extra>%{text}</extra>",
        )  # fmt: skip
    if found.expected is not None:
        figure.add_scatter(
            x=[end], y=[found.expected * scale], mode="markers", name="expected",
            marker={"symbol": "circle-open", "size": 11, "color": BLUE, "line": {"width": 2}},
            hovertemplate="%{y:,.4~g}<extra>expected</extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[end], y=[value], mode="markers", name="target",
        marker={"symbol": "diamond", "size": 12, "color": VERMILLION},
        hovertemplate="%{y:,.4~g}<extra>target</extra>",
    )  # fmt: skip
    figure.update_yaxes(rangemode="tozero", ticksuffix=" %" if unit == "share" else "")
    years = {goal.target.year, *(p.when.year for p in known)}
    shown = list(range(min(years), max(years) + 1))
    step = max(1, len(shown) // 8)
    shown = [y for y in shown if (goal.target.year - y) % step == 0]
    figure.update_xaxes(
        type="date", tickvals=[f"{y}-12-31" for y in shown], ticktext=[f"end {y}" for y in shown],
        showgrid=False,
    )  # fmt: skip
    return figure
