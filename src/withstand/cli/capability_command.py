"""The verb capability: what places can do, how hard products are, and what is within reach."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import output
from withstand.errors import UsageError


def capability(
    file: Annotated[
        Path, typer.Argument(help="Table of places and products: exports, output, employment.")
    ],
    home: Annotated[str, typer.Option(help="The place to look at: Germany, DE, TX.")] = "",
    convention: Annotated[
        str, typer.Option(help="How vectors become indices: stata, ecomplexity, atlas, textbook.")
    ] = "stata",
    threshold: Annotated[float, typer.Option(help="A place has a product from this RCA on.")] = 1.0,
    ranks: Annotated[
        bool, typer.Option("--ranks", help="Draw between which ranks places and products move.")
    ] = False,
    draws: Annotated[int, typer.Option(help="Draws for --ranks.", min=1)] = 200,
    against: Annotated[
        str,
        typer.Option(help="Project whose purchases are to be made at home: example:robot_maker."),
    ] = "",
    names: Annotated[
        Path | None, typer.Option(help="Table of names: label of the product, name.")
    ] = None,
    place: Annotated[str, typer.Option(help="Column of the place.")] = "",
    product: Annotated[str, typer.Option(help="Column of the product or industry.")] = "",
    value: Annotated[str, typer.Option(help="Column of the value.")] = "",
    year: Annotated[int | None, typer.Option(help="Of several; default: the last.")] = None,
    regional: Annotated[
        bool,
        typer.Option(
            "--regional", help="Regions and industries: location quotients, related density."
        ),
    ] = False,
    total: Annotated[
        str, typer.Option(help="Label of the rows that hold the total of a region: 000000.")
    ] = "",
    whole: Annotated[
        str, typer.Option(help="Label of the rows that hold the whole, such as the nation.")
    ] = "",
    top: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 10,
    to: Annotated[
        str, typer.Option(help="Files, separated by commas: capability.html,capability.xlsx.")
    ] = "",
) -> int:
    """Say what places can do, how hard products are, and what home could learn to make."""
    from withstand import workbench
    from withstand.cli import FINE

    targets = workbench.capability_targets([x.strip() for x in to.split(",") if x.strip()])
    if against and not home:
        raise UsageError("--against asks what home could make itself; say --home too.")
    with output.progress() as progress:
        progress("reading the table", 0, 4)
        table = workbench.read_capability(
            file, place=place, product=product, value=value, year=year
        )
        found = workbench.find_capability(
            table,
            convention=convention,
            threshold=threshold,
            home=home or None,
            names=None if names is None else workbench.read_names(names),
            has_ranks=ranks,
            draws=draws,
            against=workbench.load(against) if against else None,
            is_regional=True if regional else None,
            total=total or None,
            whole=whole or None,
            seed=output.settings.seed,
            progress=progress,
        )
        files = workbench.write_capability(found, targets)
    _say(found, files, top)
    return FINE


def _say(found: Any, files: list[Path], top: int) -> None:
    from withstand.cli import capability_answers

    if output.settings.json:
        document = capability_answers.document(found)
        output.say_json(document | {"files": [str(f) for f in files]})
        return
    capability_answers.say(found, top)
    for file in files:
        output.say(f"Wrote {file}")
