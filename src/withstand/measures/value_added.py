"""Whose value is inside what some nodes sell to final users, through every tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.selections import (
    Labels,
    described,
    final_value,
    idle_findings,
    node_rows,
    select_nodes,
    select_regions,
    sum_by,
    unknown_label,
)
from withstand.model.findings import listed
from withstand.model.provenance import Provenance, provenance_of
from withstand.programming.leontief import leontief_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
OF = ("final", "output")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ValueContent:
    """Where the value inside the sales of some nodes arises, all tiers counted.

    Parameters
    ----------
    of : {"final", "output"}
        Sales to final users, or all output, of the nodes asked about.
    total : float, currency per period
        Those sales.
    asked : str
        What was asked for, in words.
    nodes : tuple of str
        The nodes asked about.
    by_node : ndarray of float64, shape (n_nodes,)
        Share of the value that arises at each node of the network; they sum to 1. One is negative
        where inputs cost more than the output.
    by_region : ndarray of float64, shape (n_regions,)
        The same, summed over the nodes of each region.
    domestic_share : float
        Share that arises in the regions where the nodes asked about stand.
    findings : tuple of Finding
    provenance : Provenance
    """

    of: str
    total: float
    asked: str
    nodes: tuple[str, ...]
    by_node: Array
    by_region: Array
    domestic_share: float
    findings: tuple[Finding, ...]
    provenance: Provenance
    _network: ProductionNetwork

    def to_frame(self) -> pl.DataFrame:
        """Return the share and value that arise in each region, largest first."""
        network = self._network
        frame = pl.DataFrame(
            {
                "region": network.region_labels,
                "name": network.region_names,
                "share": self.by_region,
                "value": self.by_region * self.total,
            }
        )
        return frame.sort(["share", "region"], descending=[True, False])

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def why(self, label: str) -> pl.DataFrame:
        """Return the nodes of one region (or those of one product) behind its share, largest first.

        Raises
        ------
        UsageError
            If it is neither a region nor a product.
        """
        network = self._network
        known = [*network.index("regions"), *network.index("products")]
        if label not in known:
            raise unknown_label("region or product", label, known)
        column = "region" if label in network.index("regions") else "product"
        frame = node_rows(network).with_columns(
            pl.Series("share", self.by_node), pl.Series("value", self.by_node * self.total)
        )
        frame = frame.filter((pl.col(column) == label) & (pl.col("share") != 0))
        return frame.sort(["share", "node"], descending=[True, False])

    def share_of(self, *regions: str) -> float:
        """Return the share that arises in some regions or blocs together: bloc coverage by value.

        Raises
        ------
        UsageError
            If one is unknown.
        """
        return float(self.by_region[select_regions(self._network, regions)].sum())

    def summary(self) -> str:
        """Return one sentence."""
        foreign = self.to_frame().filter(~pl.col("region").is_in(self._own_regions()))
        first = foreign.row(0, named=True) if foreign.height else None
        most = f"; most of the rest in {first['name']} ({first['share']:.1%})" if first else ""
        what = "sold to final users" if self.of == "final" else "made"
        return (
            f"Of the value {what} by {self.asked}, {self.domestic_share:.1%} "
            f"arises in {listed(self._own_regions(), 3)}{most}."
        )

    def _own_regions(self) -> list[str]:
        index = self._network.index("nodes")
        at = np.unique(self._network.node_region[[index[n] for n in self.nodes]])
        return self._network.region_labels[at].tolist()

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<ValueContent of {self.provenance.network!r}: {self.asked}, "
            f"{self.domestic_share:.1%} domestic>"
        )


def value_added_content(
    network: ProductionNetwork,
    *,
    region: Labels = None,
    product: Labels = None,
    node: Labels = None,
    of: str = "final",
) -> ValueContent:
    """Say whose value is inside what some nodes sell to final users, through every tier.

    v * (L y) / sum(y), with y the final sales of the nodes asked about (zero for others) and v
    what is left of each unit of output after purchases: wages, profits and net taxes. With the
    final output of one sector of one country this is the slicing of global value chains; with
    `of="output"` it is the same per unit of output, whoever buys it.

    Parameters
    ----------
    network : ProductionNetwork
        An economy, or a network of links whose nodes have prices.
    region : str or sequence of str, optional
        Regions or blocs in which the nodes stand; home if nothing is asked for.
    product, node : str or sequence of str, optional
        Further conditions; nodes that meet all of them are asked about.
    of : {"final", "output"}

    Returns
    -------
    ValueContent

    Raises
    ------
    UsageError
        If a label is unknown, no node meets the conditions, or those nodes sell nothing.

    References
    ----------
    Timmer, Erumban, Los, Stehrer and de Vries (2014), Slicing up global value chains, Journal of
    Economic Perspectives 28.

    Examples
    --------
    Cars of FR cost 10, of which 4 is steel of DE; DE adds all the value of its steel.

    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "FR"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["FR"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> content = value_added_content(net, region="FR", product="cars")
    >>> round(content.domestic_share, 9), round(content.share_of("DE"), 9)
    (0.6, 0.4)
    """
    if of not in OF:
        raise UsageError(f"of='{of}' is unknown; use one of {', '.join(OF)}.")
    if region is None and product is None and node is None and network.is_home.any():
        region = network.region_labels[network.is_home].tolist()
    asked = select_nodes(network, region=region, product=product, node=node)
    system = leontief_of(network)
    sales = np.zeros(network.n_nodes)
    sales[asked] = (final_value(network) if of == "final" else system.output)[asked]
    total = float(sales.sum())
    if not total > 0:
        raise UsageError(
            f"{listed(network.node_labels[asked].tolist())} sell nothing "
            + ("to final users; ask with of='output'." if of == "final" else "at all.")
        )
    by_node = system.value_shares * system.solve_once(sales / total)
    by_region = sum_by(network.node_region, by_node, network.n_regions)
    own = np.unique(network.node_region[asked])
    asked_for = {"region": region, "product": product, "node": node, "of": of}
    return ValueContent(
        of=of,
        total=total,
        asked=described(region, product, node),
        nodes=tuple(network.node_labels[asked].tolist()),
        by_node=by_node,
        by_region=by_region,
        domestic_share=float(by_region[own].sum()),
        findings=idle_findings(network),
        provenance=provenance_of("measures.value_added_content", network, asked_for),
        _network=network,
    )
