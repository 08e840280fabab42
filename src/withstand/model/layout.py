"""Lay out inputs and links: from rows with labels to grouped integer arrays.

A row may speak for one node, for a product (all its nodes whose recipe is known) or, in links and
stocks, for every buyer (`*`). The more specific row wins: node, then product, then `*`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.model.encoding import Array, encode, indptr_of, numbers
from withstand.model.recipe_inputs import HOURS, Inputs
from withstand.model.returning import return_unused
from withstand.model.supply_links import Joined, LinkRows, join_links

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from withstand.model.settings import Settings


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """The skeleton of a network: who buys what from whom, before any output is known.

    Array fields are those of ProductionNetwork. `input_value` holds the purchases of inputs known
    by value only (NaN where a recipe gives the coefficient); `links` the joined links with sums
    and faults per input; the rest is what the checks need.
    """

    node_labels: Array
    product_labels: Array
    region_labels: Array
    node_product: Array
    node_region: Array
    is_home_node: Array
    knows_recipe: Array
    default_weight: Array
    is_stated: Array
    inputs_indptr: Array
    input_buyer: Array
    input_product: Array
    input_coefficient: Array
    input_value: Array
    input_class: Array
    input_use: Array
    input_lag: Array
    link_lead_time: Array
    recipe_row: Array
    links_indptr: Array
    supplier_indptr: Array
    supplier_link: Array
    links: Joined
    link_rows: LinkRows
    recipe_rows: Inputs
    missing_pairs: int

    def default_shares(self, product: int) -> Array:
        """Shares of the nodes of a product where no link says more, shape (n_nodes,)."""
        weight = np.where(self.node_product == product, self.default_weight, 0.0)
        total = weight.sum()
        return weight / total if total > 0 else weight


def lay_out(tables: Mapping[str, pl.DataFrame], settings: Settings) -> Layout:
    """Return the layout of conformed tables whose keys and references are known to be good."""
    nodes, products, regions = tables["nodes"], tables["products"], tables["regions"]
    labels = {
        "nodes": nodes["node"],
        "products": products["product"],
        "regions": regions["region"],
    }
    n_nodes, n_products = nodes.height, products.height
    node_product = encode(labels["products"], nodes["product"])
    node_region = encode(labels["regions"], nodes["region"])
    home = _home_regions(regions, settings)
    is_home = home[node_region]
    knows = is_home | (settings.assume_recipe == "shared") | (not home.any())
    kinds = _kinds(products)
    rows = LinkRows(tables, labels, node_product)
    inputs = Inputs(tables, labels, node_product, knows)
    key, recipe_row = inputs.with_value_links(rows)
    return_unused()
    buyer, product = np.divmod(key, n_products)
    weight = rows.weights(node_product, _size(nodes))
    joined = join_links(rows, key, node_product, weight)
    rows.leave_unused(key)
    n_inputs = len(key)
    del key
    return_unused()
    attributes = inputs.attributes(recipe_row, product, node_product[buyer], kinds)
    return_unused()
    by_supplier = np.argsort(joined.link_supplier, kind="stable")
    return Layout(
        node_labels=labels["nodes"].to_numpy().astype(str),
        product_labels=labels["products"].to_numpy().astype(str),
        region_labels=labels["regions"].to_numpy().astype(str),
        node_product=node_product,
        node_region=node_region,
        is_home_node=is_home,
        knows_recipe=knows,
        default_weight=weight,
        is_stated=rows.is_stated(n_products),
        inputs_indptr=indptr_of(buyer, n_nodes),
        input_buyer=np.ascontiguousarray(buyer),
        input_product=np.ascontiguousarray(product),
        input_coefficient=attributes["coefficient"],
        input_value=np.where(recipe_row < 0, joined.value_sum, np.nan),
        input_class=attributes["class"],
        input_use=attributes["use"],
        input_lag=attributes["lag"],
        link_lead_time=_lead_times(joined, attributes["use"]),
        recipe_row=recipe_row,
        links_indptr=indptr_of(joined.link_input, n_inputs),
        supplier_indptr=indptr_of(joined.link_supplier, n_nodes),
        supplier_link=by_supplier.astype(np.int64, copy=False),
        links=joined,
        link_rows=rows,
        recipe_rows=inputs,
        missing_pairs=inputs.missing_pairs,
    )


def _lead_times(links: Joined, use: Array) -> Array:
    """Stated lead times; else none for hours (fresh every period) and one period for goods."""
    is_hours = (use == HOURS)[links.link_input]
    is_unknown = np.isnan(links.lead_time)
    lead_time = links.lead_time  # in place: nobody else reads the stated ones
    lead_time[is_unknown] = 1.0
    lead_time[is_unknown & is_hours] = 0.0
    return lead_time


def _size(nodes: pl.DataFrame) -> Array:
    """Capacity, else output, else 1: how nodes that make the same product share it by default."""
    capacity, output = numbers(nodes, "capacity"), numbers(nodes, "output")
    size = np.where(np.isnan(capacity), output, capacity)
    return np.where(np.isnan(size), 1.0, size)


def _home_regions(regions: pl.DataFrame, settings: Settings) -> Array:
    flags = np.zeros(regions.height, dtype=bool)
    if "home" in regions.columns:
        flags |= regions["home"].fill_null(value=False).to_numpy()
    if settings.home is not None:
        flags |= (regions["region"] == settings.home).to_numpy()
    return flags


def _kinds(products: pl.DataFrame) -> Array:
    if "kind" not in products.columns:
        return np.full(products.height, "component", dtype=object)
    return products["kind"].fill_null("component").to_numpy().astype(object)
