"""Proximity: how often the places that have the one thing have the other too."""

from __future__ import annotations

import numpy as np

Array = np.ndarray

_ROWS = 512  # so many rows are divided at a time, so that no second large array is needed


def colocation(present: Array) -> Array:
    """Return the smaller of the two chances that a place with the one has the other too.

        phi_ij = places with i and j / max(places with i, places with j)

    0 where nobody has the one or the other.

    Parameters
    ----------
    present : ndarray of float64, shape (n_places, n_products), 0 or 1

    Returns
    -------
    ndarray of float64, shape (n_products, n_products), 0 to 1
        Symmetric, 1 on the diagonal for what somebody has.

    References
    ----------
    Hidalgo, Klinger, Barabasi & Hausmann (2007), The product space conditions the development of
    nations, Science 317.

    Examples
    --------
    Two places have the first, one of them the second too.

    >>> colocation(np.array([[1.0, 1.0], [1.0, 0.0]])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    phi = present.T @ present
    alone = np.maximum(np.diag(phi), 1.0)
    for first in range(0, len(alone), _ROWS):
        rows = slice(first, first + _ROWS)
        phi[rows] /= np.maximum(alone[rows, None], alone[None, :])
    return phi
