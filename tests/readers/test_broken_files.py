"""Parquet of the wrong kind, folders that are not there, files that may not be opened."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from breaking import faults_of, find, tiny_project
from withstand.readers import files

NODES, STOCKS, TOML = "nodes.csv", "stocks.csv", "withstand.toml"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_project(tmp_path / "tiny")


# --- Parquet -------------------------------------------------------------------------------------


def _as_parquet(folder: Path, name: str, **columns: pl.Series) -> None:
    file = find(folder, f"{name}.csv")
    frame = pl.read_csv(file)
    file.unlink()
    frame.with_columns(**columns).write_parquet(folder / "tables" / f"{name}.parquet")


def test_whole_numbers_serve_as_labels_in_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    (folder / "tables").mkdir(parents=True)
    nodes = pl.DataFrame({"node": [1, 2], "product": [10, 20], "region": [7, 7],
                          "final_demand": [5.0, 0.0]})  # fmt: skip
    nodes.write_parquet(folder / "tables" / "nodes.parquet")
    links = pl.DataFrame({"supplier": [2.0], "buyer": [1.0], "share": [1]})
    links.write_parquet(folder / "tables" / "links.parquet")
    recipes = pl.DataFrame({"buyer": ["10"], "input": [20], "quantity": [3]})
    recipes.write_parquet(folder / "tables" / "recipes.parquet")
    assert faults_of(folder) == []


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("price", pl.Series([1.0, float("nan"), 3.0, 4.0]), "E108"),
        ("price", pl.Series([1.0, float("inf"), 3.0, 4.0]), "E108"),
        ("price", pl.Series([1, -2, 3, 4]), "E107"),
        ("price", pl.Series([True, True, False, True]), "E103"),
        ("price", pl.Series([[1], [2], [3], [4]]), "E103"),
        ("price", pl.Series([{"a": 1}] * 4), "E103"),
        ("price", pl.Series(["2024-01-01"] * 4).str.to_date(), "E103"),
        ("price", pl.Series(["1", "2,5", "3", "4"], dtype=pl.Categorical), "E105"),
        ("region", pl.Series([["HOME"]] * 4), "E103"),
        ("region", pl.Series([b"HOME", b"JP", b"JP", b"XX"]), "E104"),
        ("region", pl.Series([None] * 4), "E102"),
    ],
    ids=str,
)
def test_typed_columns_of_parquet_are_judged_too(
    tiny: Path, column: str, values: pl.Series, code: str
) -> None:
    _as_parquet(tiny, "nodes", **{column: values})
    found = faults_of(tiny)
    assert {f.code for f in found} == {code}
    assert {(f.file, f.column) for f in found} == {("nodes.parquet", column)}


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.999])
def test_damaged_parquet_is_refused(tiny: Path, keep: float) -> None:
    _as_parquet(tiny, "nodes")
    file = find(tiny, "nodes.parquet")
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * keep)])
    (found,) = faults_of(tiny)
    assert (found.code, found.file) == ("E113", "nodes.parquet")


def test_text_called_parquet_is_refused(tiny: Path) -> None:
    find(tiny, STOCKS).rename(tiny / "tables" / "stocks.parquet")
    (found,) = faults_of(tiny)
    assert (found.code, found.file) == ("E113", "stocks.parquet")


def test_a_table_that_does_not_fit_into_memory_is_told(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(files, "read_text", full)
    assert {f.code for f in faults_of(tiny)} == {"E122"}


def test_a_letter_cut_in_two_by_the_first_look_is_no_fault(tiny: Path) -> None:
    """The first 65,536 bytes are judged first; a letter of two bytes may stand across the end."""
    nodes = find(tiny, NODES)
    text = nodes.read_text() + "x,ORE,JP,"
    nodes.write_text(text + "y" * (65_535 - len(text)) + "é" * 10 + ",0,0,\n")
    assert [f.code for f in faults_of(tiny)] == ["E115"]  # and no word about letters


# --- folders and rights --------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["missing", "missing/deeper", "nul\0byte", "x" * 5000])
def test_a_place_that_is_not_there_is_named(tmp_path: Path, place: str) -> None:
    (found,) = faults_of(tmp_path / place)
    assert found.code == "E116"
    assert found.fix


def test_an_empty_folder_and_a_folder_without_tables_are_told(tmp_path: Path) -> None:
    (found,) = faults_of(tmp_path)
    assert found.code == "E119"
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "supplier.csv").write_text("a,b\n1,2\n")
    (found,) = faults_of(tmp_path)
    assert found.code == "E119"


def test_a_file_of_no_table_is_no_project(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"\x89PNG")
    (found,) = faults_of(file)
    assert found.code == "E119"


def test_a_circle_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (found,) = faults_of(tmp_path / "a")
    assert found.code == "E116"


def test_a_pipe_called_table_is_not_waited_for(tiny: Path) -> None:
    find(tiny, STOCKS).unlink()
    os.mkfifo(tiny / "tables" / STOCKS)
    (found,) = faults_of(tiny)
    assert (found.code, found.file) == ("E116", STOCKS)


def _deny(monkeypatch: pytest.MonkeyPatch, method: str, name: str) -> None:
    """Let a method of Path fail for one name as it does without permission."""
    real = getattr(Path, method)

    def denied(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == name:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, method, denied)


@pytest.mark.parametrize(
    ("method", "name", "file"),
    [
        ("open", NODES, NODES),
        ("stat", NODES, NODES),
        ("open", TOML, TOML),
        ("read_text", TOML, TOML),
        ("iterdir", "tiny", "tiny"),
        ("iterdir", "tables", "tiny"),
        ("stat", "tiny", "tiny"),
    ],
)
def test_what_may_not_be_opened_is_named(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, method: str, name: str, file: str
) -> None:
    _deny(monkeypatch, method, name)
    found = faults_of(tiny)
    assert [(f.code, f.file) for f in found] == [("E116", file)]
    assert "Permission denied" in found[0].what
    assert "permissions" in found[0].fix


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may open everything")
@pytest.mark.parametrize("name", ["tables/nodes.csv", "withstand.toml", "tables", "."])
def test_what_may_not_be_opened_is_named_for_real(tiny: Path, name: str) -> None:
    (tiny / name).chmod(0)
    try:
        assert {f.code for f in faults_of(tiny)} == {"E116"}
    finally:
        (tiny / name).chmod(0o755)
