"""The figures of supply: who supplies, how risky materials are, what the loss of one means.

Every function takes a plain frame, so that it draws results and a table of one's own alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report.figures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    OTHERS,
    PALE,
    VERMILLION,
    _figure,
    _hundred,
    _percent_axis,
    _rows_axis,
)
from withstand.report.people_figures import _empty
from withstand.report.words import label, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

MOST_ROWS = 30
MOST_SUPPLIERS = 6
"""Suppliers with a colour of their own; the rest of the world is grey."""
WRITTEN = 0.12
"""Share from which a piece of a bar is written into."""


def supplier_stack(frame: pl.DataFrame) -> go.Figure:
    """Draw who supplies each product from outside, as shares of imports from outside.

    Parameters
    ----------
    frame : polars.DataFrame
        label, supplier, share (0 to 1); in the order of drawing.
    """
    names = frame["label"].unique(maintain_order=True).to_list()
    figure = _figure(110 + 27 * len(names), top=66, legend=True)
    if not names:
        return _empty(figure, "Nothing is imported.")
    weight = (
        frame.group_by("supplier").agg(pl.col("share").sum())
        .sort(["share", "supplier"], descending=[True, False])
    )  # fmt: skip
    leading = weight["supplier"].head(MOST_SUPPLIERS).to_list()
    colours = dict(zip(leading, (BLUE, *OTHERS), strict=False))
    shown = frame.with_columns(
        pl.when(pl.col("supplier").is_in(leading)).then("supplier").otherwise(pl.lit(""))
        .alias("group")
    )  # fmt: skip
    for group in leading:
        own = shown.filter(pl.col("group") == group)
        share = dict(own.select("label", "share").iter_rows())
        figure.add_bar(
            y=list(range(len(names))),
            x=_hundred([share.get(n) for n in names]),
            orientation="h",
            name=label(group, 24),
            marker={"color": colours[group]},
            text=[percent(share[n], 0) if share.get(n, 0.0) > WRITTEN else "" for n in names],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            hovertext=[label(n, 60) for n in names],
            hovertemplate="%{hovertext}: %{x:.1f} %<extra>" + label(group, 24) + "</extra>",
        )
    _others(figure, shown.filter(pl.col("group") == ""), names)
    figure.update_layout(barmode="stack")
    figure.update_xaxes(_percent_axis("Share of imports from outside"))
    figure.update_yaxes(_rows_axis(names, 34))
    return figure


def _others(figure: go.Figure, rest: pl.DataFrame, names: Sequence[str]) -> None:
    """Add suppliers without a colour: large ones bear their name, the small ones are one piece."""
    large = rest.filter(pl.col("share") > WRITTEN).with_columns(
        rank=pl.col("share").rank("ordinal", descending=True).over("label")
    )
    pieces = [large.filter(pl.col("rank") == r) for r in sorted(large["rank"].unique().to_list())]
    small = rest.filter(pl.col("share") <= WRITTEN).group_by("label").agg(pl.col("share").sum())
    pieces.append(small.with_columns(supplier=pl.lit("all others")))
    for own in pieces:
        share = dict(own.select("label", "share").iter_rows())
        who = dict(own.select("label", "supplier").iter_rows())
        is_small = own is pieces[-1]
        figure.add_bar(
            y=list(range(len(names))),
            x=_hundred([share.get(n) for n in names]),
            orientation="h",
            name="all others",
            showlegend=is_small,
            marker={"color": PALE if is_small else GREY, "line": {"color": PALE, "width": 1}},
            textfont={"color": INK},
            text=[
                f"{label(who[n], 16)} {percent(share[n], 0)}" if n in who and not is_small else ""
                for n in names
            ],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            hovertext=[f"{label(n, 60)}, {label(who.get(n, ''), 40)}" for n in names],
            hovertemplate="%{hovertext}: %{x:.1f} %<extra></extra>",
        )


def supply_risk(frame: pl.DataFrame, threshold: float, most: int = MOST_ROWS) -> go.Figure:
    """Draw the supply risk of raw materials as a range, with the threshold.

    Parameters
    ----------
    frame : polars.DataFrame
        material, sr_low, sr_high; in the order of drawing.
    threshold : float
    most : int
        Materials to draw.
    """
    shown = frame.filter(pl.col("sr_high").is_not_null()).head(most)
    rows = list(range(shown.height))
    figure = _figure(100 + 24 * len(rows), top=44, legend=True)
    if not rows:
        return _empty(figure, "No supply risk is known.")
    low, high = shown["sr_low"].to_list(), shown["sr_high"].to_list()
    x: list[float | None] = []
    y: list[float | None] = []
    for row, (a, b) in enumerate(zip(low, high, strict=True)):
        x += [a, b, None]
        y += [row, row, None]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": GREY, "width": 2},
                       hoverinfo="skip", showlegend=False)  # fmt: skip
    said = [label(m, 60) for m in shown["material"]]
    for name, values, colour, symbol in (
        ("best end", low, BLUE, "circle"), ("worst end", high, VERMILLION, "diamond-open"),
    ):  # fmt: skip
        figure.add_scatter(
            x=values, y=rows, name=name, mode="markers", cliponaxis=False,
            marker={"color": colour, "size": 10, "symbol": symbol, "line": {"width": 2}},
            hovertext=said, hovertemplate="%{hovertext}: %{x:.2f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.add_shape(type="line", x0=threshold, x1=threshold, y0=0, y1=1, yref="paper",
                     line={"color": GREY, "width": 1.5, "dash": "dash"})  # fmt: skip
    figure.update_xaxes(range=[0, 1.08 * max([*high, threshold])], showgrid=True,
                        title={"text": "Supply risk", "font": {"size": 12}})  # fmt: skip
    figure.update_yaxes(_rows_axis(shown["material"].to_list(), 30) | {"showgrid": False})
    return figure


def days_missed(frame: pl.DataFrame) -> go.Figure:
    """Draw how many days of use are missed when the largest supplier is lost.

    Parameters
    ----------
    frame : polars.DataFrame
        label, supplier, days_lost, days_to_shortage (empty: none).
    """
    names = frame["label"].to_list()
    figure = _figure(70 + 26 * len(names), top=8)
    if not names:
        return _empty(figure, "No product is flagged.")
    when = ["no shortage" if d is None else "at once" if d < 1 else f"short after {number(d, 0)}"
            " days" for d in frame["days_to_shortage"]]  # fmt: skip
    lost = frame["days_lost"].to_list()
    figure.add_bar(
        y=list(range(len(names))), x=lost, orientation="h", marker={"color": ORANGE},
        text=[f"{number(v, 0)} days, {w}" for v, w in zip(lost, when, strict=True)],
        textposition="auto", cliponaxis=False,
        customdata=[[label(n, 60), label(s, 40)]
                    for n, s in frame.select("label", "supplier").iter_rows()],
        hovertemplate="%{customdata[0]} without %{customdata[1]}: %{text}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(
        range=[0, 1.12 * max([*lost, 1.0])],
        title={"text": "Days of use missed within a year", "font": {"size": 12}},
    )  # fmt: skip
    figure.update_yaxes(_rows_axis(names, 34))
    return figure
