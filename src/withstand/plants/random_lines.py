"""Lines of unreliable steps without failures that last: Bernoulli and exponential."""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse

from withstand.errors import SolverError, UsageError
from withstand.plants.decompositions import Line
from withstand.plants.machine_chains import balanced

Array = np.ndarray
MOST_STATES = 60_000
ROUNDS = 100_000
LARGEST_LOG = 700.0  # exp of more is no number


def bernoulli_line(p: object, buffers: object) -> Line:
    """Return the long run of a line whose machines work in each cycle with some chance.

    A machine that is blocked does not try (blocking before service).

    Parameters
    ----------
    p : sequence of float, shape (k,), above 0 to 1
        Chance that a machine makes a part in a cycle.
    buffers : sequence of int, shape (k - 1,)
        Places between machines.

    Returns
    -------
    Line
        Exact for two machines; for more, the aggregation of Li and Meerkov (2009), chapter 4.

    Raises
    ------
    UsageError
        If a number cannot be.

    Examples
    --------
    >>> [round(bernoulli_line([.9, .9], [n]).throughput, 6) for n in (1, 2, 5)]
    [0.818182, 0.857143, 0.882353]
    """
    chance, places = _checked(p, buffers)
    if not (chance <= 1).all():
        raise UsageError(f"p must lie above 0 and up to 1, not {chance.tolist()}.")
    k = len(chance)
    forward, backward = chance.copy(), chance.copy()
    for _ in range(ROUNDS):
        before = forward.copy()
        for i in range(k - 2, -1, -1):
            backward[i] = chance[i] * (1 - _idle(backward[i + 1], forward[i], places[i]))
        for i in range(1, k):
            forward[i] = chance[i] * (1 - _idle(forward[i - 1], backward[i], places[i - 1]))
        if np.abs(forward - before).max() < 1e-13:
            break
    else:
        raise SolverError("The aggregation of the Bernoulli line did not settle.")
    starved = np.zeros(k)
    blocked = np.zeros(k)
    levels = np.zeros(k - 1)
    for i in range(k - 1):
        share = _levels(forward[i], backward[i + 1], int(places[i]))
        levels[i] = float(np.arange(len(share)) @ share)
        starved[i + 1] = chance[i + 1] * share[0]
        blocked[i] = chance[i] * share[-1] * (1 - backward[i + 1])
    return Line(
        throughput=float(forward[-1]),
        levels=levels,
        starved=starved,
        blocked=blocked,
        method="exact" if k <= 2 else "aggregation",
    )


def _idle(p1: float, p2: float, n: float) -> float:
    """Return the share of time a buffer between p1 and p2 is empty (or full, by symmetry).

    One over the sum of a geometric series, without a difference of near numbers: in a long line
    the two chances come ever closer to each other.
    """
    drain = p2 * (1 - p1)
    if drain <= 0:  # the first one never misses
        return 0.0
    if p2 >= 1:
        return float(1 - p1)
    step = _log_ratio(p1, p2)
    if n * step > LARGEST_LOG:
        return 0.0
    terms = n if step == 0 else math.expm1(n * step) / math.expm1(step)
    return float(1 / (1 + p1 / drain * terms))


def _log_ratio(p1: float, p2: float) -> float:
    """Return the log of p1 (1 - p2) / (p2 (1 - p1)), exact where the two are nearly the same."""
    above = (p1 - p2) / (p2 * (1 - p1))
    if abs(above) < 0.5:
        return math.log1p(above)
    return math.log(p1) + math.log1p(-p2) - math.log(p2) - math.log1p(-p1)


def _levels(p1: float, p2: float, n: int) -> Array:
    """Return the long-run share of time with 0..n parts between two Bernoulli machines."""
    drain = p2 * (1 - p1)
    if drain <= 0:  # the first one never misses: full but for what leaves
        return np.eye(n + 1)[n]
    if p2 >= 1:  # what comes leaves in the next cycle
        share = np.zeros(n + 1)
        share[:2] = 1 - p1, p1
        return share
    height = np.arange(n) * _log_ratio(p1, p2) + math.log(p1 / drain)
    height = np.append(0.0, height)  # an empty buffer gives nothing to the second
    share = np.exp(height - height.max())
    return np.asarray(share / share.sum())


