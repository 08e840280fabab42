"""The baseline: output at rest, coefficients of value links, capacity and stocks.

Output is what buyers and final demand need (a recipe explosion), unless it is given:
x = f + M x, with M_ij = share_ij a_ij summed over the inputs of buyer j that i serves. Where links
carry values and no output is given, output is the larger of sales and purchases and final demand
is output less sales.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.model.encoding import Array, encode, numbers, positions_of
from withstand.model.findings import Finding, Origin, listed, make_finding
from withstand.model.recipe_inputs import HOURS
from withstand.model.tables import EVERY_BUYER
from withstand.model.units import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from withstand.model.layout import Layout
    from withstand.model.settings import Settings

MOST_ROUNDS = 10_000
TOLERANCE = 1e-13


@dataclass(kw_only=True, eq=False)
class Baseline:
    """Numbers of the network at rest; units as in ProductionNetwork."""

    output: Array
    capacity: Array
    final_demand: Array
    coefficient: Array
    share: Array
    stock: Array
    target: Array
    is_value: Array
    findings: list[Finding] = field(default_factory=list)


def baseline_of(
    tables: Mapping[str, pl.DataFrame],
    settings: Settings,
    layout: Layout,
    origins: Mapping[str, Origin],
) -> Baseline:
    """Return the baseline of a layout whose structure has been checked."""
    nodes = tables["nodes"]
    findings: list[Finding] = []
    share = _rescaled(layout)
    demand = _final_demand(tables, settings, layout, origins, findings)
    given = numbers(nodes, "output")
    is_value = _value_nodes(layout)
    if is_value.any():
        given, demand = _value_output(layout, given, demand, is_value, origins, findings)
    demand = np.nan_to_num(demand)
    coefficient = _coefficients(layout, given)
    output = explode(layout, coefficient, share, demand, given, origins, findings)
    capacity = numbers(nodes, "capacity")
    short = capacity < output * (1 - 1e-9)
    if short.any():
        findings.append(_capacity_finding(layout, capacity, output, short, origins))
    capacity = np.where(np.isnan(capacity) | short, output, capacity)
    use = coefficient * output[layout.input_buyer]
    stock, target = _stocks(tables, layout, use, origins, findings)
    return Baseline(
        output=output,
        capacity=capacity,
        final_demand=demand,
        coefficient=coefficient,
        share=share,
        stock=stock,
        target=target,
        is_value=is_value,
        findings=findings,
    )


def _rescaled(layout: Layout) -> Array:
    """Shares that sum to 1 per input; the checks have reported what missed it."""
    links = layout.links
    total = links.share_sum[links.link_input]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, links.share / total, 0.0)


def _final_demand(
    tables: Mapping[str, pl.DataFrame],
    settings: Settings,
    layout: Layout,
    origins: Mapping[str, Origin],
    findings: list[Finding],
) -> Array:
    """Per node and period, NaN if none: the settings, else the table's sum, else the column."""
    column = numbers(tables["nodes"], "final_demand")
    demand = column
    if "final_demand" in tables:
        frame = tables["final_demand"]
        index = encode(tables["nodes"]["node"], frame["node"])
        total = np.bincount(index, numbers(frame, "value", 0.0), len(demand))
        is_listed = np.bincount(index, minlength=len(demand)) > 0
        _stated_twice("the table final_demand", column, total, is_listed, layout, origins, findings)
        demand = np.where(is_listed, total, demand)
    if settings.final_demand:
        wanted = _demand_of_settings(settings, layout)
        is_set = ~np.isnan(wanted)
        _stated_twice("withstand.toml", demand, wanted, is_set, layout, origins, findings)
        demand = np.where(is_set, wanted, demand)
    return demand


def _demand_of_settings(settings: Settings, layout: Layout) -> Array:
    """Per node and period: products over their makers, then single nodes; NaN if not named."""
    per_year = PERIODS_PER_YEAR[settings.period]
    nodes = {str(x): i for i, x in enumerate(layout.node_labels)}
    products = {str(x): i for i, x in enumerate(layout.product_labels)}
    wanted = np.full(len(layout.node_labels), np.nan)
    for label, value in settings.final_demand.items():
        if label in products:
            product = products[label]
            shared = layout.default_shares(product) * value / per_year
            wanted = np.where(layout.node_product == product, shared, wanted)
    for label, value in settings.final_demand.items():
        if label not in products:
            wanted[nodes[label]] = value / per_year
    return wanted


