"""Read one file into raw frames; whatever cannot be read becomes a finding.

CSV is read as text, so that the dictionary decides about types and every fault keeps its place.
Parquet keeps its types. A workbook gives one frame a sheet.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.conforming import LONGEST_CELL
from withstand.model.findings import Finding, Origin, make_finding, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
LARGEST_TEXT = 2**33
LARGEST_UNZIPPED = 2**30
LARGEST_RATIO = 200
_HEAD = 65_536


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in a file: its name, its cells and where it came from."""

    name: str
    frame: pl.DataFrame
    origin: Origin


def read_file(path: Path) -> tuple[list[RawTable], list[Finding]]:
    """Return the tables of one file (a workbook holds several) and what was wrong with it."""
    origin = Origin(shorten(path.name))
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [], [make_finding("E116", f"cannot be opened: {reason}", origin=origin)]
    if size == 0:
        return [], [make_finding("E111", "the file is empty (0 bytes)", origin=origin)]
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _read_parquet(path, origin, head)
    if suffix in TEXT_SUFFIXES:
        return _read_text(path, origin, head, size)
    return _read_workbook(path, origin, head)


def _read_parquet(path: Path, origin: Origin, head: bytes) -> tuple[list[RawTable], list[Finding]]:
    if not head.startswith(b"PAR1"):
        return [], [make_finding("E113", "the file is not Parquet", origin=origin)]
    try:
        frame = pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        return [], [make_finding("E113", f"damaged Parquet: {shorten(error)}", origin=origin)]
    return [RawTable(path.stem, frame, origin)], []


def _read_text(
    path: Path, origin: Origin, head: bytes, size: int
) -> tuple[list[RawTable], list[Finding]]:
    fault = _not_text(head)
    if fault:
        return [], [make_finding(*fault, origin=origin)]
    if size > LARGEST_TEXT:
        return [], [make_finding("E122", f"{size / 2**30:.1f} GB of text", origin=origin)]
    separator = _separator(head, path.suffix.lower())
    try:
        frame = pl.read_csv(
            path,
            separator=separator,
            infer_schema=False,
            encoding="utf8",
            raise_if_empty=True,
            truncate_ragged_lines=False,
        )
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError):
        return _read_slowly(path, origin, separator)
    if any(name.startswith("_duplicated_") or "_duplicated_" in name for name in frame.columns):
        return _read_slowly(path, origin, separator)
    findings = _foreign_separator(frame, origin)
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null())) if _ends_blank(frame) else frame
    return [RawTable(path.stem, _undefused(frame), origin)], findings


def _ends_blank(frame: pl.DataFrame) -> bool:
    """Tell whether the last row is blank (a common end of exported files)."""
    return frame.height > 0 and all(x is None for x in frame.row(-1))


def _undefused(frame: pl.DataFrame) -> pl.DataFrame:
    """Take off the apostrophe that our CSV export puts before text a spreadsheet would run."""
    strings = [c for c in frame.columns if frame[c].dtype == pl.String]
    return frame.with_columns(pl.col(strings).str.replace(r"^'([=+\-@\t\r])", "$1"))


def _not_text(head: bytes) -> tuple[str, str] | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "E114", "the file is UTF-16 (a spreadsheet calls it 'Unicode text')"
    if head.startswith(b"PK\x03\x04"):
        return "E113", "the file is a workbook or an archive under the name of a text file"
    if head.startswith(b"PAR1"):
        return "E113", "the file is Parquet under the name of a text file"
    if b"\x00" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > 0.3 * len(head) / 2 and min(even, odd) < 0.05 * len(head):
            return "E114", "the file is UTF-16 without a mark at its start"
        return "E113", "the file holds binary data"
    try:
        head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            line = head[: error.start].count(b"\n") + 1
            return "E114", f"byte {head[error.start]:#04x} in line {line} is not UTF-8"
    return None


def _separator(head: bytes, suffix: str) -> str:
    if suffix == ".tsv":
        return "\t"
    line = head.decode("utf-8-sig", errors="replace").split("\n", 1)[0]
    counts = {sep: line.count(sep) for sep in (",", ";", "\t", "|")}
    return max(counts, key=lambda sep: counts[sep]) if max(counts.values()) else ","


def _foreign_separator(frame: pl.DataFrame, origin: Origin) -> list[Finding]:
    name = frame.columns[0] if frame.columns else ""
    if len(frame.columns) == 1 and len(name.split()) > 3:
        return [
            make_finding(
                "E113", "the first line is no header of columns", origin=origin, value=name
            )
        ]
    return []


