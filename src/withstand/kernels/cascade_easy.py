"""Single failures that touch little: the index without the last, dearest rounds.

Most failures stop after a few rounds, and the last rounds reach almost every node with changes too
small to matter to the stop rule. They are not played. With f the failed node, c the upstream
changes of the round just played, U' w and U' U' w known for all nodes, and P = identity without f:

    loss of the next round   w'P U c      = (U'w)'c - w_f (U c)_f
    of the one after it      w'P U P U c  = (U'U'w)'c - (U'w)_f (U c)_f - w_f sum_j U_fj (P U c)_j

and where a node also loses downstream, which channel is worse is found by pulling its few rows.

When the stop rule holds is found exactly, by elimination: rows of U sum to at most 1, so upstream
changes never grow again, and a row i can exceed eps only if  sum_j U_ij max(0, c_j - x) + x > eps;
with x = eps / 2, only the few c_j > eps / 2 have to be pushed to name the candidates.

What is not easy goes to `withstand.kernels.cascade_lanes`: too many links to push, or a market
nearly empty.
"""

from __future__ import annotations

import numpy as np

from withstand.kernels.borrowed_arrays import njit_borrowing
from withstand.kernels.cascade_sparse import (
    N_DOWN,
    N_NOW,
    N_UP,
    ROUND,
    change_ahead,
    down_is_hard,
    forget_ahead,
    pull,
    push,
    push_ahead,
    push_cost,
    start_down,
    start_up,
    step_down,
)

HARD = -2
_YES, _NO, _DEAR = np.int64(1), np.int64(0), np.int64(2)
_PULL, _PUSH, _PLAY = np.int64(0), np.int64(1), np.int64(2)
_ONE, _TWO = np.int64(1), np.int64(2)  # plain 1 and 2 would be types of their own to a kernel
_MANY = np.int64(200)  # a share of one in so many nodes is worth a pass over all of them


@njit_borrowing
def fail(fast, f, eps, rule, caps, work, out):  # noqa: C901 (round by round, as the module tells it)
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
    start_up(f, work)
    t, last_up, last = 0, 0, 0
    while True:
        cost = push_cost(fast, work)
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
            way = _cheapest(fast, f, ahead, cost, caps, work)
            if way != _PLAY:
                if way == _PUSH:
                    push_ahead(fast, work)
                _settle(fast, f, ahead, work, out)
                return last
        if cost > caps[0]:
            return HARD
        push(fast, f, work)
        t += 1
        work.counts[ROUND] = t


@njit_borrowing
def _candidates(fast, threshold, work):
    """Push what changes exceed the threshold by; list the rows reached in next_list."""
    n_next = 0
    for q in range(work.counts[N_NOW]):
        j = work.now_list[q]
        c = work.change[j] - threshold
        if c > 0.0:
            for p in range(fast.column_indptr[j], fast.column_indptr[j + 1]):
                i = fast.column_supplier[p]
                old = work.bound[i]
                new = old + fast.column_share[p] * c
                work.next_list[n_next] = i
                n_next += (old == 0.0) & (new > 0.0)
                work.bound[i] = new
    return n_next


@njit_borrowing
def _exceeds(old, rise, eps):
    """Tell whether h = 1 - loss falls by more than eps, rounded as the published rule rounds."""
    return (1.0 - old) - (1.0 - (old + rise)) > eps


@njit_borrowing
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
        is_open = answer == _NO and i != f and bound + half > eps - margin
        if is_open and _exceeds(work.up[i], pull(fast, np.int64(i), work.change), eps):
            answer = _YES
    return answer


@njit_borrowing
def _later_exceeds(fast, f, eps, cap, work):  # noqa: C901 (two eliminations in a row)
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
        if (
            i != f
            and bound + quarter > half - margin
            and change_ahead(fast, f, np.int64(i), work) > half
        ):
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
            new = old + fast.column_share[p] * c
            work.risen_list[n_reached] = i
            n_reached += (old == 0.0) & (new > 0.0)
            work.bound[i] = new
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
                rise += fast.row_share[p] * change_ahead(fast, f, np.int64(j), work)
                if pulled > cap:
                    answer = _DEAR
                    break
            if answer == _NO and _exceeds(
                work.up[i] + change_ahead(fast, f, np.int64(i), work), rise, eps
            ):
                answer = _YES
    if answer != _NO:
        forget_ahead(work)
    return answer


