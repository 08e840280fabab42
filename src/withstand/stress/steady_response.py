"""How long final demand lasts without some nodes, and the least loss over a window, by totals.

The programme of Simchi-Levi et al. (2015) adds up each node's output over a window of t periods, in
place of following it period by period. Here it knows lead times. With delta the least periods from a
node's output to final demand, and h = max(0, t - delta) the time in which output is of use:

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
The time to survive is where Z leaves zero. Where nothing is left to choose (`Affected.is_chain`)
that point has a closed form: let N(t) be the output of a node needed for t periods,

    N[m](t) = final demand x t + sum over buyers b of max(0, a N[b](t) - stock - flow at rest x L);

(for hours, at least a x final demand x (t - L) of b's own); the failed node survives until N leaves
zero: along a path the stocks over use add up, and a node that feeds several branches pools its stock.

References
----------
Simchi-Levi, Schmidt, Wei, Zhang, Combs, Ge, Gusikhin, Sanders, Zhang (2015), Identifying risks and
mitigating disruptions in the automotive supply chain, Interfaces 45(5):375-390. We differ: lead
times, goods under way and the delay until another supplier's extra output arrives; important
inputs; stocks stand with buyers; and the time to survive is the first time of loss, where theirs is
the largest t without loss in total (which forgets a gap that later deliveries make good).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from withstand.errors import SolverError
from withstand.programming.highs import OPTIMAL, Programme, Solution
from withstand.stress.affected_nodes import Affected, Reach

Array = np.ndarray
ZERO = 1e-10
"""Loss below this, in periods of a product's final demand, is none."""
SOLVER_TOLERANCE = 1e-10
_MOST_STEPS = 200


def chain_time(reach: Reach, affected: Affected) -> float | None:
    """Return the time to survive where nothing is left to choose; None where it has no such form."""
    order = _buyers_first(reach, affected)
    if order is None or _mixes_hours(reach, affected):
        return None
    return _Chain(reach, affected, order).time()


def _mixes_hours(reach: Reach, affected: Affected) -> bool:
    """Tell whether hours for what final demand needs at once come from two suppliers."""
    mixed = (i for i in affected.inputs if len(reach.links_of_input[i]) > 1)
    return any(reach.is_at_once[i] for i in mixed)


def _buyers_first(reach: Reach, affected: Affected) -> list[int] | None:
    """Return the affected nodes, buyers before their suppliers, or None if there is a circle."""
    members = set(affected.nodes)
    waiting = {
        n: sum(reach.buyer[reach.link_input[k]] in members for k in reach.links_of_supplier[n])
        for n in members
    }
    ready = [n for n in affected.nodes if waiting[n] == 0]
    order = []
    while ready:
        node = ready.pop()
        order.append(node)
        for i in reach.inputs_of_node[node]:
            for k in reach.links_of_input[i]:
                supplier = reach.supplier[k]
                if supplier in members:
                    waiting[supplier] -= 1
                    if waiting[supplier] == 0:
                        ready.append(supplier)
    return order if len(order) == len(members) else None


