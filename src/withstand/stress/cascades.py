"""Cascades of any scenario: losses travel along links, down to buyers and up to suppliers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import SolverError, UsageError
from withstand.kernels import cascade as kernel
from withstand.kernels import cascade_memory as memory
from withstand.model.findings import Finding, make_finding
from withstand.model.hits import resolve
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.scenario import Scenario
from withstand.stress.cascade_arrays import (
    PerNode,
    Prepared,
    frozen,
    index_of,
    per_node,
    prepare,
)
from withstand.stress.closed_classes import closed_class_findings
from withstand.stress.failures import MOST_ROUNDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
EPS = 1e-2
"""Published stop rule: the largest change of a round is at most this."""
MODES = ("default", "parity")
_WHY = {
    "channel": pl.String,
    "partner": pl.String,
    "input": pl.String,
    "share": pl.Float64,
    "passed_on": pl.Float64,
    "loss": pl.Float64,
    "round": pl.Int64,
    "binds": pl.Boolean,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Cascade:
    """Where the losses of one scenario end.

    Parameters
    ----------
    network : ProductionNetwork
    h_down, h_up : ndarray of float64, shape (n_nodes,), 0 to 1
        Share of output left on each channel: inputs missing, buyers missing.
    iterations : int
        Rounds played; the last one changed nothing by more than eps.
    path : polars.DataFrame
        Per round: largest change, and loss so far (either channel, downstream, upstream) as a
        share of all weights.
    round_down, round_up : ndarray of int64, shape (n_nodes,)
        Round in which a node was first hit; 0 by the scenario itself, -1 never.
    weight : ndarray of float64, shape (n_nodes,)
        Weights, summing to 1.
    parameters : mapping of str to object
        What was asked for.
    """

    network: ProductionNetwork
    h_down: Array
    h_up: Array
    iterations: int
    path: pl.DataFrame
    round_down: Array
    round_up: Array
    weight: Array
    parameters: Mapping[str, Any]
    _prepared: Prepared
    _passed: Array
    _slot_sum: Array

    @cached_property
    def provenance(self) -> Provenance:
        """Network, parameters and versions."""
        return provenance_of("stress.cascade", self.network, self.parameters)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Doubts about the losses: nothing was hit, or losses that cannot leave (found on call)."""
        if not ((self.h_down < 1.0) | (self.h_up < 1.0)).any():
            what = "no node loses anything at the start, so none loses anything at the end"
            return (make_finding("W301", what),)
        return closed_class_findings(self.network, self._prepared)

    @property
    def losses(self) -> Array:
        """Share of output lost, the worse of the two channels, shape (n_nodes,), 0 to 1."""
        return 1.0 - np.minimum(self.h_down, self.h_up)

    @property
    def loss(self) -> float:
        """Loss of all nodes, weighted, 0 to 1."""
        return float(self.weight @ self.losses)

    def to_frame(self) -> pl.DataFrame:
        """Return one row a node that was hit, the one that weighs most first.

        `input` and `supplier` name what limits a node most: the input whose suppliers lost most,
        and the supplier that this loss mainly comes from; null where the node lost buyers only.
        """
        hit = np.flatnonzero((self.round_down >= 0) | (self.round_up >= 0))
        product, supplier = self._limits()
        network = self.network
        frame = pl.DataFrame(
            {
                "node": network.node_labels[hit],
                "product": network.product_labels[network.node_product[hit]],
                "region": network.region_labels[network.node_region[hit]],
                "loss": self.losses[hit],
                "down": 1.0 - self.h_down[hit],
                "up": 1.0 - self.h_up[hit],
                "weighted": (self.weight * self.losses)[hit],
                "round_down": _rounds(self.round_down[hit]),
                "round_up": _rounds(self.round_up[hit]),
                "input": _named(network.product_labels, product[hit]),
                "supplier": _named(network.node_labels, supplier[hit]),
            }
        )
        return frame.sort(["weighted", "loss", "node"], descending=[True, True, False])

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_region(self) -> pl.DataFrame:
        """Return the loss of every region: share of its own weight, and part of the whole."""
        network = self.network
        return self._by(network.node_region, network.region_labels, "region")

    def by_product(self) -> pl.DataFrame:
        """Return the loss of every product (sector): share of its own weight, part of the whole."""
        network = self.network
        return self._by(network.node_product, network.product_labels, "product")

    def _by(self, group: Array, labels: Array, name: str) -> pl.DataFrame:
        n = len(labels)
        parts = {
            "lost": self.losses,
            "lost_down": 1.0 - self.h_down,
            "lost_up": 1.0 - self.h_up,
        }
        weight = np.bincount(group, self.weight, n)
        columns: dict[str, Any] = {name: labels, "weight": weight}
        for key, loss in parts.items():
            columns[key] = np.bincount(group, self.weight * loss, n)
        frame = pl.DataFrame(columns).with_columns(
            pl.when(pl.col("weight") > 0).then(pl.col("lost") / pl.col("weight")).alias("share")
        )
        return frame.sort(["lost", name], descending=[True, False])

    def why(self, node: str) -> pl.DataFrame:
        """Return who passed losses on to a node, largest part first.

        Returns
        -------
        polars.DataFrame
            channel (down: a supplier failed to deliver; up: a buyer stopped buying), partner,
            input, share (of what the input needs, or of the node's sales), passed_on (the
            partner's loss that nobody made good), loss (their product), round (in which the
            partner was first hit), binds (the input that limits).
        """
        at = index_of(self.network, node)
        network, prepared = self.network, self._prepared
        rows: list[tuple[str, int, int, float, float, int, bool]] = []
        first, last = network.inputs_indptr[at], network.inputs_indptr[at + 1]
        for link in range(network.links_indptr[first], network.links_indptr[last]):
            partner, wanted = int(network.link_supplier[link]), int(network.link_input[link])
            share, passed = float(prepared.share_down[link]), float(self._passed[partner])
            if share * passed > 0:
                of = int(network.input_product[wanted])
                binds = self._binding_slot(at) == int(prepared.slot[link])
                rows.append(
                    ("down", partner, of, share, passed, int(self.round_down[partner]), binds)
                )
        for link in network.supplier_link[
            network.supplier_indptr[at] : network.supplier_indptr[at + 1]
        ]:
            wanted = int(network.link_input[link])
            partner = int(network.input_buyer[wanted])
            share, passed = float(prepared.share_up[link]), 1.0 - float(self.h_up[partner])
            if share * passed > 0:
                of = int(network.input_product[wanted])
                rows.append(("up", partner, of, share, passed, int(self.round_up[partner]), True))
        table = [
            (c, str(network.node_labels[k]), str(network.product_labels[p]), s, x, s * x, t, b)
            for c, k, p, s, x, t, b in rows
        ]
        frame = pl.DataFrame(table, schema=_WHY, orient="row")
        return frame.sort(["loss", "channel", "partner"], descending=[True, False, False])

    def summary(self) -> str:
        """Return one sentence."""
        hit = int(((self.round_down >= 0) | (self.round_up >= 0)).sum())
        return (
            f"{self.loss:.2%} of the whole is lost: {hit:,} of {self.network.n_nodes:,} nodes "
            f"are hit in {self.iterations} rounds."
        )

    def _binding_slot(self, node: int) -> int:
        first, last = self._prepared.arrays.slot_indptr[node : node + 2]
        return int(first + self._slot_sum[first:last].argmax()) if last > first else -1

    def _limits(self) -> tuple[Array, Array]:
        """Product and supplier behind the largest loss of inputs of each node; -1 none."""
        network, prepared = self.network, self._prepared
        product = np.full(network.n_nodes, -1, dtype=np.int64)
        supplier = product.copy()
        part = prepared.share_down * self._passed[network.link_supplier]
        links = np.flatnonzero((part > 0) & (prepared.slot >= 0))
        if len(links) == 0:
            return product, supplier
        slot = prepared.slot[links]
        buyer = prepared.arrays.slot_buyer[slot]
        order = np.lexsort((part[links], self._slot_sum[slot], buyer))  # the last of a buyer wins
        links, buyer = links[order], buyer[order]
        product[buyer] = network.input_product[network.link_input[links]]
        supplier[buyer] = network.link_supplier[links]
        own = self.round_down == 0
        product[own] = supplier[own] = -1
        return product, supplier


