"""Numbers about a network at rest: what it depends on, through every tier."""

from __future__ import annotations

from withstand.measures.concentrations import Concentration, concentration
from withstand.measures.coverages import Coverage, coverage, coverage_by_region
from withstand.measures.criticalities import Criticality, criticality
from withstand.measures.export_decompositions import ExportDecomposition, export_decomposition
from withstand.measures.exposures import Exposure, exposure
from withstand.measures.extractions import Extraction, extraction
from withstand.measures.footprints import Footprint, footprint
from withstand.measures.histories import over_time
from withstand.measures.linkages import Multipliers, multipliers
from withstand.measures.localisations import Localisation, localisation
from withstand.measures.location_quotients import LocationQuotient, location_quotient
from withstand.measures.participations import Participation, participation
from withstand.measures.path_search import StructuralPaths, structural_paths
from withstand.measures.positions import Position, downstreamness, upstreamness
from withstand.measures.related_densities import RelatedDensity, related_density
from withstand.measures.reliances import Reliance, foreign_reliance
from withstand.measures.value_added import ValueContent, value_added_content

__all__ = [
    "Concentration",
    "Coverage",
    "Criticality",
    "ExportDecomposition",
    "Exposure",
    "Extraction",
    "Footprint",
    "Localisation",
    "LocationQuotient",
    "Multipliers",
    "Participation",
    "Position",
    "RelatedDensity",
    "Reliance",
    "StructuralPaths",
    "ValueContent",
    "concentration",
    "coverage",
    "coverage_by_region",
    "criticality",
    "downstreamness",
    "export_decomposition",
    "exposure",
    "extraction",
    "footprint",
    "foreign_reliance",
    "localisation",
    "location_quotient",
    "multipliers",
    "over_time",
    "participation",
    "related_density",
    "structural_paths",
    "upstreamness",
    "value_added_content",
]
