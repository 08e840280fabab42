"""Factors from the unit a file states to the unit a column of ours has."""

from __future__ import annotations

from withstand.model.units import PERIODS_PER_YEAR, periods_of
from withstand.readers.mapping.evidence import TIMES, is_currency

AMOUNTS = {
    "kg": ("mass", 1.0),
    "g": ("mass", 0.001),
    "t": ("mass", 1000.0),
    "lb": ("mass", 0.45359237),
    "m": ("length", 1.0),
    "mm": ("length", 0.001),
    "cm": ("length", 0.01),
    "km": ("length", 1000.0),
    "hour": ("time of work", 1.0),
    "minute": ("time of work", 1.0 / 60.0),
    "piece": ("count", 1.0),
}
"""Plain units of amounts: what they measure, and how much of the first unit of that kind."""
TIMES_OVER = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_HOURS_A_DAY = 24.0


def time_factor(unit: str, period: str) -> float | None:
    """Return how many periods one unit of time is, None for what is no unit of time.

    Examples
    --------
    >>> time_factor("day", "week") * 14, time_factor("week", "week"), time_factor("kg", "week")
    (2.0, 1.0, None)
    """
    if unit == "hour":
        return periods_of("1d", period) / _HOURS_A_DAY
    return periods_of(f"1 {unit}", period) if unit in TIMES else None


def rate_factor(unit: str, period: str) -> float | None:
    """Return what turns an amount in `1/year` or `thousand piece/month` into one per period.

    Examples
    --------
    >>> rate_factor("1/year", "week") * 52, rate_factor("thousand piece/week", "week")
    (1.0, 1000.0)
    >>> rate_factor("kg", "week") is None
    True
    """
    amount, _, time = unit.partition("/")
    if not time and amount in PERIODS_PER_YEAR:  # "Capacity (year)"
        amount, time = "1", amount
    if time not in PERIODS_PER_YEAR:
        return None
    if (time, period) in {("day", "week"), ("week", "day")}:
        factor = 1.0 / periods_of(f"1 {time}", period)
    else:
        factor = PERIODS_PER_YEAR[time] / PERIODS_PER_YEAR[period]
    return factor * TIMES_OVER.get(amount.split()[0], 1.0)


def rate_time(unit: str) -> str | None:
    """Return the time of a rate with nothing before it that counts: `1/year` is per year."""
    amount, _, time = unit.partition("/")
    if not time and amount in PERIODS_PER_YEAR:
        return amount
    return time if amount.split()[0] not in TIMES_OVER and time in PERIODS_PER_YEAR else None


def amount_factor(unit: str, other: str) -> float | None:
    """Return how many of `other` one `unit` is, None where they measure different things.

    Examples
    --------
    >>> amount_factor("t", "kg"), amount_factor("g", "kg"), amount_factor("kg", "piece")
    (1000.0, 0.001, None)
    """
    if unit == other:
        return 1.0
    one, two = AMOUNTS.get(unit), AMOUNTS.get(other)
    if one is None or two is None or one[0] != two[0]:
        return None
    return one[1] / two[1]


def currency_of(unit: str) -> tuple[str | None, float, str | None]:
    """Return currency, factor and amount of a unit of money: `thousand EUR/kg`.

    Examples
    --------
    >>> currency_of("EUR"), currency_of("thousand USD"), currency_of("EUR/kg"), currency_of("kg")
    (('EUR', 1.0, None), ('USD', 1000.0, None), ('EUR', 1.0, 'kg'), (None, 1.0, None))
    """
    money, _, amount = unit.partition("/")
    if " or " in money:  # "¥": nobody can tell
        return money, 1.0, amount or None
    *times, name = money.split() or [""]
    if not is_currency(name):
        return None, 1.0, None
    return name, TIMES_OVER.get(times[0], 1.0) if times else 1.0, amount or None
