"""Find out how a text file separates its columns."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter

SEPARATORS = (",", ";", "\t", "|")
_HINT = re.compile(r"\s*\"?sep=(.)\"?\s*\Z")
_LINES = 300
_GAP = re.compile(r"\S {2,}\S")


def hinted_separator(text: str) -> str | None:
    """Return the separator named in a first line such as `sep=;`."""
    match = _HINT.match(text.split("\n", 1)[0])
    return match[1] if match else None


def sniff_separator(text: str, suffix: str = "") -> str:
    r"""Return the separator of a text: one of SEPARATORS, or " " for columns set by spaces.

    A good separator cuts most rows into the same number of columns, the header among them, and
    leaves no other separator inside the cells.

    Examples
    --------
    >>> sniff_separator("a;b;c\n1,5;2,5;3,5\n1,7;2;3\n")
    ';'
    >>> sniff_separator("name  price\nbolt    2.5\nnut     1.0\n")
    ' '
    """
    scores = {s: _score(text, s) for s in SEPARATORS}
    if suffix == ".tsv" and scores["\t"] > 0:
        return "\t"
    best = max(SEPARATORS, key=lambda s: scores[s])
    lines = [line for line in text.split("\n")[:_LINES] if line.strip()]
    n_spaced = len(column_starts(lines))
    if n_spaced > 1 and math.log2(n_spaced) > 1.2 * scores[best]:
        return " "
    return best


def _score(text: str, separator: str) -> float:
    rows = head_rows(text, separator)
    widths = [len(row) for row in rows]
    wide = [w for w in widths if w > 1]
    if not wide:
        return 0.0
    usual, n = Counter(wide).most_common(1)[0]
    others = "".join(s for s in SEPARATORS if s != separator and s != ",")
    cells = [cell for row in rows if len(row) == usual for cell in row]
    dirty = sum(any(o in cell for o in others) for cell in cells) / len(cells)
    first = next(w for w in widths if w > 1)
    agreement = n / len(rows)
    if abs(first - usual) > 0.5 * usual:
        agreement *= 0.5
    return agreement * math.log2(usual) * (1.0 - dirty) ** 2


def head_rows(text: str, separator: str) -> list[list[str]]:
    """Return the first rows that are not blank, cut by a separator."""
    lines = text.split("\n")[:_LINES]
    rows = []
    try:
        for row in csv.reader(lines, delimiter=separator):
            if any(cell.strip() for cell in row):
                rows.append(row)  # noqa: PERF401  what came before an error is kept
    except csv.Error:
        pass  # what could be cut until here decides
    return rows


def column_starts(lines: list[str]) -> list[int]:
    """Return where columns begin that are set by spaces: [0] where there are none.

    Two blanks, one below the other in every line that has columns at all, part two columns.
    """
    table = [line.expandtabs() for line in lines if _GAP.search(line.strip())]
    if len(table) < 3 or len(table) < 0.5 * len(lines):
        return [0]
    width = max(map(len, table))
    busy = [False] * (width + 2)
    for line in table:
        for at, letter in enumerate(line):
            if not letter.isspace():
                busy[at] = True
    starts, at = [0], 0
    first = busy.index(True)
    at = first
    while at < width:
        if not busy[at] and not busy[at + 1]:
            while at < width and not busy[at]:
                at += 1
            if at < width:
                starts.append(at)
        at += 1
    return starts


def cut_by_spaces(lines: list[str], starts: list[int]) -> list[list[str]]:
    """Return the cells of lines whose columns begin at given places; others stay in one piece."""
    ends = [*starts[1:], None]
    rows = []
    for line in lines:
        text = line.expandtabs()
        is_across = any(at < len(text) and not text[at - 1].isspace() for at in starts[1:])
        rows.append([text] if is_across else [text[a:b] for a, b in zip(starts, ends, strict=True)])
    return rows