def _stated_twice(
    winner: str,
    stated: Array,
    taken: Array,
    is_taken: Array,
    layout: Layout,
    origins: Mapping[str, Origin],
    findings: list[Finding],
) -> None:
    """Say that a stated final demand differs from the one that is taken in its place."""
    with np.errstate(invalid="ignore"):
        differs = is_taken & (np.abs(stated - taken) > 1e-9 * np.abs(taken) + 1e-300)
    at = np.flatnonzero(differs)
    if len(at):
        i = int(at[0])
        what = (
            f"{layout.node_labels[i]} has a final demand of {stated[i]:.6g} per period here and "
            f"of {taken[i]:.6g} in {winner}, which was taken"
        )
        findings.append(
            make_finding(
                "W217",
                what,
                origin=origins["nodes"],
                index=i,
                column="final_demand",
                value=f"{stated[i]:.6g}",
                count=len(at),
            )
        )


def _value_nodes(layout: Layout) -> Array:
    """Nodes that buy by value or sell to one that does: their flows are in currency."""
    by_value = ~np.isnan(layout.input_value)
    flags = np.zeros(len(layout.node_labels), dtype=bool)
    flags[layout.input_buyer[by_value]] = True
    flags[layout.links.link_supplier[by_value[layout.links.link_input]]] = True
    return flags


def _value_output(
    layout: Layout,
    given: Array,
    demand: Array,
    is_value: Array,
    origins: Mapping[str, Origin],
    findings: list[Finding],
) -> tuple[Array, Array]:
    """Output and final demand of nodes whose links carry values."""
    n_nodes = len(given)
    links = layout.links
    sales = np.bincount(links.link_supplier, np.nan_to_num(links.value), n_nodes)
    bought = np.bincount(layout.input_buyer, np.nan_to_num(layout.input_value), n_nodes)
    unknown = np.isnan(given) & is_value
    below = ~np.isnan(given) & is_value & (given < sales * (1 - 1e-9))
    if below.any():
        at = int(np.flatnonzero(below)[0])
        findings.append(
            make_finding(
                "W210",
                f"node {layout.node_labels[at]} sells {sales[at]:.6g} and is said "
                f"to make {given[at]:.6g}",
                origin=origins["nodes"],
                index=at,
                column="output",
                value=given[at],
                count=int(below.sum()),
            )
        )
    output = np.where(unknown | below, np.maximum(sales, bought), given)
    if unknown.any():
        findings.append(
            make_finding(
                "N201",
                f"output of {int(unknown.sum()):,} nodes is the larger of sales "
                "and purchases, final demand what is not sold to others",
                origin=origins["nodes"],
                column="output",
                count=int(unknown.sum()),
            )
        )
    rest = np.maximum(output - sales, 0.0)
    return output, np.where(np.isnan(demand) & is_value, rest, demand)


def _coefficients(layout: Layout, output: Array) -> Array:
    """Recipe quantities, and value / output for inputs known by value."""
    made = output[layout.input_buyer]
    with np.errstate(invalid="ignore", divide="ignore"):
        by_value = np.where(made > 0, layout.input_value / made, 0.0)
    return np.where(np.isnan(layout.input_value), layout.input_coefficient, by_value)


def needs_matrix(
    layout: Layout, coefficient: Array, share: Array, is_held: Array
) -> sparse.csr_array:
    """Return M, what each node (row) must deliver per unit of output of each buyer (column).

    Rows of nodes whose output is held are left empty: nobody reads them.
    """
    n = len(layout.node_labels)
    at = np.flatnonzero(~is_held[layout.links.link_supplier])
    of_input = layout.links.link_input[at]
    data = coefficient[of_input] * share[at]
    where = (layout.links.link_supplier[at], layout.input_buyer[of_input])
    return sparse.coo_array((data, where), shape=(n, n)).tocsr()


