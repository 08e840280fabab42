"""A solved plan: what to start when, what it costs, what it saves, and how sure that is."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.option import apply
from withstand.programming.extensive import extensive_form
from withstand.programming.objective import cvar
from withstand.programming.two_stage import Answer

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.model.provenance import Provenance
    from withstand.plan.problem import Problem
    from withstand.programming.decomposition import CutStore
    from withstand.programming.objective import Objective
    from withstand.programming.solution import TwoStageSolution

Array = np.ndarray
TAKEN = 1e-6
"""Size above which an option counts as chosen."""


@dataclass(frozen=True, kw_only=True)
class Risk:
    """How much the tail counts beside the mean.

    Parameters
    ----------
    weight : float, at least 0
        Of the CVaR of the loss, added to cost and expected loss.
    alpha : float, 0 to below 1
        Level of the CVaR: the mean of the worst 1 - alpha.

    Examples
    --------
    Half a unit for every unit of the mean loss in the worst tenth of cases:

    >>> Risk(weight=0.5)
    Risk(weight=0.5, alpha=0.9)
    """

    weight: float = 0.0
    alpha: float = 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class SolvedPlan:
    """What to start when.

    Parameters
    ----------
    problem : Problem
    objective : Objective
    solution : TwoStageSolution
    store : CutStore
        What was learnt about the scenarios: later solves of the same programme begin with it.
    findings : tuple of Finding
    provenance : Provenance
    """

    problem: Problem
    objective: Objective
    solution: TwoStageSolution
    store: CutStore
    gap_wanted: float
    findings: tuple[Finding, ...]
    provenance: Provenance

    # what was found

    @property
    def network(self) -> ProductionNetwork:
        """The network before any option."""
        return self.problem.chain.network

    @property
    def status(self) -> str:
        """How it ended: "optimal" (within the gap), "limit" (best found in time), "infeasible"."""
        return self.solution.status

    @property
    def is_found(self) -> bool:
        """Whether there is a plan at all."""
        return len(self.solution.first) > 0

    @property
    def gap(self) -> float:
        """How far from the best the plan may be, as a share of its value."""
        return self.solution.gap

    @property
    def bound(self) -> float:
        """No plan has a lower value, currency."""
        return self.solution.bound

    @property
    def value(self) -> float:
        """What was minimised: cost, expected loss and weighted CVaR, currency."""
        return self.solution.objective

    @property
    def sizes(self) -> Array:
        """How much of each option starts in each year, shape (n_options, years)."""
        if not self.is_found:
            return np.zeros((self.problem.n_options, self.problem.calendar.years))
        return self.problem.sizes(self.solution.first)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Labels of the options chosen, in the order of the table."""
        taken = self.sizes.sum(axis=1) > TAKEN
        return tuple(o.label for o, t in zip(self.problem.chain.options, taken, strict=True) if t)

    @property
    def cost(self) -> float:
        """Discounted cost of what is started, currency."""
        if not self.is_found:
            return 0.0
        return float(self.problem.two_stage.first.cost @ self.solution.first)

    @property
    def answers(self) -> list[Answer]:
        """The second stage of each scenario, in its solver."""
        if not self.store.answers:
            scenarios = self.problem.two_stage.scenarios
            self.store.answers = [Answer(s, k) for k, s in enumerate(scenarios)]
        return self.store.answers

    @cached_property
    def losses_before(self) -> Array:
        """Loss of each scenario without new options, currency, shape (n_strikes,)."""
        idle = self.problem.decisions.under_way(self.problem.two_stage.first)
        for first, answers in self.store.points:
            if np.array_equal(first, idle):
                return answers
        losses = np.array([a.solve(idle)[0] for a in self.answers])
        self.store.points.append((idle, losses))
        return losses

    @property
    def losses(self) -> Array:
        """Loss of each scenario under the plan, currency, shape (n_strikes,)."""
        return self.solution.answers

    @property
    def expected_loss(self) -> float:
        """Mean loss under the plan, currency."""
        return float(self.problem.two_stage.probabilities @ self.losses)

    @property
    def expected_loss_before(self) -> float:
        """Mean loss without it, currency."""
        return float(self.problem.two_stage.probabilities @ self.losses_before)

    def cvar(self, alpha: float | None = None) -> float:
        """Mean of the worst 1 - alpha of losses under the plan, currency."""
        level = self.objective.alpha if alpha is None else alpha
        return cvar(self.losses, self.problem.two_stage.probabilities, level)

    # tables

    def calendar(self) -> pl.DataFrame:
        """Return one row a start: option, name, kind, year, ready, size, cost (currency)."""
        options, sizes = self.problem.chain.options, self.sizes
        per_year = self.problem.calendar.per_year
        rows = []
        for m, year in zip(*np.nonzero(sizes > TAKEN), strict=True):
            option = options[m]
            rows.append(
                {
                    "option": option.label,
                    "name": option.name,
                    "kind": option.kind,
                    "start_year": int(year) + 1,
                    "ready_after_years": float(year + option.ready_periods / per_year),
                    "size": float(sizes[m, year]),
                    "cost_once": option.cost_once * float(sizes[m, year]),
                    "cost_per_year": option.cost_per_period * per_year * float(sizes[m, year]),
                }
            )
        schema = {
            "option": pl.String,
            "name": pl.String,
            "kind": pl.String,
            "start_year": pl.Int64,
            "ready_after_years": pl.Float64,
            "size": pl.Float64,
            "cost_once": pl.Float64,
            "cost_per_year": pl.Float64,
        }
        return pl.DataFrame(rows, schema=schema).sort(["start_year", "option"])

    def spend(self) -> pl.DataFrame:
        """Return one row a year: money that comes, what is spent, what is left (currency)."""
        calendar = self.problem.calendar
        z = self.solution.first if self.is_found else np.zeros(self.problem.two_stage.first.size)
        spent = self.problem.decisions.spend(z)
        money = self.problem.money
        nothing = [None] * calendar.years
        return pl.DataFrame(
            {
                "year": np.arange(calendar.years) + 1,
                "money": nothing if money is None else money,
                "spent": spent,
                "left": nothing if money is None else np.cumsum(money) - np.cumsum(spent),
            },
            schema={"year": pl.Int64, "money": pl.Float64, "spent": pl.Float64, "left": pl.Float64},
        )

    def outcomes(self) -> pl.DataFrame:
        """Return one row a scenario and onset: probability, loss before and after (currency)."""
        strikes = self.problem.strikes
        return pl.DataFrame(
            {
                "scenario": [s.scenario.name for s in strikes],
                "strikes_after_years": [s.onset for s in strikes],
                "strike": [s.name for s in strikes],
                "probability": self.problem.two_stage.probabilities,
                "loss_before": self.losses_before,
                "loss_after": self.losses,
            }
        )

    def to_frame(self) -> pl.DataFrame:
        """Return the calendar."""
        return self.calendar()

    def to_pandas(self) -> pd.DataFrame:
        """Return the calendar as a pandas frame."""
        return self.calendar().to_pandas()

    def worth_of_money(self) -> pl.DataFrame:
        """Return what the next unit of money in each year would save, at the margin.

        From the continuous relaxation, where options can be taken in part: `worth` is the fall of
        the value (cost, loss and risk together) per unit of currency more in that year alone. For
        lumpy options compare whole budgets: `frontier`.
        """
        duals = self.solution.duals
        years, worth = [], []
        later = 0.0
        for k, limit in reversed(list(enumerate(self.problem.limits))):
            if limit.kind == "money":
                later += max(-float(duals[k]), 0.0)
                years.append(limit.year + 1)
                worth.append(later)
        schema = {"year": pl.Int64, "worth": pl.Float64}
        return pl.DataFrame({"year": years, "worth": worth}, schema=schema).sort("year")

    def blocking(self) -> pl.DataFrame:
        """Return the limits that cost something at the margin: limit, in words, worth of one more.

        From the continuous relaxation; units of the limit (currency for budgets, one start for
        orders among options, units of a product for what building draws).
        """
        first, duals = self.problem.two_stage.first, self.solution.duals
        rows = [
            {"limit": first.rows[k], "meaning": limit.words, "worth": -float(duals[k])}
            for k, limit in enumerate(self.problem.limits)
            if duals[k] < -1e-9 and np.isfinite(first.row_upper[k])
        ]
        schema = {"limit": pl.String, "meaning": pl.String, "worth": pl.Float64}
        return pl.DataFrame(rows, schema=schema).sort("worth", descending=True)

    def contributions(self) -> pl.DataFrame:
        """Return which option earns where: loss that would come back without it (currency).

        One row for each option chosen and strike in which it matters: the plan is kept, the one
        option (and what requires it) is left out, and the scenario answered again.
        """
        problem = self.problem
        place = {o.label: m for m, o in enumerate(problem.chain.options)}
        rows = []
        for label in self.chosen:
            z = self._without(place[label])
            for k, answer in enumerate(self.answers):
                more = answer.solve(z)[0] - self.losses[k]
                if more > 1e-6 * max(1.0, abs(self.losses_before[k])):
                    rows.append(
                        {
                            "option": label,
                            "strike": problem.strikes[k].name,
                            "probability": problem.strikes[k].probability,
                            "saved": more,
                        }
                    )
        schema = {
            "option": pl.String,
            "strike": pl.String,
            "probability": pl.Float64,
            "saved": pl.Float64,
        }
        return pl.DataFrame(rows, schema=schema)

    def _without(self, m: int) -> Array:
        """Return the first stage without an option and what requires it."""
        chain = self.problem.chain
        gone = {m, *(k for k in range(len(chain.options)) if m in chain.closure(k))}
        return self.problem.decisions.without(self.solution.first, gone)

    # what can be done with it

    def at(self, year: float) -> list[Option]:
        """Return the options as they are in place `year` years from now, grown to then.

        An option waits for all that it requires. One that is built in parts counts as one, of the
        size that is in place.
        """
        calendar, chain = self.problem.calendar, self.problem.chain
        parts: dict[int, list[tuple[float, float]]] = {}
        for start in self.problem.decisions.starts:
            size = self.solution.first[start.column] if self.is_found else 0.0
            if size > TAKEN:
                age = (year - start.year) * calendar.per_year
                parts.setdefault(start.option, []).append((age, float(size)))
        done = {
            m: any(age + 1e-9 >= chain.options[m].ready_periods for age, _ in own)
            for m, own in parts.items()
        }
        found = []
        for m, own in parts.items():
            if all(done.get(r, False) for r in chain.closure(m)):
                found += [x for x in [_aged(chain.options[m], own)] if x is not None]
        return found

    def apply(self, year: float | None = None) -> ProductionNetwork:
        """Return the network under the plan, `year` years from now (default: all in place)."""
        options = self.problem.chain.options
        if year is not None:
            return apply(self.network, self.at(year))
        sizes = self.sizes.sum(axis=1)
        started = {s.option for s in self.problem.decisions.starts if s.year < 0}
        return apply(
            self.network,
            [
                x
                for m, o in enumerate(options)
                if sizes[m] > TAKEN or m in started
                for x in [_aged(o, [(np.inf, self._size_of(m, float(sizes[m])))])]
                if x is not None
            ],
        )

    def _size_of(self, m: int, size: float) -> float:
        return size if size > TAKEN else (self.problem.decisions.limits[m] or 1.0)

    def to_mps(self, path: str | os.PathLike[str]) -> None:
        """Write the whole programme (extensive form, named rows and columns) to an MPS file.

        Raises
        ------
        UsageError
            If the ending is not .mps or .lp.
        """
        target = Path(path)
        if target.suffix not in (".mps", ".lp"):
            raise UsageError(f"{target.name}: the ending must be .mps or .lp.")
        programme, _ = extensive_form(self.problem.two_stage, self.objective, is_named=True)
        programme.write(str(target))

    def summary(self) -> str:
        """Return one sentence or two."""
        currency = self.network.settings.currency or "currency"
        if not self.is_found:
            return f"No plan was found: {self.status}."
        names = ", ".join(self.chosen) or "nothing"
        return (
            f"Start {names} for {self.cost:,.0f} {currency}: the expected loss falls from "
            f"{self.expected_loss_before:,.0f} to {self.expected_loss:,.0f} "
            f"(the plan is within {100 * self.gap:.2g}% of the best)."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Plan: {self.summary()}>"


def _aged(option: Option, parts: list[tuple[float, float]]) -> Option | None:
    """Return an option with the effects in place, grown and sized; parts are (age, size)."""
    effects = []
    for e in option.effects:
        ready = option.ready_periods + e.from_period
        there = [(age, size) for age, size in parts if age + 1e-9 >= ready]
        if not there:
            continue
        if e.mode == "add":
            amount = sum(
                size * (e.amount + (e.per_period * (age - ready) if np.isfinite(age) else 0.0))
                for age, size in there
            )
        else:
            age = max(age for age, _ in there)
            amount = e.amount + (e.per_period * (age - ready) if np.isfinite(age) else 0.0)
            if e.mode == "scale":
                amount = 1.0 + (amount - 1.0) * sum(size for _, size in there)
        effects.append(replace(e, amount=amount, per_period=0.0, from_period=0.0))
    return replace(option, effects=tuple(effects), requires=(), excludes=()) if effects else None
