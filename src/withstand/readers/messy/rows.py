"""Which rows of a table are no data: totals, sections, footnotes, repeated headers, blanks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from withstand.readers.messy.looks import DATE, NUMBER, look
from withstand.readers.messy.words import TOTAL

_TOTAL_BEHIND = r"(?i)^.{1,60}\s(?:total|gesamt|summe|ergebnis|итог|итого|всего|合计|小计)\s*:?$"
_NOTE = re.compile(
    r"(?i)(?:\*|†|‡|¹|²|³|\d{1,2}\)|\([\da-z*]\)|note|notes|anm|anmerkung|hinweis|source|quelle|"
    r"fuente|nota|fonte|"
    r"примеч|источник|注|备注|出典|printed|stand|export|created|erstellt|generated|confidential|"
    r"vertraulich|page|seite|"
    r"legend|legende|remark|comment|as of|last updated|prepared by)"
)
_LONG = 60
_TAIL = 12
_USUAL = 0.8
_MOST_SUMS = 200  # each check reads the column down to the row
Values = Callable[[int], np.ndarray]
"""Numbers of a column of the body (0-based), NaN where there are none."""


@dataclass
class Sorted:
    """Rows of a body (by position) that are no data, with the reason, and rows only suspected."""

    reasons: dict[int, str] = field(default_factory=dict)
    suspects: list[int] = field(default_factory=list)


def sort_rows(
    cells: list[pl.Series], filled: np.ndarray, header: list[list[str | None]], values: Values
) -> Sorted:
    """Return which rows of a body are no data.

    Parameters
    ----------
    cells : list of polars.Series of String
        The body, a column each.
    filled : ndarray of bool, shape (n_rows, n_columns)
        Which cells hold anything.
    header : list of rows
        The rows of the header, to find it again further down.
    values : callable
        Numbers of a column, asked for only where a sum is to be checked.
    """
    out = Sorted()
    n_rows = len(filled)
    if n_rows == 0:
        return out
    fill = filled.sum(axis=1)
    for row in np.flatnonzero(fill == 0).tolist():
        out.reasons[row] = "blank"
    for row in _repeats(cells, header):
        out.reasons[row] = "repeated header"
    usual = _usual_fill(fill)
    is_candidate = (fill < usual) & (fill > 0)
    is_candidate[-3:] |= fill[-3:] > 0
    candidates = [r for r in np.flatnonzero(is_candidate).tolist() if r not in out.reasons]
    if not candidates:
        return out
    data = _data_rows(filled, fill, usual)
    totals = _totals(cells, filled, np.array(candidates), data, values, out)
    for row in totals:
        out.reasons[row] = "total"
    out.suspects = [row for row in out.suspects if row not in out.reasons]
    _sections_and_notes(cells, filled, fill, usual, candidates, out)
    _sum_without_words(cells, filled, data, values, out)
    return out


def _usual_fill(fill: np.ndarray) -> int:
    """Return how many cells a row of data usually holds: sections, totals and notes hold fewer."""
    wide = np.sort(fill[fill > 0])
    if not len(wide):
        return 0
    counts = np.bincount(wide[len(wide) // 2 :])
    return len(counts) - 1 - int(counts[::-1].argmax())


def _repeats(cells: list[pl.Series], header: list[list[str | None]]) -> list[int]:
    """Return rows that say a row of the header again."""
    found: set[int] = set()
    for row in header:
        named = [k for k, text in enumerate(row) if text is not None]
        if len(named) < 2:
            continue
        same = sum((cells[k] == row[k]).fill_null(value=False).cast(pl.Int32) for k in named)
        if isinstance(same, pl.Series):
            found.update((same >= max(2, 0.6 * len(named))).arg_true().to_list())
    return sorted(found)


def _totals(
    cells: list[pl.Series],
    filled: np.ndarray,
    rows: np.ndarray,
    data: _DataRows,
    values: Values,
    out: Sorted,
) -> list[int]:
    """Return rows that name a sum: first of all, with keys left blank, or adding up."""
    says = np.zeros((len(rows), len(cells)), dtype=bool)
    behind = np.zeros_like(says)
    for k, column in enumerate(cells):
        some = column.gather(rows)
        says[:, k] = some.str.contains(TOTAL).fill_null(value=False).to_numpy()
        behind[:, k] = some.str.contains(_TOTAL_BEHIND).fill_null(value=False).to_numpy()
    found: list[int] = []
    n_checked = 0
    for at in np.flatnonzero((says | behind).any(axis=1)).tolist():
        row = int(rows[at])
        first = int(filled[row].argmax())
        keys = data.usual_columns(row)
        lacks = int((~filled[row, keys]).sum())
        leads = says[at, first] or (behind[at, first] and _has_number(cells, filled, row))
        others = len(keys) - lacks - int(first in keys)
        if leads and lacks and others <= 0.7 * max(len(keys) - 1, 1):
            found.append(row)
            continue
        n_checked += 1
        if n_checked <= _MOST_SUMS and _adds_up(row, filled, values, found):
            found.append(row)
        elif says[at, first]:
            out.suspects.append(row)
    return found


@dataclass
class _DataRows:
    """How often the rows of data fill each column."""

    is_data: np.ndarray
    counts: np.ndarray
    n: int
    filled: np.ndarray

    def usual_columns(self, row: int) -> np.ndarray:
        """Return the columns that most rows of data fill, this row left out."""
        own = int(self.is_data[row])
        n = self.n - own
        if n <= 0:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self.counts - own * self.filled[row] >= _USUAL * n)


def _data_rows(filled: np.ndarray, fill: np.ndarray, usual: int) -> _DataRows:
    is_data = fill >= 0.75 * usual
    return _DataRows(is_data, filled[is_data].sum(axis=0), int(is_data.sum()), filled)


def _has_number(cells: list[pl.Series], filled: np.ndarray, row: int) -> bool:
    return any(look(cells[k][row]) == NUMBER for k in np.flatnonzero(filled[row]).tolist())


def _adds_up(row: int, filled: np.ndarray, values: Values, sums: list[int]) -> bool:
    """Tell whether a number of a row is the sum of those above it, since the last sum or in all."""
    start = max((s + 1 for s in sums if s < row), default=0)
    for k in np.flatnonzero(filled[row]).tolist():
        numbers = values(k)
        total = numbers[row]
        if not np.isfinite(total) or total == 0.0:
            continue
        kept = np.ones(row, dtype=bool)
        kept[[s for s in sums if s < row]] = False
        for above in (numbers[start:row], numbers[:row][kept]):
            terms = above[np.isfinite(above)]
            if len(terms) >= 2 and abs(terms.sum() - total) <= 1e-6 * max(
                abs(total), np.abs(terms).sum() * 1e-3
            ):
                return True
    return False


def _sections_and_notes(
    cells: list[pl.Series],
    filled: np.ndarray,
    fill: np.ndarray,
    usual: int,
    candidates: list[int],
    out: Sorted,
) -> None:
    """Note rows of one cell in a wider table: footnotes at the end, sections in between."""
    n_rows, width = filled.shape
    is_tail = True
    lone = [r for r in candidates if fill[r] == 1 or r >= n_rows - _TAIL]
    if len(lone) > max(0.2 * n_rows, 20):
        return  # rows of one cell are how this table is
    for row in reversed(lone):
        if row in out.reasons:
            continue
        is_last = is_tail and all(
            r in out.reasons for r in range(row + 1, min(n_rows, row + _TAIL))
        )
        is_tail = is_last
        at = int(filled[row].argmax())
        text = cells[at][row] or ""
        if fill[row] == 2 and is_last and usual > 2 and _NOTE.match(text):
            out.reasons[row] = "note"
            continue
        if fill[row] != 1 or width < 2:
            continue
        is_note = len(text) > _LONG or _NOTE.match(text) is not None
        if is_last and is_note and (usual > 1):
            out.reasons[row] = "note"
        elif usual >= 3 and width >= 3 and not _is_code(text, cells[at], at):
            if look(text) in (NUMBER, DATE):
                continue
            out.reasons[row] = "note" if is_last or is_note else "section"


def _is_code(text: str, column: pl.Series, at: int) -> bool:
    """Tell whether a lone cell looks like the labels of its column, so that the row is data."""
    if at > 1 or " " in text or len(text) > 30:
        return False
    others = column.drop_nulls().head(200)
    shape = pl.Series([text])
    shape, shapes = (
        s.str.replace_all(r"\d", "0")
        .str.replace_all(r"\p{Lu}", "A")
        .str.replace_all(r"\p{Ll}", "a")
        for s in (shape, others)
    )
    return int((shapes == shape[0]).sum()) > 0.3 * len(others)


def _sum_without_words(
    cells: list[pl.Series], filled: np.ndarray, data: _DataRows, values: Values, out: Sorted
) -> None:
    """Find a last row that holds only sums of what is above."""
    n_rows, _ = filled.shape
    last = next((r for r in range(n_rows - 1, -1, -1) if r not in out.reasons), -1)
    if last < 2 or n_rows > 200_000:
        return
    there = np.flatnonzero(filled[last]).tolist()
    words = [k for k in data.usual_columns(last).tolist() if not filled[last, k]]
    if not words or 0 in there or not all(look(cells[k][last]) == NUMBER for k in there):
        return
    sums = [r for r, reason in out.reasons.items() if reason == "total"]
    if _adds_up(last, filled, values, sums):
        out.reasons[last] = "total"
