"""Time to survive and time to recover of every node of a bill of materials; the best response.

    python benchmarks/respond.py [--nodes 10000] [--jobs 1 2] [--repeat 1]

Prints CPU time and wall time of each case and how the times were found; and, on a smaller bill of
the same kind, whether the programme over periods confirms a sample (no loss before, loss after).
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections import Counter

import numpy as np
import polars as pl

from withstand.examples import example
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.scenario import Scenario, Shock
from withstand.model.settings import Settings
from withstand.stress.best_response import respond
from withstand.stress.survival_times import Survival, survival

BRANCHES = 4
ROOTS = 5
SAMPLE = 10
MOST_TO_CHECK = 500


def bill_of_materials(
    n_nodes: int, *, shared: float = 0.2, dual: float = 0.3, seed: int = 1
) -> ProductionNetwork:
    """Return a bill of materials: five final products, parts in tiers, four to an assembly.

    Parameters
    ----------
    n_nodes : int
    shared : float
        Share of parts that a second assembly uses too (a directed acyclic graph, no tree).
    dual : float
        Share of parts made by two nodes, both with spare capacity (up to half as much again); the
        others have one maker without.
    seed : int
    """
    rng = np.random.default_rng(seed)
    n_products = max(int(n_nodes / (1.0 + dual)), ROOTS + 1)
    is_dual = (rng.random(n_products) < dual) & (np.arange(n_products) >= ROOTS)
    makers = np.where(is_dual, 2, 1)
    first = np.cumsum(makers) - makers
    product = np.repeat(np.arange(n_products), makers)
    label = np.array([f"N{i:05}" for i in range(len(product))])
    parts = np.array([f"P{p:05}" for p in range(n_products)])
    child = np.arange(ROOTS, n_products)
    parent = np.where(child < ROOTS * (1 + BRANCHES), child % ROOTS, (child - ROOTS) // BRANCHES)
    again = child[rng.random(len(child)) < shared]
    other = (rng.random(len(again)) * (again - ROOTS) / BRANCHES).astype(np.int64)
    pairs = np.unique(
        np.concatenate([np.stack([parent, child]), np.stack([other, again])], axis=1), axis=1
    )
    buyer, part = pairs
    n_links = makers[buyer] * makers[part]
    which = np.repeat(np.arange(len(buyer)), n_links)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(n_links) - n_links, n_links)
    to = first[buyer[which]] + nth // makers[part[which]]
    of = nth % makers[part[which]]
    main = rng.uniform(0.5, 0.9, len(buyer))[which]
    share = np.where(makers[part[which]] == 1, 1.0, np.where(of == 0, main, 1.0 - main))
    tables = {
        "nodes": pl.DataFrame(
            {
                "node": label,
                "product": parts[product],
                "region": np.array(["A", "B", "C"])[rng.integers(0, 3, len(product))],
                "final_demand": np.where(product < ROOTS, 10.0, 0.0),
                "price": np.where(product < ROOTS, 1000.0, 10.0),
                "recovery_periods": rng.integers(2, 27, len(product)).astype(np.float64),
            }
        ),
        "recipes": pl.DataFrame(
            {
                "buyer": parts[buyer],
                "input": parts[part],
                "quantity": rng.integers(1, 4, len(buyer)).astype(np.float64),
            }
        ),
        "links": pl.DataFrame(
            {
                "supplier": label[first[part[which]] + of],
                "buyer": label[to],
                "share": share,
                "lead_time": rng.integers(1, 7, len(which)).astype(np.float64),
            }
        ),
        "stocks": pl.DataFrame(
            {
                "node": label[first[buyer]],
                "product": parts[part],
                "periods_of_use": rng.uniform(0, 4, len(buyer)),
            }
        ),
    }
    network = build_network(tables, Settings(name="bill of materials"))
    spare = np.where(is_dual[product], rng.uniform(1.0, 1.5, len(product)), 1.0)
    tables["nodes"] = tables["nodes"].with_columns(capacity=pl.Series(network.output * spare))
    return build_network(tables, Settings(name="bill of materials"))


def check(network: ProductionNetwork, result: Survival, n: int = SAMPLE) -> int:
    """Return how many closed forms of a sample `respond` confirms: no loss before, loss after."""
    rng = np.random.default_rng(0)
    is_chain = np.array(result.how) == "closed form"
    finite = np.flatnonzero(is_chain & (result.tts < 30))
    confirmed = 0
    for k in rng.choice(finite, min(n, len(finite)), replace=False):
        scenario = Scenario(name="out", shocks=(Shock(node=str(result.labels[k])),))
        last = int(np.floor(result.tts[k] + 1e-9))
        after = respond(network, scenario, periods=last + 1, reroute=False).loss_in_periods
        before = 0.0
        if last > 0:
            before = respond(network, scenario, periods=last, reroute=False).loss_in_periods
        confirmed += int(before < 1e-9 < after)
    return confirmed


def measure(network: ProductionNetwork, jobs: int) -> tuple[Survival, float, float]:
    """Return the result, CPU seconds of this process (not of its workers) and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = survival(network, jobs=jobs)
    return result, time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1])
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    cases = {"tree": (0.0, 0.0), "shared parts": (0.2, 0.0), "shared, dual sourced": (0.2, 0.3)}
    for name, (shared, dual) in cases.items():
        network = bill_of_materials(options.nodes, shared=shared, dual=dual)
        print(f"{name}: {network.n_nodes:,} nodes, {network.n_links:,} links")
        for jobs in options.jobs:
            runs = [measure(network, jobs) for _ in range(options.repeat)]
            result = runs[0][0]
            cpu, wall = (statistics.median(r[k] for r in runs) for k in (1, 2))
            print(f"  survival, {jobs} job(s): CPU of this process {cpu:.1f} s, wall {wall:.1f} s; "
                  f"{dict(Counter(result.how))}")  # fmt: skip
        print(f"  {result.summary()}")
        small = bill_of_materials(min(options.nodes, MOST_TO_CHECK), shared=shared, dual=dual)
        confirmed = check(small, survival(small))
        print(f"  with {small.n_nodes} nodes, respond confirms {confirmed} of {SAMPLE}")
    net = example("robot_maker")
    start = time.process_time()
    result = survival(net, recovery=26.0)
    print(f"robot maker, {net.n_nodes} nodes: survival {time.process_time() - start:.1f} s CPU")
    start = time.process_time()
    best = respond(net, Scenario.lose(region="JP", duration="12w"))
    print(
        f"robot maker: respond over {best.n_periods} weeks {time.process_time() - start:.1f} s CPU"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
