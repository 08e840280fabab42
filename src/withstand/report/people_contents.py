"""What is said of people: results that the workbench computed, and the frames drawn from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.report.words import clean

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork
    from withstand.people.intake_result import Intake
    from withstand.people.projection_results import Projection
    from withstand.people.targets import Attainment

WHOLE = 1e-9
"""Share of the need below which a gap is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PeopleContents:
    """What is said of the people behind a network.

    Parameters
    ----------
    network : ProductionNetwork
    projection : Projection
    made_at : str
        Date and time.
    names : dict of str to str
        Names for people of occupations.
    ranges : polars.DataFrame, optional
        occupation, year, mean, p5, p50, p95 (people) of runs person by person.
    runs, seed : int
        How many runs there were (0: none), and their seed.
    intake : Intake, optional
        The least-cost intake.
    intake_left_out : tuple of str
        What the tables hold and the intake does not know, in words.
    attainment : Attainment, optional
        The targets of the tables, and what becomes of them.
    """

    network: ProductionNetwork
    projection: Projection
    made_at: str
    names: dict[str, str] = field(default_factory=dict)
    ranges: pl.DataFrame | None = None
    runs: int = 0
    seed: int = 0
    intake: Intake | None = None
    intake_left_out: tuple[str, ...] = ()
    attainment: Attainment | None = None

    def called(self, occupation: str) -> str:
        """Return the name of an occupation, safe to stand in a sentence."""
        return clean(self.names.get(occupation) or occupation)

    @property
    def has_needs(self) -> bool:
        """Whether the need of any occupation is known."""
        return self.projection.needed is not None and self.supply.height > 0

    @property
    def first(self) -> int:
        """The first year."""
        return int(self.projection.years[0])

    @property
    def last(self) -> int:
        """The last year."""
        return int(self.projection.years[-1])

    @property
    def regions(self) -> list[str]:
        """Regions in which anybody is or is needed."""
        regions: list[str] = self.projection.groups["region"].unique(maintain_order=True).to_list()
        return regions

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Warnings and notes of all parts, equal ones once."""
        found = [*self.projection.findings]
        if self.intake is not None:
            found += self.intake.findings
        if self.attainment is not None:
            found += self.attainment.findings
        return tuple(dict.fromkeys(found))

    @cached_property
    def supply(self) -> pl.DataFrame:
        """People against need by occupation, region and year; occupations of known need only.

        occupation, name, region, year, needed, people, met (people over needed; empty where
        nobody is needed), gap, surplus, needed_entrants, entrants, coverage.
        """
        if self.projection.needed is None:
            return pl.DataFrame(schema={"occupation": pl.String, "year": pl.Int64})
        return self._named(_with_met(self.projection.gaps()))

    @cached_property
    def by_occupation(self) -> pl.DataFrame:
        """The same by occupation and year, all regions together."""
        if self.projection.needed is None:
            return self.supply
        return self._named(_with_met(self.projection.gaps("occupation")))

    @cached_property
    def stocks(self) -> pl.DataFrame:
        """People at work by occupation, region and year, whether or not a need is known."""
        hours = self.projection.hours()
        return self._named(hours.select("occupation", "region", "year", "people"))

    @cached_property
    def first_gaps(self) -> pl.DataFrame:
        """When each occupation is first short, and how it stands: the worst gap first.

        occupation, name, now (people at the start), people and needed (of the first year),
        people_last, needed_last (of the last), met (the least of any year), opens, closes (years),
        largest (gap of any year).
        """
        gaps = self.projection.first_gaps("occupation")
        ends = self.by_occupation.group_by("occupation", maintain_order=True).agg(
            *(
                pl.col(c).sort_by("year").first() if at == 0
                else pl.col(c).sort_by("year").last().alias(f"{c}_last")
                for at in (0, 1) for c in ("people", "needed")
            ),
            pl.col("met").min(),
        )  # fmt: skip
        start = self.projection.to_frame().filter(pl.col("year") == self.first)
        now = start.group_by("occupation").agg(pl.col("people_start").sum().alias("now"))
        for frame in (now, gaps):
            ends = ends.join(frame, on="occupation", how="left", maintain_order="left")
        joined = self._named(ends.with_columns(pl.col("now").fill_null(0.0)))
        return joined.sort(["largest", "occupation"], descending=[True, False])

    @property
    def now(self) -> float:
        """People at work at the start; of occupations of known need where there are any."""
        if self.has_needs:
            return float(self.first_gaps["now"].sum())
        return float(self.projection.played.stock[0].sum())

    @cached_property
    def binding(self) -> pl.DataFrame:
        """The occupation that is short most, as a share, in each year: it limits output.

        year, output (planned, of that at rest), occupation, name, region, needed, people, met,
        possible (output that its people allow). Empty labels in years without a gap.
        """
        p = self.projection
        worst = (
            self.supply.filter(pl.col("met").is_not_null())
            .sort(["met", "occupation", "region"])
            .group_by("year", maintain_order=True)
            .first()
        )
        years = pl.DataFrame({"year": p.years, "output": p.output[:-1]})
        is_short = pl.col("met") < 1.0 - WHOLE
        found = years.join(worst, on="year", how="left", maintain_order="left").with_columns(
            pl.when(is_short).then(pl.col(c)) for c in ("occupation", "name", "region", "needed",
                                                        "people")
        )  # fmt: skip
        share = pl.col("met").fill_null(1.0).clip(0.0, 1.0)
        return found.select(
            "year", "output", "occupation", "name", "region", "needed", "people", met=share,
            possible=pl.col("output") * share,
        )  # fmt: skip

    @cached_property
    def by_year(self) -> pl.DataFrame:
        """All occupations together by year, people; where needs are known, those that have one.

        year, people, needed, gap (missing; surplus elsewhere does not fill it), openings,
        needed_entrants, entrants (who take up work), begin (enter training), graduates, dropouts,
        exits, cost.
        """
        openings = self.projection.openings("occupation")
        programmes = self.projection.programmes()
        needs = pl.DataFrame({"year": self.projection.years}).with_columns(
            pl.lit(None, dtype=pl.Float64).alias(c) for c in ("needed", "gap")
        )
        if self.has_needs:
            known = pl.col("occupation").is_in(self.supply["occupation"].unique().implode())
            openings, programmes = openings.filter(known), programmes.filter(known)
            needs = self.supply.group_by("year", maintain_order=True).agg(
                pl.col("needed", "gap").sum()
            )
        total = openings.group_by("year", maintain_order=True).agg(
            pl.col("people", "openings", "needed_entrants", "entrants", "exits").sum()
        )
        trained = programmes.group_by("year", maintain_order=True).agg(
            pl.col("entrants").sum().alias("begin"), pl.col("graduates", "dropouts", "cost").sum()
        )
        for frame in (needs, trained):
            total = total.join(frame, on="year", how="left", maintain_order="left")
        return total.select(
            "year", "people", "needed", "gap", "openings", "needed_entrants", "entrants",
            pl.col("begin", "graduates", "dropouts").fill_null(0.0), "exits",
            pl.col("cost").fill_null(0.0),
        )  # fmt: skip

    @cached_property
    def flows(self) -> pl.DataFrame:
        """Who went where, all occupations together: year, from, to, people.

        In each middle stage as many come in as go out. Between work and elsewhere the net flow
        is given; moves between listed occupations and regions stay within those employed.
        """
        return flow_rows(self.projection)

    @property
    def worst_year(self) -> int:
        """The year in which most people are missing; the last one where nobody is."""
        gaps = self.by_year
        if not self.has_needs or float(gaps["gap"].sum()) <= 0:
            return self.last
        return int(gaps.sort(["gap", "year"], descending=[True, False])["year"][0])

    def _named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Put the names of occupations behind their labels."""
        names = [self.names.get(o) or o for o in frame["occupation"]]
        at = frame.columns.index("occupation") + 1
        return frame.insert_column(at, pl.Series("name", names, dtype=pl.String))


