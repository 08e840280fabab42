"""From items, recipes and suppliers to our own tables, and from our columns back to theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.countries import country_name
from withstand.model.findings import Finding, Origin, listed, make_finding
from withstand.model.tables import EVERY_BUYER
from withstand.readers.plant_skills import occupations_of, programmes_of, skill_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.settings import Settings


def convert(
    frames: Mapping[str, pl.DataFrame],
    places: Mapping[str, Origin],
    settings: Settings,
    *,
    has_regions: bool,
) -> tuple[dict[str, pl.DataFrame], dict[str, Origin], list[Finding]]:
    """Return canonical tables, where each row of them stands in the files, and notes.

    Parameters
    ----------
    frames : mapping of str to polars.DataFrame
        items, suppliers, and optionally recipes, occupations, in their types.
    places : mapping of str to Origin
        Where these stand.
    settings : Settings
    has_regions : bool
        Whether a table of regions is given; else the regions are those of the suppliers.
    """
    findings: list[Finding] = []
    tables: dict[str, pl.DataFrame] = {"products": _products(frames["items"])}
    if "recipes" in frames:
        tables["recipes"] = _recipes(frames["recipes"])
    tables["nodes"] = _nodes(frames["suppliers"])
    if not has_regions:
        tables["regions"] = _regions(tables["nodes"], settings)
    tables["links"] = _links(frames["suppliers"], tables["nodes"])
    origins = _canonical_origins(places)
    tables["stocks"] = _stocks(frames["suppliers"], tables, findings, origins)
    if "occupations" in frames:
        tables["occupations"] = occupations_of(frames["occupations"], settings)
        _train(frames["occupations"], settings, places["occupations"], tables, origins)
    is_home_known = has_regions or settings.home in tables["nodes"]["region"]
    skills = skill_nodes(tables, frames.get("occupations"), settings)
    if skills.height and is_home_known:
        stated = [origins["nodes"].row_of(i) or 0 for i in range(tables["nodes"].height)]
        origins["nodes"] = replace(origins["nodes"], rows=[*stated, *[0] * skills.height])
        tables["nodes"] = pl.concat([tables["nodes"], skills], how="diagonal")
        findings.append(
            make_finding(
                "N206",
                f"{listed(skills['product'].to_list())} are supplied at home",
                origin=places["items"],
                count=skills.height,
            )
        )
    return tables, origins, findings


def _train(
    occupations: pl.DataFrame,
    settings: Settings,
    place: Origin,
    tables: dict[str, pl.DataFrame],
    origins: dict[str, Origin],
) -> None:
    """Add the programmes that the table of occupations states."""
    found = programmes_of(occupations, settings)
    if found is None:
        return
    tables["programmes"], rows, names = found
    shown = {new: (place.names or {}).get(old, old) for new, old in names.items()}
    places = [place.row_of(row) or 0 for row in rows]
    origins["programmes"] = replace(place, names={**(place.names or {}), **shown}, rows=places)


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
    """Return the regions of suppliers, home first, with names where the code is a country's."""
    seen = nodes["region"].unique(maintain_order=True).to_list()
    labels = sorted(seen, key=lambda label: label != settings.home)
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
    origins: dict[str, Origin],
) -> pl.DataFrame:
    """Stock per item in periods of use: the suppliers' stocks weighted by their shares."""
    if "inventory" not in suppliers.columns:
        return pl.DataFrame(schema={"node": pl.String, "product": pl.String})
    basis = ["inventory_basis"] if "inventory_basis" in suppliers.columns else []
    stocks = (
        suppliers.with_row_index("row")
        .group_by("item", maintain_order=True)
        .agg(
            (pl.col("share") * pl.col("inventory").fill_null(0.0)).sum().alias("periods_of_use"),
            *(pl.col(c).first().alias("basis") for c in basis),
            pl.col("row").first(),
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
                origin=origins["stocks"],
                column="periods_of_use",
                count=outside.height,
            )
        )
    kept = stocks.filter(pl.col("item").is_in(used.implode()))
    rows = [origins["stocks"].row_of(row) or 0 for row in kept["row"]]
    origins["stocks"] = replace(origins["stocks"], rows=rows)
    return kept.select(
        pl.lit(EVERY_BUYER).alias("node"),
        pl.col("item").alias("product"),
        pl.exclude("item", "row"),
    )


def _canonical_origins(origins: Mapping[str, Origin]) -> dict[str, Origin]:
    """Point findings about our tables at the user's own files and headers."""

    def via(source: str, names: Mapping[str, str]) -> Origin:
        origin = origins[source]
        shown = {new: (origin.names or {}).get(old, old) for new, old in names.items()}
        return replace(origin, names={**(origin.names or {}), **shown})

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
        result["occupations"] = via(
            "occupations", {"occupation": "id", "name": "occupation", "product": "id"}
        )
    return result
