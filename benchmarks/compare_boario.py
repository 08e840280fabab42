"""Play the same shock with BoARIO and with withstand, and compare the curves cell by cell.

    python benchmarks/compare_boario.py --boario PYTHON [--write tests/data]

PYTHON is an interpreter that has boario and pymrio (`pip install boario pymrio progressbar2`). Two
economies of our own, one of which (12 cells) --write stores for the tests with BoARIO's curves, and
the test economy that comes with pymrio (48 cells), which BoARIO's own documentation uses.

BoARIO's words in ours, read off its curves: what it calls an event at step o of d steps with a
recovery of r takes away the whole share in steps o + 1 to o + d + 2, and gives it back in r equal
parts after. Its stock of s periods counts what has just arrived: ours is s - 1 at the end of a
period, and psi becomes psi s / (s - 1).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from withstand.kernels.dynamics_memory import new_record
from withstand.model.economy import build_economy
from withstand.model.hits import resolve
from withstand.model.network import ProductionNetwork
from withstand.model.scenario import Scenario, Shock
from withstand.model.settings import Settings
from withstand.stress.dense_arrays import prepare
from withstand.stress.dense_blocks import DensePlayer
from withstand.stress.rules import Rules

Array = np.ndarray
SCRIPT = Path(__file__).with_name("boario_run.py")
PER_YEAR = 365.0
VARIANTS: dict[str, dict[str, str]] = {
    "targets at rest, stock and psi as stated": {"stock": "as stated", "targets": "rest"},
    "targets at rest": {"targets": "rest"},
    "targets at rest, overtime follows orders": {"targets": "rest", "overtime": "orders"},
    "ario": {},
    "ario, overtime follows orders": {"overtime": "orders"},
}
SETTINGS: dict[str, Any] = {
    "periods": 180,
    "occurrence": 4,
    "duration": 8,
    "recovery": 1,
    "stock": 90,
    "psi": 0.8,
    "adjustment": 60,
    "alpha_max": 1.25,
    "alpha_tau": 365,
    "order_type": "constant shares",
}
"""BoARIO's own defaults, but for constant shares (its "alt" turns to suppliers that make more)."""
SCARCE = {"stock": 10, "adjustment": 5, "alpha_tau": 30}
RECOVERING = {**SCARCE, "recovery": 6}
TEST_ECONOMY = [["reg2", "mining", 0.6], ["reg2", "manufactoring", 0.5]]
OWN_ECONOMY = [["A", "ore", 0.7], ["B", "steel", 0.5]]


def own_economy(seed: int = 7) -> dict[str, Array]:
    """Return a balanced economy of three regions and four sectors, in whole numbers per year."""
    rng = np.random.default_rng(seed)
    region = np.repeat(["A", "B", "C"], 4)
    sector = np.tile(["cars", "energy", "ore", "steel"], 3)
    flows = np.rint(rng.lognormal(6.0, 1.0, (12, 12)) + 20.0)
    final = np.rint(rng.lognormal(8.0, 0.7, (12, 3)) + 50.0)
    short = np.maximum(flows.sum(axis=0) * 1.3 - flows.sum(axis=1) - final.sum(axis=1), 0.0)
    final[:, 0] += np.rint(short)
    return {
        "Z": flows, "Y": final, "region": region, "sector": sector,
        "final_region": np.array(["A", "B", "C"]),
    }  # fmt: skip


def two_countries() -> dict[str, Array]:
    """Return the economy of the page "economy shocks": steel needs steel, half of it is lost."""
    flows = np.array([[10, 30, 0, 10], [0, 0, 0, 0], [0, 10, 5, 20], [5, 0, 5, 0]])
    final = np.array([[5, 5], [60, 20], [5, 10], [10, 50]])
    return {
        "Z": flows / 10 * PER_YEAR,
        "Y": final / 10 * PER_YEAR,
        "region": np.array(["DE", "DE", "FR", "FR"]),
        "sector": np.array(["steel", "cars", "steel", "cars"]),
        "final_region": np.array(["DE", "FR"]),
    }


