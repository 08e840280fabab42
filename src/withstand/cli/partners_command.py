"""The verb partners: which regions, together with home, close the chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import answers, output
from withstand.errors import UsageError


def partners(
    ctx: typer.Context,
    best: Annotated[int, typer.Option(help="Partners in the largest set.", min=1)] = 3,
    candidates: Annotated[
        str, typer.Option(help="Who may be one: CN,JP, or groups north=SE+FI,CN. Default: all.")
    ] = "",
    trade: Annotated[
        list[Path] | None,
        typer.Option(
            help="Files of trade; repeat. Alone: home's imports are the chain. With --project:"
            " who else could supply, and what home can give."
        ),
    ] = None,
    home: Annotated[
        str, typer.Option(help="Home: regions or a bloc. Of trade: who imports, EU27 or DE.")
    ] = "",
    home_in_trade: Annotated[
        str, typer.Option(help="What home is called in the files of trade, with --project.")
    ] = "",
    year: Annotated[int | None, typer.Option(help="Of trade; default: the last.")] = None,
    products: Annotated[
        str, typer.Option(help="Of trade: codes, separated by commas. Default: all.")
    ] = "",
    not_allowed: Annotated[
        str, typer.Option(help="Regions the law rules out, besides those of the tables: RU,BY.")
    ] = "",
    kind: Annotated[str, typer.Option(help="physical, value, or auto.")] = "auto",
    rule: Annotated[
        str,
        typer.Option(
            "--rule",
            "--assume-recipe",
            help="What makers abroad need: nothing known (none), or the same inputs (shared).",
        ),
    ] = "none",
    slack: Annotated[
        str, typer.Option(help="How far suppliers can go above usual: 1.2, or material=1.5,RV=1.1.")
    ] = "1",
    limit: Annotated[
        str, typer.Option(help="What a supplier can give: its share of today, or its capacity.")
    ] = "share",
    reliability: Annotated[
        Path | None,
        typer.Option(help="Table: region, reliability (0 to 1); or governance, or votes."),
    ] = None,
    level: Annotated[
        str, typer.Option(help="Smallest set that reaches this share: 90%. Default: all there is.")
    ] = "",
    samples: Annotated[
        int, typer.Option(help="Orders drawn where there are over twelve candidates.", min=4)
    ] = 200,
    top: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 10,
    to: Annotated[
        str, typer.Option(help="Files, separated by commas: partners.html,partners.xlsx.")
    ] = "",
    fail_on: Annotated[
        str, typer.Option(help="Exit with 5 if broken: coverage<80%, needed>5, expected<50%.")
    ] = "",
) -> int:
    """Say which set of partners closes the chain, and what each contributes."""
    from withstand import workbench

    limits = answers.thresholds(fail_on)
    spare = answers.slack_of(slack)
    targets = workbench.partner_targets(_listed(to))
    asked = workbench.candidates_of(candidates)
    wanted = _level(level)
    is_alone = bool(trade) and not _has_project(ctx)
    _fit(trade, is_alone=is_alone, year=year, products=products, home_in_trade=home_in_trade)
    ours: Any = _listed(home) or None
    there: Any = _listed(home_in_trade) or None
    known = None
    if reliability is not None:
        whose = ours if is_alone else there
        known = workbench.read_reliability(reliability, whose)
    with output.progress() as progress:
        if trade:
            progress("reading trade", 0, 5)
        flows = workbench.read_flows(trade) if trade else None
        if is_alone:
            source: Any = _cube(flows)
            flows = None
            ours = ours[0] if ours and len(ours) == 1 else ours
        else:
            source = workbench.load(output.settings.project)
        found = workbench.find_partners(
            source,
            candidates=asked,
            most=best,
            kind=kind,
            home=ours,
            assume_recipe=rule,
            slack=spare,
            limit=limit,
            reliability=known,
            level=wanted,
            flows=flows,
            flows_name="" if flows is None else getattr(flows, "value_unit", "as in the file"),
            home_in_flows=there,
            year=year,
            products=_listed(products) or None,
            not_allowed=_listed(not_allowed),
            samples=samples,
            seed=output.settings.seed,
            progress=progress,
        )
        files = workbench.write_partners(found, targets)
    broken = answers.broken(dict(workbench.partner_indicators(found)), limits)
    _say(found, files, broken, top)
    return answers.judged(broken)


def _say(found: Any, files: list[Path], broken: list[str], top: int) -> None:
    from withstand.cli import partners_answers

    if output.settings.json:
        document = partners_answers.document(found)
        output.say_json(document | {"files": [str(f) for f in files], "broken": broken})
        return
    partners_answers.say(found, top)
    for file in files:
        output.say(f"Wrote {file}")


def _listed(text: str) -> list[str]:
    return [x.strip() for x in text.split(",") if x.strip()]


def _has_project(ctx: typer.Context) -> bool:
    """Tell whether the user named a project."""
    source = ctx.parent.get_parameter_source("project") if ctx.parent else None
    return source is not None and source.name == "COMMANDLINE"


def _fit(
    trade: list[Path] | None, *, is_alone: bool, year: int | None, products: str, home_in_trade: str
) -> None:
    """Refuse options of trade where there is none, and the other way round."""
    if not is_alone and (year is not None or products):
        raise UsageError("--year and --products go with --trade alone, without --project.")
    if home_in_trade and (not trade or is_alone):
        raise UsageError(
            "--home-in-trade goes with --trade and --project; of trade alone, say --home."
        )


def _cube(flows: Any) -> Any:
    """Return a cube of trade, or say why a plain table is none."""
    from withstand.model.trade_cube import TradeCube

    if not isinstance(flows, TradeCube):
        raise UsageError(
            "This file does not say who imports, so it holds no trade; give it beside a project:"
            " withstand partners --project FOLDER --trade FILE."
        )
    return flows


def _level(text: str) -> float | None:
    """Return a share of `90%` or `.9`; None where nothing is stated.

    Examples
    --------
    >>> _level("90%"), _level("0.5"), _level("")
    (0.9, 0.5, None)
    """
    from withstand.model.units import share_of

    return share_of(text) if text.strip() else None
