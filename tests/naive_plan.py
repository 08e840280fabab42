"""The slow twin of the planner: every portfolio in turn, each scenario as a plain programme.

Written from the page "plan": goods pooled by product, hours not stored, the recourse begins at the
onset, pipelines full at rest, final demand served from what its own node makes. No scaling, no
blocks: one list of columns and one of rows.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.optimize import linprog

from withstand.model.hits import resolve
from withstand.model.option import apply
from withstand.stress.arrays import lead_times


def answer(network, scenario, n_periods: int) -> float:
    """Return the least loss (currency) of one scenario on a network, step 1, essential inputs."""
    left = np.ones((n_periods, network.n_nodes))
    asked = np.ones((n_periods, network.n_nodes))
    for hit in resolve(scenario, network, n_periods):
        target = left if hit.kind == "node" else asked
        target[:, hit.indices] *= hit.factor[:, None]
    lag = np.ones(network.n_nodes, dtype=int)
    times = lead_times(network)
    for n in range(network.n_nodes):
        mine = times[network.link_supplier == n]
        if len(mine):
            lag[n] = mine.min()
    used = {}
    stock = np.zeros(network.n_products)
    for i in range(network.n_inputs):
        if network.links_indptr[i + 1] == network.links_indptr[i]:
            continue
        product, buyer = network.input_product[i], network.input_buyer[i]
        used[product, buyer] = network.input_coefficient[i]
        stock[product] += network.input_stock[i]
    goods = sorted({product for product, _ in used})
    capacity = np.maximum(network.capacity, network.output)
    columns = {}
    for t in range(n_periods):
        for n in range(network.n_nodes):
            columns["x", n, t] = len(columns)
            columns["u", n, t] = len(columns)
        for p in goods:
            columns["i", p, t] = len(columns)
    cost, bounds = np.zeros(len(columns)), [(0, None)] * len(columns)
    equal, equal_to, most, most_of = [], [], [], []
    for t in range(n_periods):
        for n in range(network.n_nodes):
            final = max(network.final_demand[n], 0.0) * asked[t, n]
            bounds[columns["x", n, t]] = (0, capacity[n] * left[t, n])
            bounds[columns["u", n, t]] = (0, final)
            cost[columns["u", n, t]] = network.unmet_value[n] if final else 0.0
            row = np.zeros(len(columns))
            row[columns["x", n, t]] = row[columns["u", n, t]] = -1.0
            most.append(row)
            most_of.append(-final)
        for p in goods:
            row, right = np.zeros(len(columns)), 0.0
            row[columns["i", p, t]] = 1.0
            if t:
                row[columns["i", p, t - 1]] = -1.0
            else:
                right += stock[p]
            for (product, buyer), amount in used.items():
                if product == p:
                    row[columns["x", buyer, t]] += amount
            for n in np.flatnonzero(network.node_product == p):
                final = max(network.final_demand[n], 0.0)
                if t < lag[n]:
                    right += network.output[n] - final
                else:
                    s = t - lag[n]
                    row[columns["x", n, s]] -= 1.0
                    row[columns["u", n, s]] -= 1.0
                    right -= final * asked[s, n]
            equal.append(row)
            equal_to.append(right)
    found = linprog(
        cost, A_ub=np.array(most), b_ub=most_of, A_eq=np.array(equal) if equal else None,
        b_eq=equal_to if equal else None, bounds=bounds, method="highs",
    )  # fmt: skip
    assert found.status == 0, found.message
    return float(found.fun)


def best_plan(network, options, strikes, budget: float, years: int, per_year: float, periods: int):
    """Return the least cost plus mean loss over all portfolios, and all that reach it.

    `strikes` are (scenario, onset in years, probability). An option starts in one of the years or
    never; it is in place at an onset if it is ready by then, and every option here is ready either
    at once or after all windows.
    """
    cache, networks = {}, {}
    best, at = np.inf, []
    for starts in itertools.product([None, *range(years)], repeat=len(options)):
        chosen = {o.label: y for o, y in zip(options, starts, strict=True) if y is not None}
        if any(r not in chosen or chosen[r] > y for o in options if o.label in chosen
               for r in o.requires for y in [chosen[o.label]]):  # fmt: skip
            continue
        if any(x in chosen for o in options if o.label in chosen for x in o.excludes):
            continue
        cost = sum(o.cost_once for o in options if o.label in chosen)
        if cost > budget + 1e-9:
            continue
        value = cost
        for k, (scenario, onset, p) in enumerate(strikes):
            tau = onset * per_year
            there = [
                o
                for o in options
                if o.label in chosen and chosen[o.label] * per_year + o.ready_periods <= tau
            ]
            if not scenario.shocks:
                continue
            labels = tuple(o.label for o in there)
            if labels not in networks:
                networks[labels] = apply(network, there)
            if (k, labels) not in cache:
                cache[k, labels] = answer(networks[labels], scenario, periods)
            value += p * cache[k, labels]
        if value < best - 1e-7 * max(1.0, abs(value)):
            best, at = value, [chosen]
        elif value <= best + 1e-7 * max(1.0, abs(value)):
            at.append(chosen)
    return best, at
