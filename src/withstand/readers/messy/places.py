"""Letters of spreadsheet columns."""

from __future__ import annotations


def letter_of(column: int) -> str:
    """Return the letters of a column (1-based).

    Examples
    --------
    >>> letter_of(1), letter_of(27), letter_of(703)
    ('A', 'AA', 'AAA')
    """
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
