"""The linear programme of coverage: the largest share of final demand that can be met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from withstand.errors import SolverError
from withstand.programming.highs import OPTIMAL, Programme

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
RAISE = 0.1
"""Share of a product's need by which its limits are raised to find what binding is worth."""
TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Supply:
    """What each node can give once some regions are lost.

    Parameters
    ----------
    network : ProductionNetwork
        Under the recipe rule that was asked for.
    is_lost : ndarray of bool, shape (n_nodes,)
    rest : ndarray of float64, shape (n_nodes,), units per period
        Output at rest.
    upper : ndarray of float64, shape (n_nodes,), units per period
        Most each node can give; infinite where no share says what it gives at rest.
    need : ndarray of float64, shape (n_products,), units per period
        Use at rest of each product: the output at rest of all its nodes.
    has_nodes : ndarray of bool, shape (n_products,)
        Products that somebody makes, and that must balance; the others are there in any quantity.
    """

    network: ProductionNetwork
    is_lost: Array
    rest: Array
    upper: Array
    need: Array
    has_nodes: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """Feasible output and what binds it; `gain` and `dual` are per product.

    `gain` is what theta gains when the product's limits rise by a tenth of need, `dual` what it
    gains per unit of need on those limits, at the margin.
    """

    theta: float
    binding: list[int]
    gain: Array
    dual: Array


def supply_of(
    network: ProductionNetwork,
    without: Sequence[str],
    assume_recipe: str,
    slack: Array,
    limit: str,
) -> Supply:
    """Return the limits of every node under a recipe rule and a kind of limit."""
    ruled = network.under_rule(assume_recipe)
    index = ruled.index("regions")
    gone = np.zeros(ruled.n_regions, dtype=bool)
    gone[[index[r] for r in without]] = True
    is_lost = gone[ruled.node_region]
    n_products = ruled.n_products
    if limit == "capacity":
        upper = ruled.capacity.copy()
    else:
        demand = np.bincount(ruled.node_product, np.maximum(ruled.final_demand, 0), n_products)
        is_stated = ruled.is_stated | (demand > 0)
        upper = np.where(
            is_stated[ruled.node_product], slack[ruled.node_product] * ruled.output, np.inf
        )
    upper[is_lost] = 0.0
    return Supply(
        network=ruled,
        is_lost=is_lost,
        rest=ruled.output,
        upper=upper,
        need=np.bincount(ruled.node_product, ruled.output, n_products),
        has_nodes=np.bincount(ruled.node_product, minlength=n_products) > 0,
    )


def feasible_output(supply: Supply) -> Answer:
    """Solve the programme, then find what each binding product is worth.

    Quantities are scaled by each product's need, so that rows and columns are near 1. Only a
    product with a dual price can gain: by weak duality raising any other limit leaves theta.
    Several products can bind together, so that each alone gains nothing; all of them are named.

    Raises
    ------
    SolverError
        If HiGHS finds no optimum (there is one: making nothing is always possible).
    """
    network = supply.network
    zero = np.zeros(network.n_products)
    rows = np.flatnonzero(supply.has_nodes & (supply.need > 0))
    if not (network.final_demand > 0).any() or len(rows) == 0:
        return Answer(theta=1.0, binding=[], gain=zero, dual=zero.copy())
    scaled = _Scaled(supply, rows)
    theta, dual = scaled.solve()
    if theta >= 1 - TOLERANCE:
        return Answer(theta=theta, binding=[], gain=zero, dual=zero.copy())
    held: set[int] = set()
    found: set[int] = set(np.flatnonzero(dual > TOLERANCE).tolist())
    while found - held:  # several limits can bind together: raise all found until theta moves
        held |= found
        for p in held:
            scaled.raise_limits(p)
        moved, prices = scaled.solve()
        for p in held:
            scaled.restore_limits(p)
        if moved > theta + TOLERANCE:
            break
        found = set(np.flatnonzero(prices > TOLERANCE).tolist())
    gain = zero.copy()
    for p in held:
        scaled.raise_limits(p)
        gain[p] = max(scaled.solve()[0] - theta, 0.0)
        scaled.restore_limits(p)
    gain[gain < TOLERANCE] = 0.0
    labels = network.product_labels
    binding = sorted(held, key=lambda p: (-round(float(gain[p]), 9), labels[p]))
    return Answer(theta=theta, binding=binding, gain=gain, dual=dual)


class Parts(NamedTuple):
    """The programme in numbers: max cost x with matrix x >= 0 and 0 <= x <= limits.

    Columns are what `nodes` make in units of each product's need, then theta, then one outside
    source a row (closed).
    """

    cost: Array
    limits: Array
    matrix: sparse.csr_array
    nodes: Array


