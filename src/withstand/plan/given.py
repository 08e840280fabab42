"""What the caller of a plan gives: money by year, options under way, sizes, and the law."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import nearest

if TYPE_CHECKING:
    from withstand.model.option import Option
    from withstand.plan.calendar import Calendar
    from withstand.plan.effects import Chain

Array = np.ndarray


def money_by_year(
    budget: float | Sequence[float] | Array | None, calendar: Calendar
) -> Array | None:
    """Return the money of each year; one number is there from the first year on."""
    if budget is None:
        return None
    is_number = isinstance(budget, int | float | np.number) and not isinstance(budget, bool)
    try:
        money = np.array([budget] if is_number else budget, dtype=np.float64)
    except (TypeError, ValueError):
        money = np.full(1, np.nan)
    if is_number:
        money = np.concatenate([money, np.zeros(calendar.years - 1)])
    if money.shape != (calendar.years,) or not (np.isfinite(money).all() and (money >= 0).all()):
        raise UsageError(
            f"budget must be one amount of money, or one for each of {calendar.years} years, "
            f"none below 0; it is {str(budget)[:80]}."
        )
    return money


def size_limit(option: Option) -> float | None:
    """Return the largest size of a continuous option, None for one that is taken or left.

    Raises
    ------
    UsageError
        If the size is neither `binary` nor `continuous` with a limit.

    Examples
    --------
    >>> from withstand.model.option import Option
    >>> size_limit(Option(label="A")), size_limit(Option(label="B", size="continuous 3"))
    (None, 3.0)
    """
    words = option.size.replace(",", " ").split()
    if words in ([], ["binary"]):
        return None
    try:
        limit = float(words[1]) if len(words) > 1 else 1.0
    except ValueError:
        limit = -1.0
    if words[0] != "continuous" or len(words) > 2 or not 0 < limit < math.inf:
        raise UsageError(
            f"Option {option.label}: size must be 'binary' or 'continuous' with its limit "
            f"(for instance 'continuous 3'), not '{option.size[:40]}'."
        )
    return limit


def forbidden(chain: Chain, m: int) -> bool:
    """Tell whether an option would let a region supply that the law does not allow."""
    network = chain.network
    regions = network.index("regions")
    nodes = network.index("nodes")
    for effect in chain.options[m].effects:
        region = None
        if effect.effect == "add_node" and effect.region in regions:
            region = regions[str(effect.region)]
        elif effect.effect in ("add_capacity", "shift_share"):
            label = effect.to if effect.effect == "shift_share" else effect.node
            if label in nodes:
                region = int(network.node_region[nodes[str(label)]])
        if region is not None and not network.is_allowed[region]:
            return True
    return False


def started_of(options: Sequence[Option], started: Mapping[str, float]) -> dict[int, float]:
    """Return the years since the start of each option that is under way, by its position.

    Raises
    ------
    UsageError
        If a label is unknown or a time not possible.
    """
    place = {o.label: k for k, o in enumerate(options)}
    found = {}
    for label, years in started.items():
        if label not in place:
            near = nearest(label, list(place))
            raise UsageError(
                f"started names '{label[:40]}', which is no option."
                + (f" Did you mean {near}?" if near else "")
            )
        is_number = isinstance(years, int | float | np.number) and not isinstance(years, bool)
        if not is_number or not 0 <= years < 100:
            raise UsageError(
                f"started: years since the start of {label} cannot be {str(years)[:40]}."
            )
        found[place[label]] = float(years)
    return found
