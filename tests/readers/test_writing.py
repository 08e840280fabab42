"""A write is done or not done, never half: whatever is raised, killed, locked or read meanwhile."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from breaking import contents, faults_of, tiny_project
from withstand.errors import DataError, ProjectLockedError, UsageError
from withstand.examples import example
from withstand.model.network import ProductionNetwork
from withstand.readers import atomic, read_folder, write_folder

STEPS = ("replace", "rename", "unlink", "rmdir", "mkdir", "fsync", "open")


class CutError(BaseException):
    """The power is gone: nothing that comes after is carried out."""


def cut_off_at(monkeypatch: pytest.MonkeyPatch, last: int) -> Callable[[], int]:
    """Let every step on the disk from number `last` on fail; return how many were asked for."""
    asked = itertools.count()
    told = [0]

    def guard(real: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **kwargs: object) -> object:
            told[0] = next(asked) + 1
            if told[0] > last:
                raise CutError
            return real(*args, **kwargs)

        return step

    for name in STEPS:
        monkeypatch.setattr(os, name, guard(getattr(os, name)))
    real_open = io.open

    def half_written(file: object, mode: str = "r", *args: object, **kwargs: object) -> object:
        if "w" not in mode:
            return real_open(file, mode, *args, **kwargs)
        told[0] = next(asked) + 1
        if told[0] > last:
            with real_open(file, "wb") as stream:
                stream.write(b"node,pro")
            raise CutError
        return real_open(file, mode, *args, **kwargs)

    monkeypatch.setattr(io, "open", half_written)
    return lambda: told[0]


def two_networks(folder: Path) -> tuple[ProductionNetwork, ProductionNetwork]:
    """The tiny network, and one with other tables (and one table less)."""
    one = read_folder(tiny_project(folder))
    tables = {name: frame for name, frame in one.tables.items() if name != "stocks"}
    tables["nodes"] = tables["nodes"].with_columns(price=7.0)
    return one, one.build(tables, one.settings, {})


@pytest.mark.slow
def test_a_write_that_is_cut_off_at_any_step_is_done_or_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = two_networks(tmp_path / "source")
    prints = []
    for last in itertools.count():
        folder = write_folder(before, tmp_path / f"p{last}")
        with monkeypatch.context() as patch:
            asked = cut_off_at(patch, last)
            try:
                write_folder(after, folder)
                is_cut = False
            except CutError:
                is_cut = True
        prints.append(read_folder(folder).fingerprint())
        assert read_folder(write_folder(before, folder)).fingerprint() == before.fingerprint()
        if not is_cut:
            break
    assert asked() == last > 20
    done = prints.index(after.fingerprint())
    assert set(prints[:done]) == {before.fingerprint()}
    assert set(prints[done:]) == {after.fingerprint()}
    assert 10 < done < last, "the commit stands between the first and the last step"


def test_a_new_folder_that_is_cut_off_at_any_step_is_there_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, _ = two_networks(tmp_path / "source")
    was_there = set()
    for last in itertools.count():
        folder = tmp_path / f"p{last}"
        with monkeypatch.context() as patch:
            cut_off_at(patch, last)
            try:
                write_folder(net, folder)
                is_cut = False
            except CutError:
                is_cut = True
        was_there.add(folder.exists())
        if folder.exists():
            assert read_folder(folder).fingerprint() == net.fingerprint()
        if not is_cut:
            break
    assert was_there == {False, True}


def test_an_error_of_the_disk_is_told_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = two_networks(tmp_path / "source")
    folder = write_folder(before, tmp_path / "p")
    seen = contents(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UsageError, match=r"No space left on device.*as it was before"):
            write_folder(after, folder)
        with pytest.raises(UsageError, match="No space left"):
            write_folder(after, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert {k: v for k, v in contents(folder).items() if not k.startswith(".")} == seen


def test_a_reader_without_the_right_to_write_sees_a_committed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = two_networks(tmp_path / "source")
    folder = write_folder(before, tmp_path / "p")
    with monkeypatch.context() as patch:
        patch.setattr(atomic, "finish_interrupted", lambda _: False)
        write_folder(after, folder)  # committed, but not moved into place
        waiting = contents(folder)
        assert read_folder(folder).fingerprint() == after.fingerprint()

    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "lock", denied)
        assert read_folder(folder).fingerprint() == after.fingerprint()
    assert set(contents(folder)) == set(waiting)
    assert read_folder(folder).fingerprint() == after.fingerprint()
    assert not (folder / ".withstand" / "commit.json").exists()
    assert not (folder / "tables" / "stocks.csv").exists()


@pytest.mark.parametrize("name", ["../x", "/etc/x", "tables/../../x", "linked/x", ".withstand/x"])
@pytest.mark.parametrize("key", ["move", "remove"])
def test_a_journal_that_leads_out_of_the_folder_is_refused(
    tmp_path: Path, name: str, key: str
) -> None:
    folder = tiny_project(tmp_path / "p")
    (tmp_path / "outside").mkdir()
    for precious in (tmp_path / "x", tmp_path / "outside" / "x"):
        precious.write_text("precious")
    (folder / "linked").symlink_to(tmp_path / "outside")
    (folder / ".withstand" / "pending").mkdir(parents=True)
    (folder / ".withstand" / "pending" / "x").write_text("hostile")
    journal = {"move": [], "remove": [], key: [name]}
    (folder / ".withstand" / "commit.json").write_text(json.dumps(journal))
    (found,) = faults_of(folder)
    assert (found.code, found.fix) == ("E116", atomic.MEND_JOURNAL)
    with pytest.raises(UsageError, match="damaged"):
        write_folder(example("robot_maker"), folder)
    assert (tmp_path / "x").read_text() == (tmp_path / "outside" / "x").read_text() == "precious"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"move": 1, "remove": []}', "[" * 99_999])
def test_a_damaged_journal_is_told(tmp_path: Path, text: str) -> None:
    folder = tiny_project(tmp_path / "p")
    (folder / ".withstand").mkdir()
    (folder / ".withstand" / "commit.json").write_text(text)
    assert [f.code for f in faults_of(folder)] == ["E116"]


def test_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("a file")
    with pytest.raises(UsageError, match="is a file"):
        write_folder(example("robot_maker"), tmp_path / "p")


def test_leftovers_of_killed_writes_are_cleared_after_a_day(tmp_path: Path) -> None:
    old, young, other = (tmp_path / name for name in (".p-abc", ".p-def", ".q-abc"))
    for leftover in (old, young, other):
        (leftover / "tables").mkdir(parents=True)
    for leftover in (old, other):
        os.utime(leftover, (0, 0))
    write_folder(example("robot_maker"), tmp_path / "p")
    assert [p.exists() for p in (old, young, other)] == [False, True, True]


def test_who_is_second_with_a_new_folder_replaces_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = two_networks(tmp_path / "source")
    folder = tmp_path / "p"
    real = Path.rename

    def quicker(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", real)
        write_folder(two, folder)  # somebody else was quicker
        return real(self, target)

    monkeypatch.setattr(Path, "rename", quicker)
    write_folder(one, folder)
    assert read_folder(folder).fingerprint() == one.fingerprint()
    assert not (folder / "tables" / "nodes.parquet").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".p")] == []


# --- several at once -----------------------------------------------------------------------------


def test_the_second_writer_is_told_who_is_first(tmp_path: Path) -> None:
    folder = tiny_project(tmp_path / "p")
    net = read_folder(folder)
    seen = contents(folder / "tables")
    with atomic.lock(folder):
        with pytest.raises(ProjectLockedError, match=f"process {os.getpid()} on .* since 20"):
            write_folder(net, folder, format="parquet")
        assert read_folder(folder).fingerprint() == net.fingerprint(), "readers need no lock"
    assert contents(folder / "tables") == seen
    write_folder(net, folder, format="parquet")


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    folder = tiny_project(tmp_path / "p")
    code = (
        "import sys, time; from pathlib import Path; from withstand.readers import atomic\n"
        "with atomic.lock(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ProjectLockedError, match=f"process {other.pid} on"):
            write_folder(example("robot_maker"), folder)
        other.kill()
    write_folder(example("robot_maker"), folder)


def test_a_reader_never_sees_a_mixture(tmp_path: Path) -> None:
    one, two = two_networks(tmp_path / "source")
    folder = write_folder(one, tmp_path / "p")
    is_over = threading.Event()

    def write() -> None:
        for net in itertools.cycle((two, one)):
            if is_over.wait(0.02):
                return
            write_folder(net, folder)

    writer = threading.Thread(target=write)
    writer.start()
    seen, refused = set(), set()
    try:
        for _ in range(30):
            try:
                seen.add(read_folder(folder).fingerprint())
            except DataError as error:  # a reader slower than the writer gives up, and says so
                refused.add(error.findings[0].what)
    finally:
        is_over.set()
        writer.join()
    assert seen <= {one.fingerprint(), two.fingerprint()}
    assert refused <= {"the project is being written all the time"}
    assert read_folder(folder).fingerprint() in {one.fingerprint(), two.fingerprint()}


# --- killed --------------------------------------------------------------------------------------

WRITERS = """
import itertools, os, sys
from withstand.readers import read_folder, write_folder
for line in sys.stdin:
    if os.fork():
        os.wait()
        continue
    one, two = read_folder(sys.argv[2]), read_folder(sys.argv[3])
    print(os.getpid(), flush=True)
    for net in itertools.cycle((one, two)):
        write_folder(net, sys.argv[1])
