"""The least-cost intake for the needs of a projection, out of the same tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.encoding import numbers
from withstand.people.cells import Cells
from withstand.people.intake_tables import OCCUPATIONS
from withstand.people.intakes import optimise_intake
from withstand.people.sources import people_tables

if TYPE_CHECKING:
    from withstand.people.intake_result import Intake
    from withstand.people.projection_results import Projection
    from withstand.people.sources import PeopleTables

Array = np.ndarray
_OURS = ("occupation", "region", "people", "exit_rate", "transfer_rate", "staff_cost")


def projected_intake(
    projection: Projection,
    source: Any,
    programmes: Any = None,
    *,
    aim: str = "cost",
    unmet_cost: float | None = None,
    place_cost: float | None = None,
    period: str = "year",
) -> Intake:
    """Return the intake that meets the needs of a projection at least cost.

    Parameters
    ----------
    projection : Projection
        Its years and its needs are met.
    source, programmes, period
        The tables that it was made from, as in `project`. Columns of `optimise_intake` that stand
        in the table of occupations (recruit_cost, unmet_cost ...) are taken; a limit holds in each
        region. Where staff_cost is not stated, a person on the books costs the wage.
    aim : {"cost", "redundancy", "unmet"}
    unmet_cost : float, optional, currency per person-year
        Let work stay undone at this cost, where the tables state none.
    place_cost : float, optional, currency per entrant
        Cost of programmes that state none.

    Returns
    -------
    Intake

    Raises
    ------
    UsageError
        If no need is known.
    DataError
        With every fault of the tables.

    Notes
    -----
    Who is there at the end of a year works all of it (`people.intake_programme`), while a
    projection counts the starts of its steps: a plan stands one year's exits ahead. Moves of
    people on their own, arrivals, people elsewhere and placements are not in it; `left_out` says
    which of these the tables hold.

    Examples
    --------
    >>> from withstand.people import project
    >>> tables = {"occupations": {"occupation": ["NURSE"], "people": [10], "people_needed": [10]},
    ...           "programmes": {"programme": ["SCHOOL"], "occupation": ["NURSE"],
    ...                          "duration": [1], "seats": [9], "cost": [2]}}
    >>> found = project(tables, years=[2026, 2027, 2028], output=[1, 1, 1.5])
    >>> plan = projected_intake(found, tables)
    >>> plan.objective, plan.entrants["entrants"].to_list()
    (10.0, [0.0, 5.0, 0.0])
    """
    tables = people_tables(source, programmes, period)
    intakes = tables.frames.get("intakes")
    if intakes is not None:
        intakes = intakes.filter(pl.col("year") < int(projection.years[0]))
    return optimise_intake(
        needs_of(projection),
        _occupations(projection, tables, unmet_cost),
        programmes=_programmes(tables, place_cost),
        intakes=intakes,
        aim=aim,
        period=tables.period,
    )


def needs_of(projection: Projection) -> pl.DataFrame:
    """Return the needs of a projection: occupation, region, year, people.

    Raises
    ------
    UsageError
        If no need is known.
    """
    needed = projection.needed
    if needed is None:
        raise UsageError(
            "No need is known, so there is nothing to take people in for. Fill people_needed in "
            "occupations, or give needs (occupation, year, people)."
        )
    known = np.flatnonzero(~np.isnan(needed[0]))
    years = projection.years
    return projection.groups[np.repeat(known, len(years))].select(
        "occupation",
        "region",
        pl.Series("year", np.tile(years, len(known))),
        pl.Series("people", np.ascontiguousarray(needed[:-1, known].T).ravel()),
    )


def left_out(source: Any, programmes: Any = None, period: str = "year") -> tuple[str, ...]:
    """Return in words what the tables hold and an intake does not know."""
    frames = people_tables(source, programmes, period).frames
    people = frames.get("people", pl.DataFrame())
    said = {
        "moves of people on their own (transfers)": "transfers" in frames,
        "arrivals": bool(np.nansum(numbers(people, "arrivals", 0.0))),
        "people elsewhere who come back": bool(np.nansum(numbers(people, "return_rate", 0.0))),
        "placements outside a programme's occupation": "placements" in frames,
    }
    return tuple(words for words, is_there in said.items() if is_there)


def _occupations(
    projection: Projection, tables: PeopleTables, unmet_cost: float | None
) -> pl.DataFrame:
    """Return a row for each occupation and region: who is there, who leaves, what can be done."""
    frame = tables.frames["occupations"]
    groups = projection.groups.select("occupation", "region")
    rows = pl.DataFrame(
        {
            **groups.to_dict(as_series=False),
            **_stocks(Cells(tables), groups),
        }
    )
    cost = "staff_cost" if "staff_cost" in frame.columns else "wage"
    more = [c for c in OCCUPATIONS.names if c in frame.columns and c not in _OURS]
    stated = frame.select(
        "occupation",
        *more,
        pl.Series("staff_cost", numbers(frame, cost, 0.0))
        if frame.schema.get(cost, pl.Float64).is_numeric()
        else pl.col(cost).alias("staff_cost"),
    )
    joined = rows.join(stated, on="occupation", how="left", maintain_order="left")
    if unmet_cost is not None and not {"unmet_cost", "unmet_limit"} & set(more):
        joined = joined.with_columns(pl.lit(float(unmet_cost)).alias("unmet_cost"))
    return joined


def _stocks(cells: Cells, groups: pl.DataFrame) -> dict[str, list[float]]:
    """Return people of each group with their mean rates."""
    found: dict[str, list[float]] = {"people": [], "exit_rate": [], "transfer_rate": []}
    for occupation, region in groups.rows():
        at = cells.of(occupation, region)
        people = np.array([cells.stock[k] for k in at])
        weight = people if people.sum() > 0 else np.ones(len(at))
        found["people"].append(float(people.sum()))
        for name, values in (("exit_rate", cells.exit), ("transfer_rate", cells.transfer)):
            rates = np.nan_to_num(np.array([values[k] for k in at]))
            found[name].append(float(weight @ rates / weight.sum()) if at else 0.0)
    return found


def _programmes(tables: PeopleTables, place_cost: float | None) -> pl.DataFrame | None:
    frame = tables.frames.get("programmes")
    if frame is None:
        return None
    region = pl.col("region").fill_null(tables.home) if "region" in frame.columns else None
    frame = frame.with_columns((pl.lit(tables.home) if region is None else region).alias("region"))
    if place_cost is not None:
        cost = pl.col("cost").fill_null(place_cost) if "cost" in frame.columns else None
        frame = frame.with_columns(
            (pl.lit(float(place_cost)) if cost is None else cost).alias("cost")
        )
    return frame
