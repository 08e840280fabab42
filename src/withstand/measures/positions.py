"""Position: how far a node stands from final users, and from where value is added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.selections import as_list, node_index, node_rows, unknown_label
from withstand.model.findings import Finding, make_finding
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.value_flows import value_flows
from withstand.programming.leontief import LeontiefSystem

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Inventories = bool | str | Sequence[str]
INVENTORY_WORDS = ("inven", "invnt", "stock", "p52", "p5m", "f030")
"""A category of final demand is one of inventories if its name holds one of these: words of WIOD,
OECD and EXIOBASE, codes of Eurostat and of the BEA."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Position:
    """How many steps each node stands from final users, or from value added.

    Parameters
    ----------
    kind : {"upstreamness", "downstreamness"}
    values : ndarray of float64, shape (n_nodes,), steps
        1 or more. 1 for a node that sells (upstreamness) or buys (downstreamness) nothing.
    sales : ndarray of float64, shape (n_nodes,), currency per period
        What the node sells to all users, its change of inventories included: the weights.
    mean : float, steps
        Mean of the values, weighted by sales.
    inventories : tuple of str
        Categories of final demand taken as change of inventories; empty if none.
    not_corrected : tuple of str
        Nodes whose inventories change by all they sell, or more: their sales are left out.
    findings : tuple of Finding
    provenance : Provenance
    """

    kind: str
    values: Array
    sales: Array
    mean: float
    inventories: tuple[str, ...]
    not_corrected: tuple[str, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance
    _network: ProductionNetwork
    _factor: Array
    _per_use: Array

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each node, in node order."""
        return node_rows(self._network).with_columns(
            pl.Series("sales", self.sales), pl.Series(self.kind, self.values)
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_region(self) -> pl.DataFrame:
        """Return the mean of each region, weighted by sales."""
        return self._means("region")

    def by_product(self) -> pl.DataFrame:
        """Return the mean of each product over all regions, weighted by sales."""
        return self._means("product")

    def _means(self, by: str) -> pl.DataFrame:
        value, weight = pl.col(self.kind), pl.col("sales")
        mean = ((value * weight).sum() / weight.sum()).fill_nan(None).alias(self.kind)
        return self.to_frame().group_by(by, maintain_order=True).agg(weight.sum(), mean)

    def why(self, label: str) -> pl.DataFrame:
        """Return what one node's position is made of: its buyers, or its suppliers.

        Each row gives the partner, its share of the node's sales (purchases per output), the
        partner's own position, and their product; the values are 1 and the sum of the last.

        Raises
        ------
        UsageError
            If there is no such node.
        """
        i = node_index(self._network, label)
        flows, _ = value_flows(self._network)
        of_row = self.kind == "upstreamness"
        part = flows[[i]] if of_row else flows[:, [i]]
        amount = np.asarray(part if isinstance(part, np.ndarray) else part.toarray()).ravel()
        weight = self._per_use[i] if of_row else self._factor / max(self.sales[i], 1e-300)
        share = amount * weight * (of_row or self.sales[i] > 0)
        frame = node_rows(self._network).with_columns(
            pl.Series("share", share),
            pl.Series(self.kind, self.values),
            pl.Series("steps", share * self.values),
        )
        frame = frame.filter(pl.col("share") > 0)
        return frame.sort(["steps", "node"], descending=[True, False])

    def summary(self) -> str:
        """Return one sentence."""
        of = "final users" if self.kind == "upstreamness" else "where value is added"
        far = int(np.argmax(np.where(self.sales > 0, self.values, 0.0)))
        return (
            f"On average a unit of output stands {self.mean:.2f} steps from {of}; farthest is "
            f"{self._network.node_labels[far]} ({self.values[far]:.2f})."
        )

    def __repr__(self) -> str:
        """Return one line."""
        name = "Upstreamness" if self.kind == "upstreamness" else "Downstreamness"
        return (
            f"<{name} of {self.provenance.network!r}: {len(self.values):,} nodes, "
            f"mean {self.mean:.3f} steps>"
        )


def upstreamness(network: ProductionNetwork, inventories: Inventories = True) -> Position:
    """Say how many steps the output of each node stands from final users.

    U = (I - diag(1 / (x - N)) Z)^-1 1, with x the sales of a node to all users, N what of them
    changes inventories. 1: all output goes to final users; 2: one more node lies between.

    Parameters
    ----------
    network : ProductionNetwork
    inventories : bool, str or sequence of str
        True takes the categories of final demand whose name speaks of inventories as N, False
        makes no correction, and labels name the categories.

    Returns
    -------
    Position

    Raises
    ------
    UsageError
        If a category is unknown, or the table has no inverse.

    References
    ----------
    Antras, Chor, Fally and Hillberry (2012), Measuring the upstreamness of production and trade
    flows, American Economic Review 102; Antras and Chor (2018), On the measurement of upstreamness
    and downstreamness in global value chains.

    Examples
    --------
    Ore is sold to steel, steel half to cars and half to households, cars to households:
    cars 1, steel 1 + 1/2 x 1, ore 1 + 1.5.

    >>> import polars as pl
    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> net = build_economy(
    ...     np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]]),
    ...     np.array([[0.0], [4.0], [10.0]]),
    ...     {"nodes": pl.DataFrame({"product": ["ore", "steel", "cars"], "region": ["R"] * 3})},
    ...     pl.DataFrame({"region": ["R"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> upstreamness(net, inventories=False).values.round(9).tolist()
    [2.5, 1.5, 1.0]
    """
    return _position(network, inventories, "upstreamness")


def downstreamness(network: ProductionNetwork, inventories: Inventories = True) -> Position:
    """Say how many steps each node stands from where the value in its output is added.

    D = (I - (Z~ diag(1/x))')^-1 1 with Z~ the flows, those of a row scaled by x / (x - N) as for
    upstreamness. 1: the node adds all the value itself.

    Parameters
    ----------
    network : ProductionNetwork
    inventories : bool, str or sequence of str
        As for `upstreamness`.

    Returns
    -------
    Position

    Raises
    ------
    UsageError
        If a category is unknown, or the table has no inverse.

    References
    ----------
    Miller and Temurshoev (2017), Output upstreamness and input downstreamness of industries and
    countries in world production; Antras and Chor (2018).

    Examples
    --------
    Ore adds all its value, steel buys a quarter of it, cars two fifths:
    ore 1, steel 1 + 1/4 x 1, cars 1 + 2/5 x 1.25.

    >>> import polars as pl
    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> net = build_economy(
    ...     np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]]),
    ...     np.array([[0.0], [4.0], [10.0]]),
    ...     {"nodes": pl.DataFrame({"product": ["ore", "steel", "cars"], "region": ["R"] * 3})},
    ...     pl.DataFrame({"region": ["R"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> downstreamness(net, inventories=False).values.round(9).tolist()
    [1.0, 1.25, 1.5]
    """
    return _position(network, inventories, "downstreamness")


def _position(network: ProductionNetwork, inventories: Inventories, kind: str) -> Position:
    flows, stated = value_flows(network)
    taken, findings = _categories(network, inventories)
    table = network.flow_table
    if table is None:
        sales, change = stated, np.zeros(network.n_nodes)
    else:
        sales = np.maximum(flows.sum(axis=1) + table.final.sum(axis=1), 0.0)
        change = table.final[:, np.isin(table.final_category, taken)].sum(axis=1)
    used = sales - change
    is_used = used > 0
    per_use = np.where(is_used, 1.0 / np.where(is_used, used, 1.0), 0.0)
    factor = sales * per_use
    left_out = ~is_used & (sales > 0) & (np.asarray(flows.sum(axis=1)).ravel() > 0)
    if kind == "upstreamness":
        # B = diag(1/(x - N)) Z itself, so that a node which only sells from stock keeps its sales.
        output, row_factor, transposed = np.ones(network.n_nodes), per_use, False
    else:
        output, row_factor, transposed = sales, factor, True
    system = LeontiefSystem(
        flows,
        output,
        labels=network.node_labels,
        groups=network.node_region,
        row_factor=row_factor,
    )
    values = system.solve_once(np.ones(network.n_nodes), transposed)
    return Position(
        kind=kind,
        values=np.maximum(values, 1.0),  # rounding may leave 1 - 1e-14
        sales=sales,
        mean=float(values @ sales / sales.sum()) if sales.sum() > 0 else 1.0,
        inventories=tuple(taken),
        not_corrected=tuple(network.node_labels[left_out].tolist()),
        findings=findings,
        provenance=provenance_of(f"measures.{kind}", network, {"inventories": inventories}),
        _network=network,
        _factor=factor,
        _per_use=per_use,
    )


def _categories(
    network: ProductionNetwork, inventories: Inventories
) -> tuple[list[str], tuple[Finding, ...]]:
    """Categories of final demand that are taken as inventories, and what there is to say."""
    if network.flow_table is None:
        if not isinstance(inventories, bool):
            raise UsageError("A network of links has no categories of final demand to name.")
        return [], ()
    known = list(dict.fromkeys(network.flow_table.final_category.tolist()))
    if inventories is False:
        return [], ()
    if inventories is True:
        found = [c for c in known if any(word in c.casefold() for word in INVENTORY_WORDS)]
        if found:
            return found, ()
        what = f"the categories are {', '.join(known[:10])}: no correction was made"
        return [], (make_finding("N230", what),)
    wanted = as_list(inventories)
    for label in wanted:
        if label not in known:
            raise unknown_label("category of final demand", label, known)
    return wanted, ()
