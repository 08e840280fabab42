"""A pipeline as the kernel plays it: states by number, outcomes of a draw, who joins when."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from withstand.kernels.counted_draws import round_people
from withstand.kernels.individuals import ALWAYS, Newcomers, PeopleArrays, read_only

if TYPE_CHECKING:
    from withstand.people.pipelines import Pipeline

Array = np.ndarray
LEFT, DRIFTED, MOVED, CAME_BACK, LEFT_ELSEWHERE, PLACED, UNPLACED, GAVE_UP = range(8)
"""Kinds of outcome, in the order in which a draw tries those of one state."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PlayedPipeline:
    """What all workers share of a pipeline; arrays only.

    Parameters
    ----------
    people : PeopleArrays
    order : ndarray of int64, shape (n_outcomes,)
        Place of each of the kernel's outcomes in the list by kind.
    kinds : ndarray of int64, shape (9,)
        Where each kind begins in that list.
    n_states, n_slots : int
        S; and the longest programme in steps, L.
    expected : ndarray of float64, shape (n_groups,), people
        Who joins, and the seats of programmes with a source, in expectation: at the start the
        employed, those elsewhere and those in training, then arrivals and entrants by step.
    group_state : ndarray of int64, shape (n_groups,)
    is_newcomer : ndarray of bool, shape (n_groups,)
        False for seats that are filled out of a cell.
    groups_indptr : ndarray of int64, shape (T + 2,)
    steps, steps_per_year : int
    """

    people: PeopleArrays
    order: Array
    kinds: Array
    n_states: int
    n_slots: int
    expected: Array
    group_state: Array
    is_newcomer: Array
    groups_indptr: Array
    steps: int
    steps_per_year: int

    @property
    def n_start(self) -> int:
        """Number of groups that are there at the start: 2 C + P L."""
        return self.n_states - 1

    @property
    def is_coupled(self) -> bool:
        """Whether what one person may do depends on others: seats are filled out of cells."""
        return len(self.people.source_programme) > 0

    @property
    def most_people(self) -> int:
        """The most people that can ever join in a run."""
        return int(np.ceil(self.expected[self.is_newcomer]).sum())

    def whole_people(self, seed: int, run: int) -> Array:
        """Return `expected` in whole people of one run, int64."""
        out = np.empty(len(self.expected), np.int64)
        with np.errstate(over="ignore"):  # numpy's scalars, where compilation is off
            # workers have it mapped into memory: fixed again, it is of the same type
            round_people(np.uint64(seed), np.uint64(run), _fixed(self.expected), out)
        return out

    def newcomers(self, whole: Array) -> Newcomers:
        """Return who joins when, numbered."""
        n_cells, n_programmes = self.people.n_cells, self.people.n_programmes
        joining = np.where(self.is_newcomer, whole, 0)
        later = np.where(self.is_newcomer, 0, whole)[self.n_start :]
        seats = later.reshape(self.steps, n_cells + n_programmes)[:, n_cells:]
        person = np.concatenate([[0], np.cumsum(joining)])
        return read_only(
            Newcomers(self.groups_indptr, self.group_state, person, seats, seats.sum(1))
        )


