"""Links prepared on disk are those read in memory: every array, and the fingerprint."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import numpy as np
import polars as pl
import pytest

from withstand.errors import DataError, UsageError
from withstand.readers import prepared_links
from withstand.readers.firms import network_from_links
from withstand.readers.prepared_links import prepare_links
from withstand.readers.prepared_networks import open_prepared
from withstand.stress import esri


def _firms(n_firms, n_rows, seed=3):
    """Firms whose labels are not in the order of their rows, and links of which some repeat."""
    rng = np.random.default_rng(seed)
    label = [f"F{k}" for k in rng.permutation(n_firms)]
    nodes = pl.DataFrame({"id": label, "sector": [f"S{k}" for k in rng.integers(0, 7, n_firms)]})
    seller, buyer = rng.integers(0, n_firms, (2, n_rows))
    links = pl.DataFrame(
        {
            "supplier": [label[k] for k in seller],
            "buyer": [label[k] for k in buyer],
            "value": np.round(rng.lognormal(1.0, 2.0, n_rows), 3),
        }
    )
    pairs = rng.permutation(49)[:40]
    classes = pl.DataFrame(
        {
            "supplier_sector": [f"S{k // 7}" for k in pairs],
            "buyer_sector": [f"S{k % 7}" for k in pairs],
            "class": rng.integers(0, 3, 40),
        }
    )
    return nodes, links, classes


def _partitioned(links, folder, n_parts=5):
    """Write links as the parts of two years."""
    cuts = np.array_split(np.arange(links.height), n_parts)
    for k, rows in enumerate(cuts):
        place = folder / f"year={2023 + (k > 2)}"
        place.mkdir(parents=True, exist_ok=True)
        links[rows].write_parquet(place / f"part-{k}.parquet")
    return folder


@pytest.mark.parametrize("with_classes", [True, False])
def test_a_prepared_network_is_the_one_built_in_memory(tmp_path, monkeypatch, with_classes):
    for name in ("BATCH", "PIECE"):  # so that many seams lie between batches
        for module in (prepared_links, sys.modules["withstand.readers.prepared_fingerprints"]):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, 97)
    nodes, links, classes = _firms(60, 3000)
    essential = classes if with_classes else None
    there = network_from_links(nodes, links, essential)
    folder = _partitioned(links, tmp_path / "links")
    told = prepare_links(folder, nodes, tmp_path / "ready", essential=essential)
    here = open_prepared(tmp_path / "ready")
    assert told.rows == 3000
    assert told.n_links == there.n_links < 3000
    assert here.fingerprint() == told.fingerprint == there.fingerprint()
    for f in fields(there):
        if isinstance(value := getattr(there, f.name), np.ndarray):
            own = getattr(here, f.name)
            assert own.dtype == value.dtype, f.name
            assert own.flags.c_contiguous
            assert not own.flags.writeable
            np.testing.assert_array_equal(own, value, err_msg=f.name)
    for f in fields(there.links):
        if f.name != "row":  # there is no table of links
            own, value = getattr(here.links, f.name), getattr(there.links, f.name)
            np.testing.assert_array_equal(own, value, err_msg=f.name)
    np.testing.assert_allclose(esri(here).esri, esri(there).esri, rtol=1e-12)
    with pytest.raises(UsageError, match="cannot be changed"):
        here.with_changes({"links": pl.DataFrame()})


def test_faults_of_the_files_are_counted_and_the_first_is_named(tmp_path):
    nodes, links, _ = _firms(20, 200)
    bad = links.with_row_index().with_columns(
        supplier=pl.when(pl.col("index") < 3).then(pl.lit("F99")).otherwise("supplier"),
        value=pl.when(pl.col("index") == 150).then(-1.0).otherwise("value"),
    )
    folder = _partitioned(bad.drop("index"), tmp_path / "links")
    with pytest.raises(DataError) as caught:
        prepare_links(folder, nodes, tmp_path / "ready")
    first, second = caught.value.findings
    assert (first.count, first.value, first.file) == (3, "F99", "year=2023/part-0.parquet, row 1")
    assert (second.count, second.column, second.value) == (1, "value", "-1.0")
    assert not (tmp_path / "ready").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["links"]


def test_what_cannot_be_prepared_is_refused(tmp_path):
    nodes, links, _ = _firms(5, 10)
    folder = _partitioned(links, tmp_path / "links")
    (tmp_path / "empty").mkdir()
    for given, own, more, what in (
        (tmp_path / "empty", nodes, {}, "no Parquet files"),
        (folder, nodes.with_columns(output=1.0), {}, "column output of nodes"),
        (folder, nodes, {"memory": "much"}, "memory must be like 500MB"),
    ):
        with pytest.raises(UsageError, match=what):
            prepare_links(given, own, tmp_path / "ready", **more)
    _partitioned(links.rename({"value": "worth"}), tmp_path / "other")
    with pytest.raises(UsageError, match="no column 'value'"):
        prepare_links(tmp_path / "other", nodes, tmp_path / "ready")
    with pytest.raises(UsageError, match="holds no prepared network"):
        open_prepared(folder)


_WITHIN = """
import resource, sys, threading, time
import polars as pl
from withstand.readers.prepared_links import prepare_links
from withstand.readers.prepared_networks import open_prepared
import duckdb, withstand.readers.firms

def own():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024

start, peak, going = own(), 0.0, True
def watch():
    global peak
    while going:
        peak = max(peak, own()); time.sleep(0.005)
watcher = threading.Thread(target=watch, daemon=True); watcher.start()
told = prepare_links(sys.argv[1], sys.argv[2], sys.argv[3], memory=sys.argv[4])
going = False; watcher.join()
print(told.n_links, round(peak - start), open_prepared(sys.argv[3]).n_links)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_keeps_under_the_ceiling_and_spills(tmp_path):
    n, rows = (
        2_000,
        2_000_000,
    )  # 64 MB as four columns of numbers, unsorted
    rng = np.random.default_rng(1)
    label = pl.Series([f"a firm with a long name, number {k}" for k in range(n)])
    nodes = pl.DataFrame({"id": label, "sector": ["S"] * n})
    nodes.write_parquet(tmp_path / "nodes.parquet")
    links = pl.DataFrame(
        {
            "supplier": label.gather(rng.integers(0, n, rows)),
            "buyer": label.gather(rng.integers(0, n, rows)),
            "value": rng.random(rows),
        }
    )
    folder = _partitioned(links, tmp_path / "links", 8)
    distinct = links.select("supplier", "buyer").n_unique()
    done = subprocess.run(
        [sys.executable, "-c", _WITHIN, str(folder), str(tmp_path / "nodes.parquet"),
         str(tmp_path / "ready"), "64MB"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made, peak, opened = map(int, done.stdout.split())
    assert made == opened == distinct
    with pytest.raises(UsageError, match=r"8MB of memory are not enough.*Give more"):
        prepare_links(folder, nodes, tmp_path / "again", memory="8MB")
    assert peak < 64 + 120  # DuckDB's ceiling, and a batch of rows with what is made of it
