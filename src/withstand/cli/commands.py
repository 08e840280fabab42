"""The verbs of the command line. Each calls one use case of the workbench and prints its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import answers, output
from withstand.errors import UsageError

app = typer.Typer(
    name="withstand",
    help="Measure, stress and report what a production network depends on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_state: dict[str, Any] = {"project": ".", "seed": 0, "jobs": 1}


def _say_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"withstand {version('withstand')}")
        raise typer.Exit


@app.callback()
def options(
    project: Annotated[
        str, typer.Option(help="Project folder, workbook, or example:robot_maker.")
    ] = ".",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bars.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    jobs: Annotated[int, typer.Option(help="Workers for many independent runs.")] = 1,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Keep the global options; they may stand before or after the command."""
    _state.update(project=project, seed=seed, jobs=jobs)
    output.settings.json = json
    output.settings.quiet = quiet
    output.settings.progress = not no_progress


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("demo-out"),
    example: Annotated[str, typer.Option(help="Which example.")] = "robot_maker",
) -> int:
    """Run the whole chain on an example and write its report."""
    from withstand import workbench

    with output.progress() as progress:
        network = workbench.load(f"example:{example}")
        contents = workbench.gather(network, progress=progress)
        progress("writing the report", 7, 7)
        files = workbench.write_report(contents, [out / "report.html", out / "report.xlsx"])
    if output.settings.json:
        output.say_json(answers.report_document(contents, files))
        return 0
    output.say(
        f"{network.name}: {network.n_products} products, {network.n_nodes} producers, "
        f"{network.n_links} links, {network.n_regions} regions"
    )
    output.say(output.counted(network.findings) + " in the data (withstand check lists them)")
    output.say("")
    answers.say_summary(contents)
    output.say(f"The report: {files[0]} (tables: {files[1]})")
    return 0


@app.command()
def new(
    lens: Annotated[str, typer.Argument(help="plant, firms or economy.")],
    path: Annotated[Path | None, typer.Argument(help="Folder to make.")] = None,
    example: Annotated[str | None, typer.Option(help="Start from an example.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the project.")] = None,
) -> int:
    """Make a project folder: a copy of an example, or tables with a few rows to replace."""
    from withstand import workbench
    from withstand.model.settings import LENSES

    if lens not in LENSES:
        raise UsageError(f"'{lens[:40]}' is no lens; use one of {', '.join(LENSES)}.")
    folder = workbench.new_project(
        path or Path(example or lens), lens=lens, example=example, name=name
    )
    if output.settings.json:
        output.say_json({"status": "ok", "project": str(folder)})
    output.say(
        f"Made {folder}. Next: edit {folder / 'tables'}, then withstand check --project {folder}"
    )
    return 0


