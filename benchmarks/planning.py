"""Time of planning: a generated chain of 400 products, 40 options, 50 scenarios; the robot maker.

    python benchmarks/planning.py [--products 400] [--options 40] [--regions 8] [--onsets 5]
                                  [--steps 26] [--gap 0.005] [--jobs 1] [--linopy PYTHON]
    python benchmarks/planning.py --robot-maker

Prints wall time and processor time of each phase, and peak memory. `--linopy` builds the same
extensive form with linopy in another interpreter; small ones are solved by both, and must agree.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

from withstand.examples import example
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.option import Effect, Option
from withstand.model.scenario import Scenario
from withstand.model.settings import Settings
from withstand.plan.frontiers import frontier
from withstand.plan.planning import solve_problem
from withstand.plan.problem import Problem, problem_of
from withstand.programming.extensive import extensive_form
from withstand.programming.objective import Objective


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
    return build_network(
        {
            "nodes": pl.DataFrame(nodes),
            "recipes": pl.DataFrame(rows),
            "links": pl.DataFrame([x for x in links if x["supplier"].split("@")[0] in used]),
            "stocks": pl.DataFrame([s for s in stocks if s["product"] in used]),
        },
        Settings(name="generated", home="HOME", assume_recipe="shared", period="week"),
    )


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


SMALL = 60_000
"""Columns up to which both programmes are solved and compared."""


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print wall and processor time of what is done within."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what}: {wall:.2f} s ({cpu:.2f} s of processor)", flush=True)


def scenarios_for(regions: int) -> list[Scenario]:
    """Return the loss of each region for 20 weeks, and of half of two of them for 30."""
    found = [
        Scenario.lose(region=f"R{k}", duration="20w", recovery="8w", probability=0.02)
        for k in range(regions)
    ]
    return found + [
        Scenario.lose(region=f"R{k}", share=0.5, duration="30w", probability=0.03)
        for k in range(min(2, regions))
    ]


def generated(args: argparse.Namespace) -> Problem:
    """Return the programme of a generated chain."""
    network = chain(args.products, 1)
    options = options_for(network, args.options, 2)
    with timed("programme built, options carried out one by one"):
        problem = problem_of(
            network,
            options,
            scenarios_for(args.regions),
            budget=args.budget * sum(o.cost_once for o in options),
            years=args.onsets,
            periods=args.steps * 4,
            step=4,
        )
    width, n = problem.skeleton.n_columns, len(problem.strikes)
    print(
        f"{network.n_products} products, {network.n_nodes} nodes, {len(options)} options, "
        f"{n} scenarios: {width:,} columns each, {width * n:,} in all"
    )
    return problem


def arrays_of(problem: Problem) -> dict[str, np.ndarray]:
    """Return the arrays of a programme for another modelling tool."""
    two = problem.two_stage
    first, own = two.first, two.first.matrix.tocoo()
    second = two.scenarios[0].matrix.tocoo()
    arrays = {
        "cost": first.cost,
        "lower": first.lower,
        "upper": first.upper,
        "integer": first.integer,
        "first_rows": own.row,
        "first_columns": own.col,
        "first_values": own.data,
        "first_low": first.row_lower,
        "first_high": first.row_upper,
        "rows": second.row,
        "columns": second.col,
        "values": second.data,
        "probability": two.probabilities,
        "n_scenarios": np.array(len(two.scenarios)),
    }
    for s, scenario in enumerate(two.scenarios):
        on_rows, on_upper = scenario.on_rows.tocoo(), scenario.on_upper.tocoo()
        arrays |= {
            f"cost_{s}": scenario.cost,
            f"bottom_{s}": scenario.lower,
            f"high_{s}": scenario.upper,
            f"row_low_{s}": scenario.row_lower,
            f"row_high_{s}": scenario.row_upper,
            f"on_rows_rows_{s}": on_rows.row,
            f"on_rows_columns_{s}": on_rows.col,
            f"on_rows_values_{s}": on_rows.data,
            f"upper_rows_{s}": on_upper.row,
            f"upper_columns_{s}": on_upper.col,
            f"upper_values_{s}": on_upper.data,
        }
    return arrays


def compare_with_linopy(problem: Problem, python: str) -> None:
    """Build the same model with linopy elsewhere; where it is small, solve both."""
    size = problem.skeleton.n_columns * len(problem.strikes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, **arrays_of(problem))
        command = [python, "-W", "ignore", str(Path(__file__).with_name("plan_linopy.py"))]
        command += [str(path), *(["--solve"] if size <= SMALL else [])]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(run.stdout.splitlines()[-1])
    print(
        f"linopy {answer['linopy']} (highspy {answer['highspy']}): built in "
        f"{answer['build_s']:.2f} s ({answer['build_cpu_s']:.2f} s of processor), handed to HiGHS "
        f"in {answer['hand_over_s']:.2f} s ({answer['hand_over_cpu_s']:.2f} s of processor); "
        f"{answer['columns']:,} columns, {answer['rows']:,} rows, {answer['memory_mb']:,.0f} MB"
    )
    if "objective" in answer:
        ours = solve_problem(problem, gap=1e-9, method="extensive").value
        print(f"optimum: ours {ours:,.4f}, linopy {answer['objective']:,.4f}")
        if not np.isclose(ours, answer["objective"], rtol=1e-6):
            raise SystemExit("The two programmes do not agree.")


def memory() -> float:
    """Return the memory of this process now, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def robot_maker(args: argparse.Namespace) -> None:
    """Time 28 options against 10 scenarios over 5 years, and a frontier of 12 budgets."""
    network = example("robot_maker")
    lost = ("CN", "JP", "DE", "US", "TW", "KR")
    scenarios = [
        Scenario.lose(region=r, duration="26w", recovery="13w", probability=0.01) for r in lost
    ]
    scenarios += [
        Scenario.lose(region=r, share=0.5, duration="39w", probability=0.02) for r in lost[:4]
    ]
    with timed("robot maker: programme built"):
        problem = problem_of(network, None, scenarios, budget=60e6, years=5)
    print(f"{len(problem.strikes)} scenarios of {problem.skeleton.n_columns:,} columns")
    with timed("robot maker: solved"):
        plan = solve_problem(problem, gap=args.gap, jobs=args.jobs)
    print(f"gap {plan.gap:.2e}: {', '.join(plan.chosen) or 'nothing'}")
    with timed("robot maker: frontier of 12 budgets"):
        frontier(plan, [5e6 * k for k in range(1, 13)], gap=args.gap, jobs=args.jobs)


