"""The figures on stress: risk against size, a cascade by round, losses, brackets, times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.report.figures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    VERMILLION,
    _figure,
    _hundred,
    _percent_axis,
    _rows_axis,
)
from withstand.report.words import label, number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go
    import polars as pl

    from withstand.stress.tail_risk import TailRisk

NAMED = 10
"""Nodes that bear their rank in the scatter; the table beside says who they are."""
MOST_POINTS = 3_000
MOST_REGIONS = 12
MOST_ROUNDS = 14
MOST_ROWS = 15
LOWEST = 1e-7
"""Share of the whole below which a point is not drawn on a logarithmic axis."""


def risk_against_size(frame: pl.DataFrame) -> go.Figure:
    """Draw what a failure takes along against what the node itself is, both logarithmic.

    Expects the frame of `risk_frame`; `thinned` says which rows are drawn.
    """
    drawn = thinned(frame)
    own, lost = drawn["own"].to_numpy(), drawn["esri"].to_numpy()
    known = own > LOWEST
    low = float(min(own[known].min(initial=1.0), lost.min(initial=1.0)))
    left = low / 3.0
    x = np.where(known, own, left)
    top = drawn["rank"].to_numpy() <= NAMED
    figure = _figure(500, top=84, legend=True)
    ends = [low, 1.0]
    figure.add_scatter(
        x=_hundred(ends), y=_hundred(ends), mode="lines", name="takes nobody else along",
        line={"color": GREY, "width": 1.5, "dash": "dash"}, hoverinfo="skip",
    )  # fmt: skip
    groups = (
        ("other nodes", ~top & known, BLUE, "circle", 6, 0.45),
        ("no own part of the whole", ~top & ~known, GREY, "triangle-left", 7, 0.6),
    )
    for name, chosen, colour, symbol, size, opacity in groups:
        if not chosen.any():
            continue
        figure.add_scatter(
            x=_hundred(x[chosen].tolist()), y=_hundred(lost[chosen].tolist()), mode="markers",
            name=name, customdata=_hover(drawn, chosen), opacity=opacity,
            marker={"color": colour, "size": size, "symbol": symbol, "line": {"width": 0}},
            hovertemplate=_HOVER,
        )  # fmt: skip
    figure.add_scatter(
        x=_hundred(x[top].tolist()), y=_hundred(lost[top].tolist()), mode="markers+text",
        name="riskiest, by rank in the table", customdata=_hover(drawn, top),
        text=[str(r) for r in drawn["rank"].to_numpy()[top]], textposition="middle right",
        textfont={"size": 12, "color": INK}, cliponaxis=False, hovertemplate=_HOVER,
        marker={"color": VERMILLION, "size": 10, "symbol": "diamond", "line": {"width": 0}},
    )  # fmt: skip
    figure.update_xaxes(**_log_axis("Its own part of the whole", left, 1.3))
    figure.update_yaxes(**_log_axis("Lost of the whole when it fails", low, 1.3), showgrid=True)
    return figure


_HOVER = "%{customdata[0]}: takes %{customdata[1]} along, is itself %{customdata[2]}<extra></extra>"


def _hover(frame: pl.DataFrame, chosen: np.ndarray) -> list[list[str]]:
    columns = (frame[c].to_numpy()[chosen] for c in ("who", "esri", "own"))
    return [[label(n), percent(e, 2), percent(o, 2)] for n, e, o in zip(*columns, strict=True)]


def thinned(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows to draw: a loss above nothing; of many, the riskiest and an even sample."""
    import polars as pl

    found = frame.filter(pl.col("esri") > LOWEST)
    if found.height <= MOST_POINTS:
        return found
    first = MOST_POINTS // 3
    step = -(-(found.height - first) // (MOST_POINTS - first))
    return pl.concat([found.head(first), found.slice(first).gather_every(step)])


def _title(text: str) -> dict[str, object]:
    return {"text": text, "font": {"size": 12}, "standoff": 10}


def _log_axis(title: str, low: float, high: float) -> dict[str, object]:
    """Return a logarithmic axis in percent with a tick at every power of ten."""
    ends = [np.log10(100.0 * low) - 0.08, np.log10(100.0 * high)]
    powers = [p for p in range(-8, 3) if ends[0] <= p <= ends[1]]
    powers = powers[:: 2 if len(powers) > 6 else 1] or [2]
    return {
        "type": "log", "range": ends, "title": _title(title),
        "tickvals": [10.0**p for p in powers],
        "ticktext": [f"{10.0**p:.{max(-p, 0)}f} %" for p in powers],
    }  # fmt: skip


def rounds_by_region(counts: Mapping[str, Sequence[int]], rounds: Sequence[int]) -> go.Figure:
    """Draw how many nodes of each region each round hits first: one row a region, one cell a round.

    The colour shows the share of the region's hit nodes, the number in the cell says how many.
    """
    names = list(counts)
    table = np.array([list(counts[n]) for n in names], dtype=float)
    total = np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    share = np.where(table > 0, table / total, np.nan)
    figure = _figure(96 + 28 * len(names), top=8)
    figure.add_heatmap(
        z=[[None if np.isnan(v) else round(float(100 * v), 2) for v in row] for row in share],
        x=[str(r) for r in rounds], y=list(range(len(names))), zmin=0, zmax=100,
        colorscale=[[0.0, PALE], [1.0, SKY]], showscale=False, xgap=2, ygap=2,
        text=[[f"{int(v):,}" if v else "" for v in row] for row in table],
        texttemplate="%{text}", textfont={"size": 12}, hoverongaps=False,
        customdata=[[label(n)] * len(rounds) for n in names],
        hovertemplate="%{customdata}, round %{x}: %{text} nodes hit first, %{z:.0f} % of those"
        " it hits there<extra></extra>",
    )  # fmt: skip
    title = {"text": "Round in which a node is first hit", "font": {"size": 12}}
    figure.update_xaxes(type="category", title=title, showgrid=False)
    figure.update_yaxes(_rows_axis(names, 24))
    return figure


def loss_by_round(frame: pl.DataFrame) -> go.Figure:
    """Draw what is lost of the whole after each round."""
    figure = _figure(230)
    shares = frame["loss"].to_list()
    figure.add_scatter(
        x=frame["round"].to_list(), y=_hundred(shares), mode="lines+markers",
        line={"color": BLUE, "width": 2.5, "shape": "hv"}, marker={"size": 7, "color": BLUE},
        hovertemplate="after round %{x}: %{y:.1f} % of the whole lost<extra></extra>",
    )  # fmt: skip
    top = 100.0 * max(max(shares, default=0.0), 0.01) * 1.1
    figure.update_xaxes(title={"text": "Round", "font": {"size": 12}}, dtick=_step(frame.height))
    figure.update_yaxes(title=_title("Lost of the whole"), range=[0, top], ticksuffix=" %")
    return figure


def _step(count: int) -> int:
    return max(1, -(-count // 12))


def exceedance(curve: pl.DataFrame, risk: TailRisk, axis: str, unit: str) -> go.Figure:
    """Draw the weight of losses that are reached or exceeded, with mean, VaR and CVaR marked.

    Losses of the unit % are shares between 0 and 1.
    """
    points = curve.sort("loss")
    scale = 100.0 if unit == "%" else 1.0
    losses = [scale * x for x in points["loss"].to_list()]
    figure = _figure(380, top=84, legend=True)
    figure.add_scatter(
        x=[0.0, *losses], y=_hundred([1.0, *points["probability"].to_list()]),
        mode="lines+markers", line={"color": BLUE, "width": 2.5, "shape": "vh"},
        marker={"size": 6, "color": BLUE}, name="scenarios that lose so much or more",
        hovertemplate="%{y:.1f} % of the weight loses %{x:.2f} " + label(unit)
        + " or more<extra></extra>",
    )  # fmt: skip
    worst = percent(1.0 - risk.alpha, 0)
    marks = (
        ("mean", risk.mean, GREY, "dot"),
        (f"start of the worst {worst} (VaR)", risk.var, ORANGE, "dash"),
        (f"mean of the worst {worst} (CVaR)", risk.cvar, VERMILLION, "solid"),
    )
    for name, value, colour, dash in marks:
        said = f"{name}: {number(scale * value)} {label(unit)}"
        figure.add_scatter(
            x=[scale * value, scale * value], y=[0, 100], mode="lines", name=said,
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=f"{said}<extra></extra>",
        )  # fmt: skip
    most = max([scale * risk.cvar, *losses]) * 1.06 or 1.0
    figure.update_xaxes(title={"text": axis, "font": {"size": 12}}, range=[0, most])
    axis_y = _percent_axis("Weight of the scenarios")
    figure.update_yaxes(axis_y | {"range": [0, 104], "title": _title("Weight of the scenarios")})
    return figure


def dumbbells(
    names: Sequence[str],
    first: tuple[str, Sequence[float | None]],
    second: tuple[str, Sequence[float | None]],
    axis: str,
    unit: str,
) -> go.Figure:
    """Draw two values a row, joined by a line; a row may lack one of them."""
    rows = list(range(len(names)))
    figure = _figure(100 + 27 * len(names), top=44, legend=True)
    x: list[float | None] = []
    y: list[float | None] = []
    for row, (a, b) in enumerate(zip(first[1], second[1], strict=True)):
        x += [a, b, None]
        y += [row, row, None]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": GREY, "width": 2}, hoverinfo="skip",
                       showlegend=False)  # fmt: skip
    said = [label(n) for n in names]
    for (name, values), colour, symbol in (
        (first, BLUE, "circle"),
        (second, VERMILLION, "diamond-open"),
    ):
        figure.add_scatter(
            x=list(values), y=rows, mode="markers", name=name, hovertext=said, cliponaxis=False,
            marker={"color": colour, "size": 11, "symbol": symbol, "line": {"width": 2}},
            hovertemplate="%{hovertext}: %{x:.1f} " + unit + "<extra>" + name + "</extra>",
        )  # fmt: skip
    known = [v for v in [*first[1], *second[1]] if v is not None]
    ends = [-0.02 * max(known, default=1.0), max([*known, 1.0]) * 1.06]
    figure.update_xaxes(title={"text": axis, "font": {"size": 12}}, range=ends)
    figure.update_yaxes(_rows_axis(names, 34) | {"showgrid": True})
    return figure
