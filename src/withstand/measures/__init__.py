"""Numbers about a network at rest: what it depends on, through every tier."""

from __future__ import annotations

from withstand.measures.candidate_results import LocaliseCandidates
from withstand.measures.cluster_results import Clusters
from withstand.measures.cluster_searches import clusters
from withstand.measures.colocated_clusters import RegionalClusters, regional_clusters
from withstand.measures.complexities import Complexity, complexity
from withstand.measures.complexity_ranks import RankIntervals, rank_intervals
from withstand.measures.concentrations import Concentration, concentration
from withstand.measures.cooperation import partners
from withstand.measures.coverages import Coverage, coverage, coverage_by_region
from withstand.measures.criticalities import Criticality, criticality
from withstand.measures.export_decompositions import ExportDecomposition, export_decomposition
from withstand.measures.exposures import Exposure, exposure
from withstand.measures.extractions import Extraction, extraction
from withstand.measures.footprints import Footprint, footprint
from withstand.measures.histories import over_time
from withstand.measures.linkages import Multipliers, multipliers
from withstand.measures.localisation_candidates import localise_candidates
from withstand.measures.localisations import Localisation, localisation
from withstand.measures.location_quotients import LocationQuotient, location_quotient
from withstand.measures.matrix_balancing import Balanced, balance
from withstand.measures.national_flows import national_economy
from withstand.measures.participations import Participation, participation
from withstand.measures.partner_results import Partners
from withstand.measures.path_search import StructuralPaths, structural_paths
from withstand.measures.positions import Position, downstreamness, upstreamness
from withstand.measures.product_codes import ProductCodes
from withstand.measures.production_concentrations import (
    ProductionConcentration,
    production_concentration,
)
from withstand.measures.raw_material_risks import RawMaterialRisk, raw_material_risk
from withstand.measures.reaches import within_reach
from withstand.measures.regional_results import Regionalisation
from withstand.measures.regionalisations import regionalise
from withstand.measures.related_densities import RelatedDensity, related_density
from withstand.measures.reliabilities import governance_reliability, voting_reliability
from withstand.measures.reliances import Reliance, foreign_reliance
from withstand.measures.reporting_errors import ReportingError
from withstand.measures.research_capabilities import ResearchCapability, research_capability
from withstand.measures.screen_presets import (
    ScreenCondition,
    ScreenPreset,
    known_screens,
    read_screens,
)
from withstand.measures.screening import Screens, screens
from withstand.measures.substitutions import Rerouting, Substitution, substitution
from withstand.measures.value_added import ValueContent, value_added_content

__all__ = [
    "Balanced",
    "Clusters",
    "Complexity",
    "Concentration",
    "Coverage",
    "Criticality",
    "ExportDecomposition",
    "Exposure",
    "Extraction",
    "Footprint",
    "Localisation",
    "LocaliseCandidates",
    "LocationQuotient",
    "Multipliers",
    "Participation",
    "Partners",
    "Position",
    "ProductCodes",
    "ProductionConcentration",
    "RankIntervals",
    "RawMaterialRisk",
    "RegionalClusters",
    "Regionalisation",
    "RelatedDensity",
    "Reliance",
    "ReportingError",
    "Rerouting",
    "ResearchCapability",
    "ScreenCondition",
    "ScreenPreset",
    "Screens",
    "StructuralPaths",
    "Substitution",
    "ValueContent",
    "balance",
    "clusters",
    "complexity",
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
    "governance_reliability",
    "known_screens",
    "localisation",
    "localise_candidates",
    "location_quotient",
    "multipliers",
    "national_economy",
    "over_time",
    "participation",
    "partners",
    "production_concentration",
    "rank_intervals",
    "raw_material_risk",
    "read_screens",
    "regional_clusters",
    "regionalise",
    "related_density",
    "research_capability",
    "screens",
    "structural_paths",
    "substitution",
    "upstreamness",
    "value_added_content",
    "voting_reliability",
    "within_reach",
]
