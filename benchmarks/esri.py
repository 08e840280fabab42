"""Every firm's systemic risk on a synthetic network: one command, one table.

    python benchmarks/esri.py --firms 100000 --links 10 --sectors 600 [--thin off|on]
                              [--jobs 1|2] [--off] [--sample N] [--bounds] [--general]
                              [--spike PATH]

Times are wall and processor seconds; on a machine that others use, trust the latter. The compile
time is that of the first call in this process (near zero when numba's cache is warm; set
NUMBA_CACHE_DIR to an empty folder for a cold one). With `--sample` the time of all firms is
extrapolated and says so. `--general` times the general kernel on firms drawn at random and compares
the results; `--spike` plays the same firms with another program (a Python file with
`prep(network)` and `solve_all(prepared, firms, threads)`) and compares.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
from networks import firm_generator

from withstand.model.network import ProductionNetwork
from withstand.readers.firms import network_from_links
from withstand.stress.cascade_arrays import prepare
from withstand.stress.cascades import cascade
from withstand.stress.failures import fail_each
from withstand.stress.systemic_risk import SystemicRisk, esri

NO_GENERATOR = (
    "the generator of firm networks (shared/bench/firm_network.py) is not beside this repository"
)


def firm_tables(
    generator: ModuleType,
    n_firms: int,
    links: float = 10,
    sectors: int = 600,
    thin: str | None = None,
) -> dict[str, np.ndarray]:
    """Return the arrays of a generated network."""
    options = generator.thin_options(n_firms, thin) if thin else {}
    options = {"mean_degree": links, "n_sectors": sectors} | options
    return generator.firm_network(n_firms, **options)


def firm_tables_apart(
    n_firms: int, links: float, sectors: int, thin: str | None
) -> dict[str, np.ndarray]:
    """Return the same, drawn in a process of its own: its memory is not ours."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_drawn, n_firms, links, sectors, thin).result()


def _drawn(n_firms: int, links: float, sectors: int, thin: str | None) -> dict[str, np.ndarray]:
    return firm_tables(firm_generator(), n_firms, links, sectors, thin)


