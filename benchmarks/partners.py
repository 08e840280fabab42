"""Best partners of the robot maker and of generated plants: processor time and programmes solved.

    python benchmarks/partners.py [--regions 27] [--products 200] [--most 6]

Three cases: the robot maker's best sets up to six of 27 partners, with the sets that tie, under
both recipe rules; its Shapley shares over 200 orders; and a generated plant of so many products
and regions, by going through sets and by the programme, which must agree.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import polars as pl

from withstand.examples import example
from withstand.measures import Partners, partners
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings


def generated(n_products: int, n_regions: int, seed: int = 1) -> ProductionNetwork:
    """Return a plant of random recipes whose products come from home and two to five regions."""
    rng = np.random.default_rng(seed)
    regions = [f"R{i:02}" for i in range(n_regions)]
    weight = rng.dirichlet(np.full(n_regions, 0.6))
    nodes, links, recipes = [("P0@HOME", "P0", "HOME", 100.0)], [], []
    for p in range(1, n_products):
        buyer = f"P{int(rng.integers(0, max(1, p // 3)))}"
        recipes.append((buyer, f"P{p}", float(rng.uniform(0.2, 2.0))))
        size = int(rng.integers(2, 6))
        makers = ["HOME", *rng.choice(regions, size, replace=False, p=weight)]
        shares = rng.dirichlet(np.ones(len(makers)))
        for region, share in zip(makers, shares, strict=True):
            nodes.append((f"P{p}@{region}", f"P{p}", str(region), 0.0))
            links.append((f"P{p}@{region}", "*", float(share)))
    tables = {
        "nodes": pl.DataFrame(
            nodes, schema=["node", "product", "region", "final_demand"], orient="row"
        ),
        "recipes": pl.DataFrame(recipes, schema=["buyer", "input", "quantity"], orient="row"),
        "links": pl.DataFrame(links, schema=["supplier", "buyer", "share"], orient="row"),
    }
    return build_network(tables, Settings(name="generated", home="HOME"))


def timed(network: ProductionNetwork, most: int, best: str, rule: str) -> tuple[Partners, float]:
    """Return the answer and its processor time, s."""
    start = time.process_time()
    found = partners(network, most=most, best=best, assume_recipe=rule)
    return found, time.process_time() - start


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", type=int, default=27)
    parser.add_argument("--products", type=int, default=200)
    parser.add_argument("--most", type=int, default=6)
    asked = parser.parse_args()
    for rule in ("none", "shared"):
        found, cpu = timed(example("robot_maker"), asked.most, "auto", rule)
        print(f"robot maker, {rule}: {cpu:.2f} s of processor; {found.best()!r}")
        start = time.process_time()
        total = found.shapley["shapley"].sum()
        print(
            f"  Shapley shares: {time.process_time() - start:.2f} s of processor; sum {total:.6f}"
        )
    network = generated(asked.products, asked.regions)
    print(network)
    answers = {}
    for best in ("programme", "brute_force"):
        found, cpu = timed(network, 3 if best == "brute_force" else asked.most, best, "none")
        answers[best] = found
        print(f"  {best}: {cpu:.2f} s of processor; {found.best()!r}, gap {found.best().gap:.1g}")
    one, other = (answers[b].best(3).coverage for b in ("programme", "brute_force"))
    print(f"  best of three: {one:.6f} and {other:.6f}")


if __name__ == "__main__":
    main()
