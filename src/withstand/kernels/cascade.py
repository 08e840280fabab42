"""Losses that travel along links to a fixed point: down to buyers, up to suppliers.

The state of node i is the share of its output that is lost, on each of two channels that do not
mix: d_i for want of inputs (downstream) and u_i for want of buyers (upstream). With psi the shares
lost at the start, every round updates all nodes at once:

    sigma_i = min(1, s_i / sum over the market of i of s_j (1 - d_j))        (replaceability)
    d_j <- min(1, max(psi_j, max over slots k of j of sum_i D_ik sigma_i d_i))
    u_i <- min(1, max(psi_up_i, sum_j U_ij u_j))

A *slot* is what one sum of a buyer runs over: one slot for each essential input (D = the supplier's
share of it), and one for all important inputs together (D = the supplier's share of all purchases).
Minor inputs have no slot. U_ij is the share of i's sales that goes to j.

Both channels push *changes* along links: what a node passes on is sigma_i d_i, and only the
difference to what it passed on before is added to the slots of its buyers. So a round costs no more
than the links of the nodes that changed, and a new scenario no more than the nodes it touched.

Where many nodes changed, lists in the order of events would be read across all of memory: such a
round goes through all nodes in their order instead (`is_dense`); it adds up the same numbers.

Availability of a market is kept by differences too, and is summed afresh where little is left of
it, because differences of large numbers say little about small ones.

References
----------
Diem, Borsos, Reisch, Kertész, Thurner (2022), Quantifying firm-level economic systemic risk from
nation-wide supply networks, Scientific Reports 12:7719, equations (1) to (10). There the state is
h = 1 - loss.
"""

from __future__ import annotations

import numpy as np

from withstand.kernels.borrowed_arrays import njit_borrowing

REPLACE_NONE = 0  # sigma = 1
REPLACE_RELATIVE = 1  # a market with no more than EMPTY of its size left: sigma = 1
REPLACE_PARITY = (
    2  # a market with no more than EMPTY left, in its own unit, counts as 1: as published
)

EMPTY = 1e-10
_SUM_AFRESH = np.float64(1e-2)  # share of a market left below which availability is summed afresh

# work.counts
_N_DOWN, _N_UP, _N_CHANGED, _ROUND = np.int64(0), np.int64(1), np.int64(2), np.int64(3)
_DENSE_FROM = np.int64(4)
_TOUCHED, _AFRESH = np.int64(1), np.int64(1)


@njit_borrowing
def hit(arrays, node, psi_down, psi_up, work):
    """Give a node its losses at the start. Each node once, before the first round."""
    work.psi_down[node] = psi_down
    work.psi_up[node] = psi_up
    if psi_down > 0.0:
        work.down[node] = psi_down
        work.is_hit_down[node] = 1
        work.round_down[node] = 0
        work.down_list[work.counts[_N_DOWN]] = node
        work.counts[_N_DOWN] += 1
        market = arrays.market[node]
        work.available[market] -= arrays.size[node] * psi_down
        if work.available[market] <= _SUM_AFRESH * arrays.market_size[market]:
            work.available[market] = _sum_market(arrays, market, work.down)
    if psi_up > 0.0:
        work.up[node] = psi_up
        work.up_change[node] = psi_up
        work.is_hit_up[node] = 1
        work.round_up[node] = 0
        work.up_list[work.counts[_N_UP]] = node
        work.counts[_N_UP] += 1
        work.changed[work.counts[_N_CHANGED]] = node
        work.counts[_N_CHANGED] += 1


@njit_borrowing
def hit_all(arrays, psi_down, psi_up, work):
    """Give all nodes their losses at the start."""
    for node in range(len(psi_down)):
        if psi_down[node] > 0.0 or psi_up[node] > 0.0:
            hit(arrays, node, psi_down[node], psi_up[node], work)


@njit_borrowing
def step(arrays, rule, work):
    """Play one round on both channels.

    Parameters
    ----------
    arrays : CascadeArrays
    rule : int
        REPLACE_NONE, REPLACE_RELATIVE or REPLACE_PARITY.
    work : CascadeWork
        Written in place.

    Returns
    -------
    float
        Largest change of any h = 1 - loss on either channel.
    """
    work.counts[_ROUND] += 1
    up = _step_up(arrays, work)
    down = _step_down(arrays, rule, work)
    return max(up, down)


