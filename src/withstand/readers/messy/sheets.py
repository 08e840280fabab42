"""Read the sheets of a workbook into grids."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.exceptions import PanicException

from withstand.model.findings import Finding, Origin, make_finding, shorten
from withstand.readers.messy.archives import Inside, look_inside
from withstand.readers.messy.compound import damage
from withstand.readers.messy.grid import Grid, clean_cells
from withstand.readers.raw import cell_text

if TYPE_CHECKING:
    from pathlib import Path

    from withstand.readers.messy.limits import Limits

COMPOUND = b"\xd0\xcf\x11\xe0"  # how old workbooks and encrypted ones begin
_DATES = (datetime.date, datetime.datetime)


def read_sheets(
    path: Path, head: bytes, origin: Origin, limits: Limits
) -> tuple[list[Grid], list[Finding]]:
    """Return a grid for each sheet that holds anything, and what was wrong with the workbook."""
    inside, fault = _checked(path, head, limits)
    if fault is not None:
        return [], [make_finding(*fault, origin=origin)]
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum
    from python_calamine import SheetVisibleEnum as Visible

    grids: list[Grid] = []
    findings: list[Finding] = []
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            for meta in book.sheets_metadata:
                if meta.typ not in (SheetTypeEnum.WorkSheet, SheetTypeEnum.DialogSheet):
                    continue
                grid = _grid(book.get_sheet_by_name(meta.name), meta.name, inside.get(meta.name))
                if grid is None:
                    continue
                grid.is_hidden = meta.visible != Visible.Visible
                grids.append(grid)
    except PasswordError:
        what = "the workbook is protected by a password"
        fix = "Save a copy without the password."
        return [], [make_finding("E116", what, origin=origin, fix=fix)]
    except (CalamineError, ValueError, OverflowError, PanicException) as error:
        return [], [make_finding("E113", f"damaged workbook: {shorten(error)}", origin=origin)]
    except BaseException as error:  # a panic of the parser is no Exception
        if type(error).__name__ != "PanicException":
            raise
        what = f"damaged workbook: {shorten(error)}"
        return [], [make_finding("E113", what, origin=origin)]
    return grids, findings


def _checked(
    path: Path, head: bytes, limits: Limits
) -> tuple[dict[str, Inside], tuple[str, str] | None]:
    """See whether a workbook is safe to parse; return what the parser would not tell."""
    if head.startswith(b"PK"):
        return look_inside(path, limits)
    fault = damage(path.read_bytes())
    return {}, None if fault is None else ("E113", f"damaged workbook: {fault}")


def _grid(sheet: Any, name: str, inside: Inside | None) -> Grid | None:
    rows = sheet.to_python(skip_empty_area=False)
    if not rows or not rows[0]:
        return None
    inside = inside or Inside()
    columns, native, dated, cleaned = [], [], [], 0
    by_column: dict[int, dict[int, str]] = {}
    for (row, column), text in inside.errors.items():
        by_column.setdefault(column, {})[row] = text
    for i, cells in enumerate(zip(*rows, strict=True)):
        if i in by_column:
            cells = tuple(by_column[i].get(r, cell) for r, cell in enumerate(cells))
        as_written, is_native, is_dated = typed_column(cells)
        clean, n = clean_cells(as_written)
        cleaned += n
        columns.append(clean)
        native.append(is_native)
        dated.append(is_dated)
    merges = [(a[0], a[1], b[0], b[1]) for a, b in sheet.merged_cell_ranges or []]
    return Grid(
        name.strip(),
        name,
        columns,
        native,
        dated,
        merges=merges,
        errors=inside.errors,
        hidden_rows=inside.hidden_rows,
        hidden_columns=inside.hidden_columns,
        cleaned=cleaned,
    )


def typed_column(cells: tuple[Any, ...]) -> tuple[pl.Series, pl.Series | None, pl.Series | None]:
    """Return cells as text, and which of them are numbers or dates, and dates, by their type."""
    kinds = set(map(type, cells))
    if kinds <= {str}:
        text = pl.Series(cells, dtype=pl.String)
        return text.set(text == "", None), None, None
    text = pl.Series([_text(cell) for cell in cells], dtype=pl.String)
    native = dated = None
    if kinds & {int, float, *_DATES}:
        typed = (int, float, *_DATES)
        native = pl.Series(
            [isinstance(c, typed) and not isinstance(c, bool) for c in cells], dtype=pl.Boolean
        )
    if kinds & set(_DATES):
        dated = pl.Series([isinstance(c, _DATES) for c in cells], dtype=pl.Boolean)
    return text, native, dated


def _text(cell: Any) -> str | None:
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return cell_text(cell)
