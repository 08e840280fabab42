"""How time and memory grow with the network: load, check, measure, one shock; fitted exponents.

    python benchmarks/growth.py                       10,000, 100,000 and 1,000,000 nodes
    python benchmarks/growth.py --nodes 1000 10000    other sizes; --links 10 a node

Every figure comes from a process of its own, in which the network is read first (that is the first
row). A step is timed at its first call, with the kernels compiled before; its memory is the peak of
the process, imports and network included. Time is processor time (wall beside it), so that other
work on the machine tells little. Exponents are the slopes of least squares on the logarithms: 1
means in proportion to the nodes. Peak memory is fitted less the imports, which do not grow.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

STEPS = ("load", "check", "concentration", "exposure", "cascade", "simulate")
SIZES = (10_000, 100_000, 1_000_000)
_GENERATE = """
import sys
from pathlib import Path
from networks import random_dag, write_parquet
write_parquet(random_dag(int(sys.argv[2]), links_per_node=int(sys.argv[3])), Path(sys.argv[1]))
"""
_MEASURE = """
import resource, sys, time
import numpy as np
import polars as pl
from withstand import measures, stress, workbench
from withstand.examples import tiny
from withstand.model.scenario import Scenario
from withstand.readers import read_folder

def shock(network):
    suppliers = np.bincount(network.link_supplier, minlength=network.n_nodes)
    return str(network.node_labels[int(np.argmax(suppliers))])  # the node with most buyers

def fail(network, node):
    return stress.cascade(network, Scenario.lose(node=node, duration="1w"))

def one_period(network, node):
    return stress.simulate(network, Scenario.lose(node=node, duration="1w"), periods=1)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

folder, step = sys.argv[1:]
small = tiny()
steps = {
    "load": lambda n, node: n,
    "check": lambda n, node: workbench.check(folder),
    "concentration": lambda n, node: measures.concentration(n),
    "exposure": lambda n, node: measures.exposure(n),
    "cascade": fail,
    "simulate": one_period,
}
if step != "check":
    steps[step](small, str(small.node_labels[0]))  # kernels compiled, modules imported
before = peak()
wall, cpu = time.perf_counter(), time.process_time()
network = None if step == "check" else read_folder(folder)
if step not in ("load", "check"):
    node = shock(network)
    wall, cpu = time.perf_counter(), time.process_time()
    steps[step](network, node)
elif step == "check":
    steps[step](None, None)
print(time.process_time() - cpu, time.perf_counter() - wall, peak(), before)
"""


@dataclass(frozen=True)
class Figure:
    """Processor and wall seconds, peak memory and that of the imports in GB, of one step."""

    step: str
    nodes: int
    cpu: float
    wall: float
    peak: float
    imports: float


def measured(steps: tuple[str, ...], nodes: int, links: int) -> list[Figure]:
    """Return the figures of some steps on one network."""
    with tempfile.TemporaryDirectory() as place:
        folder = str(Path(place) / "network")
        _run(_GENERATE, folder, str(nodes), str(links))
        found = []
        for step in steps:
            cpu, wall, peak, imports = map(float, _run(_MEASURE, folder, step).split())
            found.append(Figure(step, nodes, cpu, wall, peak, imports))
            print(line_of(found[-1]), flush=True)
    return found


def line_of(figure: Figure) -> str:
    return (f"{figure.nodes:>10,} {figure.step:<14} {figure.cpu:>9.3f} {figure.wall:>9.3f} "
            f"{figure.peak:>8.2f}")  # fmt: skip


def exponent(sizes: list[int], values: list[float]) -> float:
    """Return the slope of log values on log sizes by least squares."""
    import numpy as np

    slope, _ = np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-9)), 1)
    return float(slope)


def _run(code: str, *arguments: str) -> str:
    here = Path(__file__).resolve().parent
    path = os.pathsep.join([str(here), str(here.parent / "src")])
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def main(argv: list[str] | None = None) -> list[Figure]:
    parser = argparse.ArgumentParser(description="Time and memory against nodes.")
    parser.add_argument("--nodes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--links", type=int, default=10)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    args = parser.parse_args(argv)
    print(f"{args.links} links a node; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'nodes':>10} {'step':<14} {'cpu s':>9} {'wall s':>9} {'peak GB':>8}")
    figures: list[Figure] = []
    for nodes in args.nodes:
        figures += measured(tuple(args.steps), nodes, args.links)
    if len(args.nodes) > 1:
        print("exponents against nodes: processor time; memory less imports")
        for step in args.steps:
            own = [f for f in figures if f.step == step]
            sizes = [f.nodes for f in own]
            time = exponent(sizes, [f.cpu for f in own])
            memory = exponent(sizes, [max(f.peak - f.imports, 1e-3) for f in own])
            print(f"{step:<14} {time:.2f} {memory:.2f}")
    return figures


if __name__ == "__main__":
    main()
