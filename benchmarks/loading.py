"""Read large networks from Parquet in fresh processes: time and peak memory.

    python benchmarks/loading.py                       100,000 nodes, 1,000,000 nodes, 100,000 firms
    python benchmarks/loading.py --nodes 100000        one size; --firms 0 leaves out the firms

Every figure comes from its own process: wall and processor seconds of reading and checking (without
imports, which are told apart), and the peak memory of the whole process. This file imports nothing
heavy itself, so that its own memory cannot hide in theirs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LIMITS = {100_000: (3.0, 1.0), 1_000_000: (60.0, 4.0)}  # nodes to seconds and GB

_GENERATE = """
import sys
from pathlib import Path
from networks import firm_links, random_dag, write_parquet
folder, size = Path(sys.argv[1]), int(sys.argv[3])
if sys.argv[2] == "nodes":
    write_parquet(random_dag(size), folder)
else:
    folder.mkdir()
    tables = firm_links(size)
    for name, frame in (tables or {}).items():
        frame.write_parquet(folder / f"{name}.parquet")
"""
_MEASURE = """
import resource, sys, time
from pathlib import Path
start = time.perf_counter()
import polars as pl
from withstand.readers import network_from_links, read_folder
folder = Path(sys.argv[1])
imported, cpu = time.perf_counter(), time.process_time()
if sys.argv[2] == "nodes":
    network = read_folder(folder)
else:
    frames = [pl.read_parquet(folder / f"{n}.parquet") for n in ("nodes", "links", "essential")]
    network = network_from_links(*frames)
done, cpu = time.perf_counter(), time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
errors = sum(f.severity == "error" for f in network.findings)
print(f"{network.n_nodes:>9,} {sys.argv[2]:<6} {network.n_links:>11,} {done - imported:>8.2f}"
      f" {cpu:>8.2f} {peak:>8.2f} {imported - start:>8.2f}", flush=True)
assert errors == 0
"""
_HEADER = f"{'size':>16} {'links':>11} {'wall s':>8} {'cpu s':>8} {'peak GB':>8} {'import s':>8}"


def measured(kind: str, size: int) -> str:
    """Return a line of figures: size, links, wall and processor seconds, peak GB, imports."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "network"
        for code in (_GENERATE, _MEASURE):
            done = subprocess.run(
                [sys.executable, "-c", code, str(folder), kind, str(size)],
                env={**os.environ, "PYTHONPATH": _python_path()},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
    return done.stdout.rstrip()


def _python_path() -> str:
    here = Path(__file__).resolve().parent
    return os.pathsep.join([str(here), str(here.parent / "src")])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Time and peak memory of reading networks.")
    parser.add_argument("--nodes", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--firms", type=int, nargs="*", default=[100_000])
    parser.add_argument("--repeat", type=int, default=1)
    args = parser.parse_args(argv)
    print(_HEADER)
    for size in args.nodes:
        for _ in range(args.repeat):
            seconds, memory = LIMITS.get(size, (0, 0))
            limit = f"   limit {seconds:g} s, {memory:g} GB" if seconds else ""
            print(measured("nodes", size) + limit, flush=True)
    has_generator = (Path(__file__).resolve().parents[2] / "shared" / "bench").is_dir()
    for size in args.firms if has_generator else []:
        if size:
            print(measured("firms", size), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
