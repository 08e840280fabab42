"""Read tables out of a database by the queries of withstand.toml, all as of one moment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.cells import as_text
from withstand.model.conforming import fold_header
from withstand.model.findings import Finding, Origin, has_errors, make_finding, nearest
from withstand.model.returning import return_unused
from withstand.model.tables import TABLES
from withstand.readers.databases.addresses import (
    DUCKDB,
    POSTGRESQL,
    Address,
    AddressError,
    WrittenPasswordError,
    read_address,
)
from withstand.readers.databases.passwords import Password, password_from
from withstand.readers.databases.sources import QueryError, Source
from withstand.readers.databases.statements import clean_query, fault_of
from withstand.readers.raw import RawTable

if TYPE_CHECKING:
    from withstand.readers.databases.database_settings import DatabaseSettings

PLACE = "withstand.toml"
LARGEST_ROWS = 2**28
_LOOKED_AT = 5
_ROWS_COPIED = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryCheck:
    """What one query gave when it was tried on a few rows.

    Parameters
    ----------
    table : str
    columns : tuple of str
        Columns that it gives; empty where it failed.
    rows : polars.DataFrame
        Its first rows.
    seconds : float, seconds
        How long it took.
    findings : tuple of Finding
    """

    table: str
    columns: tuple[str, ...]
    rows: pl.DataFrame
    seconds: float
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        state = "failed" if has_errors(self.findings) else f"{len(self.columns)} columns"
        return f"<QueryCheck {self.table}: {state}, {self.seconds:.2f} s>"


def read_tables(
    settings: DatabaseSettings, folder: Path
) -> tuple[list[RawTable], list[Finding], set[str]]:
    """Return the tables of all queries, what was wrong, and which tables could not be read.

    Nothing is read where a query is no reading statement: a project may come from a stranger.

    Parameters
    ----------
    settings : DatabaseSettings
    folder : Path
        The project: files of DuckDB and SQLite are relative to it.

    Raises
    ------
    MissingExtraError
        If the driver of PostgreSQL is not installed.
    """
    findings, queries = _looked_over(settings)
    everything = set(settings.queries)
    if has_errors(findings):
        return [], findings, everything
    tables: list[RawTable] = []
    unread: set[str] = set()
    try:
        with _opened(settings, folder) as source:
            findings += [make_finding(c, what, origin=_origin()) for c, what in source.warnings]
            for name, query in queries.items():
                try:
                    found = _table(name, query, source)
                except QueryError as error:
                    findings.append(_finding(error, name))
                    unread.add(name)
                    continue
                if found.frame.height or name == "nodes":
                    tables.append(found)
                else:
                    what = f"the query of {name} gave no rows, so there is no such table"
                    findings.append(make_finding("W731", what, origin=_place(name)))
    except QueryError as error:
        findings.append(make_finding(error.code, error.what, origin=_origin(), column="url"))
        return [], findings, everything
    return_unused()  # buffers of the driver
    return tables, findings, unread


def check_queries(
    settings: DatabaseSettings, folder: Path
) -> tuple[list[QueryCheck], list[Finding]]:
    """Try the connection and every query on a few rows; return what each gave.

    Parameters and errors as in `read_tables`.
    """
    findings, queries = _looked_over(settings)
    if has_errors(findings):
        return [], findings
    checks = []
    try:
        with _opened(settings, folder) as source:
            findings += [make_finding(c, what, origin=_origin()) for c, what in source.warnings]
            for name, query in queries.items():
                checks.append(_tried(name, query, source))
    except QueryError as error:
        findings.append(make_finding(error.code, error.what, origin=_origin(), column="url"))
    return checks, findings


def _tried(name: str, query: str, source: Source) -> QueryCheck:
    start = time.perf_counter()
    found: tuple[Finding, ...] = ()
    frame = pl.DataFrame()
    try:
        few = f"select * from (\n{query}\n) as tried limit {_LOOKED_AT}"
        frame = _whole(list(source.frames(few)))
        found = tuple(_missing(name, frame.columns))
    except QueryError as error:
        found = (_finding(error, name),)
    seconds = time.perf_counter() - start
    return QueryCheck(
        table=name, columns=tuple(frame.columns), rows=frame, seconds=seconds, findings=found
    )


def _missing(name: str, columns: list[str]) -> Iterator[Finding]:
    """Yield what a canonical table needs and the query does not give."""
    given = {fold_header(c) for c in columns}
    table = TABLES.get(name)
    for column in table.required if table is not None else ():
        if column not in given and not (column == "source" and "id" in given):
            assert table is not None
            what = f"table {name} needs a column '{column}' ({table.names[column].meaning})"
            near = nearest(column, columns)
            yield make_finding("E101", what, origin=_place(name), column=column, suggestion=near)


def _looked_over(settings: DatabaseSettings) -> tuple[list[Finding], dict[str, str]]:
    """Look at the text of every query before any database is opened."""
    findings = []
    queries = {name: clean_query(text) for name, text in settings.queries.items()}
    for name, text in queries.items():
        fault = fault_of(text)
        if fault is not None:
            findings.append(make_finding("E734", fault, origin=_place(name)))
    if not queries:
        what = "no query stands in [database.queries]"
        findings.append(make_finding("E118", what, origin=_origin(), column="database.queries"))
    return findings, queries


def _table(name: str, query: str, source: Source) -> RawTable:
    parts: list[pl.DataFrame] = []
    waiting: list[pl.DataFrame] = []
    n_rows = n_waiting = 0
    for frame in source.frames(query):
        n_rows, n_waiting = n_rows + frame.height, n_waiting + frame.height
        if n_rows > LARGEST_ROWS:
            raise QueryError("E122", f"the query gives more than {LARGEST_ROWS:,} rows")
        waiting.append(frame)
        del frame
        if n_waiting > _ROWS_COPIED:  # the copy lets go of the driver's buffers, half of them air
            parts.append(_whole(waiting).rechunk())
            n_waiting = 0
            return_unused()
    whole = _whole([*parts, *waiting])
    del parts, waiting
    names = {fold_header(c): c for c in whole.columns if fold_header(c) != c}
    origin = replace(_place(name), names=names or None, rows=range(1, whole.height + 1))
    return RawTable(name, whole, origin)


def _whole(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Put batches together; SQLite's may differ in type, and then text wins over numbers."""
    types: dict[str, pl.DataType] = {}
    for name in frames[0].columns:
        seen = {f.schema[name] for f in frames} - {pl.Null()}
        types[name] = pl.String() if not seen or pl.String() in seen else next(iter(seen))
        if len(seen) > 1 and pl.String() not in seen:
            types[name] = pl.Float64()
    parts = [
        f
        if all(f.schema[n] == t for n, t in types.items())
        else pl.DataFrame([_as(f[n], t) for n, t in types.items()])
        for f in frames
    ]
    frames.clear()
    return pl.concat(parts)


