"""A robot cell: what it costs, what it saves, when it has paid for itself, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import polars as pl
from scipy.optimize import brentq

from withstand.model.units import HOURS_PER_YEAR
from withstand.plants.number_checks import number, whole

Array = np.ndarray
_ABOVE_ZERO = ("robots", "robot_price", "operators", "shifts", "hours_per_person")
_AT_MOST_ONE = ("robot_share", "replaced_share")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A robot cell and its economics; `cell` makes one and says what the fields mean."""

    robots: float
    robot_price: float
    operators: float
    shifts: float
    wage: float
    replaced_share: float
    robot_share: float
    maintenance_hours: float
    maintenance_wage: float
    energy: float
    other_running: float
    integrator_hours: float
    hours_per_person: float
    years: int
    interest: float
    wage_growth: float
    residual: float
    currency: str

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        for name in (f.name for f in fields(self) if f.name not in ("years", "currency")):
            number(
                name,
                getattr(self, name),
                low=-0.99 if name == "wage_growth" else 0.0,
                high=1.0 if name in _AT_MOST_ONE else np.inf,
                above=name in (*_ABOVE_ZERO, *_AT_MOST_ONE),
            )
        whole("years", self.years, low=1, high=200)

    # --- money ------------------------------------------------------------------------------------

    @property
    def capex(self) -> float:
        """Cost of the cell, currency: robots x price of a robot / share of the robots in it."""
        return self.robots * self.robot_price / self.robot_share

    @property
    def saving(self) -> float:
        """Wages saved in the first year, currency: operators x shifts x wage x replaced share."""
        return self.operators * self.shifts * self.wage * self.replaced_share

    @property
    def running(self) -> float:
        """Running cost, currency per year: maintenance, energy and other."""
        return self.maintenance_hours * self.maintenance_wage + self.energy + self.other_running

    @property
    def annuity(self) -> float:
        """Yearly cost of the capital, currency per year: its value less that of the residual."""
        return (self.capex - self.residual * self._discount[-1]) / float(self._discount.sum())

    @property
    def net_present_value(self) -> float:
        """Value today of all that the cell costs and saves, currency."""
        return float(self._cash @ np.append(1.0, self._discount))

    @property
    def internal_rate(self) -> float:
        """Interest at which the cell is worth nothing, per year; NaN if it never pays."""
        return _internal_rate(self._cash)

    @property
    def payback(self) -> float:
        """Years until the cash spent is back, without interest; infinite if that is never.

        Cash comes evenly within a year. Without growth of wages this is capex / (saving - running).
        """
        return _first_zero(np.cumsum(self._without_residual))

    @property
    def discounted_payback(self) -> float:
        """Years until the cash spent is back with interest; infinite if that is never."""
        flows = self._without_residual * np.append(1.0, self._discount)
        return _first_zero(np.cumsum(flows))

    @property
    def break_even_wage(self) -> float:
        """Wage in the first year at which the cell is worth nothing, currency per person-year."""
        replaced = self.operators * self.shifts * self.replaced_share
        worth = float(self._discount @ self._growth)
        cost = self.capex - self.residual * self._discount[-1] + self.running * self._discount.sum()
        return float(cost / (replaced * worth))

    @cached_property
    def _discount(self) -> Array:
        return (1.0 + self.interest) ** -np.arange(1.0, self.years + 1)

    @cached_property
    def _growth(self) -> Array:
        return (1.0 + self.wage_growth) ** np.arange(float(self.years))

    @cached_property
    def _without_residual(self) -> Array:
        return np.append(-self.capex, self.saving * self._growth - self.running)

    @property
    def _cash(self) -> Array:
        cash = self._without_residual.copy()
        cash[-1] += self.residual
        return cash

    # --- people -----------------------------------------------------------------------------------

    @property
    def hours_saved(self) -> float:
        """Hours of operators that the cell replaces, hours per year."""
        return self.operators * self.shifts * self.hours_per_person * self.replaced_share

    def needs(self, cells: float = 1.0) -> pl.DataFrame:
        """Return what some cells need: need, quantity, unit, when ("once" or "every year").

        The work of integrators is part of the cost of the cell already; it is counted here because
        it must come from people who are there.
        """
        many = number("cells", cells, above=True)
        rows = [
            ("robots", self.robots * many, "robots", "once"),
            ("integrator hours", self.integrator_hours * many, "hours", "once"),
            ("maintenance hours", self.maintenance_hours * many, "hours", "every year"),
            ("operator hours", -self.hours_saved * many, "hours", "every year"),
        ]
        return pl.DataFrame(
            rows,
            schema=["need", "quantity", "unit", "when"],
            orient="row",
            infer_schema_length=None,
        )

    # --- results ----------------------------------------------------------------------------------

    def payback_curve(self) -> pl.DataFrame:
        """Return year, cash, cumulated, discounted [currency]; year 0 is the purchase.

        `cumulated` is the sum of cash so far, `discounted` that of its value at year 0. The
        residual comes in the last year.
        """
        worth = self._cash * np.append(1.0, self._discount)
        return pl.DataFrame(
            {
                "year": np.arange(self.years + 1),
                "cash": self._cash,
                "cumulated": np.cumsum(self._cash),
                "discounted": np.cumsum(worth),
            }
        )

    def to_frame(self) -> pl.DataFrame:
        """Return one row a figure: figure, value, unit."""
        money = self.currency or "currency"
        a_year = f"{money} per year"
        rows = [
            ("capex", self.capex, money),
            ("saving", self.saving, a_year),
            ("running cost", self.running, a_year),
            ("annuity of the capex", self.annuity, a_year),
            ("net present value", self.net_present_value, money),
            ("internal rate", self.internal_rate, "per year"),
            ("payback", self.payback, "years"),
            ("discounted payback", self.discounted_payback, "years"),
            ("break-even wage", self.break_even_wage, f"{money} per person and year"),
            ("hours saved", self.hours_saved, "hours per year"),
        ]
        return pl.DataFrame(
            rows,
            schema={"figure": pl.String, "value": pl.Float64, "unit": pl.String},
            orient="row",
        )

    def with_wage(self, wage: float) -> Cell:
        """Return the cell at another wage."""
        return replace(self, wage=number("wage", wage))

    def summary(self) -> str:
        """Return two sentences."""
        money = self.currency or "of money"
        back = (
            f"has paid for itself after {self.payback:.1f} years"
            if np.isfinite(self.payback)
            else f"does not pay for itself in {self.years} years"
        )
        return (
            f"The cell costs {self.capex:,.0f} {money}, saves {self.saving:,.0f} a year in wages, "
            f"runs at {self.running:,.0f} a year and {back}. At {self.interest:.3g} interest over "
            f"{self.years} years it is worth {self.net_present_value:,.0f}; it breaks even at a "
            f"wage of {self.break_even_wage:,.0f}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Cell: capex {self.capex:,.0f}, payback {self.payback:.2f} years, "
            f"net present value {self.net_present_value:,.0f}>"
        )


