"""Many scenarios, any number of workers: the same numbers, streamed to disk, resumable."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.executor import Executor, executor
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.scenario import Scenario, scenario_to_dict
from withstand.model.scenario_sets import names_of
from withstand.stress.simulation import simulate

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Row = dict[str, Any]
CHUNK = 64
"""Scenarios between two writes to disk."""
_MANIFEST = "manifest.json"
_SCHEMA = {
    "number": pl.Int64,
    "scenario": pl.String,
    "probability": pl.Float64,
    "loss": pl.Float64,
    "periods_lost": pl.Float64,
    "time_to_survive": pl.Int64,
    "time_to_recover": pl.Int64,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Ensemble:
    """The outcomes of many scenarios on one network.

    Parameters
    ----------
    outcomes : polars.DataFrame
        One row a scenario, in the order given: number, scenario, probability, loss (currency),
        periods_lost (periods of final demand), time_to_survive, time_to_recover (periods).
    targets : tuple of tuple of str
        What each scenario hits, such as "region JP".
    is_sample : bool
        Whether the scenarios are equally likely draws, so that standard errors make sense.
    provenance : Provenance
    """

    outcomes: pl.DataFrame
    targets: tuple[tuple[str, ...], ...]
    is_sample: bool
    provenance: Provenance

    def to_frame(self) -> pl.DataFrame:
        """Return the outcomes."""
        return self.outcomes

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.outcomes.to_pandas()

    @property
    def weights(self) -> Array:
        """Probabilities that sum to 1, shape (n_scenarios,)."""
        weight = self.outcomes["probability"].to_numpy()
        total = weight.sum()
        return weight / total if total > 0 else np.full(len(weight), 1.0 / max(len(weight), 1))

    def risk(self, alpha: float = 0.95, column: str = "periods_lost") -> Row:
        """Return mean, value at risk and expected shortfall, with standard errors of a sample.

        VaR is the smallest loss that is not exceeded with probability alpha; CVaR =
        VaR + E[max(L - VaR, 0)] / (1 - alpha) (Rockafellar and Uryasev 2000).

        Parameters
        ----------
        alpha : float, 0 to below 1
        column : {"periods_lost", "loss"}
        """
        if not 0.0 <= alpha < 1.0:
            raise UsageError(f"alpha must lie between 0 and 1, not {alpha}.")
        loss, weight = self.outcomes[column].to_numpy(), self.weights
        order = np.argsort(loss, kind="stable")
        reached = np.cumsum(weight[order])
        at = min(int(np.searchsorted(reached, alpha - 1e-12)), len(loss) - 1)
        var = float(loss[order][at])
        excess = np.maximum(loss - var, 0.0)
        mean = float(weight @ loss)
        cvar = var + float(weight @ excess) / (1.0 - alpha)
        root = np.sqrt(len(loss))
        errors: tuple[float | None, float | None] = (None, None)
        if self.is_sample and len(loss) > 1:
            errors = (
                float(loss.std(ddof=1) / root),
                float(excess.std(ddof=1) / root / (1.0 - alpha)),
            )
        return {
            "mean": mean,
            "mean_error": errors[0],
            "alpha": alpha,
            "var": var,
            "cvar": cvar,
            "cvar_error": errors[1],
            "scenarios": len(loss),
        }

    def exceedance(self, column: str = "periods_lost") -> pl.DataFrame:
        """Return the exceedance curve: loss, and the probability of a larger or equal one."""
        frame = pl.DataFrame({"loss": self.outcomes[column], "probability": self.weights})
        grouped = frame.group_by("loss").agg(pl.col("probability").sum())
        ordered = grouped.sort("loss", descending=True)
        return ordered.with_columns(pl.col("probability").cum_sum()).sort("loss")

    def contributions(self, alpha: float = 0.95, column: str = "periods_lost") -> pl.DataFrame:
        """Return what is hit in the tail: share of the tail's loss in scenarios that hit it.

        Shares of targets that are hit together overlap, so they may sum to more than 1.
        """
        var = self.risk(alpha, column)["var"]
        loss, weight = self.outcomes[column].to_numpy(), self.weights
        in_tail = loss >= var
        total = float(weight[in_tail] @ loss[in_tail])
        shares: dict[str, float] = {}
        for number in np.flatnonzero(in_tail):
            for target in set(self.targets[number]):
                shares[target] = shares.get(target, 0.0) + float(weight[number] * loss[number])
        frame = pl.DataFrame(
            {
                "target": list(shares),
                "share_of_tail": [v / total if total > 0 else 0.0 for v in shares.values()],
            },
            schema={"target": pl.String, "share_of_tail": pl.Float64},
        )
        return frame.sort(["share_of_tail", "target"], descending=[True, False])

    def summary(self) -> str:
        """Return one sentence."""
        risk = self.risk()
        return (
            f"{risk['scenarios']:,} scenarios: {risk['mean']:.3g} periods of demand lost on "
            f"average, {risk['cvar']:.3g} in the worst {1 - risk['alpha']:.0%}."
        )


def ensemble(
    network: ProductionNetwork,
    scenarios: Sequence[Scenario],
    *,
    engine: str = "simulate",
    periods: int | None = None,
    jobs: int | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    runner: Executor | None = None,
) -> Ensemble:
    """Play many scenarios; the numbers do not depend on the number of workers.

    Parameters
    ----------
    network : ProductionNetwork
    scenarios : sequence of Scenario
        See `withstand.model.scenario_sets` for whole sets.
    engine : {"simulate"}
    periods : int, optional
        How long to play each; default: as `simulate` chooses.
    jobs : int, optional
        Worker processes; 1 by default, -1 for one a core.
    out : path, optional
        Folder for results, written part by part; a run that was cut off goes on from there.
    progress : callable, optional
        Called with the stage, scenarios done, scenarios in all.
    runner : Executor, optional
        In place of `jobs`: any object with the three methods of `withstand.executor.Executor`.

    Returns
    -------
    Ensemble

    Raises
    ------
    ScenarioError
        If a scenario names something that the network lacks.
    UsageError
        If there is no scenario, or `out` holds another run.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> from withstand.model.scenario_sets import single_failures
    >>> ensemble(tiny(), single_failures(tiny(), duration="12w")).outcomes["time_to_survive"][0]
    8
    """
    if engine not in ENGINES:
        raise UsageError(f"engine '{engine}' is unknown; use one of {', '.join(ENGINES)}.")
    if not scenarios:
        raise UsageError("There is no scenario to play.")
    names = names_of(scenarios)
    plan = [[scenario_to_dict(s), n] for s, n in zip(scenarios, names, strict=True)]
    key = {
        "fingerprint": network.fingerprint(),
        "engine": engine,
        "periods": periods,
        "scenarios": hashlib.blake2b(json.dumps(plan).encode(), digest_size=16).hexdigest(),
        "chunk": CHUNK,
    }
    folder = _open_folder(out, key) if out is not None else None
    workers = runner or executor(jobs)
    parts: list[pl.DataFrame] = []
    done = 0
    try:
        shared = workers.put(network)
        for start in range(0, len(scenarios), CHUNK):
            part = _read_part(folder, start)
            if part is None:
                items = [
                    (start + i, names[start + i], s, engine, periods)
                    for i, s in enumerate(scenarios[start : start + CHUNK])
                ]
                rows = []
                for row in workers.map(_play, shared, items):
                    rows.append(row)
                    if progress:
                        progress("playing scenarios", done + len(rows), len(scenarios))
                part = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
                _write_part(folder, start, part)
            parts.append(part)
            done += part.height
    finally:
        if runner is None:
            workers.close()
    chances = [s.probability for s in scenarios]
    return Ensemble(
        outcomes=pl.concat(parts),
        targets=tuple(_targets(s) for s in scenarios),
        is_sample=len(set(chances)) == 1 and len(chances) > 1 and abs(sum(chances) - 1.0) < 1e-9,
        provenance=provenance_of("stress.ensemble", network, key),
    )


def _play(network: ProductionNetwork, item: tuple[int, str, Scenario, str, int | None]) -> Row:
    number, name, scenario, engine, periods = item
    outcome = ENGINES[engine](network, scenario, periods)
    return {"number": number, "scenario": name, "probability": scenario.probability, **outcome}


def _simulated(network: ProductionNetwork, scenario: Scenario, periods: int | None) -> Row:
    if not scenario.shocks:  # a year in which nothing struck
        return {"loss": 0.0, "periods_lost": 0.0, "time_to_survive": None, "time_to_recover": 0}
    run = simulate(network, scenario, periods=periods)
    return {
        "loss": run.loss,
        "periods_lost": run.loss_in_periods,
        "time_to_survive": run.time_to_survive,
        "time_to_recover": run.time_to_recover,
    }


ENGINES: dict[str, Callable[[ProductionNetwork, Scenario, int | None], Row]] = {
    "simulate": _simulated,
}


def _targets(scenario: Scenario) -> tuple[str, ...]:
    return tuple(
        " and ".join(f"{kind} {label}" for kind, label in shock.targets.items())
        for shock in scenario.shocks
    )


def _open_folder(out: str | os.PathLike[str], key: dict[str, Any]) -> Path:
    """Return the folder of a run; refuse one that holds another run."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / _MANIFEST
    if manifest.exists():
        if json.loads(manifest.read_bytes()) != key:
            raise UsageError(
                f"{folder} holds a run of another network or other scenarios; name a new folder."
            )
    else:
        _write_file(manifest, json.dumps(key, indent=2).encode())
    return folder


def _part(folder: Path, start: int) -> Path:
    return folder / f"part-{start // CHUNK:06d}.parquet"


def _read_part(folder: Path | None, start: int) -> pl.DataFrame | None:
    if folder is None or not _part(folder, start).exists():
        return None
    return pl.read_parquet(_part(folder, start))


def _write_part(folder: Path | None, start: int, part: pl.DataFrame) -> None:
    if folder is None:
        return
    target = _part(folder, start)
    building = target.with_suffix(".writing")
    part.write_parquet(building)
    building.replace(target)


def _write_file(path: Path, data: bytes) -> None:
    building = path.with_suffix(".writing")
    building.write_bytes(data)
    building.replace(path)
