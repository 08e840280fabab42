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
from withstand.stress.cascade_arrays import Prepared

Array = np.ndarray
MOST_ROUNDS = 1_000_000
CHUNK = 64
"""Failures that a thread of the general kernel draws at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Failures:
    """Losses and rounds of single failures.

    Parameters
    ----------
    loss : ndarray of float64, shape (n_failures, 3)
        Either channel, downstream, upstream.
    rounds : ndarray of int64, shape (n_failures,)
        -1 where the kernel gave up.
    """

    loss: Array
    rounds: Array


def fail_each(
    prepared: Prepared,
    nodes: Array,
    weight: Array,
    eps: float,
    rule: int,
    jobs: int | None,
    progress: Callable[[int, int], None] | None = None,
) -> Failures:
    """Return the losses of single failures by the general kernel."""
    nodes = np.ascontiguousarray(nodes, dtype=np.int64)
    loss, rounds = np.zeros((len(nodes), 3)), np.zeros(len(nodes), np.int64)
    weight = frozen(weight)

    def play(work: kernel.CascadeWork, part: slice) -> None:
        own = frozen(nodes[part])
        kernel.single_failures(
            prepared.arrays, own, weight, eps, rule, MOST_ROUNDS, work, loss[part], rounds[part]
        )

    in_threads(
        len(nodes), CHUNK, jobs, lambda: kernel.new_work(prepared.arrays), play, progress
    )
    return Failures(loss=loss, rounds=rounds)


def in_threads(
    count: int,
    chunk: int,
    jobs: int | None,
    new_work: Callable[[], Any],
    play: Callable[[Any, slice], None],
    progress: Callable[[int, int], None] | None,
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


def frozen(array: Array) -> Array:
    """Return the array contiguous and read-only: one compiled signature per kernel."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
