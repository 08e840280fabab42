"""withstand: measure, stress and plan the resilience of production networks.

The public names load on first use, so that `import withstand` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from withstand import (
        examples,
        measures,
        model,
        people,
        plan,
        plants,
        readers,
        report,
        stress,
        workbench,
    )
    from withstand.errors import (
        DataError,
        OptionError,
        ScenarioError,
        UsageError,
        WithstandError,
    )
    from withstand.examples import example
    from withstand.model.aggregation import aggregate
    from withstand.model.checking import check
    from withstand.model.codes import check_codes
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Effect, Option, apply
    from withstand.model.scenario import Scenario, Shock, read_scenario
    from withstand.readers import (
        economy_of_sdmx,
        network_from_links,
        read_catenax,
        read_criticality,
        read_folder,
        read_graph,
        read_mrio,
        read_mrio_years,
        read_sdmx,
        read_trade,
        to_igraph,
        to_networkx,
        trade_of_sdmx,
        write_folder,
        write_graph,
        write_mrio,
    )

_HOMES = {
    "DataError": "errors",
    "Effect": "model.option",
    "Finding": "model.findings",
    "Option": "model.option",
    "OptionError": "errors",
    "ProductionNetwork": "model.network",
    "Scenario": "model.scenario",
    "ScenarioError": "errors",
    "Shock": "model.scenario",
    "UsageError": "errors",
    "WithstandError": "errors",
    "aggregate": "model.aggregation",
    "apply": "model.option",
    "check": "model.checking",
    "check_codes": "model.codes",
    "economy_of_sdmx": "readers",
    "example": "examples",
    "network_from_links": "readers",
    "read_catenax": "readers",
    "read_criticality": "readers",
    "read_folder": "readers",
    "read_graph": "readers",
    "read_mrio": "readers",
    "read_mrio_years": "readers",
    "read_scenario": "model.scenario",
    "read_sdmx": "readers",
    "read_trade": "readers",
    "to_igraph": "readers",
    "to_networkx": "readers",
    "trade_of_sdmx": "readers",
    "write_folder": "readers",
    "write_graph": "readers",
    "write_mrio": "readers",
}
_MODULES = (
    "examples",
    "measures",
    "model",
    "people",
    "plan",
    "plants",
    "readers",
    "report",
    "stress",
    "workbench",
)

__all__ = [
    "DataError",
    "Effect",
    "Finding",
    "Option",
    "OptionError",
    "ProductionNetwork",
    "Scenario",
    "ScenarioError",
    "Shock",
    "UsageError",
    "WithstandError",
    "aggregate",
    "apply",
    "check",
    "check_codes",
    "economy_of_sdmx",
    "example",
    "examples",
    "measures",
    "model",
    "network_from_links",
    "people",
    "plan",
    "plants",
    "read_catenax",
    "read_criticality",
    "read_folder",
    "read_graph",
    "read_mrio",
    "read_mrio_years",
    "read_scenario",
    "read_sdmx",
    "read_trade",
    "readers",
    "report",
    "stress",
    "to_igraph",
    "to_networkx",
    "trade_of_sdmx",
    "workbench",
    "write_folder",
    "write_graph",
    "write_mrio",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    if name in _MODULES:
        return importlib.import_module(f"withstand.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(f"withstand.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'withstand' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *__all__})
