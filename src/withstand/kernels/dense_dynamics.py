"""Period by period on an economy whose flows are one matrix, many scenarios side by side.

The rules are those of `withstand.kernels.dynamics`, and so are the numbers: goods only, lead time
1 on every link, constant shares. Because shares are constant, orders are never written down. With
need[p, j] what buyer j orders of product p, and share[i, j] the part of supplier i of p in it,

    orders on i                 = sum over j of share[i, j] need[p(i), j]
    what j receives of p        = need[p, j] (sum over suppliers i of p of share[i, j] fill[i])

with fill[i] the part of its orders that i ships. A period is two passes over the shares, each a
matrix product with one column (lane) a scenario; stocks are read in both and written in the second.

The stock that is kept is that *at hand*: after what was shipped a period ago has arrived, before
production. Its target is the target stock plus the flow at rest, so that

    need of the next period = max(0, a m + (target at hand - stock at hand then) / adjustment)

holds with m the output that orders follow; need is computed twice and never kept.

Within a period: `add_up_orders`, `produce`, (`name_limits`), `deliver`; in the first, orders are
those at rest. Nodes are sorted by product.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from withstand.kernels.dense_memory import (
    CHUNK,
    FINAL_FIRST,
    ORDERS_FOLLOW_WANTED,
    PROPORTIONAL,
    SCARCE_CAPACITY,
    SCARCE_ORDERS,
    TARGETS_AT_REST,
)
from withstand.kernels.tiles import multiply_add

BY_DEMAND, BY_CAPACITY = -1, -2  # limits, where no input bound
STATUS_DONE, STATUS_NO_NUMBER = 0, 2

_ZERO, _ONE = np.int64(0), np.int64(1)  # numba compiles anew for every plain constant it is given


@njit(cache=True, nogil=True, error_model="numpy")
def apply_shocks(indptr, hit, factor, t, left):
    """Multiply the factors of period t into the shares left of all that is hit.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n_shocks + 1,)
    hit : ndarray of int64, shape (n_hit,)
        Node x n_lanes + lane.
    factor : ndarray of float64, shape (n_shocks, n_periods)
    t : int
    left : ndarray of float64, shape (n_nodes, n_lanes)
        Written in place.
    """
    n_lanes = left.shape[1]
    for k in range(len(hit)):
        left[hit[k] // n_lanes, hit[k] % n_lanes] = 1.0
    for s in range(factor.shape[0]):
        for k in range(indptr[s], indptr[s + 1]):
            left[hit[k] // n_lanes, hit[k] % n_lanes] *= factor[s, t]


@njit(cache=True, nogil=True, error_model="numpy")
def _need(economy, rules, pace, p, first, count, work):
    """Put what some buyers order of product p into work.need."""
    n_lanes = work.need.shape[1]
    for k in range(count):
        j = first + k
        a, target = economy.coefficient[p, j], economy.target[p, j]
        made, aim, stock, need = work.made[j], work.aim[j], work.stock[p, j], work.need[k]
        if rules.target_rule == TARGETS_AT_REST:
            for s in range(n_lanes):
                order = a * made[s] + (target - stock[s]) * pace
                need[s] = order if order > 0.0 else 0.0
        else:
            for s in range(n_lanes):
                gap = target * aim[s] - stock[s]
                need[s] = a * made[s] + (gap if gap > 0.0 else 0.0) * pace


@njit(cache=True, nogil=True, error_model="numpy")
def add_up_orders(economy, rules, pace, work):
    """Step 2: put the orders on every node into work.orders; the first pass over the shares.

    Parameters
    ----------
    economy : DenseEconomy
    rules : DenseRules
    pace : float
        That of the rules; 0 in the first period, whose orders are those at rest.
    work : DenseWork
    """
    n_nodes, n_lanes = work.orders.shape
    for i in range(n_nodes):
        orders = work.orders[i]
        for s in range(n_lanes):
            orders[s] = 0.0
    for p in range(len(economy.product_indptr) - 1):
        supplier = economy.product_indptr[p]
        n_suppliers = economy.product_indptr[p + 1] - supplier
        if n_suppliers == 0:
            continue
        for first in range(0, n_nodes, CHUNK):
            count = min(CHUNK, n_nodes - first)
            _need(economy, rules, pace, p, first, count, work)
            multiply_add(
                economy.share, n_nodes * supplier + first * n_suppliers, _ONE, n_suppliers,
                n_suppliers, count,
                work.need, _ZERO, n_lanes,
                work.orders, supplier * n_lanes, n_lanes,
                n_lanes,
            )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def look_at_stocks(economy, rules, work):
    """Put what the inputs at hand allow into work.lowest, for the first period."""
    n_nodes, n_lanes = work.lowest.shape
    start = 0.0 if rules.substitutes == 1 else np.inf
    for j in range(n_nodes):
        lowest = work.lowest[j]
        for s in range(n_lanes):
            lowest[s] = start
        for p in range(len(economy.product_indptr) - 1):
            _limit(economy, rules, p, j, work.stock[p, j], lowest)


@njit(cache=True, nogil=True, error_model="numpy")
def _limit(economy, rules, p, j, stock, lowest):
    """Step 4: take product p at hand into what the inputs of j allow."""
    reach, keeps = economy.reach[p, j], economy.keeps[p, j]
    if reach == 0.0:
        return
    if rules.substitutes == 1:
        for s in range(len(stock)):
            lowest[s] += reach * stock[s]
    elif keeps > 0.0:
        for s in range(len(stock)):
            limit = reach * stock[s]
            if limit < keeps:
                limit = 0.5 * (limit + keeps)
            lowest[s] = limit if limit < lowest[s] else lowest[s]
    else:
        for s in range(len(stock)):
            limit = reach * stock[s]
            lowest[s] = limit if limit < lowest[s] else lowest[s]


@njit(cache=True, nogil=True, error_model="numpy")
def produce(economy, rules, work):
    """Take steps 3 to 6 and 8: wanted output, output, who receives which part, overcapacity.

    Returns
    -------
    int
        STATUS_DONE or STATUS_NO_NUMBER.
    """
    n_nodes, n_lanes = work.output.shape
    for i in range(n_nodes):
        slack = rules.tolerance * economy.output[i]
        for s in range(n_lanes):
            final = economy.final_demand[i] * work.demand_left[i, s]
            orders = work.orders[i, s]
            demand = final + orders
            if rules.scarcity == SCARCE_ORDERS and demand > slack:
                missed = (demand - work.output[i, s]) / demand
                is_even = abs(missed) <= rules.tolerance
                goal, part = (1.0, 1.0) if is_even else (rules.alpha_max, missed)
                change = (goal - work.alpha[i, s]) * part * rules.alpha_pace
                work.alpha[i, s] = max(1.0, work.alpha[i, s] + change)
            capacity = economy.capacity[i] * work.alpha[i, s] * work.capacity_left[i, s]
            is_short = capacity < demand - slack
            wanted = capacity if is_short else demand
            made = wanted
            if economy.has_inputs[i] == 1 and work.lowest[i, s] < wanted - slack:
                made = work.lowest[i, s]
            if not 0.0 <= made < np.inf:
                return STATUS_NO_NUMBER
            to_final, to_orders = _ration(rules.rationing, made, final, orders)
            work.final[i, s] = final
            work.wanted[i, s] = wanted
            work.output[i, s] = made
            work.unmet[i, s] = final - final * to_final
            work.fill[i, s] = to_orders
            work.next_made[i, s] = wanted if rules.order_rule == ORDERS_FOLLOW_WANTED else made
            rest = economy.output[i]
            work.next_aim[i, s] = wanted / rest if rest > 0.0 else 1.0
            if rules.scarcity == SCARCE_CAPACITY:
                goal, part = 1.0, 1.0
                if is_short:
                    goal, part = rules.alpha_max, (demand - made) / demand
                work.alpha[i, s] += (goal - work.alpha[i, s]) * part * rules.alpha_pace
    return STATUS_DONE


@njit(cache=True, nogil=True, error_model="numpy")
def _ration(rule, made, final, orders):
    """Return the parts of final demand and of orders that are served."""
    if made >= final + orders:
        return 1.0, 1.0
    if rule == PROPORTIONAL:
        part = made / (final + orders)
        return part, part
    if rule == FINAL_FIRST:
        served = min(final, made)
        left = made - served
        return (
            served / final if final > 0.0 else 1.0,
            min(1.0, left / orders) if orders > 0.0 else 1.0,
        )
    served = min(orders, made)
    left = made - served
    return (
        min(1.0, left / final) if final > 0.0 else 1.0,
        served / orders if orders > 0.0 else 1.0,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def deliver(economy, rules, pace, work):
    """Take steps 5 and 7: use up inputs, receive what was ordered: the second pass over shares.

    Leaves in work.stock what is at hand in the next period, and in work.lowest what it allows.
    """
    n_nodes, n_lanes = work.output.shape
    start = 0.0 if rules.substitutes == 1 else np.inf
    for first in range(0, n_nodes, CHUNK):
        count = min(CHUNK, n_nodes - first)
        for k in range(count):
            lowest = work.lowest[first + k]
            for s in range(n_lanes):
                lowest[s] = start
        for p in range(len(economy.product_indptr) - 1):
            supplier = economy.product_indptr[p]
            n_suppliers = economy.product_indptr[p + 1] - supplier
            for k in range(count):
                gain = work.gain[k]
                for s in range(n_lanes):
                    gain[s] = 0.0
            _need(economy, rules, pace, p, first, count, work)
            multiply_add(
                economy.share, n_nodes * supplier + first * n_suppliers, n_suppliers, _ONE,
                count, n_suppliers,
                work.fill, supplier * n_lanes, n_lanes,
                work.gain, _ZERO, n_lanes,
                n_lanes,
            )  # fmt: skip
            for k in range(count):
                j = first + k
                stock = work.stock[p, j]
                _use_and_receive(
                    economy.coefficient[p, j], work.output[j], work.need[k], work.gain[k], stock
                )
                _limit(economy, rules, p, j, stock, work.lowest[j])
        for j in range(first, first + count):
            made, next_made = work.made[j], work.next_made[j]
            aim, next_aim = work.aim[j], work.next_aim[j]
            for s in range(n_lanes):
                made[s] = next_made[s]
                aim[s] = next_aim[s]


@njit(cache=True, nogil=True, error_model="numpy")
def _use_and_receive(coefficient, output, need, gain, stock):
    """Use up what was made of, and add what arrives."""
    for s in range(len(stock)):
        left = stock[s] - coefficient * output[s]
        left = left if left > 0.0 else 0.0
        stock[s] = left + need[s] * gain[s]


@njit(cache=True, nogil=True, error_model="numpy")
def name_limits(economy, rules, lane, work, limited_by):
    """Name what held back each node in one lane, between `produce` and `deliver`.

    Parameters
    ----------
    economy : DenseEconomy
    rules : DenseRules
    lane : int
    work : DenseWork
    limited_by : ndarray of int64, shape (n_nodes,)
        Written in place: BY_DEMAND, BY_CAPACITY, or the product that bound.
    """
    for i in range(len(limited_by)):
        slack = rules.tolerance * economy.output[i]
        demand = work.final[i, lane] + work.orders[i, lane]
        wanted = work.wanted[i, lane]
        limited_by[i] = BY_CAPACITY if wanted < demand - slack else BY_DEMAND
        if economy.has_inputs[i] == 0 or not work.lowest[i, lane] < wanted - slack:
            continue
        if rules.substitutes == 1:
            limited_by[i] = _scarcest(economy, i, lane, wanted, work)
        else:
            limited_by[i] = _first_bound(economy, i, lane, wanted, slack, work)


@njit(cache=True, nogil=True, error_model="numpy")
def _first_bound(economy, i, lane, wanted, slack, work):
    """Return the product that limits most; an earlier one wins over one lower by a slack."""
    at_bound, bound = wanted, BY_DEMAND
    for p in range(len(economy.product_indptr) - 1):
        if economy.reach[p, i] > 0.0:
            limit = economy.reach[p, i] * work.stock[p, i, lane]
            if limit < economy.keeps[p, i]:
                limit = 0.5 * (limit + economy.keeps[p, i])
            if limit < at_bound - slack:
                at_bound, bound = limit, p
    return bound


@njit(cache=True, nogil=True, error_model="numpy")
def _scarcest(economy, i, lane, wanted, work):
    """Return the substitute that misses most against its part at wanted output."""
    most, scarcest = -np.inf, BY_DEMAND
    for p in range(len(economy.product_indptr) - 1):
        reach = economy.reach[p, i]
        if reach > 0.0:
            missing = reach * (economy.recipe[p, i] * wanted - work.stock[p, i, lane])
            if missing > most:
                most, scarcest = missing, p
    return scarcest


@njit(cache=True, nogil=True, error_model="numpy")
def tally(economy, price, unmet_value, least, t, work, totals, sums):
    """Add a period to the totals by period and lane, and to the sums by node and lane.

    Parameters
    ----------
    economy : DenseEconomy
    price, unmet_value : ndarray of float64, shape (n_nodes,), currency per unit
    least : float
        Shortages and changes count if larger than this share.
    t : int
    work : DenseWork
    totals : ndarray of float64, shape (n_periods, 5, n_lanes)
        Output, unmet and asked final demand, in currency; 1 where some node misses final demand;
        1 where anything differs from rest.
    sums : ndarray of float64, shape (2, n_nodes, n_lanes), units
        Output and unmet demand.
    """
    n_nodes, n_lanes = work.output.shape
    total = totals[t]
    for k in range(5):
        for s in range(n_lanes):
            total[k, s] = 0.0
    for i in range(n_nodes):
        rest = economy.output[i]
        for s in range(n_lanes):
            output, unmet, final = work.output[i, s], work.unmet[i, s], work.final[i, s]
            total[0, s] += price[i] * output
            total[1, s] += unmet_value[i] * unmet
            total[2, s] += unmet_value[i] * final
            if unmet > least * final:
                total[3, s] = 1.0
            is_missed = unmet > least * economy.final_demand[i]
            if is_missed or abs(output - rest) > least * rest:
                total[4, s] = 1.0
            sums[0, i, s] += output
            sums[1, i, s] += unmet
