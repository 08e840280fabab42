"""How people look: sentences, what limits output, who is short, year by year, the least intake."""

from __future__ import annotations

from typing import Any

from withstand.cli import answers, output


def document(found: Any) -> dict[str, Any]:
    """Return people as JSON values."""
    from withstand.report.people_said import sentences

    p = found.projection
    has_needs = found.has_needs
    return {
        "status": "ok" if found.intake is None or found.intake.is_found else "infeasible",
        "network": found.network.name,
        "summary": sentences(found),
        "years": [found.first, found.last],
        "output": p.output[:-1].tolist(),
        "unit": "persons",
        "by_year": found.by_year,
        "binding": found.binding if has_needs else None,
        "occupations": found.first_gaps if has_needs else None,
        "people": found.supply if has_needs else found.stocks,
        "openings": p.openings(),
        "programmes": p.programmes(),
        "mismatch": p.mismatch() if has_needs else None,
        "cost": p.total_cost,
        "cost_per_vacancy_year": p.cost_per_vacancy_year if has_needs else None,
        "conservation": p.conservation,
        "runs": found.runs,
        "ranges": found.ranges,
        "intake": None if found.intake is None else _intake(found),
        "targets": None if found.attainment is None else found.attainment.to_frame(),
        "findings": [f.to_dict() for f in found.findings],
        "provenance": p.provenance.to_dict() | {"seed": found.seed},
    }


def _intake(found: Any) -> dict[str, Any]:
    from withstand.report.people_said import intake_sentences

    intake = found.intake
    is_found = intake.is_found
    return {
        "status": intake.status,
        "aim": intake.aim,
        "summary": intake_sentences(found, intake),
        "objective": intake.objective if is_found else None,
        "unit": intake.unit,
        "expected_cost": intake.expected_cost if is_found else None,
        "unmet": intake.total("unmet") if is_found else None,
        "entrants": intake.entrants,
        "people": intake.stocks,
        "moves": intake.moves,
        "cost": intake.cost,
        "binding": intake.binding() if is_found else None,
        "conflict": list(intake.conflict),
        "left_out": list(found.intake_left_out),
    }


def say(found: Any, top: int) -> None:
    """Print people: the sentences, the tables."""
    from withstand.report.people_said import sentences

    for sentence in sentences(found):
        output.say(sentence)
    output.say("")
    if found.has_needs:
        _say_short(found, top)
        _say_binding(found)
    _say_years(found)
    if found.ranges is not None:
        _say_ranges(found, top)
    if found.intake is not None and found.intake.is_found:
        _say_intake(found, top)
    if found.findings:
        shown = [f for f in found.findings if f.severity != "error"]
        output.say_findings(answers.grouped(shown), failed=False)


def _say_short(found: Any, top: int) -> None:
    headers = {
        "occupation": "occupation",
        "name": "name",
        "now": "people now",
        "needed": f"needed {found.first}",
        "people_last": f"people {found.last}",
        "needed_last": f"needed {found.last}",
        "largest": "most missing",
        "opens": "short from",
        "closes": "until",
    }
    frame = found.first_gaps
    if not frame["closes"].count():
        del headers["closes"]
    if (frame["name"] == frame["occupation"]).all():
        del headers["name"]
    output.say_table("People and need, persons, largest gap first", frame.head(top), headers)


def _say_binding(found: Any) -> None:
    headers = {
        "year": "year",
        "output": "planned output",
        "name": "limited by",
        "region": "in",
        "people": "people",
        "needed": "needed",
        "met": "of the need",
        "possible": "output they allow",
    }
    if len(found.regions) < 2:
        del headers["region"]
    title = "What limits output in each year (output of today is 100 %)"
    output.say_table(title, found.binding, headers, shares=["output", "met", "possible"])


def _say_years(found: Any) -> None:
    currency = found.network.settings.currency or "currency"
    headers = {
        "year": "year",
        "people": "people",
        "needed": "needed",
        "gap": "missing",
        "openings": "openings",
        "needed_entrants": "joiners needed",
        "entrants": "joiners",
        "begin": "begin training",
        "graduates": "graduates",
        "exits": "exits",
        "cost": f"cost of places ({currency})",
    }
    if not found.has_needs:
        del headers["needed"], headers["gap"]
    if not float(found.by_year["cost"].sum()):
        del headers["cost"]
    output.say_table("All occupations by year, persons", found.by_year, headers)


def _say_ranges(found: Any, top: int) -> None:
    import polars as pl

    last = found.ranges.filter(pl.col("year") == found.last).sort(
        ["mean", "occupation"], descending=[True, False]
    )
    output.say_table(
        f"People in {found.last} by chance, {found.runs} runs, persons",
        last.head(top),
        {
            "occupation": "occupation",
            "mean": "mean",
            "p5": "5 of 100 below",
            "p50": "half below",
            "p95": "95 of 100 below",
        },
    )


def _say_intake(found: Any, top: int) -> None:
    import polars as pl

    from withstand.report.people_said import intake_sentences

    currency = found.network.settings.currency or "currency"
    for sentence in intake_sentences(found, found.intake):
        output.say(sentence)
    output.say("")
    entrants = found.intake.entrants.filter(pl.col("entrants") > 1e-6)
    if entrants.height:
        output.say_table(
            "Who begins training",
            entrants.sort(["year", "entrants"], descending=[False, True]).head(top),
            {
                "year": "year",
                "programme": "programme",
                "entrants": "persons",
                "places": "places",
                "cost": f"cost ({currency})",
            },
        )
        left = entrants.height - top
        if left > 0:
            output.say(f"... and {left} rows more (--top, --json or --out show all)")
            output.say("")
    binding = found.intake.binding()
    if binding.height:
        output.say_table(
            "What holds the intake back",
            binding.head(top),
            {
                "limit": "limit",
                "used": "used",
                "most": "most",
                "unit": "unit",
                "worth": f"one more saves ({found.intake.unit.replace('currency', currency)})",
            },
        )


def say_none(found: Any) -> None:
    """Say why there is no intake; the JSON document says it already."""
    if output.settings.json:
        return
    from withstand.report.people_said import intake_sentences

    said = " ".join(intake_sentences(found, found.intake))
    output.say_error(
        f"No intake meets the needs within the limits. {said}",
        hint="--aim unmet finds the intake that leaves least undone; --unmet-cost 200k lets work"
        " stay undone at a price.",
    )
