"""Scenarios as a plan sees them: each may strike at each onset, with each outcome of options."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.model.scenario_sets import names_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.model.scenario import Scenario
    from withstand.plan.calendar import Calendar

Array = np.ndarray
ENUMERATED = 3
"""Uncertain things up to which every outcome is a scenario; above, outcomes are drawn."""
DRAWN = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Strike:
    """A scenario that strikes at some time, with the outcomes of uncertain options.

    Parameters
    ----------
    name : str
    scenario : Scenario
    onset : float, years from now
    probability : float
    works : tuple of bool
        By option: whether it turns out to work.
    """

    name: str
    scenario: Scenario
    onset: float
    probability: float
    works: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class Uncertain:
    """One thing that may fail: its chance to work, and the options that hang on it.

    That is an option with a success probability, or a region whose reliability is below 1: all
    nodes that options add there work together, or fail together.
    """

    chance: float
    options: tuple[int, ...]


def strikes_of(
    options: Sequence[Option],
    scenarios: Sequence[Scenario],
    calendar: Calendar,
    seed: int,
    network: ProductionNetwork | None = None,
) -> tuple[tuple[Strike, ...], bool]:
    """Return every scenario at every onset with every outcome, and whether chances were scaled.

    Examples
    --------
    >>> from withstand.model.scenario import Scenario
    >>> from withstand.plan.calendar import calendar_of
    >>> one = Scenario.lose(region="JP", duration="12w", name="Japan", probability=0.1)
    >>> found, scaled = strikes_of((), [one], calendar_of("week", 2, None, 0.0), 0)
    >>> [(s.name, s.probability) for s in found], scaled
    ([('Japan, year 1', 0.1), ('Japan, year 2', 0.1), ('nothing happens', 0.8)], False)
    """
    outcomes = _outcomes(uncertain(options, network), len(options), seed)
    found = [
        Strike(
            name=_title(name, onset, k, len(outcomes)),
            scenario=scenario,
            onset=onset,
            probability=scenario.probability * chance,
            works=works,
        )
        for scenario, name in zip(scenarios, names_of(scenarios), strict=True)
        for onset in calendar.onsets
        for k, (works, chance) in enumerate(outcomes)
    ]
    total = sum(s.probability for s in found)
    if total > 1.0 + 1e-9 or total <= 0.0:
        even = total <= 0.0
        return tuple(
            replace(s, probability=1.0 / len(found) if even else s.probability / total)
            for s in found
        ), True
    rest = 1.0 - total
    if rest <= 1e-12:
        return tuple(replace(s, probability=s.probability / total) for s in found), False
    quiet = replace(scenarios[0], name="nothing happens", shocks=())
    found.append(
        Strike(
            name=quiet.name,
            scenario=quiet,
            onset=calendar.onsets[-1],
            probability=rest,
            works=(True,) * len(options),
        )
    )
    return tuple(found), False


def uncertain(options: Sequence[Option], network: ProductionNetwork | None) -> list[Uncertain]:
    """Return what may fail: single options, and regions of low reliability with what they host."""
    found = [
        Uncertain(chance=o.success_probability, options=(m,))
        for m, o in enumerate(options)
        if o.success_probability < 1.0
    ]
    if network is None or "regions" not in network.tables:
        return found
    frame = network.tables["regions"]
    if "reliability" not in frame.columns:
        return found
    for region, chance in frame.select("region", "reliability").iter_rows():
        hosted = tuple(
            m
            for m, o in enumerate(options)
            if any(e.effect == "add_node" and e.region == region for e in o.effects)
        )
        if hosted and chance is not None and chance < 1.0:
            found.append(Uncertain(chance=float(chance), options=hosted))
    return found


def _title(name: str, onset: float, k: int, n_outcomes: int) -> str:
    when = f"year {int(onset) + 1}" if onset % 1 == 0.5 else f"after {onset:g} years"
    return f"{name}, {when}" + (f", outcome {k + 1}" if n_outcomes > 1 else "")


def _outcomes(
    things: Sequence[Uncertain], n_options: int, seed: int
) -> list[tuple[tuple[bool, ...], float]]:
    """Return which options work, with its chance: all cases, or equally likely draws."""
    chances = np.array([x.chance for x in things])
    if len(things) > ENUMERATED:
        draws = np.random.default_rng(seed).random((DRAWN, len(things))) < chances
        return [(_working(things, draw, n_options), 1.0 / DRAWN) for draw in draws]
    found = []
    for case in itertools.product((True, False), repeat=len(things)):
        works = np.array(case, dtype=bool)
        chance = float(np.where(works, chances, 1.0 - chances).prod()) if len(things) else 1.0
        if chance > 0:
            found.append((_working(things, works, n_options), chance))
    return found


def _working(things: Sequence[Uncertain], does_work: Array, n_options: int) -> tuple[bool, ...]:
    works = np.ones(n_options, dtype=bool)
    for thing, does in zip(things, does_work, strict=True):
        if not does:
            works[list(thing.options)] = False
    return tuple(works.tolist())
