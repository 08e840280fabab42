"""From a network, options and scenarios to the two-stage programme of a plan."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import OptionError, UsageError
from withstand.model.findings import has_errors
from withstand.model.option import check_options, read_options
from withstand.model.scenario_sets import names_of
from withstand.plan.calendar import calendar_of
from withstand.plan.decisions import Decisions, money_by_year
from withstand.plan.effects import chain_of
from withstand.plan.recourse import RecourseDraft, Strike
from withstand.plan.skeleton import skeleton_of
from withstand.programming.two_stage import TwoStage
from withstand.stress.horizons import horizon

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.model.scenario import Scenario
    from withstand.plan.calendar import Calendar
    from withstand.plan.effects import Chain
    from withstand.plan.skeleton import Skeleton

Array = np.ndarray
STEPS_PER_YEAR = 13
LONGEST_STEPS = 52
"""Steps of a window by default: four weeks each, and wider where there would be more than 52."""
ENUMERATED = 3
"""Uncertain options up to which every outcome is a scenario; above, outcomes are drawn."""
DRAWN = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """The programme of a plan, and what its columns and scenarios mean.

    Parameters
    ----------
    two_stage : TwoStage
    chain : Chain
    calendar : Calendar
    decisions : Decisions
    skeleton : Skeleton
    strikes : tuple of Strike
        By scenario of the programme; the last one may be "nothing happens".
    is_conditional : bool
        Whether probabilities were scaled to sum to 1: results are then for the case that one of
        the scenarios strikes.
    """

    two_stage: TwoStage
    chain: Chain
    calendar: Calendar
    decisions: Decisions
    skeleton: Skeleton
    strikes: tuple[Strike, ...]
    is_conditional: bool

    @property
    def n_options(self) -> int:
        """Number of options."""
        return len(self.chain.options)

    def sizes(self, z: Array) -> Array:
        """Return how much of each option starts in each year, shape (n_options, years)."""
        total = np.zeros((self.n_options, self.calendar.years))
        for start in self.decisions.starts:
            if start.year >= 0:
                total[start.option, int(start.year)] += z[start.column]
        return total

    def with_budget(self, budget: float | Sequence[float] | Array | None) -> Problem:
        """Return the same programme under other money; cuts of one hold for the other."""
        money = money_by_year(budget, self.calendar)
        first = self.two_stage.first
        upper = first.row_upper.copy()
        for k, name in enumerate(first.rows):
            if name.startswith("budget_"):
                year = int(name.removeprefix("budget_")) - 1
                upper[k] = np.inf if money is None else float(np.cumsum(money)[year])
        two_stage = replace(self.two_stage, first=replace(first, row_upper=upper))
        return replace(self, two_stage=two_stage)


def problem_of(
    network: ProductionNetwork,
    options: Sequence[Option] | None,
    scenarios: Sequence[Scenario],
    *,
    budget: float | Sequence[float] | None = None,
    years: int = 5,
    onsets: Sequence[float] | None = None,
    discount: float = 0.0,
    started: Mapping[str, float] | None = None,
    periods: int | None = None,
    step: int | None = None,
    seed: int = 0,
) -> Problem:
    """Return the programme.

    Parameters
    ----------
    network : ProductionNetwork
    options : sequence of Option, optional
        Default: those in the tables of the network.
    scenarios : sequence of Scenario
        With yearly probabilities. Each may strike at each onset; if the chances of all sum to more
        than 1 they are scaled to 1, and the plan is for the case that one of them strikes.
    budget : float or sequence of float, currency, optional
        Money for the whole horizon, there from the start, or for each year; what is left carries
        over. None: no limit.
    years : int
        Years in which options may start.
    onsets : sequence of float, years, optional
        When scenarios may strike; default: in the middle of each year.
    discount : float, per year
    started : mapping of str to float, years
        Options under way, with the years since their start: they are fixed.
    periods : int, optional
        Window after the onset; default: the longest that `simulate` would play.
    step : int, periods, optional
        Periods that the programme takes together; default: about four weeks, and more where the
        window would have over 52 steps.
    seed : int
        For outcomes of uncertain options where they are too many to list.

    Raises
    ------
    OptionError
        If the options have faults.
    UsageError
        If there is nothing to plan, or a number is not possible.
    """
    chosen = tuple(read_options(network) if options is None else options)
    _check(network, chosen, scenarios)
    calendar = calendar_of(network.settings.period, years, onsets, discount)
    chain = chain_of(network, chosen)
    decisions = Decisions(chain, calendar, budget, started or {})
    window = periods or max(horizon(network, s) for s in scenarios)
    usual = max(calendar.per_year / STEPS_PER_YEAR, window / LONGEST_STEPS)
    width = step or max(1, math.ceil(usual - 1e-9))
    if width < 1 or window < 1:
        raise UsageError("periods and step must be at least 1.")
    n_steps = math.ceil(window / width)
    longest = (calendar.years + max(calendar.onsets) + 1) * calendar.per_year + window
    skeleton = skeleton_of(chain, n_steps, width, longest)
    strikes, is_conditional = strikes_of(chosen, scenarios, calendar, seed)
    drafts = [RecourseDraft(skeleton, s, decisions) for s in strikes]
    first = decisions.first_stage()
    two_stage = TwoStage(first=first, scenarios=tuple(d.finish(first.size) for d in drafts))
    return Problem(
        two_stage=two_stage,
        chain=chain,
        calendar=calendar,
        decisions=decisions,
        skeleton=skeleton,
        strikes=strikes,
        is_conditional=is_conditional,
    )


def _check(
    network: ProductionNetwork, options: Sequence[Option], scenarios: Sequence[Scenario]
) -> None:
    if not options:
        raise UsageError(
            "There are no options to choose from: fill the tables options and option_effects, "
            "or give options=[...]."
        )
    if not scenarios:
        raise UsageError("There are no scenarios to plan against.")
    labels = [o.label for o in options]
    if len(set(labels)) < len(labels):
        twice = next(x for x in labels if labels.count(x) > 1)
        raise UsageError(f"Two options have the label '{twice[:40]}'.")
    findings = check_options(network, options)
    if has_errors(findings):
        raise OptionError(findings)


def strikes_of(
    options: Sequence[Option], scenarios: Sequence[Scenario], calendar: Calendar, seed: int
) -> tuple[tuple[Strike, ...], bool]:
    """Return every scenario at every onset with every outcome, and whether chances were scaled.

    Examples
    --------
    >>> from withstand.model.scenario import Scenario
    >>> one = Scenario.lose(region="JP", duration="12w", name="Japan", probability=0.1)
    >>> found, scaled = strikes_of((), [one], calendar_of("week", 2, None, 0.0), 0)
    >>> [(s.name, s.probability) for s in found], scaled
    ([('Japan, year 1', 0.1), ('Japan, year 2', 0.1), ('nothing happens', 0.8)], False)
    """
    outcomes = _outcomes(options, seed)
    names = names_of(scenarios)
    found = [
        Strike(
            name=_title(name, onset, k, len(outcomes)),
            scenario=scenario,
            onset=onset,
            probability=scenario.probability * chance,
            works=works,
        )
        for scenario, name in zip(scenarios, names, strict=True)
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
    if rest > 1e-12:
        quiet = replace(scenarios[0], name="nothing happens", shocks=())
        works = tuple(True for _ in options)
        found.append(
            Strike(
                name=quiet.name,
                scenario=quiet,
                onset=calendar.onsets[-1],
                probability=rest,
                works=works,
            )
        )
    else:
        found = [replace(s, probability=s.probability / total) for s in found]
    return tuple(found), False


def _title(name: str, onset: float, k: int, n_outcomes: int) -> str:
    when = f"year {int(onset) + 1}" if onset % 1 == 0.5 else f"after {onset:g} years"
    return f"{name}, {when}" + (f", outcome {k + 1}" if n_outcomes > 1 else "")


def _outcomes(options: Sequence[Option], seed: int) -> list[tuple[tuple[bool, ...], float]]:
    """Return which options work, with its chance: all cases, or equally likely draws."""
    chances = np.array([o.success_probability for o in options])
    unsure = np.flatnonzero(chances < 1.0)
    works = np.ones(len(options), dtype=bool)
    if len(unsure) > ENUMERATED:
        draws = np.random.default_rng(seed).random((DRAWN, len(options)))
        return [(tuple((draw < chances).tolist()), 1.0 / DRAWN) for draw in draws]
    found = []
    for case in itertools.product((True, False), repeat=len(unsure)):
        chance = 1.0
        for at, does_work in zip(unsure, case, strict=True):
            works[at] = does_work
            chance *= chances[at] if does_work else 1.0 - chances[at]
        if chance > 0:
            found.append((tuple(works.tolist()), float(chance)))
    return found
