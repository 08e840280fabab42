"""The Leiden method: communities of a directed, weighted graph that hang together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

Array = np.ndarray
_ROUNDS = 20
_IMPROVED, _IMPROVED_LARGE, _LARGE = 1e-10, 1e-4, 200_000
"""Gain in modularity for which all is gone over once more: in large graphs (so many links) less is
below what seeds differ by."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """A graph as the kernels read it.

    Parameters
    ----------
    indptr, indices : ndarray of int64
    weights : ndarray of float64
        W = A + A', without what a node sends to itself.
    sent, taken : ndarray of float64, shape (n,)
        Row and column sums of A.
    total : float
        Sum of A.
    """

    indptr: Array
    indices: Array
    weights: Array
    sent: Array
    taken: Array
    total: float


def graph_of(links: sparse.csr_array, *, directed: bool = True) -> Graph:
    """Return the graph of a matrix of links, what nodes send to themselves left out.

    Parameters
    ----------
    links : scipy sparse array, shape (n, n), 0 or more
        The row supplies the column.
    directed : bool
        False: directions are forgotten, as if half of each link ran back.
    """
    from scipy import sparse

    a = sparse.csr_array(links, dtype=np.float64)
    a = a - sparse.dia_array((a.diagonal()[None, :], [0]), shape=a.shape)
    a = sparse.csr_array(a)
    a.eliminate_zeros()
    w = sparse.csr_array(a + a.T)
    sent, taken = np.asarray(a.sum(axis=1)).ravel(), np.asarray(a.sum(axis=0)).ravel()
    if not directed:
        sent = taken = (sent + taken) / 2.0
    return _graph(w, sent, taken, float(sent.sum()))


def _graph(w: sparse.csr_array, sent: Array, taken: Array, total: float) -> Graph:
    w.sort_indices()
    return Graph(
        indptr=np.ascontiguousarray(w.indptr, dtype=np.int64),
        indices=np.ascontiguousarray(w.indices, dtype=np.int64),
        weights=np.ascontiguousarray(w.data, dtype=np.float64),
        sent=np.ascontiguousarray(sent, dtype=np.float64),
        taken=np.ascontiguousarray(taken, dtype=np.float64),
        total=total,
    )


def modularity(graph: Graph, community: Array, resolution: float = 1.0) -> float:
    """Return directed modularity: links inside communities beyond what chance puts there.

        Q = sum_c [ w_c / m - resolution out_c in_c / m^2 ]

    with w_c the links inside, out_c and in_c what its nodes send and take, m all links. For
    directions forgotten this is the modularity of Newman and Girvan.

    References
    ----------
    Leicht and Newman (2008), Community structure in directed networks, Physical Review Letters 100.

    Examples
    --------
    Two pairs that only trade within: w = 1/2 each, chance 1/4 each.

    >>> from scipy import sparse
    >>> pair = [[0.0, 1.0], [1.0, 0.0]]
    >>> links = sparse.block_diag([pair, pair], format="csr")
    >>> modularity(graph_of(sparse.csr_array(links)), np.array([0, 0, 1, 1]))
    0.5
    """
    if graph.total <= 0:
        return 0.0
    n = len(graph.sent)
    row = np.repeat(np.arange(n), np.diff(graph.indptr))
    inside = graph.weights[community[row] == community[graph.indices]].sum() / 2.0
    size = int(community.max(initial=-1)) + 1
    sent = np.bincount(community, graph.sent, size)
    taken = np.bincount(community, graph.taken, size)
    return float(inside / graph.total - resolution * (sent @ taken) / graph.total**2)


def leiden(graph: Graph, resolution: float, seed: int) -> Array:
    """Return the community of each node, shape (n,), numbered from 0 without gaps.

    Moves nodes, splits communities into parts that hang together, takes each part for a node, and
    again until nothing moves; then once more from what was found while modularity grows.

    Parameters
    ----------
    graph : Graph
    resolution : float
        Above 1 more and smaller communities.
    seed : int
        Of the order in which nodes are looked at.
    """
    random = np.random.default_rng(seed)
    community = np.arange(len(graph.sent))
    if graph.total <= 0:
        return community
    best = modularity(graph, community, resolution)
    least = _IMPROVED if len(graph.indices) < _LARGE else _IMPROVED_LARGE
    for _ in range(_ROUNDS):
        found = _once(graph, resolution, random, community)
        quality = modularity(graph, found, resolution)
        if quality <= best + least:
            return community if quality < best else found
        community, best = found, quality
    return community


def _once(graph: Graph, resolution: float, random: np.random.Generator, start: Array) -> Array:
    """Run over all levels once, from a division given."""
    level, of_node, community = graph, np.arange(len(graph.sent)), start
    while True:
        community, parts = _one_level(level, resolution, random, community)
        if int(community.max()) + 1 == len(community):
            return _numbered(community[of_node])
        n_parts = int(parts.max()) + 1
        if n_parts == len(parts):  # nothing hangs together well: communities become nodes whole
            parts, n_parts = community, int(community.max()) + 1
        first = np.zeros(n_parts, dtype=np.int64)
        first[parts] = community  # all nodes of a part are in one community
        level, of_node, community = _merged(level, parts, n_parts), parts[of_node], first


def _one_level(
    graph: Graph, resolution: float, random: np.random.Generator, start: Array
) -> tuple[Array, Array]:
    """Return the communities after moving nodes, and their parts, both numbered from 0."""
    from withstand.kernels.communities import move_nodes, refine_communities

    n = len(graph.sent)
    community = np.array(start, dtype=np.int64)
    sent = np.bincount(community, graph.sent, n)
    taken = np.bincount(community, graph.taken, n)
    members = np.bincount(community, minlength=n).astype(np.int64)
    spare = [np.zeros(n, dtype=np.int64) for _ in range(3)]
    zeros = np.zeros(n)
    csr = (graph.indptr, graph.indices, graph.weights, graph.sent, graph.taken)
    share = float(resolution)
    move_nodes(
        *csr, share, graph.total, random.permutation(n).astype(np.int64), community, sent, taken,
        members, spare[0], np.zeros(n, dtype=np.bool_), zeros, spare[1], spare[2],
    )  # fmt: skip
    community = _numbered(community)
    sent = np.bincount(community, graph.sent, n)
    taken = np.bincount(community, graph.taken, n)
    parts, sizes = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    sums = [np.zeros(n) for _ in range(3)]
    refine_communities(
        *csr, share, graph.total, random.permutation(n).astype(np.int64), community, sent, taken,
        parts, sums[0], sums[1], sizes, sums[2], zeros, spare[0],
    )  # fmt: skip
    return community, _numbered(parts)


def _merged(graph: Graph, parts: Array, n_parts: int) -> Graph:
    """Return the graph whose nodes are the parts."""
    from scipy import sparse

    row = parts[np.repeat(np.arange(len(parts)), np.diff(graph.indptr))]
    column = parts[graph.indices]
    apart = row != column
    w = sparse.coo_array(
        (graph.weights[apart], (row[apart], column[apart])), shape=(n_parts, n_parts)
    ).tocsr()
    return _graph(
        w,
        np.bincount(parts, graph.sent, n_parts),
        np.bincount(parts, graph.taken, n_parts),
        graph.total,
    )


def _numbered(labels: Array) -> Array:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def adjusted_rand(one: Array, other: Array) -> float:
    """Return how far two divisions agree: 1 the same, 0 as by chance.

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions, Journal of Classification 2.

    Examples
    --------
    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([5, 5, 2, 2]))
    1.0
    >>> round(adjusted_rand(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])), 9)
    -0.5
    """
    a, b = _numbered(one), _numbered(other)
    size = int(b.max(initial=0)) + 1
    both = np.unique(a * size + b, return_counts=True)[1]

    def pairs(counts: Array) -> float:
        return float((counts * (counts - 1.0)).sum() / 2.0)

    n = len(a)
    of_a, of_b, of_both = pairs(np.bincount(a)), pairs(np.bincount(b)), pairs(both)
    everything = n * (n - 1.0) / 2.0
    expected = of_a * of_b / everything if everything else 0.0
    most = (of_a + of_b) / 2.0
    return 1.0 if most == expected else (of_both - expected) / (most - expected)
