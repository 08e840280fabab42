"""One table out of a file that a user names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import DataError

if TYPE_CHECKING:
    import polars as pl


def read_table(path: str | os.PathLike[str], name: str) -> pl.DataFrame:
    """Return a table from a file: CSV, Parquet, or the sheet of that name of a workbook.

    Raises
    ------
    DataError
        If it cannot be read, or the workbook has no such sheet.
    """
    from withstand.model.findings import has_errors, listed, make_finding, shorten
    from withstand.readers.files import SUFFIXES, read_file

    file = Path(path)
    if file.exists() and file.suffix.lower() not in SUFFIXES:
        what = f"a table ends in {', '.join(SUFFIXES)}, not in '{file.suffix.lower()}'"
        raise DataError([make_finding("E113", what, value=shorten(file.name))])
    tables, findings = read_file(file)
    if has_errors(findings):
        raise DataError(findings)
    named = [t for t in tables if t.name.strip().casefold() == name]
    chosen = tables if len(tables) == 1 else named
    if not chosen:
        what = f"the workbook needs a sheet '{name}'; there are: {listed([t.name for t in tables])}"
        raise DataError([*findings, make_finding("E119", what, value=shorten(file.name))])
    return chosen[0].frame