def main() -> None:
    """Print sizes, times and memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=400)
    parser.add_argument("--options", type=int, default=40)
    parser.add_argument("--regions", type=int, default=8)
    parser.add_argument("--steps", type=int, default=26)
    parser.add_argument("--onsets", type=int, default=5)
    parser.add_argument("--gap", type=float, default=5e-3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--budget", type=float, default=0.3)
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--robot-maker", action="store_true")
    parser.add_argument("--linopy", metavar="PYTHON")
    args = parser.parse_args()
    if args.robot_maker:
        robot_maker(args)
        return
    problem = generated(args)
    before = memory()
    with timed("extensive form put together and handed to HiGHS"):
        whole = extensive_form(problem.two_stage, Objective(), gap=args.gap)
    print(f"it takes {memory() - before:,.0f} MB")
    del whole
    if args.linopy:
        compare_with_linopy(problem, args.linopy)
    if not args.build_only:
        with timed("solved by cuts"):
            plan = solve_problem(problem, gap=args.gap, method="decomposition", jobs=args.jobs)
        found = plan.solution
        print(f"gap {plan.gap:.2e}, {found.rounds} rounds, {found.cuts} cuts; {plan.summary()}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest memory {peak:,.0f} MB")


if __name__ == "__main__":
    main()
