"""The first stage of a plan: which option starts when, within money, order and law.

z[m,y]      option m starts at the beginning of year y (0 or 1, or its size)
e[...]      m and all that it requires are in place by some time
once        sum over y of z[m,y] <= 1 (or the limit of its size)
budget      spent up to year y <= money up to year y        (what is not spent carries over)
requires    z[m,y] <= sum of z[r,y'] that are early enough
excludes    shares of their sizes sum to at most 1
uses        what building draws in a year <= what the makers can spare then, options included
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.plan.given import forbidden, money_by_year, size_limit, started_of
from withstand.programming.two_stage import FirstStage

if TYPE_CHECKING:
    from withstand.model.option import Option
    from withstand.plan.calendar import Calendar
    from withstand.plan.effects import Chain
    from withstand.plan.increments import Increment

Array = np.ndarray
Terms = list[tuple[int, float]]
"""Columns of the first stage with their weights."""


_Key = tuple[int, tuple[int, ...], tuple[tuple[int, ...], ...]]


@dataclass(frozen=True, slots=True)
class Start:
    """One start: option, year (below 0: it has been started), and its column."""

    option: int
    year: float
    column: int


@dataclass(frozen=True, slots=True)
class Limit:
    """What a row of the first stage means.

    Parameters
    ----------
    kind : {"money", "once", "order", "excludes", "building", "waiting"}
    words : str
        In the user's words.
    option, year : int
        Whose, and in which year (from 0); -1 where it has none.
    """

    kind: str
    words: str
    option: int = -1
    year: int = -1


@dataclass
class _Row:
    name: str
    terms: Terms
    low: float
    high: float
    limit: Limit


class Decisions:
    """Columns and rows of the first stage; second stages ask it what is in place when.

    Parameters
    ----------
    chain : Chain
    calendar : Calendar
    budget : float, sequence of float or None, currency
        For the whole horizon, or for each year; None for no limit.
    started : mapping of str to float
        Options under way: years since their start.
    """

    def __init__(
        self,
        chain: Chain,
        calendar: Calendar,
        budget: float | Sequence[float] | Array | None,
        started: Mapping[str, float],
    ) -> None:
        self.chain, self.calendar = chain, calendar
        self.money = money_by_year(budget, calendar)
        self._names: list[str] = []
        self._cost: list[float] = []
        self._lower: list[float] = []
        self._upper: list[float] = []
        self._integer: list[bool] = []
        self._rows: list[_Row] = []
        self._seen: dict[_Key, int] = {}
        self.limits = [size_limit(o) for o in chain.options]
        self.starts: list[Start] = []
        self._add_starts(started_of(chain.options, started))
        self._of_option: list[list[Start]] = [
            [s for s in self.starts if s.option == m] for m in range(len(chain.options))
        ]
        self._add_order()
        self._add_budget()
        self._add_uses()

    # columns

    def _column(self, name: str, cost: float, lower: float, upper: float, *, integer: bool) -> int:
        self._names.append(name)
        self._cost.append(cost)
        self._lower.append(lower)
        self._upper.append(upper)
        self._integer.append(integer)
        return len(self._names) - 1

    def _add_starts(self, started: dict[int, float]) -> None:
        for m, option in enumerate(self.chain.options):
            is_lawful = not forbidden(self.chain, m)
            limit = self.limits[m]
            is_sized = limit is not None
            top = (limit if limit is not None else 1.0) if is_lawful else 0.0
            if m in started:
                year = -started[m]
                name = f"{option.label}.started"
                cost = self._running(option, year)
                column = self._column(name, cost, top, top, integer=False)
                self.starts.append(Start(m, year, column))
                continue
            for year in range(self.calendar.years):
                cost = option.cost_once * self.calendar.factor(year) + self._running(option, year)
                cost *= self._chance_of_paying(m)
                column = self._column(
                    f"{option.label}.{year + 1}", cost, 0.0, top, integer=not is_sized
                )
                self.starts.append(Start(m, float(year), column))

    def _running(self, option: Option, year: float) -> float:
        """Return the discounted running cost from readiness to the end of the horizon."""
        ready = year * self.calendar.per_year + option.ready_periods
        return option.cost_per_period * sum(
            self.calendar.periods_in(y, ready) * self.calendar.factor(y)
            for y in range(self.calendar.years)
        )

    def _chance_of_paying(self, m: int) -> float:
        """Chance that an option is paid for: what hangs on failed research is not built."""
        chance = 1.0
        for r in self.chain.closure(m):
            chance *= self.chain.options[r].success_probability
        return chance

    def spend(self, z: Array) -> Array:
        """Return what starts and running cost take in each year, undiscounted, shape (years,)."""
        total = np.zeros(self.calendar.years)
        for start in self.starts:
            if z[start.column] > 0:
                total += z[start.column] * self._spend_of(start)
        return total

    def _spend_of(self, start: Start) -> Array:
        option, calendar = self.chain.options[start.option], self.calendar
        ready = start.year * calendar.per_year + option.ready_periods
        years = range(calendar.years)
        spent = np.array([option.cost_per_period * calendar.periods_in(y, ready) for y in years])
        if start.year >= 0:
            spent[int(start.year)] += option.cost_once
        return spent

    # rows

    def _add_order(self) -> None:
        options = self.chain.options
        place = {o.label: k for k, o in enumerate(options)}
        for m, option in enumerate(options):
            mine = [s for s in self._of_option[m] if s.year >= 0]
            top = self.limits[m] or 1.0
            if mine:
                terms = [(s.column, 1.0) for s in mine]
                limit = Limit("once", f"{option.label} can start once only", m)
                self._rows.append(_Row(f"once_{option.label}", terms, -np.inf, top, limit))
            for label in option.requires:
                r = place.get(label)
                if r is None:
                    terms = [(s.column, 1.0) for s in mine]
                    limit = Limit("order", f"{option.label} needs {label}, which is no option", m)
                    name = f"{option.label}_needs_{label}"
                    self._rows.append(_Row(name, terms, 0.0, 0.0, limit))
                    continue
                self._add_requirement(m, r, mine)
            for label in option.excludes:
                k = place.get(label)
                if k is not None and (m < k or option.label not in options[k].excludes):
                    terms = [(s.column, 1.0 / top) for s in self._of_option[m]]
                    other = self.limits[k] or 1.0
                    terms += [(s.column, 1.0 / other) for s in self._of_option[k]]
                    name = f"{option.label}_excludes_{label}"
                    limit = Limit("excludes", f"{option.label} and {label} exclude each other", m)
                    self._rows.append(_Row(name, terms, -np.inf, 1.0, limit))

    def _add_requirement(self, m: int, r: int, mine: list[Start]) -> None:
        """Start only with what is required under way; after research only when it is done."""
        option, other = self.chain.options[m], self.chain.options[r]
        ratio = (self.limits[m] or 1.0) / (self.limits[r] or 1.0)
        wait = other.ready_periods / self.calendar.per_year if other.success_probability < 1 else 0
        for start in mine:
            early = [s for s in self._of_option[r] if s.year + wait <= start.year + 1e-9]
            terms = [(start.column, 1.0), *((s.column, -ratio) for s in early)]
            name = f"{option.label}.{int(start.year) + 1}_needs_{other.label}"
            limit = Limit("order", f"{option.label} needs {other.label} first", m, int(start.year))
            self._rows.append(_Row(name, terms, -np.inf, 0.0, limit))

    def _add_budget(self) -> None:
        """Keep what is spent up to each year within the money up to then (rows without it too)."""
        spent = {s.column: np.cumsum(self._spend_of(s)) for s in self.starts}
        years = self.calendar.years
        money = np.full(years, np.inf) if self.money is None else np.cumsum(self.money)
        for year in range(years):
            terms = [(c, float(x[year])) for c, x in spent.items() if x[year]]
            limit = Limit("money", f"money up to year {year + 1}", year=year)
            name, high = f"budget_{year + 1}", float(money[year])
            self._rows.append(_Row(name, terms, -np.inf, high, limit))

    def _add_uses(self) -> None:
        """Keep what building draws within what makers can spare, year by year."""
        chain, calendar = self.chain, self.calendar
        index = chain.network.index("products")
        drawn = {u.product for o in chain.options for u in o.uses}
        for product in sorted(drawn & set(index)):
            makers = [k for k, a in enumerate(chain.activities) if a.product == index[product]]
            if not any(chain.activities[k].base < 0 for k in makers):
                continue  # nobody named makes it: it is there in any quantity
            spare = sum(chain.activities[k].capacity - chain.activities[k].rest for k in makers)
            for year in range(calendar.years):
                terms = self._draws(product, year)
                if not terms:
                    continue
                tau = year * calendar.per_year
                for m in range(len(chain.options)):
                    for step in chain.increments[m]:
                        amount = sum(x for k, x in step.capacity.items() if k in makers)
                        if amount:
                            terms += [
                                (c, -amount * calendar.per_year * w)
                                for c, w in self.in_place(m, step, tau)
                            ]
                name = f"{product}_for_building_{year + 1}"
                high = max(spare, 0.0) * calendar.per_year
                words = f"{product} that building can draw in year {year + 1}"
                limit = Limit("building", words, year=year)
                self._rows.append(_Row(name, terms, -np.inf, high, limit))

    def _draws(self, product: str, year: int) -> Terms:
        """Return what each start draws of a product in a year, units."""
        terms: Terms = []
        per_year = self.calendar.per_year
        for start in self.starts:
            for use in self.chain.options[start.option].uses:
                if use.product != product or use.quantity <= 0:
                    continue
                length = max(use.periods, 1e-9)
                begin = start.year * per_year
                overlap = min(begin + length, (year + 1) * per_year) - max(begin, year * per_year)
                is_at_once = use.periods <= 0 and int(start.year) == year
                part = 1.0 if is_at_once else max(0.0, overlap) / length
                if part > 0:
                    terms.append((start.column, use.quantity * part))
        return terms

    # what is in place

    def in_place(self, m: int, step: Increment, tau: float) -> Terms:
        """Return the columns that say how much of an increment is in place at `tau`, periods."""
        per_year = self.calendar.per_year
        ready = [s for s in self._of_option[m] if s.year * per_year + step.age <= tau + 1e-9]
        if not step.is_growth:
            return self._waiting(m, ready, tau)
        terms: Terms = []
        for start in ready:
            length = tau - (start.year * per_year + step.age)
            if length > 0:
                terms += [(c, w * length) for c, w in self._waiting(m, [start], tau)]
        return terms

    def pieces(self, m: int, age: float, taus: Array) -> list[tuple[int, int, Terms]]:
        """Return (first, end, terms): what is in place of an option between steps.

        Parameters
        ----------
        m : int
        age : float, periods
        taus : ndarray of float64, shape (n_steps,), periods from now
            Rising; what `chosen` says is the same in all steps from first to before end.
        """
        per_year = self.calendar.per_year
        at = [s.year * per_year + age for s in self._of_option[m]]
        for r in self.chain.closure(m):
            done = self.chain.options[r].ready_periods
            at += [s.year * per_year + done for s in self._of_option[r]]
        breaks = np.searchsorted(taus + 1e-9, np.array(at))
        ends = np.unique(np.concatenate([[0], breaks, [len(taus)]])).tolist()
        return [
            (first, end, terms)
            for first, end in itertools.pairwise(ends)
            for terms in [self.chosen(m, age, float(taus[first]))]
            if terms
        ]

    def chosen(self, m: int, age: float, tau: float) -> Terms:
        """Return the columns of an option in place `age` periods after its start, at `tau`."""
        per_year = self.calendar.per_year
        ready = [s for s in self._of_option[m] if s.year * per_year + age <= tau + 1e-9]
        return self._waiting(m, ready, tau)

    def _waiting(self, m: int, ready: list[Start], tau: float) -> Terms:
        """Let an option wait for all that it requires, by a column of its own."""
        if not ready:
            return []
        closure = self.chain.closure(m)
        if not closure:
            return [(s.column, 1.0) for s in ready]
        per_year = self.calendar.per_year
        early = []
        for r in closure:
            done = self.chain.options[r].ready_periods
            early.append(
                tuple(
                    s.column for s in self._of_option[r] if s.year * per_year + done <= tau + 1e-9
                )
            )
        if any(not columns for columns in early):
            return []
        key = (m, tuple(s.column for s in ready), tuple(early))
        if key not in self._seen:
            top = self.limits[m] or 1.0
            name = f"{self.chain.options[m].label}.in_place_{len(self._seen) + 1}"
            column = self._column(name, 0.0, 0.0, top, integer=False)
            own: Terms = [(column, 1.0), *((s.column, -1.0) for s in ready)]
            words = f"{self.chain.options[m].label} waits for what it requires"
            limit = Limit("waiting", words, m)
            self._rows.append(_Row(f"{name}_started", own, -np.inf, 0.0, limit))
            for r, columns in zip(closure, early, strict=True):
                ratio = top / (self.limits[r] or 1.0)
                terms: Terms = [(column, 1.0), *((c, -ratio) for c in columns)]
                label = self.chain.options[r].label
                self._rows.append(_Row(f"{name}_after_{label}", terms, -np.inf, 0.0, limit))
            self._seen[key] = column
        return [(self._seen[key], 1.0)]

    def columns_of(self, m: int) -> list[int]:
        """Return the columns whose effects are those of an option: its starts and its waiting."""
        starts = [s.column for s in self._of_option[m]]
        return starts + [column for key, column in self._seen.items() if key[0] == m]

    def without(self, z: Array, gone: set[int]) -> Array:
        """Return a first stage without some options; what waits for them is not in place."""
        left = z.copy()
        for start in self.starts:
            if start.option in gone:
                left[start.column] = 0.0
        return self._let_wait(left, left)

    def under_way(self, first: FirstStage) -> Array:
        """Return the first stage that starts nothing new: what has started comes into place."""
        z = np.zeros(first.size)
        for start in self.starts:
            if start.year < 0:
                z[start.column] = first.upper[start.column]
        return self._let_wait(z, first.upper)

    def in_place_under(self, z: Array, first: FirstStage) -> Array:
        """Return starts with the columns of what waits for others at the most they allow."""
        return self._let_wait(z.copy(), first.upper)

    def _let_wait(self, z: Array, most: Array) -> Array:
        """Set the columns of what waits to the most that starts allow, and at most `most`."""
        for (m, starts, early), column in self._seen.items():
            top = self.limits[m] or 1.0
            allowed = sum(z[c] for c in starts)
            for r, columns in zip(self.chain.closure(m), early, strict=True):
                ratio = top / (self.limits[r] or 1.0)
                allowed = min(allowed, ratio * sum(z[c] for c in columns))
            z[column] = min(most[column], allowed)
        return z

    @property
    def row_limits(self) -> tuple[Limit, ...]:
        """What each row of the first stage means, in their order."""
        return tuple(row.limit for row in self._rows)

    @property
    def size(self) -> int:
        """Columns so far; asking what is in place may add some."""
        return len(self._names)

    def first_stage(self) -> FirstStage:
        """Return the first stage, once every second stage has asked."""
        rows = [(k, c, w) for k, row in enumerate(self._rows) for c, w in row.terms]
        k, c, w = (np.array(x) for x in zip(*rows, strict=True)) if rows else ([], [], [])
        shape = (len(self._rows), self.size)
        return FirstStage(
            cost=np.array(self._cost),
            lower=np.array(self._lower),
            upper=np.array(self._upper),
            integer=np.array(self._integer, dtype=bool),
            matrix=sparse.csr_array((w, (k, c)), shape=shape) if rows else sparse.csr_array(shape),
            row_lower=np.array([r.low for r in self._rows]),
            row_upper=np.array([r.high for r in self._rows]),
            columns=tuple(self._names),
            rows=tuple(r.name for r in self._rows),
        )
