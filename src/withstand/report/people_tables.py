"""The tables of people, for page and workbook alike: persons, years, money with its currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.finding_codes import CODES
from withstand.report.tables import Column, Table, make_table

if TYPE_CHECKING:
    from withstand.report.people_contents import PeopleContents
    from withstand.report.tables import Spec

_P = "persons"
_OCCUPATION = {"name": ("Occupation", "text", ""), "occupation": ("Label", "text", "")}


def shortage_table(contents: PeopleContents) -> Table | None:
    """Return when each occupation is short, the largest gap first."""
    if not contents.has_needs:
        return None
    first, last = contents.first, contents.last
    return make_table(
        "People short",
        "Each occupation against its need, the largest gap first; all regions together.",
        contents.first_gaps,
        {
            **_OCCUPATION,
            "now": ("People now", "number", _P),
            "people": (f"People in {first}", "number", _P),
            "needed": (f"Needed in {first}", "number", _P),
            "people_last": (f"People in {last}", "number", _P),
            "needed_last": (f"Needed in {last}", "number", _P),
            "largest": ("Most missing in a year", "number", _P),
            "met": ("Least share of the need that is met", "share", ""),
            "opens": ("First short in", "text", ""),
            "closes": ("No more in", "text", ""),
        },
    )


def binding_table(contents: PeopleContents) -> Table | None:
    """Return what limits output in each year."""
    if not contents.has_needs:
        return None
    spec: Spec = {
        "year": ("Year", "text", ""),
        "output": ("Planned output, of today's", "share", ""),
        **_OCCUPATION,
        "region": ("In", "text", ""),
        "people": ("People", "number", _P),
        "needed": ("Needed", "number", _P),
        "met": ("Of the need", "share", ""),
        "possible": ("Output that its people allow", "share", ""),
    }
    if len(contents.regions) < 2:
        del spec["region"]
    return make_table(
        "People that limit output",
        "The occupation of which the least share is there, year by year: it limits output.",
        contents.binding,
        spec,
    )


def years_table(contents: PeopleContents) -> Table:
    """Return all occupations together, year by year."""
    currency = contents.network.settings.currency or "currency"
    spec: Spec = {
        "year": ("Year", "text", ""),
        "people": ("People", "number", _P),
        "needed": ("Needed", "number", _P),
        "gap": ("Missing", "number", _P),
        "openings": ("Openings", "number", _P),
        "needed_entrants": ("Joiners needed", "number", _P),
        "entrants": ("Joiners", "number", _P),
        "begin": ("Begin training", "number", _P),
        "graduates": ("Complete it", "number", _P),
        "dropouts": ("Give up", "number", _P),
        "exits": ("Leave work for good", "number", _P),
        "cost": ("Cost of places", "number", currency),
    }
    if not contents.has_needs:
        del spec["needed"], spec["gap"]
    title = "All occupations together, year by year."
    return make_table("People by year", title, contents.by_year, spec)


def supply_table(contents: PeopleContents) -> Table:
    """Return people and need by occupation, region and year."""
    if not contents.has_needs:
        return make_table(
            "People and need",
            "People at work, by occupation, region and year.",
            contents.stocks,
            {
                **_OCCUPATION,
                "region": ("In", "text", ""),
                "year": ("Year", "text", ""),
                "people": ("People", "number", _P),
            },
        )
    return make_table(
        "People and need",
        "People at work against people needed, by occupation, region and year.",
        contents.supply,
        {
            **_OCCUPATION,
            "region": ("In", "text", ""),
            "year": ("Year", "text", ""),
            "needed": ("Needed", "number", _P),
            "people": ("People", "number", _P),
            "met": ("Of the need", "share", ""),
            "gap": ("Missing", "number", _P),
            "surplus": ("Beyond the need", "number", _P),
            "needed_entrants": ("Joiners needed", "number", _P),
            "entrants": ("Joiners", "number", _P),
            "coverage": ("Joiners, of those needed", "share", ""),
        },
    )


def flow_table(contents: PeopleContents) -> Table:
    """Return who went where, year by year."""
    return make_table(
        "People flows",
        "Who went where in each year, all occupations together.",
        contents.flows,
        {
            "year": ("Year", "text", ""),
            "from": ("From", "text", ""),
            "to": ("To", "text", ""),
            "people": ("People", "number", _P),
        },
    )


def programme_table(contents: PeopleContents) -> Table | None:
    """Return what the programmes do, year by year; None where nobody is in training."""
    frame = contents.projection.programmes()
    if not float(frame["entrants"].sum()) + float(frame["graduates"].sum()):
        return None
    return make_table(
        "People in programmes",
        "Who begins and completes each programme of training.",
        frame,
        {
            "programme": ("Programme", "text", ""),
            "occupation": ("For the occupation", "text", ""),
            "region": ("In", "text", ""),
            "year": ("Year", "text", ""),
            "entrants": ("Begin", "number", _P),
            "graduates": ("Complete it", "number", _P),
            "dropouts": ("Give up", "number", _P),
            "cost": ("Cost of places", "number", contents.network.settings.currency or "currency"),
        },
    )


def range_table(contents: PeopleContents) -> Table | None:
    """Return between which numbers people lie by chance; None without runs."""
    if contents.ranges is None:
        return None
    frame = contents.ranges
    names = [contents.names.get(o) or o for o in frame["occupation"]]
    return make_table(
        "People ranges",
        f"People at work in {contents.runs} runs person by person, seed {contents.seed}.",
        frame.with_columns(pl.Series("name", names, dtype=pl.String)),
        {
            **_OCCUPATION,
            "year": ("Year", "text", ""),
            "mean": ("Mean", "number", _P),
            "p5": ("5 of 100 runs below", "number", _P),
            "p50": ("Half of them below", "number", _P),
            "p95": ("95 of 100 below", "number", _P),
        },
    )


def intake_tables(contents: PeopleContents) -> list[Table]:
    """Return who is taken in by the least intake, what it costs and what binds."""
    intake = contents.intake
    if intake is None or not intake.is_found:
        return []
    currency = contents.network.settings.currency or "currency"
    entrants = make_table(
        "Intake entrants",
        "Who begins training in the least intake.",
        intake.entrants.filter(pl.col("entrants") + pl.col("in_training") > 1e-6),
        {
            "year": ("Year", "text", ""),
            "programme": ("Programme", "text", ""),
            "entrants": ("Begin", "number", _P),
            "places": ("Places", "number", _P),
            "in_training": ("In training at the end", "number", _P),
            "completed": ("Take up work", "number", _P),
            "cost": ("Cost", "number", currency),
        },
    )
    stocks = make_table(
        "Intake people",
        "People at the end of each year in the least intake.",
        intake.stocks,
        {
            "occupation": ("Occupation", "text", ""),
            "region": ("In", "text", ""),
            "year": ("Year", "text", ""),
            "needed": ("Needed", "number", _P),
            "people": ("People", "number", _P),
            "recruits": ("Recruited", "number", _P),
            "graduates": ("From training", "number", _P),
            "redundancies": ("Made redundant", "number", _P),
            "left": ("Left", "number", _P),
            "unmet": ("Work left undone", "number", "person-years"),
            "overmanning": ("Beyond the need", "number", _P),
        },
    )
    cost = make_table(
        "Intake cost",
        "What the least intake costs, by year and kind.",
        intake.cost.filter(pl.col("cost").abs() > 1e-9),
        {
            "year": ("Year", "text", ""),
            "kind": ("For", "text", ""),
            "cost": ("Cost", "number", currency),
        },
    )
    limits = make_table(
        "Intake limits",
        "Limits that are reached, and what one unit more of each would save.",
        intake.binding().select("limit", "used", "most", "unit", "worth"),
        {
            "limit": ("Limit", "text", ""),
            "used": ("Used", "number", ""),
            "most": ("Most", "number", ""),
            "unit": ("Unit", "text", ""),
            "worth": ("One more saves", "number", intake.unit.replace("currency", currency)),
        },
    )
    return [t for t in (entrants, stocks, cost, limits) if t.frame.height]


def target_table(contents: PeopleContents) -> Table | None:
    """Return the targets and what becomes of them; None where there are none."""
    if contents.attainment is None:
        return None
    return make_table(
        "Targets of people",
        "Targets about people, and what the projection makes of them.",
        contents.attainment.to_frame(),
        {
            "indicator": ("Counted", "text", ""),
            "filter": ("Of", "text", ""),
            "year": ("By", "text", ""),
            "value": ("Target", "number", ""),
            "projected": ("Projected", "number", ""),
            "gap": ("Missed by", "number", ""),
            "is_met": ("Met", "text", ""),
            "first_met": ("First met in", "text", ""),
        },
    )


def people_tables(contents: PeopleContents) -> list[Table]:
    """Return every table that has something to show, in the order of the page."""
    found = [
        shortage_table(contents),
        binding_table(contents),
        years_table(contents),
        supply_table(contents),
        flow_table(contents),
        programme_table(contents),
        range_table(contents),
        *intake_tables(contents),
        target_table(contents),
    ]
    return [t for t in found if t is not None and t.frame.height]


def people_findings_table(contents: PeopleContents) -> Table | None:
    """Return what was noted on the way; None where nothing was."""
    rows = [(f.code, CODES[f.code].title, f.place, f.what, f.fix) for f in contents.findings]
    if not rows:
        return None
    return Table(
        name="Findings",
        title="What was noted in the tables of people.",
        frame=pl.DataFrame(rows, schema=["code", "title", "place", "what", "fix"], orient="row"),
        columns=tuple(
            Column(header=h, kind="prose" if h in ("What", "How to mend it") else "text")
            for h in ("Code", "Rule", "Where", "What", "How to mend it")
        ),
    )


def people_settings_table(contents: PeopleContents) -> Table:
    """Return what it takes to compute it again."""
    p = contents.projection
    proof = p.provenance
    runs = f"{contents.runs}, seed {contents.seed}" if contents.runs else "none"
    rows = [
        ("Network", contents.network.name),
        ("Fingerprint of its tables", proof.fingerprint),
        ("Years", f"{contents.first} to {contents.last}, {p.pipeline.steps_per_year} steps a year"),
        ("Output of each year, today is 1", ", ".join(f"{x:.4g}" for x in p.output[:-1])),
        ("Runs person by person", runs),
        ("People unaccounted for, of all", f"{p.conservation:.1e}"),
        ("Computed", contents.made_at),
        *((f"Version of {k}", v) for k, v in proof.versions.items()),
    ]  # fmt: skip
    return Table(
        name="Settings",
        title="What it takes to compute this report again.",
        frame=pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        columns=(Column(header="What"), Column(header="Value", kind="prose")),
    )
