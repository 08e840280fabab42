"""Write results into a schema of ours: in one transaction, with a manifest, a run at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import Origin, make_finding, shorten
from withstand.readers.databases.reading import address_of
from withstand.readers.databases.sources import QueryError
from withstand.readers.databases.stores import TYPES, Store, opened_store, quoted

MANIFEST = "manifest"
RUN = "withstand_run"
"""The column that says which run a row belongs to."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_NOT_OURS = ("public", "information_schema", "main", "temp", "sqlite", "pg")
_LONGEST_COLUMN = 63  # bytes; PostgreSQL cuts longer names in silence
_LONGEST_RUN = 200
_MANIFEST_COLUMNS = {
    RUN: "text",
    "what": "text",
    "network": "text",
    "fingerprint": "text",
    "seed": "integer",
    "parameters": "text",
    "versions": "text",
    "row_counts": "text",
    "written_at": "text",
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written: the run, the schema, rows by table."""

    run: str
    schema: str
    rows: Mapping[str, int]

    def __repr__(self) -> str:
        return f"<Written {self.run!r}: {len(self.rows)} tables, {sum(self.rows.values()):,} rows>"

    def to_frame(self) -> pl.DataFrame:
        """Return a row a table: table, rows."""
        return pl.DataFrame(
            {"table": list(self.rows), "rows": list(self.rows.values())},
            schema={"table": pl.String, "rows": pl.Int64},
        )


def write_results(
    url: str,
    schema: str,
    tables: Mapping[str, pl.DataFrame],
    provenance: Mapping[str, Any],
    *,
    run: str,
    password_env: str | None = None,
    folder: Path = Path(),
) -> Written:
    """Write tables into a schema of ours; all of them or, if anything fails, none.

    Each table gets a first column `withstand_run`; rows that an earlier write of the same run left
    are replaced, those of other runs stay. The table `manifest` says of every run what it was:
    network, fingerprint, seed, parameters, versions, when. No other schema is touched. SQLite has
    no schemas: there the names of tables begin with it.

    Parameters
    ----------
    url : str
        As in `DatabaseSettings`.
    schema : str
        Lower-case letters, digits and underscores; made if it is not there.
    tables : mapping of str to polars.DataFrame
    provenance : mapping
        `Provenance.to_dict()` of the result.
    run : str
        Name of the run.
    password_env : str, optional
        Environment variable that holds the password.
    folder : Path
        What a file in the URL is relative to.

    Raises
    ------
    UsageError
        If a name cannot be used.
    DataError
        If the database cannot be written, or the schema holds tables that are not ours; it is as
        it was before then.
    """
    _check_names(schema, tables, run)
    rows = {}
    try:
        with opened_store(address_of(url, folder), password_env) as store:
            store.prepare(schema)
            known = store.columns(schema)
            _check_ours(schema, known)
            _make_table(store, schema, MANIFEST, _MANIFEST_COLUMNS, known)
            for name, frame in tables.items():
                plain = _plain(frame, run)
                kinds = {c: _kind_of(t) for c, t in plain.schema.items()}
                _make_table(store, schema, name, kinds, known)
                _forget(store, schema, name, run)
                store.insert(schema, name, plain)
                rows[name] = plain.height
            for name in _left_over(store, schema, run, known):
                if name not in tables:
                    _forget(store, schema, name, run)
            _forget(store, schema, MANIFEST, run)
            store.insert(schema, MANIFEST, _manifest(run, provenance, rows))
            store.commit()
    except QueryError as error:
        finding = make_finding(error.code, error.what, origin=Origin("database"))
        raise DataError([finding]) from None
    return Written(run=run, schema=schema, rows=rows)


def _check_names(schema: str, tables: Mapping[str, pl.DataFrame], run: str) -> None:
    """Refuse names that a database would cut, fold or take for something else."""
    for what, name in [("schema", schema), *(("table", name) for name in tables)]:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{what} '{shorten(name)}': use lower-case letters, digits and _, at most 41."
            )
    if schema in _NOT_OURS or schema.startswith(("pg_", "sqlite_")):
        raise UsageError(f"schema '{schema}' belongs to others; name one of ours: withstand.")
    if MANIFEST in tables:
        raise UsageError(f"a table cannot be called {MANIFEST}: that one tells of the runs.")
    if not run.strip() or len(run) > _LONGEST_RUN or not run.isprintable():
        raise UsageError(f"run '{shorten(run)}': a name has 1 to {_LONGEST_RUN} printable letters.")
    for name, frame in tables.items():
        folded = [c.casefold() for c in frame.columns]
        if len(set(folded)) < len(folded) or RUN in folded:
            raise UsageError(f"table {name}: two columns are one to a database ({RUN} is ours).")
        for column in frame.columns:
            if not column or "\0" in column or len(column.encode()) > _LONGEST_COLUMN:
                raise UsageError(
                    f"table {name}, column '{shorten(column)}': 1 to {_LONGEST_COLUMN} bytes."
                )


def _check_ours(schema: str, known: Mapping[str, Mapping[str, str]]) -> None:
    if not known:
        return
    strange = [name for name, columns in known.items() if RUN not in columns]
    if MANIFEST not in known or strange:
        name = strange[0] if strange else next(iter(known))
        raise QueryError("E738", f"schema {schema} holds a table {shorten(name)} that is not ours")


def _make_table(
    store: Store,
    schema: str,
    name: str,
    kinds: Mapping[str, str],
    known: Mapping[str, Mapping[str, str]],
) -> None:
    """Make a table, or give it the columns that it lacks."""
    target = store.table(schema, name)
    declared = {c: f"{quoted(c)} {TYPES[kind][0]}" for c, kind in kinds.items()}
    if name not in known:
        store.run(f"create table {target} ({', '.join(declared.values())})")
        return
    there = known[name]
    for column, kind in kinds.items():
        if column not in there:
            store.run(f"alter table {target} add column {declared[column]}")
        elif there[column] not in TYPES[kind]:
            what = f"{name}.{shorten(column)} holds {there[column]}, and now {TYPES[kind][0]}"
            raise QueryError("E738", f"the table has another form: {what}")


def _forget(store: Store, schema: str, name: str, run: str) -> None:
    store.run(f"delete from {store.table(schema, name)} where {quoted(RUN)} = $1", (run,))


def _left_over(store: Store, schema: str, run: str, known: Mapping[str, Any]) -> Iterator[str]:
    """Yield tables that an earlier write of the run filled."""
    target = store.table(schema, MANIFEST)
    for (counts,) in store.run(
        f"select {quoted('row_counts')} from {target} where {quoted(RUN)} = $1", (run,)
    ):
        yield from (name for name in json.loads(counts) if name in known)


def _manifest(run: str, provenance: Mapping[str, Any], rows: Mapping[str, int]) -> pl.DataFrame:
    seed = provenance.get("seed")
    values = {
        RUN: run,
        "what": str(provenance.get("what", "")),
        "network": str(provenance.get("network", "")),
        "fingerprint": str(provenance.get("fingerprint", "")),
        "seed": seed if isinstance(seed, int) else None,
        "parameters": _json(provenance.get("parameters", {})),
        "versions": _json(provenance.get("versions", {})),
        "row_counts": _json(rows),
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    types = {c: pl.Int64 if k == "integer" else pl.String for c, k in _MANIFEST_COLUMNS.items()}
    return pl.DataFrame({c: [v] for c, v in values.items()}, schema=types)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


# --- columns -------------------------------------------------------------------------------------


def _kind_of(type_: pl.DataType) -> str:
    kinds = {pl.Float64: "number", pl.Int64: "integer", pl.Boolean: "yesno", pl.Date: "date"}
    if isinstance(type_, pl.Datetime):
        return "time"
    return kinds.get(type_.base_type(), "text")  # type: ignore[call-overload]


def _plain(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    """Return the frame with the run first and types that every database has."""
    columns = [pl.Series(RUN, [run] * frame.height, dtype=pl.String)]
    for series in frame.iter_columns():
        type_ = series.dtype
        if type_.is_nested() or type_ == pl.Object:
            texts = [None if cell is None else _json(cell) for cell in series.to_list()]
            columns.append(pl.Series(series.name, texts, dtype=pl.String))
        elif type_ == pl.UInt64 or type_.is_float() or type_.is_decimal():
            columns.append(series.cast(pl.Float64))
        elif type_.is_integer():
            columns.append(series.cast(pl.Int64))
        elif isinstance(type_, pl.Datetime) and type_.time_zone is None:
            columns.append(series.cast(pl.Datetime("us")))
        elif type_ in (pl.Boolean, pl.Date, pl.String):
            columns.append(series)
        else:
            columns.append(series.cast(pl.String))
    return pl.DataFrame(columns)
