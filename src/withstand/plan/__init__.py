"""From "we are exposed" to a calendar of measures, what it saves, and what blocks."""

from __future__ import annotations

from withstand.plan.alternatives import alternatives
from withstand.plan.frontiers import Frontier, frontier
from withstand.plan.infeasibility import Conflict, explain_infeasible
from withstand.plan.objective import Objective
from withstand.plan.planning import solve
from withstand.plan.plans import Plan, Risk
from withstand.plan.sensitivity import sensitivity
from withstand.plan.solution import TwoStageSolution
from withstand.plan.solving import solve_two_stage
from withstand.plan.two_stage import FirstStage, Recourse, TwoStage
from withstand.plan.values import Values, values_of
from withstand.plan.verification import Verification, verify

__all__ = [
    "Conflict",
    "FirstStage",
    "Frontier",
    "Objective",
    "Plan",
    "Recourse",
    "Risk",
    "TwoStage",
    "TwoStageSolution",
    "Values",
    "Verification",
    "alternatives",
    "explain_infeasible",
    "frontier",
    "sensitivity",
    "solve",
    "solve_two_stage",
    "values_of",
    "verify",
]
