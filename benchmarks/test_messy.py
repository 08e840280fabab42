"""Reading a small clean and a small messy CSV."""

from __future__ import annotations

import sys
from pathlib import Path

from withstand.readers.messy import read_blocks

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from messy import draw, write_clean, write_messy

ROWS = 5_000


def test_clean(benchmark, tmp_path: Path) -> None:
    file = write_clean(tmp_path / "clean.csv", draw(ROWS))
    assert benchmark(read_blocks, file).blocks[0].n_rows == ROWS


def test_messy(benchmark, tmp_path: Path) -> None:
    file = write_messy(tmp_path / "messy.csv", draw(ROWS))
    assert benchmark(read_blocks, file).blocks[0].n_rows == ROWS
