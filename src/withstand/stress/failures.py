"""Many single failures: which kernel plays them, in threads that draw chunks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from withstand.kernels import cascade as kernel
from withstand.kernels import cascade_lanes
from withstand.kernels import cascade_memory as memory
from withstand.stress.cascade_arrays import Prepared, frozen
from withstand.stress.fast_arrays import fast_arrays

Array = np.ndarray
Progress = Callable[[int, int], None]
MOST_ROUNDS = {
    kernel.REPLACE_NONE: 1_000_000,
    kernel.REPLACE_RELATIVE: 1_000_000,
    kernel.REPLACE_PARITY: 10_000,
}
"""Parity need not settle; the others do."""
CHUNK = 64
"""Failures that a thread of the general kernel draws at once."""
FAST_CHUNK = 5_000
"""The same for the fast kernels: enough to keep eight lanes busy to the end."""
WORTH_PREPARING = 3_000_000
"""Failures times links above which the fast kernels pay."""
_ROW_SUM = 1.0 + 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Failures:
    """Losses and rounds of single failures.

    Parameters
    ----------
    loss : ndarray of float64, shape (n_failures, 3)
        Either channel, downstream, upstream; NaN where it does not settle.
    rounds : ndarray of int64, shape (n_failures,)
        -1 where it does not settle.
    """

    loss: Array
    rounds: Array


def fail_each(
    prepared: Prepared,
    nodes: Array,
    weight: Array,
    eps: float,
    rule: int,
    jobs: int | None = None,
    progress: Progress | None = None,
    *,
    fast: bool | None = None,
) -> Failures:
    """Return the losses of single failures.

    Parameters
    ----------
    prepared : Prepared
    nodes : ndarray of int64, shape (n_failures,)
    weight : ndarray of float64, shape (n_nodes,)
        Sums to 1.
    eps : float
    rule : int
        REPLACE_NONE, REPLACE_RELATIVE or REPLACE_PARITY.
    jobs : int, optional
        Threads; default: one per processor.
    progress : callable of (done, all), optional
    fast : bool, optional
        Which kernels; default: the fast ones where they apply and pay. They need sales shares that
        sum to at most 1 a node, which revenue below link sales breaks.
    """
    nodes = np.ascontiguousarray(nodes, dtype=np.int64)
    applies = _row_sums(prepared).max(initial=0.0) <= _ROW_SUM
    pays = len(nodes) * len(prepared.value) >= WORTH_PREPARING
    play = _play_fast if applies and (pays if fast is None else fast) else _play_general
    loss, rounds = play(prepared, nodes, frozen(weight), eps, rule, jobs, progress)
    loss[rounds < 0] = np.nan
    return Failures(loss=loss, rounds=rounds)


def _row_sums(prepared: Prepared) -> Array:
    arrays = prepared.arrays
    return np.bincount(arrays.up_supplier, arrays.up_share, len(arrays.size))


def _play_general(
    prepared: Prepared,
    nodes: Array,
    weight: Array,
    eps: float,
    rule: int,
    jobs: int | None,
    progress: Progress | None,
) -> tuple[Array, Array]:
    arrays, most = prepared.arrays, MOST_ROUNDS[rule]
    loss, rounds = np.zeros((len(nodes), 3)), np.zeros(len(nodes), np.int64)

    def play(work: memory.CascadeWork, part: slice) -> None:
        own = frozen(nodes[part])
        kernel.single_failures(arrays, own, weight, eps, rule, most, work, loss[part], rounds[part])

    in_threads(len(nodes), CHUNK, jobs, lambda: memory.new_work(arrays), play, progress)
    return loss, rounds


def _play_fast(
    prepared: Prepared,
    nodes: Array,
    weight: Array,
    eps: float,
    rule: int,
    jobs: int | None,
    progress: Progress | None,
) -> tuple[Array, Array]:
    """First what is easy, then the rest in lanes, chunk by chunk."""
    arrays, most = prepared.arrays, MOST_ROUNDS[rule]
    quick = fast_arrays(arrays, weight)
    caps = frozen(caps_of(arrays))
    order = np.random.default_rng(0).permutation(len(nodes))  # even chunks, always the same
    loss, rounds = np.zeros((len(nodes), 3)), np.zeros(len(nodes), np.int64)

    def new_work() -> tuple[memory.EasyWork, memory.LaneWork]:
        return memory.new_easy_work(quick), memory.new_lane_work(quick)

    def play(work: tuple[memory.EasyWork, memory.LaneWork], part: slice) -> None:
        own = order[part]
        own = own[np.argsort(quick.rank[nodes[own]], kind="stable")]  # hubs first
        out, count = np.zeros((len(own), 3)), np.zeros(len(own), np.int64)
        ranks = frozen(quick.rank[nodes[own]])
        cascade_lanes.single_failures(quick, ranks, eps, rule, most, caps, *work, out, count)
        loss[own], rounds[own] = out, count

    chunk = max(CHUNK, min(FAST_CHUNK, -(-len(nodes) // 4)))
    in_threads(len(nodes), chunk, jobs, new_work, play, progress)
    return loss, rounds


def caps_of(arrays: memory.CascadeArrays) -> Array:
    """Return how many links a failure may cost before lanes are cheaper: measured, not derived."""
    n_up, n_down = len(arrays.up_supplier), len(arrays.down_slot)
    return np.array([n_up // 20, n_down // 40, n_up // 4], dtype=np.int64) + 300


def in_threads(
    count: int,
    chunk: int,
    jobs: int | None,
    new_work: Callable[[], Any],
    play: Callable[[Any, slice], None],
    progress: Progress | None,
) -> None:
    """Call `play(work, slice)` for every chunk; each thread has a workspace and draws the next."""
    starts = iter(range(0, count, chunk))
    lock = threading.Lock()
    done = 0

    def draw() -> None:
        nonlocal done
        work = new_work()
        while True:
            with lock:
                start = next(starts, None)
            if start is None:
                return
            stop = min(start + chunk, count)
            play(work, slice(start, stop))
            with lock:
                done += stop - start
                if progress is not None:
                    progress(done, count)

    n_threads = min(jobs or os.cpu_count() or 1, -(-count // chunk))
    if n_threads <= 1:
        draw()
        return
    with ThreadPoolExecutor(n_threads) as pool:
        for future in [pool.submit(draw) for _ in range(n_threads)]:
            future.result()
