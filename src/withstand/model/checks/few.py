"""Ten cases of a fault are shown one by one, the rest as one finding with their count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from withstand.model.findings import Finding

MOST = 10


def first_few(cases: Sequence[Any], describe: Callable[[Any], Finding]) -> list[Finding]:
    """Return a finding for each of the first cases, and one for all the rest."""
    shown = [describe(case) for case in cases[:MOST]]
    rest = len(cases) - MOST
    if rest > 0:
        first = describe(cases[MOST])
        what = f"{rest:,} more cases, the first of them: {first.what}"
        shown.append(replace(first, what=what, suggestion=None, count=rest))
    return shown
