"""A pipeline of people played person by person, many times, with any number of workers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.executor import executor
from withstand.kernels.individuals import (
    PeopleCounts,
    new_counts,
    new_work,
    play_people,
    read_only,
)
from withstand.model.provenance import Provenance, versions
from withstand.people import individual_states as states
from withstand.people.individual_states import PlayedPipeline, played
from withstand.people.people_runs import CELL_FLOWS, PROGRAMME_COUNTS, STOCKS, PeopleRuns
from withstand.people.pipeline_arrays import check_arrays
from withstand.programming.memory import need_memory

if TYPE_CHECKING:
    from withstand.people.pipelines import Pipeline

Array = np.ndarray
Progress = Callable[[int, int], None]
BLOCK = 2**18
"""Persons played together where nobody depends on others: their states fit the cache."""
MOST_PERSON_STEPS = 10**14
"""More would take days (some nanoseconds each)."""
PRELOAD = ("withstand.people.individuals",)
_N_KINDS_OF_MOVE = 3
_LARGEST_SEED = 2**64 - 1

Part = tuple[int, int]
"""Run and block."""
Found = tuple[Array, PeopleCounts]
"""Whole people of the run's groups, and what the kernel counted."""


def simulate_people(
    pipeline: Pipeline,
    *,
    seed: int,
    runs: int = 1,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> PeopleRuns:
    """Play a pipeline person by person: what may come about where the rates say what is expected.

    In each step every person draws what happens to him or her, in the order of events of
    `Pipeline`. Draws are counted, not taken in turn: that of a person in a step of a run depends on
    the seed and on these three only, so that results are the same, bit for bit, for any number of
    workers. Expected numbers that are not whole (an intake of 12.4) are rounded up or down by a
    draw, right in the mean. Entrants out of a cell are chosen from those who were at work there
    and stayed, each with the same chance and exactly so many as there are seats (fewer only if
    fewer stayed).

    Parameters
    ----------
    pipeline : Pipeline
    seed : int, 0 to 2^64 - 1
    runs : int
        How often to play; the same seed and number of a run always give the same run.
    jobs : int, optional
        Worker processes; 1 by default, -1 for one a core.
    progress : callable, optional
        Called with parts done and parts in all.

    Returns
    -------
    PeopleRuns
        People over each year, stocks at its end, its flows, by run; `ranges()` over the runs.

    Raises
    ------
    UsageError
        If an argument or an array of the pipeline cannot be, or memory would not do.

    Notes
    -----
    Cost: persons x steps x runs, some nanoseconds each. Memory: the result, 8 bytes x runs x years
    x (17 for each cell, 4 for each programme); at work, where no programme takes entrants out of a
    cell, 1 MB for each worker whatever the number of people; else 4 bytes for each person of a run
    and worker. The mean over runs is that of the expected-value model. The one exception is a cell
    that is emptied by its programmes: of a number that varies, the mean of min(seats, number) is
    less than min(seats, mean number).

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from withstand.people.pipelines import Pipeline
    >>> none = np.zeros(0, np.int64)
    >>> turners = Pipeline(
    ...     cells=pl.DataFrame({"occupation": ["turner"], "region": ["DE"]}),
    ...     programmes=pl.DataFrame({"programme": ["turning"]}),
    ...     first_year=2026, steps_per_year=1, steps=3,
    ...     stock=np.array([1000.0]), elsewhere=np.zeros(1),
    ...     leave=np.array([0.1]), drift=np.zeros(1), comeback=np.zeros(1),
    ...     move_indptr=np.zeros(2, np.int64), move_to=none, move_share=np.zeros(0), move_kind=none,
    ...     arrivals=np.zeros((1, 3)), intake=np.full((1, 3), 100.0), length=np.array([2]),
    ...     completion=np.array([0.8]), source=np.array([-1]), place_indptr=np.array([0, 1]),
    ...     place_cell=np.array([0]), place_share=np.array([1.0]), training=np.zeros((1, 2)))
    >>> found = simulate_people(turners, seed=1, runs=200)
    >>> found.mean("people_end")[0].round(-1)  # 900, 810, 729 + 80
    array([900., 810., 810.])
    >>> found
    PeopleRuns(200 runs of 1 cells and 1 programmes, 2026 to 2028, 1,300 people a run, seed 1)
    """
    _check_counts(seed, runs, jobs)
    check_arrays(pipeline)
    shared = played(pipeline)
    _check_length(shared, runs)
    n_blocks = 1 if shared.is_coupled else max(1, -(-shared.most_people // BLOCK))
    n_workers = min((os.cpu_count() or 1) if jobs == -1 else jobs or 1, runs * n_blocks)
    _check_size(shared, pipeline, runs, n_workers)
    parts = [(run, block) for run in range(runs) for block in range(n_blocks)]
    counts = _empty(pipeline, runs)
    workers = executor(jobs if len(parts) > 1 else None, PRELOAD)
    try:
        play = workers.map(_play, workers.put((shared, int(seed), n_blocks > 1)), parts)
        for done, ((run, block), found) in enumerate(zip(parts, play, strict=True), 1):
            for name, values in _counts(shared, pipeline, found, is_first=block == 0).items():
                counts[name][run] += values
            if progress is not None:
                progress(done, len(parts))
    finally:
        workers.close()
    return PeopleRuns(
        cells=pipeline.cells,
        programmes=pipeline.programmes,
        years=pipeline.years,
        steps_per_year=pipeline.steps_per_year,
        seed=int(seed),
        provenance=_provenance(pipeline, int(seed), runs),
        **counts,
    )


def _play(shared: tuple[PlayedPipeline, int, bool], part: Part) -> Found:
    """Play one block of persons of one run; a job of the executor."""
    pipeline, seed, in_blocks = shared
    run, block = part
    people = pipeline.people
    whole = pipeline.whole_people(seed, run)
    newcomers = pipeline.newcomers(whole)
    n_people = int(newcomers.group_person[-1])
    first = block * BLOCK if in_blocks else 0
    last = min(first + BLOCK, n_people) if in_blocks else n_people
    work = new_work(people, max(last - first, 0))
    counts = new_counts(people, pipeline.steps // pipeline.steps_per_year)
    with np.errstate(over="ignore"):  # numpy's scalars, where compilation is off
        play_people(
            read_only(people),  # mapped into memory, it may be of another array type
            newcomers,
            np.uint64(seed),
            np.uint64(run),
            first,
            max(last, first),
            pipeline.steps_per_year,
            work,
            counts,
        )
    return whole, counts


def _counts(
    shared: PlayedPipeline, pipeline: Pipeline, found: Found, *, is_first: bool
) -> dict[str, Array]:
    """Return what one part adds to the counts of its run, by name, year last."""
    whole, (stock, played_times, at_work, taken) = found
    n_cells, n_programmes, n_years = pipeline.n_cells, pipeline.n_programmes, len(stock)
    times = np.empty_like(played_times)
    times[:, shared.order] = played_times
    of_kind = [times[:, a:b].T for a, b in pairwise(shared.kinds)]
    in_training = stock[:, 2 * n_cells : -1].reshape(n_years, shared.n_slots, n_programmes).sum(1).T
    placing = np.repeat(np.arange(n_programmes), np.diff(pipeline.place_indptr))
    leaving = np.repeat(np.arange(n_cells), np.diff(pipeline.move_indptr))
    with_source = np.flatnonzero(pipeline.source >= 0)
    counts = {
        "at_work": at_work.T,
        "people_end": stock[:, :n_cells].T,
        "elsewhere_end": stock[:, n_cells : 2 * n_cells].T,
        "training_end": in_training,
        "exits": of_kind[states.LEFT],
        "drift": of_kind[states.DRIFTED],
        "comeback": of_kind[states.CAME_BACK],
        "exits_elsewhere": of_kind[states.LEFT_ELSEWHERE],
        "placed": _summed(of_kind[states.PLACED], pipeline.place_cell, n_cells),
        "graduates": _summed(of_kind[states.PLACED], placing, n_programmes)
        + of_kind[states.UNPLACED],
        "to_elsewhere": _summed(
            of_kind[states.UNPLACED], pipeline.place_cell[pipeline.place_indptr[:-1]], n_cells
        ),
        "dropouts": of_kind[states.GAVE_UP],
        "drawn": _summed(taken.T[with_source], pipeline.source[with_source], n_cells),
        "entrants": taken.T.copy(),
        "moved_out": _moves(of_kind[states.MOVED], leaving, pipeline),
        "moved_in": _moves(of_kind[states.MOVED], pipeline.move_to, pipeline),
    }
    if is_first:  # who joins is known beforehand, and the same in every block
        start, later = whole[: shared.n_start], whole[shared.n_start :]
        joining = later.reshape(n_years, pipeline.steps_per_year, n_cells + n_programmes).sum(1).T
        outside = np.flatnonzero(pipeline.source < 0)
        counts["arrivals"] = joining[:n_cells]
        counts["entrants"][outside] += joining[n_cells:][outside]
        counts["people_at_start"] = start[:n_cells]
        counts["elsewhere_at_start"] = start[n_cells : 2 * n_cells]
        by_slot = start[2 * n_cells :].reshape(shared.n_slots, n_programmes)
        counts["training_at_start"] = by_slot.sum(0)
    return counts


def _moves(moved: Array, cell: Array, pipeline: Pipeline) -> Array:
    """Return moves by kind and cell, shape (3, C, years)."""
    place = pipeline.move_kind * pipeline.n_cells + cell
    by_place = _summed(moved, place, _N_KINDS_OF_MOVE * pipeline.n_cells)
    return by_place.reshape(_N_KINDS_OF_MOVE, pipeline.n_cells, moved.shape[1])


def _summed(values: Array, place: Array, n_places: int) -> Array:
    """Return rows added up by the place that they belong to."""
    out = np.zeros((n_places, values.shape[1]), np.int64)
    np.add.at(out, place, values)
    return out


def _empty(pipeline: Pipeline, runs: int) -> dict[str, Array]:
    """Return zeros for every count of `PeopleRuns`."""
    n_cells, n_programmes, n_years = pipeline.n_cells, pipeline.n_programmes, len(pipeline.years)
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(
        ("at_work", *STOCKS, *CELL_FLOWS), (n_cells, n_years)
    )
    shapes |= dict.fromkeys(PROGRAMME_COUNTS, (n_programmes, n_years))
    shapes |= dict.fromkeys(("moved_out", "moved_in"), (_N_KINDS_OF_MOVE, n_cells, n_years))
    shapes |= dict.fromkeys(("people_at_start", "elsewhere_at_start"), (n_cells,))
    shapes["training_at_start"] = (n_programmes,)
    return {name: np.zeros((runs, *shape), np.int64) for name, shape in shapes.items()}


def _check_counts(seed: int, runs: int, jobs: int | None) -> None:
    """Refuse numbers that cannot be."""
    whole = (int, np.integer)
    if isinstance(seed, bool) or not isinstance(seed, whole) or not 0 <= seed <= _LARGEST_SEED:
        raise UsageError(f"seed must be a whole number from 0 to 2^64 - 1, not {seed!r}.")
    if isinstance(runs, bool) or not isinstance(runs, whole) or runs < 1:
        raise UsageError(f"runs must be a whole number from 1, not {runs!r}.")
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, whole)):
        raise UsageError(f"jobs must be a whole number, not {jobs!r}.")
    if jobs is not None and jobs < 1 and jobs != -1:
        raise UsageError(f"jobs must be at least 1 (or -1 for one a core), not {jobs}.")


def _check_length(shared: PlayedPipeline, runs: int) -> None:
    """Refuse what would never end."""
    most = shared.most_people
    if most * shared.steps * runs > MOST_PERSON_STEPS:
        raise UsageError(
            f"{most:,} people in {shared.steps:,} steps and {runs:,} runs are too many to play one "
            f"by one. Use people.project for expected values, or fewer runs, or scale people down."
        )


def _check_size(shared: PlayedPipeline, pipeline: Pipeline, runs: int, n_workers: int) -> None:
    """Refuse, before anything is played, what does not fit into memory."""
    most = shared.most_people
    n_years = len(pipeline.years)
    result = runs * n_years * (17 * pipeline.n_cells + 4 * pipeline.n_programmes)
    a_worker = n_years * (shared.n_states + len(shared.order)) + 4 * len(shared.expected)
    states_of = most if shared.is_coupled else min(most, BLOCK)
    need_memory(
        8.0 * result + n_workers * (8.0 * a_worker + 4.0 * states_of),
        f"{runs:,} runs of {most:,} people in {pipeline.n_cells:,} cells",
        "Use fewer runs, cells or jobs, or scale the people down.",
    )


def _provenance(pipeline: Pipeline, seed: int, runs: int) -> Provenance:
    """Return what was played."""
    digest = hashlib.blake2b(digest_size=16)
    for field in fields(pipeline):
        value: Any = getattr(pipeline, field.name)
        if isinstance(value, pl.DataFrame):
            digest.update(value.write_csv().encode())
        else:
            digest.update(f"{field.name} {np.shape(value)}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
    return Provenance(
        what="people.simulate_people",
        network="pipeline of people",
        fingerprint=digest.hexdigest(),
        parameters={"runs": int(runs)},
        seed=seed,
        versions=versions(),
    )
