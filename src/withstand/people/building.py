"""From tables of people to the arrays of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.errors import UsageError
from withstand.model.encoding import numbers
from withstand.model.findings import Finding, make_finding, shorten
from withstand.people.cells import Cells
from withstand.people.moving import Moves, moves_of, shares_of_step
from withstand.people.pipelines import Pipeline
from withstand.people.sources import PeopleTables, people_tables
from withstand.people.training import Training, training_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
MOST_STEPS_PER_YEAR = 366
MOST_YEARS = 500
LARGEST_ROUNDING = 0.1
"""Share of a duration by which steps may miss it before a finding says so."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Built:
    """A pipeline with the tables it came from and what was found on the way.

    Parameters
    ----------
    pipeline : Pipeline
    tables : PeopleTables
    findings : tuple of Finding
    cost, seats : ndarray of float64, shape (P,), currency per place, people per year
        Of the programmes of the pipeline; NaN where not stated.
    """

    pipeline: Pipeline
    tables: PeopleTables
    findings: tuple[Finding, ...]
    cost: Array
    seats: Array


def pipeline_of(
    source: ProductionNetwork | Any,
    programmes: Any = None,
    years: Sequence[int] | None = None,
    *,
    steps_per_year: int | None = None,
    period: str = "year",
) -> Pipeline:
    """Return the pipeline of some tables: what `project` and `simulate_people` play.

    Parameters
    ----------
    source : ProductionNetwork, or mapping of str to frame
        Tables of the data dictionary: occupations, and optionally people, transfers, programmes,
        intakes, placements.
    programmes : frame, optional
        In place of the table of programmes.
    years : sequence of int
        Calendar years to play, each following the one before.
    steps_per_year : int, optional
        Default: 1 if all durations are whole years, else 4.
    period : str
        Period of durations and hours where the source is no network.

    Returns
    -------
    Pipeline

    Raises
    ------
    DataError
        With every fault of the tables at once.
    UsageError
        If the source, the years or the steps are not possible.

    Examples
    --------
    >>> import polars as pl
    >>> tables = {"occupations": pl.DataFrame({"occupation": ["GRINDER"], "people": [100.0],
    ...                                        "exit_rate": [0.1]})}
    >>> pipeline_of(tables, years=range(2026, 2029)).stock
    array([100.])
    """
    return build(source, programmes, years, steps_per_year=steps_per_year, period=period).pipeline


def build(
    source: ProductionNetwork | Any,
    programmes: Any,
    years: Sequence[int] | None,
    *,
    steps_per_year: int | None,
    period: str,
) -> Built:
    """Return the pipeline of some tables with all that belongs to it; arguments as pipeline_of."""
    played = years_of(years)
    tables = people_tables(source, programmes, period)
    durations = _durations(tables)
    steps = _steps_per_year(steps_per_year, durations)
    findings = [*tables.findings, *_rounded(tables, durations, steps)]
    cells = Cells(tables)
    findings += cells.findings
    training = training_of(tables, cells, int(played[0]), len(played), steps)
    moves = moves_of(tables, cells)  # last: grows older into cells that programmes have made
    findings += training.findings
    pipeline = _assemble(cells, training, moves, played, steps)
    return Built(
        pipeline=pipeline,
        tables=tables,
        findings=tuple(findings),
        cost=training.cost,
        seats=training.seats,
    )


def years_of(years: Sequence[int] | None) -> Array:
    """Return calendar years as ndarray of int64, each following the one before.

    Raises
    ------
    UsageError
        If they are no such years.
    """
    hint = "Write them as range(2026, 2036)."
    if years is None:
        raise UsageError(f"Which years are to be played? {hint}")
    try:
        given = [years] if isinstance(years, int | np.integer) else list(years)
    except TypeError:
        given = []
    is_whole = [
        isinstance(y, int | np.integer) and not isinstance(y, bool) and abs(int(y)) < 10**6
        for y in given
    ]
    if not given or not all(is_whole):
        raise UsageError(f"years must be whole numbers, not {shorten(repr(years))}. {hint}")
    played = np.array([int(y) for y in given], dtype=np.int64)
    if (np.diff(played) != 1).any():
        at = int(np.flatnonzero(np.diff(played) != 1)[0])
        raise UsageError(
            f"years must follow each other, and {played[at + 1]} follows {played[at]}. {hint}"
        )
    if len(played) > MOST_YEARS:
        raise UsageError(f"at most {MOST_YEARS} years can be played, not {len(played):,}. {hint}")
    return played


def _durations(tables: PeopleTables) -> Array:
    """Return the durations of programmes, years."""
    if "programmes" not in tables.frames:
        return np.empty(0)
    return numbers(tables.frames["programmes"], "duration") / tables.per_year


def _steps_per_year(stated: int | None, durations: Array) -> int:
    if stated is None:
        return 1 if np.allclose(durations, np.rint(durations), rtol=0, atol=1e-9) else 4
    is_whole = isinstance(stated, int | np.integer) and not isinstance(stated, bool)
    if not is_whole or not 1 <= stated <= MOST_STEPS_PER_YEAR:
        raise UsageError(
            f"steps_per_year must be a whole number from 1 to {MOST_STEPS_PER_YEAR}, "
            f"not {shorten(repr(stated))}."
        )
    return int(stated)


def _rounded(tables: PeopleTables, durations: Array, steps: int) -> list[Finding]:
    """Say which durations are no whole number of steps by more than a tenth."""
    taken = np.maximum(np.rint(durations * steps), 1) / steps
    off = np.abs(taken - durations) > LARGEST_ROUNDING * durations
    return [
        make_finding(
            "W501",
            f"{tables.frames['programmes']['programme'][row]} lasts {durations[row]:.4g} years "
            f"and was played as {taken[row]:.4g}",
            origin=tables.origins["programmes"],
            index=row,
            column="duration",
            value=f"{durations[row] * tables.per_year:.4g}",
        )
        for row in np.flatnonzero(off).tolist()
    ]


def _assemble(
    cells: Cells,
    training: Training,
    moves: Moves,
    played: Array,
    steps: int,
) -> Pipeline:
    n = len(cells)
    pairs = sorted(moves)
    start = np.array([a for a, _ in pairs], dtype=np.int64)
    yearly = np.array([moves[pair][0] for pair in pairs], dtype=np.float64)
    kind = np.array([moves[pair][1] for pair in pairs], dtype=np.int64)
    chance = shares_of_step(cells, start, yearly, kind, steps)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(start, minlength=n))]).astype(np.int64)
    total = len(played) * steps
    arrivals = np.repeat(np.array(cells.arrivals)[:, None] / steps, total, axis=1)
    return Pipeline(
        cells=cells.to_frame(),
        programmes=training.programmes,
        first_year=int(played[0]),
        steps_per_year=steps,
        steps=total,
        stock=np.array(cells.stock),
        elsewhere=np.array(cells.elsewhere),
        leave=chance.leave,
        drift=chance.drift,
        comeback=chance.comeback,
        move_indptr=indptr,
        move_to=np.array([b for _, b in pairs], dtype=np.int64),
        move_share=chance.moves,
        move_kind=kind,
        arrivals=arrivals,
        intake=training.intake,
        length=training.length,
        completion=training.completion,
        source=training.source,
        place_indptr=training.place_indptr,
        place_cell=training.place_cell,
        place_share=training.place_share,
        training=training.in_training,
    )
