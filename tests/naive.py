"""The slow twins: one obvious function per kernel, same name, plain loops; the specification.

A twin shares nothing with its kernel but the arguments: other data structures, other order of
work, no constants imported.
"""

from types import SimpleNamespace

import numpy as np


def simulate(network, shocks, n_periods, stock_adjustment, orders_follow, tolerance):
    """Play shocks on a network: see the mechanisms in `withstand.kernels.dynamics`.

    `orders_follow` is "use" or "wanted". Nodes and inputs are dictionaries, shipments are lists
    of (period of arrival, quantity); hours of the same period are followed by recursion, so that
    `hours_order` and the transposed order of the kernel's passes are not needed.
    """
    nodes = _nodes(network)
    inputs = [need for node in nodes for need in node["inputs"]]
    links = [link for need in inputs for link in need["links"]]
    record = {name: [] for name in ("output", "unmet", "limited_by", "stock", "received", "used")}
    for t in range(n_periods):
        # 0. shocks
        for node in nodes:
            node["capacity_now"] = node["capacity"] * _left(
                shocks.shock_indptr, shocks.shock_node, shocks.shock_factor, node["index"], t
            )
            node["final_now"] = node["final_demand"] * _left(
                shocks.demand_shock_indptr, shocks.demand_shock_node, shocks.demand_shock_factor,
                node["index"], t,
            )  # fmt: skip
        for link in links:
            left = _left(
                shocks.link_shock_indptr, shocks.link_shock_link, shocks.link_shock_factor,
                link["index"], t,
            )  # fmt: skip
            link["limit"] = left * link["flow"] if left < 1 else float("inf")
        # 1. deliveries arrive
        for need in inputs:
            arrived = sum(q for link in need["links"] for day, q in link["shipments"] if day == t)
            need["received"] = arrived
            need["at_hand"] = arrived + (need["stock"] if need["is_stored"] else 0.0)
        # 2. demand that is known before anybody produces
        for node in nodes:
            node["claims"] = []  # orders and asks on this node, without final demand
        for link in links:
            if not link["is_at_once"]:
                link["claim"] = min(link["order"], link["limit"])
                nodes[link["supplier"]]["claims"].append(link["claim"])
        # 3., 4. what each node can make, hours of the same period included
        for node in nodes:
            node["planned"] = node["made"] = None
        for node in nodes:
            _make(nodes, node, tolerance)
        # 5. use inputs up
        for node in nodes:
            for need in node["inputs"]:
                wish = need["coefficient"] * node["made"]
                if not need["links"]:
                    need["received"] = need["used"] = wish
                    continue
                need["used"] = min(wish, need["at_hand"])
                need["stock"] = need["at_hand"] - need["used"] if need["is_stored"] else 0.0
        # 6. every claim receives the same share
        for link in links:
            if not link["is_at_once"]:
                shipped = link["claim"] * nodes[link["supplier"]]["share_met"]
                link["shipments"].append((t + link["lag"], shipped))
        # 7. order
        for node in nodes:
            for need in node["inputs"]:
                if need["is_stored"]:
                    made = {"use": node["made"], "wanted": node["wanted"]}[orders_follow]
                    under_way = sum(
                        q for link in need["links"] for day, q in link["shipments"] if day > t
                    )
                    full = sum(link["flow"] * link["lag"] for link in need["links"])
                    gap = need["target"] + full - need["stock"] - under_way
                    wish = max(0.0, need["coefficient"] * made + gap / stock_adjustment)
                    for link in need["links"]:
                        link["order"] = wish * link["share"]
                else:
                    for link in need["links"]:
                        link["order"] = link["flow"]
        record["output"].append([node["made"] for node in nodes])
        record["unmet"].append([node["final_now"] * (1 - node["share_met"]) for node in nodes])
        record["limited_by"].append([node["limited_by"] for node in nodes])
        for name in ("stock", "received", "used"):
            record[name].append([need[name] for need in inputs])
    shapes = {name: len(nodes) for name in ("output", "unmet", "limited_by")}
    return SimpleNamespace(
        **{
            name: np.array(rows).reshape(n_periods, shapes.get(name, len(inputs)))
            for name, rows in record.items()
        }
    )


