"""PostgreSQL through ADBC: one read-only transaction, rows by COPY, batch by batch."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from withstand.errors import MissingExtraError
from withstand.model.findings import shorten
from withstand.readers.databases.arrow_frames import frames_of
from withstand.readers.databases.sources import QueryError

if TYPE_CHECKING:
    import polars as pl

    from withstand.readers.databases.addresses import Address
    from withstand.readers.databases.passwords import Password

_TIMED_OUT, _READ_ONLY, _LACKS_RIGHTS = "57014", "25006", "42501"
_PLAIN_TEXT = ("verify-full",)  # where a password may go over the line as it is
_BATCH_BYTES = 8 * 2**20
_STEADY = (
    "set local synchronize_seqscans = off",  # the same rows in the same order
    "set local standard_conforming_strings = on",  # quotes mean what the look at the text took
)


@contextlib.contextmanager
def connected(address: Address, password: Password | None) -> Iterator[Any]:
    """Hold a connection with a transaction open; nothing is kept unless committed.

    Raises
    ------
    MissingExtraError
        If the driver is not installed.
    QueryError
        If the server cannot be reached, or does not let us in.
    """
    errors = driver_errors()
    from adbc_driver_postgresql import dbapi

    fault = None
    try:
        connection = dbapi.connect(_connection_text(address, password), autocommit=False)
    except errors as error:
        fault = said(error, password)
    if fault is not None:  # outside: the driver's error is not chained to ours
        raise QueryError("E733", f"{address.shown} does not let us in: {fault}")
    try:
        yield connection
    finally:
        with contextlib.suppress(*errors, RuntimeError):
            connection.rollback()
        with contextlib.suppress(*errors, RuntimeError):
            connection.close()


def driver_errors() -> tuple[type[Exception], ...]:
    """Return what the driver may raise.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import adbc_driver_postgresql  # noqa: F401
        from adbc_driver_manager import Error
        from pyarrow import ArrowException  # what a stream that breaks off raises
    except ImportError as error:
        raise MissingExtraError(
            "PostgreSQL needs the extra [db]: pip install 'withstand[db]'."
        ) from error
    return (Error, ArrowException, OSError)


def _connection_text(address: Address, password: Password | None) -> str:
    """Return libpq's keywords; a server that asks for a plain password gets none."""
    words = {"application_name": "withstand", **address.connection}
    if words.get("sslmode") not in _PLAIN_TEXT:
        words["require_auth"] = "!password"
    if password is not None:
        words["password"] = password.text
    quoted = {k: v.replace("\\", "\\\\").replace("'", "\\'") for k, v in words.items()}
    return " ".join(f"{key}='{value}'" for key, value in quoted.items())


def said(error: Exception, password: Password | None) -> str:
    """Return the first line that a server said, without what the driver puts round it."""
    text = re.sub(r"^[A-Z_]+: ", "", str(error).replace("[libpq] ", ""))
    if "ERROR:" in text:
        text = text.split("ERROR:", 1)[1]
    elif "FATAL:" in text:
        text = text.split("FATAL:", 1)[1]
    elif " failed: " in text:
        text = text.split(" failed: ", 1)[1]
    first = next((line for line in text.splitlines() if line.strip()), "")
    return shorten((password.hidden_in(first) if password else first).strip())


def run(connection: Any, sql: str, parameters: tuple[Any, ...] | None = None) -> list[Any]:
    """Run one statement of ours and return its rows."""
    cursor = connection.cursor()
    try:
        if parameters is None:
            cursor.execute(sql)
        else:
            cursor.execute(sql, parameters=parameters)
        return cursor.fetchall() if cursor.description else []
    finally:
        cursor.close()


class PostgreSQLSource:
    """One transaction at repeatable read: all queries see the database as of one moment."""

    def __init__(self, connection: Any, timeout: float, password: Password | None) -> None:
        self.connection, self.timeout, self.password = connection, timeout, password
        self.warnings: list[tuple[str, str]] = []
        self._begin()
        if self._run("select current_setting('is_superuser') = 'on' as yes")[0][0]:
            what = "the role of the connection may do anything on the server"
            self.warnings.append(("W732", what))

    def _begin(self) -> None:
        self._run("set transaction isolation level repeatable read, read only")
        for statement in _STEADY:
            self._run(statement)

    def _run(self, sql: str) -> list[Any]:
        try:
            return run(self.connection, sql)
        except driver_errors() as error:
            fault = said(error, self.password)
        raise QueryError("E735", f"the server said: {fault}")

    def frames(self, query: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a query.

        One that fails ends the moment: the others are still tried, for their faults, in a new one.
        """
        self._run(f"set local statement_timeout = {int(self.timeout * 1000)}")
        cursor = self.connection.cursor()
        fault: QueryError | None = None
        is_done = False
        try:
            cursor.adbc_statement.set_options(
                **{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)}
            )
            cursor.execute(query)
            yield from frames_of(cursor.fetch_record_batch())
            is_done = True
        except driver_errors() as error:
            fault = self._fault(error)
        finally:
            cursor.close()
            if not is_done:
                with contextlib.suppress(QueryError, *driver_errors()):
                    self.connection.rollback()
                    self._begin()
        if fault is not None:
            raise fault

    def _fault(self, error: Exception) -> QueryError:
        state, text = getattr(error, "sqlstate", None), said(error, self.password)
        if state == _TIMED_OUT or "statement timeout" in text:
            return QueryError("E736", f"the query took longer than {self.timeout:g} seconds")
        if state == _READ_ONLY or "read-only transaction" in text:
            return QueryError("E734", f"the query would write: {text}")
        if state == _LACKS_RIGHTS:
            return QueryError("E735", f"the role may not read this: {text}")
        return QueryError("E735", f"the server said: {text}")


@contextlib.contextmanager
def opened(
    address: Address, timeout: float, password: Password | None
) -> Iterator[PostgreSQLSource]:
    """Hold a PostgreSQL database open for reading."""
    with connected(address, password) as connection:
        yield PostgreSQLSource(connection, timeout, password)