class _Chain:
    """N(t) of the failed nodes, in units of their size, with its slope; convex in t."""

    def __init__(self, reach: Reach, affected: Affected, order: list[int]) -> None:
        self.reach, self.affected, self.order = reach, affected, order
        parts = reach.parts
        members = set(affected.nodes)
        size, rest = parts.size, 2.0 * parts.half
        self.final = {n: float(parts.final_demand[n] / size[n]) for n in order}
        self.needs: dict[int, list[tuple[int, float, float, float, float]]] = {n: [] for n in order}
        self.at_once: dict[tuple[int, int], tuple[float, float]] = {}
        for i in affected.inputs:
            b = reach.buyer[i]
            links = reach.links_of_input[i]
            own = next(k for k in links if reach.supplier[k] in members)
            others = [k for k in links if k != own]
            frozen = float(parts.flow[others].sum() / parts.scale[i])
            cover = float((parts.stock[i] + parts.flow[own] * parts.lead[own]) / parts.scale[i])
            per_use, free = 1.0, 0.0
            if not parts.is_essential[i]:
                per_use, free = 1.0 / float(parts.slope[b]), 0.5 * float(rest[b])
            to_supplier = float(parts.scale[i] / size[reach.supplier[own]])
            row = (b, per_use * to_supplier, cover * to_supplier, frozen * to_supplier,
                   free * per_use * to_supplier)  # fmt: skip
            self.needs[reach.supplier[own]].append(row)
            if reach.is_at_once[i]:
                row = (self.final[b] * to_supplier, float(parts.lead[own]))
                self.at_once[reach.supplier[own], b] = row

    def time(self) -> float:
        """Return the largest t with N(t) = 0 for all failed nodes, by Newton from the right."""
        t = np.inf
        for node in self.affected.failed:
            t = min(t, self._root(node))
        return t

    def _root(self, node: int) -> float:
        level, slope = self.at(None)[node]
        if slope <= ZERO:
            return np.inf
        t = max(-level / slope, 0.0)
        for _ in range(_MOST_STEPS):
            level, slope = self.at(t)[node]
            if level <= 1e-15 * max(t, 1.0) or slope <= 0.0 or t == 0.0:
                return t + 0.0  # not -0.0
            following = max(t - level / slope, 0.0)
            if following >= t:
                return t + 0.0  # not -0.0
            t = following
        return t

    def at(self, t: float | None) -> dict[int, tuple[float, float]]:
        """Return N(t) and its slope from the left; for None, the line it ends on (level at 0)."""
        delta = self.reach.delta
        needed: dict[int, tuple[float, float]] = {}
        for n in self.order:
            slope = self.final[n]
            level = 0.0 if t is None else slope * t
            for b, per_output, cover, frozen, free in self.needs[n]:
                their_level, their_slope = needed[b]
                if t is None:
                    horizon, growth = -delta[b], 1.0
                else:
                    horizon, growth = max(t - delta[b], 0.0), float(t > delta[b])
                need = per_output * their_level - cover - (frozen + free) * horizon
                rate = per_output * their_slope - (frozen + free) * growth
                if (n, b) in self.at_once:
                    need, rate = self._at_least(n, b, t, need, rate)
                is_short = need > 0.0
                if t is None:
                    is_short = rate > ZERO or (rate > -ZERO and is_short)
                if is_short:
                    level, slope = level + need, slope + rate
            needed[n] = (level, slope)
        return needed

    def _at_least(
        self, n: int, b: int, t: float | None, need: float, rate: float
    ) -> tuple[float, float]:
        """Return the need, or that of final demand once the hours under way are used up."""
        at_once, lead = self.at_once[n, b]
        if t is None:
            return max((rate, need), (at_once, -at_once * lead))[::-1]
        return max((need, rate), (at_once * (t - lead), at_once))


