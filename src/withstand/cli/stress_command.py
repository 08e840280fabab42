"""The verb stress: which scenarios, on which engine; each way calls one use case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import answers, engine_answers, output, stress_answers
from withstand.errors import UsageError

DETAILED = 12
"""Up to so many scenarios are kept whole, each with its time line."""
SAMPLES = 1000
_SOURCES = {
    "scenarios": "scenario files",
    "lose": "--lose",
    "every": "--all",
    "hazards": "--hazards",
    "resume": "--resume",
}
_SHOCK = {"share": "--share", "duration": "--for", "start": "--start", "recovery": "--recovery"}
_TIMES = {**{n: o for n, o in _SHOCK.items() if n != "share"}, "periods": "--periods"}


@dataclass(kw_only=True)
class _Request:
    """What is asked for, after the options were found to fit together."""

    source: str
    engine: str
    rules: str | None
    periods: int | None
    out: Path | None
    bounds: bool
    shock: dict[str, Any]
    findings: list[Any] = field(default_factory=list)


def stress(
    ctx: typer.Context,
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files (TOML) or folders of them.")
    ] = None,
    lose: Annotated[
        str, typer.Option(help="What is lost: region:JP, node:X, product:Y, region:JP+product:Y.")
    ] = "",
    every: Annotated[
        str,
        typer.Option("--all", help="Each in turn: nodes, regions, products or region_pairs."),
    ] = "",
    hazards: Annotated[
        Path | None, typer.Option(help="Table of hazards (CSV, Parquet, XLSX) to draw years from.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Years to draw from --hazards.", min=1)] = SAMPLES,
    share: Annotated[str, typer.Option(help="Share lost: 50% or 0.5.")] = "100%",
    duration: Annotated[str, typer.Option("--for", help="How long: 12w, 3 months.")] = "26w",
    start: Annotated[str, typer.Option(help="When it begins.")] = "0",
    recovery: Annotated[str, typer.Option(help="Time from the end back to the whole.")] = "0",
    engine: Annotated[
        str,
        typer.Option(help="simulate, cascade (no time), respond (best answer) or bracket (both)."),
    ] = "simulate",
    rules: Annotated[
        str | None, typer.Option(help="Rules of the simulation: ario, inoue_todo or pichler.")
    ] = None,
    bounds: Annotated[
        bool, typer.Option("--bounds", help="Certified bounds (--all nodes --engine cascade).")
    ] = False,
    assume_recipe: Annotated[
        str, typer.Option(help="What producers abroad need: none or shared.")
    ] = "none",
    periods: Annotated[int | None, typer.Option(help="How long to play.", min=1)] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps outcomes; a run that was cut off goes on there."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder (see --out).")
    ] = None,
    top: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 10,
    fail_on: Annotated[
        str, typer.Option(help="Exit with 5 if broken: periods_lost>4, cvar>8, esri>20%.")
    ] = "",
    save: Annotated[bool, typer.Option("--save", help="Keep the runs under runs/.")] = False,
) -> int:
    """Say what stops, when and for how long, who limited whom, and how much may be lost."""
    from withstand import workbench

    sources = {
        "scenarios": bool(scenarios),
        "lose": bool(lose),
        "every": bool(every),
        "hazards": hazards is not None,
        "resume": resume is not None,
    }
    shock = {"share": share, "start": start, "duration": duration, "recovery": recovery}
    limits = answers.thresholds(fail_on)
    asked = _Request(
        source=_one_of(sources),
        engine=engine,
        rules=rules,
        periods=periods,
        out=out,
        bounds=bounds,
        shock=shock,
    )
    _fit(ctx, asked, every, save=save)
    network = workbench.load(output.settings.project).under_rule(assume_recipe)
    with output.progress() as progress:
        if asked.source == "every" and every == "nodes" and _is_whole_failure(asked):
            risk, table = workbench.systemic_risk(
                network, bounds=bounds, jobs=output.settings.workers, progress=progress
            )
            shown: stress_answers.Answer = engine_answers.RiskAnswer(network, risk, table)
        elif resume is not None:
            played, result = workbench.go_on(
                network, resume, jobs=output.settings.workers, progress=progress
            )
            asked.findings += result.findings
            worst = workbench.worst_run(network, played, result)
            shown = stress_answers.SetAnswer(network, result, worst)
        else:
            chosen = _chosen(network, asked, scenarios or [], lose, every, hazards, samples)
            shown = _played(network, asked, chosen, progress)
    saved = [str(workbench.save_run(output.settings.project, run)) for run in shown.runs() if save]
    findings = [*asked.findings, *shown.findings()]
    indicators = shown.indicators()
    broken = answers.broken(indicators, limits or answers.own_thresholds(network, indicators))
    if output.settings.json:
        output.say_json(
            {
                "status": "ok",
                "network": network.name,
                **shown.document(top),
                "findings": [f.to_dict() for f in findings],
                "broken": broken,
                "saved": saved,
            }
        )
    else:
        shown.say(top)
        if findings:
            output.say_findings(answers.grouped(findings), failed=False)
        for place in [*saved, *([str(out)] if out else [])]:
            output.say(f"Kept in {place}")
    return answers.judged(broken)


def _one_of(sources: dict[str, bool]) -> str:
    """Return the one way in which scenarios were named."""
    named = [name for name, is_given in sources.items() if is_given]
    if len(named) == 1:
        return named[0]
    ways = "--lose region:JP, --all regions, --hazards hazards.csv, --resume FOLDER, or files"
    if not named:
        raise UsageError(f"Nothing to play. Name one thing: {ways}.")
    both = " and ".join(_SOURCES[n] for n in named)
    raise UsageError(f"{both} do not go together. Name one thing to play: {ways}.")


def _fit(ctx: typer.Context, asked: _Request, every: str, *, save: bool) -> None:
    """Refuse options that would do nothing here, before anything is loaded."""

    def given(names: Iterable[str]) -> list[str]:
        sources = {n: ctx.get_parameter_source(n) for n in names}
        return [n for n, source in sources.items() if source and source.name == "COMMANDLINE"]

    shock = [_SHOCK[n] for n in given(_SHOCK)]
    timed = [_TIMES[n] for n in given(_TIMES)]
    kept = [f"--{n}" for n in given(("engine", "rules", "periods", "out"))]
    is_risk = asked.source == "every" and every == "nodes" and _is_whole_failure(asked)
    faults = (
        (
            shock and asked.source not in ("lose", "every"),
            f"{_first(shock)} goes with --lose or --all; "
            f"with {_SOURCES[asked.source]} it is said there.",
        ),
        (
            given(["samples"]) and asked.source != "hazards",
            "--samples needs a table of hazards to draw from: --hazards FILE.",
        ),
        (
            kept and asked.source == "resume",
            f"{_first(kept)} is known to the folder; leave it out with --resume.",
        ),
        (
            asked.engine in ("cascade", "respond") and asked.rules,
            f"--rules are those of a simulation; engine {asked.engine} has none.",
        ),
        (
            asked.engine == "cascade" and timed,
            f"{_first(timed)} does not go with engine cascade, which knows no time.",
        ),
        (
            asked.bounds and not is_risk,
            "--bounds goes with --all nodes --engine cascade, the whole of a node.",
        ),
        (
            is_risk and asked.out,
            "--out keeps runs of scenarios; for the systemic risk of every node write "
            "--json --top 1000000 > FILE.",
        ),
        (
            save and asked.engine != "simulate",
            "--save keeps time lines of engine simulate; leave it out.",
        ),
    )
    for is_wrong, message in faults:
        if is_wrong:
            raise UsageError(message)


def _first(options: list[str]) -> str:
    return options[0] if options else ""


def _is_whole_failure(asked: _Request) -> bool:
    """Tell whether nodes fail completely in a cascade: that is the systemic risk index."""
    return asked.engine == "cascade" and asked.shock["share"].strip() in ("100%", "1", "1.0")


def _chosen(
    network: Any,
    asked: _Request,
    files: list[Path],
    lose: str,
    every: str,
    hazards: Path | None,
    samples: int,
) -> list[Any]:
    """Return the scenarios that were named."""
    from withstand import workbench

    if lose or every:
        named = (
            [workbench.scenario_of(lose, **asked.shock)]
            if lose
            else workbench.each_of(network, every, **asked.shock)
        )
        return workbench.without_time(named) if asked.engine == "cascade" else named
    if hazards is not None:
        years, notes = workbench.years_of(network, hazards, samples, output.settings.seed)
        asked.findings += notes
        return years
    return workbench.scenarios_of(files, network)


def _played(
    network: Any, asked: _Request, chosen: list[Any], progress: Any
) -> stress_answers.Answer:
    """Play scenarios: few of them whole, many as one row each and the worst whole."""
    from withstand import workbench

    is_named = asked.source in ("lose", "scenarios") and asked.out is None
    if is_named and asked.engine == "simulate" and len(chosen) <= DETAILED:
        runs = workbench.play(
            network, chosen, periods=asked.periods, rules=asked.rules, progress=progress
        )
        return stress_answers.RunsAnswer(network, runs)
    if is_named and len(chosen) == 1:
        progress(f"playing {chosen[0].name}"[:40], 0, 1)
        return engine_answers.single(
            network, chosen[0], asked.engine, periods=asked.periods, rules=asked.rules
        )
    try:
        result = workbench.play_many(
            network,
            chosen,
            engine=asked.engine,
            rules=asked.rules,
            periods=asked.periods,
            jobs=output.settings.workers,
            out=asked.out,
            progress=progress,
        )
    except KeyboardInterrupt:
        if asked.out is not None:
            output.say(
                f"What was played is kept. Go on with: withstand stress --resume {asked.out}"
            )
        raise
    asked.findings += result.findings
    return stress_answers.SetAnswer(network, result, workbench.worst_run(network, chosen, result))
