"""What would still make a target that is out of reach: more seats, shorter courses, upskilling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.people.added_programmes import with_programmes
from withstand.people.entry_values import asked_of, best, linear_programme
from withstand.people.seat_paths import Seats, seats_of
from withstand.people.target_tables import Aim, Target, aims_of
from withstand.people.targets import amount
from withstand.programming.highs import OPTIMAL

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.people.projection_results import Projection

Array = np.ndarray
SEATS, SHORTER, UPSKILLING = "seats", "shorter programmes", "upskilling"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Mends:
    """What each change alone would attain, if the intake is free from a year on.

    Parameters
    ----------
    targets : tuple of Target
    start : int
    results : DataFrame
        As `to_frame` returns it.
    findings : tuple of Finding
    """

    targets: tuple[Target, ...]
    start: int
    results: pl.DataFrame
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each target and change.

        target, change ("none": the seats and programmes there are; "seats"; "shorter programmes";
        "upskilling"), amount (least multiple of the seats that does; years by which programmes
        would have to be shorter; empty where no amount does), attainable (with that amount, or with
        the largest there is), is_met.
        """
        return self.results

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def summary(self) -> str:
        """Return a sentence for each target, and one for each change that was tried."""
        lines = []
        for number, target in enumerate(self.targets, 1):
            lines.append(f"{target}, with another intake from {self.start} on:")
            rows = self.results.filter(pl.col("target") == number).iter_rows(named=True)
            lines += [f"- {_told(row)}" for row in rows]
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Mends: {len(self.targets)} targets, from {self.start} on>"


def what_mends(
    projection: Projection,
    targets: Any = None,
    source: Any = None,
    *,
    start: int,
    upskilling: Any = None,
    programmes: Any = None,
    period: str = "year",
) -> Mends:
    """Say what would still make targets, if the intake is free from a year on: each change alone.

    Seats: the least factor on the places of all programmes. Shorter programmes: the least time by
    which all of them would have to be shorter for those who enter from then on (none below one
    step), with the seats there are. Upskilling: what the programmes given add.

    Parameters
    ----------
    projection, targets, source, programmes, period
        As in `reachability`.
    start : int
        First year in which the intake can differ from the plan.
    upskilling : frame, optional
        More programmes, in the columns of the table of programmes: courses for people of related
        occupations (`from_occupation`) that nobody takes yet.

    Returns
    -------
    Mends

    Raises
    ------
    DataError
        With every fault of the targets, or of the programmes added.
    UsageError
        If the source is not that of the projection, or `start` is no year that is played.

    Examples
    --------
    >>> from withstand import people
    >>> tables = {"occupations": {"occupation": ["ENGINEER"], "people": [0]},
    ...           "programmes": {"programme": ["DEGREE"], "occupation": ["ENGINEER"],
    ...                          "duration": [3], "seats": [100]}}
    >>> found = what_mends(people.project(tables, years=range(2026, 2031)),
    ...                    people.Target("graduates", 2030, 300), tables, start=2026)
    >>> print(found.summary())
    graduates at least 300 by 2030, with another intake from 2026 on:
    - the seats and programmes there are: 200, not enough.
    - 1.5 times the seats would do.
    - all programmes shorter by 1 year would do (none below a step).
    """
    aims, findings = aims_of(targets, projection, source)
    seats = seats_of(projection, source, programmes, period)
    first = first_free(projection, start)
    more = None
    if upskilling is not None:
        more = with_programmes(projection, source, upskilling, programmes, period)
    rows = []
    for number, aim in enumerate(aims, 1):
        tried = [_nothing(projection, aim, seats, first)]
        if not tried[0]["is_met"]:
            tried.append(_more_seats(projection, aim, seats, first))
            tried.append(_shorter(projection, aim, seats, first))
            if more is not None:
                (again,), _ = aims_of([aim.target], more.projection, source)
                found = _nothing(more.projection, again, more.seats, first)
                tried.append({**found, "change": UPSKILLING})
        rows += [{"target": number, **row} for row in tried]
    schema = {"amount": pl.Float64, "is_met": pl.Boolean}
    return Mends(
        targets=tuple(aim.target for aim in aims),
        start=int(start),
        results=pl.DataFrame(rows, schema_overrides=schema).fill_nan(None),
        findings=(*projection.findings, *findings),
    )


def first_free(projection: Projection, start: object) -> int:
    """Return the years between the first one played and the start, or refuse the start."""
    first, last = int(projection.years[0]), int(projection.years[-1])
    is_year = isinstance(start, int | np.integer) and not isinstance(start, bool)
    if not is_year or not first <= start <= last:  # type: ignore[operator]
        raise UsageError(
            f"start must be a year that is played, {first} to {last}, not {str(start)[:40]}."
        )
    return int(start) - first  # type: ignore[call-overload, no-any-return]


def _row(change: str, size: float, attainable: float, target: Target) -> dict[str, Any]:
    is_met = not np.isnan(attainable) and target.is_met(attainable)
    return {"change": change, "amount": size, "attainable": attainable, "is_met": is_met}


