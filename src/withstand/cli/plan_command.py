"""The verb plan: against which scenarios, with what money, and the next questions."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import answers, output, plan_answers
from withstand.errors import UsageError

_AMOUNT = re.compile(r"\s*([0-9][0-9_]*\.?[0-9]*(?:e[+-]?[0-9]+)?)\s*(k|m|bn)?\s*\Z", re.IGNORECASE)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "bn": 1e9}
_AIMS = "value (cost and loss), cost (under --loss-limit), loss (for the budget) or regret"


def plan(
    ctx: typer.Context,
    budget: Annotated[
        str, typer.Option(help="Money: 60e6, 60m; by year with carry-over: 20m,10m,10m.")
    ] = "",
    horizon: Annotated[int, typer.Option(help="Years in which options may start.")] = 5,
    scenario: Annotated[
        list[Path] | None,
        typer.Option("--scenario", "--against", help="Scenario file (TOML) or folder; repeat."),
    ] = None,
    lose: Annotated[
        list[str] | None, typer.Option(help="What is lost: region:JP, node:X ...; repeat.")
    ] = None,
    every: Annotated[
        str, typer.Option("--all", help="Each in turn: nodes, regions, products or region_pairs.")
    ] = "",
    share: Annotated[str, typer.Option(help="Share lost: 50% or 0.5.")] = "100%",
    duration: Annotated[str, typer.Option("--for", help="How long: 12w, 3 months.")] = "26w",
    recovery: Annotated[str, typer.Option(help="Time from the end back to the whole.")] = "8w",
    probability: Annotated[
        float, typer.Option(help="Chance per year of each --lose or --all.", min=0.0, max=1.0)
    ] = 1.0,
    onsets: Annotated[
        str, typer.Option(help="When scenarios may strike, years: 0.5,2.5. Default: each year.")
    ] = "",
    aim: Annotated[str, typer.Option(help=f"{_AIMS}.")] = "value",
    loss_limit: Annotated[str, typer.Option(help="Most that the expected loss may be: 5m.")] = "",
    risk_weight: Annotated[
        float, typer.Option(help="Weight of the tail beside the mean.", min=0.0)
    ] = 0.0,
    alpha: Annotated[float, typer.Option(help="Tail: the worst 1 - alpha.")] = 0.9,
    discount: Annotated[float, typer.Option(help="Rate per year.")] = 0.0,
    started: Annotated[
        str, typer.Option(help="What is under way, with years since its start: M07=1,M12=0.5.")
    ] = "",
    gap: Annotated[float, typer.Option(help="How near to the best, as a share.")] = 0.005,
    step: Annotated[
        int | None, typer.Option(help="Periods that the programme takes together.", min=1)
    ] = None,
    periods: Annotated[
        int | None, typer.Option(help="Window after a scenario strikes.", min=1)
    ] = None,
    frontier: Annotated[
        int, typer.Option(help="Plans for so many budgets, from 0 to 1.5 times the money.", min=0)
    ] = 0,
    alternatives: Annotated[int, typer.Option(help="Other plans, at most 5% worse.", min=0)] = 0,
    candidates: Annotated[
        int, typer.Option(help="Take the best of so many plans by simulation.", min=1)
    ] = 1,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Simulate on the full network.")
    ] = True,
    out: Annotated[
        list[Path] | None, typer.Option(help="Report: plan.html, plan.xlsx, plan.json; repeat.")
    ] = None,
    mps: Annotated[
        Path | None, typer.Option(help="Write the whole programme for another solver.")
    ] = None,
    top: Annotated[int, typer.Option(help="Scenarios to show.", min=1)] = 10,
    fail_on: Annotated[
        str,
        typer.Option(help="Exit with 5 if broken: expected_loss>5000000, cvar>9000000, cost>1."),
    ] = "",
) -> int:
    """Choose what to start when, say what it saves, what more money buys, and what blocks."""
    from withstand import workbench
    from withstand.cli import INFEASIBLE

    limits = answers.thresholds(fail_on)
    targets = workbench.plan_targets([*(out or [])])
    lost = {"share": share, "duration": duration, "recovery": recovery}
    _fit(ctx, scenario, lose, every)
    network = workbench.load(output.settings.project)
    chosen = _against(network, scenario or [], lose or [], every, lost, probability)
    with output.progress() as progress:
        found = workbench.plan(
            network,
            chosen,
            budget=_budget(budget, horizon),
            horizon=horizon,
            onsets=_numbers(onsets, "--onsets"),
            aim=aim,
            loss_limit=amount_of(loss_limit, "--loss-limit") if loss_limit else math.inf,
            risk_weight=risk_weight,
            alpha=alpha,
            discount=discount,
            started=_started(started),
            gap=gap,
            step=step,
            periods=periods,
            candidates=candidates,
            jobs=output.settings.workers,
            seed=output.settings.seed,
            progress=progress,
        )
        if mps is not None:
            found.to_mps(mps)
        if found.is_found:
            contents = workbench.gather_plan(
                found,
                is_verified=verify,
                n_budgets=frontier,
                n_alternatives=alternatives,
                jobs=output.settings.workers,
                progress=progress,
            )
            files = workbench.write_plan(contents, targets)
    if not found.is_found:
        plan_answers.say_none(found)
        return INFEASIBLE
    written = [*files, *([mps] if mps is not None else [])]
    indicators = {
        "expected_loss": found.expected_loss,
        "cvar": found.cvar(),
        "cost": found.cost,
    }
    broken = answers.broken(indicators, limits)
    if output.settings.json:
        output.say_json(
            plan_answers.document(contents) | {"files": [str(f) for f in written], "broken": broken}
        )
    else:
        plan_answers.say(contents, top)
        for file in written:
            output.say(f"Wrote {file}")
    return answers.judged(broken)


def _fit(ctx: typer.Context, files: list[Path] | None, lose: list[str] | None, every: str) -> None:
    """Refuse ways of naming scenarios that do not go together."""
    ways = "--scenario scenarios/, --lose region:JP, or --all regions"
    if not files and not lose and not every:
        raise UsageError(f"Nothing to plan against. Name scenarios: {ways}.")
    options = {"share": "--share", "duration": "--for", "recovery": "--recovery",
               "probability": "--probability"}  # fmt: skip
    if files and not lose and not every:
        for name, option in options.items():
            source = ctx.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE":
                raise UsageError(
                    f"{option} goes with --lose or --all; with scenario files it is said there."
                )


def _against(
    network: Any,
    files: list[Path],
    lose: list[str],
    every: str,
    lost: dict[str, Any],
    probability: float,
) -> list[Any]:
    """Return the scenarios that were named."""
    from withstand import workbench

    found = list(workbench.scenarios_of(files, network)) if files else []
    given = [workbench.scenario_of(_target(x), start="0", **lost) for x in lose]
    if every:
        given += workbench.each_of(network, every, **lost)
    return found + [replace(s, probability=probability) for s in given]


def _target(text: str) -> str:
    """Return `region:JP`, also where it was written `region=JP`."""
    return text if ":" in text else text.replace("=", ":", 1)


def amount_of(text: str, option: str = "--budget") -> float:
    """Return an amount of money: 60e6, 60_000_000, 60m, 1.5bn, 200k.

    Examples
    --------
    >>> amount_of("60m"), amount_of("1.5bn"), amount_of("2e6")
    (60000000.0, 1500000000.0, 2000000.0)
    """
    match = _AMOUNT.match(text)
    if match is None:
        raise UsageError(
            f"{option}: '{text[:40]}' is no amount of money; write 60e6, 60m or 1.5bn."
        )
    return float(match[1].replace("_", "")) * _UNITS[(match[2] or "").lower()]


def _budget(text: str, horizon: int) -> float | list[float] | None:
    """Return one amount, one for each year, or None for no limit."""
    if not text.strip():
        return None
    found = [amount_of(part) for part in text.split(",")]
    if len(found) == 1:
        return found[0]
    if len(found) != horizon:
        raise UsageError(
            f"--budget names {len(found)} years, the horizon has {horizon}: write one amount for"
            f" all of it, or one for each year (0 for none)."
        )
    return found


def _numbers(text: str, option: str) -> list[float] | None:
    if not text.strip():
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"{option} '{text[:40]}': write numbers, as in 0.5,2.5.") from error


def _started(text: str) -> dict[str, float] | None:
    """Return the options under way with the years since their start."""
    if not text.strip():
        return None
    found = {}
    for part in text.split(","):
        label, _, years = part.partition("=")
        try:
            found[label.strip()] = float(years or 0.0)
        except ValueError as error:
            raise UsageError(f"--started '{part[:40]}': write M07=1.5.") from error
    return found
