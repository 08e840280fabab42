"""Trade between the regions of an economy: its matrices in blocks, one block per region."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.programming.leontief import leontief_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from withstand.model.network import ProductionNetwork
    from withstand.programming.leontief import LeontiefSystem

Array = np.ndarray
BALANCES = ("residual", "rebalance")


@dataclass(frozen=True, kw_only=True, eq=False)
class TradeBlocks:
    """An economy with its cells in order of their regions, and what the cells export.

    Cells are the rows below; exporters are the regions that have cells, in the order of the
    network's regions; importers are all regions of the network.

    Parameters
    ----------
    system : LeontiefSystem
        (I - A), in the order of the network's nodes.
    order : ndarray of int64, shape (n,)
        Node of each cell.
    exporter_region : ndarray of int64, shape (n_exporters,)
        Region of each exporter.
    exporter : ndarray of int64, shape (n,)
        Exporter that each cell belongs to.
    starts : ndarray of int64, shape (n_exporters,)
        First cell of each exporter.
    coefficients : ndarray of float64, shape (n, n), input per unit of output
        A.
    value_shares : ndarray of float64, shape (n,)
        v: 1 less the column of A; value added with net taxes on products.
    final : ndarray of float64, shape (n, n_regions), currency per period
        Y by region of the final user.
    sold : ndarray of float64, shape (n, n_regions), currency per period
        Inputs that each cell sells to the producers of each region (Z summed by buying region).
    """

    system: LeontiefSystem
    order: Array
    exporter_region: Array
    exporter: Array
    starts: Array
    coefficients: Array
    value_shares: Array
    final: Array
    sold: Array

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.order)

    @property
    def n_exporters(self) -> int:
        """Number of regions with cells."""
        return len(self.starts)

    @cached_property
    def slices(self) -> list[slice]:
        """Cells of each exporter."""
        ends = [*self.starts[1:].tolist(), self.n]
        return [slice(a, b) for a, b in zip(self.starts.tolist(), ends, strict=True)]

    @cached_property
    def is_abroad(self) -> Array:
        """Ndarray of bool, shape (n, n_regions): the importer is not the cell's own region."""
        own = self.exporter_region[self.exporter]
        return own[:, None] != np.arange(self.final.shape[1])

    @cached_property
    def final_exports(self) -> Array:
        """Y of foreign users, 0 at home: ndarray of float64, shape (n, n_regions)."""
        return np.where(self.is_abroad, self.final, 0.0)

    @cached_property
    def final_home(self) -> Array:
        """Y of users at home: ndarray of float64, shape (n,)."""
        return np.where(self.is_abroad, 0.0, self.final).sum(axis=1)

    @cached_property
    def input_exports(self) -> Array:
        """Exports of inputs by importer: ndarray of float64, shape (n, n_regions)."""
        return np.where(self.is_abroad, self.sold, 0.0)

    @cached_property
    def exports(self) -> Array:
        """Gross exports by importer: ndarray of float64, shape (n, n_regions)."""
        return self.final_exports + self.input_exports

    @cached_property
    def total_exports(self) -> Array:
        """Gross exports to all: ndarray of float64, shape (n,)."""
        return self.exports.sum(axis=1)

    # inverses

    @cached_property
    def home_inverses(self) -> list[Array]:
        """L of each exporter by itself: (I - A_ss)^-1."""
        found = []
        for own in self.slices:
            block = self.coefficients[own, own]
            found.append(np.linalg.inv(np.eye(len(block)) - block))
        return found

    @cached_property
    def inverse(self) -> Array:
        """B = (I - A)^-1: ndarray of float64, shape (n, n)."""
        found = self.system.inverse()
        return found if self._is_ordered else found[np.ix_(self.order, self.order)]

    def solve(self, columns: Array) -> Array:
        """Return B times columns, shape (n, k), without making B."""
        return self._in_order(self.system.solve, columns)

    @cached_property
    def content(self) -> Array:
        """Value of each exporter in a unit of each cell, v_t B_tj: shape (n_exporters, n)."""
        if "inverse" in self.__dict__:
            parts = [self.value_shares[own] @ self.inverse[own] for own in self.slices]
            return np.vstack(parts)
        return self._in_order(self.system.solve_transposed, self.in_columns(self.value_shares)).T

    @cached_property
    def home_content(self) -> Array:
        """Value of the own region in a unit of each cell, v_s B_ss: shape (n,)."""
        return self.content[self.exporter, np.arange(self.n)]

    @cached_property
    def foreign_content(self) -> Array:
        """Value of all other regions in a unit of each cell: shape (n,)."""
        return self.content.sum(axis=0) - self.home_content

    @cached_property
    def pure_home_content(self) -> Array:
        """Value that never crossed a border in a unit of each cell, v_s L_ss: shape (n,)."""
        parts = [
            self.value_shares[own] @ inverse
            for own, inverse in zip(self.slices, self.home_inverses, strict=True)
        ]
        return np.concatenate(parts)

    # products by block

    def in_columns(self, cells: Array) -> Array:
        """Spread a number per cell over one column per exporter, shape (n, n_exporters)."""
        spread = np.zeros((self.n, self.n_exporters))
        spread[np.arange(self.n), self.exporter] = cells
        return spread

    def at_home(self, cells: Array) -> Array:
        """Return L_ss times the numbers of each exporter, shape (n,)."""
        return np.concatenate(
            [
                inverse @ cells[own]
                for own, inverse in zip(self.slices, self.home_inverses, strict=True)
            ]
        )

    def inputs_for(self, use: Array) -> Array:
        """Return what the foreign producers of each region need for outputs `use` (all cells).

        Shape (n, n_regions): sum over the cells k of region r of A[i, k] use[k]; 0 at home.
        """
        found = np.zeros(self.final.shape)
        found[:, self.exporter_region] = self.coefficients @ self.in_columns(use)
        return np.where(self.is_abroad, found, 0.0)

    def inputs_for_each(self, use: Array) -> Array:
        """As `inputs_for`, where the use differs by exporter: one column of `use` for each.

        Row i of the answer takes the column of the exporter that i belongs to.
        """
        found = np.zeros(self.final.shape)
        for s, own in enumerate(self.slices):
            needed = self.coefficients[own] * use[:, s]
            found[own, self.exporter_region] = np.add.reduceat(needed, self.starts, axis=1)
        return np.where(self.is_abroad, found, 0.0)

    def inputs_for_all(self, use: Array) -> Array:
        """As `inputs_for_each`, all importers taken together: shape (n,)."""
        found = np.empty(self.n)
        for s, own in enumerate(self.slices):
            block = self.coefficients[own]
            found[own] = block @ use[:, s] - block[:, own] @ use[own, s]
        return found

    @property
    def _is_ordered(self) -> bool:
        return bool((np.diff(self.order) == 1).all())

    def _in_order(self, solve: Callable[[Array], Array], columns: Array) -> Array:
        if self._is_ordered:
            return solve(columns)
        given = np.empty_like(columns)
        given[self.order] = columns
        return solve(given)[self.order]


