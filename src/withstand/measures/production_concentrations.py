"""Production concentration: in how few countries each material is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import (
    Finding,
    Origin,
    counted,
    listed,
    make_finding,
    nearest,
    shorten,
)
from withstand.model.trade_partners import trade_partner

if TYPE_CHECKING:
    import pandas as pd

_NAMES = {
    "material": ("material", "product"),
    "region": ("region", "Country_ISO", "country_iso3", "country_iso2", "country", "Country"),
    "year": ("year",),
    "production": ("production", "value", "quantity"),
}
_ROUNDED = 0.01
"""A sum of countries this much off the stated total is worth a word."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProductionConcentration:
    """How concentrated the production of each material is, by year.

    Parameters
    ----------
    table : polars.DataFrame
        As `to_frame` returns it.
    shares : polars.DataFrame
        material, year, region, production, share.
    findings : tuple of Finding
    """

    table: pl.DataFrame
    shares: pl.DataFrame
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<ProductionConcentration of {counted(self.table['material'].n_unique(), 'material')}>"
        )

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each material and year, by material and year.

        Columns: material, year, hhi (0 to 1), regions (that produce), largest, largest_share (0 to
        1), production (sum over regions, unit of the table), stated_total (empty if there is none).
        """
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.table.to_pandas()

    def why(self, material: str, year: int | None = None) -> pl.DataFrame:
        """Return who makes a material: year, region, production, share; largest first."""
        rows = self.shares.filter(pl.col("material") == material)
        if rows.is_empty():
            near = nearest(material, self.table["material"].unique().to_list())
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no material '{shorten(material)}' here.{hint}")
        if year is not None:
            rows = rows.filter(pl.col("year") == year)
        return rows.drop("material").sort(
            ["year", "production", "region"], descending=[False, True, False]
        )


def production_concentration(
    production: pl.DataFrame,
    *,
    material: str | None = None,
    region: str | None = None,
    year: str | None = None,
    value: str | None = None,
) -> ProductionConcentration:
    """Say in how few countries each material is made.

        HHI = sum_c (q_c / sum q)^2

    with q_c the production of country c. Rows of world totals ("Total", "World", a column
    is_total) are set apart: a total that passes for a country adds a share of 1/2 of its own, and
    the index falls to (HHI + 1) / 4.

    Parameters
    ----------
    production : polars.DataFrame
        A row for each material, country and year; rows of one country are added.
    material, region, year, value : str, optional
        Names of the columns; by default those of World Mining Data, or material, region, year,
        production.

    Returns
    -------
    ProductionConcentration

    Raises
    ------
    UsageError
        If it is no frame, or a column is not there.
    DataError
        Negative production, production or years that are no number, countries without a label.

    Examples
    --------
    Three quarters in one country, one in another: 9/16 + 1/16.

    >>> found = production_concentration(pl.DataFrame({
    ...     "material": "Gallium", "region": ["CN", "JP", "World"], "year": 2023,
    ...     "production": [3.0, 1.0, 4.0]}))
    >>> found.to_frame().select("hhi", "regions", "largest").rows(), found.findings[0].code
    ([(0.625, 2, 'CN')], 'N609')
    """
    if not isinstance(production, pl.DataFrame):
        raise UsageError("'production' must be a polars DataFrame.")
    given = {"material": material, "region": region, "year": year, "production": value}
    names = {ours: _column(production, ours, theirs) for ours, theirs in given.items()}
    is_total = (
        pl.col("is_total").cast(pl.Boolean) if "is_total" in production.columns else pl.lit(False)
    )
    frame = production.select(
        pl.col(names["material"]).cast(pl.String).alias("material"),
        pl.col(names["year"]).cast(pl.Int32, strict=False).alias("year"),
        pl.col(names["region"]).cast(pl.String).alias("region"),
        pl.col(names["production"]).cast(pl.Float64, strict=False).fill_nan(None)
        .alias("production"),
        is_total.alias("is_total"),
    )  # fmt: skip
    _refuse(production, frame, names)
    frame, doubtful = _told_apart(frame, production, names["region"])
    labels, totals = _labels(frame["region"].drop_nulls().unique().to_list())
    frame = frame.with_columns(
        is_total=pl.col("is_total") | pl.col("region").is_in(totals),
        region=pl.col("region").replace(labels),
    )
    findings = [*doubtful, *_faults(frame)]
    made = (
        frame.filter(~pl.col("is_total"), pl.col("production") > 0)
        .group_by("material", "year", "region")
        .agg(pl.col("production").sum())
        .with_columns(
            share=pl.col("production") / pl.col("production").sum().over("material", "year")
        )
        .sort("material", "year", "region")
    )
    order = pl.col("region").sort_by("production", "region", descending=[True, False])
    table = (
        made.group_by("material", "year")
        .agg(
            hhi=(pl.col("share") ** 2).sum().clip(upper_bound=1.0),
            regions=pl.len().cast(pl.Int64),
            largest=order.first(),
            largest_share=pl.col("share").max(),
            production=pl.col("production").sum(),
        )
        .join(_stated(frame), on=["material", "year"], how="left")
        .sort("material", "year")
    )
    return ProductionConcentration(table=table, shares=made, findings=(*findings, *_gaps(table)))


def _column(frame: pl.DataFrame, ours: str, theirs: str | None) -> str:
    wanted: Sequence[str] = _NAMES[ours] if theirs is None else (theirs,)
    for name in wanted:
        if name in frame.columns:
            return name
    near = nearest(wanted[0], frame.columns)
    hint = f" Did you mean {near}?" if near else ""
    raise UsageError(f"'production' has no column '{wanted[0]}' ({ours}).{hint}")


def _refuse(production: pl.DataFrame, frame: pl.DataFrame, names: Mapping[str, str]) -> None:
    """Refuse numbers that are none, and rows that say nothing of what, where or when."""
    origin = Origin("production")
    faults = []
    for ours in ("production", "year"):
        given = production[names[ours]]
        if given.dtype.is_float():
            given = given.fill_nan(None)
        bad = frame.select(
            (pl.col(ours).is_null() & given.is_not_null()) | pl.col(ours).is_infinite()
            if ours == "production"
            else pl.col(ours).is_null()
        ).to_series()
        if bad.any():
            row = int(bad.arg_max() or 0)
            what = f"{ours} must be a number, row {row + 1}"
            faults.append(
                make_finding(
                    "E103", what, origin=origin, column=names[ours],
                    value=production[names[ours]][row], count=int(bad.sum()),
                )
            )  # fmt: skip
    for ours in ("material", "region"):
        empty = frame[ours].null_count()
        if empty:
            what = f"{counted(empty, 'row')} without a {ours}"
            fault = make_finding("E102", what, origin=origin, column=names[ours], count=empty)
            faults.append(fault)
    if faults:
        raise DataError(faults)


def _told_apart(
    frame: pl.DataFrame, production: pl.DataFrame, region: str
) -> tuple[pl.DataFrame, list[Finding]]:
    """Go by the name where one code stands for countries of several names (World Mining Data)."""
    if region == "Country" or "Country" not in production.columns:
        return frame, []
    pairs = frame.select("region", name=production["Country"]).drop_nulls().unique()
    known = {name: trade_partner(name) for name in pairs["name"].to_list()}
    labels = {name: p.label for name, p in known.items() if p is not None and p.label}
    by_name = pairs.with_columns(label=pl.col("name").replace_strict(labels, default=None))
    several = by_name.group_by("region").agg(pl.col("label").drop_nulls().unique().sort())
    mixed = several.filter(pl.col("label").list.len() > 1).sort("region")
    if mixed.is_empty():
        return frame, []
    named = production["Country"].replace_strict(labels, default=None)
    is_mixed = pl.col("region").is_in(mixed["region"].implode())
    chosen = pl.when(is_mixed).then(pl.coalesce(named, "region")).otherwise("region")
    what = "; ".join(f"code {code} stands for {', '.join(of)}" for code, of in mixed.iter_rows())
    finding = make_finding("W604", f"{what}: told apart by name", origin=Origin("production"))
    return frame.with_columns(region=chosen), [finding]


def _labels(codes: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return code to label for countries, and which codes mean a total."""
    known = {code: trade_partner(code) for code in codes}
    labels = {c: p.label for c, p in known.items() if p is not None and p.label}
    return labels, [c for c, p in known.items() if p is not None and p.kind == "total"]


