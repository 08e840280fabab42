"""What a node can make, and which of its needs holds it back; lines as capacities of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import nearest
from withstand.model.option import Effect, Option, apply
from withstand.model.recipe_inputs import HOSTED
from withstand.model.scenario import Scenario, Shock
from withstand.plants.number_checks import label_in, number, word

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.plants.lines import ProductionLine

Array = np.ndarray
ALLOTMENTS = ("proportional", "rest", "alone")
ESSENTIAL = 2
_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeCapacity:
    """The most a node can make in a period, need by need.

    Parameters
    ----------
    node : str
    capacity : float, units per period
        The least over its essential needs, its stated capacity and its line.
    binding : str
        The need that holds it back.
    frame : DataFrame
        need, kind, per_unit [need units per unit], available [need units per period], makes [units
        per period; null for no limit], binds. Tightest first.
    """

    node: str
    capacity: float
    binding: str
    frame: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Return one row a need, tightest first."""
        return self.frame

    def summary(self) -> str:
        """Return one sentence."""
        return f"{self.node} can make {self.capacity:,.6g} a period; {self.binding} holds it back."

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<NodeCapacity: {self.summary()}>"


def node_capacity(
    network: ProductionNetwork,
    node: str,
    *,
    available: Mapping[str, float] | None = None,
    allotment: str = "proportional",
    line: ProductionLine | None = None,
    hours_per_period: float | None = None,
    oee: float | None = None,
) -> NodeCapacity:
    """Return what a node can make in a period: the least over its needs of available / per unit.

    Needs are the products of its recipe (materials, skilled hours by occupation, machine hours),
    the stated capacity of the node, and its line of machines, if there is one.

    Parameters
    ----------
    network : ProductionNetwork
    node : str
    available : mapping of product to units per period, optional
        What the node has of some inputs (the hours its people work, say), in place of what the
        network says.
    allotment : {"proportional", "rest", "alone"}
        What the node gets of its suppliers' capacity: their capacity in proportion to what each
        buyer takes at rest; all but what the others take at rest; or all of it. Suppliers of one
        product are added up: purchases may move between them, as in `coverage(limit="capacity")`.
    line : ProductionLine, optional
        From `plants.line`. Its rate contains the failures already.
    hours_per_period : float, hours
        Planned hours of the line.
    oee : float, 0 to 1, optional
        Measured effectiveness of the line's weakest machine, in place of the line's performance and
        quality: see `good_parts`.

    Returns
    -------
    NodeCapacity

    Raises
    ------
    UsageError
        If a label or number cannot be, or a line comes without its hours.

    Notes
    -----
    Only essential inputs limit; important and minor ones are shown. Hosted by-products are limited
    by the capacity of their host, which they share with nobody. Stocks are left out: this is what
    can be made period after period.

    Examples
    --------
    >>> from withstand.examples import example
    >>> found = node_capacity(example("robot_maker"), "ARM@HOME", available={"SK_ASM": 1000.0})
    >>> found.binding, round(found.capacity, 2)
    ('SK_ASM', 166.67)
    """
    at = label_in(network, "nodes", node)
    how = word("allotment", allotment, ALLOTMENTS)
    given = dict(available or {})
    own = range(int(network.inputs_indptr[at]), int(network.inputs_indptr[at + 1]))
    used = [str(network.product_labels[network.input_product[i]]) for i in own]
    for product in given:
        if product not in used:
            near = nearest(str(product), used)
            hint = f" Did you mean '{near}'?" if near else ""
            raise UsageError(f"{node} does not use {str(product)[:40]}.{hint}")
    rows = [_own_capacity(network, at)]
    if line is not None:
        if hours_per_period is None:
            raise UsageError("A line needs hours_per_period, its planned hours.")
        rows.append(_line_row(line, hours_per_period, oee))
    for i, product in zip(own, used, strict=True):
        per_unit = float(network.input_coefficient[i])
        if product in given:
            there = number(f"available {product}", given[product], unit="units per period")
        else:
            there = _supply(network, i, how)
        p = network.input_product[i]
        rows.append(
            {
                "need": product,
                "kind": str(network.product_kinds[p]),
                "per_unit": per_unit,
                "available": None if np.isinf(there) else there,
                "makes": there / per_unit if per_unit > 0 and np.isfinite(there) else None,
                "limits": bool(network.input_class[i] == ESSENTIAL),
            }
        )
    schema = {
        "need": pl.String,
        "kind": pl.String,
        "per_unit": pl.Float64,
        "available": pl.Float64,
        "makes": pl.Float64,
        "limits": pl.Boolean,
    }
    frame = pl.DataFrame(rows, schema=schema).sort("makes", "need", nulls_last=True)
    limits = frame.filter(pl.col("limits") & pl.col("makes").is_not_null())
    capacity = float(limits["makes"][0])
    binds = pl.col("limits") & (pl.col("makes") <= capacity * (1 + _TOLERANCE))
    return NodeCapacity(
        node=str(network.node_labels[at]),
        capacity=capacity,
        binding=str(limits["need"][0]),
        frame=frame.with_columns(binds=binds.fill_null(value=False)).drop("limits"),
    )


