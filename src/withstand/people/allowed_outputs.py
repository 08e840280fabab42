"""The output that hours allow: which occupation binds first, and how low it holds the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.people.projection_results import sums_of

if TYPE_CHECKING:
    from withstand.people.projection_results import Projection

SMALLEST_LACK = 1e-9
"""Share of planned output below which a lack is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AllowedOutput:
    """The output that the people of a projection allow, step by step.

    Output is a multiple of that at rest. Every occupation is needed for every unit, so the lowest
    multiple holds.

    Parameters
    ----------
    rows : DataFrame
        year, step (in its year, from 1), occupation, region, needed and people (in the step),
        planned and allowed (multiples of output at rest); rows of one step follow each other.
    """

    rows: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each occupation and step."""
        return self.rows

    def binding(self) -> pl.DataFrame:
        """Return a row for each step: planned, made (the lowest), and who binds (and is next).

        Columns occupation and next name those whose hours allow the least; occupation is empty in
        a step in which hours allow all that is planned.
        """
        by_step = self.rows.sort("allowed", maintain_order=True).group_by(
            "year", "step", maintain_order=True
        )
        least = by_step.agg(
            pl.col("planned").first(),
            pl.col("allowed").first(),
            pl.col("occupation").first(),
            pl.col("occupation").slice(1, 1).first().alias("next"),
            pl.col("allowed").slice(1, 1).first().alias("next_allowed"),
        ).sort("year", "step")
        is_short = pl.col("allowed") < pl.col("planned") * (1 - SMALLEST_LACK)
        return least.select(
            "year",
            "step",
            "planned",
            pl.min_horizontal("planned", "allowed").alias("made"),
            pl.when(is_short).then(pl.col("occupation")).alias("occupation"),
            "next",
            "next_allowed",
        )

    def first_to_bind(self) -> pl.DataFrame:
        """Return a row for each occupation that is ever short, the first one first.

        year and step in which it is short first, allowed then, lowest (share of planned output that
        its people allow, in the worst step). Among equals in time the lowest comes first.
        """
        short = self.rows.filter(pl.col("allowed") < pl.col("planned") * (1 - SMALLEST_LACK))
        return (
            short.sort("year", "step", maintain_order=True)
            .group_by("occupation", "region", maintain_order=True)
            .agg(
                pl.col("year").first(),
                pl.col("step").first(),
                pl.col("allowed").first(),
                (pl.col("allowed") / pl.col("planned")).min().alias("lowest"),
            )
            .sort("year", "step", "allowed", maintain_order=True)
        )

    def made(self) -> pl.DataFrame:
        """Return a row for each year: planned and made (means of steps), share = made / planned."""
        return (
            self.binding()
            .group_by("year", maintain_order=True)
            .agg(pl.col("planned", "made").mean())
            .with_columns((pl.col("made") / pl.col("planned")).alias("share"))
        )

    def __repr__(self) -> str:
        """Return one line: who binds first and last."""
        found = self.binding()
        last = found.row(-1, named=True)
        first = self.first_to_bind()
        if not first.height:
            return "<AllowedOutput: hours allow all that is planned>"
        year, step, who = first.select("year", "step", "occupation").row(0)
        return (
            f"<AllowedOutput: {who} binds first (year {year}, step {step}); in {last['year']} "
            f"{last['made']:.3g} of {last['planned']:.3g} can be made>"
        )


def allowed_output(projection: Projection) -> AllowedOutput:
    """Return the output that the people of a projection allow, step by step.

    Of each occupation and region: allowed = planned output x people at work / people needed, for
    needs are proportional to output; what can be made is the least of them. Groups that nothing
    needs are left out, and so are years in which no output is planned.

    Parameters
    ----------
    projection : Projection
        With a need.

    Returns
    -------
    AllowedOutput

    Raises
    ------
    UsageError
        If no need is known, or none is above 0.

    Notes
    -----
    Stocks of goods are no part of this: `stress.simulate` plays them. Hours of one occupation do
    not stand in for those of another.

    Examples
    --------
    Of ten grinders and ten welders one grinder in ten leaves each year; output grows by a tenth.

    >>> from withstand.people.projections import project
    >>> tables = {"occupations": pl.DataFrame({"occupation": ["GRINDER", "WELDER"],
    ...     "people": [10.0, 12.0], "exit_rate": [0.1, 0.0], "people_needed": [10.0, 10.0]})}
    >>> found = allowed_output(project(tables, years=[2026, 2027], output=[1.0, 1.1]))
    >>> found.binding()["made"].round(3).to_list()
    [1.0, 0.9]
    >>> found.first_to_bind()["occupation"].to_list()
    ['GRINDER']
    """
    if projection.needed is None or not (projection.needed[:-1] > 0).any():
        raise UsageError(
            "No need is known, so no output is held back. Give needs= (occupation, year, people), "
            "or project a network whose recipes take the hours."
        )
    k, n_groups = projection.pipeline.steps_per_year, projection.groups.height
    people = sums_of(projection.played.stock[:-1], projection.group_of, n_groups)
    needed = np.repeat(projection.needed[:-1], k, axis=0)
    planned = np.repeat(projection.output[:-1], k)
    step, group = np.nonzero((needed > 0) & (planned > 0)[:, None])
    there, wanted = people[step, group], needed[step, group]
    return AllowedOutput(
        rows=projection.groups[group]
        .select("occupation", "region")
        .with_columns(
            pl.Series("year", projection.years[step // k]),
            pl.Series("step", step % k + 1),
            pl.Series("needed", wanted),
            pl.Series("people", there),
            pl.Series("planned", planned[step]),
            pl.Series("allowed", planned[step] * there / wanted),
        )
        .select("year", "step", "occupation", "region", "needed", "people", "planned", "allowed")
    )
