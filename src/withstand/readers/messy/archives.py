"""Look into a workbook before it is parsed: bombs, absurd extents, errors, what is hidden."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from withstand.model.findings import shorten
from withstand.readers.workbooks import _cells_in, _index, _sheet_parts

if TYPE_CHECKING:
    from pathlib import Path

    from withstand.readers.messy.limits import Limits

_CHUNK = 2**21
_ROW = re.compile(rb"<row\s([^>]*)>")
_ROW_NUMBER = re.compile(rb'\br="(\d{1,9})"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_COLUMN = re.compile(rb"<col\s([^>]*)/?>")
_MIN = re.compile(rb'\bmin="(\d{1,6})"')
_MAX = re.compile(rb'\bmax="(\d{1,6})"')
_FAR = re.compile(rb'<c [^>]*?\br="([A-Z]{2,3})\d')
_REPEATED = re.compile(
    rb"<(table:table-row|table:table-cell|table:covered-table-cell)\b([^>]*?)(/?)>"
)
_TIMES = re.compile(rb'table:number-(?:rows|columns)-repeated="(\d{1,12})"')


@dataclass
class Inside:
    """What the parser would not tell about a sheet."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    last_row: int = 0
    last_column: int = 1


def look_inside(path: Path, limits: Limits) -> tuple[dict[str, Inside], tuple[str, str] | None]:
    """Return what is inside the sheets of an XLSX, and a code and text where it is refused."""
    found: dict[str, Inside] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            fault = _too_large(parts, limits)
            if fault is not None:
                return {}, fault
            sheets = _sheet_parts(archive)
            left = limits.unzipped_bytes
            for part in parts:  # reading also shows whether the stated sizes are true
                inside = Inside()
                size = _scan(archive, part, inside, part.filename in sheets, left)
                left -= size
                if left < 0:
                    return {}, ("E122", "the workbook unpacks to more than it states")
                if part.filename in sheets:
                    found[sheets[part.filename]] = inside
                    extent = inside.last_row * inside.last_column
                    if extent > limits.cells or inside.last_row > limits.rows:
                        return {}, ("E122", f"a sheet spans {extent:,} cells")
                if part.filename == "content.xml" and _spreads(archive, part, limits):
                    return {}, ("E122", "a sheet repeats filled cells beyond all measure")
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
        KeyError,
        zlib.error,
        RuntimeError,
    ) as error:
        return {}, ("E113", f"damaged workbook: {shorten(error)}")
    return found, None


def _too_large(parts: list[zipfile.ZipInfo], limits: Limits) -> tuple[str, str] | None:
    unpacked = sum(p.file_size for p in parts)
    packed = max(sum(p.compress_size for p in parts), 1)
    if len(parts) > limits.parts:
        return "E122", f"the workbook holds {len(parts):,} files"
    if unpacked > limits.unzipped_bytes or (unpacked > 2**26 and unpacked / packed > limits.ratio):
        return "E122", f"the workbook unpacks to {unpacked / 2**20:,.0f} MB"
    if any(p.flag_bits & 1 for p in parts):
        return "E116", "the workbook is protected by a password"
    return None


def _scan(
    archive: zipfile.ZipFile, part: zipfile.ZipInfo, inside: Inside, is_sheet: bool, left: int
) -> int:
    """Read a part to its end, chunk by chunk; return its true size."""
    size, kept = 0, b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > left:
                break
            if not is_sheet:
                continue
            kept += chunk
            end = kept.rfind(b"<row ")
            if end <= 0 and len(kept) < 8 * _CHUNK:
                continue
            ready, kept = (kept[:end], kept[end:]) if end > 0 else (kept, b"")
            _look(ready, inside)
    if is_sheet:
        _look(kept, inside)
    return size


def _look(content: bytes, inside: Inside) -> None:
    """Note errors, hidden rows and columns, and the extent of a piece of a sheet."""
    inside.errors.update(_cells_in(content))
    at = content.rfind(b"<row ")
    if at >= 0 and (number := _ROW_NUMBER.search(content[at : at + 200])):
        inside.last_row = max(inside.last_row, int(number[1]))
    for far in set(_FAR.findall(content)):
        inside.last_column = max(inside.last_column, _index(far.decode()) + 1)
    inside.last_column = max(inside.last_column, 26)
    if b"hidden=" not in content:
        return
    for attributes in _ROW.findall(content):
        number = _ROW_NUMBER.search(attributes)
        if number and _HIDDEN.search(attributes):
            inside.hidden_rows.add(int(number[1]) - 1)
    for attributes in _COLUMN.findall(content):
        low, high = _MIN.search(attributes), _MAX.search(attributes)
        if low and high and _HIDDEN.search(attributes):
            inside.hidden_columns.update(range(int(low[1]) - 1, min(int(high[1]), 16_384)))


def _spreads(archive: zipfile.ZipFile, part: zipfile.ZipInfo, limits: Limits) -> bool:
    """Tell whether an ODS repeats filled cells so often that its parser would run out of memory."""
    content = archive.read(part)
    rows, cells, is_filled = 1, 0, False
    total = 0
    for kind, attributes, _ in _REPEATED.findall(content):
        times = _TIMES.search(attributes)
        n = int(times[1]) if times else 1
        if kind == b"table:table-row":
            total += rows * cells if is_filled else 0
            rows, cells, is_filled = n, 0, False
        else:
            cells += n
            is_filled |= b"office:value" in attributes
            if b"office:value" in attributes and n > limits.columns:
                return True
    return total + (rows * cells if is_filled else 0) > limits.cells
