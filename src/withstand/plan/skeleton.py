"""What the second stages of all scenarios share: their columns, rows and matrix.

For product i, activity a, step t (lag L_a in steps):

    goods       I[i,t] = I[i,t-1] + sum_a shipped[a,t-L_a] - sum_b need[i,b] x[b,t],   I >= 0
    hours       sum_b need[i,b] x[b,t] <= sum_a shipped[a,t-L_a]
    shipped     x[a,t] - (final demand - unmet)[a,t], at least 0
    shared      x of a node and of its variants together within its capacity
    gate        x of a variant within its second condition
    important   x[b,t] <= rest/2 + (1 - rest / (2 capacity)) used / need

Outputs are in units of the activity's scale, rows of a product in units of its size, so that
coefficients are near 1. Unmet demand is a share of final demand at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.model.recipe_inputs import ESSENTIAL
from withstand.programming.rows import Rows

if TYPE_CHECKING:
    from scipy import sparse

    from withstand.plan.effects import Chain

Array = np.ndarray
SMALLEST_SCALE = 1e-3
"""An activity's scale is at least this share of the most it can make."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Skeleton:
    """Columns, rows and matrix of a second stage.

    Parameters
    ----------
    chain : Chain
    n_steps : int
    step : int, periods
    most, scale : ndarray of float64, shape (n_activities,), units per period
        The most an activity can make with every option, and the unit of its output.
    size : ndarray of float64, shape (n_products,), units per period
    lag : ndarray of int64, shape (n_activities,), steps
    output, stock, unmet : ndarray of int64, shape (n_steps, ...)
        Columns: by activity, by good, by activity with final demand (`served`).
    product_row : dict of int to ndarray of int64, shape (n_steps,)
        Rows of each product that is made and used.
    goods, hours, served, shared : ndarray of int64
        Products that are stored; those that are not; activities with final demand; activities
        that have variants.
    shipped_row, shared_row, gate_row, half_row : ndarray of int64, shape (n_steps, ...)
    gates : tuple of (variant, condition)
    half : ndarray of float64
        Right-hand sides of `half_row`.
    """

    chain: Chain
    n_steps: int
    step: int
    most: Array
    scale: Array
    size: Array
    lag: Array
    output: Array
    stock: Array
    unmet: Array
    product_row: dict[int, Array]
    goods: Array
    hours: Array
    served: Array
    shared: Array
    shipped_row: Array
    shared_row: Array
    gates: tuple[tuple[int, int], ...]
    gate_row: Array
    half_row: Array
    half: Array
    matrix: sparse.csr_array
    n_columns: int


def skeleton_of(chain: Chain, n_steps: int, step: int, longest: float) -> Skeleton:
    """Return what all scenarios share; `longest` (periods) limits what growth can add."""
    activities = chain.activities
    base = np.array([a.base if a.base >= 0 else k for k, a in enumerate(activities)])
    most = _most(chain, longest)[base]
    scale = np.maximum(np.array([a.peak for a in activities]), SMALLEST_SCALE * most)
    scale = np.where(scale > 0, scale, 1.0)
    goods, hours, makes = _products(chain)
    served = np.array([k for k, a in enumerate(activities) if a.final > 0], dtype=np.int64)
    soft = [
        (k, j)
        for k, a in enumerate(activities)
        for j, need in enumerate(a.needs)
        if need.rank != ESSENTIAL and makes[need.product]
    ]
    widths = [len(activities), len(goods), len(served), len(soft)]
    ends = np.cumsum([0, *(n_steps * w for w in widths)])
    output, stock, unmet, used = (
        start + np.arange(n_steps)[:, None] * w + np.arange(w)
        for start, w in zip(ends[:4], widths, strict=True)
    )
    rows = Rows()
    build = _Build(rows, chain, n_steps, scale, _sizes(chain, scale), output, unmet)
    build.lag = np.floor(np.array([a.lag for a in activities]) / step + 1e-9).astype(np.int64)
    product_row = build.balances(goods, hours, stock)
    build.ship(product_row, served)
    build.use(product_row, {pair: used[:, j] for j, pair in enumerate(soft)})
    shipped_row = build.shipped(served, base)
    shared = np.unique(np.array([a.base for a in activities if a.base >= 0], dtype=np.int64))
    shared_row = build.shared(shared, base)
    gates, gate_row = build.gates()
    half_row, half = build.halves(soft, used, most)
    return Skeleton(
        chain=chain, n_steps=n_steps, step=step, most=most, scale=scale, size=build.size,
        lag=build.lag, output=output, stock=stock, unmet=unmet, product_row=product_row,
        goods=goods, hours=hours, served=served, shared=shared, shipped_row=shipped_row,
        shared_row=shared_row, gates=gates, gate_row=gate_row, half_row=half_row, half=half,
        matrix=rows.matrix(int(ends[-1])), n_columns=int(ends[-1]),
    )  # fmt: skip


def _most(chain: Chain, longest: float) -> Array:
    """Return the most each activity can make with every option in place."""
    most = np.array([max(a.capacity, a.rest) for a in chain.activities])
    for increments in chain.increments:
        for increment in increments:
            for k, amount in increment.capacity.items():
                most[k] += max(amount, 0.0) * (longest if increment.is_growth else 1.0)
    return most


