"""A projection with more programmes that nobody has entered yet, such as courses of upskilling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.conforming import conform_rows
from withstand.model.findings import Origin
from withstand.model.network import ProductionNetwork
from withstand.model.tables import TABLES
from withstand.people.building import build
from withstand.people.expectation import play
from withstand.people.projection_results import people_of_years, sums_of
from withstand.people.seat_paths import Seats, seats_of_built
from withstand.people.sources import frame_of

if TYPE_CHECKING:
    from withstand.people.pipelines import Pipeline
    from withstand.people.projection_results import Projection

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class WithProgrammes:
    """A projection with more programmes, and the places of all."""

    projection: Projection
    seats: Seats


def with_programmes(
    projection: Projection, source: Any, more: Any, programmes: Any, period: str
) -> WithProgrammes:
    """Return the projection with more programmes and no entrants in them, and their places.

    Parameters
    ----------
    projection : Projection
    source, programmes, period
        What the projection was made from.
    more : frame
        Programmes, in the columns of their table.

    Raises
    ------
    DataError
        With every fault of the programmes.
    UsageError
        If one of them is there already.
    """
    given = _conformed(frame_of(more, "upskilling"))
    present = _conformed(_programmes(source, programmes))
    twice = set(given["programme"]) & set(present["programme"])
    if twice:
        raise UsageError(
            f"The programme '{sorted(twice)[0]}' is there already; give others for upskilling."
        )
    steps = projection.pipeline.steps_per_year
    built = build(
        source,
        pl.concat([present, given], how="diagonal_relaxed"),
        projection.years.tolist(),
        steps_per_year=steps,
        period=period,
    )
    labels = built.pipeline.programmes["programme"]
    is_new = labels.is_in(given["programme"].implode()).to_numpy()
    if int((~is_new).sum()) != projection.pipeline.n_programmes:
        raise UsageError("The source has other programmes than the projection.")
    intake, waiting = built.pipeline.intake.copy(), built.pipeline.training.copy()
    intake[is_new], waiting[is_new] = 0.0, 0.0
    intake[~is_new] = projection.pipeline.intake
    pipeline = replace(built.pipeline, intake=intake, training=waiting)
    return WithProgrammes(
        projection=_of(projection, pipeline, built.cost),
        seats=seats_of_built(built, pipeline),
    )


def _conformed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the table of programmes; faults are found when it is built."""
    done = conform_rows(frame, TABLES["programmes"], Origin("programmes"))
    if not done.is_usable or done.frame["programme"].null_count():
        raise UsageError(
            "Programmes of upskilling need programme, occupation and duration, as in the table of "
            "programmes."
        )
    return done.frame


def _programmes(source: Any, programmes: Any) -> pl.DataFrame:
    if programmes is not None:
        return frame_of(programmes, "programmes")
    tables = source.tables if isinstance(source, ProductionNetwork) else source
    if "programmes" not in tables:
        return pl.DataFrame(schema=dict.fromkeys(TABLES["programmes"].required, pl.String))
    return frame_of(tables["programmes"], "programmes")


def _of(projection: Projection, pipeline: Pipeline, cost: Array) -> Projection:
    """Return the projection of another pipeline with the same needs."""
    old = projection.groups
    rows = {pair: g for g, pair in enumerate(old.select("occupation", "region").rows())}
    group_of = np.array(
        [
            rows.setdefault(pair, len(rows))
            for pair in pipeline.cells.select("occupation", "region").rows()
        ],
        dtype=np.int64,
    )
    added = list(rows)[old.height :]
    more = pl.DataFrame(added, schema={"occupation": pl.String, "region": pl.String}, orient="row")
    needed = projection.needed
    if needed is not None:
        stated = set(old.filter(~np.isnan(needed[0]))["occupation"])
        none = np.array([0.0 if occupation in stated else np.nan for occupation, _ in added])
        needed = np.hstack([needed, np.tile(none, (len(needed), 1))])
    played = play(pipeline)
    without = play(replace(pipeline, intake=np.zeros_like(pipeline.intake)))
    return replace(
        projection,
        pipeline=pipeline,
        played=played,
        groups=pl.concat([old, more], how="diagonal"),
        group_of=group_of,
        needed=needed,
        cost=np.asarray(played.entrants * np.nan_to_num(cost)),
        people_without=sums_of(
            people_of_years(pipeline, without.stock), group_of, old.height + len(added)
        ),
    )
