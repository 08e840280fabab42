"""What changed between the tables of two networks: rows added, removed, changed, by their key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand import measures
from withstand.errors import SolverError, UsageError
from withstand.model.tables import TABLES, is_annotation

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

CLOSE = 1e-12
"""Numbers that differ by less, relative to the larger, are the same."""
SCHEMA = {
    "table": pl.String,
    "change": pl.String,
    "key": pl.String,
    "column": pl.String,
    "before": pl.String,
    "after": pl.String,
    "effect": pl.Float64,
}
_WHOSE = {
    "nodes": "node",
    "links": "supplier",
    "stocks": "node",
    "recipes": "buyer",
    "products": "product",
    "regions": "region",
}
"""The column of a table that says whose value a row acts on."""


def table_changes(before: ProductionNetwork, after: ProductionNetwork) -> pl.DataFrame:
    """Return what changed in the tables, what moved most value first.

    Rows are matched by the key of their table; where a table has none, whole rows are. Columns
    that say where a number comes from are left out. Numbers are written with all their digits.

    Returns
    -------
    polars.DataFrame
        table, change (added, removed, changed), key, column (of a change), before, after, effect:
        by how much the share of the final value that arises at the producer (the supplier of a
        link, all makers of a product, the region) differs, 0 to 1; empty where it has none.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> net = tiny()
    >>> nodes = net.tables["nodes"].with_columns(pl.col("price") * 2)
    >>> found = table_changes(net, net.with_changes({"nodes": nodes}))
    >>> found["change"].unique().to_list(), found["column"].unique().to_list()
    (['changed'], ['price'])
    >>> table_changes(net, net).height
    0
    """
    moved = _value_moved(before, after)
    parts = []
    for name in TABLES:
        own = _changes(name, before.tables.get(name), after.tables.get(name))
        if own.height:
            parts.append(_with_effect(own, name, moved))
    if not parts:
        return pl.DataFrame(schema=SCHEMA)
    return pl.concat(parts).sort(
        ["effect", "table", "key", "column"],
        descending=[True, False, False, False],
        nulls_last=True,
    )


def change_counts(changes: pl.DataFrame) -> pl.DataFrame:
    """Count rows by table: table, added, removed, changed (a row counts once)."""
    rows = changes.unique(["table", "change", "key"], maintain_order=True)
    counted = {c: (pl.col("change") == c).sum() for c in ("added", "removed", "changed")}
    return rows.group_by("table", maintain_order=True).agg(**counted).sort("table")


def _changes(name: str, old: pl.DataFrame | None, new: pl.DataFrame | None) -> pl.DataFrame:
    known = [c.name for c in TABLES[name].columns if not is_annotation(c.name)]
    first, second = _alike(old, new, known)
    key = [c for c in TABLES[name].key if c in first.columns]
    if not key:
        return _whole_rows(name, first, second)
    rest = [c for c in first.columns if c not in key]
    joined = first.with_columns(pl.lit(value=True).alias("_old")).join(
        second.rename({c: f"{c}_new" for c in rest}).with_columns(pl.lit(value=True).alias("_new")),
        on=key,
        how="full",
        coalesce=True,
        nulls_equal=True,
    )
    said = _key_text(key)
    whose = _whose(name, joined)
    parts = [
        joined.filter(pl.col(gone).is_null()).select(
            *_fixed(name, change, said, whose), *_no_column()
        )
        for change, gone in (("added", "_old"), ("removed", "_new"))
    ]
    both = joined.filter(pl.col("_old").is_not_null() & pl.col("_new").is_not_null())
    for column in rest:
        a, b = pl.col(column), pl.col(f"{column}_new")
        differs = a.ne_missing(b)
        if first.schema[column] == pl.Float64:
            size = pl.max_horizontal(a.abs(), b.abs())
            differs = differs & ((a - b).abs() > CLOSE * size).fill_null(value=True)
        parts.append(
            both.filter(differs).select(
                *_fixed(name, "changed", said, whose),
                pl.lit(column).alias("column"),
                a.cast(pl.String).alias("before"),
                b.cast(pl.String).alias("after"),
            )
        )
    return pl.concat(parts)


def _alike(
    old: pl.DataFrame | None, new: pl.DataFrame | None, known: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return both tables with the same known columns, as numbers where both are, else as text."""
    frames = [f if f is not None else pl.DataFrame() for f in (old, new)]
    columns = [c for c in known if any(c in f.columns for f in frames)]

    def cast(frame: pl.DataFrame) -> pl.DataFrame:
        made = []
        for c in columns:
            kinds = [f.schema[c] for f in frames if c in f.columns]
            kind = pl.Float64 if all(k.is_numeric() for k in kinds) else pl.String
            series = pl.col(c) if c in frame.columns else pl.lit(None)
            made.append(series.cast(kind).alias(c))
        if not frame.width:
            return pl.DataFrame(schema=dict.fromkeys(columns, pl.Float64)).select(made)
        return frame.select(made)

    return cast(frames[0]), cast(frames[1])


