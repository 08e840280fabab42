"""The pipeline of people as arrays: who is where at the start, and who goes where in each step.

Everybody is in one place: employed in a cell (occupation x region x age band x qualification), in
training (one slot for each remaining step), qualified but elsewhere (remembered by the cell they
would work in), or gone. In each step, in this order and all counted at its start:

1. of those with one step of training left, the share `completion` completes and the rest gives up;
   those who complete take up work in the cells of `place` and, for what is missing to one, are
   qualified but elsewhere (in the first cell of their programme); all others in training move on
   by one slot;
2. of those employed in a cell, `leave` are gone, `move` change to another cell (transfers,
   migration between regions, growing older), `drift` go elsewhere; of those elsewhere, `comeback`
   return to their cell and `leave` are gone;
3. `arrivals` join the cells;
4. `intake` enters the last slot of each programme: from outside, or out of the cell `source` (never
   more than are left there, programmes in their order).

Graduates and arrivals of a step first leave in the next one: N' = N (1 - exit - transfer) + ... as
stock-and-flow models of manpower write it (Bartholomew, Forbes & McClean 1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Pipeline:
    """A pipeline of people, ready to be played in expectation or person by person.

    C cells, P programmes, T steps, L the longest programme in steps. All chances are per step.

    Parameters
    ----------
    cells : DataFrame, C rows
        occupation, region, age_band, qualification.
    programmes : DataFrame, P rows
        programme, occupation, region.
    first_year, steps_per_year, steps : int
        steps = T, a multiple of steps_per_year.
    stock, elsewhere : ndarray of float64, shape (C,), people
        Employed, and qualified but elsewhere, at the start.
    leave, drift, comeback : ndarray of float64, shape (C,), 0 to 1
    move_indptr : ndarray of int64, shape (C + 1,)
    move_to : ndarray of int64, shape (moves,)
    move_share : ndarray of float64, shape (moves,)
        Rows of a sparse matrix: chance to change to another cell. In each cell
        leave + drift + sum of its moves is at most 1, and leave + comeback is at most 1.
    move_kind : ndarray of int64, shape (moves,)
        MOVE_TRANSFER, MOVE_REGION or MOVE_AGE.
    arrivals : ndarray of float64, shape (C, T), people per step
    intake : ndarray of float64, shape (P, T), people per step
    length : ndarray of int64, shape (P,), steps, at least 1
    completion : ndarray of float64, shape (P,), 0 to 1
    source : ndarray of int64, shape (P,)
        The cell that entrants leave, -1 where they come from outside.
    place_indptr : ndarray of int64, shape (P + 1,)
    place_cell : ndarray of int64, shape (places,)
    place_share : ndarray of float64, shape (places,)
        Where graduates take up work; rows sum to at most 1 and name at least one cell.
    training : ndarray of float64, shape (P, L), people
        In training at the start, by steps left: column k holds those with k + 1 steps left.
    """

    cells: pl.DataFrame
    programmes: pl.DataFrame
    first_year: int
    steps_per_year: int
    steps: int
    stock: Array
    elsewhere: Array
    leave: Array
    drift: Array
    comeback: Array
    move_indptr: Array
    move_to: Array
    move_share: Array
    move_kind: Array
    arrivals: Array
    intake: Array
    length: Array
    completion: Array
    source: Array
    place_indptr: Array
    place_cell: Array
    place_share: Array
    training: Array

    @property
    def n_cells(self) -> int:
        """Number of cells C."""
        return len(self.stock)

    @property
    def n_programmes(self) -> int:
        """Number of programmes P."""
        return len(self.length)

    @property
    def years(self) -> Array:
        """The calendar years that are played, shape (T / steps_per_year,)."""
        return self.first_year + np.arange(self.steps // self.steps_per_year)


MOVE_TRANSFER, MOVE_REGION, MOVE_AGE = range(3)
