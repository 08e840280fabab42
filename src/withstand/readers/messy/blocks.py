"""Blocks: the tables of a file as clean rectangles of text, each cell with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.model.findings import Origin, shorten
from withstand.readers.messy.places import letter_of

if TYPE_CHECKING:
    import numpy as np

    from withstand.model.findings import Finding
    from withstand.readers.messy.how import BlockHow, How
    from withstand.readers.messy.numbers import Numbers

REASONS = ("total", "blank", "note", "section", "repeated header", "title")


@dataclass(frozen=True)
class DroppedRow:
    """A row of the file that is not in the block: its number, why, and what stood in it."""

    row: int
    reason: str
    text: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """One table of a file.

    Parameters
    ----------
    name : str
        Name of the sheet or file, with a number where it holds several tables.
    sheet : str, optional
        Sheet of a workbook as it is called there.
    header : tuple of str
        Header of each column as it stands in the file, several rows joined with " / "; "" where
        there is none. Line breaks and invisible characters are blanks.
    bare : tuple of str
        The same without its unit: "Price (EUR)" is "Price".
    header_rows : tuple of int
        Rows of the header in the file (1-based).
    units : tuple of (str or None)
        Unit found in the header, in its plain form ("EUR", "day", "EUR/kg", "%"), else the one
        that all numbers of the column carry. "%" comes from the header only, and means the cells
        that carry no % themselves (those are shares already, `Numbers.is_percent`).
    cells : tuple of polars.Series of String
        One a column, as written, but without invisible characters and blanks around; blank null.
    native : tuple of (polars.Series of Boolean or None)
        Which cells are numbers (or dates) by their type in the workbook, written with a point (or
        as ISO dates) whatever the column's format is; None for none of them.
    rows, columns : ndarray of int64, shape (n_rows,) and (n_columns,)
        Numbers in the file, 1-based as its user sees them.
    dropped : tuple of DroppedRow
        Rows inside the table that are not in `cells` (at most 10,000 are listed).
    notes : tuple of str
        Lines of text above, in and below the table.
    how : BlockHow
        How it was found and how its columns are to be read.
    """

    name: str
    sheet: str | None
    header: tuple[str, ...]
    bare: tuple[str, ...]
    header_rows: tuple[int, ...]
    units: tuple[str | None, ...]
    cells: tuple[pl.Series, ...]
    native: tuple[pl.Series | None, ...]
    rows: np.ndarray
    columns: np.ndarray
    dropped: tuple[DroppedRow, ...]
    notes: tuple[str, ...]
    how: BlockHow

    @property
    def n_rows(self) -> int:
        """Rows of the table."""
        return len(self.rows)

    @property
    def n_columns(self) -> int:
        """Columns of the table."""
        return len(self.columns)

    def __repr__(self) -> str:
        """Tell name and size on one line."""
        return f"Block({shorten(self.name)!r}, {self.n_rows} rows x {self.n_columns} columns)"

    def origin(self, file: str) -> Origin:
        """Return where the cells came from, for findings that name columns by their header."""
        letters = None
        if self.sheet is not None:
            letters = {h: letter_of(int(c)) for h, c in zip(self.header, self.columns, strict=True)}
        return Origin(
            file,
            None if self.sheet is None else shorten(self.sheet),
            letters,
            None,
            self.rows.tolist(),
        )

    def numbers(self, column: int) -> Numbers:
        """Return the numbers of a column (0-based), read by its format in `how`."""
        from withstand.readers.messy.numbers import read_numbers

        return read_numbers(
            self.cells[column], self.how.columns[column].number, self.native[column]
        )

    def dates(self, column: int) -> pl.Series:
        """Return the dates of a column (0-based), null where a cell holds none."""
        from withstand.readers.messy.dates import read_dates

        cells, native = self.cells[column], self.native[column]
        found = read_dates(cells, self.how.columns[column].date)
        return found if native is None else found.fill_null(read_dates(cells, "%Y-%m-%d"))

    def yesno(self, column: int) -> pl.Series:
        """Return yes and no of a column (0-based) as booleans, null where a cell holds neither."""
        from withstand.readers.messy.words import read_yesno

        return read_yesno(self.cells[column])

    def to_frame(self) -> pl.DataFrame:
        """Return the cells as text; equal and missing headers get a number."""
        names: list[str] = []
        for i, header in enumerate(self.header):
            name = header or f"column {int(self.columns[i])}"
            while name in names:
                name += f" ({i + 1})"
            names.append(name)
        return pl.DataFrame([c.rename(n) for c, n in zip(self.cells, names, strict=True)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Blocks:
    """All tables of a file, what was found on the way, and how it was read."""

    file: str
    blocks: tuple[Block, ...]
    findings: tuple[Finding, ...]
    how: How

    def __repr__(self) -> str:
        """Tell file and counts on one line."""
        return f"Blocks({self.file!r}, {len(self.blocks)} blocks, {len(self.findings)} findings)"

    def to_frame(self) -> pl.DataFrame:
        """Return one row a block: where it is and how large."""
        rows: list[dict[str, Any]] = [
            {
                "name": b.name,
                "sheet": b.sheet,
                "header_row": b.header_rows[0] if b.header_rows else None,
                "rows": b.n_rows,
                "columns": b.n_columns,
                "dropped": len(b.dropped),
            }
            for b in self.blocks
        ]
        types = {
            "name": pl.String,
            "sheet": pl.String,
            "header_row": pl.Int64,
            "rows": pl.Int64,
            "columns": pl.Int64,
            "dropped": pl.Int64,
        }
        return pl.DataFrame(rows, schema=types)
