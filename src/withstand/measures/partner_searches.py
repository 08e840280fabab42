"""The best k partners: every set that could be best, or one programme; and the sets that tie."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from withstand.measures.partner_programme import BestPartners
from withstand.measures.partner_sets import (
    TOLERANCE,
    PhysicalCoverage,
    SetFunction,
    ValueCoverage,
    members_of,
)

BEST = ("auto", "brute_force", "programme")
MOST_SETS = 3_000
"""Sets of k up to which `auto` goes through them; beyond, the programme is quicker."""
MOST_TIES = 20
"""Sets that tie are listed up to this number."""
MOST_KEPT = 2_000
"""Sets that tie are kept up to this number, to list the first of them."""
TIE_WORK = 1_000_000
"""Inputs and nodes in all programmes solved to find the sets that tie, where going through all sets
takes too long."""
MOST_STRIPPED = 60
"""Candidates up to which a start is also looked for by leaving one after another."""
ZERO = 1e-9
NARROW = 2e-6
"""Gap at which the programme has found the best: HiGHS ends at an absolute gap of 1e-6."""


@dataclass(frozen=True, kw_only=True)
class BestSet:
    """The best set of k partners.

    Parameters
    ----------
    partners : tuple of str
        The first of the sets that cover most: the one with the largest coverage to expect, else
        in the order of labels.
    coverage : float
        Share of demand (or of value) covered by home and these, 0 to 1.
    bound : float
        No set of k covers more than this.
    method : {"brute_force", "programme", "bound"}
        "bound": a start covers as much as all candidates together, so no set can be better.
    ties : int or None
        Sets of k that cover as much, this one counted; None if they were not all looked for.
    tied : tuple of tuple of str
        Those sets, at most twenty.
    expected : float or None
        Coverage expected when each partner fails by itself, with 1 - its reliability.
    """

    partners: tuple[str, ...]
    coverage: float
    bound: float
    method: str
    ties: int | None
    tied: tuple[tuple[str, ...], ...]
    expected: float | None = None

    @property
    def k(self) -> int:
        """Number of partners."""
        return len(self.partners)

    @property
    def gap(self) -> float:
        """Most that another set of k could cover beyond this one."""
        return max(self.bound - self.coverage, 0.0)

    def __repr__(self) -> str:
        """Return one line."""
        names = ", ".join(self.partners) or "nobody"
        more = f", {self.ties:,} sets tie" if self.ties is not None and self.ties > 1 else ""
        sure = f", at most {self.gap:.2g} below the best" if self.gap > TOLERANCE else ""
        return f"<BestSet of {self.k}: {names}: {self.coverage:.1%}{more}{sure}>"


def best_sets(
    covers: PhysicalCoverage | ValueCoverage,
    labels: tuple[str, ...],
    most: int,
    *,
    best: str,
    time_limit: float,
    first: int = 0,
    level: float | None = None,
    with_ties: bool = True,
) -> list[BestSet]:
    """Return the best set of each size, from `first` to `most`, or until one covers `level`.

    Ties are in the order of labels, so the same network gives the same answer in any row order.
    """
    by_label = sorted(range(covers.n), key=lambda i: labels[i])
    programme: BestPartners | None = None
    starts = greedy(covers, most)
    found = []
    for k in range(first, most + 1):
        is_large = best == "programme" or (best == "auto" and comb(covers.n, k) > MOST_SETS)
        is_large = is_large and not covers.is_additive
        is_open = covers.value(starts[k]) < covers.bound(0, by_label, k) - ZERO
        if not is_large:
            members, method = _by_brute_force(covers, k, starts[k], by_label), "brute_force"
            bound = covers.value(members)
        elif is_open and isinstance(covers, PhysicalCoverage):
            programme = programme or BestPartners(covers)
            members, bound = _by_programme(covers, programme, k, starts[k], by_label, time_limit)
            method = "programme"
        else:
            members, bound, method = starts[k], covers.bound(0, by_label, k), "bound"
        ties: int | None = None
        tied = [members]
        if with_ties and bound <= covers.value(members) + NARROW:
            allowance = TIE_WORK // covers.size if is_large else None
            threshold = covers.value(members) - TOLERANCE
            ties, reaching = sets_reaching(covers, k, threshold, by_label, allowance)
            tied = reaching or tied
        found.append(_labelled(covers, labels, tied, bound, method, ties))
        if level is not None and found[-1].coverage >= level - TOLERANCE:
            break
        if k < most:
            starts[k + 1] = _better(covers, starts[k + 1], _extended(covers, members))
    return found


def _labelled(
    covers: SetFunction,
    labels: tuple[str, ...],
    sets: list[int],
    bound: float,
    method: str,
    ties: int | None,
) -> BestSet:
    tied = tuple(tuple(sorted(labels[i] for i in members_of(s))) for s in sets)
    coverage = covers.value(sets[0])
    return BestSet(
        partners=tied[0],
        coverage=coverage,
        bound=max(bound, coverage) + 0.0,  # never -0.0
        method=method,
        ties=ties,
        tied=tied,
    )


def greedy(covers: SetFunction, most: int) -> list[int]:
    """Return a set of each size from 0 to `most`: the better of adding to nobody and leaving all.

    Partners complement each other, so neither is sure to come near the best; they are starts.
    """
    up = [0]
    while len(up) <= most:
        up.append(_extended(covers, up[-1]))
    if covers.n > MOST_STRIPPED:
        return up[: most + 1]
    down = {covers.n: (1 << covers.n) - 1}
    for size in range(covers.n - 1, -1, -1):
        larger = down[size + 1]
        smaller = [larger ^ (1 << i) for i in members_of(larger)]
        down[size] = max(smaller, key=lambda s: (covers.value(s), -s))
    return [_better(covers, up[k], down[k]) for k in range(most + 1)]


def _extended(covers: SetFunction, members: int) -> int:
    """Return the set with the one candidate more that adds most."""
    others = [members | 1 << i for i in range(covers.n) if not members >> i & 1]
    return max(others, key=lambda s: (covers.value(s), -s)) if others else members


def _better(covers: SetFunction, one: int, other: int) -> int:
    return other if covers.value(other) > covers.value(one) else one


def _by_brute_force(covers: SetFunction, k: int, start: int, by_label: list[int]) -> int:
    """Go through all sets of k, leaving out those that cannot be better than the best so far."""
    order = _missed_most(covers, by_label)
    best = start

    def visit(members: int, at: int, missing: int) -> None:
        nonlocal best
        if missing == 0:
            best = _better(covers, best, members)
            return
        for i in range(at, covers.n - missing + 1):
            if covers.bound(members, order[i:], missing) <= covers.value(best) + ZERO:
                return
            visit(members | 1 << order[i], i + 1, missing - 1)

    visit(0, 0, k)
    return best


def _missed_most(covers: SetFunction, by_label: list[int]) -> list[int]:
    """Return the candidates, the one whose loss hurts most first: bounds fall soonest that way."""
    everyone = (1 << covers.n) - 1
    return sorted(by_label, key=lambda i: covers.value(everyone ^ 1 << i))


def _by_programme(
    covers: PhysicalCoverage,
    programme: BestPartners,
    k: int,
    start: int,
    by_label: list[int],
    time_limit: float,
) -> tuple[int, float]:
    """Return the best set of the programme, and its bound."""
    found = programme.best(k, start, time_limit)
    members = found.members
    for i in by_label:  # fewer than k may be as good; a set of k is asked for
        if members.bit_count() < k and not members >> i & 1:
            members |= 1 << i
    return _better(covers, start, members), found.bound


def sets_reaching(
    covers: SetFunction,
    k: int,
    threshold: float,
    by_label: list[int],
    most_solves: int | None = None,
) -> tuple[int | None, list[int]]:
    """Return how many sets of k cover at least so much, and the first of them in label order.

    The number is None if it takes more than `most_solves` programmes to know it. Where there are
    more than can be kept, the first of those that were met first are given.
    """
    order = _missed_most(covers, by_label)
    if covers.value(0) >= threshold and covers.is_monotone:
        order = by_label  # all sets do: keep the first
    search = _Reaching(covers, threshold, order, most_solves)
    is_whole = search.visit(0, 0, k)
    place = {i: at for at, i in enumerate(by_label)}
    found = sorted(search.found, key=lambda s: sorted(place[i] for i in members_of(s)))
    return (search.count if is_whole else None), found[:MOST_TIES]


class _Reaching:
    """Sets that cover at least a threshold, counted and, the first of them, kept."""

    def __init__(
        self, covers: SetFunction, threshold: float, order: list[int], most_solves: int | None
    ) -> None:
        self.covers, self.threshold, self.order = covers, threshold, order
        self.last = None if most_solves is None else covers.solved + most_solves
        self.count = 0
        self.found: list[int] = []

    def visit(self, members: int, at: int, missing: int) -> bool:
        """Go through the sets that begin with these members; False if the allowance is used up."""
        covers, n = self.covers, self.covers.n
        if self.last is not None and covers.solved > self.last:
            return False
        if (missing == 0 or covers.is_monotone) and covers.value(members) >= self.threshold:
            self.count += comb(n - at, missing)  # with more partners they cover no less
            self.keep(members, at, missing)
            return True
        if missing == 0:
            return True
        for i in range(at, n - missing + 1):
            if covers.bound(members, self.order[i:], missing) < self.threshold:
                return True
            if not self.visit(members | 1 << self.order[i], i + 1, missing - 1):
                return False
        return True

    def keep(self, members: int, at: int, missing: int) -> None:
        """Keep the sets of these members and any others, as long as there is room."""
        if len(self.found) >= MOST_KEPT:
            return
        if missing == 0:
            self.found.append(members)
            return
        for i in range(at, self.covers.n - missing + 1):
            self.keep(members | 1 << self.order[i], i + 1, missing - 1)