@njit_borrowing
def _step_up(arrays, work):
    """u_i <- min(1, max(psi_up_i, sum_j U_ij u_j)): push last round's changes to suppliers."""
    if work.counts[_N_CHANGED] >= work.counts[_DENSE_FROM]:
        return _step_up_in_order(arrays, work)
    n_touched = 0
    for q in range(work.counts[_N_CHANGED]):
        buyer = work.changed[q]
        change = work.up_change[buyer]
        work.up_change[buyer] = 0.0
        for p in range(arrays.up_indptr[buyer], arrays.up_indptr[buyer + 1]):
            node = arrays.up_supplier[p]
            work.up_sum[node] += arrays.up_share[p] * change
            if work.mark[node] == 0:
                work.mark[node] = _TOUCHED
                work.touched[n_touched] = node
                n_touched += 1
    largest, n_changed = 0.0, 0
    for q in range(n_touched):
        node = work.touched[q]
        work.mark[node] = 0
        change = _lose_up(node, work)
        largest = max(largest, change)
        if work.up_change[node] > 0.0:
            work.changed[n_changed] = node
            n_changed += 1
    work.counts[_N_CHANGED] = n_changed
    return largest


@njit_borrowing
def _step_up_in_order(arrays, work):
    """Do the same, going through all nodes in their order."""
    for buyer in range(len(work.up)):
        change = work.up_change[buyer]
        if change > 0.0:
            work.up_change[buyer] = 0.0
            for p in range(arrays.up_indptr[buyer], arrays.up_indptr[buyer + 1]):
                work.up_sum[arrays.up_supplier[p]] += arrays.up_share[p] * change
    largest, n_changed = 0.0, 0
    for node in range(len(work.up)):
        if work.up_sum[node] > work.up[node]:
            largest = max(largest, _lose_up(node, work))
            work.changed[n_changed] = node
            n_changed += work.up_change[node] > 0.0
    work.counts[_N_CHANGED] = n_changed
    return largest


@njit_borrowing
def _lose_up(node, work):
    """Set the upstream loss of a node from what was pushed; return how far h = 1 - loss falls."""
    old = work.up[node]
    new = min(1.0, max(work.psi_up[node], work.up_sum[node]))
    if not new > old:
        return 0.0
    work.up[node] = new
    work.up_change[node] = new - old
    if work.is_hit_up[node] == 0:
        work.is_hit_up[node] = 1
        work.round_up[node] = work.counts[_ROUND]
        work.up_list[work.counts[_N_UP]] = node
        work.counts[_N_UP] += 1
    # the published rule compares h = 1 - loss: rounding decides where a change is eps
    return (1.0 - old) - (1.0 - new)


@njit_borrowing
def replacement(arrays, rule, available, node):
    """Return sigma of a node: the share of its loss that nobody else in its market makes good."""
    if rule == REPLACE_NONE:
        return 1.0
    market = arrays.market[node]
    left = available[market]
    if rule == REPLACE_RELATIVE:
        if left <= EMPTY * arrays.market_size[market]:
            return 1.0
    elif left <= EMPTY:
        left = 1.0
    return min(1.0, arrays.size[node] / left)


@njit_borrowing
def _step_down(arrays, rule, work):
    """d_j <- min(1, max(psi_j, largest slot)): push differences of sigma d to buyers."""
    is_dense = work.counts[_N_DOWN] >= work.counts[_DENSE_FROM]
    n_touched = _push_down(arrays, rule, is_dense, work)
    largest = 0.0
    for q in range(n_touched):
        node = q if is_dense else work.touched[q]
        work.mark[node] = 0
        old, new = work.down[node], work.psi_down[node]
        for slot in range(arrays.slot_indptr[node], arrays.slot_indptr[node + 1]):
            new = max(new, work.slot_sum[slot])
        new = min(1.0, new)
        if new != old:
            largest = max(largest, abs((1.0 - old) - (1.0 - new)))
            _lose(arrays, node, new, work)
    if is_dense:
        for market in range(len(work.available)):
            _sum_scarce_market(arrays, market, work)
    else:
        for q in range(n_touched):
            _sum_scarce_market(arrays, arrays.market[work.touched[q]], work)
    return largest


@njit_borrowing
def _push_down(arrays, rule, is_dense, work):
    """Add the differences of sigma d to the slots of buyers; return how many may change."""
    n_sources = len(work.down) if is_dense else work.counts[_N_DOWN]
    n_touched = 0
    for q in range(n_sources):
        node = q if is_dense else work.down_list[q]
        if work.is_hit_down[node] == 0:
            continue
        first, last = arrays.down_indptr[node], arrays.down_indptr[node + 1]
        if first == last:
            continue
        passed = replacement(arrays, rule, work.available, node) * work.down[node]
        change = passed - work.passed[node]
        # only parity lets sigma fall; elsewhere a fall is rounding
        if change > 0.0 or (change < 0.0 and rule == REPLACE_PARITY):
            work.passed[node] = passed
            for p in range(first, last):
                slot = arrays.down_slot[p]
                work.slot_sum[slot] += arrays.down_share[p] * change
                if not is_dense:
                    buyer = arrays.slot_buyer[slot]
                    if work.mark[buyer] == 0:
                        work.mark[buyer] = _TOUCHED
                        work.touched[n_touched] = buyer
                        n_touched += 1
    return len(work.down) if is_dense else n_touched


