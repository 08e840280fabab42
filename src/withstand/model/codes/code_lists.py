"""Lists of codes, read from the tables beside this module when they are first asked for."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


def _rows(name: str) -> list[dict[str, str]]:
    text = files("withstand.model.codes").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def industries() -> dict[str, str]:
    """Return sections and divisions of ISIC Rev. 4 (also NACE Rev. 2, CPA 2.1) with short titles.

    Examples
    --------
    >>> industries()["C"], industries()["29"]
    ('Manufacturing', 'Motor vehicles and trailers')
    """
    return {row["code"]: row["title"] for row in _rows("industries.csv")}


@cache
def sections() -> dict[str, str]:
    """Return the section of each division.

    Examples
    --------
    >>> sections()["29"]
    'C'
    """
    return {r["code"]: r["section"] for r in _rows("industries.csv") if r["code"].isdigit()}


@cache
def occupations() -> dict[str, str]:
    """Return major, sub-major and minor groups of ISCO-08 with short titles; minor ones have none.

    Examples
    --------
    >>> occupations()["72"], occupations()["722"]
    ('Metal, machinery and related trades workers', '')
    """
    rows = _rows("isco08.csv")
    minor = {code: "" for row in rows for code in row["minor_groups"].split()}
    return {row["code"]: row["title"] for row in rows} | minor


@cache
def headings() -> frozenset[str]:
    """Return the chapters (2 digits) and headings (4 digits) of the Harmonized System of 2022.

    Examples
    --------
    >>> "8483" in headings(), "8450" in headings(), "7701" in headings()
    (True, True, False)
    """
    found: set[str] = set()
    for row in _rows("hs2022_headings.csv"):
        found.add(row["chapter"])
        for part in row["headings"].split():
            first, _, last = part.partition("-")
            found |= {f"{row['chapter']}{k:02d}" for k in range(int(first), int(last or first) + 1)}
    return frozenset(found)


@cache
def countries() -> dict[str, dict[str, str]]:
    """Return the countries of today by alpha-2, alpha-3 and numeric code."""
    text = files("withstand.model").joinpath("countries.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {row[kind]: row for row in rows for kind in ("alpha2", "alpha3", "numeric")}


@cache
def former_countries() -> dict[str, dict[str, str]]:
    """Return withdrawn codes that mean nothing else today, with name and successors.

    Of a code that was used twice (CS) the later use counts.

    Examples
    --------
    >>> former_countries()["SUN"]["name"], former_countries()["CS"]["now"]
    ('USSR', 'RS;ME')
    """
    now = countries()
    rows = _rows("former_countries.csv")
    return {
        row[kind]: row
        for row in rows
        for kind in ("alpha2", "alpha3", "numeric")
        if row[kind] and row[kind] not in now
    }
