"""The figures of partners: how far sets carry and who is in them, and what each contributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withstand.report.figures import (
    BLUE,
    GREY,
    GRID,
    INK,
    ORANGE,
    PALE,
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
    import polars as pl

MOST_ROWS = 15
"""Partners drawn on their own."""
MOST_WRITTEN = 8
"""Sizes of sets up to which the coverage is written at each."""
FEW = 4
"""Sizes up to which a decimal is written, too."""
BARS = 190
"""Height of the part with bars, pixels."""
ROW = 26


def best_sets(sets: Sequence[tuple[Sequence[str], float, float | None]], what: str) -> go.Figure:
    """Draw the coverage of the best set of each size, and below it who is in which set.

    Parameters
    ----------
    sets : sequence of (names of partners, coverage, coverage to expect or None)
        One for each size, nobody first; shares between 0 and 1.
    what : str
        Of what coverage is a share, for the axis.
    """
    at = list(range(len(sets)))
    coverage = [c for _, c, _ in sets]
    names = list(dict.fromkeys(n for members, _, _ in reversed(sets) for n in members))
    names.sort(key=lambda n: (-sum(n in members for members, _, _ in sets), n))
    shown = names[:MOST_ROWS]
    below = ROW * len(shown) + 12 if shown else 0
    height = 92 + BARS + below
    has_expected = any(e is not None for _, _, e in sets)
    figure = _figure(height, top=48 if has_expected else 26, legend=has_expected)
    figure.add_bar(
        x=at, y=_hundred(coverage), name="best set", marker={"color": BLUE}, width=0.6,
        text=_written(coverage),
        textposition="outside", cliponaxis=False, textfont={"size": 12}, constraintext="none",
        hovertext=[", ".join(label(n, 24) for n in m) or "home alone" for m, _, _ in sets],
        hovertemplate="%{hovertext}: %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    if has_expected:
        figure.add_scatter(
            x=at, y=_hundred([e for _, _, e in sets]), mode="markers", cliponaxis=False,
            name="to be expected, if each fails by itself",
            marker={"color": ORANGE, "size": 11, "symbol": "diamond",
                    "line": {"color": INK, "width": 1}},
            hovertemplate="to be expected: %{y:.1f} %<extra></extra>",
        )  # fmt: skip
    split = below / (BARS + below) if below else 0.0
    figure.update_xaxes(
        tickvals=at if len(at) <= 16 else at[:: -(-len(at) // 16)], tickformat="d",
        range=[-0.6, len(at) - 0.4], showgrid=False, anchor="y2" if shown else "y",
        title={"text": "Number of partners", "font": {"size": 12}},
    )  # fmt: skip
    top = min(100.0 * max(coverage, default=1.0) * 1.2 + 2, 112.0)
    figure.update_yaxes(_percent_axis(what, 100.0) | {"range": [0, top],
                                                      "domain": [min(split + 0.05, 1.0), 1.0]
                                                      if shown else [0, 1]})  # fmt: skip
    if shown:
        _members(figure, [m for m, _, _ in sets], shown, split)
    return figure


def _written(coverage: Sequence[float]) -> list[str] | None:
    """Return what is written at the bars: less where there are more of them."""
    if len(coverage) > MOST_WRITTEN:
        return None
    return [percent(c, 0 if len(coverage) > FEW else 1) for c in coverage]


def _members(
    figure: go.Figure, sets: Sequence[Sequence[str]], names: Sequence[str], top: float
) -> None:
    """Draw a dot for each member of each set; members of one set are joined by a line."""
    is_in: tuple[list[int], list[int]] = ([], [])
    is_out: tuple[list[int], list[int]] = ([], [])
    for at, members in enumerate(sets):
        for row, name in enumerate(names):
            side = is_in if name in members else is_out
            side[0].append(at)
            side[1].append(row)
        rows = [r for r, n in enumerate(names) if n in members]
        if len(rows) > 1:
            figure.add_scatter(
                x=[at, at], y=[min(rows), max(rows)], yaxis="y2", mode="lines", hoverinfo="skip",
                line={"color": BLUE, "width": 2}, showlegend=False,
            )  # fmt: skip
    for (xs, ys), colour, symbol, said in (
        (is_out, PALE, "circle-open", "not in the set"),
        (is_in, BLUE, "circle", "in the set"),
    ):
        figure.add_scatter(
            x=xs, y=ys, yaxis="y2", mode="markers", showlegend=False,
            marker={"color": colour, "size": 12, "symbol": symbol, "line": {"width": 2}},
            customdata=[label(names[y], 30) for y in ys],
            hovertemplate="%{customdata}: " + said + "<extra></extra>",
        )  # fmt: skip
    axis = {"fixedrange": True, "zeroline": False, "automargin": True, "gridcolor": GRID,
            "ticks": "", "showline": False}  # fmt: skip
    figure.update_layout(
        yaxis2=axis | _rows_axis(names, 22) | {"domain": [0, top], "anchor": "x", "showgrid": True}
    )


def contributions(frame: pl.DataFrame, names: Sequence[str], what: str) -> go.Figure:
    """Draw what each partner adds on average, with its standard error, and reliability beside it.

    Parameters
    ----------
    frame : polars.DataFrame
        shapley, standard_error (shares of demand), reliability (0 to 1, empty if not known),
        is_best; largest first.
    names : sequence of str
        Names of the partners, one for each row.
    what : str
        Of what the shares are, for the axis.
    """
    shown, left = frame.head(MOST_ROWS), frame.slice(MOST_ROWS)
    said = list(names[:MOST_ROWS])
    values, errors = shown["shapley"].to_list(), shown["standard_error"].to_list()
    is_best = shown["is_best"].to_list()
    if left.height:
        said.append(f"{left.height} other partners")
        values.append(float(left["shapley"].sum()))
        errors.append(0.0)
        is_best.append(False)
    has_reliability = bool(shown["reliability"].is_not_null().any())
    figure = _figure(100 + ROW * len(said), top=44, legend=True)
    most = 100.0 * max([v + 2 * e for v, e in zip(values, errors, strict=True)], default=0.0)
    for name, wanted, colour in (("in the best set", True, BLUE), ("not in it", False, GREY)):
        rows = [r for r, b in enumerate(is_best) if b == wanted]
        if not rows:
            continue
        figure.add_bar(
            y=rows, x=_hundred([values[r] for r in rows]), orientation="h", name=name,
            marker={"color": colour},
            error_x={"array": _hundred([2 * errors[r] for r in rows]), "color": INK,
                     "thickness": 1.2, "width": 3, "visible": max(errors, default=0.0) > 0},
            hovertext=[label(said[r]) for r in rows],
            hovertemplate="%{hovertext}: %{x:.1f} %<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(
        title={"text": what, "font": {"size": 12}}, range=[0, max(most * 1.06, 1.0)],
        ticksuffix=" %", nticks=5, domain=[0, 0.68 if has_reliability else 1.0],
    )  # fmt: skip
    figure.update_yaxes(_rows_axis(said, 22))
    if has_reliability:
        known = [None if x is None else round(float(x), 4) for x in shown["reliability"]]
        figure.add_scatter(
            x=known, y=list(range(shown.height)), xaxis="x2", mode="markers", name="reliability",
            marker={"color": VERMILLION, "size": 11, "symbol": "diamond-open",
                    "line": {"width": 2}},
            cliponaxis=False, hovertext=[label(n) for n in said[: shown.height]],
            hovertemplate="reliability of %{hovertext}: %{x:.2f}<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            xaxis2={"domain": [0.76, 1.0], "range": [0, 1], "tickvals": [0, 0.5, 1],
                    "title": {"text": "Reliability", "font": {"size": 12}}, "fixedrange": True,
                    "zeroline": False, "gridcolor": GRID, "ticks": "", "anchor": "y",
                    "tickangle": 0}
        )  # fmt: skip
    return figure
