"""Databases: named queries in, results out.

Tables come out of PostgreSQL, DuckDB and SQLite by queries that stand in withstand.toml, all in one
read-only transaction, and go through the same checks as files. Results go into a schema of their
own, in one transaction. Passwords come from the environment only.
"""

from __future__ import annotations

from withstand.readers.databases.database_settings import DatabaseSettings, read_database_settings

__all__ = ["DatabaseSettings", "read_database_settings"]
