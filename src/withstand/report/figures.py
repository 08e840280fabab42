"""The figures, shared by report, notebook and app: results in, a Plotly figure out.

Labels are neutralised (see `words.label`), colours can be told apart by the colour-blind (after
Okabe and Ito) and differ in form or place too, and nothing is asked from outside the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go
import polars as pl

from withstand.report.basis import ASSUMED, CLASSES, DERIVED, PROXY, PUBLIC, UNSTATED
from withstand.report.chokepoints import home_labels, product_name, region_name
from withstand.report.runs import last_shown, who_is_hit, window
from withstand.report.words import label, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.measures.exposures import Exposure
    from withstand.model.network import ProductionNetwork
    from withstand.report.flows import TierFlows
    from withstand.stress.simulation import Simulation

BLUE, VERMILLION, ORANGE, GREEN = "#0072b2", "#d55e00", "#e69f00", "#009e73"
PURPLE, SKY, OLIVE = "#cc79a7", "#56b4e9", "#a39a3a"
GREY, PALE, BAND = "#8d939c", "#dde2e8", "rgba(213,94,0,0.14)"
INK, GRID, CLEAR = "#1c2733", "#e4e8ec", "rgba(0,0,0,0)"
DARK = {
    BLUE: "#4ea6e0", VERMILLION: "#f0803c", ORANGE: "#f2b632", GREEN: "#2fc096",
    PURPLE: "#e097c2", SKY: "#8fd0f5", OLIVE: "#cfc56a", GREY: "#8b95a1", PALE: "#37414d",
    BAND: "rgba(240,128,60,0.20)", INK: "#e4e9ef", GRID: "#2a333e",
}  # fmt: skip
"""What each colour becomes on a dark page."""
OTHERS = (VERMILLION, ORANGE, GREEN, PURPLE, SKY, OLIVE)
WHITE, BLACK = "#ffffff", "#0d1318"
STRONG, PALER = 0.5, 0.22
UNNAMED = 0.004
"""Share of the final value below which a part of the tier map bears no name."""
SHORTEST = 210
"""Least height of a figure with a legend, so that the legend never scrolls."""
MOST_BARS = 12
MOST_LOSSES = 15
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
BASIS_COLOURS = dict(zip((PUBLIC, DERIVED, PROXY, ASSUMED, UNSTATED),
                         (BLUE, SKY, ORANGE, GREY, PALE), strict=True))  # fmt: skip


def dark_colours() -> dict[str, str]:
    """Return what each colour of a figure becomes on a dark page, faded ones too."""
    solid = {k: v for k, v in DARK.items() if k.startswith("#")}
    faded = {_faded(k, s): _faded(v, s) for k, v in solid.items() for s in (STRONG, PALER)}
    return DARK | faded


def _figure(height: int, *, left: int = 8, top: int = 8, legend: bool = False) -> go.Figure:
    """Return an empty figure in the house style."""
    figure = go.Figure()
    figure.update_layout(
        template=go.layout.Template(),
        height=max(height, SHORTEST) if legend else height,
        margin={"l": left, "r": 24, "t": top, "b": 8, "pad": 4},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        dragmode=False,
        modebar={"bgcolor": CLEAR, "color": GREY, "activecolor": INK},
        hovermode="closest",
        hoverlabel={"font": {"family": FONT, "size": 13}},
        showlegend=legend,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        bargap=0.28,
    )
    axis = {"fixedrange": True, "zeroline": False, "automargin": True, "gridcolor": GRID,
            "linecolor": GRID, "ticks": "", "showline": False, "tickangle": 0}  # fmt: skip
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def _percent_axis(title: str, top: float = 100.0) -> dict[str, object]:
    ticks = [t for t in (0, 20, 40, 60, 80, 100) if t <= top]
    return {"title": {"text": title, "font": {"size": 12}}, "range": [0, top], "tickvals": ticks,
            "ticktext": [f"{t} %" for t in ticks]}  # fmt: skip


def _rows_axis(names: Sequence[str], most: int = 30) -> dict[str, object]:
    """Return a y axis with one row a name, the first on top (names may repeat)."""
    return {"tickvals": list(range(len(names))), "ticktext": [label(n, most) for n in names],
            "range": [len(names) - 0.4, -0.6], "showgrid": False}  # fmt: skip


def _hundred(shares: Sequence[float | None]) -> list[float | None]:
    return [None if s is None else round(100.0 * s + 0.0, 4) for s in shares]


def tier_map(network: ProductionNetwork, flows: TierFlows) -> go.Figure:
    """Draw what passes from region to region, tier by tier, as shares of the final value."""
    frame = flows.flows.sort(["tier", "share"], descending=[False, True])
    colours = _colours(network, flows.regions)
    index: dict[tuple[int, str | None], int] = {}
    for tier, region, to in frame.select("tier", "region", "to_region").iter_rows():
        for key in ((tier - 1, to), (tier, region)):
            index.setdefault(key, len(index))
    through = dict.fromkeys(index, 0.0)
    for tier, region, share in frame.select("tier", "region", "share").iter_rows():
        through[tier, region] += share
    names = [_node_label(network, tier, region, share) for (tier, region), share in through.items()]
    figure = _figure(480, top=60)
    figure.add_trace(
        go.Sankey(
            arrangement="fixed",
            textfont={"size": 12, "color": INK},
            node={
                "label": names,
                "color": [colours[region] for _, region in index],
                "customdata": [
                    f"{label(region_name(network, r))}, {_tier_name(t).lower()}" for t, r in index
                ],
                "align": "right", "thickness": 14, "pad": 16, "line": {"width": 0},
                "hovertemplate": "%{customdata}: %{value:.1f} % of the final value<extra></extra>",
            },
            link={
                "source": [index[t, r] for t, r in frame.select("tier", "region").iter_rows()],
                "target": [
                    index[t - 1, r] for t, r in frame.select("tier", "to_region").iter_rows()
                ],
                "value": _hundred(frame["share"].to_list()),
                "color": [
                    _faded(PURPLE if hours else colours[r], PALER if assumed else STRONG)
                    for r, hours, assumed in frame.select(
                        "region", "is_hours", "is_assumed"
                    ).iter_rows()
                ],
                "customdata": [
                    ("machine or skilled hours, software" if h else "goods")
                    + (" (assumed)" if a else "")
                    for h, a in frame.select("is_hours", "is_assumed").iter_rows()
                ],
                "hovertemplate": "%{source.customdata} to %{target.customdata},"
                " %{customdata}: %{value:.2f} % of the final value<extra></extra>",
            },
        )
    )  # fmt: skip
    depth = flows.depth
    for tier in range(depth + 1):
        x = 1.0 - tier / max(depth, 1)
        side = "right" if tier == 0 else "left" if tier == depth else "center"
        figure.add_annotation(
            text=_tier_name(tier), x=x, xanchor=side, y=1.0, yanchor="bottom", yshift=10,
            xref="paper", yref="paper", showarrow=False, font={"size": 12, "color": GREY},
        )  # fmt: skip
    return figure


def _node_label(network: ProductionNetwork, tier: int, region: str | None, share: float) -> str:
    """Return the name of a region and what passes through it; the final product says itself."""
    if tier == 0 or share < UNNAMED:
        return ""
    return f"{label(region_name(network, region), 22)} {percent(share)}"


def _tier_name(tier: int) -> str:
    return "Final product" if tier == 0 else f"Tier {tier}"


def _colours(network: ProductionNetwork, regions: Sequence[str]) -> dict[str | None, str]:
    """Return a colour for each region shown by name: home blue, the rest in order; others grey."""
    home = set(home_labels(network))
    away = [r for r in regions if r not in home]
    colours: dict[str | None, str] = {None: GREY, **dict.fromkeys(home, BLUE)}
    colours |= {r: OTHERS[i] if i < len(OTHERS) else GREY for i, r in enumerate(away)}
    return colours


def _faded(colour: str, strength: float) -> str:
    """Return a colour at part of its strength."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{strength})"


