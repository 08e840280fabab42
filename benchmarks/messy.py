"""Time the reading of messy files: a million rows of CSV, clean and messy, and a workbook.

    python benchmarks/messy.py [--rows 1000000] [--sheet-rows 50000]

Prints processor seconds and wall seconds of `read_blocks`, and of reading the numbers of a column.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from withstand.readers.messy import Blocks, read_blocks


def draw(n_rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(8)
    index = np.arange(n_rows)
    return pl.DataFrame(
        {
            "part": [f"P{i:07d}" for i in index],
            "description": [f"Bearing {i % 977} type {i % 13}" for i in index],
            "supplier": [f"Firm {i % 5000}" for i in index],
            "country": rng.choice(["DE", "JP", "CN"], n_rows),
            "price": np.round(rng.uniform(1, 5000, n_rows), 2),
            "quantity": rng.integers(1, 2000, n_rows),
            "lead_time_weeks": rng.integers(1, 60, n_rows),
            "hs_code": [f"{i % 90 + 10:02d}{i % 9973:04d}" for i in index],
        }
    )


def write_clean(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_csv(path)
    return path


def write_messy(path: Path, frame: pl.DataFrame) -> Path:
    """Write in cp1252 with a title, decimal commas, thousands points, blanks and a total."""
    price = [f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in frame["price"]]
    some = frame.with_columns(pl.Series("price", price))
    body = some.write_csv(separator=";").replace("Firm 7;", "Müller\u00a0GmbH;")
    path.write_bytes(f"Übersicht\n\n{body}Summe;;;;12;;;\n".encode("cp1252"))
    return path


def write_sheet(path: Path, frame: pl.DataFrame) -> Path:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, frame.columns)
        for i, row in enumerate(frame.iter_rows(), 1):
            sheet.write_row(i, 0, row)
    return path


def timed(work: Callable[[], Blocks]) -> tuple[Blocks, float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, time.process_time() - processor, time.perf_counter() - wall


def main(n_rows: int, n_sheet_rows: int) -> None:
    frame = draw(n_rows)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = (
            ("clean CSV", write_clean(folder / "clean.csv", frame)),
            ("messy CSV", write_messy(folder / "messy.csv", frame)),
            ("workbook", write_sheet(folder / "sheet.xlsx", frame.head(n_sheet_rows))),
        )
        for name, file in files:
            found, processor, wall = timed(lambda file=file: read_blocks(file))
            (block,) = found.blocks
            print(f"{name}: {block.n_rows:,} rows, {processor:.2f} s processor, {wall:.2f} s wall")
            start = time.process_time()
            total = block.numbers(4).values.sum()
            assert abs(total - frame["price"].head(block.n_rows).sum()) < 1e-3
            print(f"    numbers of one column: {time.process_time() - start:.2f} s processor")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sheet-rows", type=int, default=50_000)
    given = parser.parse_args()
    main(given.rows, given.sheet_rows)
