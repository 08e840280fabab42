"""Occupations by their labels: the index of each, or the nearest one that is meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import nearest

Array = np.ndarray


def occupation_index(occupations: Sequence[str], wanted: str | Sequence[str]) -> Array:
    """Return the indices of one label or many: ndarray of int64.

    Raises
    ------
    UsageError
        If there is no such occupation; the nearest one is named.

    Examples
    --------
    >>> occupation_index(("turner", "grinder"), "grinder").tolist()
    [1]
    >>> occupation_index(("turner", "grinder"), "grnder")
    Traceback (most recent call last):
    withstand.errors.UsageError: There is no occupation 'grnder' here. Did you mean grinder?
    """
    at = {label: i for i, label in enumerate(occupations)}
    labels = (
        list(wanted) if isinstance(wanted, Iterable) and not isinstance(wanted, str) else [wanted]
    )
    if not labels:
        raise UsageError("No occupation is named. Give at least one label.")
    for label in labels:
        if label not in at:
            near = nearest(str(label), list(at))
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no occupation '{str(label)[:60]}' here.{hint}")
    return np.array([at[label] for label in labels], dtype=np.int64)
