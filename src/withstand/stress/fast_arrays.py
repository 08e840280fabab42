"""A network for the fast kernels: nodes renumbered by degree, indices of 32 bits."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from withstand.kernels.cascade_memory import CascadeArrays, FastArrays
from withstand.model.returning import return_unused
from withstand.stress.cascade_arrays import frozen

Array = np.ndarray


def fast_arrays(arrays: CascadeArrays, weight: Array) -> FastArrays:
    """Return the arrays of the fast kernels for one set of weights."""
    n = len(arrays.size)
    supplier = arrays.up_supplier
    degree = np.bincount(supplier, minlength=n) + np.diff(arrays.up_indptr)
    order = np.argsort(-degree, kind="stable")
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    row, column = _both_ways(arrays, rank, order)
    w = weight[order]
    next_weight = _push(row, w, n)
    slots = _slots(arrays, rank, n)
    fast = FastArrays(
        *(
            frozen(a)
            for a in (
                rank,
                w,
                arrays.size[order],
                arrays.market[order].astype(np.int32),
                arrays.market_size,
                *row,
                *column,
                next_weight,
                _push(row, next_weight, n),
                *slots,
                arrays.market_indptr.astype(np.int32),
                np.argsort(arrays.market[order], kind="stable").astype(np.int32),
            )
        )
    )
    return_unused()
    return fast


def _both_ways(
    arrays: CascadeArrays, rank: Array, order: Array
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return indptr, index and share of U by supplier and by buyer, members in rising order.

    Turning a sparse matrix round sorts it, in a time that grows with the links alone.
    """
    shape, short = (len(rank), len(rank)), rank.astype(np.int32)
    parts = (arrays.up_share, short[arrays.up_supplier], arrays.up_indptr.astype(np.int32))
    row = sparse.csr_array(parts, shape=shape)[order].tocsc()
    column = sparse.csr_array((row.data, row.indices, row.indptr), shape=shape).tocsc()
    return (row.indptr, row.indices, row.data), (column.indptr, column.indices, column.data)


def _push(row: tuple[Array, ...], weight: Array, n: int) -> Array:
    """Return U'w."""
    indptr, buyer, share = row
    return np.bincount(buyer, share * np.repeat(weight, np.diff(indptr)), n)


def _slots(arrays: CascadeArrays, rank: Array, n: int) -> tuple[Array, ...]:
    """Return D by supplier and D by buyer, slots renumbered with their buyers."""
    n_slots = len(arrays.slot_buyer)
    supplier = np.repeat(np.arange(n), np.diff(arrays.down_indptr))
    slot_order = np.argsort(rank[arrays.slot_buyer], kind="stable")
    new_slot = np.empty(n_slots, np.int64)
    new_slot[slot_order] = np.arange(n_slots)
    slot_buyer = rank[arrays.slot_buyer][slot_order]
    slot, source = new_slot[arrays.down_slot], rank[supplier]
    by_supplier = np.lexsort((slot, source))
    by_slot = np.lexsort((source, slot))
    by_slot = by_slot[arrays.down_share[by_slot] > 0.0]
    needed, need = slot[by_slot], arrays.down_share[by_slot]
    is_first = np.diff(needed, prepend=-1) > 0
    need[is_first] = -need[is_first]
    buyers = np.unique(slot_buyer)
    place = np.zeros(n, np.int64)
    place[buyers] = np.arange(len(buyers))
    needs = np.bincount(place[slot_buyer[needed]], minlength=len(buyers))
    count = np.bincount(source, minlength=n)
    return (
        np.concatenate([[0], np.cumsum(count)]).astype(np.int32),
        slot[by_supplier].astype(np.int32),
        arrays.down_share[by_supplier],
        slot_buyer.astype(np.int32),
        buyers.astype(np.int32),
        np.concatenate([[0], np.cumsum(needs)]).astype(np.int32),
        source[by_slot].astype(np.int32),
        need,
    )
