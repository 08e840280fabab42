"""What a cell looks like: a number, a date, words, nothing known, or blank."""

from __future__ import annotations

import re

from withstand.readers.messy.dates import ANY_DATE
from withstand.readers.messy.units import canonical_unit, is_money
from withstand.readers.messy.words import NOTHING

BLANK, NUMBER, DATE, WORDS, NOTHING_KNOWN = "", "number", "date", "words", "nothing"
_NUMBER = re.compile(
    r"[(\s]*[+\-−–]?\s*(?P<before>[^\d\s.,()+\-−–]{0,4}?)\s*[+\-−–]?(?:\d|"
    r"[.,]\d)[\d.,\s'’]*(?:[eE][+-]?\d{1,3})?"
    r"\s*[)\-−–]?\s*(?P<after>[^\d()+−]{0,20})\)?"
)
_DATE = re.compile(ANY_DATE)
_YEAR = re.compile(r"(?:FY\s?|CY\s?)?(?:19|20)\d\d(?:\s?[/-]\s?\d\d)?[EF]?")


def look(cell: str | None) -> str:
    """Return what a cell looks like.

    Examples
    --------
    >>> [look(c) for c in ("1.234,5 €", "12 weeks", "A-17", "2026-01-31", "n/a", None)]
    ['number', 'number', 'words', 'date', 'nothing', '']
    """
    if cell is None or not cell.strip():
        return BLANK
    if len(cell) > 60:
        return WORDS
    if cell.casefold() in NOTHING or cell.startswith("#"):
        return NOTHING_KNOWN
    if _DATE.match(cell):
        return DATE
    match = _NUMBER.fullmatch(cell.strip())
    if match:
        before, after = match["before"].strip(), match["after"].strip()
        is_sound = not (before and after) and (not before or is_money(before))
        if is_sound and (not after or canonical_unit(after) is not None):
            return NUMBER
    return WORDS


def is_year(cell: str | None) -> bool:
    """Tell whether a cell is a year, as headers of time series are."""
    return cell is not None and _YEAR.fullmatch(cell.strip()) is not None
