"""The sections on people: stock against need, the pipeline, coverage, the least intake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report import people_figures as figures
from withstand.report.markup import Section, cards, details, figure, paragraphs, prose, table
from withstand.report.people_said import (
    HOW,
    intake_sentences,
    intake_title,
    persons,
    sentences,
    title,
)
from withstand.report.people_said import cards as big_numbers
from withstand.report.people_tables import (
    binding_table,
    flow_table,
    intake_tables,
    people_findings_table,
    people_settings_table,
    programme_table,
    range_table,
    shortage_table,
    supply_table,
    target_table,
    years_table,
)
from withstand.report.words import number

if TYPE_CHECKING:
    from withstand.report.people_contents import PeopleContents

NUMBERS = "Numbers behind the chart"
MOST = 100
IN_SHORT = 6
"""Panels in the report of a network."""


def people_sections(contents: PeopleContents) -> list[Section]:
    """Return the sections of the page about people, in order."""
    found = [
        _headline(contents),
        _need(contents),
        _pipeline(contents),
        _coverage(contents),
        _intake(contents),
        _targets(contents),
        _basis(contents),
    ]
    return [s for s in found if s is not None]


def people_section(contents: PeopleContents) -> Section:
    """Return people as one section of the report of a network."""
    lead = [
        *sentences(contents)[1:],
        "The plan is the output of today; withstand people asks for others.",
    ]
    body = paragraphs([" ".join(lead)], "about")
    body += _drawn_need(contents, IN_SHORT)
    limiting = binding_table(contents)
    if limiting is not None:
        body += details("What limits output in each year", table(limiting))
    body += f"<h3>{prose(_pipeline_title(contents))}</h3>" + _drawn_pipeline(contents)
    drawn = _drawn_coverage(contents)
    if drawn:
        body += f"<h3>{prose(_coverage_title(contents))}</h3>" + drawn
    body += details("How is this computed?", paragraphs(HOW))
    return Section(anchor="people", name="People", title=title(contents), body=body)


def _headline(contents: PeopleContents) -> Section:
    body = cards(big_numbers(contents)) + paragraphs(sentences(contents)[1:], "lead")
    return Section(anchor="headline", name="In short", title=title(contents), body=body)


# --- stock against need --------------------------------------------------------------------------


def _need(contents: PeopleContents) -> Section:
    body = _drawn_need(contents, figures.MOST_PANELS)
    limiting = binding_table(contents)
    if limiting is not None:
        body += f"<h3>{prose('What limits output in each year')}</h3>"
        body += table(limiting, most=MOST)
    made = range_table(contents)
    if made is not None:
        body += details("Ranges by chance", table(made, most=MOST))
    gap = contents.by_year.filter(pl.col("year") == contents.worst_year).row(0, named=True)
    if not contents.has_needs:
        said = "People at work, occupation by occupation"
    elif gap["gap"] > 0:
        many, of = persons(gap["gap"]), persons(gap["needed"])
        said = f"{many} of {of} people needed are missing in {gap['year']}"
    else:
        said = "There are people enough in every year"
    return Section(anchor="need", name="People and need", title=said, body=body)


def _drawn_need(contents: PeopleContents, most: int) -> str:
    if not contents.has_needs:
        return table(years_table(contents), most=MOST)
    caption = "People against people needed, persons; what is missing is shaded"
    if len(contents.regions) > 1:
        caption += " (regions together: a surplus in one hides a gap in another)"
    body = figure(
        "people-need", figures.stock_against_need(need_frame(contents), most), caption, wide=True
    )
    shortage = shortage_table(contents)
    assert shortage is not None
    body += details(NUMBERS, table(shortage, most=MOST))
    return body + details("Every occupation, region and year", table(supply_table(contents)))


def need_frame(contents: PeopleContents) -> pl.DataFrame:
    """Return people against need under the names of occupations, with ranges where there are some.

    occupation (the name, with the label where two bear the same), year, people, needed, low, high.
    """
    frame = contents.by_occupation
    if contents.ranges is not None:
        ranges = contents.ranges.select("occupation", "year", low="p5", high="p95")
        frame = frame.join(ranges, on=["occupation", "year"], how="left", maintain_order="left")
    more = [c for c in ("low", "high") if c in frame.columns]
    return _by_name(frame).select("occupation", "year", "people", "needed", *more)


def _by_name(frame: pl.DataFrame) -> pl.DataFrame:
    """Put names in the place of labels; a name that several share gets its label behind it."""
    pairs = frame.select("occupation", "name").unique()
    twice = pairs.filter(pl.col("name").is_duplicated())["name"].unique().implode()
    both = pl.format("{} ({})", "name", "occupation")
    named = pl.when(pl.col("name").is_in(twice)).then(both).otherwise(pl.col("name"))
    return frame.with_columns(named.alias("occupation"))


# --- the pipeline --------------------------------------------------------------------------------


def _pipeline(contents: PeopleContents) -> Section:
    body = _drawn_pipeline(contents)
    made = programme_table(contents)
    if made is not None:
        body += details("Programmes in numbers", table(made, most=MOST))
    return Section(
        anchor="pipeline", name="Pipeline", title=_pipeline_title(contents), body=body
    )  # fmt: skip


def _pipeline_title(contents: PeopleContents) -> str:
    frame = contents.by_year
    exits, joined = float(frame["exits"].sum()), float(frame["entrants"].sum())
    who = f"{persons(joined)} take" if joined > 0 else "nobody takes"
    return (
        f"{persons(exits)} leave work for good and {who} it up from {contents.first} to"
        f" {contents.last}"
    )


def _drawn_pipeline(contents: PeopleContents) -> str:
    about = "Everyone counts once in each year; a printed page shows the first one."
    caption = "Who goes where in a year, persons, all occupations together"
    body = figure("people-flows", figures.flow_sankey(contents.flows), caption, wide=True)
    body += paragraphs([about], "about")
    body += details("Year by year in numbers", table(years_table(contents), most=MOST))
    return body + details("Every flow", table(flow_table(contents), most=MOST))


# --- coverage ------------------------------------------------------------------------------------


def _coverage(contents: PeopleContents) -> Section | None:
    drawn = _drawn_coverage(contents)
    if not drawn:
        return None
    return Section(
        anchor="people-coverage", name="Coverage", title=_coverage_title(contents), body=drawn
    )


def _coverage_title(contents: PeopleContents) -> str:
    year = contents.worst_year
    known = contents.supply.filter((pl.col("year") == year) & pl.col("met").is_not_null())
    met = known.filter(pl.col("met") >= 1.0 - 1e-9).height
    what = "occupations" if len(contents.regions) < 2 else "pairs of occupation and region"
    count = number(met) if met else "none"
    return f"In {year} the need of {count} of {number(known.height)} {what} is met in full"


def coverage_frame(contents: PeopleContents) -> pl.DataFrame:
    """Return the share of the need that is met: by region in the worst year, or by year.

    occupation (name), region (the years, where all are in one region), coverage.
    """
    frame = _by_name(contents.supply).sort("year", maintain_order=True)
    if len(contents.regions) < 2:
        return frame.select("occupation", pl.col("year").cast(pl.String).alias("region"),
                            coverage="met")  # fmt: skip
    return frame.filter(pl.col("year") == contents.worst_year).select(
        "occupation", "region", coverage="met"
    )


def _drawn_coverage(contents: PeopleContents) -> str:
    if not contents.has_needs:
        return ""
    is_alone = len(contents.regions) < 2
    where = "by year" if is_alone else f"by region in {contents.worst_year}"
    drawn = figures.coverage_map(coverage_frame(contents))
    caption = f"Share of the need that is met, by occupation and {where[3:]}"
    return figure("people-coverage-map", drawn, caption, wide=True)


# --- the least intake, targets, basis ------------------------------------------------------------


def _intake(contents: PeopleContents) -> Section | None:
    intake = contents.intake
    if intake is None:
        return None
    said = intake_sentences(contents, intake)
    body = paragraphs(said[1:] if intake.is_found else said, "lead")
    if intake.is_found:
        drawn = figures.stock_against_need(intake_frame(contents), figures.MOST_PANELS)
        caption = "People at the end of each year in this intake against people needed, persons"
        body += figure("people-intake", drawn, caption, wide=True)
    for at, made in enumerate(intake_tables(contents)):
        body += details(made.name, table(made, most=MOST), is_open=at == 0)
    return Section(
        anchor="intake", name="Intake", title=intake_title(contents, intake), body=body
    )  # fmt: skip


def intake_frame(contents: PeopleContents) -> pl.DataFrame:
    """Return people of the least intake against need: occupation (name), year, people, needed."""
    assert contents.intake is not None
    total = contents.intake.stocks.group_by("occupation", "year", maintain_order=True).agg(
        pl.col("people", "needed").sum()
    )
    names = [contents.names.get(o) or o for o in total["occupation"]]
    named = total.with_columns(pl.Series("name", names, dtype=pl.String))
    return _by_name(named).select("occupation", "year", "people", "needed")


def _targets(contents: PeopleContents) -> Section | None:
    made = target_table(contents)
    if made is None or contents.attainment is None:
        return None
    met = int(made.frame["is_met"].fill_null(value=False).sum())
    body = paragraphs(contents.attainment.summary().split("\n"), "lead") + table(made, most=MOST)
    for at, target in enumerate(contents.attainment.targets, start=1):
        own = contents.attainment.by_year().filter(pl.col("target") == at)
        if target.indicator not in ("graduates", "people") or target.direction != "at_least":
            continue
        drawn = own.filter(pl.col("year") <= target.year).select(
            "year", attained="projected", target=pl.lit(float(target.value))
        )
        body += figure(f"target-{at}", figures.target_attainment(drawn), str(target))
    return Section(
        anchor="targets", name="Targets", title=f"{met} of {made.frame.height} targets are met",
        body=body,
    )  # fmt: skip


def _basis(contents: PeopleContents) -> Section:
    body = paragraphs(HOW)
    noted = people_findings_table(contents)
    if noted is not None:
        body += details(noted.title.rstrip("."), table(noted, most=MOST))
    body += details("Settings", table(people_settings_table(contents), most=MOST))
    return Section(anchor="basis", name="Basis", title="How this is computed", body=body)
