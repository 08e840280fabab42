"""Why a partner matters: the products it supplies that would bind without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.measures.coverages import coverage

if TYPE_CHECKING:
    from withstand.measures.coverages import Coverage, Slack
    from withstand.measures.partner_candidates import Side
    from withstand.model.network import ProductionNetwork


def with_only(
    network: ProductionNetwork,
    side: Side,
    members: Sequence[int],
    *,
    assume_recipe: str,
    slack: Slack,
    limit: str,
) -> Coverage:
    """Return the coverage when only home and some candidates supply."""
    there = np.concatenate([side.home, *[side.regions[i] for i in members]])
    is_lost = ~np.isin(np.arange(network.n_regions), there)
    has_nodes = np.bincount(network.node_region, minlength=network.n_regions) > 0
    lost = network.region_labels[is_lost & has_nodes].tolist()
    return coverage(network, lost, assume_recipe, slack, limit)


def relieved(
    network: ProductionNetwork,
    side: Side,
    partner: int,
    others: Sequence[int],
    *,
    assume_recipe: str,
    slack: Slack,
    limit: str,
) -> pl.DataFrame:
    """Return the products that a partner supplies, with and without it, binding ones first.

    Parameters
    ----------
    partner : int
        Candidate asked about.
    others : sequence of int
        Candidates that supply besides home.

    Returns
    -------
    polars.DataFrame
        product, name, kind, tier, share (of supply at rest), covered_without, covered_with,
        is_binding, gain.
    """
    own = side.regions[partner]

    def found(supplying: Sequence[int]) -> pl.DataFrame:
        result = with_only(
            network, side, supplying, assume_recipe=assume_recipe, slack=slack, limit=limit
        )
        is_binding = pl.col("product").is_in(list(result.binding)).alias("is_binding")
        return result.products.with_columns(is_binding)

    full = network.under_rule("shared")
    supplies = np.isin(full.node_region, own)
    total = np.bincount(full.node_product, full.output, full.n_products)
    given = np.bincount(full.node_product, np.where(supplies, full.output, 0.0), full.n_products)
    count = np.bincount(full.node_product, supplies, full.n_products)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, given / total, 0.0)
    supplied = pl.DataFrame({"product": full.product_labels, "share": share, "count": count})
    without = found(others).select(
        "product", "name", "kind", "tier", pl.col("covered").alias("covered_without"),
        "is_binding", "gain",
    )  # fmt: skip
    with_it = found([*others, partner]).select("product", pl.col("covered").alias("covered_with"))
    return (
        without.join(with_it, on="product", how="left", maintain_order="left")
        .join(supplied, on="product", how="left", maintain_order="left")
        .filter(pl.col("count") > 0)
        .select(
            "product", "name", "kind", "tier", "share", "covered_without", "covered_with",
            "is_binding", "gain",
        )
        .sort(
            ["is_binding", "gain", "covered_without", "product"],
            descending=[True, True, False, False],
        )
    )  # fmt: skip
