"""The rows of a trade cube: in memory where they are few, in Parquet files where they are many.

All questions are asked in SQL and answered by DuckDB, which streams the files, so that memory is
bounded by the answer and not by the rows.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("year", "exporter", "importer", "product", "value", "quantity")
MEMORY_LIMIT = "1GB"
"""What DuckDB may hold at a time; what is more goes to a temporary folder."""
FEW = 3_000_000
"""Rows that are kept in memory (some 200 MB)."""
Frames = Mapping[str, pl.DataFrame]
"""Small tables that a question needs beside the rows, by name."""


class Folder:
    """A temporary folder that goes when nobody uses it any more."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="withstand-trade-"))
        self._end = weakref.finalize(self, shutil.rmtree, str(self.path), True)


@dataclass(frozen=True, eq=False)
class TradeRows:
    """Where the rows are: columns year, exporter, importer, product, value, quantity.

    Parameters
    ----------
    table : pyarrow.Table, optional
        Rows in memory.
    files : tuple of Path
        Parquet files with the same columns.
    folder : Folder, optional
        Kept as long as the rows.
    kept : mapping of str to tuple
        Column to the values that are kept, for rows that a filter leaves.
    """

    table: pa.Table | None = None
    files: tuple[Path, ...] = ()
    folder: Folder | None = None
    kept: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def ask(self, sql: str, frames: Frames | None = None) -> pl.DataFrame:
        """Return the answer to a question about the view `rows`, beside named frames."""
        with self.connection(frames) as database:
            return frame_of(database.sql(sql))

    def write(self, sql: str, folder: Folder, name: str, frames: Frames | None = None) -> Path:
        """Write the answer to a question to a Parquet file, streaming; return the file."""
        target = folder.path / name
        with self.connection(frames, threads=1) as database:
            write_parquet(database, sql, target)
        return target

    @contextlib.contextmanager
    def connection(
        self, frames: Frames | None = None, *, threads: int | None = None
    ) -> Iterator[Any]:
        """Open a database with the view `rows` and the frames given."""
        if self.table is not None:
            threads = 1  # adds up in one order: the same last digit every time
        with open_database(threads) as database:
            if self.table is not None:
                database.register("all_rows", self.table)
                source = "all_rows"
            else:
                source = parquet_source(self.files)
            conditions = []
            for column, values in self.kept.items():
                frame = pl.DataFrame({"kept": list(values)}, schema={"kept": _TYPES[column]})
                database.register(f"kept_{column}", frame.to_arrow())
                conditions.append(f"{column} IN (SELECT kept FROM kept_{column})")
            where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            database.execute(f"CREATE TEMP VIEW rows AS SELECT * FROM {source}{where}")
            for name, frame in (frames or {}).items():
                database.register(name, frame.to_arrow())
            yield database


_TYPES: dict[str, Any] = {
    "year": pl.Int32,
    "exporter": pl.String,
    "importer": pl.String,
    "product": pl.String,
}


@contextlib.contextmanager
def open_database(threads: int | None = None) -> Iterator[Any]:
    """Open a connection of its own to a database in memory; what it makes goes with it."""
    root, _ = _root(os.getpid(), threads)  # a process that was forked opens its own
    connection = root.cursor()
    try:
        yield connection
    finally:
        connection.close()


@cache
def _root(process: int, threads: int | None) -> tuple[Any, Folder]:
    """Start a database, with the limit on memory and a place to spill to."""
    import duckdb

    spill = Folder()
    settings: dict[str, Any] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(spill.path),
        "preserve_insertion_order": False,
    }
    if threads is not None:
        settings["threads"] = threads
    return duckdb.connect(config=settings), spill


def frame_of(relation: Any) -> pl.DataFrame:
    """Return what DuckDB answers as a polars frame."""
    return cast("pl.DataFrame", pl.from_arrow(relation.to_arrow_table()))


def write_parquet(database: Any, sql: str, target: Path) -> None:
    """Write an answer to Parquet without holding it in memory."""
    form = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 200000"
    database.execute(f"COPY ({sql}) TO {quoted(target)} ({form})")


def parquet_source(files: tuple[Path, ...]) -> str:
    """Return the files as a table of SQL."""
    listed = ", ".join(quoted(file) for file in files)
    return f"read_parquet([{listed}])"


def quoted(path: Path) -> str:
    """Return a path as text of SQL."""
    text = str(path).replace("'", "''")
    return f"'{text}'"
