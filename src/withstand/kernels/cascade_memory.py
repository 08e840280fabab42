"""What the cascade kernels read and write: tuples of arrays, and how to make them.

Named tuples break the house rule of loose arrays, as in `withstand.kernels.dynamics`: there would
be more than forty of them. To numba a named tuple is nothing but its arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from withstand.kernels.lanes import N_LANES

DENSE_FROM, DENSE_SHARE = 100, 32
"""A round of the general kernel goes through all nodes from this many, or one in so many, on."""


class CascadeArrays(NamedTuple):
    """A network as losses see it; make it read-only.

    Parameters
    ----------
    size : ndarray of float64, shape (n_nodes,), one unit per market
        s: what a node counts for in its market.
    market : ndarray of int64, shape (n_nodes,)
        Who can replace whom.
    market_size : ndarray of float64, shape (n_markets,)
    market_indptr, market_node : ndarray of int64, shape (n_markets + 1,), (n_nodes,)
        The nodes of each market.
    up_indptr, up_supplier : ndarray of int64, shape (n_nodes + 1,), (n_links,)
        Suppliers of each buyer.
    up_share : ndarray of float64, shape (n_links,)
        U: share of the supplier's sales.
    down_indptr, down_slot : ndarray of int64, shape (n_nodes + 1,), (n_down_links,)
        Slots that each supplier serves.
    down_share : ndarray of float64, shape (n_down_links,)
        D: share of what the slot needs.
    slot_indptr, slot_buyer : ndarray of int64, shape (n_nodes + 1,), (n_slots,)
        Slots of each buyer, and the buyer of each slot.
    """

    size: np.ndarray
    market: np.ndarray
    market_size: np.ndarray
    market_indptr: np.ndarray
    market_node: np.ndarray
    up_indptr: np.ndarray
    up_supplier: np.ndarray
    up_share: np.ndarray
    down_indptr: np.ndarray
    down_slot: np.ndarray
    down_share: np.ndarray
    slot_indptr: np.ndarray
    slot_buyer: np.ndarray


class CascadeWork(NamedTuple):
    """The state of one scenario; made by `new_work`, empty again after `clear`.

    Parameters
    ----------
    down, up : ndarray of float64, shape (n_nodes,), 0 to 1
        Losses d and u.
    psi_down, psi_up : ndarray of float64, shape (n_nodes,), 0 to 1
        Losses at the start.
    passed : ndarray of float64, shape (n_nodes,)
        sigma d as last passed on to buyers.
    up_sum, up_change : ndarray of float64, shape (n_nodes,)
        sum U u, and the last change of u.
    slot_sum : ndarray of float64, shape (n_slots,)
    available : ndarray of float64, shape (n_markets,)
    down_list, up_list : ndarray of int64, shape (n_nodes,)
        Nodes with a loss, in the order they were hit.
    changed, touched : ndarray of int64, shape (n_nodes,)
        Nodes whose u changed in the last round; nodes that a round may change.
    mark, market_mark : ndarray of int64, shape (n_nodes,), (n_markets,)
    is_hit_down, is_hit_up : ndarray of int64, shape (n_nodes,)
        1 for nodes on the lists.
    round_down, round_up : ndarray of int64, shape (n_nodes,)
        Round in which a node was first hit (0: by the scenario itself).
    counts : ndarray of int64, shape (5,)
        Lengths of down_list, up_list and changed; rounds so far; how many nodes on a list make a
        round go through all nodes.
    """

    down: np.ndarray
    up: np.ndarray
    psi_down: np.ndarray
    psi_up: np.ndarray
    passed: np.ndarray
    up_sum: np.ndarray
    up_change: np.ndarray
    slot_sum: np.ndarray
    available: np.ndarray
    down_list: np.ndarray
    up_list: np.ndarray
    changed: np.ndarray
    touched: np.ndarray
    mark: np.ndarray
    market_mark: np.ndarray
    is_hit_down: np.ndarray
    is_hit_up: np.ndarray
    round_down: np.ndarray
    round_up: np.ndarray
    counts: np.ndarray


def new_work(arrays: CascadeArrays, dense_from: int | None = None) -> CascadeWork:
    """Return a workspace without losses: about 150 bytes a node and 8 a slot."""
    n, m = len(arrays.size), len(arrays.market_size)
    dense = max(DENSE_FROM, n // DENSE_SHARE) if dense_from is None else dense_from
    numbers = {
        name: np.zeros(n)
        for name in ("down", "up", "psi_down", "psi_up", "passed", "up_sum", "up_change")
    }
    lists = {
        name: np.zeros(n, np.int64)
        for name in (
            "down_list", "up_list", "changed", "touched", "mark",
            "is_hit_down", "is_hit_up", "round_down", "round_up",
        )
    }  # fmt: skip
    return CascadeWork(
        slot_sum=np.zeros(len(arrays.slot_buyer)),
        available=arrays.market_size.copy(),
        market_mark=np.zeros(m, np.int64),
        counts=np.array([0, 0, 0, 0, dense], np.int64),
        **numbers,
        **lists,
    )


def read_only(arrays: CascadeArrays) -> CascadeArrays:
    """Return the arrays contiguous and read-only, so that kernels are compiled once."""
    fixed = {}
    for name, values in arrays._asdict().items():
        array = np.ascontiguousarray(values).view()
        array.flags.writeable = False
        fixed[name] = array
    return arrays._replace(**fixed)


class FastArrays(NamedTuple):
    """A network for the fast kernels: nodes renumbered by falling degree, indices of 32 bits.

    `rank` is the new number of each node; the other arrays are in new numbers.

    Parameters
    ----------
    rank : ndarray of int64, shape (n_nodes,)
    weight, size : ndarray of float64, shape (n_nodes,)
    market : ndarray of int32, shape (n_nodes,)
    market_size : ndarray of float64, shape (n_markets,)
    row_indptr, row_buyer, row_share : shape (n_nodes + 1,), (n_links,), (n_links,)
        U by supplier, to pull from buyers.
    column_indptr, column_supplier, column_share : as before
        U by buyer, to push to suppliers.
    next_weight : ndarray of float64, shape (n_nodes,)
        U'w: what a node's loss weighs one round later.
    later_weight : ndarray of float64, shape (n_nodes,)
        U'U'w: what it weighs two rounds later.
    down_indptr, down_slot, down_share : shape (n_nodes + 1,), (n_down,), (n_down,)
        D by supplier, to push to slots.
    slot_buyer : ndarray of int32, shape (n_slots,)
    buyers : ndarray of int32, shape (n_buyers,)
        Nodes that have slots.
    need_indptr, need_supplier, need_share : shape (n_buyers + 1,), (n_needs,), (n_needs,)
        D by buyer and slot, to pull from suppliers; the first share of each slot is negated, and
        shares of 0 are left out.
    market_indptr, market_node : shape (n_markets + 1,), (n_nodes,)
        The nodes of each market.
    """

    rank: np.ndarray
    weight: np.ndarray
    size: np.ndarray
    market: np.ndarray
    market_size: np.ndarray
    row_indptr: np.ndarray
    row_buyer: np.ndarray
    row_share: np.ndarray
    column_indptr: np.ndarray
    column_supplier: np.ndarray
    column_share: np.ndarray
    next_weight: np.ndarray
    later_weight: np.ndarray
    down_indptr: np.ndarray
    down_slot: np.ndarray
    down_share: np.ndarray
    slot_buyer: np.ndarray
    buyers: np.ndarray
    need_indptr: np.ndarray
    need_supplier: np.ndarray
    need_share: np.ndarray
    market_indptr: np.ndarray
    market_node: np.ndarray


class EasyWork(NamedTuple):
    """State of one failure; made by `new_easy_work`, empty again after use.

    up, change, pushed, bound, ahead, down, passed, slot_most: ndarray of float64, shape (n_nodes,)
    (losses, last changes, changes being pushed, bounds, changes one round ahead where known, ...);
    slot_sum (n_slots,); available (n_markets,); lists and marks of int32; counts of int64.
    """

    up: np.ndarray
    change: np.ndarray
    pushed: np.ndarray
    bound: np.ndarray
    ahead: np.ndarray
    down: np.ndarray
    passed: np.ndarray
    slot_most: np.ndarray
    slot_sum: np.ndarray
    available: np.ndarray
    up_list: np.ndarray
    now_list: np.ndarray
    next_list: np.ndarray
    down_list: np.ndarray
    risen_list: np.ndarray
    known_list: np.ndarray
    slot_list: np.ndarray
    up_mark: np.ndarray
    down_mark: np.ndarray
    counts: np.ndarray


def new_easy_work(fast) -> EasyWork:
    """Return an empty workspace: about 100 bytes a node."""
    n, n_slots = len(fast.size), len(fast.slot_buyer)
    up, change, pushed = (np.zeros(n) for _ in range(3))
    parts: list[Any] = [
        up,
        change,
        pushed,
        pushed,  # bounds: both are zero whenever the other is in use
        np.full(n, -1.0),
        *(np.zeros(n) for _ in range(3)),
        np.zeros(n_slots),
        fast.market_size.copy(),
        *(np.zeros(n + 1, np.int32) for _ in range(6)),
        np.zeros(n_slots + 1, np.int32),
        *(np.zeros(n, np.int32) for _ in range(2)),
        np.zeros(8, np.int64),
    ]
    return EasyWork(*parts)


class LaneWork(NamedTuple):
    """State of the lanes; made by `new_lane_work`, empty again after use.

    `down`, `up`, `next_up` have shape (n_nodes, N_LANES), `available` and `inverse`
    (n_markets, N_LANES); the small ones hold one number a lane. `at_rest` is the availability of
    markets by nodes without slots.
    """

    down: np.ndarray
    up: np.ndarray
    next_up: np.ndarray
    available: np.ndarray
    inverse: np.ndarray
    at_rest: np.ndarray
    place: np.ndarray
    top_down: np.ndarray
    top_up: np.ndarray
    spare: np.ndarray
    before: np.ndarray
    keep: np.ndarray
    sums: np.ndarray
    failed: np.ndarray
    order: np.ndarray
    job: np.ndarray
    rounds: np.ndarray


def new_lane_work(fast: FastArrays) -> LaneWork:
    """Return lanes that are free: 192 bytes a node."""
    n, m = len(fast.size), len(fast.market_size)
    place = np.full(n, -1, dtype=np.int64)
    place[fast.buyers] = np.arange(len(fast.buyers))
    at_rest = np.bincount(fast.market[place < 0], fast.size[place < 0], m).astype(np.float64)
    states = _lines(n, n, n, m, m)
    states[3][:] = fast.market_size[:, None]
    parts: list[Any] = [
        *states,
        at_rest,
        place,
        *(np.zeros(N_LANES) for _ in range(5)),
        np.zeros((3, N_LANES)),
        *(np.full(N_LANES, -1, dtype=np.int64) for _ in range(4)),
    ]
    return LaneWork(*parts)


def _lines(*counts: int) -> list[np.ndarray]:
    """Return zeros of shape (count, N_LANES), one after the other, whose rows are cache lines.

    Numpy starts arrays anywhere: rows across two lines made a sweep half as long again.
    """
    width = N_LANES * np.dtype(np.float64).itemsize
    room = np.zeros((sum(counts) + 1) * N_LANES)
    skip = -room.ctypes.data % width // room.itemsize
    rows = room[skip : skip + sum(counts) * N_LANES].reshape(-1, N_LANES)
    return np.split(rows, np.cumsum(counts)[:-1])
