"""Rules about the skeleton: recipes, links and shares, before any output is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.checks.cycles import recipe_cycle, supply_cycle
from withstand.model.checks.few import first_few
from withstand.model.encoding import Array, is_in_sorted, numbers
from withstand.model.findings import Finding, Origin, listed, make_finding

if TYPE_CHECKING:
    from withstand.model.layout import Layout
    from withstand.model.settings import Settings

SHARE_TOLERANCE = 1e-9
ROUNDING = 1e-3
Tables = Mapping[str, pl.DataFrame]


def check_structure(
    layout: Layout, tables: Tables, settings: Settings, origins: Mapping[str, Origin]
) -> list[Finding]:
    """Run every rule about the skeleton."""
    findings = check_rows(layout, tables, settings, origins)
    if settings.lens == "plant" and not any(f.code in ("E201", "E203") for f in findings):
        findings += supply_cycle(layout, origins["recipes"])
    return [
        *findings,
        *link_without_recipe(layout, tables, origins["links"]),
        *input_without_supplier(layout, origins["recipes"]),
        *class_missing(layout, tables, origins["classes"]),
    ]


def check_rows(
    layout: Layout, tables: Tables, settings: Settings, origins: Mapping[str, Origin]
) -> list[Finding]:
    """Run the rules that hold row by row, even where other rows had to be left out."""
    is_plant = settings.lens == "plant"
    return [
        *(supplier_is_buyer(layout, origins["links"]) if is_plant else []),
        *(recipe_cycle(layout, origins["recipes"]) if is_plant else []),
        *wrong_product(layout, origins["links"]),
        *share_or_value_missing(layout, origins["links"]),
        *share_sums(layout, origins["links"]),
        *unit_clash(tables, origins["recipes"]),
        *stock_of_nothing(tables, origins["stocks"]),
    ]


def supplier_is_buyer(layout: Layout, origin: Origin) -> list[Finding]:
    """Find links from a node to itself."""
    rows = layout.link_rows

    def describe(r: int) -> Finding:
        label = layout.node_labels[rows.supplier[r]]
        return make_finding(
            "E203",
            f"node {label} supplies itself",
            origin=origin,
            index=r,
            column="supplier",
            value=label,
        )

    bad = np.flatnonzero((rows.supplier == rows.buyer) & (rows.buyer >= 0))
    return first_few(bad.tolist(), describe)


def wrong_product(layout: Layout, origin: Origin) -> list[Finding]:
    """Find links that buy a product from a node that makes another one."""
    rows = layout.link_rows
    made = layout.node_product[rows.supplier]

    def describe(r: int) -> Finding:
        makes = str(layout.product_labels[made[r]])
        return make_finding(
            "E204",
            f"{layout.node_labels[rows.supplier[r]]} makes {makes}",
            origin=origin,
            index=r,
            column="product",
            value=layout.product_labels[rows.product[r]],
            suggestion=makes,
        )

    bad = (made != rows.product) & (rows.supplier != rows.buyer)  # which has its own finding
    return first_few(np.flatnonzero(bad).tolist(), describe)


def share_or_value_missing(layout: Layout, origin: Origin) -> list[Finding]:
    """Find inputs whose links give no share and no value, or a mix of both."""
    links = layout.links
    empty = np.flatnonzero((links.row >= 0) & np.isnan(links.share) & np.isnan(links.value))
    findings = []
    if len(empty):
        rows = np.unique(links.row[empty])
        findings.append(
            make_finding(
                "E210",
                "the link has neither a share nor a value",
                origin=origin,
                index=int(rows[0]),
                column="share",
                count=len(rows),
            )
        )
    mixed = np.flatnonzero(links.is_mixed)
    if len(mixed):
        at = int(mixed[0])
        of_input = slice(layout.links_indptr[at], layout.links_indptr[at + 1])
        by_value = np.isnan(layout.link_rows.share[links.row[of_input]])
        findings.append(
            make_finding(
                "E210",
                f"{_input(layout, at)} has links with shares and links with values only",
                origin=origin,
                index=int(links.row[of_input][by_value].min()),
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
    links, link_rows = layout.links, layout.link_rows
    is_supplied = np.diff(layout.links_indptr) > 0
    gap = np.where(is_supplied, np.nan_to_num(links.share_sum, nan=1.0) - 1.0, 0.0)
    bad = np.flatnonzero(np.abs(gap) > SHARE_TOLERANCE)  # missing shares have their own finding
    _, first = np.unique(links.row[layout.links_indptr[bad]], return_index=True)
    cases = []  # what is bought, sum of shares, rows
    for i in bad[first].tolist():
        of_input = links.row[layout.links_indptr[i] : layout.links_indptr[i + 1]]
        is_general = link_rows.buyer[of_input[0]] < 0
        what = str(layout.product_labels[layout.input_product[i]])
        cases.append((what if is_general else _input(layout, i), 1 + gap[i], np.sort(of_input)))
    cases += _unused_share_sums(layout)

    def describe(case: tuple[str, float, Array]) -> Finding:
        what, total, of_case = case
        lines = listed([origin.row_of(r) for r in of_case.tolist()])
        rows = f"rows {lines}" if len(of_case) > 1 else f"row {lines}"
        return make_finding(
            "E202" if abs(total - 1) > ROUNDING else "W202",
            f"supply shares of {what} sum to {total:.10g}, expected 1 ({rows})",
            origin=origin,
            index=int(of_case[0]),
            column="share",
            value=f"{total:.10g}",
        )

    wrong = [case for case in cases if abs(case[1] - 1) > ROUNDING]
    rounded = [case for case in cases if abs(case[1] - 1) <= ROUNDING]
    return first_few(wrong, describe) + first_few(rounded, describe)


def _unused_share_sums(layout: Layout) -> list[tuple[str, float, Array]]:
    """Return the wrong sums of `*` rows of products that nobody buys (final products)."""
    rows = layout.link_rows
    every = rows.every_rows[~np.isnan(rows.share[rows.every_rows])]
    if len(every) == 0:
        return []
    total = np.bincount(rows.product[every], rows.share[every], rows.n_products)
    is_open = np.bincount(rows.product[every], minlength=rows.n_products) > 0
    is_open[layout.input_product] = False
    bad = np.flatnonzero(is_open & (np.abs(total - 1) > SHARE_TOLERANCE))
    return [
        (str(layout.product_labels[p]), float(total[p]), np.sort(every[rows.product[every] == p]))
        for p in bad.tolist()
    ]


def unit_clash(tables: Tables, origin: Origin) -> list[Finding]:
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
    own, stated = (joined[c].str.strip_chars().str.to_lowercase() for c in ("unit", "expected"))
    bad = (own != stated).fill_null(value=False)

    def describe(r: int) -> Finding:
        return make_finding(
            "E205",
            f"{joined['input'][r]} is counted in {joined['expected'][r]} where it is made",
            origin=origin,
            index=r,
            column="unit",
            value=joined["unit"][r],
            suggestion=joined["expected"][r],
        )

    return first_few(bad.arg_true().to_list(), describe)


def stock_of_nothing(tables: Tables, origin: Origin) -> list[Finding]:
    """Find stocks rows that give neither a quantity nor periods of use."""
    frame = tables.get("stocks")
    if frame is None:
        return []
    empty = np.isnan(numbers(frame, "quantity")) & np.isnan(numbers(frame, "periods_of_use"))
    rows = np.flatnonzero(empty)
    if len(rows) == 0:
        return []
    return [
        make_finding(
            "E209",
            "neither quantity nor periods_of_use is filled",
            origin=origin,
            index=int(rows[0]),
            column="quantity",
            count=len(rows),
        )
    ]


def link_without_recipe(layout: Layout, tables: Tables, origin: Origin) -> list[Finding]:
    """Find links to a buyer that does not need what it buys: they would be dropped in silence.

    Rows for every buyer (`*`) are let pass, as they hold for final products too, and so are
    buyers whose recipe is not known under the rule of the settings.
    """
    rows = layout.link_rows
    n_products = rows.n_products
    used = layout.input_buyer * n_products + layout.input_product
    bad = rows.node_rows[~is_in_sorted(rows.node_key, used)]
    bad = bad[layout.knows_recipe[rows.buyer[bad]]]
    if len(rows.product_rows):
        made = layout.node_product[layout.input_buyer]
        needed = np.unique(made * n_products + layout.input_product)
        has_known_recipe = np.zeros(n_products, dtype=bool)
        has_known_recipe[layout.node_product[layout.knows_recipe]] = True
        is_idle = ~is_in_sorted(rows.product_key, needed)
        is_idle &= has_known_recipe[rows.product_key // n_products]
        bad = np.concatenate([bad, rows.product_rows[is_idle]])
    bad = np.sort(bad)

    def describe(r: int) -> Finding:
        buyer = tables["links"]["buyer"][r]
        product = layout.product_labels[rows.product[r]]
        return make_finding(
            "W216",
            f"no recipe says that {buyer} needs {product}",
            origin=origin,
            index=r,
            column="buyer",
            value=buyer,
        )

    return first_few(bad.tolist(), describe)


def input_without_supplier(layout: Layout, origin: Origin) -> list[Finding]:
    """Find inputs for which nobody is named, grouped by product."""
    bad = np.flatnonzero(layout.links.is_unsupplied)
    products, first, count = np.unique(
        layout.input_product[bad], return_index=True, return_counts=True
    )

    def describe(case: tuple[int, int, int]) -> Finding:
        product, at, n = case
        row = int(layout.recipe_row[bad[at]])
        label = layout.product_labels[product]
        return make_finding(
            "W201",
            f"nobody supplies {label}; it is taken as always available",
            origin=origin,
            index=row if row >= 0 else None,
            column="input",
            value=label,
            count=n,
        )

    cases = zip(products.tolist(), first.tolist(), count.tolist(), strict=True)
    return first_few(list(cases), describe)


def class_missing(layout: Layout, tables: Tables, origin: Origin) -> list[Finding]:
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
