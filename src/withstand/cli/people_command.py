"""The verb people: who will be there, who is missing, what limits output, what would mend it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import answers, output, people_answers
from withstand.cli.plan_command import amount_of
from withstand.errors import UsageError

_YEARS = re.compile(r"\s*([0-9]{1,4})\s*(?:[:-]\s*([0-9]{1,4}))?\s*\Z")


def people(
    ctx: typer.Context,
    years: Annotated[
        str, typer.Option(help="Calendar years: 2026:2035. Default: ten from this one.")
    ] = "",
    planned: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            help="Planned output, today is 1: 2, or 2026=1,2029=2 (linear between; 1 in the first"
            " year unless stated); repeat.",
        ),
    ] = None,
    needs: Annotated[
        Path | None, typer.Option(help="Table of needs: occupation, year, people, region.")
    ] = None,
    programmes: Annotated[
        Path | None, typer.Option(help="Table of programmes in place of the project's.")
    ] = None,
    assume_recipe: Annotated[
        str, typer.Option(help="Whose hours count: of all makers (shared), or known ones (none).")
    ] = "shared",
    runs: Annotated[
        int, typer.Option(help="Runs person by person, for ranges (see --seed, --jobs).", min=0)
    ] = 0,
    optimise: Annotated[
        bool, typer.Option("--optimise", "--intake", help="Find the cheapest intake, too.")
    ] = False,
    aim: Annotated[
        str, typer.Option(help="What the intake makes small: cost, redundancy or unmet.")
    ] = "cost",
    unmet_cost: Annotated[
        str, typer.Option(help="Let work stay undone at this cost per person-year: 200k.")
    ] = "",
    place_cost: Annotated[
        str, typer.Option(help="Cost of an entrant where programmes state none: 20k.")
    ] = "",
    top: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 15,
    out: Annotated[
        list[Path] | None, typer.Option(help="Report: people.html, people.xlsx; repeat.")
    ] = None,
    fail_on: Annotated[
        str, typer.Option(help="Exit with 5 if broken: missing>10, needs_met<80%, cost>1000000.")
    ] = "",
) -> int:
    """Say who will be there, who is missing, which occupation limits output, and what mends it."""
    from withstand import workbench
    from withstand.cli import INFEASIBLE

    limits = answers.thresholds(fail_on)
    targets = workbench.people_targets([*(out or [])])
    played = years_of(years)
    path = output_of(planned or [], played)
    _fit(ctx, optimise=optimise)
    network = workbench.load(output.settings.project)
    with output.progress() as progress:
        found = workbench.people(
            network,
            played,
            output=path,
            needs=None if needs is None else workbench.read_table(needs, "needs"),
            programmes=None if programmes is None
            else workbench.read_table(programmes, "programmes"),
            assume_recipe=assume_recipe,
            runs=runs,
            seed=output.settings.seed,
            jobs=output.settings.own_jobs,
            aim=aim if optimise else None,
            unmet_cost=amount_of(unmet_cost, "--unmet-cost") if unmet_cost else None,
            place_cost=amount_of(place_cost, "--place-cost") if place_cost else None,
            progress=progress,
        )  # fmt: skip
        files = workbench.write_people(found, targets)
    broken = answers.broken(_indicators(found), limits)
    if output.settings.json:
        document = people_answers.document(found)
        output.say_json(document | {"files": [str(f) for f in files], "broken": broken})
    else:
        people_answers.say(found, top)
        for file in files:
            output.say(f"Wrote {file}")
    if found.intake is not None and not found.intake.is_found:
        people_answers.say_none(found)
        return INFEASIBLE
    return answers.judged(broken)


def years_of(text: str) -> range | None:
    """Return the years of `2026:2035` or `2026`; None where nothing is stated.

    Examples
    --------
    >>> years_of("2026:2028"), years_of("2026"), years_of("")
    (range(2026, 2029), range(2026, 2027), None)
    """
    if not text.strip():
        return None
    match = _YEARS.match(text)
    if match is None:
        raise UsageError(f"--years '{text[:40]}': write 2026:2035.")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise UsageError(f"--years {text[:40]}: the last year comes before the first.")
    return range(first, last + 1)


def output_of(words: list[str], years: range | None) -> float | dict[int, float] | None:
    """Return planned output as one number, or by year; 1 in the first year unless stated.

    Examples
    --------
    >>> output_of(["2028=2"], range(2026, 2031)), output_of(["1.5"], None), output_of([], None)
    ({2026: 1.0, 2028: 2.0}, 1.5, None)
    """
    parts = [p for word in words for p in word.split(",") if p.strip()]
    if not parts:
        return None
    if len(parts) == 1 and "=" not in parts[0]:
        return _multiple(parts[0], parts[0])
    found: dict[int, float] = {}
    for part in parts:
        year, sign, value = part.partition("=")
        if not sign or not year.strip().isdecimal():
            raise UsageError(f"--output '{part[:40]}': write 2, or 2026=1,2029=2.")
        if int(year) in found:
            raise UsageError(f"--output names {int(year)} twice.")
        found[int(year)] = _multiple(value, part)
    if years is not None and min(found) > years[0]:
        found = {years[0]: 1.0} | found
    return found


def _multiple(text: str, part: str) -> float:
    words = text.strip()
    is_share = words.endswith("%")
    try:
        value = float(words.removesuffix("%")) / (100.0 if is_share else 1.0)
    except ValueError as error:
        raise UsageError(f"--output '{part[:40]}': write 2, or 2026=1,2029=2.") from error
    return value


def _fit(ctx: typer.Context, *, optimise: bool) -> None:
    """Refuse options of an intake where none is looked for."""
    for name in ("aim", "unmet_cost", "place_cost"):
        source = ctx.get_parameter_source(name)
        if not optimise and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"--{name.replace('_', '-')} goes with --optimise.")


def _indicators(found: Any) -> dict[str, float]:
    """Return what a threshold may name.

    missing: most people missing in a year; vacancy_years: people missing, summed over the years;
    needs_met: least share of any occupation's need; cost: of the places of entrants.
    """
    known = {"cost": found.projection.total_cost}
    if found.has_needs:
        gap = found.by_year["gap"]
        known |= {
            "missing": float(gap.max()),
            "vacancy_years": float(gap.sum()),
            "needs_met": float(found.binding["met"].min()),
        }
    if found.intake is not None and found.intake.is_found:
        known |= {
            "intake_cost": found.intake.expected_cost,
            "unmet": found.intake.total("unmet"),
        }
    return known
