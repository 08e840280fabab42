"""Training places and robot cells of the robot maker: assumptions that its tables do not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.encoding import numbers
from withstand.model.units import HOURS_PER_YEAR, PERIODS_PER_YEAR
from withstand.plants.automation import robotise
from withstand.plants.cells import cell

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option

SHORT = 52.0
"""Weeks up to which training counts as a course on the job."""
DEGREE = 208.0
"""Weeks from which it counts as a degree."""
COST_OF_COURSE = 5_000.0
"""Per place, as option M19 of the example (1.5 million a year for 300 places)."""
COST_OF_APPRENTICESHIP = 20_000.0 / 182.0
"""Per place and week, as option M17 (2.4 million a year for 120 places of 182 weeks)."""
COST_OF_DEGREE = 50_000.0 / 260.0
"""Per place and week, as option M18 (3 million a year for 60 places of 260 weeks)."""
TRAINERS = 0.1
"""People for one in training."""

ROBOT_PRICE = 20_000.0
UPKEEP = 120.0
"""Hours of mechanics a year for one cell."""
ENERGY = 2_000.0
"""Currency a year for one cell."""
CELLS = (
    # label, skill, at which products, share of the hours replaced, cells, price and robots of one,
    # weeks; the first three as options M21 to M23 of the example for twice the output, the last
    # with the numbers of M22
    ("CELLS_ASM", "SK_ASM", ("ARM", "CTRL"), 0.35, 40, 220_000.0, 2, "39w"),
    ("CELLS_CNC", "SK_CNC", ("CAST_FE", "CAST_AL", "CARRIER"), 0.45, 80, 150_000.0, 1, "30w"),
    ("CELLS_FOUND", "SK_FOUND", ("CAST_FE", "CAST_AL"), 0.50, 12, 200_000.0, 2, "30w"),
    ("CELLS_GRIND", "SK_GRIND", ("CYC", "CRANK", "FLEXSPL", "WRIST"), 0.45, 80, 150_000.0, 1,
     "52w"),
)  # fmt: skip


def with_training_places(network: ProductionNetwork, times: float = 1.0) -> pl.DataFrame:
    """Return the programmes of the robot maker with places, cost and trainers: assumptions.

    The example says how long training takes, how many complete and by how much places can grow a
    year; it says nothing of places and their cost. Here places are as many as replace those who
    leave when everybody needed is there (exit rate x people needed / completion), and a place costs
    what the drafted options M17 to M19 of the example say.

    Parameters
    ----------
    network : ProductionNetwork
        The robot maker, or one with the same columns.
    times : float
        Places as a multiple of those.

    Returns
    -------
    DataFrame
        The table programmes with seats (people per year), cost (currency per place),
        trainers_per_seat (people).

    Examples
    --------
    >>> from withstand.examples import example
    >>> found = with_training_places(example("robot_maker"))
    >>> found.filter(pl.col("occupation") == "SK_GRIND").select("seats", "cost").row(0)
    (3.157..., 20000.0)
    """
    weeks = pl.col("duration")
    leaving = network.tables["occupations"].select("occupation", "exit_rate", "people_needed")
    joined = network.tables["programmes"].join(leaving, on="occupation", how="left")
    replaced = pl.col("exit_rate") * pl.col("people_needed") / pl.col("completion")
    return joined.with_columns(
        (times * replaced).alias("seats"),
        pl.when(weeks <= SHORT)
        .then(COST_OF_COURSE)
        .when(weeks < DEGREE)
        .then(COST_OF_APPRENTICESHIP * weeks)
        .otherwise(COST_OF_DEGREE * weeks)
        .alias("cost"),
        pl.lit(TRAINERS).alias("trainers_per_seat"),
    ).drop("exit_rate", "people_needed")


def robot_cells(network: ProductionNetwork) -> tuple[Option, ...]:
    """Return robot cells in place of assemblers, machinists, founders and grinders: assumptions.

    Share of the hours, price and time of the first three are those of the drafted options M21 to
    M23 of the example, their number is for twice the output; the cells that load grinders are no
    option of the example and take the numbers of M22. Upkeep takes hours of mechanics.

    Parameters
    ----------
    network : ProductionNetwork
        The robot maker at twice its output.

    Returns
    -------
    tuple of Option

    Examples
    --------
    >>> from withstand.examples import example
    >>> [(o.label, o.cost_once) for o in robot_cells(example("robot_maker"))][:2]
    [('CELLS_ASM', 8800000.0), ('CELLS_CNC', 12000000.0)]
    """
    people = network.tables["occupations"]
    wages = dict(zip(people["product"].to_list(), numbers(people, "wage"), strict=True))
    found = []
    for label, skill, products, share, cells, price, robots, ready in CELLS:
        replaced = share * _hours_a_year(network, skill, products) / cells
        one = cell(
            robots=robots,
            robot_price=ROBOT_PRICE,
            robot_share=robots * ROBOT_PRICE / price,
            operators=replaced / HOURS_PER_YEAR / 2,
            shifts=2,
            wage=float(wages[skill]),
            maintenance_hours=UPKEEP,
            maintenance_wage=float(wages["SK_MAINT"]) / HOURS_PER_YEAR,
            energy=ENERGY,
            hours_per_person=HOURS_PER_YEAR,
            currency=network.settings.currency,
        )
        found.append(
            robotise(
                network, one, products, skill=skill, cells=cells, share=share,
                maintenance="SK_MAINT", robots="ROBOT", ready=ready, label=label,
            )
        )  # fmt: skip
    return tuple(found)


def _hours_a_year(network: ProductionNetwork, skill: str, products: tuple[str, ...]) -> float:
    """Return the hours of a skill that the makers of some products take at rest, per year."""
    made = network.product_labels[network.node_product[network.input_buyer]]
    own = (network.input_product == network.index("products")[skill]) & np.isin(made, products)
    use = network.input_coefficient[own] * network.output[network.input_buyer[own]]
    return float(use.sum()) * PERIODS_PER_YEAR[network.settings.period]
