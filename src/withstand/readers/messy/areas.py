"""Find the tables of a grid: rectangles parted by blank rows and columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from withstand.readers.messy.headers import find_header, is_named
from withstand.readers.messy.looks import BLANK, NUMBER, WORDS, look

if TYPE_CHECKING:
    from withstand.readers.messy.grid import Grid

MOST_BANDS = 400
MOST_GROUPS = 200
SAMPLE = 60
_SAME = 0.8


@dataclass
class Area:
    """A rectangle of a grid (half open, 0-based) that holds one table, and the notes around it."""

    top: int
    bottom: int
    left: int
    right: int
    notes: list[tuple[int, str]] = field(default_factory=list)


def find_areas(grid: Grid, filled: np.ndarray) -> list[Area]:
    """Return the tables of a grid in reading order."""
    whole = _trimmed(filled, Area(0, filled.shape[0], 0, filled.shape[1]))
    if whole is None:
        return []
    areas: list[Area] = []
    for part in _side_by_side(grid, filled, whole):
        areas += _one_below_the_other(grid, filled, part)
    if not areas and whole is not None:
        return [whole]
    return sorted(areas, key=lambda a: (a.top, a.left))


def sample_rows(grid: Grid, filled: np.ndarray, area: Area, most: int = SAMPLE) -> list[int]:
    """Return the first rows of an area that are not blank."""
    found: list[int] = []
    at = area.top
    while at < area.bottom and len(found) < most:
        step = np.asarray(filled[at : at + 4 * most, area.left : area.right].any(axis=1))
        found += (np.flatnonzero(step[: area.bottom - at]) + at).tolist()
        at += 4 * most
    return found[:most]


def cells_of(grid: Grid, rows: list[int], area: Area) -> list[list[str | None]]:
    """Return the cells of some rows of an area."""
    columns = [grid.columns[k].gather(rows).to_list() for k in range(area.left, area.right)]
    return [list(row) for row in zip(*columns, strict=True)]


def _trimmed(filled: np.ndarray, area: Area) -> Area | None:
    """Return an area without blank rows and columns around it."""
    inner = filled[area.top : area.bottom, area.left : area.right]
    rows, columns = np.asarray(inner.any(axis=1)), np.asarray(inner.any(axis=0))
    if not rows.any():
        return None
    top, bottom = int(rows.argmax()), len(rows) - int(rows[::-1].argmax())
    left, right = int(columns.argmax()), len(columns) - int(columns[::-1].argmax())
    return Area(area.top + top, area.top + bottom, area.left + left, area.left + right)


def _runs(filled: np.ndarray) -> list[tuple[int, int]]:
    """Return the runs of True of a vector, half open."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], filled.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


# --- side by side --------------------------------------------------------------------------------


def _side_by_side(grid: Grid, filled: np.ndarray, area: Area) -> list[Area]:
    """Part an area at blank columns, where what stands left and right are different tables."""
    inner = filled[area.top : area.bottom, area.left : area.right]
    groups = _runs(np.asarray(inner.any(axis=0)))
    if len(groups) == 1 or len(groups) > MOST_GROUPS:
        return [area]
    parts = [groups[0]]
    for left, right in groups[1:]:
        before = parts[-1]
        first = Area(area.top, area.bottom, area.left + before[0], area.left + before[1])
        second = Area(area.top, area.bottom, area.left + left, area.left + right)
        if _are_apart(grid, filled, first, second):
            parts.append((left, right))
        else:
            parts[-1] = (before[0], right)
    found = []
    for left, right in parts:
        part = Area(area.top, area.bottom, area.left + left, area.left + right)
        trimmed = _trimmed(filled, part)
        if trimmed is not None:
            found.append(trimmed)
    return found


def _are_apart(grid: Grid, filled: np.ndarray, first: Area, second: Area) -> bool:
    """Tell whether two column groups are two tables and not one with a blank column."""
    a = filled[first.top : first.bottom, first.left : first.right]
    b = filled[second.top : second.bottom, second.left : second.right]
    rows_a = a.sum(axis=1) >= min(2, a.shape[1])
    rows_b = b.sum(axis=1) >= min(2, b.shape[1])
    either = int((rows_a | rows_b).sum())
    together = int((rows_a & rows_b).sum())
    if either == 0:
        return False
    heads = []
    for area in (first, second):
        trimmed = _trimmed(filled, area)
        if trimmed is None:
            return False
        rows = sample_rows(grid, filled, trimmed)
        cells = cells_of(grid, rows, trimmed)
        header = find_header(cells)
        at = rows[header.rows[-1]] if header.rows else -1
        names = {c.casefold() for c in cells[header.rows[-1]] if c} if header.rows else set()
        heads.append((at, names))
    (row_a, names_a), (row_b, names_b) = heads
    ends = [int(np.flatnonzero(r)[-1]) if r.any() else -1 for r in (rows_a, rows_b)]
    if together >= _SAME * either and abs(ends[0] - ends[1]) <= 1:
        is_again = len(names_a & names_b) >= 0.5 * max(min(len(names_a), len(names_b)), 1)
        is_wide_gap = second.left - first.right >= 2 and second.right - second.left >= 2
        return (is_again and bool(names_a)) or (is_wide_gap and row_b >= 0)
    has_both = row_a >= 0 and row_b >= 0
    if not has_both:
        return second.left - first.right >= 2
    return True


