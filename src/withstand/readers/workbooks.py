"""Read the sheets of a workbook; what would blow up, or hides errors in cells, is found first."""

from __future__ import annotations

import html
import posixpath
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError, ParserCreate

import polars as pl

from withstand.model.findings import Finding, Origin, make_finding, shorten
from withstand.readers.raw import RawTable, cell_text, raw_table, repeated_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
LARGEST_UNZIPPED = 2**30
LARGEST_RATIO = 200
MOST_CELLS = 2**28
"""Cells that a sheet may span, empty ones included: the parser holds them all."""
PANIC = "PanicException"
"""What a parser raises when it gives up; each compiled library has a class of its own for it."""
NO_VALUE = "#N/A (formula without a value: recalculate and save the workbook)"
Read = tuple[list[RawTable], list[Finding]]

_COMPOUND = b"\xd0\xcf\x11\xe0"  # how old workbooks and encrypted ones begin
_CHUNK = 2**20
_CELL = re.compile(rb"<c\s([^>]*[^/>])>(.*?)</c>", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_VALUE = re.compile(rb"<v>(.*?)</v>", re.DOTALL)
_SHEET = re.compile(r"<sheet\s[^>]*>")
_ROW = re.compile(rb'<row\s[^>]*?\br="(\d{1,9})"')
_FAR = re.compile(rb'\sr="([A-Z]{2,4})\d')
_ODS_TAG = re.compile(rb"<table:table-(row|cell)\b([^>]*)>")
_TIMES = re.compile(rb'number-(?:rows|columns)-repeated="(\d{1,15})"')
_ONCE = (b"", b"1")
_RELATION = re.compile(r"<Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:]+)\s*=\s*"([^"]*)"')


def read_workbook(path: Path, origin: Origin, head: bytes) -> Read:
    """Return the sheets of a workbook that hold anything, and what was wrong with it."""
    sheets, findings = read_sheets(path, origin, head)
    tables: list[RawTable] = []
    for name, rows in sheets:
        table, faults = _sheet(path, name, rows)
        findings += faults
        tables += [table] if table is not None else []
    return tables, findings


def read_sheets(
    path: Path, origin: Origin, head: bytes
) -> tuple[list[tuple[str, list[list[Any]]]], list[Finding]]:
    """Return the name and the rows of each sheet as they stand, and what was wrong with the file.

    Parameters
    ----------
    path : Path
    origin : Origin
        Name of the file, for the findings.
    head : bytes
        How the file begins.
    """
    suffix = path.suffix.lower()
    if not head.startswith(b"PK\x03\x04") and not (suffix == ".xls" and head.startswith(_COMPOUND)):
        return [], [_no_workbook(path, origin, head)]
    hidden: dict[str, dict[tuple[int, int], str]] = {}
    if head.startswith(b"PK\x03\x04"):
        fault = _unsafe_archive(path, hidden)
        if fault is not None:
            return [], [make_finding(*fault, origin=origin)]
    return _parsed(path, origin, hidden)


def _parsed(
    path: Path, origin: Origin, hidden: dict[str, dict[tuple[int, int], str]]
) -> tuple[list[tuple[str, list[list[Any]]]], list[Finding]]:
    """Return name and rows of each sheet, with what the parser would hide in its cells."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    sheets = []
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            for name in book.sheet_names:
                rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                for (row, column), text in hidden.get(name, {}).items():
                    if row < len(rows) and column < len(rows[row]):
                        rows[row][column] = text
                sheets.append((name, rows))
    except PasswordError:
        return [], [_protected(origin)]
    except (CalamineError, ValueError, OSError) as error:
        return [], [make_finding("E113", f"damaged workbook: {shorten(error)}", origin=origin)]
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        return [], [make_finding("E113", f"damaged workbook: {shorten(error)}", origin=origin)]
    return sheets, []


def _protected(origin: Origin) -> Finding:
    what = "the workbook is protected by a password"
    fix = "Save a copy without the password."
    return make_finding("E116", what, origin=origin, fix=fix)


def _no_workbook(path: Path, origin: Origin, head: bytes) -> Finding:
    if head.startswith(_COMPOUND):
        with path.open("rb") as stream:
            content = stream.read(LARGEST_UNZIPPED)
        if "EncryptedPackage".encode("utf-16-le") in content:
            return _protected(origin)
        return make_finding("E113", "an old workbook (.xls) under a new name", origin=origin)
    return make_finding("E113", "the file is not a workbook", origin=origin)


# --- archives ------------------------------------------------------------------------------------


def _unsafe_archive(
    path: Path, hidden: dict[str, dict[tuple[int, int], str]]
) -> tuple[str, str] | None:
    """Refuse what unpacks to absurd sizes; note the cells whose errors the parser would hide."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            unpacked = sum(p.file_size for p in parts)
            packed = max(sum(p.compress_size for p in parts), 1)
            is_bomb = unpacked > 2**26 and unpacked / packed > LARGEST_RATIO
            if unpacked > LARGEST_UNZIPPED or is_bomb:
                return "E122", f"the workbook unpacks to {unpacked / 2**20:,.0f} MB"
            if any(p.flag_bits & 1 for p in parts):
                return "E116", "the workbook is protected by a password"
            sheets = _sheet_parts(archive)
            for part in parts:
                if part.filename in sheets or part.filename == "content.xml":
                    content = archive.read(part)
                    if part.filename == "content.xml":  # broken ones send the parser in circles
                        ParserCreate().Parse(content, True)
                    spread = _spread(content)
                    if spread > MOST_CELLS:
                        return "E122", f"a sheet spans {spread:,} cells"
            for part in parts:  # reading also shows whether the stated sizes are true
                cells = dict(_hidden_cells(archive, part, is_sheet=part.filename in sheets))
                if cells:
                    hidden[sheets[part.filename]] = cells
    except (
        zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, zlib.error, ExpatError,
    ) as error:  # fmt: skip
        return "E113", f"damaged workbook: {shorten(error)}"
    return None


def _spread(content: bytes) -> int:
    """Return how many cells a sheet spans at most, by what its XML says (XLSX, ODS)."""
    if b"<table:table" in content:
        total = columns = filled = 0
        rows = 1
        for tag in _ODS_TAG.finditer(content):
            times = int((_TIMES.search(tag[2]) or _ONCE)[1])
            if tag[1] == b"row":
                total += rows * columns if filled else 0
                rows, columns, filled = times, 0, 0
            else:
                columns += times
                filled += b"value-type" in tag[2]
        return total + (rows * columns if filled else 0)
    rows = max((int(n) for n in _ROW.findall(content)), default=0)
    far = {_index(letters.decode()) for letters in set(_FAR.findall(content))}
    return rows * (max(far, default=25) + 1)


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the names of sheets by the part of the archive that holds them."""
    try:
        book = archive.read("xl/workbook.xml").decode("utf-8", errors="replace")
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", errors="replace")
    except KeyError:
        return {}  # another kind of workbook
    targets = {}
    for tag in _RELATION.findall(relations):
        fields = dict(_ATTRIBUTE.findall(tag))
        target = posixpath.join("/xl", fields.get("Target", ""))
        targets[fields.get("Id")] = posixpath.normpath(target).lstrip("/")
    found = {}
    for tag in _SHEET.findall(book):
        fields = dict(_ATTRIBUTE.findall(tag))
        part = targets.get(next((v for k, v in fields.items() if k.endswith(":id")), None))
        if part is not None:
            found[part] = html.unescape(fields.get("name", ""))
    return found


def _hidden_cells(
    archive: zipfile.ZipFile, part: zipfile.ZipInfo, *, is_sheet: bool
) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the cells of a sheet that hold an error, or a formula that has no value."""
    kept = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            if not is_sheet:
                continue
            kept += chunk
            end = kept.rfind(b"<c ")
            ready, kept = (kept[:end], kept[end:]) if end > 0 else (kept, b"")
            yield from _cells_in(ready)
    yield from _cells_in(kept)


def _cells_in(content: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    if b't="e"' not in content and b"<f" not in content:
        return
    for attributes, inside in _CELL.findall(content):
        place = _PLACE.search(attributes)
        if place is None:
            continue
        value = _VALUE.search(inside)
        at = int(place[2]) - 1, _index(place[1].decode())
        if b't="e"' in attributes:
            yield at, value[1].decode("utf-8", errors="replace") if value else "#VALUE!"
        elif b"<f" in inside and b't="str"' not in attributes and not (value and value[1]):
            yield at, NO_VALUE


# --- sheets --------------------------------------------------------------------------------------


def _sheet(path: Path, name: str, rows: list[list[Any]]) -> tuple[RawTable | None, list[Finding]]:
    start = next((i for i, row in enumerate(rows) if any(cell != "" for cell in row)), None)
    if start is None:
        return None, []
    header = [str(cell).strip() for cell in rows[start]]
    letters = {name: _letter(i) for i, name in enumerate(header) if name}
    origin = Origin(shorten(path.name), shorten(name), letters)
    findings = repeated_columns(header, origin)
    if findings:
        return RawTable(name.strip(), pl.DataFrame(), origin), findings
    columns = {
        text or " " * (i + 1): [cell_text(row[i]) for row in rows[start + 1 :]]
        for i, text in enumerate(header)
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return raw_table(name.strip(), frame, origin, start + 1)


def _letter(index: int) -> str:
    """Return the spreadsheet letter of a column (0-based)."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _index(letters: str) -> int:
    """Return the column (0-based) of a spreadsheet letter."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1
