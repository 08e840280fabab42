"""Build an economy: region x sector cells whose flows are one matrix.

An economy is a ProductionNetwork like any other: a node is a cell, its product the sector, its
price 1, its recipe the column of the matrix. Only its links are kept as the matrix itself.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model import checks
from withstand.model.balances import residuals
from withstand.model.cells import as_text
from withstand.model.conforming import conform_rows
from withstand.model.encoding import encode, indptr_of, numbers
from withstand.model.findings import Finding, Origin, has_errors, make_finding, sort_findings
from withstand.model.flow_table import FlowTable, by_product
from withstand.model.network import ProductionNetwork
from withstand.model.recipe_inputs import CONSUMED
from withstand.model.tables import CLASSES, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from withstand.model.settings import Settings

Array = np.ndarray
IMPORTANT = CLASSES.index("important")
__all__ = ["CARRIED", "build_economy", "in_links", "residuals"]

CARRIED = ("products", "nodes", "regions", "extensions", "stocks", "classes", "sources")
"""Tables that an economy takes besides its matrices."""


def build_economy(
    flows: Array,
    final: Array,
    tables: Mapping[str, pl.DataFrame],
    final_columns: pl.DataFrame,
    settings: Settings,
    *,
    tolerance: float = 0.0,
    origins: Mapping[str, Origin] | None = None,
    findings: Sequence[Finding] = (),
) -> ProductionNetwork:
    """Return the economy of a matrix of flows and of final demand.

    Parameters
    ----------
    flows : ndarray of float64, shape (n_nodes, n_nodes), currency per period
        Z: the row sells to the column; nothing negative. Taken without a copy if C-contiguous.
    final : ndarray of float64, shape (n_nodes, n_final), currency per period
        Y; inventories may be negative.
    tables : mapping of str to polars.DataFrame
        `nodes` (required: product, region; optional: node, output, value_added, capacity, in the
        order of the rows of `flows`), and optionally products, regions, extensions, stocks (rows
        for `*` or a product), classes. Labels of nodes are `product@region` where not given.
        Output that is not given is the sum of the row; value added output less the column of Z.
    final_columns : polars.DataFrame
        Columns `region` and `category`, a row for each column of `final`.
    settings : Settings
        With `lens="economy"`.
    tolerance : float, currency per period
        Largest gap between the sides of a node that rounding in the source can explain.
    origins, findings
        As in `build_network`.

    Raises
    ------
    DataError
        With every finding, if any is an error.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "DE"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["DE"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> net.node_labels.tolist(), net.output.tolist(), net.value_added.tolist()
    (['steel@DE', 'cars@DE'], [4.0, 10.0], [4.0, 6.0])
    """
    found = list(findings)
    places = {name: (origins or {}).get(name, Origin(name)) for name in (*TABLES, "flows", "final")}
    flows = np.ascontiguousarray(flows, dtype=np.float64)
    final = np.ascontiguousarray(final, dtype=np.float64)
    found += _faults_of_shape(flows, final, tables, final_columns, places)
    _stop_on_errors(found)
    found += _faults_of_numbers(flows, final, places)
    given = {name: frame for name, frame in tables.items() if name in CARRIED}
    given["nodes"] = _with_derived(given["nodes"], flows, final)
    conformed = {n: conform_rows(frame, TABLES[n], places[n]) for n, frame in given.items()}
    for done in conformed.values():
        found += done.findings
    _stop_on_errors(found)
    ready = {name: done.frame for name, done in conformed.items()}
    ready = _with_labels(ready, final_columns)
    found += checks.check_references(ready, places, set())
    found += checks.check_settings(ready, settings, is_complete=not has_errors(found))
    _stop_on_errors(found)
    network = _assemble(flows, final, ready, final_columns, settings, places, tolerance)
    found += _notes(network)
    found += checks.check_economics(network)
    return replace(network, findings=tuple(sort_findings(found)))


def _faults_of_shape(
    flows: Array,
    final: Array,
    tables: Mapping[str, pl.DataFrame],
    final_columns: pl.DataFrame,
    places: Mapping[str, Origin],
) -> list[Finding]:
    found = []
    n_nodes = tables["nodes"].height if "nodes" in tables else 0
    if n_nodes == 0:
        found.append(make_finding("E119", "there is no table of nodes"))
    elif flows.shape != (n_nodes, n_nodes):
        what = f"the flows are {flows.shape[0]} x {flows.shape[-1]}, but there are {n_nodes} nodes"
        found.append(make_finding("E123", what, origin=places["flows"]))
    expected = (n_nodes, final_columns.height)
    if n_nodes and final.shape != expected:
        what = f"final demand has the shape {final.shape}, expected {expected}"
        found.append(make_finding("E123", what, origin=places["final"]))
    for name in ("region", "category"):
        if name not in final_columns.columns:
            what = f"the columns of final demand need a '{name}'"
            found.append(make_finding("E101", what, origin=places["final"], column=name))
    return found


def _faults_of_numbers(flows: Array, final: Array, places: Mapping[str, Origin]) -> list[Finding]:
    found = []
    for name, matrix in (("flows", flows), ("final", final)):
        bad = ~np.isfinite(matrix.sum(axis=1))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            what = f"{int(bad.sum())} rows of {name} hold something that is no finite number"
            found.append(
                make_finding("E103", what, origin=places[name], index=row, count=int(bad.sum()))
            )
    lowest = flows.min(axis=1, initial=0.0)
    if (lowest < 0).any():
        row = int(lowest.argmin())
        count = int((flows < 0).sum())
        what = f"{count:,} flows between nodes are negative"
        found.append(
            make_finding(
                "E124", what, origin=places["flows"], index=row, value=lowest[row], count=count
            )
        )
    return found


def _with_derived(nodes: pl.DataFrame, flows: Array, final: Array) -> pl.DataFrame:
    """Add labels, output, final demand and value added where they are not given."""
    if "node" not in nodes.columns and {"product", "region"} <= set(nodes.columns):
        label = pl.format("{}@{}", pl.col("product"), pl.col("region"))
        nodes = nodes.with_columns(label.alias("node"))
    sales = flows.sum(axis=1) + final.sum(axis=1)
    output, value_added = _given(nodes, "output"), _given(nodes, "value_added")
    if output is None or value_added is None:
        return nodes
    output = np.where(np.isnan(output), np.maximum(sales, 0.0), output)
    value_added = np.where(np.isnan(value_added), output - flows.sum(axis=0), value_added)
    return nodes.with_columns(
        pl.Series("output", output),
        pl.Series("final_demand", final.sum(axis=1)),
        pl.Series("value_added", value_added),
    )


def _given(nodes: pl.DataFrame, name: str) -> Array | None:
    """Return a column as numbers, NaN where empty; None if it holds something else, told later."""
    if name not in nodes.columns:
        return np.full(nodes.height, np.nan)
    cells = (
        nodes[name] if nodes[name].dtype.is_numeric() else as_text(nodes[name]).str.strip_chars()
    )
    values = cells.cast(pl.Float64, strict=False)
    is_empty = cells.is_null() if cells.dtype != pl.String else cells.fill_null("") == ""
    if (values.is_null() & ~is_empty).any():
        return None
    return np.array(values.fill_null(np.nan).to_numpy(), dtype=np.float64)


def _with_labels(
    tables: dict[str, pl.DataFrame], final_columns: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Add the tables of products and regions where they were not given."""
    nodes = tables["nodes"]
    if "products" not in tables:
        tables["products"] = pl.DataFrame(nodes["product"].unique(maintain_order=True))
    if "regions" not in tables:
        seen = pl.concat([nodes["region"], final_columns["region"].cast(pl.String)])
        tables["regions"] = pl.DataFrame(seen.unique(maintain_order=True))
    return {name: tables[name] for name in TABLES if name in tables}


def _assemble(
    flows: Array,
    final: Array,
    tables: dict[str, pl.DataFrame],
    final_columns: pl.DataFrame,
    settings: Settings,
    places: Mapping[str, Origin],
    tolerance: float,
) -> ProductionNetwork:
    nodes, products, regions = (tables[t] for t in ("nodes", "products", "regions"))
    node_product = encode(products["product"], nodes["product"])
    output = numbers(nodes, "output")
    purchases = by_product(flows, node_product, products.height)  # product x buyer
    buyer, product = np.nonzero(purchases.T)
    value = purchases[product, buyer]
    coefficient = np.where(output[buyer] > 0, value / np.where(output > 0, output, 1.0)[buyer], 0.0)
    flow_table = FlowTable(
        flows=flows,
        final=final,
        final_region=encode(regions["region"], final_columns["region"]),
        final_category=final_columns["category"].cast(pl.String).to_numpy().astype(str),
        tolerance=tolerance,
    )
    stock, target = _stocks(tables, product, buyer, coefficient * output[buyer], products)
    capacity = numbers(nodes, "capacity")
    price = numbers(nodes, "price", 1.0)
    unmet = numbers(nodes, "unmet_value")
    n_inputs = len(buyer)
    return ProductionNetwork(
        build=partial(_rebuild, flow_table, final_columns),
        settings=settings,
        tables=tables,
        origins={name: places[name] for name in tables},
        findings=(),
        node_labels=nodes["node"].to_numpy().astype(str),
        product_labels=products["product"].to_numpy().astype(str),
        region_labels=regions["region"].to_numpy().astype(str),
        node_product=node_product,
        node_region=encode(regions["region"], nodes["region"]),
        output=output,
        capacity=np.where(np.isnan(capacity), output, np.maximum(capacity, output)),
        final_demand=numbers(nodes, "final_demand", 0.0),
        price=price,
        value_added=numbers(nodes, "value_added"),
        unmet_value=np.where(np.isnan(unmet), price, unmet),
        recovery=numbers(nodes, "recovery_periods"),
        inputs_indptr=indptr_of(buyer, nodes.height),
        input_buyer=buyer.astype(np.int64),
        input_product=product.astype(np.int64),
        input_coefficient=coefficient,
        input_class=_classes(tables, products, product, node_product[buyer]),
        input_use=np.full(n_inputs, CONSUMED, dtype=np.int64),
        input_stock=stock,
        input_target=target,
        input_lag=np.zeros(n_inputs),
        links=partial(flow_table.links, buyer, product, node_product),
        is_stated=np.ones(products.height, dtype=bool),
        flow_table=flow_table,
    )


def _classes(
    tables: Mapping[str, pl.DataFrame], products: pl.DataFrame, supplier: Array, buyer: Array
) -> Array:
    """Class of each input: as the pair of products says, else important."""
    table = np.full((products.height, products.height), IMPORTANT, dtype=np.int64)
    if "classes" in tables:
        frame = tables["classes"]
        row = encode(products["product"], frame["supplier_product"])
        column = encode(products["product"], frame["buyer_product"])
        ranks = frame["class"].replace_strict(
            {w: k for k, w in enumerate(CLASSES)}, default=IMPORTANT, return_dtype=pl.Int64
        )
        table[row, column] = ranks.to_numpy()
    return table[supplier, buyer]


def _stocks(
    tables: Mapping[str, pl.DataFrame],
    product: Array,
    buyer: Array,
    use: Array,
    products: pl.DataFrame,
) -> tuple[Array, Array]:
    """Stock and target of each input from rows for every buyer, a product or a node, in turn."""
    quantity, target = np.zeros(len(use)), np.full(len(use), np.nan)
    if "stocks" not in tables:
        return quantity, quantity.copy()
    nodes = tables["nodes"]
    frame = tables["stocks"]
    held = encode(products["product"], frame["product"])
    holder_node = encode(nodes["node"], frame["node"])
    holder_product = encode(products["product"], frame["node"])
    amount, periods = numbers(frame, "quantity"), numbers(frame, "periods_of_use")
    aim = numbers(frame, "target")
    rank = np.where(holder_node >= 0, 2, np.where(holder_product >= 0, 1, 0))
    of_buyer = encode(products["product"], nodes["product"])[buyer]
    for row in np.argsort(rank, kind="stable"):
        mine = product == held[row]
        if rank[row] == 2:
            mine &= buyer == holder_node[row]
        elif rank[row] == 1:
            mine &= of_buyer == holder_product[row]
        quantity[mine] = periods[row] * use[mine] if np.isnan(amount[row]) else amount[row]
        target[mine] = aim[row]
    return quantity, np.where(np.isnan(target), quantity, target)


def _notes(network: ProductionNetwork) -> list[Finding]:
    if "classes" not in network.tables:
        what = "no classes were given; every input counts as important"
        return [make_finding("N204", what, origin=network.origins["nodes"])]
    classes = network.tables["classes"].select("supplier_product", "buyer_product")
    used = pl.DataFrame(
        {
            "supplier_product": network.product_labels[network.input_product],
            "buyer_product": network.product_labels[network.node_product[network.input_buyer]],
        }
    )
    missing = used.unique(maintain_order=True).join(classes, on=classes.columns, how="anti")
    if missing.height == 0:
        return []
    pair = " for ".join(missing.row(0))
    what = f"{missing.height:,} pairs of products have no class, {pair} is one; they are important"
    return [make_finding("W211", what, origin=network.origins["classes"], count=missing.height)]


def _rebuild(
    flow_table: FlowTable,
    final_columns: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    settings: Settings,
    origins: Mapping[str, Origin],
) -> ProductionNetwork:
    """Build again from changed tables over the same flows: what `with_changes` calls."""
    foreign = sorted(set(tables) & {"links", "recipes", "final_demand"})
    if foreign:
        raise UsageError(
            f"An economy holds its flows as one matrix; the tables {', '.join(foreign)} cannot "
            "replace it. Turn it into links first: withstand.model.economy.in_links(network)."
        )
    return build_economy(
        flow_table.flows,
        flow_table.final,
        tables,
        final_columns,
        settings,
        tolerance=flow_table.tolerance,
        origins=origins,
    )


def in_links(network: ProductionNetwork) -> ProductionNetwork:
    """Return the same economy as a network of links with values, for engines and options.

    It is the settled one: output that is sold, final demand of at least 0.

    Raises
    ------
    UsageError
        If it is none, or has too many flows.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "DE"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["DE"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> in_links(net).link_share.tolist()
    [1.0]
    """
    from withstand.model.building import build_network

    if network.flow_table is None:
        raise UsageError("This network is one of links already.")
    supplier = network.link_supplier
    buyer = network.input_buyer[network.link_input]
    tables = {k: v for k, v in network.tables.items() if k in CARRIED}
    settled = network.settled
    tables["nodes"] = tables["nodes"].with_columns(
        pl.Series("output", settled.output), pl.Series("final_demand", settled.final_demand)
    )
    tables["links"] = pl.DataFrame(
        {
            "supplier": network.node_labels[supplier],
            "buyer": network.node_labels[buyer],
            "value": network.flow_table.flows[supplier, buyer],
        }
    )
    return build_network(tables, network.settings)


def _stop_on_errors(findings: list[Finding]) -> None:
    if has_errors(findings):
        raise DataError(sort_findings(findings))