def _as(series: pl.Series, type_: pl.DataType) -> pl.Series:
    if series.dtype == type_:
        return series
    if type_ == pl.String() and series.dtype != pl.Null():
        return as_text(series)
    return series.cast(type_)


def _origin() -> Origin:
    return Origin(PLACE)


def _place(name: str) -> Origin:
    return Origin(f"query {name}")


def _finding(error: QueryError, name: str) -> Finding:
    place = _place(name)
    return make_finding(error.code, error.what, origin=place, column=error.column)


# --- the connection ------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(settings: DatabaseSettings, folder: Path) -> Iterator[Source]:
    address = address_of(settings.url, folder)
    if address.kind == POSTGRESQL:
        from withstand.readers.databases import postgresql

        password = password_of(settings.password_env)
        with postgresql.opened(address, settings.timeout_seconds, password) as source:
            yield source
    elif address.kind == DUCKDB:
        from withstand.readers.databases import duckdb_files

        with duckdb_files.opened(address, settings.timeout_seconds) as duck:
            yield duck
    else:
        from withstand.readers.databases import sqlite_files

        with sqlite_files.opened(address, settings.timeout_seconds) as lite:
            yield lite


def address_of(url: str, folder: Path) -> Address:
    """Return the address of a URL; what is wrong with it as a QueryError."""
    try:
        return read_address(url, folder)
    except WrittenPasswordError as error:
        code, what = "E731", str(error)
    except AddressError as error:
        code, what = "E732", str(error)
    raise QueryError(code, what)


def password_of(name: str | None) -> Password | None:
    """Return the password of an environment variable; a missing one as a QueryError."""
    try:
        return password_from(name)
    except KeyError:
        pass
    raise QueryError("E733", f"the environment variable {name} that holds the password is not set")
