"""Many scenarios, any number of workers: the same numbers, streamed to disk, resumable."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import ScenarioError, UsageError
from withstand.executor import Executor, executor
from withstand.model.findings import Finding, make_finding, nearest, shorten
from withstand.model.hits import resolve
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.scenario import LINK_TARGETS, Scenario
from withstand.model.scenario_sets import names_of
from withstand.stress.cascade_arrays import PerNode, per_node
from withstand.stress.cascades import EPS, check_eps
from withstand.stress.ensemble_engines import ENGINES, LOSS, SCHEMA, Playing, play_item
from withstand.stress.rules import Rules, rules_of, with_rules
from withstand.stress.run_folders import FORMAT, RunFolder, digest_of, read_manifest, read_plan
from withstand.stress.tail_risk import (
    YEARS,
    TailRisk,
    exceedance_curve,
    return_levels,
    tail_contributions,
    tail_risk,
)

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Progress = Callable[[str, int, int], None]
CHUNK = 64
"""Scenarios in a part, which is written when all of them are played."""
SLOW = ("respond", "bracket")
"""Engines that take seconds for a scenario, whose parts are an eighth as long."""
PRELOAD = ("withstand.stress.ensembles",)
_ALPHA = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class Ensemble:
    """The outcomes of many scenarios on one network.

    Parameters
    ----------
    outcomes : polars.DataFrame
        One row a scenario, in the order given; columns that an engine does not give are null.
        number, scenario, probability; of simulate: loss (currency), periods_lost (periods of final
        demand), time_to_survive, time_to_recover (periods); of cascade: share_lost, down, up
        (0 to 1, of all weights: the worse of both channels, for want of inputs, of buyers), rounds;
        of respond: best_loss (currency), best_periods_lost; of bracket: those of simulate and of
        respond, is_comparable; finding (codes of warnings, for instance W301).
    targets : tuple of tuple of str
        What each scenario hits: the labels of its shocks, such as "earthquake", or "region JP".
    is_sample : bool
        Whether the scenarios are equally likely draws, so that standard errors make sense.
    engine : str
    period : str
        What a period is: week, month.
    findings : tuple of Finding
        For instance parts of a run that had to be played again.
    provenance : Provenance
    """

    outcomes: pl.DataFrame
    targets: tuple[tuple[str, ...], ...]
    is_sample: bool
    provenance: Provenance
    engine: str = "simulate"
    period: str = "period"
    findings: tuple[Finding, ...] = ()

    def to_frame(self) -> pl.DataFrame:
        """Return the outcomes."""
        return self.outcomes

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.outcomes.to_pandas()

    @property
    def loss_column(self) -> str:
        """The column that losses are judged by, unless another one is named."""
        return LOSS[self.engine]

    @property
    def weights(self) -> Array:
        """Probabilities that sum to 1, shape (n_scenarios,)."""
        weight = self.outcomes["probability"].to_numpy()
        total = weight.sum()
        return weight / total if total > 0 else np.full(len(weight), 1.0 / max(len(weight), 1))

    def worst(self, n: int = 10, column: str | None = None) -> pl.DataFrame:
        """Return the n scenarios that lose most."""
        by = column or self.loss_column
        self._losses(by)
        return self.outcomes.sort([by, "number"], descending=[True, False]).head(n)

    def risk(self, alpha: float = _ALPHA, column: str | None = None) -> TailRisk:
        """Return mean, value at risk and expected shortfall, with standard errors of a sample.

        Parameters
        ----------
        alpha : float, 0 to below 1
            VaR is the smallest loss that is not exceeded with this probability; CVaR is the mean
            of the worst 1 - alpha.
        column : str, optional
            Which loss; default: `loss_column`.
        """
        losses = self._losses(column)
        return tail_risk(losses, self.weights, alpha, is_sample=self.is_sample)

    def exceedance(self, column: str | None = None) -> pl.DataFrame:
        """Return the exceedance curve: loss, probability of a larger or equal one, its error."""
        return exceedance_curve(self._losses(column), self.weights, is_sample=self.is_sample)

    def return_levels(
        self, years: Sequence[float] = YEARS, column: str | None = None
    ) -> pl.DataFrame:
        """Return the loss reached once in so many years: years, probability, loss, error.

        Return periods for which there are too few scenarios are left out.
        """
        losses = self._losses(column)
        return return_levels(losses, self.weights, years, is_sample=self.is_sample)

    def contributions(self, alpha: float = _ALPHA, column: str | None = None) -> pl.DataFrame:
        """Return what is hit in the tail: share of the tail's loss in scenarios that hit it.

        Shares of targets that are hit together overlap, so they may sum to more than 1. Columns:
        target, share_of_tail, in_tail and in_all (scenarios that hit it, in the tail and in all).
        """
        return tail_contributions(self._losses(column), self.weights, self.targets, alpha)

    def summary(self) -> str:
        """Return one sentence."""
        risk = self.risk()
        if self.engine == "cascade":
            mean, worst, what = f"{risk.mean:.2%}", f"{risk.cvar:.2%}", "of the whole"
        else:
            mean, worst, what = f"{risk.mean:.3g}", f"{risk.cvar:.3g}", f"{self.period}s of demand"
        noun = "scenario" if risk.scenarios == 1 else "scenarios"
        return (
            f"{risk.scenarios:,} {noun}: {mean} {what} lost on average, {worst} in the worst "
            f"{1 - risk.alpha:.0%}."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Ensemble: {self.summary()}>"

    def _losses(self, column: str | None) -> Array:
        name = column or self.loss_column
        given = [n for n in self.outcomes.columns if self._is_loss(n)]
        if name not in given:
            near = nearest(name, given)
            raise UsageError(
                f"There is no loss '{name[:40]}' of engine {self.engine}; use one of "
                f"{', '.join(given)}." + (f" Did you mean {near}?" if near else "")
            )
        return self.outcomes[name].to_numpy()

    def _is_loss(self, name: str) -> bool:
        is_number = self.outcomes.schema[name] == pl.Float64 and name != "probability"
        return is_number and self.outcomes[name].null_count() == 0


def ensemble(
    network: ProductionNetwork,
    scenarios: Sequence[Scenario],
    *,
    engine: str = "simulate",
    periods: int | None = None,
    rules: Rules | str | None = None,
    weights: PerNode | None = None,
    eps: float = EPS,
    jobs: int | str | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    runner: Executor | None = None,
) -> Ensemble:
    """Play many scenarios; the numbers do not depend on the number of workers.

    Parameters
    ----------
    network : ProductionNetwork
    scenarios : sequence of Scenario
        See `withstand.model.scenario_sets` for whole sets.
    engine : {"simulate", "cascade", "respond", "bracket"}
        simulate: period by period. cascade: no time; the shocks of a scenario all at once, at
        their full loss. respond: the best possible answer. bracket: respond and simulate.
    periods : int, optional
        How long to play each; default: as `simulate` and `respond` choose.
    rules : Rules or name of a preset, optional
        Of the simulation.
    weights : array (n_nodes,) or mapping of label to number, optional
        What a node weighs in the loss of a cascade.
    eps : float
        Stop rule of the cascade.
    jobs : int or str, optional
        Worker processes; 1 by default, -1 for one a core; they stay warm for five minutes. Or a
        cluster, as "ray:HOST:PORT" (see `withstand.executor.executor`).
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
        With everything that scenarios name and the network lacks, before anything is played.
    UsageError
        If there is no scenario, `out` holds another run or cannot be written, or workers are lost
        again and again.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> from withstand.model.scenario_sets import single_failures
    >>> ensemble(tiny(), single_failures(tiny(), duration="12w")).outcomes["time_to_survive"][0]
    8
    """
    how = _playing(network, engine, periods, rules, weights, eps)
    if not scenarios:
        raise UsageError("There is no scenario to play.")
    workers = runner or executor(jobs, PRELOAD)
    try:
        _check(network, scenarios, engine)
        chunk = max(CHUNK // 8, 1) if engine in SLOW else CHUNK
        key = _key(network, scenarios, how, chunk)
        folder = RunFolder(out, key, scenarios) if out is not None else None
        names = names_of(scenarios)
        parts: dict[int, pl.DataFrame] = {}
        for number, first in enumerate(range(0, len(scenarios), chunk)):
            if folder is None:
                break
            part = folder.read(number, names[first : first + chunk], first, SCHEMA)
            if part is not None:
                parts[number] = part
        items = [
            (i, names[i], scenarios[i]) for i in range(len(scenarios)) if i // chunk not in parts
        ]
        rows = _rows(workers, network, how, items, progress, len(scenarios))
        for number, whole in _in_parts(rows, chunk, len(scenarios)):
            parts[number] = whole
            if folder is not None:
                folder.write(number, whole)
    finally:
        if runner is None:
            workers.close()
    chances = [s.probability for s in scenarios]
    return Ensemble(
        outcomes=pl.concat([parts[number] for number in sorted(parts)]),
        targets=tuple(_targets(s) for s in scenarios),
        is_sample=len(set(chances)) == 1 and len(chances) > 1 and abs(sum(chances) - 1.0) < 1e-9,
        engine=engine,
        period=network.settings.period,
        findings=tuple(folder.findings) if folder is not None else (),
        provenance=provenance_of("stress.ensemble", network, key),
    )


def resume(
    network: ProductionNetwork,
    out: str | os.PathLike[str],
    *,
    jobs: int | str | None = None,
    progress: Progress | None = None,
    runner: Executor | None = None,
) -> Ensemble:
    """Go on with the run that a folder holds; its scenarios and parameters are taken from there.

    Parameters
    ----------
    network : ProductionNetwork
        The same as before.
    out : path
        Folder of the run.
    jobs, progress, runner
        As in `ensemble`.

    Raises
    ------
    UsageError
        If the folder holds no run, or one of another network.
    """
    found = read_manifest(out)
    if found.get("weights") is not None:
        raise UsageError(
            f"{out}: the run has weights of its own; call ensemble with the same arguments instead."
        )
    return ensemble(
        network,
        read_plan(out),
        engine=str(found["engine"]),
        periods=found["periods"],
        rules=None if found["rules"] is None else _kept_rules(found["rules"], out),
        eps=found["eps"],
        jobs=jobs,
        out=out,
        progress=progress,
        runner=runner,
    )


def _kept_rules(values: dict[str, Any], out: str | os.PathLike[str]) -> Rules:
    """Return the rules that a manifest states."""
    try:
        return with_rules("default", values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{out}: the manifest is damaged (rules); name a new folder.") from error


def _playing(
    network: ProductionNetwork,
    engine: str,
    periods: int | None,
    rules: Rules | str | None,
    weights: PerNode | None,
    eps: float,
) -> Playing:
    if engine not in ENGINES:
        near = nearest(str(engine), list(ENGINES))
        raise UsageError(
            f"engine '{shorten(engine)}' is unknown; use one of {', '.join(ENGINES)}."
            + (f" Did you mean {near}?" if near else "")
        )
    check_eps(eps)
    return Playing(
        engine=engine,
        periods=periods,
        rules=None if rules is None else rules_of(rules, network.settings.period),
        eps=eps,
        weights=None if weights is None else per_node(network, weights, "weights"),
    )


def _key(
    network: ProductionNetwork, scenarios: Sequence[Scenario], how: Playing, chunk: int
) -> dict[str, Any]:
    """Return what makes a run this run and no other."""
    weights = how.weights
    return {
        "format": FORMAT,
        "withstand": version("withstand"),
        "network": network.fingerprint(),
        "engine": how.engine,
        "periods": how.periods,
        "rules": None if how.rules is None else asdict(how.rules),
        "eps": how.eps,
        "weights": None if weights is None else hashlib.blake2b(weights.tobytes()).hexdigest()[:32],
        "scenarios": digest_of(scenarios),
        "n_scenarios": len(scenarios),
        "part": chunk,
    }


def _check(network: ProductionNetwork, scenarios: Sequence[Scenario], engine: str) -> None:
    """Raise everything that scenarios name and the network (or the engine) lacks."""
    findings: list[Finding] = []
    nodes = network.index("nodes")
    seen = set()
    for scenario in scenarios:
        for shock in scenario.shocks:
            where = (tuple(shock.targets.items()), shock.what)
            if where in seen:
                continue
            seen.add(where)
            is_node = list(shock.targets) == ["node"] and shock.what == "capacity"
            if is_node and shock.node in nodes:
                continue
            try:
                resolve(Scenario(name=scenario.name, shocks=(shock,)), network, 1)
            except ScenarioError as error:
                findings += [replace(f, what=_of(scenario, f.what)) for f in error.findings]
            no_node = shock.what != "capacity" or not LINK_TARGETS.isdisjoint(shock.targets)
            if engine == "cascade" and no_node:
                what = "a cascade takes losses of nodes only, not of links or of demand"
                fix = "Use engine simulate, or leave the scenario out."
                findings.append(make_finding("E302", _of(scenario, what), fix=fix))
    if findings:
        raise ScenarioError(findings)


def _of(scenario: Scenario, what: str) -> str:
    return f"{scenario.name}: {what.removeprefix('shock 1: ')}"


def _rows(
    workers: Executor,
    network: ProductionNetwork,
    how: Playing,
    items: list[tuple[int, str, Scenario]],
    progress: Progress | None,
    total: int,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of scenarios as they are played, in order."""
    done = total - len(items)
    if progress:
        progress("playing scenarios", done, total)
    if not items:
        return
    shared = workers.put((network, how))
    for row in workers.map(play_item, shared, items):
        done += 1
        if progress:
            progress("playing scenarios", done, total)
        yield row


def _in_parts(
    rows: Iterator[dict[str, Any]], chunk: int, total: int
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield parts as soon as they are whole."""
    waiting: list[dict[str, Any]] = []
    for row in rows:
        waiting.append(row)
        if row["number"] % chunk == chunk - 1 or row["number"] == total - 1:
            frame = pl.DataFrame(waiting, schema=SCHEMA, orient="row")
            yield row["number"] // chunk, frame
            waiting = []


def _targets(scenario: Scenario) -> tuple[str, ...]:
    return tuple(
        shock.label or " and ".join(f"{kind} {label}" for kind, label in shock.targets.items())
        for shock in scenario.shocks
    )
