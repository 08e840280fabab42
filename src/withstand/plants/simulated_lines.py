"""A line played cycle by cycle, with an interval that says how sure the throughput is."""

from __future__ import annotations

import numpy as np

from withstand.errors import UsageError
from withstand.kernels.line_cycles import run_line
from withstand.plants.decompositions import Line
from withstand.plants.two_machines import checked

Array = np.ndarray
BATCHES = 50
T_OF_49 = 2.0095752371292397
"""97.5 % quantile of Student's t with 49 degrees of freedom."""


def simulate_line(
    r: object, p: object, buffers: object, *, cycles: int = 1_000_000, seed: int = 0
) -> Line:
    """Play a line of machines that fail, and return its throughput with a 95 % interval.

    Parameters
    ----------
    r, p, buffers
        As in `decomposition`.
    cycles : int
        At least 1,000; a tenth more is played first and left out.
    seed : int

    Returns
    -------
    Line
        `half_width` from 50 batch means and Student's t.

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
    repair, failure, places = checked(r, p, buffers)
    if not 1_000 <= cycles <= 10**9:
        raise UsageError(f"cycles must be from 1,000 to a thousand million, not {cycles}.")
    k = len(repair)
    random = np.random.default_rng(seed)
    up, level = np.ones(k, np.int64), np.zeros(k - 1, np.int64)
    length = cycles // BATCHES
    waste = [np.zeros(n, np.int64) for n in (k, k, k, k - 1)]
    _play(random, cycles // 10, (repair, failure, places), (up, level), waste)
    starved, blocked = np.zeros(k), np.zeros(k)
    in_buffer = np.zeros(k - 1)
    rates = np.empty(BATCHES)
    for batch in range(BATCHES):
        counts = [np.zeros(n, np.int64) for n in (k, k, k, k - 1)]
        _play(random, length, (repair, failure, places), (up, level), counts)
        rates[batch] = counts[0][-1] / length
        starved += counts[1]
        blocked += counts[2]
        in_buffer += counts[3]
    played = length * BATCHES
    return Line(
        throughput=float(rates.mean()),
        levels=in_buffer / played,
        starved=starved / played,
        blocked=blocked / played,
        method="simulation",
        half_width=float(T_OF_49 * rates.std(ddof=1) / np.sqrt(BATCHES)),
    )


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
