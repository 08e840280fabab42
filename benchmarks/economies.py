"""World tables: load, multipliers, one shock, further scenarios; ours beside pymrio and mariopy.

    python benchmarks/economies.py                            2,464, 3,500 and 9,800 cells, ours
    python benchmarks/economies.py --pymrio ENV/bin/python --mario ENV/bin/python
    python benchmarks/economies.py --tables 44x56 --pymrio ENV/bin/python
    python benchmarks/economies.py --tables --wiod DATA/wiod2013    one year, and all 17 years

Every figure comes from its own process and counts from the matrices on disk (binary arrays, the
same for all programs) to the answer, imports apart: wall and processor seconds, and the peak memory
of the whole process. "All" is load + multipliers + one shock: the table with its labels; output and
employment multipliers; output after a fall of one region's final demand by a tenth. A further
scenario is the same for another region, by us with the factor. What the programs answer is
compared. The tables come from the generator beside the repository; the other programs live in
environments of their own. This file imports nothing heavy itself, so that its own memory cannot
hide in theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TABLES = ("44x56", "70x50", "175x56")
LIMITS = {"44x56": 1.2, "70x50": 2.5, "175x56": 40.0}  # seconds of load + multipliers + one shock

_GENERATE = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
from mrio_synthetic import mrio
folder = Path(sys.argv[2])
regions, sectors = (int(part) for part in sys.argv[3].split("x"))
table = mrio(regions, sectors, 0.6, 1)
table["jobs"] = np.random.default_rng(2).lognormal(0, 1, len(table["x"])) * table["x"]
for name, array in table.items():
    np.save(folder / f"{name}.npy", array)
"""

_OURS = """
import json, resource, sys, time
from pathlib import Path
start = time.perf_counter()
import numpy as np, polars as pl
from withstand.measures import multipliers
from withstand.model.economy import build_economy
from withstand.model.settings import Settings
from withstand.programming.leontief import leontief_of
folder, times = Path(sys.argv[1]), {}
def note(name, wall, cpu):
    times[name] = [time.perf_counter() - wall, time.process_time() - cpu]
times["import"] = [time.perf_counter() - start, time.process_time()]
wall, cpu = time.perf_counter(), time.process_time()
t = {n: np.load(folder / f"{n}.npy") for n in ("Z", "Y", "va", "x", "jobs", "region", "sector")}
regions = [f"R{r}" for r in t["region"]]
sectors = [f"s{s}" for s in t["sector"]]
nodes = pl.DataFrame({"product": sectors, "region": regions, "output": t["x"],
    "value_added": t["va"]})
labels = [f"{s}@{r}" for s, r in zip(sectors, regions)]
jobs = pl.DataFrame({"node": labels, "name": "jobs", "value": t["jobs"]})
users = pl.DataFrame({"region": [f"R{r}" for r in range(t["Y"].shape[1])], "category": "all"})
network = build_economy(t["Z"], t["Y"], {"nodes": nodes, "extensions": jobs}, users,
    Settings(name="benchmark", lens="economy", period="year"))
note("load", wall, cpu)
step = time.perf_counter(), time.process_time()
found = multipliers(network, "jobs")
note("multipliers", *step)
def scenario(region):
    demand = t["Y"].copy()
    demand[:, region] *= 0.9
    return leontief_of(network).solve_once(demand.sum(axis=1))
step = time.perf_counter(), time.process_time()
shocked = scenario(0)
note("one shock", *step)
note("all", wall, cpu)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
step = time.perf_counter(), time.process_time()
leontief_of(network).solve(np.ones(len(t["x"])))
note("factor", *step)
step = time.perf_counter(), time.process_time()
scenario(1)
note("further scenario", *step)
times["peak"] = [peak, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]
from withstand.model.provenance import versions
answer = {"output": found.output, "jobs": found.per_demand, "shocked": shocked}
np.savez(folder / "ours.npz", **answer)
shown = [f"{k} {versions()[k]}" for k in ("withstand", "numpy", "scipy")]
print(json.dumps({"times": times, "versions": shown}))
"""

