"""What home and a set of partners cover: one number a set, by physical output or by value.

A set is an integer: bit i says whether candidate i is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from withstand.errors import SolverError, UsageError
from withstand.measures.feasible_output import Parts, Supply, programme_parts, supply_of
from withstand.measures.value_added import value_added_content
from withstand.programming.highs import OPTIMAL, Programme

if TYPE_CHECKING:
    from withstand.measures.partner_candidates import Side
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
LARGEST_PROGRAMME = 300_000
"""Inputs and nodes up to which the programme of coverage is solved set by set (a second each)."""
TOLERANCE = 1e-7
"""Two coverages nearer than this are the same: the accuracy of the programme."""
DIGITS = 12
"""Decimals kept of a coverage, so that rounding in the solver makes no gains of 1e-17."""


class SetFunction(Protocol):
    """Coverage of any set of candidates."""

    n: int
    is_additive: bool
    is_monotone: bool
    solved: int
    size: int

    def value(self, members: int) -> float:
        """Return the coverage of home and these members, 0 to 1."""
        ...

    def bound(self, members: int, others: Sequence[int], more: int) -> float:
        """Return a number that no set of these members and `more` of the others exceeds."""
        ...


def members_of(members: int) -> list[int]:
    """Return the candidates in a set, ordered.

    Examples
    --------
    >>> members_of(0b1010)
    [1, 3]
    """
    return [i for i in range(members.bit_length()) if members >> i & 1]


def set_of(members: Sequence[int]) -> int:
    """Return the set of some candidates.

    Examples
    --------
    >>> set_of([1, 3])
    10
    """
    return sum(1 << i for i in set(members))


class PhysicalCoverage:
    """Share of final demand that can be met when only home and the members supply.

    The programme of `coverage` with all other regions lost. It stays in the solver: from one set
    to the next only limits change, and every answer is kept.
    """

    is_additive = False
    is_monotone = True

    def __init__(
        self,
        network: ProductionNetwork,
        side: Side,
        *,
        assume_recipe: str,
        slack: Array,
        limit: str,
    ) -> None:
        size = network.n_inputs + network.n_nodes
        if size > LARGEST_PROGRAMME:
            raise UsageError(
                f"This network has {network.n_nodes:,} nodes and {network.n_inputs:,} inputs: the "
                "programme of coverage would take minutes for each set of partners. Use "
                "kind='value', or put regions and sectors together first (withstand.aggregate)."
            )
        self.n = side.n
        self.size = size
        self.supply: Supply = supply_of(network, (), assume_recipe, slack, limit)
        ruled = self.supply.network
        rows = np.flatnonzero(self.supply.has_nodes & (self.supply.need > 0))
        self.is_free = not (ruled.final_demand > 0).any() or len(rows) == 0
        self.solved = 0
        self._known: dict[int, float] = {}
        if self.is_free:
            return
        self.parts: Parts = programme_parts(self.supply, rows)
        region = ruled.node_region[self.parts.nodes]
        self.member_of = np.full(len(region), -2, dtype=np.int64)
        self.member_of[np.isin(region, side.home)] = -1
        for i, regions in enumerate(side.regions):
            self.member_of[np.isin(region, regions)] = i
        self.theta = len(self.parts.nodes)
        limits = self.parts.limits.copy()
        limits[: self.theta][self.member_of != -1] = 0.0
        self._columns = [np.flatnonzero(self.member_of == i) for i in range(self.n)]
        self._set = 0
        n_rows, n_columns = self.parts.matrix.shape
        self._programme = Programme(
            cost=self.parts.cost,
            lower=np.zeros(n_columns),
            upper=limits,
            matrix=self.parts.matrix,
            row_lower=np.zeros(n_rows),
            row_upper=np.full(n_rows, np.inf),
            maximise=True,
        )

    def value(self, members: int) -> float:
        """Return the share of final demand that can be met, 0 to 1."""
        if self.is_free:
            return 1.0
        if members not in self._known:
            theta = round(float(self.columns(members)[self.theta]), DIGITS)
            self._known[members] = min(max(0.0, theta), 1.0)
        return self._known[members]

    def bound(self, members: int, others: Sequence[int], more: int) -> float:
        """Return the coverage with all the others: more partners never cover less."""
        return self.value(members | set_of(others))

    def columns(self, members: int) -> Array:
        """Return the best allocation: what each node makes, then the share of demand met.

        Raises
        ------
        SolverError
            If HiGHS finds no optimum (there is one: making nothing is always possible).
        """
        for i in members_of(self._set ^ members):
            at = self._columns[i]
            is_in = members >> i & 1
            self._programme.set_upper(at, self.parts.limits[at] if is_in else np.zeros(len(at)))
        self._set = members
        self.solved += 1
        solution = self._programme.solve()
        if solution.status != OPTIMAL:
            raise SolverError(f"No optimum was found for a set of partners: {solution.status}.")
        return solution.columns


class ValueCoverage:
    """Share of the value of home's final sales that arises at home and at the members.

    Each region's value counts for itself, so that sets add up and the best of k are the largest.
    """

    is_additive = True

    def __init__(self, network: ProductionNetwork, side: Side) -> None:
        self.n = side.n
        self.size = 1
        viewpoint = None
        if network.settings.viewpoint is not None:
            viewpoint = network.product_labels[network.viewpoint].tolist()
        content = value_added_content(
            network, region=network.region_labels[side.home].tolist(), product=viewpoint
        )
        self.by_node = content.by_node
        self.base = float(content.by_region[side.home].sum())
        self.shares = np.array([float(content.by_region[r].sum()) for r in side.regions])
        self.is_monotone = bool((self.shares >= 0).all())
        self.solved = 1

    def value(self, members: int) -> float:
        """Return the share of value that arises at home and at the members."""
        total = self.base + sum(float(self.shares[i]) for i in members_of(members))
        return round(total, DIGITS) + 0.0  # never -0.0

    def bound(self, members: int, others: Sequence[int], more: int) -> float:
        """Return the value with the largest of the others."""
        largest = sorted((float(self.shares[i]) for i in others), reverse=True)[:more]
        return self.value(members) + sum(largest)
