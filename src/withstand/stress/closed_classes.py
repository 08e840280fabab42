"""Closed classes of the upstream channel: nodes that sell only to each other.

Losses that enter such a class never leave it, and go round until all of it is lost: the spectral
radius of U, the shares of sales, is 1. The published stop rule ends before that, at a value that
depends on eps, and the closed form (w'N)_i / N_ii with N = (I - U)^-1 does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from withstand.model.findings import Finding, make_finding

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.stress.cascade_arrays import Prepared

Array = np.ndarray
LEAK = 1e-9
"""Share of a node's sales that may leave a class that still counts as closed."""


def closed_classes(prepared: Prepared) -> Array:
    """Return the number of the closed class each node is in, -1 for none.

    A class is a set of nodes that reach each other through sales (or one node that sells to
    itself) and sell to nobody else; final demand counts as somebody else.

    Returns
    -------
    ndarray of int64, shape (n_nodes,)
        Classes are numbered by falling size, then by their first node.
    """
    arrays = prepared.arrays
    n = len(arrays.size)
    buyer = np.repeat(np.arange(n), np.diff(arrays.up_indptr))
    supplier, share = arrays.up_supplier, arrays.up_share
    sells = share > 0
    table = sparse.coo_array((share[sells], (supplier[sells], buyer[sells])), shape=(n, n))
    count, component = csgraph.connected_components(table, directed=True, connection="strong")
    inside = np.bincount(supplier, share * (component[supplier] == component[buyer]), n)
    is_closed = np.bincount(component, inside < 1.0 - LEAK, count) == 0
    size = np.bincount(component, minlength=count)
    first = np.full(count, n)
    np.minimum.at(first, component, np.arange(n))
    order = np.lexsort((first, -size))
    order = order[is_closed[order]]
    number = np.full(count, -1, dtype=np.int64)
    number[order] = np.arange(len(order))
    return number[component]


def closed_class_findings(network: ProductionNetwork, prepared: Prepared) -> tuple[Finding, ...]:
    """Return one finding if nodes sell only to each other: how many classes, how large."""
    number = closed_classes(prepared)
    count = int(number.max(initial=-1)) + 1
    if count == 0:
        return ()
    members = np.flatnonzero(number == 0)
    names = ", ".join(str(network.node_labels[k]) for k in members[:3])
    more = ", ..." if len(members) > 3 else ""
    what = f"{len(members):,} of {network.n_nodes:,} nodes sell only to each other: {names}{more}"
    if count > 1:
        what += f"; {count - 1:,} smaller or equal classes besides"
    return (make_finding("W303", what, count=count),)
