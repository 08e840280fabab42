"""What an option is made of, and the draft: the tables that its effects edit.

A network is built anew from the tables once the effects of a round have been carried out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy import sparse

from withstand.errors import UsageError
from withstand.model.encoding import Array, numbers
from withstand.model.findings import Finding, Origin, make_finding
from withstand.model.tables import EVERY_BUYER, TABLES

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

EFFECTS = (
    "add_node",
    "change_recipe",
    "shift_share",
    "add_capacity",
    "add_stock",
    "change_price",
    "change_lead_time",
    "change_reliability",
)
"""Every effect by name, in the order in which they are carried out."""
MODES = ("set", "scale", "add")
"""In the order in which effects on the same thing are carried out."""
MOST_ROUNDS = 10_000
TOLERANCE = 1e-9
SETTLED = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One change an option makes; fields are the columns of the table `option_effects`.

    Parameters
    ----------
    effect : str
        One of `EFFECTS`: add_node, add_capacity, shift_share, add_stock, change_recipe,
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

    Examples
    --------
    >>> Effect(effect="shift_share", product="FPGA", from_="TW", to="FPGA@US", amount=0.2).mode
    'add'
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
    row: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Refuse effects and modes that do not exist."""
        for what, value, valid in (("effect", self.effect, EFFECTS), ("mode", self.mode, MODES)):
            if value not in valid:
                raise UsageError(
                    f"{what} '{value[:40]}' is unknown; use one of {', '.join(valid)}."
                )

    @property
    def new_node(self) -> str:
        """Label that add_node asks for."""
        return self.node or f"{self.product}@{self.region}"

    def cell(self, column: str) -> str | float | None:
        """Return the field that stands in a column of the table."""
        value: str | float | None = getattr(self, "from_" if column == "from" else column)
        return None if isinstance(value, float) and math.isnan(value) else value

    def moved(self, base: pl.Expr) -> pl.Expr:
        """Return what becomes of a number under the mode of the effect."""
        if self.mode == "set":
            return pl.lit(self.amount)
        return base * self.amount if self.mode == "scale" else base + self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What building an option takes from the network: a quantity of a product over some periods.

    Examples
    --------
    >>> Use(product="SK_CNC", quantity=800.0, periods=26.0).quantity
    800.0
    """

    product: str
    quantity: float
    periods: float


class Draft:
    """Tables under change, with the network they started from and the faults found.

    Frames are replaced, never changed, so the network stays as it was. Rows are only added at the
    end of `nodes`, so its first rows are the network's nodes.
    """

    def __init__(
        self,
        network: ProductionNetwork,
        labels: dict[tuple[str, str], str],
        redesigned: frozenset[str | None] = frozenset(),
    ) -> None:
        self.network = network
        self.redesigned = redesigned  # inputs whose quantity the same portfolio changes
        self.labels = labels  # (option, label asked for) -> label its new node got
        self.tables: dict[str, pl.DataFrame] = dict(network.tables)
        self.faults: list[Finding] = []
        self.is_held = np.zeros(network.n_nodes, dtype=bool)  # output that `finish` moves along

    def fault(self, effect: Effect, what: str, column: str = "amount") -> None:
        """Note that an effect cannot be carried out."""
        self.faults.append(effect_finding("E405", self.network, effect, what, column))

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

    def put(self, table: str, effect: Effect, where: pl.Expr, column: str, value: pl.Expr) -> None:
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

    def makers(self, product: str, region: str | None = None) -> list[str]:
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

    def links_of(self, product: str) -> pl.DataFrame:
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
        if shares:
            every, what = pl.lit(EVERY_BUYER), pl.lit(product)
            self.append("links", frame.with_columns(every.alias("buyer"), what.alias("product")))

    # the end

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


def effect_finding(
    code: str,
    network: ProductionNetwork,
    effect: Effect,
    what: str,
    column: str,
    near: str | None = None,
) -> Finding:
    """Return a finding about an effect, at its place in the user's table."""
    return make_finding(
        code,
        f"{effect.effect} of option {effect.option}: {what}",
        origin=network.origins.get("option_effects", Origin("option_effects")),
        index=effect.row,
        column=column,
        value=effect.cell(column),
        suggestion=near,
    )


def filled_rows(tables: Mapping[str, pl.DataFrame], name: str) -> Iterable[dict[str, Any]]:
    """Return the filled cells of each row."""
    frame = tables.get(name, pl.DataFrame())
    for cells in frame.iter_rows(named=True):
        yield {k: v for k, v in cells.items() if v is not None}


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
