"""The sections on capability: candidates, what is within reach, ranks, what stands out, basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report import capability_figures as figures
from withstand.report.capability_said import HOW, sentences, title
from withstand.report.capability_said import cards as big_numbers
from withstand.report.capability_tables import (
    capability_findings_table,
    capability_settings_table,
    localise_table,
    near_table,
    places_table,
    products_table,
    quotients_table,
    reach_table,
)
from withstand.report.markup import Section, cards, details, figure, paragraphs, table
from withstand.report.words import clean, clip, listing, plural

if TYPE_CHECKING:
    from withstand.report.capability_contents import CapabilityContents

NUMBERS = "Numbers behind the chart"
MOST = 40
MOST_BARS = 12
FEW, LONGEST = 20, 44


def capability_sections(contents: CapabilityContents) -> list[Section]:
    """Return the sections of the page about capability, in order."""
    found = [
        _headline(contents),
        _candidates(contents),
        _reach(contents),
        _places(contents),
        _products(contents),
        _regional(contents),
        _basis(contents),
    ]
    return [s for s in found if s is not None]


def _headline(contents: CapabilityContents) -> Section:
    body = cards(big_numbers(contents)) + paragraphs(sentences(contents)[1:], "lead")
    return Section(anchor="headline", name="In short", title=title(contents), body=body)


def _candidates(contents: CapabilityContents) -> Section | None:
    made = localise_table(contents)
    if made is None:
        return None
    first = made.frame.filter(pl.col("rank").is_not_null())["name"].head(2)
    ranked = [clip(n, LONGEST) for n in first]
    said = "Nothing that is bought outside home can be ranked"
    if ranked:
        said = f"Of what is bought outside home, {listing(ranked)} are candidates to make"
        said = said if len(ranked) > 1 else said.replace("are candidates", "is the candidate")
    about = (
        f"Products that {clean(contents.against)} buys outside home. Each group is the mean"
        " standing among the candidates, 0 to 1; the score is the mean of the groups and says"
        " nothing more. On the front: nobody is as good in every group and better in one."
    )
    shown = made.only(
        *(c for c in made.frame.columns if c not in ("code", "cog", "rca", "missing"))
    )
    body = paragraphs([about], "about") + table(shown, most=FEW)
    return Section(anchor="candidates", name="Candidates", title=said, body=body)


def _reach(contents: CapabilityContents) -> Section | None:
    made = reach_table(contents)
    if made is None:
        return None
    ranked = contents.candidates.filter(pl.col("score").is_not_null())
    home = clean(contents.home)
    if ranked.height == 0:
        body = table(made, most=MOST)
        said = f"Nothing that {home} lacks can be ranked"
        return Section(anchor="reach", name="Within reach", title=said, body=body)
    first = listing([clip(n, LONGEST) for n in ranked["name"].head(2)])
    said = f"Nearest and most worth it of what {home} lacks: {first}"
    caption = (
        f"What {home} lacks: how near it is and how hard; numbers are ranks, names in the table"
    )
    body = figure("reach-map", figures.within_reach(contents.candidates), caption)
    body += details(NUMBERS, table(made, most=FEW), is_open=True)
    return Section(anchor="reach", name="Within reach", title=said, body=body)


def _places(contents: CapabilityContents) -> Section:
    ranked = contents.places.filter(pl.col("rank").is_not_null())
    made = places_table(contents)
    if ranked.height == 0:
        body = paragraphs(["The index is not defined for this table."], "empty") + table(made)
        return Section(anchor="places", name="Places", title="No place has a rank", body=body)
    leaders = listing(ranked["place"].head(3).to_list())
    said = f"{leaders} lead {plural(ranked.height, 'place')} in economic complexity"
    drawn = figures.places(contents.places, contents.home)
    what = "Rank by economic complexity, with intervals" if contents.place_ranks else \
        "Economic complexity index (ECI)"  # fmt: skip
    body = figure("places-chart", drawn, f"{what}: the highest places")
    body += details(NUMBERS, table(made, most=MOST))
    return Section(anchor="places", name="Places", title=said, body=body)


def _products(contents: CapabilityContents) -> Section:
    ranked = contents.products.filter(pl.col("rank").is_not_null())
    made = products_table(contents)
    if ranked.height == 0:
        return Section(anchor="products", name="Products", title="No product has a rank",
                       body=table(made, most=MOST))  # fmt: skip
    said = f"Hardest to do: {listing([clip(n, LONGEST) for n in ranked['name'].head(3)])}"
    return Section(
        anchor="products", name="Products", title=said, body=table(made, most=20)
    )  # fmt: skip


def _regional(contents: CapabilityContents) -> Section | None:
    made = quotients_table(contents)
    if made is None:
        return None
    if contents.home is None:
        body = table(made, most=MOST)
        return Section(anchor="quotients", name="What stands out", title="What stands out where",
                       body=body)  # fmt: skip
    known = contents.quotient_rows.filter(pl.col("lq").is_not_null()).head(MOST_BARS)
    home = clean(contents.home)
    body = ""
    said = f"No location quotient of {home} is known"
    if known.height:
        said = f"{known['name'][0]} stands out most in {home}"
        drawn = figures.quotients(known["name"].to_list(), known["lq"].to_list())
        body += figure("quotients-chart", drawn, f"Location quotients of {home}, the largest")
    body += details(NUMBERS, table(made, most=MOST))
    near = near_table(contents)
    if near is not None:
        body += "<h3>Akin to what stands out, and lacking</h3>" + table(near, most=20)
    return Section(anchor="quotients", name="What stands out", title=said, body=body)


def _basis(contents: CapabilityContents) -> Section:
    body = paragraphs(HOW) + paragraphs([" ".join(contents.left_out)], "about")
    noted = capability_findings_table(contents)
    if noted is not None:
        body += details(
            "Noted in the table", table(noted, most=MOST), is_open=bool(contents.doubts)
        )
    body += details("Settings", table(capability_settings_table(contents), most=MOST))
    return Section(anchor="basis", name="Basis", title="How this is computed", body=body)
