"""The same tables in every kind of database, and projects that read them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from postgres_server import Server
from withstand.model.settings import Settings
from withstand.readers import network_from_links
from withstand.readers.saving import settings_toml

VARIABLE = "WITHSTAND_TEST_PASSWORD"


def firms(n: int = 200, seed: int = 5):
    """A firm network of links with values, some of them awkward numbers."""
    import numpy as np

    random = np.random.default_rng(seed)
    nodes = pl.DataFrame(
        {
            "node": [f"firm {k:04d}" for k in range(n)],
            "product": [f"sector {k % 7}" for k in range(n)],
            "region": [f"R{k % 5}" for k in range(n)],
        }
    )
    pairs = np.unique(random.integers(0, n, (6 * n, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    links = pl.DataFrame(
        {
            "supplier": nodes["node"].gather(pairs[:, 0]),
            "buyer": nodes["node"].gather(pairs[:, 1]),
            "value": random.lognormal(0, 3, len(pairs)),
        }
    )
    return network_from_links(nodes, links)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def fill_sqlite(file: Path, tables: Mapping[str, pl.DataFrame]) -> str:
    with sqlite3.connect(file) as connection:
        for name, frame in tables.items():
            columns = ", ".join(map(quoted, frame.columns))
            connection.execute(f"create table {quoted(name)} ({columns})")
            marks = ", ".join("?" * frame.width)
            connection.executemany(f"insert into {quoted(name)} values ({marks})", frame.rows())
    connection.close()
    return f"sqlite:{file}"


def fill_duckdb(file: Path, tables: Mapping[str, pl.DataFrame]) -> str:
    with duckdb.connect(str(file)) as connection:
        for name, frame in tables.items():
            connection.register("rows", frame.to_arrow())
            connection.execute(f"create table {quoted(name)} as select * from rows")
    return f"duckdb:{file}"


def fill_postgresql(server: Server, schema: str, tables: Mapping[str, pl.DataFrame]) -> None:
    with server.connected() as cursor:
        cursor.execute(f"drop schema if exists {quoted(schema)} cascade")
        cursor.execute(f"create schema {quoted(schema)}")
        cursor.execute(f"grant usage on schema {quoted(schema)} to reader")
        for name, frame in tables.items():
            cursor.adbc_ingest(name, frame.to_arrow(), mode="create", db_schema_name=schema)
        cursor.execute(f"grant select on all tables in schema {quoted(schema)} to reader")


def project(
    folder: Path,
    url: str,
    queries: Mapping[str, str],
    settings: Settings | None = None,
    more: str = f'password_env = "{VARIABLE}"',
) -> Path:
    """Write a project that reads its tables by queries."""
    from dataclasses import dataclass

    @dataclass
    class Named:
        settings: Settings

    folder.mkdir(parents=True, exist_ok=True)
    head = settings_toml(Named(settings or Settings(name="net", lens="firms")))  # type: ignore[arg-type]
    lines = [head, "[database]", f"url = {_text(url)}", more, "[database.queries]"]
    lines += [f"{name} = {_text(query)}" for name, query in queries.items()]
    (folder / "withstand.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _text(value: str) -> str:
    import json

    return json.dumps(value)
