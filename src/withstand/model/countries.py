"""Countries: codes from names, names from codes, and which labels are codes of regions.

The table beside this module, `countries.csv`, holds one country a row: ISO 3166-1 codes as of
2024; names and aliases our own. It is read at the first question, not on import.
"""

from __future__ import annotations

import csv
import difflib
import unicodedata
from functools import cache
from importlib.resources import files

AGGREGATES = frozenset({"EU", "EU27", "EU28", "EA", "ROW", "RoW", "WLD", "OTHER", "HOME"})
LONGEST_NAME = 100
SHORTEST_GUESS = 4  # below, a mistyped code would pass for the name of another country
CUTOFF = 0.75

_NO_DECOMPOSITION = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "&": "and"})
_PASSED_OVER = ("M", "P", "Z", "Sk")  # marks, punctuation, spaces, accents that stand alone


def country_code(text: str) -> str | None:
    """Return the ISO alpha-2 code of a country, or None if it is not known.

    Parameters
    ----------
    text : str
        Alpha-2, alpha-3 or numeric code (three digits), name or alias; case does not matter, and
        in names neither do accents, spaces and punctuation.

    Examples
    --------
    >>> country_code("deu"), country_code("076"), country_code("Côte d’Ivoire")
    ('DE', 'BR', 'CI')
    >>> country_code("Atlantis") is None
    True
    """
    if len(text) > LONGEST_NAME:
        return None
    code = text.strip()
    if code.isascii() and code.upper() in _by_code():  # beyond ASCII, "ß" would become "SS"
        return _by_code()[code.upper()]
    return _by_name().get(_folded(text))


def country_name(code: str) -> str | None:
    """Return the English name of a country, or None if the code is not known.

    Parameters
    ----------
    code : str
        Anything that `country_code` takes.

    Examples
    --------
    >>> country_name("KR"), country_name("GBR")
    ('South Korea', 'United Kingdom')
    """
    alpha2 = country_code(code)
    return None if alpha2 is None else _rows()[alpha2]["name"]


def is_region_code(label: str) -> bool:
    """Return whether a label is a code of a country, an aggregate, or several joined by `_`.

    Parameters
    ----------
    label : str
        Alpha-2 or alpha-3 code in upper case, "UK", an aggregate such as "EU27" or "RoW", or a
        composite such as "AU_MM".

    Examples
    --------
    >>> [is_region_code(label) for label in ("DE", "DEU", "UK", "ROW", "CH_US_IT")]
    [True, True, True, True, True]
    >>> [is_region_code(label) for label in ("de", "Germany", "276", "CH_", "")]
    [False, False, False, False, False]
    """
    return all(part in _region_codes() for part in label.split("_"))


def suggest_region(text: str) -> str | None:
    """Return the code of the country that a text names or nearly names, or None.

    Parameters
    ----------
    text : str
        A name, an alias or a code; from four letters on, all but the first may be mistyped.

    Examples
    --------
    >>> suggest_region("Korea, South"), suggest_region("Deutschland"), suggest_region("Germny")
    ('KR', 'DE', 'DE')
    >>> suggest_region("plant 7") is None
    True
    """
    known = country_code(text)
    if known is not None or len(text) > LONGEST_NAME:
        return known
    folded = _folded(text)
    if len(folded) < SHORTEST_GUESS:
        return None
    names = [name for name in _by_name() if name[0] == folded[0] and len(name) >= SHORTEST_GUESS]
    nearest = difflib.get_close_matches(folded, names, n=1, cutoff=CUTOFF)
    return _by_name()[nearest[0]] if nearest else None


def _folded(text: str) -> str:
    """Return a name without case, accents, spaces and punctuation: `coteivoire` of any spelling."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_NO_DECOMPOSITION)
    return "".join(c for c in plain if not unicodedata.category(c).startswith(_PASSED_OVER))


@cache
def _rows() -> dict[str, dict[str, str]]:
    """Return the rows of the table by alpha-2 code."""
    table = files("withstand.model").joinpath("countries.csv").read_text(encoding="utf-8")
    return {row["alpha2"]: row for row in csv.DictReader(table.splitlines())}


@cache
def _by_code() -> dict[str, str]:
    return {
        row[kind]: alpha2
        for alpha2, row in _rows().items()
        for kind in ("alpha2", "alpha3", "numeric")
    }


@cache
def _by_name() -> dict[str, str]:
    return {
        _folded(name): alpha2
        for alpha2, row in _rows().items()
        for name in (row["name"], *filter(None, row["aliases"].split(";")))
    }


@cache
def _region_codes() -> frozenset[str]:
    letters = {code for code in _by_code() if code.isalpha()}
    return AGGREGATES | letters | {"UK"}
