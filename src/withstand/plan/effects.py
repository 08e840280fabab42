"""What each option adds to a chain: found by carrying it out, and comparing before and after.

The same `apply` that the user calls changes the network, so the planner knows no effect of its own.
Options that require others are compared on top of these. Differences of several options are added
up in the programme; `Plan.verify` carries out the whole portfolio and shows what that hides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.option import apply
from withstand.plan.chain import Activity, Need, Snapshot, activities_of, snapshot
from withstand.plan.increments import Increment, bearable, closure_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option

Array = np.ndarray
SAME = 1e-9
"""Relative difference below which nothing has changed."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """An activity that exists only where all of some options are in place: (option, age)."""

    activity: int
    needs: tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """A network, the activities that options may add, and what each option adds.

    Parameters
    ----------
    network : ProductionNetwork
    options : tuple of Option
    activities : tuple of Activity
        Nodes first, then nodes that options add, then variants.
    stock : ndarray of float64, shape (n_products,), units
    increments : tuple of tuple of Increment
        By option.
    variants : tuple of Variant
    closures : tuple of tuple of int
        By option: what it requires, through others too.
    """

    network: ProductionNetwork
    options: tuple[Option, ...]
    activities: tuple[Activity, ...]
    stock: Array
    increments: tuple[tuple[Increment, ...], ...]
    variants: tuple[Variant, ...]
    closures: tuple[tuple[int, ...], ...]

    @property
    def n_products(self) -> int:
        """Number of products."""
        return self.network.n_products

    def closure(self, m: int) -> tuple[int, ...]:
        """Return the options that option `m` requires, through others too."""
        return self.closures[m]


def chain_of(network: ProductionNetwork, options: Sequence[Option]) -> Chain:
    """Return the chain of a network and its options.

    Raises
    ------
    OptionError
        If an option cannot be carried out.
    """
    base = snapshot(network)
    activities = activities_of(network, base)
    place = {a.label: k for k, a in enumerate(activities)}
    increments: list[tuple[Increment, ...]] = []
    changed: dict[int, list[tuple[int, float, tuple[Need, ...], float]]] = {}
    for m, option in enumerate(options):
        before = apply(network, [options[k] for k in closure_of(options, m)])
        steps = _steps(before, option)
        own: list[Increment] = []
        last = base if before is network else snapshot(before)
        _add_new(activities, place, before, last)
        for age, is_growth, after in steps:
            facts = snapshot(after)
            _add_new(activities, place, after, facts)
            own.append(_difference(option, age, is_growth, last, facts, place))
            if not is_growth:
                for node, needs, lag in _changed_recipes(last, facts):
                    changed.setdefault(place[node], []).append((m, age, needs, lag))
                last = facts
        increments.append(tuple(x for x in own if x.capacity or x.rest or x.stock))
    variants = _variants(activities, changed)
    return Chain(
        network=network,
        options=tuple(options),
        activities=tuple(activities),
        stock=base.stock,
        increments=bearable(options, activities, base.stock, increments),
        variants=tuple(variants),
        closures=tuple(closure_of(options, m) for m in range(len(options))),
    )


def _steps(
    before: ProductionNetwork, option: Option
) -> list[tuple[float, bool, ProductionNetwork]]:
    """Return (age, is growth, network) at every age at which more of the option is in place."""
    alone = replace(option, requires=(), excludes=())
    ages = sorted({option.ready_periods + e.from_period for e in option.effects})
    steps = [(age, False, apply(before, [alone], at_period=age)) for age in ages]
    if any(e.per_period for e in option.effects):
        last = ages[-1]
        steps.append((last, True, apply(before, [alone], at_period=last + 1.0)))
    return steps


def _add_new(
    activities: list[Activity],
    place: dict[str, int],
    network: ProductionNetwork,
    facts: Snapshot,
) -> None:
    """Add the nodes that an option brings, without capacity of their own."""
    new = [label for label in facts.capacity if label not in place]
    if not new:
        return
    for activity in activities_of(network, facts):
        if activity.label in new:
            place[activity.label] = len(activities)
            peak = max(activity.rest, activity.capacity)
            activities.append(replace(activity, capacity=0.0, rest=0.0, final=0.0, peak=peak))


def _difference(
    option: Option,
    age: float,
    is_growth: bool,
    last: Snapshot,
    facts: Snapshot,
    place: dict[str, int],
) -> Increment:
    def by_node(before: dict[str, float], after: dict[str, float]) -> dict[int, float]:
        found = {}
        for label, value in after.items():
            old = before.get(label, 0.0)
            if abs(value - old) > SAME * max(abs(value), abs(old)):
                found[place[label]] = value - old
        return found

    stock = {
        int(p): float(facts.stock[p] - last.stock[p])
        for p in np.flatnonzero(
            np.abs(facts.stock - last.stock) > SAME * np.maximum(facts.stock, last.stock)
        )
    }
    rest = by_node(last.rest, facts.rest)
    capacity = by_node(last.capacity, facts.capacity)
    # who sells less keeps what it can make
    capacity = {n: x for n, x in capacity.items() if x > 0 or rest.get(n, 0.0) >= 0}
    if is_growth and min([*capacity.values(), *stock.values()], default=0.0) < 0:
        raise UsageError(
            f"Option {option.label} takes more away every period (per_period below 0), which "
            "would end below nothing: state what is left as an amount instead."
        )
    return Increment(
        age=age,
        is_growth=is_growth,
        capacity=capacity,
        rest={} if is_growth else rest,  # goods under way stay as they were when it was ready
        stock=stock,
    )


def _changed_recipes(last: Snapshot, facts: Snapshot) -> list[tuple[str, tuple[Need, ...], float]]:
    """Return nodes whose needs or lag an option changes."""
    found = []
    for label, needs in facts.needs.items():
        if label not in last.needs:
            continue
        if not _alike(needs, last.needs[label]) or facts.lag[label] != last.lag[label]:
            found.append((label, needs, facts.lag[label]))
    return found


def _alike(a: tuple[Need, ...], b: tuple[Need, ...]) -> bool:
    return len(a) == len(b) and all(
        x.product == y.product
        and x.rank == y.rank
        and abs(x.quantity - y.quantity) <= SAME * max(x.quantity, y.quantity)
        for x, y in zip(a, b, strict=True)
    )


def _variants(
    activities: list[Activity],
    changed: dict[int, list[tuple[int, float, tuple[Need, ...], float]]],
) -> list[Variant]:
    """Add an activity for every changed recipe, and for every pair of changes of one node."""
    variants = []
    for at, changes in changed.items():
        base = activities[at]
        for k, (m, age, needs, lag) in enumerate(changes):
            variants.append(Variant(activity=len(activities), needs=((m, age),)))
            activities.append(replace(base, needs=needs, lag=lag, capacity=0.0, rest=0.0,
                                      final=0.0, base=at))  # fmt: skip
            for m2, age2, needs2, lag2 in changes[k + 1 :]:
                if m2 == m:
                    continue
                both = _joined(base.needs, needs, needs2)
                variants.append(Variant(activity=len(activities), needs=((m, age), (m2, age2))))
                activities.append(replace(base, needs=both, lag=min(lag, lag2), capacity=0.0,
                                          rest=0.0, final=0.0, base=at))  # fmt: skip
    return variants


def _joined(
    base: tuple[Need, ...], one: tuple[Need, ...], two: tuple[Need, ...]
) -> tuple[Need, ...]:
    """Return the needs under two changes: each changes what it changes alone."""
    quantity = {n.product: n.quantity for n in base}
    needs = {n.product: n for n in (*base, *one, *two)}
    total = dict.fromkeys(needs, 0.0)
    for product in needs:
        old = quantity.get(product, 0.0)
        moved = sum(
            next((n.quantity for n in each if n.product == product), 0.0) - old
            for each in (one, two)
        )
        total[product] = old + moved
    return tuple(replace(needs[p], quantity=total[p]) for p in sorted(needs) if total[p] > SAME)