def good_parts(line: ProductionLine, hours: float, *, oee: float | None = None) -> float:
    """Return the good parts that a line makes in some planned hours.

    hours x 3600 / cycle x E x performance x quality: the line's rate E contains the failures and
    the waiting of its machines, so availability does not enter again. An OEE that was measured at
    the weakest machine contains that machine's availability e; what replaces performance x quality
    then is OEE / e, that is hours x 3600 / cycle x OEE x E / min e.

    Parameters
    ----------
    line : ProductionLine
    hours : float, planned hours
    oee : float, above 0, up to the least availability, optional

    Raises
    ------
    UsageError
        If a number cannot be.

    Examples
    --------
    >>> from withstand.plants.lines import line
    >>> found = line([.1, .1], [.01, .01], [10], cycle_seconds=36.0)
    >>> round(good_parts(found, 40.0), 3)
    3424.7
    """
    planned = number("hours", hours, unit="hours")
    if oee is None:
        return planned * line.per_hour
    weakest = float(line.availability.min())
    share = number("oee", oee, above=True, high=weakest * (1 + _TOLERANCE))
    return planned * 3600.0 / line.cycle_seconds * line.throughput * share / weakest


def line_option(
    network: ProductionNetwork,
    node: str,
    line: ProductionLine,
    hours_per_period: float,
    *,
    oee: float | None = None,
    label: str = "",
    cost_once: float = 0.0,
    cost_per_period: float = 0.0,
    ready_periods: float = 0.0,
) -> Option:
    """Return an option that sets the capacity of a node to the good parts of a line.

    Parameters
    ----------
    network : ProductionNetwork
    node : str
    line : ProductionLine
        From `plants.line`, in parts that are units of the node's output.
    hours_per_period : float, planned hours
    oee : float, optional
        As in `good_parts`.
    label : str
    cost_once, cost_per_period, ready_periods : float
        Currency, currency per period, periods.

    Raises
    ------
    UsageError
        If a label or number cannot be, or the line makes less than the node does at rest (a
        network at rest lacks nothing): use `slow_line` then.

    Examples
    --------
    >>> from withstand.examples import example
    >>> from withstand.plants.lines import line
    >>> assembly = line([.1, .1], [.01, .01], [10], cycle_seconds=900.0)
    >>> option = line_option(example("robot_maker"), "ARM@HOME", assembly, 80.0)
    >>> option.effects[0].effect, round(option.effects[0].amount, 2)
    ('add_capacity', 273.98)
    """
    at = label_in(network, "nodes", node)
    makes = good_parts(line, hours_per_period, oee=oee)
    rest = float(network.output[at])
    if makes < rest * (1 - _TOLERANCE):
        raise UsageError(
            f"The line makes {makes:,.6g} a {network.settings.period}, but {node} makes "
            f"{rest:,.6g} at rest. Plan more hours, lower the final demand, or play the shortage "
            "as a scenario: plants.slow_line."
        )
    return Option(
        label=label or f"LINE_{node}",
        kind="expand_capacity",
        cost_once=cost_once,
        cost_per_period=cost_per_period,
        ready_periods=ready_periods,
        effects=(Effect(effect="add_capacity", node=node, amount=makes, mode="set"),),
    )


