"""Learning by doing: cost and hours per unit fall with all that was ever made (Wright's law)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import t as student

from withstand.errors import UsageError
from withstand.plants.number_checks import number, numbers_of

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """Cost or hours of a unit after so many have been made: first (Q / at)^-exponent.

    Parameters
    ----------
    first : float, per unit
        Cost or hours of the unit at which `at` have been made.
    at : float, units
        Cumulated output to which `first` belongs.
    exponent : float
    standard_error : float
        Of the exponent, where the curve was fitted; else NaN.
    r_squared : float
        Of the logarithms, where it was fitted; else NaN.
    observations : int
        0 where the curve was stated.
    """

    first: float
    at: float
    exponent: float
    standard_error: float = float("nan")
    r_squared: float = float("nan")
    observations: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        number("first", self.first, above=True)
        number("at", self.at, above=True, unit="units")
        number("exponent", self.exponent, low=-10.0, high=10.0)

    @property
    def progress_ratio(self) -> float:
        """Cost after a doubling of cumulated output, as a share of that before: 2^-exponent."""
        return float(2.0**-self.exponent)

    @property
    def learning_rate(self) -> float:
        """Share of cost that a doubling saves: 1 - progress ratio."""
        return 1.0 - self.progress_ratio

    def cost(self, cumulated: object) -> Array:
        """Return cost or hours per unit once so many units were made, same shape."""
        made = numbers_of("cumulated", cumulated, above=True)
        return np.asarray(self.first * (made / self.at) ** -self.exponent)

    def total(self, begin: float, end: float) -> float:
        """Return cost or hours of all units from cumulated output `begin` to `end`.

        The integral of the curve: the sum over units, each made at the cost of its moment.
        """
        before = number("begin", begin, above=self.exponent >= 1)
        after = number("end", end, low=before)
        return float(_integral(self, before, after))

    def mean(self, begin: float, end: float) -> float:
        """Return the mean cost or hours per unit from cumulated output `begin` to `end`."""
        if end == begin:
            return float(self.cost(begin)[0])
        return self.total(begin, end) / (end - begin)

    def units_for(self, begin: float, effort: float) -> float:
        """Return how many units so much cost or hours makes, from cumulated output `begin` on.

        Infinite where learning is so fast (exponent above 1) that all units ever take less.
        """
        before = number("begin", begin, above=True)
        given = number("effort", effort)
        power = 1.0 - self.exponent
        steps = given / (before * float(self.cost(before)[0]))  # as if nothing were learnt
        if power == 0:
            return float(before * np.expm1(steps))
        if power * steps <= -1.0:
            return float("inf")
        return float(before * np.expm1(np.log1p(power * steps) / power))

    def path(self, outputs: object, *, begin: float | None = None, year: int = 1) -> pl.DataFrame:
        """Return cost along a path of yearly outputs.

        Parameters
        ----------
        outputs : sequence of float, shape (years,), units per year
        begin : float, optional, units
            Made before the first year; default `at`.
        year : int
            The first year.

        Returns
        -------
        DataFrame
            year, output, cumulated (at the end of the year), at_start and at_end (cost per unit),
            mean (over the units of the year), total.
        """
        made = numbers_of("outputs", outputs)
        start = self.at if begin is None else number("begin", begin, above=True)
        after = start + np.cumsum(made)
        before = np.append(start, after[:-1])
        mean = [self.mean(a, b) for a, b in zip(before, after, strict=True)]
        return pl.DataFrame(
            {
                "year": year + np.arange(len(made)),
                "output": made,
                "cumulated": after,
                "at_start": self.cost(before),
                "at_end": self.cost(after),
                "mean": mean,
                "total": made * np.array(mean),
            }
        )

    def summary(self) -> str:
        """Return one sentence."""
        sure = (
            f" (exponent {self.exponent:.4f} ± {self.standard_error:.4f}, "
            f"{self.observations} points, R² {self.r_squared:.3f})"
            if self.observations
            else ""
        )
        return f"Each doubling of all that was made saves {self.learning_rate:.1%} a unit{sure}."

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the interval of the exponent, by Student's t.

        Raises
        ------
        UsageError
            If the curve was not fitted to more than two points.
        """
        if self.observations < 3:
            raise UsageError("An interval needs a curve that was fitted to at least three points.")
        level = number("confidence", confidence, above=True, high=0.999999)
        half = float(student.ppf(0.5 + level / 2, self.observations - 2)) * self.standard_error
        return self.exponent - half, self.exponent + half

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<LearningCurve: {self.first:g} at {self.at:g} units, "
            f"{self.learning_rate:.1%} less per doubling>"
        )