@njit_borrowing
def _lose(arrays, node, new, work):
    """Set the downstream loss of a node, with what follows for its market and the list."""
    market = arrays.market[node]
    work.available[market] -= arrays.size[node] * (new - work.down[node])
    work.market_mark[market] = _AFRESH
    work.down[node] = new
    if work.is_hit_down[node] == 0:
        work.is_hit_down[node] = 1
        work.round_down[node] = work.counts[_ROUND]
        work.down_list[work.counts[_N_DOWN]] = node
        work.counts[_N_DOWN] += 1


@njit_borrowing
def _sum_scarce_market(arrays, market, work):
    """Sum the availability of a market afresh if it changed and little is left."""
    if work.market_mark[market] == _AFRESH:
        work.market_mark[market] = 0
        if work.available[market] <= _SUM_AFRESH * arrays.market_size[market]:
            work.available[market] = _sum_market(arrays, market, work.down)


@njit_borrowing
def _sum_market(arrays, market, down):
    """Return sum of s_j (1 - d_j) over a market."""
    left = 0.0
    for p in range(arrays.market_indptr[market], arrays.market_indptr[market + 1]):
        node = arrays.market_node[p]
        left += arrays.size[node] * (1.0 - down[node])
    return left


@njit_borrowing
def clear(arrays, work):
    """Forget the losses of a scenario, at the cost of what it touched."""
    for q in range(work.counts[_N_DOWN]):
        node = work.down_list[q]
        market = arrays.market[node]
        work.available[market] = arrays.market_size[market]
        work.down[node] = work.psi_down[node] = work.passed[node] = 0.0
        work.is_hit_down[node] = work.round_down[node] = 0
        for p in range(arrays.down_indptr[node], arrays.down_indptr[node + 1]):
            work.slot_sum[arrays.down_slot[p]] = 0.0
    for q in range(work.counts[_N_UP]):
        node = work.up_list[q]
        work.up[node] = work.psi_up[node] = work.up_sum[node] = work.up_change[node] = 0.0
        work.is_hit_up[node] = work.round_up[node] = 0
    for k in range(_DENSE_FROM):
        work.counts[k] = 0


@njit_borrowing
def add_up(weight, work, out):
    """Write the weighted losses: the larger of the two channels, downstream, upstream."""
    either, down, up = 0.0, 0.0, 0.0
    for q in range(work.counts[_N_DOWN]):
        node = work.down_list[q]
        down += weight[node] * work.down[node]
        either += weight[node] * max(work.down[node], work.up[node])
    for q in range(work.counts[_N_UP]):
        node = work.up_list[q]
        up += weight[node] * work.up[node]
        if work.is_hit_down[node] == 0:
            either += weight[node] * work.up[node]
    out[0] = either
    out[1] = down
    out[2] = up


@njit_borrowing
def single_failures(arrays, nodes, weight, eps, rule, most_rounds, work, out, rounds):
    """Let each of the nodes fail alone, until the largest change of a round is at most eps.

    Parameters
    ----------
    arrays : CascadeArrays
    nodes : ndarray of int64, shape (n_failures,)
    weight : ndarray of float64, shape (n_nodes,)
        Sums to 1.
    eps : float
        The published value is 1e-2.
    rule : int
        REPLACE_NONE, REPLACE_RELATIVE or REPLACE_PARITY.
    most_rounds : int
        Parity need not converge.
    work : CascadeWork
        Empty; written in place and left empty.
    out : ndarray of float64, shape (n_failures, 3)
        Written in place: the index, its downstream and its upstream part.
    rounds : ndarray of int64, shape (n_failures,)
        Written in place: rounds played; -1 where most_rounds did not do.
    """
    for z in range(len(nodes)):
        hit(arrays, nodes[z], 1.0, 1.0, work)
        rounds[z] = -1
        for t in range(1, most_rounds + 1):
            if step(arrays, rule, work) <= eps:
                rounds[z] = t
                break
        add_up(weight, work, out[z])
        clear(arrays, work)
