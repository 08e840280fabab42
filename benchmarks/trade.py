"""Trade: read a cube, screen it; time of the processor and the wall, peak memory of the process.

    python benchmarks/trade.py                       ten million drawn rows of one year
    python benchmarks/trade.py --data FOLDER         the raw-material cube, 26 years (1999-2024)
    python benchmarks/trade.py --years 10            as many years of eleven million rows, from CSV

Rows are drawn: exporters and importers with few that are large, products evenly, values log-normal;
a year of BACI has as many. Each step is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

_DRAW = """
import sys
import numpy as np, polars as pl
from withstand.model.countries import _rows
target, n, year, form = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
rng = np.random.default_rng(year)
codes = np.array(sorted(int(row["numeric"]) for row in _rows().values()), dtype=np.int16)
weight = rng.permutation(1 / np.arange(1, len(codes) + 1) ** 0.7)
weight /= weight.sum()
cells = rng.choice(len(codes), (2, n), p=weight)
keep = cells[0] != cells[1]
products = np.char.zfill((np.arange(5000) * 197 + 10111).astype(str), 6)
frame = pl.DataFrame({
    "t": np.full(n, year, np.int16), "i": codes[cells[0]], "j": codes[cells[1]],
    "k": pl.Series(products)[rng.integers(0, len(products), n).tolist()],
    "v": np.round(rng.lognormal(3, 2, n), 3) + 0.001, "q": np.round(rng.lognormal(2, 2, n), 3),
}).filter(pl.Series(keep))
frame.write_parquet(target) if form == "parquet" else frame.write_csv(target)
"""

_RUN = """
import json, resource, sys, time
import withstand as ws
import polars, duckdb, pyarrow  # imports apart
from withstand.measures import screens
source, bloc, years = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
times, wall, cpu = {}, time.perf_counter(), time.process_time()
def note(name):
    global wall, cpu
    times[name] = [time.perf_counter() - wall, time.process_time() - cpu]
    wall, cpu = time.perf_counter(), time.process_time()
paths = source.split("|")
cube = ws.read_trade(paths if len(paths) > 1 else paths[0])
note("read")
found = screens(cube, bloc, years=years)
note("screens")
if years and len(years) == 1:
    found = screens(cube, bloc, years=years, presets="ec_2021")
    note("screens again, one preset")
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
counts = {p.name: found.flagged(p.name).height for p in found.presets}
print(json.dumps({"times": times, "memory": memory, "rows": cube.n_rows, "flagged": counts,
                  "verdicts": found.verdicts.height}))
"""


def draw(target: Path, rows: int, year: int, form: str = "parquet") -> Path:
    """Write a year of drawn flows in the layout of BACI."""
    arguments = [str(target), str(rows), str(year), form]
    subprocess.run([sys.executable, "-c", _DRAW, *arguments], check=True)
    return target


def run(sources: list[Path], bloc: str, years: list[int] | None) -> dict:
    """Read and screen in a process of its own; return its times (wall, processor) and memory."""
    arguments = ["|".join(str(s) for s in sources), bloc, json.dumps(years)]
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def show(title: str, found: dict) -> None:
    print(f"{title}: {found['rows']:,} rows, {found['memory']:,.0f} MB at most")
    for step, (wall, cpu) in found["times"].items():
        print(f"    {step:28} {wall:7.2f} s wall {cpu:7.2f} s of processor")
    print(f"    {found['verdicts']:,} verdicts; flagged: {found['flagged']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--years", type=int, default=0, help="years of 11 million rows, from CSV")
    parser.add_argument("--data", type=Path, help="folder of the raw-material cube")
    options = parser.parse_args()
    if options.data:
        file = options.data / "baci_raw_materials_hs92_1995_2024.parquet"
        show("raw materials, 26 years", run([file], "EU27", list(range(1999, 2025))))
        return
    with tempfile.TemporaryDirectory() as place:
        if options.years:
            files = [
                draw(Path(place) / f"BACI_HS92_Y{y}.csv", 11_000_000, y, "csv")
                for y in range(2013, 2013 + options.years)
            ]
            show(f"{options.years} years from CSV", run(files, "EU27", None))
        else:
            file = draw(Path(place) / "BACI_HS92_Y2022.parquet", options.rows, 2022)
            show("one year", run([file], "EU27", [2022]))


if __name__ == "__main__":
    main()
