"""How long final demand lasts without some nodes, and the least loss over a window, by totals.

The programme of Simchi-Levi et al. (2015) adds up each node's output over a window of t periods, in
place of following it period by period. Here it knows lead times. With delta the least periods from
a node's output to final demand, and h = max(0, t - delta) the time in which output is of use:

    minimise    sum of weight x lost[j]
    node        X[n] >= sum of shipments Y on its links + final demand x t - lost[n]
    essential   a X[b] <= stock + sum over links of flow at rest x min(h_b, L) + Y
    hours       final demand met <= sum over the window of min(final demand, hours under way / a)
                + Y / a, for b with final demand: hours cannot be kept for later
    contracts   Y >= flow at rest x max(0, h_b - L) for buyers, and lost[j] = 0 for final demand,
                that the failure does not reach; capacity less these rates in the limit of Y
    important   X[b] <= x0/2 h_b + (1 - x0 / (2 x_max)) used / a,  used in place of a X[b] above
    limits      0 <= X <= capacity x h,   0 <= Y <= supplier's capacity x max(0, h_b - L)
                X = 0 for what failed,  0 <= lost <= final demand x t

Where goods may be diverted from buyers that are not affected (no contracts), its loss Z(t) is never
above that of `respond` for a window of t periods in which the nodes are out.
The time to survive is where Z leaves zero; `withstand.stress.pooled_stocks` has its closed form.

References
----------
Simchi-Levi, Schmidt, Wei, Zhang, Combs, Ge, Gusikhin, Sanders, Zhang (2015), Identifying risks and
mitigating disruptions in the automotive supply chain, Interfaces 45(5):375-390. We differ: lead
times, goods under way and the delay until another supplier's extra output arrives; important
inputs; stocks stand with buyers; and the time to survive is the first time of loss, where theirs is
the largest t without loss in total (which forgets a gap that later deliveries make good).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.errors import SolverError
from withstand.programming.highs import OPTIMAL, Programme, Solution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from withstand.stress.affected_nodes import Affected, Reach

Array = np.ndarray
ZERO = 1e-10
"""Loss below this, in periods of a product's final demand, is none."""
SOLVER_TOLERANCE = 1e-10
_MOST_STEPS = 200