def _faults(frame: pl.DataFrame) -> list[Finding]:
    origin = Origin("production")
    negative = frame.filter(pl.col("production") < 0)
    if negative.height:
        row = negative.row(0, named=True)
        what = f"production must be 0 or more ({row['material']}, {row['region']}, {row['year']})"
        raise DataError(
            [
                make_finding(
                    "E602", what, origin=origin, column="production", value=row["production"],
                    count=negative.height,
                )
            ]
        )  # fmt: skip
    totals = frame.filter(pl.col("is_total")).height
    if not totals:
        return []
    what = f"{counted(totals, 'row')} of world totals are set apart"
    return [make_finding("N609", what, origin=origin, count=totals)]


def _stated(frame: pl.DataFrame) -> pl.DataFrame:
    totals = frame.filter(pl.col("is_total"))
    return totals.group_by("material", "year").agg(stated_total=pl.col("production").max())


def _gaps(table: pl.DataFrame) -> list[Finding]:
    """Name materials whose countries do not add up to the total that is stated."""
    off = table.filter(
        (pl.col("production") - pl.col("stated_total")).abs() > _ROUNDED * pl.col("stated_total")
    )
    if off.is_empty():
        return []
    named = [f"{m} {y}" for m, y in off.select("material", "year").iter_rows()]
    what = f"countries do not add up to the stated total within {_ROUNDED:.0%}: {listed(named)}"
    return [make_finding("W615", what, origin=Origin("production"))]
