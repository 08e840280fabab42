"""A table as it stands in a file, before the dictionary judges it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.conforming import fold_header
from withstand.model.findings import Finding, Origin, make_finding, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFUSED = r"^'('*[=+\-@\t\r])"
"""Text that our CSV export made harmless to spreadsheets by an apostrophe."""


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in a file: its name, its cells and where it came from."""

    name: str
    frame: pl.DataFrame
    origin: Origin


def raw_table(
    name: str, frame: pl.DataFrame, origin: Origin, header_row: int = 1
) -> tuple[RawTable, list[Finding]]:
    """Return a table of text cells without its blank rows and nameless columns.

    Parameters
    ----------
    name : str
        Name of the file or sheet.
    frame : polars.DataFrame
        Text cells, blank ones null, every row below the header.
    origin : Origin
        File, sheet and letters.
    header_row : int
        Row of the header in the file.
    """
    findings: list[Finding] = []
    nameless = [c for c in frame.columns if not c.strip()]
    filled = [c for c in nameless if frame[c].null_count() < frame.height]
    if filled:
        what = "a column without a name in the header is left out"
        findings.append(make_finding("N101", what, origin=origin, count=len(filled)))
    frame = frame.drop(nameless)
    rows: Sequence[int] | None = None
    if frame.width and frame.height:
        is_blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        if is_blank.any():
            kept = (~is_blank).arg_true()
            rows = (kept.cast(pl.Int64) + header_row + 1).to_list()
            frame = frame.filter(~is_blank)
        elif header_row != 1:
            rows = range(header_row + 1, header_row + 1 + frame.height)
    names = {fold_header(c): c for c in frame.columns if fold_header(c) != c}
    return RawTable(name, frame, replace(origin, names=names or None, rows=rows)), findings


def repeated_columns(header: Sequence[str], origin: Origin) -> list[Finding]:
    """Find names that stand more than once in a header."""
    return [
        make_finding(
            "E120", f"column '{shorten(name)}' stands {n} times", origin=origin, column=name
        )
        for name, n in Counter(header).items()
        if n > 1 and name.strip()
    ]


def cell_text(cell: object) -> str | None:
    """Return a cell as text that reads back as the same number, None for an empty one."""
    if cell is None or (isinstance(cell, str) and cell == ""):
        return None
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell)
