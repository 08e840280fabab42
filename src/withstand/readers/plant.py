"""Plant shorthand: items, recipes and suppliers (one row per item and supplier) -> our tables.

Each (item, supplier) becomes a node; recipes given per item hold for its nodes whose recipe is
known. Rows keep their order, so that a finding about a node or a link points at its row in
suppliers. Units stand in the headers (`lead_time_weeks`, `capacity_per_year`, `price_usd`) and are
converted once, here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.conforming import conform
from withstand.model.countries import country_name, is_region_code, suggest_region
from withstand.model.findings import Finding, Origin, listed, make_finding
from withstand.model.tables import EVERY_BUYER, KINDS, Column, Table
from withstand.model.units import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.settings import Settings
    from withstand.readers.files import RawTable

SHORTHAND_TABLES = ("items", "suppliers")

_PER_YEAR = {"day": 365.0, "week": 52.0, "month": 12.0, "year": 1.0}
_UNIT_HEADER = re.compile(r"(lead_time|inventory|training)_(day|week|month|year)s\Z")
_RATE_HEADER = re.compile(r"(capacity)_per_(day|week|month|year)\Z")
_PRICE_HEADER = re.compile(r"price_([a-z]{3})\Z")


def _column(name: str, meaning: str, type: str = "text", **more: object) -> Column:
    return Column(name=name, meaning=meaning, type=type, **more)  # type: ignore[arg-type]


_NUMBER = {"type": "number", "low": 0.0}
ITEMS = Table(
    name="items",
    meaning="What is made and bought.",
    key=("id",),
    columns=(
        _column("id", "Short label of the item.", "label", required=True),
        _column("name", "Name for people."),
        _column("kind", "What sort of product it is.", "choice", choices=KINDS),
        _column("unit", "Unit in which it is counted."),
        _column("hs_code", "Code of the Harmonized System."),
        _column("technology_domain", "Technology domain, for research options."),
    ),
)
RECIPES = Table(
    name="recipes",
    meaning="What one unit of an item needs.",
    key=("parent", "child"),
    columns=(
        _column("parent", "Item that is made.", "label", required=True),
        _column("child", "Item that is needed.", "label", required=True),
        _column("qty_per_unit", "Needed per unit made.", required=True, **_NUMBER),
        _column("flow_type", "consumed, machine-hours or person-hours."),
        _column(
            "class",
            "What happens without it.",
            "class",
            choices=("minor", "important", "essential"),
        ),
        _column("unit", "Unit in which the quantity is counted."),
    ),
)
SUPPLIERS = Table(
    name="suppliers",
    meaning="One row per item and supplier.",
    key=("item", "supplier"),
    columns=(
        _column("item", "Item that is supplied.", "label", required=True),
        _column("supplier", "Who supplies it.", "label", required=True),
        _column("country", "Where it is made.", "label", required=True),
        _column("share", "Share of all purchases of the item.", required=True, high=1.0, **_NUMBER),
        _column("price", "Price of one unit.", **_NUMBER),
        _column("lead_time", "From shipping to arrival.", **_NUMBER),
        _column("capacity", "Most the supplier can make.", **_NUMBER),
        _column("inventory", "Stock of its deliveries held by buyers.", **_NUMBER),
        _column("company", "Company."),
        _column("site", "Site."),
        _column("route", "Strait, port, pipeline."),
    ),
)
OCCUPATIONS = Table(
    name="occupations",
    meaning="Skilled people behind the skills.",
    key=("id",),
    columns=(
        _column("id", "Skill that is supplied.", "label", required=True),
        _column("occupation", "Name of the occupation."),
        _column("soc", "Code in a national list of occupations."),
        _column("person_hours_per_robot", "Hours stated per final product.", **_NUMBER),
        _column("fte_initial", "People now.", **_NUMBER),
        _column("annual_separation_rate", "Share that leaves in a year.", high=1.0, **_NUMBER),
        _column("us_mean_wage_usd", "Mean wage.", **_NUMBER),
    ),
)
HOURS_PER_YEAR = 1650.0
"""Hours one person works in a year, where the shorthand states none."""


def is_shorthand(tables: Mapping[str, RawTable]) -> bool:
    """Tell whether the raw tables are plant shorthand."""
    return all(name in tables for name in SHORTHAND_TABLES)


def read_plant(
    raw: Mapping[str, RawTable], settings: Settings
) -> tuple[dict[str, pl.DataFrame], dict[str, Origin], list[Finding]]:
    """Return canonical tables, their origins, and findings, from plant shorthand.

    Parameters
    ----------
    raw : mapping of str to RawTable
        items, suppliers, and optionally recipes, occupations, regions, sources.
    settings : Settings
        Its period decides the conversion of weeks and years; its home where skills are.
    """
    findings: list[Finding] = []
    ready: dict[str, pl.DataFrame] = {}
    origins: dict[str, Origin] = {}
    for table in (ITEMS, RECIPES, SUPPLIERS, OCCUPATIONS):
        if table.name in raw:
            frame, origin, found = _prepare(raw[table.name], table, settings)
            ready[table.name], origins[table.name] = frame, origin
            findings += found
    if any(f.severity == "error" for f in findings):
        return {}, {}, findings
    if "regions" not in raw:
        findings += _unknown_countries(ready["suppliers"], origins["suppliers"], settings)
    tables: dict[str, pl.DataFrame] = {"products": _products(ready["items"])}
    if "recipes" in ready:
        tables["recipes"] = _recipes(ready["recipes"])
    tables["nodes"] = _nodes(ready["suppliers"])
    if "regions" not in raw:
        tables["regions"] = _regions(tables["nodes"], settings)
    tables["links"] = _links(ready["suppliers"], tables["nodes"])
    tables["stocks"] = _stocks(ready["suppliers"], tables, findings, origins["suppliers"])
    if "occupations" in ready:
        tables["occupations"] = _occupations(ready["occupations"], settings)
    skills = _skill_nodes(tables, ready.get("occupations"), settings)
    if skills.height:
        tables["nodes"] = pl.concat([tables["nodes"], skills], how="diagonal")
        findings.append(
            make_finding(
                "N206",
                f"{listed(skills['product'].to_list())} are supplied at home",
                origin=origins["items"],
                count=skills.height,
            )
        )
    return tables, _canonical_origins(origins), findings


def _prepare(
    raw: RawTable, table: Table, settings: Settings
) -> tuple[pl.DataFrame, Origin, list[Finding]]:
    """Fold units out of the headers, conform, and convert times and rates to periods."""
    names: dict[str, str] = {}
    factors: dict[str, float] = {}
    per_year = PERIODS_PER_YEAR[settings.period]
    for header in raw.frame.columns:
        folded = header.strip().casefold()
        target = folded
        if match := _UNIT_HEADER.match(folded):
            target = match[1]
            factors[target] = per_year / _PER_YEAR[match[2]]
        elif match := _RATE_HEADER.match(folded):
            target = match[1]
            factors[target] = _PER_YEAR[match[2]] / per_year
        elif _PRICE_HEADER.match(folded):
            target = "price"
        names[header] = target if target in table.names else folded
    renamed = raw.frame
    if len(set(names.values())) == len(names):
        renamed = raw.frame.rename(names)
    letters = {names[h]: x for h, x in (raw.origin.letters or {}).items() if h in names}
    backward = {new: old for old, new in names.items()}
    origin = Origin(raw.origin.file, raw.origin.sheet, letters or None, backward)
    findings: list[Finding] = []
    if "tier" in renamed.columns and table is ITEMS:
        renamed = renamed.drop("tier")
        findings.append(
            make_finding(
                "N102", "tiers are counted from the viewpoint", origin=origin, column="tier"
            )
        )
    frame, found = conform(renamed, table, origin)
    findings += _dropped(found, table, origin)
    if not any(f.severity == "error" for f in findings):
        frame = frame.with_columns(
            pl.col(name) * factor for name, factor in factors.items() if name in frame.columns
        )
    return frame, origin, findings


def _dropped(found: list[Finding], table: Table, origin: Origin) -> list[Finding]:
    """Say that columns the shorthand does not need are left out (occupations keep theirs)."""
    kept = [f for f in found if f.code != "N101"]
    if len(kept) < len(found) and table is not OCCUPATIONS:
        note = next(f for f in found if f.code == "N101")
        named = note.what.split(": ", 1)[1]
        kept.append(
            make_finding(
                "N103",
                f"not needed and left out: {named}",
                origin=origin,
                column=note.column,
                count=note.count,
            )
        )
    return kept


def _unknown_countries(
    suppliers: pl.DataFrame, origin: Origin, settings: Settings
) -> list[Finding]:
    """Find countries that are no code, where no table of regions says what they are."""
    groups = (
        suppliers.with_row_index("row")
        .group_by("country", maintain_order=True)
        .agg(pl.col("row").first(), pl.len().alias("count"))
    )
    findings = []
    for label, row, count in groups.iter_rows():
        if label == settings.home or is_region_code(label):
            continue
        findings.append(
            make_finding(
                "E104",
                "country is no country code and there is no table of regions",
                origin=origin,
                index=row,
                column="country",
                value=label,
                suggestion=suggest_region(label),
                count=count,
            )
        )
    return findings


def _kept(
    frame: pl.DataFrame, columns: Mapping[str, str], notes: Mapping[str, str]
) -> pl.DataFrame:
    """Select columns under new names, with the annotations that belong to them."""
    picked = {new: old for new, old in columns.items() if old in frame.columns}
    picked |= {new: old for new, old in notes.items() if old in frame.columns}
    return frame.select(pl.col(old).alias(new) for new, old in picked.items())


def _products(items: pl.DataFrame) -> pl.DataFrame:
    return _kept(
        items,
        {
            "product": "id",
            "name": "name",
            "kind": "kind",
            "unit": "unit",
            "hs": "hs_code",
            "technology_domain": "technology_domain",
        },
        {"basis": "basis", "source": "source", "as_of": "as_of", "confidence": "confidence"},
    )


def _recipes(recipes: pl.DataFrame) -> pl.DataFrame:
    frame = _kept(
        recipes,
        {
            "buyer": "parent",
            "input": "child",
            "quantity": "qty_per_unit",
            "class": "class",
            "unit": "unit",
        },
        {"basis": "basis", "source": "source"},
    )
    if "flow_type" not in recipes.columns:
        return frame
    flow = recipes["flow_type"].fill_null("consumed").str.to_lowercase()
    use = (
        pl.when(flow.str.contains("hour"))
        .then(pl.lit("hours"))
        .when(flow.str.contains("hosted"))
        .then(pl.lit("hosted"))
        .otherwise(pl.lit("consumed"))
    )
    return frame.with_columns(use.alias("use"))


def _nodes(suppliers: pl.DataFrame) -> pl.DataFrame:
    """One node per row; a supplier of several items becomes one node an item, as a company."""
    frame = _kept(
        suppliers,
        {
            "node": "supplier",
            "product": "item",
            "region": "country",
            "site": "site",
            "company": "company",
            "capacity": "capacity",
            "price": "price",
        },
        {"price_basis": "price_basis", "capacity_basis": "capacity_basis"},
    )
    shared = suppliers["supplier"].is_duplicated()
    if not shared.any():
        return frame
    label = suppliers["item"] + "@" + suppliers["supplier"]
    columns = [pl.when(shared).then(label).otherwise(pl.col("node")).alias("node")]
    if "company" not in frame.columns:
        columns.append(pl.when(shared).then(suppliers["supplier"]).alias("company"))
    return frame.with_columns(columns)


def _links(suppliers: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    frame = _kept(
        suppliers,
        {"product": "item", "share": "share", "lead_time": "lead_time", "route": "route"},
        {"share_basis": "share_basis", "lead_time_basis": "lead_time_basis"},
    )
    return frame.select(
        nodes["node"].alias("supplier"), pl.lit(EVERY_BUYER).alias("buyer"), pl.all()
    )


def _regions(nodes: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The regions that suppliers name, home first, with names where the code is a country's."""
    seen = nodes["region"].unique(maintain_order=True).to_list()
    labels = [x for x in (settings.home,) if x is not None and x not in seen] + seen
    names = ["Home" if x == settings.home else _region_name(x) for x in labels]
    return pl.DataFrame({"region": labels, "name": names})