def cell(
    *,
    robots: float = 1.0,
    robot_price: float,
    operators: float,
    wage: float,
    shifts: float = 1.0,
    replaced_share: float = 1.0,
    robot_share: float = 0.3,
    maintenance_hours: float = 0.0,
    maintenance_wage: float = 0.0,
    energy: float = 0.0,
    other_running: float = 0.0,
    integrator_hours: float = 0.0,
    hours_per_person: float = HOURS_PER_YEAR,
    years: int = 10,
    interest: float = 0.0,
    wage_growth: float = 0.0,
    residual: float = 0.0,
    currency: str = "",
) -> Cell:
    """Return what a robot cell costs and saves, when it pays for itself, and what it needs.

    Capex K = robots x price / share of the robots in the cost of a cell; saving = operators x
    shifts x wage x replaced share. With net cash c_t = saving (1 + g)^(t-1) - running at the end
    of year t, interest i and n years: net present value = -K + sum c_t (1 + i)^-t + residual
    (1 + i)^-n; annuity = (K - residual (1 + i)^-n) / sum (1 + i)^-t.

    Parameters
    ----------
    robots : float
    robot_price : float, currency per robot
    operators : float, people per shift who did the work before
    wage : float, currency per person and year, with all that an employer pays
    shifts : float
    replaced_share : float, above 0, up to 1
        Share of the operators' work that the cell takes over.
    robot_share : float, above 0, up to 1
        Robots as a share of the cost of the cell: 0.25 to 0.40 as a rule; the rest is gripper,
        safety, conveyors and the work of integrators.
    maintenance_hours : float, hours per year
    maintenance_wage : float, currency per hour
    energy, other_running : float, currency per year
    integrator_hours : float, hours
        Work to plan and build the cell. Its cost is part of capex already.
    hours_per_person : float, hours per year
    years : int
        Life of the cell.
    interest, wage_growth : float, per year
    residual : float, currency
        What the cell is worth at the end of its life.
    currency : str

    Returns
    -------
    Cell

    Raises
    ------
    UsageError
        If a number cannot be.

    Examples
    --------
    Two robots at 20,000 are 30 % of a cell of 133,333; two shifts of one operator at 40,000.

    >>> found = cell(robots=2, robot_price=20_000, operators=1, shifts=2, wage=40_000,
    ...              other_running=13_333)
    >>> round(found.capex), round(found.saving), round(found.payback, 2)
    (133333, 80000, 2.0)
    """
    return Cell(
        robots=robots,
        robot_price=robot_price,
        operators=operators,
        shifts=shifts,
        wage=wage,
        replaced_share=replaced_share,
        robot_share=robot_share,
        maintenance_hours=maintenance_hours,
        maintenance_wage=maintenance_wage,
        energy=energy,
        other_running=other_running,
        integrator_hours=integrator_hours,
        hours_per_person=hours_per_person,
        years=years,
        interest=interest,
        wage_growth=wage_growth,
        residual=residual,
        currency=currency,
    )


def _first_zero(cumulated: Array) -> float:
    """Return when a cumulated sum first reaches 0, straight within a year, else infinity."""
    reached = np.flatnonzero(cumulated >= -1e-9 * abs(cumulated[0]))
    if not len(reached):
        return float("inf")
    year = int(reached[0])
    if year == 0:
        return 0.0
    before, after = cumulated[year - 1], cumulated[year]
    return float(year - 1 + min(1.0, -before / (after - before)))


def _internal_rate(cash: Array) -> float:
    """Return the interest at which flows are worth nothing; NaN where their sum never is above 0.

    Cash that is first paid and then received is worth less the higher the interest, so the root is
    the only one. With growing or falling wages the flows may turn sign again; the root above the
    lowest interest that is looked at, -99 %, is returned if one is there.
    """
    years = np.arange(float(len(cash)))

    def worth(rate: float) -> float:
        return float(cash @ (1.0 + rate) ** -years)

    low, high = -0.99, 1.0
    while worth(high) > 0 and high < 1e6:
        high *= 2.0
    if not (worth(low) > 0 > worth(high)):
        return float("nan")
    return float(brentq(worth, low, high, xtol=1e-12))
