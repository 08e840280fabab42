"""A production line: how much it makes, what holds it back, and what would help most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import SolverError, UsageError
from withstand.plants.decompositions import (
    FEWEST_PLACES,
    Line,
    decomposition,
    exact_line,
    is_small,
)
from withstand.plants.number_checks import number
from withstand.plants.simulated_lines import simulate_line
from withstand.plants.simulated_parts import simulate_parts
from withstand.plants.two_machines import checked

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray
METHODS = ("auto", "exact", "decomposition", "simulation")
FASTER = 1.1


@dataclass(frozen=True, kw_only=True, eq=False)
class ProductionLine:
    """Machines with buffers between them, and their long run.

    Parameters
    ----------
    repair, failure : ndarray of float64, shape (k,), per cycle of the machine
    buffers : ndarray of int64, shape (k - 1,)
    cycles : ndarray of float64, shape (k,), seconds
        Of each machine, its loss of speed counted in where the machines lose unequally.
    cycle_seconds : float
        The shortest of them, in which the throughput is told.
    slowest_seconds : float
        The longest nominal cycle, which the overall effectiveness is measured against.
    performance, quality : float, 0 to 1
        Share of the nominal speed that all machines reach, and of good parts.
    machines : tuple of str
    run : Line
    """

    repair: Array
    failure: Array
    buffers: Array
    cycles: Array
    cycle_seconds: float
    slowest_seconds: float
    performance: float
    quality: float
    machines: tuple[str, ...]
    run: Line

    @property
    def throughput(self) -> float:
        """Parts per (shortest) cycle, good and bad, at nominal speed."""
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
    def effectiveness(self) -> float:
        """OEE of the line: good parts over what its slowest machine would make without a stop."""
        return self.per_hour * self.slowest_seconds / 3600.0

    @property
    def has_one_cycle(self) -> bool:
        """Whether all machines take the same time for a part."""
        return _is_one(self.cycles)

    @property
    def bottleneck(self) -> str:
        """The machine that waits least."""
        waits = self.shares().select(pl.col("starved") + pl.col("blocked")).to_series()
        return self.machines[int(waits.to_numpy().argmin())]

    def hours_per_part(self) -> float:
        """Hours of the line for one good part: the coefficient of its machine hours."""
        return 1.0 / self.per_hour

    def shares(self) -> pl.DataFrame:
        """Return how each machine spends its time: working, starved, blocked, down.

        Every machine makes what the line makes, and is down p / r as long as it works; the rest it
        waits, for parts or for room in the proportion in which the run found them (a machine may
        wait for both at once).

        Returns
        -------
        polars.DataFrame
            machine, working, starved, blocked, down (shares of time that sum to 1).
        """
        working = self.throughput * self.cycles / self.cycle_seconds
        down = working * self.failure / self.repair
        waits = np.maximum(1.0 - working - down, 0.0)
        both = self.run.starved + self.run.blocked
        starved = waits * np.divide(self.run.starved, both, np.zeros_like(both), where=both > 0)
        return pl.DataFrame(
            {
                "machine": list(self.machines),
                "working": working,
                "starved": starved,
                "blocked": waits - starved,
                "down": down,
            }
        )

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

        Found by working the line out again with each change, by the same method for all of them:
        exactly or by decomposition. Only where neither can be (machines of different cycles; long
        lines with buffers of a single place) all are simulated with the same random numbers, which
        leaves some noise in the gains.

        Returns
        -------
        polars.DataFrame
            change, where, gain (parts per cycle), gain_per_hour (good parts), largest first.
        """
        changes = []
        for i in range(len(self.buffers)):
            more = self.buffers.copy()
            more[i] += 1
            place = f"{self.machines[i]} > {self.machines[i + 1]}"
            changes.append(("one more place", place, self.repair, more))
        for i, machine in enumerate(self.machines):
            faster = self.repair.copy()
            faster[i] = min(1.0, FASTER * faster[i])
            changes.append(("repair a tenth faster", machine, faster, self.buffers))
        method = _best_method(self.cycles, [b for *_, b in changes])

        def rate(repair: Array, buffers: Array, method: str) -> float:
            return _solve(repair, self.failure, buffers, self.cycles, method).throughput

        try:
            base = rate(self.repair, self.buffers, method)
            rates = [rate(repair, buffers, method) for _, _, repair, buffers in changes]
        except SolverError:  # a decomposition that does not settle
            base = rate(self.repair, self.buffers, "simulation")
            rates = [rate(repair, buffers, "simulation") for _, _, repair, buffers in changes]
        rows = [
            {"change": change, "where": where, "gain": found - base}
            for (change, where, *_), found in zip(changes, rates, strict=True)
        ]
        frame = pl.DataFrame(rows).with_columns(
            gain_per_hour=pl.col("gain") * (self.per_hour / self.throughput)
        )
        return frame.sort(["gain", "where"], descending=[True, False])

    def with_buffers(self, buffers: Sequence[int]) -> ProductionLine:
        """Return the line with other buffers."""
        _, _, places = checked(self.repair, self.failure, buffers)
        run = _solve(self.repair, self.failure, places, self.cycles, "auto")
        return replace(self, buffers=places, run=run)

    def summary(self) -> str:
        """Return one sentence."""
        sure = f" (± {self.run.half_width:.5f})" if self.run.half_width else ""
        return (
            f"The line makes {self.throughput:.4f} parts per cycle{sure}, "
            f"{self.per_hour:,.1f} good ones per hour; {self.bottleneck} holds it back. "
            f"Found by {_HOW[self.run.method]}."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<ProductionLine: {self.summary()}>"


_HOW = {
    "exact": "the exact chain",
    "decomposition": "decomposition",
    "aggregation": "aggregation",
    "simulation": "simulation",
}


def line(
    r: Sequence[float],
    p: Sequence[float],
    buffers: Sequence[int],
    *,
    cycle_seconds: float | Sequence[float] = 60.0,
    performance: float | Sequence[float] = 1.0,
    quality: float | Sequence[float] = 1.0,
    machines: Sequence[str] | None = None,
    method: str = "auto",
    seed: int = 0,
    simulated_cycles: int = 1_000_000,
    runs: int = 1,
    jobs: int | None = None,
) -> ProductionLine:
    """Work out a production line of machines that fail.

    Parameters
    ----------
    r, p : sequence of float, shape (k,), per cycle
        Chances of repair (cycle / MTTR) and of failure (cycle / MTBF, counted in working time).
    buffers : sequence of int, shape (k - 1,)
        Places between machines, those on the machines counted in.
    cycle_seconds : float or sequence of float, shape (k,)
        Where machines differ, r and p are per cycle of the machine, and the line is simulated.
    performance : float or sequence of float, shape (k,), 0 to 1
        Share of the nominal speed; where machines differ, it lengthens their cycles.
    quality : float or sequence of float, shape (k,), 0 to 1
        Share of good parts; those of machines multiply, for bad parts are found at the end.
    machines : sequence of str, optional
        Names.
    method : {"auto", "exact", "decomposition", "simulation"}
        "auto": the exact chain where it is small, else the decomposition, else the simulation (so
        for machines that differ in their cycles, and for long lines with single places).
    seed, simulated_cycles, runs, jobs : int
        Of the simulation: see `simulate_line`, and `simulate_parts` where cycles differ.

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
    k = len(repair)
    nominal, speed, good = (
        _for_each(values, k, name, most)
        for values, name, most in (
            (cycle_seconds, "cycle_seconds", np.inf),
            (performance, "performance", 1.0),
            (quality, "quality", 1.0),
        )
    )
    names = tuple(map(str, machines or (f"machine {i + 1}" for i in range(k))))
    if len(names) != k or len(set(names)) != k:
        raise UsageError(
            f"There are {k} machines but {len(set(names))} names; each machine takes its own."
        )
    is_alike = bool((speed == speed[0]).all())
    cycles = nominal if is_alike else nominal / speed
    if method in ("exact", "decomposition") and not _is_one(cycles):
        raise UsageError(
            f"method {method} needs one cycle for all machines; simulate a line of several."
        )
    return ProductionLine(
        repair=repair,
        failure=failure,
        buffers=places,
        cycles=cycles,
        cycle_seconds=float(cycles.min()),
        slowest_seconds=float(nominal.max()),
        performance=float(speed[0]) if is_alike else 1.0,
        quality=_quality(quality, good),
        machines=names,
        run=_solve(repair, failure, places, cycles, method, seed, simulated_cycles, runs, jobs),
    )


def _for_each(values: object, k: int, name: str, most: float) -> Array:
    """Return one number for each machine; a single one holds for all."""
    try:
        found = np.broadcast_to(np.asarray(values, dtype=np.float64), (k,))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must be one number, or one for each of {k} machines.") from error
    if not ((found > 0) & (found <= most) & np.isfinite(found)).all():
        upper = "" if np.isinf(most) else " and up to 1"
        raise UsageError(f"{name} must be above 0{upper}.")
    return found.copy()


def _quality(given: object, good: Array) -> float:
    """Return the share of parts that are good at the end."""
    return float(good[0]) if np.ndim(np.asarray(given)) == 0 else float(np.prod(good))


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
        number(name, share, high=1.0)
    return availability * performance * quality


def _solve(
    repair: Array,
    failure: Array,
    places: Array,
    cycles: Array,
    method: str,
    seed: int = 0,
    length: int = 1_000_000,
    runs: int = 1,
    jobs: int | None = None,
) -> Line:
    is_free = method == "auto"
    if is_free:
        method = _best_method(cycles, [places])
    if method == "exact":
        return exact_line(repair, failure, places)
    if method == "decomposition":
        try:
            return decomposition(repair, failure, places)
        except SolverError:
            if not is_free:
                raise
    line = repair, failure, places
    if _is_one(cycles):
        return simulate_line(*line, cycles=length, seed=seed, runs=runs, jobs=jobs)
    return simulate_parts(*line, cycles, parts=length, seed=seed, runs=runs, jobs=jobs)


def _is_one(cycles: Array) -> bool:
    return bool((cycles == cycles[0]).all())


def _best_method(cycles: Array, buffers: Sequence[Array]) -> str:
    """Return the best method that can work out a line with any of these buffers."""
    if not _is_one(cycles):
        return "simulation"
    if all(is_small(len(cycles), b) for b in buffers):
        return "exact"
    fewest = min(int(b.min()) for b in buffers)
    return "decomposition" if fewest >= FEWEST_PLACES else "simulation"
