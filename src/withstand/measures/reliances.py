"""Foreign input reliance: whose inputs a sector uses, at face value and looked through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.selections import (
    Labels,
    idle_findings,
    node_index,
    node_rows,
    select_nodes,
    select_regions,
    sum_by,
)
from withstand.model.provenance import Provenance, provenance_of
from withstand.programming.leontief import leontief_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
KINDS = ("face", "gross", "value")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reliance:
    """From which regions some nodes have their inputs; arrays in the order of `buyers`.

    Parameters
    ----------
    buyers : ndarray of int64, shape (n_buyers,)
        Nodes asked about.
    sources : ndarray of int64, shape (n_sources,)
        Regions whose rows `to_frame` gives: those asked for, or all.
    face, gross, value : ndarray of float64, shape (n_regions, n_buyers), currency per period
        What each buyer has from each region: its direct purchases (face value); output of the
        region that all its tiers use, each tier counted in full (gross, x_j (L - I)); value of the
        region inside its output (value, x_j v L). `shares` turns them into shares of their columns.
    findings : tuple of Finding
    provenance : Provenance
    """

    buyers: Array
    sources: Array
    face: Array
    gross: Array
    value: Array
    findings: tuple[Finding, ...]
    provenance: Provenance
    _network: ProductionNetwork

    def shares(self, kind: str = "gross") -> Array:
        """Return the share of each source region for each buyer; NaN for one that has no inputs.

        Parameters
        ----------
        kind : {"face", "gross", "value"}

        Returns
        -------
        ndarray of float64, shape (n_regions, n_buyers), columns sum to 1
        """
        return _columns_to_one(self._amounts(kind))

    def foreign(self, kind: str = "gross") -> Array:
        """Return the share that each buyer has from other regions than its own: (n_buyers,)."""
        shares = self.shares(kind)
        own = self._network.node_region[self.buyers]
        return 1.0 - shares[own, np.arange(len(self.buyers))]

    def total(self) -> pl.DataFrame:
        """Return the shares of each source for all the buyers together, largest gross share first.

        Columns: source, name, face, gross, value (0 to 1). For several buyers the amounts are
        added up first, so that a large buyer counts more.
        """
        rows = {k: _columns_to_one(self._amounts(k).sum(axis=1, keepdims=True)) for k in KINDS}
        frame = pl.DataFrame(
            {
                "source": self._network.region_labels,
                "name": self._network.region_names,
                **{k: pl.Series(rows[k][:, 0]).fill_nan(None) for k in KINDS},
            }
        )
        return frame[self.sources].sort(["gross", "source"], descending=[True, False])

    def share_of(self, *regions: str, kind: str = "gross") -> float:
        """Return the share of some regions or blocs in what all the buyers together have."""
        amounts = self._amounts(kind).sum(axis=1)
        total = amounts.sum()
        return float(amounts[select_regions(self._network, regions)].sum() / (total or 1.0))

    def by_product(self, kind: str = "gross") -> pl.DataFrame:
        """Return the share of each source in the inputs of each buying product: a heat map.

        Columns: product, source, share (0 to 1; the shares of all sources sum to 1).
        """
        network = self._network
        product = network.node_product[self.buyers]
        used = np.unique(product)
        amounts = sum_by(np.searchsorted(used, product), self._amounts(kind).T, len(used))
        shares = _columns_to_one(amounts.T)[self.sources]
        return pl.DataFrame(
            {
                "product": np.repeat(network.product_labels[used], len(self.sources)),
                "source": np.tile(network.region_labels[self.sources], len(used)),
                "share": pl.Series(shares.T.ravel()).fill_nan(None),
            }
        )

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each buyer and source: the three shares, and whether it is foreign."""
        network = self._network
        n_sources, n_buyers = len(self.sources), len(self.buyers)
        rows = node_rows(network, np.repeat(self.buyers, n_sources))
        shares = {
            k: pl.Series(self.shares(k)[self.sources].T.ravel()).fill_nan(None) for k in KINDS
        }
        source = pl.Series("source", np.tile(network.region_labels[self.sources], n_buyers))
        return rows.with_columns(source, **shares).with_columns(
            (pl.col("source") != pl.col("region")).alias("is_foreign")
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def why(self, label: str) -> pl.DataFrame:
        """Return the nodes behind the inputs of one buyer: face, gross and value share of each.

        Raises
        ------
        UsageError
            If the node was not asked about.
        """
        network = self._network
        at = node_index(network, label)
        if at not in self.buyers:
            raise UsageError(f"'{label}' is not among the buyers that were asked about.")
        system = leontief_of(network)
        unit = np.zeros(network.n_nodes)
        unit[at] = 1.0
        column = system.solve_once(unit)
        face = unit - system.apply(unit)
        parts = {"face": face, "gross": column - unit, "value": system.value_shares * column}
        frame = node_rows(network).with_columns(
            **{
                k: pl.Series(_columns_to_one(amount[:, None])[:, 0]).fill_nan(None)
                for k, amount in parts.items()
            }
        )
        frame = frame.filter((pl.col("gross") > 0) | (pl.col("value") != 0))
        return frame.sort(["gross", "node"], descending=[True, False], nulls_last=True)

    def summary(self) -> str:
        """Return one sentence."""
        own = np.zeros((self._network.n_regions, len(self.buyers)), dtype=bool)
        own[self._network.node_region[self.buyers], np.arange(len(self.buyers))] = True
        foreign = {
            k: float(self._amounts(k)[~own].sum() / max(self._amounts(k).sum(), 1e-300))
            for k in KINDS
        }
        return (
            f"{foreign['face']:.1%} of inputs are bought abroad; looked through all tiers "
            f"{foreign['gross']:.1%} of the inputs used, and {foreign['value']:.1%} of the value, "
            "come from there."
        )

    def _amounts(self, kind: str) -> Array:
        if kind not in KINDS:
            raise UsageError(f"kind='{kind}' is unknown; use one of {', '.join(KINDS)}.")
        return {"face": self.face, "gross": self.gross, "value": self.value}[kind]

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Reliance of {self.provenance.network!r}: {len(self.buyers):,} buyers x "
            f"{len(self.sources)} sources>"
        )


