"""The use cases: load, check, measure, stress, report. Called by every door, holds no formula."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from withstand import examples, measures, readers, stress
from withstand.errors import DataError, UsageError
from withstand.model.scenario import TARGETS, Scenario, Shock
from withstand.model.scenario_files import read_scenarios
from withstand.model.scenario_sets import draw_years, every
from withstand.model.units import periods_of, share_of
from withstand.readers.atomic import replace_folder, write_atomic
from withstand.readers.hazards import read_hazards
from withstand.stress.cascade_arrays import prepare
from withstand.stress.ensembles import resume
from withstand.stress.rules import rules_of, with_rules
from withstand.stress.run_folders import read_plan

if TYPE_CHECKING:
    from withstand.measures import Exposure
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork
    from withstand.people.people_needed import OutputPath
    from withstand.plan import Plan
    from withstand.plants.line_tables import LineTable
    from withstand.report.contents import Contents
    from withstand.report.economy_page import EconomyContents
    from withstand.report.line_contents import LineContents
    from withstand.report.people_contents import PeopleContents
    from withstand.report.plan_contents import PlanContents
    from withstand.stress import Bracket, Cascade, Ensemble, Response, Simulation, SystemicRisk
    from withstand.stress.rules import Rules

Progress = Callable[[str, int, int], None]
"""Called with the stage, steps done and steps in all."""

DEFAULT_SHARE = 1.0
DEFAULT_DURATION = "26w"
DEFAULT_RECOVERY = "8w"
MOST_RUNS = 6
REPORT_ENDINGS = (".html", ".xlsx")


def silent(stage: str, done: int, total: int) -> None:
    """Show no progress."""


def load(path: str | os.PathLike[str]) -> ProductionNetwork:
    """Return the network of a project folder, a workbook, or `example:NAME`."""
    text = os.fspath(path)
    if text.startswith("example:"):
        return examples.example(text.removeprefix("example:"))
    return readers.read_folder(path)


def check(path: str | os.PathLike[str]) -> tuple[ProductionNetwork | None, tuple[Finding, ...]]:
    """Return the network (None where it has errors) and every finding."""
    try:
        network = load(path)
    except DataError as error:
        return None, error.findings
    return network, network.findings


def new_project(
    path: str | os.PathLike[str],
    *,
    lens: str = "plant",
    example: str | None = None,
    name: str | None = None,
) -> Path:
    """Make a project folder: a copy of an example, or the tables of a tiny network to replace."""
    folder = _new_folder(path)
    blank = examples.tiny if lens == "plant" else examples.tiny_firms
    network = examples.example(example) if example else blank()
    called = name or (network.name if example else folder.name)
    settings = replace(
        network.settings, name=called, lens=network.settings.lens if example else lens
    )
    return readers.write_folder(replace(network, settings=settings), folder)


def new_economy(
    path: str | os.PathLike[str],
    table: str | os.PathLike[str],
    *,
    layout: str | None = None,
    year: int | None = None,
    home: str | None = None,
    accounts: str | os.PathLike[str] | None = None,
    name: str | None = None,
) -> ProductionNetwork:
    """Make a project folder of an input-output table, and return its economy.

    Arguments as in `withstand.read_mrio`.

    Raises
    ------
    UsageError
        If the folder is there already and not empty.
    DataError
        With every fault of the table.
    """
    folder = _new_folder(path)
    network = readers.read_mrio(table, layout, year=year, home=home, accounts=accounts)
    if name is not None:
        network = replace(network, settings=replace(network.settings, name=name))
    readers.write_folder(network, folder)
    return network


def _new_folder(path: str | os.PathLike[str]) -> Path:
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and not empty; name a new folder.")
    return folder


def write_template(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write the input workbook: a read-me sheet, drop-downs, example rows.

    Raises
    ------
    UsageError
        If the file is there already and `force` is not set, or its name does not end in .xlsx.
    """
    from withstand.readers.template import template_bytes

    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise UsageError(f"{target.name}: a template is a workbook; end its name in .xlsx.")
    if target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file, or use --force.")
    write_atomic(target, template_bytes())
    return target


def lossable(network: ProductionNetwork) -> list[str]:
    """Return the regions outside home that make something."""
    used = sorted({int(r) for r in network.node_region} - {*network.is_home.nonzero()[0].tolist()})
    return [str(network.region_labels[r]) for r in used]


