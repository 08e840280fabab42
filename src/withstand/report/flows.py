"""The map of tiers: how much of the final value passes from region to region, tier by tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.report.chokepoints import shares_behind

if TYPE_CHECKING:
    from withstand.measures.concentrations import Concentration
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
MOST_REGIONS = 6
DEEPEST = 6
SMALLEST = 0.01
"""Share of the final value below which a tier is not drawn."""
HOURS_KINDS = ("equipment", "skill", "software", "service")


@dataclass(frozen=True, kw_only=True, eq=False)
class TierFlows:
    """What passes from tier to tier.

    Parameters
    ----------
    flows : polars.DataFrame
        tier (of who delivers; its buyer stands one tier lower), region and to_region (labels, null
        for all regions not shown by name), is_hours (machine hours, skilled hours, software),
        is_assumed (what a maker is taken to buy whose recipe is not known), share (of the final
        value, 0 to 1).
    regions : tuple of str
        Regions shown by name, home first, then by what passes through them.
    deeper : float
        Share of the final value that passes in tiers too small or too deep to be drawn.
    """

    flows: pl.DataFrame
    regions: tuple[str, ...]
    deeper: float

    @property
    def depth(self) -> int:
        """Number of tiers drawn."""
        return max(self.flows["tier"].to_list(), default=0)

    def home_share(self, tier: int, home: list[str]) -> float:
        """Return the share of the goods that a tier delivers that comes from home, 0 to 1."""
        own = self.flows.filter((pl.col("tier") == tier) & ~pl.col("is_hours"))
        total = float(own["share"].sum())
        at_home = float(own.filter(pl.col("region").is_in(home))["share"].sum())
        return at_home / total if total > 0 else 0.0


def tier_flows(
    network: ProductionNetwork, *, most_regions: int = MOST_REGIONS, deepest: int = DEEPEST
) -> TierFlows:
    """Follow the value of purchases from the viewpoint outwards, one tier at a time.

    x_0 is final demand, x_k+1 = A x_k what its suppliers make for it; a link carries
    a_ij p_i x_k(j) into tier k. Counting paths instead of products keeps the map free of circles.
    Makers whose recipe is not known are taken to need the same inputs; what they buy is marked.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> flows = tier_flows(tiny()).flows.with_columns(pl.col("share").round(4))
    >>> flows.select("tier", "region", "to_region", "share").rows()
    [(1, 'HOME', 'HOME', 0.0411), (1, 'JP', 'HOME', 0.1646)]
    """
    known = network.under_rule("none")
    network = network.under_rule("shared")
    steps, deeper = _steps(network, deepest)
    group, regions = _groups(network, steps, most_regions)
    supplier = group[network.node_region[network.link_supplier]]
    buyer = group[network.node_region[network.input_buyer[network.link_input]]]
    is_hours = np.isin(network.product_kinds[network.node_product], HOURS_KINDS)
    is_assumed = _is_assumed(network, known)[network.input_buyer[network.link_input]]
    width = len(regions) + 1
    key = (supplier * width + buyer) * 2 + is_hours[network.link_supplier]
    key = key * 2 + is_assumed
    names: list[str | None] = [*regions, None]
    rows = []
    for tier, flow in enumerate(steps, start=1):
        total = np.bincount(key, flow, width * width * 4)
        for code in np.flatnonzero(total > SMALLEST / 100):
            pair, marks = divmod(int(code), 4)
            a, b = divmod(pair, width)
            rows.append((tier, names[a], names[b], marks > 1, marks % 2 > 0, float(total[code])))
    schema = {"tier": pl.Int64, "region": pl.String, "to_region": pl.String,
              "is_hours": pl.Boolean, "is_assumed": pl.Boolean, "share": pl.Float64}  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return TierFlows(flows=frame, regions=regions, deeper=deeper)


def _is_assumed(shared: ProductionNetwork, known: ProductionNetwork) -> Array:
    """Return which nodes buy only because their recipe is assumed, shape (n_nodes,)."""
    if shared.n_nodes != known.n_nodes:
        return np.zeros(shared.n_nodes, dtype=bool)
    return (np.diff(shared.inputs_indptr) > 0) & (np.diff(known.inputs_indptr) == 0)


def _steps(network: ProductionNetwork, deepest: int) -> tuple[list[Array], float]:
    """Return the value on every link, tier by tier, as shares of the final value; and the rest."""
    price = np.nan_to_num(network.price)
    wanted = np.isin(network.node_product, network.viewpoint)
    made = np.where(wanted, np.maximum(network.final_demand, 0.0), 0.0)
    total = float(made @ price)
    if total <= 0:
        return [], 0.0
    needed = network.input_coefficient[network.link_input] * network.link_share
    buyer = network.input_buyer[network.link_input]
    steps: list[Array] = []
    while True:
        units = needed * made[buyer]
        value = units * price[network.link_supplier] / total
        if value.sum() < SMALLEST or len(steps) == deepest:
            return steps, float(value.sum())
        steps.append(value)
        made = np.bincount(network.link_supplier, units, network.n_nodes)


def _groups(
    network: ProductionNetwork, steps: list[Array], most: int
) -> tuple[Array, tuple[str, ...]]:
    """Return the group of each region and the labels of the groups with a name of their own."""
    through = np.zeros(network.n_regions)
    region = network.node_region[network.link_supplier]
    for flow in steps:
        through += np.bincount(region, flow, network.n_regions)
    order = np.lexsort((network.region_labels, -through, ~network.is_home))
    shown = [r for r in order if network.is_home[r] or through[r] > 0]
    n_home = int(network.is_home.sum())
    shown = shown[: max(most, n_home) + 1]
    group = np.full(network.n_regions, len(shown), dtype=np.int64)
    group[shown] = np.arange(len(shown))
    return group, tuple(str(network.region_labels[r]) for r in shown)


def origins_by_tier(
    concentration: Concentration, *, most_regions: int = MOST_REGIONS
) -> pl.DataFrame:
    """Return where the mean product of each tier is bought, for networks without prices.

    Returns
    -------
    polars.DataFrame
        tier, region (null for all others), share (of the mean product's purchases, 0 to 1),
        products.
    """
    facts = concentration.table.filter(pl.col("tier") >= 0).select("product", "tier")
    shares = shares_behind(concentration).join(facts, on="product")
    if shares.height == 0:
        return pl.DataFrame(
            schema={
                "tier": pl.Int64,
                "region": pl.String,
                "share": pl.Float64,
                "products": pl.UInt32,
            }
        )
    top = (
        shares.group_by("region").agg(pl.col("share").sum())
        .sort(["share", "region"], descending=[True, False])["region"].head(most_regions).to_list()
    )  # fmt: skip
    named = pl.when(pl.col("region").is_in(top)).then(pl.col("region")).alias("region")
    return (
        shares.with_columns(named, pl.col("product").n_unique().over("tier").alias("products"))
        .group_by(["tier", "region"])
        .agg((pl.col("share").sum() / pl.col("products").first()), pl.col("products").first())
        .sort(["tier", "share", "region"], descending=[False, True, False])
    )
