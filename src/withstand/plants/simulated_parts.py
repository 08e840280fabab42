"""A line whose machines have cycles of their own, played part by part."""

from __future__ import annotations

from typing import Any

import numpy as np

from withstand.errors import UsageError
from withstand.executor import executor
from withstand.kernels.line_parts import run_parts
from withstand.plants.decompositions import Line
from withstand.plants.number_checks import whole
from withstand.plants.simulated_lines import BATCHES, MOST_RUNS, MOST_SEED, t_quantile
from withstand.plants.two_machines import checked

Array = np.ndarray
PIECE = 50_000


def simulate_parts(
    r: object,
    p: object,
    buffers: object,
    cycle_seconds: object,
    *,
    parts: int = 1_000_000,
    seed: int = 0,
    runs: int = 1,
    jobs: int | None = None,
) -> Line:
    """Play a line whose machines differ in their cycles, and return its throughput.

    A part takes one cycle of the machine, or with chance p one more than a geometric number of
    cycles of mean 1 / r. Where all cycles are the same, this is the line of `simulate_line`.

    Parameters
    ----------
    r, p : sequence of float, shape (k,), per cycle of the machine
    buffers : sequence of int, shape (k - 1,)
        Places between machines, those on the machines counted in.
    cycle_seconds : sequence of float, shape (k,)
    parts : int
        Of each run, at least 1,000; a tenth more is played first and left out.
    seed, runs, jobs
        As in `simulate_line`.

    Returns
    -------
    Line
        Throughput in parts per shortest cycle; `half_width` from 50 batch means a run.

    Raises
    ------
    UsageError
        If a number cannot be.

    Examples
    --------
    The slower of two machines that never fail decides: 60 / 90 parts in a cycle of 60 s.

    >>> round(simulate_parts([1, 1], [0, 0], [2], [60, 90], parts=1_000).throughput, 6)
    0.666667
    """
    repair, failure, places = checked(r, p, buffers)
    try:
        cycles = np.asarray(cycle_seconds, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError("cycle_seconds must be a number above 0 for each machine.") from error
    if cycles.shape != repair.shape or not ((cycles > 0) & np.isfinite(cycles)).all():
        raise UsageError("cycle_seconds must be a number above 0 for each machine.")
    parts = whole("parts", parts, low=1_000, high=10**9)
    runs = whole("runs", runs, low=1, high=MOST_RUNS)
    seed = whole("seed", seed, high=MOST_SEED)
    seeds = [seed] if runs == 1 else np.random.SeedSequence(seed).spawn(runs)
    workers = executor(jobs if runs > 1 else 1)
    try:
        shared = workers.put(((repair, failure, places, cycles), parts))
        found = list(workers.map(_run, shared, seeds))
    finally:
        workers.close()
    shortest = float(cycles.min())
    rates = np.concatenate([f[0] for f in found]) * shortest
    starved, blocked, levels = (np.mean([f[i] for f in found], axis=0) for i in (1, 2, 3))
    return Line(
        throughput=float(rates.mean()),
        levels=levels,
        starved=starved,
        blocked=blocked,
        method="simulation",
        half_width=float(t_quantile(len(rates) - 1) * rates.std(ddof=1) / np.sqrt(len(rates))),
    )


def _run(shared: tuple[tuple[Array, ...], int], seed: Any) -> tuple[Array, ...]:
    """Return parts per second by batch, shares of time starved and blocked, and mean levels."""
    line, parts = shared
    repair, failure, places, cycles = (np.array(x) for x in line)  # workers hold them read-only
    k = len(repair)
    random = np.random.default_rng(seed)
    done = np.zeros((int(places.max()) + 2, k))
    number = 0

    def play(n: int) -> tuple[float, list[Array]]:
        nonlocal number
        sums = [np.zeros(k), np.zeros(k), np.zeros(k - 1)]
        start = done[(number - 1) % len(done), -1]
        for at in range(0, n, PIECE):
            size = min(PIECE, n - at)
            fails = random.random((size, k)) < failure
            lost = _geometric(random.random((size, k)), repair)
            run_parts(cycles * (1.0 + fails * lost), places, done, number, *sums)
            number += size
        return done[(number - 1) % len(done), -1] - start, sums

    play(parts // 10)
    length = parts // BATCHES
    rates = np.empty(BATCHES)
    totals = [np.zeros(k), np.zeros(k), np.zeros(k - 1)]
    seconds = 0.0
    for batch in range(BATCHES):
        took, sums = play(length)
        seconds += took
        rates[batch] = length / took
        for total, found in zip(totals, sums, strict=True):
            total += found
    return rates, *(total / seconds for total in totals)


def _geometric(uniform: Array, chance: Array) -> Array:
    """Return geometric numbers (1, 2 ...), one for each uniform one: lines stay comparable."""
    with np.errstate(divide="ignore"):  # a chance of 1 gives 1 always
        return np.maximum(np.ceil(np.log1p(-uniform) / np.log1p(-chance)), 1.0)