def played(pipeline: Pipeline) -> PlayedPipeline:
    """Return the pipeline as states, outcomes and groups of newcomers."""
    n_cells, n_programmes = pipeline.n_cells, pipeline.n_programmes
    n_slots = max(int(pipeline.length.max(initial=1)), pipeline.training.shape[1], 1)
    slots = np.zeros((n_programmes, n_slots))
    slots[:, : pipeline.training.shape[1]] = pipeline.training
    gone = 2 * n_cells + n_programmes * n_slots
    last_slot = 2 * n_cells + (pipeline.length - 1) * n_programmes + np.arange(n_programmes)
    people, order, kinds = _outcomes(pipeline, gone, last_slot)
    joining = np.concatenate([pipeline.arrivals, pipeline.intake]).T  # of a step: cells, programmes
    state_of_joining = np.concatenate([np.arange(n_cells), last_slot])
    is_newcomer = np.concatenate([np.full(n_cells, True), pipeline.source < 0])
    n_joining = n_cells + n_programmes
    at_start = (pipeline.stock, pipeline.elsewhere, slots.T.ravel())
    return PlayedPipeline(
        people=people,
        order=order,
        kinds=kinds,
        n_states=gone + 1,
        n_slots=n_slots,
        expected=_fixed(np.concatenate([*at_start, joining.ravel()])),
        group_state=np.concatenate([np.arange(gone), np.tile(state_of_joining, pipeline.steps)]),
        is_newcomer=np.concatenate([np.full(gone, True), np.tile(is_newcomer, pipeline.steps)]),
        groups_indptr=np.concatenate([[0], gone + n_joining * np.arange(pipeline.steps + 1)]),
        steps=pipeline.steps,
        steps_per_year=pipeline.steps_per_year,
    )


def _outcomes(pipeline: Pipeline, gone: int, last_slot: Array) -> tuple[PeopleArrays, Array, Array]:
    """Return the kernel's arrays, and where its outcomes stand in the list by kind."""
    n_cells, n_programmes = pipeline.n_cells, pipeline.n_programmes
    cells, programmes = np.arange(n_cells), np.arange(n_programmes)
    elsewhere, finishing = n_cells + cells, 2 * n_cells + programmes
    to_gone = np.full(n_cells, gone)
    placing = np.repeat(programmes, np.diff(pipeline.place_indptr))
    placed = np.bincount(placing, pipeline.place_share, n_programmes)
    first_cell = pipeline.place_cell[pipeline.place_indptr[:-1]]
    rows = (  # from state, to state, chance
        (cells, to_gone, pipeline.leave),
        (cells, elsewhere, pipeline.drift),
        (np.repeat(cells, np.diff(pipeline.move_indptr)), pipeline.move_to, pipeline.move_share),
        (elsewhere, cells, pipeline.comeback),
        (elsewhere, to_gone, pipeline.leave),
        (
            2 * n_cells + placing,
            pipeline.place_cell,
            pipeline.completion[placing] * pipeline.place_share,
        ),
        (
            finishing,
            n_cells + first_cell,
            pipeline.completion * np.maximum(1.0 - placed, 0.0),
        ),
        (finishing, np.full(n_programmes, gone), np.full(n_programmes, ALWAYS)),
    )
    origin, to, chance = (np.concatenate([row[k] for row in rows]) for k in range(3))
    order = np.argsort(origin, kind="stable")
    n_drawing = 2 * n_cells + n_programmes
    indptr = np.concatenate([[0], np.cumsum(np.bincount(origin, minlength=n_drawing))])
    below = chance[order]
    for begin, end in pairwise(indptr):
        below[begin:end] = np.cumsum(below[begin:end])
    some_change = np.full(gone + 1, ALWAYS)  # in training, all
    some_change[:n_drawing] = below[indptr[1:] - 1]  # every row has an outcome: leave, or give up
    some_change[gone] = 0.0
    with_source = np.flatnonzero(pipeline.source >= 0)
    source = pipeline.source[with_source]
    people = PeopleArrays(
        n_cells=n_cells,
        n_programmes=n_programmes,
        some_change=some_change,
        outcomes_indptr=indptr,
        outcome_below=below,
        outcome_to=to[order],
        last_slot=last_slot,
        sources_indptr=np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n_cells))]),
        source_programme=with_source[np.argsort(source, kind="stable")],
    )
    kinds = np.concatenate([[0], np.cumsum([len(row[0]) for row in rows])])
    return read_only(people), order, kinds


def _fixed(values: Array) -> Array:
    """Return the array contiguous and read-only: workers map it so, and one type is compiled."""
    values = np.ascontiguousarray(values, np.float64).view()
    values.flags.writeable = False
    return values
