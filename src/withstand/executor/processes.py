"""Jobs in worker processes on this machine, on memory-mapped arrays."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import tempfile
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from withstand.errors import UsageError
from withstand.executor.interface import (
    LARGEST_BATCH,
    MOST_BREAKS,
    ONE_THREAD,
    SHORT,
    WAITING,
    Job,
    fair,
    given_up,
)

IDLE_SECONDS = 300
"""Workers stay this long after their last job, so that the next call finds them warm."""
_PREFIX = "withstand-shared-"


class Processes:
    """Jobs in worker processes (joblib's); shared arrays are memory-mapped, not copied.

    The workers are kept for a while after `close`, and taken again by the next one of as many jobs.
    A worker that is lost (killed, out of memory) is replaced and its items run again.

    Parameters
    ----------
    jobs : int
        Number of worker processes.
    preload : sequence of str
        Modules that workers import while this process is still busy elsewhere.
    """

    def __init__(self, jobs: int, preload: Sequence[str] = ()) -> None:
        self.n_workers = self._jobs = jobs
        self._folder = _shared_folder()
        self._count = 0
        with _without_interrupts():  # Ctrl-C is this process's business, not the workers'
            for _ in range(jobs):
                self._workers().submit(_import, tuple(preload))

    def _workers(self) -> Any:
        from joblib.externals.loky import get_reusable_executor

        with warnings.catch_warnings():  # another number of workers: it waits, and says so
            warnings.filterwarnings("ignore", "Trying to resize", UserWarning)
            return get_reusable_executor(
                max_workers=self._jobs, timeout=IDLE_SECONDS, env=ONE_THREAD
            )

    def put(self, value: Any) -> Any:
        """Write the value to a file that the workers map into memory."""
        import joblib

        path = self._folder / f"shared-{self._count}"
        self._count += 1
        try:
            joblib.dump(value, path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UsageError(
                f"The network cannot be shared with the workers: {reason}. Free space in "
                f"{self._folder.parent}, name another folder in TMPDIR, or use one job."
            ) from error
        return str(path)

    def map(self, job: Job, shared: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Run the jobs; results come in order, as they are ready.

        Raises
        ------
        UsageError
            If workers are lost again and again at the same item.
        """
        waiting = list(items)
        done = breaks = alone = 0
        while done < len(waiting):
            try:
                for result in self._run(job, shared, waiting[done:], alone):
                    done += 1
                    breaks = 0
                    yield result
            except _WorkersLostError as error:
                alone = error.n_sent  # one of these did it: played one by one, it is found
                breaks += 1
                if breaks == MOST_BREAKS:
                    raise given_up(breaks, done, len(waiting)) from error

    def _run(self, job: Job, shared: Any, items: list[Any], alone: int) -> Iterator[Any]:
        """Send batches to the workers, a few ahead, and yield the results in order.

        The first `alone` items are sent one by one, each when the one before is done.
        """
        workers = self._workers()
        sent: deque[tuple[Future[Any], int]] = deque()
        at = count = 0
        size = 1
        try:
            while at < len(items) or sent:
                while at < len(items) and len(sent) < (1 if at < alone else WAITING * self._jobs):
                    most = 1 if at < alone else fair(size, len(items) - at, self._jobs)
                    batch = items[at : at + most]
                    sent.append((workers.submit(_run_shared, job, shared, batch), len(batch)))
                    at += len(batch)
                future, count = sent.popleft()
                results, seconds = future.result()
                if seconds < SHORT and count == size:
                    size = min(2 * size, LARGEST_BATCH)
                count = 0
                yield from results
        except BrokenProcessPool as error:
            raise _WorkersLostError(count + sum(n for _, n in sent)) from error
        finally:  # whoever stops listening, or a fault: what has not begun is not begun
            for future, _ in sent:
                future.cancel()

    def close(self) -> None:
        """Remove the shared files; the workers wait for the next call, then end by themselves."""
        shutil.rmtree(self._folder, ignore_errors=True)


class _WorkersLostError(Exception):
    """Workers ended while so many items were on their way."""

    def __init__(self, n_sent: int) -> None:
        super().__init__(n_sent)
        self.n_sent = n_sent


def _shared_folder() -> Path:
    """Return a new folder for shared values; those of processes that were killed are removed."""
    place = Path(tempfile.gettempdir())
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(ValueError, OSError):
            if not _is_alive(int(folder.name.removeprefix(_PREFIX).split("-")[0])):
                shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def _is_alive(process: int) -> bool:
    """Tell whether a process of that number may be there; on Windows, always."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that ignore Ctrl-C; only the main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@lru_cache(maxsize=2)
def _load(path: str) -> Any:
    import joblib

    return joblib.load(path, mmap_mode="r")


def _run_shared(job: Job, path: str, batch: list[Any]) -> tuple[list[Any], float]:
    """Run the jobs of one batch in a worker; return results and seconds."""
    shared = _load(path)
    start = time.perf_counter()
    return [job(shared, item) for item in batch], time.perf_counter() - start


def _import(modules: tuple[str, ...]) -> None:
    for name in modules:
        importlib.import_module(name)
