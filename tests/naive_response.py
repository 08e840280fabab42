"""The slow twins of the best response: plain loops over labelled dictionaries; the specification.

Also the random networks they are compared on: small, without circles of goods, every kind of input.
"""

import itertools

import numpy as np
import polars as pl
from scipy.optimize import linprog

from withstand.model.building import build_network
from withstand.model.scenario import Scenario, Shock
from withstand.model.settings import Settings

# --- random networks ---------------------------------------------------------------------------


def random_network(rng, *, alternatives=True, important=False, stocks=True):
    """Return a network of goods in tiers, some of them made by two nodes, and people with hours.

    Without alternatives every product has one maker and capacity equals output.
    """
    n_products = int(rng.integers(2, 7))
    makers = [int(rng.integers(1, 3)) if alternatives else 1 for _ in range(n_products)]
    nodes, recipes, links, held = [], [], [], []
    spare = (lambda: float(rng.choice([1.0, 1.0, 1.2, 2.0]))) if alternatives else (lambda: 1.0)
    for p in range(n_products):
        for k in range(makers[p]):
            final = float(rng.uniform(1, 9)) if p == 0 or rng.random() < 0.2 else 0.0
            nodes.append({"node": f"n{p}.{k}", "product": f"p{p}", "region": "R",
                          "final_demand": final, "price": float(rng.uniform(1, 5))})  # fmt: skip
    for p in range(n_products - 1):
        later = np.arange(p + 1, n_products)
        many = min(len(later), int(rng.integers(1, 4)))
        for q in sorted(rng.choice(later, many, replace=False)):
            kind = "important" if important and rng.random() < 0.4 else "essential"
            recipes.append({"buyer": f"p{p}", "input": f"p{q}", "class": kind,
                            "quantity": float(rng.uniform(0.2, 3)), "use": "consumed"})  # fmt: skip
            for k in range(makers[p]):
                share = rng.dirichlet(np.ones(makers[q]))
                for s in range(makers[q]):
                    links.append({"supplier": f"n{q}.{s}", "buyer": f"n{p}.{k}",
                                  "share": float(share[s]),
                                  "lead_time": float(rng.integers(1, 5))})  # fmt: skip
                if stocks and rng.random() < 0.7:
                    held.append({"node": f"n{p}.{k}", "product": f"p{q}",
                                 "periods_of_use": float(rng.uniform(0, 4))})  # fmt: skip
    for h in range(int(rng.integers(0, 3))):
        nodes.append({"node": f"people{h}", "product": f"h{h}", "region": "R",
                      "final_demand": 0.0, "price": 1.0})  # fmt: skip
        lead = float(rng.choice([0, 0, 1, 3]))
        for p in sorted(rng.choice(n_products, int(rng.integers(1, 3)))):
            if {"buyer": f"p{p}", "input": f"h{h}"} not in [
                {k: r[k] for k in ("buyer", "input")} for r in recipes
            ]:
                quantity = float(rng.uniform(0.1, 1))
                recipes.append({"buyer": f"p{p}", "input": f"h{h}", "class": "essential",
                                "quantity": quantity, "use": "hours"})  # fmt: skip
                links += [{"supplier": f"people{h}", "buyer": f"n{p}.{k}", "share": 1.0,
                           "lead_time": lead} for k in range(makers[p])]  # fmt: skip
    tables = {"nodes": pl.DataFrame(nodes), "recipes": pl.DataFrame(recipes),
              "links": pl.DataFrame(links)}  # fmt: skip
    if held:
        tables["stocks"] = pl.DataFrame(held)
    network = build_network(tables, Settings(name="random"))
    capacity = network.output * [spare() for _ in range(network.n_nodes)]
    tables["nodes"] = tables["nodes"].with_columns(capacity=pl.Series(capacity))
    return build_network(tables, Settings(name="random"))


def random_scenario(rng, network):
    """Return one to three shocks on nodes, links and final demand."""
    shocks = []
    for _ in range(int(rng.integers(1, 4))):
        what = rng.choice(["node", "link", "demand"], p=[0.6, 0.25, 0.15])
        times = {"share": float(rng.choice([0.3, 0.7, 1.0])), "start": float(rng.integers(0, 4)),
                 "duration": float(rng.integers(1, 9)),
                 "recovery": float(rng.choice([0, 0, 3]))}  # fmt: skip
        if what == "node":
            shocks.append(Shock(node=str(rng.choice(network.node_labels)), **times))
        elif what == "link":
            k = int(rng.integers(network.n_links))
            buyer = network.node_labels[network.input_buyer[network.link_input[k]]]
            supplier = network.node_labels[network.link_supplier[k]]
            shocks.append(Shock(link=f"{supplier}>{buyer}", **times))
        else:
            node = rng.choice(np.flatnonzero(network.final_demand > 0))
            shocks.append(Shock(node=str(network.node_labels[node]), what="demand", **times))
    return Scenario(name="random", shocks=tuple(shocks))