def _nothing(projection: Projection, aim: Aim, seats: Seats, start: int) -> dict[str, Any]:
    choices, (asked,) = asked_of(projection, [aim])
    programme = linear_programme(choices)
    low, high = choices.bounds(seats.path(start, choices.n_years), start)
    programme.set_columns(choices.entrants.ravel(), low.ravel(), high.ravel())
    found = best(programme, asked, aim.target.direction, choices.n_columns)
    return _row("none", np.nan, found, aim.target)


def _more_seats(projection: Projection, aim: Aim, seats: Seats, start: int) -> dict[str, Any]:
    """Find the least factor on all places with which the target is met, if there is one."""
    target = aim.target
    choices, (asked,) = asked_of(projection, [aim])
    factor = int(choices.columns(1)[0])
    places = seats.path(start, choices.n_years)
    low, high = choices.bounds(places, start)
    for p, year in np.argwhere((high > low) & np.isfinite(high)):
        columns, weights = [choices.entrants[p, year], factor], [1.0, -places[p, year]]
        choices.row(np.array(columns), np.array(weights), -np.inf, -choices.planned[p, year])
        high[p, year] = np.inf
    programme = linear_programme(choices)
    programme.set_columns(choices.entrants.ravel(), low.ravel(), high.ravel())
    most = best(programme, asked, target.direction, choices.n_columns)
    if np.isnan(most) or not target.is_met(most):
        return _row(SEATS, np.nan, most, target)
    choices.require(asked.short_of(target.value), target.direction)
    programme = linear_programme(choices)
    programme.set_columns(choices.entrants.ravel(), low.ravel(), high.ravel())
    programme.set_cost(np.array([factor]), np.ones(1))
    found = programme.solve()
    if found.status != OPTIMAL:
        return _row(SEATS, np.nan, most, target)
    return _row(SEATS, found.columns[factor], asked.at(found.columns), target)


def _shorter(projection: Projection, aim: Aim, seats: Seats, start: int) -> dict[str, Any]:
    """Try programmes that are shorter by one step, two steps, ... for whoever enters from now on.

    The shorter ones are copies of the programmes; nobody enters the long ones any more.
    """
    pipeline = projection.pipeline
    n, k = pipeline.n_programmes, pipeline.steps_per_year
    twice = replace(aim, programmes=np.tile(aim.programmes, 2))
    longest = int(pipeline.length.max(initial=1))
    attained = np.nan
    for steps in range(1, longest):
        copies = _with_copies(projection, np.maximum(pipeline.length - steps, 1))
        choices, (asked,) = asked_of(copies, [twice])
        programme = linear_programme(choices)
        low, high = choices.bounds(np.tile(seats.path(start, choices.n_years), (2, 1)), start)
        high[:n] = low[:n]
        programme.set_columns(choices.entrants.ravel(), low.ravel(), high.ravel())
        attained = best(programme, asked, aim.target.direction, choices.n_columns)
        if not np.isnan(attained) and aim.target.is_met(attained):
            return _row(SHORTER, steps / k, attained, aim.target)
    return _row(SHORTER, np.nan, attained, aim.target)


def _with_copies(projection: Projection, length: Array) -> Projection:
    """Return the projection with each programme once more, of another length, without entrants."""
    p = projection.pipeline
    counts = np.diff(p.place_indptr)
    pipeline = replace(
        p,
        programmes=pl.concat([p.programmes, p.programmes]),
        intake=np.vstack([p.intake, np.zeros_like(p.intake)]),
        length=np.concatenate([p.length, length]),
        completion=np.tile(p.completion, 2),
        source=np.tile(p.source, 2),
        place_indptr=np.concatenate([[0], np.cumsum(np.tile(counts, 2))]),
        place_cell=np.tile(p.place_cell, 2),
        place_share=np.tile(p.place_share, 2),
        training=np.vstack([p.training, np.zeros_like(p.training)]),
    )
    return replace(projection, pipeline=pipeline)


def counted_years(years: float) -> str:
    """Return `1 year`, `1.25 years`."""
    return f"{years:.3g} year{'' if years == 1 else 's'}"


def _told(row: dict[str, Any]) -> str:
    if row["change"] == "none":
        reached = "nothing to compare" if row["attainable"] is None else amount(row["attainable"])
        end = "enough" if row["is_met"] else "not enough"
        return f"the seats and programmes there are: {reached}, {end}."
    if row["change"] == SEATS:
        if row["is_met"]:
            return f"{row['amount']:,.4g} times the seats would do."
        return "no number of seats would do."
    if row["change"] == SHORTER:
        if row["is_met"]:
            years = counted_years(row["amount"])
            return f"all programmes shorter by {years} would do (none below a step)."
        if row["attainable"] is None:
            return "programmes are as short as they can be."
        return f"with programmes as short as can be: {amount(row['attainable'])}, not enough."
    end = "enough" if row["is_met"] else "not enough"
    return f"with upskilling beside them: {amount(row['attainable'])}, {end}."
