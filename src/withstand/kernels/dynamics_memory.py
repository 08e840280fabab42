"""What a simulation remembers from period to period, and what of it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from withstand.kernels.dynamics_arrays import (
    CONSUMED,
    LAGGED,
    SAME_PERIOD,
    UNLIMITED,
    Array,
    NetworkArrays,
    RuleArrays,
)

OF_NODES = ("output", "unmet", "limited_by", "finished", "alpha")
OF_INPUTS = ("stock", "received", "used")


class SimulationWork(NamedTuple):
    """State and workspace of a simulation; made by `new_work`, set to rest by `start_at_rest`.

    Parameters
    ----------
    node_factor, demand_factor, link_factor : ndarray of float64
        Shares left.
    alpha, finished : ndarray of float64, shape (n_nodes,)
        State: overcapacity factor; finished goods held, units.
    demand, own_demand : ndarray of float64, shape (n_nodes,)
        Demand on the node; what it would be had no orders moved (written when rerouting).
    wish, capacity_now, able, wanted, base, scale : ndarray of float64, shape (n_nodes,)
        G and K' of the order of events; what capacity and inputs allow; W; the output that orders
        replace; the multiple of stocks and pipelines at rest that they aim at.
    output, unmet, limited_by : ndarray, shape (n_nodes,)
    ratio, ratio_final : ndarray of float64, shape (n_nodes,)
        Share of orders and of final demand that is served.
    ratio_named : ndarray of float64, shape (n_named,)
    filled, spare, asked : ndarray of float64, shape (n_nodes,)
        Of rerouting.
    position : ndarray of int64, shape (n_nodes,)
        Place of each node in hours_order.
    way : ndarray of int8, shape (n_inputs,)
        How an input comes: in any quantity, by lagged links only, or (also) within the period.
    is_stored : ndarray of bool, shape (n_inputs,)
    aim : ndarray of float64, shape (n_inputs,)
        Target stock and pipeline at rest.
    stock, under_way : ndarray of float64, shape (n_inputs,)
        State.
    received, used : ndarray of float64, shape (n_inputs,)
    is_failing : ndarray of bool, shape (n_inputs,) or (0,)
        Inputs of which a link fails.
    flow : ndarray of float64, shape (n_links,)
        At rest.
    order : ndarray of float64, shape (n_links,)
        State: orders placed (or hours asked for).
    own_order, missing : ndarray of float64, shape (n_links,) or (0,)
        State of rerouting: orders before any moved; the part that will not be filled.
    age : ndarray of int64, shape (n_links,) or (0,)
        State of rerouting: periods since a link began to fail, -1 where it does not.
    pipeline_indptr : ndarray of int64, shape (n_links + 1,)
        Groups the pipeline by link: L slots each, none for hours of the same period.
    pipeline : ndarray of float64, shape (sum of L,)
        State: ring per link; slot t modulo L holds what arrives at t, then what is shipped at t.
    """

    node_factor: Array
    demand_factor: Array
    link_factor: Array
    alpha: Array
    finished: Array
    demand: Array
    own_demand: Array
    wish: Array
    capacity_now: Array
    able: Array
    wanted: Array
    base: Array
    scale: Array
    output: Array
    unmet: Array
    limited_by: Array
    ratio: Array
    ratio_final: Array
    ratio_named: Array
    filled: Array
    spare: Array
    asked: Array
    position: Array
    way: Array
    is_stored: Array
    aim: Array
    stock: Array
    under_way: Array
    received: Array
    used: Array
    is_failing: Array
    flow: Array
    order: Array
    own_order: Array
    missing: Array
    age: Array
    pipeline_indptr: Array
    pipeline: Array


def new_work(network: NetworkArrays, rules: RuleArrays) -> SimulationWork:
    """Return a workspace that fits: five numbers and its lead time in slots per link."""
    n_nodes, n_inputs = len(network.output), len(network.input_use)
    n_links = len(network.link_supplier)
    use = np.repeat(network.input_use, np.diff(network.links_indptr))
    at_once = (use != CONSUMED) & (network.link_lead_time <= 0)
    slots = np.where(at_once, 0, np.maximum(network.link_lead_time, 1))
    indptr = np.concatenate([[0], np.cumsum(slots)]).astype(np.int64)
    n_moving = n_links if rules.is_rerouting else 0
    sizes = {
        **dict.fromkeys(SimulationWork._fields, n_nodes),
        **dict.fromkeys(("aim", "stock", "under_way", "received", "used"), n_inputs),
        **dict.fromkeys(("link_factor", "flow", "order"), n_links),
        **dict.fromkeys(("own_order", "missing", "age"), n_moving),
        "is_failing": n_inputs if rules.is_rerouting else 0,
        "ratio_named": len(rules.named_link),
        "pipeline": int(indptr[-1]),
    }
    kinds = {"limited_by": np.int64, "position": np.int64, "age": np.int64, "is_failing": np.bool_}
    arrays: dict[str, Array] = {
        name: np.zeros(size, kinds.get(name, np.float64)) for name, size in sizes.items()
    }
    has_links = np.diff(network.links_indptr) > 0
    link_input = np.repeat(np.arange(n_inputs), np.diff(network.links_indptr))
    way = np.where(has_links, LAGGED, UNLIMITED)
    way[link_input[at_once]] = SAME_PERIOD
    arrays.update(
        pipeline_indptr=indptr, way=way.astype(np.int8), is_stored=network.input_use == CONSUMED
    )
    return SimulationWork(**arrays)


def start_at_rest(network: NetworkArrays, work: SimulationWork) -> None:
    """Fill the pipelines with flows at rest, and set stocks, orders and factors."""
    for factor in (work.node_factor, work.demand_factor, work.link_factor, work.alpha):
        factor[:] = 1.0
    work.finished[:] = network.finished
    use = network.input_coefficient * np.repeat(network.output, np.diff(network.inputs_indptr))
    link_input = np.repeat(np.arange(len(use)), np.diff(network.links_indptr))
    work.flow[:] = use[link_input] * network.link_share
    work.order[:] = work.flow
    slots = np.diff(work.pipeline_indptr)
    work.pipeline[:] = np.repeat(work.flow, slots)
    work.under_way[:] = np.bincount(link_input, slots * work.flow, len(use))
    work.aim[:] = network.input_target + work.under_way
    work.stock[:] = np.where(work.is_stored, network.input_stock, 0.0)
    work.age[:] = -1
    if len(work.own_order):
        work.own_order[:] = work.flow


class SimulationRecord(NamedTuple):
    """What happened; made by `new_record`. An array without rows is not kept.

    Parameters
    ----------
    output, unmet : ndarray of float64, shape (n_periods, n_kept), units per period
        Output, and final demand that was not met.
    limited_by : ndarray of int64, shape (n_periods, n_kept)
        -1 demand, -2 own capacity, else the index of the input that bound.
    finished, alpha : ndarray of float64, shape (n_periods, n_kept)
        Finished goods at the end of the period, units; overcapacity factor of the next period.
    stock, received, used : ndarray of float64, shape (n_periods, n_inputs_kept)
        Stock at the end of the period (0 for hours); input received and used in the period.
    nodes, inputs : ndarray of int64, or None
        Which nodes and inputs are kept; None: all.
    """

    output: Array
    unmet: Array
    limited_by: Array
    finished: Array
    alpha: Array
    stock: Array
    received: Array
    used: Array
    nodes: Array | None
    inputs: Array | None


class Counted(Protocol):
    """Anything with one number a node and one an input."""

    @property
    def output(self) -> Array: ...  # noqa: D102

    @property
    def input_use(self) -> Array: ...  # noqa: D102


def new_record(
    network: Counted,
    n_periods: int,
    keep: Sequence[str] = ("output", "unmet", "limited_by"),
    *,
    nodes: Array | None = None,
    inputs: Array | None = None,
) -> SimulationRecord:
    """Return an empty record of the arrays in `keep`, of all nodes and inputs or of some."""
    width = {
        **dict.fromkeys(OF_NODES, len(network.output) if nodes is None else len(nodes)),
        **dict.fromkeys(OF_INPUTS, len(network.input_use) if inputs is None else len(inputs)),
    }
    arrays = {
        name: np.empty(
            (n_periods if name in keep else 0, width[name]),
            np.int64 if name == "limited_by" else np.float64,
        )
        for name in width
    }
    return SimulationRecord(**arrays, nodes=nodes, inputs=inputs)


def write_down(work: SimulationWork, record: SimulationRecord, row: int) -> None:
    """Copy what is kept of a period into a row of the record."""
    for names, which in ((OF_NODES, record.nodes), (OF_INPUTS, record.inputs)):
        for name in names:
            rows = getattr(record, name)
            if len(rows):
                values = getattr(work, name)
                rows[row] = values if which is None else values[which]