def _region_name(label: str) -> str:
    """Return `Switzerland, United States and Italy` for CH_US_IT."""
    *first, last = [country_name(part) or part for part in label.split("_")]
    return f"{', '.join(first)} and {last}" if first else last


def _stocks(
    suppliers: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    findings: list[Finding],
    origin: Origin,
) -> pl.DataFrame:
    """Stock per item in periods of use: the suppliers' stocks weighted by their shares."""
    if "inventory" not in suppliers.columns:
        return pl.DataFrame(schema={"node": pl.String, "product": pl.String})
    basis = (
        [pl.col("inventory_basis").first().alias("basis")]
        if ("inventory_basis" in suppliers.columns)
        else []
    )
    stocks = (
        suppliers.group_by("item", maintain_order=True)
        .agg(
            (pl.col("share") * pl.col("inventory").fill_null(0.0)).sum().alias("periods_of_use"),
            *basis,
        )
        .filter(pl.col("periods_of_use") > 0)
    )
    used = tables["recipes"]["input"].unique() if "recipes" in tables else pl.Series([""])
    outside = stocks.filter(~pl.col("item").is_in(used.implode()))
    if outside.height:
        findings.append(
            make_finding(
                "N203",
                f"stock of {listed(outside['item'].to_list())} is held by "
                "customers outside the network",
                origin=origin,
                column="inventory",
                count=outside.height,
            )
        )
    kept = stocks.filter(pl.col("item").is_in(used.implode()))
    return kept.select(
        pl.lit(EVERY_BUYER).alias("node"), pl.col("item").alias("product"), pl.exclude("item")
    )