def _with_met(gaps: pl.DataFrame) -> pl.DataFrame:
    met = pl.when(pl.col("needed") > 0).then(pl.col("people") / pl.col("needed")).alias("met")
    keys = [c for c in ("occupation", "region") if c in gaps.columns]
    return gaps.select(*keys, "year", "needed", "people", met, "gap", "surplus",
                       "needed_entrants", "entrants", "coverage")  # fmt: skip


def flow_rows(projection: Projection) -> pl.DataFrame:
    """Return who went where in each year, all occupations together: year, from, to, people.

    Examples
    --------
    >>> from withstand.people import project
    >>> tables = {"occupations": {"occupation": ["NURSE"], "people": [100], "exit_rate": [0.1]}}
    >>> flow_rows(project(tables, years=[2026])).rows()
    [(2026, 'employed at the start', 'employed', 100.0), (2026, 'employed', 'exits', 10.0), \
(2026, 'employed', 'employed at the end', 90.0)]
    """
    pipeline, played = projection.pipeline, projection.played
    k = pipeline.steps_per_year
    is_inside = pipeline.source >= 0

    def total(values: np.ndarray) -> np.ndarray:
        return np.asarray(values.reshape(len(values), -1).sum(axis=1))

    drawn = total(played.drawn)
    entrants = total(played.entrants[:, ~is_inside]) if is_inside.any() else total(played.entrants)
    graduates = total(played.graduates)
    to_elsewhere = total(played.to_elsewhere)
    net = total(played.drift) - total(played.comeback)
    stock, elsewhere = total(played.stock), total(played.elsewhere)
    training = total(played.training)
    pairs = {
        ("in training at the start", "in training"): training[:-1],
        ("entrants", "in training"): entrants,
        ("employed at the start", "in training"): drawn,
        ("in training", "graduates"): graduates,
        ("in training", "dropouts"): total(played.dropouts),
        ("in training", "in training at the end"): training[1:],
        ("employed at the start", "employed"): stock[:-1:k] - drawn,
        ("graduates", "employed"): graduates - to_elsewhere,
        ("graduates", "elsewhere"): to_elsewhere,
        ("arrivals", "employed"): total(played.arrivals),
        ("elsewhere at the start", "elsewhere"): elsewhere[:-1:k],
        ("elsewhere", "employed"): np.maximum(-net, 0.0),
        ("employed", "elsewhere"): np.maximum(net, 0.0),
        ("employed", "exits"): total(played.exits),
        ("elsewhere", "exits"): total(played.exits_elsewhere),
        ("employed", "employed at the end"): stock[k::k],
        ("elsewhere", "elsewhere at the end"): elsewhere[k::k],
    }
    rows = [
        (int(year), start, end, float(people[at]))
        for at, year in enumerate(projection.years)
        for (start, end), people in pairs.items()
        if people[at] > WHOLE
    ]
    schema = {"year": pl.Int64, "from": pl.String, "to": pl.String, "people": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
