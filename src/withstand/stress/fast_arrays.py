"""A network for the fast kernels: nodes renumbered by degree, indices of 32 bits."""

from __future__ import annotations

import numpy as np

from withstand.kernels.cascade_memory import CascadeArrays, FastArrays
from withstand.stress.cascade_arrays import frozen

Array = np.ndarray


def fast_arrays(arrays: CascadeArrays, weight: Array) -> FastArrays:
    """Return the arrays of the fast kernels for one set of weights."""
    n = len(arrays.size)
    buyer = np.repeat(np.arange(n, dtype=np.int32), np.diff(arrays.up_indptr))
    supplier = arrays.up_supplier
    degree = np.bincount(supplier, minlength=n) + np.diff(arrays.up_indptr)
    order = np.argsort(-degree, kind="stable")
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    short = rank.astype(np.int32)
    seller, buyer = short[supplier], short[buyer]
    row = _grouped(seller, buyer, arrays.up_share, n)
    column = _grouped(buyer, seller, arrays.up_share, n)
    del seller, buyer
    w = weight[order]
    next_weight = _push(row, w, n)
    slots = _slots(arrays, rank, n)
    return FastArrays(
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


def _grouped(group: Array, member: Array, share: Array, n: int) -> tuple[Array, Array, Array]:
    """Return indptr, index and share of links sorted by group, then member."""
    order = np.lexsort((member, group))
    count = np.bincount(group, minlength=n)
    indptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    return indptr, member[order], share[order]


def _push(row: tuple[Array, Array, Array], weight: Array, n: int) -> Array:
    """Return U'w."""
    indptr, buyer, share = row
    return np.bincount(buyer, share * np.repeat(weight, np.diff(indptr)), n)


def _slots(arrays: CascadeArrays, rank: Array, n: int) -> tuple[Array, ...]:
    """Return D by supplier and D by slot, slots renumbered with their buyers."""
    n_slots = len(arrays.slot_buyer)
    supplier = np.repeat(np.arange(n), np.diff(arrays.down_indptr))
    slot_order = np.argsort(rank[arrays.slot_buyer], kind="stable")
    new_slot = np.empty(n_slots, np.int64)
    new_slot[slot_order] = np.arange(n_slots)
    slot_buyer = rank[arrays.slot_buyer][slot_order]
    slot, source = new_slot[arrays.down_slot], rank[supplier]
    by_supplier = np.lexsort((slot, source))
    by_slot = np.lexsort((source, slot))
    count = np.bincount(source, minlength=n)
    needs = np.bincount(slot, minlength=n_slots)
    buyers, n_own = np.unique(slot_buyer, return_counts=True)
    return (
        np.concatenate([[0], np.cumsum(count)]).astype(np.int32),
        slot[by_supplier].astype(np.int32),
        arrays.down_share[by_supplier],
        slot_buyer.astype(np.int32),
        buyers.astype(np.int32),
        np.concatenate([[0], np.cumsum(n_own)]).astype(np.int32),
        np.concatenate([[0], np.cumsum(needs)]).astype(np.int32),
        source[by_slot].astype(np.int32),
        arrays.down_share[by_slot],
    )