def scenario_of(
    lose: str, *, share: float | str, start: str, duration: str, recovery: str
) -> Scenario:
    """Return the scenario of `region:JP` or `region:JP+product:RV` (both must hold).

    Raises
    ------
    UsageError
        If the text is not of this form.
    """
    targets: dict[str, str] = {}
    for part in lose.split("+"):
        kind, colon, label = part.partition(":")
        if not colon or kind.strip() not in TARGETS or not label.strip():
            raise UsageError(
                f"'{part[:60]}' is not a target. Write one of "
                f"{', '.join(TARGETS)}, a colon and the label: region:JP."
            )
        targets[kind.strip()] = label.strip()
    shock = Shock(
        **targets,
        share=share_of(share),
        start=_time(start),
        duration=_time(duration),
        recovery=_time(recovery),
    )
    return Scenario(name=shock.title(), shocks=(shock,))


def _time(text: str) -> str | float:
    """Return a duration; a bare number is a number of periods."""
    duration = float(text) if text.replace(".", "", 1).isdigit() else text
    periods_of(duration, "week")
    return duration


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


def scenarios_of(
    paths: Sequence[str | os.PathLike[str]], network: ProductionNetwork
) -> list[Scenario]:
    """Return the scenarios of TOML files, and of every TOML file in folders, by name."""
    return read_scenarios(paths, network)


def each_of(
    network: ProductionNetwork,
    what: str,
    *,
    share: float | str = DEFAULT_SHARE,
    start: str = "0",
    duration: str = DEFAULT_DURATION,
    recovery: str = "0",
) -> list[Scenario]:
    """Return the loss of each of nodes, regions or products in turn, or of region_pairs.

    Raises
    ------
    UsageError
        If there is no such set, or nothing in it.
    """
    scenarios = every(
        network,
        what,
        share=share_of(share),
        start=_time(start),
        duration=_time(duration),
        recovery=_time(recovery),
    )
    if not scenarios:
        raise UsageError(
            f"There are no {what.replace('_', ' ')} to lose: "
            + ("all nodes are at home." if "region" in what else "nothing is made.")
        )
    return scenarios


