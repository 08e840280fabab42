"""DuckDB files: attached read-only, without the file system, with settings locked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from withstand.model.findings import shorten
from withstand.readers.databases.arrow_frames import frames_of
from withstand.readers.databases.sources import QueryError

if TYPE_CHECKING:
    import polars as pl

    from withstand.readers.databases.addresses import Address

LOCKED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "preserve_insertion_order": "true",
    "lock_configuration": "true",
}


class DuckDBSource:
    """One read-only transaction on one file."""

    def __init__(self, connection: Any, timeout: float) -> None:
        self.connection, self.timeout = connection, timeout
        self.warnings: list[tuple[str, str]] = []

    def frames(self, query: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a query."""
        import duckdb

        timer = threading.Timer(self.timeout, self.connection.interrupt)
        timer.daemon = True
        fault = None
        try:
            statements = self.connection.extract_statements(query)
            if [s.type.name for s in statements] != ["SELECT"]:
                raise QueryError("E734", "it is not one reading statement")
            timer.start()
            relation = self.connection.sql(query)
            if hasattr(relation, "to_arrow_reader"):
                reader = relation.to_arrow_reader()
            else:
                reader = relation.fetch_record_batch()
            yield from frames_of(reader)
        except duckdb.InterruptException:
            fault = QueryError("E736", f"the query took longer than {self.timeout:g} seconds")
        except (duckdb.Error, OSError, ValueError) as error:
            fault = _fault(error, self.timeout)
        finally:
            timer.cancel()
        if fault is not None:
            raise fault


def _fault(error: Exception, timeout: float) -> QueryError:
    first = shorten(str(error).strip().partition("\n")[0] or type(error).__name__)
    if "INTERRUPT" in str(error):
        return QueryError("E736", f"the query took longer than {timeout:g} seconds")
    if type(error).__name__ == "PermissionException":
        return QueryError("E734", f"the query would leave the database: {first}")
    return QueryError("E735", f"DuckDB said: {first}")


@contextlib.contextmanager
def opened(address: Address, timeout: float) -> Iterator[DuckDBSource]:
    """Hold a DuckDB file open for reading.

    Raises
    ------
    QueryError
        If there is no such file, or it is no DuckDB database, or somebody is writing to it.
    """
    import duckdb

    assert address.file is not None
    if not address.file.is_file():
        raise QueryError("E733", f"there is no file {shorten(address.file.name)}")
    fault = None
    try:
        connection = duckdb.connect(str(address.file), read_only=True, config=dict(LOCKED))
        connection.execute("begin transaction read only")
    except (duckdb.Error, OSError) as error:
        fault = shorten(str(error).replace(str(address.file), address.file.name).splitlines()[0])
    if fault is not None:
        raise QueryError("E733", f"{shorten(address.file.name)} cannot be opened: {fault}")
    try:
        yield DuckDBSource(connection, timeout)
    finally:
        connection.close()
