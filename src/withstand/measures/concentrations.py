"""Concentration: how few suppliers or regions each product hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.coverages import proportional, slack_of
from withstand.measures.exposures import spread, value_shares
from withstand.measures.feasible_output import supply_of
from withstand.model.findings import nearest
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.tiers import tiers

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
BY = ("region", "node")
LOOK_THROUGH = (False, "value", "functional")
PER = ("product", "buyer")


@dataclass(frozen=True, kw_only=True, eq=False)
class Concentration:
    """How concentrated the supply of each product is.

    Parameters
    ----------
    by : {"region", "node"}
    look_through : {False, "value", "functional"}
    table : polars.DataFrame
        One row per product (or per buyer and product), most concentrated first: suppliers,
        regions, hhi (0 to 1), largest source and its share, single_source, outside_home,
        outside_bloc, not_allowed (shares of purchases, 0 to 1). Looking through, regions are
        those in the value (or whose loss is felt), and suppliers are not counted; functional
        shares overlap, so what would add them up is empty.
    provenance : Provenance
    """

    by: str
    look_through: bool | str
    table: pl.DataFrame
    provenance: Provenance
    _shares: pl.DataFrame

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Concentration of {self.provenance.network!r} by {self.by}: {self.table.height} rows>"
        )

    def to_frame(self) -> pl.DataFrame:
        """Return the table."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.table.to_pandas()

    def why(self, label: str) -> pl.DataFrame:
        """Return the shares behind one product, largest first."""
        rows = self._shares.filter(pl.col("product") == label)
        if rows.height == 0:
            near = nearest(label, self.table["product"].unique().to_list())
            raise UsageError(
                f"There is no product '{label[:60]}' here."
                + (f" Did you mean {near}?" if near else "")
            )
        return rows


def concentration(
    network: ProductionNetwork,
    by: str = "region",
    look_through: bool | str = False,
    *,
    per: str = "product",
) -> Concentration:
    """Say how few regions or nodes each product is bought from.

    The Herfindahl index is the sum of squared shares. Two ways look through the suppliers:
    "value" takes the shares of each region in the value content of the product; "functional" asks
    what share of the purchases stops when a region outside home is lost, through every tier known
    (only this one makes two suppliers that hang on one mine count as one; its shares overlap, so
    it has no index). Face-value and functional shares take producers outside home to use the known
    recipe, so that products bought only there are seen too.

    Parameters
    ----------
    network : ProductionNetwork
    by : {"region", "node"}
    look_through : {False, True, "value", "functional"}
        True means "value".
    per : {"product", "buyer"}
        One row for each product over all its buyers, or for each buyer and product.

    Returns
    -------
    Concentration

    Raises
    ------
    UsageError
        If an argument is unknown, or looking through is asked by node or per buyer.

    Examples
    --------
    >>> from withstand.examples import example
    >>> table = concentration(example("robot_maker")).to_frame()
    >>> table.filter(pl.col("product") == "FPGA").select("largest", "largest_share").row(0)
    ('TW', 0.8)
    """
    look = "value" if look_through is True else look_through
    for value, valid, name in (
        (by, BY, "by"),
        (look, LOOK_THROUGH, "look_through"),
        (per, PER, "per"),
    ):
        if value not in valid:
            words = ", ".join(str(x) for x in valid)
            raise UsageError(f"{name}={value!r} is unknown; use one of {words}.")
    if look and (by != "region" or per != "product"):
        raise UsageError("Looking through works by region and per product.")
    if look == "value":
        shares = _value_shares(network)
    elif look == "functional":
        shares = _functional_shares(network)
    else:
        shares = _face_shares(network, by, per)
    keys = ["buyer", "product"] if per == "buyer" else ["product"]
    table = _table(network, shares, keys)
    return Concentration(
        by=by,
        look_through=look,
        table=_without_sums(table) if look == "functional" else table,
        provenance=provenance_of(
            "measures.concentration", network, {"by": by, "look_through": look, "per": per}
        ),
        _shares=shares,
    )


def _face_shares(network: ProductionNetwork, by: str, per: str) -> pl.DataFrame:
    """Shares of purchases by source, over links weighted by their flow at rest."""
    full = network.under_rule("shared")
    product = full.input_product[full.link_input]
    supplier = full.link_supplier
    region = full.region_labels[full.node_region[supplier]]
    frame = pl.DataFrame(
        {
            "buyer": full.node_labels[full.input_buyer[full.link_input]],
            "product": full.product_labels[product],
            "source": region if by == "region" else full.node_labels[supplier],
            "supplier": full.node_labels[supplier],
            "region": region,
            "flow": np.maximum(full.link_flow, 0.0),
            "weight": full.link_share,
        }
    )
    keys = ["buyer", "product"] if per == "buyer" else ["product"]
    total = pl.col("flow").sum().over(keys)
    weight = pl.when(total > 0).then(pl.col("flow")).otherwise(pl.col("weight"))
    frame = (
        frame.with_columns(weight.alias("flow"))
        .group_by([*keys, "source", "supplier", "region"], maintain_order=True)
        .agg(pl.col("flow").sum())
    )
    frame = frame.with_columns((pl.col("flow") / pl.col("flow").sum().over(keys)).alias("share"))
    grouped = frame.group_by([*keys, "source"], maintain_order=True).agg(
        pl.col("share").sum(),
        pl.col("supplier").n_unique().alias("suppliers"),
        pl.col("region").first(),
    )
    return grouped.filter(pl.col("share") > 0).sort(
        [*keys, "share", "source"], descending=[*([False] * len(keys)), True, False]
    )


