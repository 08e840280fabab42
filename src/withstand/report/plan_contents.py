"""What the report of a plan shows: a solved plan and the answers to the next questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from withstand.report.chokepoints import region_name
from withstand.report.words import clean, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario
    from withstand.plan import Frontier, Plan, Verification
    from withstand.plan.solved import SolvedPlan


SCALES = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"))


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanContents:
    """Everything the report of one plan is drawn from.

    Parameters
    ----------
    plan : Plan
        One that was found.
    losses : polars.DataFrame
        One row a scenario, mean over its onsets and outcomes: scenario, name (for people),
        probability, programme_before, programme_after, simulated_before, simulated_after
        (currency, undiscounted; simulated ones null where nothing was simulated), the largest
        loss before first.
    strikes : polars.DataFrame
        One row a scenario, onset and outcome: strike, scenario, name, strikes_after_years,
        probability and the same four losses.
    earns : polars.DataFrame
        One row an option and scenario: option, scenario, name, saved (currency, mean of its
        strikes), expected (its part of the expected loss).
    output : polars.DataFrame
        One row a region lost: region, name, before, after (share of final demand that can be met
        by capacities, 0 to 1), binding_before, binding_after.
    verification : Verification, optional
    frontier : Frontier, optional
    alternatives : tuple of SolvedPlan
    beyond : polars.DataFrame
        One row a scenario: name, before, after, left (what is lost whatever is spent, currency),
        binding (products whose supply would help most then).
    too_late : tuple of str
        Options that are in place only after the last scenario is over.
    own_budget : float
        Money at which the plan stands on the frontier, currency.
    made_at : str
        Date and time.
    left_out : tuple of str
        What was asked for and could not be computed, in sentences.
    """

    plan: Plan
    losses: pl.DataFrame
    strikes: pl.DataFrame
    earns: pl.DataFrame
    output: pl.DataFrame
    verification: Verification | None
    frontier: Frontier | None
    alternatives: tuple[SolvedPlan, ...]
    beyond: pl.DataFrame
    too_late: tuple[str, ...]
    own_budget: float
    made_at: str
    left_out: tuple[str, ...] = ()

    @property
    def network(self) -> ProductionNetwork:
        """The network before any option."""
        return self.plan.network

    @property
    def currency(self) -> str:
        """Currency of the network, for the head of a column."""
        return self.network.settings.currency or "currency"

    @property
    def scale(self) -> float:
        """What amounts are divided by for people: 1, 1 000, a million or a thousand million."""
        columns = ("programme_before", "simulated_before")
        amounts = [self.plan.cost, *(v for c in columns for v in self.losses[c] if v is not None)]
        return next((s for s, _ in SCALES if max(amounts) >= s), 1.0)

    @property
    def unit(self) -> str:
        """Unit of amounts that were divided by `scale`: `million USD`."""
        return f"{dict(SCALES).get(self.scale, '')} {self.currency}".strip()

    @property
    def years(self) -> int:
        """Years of the horizon."""
        return self.plan.problem.calendar.years

    @property
    def budget(self) -> float | None:
        """Money in all, None where it is not limited."""
        money = self.plan.problem.decisions.money
        return None if money is None else float(money.sum())

    def lost(self, name: str) -> str:
        """Return a scenario as a sentence names it: `the loss of Japan`, or its name in quotes."""
        is_region = name not in set(self.losses["scenario"])
        return f"the loss of {clean(name)}" if is_region else f"“{clean(name)}”"

    def lost_all(self, names: Sequence[str], most: int = 5) -> str:
        """Return scenarios as a sentence lists them: `the loss of Japan and China`."""
        if any(n in set(self.losses["scenario"]) for n in names):
            return listing([self.lost(n) for n in names], most)
        return f"the loss of {listing(names, most)}"

    def option_name(self, label: str) -> str:
        """Return the name for people of an option."""
        return next(o.name for o in self.plan.problem.chain.options if o.label == label)


def scenario_names(network: ProductionNetwork, scenarios: list[Scenario]) -> list[str]:
    """Return short names: the region where each scenario hits one, and no two hit the same.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> from withstand.model.scenario import Scenario
    >>> lost = Scenario.lose(region="JP", duration="12w")
    >>> scenario_names(tiny(), [lost]), scenario_names(tiny(), [lost, lost])[0]
    (['Japan'], 'region JP loses 100% for 12w')
    """
    regions = []
    for scenario in scenarios:
        shocks = scenario.shocks
        is_plain = len(shocks) == 1 and set(shocks[0].targets) == {"region"}
        regions.append(clean(region_name(network, shocks[0].region)) if is_plain else "")
    if all(regions) and len(set(regions)) == len(regions):
        return regions
    return [clean(s.name) for s in scenarios]
