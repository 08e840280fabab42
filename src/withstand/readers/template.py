"""The input workbook: a read-me sheet, one sheet a table with drop-downs and an example row."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import xlsxwriter

from withstand.model.tables import CLASSES, TABLES, Column, Table

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SHEETS = (
    "products",
    "nodes",
    "recipes",
    "links",
    "stocks",
    "regions",
    "occupations",
    "people",
    "transfers",
    "programmes",
    "intakes",
    "placements",
    "targets",
    "options",
    "option_effects",
)
_ROWS = 1000
_README = (
    "withstand input workbook",
    "",
    "One sheet a table. Required columns are in bold with a star in their note; all others may be "
    "left empty or deleted.",
    "Row 2 of each sheet is an example: replace it with your own first row.",
    "Numbers are written with a decimal point. Shares lie between 0 and 1.",
    "Flows and times are per period of the network (a week unless withstand.toml says otherwise).",
    "A recipe row for a product holds for all its producers at home; a link with buyer * serves "
    "every buyer.",
    "Check it: withstand check tables.xlsx",
)
_EXAMPLES: dict[str, list[list[object]]] = {
    "products": [
        ["GEAR", "Precision gear", "product", "piece", "848340", None],
        ["STEEL", "Gear steel", "material", "kg", "722830", None],
    ],
    "nodes": [
        ["GEAR@HOME", "GEAR", "HOME", None, None, None, 125, 100, 35],
        ["STEEL@HOME", "STEEL", "HOME", None, None, None, 160, None, 6],
    ],
    "recipes": [["GEAR", "STEEL", 1.2, "essential", "consumed"]],
    "links": [["STEEL@HOME", "*", "STEEL", 1, None, 4]],
    "stocks": [["*", "STEEL", None, 3]],
    "regions": [["HOME", "Home", "yes", None, 1, "yes"]],
}


def template_bytes() -> bytes:
    """Return the workbook; everything in it comes from the data dictionary."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        _read_me(book)
        for name in SHEETS:
            _sheet(book, TABLES[name])
    return buffer.getvalue()


def _read_me(book: Workbook) -> None:
    sheet = book.add_worksheet("read_me")
    sheet.hide_gridlines(2)
    title = book.add_format({"bold": True, "font_size": 14})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    head = book.add_format({"bold": True, "bottom": 1})
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 20)
    sheet.set_column(2, 2, 70)
    sheet.set_column(3, 4, 26)
    for row, line in enumerate(_README):
        if line:
            sheet.merge_range(row, 0, row, 4, line, title if row == 0 else wrap)
            if row:
                sheet.set_row(row, 30)
    row = len(_README) + 1
    for at, word in enumerate(("table", "column", "meaning", "unit", "if empty")):
        sheet.write_string(row, at, word, head)
    for name in SHEETS:
        for column in TABLES[name].columns:
            row += 1
            default = "required" if column.required else column.default
            cells = (name, column.name, column.meaning, column.unit, default)
            for at, text in enumerate(cells):
                sheet.write_string(row, at, text, wrap)


def _sheet(book: Workbook, table: Table) -> None:
    sheet = book.add_worksheet(table.name)
    bold = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF4"})
    plain = book.add_format({"bottom": 1, "bg_color": "#F5F7F9"})
    example = book.add_format({"italic": True, "font_color": "#666666"})
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, column.name, bold if column.required else plain)
        sheet.write_comment(0, at, _note(column), {"x_scale": 2})
        sheet.set_column(at, at, max(12, len(column.name) + 2))
        _drop_down(sheet, at, column)
    for row, values in enumerate(_EXAMPLES.get(table.name, []), start=1):
        for at, value in enumerate(values):
            _write(sheet, row, at, value, example)
    sheet.freeze_panes(1, 0)


def _write(sheet: Worksheet, row: int, at: int, value: object, style: Format) -> None:
    if isinstance(value, str):
        sheet.write_string(row, at, value, style)
    elif isinstance(value, int | float):
        sheet.write_number(row, at, value, style)


def _note(column: Column) -> str:
    unit = f" Unit: {column.unit}." if column.unit else ""
    empty = " Required *." if column.required else f" If empty: {column.default}."
    return f"{column.meaning}{unit}{empty}"


def _drop_down(sheet: Worksheet, at: int, column: Column) -> None:
    """Offer the valid words, or the labels of the sheet a column refers to."""
    words = {"yesno": ["yes", "no"], "class": list(CLASSES)}.get(column.type, list(column.choices))
    if words:
        rule: dict[str, object] = {"validate": "list", "source": words}
    elif len(column.refers_to) == 1 and column.refers_to[0] in SHEETS:
        other = column.refers_to[0]
        rule = {"validate": "list", "source": f"={other}!$A$2:$A${_ROWS}", "error_type": "warning"}
    elif column.type == "number" and column.low is not None:
        high = 1e15 if column.high is None else column.high
        rule = {
            "validate": "decimal",
            "criteria": "between",
            "minimum": column.low,
            "maximum": high,
            "error_type": "warning",
        }
    else:
        return
    sheet.data_validation(1, at, _ROWS, at, {**rule, "ignore_blank": True})