@app.command()
def template(
    out: Annotated[Path, typer.Option(help="Workbook to write.")] = Path("tables.xlsx"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> int:
    """Write an input workbook: a read-me sheet, drop-downs, example rows."""
    from withstand import workbench

    file = workbench.write_template(out, force=force)
    if output.settings.json:
        output.say_json({"status": "ok", "file": str(file)})
    output.say(f"Wrote {file}. Fill it, then: withstand check {file}")
    return 0


@app.command()
def check(
    path: Annotated[str | None, typer.Argument(help="Default: the project.")] = None,
    fail_on: Annotated[str, typer.Option(help="error or warning.")] = "error",
) -> int:
    """List every finding at once, each with its place and its mend."""
    from withstand import workbench
    from withstand.cli import FAULTS, FINE, THRESHOLD

    if fail_on not in ("error", "warning"):
        raise UsageError(f"--fail-on takes error or warning, not '{fail_on[:40]}'.")
    network, findings = workbench.check(path or _state["project"])
    has_error = network is None
    has_warning = any(f.severity == "warning" for f in findings)
    if output.settings.json:
        output.say_json(
            {
                "status": "error" if has_error else "ok",
                "network": repr(network) if network else None,
                "findings": [f.to_dict() for f in findings],
            }
        )
    elif not output.settings.quiet or has_error:
        if network is not None:
            output.say(repr(network).strip("<>"))
        output.say_findings(findings, failed=has_error)
    if has_error:
        return FAULTS
    return THRESHOLD if fail_on == "warning" and has_warning else FINE


@app.command()
def measure(
    top: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 10,
    what: Annotated[str, typer.Option(help="exposure, concentration, coverage or all.")] = "all",
    without: Annotated[str, typer.Option(help="Regions lost together, separated by commas.")] = "",
    assume_recipe: Annotated[
        str, typer.Option(help="What producers abroad need: none or shared.")
    ] = "none",
    slack: Annotated[
        str, typer.Option(help="How far survivors can go above usual: 1.2, or material=1.5,RV=1.1.")
    ] = "1",
    limit: Annotated[str, typer.Option(help="share or capacity.")] = "share",
    by: Annotated[str, typer.Option(help="region, node, product or kind (exposure).")] = "region",
    fail_on: Annotated[
        str, typer.Option(help="Exit with 5 if broken: home_share<0.5, feasible_output<80%.")
    ] = "",
) -> int:
    """Say what the network depends on, through every tier."""
    from withstand import measures, workbench

    parts = ("exposure", "concentration", "coverage")
    if what not in (*parts, "all"):
        raise UsageError(f"--what takes {', '.join(parts)} or all, not '{what[:40]}'.")
    limits = answers.thresholds(fail_on)
    spare = answers.slack_of(slack)
    network = workbench.load(_state["project"])
    lost = [x.strip() for x in without.split(",") if x.strip()]
    document: dict[str, Any] = {"status": "ok", "network": network.name}
    indicators: dict[str, float] = {}
    with output.progress() as progress:
        if what in ("exposure", "all"):
            progress("measuring exposure", 0, 3)
            document["exposure"], found = answers.exposure_document(network, by, top)
            indicators |= found
        if what in ("concentration", "all"):
            progress("measuring concentration", 1, 3)
            concentrated = measures.concentration(network)
            document["concentration"] = concentrated.table.filter(
                concentrated.table["outside_home"] > 0
            ).head(top)
            indicators["largest_hhi"] = max(document["concentration"]["hhi"].to_list(), default=0.0)
        if what in ("coverage", "all"):
            progress("losing regions", 2, 3)
            if lost:
                covered = measures.coverage(network, lost, assume_recipe, spare, limit)
                document["coverage"] = answers.coverage_document(covered, top)
                indicators["feasible_output"] = covered.feasible_output
            else:
                swept = measures.coverage_by_region(network, None, assume_recipe, spare, limit)
                document["coverage"] = swept.head(top)
                indicators["feasible_output"] = min(swept["feasible_output"].to_list(), default=1.0)
    document["provenance"] = answers.provenance(network, _state["seed"])
    broken = answers.broken(indicators, limits or answers.own_thresholds(network, indicators))
    document["broken"] = broken
    if output.settings.json:
        output.say_json(document)
    else:
        answers.say_measures(network, document, by, lost)
    return answers.judged(broken)


@app.command()
def stress(
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files (TOML) or folders of them.")
    ] = None,
    lose: Annotated[
        str, typer.Option(help="What is lost: region:JP, node:X, product:Y, region:JP+product:Y.")
    ] = "",
    share: Annotated[str, typer.Option(help="Share lost: 50% or 0.5.")] = "100%",
    duration: Annotated[str, typer.Option("--for", help="How long: 12w, 3 months.")] = "26w",
    start: Annotated[str, typer.Option(help="When it begins.")] = "0",
    recovery: Annotated[str, typer.Option(help="Time from the end back to the whole.")] = "0",
    every: Annotated[str, typer.Option("--all", help="regions: each one in turn.")] = "",
    assume_recipe: Annotated[str, typer.Option(help="none or shared.")] = "none",
    periods: Annotated[int | None, typer.Option(help="How long to play.", min=1)] = None,
    top: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 10,
    fail_on: Annotated[str, typer.Option(help="Exit with 5 if broken: periods_lost>4.")] = "",
    save: Annotated[bool, typer.Option("--save", help="Keep the run under runs/.")] = False,
) -> int:
    """Say what stops, when and for how long, and who limited whom."""
    from withstand import workbench
    from withstand.model.findings import Finding

    limits = answers.thresholds(fail_on)
    network = workbench.load(_state["project"]).under_rule(assume_recipe)
    if sum(bool(x) for x in (lose, every, scenarios)) != 1:
        raise UsageError("Name one thing to play: --lose region:JP, --all regions, or a file.")
    with output.progress() as progress:
        if every:
            if every != "regions":
                raise UsageError(f"--all takes regions, not '{every[:40]}'.")
            runs = workbench.region_losses(
                network,
                workbench.lossable(network),
                share=share,
                duration=duration,
                recovery=recovery,
                progress=progress,
                periods=periods,
            )
        else:
            chosen = (
                [
                    workbench.scenario_of(
                        lose, share=share, start=start, duration=duration, recovery=recovery
                    )
                ]
                if lose
                else [s for p in scenarios or [] for s in workbench.scenarios_of(p)]
            )
            runs = workbench.play(network, chosen, periods=periods, progress=progress)
    saved = [str(workbench.save_run(_state["project"], r)) for r in runs] if save else []
    worst = max(runs, key=lambda r: r.loss_in_periods)
    indicators = {"periods_lost": worst.loss_in_periods, "loss": worst.loss}
    broken = answers.broken(indicators, limits or answers.own_thresholds(network, indicators))
    findings: list[Finding] = [f for r in runs for f in r.findings]
    if output.settings.json:
        output.say_json(
            {
                "status": "ok",
                "network": network.name,
                "runs": [answers.run_document(r, top) for r in runs],
                "findings": [f.to_dict() for f in findings],
                "broken": broken,
                "saved": saved,
                "provenance": worst.provenance.to_dict(),
            }
        )
    else:
        answers.say_runs(network, runs, worst, top, findings)
        for place in saved:
            output.say(f"Saved {place}")
    return answers.judged(broken)


@app.command()
def report(
    to: Annotated[
        str, typer.Option(help="Files, separated by commas: board.html,board.xlsx.")
    ] = "report.html",
    share: Annotated[str, typer.Option(help="Share lost in the scenarios.")] = "100%",
    duration: Annotated[str, typer.Option("--for", help="How long.")] = "26w",
    recovery: Annotated[str, typer.Option(help="Time back to the whole.")] = "8w",
) -> int:
    """Write a report: one self-contained page, and a workbook of every table."""
    from withstand import workbench

    targets = workbench.report_targets([x.strip() for x in to.split(",") if x.strip()])
    with output.progress() as progress:
        network = workbench.load(_state["project"])
        contents = workbench.gather(
            network, share=share, duration=duration, recovery=recovery, progress=progress
        )
        files = workbench.write_report(contents, targets)
    if output.settings.json:
        output.say_json(answers.report_document(contents, files))
    for file in files:
        output.say(f"Wrote {file}")
    return 0
