"""Eight failures side by side: every link is read once a round for all of them.

State is kept as [node, lane]: what one link gathers from a node is one cache line for eight
failures. A lane that is done is cleared and filled with the next failure at once. The rules and the
stop rule are those of `withstand.kernels.cascade`; every sum is taken afresh each round.
"""

from __future__ import annotations

import numpy as np

from withstand.kernels import lanes
from withstand.kernels.borrowed_arrays import njit_borrowing
from withstand.kernels.cascade import EMPTY, REPLACE_NONE, REPLACE_RELATIVE
from withstand.kernels.cascade_easy import HARD, fail
from withstand.kernels.cascade_sparse import N_DOWN, N_UP, clear, enter

N_LANES = lanes.N_LANES
_FREE = np.int64(-1)


@njit_borrowing
def single_failures(fast, nodes, eps, rule, most_rounds, caps, work, lane, out, rounds):
    """Let nodes fail alone: what is easy at once, the rest in lanes.

    Parameters
    ----------
    fast : FastArrays
        Rows of U sum to at most 1.
    nodes : ndarray of int64, shape (n_failures,)
        In the numbers of `fast`.
    eps, rule, most_rounds
        As in `withstand.kernels.cascade.single_failures`.
    caps : ndarray of int64, shape (3,)
        Links that a failure may push a round, upstream and downstream, and may pull to finish,
        before it enters a lane.
    work : EasyWork
    lane : LaneWork
        Both empty; written in place and left empty.
    out : ndarray of float64, shape (n_failures, 3)
    rounds : ndarray of int64, shape (n_failures,)
        Written in place: the index and its parts; rounds, -1 where most_rounds did not do.
    """
    upcoming, n_active = 0, 0
    flip = False
    while True:
        up = lane.next_up if flip else lane.up
        next_up = lane.up if flip else lane.next_up
        for k in range(N_LANES):
            while lane.job[k] == _FREE and upcoming < len(nodes):
                z = upcoming
                upcoming += 1
                rounds[z] = fail(fast, nodes[z], eps, rule, caps, work, out[z])
                if rounds[z] == HARD:
                    lane.job[k] = z
                    lane.rounds[k] = enter(fast, nodes[z], rule, caps, work)
                    lane.failed[k] = nodes[z]
                    _scatter(fast, k, up, work, lane)
                    n_active += 1
                clear(fast, work)
        if n_active == 0:
            up[:] = 0.0  # the lanes cleared only the buffer that was written last
            next_up[:] = 0.0
            return
        _round(fast, rule, up, next_up, lane)
        flip = not flip
        n_active -= _finish(fast, eps, most_rounds, next_up, lane, out, rounds)


@njit_borrowing
def _scatter(fast, k, up, work, lane):
    """Copy the state of the first rounds into lane k."""
    for q in range(work.counts[N_DOWN]):
        node = work.down_list[q]
        lane.down[node, k] = work.down[node]
        lane.available[fast.market[node], k] = work.available[fast.market[node]]
    for q in range(work.counts[N_UP]):
        node = work.up_list[q]
        up[node, k] = work.up[node]


@njit_borrowing
def _round(fast, rule, up, next_up, lane):  # noqa: C901 (rows split at the failed nodes)
    """Play one round of all lanes; the failed node of each lane stays at its loss of 1.

    What nodes pass on downstream stands in `next_up` until that is written: memory is what counts.
    """
    _invert(fast, rule, lane)
    passed = next_up
    lanes.pass_on(lane.down, lane.inverse, fast.size, fast.market, passed, 0, len(fast.size))
    for m in range(len(lane.at_rest)):
        for k in range(N_LANES):
            lane.available[m, k] = lane.at_rest[m]
    for k in range(N_LANES):
        lane.top_down[k] = 0.0
        lane.top_up[k] = 0.0
        f = lane.failed[k]
        if f >= 0 and lane.place[f] < 0:
            lane.available[fast.market[f], k] -= fast.size[f]
    order = lane.order
    _sort(lane.failed, order)
    first = np.int64(0)  # a plain 0 would be compiled apart
    for q in range(N_LANES):
        f = order[q]
        if f < 0 or lane.place[f] < first:
            continue
        _down_rows(fast, first, lane.place[f], passed, lane.top_down, lane)
        first = lane.place[f] + 1
        _down_failed(fast, f, passed, lane)
    _down_rows(fast, first, len(fast.buyers), passed, lane.top_down, lane)
    first = np.int64(0)
    for q in range(N_LANES):
        f = order[q]
        if f < first:
            continue
        _up_rows(fast, first, f, up, next_up, lane.top_up)
        first = f + 1
        for k in range(N_LANES):
            lane.spare[k] = 0.0
        _up_rows(fast, f, first, up, next_up, lane.spare)
        for k in range(N_LANES):
            if lane.failed[k] == f:
                next_up[f, k] = 1.0
            else:
                lane.top_up[k] = max(lane.top_up[k], lane.spare[k])
    _up_rows(fast, first, len(fast.size), up, next_up, lane.top_up)


