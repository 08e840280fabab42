"""Location quotients: which activities a region has more of than the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.measures.regional_tables import RegionalTable, regional_table
from withstand.model.findings import Finding, nearest

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LocationQuotient:
    """How far each activity stands out in each region.

    Parameters
    ----------
    table : RegionalTable
        Values and totals.
    rows : DataFrame
        As `to_frame` returns it.
    findings : tuple of Finding
    """

    table: RegionalTable
    rows: pl.DataFrame
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return region, activity, value, region_total, activity_total, lq.

        A row for each row of the table but its totals, in its order. lq (a ratio; 1: as much as in
        the whole) is empty where the value is not published or a total is missing.
        """
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def of(self, region: str) -> pl.DataFrame:
        """Return the activities of one region, those that stand out most first; unknown ones last.

        Raises
        ------
        UsageError
            If there is no such region.
        """
        rows = self.rows.filter(pl.col("region") == region).drop("region")
        if rows.height == 0:
            near = nearest(region, self.rows["region"].unique().sort().to_list())
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no region '{region[:60]}' here.{hint}")
        return rows.sort(["lq", "activity"], descending=[True, False], nulls_last=True)

    def matrix(self) -> pl.DataFrame:
        """Return lq with a row for each activity and a column for each region, alphabetical."""
        ordered = self.rows.sort("region", "activity")
        return ordered.pivot(on="region", index="activity", values="lq").sort("activity")

    def summary(self) -> str:
        """Return one sentence: what stands out most."""
        known = self.rows.filter(pl.col("lq").is_not_null())
        if known.height == 0:
            return "No location quotient can be computed: see the findings."
        row = known.sort(["lq", "region", "activity"], descending=[True, False, False]).row(
            0, named=True
        )
        return (
            f"{known.height:,} location quotients; {row['activity']} in {row['region']} stands out "
            f"most ({row['lq']:.1f} times the share in the whole)."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<LocationQuotient of {self.table.activities.height:,} activities in "
            f"{self.table.regions.height:,} regions>"
        )


def location_quotient(
    table: pl.DataFrame | ProductionNetwork,
    *,
    region: str = "region",
    activity: str = "activity",
    value: str = "value",
    total: str | None = None,
    whole: pl.DataFrame | str | None = None,
) -> LocationQuotient:
    """Say which activities a region has more of than the whole.

        LQ_ir = (e_ir / e_r) / (e_i / e)

    with e_ir the activity in the region (employment, output), e_r the region's total, e_i the
    activity in the whole and e the total of the whole.

    Parameters
    ----------
    table : polars.DataFrame or ProductionNetwork
        A row for each region and activity. Of a network: the value of output by region and product.
    region, activity, value : str
        Names of the columns.
    total : str, optional
        The label in column activity whose rows hold the total of their region ("000000" in OEWS).
        Give it wherever it exists: a sum over activities misses those not published, and counts
        twice where groups of activities stand beside their members.
    whole : polars.DataFrame or str, optional
        A frame of activity and value for the whole (with the row of `total`), or the label in
        column region of the whole. Without it the sum over the regions of the table.

    Returns
    -------
    LocationQuotient
        Unit: a ratio, 0 or more.

    Raises
    ------
    UsageError
        If a column or label is not there, or the whole is 0.
    DataError
        Rows that stand twice, negative values.

    Notes
    -----
    A value that is not published (empty or NaN) gives no quotient and is counted in finding N531;
    it is never taken as 0. A total that had to be added up without it is too low (finding W537).

    References
    ----------
    Miller and Blair (2009), Input-Output Analysis, section 8.2.1.

    Examples
    --------
    In N 20 of 100 make gears, in the whole 50 of 500: twice the share.

    >>> frame = pl.DataFrame({"region": ["N", "N", "S", "S"], "activity": ["all", "gears"] * 2,
    ...                       "value": [100.0, 20.0, 400.0, 30.0]})
    >>> location_quotient(frame, total="all").to_frame().select("region", "activity", "lq").rows()
    [('N', 'gears', 2.0), ('S', 'gears', 0.75)]
    """
    read = regional_table(
        table, region=region, activity=activity, value=value, total=total, whole=whole
    )
    share = pl.col("value") / pl.col("region_total")
    share_of_whole = pl.col("activity_total") / read.whole
    known = (pl.col("region_total") > 0) & (pl.col("activity_total") > 0)
    rows = read.rows.with_columns(lq=pl.when(known).then(share / share_of_whole))
    return LocationQuotient(table=read, rows=rows, findings=read.findings)
