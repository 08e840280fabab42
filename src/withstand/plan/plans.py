"""Choose a plan, and ask it the next questions: the use case of the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.executor import threads_or_workers
from withstand.plan.comparison import Comparison, compare
from withstand.plan.frontiers import Frontier, frontier
from withstand.plan.infeasibility import Conflict, explain_infeasible
from withstand.plan.near_optimal import alternatives
from withstand.plan.out_of_reach import BeyondMoney, beyond_money
from withstand.plan.planning import GAP, solve_problem
from withstand.plan.problem import problem_of
from withstand.plan.reranking import Reranking, rerank
from withstand.plan.sensitivities import sensitivity
from withstand.plan.solved import Risk, SolvedPlan
from withstand.plan.verification import Verification, verify
from withstand.programming.information import Values, values_of

if TYPE_CHECKING:
    import os

    import polars as pl

    from withstand.executor import Executor
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.model.scenario import Scenario
    from withstand.programming.objective import Progress

PRELOAD = ("withstand.programming.far_answers",)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Plan(SolvedPlan):
    """What to start when, and the next questions: does it help, what would more money buy."""

    def verify(
        self, network: ProductionNetwork | None = None, *, progress: Progress | None = None
    ) -> Verification:
        """Play every scenario on the full network; see `withstand.plan.verify`."""
        return verify(self, network, progress=progress)

    def frontier(self, budgets: Sequence[float], *, jobs: int = 1) -> Frontier:
        """Return plans for other budgets; see `withstand.plan.frontier`."""
        found = frontier(self, budgets, jobs=jobs)
        return replace(found, plans=tuple(_asked(p) for p in found.plans))

    def alternatives(self, n: int = 3, *, within: float = 0.05) -> tuple[Plan, ...]:
        """Return other plans nearly as good; see `withstand.plan.alternatives`."""
        return tuple(_asked(p) for p in alternatives(self, n, within=within))

    def explain_infeasible(self) -> Conflict:
        """Say which limits contradict each other; see `withstand.plan.explain_infeasible`."""
        return explain_infeasible(self)

    def sensitivity(self, *, effect: float = 0.8) -> pl.DataFrame:
        """Say how wrong costs and effects may be; see `withstand.plan.sensitivity`."""
        return sensitivity(self, effect=effect)

    def rerank(
        self, n: int = 5, *, network: ProductionNetwork | None = None, jobs: int = 1
    ) -> Reranking:
        """Put the best plans in order by simulation; see `withstand.plan.rerank`."""
        found = rerank(self, n, network=network, jobs=jobs)
        return replace(found, plans=tuple(_asked(p) for p in found.plans))

    def beyond_money(self) -> BeyondMoney:
        """Return what no budget mends; see `withstand.plan.beyond_money`."""
        return beyond_money(self)

    def compare(
        self, regions: Sequence[str], *, duration: str | float = "26w", year: float | None = None
    ) -> Comparison:
        """Return what the loss of regions does before and after; see `withstand.plan.compare`."""
        return compare(self, regions, duration=duration, year=year)

    def values(self) -> Values:
        """Return what scenarios and foresight are worth; see `withstand.plan.values_of`."""
        return values_of(self.problem.two_stage, gap=self.gap_wanted)


def _asked(solved: SolvedPlan) -> Plan:
    """Return a solved plan that can be asked."""
    return Plan(**{name: getattr(solved, name) for name in SolvedPlan.__dataclass_fields__})


def solve(
    network: ProductionNetwork,
    options: Sequence[Option] | None = None,
    scenarios: Sequence[Scenario] = (),
    *,
    budget: float | Sequence[float] | None = None,
    risk: Risk | None = None,
    loss_limit: float = np.inf,
    tail_limit: float = np.inf,
    aim: str = "value",
    horizon: int = 5,
    onsets: Sequence[float] | None = None,
    discount: float = 0.0,
    started: Mapping[str, float] | None = None,
    periods: int | None = None,
    step: int | None = None,
    gap: float = GAP,
    method: str = "auto",
    time_limit: float = np.inf,
    jobs: int | str = 1,
    seed: int = 0,
    candidates: int = 1,
    keep: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    runner: Executor | None = None,
) -> Plan:
    """Choose what to start when: the portfolio that is worth most against the scenarios.

    Parameters
    ----------
    network : ProductionNetwork
    options : sequence of Option, optional
        Default: those in the tables of the network.
    scenarios : sequence of Scenario
        With yearly probabilities.
    budget : float or sequence of float, currency, optional
        For the whole horizon, or for each year with carry-over; None for no limit.
    risk : Risk, optional
        Weight of the tail beside the mean; default: none.
    loss_limit, tail_limit : float, currency
        Most that the expected loss, and its CVaR, may be: with `aim="cost"`, the least cost to
        reach a target.
    aim : {"value", "cost", "loss", "regret"}
        What is minimised: cost plus expected loss plus weighted tail; cost alone (under limits);
        loss and weighted tail alone (most resilience for the budget); or the largest regret.
    horizon : int, years
    onsets, discount, started, periods, step, seed
        As in `withstand.plan.problem.problem_of`.
    gap : float
        Relative gap between the plan and what is proven possible.
    method : {"auto", "extensive", "decomposition"}
    time_limit : float, seconds
    jobs : int or str
        Threads; or workers elsewhere that answer the scenarios, as "processes:4" or "ray:HOST:PORT"
        (see `withstand.executor.executor`). The numbers do not depend on it.
    candidates : int
        From 2 on: so many of the best plans are simulated on the network, and the best one by
        simulation is returned (`rerank` shows them all).
    keep : path, optional
        Folder where what the solve has learnt is kept as it runs (decomposition). The same call
        after a kill, or with more time or a smaller gap, goes on from there: to a plan within the
        same gap, which is the same plan where only one is best.
    progress : callable, optional
    runner : Executor, optional
        Workers that are there already, in place of `jobs`.

    Returns
    -------
    Plan
        With status "infeasible" if limits and budget contradict each other:
        `explain_infeasible` says which.

    Raises
    ------
    OptionError, UsageError
        If options or numbers are not possible.

    Examples
    --------
    >>> import withstand as ws
    >>> net = ws.examples.tiny()
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> plan = solve(net, [more], [ws.Scenario.lose(region="JP", duration="12w")], horizon=1)
    >>> plan.chosen
    ('STOCK',)
    """
    problem = problem_of(
        network,
        options,
        scenarios,
        budget=budget,
        years=horizon,
        onsets=onsets,
        discount=discount,
        started=started,
        periods=periods,
        step=step,
        seed=seed,
    )
    with threads_or_workers(jobs, PRELOAD, runner) as (threads, workers):
        solved = solve_problem(
            problem,
            risk=risk,
            loss_limit=loss_limit,
            tail_limit=tail_limit,
            aim=aim,
            gap=gap,
            method=method,
            time_limit=time_limit,
            jobs=threads,
            keep=keep,
            progress=progress,
            runner=workers,
        )
    if candidates != 1 and solved.is_found:
        found = rerank(solved, candidates, time_limit=time_limit, jobs=threads, progress=progress)
        solved = found.best
    return _asked(solved)
