"""Read a text file of any encoding and separator into a grid."""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import PanicException, PolarsError

from withstand.model.findings import Finding, Origin, make_finding
from withstand.readers.messy.encodings import SURE, Guess, sniff_encoding
from withstand.readers.messy.grid import Grid, text_grid
from withstand.readers.messy.how import How
from withstand.readers.messy.separators import (
    column_starts,
    cut_by_spaces,
    head_rows,
    hinted_separator,
    sniff_separator,
)

if TYPE_CHECKING:
    from withstand.readers.messy.limits import Limits

LARGEST_SLOW = 2**28
_HEAD = 2**17
_SWALLOWED_LINES = 20


def read_text(
    data: bytes, name: str, suffix: str, origin: Origin, limits: Limits, how: How
) -> tuple[Grid | None, How, list[Finding]]:
    """Return the grid of a text file, how it was read, and what there is to say about it."""
    guess = _given_encoding(how, data) if how.encoding else sniff_encoding(data)
    if guess is None:
        return None, how, [make_finding("E113", "the file holds binary data", origin=origin)]
    findings = _about(guess, origin) if not how.encoding else []
    data, faults = _as_utf8(data, guess.encoding, origin)
    if faults:
        return None, how, faults
    if b"\n" not in data[:_HEAD] and b"\r" in data[:_HEAD]:
        data = data.replace(b"\r", b"\n")
    head = data[:_HEAD].decode("utf-8", errors="ignore").replace("\r\n", "\n").replace("\r", "\n")
    if not data.strip():
        return None, how, [make_finding("E111", "the file holds only blanks", origin=origin)]
    hint = hinted_separator(head)
    separator = how.separator or hint or sniff_separator(head, suffix)
    columns, faults = _columns(data, head, separator, origin, limits)
    findings += faults
    if columns and hint:
        columns[0] = columns[0].scatter(0, [None])  # the line that names the separator
    read = How(encoding=guess.encoding, sure=guess.sure, separator=separator, number=how.number)
    return (text_grid(name, columns) if columns else None), read, findings


def _given_encoding(how: How, data: bytes) -> Guess | None:
    try:
        codecs.lookup(how.encoding or "")
    except LookupError:
        return sniff_encoding(data)
    return Guess(how.encoding or "", 1.0)


def _about(guess: Guess, origin: Origin) -> list[Finding]:
    if guess.sure >= 1.0:
        return []
    other = f", else {guess.other}" if guess.other else ""
    what = f"the encoding is not stated; taken for {guess.encoding} ({guess.sure:.0%} sure{other})"
    code = "N701" if guess.sure >= SURE else "W703"
    return [make_finding(code, what, origin=origin, value=guess.encoding)]


def _as_utf8(data: bytes, encoding: str, origin: Origin) -> tuple[bytes, list[Finding]]:
    if encoding in ("utf-8", "utf-8-sig"):
        return data.removeprefix(codecs.BOM_UTF8), []
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode("utf-8"), []
    except (UnicodeError, LookupError) as error:
        what = f"the file is not {encoding}: {error!s:.60}"
        return b"", [make_finding("E114", what, origin=origin)]


def _columns(
    data: bytes, head: str, separator: str, origin: Origin, limits: Limits
) -> tuple[list[pl.Series], list[Finding]]:
    if separator == " ":
        return _by_spaces(data, origin, limits)
    rows = head_rows(head, separator)
    width = max(map(len, rows), default=1)
    if width > limits.columns:
        return [], [make_finding("E122", f"the file has {width:,} columns", origin=origin)]
    frame = _fast(data, separator, width, quote='"') if len(separator.encode()) == 1 else None
    if frame is not None and not _is_swallowed(frame):
        if frame.height > limits.rows:
            return [], [make_finding("E122", f"the file has {frame.height:,} rows", origin=origin)]
        return frame.get_columns(), []
    return _slow(data, separator, origin, limits)


def _fast(data: bytes, separator: str, width: int, quote: str | None) -> pl.DataFrame | None:
    first = (separator.join("c" * width) + "\n").encode()  # a line of full width tells it the width
    try:
        frame = pl.read_csv(
            io.BytesIO(first + data),
            separator=separator,
            has_header=False,
            infer_schema=False,
            quote_char=quote,
            glob=False,
        )
        return frame.slice(1)
    except (PolarsError, PanicException, UnicodeDecodeError, ValueError):
        return None


def _is_swallowed(frame: pl.DataFrame) -> bool:
    """Tell whether a quotation mark that nobody closed has swallowed rows."""
    for column in frame.get_columns():
        longest = column.str.len_bytes().max()
        if isinstance(longest, int) and longest > 2000:
            lines = column.str.count_matches("\n", literal=True).max()
            if isinstance(lines, int) and lines > _SWALLOWED_LINES:
                return True
    return False


def _slow(
    data: bytes, separator: str, origin: Origin, limits: Limits
) -> tuple[list[pl.Series], list[Finding]]:
    """Read rows of any width, with quotation marks and, if one is never closed, without."""
    if len(data) > LARGEST_SLOW:
        what = "rows of different widths or broken quotation marks in a file this large"
        return [], [make_finding("E117", what, origin=origin)]
    text = data.decode("utf-8").replace("\x00", "")
    findings: list[Finding] = []
    rows = _rows(text, separator, csv.QUOTE_MINIMAL)
    if rows is None:
        what = "a quotation mark is never closed; all of them are read as ordinary characters"
        findings.append(make_finding("W717", what, origin=origin))
        rows = _rows(text, separator, csv.QUOTE_NONE) or []
    return _from_rows(rows, findings, origin, limits)


def _rows(text: str, separator: str, quoting: int) -> list[list[str]] | None:
    rows: list[list[str]] = []
    before = csv.field_size_limit(2**31 - 1)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting)  # type: ignore[arg-type]
        for row in reader:
            if quoting != csv.QUOTE_NONE and any(c.count("\n") > _SWALLOWED_LINES for c in row):
                return None
            rows.append(row)
    except csv.Error:
        return (
            None if quoting != csv.QUOTE_NONE else [ln.split(separator) for ln in text.split("\n")]
        )
    finally:
        csv.field_size_limit(before)
    return rows


def _by_spaces(
    data: bytes, origin: Origin, limits: Limits
) -> tuple[list[pl.Series], list[Finding]]:
    if len(data) > LARGEST_SLOW:
        return [], [make_finding("E122", "too large for columns set by spaces", origin=origin)]
    lines = data.decode("utf-8").splitlines()
    starts = column_starts([line for line in lines[:2000] if line.strip()])
    return _from_rows(cut_by_spaces(lines, starts), [], origin, limits)


def _from_rows(
    rows: list[list[str]], findings: list[Finding], origin: Origin, limits: Limits
) -> tuple[list[pl.Series], list[Finding]]:
    width = max(map(len, rows), default=0)
    if width > limits.columns or width * len(rows) > limits.cells or len(rows) > limits.rows:
        what = f"the file has {len(rows):,} rows of up to {width:,} columns"
        return [], [*findings, make_finding("E122", what, origin=origin)]
    columns = [
        pl.Series([row[i] if i < len(row) else None for row in rows], dtype=pl.String)
        for i in range(width)
    ]
    return columns, findings
