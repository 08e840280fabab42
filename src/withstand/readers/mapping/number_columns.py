"""Columns of numbers in our units: times, rates, shares, money, quantities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.findings import make_finding, shorten
from withstand.readers.mapping.measures_of_units import (
    amount_factor,
    currency_of,
    rate_factor,
    rate_time,
    time_factor,
)
from withstand.readers.mapping.rates_in_words import rate_in_words
from withstand.readers.mapping.targets import CURRENCY, PLANT, PRICE_PER
from withstand.readers.mapping.vocabulary import fold
from withstand.readers.messy.units import canonical_unit
from withstand.readers.messy.words import NOTHING

if TYPE_CHECKING:
    from withstand.readers.mapping.converted import Converted, Terms
    from withstand.readers.mapping.targets import TargetColumn
    from withstand.readers.messy.blocks import Block

FULL_SUM = (99.0, 101.0)
PERCENT = 100.0
ERROR_CELL = r"^#[\p{L}¡]"
"""What a spreadsheet shows where a formula fails, in any language: `#N/A`, `#ССЫЛКА!`."""
NEAR_WHOLE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class _Read:
    """The numbers of a column, with the unit of each."""

    values: pl.Series
    units: pl.Series
    stated: str | None
    is_percent: pl.Series


def _numbers(block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted) -> _Read:
    """Return the numbers of a column, and report cells that hold none."""
    cells = block.cells[i]
    found = block.numbers(i)
    is_nothing = cells.str.to_lowercase().is_in(list(NOTHING)).fill_null(value=False)
    bad = found.is_bad & ~is_nothing
    if block.how.columns[i].undecided:
        what = "nobody can tell whether the comma or point stands for decimals or thousands"
        out.report("E105", what, column.name, bad, cells)
    else:
        is_error = cells.str.contains(ERROR_CELL).fill_null(value=False)
        what = "an error of the spreadsheet, or a formula that was never worked out"
        out.report("E110", what, column.name, bad & is_error, cells)
        out.each(
            "E103", column.name, bad & ~is_error, cells,
            lambda _: ("not a number; expected a number", None),
        )  # fmt: skip
    stated = terms.units.get(column.name)
    stated = canonical_unit(stated) or stated if stated else block.units[i]
    if stated is None and column.kind == "rate":
        stated = rate_in_words(block.header[i])
    units = (
        found.units if found.units is not None else pl.Series([None] * len(cells), dtype=pl.String)
    )
    if stated is not None:
        units = units.fill_null(stated)
    return _Read(values=found.values, units=units, stated=stated, is_percent=found.is_percent)


def in_parts_of_one(values: pl.Series) -> pl.Series:
    """Return percent as parts of one, exact in decimals: 99.9 gives 0.999; 99.9 / 100 does not.

    Examples
    --------
    >>> in_parts_of_one(pl.Series([99.9, 33.3, 64.99999999999999, None])).to_list()
    [0.999, 0.333, 0.6499999999999999, None]
    """
    exact = (values.cast(pl.String) + "e-2").cast(pl.Float64, strict=False)
    return exact.fill_null(values / PERCENT)


def _factor_in_words(unit: str, factor: float) -> str:
    inverse = round(1.0 / factor)
    if factor < 1.0 and abs(inverse * factor - 1.0) < NEAR_WHOLE:
        return f"{unit} / {inverse}"
    return f"{unit} x {factor:.6g}"


def _times(values: pl.Series, factor: float) -> pl.Series:
    """Return values times a factor; a seventh is a division by seven."""
    inverse = round(1.0 / factor)
    if factor < 1.0 and abs(inverse * factor - 1.0) < NEAR_WHOLE:
        return values / inverse
    return values * factor


def _by_unit(
    read: _Read,
    factor: Callable[[str], float | None],
    column: TargetColumn,
    cells: pl.Series,
    out: Converted,
    expected: str,
) -> pl.Series:
    """Return values times the factor of the unit of each; a unit that does not fit is reported."""
    units = read.units.unique().drop_nulls().to_list()
    factors = {u: factor(u) for u in units}
    wrong = [u for u, f in factors.items() if f is None]
    for u in wrong:
        what = f"{shorten(u)} is no unit of {column.name}; expected {expected}"
        out.report("E205", what, column.name, (read.units == u) & read.values.is_not_null(), cells)
    known = {u: f for u, f in factors.items() if f is not None}
    is_plain = ~read.units.is_in([u for u, f in known.items() if f != 1.0]).fill_null(value=False)
    values = read.values
    for u, f in known.items():
        if f != 1.0:
            is_other = (read.units != u).fill_null(value=True)
            values = values.zip_with(is_other, _times(values, f))
    changed = sorted(u for u, f in known.items() if f != 1.0)
    if changed:
        shown = ", ".join(_factor_in_words(u, known[u]) for u in changed)
        out.said[column.name] = f"{shown} -> {expected}"
        out.findings.append(
            make_finding("N723", f"{column.name}: {shown} gives {expected}", origin=out.origin,
                         column=column.name, count=int((~is_plain).sum()))
        )  # fmt: skip
    return values.set(read.units.is_in(wrong).fill_null(value=False), None) if wrong else values


def _is_own_name(block: Block, i: int, column: TargetColumn) -> bool:
    return fold(block.header[i]) == fold(column.name)


def _not_stated(
    read: _Read, block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted, ours: str
) -> None:
    """Report numbers whose unit nobody stated, unless the header is our own word for it."""
    unstated = read.units.is_null() & read.values.is_not_null()
    if not unstated.any() or _is_own_name(block, i, column):
        return
    if "E723" in terms.accepted:
        out.said[column.name] = f"taken as {ours}, as agreed"
        return
    what = f"the unit of {column.name} is not stated in header or cells"
    fix = f"Say it: --unit {column.name}=UNIT, or take it as {ours}: --accept E723."
    out.report("E723", what, column.name, unstated, block.cells[i], fix=fix)


def time_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return times in periods of the project (training in weeks)."""
    read = _numbers(block, i, column, terms, out)
    is_training = column.name == "training"
    period = "week" if is_training else terms.settings.period
    ours = f"{period}s" if is_training else f"periods ({period}s)"
    _not_stated(read, block, i, column, terms, out, ours)
    values = _by_unit(read, lambda u: time_factor(u, period), column, block.cells[i], out, ours)
    return "training_weeks" if is_training else column.name, values


