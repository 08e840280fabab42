"""Give memory that is free back to the system.

The C library keeps freed arrays of up to 32 MB for itself: after a million links were laid out it
holds 100 MB that nobody uses, and the next step comes on top. One call returns them.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def return_unused() -> None:
    """Return freed memory, where the C library knows how (glibc); elsewhere do nothing."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):  # another C library
        return None
