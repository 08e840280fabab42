"""The two vectors of economic complexity: one eigenproblem on the smaller side of the matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import linalg, sparse
from scipy.sparse import csgraph

Array = np.ndarray

_NO_SECOND = 1e-12  # a second eigenvalue below it is rounding: every place has the same products
_UNDECIDED = 1e-9  # a correlation below it has no sign


class Vectors(NamedTuple):
    """Values of places and products before they are standardised.

    Parameters
    ----------
    places : ndarray of float64, shape (n_places,)
        The mean of `products` over what the place has.
    products : ndarray of float64, shape (n_products,)
        Second eigenvector, of unit length before it is divided by the root of ubiquity.
    eigenvalues : ndarray of float64, shape (3,)
        The largest ones, 1 first; 0 where there are fewer.
    correlation : float
        Of `places` with diversity; NaN where either is constant.
    """

    places: Array
    products: Array
    eigenvalues: Array
    correlation: float


def complexity_vectors(present: Array, weights: Array | None = None) -> Vectors:
    """Return the second eigenvectors of the two averages over the matrix.

    A place is worth the mean of what it has, a product the mean of who has it, up to a factor:

        e_c = sum_p M_cp q_p / k_c,      lambda q_p = sum_c M_cp e_c / k_p.

    With S_cp = M_cp / sqrt(k_c k_p) both are singular vectors of S, e = k_c^(-1/2) u and
    q = k_p^(-1/2) v, from the symmetric eigenproblem of S S' or S' S, whichever is smaller. The
    first pair is constant; the second is taken. The sign: e rises with diversity, and q goes with
    it; where the correlation is 0, the entry of e that is largest in size is positive.

    Parameters
    ----------
    present : ndarray of float64, shape (n_places, n_products), 0 or 1
        In one piece (`components`), without empty rows and columns.
    weights : ndarray of float64, shape (n_products,), optional
        How often each product counts; 1 without it.

    References
    ----------
    Hidalgo & Hausmann (2009), The building blocks of economic complexity, PNAS 106; Hausmann et
    al. (2014), The Atlas of Economic Complexity, technical box 2.1; Mealy, Farmer & Teytelboym
    (2019), Interpreting economic complexity, Science Advances 5, for the symmetric form.

    Examples
    --------
    Two places share one of three products; their eigenvalue is 1/2.

    >>> found = complexity_vectors(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]))
    >>> found.eigenvalues.round(3).tolist(), abs(found.places.round(3)).tolist()
    ([1.0, 0.5, 0.0], [0.354, 0.354])
    """
    times = np.ones(present.shape[1]) if weights is None else weights
    diversity = present @ times
    ubiquity = present.sum(axis=0)
    scaled = present * np.sqrt(times / ubiquity) / np.sqrt(diversity)[:, None]
    is_wide = present.shape[0] <= present.shape[1]
    small = scaled @ scaled.T if is_wide else scaled.T @ scaled
    n = len(small)
    first = max(n - 3, 0)
    values, vectors = linalg.eigh(small, subset_by_index=[first, n - 1])
    eigenvalues = np.zeros(3)
    eigenvalues[: n - first] = values[::-1]
    if n < 2 or eigenvalues[1] < _NO_SECOND:
        nothing = np.zeros(present.shape[0]), np.zeros(present.shape[1])
        return Vectors(*nothing, eigenvalues, np.nan)
    second = vectors[:, -2]
    if is_wide:
        second = scaled.T @ second / np.sqrt(eigenvalues[1])
    # With weights v holds the root of the weight too; a product that is not drawn has no value.
    root = np.sqrt(ubiquity * times)
    products = np.divide(second, root, out=np.zeros_like(second), where=root > 0)
    places = present @ (times * products) / diversity
    sign, correlation = _sign(places, diversity)
    return Vectors(sign * places, sign * products, eigenvalues, sign * correlation)


def _sign(places: Array, diversity: Array) -> tuple[float, float]:
    """Return the sign that lets places rise with diversity, and their correlation before it."""
    a, b = places - places.mean(), diversity - diversity.mean()
    size = np.sqrt((a @ a) * (b @ b))
    correlation = float(a @ b / size) if size > _UNDECIDED else np.nan
    if np.isfinite(correlation) and abs(correlation) > _UNDECIDED:
        return float(np.sign(correlation)), correlation
    # The first of those that are largest up to rounding, so that rounding decides nothing.
    largest = np.flatnonzero(np.abs(places) >= np.abs(places).max() * (1.0 - _UNDECIDED))[0]
    return float(np.sign(places[largest]) or 1.0), correlation


def components(present: Array) -> tuple[Array, Array]:
    """Return the piece of every place and product, when nobody in one has what is in another.

    The pieces are numbered by size, the one with most places first (then most products, then the
    order of places).

    Examples
    --------
    >>> places, products = components(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    >>> places.tolist(), products.tolist()
    ([1, 0, 0], [1, 0])
    """
    m, n = present.shape
    links = sparse.coo_array(present)
    rows, columns = links.coords
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns + m)), shape=(m + n, m + n))
    number, piece = csgraph.connected_components(graph.tocsr(), directed=False)
    size = np.bincount(piece[:m], minlength=number)
    also = np.bincount(piece[m:], minlength=number)
    order = np.lexsort((np.arange(number), -also, -size))
    rank = np.empty(number, dtype=np.int64)
    rank[order] = np.arange(number)
    return rank[piece[:m]], rank[piece[m:]]