def origins(network: ProductionNetwork, frame: pl.DataFrame) -> go.Figure:
    """Draw where the mean product of each tier is bought, for networks without prices."""
    tiers = sorted(frame["tier"].unique().to_list())
    regions = frame.filter(pl.col("region").is_not_null())["region"].unique(maintain_order=True)
    colours = _colours(network, regions.to_list())
    figure = _figure(110 + 34 * len(tiers), top=40, legend=True)
    for region in [*regions.to_list(), None]:
        own = frame.filter(pl.col("region").eq_missing(pl.lit(region, dtype=pl.String)))
        shares = dict(own.select("tier", "share").iter_rows())
        figure.add_bar(
            y=list(range(len(tiers))), x=_hundred([shares.get(t) for t in tiers]), orientation="h",
            name=label(region_name(network, region), 22), marker={"color": colours[region]},
            hovertemplate="%{x:.1f} %<extra>" + label(region_name(network, region)) + "</extra>",
        )  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_xaxes(_percent_axis("Share of the mean product's purchases"))
    figure.update_yaxes(_rows_axis([_tier_name(t) for t in tiers]))
    return figure


def value_by_region(network: ProductionNetwork, exposure: Exposure) -> go.Figure:
    """Draw the share of the final value that arises in each region, home highlighted."""
    shares = exposure.shares.select("region", "name", "share").filter(pl.col("share") > 0)
    home = home_labels(network)
    is_shown = pl.col("region").is_in([*home, *shares["region"].head(MOST_BARS)])
    top, rest = shares.filter(is_shown), shares.filter(~is_shown)
    names, values = top["name"].to_list(), top["share"].to_list()
    colours = [BLUE if r in home else ORANGE for r in top["region"]]
    if rest.height:
        names.append(f"{rest.height} other regions")
        values.append(float(rest["share"].sum()))
        colours.append(GREY)
    figure = _figure(64 + 27 * len(names), top=28)
    figure.add_bar(
        y=list(range(len(names))), x=_hundred(values), orientation="h",
        marker={"color": colours}, text=[percent(v) for v in values], textposition="outside",
        cliponaxis=False, hovertext=[label(n) for n in names],
        hovertemplate="%{hovertext}: %{text} of the final value<extra></extra>",
    )  # fmt: skip
    most = min(100.0, 100.0 * max(values, default=0.0) * 1.18 + 1)
    figure.update_xaxes(_percent_axis("Share of the final value", most))
    figure.update_yaxes(_rows_axis(names))
    return figure


