"""All intakes that places allow, as a linear programme around the intake that is planned.

Let d[p,y] be the entrants of programme p in year y beyond those of the plan, spread evenly over its
k steps. From the first year in which the intake is free, it lies between nobody and the places:

    - planned[p,y] <= d[p,y] <= places[p,y] - planned[p,y],     d[p,y] = 0 before that year

Everything else follows the pipeline. With dN, dE the people at work and elsewhere beyond the plan:

    dN[c,t+1] = stay_c dN[c,t] + moves in + comeback_c dE[c,t]
                + sum_p completion_p share_pc d[p,t-L_p] - drawn d
    dE[c,t+1] = (1 - comeback_c - leave_c) dE[c,t] + drift_c dN[c,t] + graduates without a place
    drawn[c,t] + drawn d <= stay_c (N[c,t] + dN[c,t])         programmes whose entrants leave c

The plan itself (all d = 0) is one of the intakes, and the equations are those of `expectation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.people.expectation import Played, play

if TYPE_CHECKING:
    from withstand.people.pipelines import Pipeline

Array = np.ndarray
Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """constant + scale x (weights of columns), of a choice."""

    columns: Array
    weights: Array
    constant: float = 0.0
    scale: float = 1.0

    def at(self, values: Array) -> float:
        """Return what it is for the values of all columns."""
        return self.constant + self.scale * float(self.weights @ values[self.columns])


class EntryChoices:
    """The rows and columns of the programme; more can be added before it is solved.

    Parameters
    ----------
    pipeline : Pipeline
        With the planned intake.
    n_years : int
        Years that matter, from the first one played on.
    has_stocks : bool
        Whether people at work are asked for; they are always there if programmes draw on them.
    """

    def __init__(self, pipeline: Pipeline, n_years: int, *, has_stocks: bool) -> None:
        self.pipeline = pipeline
        self.n_years = n_years
        self.base = _by_step(pipeline)
        self._n_columns = 0
        self._rows: list[tuple[Array, Array]] = []
        self._low: list[float] = []
        self._high: list[float] = []
        self.entrants = self.columns(pipeline.n_programmes, n_years)
        k, steps = pipeline.steps_per_year, n_years * pipeline.steps_per_year
        of_years = self.base.entrants[:steps].reshape(n_years, k, pipeline.n_programmes)
        self.planned = of_years.sum(axis=1).T
        self._least = k * of_years.min(axis=1).T
        self._is_in = np.zeros(pipeline.n_cells, dtype=bool)
        self._n_of = self._e_of = np.zeros((pipeline.n_cells, 0), dtype=np.int64)
        if has_stocks or (pipeline.source >= 0).any():
            self._add_stocks(steps)
        if self._n_columns == 0:  # a programme without columns is not solved
            self.columns(1)
        self.n_free = self._n_columns  # columns made later are at least 0

    def columns(self, *shape: int) -> Array:
        """Make columns; return their numbers, shape as asked."""
        size = int(np.prod(shape))
        found = np.arange(self._n_columns, self._n_columns + size).reshape(shape)
        self._n_columns += size
        return found

    def row(self, columns: Numbers, weights: Numbers, low: float, high: float) -> None:
        """Add low <= weights of columns <= high; a column named twice counts twice."""
        self._rows.append((np.asarray(columns, np.int64), np.asarray(weights, np.float64)))
        self._low.append(low)
        self._high.append(high)

    def require(self, term: Linear, direction: str) -> None:
        """Add term >= 0, or term <= 0 for a direction of at_most."""
        bound = -term.constant / term.scale
        low, high = (bound, np.inf) if direction == "at_least" else (-np.inf, bound)
        self.row(term.columns, term.weights, low, high)

    def lower(self) -> Array:
        """Return the lower bounds of all columns: nobody is missing from nowhere.

        Stocks cannot fall below none anyway; bounds that say so keep the solver from free columns.
        """
        low = np.zeros(self._n_columns)
        low[: self.n_free] = -np.inf
        for columns, people in ((self._n_of, self.base.stock), (self._e_of, self.base.elsewhere)):
            at = columns >= 0
            low[columns[at]] = -people.T[:, : columns.shape[1]][at]
        return low

    @property
    def n_columns(self) -> int:
        """Number of columns so far."""
        return self._n_columns

    def matrix(self) -> tuple[sparse.csr_array, Array, Array]:
        """Return the rows and their bounds."""
        counts = [len(c) for c, _ in self._rows]
        at = np.repeat(np.arange(len(counts)), counts)
        empty_int, empty = np.zeros(0, np.int64), np.zeros(0)
        columns = np.concatenate([empty_int, *(c for c, _ in self._rows)])
        weights = np.concatenate([empty, *(w for _, w in self._rows)])
        shape = (len(counts), self._n_columns)
        rows = sparse.csr_array(sparse.coo_array((weights, (at, columns)), shape=shape))
        return rows, np.array(self._low), np.array(self._high)

    def bounds(self, places: Array, start: int) -> tuple[Array, Array]:
        """Return the bounds of the columns of entrants with a free intake from year `start` on.

        Parameters
        ----------
        places : ndarray of float64, shape (P, years), entrants a year
            As many as can enter in all; never below the plan.
        start : int
            Years from the first one played.
        """
        low, high = -self._least, np.maximum(places - self.planned, 0.0)
        is_fixed = np.arange(self.n_years) < start
        return np.where(is_fixed, 0.0, low), np.where(is_fixed, 0.0, high)

    # what is asked of a choice

    def graduates(self, programmes: Array, since: int, until: int) -> Linear:
        """Return the graduates of some programmes from one year to another, ends included."""
        p, k = self.pipeline, self.pipeline.steps_per_year
        known = float(self.base.graduates[since * k : (until + 1) * k, programmes].sum())
        columns, weights = [], []
        for at in np.flatnonzero(programmes):
            ends = (np.arange(self.n_years * k) + p.length[at]) // k
            counts = ((ends >= since) & (ends <= until)).reshape(-1, k).sum(axis=1)
            columns.append(self.entrants[at])
            weights.append(p.completion[at] * counts / k)
        return Linear(columns=_joined(columns, np.int64), weights=_joined(weights), constant=known)

    def people(self, cells: Array, step: int) -> Linear:
        """Return the people at work in some cells at the start of a step (0 is the first)."""
        found = self._n_of[np.flatnonzero(cells & self._is_in), step]
        known = float(self.base.stock[step, cells].sum())
        found = found[found >= 0]
        return Linear(columns=found, weights=np.ones(len(found)), constant=known)

    def people_of_year(self, cells: Array, year: int) -> Linear:
        """Return the people at work in some cells over a year: the mean over its steps."""
        k = self.pipeline.steps_per_year
        parts = [self.people(cells, step) for step in range(year * k, (year + 1) * k)]
        return added(parts, [1.0 / k] * k)

    def entrants_of(self, cells: Array, year: int) -> Linear:
        """Return the graduates who take up work in some cells in a year, and arrivals there."""
        p, k = self.pipeline, self.pipeline.steps_per_year
        steps = slice(year * k, (year + 1) * k)
        flows = self.base.placed + self.base.arrivals
        known = float(flows[steps, cells].sum())
        ends = np.arange(self.n_years * k)[None, :] + p.length[:, None]
        counts = (ends // k == year).reshape(p.n_programmes, self.n_years, k).sum(axis=2) / k
        programme_of = np.repeat(np.arange(p.n_programmes), np.diff(p.place_indptr))
        share = np.bincount(
            programme_of, p.place_share * cells[p.place_cell], minlength=p.n_programmes
        )
        weights = (p.completion * share)[:, None] * counts
        at = weights != 0
        return Linear(columns=self.entrants[at], weights=weights[at], constant=known)

    # the pipeline beyond the plan

    def _add_stocks(self, steps: int) -> None:
        flows = _Flows(self.pipeline)
        self._is_in = flows.reached()
        cells = np.flatnonzero(self._is_in)
        nobody = np.full((self.pipeline.n_cells, steps + 1), -1)  # beyond the plan at the start
        self._n_of, self._e_of = nobody.copy(), nobody.copy()
        self._n_of[cells, 1:] = self.columns(len(cells), steps)
        self._e_of[cells, 1:] = self.columns(len(cells), steps)
        for c in cells.tolist():
            self._add_cell(flows, c, steps)

    def _add_cell(self, flows: _Flows, c: int, steps: int) -> None:
        """Add the people at work and elsewhere of a cell after each step, and who can be drawn."""
        p, k = self.pipeline, self.pipeline.steps_per_year
        placed, away = flows.placed(c), flows.away(c)
        moves = np.flatnonzero((p.move_to == c) & self._is_in[flows.move_from])
        drawn = np.flatnonzero(p.source == c)
        for t in range(steps):
            terms = _Terms()
            terms.add(self._n_of[c, t + 1], -1.0)
            terms.add(self._n_of[c, t], flows.stay[c])
            terms.add(self._e_of[c, t], p.comeback[c])
            for i in moves:
                terms.add(self._n_of[flows.move_from[i], t], p.move_share[i])
            self._graduating(terms, placed, t)
            for q in drawn:
                terms.add(self.entrants[q, t // k], -1.0 / k)
            self.row(terms.columns, terms.weights, 0.0, 0.0)
            terms = _Terms()
            terms.add(self._e_of[c, t + 1], -1.0)
            terms.add(self._e_of[c, t], flows.stay_elsewhere[c])
            terms.add(self._n_of[c, t], p.drift[c])
            self._graduating(terms, away, t)
            self.row(terms.columns, terms.weights, 0.0, 0.0)
            if len(drawn):
                self._limit_drawn(c, t, drawn, float(flows.stay[c]))

    def _graduating(self, terms: _Terms, shares: list[tuple[int, float]], t: int) -> None:
        p = self.pipeline
        for q, share in shares:
            since = t - p.length[q]
            if since >= 0:
                at = self.entrants[q, since // p.steps_per_year]
                terms.add(at, p.completion[q] * share / p.steps_per_year)

    def _limit_drawn(self, c: int, t: int, drawn: Array, stay: float) -> None:
        k = self.pipeline.steps_per_year
        terms = _Terms()
        for q in drawn:
            terms.add(self.entrants[q, t // k], 1.0 / k)
        terms.add(self._n_of[c, t], -stay)
        left = stay * self.base.stock[t, c] - self.base.entrants[t, drawn].sum()
        self.row(terms.columns, terms.weights, -np.inf, max(float(left), 0.0))


class _Flows:
    """What moves people between cells in a step of a pipeline, worked out once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._p = p = pipeline
        self.move_from = np.repeat(np.arange(p.n_cells), np.diff(p.move_indptr))
        moved = np.bincount(self.move_from, p.move_share, p.n_cells)
        self.stay = np.clip(1.0 - p.leave - p.drift - moved, 0.0, 1.0)
        self.stay_elsewhere = np.clip(1.0 - p.comeback - p.leave, 0.0, 1.0)
        self._programme_of = np.repeat(np.arange(p.n_programmes), np.diff(p.place_indptr))
        placed = np.bincount(self._programme_of, p.place_share, p.n_programmes)
        self._unplaced = np.clip(1.0 - placed, 0.0, 1.0)
        self._first = p.place_cell[p.place_indptr[:-1]]

    def reached(self) -> Array:
        """Return which cells entrants can change: they leave them, or end there sooner or later."""
        p = self._p
        is_in = np.zeros(p.n_cells, dtype=bool)
        is_in[np.concatenate([p.place_cell, p.source[p.source >= 0]])] = True
        while True:
            more = p.move_to[is_in[self.move_from]]
            if is_in[more].all():
                return is_in
            is_in[more] = True

    def placed(self, c: int) -> list[tuple[int, float]]:
        """Return programmes whose graduates take up work in a cell, with their share."""
        at = np.flatnonzero(self._p.place_cell == c)
        return [(int(self._programme_of[i]), float(self._p.place_share[i])) for i in at]

    def away(self, c: int) -> list[tuple[int, float]]:
        """Return programmes whose graduates are elsewhere and remembered by a cell, with share."""
        at = np.flatnonzero((self._first == c) & (self._unplaced > 0))
        return [(int(q), float(self._unplaced[q])) for q in at]


class _Terms:
    """Columns and weights of a row; columns of -1 (where nothing can differ) are left out."""

    def __init__(self) -> None:
        self.columns: list[int] = []
        self.weights: list[float] = []

    def add(self, column: int, weight: float) -> None:
        if column >= 0 and weight != 0:
            self.columns.append(int(column))
            self.weights.append(float(weight))


def added(parts: list[Linear], factors: list[float]) -> Linear:
    """Return the sum of factors x parts, with scale 1."""
    return Linear(
        columns=_joined([x.columns for x in parts], np.int64),
        weights=_joined([f * x.scale * x.weights for x, f in zip(parts, factors, strict=True)]),
        constant=sum(f * x.constant for x, f in zip(parts, factors, strict=True)),
    )


def _joined(parts: list[Array], dtype: type = np.float64) -> Array:
    return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)


def _by_step(pipeline: Pipeline) -> Played:
    """Return the pipeline as planned, played with each step as a year: its flows step by step."""
    return play(replace(pipeline, steps_per_year=1))
