"""The k cheapest ways through a graph that visit no place twice (Yen 1971)."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_FINENESS = 10**12  # lengths are compared to this part of the longest one, so that ties are ties


@dataclass(frozen=True, eq=False)
class Graph:
    """Edges out of each place with their lengths in whole numbers, and the same the other way.

    A length holds two things in one number: the length itself, rounded to 1e-12 of the longest
    edge, times (number of places + 1), plus 1. So of two ways of equal length the one with fewer
    steps is shorter, and sums are exact.
    """

    out: tuple[tuple[tuple[int, int], ...], ...]
    into: tuple[tuple[tuple[int, int], ...], ...]


def graph_of(n: int, start: Array, end: Array, length: Array) -> Graph:
    """Make a graph of n places out of edges; shape (edges,), lengths of at least 0."""
    longest = float(length.max(initial=0.0)) or 1.0
    whole = np.rint(length / longest * _FINENESS).astype(np.int64).tolist()
    out: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    into: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for a, b, w in zip(start.tolist(), end.tolist(), whole, strict=True):
        if a != b:
            out[a].append((b, w * (n + 1) + 1))
            into[b].append((a, w * (n + 1) + 1))
    return Graph(tuple(map(tuple, out)), tuple(map(tuple, into)))


def distances_to(graph: Graph, target: int) -> dict[int, int]:
    """Return the length of the shortest way to the target from each place that has one."""
    found: dict[int, int] = {}
    heap = [(0, target)]
    while heap:
        far, place = heapq.heappop(heap)
        if place in found:
            continue
        found[place] = far
        for before, w in graph.into[place]:
            if before not in found:
                heapq.heappush(heap, (far + w, before))
    return found


def cheapest_paths(
    graph: Graph, source: int, target: int, k: int, rest: dict[int, int] | None = None
) -> list[tuple[int, ...]]:
    """Return up to k ways from source to target, shortest first, none with a place twice.

    Parameters
    ----------
    rest : dict, optional
        `distances_to(graph, target)`, where it is known already.

    Notes
    -----
    Of equal length the way with fewer steps; further ties are broken by the numbers of the places,
    the same each time. Yen's algorithm with A* searches: the distance to the target in the whole
    graph never exceeds that in what is left of it.

    References
    ----------
    Yen (1971), Finding the k shortest loopless paths in a network, Management Science 17(11).

    Examples
    --------
    >>> graph = graph_of(3, np.array([0, 0, 1]), np.array([2, 1, 2]), np.array([5.0, 1.0, 2.0]))
    >>> cheapest_paths(graph, 0, 2, 5)
    [(0, 1, 2), (0, 2)]
    """
    rest = distances_to(graph, target) if rest is None else rest
    first = _search(graph, (source,), target, rest, set())
    if first is None:
        return []
    found = [first]
    seen = {first[1]}
    waiting: list[tuple[int, tuple[int, ...]]] = []
    while len(found) < k:
        for path in _deviations(graph, [p for _, p in found], target, rest):
            if path[1] not in seen:
                seen.add(path[1])
                heapq.heappush(waiting, path)
        if not waiting:
            break
        found.append(heapq.heappop(waiting))
    return [path for _, path in found]


def _deviations(
    graph: Graph, found: Sequence[tuple[int, ...]], target: int, rest: dict[int, int]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Leave the last way found at each of its places by a step that no way found has taken."""
    last = found[-1]
    for i in range(len(last) - 1):
        root = last[: i + 1]
        taken = {path[i + 1] for path in found if path[: i + 1] == root}
        path = _search(graph, root, target, rest, taken)
        if path is not None:
            yield path


def _search(
    graph: Graph, root: tuple[int, ...], target: int, rest: dict[int, int], taken: set[int]
) -> tuple[int, tuple[int, ...]] | None:
    """Return the shortest way that begins with `root` and goes on by none of `taken`."""
    start = root[-1]
    if start not in rest:
        return None
    if start == target:
        return (_length(graph, root), root)
    closed = set(root[:-1])
    came: dict[int, int] = {}
    heap = [(rest[start], start, 0, -1)]
    while heap:
        _, place, gone, before = heapq.heappop(heap)
        if place in closed:
            continue
        closed.add(place)
        came[place] = before
        if place == target:
            way = [place]
            while (place := came[place]) >= 0:
                way.append(place)
            whole = root[:-1] + tuple(reversed(way))
            return (_length(graph, whole), whole)
        for after, w in graph.out[place]:
            if after in closed or after not in rest or (place == start and after in taken):
                continue
            heapq.heappush(heap, (gone + w + rest[after], after, gone + w, place))
    return None


def _length(graph: Graph, path: tuple[int, ...]) -> int:
    """Return the sum of the lengths of a way's steps."""
    total = 0
    for a, b in itertools.pairwise(path):
        total += min(w for after, w in graph.out[a] if after == b)
    return total