class SteadyProgramme:
    """The programme above for one set of affected nodes, kept in HiGHS while t and failures change.

    Columns: output of nodes, shipments on links, use of important inputs, lost demand. Rows: nodes,
    inputs, important inputs, hours that final demand needs at once.

    Parameters
    ----------
    reach : Reach
    affected : Affected
    weight : ndarray of float64, shape (n,)
        Cost of one unit of lost final demand of each of the parts' nodes.
    """

    def __init__(self, reach: Reach, affected: Affected, weight: Array) -> None:
        self.reach = reach
        self._index(affected)
        parts, served = reach.parts, self.nodes[self.served]
        self.value = weight[served] * parts.final_demand[served]
        self.limit = _Bounds(self.n_columns)
        self._limit_columns(affected)
        self.low, self.high = _Bounds(len(self.nodes)), _Bounds(self.n_rows - len(self.nodes))
        self._bound_rows()
        self.matrix = self._coefficients()
        self.programme: Programme | None = None
        self.cost = np.zeros(self.n_columns)
        self.is_failed = np.zeros(self.n_columns, dtype=bool)
        self.fail(affected.failed)

    def _index(self, affected: Affected) -> None:
        """Set the numbers of columns and rows; tell frozen and promised links apart."""
        reach, parts = self.reach, self.reach.parts
        self.nodes = np.array(affected.nodes, dtype=np.int64)
        self.inputs = np.array(affected.inputs, dtype=np.int64)
        self.at_node = _positions(self.nodes, len(parts.nodes))
        self.at_input = _positions(self.inputs, len(parts.inputs))
        links = np.array(
            [k for i in affected.inputs for k in reach.links_of_input[i]], dtype=np.int64
        )
        is_frozen = self.at_node[parts.supplier[links]] < 0
        self.frozen, self.own = links[is_frozen], links[~is_frozen]
        self.is_reached = np.zeros(len(parts.nodes), dtype=bool)
        self.is_reached[list(affected.reached)] = True
        self.buyer = self.at_node[parts.buyer[self.inputs]]
        self.supplier = self.at_node[parts.supplier[self.own]]
        self.link_input = self.at_input[parts.link_input[self.own]]
        self.way = reach.delta[parts.buyer[parts.link_input[self.own]]]
        self.is_promised = ~self.is_reached[parts.buyer[parts.link_input[self.own]]]
        self.served = np.flatnonzero(parts.final_demand[self.nodes] > 0)
        self.softened = np.flatnonzero(~parts.is_essential[self.inputs])
        at_once = np.array([reach.is_at_once[i] for i in affected.inputs], dtype=bool)
        self.hours = np.flatnonzero(at_once)
        n, m, k = len(self.nodes), len(self.inputs), len(self.own)
        n_soft = len(self.softened)
        self.shipped = n + np.arange(k)
        self.used = n + k + np.arange(n_soft)
        self.lost = n + k + n_soft + np.arange(len(self.served))
        self.n_columns = n + k + n_soft + len(self.served)
        self.soft_row = m + np.arange(n_soft)  # counted from the first input's row
        self.hours_row = np.full(m, -1, np.int64)
        self.hours_row[self.hours] = m + n_soft + np.arange(len(self.hours))
        self.n_rows = n + m + n_soft + len(self.hours)

    def _limit_columns(self, affected: Affected) -> None:
        """Bound output, shipments (on top of contracts) and lost demand."""
        reach, parts = self.reach, self.reach.parts
        delta, lead = reach.delta[self.nodes], parts.lead[self.own]
        size, scale = parts.size[self.nodes], parts.scale[self.inputs]
        is_raised = np.array([x in affected.raised for x in affected.nodes], dtype=bool)
        rest = 2.0 * parts.half[self.nodes]
        most = np.where(is_raised, parts.capacity[self.nodes] / size, rest)
        self.limit.add(np.arange(len(self.nodes)), most, delta, 0.0)
        free = np.maximum(most - reach.contracts(affected.reached)[self.nodes] / size, 0.0)
        per_scale = (free * size)[self.supplier] / scale[self.link_input]
        self.limit.add(self.shipped, per_scale, self.way, lead)
        self.limit.base[self.used] = np.inf
        may_lose = self.is_reached[self.nodes[self.served]].astype(np.float64)
        self.limit.add(self.lost, may_lose, np.zeros(len(self.served)), 0.0)
        moves = reach.can_choose[self.nodes]
        late_hours = self.hours_row[self.at_input[parts.link_input[self.frozen]]] >= 0
        self.breaks = np.unique(
            np.concatenate(
                [
                    delta[moves],
                    (self.way + lead)[moves[self.supplier]],
                    parts.lead[self.frozen][late_hours],
                ]
            )
        )  # where supply begins to grow faster than at rest
        self.longest_way = float(max(delta.max(), (self.way + lead).max(initial=0.0)))

    def _bound_rows(self) -> None:
        """Bound what nodes must deliver, and what inputs can be had."""
        reach, parts = self.reach, self.reach.parts
        size, scale = parts.size[self.nodes], parts.scale[self.inputs]
        self.relative = parts.final_demand[self.nodes[self.served]] / size[self.served]
        self.low.add(self.served, self.relative, np.zeros(len(self.served)), 0.0)
        kept = [
            k
            for x in self.nodes.tolist()
            for k in reach.links_of_supplier[x]
            if self.at_input[reach.link_input[k]] < 0
            or not self.is_reached[reach.buyer[reach.link_input[k]]]
        ]
        seller = self.at_node[parts.supplier[kept]]
        way = reach.delta[parts.buyer[parts.link_input[kept]]]
        self.low.add(seller, parts.flow[kept] / size[seller], way, parts.lead[kept])

        high = self.high
        high.base[: len(scale)] = parts.stock[self.inputs] / scale
        flow, lead = parts.flow[self.own] / scale[self.link_input], parts.lead[self.own]
        high.add(self.link_input, flow, self.way, lead, is_pipe=True)
        promised = self.is_promised
        for rows in (self.link_input, self.hours_row[self.link_input]):
            at = promised & (rows >= 0)
            high.add(rows[at], flow[at], self.way[at], lead[at])
        stays = self.at_input[parts.link_input[self.frozen]]
        flow, way = parts.flow[self.frozen] / scale[stays], reach.delta[parts.buyer[self.inputs]]
        high.add(stays, flow, way[stays], 0.0)
        at = self.hours_row[stays] >= 0
        high.add(self.hours_row[stays[at]], flow[at], way[stays[at]], parts.lead[self.frozen][at])
        buyer = self.nodes[self.buyer[self.softened]]
        high.add(self.soft_row, parts.half[buyer], reach.delta[buyer], 0.0)
        for x in self.hours.tolist():
            self._add_hours(int(self.inputs[x]), int(self.hours_row[x]))

    def _add_hours(self, i: int, row: int) -> None:
        """Add the final demand that hours under way can meet, less all of it, to a row."""
        parts, links = self.reach.parts, np.array(self.reach.links_of_input[i])
        b = parts.buyer[i]
        final = parts.final_demand[b] / parts.size[b]
        links = links[np.argsort(parts.lead[links], kind="stable")]
        flow = parts.flow[links] / parts.scale[i]
        under_way = np.minimum(final, np.append(np.cumsum(flow[::-1])[::-1], 0.0))
        ends = under_way[:-1] - under_way[1:]  # what ends with each link's lead time
        rows = np.full(len(links), row)
        self.high.add(rows, ends, np.zeros(len(links)), parts.lead[links], is_pipe=True)
        self.high.add(np.array([row]), np.array([-final]), np.zeros(1), 0.0)

    def _coefficients(self) -> sparse.csr_array:
        parts, n = self.reach.parts, len(self.nodes)
        size, scale = parts.size[self.nodes], parts.scale[self.inputs]
        per_size = scale[self.link_input] / size[self.supplier]
        take = self.buyer.copy()
        take[self.softened] = self.used
        soft_buyer = self.buyer[self.softened]
        slope = parts.slope[self.nodes][soft_buyer]
        hours, is_hours = self.hours, self.hours_row[self.link_input] >= 0
        lost_of = _positions(self.served, n)
        lost_of = np.where(lost_of >= 0, self.lost[0] + lost_of if len(self.lost) else -1, -1)
        final = (parts.final_demand[self.nodes] / size)[self.buyer[hours]]
        entries = [
            (np.arange(n), np.arange(n), np.ones(n)),
            (self.supplier, self.shipped, -per_size),
            (self.served, self.lost, self.relative),
            (n + np.arange(len(take)), take, np.ones(len(take))),
            (n + self.link_input, self.shipped, -np.ones(len(self.own))),
            (n + self.soft_row, soft_buyer, np.ones(len(slope))),
            (n + self.soft_row, self.used, -slope),
            (n + self.hours_row[hours], lost_of[self.buyer[hours]], -final),
            (
                n + self.hours_row[self.link_input[is_hours]],
                self.shipped[is_hours],
                -np.ones(int(is_hours.sum())),
            ),
        ]
        row, column, value = (np.concatenate(x) for x in zip(*entries, strict=True))
        return sparse.coo_array((value, (row, column)), (self.n_rows, self.n_columns)).tocsr()

    def fail(self, nodes: Iterable[int]) -> None:
        """Choose which nodes are out; their output is zero."""
        self.is_failed[:] = False
        self.is_failed[self.at_node[list(nodes)]] = True

    def least_loss(self, t: float) -> float:
        """Return the least value lost in a window of t periods."""
        return self._solve(self._bounds(t), self.value).objective

    def time(self, start: float = 0.0) -> float:
        """Return the first t at which final demand cannot be met in full any more.

        Z is convex between the breaks (where the extra output of a supplier begins to arrive), so
        its zero is found by Newton's method from the right end of the first interval that ends with
        a loss. Up to `start` there is none.
        """
        each = np.ones(len(self.value))
        if not np.isfinite(start):
            return np.inf
        for t in self.breaks[self.breaks > start]:
            solution = self._solve(self._bounds(t), each)
            if solution.objective > ZERO:
                return self._newton(t, solution)
        last = max(self.longest_way, start)
        rates = self._slopes(None)
        solution = self._solve(rates, each)
        if solution.objective <= ZERO:
            return np.inf  # with no loss at `last`, a plan that lasts is added to the one up to it
        gap = self._price(solution, self._bounds(last))
        t = last + max(-gap, 0.0) / solution.objective
        return self._newton(t, self._solve(self._bounds(t), each))

    def _newton(self, t: float, solution: Solution) -> float:
        each = np.ones(len(self.value))
        for _ in range(_MOST_STEPS):
            slope = self._price(solution, self._slopes(t))
            if solution.objective <= ZERO * 1e-3 or slope <= ZERO:
                return t + 0.0  # not -0.0
            following = max(t - solution.objective / slope, 0.0)
            if following >= t:
                return t + 0.0  # not -0.0
            t = following
            solution = self._solve(self._bounds(t), each)
        raise SolverError("The time to survive did not settle; please report this network.")

    def _bounds(self, t: float) -> tuple[Array, Array, Array]:
        """Return upper bounds of columns, lower of the nodes' rows, upper of the inputs' rows."""
        upper = self.limit.at(t)
        upper[self.is_failed] = 0.0
        return upper, self.low.at(t), self.high.at(t)

    def _slopes(self, t: float | None) -> tuple[Array, Array, Array]:
        """Return the change of the bounds per period just before t; None: for ever after."""
        upper = self.limit.slope(t)
        upper[self.is_failed] = 0.0
        return upper, self.low.slope(t), self.high.slope(t)

    def _price(self, solution: Solution, bounds: tuple[Array, Array, Array]) -> float:
        """Return the value of bounds at the prices of a solution: its objective for its own."""
        upper, low, high = bounds
        free = np.isfinite(self.limit.base)
        worth = np.minimum(solution.reduced_costs, 0.0)
        rows = solution.duals
        n = len(self.nodes)
        return float(worth[free] @ upper[free] + rows[:n] @ low + rows[n:] @ high)

    def _solve(self, bounds: tuple[Array, Array, Array], cost: Array) -> Solution:
        upper, low, high = bounds
        row_lower = np.concatenate([low, np.full(len(high), -np.inf)])
        row_upper = np.concatenate([np.full(len(low), np.inf), high])
        upper = np.where(np.isfinite(self.limit.base), upper, np.inf)
        if self.programme is None:
            self.cost[self.lost] = cost
            self.programme = Programme(
                cost=self.cost, lower=np.zeros(self.n_columns), upper=upper, matrix=self.matrix,
                row_lower=row_lower, row_upper=row_upper, tolerance=SOLVER_TOLERANCE,
            )  # fmt: skip
        else:
            self.programme.set_upper(np.arange(self.n_columns), upper)
            self.programme.set_rows(np.arange(self.n_rows), row_lower, row_upper)
            if not np.array_equal(self.cost[self.lost], cost):
                self.cost[self.lost] = cost
                self.programme.set_cost(self.lost, cost)
        solution = self.programme.solve()
        if solution.status != OPTIMAL:
            raise SolverError(f"No best response was found: status '{solution.status}'.")
        return solution


