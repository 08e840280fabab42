"""Shapley shares: what each member of a whole contributes, over all orders of joining it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial

import numpy as np

Array = np.ndarray
MOST_EXACT = 12
"""Members up to which all 2^n sets are gone through."""
FLAT = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapleyShares:
    """What n members contribute.

    Parameters
    ----------
    shares : ndarray of float64, shape (n,)
        They sum to value(all) - value(none).
    errors : ndarray of float64, shape (n,)
        Standard errors; 0 where every set was gone through.
    interactions : ndarray of float64, shape (n, n)
        How much more two members add together than each by itself, over all sets of the others:
        above 0 they complement each other, below 0 each can stand in for the other. Symmetric,
        NaN on the diagonal and for pairs that no order drew.
    interaction_errors : ndarray of float64, shape (n, n)
    is_exact : bool
    orders : int
        Orders drawn; 0 if exact.
    """

    shares: Array
    errors: Array
    interactions: Array
    interaction_errors: Array
    is_exact: bool
    orders: int


def exact_shapley(
    n: int, value: Callable[[int], float], *, is_monotone: bool = True
) -> ShapleyShares:
    """Return the shares from the value of all 2^n sets.

        share_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S))
        I_ij = sum over S without i, j of |S|! (n - |S| - 2)! / (n - 1)! D_ij(S),
        D_ij(S) = v(S + i + j) - v(S + i) - v(S + j) + v(S)

    Parameters
    ----------
    n : int
    value : callable
        Value of a set, given as an integer of bits.
    is_monotone : bool
        Whether a larger set is never worth less: then many values need not be computed.

    References
    ----------
    Shapley (1953), A value for n-person games. Grabisch and Roubens (1999), An axiomatic approach
    to the concept of interaction among players in cooperative games, equation 10.

    Examples
    --------
    Three partners; the first is needed, and either of the others.

    >>> def covers(s):
    ...     return float(bool(s & 1 and s & 6))
    >>> found = exact_shapley(3, covers)
    >>> found.shares.round(4).tolist()
    [0.6667, 0.1667, 0.1667]
    >>> found.interactions.round(2)[0].tolist()
    [nan, 0.5, 0.5]
    >>> found.interactions.round(2)[1].tolist()
    [0.5, nan, -0.5]
    """
    values = all_values(n, value, is_monotone=is_monotone)
    sets = np.arange(1 << n)
    size = np.array([int(s).bit_count() for s in sets])
    weight = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    shares = np.zeros(n)
    pairs = np.full((n, n), np.nan)
    for i in range(n):
        out = sets[(sets >> i & 1) == 0]
        shares[i] = np.sum(weight[size[out]] * (values[out | 1 << i] - values[out]))
        for j in range(i):
            free = out[(out >> j & 1) == 0]
            one, other = 1 << i, 1 << j
            both = values[free | one | other] - values[free | one] - values[free | other]
            times = [factorial(s) * factorial(n - s - 2) / factorial(n - 1) for s in range(n - 1)]
            at = np.array(times)[size[free]]
            pairs[i, j] = pairs[j, i] = np.sum(at * (both + values[free]))
    return ShapleyShares(
        shares=shares,
        errors=np.zeros(n),
        interactions=pairs,
        interaction_errors=np.where(np.isnan(pairs), np.nan, 0.0),
        is_exact=True,
        orders=0,
    )


def all_values(n: int, value: Callable[[int], float], *, is_monotone: bool) -> Array:
    """Return the value of every set: ndarray of float64, shape (2^n,).

    Sizes are gone through from both ends; a set between a smaller and a larger one of the same
    value has that value too.
    """
    low, high = np.full(1 << n, -np.inf), np.full(1 << n, np.inf)
    known = np.zeros(1 << n, dtype=bool)
    size = np.array([s.bit_count() for s in range(1 << n)])
    middle_last = sorted(range(n + 1), key=lambda s: (min(s, n - s), -s))
    for of_size in middle_last:
        if is_monotone:
            _spread(n, low, high)
        for s in np.flatnonzero(size == of_size):
            if not high[s] - low[s] <= FLAT:
                low[s] = high[s] = value(int(s))
            known[s] = True
    settled = np.where(low == high, low, 0.5 * (low + high))
    settled[0], settled[-1] = value(0), value((1 << n) - 1)
    return settled


def _spread(n: int, low: Array, high: Array) -> None:
    """Raise what sets are at least worth to that of their subsets, and lower the most likewise."""
    for i in range(n):
        shape = (-1, 2, 1 << i)
        lows, highs = low.reshape(shape), high.reshape(shape)
        np.maximum(lows[:, 1], lows[:, 0], out=lows[:, 1])
        np.minimum(highs[:, 0], highs[:, 1], out=highs[:, 0])


def sampled_shapley(
    n: int,
    value: Callable[[int], float],
    orders: int,
    rng: np.random.Generator,
    *,
    is_monotone: bool = True,
) -> ShapleyShares:
    """Return the shares over random orders, each taken forwards and backwards.

    Whatever is drawn, the shares sum to value(all) - value(none), for they do in every order.
    Two members that stand side by side in a random order meet a random set of others before them,
    drawn as the interaction index weighs it.

    Parameters
    ----------
    orders : int
        At least 4; an odd number is raised by one.
    rng : numpy Generator

    Notes
    -----
    Standard errors are those of the means of the pairs of orders, which are independent.
    """
    pairs = max(2, (orders + 1) // 2)
    gains = np.zeros((pairs, n))
    total, squares = np.zeros((n, n)), np.zeros((n, n))
    times = np.zeros((n, n))
    for p in range(pairs):
        forwards = rng.permutation(n)
        for order in (forwards, forwards[::-1]):
            prefix = np.concatenate([[0], np.cumsum([1 << int(i) for i in order], dtype=object)])
            at = _along(prefix, value, is_monotone=is_monotone)
            gains[p, order] += 0.5 * np.diff(at)
            for place in range(n - 1):
                i, j = order[place], order[place + 1]
                start, end = at[place], at[place + 2]
                if is_monotone and end - start <= FLAT:
                    found = 0.0
                else:
                    found = end - at[place + 1] - value(int(prefix[place]) | 1 << int(j)) + start
                for a, b in ((i, j), (j, i)):
                    total[a, b] += found
                    squares[a, b] += found * found
                    times[a, b] += 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / times
        spread = np.maximum(squares - times * mean**2, 0.0) / (times - 1.0)
        errors = np.where(times >= 2, np.sqrt(spread / times), np.nan)
    return ShapleyShares(
        shares=gains.mean(axis=0),
        errors=gains.std(axis=0, ddof=1) / np.sqrt(pairs),
        interactions=mean,
        interaction_errors=errors,
        is_exact=False,
        orders=2 * pairs,
    )


def _along(prefix: Array, value: Callable[[int], float], *, is_monotone: bool) -> Array:
    """Return the values of sets that grow; between two that are equal all are."""
    at = np.full(len(prefix), np.nan)
    at[0], at[-1] = value(int(prefix[0])), value(int(prefix[-1]))

    def fill(first: int, last: int) -> None:
        if last - first < 2:
            return
        if is_monotone and at[last] - at[first] <= FLAT:
            at[first + 1 : last] = at[first]
            return
        middle = (first + last) // 2
        at[middle] = value(int(prefix[middle]))
        fill(first, middle)
        fill(middle, last)

    fill(0, len(prefix) - 1)
    return at
