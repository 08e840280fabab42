"""Rows of a sparse matrix, put together from blocks."""

from __future__ import annotations

import numpy as np
from scipy import sparse

Array = np.ndarray


class Rows:
    """Rows of a sparse matrix, put together from blocks of equal shape."""

    def __init__(self) -> None:
        self._count = 0
        self._entries: list[tuple[Array, Array, Array]] = []

    def new(self, n_steps: int, width: int) -> Array:
        """Return the indices of new rows, shape (n_steps, width)."""
        first = self._count
        self._count += n_steps * width
        return first + np.arange(n_steps * width).reshape(n_steps, width)

    def put(self, rows: Array, columns: Array, values: Array | float) -> None:
        """Add coefficients; values are broadcast, entries of one place are added."""
        filled = np.broadcast_to(values, rows.shape)
        self._entries.append((rows.ravel(), columns.ravel(), filled.ravel()))

    def matrix(self, n_columns: int) -> sparse.csr_array:
        """Return the matrix."""
        row, column, value = (np.concatenate(x) for x in zip(*self._entries, strict=True))
        shape = (self._count, n_columns)
        return sparse.csr_array((value.astype(np.float64), (row, column)), shape=shape)
