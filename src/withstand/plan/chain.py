"""A network as the planner sees it: products, and activities that make them.

An activity is a node, or a node under a changed recipe or lead time (a variant, which an option
brings). Suppliers of a product are pooled, and so are its stocks: who buys from whom is free
within the law. That is what a planner could arrange, and a bound on what habit achieves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.model.recipe_inputs import CONSUMED, HOURS, MINOR
from withstand.stress.arrays import lead_times

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Need:
    """One input of an activity: product, quantity per unit, class, whether it is hours."""

    product: int
    quantity: float
    rank: int
    is_hours: bool


@dataclass(frozen=True, slots=True)
class Activity:
    """A node, or a variant of it.

    Parameters
    ----------
    label : str
        Of the node.
    product, region : int
    lag : float, periods
        From output to arrival at the buyers.
    needs : tuple of Need
    capacity, rest : float, units per period
        Before any option; 0 for a node that an option adds.
    final : float, units per period
        Final demand at rest.
    unmet_value : float, currency per unit
    peak : float, units per period
        Output at rest when in place: the scale of its equations.
    base : int
        Of a variant: the activity it is a variant of; else -1.
    """

    label: str
    product: int
    region: int
    lag: float
    needs: tuple[Need, ...]
    capacity: float
    rest: float
    final: float
    unmet_value: float
    peak: float
    base: int = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """The facts of one network that the planner compares before and after an option.

    Parameters
    ----------
    capacity, rest : dict of str to float
        By node, units per period.
    needs : dict of str to tuple of Need
    lag : dict of str to float, periods
    stock : ndarray of float64, shape (n_products,), units
        Held in all by buyers who need links for it.
    """

    capacity: dict[str, float]
    rest: dict[str, float]
    needs: dict[str, tuple[Need, ...]]
    lag: dict[str, float]
    stock: Array


def snapshot(network: ProductionNetwork) -> Snapshot:
    """Return the facts of a network."""
    labels = network.node_labels.tolist()
    lag = _lags(network)
    counts = np.diff(network.links_indptr)
    binds = (counts > 0) & (network.input_class > MINOR) & (network.input_coefficient > 0)
    needs: dict[str, list[Need]] = {label: [] for label in labels}
    for i in np.flatnonzero(binds):
        needs[labels[network.input_buyer[i]]].append(
            Need(
                int(network.input_product[i]),
                float(network.input_coefficient[i]),
                int(network.input_class[i]),
                bool(network.input_use[i] != CONSUMED),
            )
        )
    is_stock = binds & (network.input_use == CONSUMED)
    stock = np.bincount(
        network.input_product[is_stock], network.input_stock[is_stock], network.n_products
    )
    return Snapshot(
        capacity=dict(
            zip(labels, np.maximum(network.capacity, network.output).tolist(), strict=True)
        ),
        rest=dict(zip(labels, network.output.tolist(), strict=True)),
        needs={label: tuple(sorted(n, key=lambda x: x.product)) for label, n in needs.items()},
        lag=dict(zip(labels, lag.tolist(), strict=True)),
        stock=stock,
    )


def activities_of(network: ProductionNetwork, facts: Snapshot) -> list[Activity]:
    """Return the nodes of a network as activities."""
    value = np.nan_to_num(network.unmet_value)
    final = np.maximum(network.final_demand, 0.0)
    return [
        Activity(
            label=label,
            product=int(network.node_product[n]),
            region=int(network.node_region[n]),
            lag=facts.lag[label],
            needs=facts.needs[label],
            capacity=facts.capacity[label],
            rest=facts.rest[label],
            final=float(final[n]),
            unmet_value=float(value[n]),
            peak=max(facts.rest[label], 0.0),
        )
        for n, label in enumerate(network.node_labels.tolist())
    ]


def _lags(network: ProductionNetwork) -> Array:
    """Return the shortest lead time of each node's links, periods; 1 (hours: 0) without links."""
    hours = np.zeros(network.n_products, dtype=bool)
    hours[network.input_product[network.input_use == HOURS]] = True
    lag = np.full(network.n_nodes, np.inf)
    if network.n_links:
        np.minimum.at(lag, network.link_supplier, lead_times(network).astype(np.float64))
    default = np.where(hours[network.node_product], 0.0, 1.0)
    return np.where(np.isfinite(lag), lag, default)
