"""An intake problem as arrays: cells, years, scenarios, levers, programmes, moves, limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.errors import DataError
from withstand.model.findings import Finding, has_errors, sort_findings
from withstand.model.units import PERIODS_PER_YEAR
from withstand.people.intake_checks import Places, needs_of, yearly
from withstand.people.intake_tables import conforming, fault

if TYPE_CHECKING:
    import polars as pl

    from withstand.people.intake_checks import Needs

Array = np.ndarray
LEVERS = ("recruit", "redundancy", "overmanning", "short_time", "overtime", "unmet")
ALWAYS = ("overmanning",)
"""Open without a word: people beyond the need are simply there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lever:
    """One lever by cell: whether it is open, the most of it, what one costs; shape (cells,)."""

    is_open: Array
    limit: Array
    cost: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One programme.

    Parameters
    ----------
    label : str
    cell, trainer : int
        The cell it feeds, and that of its trainers.
    source : int
        The cell that entrants leave, -1 where they come from outside.
    length : int, years
    yields : float
        Share of entrants who take up the work.
    seats, growth, seat_cost, trainers, cost : float
    first : int
        First step with entrants.
    """

    label: str
    cell: int
    trainer: int
    source: int
    length: int
    yields: float
    seats: float
    growth: float
    seat_cost: float
    trainers: float
    cost: float
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move between two cells; `arrives` of those who start arrive and stay the year."""

    start: int
    end: int
    length: int
    limit: float
    limit_share: float
    cost: float
    success: float
    leave: float

    @property
    def arrives(self) -> float:
        """Share of those who start that is there at the end of the year of arrival."""
        return self.success * (1.0 - self.leave)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalLimit:
    """A limit of a sum: over cells and programmes (-1: all), in a year (-1: each)."""

    what: str
    cells: tuple[int, ...]
    programme: int
    year: int
    is_in_all: bool
    limit: float


@dataclass(frozen=True, kw_only=True, eq=False)
class IntakeProblem:
    """All that is given, checked; C cells, T years, S scenarios.

    Parameters
    ----------
    cells : tuple of (occupation, region); region is "" without regions
    first_year, n_years : int
    scenarios : tuple of str
    probability : ndarray of float64, shape (S,)
    needs : ndarray of float64, shape (S, C, T), people
    people, exit_rate, new_exit_rate, staff_cost, short_output : ndarray of float64, shape (C,)
    levers : dict of str to Lever
    programmes, moves, limits : tuple
    in_training : ndarray of float64, shape (P, T + longest programme), people
        At the start, by the year in which they finish.
    findings : tuple of Finding
        Warnings and notes.
    """

    cells: tuple[tuple[str, str], ...]
    first_year: int
    n_years: int
    scenarios: tuple[str, ...]
    probability: Array
    needs: Array
    people: Array
    exit_rate: Array
    new_exit_rate: Array
    staff_cost: Array
    short_output: Array
    levers: dict[str, Lever]
    programmes: tuple[Training, ...]
    moves: tuple[Move, ...]
    limits: tuple[TotalLimit, ...]
    in_training: Array
    findings: tuple[Finding, ...]

    @cached_property
    def moves_at(self) -> tuple[tuple[int, ...], ...]:
        """Moves that start or end in each cell."""
        found: list[list[int]] = [[] for _ in self.cells]
        for m, move in enumerate(self.moves):
            found[move.start].append(m)
            found[move.end].append(m)
        return tuple(tuple(x) for x in found)

    def cell_name(self, c: int) -> str:
        """Return `SKILLED` or `SKILLED in NORTH`."""
        occupation, region = self.cells[c]
        return f"{occupation} in {region}" if region else occupation

    def move_name(self, m: int) -> str:
        """Return `UNSKILLED to SKILLED`."""
        move = self.moves[m]
        return f"{self.cell_name(move.start)} to {self.cell_name(move.end)}"

    def year(self, t: int) -> int:
        """Return the calendar year of step t."""
        return self.first_year + t


