"""Every writer against every fault: before or after, never between; the message says what and mend.

Rows are the writers, columns the faults; the page "nothing is lost" shows the same table.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from breaking import tiny_project, tiny_shorthand
from withstand.errors import ProjectLockedError, UsageError
from withstand.model.scenario import Scenario
from withstand.model.scenario_sets import single_failures
from withstand.readers import atomic, read_folder, write_folder
from withstand.stress import ensemble, simulate
from withstand.workbench import plan_import, save_run, write_import, write_template

SUPPLIERS = "Item;Supplier;Country;Share\nSTEEL;new mill;DE;1\n"
Writer = Callable[[Path], object]


def _net(place: Path):
    return read_folder(place / "p")


def save_project(place: Path) -> object:
    net = _net(place)
    new = net.with_changes({"nodes": net.tables["nodes"].with_columns(price=7.0)})
    return write_folder(new, place / "p")


def save_new_project(place: Path) -> object:
    return write_folder(_net(place), place / "new", format="parquet")


def import_file(place: Path) -> object:
    (place / "suppliers.csv").write_text(SUPPLIERS)
    return write_import(plan_import(place / "q", [place / "suppliers.csv"], mode="update"))


def keep_run(place: Path) -> object:
    run = simulate(_net(place), Scenario.lose(region="JP", duration="2w"), periods=3)
    return save_run(place / "p", run)


def play_ensemble(place: Path) -> object:
    net = _net(place)
    return ensemble(net, single_failures(net)[:2], engine="cascade", out=place / "run")


def record(place: Path) -> object:
    scenario = Scenario.lose(region="JP", duration="2w")
    return simulate(_net(place), scenario, periods=3, out=place / "record")


def template(place: Path) -> object:
    return write_template(place / "template.xlsx", force=True)


WRITERS: tuple[Writer, ...] = (
    save_project, save_new_project, import_file, keep_run, play_ensemble, record, template,
)  # fmt: skip


def seen(place: Path) -> dict[str, bytes]:
    """Return what a user sees: files that are no working files of ours."""
    return {
        p.relative_to(place).as_posix(): p.read_bytes()
        for p in sorted(place.rglob("*"))
        if p.is_file()
        and not any(x.startswith(".") for x in p.relative_to(place).parts)
        and p.name != "suppliers.csv"
    }


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tiny_project(tmp_path / "p")
    tiny_shorthand(tmp_path / "q")
    template(tmp_path)
    return tmp_path


def full_after(monkeypatch: pytest.MonkeyPatch, allowed: int) -> list[int]:
    """Let the disk be full for all renames and synchronised writes but the first ones."""
    count = [0]

    def guard(real: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **kwargs: object) -> object:
            count[0] += 1
            if count[0] > allowed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        return step

    for name in ("fsync", "replace", "rename"):
        monkeypatch.setattr(os, name, guard(getattr(os, name)))
    return count


@pytest.mark.slow
@pytest.mark.parametrize("write", WRITERS, ids=lambda w: w.__name__)
def test_a_full_disk_leaves_before_or_after_and_is_said(
    place: Path, monkeypatch: pytest.MonkeyPatch, write: Writer
) -> None:
    before = seen(place)
    told = None
    with monkeypatch.context() as patch:
        count = full_after(patch, 0)
        try:
            write(place)
        except (UsageError, OSError) as error:
            told = error
    assert count[0] > 0, "the writer was hit"
    assert told is not None
    assert "No space left" in str(told)
    left = seen(place)
    assert {k: v for k, v in left.items() if k in before} == before, "what was there is whole"
    write(place)
    assert _net(place).n_nodes == 4


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="rights of folders differ there")
@pytest.mark.parametrize("write", WRITERS, ids=lambda w: w.__name__)
def test_a_place_that_refuses_is_said(
    place: Path, monkeypatch: pytest.MonkeyPatch, write: Writer
) -> None:
    before = seen(place)

    def denied(*_: object, **__: object) -> object:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        for name in ("mkdir", "replace", "rename"):
            patch.setattr(os, name, denied)
        with pytest.raises((UsageError, OSError), match="Permission denied"):
            write(place)
    assert {k: v for k, v in seen(place).items() if k in before} == before


@pytest.mark.parametrize("jump", [-3e8, 3e8], ids=["backwards", "forwards"])
def test_a_clock_that_jumps_changes_no_result(
    place: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    saved = write_folder(_net(place), place / "p")
    assert read_folder(saved).n_nodes == 4
    first = play_ensemble(place)
    again = play_ensemble(place)
    assert first.outcomes.equals(again.outcomes)
    keep_run(place)
    keep_run(place)  # in the same second, or in one that was before: never over another run
    assert len(list((place / "p" / "runs").iterdir())) >= 1


def test_of_two_writers_the_second_is_told_and_nothing_is_mixed(place: Path) -> None:
    before = seen(place)
    with atomic.lock(place / "p"), pytest.raises(ProjectLockedError, match="is being written"):
        save_project(place)
    with atomic.lock(place / "q"), pytest.raises(ProjectLockedError, match="is being written"):
        import_file(place)
    assert seen(place) == before


def test_a_rename_reaches_the_disk_after_what_it_names(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power cuts keep what was synchronised: a name may not be there before its content."""
    synced: set[int] = set()
    unsynced: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        real_sync(handle)

    def replace(source: str, target: str) -> None:
        if Path(source).is_file() and Path(source).stat().st_ino not in synced:
            unsynced.append(Path(target).name)
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    for write in (save_project, import_file, template, play_ensemble, record):
        write(place)
        assert not unsynced, write.__name__