@njit_borrowing
def _sort(values, out):
    """Write the values in rising order."""
    for k in range(len(values)):
        place = k
        while place > 0 and out[place - 1] > values[k]:
            out[place] = out[place - 1]
            place -= 1
        out[place] = values[k]


@njit_borrowing
def _invert(fast, rule, lane):
    """Write 1 / availability, negative where sigma is 1 whatever the size."""
    for m in range(len(fast.market_size)):
        for k in range(N_LANES):
            left = lane.available[m, k]
            if rule == REPLACE_NONE:
                lane.inverse[m, k] = -1.0
            elif rule == REPLACE_RELATIVE:
                dead = left <= EMPTY * fast.market_size[m]
                lane.inverse[m, k] = -1.0 if dead else 1.0 / left
            else:
                lane.inverse[m, k] = 1.0 / left if left > EMPTY else 1.0


@njit_borrowing
def _down_rows(fast, first, last, passed, top, lane):
    lanes.down_rows(
        fast.buyers, fast.need_indptr, fast.need_supplier, fast.need_share,
        passed, lane.down, fast.size, fast.market, lane.available, top, first, last,
    )  # fmt: skip


@njit_borrowing
def _down_failed(fast, f, passed, lane):
    """Update the row of a failed node, which stays at 1 in its own lane."""
    for k in range(N_LANES):
        lane.spare[k] = 0.0
    place, market = lane.place[f], fast.market[f]
    before = lane.before
    for k in range(N_LANES):
        before[k] = lane.available[market, k]
    _down_rows(fast, place, place + 1, passed, lane.spare, lane)
    for k in range(N_LANES):
        if lane.failed[k] == f:
            lane.down[f, k] = 1.0
            lane.available[market, k] = before[k]
        else:
            lane.top_down[k] = max(lane.top_down[k], lane.spare[k])


@njit_borrowing
def _up_rows(fast, first, last, up, next_up, top):
    lanes.up_rows(fast.row_indptr, fast.row_buyer, fast.row_share, up, next_up, top, first, last)


@njit_borrowing
def _finish(fast, eps, most_rounds, up, lane, out, rounds):
    """Add up and clear the lanes that are done; return how many."""
    n_done = 0
    for k in range(N_LANES):
        lane.keep[k] = 1.0
        if lane.job[k] != _FREE:
            lane.rounds[k] += 1
            is_done = max(lane.top_down[k], lane.top_up[k]) <= eps
            if is_done or lane.rounds[k] >= most_rounds:
                rounds[lane.job[k]] = lane.rounds[k] if is_done else -1
                lane.keep[k] = 0.0
                n_done += 1
    if n_done == 0:
        return 0
    lane.sums[:] = 0.0
    lanes.add_up(lane.down, up, fast.weight, lane.keep, lane.sums, 0, len(fast.size))
    for k in range(N_LANES):
        if lane.keep[k] == 0.0:
            z = lane.job[k]
            for c in range(3):
                out[z, c] = lane.sums[c, k]
            lane.job[k] = _FREE
            lane.failed[k] = _FREE
            for m in range(len(fast.market_size)):
                lane.available[m, k] = fast.market_size[m]
    return n_done
