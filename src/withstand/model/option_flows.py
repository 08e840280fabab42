"""What options do to flows: recipes and shares, where needed from values on links."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from withstand.model.encoding import Array, numbers
from withstand.model.option_draft import TOLERANCE, Draft, Effect
from withstand.model.tables import CLASSES, EVERY_BUYER, USES

_WEIGHT = pl.coalesce("share", "value")

# --- values become shares and recipes -------------------------------------------------------------


def hold_output(draft: Draft) -> None:
    """Make ready for new shares or recipes where outputs are stated, or known by value only.

    Such outputs do not follow from needs by themselves; `Draft.finish` moves them along.
    """
    draft.is_held = ~np.isnan(numbers(draft.tables["nodes"], "output"))
    draft.is_held |= _state_values(draft)


def _state_values(draft: Draft) -> Array:
    """Turn values on links into shares and recipes; tell which nodes' flows were values."""
    old = draft.network
    links = draft.frame("links", "share", "value")
    share, value = numbers(links, "share"), numbers(links, "value")
    is_value = np.zeros(old.n_nodes, dtype=bool)
    by_value = (old.link_row >= 0) & ~np.isnan(np.append(value, np.nan)[old.link_row])
    if not by_value.any():
        return is_value
    rows = old.link_row[by_value]
    share[rows], value[rows] = old.link_share[by_value], np.nan
    draft.tables["links"] = links.with_columns(
        pl.Series("share", share).fill_nan(None), pl.Series("value", value).fill_nan(None)
    )
    inputs = np.unique(old.link_input[by_value])
    buyer = old.input_buyer[inputs]
    recipes = pl.DataFrame(
        {
            "buyer": old.node_labels[buyer],
            "input": old.product_labels[old.input_product[inputs]],
            "quantity": old.input_coefficient[inputs],
            "class": np.array(CLASSES)[old.input_class[inputs]],
            "use": np.array(USES)[old.input_use[inputs]],
            "lag": old.input_lag[inputs],
        }
    )
    own = draft.frame("recipes").select("buyer", "input")
    draft.append("recipes", recipes.join(own, on=["buyer", "input"], how="anti"))
    is_value[buyer] = is_value[old.link_supplier[by_value]] = True
    _state_demand(draft, is_value)
    return is_value


def _state_demand(draft: Draft, is_value: Array) -> None:
    """Write final demand and price of nodes that had them from the values of their sales."""
    old = draft.network
    named = list(old.settings.final_demand)
    sells = old.tables["final_demand"]["node"].to_list() if "final_demand" in old.tables else []
    nodes = draft.frame("nodes", "final_demand", "price")
    is_named = (nodes["node"].is_in([*named, *sells]) | nodes["product"].is_in(named)).to_numpy()
    lacks_demand = is_value & np.isnan(numbers(nodes, "final_demand")) & ~is_named
    draft.put_nodes("final_demand", np.flatnonzero(lacks_demand), old.final_demand)
    lacks_price = is_value & np.isnan(numbers(nodes, "price"))
    draft.put_nodes("price", np.flatnonzero(lacks_price), old.price)


# --- recipes and shares ---------------------------------------------------------------------------


def change_recipe(draft: Draft, effect: Effect) -> None:
    """Change what one unit of a node's output, or of a product everywhere, needs of an input."""
    buyer = draft.node(effect, effect.buyer)
    product = draft.product_of(buyer)
    buyers = [buyer] if product else [buyer, *draft.makers(buyer)]
    of_input = pl.col("input") == effect.input
    where = of_input & pl.col("buyer").is_in(buyers)
    recipes = draft.frame("recipes", "class")
    if recipes.filter(of_input & (pl.col("buyer") == buyer)).is_empty():
        general = recipes.filter(of_input & (pl.col("buyer") == (product or "")))
        if product and general.height and draft.knows_recipe(buyer):
            draft.append("recipes", general.with_columns(pl.lit(buyer).alias("buyer")))
        elif effect.mode != "scale":
            row = {"buyer": buyer, "input": effect.input, "quantity": 0.0, "class": "essential"}
            draft.append("recipes", pl.DataFrame([row]))
        elif recipes.filter(where).is_empty():
            draft.fault(effect, f"{buyer} is not known to need {effect.input}", "input")
            return
    new = effect.moved(pl.col("quantity"))
    new = pl.when(new.abs() < 1e-12).then(0.0).otherwise(new)  # 1.2 - 1.2 written in decimals
    draft.put("recipes", effect, where, "quantity", new)
    is_zero = where & (pl.col("quantity") == 0)
    recipes = draft.frame("recipes")
    general = recipes.filter(of_input & (pl.col("buyer") == (product or buyer)))
    if (general["quantity"] > 0).any():  # a dropped row of a node would let the product's row win
        draft.put("recipes", effect, is_zero, "class", pl.lit("minor"))
    else:
        draft.tables["recipes"] = recipes.filter(~is_zero)


