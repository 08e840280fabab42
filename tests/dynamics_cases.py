"""Small networks, random networks, shocks and rules for the simulation kernels and their twin."""

from __future__ import annotations

import numpy as np

import naive_dynamics as naive
from withstand.kernels import dynamics
from withstand.kernels.dynamics_arrays import (
    CONSUMED,
    ESSENTIAL,
    HOSTED,
    HOURS,
    IMPORTANT,
    MINOR,
    NetworkArrays,
    ShockArrays,
    read_only,
    rule_arrays,
)
from withstand.kernels.dynamics_memory import OF_INPUTS, OF_NODES, new_record, new_work

TOLERANCE = 1e-9  # far above rounding (1e-15), far below what anybody would call a shortage
RATIONING = ("proportional", "final_first", "final_last")
EVERYTHING = (*OF_NODES, *OF_INPUTS)


def network_of(nodes, order=None):
    """Build arrays from nodes: (output, capacity, final demand, inputs, finished goods or none).

    An input is a dictionary: a, class, use, stock, target (default: stock) and links, a list of
    (supplier, share, lead time).
    """
    inputs = [need for node in nodes for need in node[3]]
    links = [link for need in inputs for link in need["links"]]
    return read_only(
        NetworkArrays(
            output=[node[0] for node in nodes],
            capacity=[node[1] for node in nodes],
            final_demand=[node[2] for node in nodes],
            finished=[node[4] if len(node) > 4 else 0.0 for node in nodes],
            inputs_indptr=np.cumsum([0] + [len(node[3]) for node in nodes]),
            input_coefficient=[need["a"] for need in inputs],
            input_class=[need.get("class", ESSENTIAL) for need in inputs],
            input_use=[need.get("use", CONSUMED) for need in inputs],
            input_stock=[need.get("stock", 0.0) for need in inputs],
            input_target=[need.get("target", need.get("stock", 0.0)) for need in inputs],
            links_indptr=np.cumsum([0] + [len(need["links"]) for need in inputs]),
            link_supplier=[link[0] for link in links],
            link_share=[link[1] for link in links],
            link_lead_time=[link[2] for link in links],
            hours_order=np.arange(len(nodes)) if order is None else order,
        )
    )


def shocks_of(n_periods, nodes=(), links=(), demand=()):
    """Build shocks from three lists of (indices hit, factor per period)."""
    groups = []
    for shocks in (nodes, links, demand):
        groups.append(np.cumsum([0] + [len(hit) for hit, _ in shocks]))
        groups.append(np.array([k for hit, _ in shocks for k in hit], dtype=np.int64))
        factors = [np.resize(np.asarray(factor, dtype=float), n_periods) for _, factor in shocks]
        groups.append(np.reshape(factors, (len(shocks), n_periods)))
    return read_only(ShockArrays(*groups))


def rules_of(network, habits):
    """Return the rules in words as the arrays of the kernel."""
    return rule_arrays(
        network,
        inputs=habits.inputs,
        psi=habits.psi,
        weight=habits.weight,
        is_wanted=habits.orders == "wanted",
        is_scaled=habits.targets == "wanted",
        stock_adjustment=habits.tau,
        rationing=RATIONING.index(habits.rationing),
        priority=habits.priority,
        alpha_max=habits.alpha_max,
        alpha_rate=min(1.0, 1.0 / habits.alpha_periods),
        link_switch=habits.switch,
        tolerance=habits.tolerance,
    )


def play(network, shocks, habits):
    """Play the shocks with everything recorded."""
    rules = rules_of(network, habits)
    out = new_record(network, shocks.shock_factor.shape[1], EVERYTHING)
    status = dynamics.simulate(network, shocks, rules, new_work(network, rules), out)
    assert status == dynamics.STATUS_DONE
    return out


def run(network, shocks, tau=4.0, rule="wanted", **more):
    """Play the shocks by the rules off by default, but for those named."""
    orders = {"use": "made", "wanted": "wanted"}[rule]
    return play(network, shocks, naive.Habits(tau=tau, orders=orders, **more))


