"""What home can give each partner in return: what home makes, against what the partner lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.flow_frames import Trade, canonical, codes_of
from withstand.model.value_flows import value_flows

if TYPE_CHECKING:
    from withstand.measures.partner_candidates import Side
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
SCHEMA = {
    "partner": pl.String,
    "product": pl.String,
    "name": pl.String,
    "bought_abroad": pl.Float64,
    "from_abroad": pl.Float64,
    "concentration": pl.Float64,
    "largest": pl.String,
    "from_home": pl.Float64,
    "capability": pl.Float64,
    "basis": pl.String,
    "note": pl.String,
}
Row = tuple[
    str, str | None, str | None, float | None, float | None, float | None, str | None,
    float | None, float | None, str, str | None,
]  # fmt: skip


def in_network(
    network: ProductionNetwork, side: Side, capability: dict[str, float] | None
) -> pl.DataFrame:
    """Return what each partner buys abroad and home makes, out of the network's own flows.

    bought_abroad: what the partner buys of the product outside its own regions (currency per
    period); from_abroad: the share of all it buys; concentration: Herfindahl index over the
    regions it comes from, the partner's own left out, with the largest; from_home: what home has
    of that already; capability: how far home is specialised in the product, its share of the
    product's output over its share of all output (or revealed comparative advantage in exports,
    where a frame of trade is given).
    """
    flows, output = value_flows(network)
    products, regions = network.node_product, network.node_region
    is_home = np.isin(regions, side.home)
    made = np.bincount(products, np.where(is_home, output, 0.0), network.n_products)
    all_made = np.bincount(products, output, network.n_products)
    with np.errstate(invalid="ignore", divide="ignore"):
        special = (made / all_made) / (made.sum() / all_made.sum())
    buys = np.asarray(flows.sum(axis=0)).ravel() > 0
    rows: list[Row] = []
    for label, own in zip(side.labels, side.regions, strict=True):
        inside = np.isin(regions, own)
        buyers = np.flatnonzero(inside & buys)
        if len(buyers) == 0:
            rows.append(_unknown(label, f"nothing is known of what {label} buys"))
            continue
        bought = np.asarray(flows[:, buyers].sum(axis=1)).ravel()
        table = np.zeros((network.n_products, network.n_regions))
        np.add.at(table, (products, regions), bought)
        total = table.sum(axis=1)
        table[:, own] = 0.0
        abroad = table.sum(axis=1)
        found = np.flatnonzero((abroad > 0) & (made > 0))
        if len(found) == 0:
            rows.append(_unknown(label, f"{label} buys nothing abroad that home makes"))
        for p in found:
            product = str(network.product_labels[p])
            share = table[p] / abroad[p]
            given = None if capability is None else capability.get(product)
            rows.append(
                (
                    label,
                    product,
                    str(network.product_names[p]),
                    float(abroad[p]),
                    float(abroad[p] / total[p]),
                    float((share**2).sum()),
                    _first(network, share),
                    float(share[side.home].sum()),
                    float(special[p]) if given is None else given,
                    "output in the network" if given is None else "exports",
                    None,
                )
            )
    return _ordered(rows)


def _first(network: ProductionNetwork, share: Array) -> str:
    most = np.flatnonzero(share >= share.max())
    return min(str(network.region_labels[r]) for r in most)


def in_trade(
    network: ProductionNetwork, side: Side, trade: Trade, home: set[str], least: float
) -> pl.DataFrame:
    """Return what each partner imports and home is good at exporting, out of a frame of trade.

    Columns as in `in_network`; bought_abroad is in units of the frame, from_abroad is empty (the
    partner's own make is not in it), capability is home's revealed comparative advantage
    (Balassa 1965), and products below `least` are left out.
    """
    advantage = advantages(trade, home)
    good = sorted(p for p, x in advantage.items() if x >= least)
    imports = trade.rows.filter(pl.col("product").is_in(good))
    rows: list[Row] = []
    for label, own in zip(side.labels, side.regions, strict=True):
        codes = {canonical(str(network.region_labels[r])) for r in own}
        bought = imports.filter(
            pl.col("importer").is_in(sorted(codes)) & ~pl.col("exporter").is_in(sorted(codes))
        )
        if bought.height == 0:
            known = trade.rows["importer"].is_in(sorted(codes)).any()
            why = "imports nothing that home is good at" if known else "is no importer in the trade"
            rows.append(_unknown(label, f"{label} {why}"))
            continue
        by_source = bought.group_by("product", "exporter").agg(pl.col("value").sum())
        total = pl.col("value").sum()
        for product, value, index, largest, ours in (
            by_source.sort(["product", "value", "exporter"], descending=[False, True, False])
            .group_by("product", maintain_order=True)
            .agg(
                total.alias("total"),
                ((pl.col("value") / total) ** 2).sum().alias("index"),
                pl.col("exporter").first().alias("largest"),
                (
                    pl.col("value").filter(pl.col("exporter").is_in(sorted(home))).sum() / total
                ).alias("ours"),
            )
            .iter_rows()
        ):
            rows.append(
                (
                    label, product, product, value, None, index, largest, ours,
                    advantage[product], "exports", None,
                )
            )  # fmt: skip
    return _ordered(rows)


def advantages(trade: Trade, home: set[str]) -> dict[str, float]:
    """Return home's revealed comparative advantage by product: (x_hp / x_h) / (x_p / x).

    Raises
    ------
    UsageError
        If home exports nothing in the frame.
    """
    is_ours = pl.col("exporter").is_in(sorted(home))
    by_product = (
        trade.rows.group_by("product")
        .agg(pl.col("value").sum().alias("all"), pl.col("value").filter(is_ours).sum().alias("own"))
        .sort("product")
    )
    own = float(by_product["own"].sum())
    if own <= 0:
        raise UsageError(
            f"{', '.join(sorted(home))} exports nothing in the trade given, so nothing is known of "
            "what it is good at. Say what home is called there: home='DEU'."
        )
    everything = float(by_product["all"].sum())
    return {
        str(p): (mine / own) / (whole / everything) for p, whole, mine in by_product.iter_rows()
    }


def advantages_of_products(
    network: ProductionNetwork, trade: Trade, home: set[str]
) -> dict[str, float]:
    """Return home's advantage in each product of the network that the trade knows by its code."""
    by_code = advantages(trade, home)
    codes = codes_of(network, [str(p) for p in network.product_labels])
    found = {}
    for product, names in codes.items():
        known = [by_code[name] for name in names if name in by_code]
        if known:
            found[product] = max(known)
    return found


def _unknown(label: str, note: str) -> Row:
    return (label, None, None, None, None, None, None, None, None, "", note)


def _ordered(rows: list[Row]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(
        pl.when(pl.col("basis") == "").then(None).otherwise(pl.col("basis")).alias("basis")
    )
    need = pl.col("bought_abroad") * pl.col("concentration")
    return frame.sort(
        ["partner", need, "product"], descending=[False, True, False], nulls_last=True
    )
