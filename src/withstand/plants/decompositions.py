"""Long lines taken apart: a two-machine line around every buffer, made to agree (DDX)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from withstand.errors import SolverError, UsageError
from withstand.plants.machine_chains import MOST_STATES, chain, count_states, long_run
from withstand.plants.two_machines import TwoMachineLine, checked, solved

Array = np.ndarray
AGREED = 1e-10
ROUNDS = 2_000
FEWEST_PLACES = 2
MOST_QUICK = 20_000
"""States that the chain of four machines and more solves in about a second."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """The long run of a line.

    Parameters
    ----------
    throughput : float, parts per cycle
    levels : ndarray of float64, shape (k - 1,), parts
        Mean in each buffer.
    starved, blocked : ndarray of float64, shape (k,), share of time
        Machine up and without parts, or without room.
    method : str
        How it was found: "exact", "decomposition", "aggregation" or "simulation".
    half_width : float, parts per cycle
        Of the 95 % interval of the throughput; 0 where nothing was drawn.
    """

    throughput: float
    levels: Array
    starved: Array
    blocked: Array
    method: str
    half_width: float = 0.0

    @property
    def bottleneck(self) -> int:
        """Machine that is least starved and blocked together, counted from 0."""
        return int((self.starved + self.blocked).argmin())


def decomposition(r: object, p: object, buffers: object) -> Line:
    """Return the long run of a line of machines that fail, by decomposition.

    Parameters
    ----------
    r, p : sequence of float, shape (k,), per cycle
        Chances of repair and of failure.
    buffers : sequence of int, shape (k - 1,)
        Places between machines, those on the machines counted in.

    Returns
    -------
    Line
        Exact for two machines, an approximation for more: as a rule within 1 % for up to five
        machines; for many equal ones too high (r = .1, p = .01: 2 % for ten, 7 % for fifty).

    Raises
    ------
    UsageError
        If a number cannot be, or a buffer of a line of three or more has a single place: then its
        neighbours wait in turn, which the equations do not see.
    SolverError
        If the two-machine lines do not come to agree.

    Notes
    -----
    Dallery, David and Xie (1988), IIE Transactions 20(3): conservation of flow, flow rate and idle
    time, and resumption of flow, in turn forwards and backwards.

    Examples
    --------
    >>> round(decomposition([.1, .1, .1], [.01, .01, .01], [10, 10]).throughput, 6)
    0.819829
    """
    repair, failure, places = checked(r, p, buffers)
    k = len(repair)
    if k > 2 and places.min() < FEWEST_PLACES:
        raise UsageError(
            f"The decomposition needs {FEWEST_PLACES} places in every buffer, not "
            f"{int(places.min())}; use plants.exact_line or plants.simulate_line."
        )
    tiny = np.maximum(failure, 1e-12)  # a machine that never fails is the limit
    alone = repair / (repair + tiny)
    up_r, up_p = repair[:-1].copy(), tiny[:-1].copy()
    down_r, down_p = repair[1:].copy(), tiny[1:].copy()

    def line(i: int) -> TwoMachineLine:
        return solved(
            np.array([up_r[i], down_r[i]]), np.array([up_p[i], down_p[i]]), int(places[i])
        )

    lines = [line(i) for i in range(k - 1)]
    for _ in range(ROUNDS):
        before = np.array([x.throughput for x in lines])
        for i in range(1, k - 1):
            last = lines[i - 1]
            idle = 1.0 / last.throughput + 1.0 / alone[i] - down_p[i - 1] / down_r[i - 1] - 2.0
            part = min(last.starved / (idle * last.throughput), 1.0)
            up_r[i] = up_r[i - 1] * part + repair[i] * (1.0 - part)
            up_p[i] = min(idle * up_r[i], 1.0)
            lines[i] = line(i)
        for i in range(k - 3, -1, -1):
            following = lines[i + 1]
            idle = 1.0 / following.throughput + 1.0 / alone[i + 1] - up_p[i + 1] / up_r[i + 1] - 2.0
            part = min(following.blocked / (idle * following.throughput), 1.0)
            down_r[i] = down_r[i + 1] * part + repair[i + 1] * (1.0 - part)
            down_p[i] = min(idle * down_r[i], 1.0)
            lines[i] = line(i)
        now = np.array([x.throughput for x in lines])
        if np.abs(now - before).max() < AGREED and np.ptp(now) < 1e-6:
            return _joined(lines, "decomposition" if k > 2 else "exact")
    raise SolverError("The decomposition did not settle; use plants.simulate_line or the chain.")


def exact_line(r: object, p: object, buffers: object) -> Line:
    """Return the exact long run of a short line, by its chain.

    Raises
    ------
    UsageError
        If a number cannot be, or the chain would be too large.

    Examples
    --------
    >>> round(exact_line([.1, .1, .1], [.01, .01, .01], [10, 10]).throughput, 6)
    0.819137
    """
    repair, failure, places = checked(r, p, buffers)
    matrix, level, mode = chain(repair, failure, places)
    share = long_run(matrix, len(repair))
    feed = np.hstack([np.ones((len(level), 1), bool), level > 0])
    room = np.hstack([level < places, np.ones((len(level), 1), bool)])
    busy = feed & room
    up = np.where(mode == 1, 1.0 - failure * busy, repair)
    return Line(
        throughput=float(share @ (up[:, -1] * busy[:, -1])),
        levels=np.asarray(share @ level),
        starved=np.asarray(share @ (mode.astype(bool) & ~feed)),
        blocked=np.asarray(share @ (mode.astype(bool) & ~room)),
        method="exact",
    )


def is_small(n_machines: int, buffers: Array) -> bool:
    """Tell whether the exact chain is solved in about a second."""
    most = MOST_STATES if n_machines <= 3 else MOST_QUICK
    return count_states(n_machines, buffers) <= most


def _joined(lines: list[TwoMachineLine], method: str) -> Line:
    return Line(
        throughput=float(np.mean([x.throughput for x in lines])),
        levels=np.array([x.buffer_level for x in lines]),
        starved=np.array([0.0, *(x.starved for x in lines)]),
        blocked=np.array([*(x.blocked for x in lines), 0.0]),
        method=method,
    )
