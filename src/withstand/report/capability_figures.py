"""The figures of capability: ranks with intervals, what is within reach, what stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report.figures import BLUE, GREY, INK, ORANGE, VERMILLION, _figure, _rows_axis
from withstand.report.words import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

MOST_PLACES = 20
MOST_MARKED = 10
MOST_POINTS = 1_500
ROW = 24


def _title(text: str) -> dict[str, object]:
    return {"text": text, "font": {"size": 12}, "standoff": 10}


def places(frame: pl.DataFrame, home: str | None) -> go.Figure:
    """Draw the highest places and home: their index, or their rank with its interval.

    Parameters
    ----------
    frame : polars.DataFrame
        place, rank, eci, low, high (ranks; empty where not drawn); best first.
    home : str, optional
    """
    ranked = frame.filter(pl.col("rank").is_not_null())
    shown = ranked.head(MOST_PLACES)
    if home is not None and home not in shown["place"]:
        shown = pl.concat([shown, ranked.filter(pl.col("place") == home)])
    rows = list(range(shown.height))
    said = [f"{r}. {p}" for p, r in shown.select("place", "rank").iter_rows()]
    is_home = [p == home for p in shown["place"]]
    has_ranges = bool(shown["low"].is_not_null().any())
    figure = _figure(96 + ROW * len(rows), top=44 if home in shown["place"] else 16,
                     legend=home in shown["place"])  # fmt: skip
    if has_ranges:
        lines: list[float | None] = []
        at: list[int | None] = []
        for row, (low, high) in enumerate(shown.select("low", "high").iter_rows()):
            lines += [low, high, None]
            at += [row, row, None]
        figure.add_scatter(x=lines, y=at, mode="lines", line={"color": GREY, "width": 5},
                           hoverinfo="skip", showlegend=False)  # fmt: skip
    values = shown["rank" if has_ranges else "eci"].to_list()
    for name, wanted, colour, symbol in (
        (label(home or "", 30), True, VERMILLION, "diamond"), ("others", False, BLUE, "circle"),
    ):  # fmt: skip
        own = [r for r in rows if is_home[r] == wanted]
        if own:
            figure.add_scatter(
                x=[values[r] for r in own], y=own, mode="markers", name=name, cliponaxis=False,
                marker={"color": colour, "symbol": symbol, "size": 11,
                        "line": {"color": INK, "width": 0.5}},
                hovertext=[label(said[r]) for r in own],
                hovertemplate="%{hovertext}: %{x:.3~f}<extra></extra>",
            )  # fmt: skip
    if has_ranges:
        figure.update_xaxes(title=_title("Rank; the line encloses nine tenths of the draws"),
                            rangemode="tozero", tickformat="d", nticks=8)  # fmt: skip
    else:
        figure.update_xaxes(title=_title("ECI, standard deviations"), nticks=6)
    figure.update_yaxes(_rows_axis(said, 24) | {"showgrid": True})
    return figure


def within_reach(frame: pl.DataFrame, most: int = MOST_MARKED) -> go.Figure:
    """Draw what home lacks: how near it is against how hard it is; the best candidates numbered.

    Parameters
    ----------
    frame : polars.DataFrame
        rank, name, density (0 to 1), pci; best first.
    most : int
        Candidates that are numbered.
    """
    known = frame.filter(pl.col("density").is_not_null() & pl.col("pci").is_not_null())
    best, rest = known.head(most), known.slice(most)
    if rest.height > MOST_POINTS:
        rest = rest.gather_every(-(-rest.height // MOST_POINTS))
    figure = _figure(440, top=44, legend=True)
    for name, own, colour, symbol, size in (
        ("what it lacks", rest, GREY, "circle", 6),
        (f"the best {best.height}, by rank", best, ORANGE, "diamond", 11),
    ):
        if own.height == 0:
            continue
        is_best = own is best
        figure.add_scatter(
            x=own["density"].to_list(), y=own["pci"].to_list(), name=name,
            mode="markers+text" if is_best else "markers", cliponaxis=False,
            text=[str(r) for r in own["rank"]] if is_best else None, textposition="top center",
            textfont={"size": 11, "color": INK},
            marker={"color": colour, "symbol": symbol, "size": size,
                    "opacity": 1.0 if is_best else 0.55,
                    "line": {"color": INK, "width": 1 if is_best else 0}},
            customdata=[label(n, 60) for n in own["name"]],
            hovertemplate="%{customdata}: density %{x:.2f}, PCI %{y:.2f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title=_title("Density: how near, 0 to 1"), nticks=7)
    figure.update_yaxes(title=_title("PCI: how hard, standard deviations"), nticks=7)
    return figure


def quotients(names: Sequence[str], values: Sequence[float]) -> go.Figure:
    """Draw location quotients as bars from 1, what stands out most on top."""
    rows = list(range(len(names)))
    figure = _figure(80 + ROW * len(rows), top=16)
    figure.add_bar(
        y=rows, x=[round(v - 1.0, 6) for v in values], base=1.0, orientation="h",
        marker={"color": [BLUE if v >= 1 else GREY for v in values]},
        text=[f"{v:.1f}" for v in values], textposition="outside", cliponaxis=False,
        customdata=[[label(n, 60), v] for n, v in zip(names, values, strict=True)],
        hovertemplate="%{customdata[0]}: %{customdata[1]:.2f} times the share in the whole"
        "<extra></extra>",
    )  # fmt: skip
    most = max([*values, 1.5])
    figure.update_xaxes(title=_title("Location quotient, 1: as in the whole"),
                        range=[0, most * 1.15], nticks=6)  # fmt: skip
    figure.update_yaxes(_rows_axis(names, 26))
    return figure
