"""The tables of trade screens, for page and workbook alike: codes, shares, values with units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.measures.import_concentrations import INDICATORS
from withstand.model.finding_codes import CODES
from withstand.report.tables import Column, Table, make_table
from withstand.report.words import clean, percent

if TYPE_CHECKING:
    from withstand.report.tables import Spec
    from withstand.report.trade_contents import TradeContents

_PRODUCT: Spec = {"product": ("Code", "text", ""), "name": ("Product", "text", "")}
_SHORT = {
    "import_hhi": "HHI of imports from outside",
    "extra_share": "From outside, of all imports",
    "import_export_ratio": "Imports over exports",
    "world_export_hhi": "HHI of the world's exports",
    "largest_share": "Largest supplier's share",
    "world_largest_share": "Largest exporter's share of the world",
    "main_supplier_leads": "Largest supplier is the world's largest exporter",
}
_SHARES = ("extra_share", "largest_share", "world_largest_share")


def products_table(contents: TradeContents) -> Table:
    """Return every product in the last year: which screens flag it, how near it is, who supplies.

    A cell of a screen is yes, no, or empty where years of its window are missing.
    """
    screens = {
        p.name: (f"Flagged by {clean(p.name)}", "text", "") for p in contents.screens.presets
    }
    spec: Spec = {
        **_PRODUCT,
        "flags": ("Screens that flag it", "count", ""),
        **screens,
        "margin": (f"Margin in {clean(contents.preset.name)}", "share", ""),
        "probability": ("Chance of being flagged", "share", ""),
        "supplier": ("Largest supplier", "text", ""),
        "largest_share": (_SHORT["largest_share"], "share", ""),
        "suppliers": ("Suppliers", "count", ""),
        "imports": ("Imports from outside", "number", contents.cube.value_unit),
    }
    if contents.screens.error is None:
        del spec["probability"]
    title = f"Every product in {contents.year}, the worst first."
    return make_table("Products", title, contents.ranked, spec)


def indicators_table(contents: TradeContents) -> Table:
    """Return the indicators of every product and year."""
    unit = contents.cube.value_unit
    frame = contents.screens.indicators.with_columns(
        name=pl.Series(
            [contents.called(p) for p in contents.screens.indicators["product"]], dtype=pl.String
        )
    )
    spec: Spec = {"year": ("Year", "text", ""), **_PRODUCT}
    spec |= {
        "imports": ("Imports from outside", "number", unit),
        "intra_imports": ("Imports from other members", "number", unit),
        "exports": ("Exports", "number", unit),
        "suppliers": ("Suppliers", "count", ""),
    }
    spec |= {
        name: (_SHORT[name], "share" if name in _SHARES else "number", "") for name in INDICATORS
    }
    title = "What the screens look at, product by product and year by year."
    return make_table("Indicators", title, frame, spec)


def conditions_table(contents: TradeContents) -> Table:
    """Return the distance of every product to every threshold in the last year."""
    return make_table(
        "Distances",
        f"How far each product is from each threshold in {contents.year}; above 0 is beyond it.",
        contents.conditions,
        {
            **_PRODUCT,
            "preset": ("Screen", "text", ""),
            "condition": ("Condition", "text", ""),
            "words": ("Meaning", "text", ""),
            "value": ("Value", "number", ""),
            "sign": ("Sign", "text", ""),
            "threshold": ("Threshold", "number", ""),
            "holds": ("Holds", "text", ""),
            "distance": ("Distance", "number", ""),
            "relative": ("Distance, of the threshold", "share", ""),
        },
    )


def years_table(contents: TradeContents) -> Table:
    """Return in which years the leading screen flags what it ever flags."""
    frame = contents.by_year.with_columns(
        name=pl.Series([contents.called(p) for p in contents.by_year["product"]], dtype=pl.String)
    )
    return make_table(
        "Flags by year",
        f"What {clean(contents.preset.name)} ever flags, and how it stands in each year.",
        frame,
        {
            **_PRODUCT,
            "year": ("Year", "text", ""),
            "state": ("State", "text", ""),
            "margin": ("Margin", "share", ""),
        },
    )


def churn_table(contents: TradeContents, preset: str = "") -> Table:
    """Return how many products each screen (or one) flags by year, and how many leave."""
    frame = contents.counts
    return make_table(
        "Churn",
        "How many products a screen flags, and how many leave its list within a year.",
        frame.filter(pl.col("preset") == preset) if preset else frame,
        {
            "preset": ("Screen", "text", ""),
            "year": ("Year", "text", ""),
            "flagged": ("Flagged", "count", ""),
            "entered": ("Came", "count", ""),
            "left": ("Left", "count", ""),
            "share_left": ("Left, of those before", "share", ""),
        },
    )


def sureness_table(contents: TradeContents) -> Table | None:
    """Return the chance of being flagged given errors in reports; None where it was not asked."""
    error = contents.screens.error
    if error is None:
        return None
    frame = contents.sureness.with_columns(
        name=pl.Series([contents.called(p) for p in contents.sureness["product"]], dtype=pl.String)
    )
    return make_table(
        "Chances",
        f"The chance that {clean(contents.preset.name)} flags a product in {contents.year}, given a"
        f" spread of {percent(error.spread, 0)} in what is reported ({error.draws:,} draws).",
        frame,
        {
            **_PRODUCT,
            "flagged": ("Flagged as reported", "text", ""),
            "margin": ("Margin", "share", ""),
            "probability": ("Chance", "share", ""),
            "standard_error": ("Standard error of the chance", "share", ""),
        },
    )


def suppliers_table(contents: TradeContents) -> Table:
    """Return who supplies the first products."""
    frame = contents.suppliers
    named = frame.with_columns(
        name=pl.Series([contents.called(p) for p in frame["product"]], dtype=pl.String),
        supplier=pl.Series([contents.place(r) for r in frame["exporter"]], dtype=pl.String),
    )
    measure = str(contents.screens.conventions["measure"])
    unit = contents.cube.value_unit if measure == "value" else contents.cube.quantity_unit
    return make_table(
        "Suppliers",
        f"Who supplies the products shown from outside in {contents.year}, the largest first.",
        named,
        {
            **_PRODUCT,
            "supplier": ("Supplier", "text", ""),
            measure: ("Imports from there", "number", unit),
            "share": ("Share of imports from outside", "share", ""),
        },
    )


def materials_table(contents: TradeContents) -> Table | None:
    """Return raw materials: supply risk, importance, and how concentrated production is."""
    if contents.materials is None:
        return None
    spec: Spec = {
        "material": ("Material", "text", ""),
        "sr_low": ("Supply risk, best end", "number", ""),
        "sr_high": ("Supply risk, worst end", "number", ""),
        "ei": ("Economic importance", "number", ""),
        "critical": ("Critical", "text", ""),
        "hhi": ("HHI of production", "number", ""),
        "largest": ("Largest producer", "text", ""),
        "largest_share": ("Its share", "share", ""),
        "year": ("Production of", "text", ""),
    }
    frame = contents.materials
    if contents.risk is None:
        for name in ("sr_low", "sr_high", "ei", "critical"):
            del spec[name]
    elif not frame["ei"].count():
        del spec["ei"], spec["critical"]
    spec = {k: v for k, v in spec.items() if k in frame.columns}
    title = "Raw materials, the largest supply risk first."
    if contents.risk is None:
        title = "Raw materials, the most concentrated production first."
    return make_table("Raw materials", title, frame, spec)


def loss_table(contents: TradeContents) -> Table | None:
    """Return what the loss of the largest supplier means; None where nothing is flagged."""
    if contents.after_loss is None:
        return None
    frame = contents.after_loss
    spec: Spec = {
        **_PRODUCT,
        "supplier": ("Without", "text", ""),
        "share_lost": ("Lost, of all imports", "share", ""),
        "days_to_shortage": ("First short", "number", "days"),
        "days_lost": ("Use missed within a year", "number", "days of use"),
        "sigma": ("Elasticity after a year", "number", ""),
        "substitutable": ("Can be replaced", "text", ""),
        "price_factor_after_a_year": ("Price after a year, today is 1", "number", ""),
    }
    if not frame["sigma"].count():
        del spec["sigma"], spec["substitutable"], spec["price_factor_after_a_year"]
    return make_table(
        "After a loss",
        "If the largest supplier of a flagged product stops: days while others step in, and prices"
        " after a year.",
        frame,
        spec,
    )


def against_table(contents: TradeContents) -> Table | None:
    """Return what a network buys of what is screened; None without a network."""
    if contents.against is None:
        return None
    return make_table(
        "Against the network",
        f"Products of {clean(contents.network)} by their code: how the screens see them for"
        f" {clean(contents.screens.bloc)}, and how the network itself buys them.",
        contents.against,
        {
            "product": ("Product", "text", ""),
            "name": ("Name", "text", ""),
            "hs": ("Code", "text", ""),
            "flags": ("Screens that flag it", "count", ""),
            "margin": (f"Margin in {clean(contents.preset.name)}", "share", ""),
            "supplier": ("Largest supplier of the bloc", "text", ""),
            "supplier_share": ("Its share", "share", ""),
            "largest": ("Largest source of the network", "text", ""),
            "largest_share": ("Its share of the network's purchases", "share", ""),
            "outside_home": ("Network buys outside home", "share", ""),
        },
    )


def cube_table(contents: TradeContents) -> Table:
    """Return what the files hold, year by year."""
    cube = contents.cube
    return make_table(
        "Data",
        "What was read, year by year.",
        cube.summary(),
        {
            "year": ("Year", "text", ""),
            "flows": ("Flows", "count", ""),
            "value": ("Value", "number", cube.value_unit),
            "quantity": ("Quantity", "number", cube.quantity_unit),
            "without_quantity": ("Flows without a quantity", "share", ""),
        },
    )


def screens_table(contents: TradeContents) -> Table:
    """Return the screens: conditions with thresholds, and where they are from."""
    rows = [
        (p.name, p.title, c.name, c.words, f"{_SHORT[c.indicator]} {c.sign} {c.threshold:g}",
         c.basis, f"{p.needed} of {p.window}", p.source)
        for p in contents.screens.presets for c in p.conditions
    ]  # fmt: skip
    headers = ("Screen", "Title", "Condition", "Meaning", "Rule", "Basis", "Years needed", "Source")
    return Table(
        name="Screens",
        title="The screens: all conditions must hold, in so many of the last years.",
        frame=pl.DataFrame(rows, schema=[h.casefold() for h in headers], orient="row"),
        columns=tuple(
            Column(header=h, kind="prose" if h in ("Title", "Source") else "text") for h in headers
        ),
    )


def trade_tables(contents: TradeContents) -> list[Table]:
    """Return every table that has something to show, in the order of the page."""
    found = [
        products_table(contents),
        conditions_table(contents),
        years_table(contents),
        churn_table(contents),
        sureness_table(contents),
        suppliers_table(contents),
        materials_table(contents),
        loss_table(contents),
        against_table(contents),
        indicators_table(contents),
        cube_table(contents),
        screens_table(contents),
        trade_findings_table(contents),
    ]
    return [t for t in found if t is not None and t.frame.height]


def trade_findings_table(contents: TradeContents) -> Table | None:
    """Return what was noted on the way: the traps of trade data; None where nothing was."""
    rows = [(f.code, CODES[f.code].title, f.place, f.what, f.fix) for f in contents.findings]
    if not rows:
        return None
    return Table(
        name="Findings",
        title="What was noted in the data, and what was done about it.",
        frame=pl.DataFrame(rows, schema=["code", "title", "place", "what", "fix"], orient="row"),
        columns=tuple(
            Column(header=h, kind="prose" if h in ("What", "How to mend it") else "text")
            for h in ("Code", "Rule", "Where", "What", "How to mend it")
        ),
    )


def trade_settings_table(contents: TradeContents) -> Table:
    """Return what it takes to compute it again."""
    screens, c = contents.screens, contents.screens.conventions
    proof = screens.provenance
    error = screens.error
    said = "none" if error is None else (
        f"spread {error.spread:g}, {error.draws} draws, seed {error.seed}"
    )  # fmt: skip
    rows = [
        ("Data", contents.cube.name),
        ("Codes", contents.cube.vintage),
        ("Fingerprint of its flows", proof.fingerprint),
        ("Bloc", screens.bloc),
        ("Years", f"{contents.first} to {contents.year}"),
        ("Screens", ", ".join(p.name for p in screens.presets)),
        ("Imports are divided by", "all exports" if c["exports"] == "total" else "exports outside"),
        ("Counted by", str(c["measure"])),
        ("Exporters of the world", str(c["world_exports"]).replace("_", " ")),
        ("Imports below which nothing is flagged", f"{c['minimum_imports']:g}"),
        ("Errors in reports", said),
        ("Computed", contents.made_at),
        *((f"Version of {k}", v) for k, v in proof.versions.items()),
    ]
    return Table(
        name="Settings",
        title="What it takes to compute this report again.",
        frame=pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        columns=(Column(header="What"), Column(header="Value", kind="prose")),
    )
