"""Slow twins of what is asked of trade: loops over rows of (year, from, to, product, value)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Row = tuple[int, str, str, str, float]
NO_EXPORTS = 9999.0


def hhi(values: Iterable[float]) -> float | None:
    """Return the sum of squared shares."""
    listed = [v for v in values if v > 0]
    total = sum(listed)
    return sum((v / total) ** 2 for v in listed) if listed else None


def indicators(
    rows: list[Row],
    members: Callable[[int], set[str]],
    year: int,
    product: str,
    *,
    exports: str = "total",
    world: str = "countries",
) -> dict[str, float | None]:
    """Return every indicator of one product in one year; None where it is not defined."""
    inside = members(year)
    bought: dict[str, float] = {}
    sold_by: dict[str, float] = {}
    intra = exported = 0.0
    for when, exporter, importer, what, value in rows:
        if when != year or what != product:
            continue
        if exporter not in inside and importer in inside:
            bought[exporter] = bought.get(exporter, 0.0) + value
        if exporter in inside and importer in inside:
            intra += value
        if exporter in inside and (exports == "total" or importer not in inside):
            exported += value
        if world == "countries" or exporter not in inside:
            sold_by[exporter] = sold_by.get(exporter, 0.0) + value
        elif importer not in inside:
            sold_by["the bloc"] = sold_by.get("the bloc", 0.0) + value
    imports, world_total = sum(bought.values()), sum(sold_by.values())
    ratio = None
    if exported > 0:
        ratio = imports / exported
    elif imports > 0:
        ratio = NO_EXPORTS
    leads = None
    if bought:
        top = max(bought.values())
        most = max(sold_by.values())
        leads = float(any(v == top and sold_by.get(e) == most for e, v in bought.items()))
    return {
        "imports": imports,
        "intra_imports": intra,
        "exports": exported,
        "import_hhi": hhi(bought.values()),
        "extra_share": imports / (imports + intra) if imports + intra > 0 else None,
        "import_export_ratio": ratio,
        "world_export_hhi": hhi(sold_by.values()),
        "largest_share": max(bought.values()) / imports if bought else None,
        "world_largest_share": max(sold_by.values()) / world_total if world_total else None,
        "main_supplier_leads": leads,
    }


def ec_2021(found: dict[str, float | None]) -> bool:
    """Return whether the criteria of the European Commission hold."""
    limits = {"import_hhi": 0.4, "extra_share": 0.5, "import_export_ratio": 1.0}
    return all((found[name] or 0.0) > limit for name, limit in limits.items())


def geodep_2024(of_year: Callable[[int], dict[str, float | None]], year: int) -> bool:
    """Return whether the criteria of GeoDep hold in two of three years."""
    limits = {"import_hhi": 0.4, "world_export_hhi": 0.4, "import_export_ratio": 1.0}
    good = 0
    for when in (year - 2, year - 1, year):
        found = of_year(when)
        good += all((found[name] or 0.0) > limit for name, limit in limits.items())
    return good >= 2


def days_lost(
    lost: float, stock: float, starts: float, ramp: float, share: float, horizon: float, step: float
) -> tuple[float, float | None]:
    """Return days of use missed and the first short day, by small steps of time."""
    missed, first, day = 0.0, None, 0.0
    left = stock
    while day < horizon - step / 2:
        middle = day + step / 2
        if ramp > 0:
            closed = min(max((middle - starts) / ramp, 0.0), 1.0)
        else:
            closed = 1.0 if middle >= starts else 0.0
        gap = lost * (1 - share * closed) * step
        if gap > left + 1e-12:
            first = day if first is None else first
            missed += gap - left
        left = max(left - gap, 0.0)
        day += step
    return missed, first
