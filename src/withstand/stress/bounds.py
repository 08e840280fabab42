"""Certified bounds of systemic risk: between which values the true fixed point lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.kernels import cascade_bounds
from withstand.kernels import cascade_memory as memory
from withstand.stress.cascade_arrays import Prepared, frozen
from withstand.stress.failures import MOST_ROUNDS, in_threads

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray
WINDOWS = (1, 4, 16, 64, 256)
"""Rounds over which the decline of changes is measured; longer ones where shorter ones fail."""
FACTORS = (1.0 + 1e-6, 1.5, 4.0)
CHUNK = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Bounds:
    """The fixed point lies between low and high, shape (n_failures,); high NaN: not certified."""

    low: Array
    high: Array


def bound_failures(
    prepared: Prepared,
    nodes: Array,
    weight: Array,
    tol: float,
    rule: int,
    jobs: int | None,
    progress: Callable[[int, int], None] | None = None,
) -> Bounds:
    """Return bounds of the losses of single failures."""
    arrays = prepared.arrays
    nodes = np.ascontiguousarray(nodes, dtype=np.int64)
    low, high = np.zeros(len(nodes)), np.full(len(nodes), np.nan)
    windows, factors = frozen(np.array(WINDOWS, np.int64)), frozen(np.array(FACTORS))
    weight = frozen(weight)

    def play(work: tuple[memory.CascadeWork, Array, Array, Array], part: slice) -> None:
        cascade_bounds.bound_failures(
            arrays, frozen(nodes[part]), weight, tol, rule, MOST_ROUNDS[rule], windows, factors,
            *work, low[part], high[part],
        )  # fmt: skip

    def new_work() -> tuple[memory.CascadeWork, Array, Array, Array]:
        spare = np.zeros(len(arrays.slot_buyer)), np.zeros(len(arrays.market_size))
        return memory.new_work(arrays), *spare, np.zeros((9, len(arrays.size)))

    in_threads(len(nodes), CHUNK, jobs, new_work, play, progress)
    return Bounds(low=low, high=high)