def _whole_rows(name: str, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that one table has more often than the other."""
    columns = old.columns
    if not columns:
        return pl.DataFrame(schema={k: v for k, v in SCHEMA.items() if k != "effect"} | {
            "whose": pl.String})  # fmt: skip
    counted = pl.concat(
        [
            old.with_columns(pl.lit(-1).alias("_sign")),
            new.with_columns(pl.lit(1).alias("_sign")),
        ]
    )
    net = counted.group_by(columns, maintain_order=True).agg(pl.col("_sign").sum())
    said = _key_text(columns)
    parts = [
        net.filter(pl.col("_sign").sign() == sign).select(
            *_fixed(name, change, said, pl.lit(None, dtype=pl.String)), *_no_column()
        )
        for change, sign in (("added", 1), ("removed", -1))
    ]
    return pl.concat(parts)


def _key_text(key: list[str]) -> pl.Expr:
    return pl.concat_str([pl.col(c).cast(pl.String) for c in key], separator=" | ",
                         ignore_nulls=True)  # fmt: skip


def _fixed(name: str, change: str, said: pl.Expr, whose: pl.Expr) -> list[pl.Expr]:
    return [
        pl.lit(name).alias("table"),
        pl.lit(change).alias("change"),
        said.alias("key"),
        whose.alias("whose"),
    ]


def _no_column() -> list[pl.Expr]:
    return [pl.lit(None, dtype=pl.String).alias(c) for c in ("column", "before", "after")]


def _whose(name: str, frame: pl.DataFrame) -> pl.Expr:
    column = _WHOSE.get(name)
    if column is None or column not in frame.columns:
        return pl.lit(None, dtype=pl.String)
    return pl.col(column).cast(pl.String)


def _with_effect(changes: pl.DataFrame, name: str, moved: dict[str, pl.DataFrame]) -> pl.DataFrame:
    by = {"products": "product", "regions": "region"}.get(name, "node")
    if name not in _WHOSE or by not in moved:
        return changes.with_columns(pl.lit(None, dtype=pl.Float64).alias("effect")).select(
            list(SCHEMA)
        )
    return changes.join(moved[by], on="whose", how="left", maintain_order="left").select(
        list(SCHEMA)
    )


def _value_moved(before: ProductionNetwork, after: ProductionNetwork) -> dict[str, pl.DataFrame]:
    """Return by how much the share of value of each node, product and region differs."""
    try:
        both = {by: (value_by(before, by), value_by(after, by))
                for by in ("node", "product", "region")}  # fmt: skip
    except (UsageError, SolverError):
        return {}
    found = {}
    for by, (old, new) in both.items():
        joined = old.join(new, on=by, how="full", coalesce=True, suffix="_new")
        difference = pl.col("share_new").fill_null(0.0) - pl.col("share").fill_null(0.0)
        found[by] = joined.select(pl.col(by).alias("whose"), difference.abs().alias("effect"))
    return found


def value_by(network: ProductionNetwork, by: str) -> pl.DataFrame:
    """Return the share of the final value that arises at each node, product or region."""
    return measures.exposure(network, by).shares.select(by, "share")
