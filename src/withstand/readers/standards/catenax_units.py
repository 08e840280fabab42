"""Units of items in Catena-X (unit catalogue of SAMM): what they measure, how large they are."""

from __future__ import annotations

UNITS: dict[str, tuple[str, float, str]] = {
    "piece": ("count", 1.0, "piece"),
    "set": ("sets", 1.0, "set"),
    "pair": ("count", 2.0, "pair"),
    "page": ("pages", 1.0, "page"),
    "cycle": ("cycles", 1.0, "cycle"),
    "kilowattHour": ("energy", 1.0, "kWh"),
    "gram": ("mass", 1e-3, "g"),
    "kilogram": ("mass", 1.0, "kg"),
    "tonneMetricTon": ("mass", 1e3, "t"),
    "tonUsOrShortTonUkorus": ("mass", 907.18474, "short ton"),
    "ounceAvoirdupois": ("mass", 0.028349523125, "oz"),
    "pound": ("mass", 0.45359237, "lb"),
    "metre": ("length", 1.0, "m"),
    "centimetre": ("length", 1e-2, "cm"),
    "kilometre": ("length", 1e3, "km"),
    "inch": ("length", 0.0254, "in"),
    "foot": ("length", 0.3048, "ft"),
    "yard": ("length", 0.9144, "yd"),
    "squareCentimetre": ("area", 1e-4, "cm2"),
    "squareMetre": ("area", 1.0, "m2"),
    "squareInch": ("area", 0.00064516, "in2"),
    "squareFoot": ("area", 0.09290304, "ft2"),
    "squareYard": ("area", 0.83612736, "yd2"),
    "cubicCentimetre": ("volume", 1e-6, "cm3"),
    "cubicMetre": ("volume", 1.0, "m3"),
    "cubicInch": ("volume", 1.6387064e-5, "in3"),
    "cubicFoot": ("volume", 0.028316846592, "ft3"),
    "cubicYard": ("volume", 0.764554857984, "yd3"),
    "litre": ("volume", 1e-3, "l"),
    "millilitre": ("volume", 1e-6, "ml"),
    "hectolitre": ("volume", 0.1, "hl"),
    "secondUnitOfTime": ("time", 1.0, "s"),
    "minuteUnitOfTime": ("time", 60.0, "min"),
    "hourUnitOfTime": ("time", 3600.0, "h"),
    "day": ("time", 86400.0, "day"),
}
"""Unit to what it measures, how many of the base unit it is, and its sign for people.

All units of `ItemUnitEnumeration` (urn:samm:io.catenax.shared.quantity:2.0.0); the customary units
are exact by the international yard and pound agreement of 1959.
"""


def factor(unit: str, other: str) -> float | None:
    """Return how many of the other unit one unit is, None where they measure different things.

    Examples
    --------
    >>> factor("gram", "kilogram"), factor("pair", "piece"), factor("piece", "kilogram") is None
    (0.001, 2.0, True)
    """
    if unit == other:
        return 1.0
    if unit not in UNITS or other not in UNITS or UNITS[unit][0] != UNITS[other][0]:
        return None
    return UNITS[unit][1] / UNITS[other][1]
