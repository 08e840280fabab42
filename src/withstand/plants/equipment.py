"""Machines that fail: availability, machines side by side, and too few people to repair them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.plants.number_checks import number, whole, word

Array = np.ndarray
STANDBY = ("hot", "cold")
MOST_MACHINES = 100_000


def availability(mtbf: float, mttr: float) -> float:
    """Return the share of time a machine is up: MTBF / (MTBF + MTTR).

    Parameters
    ----------
    mtbf : float, hours (or any unit of time)
        Mean time between failures, counted in time up.
    mttr : float, the same unit
        Mean time to repair.

    Raises
    ------
    UsageError
        If a time cannot be.

    Examples
    --------
    >>> availability(95, 5)
    0.95
    """
    up = number("mtbf", mtbf, above=True)
    return up / (up + number("mttr", mttr))


@dataclass(frozen=True, kw_only=True)
class Machines:
    """Machines side by side with their repairers, in the long run.

    Parameters
    ----------
    machines, needed, crews : int
    mtbf, mttr : float, one unit of time
    standby : str
    """

    machines: int
    needed: int
    mtbf: float
    mttr: float
    crews: int
    standby: str

    @cached_property
    def down(self) -> Array:
        """Share of time with 0, 1 ... machines down: ndarray of float64, shape (machines + 1,)."""
        n = self.machines
        if self.mttr == 0:
            return np.eye(n + 1)[0]
        j = np.arange(n + 1)
        running = n - j if self.standby == "hot" else np.minimum(self.needed, n - j)
        fails = running[:-1] / self.mtbf
        mends = np.minimum(j[1:], self.crews) / self.mttr
        log_share = np.concatenate([[0.0], np.cumsum(np.log(fails) - np.log(mends))])
        share = np.exp(log_share - log_share.max())
        return np.asarray(share / share.sum())

    @property
    def availability(self) -> float:
        """Share of time in which enough machines are up."""
        return float(min(1.0, self.down[: self.machines - self.needed + 1].sum()))

    @property
    def mean_up(self) -> float:
        """Mean number of machines up."""
        return float(self.down @ (self.machines - np.arange(self.machines + 1)))

    @property
    def mean_working(self) -> float:
        """Mean number of machines up and needed: the smaller of up and `needed`."""
        up = self.machines - np.arange(self.machines + 1)
        return float(self.down @ np.minimum(up, self.needed))

    @property
    def failures(self) -> float:
        """Failures per unit of time, of all machines."""
        running = self.mean_up if self.standby == "hot" else self.mean_working
        return running / self.mtbf

    @property
    def crew_use(self) -> float:
        """Share of time a repairer is busy."""
        busy = np.minimum(np.arange(self.machines + 1), self.crews)
        return float(self.down @ busy) / self.crews

    @property
    def waiting(self) -> float:
        """Mean time a failed machine waits for a repairer, in the unit of mttr (Little's law)."""
        queue = np.maximum(np.arange(self.machines + 1) - self.crews, 0)
        return float(self.down @ queue) / self.failures if self.failures > 0 else 0.0

    def machine_hours(self, planned_hours: float) -> float:
        """Return the hours of work of all machines in so many planned hours: a node's capacity.

        Hours up of the machines that are needed. Where a line model counts failures already, take
        its rate in place of this, not both.
        """
        return self.mean_working * number("planned_hours", planned_hours, unit="hours")

    def to_frame(self) -> pl.DataFrame:
        """Return one row a number of machines down: down, up, share of time, enough."""
        down = np.arange(self.machines + 1)
        return pl.DataFrame(
            {
                "down": down,
                "up": self.machines - down,
                "share": self.down,
                "enough": self.machines - down >= self.needed,
            }
        )

    def summary(self) -> str:
        """Return one sentence."""
        return (
            f"Of {self.machines} machines at least {self.needed} are up {self.availability:.2%} of "
            f"the time, {self.mean_up:.2f} on average; a repairer is busy {self.crew_use:.0%} of "
            f"the time, and a failed machine waits {self.waiting:.3g} for one."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Machines: {self.summary()}>"


def machines(
    count: int,
    *,
    mtbf: float,
    mttr: float,
    needed: int | None = None,
    crews: int | None = None,
    standby: str = "hot",
) -> Machines:
    """Return the long run of machines side by side: how many are up, and how long repair waits.

    A birth-death chain in the number j of machines down, exact for exponential times: failures at
    (count - j) / mtbf (hot: all that are up run and fail) or min(needed, count - j) / mtbf (cold:
    only those needed do), repairs at min(j, crews) / mttr.

    Parameters
    ----------
    count : int
    mtbf, mttr : float, one unit of time
        Mean time between failures of a machine in running time; mean time of one repair.
    needed : int, optional
        Machines that must be up (k of n); default all.
    crews : int, optional
        Repairs that can go on at once; default one for each machine.
    standby : {"hot", "cold"}

    Returns
    -------
    Machines

    Raises
    ------
    UsageError
        If a number cannot be.

    Notes
    -----
    With a repairer for each machine in hot standby the shares are binomial whatever the
    distribution of the times (insensitivity); with fewer, times are taken as exponential.

    References
    ----------
    Machine repair model: Palm (1947); Feller (1968), An Introduction to Probability Theory I,
    XVII.5.

    Examples
    --------
    >>> one = machines(1, mtbf=95, mttr=5)
    >>> two = machines(2, mtbf=95, mttr=5, needed=1)
    >>> round(one.availability, 6), round(two.availability, 6)
    (0.95, 0.9975)
    """
    n = whole("count", count, low=1, high=MOST_MACHINES)
    k = n if needed is None else whole("needed", needed, low=1, high=MOST_MACHINES)
    if k > n:
        raise UsageError(f"needed is {k}, but there are only {n} machines.")
    return Machines(
        machines=n,
        needed=k,
        mtbf=number("mtbf", mtbf, above=True),
        mttr=number("mttr", mttr),
        crews=n if crews is None else whole("crews", crews, low=1, high=MOST_MACHINES),
        standby=word("standby", standby, STANDBY),
    )