class _Scaled:
    """The programme in units of each product's need, with limits that can be raised and restored.

    Columns: nodes that make something needed, theta, then one outside source a row (closed).
    """

    def __init__(self, supply: Supply, rows: Array) -> None:
        self.network = supply.network
        self.programme, self.nodes, self.upper = _programme(supply, rows)
        self.product = self.network.node_product[self.nodes]
        self.theta_column = len(self.nodes)
        self.row_of = {int(p): i for i, p in enumerate(rows)}

    def solve(self) -> tuple[float, Array]:
        """Return theta and, per product, what one more unit of need on its limits is worth."""
        solution = self.programme.solve()
        if solution.status != OPTIMAL:
            raise SolverError(f"No optimum was found for the feasible output: {solution.status}.")
        theta = min(max(0.0, float(solution.columns[self.theta_column])), 1.0)
        price = np.zeros(self.network.n_products)
        alive = np.isfinite(self.upper) & (self.upper > 0)
        total = np.bincount(self.product[alive], self.upper[alive], self.network.n_products)
        worth = np.maximum(solution.reduced_costs[: self.theta_column], 0.0)
        at = self.product[alive]
        np.add.at(price, at, worth[alive] * self.upper[alive] / total[at])
        lost = [p for p in self.row_of if total[p] == 0 and not self._is_free(p)]
        price[lost] = np.abs(solution.duals[[self.row_of[p] for p in lost]])
        return theta, price

    def _is_free(self, p: int) -> bool:
        return bool(np.isinf(self.upper[self.product == p]).any())

    def raise_limits(self, p: int) -> None:
        """Raise the limits of a product by a tenth of its need, in proportion to what is left."""
        alive = self._alive(p)
        if len(alive):
            extra = RAISE * self.upper[alive] / self.upper[alive].sum()
            self.programme.set_upper(alive, self.upper[alive] + extra)
        else:
            self.programme.set_upper(self._source(p), np.array([RAISE]))

    def restore_limits(self, p: int) -> None:
        """Set the limits of a product back."""
        alive = self._alive(p)
        if len(alive):
            self.programme.set_upper(alive, self.upper[alive])
        else:
            self.programme.set_upper(self._source(p), np.zeros(1))

    def _alive(self, p: int) -> Array:
        return np.flatnonzero((self.product == p) & np.isfinite(self.upper) & (self.upper > 0))

    def _source(self, p: int) -> Array:
        return np.array([self.theta_column + 1 + self.row_of[p]])


def _programme(supply: Supply, rows: Array) -> tuple[Programme, Array, Array]:
    """Return the programme, the nodes behind its first columns, and their scaled upper bounds."""
    parts = programme_parts(supply, rows)
    n_rows, n_columns = parts.matrix.shape
    programme = Programme(
        cost=parts.cost,
        lower=np.zeros(n_columns),
        upper=parts.limits,
        matrix=parts.matrix,
        row_lower=np.zeros(n_rows),
        row_upper=np.full(n_rows, np.inf),
        maximise=True,
    )
    return programme, parts.nodes, parts.limits[: len(parts.nodes)]


def programme_parts(supply: Supply, rows: Array) -> Parts:
    """Return the cost, limits and matrix of the programme; its rows must not be below 0."""
    network, need = supply.network, supply.need
    n_rows = len(rows)
    row_of = np.full(network.n_products, -1, dtype=np.int64)
    row_of[rows] = np.arange(n_rows)
    columns = np.flatnonzero(need[network.node_product] > 0)
    column_of = np.full(network.n_nodes, -1, dtype=np.int64)
    column_of[columns] = np.arange(len(columns))
    upper = supply.upper[columns] / need[network.node_product[columns]]

    made = row_of[network.node_product[columns]]
    gives = made >= 0
    use = (column_of[network.input_buyer] >= 0) & (row_of[network.input_product] >= 0)
    use &= (network.input_class > 0) & (network.input_coefficient > 0)
    buyer, product = network.input_buyer[use], network.input_product[use]
    scale = need[network.node_product[buyer]] / need[product]
    demand = np.bincount(
        network.node_product, np.maximum(network.final_demand, 0.0), network.n_products
    )
    wanted = np.flatnonzero(demand[rows] > 0)
    theta = len(columns)
    data = np.concatenate(
        [
            np.ones(int(gives.sum())),
            -network.input_coefficient[use] * scale,
            -demand[rows[wanted]] / need[rows[wanted]],
            np.ones(n_rows),
        ]
    )
    row = np.concatenate([made[gives], row_of[product], wanted, np.arange(n_rows)])
    column = np.concatenate(
        [
            np.flatnonzero(gives),
            column_of[buyer],
            np.full(len(wanted), theta),
            theta + 1 + np.arange(n_rows),
        ]
    )
    n_columns = theta + 1 + n_rows
    cost = np.zeros(n_columns)
    cost[theta] = 1.0
    limits = np.concatenate([upper, [1.0], np.zeros(n_rows)])
    matrix = sparse.coo_array((data, (row, column)), (n_rows, n_columns)).tocsr()
    return Parts(cost=cost, limits=limits, matrix=matrix, nodes=columns)
