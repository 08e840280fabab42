"""The time to survive in closed form, where nothing is left to choose (`Affected.is_chain`).

Let N(t) be the output of a node that is needed for t periods without loss of final demand:

    N[m](t) = final demand x t + sum over buyers b of max(0, a N[b](t) - stock - flow at rest x L),

less what other suppliers of b deliver at rest; and for hours, which cannot be kept for later, at
least a x final demand of b x (t - L). The failed node survives until N leaves zero: along a path
the stocks over use add up (goods under way included), and a node that feeds several branches pools
its stock: the largest t with S >= sum over b of u_b max(0, t - t_b). N is convex, with kinks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from withstand.stress.affected_nodes import Affected, Reach

FLAT = 1e-10
"""A slope below this, in units of output at rest, is none."""
_MOST_STEPS = 200


def chain_time(reach: Reach, affected: Affected) -> float | None:
    """Return the time to survive; None where there is a circle, or hours from two suppliers."""
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
                rate = self.final[b] * to_supplier
                self.at_once[reach.supplier[own], b] = (rate, float(parts.lead[own]))

    def time(self) -> float:
        """Return the largest t with N(t) = 0 for all failed nodes, by Newton from the right."""
        t = np.inf
        for node in self.affected.failed:
            t = min(t, self._root(node))
        return t

    def _root(self, node: int) -> float:
        level, slope = self.at(None)[node]
        if slope <= FLAT:
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
                    is_short = rate > FLAT or (rate > -FLAT and is_short)
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
