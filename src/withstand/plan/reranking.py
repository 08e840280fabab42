"""The best plans of the programme, put in order by what the simulation says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.plan.near_optimal import next_best
from withstand.plan.verification import Played, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.network import ProductionNetwork
    from withstand.plan.solved import SolvedPlan
    from withstand.programming.objective import Progress
    from withstand.stress.rules import Rules


@dataclass(frozen=True, kw_only=True, eq=False)
class Reranking:
    """Plans in the order of their simulated value.

    Parameters
    ----------
    plans : tuple of SolvedPlan
        The best one by simulation first.
    rows : polars.DataFrame
        One row a plan, in that order: rank, rank_of_programme, chosen, cost, programme_loss,
        simulated_loss, programme_value, simulated_value (currency; losses expected, discounted;
        values are what the plan minimised, with one loss or the other).
    """

    plans: tuple[SolvedPlan, ...]
    rows: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Return one row a plan, the best by simulation first."""
        return self.rows

    @property
    def best(self) -> SolvedPlan:
        """The plan with the least simulated value."""
        return self.plans[0]

    def summary(self) -> str:
        """Return one sentence."""
        first = self.rows.row(0, named=True)
        was = int(first["rank_of_programme"])
        same = "which the programme ranks first too" if was == 1 else f"number {was} by programme"
        return (
            f"Of {self.rows.height} plans, {first['chosen'] or 'nothing'} is best by simulation, "
            f"{same}: expected loss {first['simulated_loss']:,.0f} simulated, "
            f"{first['programme_loss']:,.0f} by the programme."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Reranking: {self.summary()}>"


def rerank(
    plan: SolvedPlan,
    n: int = 5,
    *,
    network: ProductionNetwork | None = None,
    rules: Rules | None = None,
    plans: Sequence[SolvedPlan] = (),
    time_limit: float = np.inf,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Reranking:
    """Simulate the best plans on the full network, and put them in order by what comes out.

    The programme pools suppliers and stocks, and answers a scenario as well as can be; habit does
    not. So plans that look alike to it may differ much. All plans see the same shocks.

    Parameters
    ----------
    plan : SolvedPlan
    n : int
        How many plans, with the plan itself.
    network : ProductionNetwork, optional
        The network to play on; default: the one that was planned on.
    rules : Rules, optional
        As in `verify`.
    plans : sequence of SolvedPlan, optional
        Plans of the same programme to rank, instead of its best ones.
    time_limit, jobs, progress
        As in `solve`; the time limit is for each plan.

    Returns
    -------
    Reranking

    Raises
    ------
    UsageError
        If there is no plan, or n is below 1.

    Examples
    --------
    >>> import withstand as ws
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> plan = ws.plan.solve(ws.examples.tiny(), [more], [lost], horizon=1)
    >>> ws.plan.rerank(plan, 2).to_frame().select("rank", "chosen", "simulated_loss").rows()
    [(1, 'STOCK', 0.0), (2, '', 18200.0)]
    """
    if not isinstance(n, int) or n < 1:
        raise UsageError(f"n must be a whole number of at least 1, not {n!r}.")
    found = tuple(plans) or (
        plan,
        *next_best(plan, n - 1, time_limit=time_limit, jobs=jobs, progress=progress),
    )
    full = plan.network if network is None else network
    played = Played(full, plan.problem.window, rules)
    rows = []
    for number, each in enumerate(found):
        if progress:
            progress("simulating plans", number, len(found))
        rows.append({"rank_of_programme": number + 1, **_judged(each, played)})
    frame = pl.DataFrame(rows).sort(["simulated_value", "simulated_loss", "rank_of_programme"])
    order = [r - 1 for r in frame["rank_of_programme"].to_list()]
    rank = pl.Series("rank", np.arange(1, len(order) + 1))
    return Reranking(plans=tuple(found[k] for k in order), rows=frame.select(rank, *frame.columns))


def _judged(plan: SolvedPlan, played: Played) -> dict[str, object]:
    """Return cost, losses and values of one plan, by the programme and by simulation."""
    problem, o = plan.problem, plan.objective
    checked = verify(plan, played=played)
    factor = np.array([problem.calendar.factor(s.onset) for s in problem.strikes])
    simulated = checked.rows["simulated_after"].to_numpy() * factor
    p = problem.two_stage.probabilities
    return {
        "chosen": ", ".join(plan.chosen),
        "cost": plan.cost,
        "programme_loss": plan.expected_loss,
        "simulated_loss": float(p @ simulated),
        "programme_value": o.value(plan.cost, plan.losses, p),
        "simulated_value": o.value(plan.cost, simulated, p),
    }
