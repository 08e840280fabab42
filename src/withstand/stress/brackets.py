"""What a scenario costs between the best answer and habit: the value of coordination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.stress.arrays import finished_goods
from withstand.stress.best_response import REST, weights

if TYPE_CHECKING:
    from withstand.stress.best_response import Response
    from withstand.stress.simulation import Simulation


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """What a scenario costs, between the best answer and habit.

    Parameters
    ----------
    best, simulated : float, periods of final demand
        Loss of `respond` and of `simulate`.
    best_money, simulated_money : float, currency
    is_comparable : bool
    reason : str
        Why the two cannot be compared; empty if they can.
    """

    best: float
    simulated: float
    best_money: float
    simulated_money: float
    is_comparable: bool
    reason: str

    @property
    def value_of_coordination(self) -> float:
        """What the best answer would save, in periods of final demand; NaN if not comparable."""
        return self.simulated - self.best if self.is_comparable else float("nan")

    def summary(self) -> str:
        """Return one sentence."""
        if not self.is_comparable:
            return f"The best answer and the simulation are not comparable: {self.reason}."
        return (
            f"The loss lies between {self.best:.2f} (best answer) and {self.simulated:.2f} "
            f"(simulated) periods of demand; coordination is worth "
            f"{self.value_of_coordination:.2f}."
        )


def bracket(best: Response, run: Simulation) -> Bracket:
    """Set the best answer beside the simulation of the same scenario.

    The best answer never loses more where both saw the same network, scenario, window and loss;
    elsewhere the two are not comparable, and the reason is given.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> from withstand.model.scenario import Scenario
    >>> from withstand.stress.best_response import respond
    >>> from withstand.stress.simulation import simulate
    >>> hit = Scenario.lose(node="STEEL@JP", duration="12w")
    >>> both = bracket(respond(tiny(), hit), simulate(tiny(), hit))
    >>> both.is_comparable, both.best <= both.simulated
    (True, True)
    """
    reason = _why_not(best, run)
    return Bracket(
        best=best.loss_in_periods,
        simulated=run.loss_in_periods,
        best_money=best.loss,
        simulated_money=run.loss,
        is_comparable=not reason,
        reason=reason,
    )


def _why_not(best: Response, run: Simulation) -> str:
    if best.network.fingerprint() != run.network.fingerprint():
        return "they ran on different networks"
    if best.scenario.shocks != run.scenario.shocks:
        return "they saw different shocks"
    if best.n_periods != run.n_periods:
        return f"one looked at {best.n_periods} periods, the other at {run.n_periods}"
    if not np.array_equal(best.weight, weights(best.network, "value")):
        return "the best answer minimised another loss than unmet value"
    rules = run.rules
    if rules.inputs == "linear":
        return "inputs replace one another in the simulation, and not in the best answer"
    if finished_goods(run.network).any():
        return "the simulation hands out stocks of finished goods, the best answer has none"
    allowed = float(best.provenance.parameters["alpha_max"])
    if rules.alpha_max > allowed * (1 + REST):
        return (
            f"the simulation may exceed capacity by a factor {rules.alpha_max:g}, "
            f"the answer by {allowed:g}"
        )
    return ""
