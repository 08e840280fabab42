"""People: who will be there, who is missing, written to a page or a workbook."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.readers.atomic import write_atomic
from withstand.workbench.progress import Progress, now, silent
from withstand.workbench.targets import REPORT_ENDINGS, report_targets

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.network import ProductionNetwork
    from withstand.people.people_needed import OutputPath
    from withstand.report.people_contents import PeopleContents


NO_OCCUPATIONS = (
    "There are no occupations, so nothing can be said of people. Write them in"
    " tables/occupations.csv (occupation, people, exit_rate, and people_needed; or, for a skill in"
    " the recipes, its product and hours_per_period) and their training in tables/programmes.csv"
    " (programme, occupation, duration, completion, seats, cost). For instance"
    " GRINDER,33,0.06,37 and APPRENTICES,GRINDER,182,0.7,12,20000. The sheets occupations, people,"
    " transfers, programmes, intakes and placements of withstand template show every column."
)


def people(
    network: ProductionNetwork,
    years: Sequence[int] | None = None,
    *,
    output: OutputPath = None,
    needs: pl.DataFrame | None = None,
    programmes: pl.DataFrame | None = None,
    assume_recipe: str = "shared",
    runs: int = 0,
    seed: int = 0,
    jobs: int = 1,
    aim: str | None = None,
    unmet_cost: float | None = None,
    place_cost: float | None = None,
    progress: Progress = silent,
) -> PeopleContents:
    """Say who will be there and who is missing; arguments as in `people_gathering.gather_people`.

    Raises
    ------
    UsageError
        If the network lists no occupations (and how to write them), or a number is not possible.
    DataError
        With every fault of the tables.
    """
    from withstand.report.people_gathering import YEARS, gather_people, has_people

    if not has_people(network):
        raise UsageError(NO_OCCUPATIONS)
    if years is None:
        first = int(now()[:4])
        years = range(first, first + YEARS)
    return gather_people(
        network,
        years,
        made_at=now(),
        output=output,
        needs=needs,
        programmes=programmes,
        assume_recipe=assume_recipe,
        runs=runs,
        seed=seed,
        jobs=jobs,
        aim=aim,
        unmet_cost=unmet_cost,
        place_cost=place_cost,
        progress=progress,
    )


def people_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a report of people, .html or .xlsx; there may be none."""
    return report_targets(paths) if paths else []


def write_people(contents: PeopleContents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write the report of people to each path: .html a page, .xlsx a workbook."""
    from withstand.report.people_page import people_page, people_workbook

    makers = dict(zip(REPORT_ENDINGS, (people_page, people_workbook), strict=True))
    targets = people_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets
