"""The links of a network as arrays, grouped by input, with the index from suppliers to links."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class LinkArrays:
    """Which supplier serves which input, in which share and time.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n_inputs + 1,)
        Groups the links by input.
    supplier : ndarray of int64, shape (n_links,)
    share : ndarray of float64, shape (n_links,), 0 to 1
    lead_time : ndarray of float64, shape (n_links,), periods
    row : ndarray of int64, shape (n_links,)
        Row of the links table a link came from (-1: shared out by default).
    supplier_indptr : ndarray of int64, shape (n_nodes + 1,)
    supplier_link : ndarray of int64, shape (n_links,)
        The transposed index: links of each supplier.
    """

    indptr: Array
    supplier: Array
    share: Array
    lead_time: Array
    row: Array
    supplier_indptr: Array
    supplier_link: Array

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for f in fields(self):
            getattr(self, f.name).setflags(write=False)

    def __setstate__(self, state: dict[str, Array]) -> None:
        """Take the fields back in another process and freeze them again."""
        self.__dict__.update(state)
        self.__post_init__()
