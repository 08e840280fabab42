"""The second stage of a plan: the best answer to one scenario, from its onset on.

The skeleton holds the equations; here stand their limits, at rest and with what options add:

    opening     stock + what is under way at rest, both with what is in place at the onset
    capacity    share left x (capacity + added by what is in place by then)
    variants    only where the options that bring them are in place
    demand      final demand at rest x share left; unmet demand costs its value

The recourse starts at the onset: nobody foresees the shock and builds stock for it (the first of
the two traps of the page "plan"). Its loss is a bound from below: suppliers and stocks are pooled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.programming.two_stage import Recourse

if TYPE_CHECKING:
    from withstand.plan.decisions import Decisions, Terms
    from withstand.plan.increments import Increment
    from withstand.plan.skeleton import Skeleton
    from withstand.plan.strikes import Strike

Array = np.ndarray


class _Entries:
    """Entries of a matrix on the first stage, which is not complete yet."""

    def __init__(self) -> None:
        self._rows: list[Array] = []
        self._columns: list[Array] = []
        self._values: list[Array] = []

    def put(self, rows: Array, terms: Terms, weights: Array) -> None:
        """Add weight x value of every term in every row; rows and weights of shape (n,)."""
        for column, value in terms:
            self._rows.append(rows)
            self._columns.append(np.full(len(rows), column))
            self._values.append(weights * value)

    def matrix(self, n_rows: int, n_columns: int) -> sparse.csr_array:
        if not self._rows:
            return sparse.csr_array((n_rows, n_columns), dtype=np.float64)
        places = (np.concatenate(self._rows), np.concatenate(self._columns))
        entries = (np.concatenate(self._values), places)
        return sparse.csr_array(entries, shape=(n_rows, n_columns), dtype=np.float64)


class RecourseDraft:
    """The second stage of one strike, drafted before the first stage is complete."""

    def __init__(
        self,
        skeleton: Skeleton,
        strike: Strike,
        decisions: Decisions,
        left: Array,
        demand: Array,
    ) -> None:
        self._skeleton, self._strike, self._decisions = skeleton, strike, decisions
        chain, n = skeleton.chain, skeleton.matrix.shape[0]
        self._left, self._demand = left, demand
        onset = strike.onset * decisions.calendar.per_year
        self._taus = onset + skeleton.step * np.arange(skeleton.n_steps)
        self._low, self._high = np.zeros(n), np.zeros(n)
        self._upper = np.full(skeleton.n_columns, np.inf)
        self._cost = np.zeros(skeleton.n_columns)
        self._on_rows, self._on_upper = _Entries(), _Entries()
        self._shared_at = {int(k): j for j, k in enumerate(skeleton.shared)}
        self._open()
        self._serve()
        self._limit()
        for m in range(len(chain.options)):
            if self._works(m):
                for increment in chain.increments[m]:
                    self._add_rest(m, increment)
                    self._add_over_time(m, increment)
        self._let_variants_in()

    def finish(self, n_first: int) -> Recourse:
        """Return the second stage over a first stage of so many columns."""
        s = self._strike
        return Recourse(
            name=s.name,
            probability=s.probability,
            cost=self._cost,
            lower=np.zeros(len(self._cost)),
            upper=self._upper,
            matrix=self._skeleton.matrix,
            row_lower=self._low,
            row_upper=self._high,
            on_rows=self._on_rows.matrix(len(self._low), n_first),
            on_upper=self._on_upper.matrix(len(self._cost), n_first),
        )

    def _works(self, m: int) -> bool:
        works = self._strike.works
        return works[m] and all(works[r] for r in self._skeleton.chain.closure(m))

    def _under_way(self, k: int) -> list[tuple[int, float]]:
        """Return (row, weight): where a unit per period shipped before the onset arrives."""
        sk = self._skeleton
        a = sk.chain.activities[k]
        row = sk.product_row.get(a.product)
        if row is None:
            return []
        whole = min(int(sk.lag[k]), sk.n_steps)
        found = [(int(row[t]), 1.0 / sk.size[a.product]) for t in range(whole)]
        part = a.lag / sk.step - sk.lag[k]
        if part > 0 and a.product in sk.goods:
            found.append((int(row[0]), part / sk.size[a.product]))
        return found

    # at rest

    def _open(self) -> None:
        """Set opening stocks and goods under way."""
        sk = self._skeleton
        for p in sk.goods:
            opening = sk.chain.stock[p] / (sk.size[p] * sk.step)
            self._low[sk.product_row[int(p)][0]] += opening
        for k, a in enumerate(sk.chain.activities):
            if a.base < 0 and a.rest > a.final:
                for row, weight in self._under_way(k):
                    self._low[row] += weight * (a.rest - a.final)

    def _serve(self) -> None:
        """Set final demand and what it costs to leave it unmet."""
        sk = self._skeleton
        factor = self._decisions.calendar.factor(self._strike.onset)
        for j, k in enumerate(sk.served):
            a, asked = sk.chain.activities[k], self._demand[:, k]
            if a.product in sk.product_row:  # what final demand takes is not shipped
                late = sk.product_row[a.product][sk.lag[k] :]
                self._low[late] -= asked[: len(late)] * a.final / sk.size[a.product]
            at = sk.shipped_row[:, j]
            self._low[at], self._high[at] = asked * a.final / sk.scale[k], np.inf
            self._upper[sk.unmet[:, j]] = asked
            self._cost[sk.unmet[:, j]] = factor * a.unmet_value * a.final * sk.step

    def _limit(self) -> None:
        """Close the balances, and set capacities at rest."""
        sk = self._skeleton
        for p, row in sk.product_row.items():
            self._high[row] = self._low[row]
            if p in sk.hours:
                self._low[row] = -np.inf
        for rows in (sk.half_row, sk.shared_row, sk.gate_row):
            self._low[rows.ravel()] = -np.inf
        self._high[sk.half_row] = sk.half
        for k, a in enumerate(sk.chain.activities):
            can = a.capacity if a.base < 0 else 0.0
            self._upper[sk.output[:, k]] = self._left[:, k] * can / sk.scale[k]
        for k, j in self._shared_at.items():
            can = sk.chain.activities[k].capacity
            self._high[sk.shared_row[:, j]] = self._left[:, k] * can / sk.scale[k]

    # with options

    def _add_rest(self, m: int, increment: Increment) -> None:
        """Let goods be under way from what options have changed by the onset."""
        terms = self._decisions.in_place(m, increment, float(self._taus[0]))
        if terms:
            for k, amount in increment.rest.items():
                under_way = self._under_way(k)
                if under_way:
                    rows, weights = (np.array(x) for x in zip(*under_way, strict=True))
                    self._on_rows.put(rows, terms, weights * amount)

    def _add_over_time(self, m: int, increment: Increment) -> None:
        """Add capacity as long as it is in place, and stock when it comes."""
        before: Terms = []
        pieces = self._pieces(m, increment)
        for first, end, terms in pieces:
            self._add_capacity(increment, first, end, terms)
            self._add_stock(increment, first, terms, before)
            before = terms

    def _pieces(self, m: int, increment: Increment) -> list[tuple[int, int, Terms]]:
        """Return (first step, end, terms) of what is in place; growth changes with every step."""
        if not increment.is_growth:
            return self._decisions.pieces(m, increment.age, self._taus)
        every = [
            (t, t + 1, self._decisions.in_place(m, increment, float(tau)))
            for t, tau in enumerate(self._taus)
        ]
        return [piece for piece in every if piece[2]]

    def _add_capacity(self, increment: Increment, first: int, end: int, terms: Terms) -> None:
        sk = self._skeleton
        for k, amount in increment.capacity.items():
            weights = self._left[first:end, k] * amount / sk.scale[k]
            self._on_upper.put(sk.output[first:end, k], terms, weights)
            if k in self._shared_at:
                self._on_rows.put(sk.shared_row[first:end, self._shared_at[k]], terms, weights)

    def _add_stock(self, increment: Increment, first: int, terms: Terms, before: Terms) -> None:
        sk = self._skeleton
        for p, amount in increment.stock.items():
            if p in sk.goods:
                row = sk.product_row[p][first : first + 1]
                weight = np.full(1, amount / (sk.size[p] * sk.step))
                self._on_rows.put(row, terms, weight)
                self._on_rows.put(row, before, -weight)

    def _let_variants_in(self) -> None:
        sk = self._skeleton
        gate_at = {pair: j for j, pair in enumerate(sk.gates)}
        for v, variant in enumerate(sk.chain.variants):
            if not all(self._works(m) for m, _ in variant.needs):
                continue
            k = variant.activity
            most = self._left[:, k] * sk.most[k] / sk.scale[k]
            for g, (m, age) in enumerate(variant.needs):
                for first, end, terms in self._decisions.pieces(m, age, self._taus):
                    weights = most[first:end]
                    if g == 0:
                        self._on_upper.put(sk.output[first:end, k], terms, weights)
                    else:
                        rows = sk.gate_row[first:end, gate_at[v, g]]
                        self._on_rows.put(rows, terms, weights)