_PYMRIO = """
import json, resource, sys, time
from pathlib import Path
start = time.perf_counter()
import numpy as np, pandas as pd, pymrio
folder, times = Path(sys.argv[1]), {}
times["import"] = [time.perf_counter() - start, time.process_time()]
def note(name, wall, cpu):
    times[name] = [time.perf_counter() - wall, time.process_time() - cpu]
wall, cpu = time.perf_counter(), time.process_time()
t = {n: np.load(folder / f"{n}.npy") for n in ("Z", "Y", "jobs", "region", "sector")}
cells = pd.MultiIndex.from_arrays([[f"R{r}" for r in t["region"]], [f"s{s}" for s in t["sector"]]],
    names=["region", "sector"])
users = pd.MultiIndex.from_arrays([[f"R{r}" for r in range(t["Y"].shape[1])],
    ["all"] * t["Y"].shape[1]], names=["region", "category"])
system = pymrio.IOSystem(Z=pd.DataFrame(t["Z"], cells, cells), Y=pd.DataFrame(t["Y"], cells, users))
row = pd.Index(["jobs"], name="stressor")
system.people = pymrio.Extension("people", F=pd.DataFrame(t["jobs"][None, :], row, cells),
    unit=pd.DataFrame({"unit": ["people"]}, row))
note("load", wall, cpu)
step = time.perf_counter(), time.process_time()
system.calc_all()
output = system.L.sum(axis=0).to_numpy()
note("multipliers", *step)
def scenario(region):
    demand = system.Y.copy()
    demand.iloc[:, region] *= 0.9
    return pymrio.calc_x_from_L(system.L, demand.sum(axis=1)).to_numpy().ravel()
step = time.perf_counter(), time.process_time()
shocked = scenario(0)
note("one shock", *step)
note("all", wall, cpu)
step = time.perf_counter(), time.process_time()
scenario(1)
note("further scenario", *step)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
times["peak"] = [peak, peak]
np.savez(folder / "pymrio.npz", output=output, jobs=system.people.M.to_numpy()[0], shocked=shocked)
print(json.dumps({"times": times, "versions": [f"pymrio {pymrio.__version__}",
    f"numpy {np.__version__}", f"pandas {pd.__version__}"]}))
"""

_MARIO = """
import json, resource, sys, time
from importlib.metadata import version
from pathlib import Path
start = time.perf_counter()
import numpy as np, pandas as pd, mario
folder, times = Path(sys.argv[1]), {}
times["import"] = [time.perf_counter() - start, time.process_time()]
def note(name, wall, cpu):
    times[name] = [time.perf_counter() - wall, time.process_time() - cpu]
wall, cpu = time.perf_counter(), time.process_time()
t = {n: np.load(folder / f"{n}.npy") for n in ("Z", "Y", "va", "jobs", "region", "sector")}
cells = pd.MultiIndex.from_arrays([[f"R{r}" for r in t["region"]], ["Sector"] * len(t["va"]),
    [f"s{s}" for s in t["sector"]]], names=["Region", "Level", "Item"])
users = pd.MultiIndex.from_arrays([[f"R{r}" for r in range(t["Y"].shape[1])],
    ["Consumption category"] * t["Y"].shape[1], ["all"] * t["Y"].shape[1]],
    names=["Region", "Level", "Item"])
one = lambda name: pd.Index([name], name="Item")
units = {"Sector": pd.DataFrame({"unit": "M"}, sorted(set(cells.get_level_values(2)))),
    "Factor of production": pd.DataFrame({"unit": ["M"]}, ["value added"]),
    "Satellite account": pd.DataFrame({"unit": ["people"]}, ["jobs"])}
system = mario.Database(table="IOT", Z=pd.DataFrame(t["Z"], cells, cells),
    Y=pd.DataFrame(t["Y"], cells, users),
    V=pd.DataFrame(t["va"][None, :], one("value added"), cells),
    E=pd.DataFrame(t["jobs"][None, :], one("jobs"), cells),
    EY=pd.DataFrame(np.zeros((1, len(users))), one("jobs"), users), units=units)
note("load", wall, cpu)
step = time.perf_counter(), time.process_time()
system.calc_all(["w", "f"])
w = system.query("w")
output, jobs = w.sum(axis=0), system.query("f").iloc[0]
note("multipliers", *step)
step = time.perf_counter(), time.process_time()
demand = system.query("Y").copy()
demand.iloc[:, demand.columns.get_level_values(0) == "R0"] *= 0.9
shocked = w @ demand.sum(axis=1)
note("one shock", *step)
note("all", wall, cpu)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
times["peak"] = [peak, peak]
np.savez(folder / "mario.npz", output=output.reindex(cells).to_numpy(),
    jobs=jobs.reindex(cells).to_numpy(), shocked=shocked.reindex(cells).to_numpy())
print(json.dumps({"times": times, "versions": [f"mariopy {version('mariopy')}"]}))
"""

