"""Rules about labels: what one table names must stand in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.cells import MOST_VALUES, by_value
from withstand.model.findings import Finding, Origin, make_finding, nearest
from withstand.model.tables import EVERY_BUYER, TABLES, Column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from withstand.model.settings import Settings

_STARRED = {("links", "buyer"), ("stocks", "node")}


def check_references(
    tables: Mapping[str, pl.DataFrame],
    origins: Mapping[str, Origin],
    broken: Collection[str] = (),
) -> list[Finding]:
    """Find labels that the tables they refer to do not list.

    `broken` names tables that are there but could not be used: labels that may stand in one of
    them are let pass.
    """
    findings: list[Finding] = []
    for name, frame in tables.items():
        for column in TABLES[name].columns:
            if column.name in frame.columns and not set(column.refers_to) & set(broken):
                findings += _unknown_labels(name, column, tables, origins)
    return findings


def is_unknown(table: str, column: Column, tables: Mapping[str, pl.DataFrame]) -> pl.Series | None:
    """Return which labels of a column stand in none of its tables, None where there are none."""
    targets = [t for t in column.refers_to if t in tables]
    if not targets or column.name not in tables[table].columns:
        return None
    known = _known(targets, tables)
    series = tables[table][column.name].cast(pl.String)
    bad = series.is_not_null() & ~series.is_in(known.implode())
    if (table, column.name) in _STARRED:
        bad &= series != EVERY_BUYER
    return bad if bad.any() else None


def _known(targets: list[str], tables: Mapping[str, pl.DataFrame]) -> pl.Series:
    labels = [tables[t][TABLES[t].key[0]].drop_nulls() for t in targets]
    if len(labels) == 1:  # a key has no repetitions
        return labels[0]
    return pl.concat([x.rename("label") for x in labels]).unique(maintain_order=True)


def _unknown_labels(
    table: str,
    column: Column,
    tables: Mapping[str, pl.DataFrame],
    origins: Mapping[str, Origin],
) -> list[Finding]:
    bad = is_unknown(table, column, tables)
    if bad is None:
        return []
    targets = [t for t in column.refers_to if t in tables]
    known = _known(targets, tables)
    valid = known.to_list() if len(known) <= 20_000 else []
    origin = origins[table]
    shown = (origin.names or {}).get(column.name, column.name)
    where = " or ".join(dict.fromkeys(_where(t, origins) for t in targets))
    groups = by_value(tables[table][column.name].cast(pl.String), bad)
    findings = [
        make_finding(
            "E104",
            f"{shown} is not listed in {where}",
            origin=origin,
            index=row,
            column=column.name,
            value=value,
            suggestion=nearest(value, valid),
            count=count,
        )
        for value, row, count in groups.head(MOST_VALUES).iter_rows()
    ]
    rest = groups.slice(MOST_VALUES)
    if rest.height:
        findings.append(
            make_finding(
                "E104",
                f"{rest.height:,} more labels of {shown} are not listed in {where}",
                origin=origin,
                index=rest["row"][0],
                column=column.name,
                value=rest["value"][0],
                count=int(rest["count"].sum()),
            )
        )
    return findings


def _where(table: str, origins: Mapping[str, Origin]) -> str:
    """Name a table as its user knows it: by its file and sheet."""
    origin = origins.get(table)
    if origin is None or origin.file == table:
        return f"the table of {table}"
    return f"{origin.file} > {origin.sheet}" if origin.sheet else origin.file


def check_settings(
    tables: Mapping[str, pl.DataFrame], settings: Settings, *, is_complete: bool = True
) -> list[Finding]:
    """Find a home, viewpoint or final demand in the settings that the tables do not know.

    Tables that are not complete (some rows have faults) are not asked who makes a product.
    """
    origin = Origin("withstand.toml")
    products = tables["products"]["product"].drop_nulls().to_list()
    nodes = tables["nodes"]["node"]
    regions = tables["regions"]["region"].drop_nulls().to_list()
    makers = [*products, *nodes.drop_nulls().to_list()] if len(nodes) < 20_000 else products
    findings: list[Finding] = []

    def fault(key: str, value: str, what: str, valid: list[str]) -> None:
        findings.append(
            make_finding(
                "E207",
                f"{key}: {what}",
                origin=origin,
                column=key,
                value=value,
                suggestion=nearest(value, valid),
                fix=f"Correct {key} in withstand.toml, or add the label to the tables.",
            )
        )

    if settings.home is not None and settings.home not in regions:
        fault("home", settings.home, "no node stands there and no region is called so", regions)
    made = set(tables["nodes"]["product"].to_list())
    for key, label in (
        ("viewpoint", settings.viewpoint),
        *((f"final_demand.{x}", x) for x in settings.final_demand),
    ):
        if label is None or (nodes == label).any():
            continue
        if label not in products:
            fault(key, label, "no product and no node is called so", makers)
        elif label not in made and is_complete:
            fault(key, label, "no node makes this product", [])
    return findings
