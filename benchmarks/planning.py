"""Time of planning: a generated chain of 400 products, 40 options, 50 scenarios."""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import polars as pl

import withstand as ws
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.option import Effect, Option
from withstand.model.scenario import Scenario
from withstand.model.settings import Settings
from withstand.plan.extensive import extensive_form
from withstand.plan.objective import Objective
from withstand.plan.planning import solve_problem
from withstand.plan.problem import problem_of


def chain(n_products: int, seed: int) -> ProductionNetwork:
    """Return a bill of materials: each product needs up to three later ones, from two regions."""
    rng = np.random.default_rng(seed)
    labels = [f"P{k}" for k in range(n_products)]
    regions = [f"R{k}" for k in range(8)]
    rows, nodes, links, stocks = [], [], [], []
    for k, label in enumerate(labels):
        if k < n_products * 3 // 4:
            later = rng.choice(
                np.arange(k + 1, n_products), size=min(3, n_products - k - 1), replace=False
            )
            rows += [
                {"buyer": label, "input": labels[i], "quantity": float(rng.uniform(0.5, 2.0))}
                for i in later
            ]
        makers = rng.choice(len(regions), size=2, replace=False)
        split = float(rng.uniform(0.5, 0.9))
        for share, r in zip((split, 1 - split), makers, strict=True):
            home = k == 0
            node = label if home else f"{label}@{regions[r]}"
            region = "HOME" if home else regions[r]
            nodes.append(
                {
                    "node": node,
                    "product": label,
                    "region": region,
                    "price": float(rng.uniform(1, 20)) if k else 5e4,
                    "final_demand": 100.0 if home else 0.0,
                }
            )
            links.append(
                {
                    "supplier": node,
                    "buyer": "*",
                    "share": 1.0 if home else share,
                    "lead_time": float(rng.integers(1, 8)),
                }
            )
            if home:
                links.pop()
                break
        stocks.append({"node": "*", "product": label, "periods_of_use": float(rng.integers(0, 6))})
    used = {r["input"] for r in rows}
    network = build_network(
        {
            "nodes": pl.DataFrame(nodes),
            "recipes": pl.DataFrame(rows),
            "links": pl.DataFrame([x for x in links if x["supplier"].split("@")[0] in used]),
            "stocks": pl.DataFrame([s for s in stocks if s["product"] in used]),
        },
        Settings(name="generated", home="HOME", assume_recipe="shared", period="week"),
    )
    return network


def options_for(network: ProductionNetwork, n: int, seed: int) -> list[Option]:
    """Return options of four kinds, on products that are made abroad."""
    rng = np.random.default_rng(seed)
    made = np.flatnonzero(network.output > 0)[1:]
    found = []
    for k in range(n):
        node = int(rng.choice(made))
        product = str(network.product_labels[network.node_product[node]])
        need = float(network.output[network.node_product == network.node_product[node]].sum())
        value = need * float(network.price[node])
        kind = ("stockpile", "localise", "expand_capacity", "localise")[k % 4]
        if kind == "stockpile":
            effect = Effect(
                effect="add_stock",
                product=product,
                amount=float(rng.integers(4, 20)),
                unit="periods",
            )
            cost, ready = effect.amount * value, 8.0
        elif kind == "localise":
            effect = Effect(
                effect="add_node",
                product=product,
                region="HOME",
                node=f"{product}@NEW{k}",
                amount=need * float(rng.uniform(0.3, 1.0)),
            )
            cost, ready = 30 * value, float(rng.integers(26, 150))
        else:
            effect = Effect(
                effect="add_capacity", node=str(network.node_labels[node]), amount=0.5 * need
            )
            cost, ready = 10 * value, 40.0
        requires = (found[-1].label,) if k % 10 == 9 else ()
        found.append(
            Option(
                label=f"M{k:02d}",
                kind=kind,
                cost_once=cost,
                ready_periods=ready,
                requires=requires,
                effects=(effect,),
            )
        )
    return found


def main() -> None:
    """Print sizes, times and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=400)
    parser.add_argument("--options", type=int, default=40)
    parser.add_argument("--regions", type=int, default=8)
    parser.add_argument("--steps", type=int, default=26)
    parser.add_argument("--onsets", type=int, default=5)
    parser.add_argument("--gap", type=float, default=5e-3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--budget", type=float, default=0.3)
    args = parser.parse_args()
    network = chain(args.products, 1)
    options = options_for(network, args.options, 2)
    regions = [f"R{k}" for k in range(args.regions)]
    scenarios = [
        Scenario.lose(region=r, duration="20w", recovery="8w", probability=0.02) for r in regions
    ]
    scenarios += [
        Scenario.lose(region=r, share=0.5, duration="30w", probability=0.03) for r in regions[:2]
    ]
    budget = args.budget * sum(o.cost_once for o in options)
    start, cpu = time.perf_counter(), time.process_time()
    problem = problem_of(
        network,
        options,
        scenarios,
        budget=budget,
        years=args.onsets,
        periods=args.steps * 4,
        step=4,
    )
    print(
        f"{network.n_products} products, {network.n_nodes} nodes, {len(options)} options, {len(problem.strikes)} scenarios"
    )
    print(
        f"programme built in {time.perf_counter() - start:.2f} s ({time.process_time() - cpu:.2f} s of processor): {problem.skeleton.n_columns:,} columns a scenario, {problem.skeleton.n_columns * len(problem.strikes):,} in all"
    )
    start, cpu = time.perf_counter(), time.process_time()
    extensive_form(problem.two_stage, Objective(), gap=args.gap)
    print(
        f"extensive form put together in {time.perf_counter() - start:.2f} s ({time.process_time() - cpu:.2f} s of processor)"
    )
    start, cpu = time.perf_counter(), time.process_time()
    plan = solve_problem(
        problem,
        gap=args.gap,
        method="decomposition",
        jobs=args.jobs,
        progress=lambda s, d, n: print(
            "  ", s, d, f"{time.perf_counter() - start:.0f} s", flush=True
        ),
    )
    print(plan)
    print(
        f"solved to {100 * plan.gap:.2f} % in {time.perf_counter() - start:.1f} s ({time.process_time() - cpu:.1f} s of processor), {plan.solution.rounds} rounds, {plan.solution.cuts} cuts"
    )
    print(
        f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB; withstand {ws.__name__}"
    )


if __name__ == "__main__":
    main()
