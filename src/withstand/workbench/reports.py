"""The report of a network: gather what it shows, write it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from withstand import measures, stress
from withstand.errors import UsageError
from withstand.readers.atomic import write_atomic
from withstand.workbench.progress import Progress, now, silent
from withstand.workbench.runs import region_losses
from withstand.workbench.scenarios import DEFAULT_DURATION, DEFAULT_RECOVERY, DEFAULT_SHARE
from withstand.workbench.targets import REPORT_ENDINGS, report_targets

if TYPE_CHECKING:
    from withstand.measures import Exposure
    from withstand.model.network import ProductionNetwork
    from withstand.report.contents import Contents
    from withstand.report.economy_page import EconomyContents
    from withstand.stress import Ensemble


MOST_RUNS = 6


def gather(
    network: ProductionNetwork,
    *,
    share: float | str = DEFAULT_SHARE,
    duration: str = DEFAULT_DURATION,
    recovery: str = DEFAULT_RECOVERY,
    losses: Ensemble | None = None,
    progress: Progress = silent,
) -> Contents:
    """Compute everything a report shows; of large networks the largest parts, and say so.

    Parameters
    ----------
    network : ProductionNetwork
    share, duration, recovery
        Of the loss of each region that is played.
    losses : Ensemble, optional
        A set of scenarios played before, whose losses the report shows; default: the loss of every
        region on its own, all equally likely.
    progress : callable, optional
        Called with the stage, steps done, steps in all.

    Raises
    ------
    UsageError
        If the network has one region only, so that none can be lost, or is too large for a report.
    """
    from withstand.report import gathering
    from withstand.report.contents import Contents
    from withstand.report.partner_gathering import partners_of_report
    from withstand.report.people_gathering import people_of_report

    steps = 8
    made_at = now()
    gathering.check_size(network)
    regions, left_out = gathering.regions_to_lose(network)
    is_large = gathering.is_large(network)
    progress("measuring exposure", 0, steps)
    exposure = _exposure(network)
    progress("measuring concentration", 1, steps)
    concentration = measures.concentration(network)
    functional = concentration
    if not is_large:
        functional = measures.concentration(network, look_through="functional")
    progress("losing each region", 2, steps)
    by_none = measures.coverage_by_region(network, regions)
    if by_none.height == 0:
        raise UsageError("All nodes are at home: a report needs a region that can be lost.")
    progress("losing each region, recipes shared", 3, steps)
    by_shared = by_none
    if not is_large:
        by_shared = measures.coverage_by_region(network, regions, assume_recipe="shared")
    by_region = by_none.select(
        "region", "name", none="feasible_output", binding_none="binding"
    ).join(
        by_shared.select("region", shared="feasible_output", binding_shared="binding"),
        on="region",
        how="left",
        maintain_order="left",
    )
    worst = str(by_region["region"][0])
    progress("covering without the worst region", 4, steps)
    whole = measures.coverage(network)
    without = measures.coverage(network, [worst])
    without_shared = without if is_large else measures.coverage(network, [worst], "shared")
    progress("playing the loss of regions", 5, steps)
    critical = by_region.sort(["none", "region"])["region"].to_list()[:MOST_RUNS]
    runs = region_losses(network, critical, share=share, duration=duration, recovery=recovery)
    progress("playing the worst again, recipes shared", 6, steps)
    shared_run = stress.simulate(network.under_rule("shared"), runs[0].scenario)
    progress("ranking failures", 7, steps)
    stressed = gathering.gather_stress(network, runs, duration=duration, losses=losses)
    people, why_none = people_of_report(network, made_at)
    partners, why_no_partners = partners_of_report(network, made_at)
    progress("done", steps, steps)
    return Contents(
        network=network,
        exposure=exposure,
        concentration=concentration,
        functional=functional,
        losses=by_region,
        whole=whole,
        without_worst=without,
        without_worst_shared=without_shared,
        worst_region=worst,
        runs=tuple(runs),
        shared_run=shared_run,
        made_at=made_at,
        stress=stressed,
        people=people,
        partners=partners,
        left_out=(*gathering.left_out_of(network, left_out), *why_none, *why_no_partners),
    )


def _exposure(network: ProductionNetwork) -> Exposure | None:
    """Return the exposure, or None where no final product has a price."""
    try:
        return measures.exposure(network)
    except UsageError:
        return None


def write_report(contents: Contents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write the report to each path: .html a page, .xlsx a workbook of every table."""
    from withstand.report.page import page
    from withstand.report.workbook import workbook

    makers = dict(zip(REPORT_ENDINGS, (page, workbook), strict=True))
    targets = report_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets


def gather_economy(network: ProductionNetwork, *, progress: Progress = silent) -> EconomyContents:
    """Compute everything that the report of an economy shows."""
    from withstand.report.economy_page import gather_economy as gather_all

    return gather_all(network, progress=progress)


def write_economy(contents: EconomyContents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write the report of an economy to each path: .html a page, .xlsx a workbook."""
    from withstand.report.economy_page import economy_page, economy_workbook

    makers = dict(zip(REPORT_ENDINGS, (economy_page, economy_workbook), strict=True))
    targets = report_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets
