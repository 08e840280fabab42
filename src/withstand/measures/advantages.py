"""Revealed comparative advantage: what a place has more of than the whole."""

from __future__ import annotations

import numpy as np

Array = np.ndarray

_ROUNDING = 1e-12  # a quotient this close to the threshold is at it, whatever the rounding


def comparative_advantage(values: Array) -> Array:
    """Return the share of a product in its place, over its share in the whole.

        RCA_cp = (x_cp / x_c) / (x_p / x)

    Parameters
    ----------
    values : ndarray of float64, shape (n_places, n_products), 0 or more
        No row and no column may sum to 0.

    References
    ----------
    Balassa (1965), Trade liberalisation and "revealed" comparative advantage, The Manchester
    School 33.

    Examples
    --------
    Half of the first place is gears, a quarter of the whole.

    >>> comparative_advantage(np.array([[2.0, 2.0], [0.0, 4.0]])).round(3).tolist()
    [[2.0, 0.667], [0.0, 1.333]]
    """
    of_place = values / values.sum(axis=1)[:, None]
    of_whole = values.sum(axis=0) / values.sum()
    return of_place / of_whole


def is_present(rca: Array, threshold: float, *, at_it: bool = True) -> Array:
    """Return which quotients are above the threshold, or at it too; ties are ties up to rounding.

    Examples
    --------
    >>> exact = np.array([1.0 - 1e-14, 1.0, 1.0 + 1e-14, 1.1])
    >>> is_present(exact, 1.0).tolist(), is_present(exact, 1.0, at_it=False).tolist()
    ([True, True, True, True], [False, False, False, True])
    """
    if at_it:
        return rca >= threshold * (1.0 - _ROUNDING)
    return rca > threshold * (1.0 + _ROUNDING)
