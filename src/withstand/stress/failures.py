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
Kernels = tuple[Callable[[], Any], Callable[[Any, Array, Array, Array], None]]
"""Make a workspace; play (workspace, nodes, loss, rounds), the last two written in place."""
MOST_ROUNDS = {
    kernel.REPLACE_NONE: 1_000_000,
    kernel.REPLACE_RELATIVE: 1_000_000,
    kernel.REPLACE_PARITY: 10_000,
}
"""Parity need not settle; the others do."""
CHUNK = 64
"""Failures that a thread of the general kernel draws at once."""
FAST_CHUNK = 10_000
"""The same for the fast kernels at most: at the end of a chunk lanes run empty."""
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
    ready = make_ready(prepared, len(nodes), weight, eps, rule, fast=fast)
    return play_failures(ready, nodes, jobs, progress)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ready:
    """Kernels with what they read, to play single failures.

    Parameters
    ----------
    kernels : tuple of (new_work, play)
    is_fast : bool
        Whether they have arrays of their own, and need nothing of `Prepared`.
    """

    kernels: Kernels
    is_fast: bool


def make_ready(
    prepared: Prepared,
    n_failures: int,
    weight: Array,
    eps: float,
    rule: int,
    *,
    fast: bool | None = None,
) -> Ready:
    """Choose the kernels and lay out what they read; arguments as in `fail_each`."""
    applies = _row_sums(prepared).max(initial=0.0) <= _ROW_SUM
    pays = n_failures * len(prepared.slot) >= WORTH_PREPARING
    is_fast = bool(applies and (pays if fast is None else fast))
    kernels = _fast if is_fast else _general
    return Ready(kernels=kernels(prepared, frozen(weight), eps, rule), is_fast=is_fast)


def play_failures(
    ready: Ready, nodes: Array, jobs: int | None = None, progress: Progress | None = None
) -> Failures:
    """Let each of the nodes fail alone; arguments as in `fail_each`."""
    nodes = np.ascontiguousarray(nodes, dtype=np.int64)
    new_work, play = ready.kernels
    is_fast = ready.is_fast
    order = np.random.default_rng(0).permutation(len(nodes))  # chunks of like cost
    # what a failure loses does not depend on the others of its chunk
    chunk = max(CHUNK, min(FAST_CHUNK, -(-len(nodes) // _n_chunks(jobs)))) if is_fast else CHUNK
    loss, rounds = np.zeros((len(nodes), 3)), np.zeros(len(nodes), np.int64)

    def play_part(work: Any, part: slice) -> None:
        own = order[part]
        out, count = np.zeros((len(own), 3)), np.zeros(len(own), np.int64)
        play(work, nodes[own], out, count)
        loss[own], rounds[own] = out, count

    in_threads(len(nodes), chunk, jobs, new_work, play_part, progress)
    loss[rounds < 0] = np.nan
    return Failures(loss=loss, rounds=rounds)


def _n_chunks(jobs: int | None) -> int:
    """Return in how many chunks few failures are cut: one thread keeps its lanes full best."""
    n_threads = jobs or os.cpu_count() or 1
    return 1 if n_threads == 1 else 3 * n_threads


def _row_sums(prepared: Prepared) -> Array:
    arrays = prepared.arrays
    return np.bincount(arrays.up_supplier, arrays.up_share, len(arrays.size))


def _general(prepared: Prepared, weight: Array, eps: float, rule: int) -> Kernels:
    """One failure after the other, both channels in step."""
    arrays, most = prepared.arrays, MOST_ROUNDS[rule]

    def play(work: memory.CascadeWork, nodes: Array, loss: Array, rounds: Array) -> None:
        own = frozen(nodes)
        kernel.single_failures(arrays, own, weight, eps, rule, most, work, loss, rounds)

    return lambda: memory.new_work(arrays), play


def _fast(prepared: Prepared, weight: Array, eps: float, rule: int) -> Kernels:
    """First what is easy, then the rest in lanes."""
    quick, most = fast_arrays(prepared.arrays, weight), MOST_ROUNDS[rule]
    caps = frozen(caps_of(prepared.arrays))

    def new_work() -> tuple[memory.EasyWork, memory.LaneWork]:
        return memory.new_easy_work(quick), memory.new_lane_work(quick)

    def play(
        work: tuple[memory.EasyWork, memory.LaneWork], nodes: Array, loss: Array, rounds: Array
    ) -> None:
        ranks = quick.rank[nodes]
        hubs_first = np.argsort(ranks, kind="stable")
        out, count = np.zeros_like(loss), np.zeros_like(rounds)
        own = frozen(ranks[hubs_first])
        cascade_lanes.single_failures(quick, own, eps, rule, most, caps, *work, out, count)
        loss[hubs_first], rounds[hubs_first] = out, count

    return new_work, play


def caps_of(arrays: memory.CascadeArrays) -> Array:
    """Return how many links a failure may cost before lanes are cheaper: measured, not derived."""
    n_up, n_down = len(arrays.up_supplier), len(arrays.down_slot)
    return np.array([n_up // 40, n_down // 80, n_up // 40], dtype=np.int64) + 300


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
