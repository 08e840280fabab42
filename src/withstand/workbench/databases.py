"""Databases of a project: try its queries, and push results back."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import UsageError
from withstand.model.provenance import provenance_of
from withstand.readers.databases.database_settings import DatabaseSettings
from withstand.readers.databases.project import database_of
from withstand.readers.databases.reading import check_queries
from withstand.readers.databases.results import write_results
from withstand.workbench.projects import load

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.readers.databases.reading import QueryCheck
    from withstand.readers.databases.results import Written

_MANIFEST = "manifest.json"
_PART = re.compile(r"-\d+$")


def check_database(
    project: str | os.PathLike[str],
) -> tuple[list[QueryCheck], list[Finding]]:
    """Try the connection of a project and each of its queries on a few rows.

    Raises
    ------
    UsageError
        If the project has no database.
    DataError
        With the faults of its section [database].
    """
    settings = database_of(project)
    if settings is None:
        raise UsageError("withstand.toml has no section [database]; docs/how-to shows one.")
    return check_queries(settings, Path(project))


def push_run(
    project: str | os.PathLike[str],
    run: str | os.PathLike[str],
    *,
    url: str | None = None,
    schema: str | None = None,
    password_env: str | None = None,
) -> Written:
    """Write the tables of a run folder into the schema of results, in one transaction.

    Parameters
    ----------
    project : str or path
    run : str or path
        Folder of the run, or its name under `runs/` of the project.
    url, schema, password_env : str, optional
        As in [database], which is what they are if left out.

    Raises
    ------
    UsageError
        If there is no such run, or no database is named.
    DataError
        If it cannot be written; the database is as it was before then.
    """
    settings = _settings(project, url, schema, password_env)
    folder = Path(project) / "runs" / run
    folder = folder if folder.is_dir() else Path(run)
    manifest = _manifest_of(folder)
    tables: dict[str, list[pl.DataFrame]] = {}
    for file in sorted(folder.glob("*.parquet")):
        try:
            frame = pl.read_parquet(file)
        except (OSError, pl.exceptions.PolarsError):
            raise UsageError(f"{file.name} of the run cannot be read; play it again.") from None
        tables.setdefault(_table_name(file.stem), []).append(frame)
    if not tables:
        raise UsageError(f"{folder} holds no tables of a run (*.parquet).")
    whole = {name: pl.concat(parts, how="diagonal_relaxed") for name, parts in tables.items()}
    return _push(settings, project, whole, manifest, folder.resolve().name)


def push_tables(
    project: str | os.PathLike[str],
    *,
    url: str | None = None,
    schema: str | None = None,
    password_env: str | None = None,
) -> Written:
    """Write the checked tables of the network, under its fingerprint; as `push_run`."""
    settings = _settings(project, url, schema, password_env)
    network = load(project)
    tables = {f"network_{name}": frame for name, frame in network.tables.items()}
    provenance = provenance_of("tables of the network", network, {}).to_dict()
    return _push(settings, project, tables, provenance, network.fingerprint())


def _push(
    settings: DatabaseSettings,
    project: str | os.PathLike[str],
    tables: dict[str, pl.DataFrame],
    provenance: dict[str, Any],
    run: str,
) -> Written:
    return write_results(
        settings.url,
        settings.schema,
        tables,
        provenance,
        run=run,
        password_env=settings.password_env,
        folder=Path(project) if Path(project).is_dir() else Path(),
    )


def _settings(
    project: str | os.PathLike[str],
    url: str | None,
    schema: str | None,
    password_env: str | None,
) -> DatabaseSettings:
    """Return the project's database, with what was named in its place."""
    found = database_of(project) if url is None or Path(project).is_dir() else None
    if url is None and found is None:
        raise UsageError("name the database: --url, or [database] in withstand.toml.")
    settings = found or DatabaseSettings()
    if url is not None:  # another database: the project's password is not for it
        settings = replace(settings, url=url, password_env=None)
    if schema is not None:
        settings = replace(settings, schema=schema)
    if password_env is not None:
        settings = replace(settings, password_env=password_env)
    return settings


def _manifest_of(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / _MANIFEST).read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{folder} is no run: it has no {_MANIFEST}.") from None
    except (OSError, ValueError, RecursionError):
        raise UsageError(f"{_MANIFEST} of {folder} cannot be read; play the run again.") from None
    if not isinstance(found, dict):
        raise UsageError(f"{_MANIFEST} of {folder} is not one of ours; play the run again.")
    return found


def _table_name(stem: str) -> str:
    """Return the table of a file of a run; the parts of an ensemble are one table.

    Examples
    --------
    >>> _table_name("part-000064"), _table_name("timeline")
    ('run_part', 'run_timeline')
    """
    return "run_" + re.sub(r"[^a-z0-9_]", "_", _PART.sub("", stem).casefold())