def explode(
    layout: Layout,
    coefficient: Array,
    share: Array,
    demand: Array,
    given: Array,
    origins: Mapping[str, Origin],
    findings: list[Finding],
) -> Array:
    """Return output at rest: x = f + M x, with the given outputs held.

    On a network without cycles the rounds end exactly after as many as there are tiers.
    """
    held = ~np.isnan(given)
    if held.all():
        return given
    matrix = needs_matrix(layout, coefficient, share, held)
    output = np.where(held, given, demand)
    for _ in range(MOST_ROUNDS):
        following = np.where(held, given, demand + matrix @ output)
        change = np.abs(following - output).max()
        size = np.abs(following).max()
        output = following
        if change <= TOLERANCE * size or size == 0.0:
            return output
        if not size < 1e30:
            break
    findings.append(
        make_finding(
            "E208",
            "the outputs grow for ever when buyers' needs are added up",
            origin=origins["links"],
        )
    )
    return output


def _capacity_finding(
    layout: Layout, capacity: Array, output: Array, short: Array, origins: Mapping[str, Origin]
) -> Finding:
    at = np.flatnonzero(short)
    what = (
        f"capacity {capacity[at[0]]:.6g} is below use {output[at[0]]:.6g} per period for "
        f"{listed(layout.node_labels[at].tolist())}"
    )
    return make_finding(
        "W203", what, origin=origins["nodes"], index=int(at[0]), column="capacity", count=len(at)
    )


def _stocks(
    tables: Mapping[str, pl.DataFrame],
    layout: Layout,
    use: Array,
    origins: Mapping[str, Origin],
    findings: list[Finding],
) -> tuple[Array, Array]:
    """Stock and target of every input; hours cannot be stored."""
    stock = np.zeros(len(use))
    if "stocks" not in tables:
        return stock, stock
    target = np.full(len(use), np.nan)
    frame = tables["stocks"]
    n_products = len(layout.product_labels)
    node = encode(tables["nodes"]["node"], frame["node"])
    general = encode(tables["products"]["product"], frame["node"])
    product = encode(tables["products"]["product"], frame["product"])
    quantity, periods = numbers(frame, "quantity"), numbers(frame, "periods_of_use")
    wished = numbers(frame, "target")
    every = (frame["node"] == EVERY_BUYER).to_numpy() & (node < 0)
    input_key = layout.input_buyer * n_products + layout.input_product
    made = layout.node_product[layout.input_buyer] * n_products + layout.input_product
    is_idle = np.ones(frame.height, dtype=bool)
    for mask, row_key, wanted in (  # the more specific rows come last and win
        (every, product, layout.input_product),
        ((node < 0) & ~every, general * n_products + product, made),
        (node >= 0, node * n_products + product, input_key),
    ):
        rows = np.flatnonzero(mask)
        rows = rows[np.argsort(row_key[rows], kind="stable")]
        which, position = positions_of(wanted, row_key[rows])
        row = rows[position]
        held = np.where(np.isnan(quantity[row]), periods[row] * use[which], quantity[row])
        stock[which] = held
        target[which] = wished[row]
        is_idle[row] = False
    is_idle &= np.where(node >= 0, layout.knows_recipe[node], ~_is_in_a_recipe(tables, frame))
    is_idle &= np.where(node >= 0, layout.node_product[node], general) != product  # finished
    if is_idle.any():
        findings.append(_idle_stock(frame, np.flatnonzero(is_idle), origins["stocks"]))
    stock[layout.input_use == HOURS] = 0.0
    return stock, np.where(np.isnan(target), stock, target)


def _is_in_a_recipe(tables: Mapping[str, pl.DataFrame], stocks: pl.DataFrame) -> Array:
    """Tell which stocks are inputs of some recipe, known abroad or not."""
    if "recipes" not in tables:
        return np.zeros(stocks.height, dtype=bool)
    return stocks["product"].is_in(tables["recipes"]["input"].unique().implode()).to_numpy()


def _idle_stock(frame: pl.DataFrame, rows: Array, origin: Origin) -> Finding:
    first = int(rows[0])
    holder, product = frame["node"][first], frame["product"][first]
    who = "no buyer" if holder == EVERY_BUYER else holder
    verb = "needs" if holder == EVERY_BUYER else "does not need"
    return make_finding(
        "N203",
        f"{who} {verb} {product}, so this stock counts for nothing",
        origin=origin,
        index=first,
        column="product",
        value=product,
        count=len(rows),
    )
