"""Which executor an argument `jobs` stands for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from withstand.errors import UsageError
from withstand.executor.interface import Executor, Inline
from withstand.executor.processes import Processes

RAY, CLIENT, PROCESSES = "ray", "ray://", "processes"
Threads = TypeVar("Threads", int, int | None)


def executor(jobs: int | str | None = None, preload: Sequence[str] = ()) -> Executor:
    """Return an executor for a number of workers, or for a cluster.

    Parameters
    ----------
    jobs : int or str, optional
        1 or None: this process. More, or "processes:4": so many processes. -1, or "processes": one
        a core. "ray": the Ray cluster that RAY_ADDRESS names, else one on this machine alone.
        "ray:auto": the cluster that runs on this machine. "ray:HOST:PORT" or "ray://HOST:PORT": the
        one at this address (the second one through Ray's client).
    preload : sequence of str
        Modules that workers import at once, while this process goes on.

    Raises
    ------
    UsageError
        If the number is 0 or below -1, the text is none of these, or no cluster answers.
    MissingExtraError
        If Ray is wanted and not installed.

    Examples
    --------
    >>> run = executor()
    >>> list(run.map(lambda shared, item: shared + item, run.put(10), [1, 2]))
    [11, 12]
    """
    if isinstance(jobs, str):
        return _named(jobs, preload)
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


@contextmanager
def threads_or_workers(
    jobs: Threads | str, preload: Sequence[str] = (), runner: Executor | None = None
) -> Iterator[tuple[Threads, Executor | None]]:
    """Tell what jobs means where a number is one of threads: threads, and workers elsewhere.

    A number stands for threads of this process and no workers; a text (as in `executor`) for one
    thread and workers, which are closed at the end. A runner that is there already takes the place
    of both, and stays.
    """
    if runner is not None:
        yield 1, runner
        return
    if not isinstance(jobs, str):
        yield jobs, None
        return
    runner = executor(jobs, preload)
    try:
        yield 1, runner
    finally:
        runner.close()


def kind_of(jobs: str) -> tuple[str, str]:
    """Return "processes" and how many, or "ray" and the address; either may be empty.

    Raises
    ------
    UsageError
        If the text is neither.

    Examples
    --------
    >>> kind_of("processes:4"), kind_of("ray"), kind_of("ray://head:10001")
    (('processes', '4'), ('ray', ''), ('ray', 'ray://head:10001'))
    """
    kind, _, rest = jobs.partition(":")
    if jobs.startswith(CLIENT):
        kind, rest = RAY, jobs
    is_count = rest.isdecimal() and int(rest) > 0
    if jobs in (PROCESSES, RAY) or (kind == PROCESSES and is_count) or (kind == RAY and rest):
        return kind, rest
    raise UsageError(
        "jobs must be a whole number, processes, processes:4, ray, ray:auto, ray:HOST:PORT or "
        f"ray://HOST:PORT, not {jobs[:60]!r}."
    )


def _named(jobs: str, preload: Sequence[str]) -> Executor:
    kind, rest = kind_of(jobs)
    if kind == PROCESSES:
        return Processes(int(rest) if rest else os.cpu_count() or 1, preload)
    from withstand.executor.ray_cluster import Ray

    return Ray(rest or None, preload=preload)
