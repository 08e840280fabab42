"""Hours supplied as capacity of skill nodes, period by period, for the engines.

A network at rest can make what is asked of it, so that missing hours are a scenario: the network is
built at the largest planned output, and what is not there (hours) or not asked (demand) in a period
is a shock of that period.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.encoding import encode, numbers
from withstand.model.scenario import Scenario, Shock

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.people.projection_results import Projection

Array = np.ndarray
SAME = 1e-12
"""Shares that differ by less are one shock."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Supply:
    """Hours supplied to the skill nodes of a network.

    Parameters
    ----------
    nodes : ndarray of int64, shape (n_skill_nodes,)
        Nodes whose hours come from people of the projection.
    hours : ndarray of float64, shape (T, n_skill_nodes), hours per period
        In each step.
    """

    nodes: Array
    hours: Array


def supply_of(projection: Projection, network: ProductionNetwork) -> Supply:
    """Return the hours that people supply to the nodes of their skill, step by step.

    People work for the nodes of their skill in their region, in proportion to capacity; where
    there is none, for those at home. Nodes of a skill that nobody in the tables has, and nodes
    abroad without people of their own, are left as they are.

    Raises
    ------
    UsageError
        If no occupation supplies a product of the network.
    """
    groups = projection.groups
    product = encode(network.tables["products"]["product"], groups["product"])
    region = encode(network.tables["regions"]["region"], groups["region"])
    each = groups["hours"].to_numpy() / projection.per_year
    stock = projection.played.stock[:-1]
    total = np.zeros((len(stock), network.n_nodes))
    is_supplied = np.zeros(network.n_nodes, dtype=bool)
    for g in np.flatnonzero(product >= 0):
        of_skill = network.node_product == product[g]
        nodes = np.flatnonzero(of_skill & (network.node_region == region[g]))
        if len(nodes) == 0:
            nodes = np.flatnonzero(of_skill & network.is_home[network.node_region])
        if len(nodes) == 0:
            continue
        weight = network.capacity[nodes]
        part = weight / weight.sum() if weight.sum() > 0 else np.full(len(nodes), 1 / len(nodes))
        people = stock[:, projection.group_of == g].sum(axis=1)
        total[:, nodes] += people[:, None] * each[g] * part
        is_supplied[nodes] = True
    chosen = np.flatnonzero(is_supplied)
    if len(chosen) == 0:
        raise UsageError(
            f"No occupation of the projection supplies a product of '{network.name}'. Name the "
            "skill of each occupation in its column product."
        )
    return Supply(nodes=chosen, hours=total[:, chosen])


def network_with_people(projection: Projection, network: ProductionNetwork) -> ProductionNetwork:
    """Return the network at the largest planned output, skill nodes at their largest supply.

    Final demand (and output that is stated) is multiplied by the largest planned output of the
    years; the capacity of a skill node is its largest supply of any step, but never below what
    its buyers take at that output: what is missing to it is a shock of `scenario_of_people`, for
    a network at rest makes what it is asked for. Recovery periods of skill nodes are taken out, as
    hours are back with the people. Other nodes keep their capacity, raised to their use where
    demand has grown above it (W203): people are the only ones to be short.

    Parameters
    ----------
    projection : Projection
    network : ProductionNetwork
        The one that was projected, or the same under another recipe rule.

    Raises
    ------
    UsageError
        If no occupation supplies a product of it, or it holds its flows as a matrix.
    """
    if network.flow_table is not None:
        raise UsageError(
            "An economy held as one matrix has no skill nodes; give a network of links."
        )
    supply = supply_of(projection, network)
    factor = _largest(projection)
    tables = {"nodes": _nodes(network, supply, factor)}
    if "final_demand" in network.tables:
        tables["final_demand"] = network.tables["final_demand"].with_columns(
            pl.col("value") * factor
        )
    demand = {label: value * factor for label, value in network.settings.final_demand.items()}
    return network.with_changes(tables, replace(network.settings, final_demand=demand))