def rate_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return rates per period; a capacity per year of the plant shorthand stays as it is."""
    read = _numbers(block, i, column, terms, out)
    period = terms.settings.period
    _not_stated(read, block, i, column, terms, out, f"units per {period}")
    is_yearly = column.name == "capacity" and out.table in PLANT
    times = {rate_time(u) for u in read.units.drop_nulls().unique().to_list()}
    if (
        is_yearly
        and times == {"year"}
        and not (read.units.is_null() & read.values.is_not_null()).any()
    ):
        return "capacity_per_year", read.values
    expected = f"units per {period}"
    values = _by_unit(read, lambda u: rate_factor(u, period), column, block.cells[i], out, expected)
    return column.name, values


def share_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return shares as parts of one; numbers that add up to 100 are percent."""
    read = _numbers(block, i, column, terms, out)
    values = read.values
    if read.stated == "%":
        values = values.zip_with(read.is_percent, in_parts_of_one(values))
        out.said[column.name] = "% -> share"
    elif (values > 1.0).any() and not read.is_percent.any():
        highest = float(values.max() or 0.0)  # type: ignore[arg-type]
        if highest <= PERCENT and _sums_to_hundred(block, values, out):
            values = in_parts_of_one(values)
            what = "the numbers add up to 100, so that they are read as percent"
            out.report("W722", what, column.name, values.is_not_null(), block.cells[i])
            out.said[column.name] = "percent -> share"
    return column.name, values


