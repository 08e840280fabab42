"""The fingerprint of a prepared network: that of the same tables in memory, read piece by piece."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from withstand.model.fingerprints import _hash_frame
from withstand.model.tables import NETWORK_TABLES, TABLES

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
PIECE = 500_000
"""Rows hashed at once."""


def fingerprint_of(folder: Path, skeleton: ProductionNetwork, n_links: int, spill: Path) -> str:
    """Return the fingerprint of a network whose links stand in a folder of arrays.

    Links are hashed by column in the order of the labels of supplier and buyer.
    """
    s = skeleton.settings
    digest = hashlib.blake2b(digest_size=16)
    for text in (s.lens, s.home, s.viewpoint, s.currency, s.period, s.assume_recipe):
        digest.update(repr(text).encode())
    digest.update(repr(sorted(s.final_demand.items())).encode())
    for name in NETWORK_TABLES:
        if name == "links" and n_links:
            digest.update(name.encode())
            _hash_links(digest, folder, skeleton.tables["nodes"]["node"], n_links, spill)
        elif name in skeleton.tables:
            digest.update(name.encode())
            table = TABLES[name]
            _hash_frame(digest, skeleton.tables[name], table.key, set(table.names))
    return digest.hexdigest()


def _hash_links(
    digest: hashlib.blake2b, folder: Path, labels: pl.Series, n_links: int, spill: Path
) -> None:
    """Feed buyer, supplier and value, rows in the order of the labels."""
    order = _by_labels(folder, labels, n_links, spill)
    for name, file in (("buyer", "link_buyer"), ("supplier", "supplier")):
        digest.update(name.encode())
        length = labels.str.len_bytes().to_numpy()
        numbers = _Gathered(folder / f"{file}.raw", np.int64, order)
        for piece in numbers:
            digest.update(np.ascontiguousarray(length[piece], dtype="<u4").tobytes())
        for piece in numbers:
            digest.update("".join(labels.gather(piece).to_list()).encode())
    digest.update(b"value")
    for piece in _Gathered(folder / "value.raw", np.float64, order):
        digest.update(np.ascontiguousarray(piece + 0.0, dtype="<f8").tobytes())


def _by_labels(folder: Path, labels: pl.Series, n_links: int, spill: Path) -> Array:
    """Return the links in the order of the labels of supplier and buyer, as an array on disk.

    Suppliers are taken in the order of their labels; the links of one are few enough to sort.
    """
    rank = np.empty(len(labels), dtype=np.int64)
    in_order = labels.arg_sort().to_numpy()
    rank[in_order] = np.arange(len(labels))
    indptr = np.fromfile(folder / "supplier_indptr.raw", np.int64)
    link = np.memmap(folder / "supplier_link.raw", np.int64, "r")
    buyer = np.memmap(folder / "link_buyer.raw", np.int64, "r")
    counts = np.diff(indptr)[in_order]
    ends = np.cumsum(counts)
    place = spill / "order.raw"
    with place.open("wb") as file:
        low = written = 0
        while written < n_links:
            high = max(int(np.searchsorted(ends, written + PIECE, side="right")), low + 1)
            sellers, many = in_order[low:high], counts[low:high]
            before = np.cumsum(many) - many
            at = np.repeat(indptr[sellers] - before, many) + np.arange(many.sum())
            found = link[at]
            order = np.lexsort((rank[buyer[found]], np.repeat(np.arange(len(sellers)), many)))
            found[order].tofile(file)
            low, written = high, int(ends[high - 1])
    return np.memmap(place, np.int64, "r")


class _Gathered:
    """Pieces of an array on disk, in an order that stands on disk."""

    def __init__(self, path: Path, dtype: type, order: Array) -> None:
        self._values = np.memmap(path, dtype, "r")
        self._order = order

    def __iter__(self) -> Iterator[Array]:
        for start in range(0, len(self._order), PIECE):
            yield self._values[self._order[start : start + PIECE]]
