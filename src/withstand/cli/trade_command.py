"""The verb trade: which products a bloc depends on others for, by whose rules, how surely."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import answers, output, trade_answers
from withstand.cli.people_command import years_of
from withstand.errors import UsageError


def trade(
    files: Annotated[
        list[Path], typer.Argument(help="Trade flows: CSV or Parquet, BACI, Comtrade or our names.")
    ],
    bloc: Annotated[str, typer.Option(help="For whom: EU27, EU, DE, EU27+CH ...")] = "EU27",
    years: Annotated[str, typer.Option(help="Years: 2019-2022. Default: the last five.")] = "",
    preset: Annotated[
        list[str] | None,
        typer.Option(help="Screens: ec_2021,geodep_2024, or own.toml; the first leads. Or all."),
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Only these codes, or codes that begin so: 2602,81.")
    ] = None,
    top: Annotated[int, typer.Option(help="Products to show.", min=1)] = 15,
    exports: Annotated[
        str, typer.Option(help="Divide imports by all exports (total), or those outside (extra).")
    ] = "total",
    measure: Annotated[str, typer.Option(help="Count by value or quantity.")] = "value",
    minimum: Annotated[
        float, typer.Option(help="Flag nothing with smaller imports (unit of the data).", min=0)
    ] = 0.0,
    error: Annotated[
        str, typer.Option(help="Spread of errors in reports; 0 leaves chances out.")
    ] = "20%",
    draws: Annotated[int, typer.Option(help="Draws of errors (see --seed).", min=0)] = 200,
    names: Annotated[
        Path | None, typer.Option(help="Names of products: product, name (or code, description).")
    ] = None,
    codes: Annotated[
        Path | None, typer.Option(help="Country codes of the data: country_code, country_iso2.")
    ] = None,
    flows: Annotated[
        str, typer.Option(help="Of Comtrade: what importers (imports) or exporters declare.")
    ] = "imports",
    vintage: Annotated[str, typer.Option(help="Vintage of the codes: HS92 ... HS22.")] = "",
    source: Annotated[
        str, typer.Option(help="Where the data are from and their terms, for the report.")
    ] = "",
    production: Annotated[
        Path | None, typer.Option(help="Production: material, region, year, production.")
    ] = None,
    governance: Annotated[
        Path | None, typer.Option(help="Governance: region, value, and if there year.")
    ] = None,
    governance_scale: Annotated[
        str, typer.Option(help="wgi (2.5 is good to -2.5) or 0-10 (10 is bad).")
    ] = "wgi",
    materials: Annotated[
        Path | None,
        typer.Option(help="Materials: material, product, recycling, import_reliance ..."),
    ] = None,
    uses: Annotated[
        Path | None, typer.Option(help="Uses of materials: material, share, value_added.")
    ] = None,
    sigma: Annotated[
        str, typer.Option(help="Elasticity after a year: a number, or a table product, sigma.")
    ] = "",
    stock_days: Annotated[float, typer.Option(help="Stocks, days of use.", min=0)] = 0.0,
    starts: Annotated[
        float, typer.Option(help="Days until others begin to deliver.", min=0)
    ] = 30.0,
    ramp: Annotated[float, typer.Option(help="Days from then to all of it.", min=0)] = 90.0,
    against: Annotated[
        str, typer.Option(help="A project: what it buys of this, by the code hs of its products.")
    ] = "",
    to: Annotated[str, typer.Option("--to", help="Report: trade.html,trade.xlsx.")] = "",
    fail_on: Annotated[
        str, typer.Option(help="Exit with 5 if broken: flagged>10, entered>0, flagged_share>20%.")
    ] = "",
) -> int:
    """Say which products a bloc depends on others for, how surely, and who supplies them."""
    from withstand import workbench
    from withstand.measures.substitutions import Rerouting

    limits = answers.thresholds(fail_on)
    targets = workbench.trade_targets(_parts([to]))
    played = years_of(years)
    screens = workbench.screens_of(_parts(preset or []))
    spread = _spread(error)
    network = workbench.load(against) if against else None
    with output.progress() as progress:
        progress("reading trade", 0, 1)
        cube = workbench.read_cube(
            files,
            years=played,
            window=max(p.window for p in screens),
            products=_parts(product or []),
            codes=codes,
            vintage=vintage or None,
            flows=flows,
        )
        found = workbench.screen_trade(
            cube,
            bloc,
            presets=screens,
            years=played,
            top=top,
            exports=exports,
            measure=measure,
            minimum=minimum,
            spread=spread,
            draws=draws,
            seed=output.settings.seed,
            names=names,
            source=source,
            production=production,
            governance=governance,
            governance_scale=governance_scale,
            materials=materials,
            uses=uses,
            sigma=sigma,
            rerouting=Rerouting(stock_days=stock_days, starts=starts, ramp=ramp),
            against=network,
            progress=progress,
        )
        written = workbench.write_trade(found, targets)
    broken = answers.broken(_indicators(found), limits)
    if output.settings.json:
        document = trade_answers.document(found)
        output.say_json(document | {"files": [str(f) for f in written], "broken": broken})
    else:
        trade_answers.say(found, top)
        for file in written:
            output.say(f"Wrote {file}")
    return answers.judged(broken)


def _parts(words: list[str]) -> list[str]:
    """Return what stands between commas."""
    return [part.strip() for word in words for part in word.split(",") if part.strip()]


def _spread(text: str) -> float:
    """Return the spread of errors from `20%` or `0.2`."""
    words = text.strip()
    try:
        value = float(words.removesuffix("%")) / (100.0 if words.endswith("%") else 1.0)
    except ValueError as error:
        raise UsageError(f"--error '{text[:40]}': write 20%, or 0 for none.") from error
    if not 0 <= value < 5:
        raise UsageError(f"--error {text[:40]} must be between 0 and 500%.")
    return value


def _indicators(found: Any) -> dict[str, float]:
    """Return what a threshold may name.

    flagged: products that the leading screen flags in the last year; flagged_share: of the value of
    imports; flagged_by_any, flagged_by_all: screens; entered, left: since the year before;
    share_left: of the list; sure: flagged with a chance of 95 % or more; critical: materials.
    """
    from withstand.report.trade_said import SURE

    ranked, flags = found.ranked, found.ranked["flags"]
    known = {
        "flagged": float(len(found.flagged)),
        "flagged_share": found.flagged_share,
        "flagged_by_any": float((flags > 0).sum()),
        "flagged_by_all": float((flags == len(found.screens.presets)).sum()),
    }
    if found.screens.error is not None:
        known["sure"] = float((ranked["probability"] >= SURE).sum())
    last = found.counts.row(len(found.screens.years) - 1, named=True)
    for name in ("entered", "left", "share_left"):
        if last[name] is not None:
            known[name] = float(last[name])
    if found.risk is not None:
        known["critical"] = float(found.risk.to_frame()["critical"].fill_null(value=False).sum())
    return known
