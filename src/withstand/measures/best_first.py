"""Paths through a network of suppliers in the order of their size, found best first."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from withstand.programming.leontief import LeontiefSystem

Array = np.ndarray
MOST_STEPS = 1_000
"""Links of the longest path that is looked for when no depth is given."""
ROWS_AT_ONCE = 256
"""Rows of the matrix that are worked on together, to bound the memory."""
ROOT = -1
State = tuple[int, float, int, "State | None"]


class BestFirst:
    """Paths in the order of their size, opened one by one.

    A state is (node, flow, links left, state before); an option of a state is to end there (rank
    -1) or to go on to its best, second best ... supplier (rank 0, 1 ...), with the largest value
    that any path taking it can have.
    """

    def __init__(
        self, system: LeontiefSystem, demand: Array, ends: Array, max_depth: int | None, keep: int
    ) -> None:
        self._system = system
        self._columns = sparse.csc_array(system.flows) if system.is_sparse else None
        self._demand = demand
        self._ends = ends
        self._depth = MOST_STEPS if max_depth is None else max_depth
        self._best = _best_ends(system, np.abs(ends), self._depth)
        self._keep = keep
        self._branches: dict[tuple[int, int], tuple[Array, Array, Array]] = {}
        self.largest_left = np.inf
        self.stopped_by = "end"

    def paths(self, deadline: float) -> Iterator[tuple[tuple[int, ...], tuple[float, ...], float]]:
        """Yield each path with the flow at each of its nodes and its value."""
        counter = itertools.count()
        heap: list[tuple[float, int, State, int]] = []

        def offer(state: State, rank: int) -> None:
            node, flow, left, _ = state
            if rank < 0:
                size = abs(flow * self._ends[node])
            else:
                size = abs(flow) * self._score(node, left, rank)
            if size > 0:
                heapq.heappush(heap, (-size, next(counter), state, rank))

        offer((ROOT, 1.0, self._depth, None), 0)
        while heap:
            size, _, state, rank = heap[0]
            self.largest_left = -size
            if time.monotonic() > deadline:
                self.stopped_by = "time"
                return
            heapq.heappop(heap)
            node, flow, left, _ = state
            if rank < 0:
                yield *_trace(state), flow * self._ends[node]
                continue
            supplier, coefficient = self._branch(node, left, rank)
            below = left if node == ROOT else left - 1
            child: State = (supplier, flow * coefficient, below, state)
            offer(state, rank + 1)
            offer(child, -1)
            if below > 0:
                offer(child, 0)
        self.largest_left = 0.0

    def _score(self, node: int, left: int, rank: int) -> float:
        scores = self._ranked(node, left, rank)[2]
        return float(scores[rank]) if rank < len(scores) else 0.0

    def _branch(self, node: int, left: int, rank: int) -> tuple[int, float]:
        suppliers, coefficients, _ = self._ranked(node, left, rank)
        return int(suppliers[rank]), float(coefficients[rank])

    def _ranked(self, node: int, left: int, rank: int) -> tuple[Array, Array, Array]:
        """Suppliers of a node, the best first: index, coefficient, best value of a branch."""
        level = min(left if node == ROOT else left - 1, len(self._best) - 1)
        found = self._branches.get((node, level))
        if found is None or len(found[0]) <= rank < self._system.n:
            found = self._rank(node, level, max(self._keep, 2 * rank))
            self._branches[node, level] = found
        return found

    def _rank(self, node: int, level: int, keep: int) -> tuple[Array, Array, Array]:
        column = self._demand if node == ROOT else self._column(node)
        score = np.abs(column) * self._best[level]
        keep = min(keep, len(score))
        chosen = np.argpartition(-score, keep - 1)[:keep]
        chosen = chosen[np.lexsort((chosen, -score[chosen]))]
        return chosen, column[chosen], score[chosen]

    def _column(self, node: int) -> Array:
        system = self._system
        if self._columns is None:
            column = system.flows[:, node]
        else:
            own = slice(self._columns.indptr[node], self._columns.indptr[node + 1])
            column = np.zeros(system.n)
            column[self._columns.indices[own]] = self._columns.data[own]
        return system.row_factor * column * system.per_output[node]


def _trace(state: State) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Nodes and flows from the product demanded to the state."""
    nodes, flows = [], []
    at: State | None = state
    while at is not None and at[0] != ROOT:
        nodes.append(at[0])
        flows.append(at[1])
        at = at[3]
    return tuple(reversed(nodes)), tuple(reversed(flows))


def _best_ends(system: LeontiefSystem, ends: Array, depth: int) -> Array:
    """Return the best that a path from each node can reach with at most 0, 1 .. links.

    Shape (levels, n); where more links do not help any more, the last level holds for all. With
    the depth unlimited only that one is kept.
    """
    best, reach = ends, np.zeros(len(ends))
    levels = [best]
    changed = np.flatnonzero(best > 0)
    for _ in range(depth):
        reach = np.maximum(reach, _largest_products(system, best, changed))
        after = np.maximum(ends, reach)
        changed = np.flatnonzero(after > best)
        if len(changed) == 0:
            break
        best = after
        levels.append(best)
    return np.stack(levels) if depth < MOST_STEPS else best[None]


def _largest_products(system: LeontiefSystem, weights: Array, rows: Array) -> Array:
    """Return for each column i the largest of A_ki weights_k over the rows k given."""
    found = np.zeros(len(weights))
    scale = system.row_factor * weights
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        if system.is_sparse:
            block = sparse.csc_array(sparse.diags_array(scale[part]) @ system.flows[part])
            np.maximum(found, block.max(axis=0).toarray().ravel(), out=found)
        else:
            products = system.flows[part] * scale[part, None]
            np.maximum(found, products.max(axis=0), out=found)
    return found * system.per_output
