"""What is said of trade in sentences, with numbers from the results only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report.headline import Card
from withstand.report.words import clean, listing, money, number, percent, plural

if TYPE_CHECKING:
    from withstand.report.trade_contents import TradeContents

SURE, UNSURE = 0.95, 0.05
NOT_STATED = "not stated"
"""The unit of values in files that do not say it."""
TERMS = {
    "BACI": "The files have the layout of BACI (CEPII), which is published under the Etalab Open"
    " Licence 2.0 and asks for its source to be named (Gaulier and Zignago 2010)",
    "Comtrade": "The files have the layout of UN Comtrade (United Nations Statistics Division),"
    " which limits how its data may be passed on",
}
"""What is known of the terms of a layout."""
HOW = (
    "A product is flagged by a screen in a year if all conditions of the screen hold. Flows between"
    " members of the bloc are no imports from outside. The margin is the smallest distance of the"
    " conditions from their thresholds, as a share of the threshold: above 0 the product is"
    " beyond all of them.",
    "A threshold cuts where the data are noisy. The chance of being flagged is the share of draws"
    " in which all conditions hold, each report multiplied by a log-normal factor with mean 1; the"
    " spread is an assumption.",
    "Codes of six digits hold several products: one that is harmless as a whole may hold one that"
    " is not. Values move with prices. A supplier that passes on what others make looks like a"
    " source.",
)
HOW_RISK = (
    "Supply risk is that of the European Union's method: [HHI of the world IR/2 + HHI of the bloc's"
    " supply (1 - IR/2)] x (1 - recycling) x substitution, shares weighted by governance from 0"
    " (good) to 10 (bad), IR the import reliance. Where it is not given, the range from its"
    " best to its worst end is shown. Supply to the bloc are its imports from outside; what is"
    " mined within is not among them, which overstates the risk where that is much.",
)
HOW_LOSS = (
    "The days say how long stocks bridge the loss of the largest supplier from outside while others"
    " step in; the price factor says what the bundle of all sources costs after a year, with a"
    " constant elasticity. Elasticities are estimated on annual data and say nothing about days.",
)


def title(contents: TradeContents) -> str:
    """Say how many products the leading screen flags."""
    flagged, whole = len(contents.flagged), contents.ranked.height
    count = f"{flagged:,}" if flagged else "none"
    return (
        f"In {contents.year} {count} of {plural(whole, 'product')}"
        f" {'is' if flagged == 1 else 'are'} flagged for {clean(contents.screens.bloc)} by"
        f" {clean(contents.preset.name)}"
    )


def sentences(contents: TradeContents) -> list[str]:
    """Return what was found, in order of weight."""
    said = [
        title(contents) + f", {percent(contents.flagged_share)} of the value of its imports from"
        f" outside ({basis(contents)}).",
        _worst_said(contents),
        _sure_said(contents),
        _churn_said(contents),
        _others_said(contents),
        _risk_said(contents),
        _against_said(contents),
    ]
    return [s for s in said if s]


def basis(contents: TradeContents) -> str:
    """Say what was counted."""
    c = contents.screens.conventions
    what = "all exports" if c["exports"] == "total" else "exports to outside"
    return f"imports over {what}, by {c['measure']}"


def cards(contents: TradeContents) -> list[Card]:
    """Return the big numbers."""
    flagged = contents.flagged
    made = [
        Card(
            number=f"{len(flagged):,}",
            what=f"of {plural(contents.ranked.height, 'product')} flagged in {contents.year}",
            note=clean(contents.preset.title),
        ),
        Card(
            number=percent(contents.flagged_share),
            what="of the value of imports from outside",
            note=f"of {amount(contents, float(contents.ranked['imports'].sum()))}",
        ),
    ]
    if contents.ranked["probability"].count():
        sure = contents.ranked.filter(pl.col("probability") >= SURE).height
        made.append(
            Card(
                number=f"{sure:,}",
                what=f"flagged with a chance of {percent(SURE, 0)} or more",
                note="given errors in what is reported",
            )
        )
    if contents.mean_left is not None:
        made.append(
            Card(
                number=percent(contents.mean_left, 0),
                what="of the list leave it within a year",
                note=f"{contents.first} to {contents.year}, on average",
            )
        )
    return made


def amount(contents: TradeContents, value: float) -> str:
    """Return a value of the cube in words: thousands are carried out."""
    unit = contents.cube.value_unit
    if unit == NOT_STATED:
        return f"{money(value, '')} (unit not stated)"
    if unit.startswith("thousand "):
        return money(1000.0 * value, unit.removeprefix("thousand "))
    return money(value, unit)


def source_said(contents: TradeContents) -> str:
    """Say where the data are from, and on what terms."""
    history = contents.cube.history
    files = listing([str(s) for s in history.get("source", [])], 3)
    layout = str(history.get("layout", "")).partition(",")[0]
    if contents.source:
        return f"Source: {clean(contents.source).rstrip('.')}. Read from {files}."
    terms = TERMS.get(layout, "The files do not say on what terms they may be used")
    return f"Read from {files}. {terms}; check the terms of your copy (--source states them here)."


def distance_title(contents: TradeContents) -> str:
    """Say how many products only the last condition of the leading screen keeps off its list."""
    conditions = contents.preset.conditions
    if len(conditions) < 2:
        count = plural(len(contents.flagged), "product")
        return f"{count} beyond the one threshold of {clean(contents.preset.name)}"
    last = conditions[-1].name
    own = contents.conditions.filter(pl.col("preset") == contents.preset.name)
    saved = (
        own.group_by("product")
        .agg(
            others=pl.col("holds").filter(pl.col("condition") != last).all(),
            last=pl.col("holds").filter(pl.col("condition") == last).all(),
        )
        .filter(pl.col("others") & ~pl.col("last"))
        .height
    )
    return (
        f"{plural(saved, 'product')} {'meets' if saved == 1 else 'meet'} all conditions of"
        f" {clean(contents.preset.name)} in {contents.year} but {clean(last)}"
    )


def churn_title(contents: TradeContents) -> str:
    """Say how much of the list is the same in all years."""
    frame = contents.by_year
    ever = frame["product"].n_unique()
    always = frame.filter(pl.col("times") == len(contents.screens.years))["product"].n_unique()
    if not ever:
        return f"Nothing is flagged from {contents.first} to {contents.year}"
    count = f"{always:,}" if always else "none"
    return (
        f"Of {plural(ever, 'product')} ever flagged from {contents.first} to {contents.year},"
        f" {count} {'is' if always < 2 else 'are'} flagged in every year"
    )


def sure_title(contents: TradeContents) -> str:
    """Say how many of the flags would survive other reports."""
    frame = contents.ranked
    sure = frame.filter(pl.col("flagged"), pl.col("probability") >= SURE).height
    open_ = frame.filter((pl.col("probability") > UNSURE) & (pl.col("probability") < SURE)).height
    verb = "stands" if sure == 1 else "stand"
    return (
        f"{sure:,} of {plural(len(contents.flagged), 'flag')} {verb} in at least"
        f" {percent(SURE, 0)} of draws of errors in reports; {plural(open_, 'product')} could go"
        " either way"
    )


def supplier_title(contents: TradeContents) -> str:
    """Say who supplies most of what is flagged."""
    frame = contents.ranked.filter(pl.col("flagged"))
    if frame.is_empty():
        return "Who supplies the products nearest to the thresholds"
    lead = frame.group_by("supplier").len().sort(["len", "supplier"], descending=[True, False])
    who, many = lead.row(0)
    if frame.height == 1:
        return f"{who} is the largest supplier of the flagged product"
    return f"{who} is the largest supplier of {many:,} of {frame.height:,} flagged products"


def risk_title(contents: TradeContents) -> str:
    """Say how many materials are above the threshold of supply risk."""
    table = contents.materials
    assert table is not None
    if contents.risk is None:
        worst = table.row(0, named=True)
        return (
            f"Nothing is made in fewer places than {clean(worst['material'])}:"
            f" {percent(worst['largest_share'])} in {worst['largest'] or 'one place'}"
        )
    limit = contents.risk.thresholds["sr"]
    surely = table.filter(pl.col("sr_low") >= limit).height
    return (
        f"{surely:,} of {plural(table.height, 'material')} have a supply risk of"
        f" {number(limit)} or more, whatever their import reliance"
    )


def loss_title(contents: TradeContents) -> str:
    """Say how soon the loss of the largest supplier is felt."""
    table = contents.after_loss
    assert table is not None
    felt = table.filter(pl.col("days_to_shortage").is_not_null())
    if felt.is_empty():
        return "Stocks bridge the loss of the largest supplier of every flagged product"
    row = felt.sort("days_to_shortage", "product").row(0, named=True)
    day = number(row["days_to_shortage"], 0)
    when = "at once" if row["days_to_shortage"] < 1 else f"after {day} days"
    worst = table.sort(["days_lost", "product"], descending=[True, False]).row(0, named=True)
    return (
        f"Without its largest supplier a product is short {when} at the earliest; at most"
        f" {number(worst['days_lost'], 0)} days of use are missed ({worst['name']})"
    )


def against_title(contents: TradeContents) -> str:
    """Say how much of what a network buys is flagged."""
    table = contents.against
    assert table is not None
    known = table.filter(pl.col("flags").is_not_null())
    flagged = known.filter(pl.col("flags") > 0).height
    return (
        f"Of {plural(table.height, 'product')} of {clean(contents.network)} with a code,"
        f" {known.height:,} are in these data and {flagged:,} flagged by a screen"
    )


def _worst_said(contents: TradeContents) -> str:
    rows = contents.ranked.filter(pl.col("flagged")).head(3)
    if rows.is_empty():
        near = contents.ranked.filter(pl.col("margin").is_not_null()).head(1)
        if near.is_empty():
            return ""
        row = near.row(0, named=True)
        return (
            f"Nearest is {row['name']}: {percent(-row['margin'])} short of the threshold that it"
            " misses by most."
        )
    parts = [
        f"{row['name']} ({percent(row['largest_share'])} from {row['supplier']})"
        for row in rows.iter_rows(named=True)
    ]
    return f"Worst: {'; '.join(parts)}."


def _sure_said(contents: TradeContents) -> str:
    error = contents.screens.error
    if error is None:
        return ""
    return (
        f"{sure_title(contents)} (spread of reports {percent(error.spread, 0)},"
        f" {plural(error.draws, 'draw')})."
    )


def _churn_said(contents: TradeContents) -> str:
    if len(contents.screens.years) < 2:
        return ""
    last = contents.counts.filter(
        pl.col("preset") == contents.preset.name, pl.col("year") == contents.year
    ).row(0, named=True)
    return (
        f"{churn_title(contents)}; {number(last['entered'])} came and {number(last['left'])} left"
        f" from {contents.screens.years[-2]} to {contents.year}."
    )


def _others_said(contents: TradeContents) -> str:
    others = [p.name for p in contents.screens.presets[1:]]
    if not others:
        return ""
    counts = contents.counts.filter(pl.col("year") == contents.year)
    many = dict(counts.select("preset", "flagged").iter_rows())
    names = [f"{clean(n)} {many[n]:,}" for n in others]
    every = contents.ranked.filter(pl.col("flags") == len(contents.screens.presets)).height
    return f"Other screens flag: {', '.join(names)}; all of them agree on {every:,}."


def _risk_said(contents: TradeContents) -> str:
    if contents.materials is None or contents.materials.is_empty():
        return ""
    return risk_title(contents) + "."


def _against_said(contents: TradeContents) -> str:
    return against_title(contents) + "." if contents.against is not None else ""
