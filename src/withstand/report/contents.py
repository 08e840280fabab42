"""What a report shows: results that the workbench computed, and nothing of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from withstand.measures.concentrations import Concentration
    from withstand.measures.coverages import Coverage
    from withstand.measures.exposures import Exposure
    from withstand.model.network import ProductionNetwork
    from withstand.report.partner_contents import PartnerContents
    from withstand.report.people_contents import PeopleContents
    from withstand.stress.brackets import Bracket
    from withstand.stress.cascades import Cascade
    from withstand.stress.ensembles import Ensemble
    from withstand.stress.simulation import Simulation
    from withstand.stress.survival_times import Survival
    from withstand.stress.systemic_risk import SystemicRisk


@dataclass(frozen=True, kw_only=True, eq=False)
class Bracketed:
    """One scenario between the best answer and the simulation; None where not computed, and why."""

    run: Simulation
    bracket: Bracket | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class StressContents:
    """What the sections on stress are drawn from; None where a part was not computed.

    Parameters
    ----------
    risk : SystemicRisk, optional
        Of all nodes, or of the largest ones (`left_out` says so).
    enclosed : SystemicRisk, optional
        Of the riskiest nodes again, with certified bounds.
    own : ndarray of float64, shape (n_nodes,), 0 to 1
        What each node itself is of the whole; sums to 1.
    worst : Cascade, optional
        The failure that is replayed.
    worst_node : str
        Its label.
    losses : Ensemble, optional
    losses_are : str
        What the scenarios of `losses` are and how they are weighted, in one sentence.
    brackets : tuple of Bracketed
    survival : Survival, optional
    recovery : str
        What time to recover stands where the tables state none, in words.
    left_out : tuple of str
        What was left out and why, in sentences.
    """

    risk: SystemicRisk | None
    enclosed: SystemicRisk | None
    own: np.ndarray
    worst: Cascade | None
    worst_node: str
    losses: Ensemble | None
    losses_are: str
    brackets: tuple[Bracketed, ...]
    survival: Survival | None
    recovery: str
    left_out: tuple[str, ...]


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
    stress : StressContents, optional
        Systemic risk, cascade, losses, brackets and times to survive.
    people : PeopleContents, optional
        People of the next ten years; None where the network lists no occupations.
    partners : PartnerContents, optional
        Which regions with home carry how far; None where that makes no sense, or is too large.
    left_out : tuple of str
        What was not computed because of the network's size, in sentences.
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
    stress: StressContents | None = None
    people: PeopleContents | None = None
    partners: PartnerContents | None = None
    left_out: tuple[str, ...] = ()