def trade_blocks(network: ProductionNetwork, balance: str = "residual") -> TradeBlocks:
    """Return the blocks of an economy.

    Parameters
    ----------
    network : ProductionNetwork
        An economy (with a matrix of flows).
    balance : {"residual", "rebalance"}
        With "residual" flows and final demand are those of the table, and what does not add up
        is left over. With "rebalance" coefficients and final demand are kept, and outputs and
        flows are those that final demand needs: x = B y, Z = A diag(x); then all adds up.

    Raises
    ------
    UsageError
        If it is no economy, `balance` is unknown, or the matrices would not fit into the memory.
    """
    if balance not in BALANCES:
        raise UsageError(f"balance='{balance}' is unknown; use one of {', '.join(BALANCES)}.")
    table = network.flow_table
    if table is None:
        raise UsageError(
            "This measure needs an economy: a table of flows between the sectors of regions. "
            "Build one with withstand.model.economy.build_economy."
        )
    system = leontief_of(network)
    order = np.argsort(network.node_region, kind="stable")
    region = network.node_region[order]
    exporter_region, starts, exporter = np.unique(region, return_index=True, return_inverse=True)
    final = np.zeros((network.n_nodes, network.n_regions))
    for column, user in enumerate(table.final_region):
        final[:, user] += table.final[:, column]
    coefficients = system.coefficients()
    if balance == "rebalance":
        sold_by = coefficients * system.solve(final.sum(axis=1))
    else:
        sold_by = table.flows
    buyer = np.zeros(final.shape)
    buyer[np.arange(network.n_nodes), network.node_region] = 1.0
    sold = sold_by @ buyer
    if not (np.diff(order) == 1).all():
        coefficients = coefficients[np.ix_(order, order)]
    return TradeBlocks(
        system=system,
        order=order,
        exporter_region=exporter_region,
        exporter=exporter,
        starts=starts,
        coefficients=np.ascontiguousarray(coefficients),
        value_shares=system.value_shares[order],
        final=final[order],
        sold=sold[order],
    )
