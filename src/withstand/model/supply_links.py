"""Links: which rows of the links table serve which input, the more specific rows first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.encoding import (
    Array,
    encode,
    is_in_sorted,
    numbers,
    order_of,
    positions_of,
)
from withstand.model.tables import EVERY_BUYER

if TYPE_CHECKING:
    from collections.abc import Mapping

EMPTY = pl.DataFrame(schema={"supplier": pl.String, "buyer": pl.String})


class LinkRows:
    """Rows of the links table, encoded, in three groups: for a node, a product, every buyer."""

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        labels: Mapping[str, pl.Series],
        node_product: Array,
    ) -> None:
        frame = tables.get("links", EMPTY)
        self.frame = frame
        self.n_products = len(labels["products"])
        self.supplier = encode(labels["nodes"], frame["supplier"])
        made = node_product[self.supplier] if len(self.supplier) else self.supplier
        self.product = made
        if "product" in frame.columns:
            product = encode(labels["products"], frame["product"])
            self.product = np.where(product < 0, made, product)
        self.share = _numbers(frame, "share")
        self.value = _numbers(frame, "value")
        self.has_value = ~np.isnan(self.value)
        self.lead_time = _numbers(frame, "lead_time")
        buyer = encode(labels["nodes"], frame["buyer"])
        everyone = (frame["buyer"].cast(pl.String) == EVERY_BUYER).to_numpy() & (buyer < 0)
        self.buyer = buyer
        self.node_rows, self.node_key = self._sorted(buyer >= 0, buyer)
        rest = np.flatnonzero((buyer < 0) & ~everyone)
        general = np.full(len(buyer), -1)
        general[rest] = encode(labels["products"], frame["buyer"].gather(rest))
        self.product_rows, self.product_key = self._sorted(general >= 0, general)
        self.every_rows, self.every_key = self._sorted(everyone, None)

    def _sorted(self, mask: Array, group: Array | None) -> tuple[Array, Array]:
        """Rows of one kind by key and then supplier, so that links come out in order.

        The key is group x n_products + product, or the product alone.
        """
        rows = np.flatnonzero(mask)
        key = self.product[rows]
        if group is not None:
            key += group[rows] * self.n_products
        order = order_of(key, self.supplier[rows])
        return rows[order], key[order]

    def leave_unused(self, used: Array) -> None:
        """Of the rows for a node keep those that serve no input; `used` are the keys of inputs."""
        is_used = is_in_sorted(self.node_key, used)
        self.node_rows, self.node_key = self.node_rows[~is_used], self.node_key[~is_used]

    def forget(self) -> None:
        """Let go of the rows: about 40 bytes each."""
        del self.supplier, self.product, self.buyer, self.share, self.value, self.lead_time
        del self.has_value, self.node_rows, self.node_key

    def is_stated(self, n_products: int) -> Array:
        """Products whose suppliers are stated by links."""
        return np.bincount(self.product, minlength=n_products).astype(bool)

    def weights(self, node_product: Array, otherwise: Array) -> Array:
        """How nodes of one product share it by default: `*` shares, else capacity or output."""
        weight = otherwise.copy()
        rows = self.every_rows[~np.isnan(self.share[self.every_rows])]
        if len(rows):
            stated = np.zeros(len(node_product))
            np.add.at(stated, self.supplier[rows], self.share[rows])
            has = np.isin(node_product, self.product[rows])
            weight[has] = stated[has]
        return weight


def _numbers(frame: pl.DataFrame, name: str) -> Array:
    """Return a column as float64, NaN where empty; one that is absent takes no memory."""
    if name not in frame.columns:
        return np.broadcast_to(np.nan, frame.height)
    return numbers(frame, name)


@dataclass(kw_only=True, eq=False)
class Joined:
    """Links joined to inputs, ordered by input and then supplier; sums and faults per input."""

    link_input: Array
    link_supplier: Array
    share: Array
    value: Array
    lead_time: Array
    row: Array
    share_sum: Array
    value_sum: Array
    is_mixed: Array
    is_default: Array
    is_unsupplied: Array


def join_links(rows: LinkRows, key: Array, node_product: Array, weight: Array) -> Joined:
    """Find the links of every input: rows for the node, else its product, else every buyer.

    Inputs that no row serves are shared out over all nodes of the product (by capacity, output or
    evenly); where there is none either, the input has no link.

    Parameters
    ----------
    rows : LinkRows
    key : ndarray of int64, shape (n_inputs,)
        buyer x n_products + product, ascending.
    node_product : ndarray of int64, shape (n_nodes,)
    weight : ndarray of float64, shape (n_nodes,)
        How nodes share a product by default.
    """
    n_inputs = len(key)
    buyer, product = np.divmod(key, rows.n_products)
    wanted = (key, node_product[buyer] * rows.n_products + product, product)
    groups = (
        (rows.node_rows, rows.node_key),
        (rows.product_rows, rows.product_key),
        (rows.every_rows, rows.every_key),
    )
    left = np.arange(n_inputs)
    inputs, links = [], []
    for (row, row_key), want in zip(groups, wanted, strict=True):
        which, position = positions_of(want[left], row_key)
        inputs.append(left[which])
        links.append(row[position])
        served = np.zeros(len(left), dtype=bool)
        served[which] = True
        left = left[~served]
    link_input = np.concatenate(inputs)
    row = np.concatenate(links)
    del inputs, links
    share, value = rows.share[row], rows.value[row]
    by_value = np.isnan(share)
    value_sum = np.bincount(link_input, np.nan_to_num(value), n_inputs)
    with_value = np.bincount(link_input, by_value, n_inputs) > 0
    with_share = np.bincount(link_input, ~by_value, n_inputs) > 0
    total = value_sum[link_input]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(by_value, np.where(total > 0, value / total, np.nan), share)
    del by_value, total

    by_product = np.argsort(node_product, kind="stable")
    which, position = positions_of(product[left], node_product[by_product])
    maker = by_product[position]
    other = maker != buyer[left[which]]
    which, maker = which[other], maker[other]
    sums = np.bincount(which, weight[maker], len(left))
    even = np.bincount(which, minlength=len(left))
    with np.errstate(invalid="ignore", divide="ignore"):
        default_share = np.where(sums[which] > 0, weight[maker] / sums[which], 1.0 / even[which])
    is_default = np.zeros(n_inputs, dtype=bool)
    is_default[left[which]] = True
    is_unsupplied = np.zeros(n_inputs, dtype=bool)
    is_unsupplied[left] = True

    unknown = np.full(len(which), np.nan)
    link_input = _with(link_input, left[which])
    supplier = _with(rows.supplier[row], maker)
    order = order_of(link_input, supplier)
    link_input = link_input[order]
    supplier = supplier[order]
    share = _with(share, default_share)[order]
    value = _with(value, unknown)[order]
    lead_time = _with(rows.lead_time[row], unknown)[order]
    return Joined(
        link_input=link_input,
        link_supplier=supplier,
        share=share,
        value=value,
        lead_time=lead_time,
        row=_with(row, np.full(len(which), -1))[order].astype(np.int64, copy=False),
        share_sum=np.bincount(link_input, share, n_inputs),
        value_sum=value_sum,
        is_mixed=with_value & with_share,
        is_default=is_default,
        is_unsupplied=is_unsupplied & ~is_default,
    )


def _with(stated: Array, default: Array) -> Array:
    """Return stated links and then default ones, without a copy where there are none."""
    return np.concatenate([stated, default]) if len(default) else stated
