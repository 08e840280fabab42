"""Run many independent jobs: in this process, or in processes on memory-mapped arrays.

Three methods make an executor: `put` shares a value once, `map` runs a function over items, in
order, `close` frees what was shared. A job must depend on nothing but the shared value and its
item, so that the numbers are the same whatever the number of workers.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from withstand.errors import UsageError

Job = Callable[[Any, Any], Any]
"""Called with the shared value and one item; a function of a module, so that it can travel."""


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
    """Jobs in worker processes (joblib); shared arrays are memory-mapped, not copied.

    Parameters
    ----------
    jobs : int
        Number of worker processes.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._folder = Path(tempfile.mkdtemp(prefix="withstand-"))
        self._count = 0

    def put(self, value: Any) -> Any:
        """Write the value to a file that the workers map into memory."""
        import joblib

        path = self._folder / f"shared-{self._count}"
        self._count += 1
        joblib.dump(value, path)
        return str(path)

    def map(self, job: Job, shared: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Run the jobs; results come in order, as they are ready."""
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs=self._jobs, return_as="generator", pre_dispatch="4*n_jobs")
        return parallel(delayed(_run_shared)(job, shared, item) for item in items)

    def close(self) -> None:
        """Remove the shared files."""
        shutil.rmtree(self._folder, ignore_errors=True)


@lru_cache(maxsize=4)
def _load(path: str) -> Any:
    import joblib

    return joblib.load(path, mmap_mode="r")


def _run_shared(job: Job, path: str, item: Any) -> Any:
    return job(_load(path), item)


def executor(jobs: int | None = None) -> Executor:
    """Return an executor for a number of workers.

    Parameters
    ----------
    jobs : int, optional
        1 or None: this process. More: so many processes. -1: one a core.

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
    if jobs is None or jobs == 1:
        return Inline()
    if jobs == -1:
        jobs = os.cpu_count() or 1
        return Inline() if jobs == 1 else Processes(jobs)
    if jobs < 1:
        raise UsageError(f"jobs must be at least 1 (or -1 for one a core), not {jobs}.")
    return Processes(jobs)
