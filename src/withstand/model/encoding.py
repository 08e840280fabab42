"""From labels and cells to integer and float arrays."""

from __future__ import annotations

import numpy as np
import polars as pl

Array = np.ndarray
MOST_JOINED = 100_000
"""Rows joined at once, or as many as there are labels: a join takes 60 bytes a row."""


def numbers(frame: pl.DataFrame, name: str, default: float = np.nan) -> Array:
    """Return a column as float64, `default` where it is empty or absent."""
    if name not in frame.columns:
        return np.full(frame.height, default)
    filled = frame[name].cast(pl.Float64).fill_null(default)
    return np.array(filled.to_numpy(), dtype=np.float64)


def encode(labels: pl.Series, series: pl.Series) -> Array:
    """Return the index of each label in `labels`, -1 where it is unknown or empty."""
    known = pl.DataFrame({"label": labels.cast(pl.String), "index": np.arange(len(labels))})
    wanted = pl.DataFrame({"label": series.cast(pl.String)})
    parts = max(MOST_JOINED, len(labels))
    index = np.empty(len(series), dtype=np.int64)
    for start in range(0, len(series), parts):
        found = wanted.slice(start, parts).join(
            known, on="label", how="left", maintain_order="left"
        )
        index[start : start + parts] = found["index"].fill_null(-1).to_numpy()
    return index


def indptr_of(groups: Array, n_groups: int) -> Array:
    """Return where each group starts once the array is sorted, and where the last ends."""
    counts = np.bincount(groups, minlength=n_groups)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def order_of(first: Array, then: Array) -> Array:
    """Return the order by two arrays of whole numbers from 0 on; ties stay as they stand."""
    size = int(then.max(initial=0)) + 1
    if int(first.max(initial=0)) < np.iinfo(np.int64).max // size:
        return np.argsort(first * size + then, kind="stable")  # several times as fast
    return np.lexsort((then, first))


def is_in_sorted(wanted: Array, sorted_keys: Array) -> Array:
    """Tell which keys stand in an ascending array of keys."""
    if len(sorted_keys) == 0:
        return np.zeros(len(wanted), dtype=bool)
    at = np.searchsorted(sorted_keys, wanted)
    np.minimum(at, len(sorted_keys) - 1, out=at)
    return sorted_keys[at] == wanted


def first_of_runs(sorted_keys: Array) -> Array:
    """Tell which elements of an ascending array differ from the one before."""
    first = np.ones(len(sorted_keys), dtype=bool)
    first[1:] = sorted_keys[1:] != sorted_keys[:-1]
    return first


def positions_of(wanted: Array, sorted_keys: Array) -> tuple[Array, Array]:
    """For each wanted key list the positions of equal sorted keys: (which wanted, position)."""
    start = np.searchsorted(sorted_keys, wanted, side="left")
    count = np.searchsorted(sorted_keys, wanted, side="right") - start
    which = np.repeat(np.arange(len(wanted)), count)
    position = np.arange(len(which))
    position += np.repeat(start - (np.cumsum(count) - count), count)
    return which, position


def codes(frame: pl.DataFrame, name: str, words: tuple[str, ...]) -> Array:
    """Return a column of words as their positions, -1 where empty or absent."""
    if name not in frame.columns or frame.height == 0:
        return np.full(frame.height, -1, dtype=np.int64)
    mapping = {w: i for i, w in enumerate(words)}
    coded = frame[name].replace_strict(mapping, default=-1, return_dtype=pl.Int64)
    return coded.fill_null(-1).to_numpy().astype(np.int64)
