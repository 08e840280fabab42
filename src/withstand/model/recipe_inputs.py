"""Inputs: recipe rows expanded to one row per buyer node and product it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.encoding import (
    Array,
    codes,
    encode,
    first_of_runs,
    is_in_sorted,
    numbers,
    positions_of,
)
from withstand.model.tables import CLASSES, USES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.supply_links import LinkRows

HOURS_KINDS = ("skill", "equipment")
MINOR, IMPORTANT, ESSENTIAL = range(3)
CONSUMED, HOURS, HOSTED = range(3)
EMPTY = pl.DataFrame(schema={"buyer": pl.String, "input": pl.String, "quantity": pl.Float64})


class Inputs:
    """Recipe rows expanded to one row per buyer node and product."""

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        labels: Mapping[str, pl.Series],
        node_product: Array,
        knows: Array,
    ) -> None:
        self.tables, self.labels = tables, labels
        self.n_products = len(labels["products"])
        frame = tables.get("recipes", EMPTY)
        self.frame = frame
        node = encode(labels["nodes"], frame["buyer"])
        product = np.where(node < 0, encode(labels["products"], frame["buyer"]), -1)
        needed = encode(labels["products"], frame["input"])
        self.product_of_row, self.input_of_row = product, needed  # -1 for rows of a single node
        own = np.flatnonzero(node >= 0)
        general = np.flatnonzero(product >= 0)
        general = general[np.argsort(product[general], kind="stable")]
        users = np.flatnonzero(knows)
        which, position = positions_of(node_product[users], product[general])
        rows = np.concatenate([own, general[position]]).astype(np.int64)
        buyers = np.concatenate([node[own], users[which]]).astype(np.int64)
        key = buyers * self.n_products + needed[rows]
        order = np.argsort(key, kind="stable")  # a node's own row stands first and wins
        key, rows = key[order], rows[order]
        first = first_of_runs(key)
        self.key, self.row = key[first], rows[first]

    def with_value_links(self, rows: LinkRows) -> tuple[Array, Array]:
        """Add inputs that only links with values know of: keys, and recipe rows (-1 for these)."""
        extra = rows.node_key[rows.has_value[rows.node_rows]]
        extra = extra[first_of_runs(extra)]
        extra = extra[~is_in_sorted(extra, self.key)]
        key = np.concatenate([self.key, extra])
        source = np.concatenate([self.row, np.full(len(extra), -1, dtype=np.int64)])
        order = np.argsort(key, kind="stable")
        return key[order], source[order]

    def attributes(
        self, source: Array, product: Array, buyer_product: Array, kinds: Array
    ) -> dict[str, Array]:
        """Coefficient, class, use and lag per input."""
        known = source >= 0
        rows = np.where(known, source, 0)
        frame = self.frame

        def take(values: Array, otherwise: Array | float) -> Array:
            return (
                np.where(known, values[rows], otherwise)
                if len(values)
                else (np.broadcast_to(otherwise, known.shape).copy())
            )

        classes = take(codes(frame, "class", CLASSES), -1)
        pair = self._pair_class(product, buyer_product)
        at = np.flatnonzero(classes < 0)
        default = np.where(known[at], ESSENTIAL, IMPORTANT)
        classes[at] = np.where(pair[at] >= 0, pair[at], default)
        del pair, at, default
        uses = take(codes(frame, "use", USES), -1)
        at = np.flatnonzero(uses < 0)
        uses[at] = np.where(np.isin(kinds, HOURS_KINDS)[product[at]], HOURS, CONSUMED)
        return {
            "coefficient": take(numbers(frame, "quantity"), np.nan),
            "class": classes,
            "use": uses,
            "lag": take(numbers(frame, "lag", 0.0), 0.0),
        }

    def _pair_class(self, product: Array, buyer_product: Array) -> Array:
        """Class of each input from the table of classes, -1 where it has no row."""
        self.missing_pairs = 0
        frame = self.tables.get("classes")
        if frame is None:
            return np.full(len(product), -1, dtype=np.int64)
        key = encode(self.labels["products"], frame["supplier_product"]) * self.n_products + encode(
            self.labels["products"], frame["buyer_product"]
        )
        values = codes(frame, "class", CLASSES)
        order = np.argsort(key, kind="stable")
        key, values = key[order], values[order]
        wanted = product * self.n_products + buyer_product
        at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        found = key[at] == wanted
        self.missing_pairs = len(np.unique(wanted[~found]))
        return np.where(found, np.where(values[at] >= 0, values[at], IMPORTANT), -1)