# --- one below the other -------------------------------------------------------------------------


def _one_below_the_other(grid: Grid, filled: np.ndarray, area: Area) -> list[Area]:
    """Part an area at blank rows, where a new table begins after them."""
    rows = np.asarray(filled[area.top : area.bottom, area.left : area.right].any(axis=1))
    bands = _runs(rows)
    if len(bands) == 1 or len(bands) > MOST_BANDS:
        return [area]
    tables: list[Area] = []
    waiting: list[tuple[int, str]] = []
    for top, bottom in bands:
        band = Area(area.top + top, area.top + bottom, area.left, area.right)
        for part in _parts_of_band(grid, filled, band):
            if _is_notes(filled, part) or _is_form(grid, part, filled):
                waiting += _lines(grid, part)
                continue
            host = next(
                (t for t in reversed(tables) if _goes_on(grid, filled, t, part, waiting)), None
            )
            if host is not None:
                host.bottom = max(host.bottom, part.bottom)
                host.left, host.right = min(host.left, part.left), max(host.right, part.right)
                continue
            if _is_scrap(grid, part, filled):
                waiting += _lines(grid, part)
                continue
            part.notes = waiting
            waiting = []
            tables.append(part)
    if tables:
        tables[-1].notes += waiting
        return tables
    return [area]


def _parts_of_band(grid: Grid, filled: np.ndarray, band: Area) -> list[Area]:
    trimmed = _trimmed(filled, band)
    if trimmed is None:
        return []
    if trimmed.bottom - trimmed.top < 3:
        return [trimmed]
    return _side_by_side(grid, filled, trimmed)


def _is_notes(filled: np.ndarray, area: Area) -> bool:
    """Tell whether no row of an area holds more than one cell."""
    return int(filled[area.top : area.bottom, area.left : area.right].sum(axis=1).max()) <= 1


def _is_form(grid: Grid, area: Area, filled: np.ndarray) -> bool:
    """Tell whether an area is a few lines of `label: value` above a table."""
    if area.bottom - area.top > 12 or area.right - area.left < 2:
        return False
    inner = filled[area.top : area.bottom, area.left : area.right]
    if int(inner.sum(axis=1).max()) > 2:
        return False
    cells = cells_of(grid, list(range(area.top, area.bottom)), area)
    firsts = [next(c for c in row if c is not None) for row in cells if any(row)]
    return sum(":" in c for c in firsts) >= 0.6 * len(firsts)


def _is_scrap(grid: Grid, area: Area, filled: np.ndarray) -> bool:
    """Tell whether an area is a line or two without a header, and so no table."""
    inner = filled[area.top : area.bottom, area.left : area.right]
    if area.bottom - area.top > 3 or int(inner.sum(axis=1).max()) > 2:
        return False
    return not find_header(cells_of(grid, list(range(area.top, area.bottom)), area)).rows


def _lines(grid: Grid, area: Area) -> list[tuple[int, str]]:
    rows = list(range(area.top, min(area.bottom, area.top + SAMPLE)))
    cells = cells_of(grid, rows, area)
    return [(r, " ".join(c for c in row if c)) for r, row in zip(rows, cells, strict=True)]


def _goes_on(
    grid: Grid, filled: np.ndarray, table: Area, part: Area, waiting: list[tuple[int, str]]
) -> bool:
    """Tell whether a part below a table is more of the same table."""
    if part.right <= table.left or part.left >= table.right:
        return False
    is_line = table.bottom - table.top == 1
    if part.left < table.left or (part.right > table.right and not is_line):
        return False
    both = Area(0, 0, table.left, max(table.right, part.right))
    above = cells_of(grid, sample_rows(grid, filled, table), both)
    below = cells_of(grid, sample_rows(grid, filled, part), both)
    head_a, head_b = find_header(above), find_header(below)
    if not head_b.rows:
        return True
    if head_a.rows and above[head_a.rows[-1]] == below[head_b.rows[-1]]:
        return True
    if len(below) == 1:
        return True
    body_a, body_b = above[head_a.body :], below[head_b.body :]
    head = below[head_b.rows[-1]]
    numeric = _numeric_columns(body_a)
    if numeric:
        worded = sum(look(head[k]) == WORDS for k in numeric)
        return worded < 0.5 * len(numeric) and not waiting
    if not body_a or _numeric_columns(body_b) or (head_a.rows and is_named(head)):
        return False
    same_width = part.left == table.left and part.right == table.right
    return same_width and not waiting


def _numeric_columns(rows: list[list[str | None]]) -> list[int]:
    looks = [[look(c) for c in row] for row in rows]
    return [k for k in range(len(looks[0])) if _is_numeric(looks, k)] if looks else []


def _is_numeric(looks: list[list[str]], column: int) -> bool:
    kinds = [row[column] for row in looks if row[column] != BLANK]
    return bool(kinds) and kinds.count(NUMBER) > 0.5 * len(kinds)
