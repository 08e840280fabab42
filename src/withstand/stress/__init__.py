"""What happens when: shocks played on a network, cascades, and the best possible answer."""

from __future__ import annotations

from withstand.stress.best_response import Response, respond
from withstand.stress.bounded_closures import ClosureBounds, closure_bounds
from withstand.stress.brackets import Bracket, bracket
from withstand.stress.cascades import Cascade, cascade
from withstand.stress.closures import Closure, closure
from withstand.stress.dense_simulation import DenseRun, simulate_dense
from withstand.stress.ensembles import Ensemble, ensemble
from withstand.stress.rules import Rules
from withstand.stress.simulation import Simulation, simulate
from withstand.stress.survival_times import Survival, survival
from withstand.stress.systemic_risk import SystemicRisk, esri

__all__ = [
    "Bracket",
    "Cascade",
    "Closure",
    "ClosureBounds",
    "DenseRun",
    "Ensemble",
    "Response",
    "Rules",
    "Simulation",
    "Survival",
    "SystemicRisk",
    "bracket",
    "cascade",
    "closure",
    "closure_bounds",
    "ensemble",
    "esri",
    "respond",
    "simulate",
    "simulate_dense",
    "survival",
]
