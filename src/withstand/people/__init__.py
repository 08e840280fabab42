"""People: skilled hours as capacity, where they come from and what it costs to have them."""

from __future__ import annotations

from withstand.people.alignments import Alignment, alignment
from withstand.people.allowed_outputs import AllowedOutput, allowed_output
from withstand.people.attainable_values import Reachability, reachability
from withstand.people.building import pipeline_of
from withstand.people.cheapest_intakes import CheapestIntake, cheapest_intake
from withstand.people.demand_paths import demand_path, reallocated_demand
from withstand.people.individuals import simulate_people
from withstand.people.intake_result import Intake
from withstand.people.intakes import optimise_intake
from withstand.people.labour_markets import LabourMarket, MarketRates, labour_market
from withstand.people.people_needed import needs
from withstand.people.people_runs import PeopleRuns
from withstand.people.pipelines import Pipeline
from withstand.people.projection_intakes import projected_intake
from withstand.people.projection_results import Projection
from withstand.people.projections import project
from withstand.people.related_occupations import Relatedness, relatedness
from withstand.people.renewals import Renewal, push_model, renewal_model
from withstand.people.reskilling import ReskillingPaths, reskilling_paths
from withstand.people.seat_coverages import TrainingCoverage, training_coverage
from withstand.people.target_mends import Mends, what_mends
from withstand.people.target_tables import Target
from withstand.people.targets import Attainment, attainment
from withstand.people.training_options import train_options
from withstand.people.transitions import TransitionNetwork, transition_network
from withstand.people.upskilling import MoveTerms, upskilling_moves

__all__ = [
    "Alignment",
    "AllowedOutput",
    "Attainment",
    "CheapestIntake",
    "Intake",
    "LabourMarket",
    "MarketRates",
    "Mends",
    "MoveTerms",
    "PeopleRuns",
    "Pipeline",
    "Projection",
    "Reachability",
    "Relatedness",
    "Renewal",
    "ReskillingPaths",
    "Target",
    "TrainingCoverage",
    "TransitionNetwork",
    "alignment",
    "allowed_output",
    "attainment",
    "cheapest_intake",
    "demand_path",
    "labour_market",
    "needs",
    "optimise_intake",
    "pipeline_of",
    "project",
    "projected_intake",
    "push_model",
    "reachability",
    "reallocated_demand",
    "relatedness",
    "renewal_model",
    "reskilling_paths",
    "simulate_people",
    "train_options",
    "training_coverage",
    "transition_network",
    "upskilling_moves",
    "what_mends",
]
