"""Exposure: whose value is in the product, through every tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse

from withstand.errors import SolverError, UsageError
from withstand.model.findings import nearest
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.recipe_inputs import CONSUMED
from withstand.model.tiers import needs_per_unit, tiers

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
BY = ("region", "node", "product", "kind")
MOST_ROUNDS = 10_000
TOLERANCE = 1e-13
TOO_LARGE = 1e12
"""A round that adds this many times the start is growing for ever."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Exposure:
    """Where the value of the viewpoint comes from, all tiers counted.

    Parameters
    ----------
    by : {"region", "node", "product", "kind"}
    shares : polars.DataFrame
        Share of the value of final demand that arises at each source, largest first. They sum
        to 1; one is negative where inputs cost more than the output (finding W204).
    home_share : float
        Share of value that arises at home, all tiers, 0 to 1.
    tier1_home_share : float
        Share of the viewpoint's direct purchases of priced goods (hours left out) that comes
        from home suppliers; NaN if no purchase has a price.
    unpriced : tuple of str
        Products that some supplier sells without a price, or that have no supplier; their value
        stays inside the value added of who uses them.
    products : polars.DataFrame
        Per product: recursive domestic content of the mean value bought, need and value per unit
        of the viewpoint, and that value as a share of the purchase cost (products of different
        tiers contain each other, so these shares do not sum to 1).
    purchase_cost : float
        Cost of the viewpoint's direct purchases of priced goods, currency per unit.
    provenance : Provenance
    """

    by: str
    shares: pl.DataFrame
    home_share: float
    tier1_home_share: float
    unpriced: tuple[str, ...]
    products: pl.DataFrame
    purchase_cost: float
    provenance: Provenance
    _sources: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Return the shares by source."""
        return self.shares

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.shares.to_pandas()

    def why(self, label: str) -> pl.DataFrame:
        """Return the nodes behind one source (a region, product, kind or node), largest first."""
        column = self.by
        if label not in self._sources[column]:
            near = nearest(label, self._sources[column].unique().to_list())
            raise UsageError(
                f"There is no {column} '{label[:60]}' here."
                + (f" Did you mean {near}?" if near else "")
            )
        return self._sources.filter(pl.col(column) == label).sort(
            ["share", "node"], descending=[True, False]
        )

    def summary(self) -> str:
        """Return one sentence."""
        whole = f"of the value, all tiers counted, {self.home_share:.1%} arises at home."
        if np.isnan(self.tier1_home_share):
            return f"No direct purchase has a price; {whole}"
        return f"{self.tier1_home_share:.1%} of direct purchases come from home; {whole}"

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Exposure: {self.summary()}>"


def exposure(network: ProductionNetwork, by: str = "region") -> Exposure:
    """Say where the value of the viewpoint arises, recursively through every tier.

    Value content v'(I - A)^-1 with A_ij the value of input i in one unit of value of j and v the
    rest of each unit's value. Producers outside home whose recipe is unknown count with all their
    value in their own region. Inputs without a price (such as skilled hours) stay in the value
    added of who uses them, and are named.

    Parameters
    ----------
    network : ProductionNetwork
    by : {"region", "node", "product", "kind"}

    Returns
    -------
    Exposure

    Raises
    ------
    UsageError
        If `by` is unknown, or no node of the viewpoint has final demand and a price.

    References
    ----------
    Miller and Blair (2022), Input-Output Analysis, chapter 6 (value added multipliers).

    Examples
    --------
    >>> from withstand.examples import example
    >>> result = exposure(example("robot_maker"))
    >>> round(result.tier1_home_share, 3), round(result.home_share, 3)
    (0.991, 0.388)
    """
    if by not in BY:
        raise UsageError(f"by='{by}' is unknown; use one of {', '.join(BY)}.")
    price = np.nan_to_num(network.price)
    flows, own = value_shares(network)
    start = np.where(np.isin(network.node_product, network.viewpoint), network.final_demand, 0.0)
    start = np.maximum(start, 0.0) * price
    if start.sum() <= 0:
        raise UsageError(
            "The viewpoint has no final demand with a price, so its value cannot be followed. "
            "Give a price to its nodes, or set another viewpoint."
        )
    arises = spread(flows, start / start.sum()) * own
    domestic = spread(flows.T.tocsr(), np.where(network.is_home[network.node_region], own, 0.0))
    sources = _sources(network, arises)
    columns = [by, "name"] if by in ("region", "product") else [by]
    shares = (
        sources.with_columns(_name(network, by, sources))
        .group_by(columns, maintain_order=True)
        .agg(pl.col("share").sum(), pl.len().alias("nodes"))
        .sort(["share", by], descending=[True, False])
    )
    tier1, cost = _direct_purchases(network)
    return Exposure(
        by=by,
        shares=shares,
        home_share=float(arises[network.is_home[network.node_region]].sum()),
        tier1_home_share=tier1,
        unpriced=_unpriced(network),
        products=_products(network, domestic, cost),
        purchase_cost=cost,
        provenance=provenance_of("measures.exposure", network, {"by": by}),
        _sources=sources.filter(pl.col("share") != 0),
    )


def value_shares(network: ProductionNetwork) -> tuple[sparse.csr_array, Array]:
    """Return (supplier x buyer) value of inputs per unit of the buyer's value, and the own rest.

    Both are zero for nodes without a price.
    """
    price = network.price
    buyer = network.input_buyer[network.link_input]
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (
            network.input_coefficient[network.link_input]
            * network.link_share
            * price[network.link_supplier]
            / price[buyer]
        )
    value = np.where(np.isfinite(value), value, 0.0)
    shape = (network.n_nodes, network.n_nodes)
    flows = sparse.coo_array((value, (network.link_supplier, buyer)), shape=shape).tocsr()
    bought = np.bincount(buyer, value, network.n_nodes)
    return flows, np.where(np.isnan(price), 0.0, 1.0 - bought)


def spread(flows: sparse.csr_array, start: Array) -> Array:
    """Return y = start + flows y by adding rounds; exact after as many rounds as tiers.

    Raises
    ------
    SolverError
        If the rounds do not settle (inputs cost more than output around a cycle).
    """
    total = start.copy()
    step = start
    for _ in range(MOST_ROUNDS):
        step = flows @ step
        total += step
        size = np.abs(step).max(initial=0.0)
        if size <= TOLERANCE * max(np.abs(total).max(initial=0.0), 1e-300):
            return total
        if size > TOO_LARGE * max(np.abs(start).max(initial=0.0), 1e-300):
            break
    raise SolverError(
        "Value content does not settle: around some cycle inputs cost as much as the output. "
        "Check the prices and values on it."
    )


def _sources(network: ProductionNetwork, arises: Array) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "node": network.node_labels,
            "region": network.region_labels[network.node_region],
            "product": network.product_labels[network.node_product],
            "kind": network.product_kinds[network.node_product],
            "share": arises,
        }
    )


def _name(network: ProductionNetwork, by: str, sources: pl.DataFrame) -> pl.Series:
    if by == "product":
        return pl.Series("name", network.product_names[network.node_product])
    return pl.Series("name", network.region_names[network.node_region])


def _direct_purchases(network: ProductionNetwork) -> tuple[float, float]:
    """Home share of the viewpoint's direct purchases of priced goods, and their unit cost."""
    is_final = np.isin(network.node_product, network.viewpoint)
    buyer = network.input_buyer[network.link_input]
    counts = is_final[buyer] & (network.input_use[network.link_input] == CONSUMED)
    supplier = network.link_supplier
    value = network.link_flow * np.nan_to_num(network.price[supplier]) * counts
    total = float(value.sum())
    home = float(value[network.is_home[network.node_region[supplier]]].sum())
    knows_recipe = np.diff(network.inputs_indptr) > 0
    made = float(network.output[is_final & knows_recipe].sum())
    return (home / total if total > 0 else np.nan), (total / made if made > 0 else 0.0)