def without_time(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return scenarios of one shock each, or of one pair, named without their duration."""
    return [replace(s, name=s.name.rpartition(" for ")[0] or s.name) for s in scenarios]


def years_of(
    network: ProductionNetwork, path: str | os.PathLike[str], samples: int, seed: int
) -> tuple[list[Scenario], tuple[Finding, ...]]:
    """Draw years from a file of hazards; return them, and what is worth knowing of the file."""
    hazards, findings = read_hazards(path, network)
    return draw_years(hazards, samples, period=network.settings.period, seed=seed), findings


def play_many(
    network: ProductionNetwork,
    scenarios: Sequence[Scenario],
    *,
    engine: str = "simulate",
    rules: str | None = None,
    periods: int | None = None,
    jobs: int | None = None,
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
    jobs: int | None = None,
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
    jobs: int | None = None,
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
            duration=_time(duration),
            recovery=_time(recovery),
        )
        runs.append(stress.simulate(network, scenario, periods=periods))
    progress("playing the loss of regions", len(regions), len(regions))
    return sorted(runs, key=lambda r: (-r.loss_in_periods, r.scenario.name))


def gather(
    network: ProductionNetwork,
    *,
    share: float | str = DEFAULT_SHARE,
    duration: str = DEFAULT_DURATION,
    recovery: str = DEFAULT_RECOVERY,
    losses: Ensemble | None = None,
    progress: Progress = silent,
) -> Contents:
    """Compute everything a report shows; of large networks the largest parts, and say so.

    Parameters
    ----------
    network : ProductionNetwork
    share, duration, recovery
        Of the loss of each region that is played.
    losses : Ensemble, optional
        A set of scenarios played before, whose losses the report shows; default: the loss of every
        region on its own, all equally likely.
    progress : callable, optional
        Called with the stage, steps done, steps in all.

    Raises
    ------
    UsageError
        If the network has one region only, so that none can be lost, or is too large for a report.
    """
    from withstand.report import gathering
    from withstand.report.contents import Contents
    from withstand.report.people_gathering import people_of_report

    steps = 8
    made_at = _now()
    gathering.check_size(network)
    regions, left_out = gathering.regions_to_lose(network)
    is_large = gathering.is_large(network)
    progress("measuring exposure", 0, steps)
    exposure = _exposure(network)
    progress("measuring concentration", 1, steps)
    concentration = measures.concentration(network)
    functional = concentration
    if not is_large:
        functional = measures.concentration(network, look_through="functional")
    progress("losing each region", 2, steps)
    by_none = measures.coverage_by_region(network, regions)
    if by_none.height == 0:
        raise UsageError("All nodes are at home: a report needs a region that can be lost.")
    progress("losing each region, recipes shared", 3, steps)
    by_shared = by_none
    if not is_large:
        by_shared = measures.coverage_by_region(network, regions, assume_recipe="shared")
    by_region = by_none.select(
        "region", "name", none="feasible_output", binding_none="binding"
    ).join(
        by_shared.select("region", shared="feasible_output", binding_shared="binding"),
        on="region",
        how="left",
        maintain_order="left",
    )
    worst = str(by_region["region"][0])
    progress("covering without the worst region", 4, steps)
    whole = measures.coverage(network)
    without = measures.coverage(network, [worst])
    without_shared = without if is_large else measures.coverage(network, [worst], "shared")
    progress("playing the loss of regions", 5, steps)
    critical = by_region.sort(["none", "region"])["region"].to_list()[:MOST_RUNS]
    runs = region_losses(network, critical, share=share, duration=duration, recovery=recovery)
    progress("playing the worst again, recipes shared", 6, steps)
    shared_run = stress.simulate(network.under_rule("shared"), runs[0].scenario)
    progress("ranking failures", 7, steps)
    stressed = gathering.gather_stress(network, runs, duration=duration, losses=losses)
    people, why_none = people_of_report(network, made_at)
    progress("done", steps, steps)
    return Contents(
        network=network,
        exposure=exposure,
        concentration=concentration,
        functional=functional,
        losses=by_region,
        whole=whole,
        without_worst=without,
        without_worst_shared=without_shared,
        worst_region=worst,
        runs=tuple(runs),
        shared_run=shared_run,
        made_at=made_at,
        stress=stressed,
        people=people,
        left_out=(*gathering.left_out_of(network, left_out), *why_none),
    )


def _now() -> str:
    """Return date and time as reports show them."""
    return datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")


def _exposure(network: ProductionNetwork) -> Exposure | None:
    """Return the exposure, or None where no final product has a price."""
    try:
        return measures.exposure(network)
    except UsageError:
        return None


def report_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a report, .html or .xlsx.

    Raises
    ------
    UsageError
        If there is none, or one has another ending.
    """
    targets = [Path(p) for p in paths]
    if not targets:
        raise UsageError("No file is named; write for instance --to board.html,board.xlsx.")
    for target in targets:
        if target.suffix.lower() not in REPORT_ENDINGS:
            raise UsageError(f"{target.name}: a report ends in {' or '.join(REPORT_ENDINGS)}.")
    return targets


def write_report(contents: Contents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write the report to each path: .html a page, .xlsx a workbook of every table."""
    from withstand.report.page import page
    from withstand.report.workbook import workbook

    makers = dict(zip(REPORT_ENDINGS, (page, workbook), strict=True))
    targets = report_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets


def gather_economy(network: ProductionNetwork, *, progress: Progress = silent) -> EconomyContents:
    """Compute everything that the report of an economy shows."""
    from withstand.report.economy_page import gather_economy as gather_all

    return gather_all(network, progress=progress)


def write_economy(contents: EconomyContents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write the report of an economy to each path: .html a page, .xlsx a workbook."""
    from withstand.report.economy_page import economy_page, economy_workbook

    makers = dict(zip(REPORT_ENDINGS, (economy_page, economy_workbook), strict=True))
    targets = report_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets


NO_OPTIONS = (
    "There are no options to choose from. Write them in tables/options.csv (option, name, kind, "
    "cost_once, ready_periods) and what each does in tables/option_effects.csv (option, effect, "
    "product, amount, unit). For instance M1,More steel,stockpile,20000,4 and "
    "M1,add_stock,STEEL,8,weeks. The sheets options and option_effects of "
    "withstand template show every column."
)
PLAN_ENDINGS = (".html", ".xlsx", ".json")


def plan(
    network: ProductionNetwork,
    scenarios: Sequence[Scenario],
    *,
    budget: float | Sequence[float] | None = None,
    horizon: int = 5,
    onsets: Sequence[float] | None = None,
    aim: str = "value",
    loss_limit: float = math.inf,
    risk_weight: float = 0.0,
    alpha: float = 0.9,
    discount: float = 0.0,
    started: Mapping[str, float] | None = None,
    gap: float = 0.005,
    step: int | None = None,
    periods: int | None = None,
    candidates: int = 1,
    jobs: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> Plan:
    """Choose among the options of a network's tables; arguments as in `withstand.plan.solve`.

    Raises
    ------
    UsageError
        If the tables hold no options (and how to write them), or a number is not possible.
    OptionError
        With every fault of the options.
    """
    from withstand.model.option import read_options
    from withstand.plan import Risk, solve

    options = read_options(network)
    if not options:
        raise UsageError(NO_OPTIONS)
    return solve(
        network,
        options,
        scenarios,
        budget=budget,
        risk=Risk(weight=risk_weight, alpha=alpha),
        loss_limit=loss_limit,
        aim=aim,
        horizon=horizon,
        onsets=onsets,
        discount=discount,
        started=started,
        periods=periods,
        step=step,
        gap=gap,
        candidates=candidates,
        jobs=_workers(jobs),
        seed=seed,
        progress=progress,
    )


def gather_plan(
    found: Plan,
    *,
    is_verified: bool = True,
    n_budgets: int = 0,
    n_alternatives: int = 0,
    jobs: int = 1,
    progress: Progress = silent,
) -> PlanContents:
    """Ask a plan the next questions: does it help, what earns where, what would money buy."""
    from withstand.report import plan_gathering

    return plan_gathering.gather_plan(
        found,
        is_verified=is_verified,
        n_budgets=n_budgets,
        n_alternatives=n_alternatives,
        jobs=_workers(jobs),
        progress=progress,
    )


def _workers(jobs: int) -> int:
    """Return the number of threads; -1 stands for one a core."""
    if jobs == -1:
        return os.cpu_count() or 1
    if jobs < 1:
        raise UsageError(f"jobs must be at least 1 (or -1 for one a core), not {jobs}.")
    return jobs


def plan_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a plan's report, .html, .xlsx or .json; there may be none.

    Raises
    ------
    UsageError
        If one has another ending.
    """
    targets = [Path(p) for p in paths]
    for target in targets:
        if target.suffix.lower() not in PLAN_ENDINGS:
            raise UsageError(f"{target.name}: a plan ends in {', '.join(PLAN_ENDINGS)}.")
    return targets


def write_plan(contents: PlanContents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write a plan to each path: .html a page, .xlsx a workbook of every table, .json its data."""
    from withstand.report.plan_page import plan_json, plan_page, plan_workbook

    makers = dict(zip(PLAN_ENDINGS, (plan_page, plan_workbook, plan_json), strict=True))
    targets = plan_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets


def read_line(path: str | os.PathLike[str]) -> LineTable:
    """Return the machines of a production line from a file: CSV, XLSX, Parquet or TOML.

    Raises
    ------
    DataError
        With every fault in the file.
    """
    from withstand.model.findings import has_errors, listed, make_finding, shorten
    from withstand.plants.line_tables import LINE, line_of, read_line_toml
    from withstand.readers.files import SUFFIXES, read_file

    file = Path(path)
    suffix = file.suffix.lower()
    if suffix == ".toml":
        return line_of(*read_line_toml(file))
    if file.exists() and suffix not in SUFFIXES:
        what = f"a table of machines ends in {', '.join(SUFFIXES)} or .toml, not in '{suffix}'"
        raise DataError([make_finding("E113", what, value=shorten(file.name))])
    tables, findings = read_file(file)
    if has_errors(findings):
        raise DataError(findings)
    named = [t for t in tables if t.name.strip().casefold() == LINE.name]
    chosen = tables if len(tables) == 1 else named
    if not chosen:
        what = f"the workbook needs a sheet 'line'; there are: {listed([t.name for t in tables])}"
        raise DataError([*findings, make_finding("E119", what, value=shorten(file.name))])
    table = line_of(chosen[0].frame, chosen[0].origin)
    return replace(table, findings=(*findings, *table.findings))


def work_out_line(
    table: LineTable,
    *,
    name: str = "line",
    method: str = "auto",
    cycles: int = 1_000_000,
    runs: int = 1,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress = silent,
) -> LineContents:
    """Work out a line, and what one change more of each kind would add."""
    from withstand.plants.line_tables import how_found, machine_frame
    from withstand.report.line_contents import LineContents

    progress("working out the line", 0, 2)
    made = table.work_out(method, seed=seed, simulated_cycles=cycles, runs=runs, jobs=jobs)
    progress("trying changes", 1, 2)
    return LineContents(
        name=name,
        line=made,
        machines=machine_frame(table, made),
        helps=made.what_helps(),
        how=how_found(made, cycles, runs),
        seed=seed,
        made_at=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        findings=table.findings,
    )


def line_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a line's report, .html or .xlsx; there may be none."""
    return report_targets(paths) if paths else []


def write_line(contents: LineContents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write the report of a line to each path: .html a page, .xlsx a workbook."""
    from withstand.report.plant_page import line_page, line_workbook

    makers = dict(zip(REPORT_ENDINGS, (line_page, line_workbook), strict=True))
    targets = line_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets


def write_line_template(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write an example table of machines to fill.

    Raises
    ------
    UsageError
        If the file is there already and `force` is not set, or its name does not end in .csv.
    """
    from withstand.plants.line_tables import EXAMPLE

    target = Path(path)
    if target.suffix.lower() != ".csv":
        raise UsageError(f"{target.name}: the table is a text file; end its name in .csv.")
    if target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file, or use --force.")
    write_atomic(target, EXAMPLE.encode("utf-8"))
    return target


NO_OCCUPATIONS = (
    "There are no occupations, so nothing can be said of people. Write them in"
    " tables/occupations.csv (occupation, people, exit_rate, and people_needed; or, for a skill in"
    " the recipes, its product and hours_per_period) and their training in tables/programmes.csv"
    " (programme, occupation, duration, completion, seats, cost). For instance"
    " GRINDER,33,0.06,37 and APPRENTICES,GRINDER,182,0.7,12,20000. The sheets occupations, people,"
    " transfers, programmes, intakes and placements of withstand template show every column."
)


def people(
    network: ProductionNetwork,
    years: Sequence[int] | None = None,
    *,
    output: OutputPath = None,
    needs: pl.DataFrame | None = None,
    programmes: pl.DataFrame | None = None,
    assume_recipe: str = "shared",
    runs: int = 0,
    seed: int = 0,
    jobs: int = 1,
    aim: str | None = None,
    unmet_cost: float | None = None,
    place_cost: float | None = None,
    progress: Progress = silent,
) -> PeopleContents:
    """Say who will be there and who is missing; arguments as in `people_gathering.gather_people`.

    Raises
    ------
    UsageError
        If the network lists no occupations (and how to write them), or a number is not possible.
    DataError
        With every fault of the tables.
    """
    from withstand.report.people_gathering import YEARS, gather_people, has_people

    if not has_people(network):
        raise UsageError(NO_OCCUPATIONS)
    if years is None:
        first = int(_now()[:4])
        years = range(first, first + YEARS)
    return gather_people(
        network,
        years,
        made_at=_now(),
        output=output,
        needs=needs,
        programmes=programmes,
        assume_recipe=assume_recipe,
        runs=runs,
        seed=seed,
        jobs=jobs,
        aim=aim,
        unmet_cost=unmet_cost,
        place_cost=place_cost,
        progress=progress,
    )


def read_table(path: str | os.PathLike[str], name: str) -> pl.DataFrame:
    """Return a table from a file: CSV, Parquet, or the sheet of that name of a workbook.

    Raises
    ------
    DataError
        If it cannot be read, or the workbook has no such sheet.
    """
    from withstand.model.findings import has_errors, listed, make_finding, shorten
    from withstand.readers.files import SUFFIXES, read_file

    file = Path(path)
    if file.exists() and file.suffix.lower() not in SUFFIXES:
        what = f"a table ends in {', '.join(SUFFIXES)}, not in '{file.suffix.lower()}'"
        raise DataError([make_finding("E113", what, value=shorten(file.name))])
    tables, findings = read_file(file)
    if has_errors(findings):
        raise DataError(findings)
    named = [t for t in tables if t.name.strip().casefold() == name]
    chosen = tables if len(tables) == 1 else named
    if not chosen:
        what = f"the workbook needs a sheet '{name}'; there are: {listed([t.name for t in tables])}"
        raise DataError([*findings, make_finding("E119", what, value=shorten(file.name))])
    return chosen[0].frame


def people_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a report of people, .html or .xlsx; there may be none."""
    return report_targets(paths) if paths else []


def write_people(contents: PeopleContents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write the report of people to each path: .html a page, .xlsx a workbook."""
    from withstand.report.people_page import people_page, people_workbook

    makers = dict(zip(REPORT_ENDINGS, (people_page, people_workbook), strict=True))
    targets = people_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets
