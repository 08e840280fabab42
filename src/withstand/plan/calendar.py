"""Years, periods and starts: when an option that was started is in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from withstand.errors import UsageError
from withstand.model.units import PERIODS_PER_YEAR

Array = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The horizon of a plan.

    Parameters
    ----------
    years : int
        Options may start at the beginning of each of these years.
    per_year : float
        Periods of the network in a year.
    onsets : tuple of float, years
        When scenarios may strike, counted from now.
    discount : float, per year
        Rate at which later costs and losses count less.
    """

    years: int
    per_year: float
    onsets: tuple[float, ...]
    discount: float = 0.0

    def factor(self, year: float) -> float:
        """Return what a unit of money in some year is worth now."""
        return float((1.0 + self.discount) ** -year)

    def periods_in(self, year: int, since: float) -> float:
        """Return the periods of a year that lie after `since` (periods from now)."""
        start, end = year * self.per_year, (year + 1) * self.per_year
        return max(0.0, end - max(start, since))


def calendar_of(
    period: str, years: int, onsets: Sequence[float] | None, discount: float
) -> Calendar:
    """Return the calendar; by default a scenario may strike in the middle of each year.

    Raises
    ------
    UsageError
        If a number is not possible.

    Examples
    --------
    >>> calendar_of("week", 2, None, 0.0).onsets
    (0.5, 1.5)
    """
    is_whole = isinstance(years, int | np.integer) and not isinstance(years, bool)
    if not is_whole or not 1 <= years <= 50:
        raise UsageError(f"horizon must be a whole number of years from 1 to 50, not {years!r}.")
    if not 0.0 <= discount < 1.0:
        raise UsageError(f"discount must be at least 0 and below 1 a year, not {discount!r}.")
    try:
        given = [y + 0.5 for y in range(years)] if onsets is None else onsets
        struck = tuple(float(o) for o in given)
    except (TypeError, ValueError):
        struck = ()
    if not struck or not all(0.0 <= o < 100.0 for o in struck) or len(set(struck)) < len(struck):
        raise UsageError(
            f"onsets must be different years from now, at least one, not {str(onsets)[:40]}."
        )
    return Calendar(
        years=int(years), per_year=PERIODS_PER_YEAR[period], onsets=struck, discount=discount
    )
