"""Hypothetical extraction: what would be lost without some nodes, or some trade."""

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
from withstand.programming.leontief import LeontiefSystem, leontief_of
from withstand.programming.removals import Block, solve_without

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
KINDS = ("total", "backward", "forward")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Extraction:
    """Output and value added lost when something is taken out of the table.

    Parameters
    ----------
    kind : {"total", "backward", "forward", "trade"}
    asked : str
        What was asked for, in words.
    extracted : tuple of str
        Nodes taken out, or the sellers of the trade taken out.
    to : tuple of str
        Regions of the buyers, for trade.
    before, after : ndarray of float64, shape (n_nodes,), currency per period
        Output with and without it: L y in both (the stated output differs from L y by what the
        table does not balance).
    output_loss, value_added_loss : ndarray of float64, shape (n_nodes,), currency per period
        Before less after; the same times what is left of each unit of output after purchases
        (zero for `forward`, where value added is what is given).
    own_loss : float, currency per period
        The output lost by the nodes taken out (for trade, by the sellers) themselves.
    findings : tuple of Finding
    provenance : Provenance
    """

    kind: str
    asked: str
    extracted: tuple[str, ...]
    to: tuple[str, ...]
    before: Array
    after: Array
    output_loss: Array
    value_added_loss: Array
    own_loss: float
    findings: tuple[Finding, ...]
    provenance: Provenance
    _network: ProductionNetwork

    @property
    def total_output_loss(self) -> float:
        """Output lost in all, currency per period."""
        return float(self.output_loss.sum())

    @property
    def total_value_added_loss(self) -> float:
        """Value added lost in all, currency per period."""
        return float(self.value_added_loss.sum())

    @property
    def loss_share(self) -> float:
        """Output lost as a share of all output before."""
        return float(self.output_loss.sum() / (self.before.sum() or 1.0))

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each node, in node order: output before, losses, share lost."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(self.before != 0, self.output_loss / self.before, np.nan)
        return node_rows(self._network).with_columns(
            pl.Series("output", self.before),
            pl.Series("output_loss", self.output_loss),
            pl.Series("value_added_loss", self.value_added_loss),
            pl.Series("share_lost", share).fill_nan(None),
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_region(self) -> pl.DataFrame:
        """Return the losses of each region and their share of its output, largest first."""
        network = self._network
        columns = {"output": self.before, "output_loss": self.output_loss}
        columns["value_added_loss"] = self.value_added_loss
        sums = {k: sum_by(network.node_region, v, network.n_regions) for k, v in columns.items()}
        frame = pl.DataFrame(
            {"region": network.region_labels, "name": network.region_names, **sums}
        )
        share = (pl.col("output_loss") / pl.col("output")).fill_nan(None).alias("share_lost")
        return frame.with_columns(share).sort(["output_loss", "region"], descending=[True, False])

    def why(self, label: str) -> pl.DataFrame:
        """Return the nodes behind the loss of one region or product, largest first.

        Raises
        ------
        UsageError
            If it is neither.
        """
        network = self._network
        known = [*network.index("regions"), *network.index("products")]
        if label not in known:
            raise unknown_label("region or product", label, known)
        column = "region" if label in network.index("regions") else "product"
        frame = self.to_frame().filter((pl.col(column) == label) & (pl.col("output_loss") != 0))
        return frame.sort(["output_loss", "node"], descending=[True, False])

    def summary(self) -> str:
        """Return one sentence."""
        without = {
            "total": f"Without {self.asked}",
            "backward": f"If {self.asked} bought nothing here",
            "forward": f"If {self.asked} sold nothing to other nodes",
            "trade": f"Without the sales of {self.asked} to {listed(list(self.to), 3)}",
        }[self.kind]
        value = f", value added by {round(self.total_value_added_loss):,}"
        others = self.total_output_loss - self.own_loss
        return (
            f"{without}, output would be lower by {round(self.total_output_loss):,} "
            f"({self.loss_share:.2%} of all, {round(others):,} of it at others)"
            f"{value if self.kind != 'forward' else ''}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Extraction from {self.provenance.network!r}: {self.asked} "
            f"({self.kind}), {self.loss_share:.2%} of output lost>"
        )


def extraction(
    network: ProductionNetwork,
    *,
    region: Labels = None,
    product: Labels = None,
    node: Labels = None,
    to: Labels = None,
    kind: str = "total",
) -> Extraction:
    """Say what would be lost if some nodes, or their sales to some regions, were not there.

    Recipes are fixed, nothing takes the place of what is gone, and nobody stops for want of it:
    what is counted is the demand that others lose (for `forward`, the supply). Cases:

    - `kind="total"`: nobody buys from the nodes or sells to them, and their final demand is gone;
    - `kind="backward"`: they buy nothing inside the table (their inputs come from elsewhere);
    - `kind="forward"`: they sell nothing to other nodes, in the supply-driven (Ghosh) model;
    - `to=`: their sales to nodes and final users in these regions are gone: trade between regions.

    Parameters
    ----------
    network : ProductionNetwork
        An economy, or a network of links whose nodes have prices.
    region : str or sequence of str, optional
        Regions or blocs of the nodes taken out.
    product, node : str or sequence of str, optional
        Further conditions; nodes that meet all of them are taken out.
    to : str or sequence of str, optional
        Regions or blocs of the buyers whose purchases from the nodes are taken out.
    kind : {"total", "backward", "forward"}

    Returns
    -------
    Extraction

    Raises
    ------
    UsageError
        If nothing is named, a label is unknown, or `kind` does not go with `to`.

    Notes
    -----
    One low-rank change of the system: no new factor is made.

    References
    ----------
    Dietzenbacher, van der Linden and Steenge (1993); Miller and Lahr (2001); Miller and Blair
    (2009), Input-Output Analysis, section 12.2.6.

    Examples
    --------
    Cars of FR cost 10, of which 4 is steel of DE. Without DE output falls by the 4 of steel;
    cars are still made, with steel from elsewhere.

    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "FR"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["FR"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> round(extraction(net, region="DE").total_output_loss, 9)
    4.0
    >>> round(extraction(net, region="FR").total_output_loss, 9)
    14.0
    """
    _check_arguments(region, product, node, to, kind)
    taken = select_nodes(network, region=region, product=product, node=node)
    system = leontief_of(network)
    demand = final_value(network)
    if to is not None:
        buyers = select_regions(network, to)
        before, after = _without_trade(network, system, taken, buyers, demand)
    else:
        buyers = np.zeros(0, dtype=np.int64)
        before, after = _without_nodes(system, taken, demand, kind)
    loss = before - after
    asked = {"region": region, "product": product, "node": node, "to": to, "kind": kind}
    return Extraction(
        kind="trade" if to is not None else kind,
        asked=described(region, product, node),
        extracted=tuple(network.node_labels[taken].tolist()),
        to=tuple(network.region_labels[buyers].tolist()),
        before=before,
        after=after,
        output_loss=loss,
        value_added_loss=loss * system.value_shares * (kind != "forward"),
        own_loss=float(loss[taken].sum()),
        findings=idle_findings(network),
        provenance=provenance_of("measures.extraction", network, asked),
        _network=network,
    )


def _check_arguments(region: Labels, product: Labels, node: Labels, to: Labels, kind: str) -> None:
    if kind not in KINDS:
        raise UsageError(f"kind='{kind}' is unknown; use one of {', '.join(KINDS)}.")
    if region is None and product is None and node is None:
        raise UsageError("Say what to take out: region, product or node.")
    if to is not None and kind != "total":
        raise UsageError(f"kind='{kind}' does not go with `to`: sales are taken out as they are.")


def _without_nodes(
    system: LeontiefSystem, taken: Array, demand: Array, kind: str
) -> tuple[Array, Array]:
    """Output before and after nodes are taken out."""
    everyone = np.arange(system.n)
    others = np.setdiff1d(everyone, taken)
    if kind == "forward":
        # x' = v' (I - B*)^-1 with B* = X^-1 A* X: solved with the transposed of A*.
        blocks = [Block(rows=taken, columns=everyone)]
        primary = system.output - np.asarray(system.flows.sum(axis=0)).ravel()
        inputs = primary * system.per_output
        before = system.output * system.solve_once(inputs, True)
        return before, system.output * solve_without(system, blocks, inputs, True)
    before = system.solve_once(demand)
    if kind == "backward":
        return before, solve_without(system, [Block(rows=everyone, columns=taken)], demand)
    blocks = [Block(rows=taken, columns=everyone), Block(rows=others, columns=taken)]
    left = demand.copy()
    left[taken] = 0.0
    after = solve_without(system, blocks, left)
    after[taken] = 0.0  # rounding
    return before, after


def _without_trade(
    network: ProductionNetwork,
    system: LeontiefSystem,
    sellers: Array,
    regions: Array,
    demand: Array,
) -> tuple[Array, Array]:
    """Output before and after the sales of some nodes to some regions are taken out."""
    buyers = np.flatnonzero(np.isin(network.node_region, regions))
    left = demand.copy()
    table = network.flow_table
    if table is not None:
        sold = table.final[:, np.isin(table.final_region, regions)].sum(axis=1)
        left[sellers] -= sold[sellers]
    blocks = [Block(rows=sellers, columns=buyers)] if len(buyers) else []
    return system.solve_once(demand), solve_without(system, blocks, left)
