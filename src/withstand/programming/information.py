"""What it is worth to think in scenarios, and what it would be worth to know the future."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.errors import UsageError
from withstand.programming.objective import Objective
from withstand.programming.solving import solve_two_stage
from withstand.programming.two_stage import Answer, Recourse

if TYPE_CHECKING:
    from withstand.programming.two_stage import TwoStage

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Values:
    """Expected values of a two-stage programme, in the unit of its cost.

    Parameters
    ----------
    here_and_now : float
        Of the best first stage for all scenarios together (RP).
    wait_and_see : float
        Mean of the best for each scenario alone (WS): as if it were known beforehand.
    of_mean_plan : float
        Of the first stage that is best for the mean scenario (EEV); inf where it cannot answer
        some scenario.
    """

    here_and_now: float
    wait_and_see: float
    of_mean_plan: float

    @property
    def of_perfect_information(self) -> float:
        """Most that a perfect forecast would be worth (EVPI)."""
        return self.here_and_now - self.wait_and_see

    @property
    def of_stochastic_solution(self) -> float:
        """What is lost by planning for the mean scenario alone (VSS)."""
        return self.of_mean_plan - self.here_and_now

    def summary(self) -> str:
        """Return one sentence."""
        return (
            f"Planning for all scenarios rather than for their mean saves "
            f"{self.of_stochastic_solution:,.2f}; knowing the future would save "
            f"{self.of_perfect_information:,.2f} more."
        )


def values_of(problem: TwoStage, *, gap: float = 1e-6, jobs: int = 1) -> Values:
    """Return the value of the stochastic solution and of perfect information.

    Risk-neutral: costs and mean losses only (Birge and Louveaux 2011, chapter 4).

    Raises
    ------
    UsageError
        If there is no first stage at all.

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(ws.examples.tiny(), [more], [lost], horizon=1)
    >>> found = ws.plan.values_of(plan.problem.two_stage)
    >>> found.here_and_now, found.wait_and_see  # one scenario: there is nothing to foresee
    (1000.0, 1000.0)
    """
    together = solve_two_stage(problem, gap=gap, jobs=jobs)
    if len(together.first) == 0:
        raise UsageError(f"The programme has no solution: {together.status}.")
    known = [
        solve_two_stage(_alone(problem, s), gap=gap, jobs=jobs).objective for s in problem.scenarios
    ]
    mean = solve_two_stage(_alone(problem, mean_scenario(problem)), gap=gap, jobs=jobs)
    answers = np.array([Answer(s, k).solve(mean.first)[0] for k, s in enumerate(problem.scenarios)])
    cost = float(problem.first.cost @ mean.first)
    value = Objective().value(cost, answers, problem.probabilities) + problem.constant
    return Values(
        here_and_now=together.objective,
        wait_and_see=float(problem.probabilities @ np.array(known)),
        of_mean_plan=value,
    )


def _alone(problem: TwoStage, scenario: Recourse) -> TwoStage:
    return replace(problem, scenarios=(replace(scenario, probability=1.0),))


def mean_scenario(problem: TwoStage) -> Recourse:
    """Return the scenario of mean costs, limits and effects."""
    p, scenarios = problem.probabilities, problem.scenarios

    def mean(name: str) -> Array:
        values = np.array([getattr(s, name) for s in scenarios])
        infinite = np.isinf(values).any(axis=0)
        finite = np.where(np.isinf(values), 0.0, values)
        return np.where(infinite, values[0], p @ finite)

    def mixed(name: str) -> sparse.csr_array:
        total = p[0] * getattr(scenarios[0], name)
        for weight, s in zip(p[1:], scenarios[1:], strict=True):
            total = total + weight * getattr(s, name)
        return sparse.csr_array(total)

    return replace(
        scenarios[0],
        name="mean",
        probability=1.0,
        cost=mean("cost"),
        lower=mean("lower"),
        upper=mean("upper"),
        matrix=mixed("matrix"),
        row_lower=mean("row_lower"),
        row_upper=mean("row_upper"),
        on_rows=mixed("on_rows"),
        on_upper=mixed("on_upper"),
    )
