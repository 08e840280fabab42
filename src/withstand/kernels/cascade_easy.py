"""Single failures that touch little: the index without the last, dearest rounds.

Most failures stop after a few rounds, and the last rounds reach almost every node with changes too
small to matter to the stop rule. They are not played. With f the failed node, c the upstream
changes of the round just played, U' w and U' U' w known for all nodes, and P = identity without f:

    loss of the next round      w'P U c      = (U'w)'c - w_f (U c)_f
    of the one after it         w'P U P U c  = (U'U'w)'c - (U'w)_f (U c)_f - w_f sum_j U_fj (P U c)_j

and where a node also loses downstream, which channel is worse is found by pulling its few rows.

When the stop rule holds is found exactly, by elimination: rows of U sum to at most 1, so upstream
changes never grow again, and a row i can exceed eps only if  sum_j U_ij max(0, c_j - x) + x > eps;
with x = eps / 2, only the few c_j > eps / 2 have to be pushed to name the candidates.

What is not easy goes to `withstand.kernels.cascade_lanes`: too many links to push, or a market
nearly empty.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from withstand.kernels.cascade import REPLACE_NONE

HARD = -2
_SCARCE = np.float64(1e-6)  # share of a market left below which sums by differences are not trusted
_AFRESH = np.float64(1e-2)  # the same where a failure enters a lane, which sums afresh anyway
_YES, _NO, _DEAR = np.int64(1), np.int64(0), np.int64(2)
_LISTED, _RISEN = np.int64(1), np.int64(2)

# work.count
N_UP, _N_NOW, N_DOWN, _N_SLOT, _N_KNOWN = (np.int64(k) for k in range(5))
_ROUND = np.int64(5)


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
    slot_indptr : ndarray of int32, shape (n_buyers + 1,)
    need_indptr, need_supplier, need_share : shape (n_slots + 1,), (n_down,), (n_down,)
        D by slot, to pull from suppliers.
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
    slot_indptr: np.ndarray
    need_indptr: np.ndarray
    need_supplier: np.ndarray
    need_share: np.ndarray
    market_indptr: np.ndarray
    market_node: np.ndarray


class EasyWork(NamedTuple):
    """State of one failure; made by `new_easy_work`, empty again after use.

    up, change, pushed, bound, ahead, down, passed, slot_most: ndarray of float64, shape (n_nodes,)
    (losses, last changes, changes being pushed, bounds, changes one round ahead where known, ...);
    slot_sum (n_slots,); available (n_markets,); lists and marks of int32; count of int64.
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
    count: np.ndarray


