"""The tables of partners, for page and workbook alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report.capability_tables import noted_table
from withstand.report.chokepoints import home_labels
from withstand.report.tables import Column, Table, make_table
from withstand.report.words import clean

if TYPE_CHECKING:
    from withstand.report.partner_contents import PartnerContents
    from withstand.report.tables import Spec

_NAME = {"name": ("Partner", "text", ""), "partner": ("Label", "text", "")}


def sets_table(contents: PartnerContents) -> Table:
    """Return the best set of each size."""
    spec: Spec = {
        "k": ("Partners", "count", ""),
        "names": ("Best set", "prose", ""),
        "coverage": ("Coverage", "share", ""),
        "gain": ("More than with one fewer", "share", ""),
        "gap": ("Another set covers more by at most", "share", ""),
        "ties": ("Sets that cover as much", "count", ""),
        "expected": ("To be expected, if partners fail", "share", ""),
        "method": ("Found by", "text", ""),
    }
    if not contents.has_expected:
        del spec["expected"]
    if len(set(contents.sets["method"])) < 2:
        del spec["method"]
    what = "share of demand met" if contents.is_physical else f"share of {contents.whole}"
    frame = contents.sets.with_columns(
        pl.col("names").replace("", "nobody"), pl.col("method").str.replace("_", " ")
    )
    return make_table("Best partners", f"The best set of each size: {what}.", frame, spec)


def ties_table(contents: PartnerContents) -> Table | None:
    """Return the sets that cover as much as the best one; None where there is no other."""
    rows = [
        (s.k, ", ".join(contents.all_called(tied)), s.coverage)
        for s in contents.found.sets
        if s.k and len(s.tied) > 1
        for tied in s.tied
    ]
    if not rows:
        return None
    schema = {"k": pl.Int64, "names": pl.String, "coverage": pl.Float64}
    return make_table(
        "Sets that tie",
        "Sets of the same size that cover as much; of many the first twenty.",
        pl.DataFrame(rows, schema=schema, orient="row"),
        {
            "k": ("Partners", "count", ""),
            "names": ("Set", "prose", ""),
            "coverage": ("Coverage", "share", ""),
        },
    )


def shares_table(contents: PartnerContents) -> Table | None:
    """Return what each partner contributes; None where it was not computed."""
    if contents.shares is None:
        return None
    spec: Spec = {
        **_NAME,
        "shapley": ("Adds on average over all orders", "share", ""),
        "standard_error": ("Standard error", "share", ""),
        "share_of_gain": ("Of all that partners add", "share", ""),
        "alone": ("Adds to home alone", "share", ""),
        "last": ("Lost if only it is missing", "share", ""),
        "reliability": ("Reliability", "index", "0 to 1"),
        "is_best": ("In the best set", "text", ""),
    }
    if not float(contents.shares["standard_error"].max() or 0.0):  # type: ignore[arg-type]
        del spec["standard_error"]
    if not contents.knows_reliability:
        del spec["reliability"]
    if not contents.is_physical:  # shares of value add up: all three are the same
        del spec["alone"], spec["last"]
    title = "What each partner contributes, over all orders in which partners could be won."
    return make_table("Partner contributions", title, contents.shares, spec)


def pairs_table(contents: PartnerContents) -> Table | None:
    """Return the pairs that complement or replace each other."""
    if contents.pairs.height == 0:
        return None
    spec: Spec = {
        "name": ("Partner", "text", ""),
        "other_name": ("With", "text", ""),
        "relation": ("They are", "text", ""),
        "interaction": ("Together beyond each", "share", ""),
        "standard_error": ("Standard error", "share", ""),
    }
    if not float(contents.pairs["standard_error"].max() or 0.0):  # type: ignore[arg-type]
        del spec["standard_error"]
    title = "Pairs that add more together than each by itself (complements), or less (substitutes)."
    return make_table("Partner pairs", title, contents.pairs, spec)


def limits_table(contents: PartnerContents) -> Table | None:
    """Return what limits output with the best set."""
    if contents.limits.height == 0:
        return None
    return make_table(
        "Limits with partners",
        "Products that limit output when only home and the best set supply.",
        contents.limits,
        {
            "name": ("Product", "text", ""),
            "product": ("Label", "text", ""),
            "kind": ("Kind", "text", ""),
            "share_left": ("Suppliers left, by volume", "share", ""),
            "covered": ("Need they cover", "share", ""),
            "gain": ("Output gained by a tenth more", "share", ""),
        },
    )


def helps_table(contents: PartnerContents) -> Table | None:
    """Return what one partner more would add; None where none would."""
    if contents.helps.height == 0:
        return None
    return make_table(
        "One partner more",
        "What one partner more would add to the best set.",
        contents.helps,
        {
            **_NAME,
            "gain": ("Adds", "share", ""),
            "coverage": ("Coverage with it", "share", ""),
        },
    )


def channels_table(contents: PartnerContents) -> Table | None:
    """Return who could supply and does not yet; None where nobody is known."""
    if contents.channels.height == 0:
        return None
    of_trade = contents.flows or contents.network.settings.currency
    frame = contents.with_names(contents.channels.rename({"name": "what"}), "region")
    spec: Spec = {
        "what": ("Product", "text", ""),
        "product": ("Label", "text", ""),
        "from_abroad": ("Bought abroad", "share", ""),
        "name": ("Could supply", "text", ""),
        "size": ("Makes or exports", "number", clean(of_trade) if of_trade else "units"),
        "share": ("Of all makers", "share", ""),
        "concentration": ("Herfindahl index of makers", "index", "0 to 1"),
        "reliability": ("Reliability", "index", "0 to 1"),
        "distance": ("Distance", "number", "km"),
        "source": ("Found in", "text", ""),
    }
    for name in ("reliability", "distance"):
        if frame[name].null_count() == frame.height:
            del spec[name]
    title = "Regions that make what home buys abroad, and do not supply home yet."
    return make_table("New channels", title, frame, spec)


def gives_table(contents: PartnerContents) -> Table | None:
    """Return what home can give in return; None where nothing is known."""
    if contents.gives.height == 0:
        return None
    currency = contents.flows or contents.network.settings.currency or "currency"
    frame = contents.with_names(contents.gives.rename({"name": "what"}), "partner")
    frame = frame.with_columns(
        pl.Series("from", [None if x is None else contents.called(x) for x in frame["largest"]],
                  dtype=pl.String)
    )  # fmt: skip
    spec: Spec = {
        "name": ("Partner", "text", ""),
        "what": ("Product", "text", ""),
        "product": ("Label", "text", ""),
        "bought_abroad": ("It buys abroad", "number", clean(currency)),
        "concentration": ("Herfindahl index of its sources", "index", "0 to 1"),
        "from": ("Largest source", "text", ""),
        "from_home": ("Of that from home", "share", ""),
        "capability": ("Home is specialised", "index", "1: as others"),
        "basis": ("By", "text", ""),
    }
    if (frame["what"] == frame["product"]).all():
        del spec["what"]
    return make_table(
        "In return", "What partners buy abroad and home makes: what it can give.", frame, spec
    )


def excluded_table(contents: PartnerContents) -> Table | None:
    """Return who is in no set, and why; None where nobody is left out."""
    if contents.found.excluded.height == 0:
        return None
    return make_table(
        "Never proposed",
        "Regions that are in no set, and why.",
        contents.with_names(contents.found.excluded, "region"),
        {
            "name": ("Region", "text", ""),
            "region": ("Label", "text", ""),
            "candidate": ("Asked for as", "text", ""),
            "reason": ("Reason", "prose", ""),
        },
    )


def partner_tables(contents: PartnerContents) -> list[Table]:
    """Return every table that has something to show, in the order of the page."""
    found = [
        sets_table(contents),
        ties_table(contents),
        shares_table(contents),
        pairs_table(contents),
        limits_table(contents),
        helps_table(contents),
        channels_table(contents),
        gives_table(contents),
        excluded_table(contents),
        noted_table(contents.findings),
    ]
    return [t for t in found if t is not None]


def partner_settings_table(contents: PartnerContents) -> Table:
    """Return what it takes to compute it again."""
    proof = contents.found.provenance
    asked = proof.parameters
    rows = [
        ("Network", contents.network.name),
        ("Fingerprint of its tables", proof.fingerprint),
        ("Home", ", ".join(home_labels(contents.network)) or ", ".join(contents.found.home)),
        ("Coverage is counted", contents.found.kind),
        ("Candidates", ", ".join(contents.found.candidates)),
        *((f"Argument {k}", str(asked[k])) for k in
          ("most", "assume_recipe", "slack", "limit", "best", "samples") if k in asked),
        ("Seed", str(proof.seed)),
        ("Flows of trade", contents.flows or "none"),
        ("Computed", contents.made_at),
        *((f"Version of {k}", v) for k, v in proof.versions.items()),
    ]  # fmt: skip
    return Table(
        name="Settings",
        title="What it takes to compute this report again.",
        frame=pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        columns=(Column(header="What"), Column(header="Value", kind="prose")),
    )
