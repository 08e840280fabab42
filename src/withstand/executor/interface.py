"""What every way of running jobs offers, and the way that needs no others: in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from withstand.errors import UsageError

Job = Callable[[Any, Any], Any]
"""Called with the shared value and one item; a function of a module, so that it can travel."""
WAITING = 4
"""Batches per worker that wait for their turn."""
SHORT, LARGEST_BATCH = 0.1, 64
"""Batches grow while they take less than so many seconds, up to so many items."""
MOST_BREAKS = 3
"""Times that workers may be lost at the same item before the map gives up."""
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
"""Workers share the cores already: threads inside them would only queue."""


class Executor(Protocol):
    """What every way of running jobs offers; a cluster fills the same three methods.

    A job may keep what it works out beside the shared value (an attribute that does not travel): a
    worker loads the value once and hands the same object to all jobs. An executor of several
    workers says how many in `n_workers`; items of a map that are not more than those go to the
    workers one each, where it can, to the same ones each time.
    """

    def put(self, value: Any) -> Any:
        """Share a value with all workers once; return what `map` takes for it."""

    def map(self, job: Job, shared: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Run `job(value, item)` for every item and yield the results in the order of items."""

    def close(self) -> None:
        """Free what was shared and stop the workers."""


class Inline:
    """Jobs one after the other, in this process."""

    n_workers = 1

    def put(self, value: Any) -> Any:
        """Return the value itself."""
        return value

    def map(self, job: Job, shared: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Run the jobs lazily."""
        return (job(shared, item) for item in items)

    def close(self) -> None:
        """Free nothing."""


def fair(size: int, left: int, workers: int) -> int:
    """Return a size of batch that leaves work for every worker until near the end."""
    return max(1, min(size, left // (2 * workers)))


def given_up(breaks: int, item: int, total: int) -> UsageError:
    """Return what is said of an item that stopped its workers again and again."""
    return UsageError(
        f"Worker processes were stopped {breaks} times at item {item + 1} of {total}, as a rule "
        "for want of memory. Use fewer jobs."
    )