def _sums_to_hundred(block: Block, values: pl.Series, out: Converted) -> bool:
    """Tell whether numbers add up to 100 for each item."""
    key = next((out.places[k] for k in ("item", "product") if k in out.places), None)
    if key is None:
        return bool((values > 1.0).mean() > 0.5)  # type: ignore[operator]
    frame = pl.DataFrame({"key": block.cells[key], "value": values})
    sums = frame.group_by("key").agg(pl.col("value").sum())["value"]
    near = ((sums >= FULL_SUM[0]) & (sums <= FULL_SUM[1])).mean()
    return near is not None and float(near) >= 0.8  # type: ignore[arg-type]


def money_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return money in the currency of the project, of one unit."""
    read = _numbers(block, i, column, terms, out)
    ours = terms.settings.currency or "the currency of the project"
    if CURRENCY in out.places and column.name not in terms.units:
        stated = _currencies(block, out)
        read = _Read(values=read.values, units=read.units.fill_null(stated), stated=read.stated,
                     is_percent=read.is_percent)  # fmt: skip
    _not_stated(read, block, i, column, terms, out, ours)
    _foreign(read, block, i, column, terms, out)

    def factor(unit: str) -> float | None:
        name, times, _ = currency_of(unit)
        if name is None:
            return None
        if not terms.settings.currency or terms.settings.currency in name.split(" or "):
            return times
        return times * terms.rates.get(name, 1.0)

    values = _by_unit(read, factor, column, block.cells[i], out, ours)
    if PRICE_PER in out.places and column.name == "price":
        per = block.numbers(out.places[PRICE_PER]).values.fill_null(1.0)
        values = values / per.set(per <= 0, 1.0)
        out.said[column.name] = "price / price unit"
    return column.name, values


def _currencies(block: Block, out: Converted) -> pl.Series:
    cells = block.cells[out.places[CURRENCY]]
    known = {c: canonical_unit(c) or c for c in cells.drop_nulls().unique().to_list()}
    return cells.replace_strict(known, default=None, return_dtype=pl.String)


def _foreign(
    read: _Read, block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> None:
    """Report money in currencies that nobody stated a rate for."""
    ours = terms.settings.currency
    named = {u: currency_of(u)[0] for u in read.units.drop_nulls().unique().to_list()}
    names = sorted({n for n in named.values() if n is not None})
    if not ours:
        if len(names) > 1:
            what = f"prices in {', '.join(names)}, and the project states no currency"
            fix = 'Put currency = "..." into withstand.toml, and state rates: --rate EUR=1.08.'
            out.report("E724", what, column.name, read.units.is_not_null(), block.cells[i], fix=fix)
        return
    for name in names:
        if ours not in name.split(" or ") and name not in terms.rates:
            units = [u for u, n in named.items() if n == name]
            what = f"{column.name} in {name}, but the project counts in {ours}"
            fix = f"State what one {name} is in {ours}: --rate {name}=RATE."
            where = read.units.is_in(units) & read.values.is_not_null()
            out.report("E724", what, column.name, where, block.cells[i], fix=fix)


def plain_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return numbers that have no unit of ours; percent as parts of one."""
    read = _numbers(block, i, column, terms, out)
    values = read.values
    if read.stated == "%":
        values = values.zip_with(read.is_percent, in_parts_of_one(values))
        out.said[column.name] = "% -> share"
    return column.name, values


def quantity_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return quantities; the unit of cells must be that of the row's unit, where there is one."""
    read = _numbers(block, i, column, terms, out)
    expected = canonical_unit(read.stated or "") or read.stated
    units = read.units.drop_nulls().unique().to_list()
    if expected is None and len(units) == 1:
        expected = units[0]
    if len(units) > 1 and expected is not None:
        values = _by_unit(
            read, lambda u: amount_factor(u, str(expected)), column, block.cells[i], out, expected
        )
        return column.name, values
    return column.name, read.values
