"""How far a long use case is, and the time that its answer bears."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Progress = Callable[[str, int, int], None]
"""Called with the stage, steps done and steps in all."""


def silent(stage: str, done: int, total: int) -> None:
    """Show no progress."""


def now() -> str:
    """Return date and time as reports show them."""
    return datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
