"""Consistency rules: each a small function that returns findings; none raises.

Three moments: references (labels of one table in another), structure (recipes, links, shares,
before any output is known) and economics (a built network at rest).
"""

from __future__ import annotations

from withstand.model.checks.economics import check_economics
from withstand.model.checks.people import check_people
from withstand.model.checks.references import check_references, check_settings
from withstand.model.checks.structure import check_rows, check_structure

__all__ = [
    "check_economics",
    "check_people",
    "check_references",
    "check_rows",
    "check_settings",
    "check_structure",
]
