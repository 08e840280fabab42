"""What stands on a cluster: one worker, which loads a shared value once and keeps it."""

from __future__ import annotations

import importlib
import os
import signal
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from withstand.executor.interface import ONE_THREAD, Job

MOST_KEPT = 2
"""Shared values that a worker keeps; the one used longest ago goes first."""


class Worker:
    """One process of a cluster that runs jobs, a batch at a time."""

    def __init__(self, preload: Sequence[str] = ()) -> None:
        for name, value in ONE_THREAD.items():
            os.environ.setdefault(name, value)
        with suppress(ValueError):  # Ctrl-C is the driver's business
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        for module in preload:
            importlib.import_module(module)
        self._values: OrderedDict[str, Any] = OrderedDict()

    def hello(self) -> tuple[str, int]:
        """Return the version of withstand that stands here, and the number of the process."""
        return version("withstand"), os.getpid()

    def run(
        self, job: Job, held: list[Any], batch: list[Any]
    ) -> tuple[list[Any], Exception | None, float]:
        """Run one batch; return results, what the job after them raised, and seconds."""
        shared = self._value(held[0])
        start, results = time.perf_counter(), []
        for item in batch:
            try:
                results.append(job(shared, item))
            except Exception as error:
                return results, error, time.perf_counter() - start
        return results, None, time.perf_counter() - start

    def _value(self, held: Any) -> Any:
        """Return the value behind a reference: its arrays stay in the store, shared, read-only."""
        import ray

        key = held.hex()
        if key not in self._values:
            while len(self._values) >= MOST_KEPT:
                self._values.popitem(last=False)
            self._values[key] = ray.get(held)
        self._values.move_to_end(key)
        return self._values[key]
