"""Which nodes and regions a measure is asked about, by their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse

from withstand.errors import UsageError
from withstand.model.findings import Finding, listed, make_finding, nearest
from withstand.model.value_flows import value_flows

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Labels = str | Sequence[str] | None


def select_nodes(
    network: ProductionNetwork,
    *,
    region: Labels = None,
    product: Labels = None,
    node: Labels = None,
) -> Array:
    """Return the nodes that meet every condition given: ndarray of int64, ordered.

    Parameters
    ----------
    region : str or sequence of str, optional
        Regions or blocs.
    product, node : str or sequence of str, optional

    Raises
    ------
    UsageError
        If a label is unknown (the nearest one is named), or no node meets them all.

    Examples
    --------
    >>> import withstand as ws
    >>> net = ws.examples.tiny()
    >>> net.node_labels[select_nodes(net, region="JP")].tolist()
    ['STEEL@JP']
    """
    chosen = np.ones(network.n_nodes, dtype=bool)
    if region is not None:
        chosen &= np.isin(network.node_region, select_regions(network, region))
    if product is not None:
        chosen &= np.isin(network.node_product, _indices(network, "products", product))
    if node is not None:
        chosen &= np.isin(np.arange(network.n_nodes), _indices(network, "nodes", node))
    if not chosen.any():
        raise UsageError(
            f"No node meets region={region!r}, product={product!r} and node={node!r} at once. "
            "Leave one of them out."
        )
    return np.flatnonzero(chosen)


def select_regions(network: ProductionNetwork, labels: str | Sequence[str]) -> Array:
    """Return the regions with these labels or in these blocs: ndarray of int64, ordered.

    Raises
    ------
    UsageError
        If one is unknown.
    """
    index = network.index("regions")
    texts = network.column("regions", "bloc").to_list()
    blocs: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        for bloc in (text or "").split(";"):
            if bloc.strip():
                blocs.setdefault(bloc.strip(), []).append(i)
    found: set[int] = set()
    for label in as_list(labels):
        if label in index:
            found.add(index[label])
        elif label in blocs:
            found.update(blocs[label])
        else:
            raise unknown_label("region or bloc", label, [*index, *blocs])
    return np.array(sorted(found), dtype=np.int64)


def described(region: Labels = None, product: Labels = None, node: Labels = None) -> str:
    """Return the conditions as words: `c15 of DEU`, `DEU, FRA`, `all nodes`.

    Examples
    --------
    >>> described("DEU", "c15"), described(["DEU", "FRA"]), described()
    ('c15 of DEU', 'DEU, FRA', 'all nodes')
    """
    named = [listed(as_list(labels), 3) for labels in (node, product, region) if labels is not None]
    return " of ".join(named) or "all nodes"


def _indices(network: ProductionNetwork, what: str, labels: str | Sequence[str]) -> Array:
    """Return the indices of labels of products or nodes."""
    index = network.index(what)
    for label in as_list(labels):
        if label not in index:
            raise unknown_label(what.removesuffix("s"), label, list(index))
    return np.array([index[label] for label in as_list(labels)], dtype=np.int64)


def as_list(labels: str | Sequence[str]) -> list[str]:
    """Return one label, or many, as a list."""
    return [labels] if isinstance(labels, str) else [str(x) for x in labels]


def unknown_label(what: str, label: str, valid: Sequence[str]) -> UsageError:
    """Return the error for a label that is not there, with the nearest one that is."""
    near = nearest(label, list(valid))
    return UsageError(
        f"There is no {what} '{label[:60]}' here." + (f" Did you mean {near}?" if near else "")
    )


def node_index(network: ProductionNetwork, label: str) -> int:
    """Return the index of one node, or refuse with the nearest label."""
    index = network.index("nodes")
    if label not in index:
        raise unknown_label("node", label, list(index))
    return index[label]


def node_rows(network: ProductionNetwork, nodes: Array | None = None) -> pl.DataFrame:
    """Return the columns node, product and region of some nodes, or of all."""
    rows = np.arange(network.n_nodes) if nodes is None else nodes
    return pl.DataFrame(
        {
            "node": network.node_labels[rows],
            "product": network.product_labels[network.node_product[rows]],
            "region": network.region_labels[network.node_region[rows]],
        }
    )


def final_value(network: ProductionNetwork) -> Array:
    """Return final demand of each node in currency per period: ndarray of float64, (n_nodes,)."""
    if network.flow_table is not None:
        return network.flow_table.final.sum(axis=1)
    return np.nan_to_num(network.final_demand * network.price)


def sum_by(index: Array, values: Array, n: int) -> Array:
    """Add up the rows of `values` that have the same index; shape (n,) or (n, k)."""
    if values.ndim == 1:
        return np.bincount(index, values, n)
    shape = (n, len(index))
    adds = sparse.csr_array((np.ones(len(index)), (index, np.arange(len(index)))), shape=shape)
    return adds @ values


def idle_findings(network: ProductionNetwork) -> tuple[Finding, ...]:
    """Find nodes that buy but make nothing: their purchases cannot be attributed to output."""
    flows, output = value_flows(network)
    idle = np.flatnonzero(output <= 0)
    if len(idle) == 0:
        return ()
    bought = np.asarray(flows[:, idle].sum(axis=0)).ravel()
    bad = idle[bought > 0]
    if len(bad) == 0:
        return ()
    what = f"{network.node_labels[bad[0]]} makes nothing and buys {bought.max():.6g}"
    origin = network.origins["nodes"]
    value = network.node_labels[bad[0]]
    return (make_finding("W230", what, origin=origin, value=value, count=len(bad)),)
