"""People: skilled hours as capacity, where they come from and what it costs to have them."""

from __future__ import annotations
