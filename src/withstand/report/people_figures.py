"""The figures of people: flows by year, stock against need, coverage by region, targets.

Every function takes a plain frame, so that it draws a projection, a microsimulation and a table of
one's own alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from withstand.report.figures import (
    BAND,
    BLUE,
    CLEAR,
    FONT,
    GREEN,
    GREY,
    GRID,
    INK,
    ORANGE,
    OTHERS,
    PALE,
    SKY,
    STRONG,
    VERMILLION,
    _faded,
    _figure,
    _rows_axis,
)
from withstand.report.words import label, number, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PANELS = 12
"""Occupations drawn on their own, the worst gaps first; the rest are added together."""
COLUMNS = 3
MOST_ROWS = 30
MOST_WRITTEN = 16
"""Regions up to which the shares are written into the map."""
FULL = 1.5
"""Coverage from which the map gets no darker."""
_WORDS = {
    "entrants": SKY,
    "training": ORANGE,
    "graduates": GREEN,
    "dropouts": VERMILLION,
    "employed": BLUE,
    "elsewhere": GREY,
    "exits": GREY,
}
"""Colours of the usual stages, by a word in their name."""


# --- flows ---------------------------------------------------------------------------------------


def flow_sankey(flow_rows: pl.DataFrame, year: int | None = None) -> go.Figure:
    """Draw how people move between stages, one year at a time, with a slider where there are more.

    Parameters
    ----------
    flow_rows : polars.DataFrame
        year, from, to (stages, for instance entrants, in training, graduates, dropouts, employed,
        elsewhere, exits), people (persons in that year); equal rows are added together.
    year : int, optional
        Draw this one only.
    """
    frame = flow_rows if year is None else flow_rows.filter(pl.col("year") == year)
    frame = (
        frame.group_by("year", "from", "to", maintain_order=True)
        .agg(pl.col("people").sum())
        .filter(pl.col("people") > 0)
    )
    years = sorted(frame["year"].unique().to_list())
    figure = _figure(440 if len(years) < 2 else 500, top=16)
    if not years:
        return _empty(figure, "Nobody moves.")
    stages = list(dict.fromkeys(frame.select("from", "to").to_numpy().ravel().tolist()))
    colours = _stage_colours(stages)
    for at, shown in enumerate(years):
        own = frame.filter(pl.col("year") == shown)
        figure.add_trace(_sankey(own, stages, colours, is_visible=at == 0))
    if len(years) > 1:
        figure.update_layout(margin={"b": 90}, sliders=[_slider(years)])
    return figure


def _sankey(
    flows: pl.DataFrame, stages: list[str], colours: dict[str, str], *, is_visible: bool
) -> go.Sankey:
    """Return the flows of one year; stages that nobody passes are left out."""
    used = set(flows["from"]) | set(flows["to"])
    names = [s for s in stages if s in used]
    place = {s: i for i, s in enumerate(names)}
    through = dict.fromkeys(names, (0.0, 0.0))
    for source, target, people in flows.select("from", "to", "people").iter_rows():
        out, into = through[source]
        through[source] = (out + people, into)
        out, into = through[target]
        through[target] = (out, into + people)
    return go.Sankey(
        visible=is_visible,
        arrangement="snap",
        textfont={"size": 13, "color": INK},
        node={
            "label": [f"{label(s, 26)} {number(max(through[s]), 0)}" for s in names],
            "color": [colours[s] for s in names],
            "customdata": [f"{label(s)}: {number(max(through[s]), 0)} people" for s in names],
            "hovertemplate": "%{customdata}<extra></extra>",
            "thickness": 16, "pad": 26, "line": {"width": 0},
        },
        link={
            "source": [place[s] for s in flows["from"]],
            "target": [place[s] for s in flows["to"]],
            "value": flows["people"].to_list(),
            "color": [_faded(colours[s], STRONG) for s in flows["to"]],
            "customdata": [
                f"{label(a)} to {label(b)}: {number(n, 0)} people"
                for a, b, n in flows.select("from", "to", "people").iter_rows()
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    )  # fmt: skip


def _stage_colours(stages: Sequence[str]) -> dict[str, str]:
    """Return a colour for each stage, the same in all years."""
    colours = {}
    for at, stage in enumerate(stages):
        known = [c for word, c in _WORDS.items() if word in stage.casefold()]
        colours[stage] = known[0] if known else OTHERS[at % len(OTHERS)]
    return colours


def _slider(years: Sequence[int]) -> dict[str, Any]:
    steps = [
        {
            "label": str(y), "method": "restyle",
            "args": [{"visible": [i == at for i in range(len(years))]}],
        }
        for at, y in enumerate(years)
    ]  # fmt: skip
    return {
        "active": 0, "steps": steps, "x": 0.02, "len": 0.96, "y": 0, "yanchor": "top",
        "pad": {"t": 34, "b": 4}, "bgcolor": PALE, "activebgcolor": SKY, "bordercolor": GREY,
        "borderwidth": 1, "tickcolor": GREY, "font": {"family": FONT, "size": 12, "color": INK},
        "currentvalue": {"prefix": "Year ", "font": {"size": 14, "color": INK}},
    }  # fmt: skip


# --- stock against need --------------------------------------------------------------------------


def stock_against_need(frame: pl.DataFrame, most: int = MOST_PANELS) -> go.Figure:
    """Draw people against need by occupation, the missing ones shaded, the largest gap first.

    Parameters
    ----------
    frame : polars.DataFrame
        occupation, year, people, needed (persons), and low, high (persons: the range of people)
        where they are known.
    most : int
        Panels; occupations beyond are added together in the last one.
    """
    frame = _with_range(frame)
    panels = _panels(frame, most)
    columns = min(COLUMNS, max(len(panels), 1))
    rows = -(-len(panels) // columns)
    height = (150 if rows > 1 else 190) + 200 * rows
    figure = _figure(height, left=64, top=96, legend=True)
    if not panels:
        return _empty(figure, "There is no occupation to draw.")
    has_range = bool(frame["high"].is_not_null().any())
    years = sorted(frame["year"].unique().to_list())
    for at, (name, own) in enumerate(panels):
        row, column = divmod(at, columns)
        axis = "" if at == 0 else str(at + 1)
        _panel(figure, own, axis, is_first=at == 0, has_range=has_range)
        gap_x, gap_y = 0.075, 72 / (height - 126)
        width, tall = (1 - gap_x * (columns - 1)) / columns, (1 - gap_y * (rows - 1)) / rows
        left, top = column * (width + gap_x), 1 - row * (tall + gap_y)
        style = {"fixedrange": True, "zeroline": False, "gridcolor": GRID, "linecolor": GRID,
                 "ticks": "", "tickfont": {"size": 11}, "automargin": False,
                 "showline": False}  # fmt: skip
        ends = [years[0] - 0.5, years[-1] + 0.5] if len(years) == 1 else [years[0], years[-1]]
        figure.update_layout({
            f"xaxis{axis}": style | {"domain": [left, left + width], "anchor": f"y{axis}",
                                     "range": ends, "tickvals": _ticks(years), "showgrid": False,
                                     "tickformat": "d"},
            f"yaxis{axis}": style | {"domain": [max(top - tall, 0.0), top],
                                     "title": {"text": "people" if column == 0 else "",
                                               "font": {"size": 11}},
                                     "anchor": f"x{axis}", "rangemode": "tozero", "nticks": 5,
                                     "tickformat": "~s" if _is_large(own) else ",~r"},
        })  # fmt: skip
        figure.add_annotation(
            text=f"<b>{label(name, 36 if columns > 1 else 80)}</b><br>{_worst_said(own)}", x=left,
            xanchor="left", y=top, yanchor="bottom", xref="paper", yref="paper", align="left",
            showarrow=False, font={"size": 12, "color": INK},
        )  # fmt: skip
    legend = {"y": 1 + 46 / (height - 126), "yanchor": "bottom", "x": 0}
    figure.update_layout(legend=legend, margin={"b": 30}, hovermode="x unified")
    return figure


def _ticks(years: Sequence[int]) -> list[int]:
    step = max(1, -(-(len(years) - 1) // 4))
    return list(years[::step])


def _is_large(own: pl.DataFrame) -> bool:
    return float(own.select(pl.max_horizontal("people", "needed").max()).item() or 0.0) >= 10_000


def _with_range(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [c for c in ("low", "high") if c not in frame.columns]
    whole = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias(c) for c in missing)
    return whole.select(
        "occupation", "year", pl.col("people", "needed", "low", "high").cast(pl.Float64)
    )


def _panels(frame: pl.DataFrame, most: int) -> list[tuple[str, pl.DataFrame]]:
    """Return the frames to draw by name: the largest gap first, the rest added together."""
    gaps = (
        frame.group_by("occupation", maintain_order=True)
        .agg((pl.col("needed") - pl.col("people")).max().alias("gap"))
        .sort(["gap", "occupation"], descending=[True, False])
    )
    names = gaps["occupation"].to_list()
    shown = names if len(names) <= most else names[: most - 1]
    found = [(n, frame.filter(pl.col("occupation") == n).sort("year")) for n in shown]
    rest = frame.filter(~pl.col("occupation").is_in(shown))
    if rest.height:
        added = rest.group_by("year").agg(pl.col("people", "needed").sum()).sort("year")
        nothing = pl.lit(None, dtype=pl.Float64)
        added = added.with_columns(low=nothing, high=nothing)  # ranges do not add up
        found.append((plural(len(names) - len(shown), "other occupation"), added))
    return found


def _worst_said(own: pl.DataFrame) -> str:
    gap = own.with_columns((pl.col("needed") - pl.col("people")).alias("gap")).sort(
        ["gap", "year"], descending=[True, False]
    )
    first = gap.row(0, named=True)
    if first["gap"] <= 0.5:
        return "none missing"
    return f"{number(first['gap'], 0)} missing in {first['year']}"


def _panel(
    figure: go.Figure, own: pl.DataFrame, axis: str, *, is_first: bool, has_range: bool
) -> None:
    years, people, needed = (own[c].to_list() for c in ("year", "people", "needed"))
    on: dict[str, Any] = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}

    def shown(name: str) -> dict[str, Any]:
        return {"name": name, "legendgroup": name, "showlegend": is_first}

    mode = "lines" if len(years) > 3 else "lines+markers"
    low, high = own["low"].to_list(), own["high"].to_list()
    if has_range:
        known = [i for i, v in enumerate(high) if v is not None and low[i] is not None]
        figure.add_scatter(
            x=[years[i] for i in known] + [years[i] for i in reversed(known)] or [None],
            y=[high[i] for i in known] + [low[i] for i in reversed(known)] or [None],
            fill="toself", fillcolor=_faded(BLUE, 0.22), line={"width": 0, "color": CLEAR},
            mode="lines", hoverinfo="skip", **shown("range of people"), **on,
        )  # fmt: skip
    x, lower, upper = _missing_band(years, people, needed)
    figure.add_scatter(
        x=x + x[::-1], y=lower + upper[::-1], fill="toself", fillcolor=BAND, mode="lines",
        line={"width": 0, "color": CLEAR}, hoverinfo="skip", **shown("missing"), **on,
    )  # fmt: skip
    for name, values, colour, dash, symbol in (
        ("needed", needed, VERMILLION, "dash", "diamond"),
        ("people", people, BLUE, "solid", "circle"),
    ):
        figure.add_scatter(
            x=years, y=values, mode=mode, line={"color": colour, "width": 2.2, "dash": dash},
            marker={"color": colour, "size": 7, "symbol": symbol},
            hovertemplate="%{y:,.0f}", **shown(name), **on,
        )  # fmt: skip


def _missing_band(
    years: Sequence[float], people: list[float], needed: list[float]
) -> tuple[list[float], list[float], list[float]]:
    """Return years, people and the larger of people and needed, with the crossings put in.

    Examples
    --------
    >>> _missing_band([0, 1], [10.0, 10.0], [5.0, 15.0])
    ([0.0, 0.5, 1.0], [10.0, 10.0, 10.0], [10.0, 10.0, 15.0])
    """
    if len(years) == 1:  # a year alone is drawn as a bar
        return _missing_band([years[0] - 0.15, years[0] + 0.15], people * 2, needed * 2)
    x = np.array(years, dtype=float)
    stock, need = np.array(people, dtype=float), np.array(needed, dtype=float)
    gap = need - stock
    turns = np.flatnonzero(gap[:-1] * gap[1:] < 0)
    part = gap[turns] / (gap[turns] - gap[turns + 1])
    at = np.concatenate([x, x[turns] + part * np.diff(x)[turns]])
    order = np.argsort(at, kind="stable")
    at = at[order]
    lower, wanted = np.interp(at, x, stock), np.interp(at, x, need)
    return at.tolist(), lower.tolist(), np.maximum(lower, wanted).tolist()


# --- coverage ------------------------------------------------------------------------------------


def coverage_map(frame: pl.DataFrame, most: int = MOST_ROWS) -> go.Figure:
    """Draw which share of the need each occupation covers in each region, the least first.

    Parameters
    ----------
    frame : polars.DataFrame
        occupation, region, coverage (people over needed, from 0; empty where nothing is needed).
    most : int
        Occupations to draw.
    """
    known = frame.filter(pl.col("coverage").is_not_null())
    worst = (
        known.group_by("occupation", maintain_order=True)
        .agg(pl.col("coverage").min().alias("least"), pl.col("coverage").mean().alias("mean"))
        .sort(["least", "mean", "occupation"])
    )
    names = worst["occupation"].to_list()
    shown, left = names[:most], len(names) - most
    regions = frame["region"].unique(maintain_order=True).to_list()
    value = {(o, r): c for o, r, c in known.select("occupation", "region", "coverage").iter_rows()}
    is_few = len(regions) <= MOST_WRITTEN
    figure = _figure(150 + 24 * len(shown), top=30 if left > 0 else 8)
    if not shown:
        return _empty(figure, "Nothing is needed in any region.")
    table = [[value.get((o, r)) for r in regions] for o in shown]
    figure.add_heatmap(
        z=[[None if v is None else min(v, FULL) for v in row] for row in table],
        x=list(range(len(regions))), y=list(range(len(shown))), zmin=0.0, zmax=FULL,
        colorscale=[[0.0, VERMILLION], [0.5 / FULL, ORANGE], [1.0 / FULL, PALE], [1.0, SKY]],
        xgap=1.5, ygap=1.5, hoverongaps=False,
        text=[["" if v is None or not is_few else percent(v, 0) for v in row] for row in table],
        texttemplate="%{text}", textfont={"size": 11},
        customdata=[
            [[label(o, 60), label(r, 60), "" if v is None else percent(v)]
             for r, v in zip(regions, row, strict=True)]
            for o, row in zip(shown, table, strict=True)
        ],
        hovertemplate="%{customdata[0]}, %{customdata[1]}: %{customdata[2]} of the need"
        "<extra></extra>",
        colorbar={
            "title": {"text": "Covered", "font": {"size": 12}}, "thickness": 12, "len": 1.0,
            "lenmode": "fraction", "outlinewidth": 0, "tickvals": [0, 0.5, 1.0, FULL],
            "ticktext": ["0 %", "50 %", "100 %", "150 % +"], "tickfont": {"size": 11},
        },
    )  # fmt: skip
    is_tilted = max(len(r) for r in regions) > 90 / len(regions)
    figure.update_xaxes(
        tickvals=list(range(len(regions))), ticktext=[label(r, 18) for r in regions],
        tickangle=-50 if is_tilted else 0, showgrid=False, side="bottom",
    )  # fmt: skip
    figure.update_yaxes(_rows_axis(shown, 34))
    if left > 0:
        figure.add_annotation(
            text=f"the {most} least covered of {len(names)} occupations", x=0, xanchor="left", y=1,
            yanchor="bottom", xref="paper", yref="paper", showarrow=False,
            font={"size": 12, "color": GREY},
        )  # fmt: skip
    return figure


# --- targets -------------------------------------------------------------------------------------


def target_attainment(frame: pl.DataFrame, unreachable_from: int | None = None) -> go.Figure:
    """Draw what is attained by year against the target, and when it is out of reach.

    Parameters
    ----------
    frame : polars.DataFrame
        year, attained (persons so far, or in that year), target (persons), and best (persons: the
        most that could still be attained) where it is known.
    unreachable_from : int, optional
        First year in which the target cannot be met any more, whatever is done.
    """
    frame = frame.sort("year")
    years = frame["year"].to_list()
    figure = _figure(340, top=52, legend=True)
    if not years:
        return _empty(figure, "There is no target.")
    attained, target = frame["attained"].to_list(), frame["target"].to_list()
    width = 0.6
    figure.add_bar(
        x=years, y=attained, name="attained", width=width,
        marker={"color": [BLUE if a >= t else SKY for a, t in zip(attained, target, strict=True)]},
        text=[percent(a / t, 0) if t else "" for a, t in zip(attained, target, strict=True)]
        if len(years) <= 12 else None,
        textposition="inside", insidetextanchor="start", textangle=0,
        hovertemplate="%{y:,.0f} people<extra>attained</extra>",
    )  # fmt: skip
    if "best" in frame.columns and frame["best"].is_not_null().any():
        figure.add_scatter(
            x=years, y=frame["best"].to_list(), name="most that is still possible",
            mode="lines+markers", line={"color": GREEN, "width": 2, "dash": "dot"},
            marker={"symbol": "triangle-up", "size": 8, "color": GREEN},
            hovertemplate="%{y:,.0f} people<extra>still possible</extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=years, y=target, name="target", mode="lines+markers",
        line={"color": VERMILLION, "width": 2.2, "dash": "dash", "shape": "linear"},
        marker={"symbol": "diamond", "size": 9, "color": VERMILLION},
        hovertemplate="%{y:,.0f} people<extra>target</extra>",
    )  # fmt: skip
    last = years[-1]
    if unreachable_from is not None and unreachable_from <= last + 1:
        edge = max(unreachable_from, years[0]) - 0.5
        figure.add_shape(type="rect", xref="x", yref="paper", x0=edge, x1=last + 0.5, y0=0, y1=1,
                         fillcolor=BAND, layer="below", line={"width": 0})  # fmt: skip
        figure.add_shape(type="line", xref="x", yref="paper", x0=edge, x1=edge, y0=0, y1=1,
                         line={"color": VERMILLION, "width": 1.5})  # fmt: skip
        is_right = edge > (years[0] + last) / 2
        figure.add_annotation(
            text=f"out of reach from {unreachable_from}", x=edge, xref="x", y=0.99, yref="paper",
            yanchor="top", xanchor="right" if is_right else "left", showarrow=False,
            xshift=-6 if is_right else 6, font={"size": 12, "color": VERMILLION},
        )  # fmt: skip
    best = frame["best"].drop_nulls().to_list() if "best" in frame.columns else []
    most = max([*attained, *target, *best, 1.0])
    side = 0.6 if len(years) > 2 else 2.0
    figure.update_xaxes(
        range=[years[0] - side, last + side], tickvals=_ticks(years) if len(years) > 12 else years,
        tickformat="d", showgrid=False, title={"text": "Year", "font": {"size": 12}},
    )  # fmt: skip
    figure.update_yaxes(title={"text": "People", "font": {"size": 12}}, range=[0, 1.18 * most],
                        tickformat="~s" if most >= 10_000 else ",~r")  # fmt: skip
    return figure


def _empty(figure: go.Figure, text: str) -> go.Figure:
    """Say on an empty figure that there is nothing."""
    figure.update_layout(height=120, showlegend=False)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False,
                          font={"size": 14, "color": GREY})  # fmt: skip
    return figure