def _largest(projection: Projection) -> float:
    factor = float(projection.output[:-1].max())
    if factor <= 0:
        raise UsageError("Planned output is 0 in all years; give output above 0 in some year.")
    return factor


def _nodes(network: ProductionNetwork, supply: Supply, factor: float) -> pl.DataFrame:
    frame = network.tables["nodes"]
    scaled = [pl.col(c) * factor for c in ("final_demand", "output", "value_added")
              if c in frame.columns]  # fmt: skip
    capacity = numbers(frame, "capacity")
    use = network.output[supply.nodes] * factor
    capacity[supply.nodes] = np.maximum(supply.hours.max(axis=0), use)
    columns = [pl.Series("capacity", capacity).fill_nan(None)]
    if "recovery_periods" in frame.columns:
        recovery = numbers(frame, "recovery_periods")
        recovery[supply.nodes] = np.nan
        columns.append(pl.Series("recovery_periods", recovery).fill_nan(None))
    return frame.with_columns(scaled).with_columns(columns)


def scenario_of_people(
    projection: Projection, network: ProductionNetwork, name: str = "people"
) -> Scenario:
    """Return what is missing to the network at the largest planned output, as shocks.

    For `network_with_people(projection, network)`: in each period a skill node loses the share of
    its capacity that people do not supply, and final demand is lower by the share that is not
    planned yet. Period 0 is the first of the first year. A period that two steps share has the
    mean of both.

    Parameters
    ----------
    projection : Projection
    network : ProductionNetwork
        The network before `network_with_people`.
    name : str

    Notes
    -----
    Approximate: output begins at the rest of the largest planned output, so that stocks and
    orders on the way are those of the last years; demand changes at the beginning of a year, and
    supply at that of a step. In a plan, a scenario begins with its first shock, wherever that
    stands: give `onsets=(0,)`, and see that a first year without any shortage is left out.

    Raises
    ------
    UsageError
        As `network_with_people`.
    """
    scaled = network_with_people(projection, network)
    supply = supply_of(projection, network)
    capacity = scaled.capacity[supply.nodes]
    of_step = 1.0 - np.minimum(
        np.divide(supply.hours, capacity, out=np.ones_like(supply.hours), where=capacity > 0), 1.0
    )
    shocks = []
    for k, node in enumerate(supply.nodes):
        lost = _by_period(of_step[:, k], projection)
        label = str(network.node_labels[node])
        shocks += [
            Shock(node=label, share=share, start=start, duration=length, label="people missing")
            for start, length, share in _runs(lost)
        ]
    planned = projection.output[:-1] / _largest(projection)
    lower = _by_period(np.repeat(1.0 - planned, projection.pipeline.steps_per_year), projection)
    asked = np.unique(scaled.node_region[scaled.final_demand != 0])
    for region in scaled.region_labels[asked]:
        shocks += [
            Shock(
                region=str(region),
                what="demand",
                share=share,
                start=start,
                duration=length,
                label="output not planned yet",
            )
            for start, length, share in _runs(lower)
        ]
    return Scenario(name=name, shocks=tuple(shocks))


def _by_period(of_step: Array, projection: Projection) -> Array:
    """Return the mean over each period of what stands by steps (steps need not fit periods)."""
    n_steps, k = len(of_step), projection.pipeline.steps_per_year
    length = projection.per_year / k
    n_periods = round(n_steps * length)
    edges = np.arange(n_periods + 1) / length  # periods in steps
    total = np.concatenate([[0.0], np.cumsum(of_step)])
    upto = np.interp(edges, np.arange(n_steps + 1), total)
    return np.asarray(np.diff(upto) * length)


def _runs(lost: Array) -> list[tuple[float, float, float]]:
    """Return (start, duration, share lost) of each run of periods with the same loss above 0."""
    if len(lost) == 0:
        return []
    begins = np.flatnonzero(np.concatenate([[True], np.abs(np.diff(lost)) > SAME]))
    ends = np.append(begins[1:], len(lost))
    return [
        (float(a), float(b - a), float(min(lost[a], 1.0)))
        for a, b in zip(begins, ends, strict=True)
        if lost[a] > SAME
    ]
