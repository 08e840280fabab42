"""Where demand for work goes: a sigmoid in time, and a shift between occupations by machines."""

from __future__ import annotations

import numpy as np

from withstand.errors import UsageError

Array = np.ndarray


def demand_path(
    before: Array, after: Array, periods: int, *, halfway: float, speed: float
) -> Array:
    """Return a target that moves from one demand to another along a sigmoid.

        D(t) = before + (after - before) / (1 + exp(-speed (t - halfway)))

    Parameters
    ----------
    before, after : ndarray of float64, shape (n,), jobs
    periods : int
    halfway : float, periods
        When half the way is done.
    speed : float, per period
        4 / speed periods is about how long the steep part takes.

    Returns
    -------
    ndarray of float64, shape (periods, n), jobs

    Examples
    --------
    >>> demand_path(np.array([10.0]), np.array([20.0]), 3, halfway=1.0, speed=2.0).round(2).tolist()
    [[11.19], [15.0], [18.81]]
    """
    if periods < 1 or not 0 < speed < np.inf or not np.isfinite(halfway):
        raise UsageError(
            f"periods = {periods}, speed = {speed}: both must be above 0; halfway = {halfway}: "
            "must be finite."
        )
    start, end = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if start.shape != end.shape or start.ndim != 1:
        raise UsageError(
            f"before has shape {start.shape}, after {end.shape}: give one row of each."
        )
    if not ((start >= 0) & (end >= 0) & np.isfinite(start + end)).all():
        raise UsageError("before and after must be jobs of at least 0, and known everywhere.")
    done = 0.5 * (1.0 + np.tanh(speed * (np.arange(periods) - halfway) / 2.0))
    return start + (end - start) * done[:, None]


def reallocated_demand(employed: Array, automated: Array) -> Array:
    """Return demand after some work is done by machines and the rest is shared out anew.

        D_i = h_i sum(employed) / sum(h),  h_i = employed_i (1 - automated_i):

    hours fall where machines take over, and everybody works as many hours less, so that demand
    moves between occupations but not in all (del Rio-Chanona et al. 2021).

    Parameters
    ----------
    employed : ndarray of float64, shape (n,), people
    automated : ndarray of float64, shape (n,), 0 to 1
        Share of the hours that machines take over.

    Returns
    -------
    ndarray of float64, shape (n,), jobs

    Examples
    --------
    >>> reallocated_demand(np.array([100.0, 100.0]), np.array([0.5, 0.0])).round(2).tolist()
    [66.67, 133.33]
    """
    people, share = np.asarray(employed, dtype=np.float64), np.asarray(automated, dtype=np.float64)
    is_people = (people >= 0) & np.isfinite(people)
    is_share = (share >= 0) & (share <= 1)
    if people.shape != share.shape or not is_people.all() or not is_share.all():
        raise UsageError(
            "employed must be at least 0 and automated 0 to 1, one for each occupation."
        )
    hours = people * (1.0 - share)
    if hours.sum() <= 0:
        raise UsageError("Machines take over every hour: there is no demand left to share out.")
    return hours * people.sum() / hours.sum()