def _read_slowly(
    path: Path, origin: Origin, separator: str
) -> tuple[list[RawTable], list[Finding]]:
    """Read row by row with the standard library, to say which row is broken."""
    findings: list[Finding] = []
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"byte {error.object[error.start]:#04x} in line {line} is not UTF-8"
        return [], [make_finding("E114", what, origin=origin, index=line - 2)]
    if not text.strip():
        return [], [make_finding("E111", "the file holds only blanks", origin=origin)]
    rows = list(_rows(text, separator, origin, findings))
    if not rows:
        return [], findings or [make_finding("E111", "the file holds no table", origin=origin)]
    header, body = rows[0], rows[1:]
    for name in {x for x in header if header.count(x) > 1}:
        findings.append(
            make_finding(
                "E120", f"column '{shorten(name)}' stands twice", origin=origin, column=name
            )
        )
    width = len(header)
    for index, row in enumerate(body):
        if len(row) > width and any(row[width:]):
            findings.append(
                make_finding(
                    "E117",
                    f"the row has {len(row)} cells, the header {width}",
                    origin=origin,
                    index=index,
                )
            )
    if findings:
        return [], findings[:20]
    columns = {
        name: [row[i] if i < len(row) and row[i] != "" else None for row in body]
        for i, name in enumerate(header)
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String))
    return [RawTable(path.stem, _undefused(frame), origin)], []


def _rows(
    text: str, separator: str, origin: Origin, findings: list[Finding]
) -> Iterator[list[str]]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    count = 0
    try:
        for row in reader:
            if not row:
                continue
            longest = max(len(cell) for cell in row)
            if longest > LONGEST_CELL:
                findings.append(
                    make_finding(
                        "E115",
                        f"a cell holds {longest:,} characters",
                        origin=origin,
                        index=count - 1,
                        value=max(row, key=len),
                    )
                )
                return
            yield row
            count += 1
    except csv.Error as error:
        findings.append(
            make_finding("E117", f"broken quotation marks: {error}", origin=origin, index=count - 1)
        )


def _read_workbook(path: Path, origin: Origin, head: bytes) -> tuple[list[RawTable], list[Finding]]:
    fault = _unsafe_archive(path, head)
    if fault:
        return [], [make_finding(*fault, origin=origin)]
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    tables: list[RawTable] = []
    findings: list[Finding] = []
    try:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            table, faults = _sheet(path, name, rows)
            findings += faults
            if table is not None:
                tables.append(table)
    except PasswordError:
        return [], [make_finding("E116", "the workbook is protected by a password", origin=origin)]
    except (CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        return [], [make_finding("E113", f"damaged workbook: {shorten(error)}", origin=origin)]
    return tables, findings


def _unsafe_archive(path: Path, head: bytes) -> tuple[str, str] | None:
    """Refuse what is no workbook, and archives that unpack to absurd sizes, before parsing."""
    if not head.startswith(b"PK\x03\x04"):
        if path.suffix.lower() == ".xls" and head.startswith(b"\xd0\xcf\x11\xe0"):
            return None
        return "E113", "the file is not a workbook"
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        return "E113", f"damaged workbook: {shorten(error)}"
    unpacked = sum(p.file_size for p in parts)
    packed = max(sum(p.compress_size for p in parts), 1)
    if unpacked > LARGEST_UNZIPPED or (unpacked > 2**26 and unpacked / packed > LARGEST_RATIO):
        return "E122", f"the workbook unpacks to {unpacked / 2**20:,.0f} MB"
    return None


def _sheet(
    path: Path, name: str, rows: list[list[object]]
) -> tuple[RawTable | None, list[Finding]]:
    origin = Origin(shorten(path.name), shorten(name))
    while rows and all(cell == "" for cell in rows[-1]):
        rows.pop()
    if not rows:
        return None, []
    header = [str(cell).strip() for cell in rows[0]]
    used = [i for i, cell in enumerate(header) if cell]
    findings = [
        make_finding("E120", f"column '{shorten(x)}' stands twice", origin=origin, column=x)
        for x in sorted({header[i] for i in used if header.count(header[i]) > 1})
    ]
    if findings:
        return None, findings
    columns = {header[i]: [_cell_text(row[i]) for row in rows[1:]] for i in used}
    letters = {header[i]: _letter(i) for i in used}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return RawTable(name.strip(), frame, Origin(origin.file, origin.sheet, letters)), []


def _cell_text(cell: object) -> str | None:
    """Return a cell as text that reads back as the same number, None for an empty one."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell)


def _letter(index: int) -> str:
    """Return the spreadsheet letter of a column (0-based)."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
