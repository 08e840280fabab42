"""From "we are exposed" to a calendar of measures, what it saves, and what blocks."""

from __future__ import annotations

from withstand.plan.comparison import Comparison, compare
from withstand.plan.frontiers import Frontier, frontier
from withstand.plan.infeasibility import Conflict, explain_infeasible
from withstand.plan.near_optimal import alternatives, next_best
from withstand.plan.out_of_reach import BeyondMoney, beyond_money
from withstand.plan.plans import Plan, solve
from withstand.plan.reranking import Reranking, rerank
from withstand.plan.screening import Certificate, Screening, certify, screened
from withstand.plan.sensitivities import sensitivity
from withstand.plan.solved import Risk
from withstand.plan.verification import Verification, verify
from withstand.programming.information import Values, values_of
from withstand.programming.objective import Objective
from withstand.programming.solution import TwoStageSolution
from withstand.programming.solving import solve_two_stage
from withstand.programming.two_stage import FirstStage, Recourse, TwoStage

__all__ = [
    "BeyondMoney",
    "Certificate",
    "Comparison",
    "Conflict",
    "FirstStage",
    "Frontier",
    "Objective",
    "Plan",
    "Recourse",
    "Reranking",
    "Risk",
    "Screening",
    "TwoStage",
    "TwoStageSolution",
    "Values",
    "Verification",
    "alternatives",
    "beyond_money",
    "certify",
    "compare",
    "explain_infeasible",
    "frontier",
    "next_best",
    "rerank",
    "screened",
    "sensitivity",
    "solve",
    "solve_two_stage",
    "values_of",
    "verify",
]
