"""What is said of people in sentences, with numbers from the results only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.report.headline import Card
from withstand.report.words import clean, listing, money, number, percent, plural

if TYPE_CHECKING:
    from withstand.people.intake_result import Intake
    from withstand.report.people_contents import PeopleContents

FEW = 100.0
"""Below so many persons one decimal is shown, so that half a person does not become none."""
HOW = (
    "People of a year are those at work at the start of its steps, on average. In each step those"
    " who complete their training take up work, some of those at work leave, move or come back,"
    " others arrive, and new entrants begin; everyone is counted in one place only. Numbers are"
    " expected values and need not be whole.",
    "People needed are the hours that the recipes take of each skill at the planned output, over"
    " the hours one person works. Occupations without a skill in the recipes need what their table"
    " states, in proportion to output.",
    "Recipes are proportional: the occupation of which the least share is there limits output to"
    " that share of the plan, whatever the others could do.",
    "Joiners needed are growth of the need, exits and moves to other work, less those who move in"
    " or come back. Coverage is joiners over joiners needed.",
)


def persons(value: float | None) -> str:
    """Return a number of people: whole from a hundred on, else with one decimal.

    Examples
    --------
    >>> persons(1234.5), persons(12.34), persons(0.0)
    ('1,234', '12.3', '0')
    """
    if value is not None and abs(value) < FEW:
        return number(value)
    return number(value, 0)


def title(contents: PeopleContents) -> str:
    """Say which occupation is short first, and how short."""
    if not contents.has_needs:
        return (
            f"{persons(contents.by_year['people'][0])} people in {contents.first},"
            f" {persons(contents.by_year['people'][-1])} in {contents.last}; what is needed is not"
            " known"
        )
    first = _first_short(contents)
    if first is None:
        return f"No occupation is short from {contents.first} to {contents.last}"
    who = _who(contents, first)
    return f"{who} is short first, in {first['year']}: {percent(first['met'])} of the need is met"


def sentences(contents: PeopleContents) -> list[str]:
    """Return what was found, in order of weight."""
    said = [title(contents) + ".", _need_said(contents), _most_said(contents)]
    said += [_training_said(contents), _range_said(contents), _unknown_said(contents)]
    if contents.attainment is not None:
        said += [clean(line) for line in contents.attainment.summary().split("\n")]
    return [s for s in said if s]


def cards(contents: PeopleContents) -> list[Card]:
    """Return the big numbers."""
    frame = contents.by_year
    made = [
        Card(number=persons(contents.now), what=f"people at work at the start of {contents.first}"),
        Card(number=persons(frame["people"][-1]), what=f"in {contents.last}, as planned now"),
    ]
    if contents.has_needs:
        worst = frame.filter(pl.col("year") == contents.worst_year).row(0, named=True)
        made.append(Card(number=persons(worst["gap"]), what=f"missing in {worst['year']}",
                         note=f"of {persons(worst['needed'])} needed"))  # fmt: skip
        first = _first_short(contents)
        if first is not None:
            made.append(
                Card(
                    number=percent(first["met"]),
                    what=f"of the need for {_who(contents, first)} is met in {first['year']}:"
                    " short first",
                )
            )
    return made


def _first_short(contents: PeopleContents) -> dict[str, Any] | None:
    short = contents.binding.filter(pl.col("occupation").is_not_null())
    return short.row(0, named=True) if short.height else None


def _who(contents: PeopleContents, row: dict[str, Any]) -> str:
    who = contents.called(str(row["occupation"]))
    return f"{who} in {clean(row['region'])}" if len(contents.regions) > 1 else who


def _need_said(contents: PeopleContents) -> str:
    """Say how many are missing in the worst year."""
    if not contents.has_needs:
        return (
            "The need of no occupation is known: fill people_needed in occupations, or link them to"
            " skills in the recipes."
        )
    row = contents.by_year.filter(pl.col("year") == contents.worst_year).row(0, named=True)
    if row["gap"] <= 0:
        return f"{persons(row['people'])} people stand against {persons(row['needed'])} needed in" \
            f" {row['year']}."  # fmt: skip
    output = contents.projection.output
    at = row["year"] - contents.first
    planned = "" if abs(output[at] - 1.0) < 1e-9 else (
        f" at {number(output[at], 2)} times the output of today"
    )  # fmt: skip
    return (
        f"Most are missing in {row['year']}: {persons(row['gap'])} of {persons(row['needed'])}"
        f" people needed{planned}."
    )


def _most_said(contents: PeopleContents) -> str:
    """Name the occupations that miss most people."""
    if not contents.has_needs:
        return ""
    worst = contents.first_gaps.filter(pl.col("largest") > 0).head(3)
    if worst.height == 0:
        return ""
    named = [
        f"{contents.called(r['occupation'])} ({persons(r['largest'])})"
        for r in worst.iter_rows(named=True)
    ]
    all_ = contents.first_gaps.filter(pl.col("largest") > 0).height
    short = plural(all_, "occupation is", "occupations are")
    return f"{short} short in some year, by number most: {listing(named)}."


def _training_said(contents: PeopleContents) -> str:
    frame = contents.by_year
    begin, graduates = float(frame["begin"].sum()), float(frame["graduates"].sum())
    wanted = float(frame["needed_entrants"].clip(lower_bound=0.0).sum())
    years = len(frame)
    need = f" {persons(wanted / years)} would have to join in a year, on average." if (
        contents.has_needs and wanted > 0
    ) else ""  # fmt: skip
    if contents.projection.pipeline.n_programmes == 0:
        return "There are no programmes of training." + need
    if begin <= 0 and graduates <= 0:
        return (
            "Nobody enters training, for no programme states seats or planned entrants (intake)."
            + need
        )
    cost = contents.projection.total_cost
    paid = f", for {money(cost, contents.network.settings.currency)}" if cost > 0 else ""
    return (
        f"{persons(begin)} enter training from {contents.first} to {contents.last}{paid};"
        f" {persons(graduates)} complete it by then.{need}"
    )


def _range_said(contents: PeopleContents) -> str:
    if contents.ranges is None:
        return ""
    last = contents.ranges.filter(pl.col("year") == contents.last).with_columns(
        (pl.col("p95") - pl.col("p5")).alias("spread")
    )
    row = last.sort(["spread", "occupation"], descending=[True, False]).row(0, named=True)
    return (
        f"Chance alone leaves {persons(row['p5'])} to {persons(row['p95'])}"
        f" {contents.called(row['occupation'])} in {contents.last}"
        f" ({plural(contents.runs, 'run')} person by person, 9 of 10 lie between)."
    )


def _unknown_said(contents: PeopleContents) -> str:
    if not contents.has_needs:
        return ""
    listed = set(contents.projection.groups["occupation"])
    count = len(listed - set(contents.supply["occupation"]))
    if not count:
        return ""
    who = plural(count, "occupation has", "occupations have")
    return f"{who} no known need, and count in no number of needs here."


# --- the least intake ----------------------------------------------------------------------------


def intake_title(contents: PeopleContents, intake: Intake) -> str:
    """Say what the least intake is and costs."""
    if not intake.is_found:
        return "No intake keeps within the limits"
    entrants = float(intake.entrants["entrants"].sum())
    recruits = intake.total("recruits")
    done = [f"{persons(entrants)} enter training"] * (entrants > 1e-6)
    done += [f"{persons(recruits)} are recruited"] * (recruits > 1e-6)
    what = listing(done) if done else "nobody has to be taken in"
    missing = intake.total("unmet")
    rest = f", and {persons(missing)} person-years stay undone" if missing > 1e-6 else ""
    return f"In the {AIMS[intake.aim]} {what}{rest}"


AIMS = {
    "cost": "cheapest intake",
    "redundancy": "intake with the fewest redundancies",
    "unmet": "intake that leaves least undone",
}


def intake_sentences(contents: PeopleContents, intake: Intake) -> list[str]:
    """Return what an intake does, costs, and is held back by."""
    currency = clean(contents.network.settings.currency) or "currency"
    if not intake.is_found:
        errors = [clean(f.what) for f in intake.findings if f.severity == "error"]
        return [f"{x[:1].upper()}{x[1:]}." for x in errors]
    lines = intake.explain().split("\n")
    said = [intake_title(contents, intake) + ".", _cost_said(intake, currency)]
    said += [clean(x).replace(" currency)", f" {currency})") for x in lines
             if x.startswith(("Held back", "At their limit", "Some limits"))]  # fmt: skip
    undone = intake.unmet
    if undone.height:
        last = int(undone["year"].max())  # type: ignore[arg-type]
        worst = undone.group_by("occupation").agg(pl.col("unmet").sum()).sort(
            ["unmet", "occupation"], descending=[True, False]
        )  # fmt: skip
        named = [f"{contents.called(o)} ({persons(x)} person-years)"
                 for o, x in worst.head(3).iter_rows()]  # fmt: skip
        said.append(f"Work stays undone up to {last}, most of {listing(named)}.")
    said.append(
        "Who is there at the end of a year is taken to work all of it, so that the plan stands one"
        " year's exits ahead of the projection."
    )
    if contents.intake_left_out:
        said.append(f"The intake leaves out {listing(contents.intake_left_out)}.")
    return [s for s in said if s]


def _cost_said(intake: Intake, currency: str) -> str:
    by_kind = intake.cost.group_by("kind", maintain_order=True).agg(pl.col("present_value").sum())
    parts = [
        f"{money(x, currency)} for {STAFF if kind == 'staff' else clean(kind)}"
        for kind, x in by_kind.iter_rows()
        if x > 0.5
    ]
    if not parts:
        return "It costs nothing, for the tables state no costs (cost of programmes, wage)."
    said = f"It costs {money(intake.expected_cost, currency)}"
    kinds = listing(parts)
    free = "" if "training" in by_kind.filter(pl.col("present_value") > 0.5)["kind"] else (
        " Training counts as free, for no programme states a cost."
    )  # fmt: skip
    return f"{said}, of which {kinds}.{free}" if len(parts) > 1 else f"{said}: {kinds}.{free}"


STAFF = "wages of all on the books"