def random_network(rng, single_links=False):
    """Return a network at rest: cycles, all classes and uses, lead times from 0, some no stock.

    Hours within the period run from low to high rank only, so that hours_order exists.
    """
    n = int(rng.integers(1, 8))
    rank = rng.permutation(n)
    nodes = []
    for buyer in range(n):
        inputs = []
        for _ in range(rng.integers(0, 5)):
            use = int(rng.choice([CONSUMED, CONSUMED, HOURS, HOSTED]))
            n_links = 1 if single_links else int(rng.integers(0, 4))
            suppliers = rng.integers(0, n, n_links)
            shares = rng.dirichlet(np.ones(n_links)) if n_links else []
            leads = [
                int(rng.integers(0 if use == CONSUMED or rank[buyer] < rank[s] else 1, 4))
                if rng.random() < 0.6 or use == CONSUMED or rank[buyer] >= rank[s]
                else 0
                for s in suppliers
            ]
            inputs.append(
                {
                    "a": rng.choice([0.0, 0.02, 0.1, 0.15]) * rng.uniform(0.5, 1.3),
                    "class": int(rng.choice([ESSENTIAL, ESSENTIAL, IMPORTANT, MINOR])),
                    "use": use,
                    "links": list(zip(suppliers.tolist(), shares, leads, strict=True)),
                }
            )
        nodes.append([0.0, 0.0, rng.choice([0.0, 1.0, 1.0]) * rng.uniform(1, 100), inputs])
    at_rest = np.eye(n)  # (I - A) x = y, with A[s, b] what one unit of b takes from s
    for buyer, node in enumerate(nodes):
        for need in node[3]:
            for supplier, share, _ in need["links"]:
                at_rest[supplier, buyer] -= need["a"] * share
    outputs = np.maximum(np.linalg.solve(at_rest, [node[2] for node in nodes]), 0.0)
    for node, x in zip(nodes, outputs, strict=True):
        node[0], node[1] = x, x * rng.choice([1.0, rng.uniform(1.0, 2.0)])
        for need in node[3]:
            need["stock"] = need["a"] * x * rng.choice([0.0, 0.0, 1.0, rng.uniform(0, 4)])
    return network_of(nodes, order=np.argsort(rank))


def random_shocks(rng, network, n_periods):
    """Return up to three shocks of each kind; they overlap, and return to 1 half way or never."""

    def some(n_things, highest):
        shocks = []
        for _ in range(rng.integers(0, 4) if n_things else 0):
            factor = np.ones(n_periods)
            start = rng.integers(0, n_periods // 2)
            end = rng.choice([start + 1, n_periods // 2 + 1, n_periods])
            factor[start:end] = rng.choice([0.0, rng.uniform(0, highest), highest])
            shocks.append((rng.integers(0, n_things, rng.integers(1, 4)).tolist(), factor))
        return shocks

    return shocks_of(
        n_periods,
        nodes=some(len(network.output), 1.0),
        links=some(len(network.link_supplier), 1.0),
        demand=some(len(network.output), 1.5),
    )


def size_of(network):
    """Return the largest output or stock, to which differences are compared."""
    return max(1.0, network.output.max(initial=0.0), network.input_stock.max(initial=0.0))


def with_finished_goods(rng, network):
    """Give some makers of goods a stock of what they make."""
    use = np.repeat(network.input_use, np.diff(network.links_indptr))
    hours = np.isin(np.arange(len(network.output)), network.link_supplier[use != CONSUMED])
    held = network.output * rng.choice([0.0, 0.0, 1.0, 2.5], len(hours))
    return read_only(network._replace(finished=np.where(hours, 0.0, held)))


def random_habits(rng, network):
    """Return rules with every mechanism on or off at random."""
    n_nodes, n_links = len(network.output), len(network.link_supplier)
    return naive.Habits(
        inputs=str(rng.choice(["classes", "leontief", "linear"])),
        psi=float(rng.choice([0.0, 0.5, 1.0])),
        weight=rng.uniform(0, 2, len(network.input_use)) if rng.random() < 0.5 else None,
        orders=str(rng.choice(["wanted", "made"])),
        targets=str(rng.choice(["rest", "wanted"])),
        tau=float(rng.choice([1.0, 2.5, 6.0])),
        rationing=str(rng.choice(RATIONING)),
        priority=tuple(rng.permutation(n_nodes)[: rng.integers(0, 3)].tolist()),
        alpha_max=float(rng.choice([1.0, 1.3])),
        alpha_periods=float(rng.choice([0.5, 1.0, 4.0])),
        switch=rng.integers(0, 3, n_links).astype(float) if rng.random() < 0.6 else None,
    )
