"""What a projection of people says: stocks, flows, openings, gaps, hours, cost, year by year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.people.expectation import OF_CELLS
from withstand.people.pipelines import MOVE_AGE, MOVE_REGION, MOVE_TRANSFER

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork
    from withstand.model.provenance import Provenance
    from withstand.model.scenario import Scenario
    from withstand.people.expectation import Played
    from withstand.people.pipelines import Pipeline

Array = np.ndarray
BY = ("occupation", "region")
SMALLEST_GAP = 1e-9
"""Share of the need below which a gap is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Projection:
    """A pipeline of people played in expectation, and what it means for what is needed.

    Y years, C cells, G groups (occupation x region), P programmes. People of a year are those at
    work over the year: at the start of its steps, on average. What graduates in a step is at work
    from the next step on.

    Parameters
    ----------
    pipeline : Pipeline
    played : Played
        Stocks and flows as arrays.
    groups : DataFrame, G rows
        occupation, region, product, hours (a person works a year).
    group_of : ndarray of int64, shape (C,)
    needed : ndarray of float64, shape (Y + 1, G), people, or None
        Need of each year and of the year after the last, NaN for occupations whose need is not
        known; None where none is.
    output : ndarray of float64, shape (Y + 1,)
        Planned final demand, as a multiple of that at rest.
    cost : ndarray of float64, shape (Y, P), currency per year
        Places paid for, on entry.
    people_without : ndarray of float64, shape (Y, G), people
        Of each year, if nobody entered a programme from the first year on.
    per_year : float
        Periods of the network (or of the tables) in a year.
    findings : tuple of Finding
    provenance : Provenance
    """

    pipeline: Pipeline
    played: Played
    groups: pl.DataFrame
    group_of: Array
    needed: Array | None
    output: Array
    cost: Array
    people_without: Array
    per_year: float
    findings: tuple[Finding, ...]
    provenance: Provenance

    @property
    def years(self) -> Array:
        """The calendar years played, ndarray of int64, shape (Y,)."""
        return self.pipeline.years

    @property
    def conservation(self) -> float:
        """Largest imbalance of people found in any step, as a share of all who were there."""
        return self.played.imbalance

    @property
    def people(self) -> Array:
        """People at work by year and group: ndarray of float64, shape (Y, G), people."""
        return self._of_groups(people_of_years(self.pipeline, self.played.stock))

    def _of_groups(self, values: Array) -> Array:
        """Sum cells (the last axis) to groups."""
        return sums_of(values, self.group_of, self.groups.height)

    # frames

    def to_frame(self) -> pl.DataFrame:
        """Return stocks by cell and year.

        occupation, region, age_band, qualification, year, people (over the year), people_start,
        people_end, elsewhere_end.
        """
        k = self.pipeline.steps_per_year
        stock, elsewhere = self.played.stock, self.played.elsewhere
        return self._by_cell(
            {
                "people": people_of_years(self.pipeline, stock),
                "people_start": stock[:-1:k],
                "people_end": stock[k::k],
                "elsewhere_end": elsewhere[k::k],
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def in_training(self) -> pl.DataFrame:
        """Return people in training: programme, occupation, region, year, steps_left, people.

        At the start of each year, and at the end of the last as the year after it.
        """
        years = np.append(self.years, self.years[-1] + 1)
        y, p, left = np.nonzero(self.played.training)
        labels = self.pipeline.programmes[p]
        return labels.with_columns(
            pl.Series("year", years[y]),
            pl.Series("steps_left", left + 1),
            pl.Series("people", self.played.training[y, p, left]),
        )

    def flows(self) -> pl.DataFrame:
        """Return flows by cell and year, people.

        Into work: placed (graduates), arrivals, comeback (from elsewhere), transfers_in,
        region_in, older_in. Out of work: exits, drift (to elsewhere), drawn (into training),
        transfers_out, region_out, older_out. Beside work: to_elsewhere (graduates without a
        place), exits_elsewhere.
        """
        r = self.played
        moved = {
            f"{name}_{way}": flow[kind]
            for name, kind in (
                ("transfers", MOVE_TRANSFER),
                ("region", MOVE_REGION),
                ("older", MOVE_AGE),
            )
            for way, flow in (("in", r.moved_in), ("out", r.moved_out))
        }
        return self._by_cell({**{name: getattr(r, name) for name in OF_CELLS}, **moved})

    def programmes(self) -> pl.DataFrame:
        """Return what programmes do: programme, occupation, region, year, entrants, graduates, ...

        Entrants, graduates and dropouts in people, cost in currency (of the places of entrants).
        """
        r = self.played
        frame = self._stacked(
            self.pipeline.programmes,
            {
                "entrants": r.entrants,
                "graduates": r.graduates,
                "dropouts": r.dropouts,
                "cost": self.cost,
            },
        )
        keys = [*self.pipeline.programmes.columns, "year"]
        return frame.group_by(keys, maintain_order=True).sum()

    def openings(self, by: str | Sequence[str] = BY) -> pl.DataFrame:
        """Return openings by group and year, people.

        openings = growth + exits + transfers_out + to_elsewhere + into_training (gross, as the
        Bureau of Labor Statistics counts them); needed_entrants = openings - transfers_in -
        from_elsewhere. Growth is that of the need to the next year or, where no need is known, of
        the people at work; then needed_entrants are the entrants: graduates placed and arrivals.
        Transfers are those to listed occupations and regions: out and in sum to the same.

        Parameters
        ----------
        by : sequence of {"occupation", "region"}
        """
        return self._openings(by, np.ones(self.groups.height, dtype=bool))

    def _openings(self, by: str | Sequence[str], of: Array) -> pl.DataFrame:
        """Return openings of some of the groups."""
        r, k = self.played, self.pipeline.steps_per_year
        shifted = (MOVE_TRANSFER, MOVE_REGION)
        growth = self._of_groups(r.stock[k::k] - r.stock[:-1:k])
        if self.needed is not None:
            growth = np.where(self._is_known, np.diff(self.needed, axis=0), growth)
        flows = {
            "people": self.people,
            "growth": growth,
            "exits": self._of_groups(r.exits),
            "transfers_out": self._of_groups(sum(r.moved_out[kind] for kind in shifted)),
            "to_elsewhere": self._of_groups(r.drift),
            "into_training": self._of_groups(r.drawn),
            "transfers_in": self._of_groups(sum(r.moved_in[kind] for kind in shifted)),
            "from_elsewhere": self._of_groups(r.comeback),
            "entrants": self._of_groups(r.placed + r.arrivals),
        }
        gross = pl.sum_horizontal(
            "growth", "exits", "transfers_out", "to_elsewhere", "into_training"
        )
        net = pl.col("openings") - pl.col("transfers_in") - pl.col("from_elsewhere")
        frame = self._summed(flows, by, of).with_columns(openings=gross)
        return frame.with_columns(needed_entrants=net)

    def gaps(self, by: str | Sequence[str] = BY) -> pl.DataFrame:
        """Return need against supply by group and year; occupations of unknown need are left out.

        needed, people, gap (people missing), surplus, entrants, needed_entrants (of `openings`) and
        coverage = entrants / needed_entrants (empty where none are needed).

        Raises
        ------
        UsageError
            If no need is known.
        """
        values = {"needed": self._known_need()[:-1], "people": self.people}
        openings = self._openings(by, self._is_known)
        missing = values["needed"] - values["people"]
        small = np.abs(missing) <= SMALLEST_GAP * np.maximum(values["needed"], 1.0)
        missing = np.where(small, 0.0, missing)
        values |= {"gap": np.maximum(missing, 0.0), "surplus": np.maximum(-missing, 0.0)}
        wanted = pl.col("needed_entrants")
        coverage = pl.when(wanted > 0).then(pl.col("entrants") / wanted)
        return (
            self._summed(values, by, self._is_known)
            .with_columns(openings["entrants"], openings["needed_entrants"])
            .with_columns(coverage=coverage)
        )

    def first_gaps(self, by: str | Sequence[str] = BY) -> pl.DataFrame:
        """Return the first year of a gap (opens), and the first after it without one (closes).

        Empty where there is none; largest is the largest gap of any year, people.
        """
        keys = self._keys(by)
        gaps = self.gaps(by)
        opens = pl.col("year").filter(pl.col("gap") > 0).min()
        return gaps.group_by(keys, maintain_order=True).agg(
            opens.alias("opens"),
            pl.col("year").filter((pl.col("gap") == 0) & (pl.col("year") > opens)).min()
            .alias("closes"),
            pl.col("gap").max().alias("largest"),
        )  # fmt: skip

    def hours(self) -> pl.DataFrame:
        """Return hours of a year by group: product, people, hours supplied and needed."""
        each = self.groups["hours"].to_numpy()
        values = {"people": self.people, "hours": self.people * each}
        if self.needed is not None:
            values["hours_needed"] = self.needed[:-1] * each
        frame = self._stacked(self.groups.drop("hours"), values)
        return frame.with_columns(pl.selectors.float().fill_nan(None))

    def mismatch(self, of: str = "people", by: str | Sequence[str] = BY) -> pl.DataFrame:
        """Return, for each year, half the sum of absolute differences of shares, 0 to 1.

        Parameters
        ----------
        of : {"people", "entrants"}
            Shares of the people at work against the shares of the need; or of the entrants
            against those of the needed entrants (the negative ones count as none).
        by : sequence of {"occupation", "region"}

        Returns
        -------
        DataFrame
            year, mismatch: the share that would have to be somewhere else; empty where there is
            nobody, or nothing is needed.
        """
        pairs = {"people": ("people", "needed"), "entrants": ("entrants", "needed_entrants")}
        if of not in pairs:
            raise UsageError(f"of must be one of {', '.join(pairs)}, not '{str(of)[:40]}'.")
        there, wanted = (pl.col(c).clip(lower_bound=0.0) for c in pairs[of])
        shares = [x / x.sum().over("year") for x in (there, wanted)]
        difference = 0.5 * (shares[0] - shares[1]).abs()
        return (
            self.gaps(by)
            .select("year", difference.fill_nan(None).alias("mismatch"))
            .group_by("year", maintain_order=True)
            .agg(pl.when(pl.col("mismatch").is_not_null().all()).then(pl.col("mismatch").sum()))
        )

    # sums

    @property
    def total_cost(self) -> float:
        """Cost of the places of all entrants, currency; costs not stated count as none."""
        return float(self.cost.sum())

    @property
    def vacancies_closed(self) -> float:
        """Vacancy-years (people missing, summed over years) that the entrants of programmes close.

        Against the same years without entrants; those in training at the start are in both.
        """
        needed = self._known_need()[:-1]
        without = np.maximum(needed - self.people_without, 0.0)
        return float(np.nansum(without - np.maximum(needed - self.people, 0.0)))

    @property
    def cost_per_vacancy_year(self) -> float | None:
        """Cost of one closed vacancy-year, currency; None if none is closed."""
        closed = self.vacancies_closed
        return self.total_cost / closed if closed > SMALLEST_GAP else None

    # back into the engines

    def network(self, network: ProductionNetwork) -> ProductionNetwork:
        """Return the network at the largest planned output; see `supplies.network_with_people`."""
        from withstand.people.supplies import network_with_people

        return network_with_people(self, network)

    def scenario(self, network: ProductionNetwork, name: str = "people") -> Scenario:
        """Return missing hours and planned demand as shocks; see `supplies.scenario_of_people`."""
        from withstand.people.supplies import scenario_of_people

        return scenario_of_people(self, network, name)

    # how frames are made

    def _known_need(self) -> Array:
        if self.needed is None:
            raise UsageError(
                "No need is known. Give needs= (occupation, year, people), fill people_needed in "
                "occupations, or project a network whose recipes take the hours."
            )
        return self.needed

    def _by_cell(self, values: dict[str, Array]) -> pl.DataFrame:
        return self._stacked(self.pipeline.cells, values)

    def _stacked(self, labels: pl.DataFrame, values: dict[str, Array]) -> pl.DataFrame:
        """Return a row for each label and year; values have shape (Y, labels)."""
        n, n_years = labels.height, len(self.years)
        rows = np.repeat(np.arange(n), n_years)
        columns = {name: np.ascontiguousarray(x.T).ravel() for name, x in values.items()}
        return labels[rows].with_columns(
            pl.Series("year", np.tile(self.years, n)),
            **{k: pl.Series(v) for k, v in columns.items()},
        )

    def _keys(self, by: str | Sequence[str]) -> list[str]:
        keys = [by] if isinstance(by, str) else list(by)
        if not keys or not set(keys) <= set(BY):
            raise UsageError(f"by must name some of {', '.join(BY)}, not {str(by)[:60]}.")
        return keys

    @property
    def _is_known(self) -> Array:
        """Which groups have a need that is known: ndarray of bool, shape (G,)."""
        if self.needed is None:
            return np.zeros(self.groups.height, dtype=bool)
        return ~np.isnan(self.needed[0])

    def _summed(self, values: dict[str, Array], by: str | Sequence[str], of: Array) -> pl.DataFrame:
        """Return rows by year for some groups, added up over what `by` does not name."""
        keys = [*self._keys(by), "year"]
        chosen = {name: x[:, of] for name, x in values.items()}
        frame = self._stacked(self.groups.select(BY).filter(pl.Series(of)), chosen)
        return frame.select(*keys, *values).group_by(keys, maintain_order=True).sum()

    def __repr__(self) -> str:
        """Return one line: years, people, gap."""
        first, last = int(self.years[0]), int(self.years[-1])
        k = self.pipeline.steps_per_year
        text = (
            f"<Projection {first} to {last}: {self.pipeline.n_cells:,} cells, "
            f"{self.pipeline.n_programmes:,} programmes, people {self.played.stock[0].sum():,.6g} "
            f"-> {self.played.stock[-1].sum():,.6g}, steps of 1/{k} year"
        )
        if self.needed is not None:
            gap = np.nansum(np.maximum(self.needed[:-1] - self.people, 0.0), axis=1)
            worst = int(gap.argmax())
            text += f", largest gap {gap[worst]:,.6g} in {self.years[worst]}"
        return text + ">"


def people_of_years(pipeline: Pipeline, stock: Array) -> Array:
    """Return people at the start of the steps of each year, on average, shape (Y, C)."""
    k = pipeline.steps_per_year
    return stock[:-1].reshape(len(pipeline.years), k, -1).mean(axis=1)


def sums_of(values: Array, group_of: Array, n_groups: int) -> Array:
    """Sum the last axis of an array of two, shape (rows, cells), to groups."""
    total = np.zeros((n_groups, values.shape[0]))
    np.add.at(total, group_of, values.T)
    return total.T
