"""Databases opened for writing results: the few steps that each does in its own way."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from withstand.model.findings import shorten
from withstand.readers.databases.addresses import DUCKDB, POSTGRESQL, SQLITE
from withstand.readers.databases.reading import password_of
from withstand.readers.databases.sources import QueryError

if TYPE_CHECKING:
    import polars as pl

    from withstand.readers.databases.addresses import Address
    from withstand.readers.databases.passwords import Password

TYPES = {
    "text": ("text", "varchar"),
    "number": ("double precision", "double"),
    "integer": ("bigint",),
    "yesno": ("boolean",),
    "date": ("date",),
    "time": ("timestamp", "timestamp without time zone"),
}
"""Our kinds of columns: the type they are declared with, and what databases call it."""

_COLUMNS = (
    "select cast(table_name as text), cast(column_name as text), cast(data_type as text)"
    " from information_schema.columns where table_schema = $1{more}"
)


def quoted(name: str) -> str:
    """Return a name as an SQL identifier, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


class Store(Protocol):
    """One transaction on a database; left without `commit`, it leaves the earlier state."""

    def run(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Run a statement with parameters $1, $2 ..., and return its rows."""
        ...

    def prepare(self, schema: str) -> None:
        """Make the schema if it is not there; hold off others that write to it."""
        ...

    def table(self, schema: str, name: str) -> str:
        """Return the quoted name of a table."""
        ...

    def columns(self, schema: str) -> dict[str, dict[str, str]]:
        """Return the tables of the schema: column to type, in lower case."""
        ...

    def insert(self, schema: str, name: str, frame: pl.DataFrame) -> None:
        """Add the rows of a frame to a table that has its columns."""
        ...

    def commit(self) -> None:
        """Keep everything, or nothing."""
        ...


def _grouped(rows: list[Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for table, column, type_ in rows:
        found.setdefault(table, {})[column] = str(type_).lower()
    return found


class PostgreSQLStore:
    """A transaction of PostgreSQL."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def run(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Run a statement."""
        from withstand.readers.databases.postgresql import run

        return run(self.connection, sql, parameters or None)

    def prepare(self, schema: str) -> None:
        """Take a lock that ends with the transaction, then make the schema."""
        self.run("set local lock_timeout = '60s'")
        self.run("select pg_advisory_xact_lock(hashtext('withstand'), hashtext($1))", (schema,))
        known = self.run("select 1 as yes from pg_namespace where nspname = $1", (schema,))
        if not known:
            self.run(f"create schema {quoted(schema)}")

    def table(self, schema: str, name: str) -> str:
        """Return schema and table."""
        return f"{quoted(schema)}.{quoted(name)}"

    def columns(self, schema: str) -> dict[str, dict[str, str]]:
        """Look into the catalogue."""
        return _grouped(self.run(_COLUMNS.format(more=""), (schema,)))

    def insert(self, schema: str, name: str, frame: pl.DataFrame) -> None:
        """Copy in."""
        cursor = self.connection.cursor()
        try:
            cursor.adbc_ingest(name, frame.to_arrow(), mode="append", db_schema_name=schema)
        finally:
            cursor.close()

    def commit(self) -> None:
        """Commit."""
        self.connection.commit()


class DuckDBStore:
    """A transaction of a DuckDB file."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        connection.execute("begin transaction")

    def run(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Run a statement."""
        return self.connection.execute(sql, list(parameters)).fetchall()

    def prepare(self, schema: str) -> None:
        """Make the schema; the file has one writer anyway."""
        self.run(f"create schema if not exists {quoted(schema)}")

    def table(self, schema: str, name: str) -> str:
        """Return schema and table."""
        return f"{quoted(schema)}.{quoted(name)}"

    def columns(self, schema: str) -> dict[str, dict[str, str]]:
        """Look into the catalogue."""
        more = " and table_catalog = current_database()"
        return _grouped(self.run(_COLUMNS.format(more=more), (schema,)))

    def insert(self, schema: str, name: str, frame: pl.DataFrame) -> None:
        """Insert from the frame's own memory."""
        columns = ", ".join(quoted(c) for c in frame.columns)
        self.connection.register("withstand_rows", frame.to_arrow())
        try:
            target = self.table(schema, name)
            self.run(f"insert into {target} ({columns}) select {columns} from withstand_rows")
        finally:
            self.connection.unregister("withstand_rows")

    def commit(self) -> None:
        """Commit."""
        self.connection.execute("commit")


class SQLiteStore:
    """A transaction of a SQLite file, which has no schemas: table names begin with it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        connection.execute("begin immediate")

    def run(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Run a statement."""
        named = {str(k): value for k, value in enumerate(parameters, 1)}
        return self.connection.execute(sql, named).fetchall()

    def prepare(self, schema: str) -> None:
        """Nothing to make: the transaction holds off others already."""

    def table(self, schema: str, name: str) -> str:
        """Return one name for both."""
        return quoted(f"{schema}_{name}")

    def columns(self, schema: str) -> dict[str, dict[str, str]]:
        """Look into the catalogue."""
        rows = self.run(
            "select m.name, c.name, c.type from sqlite_master as m, pragma_table_info(m.name) as c"
            " where m.type in ('table', 'view') and substr(m.name, 1, length($1)) = $1",
            (f"{schema}_",),
        )
        return _grouped([(table[len(schema) + 1 :], c, t) for table, c, t in rows])

    def insert(self, schema: str, name: str, frame: pl.DataFrame) -> None:
        """Insert row by row; dates as text, as SQLite's own functions take them."""
        import polars as pl

        frame = frame.with_columns(pl.col(pl.Date, pl.Datetime).cast(pl.String))
        columns = ", ".join(quoted(c) for c in frame.columns)
        marks = ", ".join("?" * frame.width)
        sql = f"insert into {self.table(schema, name)} ({columns}) values ({marks})"
        self.connection.executemany(sql, frame.iter_rows())

    def commit(self) -> None:
        """Commit."""
        self.connection.execute("commit")


@contextlib.contextmanager
def opened_store(address: Address, password_env: str | None) -> Iterator[Store]:
    """Hold a database open for writing; what its driver says becomes a QueryError.

    Raises
    ------
    QueryError
        If it cannot be opened, or a step fails: nothing was written then.
    """
    fault = None
    password = password_of(password_env) if address.kind == POSTGRESQL else None
    try:
        with _STORES[address.kind](address, password) as store:
            yield store
    except _errors(address.kind) as error:
        fault = _told(error, address, password)
    if fault is not None:
        raise QueryError("E739", f"{address.shown} said: {fault}")


def _told(error: Exception, address: Address, password: Password | None) -> str:
    if address.kind == POSTGRESQL:
        from withstand.readers.databases.postgresql import said

        return said(error, password)
    text = str(error).replace(str(address.file), "the file")
    return shorten(text.strip().partition("\n")[0])


def _errors(kind: str) -> tuple[type[Exception], ...]:
    """Return what a driver may raise."""
    if kind == DUCKDB:
        import duckdb

        return (duckdb.Error, OSError)
    if kind == POSTGRESQL:
        from withstand.readers.databases.postgresql import driver_errors

        return driver_errors()
    return (sqlite3.Error, OSError)


@contextlib.contextmanager
def _postgresql(address: Address, password: Password | None) -> Iterator[Store]:
    from withstand.readers.databases.postgresql import connected

    with connected(address, password) as connection:
        yield PostgreSQLStore(connection)


@contextlib.contextmanager
def _duckdb(address: Address, _: Password | None) -> Iterator[Store]:
    import duckdb

    from withstand.readers.databases.duckdb_files import LOCKED

    with contextlib.closing(duckdb.connect(str(address.file), config=dict(LOCKED))) as connection:
        yield DuckDBStore(connection)


@contextlib.contextmanager
def _sqlite(address: Address, _: Password | None) -> Iterator[Store]:
    connection = sqlite3.connect(str(address.file), isolation_level=None, timeout=60)
    with contextlib.closing(connection):
        yield SQLiteStore(connection)


_STORES = {POSTGRESQL: _postgresql, DUCKDB: _duckdb, SQLITE: _sqlite}
