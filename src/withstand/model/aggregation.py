"""Add the nodes of an economy together: regions to blocs, products to groups; balances are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse

from withstand.errors import DataError, UsageError
from withstand.model.blocs import region_name
from withstand.model.economy import build_economy
from withstand.model.encoding import encode, numbers
from withstand.model.findings import Finding, Origin, listed, make_finding, nearest
from withstand.model.tables import CLASSES

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.settings import Settings

Array = np.ndarray
Grouping = Mapping[str, str] | pl.DataFrame
ADDED = ("node", "product", "region", "output", "value_added", "final_demand")
"""Columns of the nodes that are kept without a word; capacity and recovery need a rule."""


def aggregate(
    network: ProductionNetwork,
    *,
    regions: Grouping | None = None,
    products: Grouping | None = None,
) -> ProductionNetwork:
    """Return an economy of fewer nodes in which every flow is a sum of flows of the old one.

    What every node sells and buys in all, output, value added, final demand and extensions add up,
    so that rows and columns balance as before. Flows within a group become its own use.

    Parameters
    ----------
    network : ProductionNetwork
        An economy.
    regions, products : mapping of str to str, or frame of two columns (old label, new label)
        Labels that are not named stay as they are.

    Returns
    -------
    ProductionNetwork
        Capacity is added; the class of a pair of groups is the one that most of their flows by
        value have; stocks are added; the time to recover is the longest. Home follows its group.

    Raises
    ------
    DataError
        With every label that the economy lacks, or that stands twice.
    UsageError
        If the network is one of links.

    Examples
    --------
    >>> import numpy as np
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "FR"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["DE"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> both = aggregate(net, regions={"DE": "EU", "FR": "EU"}, products={"steel": "goods",
    ...     "cars": "goods"})
    >>> both.node_labels.tolist(), both.output.tolist(), both.flow_table.flows.tolist()
    (['goods@EU'], [14.0], [[4.0]])
    """
    table = network.flow_table
    if table is None:
        raise UsageError("Only economies can be aggregated: this network is one of links.")
    findings: list[Finding] = []
    of_region = _grouped(regions, network.region_labels, "region", findings)
    of_product = _grouped(products, network.product_labels, "product", findings)
    if findings:
        raise DataError(findings)
    region, product = of_region[network.node_region], of_product[network.node_product]
    pairs = pl.DataFrame({"product": product, "region": region})
    nodes = pairs.unique(maintain_order=True)
    group = pairs.join(
        nodes.with_row_index("group"), on=["product", "region"], how="left", maintain_order="left"
    )["group"].to_numpy()
    adder = _adder(group, nodes.height)
    columns = pl.DataFrame(
        {"region": of_region[table.final_region], "category": table.final_category}
    )
    final_columns = columns.unique(maintain_order=True)
    place = columns.join(
        final_columns.with_row_index("at"), on=["region", "category"], maintain_order="left"
    )["at"].to_numpy()
    largest = int(np.bincount(group).max(initial=1))
    changed = build_economy(
        (adder @ (adder @ table.flows).T).T,
        (_adder(place, final_columns.height) @ (adder @ table.final).T).T,
        {
            "nodes": _nodes(network, nodes, group, findings),
            **_other_tables(network, nodes, group, of_region, of_product, findings),
        },
        final_columns,
        _settings(network, of_region, of_product),
        tolerance=table.tolerance * largest,
        origins=dict(network.origins),
    )
    return replace(changed, findings=(*changed.findings, *findings))


def _grouped(grouping: Grouping | None, labels: Array, what: str, findings: list[Finding]) -> Array:
    """Return the new label of each old one; note labels that are unknown or stand twice."""
    if grouping is None:
        return labels.astype(object)
    origin = Origin(f"the {what}s to add together")
    if isinstance(grouping, pl.DataFrame):
        if grouping.width != 2:
            found = make_finding(
                "E101", f"two columns are expected, not {grouping.width}", origin=origin
            )
            findings.append(found)
            return labels.astype(object)
        pairs = [(str(a), str(b)) for a, b in grouping.drop_nulls().iter_rows()]
    else:
        pairs = [(str(a), str(b)) for a, b in grouping.items()]
    known = set(labels.tolist())
    seen: dict[str, str] = {}
    for row, (old, new) in enumerate(pairs):
        if old not in known:
            findings.append(
                make_finding(
                    "E104", f"the economy has no {what} of that name", origin=origin, column=what,
                    value=old, index=row, suggestion=nearest(old, sorted(known)),
                )
            )  # fmt: skip
        elif seen.setdefault(old, new) != new:
            what_found = f"it stands in two groups, {seen[old]} and {new}"
            findings.append(
                make_finding("E106", what_found, origin=origin, column=what, value=old, index=row)
            )
    return np.array([seen.get(label, label) for label in labels.tolist()], dtype=object)


def _adder(group: Array, n_groups: int) -> sparse.csr_array:
    """Return the matrix that adds rows by group, shape (n_groups, n)."""
    n = len(group)
    return sparse.csr_array((np.ones(n), (group, np.arange(n))), shape=(n_groups, n))


def _sum(values: Array, group: Array, n_groups: int) -> Array:
    return np.bincount(group, values, n_groups)


def _nodes(
    network: ProductionNetwork, nodes: pl.DataFrame, group: Array, findings: list[Finding]
) -> pl.DataFrame:
    """Return the table of the new nodes."""
    old, n = network.tables["nodes"], nodes.height
    made = nodes.with_columns(
        pl.Series("output", _sum(network.output, group, n)),
        pl.Series("value_added", _sum(network.value_added, group, n)),
    )
    carried = set(ADDED)
    if not np.isnan(numbers(old, "capacity")).all():
        made = made.with_columns(pl.Series("capacity", _sum(network.capacity, group, n)))
    carried.add("capacity")
    if not np.isnan(network.recovery).all():
        longest = np.full(n, -np.inf)
        np.maximum.at(longest, group, np.nan_to_num(network.recovery, nan=-np.inf))
        made = made.with_columns(
            pl.Series("recovery_periods", longest)
            .replace({-np.inf: None})
            .alias("recovery_periods")
        )
    carried.add("recovery_periods")
    lost = [c for c in old.columns if c not in carried and old[c].null_count() < old.height]
    if lost:
        what = f"columns of the nodes that cannot be added: {listed(lost)}"
        findings.append(make_finding("N211", what, origin=network.origins["nodes"]))
    return made


def _other_tables(
    network: ProductionNetwork,
    nodes: pl.DataFrame,
    group: Array,
    of_region: Array,
    of_product: Array,
    findings: list[Finding],
) -> dict[str, pl.DataFrame]:
    """Return regions, products, extensions, stocks, classes and sources of the new economy."""
    tables = {
        "regions": _labels(network, "regions", "region", of_region, findings),
        "products": _labels(network, "products", "product", of_product, findings),
    }
    label = pl.format("{}@{}", pl.col("product"), pl.col("region"))
    labels = nodes.select(label.alias("node"))["node"]
    if "extensions" in network.tables:
        old = network.tables["extensions"]
        at = encode(network.tables["nodes"]["node"], old["node"])
        moved = old.with_columns(labels[group[at]].alias("node"))
        keys = [c for c in ("node", "name", "unit") if c in moved.columns]
        tables["extensions"] = moved.group_by(keys, maintain_order=True).agg(pl.col("value").sum())
    if "stocks" in network.tables:
        tables["stocks"] = _stocks(network, labels, group, of_product)
    if "classes" in network.tables:
        tables["classes"] = _classes(network, of_product)
    if "sources" in network.tables:
        tables["sources"] = network.tables["sources"]
    return tables


def _labels(
    network: ProductionNetwork, table: str, key: str, new: Array, findings: list[Finding]
) -> pl.DataFrame:
    """Return the rows of regions or products: a group of several gets a new one."""
    old = network.tables[table].with_columns(pl.Series("__new", new.astype(str)))
    size = old.group_by("__new", maintain_order=True).len()
    stays = set(size.filter(pl.col("len") == 1)["__new"].to_list())
    rows = []
    for label, part in old.group_by(["__new"], maintain_order=True):
        first = part.row(0, named=True)
        if label[0] in stays:
            row = {**first, key: label[0]}
            if first[key] != label[0] and "name" in row:
                row["name"] = region_name(label[0]) if key == "region" else label[0]
        else:
            row = dict.fromkeys(first)
            row |= {key: label[0], "__new": label[0]}
            row |= _of_a_group(part, key, str(label[0]))
        rows.append(row)
    lost = [c for c in ("reliability", "allowed", "hs", "technology_domain") if c in old.columns]
    if lost and len(stays) < size.height:
        what = f"columns of the {table} that groups do not have: {listed(lost)}"
        findings.append(make_finding("N211", what, origin=network.origins.get(table)))
    return pl.DataFrame(rows, schema=old.schema).drop("__new")


def _of_a_group(part: pl.DataFrame, key: str, label: str) -> dict[str, object]:
    """Return what can be said of several regions or products together."""
    said: dict[str, object] = {}
    if "name" in part.columns:
        said["name"] = region_name(label) if key == "region" else label
    if "bloc" in part.columns:
        blocs = [[b.strip() for b in (t or "").split(";")] for t in part["bloc"].to_list()]
        shared = [b for b in blocs[0] if b and all(b in other for other in blocs)]
        said["bloc"] = ";".join(shared) or None
    if "home" in part.columns:
        said["home"] = bool(part["home"].fill_null(value=False).any())
    for name in ("kind", "unit"):
        if name in part.columns and part[name].n_unique() == 1:
            said[name] = part[name][0]
    return said


def _stocks(
    network: ProductionNetwork, labels: pl.Series, group: Array, of_product: Array
) -> pl.DataFrame:
    """Return the stocks of the inputs, added by new buyer and new product."""
    frame = pl.DataFrame(
        {
            "node": labels[group[network.input_buyer]],
            "product": of_product[network.input_product].astype(str),
            "quantity": network.input_stock,
            "target": network.input_target,
        }
    )
    added = frame.group_by("node", "product", maintain_order=True).sum()
    return added.filter((pl.col("quantity") > 0) | (pl.col("target") > 0))


def _classes(network: ProductionNetwork, of_product: Array) -> pl.DataFrame:
    """Return the class that most flows, by value, of a pair of new products have."""
    of_buyer = network.node_product[network.input_buyer]
    value = network.input_coefficient * network.output[network.input_buyer]
    frame = pl.DataFrame(
        {
            "supplier_product": of_product[network.input_product].astype(str),
            "buyer_product": of_product[of_buyer].astype(str),
            "rank": network.input_class,
            "value": value,
        }
    )
    by = ["supplier_product", "buyer_product"]
    heaviest = (
        frame.group_by(*by, "rank", maintain_order=True)
        .agg(pl.col("value").sum())
        .sort("value", "rank", descending=True)
        .group_by(by, maintain_order=True)
        .first()
    )
    words = dict(enumerate(CLASSES))
    named = pl.col("rank").replace_strict(words, return_dtype=pl.String).alias("class")
    return heaviest.select(*by, named).sort(by)


def _settings(network: ProductionNetwork, of_region: Array, of_product: Array) -> Settings:
    """Return the settings with home and viewpoint under their new labels."""
    s = network.settings
    home, viewpoint = s.home, s.viewpoint
    if home is not None:
        home = str(of_region[network.index("regions")[home]])
    if viewpoint in network.index("products"):
        viewpoint = str(of_product[network.index("products")[viewpoint]])
    elif viewpoint is not None:
        viewpoint = None
    return replace(s, home=home, viewpoint=viewpoint)
