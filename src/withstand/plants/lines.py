"""A production line: how much it makes, what holds it back, and what would help most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.plants.decompositions import Line, decomposition, exact_line, is_small
from withstand.plants.simulated_lines import simulate_line
from withstand.plants.two_machines import checked

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray
METHODS = ("auto", "exact", "decomposition", "simulation")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProductionLine:
    """Machines with buffers between them, and their long run.

    Parameters
    ----------
    repair, failure : ndarray of float64, shape (k,), per cycle
    buffers : ndarray of int64, shape (k - 1,)
    cycle_seconds : float
    performance, quality : float, 0 to 1
        Share of the nominal speed, and of good parts.
    machines : tuple of str
    run : Line
    """

    repair: Array
    failure: Array
    buffers: Array
    cycle_seconds: float
    performance: float
    quality: float
    machines: tuple[str, ...]
    run: Line

    @property
    def throughput(self) -> float:
        """Parts per cycle, good and bad, at nominal speed."""
        return self.run.throughput

    @property
    def per_hour(self) -> float:
        """Good parts per hour: throughput x performance x quality.

        The throughput contains the failures already, so availability does not enter again.
        """
        return self.throughput * self.performance * self.quality * 3600.0 / self.cycle_seconds

    @property
    def availability(self) -> Array:
        """Share of time each machine would be up alone, shape (k,)."""
        return self.repair / (self.repair + self.failure)

    @property
    def bottleneck(self) -> str:
        """The machine that waits least."""
        return self.machines[self.run.bottleneck]

    def hours_per_part(self) -> float:
        """Hours of the line for one good part: the coefficient of its machine hours."""
        return 1.0 / self.per_hour

    def to_frame(self) -> pl.DataFrame:
        """Return one row a machine: availability alone, starved, blocked (shares of time)."""
        levels = [*self.run.levels.tolist(), None]
        return pl.DataFrame(
            {
                "machine": list(self.machines),
                "availability": self.availability,
                "starved": self.run.starved,
                "blocked": self.run.blocked,
                "buffer_after": [*self.buffers.tolist(), None],
                "mean_level_after": levels,
            },
            schema={
                "machine": pl.String,
                "availability": pl.Float64,
                "starved": pl.Float64,
                "blocked": pl.Float64,
                "buffer_after": pl.Int64,
                "mean_level_after": pl.Float64,
            },
        )

    def what_helps(self) -> pl.DataFrame:
        """Return what one more buffer place, or a tenth faster repair, would add to throughput.

        Found by working the line out again with each change (not by simulation, whose noise would
        drown the differences).
        """
        rows = []
        base = _solve(self.repair, self.failure, self.buffers, "auto").throughput
        for i in range(len(self.buffers)):
            more = self.buffers.copy()
            more[i] += 1
            gain = _solve(self.repair, self.failure, more, "auto").throughput - base
            place = f"{self.machines[i]} > {self.machines[i + 1]}"
            rows.append({"change": "one more place", "where": place, "gain": gain})
        for i, machine in enumerate(self.machines):
            faster = self.repair.copy()
            faster[i] = min(1.0, 1.1 * faster[i])
            gain = _solve(faster, self.failure, self.buffers, "auto").throughput - base
            rows.append({"change": "repair a tenth faster", "where": machine, "gain": gain})
        return pl.DataFrame(rows).sort(["gain", "where"], descending=[True, False])

    def with_buffers(self, buffers: Sequence[int]) -> ProductionLine:
        """Return the line with other buffers."""
        _, _, places = checked(self.repair, self.failure, buffers)
        run = _solve(self.repair, self.failure, places, "auto")
        return replace(self, buffers=places, run=run)

    def summary(self) -> str:
        """Return one sentence."""
        sure = f" (± {self.run.half_width:.5f})" if self.run.half_width else ""
        return (
            f"The line makes {self.throughput:.4f} parts per cycle{sure}, "
            f"{self.per_hour:,.1f} good ones per hour; {self.bottleneck} holds it back. "
            f"Found by {self.run.method}."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<ProductionLine: {self.summary()}>"


def line(
    r: Sequence[float],
    p: Sequence[float],
    buffers: Sequence[int],
    *,
    cycle_seconds: float = 60.0,
    performance: float = 1.0,
    quality: float = 1.0,
    machines: Sequence[str] | None = None,
    method: str = "auto",
    seed: int = 0,
) -> ProductionLine:
    """Work out a production line of machines that fail.

    Parameters
    ----------
    r, p : sequence of float, shape (k,), per cycle
        Chances of repair (cycle / MTTR) and of failure (cycle / MTBF, counted in working time).
    buffers : sequence of int, shape (k - 1,)
        Places between machines, those on the machines counted in.
    cycle_seconds : float
    performance, quality : float, 0 to 1
    machines : sequence of str, optional
        Names.
    method : {"auto", "exact", "decomposition", "simulation"}
        "auto": the exact chain where it is small, else the decomposition.
    seed : int
        Of the simulation.

    Returns
    -------
    ProductionLine

    Raises
    ------
    UsageError
        If a number or a word cannot be.

    Examples
    --------
    >>> found = line([.1, .1], [.01, .02], [10], machines=["hob", "grinder"])
    >>> round(found.throughput, 4), found.bottleneck
    (0.7961, 'grinder')
    """
    repair, failure, places = checked(r, p, buffers)
    if method not in METHODS:
        raise UsageError(f"method must be one of {', '.join(METHODS)}, not '{method[:40]}'.")
    if not (0 < cycle_seconds < np.inf and 0 < performance <= 1 and 0 < quality <= 1):
        raise UsageError("cycle_seconds must be above 0; performance and quality above 0, up to 1.")
    names = tuple(machines or (f"machine {i + 1}" for i in range(len(repair))))
    if len(names) != len(repair):
        raise UsageError(f"There are {len(repair)} machines but {len(names)} names.")
    return ProductionLine(
        repair=repair,
        failure=failure,
        buffers=places,
        cycle_seconds=float(cycle_seconds),
        performance=float(performance),
        quality=float(quality),
        machines=names,
        run=_solve(repair, failure, places, method, seed),
    )


def oee(availability: float, performance: float, quality: float) -> float:
    """Return the overall equipment effectiveness.

    Examples
    --------
    >>> round(oee(0.9, 0.95, 0.99), 5)
    0.84645
    """
    for name, share in (
        ("availability", availability),
        ("performance", performance),
        ("quality", quality),
    ):
        if not 0 <= share <= 1:
            raise UsageError(f"{name} must lie between 0 and 1, not {share}.")
    return availability * performance * quality


def _solve(repair: Array, failure: Array, places: Array, method: str, seed: int = 0) -> Line:
    if method == "auto":
        method = (
            "exact" if is_small(len(repair), places) and (failure > 0).all() else "decomposition"
        )
    if method == "exact":
        return exact_line(repair, failure, places)
    if method == "simulation":
        return simulate_line(repair, failure, places, seed=seed)
    return decomposition(repair, failure, places)