def _rounds(values: Array) -> pl.Series:
    return pl.Series(values).replace(-1, None)


def _named(labels: Array, index: Array) -> pl.Series:
    names = np.where(index >= 0, labels[np.maximum(index, 0)], "")
    return pl.Series(names).replace("", None)


def cascade(
    network: ProductionNetwork,
    psi: PerNode | Scenario,
    *,
    psi_up: PerNode | None = None,
    eps: float = EPS,
    replaceability: bool = True,
    weights: PerNode | None = None,
    revenue: PerNode | None = None,
    costs: PerNode | None = None,
    mode: str = "default",
    most_rounds: int | None = None,
) -> Cascade:
    """Let the losses of a scenario travel along the links, until a round changes next to nothing.

    There is no time and there are no stocks: an essential input that is missing stops its buyers in
    proportion, important inputs together count by their share of all purchases, minor ones never
    stop anybody; suppliers lose what their buyers no longer buy. The formulas stand in
    `withstand.kernels.cascade`.

    Parameters
    ----------
    network : ProductionNetwork
    psi : array (n_nodes,), mapping of label to share, or Scenario; 0 to 1
        Share of output lost at the start. Of a scenario, the shocks to the capacity of nodes at
        their full loss.
    psi_up : array or mapping, 0 to 1, optional
        Share lost for want of buyers at the start; default: the same.
    eps : float
        Stop when the largest change of a round is at most this (published: 1e-2).
    replaceability : bool
        Whether a supplier's loss is made good in proportion to what is left of its market.
    weights : array or mapping, optional
        What a node weighs in the loss (value added, jobs); default: link sales of firm networks,
        output by value otherwise.
    revenue, costs : array or mapping, currency per period, optional
        Divide sales by revenue, purchases by costs, instead of the sums of the links.
    mode : {"default", "parity"}
        parity: a market with less than 1e-10 left counts as 1 in its unit, as published.
    most_rounds : int, optional
        Parity need not settle: default 10,000 there, 1,000,000 in default mode.

    Returns
    -------
    Cascade

    Raises
    ------
    UsageError
        If an argument is not possible.
    ScenarioError
        If the scenario names something that the network lacks.

    References
    ----------
    Diem et al. (2022), Scientific Reports 12:7719.

    Examples
    --------
    A mill sells to two plants and loses half of its output. Nobody else makes steel.

    >>> import polars as pl
    >>> from withstand.readers.firms import network_from_links
    >>> nodes = pl.DataFrame({"id": ["mill", "a", "b"], "sector": ["steel", "gears", "cars"]})
    >>> links = pl.DataFrame({"supplier": ["mill", "mill"], "buyer": ["a", "b"],
    ...                       "value": [3.0, 1.0]})
    >>> result = cascade(network_from_links(nodes, links), {"mill": 0.5})
    >>> result.h_down, result.iterations
    (array([0.5, 0.5, 0.5]), 2)
    """
    network = network.settled
    prepared = prepare(network, revenue, costs)
    rule = rule_of(replaceability, mode)
    check_eps(eps)
    down = _start(network, psi)
    up = down if psi_up is None else _shares(network, psi_up, "psi_up")
    weight = weights_of(network, prepared, weights)
    most = MOST_ROUNDS[rule] if most_rounds is None else most_rounds
    work = memory.new_work(prepared.arrays)
    kernel.hit_all(prepared.arrays, frozen(down), frozen(up), work)
    sums = np.zeros(3)
    rows = []
    for number in range(1, most + 1):
        change = kernel.step(prepared.arrays, rule, work)
        kernel.add_up(weight, work, sums)
        rows.append((number, change, *sums.tolist()))
        if change <= eps:
            break
    else:
        raise SolverError(
            f"After {most:,} rounds a round still changes {rows[-1][1] if rows else 1:.2g}. "
            "In parity mode losses may go round for ever; use mode='default'."
        )
    return Cascade(
        network=network,
        h_down=1.0 - work.down,
        h_up=1.0 - work.up,
        iterations=len(rows),
        path=pl.DataFrame(rows, schema=["round", "change", "loss", "down", "up"], orient="row"),
        round_down=np.where(work.is_hit_down == 1, work.round_down, -1),
        round_up=np.where(work.is_hit_up == 1, work.round_up, -1),
        weight=weight,
        parameters={
            "eps": eps,
            "replaceability": replaceability,
            "mode": mode,
            "given": [
                name
                for name, value in (("weights", weights), ("revenue", revenue), ("costs", costs))
                if value is not None
            ],
        },
        _prepared=prepared,
        _passed=work.passed,
        _slot_sum=work.slot_sum,
    )


