"""Programmes of training: who enters when, how long it takes, where graduates take up work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.checks.people import text_of
from withstand.model.encoding import numbers
from withstand.model.findings import Finding, make_finding
from withstand.people.cells import Cell, Cells

if TYPE_CHECKING:
    from withstand.people.sources import PeopleTables

Array = np.ndarray
Places = list[tuple[int, float]]
Years = dict[int, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """The programmes of a pipeline; arrays as in Pipeline, cost and seats of each programme.

    A programme whose entrants come from an occupation with several cells stands here once for
    each of them, with a share of the entrants as large as the cell's of the people.
    """

    programmes: pl.DataFrame
    intake: Array
    length: Array
    completion: Array
    source: Array
    place_indptr: Array
    place_cell: Array
    place_share: Array
    in_training: Array
    cost: Array
    seats: Array
    findings: list[Finding]


@dataclass(kw_only=True)
class _Draft:
    """Programmes as they are put together."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    years: list[Years] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    completion: list[float] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    places: list[Places] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    seats: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Programme:
    """A row of the table of programmes."""

    row: int
    label: str
    occupation: str
    region: str
    from_occupation: str
    age_band: str
    qualification: str
    retention: float


def training_of(
    tables: PeopleTables, cells: Cells, first: int, n_years: int, steps: int
) -> Training:
    """Return the programmes of some tables; cells that graduates need are made.

    Parameters
    ----------
    tables : PeopleTables
    cells : Cells
        Changed in place.
    first, n_years, steps : int
        First year, number of years, steps a year.
    """
    draft, findings = _Draft(), []
    for programme in _programmes(tables):
        frame = tables.frames["programmes"]
        row = programme.row
        entrants, found = _entrants(tables, programme, first, n_years)
        findings += found
        duration = float(numbers(frame, "duration")[row]) / tables.per_year
        sources = _sources(cells, programme)
        for source, part in sources:
            draft.rows.append((programme.label, programme.occupation, programme.region))
            draft.years.append({year: part * people for year, people in entrants.items()})
            draft.length.append(max(1, int(np.rint(duration * steps))))
            draft.completion.append(float(numbers(frame, "completion", 1.0)[row]))
            draft.source.append(source)
            draft.places.append(_places(tables, cells, programme, source))
            draft.cost.append(float(numbers(frame, "cost")[row]))
            draft.seats.append(float(numbers(frame, "seats")[row]) * part)
    return _arrays(draft, findings, first, n_years, steps)


def _programmes(tables: PeopleTables) -> list[_Programme]:
    if "programmes" not in tables.frames:
        return []
    frame = tables.frames["programmes"]
    words = {
        name: text_of(frame, name)
        for name in (
            "programme",
            "occupation",
            "region",
            "from_occupation",
            "age_band",
            "qualification",
        )
    }
    retention = numbers(frame, "retention", 1.0)
    return [
        _Programme(
            row=row,
            label=words["programme"][row],
            occupation=words["occupation"][row],
            region=words["region"][row] or tables.home,
            from_occupation=words["from_occupation"][row],
            age_band=words["age_band"][row],
            qualification=words["qualification"][row],
            retention=float(retention[row]),
        )
        for row in range(frame.height)
    ]


# --- entrants ------------------------------------------------------------------------------------


def _entrants(
    tables: PeopleTables, programme: _Programme, first: int, n_years: int
) -> tuple[Years, list[Finding]]:
    """Return the planned entrants by year, and where they are more than there are places."""
    frame, row = tables.frames["programmes"], programme.row
    seats = float(numbers(frame, "seats")[row])
    growth = float(numbers(frame, "seat_growth", 0.0)[row])
    intake = float(numbers(frame, "intake", np.nan_to_num(seats))[row])
    start = numbers(frame, "first_year", float(first))[row]
    planned = dict.fromkeys(range(int(start), first + n_years), intake)
    stated = _stated(tables, programme.label)
    planned.update(stated)
    above = {
        year: people
        for year, people in planned.items()
        if people > seats * (1 + growth) ** max(year - first, 0) * (1 + 1e-9)
    }
    if not above:
        return planned, []
    year = min(above)
    place = "intakes" if year in stated else "programmes"
    what = (
        f"{above[year]:.6g} are to enter {programme.label} in {year}, and there are places for "
        f"{seats * (1 + growth) ** max(year - first, 0):.6g}"
    )
    return planned, [
        make_finding(
            "W502",
            what,
            origin=tables.origins[place],
            index=row if place == "programmes" else None,
            column="intake" if place == "programmes" else "people",
            value=f"{above[year]:.6g}",
            count=len(above),
        )
    ]