def run_boario(
    python: str, tables: dict[str, Array] | None, settings: dict[str, Any]
) -> dict[str, Array]:
    """Return the tables that BoARIO used and its curves; without tables, of pymrio's test."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "in.npz", Path(folder) / "out.npz"
        spoken = {**settings, "economy": "test"} if tables is None else settings
        np.savez(given, settings=json.dumps(spoken), **(tables or {}))
        command = [python, str(SCRIPT), str(given), str(taken)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"BoARIO did not run:\n{done.stderr[-2000:]}")
        with np.load(taken) as curves:
            return dict(curves)


def network_of(tables: dict[str, Array], stock: float) -> ProductionNetwork:
    """Return the economy per day, with the same periods of use of everything in stock."""
    sectors = sorted(set(tables["sector"].tolist()))
    held = pl.DataFrame({"node": "*", "product": sectors, "periods_of_use": float(stock)})
    finals = [str(label) for label in tables["final_region"]]
    columns = pl.DataFrame(
        {"region": finals, "category": [f"final {k}" for k in range(len(finals))]}
    )
    return build_economy(
        tables["Z"] / PER_YEAR,
        tables["Y"] / PER_YEAR,
        {
            "nodes": pl.DataFrame({"product": tables["sector"], "region": tables["region"]}),
            "stocks": held,
        },
        columns,
        Settings(lens="economy", period="day"),
    )


def rules_of(settings: dict[str, Any], psi: float) -> Rules:
    """Return the rules of preset `ario` with the times of the settings."""
    return Rules(
        inputs="leontief",
        psi=psi,
        orders="made",
        stock_adjustment=float(settings["adjustment"]),
        alpha_max=settings["alpha_max"],
        alpha_periods=float(settings["alpha_tau"]),
    )


def scenario_of(settings: dict[str, Any]) -> Scenario:
    shocks = [
        Shock(
            region=region,
            product=sector,
            share=share,
            start=settings["occurrence"] + 1,
            duration=settings["duration"] + 2,
            recovery=settings["recovery"] - 1,
            curve="linear",
        )
        for region, sector, share in settings["impact"]
    ]
    return Scenario(name="capacity lost", shocks=tuple(shocks))


def play(
    tables: dict[str, Array], settings: dict[str, Any], variant: dict[str, str]
) -> tuple[ProductionNetwork, Array]:
    """Return the network and our output, shape (n_periods, n_cells), per day."""
    words, n_periods = dict(variant), settings["periods"]
    stock, psi = settings["stock"], settings["psi"]
    if words.pop("stock", None) is None:
        stock, psi = stock - 1, psi * stock / (stock - 1)
    network = network_of(tables, stock)
    ready = prepare(network, rules_of(settings, psi), **words)
    record = new_record(network, n_periods, ("output",))
    hits = resolve(scenario_of(settings), network, n_periods)
    DensePlayer(network, ready, hits, n_periods).play(record, 0, n_periods)
    return network, record.output


def compare(
    python: str, name: str, tables: dict[str, Array] | None, settings: dict[str, Any]
) -> dict[str, Array]:
    """Print how far the curves are apart, and return BoARIO's."""
    curves = run_boario(python, tables, settings)
    print(f"\n{name}; {', '.join(curves['versions'])}")
    told = {k: v for k, v in settings.items() if k != "impact"}
    print(f"  {told}\n  {settings['impact']}")
    for variant, words in VARIANTS.items():
        network, output = play(curves, settings, words)
        gap = (output - curves["production"]) / network.output
        t, cell = np.unravel_index(np.abs(gap).argmax(), gap.shape)
        last = [made[-1].sum() / network.output.sum() for made in (output, curves["production"])]
        print(
            f"  {variant:36s} largest difference {abs(gap[t, cell]):.1e} of output at rest "
            f"({network.node_labels[cell]}, period {t}); mean {np.abs(gap).mean():.1e}; "
            f"output in the end {last[0]:.4f} (BoARIO {last[1]:.4f})"
        )
    return curves


def write(folder: Path, curves: dict[str, Array], settings: dict[str, Any]) -> None:
    """Store the tables and BoARIO's production, in the order of the cells."""
    cells = [f"{s}@{r}" for s, r in zip(curves["sector"], curves["region"], strict=True)]
    finals = [f"final@{label}" for label in curves["final_region"]]
    both = np.hstack([curves["Z"], curves["Y"]])
    frame = pl.DataFrame({"cell": cells}).hstack(pl.DataFrame(both, schema=[*cells, *finals]))
    frame.write_csv(folder / "boario_economy.csv", float_precision=0)
    made = pl.DataFrame(curves["production"], schema=cells)
    made.write_csv(folder / "boario_production.csv", float_scientific=True, float_precision=12)
    (folder / "boario_settings.json").write_text(json.dumps(settings, indent=1) + "\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The same shock in BoARIO and in withstand.")
    parser.add_argument("--boario", required=True, help="an interpreter with boario and pymrio")
    parser.add_argument("--write", type=Path, help="folder for the tables and curves of the tests")
    args = parser.parse_args(argv)
    for more in ({}, SCARCE, RECOVERING):
        settings = {**SETTINGS, **more, "impact": TEST_ECONOMY}
        compare(args.boario, "test economy of pymrio", None, settings)
    settings = {**SETTINGS, **SCARCE, "periods": 60, "impact": OWN_ECONOMY}
    curves = compare(args.boario, "own economy", own_economy(), settings)
    collapse = {"periods": 364, "occurrence": 1, "duration": 28, "stock": 21}
    half = {**SETTINGS, **collapse, "impact": [["DE", "steel", 0.5]]}
    compare(args.boario, "two countries", two_countries(), half)
    if args.write is not None:
        write(args.write, curves, settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
