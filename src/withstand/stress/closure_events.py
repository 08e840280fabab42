"""What a closure is asked about: cells that lose capacity or demand, or trade that is banned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import nearest
from withstand.model.hits import resolve
from withstand.model.scenario import Scenario, Shock
from withstand.programming.leontief import LeontiefSystem, leontief_of
from withstand.programming.removals import Block

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
KINDS = ("demand", "capacity", "trade_ban")


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """One shock to an economy, in arrays.

    Parameters
    ----------
    network : ProductionNetwork
    kind : {"demand", "capacity", "trade_ban"}
    asked : str
        What is hit, in words.
    nodes : ndarray of int64
        Cells whose capacity, demand or sales are hit, ordered.
    to : ndarray of int64
        Regions of the buyers or final users that are hit; empty: all.
    share : float, 0 to 1
    demand : ndarray of float64, shape (n_nodes,), currency per period
        Final demand at rest, in all.
    exposed : ndarray of float64, shape (n_nodes,), currency per period
        Final demand that the event itself takes a share of; nothing negative.
    blocks : tuple of Block
        Purchases that a ban takes away.
    """

    network: ProductionNetwork
    kind: str
    asked: str
    nodes: Array
    to: Array
    share: float
    demand: Array
    exposed: Array
    blocks: tuple[Block, ...]

    @property
    def system(self) -> LeontiefSystem:
        """The system of the network, with its factor if it stands."""
        return leontief_of(self.network)

    @property
    def direct(self) -> Array:
        """Final demand that the event itself takes away, (n_nodes,), currency per period."""
        return self.share * self.exposed

    def cut(self, node: int) -> Array:
        """Share of the purchases of every buyer from one node that a ban takes away, (n_nodes,)."""
        share = np.zeros(self.network.n_nodes)
        for block in self.blocks:
            if node in block.rows:
                share[block.columns] = self.share
        return share


def event_of(
    network: ProductionNetwork,
    *,
    region: str | None,
    bloc: str | None,
    product: str | None,
    node: str | None,
    share: float | str,
    kind: str,
    to: str | None,
) -> Event:
    """Return the event, or say what cannot be.

    Raises
    ------
    ScenarioError
        For a label that the network lacks, a share that cannot be, or cells that do not exist.
    UsageError
        For a kind that does not go with `to`.
    """
    if kind not in KINDS:
        near = nearest(str(kind), KINDS)
        raise UsageError(
            f"kind='{str(kind)[:40]}' is unknown; use one of {', '.join(KINDS)}."
            + (f" Did you mean {near}?" if near else "")
        )
    if kind == "trade_ban" and to is None:
        raise UsageError(
            "A trade ban needs the buyers: to='USA' (a region or a bloc). Without buyers, "
            "kind='capacity' says what is lost if the cells make less."
        )
    if kind == "capacity" and to is not None:
        raise UsageError(
            "kind='capacity' does not go with `to`: what cells can make is lost for all buyers. "
            "Use kind='trade_ban' for sales to some."
        )
    shock = Shock(
        region=region,
        bloc=bloc,
        product=product,
        node=node,
        share=share,  # type: ignore[arg-type]  # text such as "10%" is taken too
    )
    hits = resolve(Scenario(name="closure", shocks=(shock,)), network, 1)
    nodes = np.unique(np.concatenate([hit.indices for hit in hits]))
    regions = np.zeros(0, np.int64) if to is None else _regions(network, to)
    demand = _final_value(network)
    return Event(
        network=network,
        kind=kind,
        asked=" of ".join(label for label in (node, product, bloc, region) if label is not None),
        nodes=nodes,
        to=regions,
        share=shock.share,
        demand=demand,
        exposed=_exposed(network, kind, nodes, regions, demand, to is not None),
        blocks=_blocks(network, nodes, regions) if kind == "trade_ban" else (),
    )


def _regions(network: ProductionNetwork, label: str) -> Array:
    """Return the region of a label, or the regions of a bloc."""
    index = network.index("regions")
    if label in index:
        return np.array([index[label]], np.int64)
    texts = network.column("regions", "bloc").to_list()
    blocs = [{b.strip() for b in (text or "").split(";")} - {""} for text in texts]
    found = [i for i, own in enumerate(blocs) if label in own]
    if not found:
        near = nearest(str(label), [*index, *sorted(set().union(*blocs))])
        raise UsageError(
            f"There is no region or bloc '{str(label)[:60]}' to sell to."
            + (f" Did you mean {near}?" if near else "")
        )
    return np.array(found, np.int64)


def _final_value(network: ProductionNetwork) -> Array:
    if network.flow_table is not None:
        return network.flow_table.final.sum(axis=1)
    return np.nan_to_num(network.final_demand * network.price)


def _exposed(
    network: ProductionNetwork,
    kind: str,
    nodes: Array,
    regions: Array,
    demand: Array,
    has_users: bool,
) -> Array:
    """Return final demand for the cells: of all users, or of those in the regions.

    What is sold to users of the seller's own region is no export, and no ban stops it.
    """
    exposed = np.zeros(network.n_nodes)
    if kind == "capacity":
        return exposed
    if not has_users:
        exposed[nodes] = np.maximum(demand[nodes], 0.0)
        return exposed
    table = network.flow_table
    if table is None:
        if kind == "trade_ban":
            return exposed  # who the final users of a network of links are is not known
        raise UsageError("Where final users live is known of economies only; leave out `to`.")
    of_users = np.isin(table.final_region, regions)
    sold = table.final[np.ix_(nodes, of_users)]
    if kind == "trade_ban":
        abroad = network.node_region[nodes, None] != table.final_region[None, of_users]
        sold = np.where(abroad, sold, 0.0)
    exposed[nodes] = np.maximum(sold.sum(axis=1), 0.0)
    return exposed


def _blocks(network: ProductionNetwork, nodes: Array, regions: Array) -> tuple[Block, ...]:
    """Purchases by cells of the regions from the nodes, but for those within a region."""
    blocks = []
    for home in np.unique(network.node_region[nodes]):
        rows = nodes[network.node_region[nodes] == home]
        columns = np.flatnonzero(np.isin(network.node_region, regions[regions != home]))
        if len(columns):
            blocks.append(Block(rows=rows, columns=columns))
    return tuple(blocks)