def _stated(tables: PeopleTables, label: str) -> Years:
    """Return the entrants that the table of intakes states for a programme."""
    if "intakes" not in tables.frames:
        return {}
    frame = tables.frames["intakes"].filter(pl.col("programme") == label)
    return dict(zip(frame["year"].to_list(), frame["people"].to_list(), strict=True))


def _sources(cells: Cells, programme: _Programme) -> Places:
    """Return the cells that entrants leave, with the share of each; -1 for the outside."""
    if not programme.from_occupation:
        return [(-1, 1.0)]
    found = cells.of(programme.from_occupation, programme.region)
    if not found:
        found = [cells.add(Cell(programme.from_occupation, programme.region))]
    people = np.array([cells.stock[at] for at in found])
    share = people / people.sum() if people.sum() > 0 else np.full(len(found), 1 / len(found))
    return [(at, float(part)) for at, part in zip(found, share, strict=True)]


# --- graduates -----------------------------------------------------------------------------------


def _places(tables: PeopleTables, cells: Cells, programme: _Programme, source: int) -> Places:
    """Return the cells in which graduates take up work, with the share of each."""
    shares = [(programme.occupation, programme.region, 1.0)]
    if "placements" in tables.frames:
        frame = tables.frames["placements"].filter(pl.col("programme") == programme.label)
        regions = [r or programme.region for r in text_of(frame, "region")]
        stated = zip(frame["occupation"], regions, frame["share"], strict=True)
        shares = list(stated) or shares
    found: dict[int, float] = {}
    for occupation, region, share in shares:
        at = _cell_of(cells, programme, source, occupation, region)
        found[at] = found.get(at, 0.0) + programme.retention * share
    return list(found.items())


def _cell_of(cells: Cells, programme: _Programme, source: int, occupation: str, region: str) -> int:
    """Return the cell of graduates: of the age and qualification stated, else the nearest.

    Those who come out of a cell keep its age, and its qualification if the programme gives none.
    """
    came_from = cells.labels[source] if source >= 0 else Cell("", "")
    age = programme.age_band or came_from.age_band
    skill = programme.qualification or came_from.qualification
    wanted = Cell(occupation, region, age, skill)
    at = cells.nearest(wanted)
    found = cells.labels[at]
    if programme.age_band and found.age_band != age:
        found = found._replace(age_band=age)
    if programme.qualification and found.qualification != skill:
        found = found._replace(qualification=skill)
    return cells.add(found)


# --- arrays --------------------------------------------------------------------------------------


def _arrays(
    draft: _Draft, findings: list[Finding], first: int, n_years: int, steps: int
) -> Training:
    n = len(draft.rows)
    length = np.array(draft.length, dtype=np.int64)
    intake = np.zeros((n, n_years * steps))
    waiting = np.zeros((n, int(length.max(initial=1))))
    for p, years in enumerate(draft.years):
        for year, people in years.items():
            for step in range((year - first) * steps, (year - first + 1) * steps):
                if 0 <= step < n_years * steps:
                    intake[p, step] = people / steps
                elif step < 0 and step + length[p] >= 0:
                    waiting[p, length[p] + step] += people / steps
    counts = [len(places) for places in draft.places]
    labels = ("programme", "occupation", "region")
    return Training(
        programmes=pl.DataFrame(
            {name: [row[k] for row in draft.rows] for k, name in enumerate(labels)},
            schema=dict.fromkeys(labels, pl.String),
        ),
        intake=intake,
        length=length,
        completion=np.array(draft.completion, dtype=np.float64),
        source=np.array(draft.source, dtype=np.int64),
        place_indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        place_cell=np.array([at for x in draft.places for at, _ in x], dtype=np.int64),
        place_share=np.array([part for x in draft.places for _, part in x], dtype=np.float64),
        in_training=waiting,
        cost=np.array(draft.cost, dtype=np.float64),
        seats=np.array(draft.seats, dtype=np.float64),
        findings=findings,
    )