def _unpriced(network: ProductionNetwork) -> tuple[str, ...]:
    """Products bought from a supplier without a price, or from nobody."""
    is_used = network.input_coefficient > 0
    no_link = is_used & (np.diff(network.links_indptr) == 0)
    no_price = np.isnan(network.price[network.link_supplier]) & is_used[network.link_input]
    missing = np.union1d(
        network.input_product[no_link], network.node_product[network.link_supplier[no_price]]
    )
    return tuple(str(x) for x in network.product_labels[missing])


def _products(network: ProductionNetwork, domestic: Array, cost: float) -> pl.DataFrame:
    """Domestic content, need and value of every product, per unit of the viewpoint."""
    full = network.under_rule("shared")
    need = needs_per_unit(network)
    final = max(float(full.output[np.isin(full.node_product, full.viewpoint)].sum()), 1e-300)
    weight = np.where(network.output > 0, network.output, full.output)
    weight = weight * np.nan_to_num(network.price)
    total = np.bincount(network.node_product, weight, network.n_products)
    content = np.bincount(network.node_product, weight * domestic, network.n_products)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, content / total, np.nan)
    price = network.product_price
    value = need / final * price
    return pl.DataFrame(
        {
            "product": network.product_labels,
            "name": network.product_names,
            "kind": network.product_kinds,
            "tier": tiers(network),
            "domestic_content": np.where(np.isnan(price), np.nan, share),
            "need_per_unit": need / final,
            "price": price,
            "value_per_unit": value,
            "share_of_purchase_cost": value / cost if cost > 0 else np.full(len(value), np.nan),
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
