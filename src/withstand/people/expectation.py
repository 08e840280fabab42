"""A pipeline played in expectation: expected people in each place, step by step.

    N' = N (1 - leave - drift - moves) + moved in + comeback + placed + arrivals - drawn

in the order of events of `withstand.people.pipelines`. Only the limit of what a programme may draw
from a cell is no linear equation: it is taken of the expected people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.people.pipelines import MOVE_AGE, MOVE_REGION, MOVE_TRANSFER

if TYPE_CHECKING:
    from withstand.people.pipelines import Pipeline

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Played:
    """Expected people of a pipeline: stocks at the start of each step, flows of each year.

    C cells, P programmes, T steps, Y years, L the longest programme in steps. All are people.

    Parameters
    ----------
    stock, elsewhere : ndarray of float64, shape (T + 1, C)
        Row t at the start of step t; the last row at the end.
    training : ndarray of float64, shape (Y + 1, P, L)
        By steps left, at the start of each year; the last at the end.
    placed, to_elsewhere, exits, exits_elsewhere, drift, comeback, arrivals, drawn : ndarray of \
float64, shape (Y, C)
        Graduates at work; graduates elsewhere; gone from work; gone from elsewhere; from work to
        elsewhere; back from elsewhere; from outside; entrants of programmes out of the cell.
    moved_in, moved_out : ndarray of float64, shape (3, Y, C)
        By kind of move: transfers, regions, ages.
    entrants, graduates, dropouts : ndarray of float64, shape (Y, P)
    imbalance : float
        Largest difference, over all steps, between the people who are anywhere (gone included)
        and those who were there or came, as a share of the latter.
    """

    stock: Array
    elsewhere: Array
    training: Array
    placed: Array
    to_elsewhere: Array
    exits: Array
    exits_elsewhere: Array
    drift: Array
    comeback: Array
    arrivals: Array
    drawn: Array
    moved_in: Array
    moved_out: Array
    entrants: Array
    graduates: Array
    dropouts: Array
    imbalance: float


OF_CELLS = (
    "placed",
    "to_elsewhere",
    "exits",
    "exits_elsewhere",
    "drift",
    "comeback",
    "arrivals",
    "drawn",
)
OF_PROGRAMMES = ("entrants", "graduates", "dropouts")


def play(pipeline: Pipeline) -> Played:
    """Return the expected people of a pipeline.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    Played
        Nothing is negative: shares that leave a cell sum to at most 1, and programmes draw no more
        than are left.
    """
    n, n_programmes, total = pipeline.n_cells, pipeline.n_programmes, pipeline.steps
    per_year, n_years = pipeline.steps_per_year, len(pipeline.years)
    stock, elsewhere = np.empty((total + 1, n)), np.empty((total + 1, n))
    stock[0], elsewhere[0] = pipeline.stock, pipeline.elsewhere
    slots = pipeline.training.copy()
    training = np.empty((n_years + 1, *slots.shape))
    flows = {name: np.zeros((n_years, n)) for name in OF_CELLS}
    flows |= {name: np.zeros((n_years, n_programmes)) for name in OF_PROGRAMMES}
    moved = {way: np.zeros((3, n_years, n)) for way in ("in", "out")}
    step = _Step(pipeline)
    here = stock[0].sum() + elsewhere[0].sum() + slots.sum()
    came, gone, imbalance = here, 0.0, 0.0
    for t in range(total):
        year, is_first = divmod(t, per_year)
        if is_first == 0:
            training[year] = slots
        found = step.play(t, stock[t], elsewhere[t], slots)
        stock[t + 1], elsewhere[t + 1] = found.pop("stock"), found.pop("elsewhere")
        for way in ("in", "out"):
            moved[way][:, year] += found.pop(f"moved_{way}")
        for name, amount in found.items():
            flows[name][year] += amount
        outside = found["entrants"].sum() - found["drawn"].sum()
        came += found["arrivals"].sum() + outside
        gone += sum(found[x].sum() for x in ("exits", "exits_elsewhere", "dropouts"))
        here = stock[t + 1].sum() + elsewhere[t + 1].sum() + slots.sum()
        imbalance = max(imbalance, abs(here + gone - came) / max(came, 1.0))
    training[n_years] = slots
    return Played(
        stock=stock,
        elsewhere=elsewhere,
        training=training,
        moved_in=moved["in"],
        moved_out=moved["out"],
        imbalance=float(imbalance),
        **flows,
    )


class _Step:
    """One step of a pipeline; what does not change from step to step is worked out once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._p = p = pipeline
        self._from = np.repeat(np.arange(p.n_cells), np.diff(p.move_indptr))
        self._stay = np.clip(
            1.0 - p.leave - p.drift - np.bincount(self._from, p.move_share, p.n_cells), 0.0, 1.0
        )
        self._place_of = np.repeat(np.arange(p.n_programmes), np.diff(p.place_indptr))
        self._first = p.place_cell[p.place_indptr[:-1]]
        placed = np.bincount(self._place_of, p.place_share, p.n_programmes)
        self._unplaced = np.clip(1.0 - placed, 0.0, 1.0)
        self._rows = np.arange(p.n_programmes)
        self._kinds = [p.move_kind == kind for kind in (MOVE_TRANSFER, MOVE_REGION, MOVE_AGE)]

    def play(self, t: int, stock: Array, elsewhere: Array, slots: Array) -> dict[str, Array]:
        """Return stocks at the end of step t and what happened in it; slots are moved in place."""
        p, n = self._p, self._p.n_cells
        # 1. those with one step left complete or give up; the others move on
        last = slots[:, 0].copy()
        graduates = p.completion * last
        placed = self._at_cells(p.place_cell, p.place_share * graduates[self._place_of])
        to_elsewhere = self._at_cells(self._first, self._unplaced * graduates)
        slots[:, :-1] = slots[:, 1:]
        slots[:, -1] = 0.0
        # 2. of those at work and elsewhere at the start
        exits, drift = p.leave * stock, p.drift * stock
        moves = p.move_share * stock[self._from]
        moved_out = np.stack([np.bincount(self._from[k], moves[k], n) for k in self._kinds])
        moved_in = np.stack([np.bincount(p.move_to[k], moves[k], n) for k in self._kinds])
        comeback, exits_elsewhere = p.comeback * elsewhere, p.leave * elsewhere
        left = self._stay * stock
        stays = np.clip(1.0 - p.comeback - p.leave, 0.0, 1.0) * elsewhere
        # 3. and 4. from outside, and into training
        arrivals = p.arrivals[:, t]
        entrants, drawn = self._enter(p.intake[:, t], left)
        slots[self._rows, p.length - 1] += entrants
        return {
            "stock": left - drawn + moved_in.sum(axis=0) + comeback + placed + arrivals,
            "elsewhere": stays + drift + to_elsewhere,
            "placed": placed,
            "to_elsewhere": to_elsewhere,
            "exits": exits,
            "exits_elsewhere": exits_elsewhere,
            "drift": drift,
            "comeback": comeback,
            "arrivals": arrivals,
            "drawn": drawn,
            "moved_in": moved_in,
            "moved_out": moved_out,
            "entrants": entrants,
            "graduates": graduates,
            "dropouts": last - graduates,
        }

    def _at_cells(self, cells: Array, people: Array) -> Array:
        return np.bincount(cells, people, self._p.n_cells)

    def _enter(self, intake: Array, left: Array) -> tuple[Array, Array]:
        """Return who enters each programme, and who is drawn from each cell for it."""
        entrants, drawn = intake.copy(), np.zeros(self._p.n_cells)
        for p in np.flatnonzero(self._p.source >= 0):
            cell = self._p.source[p]
            entrants[p] = min(entrants[p], max(left[cell] - drawn[cell], 0.0))
            drawn[cell] += entrants[p]
        drawn = np.minimum(drawn, left)
        return entrants, drawn
