"""Scenarios played: one run, a set of them, cascades, best answers, systemic risk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from withstand import stress
from withstand.errors import UsageError
from withstand.model.scenario import Scenario
from withstand.model.units import share_of
from withstand.readers.atomic import replace_folder
from withstand.stress.cascade_arrays import prepare
from withstand.stress.ensembles import resume
from withstand.stress.rules import rules_of, with_rules
from withstand.stress.run_folders import read_plan
from withstand.workbench.progress import Progress, silent
from withstand.workbench.scenarios import (
    DEFAULT_DURATION,
    DEFAULT_RECOVERY,
    DEFAULT_SHARE,
    time_of,
)

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.stress import Bracket, Cascade, Ensemble, Response, Simulation, SystemicRisk
    from withstand.stress.rules import Rules


def play(
    network: ProductionNetwork,
    scenarios: Sequence[Scenario],
    *,
    periods: int | None = None,
    rules: Rules | str | None = None,
    progress: Progress = silent,
) -> list[Simulation]:
    """Play scenarios one after the other, and keep all of each run."""
    runs = []
    for done, scenario in enumerate(scenarios):
        progress("playing scenarios", done, len(scenarios))
        if rules is None:
            runs.append(stress.simulate(network, scenario, periods=periods))
        else:
            runs.append(stress.simulate(network, scenario, periods=periods, rules=rules))
    return runs


def save_run(project: str | os.PathLike[str], run: Simulation) -> Path:
    """Keep a run under `runs/<id>/` of a project: manifest, time line, nodes.

    Raises
    ------
    UsageError
        If the project is not a folder.
    """
    folder = Path(project)
    if not folder.is_dir():
        raise UsageError("A run is kept in a project folder; name one with --project.")
    provenance = run.provenance.to_dict()
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    digest = hashlib.blake2b(json.dumps(provenance).encode(), digest_size=4).hexdigest()
    place = folder / "runs" / f"{stamp}-{digest}"

    def write(target: Path) -> None:
        text = json.dumps(provenance | {"summary": run.summary()}, indent=2, ensure_ascii=False)
        (target / "manifest.json").write_text(text, encoding="utf-8")
        run.to_frame().write_parquet(target / "timeline.parquet")
        run.node_frame().write_parquet(target / "nodes.parquet")

    replace_folder(place, write, lambda _: [])
    return place


def play_many(
    network: ProductionNetwork,
    scenarios: Sequence[Scenario],
    *,
    engine: str = "simulate",
    rules: str | None = None,
    periods: int | None = None,
    jobs: int | str | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Ensemble:
    """Play a set of scenarios on one engine; with a folder, a run that was cut off goes on."""
    return stress.ensemble(
        network,
        scenarios,
        engine=engine,
        rules=rules,
        periods=periods,
        jobs=jobs,
        out=out,
        progress=progress,
    )


def go_on(
    network: ProductionNetwork,
    folder: str | os.PathLike[str],
    *,
    jobs: int | str | None = None,
    progress: Progress = silent,
) -> tuple[list[Scenario], Ensemble]:
    """Go on with the run that a folder holds; return its scenarios and outcomes."""
    result = resume(network, folder, jobs=jobs, progress=progress)
    return read_plan(folder), result


def cascade_of(network: ProductionNetwork, scenario: Scenario) -> Cascade:
    """Return the cascade of one scenario."""
    return stress.cascade(network, scenario)


def best_of(
    network: ProductionNetwork,
    scenario: Scenario,
    *,
    beside: bool,
    periods: int | None = None,
    rules: str | None = None,
) -> tuple[Response, Simulation | None, Bracket | None]:
    """Return the best possible answer, and the simulation beside it where asked for."""
    alpha_max = 1.0 if rules is None else rules_of(rules).alpha_max
    best = stress.respond(network, scenario, periods=periods, alpha_max=alpha_max)
    if not beside:
        return best, None, None
    run = play(network, [scenario], periods=periods, rules=rules)[0]
    return best, run, stress.bracket(best, run)


def worst_run(
    network: ProductionNetwork, scenarios: Sequence[Scenario], result: Ensemble
) -> Simulation | None:
    """Play the worst scenario of a simulated set again, and keep all of it; None for samples."""
    if result.engine != "simulate" or result.is_sample:
        return None
    asked = result.provenance.parameters
    rules = None if asked["rules"] is None else with_rules("default", asked["rules"])
    worst = scenarios[int(result.worst(1)["number"][0])]
    return play(network, [worst], periods=asked["periods"], rules=rules)[0]


def systemic_risk(
    network: ProductionNetwork,
    *,
    bounds: bool = False,
    jobs: int | str | None = None,
    progress: Progress = silent,
) -> tuple[SystemicRisk, pl.DataFrame]:
    """Return the systemic risk of every node, and a table that sets size beside it, worst first.

    The table has the columns of `SystemicRisk.to_frame`, and size (the node's own share of the
    whole), rank, rank_by_size, times_size.
    """

    def shown(done: int, total: int) -> None:
        progress("letting each node fail", done, total)

    risk = stress.esri(network, bounds=bounds, jobs=None if jobs == -1 else jobs, progress=shown)
    weight = prepare(network).weight
    size = weight[risk.nodes] / weight.sum()
    frame = risk.to_frame().with_columns(pl.Series("size", size))
    ranked = frame.with_columns(
        pl.col("esri").rank("ordinal", descending=True).cast(pl.Int64).alias("rank"),
        pl.col("size").rank("min", descending=True).cast(pl.Int64).alias("rank_by_size"),
        pl.when(pl.col("size") > 0).then(pl.col("esri") / pl.col("size")).alias("times_size"),
    )
    return risk, ranked.sort(["esri", "node"], descending=[True, False], nulls_last=True)


def region_losses(
    network: ProductionNetwork,
    regions: Sequence[str],
    *,
    share: float | str = DEFAULT_SHARE,
    duration: str = DEFAULT_DURATION,
    recovery: str = DEFAULT_RECOVERY,
    periods: int | None = None,
    progress: Progress = silent,
) -> list[Simulation]:
    """Play the same loss of each region, one at a time; the largest loss comes first."""
    runs = []
    for done, region in enumerate(regions):
        progress("playing the loss of regions", done, len(regions))
        scenario = Scenario.lose(
            region=region,
            share=share_of(share),
            duration=time_of(duration),
            recovery=time_of(recovery),
        )
        runs.append(stress.simulate(network, scenario, periods=periods))
    progress("playing the loss of regions", len(regions), len(regions))
    return sorted(runs, key=lambda r: (-r.loss_in_periods, r.scenario.name))
