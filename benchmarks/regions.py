"""A national table of 56 industries in 20 regions, and the clusters of 100,000 firms.

    python benchmarks/regions.py [--regions 20] [--industries 56] [--nodes 100000] [--links 1000000]

Times are wall and processor seconds; on a machine that others use, trust the latter. Where igraph
is installed, its Leiden method (directions forgotten) runs on the same links, and both modularities
are told.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import polars as pl

from withstand import measures
from withstand.model.network import ProductionNetwork

Result = TypeVar("Result")


def timed(run: Callable[[], Result]) -> tuple[Result, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = run()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def nation(industries: int, seed: int = 1) -> ProductionNetwork:
    """Return a nation whose industries sell to four fifths of the others, abroad and at home."""
    rng = np.random.default_rng(seed)
    n = industries
    z = rng.random((n, n)) * (rng.random((n, n)) < 0.8)
    names = np.array([f"i{k}" for k in range(n)])
    flows = pl.DataFrame(
        {"supplier": np.repeat(names, n), "buyer": np.tile(names, n), "value": z.ravel()}
    )
    users = np.array(["households", "government", "investment", "exports"])
    final = pl.DataFrame(
        {
            "supplier": np.repeat(names, 4),
            "category": np.tile(users, n),
            "value": 10.0 * rng.random(4 * n),
        }
    )
    return measures.national_economy(flows, final)


def employment(regions: int, industries: int, seed: int = 2) -> pl.DataFrame:
    """Return people by region and industry: large and small regions, each with its own mix."""
    rng = np.random.default_rng(seed)
    people = rng.lognormal(size=(regions, 1)) * rng.lognormal(size=(regions, industries))
    return pl.DataFrame(
        {
            "region": np.repeat([f"r{k}" for k in range(regions)], industries),
            "industry": np.tile([f"i{k}" for k in range(industries)], regions),
            "value": people.ravel(),
        }
    )


def grouped_links(nodes: int, links: int, seed: int = 3) -> tuple[pl.DataFrame, np.ndarray]:
    """Return links of which seven tenths stay in their group of about a thousand nodes."""
    rng = np.random.default_rng(seed)
    groups = max(nodes // 1000, 4)
    group = np.sort(rng.integers(0, groups, nodes))
    first, size = np.searchsorted(group, np.arange(groups)), np.bincount(group, minlength=groups)
    supplier = rng.integers(0, nodes, links)
    of = group[supplier]
    near = first[of] + (rng.random(links) * size[of]).astype(np.int64)
    buyer = np.where(rng.random(links) < 0.7, near, rng.integers(0, nodes, links))
    frame = pl.DataFrame({"supplier": supplier, "buyer": buyer, "value": rng.lognormal(size=links)})
    return frame.with_columns(pl.col("supplier", "buyer").cast(pl.String)), group


def igraph_modularity(frame: pl.DataFrame, nodes: int) -> float:
    """Return the modularity that igraph's Leiden method reaches, directions forgotten."""
    import igraph

    pairs = frame.select(pl.col("supplier", "buyer").cast(pl.Int64)).to_numpy()
    apart = pairs[:, 0] != pairs[:, 1]
    graph = igraph.Graph(n=nodes, edges=pairs[apart])
    weights = frame["value"].to_numpy()[apart]
    found = graph.community_leiden(
        objective_function="modularity", weights=weights, n_iterations=-1
    )
    return float(graph.modularity(found.membership, weights=weights))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Regional tables and clusters.")
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--industries", type=int, default=56)
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--links", type=int, default=1_000_000)
    args = parser.parse_args(argv)
    net, people = nation(args.industries), employment(args.regions, args.industries)
    measures.regionalise(net, people)  # imports
    for method in ("flq", "aflq", "cilq", "slq"):
        split, wall, cpu = timed(lambda m=method: measures.regionalise(net, people, method=m))
        off = np.abs(split.flows().sum(axis=(0, 2)) - split.nation.flows).max()
        print(
            f"{method}: {wall:.2f} s ({cpu:.2f} s of processor), {split.split.rounds.sum():,} "
            f"rounds of balancing, regions miss the nation by {off:.0e}; {split.summary()}"
        )
    frame, _ = grouped_links(args.nodes, args.links)
    measures.clusters(frame.head(1000), runs=1)  # compiles
    for runs in (1, 5):
        found, wall, cpu = timed(lambda r=runs: measures.clusters(frame, runs=r))
        print(f"clusters: {wall:.1f} s ({cpu:.1f} s of processor); {found.summary()}")
    both, wall, cpu = timed(lambda: measures.clusters(frame, runs=1, directed=False))
    print(f"directions forgotten: {wall:.1f} s ({cpu:.1f} s); modularity {both.modularity:.5f}")
    if importlib.util.find_spec("igraph") is None:
        print("igraph: skipped, not installed")
        return 0
    theirs, wall, cpu = timed(lambda: igraph_modularity(frame, args.nodes))
    print(f"igraph: {wall:.1f} s ({cpu:.1f} s of processor); modularity {theirs:.5f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
