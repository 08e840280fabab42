"""What every database offers the reader: frames of a query, and faults in one form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl


class QueryError(Exception):
    """A database would not do what was asked.

    Parameters
    ----------
    code : str
        Code of the finding it becomes.
    what : str
        One line, fit to be shown.
    column : str, optional
        Column of the query.
    """

    def __init__(self, code: str, what: str, column: str | None = None) -> None:
        super().__init__(what)
        self.code, self.what, self.column = code, what, column

    def __reduce__(self) -> tuple[type[QueryError], tuple[str, str, str | None]]:
        """Travel between processes with its code."""
        return type(self), (self.code, self.what, self.column)


class Source(Protocol):
    """A database opened for reading; everything is read as of one moment."""

    warnings: list[tuple[str, str]]
    """Codes and texts of what is worth a word about the connection."""

    def frames(self, query: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a query, a frame a batch; at least one, so that columns are known."""
        ...
