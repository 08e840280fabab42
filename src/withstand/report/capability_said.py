"""What is said of capability in sentences, with numbers from the results only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report.headline import Card
from withstand.report.words import clean, clip, listing, number, percent, plural

if TYPE_CHECKING:
    from withstand.report.capability_contents import CapabilityContents

LEADERS, LONGEST = 3, 60
HOW = (
    "A place has a product if its share of it is as large as in the whole or larger (revealed"
    " comparative advantage, RCA, at the threshold). From who has what come the economic complexity"
    " index of places (ECI) and the index of products (PCI): places that have much that few others"
    " have stand high, and so do products that only such places have.",
    "Density is how much of what is akin to a product a place has already, 0 to 1: how near it is."
    " COG is what it would open: the gain of the outlook index. RCA of what a place lacks is below"
    " the threshold.",
    "What is within reach is ranked by standing among the candidates, 0 to 1: density counts as"
    " much as PCI and COG together. The score puts candidates in an order and says nothing more.",
    "Intervals of ranks come from drawing the products (for places) or the places (for products)"
    " again and enclose nine tenths of the draws. They know nothing of what the table leaves out.",
    "A location quotient is the share of an activity in a region over its share in the whole;"
    " related density is the share of akin activities that stand out there.",
)


def title(contents: CapabilityContents) -> str:
    """Say where home stands, or who leads."""
    row = contents.home_row
    if row is None:
        leaders = contents.places.filter(pl.col("rank").is_not_null())["place"]
        if not leaders.len():
            return "This table gives no place a rank"
        return f"{listing(leaders.head(LEADERS).to_list())} can do what few others can"
    home = clean(contents.home)
    if row["rank"] is None:
        return f"{home} shares nothing with the rest of the table, so it has no rank"
    many = contents.places.filter(pl.col("rank").is_not_null()).height
    return f"{home} is number {row['rank']} of {many:,} in economic complexity"


def sentences(contents: CapabilityContents) -> list[str]:
    """Return what was found, in order of weight."""
    said = [
        title(contents) + ".",
        _interval_said(contents),
        _leaders_said(contents),
        _doubts_said(contents),
        _reach_said(contents),
        _localise_said(contents),
        _regional_said(contents),
    ]
    return [s for s in said if s]


def cards(contents: CapabilityContents) -> list[Card]:
    """Return the big numbers."""
    found = contents.complexity
    row = contents.home_row
    made = []
    if row is not None and row["rank"] is not None:
        note = ""
        if row["low"] is not None:
            note = f"{row['low']} to {row['high']} in nine of ten draws"
        made.append(
            Card(number=str(row["rank"]), what=f"is the rank of {clean(contents.home)} in economic"
                 " complexity", note=note)
        )  # fmt: skip
    if row is not None:
        made.append(
            Card(number=f"{row['diversity']:,}",
                 what=f"of {len(found.products):,} products stand out in"
                 f" {clean(contents.home)}", note=f"RCA of {found.threshold:g} or more")
        )  # fmt: skip
    else:
        made.append(Card(number=f"{len(found.places):,}", what="places"))
        made.append(Card(number=f"{len(found.products):,}", what="products"))
    best = contents.candidates.head(1)
    if contents.reach is not None and best.height and best["score"][0] is not None:
        row = best.row(0, named=True)
        made.append(
            Card(number=f"{row['density']:.2f}",
                 what=f"is the density around {row['name']}, the best that it lacks",
                 note="how much of what is akin it has, 0 to 1")
        )  # fmt: skip
    return made


def _interval_said(contents: CapabilityContents) -> str:
    row = contents.home_row
    if contents.place_ranks is None:
        return ""
    first = ""
    if row is not None and row["low"] is not None:
        first = (
            f"With other draws of products its rank lies between {row['low']} and {row['high']} in"
            " nine of ten. "
        )
    return first + _first_upper(contents.place_ranks.summary())


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _leaders_said(contents: CapabilityContents) -> str:
    """Say who and what stands highest."""
    places = contents.places.filter(pl.col("rank").is_not_null()).head(LEADERS)
    products = contents.products.filter(pl.col("rank").is_not_null()).head(LEADERS)
    if not places.height:
        return ""
    return (
        f"Highest are {listing(places['place'].to_list())}; hardest to do are"
        f" {listing([clip(n, LONGEST) for n in products['name']])}."
    )


def _doubts_said(contents: CapabilityContents) -> str:
    """Say why the index may be none."""
    if not contents.doubts:
        return ""
    said = "; ".join(clean(f.what) for f in contents.doubts)
    return f"Mind the index: {said}."


def _reach_said(contents: CapabilityContents) -> str:
    if contents.reach is None:
        return ""
    ranked = contents.candidates.filter(pl.col("score").is_not_null())
    home = clean(contents.home)
    if not ranked.height:
        return f"{home} lacks nothing that could be ranked."
    row = ranked.row(0, named=True)
    return (
        f"Of {plural(ranked.height, 'product')} that {home} lacks, {row['name']} is best in reach"
        f" and worth: density {row['density']:.2f}, PCI {number(row['pci'], 2)}."
    )


def _localise_said(contents: CapabilityContents) -> str:
    if contents.localise is None:
        return ""
    rows = contents.localise.to_frame().filter(pl.col("rank").is_not_null())
    if not rows.height:
        return (
            f"Nothing that {clean(contents.against)} buys outside home is known in this table well"
            " enough for a rank."
        )
    names = [
        clip(n or p, LONGEST) for n, p in rows.head(LEADERS).select("name", "product").iter_rows()
    ]
    return (
        f"Of what {clean(contents.against)} buys outside home, {listing(names)} come first:"
        " dangerous to depend on, within reach and worth it."
    )


def _regional_said(contents: CapabilityContents) -> str:
    rows = contents.quotient_rows
    if contents.quotients is None:
        return ""
    if contents.home is None:
        return clean(contents.quotients.summary())
    known = rows.filter(pl.col("lq").is_not_null())
    if not known.height:
        return ""
    row = known.row(0, named=True)
    near = contents.near_rows.head(1)
    more = ""
    if near.height:
        more = (
            f"; of what it lacks, most is akin to {near['name'][0]}"
            f" ({percent(near['density'][0])} of that stands out there)"
        )
    return (
        f"{row['name']} stands out most in {clean(contents.home)}: {number(row['lq'], 1)} times the"
        f" share in the whole{more}."
    )
