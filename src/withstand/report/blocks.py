"""The largest blocks of the purchase cost, with the one large block opened up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.recipe_inputs import CONSUMED

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
TOO_LARGE = 1 / 3
"""A block above this share of the cost is replaced by what it is made from."""
MOST_OPENED = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class _Purchases:
    """Value bought per period, by product made (rows) and product bought (columns)."""

    buyer: Array
    product: Array
    value: Array
    made: Array

    def of(self, product: int) -> tuple[dict[int, float], float]:
        """Return what makers of a product buy, and what their output is worth."""
        rows = self.buyer == product
        bought = np.bincount(self.product[rows], self.value[rows])
        return {int(p): float(bought[p]) for p in np.flatnonzero(bought)}, float(self.made[product])


def cost_blocks(network: ProductionNetwork) -> pl.DataFrame:
    """Split the viewpoint's purchase cost into blocks that do not overlap.

    Starts with the direct purchases of priced goods. A block above a third of the cost is opened:
    replaced by what its makers buy for it, and by the rest of its price as work on it.

    Returns
    -------
    polars.DataFrame
        product, name, is_work (the rest of an opened block), value (currency per period), share
        (of the purchase cost, 0 to 1), largest first.

    Examples
    --------
    >>> from withstand.examples import example
    >>> blocks = cost_blocks(example("robot_maker"))
    >>> blocks["product"].head(3).to_list(), round(blocks["share"].head(5).sum(), 3)
    (['CTRL', 'RV', 'HD'], 0.721)
    """
    purchases = _purchases(network)
    blocks: dict[tuple[int, bool], float] = {}
    for final in network.viewpoint:
        for product, value in purchases.of(int(final))[0].items():
            blocks[product, False] = blocks.get((product, False), 0.0) + value
    total = sum(blocks.values())
    opened = {int(v) for v in network.viewpoint}
    for _ in range(MOST_OPENED):
        large = [p for (p, work), v in blocks.items() if not work and v > TOO_LARGE * total]
        closed = [p for p in large if p not in opened and purchases.of(p)[0]]
        if not closed or len(blocks) < 2:
            break
        opened.add(closed[0])
        _open(blocks, closed[0], purchases)
    rows = [
        (str(network.product_labels[p]), str(network.product_names[p]), work, v, v / total)
        for (p, work), v in blocks.items()
        if v > 0
    ]
    schema = {"product": pl.String, "name": pl.String, "is_work": pl.Boolean,
              "value": pl.Float64, "share": pl.Float64}  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.sort(["share", "product"], descending=[True, False])


def _purchases(network: ProductionNetwork) -> _Purchases:
    price = np.nan_to_num(network.price)
    counts = network.input_use[network.link_input] == CONSUMED
    buyer = network.input_buyer[network.link_input]
    return _Purchases(
        buyer=network.node_product[buyer],
        product=network.node_product[network.link_supplier],
        value=np.where(counts, network.link_flow * price[network.link_supplier], 0.0),
        made=np.bincount(network.node_product, network.output * price, network.n_products),
    )


def _open(blocks: dict[tuple[int, bool], float], product: int, purchases: _Purchases) -> None:
    """Replace a block by what its makers buy for it and the work on it."""
    value = blocks.pop((product, False))
    bought, made = purchases.of(product)
    part = value / made if made > 0 else 0.0
    for needed, cost in bought.items():
        blocks[needed, False] = blocks.get((needed, False), 0.0) + cost * part
    blocks[product, True] = max(value - sum(bought.values()) * part, 0.0)
