"""Training programmes as options of a plan: so many entrants a year, and the hours they bring.

An option of one programme is continuous; its size is the number of entrants a year, from the year
in which it starts on. For one entrant a year, with survivors s = 1 - exit_rate - transfer_rate:

    ready           duration of the programme
    capacity        in year k after that: hours completion retention (1 + s + ... + s^k)
    cost            duration x cost at the start (those on the way), then cost a year

Trainers are drawn from the network while the first are on the way (`uses`), and are missing at work
from then on; entrants that leave an occupation are missing there. Hours used at rest are never
taken, for a plan counts with what nodes make at rest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from withstand.errors import DataError, UsageError
from withstand.model.checks.people import text_of
from withstand.model.encoding import numbers
from withstand.model.findings import Finding, make_finding, sort_findings
from withstand.model.option import Effect, Option, Use
from withstand.model.units import HOURS_PER_YEAR, PERIODS_PER_YEAR
from withstand.people.sources import people_tables

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.network import ProductionNetwork
    from withstand.people.sources import PeopleTables

MOST_YEARS = 50


class _Skill(NamedTuple):
    """Where an occupation works: its node, product, hours of a person a period, survivors."""

    node: str
    product: str
    hours: float
    stays: float


def train_options(
    network: ProductionNetwork,
    programmes: pl.DataFrame | Any = None,
    *,
    years: int = 5,
) -> tuple[Option, ...]:
    """Return each programme as an option of kind `train`, for `plan.solve` and `apply`.

    Parameters
    ----------
    network : ProductionNetwork
        With a table of occupations, each with the product of its skill.
    programmes : DataFrame, optional
        In place of the network's table: programme, occupation, duration (periods of the network),
        seats (entrants per year, required here: a plan needs a largest size), completion,
        retention, cost (currency per entrant), trainers_per_seat, trainer, from_occupation, region.
    years : int
        So many years there is an intake: at least the horizon of the plan, or 1 for one intake
        alone. After the last one capacity stays.

    Returns
    -------
    tuple of Option
        One a programme; size 1 is one entrant a year.

    Raises
    ------
    DataError
        With every fault: no seats, no skill, nobody who supplies it.
    UsageError
        If the network has no occupations or no programmes, or years is not possible.

    Notes
    -----
    Against `optimise_intake` at equal prices: entrants here never become fewer from year to year
    (a plan starts options, it does not stop them), `seat_growth` is not used, running cost ends
    with the horizon, and costs before the first are ready are paid at the start.

    Examples
    --------
    >>> from withstand.examples import example
    >>> school = {"programme": ["GRIND"], "occupation": ["SK_GRIND"], "duration": [182],
    ...           "completion": [0.703], "seats": [120], "cost": [20_000]}
    >>> option, = train_options(example("robot_maker"), school)
    >>> option.size, option.ready_periods, option.cost_once
    ('continuous 120.0', 182.0, 70000.0)
    >>> [round(e.amount, 2) for e in option.effects]
    [22.31, 20.97, 19.71, 18.53, 17.42]
    """
    is_whole = isinstance(years, int | np.integer) and not isinstance(years, bool)
    if not is_whole or not 1 <= years <= MOST_YEARS:
        raise UsageError(f"years must be a whole number from 1 to {MOST_YEARS}, not {years!r}.")
    tables = people_tables(network, programmes)
    table = tables.frames.get("programmes")
    if table is None or table.height == 0:
        raise UsageError(
            "There are no programmes: add the table (programme, occupation, duration, seats, "
            "cost ...) to the network, or give programmes=..."
        )
    findings: list[Finding] = []
    skills = _Skills(network, tables, findings)
    options = [_option(tables, skills, row, int(years)) for row in range(table.height)]
    if findings:
        raise DataError(sort_findings(findings))
    return tuple(o for o in options if o is not None)


class _Skills:
    """The nodes that occupations supply; faults are collected."""

    def __init__(
        self, network: ProductionNetwork, tables: PeopleTables, findings: list[Finding]
    ) -> None:
        self.network, self.tables, self.findings = network, tables, findings
        occupations = tables.frames["occupations"]
        self._row = {label: o for o, label in enumerate(occupations["occupation"].to_list())}
        self._product = text_of(occupations, "product")
        usual = HOURS_PER_YEAR / PERIODS_PER_YEAR[network.settings.period]
        self._hours = numbers(occupations, "hours_per_period", usual)
        gone = numbers(occupations, "exit_rate", 0.0) + numbers(occupations, "transfer_rate", 0.0)
        self._stays = 1.0 - np.minimum(gone, 1.0)

    def fault(self, code: str, what: str, row: int, column: str, value: object = None) -> None:
        """Remember a fault in a row of the programmes."""
        origin = self.tables.origins["programmes"]
        self.findings.append(
            make_finding(code, what, origin=origin, index=row, column=column, value=value)
        )

    def find(self, row: int, column: str, label: str, region: str) -> _Skill | None:
        """Return the skill of an occupation, None with a fault if nobody supplies it."""
        o = self._row.get(label)
        if o is None:
            what = f"{column} is not in the table of occupations"
            self.fault("E104", what, row, column, label)
            return None
        product = self._product[o]
        if not product:
            what = f"{label} supplies no product, so its hours count nowhere: fill product there"
            self.fault("E102", what, row, column, label)
            return None
        network = self.network
        at = network.node_product == network.index("products")[product]
        at &= network.node_region == network.index("regions")[region]
        if not at.any():
            what = f"no node in {region} makes {product}, the skill of {label}"
            self.fault("E104", what, row, "region", region)
            return None
        node = str(network.node_labels[np.flatnonzero(at)[0]])
        return _Skill(node, product, float(self._hours[o]), float(self._stays[o]))


def _option(tables: PeopleTables, skills: _Skills, row: int, years: int) -> Option | None:
    table = tables.frames["programmes"]
    text = {c: text_of(table, c)[row] for c in ("programme", "occupation", "from_occupation",
                                                "region", "trainer")}  # fmt: skip
    region = text["region"] or tables.home

    def number(column: str, default: float = math.nan) -> float:
        return float(numbers(table, column, default)[row])

    seats, teaching = number("seats"), number("trainers_per_seat", 0.0)
    if math.isnan(seats):
        skills.fault("E102", "seats is empty, and a plan needs a largest size", row, "seats")
    elif seats <= 0:
        skills.fault("E107", "seats is 0: nobody can enter", row, "seats", seats)
    skill = skills.find(row, "occupation", text["occupation"], region)
    trainer, source = skill, None
    if text["trainer"] and teaching > 0:
        trainer = skills.find(row, "trainer", text["trainer"], region)
    if text["from_occupation"]:
        source = skills.find(row, "from_occupation", text["from_occupation"], region)
    if skill is None or trainer is None or not seats > 0:
        return None
    yields = number("completion", 1.0) * number("retention", 1.0)
    per_year = tables.per_year
    duration, cost = number("duration"), number("cost", 0.0)
    length = duration / per_year
    is_running = years > max(length, 1.0)
    effects = _graduates(skill, yields, years, per_year)
    inside = min(math.ceil(length - 1e-9), years)
    uses: tuple[Use, ...] = ()
    if teaching > 0:
        hours = teaching * trainer.hours
        taught = sum(min(j + 1, years) * min(1.0, length - j) for j in range(inside))
        uses = (Use(product=trainer.product, quantity=hours * taught * per_year,
                    periods=duration),)  # fmt: skip
        if is_running:
            effects.append(_loss(trainer.node, hours * inside))
    if source is not None:
        entered = [min(inside + 1 + k, years) for k in range(years)]
        more = np.diff(np.array([0, *entered]))
        effects += [
            _loss(source.node, source.hours * float(x), k * per_year)
            for k, x in enumerate(more)
            if x
        ]
    return Option(
        label=text["programme"],
        name=f"Training: {text['programme']}",
        kind="train",
        cost_once=cost * (min(length, years) if is_running else years),
        cost_per_period=cost / per_year if is_running else 0.0,
        ready_periods=duration,
        size=f"continuous {seats!r}",
        note=f"size: entrants a year, for {years} years",
        effects=tuple(effects),
        uses=uses,
    )


def _graduates(skill: _Skill, yields: float, years: int, per_year: float) -> list[Effect]:
    """Return what each year adds: its graduates, less those of earlier years who left."""
    return [
        Effect(
            effect="add_capacity",
            node=skill.node,
            amount=yields * skill.hours * skill.stays**k,
            from_period=k * per_year,
        )
        for k in range(years)
    ]


def _loss(node: str, amount: float, from_period: float = 0.0) -> Effect:
    return Effect(effect="add_capacity", node=node, amount=-amount, from_period=from_period)
