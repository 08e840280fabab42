"""Does the plan help? Play every scenario on the full network, before and after."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import ScenarioError, UsageError
from withstand.model.hits import resolve
from withstand.model.option import apply
from withstand.model.scenario import LINK_TARGETS
from withstand.model.units import periods_of
from withstand.programming.objective import cvar
from withstand.stress.arrays import finished_goods, lead_times
from withstand.stress.rules import Rules
from withstand.stress.simulation import simulate

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.model.scenario import Scenario
    from withstand.plan.solved import SolvedPlan
    from withstand.programming.objective import Progress

Array = np.ndarray
CLOSE = 1e-6
_Key = tuple[tuple[str, str, float], ...]


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

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Verification: {self.summary()}>"


class Played:
    """Plays scenarios on one network under portfolios; what was played once is remembered."""

    def __init__(self, network: ProductionNetwork, window: int, rules: Rules | None = None) -> None:
        self.network, self.window = network, window
        self.rules = Rules(reroute=True) if rules is None else rules
        self._networks: dict[_Key, ProductionNetwork] = {}
        self._losses: dict[tuple[int, _Key], float] = {}

    def loss(self, scenario: Scenario, options: Sequence[Option] = ()) -> float:
        """Return the loss of a scenario, currency, with some options carried out."""
        if not scenario.shocks:
            return 0.0
        key = tuple((o.label, e.effect, e.amount) for o in options for e in o.effects)
        if key not in self._networks:
            self._networks[key] = apply(self.network, options) if options else self.network
        if (id(scenario), key) not in self._losses:
            here = self._networks[key]
            shifted = _that_hit(_from_now(scenario, self.network.settings.period), here)
            if not shifted.shocks:
                return 0.0
            run = simulate(here, shifted, periods=self.window, rules=self.rules)
            self._losses[id(scenario), key] = run.loss
        return self._losses[id(scenario), key]


def verify(
    plan: SolvedPlan,
    network: ProductionNetwork | None = None,
    *,
    rules: Rules | None = None,
    played: Played | None = None,
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
    played : Played, optional
        What other verifications of the same network have played; instead of network and rules.
    progress : callable, optional

    Returns
    -------
    Verification
        The programme loses no more than the simulation wherever `is_comparable`.

    Raises
    ------
    UsageError
        If there is no plan.

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(ws.examples.tiny(), [more], [lost], horizon=1)
    >>> print(ws.plan.verify(plan).summary())
    Simulated on the full network, the expected loss goes from 18,200 to 0; the programme said
    16,800 and 0.
    """
    if not plan.is_found:
        raise UsageError(f"There is no plan to verify: {plan.status}.")
    problem = plan.problem
    if played is None:
        played = Played(plan.network if network is None else network, problem.window, rules)
    before, under_way = plan.losses_before, _under_way(plan)
    rows = []
    for k, strike in enumerate(problem.strikes):
        if progress:
            progress("simulating the plan", k, len(problem.strikes))
        options = [o for o in plan.at(strike.onset) if _works(plan, o.label, strike.works)]
        started = [o for o in options if o.label in under_way]
        factor = problem.calendar.factor(strike.onset)
        reason = why_not_comparable(plan, played, strike.scenario, options)
        rows.append(
            {
                "strike": strike.name,
                "probability": strike.probability,
                "programme_before": float(before[k]) / factor,
                "programme_after": float(plan.losses[k]) / factor,
                "simulated_before": played.loss(strike.scenario, started),
                "simulated_after": played.loss(strike.scenario, options),
                "is_comparable": not reason,
                "reason": reason,
            }
        )
    return Verification(rows=pl.DataFrame(rows), alpha=plan.objective.alpha)


def _under_way(plan: SolvedPlan) -> set[str]:
    decisions, options = plan.problem.decisions, plan.problem.chain.options
    return {options[s.option].label for s in decisions.starts if s.year < 0}


def _from_now(scenario: Scenario, period: str) -> Scenario:
    """Let the first shock start at once, so that the simulation plays the programme's window."""
    starts = [periods_of(s.start, period) for s in scenario.shocks]
    first = math.floor(min(starts) + 1e-9)
    shocks = zip(scenario.shocks, starts, strict=True)
    return replace(scenario, shocks=tuple(replace(s, start=at - first) for s, at in shocks))


def _that_hit(scenario: Scenario, network: ProductionNetwork) -> Scenario:
    """Leave out shocks that hit nothing here: what they are meant for is not built."""
    found = []
    for shock in scenario.shocks:
        with contextlib.suppress(ScenarioError):
            resolve(replace(scenario, shocks=(shock,)), network, 1)
            found.append(shock)
    return replace(scenario, shocks=tuple(found))


def _works(plan: SolvedPlan, label: str, works: tuple[bool, ...]) -> bool:
    chain = plan.problem.chain
    m = next(k for k, o in enumerate(chain.options) if o.label == label)
    return works[m] and all(works[r] for r in chain.closure(m))


def why_not_comparable(
    plan: SolvedPlan, played: Played, scenario: Scenario, options: Sequence[Option]
) -> str:
    """Say why programme and simulation cannot be compared; nothing if they can.

    They can where both see the same network, shocks, window, stocks and goods under way, and the
    programme may do all that the simulation does.
    """
    network, rules = plan.network, played.rules
    several = lead_times(network)
    shortest = np.full(network.n_nodes, np.inf)
    np.minimum.at(shortest, network.link_supplier, several.astype(np.float64))
    is_mixed = bool((several > shortest[network.link_supplier]).any())
    changing = {"change_recipe", "shift_share", "change_lead_time"}
    reasons = (
        (played.network is not network, "another network is played"),
        (played.window != plan.problem.window, "another window is played"),
        (
            plan.problem.skeleton.step != 1,
            f"the programme takes {plan.problem.skeleton.step} periods together",
        ),
        (
            any(LINK_TARGETS & set(s.targets) for s in scenario.shocks),
            "the programme pools links",
        ),
        (
            bool((~network.is_allowed[network.node_region] & (network.output > 0)).any()),
            "the programme keeps regions out that the law does not allow",
        ),
        (bool(finished_goods(network).any()), "the simulation has stocks of finished goods"),
        (rules.alpha_max > 1.0 or rules.inputs == "linear", "the simulation may do more"),
        (is_mixed, "a supplier has several lead times, the programme takes the shortest"),
        (
            len(options) > 1 and any(e.effect in changing for o in options for e in o.effects),
            "options that change flows are added up in the programme",
        ),
        (
            any(e.effect == "change_lead_time" for o in options for e in o.effects),
            "goods under way change with lead times",
        ),
    )
    return next((text for holds, text in reasons if holds), "")
