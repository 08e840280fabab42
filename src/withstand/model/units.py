"""Periods and durations: `12w` and `3 months` become periods of the network, once."""

from __future__ import annotations

import re

from withstand.errors import UsageError

PERIODS_PER_YEAR = {"day": 365.0, "week": 52.0, "month": 12.0, "quarter": 4.0, "year": 1.0}

HOURS_PER_YEAR = 1650.0
"""Hours one person works in a year, where nobody says."""
_UNITS = {
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "wk", "week", "weeks"), "week"),
    **dict.fromkeys(("m", "mo", "month", "months"), "month"),
    **dict.fromkeys(("q", "quarter", "quarters"), "quarter"),
    **dict.fromkeys(("y", "a", "yr", "year", "years"), "year"),
}
_BETWEEN_DAYS_AND_WEEKS = {("week", "day"): 7.0, ("day", "week"): 1.0 / 7.0}
"""Two weeks are fourteen days, though 52 weeks of 7 days miss the year by one day."""
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)\s*\Z", re.IGNORECASE)
_SHARE = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(%?)\s*\Z")


def periods_of(duration: str | float, period: str) -> float:
    """Return a duration in periods of the network.

    Parameters
    ----------
    duration : str or float
        A number is already in periods; text carries a unit: "12w", "3 months", "1.5 y".
    period : {"day", "week", "month", "quarter", "year"}
        Period of the network (52 weeks and 365 days to a year, 7 days to a week).

    Raises
    ------
    UsageError
        If the text is no duration or the number is negative.

    Examples
    --------
    >>> periods_of("3 months", "week")
    13.0
    >>> periods_of("2w", "day")
    14.0
    >>> periods_of(8, "week")
    8.0
    """
    if isinstance(duration, str):
        match = _DURATION.match(duration)
        unit = match.group(2).lower() if match else ""
        if match is None or (unit and unit not in _UNITS):
            raise UsageError(
                f"'{duration[:40]}' is not a duration. Write a number with d, w, m or y: '12w'."
            )
        number = float(match.group(1))
        value = number * _periods_in(_UNITS[unit], period) if unit else number
    else:
        value = float(duration)
    if not 0 <= value < 1e6:
        raise UsageError(
            f"A duration of {str(duration)[:40]} is not possible: it must be 0 or more."
        )
    return value


def _periods_in(unit: str, period: str) -> float:
    """Return how many periods of a network one day, week, month, quarter or year is."""
    by_year = PERIODS_PER_YEAR[period] / PERIODS_PER_YEAR[unit]
    return _BETWEEN_DAYS_AND_WEEKS.get((unit, period), by_year)


def share_of(text: str | float) -> float:
    """Return a share between 0 and 1 from `50%`, `0.5` or a number.

    Raises
    ------
    UsageError
        If it is no number or lies outside 0 to 1.

    Examples
    --------
    >>> share_of("50%")
    0.5
    """
    if isinstance(text, str):
        match = _SHARE.match(text)
        if match is None:
            raise UsageError(f"'{text[:40]}' is not a share. Write 0.5 or 50%.")
        value = float(match.group(1)) / (100.0 if match.group(2) else 1.0)
    else:
        value = float(text)
    if not 0.0 <= value <= 1.0:
        raise UsageError(
            f"A share of {str(text)[:40]} is not possible: it lies between 0 and 1 (or 100%)."
        )
    return value
