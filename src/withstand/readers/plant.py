"""Plant shorthand: items, recipes and suppliers (one row per item and supplier) -> our tables.

Each (item, supplier) becomes a node; recipes given per item hold for its nodes whose recipe is
known. Findings about nodes and links point at their rows in suppliers. Units stand in the headers
(`lead_time_weeks`, `capacity_per_year`, `price_usd`) and are converted once, here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.cells import by_value
from withstand.model.checks.few import first_few
from withstand.model.conforming import Conformed, conform_rows, fold_header, renamed
from withstand.model.countries import is_region_code, suggest_region
from withstand.model.findings import Finding, Origin, has_errors, listed, make_finding, nearest
from withstand.model.units import PERIODS_PER_YEAR
from withstand.readers.plant_conversion import convert
from withstand.readers.plant_tables import ITEMS, OCCUPATIONS, RECIPES, SUPPLIERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from withstand.model.settings import Settings
    from withstand.model.tables import Table
    from withstand.readers.raw import RawTable

SHORTHAND_TABLES = ("items", "suppliers")

_PER_YEAR = {"day": 365.0, "week": 52.0, "month": 12.0, "year": 1.0}
_UNIT_HEADER = re.compile(r"(lead_time|inventory|training)_(day|week|month|year)s\Z")
_RATE_HEADER = re.compile(r"(capacity)_per_(day|week|month|year)\Z")
_PRICE_HEADER = re.compile(r"(price)_([a-z]{3})\Z")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prepared:
    """A table of the shorthand in its types, times and rates in periods, and its place."""

    frame: pl.DataFrame
    origin: Origin
    conformed: Conformed


def is_shorthand(names: Collection[str]) -> bool:
    """Tell whether tables of these names are plant shorthand."""
    return all(name in names for name in SHORTHAND_TABLES)


def read_plant(
    raw: Mapping[str, RawTable], settings: Settings
) -> tuple[dict[str, pl.DataFrame], dict[str, Origin], list[Finding]]:
    """Return canonical tables, their origins, and findings, from plant shorthand.

    Where the findings hold errors, the tables hold only what can still be checked (nothing, if the
    items or the suppliers cannot be used at all).

    Parameters
    ----------
    raw : mapping of str to RawTable
        items, suppliers, and optionally recipes, occupations, regions.
    settings : Settings
        Its period decides the conversion of weeks and years; its home where skills are.
    """
    findings: list[Finding] = []
    ready: dict[str, _Prepared] = {}
    for table in (ITEMS, RECIPES, SUPPLIERS, OCCUPATIONS):
        if table.name in raw:
            prepared, found = _prepare(raw[table.name], table, settings)
            findings += found
            if prepared.conformed.is_usable and prepared.frame.height:
                ready[table.name] = prepared
    if "recipes" in ready:
        findings += _unknown_flows(ready["recipes"])
    if "suppliers" in ready and "regions" not in raw:
        findings += _unknown_countries(ready["suppliers"], settings)
    if has_errors(findings):
        ready = _sound_rows(ready)
    if not is_shorthand(ready):
        return {}, {}, findings
    tables, origins, notes = convert(
        {name: prepared.frame for name, prepared in ready.items()},
        {name: prepared.origin for name, prepared in ready.items()},
        settings,
        has_regions="regions" in raw,
    )
    return tables, origins, findings + notes


# --- reading -------------------------------------------------------------------------------------


def _prepare(raw: RawTable, table: Table, settings: Settings) -> tuple[_Prepared, list[Finding]]:
    """Fold units out of the headers, conform, and convert times and rates to periods."""
    names: dict[str, str] = {}
    factors: dict[str, float] = {}
    findings: list[Finding] = []
    per_year = PERIODS_PER_YEAR[settings.period]
    for header in raw.frame.columns:
        target = fold_header(header)
        if (match := _UNIT_HEADER.match(target)) and match[1] in table.names:
            target = match[1]
            factors[target] = per_year / _PER_YEAR[match[2]]
        elif (match := _RATE_HEADER.match(target)) and match[1] in table.names:
            target = match[1]
            factors[target] = _PER_YEAR[match[2]] / per_year
        elif (match := _PRICE_HEADER.match(target)) and match[1] in table.names:
            target = match[1]
            findings += _other_currency(header, match[2], raw.origin, settings)
        names[header] = target
    repeated = [target for target, n in Counter(names.values()).items() if n > 1]
    for target in repeated:
        given = [header for header in names if names[header] == target]
        what = f"columns {listed(given)} all give {target}; only one can hold"
        findings.append(make_finding("E120", what, origin=raw.origin, column=given[1]))
        for header in given[1:]:
            del names[header]
    frame = renamed(raw.frame, names)
    backward = {new: old for old, new in names.items()}
    origin = replace(raw.origin, names=backward)
    if "tier" in frame.columns and table is ITEMS:
        frame = frame.drop("tier")
        what = "tiers are counted from the viewpoint"
        findings.append(make_finding("N102", what, origin=origin, column="tier"))
    conformed = conform_rows(frame, table, origin)
    findings += _dropped(conformed.findings, table, origin)
    ready = conformed.frame
    if conformed.is_usable and ready.height:
        ready = ready.with_columns(pl.col(name) * factor for name, factor in factors.items())
    return _Prepared(frame=ready, origin=origin, conformed=conformed), findings


def _other_currency(
    header: str, currency: str, origin: Origin, settings: Settings
) -> list[Finding]:
    if not settings.currency or settings.currency.casefold() == currency:
        return []
    what = f"{header} is not in the currency of withstand.toml, {settings.currency}"
    fix = "Convert the prices and rename the column, or correct the currency in withstand.toml."
    return [make_finding("E205", what, origin=origin, column=header, fix=fix)]


def _dropped(found: Collection[Finding], table: Table, origin: Origin) -> list[Finding]:
    """Say that columns the shorthand does not need are left out (occupations keep theirs)."""
    kept = [f for f in found if f.code != "N101"]
    if len(kept) < len(found) and table is not OCCUPATIONS:
        note = next(f for f in found if f.code == "N101")
        named = note.what.split(": ", 1)[1]
        kept.append(
            make_finding(
                "N103",
                f"not needed and left out: {named}",
                origin=origin,
                column=note.column,
                count=note.count,
            )
        )
    return kept


def _unknown_flows(recipes: _Prepared) -> list[Finding]:
    """Find words in flow_type that say neither of the three ways to use an input."""
    if "flow_type" not in recipes.frame.columns:
        return []
    flow = recipes.frame["flow_type"]
    unknown = flow.is_not_null() & ~flow.str.to_lowercase().str.contains("hour|hosted|consumed")
    what = "expected consumed, machine-hours, person-hours or hosted"
    words = ("consumed", "machine-hours", "person-hours", "hosted")

    def describe(case: tuple[str, int, int]) -> Finding:
        word, row, count = case
        return make_finding(
            "E109",
            what,
            origin=recipes.origin,
            index=row,
            column="flow_type",
            value=word,
            suggestion=nearest(word, words),
            count=count,
        )

    return first_few(list(by_value(flow, unknown).iter_rows()), describe)


def _unknown_countries(suppliers: _Prepared, settings: Settings) -> list[Finding]:
    """Find countries that are no code, where no table of regions says what they are."""
    country, lost = suppliers.frame["country"], suppliers.conformed.is_lost
    stated = country.is_not_null() if lost is None else country.is_not_null() & ~lost
    unknown = [
        (label, row, count)
        for label, row, count in by_value(country, stated).iter_rows()
        if label != settings.home and not is_region_code(label)
    ]

    def describe(case: tuple[str, int, int]) -> Finding:
        label, row, count = case
        code = suggest_region(label)
        other = "or list it in a table of regions (region, name)."
        return make_finding(
            "E104",
            "country is no country code, and there is no table of regions",
            origin=suppliers.origin,
            index=row,
            column="country",
            value=label,
            suggestion=code,
            count=count,
            fix=f"Write {code}, {other}" if code else f"Write the code of the country, {other}",
        )

    return first_few(unknown, describe)


def _sound_rows(ready: Mapping[str, _Prepared]) -> dict[str, _Prepared]:
    """Leave out rows with faults, so that the others can still be checked.

    Suppliers go item by item, as their shares belong together.
    """
    sound = {}
    for name, prepared in ready.items():
        lost, flawed = prepared.conformed.is_lost, prepared.conformed.is_flawed
        left_out = lost if name == "items" else flawed
        if left_out is None:
            sound[name] = prepared
            continue
        if name == "suppliers":
            items = prepared.frame["item"].filter(left_out)
            if items.null_count():
                continue  # nobody can tell whose shares these were
            left_out |= prepared.frame["item"].is_in(items.implode())
        kept = (~left_out).arg_true()
        if len(kept):
            rows = [prepared.origin.row_of(i) or 0 for i in kept]
            origin = replace(prepared.origin, rows=rows)
            sound[name] = replace(prepared, frame=prepared.frame[kept], origin=origin)
    return sound
