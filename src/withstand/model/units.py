"""Periods and durations: `12w` and `3 months` become periods of the network, once."""

from __future__ import annotations

import re

from withstand.errors import UsageError

PERIODS_PER_YEAR = {"day": 365.0, "week": 52.0, "month": 12.0, "quarter": 4.0, "year": 1.0}

_UNITS = {
    **dict.fromkeys(("d", "day", "days"), 365.0),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 52.0),
    **dict.fromkeys(("m", "mo", "month", "months"), 12.0),
    **dict.fromkeys(("q", "quarter", "quarters"), 4.0),
    **dict.fromkeys(("y", "a", "yr", "year", "years"), 1.0),
}
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)\s*\Z", re.IGNORECASE)
_SHARE = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(%?)\s*\Z")


def periods_of(duration: str | float, period: str) -> float:
    """Return a duration in periods of the network.

    Parameters
    ----------
    duration : str or float
        A number is already in periods; text carries a unit: "12w", "3 months", "1.5 y".
    period : {"day", "week", "month", "quarter", "year"}
        Period of the network (52 weeks and 365 days to a year).

    Raises
    ------
    UsageError
        If the text is no duration or the number is negative.

    Examples
    --------
    >>> periods_of("3 months", "week")
    13.0
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
        value = number * PERIODS_PER_YEAR[period] / _UNITS[unit] if unit else number
    else:
        value = float(duration)
    if not 0 <= value < 1e6:
        raise UsageError(f"A duration of {duration} is not possible: it must be 0 or more.")
    return value


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
        raise UsageError(f"A share of {text} is not possible: it lies between 0 and 1 (or 100%).")
    return value
