"""The slow twin of `withstand.kernels.dynamics`: dictionaries and plain loops; the specification.

A twin shares nothing with its kernel but the arguments: other data structures, other order of
work, no constants imported. It follows the page "mechanisms" sentence by sentence.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

RECORDED = (
    *("output", "unmet", "limited_by", "finished", "alpha", "stock", "received", "used"),
    *("delivered", "demand", "order"),
)


@dataclass(frozen=True)
class Habits:
    """The rules in words; `switch` holds a time per link, or None: no rerouting."""

    inputs: str = "classes"
    psi: float = 0.0
    weight: object = None
    orders: str = "wanted"
    targets: str = "rest"
    tau: float = 1.0
    rationing: str = "proportional"
    priority: tuple = ()
    alpha_max: float = 1.0
    alpha_periods: float = 1.0
    switch: object = None
    tolerance: float = field(default=1e-9)


def simulate(network, shocks, n_periods, habits):
    """Play shocks on a network: see the page "mechanisms".

    Nodes and inputs are dictionaries, shipments are lists of (period of arrival, quantity); hours
    of the same period are followed by recursion, so that `hours_order` and the transposed order of
    the kernel's passes are not needed.
    """
    nodes = _nodes(network, habits)
    inputs = [need for node in nodes for need in node["inputs"]]
    links = [link for need in inputs for link in need["links"]]
    record = {name: [] for name in RECORDED}
    for t in range(n_periods):
        _shock(nodes, links, shocks, t)
        # 1. deliveries arrive
        for need in inputs:
            arrived = sum(q for link in need["links"] for day, q in link["shipments"] if day == t)
            need["received"] = arrived
            need["at_hand"] = arrived + (need["stock"] if need["is_stored"] else 0.0)
        # 2. demand that is known before anybody produces; claims are (buyer, link, quantity)
        for node in nodes:
            node["claims"], node["own_demand"] = [], node["final_now"]
        for link in links:
            if not link["is_at_once"]:
                _claim(nodes, link, min(link["order"], link["limit"]))
                nodes[link["supplier"]]["own_demand"] += min(link["own_order"], link["limit"])
        # 3., 4., 6. what each node can make and hands out, hours of the same period included
        for node in nodes:
            node["planned"] = node["made"] = None
        for node in nodes:
            _make(nodes, node, habits)
        # 5. use inputs up
        for node in nodes:
            for need in node["inputs"]:
                wish = need["coefficient"] * node["made"]
                if not need["links"]:
                    need["received"] = need["used"] = wish
                    continue
                need["used"] = min(wish, need["at_hand"])
                need["stock"] = need["at_hand"] - need["used"] if need["is_stored"] else 0.0
        for link in links:
            if not link["is_at_once"]:
                link["shipments"].append((t + link["lag"], link["granted"]))
        # 7. order
        for node in nodes:
            for need in node["inputs"]:
                _order(node, need, habits, t)
        if habits.switch is not None:
            _reroute(nodes, inputs, links, habits)
        # 8. overcapacity
        for node in nodes:
            step = min(1.0, 1.0 / habits.alpha_periods)
            if node["is_short"]:
                scarcity = (node["wish"] - node["made"]) / node["wish"]
                node["alpha"] += (habits.alpha_max - node["alpha"]) * scarcity * step
            else:
                node["alpha"] += (1.0 - node["alpha"]) * step
        record["output"].append([node["made"] for node in nodes])
        for name in ("unmet", "limited_by", "finished", "alpha", "delivered", "demand"):
            record[name].append([node[name] for node in nodes])
        for name in ("stock", "received", "used"):
            record[name].append([need[name] for need in inputs])
        record["order"].append([link["order"] for link in links])
    width = dict.fromkeys(RECORDED, len(nodes))
    width |= dict.fromkeys(("stock", "received", "used"), len(inputs)) | {"order": len(links)}
    return SimpleNamespace(
        **{name: np.array(rows).reshape(n_periods, width[name]) for name, rows in record.items()}
    )


def _nodes(network, habits):
    """Return the network as nodes that hold their inputs, which hold their links."""
    nodes = []
    for n in range(len(network.output)):
        rest = float(network.output[n])
        inputs = []
        for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
            is_stored = network.input_use[i] == 0
            coefficient, target = float(network.input_coefficient[i]), network.input_target[i]
            links = []
            for k in range(network.links_indptr[i], network.links_indptr[i + 1]):
                lead_time = int(network.link_lead_time[k])
                lag = max(1, lead_time) if is_stored else lead_time
                share = float(network.link_share[k])
                flow = coefficient * rest * share
                links.append(
                    {
                        "index": k,
                        "buyer": n,
                        "supplier": int(network.link_supplier[k]),
                        "share": share,
                        "flow": flow,
                        "order": flow,
                        "own_order": flow,
                        "lag": lag,
                        "is_at_once": lag == 0,
                        "shipments": [(day, flow) for day in range(lag)],
                        "switch": None if habits.switch is None else habits.switch[k],
                        "age": None,
                    }
                )
            by_stock = habits.psi * target / rest if is_stored and rest > 0 else 0.0
            inputs.append(
                {
                    "index": i,
                    "coefficient": coefficient,
                    "limit_coefficient": max(coefficient, by_stock),
                    "class": ("minor", "important", "essential")[int(network.input_class[i])],
                    "is_stored": is_stored,
                    "stock": float(network.input_stock[i]) if is_stored else 0.0,
                    "target": float(target),
                    "links": links,
                }
            )
        nodes.append(
            {
                "index": n,
                "output": rest,
                "capacity": float(network.capacity[n]),
                "final_demand": float(network.final_demand[n]),
                "finished": float(network.finished[n]),
                "finished_target": float(network.finished[n]),
                "alpha": 1.0,
                "inputs": inputs,
            }
        )
    return nodes


def _shock(nodes, links, shocks, t):
    """0. What shocks leave of capacity, final demand and links."""
    s = shocks
    for node in nodes:
        n = node["index"]
        left = _left(s.shock_indptr, s.shock_node, s.shock_factor, n, t)
        node["capacity_now"] = node["capacity"] * node["alpha"] * left
        node["final_now"] = node["final_demand"] * _left(
            s.demand_shock_indptr, s.demand_shock_node, s.demand_shock_factor, n, t
        )
    for link in links:
        left = _left(s.link_shock_indptr, s.link_shock_link, s.link_shock_factor, link["index"], t)
        link["is_cut"] = left < 1
        link["limit"] = left * link["flow"] if left < 1 else float("inf")


def _left(indptr, hit, factors, index, t):
    """Return the product of the factors in period t of all shocks that hit an index."""
    left = 1.0
    for s in range(len(indptr) - 1):
        for k in range(indptr[s], indptr[s + 1]):
            if hit[k] == index:
                left *= factors[s, t]
    return left


def _claim(nodes, link, quantity):
    """Put an order, or an ask for hours, before its supplier."""
    nodes[link["supplier"]]["claims"].append((link["buyer"], link, quantity))


def _plan(nodes, node, habits):
    """Plan a node's output from demand, capacity and stocks; ask for hours of the period.

    Its demand is complete only when all nodes that use its hours have planned.
    """
    if node["planned"] is not None:
        return
    for user in nodes:
        for need in user["inputs"]:
            for link in need["links"]:
                if link["is_at_once"] and link["supplier"] == node["index"]:
                    _plan(nodes, user, habits)
                    asked = need["coefficient"] * user["planned"] * link["share"]
                    asked = min(asked, link["limit"])
                    _claim(nodes, link, asked)
                    node["own_demand"] += asked
    node["demand"] = node["final_now"] + sum(quantity for _, _, quantity in node["claims"])
    refill = (node["finished_target"] - node["finished"]) / habits.tau
    node["wish"] = max(0.0, node["demand"] + refill)
    slack = habits.tolerance * node["output"]
    node["is_short"] = node["capacity_now"] < node["wish"] - slack
    node["wanted"] = node["capacity_now"] if node["is_short"] else node["wish"]
    node["limited_by"] = -2 if node["is_short"] else -1
    known = [
        need
        for need in node["inputs"]
        if need["links"] and not any(link["is_at_once"] for link in need["links"])
    ]
    limits = _limits(node, known, habits)
    node["able"] = min([node["capacity_now"]] + [limit for limit, _ in limits])
    node["planned"] = _lowest(node, node["wanted"], limits, habits)


def _make(nodes, node, habits):
    """Settle what a node makes, once the suppliers of its hours have settled theirs; hand out."""
    if node["made"] is not None:
        return
    _plan(nodes, node, habits)
    late = []
    for need in node["inputs"]:
        at_once = [link for link in need["links"] if link["is_at_once"]]
        for link in at_once:
            _make(nodes, nodes[link["supplier"]], habits)
            need["received"] += link["granted"]
            need["at_hand"] += link["granted"]
        if at_once:
            late.append(need)
    planned = node["planned"]
    node["made"] = _lowest(node, planned, _limits(node, late, habits), habits)
    if node["made"] != planned:
        node["able"] = min(node["able"], node["made"])
    _hand_out(node, habits)


def _limits(node, needs, habits):
    """Return (most output, index of the input) for each input that may limit; substitutes last."""
    rest, limits, substitutes = node["output"], [], []
    for need in needs:
        if need["coefficient"] == 0:
            continue
        by_recipe = need["at_hand"] / need["limit_coefficient"]
        if habits.inputs == "linear" and need["is_stored"]:
            substitutes.append(need)
        elif habits.inputs == "leontief" or need["class"] == "essential":
            limits.append((by_recipe, need["index"]))
        elif need["class"] == "important":
            half = (by_recipe + rest) / 2
            limits.append((by_recipe if by_recipe > half else half, need["index"]))
    if substitutes:
        weights = [
            1 / need["coefficient"] if habits.weight is None else habits.weight[need["index"]]
            for need in substitutes
        ]
        pairs = list(zip(weights, substitutes, strict=True))
        needed = sum(w * need["limit_coefficient"] for w, need in pairs)
        if needed > 0:
            short = [
                (w * (need["limit_coefficient"] * node["wanted"] - need["at_hand"]), need["index"])
                for w, need in pairs
                if w > 0
            ]
            most = max(quantity for quantity, _ in short)
            worst = next(index for quantity, index in short if quantity == most)
            limits.append((sum(w * need["at_hand"] for w, need in pairs) / needed, worst))
    return limits


def _lowest(node, wish, limits, habits):
    """Return the wish, or the lowest limit if that is lower; note the first of the lowest."""
    lowest = min([wish] + [limit for limit, _ in limits])
    slack = habits.tolerance * node["output"]
    if lowest >= wish - slack:
        return wish
    node["limited_by"] = next(index for limit, index in limits if limit <= lowest + slack)
    return lowest


def _hand_out(node, habits):
    """6. Serve groups of claims in turn: each gets what is left, all its members alike."""
    final = ("final", None, node["final_now"])
    claims = [*node["claims"], final]
    groups = [[claim for claim in claims if claim[0] == named] for named in habits.priority]
    others = [claim for claim in node["claims"] if claim[0] not in habits.priority]
    groups += {
        "proportional": [[*others, final]],
        "final_first": [[final], others],
        "final_last": [others, [final]],
    }[habits.rationing]
    left = node["made"] + node["finished"]
    if left >= node["demand"]:
        groups = [claims]
        served = [1.0]
        left -= node["demand"]
    else:
        served = []
        for group in groups:
            wish = sum(quantity for _, _, quantity in group)
            served.append(1.0 if wish <= left else left / wish)
            left = max(0.0, left - wish)
        left = 0.0
    node["delivered"] = 0.0
    for share, group in zip(served, groups, strict=True):
        for _, link, quantity in group:
            node["delivered"] += quantity * share
            if link is None:
                node["unmet"] = quantity - quantity * share
            else:
                link["granted"] = quantity * share
    node["finished"] = left


def _order(node, need, habits, t):
    """7. Replace what was used or wanted, close part of the gap; the links' own orders."""
    if not need["is_stored"]:
        for link in need["links"]:
            link["order"] = link["own_order"] = link["flow"]
        return
    basis = {"made": node["made"], "wanted": node["wanted"]}[habits.orders]
    if habits.switch is not None:
        lost = max(0.0, node["own_demand"] - node["demand"])
        basis += min(lost, max(0.0, node["capacity_now"] - basis))
    under_way = sum(q for link in need["links"] for day, q in link["shipments"] if day > t)
    full = sum(link["flow"] * link["lag"] for link in need["links"])
    aim = need["target"] + full
    if habits.targets == "wanted" and node["output"] > 0:
        aim *= node["wanted"] / node["output"]
    gap = aim - need["stock"] - under_way
    if habits.targets == "wanted" and gap < 0:
        gap = 0.0
    wish = max(0.0, need["coefficient"] * basis + gap / habits.tau)
    for link in need["links"]:
        link["order"] = link["own_order"] = wish * link["share"]


