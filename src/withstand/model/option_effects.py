"""What options do: each effect edits the tables of a draft, from which a new network is built.

Effects come in two rounds: the first changes who makes what from what (nodes, recipes, shares,
capacity), the second what hangs on that (stocks, prices, lead times, reliability).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from withstand.model.encoding import Array, numbers
from withstand.model.findings import Finding, Origin, make_finding
from withstand.model.network import ProductionNetwork
from withstand.model.recipe_inputs import HOURS
from withstand.model.supply_links import DEFAULT_LEAD_TIME
from withstand.model.tables import CLASSES, EVERY_BUYER, TABLES, USES

MODES = ("set", "scale", "add")
"""In the order in which effects on the same thing are carried out."""
MOST_ROUNDS = 10_000
TOLERANCE = 1e-9
SETTLED = 1e-13
_WEIGHT = pl.coalesce("share", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One change an option makes; fields are the columns of the table `option_effects`.

    Parameters
    ----------
    effect : str
        Key of `EFFECTS`: add_node, add_capacity, shift_share, add_stock, change_recipe,
        change_price, change_lead_time or change_reliability.
    amount : float
        How much; NaN only where a table left it out, which `check_options` reports.
    node, product, region, buyer, input, from_, to : str, optional
        Labels it acts on; `from_` is the column `from`.
    unit : str, optional
        Unit of the amount. For stocks: "periods", else units.
    mode : {"add", "set", "scale"}
    price : float, optional, currency per unit
    from_period : float, periods after the option is ready
    per_period : float, growth of the amount per period
    option : str
        Label of the option (filled in by `Option`).
    row : int, optional
        Row of the table, for findings.
    """

    effect: str
    amount: float = math.nan
    node: str | None = None
    product: str | None = None
    region: str | None = None
    buyer: str | None = None
    input: str | None = None
    from_: str | None = None
    to: str | None = None
    unit: str | None = None
    mode: str = "add"
    price: float | None = None
    from_period: float = 0.0
    per_period: float = 0.0
    option: str = ""
    row: int | None = None

    @property
    def new_node(self) -> str:
        """Label that add_node asks for."""
        return self.node or f"{self.product}@{self.region}"

    def moved(self, base: pl.Expr) -> pl.Expr:
        """Return what becomes of a number under the mode of the effect."""
        if self.mode == "set":
            return pl.lit(self.amount)
        return base * self.amount if self.mode == "scale" else base + self.amount


