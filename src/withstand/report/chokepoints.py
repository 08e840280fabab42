"""Chokepoints: the products that hang on one region outside home, and why each is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.recipe_inputs import CONSUMED
from withstand.report.basis import class_of
from withstand.report.words import percent, periods, plural

if TYPE_CHECKING:
    from withstand.measures.concentrations import Concentration
    from withstand.model.network import ProductionNetwork
    from withstand.report.contents import Contents

NOTABLE = 0.8
"""Share of supply from one region from which a product counts as hanging on it."""


SMALL = 0.05
"""Output lost from which a binding product is worth a word."""


def shares_behind(concentration: Concentration) -> pl.DataFrame:
    """Return the shares that a concentration is made of: product, source, share, region."""
    return concentration._shares  # one place: `why` gives them for one product at a time only


def home_labels(network: ProductionNetwork) -> list[str]:
    """Return the labels of the home regions."""
    return [str(r) for r in network.region_labels[network.is_home]]


def chokepoints(contents: Contents) -> pl.DataFrame:
    """Return every product bought from outside home, the one that most hangs on first.

    Returns
    -------
    polars.DataFrame
        product, name, tier, kind; region (label) and share (0 to 1) of the largest source outside
        home; stops: the share of its supply that stops when that region is lost, all known tiers
        counted; worst_region and worst_stops: the region outside home for which it is largest;
        left_none, left_shared: output that can go on when `region` is lost (0 to 1); suppliers;
        stock (periods of use held at home, null for hours); binds: regions whose loss this product
        is first to limit; hangs: the larger of share and the output lost where it binds; value (of
        the need, currency per period); basis and basis_text of the share; reasons in words.
    """
    network = contents.network
    home = home_labels(network)
    facts = contents.concentration.table.select("product", "name", "kind", "tier", "suppliers")
    own = _largest_outside(contents.concentration, home).rename({"source": "region"})
    deep = _largest_outside(contents.functional, home).rename(
        {"source": "worst_region", "share": "worst_stops"}
    )
    stops = shares_behind(contents.functional).select("product", region="source", stops="share")
    frame = (
        facts.join(contents.whole.products.select("product", "value"), on="product", how="left")
        .join(own, on="product", how="inner", maintain_order="left")
        .join(deep, on="product", how="left", maintain_order="left")
        .join(stops, on=["product", "region"], how="left", maintain_order="left")
        .join(_left(contents.losses), on="region", how="left", maintain_order="left")
        .join(_binding(contents.losses), on="product", how="left", maintain_order="left")
        .join(_stocks(network), on="product", how="left", maintain_order="left")
        .join(_basis(network), on=["product", "region"], how="left", maintain_order="left")
        .with_columns(pl.col("stops", "worst_stops").fill_null(0.0), pl.col("binds").fill_null([]))
    )
    output_lost = pl.col("lost_when_binding").fill_null(0.0)
    frame = frame.with_columns(pl.max_horizontal("share", output_lost).alias("hangs")).sort(
        ["hangs", "worst_stops", "value", "product"],
        descending=[True, True, True, False],
        nulls_last=True,
    )
    frame = frame.filter(~pl.col("product").is_in(_never_binding(network)))
    reasons = [_reasons(network, row) for row in frame.iter_rows(named=True)]
    return frame.with_columns(pl.Series("reasons", reasons, dtype=pl.String)).drop(
        "lost_when_binding"
    )


def _largest_outside(concentration: Concentration, home: list[str]) -> pl.DataFrame:
    shares = shares_behind(concentration).filter(~pl.col("region").is_in(home))
    return (
        shares.sort(["product", "share", "source"], descending=[False, True, False])
        .group_by("product", maintain_order=True)
        .agg(pl.col("region").first().alias("source"), pl.col("share").first())
    )


def _left(losses: pl.DataFrame) -> pl.DataFrame:
    return losses.select("region", left_none="none", left_shared="shared")


def _binding(losses: pl.DataFrame) -> pl.DataFrame:
    """Per product: the regions whose loss it is first to limit, and the output lost then."""
    parts = [
        losses.select("region", product=f"binding_{rule}", lost=1.0 - pl.col(rule))
        for rule in ("none", "shared")
    ]
    return (
        pl.concat(parts)
        .with_columns(pl.col("product").cast(pl.String), pl.col("lost").cast(pl.Float64))
        .filter(pl.col("product").is_not_null())
        .sort(["lost", "region"], descending=[True, False])
        .group_by("product", maintain_order=True)
        .agg(
            pl.col("region")
            .filter(pl.col("lost") >= SMALL)
            .unique(maintain_order=True)
            .alias("binds"),
            pl.col("lost").max().alias("lost_when_binding"),
        )
    )


def _stocks(network: ProductionNetwork) -> pl.DataFrame:
    """Periods of use that home buyers hold of each product (all buyers where no home is set)."""
    buyer_home = network.is_home[network.node_region[network.input_buyer]]
    counts = network.input_use == CONSUMED
    if network.is_home.any():
        counts &= buyer_home
    use = network.input_coefficient * network.output[network.input_buyer]
    held = np.bincount(
        network.input_product[counts], network.input_stock[counts], network.n_products
    )
    used = np.bincount(network.input_product[counts], use[counts], network.n_products)
    known = np.flatnonzero(used > 0)
    return pl.DataFrame(
        {"product": network.product_labels[known], "stock": held[known] / used[known]},
        schema={"product": pl.String, "stock": pl.Float64},
    )


def _basis(network: ProductionNetwork) -> pl.DataFrame:
    """Return what the share of each product and region rests on, as the links table says."""
    schema = {"product": pl.String, "region": pl.String, "basis": pl.String,
              "basis_text": pl.String}  # fmt: skip
    links = network.tables.get("links")
    if links is None or not {"share_basis", "share"} <= set(links.columns):
        return pl.DataFrame(schema=schema)
    nodes = pl.DataFrame(
        {
            "supplier": network.node_labels,
            "product": network.product_labels[network.node_product],
            "region": network.region_labels[network.node_region],
        }
    )
    stated = links.select("supplier", "share", text="share_basis").sort(
        "share", descending=True, nulls_last=True
    )
    found = (
        stated.join(nodes, on="supplier", maintain_order="left")
        .group_by(["product", "region"], maintain_order=True)
        .agg(pl.col("text").first())
    )
    classes = [class_of(text) for text in found["text"]]
    return found.select(
        "product", "region", pl.Series("basis", classes, dtype=pl.String), basis_text="text"
    )


def _never_binding(network: ProductionNetwork) -> list[str]:
    """Products that every buyer can do without."""
    strongest = np.zeros(network.n_products, dtype=np.int64)
    np.maximum.at(strongest, network.input_product, network.input_class)
    used = np.zeros(network.n_products, dtype=bool)
    used[network.input_product] = True
    return [str(p) for p in network.product_labels[used & (strongest == 0)]]


def _reasons(network: ProductionNetwork, row: dict[str, object]) -> str:
    """Say in words why a product is a chokepoint."""
    share, stops, stock = row["share"], row["worst_stops"], row["stock"]
    count, binds = row["suppliers"], row["binds"]
    assert isinstance(share, float)
    assert isinstance(stops, float)
    assert isinstance(count, int)
    assert isinstance(binds, list)
    parts = [f"{region_name(network, str(row['region']))} supplies {percent(share)}"]
    parts.append("a single supplier" if count == 1 else plural(count, "supplier"))
    if stops > share + 0.005 and row["worst_region"] != row["region"]:
        who = region_name(network, str(row["worst_region"]))
        parts.append(f"{percent(stops)} stops without {who}, all tiers counted")
    if isinstance(stock, float) and network.input_stock.any():
        parts.append(
            f"{periods(stock, network.settings.period)} of stock" if stock > 0 else "no stock"
        )
    if binds:
        who = ", ".join(region_name(network, str(r)) for r in binds[:2])
        more = f" and {len(binds) - 2} more" if len(binds) > 2 else ""
        parts.append(f"first to limit output without {who}{more}")
    return "; ".join(parts)


def region_name(network: ProductionNetwork, region: str | None) -> str:
    """Return the name for people of a region; null stands for all that are not named."""
    if region is None:
        return "Other regions"
    at = network.index("regions").get(region)
    return region if at is None else str(network.region_names[at])


def product_name(network: ProductionNetwork, product: str | None) -> str:
    """Return the name for people of a product; nothing for null."""
    if product is None:
        return ""
    at = network.index("products").get(product)
    return product if at is None else str(network.product_names[at])
