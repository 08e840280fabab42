"""What is said of partners in sentences, with numbers from the results only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report.headline import Card
from withstand.report.partner_contents import LITTLE
from withstand.report.words import capital, listing, percent, plural

if TYPE_CHECKING:
    from withstand.report.partner_contents import PartnerContents

MOST_NAMED = 8
SURE = 2.0
"""Standard errors of a difference below which two partners are named together."""
HOW = (
    "Coverage of a set of partners is the largest share of final demand that can be met when only"
    " home and they supply, found as a linear programme (physical), or the share of the value of"
    " home's final sales that arises there (value).",
    "Partners complement each other, for a product needs all its inputs: the best set is found by"
    " going through all sets that could be best, or by a programme with a yes or no for each"
    " candidate whose bound says how much better another set could be at most. Taking the best one"
    " after another has no guarantee.",
    "What a partner contributes (Shapley share) is what it adds on average over all orders in which"
    " partners could be won; the shares sum to what all of them add to home. Two that together add"
    " more than each by itself are complements, two that add less are substitutes. Of more than"
    " twelve candidates orders are drawn; the standard error says how far the draw can mislead.",
    "Reliability runs from 0 to 1 and is a scale, no probability. Coverage to expect takes it for"
    " one: each partner is there with it, all or nothing, independent of the others.",
    "Regions that the law does not allow are in no set, are no new channel, and are named.",
)


def _met(contents: PartnerContents) -> str:
    if contents.is_physical:
        return "of demand can be met"
    return "of imports come" if contents.is_trade else "of the value arises"


def title(contents: PartnerContents) -> str:
    """Say which set is best, and how far it carries."""
    best = contents.best
    who = listing(contents.all_called(best.partners), MOST_NAMED)
    if contents.is_trade and not contents.is_physical:
        home = listing(contents.home)
        return f"{percent(best.coverage)} of the imports of {home} come from {who}"
    if not contents.is_physical:
        where = listing([*contents.home, *contents.all_called(best.partners)], MOST_NAMED)
        return f"{percent(best.coverage)} of the value arises in {where}"
    if best.coverage - contents.found.best(0).coverage <= LITTLE:
        return (
            f"No {plural(best.k, 'partner')} can raise the {percent(best.coverage)} of demand that"
            " home meets alone"
        )
    if best.coverage >= 1.0 - LITTLE:
        return f"With {who}, home can meet all of demand"
    return f"With {who}, {percent(best.coverage)} of demand can be met"


def sentences(contents: PartnerContents) -> list[str]:
    """Return what was found, in order of weight."""
    said = [
        title(contents) + ".",
        _alone_said(contents),
        _sure_said(contents),
        _closing_said(contents),
        _limits_said(contents),
        _most_said(contents),
        _reliability_said(contents),
        law_said(contents),
    ]
    return [s for s in said if s]


def cards(contents: PartnerContents) -> list[Card]:
    """Return the big numbers."""
    best = contents.best
    met = _met(contents)
    who = listing(contents.all_called(best.partners), MOST_NAMED)
    alone = percent(contents.found.best(0).coverage)
    every = plural(len(contents.found.candidates), "candidate")
    if contents.is_physical:
        made = [Card(number=alone, what=f"{met} by home alone")]
    else:
        made = [] if contents.is_trade else [Card(number=alone, what=f"{met} at home")]
    joined = "from" if contents.is_trade and not contents.is_physical else "with"
    made += [
        Card(number=percent(best.coverage), what=f"{met} {joined} {who}", note=sure_note(contents)),
        Card(number=percent(contents.everyone), what=f"{joined} all {every}"),
    ]
    if contents.closing is not None:
        made.append(
            Card(
                number=str(contents.closing.k),
                what=f"{'partner reaches' if contents.closing.k == 1 else 'partners reach'}"
                f" {percent(contents.level)}, and no fewer",
            )
        )
    return made


def sure_note(contents: PartnerContents) -> str:
    """Say how far the set can be from the best, in a few words."""
    if contents.is_certified:
        return f"no other {contents.best.k} cover more"
    return f"another {contents.best.k} could cover {percent(contents.best.gap, 2)} more at most"


def _alone_said(contents: PartnerContents) -> str:
    if contents.is_trade and not contents.is_physical:
        return ""
    alone = contents.found.best(0).coverage
    every = (
        f"with all {plural(len(contents.found.candidates), 'candidate')}"
        f" {percent(contents.everyone)}"
    )
    if contents.is_physical:
        return f"Home alone meets {percent(alone)}, {every}."
    return f"{percent(alone)} arises in {listing(contents.home)}, {every}."


def _sure_said(contents: PartnerContents) -> str:
    best = contents.best
    if not contents.is_certified:
        return (
            f"No set of {best.k} covers more than {percent(best.bound)}: this one is at most"
            f" {percent(best.gap, 2)} below the best."
        )
    if best.ties is None:
        return f"No other set of {best.k} covers more; others may cover as much."
    if best.ties <= 1:
        return f"No other set of {best.k} covers as much."
    others = [listing(contents.all_called(s), MOST_NAMED) for s in best.tied[1:3]]
    more = best.ties - 1 - len(others)
    rest = f", and {more:,} more" if more > 0 else ""
    return (
        f"No set of {best.k} covers more; {plural(best.ties - 1, 'other covers', 'others cover')}"
        f" as much: {'; '.join(others)}{rest}."
    )


def _closing_said(contents: PartnerContents) -> str:
    if not contents.is_closing_known:
        return ""
    level = percent(contents.level)
    if contents.closing is None:
        return f"No number of partners reaches {level}."
    k = contents.closing.k
    if k == 0:
        return f"Home alone reaches {level}."
    if k == contents.best.k and contents.closing.partners == contents.best.partners:
        return f"{plural(k, 'partner')} {'is' if k == 1 else 'are'} the fewest that reach {level}."
    who = listing(contents.all_called(contents.closing.partners), MOST_NAMED)
    return f"It takes {plural(k, 'partner')} to reach {level}: {who}."


def _limits_said(contents: PartnerContents) -> str:
    """Say what holds output down with the best set, and who would help next."""
    if contents.detail is None or contents.best.coverage >= 1.0 - LITTLE:
        return ""
    parts = []
    names = [contents.product_called(p) for p in contents.limits["product"]]
    if names:
        parts.append(f"Then output is held down by {listing(names, 3)}")
    if contents.helps.height:
        gain = float(contents.helps["gain"][0])
        alike = contents.helps.filter(pl.col("gain") >= gain - LITTLE)["name"].to_list()
        who = " or ".join(alike[:3])
        tail = f"{who} as one more partner would add {percent(gain)} of demand"
        parts.append(tail if parts else capital(tail))
    elif contents.marginal.height:
        tail = "no single partner more would help"
        parts.append(tail if parts else capital(tail))
    return "; ".join(parts) + "." if parts else ""


def _most_said(contents: PartnerContents) -> str:
    """Say who contributes most over all orders; who cannot be told apart is named together."""
    if contents.shares is None or contents.shares.height == 0:
        return ""
    row = contents.shares.row(0, named=True)
    if row["shapley"] <= LITTLE:
        return ""
    order = "Over all orders in which partners could be won,"
    said = f"{percent(row['shapley'])} of {contents.whole}"
    if row["standard_error"] <= 0:
        return f"{order} {contents.called(row['partner'])} adds most on average: {said}."
    spread = (pl.col("standard_error") ** 2 + row["standard_error"] ** 2).sqrt()
    is_alike = pl.col("shapley") >= row["shapley"] - SURE * spread
    alike = contents.all_called(contents.shares.filter(is_alike)["partner"])
    drawn = f"(drawn, standard error {percent(row['standard_error'], 2)})"
    if len(alike) == 1:
        return f"{order} {alike[0]} adds most on average: {said} {drawn}."
    return f"{order} {listing(alike)} add most on average, {alike[0]} {said} {drawn}."


def _reliability_said(contents: PartnerContents) -> str:
    best = contents.best
    if best.expected is not None:
        return (
            "If each partner fails by itself with one minus its reliability,"
            f" {percent(best.expected)} is to be expected of this set."
        )
    unknown = [p for p in best.partners if contents.found.reliability.get(p) is None]
    if unknown and contents.knows_reliability:
        return (
            f"How far {listing(contents.all_called(unknown), MOST_NAMED)} can be relied upon is not"
            " stated, so no coverage is to be expected."
        )
    if unknown:
        return (
            "How far partners can be relied upon is not stated (column reliability of the table"
            " regions, or --reliability)."
        )
    return ""


def law_said(contents: PartnerContents) -> str:
    """Name the regions that the law leaves out; nothing where there are none."""
    if not contents.not_allowed:
        return ""
    who = contents.all_called(contents.not_allowed)
    verb = "is" if len(who) == 1 else "are"
    return f"{listing(who, 12)} {verb} not allowed to supply, and in no set."
