"""Standings among candidates, their weighted means, and who is not beaten in every respect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

Array = np.ndarray
DIGITS = 12  # of the largest value: numbers that differ less are ties
TIES = 1e-12  # group means closer than this are equal: sums of the same fractions in another order


def standing(values: Array) -> Array:
    """Return the place of each value among those known, from 0 (least) to 1 (most).

        (rank - 1/2) / number known,  ties share the middle; NaN stays NaN.

    Examples
    --------
    >>> standing(np.array([5.0, 1.0, np.nan, 5.0])).round(3).tolist()
    [0.667, 0.167, nan, 0.667]
    """
    found = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    own = _rounded(values[known])
    ordered = np.sort(own)
    below = np.searchsorted(ordered, own, side="left")
    upto = np.searchsorted(ordered, own, side="right")
    found[known] = 0.5 * (below + upto) / max(len(known), 1)
    return found


def _rounded(values: Array) -> Array:
    """Return values without their last digits, so that sums in another order are ties."""
    size = np.abs(values).max(initial=0.0)
    return np.round(values / size, DIGITS) if size > 0 else values


class Scores(NamedTuple):
    """Groups (n, g), and score, low, high (n,); NaN where a whole group is not known."""

    groups: Array
    score: Array
    low: Array
    high: Array


def scores(
    standings: Mapping[str, Array],
    groups: Mapping[str, tuple[str, ...]],
    weights: Mapping[str, float],
) -> Scores:
    """Return the weighted mean of standings within each group, and of the groups.

    Within a group the mean is over what is known of the candidate. `low` and `high` are the score
    if what is not known stood last, or first.

    Parameters
    ----------
    standings : mapping of str to ndarray of float64, shape (n,)
        By factor; NaN where not known.
    groups : mapping of str to tuple of str
        Group to its factors, those of weight 0 left out.
    weights : mapping of str to float
        Of factors, and of groups.

    Examples
    --------
    >>> one = {"a": np.array([1.0, 0.0]), "b": np.array([0.5, np.nan])}
    >>> found = scores(one, {"g": ("a", "b")}, {"a": 1.0, "b": 1.0, "g": 1.0})
    >>> found.score.tolist(), found.low.tolist(), found.high.tolist()
    ([0.75, 0.0], [0.75, 0.0], [0.75, 0.5])
    """
    n = len(next(iter(standings.values()))) if standings else 0
    mean, low, high = (np.zeros((n, len(groups))) for _ in range(3))
    for g, names in enumerate(groups.values()):
        table = np.array([standings[x] for x in names]).reshape(len(names), n)
        weight = np.array([weights[x] for x in names])[:, None]
        known = ~np.isnan(table)
        have = (weight * known).sum(axis=0)
        got = (weight * np.where(known, table, 0.0)).sum(axis=0)
        mean[:, g] = np.where(have > 0, got / np.where(have > 0, have, 1.0), np.nan)
        low[:, g] = got / weight.sum()
        high[:, g] = (got + (weight * ~known).sum(axis=0)) / weight.sum()
    of_group = np.array([weights[g] for g in groups])
    share = of_group / of_group.sum()
    return Scores(mean, mean @ share, low @ share, high @ share)


def front(groups: Array) -> tuple[Array, Array]:
    """Tell who is beaten by nobody: as good in every group and better in one.

    Parameters
    ----------
    groups : ndarray of float64, shape (n, g)
        Higher is better. A row with NaN is beaten by nobody and beats nobody.

    Returns
    -------
    ndarray of bool, shape (n,)
        Rows that are known and beaten by nobody.
    ndarray of int64, shape (n,)
        The row that beats each by most in sum, -1 where none does.

    Examples
    --------
    >>> on_front, by = front(np.array([[1.0, 0.0], [0.5, 0.5], [0.4, 0.5], [np.nan, 1.0]]))
    >>> on_front.tolist(), by.tolist()
    ([True, True, False, False], [-1, -1, 1, -1])
    """
    n = len(groups)
    known = ~np.isnan(groups).any(axis=1)
    by = np.full(n, -1, dtype=np.int64)
    total = groups.sum(axis=1)
    for i in np.flatnonzero(known):
        gap = groups[known] - groups[i]
        beats = (gap >= -TIES).all(axis=1) & (gap > TIES).any(axis=1)
        if beats.any():
            better = np.flatnonzero(known)[beats]
            by[i] = better[int(np.argmax(total[better]))]
    return known & (by < 0), by
