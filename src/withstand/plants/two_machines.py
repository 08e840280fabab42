"""Two machines with a buffer between them, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from withstand.errors import UsageError
from withstand.plants.machine_chains import chain, long_run

Array = np.ndarray
SMALLEST_CLOSED_FORM = 4


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
    that never fails is the limit: the other one alone decides.

    Examples
    --------
    >>> round(two_machine_line((0.1, 0.1), (0.01, 0.01), 10).throughput, 8)
    0.85617493
    """
    repair, failure, n = checked(r, p, [buffer])
    if len(repair) != 2:
        raise UsageError("two_machine_line takes two machines; use decomposition for more.")
    size = int(n[0])
    if (failure == 0).any():
        return _without_failure(repair, failure, size)
    if size < SMALLEST_CLOSED_FORM or (failure >= 1).any() or (repair >= 1).any():
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
    if repair.shape != failure.shape or len(places) != len(repair) - 1 or len(repair) < 2:
        raise UsageError(
            f"A line of k machines takes k repairs, k failures and k - 1 buffers; "
            f"there are {len(repair)}, {len(failure)} and {len(places)}."
        )
    if not ((repair > 0) & (repair <= 1)).all():
        raise UsageError(f"r must lie above 0 and up to 1 per cycle, not {repair.tolist()}.")
    if not ((failure >= 0) & (failure <= 1)).all():
        raise UsageError(f"p must lie between 0 and 1 per cycle, not {failure.tolist()}.")
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
    share = long_run(matrix)
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
    (r1, r2), (p1, p2) = repair, failure
    low, high = r1 + r2 - r1 * r2 - r1 * p2, r1 + r2 - r1 * r2 - p1 * r2
    under_1, under_2 = p1 + p2 - p1 * p2 - p1 * r2, p1 + p2 - p1 * p2 - r1 * p2
    y1, y2 = low / under_1, high / under_2
    x = y2 / y1
    scale = max(1.0, x) ** (n - 1)  # powers relative to the largest, against overflow

    def power(k: Array | float) -> Array | float:
        return np.exp(np.asarray(k) * np.log(x) - np.log(scale))

    inner = np.arange(2, n - 1)
    total = power(inner) * (1.0 + y1 + y2 + y1 * y2)
    ups = power(inner) * (y2 + y1 * y2)
    at_0 = power(1) * low / (r1 * p2)  # p(0,0,1)
    at_1 = power(1) * np.array([1.0, y2, low / (under_2 * p2)])  # p(1,0,0), p(1,0,1), p(1,1,1)
    at_n1 = power(n - 1) * np.array(
        [1.0, y1, high / (under_1 * p1)]
    )  # p(N-1,0,0), (N-1,1,0), (N-1,1,1)
    at_n = power(n - 1) * high / (p1 * r2)  # p(N,1,0)
    mass = float(total.sum() + at_0 + at_1.sum() + at_n1.sum() + at_n)
    working = float(ups.sum() + at_1[1] + at_1[2] + at_n1[2])
    level = float(inner @ total + at_1.sum() + (n - 1) * at_n1.sum() + n * at_n)
    return TwoMachineLine(
        throughput=working / mass,
        buffer_level=level / mass,
        starved=float(at_0) / mass,
        blocked=float(at_n) / mass,
    )