def _products(chain: Chain) -> tuple[Array, Array, Array]:
    """Return the goods and the hours that are made and used, and which products are made."""
    n = chain.n_products
    makes = np.zeros(n, dtype=bool)
    makes[[a.product for a in chain.activities]] = True
    is_used, is_hours = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for a in chain.activities:
        for need in a.needs:
            is_used[need.product] = True
            is_hours[need.product] |= need.is_hours
    both = is_used & makes
    return np.flatnonzero(both & ~is_hours), np.flatnonzero(both & is_hours), makes


def _sizes(chain: Chain, scale: Array) -> Array:
    """Return the unit of each product's rows: output at rest, else the scale of its makers."""
    product = np.array([a.product for a in chain.activities])
    made = np.bincount(product, [a.rest for a in chain.activities], chain.n_products)
    some = np.bincount(product, scale, chain.n_products)
    return np.where(made > 0, made, np.where(some > 0, some, 1.0))


class _Build:
    """The rows as they are put together."""

    def __init__(
        self,
        rows: Rows,
        chain: Chain,
        n_steps: int,
        scale: Array,
        size: Array,
        output: Array,
        unmet: Array,
    ) -> None:
        self.rows, self.chain, self.n_steps = rows, chain, n_steps
        self.scale, self.size, self.output, self.unmet = scale, size, output, unmet
        self.lag = np.zeros(len(scale), dtype=np.int64)

    def balances(self, goods: Array, hours: Array, stock: Array) -> dict[int, Array]:
        """Add the rows of all products, with their stocks."""
        kept = self.rows.new(self.n_steps, len(goods))
        self.rows.put(kept, stock, 1.0)
        self.rows.put(kept[1:], stock[:-1], -1.0)
        fresh = self.rows.new(self.n_steps, len(hours))
        return {
            **{int(p): kept[:, j] for j, p in enumerate(goods)},
            **{int(p): fresh[:, j] for j, p in enumerate(hours)},
        }

    def ship(self, product_row: dict[int, Array], served: Array) -> None:
        """Let what is shipped arrive a lag later."""
        at = {int(k): j for j, k in enumerate(served)}
        for k, a in enumerate(self.chain.activities):
            if a.product in product_row:
                late = product_row[a.product][self.lag[k] :]
                made = self.output[: len(late), k]
                self.rows.put(late, made, -self.scale[k] / self.size[a.product])
                if k in at:  # what final demand does not get can be shipped
                    spared = self.unmet[: len(late), at[k]]
                    self.rows.put(late, spared, -a.final / self.size[a.product])

    def use(self, product_row: dict[int, Array], used: dict[tuple[int, int], Array]) -> None:
        """Use inputs up: by the recipe, or (important ones) by a variable of their own."""
        for k, a in enumerate(self.chain.activities):
            for j, need in enumerate(a.needs):
                if need.product in product_row:
                    amount = need.quantity * self.scale[k] / self.size[need.product]
                    columns = used.get((k, j), self.output[:, k])
                    self.rows.put(product_row[need.product], columns, amount)

    def shipped(self, served: Array, base: Array) -> Array:
        """Serve final demand from what the node itself makes."""
        row = self.rows.new(self.n_steps, len(served))
        for j, k in enumerate(served):
            for member in np.flatnonzero(base == k):
                part = self.scale[member] / self.scale[k]
                self.rows.put(row[:, j], self.output[:, member], part)
            final = self.chain.activities[k].final
            self.rows.put(row[:, j], self.unmet[:, j], final / self.scale[k])
        return row

    def shared(self, shared: Array, base: Array) -> Array:
        """Keep a node and its variants within its capacity."""
        row = self.rows.new(self.n_steps, len(shared))
        for j, k in enumerate(shared):
            for member in np.flatnonzero(base == k):
                part = self.scale[member] / self.scale[k]
                self.rows.put(row[:, j], self.output[:, member], part)
        return row

    def gates(self) -> tuple[tuple[tuple[int, int], ...], Array]:
        """Add a row for every condition of a variant after its first."""
        variants = self.chain.variants
        gates = tuple((v, g) for v, x in enumerate(variants) for g in range(1, len(x.needs)))
        row = self.rows.new(self.n_steps, len(gates))
        for j, (v, _) in enumerate(gates):
            self.rows.put(row[:, j], self.output[:, variants[v].activity], 1.0)
        return gates, row

    def halves(self, soft: list[tuple[int, int]], used: Array, most: Array) -> tuple[Array, Array]:
        """Let output run down, not stop, without an important input."""
        row = self.rows.new(self.n_steps, len(soft))
        half = np.zeros(len(soft))
        for j, (k, _) in enumerate(soft):
            top = max(float(most[k]), 1e-300)
            rest = min(self.chain.activities[k].peak, top)
            half[j] = 0.5 * rest / self.scale[k]
            self.rows.put(row[:, j], self.output[:, k], 1.0)
            self.rows.put(row[:, j], used[:, j], -(1.0 - 0.5 * rest / top))
        return row, half