def _reroute(nodes, inputs, links, habits):
    """Move orders that will not be filled to suppliers with spare capacity."""
    for node in nodes:
        has, own = node["able"] + node["finished"], node["own_demand"]
        node["fails"] = has < own - habits.tolerance * node["output"]
        node["fills"] = has / own if node["fails"] else 1.0
        node["spare"] = 0.0 if node["fails"] else max(0.0, node["capacity_now"] - own)
    lagged = [link for link in links if not link["is_at_once"]]
    for link in lagged:
        fill = nodes[link["supplier"]]["fills"]
        if link["limit"] < link["own_order"]:
            fill *= link["limit"] / link["own_order"]
        fails = fill < 1 - habits.tolerance
        link["misses"] = link["own_order"] * (1 - fill) if fails else 0.0
        link["age"] = (0 if link["age"] is None else link["age"] + 1) if fails else None
    asks = []  # (from, to, quantity)
    for need in inputs:
        for link in need["links"]:
            if link["is_at_once"] or link["age"] is None:
                continue
            others = [
                other
                for other in need["links"]
                if not other["is_at_once"]
                and other["age"] is None
                and not other["is_cut"]
                and nodes[other["supplier"]]["spare"] > 0
                and link["age"] >= other["switch"]
            ]
            spare = sum(nodes[other["supplier"]]["spare"] for other in others)
            for other in others:
                part = nodes[other["supplier"]]["spare"] / spare
                asks.append((link, other, link["misses"] * part))
    for node in nodes:
        asked = sum(q for _, other, q in asks if other["supplier"] == node["index"])
        node["accepts"] = min(1.0, node["spare"] / asked) if asked > 0 else 1.0
    for link, other, quantity in asks:
        moved = quantity * nodes[other["supplier"]]["accepts"]
        other["order"] += moved
        link["order"] -= moved