def _value_shares(network: ProductionNetwork) -> pl.DataFrame:
    """Shares of regions in the value content of each product's mean value."""
    flows, own = value_shares(network)
    backward = flows.T.tocsr()
    weight = network.output * np.nan_to_num(network.price)
    total = np.bincount(network.node_product, weight, network.n_products)
    rows = []
    for r in range(network.n_regions):
        start = np.where(network.node_region == r, own, 0.0)
        if not start.any():
            continue
        content = spread(backward, start) * weight
        by_product = np.bincount(network.node_product, content, network.n_products)
        rows += [
            (
                str(network.product_labels[p]),
                str(network.region_labels[r]),
                by_product[p] / total[p],
            )
            for p in np.flatnonzero((by_product > 0) & (total > 0))
        ]
    return _shares_frame(rows)


def _functional_shares(network: ProductionNetwork) -> pl.DataFrame:
    """Share of each product's supply that stops when a region is lost, all known tiers counted."""
    slack = slack_of(network, 1.0)
    rows = []
    for region in network.region_labels[~network.is_home]:
        supply = supply_of(network, [str(region)], "shared", slack, "share")
        available, _ = proportional(supply)
        rows += [
            (str(network.product_labels[p]), str(region), 1.0 - float(available[p]))
            for p in np.flatnonzero(available < 1.0)
        ]
    return _shares_frame(rows)


def _shares_frame(rows: list[tuple[str, str, float]]) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows, schema={"product": pl.String, "source": pl.String, "share": pl.Float64}, orient="row"
    )
    return frame.with_columns(
        pl.lit(None, dtype=pl.UInt32).alias("suppliers"), pl.col("source").alias("region")
    ).sort(["product", "share", "source"], descending=[False, True, False])


def _table(network: ProductionNetwork, shares: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return the indices of each group of shares, most concentrated first."""
    home = network.region_labels[network.is_home].tolist()
    banned = network.region_labels[~network.is_allowed].tolist()
    friends = _bloc(network, home)
    share, region = pl.col("share"), pl.col("region")
    table = shares.group_by(keys, maintain_order=True).agg(
        pl.col("suppliers").sum() if shares["suppliers"].null_count() == 0 else _no_count(),
        region.n_unique().alias("regions"),
        (share**2).sum().alias("hhi"),
        pl.col("source").first().alias("largest"),
        share.first().alias("largest_share"),
        share.filter(~region.is_in(home)).sum().alias("outside_home"),
        share.filter(~region.is_in(friends)).sum().alias("outside_bloc"),
        share.filter(region.is_in(banned)).sum().alias("not_allowed"),
    )
    facts = pl.DataFrame(
        {
            "product": network.product_labels,
            "name": network.product_names,
            "kind": network.product_kinds,
            "tier": tiers(network),
        }
    )
    ordered = [
        *keys,
        "name",
        "kind",
        "tier",
        "suppliers",
        "regions",
        "hhi",
        "largest",
        "largest_share",
        "single_source",
        "outside_home",
        "outside_bloc",
        "not_allowed",
    ]
    return (
        table.join(facts, on="product", how="left", maintain_order="left")
        .with_columns((pl.col("suppliers") == 1).alias("single_source"))
        .select(ordered)
        .sort(["hhi", *keys], descending=[True, *([False] * len(keys))])
    )


def _no_count() -> pl.Expr:
    """Return an empty column: looking through, suppliers are not counted."""
    return pl.lit(None, dtype=pl.UInt32).alias("suppliers")


def _without_sums(table: pl.DataFrame) -> pl.DataFrame:
    """Empty what only makes sense for shares that sum to 1 (functional ones overlap)."""
    sums = ("hhi", "outside_home", "outside_bloc", "not_allowed")
    empty = [pl.lit(None, dtype=pl.Float64).alias(c) for c in sums]
    return table.with_columns(empty).sort(["largest_share", "product"], descending=[True, False])


def _bloc(network: ProductionNetwork, home: list[str]) -> list[str]:
    """Regions that share a bloc with home, home included."""
    regions = network.tables["regions"]
    if "bloc" not in regions.columns:
        return home
    blocs = {
        label: {b.strip() for b in (text or "").split(";") if b.strip()}
        for label, text in regions.select("region", "bloc").iter_rows()
    }
    ours = set().union(*(blocs.get(h, set()) for h in home)) if home else set()
    return [label for label, own in blocs.items() if label in home or own & ours]
