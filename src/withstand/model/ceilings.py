"""How much memory may be taken: refuse before anything large is taken what would not fit.

The ceiling is what the user states (WITHSTAND_MEMORY, else `[limits] memory` of withstand.toml),
else a share of what the system and the control group of this process have left.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from withstand.errors import UsageError

SPARE = 0.8
"""Share of the free memory that one allocation may take where nobody states a limit."""
VARIABLE = "WITHSTAND_MEMORY"
UNKNOWN = 2**62
_UNITS = {"": 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([kmgt]?b?)\s*", re.IGNORECASE)
_GROUPS = Path("/sys/fs/cgroup")
_GROUP_OF_PROCESS = Path("/proc/self/cgroup")
_MEMINFO = Path("/proc/meminfo")


def bytes_of(text: str) -> int | None:
    """Return a size such as `4 GB`, `500MB` or a number of bytes; None if it is none.

    Examples
    --------
    >>> bytes_of("1.5 GB"), bytes_of("200 mb"), bytes_of("1000"), bytes_of("much")
    (1610612736, 209715200, 1000, None)
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    unit = found[2].casefold()
    size = int(float(found[1]) * _UNITS[unit if unit.endswith("b") or not unit else unit + "b"])
    return size if size > 0 else None


def available_memory() -> int:
    """Return the memory that is free for this process, in bytes; a very large number if not known.

    The smaller of what the system has and what the control group (of a container, a batch job)
    leaves.
    """
    return min(_of_system(), _of_group())


def _of_system() -> int:
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        return int(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not a Unix
        return UNKNOWN


def _of_group() -> int:
    """Return what the control group leaves, by version 2 and version 1 of the interface."""
    try:
        lines = _GROUP_OF_PROCESS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return UNKNOWN
    left = UNKNOWN
    for line in lines:
        _, _, rest = line.partition(":")
        kinds, _, name = rest.partition(":")
        if not kinds:
            names = ("memory.max", "memory.current", "inactive_file")
            root = _GROUPS
        elif "memory" in kinds.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            root = _GROUPS / "memory"
        else:
            continue
        own = root / name.lstrip("/")
        for place in (own, *own.parents):  # the limit of any group above holds as well
            if not place.is_relative_to(root):
                break
            left = min(left, _left_in(place, *names))
    return left


def _left_in(place: Path, limit_name: str, used_name: str, cached_name: str) -> int:
    limit = _number_in(place / limit_name)
    used = _number_in(place / used_name)
    if limit is None or used is None or limit >= UNKNOWN:
        return UNKNOWN
    return max(limit - used + _cached(place, cached_name), 0)


def _number_in(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max" is no number: no limit
        return None


def _cached(place: Path, name: str) -> int:
    """Return the memory that holds copies of files: it is given back when needed."""
    try:
        lines = (place / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return 0
    sizes = dict(line.split(" ", 1) for line in lines if " " in line)
    text = sizes.get(name, "0")
    return int(text) if text.isdigit() else 0


def stated_limit(in_settings: float | None = None) -> tuple[int | None, str]:
    """Return the limit that the user states, and where.

    Raises
    ------
    UsageError
        If the variable WITHSTAND_MEMORY holds no size.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if text:
        size = bytes_of(text)
        if size is None:
            raise UsageError(f"{VARIABLE} is '{text[:40]}'; write a size such as 4 GB or 500 MB.")
        return size, VARIABLE
    if in_settings is not None:
        return int(in_settings), "[limits] memory of withstand.toml"
    return None, ""


def need_memory(
    n_bytes: float,
    what: str,
    advice: str,
    *,
    stated: float | None = None,
    free: int | None = None,
) -> None:
    """Refuse, before anything is taken, what would not fit.

    Parameters
    ----------
    n_bytes : float
        Estimate of what will be taken.
    what, advice : str
        What it is, as the subject of a sentence; what would take less, as a sentence.
    stated : float, bytes, optional
        The limit in the settings of the network.
    free : int, bytes, optional
        Default: `available_memory()`.

    Raises
    ------
    UsageError
        With the memory needed, the memory there is, and the advice.

    Examples
    --------
    >>> need_memory(8.0, "one number", "Take less.")
    >>> need_memory(2e9, "A table of numbers", "Keep fewer columns.", stated=1e9)
    Traceback (most recent call last):
    withstand.errors.UsageError: A table of numbers would take 1.9 GB, and [limits] memory of
    withstand.toml allows 0.9 GB. Keep fewer columns.
    """
    limit, where = stated_limit(stated)
    if limit is not None:
        if n_bytes > limit:
            raise UsageError(
                f"{what} would take {shown(n_bytes)}, and {where} allows {shown(limit)}. {advice}"
            )
        return
    left = available_memory() if free is None else free
    if n_bytes > SPARE * left:
        raise UsageError(
            f"{what} would take {shown(n_bytes)}, and {shown(left)} are free. {advice}"
        )


def shown(n_bytes: float) -> str:
    """Return bytes in words.

    Examples
    --------
    >>> shown(3 * 2**30), shown(2**20)
    ('3.0 GB', '1.0 MB')
    """
    small = 0.05 * 2**30
    return f"{n_bytes / 2**30:,.1f} GB" if n_bytes >= small else f"{n_bytes / 2**20:,.1f} MB"
