"""Who limited whom: from a node that fell short back to what was hit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.kernels.dynamics_production import BY_CAPACITY, BY_DEMAND
from withstand.model.recipe_inputs import CONSUMED
from withstand.stress.arrays import lead_times

if TYPE_CHECKING:
    from withstand.model.hits import Hit
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
FALL = 1e-6
"""Output or deliveries count as fallen when they are lower by more than this share."""
FULL = 0.99
"""A stock of at least this share of its target makes older shortages of supply irrelevant."""
DEEPEST = 30
CHAIN = {
    "step": pl.Int64,
    "period": pl.Int64,
    "node": pl.String,
    "output": pl.Float64,
    "limited_by": pl.String,
    "supplier": pl.String,
    "shock": pl.String,
}
Row = tuple[int, int, str, float, str, str | None, str | None]


def limit_name(network: ProductionNetwork, limit: int) -> str:
    """Return what limited a node in words: demand, capacity, or the label of an input."""
    if limit == BY_DEMAND:
        return "demand"
    if limit == BY_CAPACITY:
        return "capacity"
    return str(network.product_labels[network.input_product[limit]])


class Chain:
    """The chain of who limited whom, step by step.

    Parameters
    ----------
    network : ProductionNetwork
    hits : list of Hit
        What the shocks hit.
    output, limited_by : ndarray, shape (n_periods, n_nodes)
    stock : ndarray, shape (n_periods, n_inputs) or (0, n_inputs)
    """

    def __init__(
        self,
        network: ProductionNetwork,
        hits: list[Hit],
        output: Array,
        limited_by: Array,
        stock: Array,
    ) -> None:
        self.network, self.hits = network, hits
        self.output, self.limited_by, self.stock = output, limited_by, stock
        self.lag = lead_times(network)

    def rows(self, node: int, period: int) -> list[Row]:
        """Follow the input that bound to the supplier that fell short most, until none did."""
        network, seen = self.network, set[int]()
        rows: list[Row] = []
        while node not in seen and len(rows) < DEEPEST:
            seen.add(node)
            limit = int(self.limited_by[period, node])
            if limit >= 0:
                supplier, following, shock = self._short_supplier(limit, period)
            else:
                kind = "node" if limit == BY_CAPACITY else "demand"
                supplier, following, shock = -1, period, self._shock(kind, node, period)
            rest = network.output[node]
            share = float(self.output[period, node] / rest) if rest > 0 else 1.0
            label = str(network.node_labels[supplier]) if supplier >= 0 else None
            what = limit_name(network, limit)
            rows.append(
                (len(rows), period, str(network.node_labels[node]), share, what, label, shock)
            )
            if supplier < 0 or shock is not None:
                break
            node, period = supplier, following
        return rows

    def _short_supplier(self, i: int, period: int) -> tuple[int, int, str | None]:
        """Return who let input i down in a period, when, and the shock if the link itself was hit.

        What counts of each supplier are the periods whose shipments arrived since the stock of
        the input was full: how far its output was below rest there (unless for want of demand),
        and how much of the link was cut, times its share. Where nobody fell below rest, the
        supplier with the largest share that was held back by anything but demand is named.
        """
        network = self.network
        answer: tuple[int, int, str | None] = (-1, period, None)
        largest, largest_share, busy = FALL, 0.0, answer
        for link in range(network.links_indptr[i], network.links_indptr[i + 1]):
            window = self._window(i, link, period)
            if len(window) == 0:
                continue
            maker, weight = int(network.link_supplier[link]), float(network.link_share[link])
            is_short = self.limited_by[window, maker] != BY_DEMAND
            rest = max(float(network.output[maker]), 1e-300)
            gap = np.where(is_short, np.maximum(1.0 - self.output[window, maker] / rest, 0.0), 0.0)
            cut = 1.0 - self._left("link", link)[window]
            deepest = int(window[gap.argmax()])
            if weight * cut.sum() > max(largest, weight * gap.sum()):
                largest = weight * float(cut.sum())
                shock = self._shock("link", link, int(window[cut.argmax()]))
                answer = (maker, int(window[cut.argmax()]), shock)
            elif weight * gap.sum() > largest:
                largest, answer = weight * float(gap.sum()), (maker, deepest, None)
            if is_short.any() and weight > largest_share:
                last = int(window[np.flatnonzero(is_short)[-1]])
                largest_share, busy = weight, (maker, last, None)
        return answer if answer[0] >= 0 else busy

    def _window(self, i: int, link: int, period: int) -> Array:
        """Periods in which a link's shipments could have made input i short in a period."""
        lag = int(self.lag[link])
        first = period  # hours do not keep
        if self.network.input_use[i] == CONSUMED and len(self.stock):
            full = self.stock[:period, i] >= FULL * self.network.input_target[i]
            first = int(np.flatnonzero(full)[-1]) + 1 if full.any() else 0
        elif self.network.input_use[i] == CONSUMED:
            first = 0
        return np.arange(max(first - lag, 0), period - lag + 1)

    def _left(self, kind: str, index: int) -> Array:
        """Share left in each period of a node, link or final demand."""
        left = np.ones(self.output.shape[0])
        for hit in self.hits:
            if hit.kind == kind and index in hit.indices:
                left *= hit.factor
        return left

    def _shock(self, kind: str, index: int, period: int) -> str | None:
        """Name the shock that takes most of a node, link or final demand in a period."""
        found = [
            (float(hit.factor[period]), hit.shock.title())
            for hit in self.hits
            if hit.kind == kind and index in hit.indices and hit.factor[period] < 1.0
        ]
        return min(found)[1] if found else None
