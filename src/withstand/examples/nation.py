"""A made-up nation of firms: sectors that need one another, provinces, a few giants, imports.

Nothing in it is measured. It has what published firm networks have: sizes with a heavy tail, buyers
with few suppliers for each input, neighbours preferred, circles (mines need machines, machines need
steel, steel needs ore), and small trades such as seals that cost little and that others cannot do
without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.readers.firms import network_from_links

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
PROVINCES = (
    "Norvale", "Estmark", "Southmoor", "Weststrand", "Midlund", "Lakeside",
    "Highfell", "Rivermouth", "Greenhaven", "Stonebury",
)  # fmt: skip
ABROAD = ("Overseas", "Eastern neighbour", "Western neighbour")
SERVICES = ("transport", "repair", "trade", "software", "finance")
MINOR = frozenset({"trade", "software", "finance"})
IMPORTED = ("ore", "oil", "chemicals", "electronics", "bearings", "machine tools")
SMALL_TRADES = ("seals", "sensors", "catalysts", "fuses", "lubricants", "yeasts")
NEEDS: dict[str, tuple[str, ...]] = {
    "ore": ("power", "machines"),
    "oil": ("power", "machines"),
    "timber": ("machines",),
    "crops": ("fertiliser", "machines"),
    "power": ("oil", "fuses"),
    "steel": ("ore", "power"),
    "metals": ("ore", "power", "catalysts"),
    "chemicals": ("oil", "power", "catalysts"),
    "fertiliser": ("chemicals", "power"),
    "plastics": ("chemicals", "power"),
    "cement": ("ore", "power"),
    "pulp": ("timber", "chemicals"),
    "castings": ("steel", "power"),
    "bearings": ("steel", "lubricants"),
    "electronics": ("metals", "plastics", "chemicals"),
    "electrical": ("metals", "electronics", "fuses"),
    "packaging": ("pulp", "plastics"),
    "machine tools": ("castings", "bearings", "sensors"),
    "machines": ("castings", "bearings", "electrical", "seals"),
    "vehicles": ("castings", "bearings", "electronics", "sensors", "seals"),
    "appliances": ("steel", "plastics", "electrical", "sensors"),
    "food": ("crops", "packaging", "power", "yeasts"),
    "medicine": ("chemicals", "packaging", "yeasts"),
    "furniture": ("timber", "steel"),
    "buildings": ("cement", "steel", "electrical"),
    "transport": ("vehicles", "oil", "lubricants"),
    "repair": ("machines", "seals"),
    "trade": ("transport",),
    "software": ("electronics",),
    "finance": ("software",),
    "seals": ("plastics",),
    "sensors": ("electronics",),
    "catalysts": ("metals",),
    "fuses": ("metals",),
    "lubricants": ("oil",),
    "yeasts": ("crops",),
}
"""Inputs without which a sector stops."""
SECTORS = tuple(NEEDS)
GRADES = 4
"""Grades of every good: makers of one grade need one grade of each input, and no other will do."""
TO_HOUSEHOLDS = {
    "food": 1.0, "medicine": 0.6, "buildings": 0.9, "vehicles": 0.6, "appliances": 0.6,
    "furniture": 0.5, "trade": 0.8, "finance": 0.4, "software": 0.3, "power": 0.4, "transport": 0.3,
    "machines": 0.4, "repair": 0.2,
}  # fmt: skip
"""What households and exports buy, as a multiple of a firm's size; of other sectors a little."""
A_LITTLE = 0.05
FEWEST, ONE_IN = 3, 600
"""Firms in a small trade: one in so many of all firms, at least the fewest."""
CHEAP = 0.05
"""What an input from a small trade costs its buyer, as a share of any other essential input."""
SERVED, SERVICE_COST = 0.4, 0.25
"""Chance that a firm buys a service, and its cost, as a share of that of an essential input."""
SPARE = 1.2
"""Capacity as a multiple of output."""
BOUGHT = 0.55
"""Purchases of a firm as a share of its output."""
TAIL, LARGEST = 1.15, 0.8
"""Exponent of the Pareto law of sizes, and the power of the number of firms that caps it."""
NEIGHBOUR = 0.6
"""Chance that a buyer looks for a supplier in its own province first."""
ROUNDS = 120
WEEKS_OF_STOCK = 3.0
EUR_A_WEEK = 20_000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Trades:
    """Every product of the nation: name and sector, shape (n,), and who needs what, (n, n)."""

    name: Array
    sector: Array
    needs: Array
    services: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class _Firms:
    """Product, region (home first) and size of every firm, shape (n,)."""

    product: Array
    region: Array
    size: Array


