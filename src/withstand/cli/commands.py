"""The verbs of the command line. Each calls one use case of the workbench and prints its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import answers, output
from withstand.cli.add_command import add
from withstand.cli.capability_command import capability
from withstand.cli.compare_command import compare
from withstand.cli.db_command import db
from withstand.cli.explain_command import explain
from withstand.cli.partners_command import partners
from withstand.cli.people_command import people
from withstand.cli.plan_command import plan
from withstand.cli.plant_command import plant_line
from withstand.cli.stress_command import stress
from withstand.cli.track_command import track
from withstand.cli.trade_command import trade
from withstand.cli.upgrade_command import upgrade
from withstand.errors import UsageError

app = typer.Typer(
    name="withstand",
    help="Measure, stress, plan and report what a production network depends on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    jobs: Annotated[
        str,
        typer.Option(
            help="Workers for many independent runs: a number, -1 for one a core, or processes:4,"
            " ray, ray:HOST:PORT."
        ),
    ] = "1",
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Keep the global options; they may stand before or after the command."""
    output.settings.project, output.settings.seed = project, seed
    output.settings.set_jobs(jobs)
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
    source: Annotated[
        str | None, typer.Option("--from", help="Input-output table to read (economy).")
    ] = None,
    layout: Annotated[
        str | None, typer.Option(help="Layout of the table: wiod, oecd, pymrio, niot, bea ...")
    ] = None,
    year: Annotated[int | None, typer.Option(help="Year, of several.")] = None,
    home: Annotated[str | None, typer.Option(help="Home region of the economy.")] = None,
    accounts: Annotated[str | None, typer.Option(help="File of employment and hours.")] = None,
) -> int:
    """Make a project folder: of a table, a copy of an example, or a few rows to replace."""
    from withstand import workbench
    from withstand.model.settings import LENSES

    if lens not in LENSES:
        raise UsageError(f"'{lens[:40]}' is no lens; use one of {', '.join(LENSES)}.")
    if source is None and (layout or year or home or accounts):
        raise UsageError("--layout, --year, --home and --accounts go with --from FILE.")
    if source is not None:
        if lens != "economy" or example:
            raise UsageError(
                "--from reads an input-output table: withstand new economy --from FILE."
            )
        return _new_economy(
            path or Path(name or "economy"), source, layout, year, home, accounts, name
        )
    folder = workbench.new_project(
        path or Path(example or lens), lens=lens, example=example, name=name
    )
    if output.settings.json:
        output.say_json({"status": "ok", "project": str(folder)})
    output.say(
        f"Made {folder}. Next: edit {folder / 'tables'}, then withstand check --project {folder}"
    )
    return 0


def _new_economy(
    folder: Path,
    source: str,
    layout: str | None,
    year: int | None,
    home: str | None,
    accounts: str | None,
    name: str | None,
) -> int:
    """Make the project of a table, and say what is in it."""
    from withstand import workbench

    network = workbench.new_economy(
        folder, source, layout=layout, year=year, home=home, accounts=accounts, name=name
    )
    if output.settings.json:
        output.say_json(
            {
                "status": "ok",
                "project": str(folder),
                "network": repr(network),
                "findings": [f.to_dict() for f in network.findings],
            }
        )
    output.say(f"{network.name}: {network.n_nodes:,} nodes, {network.n_regions} regions")
    output.say(output.counted(network.findings) + " in the data (withstand check lists them)")
    output.say(f"Made {folder}. Next: withstand check --project {folder}")
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
    network, findings = workbench.check(path or output.settings.project)
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
    network = workbench.load(output.settings.project)
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
    document["provenance"] = answers.provenance(network, output.settings.seed)
    broken = answers.broken(indicators, limits or answers.own_thresholds(network, indicators))
    document["broken"] = broken
    if output.settings.json:
        output.say_json(document)
    else:
        answers.say_measures(network, document, by, lost)
    return answers.judged(broken)


app.command()(explain)
app.command()(upgrade)
app.command()(add)
app.command()(stress)
app.command()(plan)
app.command()(compare)
app.command()(track)
app.command()(people)
app.command()(partners)
app.command()(capability)
app.command("plant-line")(plant_line)
app.command()(trade)
app.command()(db)


@app.command()
def report(
    to: Annotated[
        str, typer.Option(help="Files, separated by commas: board.html,board.xlsx.")
    ] = "report.html",
    share: Annotated[str, typer.Option(help="Share lost in the scenarios.")] = "100%",
    duration: Annotated[str, typer.Option("--for", help="How long.")] = "26w",
    recovery: Annotated[str, typer.Option(help="Time back to the whole.")] = "8w",
    hide_names: Annotated[
        bool, typer.Option("--hide-names", help="Suppliers, companies and sites become numbers.")
    ] = False,
) -> int:
    """Write a report: one self-contained page, and a workbook of every table."""
    from withstand import workbench

    targets = workbench.report_targets([x.strip() for x in to.split(",") if x.strip()])
    with output.progress() as progress:
        network = workbench.load(output.settings.project)
        if hide_names:
            network = workbench.with_hidden_names(network, output.settings.project)
        if network.flow_table is not None:
            found = workbench.gather_economy(network, progress=progress)
            files = workbench.write_economy(found, targets)
            document = answers.economy_document(found, files)
        else:
            contents = workbench.gather(
                network, share=share, duration=duration, recovery=recovery, progress=progress
            )
            files = workbench.write_report(contents, targets)
            document = answers.report_document(contents, files)
    if output.settings.json:
        output.say_json(document)
    for file in files:
        output.say(f"Wrote {file}")
    return 0
