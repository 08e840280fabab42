"""How many of a long row of random cases are played: a part in every run, all where asked for.

`make test-thorough` sets WITHSTAND_THOROUGH and plays them all.
"""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("WITHSTAND_THOROUGH"))


def some_of(cases: range, at_least: int) -> range:
    """Return the first `at_least` cases, or all of them in a thorough run."""
    return cases if THOROUGH else cases[:at_least]
