"""Read many columns of a Parquet file into one matrix, a block at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.readers.mrio_draft import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from withstand.readers.mrio_draft import Wanted

Array = np.ndarray
BLOCK = 256
"""Columns that are read or written together: what is held twice stays small."""


def columns_of(file: Any, indices: list[int]) -> list[Any]:
    """Read columns by their number: names with dots would be taken for nested ones."""
    groups = list(range(file.num_row_groups))
    table = file.reader.read_row_groups(groups, column_indices=indices, use_threads=False)
    return list(table.columns)


def fill_columns(
    out: Array, file: Any, names: Sequence[str], at: Mapping[str, int], wanted: Wanted
) -> None:
    """Read columns block by block into a matrix of float64, shape (n_rows, n_names).

    Raises
    ------
    DataError
        If a column holds no numbers, or one of them is missing or not finite.
    """
    import pyarrow as pa

    for start in range(0, len(names), BLOCK):
        part = names[start : start + BLOCK]
        order = sorted(range(len(part)), key=lambda k: at[part[k]])  # as the file has them
        block = np.empty((len(part), len(out)))
        columns = columns_of(file, [at[part[k]] for k in order])
        for k, column in zip(order, columns, strict=True):
            kind = column.type
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                held = "text" if "string" in str(kind) else str(kind)
                what = f"a column of numbers is expected, this one holds {held}"
                raise refuse(wanted, "E103", what, column=part[k])
            if column.null_count:
                raise refuse(wanted, "E102", "a number is missing", column=part[k])
            block[k] = column.to_numpy()
        bad = ~np.isfinite(block) if not np.isfinite(block.sum()) else np.zeros((1, 1), bool)
        if bad.any():
            k, row = (int(x) for x in np.argwhere(bad)[0])
            raise refuse(
                wanted, "E108", "this is no finite number", column=part[k], index=row,
                value=block[k, row], count=int(bad.sum()),
            )  # fmt: skip
        out[:, start : start + len(part)] = block.T
