"""Rules about labels: what one table names must stand in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.findings import Finding, Origin, make_finding, nearest
from withstand.model.tables import EVERY_BUYER, TABLES, Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.settings import Settings

_MOST = 10
_STARRED = {("links", "buyer"), ("stocks", "node")}


def check_references(
    tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]
) -> list[Finding]:
    """Find labels that the tables they refer to do not list."""
    findings: list[Finding] = []
    for name, frame in tables.items():
        for column in TABLES[name].columns:
            if column.refers_to and column.name in frame.columns:
                findings += _unknown_labels(name, column, tables, origins[name])
    return findings


def _unknown_labels(
    table: str, column: Column, tables: Mapping[str, pl.DataFrame], origin: Origin
) -> list[Finding]:
    targets = [t for t in column.refers_to if t in tables]
    if len(targets) < len(column.refers_to) and not targets:
        return []
    labels = [tables[t][TABLES[t].key[0]].drop_nulls() for t in targets]
    known = pl.concat([x.rename("label") for x in labels]).unique()
    series = tables[table][column.name].cast(pl.String)
    bad = series.is_not_null() & ~series.is_in(known.implode())
    if (table, column.name) in _STARRED:
        bad &= series != EVERY_BUYER
    if not bad.any():
        return []
    rows = pl.DataFrame({"value": series.filter(bad), "row": bad.arg_true()})
    groups = rows.group_by("value", maintain_order=True).agg(
        pl.col("row").first(), pl.len().alias("count")
    )
    valid = known.to_list() if len(known) <= 20_000 else []
    where = " or ".join(column.refers_to)
    findings = [
        make_finding(
            "E104",
            f"{column.name} is not in the table of {where}",
            origin=origin,
            index=row,
            column=column.name,
            value=value,
            suggestion=nearest(value, valid),
            count=count,
        )
        for value, row, count in groups.head(_MOST).iter_rows()
    ]
    rest = groups.slice(_MOST)
    if rest.height:
        findings.append(
            make_finding(
                "E104",
                f"{rest.height} more labels of {column.name} are not in the table of {where}",
                origin=origin,
                index=rest["row"][0],
                column=column.name,
                count=int(rest["count"].sum()),
            )
        )
    return findings


def check_settings(tables: Mapping[str, pl.DataFrame], settings: Settings) -> list[Finding]:
    """Find a home, viewpoint or final demand in the settings that the tables do not know."""
    origin = Origin("withstand.toml")
    products = tables["products"]["product"].to_list()
    nodes = tables["nodes"]["node"]
    regions = tables["regions"]["region"].to_list()
    makers = [*products, *nodes.to_list()] if len(nodes) < 20_000 else products
    findings: list[Finding] = []

    def fault(key: str, value: str, where: str, valid: list[str]) -> None:
        findings.append(
            make_finding(
                "E207",
                f"{key} is not in the table of {where}",
                origin=origin,
                column=key,
                value=value,
                suggestion=nearest(value, valid),
            )
        )

    if settings.home is not None and settings.home not in regions:
        fault("home", settings.home, "regions", regions)
    made = set(tables["nodes"]["product"].to_list())
    for key, label in (
        ("viewpoint", settings.viewpoint),
        *((f"final_demand.{x}", x) for x in settings.final_demand),
    ):
        if label is None or (nodes == label).any():
            continue
        if label not in products:
            fault(key, label, "products or nodes", makers)
        elif label not in made:
            fault(key, label, "nodes (no node makes it)", makers)
    return findings
