"""The verb plant-line: what a line of machines makes, what holds it back, and what would help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from withstand.cli import answers, output, plant_answers
from withstand.errors import UsageError


def plant_line(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="Table of machines: CSV, XLSX, Parquet or TOML.")
    ] = None,
    method: Annotated[str, typer.Option(help="auto, exact, decomposition or simulation.")] = "auto",
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Simulate, with an interval (method simulation).")
    ] = False,
    cycles: Annotated[
        int, typer.Option(help="Cycles of a simulated run (parts, where cycles differ).", min=1000)
    ] = 1_000_000,
    runs: Annotated[int, typer.Option(help="Independent simulated runs (see --jobs).", min=1)] = 1,
    top: Annotated[int, typer.Option(help="Rows to show of what would help.", min=1)] = 10,
    out: Annotated[
        list[Path] | None, typer.Option(help="Report: line.html, line.xlsx; repeat.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option(help="Write an example table (CSV) to fill, and stop.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the template.")] = False,
    fail_on: Annotated[
        str, typer.Option(help="Exit with 5 if broken: per_hour<60, oee<70%, throughput<0.8.")
    ] = "",
) -> int:
    """Say what a line of machines makes, what holds it back, and what would help most."""
    from withstand import workbench

    if template is not None:
        return _write_template(template, file, force=force)
    if file is None:
        raise UsageError("Name a table of machines, or write one: --template line.csv.")
    if simulate and method not in ("auto", "simulation"):
        raise UsageError(f"--simulate and --method {method[:40]} do not go together.")
    limits = answers.thresholds(fail_on)
    targets = workbench.line_targets([*(out or [])])
    table = workbench.read_line(file)
    with output.progress() as progress:
        found = workbench.work_out_line(
            table,
            name=file.stem,
            method="simulation" if simulate else method,
            cycles=cycles,
            runs=runs,
            seed=output.settings.seed,
            jobs=output.settings.own_jobs,
            progress=progress,
        )
        _fit(ctx, found.line.run.method)
        files = workbench.write_line(found, targets)
    indicators = {
        "throughput": found.line.throughput,
        "per_hour": found.line.per_hour,
        "oee": found.line.effectiveness,
    }
    broken = answers.broken(indicators, limits)
    if output.settings.json:
        document = plant_answers.document(found, top)
        output.say_json(document | {"files": [str(f) for f in files], "broken": broken})
    else:
        plant_answers.say(found, top)
        for written in files:
            output.say(f"Wrote {written}")
    return answers.judged(broken)


def _fit(ctx: typer.Context, method: str) -> None:
    """Refuse options of a simulation where nothing was simulated."""
    for name in ("cycles", "runs"):
        source = ctx.get_parameter_source(name)
        if method != "simulation" and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"--{name} goes with --simulate.")


def _write_template(target: Path, file: Path | None, *, force: bool) -> int:
    from withstand import workbench

    if file is not None:
        raise UsageError("--template writes a table and reads none; leave one of the two out.")
    written = workbench.write_line_template(target, force=force)
    if output.settings.json:
        output.say_json({"status": "ok", "file": str(written)})
    output.say(f"Wrote {written}. Fill it, then: withstand plant-line {written}")
    return 0