class SteadyProgramme:
    """The programme above for one set of affected nodes, kept in HiGHS while t and failures change.

    Every bound is base + sum of coefficient x phi(t), phi being min(h, L) or max(0, h - L).
    """

    def __init__(self, reach: Reach, affected: Affected, weight: Array) -> None:
        self.reach = reach
        parts = reach.parts
        self.nodes = np.array(affected.nodes, dtype=np.int64)
        self.at = {int(n): k for k, n in enumerate(self.nodes)}
        inputs = np.array(affected.inputs, dtype=np.int64)
        at_node = np.full(len(parts.nodes), -1, np.int64)
        at_node[self.nodes] = np.arange(len(self.nodes))
        links = np.array(
            [k for i in affected.inputs for k in reach.links_of_input[i]], dtype=np.int64
        )
        at_input = np.full(len(parts.inputs), -1, np.int64)
        at_input[inputs] = np.arange(len(inputs))
        is_reached = np.zeros(len(parts.nodes), dtype=bool)
        is_reached[list(affected.reached)] = True
        is_frozen = at_node[parts.supplier[links]] < 0
        frozen, own = links[is_frozen], links[~is_frozen]
        served = np.flatnonzero(parts.final_demand[self.nodes] > 0)
        softened = np.flatnonzero(~parts.is_essential[inputs])
        n, m, k = len(self.nodes), len(inputs), len(own)
        self.n_columns = n + k + len(softened) + len(served)
        self.lost = np.arange(self.n_columns - len(served), self.n_columns)
        self.value = (weight * parts.final_demand)[self.nodes[served]]
        size, scale = parts.size[self.nodes], parts.scale[inputs]
        buyer = at_node[parts.buyer[inputs]]
        supplier, link_input = at_node[parts.supplier[own]], at_input[parts.link_input[own]]
        delta = reach.delta
        self.limit = _Bounds(self.n_columns)  # of columns
        is_raised = np.array([x in affected.raised for x in affected.nodes], dtype=bool)
        rest = 2.0 * parts.half[self.nodes]
        most = np.where(is_raised, parts.capacity[self.nodes] / size, rest)
        self.limit.add(np.arange(n), most, delta[self.nodes], 0.0)
        free = np.maximum(most - reach.contracts(affected.reached)[self.nodes] / size, 0.0)
        per_scale = free[supplier] * size[supplier] / scale[link_input]
        way = delta[parts.buyer[inputs]][link_input]
        self.limit.add(n + np.arange(k), per_scale, way, parts.lead[own])
        has_contract = ~is_reached[parts.buyer[parts.link_input[own]]]
        held = own[has_contract]  # Y is then what is shipped on top
        at_rest = parts.flow[held] / scale[link_input[has_contract]]
        may_lose = is_reached[self.nodes[served]].astype(np.float64)
        self.limit.add(self.lost, may_lose, np.zeros(len(served)), 0.0)
        self.limit.base[n + k : n + k + len(softened)] = np.inf

        # rows: nodes, inputs, important inputs
        relative = parts.final_demand[self.nodes[served]] / size[served]
        self.low = _Bounds(n)
        self.low.add(served, relative, np.zeros(len(served)), 0.0)
        kept = [
            k
            for x in affected.nodes
            for k in reach.links_of_supplier[x]
            if at_input[reach.link_input[k]] < 0 or not is_reached[reach.buyer[reach.link_input[k]]]
        ]
        seller = at_node[parts.supplier[kept]]
        self.low.add(seller, parts.flow[kept] / size[seller],
                     delta[parts.buyer[parts.link_input[kept]]], parts.lead[kept])  # fmt: skip
        hours = np.array([reach.is_at_once[i] for i in affected.inputs], dtype=bool)
        hours = np.flatnonzero(hours)
        self.high = _Bounds(m + len(softened) + len(hours))
        self.high.base[:m] = parts.stock[inputs] / scale
        pipeline = parts.flow[own] / scale[link_input]
        self.high.add(link_input, pipeline, way, parts.lead[own], is_pipe=True)
        self.high.add(link_input[has_contract], at_rest, way[has_contract], parts.lead[held])
        at_frozen = at_input[parts.link_input[frozen]]
        self.high.add(at_frozen, parts.flow[frozen] / scale[at_frozen],
                      delta[parts.buyer[inputs]][at_frozen], 0.0)  # fmt: skip
        soft_buyer = buyer[softened]
        self.high.add(m + np.arange(len(softened)), 0.5 * rest[soft_buyer],
                      delta[self.nodes][soft_buyer], 0.0)  # fmt: skip
        at_once = np.full(m, -1, np.int64)
        at_once[hours] = m + len(softened) + np.arange(len(hours))
        for x in hours:
            self._add_hours(int(inputs[x]), int(at_once[x]), is_frozen_node=at_node < 0)
        kept_hours = at_once[link_input[has_contract]] >= 0
        self.high.add(at_once[link_input[has_contract]][kept_hours], at_rest[kept_hours],
                      way[has_contract][kept_hours], parts.lead[held][kept_hours])  # fmt: skip
        lost_of = np.full(n, -1, np.int64)
        lost_of[served] = self.lost
        in_hours = at_once[link_input] >= 0
        take = buyer.copy()
        take[softened] = n + k + np.arange(len(softened))
        entries = [
            (np.arange(n), np.arange(n), np.ones(n)),
            (supplier, n + np.arange(k), -scale[link_input] / size[supplier]),
            (served, self.lost, relative),
            (n + np.arange(m), take, np.ones(m)),
            (n + link_input, n + np.arange(k), -np.ones(k)),
            (n + m + np.arange(len(softened)), soft_buyer, np.ones(len(softened))),
            (n + m + np.arange(len(softened)), take[softened],
             -parts.slope[self.nodes][soft_buyer]),
            (n + at_once[hours], lost_of[buyer[hours]],
             -parts.final_demand[self.nodes[buyer[hours]]] / size[buyer[hours]]),
            (n + at_once[link_input[in_hours]], n + np.flatnonzero(in_hours),
             -np.ones(int(in_hours.sum()))),
        ]  # fmt: skip
        row, column, value = (np.concatenate(x) for x in zip(*entries, strict=True))
        self.n_rows, self.n_nodes = n + m + len(softened) + len(hours), n
        shape = (self.n_rows, self.n_columns)
        self.matrix = sparse.coo_array((value, (row, column)), shape).tocsr()
        moves = reach.can_choose[self.nodes]
        late_hours = parts.lead[frozen][at_once[at_frozen] >= 0]
        ways = np.concatenate(
            [delta[self.nodes][moves], (way + parts.lead[own])[moves[supplier]], late_hours]
        )
        self.breaks = np.unique(ways)  # where supply begins to grow faster than at rest
        self.longest_way = float(max(delta[self.nodes].max(), (way + parts.lead[own]).max(initial=0)))
        self.is_failed = np.zeros(self.n_columns, dtype=bool)
        self.programme: Programme | None = None
        self.cost = np.zeros(self.n_columns)
        self.fail(affected.failed)

    def _add_hours(self, i: int, row: int, is_frozen_node: Array) -> None:
        """Limit final demand by hours of the time: what is under way, cut to it, and what comes."""
        parts, links = self.reach.parts, np.array(self.reach.links_of_input[i])
        b = parts.buyer[i]
        final = parts.final_demand[b] / parts.size[b]
        links = links[np.argsort(parts.lead[links], kind="stable")]
        flow, lead = parts.flow[links] / parts.scale[i], parts.lead[links]
        under_way = np.minimum(final, np.append(np.cumsum(flow[::-1])[::-1], 0.0))
        ends = under_way[:-1] - under_way[1:]  # what ends with each link's lead time
        none = np.zeros(len(links))
        self.high.add(np.full(len(links), row), ends, none, lead, is_pipe=True)
        self.high.add(np.array([row]), np.array([-final]), np.zeros(1), 0.0)
        stays = is_frozen_node[parts.supplier[links]]
        self.high.add(np.full(int(stays.sum()), row), flow[stays], none[stays], lead[stays])

    def fail(self, nodes: Iterable[int]) -> None:
        """Choose which nodes are out; their output is zero."""
        self.is_failed[:] = False
        self.is_failed[[self.at[n] for n in nodes]] = True

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
        return float(
            worth[free] @ upper[free] + rows[: self.n_nodes] @ low + rows[self.n_nodes :] @ high
        )

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
        phi = np.where(
            self._is_pipe, np.minimum(h, self._lead), np.maximum(h - self._lead, 0.0)
        )
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