def exponential_line(rates: object, buffers: object | None = None) -> Line:
    """Return the exact long run of a saturated line with exponential times, blocked after service.

    Parameters
    ----------
    rates : sequence of float, shape (k,), parts per unit of time
    buffers : sequence of int, shape (k - 1,), optional
        Places between stations, those in the stations left out; default: none.

    Returns
    -------
    Line
        `throughput` in parts per unit of time, `starved` and `blocked` as shares of time.

    Raises
    ------
    UsageError
        If a number cannot be, or the chain would be too large.

    Examples
    --------
    >>> [round(exponential_line([1.0] * k).throughput, 4) for k in (2, 3, 4)]
    [0.6667, 0.5641, 0.5148]
    """
    rate, between = _checked(rates, buffers, least=0)
    k = len(rate)
    between = between.astype(np.int64)
    # state: for each place between stations, the parts done before it and not done after it
    n_states = float(np.prod(between + 3.0))
    if n_states > MOST_STATES:
        raise UsageError(
            f"The chain would have {n_states:,.0f} states; the most is {MOST_STATES:,}."
        )
    place: dict[tuple[int, ...], int] = {(0,) * (k - 1): 0}
    states = list(place)
    rows, columns, values = [], [], []
    for i, state in enumerate(states):  # grows as states are reached
        shut = _blocked(state, between)
        for m in range(k):
            if shut[m] or (m > 0 and state[m - 1] == 0):
                continue
            after = list(state)
            if m < k - 1:
                after[m] += 1
            if m > 0:
                after[m - 1] -= 1
            key = tuple(after)
            if key not in place:
                place[key] = len(states)
                states.append(key)
            rows += [i, i]
            columns += [place[key], i]
            values += [rate[m], -rate[m]]
    size = len(states)
    rates_between = sparse.csr_array((values, (rows, columns)), shape=(size, size))
    fastest = 2.0 * float(rate.sum())  # above what leaves any state
    share = balanced(sparse.csr_array(sparse.eye_array(size) + rates_between / fastest))
    is_shut = np.array([_blocked(s, between) for s in states], dtype=float)
    has_part = np.array([[True, *(n > 0 for n in s)] for s in states])
    inside = [
        [max(0, min(n - (not x), int(b))) for n, x, b in zip(s, shut[1:], between, strict=True)]
        for s, shut in zip(states, is_shut, strict=True)
    ]
    level = np.array(inside, dtype=np.float64).reshape(len(states), k - 1)
    use = share @ (has_part & (is_shut == 0))
    return Line(
        throughput=float(rate[-1] * use[-1]),
        levels=np.asarray(share @ level) if k > 1 else np.empty(0),
        starved=share @ (~has_part & (is_shut == 0)),
        blocked=share @ is_shut,
        method="exact",
    )


def _blocked(state: tuple[int, ...], between: Array) -> list[bool]:
    """Tell which stations hold a part that is done and has no room behind them.

    Behind station m there are its buffer and the next station, unless that is blocked itself; one
    part more than that stands on station m.
    """
    shut = [False] * (len(state) + 1)
    for m in range(len(state) - 1, -1, -1):
        shut[m] = state[m] == between[m] + 2 - shut[m + 1]
    return shut


def _checked(values: object, buffers: object | None, least: int = 1) -> tuple[Array, Array]:
    try:
        chance = np.atleast_1d(np.asarray(values, dtype=np.float64))
        none = np.zeros(max(0, chance.size - 1))
        places = none if buffers is None else np.atleast_1d(np.asarray(buffers, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise UsageError("rates and buffers must be numbers.") from error
    if chance.ndim > 1 or places.ndim > 1:
        raise UsageError("rates and buffers must be plain rows of numbers.")
    if len(places) != len(chance) - 1 or len(chance) < 1:
        raise UsageError(
            f"A line of k stations takes k - 1 buffers; there are {len(chance)} and {len(places)}."
        )
    if not ((chance > 0) & np.isfinite(chance)).all():
        raise UsageError(f"rates and chances must be above 0, not {chance.tolist()}.")
    if not ((places >= least) & (places == np.round(places)) & (places < 1e6)).all():
        raise UsageError(f"buffers must be whole numbers of at least {least}.")
    return chance, places
