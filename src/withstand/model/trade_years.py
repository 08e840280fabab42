"""The years that a question about trade is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from withstand.errors import UsageError
from withstand.model.findings import shorten


def asked_years(years: int | Iterable[int]) -> tuple[int, ...]:
    """Return years in order, each once, from one year or several, of whatever kind of number.

    Raises
    ------
    UsageError
        If it is no whole number, or none at all.

    Examples
    --------
    >>> asked_years(2022), asked_years([2021, 2019.0, 2021]), asked_years(range(2019, 2021))
    ((2022,), (2019, 2021), (2019, 2020))
    """
    given: Any = years
    one_by_one = [given] if isinstance(given, str) or not hasattr(given, "__iter__") else given
    chosen = {_year(year) for year in one_by_one}
    if not chosen:
        raise UsageError("No year is named; leave years= out for all of them.")
    return tuple(sorted(chosen))


def _year(year: Any) -> int:
    """Return a year as a whole number."""
    try:
        whole = int(year)
        is_whole = whole == year
    except (TypeError, ValueError, OverflowError):
        is_whole = False
    if not is_whole:
        raise UsageError(
            f"A year is a whole number such as 2022, or several: range(2019, 2023); not "
            f"{shorten(repr(year))}."
        )
    return whole
