"""Tables that stand beside trade: governance of regions, materials and their codes, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from withstand.errors import DataError
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import Finding, Origin, listed, make_finding, nearest
from withstand.model.tables import Column, Table
from withstand.model.trade_partners import trade_partner

_SHARES = ("import_reliance", "recycling", "substitution_sr", "substitution_ei")
GOVERNANCE = Table(
    name="governance",
    meaning="How regions are governed.",
    columns=(
        Column(name="region", meaning="The region.", type="label", required=True),
        Column(name="value", meaning="Its governance.", type="number"),
        Column(name="year", meaning="Of the value.", type="integer"),
        Column(name="name", meaning="What the region is called.", type="text"),
    ),
    key=(),
)
MATERIALS = Table(
    name="materials",
    meaning="Materials, the products that carry them, and what is known of them.",
    columns=(
        Column(name="material", meaning="The material.", type="label", required=True),
        Column(name="product", meaning="Code of a product.", type="label"),
        *(Column(name=n, meaning="0 to 1.", type="number", low=0.0, high=1.0) for n in _SHARES),
    ),
    key=("material", "product"),
)
NAMES = Table(
    name="names",
    meaning="What products are called.",
    columns=(
        Column(name="product", meaning="Code of a product.", type="label", required=True),
        Column(name="name", meaning="What it is called.", type="text", required=True),
    ),
    key=("product",),
)
_THEIRS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "governance": {
        "region": ("region", "code", "country_iso3", "country_iso2", "iso3", "iso2", "country_code",
                   "country", "country/territory"),
        "value": ("value", "estimate", "wgi"),
        "year": ("year",),
        "name": ("name", "country/territory", "country", "country_name"),
    },
    "materials": {"product": ("product", "hs", "hs_code", "hs code")},
    "names": {
        "product": ("product", "code", "hs", "hs_code", "cmdcode"),
        "name": ("name", "description", "cmddesc", "label"),
    },
}  # fmt: skip


def governance_by_region(
    frame: pl.DataFrame, year: int | None = None
) -> tuple[dict[str, float], list[Finding]]:
    """Return governance by region from a table, the latest value up to a year.

    Parameters
    ----------
    frame : polars.DataFrame
        region (any code or name of a country) and value, and if there year. A column stat, as in
        the tables of the World Bank, is read for the rows "Estimate".
    year : int, optional
        Default: the latest of each region.

    Raises
    ------
    DataError
        With every fault.

    Examples
    --------
    >>> table = pl.DataFrame({"Code": ["CHN", "CHN"], "year": [2021, 2022], "value": [-0.5, -0.4]})
    >>> governance_by_region(table, 2021)
    ({'CN': -0.5}, [])
    """
    estimates = [c for c in frame.columns if c.casefold() == "stat"]
    if estimates:
        kept = frame.filter(pl.col(estimates[0]).cast(pl.String).str.to_lowercase() == "estimate")
        frame = kept if kept.height else frame
    table = _checked(frame, GOVERNANCE).filter(pl.col("value").is_not_null())
    if "year" not in table.columns:
        table = table.with_columns(year=pl.lit(None, pl.Int64))
    elif year is not None:
        table = table.filter(pl.col("year").is_null() | (pl.col("year") <= year))
    named = _labelled(table).filter(pl.col("region") != "")
    latest = named.filter(
        pl.col("year").fill_null(0) == pl.col("year").fill_null(0).max().over("region")
    )
    twice = (
        latest.group_by("region")
        .agg(pl.col("value").n_unique())
        .filter(pl.col("value") > 1)["region"]
        .sort()
        .to_list()
    )
    findings = []
    if twice:
        what = f"{listed(twice)}: several values for one year; the first is taken"
        findings.append(make_finding("W781", what, origin=Origin("governance"), count=len(twice)))
    first = latest.unique("region", keep="first", maintain_order=True)
    return dict(first.select("region", "value").iter_rows()), findings


def material_links(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return which products carry which material, and what is known of each material.

    Returns
    -------
    links : polars.DataFrame
        material, product.
    facts : polars.DataFrame
        material, and of import_reliance, recycling, substitution_sr and substitution_ei (0 to 1)
        those that are there; the largest where rows of one material differ.

    Raises
    ------
    DataError
        With every fault.

    Examples
    --------
    >>> links, facts = material_links(pl.DataFrame(
    ...     {"material": ["Tin", "Tin"], "product": [260900, 800110], "recycling": [0.3, None]}))
    >>> links.rows(), facts.rows()
    ([('Tin', '260900'), ('Tin', '800110')], [('Tin', 0.3)])
    """
    table = _checked(frame, MATERIALS)
    if "product" not in table.columns:
        table = table.with_columns(product=pl.lit(None, pl.String))
    links = table.filter(pl.col("product").is_not_null()).select(
        "material", pl.col("product").cast(pl.String)
    )
    known = [c for c in _SHARES if c in table.columns]
    facts = table.group_by("material", maintain_order=True).agg(pl.col(c).max() for c in known)
    return links.unique(maintain_order=True), facts


def product_names(frame: pl.DataFrame) -> dict[str, str]:
    """Return the names of products by code.

    Raises
    ------
    DataError
        With every fault.

    Examples
    --------
    >>> product_names(pl.DataFrame({"code": ["260200"], "description": ["Manganese ores"]}))
    {'260200': 'Manganese ores'}
    """
    table = _checked(frame, NAMES).select(pl.col("product", "name").cast(pl.String)).drop_nulls()
    return dict(table.iter_rows())


def _checked(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return the columns of a table under our names, checked; the others are left out."""
    lower = {c.strip().casefold(): c for c in frame.columns}
    found: dict[str, str] = {}
    theirs = _THEIRS.get(table.name, {})
    for column in table.columns:
        names = theirs.get(column.name, (column.name,))
        there = next((lower[n] for n in names if n in lower), None)
        if there is not None:
            found[column.name] = there
        elif column.required or column.name == "value":
            what = f"there is no column '{column.name}' (nor {listed(list(names[1:]) or ['-'])})"
            fault = make_finding(
                "E101",
                what,
                origin=Origin(table.name),
                suggestion=nearest(column.name, frame.columns),
            )
            raise DataError([fault])
    columns = []
    for ours, there in found.items():
        type_ = {c.name: c.type for c in table.columns}[ours]
        column_ = pl.col(there)
        columns.append((column_.cast(pl.String) if type_ in ("label", "text") else column_)
                       .alias(ours))  # fmt: skip
    checked, _ = checked_frame(frame.select(columns), table)
    return checked


def _labelled(table: pl.DataFrame) -> pl.DataFrame:
    """Put our labels in the place of codes; the name decides where one code has several names."""
    labels = {code: _label(code) for code in table["region"].unique().to_list()}
    by_code = pl.col("region").replace_strict(labels, return_dtype=pl.String)
    if "name" not in table.columns:
        return table.with_columns(region=by_code)
    called = {n: trade_partner(n) for n in table["name"].drop_nulls().unique().to_list()}
    known = {n: p.label for n, p in called.items() if p is not None and p.label}
    by_name = pl.col("name").replace_strict(known, default=None, return_dtype=pl.String)
    is_mixed = by_name.drop_nulls().n_unique().over("region") > 1
    return table.with_columns(
        region=pl.when(is_mixed).then(pl.coalesce(by_name, by_code)).otherwise(by_code)
    )


def _label(code: str) -> str:
    """Return our label of a region; codes that nobody knows stay as they are, totals are empty."""
    known = trade_partner(code)
    return code if known is None else known.label
