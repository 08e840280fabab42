"""A network, rules and shocks as the arrays that the simulation kernels read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import SolverError, UsageError
from withstand.kernels import dynamics_arrays
from withstand.kernels.dynamics_arrays import NetworkArrays, RuleArrays, ShockArrays
from withstand.model.encoding import encode, numbers
from withstand.model.findings import nearest
from withstand.model.recipe_inputs import CONSUMED
from withstand.stress.rules import RATIONING_RULES

if TYPE_CHECKING:
    from withstand.model.hits import Hit
    from withstand.model.network import ProductionNetwork
    from withstand.stress.rules import Rules

Array = np.ndarray
TOLERANCE = 1e-9


def network_arrays(network: ProductionNetwork) -> NetworkArrays:
    """Return the arrays the kernel reads; recipe lags count as lead time of the input."""
    lead = lead_times(network)
    return dynamics_arrays.read_only(
        NetworkArrays(
            output=network.output,
            capacity=network.capacity,
            final_demand=np.maximum(network.final_demand, 0.0),
            finished=finished_goods(network),
            inputs_indptr=network.inputs_indptr,
            input_coefficient=network.input_coefficient,
            input_class=network.input_class,
            input_use=network.input_use,
            input_stock=network.input_stock,
            input_target=network.input_target,
            links_indptr=network.links_indptr,
            link_supplier=network.link_supplier,
            link_share=network.link_share,
            link_lead_time=lead,
            hours_order=hours_order(network, lead),
        )
    )


def lead_times(network: ProductionNetwork) -> Array:
    """Return whole periods from order to use per link, int64; 0 only for hours of the period."""
    lag = network.input_lag[network.link_input]
    lead = np.rint(network.link_lead_time + lag).astype(np.int64)
    is_consumed = network.input_use[network.link_input] == CONSUMED
    return np.where(is_consumed, np.maximum(lead, 1), lead)


def hours_order(network: ProductionNetwork, lead: Array) -> Array:
    """Return all nodes, every user of same-period hours before those who supply them."""
    at_once = (network.input_use[network.link_input] != CONSUMED) & (lead <= 0)
    user = network.input_buyer[network.link_input[at_once]]
    supplier = network.link_supplier[at_once]
    level = np.zeros(network.n_nodes, dtype=np.int64)
    most = len(np.union1d(user, supplier))  # no chain without a circle is longer
    for _ in range(most + 1):
        following = level.copy()
        np.maximum.at(following, supplier, level[user] + 1)
        if np.array_equal(following, level):
            return np.argsort(level, kind="stable").astype(np.int64)
        level = following
    raise SolverError(
        "Skilled or machine hours need each other in a circle within one period. "
        "Give one of the links a lead time of at least 1."
    )


def finished_goods(network: ProductionNetwork) -> Array:
    """Return the finished goods that each node holds at rest, shape (n_nodes,), units.

    These are rows of the table of stocks for a node, or every maker of a product, whose product is
    its own. Not where the node buys its own product, nor where it is taken as hours or hosted.
    """
    held = np.zeros(network.n_nodes)
    if "stocks" not in network.tables:
        return held
    frame = network.tables["stocks"]
    labels = network.tables["products"]["product"]
    product, general = encode(labels, frame["product"]), encode(labels, frame["node"])
    node = encode(network.tables["nodes"]["node"], frame["node"])
    quantity, periods = numbers(frame, "quantity"), numbers(frame, "periods_of_use")
    of_maker = (node < 0) & (general >= 0) & (general == product)
    of_node = (node >= 0) & (network.node_product[node] == product)
    row_of = np.full(network.n_products, -1)
    row_of[product[of_maker]] = np.flatnonzero(of_maker)
    makers = np.flatnonzero(row_of[network.node_product] >= 0)
    # the more specific rows come last and win
    rows = np.concatenate([row_of[network.node_product[makers]], np.flatnonzero(of_node)])
    nodes = np.concatenate([makers, node[of_node]])
    stated = quantity[rows]
    by_output = periods[rows] * network.output[nodes]
    held[nodes] = np.nan_to_num(np.where(np.isnan(stated), by_output, stated))
    buys_own = network.input_product == network.node_product[network.input_buyer]
    held[network.input_buyer[buys_own]] = 0.0
    if (network.input_use != CONSUMED).any():
        held[network.link_supplier[network.input_use[network.link_input] != CONSUMED]] = 0.0
    return held


def rules_to_arrays(network: ProductionNetwork, arrays: NetworkArrays, rules: Rules) -> RuleArrays:
    """Return rules as the arrays the kernel reads.

    Raises
    ------
    UsageError
        If a named buyer is no node.
    """
    return dynamics_arrays.rule_arrays(
        arrays,
        inputs=rules.inputs,
        psi=rules.psi or 0.0,
        weight=_weights(network) if rules.inputs == "linear" else None,
        is_wanted=rules.orders == "wanted",
        is_scaled=rules.targets == "wanted",
        stock_adjustment=rules.stock_adjustment,
        rationing=RATIONING_RULES.index(rules.rationing),
        priority=_nodes_of(network, rules.priority),
        alpha_max=rules.alpha_max,
        alpha_rate=min(1.0, 1.0 / rules.alpha_periods),
        link_switch=_switch_periods(network, rules) if rules.reroute else None,
        tolerance=TOLERANCE,
    )


def _weights(network: ProductionNetwork) -> Array:
    """Return what a unit of each input weighs among substitutes: its price, else 1 / coefficient.

    Prices count where all substitutes of the node have one; else each counts alike.
    """
    price = network.product_price[network.input_product]
    coefficient = network.input_coefficient
    is_substitute = (
        (network.input_use == CONSUMED) & (coefficient > 0) & (np.diff(network.links_indptr) > 0)
    )
    lacks = is_substitute & ~(price > 0)
    has_all = np.bincount(network.input_buyer, lacks, network.n_nodes) == 0
    with np.errstate(divide="ignore"):
        alike = np.where(coefficient > 0, 1.0 / coefficient, 0.0)
    return np.where(has_all[network.input_buyer], np.nan_to_num(price), alike)


def _nodes_of(network: ProductionNetwork, labels: tuple[str, ...]) -> list[int]:
    index = network.index("nodes")
    for label in labels:
        if label not in index:
            near = nearest(str(label), list(index))
            raise UsageError(
                f"priority names '{str(label)[:60]}', which is no node."
                + (f" Did you mean {near}?" if near else "")
            )
    return [index[label] for label in dict.fromkeys(labels)]


def _switch_periods(network: ProductionNetwork, rules: Rules) -> Array:
    """Return the time to switch to each link: its own, else that of the rules."""
    if "links" not in network.tables or network.n_links == 0:
        return np.full(network.n_links, float(rules.switch_periods))
    own = numbers(network.tables["links"], "switch_periods")
    if len(own) == 0:
        return np.full(network.n_links, float(rules.switch_periods))
    row = network.link_row
    stated = np.where(row >= 0, own[np.maximum(row, 0)], np.nan)
    return np.where(np.isnan(stated), rules.switch_periods, stated)


def shock_arrays(hits: list[Hit], n_periods: int) -> ShockArrays:
    """Return the arrays the kernel reads: the hits on nodes, on links and on final demand."""

    def group(kind: str) -> tuple[Array, Array, Array]:
        own = [h for h in hits if h.kind == kind]
        indptr = np.concatenate([[0], np.cumsum([len(h.indices) for h in own])]).astype(np.int64)
        indices = np.concatenate([h.indices for h in own]) if own else np.empty(0, np.int64)
        factor = np.stack([h.factor for h in own]) if own else np.ones((0, n_periods))
        return indptr, indices, factor

    return dynamics_arrays.read_only(ShockArrays(*group("node"), *group("link"), *group("demand")))