_WIOD = """
import json, sys, time
from pathlib import Path
start, cpu = time.perf_counter(), time.process_time()
from real_economies import wiod
from withstand.measures import over_time, upstreamness, value_added_content
folder = Path(sys.argv[1]).parent
imported = time.perf_counter() - start, time.process_time() - cpu
times = {"import": imported}
for name in ("first answer, cold", "first answer, warm"):
    wall, cpu = time.perf_counter(), time.process_time()
    wiod.cache_clear()
    value_added_content(wiod(folder, 2011), region="DEU", product="c15")
    times[name] = time.perf_counter() - wall, time.process_time() - cpu
wall, cpu = time.perf_counter(), time.process_time()
years = {y: (lambda y=y: wiod(folder, y)) for y in range(1995, 2012)}
rows = over_time(years, upstreamness)
assert rows.height == 17 * 1435
times["upstreamness, 17 years"] = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"times": times, "versions": []}))
"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Time and peak memory of world tables.")
    parser.add_argument("--tables", nargs="*", default=TABLES, help="regions x sectors")
    parser.add_argument("--pymrio", help="interpreter of an environment with pymrio")
    parser.add_argument("--mario", help="interpreter of an environment with mariopy")
    parser.add_argument("--wiod", help="folder of the WIOD tables")
    args = parser.parse_args(argv)
    for shape in args.tables:
        compare(shape, args.pymrio, args.mario)
    if args.wiod:
        print("WIOD 2013, 1,435 cells")
        show(run(sys.executable, _WIOD, args.wiod))
    return 0


def compare(shape: str, pymrio: str | None = None, mario: str | None = None) -> dict[str, float]:
    """Print the figures of one table; return the largest relative difference to each program."""
    generator = Path(__file__).resolve().parents[2] / "shared" / "bench"
    regions, sectors = (int(part) for part in shape.split("x"))
    limit = f", limit {LIMITS[shape]:g} s" if shape in LIMITS else ""
    print(f"{shape}: {regions * sectors:,} cells{limit}", flush=True)
    apart: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        run(sys.executable, _GENERATE, str(generator), place, shape)
        show(run(sys.executable, _OURS, place))
        for name, python, code in (("pymrio", pymrio, _PYMRIO), ("mario", mario, _MARIO)):
            if python:
                show(run(python, code, place))
                apart[name] = difference(Path(place), name)
                print(f"  largest relative difference to ours: {apart[name]:.1e}", flush=True)
    return apart


def difference(folder: Path, other: str) -> float:
    """Return the largest difference between two programs' answers, relative to the answer."""
    import numpy as np

    ours, theirs = np.load(folder / "ours.npz"), np.load(folder / f"{other}.npz")
    return max(float(np.max(np.abs(ours[k] - theirs[k]) / np.abs(ours[k]))) for k in ours.files)


def run(python: str, code: str, *arguments: str) -> dict[str, Any]:
    """Return what a fresh process says in its last line; an empty answer if it says nothing."""
    here = Path(__file__).resolve().parent
    paths = [str(here.parent / "tests"), str(here.parent / "src")]
    mine = {"PYTHONPATH": os.pathsep.join(paths)} if python == sys.executable else {}
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code, *arguments],
        env={**os.environ, **mine},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {}


def show(answer: dict[str, Any]) -> None:
    """Print versions, seconds (wall and processor) and peak memory."""
    if answer["versions"]:
        print("  " + ", ".join(answer["versions"]))
    for name, (first, second) in answer["times"].items():
        if name == "peak":
            print(f"    peak memory            {first:8.2f} GB; with the factor {second:.2f} GB")
        else:
            print(f"    {name:<22} {first:8.3f} s wall {second:8.3f} s processor", flush=True)


if __name__ == "__main__":
    sys.exit(main())
