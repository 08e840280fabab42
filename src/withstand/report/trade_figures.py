"""The figures of trade screens: who flags what, how far from the thresholds, how sure, how long.

Every function takes a plain frame, so that it draws results and a table of one's own alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

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
from withstand.report.people_figures import _empty
from withstand.report.trade_contents import CLOSE, FLAGGED, FREE, OPEN, STATES
from withstand.report.words import label, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from withstand.measures.screen_presets import ScreenCondition

MOST_ROWS = 30
MOST_NAMED = 14
"""Points of the scatter that bear their code."""
STATE_COLOURS = {FLAGGED: VERMILLION, CLOSE: ORANGE, FREE: PALE, OPEN: GREY}
_MARKS = {FLAGGED: "●", CLOSE: "○", FREE: "", OPEN: "?"}
"""What stands in a cell, so that no reader needs the colours."""
_WIDEST = 60.0
_STEPS = {s: i for i, s in enumerate(STATES)}


def screen_matrix(frame: pl.DataFrame) -> go.Figure:
    """Draw which screen flags which product: flagged, near a threshold, not flagged, not known.

    Parameters
    ----------
    frame : polars.DataFrame
        label, preset, state (one of `STATES`), margin (share of the threshold).
    """
    return _states(frame, "preset", [str(p) for p in frame["preset"].unique(maintain_order=True)])


def flags_over_years(frame: pl.DataFrame, most: int = MOST_ROWS) -> go.Figure:
    """Draw in which years a screen flags what it ever flags.

    Parameters
    ----------
    frame : polars.DataFrame
        label, year, state, margin.
    most : int
        Products to draw.
    """
    labels = frame["label"].unique(maintain_order=True).to_list()
    shown = frame.filter(pl.col("label").is_in(labels[:most]))
    years = sorted(frame["year"].unique().to_list())
    figure = _states(shown.with_columns(pl.col("year").cast(pl.String)), "year",
                     [str(y) for y in years])  # fmt: skip
    left = len(labels) - most
    if left > 0:
        figure.add_annotation(
            text=f"the first {most} of {len(labels)} products", x=0, xanchor="left", y=1,
            yanchor="bottom", yshift=26, xref="paper", yref="paper", showarrow=False,
            font={"size": 12, "color": GREY},
        )  # fmt: skip
    return figure


def _states(frame: pl.DataFrame, across: str, columns: Sequence[str]) -> go.Figure:
    """Draw states as a table of cells, products down."""
    names = frame["label"].unique(maintain_order=True).to_list()
    top = 66
    figure = _figure(top + 40 + 26 * len(names), top=top, legend=True)
    if not names:
        return _empty(figure, "No product is flagged.")
    state = {(n, c): s for n, c, s in frame.select("label", across, "state").iter_rows()}
    margin = {(n, c): m for n, c, m in frame.select("label", across, "margin").iter_rows()}
    cells = [[state.get((n, c), OPEN) for c in columns] for n in names]
    steps = len(STATES)
    scale: list[list[object]] = []
    for at, one in enumerate(STATES):
        scale += [[at / steps, STATE_COLOURS[one]], [(at + 1) / steps, STATE_COLOURS[one]]]
    figure.add_heatmap(
        z=[[_STEPS[s] for s in row] for row in cells], x=list(range(len(columns))),
        y=list(range(len(names))), zmin=-0.5, zmax=steps - 0.5, colorscale=scale,
        showscale=False, xgap=2, ygap=2,
        text=[[_MARKS[s] for s in row] for row in cells], texttemplate="%{text}",
        textfont={"size": 12},
        customdata=[
            [
                [label(n, 60), label(c, 40), s, _margin_said(margin.get((n, c)))]
                for c, s in zip(columns, row, strict=True)
            ]
            for n, row in zip(names, cells, strict=True)
        ],
        hovertemplate="%{customdata[0]}, %{customdata[1]}: %{customdata[2]}%{customdata[3]}"
        "<extra></extra>",
    )  # fmt: skip
    present = {s for row in cells for s in row}
    for one in STATES:  # a heatmap has no legend of its own
        if one in present:
            figure.add_scatter(
                x=[None], y=[None], mode="markers", name=f"{_MARKS[one]} {one}".strip(),
                marker={"color": STATE_COLOURS[one], "size": 12, "symbol": "square"},
            )  # fmt: skip
    is_tilted = max(len(c) for c in columns) > _WIDEST / len(columns) and len(columns) > 6
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=[label(c, 18) for c in columns],
        tickangle=-50 if is_tilted else 0, showgrid=False, side="top",
        range=[-0.5, len(columns) - 0.5],
    )  # fmt: skip
    figure.update_yaxes(_rows_axis(names, 34))
    figure.update_layout(legend={"y": 0, "yanchor": "top", "yref": "paper"}, margin={"b": 40})
    return figure


def _margin_said(margin: float | None) -> str:
    """Say how far beyond, or short of, the thresholds a product is."""
    if margin is None:
        return ""
    side = "beyond" if margin >= 0 else "short of"
    return f", {percent(abs(margin))} {side} the nearest threshold"


def two_conditions(
    frame: pl.DataFrame, first: ScreenCondition, second: ScreenCondition
) -> go.Figure:
    """Draw products by two indicators, with the thresholds; beyond both the ground is shaded.

    Parameters
    ----------
    frame : polars.DataFrame
        product, label, x, y (the indicators), flagged, imports (their size).
    first, second : ScreenCondition
        What x and y are, and their thresholds.
    """
    known = frame.filter(pl.col("x").is_not_null(), pl.col("y").is_not_null())
    figure = _figure(460, top=44, legend=True)
    if known.is_empty():
        return _empty(figure, "Nothing is imported.")
    edges = [
        _edge(known["x"].to_list(), first.threshold), _edge(known["y"].to_list(), second.threshold)
    ]  # fmt: skip
    figure.add_shape(type="rect", x0=first.threshold, x1=edges[0], y0=second.threshold,
                     y1=edges[1], fillcolor=PALE, opacity=0.45, line={"width": 0},
                     layer="below")  # fmt: skip
    lines = (("x", first.threshold), ("y", second.threshold))
    for axis, at in lines:
        ends = {f"{axis}0": at, f"{axis}1": at}
        other = "y" if axis == "x" else "x"
        figure.add_shape(type="line", **ends, **{f"{other}0": 0, f"{other}1": 1,
                         f"{other}ref": "paper"}, line={"color": GREY, "width": 1.2,
                         "dash": "dash"})  # fmt: skip
    largest = max(float(known["imports"].max() or 0.0), 1e-12)  # type: ignore[arg-type]
    named = set(
        known.sort(["flagged", "imports"], descending=True, nulls_last=True)["product"].head(
            MOST_NAMED
        )
    )
    for is_flagged, colour, symbol, name in (
        (False, BLUE, "circle-open", "not flagged"), (True, VERMILLION, "circle", "flagged"),
    ):  # fmt: skip
        own = known.filter(pl.col("flagged").fill_null(False) == is_flagged)
        if own.is_empty():
            continue
        figure.add_scatter(
            x=own["x"].to_list(), y=own["y"].to_list(), name=name, mode="markers+text",
            cliponaxis=False,
            marker={"color": colour, "symbol": symbol, "line": {"width": 1.5, "color": colour},
                    "size": [8 + 22 * math.sqrt(max(v, 0.0) / largest) for v in own["imports"]]},
            text=[label(p, 12) if is_flagged and p in named else "" for p in own["product"]],
            textposition="top center", textfont={"size": 11, "color": INK},
            customdata=[label(n, 60) for n in own["label"]],
            hovertemplate="%{customdata}: %{x:.2f} and %{y:.2f}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(legend={"itemsizing": "constant"})
    for update, condition, edge in (
        (figure.update_xaxes, first, edges[0]), (figure.update_yaxes, second, edges[1]),
    ):  # fmt: skip
        update(
            range=[0, edge], showgrid=False,
            title={"text": _axis_said(condition), "font": {"size": 12}},
        )  # fmt: skip
    return figure


def one_condition(frame: pl.DataFrame, condition: ScreenCondition) -> go.Figure:
    """Draw products by the one indicator of a screen, with its threshold.

    Parameters
    ----------
    frame : polars.DataFrame
        label, x (the indicator), flagged; the first are drawn on top.
    condition : ScreenCondition
    """
    known = frame.filter(pl.col("x").is_not_null()).head(MOST_ROWS)
    figure = _figure(70 + 24 * known.height, top=8)
    if known.is_empty():
        return _empty(figure, "Nothing is imported.")
    edge = max(_edge([min(v, 4 * condition.threshold) for v in known["x"]],
                     condition.threshold), condition.threshold * 1.5)  # fmt: skip
    figure.add_bar(
        y=list(range(known.height)), x=[min(v, edge) for v in known["x"]], orientation="h",
        marker={"color": [VERMILLION if f else SKY for f in known["flagged"]]},
        text=[number(v, 2) for v in known["x"]], textposition="auto", cliponaxis=False,
        hovertext=[label(n, 60) for n in known["label"]],
        hovertemplate="%{hovertext}: %{text}<extra></extra>",
    )  # fmt: skip
    at = condition.threshold
    figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, yref="paper",
                     line={"color": GREY, "width": 1.5, "dash": "dash"})  # fmt: skip
    figure.update_xaxes(range=[0, edge * 1.08], showgrid=False,
                        title={"text": _axis_said(condition), "font": {"size": 12}})  # fmt: skip
    figure.update_yaxes(_rows_axis(known["label"].to_list(), 34))
    return figure


def _edge(values: Sequence[float], threshold: float) -> float:
    """Return where an axis ends: 1 for shares, a little beyond the values for ratios."""
    most = max([*values, threshold])
    return 1.06 if most <= 1.0 else 1.1 * most


def _axis_said(condition: ScreenCondition) -> str:
    return f"{label(condition.name, 12)}: {label(condition.words, 60)}" \
        f" ({condition.sign.replace('>', '&gt;')} {condition.threshold:g})"  # fmt: skip


def chances(frame: pl.DataFrame, most: int = MOST_ROWS) -> go.Figure:
    """Draw the chance that a product is flagged, given errors in reports.

    Parameters
    ----------
    frame : polars.DataFrame
        label, probability, standard_error (0 to 1), flagged.
    most : int
        Products to draw.
    """
    shown = frame.filter(pl.col("probability").is_not_null()).head(most)
    figure = _figure(104 + 24 * shown.height, top=44, legend=True)
    if shown.is_empty():
        return _empty(figure, "No product comes near the thresholds.")
    rows = pl.Series("row", range(shown.height))
    indexed = shown.with_columns(rows)
    for is_flagged, colour, name in (
        (True, VERMILLION, "flagged as reported"), (False, SKY, "not flagged as reported"),
    ):  # fmt: skip
        own = indexed.filter(pl.col("flagged").fill_null(False) == is_flagged)
        if own.is_empty():
            continue
        figure.add_bar(
            y=own["row"].to_list(), x=_hundred(own["probability"].to_list()), orientation="h",
            name=name, marker={"color": colour},
            error_x={"type": "data", "array": _hundred(own["standard_error"].to_list()),
                     "color": GREY, "thickness": 1.2, "width": 3},
            customdata=[[label(n, 60), percent(p)]
                        for n, p in own.select("label", "probability").iter_rows()],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(_percent_axis("Chance of being flagged", 104.0))
    figure.update_yaxes(_rows_axis(shown["label"].to_list(), 34))
    return figure
