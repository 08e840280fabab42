"""What is asked of single failures, here or on workers elsewhere, each of which lays out once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.stress.bounds import Bounds, bound_failures
from withstand.stress.cascade_arrays import PerNode, forget, prepare
from withstand.stress.failures import Failures, Ready, make_ready, play_failures

if TYPE_CHECKING:
    from withstand.executor import Executor
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Progress = Callable[[int, int], None]
PRELOAD = ("withstand.stress.far_failures",)
SHARES = 8
"""Shares of the failures per worker: one that is lost costs this part of its time."""
SMALLEST = 64
"""Failures in a share, at least."""


@dataclass(kw_only=True, eq=False)
class FailureQuestion:
    """What is asked of every failure, and on a worker what it has laid out.

    Parameters
    ----------
    network : ProductionNetwork
    revenue, costs : array (n_nodes,) or mapping of label to number, or None
    weight : ndarray of float64, shape (n_nodes,)
        Sums to 1.
    eps : float
    rule : int
    n_failures : int
        Of all shares: the kernels are chosen by it.
    tol : float, optional
        Stop rule of certified bounds; none are asked for without it.
    """

    network: ProductionNetwork
    revenue: PerNode | None
    costs: PerNode | None
    weight: Array
    eps: float
    rule: int
    n_failures: int
    tol: float | None = None
    _ready: Ready | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels: not what was laid out."""
        return {**self.__dict__, "_ready": None}

    def play(
        self, nodes: Array, jobs: int | None = 1, progress: Progress | None = None
    ) -> tuple[Failures, Bounds | None]:
        """Let each of the nodes fail alone, in so many threads of this process."""
        if self._ready is None:
            prepared = prepare(self.network, self.revenue, self.costs)
            self._ready = make_ready(prepared, self.n_failures, self.weight, self.eps, self.rule)
            if self._ready.is_fast:  # memory is short while all nodes are played
                del prepared
                forget(self.network)
        found = play_failures(self._ready, nodes, jobs, progress)
        if self.tol is None:
            return found, None
        prepared = prepare(self.network, self.revenue, self.costs)
        how = self.weight, self.tol, self.rule
        return found, bound_failures(prepared, nodes, *how, jobs, progress)


def play_share(shared: FailureQuestion, nodes: Array) -> tuple[Failures, Bounds | None]:
    """Play one share."""
    return shared.play(nodes)


def play_far(
    runner: Executor,
    question: FailureQuestion,
    nodes: Array,
    progress: Progress | None = None,
) -> tuple[Failures, Bounds | None]:
    """Return what `play_failures` and `bound_failures` return, worked out elsewhere.

    What a failure loses does not depend on the others of its share, so the numbers are the same.

    Parameters
    ----------
    runner : Executor
    question : FailureQuestion
    nodes : ndarray of int64, shape (n_failures,)
    progress : callable of (done, all), optional
    """
    count = len(nodes)
    n_shares = SHARES * max(1, getattr(runner, "n_workers", 1))
    n_shares = max(1, min(n_shares, count // SMALLEST))
    order = np.random.default_rng(0).permutation(count)  # shares of like cost
    shares = np.array_split(order, n_shares)
    loss, rounds = np.zeros((count, 3)), np.zeros(count, np.int64)
    low, high = np.zeros(count), np.full(count, np.nan)
    shared = runner.put(question)
    done = 0
    answers = runner.map(play_share, shared, [nodes[own] for own in shares])
    for own, (found, bounds) in zip(shares, answers, strict=True):
        loss[own], rounds[own] = found.loss, found.rounds
        if bounds is not None:
            low[own], high[own] = bounds.low, bounds.high
        done += len(own)
        if progress is not None:
            progress(done, count)
    failures = Failures(loss=loss, rounds=rounds)
    return failures, None if question.tol is None else Bounds(low=low, high=high)
