"""SQLite files: opened read-only, every step of a query approved by an authoriser."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.model.findings import shorten
from withstand.readers.databases.arrow_frames import check_names
from withstand.readers.databases.sources import QueryError
from withstand.readers.raw import cell_text

if TYPE_CHECKING:
    from withstand.readers.databases.addresses import Address

_ALLOWED = (
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
)
_FORBIDDEN_FUNCTIONS = ("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit")
_BATCH_ROWS = 65_536
_STEPS_BETWEEN_LOOKS = 100_000


class SQLiteSource:
    """One read transaction on one file."""

    def __init__(self, connection: sqlite3.Connection, timeout: float) -> None:
        self.connection, self.timeout = connection, timeout
        self.warnings: list[tuple[str, str]] = []

    def frames(self, query: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a query; SQLite has types by cell, so each batch finds its own."""
        until = time.monotonic() + self.timeout
        self.connection.set_progress_handler(
            lambda: int(time.monotonic() > until), _STEPS_BETWEEN_LOOKS
        )
        fault = None
        try:
            cursor = self.connection.execute(query)
            names = [d[0] for d in cursor.description or ()]
            check_names(names)
            yield pl.DataFrame(schema=dict.fromkeys(names, pl.Null))
            while rows := cursor.fetchmany(_BATCH_ROWS):
                columns = zip(*rows, strict=True)
                yield pl.DataFrame([_series(n, c) for n, c in zip(names, columns, strict=True)])
        except (sqlite3.Error, sqlite3.Warning) as error:
            fault = self._fault(error, is_late=time.monotonic() > until)
        finally:
            self.connection.set_progress_handler(None, 0)
        if fault is not None:
            raise fault

    def _fault(self, error: Exception, *, is_late: bool) -> QueryError:
        if is_late and "interrupted" in str(error):
            return QueryError("E736", f"the query took longer than {self.timeout:g} seconds")
        if "not authorized" in str(error) or "one statement" in str(error):
            return QueryError("E734", "it is not one reading statement")
        return QueryError("E735", f"SQLite said: {shorten(error)}")


def _series(name: str, cells: tuple[Any, ...]) -> pl.Series:
    """Return a column: whole numbers, numbers, or text; a mixture of them as text."""
    kinds = {type(cell) for cell in cells} - {type(None)}
    if bytes in kinds:
        raise QueryError("E737", "holds binary values; cast it in the query, as text", name)
    if kinds <= {int}:
        return pl.Series(name, cells, dtype=pl.Int64 if kinds else pl.Null)
    if kinds <= {int, float}:
        return pl.Series(name, [None if c is None else float(c) for c in cells], dtype=pl.Float64)
    return pl.Series(name, [cell_text(c) for c in cells], dtype=pl.String)


def _approve(action: int, _one: str | None, two: str | None, *_: object) -> int:
    if action not in _ALLOWED:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (two or "").casefold() in _FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


@contextlib.contextmanager
def opened(address: Address, timeout: float) -> Iterator[SQLiteSource]:
    """Hold a SQLite file open for reading.

    Raises
    ------
    QueryError
        If there is no such file, or it is no SQLite database.
    """
    assert address.file is not None
    if not address.file.is_file():
        raise QueryError("E733", f"there is no file {shorten(address.file.name)}")
    fault = None
    connection = None
    try:
        place = address.file.resolve().as_uri() + "?mode=ro"
        connection = sqlite3.connect(place, uri=True, isolation_level=None, timeout=10)
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma query_only = on")
        connection.execute("begin")
        connection.execute("select count(*) from sqlite_master").fetchall()  # the moment begins
        connection.set_authorizer(_approve)
    except (sqlite3.Error, OSError) as error:
        fault = shorten(error)
    if fault is not None or connection is None:
        if connection is not None:
            connection.close()
        raise QueryError("E733", f"{shorten(address.file.name)} cannot be opened: {fault}")
    try:
        yield SQLiteSource(connection, timeout)
    finally:
        connection.close()
