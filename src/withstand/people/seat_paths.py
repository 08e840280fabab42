"""Places of programmes year by year, if their growth begins in some year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.errors import UsageError
from withstand.model.encoding import numbers
from withstand.people.building import build

if TYPE_CHECKING:
    from withstand.people.building import Built
    from withstand.people.pipelines import Pipeline
    from withstand.people.projection_results import Projection

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Seats:
    """Places of the programmes of a pipeline; P programmes, Y years.

    Parameters
    ----------
    seats : ndarray of float64, shape (P,), entrants a year
        In the first year; infinite without a limit.
    growth : ndarray of float64, shape (P,), share per year
    opens : ndarray of int64, shape (P,), years from the first one played
        First year with entrants.
    planned : ndarray of float64, shape (P, Y), entrants
    cost : ndarray of float64, shape (P,), currency per entrant
        NaN where not stated.
    """

    seats: Array
    growth: Array
    opens: Array
    planned: Array
    cost: Array

    def path(self, start: int, n_years: int) -> Array:
        """Return the places of each year if growth begins in year `start`, shape (P, n_years).

        They are the seats up to that year and grow in each year after it. They are never fewer than
        the plan takes: where it takes more than the seats, it is taken to know why.
        """
        places = np.zeros((len(self.seats), n_years))
        now = self.seats.copy()
        for year in range(n_years):
            if year > start:
                now = now * (1.0 + self.growth)
            now = np.maximum(now, self.planned[:, year])
            is_open = (year >= self.opens) | (self.planned[:, year] > 0)
            places[:, year] = np.where(is_open, now, 0.0)
        return places


def seats_of(projection: Projection, source: Any, programmes: Any, period: str) -> Seats:
    """Return the places of the programmes of a projection, out of the tables it was made from.

    Raises
    ------
    UsageError
        If there is no source, or its programmes are others.
    """
    pipeline = projection.pipeline
    if source is None:
        raise UsageError(
            "Seats and their growth stand in the tables that the projection was made from: give "
            "them as source."
        )
    built = build(
        source,
        programmes,
        projection.years.tolist(),
        steps_per_year=pipeline.steps_per_year,
        period=period,
    )
    if not built.pipeline.programmes.equals(pipeline.programmes):
        raise UsageError(
            "The source has other programmes than the projection. Give the tables (and programmes) "
            "that it was made from."
        )
    return seats_of_built(built, pipeline)


def seats_of_built(built: Built, pipeline: Pipeline) -> Seats:
    """Return the places of the programmes of a pipeline that was built from tables."""
    first = int(pipeline.first_year)
    return Seats(
        seats=np.where(np.isnan(built.seats), np.inf, built.seats),
        growth=_of_rows(built, "seat_growth", 0.0),
        opens=np.maximum(_of_rows(built, "first_year", float(first)) - first, 0).astype(np.int64),
        planned=_of_years(pipeline.intake, pipeline.steps_per_year),
        cost=built.cost,
    )


def _of_rows(built: Built, column: str, default: float) -> Array:
    """Return a column of the table of programmes for each programme of the pipeline."""
    if "programmes" not in built.tables.frames:
        return np.zeros(0)
    frame = built.tables.frames["programmes"]
    values = dict(zip(frame["programme"], numbers(frame, column, default), strict=True))
    labels = built.pipeline.programmes["programme"]
    return np.array([values[label] for label in labels], dtype=np.float64)


def _of_years(intake: Array, k: int) -> Array:
    return np.asarray(intake.reshape(len(intake), intake.shape[1] // k, k).sum(axis=2))
