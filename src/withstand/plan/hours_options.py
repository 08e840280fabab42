"""Hours without new people: overtime of those who are there, and hours bought from others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.encoding import numbers
from withstand.model.findings import nearest
from withstand.model.option import Effect, Option
from withstand.model.units import HOURS_PER_YEAR, PERIODS_PER_YEAR, periods_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork


def extra_hours(
    network: ProductionNetwork,
    skill: str,
    hours: float,
    *,
    pay: float,
    wage: float | None = None,
    ready: str | float = 0.0,
    kind: str = "overtime",
    label: str = "",
    name: str = "",
) -> Option:
    """Return hours of a skill that cost pay alone, as an option: overtime, or hours bought.

    The option is continuous from 0 to 1: at size 1 it adds all the hours, at half the cost half.

    Parameters
    ----------
    network : ProductionNetwork
    skill : str
        Product whose hours are added; they go to its largest node at home (else: of all).
    hours : float, hours per period
        The most that can be had.
    pay : float
        Pay of such an hour as a multiple of the wage (1.5: half as much again).
    wage : float, currency per hour, optional
        Default: the wage of the occupation that supplies the skill.
    ready : str or float
        Periods, or text with a unit ("8w").
    kind, label, name : str

    Returns
    -------
    Option

    Raises
    ------
    UsageError
        If the skill has no node, a number cannot be, or no wage is known.

    Examples
    --------
    >>> from withstand.examples import example
    >>> more = extra_hours(example("robot_maker"), "SK_GRIND", 100.0, pay=1.5)
    >>> more.effects[0].node, round(more.cost_per_period)
    ('SK_GRIND@HOME', 5393)
    """
    at = network.index("products").get(skill)
    nodes = np.flatnonzero(network.node_product == (-1 if at is None else at))
    if not len(nodes):
        near = nearest(str(skill), list(network.index("products")))
        hint = f" Did you mean '{near}'?" if near else ""
        raise UsageError(f"No node has hours of '{str(skill)[:40]}'.{hint}")
    for what, value in (("hours", hours), ("pay", pay)):
        if not 0 < value < math.inf:
            raise UsageError(f"{what} must be above 0, not {value}.")
    at_home = network.is_home[network.node_region[nodes]]
    chosen = nodes[at_home] if at_home.any() else nodes
    node = chosen[int(np.argmax(network.capacity[chosen]))]
    an_hour = _wage(network, skill) if wage is None else wage
    if not 0 <= an_hour < math.inf:
        raise UsageError(
            f"The wage of {skill} is not known: give wage=, or fill wage in the table of "
            "occupations."
        )
    return Option(
        label=label or f"{kind.upper()}_{skill}",
        name=name or f"{kind.replace('_', ' ')}: {skill}",
        kind=kind,
        cost_per_period=hours * pay * an_hour,
        ready_periods=periods_of(ready, network.settings.period),
        size="continuous 1.0",
        note=f"pay {pay:g} times the wage of {an_hour:.4g} an hour",
        effects=(Effect(effect="add_capacity", node=str(network.node_labels[node]), amount=hours),),
    )


def _wage(network: ProductionNetwork, skill: str) -> float:
    """Return the wage of an hour of the first occupation that supplies a skill, NaN if none."""
    frame = network.tables.get("occupations")
    if frame is None or not {"product", "wage"} <= set(frame.columns):
        return math.nan
    rows = np.flatnonzero((frame["product"] == skill).fill_null(value=False).to_numpy())
    if not len(rows):
        return math.nan
    per_year = PERIODS_PER_YEAR[network.settings.period]
    usual = HOURS_PER_YEAR / per_year
    a_year = numbers(frame, "hours_per_period", usual)[rows[0]] * per_year
    return float(numbers(frame, "wage")[rows[0]] / a_year) if a_year > 0 else math.nan
