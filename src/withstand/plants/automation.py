"""Automation as an option: fewer hours of one skill, some of another, robots and integrators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import listed, nearest
from withstand.model.option import Effect, Option, Use
from withstand.model.recipe_inputs import HOURS_KINDS
from withstand.model.units import PERIODS_PER_YEAR, periods_of
from withstand.plants.number_checks import label_in, number

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.plants.cells import Cell

Array = np.ndarray


def robotise(
    network: ProductionNetwork,
    cell: Cell,
    nodes: str | Sequence[str],
    *,
    skill: str,
    cells: float = 1.0,
    share: float | None = None,
    maintenance: str | None = None,
    robots: str | None = None,
    integrators: str | None = None,
    ready: str | float = 0.0,
    label: str = "",
    name: str = "",
) -> Option:
    """Return robot cells at some nodes as an option: another recipe, with its own needs.

    The cells replace `cell.hours_saved` of a skill a year, each; divided by what the nodes use at
    rest, that is the share by which the hours per unit fall. Maintenance comes in by the unit too.
    Building draws robots and hours of integrators from the network; a plant that makes robots may
    draw its own.

    Parameters
    ----------
    network : ProductionNetwork
    cell : Cell
    nodes : str or sequence of str
        Nodes, or products (all their nodes that use the skill).
    skill : str
        Product whose hours are replaced.
    cells : float
        How many cells, over all the nodes; shared out by the hours the nodes use.
    share : float, 0 to 1, optional
        Share of the hours per unit that is replaced, where it is known better.
    maintenance : str, optional
        Product whose hours keep the cells running.
    robots, integrators : str, optional
        Products that building draws: robots, and hours of those who plan and build.
    ready : str or float, periods or text with a unit ("39w")
    label, name : str

    Returns
    -------
    Option
        Of kind "robotise": change_recipe at each node, cost once = capex, cost per period = running
        cost, uses. `model.option.apply` and the planner take it.

    Raises
    ------
    UsageError
        If a label is not there, a node does not use the skill, or the cells would replace more
        hours than are used.

    Notes
    -----
    An option's costs are not negative, so the wages saved stand in the note only. What other nodes
    need of the skill is unchanged.

    Examples
    --------
    >>> from withstand.examples import example
    >>> from withstand.plants.cells import cell
    >>> net = example("robot_maker")
    >>> one = cell(robots=2, robot_price=20_000, operators=2, shifts=2, wage=46_660,
    ...            replaced_share=.7, maintenance_hours=120, integrator_hours=600)
    >>> option = robotise(net, one, ["ARM", "CTRL"], skill="SK_ASM", cells=10, robots="ROBOT",
    ...                   maintenance="SK_MAINT", ready="39w")
    >>> option.kind, [(e.buyer, e.input) for e in option.effects[:2]]
    ('robotise', [('ARM@HOME', 'SK_ASM'), ('ARM@HOME', 'SK_MAINT')])
    >>> option.uses[0].quantity
    20.0
    """
    many = number("cells", cells, above=True)
    for product in (skill, maintenance, robots, integrators):
        if product is not None:
            label_in(network, "products", product)
    kind = str(network.product_kinds[network.index("products")[skill]])
    if kind not in HOURS_KINDS:
        raise UsageError(
            f"{skill} is a {kind}, and cells replace hours: name a product of kind "
            f"{' or '.join(HOURS_KINDS)}."
        )
    inputs = _inputs(network, nodes, skill)
    buyers = network.input_buyer[inputs]
    use = network.input_coefficient[inputs] * network.output[buyers]
    year = PERIODS_PER_YEAR[network.settings.period]
    total = float(use.sum())
    if total <= 0:
        raise UsageError(f"{listed(_labels(network, buyers))} use no hours of {skill} at rest.")
    if share is None:
        saved = many * cell.hours_saved / year
        if saved > total * (1 + 1e-9):
            raise UsageError(
                f"{many:g} cells replace {saved:,.6g} hours of {skill} a {network.settings.period}"
                f", but only {total:,.6g} are used. Take fewer cells, or a smaller replaced_share."
            )
        part = min(1.0, saved / total)
    else:
        part = number("share", share, high=1.0)
    makes = network.output[buyers]
    upkeep = np.divide(use, total * makes, out=np.zeros_like(use), where=makes > 0)
    upkeep *= many * cell.maintenance_hours / year
    effects = []
    for node, hours in zip(_labels(network, buyers), upkeep.tolist(), strict=True):
        less = Effect(
            effect="change_recipe", buyer=node, input=skill, amount=1.0 - part, mode="scale"
        )
        effects.append(less)
        if maintenance is not None and hours > 0:
            effects.append(
                Effect(effect="change_recipe", buyer=node, input=maintenance, amount=hours)
            )
    wait = periods_of(ready, network.settings.period)
    takes = ((robots, cell.robots), (integrators, cell.integrator_hours))
    return Option(
        label=label or f"ROBOTISE_{skill}",
        name=name or f"{many:g} robot cells in place of {part:.0%} of {skill}",
        kind="robotise",
        cost_once=many * cell.capex,
        cost_per_period=many * cell.running / year,
        ready_periods=wait,
        note=f"saves {many * cell.saving:,.0f} a year in wages, which stand in no cost here",
        effects=tuple(effects),
        uses=tuple(
            Use(product=p, quantity=q * many, periods=wait) for p, q in takes if p is not None and q
        ),
    )


def _inputs(network: ProductionNetwork, nodes: str | Sequence[str], skill: str) -> Array:
    """Return the inputs of a skill at the nodes meant."""
    wanted = [nodes] if isinstance(nodes, str) else list(nodes)
    if not wanted:
        raise UsageError("nodes is empty: name at least one node or product.")
    uses = np.flatnonzero(network.input_product == network.index("products")[skill])
    buyers = network.input_buyer[uses]
    meant: list[int] = []
    for label in wanted:
        at, of = network.index("nodes").get(label), network.index("products").get(label)
        if at is None and of is None:
            known = [*network.index("nodes"), *network.index("products")]
            near = nearest(str(label), known)
            hint = f" Did you mean '{near}'?" if near else ""
            raise UsageError(f"There is no node or product '{str(label)[:40]}'.{hint}")
        found = uses[buyers == at] if at is not None else uses[network.node_product[buyers] == of]
        if not len(found):
            who = listed(sorted(set(_labels(network, buyers)))) or "nobody"
            raise UsageError(f"{label} uses no hours of {skill}; it is used by {who}.")
        meant += [i for i in found.tolist() if i not in meant]
    return np.array(meant, dtype=np.int64)


def _labels(network: ProductionNetwork, nodes: Array) -> list[str]:
    return [str(x) for x in network.node_labels[nodes]]
