"""Upper bounds of a cascade's fixed point, each checked by applying the rule itself.

Let F be one round of `withstand.kernels.cascade` on one channel, without rounds skipped. F never
falls when losses rise (rule REPLACE_NONE or REPLACE_RELATIVE), so its iterates from the start rise
to the least fixed point l*. If F^K(v) <= v for some v >= 0, then l* <= v, and so is l* <= F^k(v)
for every k < K: the elementwise least of them is the bound that is reported.

Candidates come from the iterates. With D1 and D2 the changes over two windows of K rounds, and
rho = max D2 / D1 < 1, a linear F would add at most D2 rho / (1 - rho) in all rounds to come; that
much, or a few times as much where F is not linear, is added and checked. A cycle of essential
inputs hands losses on in full, and rho = 1: then there is no candidate, and no bound is claimed.

Upstream is linear, and where losses leak slowly it takes a thousand rounds. There one vector h > 0
with h - U h >= kappa > 0 serves all failures: it shows that the fixed point is the only one, and
for any u with u_f = 1 and |F(u) - u| <= d,

    F(u + h d / kappa) <= u + h d / kappa    and    F(u - h d / kappa) >= u - h d / kappa

so l* lies between the two; both are checked by applying F. The lower one is put tol h / kappa
lower: then it is also below every state at which a stop rule of tol or less may end. To come by a
close u, the slowest mode of U (rate, left eigenvector p with sum 1) is taken out of what is left
after every round:  u <- F(u) + h p'(F(u) - u) rate.
"""

from __future__ import annotations

import numpy as np

from withstand.kernels.borrowed_arrays import njit_borrowing
from withstand.kernels.cascade import (
    EMPTY,
    REPLACE_NONE,
    clear,
    hit,
    step,
)

SLACK = np.float64(1e-14)  # rounding of sums of shares that F^K(v) <= v is allowed
_UP, _DOWN = np.int64(0), np.int64(1)  # a plain bool would be compiled apart
_FLOOR = np.float64(1e-15)  # changes below this are rounding
_CLOSER = np.float64(1e-3)  # of tol, to be reached upstream
_PLAIN = np.int64(16)  # rounds that may end by themselves
_MOST_UP = np.int64(300)  # rounds upstream with the slowest mode taken out


@njit_borrowing
def apply_up(arrays, psi, loss, out):
    """Write F(loss) of the upstream channel: min(1, max(psi_i, sum_j U_ij u_j))."""
    for i in range(len(out)):
        out[i] = 0.0
    for buyer in range(len(loss)):
        if loss[buyer] > 0.0:
            for p in range(arrays.up_indptr[buyer], arrays.up_indptr[buyer + 1]):
                out[arrays.up_supplier[p]] += arrays.up_share[p] * loss[buyer]
    for i in range(len(out)):
        out[i] = min(1.0, max(psi[i], out[i]))


@njit_borrowing
def apply_down(arrays, rule, psi, loss, slot_sum, available, out):
    """Write F(loss) of the downstream channel, every sum taken afresh."""
    for s in range(len(slot_sum)):
        slot_sum[s] = 0.0
    for m in range(len(available)):
        available[m] = 0.0
    for i in range(len(loss)):
        available[arrays.market[i]] += arrays.size[i] * (1.0 - loss[i])
    for i in range(len(loss)):
        if loss[i] > 0.0:
            sigma, m = 1.0, arrays.market[i]
            if rule != REPLACE_NONE and available[m] > EMPTY * arrays.market_size[m]:
                sigma = min(1.0, arrays.size[i] / available[m])
            for p in range(arrays.down_indptr[i], arrays.down_indptr[i + 1]):
                slot_sum[arrays.down_slot[p]] += arrays.down_share[p] * sigma * loss[i]
    for j in range(len(out)):
        most = psi[j]
        for s in range(arrays.slot_indptr[j], arrays.slot_indptr[j + 1]):
            most = max(most, slot_sum[s])
        out[j] = min(1.0, most)


