"""Columns and rows of an intake programme as they are put together, each with what it means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from withstand.programming.two_stage import FirstStage, Recourse, TwoStage

Array = np.ndarray
Terms = list[tuple[int, float]]
"""Columns with their coefficients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One variable.

    Parameters
    ----------
    kind : str
        "people", "recruits", "entrants", "places", "movers", "redundancies", "overmanning",
        "short_time", "overtime" or "unmet".
    subject : int
        Cell; programme of entrants and places; move of movers.
    year : int, from 0
    cost : float, currency per unit, in the money of the year
    is_first : bool
        Decided before needs are known.
    """

    kind: str
    subject: int
    year: int
    cost: float
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One equation or limit.

    Parameters
    ----------
    kind : str
        "stock" (always true), "need", or what is limited.
    words : str
        What limits, in the user's words; "" for equations that nobody can change.
    terms : list of (column, coefficient)
    low, high : float
        Of a need, without the need itself: that is added by scenario.
    used : int
        So many terms in front are what is limited; the others raise the limit.
    subject, year : int
        As in the columns; -1 for a limit of all.
    unit : str
    """

    kind: str
    words: str
    terms: Terms
    low: float
    high: float
    used: int
    subject: int
    year: int
    unit: str


class Draft:
    """The programme as it grows; then the two stages of it."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self.rows: list[Row] = []
        self._at: dict[tuple[str, int, int], int] = {}

    def column(self, kind: str, subject: int, year: int, cost: float, *, is_first: bool) -> int:
        """Add a variable and return where it stands."""
        column = Column(kind=kind, subject=subject, year=year, cost=cost, is_first=is_first)
        self._at[kind, subject, year] = len(self.columns)
        self.columns.append(column)
        return len(self.columns) - 1

    def at(self, kind: str, subject: int, year: int) -> int | None:
        """Return where a variable stands, None if there is none."""
        return self._at.get((kind, subject, year))

    def terms(self, kind: str, subject: int, year: int, weight: float = 1.0) -> Terms:
        """Return the variable with its coefficient, nothing if there is none."""
        at = self.at(kind, subject, year)
        return [] if at is None else [(at, weight)]

    def limit(
        self,
        kind: str,
        words: str,
        used: Terms,
        high: float,
        *,
        raised_by: Terms | None = None,
        subject: int = -1,
        year: int = -1,
        unit: str = "people",
    ) -> None:
        """Add used <= high + raised_by."""
        if used and high < np.inf:
            more = [(c, -w) for c, w in raised_by or []]
            self.rows.append(
                Row(kind=kind, words=words, terms=used + more, low=-np.inf, high=high,
                    used=len(used), subject=subject, year=year, unit=unit)
            )  # fmt: skip

    def equal(self, kind: str, words: str, terms: Terms, value: float, c: int, t: int) -> None:
        """Add terms == value."""
        self.rows.append(
            Row(kind=kind, words=words, terms=terms, low=value, high=value, used=len(terms),
                subject=c, year=t, unit="people")
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Staged:
    """Columns and rows by stage, and the matrices of both.

    Parameters
    ----------
    columns : tuple of Column
    rows : tuple of Row
    first, second : ndarray of int64
        Columns of each stage.
    first_rows, second_rows : ndarray of int64
        Rows over the first stage alone, and the others.
    whole : ndarray of bool, shape (columns,)
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    first: Array
    second: Array
    first_rows: Array
    second_rows: Array
    matrix: sparse.csr_array
    whole: Array

    def limits(self, needs: Array) -> tuple[Array, Array]:
        """Return low and high of all rows where needs, shape (cells, years), have to be met."""
        low = np.array([r.low for r in self.rows])
        high = np.array([r.high for r in self.rows])
        more = np.array([needs[r.subject, r.year] if r.kind == "need" else 0.0 for r in self.rows])
        return low + more, high + more

    def two_stage(
        self, weights: Array, needs: Array, probability: Array, names: tuple[str, ...]
    ) -> TwoStage:
        """Return the programme that minimises some weights of the columns.

        Parameters
        ----------
        weights : ndarray of float64, shape (columns,)
        needs : ndarray of float64, shape (scenarios, cells, years)
        probability : ndarray of float64, shape (scenarios,)
        names : tuple of str, of the scenarios
        """
        one, two = self.first, self.second
        low, high = self.limits(needs[0])
        first = FirstStage(
            cost=weights[one],
            lower=np.zeros(len(one)),
            upper=np.full(len(one), np.inf),
            integer=self.whole[one],
            matrix=self._part(self.first_rows, one),
            row_lower=low[self.first_rows],
            row_upper=high[self.first_rows],
        )
        scenarios = []
        for s, (name, chance) in enumerate(zip(names, probability, strict=True)):
            low, high = self.limits(needs[s])
            scenarios.append(
                Recourse(
                    name=name or "needs",
                    probability=float(chance),
                    cost=weights[two],
                    lower=np.zeros(len(two)),
                    upper=np.full(len(two), np.inf),
                    matrix=self._part(self.second_rows, two),
                    row_lower=low[self.second_rows],
                    row_upper=high[self.second_rows],
                    on_rows=-self._part(self.second_rows, one),
                    on_upper=sparse.csr_array((len(two), len(one))),
                    integer=self.whole[two] if self.whole[two].any() else None,
                )
            )
        return TwoStage(first=first, scenarios=tuple(scenarios))

    def _part(self, rows: Array, columns: Array) -> sparse.csr_array:
        return sparse.csr_array(self.matrix[rows][:, columns])


def staged(draft: Draft, whole: tuple[str, ...]) -> Staged:
    """Return a draft by stages; the kinds of `whole` take whole numbers only."""
    entries = [(k, c, w) for k, row in enumerate(draft.rows) for c, w in row.terms]
    k, c, w = (np.array(x) for x in zip(*entries, strict=True))
    matrix = sparse.csr_array(
        (w.astype(float), (k, c)), shape=(len(draft.rows), len(draft.columns))
    )
    is_first = np.array([x.is_first for x in draft.columns])
    touched = np.zeros(len(draft.rows), dtype=bool)
    touched[k[~is_first[c]]] = True
    return Staged(
        columns=tuple(draft.columns),
        rows=tuple(draft.rows),
        first=np.flatnonzero(is_first),
        second=np.flatnonzero(~is_first),
        first_rows=np.flatnonzero(~touched),
        second_rows=np.flatnonzero(touched),
        matrix=matrix,
        whole=np.array([x.kind in whole for x in draft.columns]),
    )
