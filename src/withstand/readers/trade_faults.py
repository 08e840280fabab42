"""What is wrong or worth a word in trade flows: faults of a file, traps of a cube."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from withstand.model.findings import Finding, Origin, counted, listed, make_finding
from withstand.model.trade_rows import FEW
from withstand.model.trade_vintages import UNKNOWN

if TYPE_CHECKING:
    from withstand.model.trade_cube import TradeCube
    from withstand.readers.trade_formats import TradeFormat
    from withstand.readers.trade_sources import TradeSource

HUB = 0.5
"""A region that imports this share of what it exports, product by product, may be a hub."""

_FAULTS = {
    "year IS NULL": ("E103", "year", "year must be a whole number"),
    "bad_value": ("E103", "value", "value must be a number"),
    "value < 0": ("E602", "value", "value must be 0 or more"),
    "isinf(value) OR isnan(value)": ("E103", "value", "value must be finite"),
    "quantity < 0": ("E602", "quantity", "quantity must be 0 or more"),
    "exporter IS NULL": ("E102", "exporter", "exporter may not be empty"),
    "importer IS NULL": ("E102", "importer", "importer may not be empty"),
    "product IS NULL": ("E102", "product", "product may not be empty"),
}


def part_faults(database: Any, source: TradeSource, layout: TradeFormat) -> list[Finding]:
    """Return the faults of one file; the view `raw` holds its rows."""
    origin = Origin(source.origin.file, names=dict(layout.columns))
    conditions = ", ".join(f"count(*) FILTER ({c})" for c in (*_FAULTS, "no_value"))
    row = database.execute(f"SELECT count(*), {conditions} FROM raw").fetchall()[0]
    total, *counts, no_value = (int(x) for x in row)
    if total == 0:
        return [make_finding("E112", "no row of the table counts as a flow", origin=origin)]
    found = [
        _fault(database, origin, condition, *rule, count)
        for (condition, rule), count in zip(_FAULTS.items(), counts, strict=True)
        if count
    ]
    if no_value:
        what = f"{counted(no_value, 'row')} without a value are left out"
        found.append(make_finding("W610", what, origin=origin, column="value", count=no_value))
    return [*found, *_left_out(database, source, layout, origin)]


def own_flows(database: Any, origin: Origin) -> list[Finding]:
    """Return a word on flows of a region with itself; `raw` and `labels` hold what is read."""
    (count,) = database.execute(
        "SELECT count(*) FROM raw r JOIN labels e ON r.exporter = e.code "
        "JOIN labels m ON r.importer = m.code WHERE e.label = m.label AND e.label <> ''"
    ).fetchall()[0]
    if not count:
        return []
    what = f"{counted(count, 'flow')} of a region with itself (re-imports) are left out"
    return [make_finding("N604", what, origin=origin, count=count)]


def flow_notes(cube: TradeCube, vintages: Sequence[str]) -> list[Finding]:
    """Return the traps of a cube: quantities, vintages, repeated flows, hubs."""
    found: list[Finding] = []
    if cube.n_rows == 0:
        return [make_finding("W611", "no flow is left")]
    extent = cube.summary()
    missing = (extent["without_quantity"] * extent["flows"]).sum() / cube.n_rows
    if missing > 0:
        what = f"{missing:.1%} of the flows state no quantity"
        found.append(make_finding("N605", what, column="quantity"))
    if len(vintages) > 1:
        what = f"the codes are of several vintages: {', '.join(vintages)}"
        found.append(make_finding("W608", what))
    elif cube.vintage == UNKNOWN:
        found.append(make_finding("N606", "nothing says of which vintage the product codes are"))
    return [*found, *_repeated(cube), *_hubs(cube)]


def _fault(
    database: Any, origin: Origin, condition: str, code: str, column: str, what: str, count: int
) -> Finding:
    """Return one fault with its first row."""
    names = ("year", "exporter", "importer", "product", "value", "quantity")
    example = database.execute(
        f"SELECT {', '.join(names)}, raw_value, row FROM (SELECT *, row_number() OVER () AS row "
        f"FROM raw) WHERE {condition} ORDER BY row LIMIT 1"
    ).fetchall()[0]
    row = dict(zip((*names, "raw_value", "row"), example, strict=True))
    flow = " ".join(str(row[c]) for c in ("year", "exporter", "importer", "product"))
    return make_finding(
        code,
        f"{what}; first in the flow {flow}",
        origin=origin,
        index=int(row["row"]) - 1,
        column=column,
        value=row["raw_value"] if column == "value" else row[column],
        count=count,
    )


def _left_out(
    database: Any, source: TradeSource, layout: TradeFormat, origin: Origin
) -> list[Finding]:
    """Say which rows of the file do not count, condition by condition."""
    found: list[Finding] = []
    for column, values in layout.wanted.items():
        name = column.replace('"', '""')
        listed_values = ", ".join(f"'{value}'" for value in values)
        table = source.register(database)
        (count,) = database.execute(
            f'SELECT count(*) FROM {table} WHERE NOT (coalesce(upper(trim(CAST("{name}" AS '
            f"VARCHAR))), '') IN ({listed_values}))"
        ).fetchall()[0]
        if count:
            what = f"{counted(count, 'row')} are left out: {layout.left_out[column]}"
            found.append(make_finding("N607", what, origin=origin, column=column, count=count))
    return found


def _repeated(cube: TradeCube) -> list[Finding]:
    """Find flows that stand more than once; of cubes on disk this is not asked."""
    if cube.n_rows > FEW:
        return []
    count = cube.rows.ask(
        "SELECT coalesce(sum(n - 1), 0) AS n FROM (SELECT count(*) AS n FROM rows "
        "GROUP BY year, exporter, importer, product HAVING count(*) > 1)"
    ).item()
    if not count:
        return []
    what = f"{counted(int(count), 'flow')} stand again with the same year, partners and product"
    return [make_finding("W609", f"{what}; they are added together", count=int(count))]


def _hubs(cube: TradeCube) -> list[Finding]:
    """Find regions that import most of what they export, product by product, in the last year."""
    frame = cube.rows.ask(
        "WITH sides AS (SELECT exporter AS region, product, value AS sold, 0 AS bought FROM rows "
        f"WHERE year = {cube.years[-1]} UNION ALL SELECT importer, product, 0, value FROM rows "
        f"WHERE year = {cube.years[-1]}), "
        "by_product AS (SELECT region, product, sum(sold) AS sold, sum(bought) AS bought "
        "FROM sides GROUP BY ALL), "
        "shares AS (SELECT region, sum(least(sold, bought)) / nullif(sum(sold), 0) AS share, "
        "sum(sold) AS sold FROM by_product GROUP BY region) "
        "SELECT region, share, sold / sum(sold) OVER () AS weight FROM shares "
        f"WHERE share >= {HUB} QUALIFY weight >= 0.01 ORDER BY weight DESC, region"
    )
    if frame.is_empty():
        return []
    named = listed([f"{region} ({share:.0%})" for region, share, _ in frame.iter_rows()])
    what = f"in {cube.years[-1]} these exporters also import much of what they export: {named}"
    return [make_finding("N608", what)]
