"""Whatever stands in the files: a network or a DataError whose findings name a place and a mend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breaking import contents, rows_of, tiny_project, tiny_shorthand, tiny_workbook, write_rows
from withstand.errors import DataError
from withstand.readers import read_folder

NASTY = [
    "", " ", "*", "GEAR", "mill", "mine", "STEEL", "plant", "HOME", "JP", "0", "1", "-1", "0.5",
    "1e15", "1e308", "nan", "inf", "1,5", "50%", "yes", "maybe", "essential", "hours", "hosted",
    "#REF!", "=cmd()", "<script>", "x" * 300, "a\nb", "\u202e", "'", '"', "\t", "é", "node",
    "share", "price", "lead_time_days", "capacity_per_day", "price_usd", "_duplicated_0",
]  # fmt: skip
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["cell", "cell", "cell", "header", "row", "drop row", "drop column"]),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    ),
    min_size=1,
    max_size=6,
)
QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def change(folder: Path, kind: str, which: int, row: int, column: int, value: str) -> None:
    """Change one cell, header, row or column of one CSV file."""
    files = sorted(folder.rglob("*.csv"))
    file = files[which % len(files)]
    rows = rows_of(file)
    if not rows or not rows[0]:
        return
    column %= len(rows[0])
    row = 1 + row % (len(rows) - 1) if len(rows) > 1 else 0
    if kind == "cell" and column < len(rows[row]):
        rows[row][column] = value
    elif kind == "header":
        rows[0][column] = value
    elif kind == "row":
        rows.append(list(rows[row]))
    elif kind == "drop row":
        del rows[row]
    elif kind == "drop column":
        rows = [r[:column] + r[column + 1 :] for r in rows]
    write_rows(file, rows)


def judge(folder: Path) -> None:
    """Read; only a DataError may come, and its findings must be of use."""
    before = contents(folder)
    try:
        read_folder(folder)
    except DataError as error:
        faults = [f for f in error.findings if f.severity == "error"]
        assert faults
        assert all(f.what and f.why and f.fix and f.file for f in faults)
        assert all(len(str(f)) < 2000 for f in faults)
    assert contents(folder) == before


@pytest.mark.parametrize("make", [tiny_project, tiny_shorthand])
@QUICK
@given(changes=CHANGES)
def test_any_change_of_cells_gives_a_network_or_findings(
    make: Callable[[Path], Path],
    changes: list[tuple[str, int, int, int, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = make(tmp_path_factory.mktemp("fuzz") / "p")
    for one in changes:
        change(folder, *one)
    judge(folder)


BYTES = st.lists(st.tuples(st.integers(0, 10**7), st.binary(max_size=4)), min_size=1, max_size=5)


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "toml"])
@QUICK
@given(changes=BYTES, keep=st.floats(0, 1) | st.just(1.0))
def test_any_change_of_bytes_gives_a_network_or_findings(
    kind: str,
    changes: list[tuple[int, bytes]],
    keep: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("fuzz") / "p"
    if kind == "xlsx":
        tiny_workbook(folder)
    else:
        tiny_project(folder)
    if kind == "parquet":
        for file in (folder / "tables").glob("*.csv"):
            pl.read_csv(file).write_parquet(file.with_suffix(".parquet"))
            file.unlink()
    files = sorted(folder.rglob(f"*.{kind}"))
    file = files[changes[0][0] % len(files)]
    data = bytearray(file.read_bytes())
    for at, new in changes:
        at %= len(data)
        data[at : at + len(new)] = new
    file.write_bytes(data[: int(len(data) * keep)])
    judge(folder)