def firm_frames(tables: dict[str, np.ndarray]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return nodes, links and classes of a generated network."""
    sector, essential = tables["sector"], tables["essential"]
    m = len(essential)
    return (
        pl.DataFrame({"id": np.arange(len(sector)), "sector": sector}),
        pl.DataFrame({k: tables[k] for k in ("supplier", "buyer", "value")}),
        pl.DataFrame(
            {
                "supplier_sector": np.repeat(np.arange(m), m),
                "buyer_sector": np.tile(np.arange(m), m),
                "class": essential.ravel(),
            }
        ),
    )


class Clock:
    """Wall and processor seconds of a block."""

    def __enter__(self) -> Clock:
        self.wall, self.cpu = -time.perf_counter(), -time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()

    def __str__(self) -> str:
        return f"{self.wall:9.3f} s wall {self.cpu:9.3f} s cpu"


def compile_kernels(network: ProductionNetwork, rule: int, *, fast: bool) -> Clock:
    """Call the kernels of all failures, or those of one shock, once on a few nodes."""
    prepared = prepare(network)
    weight = prepared.weight / prepared.weight.sum()
    with Clock() as clock:
        fail_each(prepared, np.arange(2), weight, 1e-2, rule, 1, fast=fast)
        if not fast:
            cascade(network, np.eye(1, network.n_nodes)[0])
    return clock


def one_shock(network: ProductionNetwork, n: int = 50) -> tuple[float, dict[int, float]]:
    """Return the median milliseconds of one shock of one firm, in all and by rounds."""
    times: list[float] = []
    rounds: list[int] = []
    for node in np.random.default_rng(2).permutation(network.n_nodes)[:n]:
        psi = np.zeros(network.n_nodes)
        psi[node] = 1.0
        start = time.process_time()
        rounds.append(cascade(network, psi).iterations)
        times.append((time.process_time() - start) * 1e3)
    by = {t: float(np.median(np.array(times)[np.array(rounds) == t])) for t in sorted(set(rounds))}
    return float(np.median(times)), by


def ten_rounds(network: ProductionNetwork, n: int = 11) -> float:
    """Return the median milliseconds of ten rounds of one shock."""
    times = []
    for node in np.random.default_rng(3).permutation(network.n_nodes)[:n]:
        psi = np.zeros(network.n_nodes)
        psi[node] = 1.0
        eps, result = 1e-2, None
        while result is None or (result.iterations < 10 and eps > 1e-12):
            eps /= 2.0
            start = time.process_time()
            result = cascade(network, psi, eps=eps)
            spent = (time.process_time() - start) * 1e3
        times.append(spent)
    return float(np.median(times))


def compare_with_general(network: ProductionNetwork, risk: SystemicRisk, rule: int) -> None:
    """Print the general kernel's time on a few firms, and how far the results are apart."""
    prepared, n = prepare(network), len(risk.esri)
    few = max(10, min(100, 3_000_000 // network.n_links))
    sample = np.random.default_rng(4).permutation(n)[:few]
    weight = prepared.weight / prepared.weight.sum()
    with Clock() as clock:
        found = fail_each(prepared, risk.nodes[sample], weight, 1e-2, rule, 1, fast=False)
    gap = np.abs(found.loss[:, 0] - risk.esri[sample]).max()
    same = bool((found.rounds == risk.iterations[sample]).all())
    each = clock.cpu / len(sample)
    print(
        f"general kernel {each * 1e3:.2f} ms cpu a firm on {len(sample)} firms "
        f"({each * network.n_nodes:.0f} s for all, extrapolated); "
        f"largest difference {gap:.1e}, same rounds: {same}"
    )


def compare_with_spike(path: Path, tables: dict, risk: SystemicRisk, jobs: int) -> None:
    """Print another program's time on the same firms, and how far the results are apart."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        print(f"spike          skipped: {path} is no Python file")
        return
    spike = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = spike  # where its cached kernels look for it
    spec.loader.exec_module(spike)
    prepared = spike.prep(tables)
    spike.solve_all(prepared, risk.nodes[:200], jobs)  # compiled before the clock starts
    with Clock() as clock:
        found, rounds = spike.solve_all(prepared, risk.nodes, jobs)
    gap = np.abs(found[:, 0] - risk.esri).max()
    same = bool((rounds == risk.iterations).all())
    print(f"spike          {clock}   largest difference {gap:.1e}, same rounds: {same}")


def report_bounds(network: ProductionNetwork, risk: SystemicRisk, off: bool, jobs: int) -> None:
    """Print how many firms are certified, and how far the bounds are apart."""
    few = np.random.default_rng(5).permutation(len(risk.nodes))
    few = risk.nodes[few[: max(10, min(len(few), 20_000_000 // network.n_links))]]
    with Clock() as clock:
        enclosed = esri(network, replaceability=not off, nodes=few, bounds=True, jobs=jobs)
    width = np.nan_to_num(enclosed.high - enclosed.low, nan=1.0)
    print(
        f"bounds         {clock}   {len(few)} firms, certified {enclosed.certified:.1%}; "
        f"median width {np.median(width):.1e}, published stop below `low` by "
        f"{np.median(enclosed.low - enclosed.esri):.1e} (median)"
    )


def _peak() -> float:
    """Return the largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Systemic risk of every firm.")
    parser.add_argument("--firms", type=int, default=10_000)
    parser.add_argument("--links", type=float, default=10)
    parser.add_argument("--sectors", type=int, default=600)
    parser.add_argument("--thin", choices=["off", "on"])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--off", action="store_true", help="without replaceability")
    parser.add_argument("--sample", type=int, help="that many firms at random instead of all")
    parser.add_argument("--bounds", action="store_true", help="also certified bounds, of a sample")
    parser.add_argument("--general", action="store_true", help="also the general kernel, a sample")
    parser.add_argument("--spike", type=Path, help="also that program, replaceability on only")
    parser.add_argument("--shocks", action="store_true", help="also single shocks, prepared")
    args = parser.parse_args(argv)
    if firm_generator() is None:
        print(f"skipped: {NO_GENERATOR}")
        return 0
    tables = firm_tables_apart(args.firms, args.links, args.sectors, args.thin)
    frames = firm_frames(tables)
    if args.spike is None:
        tables = {}  # the frames are what a reader of Parquet would hold
    with Clock() as building:
        network = network_from_links(*frames)
    del frames
    built = _peak()
    with Clock() as preparing:
        prepare(network)
    rule = 0 if args.off else 1
    print(f"{network}\nbuild network  {building}\nprepare        {preparing}")
    print(f"compile        {compile_kernels(network, rule, fast=True)}")
    nodes = None
    if args.sample:
        nodes = np.random.default_rng(1).permutation(args.firms)[: args.sample]
    with Clock() as running:
        risk = esri(network, replaceability=not args.off, nodes=nodes, jobs=args.jobs)
    peak = _peak()
    n = len(risk.esri)
    print(f"{n:,} failures {running}   {running.cpu / n * 1e3:.3f} ms cpu a firm, jobs {args.jobs}")
    if args.sample:
        print(f"all failures   {running.cpu / n * args.firms:.0f} s cpu, extrapolated")
    print(f"peak memory    {peak:.0f} MB ({built:.0f} MB of it while building the network)")
    print(f"rounds         mean {risk.iterations.mean():.2f}, largest {risk.iterations.max()}")
    print(f"mean ESRI      {risk.esri.mean():.6f}")
    for finding in risk.findings:
        print(finding)
    if args.general or args.shocks:
        print(f"compile others {compile_kernels(network, rule, fast=False)}")
    if args.general:
        compare_with_general(network, risk, rule)
    if args.spike is not None and not args.off:
        compare_with_spike(args.spike, tables, risk, args.jobs)
    if args.bounds:
        report_bounds(network, risk, args.off, args.jobs)
    if args.shocks:
        median, by = one_shock(network)
        listed = ", ".join(f"{t}: {ms:.2f}" for t, ms in by.items())
        print(
            f"one shock      median {median:.2f} ms cpu (by rounds {listed}); "
            f"ten rounds {ten_rounds(network):.1f} ms"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
