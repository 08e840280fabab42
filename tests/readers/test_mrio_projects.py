"""An economy made on the command line is a project like any other."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import mrio_files as files
import withstand as ws
from withstand.cli import main


@pytest.fixture
def table(tmp_path: Path) -> Path:
    w = files.world(["DEU", "FRA"], ["c1", "c2"], ["final", "stocks"])
    w.Z[0, 1] = -4.0
    files.write_wide(w, tmp_path / "wiot_2011.parquet")
    return tmp_path / "wiot_2011.parquet"


def test_a_project_is_made_of_a_table(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "project"
    arguments = ["new", "economy", str(folder), "--from", str(table), "--home", "Germany"]
    assert main([*arguments, "--layout", "withstand", "--name", "Two countries"]) == 0
    said = capsys.readouterr().out
    assert "Two countries: 4 nodes, 2 regions" in said
    network = ws.read_folder(folder)
    assert (network.name, network.settings.home) == ("Two countries", "DEU")
    assert network.fingerprint() == ws.read_mrio(table, home="DEU").fingerprint()
    # what was done on reading stays with the project
    about = dict(network.tables["sources"].select("source", "statement").iter_rows())
    assert about["year"] == "2011"
    assert "1 negative flows" in about["reading: N207"]


def test_check_lists_the_findings_of_an_economy(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pl.read_parquet(table)
    frame.with_columns(x=pl.col("x") + 9.0).write_parquet(table)
    folder = tmp_path / "project"
    assert main(["new", "economy", str(folder), "--from", str(table)]) == 0
    assert main(["check", "--project", str(folder), "--fail-on", "warning"]) == 5
    assert "W213" in capsys.readouterr().out
    assert main(["--json", "new", "economy", str(tmp_path / "other"), "--from", str(table)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"W213", "N207"} <= {f["code"] for f in document["findings"]}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["plant", "p", "--from", "x.parquet"], 2, "input-output table"),
        (["economy", "p", "--home", "DEU"], 2, "go with --from"),
        (["economy", "p", "--from", "none.parquet"], 3, "E116"),
    ],
)
def test_what_cannot_be_made_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", *arguments]) == code
    printed = capsys.readouterr()
    assert says in printed.out + printed.err
    assert not (tmp_path / "p").exists()


def test_a_folder_that_is_there_is_not_written_over(table: Path, tmp_path: Path) -> None:
    assert main(["new", "economy", str(tmp_path), "--from", str(table)]) == 2
