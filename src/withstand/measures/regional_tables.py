"""Region x activity tables: values with their totals, as regional measures take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import Finding, listed, make_finding, nearest
from withstand.model.network import ProductionNetwork
from withstand.model.tables import Column, Table
from withstand.model.value_flows import value_flows

_TABLE = Table(
    name="table",
    meaning="How much of each activity is in each region.",
    columns=(
        Column(name="region", meaning="The region.", type="label", required=True),
        Column(name="activity", meaning="Industry or occupation.", type="label", required=True),
        Column(name="value", meaning="Employment, output ...", type="number", low=0.0),
    ),
    key=("region", "activity"),
)
_WHOLE = Table(
    name="whole",
    meaning="How much of each activity is in the whole.",
    columns=(_TABLE.columns[1], _TABLE.columns[2]),
    key=("activity",),
)
_TOTAL_LABELS = frozenset(
    ("000000", "00-0000", "total", "all", "all occupations", "all industries", "10", "_t")
)


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionalTable:
    """Values of activities in regions, beside the totals they are compared with.

    Parameters
    ----------
    rows : DataFrame
        region, activity, value (empty where not published), region_total, activity_total. In the
        order of the table, without the rows of totals.
    regions : DataFrame
        region, total.
    activities : DataFrame
        activity, total: in the whole; empty where not known.
    whole : float
        Total of all activities in the whole.
    findings : tuple of Finding
    """

    rows: pl.DataFrame
    regions: pl.DataFrame
    activities: pl.DataFrame
    whole: float
    findings: tuple[Finding, ...]


def regional_table(
    table: pl.DataFrame | ProductionNetwork,
    *,
    region: str = "region",
    activity: str = "activity",
    value: str = "value",
    total: str | None = None,
    whole: pl.DataFrame | str | None = None,
) -> RegionalTable:
    """Read a region x activity table with its totals.

    Parameters
    ----------
    table : polars.DataFrame or ProductionNetwork
        A row for each region and activity; or a network, whose regions make products: the value of
        output at rest.
    region, activity, value : str
        Names of the columns.
    total : str, optional
        The label in column activity of the rows that hold the total of their region. Without it
        the total is the sum of the activities, of those that are published.
    whole : polars.DataFrame or str, optional
        What regions are compared with: a frame of activity and value (names of columns as above),
        or the label in column region of the rows for the whole. Without it the sum over regions.

    Raises
    ------
    UsageError
        If a label or a column is not there.
    DataError
        Rows that stand twice, negative values, empty labels.

    Examples
    --------
    >>> frame = pl.DataFrame({"region": ["N", "N", "S", "S"], "activity": ["all", "gears"] * 2,
    ...                       "value": [100.0, 20.0, 300.0, None]})
    >>> read = regional_table(frame, total="all")
    >>> read.rows.rows(), read.whole
    ([('N', 'gears', 20.0, 100.0, 20.0), ('S', 'gears', None, 300.0, 20.0)], 400.0)
    """
    if isinstance(table, ProductionNetwork):
        frame = _of_network(table)
        findings: list[Finding] = []
        names: dict[str, str] = {}
    else:
        names = {"region": region, "activity": activity, "value": value}
        frame, findings = checked_frame(table, _TABLE, names)
        if "value" not in frame.columns:
            near = nearest(value, table.columns)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"'table' has no column '{value}'.{hint}")
    frame = frame.with_columns(pl.col("value").cast(pl.Float64))
    findings += _missing_values(frame)
    if isinstance(whole, str):
        reference = frame.filter(pl.col("region") == whole).select("activity", "value")
        if reference.height == 0:
            raise _unknown("region", whole, frame["region"])
        frame = frame.filter(pl.col("region") != whole)
    elif whole is not None:
        reference, more = checked_frame(whole, _WHOLE, names)
        findings += more
        reference = reference.with_columns(pl.col("value").cast(pl.Float64))
    else:
        reference = frame.group_by("activity", maintain_order=True).agg(pl.col("value").sum())
        findings += _added_up(frame, "activity")
    return _with_totals(frame, reference, total, findings)


def _with_totals(
    frame: pl.DataFrame, reference: pl.DataFrame, total: str | None, findings: list[Finding]
) -> RegionalTable:
    """Put the total of its region and of its activity beside each value."""
    if total is None:
        findings += [*_looks_like_total(reference), *_added_up(frame, "region")]
        regions = frame.group_by("region", maintain_order=True).agg(total=pl.col("value").sum())
        everything = float(reference["value"].sum())
    else:
        is_total = pl.col("activity") == total
        regions = frame.filter(is_total).select("region", total="value")
        if regions.height == 0:
            raise _unknown("activity", total, frame["activity"])
        ends = reference.filter(is_total)["value"].to_list()
        if not ends or ends[0] is None:
            raise UsageError(f"The whole has no row of activity '{total}', so no total. Add it.")
        everything = float(ends[0])
        # Regions without a row of totals stay, and are reported.
        every = frame.select(pl.col("region").unique(maintain_order=True))
        regions = every.join(regions, on="region", how="left", maintain_order="left")
        frame = frame.filter(~is_total)
        reference = reference.filter(~is_total)
    if everything <= 0:
        raise UsageError("The total of the whole is 0: there is nothing to compare with.")
    activities = reference.select("activity", total="value")
    rows = frame.select("region", "activity", "value").join(
        regions.rename({"total": "region_total"}), on="region", how="left", maintain_order="left"
    )
    rows = rows.join(
        activities.rename({"total": "activity_total"}),
        on="activity",
        how="left",
        maintain_order="left",
    )
    findings = findings + _without_total(rows)
    return RegionalTable(
        rows=rows, regions=regions, activities=activities, whole=everything,
        findings=tuple(findings),
    )  # fmt: skip


def _of_network(network: ProductionNetwork) -> pl.DataFrame:
    """Return the value of output of each product in each region."""
    _, output = value_flows(network)
    frame = pl.DataFrame(
        {
            "region": network.region_labels[network.node_region].astype(str),
            "activity": network.product_labels[network.node_product].astype(str),
            "value": np.asarray(output, dtype=np.float64),
        }
    )
    return frame.group_by("region", "activity", maintain_order=True).agg(pl.col("value").sum())


def _missing_values(frame: pl.DataFrame) -> list[Finding]:
    """Count the cells that are not published."""
    number = frame["value"].null_count()
    if number == 0:
        return []
    what = f"{number:,} of {frame.height:,} values not published"
    return [make_finding("N531", what, column="value", count=number)]


def _added_up(frame: pl.DataFrame, by: str) -> list[Finding]:
    """Find regions or activities whose total was added up though cells are not published."""
    hidden = frame.filter(pl.col("value").is_null())[by].unique(maintain_order=True).to_list()
    if not hidden:
        return []
    what = f"the total of {by} {listed(hidden)} lacks cells that are not published"
    return [make_finding("W537", what, value=hidden[0], count=len(hidden))]


def _without_total(rows: pl.DataFrame) -> list[Finding]:
    """Find regions and activities whose total is not known or 0."""
    found = []
    for column, total in (("region", "region_total"), ("activity", "activity_total")):
        bad = rows.filter(pl.col("value").is_not_null() & (pl.col(total).fill_null(0.0) <= 0))
        labels = bad[column].unique(maintain_order=True).to_list()
        if labels:
            what = f"{column} {listed(labels)} has no total above 0"
            found.append(make_finding("W534", what, value=labels[0], count=len(labels)))
    return found


def _looks_like_total(reference: pl.DataFrame) -> list[Finding]:
    """Find an activity that is the sum of the others, or is called so."""
    values = reference["value"].fill_null(0.0)
    everything = float(values.sum())
    named = reference.filter(pl.col("activity").str.to_lowercase().is_in(list(_TOTAL_LABELS)))
    half = reference.filter((2 * values - everything).abs() <= 0.01 * everything)
    doubtful = named if named.height else (half if reference.height > 2 else half.clear())
    if doubtful.height == 0 or everything == 0:
        return []
    label = doubtful["activity"][0]
    what = f"activity '{label}' looks like a row of totals, and was added to the others"
    fix = f"Say total='{label}', or leave the rows out."
    return [make_finding("W206", what, column="activity", value=label, fix=fix)]


def _unknown(what: str, label: str, known: pl.Series) -> UsageError:
    """Return the error for a label that is not there, with the nearest one that is."""
    near = nearest(label, known.unique().sort().to_list())
    hint = f" Did you mean {near}?" if near else ""
    return UsageError(f"No row of 'table' has the {what} '{label[:60]}'.{hint}")
