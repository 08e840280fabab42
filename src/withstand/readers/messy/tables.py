"""From an area of a grid to a block: header, merged cells, rows that are no data, columns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.readers.messy.areas import Area, cells_of, sample_rows
from withstand.readers.messy.columns import Judged, judge_column
from withstand.readers.messy.formats import sniff_format
from withstand.readers.messy.headers import Header, find_header, joined_header
from withstand.readers.messy.how import BlockHow, NumberFormat
from withstand.readers.messy.numbers import read_numbers
from withstand.readers.messy.rows import Sorted, sort_rows

MOST_DROPPED = 10_000
_DEEP = 200
if TYPE_CHECKING:
    from withstand.readers.messy.grid import Grid

Row = list[str | None]


@dataclass(eq=False)
class Draft:
    """A table on its way to a block."""

    grid: Grid
    area: Area
    header_rows: tuple[int, ...]
    header: list[str]
    columns: list[int]
    cells: list[pl.Series]
    native: list[pl.Series | None]
    rows: np.ndarray
    judged: list[Judged]
    dropped: list[tuple[int, str, str]]
    notes: list[str]
    suspects: list[tuple[int, str]] = field(default_factory=list)
    n_filled_down: int = 0
    empty: list[int] = field(default_factory=list)
    is_transposed: bool = False


def draft_table(grid: Grid, filled: np.ndarray, area: Area, given: BlockHow | None) -> Draft:
    """Return the table of an area."""
    top_rows = sample_rows(grid, filled, area, _DEEP)
    cells = cells_of(grid, top_rows, area)
    spans = _spread_down(grid, area, top_rows, cells)
    header = _header(top_rows, cells, spans, given)
    header_rows = [top_rows[i] for i in header.rows]
    texts = _header_texts(grid, area, header_rows, [cells[i] for i in header.rows])
    first = top_rows[header.body] if header.body < len(top_rows) else area.bottom
    lines = [
        (r, " ".join(c for c in row if c))
        for i, (r, row) in enumerate(zip(top_rows, cells, strict=True))
        if r < first and i not in header.rows
    ]
    body = _body(grid, filled, area, first)
    columns = list(range(area.left, area.right))
    series = [grid.columns[k].slice(first, area.bottom - first) for k in columns]
    native = [_cut(grid.native[k], first, area.bottom) for k in columns]
    dated = [_cut(grid.dated[k], first, area.bottom) for k in columns]
    n_down = _fill_merged(grid, area, first, series)
    inner = body if n_down == 0 else _filled_again(series)
    kept_columns = [i for i in range(len(columns)) if texts[i] or bool(inner[:, i].any())]
    empty = [columns[i] for i in kept_columns if texts[i] and not bool(inner[:, i].any())]
    series = [series[i] for i in kept_columns]
    native = [native[i] for i in kept_columns]
    dated = [dated[i] for i in kept_columns]
    inner = inner[:, kept_columns]
    names = [texts[i] for i in kept_columns]
    head = [[cells[i][k] for k in kept_columns] for i in header.rows]
    numbers: dict[int, np.ndarray] = {}

    def values(k: int) -> np.ndarray:
        if k not in numbers:
            form = sniff_format(series[k].head(2000)).form or NumberFormat()
            read = read_numbers(series[k], form, native[k]).values
            numbers[k] = read.fill_null(float("nan")).to_numpy()
        return numbers[k]

    sorted_rows = sort_rows(series, inner, head, values)
    dropped, notes, kept = _without(sorted_rows, series, inner, first, len(inner))
    dropped = [
        (r + 1, "title", text) for r, text in lines if r > min(header_rows, default=0)
    ] + dropped
    if kept is not None:
        series = [s.gather(kept) for s in series]
        native = [None if s is None else s.gather(kept) for s in native]
        dated = [None if s is None else s.gather(kept) for s in dated]
    rows = (np.arange(len(inner)) if kept is None else kept) + first + 1
    if given is not None:
        series = [_filled_down(name, s, given) for name, s in zip(names, series, strict=True)]
    judged = [
        judge_column(name, s, n, d)
        for name, s, n, d in zip(names, series, native, dated, strict=True)
    ]
    return Draft(
        grid=grid,
        area=area,
        header_rows=tuple(r + 1 for r in header_rows),
        header=names,
        columns=[columns[i] + 1 for i in kept_columns],
        cells=series,
        native=[None if n is None or not n.any() else n for n in native],
        rows=rows.astype(np.int64),
        judged=judged,
        dropped=dropped,
        notes=[t for _, t in area.notes] + [t for _, t in lines] + notes,
        suspects=[
            (r + first + 1, _text(series_at(grid, area, r + first))) for r in sorted_rows.suspects
        ],
        n_filled_down=n_down,
        empty=[c + 1 for c in empty],
    )


def series_at(grid: Grid, area: Area, row: int) -> Row:
    """Return the cells of a row of an area."""
    return [grid.columns[k][row] for k in range(area.left, area.right)]


def _text(row: Row) -> str:
    return " | ".join(c for c in row if c)


def _cut(series: pl.Series | None, start: int, end: int) -> pl.Series | None:
    return None if series is None else series.slice(start, end - start)


def _body(grid: Grid, filled: np.ndarray, area: Area, first: int) -> np.ndarray:
    return filled[first : area.bottom, area.left : area.right]


def _filled_again(series: list[pl.Series]) -> np.ndarray:
    if not series:
        return np.zeros((0, 0), dtype=bool)
    return np.stack([s.is_not_null().to_numpy() for s in series], axis=1)


def _filled_down(name: str, cells: pl.Series, given: BlockHow) -> pl.Series:
    how = given.column(name)
    return cells.forward_fill() if how is not None and how.fill_down else cells


# --- header --------------------------------------------------------------------------------------


def _spread_down(grid: Grid, area: Area, rows: list[int], cells: list[Row]) -> frozenset[int]:
    """Fill cells merged downwards; return the rows with cells merged across part of the width."""
    at = {row: i for i, row in enumerate(rows)}
    spans = set()
    width = area.right - area.left
    for top, left, bottom, right in grid.merges:
        if right < area.left or left >= area.right or top not in at:
            continue
        if right > left and right - left + 1 < width:
            spans.add(at[top])
        if bottom > top and right == left:
            for row in range(top + 1, bottom + 1):
                if row in at:
                    cells[at[row]][left - area.left] = cells[at[top]][left - area.left]
    return frozenset(spans)


def _header(
    rows: list[int], cells: list[Row], spans: frozenset[int], given: BlockHow | None
) -> Header:
    sniffed = find_header(cells, spans)
    if given is None or not given.header_rows:
        return sniffed
    known = {c.header for c in given.columns}
    stated = tuple(rows.index(r - 1) for r in given.header_rows if r - 1 in rows)
    if not stated:
        return sniffed
    if known:  # the file of next month may have a line more above: the names decide
        fit = {
            h: len(known & set(joined_header([cells[i] for i in h.rows])))
            for h in (sniffed, Header(stated, max(stated) + 1))
        }
        return max(fit, key=lambda h: fit[h])
    return Header(stated, max(stated) + 1)


def _header_texts(grid: Grid, area: Area, rows: list[int], cells: list[Row]) -> list[str]:
    """Return one header a column; cells merged to the right reach as far as they are merged."""
    if not rows:
        return [""] * (area.right - area.left)
    reaches = []
    for row, line in zip(rows, cells, strict=True):
        merged = [m for m in grid.merges if m[0] <= row <= m[2] and m[3] > m[1]]
        for _, left, _, right in merged:
            if area.left <= left < area.right:
                for k in range(left + 1, min(right + 1, area.right)):
                    line[k - area.left] = line[left - area.left]
        reaches.append(not merged and not grid.merges)
    return joined_header(cells, reaches)


def _fill_merged(grid: Grid, area: Area, first: int, series: list[pl.Series]) -> int:
    """Fill cells of the body that are merged downwards; return how many."""
    n = 0
    for top, left, bottom, right in grid.merges:
        if bottom <= top or left != right or not area.left <= left < area.right or bottom < first:
            continue
        value = grid.columns[left][top]
        if value is None:
            continue
        start, end = max(top, first) - first, min(bottom, area.bottom - 1) - first
        places = list(range(start, end + 1))
        if places:
            column = series[left - area.left]
            series[left - area.left] = column.scatter(places, value)
            n += sum(p + first != top for p in places)
    return n


# --- body ----------------------------------------------------------------------------------------


def _without(
    found: Sorted, series: list[pl.Series], inner: np.ndarray, first: int, n_rows: int
) -> tuple[list[tuple[int, str, str]], list[str], np.ndarray | None]:
    """Return dropped rows, the notes among them, and the positions that stay (None: all)."""
    if not found.reasons:
        return [], [], None
    kept = np.ones(n_rows, dtype=bool)
    kept[list(found.reasons)] = False
    dropped, notes = [], []
    for row in sorted(found.reasons)[:MOST_DROPPED]:
        reason = found.reasons[row]
        text = "" if reason == "blank" else _text([s[row] for s in series])
        dropped.append((row + first + 1, reason, text))
        if reason == "note":
            notes.append(text)
    return dropped, notes, np.flatnonzero(kept)


def transposed(grid: Grid, area: Area) -> Grid:
    """Return an area with rows and columns exchanged, as a grid of its own."""
    rows = range(area.top, area.bottom)
    lines = [[grid.columns[k][r] for k in range(area.left, area.right)] for r in rows]

    def typed(masks: list[pl.Series | None]) -> list[pl.Series | None]:
        out: list[pl.Series | None] = []
        for r in rows:
            flags = [
                mask is not None and bool(mask[r])
                for mask in (masks[k] for k in range(area.left, area.right))
            ]
            out.append(pl.Series(flags, dtype=pl.Boolean) if any(flags) else None)
        return out

    columns = [pl.Series(line, dtype=pl.String) for line in lines]
    merges = [
        (m[1] - area.left, m[0] - area.top, m[3] - area.left, m[2] - area.top)
        for m in grid.merges
        if m[0] >= area.top and m[1] >= area.left and m[2] < area.bottom and m[3] < area.right
    ]
    return replace(
        grid,
        columns=columns,
        native=typed(grid.native),
        dated=typed(grid.dated),
        merges=merges,
        errors={},
        hidden_rows=set(),
        hidden_columns=set(),
    )