def shift_share(draft: Draft, effect: Effect) -> None:
    """Move purchases of a product from a node, or a region's nodes in proportion, to a node.

    The amount is a share of the buyer's purchases (add), the part of what `from` delivers that is
    moved (scale), or the share that `from` is left with (set).
    """
    product, to = str(effect.product), draft.node(effect, effect.to)
    giver = draft.node(effect, effect.from_)
    givers = [giver] if draft.product_of(giver) else draft.makers(product, giver)
    givers = [n for n in givers if n != to]
    draft.state_shares(product)
    buyers = _rows_of_buyers(draft, effect)
    rows = draft.links_of(product).filter(pl.col("buyer").is_in(buyers))
    groups = rows.group_by("buyer", maintain_order=True).agg(
        _WEIGHT.sum().alias("total"),
        _WEIGHT.filter(pl.col("supplier").is_in(givers)).sum().alias("held"),
        pl.col("share").is_null().all().alias("by_value"),
        (pl.col("supplier") == to).any().alias("has_to"),
    )
    groups = groups.filter(pl.col("held") > 0)
    if groups.is_empty():
        draft.fault(effect, f"{giver} sells no {product} to the buyers meant", "from")
        return
    total, held = pl.col("total"), pl.col("held")
    wanted = {
        "add": effect.amount * total,
        "scale": effect.amount * held,
        "set": (held - effect.amount * total).clip(lower_bound=0.0),
    }[effect.mode]
    groups = groups.with_columns(wanted.alias("moved"))
    short = groups.filter(pl.col("moved") > held + TOLERANCE * total)
    for buyer, of, has in short.select("buyer", "total", "held").head(10).iter_rows():
        every = "every buyer" if buyer == EVERY_BUYER else buyer
        draft.fault(effect, f"{giver} has only {has / of:.6g} of the {product} bought by {every}")
    _move_shares(draft, effect, groups.with_columns(pl.min_horizontal("moved", held)), givers, to)


def _rows_of_buyers(draft: Draft, effect: Effect) -> list[str]:
    """Return the buyers whose rows change, with rows of their own made from more general ones."""
    product, buyer = str(effect.product), draft.node(effect, effect.buyer) or EVERY_BUYER
    rows = draft.links_of(product)
    present = rows["buyer"].unique(maintain_order=True).to_list()
    if buyer == EVERY_BUYER:
        return present
    of_product = draft.product_of(buyer)
    members = [] if of_product else draft.makers(buyer)
    nodes = [n for n in members if n in set(present)]
    if buyer in present:
        return [buyer, *nodes]
    users = set(draft.frame("recipes").filter(pl.col("input") == product)["buyer"])
    source = next((b for b in (of_product, EVERY_BUYER) if b in present), None)
    if source and users & {buyer, of_product, *members}:
        general = rows.filter(pl.col("buyer") == source)
        draft.append("links", general.with_columns(pl.lit(buyer).alias("buyer")))
        return [buyer, *nodes]
    if not nodes:
        draft.fault(effect, f"{buyer} does not buy {product}", "buyer")
    return nodes


def _move_shares(
    draft: Draft, effect: Effect, groups: pl.DataFrame, givers: Sequence[str], to: str
) -> None:
    """Take from the givers in proportion, give to the first row of `to`, new where it has none."""
    links = draft.frame("links", "share", "value", "lead_time")
    joined = links.join(groups, on="buyer", how="left", maintain_order="left")
    is_first = pl.struct("supplier", "buyer").is_first_distinct()
    change = (
        pl.when(pl.col("supplier").is_in(givers))
        .then(_WEIGHT * (1.0 - pl.col("moved") / pl.col("held")))
        .when((pl.col("supplier") == to) & is_first)
        .then(_WEIGHT + pl.col("moved"))
    )
    new = joined.select(change.alias("new"))["new"]
    by_share = links["share"].is_not_null()
    draft.tables["links"] = links
    draft.put("links", effect, pl.lit(new.is_not_null() & by_share), "share", pl.lit(new))
    draft.put("links", effect, pl.lit(new.is_not_null() & ~by_share), "value", pl.lit(new))
    known = links.filter(pl.col("supplier") == to)["lead_time"].drop_nulls()
    lacking = groups.filter(~pl.col("has_to"))
    lead_time = known[0] if len(known) else None
    draft.append("links", new_links(lacking, to, effect, pl.col("moved"), lead_time))


def new_links(
    groups: pl.DataFrame, supplier: str, effect: Effect, weight: pl.Expr, lead_time: float | None
) -> pl.DataFrame:
    """Return one row a buyer, with a share or a value as its other rows have."""
    return groups.select(
        pl.lit(supplier).alias("supplier"),
        "buyer",
        pl.lit(effect.product).alias("product"),
        pl.when(~pl.col("by_value")).then(weight).alias("share"),
        pl.when("by_value").then(weight).alias("value"),
        pl.lit(lead_time, pl.Float64).alias("lead_time"),
    )
