"""An economy, its rules and its shocks as the arrays that the dense kernel reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.kernels.dense_memory import (
    FINAL_FIRST,
    FINAL_LAST,
    ORDERS_FOLLOW_USE,
    ORDERS_FOLLOW_WANTED,
    PROPORTIONAL,
    SCARCE_CAPACITY,
    SCARCE_ORDERS,
    TARGETS_AT_REST,
    TARGETS_FOLLOW_WANTED,
    DenseEconomy,
    DenseRules,
)
from withstand.model.recipe_inputs import CONSUMED
from withstand.model.tables import CLASSES
from withstand.stress.arrays import TOLERANCE, finished_goods

if TYPE_CHECKING:
    from withstand.model.hits import Hit
    from withstand.model.network import ProductionNetwork
    from withstand.stress.rules import Rules

Array = np.ndarray
RATIONING = {
    "proportional": PROPORTIONAL,
    "final_first": FINAL_FIRST,
    "final_last": FINAL_LAST,
}
TARGETS = {"rest": TARGETS_AT_REST, "wanted": TARGETS_FOLLOW_WANTED}
OVERTIME = {"capacity": SCARCE_CAPACITY, "orders": SCARCE_ORDERS}
ORDERS = {"made": ORDERS_FOLLOW_USE, "wanted": ORDERS_FOLLOW_WANTED}
MINOR, IMPORTANT = CLASSES.index("minor"), CLASSES.index("important")


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """An economy as the kernel reads it.

    Parameters
    ----------
    economy : DenseEconomy
    rules : DenseRules
    order : ndarray of int64, shape (n_nodes,)
        The nodes, sorted by product: row k of the economy is node order[k].
    row : ndarray of int64, shape (n_nodes,)
        The row of each node.
    """

    economy: DenseEconomy
    rules: DenseRules
    order: Array
    row: Array


def dense_obstacle(network: ProductionNetwork, rules: Rules, hits: Sequence[Hit] = ()) -> str:
    """Return why a simulation cannot read the matrix of flows; empty if it can.

    Parameters
    ----------
    network : ProductionNetwork
    rules : Rules
    hits : sequence of Hit
        What the shocks hit.
    """
    if network.flow_table is None:
        return "the network has links, and no matrix of flows"
    if rules.reroute:
        return "orders move between suppliers (reroute)"
    if rules.priority:
        return "some buyers are served before others (priority)"
    if (network.input_use != CONSUMED).any() or network.input_lag.any():
        return "some inputs are hours, or take a time to be ready"
    if any(hit.kind == "link" for hit in hits):
        return "a shock hits links"
    if finished_goods(network).any():
        return "some nodes hold stocks of what they make"
    return ""


def prepare(
    network: ProductionNetwork,
    rules: Rules,
    *,
    targets: str | None = None,
    overtime: str = "capacity",
) -> Prepared:
    """Sort an economy by product and write its recipes, stocks and shares as matrices.

    Takes n_nodes x n_nodes numbers for the shares, and 6 n_products x n_nodes more.

    Parameters
    ----------
    network : ProductionNetwork
        An economy: with a matrix of flows.
    rules : Rules
    targets : {"rest", "wanted"}, optional
        In place of what the rules say.
    overtime : {"capacity", "orders"}
        Overcapacity grows with the demand missed where capacity limited; or, as in BoARIO, it
        moves with the demand of this period against the output of the last one, up and down.
    """
    if network.flow_table is None:
        raise UsageError("This network is no economy with a matrix of flows.")
    n_nodes, n_products = network.n_nodes, network.n_products
    order = np.argsort(network.node_product, kind="stable").astype(np.int64)
    row = np.empty(n_nodes, np.int64)
    row[order] = np.arange(n_nodes)
    indptr = np.zeros(n_products + 1, np.int64)
    np.cumsum(np.bincount(network.node_product, minlength=n_products), out=indptr[1:])
    place = network.input_product, row[network.input_buyer]

    def matrix(values: Array) -> Array:
        out = np.zeros((n_products, n_nodes))
        out[place] = values
        return out

    output, coefficient = network.output, network.input_coefficient
    rest = output[network.input_buyer]
    flow = coefficient * rest
    recipe = coefficient
    if rules.psi is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            by_stock = np.where(rest > 0, rules.psi * network.input_target / rest, 0.0)
        recipe = np.maximum(coefficient, by_stock)
    reach, keeps = _limits(network, rules, recipe)
    economy = DenseEconomy(
        output=output[order],
        capacity=network.capacity[order],
        final_demand=np.maximum(network.final_demand[order], 0.0),
        product_indptr=indptr,
        share=_shares(network.flow_table.flows, order, indptr),
        coefficient=matrix(coefficient),
        recipe=matrix(recipe),
        stock=matrix(network.input_stock + flow),
        target=matrix(network.input_target + flow),
        reach=matrix(reach),
        keeps=matrix(keeps),
        has_inputs=(np.bincount(network.input_buyer, reach, n_nodes)[order] > 0).astype(np.int64),
    )
    for array in economy:
        array.setflags(write=False)
    return Prepared(
        economy=economy,
        rules=_numbers(rules, targets or rules.targets, overtime),
        order=order,
        row=row,
    )


def slowest_path(network: ProductionNetwork, most_tiers: int = 30) -> float:
    """Return the most periods a missing delivery takes to be felt, as `horizons` counts them.

    Lead time 1 and what the stock lasts for, added up along supply chains of so many tiers.
    """
    if network.flow_table is None:
        raise UsageError("This network is no economy with a matrix of flows.")
    use = network.input_coefficient * network.output[network.input_buyer]
    with np.errstate(invalid="ignore", divide="ignore"):
        cover = np.where(use > 0, network.input_stock / use, 0.0)
    delay = np.ones((network.n_products, network.n_nodes))
    delay[network.input_product, network.input_buyer] += cover
    sells = network.flow_table.flows > 0
    slowest = np.zeros(network.n_nodes)
    for _ in range(most_tiers):
        following = slowest.copy()
        for p in np.unique(network.node_product):
            own = np.flatnonzero(network.node_product == p)
            felt = np.where(sells[own], slowest + delay[p], 0.0).max(axis=1, initial=0.0)
            following[own] = np.maximum(following[own], felt)
        if np.array_equal(following, slowest):
            break
        slowest = following
    return float(slowest.max(initial=0.0))


def _limits(network: ProductionNetwork, rules: Rules, recipe: Array) -> tuple[Array, Array]:
    """Return the output that a unit of each input allows, and what important ones keep up."""
    binds = network.input_coefficient > 0
    if rules.inputs == "linear":
        weight = _weights(network)
        total = np.bincount(
            network.input_buyer, np.where(binds, weight * recipe, 0.0), network.n_nodes
        )[network.input_buyer]
        reach = np.where(binds & (total > 0), weight / np.where(total > 0, total, 1.0), 0.0)
        return reach, np.zeros_like(reach)
    keeps = np.zeros_like(recipe)
    if rules.inputs == "classes":
        binds &= network.input_class != MINOR
        is_kept = network.input_class == IMPORTANT
        keeps[is_kept] = network.output[network.input_buyer[is_kept]]
    return np.where(binds, 1.0 / np.where(binds, recipe, 1.0), 0.0), keeps


def _weights(network: ProductionNetwork) -> Array:
    """Return the weight of each input among substitutes: its price, or each one alike."""
    price = network.product_price[network.input_product]
    is_used = network.input_coefficient > 0
    lacks = np.bincount(network.input_buyer, is_used & ~(price > 0), network.n_nodes) > 0
    alike = np.where(is_used, 1.0 / np.where(is_used, network.input_coefficient, 1.0), 0.0)
    return np.where(lacks[network.input_buyer], alike, np.nan_to_num(price))


def _shares(flows: Array, order: Array, indptr: Array) -> Array:
    """Return the share of each supplier in what a buyer buys of a product, block by block."""
    n_nodes = len(order)
    share = np.empty(n_nodes * n_nodes)
    for first, end in pairwise(indptr):
        if first == end:
            continue
        block = share[n_nodes * first : n_nodes * end].reshape(n_nodes, end - first)
        block[:] = flows[order[first:end]].T[order]
        total = block.sum(axis=1, keepdims=True)
        np.divide(block, total, out=block, where=total > 0)
    return share


def _numbers(rules: Rules, targets: str, overtime: str) -> DenseRules:
    return DenseRules(
        pace=1.0 / rules.stock_adjustment,
        tolerance=TOLERANCE,
        alpha_max=float(rules.alpha_max),
        alpha_pace=min(1.0, 1.0 / rules.alpha_periods),
        order_rule=ORDERS[rules.orders],
        target_rule=TARGETS[targets],
        rationing=RATIONING[rules.rationing],
        scarcity=OVERTIME[overtime],
        substitutes=int(rules.inputs == "linear"),
    )


def lane_shocks(
    hits: Sequence[Sequence[Hit]], row: Array, kind: str, n_lanes: int, n_periods: int
) -> tuple[Array, Array, Array]:
    """Return the shocks of one kind of some scenarios, as `apply_shocks` reads them.

    Parameters
    ----------
    hits : sequence of sequence of Hit
        What each scenario hits; the scenario is the lane.
    row : ndarray of int64, shape (n_nodes,)
        Row of each node.
    kind : {"node", "demand"}
    n_lanes, n_periods : int

    Returns
    -------
    indptr, hit : ndarray of int64
    factor : ndarray of float64, shape (n_shocks, n_periods)
    """
    own = [(lane, hit) for lane, some in enumerate(hits) for hit in some if hit.kind == kind]
    indptr = np.concatenate([[0], np.cumsum([len(h.indices) for _, h in own])]).astype(np.int64)
    places = [row[hit.indices] * n_lanes + lane for lane, hit in own]
    place = np.concatenate(places) if places else np.empty(0, np.int64)
    factor = np.stack([h.factor for _, h in own]) if own else np.ones((0, n_periods))
    return indptr, place.astype(np.int64), np.ascontiguousarray(factor, dtype=np.float64)
