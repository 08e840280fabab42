"""Tiers and total needs: facts about a network seen from its viewpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse

from withstand.model.encoding import Array, encode

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork


def product_edges(network: ProductionNetwork) -> tuple[Array, Array]:
    """Return (buyer product, input product) of every recipe, known abroad or not."""
    buyer = [network.node_product[network.input_buyer]]
    needed = [network.input_product]
    if "recipes" in network.tables:
        recipes = network.tables["recipes"]
        labels = pl.Series(network.product_labels)
        rows = encode(labels, recipes["buyer"])
        general = rows >= 0
        buyer.append(rows[general])
        needed.append(encode(labels, recipes["input"])[general])
    pairs = np.unique(np.stack([np.concatenate(buyer), np.concatenate(needed)], axis=1), axis=0)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


def tiers(network: ProductionNetwork) -> Array:
    """Return the tier of every product: shortest path of recipes from the viewpoint.

    Returns
    -------
    ndarray of int64, shape (n_products,)
        0 for the viewpoint itself, 1 for what it needs directly; -1 for what it never needs.

    Examples
    --------
    >>> from withstand.examples import example
    >>> net = example("robot_maker")
    >>> int(tiers(net)[net.index("products")["ARM"]])
    1
    """
    buyer, needed = product_edges(network)
    n = network.n_products
    uses = sparse.coo_array((np.ones(len(buyer), np.int8), (needed, buyer)), (n, n)).tocsr()
    tier = np.full(n, -1, dtype=np.int64)
    front = np.zeros(n)
    front[network.viewpoint] = 1.0
    tier[network.viewpoint] = 0
    step = 0
    while front.any():
        step += 1
        reached = (uses @ front > 0) & (tier < 0)
        tier[reached] = step
        front = reached.astype(np.float64)
    return tier


def needs_per_unit(network: ProductionNetwork) -> Array:
    """Return what one period of final demand needs of each product, all recipes counted.

    Returns
    -------
    ndarray of float64, shape (n_products,), units per period
    """
    full = network.under_rule("shared")
    return np.bincount(full.node_product, full.output, full.n_products)