def nation_of_firms(
    n_firms: int = 1_000, *, seed: int = 1, suppliers_per_input: float = 1.6
) -> ProductionNetwork:
    """Return a made-up national network of firms, the same for the same arguments.

    Sizes follow a Pareto law. Every firm buys each essential input of its sector from one or more
    suppliers, larger firms from more, and some services. Suppliers are drawn by size, often from
    the buyer's own province. Households and exports ask for final goods, and output is what serves
    all demand (purchases are 55 % of output). Values are euros a week; buyers hold three weeks of
    goods, and no power or services.

    Parameters
    ----------
    n_firms : int
        Firms at home, at least 200. A tenth as many suppliers abroad are drawn beside them.
    seed : int
    suppliers_per_input : float
        Mean number of suppliers of each essential input, at least 1.

    Returns
    -------
    ProductionNetwork
        Of the lens firms, no region marked as home, so that every province can be lost.

    Raises
    ------
    UsageError
        If there are too few firms, or an argument is not possible.

    Examples
    --------
    >>> nation = nation_of_firms(300, seed=1)
    >>> nation.n_products, nation.n_regions, bool(nation.final_demand.min() >= 0)
    (108, 13, True)
    """
    if isinstance(n_firms, bool) or not isinstance(n_firms, int) or n_firms < 200:
        raise UsageError(f"n_firms must be a whole number of at least 200, not {n_firms!r}.")
    if not 1.0 <= suppliers_per_input <= 20.0:
        raise UsageError(
            f"suppliers_per_input must lie between 1 and 20, not {suppliers_per_input!r}."
        )
    random = np.random.default_rng(seed)
    trades = _trades()
    firms = _firms(trades, n_firms, random)
    buyer, wanted, weight = _purchases(trades, firms, suppliers_per_input, random)
    supplier = _suppliers(trades, firms, buyer, wanted, random)
    supplier, buyer, share = _merged(supplier, buyer, weight, len(firms.size))
    asked = np.array([TO_HOUSEHOLDS.get(s, A_LITTLE) for s in trades.sector])
    is_home = firms.region < len(PROVINCES)
    demand = np.where(is_home, firms.size * asked[firms.product] * EUR_A_WEEK, 0.0)
    output = demand
    for _ in range(ROUNDS):  # output = demand + A output; 0.55 to this power is below rounding
        output = demand + np.bincount(supplier, share * output[buyer], len(demand))
    return _network(trades, firms, supplier, buyer, share * output[buyer], output, demand)


def _grades(sector: str) -> int:
    return 1 if sector in SERVICES or sector in SMALL_TRADES or sector == "power" else GRADES


def _trades() -> _Trades:
    """Name the products; grade g of a good needs grade g + place in the list of each input."""
    made = [(s, g) for s in SECTORS for g in range(_grades(s))]
    at = {pair: i for i, pair in enumerate(made)}
    needs = np.zeros((len(made), len(made)), dtype=bool)
    for (sector, grade), row in at.items():
        for place, wanted in enumerate(NEEDS[sector]):
            needs[row, at[wanted, (grade + place) % _grades(wanted)]] = True
    return _Trades(
        name=np.array([f"{s} {'ABCDEFGH'[g]}" if _grades(s) > 1 else s for s, g in made]),
        sector=np.array([s for s, _ in made]),
        needs=needs,
        services=np.array([at[s, 0] for s in SERVICES]),
    )


