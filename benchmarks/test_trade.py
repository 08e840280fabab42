"""Reading and screening drawn trade."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import withstand as ws
from withstand.model.trade_cube import TradeCube

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from trade import draw

ROWS = 200_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("trade") / "BACI_HS92_Y2022.parquet", ROWS, 2022)


@pytest.fixture(scope="module")
def cube(file: Path) -> TradeCube:
    return ws.read_trade(file)


def test_read(benchmark, file: Path) -> None:
    assert 0.9 * ROWS < benchmark(ws.read_trade, file).n_rows < ROWS


def test_screens_of_one_bloc_and_year(benchmark, cube: TradeCube) -> None:
    found = benchmark(ws.measures.screens, cube, "EU27", years=2022)
    assert found.verdicts.height == 5 * 5000
