"""For which types the numba kernels of a package were compiled in this process."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def signatures_of(package: str) -> dict[str, list[str]]:
    """Return the signatures of every compiled kernel in the modules imported so far.

    Does not import numba: where no test needed it, there is nothing to find. With compilation
    switched off kernels are plain functions, and nothing is found either.
    """
    found: dict[str, list[str]] = {}
    for name, module in list(sys.modules.items()):
        if name != package and not name.startswith(f"{package}."):
            continue
        for thing in vars(module).values():
            signatures = getattr(thing, "nopython_signatures", None)
            # A kernel that another module imported is counted where it was written.
            if signatures and thing.py_func.__module__ == name:
                found[f"{name}.{thing.__name__}"] = sorted(str(s) for s in signatures)
    return found


def merge(into: dict[str, list[str]], more: Mapping[str, list[str]]) -> None:
    """Add the signatures of another process."""
    for kernel, signatures in more.items():
        into[kernel] = sorted({*into.get(kernel, ()), *signatures})


def with_several(signatures: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the kernels that were compiled for more than one set of types."""
    return {kernel: found for kernel, found in signatures.items() if len(found) > 1}
