"""How many columns of generated messy files are mapped without help, and how many wrongly.

    python benchmarks/mapping.py --seed 2

The words and thresholds were chosen on files of seed 1 (the tests play these); the files of other
seeds were not looked at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from mapped_columns import mapped_columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    seed = parser.parse_args().seed
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        columns = mapped_columns(Path(folder), seed)
    seconds = time.process_time() - started
    due = columns.filter(pl.col("truth").is_not_null())
    right = due["is_right"].sum()
    wrong = columns.filter(pl.col("found").is_not_null() & ~pl.col("is_right"))
    print(f"{columns['file'].n_unique()} files of seed {seed}, {seconds:.1f} s of processor")
    print(f"mapped without help {right} of {due.height} columns, {right / due.height:.1%}")
    print(f"wrongly accepted {wrong.height}")
    for row in columns.filter(~pl.col("is_right")).iter_rows(named=True):
        print(f"  {row['file']}: {row['header']!r} is {row['truth']}, taken for {row['found']}")


if __name__ == "__main__":
    main()
