"""What options do: each effect edits the tables of a draft, from which a new network is built.

Effects come in two rounds: the first changes who makes what from what (nodes, recipes, shares,
capacity), the second what hangs on that (stocks, prices, lead times, reliability).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.option_draft import Draft, Effect
from withstand.model.option_flows import change_recipe, new_links, shift_share
from withstand.model.recipe_inputs import HOURS
from withstand.model.tables import EVERY_BUYER

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

# --- first round: who makes what from what --------------------------------------------------------


def add_node(draft: Draft, effect: Effect) -> None:
    """Add a node; where the suppliers of its product are stated it gets the share 0."""
    product, label = str(effect.product), effect.new_node
    taken = set(draft.tables["nodes"]["node"].to_list())
    if effect.node in taken:
        draft.fault(effect, "there is a node of this name already", "node")
        return
    number = 2
    while label in taken:
        label = f"{effect.new_node}_{number}"
        number += 1
    draft.labels[effect.option, effect.new_node] = label
    draft.state_shares(product)
    buyers = draft.links_of(product).group_by("buyer", maintain_order=True)
    groups = buyers.agg(pl.col("share").is_null().all().alias("by_value"))
    usual = float(draft.network.product_price[draft.network.index("products")[product]])
    row = {
        "node": label,
        "product": product,
        "region": effect.region,
        "capacity": effect.amount,
        "price": effect.price if effect.price is not None else usual,
    }
    draft.append("nodes", pl.DataFrame([row]).with_columns(pl.col("price").fill_nan(None)))
    draft.append("links", new_links(groups, label, effect, pl.lit(0.0), None))


def add_capacity(draft: Draft, effect: Effect) -> None:
    """Change the most a node can make; where that is not stated it is the output at rest."""
    node, net = draft.node(effect, effect.node), draft.network
    at_rest = net.capacity[net.index("nodes")[node]] if node in net.index("nodes") else 0.0
    new = effect.moved(pl.col("capacity").fill_null(at_rest))
    draft.put("nodes", effect, pl.col("node") == node, "capacity", new)


# --- second round: what hangs on it ---------------------------------------------------------------


def add_stock(draft: Draft, effect: Effect) -> None:
    """Add stock of an input: periods of use for each buyer, or units in all, split by their use."""
    product = str(effect.product)
    holder = draft.node(effect, effect.buyer or effect.node) or EVERY_BUYER
    of_product = draft.product_of(holder)
    members = [] if of_product or holder == EVERY_BUYER else draft.makers(holder)
    use = _use_at_rest(draft.network, product)
    if holder != EVERY_BUYER:
        use = {n: u for n, u in use.items() if n == holder or n in set(members)}
    total = sum(use.values())
    if total <= 0 and product in draft.redesigned:
        return  # designed away by the same portfolio: nobody holds it any more
    if total <= 0:
        draft.fault(effect, f"nobody meant here uses {product} and can store it", "product")
        return
    periods = effect.amount if effect.unit == "periods" else effect.amount / total
    _own_row(draft, product, holder, of_product, is_needed=True)
    for buyer in use:  # units in a general row are held by each buyer: give each its own row
        _own_row(draft, product, buyer, draft.product_of(buyer), is_needed=False)
    reached = pl.col("product") == product
    if holder != EVERY_BUYER:
        reached &= pl.col("node").is_in([holder, *members])
    units = pl.col("node").replace_strict(use, default=0.0, return_dtype=pl.Float64) * periods
    has_target, has_units = pl.col("target").is_not_null(), pl.col("quantity").is_not_null()
    draft.tables["stocks"] = draft.frame("stocks", "quantity", "periods_of_use", "target")
    for column, where, more in (
        ("target", has_target, units),
        ("periods_of_use", ~has_units, pl.lit(periods)),
        ("quantity", has_units, units),
    ):
        draft.put("stocks", effect, reached & where, column, pl.col(column) + more)


def _use_at_rest(network: ProductionNetwork, product: str) -> dict[str, float]:
    """Return the use of a storable input at rest, units per period, by buyer."""
    is_input = network.input_product == network.index("products")[product]
    inputs = np.flatnonzero(is_input & (network.input_use != HOURS))
    buyer = network.input_buyer[inputs]
    use = network.input_coefficient[inputs] * network.output[buyer]
    return dict(zip(network.node_labels[buyer].tolist(), use.tolist(), strict=True))


def _own_row(
    draft: Draft, product: str, holder: str, of_product: str | None, *, is_needed: bool
) -> None:
    """Give a holder its own row of a stock, from a more general one, or empty if it is needed."""
    stocks = draft.frame("stocks", "quantity", "periods_of_use", "target")
    rows = stocks.filter(pl.col("product") == product)
    holders = set(rows["node"].to_list())
    if holder in holders:
        return
    source = next((s for s in (of_product, EVERY_BUYER) if s in holders), None)
    general = rows.filter(pl.col("node") == (source or ""))
    in_units = pl.col("quantity").is_not_null() | pl.col("target").is_not_null()
    if general.height and (is_needed or general.filter(in_units).height):
        draft.append("stocks", general.with_columns(pl.lit(holder).alias("node")))
    elif is_needed:
        row = {"node": holder, "product": product, "periods_of_use": 0.0}
        draft.append("stocks", pl.DataFrame([row]))


def _nodes_meant(draft: Draft, effect: Effect) -> list[str]:
    return [draft.node(effect, effect.node)] if effect.node else draft.makers(str(effect.product))


def change_price(draft: Draft, effect: Effect) -> None:
    """Change the price of what a node, or every node of a product, makes."""
    where = pl.col("node").is_in(_nodes_meant(draft, effect))
    frame = draft.frame("nodes", "price")
    at_rest = pl.lit(pl.Series(draft.network.price).fill_nan(None))
    draft.tables["nodes"] = frame.with_columns(pl.coalesce("price", at_rest).alias("price"))
    if effect.mode != "set" and draft.tables["nodes"].filter(where)["price"].is_null().all():
        draft.fault(effect, "the price is not known; use the mode set", "mode")
    draft.put("nodes", effect, where, "price", effect.moved(pl.col("price")))


def change_lead_time(draft: Draft, effect: Effect) -> None:
    """Change the time from shipping to arrival of what a node, or all of a product, delivers."""
    suppliers, net = _nodes_meant(draft, effect), draft.network
    product = str(draft.product_of(suppliers[0]) if effect.node else effect.product)
    draft.state_shares(product)
    where = pl.col("supplier").is_in(suppliers)
    if draft.frame("links").filter(where).is_empty():
        draft.fault(effect, "no link leaves it", "node" if effect.node else "product")
    uses = net.input_use[net.input_product == net.index("products")[product]]
    usual = 0.0 if (uses == HOURS).any() else 1.0
    lead_time = effect.moved(pl.col("lead_time").fill_null(usual))
    draft.put("links", effect, where, "lead_time", lead_time)


def change_reliability(draft: Draft, effect: Effect) -> None:
    """Change how far a region can be relied upon, between 0 and 1."""
    new = effect.moved(pl.col("reliability").fill_null(1.0)).clip(0.0, 1.0)
    draft.put("regions", effect, pl.col("region") == effect.region, "reliability", new)


Change = Callable[[Draft, Effect], None]

FIRST: dict[str, Change] = {
    "add_node": add_node,
    "change_recipe": change_recipe,
    "shift_share": shift_share,
    "add_capacity": add_capacity,
}
THEN: dict[str, Change] = {
    "add_stock": add_stock,
    "change_price": change_price,
    "change_lead_time": change_lead_time,
    "change_reliability": change_reliability,
}
