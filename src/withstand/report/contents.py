"""What a report shows: results that the workbench computed, and nothing of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from withstand.measures.concentrations import Concentration
    from withstand.measures.coverages import Coverage
    from withstand.measures.exposures import Exposure
    from withstand.model.network import ProductionNetwork
    from withstand.stress.simulation import Simulation


@dataclass(frozen=True, kw_only=True, eq=False)
class Contents:
    """Everything one report is drawn from.

    Parameters
    ----------
    network : ProductionNetwork
    exposure : Exposure, optional
        By region; None where no final product has a price.
    concentration, functional : Concentration
        Face value, and what stops when a region is lost, all tiers counted.
    losses : polars.DataFrame
        One row per region: region, name, then feasible output (0 to 1) after its loss and the
        first binding product under the rules none and shared: `none`, `shared`,
        `binding_none`, `binding_shared`; worst first.
    whole, without_worst, without_worst_shared : Coverage
        Coverage with all regions, and without the worst one under both rules.
    worst_region : str
    runs : tuple of Simulation
        The same loss of each of the worst regions, played one at a time, largest loss first.
    shared_run : Simulation
        The first of them under the rule shared.
    made_at : str
        Date and time.
    """

    network: ProductionNetwork
    exposure: Exposure | None
    concentration: Concentration
    functional: Concentration
    losses: pl.DataFrame
    whole: Coverage
    without_worst: Coverage
    without_worst_shared: Coverage
    worst_region: str
    runs: tuple[Simulation, ...]
    shared_run: Simulation
    made_at: str
