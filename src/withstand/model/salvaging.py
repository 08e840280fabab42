"""What can still be checked when some rows have faults, so that all faults come in one pass.

Rows with faults are left out, and with them everything that they could make look wrong: links of
the same purchase, labels of rows that were left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.checks import check_rows
from withstand.model.checks.references import is_unknown
from withstand.model.layout import lay_out
from withstand.model.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.conforming import Conformed
    from withstand.model.findings import Finding, Origin
    from withstand.model.settings import Settings

_ORDER = ("products", "regions", "nodes", "recipes", "links", "stocks")
_ANY_FAULT_COUNTS = ("recipes", "links", "stocks")  # a wrong number there tells another story


def check_sound_rows(
    tables: Mapping[str, pl.DataFrame],
    conformed: Mapping[str, Conformed],
    settings: Settings,
    origins: Mapping[str, Origin],
) -> list[Finding]:
    """Return the errors of structure that the rows without faults show."""
    kept: dict[str, pl.DataFrame] = {}
    places = dict(origins)
    for name in _ORDER:
        if name == "recipes" and not set(_ORDER[:3]) <= set(kept):
            return []  # nothing is left that they could be about
        if name not in tables:
            continue
        rows = np.flatnonzero(_sound(name, tables, kept, conformed.get(name)).to_numpy())
        if len(rows):
            kept[name] = tables[name][rows]
            places[name] = replace(origins[name], rows=_rows_of(origins[name], rows))
    kept["nodes"] = _somewhere(kept["nodes"], kept["regions"])
    found = check_rows(lay_out(kept, settings), kept, settings, places)
    return [f for f in found if f.severity == "error"]


def _rows_of(origin: Origin, rows: np.ndarray) -> list[int]:
    given = rows + 2 if origin.rows is None else np.asarray(origin.rows)[rows]
    return given.tolist()


def _somewhere(nodes: pl.DataFrame, regions: pl.DataFrame) -> pl.DataFrame:
    """Put nodes of an unknown region into the first one: the rules about rows do not mind."""
    is_known = pl.col("region").is_in(regions["region"].implode())
    return nodes.with_columns(
        pl.when(is_known).then("region").otherwise(pl.lit(regions["region"][0]))
    )


def _sound(
    name: str,
    tables: Mapping[str, pl.DataFrame],
    kept: Mapping[str, pl.DataFrame],
    conformed: Conformed | None,
) -> pl.Series:
    """Return which rows of a table can be relied upon."""
    frame = tables[name]
    sound = pl.Series([True] * frame.height)
    if conformed is not None:
        fault = conformed.is_flawed if name in _ANY_FAULT_COUNTS else conformed.is_lost
        if fault is not None:
            sound &= ~fault
    for column in TABLES[name].columns:
        if column.name in frame.columns and column.refers_to != ("regions",):
            unknown = is_unknown(name, column, {**kept, name: frame})
            if unknown is not None:
                sound &= ~unknown
    if name == "links" and not sound.all():
        sound &= ~_shares_a_purchase(frame, kept["nodes"], sound)
    return sound


def _shares_a_purchase(links: pl.DataFrame, nodes: pl.DataFrame, sound: pl.Series) -> pl.Series:
    """Return the links that serve a purchase of which another link was left out."""
    made = links.select("supplier").join(
        nodes.select("node", "product"),
        left_on="supplier",
        right_on="node",
        how="left",
        maintain_order="left",
    )["product"]
    stated = links["product"] if "product" in links.columns else made
    purchase = pl.DataFrame(
        {"buyer": links["buyer"], "product": stated.zip_with(stated.is_not_null(), made)}
    )
    left_out = purchase.filter(~sound).unique()
    if any(left_out[c].null_count() for c in left_out.columns):
        return ~sound | True  # nobody can tell which purchase it was
    found = purchase.join(
        left_out.with_columns(pl.lit(value=True).alias("is_left_out")),
        on=["buyer", "product"],
        how="left",
        maintain_order="left",
    )
    return found["is_left_out"].is_not_null()
