"""The report as one workbook: every table in full, with live numbers and a read-me sheet."""

from __future__ import annotations

import io
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from withstand.report.chokepoints import chokepoints
from withstand.report.headline import headline
from withstand.report.partner_tables import partner_tables
from withstand.report.people_tables import people_tables
from withstand.report.run_tables import (
    chain_table,
    definitions_table,
    deliveries_table,
    findings_table,
    runs_table,
    settings_table,
    stocks_table,
)
from withstand.report.stress_tables import stress_tables
from withstand.report.tables import (
    Column,
    Table,
    basis_table,
    chokepoint_table,
    content_table,
    cost_table,
    coverage_table,
    flow_table,
    loss_table,
    origin_table,
    product_coverage_table,
    source_table,
    value_table,
)
from withstand.report.words import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.report.contents import Contents

MOST_ROWS = 1_048_575
LONGEST_CELL = 32_000
WIDEST = 60
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
FORMATS = {
    "text": "",
    "prose": "",
    "range": "",
    "share": "0.0%",
    "count": "#,##0",
    "number": "#,##0.0##",
    "index": "0.00#",
}


def all_tables(contents: Contents) -> list[Table]:
    """Return every table of the report that has something to show, in the order of the page."""
    network = contents.network
    currency = network.settings.currency
    found = [
        cost_table(contents),
        flow_table(network),
        origin_table(contents),
        chokepoint_table(contents, chokepoints(contents)),
        value_table(contents.exposure),
        content_table(contents.exposure, currency),
        loss_table(contents),
        coverage_table(contents, "kind"),
        coverage_table(contents, "tier"),
        product_coverage_table(contents),
        *(partner_tables(contents.partners) if contents.partners is not None else []),
        runs_table(contents),
        deliveries_table(contents) if contents.runs else None,
        stocks_table(contents),
        chain_table(contents),
        *stress_tables(contents),
        *(people_tables(contents.people) if contents.people is not None else []),
        basis_table(network),
        source_table(network),
        findings_table(network),
        definitions_table(),
        settings_table(contents),
    ]
    return [t for t in found if t is not None and t.frame.height]


def workbook(contents: Contents) -> bytes:
    """Return the report as an XLSX file: a read-me sheet, then one sheet a table.

    Numbers are numbers (shares between 0 and 1, shown as percentages), units stand in the header,
    text is always text: nothing a user typed becomes a formula or a link.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> from withstand.workbench import gather
    >>> workbook(gather(tiny()))[:2]
    b'PK'
    """
    said = headline(contents).sentences
    settings = settings_table(contents)
    return bound(contents.network.name, contents.made_at, said, all_tables(contents), settings)


def bound(
    name: str, made_at: str, sentences: Sequence[str], tables: Sequence[Table], settings: Table
) -> bytes:
    """Return tables as an XLSX file with a read-me sheet: what was found, and the settings.

    Parameters
    ----------
    name : str
        Of the network.
    made_at : str
        Date and time.
    sentences : sequence of str
        What was found.
    tables : sequence of Table
    settings : Table
        What it takes to compute it again: what, value.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, OPTIONS) as book:
        made = _made_at(made_at)
        book.set_properties({"title": clean(name), "created": made, "comments": "withstand"})
        styles = _styles(book)
        sheet = book.add_worksheet("Read me")
        _read_me(sheet, (name, made_at), sentences, tables, settings, styles)
        for made_table in tables:
            _sheet(book.add_worksheet(made_table.name[:31]), made_table, styles)
    return buffer.getvalue()


def _made_at(text: str) -> datetime:
    """Return the date of the report for the file's properties (fixed where it is no date)."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return datetime(2000, 1, 1)


def _styles(book: Any) -> dict[str, Any]:
    styles = {kind: book.add_format({"num_format": f} if f else {}) for kind, f in FORMATS.items()}
    styles["text"].set_align("top")
    styles["head"] = book.add_format(
        {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
    )
    styles["title"] = book.add_format({"bold": True, "font_size": 16})
    styles["bold"] = book.add_format({"bold": True, "valign": "top"})
    styles["wrap"] = book.add_format({"text_wrap": True, "valign": "top"})
    return styles


def _read_me(
    sheet: Any,
    head: tuple[str, str],
    sentences: Sequence[str],
    tables: Sequence[Table],
    settings: Table,
    styles: dict[str, Any],
) -> None:
    """Write what was found, what the sheets hold, and what it takes to compute it again."""
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 110)
    sheet.hide_gridlines(2)
    row = 0

    def line(left: str, right: str = "", style: str = "bold") -> None:
        nonlocal row
        sheet.write_string(row, 0, _text(left), styles[style])
        if right:
            sheet.write_string(row, 1, _text(right), styles["wrap"])
        row += 1

    line(head[0], style="title")
    line("Computed", head[1])
    row += 1
    for at, sentence in enumerate(sentences):
        line("" if at else "In short", sentence)
    row += 1
    line("Shares", "Lie between 0 and 1 and are shown as percentages.")
    line("Empty cells", "The number is not known, or does not apply.")
    row += 1
    for at, table in enumerate(tables):
        if at == 0:
            line("Sheet", "What it shows")
        line(table.name, table.title, style="wrap")
    row += 1
    for what, value in settings.frame.iter_rows():
        line(what, value, style="wrap")


def _sheet(sheet: Any, table: Table, styles: dict[str, Any]) -> None:
    frame = table.frame.head(MOST_ROWS)
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, _text(column.title), styles["head"])
        values = frame[frame.columns[at]].to_list()
        style = styles[column.kind]
        for row, value in enumerate(values, start=1):
            _cell(sheet, row, at, value, style)
        sheet.set_column(at, at, _width(column, values))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(frame.height, 1), len(table.columns) - 1)


def _cell(sheet: Any, row: int, at: int, value: Any, style: Any) -> None:
    """Write one value by its type; text as text, whatever it begins with."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, at, value, style)
    elif isinstance(value, int | float):
        sheet.write_number(row, at, value, style)
    else:
        sheet.write_string(row, at, _text(value), style)


def _text(value: object) -> str:
    return clean(value)[:LONGEST_CELL]


def _width(column: Column, values: list[Any]) -> float:
    """Return a width that fits the longest word of the header and most of the values."""
    header = max((len(word) for word in column.title.split()), default=1)
    if column.kind in ("share", "count", "number", "index"):
        return max(header + 2, 11)
    longest = max((len(str(v)) for v in values[:500] if v is not None), default=1)
    return min(max(header + 2, longest + 1), WIDEST)
