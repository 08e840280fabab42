"""The figures of a plan: calendar, money, who earns where, frontier, losses and output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.report.figures import (
    BLUE,
    GREEN,
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
from withstand.report.plan_tables import alternatives_frame, plan_names
from withstand.report.stress_figures import dumbbells
from withstand.report.words import capital, label, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from withstand.report.plan_contents import PlanContents

MOST_ROWS = 18
"""Scenarios drawn; the table beside lists all."""
NAME = 42


def _small(text: str) -> dict[str, object]:
    return {"text": label(text, 80), "font": {"size": 12}, "standoff": 8}


def gantt(contents: PlanContents) -> go.Figure:
    """Draw when each option is under way and when it is in place; dotted: strikes."""
    frame = contents.plan.calendar()
    years = contents.years
    rows = list(range(frame.height))
    start = [y - 1.0 for y in frame["start_year"]]
    ready = frame["ready_after_years"].to_list()
    end = max([float(years), *(r + 0.2 for r in ready)])
    names = [f"{o} {n}" for o, n in frame.select("option", "name").iter_rows()]
    figure = _figure(120 + 30 * len(rows), top=44, legend=True)
    said = [label(n, 80) for n in names]
    parts = (
        ("under way", start, [r - s for s, r in zip(start, ready, strict=True)], SKY, "/"),
        ("in place", ready, [end - r for r in ready], BLUE, ""),
    )
    for name, base, length, colour, shape in parts:
        figure.add_bar(
            y=rows, x=length, base=base, orientation="h", name=name, width=0.6,
            marker={"color": colour, "pattern": {"shape": shape, "fgcolor": PALE, "size": 6}},
            hovertext=[f"{n}: {number(a, 2)} to {number(a + x, 2)}"
                       for n, a, x in zip(said, base, length, strict=True)],
            hovertemplate="%{hovertext} years from now<extra>" + name + "</extra>",
        )  # fmt: skip
    onsets = sorted(set(contents.strikes["strikes_after_years"].to_list()))
    lines_x: list[float | None] = []
    lines_y: list[float | None] = []
    for onset in onsets:
        lines_x += [onset, onset, None]
        lines_y += [-0.6, len(rows) - 0.4, None]
    figure.add_scatter(
        x=lines_x, y=lines_y, mode="lines", name="a scenario may strike", hoverinfo="skip",
        line={"color": VERMILLION, "width": 1.5, "dash": "dot"},
    )  # fmt: skip
    figure.update_layout(barmode="overlay")
    step = max(1, round(end / 8))
    figure.update_xaxes(title=_small("Years from now"), range=[0, max(end, onsets[-1] + 0.1)],
                        dtick=step)  # fmt: skip
    figure.update_yaxes(_rows_axis(names, NAME))
    return figure


def spend_by_year(contents: PlanContents) -> go.Figure:
    """Draw money that comes, what is spent, and what is left, year by year."""
    frame = contents.plan.spend()
    years = [f"Year {y}" for y in frame["year"]]
    figure = _figure(280, top=44, legend=True)
    unit = contents.unit
    bars = [("spent", frame["spent"], BLUE)]
    if contents.budget is not None:
        bars.insert(0, ("money that comes", frame["money"], PALE))
    for name, values, colour in bars:
        figure.add_bar(
            x=years, y=[v / contents.scale for v in values], name=name, marker={"color": colour},
            hovertemplate="%{x}: %{y:,.2f} " + label(unit) + "<extra>" + name + "</extra>",
        )  # fmt: skip
    if contents.budget is not None:
        figure.add_scatter(
            x=years, y=[v / contents.scale for v in frame["left"]], name="left at the end",
            mode="lines+markers", line={"color": ORANGE, "width": 2, "dash": "dash"},
            marker={"size": 8, "color": ORANGE, "symbol": "diamond"},
            hovertemplate="%{x}: %{y:,.2f} " + label(unit) + "<extra>left</extra>",
        )  # fmt: skip
    figure.update_yaxes(title=_small(capital(unit)), rangemode="tozero")
    figure.update_xaxes(showgrid=False)
    return figure


def losses(contents: PlanContents, kind: str) -> go.Figure:
    """Draw the loss of each scenario before and after; kind is programme or simulated."""
    frame = contents.losses.head(MOST_ROWS)
    names = frame["name"].to_list()
    unit = label(contents.unit)
    before, after = (
        [None if v is None else v / contents.scale for v in frame[f"{kind}_{when}"]]
        for when in ("before", "after")
    )
    figure = dumbbells(
        names, ("with the plan", after), ("without it", before), f"Loss, {unit}", unit
    )
    most = max(
        (v / contents.scale for c in frame.columns[3:] for v in frame[c] if v is not None),
        default=1.0,
    )
    top = (most or 1.0) * 1.06
    figure.update_xaxes(range=[-0.02 * top, top])
    return figure


def earns(contents: PlanContents) -> go.Figure:
    """Draw which option earns where: options by scenarios, the loss each one saves."""
    frame = contents.earns
    options = frame["option"].unique(maintain_order=True).to_list()
    shown = [n for n in contents.losses["name"] if n in set(frame["name"])][:MOST_ROWS]
    saved = {(o, n): s for o, n, s in frame.select("option", "name", "saved").iter_rows()}
    table = [[saved.get((o, n)) for n in shown] for o in options]
    most = max((v for row in table for v in row if v is not None), default=1.0)
    named = [f"{o} {contents.option_name(o)}" for o in options]
    unit = label(contents.unit)
    figure = _figure(130 + 30 * len(options), top=8)
    figure.add_heatmap(
        z=[[None if v is None else v / contents.scale for v in row] for row in table],
        x=list(range(len(shown))), y=list(range(len(options))),
        zmin=0, zmax=most / contents.scale, colorscale=[[0.0, PALE], [1.0, SKY]], showscale=False,
        xgap=2, ygap=2, hoverongaps=False,
        text=[["" if v is None else number(v / contents.scale) for v in row] for row in table],
        texttemplate="%{text}", textfont={"size": 12},
        customdata=[[[label(name, 60), label(n, 60)] for n in shown] for name in named],
        hovertemplate="%{customdata[0]}, %{customdata[1]}: %{text} " + unit
        + " saved<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(shown))), ticktext=[label(n, 16) for n in shown],
                        tickangle=-35 if len(shown) > 5 else 0, showgrid=False)  # fmt: skip
    figure.update_yaxes(_rows_axis(named, NAME))
    return figure


def frontier(contents: PlanContents) -> go.Figure:
    """Draw expected loss and tail of the best plan for each budget, and this plan among them."""
    assert contents.frontier is not None
    frame, plan = contents.frontier.to_frame(), contents.plan
    unit = label(contents.unit)
    budgets = [b / contents.scale for b in frame["budget"]]
    figure = _figure(380, top=62, legend=True)
    worst = f"mean of the worst {1 - plan.objective.alpha:.0%}"
    for name, column, colour, dash, symbol in (
        (worst, "tail_loss", ORANGE, "dash", "square"),
        ("expected loss", "expected_loss", BLUE, "solid", "circle"),
    ):
        figure.add_scatter(
            x=budgets, y=[v / contents.scale for v in frame[column]],
            mode="lines+markers", name=name,
            line={"color": colour, "width": 2.5, "dash": dash},
            marker={"size": 7, "color": colour, "symbol": symbol},
            customdata=[[label(c, 90) or "nothing"] for c in frame["chosen"]],
            hovertemplate="%{x:,.1f} buys %{customdata[0]}: %{y:,.2f} " + unit
            + "<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[contents.own_budget / contents.scale], y=[plan.expected_loss / contents.scale],
        mode="markers+text", name="this plan",
        text=["  this plan"], textposition="top right", textfont={"size": 12, "color": INK},
        marker={"size": 14, "color": VERMILLION, "symbol": "diamond"}, cliponaxis=False,
        hovertemplate="this plan: %{y:,.2f} " + unit + "<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title=_small(f"Budget over the horizon, {contents.unit}"))
    figure.update_yaxes(title=_small(f"Loss, {contents.unit}"), rangemode="tozero")
    return figure


def worth(years: Sequence[int], values: Sequence[float], currency: str) -> go.Figure:
    """Draw by how much one unit of money more in each year lowers what is minimised."""
    figure = _figure(230, top=28)
    figure.add_bar(
        x=[f"Year {y}" for y in years], y=list(values), marker={"color": GREEN},
        text=[number(v, 2) for v in values], textposition="outside", cliponaxis=False,
        hovertemplate="%{x}: %{text} " + label(currency) + "<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(title=_small(f"{currency} for one more"), rangemode="tozero")
    figure.update_xaxes(showgrid=False)
    return figure


def output(contents: PlanContents) -> go.Figure:
    """Draw the output that capacities allow without each region, before and after."""
    frame = contents.output
    before, after = _hundred(frame["before"].to_list()), _hundred(frame["after"].to_list())
    figure = dumbbells(
        frame["name"].to_list(), ("with the plan", after), ("without it", before),
        "Share of final demand", "%",
    )  # fmt: skip
    figure.update_xaxes(_percent_axis("Share of final demand") | {"range": [-2, 104]})
    return figure


def side_by_side(contents: PlanContents) -> go.Figure:
    """Draw which options the plan and the others choose; the number is the start year."""
    frame = alternatives_frame(contents)
    columns = [c for c in frame.columns if c.startswith("plan_")]
    names = plan_names(contents)
    table = frame.select(columns).to_numpy().astype(float)
    named = [f"{o} {n}" for o, n in frame.select("option", "name").iter_rows()]
    figure = _figure(90 + 28 * frame.height, top=8)
    z = np.where(np.isnan(table), np.nan, 1.0)
    figure.add_heatmap(
        z=[[None if np.isnan(v) else v for v in row] for row in z],
        x=list(range(len(names))), y=list(range(frame.height)), zmin=0, zmax=1,
        colorscale=[[0.0, PALE], [1.0, SKY]], showscale=False, xgap=2, ygap=2, hoverongaps=False,
        text=[["" if np.isnan(v) else f"year {int(v)}" for v in row] for row in table],
        texttemplate="%{text}", textfont={"size": 12},
        customdata=[[[label(n, 60), p] for p in names] for n in named],
        hovertemplate="%{customdata[0]}, %{customdata[1]}: %{text}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names, showgrid=False,
                        side="bottom", range=[-0.5, len(names) - 0.5])  # fmt: skip
    figure.update_yaxes(_rows_axis(named, NAME))
    return figure


def beyond(contents: PlanContents) -> go.Figure:
    """Draw the loss with the plan and the loss that remains whatever is spent."""
    frame = contents.beyond.head(MOST_ROWS)
    unit = label(contents.unit)
    figure = _figure(120 + 30 * frame.height, top=44, legend=True)
    rows = list(range(frame.height))
    said = [label(n, 60) for n in frame["name"]]
    for name, values, colour, width in (
        ("without the plan", frame["before"], PALE, 0.78),
        ("with the plan", frame["after"], SKY, 0.6),
        ("whatever is spent", frame["left"], VERMILLION, 0.3),
    ):
        figure.add_bar(
            y=rows, x=[v / contents.scale for v in values], orientation="h", name=name, width=width,
            marker={"color": colour}, hovertext=said,
            hovertemplate="%{hovertext}: %{x:,.2f} " + unit + "<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title=_small(f"Loss, {contents.unit}"), rangemode="tozero")
    figure.update_yaxes(_rows_axis(frame["name"].to_list()))
    return figure