@njit_borrowing
def _ratio(first, middle, last):
    """Return the largest change of the second window over the first; infinity if it grows."""
    largest = 0.0
    for i in range(len(first)):
        before, after = middle[i] - first[i], last[i] - middle[i]
        if after > _FLOOR:
            if before <= 0.0:
                return np.inf
            largest = max(largest, after / before)
    return largest


@njit_borrowing
def _check(arrays, rule, channel, psi, k, slot_sum, available, candidate, image, swap, least):
    """Tell whether F^k(candidate) <= candidate; `least` is the least of the images before it."""
    for i in range(len(candidate)):
        image[i] = candidate[i]
        least[i] = candidate[i]
    for t in range(k):
        if channel == _DOWN:
            apply_down(arrays, rule, psi, image, slot_sum, available, swap)
        else:
            apply_up(arrays, psi, image, swap)
        for i in range(len(image)):
            image[i] = swap[i]
            if t < k - 1:
                least[i] = min(least[i], image[i])
    for i in range(len(image)):  # noqa: SIM110 (numba has no all() of a generator)
        if image[i] > candidate[i] + SLACK:
            return False
    return True


@njit_borrowing
def _certify(
    arrays, rule, channel, psi, k, factors, first, middle, last, slot_sum, available, spare, least
):
    """Look for a bound from two windows of k rounds; write it to `least` if one holds."""
    rho = _ratio(first, middle, last)
    if not rho < 1.0:
        return False
    candidate, image, swap = spare[0], spare[1], spare[2]
    for f in range(len(factors)):
        grow = factors[f] * rho / (1.0 - rho)
        for i in range(len(last)):
            rise = (last[i] - middle[i]) * grow
            candidate[i] = min(1.0, last[i] + rise)
        if _check(
            arrays, rule, channel, psi, k, slot_sum, available, candidate, image, swap, least
        ):
            for i in range(len(last)):  # never below the iterate, whatever rounding does
                least[i] = max(least[i], last[i])
            return True
        if rho == 0.0:
            return False
    return False


@njit_borrowing
def enclose_up(  # noqa: C901 (rounds, then the two checks)
    arrays, psi, slow, rate, kappa, tol, most, state, low, high
):
    """Enclose the fixed point upstream of one failure; tell whether the bounds hold.

    Parameters
    ----------
    arrays : CascadeArrays
    psi : ndarray of float64, shape (n_nodes,)
        1 at the failed node, 0 elsewhere.
    slow : ndarray of float64, shape (2, n_nodes)
        h and the left eigenvector; see the module.
    rate, kappa : float
    tol : float
        The lower bound is the state that a round first changes by no more than this, where a few
        rounds do; else it stays below every such state.
    most : int
        Rounds to try.
    state : ndarray of float64, shape (2, n_nodes)
        Written in place.
    low, high : ndarray of float64, shape (n_nodes,)
        Written in place.
    """
    u, image, n = state[0], state[1], len(psi)
    for i in range(n):
        u[i] = psi[i]
    error, has_low = 1.0, False
    for t in range(most):
        apply_up(arrays, psi, u, image)
        error, mean = 0.0, 0.0
        for i in range(n):
            change = image[i] - u[i]
            error = max(error, abs(change))
            mean += slow[1, i] * change
        if not has_low and t < _PLAIN and error <= tol:
            has_low = True
            for i in range(n):
                low[i] = image[i]
        if error <= _CLOSER * tol:
            break
        if not has_low and t < _PLAIN:
            mean = 0.0
        for i in range(n):
            u[i] = max(psi[i], min(1.0, max(0.0, image[i] + slow[0, i] * mean * rate)))
    if error > _CLOSER * tol:
        return False
    room = (error + SLACK) / kappa
    below = room + tol / kappa
    for i in range(n):
        high[i] = max(psi[i], min(1.0, u[i] + slow[0, i] * room))
        if not has_low:
            low[i] = max(psi[i], max(0.0, u[i] - slow[0, i] * below))
    apply_up(arrays, psi, high, image)
    for i in range(n):
        if image[i] > high[i] + SLACK:
            return False
    apply_up(arrays, psi, low, image)
    for i in range(n):  # noqa: SIM110 (numba has no all() of a generator)
        if image[i] < low[i] - SLACK:
            return False
    return True


