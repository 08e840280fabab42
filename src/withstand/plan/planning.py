"""Choose a plan: the use case of the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.provenance import provenance_of
from withstand.plan.decomposition import CutStore
from withstand.plan.objective import Objective
from withstand.plan.plans import Plan, Risk
from withstand.plan.problem import Problem, problem_of
from withstand.plan.solving import solve_two_stage

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.model.scenario import Scenario
    from withstand.plan.objective import Progress

AIMS = ("value", "cost", "loss", "regret")
GAP = 5e-3
TIE = 1e-6
"""Weight of cost where loss alone is minimised: among equal losses the cheaper plan."""


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
    jobs: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
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
    jobs : int
        Threads.
    progress : callable, optional

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
    return solve_problem(
        problem,
        risk=risk,
        loss_limit=loss_limit,
        tail_limit=tail_limit,
        aim=aim,
        gap=gap,
        method=method,
        time_limit=time_limit,
        jobs=jobs,
        progress=progress,
    )


def solve_problem(
    problem: Problem,
    *,
    risk: Risk | None = None,
    loss_limit: float = np.inf,
    tail_limit: float = np.inf,
    aim: str = "value",
    gap: float = GAP,
    method: str = "auto",
    time_limit: float = np.inf,
    jobs: int = 1,
    store: CutStore | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Solve a programme that was built before; `store` carries over what was learnt."""
    risk = Risk() if risk is None else risk
    store = CutStore() if store is None else store
    objective = objective_of(problem, aim, risk, loss_limit, tail_limit, jobs)
    solution = solve_two_stage(
        problem.two_stage,
        objective,
        method=method,
        gap=gap,
        time_limit=time_limit,
        jobs=jobs,
        store=store,
        progress=progress,
    )
    parameters = {
        "options": [o.label for o in problem.chain.options],
        "scenarios": [s.name for s in problem.strikes],
        "aim": aim,
        "risk_weight": risk.weight,
        "alpha": risk.alpha,
        "loss_limit": loss_limit,
        "tail_limit": tail_limit,
        "gap": gap,
        "method": solution.method,
        "step": problem.skeleton.step,
        "n_steps": problem.skeleton.n_steps,
        "years": problem.calendar.years,
        "onsets": list(problem.calendar.onsets),
        "discount": problem.calendar.discount,
    }
    return Plan(
        problem=problem,
        objective=objective,
        solution=solution,
        store=store,
        gap_wanted=gap,
        findings=(),
        provenance=provenance_of("plan.solve", problem.chain.network, parameters),
    )


def objective_of(
    problem: Problem,
    aim: str,
    risk: Risk,
    loss_limit: float,
    tail_limit: float,
    jobs: int = 1,
) -> Objective:
    """Return the objective of an aim."""
    if aim not in AIMS:
        raise UsageError(f"aim must be one of {', '.join(AIMS)}, not '{aim[:40]}'.")
    usual = Objective(
        risk_weight=risk.weight, alpha=risk.alpha, mean_limit=loss_limit, risk_limit=tail_limit
    )
    if aim == "cost":
        return replace(usual, mean_weight=0.0, risk_weight=0.0)
    if aim == "loss":
        return replace(usual, cost_weight=TIE)
    if aim == "regret":
        return replace(usual, risk_weight=0.0, best=best_of_each(problem, jobs))
    return usual


def best_of_each(problem: Problem, jobs: int = 1) -> tuple[float, ...]:
    """Return the least cost and loss of each strike, were it known: what regret is counted from."""
    best = []
    for scenario in problem.two_stage.scenarios:
        alone = replace(problem.two_stage, scenarios=(replace(scenario, probability=1.0),))
        best.append(solve_two_stage(alone, gap=1e-6, jobs=jobs).objective)
    return tuple(best)
