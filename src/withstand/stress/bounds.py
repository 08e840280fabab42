"""Certified bounds of systemic risk: between which values the true fixed point lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

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
MODE_ROUNDS = 500
"""Rounds to find the slowest mode upstream and h; more would not pay."""

_SETTLED, _ENOUGH, _LEAST = 1e-9, 1e-3, 0.5


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

    slow, rate, kappa = slowest_mode(arrays)

    def play(work: tuple[memory.CascadeWork, Array, Array, Array], part: slice) -> None:
        cascade_bounds.bound_failures(
            arrays, frozen(nodes[part]), weight, tol, rule, MOST_ROUNDS[rule], windows, factors,
            slow, rate, kappa, *work, low[part], high[part],
        )  # fmt: skip

    def new_work() -> tuple[memory.CascadeWork, Array, Array, Array]:
        spare = np.zeros(len(arrays.slot_buyer)), np.zeros(len(arrays.market_size))
        return memory.new_work(arrays), *spare, np.zeros((10, len(arrays.size)))

    in_threads(len(nodes), CHUNK, jobs, new_work, play, progress)
    return Bounds(low=low, high=high)


def slowest_mode(arrays: memory.CascadeArrays) -> tuple[Array, float, float]:
    """Return h and the left eigenvector, its rate, and kappa: see `kernels.cascade_bounds`.

    Power rounds find the eigenvectors x and p of the largest eigenvalue of U; h solves h = 1 + U h,
    the slowest part of what is left taken out after every round. kappa is 0 where that fails: a
    closed class, or several slow modes.
    """
    n = len(arrays.size)
    buyer = np.repeat(np.arange(n), np.diff(arrays.up_indptr))
    U = sparse.csr_array((arrays.up_share, (arrays.up_supplier, buyer)), shape=(n, n))
    back = U.T.tocsr()
    x, p, rate = np.full(n, 1.0 / n), np.full(n, 1.0 / n), 0.0
    none = frozen(np.zeros((2, n))), 0.0, 0.0
    for _ in range(MODE_ROUNDS):
        old = p
        x, p = U @ x, back @ p
        rate = float(p.sum())
        if rate <= 0.0 or x.sum() <= 0.0:
            return _with_h(U, np.zeros(n), np.full(n, 1.0 / n), 0.0)
        x, p = x / x.sum(), p / rate
        if np.abs(p - old).sum() < _SETTLED:
            break
    if not rate < 1.0 - _SETTLED:
        return none
    return _with_h(U, x, p, rate)


def _with_h(U: sparse.csr_array, x: Array, p: Array, rate: float) -> tuple[Array, float, float]:
    """Return h = 1 + U h as far as it is found, with the mode and the least of h - U h."""
    n = len(x)
    h, meet = np.ones(n), float(p @ x)
    for _ in range(MODE_ROUNDS):
        missing = 1.0 + U @ h - h
        if np.abs(missing).max() < _ENOUGH:
            break
        h = h + missing
        if meet > 0.0:
            h = h + x * (float(p @ missing) * rate / ((1.0 - rate) * meet))
        h = np.maximum(h, 1.0)
    kappa = float((h - U @ h).min()) - 1e-9
    slow = frozen(np.vstack([h, p]))
    return (slow, rate, kappa) if kappa > _LEAST else (frozen(np.zeros((2, n))), 0.0, 0.0)
