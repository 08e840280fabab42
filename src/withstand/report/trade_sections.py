"""The sections on trade: who flags what, how far, how sure, how long, who supplies, what next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report import trade_figures as figures
from withstand.report import trade_supply_figures as supply_figures
from withstand.report.markup import Section, cards, details, figure, paragraphs, prose, table
from withstand.report.trade_said import (
    HOW,
    HOW_LOSS,
    HOW_RISK,
    against_title,
    basis,
    churn_title,
    distance_title,
    loss_title,
    risk_title,
    sentences,
    source_said,
    supplier_title,
    sure_title,
    title,
)
from withstand.report.trade_said import cards as big_numbers
from withstand.report.trade_tables import (
    against_table,
    churn_table,
    conditions_table,
    cube_table,
    loss_table,
    materials_table,
    products_table,
    screens_table,
    suppliers_table,
    sureness_table,
    trade_findings_table,
    trade_settings_table,
    years_table,
)
from withstand.report.words import clean, number, plural

if TYPE_CHECKING:
    from withstand.report.trade_contents import TradeContents

NUMBERS = "Numbers behind the chart"
MOST = 100


def trade_sections(contents: TradeContents) -> list[Section]:
    """Return the sections of the page about trade, in order."""
    found = [
        _headline(contents),
        _matrix(contents),
        _distances(contents),
        _years(contents),
        _sureness(contents),
        _suppliers(contents),
        _materials(contents),
        _loss(contents),
        _against(contents),
        _data(contents),
        _basis(contents),
    ]
    return [s for s in found if s is not None]


def _headline(contents: TradeContents) -> Section:
    body = cards(big_numbers(contents)) + paragraphs(sentences(contents)[1:], "lead")
    body += paragraphs([source_said(contents)], "about")
    return Section(anchor="headline", name="In short", title=title(contents), body=body)


def _matrix(contents: TradeContents) -> Section:
    several = len(contents.screens.presets)
    every = contents.ranked.filter(pl.col("flags") == several).height
    any_ = contents.ranked.filter(pl.col("flags") > 0).height
    if several > 1:
        said = f"{plural(any_, 'product')} flagged by any of {several} screens, {every:,} by all"
    else:
        said = f"{plural(any_, 'product')} flagged, and those that are near"
    caption = f"The worst products in {contents.year}, and which screen flags them"
    body = figure("trade-matrix", figures.screen_matrix(contents.states), caption, wide=True)
    body += paragraphs(
        [f"Near: not flagged, and less than a tenth short of the threshold it misses by most."
         f" Order: flagged by {clean(contents.preset.name)} first, then by how many screens flag"
         " it, then by how far it is beyond."],
        "about",
    )  # fmt: skip
    body += details(NUMBERS, table(products_table(contents), most=MOST))
    return Section(anchor="screens", name="Screens", title=said, body=body)


def _distances(contents: TradeContents) -> Section:
    conditions = contents.preset.conditions
    frame = contents.ranked.filter(pl.col("imports") > 0)
    labelled = frame.with_columns(
        label=pl.Series([contents.label(p) for p in frame["product"]], dtype=pl.String)
    )
    first = conditions[0]
    if len(conditions) > 1:
        second = conditions[1]
        drawn = figures.two_conditions(
            labelled.select(
                "product", "label", "flagged", "imports", x=first.indicator, y=second.indicator
            ),
            first,
            second,
        )
        caption = (
            f"{first.name} against {second.name} in {contents.year}; the size of a point is the"
            " value of imports from outside, beyond both thresholds the ground is shaded"
        )
    else:
        drawn = figures.one_condition(labelled.select("label", "flagged", x=first.indicator), first)
        caption = f"{first.name} of the worst products in {contents.year}, and its threshold"
    body = figure("trade-distances", drawn, caption, wide=True)
    rules = [
        f"{c.name}: {c.words} ({c.indicator.replace('_', ' ')} {c.sign} {c.threshold:g})."
        for c in conditions
    ]
    body += paragraphs([" ".join(rules)], "about")
    body += details(NUMBERS, table(conditions_table(contents), most=MOST))
    return Section(
        anchor="distances", name="Distances", title=distance_title(contents), body=body
    )  # fmt: skip


def _years(contents: TradeContents) -> Section | None:
    if len(contents.screens.years) < 2:
        return None
    caption = f"What {clean(contents.preset.name)} ever flags, year by year"
    drawn = figures.flags_over_years(contents.by_year)
    body = figure("trade-years", drawn, caption, wide=True)
    body += table(churn_table(contents, contents.preset.name), most=MOST)
    body += details(NUMBERS, table(years_table(contents), most=MOST))
    if len(contents.screens.presets) > 1:
        body += details("The same for every screen", table(churn_table(contents), most=MOST))
    return Section(anchor="years", name="Years", title=churn_title(contents), body=body)


def _sureness(contents: TradeContents) -> Section | None:
    made = sureness_table(contents)
    if made is None:
        return None
    caption = (
        f"Chance that {clean(contents.preset.name)} flags a product in {contents.year}, given"
        " errors in what is reported; whiskers are one standard error of the draws"
    )
    drawn = figures.chances(contents.sureness)
    body = figure("trade-chances", drawn, caption, wide=True)
    body += details(NUMBERS, table(made, most=MOST))
    return Section(anchor="chances", name="How sure", title=sure_title(contents), body=body)


def _suppliers(contents: TradeContents) -> Section:
    frame = contents.suppliers
    labelled = frame.select(
        pl.Series("label", [contents.label(p) for p in frame["product"]], dtype=pl.String),
        pl.Series("supplier", [contents.place(r) for r in frame["exporter"]], dtype=pl.String),
        "share",
    )
    measure = contents.screens.conventions["measure"]
    caption = f"Who supplies the worst products from outside in {contents.year}, by {measure}"
    body = figure("trade-suppliers", supply_figures.supplier_stack(labelled), caption, wide=True)
    body += details(NUMBERS, table(suppliers_table(contents), most=MOST))
    return Section(
        anchor="suppliers", name="Suppliers", title=supplier_title(contents), body=body
    )  # fmt: skip


def _materials(contents: TradeContents) -> Section | None:
    made = materials_table(contents)
    if made is None or not made.frame.height:
        return None
    body = ""
    if contents.risk is not None:
        assert contents.materials is not None
        limit = contents.risk.thresholds["sr"]
        drawn = supply_figures.supply_risk(contents.materials, limit)
        caption = (
            f"Supply risk of raw materials, from the best to the worst end of import reliance;"
            f" the line is the threshold of {number(limit)}"
        )
        body += figure("trade-materials", drawn, caption, wide=True)
        body += paragraphs(HOW_RISK, "about")
        body += details(NUMBERS, table(made, most=MOST))
    else:
        body += table(made, most=MOST)
    return Section(
        anchor="materials", name="Raw materials", title=risk_title(contents), body=body
    )  # fmt: skip


def _loss(contents: TradeContents) -> Section | None:
    made = loss_table(contents)
    if made is None or not made.frame.height or contents.losses is None:
        return None
    assert contents.after_loss is not None
    frame = contents.after_loss
    labelled = frame.with_columns(
        label=pl.Series([contents.label(p) for p in frame["product"]], dtype=pl.String)
    )
    r = contents.losses.rerouting
    caption = "Days of use missed within a year if the largest supplier stops"
    body = figure("trade-losses", supply_figures.days_missed(labelled), caption, wide=True)
    assumed = (
        f"Assumed for every product: stocks of {number(r.stock_days)} days of use, first deliveries"
        f" from elsewhere after {number(r.starts)} days, all of it {number(r.ramp)} days later."
    )
    body += paragraphs([assumed, *HOW_LOSS], "about")
    body += details(NUMBERS, table(made, most=MOST))
    return Section(anchor="losses", name="After a loss", title=loss_title(contents), body=body)


def _against(contents: TradeContents) -> Section | None:
    made = against_table(contents)
    if made is None:
        return None
    return Section(
        anchor="against",
        name="The network",
        title=against_title(contents),
        body=table(made, most=MOST),
    )


def _data(contents: TradeContents) -> Section:
    cube = contents.cube
    years = f"{cube.years[0]} to {cube.years[-1]}" if len(cube.years) > 1 else str(cube.years[0])
    said = (
        f"{cube.n_rows:,} flows of {plural(len(cube.products), 'product')} between"
        f" {plural(len(cube.regions), 'region')}, {years}"
    )
    body = paragraphs([source_said(contents)], "about")
    noted = trade_findings_table(contents)
    if noted is not None:
        body += table(noted, most=MOST)
    body += details("Year by year", table(cube_table(contents), most=MOST))
    return Section(anchor="data", name="Data", title=said, body=body)


def _basis(contents: TradeContents) -> Section:
    body = paragraphs([*HOW, f"Counted here: {basis(contents)}."])
    body += f"<h3>{prose('The screens')}</h3>" + table(screens_table(contents), most=MOST)
    body += details("Settings", table(trade_settings_table(contents), most=MOST))
    return Section(anchor="basis", name="Basis", title="How this is computed", body=body)