def _occupations(occupations: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    per_year = PERIODS_PER_YEAR[settings.period]
    frame = _kept(
        occupations,
        {
            "occupation": "id",
            "name": "occupation",
            "code": "soc",
            "people": "fte_initial",
            "people_needed": "fte_needed_at_10k_robots",
            "exit_rate": "annual_separation_rate",
            "wage": "us_mean_wage_usd",
        },
        {},
    )
    used = {
        "id",
        "occupation",
        "soc",
        "fte_initial",
        "fte_needed_at_10k_robots",
        "annual_separation_rate",
        "us_mean_wage_usd",
    }
    rest = [c for c in occupations.columns if c not in used]
    return frame.with_columns(
        occupations["id"].alias("product"),
        pl.lit(HOURS_PER_YEAR / per_year).alias("hours_per_period"),
        *(occupations[c] for c in rest),
    )


def _skill_nodes(
    tables: Mapping[str, pl.DataFrame], occupations: pl.DataFrame | None, settings: Settings
) -> pl.DataFrame:
    """One home node for each skill without a supplier: the larger of its use and stated hours."""
    products = tables["products"]
    if "kind" not in products.columns or settings.home is None:
        return pl.DataFrame()
    skills = products.filter(
        (pl.col("kind") == "skill")
        & ~pl.col("product").is_in(tables["nodes"]["product"].unique().implode())
    )["product"]
    if len(skills) == 0:
        return pl.DataFrame()
    per_year = PERIODS_PER_YEAR[settings.period]
    use = _explosion(tables.get("recipes"), settings.final_demand)
    final = sum(settings.final_demand.values())
    stated: dict[str, float] = {}
    if occupations is not None and "person_hours_per_robot" in occupations.columns:
        stated = {
            label: hours * final
            for label, hours in occupations.select("id", "person_hours_per_robot").iter_rows()
            if hours is not None
        }
    capacity = [max(use.get(s, 0.0), stated.get(s, 0.0)) / per_year for s in skills]
    return pl.DataFrame(
        {
            "node": [f"{s}@{settings.home}" for s in skills],
            "product": skills,
            "region": [settings.home] * len(skills),
            "capacity": [c if c > 0 else None for c in capacity],
            "capacity_basis": ["derived (larger of use and stated hours)"] * len(skills),
        },
        schema_overrides={"capacity": pl.Float64},
    )


def _explosion(recipes: pl.DataFrame | None, demand: Mapping[str, float]) -> dict[str, float]:
    """Use of every product when all producers pass their needs on (ends even on cycles)."""
    rows = [] if recipes is None else list(recipes.select("buyer", "input", "quantity").iter_rows())
    need = dict(demand)
    for _ in range(len(rows) + 1):
        following = dict(demand)
        for buyer, wanted, quantity in rows:
            if buyer in need:
                following[wanted] = following.get(wanted, 0.0) + quantity * need[buyer]
        if following == need:
            break
        need = following
    return {k: v for k, v in need.items() if v < 1e300}


def _canonical_origins(origins: Mapping[str, Origin]) -> dict[str, Origin]:
    """Point findings about our tables at the user's own files and headers."""

    def via(source: str, names: Mapping[str, str]) -> Origin:
        origin = origins[source]
        shown = {new: (origin.names or {}).get(old, old) for new, old in names.items()}
        return Origin(origin.file, origin.sheet, origin.letters, shown)

    result = {
        "products": via("items", {"product": "id", "hs": "hs_code"}),
        "nodes": via(
            "suppliers",
            {
                "node": "supplier",
                "product": "item",
                "region": "country",
                "capacity": "capacity",
                "price": "price",
            },
        ),
        "links": via(
            "suppliers",
            {"supplier": "supplier", "product": "item", "share": "share", "lead_time": "lead_time"},
        ),
        "stocks": via("suppliers", {"product": "item", "periods_of_use": "inventory"}),
    }
    if "recipes" in origins:
        result["recipes"] = via(
            "recipes",
            {"buyer": "parent", "input": "child", "quantity": "qty_per_unit", "use": "flow_type"},
        )
    if "occupations" in origins:
        result["occupations"] = via("occupations", {"occupation": "id", "name": "occupation"})
    return result
