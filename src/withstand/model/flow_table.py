"""The flows of an economy as one matrix, beside its final demand by region and category."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from withstand.errors import UsageError
from withstand.model.ceilings import need_memory
from withstand.model.encoding import indptr_of
from withstand.model.link_arrays import LinkArrays

Array = np.ndarray
LARGEST_LINKS = 30_000_000
"""Links that an economy is turned into at most; above, engines must read the matrix itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FlowTable:
    """What every node sells to every other node and to final users, in currency per period.

    Parameters
    ----------
    flows : ndarray of float64, shape (n_nodes, n_nodes)
        Z: the row sells to the column. C-contiguous, read-only, never negative.
    final : ndarray of float64, shape (n_nodes, n_final)
        Y: final demand by column; inventories may be negative.
    final_region : ndarray of int64, shape (n_final,)
        Region of the final user of each column.
    final_category : ndarray of str, shape (n_final,)
        Households, government, investment ...
    tolerance : float
        Largest gap between the sides of a node that rounding in the source can explain.
    """

    flows: Array
    final: Array
    final_region: Array
    final_category: Array
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for array in (self.flows, self.final, self.final_region, self.final_category):
            array.setflags(write=False)

    def __setstate__(self, state: dict[str, Array]) -> None:
        """Take the fields back in another process and freeze them again."""
        self.__dict__.update(state)
        self.__post_init__()

    @cached_property
    def n_flows(self) -> int:
        """Number of positive flows."""
        return int(np.count_nonzero(self.flows))

    def links(self, input_buyer: Array, input_product: Array, node_product: Array) -> LinkArrays:
        """Return the positive flows as links of the inputs given.

        Parameters
        ----------
        input_buyer, input_product : ndarray of int64, shape (n_inputs,)
            Every pair of a buyer and a product with a positive flow, ordered by buyer and product.
        node_product : ndarray of int64, shape (n_nodes,)

        Raises
        ------
        UsageError
            If there are too many; nothing large has been taken by then.
        """
        n_links = self.n_flows
        if n_links > LARGEST_LINKS:
            raise UsageError(
                f"This economy has {n_links:,} flows; as links they would take about "
                f"{n_links * 60 / 2**30:.0f} GB. Aggregate regions or sectors first "
                "(withstand.aggregate), or use the engines for economies."
            )
        need_memory(
            n_links * 60.0,
            f"{n_links:,} flows as links",
            "Aggregate regions or sectors first (withstand.aggregate), or use the engines for "
            "economies.",
        )
        n_nodes = len(node_product)
        n_products = int(node_product.max(initial=-1)) + 1
        buyer, supplier = np.nonzero(self.flows.T)
        key = buyer * n_products + node_product[supplier]
        order = np.argsort(key, kind="stable")
        buyer, supplier, key = buyer[order], supplier[order], key[order]
        input_key = input_buyer * n_products + input_product
        of_input = np.searchsorted(input_key, key)
        value = self.flows[supplier, buyer]
        total = np.bincount(of_input, value, len(input_key))
        by_supplier = np.argsort(supplier, kind="stable").astype(np.int64)
        return LinkArrays(
            indptr=indptr_of(of_input, len(input_key)),
            supplier=supplier.astype(np.int64),
            share=value / total[of_input],
            lead_time=np.ones(n_links),
            row=np.full(n_links, -1, dtype=np.int64),
            supplier_indptr=indptr_of(supplier[by_supplier], n_nodes),
            supplier_link=by_supplier,
        )


def by_product(flows: Array, node_product: Array, n_products: int) -> Array:
    """Add up the rows of a matrix by their product, shape (n_products, n_columns)."""
    total = np.zeros((n_products, flows.shape[1]))
    for row, product in zip(flows, node_product, strict=True):
        total[product] += row
    return total
