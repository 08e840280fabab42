"""What is computed of people for a page, and for the section in the report of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import nearest
from withstand.people import project, simulate_people
from withstand.report.people_contents import PeopleContents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from withstand.model.network import ProductionNetwork
    from withstand.people.people_needed import OutputPath
    from withstand.people.projection_results import Projection
    from withstand.people.targets import Attainment

YEARS = 10
"""Years that a report looks ahead."""
LEVELS = (0.05, 0.5, 0.95)


def has_people(network: ProductionNetwork) -> bool:
    """Tell whether a network lists occupations."""
    return "occupations" in network.tables and network.tables["occupations"].height > 0


def gather_people(
    network: ProductionNetwork,
    years: Sequence[int],
    *,
    made_at: str,
    output: OutputPath = None,
    needs: Any = None,
    programmes: Any = None,
    assume_recipe: str = "shared",
    runs: int = 0,
    seed: int = 0,
    jobs: int = 1,
    aim: str | None = None,
    unmet_cost: float | None = None,
    place_cost: float | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> PeopleContents:
    """Project the people of a network, and what was asked for besides.

    Parameters
    ----------
    network : ProductionNetwork
    years : sequence of int
    made_at : str
        Date and time.
    output, needs, programmes, assume_recipe
        As in `people.project`.
    runs, seed, jobs : int
        Runs person by person for ranges; none: no ranges.
    aim : {"cost", "redundancy", "unmet"}, optional
        Look for the least intake, too.
    unmet_cost, place_cost : float, optional
        As in `people.projected_intake`.
    progress : callable, optional
        Called with the stage, steps done, steps in all.
    """
    say = progress or (lambda stage, done, total: None)
    say("projecting people", 0, 3)
    found = project(
        network, programmes, years, needs=needs, output=output, assume_recipe=assume_recipe
    )
    ranges = None
    if runs:
        say("playing them one by one", 1, 3)
        played = simulate_people(found.pipeline, seed=seed, runs=runs, jobs=jobs)
        ranges = played.ranges(LEVELS, by=("occupation",))
    intake = None
    left: tuple[str, ...] = ()
    if aim is not None:
        from withstand.people.projection_intakes import left_out, projected_intake

        say("looking for the least intake", 2, 3)
        intake = projected_intake(
            found, network, programmes, aim=aim, unmet_cost=unmet_cost, place_cost=place_cost
        )
        left = left_out(network, programmes)
    say("done", 3, 3)
    return PeopleContents(
        network=network,
        projection=found,
        made_at=made_at,
        names=_names(network),
        ranges=ranges,
        runs=runs,
        seed=seed,
        intake=intake,
        intake_left_out=left,
        attainment=_attainment(found, network),
    )


def people_of_report(
    network: ProductionNetwork, made_at: str
) -> tuple[PeopleContents | None, tuple[str, ...]]:
    """Return what a report says of people: ten years from its own, at today's output.

    Parameters
    ----------
    network : ProductionNetwork
    made_at : str
        Date and time of the report; begins with the year.

    Returns
    -------
    contents : PeopleContents or None
        None where the network lists no occupations, or its people cannot be projected.
    left_out : tuple of str
        Why not, in sentences.
    """
    if not has_people(network):
        return None, ()
    first = int(made_at[:4])
    try:
        return gather_people(network, range(first, first + YEARS), made_at=made_at), ()
    except DataError as error:
        said = error.findings[0].what
    except UsageError as error:
        said = str(error).rstrip(".")
    return None, (f"People were not projected: {said}.",)


def _names(network: ProductionNetwork) -> dict[str, str]:
    frame = network.tables["occupations"]
    if "name" not in frame.columns:
        return {}
    return {o: n for o, n in frame.select("occupation", "name").iter_rows() if n}


def _attainment(found: Projection, network: ProductionNetwork) -> Attainment | None:
    """Return what becomes of the targets of the tables; None where none is about these people."""
    table = network.tables.get("targets")
    if table is None or table.height == 0:
        return None
    from withstand.people.target_tables import INDICATORS
    from withstand.people.targets import attainment

    words = table["indicator"].unique().to_list()  # a slip of the pen is kept, and found there
    meant = [word for word in words if word in INDICATORS or nearest(word, list(INDICATORS))]
    wanted = table.filter(
        pl.col("indicator").is_in(meant) & pl.col("year").is_in(found.years.tolist())
    )
    return attainment(found, wanted, network) if wanted.height else None