class _Bounds:
    """Bounds that move with t: base + sum of coefficient x phi(t)."""

    def __init__(self, n: int) -> None:
        self.base = np.zeros(n)
        self._target = np.empty(0, np.int64)
        self._coefficient, self._delta, self._lead = np.empty((3, 0))
        self._is_pipe = np.empty(0, bool)

    def add(
        self,
        target: Array,
        coefficient: Array,
        delta: Array,
        lead: Array | float,
        *,
        is_pipe: bool = False,
    ) -> None:
        """Add terms: coefficient x max(0, h - lead), or x min(h, lead) for a pipeline."""
        self._target = np.concatenate([self._target, target])
        self._coefficient = np.concatenate([self._coefficient, coefficient])
        self._delta = np.concatenate([self._delta, delta])
        self._lead = np.concatenate([self._lead, np.broadcast_to(lead, len(target))])
        self._is_pipe = np.concatenate([self._is_pipe, np.full(len(target), is_pipe)])

    def at(self, t: float) -> Array:
        """Return the bounds at t."""
        h = np.maximum(t - self._delta, 0.0)
        phi = np.where(self._is_pipe, np.minimum(h, self._lead), np.maximum(h - self._lead, 0.0))
        return self.base + self._sum(phi)

    def slope(self, t: float | None) -> Array:
        """Return their change per period just before t; None: once all lead times have passed."""
        if t is None:
            return self._sum((~self._is_pipe).astype(np.float64))
        h = t - self._delta
        late = np.where(self._is_pipe, (h > 0) & (h <= self._lead), h > self._lead)
        return self._sum((late & (h > 0)).astype(np.float64))

    def _sum(self, phi: Array) -> Array:
        return np.bincount(self._target, self._coefficient * phi, len(self.base))


def _positions(values: Array, n: int) -> Array:
    """Return where each of 0 ... n - 1 stands in `values`, -1 where it does not."""
    at = np.full(n, -1, np.int64)
    at[values] = np.arange(len(values))
    return at
