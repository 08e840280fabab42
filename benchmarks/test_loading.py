"""Reading, checking, writing and hashing networks of several sizes.

The figures of 100,000 and 1,000,000 nodes with their peak memory come from `loading.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from loading import measured
from networks import firm_links, random_dag

from withstand.readers import network_from_links, read_folder, write_folder

SIZES = [1_000, 10_000, 100_000]
Folder = Callable[[int], Path]


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest, benchmark: Any) -> int:
    """Number of nodes; the largest only when times are asked for."""
    if request.param > 10_000 and benchmark.disabled:
        pytest.skip("only for timing")
    return int(request.param)


def test_reading_parquet(benchmark: Any, dag_folder: Folder, size: int) -> None:
    network = benchmark(read_folder, dag_folder(size))
    assert (network.n_nodes, network.n_links) == (size, 10 * size)
    assert {f.code for f in network.findings} <= {"W204"}  # prices are drawn, not worked out


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_writing(
    benchmark: Any, dag_folder: Folder, size: int, format: str, tmp_path: Path
) -> None:
    network = read_folder(dag_folder(size))
    benchmark(write_folder, network, tmp_path / "again", format=format)


def test_reading_csv(benchmark: Any, dag_folder: Folder, size: int, tmp_path: Path) -> None:
    network = read_folder(dag_folder(size))
    folder = write_folder(network, tmp_path / "csv")
    assert benchmark(read_folder, folder).fingerprint() == network.fingerprint()


def test_fingerprint(benchmark: Any, dag_folder: Folder, size: int) -> None:
    network = read_folder(dag_folder(size))

    def fresh() -> str:
        network.__dict__.pop("_fingerprint", None)
        return network.fingerprint()

    assert len(benchmark(fresh)) == 32


def test_building_firms(benchmark: Any, size: int) -> None:
    frames = firm_links(size, n_sectors=min(600, size // 10))
    if frames is None:
        pytest.skip("the generator of firm networks is not beside this repository")
    network = benchmark(network_from_links, frames["nodes"], frames["links"], frames["essential"])
    assert network.n_links == frames["links"].height


def test_the_generator_is_repeatable_and_has_the_size_asked_for() -> None:
    one, two, other = (
        random_dag(2_000, seed=1),
        random_dag(2_000, seed=1),
        random_dag(2_000, seed=2),
    )
    assert all(one[name].equals(two[name]) for name in one)
    assert not one["links"].equals(other["links"])
    assert one["links"].height == 20_000
    assert one["links"].select("supplier", "buyer").is_unique().all()
    total = one["links"].group_by("buyer", "product").agg(pl.col("share").sum())["share"]
    assert ((total - 1).abs() < 1e-12).all()


def test_the_script_for_large_sizes_works() -> None:
    line = measured("nodes", 500)
    assert line.split()[:3] == ["500", "nodes", "5,000"]
