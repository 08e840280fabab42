"""People in a plan: a network whose people leave, and measures whose hours are not lost with them.

A scenario takes from a node the share of hours that its people do not supply. Hours that a measure
adds to the same node would lose that share too, as if who is newly trained had left already. So
added hours get a node of their own beside each skill node, which the scenario leaves alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.option import Effect, Option, apply
from withstand.people.supplies import network_with_people, scenario_of_people, supply_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario
    from withstand.people.projection_results import Projection

MORE = "_MORE"


@dataclass(frozen=True, kw_only=True, eq=False)
class Staffing:
    """What `plan.solve` needs to plan for people: network, scenario, where added hours go.

    Parameters
    ----------
    network : ProductionNetwork
        At the largest planned output, with an empty node beside each skill node; stocks are
        those of the first year.
    scenario : Scenario
        People missing, and output not planned yet, from the first period on.
    periods : int
        Periods that the projection plays: the window of the plan.
    more : mapping of str to str
        The empty node of each skill node.
    """

    network: ProductionNetwork
    scenario: Scenario
    periods: int
    more: Mapping[str, str]

    def options(self, options: Iterable[Option]) -> tuple[Option, ...]:
        """Return options whose added hours go to the nodes beside those of the people there.

        Only hours that are added (mode "add", amount of at least 0) move; other effects stay.
        """
        return tuple(replace(o, effects=tuple(self._moved(e) for e in o.effects)) for o in options)

    def _moved(self, effect: Effect) -> Effect:
        is_more = effect.effect == "add_capacity" and effect.mode == "add" and effect.amount >= 0
        node = self.more.get(effect.node or "")
        return replace(effect, node=node) if is_more and node else effect

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Staffing: {len(self.more)} skill nodes, {self.periods} periods>"


def staffing(projection: Projection, network: ProductionNetwork) -> Staffing:
    """Return the network and the scenario in which a plan feels the people of a projection.

    Give `plan.solve` its network, its scenario, `options(...)` of the measures, `onsets=(0,)` and
    `periods=staffing.periods`; the loss is that of output that is planned and not made.

    Parameters
    ----------
    projection : Projection
    network : ProductionNetwork
        The one that was projected; under the rule "shared" of recipes, if its hours are those of
        all makers.

    Returns
    -------
    Staffing

    Raises
    ------
    UsageError
        If no occupation supplies a product of the network, hours and planned output are never
        short, or a label is taken.

    Notes
    -----
    What measures take away from skill nodes (trainers, people who change their work) is not felt:
    a plan never takes hours used at rest, and here all are used. Count them with
    `people.optimise_intake`. A plan foresees the whole window, as growth that is planned may be,
    and draws on stocks until its end. Goods on the way at the start are those of the largest
    output: more than there are.

    Examples
    --------
    >>> from withstand.examples import example
    >>> from withstand.people import project
    >>> net = example("robot_maker")
    >>> found = staffing(project(net, years=[2026, 2027], output=[1, 1.5]), net)
    >>> found.periods, found.more["SK_GRIND@HOME"]
    (104, 'SK_GRIND@HOME_MORE')
    """
    base = _with_stocks_of_today(network_with_people(projection, network), projection)
    scenario = scenario_of_people(projection, network)
    if not any(s.start == 0 for s in scenario.shocks):
        raise UsageError(
            "In the first period nobody is missing and all output is planned, but a plan begins "
            "with the first shortage. Project from the year in which it begins."
        )
    nodes = supply_of(projection, network).nodes
    labels = [str(network.node_labels[n]) for n in nodes]
    taken = set(base.index("nodes"))
    for label in labels:
        if label + MORE in taken:
            raise UsageError(f"There is a node '{label + MORE}' already: give it another label.")
    beside = tuple(
        Effect(
            effect="add_node",
            node=label + MORE,
            product=str(network.product_labels[network.node_product[n]]),
            region=str(network.region_labels[network.node_region[n]]),
            amount=0.0,
        )
        for n, label in zip(nodes, labels, strict=True)
    )
    length = len(projection.years) * projection.per_year
    return Staffing(
        network=apply(base, [Option(label="MORE_PEOPLE", kind="train", effects=beside)]),
        scenario=scenario,
        periods=int(np.rint(length)),
        more={label: label + MORE for label in labels},
    )


def _with_stocks_of_today(network: ProductionNetwork, projection: Projection) -> ProductionNetwork:
    """Return a network at the largest output with stocks as they are at that of the first year."""
    if "stocks" not in network.tables:
        return network
    share = float(projection.output[0] / projection.output[:-1].max())
    frame = network.tables["stocks"]
    if "periods_of_use" not in frame.columns:  # units do not grow with use
        return network
    return network.with_changes({"stocks": frame.with_columns(pl.col("periods_of_use") * share)})
