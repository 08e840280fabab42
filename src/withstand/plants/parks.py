"""An industrial park: plants that share utilities, what that saves, and what fails together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import counted, nearest, shorten
from withstand.model.option import Effect, Option
from withstand.model.scenario import Scenario
from withstand.model.units import periods_of
from withstand.plants.number_checks import label_in, number
from withstand.plants.park_tables import closer_links, moved_nodes, with_utilities
from withstand.plants.park_utilities import Utility

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Loss = Callable[["ProductionNetwork", Scenario], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Park:
    """An industrial park in a network.

    Parameters
    ----------
    name : str
    members : tuple of str
        Nodes of the park.
    utilities : tuple of Utility
    network : ProductionNetwork
        With the shared utilities; the park is a region, or a site, of its name.
    before : ProductionNetwork
        As it was given.
    is_region : bool
    """

    name: str
    members: tuple[str, ...]
    utilities: tuple[Utility, ...]
    network: ProductionNetwork = field(repr=False)
    before: ProductionNetwork = field(repr=False)
    is_region: bool

    @cached_property
    def apart(self) -> ProductionNetwork:
        """The same plants, each with its own utilities and with links as they were."""
        return with_utilities(
            self.before, dict(self.before.tables), self.members, self.utilities, shared_at=None
        )

    def supply_of(self, utility: str) -> str:
        """Return the node that supplies a shared utility."""
        return f"{self._utility(utility).product}@{self.name}"

    # --- what can happen --------------------------------------------------------------------------

    def scenarios(self, *, start: str | float = 0.0) -> tuple[Scenario, ...]:
        """Return one scenario a utility: the shared supply fails, for all plants together.

        Its probability is the chance of at least one failure in a year, 1 - exp(-rate).
        """
        return tuple(
            _failure(u, self.supply_of(u.product), f"{self.name}: {u.product} fails", start)
            for u in self.utilities
        )

    def scenarios_apart(self, utility: str, *, start: str | float = 0.0) -> tuple[Scenario, ...]:
        """Return one scenario a plant: its own supply fails, and no other (network `apart`)."""
        u = self._utility(utility)
        return tuple(
            _failure(u, f"{u.product}@{node}", f"{node}: own {u.product} fails", start)
            for node in self.members
            if u.need_of(node) > 0
        )

    def compare(self, loss: Loss, *, start: str | float = 0.0) -> pl.DataFrame:
        """Return risk and cost of sharing beside those of the same plants with their own utilities.

        Parameters
        ----------
        loss : callable (network, scenario) -> float, currency
            For instance `lambda net, what: stress.simulate(net, what).loss`.
        start : str or float
            When failures strike.

        Returns
        -------
        DataFrame
            utility, layout ("together", "apart"), failures [per year, of all supplies], worst [loss
            of the worst single failure], expected [loss per year], spread [standard deviation of
            the loss of a year], cost [per year]. Failures of different supplies do not depend on
            one another, and come by chance (Poisson): expected = rate x sum of losses,
            spread^2 = rate x sum of squared losses.
        """
        rows = []
        for u in self.utilities:
            shared = _failure(u, self.supply_of(u.product), "shared supply fails", start)
            for layout, network, scenarios, cost in (
                ("together", self.network, (shared,), u.cost_shared),
                ("apart", self.apart, self.scenarios_apart(u.product, start=start), u.cost_own),
            ):
                losses = np.array([float(loss(network, s)) for s in scenarios])
                rate = u.failures_per_year
                rows.append(
                    {
                        "utility": u.product,
                        "layout": layout,
                        "failures": rate * len(losses),
                        "worst": float(losses.max(initial=0.0)),
                        "expected": rate * float(losses.sum()),
                        "spread": float(np.sqrt(rate * (losses**2).sum())),
                        "cost": float(cost),
                    }
                )
        return pl.DataFrame(rows)

    def gains(self) -> pl.DataFrame:
        """Return what being together saves, without any failure: what, together, apart, unit.

        Cost of the utilities as stated; value of goods under way on links that start and end in
        the park (flow x lead time x price); mean lead time of those links, by flow.
        """
        money = self.before.settings.currency or "currency"
        period = self.before.settings.period
        together, apart = self._under_way(self.network), self._under_way(self.before)
        costs = [(u.cost_shared, u.cost_own) for u in self.utilities]
        rows = [
            ("cost of utilities", *np.sum(costs, axis=0).tolist(), f"{money} per year"),
            ("goods under way inside", together[0], apart[0], money),
            ("mean lead time inside", together[1], apart[1], f"{period}s"),
        ]
        frame = pl.DataFrame(rows, schema=["what", "together", "apart", "unit"], orient="row")
        return frame.with_columns(saved=pl.col("apart") - pl.col("together"))

    def _under_way(self, network: ProductionNetwork) -> tuple[float, float]:
        inside = np.zeros(network.n_nodes, dtype=bool)
        inside[[network.index("nodes")[n] for n in self.members]] = True
        buyer = network.input_buyer[network.link_input]
        links = np.flatnonzero(inside[buyer] & inside[network.link_supplier])
        flow, time = network.link_flow[links], network.link_lead_time[links]
        price = np.nan_to_num(network.price[network.link_supplier[links]])
        mean = float(flow @ time / flow.sum()) if flow.sum() > 0 else 0.0
        return float((flow * time) @ price), mean

    # --- what can be done -------------------------------------------------------------------------

    def second_feeder(
        self,
        utility: str,
        *,
        capacity: float | None = None,
        share: float = 0.5,
        cost_once: float = 0.0,
        cost_per_period: float = 0.0,
        ready: str | float = 0.0,
        label: str = "",
    ) -> Option:
        """Return an option: a second supply of a shared utility, which takes over a share.

        Parameters
        ----------
        utility : str
        capacity : float, optional, utility units per period
            Default that of the first.
        share : float, 0 to 1
            Share of every plant's purchases that it serves; the rest of its capacity stands by.
        cost_once, cost_per_period : float, currency
        ready : str or float, periods or text with a unit
        label : str

        Notes
        -----
        What stands by is used by the planner, by `stress.respond` and by
        `coverage(limit="capacity")`. `stress.simulate` moves no hours between suppliers within a
        period: there the share of the feeder that fails is lost.
        """
        u = self._utility(utility)
        first = self.supply_of(u.product)
        at = self.network.index("nodes")[first]
        size = (
            float(self.network.capacity[at]) if capacity is None else number("capacity", capacity)
        )
        part = number("share", share, high=1.0)
        second = f"{first}_2"
        return Option(
            label=label or f"FEEDER_{u.product}",
            name=f"Second feeder of {u.product} in {self.name}",
            kind="second_source",
            cost_once=cost_once,
            cost_per_period=cost_per_period,
            ready_periods=periods_of(ready, self.network.settings.period),
            effects=(
                self._new_supply(u, second, size),
                Effect(
                    effect="shift_share", product=u.product, from_=first, to=second, amount=part
                ),
            ),
        )

    def own_supply(
        self,
        utility: str,
        node: str,
        *,
        capacity: float | None = None,
        cost_once: float = 0.0,
        cost_per_period: float = 0.0,
        ready: str | float = 0.0,
        label: str = "",
    ) -> Option:
        """Return an option: one plant's own generator (boiler, well), off the shared supply.

        Parameters
        ----------
        utility, node : str
        capacity : float, optional, utility units per period
            Default what the plant needs at rest.
        cost_once, cost_per_period : float, currency
        ready : str or float, periods or text with a unit
        label : str
        """
        u = self._utility(utility)
        need = u.need_of(node) if node in self.members else 0.0
        if need <= 0:
            users = [n for n in self.members if u.need_of(n) > 0]
            near = nearest(str(node), users)
            hint = f" Did you mean '{near}'?" if near else ""
            raise UsageError(f"{shorten(node)} does not use {u.product} in {self.name}.{hint}")
        output = float(self.network.output[self.network.index("nodes")[node]])
        own, size = f"{u.product}@{node}", need * output if capacity is None else capacity
        return Option(
            label=label or f"OWN_{u.product}_{node}",
            name=f"Own supply of {u.product} at {node}",
            kind="localise",
            cost_once=cost_once,
            cost_per_period=cost_per_period,
            ready_periods=periods_of(ready, self.network.settings.period),
            effects=(
                self._new_supply(u, own, number("capacity", size)),
                Effect(
                    effect="shift_share",
                    product=u.product,
                    from_=self.supply_of(u.product),
                    to=own,
                    buyer=node,
                    amount=1.0,
                    mode="scale",
                ),
            ),
        )

    def _new_supply(self, utility: Utility, node: str, capacity: float) -> Effect:
        at = self.network.index("nodes")[self.supply_of(utility.product)]
        region = str(self.network.region_labels[self.network.node_region[at]])
        return Effect(
            effect="add_node", product=utility.product, region=region, node=node, amount=capacity
        )

    def _utility(self, product: str) -> Utility:
        for u in self.utilities:
            if u.product == product:
                return u
        return _unknown(product, [u.product for u in self.utilities], "utility")

    def summary(self) -> str:
        """Return one sentence."""
        shared = ", ".join(u.product for u in self.utilities)
        return f"{self.name}: {counted(len(self.members), 'plant')} that share {shared}."

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Park {self.summary()}>"


def park(
    network: ProductionNetwork,
    nodes: Sequence[str],
    utilities: Sequence[Utility],
    *,
    name: str = "PARK",
    lead_time: str | float | None = None,
    as_region: bool = True,
) -> Park:
    """Return an industrial park: the network in which some nodes share utilities.

    The nodes need each utility as they need hours: fresh in every period, with no stock. One node a
    utility supplies all of them, so that its failure strikes them together.

    Parameters
    ----------
    network : ProductionNetwork
    nodes : sequence of str
        Nodes of one region that form the park.
    utilities : sequence of Utility
    name : str
        Of the park.
    lead_time : str or float, optional, periods or text with a unit
        From one plant of the park to another, where it was longer.
    as_region : bool
        Make the park a region, home if the nodes' region is, in the same blocs; or else a site of
        its nodes, which must not have another one.

    Returns
    -------
    Park
        Its `network`, its `scenarios()`, the same plants `apart`, `compare`, and options.

    Raises
    ------
    UsageError
        If a label is unknown or taken, the nodes stand in several regions, nobody needs a utility,
        or its capacity is below what is needed at rest.

    Notes
    -----
    Once the park is a region, a shock of the region that its nodes stood in no longer hits them;
    one of its bloc does.

    Examples
    --------
    >>> from withstand.examples import example
    >>> steam = Utility(product="STEAM", per_unit={"ARM@HOME": 2.0, "CTRL@HOME": 1.0})
    >>> found = park(example("robot_maker"), ["ARM@HOME", "CTRL@HOME"], [steam])
    >>> found.scenarios()[0].name
    'PARK: STEAM fails'
    >>> found.network.buyers_of("STEAM@PARK")["buyer"].to_list()
    ['ARM@HOME', 'CTRL@HOME']
    """
    if isinstance(nodes, str) or not nodes:
        raise UsageError("nodes takes a list of at least one node.")
    at = [label_in(network, "nodes", n) for n in nodes]
    members = tuple(dict.fromkeys(str(n) for n in nodes))
    regions = sorted({str(network.region_labels[r]) for r in network.node_region[at]})
    if len(regions) > 1:
        raise UsageError(f"A park stands in one region; its nodes stand in {', '.join(regions)}.")
    given = tuple(utilities)
    _check_utilities(network, members, given, name)
    tables = moved_nodes(network, members, name, regions[0], as_region=as_region)
    if lead_time is not None:
        time = periods_of(lead_time, network.settings.period)
        tables = closer_links(network, tables, members, time)
    return Park(
        name=name,
        members=members,
        utilities=given,
        network=with_utilities(network, tables, members, given, shared_at=name),
        before=network,
        is_region=as_region,
    )


def _check_utilities(
    network: ProductionNetwork,
    members: tuple[str, ...],
    utilities: tuple[Utility, ...],
    name: str,
) -> None:
    if not utilities or not all(isinstance(u, Utility) for u in utilities):
        raise UsageError("utilities takes a list of at least one plants.Utility.")
    labels = [u.product for u in utilities]
    if len(set(labels)) < len(labels):
        raise UsageError("Each utility may stand once.")
    for u in utilities:
        _check_utility(network, members, u, name)


def _check_utility(
    network: ProductionNetwork, members: tuple[str, ...], u: Utility, name: str
) -> None:
    if u.product in network.index("products"):
        raise UsageError(
            f"{u.product} is a product of the network already; give the shared utility a label "
            f"of its own, such as {u.product}_{name}."
        )
    if isinstance(u.per_unit, Mapping):
        for node in u.per_unit:
            if node not in members:
                _unknown(str(node), list(members), "plant")
    output = {n: float(network.output[network.index("nodes")[n]]) for n in members}
    need = sum(u.need_of(n) * output[n] for n in members)
    if not any(u.need_of(n) > 0 for n in members):
        raise UsageError(f"No plant of {name} needs {u.product}.")
    if u.capacity is not None and u.capacity < need * (1 - 1e-9):
        raise UsageError(
            f"The capacity {u.capacity:,.6g} of {u.product} is below the {need:,.6g} that the "
            f"plants need in a {network.settings.period} at rest."
        )
    taken = [f"{u.product}@{x}" for x in (name, *members)]
    clash = [x for x in taken if x in network.index("nodes")]
    if clash:
        raise UsageError(f"There is a node {clash[0]} already; choose another label.")


def _failure(utility: Utility, node: str, name: str, start: str | float) -> Scenario:
    chance = float(-np.expm1(-utility.failures_per_year))
    return Scenario.lose(
        node=node,
        share=utility.lost,
        start=start,
        duration=utility.outage,
        name=name,
        probability=chance,
    )


def _unknown(label: str, known: list[str], what: str) -> Utility:
    near = nearest(label, known)
    hint = f" Did you mean '{near}'?" if near else ""
    raise UsageError(f"There is no {what} '{shorten(label)}' in the park.{hint}")
