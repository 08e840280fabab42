"""What single options add, and the bounds within which that may be added up.

An option may also take away: a redesign lowers the stock that is held in periods of use, a scaling
lowers a capacity. One by one that never ends below nothing; several together may, for each was
compared with the network without the others. Then what they take is scaled down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.option import Option
    from withstand.plan.chain import Activity

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Increment:
    """What one option adds from some age on, once it was started.

    Parameters
    ----------
    age : float, periods since the start
    is_growth : bool
        Whether the amounts are per period of further age.
    capacity, rest : dict of int to float
        By activity, units per period.
    stock : dict of int to float
        By product, units.
    """

    age: float
    is_growth: bool
    capacity: dict[int, float]
    rest: dict[int, float]
    stock: dict[int, float]


def closure_of(options: Sequence[Option], m: int) -> tuple[int, ...]:
    """Return the positions of all options that option `m` requires, without itself."""
    place = {o.label: k for k, o in enumerate(options)}
    found: list[int] = []
    waiting = [place[r] for r in options[m].requires if r in place]
    while waiting:
        k = waiting.pop()
        if k not in found and k != m:
            found.append(k)
            waiting += [place[r] for r in options[k].requires if r in place]
    return tuple(sorted(found))


def bearable(
    options: Sequence[Option],
    activities: Sequence[Activity],
    stock: Array,
    increments: Sequence[tuple[Increment, ...]],
) -> tuple[tuple[Increment, ...], ...]:
    """Return increments whose losses, all added up, leave nothing below zero.

    Parameters
    ----------
    options : sequence of Option
    activities : sequence of Activity
    stock : ndarray of float64, shape (n_products,), units
    increments : sequence of tuple of Increment
        By option.
    """
    there = {
        "capacity": {k: a.capacity for k, a in enumerate(activities)},
        "rest": {k: max(a.rest - a.final, 0.0) for k, a in enumerate(activities)},
        "stock": dict(enumerate(stock.tolist())),
    }
    scales = {what: _scales(options, what, there[what], increments) for what in there}
    return tuple(
        tuple(
            replace(
                x,
                capacity=_scaled(x.capacity, scales["capacity"]),
                rest=_scaled(x.rest, scales["rest"]),
                stock=_scaled(x.stock, scales["stock"]),
            )
            for x in own
        )
        for own in increments
    )


def _scales(
    options: Sequence[Option],
    what: str,
    there: dict[int, float],
    increments: Sequence[tuple[Increment, ...]],
) -> dict[int, float]:
    """Return by which factor what is taken of each place must be scaled, where it must."""
    net = [_net(own, what) for own in increments]
    given = [{k: max(x, 0.0) for k, x in one.items()} for one in net]
    taken: dict[int, float] = {}
    for m, one in enumerate(net):
        for k, amount in one.items():
            left = max(-amount, 0.0)
            for r in closure_of(options, m):  # an option may take what it brought along
                used = min(left, given[r].get(k, 0.0))
                if used:
                    given[r][k] -= used
                    left -= used
            taken[k] = taken.get(k, 0.0) + left
    return {k: there[k] / x for k, x in taken.items() if x > there[k] * (1 + 1e-9)}


def _net(own: Sequence[Increment], what: str) -> dict[int, float]:
    """Return the least that is in place of an option's increments at any age."""
    total: dict[int, float] = {}
    least: dict[int, float] = {}
    for increment in own:
        if not increment.is_growth:
            for k, amount in getattr(increment, what).items():
                total[k] = total.get(k, 0.0) + amount
                least[k] = min(least.get(k, total[k]), total[k])
    return least


def _scaled(amounts: dict[int, float], scales: dict[int, float]) -> dict[int, float]:
    return {k: x * (scales.get(k, 1.0) if x < 0 else 1.0) for k, x in amounts.items()}