def problem_of(given: Mapping[str, Any], period: str) -> IntakeProblem:
    """Return the problem in arrays.

    Parameters
    ----------
    given : mapping of str to DataFrame or None
        The tables by name.
    period : str
        In which durations are given.

    Raises
    ------
    DataError
        With every fault of the tables.
    """
    tables = conforming(given)
    findings = list(tables.findings)
    _stop(findings)
    places = Places(tables.occupations)
    needs = needs_of(tables.needs, places, findings)
    exits, levers = _rates(tables.occupations, findings), _levers(tables.occupations)
    programmes = _programmes(tables.programmes, places, needs.first_year, period, findings)
    moves = _moves(tables.moves, places, exits, period, findings)
    limits = _limits(tables.limits, places, tables.programmes, needs.first_year,
                     needs.people.shape[2], findings)  # fmt: skip
    _stop(findings)
    training = _in_training(tables.intakes, programmes, needs)
    _refuse_later_intakes(tables.intakes, needs.first_year, findings)
    _stop(findings)
    table = tables.occupations
    return IntakeProblem(
        cells=places.cells,
        first_year=needs.first_year,
        n_years=needs.people.shape[2],
        scenarios=needs.scenarios,
        probability=needs.probability,
        needs=needs.people,
        people=_filled(table, "people", 0.0),
        exit_rate=exits,
        new_exit_rate=_filled(table, "new_exit_rate", 0.0),
        staff_cost=_filled(table, "staff_cost", 0.0),
        short_output=_filled(table, "short_time_output", 0.5),
        levers=levers,
        programmes=programmes,
        moves=moves,
        limits=limits,
        in_training=training,
        findings=tuple(sort_findings(findings)),
    )


def _stop(findings: Sequence[Finding]) -> None:
    if has_errors(findings):
        raise DataError(sort_findings(findings))


def _filled(table: pl.DataFrame, column: str, default: float) -> Array:
    return table[column].fill_null(default).to_numpy().astype(np.float64)


def _rates(table: pl.DataFrame, findings: list[Finding]) -> Array:
    """Return the share of settled people who are gone after a year."""
    exits = _filled(table, "exit_rate", 0.0) + _filled(table, "transfer_rate", 0.0)
    for row in np.flatnonzero(exits > 1.0 + 1e-9):
        what = "exit_rate and transfer_rate are more than everybody"
        findings.append(
            fault("E107", "occupations", int(row), "transfer_rate", what, f"{exits[row]:g}")
        )
    return np.minimum(exits, 1.0)


def _levers(table: pl.DataFrame) -> dict[str, Lever]:
    levers = {}
    for name in LEVERS:
        limit, cost = table[f"{name}_limit"], table[f"{name}_cost"]
        said = (limit.is_not_null() | cost.is_not_null()).to_numpy()
        levers[name] = Lever(
            is_open=said | (name in ALWAYS),
            limit=_filled(table, limit.name, math.inf),
            cost=_filled(table, cost.name, 0.0),
        )
    return levers


def _programmes(
    table: pl.DataFrame, places: Places, first_year: int, period: str, findings: list[Finding]
) -> tuple[Training, ...]:
    found = []
    for row, cells in enumerate(table.iter_rows(named=True)):
        if cells["duration"] <= 0:
            what = "duration must be above 0: nobody is trained in no time"
            fix = "Use the table of moves for upskilling within the year."
            findings.append(
                fault("E502", "programmes", row, "duration", what, cells["duration"], (), fix)
            )
            continue
        region = cells["region"]

        cell, trainer, source = (
            places.find("programmes", row, column, cells[column], region, findings)
            if cells[column]
            else -1
            for column in ("occupation", "trainer", "from_occupation")
        )
        found.append(
            Training(
                label=cells["programme"],
                cell=cell,
                trainer=trainer if cells["trainer"] else cell,
                source=source,
                length=_years(cells["duration"], period, ("programmes", row), findings),
                yields=_or(cells["completion"], 1.0) * _or(cells["retention"], 1.0),
                seats=_or(cells["seats"], math.inf),
                growth=_or(cells["seat_growth"], 0.0),
                seat_cost=_or(cells["seat_cost"], 0.0),
                trainers=_or(cells["trainers_per_seat"], 0.0),
                cost=_or(cells["cost"], 0.0),
                first=max(0, (cells["first_year"] or first_year) - first_year),
            )
        )
    return tuple(found)


