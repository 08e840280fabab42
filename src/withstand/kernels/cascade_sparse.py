"""One failure, sparse: rounds upstream and downstream that cost what they touch.

Both channels push changes, as in `withstand.kernels.cascade`, but apart: each is played as far as
it is wanted. Indices have 32 bits, lists have no flags where a zero tells that a node is new to
them, and the largest slot of a buyer only rises. A market nearly empty is left to the lanes, which
sum availability afresh.
"""

from __future__ import annotations

import numpy as np

from withstand.kernels.borrowed_arrays import njit_borrowing
from withstand.kernels.cascade import REPLACE_NONE

_SCARCE = np.float64(1e-6)  # share of a market left below which sums by differences are not trusted
_AFRESH = np.float64(1e-2)  # the same where a failure enters a lane, which sums afresh anyway
_LISTED, _RISEN = np.int64(1), np.int64(2)

# work.counts
N_UP, N_NOW, N_DOWN, N_SLOT, N_KNOWN, ROUND = (np.int64(k) for k in range(6))
_ALL = np.int64(-1)  # of N_KNOWN


@njit_borrowing
def start_up(f, work):
    """Begin upstream: the failed node has lost all."""
    work.up[f] = 1.0
    work.change[f] = 1.0
    work.up_list[0] = f
    work.now_list[0] = f
    work.up_mark[f] = 1
    work.counts[N_UP] = 1
    work.counts[N_NOW] = 1
    work.counts[ROUND] = 0


@njit_borrowing
def start_down(fast, f, work):
    """Begin downstream: the failed node has lost all, and its market misses it."""
    work.down[f] = 1.0
    work.down_list[0] = f
    work.down_mark[f] = _LISTED
    work.counts[N_DOWN] = 1
    work.available[fast.market[f]] -= fast.size[f]


@njit_borrowing
def push_cost(fast, work):
    """Return how many links a full round upstream pushes."""
    cost = 0
    for q in range(work.counts[N_NOW]):
        j = work.now_list[q]
        cost += fast.column_indptr[j + 1] - fast.column_indptr[j]
    return cost


@njit_borrowing
def push(fast, f, work):
    """Play a full round upstream: the changes of the last one go to suppliers."""
    n_next = 0
    for q in range(work.counts[N_NOW]):
        j = work.now_list[q]
        c = work.change[j]
        work.change[j] = 0.0
        for p in range(fast.column_indptr[j], fast.column_indptr[j + 1]):
            i = fast.column_supplier[p]
            old = work.pushed[i]
            new = old + fast.column_share[p] * c
            work.next_list[n_next] = i
            n_next += (old == 0.0) & (new > 0.0)
            work.pushed[i] = new
    n_now, n_up = 0, work.counts[N_UP]
    for q in range(n_next):
        i = work.next_list[q]
        c = work.pushed[i]
        work.pushed[i] = 0.0
        if i != f:
            work.up[i] += c
            work.change[i] = c
            work.now_list[n_now] = i
            n_now += 1
            work.up_list[n_up] = i
            n_up += work.up_mark[i] == 0
            work.up_mark[i] = 1
    work.counts[N_NOW] = n_now
    work.counts[N_UP] = n_up


@njit_borrowing
def pull(fast, i, change):
    """Return (U change)_i."""
    total = 0.0
    for p in range(fast.row_indptr[i], fast.row_indptr[i + 1]):
        total += fast.row_share[p] * change[fast.row_buyer[p]]
    return total


@njit_borrowing
def down_is_hard(fast, f, rule, cap, work):
    """Tell whether the next round downstream is too dear, or a market it uses nearly empty."""
    cost = 0
    for q in range(work.counts[N_DOWN]):
        i = work.down_list[q]
        n_links = fast.down_indptr[i + 1] - fast.down_indptr[i]
        cost += n_links
        if rule != REPLACE_NONE and n_links > 0:
            m = fast.market[i]
            if work.available[m] <= max(_SCARCE * fast.market_size[m], _SCARCE):
                # exact while the failed node is alone in its market, and sigma is 1 for it
                is_alone = work.counts[N_DOWN] == 1 and work.available[m] == 0.0
                if not (is_alone and fast.size[f] >= 1.0):
                    return True
    return cost > cap


