"""What is converted, on which terms, and what was found on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from withstand.model.findings import Finding, Origin, make_finding

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.settings import Settings

MOST_VALUES = 10
MOST_MARKED = 20_000
"""Cells of one finding that are marked; its count tells all."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a block is to be read beyond what it says itself.

    Parameters
    ----------
    settings : Settings
        Of the project: period, currency, home.
    units : mapping of str to str
        Our column to the unit its user stated.
    rates : mapping of str to float
        Currency to its worth in the currency of the project.
    codes : mapping of str to (mapping of str to str)
        Our column to values that were decided upon.
    accepted : frozenset of str
        Codes of findings whose suggestions are taken.
    """

    settings: Settings
    units: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BadCell:
    """A cell with a fault: row in the file, column in the block (0-based), what is wrong."""

    row: int
    column: int
    code: str
    text: str


@dataclass(kw_only=True, eq=False)
class Converted:
    """A block as a table of ours.

    Parameters
    ----------
    table : str
    frame : polars.DataFrame
        Our columns.
    origin : Origin
        Where its cells stand.
    findings : list of Finding
    bad : list of BadCell
    said : dict of str to str
        What was done to a column, for the preview.
    codes : dict of str to (dict of str to str)
        Values that were replaced with leave, by column.
    places : dict of str to int
        Our column to the column of the block.
    """

    table: str
    frame: pl.DataFrame
    origin: Origin
    findings: list[Finding] = field(default_factory=list)
    bad: list[BadCell] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def report(
        self,
        code: str,
        what: str,
        column: str,
        where: pl.Series,
        cells: pl.Series,
        **more: str | None,
    ) -> None:
        """Add a finding about some rows of a column, and mark their cells."""
        rows = where.fill_null(value=False).arg_true().to_list()
        if not rows:
            return
        self.findings.append(
            make_finding(
                code, what, origin=self.origin, index=rows[0], column=column,
                value=cells[rows[0]], count=len(rows), **more,
            )
        )  # fmt: skip
        place = self.places[column]
        hint = f" Did you mean {more['suggestion']}?" if more.get("suggestion") else ""
        for r in rows[:MOST_MARKED]:
            self.bad.append(BadCell(self.origin.row_of(r) or 0, place, code, what + hint))

    def each(
        self,
        code: str,
        column: str,
        where: pl.Series,
        cells: pl.Series,
        explain: Callable[[str], tuple[str, str | None]],
    ) -> None:
        """Add a finding for each different value of some rows, up to ten, and one for the rest."""
        where = where.fill_null(value=False)
        values = cells.filter(where).unique(maintain_order=True).to_list()
        for value in values[:MOST_VALUES]:
            what, suggestion = explain(value)
            fix = f"Write {suggestion}, or take all that are suggested: --accept {code}."
            self.report(
                code, what, column, where & (cells == value), cells, suggestion=suggestion,
                fix=fix if suggestion else None,
            )  # fmt: skip
        rest = values[MOST_VALUES:]
        if rest:
            what = f"{len(rest):,} more values: {explain(rest[0])[0]}"
            self.report(code, what, column, where & cells.is_in(rest), cells)
