"""How much quicker two workers play an ensemble than one, the start of workers told apart.

    python benchmarks/ensembles.py [--samples 400] [--runs 5] [--jobs 2] [--engine simulate]

Every run plays the same years, drawn from hazards on the robot maker, with one process and with
worker processes, in turn. Wall time tells the speed-up; processor time (of this process and of all
workers) tells how much of a missing speed-up is work of other programs: on a quiet machine both
agree. The outcomes are compared: they must be the same.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

import polars as pl

from withstand.examples import example
from withstand.executor import Processes
from withstand.model.network import ProductionNetwork
from withstand.model.scenario import Scenario
from withstand.model.scenario_sets import draw_years
from withstand.stress.ensembles import PRELOAD, Ensemble, ensemble

HAZARDS = pl.DataFrame(
    {
        "region": ["JP", "CN", "DE", "TW", "KR", "US"],
        "probability": [0.5] * 6,
        "share": [1.0, 0.5, 0.8, 1.0, 0.7, 0.6],
        "duration": ["20w", "12w", "26w", "8w", "10w", "30w"],
        "duration_spread": [0.5] * 6,
    }
)


@dataclass(frozen=True)
class Timing:
    """Seconds of one run: wall, and processor time of this process and its workers."""

    wall: float
    cpu: float


def years(network: ProductionNetwork, samples: int) -> list[Scenario]:
    return draw_years(HAZARDS, samples, period=network.settings.period, seed=1)


def cold_start(jobs: int) -> Timing:
    """Return the time until fresh workers are ready, as the first run of a process pays it."""
    code = (
        "import time; from withstand.examples import example; "
        "from withstand.model.scenario_sets import single_failures; "
        "from withstand.stress.ensembles import ensemble; from withstand.executor import Processes;"
        "from withstand.stress.ensembles import PRELOAD; n = example(); "
        "s = single_failures(n, duration='1w')[:1] * 2; ensemble(n, s); t = time.perf_counter(); "
        f"p = Processes({jobs}, PRELOAD); ensemble(n, s * {jobs}, runner=p); "
        "print(time.perf_counter() - t); p.close()"
    )
    cpu = _children()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return Timing(float(done.stdout), _children() - cpu)


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _busy(pids: list[int]) -> float:
    """Return the processor seconds of processes that run; 0 where the system does not tell."""
    total = 0.0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def play(
    network: ProductionNetwork, scenarios: list[Scenario], engine: str, runner: Processes | None
) -> tuple[Ensemble, Timing]:
    """Play once; workers that are passed in are warm."""
    pids = list(runner._workers()._processes) if runner is not None else []
    wall, cpu, busy = time.perf_counter(), time.process_time(), _busy(pids)
    result = ensemble(network, scenarios, engine=engine, runner=runner)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return result, Timing(wall, cpu + _busy(pids) - busy)


def compare(
    network: ProductionNetwork, scenarios: list[Scenario], engine: str, jobs: int, runs: int
) -> list[tuple[Timing, Timing]]:
    """Return timings with one process and with workers, in turn; the outcomes must agree."""
    workers = Processes(jobs, PRELOAD)
    pairs = []
    try:
        expected, _ = play(network, scenarios[: 4 * jobs], engine, None)  # kernels loaded
        play(network, scenarios[: 4 * jobs], engine, workers)
        for _ in range(runs):
            expected, one = play(network, scenarios, engine, None)
            found, many = play(network, scenarios, engine, workers)
            if not found.outcomes.equals(expected.outcomes):
                raise SystemExit("workers give other numbers than one process")
            pairs.append((one, many))
    finally:
        workers.close()
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--engine", default="simulate")
    options = parser.parse_args()
    network = example("robot_maker")
    scenarios = years(network, options.samples)
    jobs = options.jobs
    print(f"{len(scenarios)} years, {network.n_nodes} nodes, engine {options.engine}; "
          f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
    start = cold_start(jobs)
    print(f"start of {jobs} workers until the first rows: {start.wall:.1f} s wall")
    pairs = compare(network, scenarios, options.engine, jobs, options.runs)
    one, many = (statistics.median(p[k].wall for p in pairs) for k in (0, 1))
    one_cpu, many_cpu = (statistics.median(p[k].cpu for p in pairs) for k in (0, 1))
    print(f"one process:  {one:7.2f} s wall {one_cpu:7.2f} s processor (median of {len(pairs)})")
    print(f"{jobs} workers:    {many:7.2f} s wall {many_cpu:7.2f} s processor")
    speed_up = statistics.median(a.wall / b.wall for a, b in pairs)
    print(f"speed-up, workers warm:            {speed_up:.2f}")
    print(f"speed-up, start of workers counted: {one / (many + start.wall):.2f}")
    print(f"processor time of the workers over one process: {many_cpu / one_cpu:.2f} "
          f"(so at most {jobs * one_cpu / many_cpu:.2f} on a quiet machine)")  # fmt: skip


if __name__ == "__main__":
    main()
