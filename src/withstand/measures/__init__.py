"""Numbers about a network at rest: what it depends on, through every tier."""

from __future__ import annotations

from withstand.measures.concentrations import Concentration, concentration
from withstand.measures.coverages import Coverage, coverage, coverage_by_region
from withstand.measures.exposures import Exposure, exposure

__all__ = [
    "Concentration",
    "Coverage",
    "Exposure",
    "concentration",
    "coverage",
    "coverage_by_region",
    "exposure",
]