class Draft:
    """Tables under change, with the network they started from and the faults found.

    Frames are replaced, never changed, so the network stays as it was. Rows are only added at the
    end of `nodes`, so its first rows are the network's nodes.
    """

    def __init__(self, network: ProductionNetwork, labels: dict[tuple[str, str], str]) -> None:
        self.network = network
        self.labels = labels  # (option, label asked for) -> label its new node got
        self.tables: dict[str, pl.DataFrame] = dict(network.tables)
        self.faults: list[Finding] = []
        self.is_held = np.zeros(network.n_nodes, dtype=bool)

    def fault(self, effect: Effect, what: str, column: str = "amount") -> None:
        """Note that an effect cannot be carried out."""
        self.faults.append(impossible(self.network, effect, what, column))

    # tables

    def frame(self, table: str, *columns: str) -> pl.DataFrame:
        """Return a table, with its required columns and some more there."""
        names = TABLES[table].names
        types = {
            name: pl.Float64 if names[name].type == "number" else pl.String
            for name in (*TABLES[table].required, *columns)
        }
        if table not in self.tables:
            return pl.DataFrame(schema=types)
        frame = self.tables[table]
        return frame.with_columns(
            pl.lit(None, t).alias(name) for name, t in types.items() if name not in frame.columns
        )

    def put(
        self, table: str, effect: Effect, where: pl.Expr, column: str, value: pl.Expr
    ) -> None:
        """Set a column in some rows, and say in its basis that the option did it."""
        frame = self.frame(table, column)
        changes = [pl.when(where).then(value).otherwise(pl.col(column)).alias(column)]
        for basis in {f"{column}_basis", "basis"} & set(frame.columns):
            said = pl.lit(f"option {effect.option}")
            changes.append(pl.when(where).then(said).otherwise(pl.col(basis)).alias(basis))
        self.tables[table] = changed = frame.with_columns(changes)
        if changed[column].dtype.is_numeric() and (changed.filter(where)[column] < 0).any():
            self.fault(effect, f"{column} would be negative")

    def append(self, table: str, rows: pl.DataFrame) -> None:
        """Add rows; columns they lack stay empty."""
        self.tables[table] = pl.concat([self.frame(table), rows], how="diagonal_relaxed")

    def put_nodes(self, column: str, rows: Array, values: Array) -> None:
        """Write numbers of some of the network's nodes, by index."""
        frame = self.frame("nodes", column)
        cells = numbers(frame, column)
        cells[rows] = values[rows]
        self.tables["nodes"] = frame.with_columns(pl.Series(column, cells).fill_nan(None))

    # labels

    def node(self, effect: Effect, label: str | None) -> str:
        """Return the node a label means within its option, whose new node may be renamed."""
        return self.labels.get((effect.option, label or ""), label or "")

    def product_of(self, node: str) -> str | None:
        """Return the product of a node, None where the label is no node."""
        found = self.tables["nodes"].filter(pl.col("node") == node)["product"]
        return str(found[0]) if len(found) else None

    def makers(self, product: str | None, region: str | None = None) -> list[str]:
        """Return the nodes that make a product (in a region)."""
        nodes = self.tables["nodes"].filter(pl.col("product") == product)
        if region is not None:
            nodes = nodes.filter(pl.col("region") == region)
        return nodes["node"].to_list()

    def knows_recipe(self, node: str) -> bool:
        """Tell whether the recipe of its product holds at a node."""
        net = self.network
        region = self.tables["nodes"].filter(pl.col("node") == node)["region"][0]
        is_home = bool(net.is_home[net.index("regions")[region]])
        return is_home or net.settings.assume_recipe == "shared" or not net.is_home.any()

    # links

    def links_of(self, product: str | None) -> pl.DataFrame:
        """Return the links that sell a product (a link sells what its supplier makes)."""
        links = self.frame("links", "product", "share", "value", "lead_time")
        return links.filter(pl.col("supplier").is_in(self.makers(product)))

    def state_shares(self, product: str) -> None:
        """Write shares that hold by default as rows for every buyer, so that they can change."""
        rows = self.links_of(product)
        if (rows["buyer"] == EVERY_BUYER).any():
            return
        shares = _default_shares(self.network, product, is_unstated=rows.is_empty())
        frame = pl.DataFrame({"supplier": list(shares), "share": list(shares.values())})
        constants = {"buyer": EVERY_BUYER, "product": product, "lead_time": 0.0}
        if shares:
            self.append("links", frame.with_columns(**{k: pl.lit(v) for k, v in constants.items()}))

    # the end

    def hold_output(self) -> None:
        """Make ready for new shares or recipes where outputs are stated, or known by value only.

        Such outputs do not follow from needs by themselves; `finish` moves them along.
        """
        self.is_held = ~np.isnan(numbers(self.tables["nodes"], "output"))
        self.is_held |= _state_values(self)

    def finish(self) -> ProductionNetwork:
        """Build the new network; a capacity that was only implied by output is not taken away."""
        old = self.network
        if self.is_held.any():
            self._settle()
        new = old.with_changes(tables=self._changed())
        is_implied = np.isnan(numbers(new.tables["nodes"], "capacity"))[: old.n_nodes]
        less = is_implied & (new.capacity[: old.n_nodes] < old.capacity * (1 - TOLERANCE))
        if not less.any():
            return new
        self.put_nodes("capacity", np.flatnonzero(less), old.capacity)
        return old.with_changes(tables=self._changed())

    def _changed(self) -> dict[str, pl.DataFrame]:
        old = self.network.tables
        return {k: v for k, v in self.tables.items() if v is not old.get(k)}

    def _settle(self) -> None:
        """Move held outputs along: x = M x + f + r, with r what needs did not explain before."""
        old, held = self.network, self.is_held
        self.put_nodes("output", np.flatnonzero(held), old.output)
        new = old.with_changes(tables=self._changed())
        sales = np.bincount(old.link_supplier, old.link_flow, old.n_nodes)
        rest = np.zeros(new.n_nodes)
        rest[: old.n_nodes] = np.where(held, old.output - sales - old.final_demand, 0.0)
        where = (new.link_supplier, new.input_buyer[new.link_input])
        data = new.input_coefficient[new.link_input] * new.link_share
        needs = sparse.coo_array((data, where), (new.n_nodes, new.n_nodes)).tocsr()
        output, change, most = new.output, np.inf, 1.0
        for _ in range(MOST_ROUNDS):
            following = np.maximum(needs @ output + new.final_demand + rest, 0.0)
            change, most = np.abs(following - output).max(), np.abs(following).max()
            output = following
            if change <= SETTLED * most or not most < 1e30:
                break
        if not change <= TOLERANCE * most:
            what = "outputs do not settle once shares and recipes have changed"
            self.faults.append(make_finding("E208", what, origin=Origin("option_effects")))
        self.put_nodes("output", np.flatnonzero(held), output)


