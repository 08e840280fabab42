"""Numbers as people write them: decimal commas, thousands marks, currencies, units, brackets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.readers.messy.units import canonical_unit, is_money

if TYPE_CHECKING:
    from withstand.readers.messy.how import NumberFormat

SPACES = " \u00a0\u202f\u2009\u2007"
APOSTROPHES = "'\u2019"
MINUS = "-\u2212\u2013\ufe63\uff0d"
_MINUS = "\\" + MINUS  # a hyphen between others in brackets would be a range
_UNIT = r"[^\d\s.,()+\-\u2212\u2013][^\d()+\u2212]{0,20}?"


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbers:
    """The numbers of a column.

    Parameters
    ----------
    values : polars.Series of Float64
        Null where a cell is blank or holds no number. A percentage is a share: "12 %" is 0.12.
    units : polars.Series of String, or None
        Unit that stood in each cell, in its plain form; None where no cell has one. "%" is not
        among them, as it is worked in.
    is_bad : polars.Series of Boolean
        Cells that hold something, but no number.
    is_percent : polars.Series of Boolean
        Cells that were percentages.
    """

    values: pl.Series
    units: pl.Series | None
    is_bad: pl.Series
    is_percent: pl.Series


def read_numbers(
    cells: pl.Series, form: NumberFormat | None, native: pl.Series | None = None
) -> Numbers:
    """Return the numbers of a column of text in one format.

    Parameters
    ----------
    cells : polars.Series of String
    form : NumberFormat or None
        None: nobody can tell, so that only what reads the same in every format is a number.
    native : polars.Series of Boolean, optional
        Cells that are written with a decimal point whatever the format is.

    Examples
    --------
    >>> from withstand.readers.messy.how import NumberFormat
    >>> cells = ["1.234,5", "(3)", "12 %", "7 Wochen", "?"]
    >>> found = read_numbers(pl.Series(cells), NumberFormat(",", "."))
    >>> found.values.to_list(), found.is_bad.to_list()
    ([1234.5, -3.0, 0.12, 7.0, None], [False, False, False, False, True])
    """
    plain = cells.cast(pl.Float64, strict=False)
    plain = plain.set(~plain.is_finite(), None)
    if form is None or form.decimal == "," or form.thousands == ".":
        is_safe = ~cells.str.contains(".", literal=True)
        plain = plain.set(~(is_safe if native is None else is_safe | native), None)
    rest = plain.is_null() & cells.is_not_null()
    no = pl.repeat(value=False, n=len(cells), dtype=pl.Boolean, eager=True)
    if not rest.any():
        return Numbers(values=plain, units=None, is_bad=rest, is_percent=no)
    at = rest.arg_true()
    values, units = _read_dressed(cells.gather(at), form)
    is_percent = (units == "%").fill_null(value=False)
    values = values.zip_with(~is_percent, values / 100.0)
    all_values = plain.scatter(at, values)
    units = units.set(is_percent, None)
    placed = None
    if units.null_count() < len(units):
        placed = pl.Series([None] * len(cells), dtype=pl.String).scatter(at, units)
    return Numbers(
        values=all_values,
        units=placed,
        is_bad=all_values.is_null() & cells.is_not_null(),
        is_percent=no.scatter(at, is_percent),
    )


def _read_dressed(cells: pl.Series, form: NumberFormat | None) -> tuple[pl.Series, pl.Series]:
    """Read numbers with marks, signs, brackets, currencies and units around them."""
    parts = take_apart(cells)
    core = parts["core"]
    for space in SPACES[1:]:
        core = core.str.replace_all(space, " ", literal=True)
    core = core.str.replace_all("\u2019", "'", literal=True)
    sound = core.str.contains(_pattern(form))
    if form is not None and form.thousands:
        core = core.str.replace_all(form.thousands, "", literal=True)
    if form is not None and form.decimal == ",":
        core = core.str.replace(",", ".", literal=True)
    values = core.set(~sound, None).cast(pl.Float64, strict=False)
    values = values.set(~values.is_finite(), None)
    negative = parts["negative"]
    values = values.zip_with(~negative, -values)
    unit = parts["unit"]
    known = {u: canonical_unit(u) for u in unit.unique().to_list() if u}
    units = unit.replace_strict(known, default=None, return_dtype=pl.String)
    first = {u: is_money(u) for u in parts["before"].unique().to_list() if u}
    misplaced = ~parts["before"].replace_strict(first, default=True, return_dtype=pl.Boolean)
    unknown = ((unit != "") & units.is_null()) | misplaced
    return values.set(unknown.fill_null(value=True), None), units


def take_apart(cells: pl.Series) -> pl.DataFrame:
    """Return `core` (digits and marks, null for no number), `negative`, `unit`, `before`."""
    pattern = (
        rf"^(?P<open>\()?\s*(?P<sign>[+{_MINUS}])?\s*(?P<before>{_UNIT})??\s*(?P<inner>[+{_MINUS}])?\s*"
        rf"(?P<core>(?:\d|[.,]\d)[\d.,{SPACES}{APOSTROPHES}]*?(?:[eE][+-]?\d{{1,3}})?)"
        rf"\s*(?P<close>\))?\s*(?P<trail>[{_MINUS}])?\s*(?P<after>{_UNIT})?(?P<end>[{_MINUS}])?(?P<shut>\))?$"
    )
    cells = cells.str.replace(r"^([€$£¥₽]|[A-Z]{3})\s*\(", "(${1} ")
    found = cells.str.extract_groups(pattern).struct.unnest().with_columns(pl.all().fill_null(""))
    closed = (found["close"] + found["shut"]).str.len_chars()
    marks = pl.Series((found["sign"] != "") & found["sign"].is_in(list(MINUS)))
    inner = (found["inner"] != "") & found["inner"].is_in(list(MINUS))
    trail = (found["trail"] + found["end"]) != ""
    both = (found["before"] != "") & (found["after"] != "")
    signs = (
        (found["sign"] != "").cast(pl.Int8)
        + (found["inner"] != "").cast(pl.Int8)
        + trail.cast(pl.Int8)
        + (found["open"] != "").cast(pl.Int8)
    )
    is_wrong = (closed != (found["open"] != "").cast(pl.UInt32)) | (signs > 1) | both
    core = found["core"].set((found["core"] == "") | is_wrong, None)
    return pl.DataFrame(
        {
            "core": core,
            "negative": marks | inner | trail | (found["open"] != ""),
            "unit": (found["before"] + found["after"]).str.strip_chars(),
            "before": found["before"].str.strip_chars(),
        }
    )


def _pattern(form: NumberFormat | None) -> str:
    exponent = r"(?:[eE][+-]?\d{1,3})?$"
    if form is None:
        return r"^\d+" + exponent
    decimal = "\\" + form.decimal
    whole = r"\d+"
    if form.thousands:
        mark = "\\" + form.thousands if form.thousands in ".," else form.thousands
        whole = rf"(?:\d{{1,3}}(?:{mark}\d{{3}})+|\d{{1,2}}(?:{mark}\d{{2}})+{mark}\d{{3}}|\d+)"
    return rf"^(?:{whole}(?:{decimal}\d*)?|{decimal}\d+)" + exponent
