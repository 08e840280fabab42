"""What the kernel for economies reads and remembers: an economy, rules, a block of scenarios."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from withstand.kernels.tiles import N_LANES

ORDERS_FOLLOW_USE, ORDERS_FOLLOW_WANTED = 0, 1
TARGETS_AT_REST, TARGETS_FOLLOW_WANTED = 0, 1
PROPORTIONAL, FINAL_FIRST, FINAL_LAST = 0, 1, 2
SCARCE_CAPACITY, SCARCE_ORDERS = 0, 1

CHUNK = 64
"""Buyers whose needs are made and multiplied at a time: they stay in the first-level cache."""


class DenseEconomy(NamedTuple):
    """An economy at rest, its nodes sorted by product.

    Parameters
    ----------
    output, capacity, final_demand : ndarray of float64, shape (n_nodes,), units per period
    product_indptr : ndarray of int64, shape (n_products + 1,)
        Groups the nodes by product.
    share : ndarray of float64, shape (n_nodes * n_nodes,), 0 to 1
        A block for each product, of n_nodes buyers x its suppliers, one after the other.
    coefficient : ndarray of float64, shape (n_products, n_nodes), input units per unit of output
        What the node (column) needs of the product (row).
    recipe : ndarray of float64, shape (n_products, n_nodes), input units per unit of output
        What the input limits by: the coefficient, or psi x target / output where that is more.
    stock, target : ndarray of float64, shape (n_products, n_nodes), input units
        At hand, at the start and as orders aim at it.
    reach : ndarray of float64, shape (n_products, n_nodes), output per input unit
        Output that a unit at hand allows; 0 where the input never limits. Under substitutes, the
        part of its weight: the sum of reach x stock limits.
    keeps : ndarray of float64, shape (n_products, n_nodes), units per period
        Output at rest where an important input lets output run down half way to it; else 0.
    has_inputs : ndarray of int64, shape (n_nodes,)
        1 where some input can limit.
    """

    output: np.ndarray
    capacity: np.ndarray
    final_demand: np.ndarray
    product_indptr: np.ndarray
    share: np.ndarray
    coefficient: np.ndarray
    recipe: np.ndarray
    stock: np.ndarray
    target: np.ndarray
    reach: np.ndarray
    keeps: np.ndarray
    has_inputs: np.ndarray


class DenseRules(NamedTuple):
    """Rules as numbers.

    Parameters
    ----------
    pace : float, 1 / periods
        Part of the gap to the target that is ordered in a period.
    tolerance : float, share of output at rest
        A limit that is lower than what is wanted by no more than this does not limit.
    alpha_max, alpha_pace : float
        Most overcapacity, as a multiple; part of the way that it goes in a period.
    order_rule, target_rule, rationing, scarcity, substitutes : int
        ORDERS_..., TARGETS_..., PROPORTIONAL or FINAL_..., SCARCE_...; 1 for linear inputs.
    """

    pace: float
    tolerance: float
    alpha_max: float
    alpha_pace: float
    order_rule: int
    target_rule: int
    rationing: int
    scarcity: int
    substitutes: int


class DenseWork(NamedTuple):
    """State of a block of scenarios, one lane each; made by `new_work`.

    Parameters
    ----------
    stock : ndarray of float64, shape (n_products, n_nodes, n_lanes)
        At hand.
    made, aim, next_made, next_aim, alpha, capacity_left, demand_left : ndarray of float64,
        shape (n_nodes, n_lanes)
        What orders follow, and the share of the target they aim at, for the orders of this period
        and of the next; overcapacity; what shocks leave of capacity and final demand.
    orders, final, wanted, output, unmet, fill, lowest : ndarray of float64,
        shape (n_nodes, n_lanes), units per period
        Orders on the node; final demand; wanted output; output; final demand not met; part of
        its orders that is shipped; least output that an input at hand allows.
    need, gain : ndarray of float64, shape (CHUNK, n_lanes)
        Orders of some buyers for one product; part of them that arrives.
    """

    stock: np.ndarray
    made: np.ndarray
    aim: np.ndarray
    next_made: np.ndarray
    next_aim: np.ndarray
    alpha: np.ndarray
    capacity_left: np.ndarray
    demand_left: np.ndarray
    orders: np.ndarray
    final: np.ndarray
    wanted: np.ndarray
    output: np.ndarray
    unmet: np.ndarray
    fill: np.ndarray
    lowest: np.ndarray
    need: np.ndarray
    gain: np.ndarray


def new_work(economy: DenseEconomy, n_lanes: int) -> DenseWork:
    """Return the state at rest of a block of scenarios; lanes are filled up to a multiple of 8.

    Its size is n_products x n_nodes x n_lanes numbers for stocks, and 15 n_nodes x n_lanes more.
    """
    lanes = -(-max(n_lanes, 1) // N_LANES) * N_LANES
    n_nodes = len(economy.output)
    n_products = len(economy.product_indptr) - 1
    nodes = {
        name: np.ones((n_nodes, lanes))
        for name in DenseWork._fields
        if name not in ("stock", "need", "gain")
    }
    work = DenseWork(
        stock=np.empty((n_products, n_nodes, lanes)),
        need=np.empty((CHUNK, lanes)),
        gain=np.empty((CHUNK, lanes)),
        **nodes,
    )
    work.stock[:] = economy.stock[:, :, None]
    work.made[:] = economy.output[:, None]
    work.output[:] = economy.output[:, None]
    return work
