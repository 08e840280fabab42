"""Plants from within: lines, machines, robot cells, learning, and what their output hangs on."""

from __future__ import annotations

from withstand.plants.automation import robotise
from withstand.plants.capacities import (
    NodeCapacity,
    good_parts,
    line_option,
    node_capacity,
    slow_line,
    with_line,
)
from withstand.plants.cells import Cell, cell
from withstand.plants.decompositions import Line, decomposition, exact_line
from withstand.plants.equipment import Machines, availability, machines
from withstand.plants.learning import LearningCurve, fit_learning, learning_curve
from withstand.plants.lines import ProductionLine, line, oee
from withstand.plants.park_utilities import Utility
from withstand.plants.parks import Park, park
from withstand.plants.practices import Practice, practice, practice_option
from withstand.plants.random_lines import bernoulli_line, exponential_line
from withstand.plants.robots import RobotStock, beside_published, robot_density, robot_stock
from withstand.plants.simulated_lines import simulate_line
from withstand.plants.simulated_parts import simulate_parts
from withstand.plants.spare_parts import Spares, least_spares, share_out_spares, spares
from withstand.plants.two_machines import TwoMachineLine, two_machine_line

__all__ = [
    "Cell",
    "LearningCurve",
    "Line",
    "Machines",
    "NodeCapacity",
    "Park",
    "Practice",
    "ProductionLine",
    "RobotStock",
    "Spares",
    "TwoMachineLine",
    "Utility",
    "availability",
    "bernoulli_line",
    "beside_published",
    "cell",
    "decomposition",
    "exact_line",
    "exponential_line",
    "fit_learning",
    "good_parts",
    "learning_curve",
    "least_spares",
    "line",
    "line_option",
    "machines",
    "node_capacity",
    "oee",
    "park",
    "practice",
    "practice_option",
    "robot_density",
    "robot_stock",
    "robotise",
    "share_out_spares",
    "simulate_line",
    "simulate_parts",
    "slow_line",
    "spares",
    "two_machine_line",
    "with_line",
]
