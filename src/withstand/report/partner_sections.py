"""The sections on partners: best sets, contributions, what is missing, channels, law, basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withstand.report import partner_figures as figures
from withstand.report.capability_tables import noted_table
from withstand.report.markup import Section, cards, details, figure, paragraphs, prose, table
from withstand.report.partner_said import HOW, law_said, sentences, title
from withstand.report.partner_said import cards as big_numbers
from withstand.report.partner_tables import (
    channels_table,
    excluded_table,
    gives_table,
    helps_table,
    limits_table,
    pairs_table,
    partner_settings_table,
    sets_table,
    shares_table,
    ties_table,
)
from withstand.report.words import listing, percent, plural

if TYPE_CHECKING:
    from withstand.report.partner_contents import PartnerContents

NUMBERS = "Numbers behind the chart"
MOST = 60
CHART_SETS = "Coverage of the best set of each size, and who is in it"


def partner_sections(contents: PartnerContents) -> list[Section]:
    """Return the sections of the page about partners, in order."""
    found = [
        _headline(contents),
        _sets(contents),
        _contributions(contents),
        _missing(contents),
        _channels(contents),
        _gives(contents),
        _law(contents),
        _basis(contents),
    ]
    return [s for s in found if s is not None]


def partner_section(contents: PartnerContents) -> Section:
    """Return partners as one section of the report of a network."""
    body = paragraphs([" ".join(sentences(contents)[1:])], "about")
    body += _drawn_sets(contents)
    if contents.shares is not None and _adds(contents) > 0:
        body += f"<h3>{prose(_contributions_title(contents))}</h3>" + _drawn_shares(contents)
    for made, name in (
        (limits_table(contents), "What limits output with the best set"),
        (helps_table(contents), "What one partner more would add"),
        (excluded_table(contents), "Who is never proposed"),
    ):
        if made is not None:
            body += details(name, table(made))
    body += paragraphs([" ".join(contents.left_out)], "about")
    body += details("How is this computed?", paragraphs(HOW))
    return Section(anchor="partners", name="Partners", title=title(contents), body=body)


def _headline(contents: PartnerContents) -> Section:
    body = cards(big_numbers(contents)) + paragraphs(sentences(contents)[1:], "lead")
    return Section(anchor="headline", name="In short", title=title(contents), body=body)


# --- best sets -----------------------------------------------------------------------------------


def _sets(contents: PartnerContents) -> Section:
    first, last = contents.found.best(0), contents.best
    said = (
        f"From {percent(first.coverage)} without partners to {percent(last.coverage)} with {last.k}"
    )
    body = _drawn_sets(contents)
    return Section(anchor="sets", name="Best sets", title=said, body=body)


def _drawn_sets(contents: PartnerContents) -> str:
    sets = [
        (contents.all_called(s.partners), s.coverage, s.expected if contents.has_expected else None)
        for s in contents.found.sets
    ]
    what = "Share of demand met" if contents.is_physical else f"Share of {contents.whole}"
    body = figure("best-sets", figures.best_sets(sets, what), CHART_SETS)
    body += details(NUMBERS, table(sets_table(contents), most=MOST), is_open=True)
    ties = ties_table(contents)
    if ties is not None:
        body += details("Sets that cover as much", table(ties, most=MOST))
    return body


# --- what each contributes -----------------------------------------------------------------------


def _adds(contents: PartnerContents) -> float:
    return contents.everyone - contents.found.best(0).coverage


def _contributions(contents: PartnerContents) -> Section | None:
    if contents.shares is None:
        return None
    body = _drawn_shares(contents)
    pairs = pairs_table(contents)
    if pairs is not None:
        body += details("Who works together with whom", table(pairs))
    return Section(
        anchor="contributions", name="Contributions", title=_contributions_title(contents),
        body=body,
    )  # fmt: skip


def _contributions_title(contents: PartnerContents) -> str:
    assert contents.shares is not None
    many = contents.shares.filter(contents.shares["shapley"] > 0).head(3)
    if many.height == 0 or _adds(contents) <= 0:
        return "No partner adds anything"
    part = float(many["shapley"].sum()) / _adds(contents)
    who = listing(contents.all_called(many["partner"]))
    verb = "contributes" if many.height == 1 else "contribute"
    return f"{who} {verb} {percent(part)} of all that partners add"


def _drawn_shares(contents: PartnerContents) -> str:
    assert contents.shares is not None
    what = f"Adds on average, share of {contents.whole}"
    names = contents.all_called(contents.shares["partner"])
    drawn = figures.contributions(contents.shares, names, what)
    caption = "What each partner adds, on average over all orders in which they could be won"
    if float(contents.shares["standard_error"].max() or 0.0) > 0:  # type: ignore[arg-type]
        caption += "; whiskers are two standard errors of the draw"
    if contents.knows_reliability:
        caption += "; reliability beside it, 1 is best"
    made = shares_table(contents)
    assert made is not None
    return figure("contributions-chart", drawn, caption) + details(NUMBERS, table(made, most=MOST))


# --- what is missing -----------------------------------------------------------------------------


def _missing(contents: PartnerContents) -> Section | None:
    limiting, helping = limits_table(contents), helps_table(contents)
    if limiting is None and helping is None:
        return None
    body = ""
    if limiting is not None:
        body += table(limiting)
    if helping is not None:
        body += table(helping)
    if limiting is not None:
        count = plural(limiting.frame.height, "product holds", "products hold")
        said = f"With the best set, {count} output down"
    else:
        said = "Who would be the next partner to win"
    return Section(anchor="missing", name="What is missing", title=said, body=body)


# --- beyond the sets -----------------------------------------------------------------------------


def _channels(contents: PartnerContents) -> Section | None:
    made = channels_table(contents)
    if made is None:
        return None
    products = made.frame["product"].n_unique()
    said = f"{plural(products, 'product')} could come from somebody who does not supply home yet"
    about = "Regions that are not allowed to supply are left out."
    body = paragraphs([about], "about") + table(made, most=MOST)
    return Section(anchor="channels", name="New channels", title=said, body=body)


def _gives(contents: PartnerContents) -> Section | None:
    made = gives_table(contents)
    if made is None:
        return None
    partners = contents.gives["partner"].n_unique()
    said = f"Home makes what {plural(partners, 'partner')} must buy abroad"
    if partners == 1:
        said = f"Home makes what {contents.called(contents.gives['partner'][0])} must buy abroad"
    body = paragraphs([contents.gives_note], "about") + table(made, most=MOST)
    return Section(anchor="in-return", name="In return", title=said, body=body)


def _law(contents: PartnerContents) -> Section | None:
    made = excluded_table(contents)
    if made is None:
        return None
    said = law_said(contents).rstrip(".") or "Who is in no set"
    return Section(anchor="law", name="Never proposed", title=said, body=table(made, most=MOST))


def _basis(contents: PartnerContents) -> Section:
    body = paragraphs(HOW) + paragraphs([" ".join(contents.left_out)], "about")
    if contents.gives.height == 0:
        body += paragraphs([contents.gives_note], "about")
    noted = noted_table(contents.findings)
    if noted is not None:
        body += details("Noted in the flows of trade", table(noted, most=MOST))
    body += details("Settings", table(partner_settings_table(contents), most=MOST))
    return Section(anchor="basis", name="Basis", title="How this is computed", body=body)
