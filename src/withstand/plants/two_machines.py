"""Two machines with a buffer between them, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from withstand.errors import UsageError
from withstand.plants.machine_chains import chain, long_run

Array = np.ndarray
SMALLEST_CLOSED_FORM = 4
FEW_PLACES = 100
LEAST_CHANCE = 1e-100  # products of smaller ones vanish


@dataclass(frozen=True, kw_only=True)
class TwoMachineLine:
    """The long run of two machines and a buffer.

    Parameters
    ----------
    throughput : float, parts per cycle
    buffer_level : float, parts
        Mean, the part at the second machine counted in.
    starved, blocked : float, share of time
        Second machine up and without parts; first machine up and without room.
    """

    throughput: float
    buffer_level: float
    starved: float
    blocked: float


def two_machine_line(
    r: tuple[float, float] | Array, p: tuple[float, float] | Array, buffer: int
) -> TwoMachineLine:
    """Return the exact long run of a two-machine line with a finite buffer.

    Parameters
    ----------
    r, p : pair of float, per cycle
        Chances of repair and of failure of the two machines; a machine fails only while it works.
    buffer : int
        Places N between the machines, those on the machines counted in (Gershwin's N).

    Returns
    -------
    TwoMachineLine

    Raises
    ------
    UsageError
        If a chance lies outside 0 to 1, a repair is impossible, or there is no place.

    Notes
    -----
    Gershwin and Schick (1983), Operations Research 31(2): states 2..N-2 have the form
    C X^n Y1^a1 Y2^a2, the boundary has its own; for N below 4 the chain itself is solved. A machine
    that never fails is the limit: the other one alone decides, but for N = 1, where the two can
    never work in the same cycle.

    Examples
    --------
    >>> round(two_machine_line((0.1, 0.1), (0.01, 0.01), 10).throughput, 8)
    0.85617493
    """
    repair, failure, n = checked(r, p, buffer)
    if len(repair) != 2:
        raise UsageError("two_machine_line takes two machines; use decomposition for more.")
    return solved(repair, failure, int(n[0]))


def solved(repair: Array, failure: Array, size: int) -> TwoMachineLine:
    """Return the same for numbers that were checked before."""
    if (failure == 0).any() and size > 1:
        return _without_failure(repair, failure, size)
    fails_for_one_cycle = (failure >= 1) & (repair[::-1] >= 1)  # Y1 or Y2 would be 0 / 0
    if size < SMALLEST_CLOSED_FORM or fails_for_one_cycle.any():
        return _by_chain(repair, failure, size)
    return _closed_form(repair, failure, size)


def checked(r: object, p: object, buffers: object) -> tuple[Array, Array, Array]:
    """Return the parameters of a line as arrays.

    Raises
    ------
    UsageError
        If their numbers do not fit together or cannot be.
    """
    try:
        repair = np.atleast_1d(np.asarray(r, dtype=np.float64))
        failure = np.atleast_1d(np.asarray(p, dtype=np.float64))
        places = np.atleast_1d(np.asarray(buffers, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise UsageError("r, p and buffers must be numbers.") from error
    if max(repair.ndim, failure.ndim, places.ndim) > 1:
        raise UsageError("r, p and buffers must be plain rows of numbers, one for each machine.")
    if repair.shape != failure.shape or len(places) != len(repair) - 1 or len(repair) < 2:
        raise UsageError(
            f"A line of k machines takes k repairs, k failures and k - 1 buffers; "
            f"there are {len(repair)}, {len(failure)} and {len(places)}."
        )
    if not ((repair > 0) & (repair <= 1)).all():
        raise UsageError(f"r must lie above 0 and up to 1 per cycle, not {repair.tolist()}.")
    if not ((failure >= 0) & (failure <= 1)).all():
        raise UsageError(f"p must lie between 0 and 1 per cycle, not {failure.tolist()}.")
    if (repair < LEAST_CHANCE).any() or ((failure > 0) & (failure < LEAST_CHANCE)).any():
        raise UsageError(
            f"r and p must be at least {LEAST_CHANCE:g} per cycle (p may be 0), "
            f"not {repair.tolist()} and {failure.tolist()}."
        )
    if not ((places >= 1) & (places == np.round(places)) & (places < 1e6)).all():
        raise UsageError(f"buffers must be whole numbers of at least 1, not {places.tolist()}.")
    return repair, failure, places.astype(np.int64)


def _without_failure(repair: Array, failure: Array, n: int) -> TwoMachineLine:
    """Return the limit where a machine never fails: nothing but the other one decides."""
    alone = repair / (repair + failure)
    if (failure == 0).all():
        return TwoMachineLine(throughput=1.0, buffer_level=1.0, starved=0.0, blocked=0.0)
    slow = float(alone.min())
    is_first = failure[0] == 0
    return TwoMachineLine(
        throughput=slow,
        buffer_level=n - slow if is_first else slow,
        starved=0.0 if is_first else 1.0 - slow,
        blocked=1.0 - slow if is_first else 0.0,
    )


def _by_chain(repair: Array, failure: Array, n: int) -> TwoMachineLine:
    matrix, level, mode = chain(repair, failure, np.array([n]))
    share = long_run(matrix, 2)
    # what the machines move in a cycle is settled after their states change
    working = (level[:, 0] > 0) * 1.0
    up = np.where(mode[:, 1] == 1, 1.0 - failure[1] * working, repair[1])
    throughput = float(share @ (up * working))
    return TwoMachineLine(
        throughput=throughput,
        buffer_level=float(share @ level[:, 0]),
        starved=float(share @ ((level[:, 0] == 0) & (mode[:, 1] == 1))),
        blocked=float(share @ ((level[:, 0] == n) & (mode[:, 0] == 1))),
    )


def _closed_form(repair: Array, failure: Array, n: int) -> TwoMachineLine:
    (r1, r2), (p1, p2) = repair.tolist(), failure.tolist()
    low, high = r1 + r2 - r1 * r2 - r1 * p2, r1 + r2 - r1 * r2 - p1 * r2
    under_1, under_2 = p1 + p2 - p1 * p2 - p1 * r2, p1 + p2 - p1 * p2 - r1 * p2
    y1, y2 = low / under_1, high / under_2
    first, last, all_inner, inner_level = _powers(math.log(y2 / y1), n)
    at_0 = first * low / (r1 * p2)  # p(0,0,1)
    up_1 = first * (y2 + low / (under_2 * p2))  # p(1,0,1), p(1,1,1)
    at_1 = first + up_1  # and p(1,0,0)
    both_n1 = last * high / (under_1 * p1)  # p(N-1,1,1)
    at_n1 = last * (1.0 + y1) + both_n1  # and p(N-1,0,0), p(N-1,1,0)
    at_n = last * high / (p1 * r2)  # p(N,1,0)
    states = 1.0 + y1 + y2 + y1 * y2
    mass = all_inner * states + at_0 + at_1 + at_n1 + at_n
    working = all_inner * (y2 + y1 * y2) + up_1 + both_n1
    level = inner_level * states + at_1 + (n - 1) * at_n1 + n * at_n
    return TwoMachineLine(
        throughput=working / mass,
        buffer_level=level / mass,
        starved=at_0 / mass,
        blocked=at_n / mass,
    )


def _powers(log_x: float, n: int) -> tuple[float, float, float, float]:
    """Return X, X^(n-1), and the sums of X^k and of k X^k for k = 2..n-2, over the largest power.

    Short sums are quicker in plain numbers: a decomposition asks for thousands of them.
    """
    shift = max(0.0, log_x) * (n - 1)  # against overflow
    first, last = math.exp(log_x - shift), math.exp(log_x * (n - 1) - shift)
    if n <= FEW_PLACES:
        inner = [math.exp(k * log_x - shift) for k in range(2, n - 1)]
        return first, last, sum(inner), sum(k * x for k, x in enumerate(inner, start=2))
    numbers = np.arange(2, n - 1)
    powers = np.exp(numbers * log_x - shift)
    return first, last, float(powers.sum()), float(numbers @ powers)
