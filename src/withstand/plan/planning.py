"""Solve the programme of a plan for an aim."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.provenance import provenance_of
from withstand.plan.kept_cuts import KeptCuts
from withstand.plan.plan_findings import plan_findings, unmet_at_rest
from withstand.plan.solved import Risk, SolvedPlan
from withstand.programming.decomposition import CutStore
from withstand.programming.objective import Objective
from withstand.programming.solving import solve_two_stage

if TYPE_CHECKING:
    import os

    from withstand.executor import Executor
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
    keep: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    runner: Executor | None = None,
) -> SolvedPlan:
    """Solve a programme that was built before; `store` carries over what was learnt.

    `keep` names a folder where it is kept while the solve runs, and where a solve begins that was
    cut off before.
    """
    risk = Risk() if risk is None else risk
    kept = None
    if keep is not None:
        method = _kept_method(problem, method)
        kept = KeptCuts(keep, problem.two_stage)
        store = kept.load()
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
        runner=runner,
    )
    if kept is not None:
        kept.save(store)
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
        findings=(*plan_findings(problem), *(kept.findings if kept is not None else ())),
        provenance=provenance_of("plan.solve", problem.chain.network, parameters),
    )
    return replace(solved, findings=(*solved.findings, *unmet_at_rest(solved)))


def _kept_method(problem: Problem, method: str) -> str:
    """Return the method whose steps can be kept; the extensive form has none."""
    is_mixed = any(s.is_mixed for s in problem.two_stage.scenarios)
    if method == "extensive" or is_mixed:
        raise UsageError(
            "keep needs method='decomposition': one programme of everything has no steps that "
            "could be kept. Leave keep out, or name that method."
        )
    return "decomposition" if method == "auto" else method


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