def foreign_reliance(
    network: ProductionNetwork,
    *,
    region: Labels = None,
    product: Labels = None,
    node: Labels = None,
    source: Labels = None,
) -> Reliance:
    """Say from which regions nodes have their inputs: at face value, and through every tier.

    Face value counts what a node buys (A). Looking through, `gross` counts the output that all
    its tiers use (L - I): a part that crosses three borders counts three times, as supply chains
    do when they are disrupted. `value` counts where the value inside its output arises (v'L).

    Parameters
    ----------
    network : ProductionNetwork
        An economy, or a network of links whose nodes have prices.
    region : str or sequence of str, optional
        Regions or blocs of the buyers; all if nothing is said.
    product, node : str or sequence of str, optional
        Further conditions on the buyers.
    source : str or sequence of str, optional
        Regions or blocs to give rows for; shares remain shares of all sources.

    Returns
    -------
    Reliance

    Raises
    ------
    UsageError
        If a label is unknown, or the factor of the table would not fit into the memory.

    References
    ----------
    Baldwin, Freeman and Theodorakopoulos (2023), Hidden exposure: measuring US supply chain
    reliance, Brookings Papers on Economic Activity: foreign input reliance, face value and look
    through (our `gross`).

    Examples
    --------
    Cars of FR buy 4 of steel in DE, which buys 2 of ore in AU. At face value all inputs are from
    DE; looking through, of 4 + 2 used a third is from AU. Of the value of 10, AU has 2.

    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["ore", "steel", "cars"], "region": ["AU", "DE", "FR"]})
    >>> net = build_economy(
    ...     np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]]),
    ...     np.array([[0.0], [0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["FR"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> result = foreign_reliance(net, region="FR", source="AU")
    >>> result.total().select("face", "gross", "value").rows()[0]
    (0.0, 0.333333..., 0.2)
    """
    buyers = select_nodes(network, region=region, product=product, node=node)
    sources = np.arange(network.n_regions) if source is None else select_regions(network, source)
    system = leontief_of(network)
    n_regions = network.n_regions
    place = np.zeros((network.n_nodes, n_regions))
    place[np.arange(network.n_nodes), network.node_region] = 1.0
    carried = system.solve_transposed(np.hstack([place, place * system.value_shares[:, None]]))
    output = system.output[buyers]
    gross = (carried[buyers, :n_regions] - place[buyers]).T * output
    asked = {"region": region, "product": product, "node": node, "source": source}
    return Reliance(
        buyers=buyers,
        sources=sources,
        face=np.asarray(place.T @ system.flows[:, buyers]) * (output > 0),
        gross=np.maximum(gross, 0.0),  # rounding may leave -1e-17
        value=carried[buyers, n_regions:].T * output,
        findings=idle_findings(network),
        provenance=provenance_of("measures.foreign_reliance", network, asked),
        _network=network,
    )


def _columns_to_one(amounts: Array) -> Array:
    """Divide columns by their sums; NaN where there is nothing."""
    total = amounts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, amounts / np.where(total > 0, total, 1.0), np.nan)
