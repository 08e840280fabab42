"""Arguments that must be numbers within limits: refused with their name, value and range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import nearest, shorten

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray


def number(
    name: str,
    value: object,
    *,
    low: float = 0.0,
    high: float = math.inf,
    above: bool = False,
    unit: str = "",
) -> float:
    """Return a finite number within limits.

    Parameters
    ----------
    name : str
        What the caller calls it.
    value : object
    low, high : float
    above : bool
        Whether it must lie above `low`, not on it.
    unit : str

    Raises
    ------
    UsageError
        If it is no number, not finite, or outside its limits.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    found = float(value) if is_number else math.nan  # type: ignore[arg-type]
    if math.isfinite(found) and low <= found <= high and not (above and found == low):
        return found
    least = f"above {low:g}" if above else f"at least {low:g}"
    most = "" if math.isinf(high) else f" and at most {high:g}"
    shown = f" ({unit})" if unit else ""
    raise UsageError(f"{name}{shown} must be a number {least}{most}, not {shorten(repr(value))}.")


def whole(name: str, value: object, *, low: int = 0, high: int = 1_000_000) -> int:
    """Return a whole number within limits.

    Raises
    ------
    UsageError
        If it is none.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and low <= value <= high and value == round(value):  # type: ignore[arg-type,operator,call-overload]
        return int(value)  # type: ignore[call-overload,no-any-return]
    raise UsageError(
        f"{name} must be a whole number from {low:,} to {high:,}, not {shorten(repr(value))}."
    )


def numbers_of(name: str, values: object, *, low: float = 0.0, above: bool = False) -> Array:
    """Return a row of finite numbers as float64, shape (n,), n at least 1.

    Raises
    ------
    UsageError
        If something in it is no such number; the first one is named.
    """
    try:
        found = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must be a row of numbers.") from error
    if found.ndim != 1 or not len(found):
        raise UsageError(f"{name} must be a row of at least one number.")
    is_good = np.isfinite(found) & ((found > low) if above else (found >= low))
    if not is_good.all():
        i = int(np.flatnonzero(~is_good)[0])
        least = "above" if above else "at least"
        raise UsageError(
            f"{name} must be finite numbers {least} {low:g}; number {i + 1} is {found[i]:g}."
        )
    return found


def word(name: str, value: object, known: Sequence[str]) -> str:
    """Return a word that is among the known ones.

    Raises
    ------
    UsageError
        If it is not, with the nearest one.
    """
    if isinstance(value, str) and value in known:
        return value
    near = nearest(str(value), known)
    hint = f" Did you mean '{near}'?" if near else ""
    raise UsageError(f"{name} must be one of {', '.join(known)}, not {shorten(repr(value))}.{hint}")


def label_in(network: ProductionNetwork, what: str, label: object) -> int:
    """Return the index of a label among the "nodes", "products" or "regions" of a network.

    Raises
    ------
    UsageError
        If the network lacks it, with the nearest one.
    """
    known = network.index(what)
    if isinstance(label, str) and label in known:
        return known[label]
    near = nearest(str(label), list(known))
    hint = f" Did you mean '{near}'?" if near else ""
    raise UsageError(f"There is no {what[:-1]} {shorten(repr(label))} in the network.{hint}")
