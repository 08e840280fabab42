"""Find the header of a table: it may start lower, span rows, and have a row of units."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from withstand.readers.messy.looks import (
    BLANK,
    DATE,
    NOTHING_KNOWN,
    NUMBER,
    WORDS,
    is_year,
    look,
)
from withstand.readers.messy.units import canonical_unit
from withstand.readers.messy.words import is_header_word

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

DEEP = 40
_LONG = 60
Row = list[str | None]


@dataclass(frozen=True)
class Header:
    """Where the header of a table is, by positions in the rows looked at."""

    rows: tuple[int, ...]
    body: int
    skipped: tuple[int, ...] = ()


def find_header(rows: Sequence[Row], spans: Collection[int] = ()) -> Header:
    """Return where the header is among the first rows of a table (blank rows left out).

    The header is the first row that is about as wide as the table, holds only words (or years), and
    differs from those below it: numbers under words, or words that do not come again.

    Parameters
    ----------
    rows : sequence of rows
        Cells, None for blank ones.
    spans : collection of int
        Positions of rows that hold cells merged across some columns.

    Examples
    --------
    >>> find_header([["Stock list", None], ["Part", "Qty"], ["A1", "3"], ["B2", "4"]]).rows
    (1,)
    """
    looks = [[look(c) for c in row] for row in rows]
    fill = [sum(k != BLANK for k in row) for row in looks]
    usual = _usual_fill(fill)
    main = None
    for i, row in enumerate(rows[:DEEP]):
        if fill[i] < max(min(2, usual), 0.5 * usual):
            continue
        if _is_header(i, row, rows, looks):
            main = i
            break
        if sum(_is_data(looks[j], fill[j], usual) for j in range(i + 1)) >= 2:
            break
    if main is None:
        start = next((i for i, n in enumerate(fill) if n >= max(min(2, usual), 0.5 * usual)), 0)
        return Header((), start)
    top = main
    while top > 0 and _is_group_row(
        rows[top - 1], looks[top - 1], rows[main], fill[top - 1] + (top - 1 in spans)
    ):
        top -= 1
    last = main
    while last + 1 < len(rows) - 1 and last - main < 2 and _goes_on(last + 1, rows, looks, main):
        last += 1
    skipped: tuple[int, ...] = ()
    if last + 1 < len(rows) and _counts_columns(rows[last + 1]):
        skipped = (last + 1,)
    return Header(tuple(range(top, last + 1)), last + 1 + len(skipped), skipped)


def is_named(row: Row) -> bool:
    """Tell whether most cells of a row are words that headers hold."""
    cells = [c for c in row if c is not None]
    return sum(map(is_header_word, cells)) > 0.5 * len(cells)


def _usual_fill(fill: Sequence[int]) -> int:
    """Return how many cells the rows of the table usually hold: titles do not count."""
    wide = [n for n in fill if n > 1]
    if not wide:
        return 1
    top = sorted(wide)[-max(len(wide) // 2, 1) :]
    return Counter(top).most_common(1)[0][0]


def _is_data(looks: list[str], fill: int, usual: int) -> bool:
    return fill >= 0.5 * usual and any(k in (NUMBER, DATE) for k in looks)


def _is_header(i: int, row: Row, rows: Sequence[Row], looks: Sequence[list[str]]) -> bool:
    cells = [c for c in row if c is not None]
    numbers = [c for c, k in zip(row, looks[i], strict=True) if k in (NUMBER, DATE)]
    words = looks[i].count(WORDS)
    if numbers and not (all(is_year(c) for c in numbers) and len(numbers) > 1):
        return False
    if not words or sum(len(c) > _LONG for c in cells) > 0.3 * len(cells):
        return False
    if any(c.rstrip().endswith(":") for c in cells) and len(cells) <= 3:
        return False
    if len({c.casefold() for c in cells}) < 0.5 * len(cells):
        return False
    below = rows[i + 1 :]
    if not below:
        return True
    again = sum(
        c is not None and any(r[k] == c for r in below if r != row)
        for k, c in enumerate(row)
        if looks[i][k] == WORDS
    )
    differs = sum(
        looks[i][k] == WORDS and _mostly_numbers([r[k] for r in looks[i + 1 :]])
        for k in range(len(row))
    )
    named = sum(k == WORDS and is_header_word(c or "") for c, k in zip(row, looks[i], strict=True))
    if differs or named >= 0.5 * words:
        return again <= 0.5 * words
    return again == 0 or (again <= 0.2 * words)


def _mostly_numbers(looks: Sequence[str]) -> bool:
    known = [k for k in looks if k not in (BLANK, NOTHING_KNOWN)]
    return bool(known) and sum(k in (NUMBER, DATE) for k in known) > 0.5 * len(known)


def _is_group_row(row: Row, looks: list[str], below: Row, fill: int) -> bool:
    """Tell whether a row above the header groups its columns: words with gaps over filled cells."""
    if fill < 2 or any(k in (NUMBER, DATE) for k in looks):
        return fill >= 2 and all(is_year(c) for c, k in zip(row, looks, strict=True) if k != BLANK)
    cells = [c for c in row if c is not None]
    if any(":" in c or len(c) > _LONG for c in cells):
        return False
    over = sum(c is not None and b is not None for c, b in zip(row, below, strict=True))
    gaps = sum(b is None for b in below)
    return over >= 1 or gaps >= 1


def _goes_on(i: int, rows: Sequence[Row], looks: Sequence[list[str]], main: int) -> bool:
    """Tell whether the row after the header belongs to it: units, or names below groups."""
    filled = [k for k, kind in enumerate(looks[i]) if kind != BLANK]
    if not filled or any(looks[i][k] in (NUMBER, DATE) for k in filled):
        return False
    below = looks[i + 1 :]
    if not below:
        return False
    cells = [rows[i][k] or "" for k in filled]
    n_units = sum(canonical_unit(c.strip("[]() ")) is not None for c in cells)
    if n_units and n_units + sum(looks[i][k] == NOTHING_KNOWN for k in filled) == len(filled):
        return True
    if any(len(c) > _LONG for c in cells):
        return False
    numeric = [k for k in range(len(rows[i])) if _mostly_numbers([r[k] for r in below])]
    worded = [k for k in numeric if looks[i][k] == WORDS]
    if numeric and len(worded) >= max(1, 0.5 * len(numeric)):
        others = [k for k in filled if k not in numeric]
        again = sum(any(r[k] == rows[i][k] for r in rows[i + 1 :]) for k in others)
        return again <= 0.3 * max(len(others), 1)
    gaps = [k for k, c in enumerate(rows[main]) if c is None and rows[i][k] is not None]
    under = [k for k in filled if rows[main][k] is None]
    return (
        bool(gaps)
        and len(under) >= 0.3 * len(filled)
        and len(filled) < len(rows[i]) + 1
        and all(not any(r[k] == rows[i][k] for r in rows[i + 1 :]) for k in filled)
    )


def _counts_columns(row: Row) -> bool:
    """Tell whether a row only numbers the columns: 1, 2, 3 ..."""
    cells = [c for c in row if c is not None]
    return len(cells) > 2 and cells == [str(i) for i in range(1, len(cells) + 1)]


def joined_header(rows: Sequence[Row], reaches: Sequence[bool] | None = None) -> list[str]:
    """Return one header a column: groups reach to the right over the names below them.

    Parameters
    ----------
    rows : sequence of rows
        The rows of the header.
    reaches : sequence of bool, optional
        Whether the cells of each row reach to the right at all; merged cells are filled already.

    Examples
    --------
    >>> joined_header([["Part", "Supplier", None, "Qty"], [None, "Name", "Country", None]])
    ['Part', 'Supplier / Name', 'Supplier / Country', 'Qty']
    """
    width = len(rows[0]) if rows else 0
    parts: list[list[str]] = [[] for _ in range(width)]
    for level, row in enumerate(rows):
        reach: str | None = None
        for k in range(width):
            cell = row[k]
            lower = any(below[k] is not None for below in rows[level + 1 :])
            if cell is not None:
                reach = cell if lower and (reaches is None or reaches[level]) else None
            elif lower and reach is not None and not parts[k]:
                cell = reach
            if cell is not None and (not parts[k] or parts[k][-1] != cell):
                parts[k].append(cell)
    return [" / ".join(p) for p in parts]
