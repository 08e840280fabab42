"""What a plan is to reach: little cost and little loss, or one of them given the other.

Risk is taken on R_s, the whole cost of a scenario's answer:

    eta + sum_s p_s v_s / (1 - alpha),   v_s >= R_s - eta,  v_s >= 0      (CVaR at level alpha)

added to the mean, never mixed convexly with it: a mixture lets a programme shed demand in mild
scenarios (Rockafellar and Uryasev 2000 for the formula).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from withstand.errors import UsageError

Array = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """min cost_weight c'z + mean_weight mean R + risk_weight CVaR R, under limits on R.

    Parameters
    ----------
    cost_weight, mean_weight, risk_weight : float, at least 0
    alpha : float, 0 to below 1
        Level of the CVaR.
    mean_limit, risk_limit : float
        Most that the mean, or the CVaR, of R may be.
    best : tuple of float
        Least c'z + R_s of every scenario alone: then the largest regret is minimised instead.

    Examples
    --------
    >>> Objective(risk_weight=0.5, alpha=0.9).mean_limit
    inf
    """

    cost_weight: float = 1.0
    mean_weight: float = 1.0
    risk_weight: float = 0.0
    alpha: float = 0.95
    mean_limit: float = np.inf
    risk_limit: float = np.inf
    best: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse weights and levels that cannot be."""
        if not 0.0 <= self.alpha < 1.0:
            raise UsageError(f"alpha must be at least 0 and below 1, not {self.alpha}.")
        for name in ("cost_weight", "mean_weight", "risk_weight"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise UsageError(f"{name} must be at least 0, not {getattr(self, name)}.")

    @property
    def needs_tail(self) -> bool:
        """Whether the CVaR enters."""
        return self.risk_weight > 0 or self.risk_limit < np.inf

    @property
    def is_plain(self) -> bool:
        """Whether only costs and means enter: then a scenario's cost needs no variable."""
        return not self.best and not self.needs_tail and self.mean_limit == np.inf

    def value(self, first_cost: float, answers: Array, probabilities: Array) -> float:
        """Return the objective of a first stage whose answers cost R, shape (n_scenarios,)."""
        if self.best:
            return float((first_cost + answers - np.array(self.best)).max())
        value = self.cost_weight * first_cost
        if self.mean_weight:
            value += self.mean_weight * float(probabilities @ answers)
        if self.risk_weight:
            value += self.risk_weight * cvar(answers, probabilities, self.alpha)
        return value

    def is_met(self, answers: Array, probabilities: Array, slack: float) -> bool:
        """Tell whether the limits on mean and CVaR hold."""
        mean_holds = float(probabilities @ answers) <= self.mean_limit + slack
        if self.risk_limit == np.inf:
            return mean_holds
        return mean_holds and cvar(answers, probabilities, self.alpha) <= self.risk_limit + slack


def cvar(values: Array, probabilities: Array, alpha: float) -> float:
    """Return the mean of the worst 1 - alpha, splitting the atom at the quantile.

    Examples
    --------
    >>> cvar(np.array([1.0, 2.0, 6.0]), np.full(3, 1 / 3), 0.5)
    4.666666666666667
    """
    order = np.argsort(-values, kind="stable")
    tail, left = 0.0, 1.0 - alpha
    for at in order:
        taken = min(left, probabilities[at])
        tail += taken * values[at]
        left -= taken
        if left <= 0:
            break
    return float(tail / (1.0 - alpha))


Progress = Callable[[str, int, int], None]
