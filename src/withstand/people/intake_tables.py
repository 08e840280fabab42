"""The tables of an intake problem: their columns, and frames made to obey them.

A lever (recruitment, redundancy, overmanning, short time, overtime, unmet hours) is open to an
occupation if its row states a limit or a cost; a limit left empty beside a cost is none, a cost
left empty beside a limit is zero. A lever of which the row says nothing is closed, except that
people beyond the need are then kept without extra cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.model.conforming import conform_rows
from withstand.model.findings import Finding, Origin, listed, make_finding, nearest
from withstand.model.people_tables import LONGEST_TRAINING
from withstand.model.tables import TABLES, Column, Table
from withstand.people.sources import frame_of

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMITED = (
    "recruits",
    "entrants",
    "movers",
    "redundancies",
    "overmanning",
    "short_time",
    "overtime",
    "unmet",
    "cost",
)
"""What a row of the table of limits may hold down."""


def _label(name: str, meaning: str, default: str = "", *refers_to: str) -> Column:
    return Column(
        name=name,
        meaning=meaning,
        type="label",
        required=not default,
        default=default or "empty",
        refers_to=refers_to,
    )


def _number(
    name: str, meaning: str, unit: str, default: str = "", high: float | None = None
) -> Column:
    return Column(
        name=name,
        meaning=meaning,
        type="number",
        unit=unit,
        required=not default,
        default=default or "empty",
        low=0.0,
        high=high,
    )


def _year(meaning: str, default: str = "") -> Column:
    return Column(
        name="year",
        meaning=meaning,
        type="integer",
        required=not default,
        default=default or "empty",
        low=0,
        high=9999,
    )


def _share(name: str, meaning: str, default: str) -> Column:
    return _number(name, meaning, "0 to 1", default, 1.0)


HEADS, PER_HEAD = "people per year", "currency per person"
CLOSED = "none; closed if the cost is empty too"

NEEDS = Table(
    name="needs",
    meaning="How many people each occupation needs in each year.",
    key=("occupation", "region", "year", "scenario"),
    columns=(
        _label("occupation", "Who is needed.", "", "occupations"),
        _label("region", "Where.", "everywhere"),
        _year("In which year."),
        _number("people", "Full-time people needed.", "people"),
        _label("scenario", "In which future.", "the only one"),
        _share("probability", "How likely this future is.", "equal for all"),
    ),
)
OCCUPATIONS = Table(
    name="occupations",
    meaning="Who is there, who leaves, and what can be done about it.",
    key=("occupation", "region"),
    columns=(
        _label("occupation", "Short label."),
        _label("region", "Where.", "everywhere"),
        _number("people", "Settled people at the start.", "people", "0"),
        _share("exit_rate", "Settled people who leave in a year.", "0"),
        _share("transfer_rate", "Settled people who go to other work in a year.", "0"),
        _share("new_exit_rate", "Newcomers who leave in the year they come.", "0"),
        _number("staff_cost", "Cost of a person on the books.", "currency per person a year", "0"),
        _number("recruit_limit", "Most recruits in a year.", HEADS, CLOSED),
        _number("recruit_cost", "Cost of a recruit.", PER_HEAD, CLOSED),
        _number("redundancy_limit", "Most people made redundant in a year.", HEADS, CLOSED),
        _number("redundancy_cost", "Cost of a redundancy.", PER_HEAD, CLOSED),
        _number("overmanning_limit", "Most people beyond the need.", "people", "no limit"),
        _number("overmanning_cost", "Cost of one of them for a year.", PER_HEAD, "0"),
        _number("short_time_limit", "Most people on short time.", "people", CLOSED),
        _number("short_time_cost", "Cost of one of them for a year.", PER_HEAD, CLOSED),
        _share("short_time_output", "What one of them still does, of full work.", "0.5"),
        _number("overtime_limit", "Most overtime, as a share of the hours.", "share", CLOSED),
        _number("overtime_cost", "Cost of as much overtime as a person works.", PER_HEAD, CLOSED),
        _number("unmet_limit", "Most work left undone.", "people", CLOSED),
        _number("unmet_cost", "Cost of what a person would have done.", PER_HEAD, CLOSED),
    ),
)
PROGRAMMES = Table(
    name="programmes",
    meaning="Training: who enters, how long it takes, who comes out.",
    key=("programme",),
    columns=(
        _label("programme", "Short label."),
        _label("occupation", "The occupation it feeds.", "", "occupations"),
        _label("region", "Where they take up work.", "everywhere"),
        _number(
            "duration",
            "Length; counted in whole years, rounded up.",
            "periods",
            high=LONGEST_TRAINING,
        ),
        _share("completion", "Share that completes.", "1"),
        _share("retention", "Graduates who take up the work.", "1"),
        _number("seats", "Places for new entrants in the first year.", HEADS, "no limit"),
        _number("seat_growth", "Most that places can grow.", "share per year", "0"),
        _number("seat_cost", "Cost of a place more.", "currency per place", "0"),
        _number("trainers_per_seat", "Trainers for one person in training.", "people", "0"),
        _label("trainer", "The occupation that trains.", "the one it feeds", "occupations"),
        _label("from_occupation", "What entrants leave.", "from outside", "occupations"),
        _number("cost", "Cost of one entrant, paid on entry.", PER_HEAD, "0"),
        Column(
            name="first_year",
            meaning="First year with entrants.",
            type="integer",
            default="the first year",
            low=0,
            high=9999,
        ),
    ),
)
MOVES = Table(
    name="moves",
    meaning="From one occupation (or region) to another: upskilling, transfers, downgrading.",
    key=("from", "to", "region", "to_region"),
    columns=(
        _label("from", "Where they come from.", "", "occupations"),
        _label("to", "Where they go.", "", "occupations"),
        _label("region", "Where.", "in each region"),
        _label("to_region", "Region they go to.", "the same"),
        _number("limit", "Most people in a year.", HEADS, "no limit"),
        _number("limit_share", "The same, of the people where they go.", "share", "no limit"),
        _number("cost", "Cost of one who starts.", PER_HEAD, "0"),
        _share("success", "Share that arrives; the others come back.", "1"),
        _share(
            "leave",
            "Share of those who arrive that is gone within that year.",
            "the exit rate of where they go",
        ),
        _number(
            "duration",
            "0: within the year; else whole years, rounded up.",
            "periods",
            "0",
            LONGEST_TRAINING,
        ),
    ),
)
INTAKES = Table(
    name="intakes",
    meaning="Entrants of years before the first: who has not finished yet is in training.",
    key=("programme", "year"),
    columns=(
        _label("programme", "Which.", "", "programmes"),
        _year("Year of entry."),
        _number("people", "Entrants, over the whole year.", "people"),
    ),
)
LIMITS = Table(
    name="limits",
    meaning="Limits of a total: over occupations, regions, programmes or years.",
    key=("what", "over", "occupation", "region", "programme", "year"),
    columns=(
        Column(
            name="what",
            meaning="What is added up.",
            type="choice",
            choices=LIMITED,
            required=True,
        ),
        _label("occupation", "Of which (of movers: where they go).", "all", "occupations"),
        _label("region", "In which region.", "all"),
        _label("programme", "Of which programme.", "all", "programmes"),
        _year("In which year.", "each year"),
        Column(
            name="over",
            meaning="Whether the limit holds for each year or for all years together.",
            type="choice",
            choices=("each year", "all years"),
            default="each year",
        ),
        _number("limit", "The most it may be.", "people, or currency for cost"),
    ),
)
INTAKE_TABLES = (NEEDS, OCCUPATIONS, PROGRAMMES, MOVES, INTAKES, LIMITS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Conforming:
    """The six tables in the form of the dictionary, and every fault found on the way."""

    needs: pl.DataFrame
    occupations: pl.DataFrame
    programmes: pl.DataFrame
    moves: pl.DataFrame
    intakes: pl.DataFrame
    limits: pl.DataFrame
    findings: tuple[Finding, ...]


def conforming(given: Mapping[str, Any]) -> Conforming:
    """Return the tables with every column of theirs, and what was wrong with them.

    Parameters
    ----------
    given : mapping of str to DataFrame, mapping of columns or None
        By name of the table; None for one that is not given.
    """
    frames: dict[str, pl.DataFrame] = {}
    findings: list[Finding] = []
    for table in INTAKE_TABLES:
        frame = given.get(table.name)
        if frame is None:
            frames[table.name] = _filled(pl.DataFrame(), table)
            continue
        done = conform_rows(
            _known(frame_of(frame, f"table {table.name}"), table), table, Origin(table.name)
        )
        findings += done.findings
        frames[table.name] = _filled(done.frame, table)
    return Conforming(**frames, findings=(*findings, *_unknown_labels(frames)))


def _known(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Leave out columns that belong to other questions: of the data dictionary, and hours."""
    dictionary = TABLES.get(table.name)
    names = set(dictionary.names) if dictionary else {"hours"}
    names -= set(table.names)
    return frame.drop([c for c in frame.columns if c in names])


