"""Dates as people write them, and which order of day and month a column follows."""

from __future__ import annotations

import polars as pl

_LOOKS = {
    "%Y-%m-%d": r"^\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2})?(\.\d+)?Z?)?$",
    "%Y/%m/%d": r"^\d{4}/\d{1,2}/\d{1,2}$",
    "%Y.%m.%d": r"^\d{4}\.\d{1,2}\.\d{1,2}$",
    "%d.%m.%Y": r"^\d{1,2}\.\d{1,2}\.\d{4}$",
    "%d/%m/%Y": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "%m/%d/%Y": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "%d-%m-%Y": r"^\d{1,2}-\d{1,2}-\d{4}$",
    "%m-%d-%Y": r"^\d{1,2}-\d{1,2}-\d{4}$",
    "%d.%m.%y": r"^\d{1,2}\.\d{1,2}\.\d{2}$",
    "%d/%m/%y": r"^\d{1,2}/\d{1,2}/\d{2}$",
    "%m/%d/%y": r"^\d{1,2}/\d{1,2}/\d{2}$",
    "%d %b %Y": r"(?i)^\d{1,2}[ -](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}["
    r" -]\d{4}$",
}
ANY_DATE = (
    r"(?i)^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2}|\d{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|"
    r"dec)[a-z]{0,6}[ -]\d{4})$"
)
_SWAPPED = {"%d/%m/%Y": "%m/%d/%Y", "%d-%m-%Y": "%m-%d-%Y", "%d/%m/%y": "%m/%d/%y"}


def sniff_dates(cells: pl.Series) -> tuple[str | None, bool]:
    """Return the format that reads most dates of a column, and whether another reads as many.

    Examples
    --------
    >>> sniff_dates(pl.Series(["03/04/2026", "25/04/2026"]))
    ('%d/%m/%Y', False)
    >>> sniff_dates(pl.Series(["03/04/2026", "05/04/2026"]))
    ('%d/%m/%Y', True)
    """
    filled = cells.drop_nulls()
    best, read = None, 0
    for form in _LOOKS:
        n = len(filled) - read_dates(filled, form).null_count()
        if n > read:
            best, read = form, n
    swapped = _SWAPPED.get(best or "")
    if swapped is None:
        return best, False
    first, second = read_dates(filled, best), read_dates(filled, swapped)
    is_open = second.null_count() == first.null_count() and not first.equals(
        second, null_equal=True
    )
    return best, is_open


def read_dates(cells: pl.Series, form: str | None) -> pl.Series:
    """Return dates of one format, null for cells that hold none in it.

    Examples
    --------
    >>> read_dates(pl.Series(["31.12.2026", "soon"]), "%d.%m.%Y").to_list()
    [datetime.date(2026, 12, 31), None]
    """
    if form is None or form not in _LOOKS:
        return pl.Series([None] * len(cells), dtype=pl.Date)
    text = cells.set(~cells.str.contains(_LOOKS[form]), None)
    if form == "%Y-%m-%d":
        text = text.str.slice(0, 10).str.strip_chars_end("T ")
    if form == "%d %b %Y":
        text = text.str.replace_all("-", " ", literal=True)
        text = text.str.replace(r"^(\d+ [A-Za-z]{3})[A-Za-z]*", "$1")
    return text.str.to_date(form, strict=False)
