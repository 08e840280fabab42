"""A line played cycle by cycle, with an interval that says how sure the throughput is."""

from __future__ import annotations

from typing import Any

import numpy as np

from withstand.executor import executor
from withstand.kernels.line_cycles import run_line
from withstand.plants.decompositions import Line
from withstand.plants.number_checks import whole
from withstand.plants.two_machines import checked

Array = np.ndarray
BATCHES = 50
MOST_RUNS = 10_000
MOST_SEED = 2**63 - 1


def simulate_line(
    r: object,
    p: object,
    buffers: object,
    *,
    cycles: int = 1_000_000,
    seed: int = 0,
    runs: int = 1,
    jobs: int | None = None,
) -> Line:
    """Play a line of machines that fail, and return its throughput with a 95 % interval.

    Parameters
    ----------
    r, p, buffers
        As in `decomposition`.
    cycles : int
        Of each run, at least 1,000; a tenth more is played first and left out.
    seed : int
    runs : int
        Independent runs, each with a seed of its own that follows from `seed`.
    jobs : int, optional
        Workers for the runs; the answer is the same for any number.

    Returns
    -------
    Line
        `half_width` from 50 batch means a run and Student's t.

    Raises
    ------
    UsageError
        If a number cannot be.

    Examples
    --------
    >>> line = simulate_line([.1, .1, .1], [.01, .01, .01], [10, 10], cycles=100_000)
    >>> abs(line.throughput - 0.819137) < 3 * line.half_width
    True
    """
    line = checked(r, p, buffers)
    cycles = whole("cycles", cycles, low=1_000, high=10**9)
    runs = whole("runs", runs, low=1, high=MOST_RUNS)
    seed = whole("seed", seed, high=MOST_SEED)
    seeds = [seed] if runs == 1 else np.random.SeedSequence(seed).spawn(runs)
    workers = executor(jobs if runs > 1 else 1)
    try:
        parts = list(workers.map(_run, workers.put((line, cycles)), seeds))
    finally:
        workers.close()
    rates = np.concatenate([part[0] for part in parts])
    starved, blocked, levels = (np.mean([part[i] for part in parts], axis=0) for i in (1, 2, 3))
    return Line(
        throughput=float(rates.mean()),
        levels=levels,
        starved=starved,
        blocked=blocked,
        method="simulation",
        half_width=float(t_quantile(len(rates) - 1) * rates.std(ddof=1) / np.sqrt(len(rates))),
    )


def _run(shared: tuple[tuple[Array, Array, Array], int], seed: Any) -> tuple[Array, ...]:
    """Return throughput by batch, shares of time starved and blocked, and mean levels of a run."""
    line, cycles = shared
    repair, failure, places = (np.array(x) for x in line)  # workers hold them read-only
    k = len(repair)
    random = np.random.default_rng(seed)
    up, level = np.ones(k, np.int64), np.zeros(k - 1, np.int64)
    length = cycles // BATCHES
    waste = [np.zeros(n, np.int64) for n in (k, k, k, k - 1)]
    _play(random, cycles // 10, (repair, failure, places), (up, level), waste)
    sums = [np.zeros(n, np.int64) for n in (k, k, k - 1)]
    rates = np.empty(BATCHES)
    for batch in range(BATCHES):
        counts = [np.zeros(n, np.int64) for n in (k, k, k, k - 1)]
        _play(random, length, (repair, failure, places), (up, level), counts)
        rates[batch] = counts[0][-1] / length
        for total, found in zip(sums, counts[1:], strict=True):
            total += found
    return rates, *(total / (length * BATCHES) for total in sums)


def t_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _play(
    random: np.random.Generator,
    cycles: int,
    line: tuple[Array, Array, Array],
    state: tuple[Array, Array],
    counts: list[Array],
) -> None:
    """Play cycles in pieces, so that random numbers take little memory."""
    piece = 50_000
    for start in range(0, cycles, piece):
        n = min(piece, cycles - start)
        run_line(*line, random.random((n, len(line[0]))), *state, *counts)
