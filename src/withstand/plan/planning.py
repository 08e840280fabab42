"""Solve the programme of a plan for an aim."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.provenance import provenance_of
from withstand.plan.plan_findings import plan_findings, unmet_at_rest
from withstand.plan.solved import Risk, SolvedPlan
from withstand.programming.decomposition import CutStore
from withstand.programming.objective import Objective
from withstand.programming.solving import solve_two_stage

if TYPE_CHECKING:
    from withstand.plan.problem import Problem
    from withstand.programming.objective import Progress

AIMS = ("value", "cost", "loss", "regret")
GAP = 5e-3
TIE = 1e-6
"""Weight of cost where loss alone is minimised: among equal losses the cheaper plan."""


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
) -> SolvedPlan:
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
    solved = SolvedPlan(
        problem=problem,
        objective=objective,
        solution=solution,
        store=store,
        gap_wanted=gap,
        findings=plan_findings(problem),
        provenance=provenance_of("plan.solve", problem.chain.network, parameters),
    )
    return replace(solved, findings=(*solved.findings, *unmet_at_rest(solved)))


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
