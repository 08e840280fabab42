"""What many runs of a pipeline, person by person, came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.model.provenance import Provenance

Array = np.ndarray
CELL = ("occupation", "region", "age_band", "qualification")
STOCKS = ("people_end", "elsewhere_end")
CELL_FLOWS = (
    "placed",
    "to_elsewhere",
    "exits",
    "exits_elsewhere",
    "drift",
    "comeback",
    "arrivals",
    "drawn",
)
PROGRAMME_COUNTS = ("training_end", "entrants", "graduates", "dropouts")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PeopleRuns:
    """Runs of a pipeline person by person: stocks at the end of each year, and flows of the year.

    R runs, C cells, P programmes, Y years. All arrays are int64 and count people.

    Parameters
    ----------
    cells, programmes : polars.DataFrame
        As in the pipeline, C and P rows.
    years : ndarray of int64, shape (Y,)
    steps_per_year : int
    at_work : ndarray, shape (R, C, Y)
        Sum over the steps of the year of who is at work at their start: `people` is its mean.
    people_end, elsewhere_end : ndarray, shape (R, C, Y)
        At the end of the year: at work in the cell; qualified for it but elsewhere.
    training_end : ndarray, shape (R, P, Y)
    people_at_start, elsewhere_at_start : ndarray, shape (R, C)
        Before the first step.
    training_at_start : ndarray, shape (R, P)
    placed, arrivals, comeback : ndarray, shape (R, C, Y)
        Into work: graduates, from outside, back from elsewhere.
    exits, drift, drawn : ndarray, shape (R, C, Y)
        Out of work: for good, to elsewhere, into programmes that take their entrants out of cells.
    to_elsewhere, exits_elsewhere : ndarray, shape (R, C, Y)
        Graduates without a place, who are elsewhere at first; for good, of those elsewhere.
    moved_out, moved_in : ndarray, shape (R, 3, C, Y)
        Changes of cell by MOVE_TRANSFER, MOVE_REGION, MOVE_AGE of `withstand.people.pipelines`.
    entrants, graduates, dropouts : ndarray, shape (R, P, Y)
        Who enters; who completes; who does not.
    seed : int
    provenance : Provenance
    """

    cells: pl.DataFrame
    programmes: pl.DataFrame
    years: Array
    steps_per_year: int
    at_work: Array
    people_end: Array
    elsewhere_end: Array
    training_end: Array
    people_at_start: Array
    elsewhere_at_start: Array
    training_at_start: Array
    placed: Array
    arrivals: Array
    comeback: Array
    exits: Array
    drift: Array
    drawn: Array
    to_elsewhere: Array
    exits_elsewhere: Array
    moved_out: Array
    moved_in: Array
    entrants: Array
    graduates: Array
    dropouts: Array
    seed: int
    provenance: Provenance

    def __repr__(self) -> str:
        return (
            f"PeopleRuns({self.n_runs:,} runs of {self.people_end.shape[1]:,} cells and "
            f"{self.training_end.shape[1]:,} programmes, {self.years[0]} to {self.years[-1]}, "
            f"{self.people_per_run.mean():,.0f} people a run, seed {self.seed})"
        )

    @property
    def n_runs(self) -> int:
        """Number of runs R."""
        return len(self.people_end)

    @property
    def people_per_run(self) -> Array:
        """How many people ever were in the pipeline, at the start or later, shape (R,)."""
        start = (
            self.people_at_start.sum(1)
            + self.elsewhere_at_start.sum(1)
            + self.training_at_start.sum(1)
        )
        from_outside = self.entrants.sum((1, 2)) - self.drawn.sum((1, 2))
        return start + self.arrivals.sum((1, 2)) + from_outside

    @property
    def people(self) -> Array:
        """At work over the year, the mean of the starts of its steps, float64, shape (R, C, Y)."""
        return self.at_work / self.steps_per_year

    @property
    def gone(self) -> Array:
        """Who is gone by the end of each year, those who gave up training counted, shape (R, Y)."""
        gone = self.exits.sum(1) + self.exits_elsewhere.sum(1) + self.dropouts.sum(1)
        return np.cumsum(gone, axis=1)

    def mean(self, what: str = "people") -> Array:
        """Return the mean over the runs of one of the arrays, by its name."""
        return self._named(what, ("people", *STOCKS, *CELL_FLOWS, *PROGRAMME_COUNTS)).mean(0)

    def ranges(
        self,
        levels: Sequence[float] = (0.05, 0.5, 0.95),
        by: Sequence[str] = ("occupation", "region"),
        what: str = "people",
    ) -> pl.DataFrame:
        """Return between which numbers a stock or flow lies, by group of cells and year.

        Sums are made within each run, then quantiles over the runs (between two runs on a straight
        line): the range of a sum is not the sum of ranges. What they tell is chance for persons
        only, with all rates known. Quantiles of few runs are rough: of one, all are the same.

        Parameters
        ----------
        levels : sequence of float, 0 to 1
        by : sequence of str
            Columns of `cells` that make a group; none: everybody.
        what : str
            people (over the year), people_end, elsewhere_end, or a flow of the cells.

        Returns
        -------
        polars.DataFrame
            The columns of `by`, year, mean, and one column a level: p5, p50, p95 (people).
        """
        values = self._named(what, ("people", *STOCKS, *CELL_FLOWS))
        parts = np.asarray(levels, float)
        if parts.ndim != 1 or not np.all((parts >= 0.0) & (parts <= 1.0)):
            raise UsageError(f"levels must be numbers from 0 to 1, not {levels!r}.")
        columns = [by] if isinstance(by, str) else list(by)
        for name in columns:
            if name not in self.cells.columns:
                raise UsageError(
                    f"There is no column '{name}' to group by; use {', '.join(self.cells.columns)}."
                )
        groups, number = _grouped(self.cells, columns)
        sums = np.zeros((groups.height, self.n_runs, len(self.years)), values.dtype)
        np.add.at(sums, number, values.transpose(1, 0, 2))
        sums = sums.transpose(1, 0, 2)
        found = np.quantile(sums, parts, axis=0)
        names = [f"p{100 * level:g}" for level in parts]
        frame = _by_year(groups, self.years).with_columns(mean=pl.Series(sums.mean(0).ravel()))
        return frame.with_columns(
            pl.Series(name, column.ravel()) for name, column in zip(names, found, strict=True)
        )

    def to_frame(self) -> pl.DataFrame:
        """Return stocks and flows by run, cell and year: R x C x Y rows."""
        shown = {name: getattr(self, name) for name in ("people", *STOCKS, *CELL_FLOWS)}
        shown["moved_in"] = self.moved_in.sum(1)
        shown["moved_out"] = self.moved_out.sum(1)
        return self._runs_of(self.cells, shown)

    def programmes_to_frame(self) -> pl.DataFrame:
        """Return training, entrants and graduates by run, programme and year: R x P x Y rows."""
        shown = {name: getattr(self, name) for name in PROGRAMME_COUNTS}
        return self._runs_of(self.programmes, shown)

    def _runs_of(self, rows: pl.DataFrame, shown: dict[str, Array]) -> pl.DataFrame:
        runs = pl.DataFrame({"run": np.arange(self.n_runs)})
        frame = _by_year(runs.join(rows, how="cross", maintain_order="left_right"), self.years)
        return frame.with_columns(pl.Series(name, v.ravel()) for name, v in shown.items())

    def _named(self, what: str, known: Sequence[str]) -> Array:
        if what not in known:
            raise UsageError(f"'{what}' is not counted so; use one of {', '.join(known)}.")
        values: Array = getattr(self, what)
        return values


def _by_year(rows: pl.DataFrame, years: Array) -> pl.DataFrame:
    """Return the rows once for every year, years last."""
    return rows.join(pl.DataFrame({"year": years}), how="cross", maintain_order="left_right")


def _grouped(cells: pl.DataFrame, columns: list[str]) -> tuple[pl.DataFrame, Array]:
    """Return the groups in the order in which they first stand, and the group of each cell."""
    if not columns:
        return pl.DataFrame({"of": ["everybody"]}), np.zeros(cells.height, np.int64)
    keys = cells.select(columns)
    groups = keys.unique(maintain_order=True)
    numbers = keys.join(
        groups.with_row_index("group"), on=columns, how="left", maintain_order="left",
        nulls_equal=True,
    )  # fmt: skip
    return groups, numbers["group"].to_numpy().astype(np.int64)