"""
N_KILLS = 40
MOST_KILLS = 160  # on a busy machine some kills come before anything was written


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_project_survives_forty_kills_at_random_moments(tmp_path: Path) -> None:
    one = example("robot_maker")
    two = one.with_changes({"nodes": one.tables["nodes"].with_columns(price=1.0)})
    started = time.perf_counter()
    sources = [write_folder(one, tmp_path / "one"), write_folder(two, tmp_path / "two")]
    both = time.perf_counter() - started  # kills fall within the first three writes or so
    allowed = {one.fingerprint(), two.fingerprint()}
    folder = write_folder(one, tmp_path / "p")
    state = folder / ".withstand"
    moments = random.Random(7)
    seen, were_halfway = set(), 0
    arguments = [sys.executable, "-c", WRITERS, str(folder), *map(str, sources)]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        for kill in range(MOST_KILLS):
            if kill >= N_KILLS and seen == allowed and were_halfway >= 5:
                break
            writers.stdin.write("start one\n")
            writers.stdin.flush()
            pid = int(writers.stdout.readline())
            time.sleep(moments.uniform(0.0, 1.5 * both))
            os.kill(pid, signal.SIGKILL)
            were_halfway += (state / "pending").exists() or (state / "commit.json").exists()
            seen.add(read_folder(folder).fingerprint())
        writers.stdin.close()
    assert seen == allowed
    assert were_halfway >= 5, "the kills came between the writes"
    assert read_folder(write_folder(one, folder)).fingerprint() == one.fingerprint()