@njit_borrowing
def _copy(values, out):
    for i in range(len(out)):
        out[i] = values[i]


@njit_borrowing
def bound_failures(  # noqa: C901 (one failure after the other, as the module tells it)
    arrays, nodes, weight, tol, rule, most_rounds, windows, factors, slow, rate, kappa, work, slots,
    markets, state, low, high,
):  # fmt: skip
    """Enclose the fixed point of single failures.

    Parameters
    ----------
    arrays : CascadeArrays
    nodes : ndarray of int64, shape (n_failures,)
    weight : ndarray of float64, shape (n_nodes,)
        Sums to 1.
    tol : float
        The lower bound is the state where a round first changes at most this much, or, upstream
        where there is h, a bound of it: changes do not grow, so h tol / kappa is all that such a
        state may still lose.
    rule : int
        REPLACE_NONE or REPLACE_RELATIVE.
    most_rounds : int
    windows : ndarray of int64
        Lengths K to try, in this order.
    factors : ndarray of float64
        How many times the linear rest is added.
    slow : ndarray of float64, shape (2, n_nodes)
        h and the left eigenvector of `enclose_up`.
    rate, kappa : float
        The rate of the slowest mode, and the least of h - U h; 0 where no h is known.
    work : CascadeWork
        Empty; written in place and left empty.
    slots, markets : ndarray of float64, shape (n_slots,), (n_markets,)
        Written in place.
    state : ndarray of float64, shape (10, n_nodes)
        Written in place.
    low, high : ndarray of float64, shape (n_failures,)
        Written in place; high is NaN where no bound was found.
    """
    bound_down, bound_up, low_up = state[7], state[8], state[9]
    for z in range(len(nodes)):
        hit(arrays, nodes[z], 1.0, 0.0, work)
        has_down, has_up = False, False
        if kappa > 0.0:
            has_up = enclose_up(
                arrays, work.psi_down, slow, rate, kappa, tol, _MOST_UP, state[0:2],
                low_up, bound_up,
            )  # fmt: skip
        if not has_up:
            clear(arrays, work)
            hit(arrays, nodes[z], 1.0, 1.0, work)
        for _ in range(most_rounds):
            if step(arrays, rule, work) <= tol:
                break
        low[z] = 0.0
        for i in range(len(weight)):
            if not has_up:
                low_up[i] = work.up[i]
            low[z] += weight[i] * max(work.down[i], low_up[i])
        for q in range(len(windows)):
            k = windows[q]
            _copy(work.down, state[0])
            _copy(work.up, state[1])
            for _ in range(k):
                step(arrays, rule, work)
            _copy(work.down, state[2])
            _copy(work.up, state[3])
            for _ in range(k):
                step(arrays, rule, work)
            if not has_down:
                has_down = _certify(
                    arrays, rule, _DOWN, work.psi_down, k, factors, state[0], state[2], work.down,
                    slots, markets, state[4:7], bound_down,
                )  # fmt: skip
            if not has_up:
                has_up = _certify(
                    arrays, rule, _UP, work.psi_up, k, factors, state[1], state[3], work.up,
                    slots, markets, state[4:7], bound_up,
                )  # fmt: skip
            if has_down and has_up:
                break
        high[z] = np.nan
        if has_down and has_up:
            total = 0.0
            for i in range(len(weight)):
                total += weight[i] * max(bound_down[i], bound_up[i])
            high[z] = max(total, low[z])
        clear(arrays, work)
