"""The outside world to a ProductionNetwork and back."""

from __future__ import annotations

from withstand.readers.firms import network_from_links
from withstand.readers.folder import read_folder
from withstand.readers.mrio import read_mrio, read_mrio_years
from withstand.readers.mrio_accounts import read_criticality
from withstand.readers.mrio_own import write_mrio
from withstand.readers.saving import write_folder
from withstand.readers.trade import read_trade

__all__ = [
    "network_from_links",
    "read_criticality",
    "read_folder",
    "read_mrio",
    "read_mrio_years",
    "read_trade",
    "write_folder",
    "write_mrio",
]
