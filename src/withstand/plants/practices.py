"""Practice, productivity, capacity, and more practice: the circle, year by year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.option import Effect, Option
from withstand.model.units import PERIODS_PER_YEAR
from withstand.plants.number_checks import label_in, number, numbers_of, whole

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.plants.learning import LearningCurve

Array = np.ndarray
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Practice:
    """Years of learning by doing.

    Parameters
    ----------
    curve : LearningCurve
        Of the hours per unit.
    year : ndarray of int64, shape (years,)
    hours, demand, limit, output : ndarray of float64, shape (years,)
        Hours there are; units asked for, that other means allow, and that were made, per year.
    experience : ndarray of float64, shape (years + 1,), units
        At the start of each year and after the last one.
    hours_at_start, hours_mean : ndarray of float64, shape (years,), hours per unit
    bound_by : tuple of str
        "hours", "demand" or "limit", a year.
    """

    curve: LearningCurve
    year: Array
    hours: Array
    demand: Array
    limit: Array
    output: Array
    experience: Array
    hours_at_start: Array
    hours_mean: Array
    bound_by: tuple[str, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return one row a year; `limit` is null where there is none."""
        limit = pl.Series("limit", self.limit)
        return pl.DataFrame(
            {
                "year": self.year,
                "experience": self.experience[:-1],
                "hours_per_unit_at_start": self.hours_at_start,
                "hours_per_unit": self.hours_mean,
                "hours": self.hours,
                "hours_used": self.hours_mean * self.output,
                "demand": self.demand,
                "limit": limit.set(limit.is_infinite(), None),
                "output": self.output,
                "unmet": np.maximum(self.demand - self.output, 0.0),
                "bound_by": list(self.bound_by),
            }
        )

    def first_year_met(self) -> int | None:
        """Return the first year from which demand is met to the end, None if it never is."""
        met = self.output >= self.demand * (1 - 1e-9)
        missed = np.flatnonzero(~met)
        if not len(missed):
            return int(self.year[0])
        return None if missed[-1] == len(met) - 1 else int(self.year[missed[-1] + 1])

    def summary(self) -> str:
        """Return one sentence."""
        first, last = self.hours_at_start[0], self.hours_mean[-1]
        met = self.first_year_met()
        when = f"demand is met from {met} on" if met is not None else "demand is not met for good"
        return (
            f"From {self.year[0]} to {self.year[-1]} a unit comes to take {last:.4g} hours in place"
            f" of {first:.4g}; output goes from {self.output[0]:,.4g} to {self.output[-1]:,.4g} a"
            f" year, and {when}."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Practice: {self.summary()}>"


def practice(
    curve: LearningCurve,
    *,
    hours: object,
    demand: object,
    years: int | None = None,
    limit: object = None,
    experience: float | None = None,
    forgetting: float = 0.0,
    first_year: int = 1,
    within_years: bool = True,
) -> Practice:
    """Play the circle of practice: what is made lowers the hours per unit, so more can be made.

    In each year output is the least of demand, what the hours make, and the limit of other means;
    experience then is (1 - forgetting) (experience + output).

    Parameters
    ----------
    curve : LearningCurve
        Hours per unit against experience.
    hours : float or sequence, shape (years,), hours per year
        Skilled hours there are.
    demand : float or sequence, shape (years,), units per year
    years : int, optional
        Needed where all are single numbers.
    limit : float or sequence, optional, units per year
        Most that machines or materials allow.
    experience : float, optional, units
        Made before; default `curve.at`.
    forgetting : float, 0 to 1, per year
        Share of experience lost at the end of each year.
    first_year : int
    within_years : bool
        Whether people learn from unit to unit (the hours of a year are the integral of the curve),
        or the hours per unit of a year are those at its start, as in `practice_option`.

    Returns
    -------
    Practice

    Raises
    ------
    UsageError
        If a number cannot be, or lengths differ.

    Notes
    -----
    With hours H a year, no other bound and no forgetting, Q(t)^(1-b) = Q(0)^(1-b) +
    (1-b) H t / (first at^b): output grows without end while b > 0.

    References
    ----------
    Arrow (1962), Review of Economic Studies 29(3). Argote, Beckman & Epple (1990), Management
    Science 36(2), for forgetting.

    Examples
    --------
    100 hours make 10 units at 10 hours; then 20 have been made, and a unit takes 8.

    >>> from withstand.plants.learning import learning_curve
    >>> curve = learning_curve(10.0, at=10.0, progress_ratio=.8)
    >>> practice(curve, hours=100, demand=50, years=2, within_years=False).output.tolist()
    [10.0, 12.5]
    """
    rows = [numbers_of("hours", hours), numbers_of("demand", demand)]
    rows.append(numbers_of("limit", limit) if limit is not None else np.array([np.inf]))
    lengths = {len(row) for row in rows if len(row) > 1}
    n = whole("years", years, low=1, high=1000) if years is not None else max(lengths, default=0)
    if n == 0:
        raise UsageError("Say how many years, or give hours or demand year by year.")
    if lengths - {n}:
        raise UsageError(f"hours, demand and limit must be single or have {n} years.")
    work, wanted, most = (np.broadcast_to(row, n).copy() for row in rows)
    made_before = curve.at if experience is None else number("experience", experience, above=True)
    lost = number("forgetting", forgetting, high=0.999999)
    known = np.append(made_before, np.empty(n))
    output, mean, bound_by = np.empty(n), np.empty(n), []
    for t in range(n):
        at_start = float(curve.cost(known[t])[0])
        can = curve.units_for(known[t], work[t]) if within_years else work[t] / at_start
        bounds = {"demand": wanted[t], "limit": most[t], "hours": can}
        bound_by.append(min(bounds, key=lambda k: bounds[k]))
        output[t] = min(bounds.values())
        mean[t] = curve.mean(known[t], known[t] + output[t]) if within_years else at_start
        known[t + 1] = (1.0 - lost) * (known[t] + output[t])
    return Practice(
        curve=curve,
        year=first_year + np.arange(n),
        hours=work,
        demand=wanted,
        limit=most,
        output=output,
        experience=known,
        hours_at_start=curve.cost(known[:-1]),
        hours_mean=mean,
        bound_by=tuple(bound_by),
    )


def practice_option(
    network: ProductionNetwork,
    node: str,
    inputs: str | Sequence[str],
    run: Practice,
    *,
    label: str = "",
    cost_once: float = 0.0,
    cost_per_period: float = 0.0,
) -> Option:
    """Return learning by doing as an option: the hours per unit of a node fall year by year.

    From the start of year t on the recipe's hours are those at rest times hours per unit at the
    start of year t / hours per unit at the start of the first year. The option holds the path of
    `run`, whatever is made in the end: it is as good as the outputs it was made with.

    Parameters
    ----------
    network : ProductionNetwork
    node : str
    inputs : str or sequence of str
        Products whose hours per unit fall together.
    run : Practice
    label : str
    cost_once, cost_per_period : float, currency

    Returns
    -------
    Option
        Of kind "train"; `apply(network, [option], at_period=t)` shows the network after t periods.

    Raises
    ------
    UsageError
        If a label is not there, or the node does not use an input.

    Examples
    --------
    >>> from withstand.examples import example
    >>> from withstand.plants.learning import learning_curve
    >>> run = practice(learning_curve(10.0, at=10.0, progress_ratio=.8), hours=100, demand=50,
    ...                years=2, within_years=False)
    >>> option = practice_option(example("robot_maker"), "ARM@HOME", "SK_ASM", run)
    >>> [(e.from_period, round(e.amount, 6)) for e in option.effects]
    [(52.0, 0.8)]
    """
    at = label_in(network, "nodes", node)
    wanted = [inputs] if isinstance(inputs, str) else list(inputs)
    own = slice(network.inputs_indptr[at], network.inputs_indptr[at + 1])
    used = network.product_labels[network.input_product[own]].tolist()
    for product in wanted:
        label_in(network, "products", product)
        if product not in used:
            raise UsageError(f"{node} does not use {product}; it uses {', '.join(used[:20])}.")
    year = PERIODS_PER_YEAR[network.settings.period]
    ratio = run.hours_at_start[1:] / run.hours_at_start[:-1]
    return Option(
        label=label or f"PRACTICE_{node}",
        kind="train",
        cost_once=cost_once,
        cost_per_period=cost_per_period,
        effects=tuple(
            Effect(
                effect="change_recipe",
                buyer=node,
                input=product,
                amount=float(factor),
                mode="scale",
                from_period=year * (t + 1),
            )
            for t, factor in enumerate(ratio)
            for product in wanted
            if abs(factor - 1.0) > _TINY
        ),
    )
