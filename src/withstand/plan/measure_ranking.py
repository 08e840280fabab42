"""Train, robotise, work longer or buy: measures against a lack of people, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.encoding import encode, numbers
from withstand.plan.given import size_limit
from withstand.plan.measure_hours import hours_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.people.projection_results import Projection

Array = np.ndarray
SMALLEST = 1e-9
"""Hours a year below which a measure brings none."""
BY_WAGE = ("train",)
"""Kinds whose cost holds no pay for the hours they bring: who is trained is paid as all others."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasureRanking:
    """Measures against the gaps of a projection, each alone and started at once.

    Parameters
    ----------
    rows : DataFrame
        As `to_frame` returns it.
    by_year : DataFrame
        measure, skill, year, added (hours people bring), freed (hours recipes no longer take;
        below 0: that they take more), gap, closed [hours per year].
    """

    rows: pl.DataFrame
    by_year: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Return a row a measure, the least net cost per closed hour first.

        measure, kind, skill (of which it brings most), size, first_year (with hours), hours (in the
        year asked for), closed (hours of gaps, all years), cost (by the horizon),
        wages_spared (pay for hours that the cost holds, or that nobody works), net_cost (cost -
        wages_spared), cost_per_hour and net_per_hour (of closed hours; empty where none is closed),
        needs (what it draws: once, and hours of other skills in the year asked for).
        """
        return self.rows

    def of_skill(self, skill: str) -> pl.DataFrame:
        """Return the rows of measures for one skill."""
        return self.rows.filter(pl.col("skill") == skill)

    def __repr__(self) -> str:
        """Return one line."""
        best = self.rows.drop_nulls("net_per_hour")
        if not best.height:
            return f"<MeasureRanking: none of {self.rows.height} measures closes a gap>"
        name, cost = best.select("measure", "net_per_hour").row(0)
        return (
            f"<MeasureRanking: {self.rows.height} measures, cheapest {name} ({cost:,.4g} an hour)>"
        )


def rank_measures(
    network: ProductionNetwork,
    options: Sequence[Option],
    projection: Projection,
    *,
    year: int | None = None,
    sizes: Mapping[str, float] | None = None,
) -> MeasureRanking:
    """Set measures against a lack of people side by side: when, how many hours, at what cost.

    Each starts alone with the first year of the projection, at full size. Its hours close the gap
    of their skill as far as there is one in that year. An hour that people work is paid, whoever
    they are: the cost of training holds no wages, that of overtime and of bought hours holds all,
    and the hours that robots free need none. To compare them, `net_cost` takes from the cost the
    wages of the hours that are paid in it or that nobody works; the usual wage is due on top of it
    for all measures alike.

    Parameters
    ----------
    network : ProductionNetwork
        At the largest planned output, with the options' nodes: `projection.network(...)` or
        `staffing(...).network`.
    options : sequence of Option
    projection : Projection
        With needs; of the occupations that supply the skills.
    year : int, optional
        Whose hours are shown; default: the last.
    sizes : mapping of str to float, optional
        Size of continuous options by label; default: their limit.

    Returns
    -------
    MeasureRanking

    Raises
    ------
    UsageError
        If no need is known, no occupation supplies a product, or year or size is not possible.

    Notes
    -----
    Hours beyond a gap close nothing, but cost and (freed or paid for) spare their wages all the
    same. Running cost counts from readiness to the end of the projection, without interest, as in a
    plan. Hours of a skill that does not bind close a gap and yet make no output: `plan.solve` sees
    that, this table does not.

    Examples
    --------
    A tenth of the grinders' hours as overtime, at half as much again as their wage of 36.

    >>> from withstand.examples import example
    >>> from withstand.people import project
    >>> from withstand.plan.hours_options import extra_hours
    >>> net = example("robot_maker").under_rule("shared")
    >>> found = project(net, years=[2026, 2027], output=[1, 1.5])
    >>> more = extra_hours(net, "SK_GRIND", 0.1 * 33 * 1650 / 52, pay=1.5)
    >>> ranking = rank_measures(found.network(net), [more], found)
    >>> [round(x, 2) for x in ranking.rows.select("closed", "cost_per_hour", "net_per_hour").row(0)]
    [10890.0, 53.93, 17.98]
    """
    years = projection.years
    shown = int(years[-1]) if year is None else year
    if shown not in years:
        raise UsageError(f"year must be one of {years[0]} to {years[-1]}, not {shown}.")
    skills, gap, wage = _skills(network, projection)
    of_period = np.arange(round(len(years) * projection.per_year)) // projection.per_year
    of_year = of_period.astype(np.int64)
    factor = (projection.output[:-1] / projection.output[:-1].max())[of_year]
    rows, parts = [], []
    for option in options:
        size = _size(option, sizes or {})
        hours = hours_of(option, network, skills, factor)
        added, freed = (_by_year(size * x, of_year, len(years)) for x in hours)
        closed = np.minimum(np.maximum(added + freed, 0.0), gap)
        rows.append(
            _row(option, size, skills, network, projection, added, freed, closed, wage,
                 int(np.flatnonzero(years == shown)[0]))
        )  # fmt: skip
        parts.append(_long(option, skills, network, years, added, freed, gap, closed))
    return MeasureRanking(
        rows=pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort(
            "net_per_hour", nulls_last=True, maintain_order=True
        ),
        by_year=pl.concat(parts) if parts else pl.DataFrame(schema=_BY_YEAR),
    )


_SCHEMA = {
    "measure": pl.String,
    "kind": pl.String,
    "skill": pl.String,
    "size": pl.Float64,
    "first_year": pl.Int64,
    "hours": pl.Float64,
    "closed": pl.Float64,
    "cost": pl.Float64,
    "wages_spared": pl.Float64,
    "net_cost": pl.Float64,
    "cost_per_hour": pl.Float64,
    "net_per_hour": pl.Float64,
    "needs": pl.String,
}
_BY_YEAR = {
    "measure": pl.String,
    "skill": pl.String,
    "year": pl.Int64,
    "added": pl.Float64,
    "freed": pl.Float64,
    "gap": pl.Float64,
    "closed": pl.Float64,
}


def _skills(network: ProductionNetwork, projection: Projection) -> tuple[Array, Array, Array]:
    """Return the products that people supply, their gaps and the wage of an hour.

    Returns
    -------
    skills : ndarray of int64, shape (S,)
    gap : ndarray of float64, shape (S, years), hours per year
    wage : ndarray of float64, shape (S,), currency per hour; NaN where not known
    """
    if projection.needed is None:
        raise UsageError("No need is known, so there is no gap to close. Project with needs.")
    product = encode(network.tables["products"]["product"], projection.groups["product"])
    skills = np.unique(product[product >= 0])
    if len(skills) == 0:
        raise UsageError(
            "No occupation supplies a product of the network: fill the column product of the "
            "table of occupations."
        )
    each = projection.groups["hours"].to_numpy()
    missing = np.maximum(projection.needed[:-1] - projection.people, 0.0) * each
    gap = np.array([missing[:, product == p].sum(axis=1) for p in skills])
    return skills, gap, _wages(network, projection, skills, product, each)


def _wages(
    network: ProductionNetwork, projection: Projection, skills: Array, product: Array, each: Array
) -> Array:
    """Return the wage of an hour of each skill: the mean over its people."""
    frame = network.tables.get("occupations")
    if frame is None or "wage" not in frame.columns:
        return np.full(len(skills), np.nan)
    wage = numbers(frame, "wage")
    of = encode(frame["occupation"], projection.groups["occupation"])
    an_hour = np.divide(
        np.where(of >= 0, wage[of], np.nan), each, out=np.full(len(of), np.nan), where=each > 0
    )
    weight = np.maximum(projection.people[0], SMALLEST)
    found = np.full(len(skills), np.nan)
    for s, p in enumerate(skills):
        own = (product == p) & ~np.isnan(an_hour)
        if own.any():
            found[s] = np.average(an_hour[own], weights=weight[own])
    return found


def _size(option: Option, sizes: Mapping[str, float]) -> float:
    limit = size_limit(option) or 1.0
    size = float(sizes.get(option.label, limit))
    if not 0 <= size <= limit * (1 + SMALLEST):
        raise UsageError(f"size of {option.label} must be from 0 to {limit:g}, not {size:g}.")
    return size


def _by_year(hours: Array, of_year: Array, n_years: int) -> Array:
    """Add up periods (the last axis) to years."""
    return np.array([np.bincount(of_year, x, n_years) for x in hours])


def _row(
    option: Option,
    size: float,
    skills: Array,
    network: ProductionNetwork,
    projection: Projection,
    added: Array,
    freed: Array,
    closed: Array,
    wage: Array,
    at: int,
) -> tuple[Any, ...]:
    labels = network.product_labels[skills]
    gained = added + freed
    total = gained.sum(axis=1)
    main = int(np.argmax(total)) if (total > SMALLEST).any() else -1
    first = np.flatnonzero(gained[max(main, 0)] > SMALLEST)
    length = len(projection.years) * projection.per_year
    cost = option.cost_once + option.cost_per_period * max(0.0, length - option.ready_periods)
    spared = np.maximum(freed, 0.0).sum(axis=1)
    if option.kind not in BY_WAGE:
        spared = spared + np.maximum(added, 0.0).sum(axis=1)
    has = spared > 0
    wages = float(spared[has] @ wage[has])  # NaN where the wage of an hour is not known
    net, hours = size * cost - wages, float(closed.sum())
    is_closing = hours > SMALLEST
    return (
        option.label,
        option.kind,
        str(labels[main]) if main >= 0 else None,
        size,
        int(projection.years[first[0]]) if len(first) else None,
        float(gained[main, at]) if main >= 0 else 0.0,
        hours,
        size * cost,
        None if np.isnan(wages) else wages,
        None if np.isnan(net) else net,
        size * cost / hours if is_closing else None,
        net / hours if is_closing and not np.isnan(net) else None,
        _needs(option, size, labels, gained[:, at]),
    )


def _needs(option: Option, size: float, labels: Array, gained: Array) -> str:
    """Return what a measure draws once, and the hours of other skills it takes in a year."""
    once = [f"{size * u.quantity:,.6g} {u.product}" for u in option.uses if u.quantity]
    taken = [
        f"{-x:,.6g} h {label} a year"
        for label, x in zip(labels, gained, strict=True)
        if x < -SMALLEST
    ]
    return ", ".join([*once, *taken])


def _long(
    option: Option,
    skills: Array,
    network: ProductionNetwork,
    years: Array,
    added: Array,
    freed: Array,
    gap: Array,
    closed: Array,
) -> pl.DataFrame:
    """Return a row for each skill that a measure touches and year."""
    touched = np.flatnonzero((added != 0).any(axis=1) | (freed != 0).any(axis=1))
    n = len(years)
    return pl.DataFrame(
        {
            "measure": [option.label] * (n * len(touched)),
            "skill": np.repeat(network.product_labels[skills[touched]], n).tolist(),
            "year": np.tile(years, len(touched)),
            "added": added[touched].ravel(),
            "freed": freed[touched].ravel(),
            "gap": gap[touched].ravel(),
            "closed": closed[touched].ravel(),
        },
        schema=_BY_YEAR,
    )