def learning_curve(
    first: float,
    *,
    at: float = 1.0,
    progress_ratio: float | None = None,
    exponent: float | None = None,
) -> LearningCurve:
    """Return a learning curve by Wright's law: cost(Q) = first (Q / at)^-b.

    Parameters
    ----------
    first : float, cost or hours per unit
    at : float, units
        Cumulated output at which a unit takes `first`.
    progress_ratio : float, above 0
        Share of cost that is left after each doubling, 2^-b: 0.8 is the classic "80 % curve".
    exponent : float
        b itself. State one of the two.

    Returns
    -------
    LearningCurve

    Raises
    ------
    UsageError
        If a number cannot be, or not exactly one of the two is stated.

    References
    ----------
    Wright (1936), Journal of the Aeronautical Sciences 3(4).

    Examples
    --------
    >>> curve = learning_curve(100.0, progress_ratio=.8)
    >>> curve.cost([1, 2, 4]).round(6).tolist()
    [100.0, 80.0, 64.0]
    """
    if (progress_ratio is None) == (exponent is None):
        raise UsageError("State either progress_ratio or exponent.")
    if progress_ratio is not None:
        exponent = -float(np.log2(number("progress_ratio", progress_ratio, above=True, high=100.0)))
    return LearningCurve(first=first, at=at, exponent=exponent)  # type: ignore[arg-type]


def fit_learning(cumulated: object, cost: object) -> LearningCurve:
    """Fit a learning curve to data: least squares of log cost on log cumulated output.

    Parameters
    ----------
    cumulated : sequence of float, shape (n,), units
        All that was made by each observation.
    cost : sequence of float, shape (n,), cost or hours per unit

    Returns
    -------
    LearningCurve
        `at` is the geometric mean of `cumulated`; the standard error is that of ordinary least
        squares, so it is too small where errors hang together over time.

    Raises
    ------
    UsageError
        If the lengths differ, a number is not above 0, or there are not two different outputs.

    Examples
    --------
    >>> fit_learning([1, 2, 4], [100, 80, 64])
    <LearningCurve: 80 at 2 units, 20.0% less per doubling>
    """
    x = np.log(numbers_of("cumulated", cumulated, above=True))
    y = np.log(numbers_of("cost", cost, above=True))
    if len(x) != len(y):
        raise UsageError(f"There are {len(x)} outputs but {len(y)} costs.")
    spread = float(((x - x.mean()) ** 2).sum())
    if len(x) < 2 or spread < 1e-24:
        raise UsageError("A learning curve needs at least two different cumulated outputs.")
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / spread)
    rest = y - y.mean() - slope * (x - x.mean())
    unexplained, total = float(rest @ rest), float(((y - y.mean()) ** 2).sum())
    n = len(x)
    return LearningCurve(
        first=float(np.exp(y.mean())),
        at=float(np.exp(x.mean())),
        exponent=-slope,
        standard_error=float(np.sqrt(unexplained / (n - 2) / spread)) if n > 2 else float("nan"),
        r_squared=1.0 - unexplained / total if total > 0 else float("nan"),
        observations=n,
    )


def _integral(curve: LearningCurve, begin: float, end: float) -> float:
    """Return the integral of the curve, exact also where the exponent is next to 1."""
    power = 1.0 - curve.exponent
    if begin == 0:
        return float(curve.first * curve.at**curve.exponent * end**power / power)
    grown = np.log(end / begin)
    factor = grown if power == 0 else np.expm1(power * grown) / power
    return float(begin * curve.cost(begin)[0] * factor)
