"""From "we are exposed" to a calendar of measures, what it saves, and what blocks."""

from __future__ import annotations

from withstand.plan.comparison import Comparison, compare
from withstand.plan.frontiers import Frontier, frontier
from withstand.plan.hours_options import extra_hours
from withstand.plan.infeasibility import Conflict, explain_infeasible
from withstand.plan.localise_results import LocaliseOptions
from withstand.plan.localising import localise_options
from withstand.plan.measure_ranking import MeasureRanking, rank_measures
from withstand.plan.near_optimal import alternatives, next_best
from withstand.plan.out_of_reach import BeyondMoney, beyond_money
from withstand.plan.plans import Plan, solve
from withstand.plan.reranking import Reranking, rerank
from withstand.plan.screening import Certificate, Screening, certify, screened
from withstand.plan.sensitivities import sensitivity
from withstand.plan.solved import Risk
from withstand.plan.staffing_cases import Staffing, staffing
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
    "LocaliseOptions",
    "MeasureRanking",
    "Objective",
    "Plan",
    "Recourse",
    "Reranking",
    "Risk",
    "Screening",
    "Staffing",
    "TwoStage",
    "TwoStageSolution",
    "Values",
    "Verification",
    "alternatives",
    "beyond_money",
    "certify",
    "compare",
    "explain_infeasible",
    "extra_hours",
    "frontier",
    "localise_options",
    "next_best",
    "rank_measures",
    "rerank",
    "screened",
    "sensitivity",
    "solve",
    "solve_two_stage",
    "staffing",
    "values_of",
    "verify",
]
