"""Figures of economies, each with the table behind it: results in, a panel out.

A panel has a title that is a sentence, a Plotly figure in the style of `figures`, and the exact
numbers. Nothing here computes a measure: what is drawn is what the results hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.report.figures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    OTHERS,
    PALE,
    PURPLE,
    SKY,
    VERMILLION,
    _figure,
    _hundred,
    _percent_axis,
    _rows_axis,
)
from withstand.report.tables import Column, Table
from withstand.report.words import label, number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from withstand.measures.export_decompositions import ExportDecomposition
    from withstand.measures.path_search import StructuralPaths
    from withstand.measures.positions import Position
    from withstand.measures.reliances import Reliance

MOST_SOURCES = 15
MOST_BUYERS = 18
MOST_LINES = 7
MOST_EXPORTERS = 20
MOST_MARKS = 1_500
BLANK = "\u00a0"
"""A blank that is not swallowed at the ends of a label."""
LONGEST_LABEL = 44
RELIANCES = {
    "face": ("Purchases bought there", "of its purchases"),
    "gross": ("Inputs from there, all tiers", "of the inputs that all its tiers use"),
    "value": ("Value from there, all tiers", "of the value inside its output"),
}
GROUPS = {
    "VAX": ("own value, used up abroad", BLUE),
    "REF": ("own value, comes home", SKY),
    "FVA": ("value of other regions", VERMILLION),
    "DDC": ("own value, counted twice", PALE),
    "FDC": ("value of others, counted twice", ORANGE),
    "PDC": ("counted twice", ORANGE),
    "residual": ("not explained by the table", GREY),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One figure with what it says and what it is drawn from.

    Parameters
    ----------
    title : str
        What it shows, in one sentence.
    figure : plotly.graph_objects.Figure
    table : Table
    """

    title: str
    figure: go.Figure
    table: Table


def exposure_map(reliance: Reliance, *, version: str = "gross") -> Panel:
    """Draw how much of its inputs each buyer has from each foreign region: rows are the sources.

    Parameters
    ----------
    reliance : Reliance
        As `measures.foreign_reliance` gives it; of many buyers and sources the largest are drawn.
    version : {"face", "gross", "value"}

    Raises
    ------
    UsageError
        If the version is unknown, or nothing comes from abroad.
    """
    if version not in RELIANCES:
        raise UsageError(f"version must be one of {', '.join(RELIANCES)}, not '{version[:40]}'.")
    frame = reliance.to_frame().filter("is_foreign").rename({version: "share"})
    frame = frame.select("node", "source", "share").filter(pl.col("share") > 0)
    if frame.height == 0:
        raise UsageError("No input comes from abroad, so that there is nothing to draw.")
    buyers = _largest(frame, "node", MOST_BUYERS)
    sources = _largest(frame.filter(pl.col("node").is_in(buyers)), "source", MOST_SOURCES)
    shown = frame.filter(pl.col("node").is_in(buyers) & pl.col("source").is_in(sources))
    shares = {(s, b): x for b, s, x in shown.iter_rows()}
    z = [[shares.get((s, b)) for b in buyers] for s in sources]
    top = max(shares.values())
    axis, words = RELIANCES[version]
    worst = frame.sort("share", descending=True).row(0)
    figure = _figure(150 + 25 * len(sources), top=28)
    figure.add_heatmap(
        z=[_hundred(row) for row in z], x=list(range(len(buyers))), y=list(range(len(sources))),
        zmin=0, zmax=100 * top, xgap=2, ygap=2, showscale=False, hoverongaps=False,
        colorscale=[[0.0, PALE], [1.0, SKY]],
        text=[[f"{100 * v:.1f}" if v and v >= 0.0005 else "" for v in row] for row in z],
        texttemplate="%{text}", textfont={"size": 11},
        customdata=[[[label(s), label(b)] for b in buyers] for s in sources],
        hovertemplate="%{customdata[1]}: %{z:.2f} % from %{customdata[0]}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(
        side="bottom", showgrid=False, tickvals=list(range(len(buyers))),
        ticktext=[label(b, 14) for b in buyers], tickangle=-45 if len(buyers) > 9 else 0,
        title={"text": f"{axis}, % {words}", "font": {"size": 12}},
    )  # fmt: skip
    figure.update_yaxes(_rows_axis(sources, 24))
    title = (
        f"{label(worst[0])} has the largest part from one region abroad: {percent(worst[2])} "
        f"{words} come from {label(worst[1])}."
    )
    columns = (_column("Buyer"), _column("From"), _column(axis, kind="share"))
    ordered = frame.sort(["share", "node", "source"], descending=[True, False, False])
    return _panel("Exposure", title, figure, ordered, columns)