# --- a simulated path, with what every link ships ------------------------------------------------


def shipments_of(arrays, factors, run, stock_adjustment=1.0):
    """Return what each link ships in each period of a run, shape (n_periods, n_links).

    Follows steps 2, 6 and 7 of the mechanisms with the outputs of the run taken as known. Orders
    replace what was wanted. `factors` are the shares left of nodes, links and final demand.
    """
    node_left, link_left, demand_left = factors
    n_periods, n_links = run.output.shape[0], len(arrays.link_supplier)
    need = np.repeat(np.arange(len(arrays.input_use)), np.diff(arrays.links_indptr))
    buyer_of = np.repeat(np.arange(len(arrays.output)), np.diff(arrays.inputs_indptr))
    flow = (arrays.input_coefficient * arrays.output[buyer_of])[need] * arrays.link_share
    lead = arrays.link_lead_time
    order = flow.copy()
    shipped = np.zeros((n_periods, n_links))
    for t in range(n_periods):
        limit = np.where(link_left[t] < 1, link_left[t] * flow, np.inf)
        claim = np.minimum(order, limit)
        final = arrays.final_demand * demand_left[t]
        demand = final.copy()
        for k in range(n_links):
            if lead[k] > 0:
                demand[arrays.link_supplier[k]] += claim[k]
        wanted = np.empty(len(demand))
        stocks = run.stock[t - 1] if t else arrays.input_stock
        for n in arrays.hours_order:
            wanted[n] = min(demand[n], arrays.capacity[n] * node_left[t, n])
            if wanted[n] >= demand[n] - 1e-9 * arrays.output[n]:
                wanted[n] = demand[n]
            possible = wanted[n]
            mine = range(arrays.inputs_indptr[n], arrays.inputs_indptr[n + 1])
            at_once = {}
            for i in mine:
                links = np.arange(arrays.links_indptr[i], arrays.links_indptr[i + 1])
                at_once[i] = [k for k in links if lead[k] == 0]
                if len(links) and not at_once[i] and arrays.input_class[i] > 0:
                    arrived = sum(
                        shipped[t - lead[k], k] if t >= lead[k] else flow[k] for k in links
                    )
                    held = stocks[i] if arrays.input_use[i] == 0 else 0.0
                    most = (held + arrived) / arrays.input_coefficient[i]
                    if arrays.input_class[i] == 1:
                        most = max(most, (most + arrays.output[n]) / 2)
                    if most < possible - 1e-9 * arrays.output[n]:
                        possible = most
            for i in mine:
                for k in at_once[i]:
                    asked = arrays.input_coefficient[i] * possible * arrays.link_share[k]
                    claim[k] = min(asked, limit[k])
                    demand[arrays.link_supplier[k]] += claim[k]
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(demand > 0, run.output[t] / demand, 1.0)
        shipped[t] = claim * ratio[arrays.link_supplier]
        for i in range(len(arrays.input_use)):
            links = np.flatnonzero(need == i)
            if arrays.input_use[i] != 0:
                order[links] = flow[links]
                continue
            under_way = sum(
                shipped[s, k] if s >= 0 else flow[k]
                for k in links
                for s in range(t - lead[k] + 1, t + 1)
            )
            full = (flow[links] * lead[links]).sum()
            gap = arrays.input_target[i] + full - run.stock[t, i] - under_way
            wish = arrays.input_coefficient[i] * wanted[buyer_of[i]] + gap / stock_adjustment
            order[links] = max(0.0, wish) * arrays.link_share[links]
    return shipped


# --- times to survive ----------------------------------------------------------------------------


def tree_survival(network, node):
    """Return the time to survive without one node where every product has one maker.

    Component n survives the largest t at which nobody needs its output any more: a buyer needs
    what it makes in t less its stock and what is under way, and makes what its own buyers need.
    By bisection.
    """
    lead = [max(1.0, x) if network.input_use[i] == 0 else x
            for x, i in zip(network.link_lead_time, network.link_input, strict=True)]  # fmt: skip

    def needed(n, t):
        total = max(network.final_demand[n], 0.0) * t
        for k in network.supplier_link[network.supplier_indptr[n] : network.supplier_indptr[n + 1]]:
            i = network.link_input[k]
            buyer = network.input_buyer[i]
            covered = network.input_stock[i] + network.link_flow[k] * lead[k]
            need = network.input_coefficient[i] * needed(buyer, t) - covered
            if network.input_use[i] == 1:  # hours cannot be kept until final demand needs them
                after = max(t - lead[k], 0.0) * max(network.final_demand[buyer], 0.0)
                need = max(need, network.input_coefficient[i] * after)
            total += max(0.0, need)
        return total

    high = 1e4
    if needed(node, high) <= 0:
        return np.inf
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        if needed(node, middle) > 1e-13 * network.output[node]:
            high = middle
        else:
            low = middle
    return low


