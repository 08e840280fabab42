"""Targets as they are written, and what they speak of: read, checked against who is there.

A filter names the part that counts, `region=NORTH; code=15-; since=2025`: a key, an equals sign and
labels. Labels are separated by commas, and `WELD*` stands for all that begin so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.conforming import conform_rows
from withstand.model.findings import (
    Finding,
    Origin,
    has_errors,
    listed,
    make_finding,
    nearest,
    sort_findings,
)
from withstand.model.network import ProductionNetwork
from withstand.model.tables import TABLES
from withstand.people.sources import frame_of

if TYPE_CHECKING:
    from withstand.people.projection_results import Projection

Array = np.ndarray
INDICATORS = {
    "graduates": "people who completed a programme, counted up to the end of the year",
    "people": "people at work at the end of the year",
    "coverage": "entrants of the year, as a share of those needed",
    "needs_met": "share of the people needed in the year who are at work",
    "vacancies_filled": "share of the year's vacancies that the entrants of programmes close",
}
SHARES = ("needs_met", "vacancies_filled")
WITH_NEEDS = ("coverage", *SHARES)
KEYS = ("occupation", "region", "code", "programme", "since")
COLUMNS = ("indicator", "filter", "direction", "year", "value")


@dataclass(frozen=True)
class Target:
    """What is to be reached by the end of a year, such as a million graduates by 2028.

    Parameters
    ----------
    indicator : {"graduates", "people", "coverage", "needs_met", "vacancies_filled"}
        graduates: people who completed a programme, from the year `since` of the filter (default:
        the first year played) to the end of the year, by the occupation and region of their
        programme. people: at work at the end of the year. coverage: entrants of the year over
        needed entrants (`Projection.gaps`). needs_met: share of the people needed in the year who
        are at work over it. vacancies_filled: of the people who would be missing in the year if
        nobody entered a programme, the share that is not.
    year : int
    value : float
        People, or a share (1 is all).
    filter : str
        Which part counts, default all: `occupation=`, `region=`, `code=` (the beginning of the
        occupation's code), `programme=` and `since=` (both for graduates), separated by
        semicolons; several labels by commas, and `WELD*` for all that begin so.
    direction : {"at_least", "at_most"}

    Examples
    --------
    >>> Target("graduates", 2028, 1e6, "region=NORTH, SOUTH; since=2025")
    Target(indicator='graduates', year=2028, value=1000000.0, filter='region=NORTH, SOUTH; \
since=2025', direction='at_least')
    """

    indicator: str
    year: int
    value: float
    filter: str = ""
    direction: str = "at_least"

    def is_met(self, value: float) -> bool:
        """Tell whether a value meets the target, up to rounding (a ten-millionth of it)."""
        slack = CLOSE * max(abs(self.value), 1.0)
        if self.direction == "at_least":
            return bool(value >= self.value - slack)
        return bool(value <= self.value + slack)

    def gap(self, value: float) -> float:
        """Return by how much a value misses the target: 0 if it is met."""
        if np.isnan(value):
            return np.nan
        missing = self.value - value if self.direction == "at_least" else value - self.value
        return 0.0 if self.is_met(value) else missing

    def __str__(self) -> str:
        """Return `graduates at least 1,000,000 by 2028 (region=NORTH)`."""
        amount = f"{self.value:,.6g}" if abs(self.value) < 1e5 else f"{self.value:,.0f}"
        where = f" ({self.filter})" if self.filter else ""
        return f"{self.indicator} {self.direction.replace('_', ' ')} {amount} by {self.year}{where}"


CLOSE = 1e-7


@dataclass(frozen=True, kw_only=True, eq=False)
class Aim:
    """A target and what it speaks of in a projection.

    Parameters
    ----------
    target : Target
    groups : ndarray of bool, shape (G,)
    programmes : ndarray of bool, shape (P,)
    since : int
        First year in which graduates count.
    """

    target: Target
    groups: Array
    programmes: Array
    since: int


def aims_of(
    targets: Any, projection: Projection, source: Any = None
) -> tuple[tuple[Aim, ...], tuple[Finding, ...]]:
    """Return the targets with what they speak of, and warnings and notes.

    Parameters
    ----------
    targets : Target, sequence of Target, frame, or None
        A frame has the columns of the table of targets; None takes that of the source.
    projection : Projection
    source : ProductionNetwork or mapping of str to frame, optional
        The tables the projection was made from: targets, and codes of occupations.

    Raises
    ------
    DataError
        With every fault of every target at once.
    UsageError
        If there are no targets.
    """
    frame, origin, is_own = _given(targets, source)
    done = conform_rows(frame, TABLES["targets"], origin)
    findings = [f for f in done.findings if f.code != "N101"]
    if has_errors(findings) or not done.is_usable:
        raise DataError(sort_findings(findings))
    scope = _Scope(projection, source, origin)
    aims = []
    for row, found in enumerate(done.frame.iter_rows(named=True)):
        target = Target(
            indicator=found["indicator"],
            year=int(found["year"]),
            value=float(found["value"]),
            filter=(found.get("filter") or "").strip(),
            direction=found.get("direction") or "at_least",
        )
        aim = scope.resolve(target, row, is_own=is_own)
        if aim is not None:
            aims.append(aim)
    findings += scope.findings
    if has_errors(findings):
        raise DataError(sort_findings(findings))
    if not aims:
        raise UsageError(f"No target is about people; indicators are {', '.join(INDICATORS)}.")
    return tuple(aims), tuple(sort_findings(findings))


def _given(targets: Any, source: Any) -> tuple[pl.DataFrame, Origin, bool]:
    """Return the table of targets, where it came from, and whether it is about people alone."""
    if isinstance(targets, ProductionNetwork):
        targets, source = None, targets
    if targets is None:
        tables = source.tables if isinstance(source, ProductionNetwork) else source
        if not isinstance(tables, Mapping) or "targets" not in tables:
            raise UsageError(
                "There are no targets. Give them as people.Target('graduates', 2028, 1e6), as a "
                "frame (indicator, filter, direction, year, value), or in the table of targets."
            )
        origins = source.origins if isinstance(source, ProductionNetwork) else {}
        frame = frame_of(tables["targets"], "table targets")
        return frame, origins.get("targets", Origin("targets")), False
    if isinstance(targets, Target):
        targets = [targets]
    if isinstance(targets, Sequence) and not isinstance(targets, str | bytes):
        wrong = [t for t in targets if not isinstance(t, Target)]
        if wrong or not targets:
            what = f"'{str(wrong[0])[:40]}' is none" if wrong else "the list is empty"
            raise UsageError(f"targets must be of people.Target, or a frame; {what}.")
        columns = {c: [_text(getattr(t, c)) for t in targets] for c in COLUMNS}
        return pl.DataFrame(columns, schema=dict.fromkeys(COLUMNS, pl.String)), _OWN, True
    return frame_of(targets, "targets"), _OWN, True


_OWN = Origin("targets")


def _text(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # 1e+06 and 2028.0 as the reader of a file would find them
    return None if value is None else str(value)


class _Scope:
    """What targets can speak of: the occupations, regions and programmes of a projection."""

    def __init__(self, projection: Projection, source: Any, origin: Origin) -> None:
        self._projection = projection
        self._origin = origin
        self.findings: list[Finding] = []
        groups, programmes = projection.groups, projection.pipeline.programmes
        occupations = _frame(source, "occupations")
        self._labels = {
            "occupation": _unique(groups, programmes, occupations, name="occupation"),
            "region": _unique(groups, programmes, _frame(source, "regions"), name="region"),
            "programme": _unique(programmes, name="programme"),
        }
        self._codes = {label: label for label in self._labels["occupation"]}
        self._has_codes = occupations is not None and "code" in occupations.columns
        if occupations is not None and self._has_codes:
            stated = occupations.select("occupation", "code").drop_nulls()
            self._codes.update((o, str(code)) for o, code in stated.iter_rows())

    def resolve(self, target: Target, row: int, *, is_own: bool) -> Aim | None:
        """Return what a target speaks of, or None with a finding."""
        before = len(self.findings)
        if not self._check_indicator(target, row, is_own=is_own):
            return None
        self._check_numbers(target, row)
        wanted = self._filter(target, row)
        since = self._since(target, wanted, row)
        if any(f.severity == "error" for f in self.findings[before:]):
            return None
        groups = self._fits(self._projection.groups, wanted)
        programmes = self._fits(self._projection.pipeline.programmes, wanted)
        needed = self._projection.needed
        if target.indicator in WITH_NEEDS and needed is not None:
            groups &= ~np.isnan(needed[0])  # an occupation of unknown need has no share of it
        is_there = programmes if target.indicator == "graduates" else groups
        if not is_there.any():
            who = "programme" if target.indicator == "graduates" else "group of people"
            need = " of a known need" if target.indicator in WITH_NEEDS else ""
            what = f"no {who}{need} fits '{target.filter}'"
            self._add("W541", what, row, "filter", target.filter)
        return Aim(target=target, groups=groups, programmes=programmes, since=since)

    def _add(self, code: str, what: str, row: int, column: str, value: object, **more: Any) -> None:
        self.findings.append(
            make_finding(
                code, what, origin=self._origin, index=row, column=column, value=value, **more
            )
        )

    def _check_indicator(self, target: Target, row: int, *, is_own: bool) -> bool:
        if target.indicator in INDICATORS:
            return True
        near = nearest(target.indicator, list(INDICATORS))
        if is_own or near:
            what = f"indicators of people are {', '.join(INDICATORS)}"
            self._add("E109", what, row, "indicator", target.indicator, suggestion=near)
        else:
            what = "the target is not about people, and was left out here"
            self._add("N541", what, row, "indicator", target.indicator)
        return False

    def _check_numbers(self, target: Target, row: int) -> None:
        years = self._projection.years
        if not years[0] <= target.year <= years[-1]:
            what = f"the projection plays {years[0]} to {years[-1]}"
            self._add("E542", what, row, "year", target.year)
        if target.value < 0:
            self._add("E107", "a target is at least 0", row, "value", target.value)
        elif target.indicator in SHARES and target.value > 1:
            what = f"{target.indicator} is a share, from 0 to 1"
            self._add("E107", what, row, "value", target.value)
        if target.indicator in WITH_NEEDS and self._projection.needed is None:
            what = f"{target.indicator} compares with people needed, and no need is known"
            self._add("E543", what, row, "indicator", target.indicator)

    def _filter(self, target: Target, row: int) -> dict[str, set[str]]:
        """Return the labels that each key of a filter lets through; since as it stands."""
        wanted: dict[str, set[str]] = {}
        for piece in target.filter.split(";"):
            if not piece.strip():
                continue
            key, sign, value = (x.strip() for x in piece.partition("="))
            if not sign or not value or key not in KEYS or key in wanted:
                near = nearest(key, KEYS)
                what = f"a filter is key=label; keys are {', '.join(KEYS)}, each once"
                self._add("E541", what, row, "filter", piece.strip(), suggestion=near)
            elif key in ("programme", "since") and target.indicator != "graduates":
                what = f"{key} filters graduates, not {target.indicator}"
                self._add("E541", what, row, "filter", piece.strip())
            else:
                wanted[key] = {value} if key == "since" else self._labelled(key, value, row)
        return wanted

    def _labelled(self, key: str, value: str, row: int) -> set[str]:
        """Return the labels (of a code: the occupations) that a value of a filter names."""
        names = self._codes if key == "code" else {label: label for label in self._labels[key]}
        if key != "code" and value in names:
            return {value}
        found: set[str] = set()
        for part in (x.strip() for x in value.split(",")):
            begins = key == "code" or part.endswith("*")
            stem = part.removesuffix("*")
            fits = {o for o, n in names.items() if (n.startswith(stem) if begins else n == part)}
            if not part or not fits:
                known = sorted(set(names.values()))
                near = nearest(part, known)
                what = f"no {key} {'begins' if begins else 'is named'} so"
                fix = None if near else f"There is {listed(known)}."
                if key == "code" and not self._has_codes:
                    fix = "Codes stand in the table of occupations: give the tables as source."
                self._add("E104", what, row, "filter", part, suggestion=near, fix=fix)
            found |= fits
        return found

    def _since(self, target: Target, wanted: dict[str, set[str]], row: int) -> int:
        first = int(self._projection.years[0])
        stated = wanted.pop("since", None)
        if stated is None:
            return first
        (text,) = stated
        if not text.isdecimal() or not first <= int(text[:9]) <= target.year:
            what = f"graduates count from a year between {first} (the first played) and the target"
            self._add("E542", what, row, "filter", f"since={text}")
            return first
        return int(text)

    def _fits(self, frame: pl.DataFrame, wanted: dict[str, set[str]]) -> Array:
        fits = np.ones(frame.height, dtype=bool)
        for key, labels in wanted.items():
            column = "occupation" if key == "code" else key
            if column in frame.columns:
                fits &= np.array([x in labels for x in frame[column]], dtype=bool)
        return fits


def _frame(source: Any, name: str) -> pl.DataFrame | None:
    tables = source.tables if isinstance(source, ProductionNetwork) else source
    if not isinstance(tables, Mapping) or name not in tables:
        return None
    return frame_of(tables[name], f"table {name}")


def _unique(*frames: pl.DataFrame | None, name: str) -> list[str]:
    """Return the labels of a column over some frames, each once, in order."""
    found: dict[str, None] = {}
    for frame in frames:
        if frame is not None and name in frame.columns:
            found.update(dict.fromkeys(str(x) for x in frame[name].drop_nulls()))
    return list(found)
