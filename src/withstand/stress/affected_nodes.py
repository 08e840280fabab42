"""Which nodes a failure can touch: who loses an input, and who could help.

The best answer to the failure of a node changes the output of few others. `Reach.of` finds a set
outside which everybody may stay at rest without loss of optimality:

* buyers of a touched node, and their buyers, may make less ("touched");
* where a touched buyer can choose between suppliers, each with spare capacity may make more
  ("raised"), and then its own suppliers count too;
* if goods may be diverted, all buyers of a raised supplier are touched as well, and a supplier
  without spare capacity may serve others less. If not, buyers (and final demand) that the failure
  does not reach, going downstream, get at least what they get at rest;
* all others deliver what they deliver at rest ("frozen").
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from withstand.stress.response_programme import Parts

Array = np.ndarray
SPARE = 1e-12
"""Share of its size by which capacity must exceed output to be of use."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Affected:
    """What a failure can touch; positions in `Parts`.

    Parameters
    ----------
    failed, nodes : list of int
        Failed nodes, and all that are touched (failed ones among them), in the order found.
    raised : set of int
        Nodes that may make more than at rest.
    reached : set of int
        Nodes whose buyers (and final demand) may be served less.
    inputs : list of int
        Inputs that may bind.
    is_chain : bool
        Whether every such input has one touched supplier and none is raised, so that nothing is
        left to choose.
    """

    failed: list[int]
    nodes: list[int]
    raised: set[int]
    reached: set[int]
    inputs: list[int]
    is_chain: bool


