"""Trade flows from one vintage of product codes to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, listed, make_finding
from withstand.model.trade_rows import FEW, Folder, TradeRows
from withstand.model.trade_vintages import MIXED, UNKNOWN, concordance_rows

_CONVERTED = (
    "SELECT r.year, r.exporter, r.importer, coalesce(c.target, r.product) AS product, "
    "sum(r.value * coalesce(c.weight, 1)) AS value, "
    "sum(r.quantity * coalesce(c.weight, 1)) AS quantity "
    "FROM rows r LEFT JOIN concordance c ON r.product = c.source GROUP BY ALL"
)


def converted(
    rows: TradeRows, start: str, end: str, concordance: pl.DataFrame, n_rows: int
) -> tuple[TradeRows, list[Finding], Mapping[str, Any]]:
    """Return the rows in another vintage, what is worth a word, and what was done.

    Raises
    ------
    UsageError
        If the vintage of the rows is not one.
    DataError
        If the concordance has faults.
    """
    if start in (UNKNOWN, MIXED):
        raise UsageError(
            f"The vintage of the codes here is {start}: "
            + (
                "say it with start='HS92'."
                if start == UNKNOWN
                else "convert each part on its own before they are put together."
            )
        )
    if start == end:
        return rows, [], {"from": start, "to": end, "codes": 0, "split": 0}
    table, findings = concordance_rows(concordance, start, end)
    table = table.rename({"from": "source", "to": "target"})
    findings += _unmatched(rows, table, start)
    fan = table.group_by("source").len()
    split = fan.filter(pl.col("len") > 1)
    moved = rows.ask(
        "SELECT sum(value) AS all_value, sum(value) FILTER (product IN (SELECT source FROM split)) "
        "AS split_value FROM rows",
        {"split": split},
    ).row(0)
    story = {
        "from": start,
        "to": end,
        "codes": fan.height,
        "split": split.height,
        "value_share_split": (moved[1] or 0.0) / moved[0] if moved[0] else 0.0,
        "weights": "given" if "weight" in concordance.columns else "equal",
    }
    if n_rows <= FEW:
        answer = rows.ask(_CONVERTED, {"concordance": table})
        return TradeRows(table=answer.to_arrow()), findings, story
    folder = Folder()
    file = rows.write(_CONVERTED, folder, "converted.parquet", {"concordance": table})
    return TradeRows(files=(file,), folder=folder), findings, story


def _unmatched(rows: TradeRows, table: pl.DataFrame, start: str) -> list[Finding]:
    sums = rows.ask("SELECT product, sum(value) AS value FROM rows GROUP BY product")
    lost = sums.filter(~pl.col("product").is_in(table["source"].unique().implode()))
    if not lost.height:
        return []
    total = float(sums["value"].sum() or 0.0)
    share = float(lost["value"].sum() or 0.0) / total if total else 0.0
    codes = lost.sort("value", descending=True).get_column("product").to_list()
    what = (
        f"{lost.height:,} of {sums.height:,} codes ({share:.1%} of the value) are not in the "
        f"concordance from {start} and keep their code: {listed(codes)}"
    )
    return [make_finding("W606", what)]
