"""All indicators of economic complexity on 230 places x 5,000 products, half filled.

    python benchmarks/complexity.py [--places 230] [--products 5000] [--peers PYTHON ...]

Times are wall and processor seconds; on a machine that others use, trust the latter. Each of
ecomplexity, economic-complexity and econcomplex runs on the same values in the first of the
interpreters named that has it (`complexity_peers.py`), and what differs is told.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from withstand import measures

SCRIPT = Path(__file__).with_name("complexity_peers.py")
PEERS = ("ecomplexity", "economic_complexity", "econcomplex")


def half_filled(places: int = 230, products: int = 5_000, seed: int = 1) -> np.ndarray:
    """Return values that grow with ability times difficulty, times chance; about half are 0.

    Able places have more products, which settles the sign of the index.
    """
    rng = np.random.default_rng(seed)
    ability, difficulty = rng.random(places) - 0.5, rng.random(products) - 0.5
    mean = 6.0 * ability[:, None] * difficulty[None, :]
    values = np.exp(mean + rng.normal(size=(places, products)))
    return values * (rng.random((places, products)) < 0.5 + 0.5 * ability[:, None])


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def find(package: str, interpreters: list[str]) -> str | None:
    """Return the first interpreter that has a package."""
    look = f"import importlib.util as u, sys; sys.exit(u.find_spec({package!r}) is None)"
    for python in interpreters:
        if subprocess.run([python, "-c", look], check=False).returncode == 0:
            return python
    return None


def run_peer(
    python: str, package: str, values: np.ndarray
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what another program says of itself, and its indicators."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "values.npy"), Path(folder, "found.npz")
        np.save(given, values)
        command = [python, str(SCRIPT), package, str(given), str(found)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{package} did not run:\n{done.stderr[-2000:]}")
        with np.load(found) as read:
            return json.loads(done.stdout.splitlines()[-1]), dict(read)


def differences(ours: measures.Complexity, theirs: dict[str, np.ndarray]) -> dict[str, str]:
    """Return, for each indicator, the largest difference, or how the two go together."""
    told = {}
    for name, values in theirs.items():
        mine = getattr(ours, name)
        known = np.isfinite(mine) & np.isfinite(values)
        gap = float(np.abs(mine - values)[known].max())
        together = float(np.corrcoef(mine[known], values[known])[0, 1])
        told[name] = f"{gap:.0e}" if gap < 1e-6 else f"{gap:.2g} (correlation {together:.6f})"
    return told


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="All indicators of economic complexity.")
    parser.add_argument("--places", type=int, default=230)
    parser.add_argument("--products", type=int, default=5_000)
    parser.add_argument("--peers", nargs="*", default=[], help="interpreters with other programs")
    args = parser.parse_args(argv)
    values = half_filled(args.places, args.products)
    before = peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    found = measures.complexity(values)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"withstand: {wall:.2f} s ({cpu:.2f} s of processor), peak {peak_mb():.0f} MB "
        f"({before:.0f} MB before), eigenvalues {found.eigenvalues.round(4).tolist()}, "
        f"{found.rounds} rounds of fitness"
    )
    for finding in found.findings:
        print(finding)
    alike = measures.complexity(values, convention="ecomplexity")  # as the packages do
    for package in PEERS:
        python = find(package, args.peers)
        if python is None:
            print(f"{package}: skipped, none of the interpreters named with --peers has it")
            continue
        try:
            said, theirs = run_peer(python, package, values)
        except RuntimeError as fault:
            print(fault)
            continue
        print(
            f"{package} {said['version']}: {said['wall_s']:.1f} s ({said['cpu_s']:.1f} s of "
            f"processor), {said['cpu_s'] / cpu:.0f} times ours; largest differences:"
        )
        for name, text in differences(alike, theirs).items():
            print(f"    {name}: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
