"""Project people: play the pipeline of some tables in expectation, against what is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.model.provenance import Provenance, provenance_of, versions
from withstand.people.building import Built, build
from withstand.people.cells import Cells
from withstand.people.expectation import play
from withstand.people.people_needed import (
    OutputPath,
    factors_of,
    hours_per_period,
    needed_at_rest,
    needs_from,
)
from withstand.people.projection_results import Projection, people_of_years, sums_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.people.sources import PeopleTables

Array = np.ndarray
Group = tuple[str, str]


def project(
    source: ProductionNetwork | Any,
    programmes: Any = None,
    years: Sequence[int] | None = None,
    *,
    needs: Any = None,
    output: OutputPath = None,
    assume_recipe: str = "shared",
    steps_per_year: int | None = None,
    period: str = "year",
) -> Projection:
    """Say who will be there: the expected people of each year, and what is missing to the need.

    People are at work in an occupation (by region, age and qualification), in training, qualified
    but elsewhere, or gone. In each step those who complete their training take up work, people
    leave, move, come back and grow older, others arrive, and new entrants begin (the order, and
    what is counted when, stand in `withstand.people.pipelines`). A programme of three years that
    begins now gives nobody for three years.

    Parameters
    ----------
    source : ProductionNetwork, or mapping of str to frame
        Tables of the data dictionary: occupations, and optionally people, transfers, programmes,
        intakes, placements. Occupations alone have one group of people each, at home.
    programmes : frame, optional
        In place of the table of programmes.
    years : sequence of int
        Calendar years to play, each following the one before, as range(2026, 2036).
    needs : frame, optional
        occupation, year, people, and optionally region: people needed. Default: those of
        `withstand.people.people_needed`. Between the years named they change linearly.
    output : number, mapping of year to number, or a number for each year, optional
        Planned final demand as a multiple of that at rest, for needs by default.
    assume_recipe : {"shared", "none"}
        Whose hours count in needs by default; see `withstand.people.needs`.
    steps_per_year : int, optional
        Default: 1 if all durations are whole years, else 4. Durations are rounded to steps.
    period : str
        Period of durations and hours where the source is no network.

    Returns
    -------
    Projection

    Raises
    ------
    DataError
        With every fault of the tables at once.
    UsageError
        If an argument is not possible.

    Notes
    -----
    Rates are chances of each person, the same whoever it is and however long they have been
    there. In k steps a year they are turned so that a year loses as many. Entrants of a year are
    spread evenly over its steps.

    References
    ----------
    Bartholomew, Forbes and McClean (1991), Statistical Techniques for Manpower Planning, chapter 4.

    Examples
    --------
    Of 100 grinders one in ten leaves every year; ten apprentices a year need two years.

    >>> tables = {
    ...     "occupations": pl.DataFrame({"occupation": ["GRINDER"], "people": [100.0],
    ...                                  "exit_rate": [0.1], "people_needed": [100.0]}),
    ...     "programmes": pl.DataFrame({"programme": ["APPRENTICES"], "occupation": ["GRINDER"],
    ...                                 "duration": [2], "seats": [10]}),
    ... }
    >>> found = project(tables, years=range(2026, 2030))
    >>> found.to_frame()["people_end"].round(6).to_list()
    [90.0, 81.0, 82.9, 84.61]
    >>> found.gaps()["gap"].round(6).to_list()
    [0.0, 10.0, 19.0, 17.1]
    """
    built = build(source, programmes, years, steps_per_year=steps_per_year, period=period)
    pipeline, tables = built.pipeline, built.tables
    following = np.append(pipeline.years, pipeline.years[-1] + 1)
    factor = _output(output, following)
    if needs is not None:
        wanted = needs_from(needs, tables, following)
    else:
        at_rest = needed_at_rest(tables, Cells(tables), assume_recipe)
        wanted = {group: people * factor for group, (people, _) in at_rest.items()}
    groups, group_of = _groups(pipeline.cells, wanted)
    played = play(pipeline)
    without = play(replace(pipeline, intake=np.zeros_like(pipeline.intake)))
    labels, assumed = _labelled(groups, tables)
    return Projection(
        pipeline=pipeline,
        played=played,
        groups=labels,
        group_of=group_of,
        needed=_needed(groups, wanted, len(following)) if wanted else None,
        output=factor,
        cost=_cost(built, played.entrants),
        people_without=sums_of(people_of_years(pipeline, without.stock), group_of, len(groups)),
        per_year=tables.per_year,
        findings=(*built.findings, *assumed),
        provenance=_provenance(tables, pipeline.years, pipeline.steps_per_year, factor),
    )


def _output(output: OutputPath, following: Array) -> Array:
    """Return output of the years and of the year after them (as the last, if not stated)."""
    is_path = isinstance(output, Sequence | np.ndarray) and np.ndim(output) == 1
    if is_path and not isinstance(output, str):
        path = factors_of(output, following[:-1])
        return np.append(path, path[-1])
    return factors_of(output, following)


def _groups(cells: pl.DataFrame, wanted: dict[Group, Array]) -> tuple[dict[Group, int], Array]:
    """Return the groups of cells and needs with their index, and the group of each cell."""
    groups: dict[Group, int] = {}
    group_of = [
        groups.setdefault(pair, len(groups)) for pair in cells.select("occupation", "region").rows()
    ]
    for pair in wanted:
        groups.setdefault(pair, len(groups))
    return groups, np.array(group_of, dtype=np.int64)


def _needed(groups: dict[Group, int], wanted: dict[Group, Array], n_years: int) -> Array:
    """Return the need, shape (years + 1, groups): NaN for an occupation without any need.

    Where it is needed in some regions, nobody is needed in the others.
    """
    stated = {occupation for occupation, _ in wanted}
    start = [0.0 if occupation in stated else np.nan for occupation, _ in groups]
    needed = np.tile(np.array(start), (n_years, 1))
    for pair, people in wanted.items():
        needed[:, groups[pair]] = people
    return needed


def _labelled(groups: dict[Group, int], tables: PeopleTables) -> tuple[pl.DataFrame, Any]:
    """Return the labels of groups with their skill and the hours a person works a year."""
    occupations = tables.frames["occupations"]
    hours, assumed = hours_per_period(tables)
    row = {label: o for o, label in enumerate(occupations["occupation"])}
    product = (
        occupations["product"].to_list() if "product" in occupations.columns else [None] * len(row)
    )
    frame = pl.DataFrame(
        {
            "occupation": [o for o, _ in groups],
            "region": [r for _, r in groups],
            "product": [product[row[o]] for o, _ in groups],
            "hours": [float(hours[row[o]]) * tables.per_year for o, _ in groups],
        },
        schema_overrides={"product": pl.String},
    )
    return frame, assumed


def _cost(built: Built, entrants: Array) -> Array:
    """Return the cost of the places of entrants; unstated costs count as none."""
    return np.asarray(entrants * np.nan_to_num(built.cost))


def _provenance(tables: PeopleTables, years: Array, steps: int, factor: Array) -> Provenance:
    parameters = {
        "years": [int(years[0]), int(years[-1])],
        "steps_per_year": steps,
        "output": [float(f) for f in factor],
    }
    if tables.network is not None:
        return provenance_of("people.project", tables.network, parameters)
    return Provenance(
        what="people.project",
        network="tables",
        fingerprint="",
        parameters=parameters,
        versions=versions(),
    )
