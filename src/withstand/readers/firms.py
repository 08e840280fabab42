"""Firm networks from any frames: nodes, links with values, classes by pair of products."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.building import build_network
from withstand.model.cells import as_text
from withstand.model.conforming import conform_rows
from withstand.model.findings import Finding, Origin, make_finding
from withstand.model.settings import Settings
from withstand.model.tables import TABLES
from withstand.readers.raw import cell_text

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

UNSTATED_REGION = "unstated"

_NODE_ALIASES = {"id": "node", "firm": "node", "sector": "product"}
_LINK_ALIASES = {"source": "supplier", "target": "buyer", "weight": "value"}
_CLASS_ALIASES = {"supplier_sector": "supplier_product", "buyer_sector": "buyer_product"}


def network_from_links(
    nodes: Any,
    links: Any,
    essential: Any = None,
    *,
    name: str = "firms",
    home: str | None = None,
    period: str = "year",
    currency: str = "",
    lens: str = "firms",
) -> ProductionNetwork:
    """Build a network of firms from frames of nodes and links with values.

    Parameters
    ----------
    nodes : frame (pandas, polars, pyarrow: anything narwhals takes)
        Columns `node` (or `id`), `product` (or `sector`), and optionally `region`, `output`,
        `final_demand`, `capacity` and other columns of the table of nodes.
    links : frame
        Columns `supplier`, `buyer`, `value` (currency per period); parallel links are added.
    essential : frame, optional
        Columns `supplier_product`, `buyer_product` (or `..._sector`), `class` (2 essential,
        1 important, 0 minor). Missing pairs are important, with a finding.
    name, home, period, currency, lens : str
        Settings of the network.

    Returns
    -------
    ProductionNetwork
        Output, where not given, is the larger of sales and purchases, and final demand is output
        less sales (a finding says so).

    Raises
    ------
    DataError
        With every fault at once, for instance an unknown node in a link.

    Examples
    --------
    >>> import polars as pl
    >>> nodes = pl.DataFrame({"id": ["mill", "plant"], "sector": ["steel", "gears"]})
    >>> links = pl.DataFrame({"supplier": ["mill"], "buyer": ["plant"], "value": [4.0]})
    >>> network_from_links(nodes, links).output
    array([4., 4.])
    """
    findings: list[Finding] = []
    tables: dict[str, pl.DataFrame] = {}
    origins: dict[str, Origin] = {}
    for table, given, aliases in (
        ("nodes", nodes, _NODE_ALIASES),
        ("links", links, _LINK_ALIASES),
        ("classes", essential, _CLASS_ALIASES),
    ):
        if given is not None or table != "classes":
            frame = _frame(given, "essential" if table == "classes" else table)
            tables[table], origins[table] = _named(frame, aliases, table)
    if "region" not in tables["nodes"].columns:
        region = pl.lit(home or UNSTATED_REGION).alias("region")
        tables["nodes"] = tables["nodes"].with_columns(region)
    tables["links"], origins["links"] = _links(tables["links"], origins["links"], findings)
    tables = {k: v for k, v in tables.items() if v.height or k == "nodes"}
    if "classes" in tables and "product" in tables["nodes"].columns:
        tables["products"] = _products(tables)
    settings = Settings(name=name, lens=lens, home=home, period=period, currency=currency)
    return build_network(tables, settings, origins=origins, findings=findings)


def _frame(data: Any, what: str) -> pl.DataFrame:
    """Return any frame as polars; NaN of pandas means empty."""
    if isinstance(data, pl.DataFrame):
        return data
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    import narwhals.stable.v1 as nw

    try:
        if isinstance(data, dict):
            return pl.DataFrame(data)
        frame = nw.from_native(data, eager_only=True)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"{what} is a {type(data).__name__} that cannot be read as a table; "
            "give a frame of pandas, polars or pyarrow."
        ) from error
    return pl.DataFrame([_column(str(column.name), column) for column in frame.iter_columns()])


def _column(name: str, column: Any) -> pl.Series:
    """Return a column as polars; of mixed objects (of pandas) as text."""
    from pyarrow import ArrowException

    try:
        return pl.Series(name, column.to_arrow())
    except (ArrowException, TypeError, ValueError):
        is_empty = [isinstance(x, float) and math.isnan(x) for x in column.to_list()]
        cells = zip(column.to_list(), is_empty, strict=True)
        values = [None if empty else cell_text(x) for x, empty in cells]
        return pl.Series(name, values, dtype=pl.String)


def _named(frame: pl.DataFrame, aliases: dict[str, str], table: str) -> tuple[pl.DataFrame, Origin]:
    """Rename aliases where the proper name is not there; findings keep the name of the user."""
    taken = set(frame.columns)
    names: dict[str, str] = {}
    for alias, name in aliases.items():
        if alias in frame.columns and name not in taken:
            names[alias] = name
            taken.add(name)
    return frame.rename(names), Origin(table, names={b: a for a, b in names.items()})


def _links(
    frame: pl.DataFrame, origin: Origin, findings: list[Finding]
) -> tuple[pl.DataFrame, Origin]:
    """Return links of which parallel ones are added, and where each of them stood."""
    if "value" not in frame.columns:
        findings.append(
            make_finding("E101", "links need a column 'value'", column="value", origin=origin)
        )
        return frame, origin
    keys = [c for c in ("supplier", "buyer", "product", "route") if c in frame.columns]
    if not {"supplier", "buyer"} <= set(keys) or frame.height == 0:
        return frame, origin
    if not _repeats(frame.select(keys)):
        return frame, origin
    done = conform_rows(frame, TABLES["links"], origin)
    faults = [f for f in done.findings if f.severity == "error" and f.code != "E106"]
    findings += faults
    clean = done.frame.with_row_index("row_in_frame")
    if faults:  # the others can still be checked
        clean = clean.filter(pl.all_horizontal(pl.col("supplier", "buyer").is_not_null()))
    values = pl.col("value")
    total = pl.when(values.is_not_null().any()).then(values.sum())
    added = clean.group_by(keys, maintain_order=True).agg(total, pl.exclude(*keys, "value").first())
    findings.append(
        make_finding(
            "N205",
            f"{clean.height - added.height:,} rows repeat a supplier and buyer; "
            "their values were added",
            origin=origin,
            count=clean.height - added.height,
        )
    )
    rows = (added["row_in_frame"].cast(pl.Int64) + 2).to_list()
    return added.drop("row_in_frame"), replace(origin, rows=rows)


def _repeats(keys: pl.DataFrame) -> bool:
    """Tell whether a row may stand twice: by sorted hashes, a tenth of a hash table's memory."""
    hashes = np.sort(keys.hash_rows().to_numpy())
    return bool((hashes[1:] == hashes[:-1]).any())


def _products(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Products of nodes first, then those that only the classes name."""
    sides = ("supplier_product", "buyer_product")
    named = [tables["classes"][side] for side in sides if side in tables["classes"].columns]
    seen = [as_text(series).alias("product") for series in (tables["nodes"]["product"], *named)]
    return pl.DataFrame(pl.concat(seen).drop_nulls().unique(maintain_order=True))
