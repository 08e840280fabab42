"""Projects of older formats are read as they are and written anew on request, nothing lost."""

from __future__ import annotations

import itertools
from pathlib import Path

import polars as pl
import pytest

from breaking import contents, faults_of, tiny_project
from readers.test_writing import CutError, cut_off_at
from withstand.errors import DataError, UsageError
from withstand.model import project_formats
from withstand.model.project_formats import Step, renamed_columns
from withstand.readers import read_folder, upgrade_project


def _settings(data: dict) -> dict:
    return {("currency" if k == "money" else k): v for k, v in data.items()}


STEPS = (
    Step(what="'capacity_old' is called 'limit'", columns={"nodes": {"capacity_old": "limit"}}),
    Step(what="'money' is called 'currency'; 'limit' is called 'capacity'", settings=_settings,
         columns={"nodes": {"limit": "capacity"}}),
)  # fmt: skip


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this version read formats 1 to 3."""
    monkeypatch.setattr(project_formats, "STEPS", STEPS)
    monkeypatch.setattr("withstand.model.settings.FORMAT", 3)


def old_project(folder: Path) -> Path:
    """A project of format 1 as formats 1 to 3 have it, with a comment and a section of its own."""
    tiny_project(folder)
    toml = folder / "withstand.toml"
    text = toml.read_text().replace("currency", "money") + '\n[thresholds]\n"a b" = 0.5 # half\n'
    toml.write_text("# of our plant\n" + text)
    nodes = folder / "tables" / "nodes.csv"
    nodes.write_text(nodes.read_text().replace(",capacity", ",capacity_old"))
    return folder


def test_an_old_project_is_read_as_one_of_today_and_not_changed(
    tmp_path: Path, third: None
) -> None:
    today = read_folder(tiny_project(tmp_path / "new"))
    folder = old_project(tmp_path / "old")
    before = contents(folder)
    found = read_folder(folder)
    assert found.fingerprint() == today.fingerprint()
    (note,) = [f for f in found.findings if f.code == "N104"]
    assert "format 1 and is read as one of format 3" in note.what
    assert contents(folder) == before


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_upgrade_keeps_the_network_and_the_old_files(
    tmp_path: Path, third: None, form: str
) -> None:
    folder = old_project(tmp_path / "p")
    if form == "parquet":
        nodes = folder / "tables" / "nodes.csv"
        pl.read_csv(nodes).write_parquet(nodes.with_suffix(".parquet"))
        nodes.unlink()
    before = contents(folder)
    was = read_folder(folder)
    number, backup, said = upgrade_project(folder)
    assert (number, said) == (1, [step.what for step in STEPS])
    assert backup == folder / "backups" / "format-1"
    now = read_folder(folder)
    assert now.fingerprint() == was.fingerprint()
    assert now.settings == was.settings
    assert [f for f in now.findings if f.code == "N104"] == []
    kept = {name: data for name, (_, data) in contents(backup).items()}
    assert kept == {"withstand.toml": before["withstand.toml"][1],
                    f"tables/nodes.{form}": before[f"tables/nodes.{form}"][1]}  # fmt: skip
    assert upgrade_project(folder) == (3, None, [])
    (folder / "withstand.toml").write_bytes(kept["withstand.toml"])
    (folder / "tables" / f"nodes.{form}").write_bytes(kept[f"tables/nodes.{form}"])
    assert read_folder(folder).fingerprint() == was.fingerprint(), "the way back"
    assert upgrade_project(folder)[1] == folder / "backups" / "format-1-2"


@pytest.mark.slow
def test_an_upgrade_that_is_cut_off_at_any_step_is_done_or_not_done(
    tmp_path: Path, third: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = []
    for last in itertools.count(0, 7):
        folder = old_project(tmp_path / f"p{last}")
        wanted = read_folder(folder).fingerprint()
        with monkeypatch.context() as patch:
            cut_off_at(patch, last)
            try:
                upgrade_project(folder)
                is_cut = False
            except CutError:
                is_cut = True
        found = read_folder(folder)
        assert found.fingerprint() == wanted
        is_old = any(f.code == "N104" for f in found.findings)
        has_backup = (folder / "backups" / "format-1" / "withstand.toml").exists()
        assert is_old != has_backup
        states.append(is_old)
        if not is_cut:
            break
    assert states == sorted(states, reverse=True)
    assert set(states) == {True, False}


def test_a_newer_format_is_refused_in_words(tmp_path: Path) -> None:
    folder = tiny_project(tmp_path / "p")
    toml = folder / "withstand.toml"
    good = toml.read_text()
    for stated, says in ((2, "newer version"), (0, "reads project format 1"), ('"1"', "reads"),
                         ("true", "reads"), (1.0, "reads")):  # fmt: skip
        toml.write_text(good.replace("format = 1", f"format = {stated}"))
        (fault,) = faults_of(folder)
        assert (fault.code, fault.column) == ("E118", "format")
        assert says in fault.what
        with pytest.raises(DataError):
            upgrade_project(folder)
    assert not (folder / "backups").exists()


def test_what_is_no_project_or_stands_in_a_workbook_is_refused(tmp_path: Path, third: None) -> None:
    with pytest.raises(UsageError, match=r"holds no withstand.toml"):
        upgrade_project(tmp_path)
    folder = old_project(tmp_path / "p")
    frame = pl.read_csv(folder / "tables" / "nodes.csv")
    (folder / "tables" / "nodes.csv").unlink()
    frame.write_excel(folder / "tables" / "nodes.xlsx", worksheet="nodes")
    with pytest.raises(UsageError, match=r"nodes\.xlsx is a workbook"):
        upgrade_project(folder)
    assert not (folder / "backups").exists()


def test_names_of_columns_are_followed_through_the_steps(third: None) -> None:
    assert renamed_columns(1, "nodes") == {"capacity_old": "capacity", "limit": "capacity"}
    assert renamed_columns(2, "nodes") == {"limit": "capacity"}
    assert renamed_columns(3, "nodes") == renamed_columns(1, "links") == {}
