"""The tables of capability, for page and workbook alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.finding_codes import CODES
from withstand.report.tables import Column, Table, make_table
from withstand.report.words import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.findings import Finding
    from withstand.report.capability_contents import CapabilityContents
    from withstand.report.tables import Spec

_PRODUCT = {"name": ("Product", "text", ""), "product": ("Label", "text", "")}
_SD = "standard deviations"


def _fitting(contents: CapabilityContents, spec: Spec, frame: pl.DataFrame) -> Spec:
    """Leave out labels that are the names, and intervals that were not drawn."""
    kept = dict(spec)
    if "product" in kept and not contents.names and (frame["name"] == frame["product"]).all():
        del kept["product"]
    for name in ("low", "high"):
        if name in kept and frame[name].null_count() == frame.height:
            del kept[name]
    return kept


def places_table(contents: CapabilityContents) -> Table:
    """Return the places by rank."""
    spec: Spec = {
        "rank": ("Rank", "count", ""),
        "low": ("From", "count", ""),
        "high": ("To", "count", ""),
        "place": ("Place", "text", ""),
        "eci": ("ECI", "index", _SD),
        "diversity": ("Products with advantage", "count", ""),
        "coi": ("Outlook index (COI)", "index", ""),
        "fitness": ("Fitness", "index", "mean 1"),
    }
    return make_table(
        "Places",
        "Places by economic complexity; from and to enclose nine tenths of the draws.",
        contents.places,
        _fitting(contents, spec, contents.places),
    )


def products_table(contents: CapabilityContents) -> Table:
    """Return the products by rank."""
    spec: Spec = {
        "rank": ("Rank", "count", ""),
        "low": ("From", "count", ""),
        "high": ("To", "count", ""),
        **_PRODUCT,
        "pci": ("PCI", "index", _SD),
        "ubiquity": ("Places with advantage", "count", ""),
        "quality": ("Quality", "index", "mean 1"),
    }
    return make_table(
        "Products",
        "Products by complexity, the hardest to do first.",
        contents.products,
        _fitting(contents, spec, contents.products),
    )


def reach_table(contents: CapabilityContents) -> Table | None:
    """Return what home lacks, best candidate first; None without home."""
    if contents.reach is None:
        return None
    spec: Spec = {
        "rank": ("Rank", "count", ""),
        **_PRODUCT,
        "score": ("Score", "index", "0 to 1"),
        "density": ("Density", "index", "0 to 1"),
        "pci": ("PCI", "index", _SD),
        "cog": ("COG", "index", ""),
        "rca": ("RCA", "index", "ratio"),
    }
    return make_table(
        "Within reach",
        f"What {clean(contents.home)} lacks: near (density), worth it (PCI, COG); best first.",
        contents.candidates,
        _fitting(contents, spec, contents.candidates),
    )


def localise_table(contents: CapabilityContents) -> Table | None:
    """Return what a network buys outside home and home could make; None without a network."""
    if contents.localise is None:
        return None
    frame = contents.localise.to_frame().with_columns(pl.coalesce("name", "product").alias("name"))
    groups = {
        "dangerous": ("Dangerous", "index", "0 to 1"),
        "reachable": ("Within reach", "index", "0 to 1"),
        "worth_it": ("Worth it", "index", "0 to 1"),
    }
    spec: Spec = {
        "rank": ("Rank", "count", ""),
        **_PRODUCT,
        "code": ("Code", "text", ""),
        "score": ("Score", "index", "0 to 1"),
        **{k: v for k, v in groups.items() if k in frame.columns},
        "outside_home": ("Bought outside home", "share", ""),
        "output_lost": ("Demand lost with one region", "share", ""),
        "density": ("Density", "index", "0 to 1"),
        "pci": ("PCI", "index", _SD),
        "cog": ("COG", "index", ""),
        "rca": ("RCA", "index", "ratio"),
        "on_front": ("On the front", "text", ""),
        "missing": ("Not known", "prose", ""),
    }
    return make_table(
        "Candidates to make",
        f"What {clean(contents.against)} buys outside home: dangerous, within reach, worth it.",
        frame,
        {k: v for k, v in spec.items() if k in frame.columns},
    )


def quotients_table(contents: CapabilityContents) -> Table | None:
    """Return what stands out at home; of all regions without home."""
    if contents.quotients is None:
        return None
    if contents.home is None:
        rows = contents.quotients.to_frame().rename({"activity": "product"})
        frame = contents.with_names(rows).sort(
            ["lq", "region", "product"], descending=[True, False, False], nulls_last=True
        )
    else:
        frame = contents.quotient_rows
    spec: Spec = {
        "region": ("Region", "text", ""),
        "name": ("Activity", "text", ""),
        "product": ("Label", "text", ""),
        "value": ("There", "number", ""),
        "lq": ("Location quotient", "index", "1: as in the whole"),
        "density": ("Related density", "index", "0 to 1"),
    }
    return make_table(
        "Location quotients",
        "Activities by location quotient, what stands out most first.",
        frame,
        _fitting(contents, {k: v for k, v in spec.items() if k in frame.columns}, frame),
    )


def near_table(contents: CapabilityContents) -> Table | None:
    """Return what home lacks and has most akin to; None where there is none."""
    if contents.near_rows.height == 0:
        return None
    spec: Spec = {
        "name": ("Activity", "text", ""),
        "product": ("Label", "text", ""),
        "lq": ("Location quotient", "index", "1: as in the whole"),
        "density": ("Related density", "index", "0 to 1"),
    }
    return make_table(
        "Related density",
        f"What does not stand out in {clean(contents.home)}, most akin to what does first.",
        contents.near_rows,
        _fitting(contents, spec, contents.near_rows),
    )


def capability_tables(contents: CapabilityContents) -> list[Table]:
    """Return every table that has something to show, in the order of the page."""
    found = [
        localise_table(contents),
        reach_table(contents),
        places_table(contents),
        products_table(contents),
        quotients_table(contents),
        near_table(contents),
        capability_findings_table(contents),
    ]
    return [t for t in found if t is not None and t.frame.height]


def capability_findings_table(contents: CapabilityContents) -> Table | None:
    """Return what was noted on the way; None where nothing was."""
    return noted_table(contents.findings)


def noted_table(findings: Sequence[Finding]) -> Table | None:
    """Return findings as a table; None where there are none."""
    rows = [(f.code, CODES[f.code].title, f.what, f.fix) for f in findings]
    if not rows:
        return None
    return Table(
        name="Findings",
        title="What was noted in the data.",
        frame=pl.DataFrame(rows, schema=["code", "title", "what", "fix"], orient="row"),
        columns=tuple(
            Column(header=h, kind="prose" if h in ("What", "How to mend it") else "text")
            for h in ("Code", "Rule", "What", "How to mend it")
        ),
    )


def capability_settings_table(contents: CapabilityContents) -> Table:
    """Return what it takes to compute it again."""
    from withstand.model.provenance import versions

    found = contents.complexity
    rows = [
        ("Table", contents.title),
        ("Columns of place, product, value", ", ".join(contents.columns)),
        ("Size", f"{len(found.places):,} places, {len(found.products):,} products"),
        ("Convention", found.convention),
        ("Threshold of RCA", f"{found.threshold:g}"),
        ("Eigenvalues: first, second, third", ", ".join(f"{x:.4g}" for x in found.eigenvalues)),
        ("Home", contents.home or "not stated"),
        ("Against", contents.against or "nothing"),
        ("Draws", f"{contents.draws}, seed {contents.seed}" if contents.draws else "none"),
        ("Computed", contents.made_at),
        *((f"Version of {k}", v) for k, v in versions().items()),
    ]
    return Table(
        name="Settings",
        title="What it takes to compute this report again.",
        frame=pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        columns=(Column(header="What"), Column(header="Value", kind="prose")),
    )