def new_easy_work(fast) -> EasyWork:
    """Return an empty workspace: about 100 bytes a node."""
    n, n_slots = len(fast.size), len(fast.slot_buyer)
    return EasyWork(
        *(np.zeros(n) for _ in range(4)),
        np.full(n, -1.0),
        *(np.zeros(n) for _ in range(3)),
        np.zeros(n_slots),
        fast.market_size.copy(),
        *(np.zeros(n + 1, np.int32) for _ in range(6)),
        np.zeros(n_slots + 1, np.int32),
        *(np.zeros(n, np.int32) for _ in range(2)),
        np.zeros(8, np.int64),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def fail(fast, f, eps, rule, caps, work, out):
    """Let one node fail.

    Parameters
    ----------
    fast : FastArrays
        Rows of U sum to at most 1.
    f : int
        The node, in the numbers of `fast`.
    eps : float
    rule : int
        REPLACE_NONE, REPLACE_RELATIVE or REPLACE_PARITY.
    caps : ndarray of int64, shape (3,)
        Links that a round may push upstream, downstream, and that may be pulled to finish.
    work : EasyWork
        Empty; written in place. To be left to `enter` and `clear`.
    out : ndarray of float64, shape (3,)
        Written in place.

    Returns
    -------
    int
        Rounds, or HARD: too many links, or a market nearly empty.
    """
    _start_up(f, work)
    t, last_up, last = 0, 0, 0
    while True:
        cost = _push_cost(fast, work)
        if last_up == 0 and _next_exceeds(fast, f, eps, work) == _NO:
            last_up = t + 1
        if last_up == 0 and cost > caps[0]:
            if _later_exceeds(fast, f, eps, caps[2], work) != _NO:
                return HARD
            last_up = t + 2
        if last_up > 0 and last == 0:
            last = _play_down(fast, f, eps, rule, last_up, caps[1], work)
            if last == HARD:
                return HARD
        if last > 0 and last - t <= 2:
            ahead = last - t
            dear = _pull_cost(fast, f, ahead, caps[2], work)
            if ahead == 0 or dear <= (cost if cost <= caps[0] else caps[2]):
                _settle(fast, f, ahead, work, out)
                return last
        if cost > caps[0]:
            return HARD
        _push(fast, f, work)
        t += 1
        work.count[_ROUND] = t


@njit(cache=True, nogil=True, error_model="numpy")
def _push_cost(fast, work):
    """Return how many links a full round upstream pushes."""
    cost = 0
    for q in range(work.count[_N_NOW]):
        j = work.now_list[q]
        cost += fast.column_indptr[j + 1] - fast.column_indptr[j]
    return cost


@njit(cache=True, nogil=True, error_model="numpy")
def _push(fast, f, work):
    """Play a full round upstream: the changes of the last one go to suppliers."""
    n_next = 0
    for q in range(work.count[_N_NOW]):
        j = work.now_list[q]
        c = work.change[j]
        work.change[j] = 0.0
        for p in range(fast.column_indptr[j], fast.column_indptr[j + 1]):
            i = fast.column_supplier[p]
            old = work.pushed[i]
            work.next_list[n_next] = i
            n_next += old == 0.0
            work.pushed[i] = old + fast.column_share[p] * c
    n_now, n_up = 0, work.count[N_UP]
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
    work.count[_N_NOW] = n_now
    work.count[N_UP] = n_up


@njit(cache=True, nogil=True, error_model="numpy")
def _candidates(fast, threshold, work):
    """Push what changes exceed the threshold by; list the rows reached in next_list."""
    n_next = 0
    for q in range(work.count[_N_NOW]):
        j = work.now_list[q]
        c = work.change[j] - threshold
        if c > 0.0:
            for p in range(fast.column_indptr[j], fast.column_indptr[j + 1]):
                i = fast.column_supplier[p]
                old = work.bound[i]
                work.next_list[n_next] = i
                n_next += old == 0.0
                work.bound[i] = old + fast.column_share[p] * c
    return n_next


@njit(cache=True, nogil=True, error_model="numpy")
def _pull(fast, i, change):
    """Return (U change)_i."""
    total = 0.0
    for p in range(fast.row_indptr[i], fast.row_indptr[i + 1]):
        total += fast.row_share[p] * change[fast.row_buyer[p]]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _exceeds(old, rise, eps):
    """Tell whether h = 1 - loss falls by more than eps, rounded as the published rule rounds."""
    return (1.0 - old) - (1.0 - (old + rise)) > eps


@njit(cache=True, nogil=True, error_model="numpy")
def _next_exceeds(fast, f, eps, work):
    """Tell whether the next round upstream changes any node by more than eps: exact."""
    answer, half = _NO, 0.5 * eps
    # what rounding adds to a row: far above the error of a sum, far below eps
    margin = 1e-9 * eps
    n = _candidates(fast, half, work)
    for q in range(n):
        i = work.next_list[q]
        bound = work.bound[i]
        work.bound[i] = 0.0
        if answer == _NO and i != f and bound + half > eps - margin:
            if _exceeds(work.up[i], _pull(fast, i, work.change), eps):
                answer = _YES
    return answer


@njit(cache=True, nogil=True, error_model="numpy")
def _change_ahead(fast, f, i, work):
    """Return the change of node i in the next round; pulled once, then remembered."""
    if i == f:
        return 0.0
    if work.ahead[i] < 0.0:
        work.ahead[i] = _pull(fast, i, work.change)
        work.known_list[work.count[_N_KNOWN]] = i
        work.count[_N_KNOWN] += 1
    return work.ahead[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _forget_ahead(work):
    for q in range(work.count[_N_KNOWN]):
        work.ahead[work.known_list[q]] = -1.0
    work.count[_N_KNOWN] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _later_exceeds(fast, f, eps, cap, work):
    """Tell whether the round after the next changes any node by more than eps, or is too dear.

    Rows of the next round above eps / 2 are found exactly; only they can make candidates for the
    round after it, whose rows are pulled through both rounds.
    """
    quarter, half, margin = 0.25 * eps, 0.5 * eps, 1e-9 * eps
    n = _candidates(fast, quarter, work)
    n_big = 0
    for q in range(n):
        i = work.next_list[q]
        bound = work.bound[i]
        work.bound[i] = 0.0
        if i != f and bound + quarter > half - margin and _change_ahead(fast, f, i, work) > half:
            work.next_list[n_big] = i
            n_big += 1
    # candidates of the round after: push from the big ones
    answer, n_reached = _NO, 0
    for q in range(n_big):
        j = work.next_list[q]
        c = work.ahead[j] - half
        for p in range(fast.column_indptr[j], fast.column_indptr[j + 1]):
            i = fast.column_supplier[p]
            old = work.bound[i]
            work.risen_list[n_reached] = i
            n_reached += old == 0.0
            work.bound[i] = old + fast.column_share[p] * c
    pulled = 0
    for q in range(n_reached):
        i = work.risen_list[q]
        bound = work.bound[i]
        work.bound[i] = 0.0
        if answer == _NO and i != f and bound + half > eps - margin:
            if bound > eps + margin:
                answer = _YES
                continue
            rise = 0.0
            for p in range(fast.row_indptr[i], fast.row_indptr[i + 1]):
                j = fast.row_buyer[p]
                pulled += fast.row_indptr[j + 1] - fast.row_indptr[j]
                rise += fast.row_share[p] * _change_ahead(fast, f, j, work)
                if pulled > cap:
                    answer = _DEAR
                    break
            if answer == _NO and _exceeds(work.up[i] + _change_ahead(fast, f, i, work), rise, eps):
                answer = _YES
    if answer != _NO:
        _forget_ahead(work)
    return answer


@njit(cache=True, nogil=True, error_model="numpy")
def _play_down(fast, f, eps, rule, last_up, cap, work):
    """Play the downstream channel until upstream has stopped too; return the rounds or HARD."""
    _start_down(fast, f, work)
    t = 0
    while True:
        if _down_is_hard(fast, f, rule, cap, work):
            return HARD
        t += 1
        largest = _step_down(fast, rule, work)
        if t >= last_up and largest <= eps:
            return t


@njit(cache=True, nogil=True, error_model="numpy")
def _start_up(f, work):
    work.up[f] = 1.0
    work.change[f] = 1.0
    work.up_list[0] = f
    work.now_list[0] = f
    work.up_mark[f] = 1
    work.count[N_UP] = 1
    work.count[_N_NOW] = 1
    work.count[_ROUND] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _start_down(fast, f, work):
    work.down[f] = 1.0
    work.down_list[0] = f
    work.down_mark[f] = _LISTED
    work.count[N_DOWN] = 1
    work.available[fast.market[f]] -= fast.size[f]


@njit(cache=True, nogil=True, error_model="numpy")
def _down_is_hard(fast, f, rule, cap, work):
    """Tell whether the next round downstream is too dear, or a market it uses nearly empty."""
    cost = 0
    for q in range(work.count[N_DOWN]):
        i = work.down_list[q]
        n_links = fast.down_indptr[i + 1] - fast.down_indptr[i]
        cost += n_links
        if rule != REPLACE_NONE and n_links > 0:
            m = fast.market[i]
            if work.available[m] <= max(_SCARCE * fast.market_size[m], _SCARCE):
                # exact while the failed node is alone in its market, and sigma is 1 for it
                is_alone = work.count[N_DOWN] == 1 and work.available[m] == 0.0
                if not (is_alone and fast.size[f] >= 1.0):
                    return True
    return cost > cap


@njit(cache=True, nogil=True, error_model="numpy")
def enter(fast, f, rule, caps, work):
    """Bring both channels of a hard failure to the same round; return it.

    The rounds upstream that `fail` has played are kept where downstream can follow at its cap.
    """
    _clear_down(fast, work)
    _start_down(fast, f, work)
    wanted, t = work.count[_ROUND], 0
    while t < wanted and not _down_is_hard(fast, f, rule, caps[1], work):
        _step_down(fast, rule, work)
        t += 1
    if t < wanted:
        _clear_up(work)
        _start_up(f, work)
        for _ in range(t):
            _push(fast, f, work)
    for q in range(work.count[N_DOWN]):
        m = fast.market[work.down_list[q]]
        if work.available[m] <= _AFRESH * fast.market_size[m]:
            left = 0.0
            for p in range(fast.market_indptr[m], fast.market_indptr[m + 1]):
                left += fast.size[fast.market_node[p]] * (1.0 - work.down[fast.market_node[p]])
            work.available[m] = left
    return t


@njit(cache=True, nogil=True, error_model="numpy")
def _step_down(fast, rule, work):
    """Play one round downstream; return its largest change."""
    n_risen, n_slot = 0, work.count[_N_SLOT]
    for q in range(work.count[N_DOWN]):
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
            work.slot_list[n_slot] = s
            n_slot += old == 0.0
            total = old + fast.down_share[p] * c
            work.slot_sum[s] = total
            j = fast.slot_buyer[s]
            if total > work.slot_most[j]:
                work.slot_most[j] = total
                work.risen_list[n_risen] = j
                mark = work.down_mark[j]
                n_risen += (mark & _RISEN) == 0
                work.down_mark[j] = mark | _RISEN
    work.count[_N_SLOT] = n_slot
    largest, n_down = 0.0, work.count[N_DOWN]
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
    work.count[N_DOWN] = n_down
    return largest


@njit(cache=True, nogil=True, error_model="numpy")
def _pull_cost(fast, f, ahead, cap, work):
    """Return how many links are pulled to settle the failure 1 or 2 rounds ahead (or above cap)."""
    if ahead == 0:
        return 0
    cost = fast.row_indptr[f + 1] - fast.row_indptr[f]
    if ahead == 2:
        cost += _cost_of_buyers(fast, f)
    for q in range(work.count[N_DOWN]):
        i = work.down_list[q]
        if i != f and work.down[i] > work.up[i]:
            cost += fast.row_indptr[i + 1] - fast.row_indptr[i]
            if ahead == 2:
                cost += _cost_of_buyers(fast, i)
            if cost > cap:
                return cost
    return cost


@njit(cache=True, nogil=True, error_model="numpy")
def _cost_of_buyers(fast, i):
    """Return the links of all buyers of a node to their own buyers."""
    cost = 0
    for p in range(fast.row_indptr[i], fast.row_indptr[i + 1]):
        j = fast.row_buyer[p]
        cost += fast.row_indptr[j + 1] - fast.row_indptr[j]
    return cost


@njit(cache=True, nogil=True, error_model="numpy")
def _settle(fast, f, ahead, work, out):
    """Write the weighted losses `ahead` rounds after the state: see the module."""
    up = 0.0
    for q in range(work.count[N_UP]):
        i = work.up_list[q]
        up += fast.weight[i] * work.up[i]
    if ahead >= 1:
        own = _pull(fast, f, work.change)
        total = 0.0
        for q in range(work.count[_N_NOW]):
            total += fast.next_weight[work.now_list[q]] * work.change[work.now_list[q]]
        up += total - fast.weight[f] * own
        if ahead == 2:
            total = 0.0
            for q in range(work.count[_N_NOW]):
                total += fast.later_weight[work.now_list[q]] * work.change[work.now_list[q]]
            up += total - fast.next_weight[f] * own
            up -= fast.weight[f] * _later_change(fast, f, f, work)
    down, more = 0.0, 0.0
    for q in range(work.count[N_DOWN]):
        i = work.down_list[q]
        loss = work.down[i]
        down += fast.weight[i] * loss
        other = work.up[i]
        if loss > other and i != f:
            if ahead >= 1:
                other += _change_ahead(fast, f, i, work)
            if ahead == 2:
                other += _later_change(fast, f, i, work)
            if loss > other:
                more += fast.weight[i] * (loss - other)
    _forget_ahead(work)
    out[0] = up + more
    out[1] = down
    out[2] = up


@njit(cache=True, nogil=True, error_model="numpy")
def _later_change(fast, f, i, work):
    """Return the change of row i two rounds ahead: sum_j U_ij (P U c)_j."""
    total = 0.0
    for p in range(fast.row_indptr[i], fast.row_indptr[i + 1]):
        total += fast.row_share[p] * _change_ahead(fast, f, fast.row_buyer[p], work)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def clear(fast, work):
    """Forget one failure at the cost of what it touched."""
    _clear_up(work)
    _clear_down(fast, work)
    _forget_ahead(work)


@njit(cache=True, nogil=True, error_model="numpy")
def _clear_up(work):
    for q in range(work.count[N_UP]):
        i = work.up_list[q]
        work.up[i] = 0.0
        work.change[i] = 0.0
        work.up_mark[i] = 0
    work.count[N_UP] = 0
    work.count[_N_NOW] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _clear_down(fast, work):
    for q in range(work.count[N_DOWN]):
        i = work.down_list[q]
        work.down[i] = 0.0
        work.passed[i] = 0.0
        work.slot_most[i] = 0.0
        work.down_mark[i] = 0
        work.available[fast.market[i]] = fast.market_size[fast.market[i]]
    for q in range(work.count[_N_SLOT]):
        work.slot_sum[work.slot_list[q]] = 0.0
    work.count[N_DOWN] = 0
    work.count[_N_SLOT] = 0
