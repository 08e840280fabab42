"""Spare parts as stocks: how many to hold so that machines do not wait for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.stats import poisson

from withstand.errors import UsageError
from withstand.plants.number_checks import number, whole, word

Array = np.ndarray
MEASURES = ("availability", "fill_rate", "backorders")
MOST_SPARES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Spares:
    """A stock of one spare part, refilled one for one, in the long run.

    Parameters
    ----------
    part : str
    demand : float, parts per period
    resupply : float, periods from order to arrival (or of repair)
    stock : int, parts held and on order
    machines : float
        Machines that need the part to run.
    parts_per_machine : float
    """

    part: str
    demand: float
    resupply: float
    stock: int
    machines: float
    parts_per_machine: float

    @property
    def pipeline(self) -> float:
        """Mean number of parts on order (or in repair)."""
        return self.demand * self.resupply

    @property
    def fill_rate(self) -> float:
        """Share of demands that are met at once: P(on order < stock)."""
        return float(poisson.cdf(self.stock - 1, self.pipeline))

    @property
    def ready_rate(self) -> float:
        """Share of time in which nobody waits for a part: P(on order <= stock)."""
        return float(poisson.cdf(self.stock, self.pipeline))

    @property
    def backorders(self) -> float:
        """Mean number of parts that are waited for: E (on order - stock)+."""
        mean, s = self.pipeline, self.stock
        # E(X - s)+ = mean P(X >= s) - s P(X > s)
        value = mean * poisson.sf(s - 1, mean) - s * poisson.sf(s, mean)
        return max(0.0, float(value))

    @property
    def on_hand(self) -> float:
        """Mean number of parts on the shelf."""
        return self.stock - self.pipeline + self.backorders

    @property
    def wait(self) -> float:
        """Mean time a demand waits for its part, periods (Little's law)."""
        return self.backorders / self.demand if self.demand > 0 else 0.0

    @property
    def availability(self) -> float:
        """Share of machines that do not wait for this part: (1 - backorders / (N z))^z."""
        places = self.machines * self.parts_per_machine
        share = max(0.0, 1.0 - self.backorders / places)
        return float(share**self.parts_per_machine)

    def rows(self, node: str, output: float) -> dict[str, pl.DataFrame]:
        """Return the spare part as rows of the tables `recipes` and `stocks`.

        A unit of output takes demand / output parts, on average; the node holds the shelf's mean
        and aims at the stock.

        Parameters
        ----------
        node : str
        output : float, units per period
            Output to which the demand belongs.
        """
        made = number("output", output, above=True, unit="units per period")
        return {
            "recipes": pl.DataFrame(
                {
                    "buyer": [node],
                    "input": [self.part],
                    "quantity": [self.demand / made],
                    "class": ["essential"],
                    "use": ["consumed"],
                }
            ),
            "stocks": pl.DataFrame(
                {
                    "node": [node],
                    "product": [self.part],
                    "quantity": [max(0.0, self.stock - self.pipeline)],
                    "target": [max(0.0, self.stock - self.pipeline)],
                }
            ),
        }

    def with_stock(self, stock: int) -> Spares:
        """Return the same part with another stock."""
        return replace(self, stock=whole("stock", stock, high=MOST_SPARES))

    def summary(self) -> str:
        """Return one sentence."""
        return (
            f"With {self.stock} of {self.part}, {self.fill_rate:.1%} of demands are met at once, "
            f"{self.backorders:.3g} are waited for on average, and {self.availability:.2%} of "
            "machines do not wait."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Spares: {self.summary()}>"


def spares(
    demand: float,
    resupply: float,
    stock: int,
    *,
    machines: float = 1.0,
    parts_per_machine: float = 1.0,
    part: str = "spare part",
) -> Spares:
    """Return how well a stock of a spare part serves: fill rate, backorders, availability.

    Demands come by chance (Poisson), each is ordered again at once (base stock), and an order takes
    `resupply` on average. The number on order then is Poisson with mean demand x resupply whatever
    the distribution of resupply times, if these do not depend on one another (Palm's theorem).

    Parameters
    ----------
    demand : float, parts per period
        Machines x parts in a machine x running time per period / MTBF of the part.
    resupply : float, periods
        Lead time, or time of repair.
    stock : int
        Parts on the shelf and on order, less those waited for.
    machines : float
        Machines that stop without the part.
    parts_per_machine : float
    part : str
        Label of the product.

    Returns
    -------
    Spares

    Raises
    ------
    UsageError
        If a number cannot be.

    References
    ----------
    Sherbrooke (1968), METRIC, Operations Research 16(1); Sherbrooke (2004), Optimal Inventory
    Modeling of Systems, ch. 2: availability of machines that share a stock. The demand is taken
    as constant; where many machines stand still it falls, so availability is on the safe side.

    Examples
    --------
    One part on order on average and one in stock: P(none on order) = 1/e.

    >>> found = spares(demand=.5, resupply=2, stock=1, machines=10)
    >>> round(found.fill_rate, 6), round(found.backorders, 6)
    (0.367879, 0.367879)
    """
    return Spares(
        part=part,
        demand=number("demand", demand, unit="parts per period"),
        resupply=number("resupply", resupply, unit="periods"),
        stock=whole("stock", stock, high=MOST_SPARES),
        machines=number("machines", machines, above=True),
        parts_per_machine=number("parts_per_machine", parts_per_machine, above=True),
    )


def least_spares(given: Spares, target: float, *, measure: str = "availability") -> Spares:
    """Return the smallest stock that reaches a target.

    Parameters
    ----------
    given : Spares
        Its own stock is left aside.
    target : float
        Least availability or fill rate, 0 to below 1; or most backorders, above 0.
    measure : {"availability", "fill_rate", "backorders"}

    Returns
    -------
    Spares

    Raises
    ------
    UsageError
        If the target or the word cannot be.

    Examples
    --------
    >>> least_spares(spares(.5, 2, 0, machines=10), .9, measure="fill_rate").stock
    3
    """
    how = word("measure", measure, MEASURES)
    if how == "backorders":
        aim = number("target", target, above=True)
    else:
        aim = number("target", target, high=1.0)
        if aim > 1.0 - 1e-12:
            raise UsageError("target must be below 1: no stock of finite size is always enough.")

    def is_enough(stock: int) -> bool:
        found = given.with_stock(stock)
        reached: float = getattr(found, how)
        return reached <= aim if how == "backorders" else reached >= aim

    high = 1
    while not is_enough(high):
        high *= 2
        if high > MOST_SPARES:
            raise UsageError(f"More than {MOST_SPARES:,} spares would be needed.")
    low = -1  # the last stock known not to be enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return given.with_stock(high)


def share_out_spares(
    parts: Sequence[Spares], prices: Mapping[str, float], *, budget: float
) -> tuple[tuple[Spares, ...], pl.DataFrame]:
    """Spend a budget on spares of several parts so that machines wait least.

    Each step buys the part whose next piece lowers backorders most per unit of money (marginal
    analysis). As backorders are convex in the stock, every step is the best that can be had for
    what has been spent so far; between steps a mix of cheaper pieces may do a little better.

    Parameters
    ----------
    parts : sequence of Spares
        Their own stocks are where it begins.
    prices : mapping of part to currency per piece
    budget : float, currency

    Returns
    -------
    tuple of Spares, DataFrame
        The parts with their stocks; and every step: part, stock, spent, backorders (of all parts),
        availability (the product over parts). It stops at the first piece that is too dear.

    Raises
    ------
    UsageError
        If a part has no price, or stands twice.

    References
    ----------
    Sherbrooke (2004), ch. 2; Fox (1966), Management Science 13(3).

    Examples
    --------
    >>> pump, seal = spares(.1, 4, 0, part="pump"), spares(.1, 4, 0, part="seal")
    >>> held, steps = share_out_spares([pump, seal], {"pump": 100, "seal": 10}, budget=120)
    >>> [p.stock for p in held], steps["part"].to_list()
    ([1, 2], ['seal', 'seal', 'pump'])
    """
    labels = [p.part for p in parts]
    if not labels or len(set(labels)) < len(labels):
        raise UsageError("Give at least one part, and each part once.")
    lacking = [x for x in labels if x not in prices]
    if lacking:
        raise UsageError(f"{lacking[0]} has no price.")
    cost = np.array([number(f"price of {x}", prices[x], above=True) for x in labels])
    money = number("budget", budget)
    held, spent, rows = list(parts), 0.0, []
    gain = np.array([_next_gain(p) for p in held])
    while gain.max() > 0:
        i = int((gain / cost).argmax())
        if spent + cost[i] > money * (1 + 1e-12):
            break
        spent += float(cost[i])
        held[i] = held[i].with_stock(held[i].stock + 1)
        gain[i] = _next_gain(held[i])
        rows.append(
            {
                "part": labels[i],
                "stock": held[i].stock,
                "spent": spent,
                "backorders": sum(p.backorders for p in held),
                "availability": float(np.prod([p.availability for p in held])),
            }
        )
    schema = {
        "part": pl.String,
        "stock": pl.Int64,
        "spent": pl.Float64,
        "backorders": pl.Float64,
        "availability": pl.Float64,
    }
    return tuple(held), pl.DataFrame(rows, schema=schema)


def _next_gain(part: Spares) -> float:
    """Return by how much one piece more lowers backorders: P(on order > stock)."""
    return float(poisson.sf(part.stock, part.pipeline))
