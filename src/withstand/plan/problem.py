"""From a network, options and scenarios to the two-stage programme of a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import OptionError, UsageError
from withstand.model.findings import has_errors
from withstand.model.option import check_options, read_options
from withstand.plan.calendar import calendar_of
from withstand.plan.decisions import Decisions
from withstand.plan.effects import chain_of
from withstand.plan.given import money_by_year
from withstand.plan.recourse import RecourseDraft
from withstand.plan.shares_left import shares_left
from withstand.plan.skeleton import skeleton_of
from withstand.plan.strikes import strikes_of
from withstand.programming.two_stage import TwoStage
from withstand.stress.horizons import horizon

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.model.scenario import Scenario
    from withstand.plan.calendar import Calendar
    from withstand.plan.decisions import Limit
    from withstand.plan.effects import Chain
    from withstand.plan.skeleton import Skeleton
    from withstand.plan.strikes import Strike

Array = np.ndarray
STEPS_PER_YEAR = 13
LONGEST_STEPS = 52
LONGEST_WINDOW = 10_000
"""Steps of a window by default: four weeks each, and wider where there would be more than 52."""
MOST_COLUMNS = 50_000_000
"""Columns of all scenarios together that are still tried."""


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

    @property
    def window(self) -> int:
        """Periods after the onset that a scenario is followed for."""
        return self.skeleton.n_steps * self.skeleton.step

    @property
    def limits(self) -> tuple[Limit, ...]:
        """What each row of the first stage means."""
        return self.decisions.row_limits

    @property
    def money(self) -> Array | None:
        """Money of each year, currency, shape (years,); None without a limit."""
        upper = self.two_stage.first.row_upper
        upto = np.array([upper[k] for k, x in enumerate(self.limits) if x.kind == "money"])
        return np.diff(upto, prepend=0.0) if np.isfinite(upto).all() else None

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
        for k, limit in enumerate(self.limits):
            if limit.kind == "money":
                upper[k] = np.inf if money is None else float(np.cumsum(money)[limit.year])
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
    for name, number in (("periods", periods), ("step", step)):
        is_whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if number is not None and not (is_whole and 1 <= number <= LONGEST_WINDOW):
            raise UsageError(
                f"{name} must be a whole number from 1 to {LONGEST_WINDOW}, not {str(number)[:40]}."
            )
    calendar = calendar_of(network.settings.period, years, onsets, discount)
    chain = chain_of(network, chosen)
    decisions = Decisions(chain, calendar, budget, started or {})
    window = periods or max(horizon(network, s) for s in scenarios)
    usual = max(calendar.per_year / STEPS_PER_YEAR, window / LONGEST_STEPS)
    width = step or max(1, math.ceil(usual - 1e-9))
    n_steps = math.ceil(window / width)
    longest = (calendar.years + max(calendar.onsets) + 1) * calendar.per_year + window
    skeleton = skeleton_of(chain, n_steps, width, longest)
    strikes, is_conditional = strikes_of(chosen, scenarios, calendar, seed, network)
    n_columns = skeleton.n_columns * len(strikes)
    if n_columns > MOST_COLUMNS:
        raise UsageError(
            f"The programme would have {n_columns:,} columns: take fewer scenarios or onsets, "
            "a longer step, or screen the network first (withstand.plan.screened)."
        )
    drafts = []
    left: dict[int, tuple[Array, Array]] = {}
    for strike in strikes:
        if id(strike.scenario) not in left:
            left[id(strike.scenario)] = shares_left(chain, strike.scenario, n_steps, width)
        drafts.append(RecourseDraft(skeleton, strike, decisions, *left[id(strike.scenario)]))
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
