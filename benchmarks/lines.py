"""A line of three machines, a million cycles: the kernels, the exact chain, and SimPy beside them.

    python benchmarks/lines.py [--cycles 1000000] [--simpy PYTHON] [--simpy-cycles 100000]

r = .1, p = .01, ten places between machines; the exact throughput is .819137. Kernels are compiled
before timing. SimPy (`lines_simpy.py`, in the interpreter named) plays fewer cycles, for its time
grows in proportion to them; what it would take for all is told as what it is, an extrapolation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from withstand import plants

LINE = ([0.1] * 3, [0.01] * 3, [10, 10])
SCRIPT = Path(__file__).with_name("lines_simpy.py")


def timed(what: str, play: Callable[[], Any], rounds: int = 3) -> tuple[Any, float, float]:
    """Return the answer and the median wall and processor time of a few rounds; print them."""
    found = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = play()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = (sorted(f[i] for f in found)[rounds // 2] for i in (0, 1))
    sure = f" ± {answer.half_width:.5f}" if answer.half_width else ""
    print(f"{what}: {answer.throughput:.6f}{sure} in {wall:.3f} s ({cpu:.3f} s of processor)")
    return answer, wall, cpu


def by_cycles(cycles: int, seed: int = 1) -> plants.Line:
    return plants.simulate_line(*LINE, cycles=cycles, seed=seed)


def by_parts(cycles: int, seed: int = 1) -> plants.Line:
    """Play as many parts as the line makes in so many cycles."""
    return plants.simulate_parts(*LINE, [1.0] * 3, parts=int(0.819137 * cycles), seed=seed)


def run_simpy(python: str, cycles: int) -> dict[str, Any]:
    """Return what SimPy found and how long it took."""
    command = [python, str(SCRIPT), str(cycles)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"SimPy did not run:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A line of three machines.")
    parser.add_argument("--cycles", type=int, default=1_000_000)
    parser.add_argument("--simpy", help="an interpreter with simpy")
    parser.add_argument("--simpy-cycles", type=int, default=100_000)
    args = parser.parse_args(argv)
    by_cycles(1_000)
    by_parts(10_000)
    timed("exact chain", lambda: plants.exact_line(*LINE))
    timed("decomposition", lambda: plants.decomposition(*LINE))
    _, wall, cpu = timed(f"{args.cycles:,} cycles", lambda: by_cycles(args.cycles))
    timed("as many, part by part", lambda: by_parts(args.cycles))
    if args.simpy:
        peer = run_simpy(args.simpy, args.simpy_cycles)
        scale = args.cycles / peer["cycles"]
        print(
            f"SimPy {peer['simpy']}, {peer['cycles']:,} cycles: {peer['throughput']:.6f} in "
            f"{peer['wall_s']:.2f} s ({peer['cpu_s']:.2f} s of processor)"
        )
        said = "" if scale == 1 else ", extrapolated"
        times = peer["cpu_s"] * scale / cpu, peer["wall_s"] * scale / wall
        print(
            f"for {args.cycles:,} cycles{said}: {peer['wall_s'] * scale:.1f} s "
            f"({peer['cpu_s'] * scale:.1f} s of processor), "
            f"{times[0]:.0f} times ours (wall {times[1]:.0f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