def _filled(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return the frame with each column of the table, empty where it had none."""
    types = {"number": pl.Float64, "integer": pl.Int64}
    missing = [
        pl.lit(None, dtype=types.get(c.type, pl.String)).alias(c.name)
        for c in table.columns
        if c.name not in frame.columns
    ]
    if not frame.columns:
        return pl.DataFrame(schema={c.name: types.get(c.type, pl.String) for c in table.columns})
    return frame.with_columns(missing).select([c.name for c in table.columns])


def _unknown_labels(frames: Mapping[str, pl.DataFrame]) -> list[Finding]:
    """Find labels that the table they refer to does not list."""
    keys = {"occupations": "occupation", "programmes": "programme"}
    known = {t: list(_places(frames[t][k])) for t, k in keys.items()}
    findings = []
    for table in INTAKE_TABLES:
        frame = frames[table.name]
        for column in table.columns:
            for target in column.refers_to:
                for value, rows in _places(frame[column.name]).items():
                    if value not in known[target]:
                        what = f"{column.name} is not listed in the table of {target}"
                        found = fault(
                            "E104", table.name, rows[0], column.name, what, value, known[target]
                        )
                        findings.append(replace(found, count=len(rows)))
    return findings


def _places(labels: pl.Series) -> dict[str, list[int]]:
    """Return the rows of each label."""
    found: dict[str, list[int]] = {}
    for row, label in enumerate(labels.to_list()):
        if label is not None:
            found.setdefault(label, []).append(row)
    return found


def fault(
    code: str,
    table: str,
    row: int | None,
    column: str,
    what: str,
    value: object = None,
    valid: Sequence[str] = (),
    fix: str | None = None,
) -> Finding:
    """Return a finding about one cell of a table."""
    near = nearest(str(value), list(valid)) if valid else None
    if valid and near is None:
        fix = fix or f"It lists {listed(sorted(valid))}."
    return make_finding(
        code, what, origin=Origin(table), index=row, column=column, value=value,
        suggestion=near, fix=fix,
    )  # fmt: skip
