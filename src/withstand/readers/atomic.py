"""Writes that leave a project as before or after, at whatever moment they are cut off.

A new folder is written beside its place and renamed. Changes to an existing folder are first
written in full under `.withstand/`, then named in one journal file (its rename is the commit), then
moved into place. Whoever opens the folder after a cut finishes the move; who may not write there
looks through the journal instead (`current_files`).
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import IO, TYPE_CHECKING

from withstand.errors import ProjectLockedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

STATE = ".withstand"
JOURNAL = "commit.json"
PENDING = "pending"
LOCK = "lock"
TABLES_FOLDER = "tables"
DAMAGED_JOURNAL = f"the journal {STATE}/{JOURNAL} of an interrupted write is damaged"
MEND_JOURNAL = f"Delete the folder {STATE} and check that the tables are complete."
_LEFTOVER_AGE = 86_400.0  # seconds after which a half-written new folder belongs to nobody


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

    Raises
    ------
    ProjectLockedError
        If another process is writing to the folder; it is named.
    UsageError
        If the folder cannot be written to.
    """
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; name a folder to write to.")
    try:
        if (not path.exists() or not any(path.iterdir())) and _write_new(path, write):
            return
        with lock(path):
            _write_changes(path, write, remove)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{path} cannot be written: {reason}. It is as it was before.") from error


def write_new_folder(path: Path, write: Callable[[Path], None]) -> None:
    """Write a folder that is not there yet, in one step; what is there is never touched.

    Raises
    ------
    UsageError
        If it is there already, or cannot be written.
    """
    try:
        if path.exists() or not _write_new(path, write):
            raise UsageError(f"{path} is there already; name another.")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{path} cannot be written: {reason}. Nothing was left.") from error


def _write_new(path: Path, write: Callable[[Path], None]) -> bool:
    """Write a new folder; tell whether it worked or another process was quicker."""
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name}-"
    _clear_leftovers(path.parent, prefix)
    building = Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    try:
        building.chmod(0o755)
        write(building)
        _sync_tree(building)
        if sys.platform == "win32" and path.exists():
            path.rmdir()
        building.rename(path)  # replaces an empty folder, fails on a full one
    except BaseException as error:
        shutil.rmtree(building, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    _sync_folder(path.parent)
    return True


def _clear_leftovers(parent: Path, prefix: str) -> None:
    """Remove what killed writes of the same folder left beside it, a day ago or more."""
    for item in parent.iterdir():
        if not item.name.startswith(prefix) or item.is_symlink() or not item.is_dir():
            continue
        if time.time() - item.stat().st_mtime > _LEFTOVER_AGE:
            shutil.rmtree(item, ignore_errors=True)


def _write_changes(
    path: Path, write: Callable[[Path], None], remove: Callable[[Path], list[Path]]
) -> None:
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


def finish_interrupted(path: Path) -> bool:
    """Finish a write that was cut off after its commit; tell whether there was one.

    To be called by who holds the lock.
    """
    steps = _journal(path)
    if steps is None:
        return False
    pending = path / STATE / PENDING
    folders = set()
    for name in steps["move"]:
        source, target = pending / name, path / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            folders.add(target.parent)
    for name in steps["remove"]:
        (path / name).unlink(missing_ok=True)
    for folder in folders:
        _sync_folder(folder)
    (path / STATE / JOURNAL).unlink()
    shutil.rmtree(pending, ignore_errors=True)
    return True


def _journal(path: Path) -> dict[str, list[str]] | None:
    """Return the steps of a committed write, None where there is none.

    A project may come from a stranger: steps that lead out of the folder are refused.
    """
    try:
        steps = json.loads((path / STATE / JOURNAL).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    is_journal = isinstance(steps, dict) and set(steps) == {"move", "remove"}
    if not is_journal or not all(_is_inside(path, steps[key]) for key in steps):
        raise _damaged(path)
    return steps


def _damaged(path: Path) -> UsageError:
    return UsageError(f"{path.name}: {DAMAGED_JOURNAL}. {MEND_JOURNAL}")


def _is_inside(path: Path, names: object) -> bool:
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        return False
    root = path.resolve()
    for name in names:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or pure.parts[0] == STATE or "\\" in name:
            return False
        if not (path / name).parent.resolve().is_relative_to(root):
            return False
    return True


def recover(path: Path) -> None:
    """Finish an interrupted write if there is one and nobody else is at it."""
    if _journal(path) is None:
        return
    with contextlib.suppress(OSError, ProjectLockedError), lock(path):
        finish_interrupted(path)


def current_files(path: Path) -> dict[str, Path]:
    """Return the files of a project and of its `tables/` by relative name.

    A write that was committed but not finished counts as done: its files are found where they wait.
    """
    found = {p.name: p for p in path.iterdir()}
    inner = path / TABLES_FOLDER
    if inner.is_dir():
        found |= {f"{TABLES_FOLDER}/{p.name}": p for p in inner.iterdir()}
    steps = _journal(path)
    if steps is not None:
        waiting = path / STATE / PENDING
        found |= {n: waiting / n for n in steps["move"] if (waiting / n).exists()}
        for name in steps["remove"]:
            found.pop(name, None)
    return found


def stamp(path: Path) -> list[tuple[str, str, int, int, int]]:
    """Return what changes whenever a file of the project is replaced or moved into place."""
    stamps = []
    for name, file in current_files(path).items():
        with contextlib.suppress(OSError):
            state = file.stat()
            if S_ISREG(state.st_mode):
                stamps.append((name, str(file), state.st_ino, state.st_mtime_ns, state.st_size))
    return sorted(stamps)


def write_atomic(path: Path, data: bytes) -> None:
    """Write one file so that readers see the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    building = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        building.chmod(0o644)
        building.replace(path)
    except BaseException:
        building.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the project for writing; another holder is named in the error.

    The lock goes with the process, so that a crash never leaves a project locked.
    """
    state = path / STATE
    state.mkdir(parents=True, exist_ok=True)
    with (state / LOCK).open("a+", encoding="utf-8", errors="replace") as stream:
        if not _try_lock(stream):
            stream.seek(0)
            holder = stream.read(200).strip() or "another process"
            raise ProjectLockedError(
                f"The project {path.name} is being written by {holder}. "
                "Wait for it to end, or stop it."
            )
        stream.seek(0)
        stream.truncate()
        when = time.strftime("%Y-%m-%d %H:%M")
        stream.write(f"process {os.getpid()} on {socket.gethostname()} since {when}")
        stream.flush()
        yield


def _try_lock(stream: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            stream.seek(2**30)  # a byte beyond the text, so that others can read who holds it
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _sync_tree(path: Path) -> None:
    for item in path.rglob("*"):
        if item.is_file():
            with item.open("rb") as stream:
                os.fsync(stream.fileno())
    _sync_folder(path)


def _sync_folder(path: Path) -> None:
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
