"""Read one file into raw frames; whatever cannot be read becomes a finding.

CSV is read as text, so that the dictionary decides about types and every fault keeps its place.
Parquet keeps its types. A workbook gives one frame a sheet.
"""

from __future__ import annotations

from stat import S_ISREG
from typing import TYPE_CHECKING, Any, cast

import polars as pl
from polars.exceptions import PanicException

from withstand.model.findings import Finding, Origin, make_finding, shorten
from withstand.readers.raw import RawTable
from withstand.readers.text_files import TEXT_SUFFIXES, read_text
from withstand.readers.workbooks import WORKBOOK_SUFFIXES, read_workbook

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (*TEXT_SUFFIXES, ".parquet", *WORKBOOK_SUFFIXES)
LARGEST_ROWS = 2**28
_HEAD = 65_536

__all__ = ["SUFFIXES", "RawTable", "is_workbook", "read_file"]


def is_workbook(path: Path) -> bool:
    """Tell whether a file may hold several tables."""
    return path.suffix.lower() in WORKBOOK_SUFFIXES


def read_file(path: Path) -> tuple[list[RawTable], list[Finding]]:
    """Return the tables of one file (a workbook holds several) and what was wrong with it."""
    origin = Origin(shorten(path.name))
    try:
        state = path.stat()
        if not S_ISREG(state.st_mode):
            what = "is a folder" if path.is_dir() else "is no ordinary file"
            return [], [make_finding("E116", f"the file {what}", origin=origin)]
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        if state.st_size == 0:
            return [], [make_finding("E111", "the file is empty (0 bytes)", origin=origin)]
        suffix = path.suffix.lower()
        if suffix == ".parquet":
            return _read_parquet(path, origin, head)
        if suffix in TEXT_SUFFIXES:
            return read_text(path, origin, head, state.st_size)
        return read_workbook(path, origin, head)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [], [make_finding("E116", f"the file cannot be opened: {reason}", origin=origin)]
    except MemoryError:
        what = f"{path.stat().st_size / 2**20:,.0f} MB do not fit in memory"
        return [], [make_finding("E122", what, origin=origin)]


def _read_parquet(path: Path, origin: Origin, head: bytes) -> tuple[list[RawTable], list[Finding]]:
    """Read with pyarrow, group by group: polars is quicker, and aborts on some damaged files."""
    if not head.startswith(b"PAR1"):
        return [], [make_finding("E113", "the file is not Parquet", origin=origin)]
    from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            if rows > LARGEST_ROWS:
                return [], [make_finding("E122", f"the file holds {rows:,} rows", origin=origin)]
            file.schema_arrow.names  # noqa: B018  raises here if a name is no text, where polars would panic
            groups = (file.read_row_group(i) for i in range(file.num_row_groups))
            frames = [_frame(group) for group in groups]
            frame = pl.concat(frames) if frames else _frame(file.read())
    except (
        ArrowException,
        OSError,
        ValueError,
        pl.exceptions.PolarsError,
        PanicException,
    ) as error:
        return [], [make_finding("E113", f"damaged Parquet: {shorten(error)}", origin=origin)]
    return [RawTable(path.stem, frame, origin)], []


def _frame(group: Any) -> pl.DataFrame:
    group.validate(full=True)
    return cast("pl.DataFrame", pl.from_arrow(group))
