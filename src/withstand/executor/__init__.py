"""Run many independent jobs: in this process, in processes on memory-mapped arrays, on a cluster.

Three methods make an executor: `put` shares a value once, `map` runs a function over items, in
order, `close` frees what was shared. A job must depend on nothing but the shared value and its
item, so that the numbers are the same whatever the number of workers.
"""

from __future__ import annotations

from withstand.executor.choosing import executor, kind_of, threads_or_workers
from withstand.executor.interface import Executor, Inline, Job
from withstand.executor.processes import Processes

__all__ = [
    "Executor",
    "Inline",
    "Job",
    "Processes",
    "executor",
    "kind_of",
    "threads_or_workers",
]
