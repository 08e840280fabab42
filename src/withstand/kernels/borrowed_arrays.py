"""How kernels are compiled that borrow all their arrays and make none.

Numba counts references to every array that a function is handed, for each call. The cascade's
kernels hand on tuples of some forty arrays, and small functions are called for single nodes: that
counting took half their time, and a good part of the time to compile them. Without it a function
may read and write arrays and look at parts of them, but not make or return any.
"""

from __future__ import annotations

from typing import Any

from numba import njit

_OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,  # numba's documentation of register_jitable has it; its type stubs do not
}

njit_borrowing: Any = njit(**_OPTIONS)
