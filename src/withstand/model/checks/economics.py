"""Rules about a built network at rest: prices, demand, law, units of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse import csgraph

from withstand.model.checks.codes import check_code_columns
from withstand.model.checks.economies import check_economy
from withstand.model.encoding import encode
from withstand.model.findings import Finding, listed, make_finding
from withstand.model.recipe_inputs import HOSTED, HOURS, HOURS_KINDS
from withstand.model.units import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

LONGEST_YEARS = 10.0
BALANCE_TOLERANCE = 1e-6
_TOTALS = (
    r"(?i)^\W*(grand |sub|sub-)?"
    r"(total|totals|sum|summe|gesamt|insgesamt|somme|totale|итого|всего|合计|总计)\W*$"
)


def check_economics(network: ProductionNetwork) -> list[Finding]:
    """Run every rule about a built network; those about links not where flows are a matrix."""
    of_any = [
        *no_final_demand(network),
        *unused_product(network),
        *totals_row(network),
        *cheap_unmet_demand(network),
        *not_allowed(network),
        *check_code_columns(network),
    ]
    if network.flow_table is not None:
        return [*of_any, *check_economy(network)]
    return [
        *of_any,
        *negative_value_added(network),
        *not_connected(network),
        *hours_and_goods(network),
        *absurd_lead_time(network),
        *unbalanced(network),
        *recipe_unknown_abroad(network),
    ]


def no_final_demand(network: ProductionNetwork) -> list[Finding]:
    """Find a network that serves nobody."""
    if (network.final_demand > 0).any():
        return []
    return [
        make_finding(
            "W212",
            "no node has final demand",
            origin=network.origins["nodes"],
            column="final_demand",
        )
    ]


def not_connected(network: ProductionNetwork) -> list[Finding]:
    """Find nodes whose output at rest is zero: nothing that is demanded needs them."""
    if not (network.final_demand > 0).any():
        return []
    idle = np.flatnonzero((network.output == 0) & (network.final_demand == 0))
    is_abroad = ~network.is_home[network.node_region[idle]]
    makers_known = np.isin(network.node_product[idle], network.input_product)
    bad = idle[~(is_abroad & makers_known)]
    if len(bad) == 0:
        return []
    bad = bad[~_needed_under_shared_rule(network)[network.node_product[bad]]]
    if len(bad) == 0:
        return []
    return [
        make_finding(
            "W205",
            f"no final demand needs {listed(network.node_labels[bad].tolist())}",
            origin=network.origins["nodes"],
            index=int(bad[0]),
            column="node",
            value=network.node_labels[bad[0]],
            count=len(bad),
        )
    ]


def _needed_under_shared_rule(network: ProductionNetwork) -> np.ndarray:
    """Which products final demand needs through any recipe, foreign ones too."""
    n = network.n_products
    buyer = [network.node_product[network.input_buyer]]
    wanted = [network.input_product]
    if "recipes" in network.tables:
        recipes = network.tables["recipes"]
        products = network.tables["products"]["product"]
        rows = encode(products, recipes["buyer"])
        is_general = rows >= 0
        buyer.append(rows[is_general])
        wanted.append(encode(products, recipes["input"])[is_general])
    demanded = np.unique(network.node_product[network.final_demand > 0])
    start = np.concatenate([*buyer, np.full(len(demanded), n)])  # one more product needs them all
    end = np.concatenate([*wanted, demanded])
    uses = sparse.coo_array((np.ones(len(start), np.float32), (start, end)), (n + 1, n + 1))
    reached = csgraph.breadth_first_order(uses.tocsr(), n, return_predecessors=False)
    needed = np.zeros(n + 1, dtype=bool)
    needed[reached] = True
    return needed[:n]


def unused_product(network: ProductionNetwork) -> list[Finding]:
    """Find products that no node makes and no recipe names."""
    used = np.zeros(network.n_products, dtype=bool)
    used[network.node_product] = True
    used[network.input_product] = True
    labels = pl.Series(network.product_labels)
    if "recipes" in network.tables:
        named = network.tables["recipes"]
        used |= labels.is_in(named["input"].implode()).to_numpy()
        used |= labels.is_in(named["buyer"].implode()).to_numpy()
    bad = np.flatnonzero(~used)
    if len(bad) == 0:
        return []
    return [
        make_finding(
            "W215",
            f"nobody makes or uses {listed(network.product_labels[bad].tolist())}",
            origin=network.origins["products"],
            index=int(bad[0]),
            column="product",
            value=network.product_labels[bad[0]],
            count=len(bad),
        )
    ]


def totals_row(network: ProductionNetwork) -> list[Finding]:
    """Find labels that look like a totals row read as data."""
    findings = []
    for table, column, labels in (
        ("nodes", "node", network.node_labels),
        ("regions", "region", network.region_labels),
        ("products", "product", network.product_labels),
    ):
        bad = pl.Series(labels).str.contains(_TOTALS).arg_true()
        findings += [
            make_finding(
                "W206",
                f"{column} looks like a total",
                origin=network.origins[table],
                index=int(r),
                column=column,
                value=labels[r],
            )
            for r in bad.head(10)
        ]
    return findings


def negative_value_added(network: ProductionNetwork) -> list[Finding]:
    """Find nodes whose priced inputs cost more than their output."""
    price = network.product_price[network.input_product]
    cost = np.bincount(
        network.input_buyer, np.nan_to_num(network.input_coefficient * price), network.n_nodes
    )
    own = network.price
    bad = np.flatnonzero(cost > own * (1 + 1e-9))
    if len(bad) == 0:
        return []
    i = bad[0]
    what = (
        f"priced inputs of one {network.product_labels[network.node_product[i]]} cost {cost[i]:.6g}"
    )
    return [
        make_finding(
            "W204",
            f"{what}, its price is {own[i]:.6g}",
            origin=network.origins["nodes"],
            index=int(i),
            column="price",
            value=network.node_labels[i],
            count=len(bad),
        )
    ]


def cheap_unmet_demand(network: ProductionNetwork) -> list[Finding]:
    """Find final products whose unmet demand costs less than the product."""
    bad = np.flatnonzero((network.final_demand > 0) & (network.unmet_value < network.price))
    if len(bad) == 0:
        return []
    i = bad[0]
    return [
        make_finding(
            "W209",
            f"unmet_value {network.unmet_value[i]:.6g} is below the price {network.price[i]:.6g}",
            origin=network.origins["nodes"],
            index=int(i),
            column="unmet_value",
            value=network.node_labels[i],
            count=len(bad),
        )
    ]


def not_allowed(network: ProductionNetwork) -> list[Finding]:
    """Find suppliers in regions that the law does not allow."""
    banned = ~network.is_allowed[network.node_region] & (network.output > 0)
    bad = np.flatnonzero(banned)
    if len(bad) == 0:
        return []
    return [
        make_finding(
            "W207",
            f"{listed(network.node_labels[bad].tolist())} may not supply",
            origin=network.origins["nodes"],
            index=int(bad[0]),
            column="region",
            value=network.region_labels[network.node_region[bad[0]]],
            count=len(bad),
        )
    ]


def hours_and_goods(network: ProductionNetwork) -> list[Finding]:
    """Find skills or machines used like goods, goods used like hours, and hours kept in stock."""
    is_hours_kind = np.isin(network.product_kinds, HOURS_KINDS)[network.input_product]
    is_hours = network.input_use == HOURS
    bad = np.flatnonzero((is_hours_kind != is_hours) & (network.input_use != HOSTED))
    if len(bad) == 0:
        return []
    i = bad[0]
    label = network.product_labels[network.input_product[i]]
    said = "hours" if is_hours[i] else "consumed"
    kind = network.product_kinds[network.input_product[i]]
    rows = (network.tables["recipes"]["input"] == label).arg_true()
    return [
        make_finding(
            "W208",
            f"{label} is of the kind {kind} and its use is '{said}'",
            origin=network.origins["recipes"],
            index=int(rows[0]),
            column="use",
            value=label,
            count=len(bad),
        )
    ]


def absurd_lead_time(network: ProductionNetwork) -> list[Finding]:
    """Find lead times of more than ten years."""
    most = LONGEST_YEARS * PERIODS_PER_YEAR[network.settings.period]
    bad = np.flatnonzero(network.link_lead_time > most)
    if len(bad) == 0:
        return []
    i = bad[0]
    row = int(network.link_row[i])
    return [
        make_finding(
            "W214",
            f"a lead time of {network.link_lead_time[i]:g} "
            f"{network.settings.period}s is more than {LONGEST_YEARS:g} years",
            origin=network.origins["links"],
            index=row if row >= 0 else None,
            column="lead_time",
            value=f"{network.link_lead_time[i]:g}",
            count=len(np.unique(network.link_row[bad])),
        )
    ]


def unbalanced(network: ProductionNetwork) -> list[Finding]:
    """Find nodes whose sales differ from their output by more than rounding."""
    sales = np.bincount(network.link_supplier, network.link_flow, network.n_nodes)
    gap = sales + network.final_demand - network.output
    size = max(float(network.output.max(initial=0.0)), 1e-300)
    bad = np.flatnonzero(np.abs(gap) > BALANCE_TOLERANCE * np.maximum(network.output, 1e-6 * size))
    if len(bad) == 0:
        return []
    worst = bad[np.argsort(-np.abs(gap[bad]))]
    i = worst[0]
    share = np.abs(gap).sum() / max(network.output.sum(), 1e-300)
    return [
        make_finding(
            "W213",
            f"{network.node_labels[i]} sells {sales[i] + network.final_demand[i]:.6g} "
            f"and makes {network.output[i]:.6g}; all gaps together are {share:.3%} "
            "of output",
            origin=network.origins["nodes"],
            index=int(i),
            column="output",
            value=network.node_labels[i],
            count=len(bad),
        )
    ]


def recipe_unknown_abroad(network: ProductionNetwork) -> list[Finding]:
    """Tell that foreign producers are taken to deliver always under the rule `none`."""
    if network.settings.assume_recipe != "none" or "recipes" not in network.tables:
        return []
    made = pl.Series(network.product_labels[network.node_product])
    has_recipe = made.is_in(network.tables["recipes"]["buyer"].implode()).to_numpy()
    without = np.diff(network.inputs_indptr) == 0
    bad = np.flatnonzero(has_recipe & without & ~network.is_home[network.node_region])
    if len(bad) == 0:
        return []
    return [
        make_finding(
            "N202",
            f"the recipe of {len(bad)} producers outside home is not known; "
            "they are taken to deliver always (assume_recipe = none)",
            origin=network.origins["nodes"],
            count=len(bad),
        )
    ]
