"""What the period-by-period kernels read and write: arrays with names, and how to make them.

The kernels themselves take plain arrays; these named tuples exist in Python only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

Array = np.ndarray

ESSENTIAL, IMPORTANT, MINOR = 2, 1, 0  # input_class
CONSUMED, HOURS, HOSTED = 0, 1, 2  # input_use

# Typed constants: numba compiles a function anew for every plain one it is given.
NEVER, HALF, FULL, TOGETHER = (np.int8(k) for k in range(4))  # limit_rule; the first three as class
UNLIMITED, LAGGED, SAME_PERIOD = (np.int8(k) for k in range(3))  # work.way
PROPORTIONAL, FINAL_FIRST, FINAL_LAST = (np.int64(k) for k in range(3))  # rationing

BY_CLASS, LEONTIEF, LINEAR = "classes", "leontief", "linear"


class NetworkArrays(NamedTuple):
    """A network at rest, as `simulate` reads it: pass it through `read_only`.

    For a state at rest that stays, output = final demand + flows at rest to all buyers, capacity
    >= output, stock = target, and shares sum to 1 per input (that has links).

    Parameters
    ----------
    output, capacity, final_demand, finished : ndarray of float64, shape (n_nodes,)
        At rest, units per period; finished goods held, units, at the same time the target (none
        where hours or hosted inputs are made). Finite, not negative.
    inputs_indptr : ndarray of int64, shape (n_nodes + 1,)
        Groups the inputs by buyer.
    input_coefficient : ndarray of float64, shape (n_inputs,), input units per unit of output
    input_class, input_use : ndarray of int64, shape (n_inputs,)
        2 essential, 1 important, 0 minor; 0 consumed, 1 hours, 2 hosted.
    input_stock, input_target : ndarray of float64, shape (n_inputs,), input units
        Stock at the end of a period at rest, and the stock that orders aim at. Only of inputs
        that are consumed.
    links_indptr : ndarray of int64, shape (n_inputs + 1,)
        Groups the links by input. An input without links is there in any quantity.
    link_supplier : ndarray of int64, shape (n_links,)
    link_share : ndarray of float64, shape (n_links,), 0 to 1
    link_lead_time : ndarray of int64, shape (n_links,), periods
        0 means 1 for what is consumed, and the same period for hours.
    hours_order : ndarray of int64, shape (n_nodes,)
        All nodes, every user of hours before those who supply it within the period.
    """

    output: Array
    capacity: Array
    final_demand: Array
    finished: Array
    inputs_indptr: Array
    input_coefficient: Array
    input_class: Array
    input_use: Array
    input_stock: Array
    input_target: Array
    links_indptr: Array
    link_supplier: Array
    link_share: Array
    link_lead_time: Array
    hours_order: Array


class ShockArrays(NamedTuple):
    """Shocks to nodes, links and final demand: pass it through `read_only`.

    Three groups of the same form. Shock s of the first group multiplies the capacity of the nodes
    `shock_node[shock_indptr[s]:shock_indptr[s + 1]]` by `shock_factor[s, t]` in period t. Where
    several shocks hit one node, their factors multiply.

    Parameters
    ----------
    shock_indptr, link_shock_indptr, demand_shock_indptr : ndarray of int64, shape (n_shocks + 1,)
    shock_node, link_shock_link, demand_shock_node : ndarray of int64, shape (n_hit,)
        What the shocks hit: nodes, links, and nodes whose final demand changes.
    shock_factor, link_shock_factor, demand_shock_factor : ndarray of float64,
        shape (n_shocks, n_periods), share left; that of final demand may be above 1
    """

    shock_indptr: Array
    shock_node: Array
    shock_factor: Array
    link_shock_indptr: Array
    link_shock_link: Array
    link_shock_factor: Array
    demand_shock_indptr: Array
    demand_shock_node: Array
    demand_shock_factor: Array


class RuleArrays(NamedTuple):
    """How nodes behave; made by `rule_arrays`.

    What is true or false is 1 or 0: a call of a kernel takes 10 microseconds longer for every bool
    (or scalar of numpy) that numba has to look at.

    Parameters
    ----------
    limit_rule : ndarray of int8, shape (n_inputs,)
        Whether an input never limits, as important, as essential, or together with others.
    limit_coefficient : ndarray of float64, shape (n_inputs,), input units per unit of output
        The coefficient, or psi x target / output at rest where that is more.
    limit_weight : ndarray of float64, shape (n_inputs,)
        Weight in the sum of substitutes.
    is_wanted : int
        Orders replace what wanted output needs; else what was used.
    is_scaled : int
        Orders aim at stocks and pipelines in proportion to wanted output; else at those at rest.
    stock_adjustment : float, periods
    rationing : int
        PROPORTIONAL, FINAL_FIRST, FINAL_LAST.
    named_indptr : ndarray of int64, shape (n_nodes + 1,)
        Groups the links to named buyers by supplier, in the order in which they are served.
    named_link, named_rank : ndarray of int64, shape (n_named,)
        The link, and the place of its buyer in the order.
    link_named : ndarray of int64, shape (n_links,) or (0,)
        Position of each link in named_link, or -1; empty where nobody is named.
    alpha_max, alpha_rate : float
        Most that capacity can be multiplied by; share of the way that it goes in a period.
    is_rerouting : int
    link_switch : ndarray of float64, shape (n_links,) or (0,), periods
        How long a failure must last before orders move to this link.
    tolerance : float, share of output at rest
        A capacity or an input that falls short of what is wanted by no more than this does not
        limit. Take it well above rounding (1e-12) and below any shortage that matters, say 1e-9:
        at 0, rounding errors can grow period by period where nobody has stock or spare capacity.
    """

    limit_rule: Array
    limit_coefficient: Array
    limit_weight: Array
    is_wanted: int
    is_scaled: int
    stock_adjustment: float
    rationing: int
    named_indptr: Array
    named_link: Array
    named_rank: Array
    link_named: Array
    alpha_max: float
    alpha_rate: float
    is_rerouting: int
    link_switch: Array
    tolerance: float


_Arrays = TypeVar("_Arrays", NetworkArrays, ShockArrays)

_FLOATS = {
    *("output", "capacity", "final_demand", "finished", "input_coefficient", "input_stock"),
    *("input_target", "link_share"),
    *("shock_factor", "link_shock_factor", "demand_shock_factor"),
}


def read_only(arrays: _Arrays) -> _Arrays:
    """Return the tuple with every array read-only, contiguous, and float64 or int64.

    Numba compiles read-only and writable arrays apart; with this every call is one signature.
    Arrays that fit already are not copied. A float where an integer is due is a TypeError.
    """
    fitted = {
        name: _frozen(values, np.float64 if name in _FLOATS else np.int64)
        for name, values in arrays._asdict().items()
    }
    return arrays._replace(**fitted)


def _frozen(values: object, dtype: type) -> Array:
    array = np.asarray(values)
    if array.size:  # an empty list is float to numpy
        array = array.astype(np.dtype(dtype), casting="same_kind", copy=False)
    array = np.ascontiguousarray(array, np.dtype(dtype)).view()
    array.flags.writeable = False
    return array


def no_shocks(n_periods: int) -> ShockArrays:
    """Return three empty groups of shocks; fill them with `_replace`, then `read_only`."""
    group = (np.zeros(1, np.int64), np.zeros(0, np.int64), np.ones((0, n_periods)))
    return read_only(ShockArrays(*group, *group, *group))


def rule_arrays(
    network: NetworkArrays,
    *,
    inputs: str = BY_CLASS,
    psi: float = 0.0,
    weight: Array | None = None,
    is_wanted: bool = True,
    is_scaled: bool = False,
    stock_adjustment: float = 1.0,
    rationing: int = 0,
    priority: Sequence[int] = (),
    alpha_max: float = 1.0,
    alpha_rate: float = 1.0,
    link_switch: Array | None = None,
    tolerance: float = 1e-9,
) -> RuleArrays:
    """Return the rules as arrays; the defaults have every mechanism off.

    Parameters
    ----------
    network : NetworkArrays
    inputs : {"classes", "leontief", "linear"}
    psi : float, 0 to 1
        0: off.
    weight : ndarray of float64, shape (n_inputs,), optional
        Weight of each input among substitutes; 0 leaves it out. Default: 1 over the coefficient.
    is_wanted : bool
        Orders replace what wanted output needs; else what was used.
    is_scaled : bool
        Orders aim at stocks and pipelines in proportion to wanted output; else at those at rest.
    stock_adjustment : float, periods
    rationing : int
        0 proportional, 1 final demand first, 2 final demand last.
    priority : sequence of int
        Nodes that are served first, in this order.
    alpha_max, alpha_rate : float
    link_switch : ndarray of float64, shape (n_links,), periods, optional
        None: no rerouting.
    tolerance : float, share of output at rest

    Raises
    ------
    ValueError
        If there is not one weight an input, one time to switch a link.
    """
    for values, size in ((weight, len(network.input_use)), (link_switch, len(network.link_share))):
        if values is not None and len(values) != size:
            raise ValueError(f"there must be {size} values, not {len(values)}")
    rule, coefficient = _limits(network, inputs, psi)
    with np.errstate(divide="ignore"):
        alike = np.where(network.input_coefficient > 0, 1.0 / network.input_coefficient, 0.0)
    indptr, link, rank, position = _named(network, priority)
    return RuleArrays(
        limit_rule=_frozen(rule, np.int8),
        limit_coefficient=_frozen(coefficient, np.float64),
        limit_weight=_frozen(alike if weight is None else weight, np.float64),
        is_wanted=int(is_wanted),
        is_scaled=int(is_scaled),
        stock_adjustment=float(stock_adjustment),
        rationing=int(rationing),
        named_indptr=_frozen(indptr, np.int64),
        named_link=_frozen(link, np.int64),
        named_rank=_frozen(rank, np.int64),
        link_named=_frozen(position, np.int64),
        alpha_max=float(alpha_max),
        alpha_rate=float(alpha_rate),
        is_rerouting=int(link_switch is not None),
        link_switch=_frozen([] if link_switch is None else link_switch, np.float64),
        tolerance=float(tolerance),
    )


def _limits(network: NetworkArrays, inputs: str, psi: float) -> tuple[Array, Array]:
    """Return how each input limits, and by how much per unit of output."""
    is_stored = network.input_use == CONSUMED
    has_links = np.diff(network.links_indptr) > 0
    rule = network.input_class.astype(np.int8)
    if inputs == LEONTIEF:
        rule[:] = FULL
    elif inputs == LINEAR:
        rule[is_stored] = TOGETHER
    rule[(network.input_coefficient <= 0.0) | ~has_links] = NEVER
    if psi <= 0.0:
        return rule, network.input_coefficient
    rest = np.repeat(network.output, np.diff(network.inputs_indptr))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_stock = np.where(is_stored & (rest > 0), psi * network.input_target / rest, 0.0)
    return rule, np.maximum(network.input_coefficient, by_stock)


def _named(network: NetworkArrays, priority: Sequence[int]) -> tuple[Array, Array, Array, Array]:
    """Group the links to named buyers by supplier and, within, by the buyer's place."""
    n_nodes, n_links = len(network.output), len(network.link_supplier)
    if len(priority) == 0:
        nothing = np.zeros(0, np.int64)
        return np.zeros(n_nodes + 1, np.int64), nothing, nothing, nothing
    place = np.full(n_nodes, -1)
    place[np.asarray(priority, np.int64)[::-1]] = np.arange(len(priority))[::-1]
    buyer = np.repeat(np.arange(n_nodes), np.diff(network.inputs_indptr))
    rank = np.repeat(place[buyer], np.diff(network.links_indptr))
    link = np.flatnonzero(rank >= 0)
    link = link[np.lexsort((link, rank[link], network.link_supplier[link]))]
    count = np.bincount(network.link_supplier[link], minlength=n_nodes)
    position = np.full(n_links, -1)
    position[link] = np.arange(len(link))
    return np.concatenate([[0], np.cumsum(count)]), link, rank[link], position
