"""The figures of plants: a line of machines and buffers, what would help it, and when it pays."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from withstand.report.figures import (
    BLACK,
    BLUE,
    CLEAR,
    GREEN,
    GREY,
    GRID,
    INK,
    ORANGE,
    PALE,
    SKY,
    VERMILLION,
    WHITE,
    _figure,
    _hundred,
    _percent_axis,
    _rows_axis,
)
from withstand.report.words import label, number, percent

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

FEW = 10
"""Machines up to which every share and every level is written beside its place."""
MOST_CHANGES = 12
_STATES = (
    ("works", "working", BLUE, ""),
    ("starved: no part", "starved", SKY, "/"),
    ("blocked: no room", "blocked", ORANGE, "\\"),
    ("down", "down", GREY, "x"),
)


def line_diagram(machines: pl.DataFrame, bottleneck: str = "") -> go.Figure:
    """Draw machines as boxes, buffers as tanks with their mean level, and time by machine.

    Parameters
    ----------
    machines : polars.DataFrame
        machine, working, starved, blocked, down (shares of time), buffer_after, mean_level_after
        (parts; empty for the last machine).
    bottleneck : str
        Machine to mark.
    """
    names = machines["machine"].to_list()
    k = len(names)
    is_short = k <= FEW
    figure = _figure(430 if is_short else 480, top=62)
    _bars(figure, machines, is_short=is_short)
    figure.update_layout(
        barmode="stack",
        showlegend=True,
        legend={"y": 1.07, "yanchor": "bottom"},
        yaxis2={
            "domain": [0.74, 1.0], "range": [-0.35, 1.3], "visible": False, "fixedrange": True,
            "anchor": "x",
        },
    )  # fmt: skip
    figure.update_yaxes(_percent_axis("Share of time") | {"domain": [0.0, 0.66]}, selector=0)
    figure.update_xaxes(
        tickvals=list(range(k)),
        ticktext=[
            _wrapped(f"{i}. {n}", max(11, 96 // k)) if is_short else label(f"{i}. {n}", 20)
            for i, n in enumerate(names, start=1)
        ],
        tickangle=0 if is_short else -50,
        range=[-0.55, k - 0.45],
        showgrid=False,
    )
    _boxes(figure, names, bottleneck, is_short=is_short)
    _tanks(figure, machines, is_short=is_short)
    return figure


def _wrapped(name: str, width: int) -> str:
    """Return a name on up to three lines; its own markup is neutralised first."""
    lines = wrap(name, width, max_lines=3, placeholder="…", break_long_words=True)
    return "<br>".join(label(line) for line in lines)


def _bars(figure: go.Figure, machines: pl.DataFrame, *, is_short: bool) -> None:
    said = [label(n, 60) for n in machines["machine"]]
    for name, column, colour, pattern in _STATES:
        shares = machines[column].to_list()
        figure.add_bar(
            x=list(range(len(said))), y=_hundred(shares), name=name, width=0.62,
            marker={"color": colour,
                    "pattern": _hatched(pattern)},
            text=[percent(s, 0) if is_short and s >= 0.08 else "" for s in shares],
            textposition="inside", insidetextanchor="middle", textangle=0, constraintext="none",
            textfont={"size": 12, "color": WHITE if column == "working" else BLACK},
            customdata=[[n, percent(s)] for n, s in zip(said, shares, strict=True)],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra>" + name + "</extra>",
        )  # fmt: skip


def _hatched(shape: str) -> dict[str, object]:
    """Return a pattern over the colour of a bar."""
    return {"shape": shape, "fgcolor": PALE, "fillmode": "overlay", "size": 7, "solidity": 0.18}


def _boxes(figure: go.Figure, names: list[str], bottleneck: str, *, is_short: bool) -> None:
    half = 0.2
    for i, name in enumerate(names):
        is_slow = name == bottleneck
        if i:
            figure.add_shape(type="line", xref="x", yref="y2", x0=i - 1 + half, x1=i - half, y0=0.5,
                             y1=0.5, line={"color": GREY, "width": 2}, layer="below")  # fmt: skip
        figure.add_shape(
            type="rect", xref="x", yref="y2", x0=i - half, x1=i + half, y0=0.0, y1=1.0,
            fillcolor=BLUE if not is_slow else VERMILLION,
            line={"color": INK, "width": 0},
        )  # fmt: skip
        if is_short:
            figure.add_annotation(
                text=str(i + 1), x=i, y=0.5, xref="x", yref="y2", showarrow=False,
                font={"size": 15, "color": WHITE},
            )  # fmt: skip
    if bottleneck in names:
        figure.add_annotation(
            text="bottleneck", x=names.index(bottleneck), y=1.0, yanchor="bottom", xref="x",
            yref="y2", showarrow=False, font={"size": 12, "color": VERMILLION},
        )  # fmt: skip


def _tanks(figure: go.Figure, machines: pl.DataFrame, *, is_short: bool) -> None:
    """Draw each buffer as a tank that is filled up to its mean level."""
    half, low, high = 0.13, 0.08, 0.92
    names = machines["machine"].to_list()
    places = machines["buffer_after"].to_list()[:-1]
    levels = machines["mean_level_after"].to_list()[:-1]
    for i, (n, level) in enumerate(zip(places, levels, strict=True)):
        x0, x1 = i + 0.5 - half, i + 0.5 + half
        top = low + (high - low) * min(level / n, 1.0)
        figure.add_shape(type="rect", xref="x", yref="y2", x0=x0, x1=x1, y0=low, y1=high,
                         fillcolor=PALE, line={"width": 0})  # fmt: skip
        figure.add_shape(type="rect", xref="x", yref="y2", x0=x0, x1=x1, y0=low, y1=top,
                         fillcolor=GREEN, line={"width": 0})  # fmt: skip
        figure.add_shape(type="rect", xref="x", yref="y2", x0=x0, x1=x1, y0=low, y1=high,
                         fillcolor=CLEAR, line={"color": GREY, "width": 1.5})  # fmt: skip
        if is_short:
            figure.add_annotation(
                text=f"{number(level)} of {n:,}", x=i + 0.5, y=0.0, yanchor="top", xref="x",
                yref="y2", showarrow=False, font={"size": 12, "color": INK},
            )  # fmt: skip
    figure.add_scatter(
        x=[i + 0.5 for i in range(len(places))], y=[0.5] * len(places), yaxis="y2", mode="markers",
        marker={"size": 26 if is_short else 10, "color": CLEAR, "symbol": "square"},
        showlegend=False,
        customdata=[
            [label(a, 40), label(b, 40), number(level), f"{n:,}"]
            for a, b, level, n in zip(names, names[1:], levels, places, strict=False)
        ],
        hovertemplate="between %{customdata[0]} and %{customdata[1]}: %{customdata[2]} of"
        " %{customdata[3]} places filled on average<extra></extra>",
    )  # fmt: skip


def what_helps(helps: pl.DataFrame) -> go.Figure:
    """Draw what single changes of a line would add, largest first.

    Parameters
    ----------
    helps : polars.DataFrame
        change, where, gain_per_hour (good parts).
    """
    shown = helps.head(MOST_CHANGES)
    whole = shown["where"].to_list()
    names = [" > ".join(_middle_out(n, 44 // (1 + w.count(" > "))) for n in w.split(" > "))
             for w in whole]  # fmt: skip
    figure = _figure(110 + 28 * len(names), top=44, legend=True)
    for change, name, colour, pattern in (
        ("one more place", "one more place", BLUE, ""),
        ("repair a tenth faster", "repair a tenth faster", ORANGE, "/"),
    ):
        rows = [i for i, c in enumerate(shown["change"]) if c == change]
        if not rows:
            continue
        gains = [float(shown["gain_per_hour"][i]) for i in rows]
        figure.add_bar(
            y=rows, x=gains, orientation="h", name=name, width=0.62,
            marker={"color": colour, "pattern": _hatched(pattern)},
            text=[f"{g:+.2g}" for g in gains], textposition="outside", cliponaxis=False,
            hovertext=[label(whole[i], 120) for i in rows],
            hovertemplate="%{hovertext}: %{text} good parts per hour<extra></extra>",
        )  # fmt: skip
    most = max((abs(float(g)) for g in shown["gain_per_hour"]), default=1.0) or 1.0
    least = min(0.0, *(float(g) for g in shown["gain_per_hour"]))
    figure.update_xaxes(
        title={"text": "Good parts per hour more", "font": {"size": 12}},
        range=[1.25 * least, 1.18 * most],
    )
    figure.update_yaxes(_rows_axis(names, 50))
    return figure


def _middle_out(name: str, most: int) -> str:
    """Return a name of at most so many characters that keeps its beginning and its end.

    Examples
    --------
    >>> _middle_out("machining centre number 12", 15)
    'machinin…ber 12'
    """
    if len(name) <= most:
        return name
    end = 2 * (most - 1) // 5 + 1
    return f"{name[: most - 1 - end]}…{name[-end:]}"


def payback(frame: pl.DataFrame, currency: str = "") -> go.Figure:
    """Draw what is paid and earned by year, the sum so far, and when it has paid back.

    Parameters
    ----------
    frame : polars.DataFrame
        year, cash (currency in that year, spending below 0), cumulated (currency, the sum so far).
    currency : str
    """
    years, cash, total = (frame[c].to_list() for c in ("year", "cash", "cumulated"))
    unit, scale = _unit([*cash, *total], currency)
    figure = _figure(330, top=52, legend=True)
    x = [f"{y}" for y in years]
    for name, keep, colour, pattern in (
        ("earned in the year", [c >= 0 for c in cash], BLUE, ""),
        ("spent in the year", [c < 0 for c in cash], ORANGE, "/"),
    ):
        if any(keep):
            figure.add_bar(
                x=[a for a, k in zip(x, keep, strict=True) if k],
                y=[c / scale for c, k in zip(cash, keep, strict=True) if k],
                name=name, width=0.6,
                marker={"color": colour, "pattern": _hatched(pattern)},
                hovertemplate="%{x}: %{y:,.2f} " + label(unit) + "<extra>" + name + "</extra>",
            )  # fmt: skip
    figure.add_scatter(
        x=x, y=[t / scale for t in total], mode="lines+markers", name="sum so far",
        line={"color": INK, "width": 2.5}, marker={"size": 7, "color": INK},
        hovertemplate="%{x}: %{y:,.2f} " + label(unit) + "<extra>sum so far</extra>",
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1}, layer="below")
    when = _paid_back(years, total)
    if when is not None:
        at, said = when
        figure.add_annotation(
            text=said, x=at, xref="x", y=0, yref="y", showarrow=True, arrowhead=0, arrowcolor=GREEN,
            ax=0, ay=-46, font={"size": 13, "color": GREEN}, arrowwidth=2,
        )  # fmt: skip
    elif total and total[-1] < 0:
        figure.add_annotation(
            text="not paid back in these years", x=1, xref="paper", xanchor="right", y=1,
            yref="paper", yanchor="top", showarrow=False, font={"size": 13, "color": VERMILLION},
        )  # fmt: skip
    figure.update_layout(barmode="relative")
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=x, showgrid=False,
        title={"text": "Year", "font": {"size": 12}}, nticks=min(len(x), 16) or 1,
    )  # fmt: skip
    figure.update_yaxes(title={"text": label(unit) or "Money", "font": {"size": 12}},
                        gridcolor=GRID)  # fmt: skip
    return figure


def _unit(values: list[float], currency: str) -> tuple[str, float]:
    """Return the unit that keeps numbers short, and what it stands for."""
    most = max((abs(v) for v in values), default=0.0)
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if most >= 2 * size:
            return f"{word} {currency}".strip(), size
    return currency, 1.0


def _paid_back(years: list[int], total: list[float]) -> tuple[float, str] | None:
    """Return the place on the axis where the sum rises above 0 for good, and the words."""
    if not total or total[-1] < 0 or min(total) >= 0:
        return None
    last = max(i for i, t in enumerate(total) if t < 0)
    at = last + total[last] / (total[last] - total[last + 1])
    year = years[last + 1]
    return at, f"paid back in {year if year >= 1000 else f'year {year}'}"