def output_without(network: ProductionNetwork, losses: pl.DataFrame) -> go.Figure:
    """Draw the output that can go on after the loss of each region, as a range of both rules."""
    shown = losses.head(MOST_LOSSES)
    rows = list(range(shown.height))
    best, worst = _hundred(shown["none"].to_list()), _hundred(shown["shared"].to_list())
    figure = _figure(96 + 27 * len(rows), top=44, legend=True)
    lines: list[float | None] = []
    at: list[float | None] = []
    for row, (a, b) in enumerate(zip(best, worst, strict=True)):
        lines += [b, a, None]
        at += [row, row, None]
    figure.add_scatter(x=lines, y=at, mode="lines", line={"color": GREY, "width": 2},
                       hoverinfo="skip", showlegend=False)  # fmt: skip
    limits = [product_name(network, p) for p in shown["binding_none"]]
    marks = (
        ("at worst: makers abroad need the same inputs", worst, "binding_shared", VERMILLION,
         "diamond-open"),
        ("at best: makers abroad deliver as usual", best, "binding_none", BLUE, "circle"),
    )  # fmt: skip
    for name, values, column, colour, symbol in marks:
        by = [product_name(network, p) for p in shown[column]]
        figure.add_scatter(
            x=values, y=rows, name=name, mode="markers+text" if symbol == "circle" else "markers",
            marker={"color": colour, "size": 11, "symbol": symbol, "line": {"width": 2}},
            text=[f"  {label(x, 24)}" if x else "" for x in limits], textposition="middle right",
            textfont={"size": 12, "color": GREY}, cliponaxis=False,
            customdata=[[label(r), f", limited by {label(x)}" if x else ""]
                        for r, x in zip(shown["name"], by, strict=True)],
            hovertemplate="without %{customdata[0]}: %{x:.1f} % of output"
            "%{customdata[1]}<extra></extra>",
        )  # fmt: skip
    axis = _percent_axis("Share of today's output")
    figure.update_xaxes(axis | {"range": [-2, 134]})
    figure.update_yaxes(_rows_axis(shown["name"].to_list(), 24) | {"showgrid": True})
    return figure


def coverage_bars(groups: pl.DataFrame, names: Sequence[str]) -> go.Figure:
    """Draw what is covered with all regions, without the worst, and with all tiers counted."""
    rows = list(range(len(names)))
    figure = _figure(96 + 34 * len(rows), top=62, legend=True)
    said = [label(n) for n in names]
    parts = (
        ("all regions", "whole", PALE, 0.78),
        ("worst region lost, suppliers left", "coverage", BLUE, 0.44),
    )
    for name, column, colour, width in parts:
        figure.add_bar(
            y=rows, x=_hundred(groups[column].to_list()), orientation="h", name=name,
            width=width, marker={"color": colour}, hovertext=said,
            hovertemplate="%{hovertext}: %{x:.1f} %<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.add_scatter(
        y=rows, x=_hundred(groups["deep"].to_list()), mode="markers", cliponaxis=False,
        name="worst region lost, all tiers counted", hovertext=said,
        marker={"color": VERMILLION, "size": 11, "symbol": "diamond"},
        hovertemplate="%{hovertext}: %{x:.1f} %<extra>all tiers counted</extra>",
    )  # fmt: skip
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(_percent_axis("Mean share of what is needed"))
    figure.update_yaxes(_rows_axis(names))
    return figure


