"""Standards: Catena-X payloads, SDMX files and graphs; each loads when it is first asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from withstand.readers.standards.catenax import read_catenax
    from withstand.readers.standards.catenax_payloads import CatenaxTables, catenax_tables
    from withstand.readers.standards.graphs import read_graph, to_igraph, to_networkx, write_graph
    from withstand.readers.standards.sdmx import read_sdmx
    from withstand.readers.standards.sdmx_economies import economy_of_sdmx
    from withstand.readers.standards.sdmx_table import SdmxTable
    from withstand.readers.standards.sdmx_trade import trade_of_sdmx

_HOMES = {
    "CatenaxTables": "catenax_payloads",
    "SdmxTable": "sdmx_table",
    "catenax_tables": "catenax_payloads",
    "economy_of_sdmx": "sdmx_economies",
    "read_catenax": "catenax",
    "read_graph": "graphs",
    "read_sdmx": "sdmx",
    "to_igraph": "graphs",
    "to_networkx": "graphs",
    "trade_of_sdmx": "sdmx_trade",
    "write_graph": "graphs",
}

__all__ = [
    "CatenaxTables",
    "SdmxTable",
    "catenax_tables",
    "economy_of_sdmx",
    "read_catenax",
    "read_graph",
    "read_sdmx",
    "to_igraph",
    "to_networkx",
    "trade_of_sdmx",
    "write_graph",
]


def __getattr__(name: str) -> Any:
    """Load a reader on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
