"""The section [database] of a project folder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import DataError, UsageError
from withstand.model.findings import Origin, has_errors
from withstand.model.tables import TABLES
from withstand.readers.databases.database_settings import (
    SECTION,
    DatabaseSettings,
    read_database_settings,
)
from withstand.readers.plant import SHORTHAND_TABLES

if TYPE_CHECKING:
    import os

_FILE = "withstand.toml"


def database_of(project: str | os.PathLike[str]) -> DatabaseSettings | None:
    """Return what withstand.toml of a project says of its database, None if nothing.

    Raises
    ------
    UsageError
        If the project is no folder, or its settings cannot be read.
    DataError
        With every fault of the section.
    """
    folder = Path(project)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no project folder; name one with --project.")
    try:
        data = tomllib.loads((folder / _FILE).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        raise UsageError(f"{_FILE} cannot be read; withstand check says why.") from None
    if SECTION not in data:
        return None
    names = (*TABLES, *SHORTHAND_TABLES)
    settings, findings = read_database_settings(data[SECTION], names, Origin(_FILE))
    if has_errors(findings):
        raise DataError(findings)
    return settings
