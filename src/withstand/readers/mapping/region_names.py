"""Codes of regions from the names of countries in ten languages.

`data/country_names.csv` holds names of countries in nine languages after the Common Locale Data
Repository (CLDR) of the Unicode consortium, as Babel 2.18 carries it, without those that
`withstand.model.countries` knows and without names that mean two countries.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from withstand.model.countries import country_code, is_region_code, suggest_region
from withstand.readers.mapping.vocabulary import DATA, fold

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORTEST_GUESS = 4
LEAST_LIKE = 82.0
LONG = 3


@cache
def _names() -> dict[str, str]:
    text = files(DATA).joinpath("country_names.csv").read_text(encoding="utf-8")
    return {fold(row["name"]): row["alpha2"] for row in csv.DictReader(text.splitlines())}


@cache
def region_of(text: str) -> str | None:
    """Return the code that a text certainly means, None for none.

    A code stays as it is written, in capitals; a name in one of ten languages becomes its code.

    Examples
    --------
    >>> region_of("de"), region_of("Niemcy"), region_of("EU27"), region_of("Atlantis")
    ('DE', 'DE', 'EU27', None)
    """
    plain = text.strip()
    if is_region_code(plain):
        return plain
    if plain.isascii() and is_region_code(plain.upper()):
        return plain.upper()
    return country_code(plain) or _names().get(fold(plain))


@cache
def _long_codes() -> dict[str, str]:
    text = files("withstand.model").joinpath("countries.csv").read_text(encoding="utf-8")
    return {row["alpha2"]: row["alpha3"] for row in csv.DictReader(text.splitlines())}


def same_codes(codes: Mapping[str, str]) -> dict[str, str]:
    """Return codes of countries in one form: of three letters where most are, else of two.

    Parameters
    ----------
    codes : mapping of str to str
        What stands in the file to its code.

    Examples
    --------
    >>> same_codes({"DEU": "DEU", "FRA": "FRA", "Japan": "JP", "EU27": "EU27"})
    {'DEU': 'DEU', 'FRA': 'FRA', 'Japan': 'JPN', 'EU27': 'EU27'}
    """
    short = {label: country_code(code) for label, code in codes.items()}
    written = [label for label, code in codes.items() if label == code and short[label]]
    is_long = 2 * sum(len(label) == LONG for label in written) > len(written)
    forms = _long_codes() if is_long else {c: c for c in _long_codes()}
    right = LONG if is_long else LONG - 1
    return {
        label: code if len(code) == right else forms.get(short[label] or "", code)
        for label, code in codes.items()
    }


@cache
def suggested_region(text: str) -> str | None:
    """Return the code that a text probably means, None for none.

    Examples
    --------
    >>> suggested_region("Deutschlnd"), suggested_region("Hauptlager 7")
    ('DE', None)
    """
    found = region_of(text) or suggest_region(text)
    if found is not None:
        return found
    folded = fold(text)
    if len(folded) < SHORTEST_GUESS:
        return None
    from rapidfuzz import fuzz, process

    best = process.extractOne(folded, list(_names()), scorer=fuzz.ratio, score_cutoff=LEAST_LIKE)
    return None if best is None else _names()[best[0]]
