"""How large a file may be before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes beyond which a file is refused before it is parsed.

    Parameters
    ----------
    text_bytes : int
        Bytes of a text file.
    unzipped_bytes : int
        Bytes that a workbook unpacks to.
    ratio : int
        How many times larger than the file its content may be (where it is more than 64 MB).
    parts : int
        Files inside a workbook.
    rows, columns, cells : int
        Rows and columns of a table, and cells of a sheet.
    cell_characters : int
        Characters of one cell.
    """

    text_bytes: int = 2**33
    unzipped_bytes: int = 2**30
    ratio: int = 200
    parts: int = 10_000
    rows: int = 2**25
    columns: int = 16_384
    cells: int = 2**28
    cell_characters: int = 32_767
