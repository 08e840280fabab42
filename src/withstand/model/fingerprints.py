"""The fingerprint of a network: one hash of its settings, tables and flows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.tables import NETWORK_TABLES, TABLES

if TYPE_CHECKING:
    from withstand.model.flow_table import FlowTable
    from withstand.model.settings import Settings

Array = np.ndarray


def fingerprint(
    settings: Settings,
    tables: Mapping[str, pl.DataFrame],
    flow_table: FlowTable | None,
    node_labels: Array,
    region_labels: Array,
) -> str:
    """Return a hash that is the same on every machine and for any order of rows.

    An economy held as a matrix and the same economy written as links have different fingerprints:
    the tables differ.
    """
    digest = hashlib.blake2b(digest_size=16)
    s = settings
    for text in (s.lens, s.home, s.viewpoint, s.currency, s.period, s.assume_recipe):
        digest.update(repr(text).encode())
    digest.update(repr(sorted(s.final_demand.items())).encode())
    for name in NETWORK_TABLES:
        if name in tables:
            digest.update(name.encode())
            _hash_frame(digest, tables[name], TABLES[name].key, set(TABLES[name].names))
    if flow_table is not None:
        _hash_flows(digest, flow_table, np.argsort(node_labels, kind="stable"), region_labels)
    return digest.hexdigest()


def _hash_flows(
    digest: hashlib.blake2b, flow_table: FlowTable, order: Array, region_labels: Array
) -> None:
    """Feed flows and final demand, nodes in the order of their labels."""
    regions = region_labels[flow_table.final_region]
    keys = zip(flow_table.final_category, regions, strict=True)
    columns = [(str(category), str(region)) for category, region in keys]
    by_name = sorted(range(len(columns)), key=columns.__getitem__)
    digest.update(repr([columns[k] for k in by_name]).encode())
    for node in order:
        row = flow_table.flows[node, order] + 0.0  # -0.0 counts as 0.0
        digest.update(np.ascontiguousarray(row, dtype="<f8").tobytes())
        final = flow_table.final[node, by_name] + 0.0
        digest.update(np.ascontiguousarray(final, dtype="<f8").tobytes())


def _hash_frame(
    digest: hashlib.blake2b, frame: pl.DataFrame, key: tuple[str, ...], known: set[str]
) -> None:
    """Feed the known, non-empty columns of a frame to a digest, rows sorted by key."""
    import pyarrow as pa  # 25 MB that a network without a fingerprint does without

    columns = sorted(c for c in frame.columns if c in known and frame[c].null_count() < len(frame))
    by = [c for c in key if c in columns]
    for name, series in frame.select(columns).sort(by, nulls_last=True).to_dict().items():
        digest.update(name.encode())
        if series.dtype == pl.String:
            lengths = series.str.len_bytes().fill_null(2**32 - 1).to_numpy()
            digest.update(np.ascontiguousarray(lengths, dtype="<u4").tobytes())
            text = pa.chunked_array([series.fill_null("").to_arrow()]).cast(pa.large_binary())
            for chunk in text.chunks:
                ends = np.frombuffer(chunk.buffers()[1], "<i8")[
                    [chunk.offset, chunk.offset + len(chunk)]
                ]
                if ends[1] > ends[0]:
                    digest.update(memoryview(chunk.buffers()[2])[ends[0] : ends[1]])
        else:
            numbers = series.cast(pl.Float64).fill_null(float("nan")).to_numpy() + 0.0
            digest.update(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
