"""What the columns of a table hold, and what about their cells looks wrong."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.findings import listed
from withstand.readers.messy.dates import sniff_dates
from withstand.readers.messy.formats import Sniffed, sniff_format
from withstand.readers.messy.how import NumberFormat
from withstand.readers.messy.looks import DATE, NOTHING_KNOWN, NUMBER, WORDS, look
from withstand.readers.messy.numbers import take_apart
from withstand.readers.messy.units import canonical_unit
from withstand.readers.messy.words import ERRORS, NO, YES

if TYPE_CHECKING:
    from collections.abc import Iterable

SAMPLE = 400
MOSTLY = 0.7
_YESNO = frozenset(YES) | frozenset(NO)
_CODE_WORDS = re.compile(
    r"(?i)(?:^|[^a-zа-я])(?:id|ids|code|codes|no|nr|num|number|key|sku|hs|cn|ean|gtin|upc|zip|"
    r"plz|postcode|part|parts?no|"
    r"material|article|artikel|item|teil|ref|reference|référence|r[ée]f|c[oó]digo|codice|kod|"
    r"numer|num[eé]ro|n[uú]mero|"
    r"kennung|duns|matnr|lifnr|indeks|index|warengruppe|zolltarif|tnved|mã)\W*$"
    r"|^\W*(?:code|c[oó]digo|codice|kod|kód|код|hs|ean|gtin|zip|customs)(?:$|[^a-zа-я])"
    r"|(?:nummer|code|номер|код|артикул|индекс|тн вэд|编号|编码|料号|代码)\W*$"
    r"|(?:品番|コード|番号|번호|코드)\W*$"
)
"""How headers of codes end, or begin."""
_SCIENTIFIC = r"^[+-]?\d([.,]\d+)?[eE]\+?\d{1,3}$"
_DIGITS = r"^\d+$"
_MONTH_DATE = (
    r"(?i)^(?:\d{1,2}[. -]+(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|"
    r"dez)[a-zä]{0,6}\.?"
    r"|(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zä]{0,6}[."
    r" -]+\d{1,2}(?:\d\d)?)$"
)


@dataclass
class Suspicion:
    """Something about a column that its user should know: code, text, first row, how many."""

    code: str
    what: str
    index: int | None = None
    value: str | None = None
    suggestion: str | None = None
    count: int = 1


@dataclass
class Judged:
    """What a column holds."""

    kind: str
    sniffed: Sniffed | None = None
    date: str | None = None
    is_open_date: bool = False
    unit: str | None = None
    suspicions: list[Suspicion] = field(default_factory=list)


def judge_column(
    header: str, cells: pl.Series, native: pl.Series | None, dated: pl.Series | None
) -> Judged:
    """Return what a column holds, judged by a sample, and by all its cells where that matters."""
    filled = cells.drop_nulls()
    if not len(filled):
        return Judged("empty")
    sample = _sample(filled)
    looks = Counter(look(c) for c in sample)
    known = max(len(sample) - looks[NOTHING_KNOWN], 1)
    judged = Judged("text")
    if _is_yesno({c.casefold() for c in sample}):
        judged.kind = "yesno"
    elif looks[DATE] > MOSTLY * known:
        _as_dates(judged, cells, dated)
    elif _is_code_column(header, cells, sample):
        judged.kind = "code"
    elif looks[NUMBER] > MOSTLY * known:
        _as_numbers(judged, cells, native, sample, looks)
    _errors(judged, cells)
    _dates_for_others(judged, cells, dated)
    if judged.kind in ("code", "text"):
        _codes(judged, header, cells, native)
    elif judged.kind == "number":
        _codes_as_numbers(judged, header, cells, filled)
    return judged


def _as_dates(judged: Judged, cells: pl.Series, dated: pl.Series | None) -> None:
    """Find the format of a column of dates; those that are dates by type need none."""
    judged.kind = "date"
    words = _words_only(cells, dated)
    judged.date, judged.is_open_date = sniff_dates(words)
    if judged.date is None:
        judged.date = "%Y-%m-%d"


def _as_numbers(
    judged: Judged,
    cells: pl.Series,
    native: pl.Series | None,
    sample: list[str],
    looks: Counter[str],
) -> None:
    """Find format and units of a column of numbers."""
    judged.kind = "number"
    judged.sniffed = _format(cells, native, cells.drop_nulls(), sample)
    _stored_as_text(judged, cells, native)
    if looks[WORDS] or any(not c[-1].isdigit() or not c[0].isdigit() for c in sample):
        _units_in_cells(judged, cells, native)


def _is_yesno(words: set[str]) -> bool:
    """Tell whether a column holds yes, no or both, and more than 1 and 0."""
    if not words <= _YESNO or all(w.isdigit() for w in words):
        return False
    return len(words) == 1 or bool(words - frozenset(YES)) or len(words) > 2


def _sample(filled: pl.Series) -> list[str]:
    if len(filled) <= 2 * SAMPLE:
        return filled.to_list()
    step = len(filled) // SAMPLE
    return filled.head(SAMPLE).to_list() + filled.gather_every(step).to_list()


def _words_only(cells: pl.Series, dated: pl.Series | None) -> pl.Series:
    return cells if dated is None or not dated.any() or dated.all() else cells.set(dated, None)


def _is_code_column(header: str, cells: pl.Series, sample: list[str]) -> bool:
    """Tell whether digits name something here: zeros lead, or the header says so."""
    digits = [c for c in sample if c.isdigit()]
    if len(digits) < 0.5 * len(sample):
        return False
    if any(len(c) > 1 and c.startswith("0") for c in digits):
        return True
    if not _CODE_WORDS.search(header):
        return False
    return len(digits) >= 0.8 * len(sample) and sum(len(c) >= 3 for c in digits) > 0.5 * len(digits)


def _format(
    cells: pl.Series, native: pl.Series | None, filled: pl.Series, sample: list[str]
) -> Sniffed:
    """Return the number format, from as few cells as settle it."""
    if native is not None and native.any():
        words = cells.filter(~native & cells.is_not_null())
        return sniff_format(words.head(20 * SAMPLE)) if len(words) else Sniffed(form=NumberFormat())
    plain = filled.cast(pl.Float64, strict=False)
    if plain.null_count() == 0:
        has_point = any("." in c for c in sample) or filled.str.contains(".", literal=True).any()
        if not has_point:
            return Sniffed(form=NumberFormat())
    some = (
        filled if len(filled) <= 20 * SAMPLE else filled.gather_every(len(filled) // (10 * SAMPLE))
    )
    first = sniff_format(some)
    if first.decimal and not first.is_mixed:
        return first  # what contradicts it cannot be read by it, and is told then
    return sniff_format(filled)


def _stored_as_text(judged: Judged, cells: pl.Series, native: pl.Series | None) -> None:
    if native is None or not native.any():
        return
    words = ~native & cells.is_not_null()
    if words.any():
        some = cells.filter(words)
        numeric = take_apart(some)["core"].is_not_null()
        n = int(numeric.sum())
        if n:
            at = int(words.arg_true()[int(numeric.arg_true()[0])])
            what = "numbers are stored as text among real numbers"
            judged.suspicions.append(Suspicion("N709", what, at, cells[at], count=n))


def _units_in_cells(judged: Judged, cells: pl.Series, native: pl.Series | None) -> None:
    words = cells.is_not_null() if native is None else ~native & cells.is_not_null()
    units = take_apart(cells.filter(words))["unit"].fill_null("")
    counts: Counter[str] = Counter()
    for text, n in units.value_counts().iter_rows():
        unit = canonical_unit(text) if text else None
        if unit is not None:
            counts[unit] += n
    if not counts:
        return
    names = [u for u, _ in counts.most_common()]
    total = sum(counts.values())
    if len(names) == 1:
        judged.unit = names[0]
        what = f"numbers carry their unit in the cell: {names[0]}"
        judged.suspicions.append(Suspicion("N710", what, count=total))
    else:
        what = f"numbers carry different units: {listed(names)}"
        judged.suspicions.append(Suspicion("W715", what, count=total))


def _errors(judged: Judged, cells: pl.Series) -> None:
    if not cells.str.starts_with("#").any():
        return
    errors = cells.str.contains(ERRORS).fill_null(value=False)
    if not errors.any():
        return
    without = errors & cells.str.contains("formula without a value", literal=True)
    for code, where, what in (
        ("W704", errors & ~without, "an error of the spreadsheet stands in place of a value"),
        ("W705", without, "a formula has no value saved with it"),
    ):
        if where.any():
            at = int(where.arg_true()[0])
            judged.suspicions.append(Suspicion(code, what, at, cells[at], count=int(where.sum())))


def _dates_for_others(judged: Judged, cells: pl.Series, dated: pl.Series | None) -> None:
    """Find dates among numbers or codes: a spreadsheet makes the first of February of "1-2"."""
    if judged.kind == "date":
        return
    if dated is not None and dated.any():
        is_date = dated
    elif judged.kind in ("number", "code", "text") and cells.str.contains(_MONTH_DATE).any():
        is_date = cells.str.contains(_MONTH_DATE).fill_null(value=False)
    else:
        return
    n = int(is_date.sum())
    if n > 0.5 * (len(cells) - cells.null_count()):
        return
    at = int(is_date.arg_true()[0])
    what = f"dates stand among {'numbers' if judged.kind == 'number' else 'labels'}"
    judged.suspicions.append(Suspicion("W706", what, at, cells[at], _undated(cells[at]), n))


def _undated(cell: str | None) -> str | None:
    """Return what a date may have been before a spreadsheet took it for one."""
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", cell or "")
    return f"{int(match[3])}-{int(match[2])} or {int(match[2])}-{int(match[3])}" if match else None


def _codes(judged: Judged, header: str, cells: pl.Series, native: pl.Series | None) -> None:
    filled = cells.is_not_null()
    digits = cells.str.contains(_DIGITS).fill_null(value=False)
    n_digits = int(digits.sum())
    scientific = cells.str.contains(_SCIENTIFIC).fill_null(value=False)
    if scientific.any():
        at = int(scientific.arg_true()[0])
        what = "a code was turned into a number: its digits are lost"
        judged.suspicions.append(
            Suspicion("W708", what, at, cells[at], count=int(scientific.sum()))
        )
    if judged.kind != "code" or n_digits < 4 or n_digits < 0.5 * int(filled.sum()):
        return
    lengths = cells.str.len_chars().filter(digits)
    counts = lengths.value_counts().sort("count", descending=True)
    width, n = int(counts[lengths.name][0]), int(counts["count"][0])
    short = digits & (cells.str.len_chars() < width) & (cells.str.len_chars() >= max(width - 3, 1))
    if not short.any() or n < 0.6 * n_digits or width < 3:
        return
    if int(counts[lengths.name].max()) > width:  # type: ignore[arg-type]
        return
    if int(short.sum()) + n < 0.95 * n_digits:
        return
    at = int(short.arg_true()[0])
    what = f"most codes have {width} digits, some fewer: leading zeros may be lost"
    cell = cells[at] or ""
    judged.suspicions.append(Suspicion("W707", what, at, cell, cell.zfill(width), int(short.sum())))


def _codes_as_numbers(judged: Judged, header: str, cells: pl.Series, filled: pl.Series) -> None:
    """Find a column of codes of which every one was turned into a number."""
    if not _CODE_WORDS.search(header):
        return
    scientific = cells.str.contains(_SCIENTIFIC).fill_null(value=False)
    if scientific.any():
        at = int(scientific.arg_true()[0])
        what = "a code was turned into a number: its digits are lost"
        judged.suspicions.append(
            Suspicion("W708", what, at, cells[at], count=int(scientific.sum()))
        )
        judged.kind = "code"
        judged.sniffed = None


def shared_sniffs(judged: Iterable[Judged]) -> list[Sniffed]:
    """Return what the number columns of a file tell about its marks."""
    return [j.sniffed for j in judged if j.sniffed is not None]
