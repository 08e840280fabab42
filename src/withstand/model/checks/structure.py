"""Rules about the skeleton: recipes, links and shares, before any output is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse import csgraph

from withstand.model.encoding import encode, numbers
from withstand.model.findings import Finding, Origin, listed, make_finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.layout import Layout
    from withstand.model.settings import Settings

SHARE_TOLERANCE = 1e-9
ROUNDING = 1e-3
_MOST = 10


def check_structure(
    layout: Layout,
    tables: Mapping[str, pl.DataFrame],
    settings: Settings,
    origins: Mapping[str, Origin],
) -> list[Finding]:
    """Run every rule about the skeleton."""
    is_plant = settings.lens == "plant"
    return [
        *(supplier_is_buyer(layout, tables, origins["links"]) if is_plant else []),
        *(recipe_cycle(layout, tables, origins["recipes"]) if is_plant else []),
        *wrong_product(layout, tables, origins["links"]),
        *repeated_input(layout, tables, origins["recipes"]),
        *share_or_value_missing(layout, origins["links"]),
        *share_sums(layout, origins["links"]),
        *unit_clash(tables, origins["recipes"]),
        *stock_of_nothing(tables, origins["stocks"]),
        *input_without_supplier(layout, origins["recipes"]),
        *class_missing(layout, tables, origins["classes"]),
    ]


def supplier_is_buyer(
    layout: Layout, tables: Mapping[str, pl.DataFrame], origin: Origin
) -> list[Finding]:
    """Find links from a node to itself."""
    rows = layout.link_rows
    bad = np.flatnonzero((rows.supplier == rows.buyer) & (rows.buyer >= 0))
    return [
        make_finding(
            "E203",
            f"node {layout.node_labels[rows.supplier[r]]} supplies itself",
            origin=origin,
            index=int(r),
            column="supplier",
            value=layout.node_labels[rows.supplier[r]],
        )
        for r in bad[:_MOST]
    ]


def recipe_cycle(
    layout: Layout, tables: Mapping[str, pl.DataFrame], origin: Origin
) -> list[Finding]:
    """Find recipes that come back to their own product, and show the path."""
    findings = []
    if "recipes" in tables:
        products, recipes = tables["products"]["product"], tables["recipes"]
        node = encode(tables["nodes"]["node"], recipes["buyer"])
        buyer = encode(products, recipes["buyer"])
        at_node = buyer < 0
        buyer[at_node] = layout.node_product[node[at_node]]
        needed = encode(products, recipes["input"])
        general = ~at_node  # rows of single nodes are judged node by node, below
        for path, row in _cycles(buyer[general], needed[general], len(products)):
            shown = " needs ".join(layout.product_labels[p] for p in path)
            findings.append(
                make_finding(
                    "E201",
                    f"recipe comes back to itself: {shown}",
                    origin=origin,
                    index=int(np.flatnonzero(general)[row]),
                    column="input",
                    value=layout.product_labels[path[0]],
                )
            )
    if findings:
        return findings
    buyer = layout.input_buyer[layout.links.link_input]
    for path, link in _cycles(buyer, layout.links.link_supplier, len(layout.node_labels)):
        shown = " buys from ".join(layout.node_labels[p] for p in path)
        row = int(layout.recipe_row[layout.links.link_input[link]])
        findings.append(
            make_finding(
                "E201",
                f"supply comes back to itself: {shown}",
                origin=origin,
                index=row if row >= 0 else None,
                column="input",
                value=layout.node_labels[path[0]],
            )
        )
    return findings


def _cycles(start: np.ndarray, end: np.ndarray, n: int) -> list[tuple[list[int], int]]:
    """Return one path and one edge for each strongly connected part of a directed graph."""
    if len(start) == 0:
        return []
    graph = sparse.coo_array((np.ones(len(start), dtype=np.int8), (start, end)), (n, n)).tocsr()
    n_parts, part = csgraph.connected_components(graph, directed=True, connection="strong")
    if n_parts == n and not (start == end).any():
        return []
    inside = np.flatnonzero(part[start] == part[end])
    found = []
    for p in np.unique(part[start[inside]])[:_MOST]:
        edges = inside[part[start[inside]] == p]
        found.append((_shortest_cycle(start[edges], end[edges]), int(edges[0])))
    return found


def _shortest_cycle(start: np.ndarray, end: np.ndarray) -> list[int]:
    """Return a path that ends where it began, through the first edge of a connected part."""
    first, goal = int(end[0]), int(start[0])
    following: dict[int, list[int]] = {}
    for a, b in zip(start.tolist(), end.tolist(), strict=True):
        following.setdefault(a, []).append(b)
    came_from = {first: first}
    queue = [first]
    while queue and goal not in came_from:
        step = []
        for a in queue:
            for b in following.get(a, []):
                if b not in came_from:
                    came_from[b] = a
                    step.append(b)
        queue = step
    path = [goal]
    while path[-1] != first:
        path.append(came_from[path[-1]])
    return [goal, *path[::-1]]


def wrong_product(
    layout: Layout, tables: Mapping[str, pl.DataFrame], origin: Origin
) -> list[Finding]:
    """Find links that buy a product from a node that makes another one."""
    rows = layout.link_rows
    made = layout.node_product[rows.supplier]
    bad = np.flatnonzero(made != rows.product)
    return [
        make_finding(
            "E204",
            f"{layout.node_labels[rows.supplier[r]]} makes {layout.product_labels[made[r]]}",
            origin=origin,
            index=int(r),
            column="product",
            value=layout.product_labels[rows.product[r]],
            suggestion=str(layout.product_labels[made[r]]),
        )
        for r in bad[:_MOST]
    ]


def repeated_input(
    layout: Layout, tables: Mapping[str, pl.DataFrame], origin: Origin
) -> list[Finding]:
    """Find inputs that stand twice in one recipe (under the node's and the product's name)."""
    rows = layout.repeated_recipe_rows
    return [
        make_finding(
            "E206",
            f"{tables['recipes']['input'][int(r)]} stands twice in the recipe of "
            f"{tables['recipes']['buyer'][int(r)]}",
            origin=origin,
            index=int(r),
            column="input",
        )
        for r in rows[:_MOST]
    ]


def share_or_value_missing(layout: Layout, origin: Origin) -> list[Finding]:
    """Find inputs whose links give no share and no value, or a mix of both."""
    links = layout.links
    by_rows = links.row >= 0
    empty = np.flatnonzero(by_rows & np.isnan(links.share) & np.isnan(links.value))
    findings = []
    if len(empty):
        findings.append(
            make_finding(
                "E210",
                "the link has neither a share nor a value",
                origin=origin,
                index=int(links.row[empty[0]]),
                column="share",
                count=len(empty),
            )
        )
    mixed = np.flatnonzero(links.is_mixed)
    if len(mixed):
        at = mixed[0]
        link = int(layout.links_indptr[at])
        findings.append(
            make_finding(
                "E210",
                f"{_input(layout, int(at))} has links with shares and links with values only",
                origin=origin,
                index=int(links.row[link]),
                column="share",
                count=len(mixed),
            )
        )
    return findings


def _input(layout: Layout, i: int) -> str:
    buyer = layout.node_labels[layout.input_buyer[i]]
    return f"{layout.product_labels[layout.input_product[i]]} bought by {buyer}"


def share_sums(layout: Layout, origin: Origin) -> list[Finding]:
    """Find inputs whose shares do not sum to 1, once per product where all buyers share rows."""
    links = layout.links
    n_links = np.diff(layout.links_indptr)
    gap = np.where(n_links > 0, links.share_sum - 1.0, 0.0)
    gap = np.nan_to_num(gap)  # missing shares have their own finding
    bad = np.flatnonzero(np.abs(gap) > SHARE_TOLERANCE)
    findings: list[Finding] = []
    seen: set[int] = set()
    for i in bad:
        row = int(links.row[layout.links_indptr[i]])
        if row in seen:
            continue
        seen.add(row)
        if len(findings) == _MOST:
            break
        code = "E202" if abs(gap[i]) > ROUNDING else "W202"
        rows = sorted(set(links.row[layout.links_indptr[i] : layout.links_indptr[i + 1]] + 2))
        findings.append(
            make_finding(
                code,
                f"supply shares of {_input(layout, int(i))} sum to {1 + gap[i]:.10g}, expected 1 "
                f"(rows {listed([int(r) for r in rows])})",
                origin=origin,
                index=row,
                column="share",
                value=f"{1 + gap[i]:.10g}",
            )
        )
    return findings + _unused_share_sums(layout, origin, seen)


def _unused_share_sums(layout: Layout, origin: Origin, seen: set[int]) -> list[Finding]:
    """The same for `*` rows of products that nobody buys (final products)."""
    rows = layout.link_rows
    every = rows.every_rows[~np.isnan(rows.share[rows.every_rows])]
    if len(every) == 0:
        return []
    total = np.bincount(rows.product[every], rows.share[every], rows.n_products)
    used = np.zeros(rows.n_products, dtype=bool)
    used[layout.input_product] = True
    stated = np.bincount(rows.product[every], minlength=rows.n_products) > 0
    bad = np.flatnonzero(stated & ~used & (np.abs(total - 1) > SHARE_TOLERANCE))
    findings = []
    for p in bad[:_MOST]:
        first = int(every[rows.product[every] == p][0])
        if first not in seen:
            code = "E202" if abs(total[p] - 1) > ROUNDING else "W202"
            findings.append(
                make_finding(
                    code,
                    f"supply shares of {layout.product_labels[p]} sum to {total[p]:.10g}, "
                    "expected 1",
                    origin=origin,
                    index=first,
                    column="share",
                    value=f"{total[p]:.10g}",
                )
            )
    return findings


def unit_clash(tables: Mapping[str, pl.DataFrame], origin: Origin) -> list[Finding]:
    """Find recipe rows whose own unit differs from the unit of the product."""
    recipes, products = tables.get("recipes"), tables["products"]
    if recipes is None or "unit" not in recipes.columns or "unit" not in products.columns:
        return []
    joined = recipes.select("input", pl.col("unit").cast(pl.String)).join(
        products.select("product", pl.col("unit").alias("expected")),
        left_on="input",
        right_on="product",
        how="left",
        maintain_order="left",
    )
    bad = (joined["unit"].str.to_lowercase() != joined["expected"].str.to_lowercase()).fill_null(
        value=False
    )
    return [
        make_finding(
            "E205",
            f"{joined['input'][r]} is counted in {joined['expected'][r]}",
            origin=origin,
            index=r,
            column="unit",
            value=joined["unit"][r],
            suggestion=joined["expected"][r],
        )
        for r in bad.arg_true().head(_MOST).to_list()
    ]


def stock_of_nothing(tables: Mapping[str, pl.DataFrame], origin: Origin) -> list[Finding]:
    """Find stocks rows that give neither a quantity nor periods of use."""
    frame = tables.get("stocks")
    if frame is None:
        return []
    empty = np.isnan(numbers(frame, "quantity")) & np.isnan(numbers(frame, "periods_of_use"))
    rows = np.flatnonzero(empty)
    return (
        [
            make_finding(
                "E209",
                "neither quantity nor periods_of_use is filled",
                origin=origin,
                index=int(rows[0]),
                column="quantity",
                count=len(rows),
            )
        ]
        if len(rows)
        else []
    )


def input_without_supplier(layout: Layout, origin: Origin) -> list[Finding]:
    """Find inputs for which nobody is named, grouped by product."""
    bad = np.flatnonzero(layout.links.is_unsupplied)
    if len(bad) == 0:
        return []
    products, first, count = np.unique(
        layout.input_product[bad], return_index=True, return_counts=True
    )
    return [
        make_finding(
            "W201",
            f"nobody supplies {layout.product_labels[p]}; it is taken as always available",
            origin=origin,
            index=int(max(layout.recipe_row[bad[at]], 0)),
            column="input",
            value=layout.product_labels[p],
            count=int(n),
        )
        for p, at, n in list(zip(products, first, count, strict=True))[:_MOST]
    ]


def class_missing(
    layout: Layout, tables: Mapping[str, pl.DataFrame], origin: Origin
) -> list[Finding]:
    """Tell when inputs of a firm network got the default class."""
    by_value = ~np.isnan(layout.input_value)
    if not by_value.any():
        return []
    if "classes" not in tables:
        return [
            make_finding(
                "N204",
                "no classes were given: every input bought by value counts as important",
                origin=origin,
                count=int(by_value.sum()),
            )
        ]
    if layout.missing_pairs:
        return [
            make_finding(
                "W211",
                f"{layout.missing_pairs:,} pairs of products have no class and count as important",
                origin=origin,
                column="class",
                count=layout.missing_pairs,
            )
        ]
    return []
