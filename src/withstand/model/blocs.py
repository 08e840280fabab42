"""Blocs of countries by year, and the names of regions in the tables of providers.

The table beside this module, `blocs.csv`, holds one membership a row, with the first and the last
year in which it held at the end of the year: compiled by us from the accession dates that the EU,
the euro area, OECD, NATO, G7, ASEAN and USMCA (NAFTA before) state, as of January 2025.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

import polars as pl

from withstand.errors import UsageError
from withstand.model.countries import country_code, country_name
from withstand.model.findings import nearest

AS_OF = 2025
"""Year of the table: later years are taken to be like this one."""
FIXED = {"EU15": ("EU", 1995), "EU25": ("EU", 2004), "EU27": ("EU", 2020), "EU28": ("EU", 2013)}
"""Blocs as they stood in one year, whatever the year of the table."""
PROVIDER_CODES = {"ROM": "RO", "ZAR": "CD", "TMP": "TL"}
"""Alpha-3 codes that ISO has withdrawn and tables still carry, by today's alpha-2 code."""
PROVIDER_NAMES = {
    "ROW": "Rest of the world",
    "WLD": "World",
    "CN1": "China, activities excluding export processing",
    "CN2": "China, export processing",
    "MX1": "Mexico, activities excluding global manufacturing",
    "MX2": "Mexico, global manufacturing",
}
"""Names of regions that are no countries, or parts of one (the OECD's extended tables)."""


def country_of(region: str) -> str | None:
    """Return the alpha-2 code of the country that a label of a provider means, or None.

    Examples
    --------
    >>> country_of("ROM"), country_of("DEU"), country_of("RoW")
    ('RO', 'DE', None)
    """
    known = PROVIDER_CODES.get(region.upper())
    if known is not None:
        return known
    is_code = len(region) <= 3 and region.isalpha() and region.isupper()
    return country_code(region) if is_code or len(region) > 3 else None


def region_name(region: str) -> str:
    """Return the name for people of a region of a provider's table, the label if none is known.

    Examples
    --------
    >>> region_name("ROM"), region_name("RoW"), region_name("reg1")
    ('Romania', 'Rest of the world', 'reg1')
    """
    country = country_of(region)
    name = country_name(country) if country else PROVIDER_NAMES.get(region.upper())
    return name or region


def bloc_members(bloc: str, year: int | None = None) -> frozenset[str]:
    """Return the alpha-2 codes of the members of a bloc at the end of a year.

    Parameters
    ----------
    bloc : str
        EU, EU15, EU25, EU27, EU28, EA (the euro area), OECD, NATO, G7, ASEAN or USMCA. A name with
        a number means that composition, whatever the year.
    year : int, optional
        Default: the year the table was made.

    Raises
    ------
    UsageError
        If there is no such bloc.

    Examples
    --------
    >>> len(bloc_members("EU", 2011)), len(bloc_members("EU27")), len(bloc_members("EU28"))
    (27, 27, 28)
    >>> "GB" in bloc_members("EU", 2011), "GB" in bloc_members("EU27")
    (True, False)
    """
    base, when = FIXED.get(bloc, (bloc, year or AS_OF))
    rows = _memberships().get(base)
    if rows is None:
        near = nearest(bloc, known_blocs())
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(f"There is no bloc '{bloc[:40]}'; use {', '.join(known_blocs())}.{hint}")
    return frozenset(member for member, first, last in rows if first <= when <= last)


def known_blocs() -> list[str]:
    """Return the names that `bloc_members` takes."""
    return sorted({*_memberships(), *FIXED})


def blocs_of(region: str, blocs: Iterable[str], year: int | None = None) -> str | None:
    """Return the blocs among some that a region belongs to, as the table of regions writes them.

    Examples
    --------
    >>> blocs_of("GBR", ("EU", "OECD"), 2011), blocs_of("GBR", ("EU", "OECD"), 2020)
    ('EU;OECD', 'OECD')
    """
    country = country_of(region)
    found = [bloc for bloc in blocs if country in bloc_members(bloc, year)]
    return ";".join(found) or None


def region_table(
    labels: Sequence[str], blocs: Iterable[str] = (), year: int | None = None
) -> pl.DataFrame:
    """Return a table of regions: label, name for people, blocs.

    Examples
    --------
    >>> region_table(["ROM", "RoW"], ["EU"], 2011).rows()
    [('ROM', 'Romania', 'EU'), ('RoW', 'Rest of the world', None)]
    """
    chosen = list(blocs)
    return pl.DataFrame(
        {
            "region": list(labels),
            "name": [region_name(label) for label in labels],
            "bloc": [blocs_of(label, chosen, year) for label in labels],
        },
        schema={"region": pl.String, "name": pl.String, "bloc": pl.String},
    )


@cache
def _memberships() -> dict[str, list[tuple[str, int, int]]]:
    """Return (member, first year, last year) by bloc."""
    table = files("withstand.model").joinpath("blocs.csv").read_text(encoding="utf-8")
    found: dict[str, list[tuple[str, int, int]]] = {}
    for row in csv.DictReader(table.splitlines()):
        last = int(row["to"]) if row["to"] else 9999
        found.setdefault(row["bloc"], []).append((row["member"], int(row["from"]), last))
    return found
