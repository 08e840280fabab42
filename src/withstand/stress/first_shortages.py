"""The way from a failure to the final demand that it reaches first, stock by stock."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.stress.response_programme import Parts

Array = np.ndarray
WAY = {
    "step": pl.Int64,
    "node": pl.String,
    "input": pl.String,
    "supplier": pl.String,
    "lead": pl.Float64,
    "stock": pl.Float64,
    "cover": pl.Float64,
    "short_after": pl.Float64,
}
Way = tuple[int, str, str | None, str | None, float | None, float | None, float | None, float]


def first_shortage(network: ProductionNetwork, parts: Parts, members: Array) -> list[Way]:
    """Return the way to the first shortage of final demand at rates at rest (shortest path)."""
    failed = np.flatnonzero(np.isin(parts.nodes, members))
    of_supplier = np.argsort(parts.supplier, kind="stable")
    first = np.searchsorted(parts.supplier[of_supplier], np.arange(len(parts.nodes) + 1))
    with np.errstate(divide="ignore"):
        cover = np.where(
            parts.flow > 0, parts.stock[parts.link_input] / np.maximum(parts.flow, 1e-300), np.inf
        )
    after = dict.fromkeys(failed.tolist(), 0.0)
    came: dict[int, int] = {}
    queue = [(0.0, n) for n in after]
    while queue:
        time, node = heapq.heappop(queue)
        if time > after[node]:
            continue
        if parts.final_demand[node] > 0:
            return _way_to(network, parts, node, after, came, cover)
        for k in of_supplier[first[node] : first[node + 1]].tolist():
            buyer = int(parts.buyer[parts.link_input[k]])
            found = time + float(parts.lead[k]) + float(cover[k])
            if found < after.get(buyer, np.inf):
                after[buyer], came[buyer] = found, k
                heapq.heappush(queue, (found, buyer))
    return []


def _way_to(
    network: ProductionNetwork,
    parts: Parts,
    node: int,
    after: dict[int, float],
    came: dict[int, int],
    cover: Array,
) -> list[Way]:
    rows: list[Way] = []
    while True:
        label = str(network.node_labels[parts.nodes[node]])
        if node not in came:
            rows.append((0, label, None, None, None, None, None, after[node]))
            break
        k = came[node]
        i, supplier = int(parts.link_input[k]), int(parts.supplier[k])
        rows.append(
            (0, label,
             str(network.product_labels[network.input_product[parts.inputs[i]]]),
             str(network.node_labels[parts.nodes[supplier]]),
             float(parts.lead[k]), float(parts.stock[i]), float(cover[k]), after[node])
        )  # fmt: skip
        node = supplier
    return [(step, *row[1:]) for step, row in enumerate(reversed(rows))]