@njit_borrowing
def _play_down(fast, f, eps, rule, last_up, cap, work):
    """Play the downstream channel until upstream has stopped too; return the rounds or HARD."""
    start_down(fast, f, work)
    t = 0
    while True:
        if down_is_hard(fast, f, rule, cap, work):
            return HARD
        t += 1
        largest = step_down(fast, rule, work)
        if t >= last_up and largest <= eps:
            return t


@njit_borrowing
def _cheapest(fast, f, ahead, cost, caps, work):
    """Choose how to come by the last 0 to 2 rounds: pull their rows, push one ahead, or play on.

    A link that is pushed ahead costs about as much as one that is pulled, one that is played four
    times as much, with its lists.
    """
    if ahead == 0:
        return _PULL
    once = _pull_cost(fast, f, _ONE, caps[2], work)
    if ahead == 1:
        pull_all, push_first = once, cost + len(fast.size) // 8
    else:
        pull_all = _pull_cost(fast, f, _TWO, min(caps[2], once + cost), work)
        push_first = cost + once + len(fast.size) // 8
        if cost <= caps[0] and 4 * cost + len(fast.size) // 8 < min(pull_all, push_first):
            return _PLAY
    if min(pull_all, push_first) > caps[2]:
        return _PLAY
    return _PULL if pull_all <= push_first else _PUSH


@njit_borrowing
def _pull_cost(fast, f, ahead, cap, work):
    """Return how many links are pulled to settle the failure 1 or 2 rounds ahead (or above cap)."""
    cost = fast.row_indptr[f + 1] - fast.row_indptr[f]
    if ahead == 2:
        cost += _cost_of_buyers(fast, f)
    for q in range(work.counts[N_DOWN]):
        i = work.down_list[q]
        if i != f and work.down[i] > work.up[i]:
            cost += fast.row_indptr[i + 1] - fast.row_indptr[i]
            if ahead == 2:
                cost += _cost_of_buyers(fast, np.int64(i))
            if cost > cap:
                return cost
    return cost


@njit_borrowing
def _cost_of_buyers(fast, i):
    """Return the links of all buyers of a node to their own buyers."""
    cost = 0
    for p in range(fast.row_indptr[i], fast.row_indptr[i + 1]):
        j = fast.row_buyer[p]
        cost += fast.row_indptr[j + 1] - fast.row_indptr[j]
    return cost


@njit_borrowing
def _settle(fast, f, ahead, work, out):  # noqa: C901 (the module's formula, term by term)
    """Write the weighted losses `ahead` rounds after the state: see the module."""
    up = 0.0
    for q in range(work.counts[N_UP]):
        i = work.up_list[q]
        up += fast.weight[i] * work.up[i]
    if ahead >= 1:
        own = pull(fast, f, work.change)
        total = 0.0
        for q in range(work.counts[N_NOW]):
            total += fast.next_weight[work.now_list[q]] * work.change[work.now_list[q]]
        up += total - fast.weight[f] * own
        if ahead == 2:
            total = 0.0
            for q in range(work.counts[N_NOW]):
                total += fast.later_weight[work.now_list[q]] * work.change[work.now_list[q]]
            up += total - fast.next_weight[f] * own
            up -= fast.weight[f] * _later_change(fast, f, f, work)
    down, more = 0.0, 0.0
    for q in range(work.counts[N_DOWN]):
        i = work.down_list[q]
        down += fast.weight[i] * work.down[i]
    if work.counts[N_DOWN] > len(fast.size) // _MANY:
        for i in range(len(fast.size)):  # in order of memory
            if work.down[i] > work.up[i]:
                more += _excess(fast, f, np.int64(i), ahead, work)
    else:
        for q in range(work.counts[N_DOWN]):
            i = work.down_list[q]
            if work.down[i] > work.up[i]:
                more += _excess(fast, f, np.int64(i), ahead, work)
    forget_ahead(work)
    out[0] = up + more
    out[1] = down
    out[2] = up


@njit_borrowing
def _excess(fast, f, i, ahead, work):
    """Return by how much a node weighs more for its loss downstream than for that upstream."""
    if i == f:
        return 0.0
    up = work.up[i]
    if ahead >= 1:
        up += change_ahead(fast, f, i, work)
    if ahead == 2:
        up += _later_change(fast, f, i, work)
    return fast.weight[i] * max(0.0, work.down[i] - up)


@njit_borrowing
def _later_change(fast, f, i, work):
    """Return the change of row i two rounds ahead: sum_j U_ij (P U c)_j."""
    total = 0.0
    for p in range(fast.row_indptr[i], fast.row_indptr[i + 1]):
        total += fast.row_share[p] * change_ahead(fast, f, np.int64(fast.row_buyer[p]), work)
    return total
