"""The outside world to a ProductionNetwork and back."""

from __future__ import annotations

from withstand.readers.firms import network_from_links
from withstand.readers.folder import read_folder
from withstand.readers.mrio import read_mrio, read_mrio_years
from withstand.readers.mrio_accounts import read_criticality
from withstand.readers.mrio_own import write_mrio
from withstand.readers.saving import write_folder
from withstand.readers.standards.catenax import read_catenax
from withstand.readers.standards.catenax_payloads import catenax_tables
from withstand.readers.standards.graphs import read_graph, to_igraph, to_networkx, write_graph
from withstand.readers.standards.sdmx import read_sdmx
from withstand.readers.standards.sdmx_economies import economy_of_sdmx
from withstand.readers.standards.sdmx_trade import trade_of_sdmx
from withstand.readers.trade import read_trade
from withstand.readers.upgrading import upgrade_project

__all__ = [
    "catenax_tables",
    "economy_of_sdmx",
    "network_from_links",
    "read_catenax",
    "read_criticality",
    "read_folder",
    "read_graph",
    "read_mrio",
    "read_mrio_years",
    "read_sdmx",
    "read_trade",
    "to_igraph",
    "to_networkx",
    "trade_of_sdmx",
    "upgrade_project",
    "write_folder",
    "write_graph",
    "write_mrio",
]
