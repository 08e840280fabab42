"""Economies of regions: the interregional one, and one region with the rest of the world."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.economy import build_economy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from withstand.measures.interregional_flows import InterregionalFlows
    from withstand.measures.national_flows import NationalFlows
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
_KEPT = ("products", "classes", "sources")


def interregional_economy(
    nation: NationalFlows, labels: Sequence[str], made: Array, split: InterregionalFlows
) -> ProductionNetwork:
    """Return the economy in which regions stand in place of the nation.

    Nodes are `industry@region`, region by region, then those of the other regions as they were.
    Regions are home if the nation was, and belong to its blocs and to a bloc of its name; what its
    extensions and stocks hold goes with output.
    """
    network = nation.network
    table = network.flow_table
    assert table is not None
    others = [str(x) for x in network.region_labels[network.node_region[nation.others]]]
    clash = set(others) & set(labels)
    shown = [f"{nation.label}:{x}" if x in clash else x for x in labels]
    products = [*nation.industries * len(labels)]
    nodes = pl.DataFrame(
        {
            "node": [
                *(f"{p}@{r}" for r in shown for p in nation.industries),
                *(str(x) for x in network.node_labels[nation.others]),
            ],
            "product": [
                *products,
                *(str(x) for x in network.product_labels[network.node_product[nation.others]]),
            ],
            "region": [*np.repeat(shown, len(nation.industries)).tolist(), *others],
            "output": np.concatenate([split.output, network.output[nation.others]]),
            "value_added": np.concatenate([split.value_added, network.value_added[nation.others]]),
        }
    ).with_columns(pl.col("value_added").fill_nan(None))
    categories = table.final_category
    abroad = nation.final_abroad
    columns = pl.DataFrame(
        {
            "region": [
                *np.repeat(shown, len(nation.final_home)).tolist(),
                *(str(x) for x in network.region_labels[table.final_region[abroad]]),
            ],
            "category": [
                *[str(x) for x in categories[nation.final_home]] * len(labels),
                *(str(x) for x in categories[abroad]),
            ],
        }
    )
    tables = {k: network.tables[k] for k in _KEPT if k in network.tables}
    tables["nodes"] = nodes
    tables["regions"] = _regions(network, nation.label, shown)
    tables |= _shared_out(network.tables, nation, shown, made)
    home = network.settings.home
    settings = replace(
        network.settings,
        name=f"{network.settings.name}, {len(labels)} regions of {nation.label}",
        home=None if home == nation.label else home,
    )
    return build_economy(
        split.flows, split.final, tables, columns, settings, tolerance=table.tolerance
    )


def _regions(network: ProductionNetwork, nation: str, labels: Sequence[str]) -> pl.DataFrame:
    """Return the table of regions with the nation's row written once for each of its regions."""
    given = network.tables["regions"].with_columns(pl.col("region").cast(pl.String))
    others = given.filter(pl.col("region") != nation)
    own = given.filter(pl.col("region") == nation)
    fresh = pl.concat([own] * len(labels)).with_columns(pl.Series("region", labels))
    if "name" in fresh.columns:
        fresh = fresh.with_columns(name=pl.col("region"))
    bloc = pl.lit(nation)
    if "bloc" in fresh.columns:
        bloc = pl.when(pl.col("bloc").is_null()).then(bloc).otherwise(pl.col("bloc") + ";" + nation)
    fresh = fresh.with_columns(bloc.alias("bloc"))
    if network.settings.home == nation:
        fresh = fresh.with_columns(home=pl.lit(True))
    return pl.concat([fresh, others], how="diagonal_relaxed")


def _shared_out(
    tables: Mapping[str, pl.DataFrame], nation: NationalFlows, labels: Sequence[str], made: Array
) -> dict[str, pl.DataFrame]:
    """Return extensions and stocks with the rows of the nation's nodes split over regions."""
    network = nation.network
    shares = pl.DataFrame(
        {
            "node": np.tile(network.node_labels[nation.nodes], len(labels)),
            "_new": [f"{p}@{r}" for r in labels for p in nation.industries],
            "_share": made.ravel(),
        }
    )
    done = {}
    for name, amounts in (("extensions", ("value",)), ("stocks", ("quantity", "target"))):
        if name not in tables:
            continue
        frame = tables[name].with_columns(pl.col("node").cast(pl.String))
        split = frame.join(shares, on="node", how="left", maintain_order="left")
        scaled = [
            (pl.col(c) * pl.col("_share").fill_null(1.0)).alias(c)
            for c in amounts
            if c in frame.columns
        ]
        split = split.with_columns(*scaled, node=pl.coalesce("_new", "node"))
        done[name] = split.drop("_new", "_share")
    return done


def single_region(
    economy: ProductionNetwork, region: str, rest: str, label: str = "trade"
) -> ProductionNetwork:
    """Return one region of an economy; all others together supply what it buys and buy its exports.

    Nodes are the region's, then one for each product that it buys elsewhere, in the region `rest`:
    these buy nothing, and what they sell counts as their value added.
    """
    table = economy.flow_table
    assert table is not None
    r = economy.index("regions")[region]
    nodes = np.flatnonzero(economy.node_region == r)
    others = np.flatnonzero(economy.node_region != r)
    home = np.flatnonzero(table.final_region == r)
    abroad = np.flatnonzero(table.final_region != r)
    bought = np.hstack([table.flows[np.ix_(others, nodes)], table.final[np.ix_(others, home)]])
    products, at = np.unique(economy.node_product[others], return_inverse=True)
    imported = np.zeros((len(products), bought.shape[1]))
    np.add.at(imported, at, bought)
    is_used = (imported != 0).any(axis=1)
    products, imported = products[is_used], imported[is_used]
    n, m = len(nodes), len(products)
    flows = np.zeros((n + m, n + m))
    flows[:n, :n] = table.flows[np.ix_(nodes, nodes)]
    flows[n:, :n] = imported[:, :n]
    sold = table.flows[np.ix_(nodes, others)].sum(axis=1)
    sold = sold + table.final[np.ix_(nodes, abroad)].sum(axis=1)
    final = np.zeros((n + m, len(home) + 1))
    final[:n, :-1] = table.final[np.ix_(nodes, home)]
    final[n:, :-1] = imported[:, n:]
    final[:n, -1] = sold
    imports = np.maximum(imported.sum(axis=1), 0.0)
    frame = pl.DataFrame(
        {
            "node": [
                *(str(x) for x in economy.node_labels[nodes]),
                *(f"{p}@{rest}" for p in economy.product_labels[products]),
            ],
            "product": [
                *(str(x) for x in economy.product_labels[economy.node_product[nodes]]),
                *(str(x) for x in economy.product_labels[products]),
            ],
            "region": [region] * n + [rest] * m,
            "output": np.concatenate([economy.output[nodes], imports]),
            "value_added": np.concatenate([economy.value_added[nodes], imports]),
        }
    ).with_columns(pl.col("value_added").fill_nan(None))
    columns = pl.DataFrame(
        {
            "region": [region] * len(home) + [rest],
            "category": [*(str(x) for x in table.final_category[home]), "exports"],
        }
    )
    settings = replace(economy.settings, name=f"{region}, {label}", home=region)
    kept = {k: economy.tables[k] for k in ("products", "classes") if k in economy.tables}
    return build_economy(
        flows, final, {**kept, "nodes": frame}, columns, settings, tolerance=table.tolerance
    )
