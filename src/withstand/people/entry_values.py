"""What targets ask of a choice of entrants, as linear terms, and the best value of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import SolverError, UsageError
from withstand.people.entry_choices import EntryChoices, Linear, added
from withstand.people.target_tables import SHARES
from withstand.people.target_values import missing_to, needed_of
from withstand.programming.highs import OPTIMAL, UNBOUNDED, Programme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.people.pipelines import Pipeline
    from withstand.people.projection_results import Projection
    from withstand.people.target_tables import Aim

Array = np.ndarray
MOST_ROUNDS = 50
SETTLED = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """The value of a target: over, or over / under where it is a ratio that moves below, too."""

    over: Linear
    under: Linear | None = None

    def at(self, values: Array) -> float:
        """Return the value; NaN for a share of nothing."""
        if self.under is None:
            return self.over.at(values)
        below = self.under.at(values)
        return self.over.at(values) / below if below > SETTLED else np.nan

    def short_of(self, value: float) -> Linear:
        """Return over - value x under: at least 0 where the value is at least so much."""
        if self.under is None:
            return Linear(
                columns=self.over.columns,
                weights=self.over.weights,
                scale=self.over.scale,
                constant=self.over.constant - value,
            )
        return added([self.over, self.under], [1.0, -value])


def asked_of(
    projection: Projection, aims: Sequence[Aim], pipeline: Pipeline | None = None
) -> tuple[EntryChoices, list[Asked]]:
    """Return the choices of entrants up to the last target's year, and what targets ask of them.

    Parameters
    ----------
    projection : Projection
    aims : sequence of Aim
    pipeline : Pipeline, optional
        Default that of the projection. With other programmes, aims name which of them count.
    """
    first = int(projection.years[0])
    n_years = max(aim.target.year for aim in aims) - first + 1
    has_stocks = any(aim.target.indicator != "graduates" for aim in aims)
    choices = EntryChoices(pipeline or projection.pipeline, n_years, has_stocks=has_stocks)
    return choices, [_asked(projection, choices, aim) for aim in aims]


def _asked(projection: Projection, choices: EntryChoices, aim: Aim) -> Asked:
    target, first = aim.target, int(projection.years[0])
    year = target.year - first
    cells = aim.groups[projection.group_of]
    if target.indicator == "graduates":
        return Asked(over=choices.graduates(aim.programmes, aim.since - first, year))
    if target.indicator == "people":
        k = choices.pipeline.steps_per_year
        return Asked(over=choices.people(cells, (year + 1) * k))
    if target.indicator == "coverage":
        return _coverage(projection, choices, aim, year)
    return _share(projection, choices, aim, year)


def _coverage(projection: Projection, choices: EntryChoices, aim: Aim, year: int) -> Asked:
    cells, k = aim.groups[projection.group_of], choices.pipeline.steps_per_year
    need = projection.needed
    if need is None:
        raise UsageError("Coverage takes a need that is known.")
    entrants = choices.entrants_of(cells, year)
    growth = float((need[year + 1] - need[year])[aim.groups].sum())
    before, after = choices.people(cells, year * k), choices.people(cells, (year + 1) * k)
    nothing = np.zeros(0, np.int64)
    known = Linear(columns=nothing, weights=np.zeros(0), constant=growth)
    return Asked(over=entrants, under=added([known, before, after, entrants], [1, 1, -1, 1]))


def _share(projection: Projection, choices: EntryChoices, aim: Aim, year: int) -> Asked:
    """Return 1 - missing / total, with a column of people missing for each group in need."""
    if aim.target.direction == "at_most":
        raise UsageError(
            f"A largest {aim.target.indicator} cannot be aimed at: of at_most, only graduates, "
            "people and coverage."
        )
    needed = needed_of(projection)[year]
    total = needed
    if aim.target.indicator == SHARES[1]:
        total = missing_to(needed_of(projection), projection.people_without)[year]
    of_all = float(total[aim.groups].sum())
    groups = np.flatnonzero(aim.groups & (needed > 0))
    missing = choices.columns(len(groups))
    for column, g in zip(missing, groups, strict=True):
        people = choices.people_of_year(projection.group_of == g, year)
        columns = np.append(people.columns, column)
        weights = np.append(people.weights, 1.0)
        choices.row(columns, weights, float(needed[g]) - people.constant, np.inf)
    weights = -np.ones(len(missing))
    if of_all <= SETTLED:
        return Asked(over=Linear(columns=missing, weights=weights, constant=np.nan))
    scale = 1.0 / of_all
    return Asked(over=Linear(columns=missing, weights=weights, constant=1.0, scale=scale))


def linear_programme(choices: EntryChoices) -> Programme:
    """Return the programme without objective; nobody enters beyond the plan yet."""
    matrix, low, high = choices.matrix()
    lower = choices.lower()
    lower[choices.entrants.ravel()] = 0.0
    upper = np.full(choices.n_columns, np.inf)
    upper[choices.entrants.ravel()] = 0.0
    return Programme(
        cost=np.zeros(choices.n_columns),
        lower=lower,
        upper=upper,
        matrix=matrix,
        row_lower=low,
        row_upper=high,
    )


def best(programme: Programme, asked: Asked, direction: str, n_columns: int) -> float:
    """Return the largest value (of at_most: the smallest) that the choices attain.

    A ratio over / under is raised step by step: with the value v found so far, over - v under is
    made large (Dinkelbach 1967); it ends when that is 0.
    """
    sign = -1.0 if direction == "at_least" else 1.0
    if asked.under is None:
        found = _extreme(programme, asked.over, sign, n_columns)
        return float(-sign * np.inf) if found is None else asked.at(found)
    value = asked.at(np.zeros(n_columns))
    if np.isnan(value):
        return np.nan
    for _ in range(MOST_ROUNDS):
        found = _extreme(programme, asked.short_of(value), sign, n_columns)
        if found is None or asked.under.at(found) <= SETTLED:
            return float(-sign * np.inf)
        after = asked.at(found)
        if abs(after - value) <= SETTLED * max(1.0, abs(value)):
            return after
        value = after
    return value


def _extreme(programme: Programme, term: Linear, sign: float, n_columns: int) -> Array | None:
    """Return the columns where sign x term is least, None where there is no least."""
    cost = np.zeros(n_columns)
    np.add.at(cost, term.columns, sign * term.weights)
    programme.set_cost(np.arange(n_columns), cost)
    found = programme.solve()
    if found.status == UNBOUNDED:
        return None
    if found.status != OPTIMAL:
        raise SolverError(f"The largest attainable value was not found: {found.status}.")
    return found.columns
