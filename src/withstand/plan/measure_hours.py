"""Hours of skills that a measure brings or frees, period by period, from its effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import nearest

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Effect, Option

Array = np.ndarray


def hours_of(
    option: Option, network: ProductionNetwork, skills: Array, factor: Array
) -> tuple[Array, Array]:
    """Return hours added by people, and hours freed by recipes, of an option that starts at once.

    Added: capacity of nodes of a skill, and new nodes. Freed: hours that changed recipes no longer
    take at planned output; below 0 where they take more.

    Parameters
    ----------
    option : Option
        At size 1.
    network : ProductionNetwork
        At the largest planned output.
    skills : ndarray of int64, shape (S,)
        Products whose hours count.
    factor : ndarray of float64, shape (T,)
        Planned output of each period, as a share of the largest.

    Returns
    -------
    added, freed : ndarray of float64, shape (S, T), hours in each period
    """
    n = len(factor)
    added, freed = np.zeros((len(skills), n)), np.zeros((len(skills), n))
    row = {int(p): s for s, p in enumerate(skills)}
    for effect in option.effects:
        product, amount, growth = _change(effect, network)
        if product not in row or not (amount or growth):
            continue
        there = _in_place(option.ready_periods + effect.from_period, amount, growth, n)
        if effect.effect == "change_recipe":
            freed[row[product]] -= there * factor
        else:
            added[row[product]] += there
    return added, freed


def _change(effect: Effect, network: ProductionNetwork) -> tuple[int, float, float]:
    """Return (product, hours per period that come or are taken, their growth); -1 for no hours."""
    if effect.effect == "add_node":
        return _at(network, "products", effect.product), effect.amount, effect.per_period
    if effect.effect == "add_capacity":
        node = network.index("nodes").get(effect.node or "", -1)
        if node < 0:
            return -1, 0.0, 0.0
        now = float(network.capacity[node])
        return int(network.node_product[node]), *_moved(effect, now, 1.0)
    if effect.effect == "change_recipe":
        product = _at(network, "products", effect.input)
        makes, takes = _buyers(effect, network, product)
        return product, *_moved(effect, takes, makes)
    return -1, 0.0, 0.0


def _moved(effect: Effect, now: float, units: float) -> tuple[float, float]:
    """Return by how much a total of hours changes; amounts are per unit of so many units."""
    if effect.mode == "scale":
        return (effect.amount - 1.0) * now, effect.per_period * now
    start = effect.amount * units - (now if effect.mode == "set" else 0.0)
    return start, effect.per_period * units


def _buyers(effect: Effect, network: ProductionNetwork, product: int) -> tuple[float, float]:
    """Return the output per period of the makers whose recipe changes, and the hours they take."""
    node = network.index("nodes").get(effect.buyer or "", -1)
    of = network.index("products").get(effect.buyer or "", -1)
    makers = np.zeros(network.n_nodes, dtype=bool)
    if node >= 0:
        makers[node] = True
    else:
        makers = network.node_product == of
    own = (network.input_product == product) & makers[network.input_buyer]
    takes = network.input_coefficient[own] * network.output[network.input_buyer[own]]
    return float(network.output[makers].sum()), float(takes.sum())


def _at(network: ProductionNetwork, axis: str, label: str | None) -> int:
    found = network.index(axis).get(label or "")
    if found is None:
        near = nearest(str(label), list(network.index(axis)))
        hint = f" Did you mean '{near}'?" if near else ""
        raise UsageError(f"An effect names '{str(label)[:40]}', which is not in {axis}.{hint}")
    return int(found)


def _in_place(ready: float, amount: float, growth: float, n: int) -> Array:
    """Return the mean amount in place in each period: nothing before `ready`, then it grows."""
    start = np.maximum(np.arange(float(n)), ready)
    end = np.arange(1.0, n + 1)
    length = np.maximum(end - start, 0.0)
    middle = (start + end) / 2 - ready
    return np.asarray(length * (amount + growth * middle))
