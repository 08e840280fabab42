"""What the section [database] of withstand.toml says: where the tables come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from withstand.model.findings import Finding, Origin, make_finding, nearest
from withstand.readers.databases.addresses import smells_of_password

SECTION = "database"
LONGEST_QUERY = 100_000
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_LONGEST_TIMEOUT = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Section [database] of withstand.toml.

    Parameters
    ----------
    url : str
        Where the database is: `postgresql://host:port/database?user=name`, `duckdb:FILE` or
        `sqlite:FILE` (relative to the project). It holds no password.
    password_env : str, optional
        Name of the environment variable that holds the password; default: what PostgreSQL's own
        PGPASSWORD and .pgpass say.
    timeout_seconds : float, seconds
        Longest that one query may take.
    schema : str
        Schema that `withstand db push` writes results to.
    queries : mapping of str to str
        One reading query a table, by the name of the table: `[database.queries]`.
    """

    url: str = ""
    password_env: str | None = None
    timeout_seconds: float = 600.0
    schema: str = "withstand"
    queries: Mapping[str, str] = field(default_factory=dict)


def read_database_settings(
    data: object, tables: tuple[str, ...], origin: Origin
) -> tuple[DatabaseSettings, list[Finding]]:
    """Return the section as settings, with every fault found; values are never repeated.

    Parameters
    ----------
    data : object
        What stands under `database` in the parsed file.
    tables : tuple of str
        Names that a query may have.
    origin : Origin
        withstand.toml.
    """
    findings: list[Finding] = []
    values: dict[str, Any] = {}
    known = [f.name for f in fields(DatabaseSettings)]

    def fault(key: str, what: str, code: str = "E118", suggestion: str | None = None) -> None:
        column = f"{SECTION}.{key}"[:80]
        findings.append(
            make_finding(code, what, origin=origin, column=column, suggestion=suggestion)
        )

    if not isinstance(data, Mapping):
        fault("url", f"{SECTION} must be a section: [{SECTION}]")
        return DatabaseSettings(), findings
    for key, value in data.items():
        if key not in known and smells_of_password(key):
            fault(key, "a password stands in the file", "E731")
        elif key not in known:
            fault(key, f"unknown setting '{key[:40]}'", suggestion=nearest(key, known))
        elif key == "queries":
            values[key] = _queries(value, tables, fault)
        else:
            wrong = _wrong(key, value)
            if wrong is None:
                values[key] = float(value) if key == "timeout_seconds" else value
            else:
                fault(key, *wrong)
    if "url" not in data:
        fault("url", "the address of the database is missing")
    return DatabaseSettings(**values), findings


def _wrong(key: str, value: object) -> tuple[str, str] | None:
    """Return what is wrong with a value, and the code of it."""
    if key == "timeout_seconds":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and 0 < value <= _LONGEST_TIMEOUT:  # type: ignore[operator]
            return None
        return f"must be a number of seconds, at most {_LONGEST_TIMEOUT:,.0f}", "E118"
    if not isinstance(value, str) or not value.strip():
        return "must be text in quotation marks", "E118"
    if key == "password_env" and not _ENVIRONMENT_NAME.fullmatch(value):
        return "must be the name of an environment variable, not a password", "E731"
    return None


def _queries(given: object, tables: tuple[str, ...], fault: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        fault("queries", 'must be a section of queries: [database.queries], nodes = "select ..."')
        return {}
    good: dict[str, str] = {}
    for name, text in given.items():
        if name not in tables:
            fault(f"queries.{name}", f"'{name[:40]}' is no table", suggestion=nearest(name, tables))
        elif not isinstance(text, str) or not text.strip():
            fault(f"queries.{name}", "must be a query in quotation marks")
        elif len(text) > LONGEST_QUERY:
            fault(f"queries.{name}", f"a query has at most {LONGEST_QUERY:,} characters")
        else:
            good[name] = text
    return good
