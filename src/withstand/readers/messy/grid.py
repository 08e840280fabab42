"""A sheet or text file as one grid of text, before tables are looked for in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

INVISIBLE = (
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
BLANKS = r"[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
_UNCLEAN = (
    r"^$|^\s|\s$|[\x00-\x1f\x7f-\x9f\u00a0\u00ad\u1680\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u2069\u3000\ufeff]"
)
_HIDING = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00a0\u00ad\u200b-\u200f\u202a-\u202f"
    r"\u2060-\u2069\ufeff]"
)
_RULER = r"^[-=_+*:|\u2500\u2550]{3,}$"
Range = tuple[int, int, int, int]


@dataclass(eq=False)
class Grid:
    """Cells of a sheet or file: all columns of the same length, blank cells null.

    Parameters
    ----------
    name : str
        Name of the file without its suffix, or of the sheet.
    sheet : str, optional
    columns : list of polars.Series of String
    native, dated : list of (polars.Series of Boolean or None)
        Which cells are numbers or dates, and which are dates, by their type.
    merges : list of tuple
        Merged ranges (first row, first column, last row, last column), 0-based, ends included.
    errors : dict
        Text of cells (row, column) that hold an error or a formula without a value.
    hidden_rows, hidden_columns : set of int
        0-based.
    cleaned : int
        Cells that lost invisible characters.
    """

    name: str
    sheet: str | None
    columns: list[pl.Series]
    native: list[pl.Series | None]
    dated: list[pl.Series | None]
    merges: list[Range] = field(default_factory=list)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    is_hidden: bool = False
    cleaned: int = 0

    @property
    def n_rows(self) -> int:
        """Rows of the grid."""
        return len(self.columns[0]) if self.columns else 0

    def filled(self) -> np.ndarray:
        """Return which cells hold anything, shape (n_rows, n_columns)."""
        out = np.empty((self.n_rows, len(self.columns)), dtype=bool)
        for i, column in enumerate(self.columns):
            out[:, i] = column.is_not_null().to_numpy()
        return out

    def row(self, at: int) -> list[str | None]:
        """Return the cells of one row (0-based)."""
        return [column[at] for column in self.columns]


def text_grid(name: str, columns: list[pl.Series]) -> Grid:
    """Return a grid of a text file, cells cleaned."""
    cleaned = 0
    done = []
    for column in columns:
        column, n = clean_cells(column)
        cleaned += n
        done.append(column)
    done = _without_rulers(done)
    nothing: list[pl.Series | None] = [None] * len(done)
    return Grid(name, None, done, nothing, list(nothing), cleaned=cleaned)


def _without_rulers(columns: list[pl.Series]) -> list[pl.Series]:
    """Blank the rows that only draw a line: dashes under a header, as lists for printers have."""
    drawn = [c.str.contains(_RULER).fill_null(value=False) for c in columns]
    if not any(d.any() for d in drawn):
        return columns
    frame = pl.DataFrame(
        [
            (d | c.is_null()).rename(str(i))
            for i, (c, d) in enumerate(zip(columns, drawn, strict=True))
        ]
    )
    lines = frame.select(pl.all_horizontal(pl.all())).to_series()
    return [c.set(lines, None) for c in columns]


def clean_cells(cells: pl.Series) -> tuple[pl.Series, int]:
    r"""Return cells without invisible characters and outer blanks, and how many held hidden ones.

    Examples
    --------
    >>> cells, n = clean_cells(pl.Series([" A\u00a01", "B\u200b", "  ", "C"]))
    >>> cells.to_list(), n
    (['A 1', 'B', None, 'C'], 2)
    """
    unclean = cells.str.contains(_UNCLEAN).fill_null(value=False)
    if not unclean.any():
        return cells, 0
    at = unclean.arg_true()
    some = cells.gather(at)
    hiding = int(some.str.contains(_HIDING).sum())
    some = some.str.replace_all(INVISIBLE, "").str.replace_all(BLANKS, " ").str.strip_chars()
    some = some.set((some == "").fill_null(value=False), None)
    return cells.scatter(at, some), hiding
