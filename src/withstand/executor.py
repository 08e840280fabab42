"""Run many independent jobs: in this process, or in processes on memory-mapped arrays.

Three methods make an executor: `put` shares a value once, `map` runs a function over items, in
order, `close` frees what was shared. A job must depend on nothing but the shared value and its
item, so that the numbers are the same whatever the number of workers.
"""

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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from withstand.errors import UsageError

Job = Callable[[Any, Any], Any]
"""Called with the shared value and one item; a function of a module, so that it can travel."""
IDLE_SECONDS = 300
"""Workers stay this long after their last job, so that the next call finds them warm."""
WAITING = 4
"""Batches per worker that wait for their turn."""
SHORT, LARGEST_BATCH = 0.1, 64
"""Batches grow while they take less than so many seconds, up to so many items."""
MOST_BREAKS = 3
"""Times that workers may be lost at the same item before the map gives up."""
_PREFIX = "withstand-shared-"
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
"""Workers share the cores already: threads inside them would only queue."""


class Executor(Protocol):
    """What every way of running jobs offers; a distributed engine fills the same three methods."""

    def put(self, value: Any) -> Any:
        """Share a value with all workers once; return what `map` takes for it."""

    def map(self, job: Job, shared: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Run `job(value, item)` for every item and yield the results in the order of items."""

    def close(self) -> None:
        """Free what was shared and stop the workers."""


class Inline:
    """Jobs one after the other, in this process."""

    def put(self, value: Any) -> Any:
        """Return the value itself."""
        return value

    def map(self, job: Job, shared: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Run the jobs lazily."""
        return (job(shared, item) for item in items)

    def close(self) -> None:
        """Free nothing."""


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
        self._jobs = jobs
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
                max_workers=self._jobs, timeout=IDLE_SECONDS, env=_ONE_THREAD
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
        done = breaks = 0
        while done < len(waiting):
            try:
                for result in self._run(job, shared, waiting[done:]):
                    done += 1
                    breaks = 0
                    yield result
            except BrokenProcessPool as error:
                breaks += 1
                if breaks == MOST_BREAKS:
                    raise UsageError(
                        f"Worker processes were stopped {breaks} times at item {done + 1} of "
                        f"{len(waiting)}, as a rule for want of memory. Use fewer jobs."
                    ) from error

    def _run(self, job: Job, shared: Any, items: list[Any]) -> Iterator[Any]:
        """Send batches to the workers, a few ahead, and yield the results in order."""
        workers = self._workers()
        sent: deque[tuple[Future[Any], int]] = deque()
        at, size = 0, 1
        try:
            while at < len(items) or sent:
                while at < len(items) and len(sent) < WAITING * self._jobs:
                    batch = items[at : at + _fair(size, len(items) - at, self._jobs)]
                    sent.append((workers.submit(_run_shared, job, shared, batch), len(batch)))
                    at += len(batch)
                future, count = sent.popleft()
                results, seconds = future.result()
                if seconds < SHORT and count == size:
                    size = min(2 * size, LARGEST_BATCH)
                yield from results
        finally:  # whoever stops listening, or a fault: what has not begun is not begun
            for future, _ in sent:
                future.cancel()

    def close(self) -> None:
        """Remove the shared files; the workers wait for the next call, then end by themselves."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _fair(size: int, left: int, jobs: int) -> int:
    """Return a size of batch that leaves work for every worker until near the end."""
    return max(1, min(size, left // (2 * jobs)))


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


def executor(jobs: int | None = None, preload: Sequence[str] = ()) -> Executor:
    """Return an executor for a number of workers.

    Parameters
    ----------
    jobs : int, optional
        1 or None: this process. More: so many processes. -1: one a core.
    preload : sequence of str
        Modules that worker processes import at once, while this process goes on.

    Raises
    ------
    UsageError
        If the number is 0 or below -1.

    Examples
    --------
    >>> run = executor()
    >>> list(run.map(lambda shared, item: shared + item, run.put(10), [1, 2]))
    [11, 12]
    """
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int)):
        raise UsageError(f"jobs must be a whole number, not {jobs!r}.")
    if jobs is None or jobs == 1:
        return Inline()
    if jobs == -1:
        jobs = os.cpu_count() or 1
        return Inline() if jobs == 1 else Processes(jobs, preload)
    if jobs < 1:
        raise UsageError(f"jobs must be at least 1 (or -1 for one a core), not {jobs}.")
    return Processes(jobs, preload)
