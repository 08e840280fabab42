"""Writes that leave a project as before or after, at whatever moment they are cut off.

A new folder is written beside its place and renamed. Changes to an existing folder are first
written in full under `.withstand/`, then named in one journal file (its rename is the commit), then
moved into place; whoever opens the folder next finishes an interrupted move.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import ProjectLockedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATE = ".withstand"
JOURNAL = "commit.json"
PENDING = "pending"
LOCK = "lock"


def replace_folder(
    path: Path, write: Callable[[Path], None], remove: Callable[[Path], list[Path]]
) -> None:
    """Write files into a folder as one step.

    Parameters
    ----------
    path : Path
        The folder; it may be new.
    write : callable
        Writes all new files below the folder it is given.
    remove : callable
        Given the folder, returns the old files that the new ones replace (relative paths).
    """
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; name a folder to write to.")
    if not path.exists() or not any(path.iterdir()):
        _write_new(path, write)
        return
    with lock(path):
        finish_interrupted(path)
        pending = path / STATE / PENDING
        shutil.rmtree(pending, ignore_errors=True)
        pending.mkdir(parents=True)
        write(pending)
        new = sorted(p.relative_to(pending) for p in pending.rglob("*") if p.is_file())
        old = [p for p in remove(path) if p not in set(new)]
        journal = {"move": [p.as_posix() for p in new], "remove": [p.as_posix() for p in old]}
        _sync_tree(pending)
        write_atomic(path / STATE / JOURNAL, json.dumps(journal).encode())
        finish_interrupted(path)


def _write_new(path: Path, write: Callable[[Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        building.chmod(0o755)
        write(building)
        _sync_tree(building)
        building.rename(path)  # replaces an empty folder, fails on a full one
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def finish_interrupted(path: Path) -> bool:
    """Finish a write that was cut off after its commit; tell whether there was one."""
    state = path / STATE
    journal = state / JOURNAL
    try:
        steps = json.loads(journal.read_bytes())
    except FileNotFoundError:
        return False
    pending = state / PENDING
    for name in steps["move"]:
        source, target = pending / name, path / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
    for name in steps["remove"]:
        (path / name).unlink(missing_ok=True)
    journal.unlink()
    shutil.rmtree(pending, ignore_errors=True)
    return True


def write_atomic(path: Path, data: bytes) -> None:
    """Write one file so that readers see the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the project for writing; another holder is named in the error.

    The lock goes with the process, so that a crash never leaves a project locked.
    """
    state = path / STATE
    state.mkdir(parents=True, exist_ok=True)
    with (state / LOCK).open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read(200).strip() or "another process"
            raise ProjectLockedError(
                f"The project {path.name} is being written by {holder}. "
                "Wait for it to end, or stop it."
            ) from None
        stream.seek(0)
        stream.truncate()
        when = time.strftime("%Y-%m-%d %H:%M")
        stream.write(f"process {os.getpid()} on {socket.gethostname()} since {when}")
        stream.flush()
        yield


def _sync_tree(path: Path) -> None:
    for item in path.rglob("*"):
        if item.is_file():
            with item.open("rb") as stream:
                os.fsync(stream.fileno())
    _sync_folder(path)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
