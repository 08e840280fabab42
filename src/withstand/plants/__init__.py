"""Plants from within: lines of machines and buffers, and what their output hangs on."""

from __future__ import annotations

from withstand.plants.decompositions import Line, decomposition, exact_line
from withstand.plants.lines import ProductionLine, line, oee
from withstand.plants.random_lines import bernoulli_line, exponential_line
from withstand.plants.simulated_lines import simulate_line
from withstand.plants.two_machines import TwoMachineLine, two_machine_line

__all__ = [
    "Line",
    "ProductionLine",
    "TwoMachineLine",
    "bernoulli_line",
    "decomposition",
    "exact_line",
    "exponential_line",
    "line",
    "oee",
    "simulate_line",
    "two_machine_line",
]
