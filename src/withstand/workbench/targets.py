"""Where a report goes: the files named, and the endings known."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from withstand.errors import UsageError

REPORT_ENDINGS = (".html", ".xlsx")


def report_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a report, .html or .xlsx.

    Raises
    ------
    UsageError
        If there is none, or one has another ending.
    """
    targets = [Path(p) for p in paths]
    if not targets:
        raise UsageError("No file is named; write for instance --to board.html,board.xlsx.")
    for target in targets:
        if target.suffix.lower() not in REPORT_ENDINGS:
            raise UsageError(f"{target.name}: a report ends in {' or '.join(REPORT_ENDINGS)}.")
    return targets
