"""Memory: how much a large array takes, and whether it would fit."""

from __future__ import annotations

import os
from pathlib import Path

from withstand.errors import UsageError

SPARE = 0.9
"""Share of the free memory that one array may take."""


def free_memory() -> int:
    """Return the memory that a new array may take, in bytes; a very large number if not known."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        return int(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not a Unix
        return 2**62


def need_memory(n_bytes: float, what: str, advice: str) -> None:
    """Refuse, before anything is taken, what would not fit.

    Raises
    ------
    UsageError
        With the memory needed, the memory free, and the advice.

    Examples
    --------
    >>> need_memory(8.0, "one number", "Take less.")
    """
    free = free_memory()
    if n_bytes > SPARE * free:
        raise UsageError(
            f"{what} would take {n_bytes / 2**30:,.1f} GB, and {free / 2**30:,.1f} GB are free. "
            + advice
        )
