"""Where people are and when they are needed: labels and years of an intake problem, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.model.findings import Finding, listed
from withstand.people.intake_tables import fault

if TYPE_CHECKING:
    import polars as pl

Array = np.ndarray
LONGEST = 200
"""Years."""


class Places:
    """The cells, occupation x region, and how tables name them."""

    def __init__(self, occupations: pl.DataFrame) -> None:
        pairs = occupations.select("occupation", "region").iter_rows()
        self.cells: tuple[tuple[str, str], ...] = tuple((o, r or "") for o, r in pairs)
        self._at = {cell: c for c, cell in enumerate(self.cells)}
        self._of: dict[str, list[int]] = {}
        for c, (occupation, _) in enumerate(self.cells):
            self._of.setdefault(occupation, []).append(c)
        self.regions = sorted({r for _, r in self.cells})
        self._tables: dict[str, pl.DataFrame] = {}

    def cell(self, occupation: str, region: str | None) -> int:
        """Return the cell, -1 where there is none or it is not clear which."""
        own = self._of[occupation]
        if len(own) == 1 and (region is None or not self.cells[own[0]][1]):
            return own[0]  # the only one, or one that stands for every region
        return self._at.get((occupation, region or ""), -1)

    def find(
        self,
        table: str,
        row: int,
        column: str,
        occupation: str,
        region: str | None,
        findings: list[Finding],
    ) -> int:
        """Return the cell that a row names; a fault if there is none."""
        at = self.cell(occupation, region)
        if at >= 0:
            return at
        if region is None:
            where = listed([self.cells[c][1] for c in self._of[occupation]])
            what = f"region is empty, and {column} {occupation} is in {where}"
            findings.append(fault("E102", table, row, "region", what))
        else:
            what = f"occupations has no row for {column} {occupation} in this region"
            valid = [self.cells[c][1] for c in self._of[occupation] if self.cells[c][1]]
            findings.append(fault("E104", table, row, "region", what, region, valid))
        return -1

    def pairs(
        self, row: int, cells: dict[str, Any], findings: list[Finding]
    ) -> list[tuple[int, int]]:
        """Return (from, to) cells of a row of moves: one pair in each region if none is named."""
        region, to_region = cells["region"], cells["to_region"]
        if region is None and to_region is None:
            both = [
                (self._at[cells["from"], r], self._at[cells["to"], r])
                for r in self.regions
                if (cells["from"], r) in self._at and (cells["to"], r) in self._at
            ]
            if both:
                return both
        start = self.find("moves", row, "from", cells["from"], region, findings)
        end = self.find("moves", row, "to", cells["to"], to_region or region, findings)
        return [(start, end)] if start >= 0 and end >= 0 else []


@dataclass(frozen=True, kw_only=True, eq=False)
class Needs:
    """People needed, shape (scenarios, cells, years), with names and chances of scenarios."""

    first_year: int
    scenarios: tuple[str, ...]
    probability: Array
    people: Array


def needs_of(table: pl.DataFrame, places: Places, findings: list[Finding]) -> Needs:
    """Return the needs; rows without a scenario hold in every one that has no row of its own."""
    years = table["year"].to_list()
    first, last = min(years, default=0), max(years, default=0)
    if last - first >= LONGEST:
        what = f"years reach from {first} to {last}; at most {LONGEST} are planned for"
        findings.append(fault("E107", "needs", int(np.argmax(years)), "year", what, last))
        last = first
    names = tuple(x for x in table["scenario"].unique(maintain_order=True) if x is not None)
    people = np.full((max(len(names), 1), len(places.cells), last - first + 1), np.nan)
    stated: dict[tuple[str | None, str | None], dict[tuple[int, int], float]] = {}
    for row, cells in enumerate(table.iter_rows(named=True)):
        c = places.find("needs", row, "occupation", cells["occupation"], cells["region"], findings)
        t = cells["year"] - first
        if c >= 0 and t < people.shape[2]:
            stated.setdefault((cells["scenario"], cells["region"]), {})[c, t] = cells["people"]
    for s in range(len(people)):
        for region in dict.fromkeys(region for _, region in stated):
            own = stated.get((names[s], region), {}) if names else {}
            for (c, t), number in {**stated.get((None, region), {}), **own}.items():
                people[s, c, t] = np.nan_to_num(people[s, c, t]) + number
    _report_missing(people, names, places, first, findings)
    return Needs(
        first_year=first,
        scenarios=names or ("",),
        probability=_probabilities(table, names, findings),
        people=np.nan_to_num(people),
    )


def _report_missing(
    people: Array, names: tuple[str, ...], places: Places, first: int, findings: list[Finding]
) -> None:
    """Find years without a need; an occupation without any is not needed at all."""
    for c, (occupation, region) in enumerate(places.cells):
        name = f"{occupation} in {region}" if region else occupation
        for s in range(len(people)):
            missing = np.flatnonzero(np.isnan(people[s, c]))
            future = f", scenario {names[s]}" if names else ""
            if len(missing) == people.shape[2]:
                if s == 0:
                    what = f"no row of needs names {name}{future}: none are needed"
                    findings.append(fault("N521", "needs", None, "occupation", what, name))
            elif len(missing):
                lacking = listed([first + int(t) for t in missing])
                what = f"{name} has no need for {lacking}{future}"
                fix = "Add a row for each year; write 0 where nobody is needed."
                findings.append(fault("E102", "needs", None, "year", what, name, (), fix))


def _probabilities(table: pl.DataFrame, names: tuple[str, ...], findings: list[Finding]) -> Array:
    if not names:
        return np.ones(1)
    given: dict[str, float] = {}
    for row, cells in enumerate(table.iter_rows(named=True)):
        name, chance = cells["scenario"], cells["probability"]
        if name is None or chance is None:
            continue
        if abs(given.setdefault(name, chance) - chance) > 1e-12:
            what = f"scenario {name} has two probabilities, {given[name]:g} and this one"
            findings.append(fault("E107", "needs", row, "probability", what, f"{chance:g}"))
    if not given:
        return np.full(len(names), 1.0 / len(names))
    lacking = [n for n in names if n not in given]
    if lacking:
        what = f"scenarios {listed(lacking)} have no probability, though others have one"
        findings.append(fault("E102", "needs", None, "probability", what))
    total = sum(given.values())
    if not lacking and abs(total - 1.0) > 1e-9:
        what = f"probabilities of {listed(names)} sum to {total:g}, not to 1"
        findings.append(fault("E107", "needs", None, "probability", what, f"{total:g}"))
    return np.array([given.get(n, 0.0) for n in names]) / (total or 1.0)


def yearly(first_year: int, n_years: int) -> str:
    """Return `2026 to 2028`, or the one year."""
    last = first_year + n_years - 1
    return f"{first_year}" if n_years == 1 else f"{first_year} to {last}"
