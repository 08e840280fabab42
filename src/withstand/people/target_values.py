"""What a projection says of a target's indicator: its value of each year, in all and by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.people.projection_results import SMALLEST_GAP, sums_of

if TYPE_CHECKING:
    import polars as pl

    from withstand.people.projection_results import Projection
    from withstand.people.target_tables import Aim

Array = np.ndarray


def values_of(projection: Projection, aim: Aim) -> tuple[Array, Array, pl.DataFrame]:
    """Return the indicator of a target in each year, in all and by occupation and region.

    Returns
    -------
    total : ndarray of float64, shape (Y,), people or a share
    each : ndarray of float64, shape (Y, rows)
    labels : DataFrame, shape (rows,)
        occupation and region of each row. NaN where nothing is there to take a share of.
    """
    if aim.target.indicator == "graduates":
        return _graduates(projection, aim)
    over, under = PARTS[aim.target.indicator](projection)
    over = over[:, aim.groups]
    labels = projection.groups.filter(aim.groups).select("occupation", "region")
    if under is None:
        return over.sum(axis=1), over, labels
    under = under[:, aim.groups]
    return _share(over.sum(axis=1), under.sum(axis=1)), _share(over, under), labels


def _graduates(projection: Projection, aim: Aim) -> tuple[Array, Array, pl.DataFrame]:
    counts = projection.years >= aim.since
    of_year = projection.played.graduates[:, aim.programmes] * counts[:, None]
    frame = projection.pipeline.programmes.filter(aim.programmes).select("occupation", "region")
    labels = frame.unique(maintain_order=True)
    row = {pair: k for k, pair in enumerate(labels.rows())}
    group_of = np.array([row[pair] for pair in frame.rows()], dtype=np.int64)
    each = np.cumsum(sums_of(of_year, group_of, labels.height), axis=0)
    return each.sum(axis=1), each, labels


def _people(projection: Projection) -> tuple[Array, None]:
    k = projection.pipeline.steps_per_year
    return _grouped(projection, projection.played.stock[k::k]), None


def coverage_parts(projection: Projection) -> tuple[Array, Array]:
    """Return entrants and needed entrants by year and group, shape (Y, G), people.

    As `Projection.openings`: growth + exits + transfers out + ... - transfers in - from elsewhere,
    which is the growth of the need, less that of the people at work, plus the entrants. NaN for
    occupations whose need is not known.
    """
    played, k = projection.played, projection.pipeline.steps_per_year
    entrants = _grouped(projection, played.placed + played.arrivals)
    more = _grouped(projection, played.stock[k::k] - played.stock[:-1:k])
    growth = more if projection.needed is None else np.diff(projection.needed, axis=0)
    return entrants, growth - more + entrants


def _needs_met(projection: Projection) -> tuple[Array, Array]:
    needed = needed_of(projection)
    return needed - missing_to(needed, projection.people), needed


def _vacancies(projection: Projection) -> tuple[Array, Array]:
    needed = needed_of(projection)
    without = missing_to(needed, projection.people_without)
    return without - missing_to(needed, projection.people), without


def needed_of(projection: Projection) -> Array:
    """Return the people needed of each year and group, shape (Y, G); NaN where not known."""
    if projection.needed is None:
        return np.full_like(projection.people, np.nan)
    return projection.needed[:-1]


def missing_to(needed: Array, people: Array) -> Array:
    """Return people missing to the need, none where only rounding is missing."""
    missing = needed - people
    return np.where(missing > SMALLEST_GAP * np.maximum(needed, 1.0), missing, 0.0)


PARTS = {
    "people": _people,
    "coverage": coverage_parts,
    "needs_met": _needs_met,
    "vacancies_filled": _vacancies,
}


def _grouped(projection: Projection, values: Array) -> Array:
    return sums_of(values, projection.group_of, projection.groups.height)


def _share(over: Array, under: Array) -> Array:
    is_there = under > SMALLEST_GAP
    return np.divide(over, under, out=np.full_like(over, np.nan), where=is_there)