def steady_loss(network, failed, t, weight, divert):
    """Return the least loss over t periods without the failed nodes, by the programme in words.

    Written down variable by variable over the whole network and given to SciPy. If goods may not be
    diverted, whoever does not stand downstream of what failed gets at least what flows at rest.
    """
    reached = set(range(network.n_nodes)) if divert else {int(n) for n in failed}
    for _ in range(network.n_nodes):
        for k in range(network.n_links):
            i = network.link_input[k]
            if int(network.link_supplier[k]) in reached and network.input_class[i] > 0:
                reached.add(int(network.input_buyer[i]))
    lead = [max(1.0, x) if network.input_use[i] == 0 else x
            for x, i in zip(network.link_lead_time, network.link_input, strict=True)]  # fmt: skip
    way = np.where(network.final_demand > 0, 0.0, np.inf)
    for _ in range(network.n_nodes):
        for k in range(network.n_links):
            buyer = network.input_buyer[network.link_input[k]]
            way[network.link_supplier[k]] = min(way[network.link_supplier[k]], lead[k] + way[buyer])
    h = np.maximum(t - way, 0.0)
    promised = [0.0 if n in reached else max(network.final_demand[n], 0.0)
                for n in range(network.n_nodes)]  # fmt: skip
    for k in range(network.n_links):
        if network.input_buyer[network.link_input[k]] not in reached:
            promised[network.link_supplier[k]] += network.link_flow[k]
    cost, bounds, rows, limits = [], [], [], []
    names = {}

    def variable(name, price, most, least=0.0):
        names[name] = len(names)
        cost.append(price)
        bounds.append((least, most))

    for n in range(network.n_nodes):
        variable(("x", n), 0.0, 0.0 if n in failed else network.capacity[n] * h[n])
        lost = max(network.final_demand[n], 0.0) * t if n in reached else 0.0
        variable(("lost", n), weight[n], lost)
    for k in range(network.n_links):
        buyer = network.input_buyer[network.link_input[k]]
        time = max(h[buyer] - lead[k], 0.0)
        least = 0.0 if buyer in reached else network.link_flow[k] * time
        seller = int(network.link_supplier[k])
        free = network.capacity[seller] - promised[seller]
        variable(("y", k), 0.0, free * time + least, least)
    for i in range(network.n_inputs):
        variable(("used", i), 0.0, None)

    def at_most(limit, *terms):
        row = np.zeros(len(names))
        for coefficient, name in terms:
            row[names[name]] += coefficient
        rows.append(row)
        limits.append(limit)

    for n in range(network.n_nodes):
        mine = network.supplier_link[network.supplier_indptr[n] : network.supplier_indptr[n + 1]]
        at_most(-max(network.final_demand[n], 0.0) * t, (-1.0, ("x", n)), (-1.0, ("lost", n)),
                *((1.0, ("y", k)) for k in mine))  # fmt: skip
    for i in range(network.n_inputs):
        b = network.input_buyer[i]
        links = range(network.links_indptr[i], network.links_indptr[i + 1])
        there = sum(network.link_flow[k] * min(h[b], lead[k]) for k in links)
        at_most(there + network.input_stock[i], (1.0, ("used", i)),
                *((-1.0, ("y", k)) for k in links))  # fmt: skip
        a, rest = network.input_coefficient[i], network.output[b]
        final = max(network.final_demand[b], 0.0)
        if network.input_use[i] == 1 and network.input_class[i] == 2 and final > 0:
            times = sorted({0.0, t, *(min(lead[k], t) for k in links)})
            met = 0.0  # of final demand from hours under way
            for start, end in itertools.pairwise(times):
                hours = sum(network.link_flow[k] for k in links if lead[k] > start)
                met += (end - start) * min(final, hours / a)
            at_most(met - final * t, (-1.0, ("lost", b)),
                    *((-1.0 / a, ("y", k)) for k in links))  # fmt: skip
        if network.input_class[i] == 2:
            at_most(0.0, (a, ("x", b)), (-1.0, ("used", i)))
        elif network.input_class[i] == 1:
            slope = 1 - rest / (2 * network.capacity[b]) if rest > 0 else 1.0
            at_most(rest / 2 * h[b], (1.0, ("x", b)), (-slope / a, ("used", i)))
    answer = linprog(cost, A_ub=np.array(rows), b_ub=limits, bounds=bounds, method="highs")
    assert answer.status == 0, answer.message
    return answer.fun
