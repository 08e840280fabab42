"""From Arrow batches to frames: batch by batch, so that memory holds the rows once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from withstand.model.findings import shorten
from withstand.readers.databases.sources import QueryError

if TYPE_CHECKING:
    import pyarrow as pa

_MEND = "cast it in the query, for instance to text"
_UUID = "arrow.uuid"
_TYPE_OF_SERVER = b"POSTGRESQL:type"


def frames_of(reader: pa.RecordBatchReader) -> Iterator[pl.DataFrame]:
    """Yield frames of plain columns: text, numbers, yes and no, dates.

    Exact decimals become text, which the dictionary reads as it reads a CSV file: the nearest
    float, whatever the database.

    Raises
    ------
    QueryError
        If a column has a type that no table takes, or a name stands twice.
    """
    check_names(reader.schema.names)
    columns = [_plain_type(field) for field in reader.schema]
    yield _frame(reader.schema.empty_table().to_batches(), columns, reader.schema)
    for batch in reader:
        if batch.num_rows:
            yield _frame([batch], columns, reader.schema)


def check_names(names: list[str]) -> None:
    """Refuse columns without a name, and names that stand twice."""
    for name, n in Counter(names).items():
        if n > 1:
            raise QueryError("E120", f"column '{shorten(name)}' stands {n} times", name)
        if not name.strip():
            raise QueryError("E120", "a column has no name; name it: ... as name")


def _plain_type(field: pa.Field) -> Any:
    """Return the Arrow type that a column is read as."""
    import pyarrow as pa

    type_, is_ = field.type, pa.types
    name = (field.metadata or {}).get(_TYPE_OF_SERVER, b"").decode("utf-8", "replace")
    if name == "money":
        what = "holds money, whose decimals only the server knows; cast it: ::numeric"
        raise QueryError("E737", what, field.name)
    if isinstance(type_, pa.BaseExtensionType):
        if type_.extension_name == _UUID:
            return pa.string()
        inner = type_.storage_type
        if is_.is_fixed_size_binary(inner) or is_.is_binary(inner):
            raise QueryError("E737", f"holds {name or type_}; {_MEND}", field.name)
        type_ = inner
    if is_.is_dictionary(type_):
        type_ = type_.value_type
    if is_.is_decimal(type_):
        return pa.string()
    is_plain = (
        is_.is_integer(type_)
        or is_.is_floating(type_)
        or is_.is_boolean(type_)
        or is_.is_null(type_)
        or is_.is_date(type_)
        or is_.is_timestamp(type_)
        or is_.is_time(type_)
        or is_.is_string(type_)
        or is_.is_large_string(type_)
        or is_.is_string_view(type_)
    )
    if not is_plain:
        raise QueryError("E737", f"holds {name or type_}; {_MEND}", field.name)
    return pa.string() if is_.is_null(type_) else type_


def _frame(batches: list[Any], types: list[Any], schema: pa.Schema) -> pl.DataFrame:
    import pyarrow as pa

    table = pa.Table.from_batches(batches, schema)
    columns = []
    for name, column, type_ in zip(schema.names, table.columns, types, strict=True):
        plain = column
        if isinstance(column.type, pa.BaseExtensionType) and column.type.extension_name == _UUID:
            words = [None if cell is None else str(cell) for cell in column.to_pylist()]
            plain = pa.chunked_array([words], pa.string())
        elif isinstance(column.type, pa.BaseExtensionType):
            plain = pa.chunked_array([c.storage for c in column.chunks], column.type.storage_type)
        if plain.type != type_:
            plain = plain.cast(type_)
        columns.append(cast("pl.Series", pl.from_arrow(plain)).rename(name))
    return pl.DataFrame(columns)
