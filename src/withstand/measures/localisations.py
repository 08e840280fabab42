"""Localisation: how unevenly activities are spread over regions, and if more than by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import DataError
from withstand.measures.regional_tables import regional_table
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import Finding, listed, make_finding
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

_PLANTS = Table(
    name="plants",
    meaning="How the activity is spread over plants.",
    columns=(
        Column(name="activity", meaning="Industry or occupation.", type="label", required=True),
        Column(
            name="herfindahl", meaning="Sum of squared shares of plants.", type="number", low=0.0,
            high=1.0, required=True,
        ),
    ),
    key=("activity",),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Localisation:
    """How unevenly each activity is spread over regions.

    Parameters
    ----------
    rows : DataFrame
        As `to_frame` returns it.
    findings : tuple of Finding
    """

    rows: pl.DataFrame
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each activity.

        value (its total over the regions), regions (with a value), largest_region, largest_share
        (0 to 1), hhi (0 to 1), gini (0 to 1), g (0 to 2), plant_herfindahl and ellison_glaeser
        (at most 1; below 0: more even than chance; empty without plants).
        """
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def summary(self) -> str:
        """Return one sentence: the most localised activity by the Gini."""
        if self.rows.height == 0:
            return "No activity has a value that is published."
        row = self.rows.sort(["gini", "activity"], descending=[True, False], nulls_last=True).row(
            0, named=True
        )
        return (
            f"Of {self.rows.height:,} activities {row['activity']} is most localised (Gini "
            f"{row['gini']:.2f}, {row['largest_share']:.0%} in {row['largest_region']})."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Localisation of {self.rows.height:,} activities>"


def localisation(
    table: pl.DataFrame | ProductionNetwork,
    *,
    region: str = "region",
    activity: str = "activity",
    value: str = "value",
    total: str | None = None,
    plants: pl.DataFrame | None = None,
) -> Localisation:
    """Say how unevenly activities are spread over regions, beside the spread of everything.

    With s_r the share of region r in the activity and x_r its share in all activities:

        Gini  = 1 - sum_r x_r (S_r + S_r-1), regions ordered by s_r / x_r, S_r = s_1 + ... + s_r
        G     = sum_r (s_r - x_r)^2
        gamma = (G - (1 - X) H) / ((1 - X)(1 - H)),  X = sum_r x_r^2

    Gini (Krugman 1991): 0 if the activity is spread as everything is, towards 1 if all of it is in
    one small region. gamma (Ellison and Glaeser 1997) takes away what chance does: with H the
    Herfindahl index of plant sizes, plants that fall on regions at random in proportion to x have
    gamma 0 on average.

    Parameters
    ----------
    table : polars.DataFrame or ProductionNetwork
        A row for each region and activity.
    region, activity, value : str
        Names of the columns.
    total : str, optional
        The label in column activity whose rows hold the total of their region.
    plants : polars.DataFrame, optional
        activity, herfindahl [0 to 1]. Without it there is no gamma: with H unknown it would mix up
        a few large plants with localisation.

    Returns
    -------
    Localisation

    Raises
    ------
    UsageError
        If a column or label is not there.
    DataError
        Rows that stand twice, negative values, a plant Herfindahl out of range.

    Notes
    -----
    Values that are not published are left out of s (finding N531): an activity with many such cells
    looks more localised than it is. gamma is empty where H is 1 or all is in one region.

    References
    ----------
    Ellison and Glaeser (1997), Geographic concentration in U.S. manufacturing industries, Journal
    of Political Economy 105(5), equations 2 and 5. Krugman (1991), Geography and Trade.

    Examples
    --------
    All gears are in one of two regions of equal size: Gini 1/2, G = 1/2; with X = 1/2 and two equal
    plants (H = 1/2) gamma = (1/2 - 1/4) / (1/4) = 1.

    >>> frame = pl.DataFrame({"region": ["N", "S", "N", "S"],
    ...                       "activity": ["gears", "gears", "rest", "rest"],
    ...                       "value": [20.0, 0.0, 80.0, 100.0]})
    >>> plants = pl.DataFrame({"activity": ["gears"], "herfindahl": [0.5]})
    >>> result = localisation(frame, plants=plants).to_frame()
    >>> result.select("activity", "gini", "g", "ellison_glaeser").rows()[0]
    ('gears', 0.5, 0.5, 1.0)
    """
    read = regional_table(table, region=region, activity=activity, value=value, total=total)
    findings = list(read.findings)
    sizes = read.regions.filter(pl.col("total") > 0)
    everything = sizes["total"].sum()
    sizes = sizes.select("region", x=pl.col("total") / everything)
    spread = float((sizes["x"] ** 2).sum())
    known = read.rows.filter(pl.col("value").is_not_null()).join(
        sizes, on="region", how="inner", maintain_order="left"
    )
    known = known.with_columns(sum=pl.col("value").sum().over("activity"))
    known = known.filter(pl.col("sum") > 0).with_columns(s=pl.col("value") / pl.col("sum"))
    ordered = known.sort(
        ["activity", pl.col("s") / pl.col("x"), "region"], maintain_order=True
    ).with_columns(S=pl.col("s").cum_sum().over("activity"))
    s, x = pl.col("s"), pl.col("x")
    # Regions without a row have s = 0: they stand first in the order and add x^2 to G.
    rows = ordered.group_by("activity", maintain_order=True).agg(
        value=pl.col("sum").first(),
        regions=(s > 0).sum().cast(pl.Int64),
        largest_region=pl.col("region").sort_by(s, "region", descending=[True, False]).first(),
        largest_share=s.max(),
        hhi=(s**2).sum(),
        gini=1.0 - (x * (2 * pl.col("S") - s)).sum(),
        g=((s - x) ** 2).sum() + (spread - (x**2).sum()),
    )
    order = read.activities.select("activity")
    rows = order.join(rows, on="activity", how="inner", maintain_order="left")
    rows, more = _with_plants(rows, plants)
    room = 1.0 - spread
    h = pl.col("plant_herfindahl")
    gamma = (pl.col("g") - room * h) / (room * (1.0 - h))
    rows = rows.with_columns(
        ellison_glaeser=pl.when((h < 1) & (room > 1e-12)).then(gamma).otherwise(None)
    )
    return Localisation(rows=rows, findings=(*findings, *more))


def _with_plants(
    rows: pl.DataFrame, plants: pl.DataFrame | None
) -> tuple[pl.DataFrame, list[Finding]]:
    """Add the Herfindahl index of plants, empty where it is not given."""
    if plants is None:
        return rows.with_columns(plant_herfindahl=pl.lit(None, dtype=pl.Float64)), []
    given, findings = checked_frame(plants, _PLANTS)
    strangers = sorted(set(given["activity"]) - set(rows["activity"]))
    if strangers and len(strangers) == given.height:
        what = f"'plants' names only activities that the table lacks: {listed(strangers)}"
        raise DataError([make_finding("E104", what, column="activity", value=strangers[0])])
    column = given.select("activity", plant_herfindahl=pl.col("herfindahl").cast(pl.Float64))
    return rows.join(column, on="activity", how="left", maintain_order="left"), findings
