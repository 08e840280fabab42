"""Findings: what a check has to say, in one form for CLI, JSON, web and Python."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from withstand.model.finding_codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEVERITIES = ("error", "warning", "note")
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check has to say: where, what, why and how to mend it.

    Parameters
    ----------
    code : str
        Key of the rule in `withstand.model.finding_codes.CODES`, such as "E104".
    severity : {"error", "warning", "note"}
        Errors stop the work, warnings do not, notes only tell.
    what : str
        What was found and what was expected.
    why, fix : str
        Why it matters; how to mend it.
    file, sheet, row, column, cell : optional
        The place. `row` counts as a spreadsheet does (the header is row 1).
    value : str, optional
        The offending value, shortened.
    suggestion : str, optional
        The nearest valid value. It is never applied in silence.
    count : int
        How many equal cases this finding stands for.
    """

    code: str
    severity: str
    what: str
    why: str = ""
    fix: str = ""
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    cell: str | None = None
    value: str | None = None
    suggestion: str | None = None
    count: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dictionary, in their fixed order."""
        return asdict(self)

    @property
    def place(self) -> str:
        """Where it is, as a reader would point: `suppliers.csv row 17, column share`."""
        parts = [self.file] if self.file else []
        if self.sheet:
            parts.append(f"> {self.sheet}" + (f"!{self.cell}" if self.cell else ""))
        where = " ".join(parts)
        details = []
        if self.row is not None:
            details.append(f"row {self.row}")
        if self.column is not None:
            details.append(f"column {shorten(self.column)}")
        return f"{where} {', '.join(details)}".strip()

    def __str__(self) -> str:
        """Render on two or three lines: place and fault, then the mend."""
        head = f"{self.code} {self.place}".rstrip()
        value = f"  [{self.value}]" if self.value is not None else ""
        times = f" ({self.count} cases)" if self.count > 1 else ""
        hint = f". Did you mean {self.suggestion}?" if self.suggestion else ""
        lines = [f"{head}{value}  {self.what}{times}{hint}"]
        if self.fix:
            lines.append(f"     {self.fix}")
        return "\n".join(map(printable, lines))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table came from, so that a finding can point at the user's own cell.

    Parameters
    ----------
    file : str
        Name of the file (never a full path: findings are shared).
    sheet : str, optional
        Sheet of a workbook.
    letters : dict, optional
        Column name to spreadsheet letter, for workbooks.
    names : dict, optional
        Our column name to the column name in the file, where they differ.
    rows : sequence of int, optional
        Row in the file of each row of the table, where it is not simply the index + 2 (blank or
        faulty rows left out, rows added together); 0 for rows that stand in no file.
    """

    file: str
    sheet: str | None = None
    letters: dict[str, str] | None = None
    names: dict[str, str] | None = None
    rows: Sequence[int] | None = None

    def row_of(self, index: int) -> int | None:
        """Return the row in the file of row `index` (0-based) of the table."""
        if self.rows is None:
            return index + 2
        return int(self.rows[index]) or None

    def place(self, index: int | None, column: str | None) -> dict[str, Any]:
        """Return the place fields of a Finding for row `index` (0-based) of `column`."""
        row = None if index is None else self.row_of(index)
        shown = column if column is None or not self.names else self.names.get(column, column)
        letter = self.letters.get(shown or "") if self.letters else None
        cell = f"{letter}{row}" if letter and row else None
        return {"file": self.file, "sheet": self.sheet, "row": row, "column": shown, "cell": cell}


def make_finding(
    code: str,
    what: str,
    *,
    origin: Origin | None = None,
    index: int | None = None,
    column: str | None = None,
    value: object = None,
    suggestion: str | None = None,
    count: int = 1,
    fix: str | None = None,
) -> Finding:
    """Make a finding of a known code, with its severity, reason and mend filled in."""
    rule = CODES[code]
    place = origin.place(index, column) if origin else {"column": column}
    return Finding(
        code=code,
        severity=rule.severity,
        what=what,
        why=rule.why,
        fix=fix or rule.fix,
        value=None if value is None else shorten(value),
        suggestion=suggestion,
        count=count,
        **place,
    )


def printable(text: str) -> str:
    r"""Return a text with a question mark for each sign that a terminal would obey or hide.

    Examples
    --------
    >>> printable("left\u202eright\x1b[31m")
    'left?right?[31m'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def shorten(value: object) -> str:
    """Return a value as one printable line of at most eighty characters."""
    try:
        text = printable(str(value)[: _LONGEST_VALUE * 4])
    except RecursionError:  # lists in lists in lists ...
        text = f"{type(value).__name__} nested too deep to show"
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def nearest(value: str, valid: Sequence[str]) -> str | None:
    """Return the valid value nearest to `value`, or None when nothing is near."""
    if len(value) > 200 or len(valid) > 20_000:
        return None
    folded = {v.casefold(): v for v in valid}
    match = difflib.get_close_matches(value.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[match[0]] if match else None


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with errors first, then by place; order is stable."""
    rank = {s: i for i, s in enumerate(SEVERITIES)}
    return sorted(
        findings,
        key=lambda f: (rank[f.severity], f.file or "", f.sheet or "", f.row or 0, f.code),
    )


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether any finding is an error."""
    return any(f.severity == "error" for f in findings)


def counted(number: int, noun: str) -> str:
    """Return `1 link` or `2,000 links`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(labels: Sequence[object], most: int = 5) -> str:
    """Return labels as `a, b, c and 4 more`."""
    shown = ", ".join(shorten(x) for x in labels[:most])
    return shown if len(labels) <= most else f"{shown} and {len(labels) - most} more"
