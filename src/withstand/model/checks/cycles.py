"""Recipes and links that come back to where they began: a plant has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from withstand.model.checks.few import first_few
from withstand.model.findings import Finding, Origin, make_finding

if TYPE_CHECKING:
    from withstand.model.encoding import Array
    from withstand.model.layout import Layout

LONGEST_PATH = 12


def recipe_cycle(layout: Layout, origin: Origin) -> list[Finding]:
    """Find recipes of products that come back to their own product, and show the path.

    Rows of single nodes are judged node by node, by `supply_cycle`.
    """
    rows = np.flatnonzero(layout.recipe_rows.product_of_row >= 0)
    buyer = layout.recipe_rows.product_of_row[rows]
    needed = layout.recipe_rows.input_of_row[rows]
    graph = _graph(buyer, needed, len(layout.product_labels))

    def describe(at: int) -> Finding:
        path = _path(graph, int(buyer[at]), int(needed[at]))
        return make_finding(
            "E201",
            f"recipe comes back to itself: {_shown(layout.product_labels[path], ' needs ')}",
            origin=origin,
            index=int(rows[at]),
            column="input",
            value=layout.product_labels[path[1]],
        )

    return first_few(_on_cycles(graph, buyer, needed), describe)


def supply_cycle(layout: Layout, origin: Origin) -> list[Finding]:
    """Find nodes that supply themselves through others, and show the path."""
    buyer = layout.input_buyer[layout.links.link_input]
    supplier = layout.links.link_supplier
    graph = _graph(buyer, supplier, len(layout.node_labels))

    def describe(link: int) -> Finding:
        path = _path(graph, int(buyer[link]), int(supplier[link]))
        row = int(layout.recipe_row[layout.links.link_input[link]])
        return make_finding(
            "E201",
            f"supply comes back to itself: {_shown(layout.node_labels[path], ' buys from ')}",
            origin=origin,
            index=row if row >= 0 else None,
            column="input",
            value=layout.node_labels[path[0]],
        )

    return first_few(_on_cycles(graph, buyer, supplier), describe)


def _shown(labels: Array, verb: str) -> str:
    if len(labels) <= LONGEST_PATH:
        return verb.join(labels)
    return f"{verb.join(labels[: LONGEST_PATH - 1])}{verb}... ({len(labels) - 1} steps)"


def _graph(start: Array, end: Array, n: int) -> sparse.csr_array:
    ones = np.ones(len(start), dtype=np.float32)
    return sparse.coo_array((ones, (start, end)), (n, n)).tocsr()


def _on_cycles(graph: sparse.csr_array, start: Array, end: Array) -> list[int]:
    """Return the first edge of each strongly connected part that holds a cycle."""
    if len(start) == 0:
        return []
    _, part = csgraph.connected_components(graph, directed=True, connection="strong")
    inside = np.flatnonzero(part[start] == part[end])
    _, first = np.unique(part[start[inside]], return_index=True)
    return inside[np.sort(first)].tolist()


def _path(graph: sparse.csr_array, goal: int, first: int) -> list[int]:
    """Return a shortest path from `goal` over `first` back to `goal`, both ends included."""
    if goal == first:
        return [goal, goal]
    _, came_from = csgraph.breadth_first_order(graph, first)
    path = [goal]
    while path[-1] != first:
        path.append(int(came_from[path[-1]]))
    return [goal, *path[::-1]]