def deliveries(run: Simulation, shared: Simulation | None = None) -> go.Figure:
    """Draw the share of deliveries met in each period, as a range of both rules."""
    period = run.network.settings.period
    runs = [run] if shared is None else [run, shared]
    last = last_shown(*runs)
    figure = _figure(340, top=44, legend=True)
    figure.update_layout(hovermode="x unified")
    figure.add_scatter(
        x=list(range(min(last, run.n_periods))), y=_met(run, last), mode="lines",
        name="at best: makers abroad deliver as usual", line={"color": BLUE, "width": 2.5},
        hovertemplate="%{y:.1f} %",
    )  # fmt: skip
    if shared is not None:
        figure.add_scatter(
            x=list(range(min(last, shared.n_periods))), y=_met(shared, last), mode="lines",
            name="at worst: makers abroad need the same inputs", fill="tonexty", fillcolor=BAND,
            line={"color": VERMILLION, "width": 2, "dash": "dash"}, hovertemplate="%{y:.1f} %",
        )  # fmt: skip
    _shade(figure, run, f"{label(who_is_hit(run), 24)} lost")
    figure.update_xaxes(title={"text": f"{period.capitalize()}s since the loss began",
                               "font": {"size": 12}}, rangemode="tozero")  # fmt: skip
    figure.update_yaxes(_percent_axis("Deliveries met", 100.0) | {"range": [0, 104]})
    return figure


def deliveries_small(run: Simulation, last: int) -> go.Figure:
    """Draw the same for one run as a small multiple; all of them share `last` and the scale."""
    figure = _figure(140)
    figure.add_scatter(
        x=list(range(min(last, run.n_periods))), y=_met(run, last), mode="lines",
        line={"color": BLUE, "width": 2}, hovertemplate="%{x}: %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    _shade(figure, run, "")
    figure.update_xaxes(range=[0, max(last - 1, 1)], tickfont={"size": 11}, nticks=5)
    figure.update_yaxes(range=[0, 104], tickvals=[0, 50, 100], tickfont={"size": 11},
                        ticktext=["0 %", "50 %", "100 %"])  # fmt: skip
    return figure


def _met(run: Simulation, last: int) -> list[float | None]:
    return _hundred([float(v) for v in run.met[:last]])


def _shade(figure: go.Figure, run: Simulation, text: str) -> None:
    """Shade the time of the full loss."""
    start, end = window(run)
    figure.add_shape(type="rect", xref="x", yref="paper", x0=start, x1=end, y0=0, y1=1,
                     fillcolor=PALE, opacity=0.45, layer="below", line={"width": 0})  # fmt: skip
    if text:
        figure.add_annotation(text=text, x=start, xanchor="left", y=0.02, yanchor="bottom",
                              yref="paper", showarrow=False, xshift=6,
                              font={"size": 12, "color": GREY})  # fmt: skip


def basis_of_numbers(counts: pl.DataFrame) -> go.Figure:
    """Draw what the numbers of each table rest on, as shares of the table's numbers."""
    tables = counts.group_by("table", maintain_order=True).agg(pl.exclude("column").sum())
    names = [f"{t} ({n:,})" for t, n in tables.select("table", "numbers").iter_rows()]
    rows = list(range(len(names)))
    figure = _figure(96 + 34 * len(rows), top=44, legend=True)
    for name in CLASSES:
        if not tables[name].sum():
            continue
        shares = (tables[name] / tables["numbers"]).to_list()
        figure.add_bar(
            y=rows, x=_hundred(shares), orientation="h", name=name,
            marker={"color": BASIS_COLOURS[name]}, hovertext=tables[name].to_list(),
            text=[percent(s, 0) if s > 0.07 else "" for s in shares], textangle=0,
            textposition="inside", insidetextanchor="middle",
            textfont={"size": 11, "color": WHITE if name == PUBLIC else BLACK},
            hovertemplate="%{hovertext:,} numbers, %{x:.1f} %<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_xaxes(_percent_axis("Share of the table's numbers"))
    figure.update_yaxes(_rows_axis(names))
    return figure