def _nodes(network):
    """Return the network as nodes that hold their inputs, which hold their links."""
    nodes = []
    for n in range(len(network.output)):
        inputs = []
        for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
            is_stored = network.input_use[i] == 0
            coefficient = float(network.input_coefficient[i])
            links = []
            for k in range(network.links_indptr[i], network.links_indptr[i + 1]):
                lead_time = int(network.link_lead_time[k])
                lag = max(1, lead_time) if is_stored else lead_time
                share = float(network.link_share[k])
                flow = coefficient * float(network.output[n]) * share
                links.append(
                    {
                        "index": k,
                        "supplier": int(network.link_supplier[k]),
                        "share": share,
                        "flow": flow,
                        "order": flow,
                        "lag": lag,
                        "is_at_once": lag == 0,
                        "shipments": [(day, flow) for day in range(lag)],
                    }
                )
            inputs.append(
                {
                    "index": i,
                    "buyer": n,
                    "coefficient": coefficient,
                    "class": {2: "essential", 1: "important", 0: "minor"}[
                        int(network.input_class[i])
                    ],
                    "is_stored": is_stored,
                    "stock": float(network.input_stock[i]) if is_stored else 0.0,
                    "target": float(network.input_target[i]),
                    "links": links,
                }
            )
        nodes.append(
            {
                "index": n,
                "output": float(network.output[n]),
                "capacity": float(network.capacity[n]),
                "final_demand": float(network.final_demand[n]),
                "inputs": inputs,
            }
        )
    return nodes


def _left(indptr, hit, factors, index, t):
    """Return the product of the factors in period t of all shocks that hit an index."""
    left = 1.0
    for s in range(len(indptr) - 1):
        for k in range(indptr[s], indptr[s + 1]):
            if hit[k] == index:
                left *= factors[s, t]
    return left


def _plan(nodes, node, tolerance):
    """Plan a node's output from demand, capacity and stocks; ask for hours of the period.

    Its demand is complete only when all nodes that use its hours have planned.
    """
    if node["planned"] is not None:
        return
    for user in nodes:
        for need in user["inputs"]:
            for link in need["links"]:
                if link["is_at_once"] and link["supplier"] == node["index"]:
                    _plan(nodes, user, tolerance)
                    asked = need["coefficient"] * user["planned"] * link["share"]
                    link["claim"] = min(asked, link["limit"])
                    node["claims"].append(link["claim"])
    node["demand"] = node["final_now"] + sum(node["claims"])
    node["wanted"], node["limited_by"] = node["demand"], -1
    if node["capacity_now"] < node["demand"] - tolerance * node["output"]:
        node["wanted"], node["limited_by"] = node["capacity_now"], -2
    limits = [
        (_limit(node, need), need["index"])
        for need in node["inputs"]
        if need["links"] and not any(link["is_at_once"] for link in need["links"])
    ]
    node["planned"] = _lowest(node, node["wanted"], limits, tolerance)


def _make(nodes, node, tolerance):
    """Settle what a node makes, once the suppliers of its hours have settled theirs."""
    if node["made"] is not None:
        return
    _plan(nodes, node, tolerance)
    limits = []
    for need in node["inputs"]:
        at_once = [link for link in need["links"] if link["is_at_once"]]
        for link in at_once:
            supplier = nodes[link["supplier"]]
            _make(nodes, supplier, tolerance)
            need["received"] += link["claim"] * supplier["share_met"]
            need["at_hand"] += link["claim"] * supplier["share_met"]
        if at_once:
            limits.append((_limit(node, need), need["index"]))
    node["made"] = _lowest(node, node["planned"], limits, tolerance)
    node["share_met"] = node["made"] / node["demand"] if node["demand"] > 0 else 1.0


def _limit(node, need):
    """Return the most output that what is at hand of one input allows."""
    if need["class"] == "minor" or need["coefficient"] == 0:
        return float("inf")
    by_recipe = need["at_hand"] / need["coefficient"]
    if need["class"] == "essential" or by_recipe > node["output"]:
        return by_recipe
    return (by_recipe + node["output"]) / 2


def _lowest(node, wish, limits, tolerance):
    """Return the wish, or the lowest limit if that is lower; note the first of the lowest."""
    lowest = min([wish] + [limit for limit, _ in limits])
    slack = tolerance * node["output"]
    if lowest >= wish - slack:
        return wish
    node["limited_by"] = next(index for limit, index in limits if limit <= lowest + slack)
    return lowest
