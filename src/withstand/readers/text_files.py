"""Read CSV and its kin as text; a file that the fast reader refuses is read row by row.

The slow way costs nothing when all is well, and says which row is broken when it is not.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.cells import LONGEST_CELL
from withstand.model.checks.few import first_few
from withstand.model.findings import Finding, Origin, make_finding
from withstand.readers.raw import DEFUSED, RawTable, raw_table, repeated_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
LARGEST_TEXT = 2**33
LARGEST_SLOW_TEXT = 2**28
SEPARATORS = (",", ";", "\t", "|")
_NAMELESS = re.compile(r"\s*(_duplicated_\d+)?")
Read = tuple[list[RawTable], list[Finding]]


def read_text(path: Path, origin: Origin, head: bytes, size: int) -> Read:
    """Return the one table of a text file, and what was wrong with it."""
    if size <= len(head) and not head.removeprefix(b"\xef\xbb\xbf").strip():
        return [], [make_finding("E111", "the file holds only blanks", origin=origin)]
    fault = _not_text(head, origin)
    if fault is not None:
        return [], [fault]
    if size > LARGEST_TEXT:
        return [], [make_finding("E122", f"{size / 2**30:.1f} GB of text", origin=origin)]
    separator = _separator(head, path.suffix.lower())
    if b"\n" not in head and b"\r" in head:  # line ends of old computers
        return _read_slowly(path, origin, separator, size)
    try:
        frame = pl.read_csv(
            path, separator=separator, infer_schema=False, encoding="utf8", glob=False
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError):
        return _read_slowly(path, origin, separator, size)
    frame.columns = [  # the fast reader's names for the second, third ... nameless column
        " " * (i + 1) if _NAMELESS.fullmatch(name) else name for i, name in enumerate(frame.columns)
    ]
    if any("_duplicated_" in name for name in frame.columns):
        return _read_slowly(path, origin, separator, size)
    return _finish(path, frame, origin, _header_row(head))


def _finish(path: Path, frame: pl.DataFrame, origin: Origin, header_row: int) -> Read:
    name = frame.columns[0] if frame.columns else ""
    if len(frame.columns) == 1 and len(name.split()) > 3:
        return [], [_no_header(name, origin)]
    plain = frame.with_columns(pl.all().str.replace(DEFUSED, "$1"))
    plain.columns = pl.Series(frame.columns).str.replace(DEFUSED, "$1").to_list()
    table, findings = raw_table(path.stem, plain, origin, header_row)
    return [table], findings


def _no_header(line: str, origin: Origin) -> Finding:
    return make_finding(
        "E113",
        "the first line is no header of columns",
        origin=origin,
        index=-1,
        value=line,
        fix="Remove the lines above the header, so that the names of the columns come first.",
    )


def _header_row(head: bytes) -> int:
    """Return the row of the first line that is not blank."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return next((i for i, line in enumerate(lines, 1) if line.strip(b"\r")), 1)


def _not_text(head: bytes, origin: Origin) -> Finding | None:
    what = None
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        what = "E114", "the file is UTF-16 (a spreadsheet calls it 'Unicode text')"
    elif head.startswith(b"PK\x03\x04"):
        what = "E113", "the file is a workbook or an archive under the name of a text file"
    elif head.startswith(b"PAR1"):
        what = "E113", "the file is Parquet under the name of a text file"
    elif b"\x00" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        is_wide = max(even, odd) > 0.15 * len(head) and min(even, odd) < 0.05 * len(head)
        what = (
            ("E114", "the file is UTF-16 without a mark at its start")
            if is_wide
            else ("E113", "the file holds binary data")
        )
    else:
        try:
            head.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4:  # else the last letter may only be cut in two
                return _no_utf8(head[: error.start].count(b"\n") + 1, head[error.start], origin)
    return None if what is None else make_finding(*what, origin=origin)


def _no_utf8(line: int, byte: int, origin: Origin) -> Finding:
    what = f"byte {byte:#04x} in line {line} is not UTF-8"
    return make_finding("E114", what, origin=origin, index=line - 2)


def _separator(head: bytes, suffix: str) -> str:
    """Return the separator that cuts the header into most columns."""
    if suffix == ".tsv":
        return "\t"
    text = head.decode("utf-8-sig", errors="replace").lstrip("\r\n")
    line = text.replace("\r", "\n").split("\n", 1)[0]

    def columns(separator: str) -> int:
        try:
            return len(next(csv.reader([line], delimiter=separator), []))
        except csv.Error:
            return line.count(separator) + 1

    return max(SEPARATORS, key=columns)  # the first of them where none cuts anything


def _read_slowly(path: Path, origin: Origin, separator: str, size: int) -> Read:
    """Read row by row with the standard library, to say which row is broken."""
    bad_line = _first_line_not_utf8(path)
    if bad_line is not None:
        return [], [_no_utf8(*bad_line, origin)]
    faults: list[Finding] = []
    header: list[str] = []
    header_row, too_wide, widest = 1, [], 0
    body: list[list[str]] = []
    for number, row in _rows(path, separator, origin, faults):
        if not header:
            header, header_row = row, number
            continue
        widest = max(widest, len(row))
        if len(row) > len(header) and any(row[len(header) :]):
            too_wide.append((number, len(row)))
        if size <= LARGEST_SLOW_TEXT:
            body += [[]] * (number - header_row - 1 - len(body))  # blank rows keep their place
            body.append(row)
    if not header:
        return [], faults or [make_finding("E111", "the file holds no table", origin=origin)]
    if len(header) == 1 and widest > 1:
        return [], [_no_header(header[0], origin)]
    width = len(header)
    faults += repeated_columns(header, origin)
    faults += first_few(
        too_wide,
        lambda case: make_finding(
            "E117",
            f"the row has {case[1]} cells, the header {width}",
            origin=origin,
            index=case[0] - 2,
        ),
    )
    if faults or size > LARGEST_SLOW_TEXT:
        return [], faults or [make_finding("E117", "the rows cannot be told apart", origin=origin)]
    columns = [
        pl.Series(
            name if name.strip() else " " * (i + 1), [_cell(row, i) for row in body], pl.String
        )
        for i, name in enumerate(header)
    ]
    return _finish(path, pl.DataFrame(columns), origin, header_row)


def _cell(row: list[str], i: int) -> str | None:
    return row[i] or None if i < len(row) else None


def _first_line_not_utf8(path: Path) -> tuple[int, int] | None:
    """Return number and offending byte of the first line that is not UTF-8."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                return number, line[error.start]
    return None


def _rows(
    path: Path, separator: str, origin: Origin, faults: list[Finding]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank with their numbers, as far as they can be read."""
    before = csv.field_size_limit(2**31 - 1)
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for number, row in enumerate(csv.reader(stream, delimiter=separator, strict=True), 1):
                if not row:
                    continue
                longest = max(row, key=len)
                if len(longest) > LONGEST_CELL:
                    what = f"a cell holds {len(longest):,} characters"
                    faults.append(
                        make_finding("E115", what, origin=origin, index=number - 2, value=longest)
                    )
                    return
                yield number, row
    except csv.Error as error:
        what = f"broken quotation marks: {error}"
        fix = "Close the quotation mark; write a quotation mark inside text twice."
        faults.append(make_finding("E117", what, origin=origin, index=number - 1, fix=fix))
    finally:
        csv.field_size_limit(before)
