"""Many scenarios on an economy table, period by period: time, memory, the floor, and BoARIO.

    python benchmarks/simulate_dense.py --regions 50 --sectors 60 --scenarios 100 [--threads 2]
    python benchmarks/simulate_dense.py --boario PYTHON [--boario-periods 10]

The floor is what the two matrix products of a period take alone: the same number of them, of the
same shapes, by numpy's BLAS and by our own tiles, measured in the same run. With --boario, one
scenario of a few periods is played by BoARIO in another interpreter on the same table, compared
with ours, and its time is *extrapolated* to all periods. Set OPENBLAS_NUM_THREADS=1 for a floor
on one processor.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from compare_boario import SETTINGS, network_of, play, rules_of, run_boario
from esri import Clock
from networks import BENCH_KIT

from withstand.kernels import tiles
from withstand.model.network import ProductionNetwork
from withstand.model.scenario import Scenario
from withstand.stress.dense_arrays import prepare
from withstand.stress.dense_simulation import LANES, blocks, simulate_dense

Array = np.ndarray
NO_GENERATOR = "the generator of economies is not beside the repository"
CALLS = 3


def mrio_generator() -> Callable[..., dict[str, Array]] | None:
    """Return the generator of economies beside the repository, None where it is not there."""
    file = BENCH_KIT / "mrio_synthetic.py"
    spec = importlib.util.spec_from_file_location("mrio_synthetic", file)
    if not file.exists() or spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    generator: Callable[..., dict[str, Array]] = module.mrio
    return generator


def table(regions: int, sectors: int, density: float = 0.6) -> dict[str, Array]:
    """Return a synthetic balanced economy per year, as `compare_boario` hands it around."""
    generator = mrio_generator()
    if generator is None:
        raise SystemExit(f"skipped: {NO_GENERATOR}")
    made = generator(regions, sectors, density)
    return {
        "Z": made["Z"],
        "Y": made["Y"],
        "region": np.array([f"r{k:03d}" for k in made["region"]]),
        "sector": np.array([f"s{k:03d}" for k in made["sector"]]),
        "final_region": np.array([f"r{k:03d}" for k in range(regions)]),
    }


def scenarios_of(network: ProductionNetwork, count: int) -> list[Scenario]:
    """Return losses of regions and of sectors, of different size and length."""
    rng = np.random.default_rng(11)
    some = []
    for k in range(count):
        target = {"region": str(rng.choice(network.region_labels))}
        if k % 2:
            target = {"product": str(rng.choice(network.product_labels))}
        share, duration = float(rng.uniform(0.1, 0.9)), int(rng.integers(5, 60))
        some.append(Scenario.lose(share=share, duration=duration, **target))
    return some


def floor(regions: int, sectors: int, lanes: int, by_blas: bool) -> Clock:
    """Time the two products of one period for so many scenarios."""
    n = regions * sectors
    rng = np.random.default_rng(5)
    share, need = rng.random((sectors, n, regions)), rng.random((n, lanes))
    orders, gain = np.zeros((regions, lanes)), np.zeros((n, lanes))
    flat = share.reshape(-1)
    flat.setflags(write=False)

    def period() -> None:
        for p in range(sectors):
            if by_blas:
                np.matmul(share[p].T, need, out=orders)
                np.matmul(share[p], orders, out=gain)
            else:
                first = p * n * regions
                for j in range(0, n, 64):
                    m = min(64, n - j)
                    tiles.multiply_add(
                        flat, first + j * regions, np.int64(1), regions, regions, m,
                        need, j * lanes, lanes, orders, 0, lanes, lanes,
                    )  # fmt: skip
                    tiles.multiply_add(
                        flat, first + j * regions, regions, np.int64(1), m, regions,
                        orders, 0, lanes, gain, j * lanes, lanes, lanes,
                    )  # fmt: skip

    period()
    with Clock() as clock:
        for _ in range(CALLS):
            period()
    clock.wall, clock.cpu = clock.wall / CALLS, clock.cpu / CALLS
    return clock


def told(clock: Clock, factor: float) -> str:
    return f"{clock.wall * factor:9.3f} s wall {clock.cpu * factor:9.3f} s cpu"


def against_boario(python: str, made: dict[str, Array], periods: int, n_periods: int) -> None:
    """Play a few periods of one scenario with BoARIO; compare and extrapolate."""
    lost = [[str(r), str(s), 0.5] for r, s in zip(made["region"], made["sector"], strict=True)]
    impact = [cell for cell in lost if cell[0] == lost[0][0]]
    settings = {**SETTINGS, "periods": periods, "occurrence": 1, "duration": 3, "impact": impact}
    curves = run_boario(python, made, settings)
    wall, cpu = curves["seconds"]
    network, output = play(curves, settings, {"targets": "wanted", "overtime": "orders"})
    gap = (np.abs(output - curves["production"]) / network.output).max()
    factor = n_periods / periods
    print(
        f"{', '.join(curves['versions'])}\n"
        f"BoARIO         {wall:9.3f} s wall {cpu:9.3f} s cpu for {periods} periods of a scenario\n"
        f"  extrapolated {wall * factor:9.1f} s wall {cpu * factor:9.1f} s cpu for {n_periods}; "
        f"largest difference to ours {gap:.1e} of output at rest"
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Scenarios on an economy, period by period.")
    parser.add_argument("--regions", type=int, default=50)
    parser.add_argument("--sectors", type=int, default=60)
    parser.add_argument("--periods", type=int, default=365)
    parser.add_argument("--scenarios", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=LANES)
    parser.add_argument("--boario", help="an interpreter with boario and pymrio")
    parser.add_argument("--boario-periods", type=int, default=10)
    args = parser.parse_args(argv)
    if mrio_generator() is None:
        print(f"skipped: {NO_GENERATOR}")
        return 0
    made = table(args.regions, args.sectors)
    settings = {**SETTINGS, "stock": 30}
    with Clock() as building:
        network = network_of(made, settings["stock"] - 1)
    rules = rules_of(settings, settings["psi"] * 30 / 29)
    print(f"{network}\nbuild network  {building}")
    with Clock() as compiling:
        simulate_dense(
            network_of(table(2, 2), 3), [Scenario.lose(region="r000")], periods=2, rules=rules
        )
    with Clock() as preparing:
        ready = prepare(network, rules)
    print(f"compile        {compiling}\nprepare        {preparing}")
    scenarios = scenarios_of(network, args.scenarios)
    with Clock() as running:
        run = simulate_dense(
            network, scenarios, periods=args.periods, rules=rules, jobs=args.threads,
            lanes=args.lanes, prepared=ready,
        )  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"simulate       {running}   {args.scenarios} scenarios x {args.periods} periods, "
        f"{args.threads} threads\npeak memory    {peak:.0f} MB"
    )
    widths = [part.stop - part.start for part in blocks(args.scenarios, args.lanes, args.threads)]
    for name, by_blas in (("BLAS", True), ("tiles", False)):
        wall = cpu = 0.0
        for width in sorted(set(widths)):
            one = floor(args.regions, args.sectors, -(-width // 8) * 8, by_blas)
            wall += one.wall * widths.count(width) * args.periods
            cpu += one.cpu * widths.count(width) * args.periods
        print(f"floor, {name:6s}  {wall:9.3f} s wall {cpu:9.3f} s cpu for the products alone")
    print(f"mean loss      {run.loss.mean():.6e}, worst scenario {run.loss.max():.6e}")
    if args.boario:
        del ready, run
        against_boario(args.boario, made, args.boario_periods, args.periods)
    return 0


if __name__ == "__main__":
    sys.exit(main())
