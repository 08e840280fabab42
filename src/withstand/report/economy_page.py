"""The report of an economy: whose inputs, whose value, how far upstream, and what a loss costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from withstand import measures, stress
from withstand.errors import UsageError
from withstand.model.findings import counted
from withstand.model.provenance import provenance_of
from withstand.report import page, workbook
from withstand.report.economy import (
    Panel,
    export_origins,
    exposure_map,
    path_tree,
    position_scatter,
)
from withstand.report.headline import Card
from withstand.report.markup import Section, cards, details, figure, paragraphs, table
from withstand.report.tables import Column, Table
from withstand.report.words import percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from withstand.measures import Reliance
    from withstand.model.network import ProductionNetwork

NUMBERS = "Numbers behind the chart"
REGIONS_LOST = 8
SHARE_LOST = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class EconomyContents:
    """What the report of an economy shows.

    Parameters
    ----------
    network : ProductionNetwork
    made_at : str
    home : str
        Region that is looked at: the home of the network, else the largest.
    sentences : tuple of str
        What was found.
    cards : tuple of Card
    panels : tuple of (str, str, Panel)
        Anchor, short name and panel of each section.
    losses : Table
        What the loss of a tenth of a region's capacity costs home and the world.
    """

    network: ProductionNetwork
    made_at: str
    home: str
    sentences: tuple[str, ...]
    cards: tuple[Card, ...]
    panels: tuple[tuple[str, str, Panel], ...]
    losses: Table


def gather_economy(
    network: ProductionNetwork, *, progress: Callable[[str, int, int], None] | None = None
) -> EconomyContents:
    """Compute everything that the report of an economy shows.

    Raises
    ------
    UsageError
        If the network is no economy.
    """
    if network.flow_table is None:
        raise UsageError("This network is no economy with a matrix of flows.")

    def say(stage: str, done: int) -> None:
        if progress:
            progress(stage, done, 6)

    home = home_of(network)
    say("looking through the tiers", 0)
    reliance = measures.foreign_reliance(network, region=home)
    content = measures.value_added_content(network, region=home)
    say("positions", 1)
    up, down = measures.upstreamness(network), measures.downstreamness(network)
    say("value in exports", 2)
    exports = measures.export_decomposition(network)
    say("largest paths", 3)
    paths = measures.structural_paths(network, _most_foreign(network, reliance, home), n=20)
    say("losing a part of each region", 4)
    losses = _losses(network, home)
    made: list[tuple[str, str, Panel]] = []
    for anchor, name, draw in (
        ("inputs", "Inputs from abroad", lambda: exposure_map(reliance)),
        ("paths", "Largest paths", lambda: path_tree(paths)),
        ("exports", "Value in exports", lambda: export_origins(exports)),
        ("positions", "Positions", lambda: position_scatter(up, down, marked=home)),
    ):
        try:
            made.append((anchor, name, draw()))
        except UsageError:  # nothing to draw, for instance no trade at all
            continue
    abroad = reliance.total().filter(pl.col("source") != home)
    own = float(content.share_of(home))
    return EconomyContents(
        network=network,
        made_at=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        home=home,
        sentences=(
            content.summary(),
            reliance.summary(),
            exports.summary(),
            up.summary(),
            paths.summary(),
        ),
        cards=(
            Card(
                number=percent(own), what=f"of the value of final products of {home} arises there"
            ),
            Card(
                number=percent(float(abroad["gross"].sum())),
                what=f"of the inputs of {home} come from abroad, all tiers counted",
                note=f"{percent(float(abroad['face'].sum()))} are bought there directly",
            ),
            Card(
                number=_worst(losses)[0],
                what="a tenth of its capacity lost costs home most, of the regions abroad",
                note=_worst(losses)[1],
            ),
        ),
        panels=tuple(made),
        losses=losses,
    )


def home_of(network: ProductionNetwork) -> str:
    """Return the home of an economy, or its largest region where none is stated."""
    if network.settings.home is not None:
        return network.settings.home
    sums = pl.DataFrame(
        {"region": network.region_labels[network.node_region], "output": network.output}
    )
    largest = sums.group_by("region").agg(pl.col("output").sum())
    return str(largest.sort(["output", "region"], descending=[True, False])["region"][0])


def _most_foreign(network: ProductionNetwork, reliance: Reliance, home: str) -> str:
    """Return the node at home whose final sales hold most value from abroad."""
    share = reliance.to_frame().filter(pl.col("source") != home).group_by("node")
    final = pl.DataFrame({"node": network.node_labels, "final": network.final_demand})
    held = share.agg(pl.col("value").sum()).join(final, on="node")
    held = held.with_columns((pl.col("value") * pl.col("final")).alias("abroad"))
    ranked = held.sort(["abroad", "node"], descending=[True, False], nulls_last=True)
    return str(ranked["node"][0]) if ranked.height else home


def _losses(network: ProductionNetwork, home: str) -> Table:
    """Return what the loss of a tenth of the capacity of each large region costs."""
    made = pl.DataFrame(
        {"region": network.region_labels[network.node_region], "output": network.output}
    )
    largest = made.group_by("region").agg(pl.col("output").sum()).filter(pl.col("output") > 0)
    order = largest.sort(["output", "region"], descending=[True, False])["region"].to_list()
    rows = []
    for region in [r for r in order if r != home][:REGIONS_LOST]:
        lost = stress.closure(network, region=region, share=SHARE_LOST, kind="capacity")
        by_region = lost.by_region()
        at_home = by_region.filter(pl.col("region") == home)
        rows.append(
            {
                "region": region,
                "world": float(lost.to_frame()["value_added_loss"].sum()),
                "home": float(at_home["value_added_loss"].sum()),
                "share": float(at_home["share_lost"].sum()),
            }
        )
    schema = {
        "region": pl.String,
        "world": pl.Float64,
        "home": pl.Float64,
        "share": pl.Float64,
    }
    frame = pl.DataFrame(rows, schema=schema).sort(["home", "region"], descending=[True, False])
    money = network.settings.currency
    return Table(
        name="Capacity lost",
        title=f"What it costs when a region abroad loses a tenth of its capacity ({home} is home).",
        frame=frame,
        columns=(
            Column(header="Region", unit="", kind="text"),
            Column(header="Value added lost in all", unit=money, kind="number"),
            Column(header="of it at home", unit=money, kind="number"),
            Column(header="Output lost at home", unit="", kind="share"),
        ),
    )


def _worst(losses: Table) -> tuple[str, str]:
    if losses.frame.height == 0:
        return "none", ""
    first = losses.frame.row(0, named=True)
    return str(first["region"]), f"{percent(first['share'])} of output at home"


def economy_sections(contents: EconomyContents) -> list[Section]:
    """Return the sections of the page, in order."""
    head = Section(
        anchor="headline",
        name="In short",
        title=contents.sentences[0],
        body=cards(contents.cards) + paragraphs(contents.sentences[1:]),
    )
    found = [head]
    for anchor, name, panel in contents.panels:
        body = figure(f"chart-{anchor}", panel.figure, name, wide=True)
        body += details(NUMBERS, table(panel.table))
        found.append(Section(anchor=anchor, name=name, title=panel.title, body=body))
    assumption = (
        "The cells make less, others still get their inputs from them, and final users go short: "
        "the mixed model of Miller and Blair. The closures on the page Shock an economy give "
        "bounds around it."
    )
    losses = Section(
        anchor="losses",
        name="Capacity lost",
        title=contents.losses.title,
        body=paragraphs([assumption]) + table(contents.losses),
    )
    findings = counted(len(contents.network.findings), "finding")
    basis = Section(
        anchor="basis",
        name="Basis",
        title="What this rests on.",
        body=paragraphs([f"{findings} in the data; withstand check lists them."])
        + details("Settings", table(_settings(contents))),
    )
    return [*found, losses, basis]


def economy_page(contents: EconomyContents) -> bytes:
    """Return the report of an economy as one HTML page; see `withstand.report.page.page`."""
    sections = economy_sections(contents)
    return page.bound(contents.network, contents.made_at, "Economy", sections)


def economy_workbook(contents: EconomyContents) -> bytes:
    """Return the report of an economy as an XLSX file; see `withstand.report.workbook`."""
    tables = [panel.table for _, _, panel in contents.panels]
    return workbook.bound(
        contents.network.name,
        contents.made_at,
        list(contents.sentences),
        [*tables, contents.losses],
        _settings(contents),
    )


def _settings(contents: EconomyContents) -> Table:
    proof = provenance_of("report of an economy", contents.network, {})
    rows = [
        ("Network", contents.network.name),
        ("Looked at from", contents.home),
        ("Fingerprint of its tables", proof.fingerprint),
        ("Computed", contents.made_at),
        *((f"Version of {k}", v) for k, v in proof.versions.items()),
    ]
    return Table(
        name="Settings",
        title="What it takes to compute this report again.",
        frame=pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        columns=(
            Column(header="What", unit="", kind="text"),
            Column(header="Value", unit="", kind="text"),
        ),
    )