def rule_of(replaceability: bool, mode: str) -> int:
    """Return the kernel's number for who replaces whom."""
    if mode not in MODES:
        raise UsageError(f"mode '{mode}' is unknown; use one of {', '.join(MODES)}.")
    if not replaceability:
        return kernel.REPLACE_NONE
    return kernel.REPLACE_RELATIVE if mode == "default" else kernel.REPLACE_PARITY


def check_eps(eps: float, name: str = "eps") -> None:
    """Refuse a stop rule that never or always stops."""
    if not 0.0 < eps < 1.0:
        raise UsageError(f"{name} must be above 0 and below 1, not {eps!r} (published: 1e-2).")


def weights_of(network: ProductionNetwork, prepared: Prepared, weights: PerNode | None) -> Array:
    """Return weights that sum to 1."""
    weight = prepared.weight if weights is None else per_node(network, weights, "weights")
    total = weight.sum()
    if not total > 0:
        raise UsageError(
            "All weights are zero: no link has a value and no product a price. Give weights=..."
        )
    return frozen(weight / total)


def _start(network: ProductionNetwork, psi: PerNode | Scenario) -> Array:
    if not isinstance(psi, Scenario):
        return _shares(network, psi, "psi")
    left = np.ones(network.n_nodes)
    for hit in resolve(psi, network, 1):
        if hit.kind != "node":
            raise UsageError(
                f"{hit.shock.title()}: a cascade takes losses of nodes only; use simulate."
            )
        left[hit.indices] *= 1.0 - hit.shock.share
    return 1.0 - left


def _shares(network: ProductionNetwork, values: PerNode, name: str) -> Array:
    share = per_node(network, values, name)
    if (share > 1.0).any():
        raise UsageError(f"{name} is a share lost, 0 to 1; found {share.max():g}.")
    return share
