"""The period of an economy once more, in plain loops, with every order written down."""

from __future__ import annotations

import numpy as np


def play(economy, rules, capacity_left, demand_left):
    """Return output, unmet demand, stock at the end, and overcapacity, period by period.

    Parameters
    ----------
    economy : dict
        n x n `flows`, `product` of each node, `output`, `capacity`, `final`, and by (product,
        node) `stock`, `target`, and `class` (2 essential, 1 important, 0 minor).
    rules : dict
        The words of `Rules`, with `targets` and `overtime` as in `dense_arrays.prepare`.
    capacity_left, demand_left : ndarray, shape (n_periods, n_nodes)
    """
    flows, product = economy["flows"], economy["product"]
    rest, n = economy["output"], len(economy["output"])
    products = range(max(product) + 1)
    bought = {
        (p, j): sum(flows[i, j] for i in range(n) if product[i] == p)
        for p in products
        for j in range(n)
    }
    needs = {key: value for key, value in bought.items() if value > 0}
    a = {(p, j): value / rest[j] if rest[j] > 0 else 0.0 for (p, j), value in needs.items()}
    stock = {key: economy["stock"][key] for key in needs}
    share = {
        (i, j): flows[i, j] / bought[product[i], j]
        for i in range(n)
        for j in range(n)
        if flows[i, j] > 0
    }
    orders = {(i, j): a[product[i], j] * rest[j] * part for (i, j), part in share.items()}
    shipped = dict(orders)
    alpha, before = np.ones(n), rest.copy()
    rate = min(1.0, 1.0 / rules["alpha_periods"])
    record = {name: [] for name in ("output", "unmet", "stock", "alpha")}
    for left, wish in zip(capacity_left, demand_left, strict=True):
        for (i, j), quantity in shipped.items():
            stock[product[i], j] += quantity
        final = economy["final"] * wish
        on = np.array([sum(o for (i, _), o in orders.items() if i == k) for k in range(n)])
        demand = final + on
        if rules["overtime"] == "orders":
            for k in range(n):
                if demand[k] > 1e-9 * rest[k]:
                    missed = (demand[k] - before[k]) / demand[k]
                    if abs(missed) <= 1e-9:
                        alpha[k] += (1 - alpha[k]) * rate
                    else:
                        alpha[k] += (rules["alpha_max"] - alpha[k]) * missed * rate
                    alpha[k] = max(1.0, alpha[k])
        now = economy["capacity"] * alpha * left
        short = now < demand - 1e-9 * rest
        wanted = np.where(short, now, demand)
        allowed = [_allowed(j, economy, rules, a, stock) for j in range(n)]
        made = np.where(allowed < wanted - 1e-9 * rest, allowed, wanted)
        to_final, to_orders = np.ones(n), np.ones(n)
        for k in range(n):
            if made[k] < demand[k]:
                groups = {"final_first": [[0], [1]], "final_last": [[1], [0]]}
                supply, claims = made[k], (final[k], on[k])
                parts = [1.0, 1.0]
                for group in groups.get(rules["rationing"], [[0, 1]]):
                    claim = sum(claims[g] for g in group)
                    for g in group:
                        parts[g] = min(1.0, supply / claim) if claim > 0 else 1.0
                    supply = max(0.0, supply - claim)
                to_final[k], to_orders[k] = parts
        if rules["overtime"] == "capacity":
            for k in range(n):
                if short[k]:
                    missed = (demand[k] - made[k]) / demand[k]
                    alpha[k] += (rules["alpha_max"] - alpha[k]) * missed * rate
                else:
                    alpha[k] += (1 - alpha[k]) * rate
        for (p, j), s in stock.items():
            stock[p, j] = max(0.0, s - a[p, j] * made[j])
        shipped = {(i, j): o * to_orders[i] for (i, j), o in orders.items()}
        base = wanted if rules["orders"] == "wanted" else made
        orders = {}
        for p, j in needs:
            coming = sum(q for (i, k), q in shipped.items() if k == j and product[i] == p)
            aim = economy["target"][p, j] + a[p, j] * rest[j]
            if rules["targets"] == "wanted":
                aim *= wanted[j] / rest[j] if rest[j] > 0 else 1.0
            gap = aim - stock[p, j] - coming
            if rules["targets"] == "wanted":
                gap = max(0.0, gap)
            order = max(0.0, a[p, j] * base[j] + gap / rules["stock_adjustment"])
            for (i, k), part in share.items():
                if k == j and product[i] == p:
                    orders[i, j] = order * part
        record["output"].append(made)
        record["unmet"].append(final * (1 - to_final))
        record["stock"].append([stock[key] for key in sorted(needs, key=lambda k: (k[1], k[0]))])
        record["alpha"].append(alpha.copy())
        before = made
    return {name: np.array(rows) for name, rows in record.items()}


def _allowed(j, economy, rules, a, stock):
    """Return the output that the inputs at hand allow node j."""
    rest, limits, total, needed = economy["output"][j], [np.inf], 0.0, 0.0
    for (p, k), s in stock.items():
        if k != j or a[p, k] <= 0:
            continue
        b = a[p, k]
        if rules["psi"] is not None and rest > 0:
            b = max(b, rules["psi"] * economy["target"][p, k] / rest)
        kind = economy["class"][p, k] if rules["inputs"] == "classes" else 2
        if rules["inputs"] == "linear":
            total, needed = total + s, needed + b
        elif kind == 2:
            limits.append(s / b)
        elif kind == 1:
            limits.append(max(s / b, (s / b + rest) / 2))
    if needed > 0:
        limits.append(total / needed)
    return min(limits)
