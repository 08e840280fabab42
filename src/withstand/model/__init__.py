"""What a production network is: tables, arrays, scenarios, options, findings."""

from __future__ import annotations

from withstand.model.building import build_network
from withstand.model.checking import check
from withstand.model.findings import Finding
from withstand.model.network import ProductionNetwork
from withstand.model.option import Effect, Option, Use, apply, check_options, read_options
from withstand.model.scenario import Scenario, Shock, read_scenario
from withstand.model.settings import Settings
from withstand.model.tables import Column, Table

__all__ = [
    "Column",
    "Effect",
    "Finding",
    "Option",
    "ProductionNetwork",
    "Scenario",
    "Settings",
    "Shock",
    "Table",
    "Use",
    "apply",
    "build_network",
    "check",
    "check_options",
    "read_options",
    "read_scenario",
]
