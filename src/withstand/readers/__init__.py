"""The outside world to a ProductionNetwork and back."""

from __future__ import annotations

from withstand.readers.firms import network_from_links
from withstand.readers.folder import read_folder
from withstand.readers.saving import write_folder

__all__ = ["network_from_links", "read_folder", "write_folder"]
