"""What may be handed to `read_trade`: files, folders, patterns and frames."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import Origin, make_finding, nearest, shorten

TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
PARQUET = (".parquet", ".pq")
_PATTERN = "*?["


@dataclass(frozen=True, eq=False)
class TradeSource:
    """One file or frame.

    Parameters
    ----------
    name : str
        For people: the name of the file without its ending.
    origin : Origin
    path : Path, optional
    frame : polars.DataFrame, optional
    """

    name: str
    origin: Origin
    path: Path | None = None
    frame: pl.DataFrame | None = None

    @property
    def is_text(self) -> bool:
        """Whether it is a text file, which is dear to read."""
        return self.path is not None and self.path.name.lower().endswith(TEXT)

    def register(self, database: Any) -> str:
        """Make the source known to a database; return the table as SQL writes it."""
        import duckdb

        if self.frame is not None:
            database.register("source_rows", self.frame.to_arrow())
            return "source_rows"
        assert self.path is not None
        place = self._place()
        if not self.is_text:
            table = f"read_parquet('{place}')"
        else:
            form = f"delim = '{self._separator()}', quote = '\"', skip = 0"
            table = f"read_csv('{place}', all_varchar = true, header = true, {form})"
        try:
            database.execute(f"SELECT * FROM {table} LIMIT 1")
        except duckdb.Error as error:
            what = f"the file cannot be read: {shorten(str(error).splitlines()[0])}"
            raise DataError([make_finding("E113", what, origin=self.origin)]) from None
        return table

    def _separator(self) -> str:
        """Return the sign between cells, by the first line; guesses over more rows go astray."""
        assert self.path is not None
        try:
            packed = self.path.name.lower().endswith(".gz")
            with gzip.open(self.path) if packed else self.path.open("rb") as stream:
                head = stream.readline(65_536).decode("utf-8", errors="replace")
        except (OSError, EOFError) as error:
            what = f"the file cannot be opened: {shorten(error)}"
            raise DataError([make_finding("E116", what, origin=self.origin)]) from None
        return max(",;\t|", key=head.count)

    def _place(self) -> str:
        """Return the path as text of SQL, signs that a pattern would use made harmless."""
        text = str(self.path).replace("'", "''")
        for sign in "[*?":  # a set of one sign matches that sign only
            text = text.replace(sign, f"[{sign}]")
        return text


def trade_sources(source: Any) -> list[TradeSource]:
    """Return every file or frame of a source.

    Raises
    ------
    UsageError
        If it is nothing that can be read, or no file is there.
    """
    if isinstance(source, (str, os.PathLike)):
        return [_of_path(path) for path in _paths(Path(source))]
    if isinstance(source, Sequence):
        found = [one for part in source for one in trade_sources(part)]
        if not found:
            raise UsageError("There is nothing to read: the list is empty.")
        return found
    return [TradeSource(name="frame", origin=Origin("frame"), frame=_frame(source))]


def _frame(source: Any) -> pl.DataFrame:
    if isinstance(source, pl.LazyFrame):
        return source.collect(engine="streaming")
    if isinstance(source, pl.DataFrame):
        return source
    if type(source).__module__.startswith(("pandas", "pyarrow")):
        made = pl.from_pandas(source) if hasattr(source, "iloc") else pl.from_arrow(source)
        if isinstance(made, pl.DataFrame):
            return made
    raise UsageError(
        f"A {type(source).__name__} cannot be read; give a path, a polars, pandas or Arrow frame."
    )


def _paths(path: Path) -> list[Path]:
    """Return the files that a path, a folder or a pattern means, in order of their names."""
    if path.is_dir():
        files = [p for p in path.iterdir() if p.name.lower().endswith((*TEXT, *PARQUET))]
        files = [p for p in files if not _is_code_list(p)]
    elif not path.exists() and any(sign in path.name for sign in _PATTERN):
        files = list(path.parent.glob(path.name))
    elif path.exists():
        files = [path]
    else:
        have = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(path.name, have)
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(f"There is no file '{shorten(path.name)}'.{hint}")
    if not files:
        raise UsageError(f"There is no CSV or Parquet file in '{shorten(path.name)}'.")
    return sorted(files)


def _is_code_list(path: Path) -> bool:
    """Tell whether a file is one of the code lists that come with BACI."""
    return path.name.lower().startswith(("country_codes", "product_codes"))


def _of_path(path: Path) -> TradeSource:
    name = path.name
    if not name.lower().endswith((*TEXT, *PARQUET)):
        what = f"trade is read from {', '.join((*TEXT, *PARQUET))}"
        raise DataError([make_finding("E113", what, origin=Origin(shorten(name)))])
    if path.stat().st_size == 0:
        what = "the file is empty (0 bytes)"
        raise DataError([make_finding("E111", what, origin=Origin(shorten(name)))])
    stem = name
    for ending in (*TEXT, *PARQUET):
        stem = stem.removesuffix(ending)
    return TradeSource(name=stem, origin=Origin(shorten(name)), path=path.absolute())
