"""Memory: how much a large array takes, and whether it would fit."""

from __future__ import annotations

from withstand.model import ceilings


def free_memory() -> int:
    """Return the memory that a new array may take, in bytes; a very large number if not known."""
    return ceilings.available_memory()


def need_memory(n_bytes: float, what: str, advice: str, *, stated: float | None = None) -> None:
    """Refuse, before anything is taken, what would not fit; see `withstand.model.ceilings`.

    Raises
    ------
    UsageError
        With the memory needed, the memory free, and the advice.

    Examples
    --------
    >>> need_memory(8.0, "one number", "Take less.")
    """
    ceilings.need_memory(n_bytes, what, advice, stated=stated, free=free_memory())
