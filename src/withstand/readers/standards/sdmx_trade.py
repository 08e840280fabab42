"""Comext in SDMX into a TradeCube: reporter, partner, product, flow, indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import Finding, Origin, listed, make_finding
from withstand.readers.standards.sdmx_table import MEASURE, TIME, SdmxTable
from withstand.readers.trade import read_trade

if TYPE_CHECKING:
    from withstand.model.trade_cube import TradeCube

NEEDED = ("reporter", "partner", "product", "flow", "indicators")
FLOWS = {"imports": "1", "exports": "2"}
VALUE, WEIGHT = "VALUE_IN_EUROS", "QUANTITY_IN_100KG"
DIGITS = 6
"""Comext counts 8 digits (CN); a cube holds the 6 that are the same in all countries."""


def trade_of_sdmx(table: SdmxTable, *, flows: str = "imports") -> TradeCube:
    """Return trade by reporter, partner and product (Comext of Eurostat) as a TradeCube.

    Values are in EUR, quantities in tonnes; codes are cut to the 6 digits that all countries share.

    Parameters
    ----------
    table : SdmxTable
    flows : {"imports", "exports"}
        Whose declarations count.

    Raises
    ------
    DataError
        If dimensions are missing, or nothing is left.
    """
    if flows not in FLOWS:
        raise UsageError(f"flows={flows!r} is unknown; use one of {', '.join(FLOWS)}.")
    origin = Origin(table.structure or "SDMX table")
    folded = {x.casefold(): x for x in table.dimensions}
    folded.setdefault("indicators", folded.get("indicator", ""))
    missing = [x for x in (*NEEDED, TIME.casefold()) if not folded.get(x)]
    if missing:
        what = f"dimensions are missing: {', '.join(missing)}; there are {', '.join(folded)}"
        raise DataError([make_finding("E746", what, origin=origin)])
    names = {folded[x]: x for x in NEEDED} | {folded[TIME.casefold()]: "time"}
    rows = table.frame.with_columns(table.values()).rename(names)
    rows = rows.filter(
        pl.col("flow").is_in([FLOWS[flows], flows[:-1].upper(), flows.upper()]),
        pl.col(MEASURE).is_not_null(),
    )
    findings: list[Finding] = list(table.findings)
    rows = _leaves(rows, origin, findings)
    at = {"imports": ("partner", "reporter"), "exports": ("reporter", "partner")}[flows]
    wide = (
        rows.filter(pl.col("indicators").is_in([VALUE, WEIGHT]))
        .select(
            pl.col("time").str.head(4).cast(pl.Int32, strict=False).alias("year"),
            pl.col(at[0]).alias("exporter"),
            pl.col(at[1]).alias("importer"),
            pl.col("product").str.head(DIGITS),
            pl.when(pl.col("indicators") == VALUE).then(MEASURE).alias("value"),
            pl.when(pl.col("indicators") == WEIGHT).then(pl.col(MEASURE) / 10).alias("quantity"),
        )
        .group_by("year", "exporter", "importer", "product", maintain_order=True)
        .agg(
            pl.col("value").sum(),
            pl.when(pl.col("quantity").is_not_null().any()).then(pl.col("quantity").sum()),
        )
    )
    if wide.is_empty():
        what = f"no {flows} with {VALUE} by product are there"
        raise DataError([make_finding("E746", what, origin=origin)])
    cube = read_trade(
        wide, value_unit="EUR", quantity_unit="tonnes", name=table.structure or "Comext"
    )
    return cube.with_findings([*findings, *cube.findings])


def _leaves(rows: pl.DataFrame, origin: Origin, findings: list[Finding]) -> pl.DataFrame:
    """Return rows of countries and of the longest codes of products; sums are left out."""
    is_product = pl.col("product").str.contains(r"^[0-9]+$")
    longest = rows.filter(is_product)["product"].str.len_chars().max() or 0
    is_leaf = is_product & (pl.col("product").str.len_chars() == longest)
    is_country = pl.all_horizontal(
        pl.col(x).str.contains(r"^[A-Z]{2}$") & ~pl.col(x).is_in(["EU", "EA", "XX"])
        for x in ("reporter", "partner")
    )
    kept = rows.filter(is_leaf, is_country)
    if kept.height < rows.height:
        left = rows.filter(~(is_leaf & is_country))
        codes = sorted(
            {x for c in ("partner", "product") for x in left[c].unique().to_list()}, key=str
        )
        what = f"{left.height:,} rows of sums (groups of countries, chapters) are left out: "
        what += listed(codes, 6)
        findings.append(make_finding("W745", what, origin=origin, count=left.height))
    return kept
