"""What happens when: shocks played on a network."""

from __future__ import annotations

from withstand.stress.simulation import Simulation, simulate

__all__ = ["Simulation", "simulate"]
