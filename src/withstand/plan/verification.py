"""Does the plan help? Play every scenario on the full network, before and after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.option import apply
from withstand.programming.objective import cvar
from withstand.stress.rules import Rules
from withstand.stress.simulation import simulate

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario
    from withstand.plan.solved import SolvedPlan
    from withstand.programming.objective import Progress

Array = np.ndarray
CLOSE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Verification:
    """Losses of a plan's scenarios as the programme sees them and as the simulation plays them.

    Parameters
    ----------
    rows : polars.DataFrame
        strike, probability, programme_before, programme_after, simulated_before,
        simulated_after (currency, undiscounted), is_comparable, reason.
    alpha : float
        Level of the CVaR.
    """

    rows: pl.DataFrame
    alpha: float

    def to_frame(self) -> pl.DataFrame:
        """Return one row a strike."""
        return self.rows

    def expected(self, column: str) -> float:
        """Return the mean of a column of losses, currency."""
        return float((self.rows["probability"] * self.rows[column]).sum())

    def tail(self, column: str) -> float:
        """Return the CVaR of a column of losses, currency."""
        p = self.rows["probability"].to_numpy()
        return cvar(self.rows[column].to_numpy(), p / p.sum(), self.alpha)

    @property
    def breaks(self) -> pl.DataFrame:
        """Strikes where the programme loses more than the simulation though it should not."""
        slack = CLOSE * pl.max_horizontal("simulated_after", pl.lit(1.0))
        return self.rows.filter(
            pl.col("is_comparable")
            & (pl.col("programme_after") > pl.col("simulated_after") + slack)
        )

    def summary(self) -> str:
        """Return one sentence."""
        before, after = self.expected("simulated_before"), self.expected("simulated_after")
        return (
            f"Simulated on the full network, the expected loss goes from {before:,.0f} to "
            f"{after:,.0f}; the programme said {self.expected('programme_before'):,.0f} and "
            f"{self.expected('programme_after'):,.0f}."
        )


def verify(
    plan: SolvedPlan,
    network: ProductionNetwork | None = None,
    *,
    rules: Rules | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Play every scenario of a plan on the full network, with and without it.

    The plan's options are carried out as far as they are in place when the scenario strikes;
    what would come later, in the middle of a scenario, is left out. Each network is played over
    the programme's own window, under the same shocks with and without the plan.

    Parameters
    ----------
    plan : SolvedPlan
    network : ProductionNetwork, optional
        The network to play on; default: the one that was planned on.
    rules : Rules, optional
        Default: orders move from failed suppliers to others with spare capacity at once, for a
        new supplier without standing share would else never be asked.
    progress : callable, optional
    """
    used = Rules(reroute=True) if rules is None else rules
    problem = plan.problem
    full = problem.chain.network if network is None else network
    window = problem.skeleton.n_steps * problem.skeleton.step
    before = plan.losses_before
    losses_before: dict[str, float] = {}
    networks: dict[tuple[tuple[str, float], ...], ProductionNetwork] = {}
    losses_after: dict[tuple[str, tuple[tuple[str, float], ...]], float] = {}
    rows = []
    for k, strike in enumerate(problem.strikes):
        if progress:
            progress("simulating the plan", k, len(problem.strikes))
        name = strike.scenario.name
        scenario = _from_now(strike.scenario)
        if name not in losses_before:
            losses_before[name] = _loss(full, scenario, window, used)
        options = [o for o in plan.at(strike.onset) if _worked(plan, o.label, strike.works)]
        key = tuple((o.label, e.amount) for o in options for e in o.effects)
        if key not in networks:
            networks[key] = apply(full, options)
        if (name, key) not in losses_after:
            losses_after[name, key] = _loss(networks[key], scenario, window, used)
        factor = problem.calendar.factor(strike.onset)
        reason = _reason(plan, strike.scenario) if full is plan.network else "another network"
        rows.append(
            {
                "strike": strike.name,
                "probability": strike.probability,
                "programme_before": float(before[k]) / factor,
                "programme_after": float(plan.losses[k]) / factor,
                "simulated_before": losses_before[name],
                "simulated_after": losses_after[name, key],
                "is_comparable": not reason,
                "reason": reason,
            }
        )
    return Verification(rows=pl.DataFrame(rows), alpha=plan.objective.alpha)


def _loss(network: ProductionNetwork, scenario: Scenario, window: int, rules: Rules) -> float:
    if not scenario.shocks:
        return 0.0
    return simulate(network, scenario, periods=window, rules=rules).loss


def _from_now(scenario: Scenario) -> Scenario:
    """Let the first shock start at once, so that the simulation plays the programme's window."""
    starts = {str(s.start) for s in scenario.shocks}
    if len(starts) == 1:
        return replace(scenario, shocks=tuple(replace(s, start=0.0) for s in scenario.shocks))
    return scenario


def _worked(plan: SolvedPlan, label: str, works: tuple[bool, ...]) -> bool:
    chain = plan.problem.chain
    m = next(k for k, o in enumerate(chain.options) if o.label == label)
    return works[m] and all(works[r] for r in chain.closure(m))


def _reason(plan: SolvedPlan, scenario: Scenario) -> str:
    """Say why programme and simulation cannot be compared, if they cannot."""
    if plan.problem.skeleton.step != 1:
        return f"the programme takes {plan.problem.skeleton.step} periods together"
    if any({"link", "route"} & set(s.targets) for s in scenario.shocks):
        return "the programme pools links"
    return ""
