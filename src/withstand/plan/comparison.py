"""Before and after: what can still be made without each region, and what its loss costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.measures.coverages import coverage
from withstand.model.scenario import Scenario
from withstand.stress.rules import Rules
from withstand.stress.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.network import ProductionNetwork
    from withstand.plan.solved import SolvedPlan
    from withstand.programming.objective import Progress


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Feasible output and simulated loss without each region, before and after a plan.

    Parameters
    ----------
    rows : polars.DataFrame
        region; feasible_before, feasible_after (share of final demand, 0 to 1, with every supplier
        left at capacity); binds_before, binds_after (products); loss_before, loss_after (simulated,
        currency); periods_lost_before, periods_lost_after (periods of final demand).
    n_periods : int
        That were simulated.
    """

    rows: pl.DataFrame
    n_periods: int

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Comparison: {self.rows.height} regions, {len(self.not_mended)} not mended>"

    def to_frame(self) -> pl.DataFrame:
        """Return one row a region."""
        return self.rows

    @property
    def not_mended(self) -> tuple[str, ...]:
        """Regions whose loss lowers output, and without which no more can be made than before."""
        lowered = pl.col("feasible_before") < 1.0 - 1e-9
        same = self.rows.filter(
            lowered & (pl.col("feasible_after") <= pl.col("feasible_before") + 1e-9)
        )
        return tuple(same["region"].to_list())


def compare(
    plan: SolvedPlan,
    regions: Sequence[str],
    *,
    year: float | None = None,
    duration: str | float = "26w",
    periods: int | None = None,
    assume_recipe: str = "none",
    rules: Rules | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Set the network before and after a plan side by side, for the loss of each region.

    Feasible output is what suppliers at capacity could sustain for ever (the measure coverage with
    limit="capacity"): new lines and second sources show in it, stockpiles do not. The simulation
    plays the loss of the region for a time, by habit: stockpiles show in it.

    Parameters
    ----------
    plan : SolvedPlan
    regions : sequence of str
        Lost one at a time.
    year : float, optional
        How long after now the plan is looked at; default: all of it in place.
    duration : str or float
        How long the region is lost in the simulation.
    periods : int, optional
        That are simulated; default: the window of the plan.
    assume_recipe : {"none", "shared"}
        As in `coverage`: what producers outside home need.
    rules : Rules, optional
        As in `verify`: orders move to suppliers with spare capacity.
    progress : callable, optional

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        If there is no plan, or a region is unknown.

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(ws.examples.tiny(), [more], [lost], horizon=1)
    >>> found = ws.plan.compare(plan, ["JP"], duration="12w").to_frame()
    >>> found.select("loss_before", "loss_after").rows()
    [(18200.0, 0.0)]
    """
    if not plan.is_found:
        raise UsageError(f"There is no plan to compare: {plan.status}.")
    window = plan.problem.window if periods is None else periods
    before, after = plan.network, plan.apply(year)
    rows = []
    for number, region in enumerate(regions):
        if progress:
            progress("regions", number, len(regions))
        row: dict[str, object] = {"region": region}
        for when, network in (("before", before), ("after", after)):
            row |= _facts(network, region, when, duration, window, assume_recipe, rules)
        rows.append(row)
    frame = pl.DataFrame(rows)
    order = ["feasible", "binds", "loss", "periods_lost"]
    columns = [f"{name}_{when}" for name in order for when in ("before", "after")]
    return Comparison(rows=frame.select("region", *columns), n_periods=window)


def _facts(
    network: ProductionNetwork,
    region: str,
    when: str,
    duration: str | float,
    window: int,
    assume_recipe: str,
    rules: Rules | None,
) -> dict[str, object]:
    can = coverage(network, without=[region], assume_recipe=assume_recipe, limit="capacity")
    scenario = Scenario.lose(region=region, duration=duration)
    used = Rules(reroute=True) if rules is None else rules
    run = simulate(network, scenario, periods=window, rules=used)
    return {
        f"feasible_{when}": can.feasible_output,
        f"binds_{when}": ", ".join(can.binding[:3]),
        f"loss_{when}": run.loss,
        f"periods_lost_{when}": run.loss_in_periods,
    }
