"""Jobs on a Ray cluster: values once in its object store, workers that stay warm.

A worker that is lost is replaced, and what it had begun is run again. The connection, and a cluster
that was started for it on this machine, last as long as this process.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from withstand.errors import MissingExtraError, UsageError
from withstand.executor.interface import (
    LARGEST_BATCH,
    MOST_BREAKS,
    SHORT,
    WAITING,
    Job,
    fair,
    given_up,
)
from withstand.executor.ray_worker import Worker

LONGEST_WAIT = 600.0
"""Seconds after which it gives up if no worker has started."""
QUEUED = 2
"""Batches that a worker has at once: one that runs, one that waits."""
PATIENCE = 20.0
"""Seconds that the first map waits for all workers; afterwards it begins with those there are."""
_LONGEST = 300
"""Characters of an error of Ray that are shown."""


class Ray:
    """Jobs on a Ray cluster.

    Parameters
    ----------
    address : str, optional
        "HOST:PORT" or "ray://HOST:PORT"; "auto": the cluster that runs on this machine. Default:
        the one that RAY_ADDRESS names, else one of this machine alone, started here.
    n_workers : int, optional
        Default: one for each processor of the cluster that is free.
    preload : sequence of str
        Modules that workers import at once.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    UsageError
        If no cluster answers at the address.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        n_workers: int | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        self._ray = connect(address)
        free = int(self._ray.available_resources().get("CPU", 0))
        self.n_workers = max(1, free if n_workers is None else n_workers)
        self._preload = tuple(preload)
        self._slots: list[_Slot] = []
        self._stillborn = 0
        self._held: list[Any] = []

    def put(self, value: Any) -> Any:
        """Store the value on the cluster; workers on a machine share one copy of its arrays."""
        exceptions = self._ray.exceptions
        try:
            held = self._ray.put(value)
        except (exceptions.ObjectStoreFullError, exceptions.OutOfDiskError) as error:
            raise UsageError(
                f"The network cannot be shared with the workers: {_short(error)} Start the cluster "
                "with a larger --object-store-memory, or use fewer jobs."
            ) from error
        self._held.append(held)
        return held

    def map(self, job: Job, shared: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Run the jobs; results come in order, as they are ready.

        Raises
        ------
        UsageError
            If workers are lost again and again at the same item, cannot start, or the cluster is
            gone.
        """
        if not self._slots:
            self._slots = [_Slot() for _ in range(self.n_workers)]
        exceptions = self._ray.exceptions
        try:
            yield from _Round(self, job, shared, list(items)).results()
        except (exceptions.RaySystemError, exceptions.LocalRayletDiedError) as error:
            raise UsageError(
                f"The cluster does not answer any more: {_short(error)} Results that were written "
                "to a folder are whole: run the same again to go on."
            ) from error

    def close(self) -> None:
        """Stop the workers and free what was shared; the connection stays for the next call."""
        for slot in self._slots:
            self.stop(slot)
        self._slots, self._held = [], []

    # workers

    def start(self, slot: _Slot) -> None:
        """Ask the cluster for a worker; `slot.hello` is ready when it stands."""
        make = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Worker)
        slot.worker = make.remote(self._preload)
        slot.hello = slot.worker.hello.remote()
        slot.is_ready = False

    def stop(self, slot: _Slot) -> None:
        """Stop a worker, if it is there."""
        if slot.worker is not None and self._ray.is_initialized():
            with suppress(self._ray.exceptions.RayError, ConnectionError, ValueError):
                self._ray.kill(slot.worker, no_restart=True)
        slot.worker = slot.hello = None
        slot.is_ready = False

    def greet(self, slot: _Slot) -> None:
        """Take a worker into service, or replace one that could not start.

        Raises
        ------
        UsageError
            If several in turn could not, or another withstand stands there.
        """
        exceptions = self._ray.exceptions
        try:
            found, _ = self._ray.get(slot.hello)
        except exceptions.RayError as error:
            self._stillborn += 1
            if self._stillborn >= MOST_BREAKS:
                raise UsageError(
                    f"Workers cannot start on the cluster: {_short(error)} Every machine of it "
                    "needs the same Python, Ray and withstand as this one, and memory to start."
                ) from error
            self.stop(slot)
            self.start(slot)
            return
        if found != version("withstand"):
            raise UsageError(
                f"The cluster has withstand {found}, this machine {version('withstand')}; "
                "install the same on both."
            )
        self._stillborn = 0
        slot.hello, slot.is_ready = None, True


@dataclass(eq=False)
class _Slot:
    """A place for one worker."""

    worker: Any = None
    hello: Any = None
    is_ready: bool = False


@dataclass(eq=False)
class _Batch:
    """Items that are sent together."""

    start: int
    stop: int
    breaks: int = 0
    is_alone: bool = False


@dataclass(eq=False)
class _Round:
    """One map: what is to be sent, what is under way, what has come back."""

    cluster: Ray
    job: Job
    shared: Any
    items: list[Any]
    sent: dict[Any, tuple[_Slot, _Batch]] = field(default_factory=dict)
    again: deque[_Batch] = field(default_factory=deque)
    back: dict[int, tuple[list[Any], Exception | None]] = field(default_factory=dict)
    at: int = 0
    done: int = 0
    size: int = 1

    def results(self) -> Iterator[Any]:
        """Yield results in the order of items; what a job raised is raised in its place."""
        ray = self.cluster._ray
        self._gather_workers()
        try:
            while self.done < len(self.items):
                self._send()
                greetings = [s.hello for s in self.cluster._slots if s.hello is not None]
                ready, _ = ray.wait([*self.sent, *greetings], num_returns=1)
                for reference in ready:
                    self._receive(reference)
                while self.done in self.back:
                    found, error = self.back.pop(self.done)
                    self.done += len(found)
                    yield from found
                    if error is not None:
                        raise error
        finally:  # whoever stops listening, or a fault: what has not begun is not begun
            for reference in self.sent:
                with suppress(ray.exceptions.RayError, TypeError, ValueError, ConnectionError):
                    ray.cancel(reference)

    def _gather_workers(self) -> None:
        """Start workers where there are none, and wait a while for all of them."""
        for slot in self.cluster._slots:
            if slot.worker is None:
                self.cluster.start(slot)
        greetings = [s.hello for s in self.cluster._slots if s.hello is not None]
        if not greetings or not self.items:
            return
        first, _ = self.cluster._ray.wait(greetings, num_returns=1, timeout=LONGEST_WAIT)
        if not first:
            raise UsageError(
                f"No worker started on the cluster in {LONGEST_WAIT:.0f} seconds: its processors "
                "are taken. Stop other work on it, or add machines."
            )
        ready, _ = self.cluster._ray.wait(greetings, num_returns=len(greetings), timeout=PATIENCE)
        for reference in ready:
            self._receive(reference)

    def _send(self) -> None:
        """Give every worker a batch, then every worker a second one that waits."""
        n, total = self.cluster.n_workers, len(self.items)
        for queued in range(1, QUEUED + 1):
            for slot in self.cluster._slots:
                if not slot.is_ready or self._load(slot) >= queued or self._is_alone(slot):
                    continue
                if self.again:
                    if queued > 1:
                        continue
                    batch = self.again.popleft()
                elif self.at < total and self.at - self.done < LARGEST_BATCH * WAITING * n:
                    count = fair(self.size, total - self.at, n)
                    batch = _Batch(self.at, self.at + count)
                    self.at += count
                else:
                    return
                own = self.items[batch.start : batch.stop]
                reference = slot.worker.run.remote(self.job, [self.shared], own)
                self.sent[reference] = slot, batch

    def _load(self, slot: _Slot) -> int:
        return sum(where is slot for where, _ in self.sent.values())

    def _is_alone(self, slot: _Slot) -> bool:
        return any(where is slot and batch.is_alone for where, batch in self.sent.values())

    def _receive(self, reference: Any) -> None:
        """Take what is ready: a batch's results, a worker's greeting, or the news of its end."""
        for slot in self.cluster._slots:
            if slot.hello is not None and slot.hello == reference:
                self.cluster.greet(slot)
                return
        if reference not in self.sent:  # taken with the others of a worker that was lost
            return
        slot, _ = self.sent[reference]
        if not self._take(reference):
            self._replace(slot)

    def _take(self, reference: Any) -> bool:
        """Keep the results of a batch; tell whether its worker lived to return them."""
        ray = self.cluster._ray
        try:
            found, error, seconds = ray.get(reference)
        except ray.exceptions.RayTaskError as error:  # what came back could not travel
            raise UsageError(f"A job failed on the cluster: {_short(error.cause)}") from error
        except (
            ray.exceptions.RayActorError,
            ray.exceptions.WorkerCrashedError,
            ray.exceptions.OutOfMemoryError,
            ray.exceptions.NodeDiedError,
        ):
            return False
        _, batch = self.sent.pop(reference)
        self.back[batch.start] = found, error
        if seconds < SHORT and batch.stop - batch.start == self.size:
            self.size = min(2 * self.size, LARGEST_BATCH)
        return True

    def _replace(self, slot: _Slot) -> None:
        """Put a new worker in the place of a lost one, and run again what it had.

        It ran its batches in the order sent, so the first without an answer is as a rule the one
        that it was lost at. Their items are sent alone from then on, so that the next loss tells.
        """
        own = [r for r, (where, _) in self.sent.items() if where is slot]
        lost = [self.sent.pop(r)[1] for r in own if not self._take(r)]
        self.cluster.stop(slot)
        self.cluster.start(slot)
        self.size = 1
        for number, batch in enumerate(lost):
            batch.breaks += number == 0
            if batch.is_alone and batch.breaks == MOST_BREAKS:
                raise given_up(batch.breaks, batch.start, len(self.items))
        split = [_Batch(k, k + 1, b.breaks, True) for b in lost for k in range(b.start, b.stop)]
        self.again.extendleft(reversed(split))


def connect(address: str | None) -> Any:
    """Return the module ray, connected.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    UsageError
        If no cluster answers, or this process is connected to another one.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves this machine
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "Workers on a cluster need the extra [cluster]: pip install 'withstand[cluster]'."
        ) from error
    if ray.is_initialized():
        _check_same(ray, address)
        return ray
    address = address or os.environ.get("RAY_ADDRESS") or None
    try:
        if address is None:
            ray.init(
                address="local",
                include_dashboard=False,
                logging_level=logging.ERROR,
                log_to_driver=False,
            )
        else:
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except Exception as error:  # Ray raises bare ones where a cluster does not start in time
        ray.shutdown()
        where = "on this machine" if address in (None, "auto") else f"at {address}"
        raise UsageError(
            f"No Ray cluster answers {where}: {_short(error)} Start one with 'ray start --head' "
            "and give its address, or use jobs='ray' for one on this machine alone."
        ) from error
    return ray


def _check_same(ray: Any, address: str | None) -> None:
    """Refuse another cluster than the one that this process is connected to."""
    if address is None or address == "auto" or "://" in address:
        return
    here = ray.get_runtime_context().gcs_address
    if address != here:
        raise UsageError(
            f"This process is connected to the cluster at {here}, not {address}: call "
            "ray.shutdown() first."
        )


def _short(error: BaseException) -> str:
    """Return the first sentence that an error of Ray has to say, with a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = (lines[0] if lines else type(error).__name__)[:_LONGEST]
    return text if text.endswith(".") else f"{text}."
