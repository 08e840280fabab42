"""Who leaves a cell, and where they go: transfers, migration between regions, growing older.

Rates are stated a year. In k steps a year they are the chances of a step that leave as many of
the people who were there at the start of the year: 1 - (1 - sum of the rates)^(1/k), split as the
rates are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.model.checks.people import text_of
from withstand.model.encoding import numbers
from withstand.people.pipelines import MOVE_AGE, MOVE_REGION, MOVE_TRANSFER

if TYPE_CHECKING:
    from withstand.people.cells import Cell, Cells
    from withstand.people.sources import PeopleTables

Array = np.ndarray
Moves = dict[tuple[int, int], tuple[float, int]]
"""From (cell, cell they move to) to the share a year and the kind of move."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StepShares:
    """Chances per step: leave, drift, comeback of each cell, and of each move."""

    leave: Array
    drift: Array
    comeback: Array
    moves: Array


def moves_of(tables: PeopleTables, cells: Cells) -> Moves:
    """Return all moves between cells, share per year; cells that they need are made."""
    moves: Moves = {}
    if "transfers" in tables.frames:
        for *pair, share in _transfers(tables, cells):
            start, end = pair
            kind = _kind(cells.labels[start], cells.labels[end])
            moves[start, end] = (moves.get((start, end), (0.0, kind))[0] + share, kind)
    at = 0
    while at < len(cells):  # cells that are made on the way grow older, too
        following = cells.older(at)
        if following is not None:
            end, share = following
            moves[at, end] = (share, MOVE_AGE)
        at += 1
    return moves


def _kind(start: Cell, end: Cell) -> int:
    return MOVE_REGION if start.occupation == end.occupation else MOVE_TRANSFER


def _transfers(tables: PeopleTables, cells: Cells) -> list[tuple[int, int, float]]:
    frame = tables.frames["transfers"]
    columns = [text_of(frame, c) for c in ("from", "to", "from_region", "to_region")]
    shares = numbers(frame, "share", 0.0).tolist()
    found = []
    starts: dict[str, list[tuple[int, Cell]]] = {}
    for at, cell in enumerate(cells.labels):
        starts.setdefault(cell.occupation, []).append((at, cell))
    for start, end, here, there, share in zip(*columns, shares, strict=True):
        for at, cell in starts.get(start, []):
            if here and cell.region != here:
                continue
            goal = cell._replace(occupation=end, region=there or cell.region)
            to = cells.nearest(goal)
            if to != at and share > 0:
                found.append((at, to, share))
    return found


def shares_of_step(
    cells: Cells, start: Array, yearly: Array, kind: Array, steps: int
) -> StepShares:
    """Return the chances of a step from the shares of a year.

    Parameters
    ----------
    cells : Cells
    start : ndarray of int64, shape (moves,)
        Cell that each move leaves.
    yearly : ndarray of float64, shape (moves,), share per year
    kind : ndarray of int64, shape (moves,)
    steps : int
        Steps a year.
    """
    n = len(cells)
    leave = np.array(cells.exit)
    stated = np.array(cells.transfer)
    moved = np.bincount(start, yearly, n)
    listed = np.bincount(start, np.where(kind == MOVE_TRANSFER, yearly, 0.0), n)
    drift = np.where(np.isnan(stated), 0.0, np.maximum(stated - listed, 0.0))
    total = np.minimum(leave + moved + drift, 1.0)
    back = np.array(cells.back)
    if steps == 1:
        return StepShares(leave=leave, drift=drift, comeback=back, moves=yearly)
    part = _of_step(total, steps)
    scale = np.divide(part, total, out=np.full(n, 1.0 / steps), where=total > 0)
    return StepShares(
        leave=leave * scale,
        drift=drift * scale,
        comeback=_of_step(back, steps),
        moves=yearly * scale[start],
    )


def _of_step(yearly: Array, steps: int) -> Array:
    """Return the chance of a step of which `steps` make the share of a year."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(np.log1p(-yearly) / steps))
