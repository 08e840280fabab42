"""Steps 0 to 6 of a period: shocks, arrivals, demand, output, hours of the period, rationing.

The order of events stands in `withstand.kernels.dynamics`. All arrays are those of NetworkArrays,
RuleArrays and SimulationWork, under the same names (rest: output at rest). They are handed over one
by one, not as named tuples, because numba takes twice as long to compile functions of large tuples.
error_model="numpy" leaves out code that raises on division by zero, which cannot happen here: a
quarter of the time per period.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from withstand.kernels.dynamics_arrays import (
    FINAL_FIRST,
    HALF,
    LAGGED,
    NEVER,
    PROPORTIONAL,
    SAME_PERIOD,
    TOGETHER,
    UNLIMITED,
)

BY_DEMAND, BY_CAPACITY = np.int64(-1), np.int64(-2)  # limited_by, where no input bound


@njit(cache=True, error_model="numpy")
def apply_shocks(indptr, hit, factor, t, left):
    """Step 0: multiply the factors of period t into the shares left of all that is hit."""
    for k in range(len(hit)):
        left[hit[k]] = 1.0
    for s in range(factor.shape[0]):
        for k in range(indptr[s], indptr[s + 1]):
            left[hit[k]] *= factor[s, t]


@njit(cache=True, error_model="numpy")
def add_up_demand(
    final_demand, demand_factor, link_supplier, pipeline_indptr, is_cut, link_factor, flow, order,
    demand,
):  # fmt: skip
    """Step 2: final demand and the orders of the period before, each cut to its link's limit.

    Link factors are read only if `is_cut`. Cuts `order` and writes `demand`.
    """
    for n in range(len(demand)):
        demand[n] = final_demand[n] * demand_factor[n]
    for link in range(len(order)):
        if pipeline_indptr[link + 1] > pipeline_indptr[link]:
            if is_cut:
                order[link] = _cut_to_limit(order[link], link_factor[link], flow[link])
            demand[link_supplier[link]] += order[link]


@njit(cache=True, error_model="numpy")
def _cut_to_limit(order, factor, flow):
    """Return what of an order the link can carry."""
    return min(order, factor * flow) if factor < 1.0 else order


@njit(cache=True, error_model="numpy")
def _most_output(at_hand, coefficient, rule, output_at_rest):
    """Return the most output that the input at hand allows."""
    by_recipe = at_hand / coefficient
    if rule == HALF:
        return max(by_recipe, 0.5 * (by_recipe + output_at_rest))
    return by_recipe


@njit(cache=True, nogil=True, error_model="numpy")
def plan_output(  # noqa: C901 - reads as the order of events
    first_node, last_node, t, rest, capacity, node_factor, alpha, target_finished, finished,
    stock_adjustment, tolerance, hours_order, inputs_indptr, coefficient, limit_rule,
    limit_coefficient, limit_weight, links_indptr, link_supplier, link_share, link_factor, flow,
    pipeline_indptr, pipeline, way, stock, received, under_way, order, demand, own_demand, wish,
    capacity_now, able, wanted, output, limited_by, has_hours, is_kept,
):  # fmt: skip
    """Take in what arrives, plan output as stocks allow, ask for hours: steps 1, 3, 4.

    For the nodes from one place in hours_order to before another; in that order, so that demand on
    a node is complete when its turn comes. Writes all arrays from `stock` on; `received` only if
    `is_kept`.
    """
    for k in range(first_node, last_node):
        n = hours_order[k]
        wish[n] = max(0.0, demand[n] + (target_finished[n] - finished[n]) / stock_adjustment)
        capacity_now[n] = capacity[n] * alpha[n] * node_factor[n]
        slack = tolerance * rest[n]
        is_short = capacity_now[n] < wish[n] - slack
        most = capacity_now[n] if is_short else wish[n]
        wanted[n] = most
        lowest, at_bound, bound = np.inf, most, -1
        total, needed, worst, missing = 0.0, 0.0, -1, -np.inf
        for i in range(inputs_indptr[n], inputs_indptr[n + 1]):
            if way[i] == UNLIMITED:
                continue
            arrived = 0.0
            for link in range(links_indptr[i], links_indptr[i + 1]):
                first = pipeline_indptr[link]
                slots = pipeline_indptr[link + 1] - first
                if slots == 1:
                    arrived += pipeline[first]
                elif slots > 1:
                    arrived += pipeline[first + t % slots]
            if is_kept:
                received[i] = arrived
            under_way[i] -= arrived
            at_hand = stock[i] + arrived  # for hours, nothing was left of the period before
            stock[i] = at_hand
            rule = limit_rule[i]
            if way[i] != LAGGED or rule == NEVER:
                continue
            if rule == TOGETHER:
                total += limit_weight[i] * at_hand
                needed += limit_weight[i] * limit_coefficient[i]
                short = limit_weight[i] * (limit_coefficient[i] * most - at_hand)
                if limit_weight[i] > 0.0 and short > missing:
                    worst, missing = i, short
                continue
            limit = _most_output(at_hand, limit_coefficient[i], rule, rest[n])
            if limit < at_bound - slack:
                at_bound, bound = limit, i
            lowest = min(lowest, limit)
        if needed > 0.0:
            limit = total / needed
            if limit < at_bound - slack:
                bound = worst
            lowest = min(lowest, limit)
        able[n] = min(capacity_now[n], lowest)
        output[n] = most if bound < 0 else lowest
        limited_by[n] = bound if bound >= 0 else (BY_CAPACITY if is_short else BY_DEMAND)
        if not has_hours:
            continue
        for i in range(inputs_indptr[n], inputs_indptr[n + 1]):
            if way[i] != SAME_PERIOD:
                continue
            for link in range(links_indptr[i], links_indptr[i + 1]):
                if pipeline_indptr[link + 1] == pipeline_indptr[link]:
                    asked = coefficient[i] * output[n] * link_share[link]
                    asked = _cut_to_limit(asked, link_factor[link], flow[link])
                    order[link] = asked
                    demand[link_supplier[link]] += asked
                    own_demand[link_supplier[link]] += asked


@njit(cache=True, nogil=True, error_model="numpy")
def settle_output(  # noqa: C901 - reads as the order of events
    first_node, last_node, rest, final_demand, demand_factor, is_wanted, is_scaled, tolerance,
    rationing, alpha_max, alpha_rate, is_rerouting, named_indptr, named_link, named_rank,
    link_named, hours_order, inputs_indptr, coefficient, limit_rule, limit_coefficient,
    links_indptr, link_supplier, pipeline_indptr, way, is_stored, order, demand, own_demand, wish,
    capacity_now, able, wanted, stock, received, used, alpha, finished, base, scale, output,
    limited_by, unmet, ratio, ratio_final, ratio_named, has_hours, is_kept,
):  # fmt: skip
    """Receive hours, produce, ration: rest of step 4, steps 5, 6, 8; tell whether all is finite.

    For the nodes from one place in hours_order to before another; in reverse, so that suppliers of
    hours have settled theirs. Writes all arrays from `stock` on, and `able`; `received` and `used`
    only if `is_kept`.
    """
    for k in range(last_node - first_node):
        n = hours_order[last_node - 1 - k]
        slack = tolerance * rest[n]
        lowest, at_bound, bound = output[n], output[n], -1
        hours_end = inputs_indptr[n + 1] if has_hours else inputs_indptr[n]
        for i in range(inputs_indptr[n], hours_end):
            if way[i] != SAME_PERIOD:
                continue
            for link in range(links_indptr[i], links_indptr[i + 1]):
                if pipeline_indptr[link + 1] == pipeline_indptr[link]:
                    share = ratio[link_supplier[link]]
                    if len(link_named) > 0 and link_named[link] >= 0:
                        share = ratio_named[link_named[link]]
                    granted = order[link] * share
                    received[i] += granted  # of no use, and never read, if not kept
                    stock[i] += granted
            if limit_rule[i] != NEVER:
                limit = _most_output(stock[i], limit_coefficient[i], limit_rule[i], rest[n])
                if limit < at_bound - slack:
                    at_bound, bound = limit, i
                lowest = min(lowest, limit)
        if bound >= 0:
            output[n], limited_by[n] = lowest, bound
            able[n] = min(able[n], lowest)
        made = output[n]
        if not 0.0 <= made < np.inf:
            return False
        for i in range(inputs_indptr[n], inputs_indptr[n + 1]):
            need = coefficient[i] * made
            if way[i] == UNLIMITED:
                if is_kept:
                    received[i] = need
                    used[i] = need
                continue
            taken = min(need, stock[i])
            if is_kept:
                used[i] = taken
            left = stock[i] - taken
            if not 0.0 <= left < np.inf:
                return False
            stock[i] = left if is_stored[i] else 0.0
        final = final_demand[n] * demand_factor[n]
        supply = made + finished[n]
        _ration(
            n, supply, final, demand[n], rationing, named_indptr, named_link, named_rank, order,
            ratio, ratio_final, ratio_named,
        )  # fmt: skip
        unmet[n] = final - final * ratio_final[n]
        finished[n] = max(0.0, supply - demand[n])
        base[n] = wanted[n] if is_wanted else made
        scale[n] = wanted[n] / rest[n] if is_scaled and rest[n] > 0.0 else 1.0
        if is_rerouting:
            lost = max(0.0, own_demand[n] - demand[n])
            base[n] += min(lost, max(0.0, capacity_now[n] - base[n]))
        if capacity_now[n] < wish[n] - slack:
            alpha[n] += (alpha_max - alpha[n]) * ((wish[n] - made) / wish[n]) * alpha_rate
        else:
            alpha[n] += (1.0 - alpha[n]) * alpha_rate
    return True


@njit(cache=True, error_model="numpy")
def _ration(
    n, supply, final, demand, rationing, named_indptr, named_link, named_rank, order, ratio,
    ratio_final, ratio_named,
):  # fmt: skip
    """Step 6 of a node: the share that each group of buyers receives, one group after the other."""
    first, end = named_indptr[n], named_indptr[n + 1]
    if supply >= demand:
        ratio[n], ratio_final[n] = 1.0, 1.0
        for k in range(first, end):
            ratio_named[k] = 1.0
        return
    left, rest = supply, demand
    while first < end:
        last, claims = first, 0.0
        while last < end and named_rank[last] == named_rank[first]:
            claims += order[named_link[last]]
            last += 1
        share = _share(left, claims)
        for k in range(first, last):
            ratio_named[k] = share
        left, rest = max(0.0, left - claims), rest - claims
        first = last
    others = max(0.0, rest - final)
    if rationing == PROPORTIONAL:
        ratio[n] = _share(left, rest)
        ratio_final[n] = ratio[n]
    elif rationing == FINAL_FIRST:
        ratio_final[n] = _share(left, final)
        ratio[n] = _share(max(0.0, left - final), others)
    else:
        ratio[n] = _share(left, others)
        ratio_final[n] = _share(max(0.0, left - others), final)


@njit(cache=True, error_model="numpy")
def _share(left, claims):
    """Return the part of some claims that can be served."""
    return left / claims if left < claims else 1.0


@njit(cache=True, error_model="numpy")
def users_come_first(
    hours_order, inputs_indptr, links_indptr, link_supplier, pipeline_indptr, position
):
    """Tell whether hours_order holds every node once, users before suppliers of the period.

    Writes `position`, the place of each node in it.
    """
    n_nodes = len(inputs_indptr) - 1
    if len(hours_order) != n_nodes:
        return False
    for n in range(n_nodes):
        position[n] = -1
    for k in range(n_nodes):
        n = hours_order[k]
        if n < 0 or n >= n_nodes or position[n] >= 0:
            return False
        position[n] = k
    for n in range(n_nodes):
        for i in range(inputs_indptr[n], inputs_indptr[n + 1]):
            for link in range(links_indptr[i], links_indptr[i + 1]):
                is_at_once = pipeline_indptr[link] == pipeline_indptr[link + 1]
                if is_at_once and position[link_supplier[link]] <= position[n]:
                    return False
    return True