def with_line(
    network: ProductionNetwork,
    node: str,
    line: ProductionLine,
    hours_per_period: float,
    *,
    oee: float | None = None,
) -> ProductionNetwork:
    """Return the network in which a node's capacity is the good parts of its line per period.

    Parameters and errors as in `line_option`.

    Examples
    --------
    >>> from withstand.examples import example
    >>> from withstand.plants.lines import line
    >>> assembly = line([.1, .1], [.01, .01], [10], cycle_seconds=900.0)
    >>> net = with_line(example("robot_maker"), "ARM@HOME", assembly, 80.0)
    >>> round(float(net.capacity[net.index("nodes")["ARM@HOME"]]), 2)
    273.98
    """
    return apply(network, [line_option(network, node, line, hours_per_period, oee=oee)])


def slow_line(
    network: ProductionNetwork,
    node: str,
    line: ProductionLine,
    hours_per_period: float,
    *,
    oee: float | None = None,
    start: str | float = 0.0,
    duration: str | float | None = None,
) -> Scenario:
    """Return the scenario in which a node has only the good parts of its line per period.

    Parameters
    ----------
    network, node, line, hours_per_period, oee
        As in `line_option`.
    start, duration : str or float
        From when, and how long (default: for ever).

    Raises
    ------
    UsageError
        If a label or number cannot be, or the line makes at least the node's capacity.

    Examples
    --------
    >>> from withstand.examples import example
    >>> from withstand.plants.lines import line
    >>> assembly = line([.1, .1], [.01, .01], [10], cycle_seconds=900.0)
    >>> scenario = slow_line(example("robot_maker"), "ARM@HOME", assembly, 40.0)
    >>> round(scenario.shocks[0].share, 4)
    0.4301
    """
    at = label_in(network, "nodes", node)
    makes, most = good_parts(line, hours_per_period, oee=oee), float(network.capacity[at])
    if makes >= most:
        raise UsageError(
            f"The line makes {makes:,.6g} a {network.settings.period}, no less than the capacity "
            f"{most:,.6g} of {node}: nothing is lost. Use plants.with_line."
        )
    shock = Shock(node=node, share=1.0 - makes / most, start=start, duration=duration)
    return Scenario(name=f"{node} has only its line", shocks=(shock,))


def _own_capacity(network: ProductionNetwork, at: int) -> dict[str, object]:
    most = float(network.capacity[at])
    return {
        "need": "capacity of the node",
        "kind": "capacity",
        "per_unit": 1.0,
        "available": most,
        "makes": most,
        "limits": True,
    }


def _line_row(line: ProductionLine, hours: float, oee: float | None) -> dict[str, object]:
    makes = good_parts(line, hours, oee=oee)
    planned = number("hours_per_period", hours, above=True, unit="hours")
    if makes <= 0:
        raise UsageError("The line makes nothing.")
    return {
        "need": f"line ({line.bottleneck})",
        "kind": "line",
        "per_unit": planned / makes,
        "available": planned,
        "makes": makes,
        "limits": True,
    }


def _supply(network: ProductionNetwork, i: int, how: str) -> float:
    """Return what the buyer of an input can have of it, units per period."""
    links = np.arange(network.links_indptr[i], network.links_indptr[i + 1])
    if not len(links):
        return float("inf")
    supplier, flow = network.link_supplier[links], network.link_flow[links]
    capacity = network.capacity[supplier]
    if network.input_use[i] == HOSTED or how == "alone":
        return float(capacity.sum())
    sold = _sold(network, supplier)
    if how == "rest":
        return float(np.maximum(capacity - (sold - flow), 0.0).sum())
    return float(
        np.where(sold > 0, capacity * flow / np.where(sold > 0, sold, 1.0), capacity).sum()
    )


def _sold(network: ProductionNetwork, suppliers: Array) -> Array:
    """Return what suppliers deliver at rest, final demand included, units per period."""
    sold = np.maximum(network.final_demand[suppliers], 0.0)
    for k, s in enumerate(suppliers.tolist()):
        links = network.supplier_link[network.supplier_indptr[s] : network.supplier_indptr[s + 1]]
        sold[k] += network.link_flow[links].sum()
    return np.asarray(sold)
