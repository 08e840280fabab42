"""The cheapest intake that still meets targets, beside the intake that is planned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.model.findings import Finding, listed, make_finding
from withstand.people.entry_values import asked_of, best, linear_programme
from withstand.people.expectation import play
from withstand.people.seat_paths import Seats, seats_of
from withstand.people.target_mends import first_free
from withstand.people.target_tables import Aim, Target, aims_of
from withstand.people.targets import Attainment, amount, attainment
from withstand.programming.highs import OPTIMAL

if TYPE_CHECKING:
    import pandas as pd

    from withstand.people.entry_choices import EntryChoices
    from withstand.people.entry_values import Asked
    from withstand.people.projection_results import Projection

Array = np.ndarray
SMALLEST = 1e-6
"""Entrants below which a number of the solver is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CheapestIntake:
    """The cheapest intake that meets targets, and the plan.

    Parameters
    ----------
    status : {"optimal", "infeasible"}
        Infeasible: nothing meets them; the intake is the plan, and `findings` say which are out of
        reach.
    targets : tuple of Target
    entrants : DataFrame
        As `to_frame` returns it.
    projection, planned : Projection
        With this intake, and as planned.
    targets_met : Attainment
        What this intake makes of the targets.
    findings : tuple of Finding
    """

    status: str
    targets: tuple[Target, ...]
    entrants: pl.DataFrame
    projection: Projection
    planned: Projection
    targets_met: Attainment
    findings: tuple[Finding, ...]

    @property
    def is_found(self) -> bool:
        """Whether there is such an intake."""
        return self.status == OPTIMAL

    @property
    def cost(self) -> float:
        """Cost of all entrants, currency."""
        return float(self.entrants["cost"].sum())

    @property
    def cost_planned(self) -> float:
        """Cost of all entrants of the plan over the same years, currency."""
        return float(self.entrants["cost_planned"].sum())

    def to_frame(self) -> pl.DataFrame:
        """Return programme, occupation, region, year, entrants, planned, cost, cost_planned.

        Entrants in people, cost in currency, for the years up to that of the last target.
        """
        return self.entrants

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_year(self) -> pl.DataFrame:
        """Return the sums of each year: year, entrants, planned, cost, cost_planned."""
        values = ("entrants", "planned", "cost", "cost_planned")
        return self.entrants.group_by("year", maintain_order=True).agg(pl.col(*values).sum())

    def intakes(self) -> pl.DataFrame:
        """Return the intake as a table of intakes: programme, year, people."""
        return self.entrants.group_by("programme", "year", maintain_order=True).agg(
            pl.col("entrants").sum().alias("people")
        )

    def summary(self) -> str:
        """Return what it costs beside the plan, or why there is none."""
        if not self.is_found:
            return "\n".join(f.what for f in self.findings if f.severity == "error")
        new, old = (float(self.entrants[c].sum()) for c in ("entrants", "planned"))
        return (
            f"The cheapest intake that meets {len(self.targets)} "
            f"target{'s' if len(self.targets) > 1 else ''} takes {amount(new)} entrants for "
            f"{amount(self.cost)}; planned are {amount(old)} for {amount(self.cost_planned)}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<CheapestIntake: {self.status}, cost {amount(self.cost)}>"


def cheapest_intake(
    projection: Projection,
    targets: Any = None,
    source: Any = None,
    *,
    start: int | None = None,
    keep_plan: bool = False,
    programmes: Any = None,
    period: str = "year",
) -> CheapestIntake:
    """Find the cheapest intake that meets all targets together, if it is free from a year on.

    From then on every year may have any entrants between none and the places of a programme (seats,
    growing from `start` on). What counts is the cost of the places in the years up to the last
    target, and those who would finish later are left out with the rest. For needs year by year,
    with recruitment, overtime or redundancy beside training, use `people.optimise_intake`.

    Parameters
    ----------
    projection, targets, source, programmes, period
        As in `reachability`.
    start : int, optional
        First year in which the intake can differ from the plan; default the first year played.
    keep_plan : bool
        Whether all entrants of the plan stay and others can only come on top.

    Returns
    -------
    CheapestIntake

    Raises
    ------
    DataError
        With every fault of the targets.
    UsageError
        If the source is not that of the projection, or `start` is no year that is played.

    Examples
    --------
    A short course costs more a head, and the long one is too late after 2026.

    >>> from withstand import people
    >>> tables = {"occupations": {"occupation": ["NURSE"], "people": [0]},
    ...           "programmes": {"programme": ["LONG", "SHORT"], "occupation": ["NURSE"] * 2,
    ...                          "duration": [3, 1], "seats": [20, 100], "cost": [10, 30],
    ...                          "intake": [0, 0]}}
    >>> found = cheapest_intake(people.project(tables, years=range(2026, 2030)),
    ...                         people.Target("graduates", 2029, 50), tables)
    >>> found.cost
    1100.0
    >>> found.to_frame().filter(pl.col("programme") == "LONG")["entrants"].to_list()
    [20.0, 0.0, 0.0, 0.0]
    """
    aims, findings = aims_of(targets, projection, source)
    seats = seats_of(projection, source, programmes, period)
    first = 0 if start is None else first_free(projection, start)
    choices, asked = asked_of(projection, aims)
    low, high = choices.bounds(seats.path(first, choices.n_years), first)
    bounds = (np.zeros_like(low) if keep_plan else low), high
    unreached = _out_of_reach(projection, aims, choices, asked, bounds)
    solved = None if unreached else _solved(aims, choices, asked, bounds, seats.cost)
    own = _no_cost(projection, seats)
    if solved is None:
        own.append(_infeasible(projection, aims, unreached, first))
        solved = np.zeros_like(choices.planned)
    found = _with_more(projection, solved, seats)
    return CheapestIntake(
        status="infeasible" if any(f.severity == "error" for f in own) else OPTIMAL,
        targets=tuple(aim.target for aim in aims),
        entrants=_frame(found, projection, choices.n_years, seats.cost),
        projection=found,
        planned=projection,
        targets_met=attainment(found, [aim.target for aim in aims], source),
        findings=(*projection.findings, *findings, *own),
    )


def _out_of_reach(
    projection: Projection,
    aims: tuple[Aim, ...],
    choices: EntryChoices,
    asked: list[Asked],
    bounds: tuple[Array, Array],
) -> list[str]:
    """Return, in words, the targets that no choice meets even alone."""
    programme = linear_programme(choices)
    programme.set_columns(choices.entrants.ravel(), bounds[0].ravel(), bounds[1].ravel())
    found = []
    for aim, term in zip(aims, asked, strict=True):
        most = best(programme, term, aim.target.direction, choices.n_columns)
        if np.isnan(most):
            found.append(f"{aim.target} (nothing is needed there)")
        elif not aim.target.is_met(most):
            found.append(f"{aim.target} (attainable: {amount(most)})")
    return found


def _solved(
    aims: tuple[Aim, ...],
    choices: EntryChoices,
    asked: list[Asked],
    bounds: tuple[Array, Array],
    cost: Array,
) -> Array | None:
    """Return the entrants beyond the plan that meet all targets at least cost, shape (P, Y)."""
    for aim, term in zip(aims, asked, strict=True):
        choices.require(term.short_of(aim.target.value), aim.target.direction)
    programme = linear_programme(choices)
    columns = choices.entrants.ravel()
    programme.set_columns(columns, bounds[0].ravel(), bounds[1].ravel())
    each = np.repeat(np.nan_to_num(cost)[:, None], choices.n_years, axis=1)
    programme.set_cost(columns, each.ravel())
    found = programme.solve()
    return found.columns[choices.entrants] if found.status == OPTIMAL else None


def _with_more(projection: Projection, more: Array, seats: Seats) -> Projection:
    """Return the projection with other entrants, played again."""
    pipeline = projection.pipeline
    k = pipeline.steps_per_year
    steps = np.zeros_like(pipeline.intake)
    steps[:, : more.shape[1] * k] = np.repeat(more, k, axis=1) / k
    is_new = np.abs(steps) > SMALLEST / k
    planned = play(replace(pipeline, steps_per_year=1)).entrants.T
    intake = np.where(is_new, np.maximum(planned + steps, 0.0), pipeline.intake)
    changed = replace(pipeline, intake=intake)
    played = play(changed)
    cost = np.asarray(played.entrants * np.nan_to_num(seats.cost))
    return replace(projection, pipeline=changed, played=played, cost=cost)


def _frame(found: Projection, planned: Projection, n_years: int, cost: Array) -> pl.DataFrame:
    labels = planned.pipeline.programmes
    rows = np.repeat(np.arange(labels.height), n_years)
    each = np.nan_to_num(cost)[rows]
    entrants = found.played.entrants[:n_years].T.ravel()
    before = planned.played.entrants[:n_years].T.ravel()
    return labels[rows].with_columns(
        pl.Series("year", np.tile(planned.years[:n_years], labels.height), dtype=pl.Int64),
        pl.Series("entrants", entrants, dtype=pl.Float64),
        pl.Series("planned", before, dtype=pl.Float64),
        pl.Series("cost", entrants * each, dtype=pl.Float64),
        pl.Series("cost_planned", before * each, dtype=pl.Float64),
    )


def _no_cost(projection: Projection, seats: Seats) -> list[Finding]:
    missing = np.flatnonzero(~(np.nan_to_num(seats.cost) > 0))
    if not len(missing):
        return []
    labels = projection.pipeline.programmes["programme"].gather(missing).unique(maintain_order=True)
    what = f"{listed(labels.to_list())} cost nothing"
    return [make_finding("W542", what, count=labels.len())]


def _infeasible(
    projection: Projection, aims: tuple[Aim, ...], unreached: list[str], first: int
) -> Finding:
    start = int(projection.years[0]) + first
    if unreached:
        what = f"with another intake from {start} on, out of reach: {listed(unreached)}"
    else:
        told = listed([str(aim.target) for aim in aims])
        what = f"with another intake from {start} on, each can be met, but not together: {told}"
    return make_finding("E544", what)