def _largest(frame: pl.DataFrame, column: str, most: int) -> list[str]:
    """Return the labels with the largest sums, the largest first."""
    sums = frame.group_by(column).agg(pl.col("share").sum())
    return sums.sort(["share", column], descending=[True, False])[column].head(most).to_list()


def position_scatter(up: Position, down: Position, *, marked: str | None = None) -> Panel:
    """Draw every node by its steps to final users and from value added, as large as its sales.

    Parameters
    ----------
    up, down : Position
        Upstreamness and downstreamness of one network.
    marked : str, optional
        Region or product whose nodes are coloured; the nodes of others are grey.

    Raises
    ------
    UsageError
        If they are not of one network, or nothing is marked.
    """
    if (up.kind, down.kind) != ("upstreamness", "downstreamness"):
        raise UsageError("Give upstreamness first and downstreamness second.")
    if up.provenance.fingerprint != down.provenance.fingerprint:
        raise UsageError("The two positions are those of different networks.")
    frame = up.to_frame().join(
        down.to_frame().select("node", "downstreamness"), on="node", maintain_order="left"
    )
    frame = frame.filter(pl.col("sales") > 0).sort(["sales", "node"], descending=[True, False])
    is_marked = pl.any_horizontal(pl.col("region", "product").eq_missing(pl.lit(marked)))
    if marked is not None and frame.filter(is_marked).height == 0:
        raise UsageError(f"No node that sells anything has the region or product '{marked[:60]}'.")
    shown = frame.head(MOST_MARKS)
    if marked is not None:
        shown = pl.concat([shown, frame.slice(MOST_MARKS).filter(is_marked)])
    figure = _figure(460, top=44, legend=marked is not None)
    largest = float(shown["sales"].max())  # type: ignore[arg-type]
    groups = [("others" if marked else "nodes", GREY if marked else BLUE, 0.35, shown)]
    if marked is not None:
        groups = [("others", GREY, 0.3, shown.filter(~is_marked))]
        groups.append((label(marked), VERMILLION, 0.85, shown.filter(is_marked)))
    for name, colour, opacity, own in groups:
        sizes = 4.0 + 34.0 * np.sqrt(own["sales"].to_numpy() / largest)
        figure.add_scatter(
            x=own["downstreamness"].round(4).to_list(), y=own["upstreamness"].round(4).to_list(),
            mode="markers", name=name, opacity=opacity,
            marker={"size": sizes.round(1).tolist(), "color": colour, "line": {"width": 0}},
            customdata=[[label(n), number(s)] for n, s in own.select("node", "sales").iter_rows()],
            hovertemplate="%{customdata[0]}: %{y:.2f} steps to final users, %{x:.2f} from value"
            " added, sales %{customdata[1]}<extra></extra>",
        )  # fmt: skip
    named = (shown.filter(is_marked) if marked is not None else shown).head(6)
    figure.add_scatter(
        x=named["downstreamness"].to_list(), y=named["upstreamness"].to_list(), mode="text",
        text=[label(n, 18) for n in named["node"]], textposition="top center", showlegend=False,
        textfont={"size": 11, "color": INK}, hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip
    figure.update_xaxes(title={"text": "Downstreamness: steps from value added", "font": _SMALL})
    figure.update_yaxes(title={"text": "Upstreamness: steps to final users", "font": _SMALL})
    figure.update_xaxes(showgrid=True)
    far = frame.sort(["upstreamness", "node"], descending=[True, False]).row(0, named=True)
    title = (
        f"On average a unit of output stands {up.mean:.2f} steps from final users; farthest is "
        f"{label(far['node'])} with {far['upstreamness']:.2f}."
    )
    columns = (
        _column("Node"), _column("Product"), _column("Region"),
        _column("Sales", "currency a period", "number"),
        _column("Upstreamness", "steps", "number"), _column("Downstreamness", "steps", "number"),
    )  # fmt: skip
    return _panel("Positions", title, figure, frame, columns)


_SMALL = {"size": 12}


def time_lines(
    frame: pl.DataFrame,
    value: str,
    *,
    group: str | None = None,
    time: str = "year",
    what: str,
    unit: str = "%",
) -> Panel:
    """Draw a measure over time, a line a group, as `measures.over_time` gives it.

    Parameters
    ----------
    frame : polars.DataFrame
        With the columns `time`, `value` and, for several lines, `group`.
    value : str
        Column that is drawn; with the unit "%" shares between 0 and 1.
    group : str, optional
        Column of labels; of many the largest at the end are drawn.
    time : str
    what : str
        What the value is, for the axis and the title.
    unit : str

    Raises
    ------
    UsageError
        If a column is missing or no value is known.
    """
    needed = [c for c in (time, value, group) if c is not None]
    missing = [c for c in needed if c not in frame.columns]
    if missing:
        raise UsageError(
            f"The frame lacks {', '.join(missing)}; it has {', '.join(frame.columns)}."
        )
    kept = frame.select(needed).drop_nulls().sort(needed[:1] + needed[2:])
    if kept.height == 0:
        raise UsageError(f"No value of '{value}' is known.")
    first, last = str(kept[time].min()), str(kept[time].max())
    names: list[str | None] = [None]
    if group is not None:
        end = kept.filter(pl.col(time) == kept[time].max()).sort(
            [value, group], descending=[True, False]
        )
        names = end[group].head(MOST_LINES).to_list()
    scale = 100.0 if unit == "%" else 1.0
    figure = _figure(360, top=56 if group else 16, legend=group is not None)
    ends: list[tuple[str, float, float]] = []
    for name, colour in zip(names, (BLUE, *OTHERS), strict=False):
        own = kept if name is None else kept.filter(pl.col(group or "") == name)
        values = [round(scale * v, 4) for v in own[value].to_list()]
        said = label(what if name is None else name)
        figure.add_scatter(
            x=own[time].to_list(), y=values, mode="lines+markers", name=said,
            line={"color": colour, "width": 2.5}, marker={"size": 6, "color": colour},
            hovertemplate="%{x}: %{y:.2f} " + label(unit) + "<extra>" + said + "</extra>",
        )  # fmt: skip
        ends.append((said, values[0], values[-1]))
    figure.update_xaxes(tickformat="d", nticks=10)
    figure.update_yaxes(
        title={"text": label(unit), "font": _SMALL}, rangemode="tozero",
    )  # fmt: skip
    said, before, after = ends[0]
    whose = "" if group is None else f", {said} (the most in {last})"
    title = (
        f"{label(what, 80)}{whose}: {before:.3g} {label(unit)} in {first}, "
        f"{after:.3g} {label(unit)} in {last}."
    )
    kind = "share" if unit == "%" else "number"
    columns = [_column(time.capitalize()), _column(what, unit, kind)]
    columns += [] if group is None else [_column(group.capitalize())]
    return _panel("Time lines", title, figure, kept, tuple(columns))


def path_tree(paths: StructuralPaths) -> Panel:
    """Draw the largest paths as a tree: each supplier in a row below its buyer, indented.

    The strong bar is what the path that ends there holds, the pale one what its branch holds.

    Raises
    ------
    UsageError
        If there is no path.
    """
    tree = paths.tree()
    if tree.height == 0:
        raise UsageError(f"There is no path to draw: {paths.summary()}")
    depth = tree["depth"].to_list()
    texts = [text.strip() for text in tree["path"].to_list()]
    rows = list(range(tree.height))
    figure = _figure(110 + 24 * len(rows), top=44, legend=True)
    own, below = tree["share"].fill_null(0.0).to_list(), tree["below"].to_list()
    for name, shares, colour in (
        ("its whole branch, as far as listed", below, PALE),
        ("the path that ends here", own, BLUE),
    ):
        figure.add_bar(
            y=rows, x=_hundred(shares), orientation="h", name=name, marker={"color": colour},
            hovertext=[label(t) for t in texts],
            hovertemplate="%{hovertext}: %{x:.2f} %<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(barmode="overlay")
    # tick labels stand to the right: of one width, in a font of one width, they show the tree
    indented = [
        f"{BLANK * 3 * (d - 1)}└ {t}" if d else t for t, d in zip(texts, depth, strict=True)
    ]
    width = min(max(len(t) for t in indented), LONGEST_LABEL)
    said = [label(t, LONGEST_LABEL).ljust(width, BLANK) for t in indented]
    axis = _rows_axis(texts) | {"ticktext": said}
    figure.update_yaxes(axis, tickfont={"family": "monospace", "size": 12})
    what = "output" if paths.extension is None else paths.extension.replace("_", " ")
    top = max(0.01, *below) * 1.05
    figure.update_xaxes(
        title={"text": f"Share of the {label(what)} behind {label(paths.target)}", "font": _SMALL},
        range=[0, 100 * top], ticksuffix=" %", showgrid=True,
    )  # fmt: skip
    title = (
        f"{len(paths.paths)} paths hold {percent(paths.covered)} of the {label(what)} behind "
        f"{label(paths.target)}; the largest holds {percent(float(own[0] or max(own)))}."
    )
    columns = (
        _column("Path"), _column("Depth", kind="count"),
        _column("Value", "currency a period", "number"),
        _column("Share", kind="share"), _column("Branch", kind="share"),
    )  # fmt: skip
    return _panel("Paths", title, figure, tree, columns)


def export_origins(decomposition: ExportDecomposition) -> Panel:
    """Draw whose value the exports of each region carry, and what is counted more than once.

    Raises
    ------
    UsageError
        If nothing is exported.
    """
    frame = decomposition.to_frame()
    sums = frame.group_by("exporter", "group").agg(pl.col("value").sum())
    totals = frame.group_by("exporter").agg(pl.col("value").sum().alias("exports"))
    shares = sums.join(totals.filter(pl.col("exports") > 0), on="exporter").with_columns(
        (pl.col("value") / pl.col("exports")).alias("share")
    )
    if shares.height == 0:
        raise UsageError("Nothing is exported, so that there is nothing to draw.")
    foreign = shares.filter(pl.col("group") == "FVA").select(
        "exporter", pl.col("share").alias("fva")
    )
    order = (
        totals.join(foreign, on="exporter", how="inner").sort("exports", descending=True)
        .head(MOST_EXPORTERS).sort(["fva", "exporter"], descending=[True, False])
    )  # fmt: skip
    names = order["exporter"].to_list()
    at = {name: row for row, name in enumerate(names)}
    groups = [g for g in GROUPS if g in shares["group"].to_list()]
    groups += [g for g in shares["group"].unique().sort().to_list() if g not in GROUPS]
    figure = _figure(120 + 27 * len(names), top=70, legend=True)
    for group in groups:
        name, colour = GROUPS.get(group, (group, PURPLE))
        own = shares.filter((pl.col("group") == group) & pl.col("exporter").is_in(names))
        figure.add_bar(
            y=[at[e] for e in own["exporter"].to_list()], x=_hundred(own["share"].to_list()),
            orientation="h", name=label(name), marker={"color": colour},
            hovertext=[label(e) for e in own["exporter"].to_list()],
            hovertemplate="%{hovertext}: %{x:.1f} % of exports<extra>" + label(name) + "</extra>",
        )  # fmt: skip
    figure.update_layout(barmode="relative")
    figure.update_xaxes(_percent_axis("Share of exports"))
    figure.update_yaxes(_rows_axis(names, 24))
    most = order.row(0, named=True)
    title = (
        f"Of the exports of {label(most['exporter'])}, {percent(most['fva'])} are value of other "
        + ("regions." if len(names) == 1 else "regions, the most of the exporters shown.")
    )
    table = shares.select("exporter", "group", "value", "share").sort(
        ["exporter", "value"], descending=[False, True]
    )
    words: Mapping[str, str] = {g: n for g, (n, _) in GROUPS.items()}
    table = table.with_columns(pl.col("group").replace(words))
    columns = (
        _column("Exporter"), _column("Value"), _column("Amount", "currency a period", "number"),
        _column("Share of exports", kind="share"),
    )  # fmt: skip
    return _panel("Exports by origin", title, figure, table, columns)


def _column(header: str, unit: str = "", kind: str = "text") -> Column:
    return Column(header=header, unit=unit, kind=kind)


def _panel(
    name: str, title: str, figure: go.Figure, frame: pl.DataFrame, columns: tuple[Column, ...]
) -> Panel:
    table = Table(name=name, title=title, frame=frame, columns=columns)
    return Panel(title=title, figure=figure, table=table)