def impossible(network: ProductionNetwork, effect: Effect, what: str, column: str) -> Finding:
    """Return the finding that an effect cannot be carried out."""
    return make_finding(
        "E405",
        f"{effect.effect} of option {effect.option}: {what}",
        origin=network.origins.get("option_effects", Origin("option_effects")),
        index=effect.row,
        column=column,
        value=getattr(effect, "from_" if column == "from" else column),
    )


def _default_shares(
    network: ProductionNetwork, product: str, *, is_unstated: bool
) -> dict[str, float]:
    """Return the shares of a product's nodes where no link states them, empty where all do."""
    p = network.index("products")[product]
    by_default = (network.input_product[network.link_input] == p) & (network.link_row < 0)
    nodes = np.flatnonzero(network.node_product == p)
    if by_default.any():
        links = network.link_input == network.link_input[by_default][0]
        nodes, share = network.link_supplier[links], network.link_share[links]
    elif is_unstated and len(nodes):  # nobody buys it: a final product
        share = np.maximum(network.final_demand[nodes], 0.0)
        share = share / share.sum() if share.sum() > 0 else np.full(len(nodes), 1 / len(nodes))
    else:
        return {}
    labels = network.node_labels[nodes]
    return {str(n): float(s) for n, s in zip(labels, share, strict=True)}


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
    draft.append("links", _new_links(groups, label, effect, pl.lit(0.0), None))


def _new_links(
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


def change_recipe(draft: Draft, effect: Effect) -> None:
    """Change what one unit of a node's output, or of a product everywhere, needs of an input."""
    buyer = draft.node(effect, effect.buyer)
    product = draft.product_of(buyer)
    buyers = [buyer] if product else [buyer, *draft.makers(buyer)]
    of_input = pl.col("input") == effect.input
    where = of_input & pl.col("buyer").is_in(buyers)
    recipes = draft.frame("recipes", "class")
    if recipes.filter(of_input & (pl.col("buyer") == buyer)).is_empty():
        general = recipes.filter(of_input & (pl.col("buyer") == product))
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
    draft.append("links", _new_links(lacking, to, effect, pl.col("moved"), lead_time))


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
    general = rows.filter(pl.col("node") == source)
    in_units = pl.col("quantity").is_not_null() | pl.col("target").is_not_null()
    if general.height and (is_needed or general.filter(in_units).height):
        draft.append("stocks", general.with_columns(pl.lit(holder).alias("node")))
    elif is_needed:
        row = {"node": holder, "product": product, "periods_of_use": 0.0}
        draft.append("stocks", pl.DataFrame([row]))


def _nodes_meant(draft: Draft, effect: Effect) -> list[str]:
    return [draft.node(effect, effect.node)] if effect.node else draft.makers(effect.product)


def change_price(draft: Draft, effect: Effect) -> None:
    """Change the price of what a node, or every node of a product, makes."""
    where = pl.col("node").is_in(_nodes_meant(draft, effect))
    frame = draft.frame("nodes", "price")
    price = pl.Series("price", frame["price"]).fill_null(
        pl.Series(draft.network.price).fill_nan(None)
    )
    draft.tables["nodes"] = frame.with_columns(price)
    if effect.mode != "set" and draft.tables["nodes"].filter(where)["price"].is_null().all():
        draft.fault(effect, "the price is not known; use the mode set", "mode")
    draft.put("nodes", effect, where, "price", effect.moved(pl.col("price")))


def change_lead_time(draft: Draft, effect: Effect) -> None:
    """Change the time from shipping to arrival of what a node, or all of a product, delivers."""
    suppliers = _nodes_meant(draft, effect)
    draft.state_shares(str(effect.product or draft.product_of(suppliers[0])))
    where = pl.col("supplier").is_in(suppliers)
    if draft.frame("links").filter(where).is_empty():
        draft.fault(effect, "no link leaves it", "node" if effect.node else "product")
    lead_time = effect.moved(pl.col("lead_time").fill_null(DEFAULT_LEAD_TIME))
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
EFFECTS: dict[str, Change] = {**FIRST, **THEN}
"""Every effect by name, in the order in which they are carried out."""
