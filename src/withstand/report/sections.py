"""The sections of the page: each a sentence for a title, charts, and the tables beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from withstand.report import figures
from withstand.report.basis import ASSUMED, PUBLIC
from withstand.report.chokepoints import NOTABLE, chokepoints, home_labels, region_name
from withstand.report.flows import TierFlows, origins_by_tier, tier_flows
from withstand.report.headline import headline, left_without, title
from withstand.report.markup import Section, cards, details, figure, paragraphs, prose, table
from withstand.report.partner_sections import partner_section
from withstand.report.people_sections import people_section
from withstand.report.run_tables import (
    definitions_table,
    findings_table,
    settings_table,
)
from withstand.report.stress_sections import left_out_note, stress_sections
from withstand.report.tables import (
    basis_table,
    chokepoints_in_short,
    content_table,
    cost_table,
    coverage_groups,
    coverage_table,
    flow_table,
    loss_table,
    origin_table,
    product_coverage_table,
    source_table,
    value_table,
)
from withstand.report.time_line import time_section
from withstand.report.words import (
    capital,
    clean,
    kinds,
    listing,
    percent,
    percent_range,
    plural,
)

if TYPE_CHECKING:
    from withstand.measures.exposures import Exposure
    from withstand.report.contents import Contents

MOST_CHOKEPOINTS = 20
FAR = 0.1
"""Difference between two shares that is worth a "but only"."""
NUMBERS = "Numbers behind the chart"


def all_sections(contents: Contents) -> list[Section]:
    """Return the sections of the page, in order."""
    points = chokepoints(contents)
    return [
        headline_section(contents, points),
        tier_section(contents),
        chokepoint_section(contents, points),
        exposure_section(contents, contents.exposure),
        coverage_section(contents),
        *([partner_section(contents.partners)] if contents.partners is not None else []),
        time_section(contents),
        *stress_sections(contents),
        *([people_section(contents.people)] if contents.people is not None else []),
        basis_section(contents),
        method_section(contents),
    ]


def headline_section(contents: Contents, points: pl.DataFrame) -> Section:
    """Say what was found."""
    found = headline(contents, points)
    body = cards(found.cards) + paragraphs(found.sentences, "lead")
    cost = cost_table(contents)
    if cost.frame.height:
        body += details("What the purchase cost is made of", table(cost, most=12))
    return Section(
        anchor="headline", name="In short", title=title(contents.network, contents.exposure),
        body=body,
    )  # fmt: skip


def tier_section(contents: Contents) -> Section:
    """Draw the tiers and the regions they come from."""
    network = contents.network
    flows = tier_flows(network)
    if flows.flows.height == 0:
        return _tier_section_without_prices(contents)
    said = [
        "Read from right to left: what the final product buys, what its suppliers buy, and so on."
        " The width of a band is its share of the final value.",
    ]
    if flows.flows["is_assumed"].any():
        said[0] += (
            " Pale bands are what makers abroad would buy if they need the same inputs as makers"
            " at home; their own recipes are not known."
        )
    if flows.flows["is_hours"].any():
        said[0] += " Machine hours, skilled hours and software are drawn in purple."
    if flows.deeper > 0.001:
        said[0] += f" Deeper tiers pass {percent(flows.deeper)} and are not drawn."
    unpriced = _unpriced_hours(contents)
    if unpriced:
        said.append(unpriced)
    caption = "Purchases by tier and region, share of the final value"
    body = figure("tier-map", figures.tier_map(network, flows), caption, wide=True)
    body += paragraphs(said, "about") + details(NUMBERS, table(flow_table(network, flows)))
    return Section(anchor="tiers", name="Tier map", title=_tier_title(contents, flows), body=body)


def _tier_title(contents: Contents, flows: TierFlows) -> str:
    network = contents.network
    home = home_labels(network)
    if not home:
        return f"What is bought passes through {plural(flows.depth, 'tier')} of suppliers"
    first = percent(flows.home_share(1, home))
    if flows.depth < 2:
        return f"{first} of tier-1 goods come from home"
    deep = flows.home_share(2, home)
    joint = "but only" if deep < flows.home_share(1, home) - FAR else "and"
    return f"{first} of tier-1 goods come from home, {joint} {percent(deep)} of tier-2 goods"


def _unpriced_hours(contents: Contents) -> str:
    exposure: Exposure | None = contents.exposure
    return _unpriced_said(exposure)


def _unpriced_said(exposure: Exposure | None) -> str:
    count = len(exposure.unpriced) if exposure is not None else 0
    if not count:
        return ""
    verb = "has" if count == 1 else "have"
    return f"{plural(count, 'input')} {verb} no price (such as skilled hours) and cannot be drawn."


def _tier_section_without_prices(contents: Contents) -> Section:
    frame = origins_by_tier(contents.concentration)
    title = "Where products are bought, tier by tier"
    said = "Without prices, the value that passes cannot be drawn."
    if frame.height == 0:
        return Section(anchor="tiers", name="Tier map", title=title,
                       body=paragraphs([f"{said} No purchases are stated."], "empty"))  # fmt: skip
    drawn = figures.origins(contents.network, frame)
    body = paragraphs([f"{said} Instead, each product counts the same."], "about")
    body += figure("tier-map", drawn, "Where the mean product of each tier is bought, share")
    body += details(NUMBERS, table(origin_table(contents)))
    return Section(anchor="tiers", name="Tier map", title=title, body=body)


def chokepoint_section(contents: Contents, points: pl.DataFrame) -> Section:
    """List the products that hang on one region."""
    hanging = points.filter(pl.col("share") >= NOTABLE).height
    abroad = " abroad" if contents.network.is_home.any() else ""
    verb = "product gets" if hanging == 1 else "products get"
    title = f"{hanging} {verb} {NOTABLE * 100:.0f} % or more from one region{abroad}"
    if points.height == 0:
        body = paragraphs(["Nothing is bought outside home."], "empty")
        return Section(anchor="chokepoints", name="Chokepoints", title=title, body=body)
    about = (
        "Ordered by what hangs on one region: its share of the supply, or the output lost where"
        " the product is first to limit it, whichever is larger. Output left is given from worst"
        " to best: makers abroad need the same inputs, or deliver as usual."
    )
    body = paragraphs([about], "about")
    body += table(chokepoints_in_short(contents, points), most=MOST_CHOKEPOINTS)
    return Section(anchor="chokepoints", name="Chokepoints", title=title, body=body)


def exposure_section(contents: Contents, exposure: Exposure | None) -> Section:
    """Show whose value is in the product, and what the loss of each region leaves."""
    network, losses = contents.network, contents.losses
    value = value_table(exposure)
    body = ""
    if exposure is None or value is None:
        body += paragraphs(["Without prices, the value of each region cannot be shown."], "empty")
        title = _loss_title(contents)
    else:
        title = _value_title(contents, exposure)
        drawn = figures.value_by_region(network, exposure)
        body += figure("value", drawn, "Where the final value arises, all tiers counted, share")
        content = content_table(exposure, network.settings.currency)
        assert content is not None
        by_cost = content.frame.sort("share_of_purchase_cost", descending=True, nulls_last=True)
        ordered = replace(content, frame=by_cost)
        body += details(NUMBERS, table(value))
        body += details("Value made at home, product by product", table(ordered))
        body += f"<h3>{prose(_loss_title(contents))}</h3>"
    if losses.height == 0:
        body += paragraphs(["No region outside home supplies anything."], "empty")
    else:
        drawn = figures.output_without(network, losses)
        caption = "Output that can go on after the loss of each region, share of today's output"
        body += figure("losses", drawn, caption)
        body += details(NUMBERS, table(loss_table(contents)))
    return Section(anchor="exposure", name="Exposure", title=title, body=body)


def _value_title(contents: Contents, exposure: Exposure) -> str:
    home = home_labels(contents.network)
    away = exposure.shares.filter(~pl.col("region").is_in(home) & (pl.col("share") > 0)).head(2)
    named = [f"{clean(n)} ({percent(s)})" for n, s in away.select("name", "share").iter_rows()]
    if not named:
        return "All of the value arises at home"
    outside = 1.0 - exposure.home_share if home else 1.0
    part = "most" if sum(away["share"].to_list()) > outside / 2 else "the largest parts"
    rest = " outside home" if home else ""
    return f"{listing(named)} hold{'s' if len(named) == 1 else ''} {part} of the value{rest}"


def _loss_title(contents: Contents) -> str:
    if contents.losses.height == 0:
        return "No region can be lost"
    best, worst = left_without(contents, contents.worst_region)
    who = clean(region_name(contents.network, contents.worst_region))
    return f"The loss of {who} leaves {percent_range(worst, best)} of output"


def coverage_section(contents: Contents) -> Section:
    """Show what is covered without the worst region, by kind and by tier."""
    worst = clean(region_name(contents.network, contents.worst_region))
    by_kind, by_tier = coverage_groups(contents, "kind"), coverage_groups(contents, "tier")
    body = ""
    if by_kind.height == 0:
        body = paragraphs(["No product is needed from the viewpoint."], "empty")
        return Section(anchor="coverage", name="Coverage", title="Coverage", body=body)
    by_kind = by_kind.sort(["coverage", "kind"])
    lowest = by_kind.row(0, named=True)
    if lowest["coverage"] >= 1:
        title = f"Without {worst}, suppliers of every kind are left in full"
    else:
        title = (
            f"Without {worst}, {kinds(lowest['kind'])} are covered least: "
            f"{percent(lowest['coverage'])} on average"
        )
    names = [capital(kinds(k)) for k in by_kind["kind"]]
    caption = f"Mean share of what is needed that is covered without {worst}, by "
    body += '<div class="two">'
    body += figure("kinds", figures.coverage_bars(by_kind, names), caption + "kind")
    tiers = ["Final product" if t == 0 else f"Tier {t}" for t in by_tier["tier"]]
    body += figure("by-tier", figures.coverage_bars(by_tier, tiers), caption + "tier") + "</div>"
    body += details("Numbers by kind", table(coverage_table(contents, "kind")))
    body += details("Numbers by tier", table(coverage_table(contents, "tier")))
    body += details("Numbers by product", table(product_coverage_table(contents)))
    return Section(anchor="coverage", name="Coverage", title=title, body=body)


def basis_section(contents: Contents) -> Section:
    """Say what the numbers rest on."""
    network = contents.network
    counted = basis_table(network)
    total = int(counted.frame["numbers"].sum())
    sources = source_table(network)
    name = "Assumptions"
    if total == 0:
        title = "What the numbers rest on is not stated"
        body = paragraphs(
            ["No table has a column that says what its numbers rest on. Add a column such as"
             " share_basis beside share, with: public fact, derived, proxy or assumption."],
            "empty",
        )  # fmt: skip
    else:
        facts, assumed = (sum(counted.frame[c].to_list()) for c in (PUBLIC, ASSUMED))
        title = (
            f"{percent(facts / total)} of {total:,} stated numbers are public facts, "
            f"{percent(assumed / total)} are assumptions"
        )
        drawn = figures.basis_of_numbers(counted.frame)
        body = figure("basis", drawn, "What the numbers of each table rest on, share of numbers")
        body += details(NUMBERS, table(counted))
    if sources is None:
        body += paragraphs(["The tables name no sources."], "about")
    else:
        body += details(f"The {plural(sources.frame.height, 'source')}", table(sources, most=200))
    return Section(anchor="assumptions", name=name, title=title, body=body)


def method_section(contents: Contents) -> Section:
    """Say how it was computed."""
    meanings = "".join(
        f"<dt>{prose(what)}</dt><dd>{prose(meaning)}</dd>"
        for what, meaning in definitions_table().frame.iter_rows()
    )
    found = findings_table(contents.network)
    cases = int(found.frame["count"].sum())
    body = f"<dl>{meanings}</dl>" + left_out_note(contents)
    body += details("Settings, versions and fingerprint", table(settings_table(contents), most=40))
    if found.frame.height:
        body += details(f"Data check: {plural(cases, 'case')}", table(found, most=60))
    else:
        body += paragraphs(["The check of the data had nothing to say."], "about")
    title = "Every number can be computed again from the tables and these settings"
    return Section(anchor="method", name="Method", title=title, body=body)
