"""Prepare links from partitioned Parquet within a ceiling of memory: time, memory, disk.

    python benchmarks/preparing.py [--rows 10000000] [--nodes 1000000] [--memory 500MB]

The files are generated in one process and prepared in another. Memory is the peak of what belongs
to the process alone (anonymous pages), above what it had after its imports; the same rows read in
memory by `network_from_links` stand beside with --beside.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile

_GENERATE = """
import sys
from pathlib import Path
import numpy as np
import polars as pl
folder, rows, nodes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(1)
label = pl.Series([f"F{k:08}" for k in range(nodes)])
sector = pl.Series([f"S{k}" for k in rng.integers(0, 600, nodes)])
pl.DataFrame({"id": label, "sector": sector}).write_parquet(folder / "nodes.parquet")
for part, start in enumerate(range(0, rows, 1_000_000)):
    n = min(1_000_000, rows - start)
    place = folder / "links" / f"year={2020 + part % 3}"
    place.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({
        "supplier": label.gather(rng.integers(0, nodes, n)),
        "buyer": label.gather(rng.integers(0, nodes, n)),
        "value": rng.lognormal(1.0, 2.0, n),
    }).write_parquet(place / f"part-{part:04}.parquet")
"""
_MEASURE = """
import sys, threading, time
from pathlib import Path
import duckdb, polars as pl, withstand.readers.firms
from withstand.readers.prepared_links import prepare_links
folder, memory, beside = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "beside"

def own():
    with open("/proc/self/status") as file:
        return next(int(s.split()[1]) for s in file if s.startswith("RssAnon")) / 2**20

start, peak, going = own(), 0.0, True
def watch():
    global peak
    while going:
        peak = max(peak, own())
        time.sleep(0.01)
watcher = threading.Thread(target=watch, daemon=True)
watcher.start()
wall, cpu = time.perf_counter(), time.process_time()
if beside:
    links = pl.read_parquet(folder / "links/**/*.parquet", hive_partitioning=False)
    nodes = pl.read_parquet(folder / "nodes.parquet")
    found = withstand.readers.firms.network_from_links(nodes, links)
    links, mark = found.n_links, found.fingerprint()
else:
    told = prepare_links(folder / "links", folder / "nodes.parquet", folder / "ready",
                         memory=memory)
    links, mark = told.n_links, told.fingerprint
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
going = False
watcher.join()
size = sum(p.stat().st_size for p in (folder / "ready").glob("*")) if not beside else 0
print(f"{links} {mark} {cpu:.1f} {wall:.1f} {peak - start:.2f} {size / 1e9:.2f}")
"""


def measured(rows: int, nodes: int, memory: str, *, beside: bool = False) -> list[list[str]]:
    """Return links, fingerprint, processor and wall seconds, GB of memory, GB on disk of each."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        _run(_GENERATE, place, str(rows), str(nodes))
        for how in ["prepared", "beside"][: 1 + beside]:
            found.append(_run(_MEASURE, place, memory, how).split())
            links, mark, cpu, wall, peak, disk = found[-1]
            print(f"{how:<9} {rows:>12,} rows {int(links):>12,} links {cpu:>7} s cpu {wall:>7} s "
                  f"wall {peak:>6} GB memory {disk:>6} GB disk  {mark}", flush=True)  # fmt: skip
    return found


def _run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="Prepare links on disk.")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--memory", default="500MB")
    parser.add_argument("--beside", action="store_true")
    args = parser.parse_args()
    measured(args.rows, args.nodes, args.memory, beside=args.beside)


if __name__ == "__main__":
    main()
