"""A network and its shocks as the arrays that the kernel of the simulation reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import SolverError
from withstand.kernels import dynamics
from withstand.model.recipe_inputs import CONSUMED

if TYPE_CHECKING:
    from withstand.model.hits import Hit
    from withstand.model.network import ProductionNetwork

Array = np.ndarray


def network_arrays(network: ProductionNetwork) -> dynamics.NetworkArrays:
    """Return the arrays the kernel reads; recipe lags count as lead time of the input."""
    lead = lead_times(network)
    return dynamics.read_only(
        dynamics.NetworkArrays(
            output=network.output,
            capacity=network.capacity,
            final_demand=np.maximum(network.final_demand, 0.0),
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


def shock_arrays(hits: list[Hit], n_periods: int) -> dynamics.ShockArrays:
    """Return the arrays the kernel reads: the hits on nodes, on links and on final demand."""

    def group(kind: str) -> tuple[Array, Array, Array]:
        own = [h for h in hits if h.kind == kind]
        indptr = np.concatenate([[0], np.cumsum([len(h.indices) for h in own])]).astype(np.int64)
        indices = np.concatenate([h.indices for h in own]) if own else np.empty(0, np.int64)
        factor = np.stack([h.factor for h in own]) if own else np.ones((0, n_periods))
        return indptr, indices, factor

    return dynamics.read_only(
        dynamics.ShockArrays(*group("node"), *group("link"), *group("demand"))
    )
