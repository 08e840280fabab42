"""Closures: what an economy loses when demand, capacity or trade is taken away for good.

There is no time and there are no stocks: two states at rest are compared, with fixed recipes. What
is held fixed besides, and what gives way, is the closure; it decides the answer, so each has a
name. `withstand.stress.bounded_closures` sets the answers to one event beside each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import listed, make_finding, nearest
from withstand.model.provenance import Provenance, provenance_of
from withstand.programming.krylov import krylov_solve
from withstand.programming.removals import Block, solve_without
from withstand.stress.closure_events import Event, event_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork
    from withstand.programming.leontief import LeontiefSystem

Array = np.ndarray
ROUNDING = 1e-9
"""Losses below this share of the whole are rounding."""
ASSUMPTIONS = {
    "demand": "final users buy less of these cells; everybody else gets what they ask for",
    "capacity": "the cells make less, others still get their inputs from them, and final users of "
    "the cells go short; nobody stops for want of an input",
    "trade_ban": "buyers there get these inputs from outside the table; final users there go "
    "without; nobody stops for want of an input",
    "pooled": "all makers of a product replace each other at once, up to capacity; a planner "
    "chooses which final demand goes unmet",
    "planned": "inputs of other regions do not replace each other; a planner chooses which final "
    "demand goes unmet",
    "rationed": "inputs of other regions do not replace each other; everybody gets the same share "
    "of what there is",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Closure:
    """What an economy loses under one closure.

    Parameters
    ----------
    kind : str
        Name of the closure: "demand", "capacity", "trade_ban"; of a bound "pooled", "planned",
        "rationed".
    asked : str
        What was hit, in words.
    nodes : tuple of str
        Cells that are hit.
    to : tuple of str
        Regions of the buyers or final users that are hit; empty: all.
    share : float, 0 to 1
    before, after : ndarray of float64, shape (n_nodes,), currency per period
        Output with and without the event. Before is L y: the output that final demand asks for,
        which differs from the stated one by what the table does not balance.
    output_loss, value_added_loss : ndarray of float64, shape (n_nodes,), currency per period
        Before less after; the same times what is left of each unit of output after purchases.
    final_loss : ndarray of float64, shape (n_nodes,), currency per period
        Final demand that is not met.
    findings : tuple of Finding
    provenance : Provenance
    """

    kind: str
    asked: str
    nodes: tuple[str, ...]
    to: tuple[str, ...]
    share: float
    before: Array
    after: Array
    output_loss: Array
    value_added_loss: Array
    final_loss: Array
    findings: tuple[Finding, ...]
    provenance: Provenance
    _event: Event

    @property
    def assumption(self) -> str:
        """What is held fixed, in words."""
        return ASSUMPTIONS[self.kind]

    @property
    def total_output_loss(self) -> float:
        """Output lost in all, currency per period."""
        return float(self.output_loss.sum())

    @property
    def total_value_added_loss(self) -> float:
        """Value added lost in all, currency per period."""
        return float(self.value_added_loss.sum())

    @property
    def total_final_loss(self) -> float:
        """Final demand unmet in all, currency per period."""
        return float(self.final_loss.sum())

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each node, in node order: output before, losses, share of output."""
        network = self._event.network
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(self.before != 0, self.output_loss / self.before, np.nan)
        return pl.DataFrame(
            {
                "node": network.node_labels,
                "product": network.product_labels[network.node_product],
                "region": network.region_labels[network.node_region],
                "output": self.before,
                "output_loss": self.output_loss,
                "value_added_loss": self.value_added_loss,
                "final_loss": self.final_loss,
                "share_lost": share,
            }
        ).with_columns(pl.col("share_lost").fill_nan(None))

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_region(self) -> pl.DataFrame:
        """Return the losses of each region and their share of its output, largest first."""
        sums = pl.col("output", "output_loss", "value_added_loss", "final_loss").sum()
        share = (pl.col("output_loss") / pl.col("output")).fill_nan(None).alias("share_lost")
        frame = self.to_frame().group_by("region", maintain_order=True).agg(sums)
        return frame.with_columns(share).sort(["output_loss", "region"], descending=[True, False])

    def why(self, node: str) -> pl.DataFrame:
        """Return who buys less of a node, largest first; the parts sum to its loss of output.

        Returns
        -------
        polars.DataFrame
            buyer (a node; `final users`), output_loss (currency per period: what the buyer takes
            less of the node), share (of the node's loss), banned (whether by the ban itself).

        Raises
        ------
        UsageError
            If there is no such node, or the closure does not balance what is made and what is
            bought (`rationed`, `pooled`).
        """
        event = self._event
        network, system = event.network, event.system
        index = network.index("nodes")
        if node not in index:
            near = nearest(str(node), list(index))
            raise UsageError(
                f"There is no node '{str(node)[:60]}'." + (f" Did you mean {near}?" if near else "")
            )
        if self.kind in ("pooled", "rationed"):
            raise UsageError(f"Under '{self.kind}' some goods find no buyer; ask another closure.")
        at = index[node]
        one = np.zeros(system.n)
        one[at] = 1.0
        row = np.asarray(one @ system.flows)
        coefficient = row * system.per_output
        cut = event.cut(at) if self.kind == "trade_ban" else np.zeros(network.n_nodes)
        parts = coefficient * (self.before - (1.0 - cut) * self.after)
        total = float(self.output_loss[at])
        frame = pl.DataFrame(
            {
                "buyer": [*network.node_labels.tolist(), "final users"],
                "output_loss": [*parts.tolist(), float(self.final_loss[at])],
                "banned": [*(cut > 0).tolist(), self.kind == "trade_ban"],
            }
        ).filter(pl.col("output_loss") != 0)
        share = pl.col("output_loss") / total if total else pl.lit(None, dtype=pl.Float64)
        return frame.select("buyer", "output_loss", share.alias("share"), "banned").sort(
            ["output_loss", "buyer"], descending=[True, False]
        )

    def summary(self) -> str:
        """Return two sentences: what is lost, and under which assumption."""
        what = {"demand": "final demand", "trade_ban": "sales"}.get(self._event.kind, "capacity")
        where = f" to {listed(list(self.to), 3)}" if self.to else ""
        whole = self.before.sum() or 1.0
        assumption = self.assumption[0].upper() + self.assumption[1:]
        return (
            f"{self.asked} loses {100 * self.share:.6g}% of its {what}{where}: output falls by "
            f"{_amount(self.total_output_loss)} ({self.total_output_loss / whole:.2%} of all), "
            f"value added by {_amount(self.total_value_added_loss)}, and "
            f"{_amount(self.total_final_loss)} of final demand goes unmet. {assumption}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        whole = self.before.sum() or 1.0
        return (
            f"<Closure '{self.kind}' of {self.asked}: "
            f"{self.total_output_loss / whole:.2%} of output lost>"
        )


def _amount(value: float) -> str:
    return f"{round(value):,}" if abs(value) >= 100 else f"{value:.3g}"


def closure(
    network: ProductionNetwork,
    *,
    region: str | None = None,
    bloc: str | None = None,
    product: str | None = None,
    node: str | None = None,
    share: float | str = 1.0,
    kind: str = "demand",
    to: str | None = None,
) -> Closure:
    """Say what an economy loses when some cells lose demand, capacity or markets for good.

    - `kind="demand"`: final demand for the cells falls by `share` (with `to`: that of the final
      users there). Output falls by L times what is no longer asked for: the quantity model.
    - `kind="capacity"`: the cells make (1 - share) of their output. Output of these cells is given
      and their deliveries to final users are what is left; of all others final demand is given and
      output follows (the mixed model). Loss at others is what the cells no longer buy, through
      every tier. If deliveries of a cell to final users would turn negative, a finding says so.
    - `kind="trade_ban"`: sales of the cells to other regions `to`, to their cells and their final
      users, fall by `share`; buyers find these inputs outside the table (hypothetical extraction).

    None of them stops anybody for want of an input; `closure_bounds` has those that do.

    Parameters
    ----------
    network : ProductionNetwork
        An economy, or a network of links whose nodes have prices.
    region, bloc, product, node : str, optional
        Cells that are hit: those that meet all that is given.
    share : float or str, 0 to 1
        Share lost; text such as "10%" too.
    kind : {"demand", "capacity", "trade_ban"}
    to : str, optional
        Region or bloc of the buyers; sales within a region are no exports and go on.

    Returns
    -------
    Closure

    Raises
    ------
    ScenarioError
        If a label is unknown, or no cell meets all of them.
    UsageError
        If an argument is not possible.

    Notes
    -----
    One system is solved by rounds; from the factor, if the network has one (`leontief_of`).

    References
    ----------
    Miller and Blair (2009), Input-Output Analysis, sections 2.2 (demand), 13.2.1 (mixed model)
    and 12.2.6 (extraction).

    Examples
    --------
    Cars of FR cost 10, of which 4 is steel of DE. A tenth fewer cars take 0.4 of steel along. With
    a tenth less steel nobody makes fewer cars: DE lacks 0.4 that it cannot sell to final users.

    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "FR"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[1.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["FR"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> closure(net, region="FR", share=0.1).output_loss.round(9).tolist()
    [0.4, 1.0]
    >>> less_steel = closure(net, product="steel", share=0.1, kind="capacity")
    >>> less_steel.output_loss.round(9).tolist(), less_steel.final_loss.round(9).tolist()
    ([0.5, 0.0], [0.5, 0.0])
    """
    event = event_of(
        network,
        region=region,
        bloc=bloc,
        product=product,
        node=node,
        share=share,
        kind=kind,
        to=to,
    )
    before = event.system.solve_once(event.demand)
    return closed(event, before)


def closed(event: Event, before: Array) -> Closure:
    """Return the closure that the kind of the event names; `before` is L y."""
    system = event.system
    if event.kind == "demand":
        loss, final = system.solve_once(event.direct), event.direct
    elif event.kind == "capacity":
        loss, final = _mixed(event, before)
    else:
        loss, final = before - _without(event), event.direct
    return result(event, event.kind, before, loss, final)


def result(event: Event, kind: str, before: Array, loss: Array, final: Array) -> Closure:
    """Return the losses of one closure of an event, with its findings."""
    network = event.network
    asked = {
        "kind": kind,
        "event": event.kind,
        "asked": event.asked,
        "share": event.share,
        "to": network.region_labels[event.to].tolist(),
    }
    return Closure(
        kind=kind,
        asked=event.asked,
        nodes=tuple(network.node_labels[event.nodes].tolist()),
        to=tuple(network.region_labels[event.to].tolist()),
        share=event.share,
        before=before,
        after=before - loss,
        output_loss=loss,
        value_added_loss=loss * event.system.value_shares,
        final_loss=final,
        findings=_findings(event, kind, loss, final),
        provenance=provenance_of("stress.closure", network, asked),
        _event=event,
    )


def _mixed(event: Event, before: Array) -> tuple[Array, Array]:
    """Loss of output d with d[h] given, and of final demand (I - A) d, which is zero but at h.

    d[others] = A[others, h] d[h] + A[others, others] d[others]: the system without the rows h.
    """
    given = np.zeros(len(before))
    given[event.nodes] = event.share * before[event.nodes]
    rows = Block(rows=event.nodes, columns=np.arange(len(before)))
    loss = solve_without(event.system, [rows], given)
    loss[event.nodes] = given[event.nodes]  # rounding
    final = np.zeros(len(before))
    final[event.nodes] = event.system.apply(loss)[event.nodes]
    return loss, final


def _without(event: Event) -> Array:
    """Output (I - A*)^-1 (y - what the ban takes), A* the recipes less what is banned."""
    system, left = event.system, event.demand - event.direct
    if event.share == 1.0 or not event.blocks:
        return solve_without(system, list(event.blocks), left)
    system.certify()
    return krylov_solve(lambda v: _apply(system, event, v), left)


def _apply(system: LeontiefSystem, event: Event, vector: Array) -> Array:
    """(I - A*) v, A* with a share of some blocks taken out."""
    found = system.apply(vector)
    for block in event.blocks:
        part = np.zeros(system.n)
        part[block.columns] = vector[block.columns]
        found[block.rows] += event.share * (part - system.apply(part))[block.rows]
    return found


def _findings(event: Event, kind: str, loss: Array, final: Array) -> tuple[Finding, ...]:
    network = event.network
    if not (np.abs(loss) > 0).any() and not (np.abs(final) > 0).any():
        what = f"{event.asked}: nothing is made or sold there that could be lost"
        return (make_finding("W301", what),)
    if kind != "capacity":
        return ()
    missing = final - np.maximum(event.demand, 0.0)
    short = event.nodes[missing[event.nodes] > ROUNDING * np.abs(event.demand).sum()]
    if len(short) == 0:
        return ()
    worst = short[missing[short].argmax()]
    what = (
        f"{network.node_labels[worst]} would have to deliver {missing[worst]:.6g} more to others "
        "than it makes"
    )
    found = make_finding("W305", what, value=network.node_labels[worst], count=len(short))
    return (found,)
