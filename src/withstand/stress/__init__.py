"""What happens when: shocks played on a network, cascades, and the best possible answer."""

from __future__ import annotations

from withstand.stress.best_response import Response, respond
from withstand.stress.brackets import Bracket, bracket
from withstand.stress.cascades import Cascade, cascade
from withstand.stress.dense_simulation import DenseRun, simulate_dense
from withstand.stress.ensembles import Ensemble, ensemble
from withstand.stress.rules import Rules
from withstand.stress.simulation import Simulation, simulate
from withstand.stress.survival_times import Survival, survival
from withstand.stress.systemic_risk import SystemicRisk, esri

__all__ = [
    "Bracket",
    "Cascade",
    "DenseRun",
    "Ensemble",
    "Response",
    "Rules",
    "Simulation",
    "Survival",
    "SystemicRisk",
    "bracket",
    "cascade",
    "ensemble",
    "esri",
    "respond",
    "simulate",
    "simulate_dense",
    "survival",
]