class Reach:
    """Adjacency of the parts of a network in plain lists, made once for many failures."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        n, m = len(parts.nodes), len(parts.inputs)
        self.buyer = parts.buyer.tolist()
        self.supplier = parts.supplier.tolist()
        self.link_input = parts.link_input.tolist()
        self.links_of_input = _groups(parts.link_input, m)
        self.links_of_supplier = _groups(parts.supplier, n)
        self.inputs_of_node = _groups(parts.buyer, n)
        rest = 2.0 * parts.half * parts.size
        self.has_spare = (parts.capacity > rest + SPARE * parts.size).tolist()
        outlets = np.bincount(parts.supplier, minlength=n) + (parts.final_demand > 0)
        self.has_other_outlets = (outlets > 1).tolist()
        self.can_choose = np.array(self.has_spare, bool) | (outlets > 1)
        serves_final = parts.final_demand[parts.buyer] > 0
        self.is_at_once = (~parts.is_consumed & parts.is_essential & serves_final).tolist()
        self.delta = self._shortest_way()

    def _shortest_way(self) -> Array:
        """Return the least periods from output of each node to final demand, shape (n,)."""
        parts = self.parts
        delta = np.full(len(parts.nodes), np.inf)
        served = np.flatnonzero(parts.final_demand > 0)
        delta[served] = 0.0
        queue = [(0.0, int(n)) for n in served]
        lead = parts.lead.tolist()
        while queue:
            way, node = heapq.heappop(queue)
            if way > delta[node]:
                continue
            for i in self.inputs_of_node[node]:
                for link in self.links_of_input[i]:
                    found = way + lead[link]
                    if found < delta[self.supplier[link]]:
                        delta[self.supplier[link]] = found
                        heapq.heappush(queue, (found, self.supplier[link]))
        return delta

    def lasts(self, failed: Iterable[int]) -> float:
        """Return how long final demand is met if everybody keeps on as at rest: a lower limit.

        A buyer lives on what is under way and on its stock, drawn down by all its suppliers that
        the failure reaches as soon as the first of them delivers nothing.
        """
        parts = self.parts
        members = self.downstream(failed)
        after = dict.fromkeys(failed, 0.0)
        queue = [(0.0, n) for n in after]
        while queue:
            time, node = heapq.heappop(queue)
            if time > after[node]:
                continue
            if parts.final_demand[node] > 0:
                return time
            for link in self.links_of_supplier[node]:
                i = self.link_input[link]
                missing = sum(
                    parts.flow[k] for k in self.links_of_input[i] if self.supplier[k] in members
                )
                if missing > 0:
                    found = float(time + parts.lead[link] + parts.stock[i] / missing)
                    if found < after.get(self.buyer[i], np.inf):
                        after[self.buyer[i]] = found
                        heapq.heappush(queue, (found, self.buyer[i]))
        return np.inf

    def downstream(self, failed: Iterable[int]) -> set[int]:
        """Return the failed nodes, their buyers, the buyers of these, and so on."""
        members = set(failed)
        waiting = list(members)
        while waiting:
            for link in self.links_of_supplier[waiting.pop()]:
                buyer = self.buyer[self.link_input[link]]
                if buyer not in members:
                    members.add(buyer)
                    waiting.append(buyer)
        return members

    def contracts(self, reached: set[int]) -> Array:
        """Return what each node delivers at rest to those that are not reached, shape (n,)."""
        parts = self.parts
        flags = np.zeros(len(parts.nodes), dtype=bool)
        flags[list(reached)] = True
        kept = np.where(flags[parts.buyer[parts.link_input]], 0.0, parts.flow)
        total = np.bincount(parts.supplier, kept, len(flags))
        return total + np.where(flags, 0.0, parts.final_demand)

    def everything(self, failed: Iterable[int]) -> Affected:
        """Return the whole network as affected."""
        n = len(self.parts.nodes)
        every = set(range(n))
        return Affected(failed=list(failed), nodes=list(range(n)), raised=every, reached=every,
                        inputs=list(range(len(self.buyer))), is_chain=False)  # fmt: skip

    def of(self, failed: Iterable[int], most: float, *, divert: bool) -> Affected | None:
        """Return what the failure can touch; None if that is more than `most` nodes."""
        search = _Search(self, list(failed), divert)
        while search.to_serve or search.to_raise:
            if len(search.nodes) > most:
                return None
            if search.to_serve:
                search.serve(search.to_serve.pop())
            else:
                search.raise_output(search.to_raise.pop())
        return search.result()


class _Search:
    """One search: nodes found, and what is still to follow up."""

    def __init__(self, reach: Reach, failed: list[int], divert: bool) -> None:
        self.reach = reach
        self.divert = divert
        self.failed = failed
        self.downstream = reach.downstream(failed)
        self.nodes: dict[int, None] = dict.fromkeys(failed)
        self.raised: set[int] = set()
        self.inputs: dict[int, None] = {}
        self.open: set[int] = set()  # inputs whose suppliers were all looked at
        self.to_serve = list(failed)
        self.to_raise: list[int] = []

    def add(self, node: int) -> None:
        if node not in self.nodes:
            self.nodes[node] = None
            self.to_serve.append(node)

    def serve(self, node: int) -> None:
        """Let a node serve its buyers otherwise than at rest, those that may be touched."""
        reach = self.reach
        for link in reach.links_of_supplier[node]:
            i = reach.link_input[link]
            buyer = reach.buyer[i]
            if self.divert or buyer in self.downstream:
                self.inputs[i] = None
                self.add(buyer)
                if len(reach.links_of_input[i]) > 1:
                    self.look_at_suppliers(i)

    def raise_output(self, node: int) -> None:
        for i in self.reach.inputs_of_node[node]:
            self.inputs[i] = None
            self.look_at_suppliers(i)

    def look_at_suppliers(self, i: int) -> None:
        if i in self.open:
            return
        self.open.add(i)
        reach = self.reach
        for link in reach.links_of_input[i]:
            node = reach.supplier[link]
            if node in self.raised or node in self.failed:
                continue
            if reach.has_spare[node]:
                self.raised.add(node)
                self.to_raise.append(node)
                self.add(node)
            elif self.divert:
                if reach.has_other_outlets[node]:
                    self.add(node)
            elif self.could_shift(node, link):
                self.add(node)

    def could_shift(self, node: int, link: int) -> bool:
        """Tell whether a node serves another buyer that the failure reaches."""
        reach = self.reach
        others = (k for k in reach.links_of_supplier[node] if k != link)
        return any(reach.buyer[reach.link_input[k]] in self.downstream for k in others)

    def result(self) -> Affected:
        reach = self.reach
        is_chain = not self.raised and all(
            sum(reach.supplier[link] in self.nodes for link in reach.links_of_input[i]) == 1
            for i in self.inputs
        )
        reached = set(self.nodes) if self.divert else self.downstream
        return Affected(failed=self.failed, nodes=list(self.nodes), raised=self.raised,
                        reached=reached, inputs=list(self.inputs), is_chain=is_chain)  # fmt: skip


def _groups(of: Array, n: int) -> list[list[int]]:
    """Return the positions at which each value 0 ... n - 1 stands."""
    order = np.argsort(of, kind="stable")
    ends = np.cumsum(np.bincount(of, minlength=n))
    return [x.tolist() for x in np.split(order, ends[:-1])] if n else []