def _moves(
    table: pl.DataFrame, places: Places, exits: Array, period: str, findings: list[Finding]
) -> tuple[Move, ...]:
    found = []
    for row, cells in enumerate(table.iter_rows(named=True)):
        pairs = places.pairs(row, cells, findings)
        length = _years(cells["duration"] or 0.0, period, ("moves", row), findings)
        for start, end in pairs:
            if start == end:
                what = "a move leads back to where it starts"
                findings.append(fault("E505", "moves", row, "to", what, cells["to"]))
                continue
            found.append(
                Move(
                    start=start,
                    end=end,
                    length=length,
                    limit=_or(cells["limit"], math.inf),
                    limit_share=_or(cells["limit_share"], math.inf),
                    cost=_or(cells["cost"], 0.0),
                    success=_or(cells["success"], 1.0),
                    leave=_or(cells["leave"], float(exits[end])),
                )
            )
    return tuple(found)


def _limits(
    table: pl.DataFrame,
    places: Places,
    programmes: pl.DataFrame,
    first_year: int,
    n_years: int,
    findings: list[Finding],
) -> tuple[TotalLimit, ...]:
    labels = programmes["programme"].to_list()
    found = []
    for row, cells in enumerate(table.iter_rows(named=True)):
        inside = tuple(
            c
            for c, (occupation, region) in enumerate(places.cells)
            if cells["occupation"] in (None, occupation) and cells["region"] in (None, region)
        )
        if not inside:
            what = "no row of occupations has this occupation and region"
            findings.append(fault("E104", "limits", row, "region", what, cells["region"]))
        if cells["programme"] and cells["what"] != "entrants":
            what = f"programme has no meaning for {cells['what']}: only entrants have one"
            findings.append(fault("E109", "limits", row, "programme", what, cells["programme"]))
        is_part = cells["occupation"] or cells["region"]
        if cells["what"] == "cost" and is_part:
            what = "a limit of cost holds for all occupations and regions together"
            findings.append(fault("E109", "limits", row, "what", what, is_part))
        year = -1 if cells["year"] is None else cells["year"] - first_year
        if cells["year"] is not None and not 0 <= year < n_years:
            what = f"year is not among those of the needs, {yearly(first_year, n_years)}"
            findings.append(fault("E107", "limits", row, "year", what, cells["year"]))
        found.append(
            TotalLimit(
                what=cells["what"],
                cells=inside,
                programme=labels.index(cells["programme"]) if cells["programme"] else -1,
                year=year,
                is_in_all=cells["over"] == "all years" and year < 0,
                limit=cells["limit"],
            )
        )
    return tuple(found)


def _in_training(table: pl.DataFrame, programmes: Sequence[Training], needs: Needs) -> Array:
    """Return people in training at the start by the year in which they finish."""
    place = {x.label: p for p, x in enumerate(programmes)}
    longest = max((x.length for x in programmes), default=0)
    given = np.zeros((len(programmes), needs.people.shape[2] + longest))
    for label, year, people in table.select("programme", "year", "people").iter_rows():
        p = place[label]
        t = year + programmes[p].length - needs.first_year
        if 0 <= t < given.shape[1]:
            given[p, t] += people
    return given


def _refuse_later_intakes(table: pl.DataFrame, first_year: int, findings: list[Finding]) -> None:
    for row, year in enumerate(table["year"]):
        if year >= first_year:
            what = f"entrants from {first_year} on are what is to be found"
            findings.append(fault("E107", "intakes", row, "year", what, year))


def _years(duration: float, period: str, place: tuple[str, int], findings: list[Finding]) -> int:
    """Return a duration in whole years, rounded up; a warning if that makes it longer."""
    years = duration / PERIODS_PER_YEAR[period]
    whole = math.ceil(years - 1e-9)
    if whole - years > 1e-9:
        what = f"an intake is planned in whole years: {years:g} count as {whole}"
        fix = "Write 0 for what is done within the year, else expect people that much later."
        findings.append(fault("W501", *place, "duration", what, duration, (), fix))
    return whole


def _or(value: float | None, default: float) -> float:
    return default if value is None else float(value)