def _firms(trades: _Trades, n_firms: int, random: np.random.Generator) -> _Firms:
    """Draw product, region and size; every product has a firm at home, imported ones abroad too."""
    n_products, n_abroad = len(trades.name), n_firms // 10
    n = n_firms + n_abroad
    rank = 1.0 / np.arange(1, len(PROVINCES) + 1) ** 0.5
    size = np.minimum((1.0 - random.random(n)) ** (-1.0 / TAIL), float(n_firms) ** LARGEST)
    is_small = np.isin(trades.sector, SMALL_TRADES)
    often = np.where(is_small, 0.0, 1.0 / np.array([_grades(str(s)) for s in trades.sector]))
    product = random.choice(n_products, n, p=often / often.sum())
    few = np.repeat(np.flatnonzero(is_small), max(FEWEST, n_firms // ONE_IN))
    first = np.concatenate([np.flatnonzero(~is_small), few])
    product[: len(first)] = first
    region = random.choice(len(PROVINCES), n, p=rank / rank.sum())
    imported = np.flatnonzero(np.isin(trades.sector, IMPORTED))
    product[n_firms:] = imported[np.arange(n_abroad) % len(imported)]
    region[n_firms:] = len(PROVINCES) + random.integers(0, len(ABROAD), n_abroad)
    return _Firms(product=product, region=region, size=size)


def _purchases(
    trades: _Trades, firms: _Firms, suppliers_per_input: float, random: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Draw who buys which product: buyer, product wanted and weight of each purchase."""
    at_home = np.flatnonzero(firms.region < len(PROVINCES))
    growth = firms.size[at_home] ** 0.35
    extra = (suppliers_per_input - 1.0) * growth / growth.mean()
    row, wanted = np.nonzero(trades.needs[firms.product[at_home]])
    times = 1 + random.poisson(extra[row])
    cost = np.where(np.isin(trades.sector, SMALL_TRADES), CHEAP, 1.0)[wanted]
    uses, which = np.nonzero(random.random((len(at_home), len(trades.services))) < SERVED)
    buyer = np.concatenate([np.repeat(at_home[row], times), at_home[uses]])
    product = np.concatenate([np.repeat(wanted, times), trades.services[which]])
    weight = np.concatenate([np.repeat(cost / times, times), np.full(len(uses), SERVICE_COST)])
    return buyer, product, weight * random.lognormal(0.0, 0.5, len(buyer))


def _suppliers(
    trades: _Trades, firms: _Firms, buyer: Array, wanted: Array, random: np.random.Generator
) -> Array:
    """Draw a supplier for each purchase, by size; in the buyer's province first, if it has one."""
    n_regions = len(PROVINCES) + len(ABROAD)
    group = firms.product * n_regions + firms.region
    order = np.argsort(group, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(firms.size[order] ** 0.8)])
    first = np.searchsorted(group[order], np.arange(len(trades.name) * n_regions + 1))
    near = wanted * n_regions + firms.region[buyer]
    is_near = (first[near + 1] > first[near]) & (random.random(len(buyer)) < NEIGHBOUR)
    low = np.where(is_near, first[near], first[wanted * n_regions])
    high = np.where(is_near, first[near + 1], first[(wanted + 1) * n_regions])
    drawn = total[low] + random.random(len(buyer)) * (total[high] - total[low])
    at = np.searchsorted(total, drawn, side="right") - 1
    return order[np.clip(at, low, high - 1)]


def _merged(supplier: Array, buyer: Array, weight: Array, n: int) -> tuple[Array, Array, Array]:
    """Add up parallel links, drop those to oneself; shares of a buyer's output sum to BOUGHT."""
    keep = supplier != buyer
    key, place = np.unique(supplier[keep] * n + buyer[keep], return_inverse=True)
    weight = np.bincount(place, weight[keep])
    supplier, buyer = key // n, key % n
    return supplier, buyer, BOUGHT * weight / np.bincount(buyer, weight, n)[buyer]


def _network(
    trades: _Trades,
    firms: _Firms,
    supplier: Array,
    buyer: Array,
    value: Array,
    output: Array,
    demand: Array,
) -> ProductionNetwork:
    """Name firms and build the network; suppliers abroad that sell nothing are left out."""
    labels, regions = _labels(trades, firms), np.array(PROVINCES + ABROAD)
    nodes = pl.DataFrame(
        {
            "node": labels,
            "product": trades.name[firms.product],
            "region": regions[firms.region],
            "output": output,
            "final_demand": demand,
            "capacity": SPARE * output,
            "price": 1.0,
        }
    ).filter(pl.col("output") > 0)
    links = pl.DataFrame({"supplier": labels[supplier], "buyer": labels[buyer], "value": value})
    network = network_from_links(
        nodes, links, _classes(trades), name="A nation of firms", period="week", currency="EUR"
    )
    can_be_kept = ~np.isin(trades.sector, (*SERVICES, "power")) & trades.needs.any(axis=0)
    held = pl.DataFrame({"node": "*", "product": trades.name[can_be_kept]})
    return network.with_changes({"stocks": held.with_columns(periods_of_use=WEEKS_OF_STOCK)})


def _labels(trades: _Trades, firms: _Firms) -> Array:
    """Return a label for every firm, numbered within its product: `steel B 3`."""
    order = np.argsort(firms.product, kind="stable")
    first = np.searchsorted(firms.product[order], np.arange(len(trades.name)))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order)) - first[firms.product[order]] + 1
    return np.char.add(np.char.add(trades.name[firms.product], " "), number.astype(str))


def _classes(trades: _Trades) -> pl.DataFrame:
    """Return the class of every pair of products that can be bought."""
    is_service = np.zeros(len(trades.name), dtype=bool)
    is_service[trades.services] = True
    buyer, supplier = np.nonzero(trades.needs | is_service)
    light = np.where(np.isin(trades.sector[supplier], list(MINOR)), "minor", "important")
    return pl.DataFrame(
        {
            "supplier_product": trades.name[supplier],
            "buyer_product": trades.name[buyer],
            "class": np.where(trades.needs[buyer, supplier], "essential", light),
        }
    )