@njit_borrowing
def step_down(fast, rule, work):
    """Play one round downstream; return its largest change."""
    n_risen, n_slot = 0, work.counts[N_SLOT]
    for q in range(work.counts[N_DOWN]):
        i = work.down_list[q]
        first, last = fast.down_indptr[i], fast.down_indptr[i + 1]
        if first == last:
            continue
        passed = work.down[i]
        left = work.available[fast.market[i]]
        if rule != REPLACE_NONE and left > 0.0:
            passed *= min(1.0, fast.size[i] / left)
        c = passed - work.passed[i]
        if c <= 0.0:
            continue
        work.passed[i] = passed
        for p in range(first, last):
            s = fast.down_slot[p]
            old = work.slot_sum[s]
            total = old + fast.down_share[p] * c
            work.slot_list[n_slot] = s
            n_slot += (old == 0.0) & (total > 0.0)
            work.slot_sum[s] = total
            j = fast.slot_buyer[s]
            if total > work.slot_most[j]:
                work.slot_most[j] = total
                work.risen_list[n_risen] = j
                mark = work.down_mark[j]
                n_risen += (mark & _RISEN) == 0
                work.down_mark[j] = mark | _RISEN
    work.counts[N_SLOT] = n_slot
    largest, n_down = 0.0, work.counts[N_DOWN]
    for q in range(n_risen):
        j = work.risen_list[q]
        mark = work.down_mark[j]
        work.down_mark[j] = _LISTED
        old, new = work.down[j], min(1.0, work.slot_most[j])
        if new > old:
            largest = max(largest, (1.0 - old) - (1.0 - new))
            work.available[fast.market[j]] -= fast.size[j] * (new - old)
            work.down[j] = new
        if (mark & _LISTED) == 0:
            work.down_list[n_down] = j
            n_down += 1
    work.counts[N_DOWN] = n_down
    return largest


@njit_borrowing
def enter(fast, f, rule, caps, work):
    """Bring both channels of a hard failure to the same round; return it.

    The rounds upstream that `fail` has played are kept where downstream can follow at its cap.
    """
    clear_down(fast, work)
    start_down(fast, f, work)
    wanted, t = work.counts[ROUND], 0
    while t < wanted and not down_is_hard(fast, f, rule, caps[1], work):
        step_down(fast, rule, work)
        t += 1
    if t < wanted:
        clear_up(work)
        start_up(f, work)
        for _ in range(t):
            push(fast, f, work)
    for q in range(work.counts[N_DOWN]):
        m = fast.market[work.down_list[q]]
        if work.available[m] <= _AFRESH * fast.market_size[m]:
            left = 0.0
            for p in range(fast.market_indptr[m], fast.market_indptr[m + 1]):
                left += fast.size[fast.market_node[p]] * (1.0 - work.down[fast.market_node[p]])
            work.available[m] = left
    return t


@njit_borrowing
def clear(fast, work):
    """Forget one failure at the cost of what it touched."""
    clear_up(work)
    clear_down(fast, work)
    forget_ahead(work)


@njit_borrowing
def clear_up(work):
    """Forget the losses upstream."""
    for q in range(work.counts[N_UP]):
        i = work.up_list[q]
        work.up[i] = 0.0
        work.change[i] = 0.0
        work.up_mark[i] = 0
    work.counts[N_UP] = 0
    work.counts[N_NOW] = 0


@njit_borrowing
def clear_down(fast, work):
    """Forget the losses downstream."""
    for q in range(work.counts[N_DOWN]):
        i = work.down_list[q]
        work.down[i] = 0.0
        work.passed[i] = 0.0
        work.slot_most[i] = 0.0
        work.down_mark[i] = 0
        work.available[fast.market[i]] = fast.market_size[fast.market[i]]
    for q in range(work.counts[N_SLOT]):
        work.slot_sum[work.slot_list[q]] = 0.0
    work.counts[N_DOWN] = 0
    work.counts[N_SLOT] = 0


@njit_borrowing
def change_ahead(fast, f, i, work):
    """Return the change of node i in the next round; pulled once, then remembered."""
    if i == f:
        return 0.0
    if work.ahead[i] < 0.0:
        work.ahead[i] = pull(fast, i, work.change)
        work.known_list[work.counts[N_KNOWN]] = i
        work.counts[N_KNOWN] += 1
    return work.ahead[i]


@njit_borrowing
def push_ahead(fast, work):
    """Find all changes of the next round at once, without lists: a full round costs thrice that."""
    work.ahead[:] = 0.0
    work.counts[N_KNOWN] = _ALL
    for q in range(work.counts[N_NOW]):
        j = work.now_list[q]
        c = work.change[j]
        for p in range(fast.column_indptr[j], fast.column_indptr[j + 1]):
            work.ahead[fast.column_supplier[p]] += fast.column_share[p] * c


@njit_borrowing
def forget_ahead(work):
    """Forget which changes one round ahead are known."""
    if work.counts[N_KNOWN] == _ALL:
        work.ahead[:] = -1.0
    for q in range(work.counts[N_KNOWN]):
        work.ahead[work.known_list[q]] = -1.0
    work.counts[N_KNOWN] = 0
