"""A copy of a workbook in which bad cells are filled and commented; the original stays as it is.

openpyxl reads and writes formulas, formats, comments, merged cells, filters and drop-downs. It
loses shapes, form controls, slicers, pivot caches of other programs, and the values that formulas
had when they were last worked out; what of these a workbook holds is said.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import defaultdict
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.model.findings import Finding, Origin, make_finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from withstand.readers.mapping.converted import BadCell
    from withstand.readers.messy.blocks import Block

FILLS = {"E": "FFFFC7CE", "W": "FFFFEB9C", "N": "FFDDEBF7"}
AUTHOR = "withstand"
LONGEST_COMMENT = 1000
MOST_COMMENTS = 5000
_LOST = {
    "xl/drawings/": "drawings and shapes",
    "xl/charts/": "charts",
    "xl/media/": "pictures",
    "xl/pivotTables/": "pivot tables",
    "xl/slicers/": "slicers",
    "xl/ctrlProps/": "form controls",
    "xl/activeX/": "ActiveX controls",
    "xl/externalLinks/": "links to other workbooks",
    "xl/threadedComments/": "threaded comments",
    "xl/queryTables/": "queries",
    "xl/connections.xml": "data connections",
}
_REACHING = re.compile(
    r"\|\s*'|(?i:\b(?:DDE|CALL|REGISTER(?:\.ID)?|EXEC|RTD|WEBSERVICE|FILTERXML|HYPERLINK|IMPORT\w+|IMAGE|CUBE\w+)\s*\()"
    r"|(?i:\bcmd\b)|!\w+\|"
)
"""Formulas that start programs or fetch from elsewhere."""


def mark_workbook(
    path: Path, bad: Mapping[str | None, Sequence[tuple[int, int, str, str]]]
) -> tuple[bytes, list[Finding]]:
    """Return a marked copy of a workbook.

    Parameters
    ----------
    path : Path
        XLSX or XLSM; it is only read.
    bad : mapping of (str or None) to sequence of (int, int, str, str)
        For each sheet the bad cells: row, column (1-based), code, text.

    Returns
    -------
    bytes, list of Finding
        The copy, and what it lost or what was made harmless in it.

    Raises
    ------
    UsageError
        If the workbook cannot be read by openpyxl.
    """
    import openpyxl

    origin = Origin(path.name)
    try:
        book = openpyxl.load_workbook(
            path, keep_vba=path.suffix.lower() == ".xlsm", keep_links=False
        )
        lost = _lost_parts(path)
    except Exception as error:  # openpyxl raises whatever comes up
        raise UsageError(
            f"{path.name} cannot be marked: {type(error).__name__}. Save it as XLSX and try again."
        ) from error
    findings = (
        [make_finding("N724", f"the copy does not hold: {', '.join(lost)}", origin=origin)]
        if lost
        else []
    )
    harmless = sum(_defuse(sheet) for sheet in book.worksheets)
    if harmless:
        what = "formulas that start programs or fetch from elsewhere are text in the copy"
        findings.append(make_finding("W726", what, origin=origin, count=harmless))
    for name, cells in bad.items():
        sheet = book[name] if name in book.sheetnames else book.worksheets[0]
        _mark(sheet, cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue(), findings


def mark_blocks(blocks: Sequence[tuple[Block, Sequence[BadCell]]]) -> bytes:
    """Return a workbook of the cells of a text file, marked; every cell is text.

    Parameters
    ----------
    blocks : sequence of (Block, sequence of BadCell)
    """
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for block, _ in blocks:
        for at, header in zip(block.columns.tolist(), block.header, strict=True):
            row = block.header_rows[-1] if block.header_rows else 1
            _write(sheet, row, at, header)
            sheet.cell(row, at).font = Font(bold=True)
        for at, cells in zip(block.columns.tolist(), block.cells, strict=True):
            for row, text in zip(block.rows.tolist(), cells.to_list(), strict=True):
                if text is not None:
                    _write(sheet, row, at, text)
    _mark(sheet, [c for block, bad in blocks for c in placed(block, bad)])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def placed(block: Block, bad: Sequence[BadCell]) -> list[tuple[int, int, str, str]]:
    """Return bad cells of a block by their row and column in the sheet (1-based)."""
    return [(c.row, int(block.columns[c.column]), c.code, c.text) for c in bad if c.row > 0]


def _write(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """Write text that no spreadsheet runs."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = sheet.cell(row, column)
    cell.value = ILLEGAL_CHARACTERS_RE.sub("?", text)
    cell.data_type = "s"
    if text[:1] in "=+-@\t\r":
        cell.quotePrefix = True  # type: ignore[attr-defined]


def _defuse(sheet: Worksheet) -> int:
    """Turn formulas that reach out of the workbook into text; return how many."""
    count = 0
    for row in sheet.iter_rows():
        for cell in row:
            if (
                cell.data_type == "f"
                and isinstance(cell.value, str)
                and _REACHING.search(cell.value)
            ):
                cell.data_type = "s"
                count += 1
            if cell.hyperlink is not None and not _is_web(cell.hyperlink.target):
                cell.hyperlink = None
                count += 1
    return count


def _is_web(target: str | None) -> bool:
    return target is None or target.startswith(("http://", "https://", "mailto:"))


def _mark(sheet: Worksheet, cells: Sequence[tuple[int, int, str, str]]) -> None:
    """Fill cells by the worst of their findings, and say in a comment what is wrong."""
    from openpyxl.cell.cell import MergedCell
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    said: dict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    for row, column, code, text in cells:
        if (code, text) not in said[row, column]:
            said[row, column].append((code, text))
    for n, ((row, column), faults) in enumerate(said.items()):
        cell = sheet.cell(row, column)
        if isinstance(cell, MergedCell):
            continue
        worst = min((code[0] for code, _ in faults), key="EWN".index)
        cell.fill = PatternFill("solid", start_color=FILLS[worst], end_color=FILLS[worst])
        if n < MOST_COMMENTS:
            text = "\n".join(f"{code}: {what}" for code, what in faults)[:LONGEST_COMMENT]
            before = f"{cell.comment.text}\n" if cell.comment else ""
            cell.comment = Comment(before + text, AUTHOR, width=320, height=90)


def _lost_parts(path: Path) -> list[str]:
    """Return what a workbook holds that the copy will not."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    found = {what for part, what in _LOST.items() if any(n.startswith(part) for n in names)}
    if found == {"drawings and shapes"} and not any(
        "drawing" in n and n.endswith(".xml") for n in names
    ):
        found = set()  # only the drawings of comments
    return sorted(found)
