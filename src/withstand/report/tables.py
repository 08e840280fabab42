"""The tables of the report, shaped for people: names, units, sentence headers.

Each function returns one `Table`; page and workbook draw the same ones. Values stay exact, how many
digits are shown is said by the kind of the column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.report.basis import CLASSES, basis_counts
from withstand.report.blocks import cost_blocks
from withstand.report.chokepoints import chokepoints, product_name, region_name
from withstand.report.flows import TierFlows, origins_by_tier, tier_flows
from withstand.report.words import percent_range

if TYPE_CHECKING:
    from withstand.measures.coverages import Coverage
    from withstand.measures.exposures import Exposure
    from withstand.model.network import ProductionNetwork
    from withstand.report.contents import Contents

KINDS = ("text", "prose", "range", "share", "count", "number", "index")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column for people: the header, its unit, and how its values are shown."""

    header: str
    unit: str = ""
    kind: str = "text"

    @property
    def title(self) -> str:
        """Header with the unit, as a spreadsheet shows it."""
        unit = "%" if self.kind == "share" else self.unit
        return f"{self.header} ({unit})" if unit else self.header


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """One table for people.

    Parameters
    ----------
    name : str
        Short name, at most 31 characters: the sheet of the workbook.
    title : str
        What it shows, in one sentence.
    frame : polars.DataFrame
        The values, exact.
    columns : tuple of Column
        One for each column of the frame, in order.
    """

    name: str
    title: str
    frame: pl.DataFrame
    columns: tuple[Column, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return the frame with headers for people."""
        return self.frame.rename(
            {old: c.title for old, c in zip(self.frame.columns, self.columns, strict=True)}
        )

    def only(self, *names: str) -> Table:
        """Return the same table with some of its columns."""
        at = [self.frame.columns.index(n) for n in names]
        return Table(
            name=self.name,
            title=self.title,
            frame=self.frame.select(names),
            columns=tuple(self.columns[i] for i in at),
        )


Spec = dict[str, tuple[str, str, str]]


def make_table(name: str, title: str, frame: pl.DataFrame, spec: Spec) -> Table:
    """Return a table of the columns named in `spec`: column -> header, kind, unit."""
    return Table(
        name=name,
        title=title,
        frame=frame.select(list(spec)),
        columns=tuple(Column(header=h, kind=k, unit=u) for h, k, u in spec.values()),
    )


def names_of(network: ProductionNetwork, labels: pl.Series, what: str) -> pl.Series:
    """Return names for people of regions or products, null for null products."""
    if what == "regions":
        return pl.Series([region_name(network, x) for x in labels], dtype=pl.String)
    return pl.Series([product_name(network, x) or None for x in labels], dtype=pl.String)


def cost_table(contents: Contents) -> Table:
    """Return the blocks of the purchase cost."""
    s = contents.network.settings
    return make_table(
        "Purchase cost",
        "What the purchase cost is made of; the one large block is opened up.",
        cost_blocks(contents.network),
        {
            "product": ("Product", "text", ""),
            "name": ("Name", "text", ""),
            "is_work": ("Work on it, inputs taken out", "text", ""),
            "value": ("Value", "number", f"{s.currency or 'currency'} per {s.period}"),
            "share": ("Share of purchase cost", "share", ""),
        },
    )


def flow_table(network: ProductionNetwork, flows: TierFlows | None = None) -> Table:
    """Return what passes from region to region in each tier."""
    frame = (flows or tier_flows(network)).flows
    named = frame.with_columns(
        names_of(network, frame["region"], "regions").alias("from"),
        names_of(network, frame["to_region"], "regions").alias("to"),
        pl.when(pl.col("is_hours")).then(pl.lit("machine or skilled hours, software"))
        .otherwise(pl.lit("goods")).alias("what"),
    ).sort(["tier", "share", "from", "to"], descending=[False, True, False, False])  # fmt: skip
    return make_table(
        "Tier map",
        "What passes from region to region, tier by tier, as a share of the final value.",
        named,
        {
            "tier": ("Tier of the supplier", "count", ""),
            "from": ("From", "text", ""),
            "to": ("To", "text", ""),
            "what": ("What", "text", ""),
            "is_assumed": ("Recipe of the buyer assumed", "text", ""),
            "share": ("Share of final value", "share", ""),
        },
    )


def origin_table(contents: Contents) -> Table:
    """Return where the mean product of each tier is bought, for networks without prices."""
    frame = origins_by_tier(contents.concentration)
    named = frame.with_columns(names_of(contents.network, frame["region"], "regions").alias("from"))
    return make_table(
        "Tier origins",
        "Where the mean product of each tier is bought.",
        named,
        {
            "tier": ("Tier", "count", ""),
            "from": ("From", "text", ""),
            "share": ("Share of the mean product", "share", ""),
            "products": ("Products in this tier", "count", ""),
        },
    )


def chokepoint_table(contents: Contents, frame: pl.DataFrame | None = None) -> Table:
    """Return the chokepoints, the one that most hangs on first."""
    network = contents.network
    found = chokepoints(contents) if frame is None else frame
    binds = [", ".join(region_name(network, r) for r in labels) for labels in found["binds"]]
    named = found.with_columns(
        names_of(network, found["region"], "regions").alias("source"),
        pl.when(pl.col("worst_region").is_not_null())
        .then(names_of(network, found["worst_region"], "regions"))
        .alias("worst"),
        pl.Series("binding", binds, dtype=pl.String),
    )
    return make_table(
        "Chokepoints",
        "Products bought outside home, the one that most hangs on first.",
        named,
        {
            "product": ("Product", "text", ""),
            "name": ("Name", "text", ""),
            "tier": ("Tier", "count", ""),
            "kind": ("Kind", "text", ""),
            "source": ("Largest source outside home", "text", ""),
            "share": ("It supplies", "share", ""),
            "stops": ("What stops without it, all tiers", "share", ""),
            "left_shared": ("Output left without it, at worst", "share", ""),
            "left_none": ("Output left without it, at best", "share", ""),
            "worst": ("Region that stops most of it, all tiers", "text", ""),
            "worst_stops": ("What it stops", "share", ""),
            "suppliers": ("Suppliers", "count", ""),
            "stock": ("Stock at home", "number", f"{network.settings.period}s of use"),
            "binding": ("First to limit output without", "text", ""),
            "reasons": ("Why", "text", ""),
            "basis": ("Basis of the share", "text", ""),
            "basis_text": ("Basis, as stated", "text", ""),
        },
    )


def chokepoints_in_short(contents: Contents, found: pl.DataFrame) -> Table:
    """Return the same for a page: fewer columns, the rest is said in the reasons."""
    network = contents.network
    left = [
        percent_range(low, high)
        for low, high in found.select("left_shared", "left_none").iter_rows()
    ]
    source = names_of(network, found["region"], "regions").alias("source")
    named = found.with_columns(source, pl.Series("left", left, dtype=pl.String))
    spec: Spec = {"name": ("Product", "text", "")}
    for column, header, kind in (("tier", "Tier", "count"), ("kind", "Kind", "text")):
        if named[column].n_unique() > 1:
            spec[column] = (header, kind, "")
    spec |= {
        "source": ("Largest source", "text", ""),
        "share": ("It supplies", "share", ""),
        "stops": ("Stops without it, all tiers", "share", ""),
        "left": ("Output left without it", "range", ""),
        "reasons": ("Why", "prose", ""),
    }
    if named["basis"].is_not_null().any():
        spec["basis"] = ("Basis of the share", "text", "")
    return make_table("Chokepoints", "Products bought outside home.", named, spec)


def value_table(exposure: Exposure | None) -> Table | None:
    """Return the share of the final value that arises in each region."""
    if exposure is None or "name" not in exposure.shares.columns:
        return None
    return make_table(
        "Value by region",
        "Share of the final value that arises in each region, all tiers counted.",
        exposure.shares,
        {
            "region": ("Region", "text", ""),
            "name": ("Name", "text", ""),
            "share": ("Share of value", "share", ""),
            "nodes": ("Nodes", "count", ""),
        },
    )


def content_table(exposure: Exposure | None, currency: str) -> Table | None:
    """Return domestic content and value of every product."""
    if exposure is None:
        return None
    money = currency or "currency"
    return make_table(
        "Value by product",
        "How much of each product's value arises at home, and its part in the purchase cost.",
        exposure.products,
        {
            "product": ("Product", "text", ""),
            "name": ("Name", "text", ""),
            "kind": ("Kind", "text", ""),
            "tier": ("Tier", "count", ""),
            "domestic_content": ("Value that arises at home", "share", ""),
            "need_per_unit": ("Needed for one final unit", "number", "units"),
            "price": ("Price", "number", f"{money} per unit"),
            "value_per_unit": ("Value in one final unit", "number", money),
            "share_of_purchase_cost": ("Against the purchase cost (overlapping)", "share", ""),
        },
    )


def loss_table(contents: Contents) -> Table:
    """Return the output that can go on after the loss of each region, under both rules."""
    losses = contents.losses
    named = losses.with_columns(
        names_of(contents.network, losses["binding_none"], "products").alias("first"),
        names_of(contents.network, losses["binding_shared"], "products").alias("first_shared"),
    )
    return make_table(
        "Output without a region",
        "Output that can go on after the loss of each region, makers abroad delivering as usual"
        " (at best) or needing the same inputs (at worst).",
        named,
        {
            "region": ("Region", "text", ""),
            "name": ("Name", "text", ""),
            "none": ("Output that can go on, at best", "share", ""),
            "first": ("Limited first by", "text", ""),
            "shared": ("At worst", "share", ""),
            "first_shared": ("Limited first by, at worst", "text", ""),
        },
    )


def coverage_groups(contents: Contents, by: str) -> pl.DataFrame:
    """Return the mean coverage by kind or tier: whole, without the worst region, all tiers counted.

    `deep` is the mean availability when the makers abroad need the same inputs and every loss is
    passed on in proportion.
    """
    deep = (
        contents.without_worst_shared.products.filter(pl.col("tier") >= 0)
        .group_by(by)
        .agg(pl.col("available").mean().alias("deep"))
    )
    left = _groups(contents.without_worst, by)
    products = contents.without_worst.products
    inner = products.filter(pl.col("tier") > 0)[by].unique()
    if contents.network.settings.lens == "plant" and len(
        inner
    ):  # the final product itself is no input: leave out groups that hold nothing else
        left = left.filter(pl.col(by).is_in(inner.implode()))
    whole = _groups(contents.whole, by).select(by, whole="coverage")
    return left.join(whole, on=by, how="left", maintain_order="left").join(
        deep, on=by, how="left", maintain_order="left"
    )


def _groups(coverage: Coverage, by: str) -> pl.DataFrame:
    frame = coverage.by_kind if by == "kind" else coverage.by_tier
    return frame if by == "kind" else frame.filter(pl.col("tier") >= 0)


def coverage_table(contents: Contents, by: str) -> Table:
    """Return the coverage by kind or by tier."""
    worst = region_name(contents.network, contents.worst_region)
    return make_table(
        f"Coverage by {by}",
        f"Mean share of what is needed that can be supplied without {worst}, by {by}.",
        coverage_groups(contents, by),
        {
            by: (by.capitalize(), "text" if by == "kind" else "count", ""),
            "products": ("Products", "count", ""),
            "whole": ("Covered with all regions", "share", ""),
            "coverage": (f"Covered without {worst}", "share", ""),
            "coverage_by_value": (f"Without {worst}, by value", "share", ""),
            "deep": (f"Without {worst}, all tiers counted", "share", ""),
            "not_fully_covered": ("Products not fully covered", "count", ""),
            "without_price": ("Products without a price", "count", ""),
        },
    )


def product_coverage_table(contents: Contents) -> Table:
    """Return the coverage of every product without the worst region."""
    worst = region_name(contents.network, contents.worst_region)
    shared = contents.without_worst_shared.products.select("product", deep="available")
    frame = contents.without_worst.products.join(
        shared, on="product", how="left", maintain_order="left"
    )
    return make_table(
        "Coverage by product",
        f"What is left of each product's supply without {worst}.",
        frame,
        {
            "product": ("Product", "text", ""),
            "name": ("Name", "text", ""),
            "kind": ("Kind", "text", ""),
            "tier": ("Tier", "count", ""),
            "covered": ("Covered by suppliers left", "share", ""),
            "deep": ("All tiers counted", "share", ""),
            "gain": ("Output gained by 10 % more of it", "share", ""),
        },
    )


def basis_table(network: ProductionNetwork) -> Table:
    """Return how many numbers of each column are facts, derived, proxies or assumptions."""
    spec: Spec = {"table": ("Table", "text", ""), "column": ("Column", "text", "")}
    spec |= {c: (c.capitalize(), "count", "") for c in CLASSES}
    spec["numbers"] = ("All", "count", "")
    return make_table(
        "Assumptions",
        "How many numbers of each column are public facts, derived from them, proxies or"
        " assumptions.",
        basis_counts(network),
        spec,
    )


def source_table(network: ProductionNetwork) -> Table | None:
    """Return the sources the tables name, if there is a table of them."""
    frame = network.tables.get("sources")
    if frame is None or frame.height == 0:
        return None
    spec: Spec = {c: (c.replace("_", " ").capitalize(), "text", "") for c in frame.columns}
    if "url" in spec:
        spec["url"] = ("Address", "text", "")
    return make_table("Sources", "The sources that the tables name.", frame.cast(pl.String), spec)
