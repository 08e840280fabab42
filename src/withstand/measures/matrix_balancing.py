"""Balancing: a matrix with given sums of rows and columns, as near to another as can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import Finding, listed, make_finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Array = np.ndarray
TOLERANCE = 1e-12
"""Gap of a row, over the sum of its absolute entries and target, at which balancing ends."""
ROUNDS = 20_000
_SLOW, _NEWTON = 20, 400  # rounds before Newton steps come in between; rows up to which they pay
_FARTHEST = 3.0  # largest Newton step, in logarithms
_RUNAWAY = 1e40  # a factor that no sums within reach need
_TOTALS = 1e-9  # relative difference of the two grand totals that rounding explains


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Balanced:
    """A matrix that meets given sums.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n), unit of the margins
    before : ndarray of float64, shape (m, n)
        As it was given.
    row_labels, column_labels : tuple of str
    row_factors : ndarray of float64, shape (m,)
    column_factors : ndarray of float64, shape (n,)
        values = r P s - (1/r) N (1/s), P the positive entries and N the size of the negative ones.
    rounds : int
    gap : float
        Largest distance of a row from its target, over the sum of its absolute entries and target.
    is_balanced : bool
        Whether `gap` is within the tolerance; columns always meet their targets.
    findings : tuple of Finding
    """

    values: Array
    before: Array
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    row_factors: Array
    column_factors: Array
    rounds: int
    gap: float
    is_balanced: bool
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return row, column, before, value: the entries that are not 0."""
        i, j = np.nonzero(self.before)
        return pl.DataFrame(
            {
                "row": np.array(self.row_labels, dtype=str)[i],
                "column": np.array(self.column_labels, dtype=str)[j],
                "before": self.before[i, j],
                "value": self.values[i, j],
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def summary(self) -> str:
        """Return one sentence."""
        m, n = self.values.shape
        how = "balanced" if self.is_balanced else "NOT balanced"
        return f"{m} x {n} {how} in {self.rounds:,} rounds, largest gap {self.gap:.1e}."

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Balanced: {self.summary()}>"


def balance(
    matrix: Array,
    rows: Array,
    columns: Array,
    *,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
    rounds: int = ROUNDS,
) -> Balanced:
    """Return the matrix nearest to another whose rows and columns have the sums given.

    RAS (biproportional): x_ij = r_i a_ij s_j. With negative entries GRAS, of which RAS is the case
    without them: x_ij = r_i a_ij s_j if a_ij > 0, a_ij / (r_i s_j) if a_ij < 0, which minimises
    `sum |a| z ln(z / e)`, z = x / a. In turn each row, then each column, takes the one factor that
    meets its sum. Zeros stay, signs stay, a matrix that is balanced stays as it is.

    Parameters
    ----------
    matrix : ndarray of float64, shape (m, n)
        Only its proportions count where nothing is negative.
    rows : ndarray of float64, shape (m,)
        Sum that each row shall have.
    columns : ndarray of float64, shape (n,)
    row_labels, column_labels : sequence of str, optional
        Names for the findings; numbers from 0 on if not given.
    tolerance : float
        Largest gap of a row, over the sum of its absolute entries and target.
    rounds : int
        At most so many times over all rows and columns.

    Returns
    -------
    Balanced
        `is_balanced` says whether the sums are met; if not, warning W671 names the worst row.

    Raises
    ------
    UsageError
        Shapes that do not fit.
    DataError
        Sums that no such matrix has: the two totals differ (E671); a row or column of zeros with
        another sum than 0, or with entries of one sign only and a sum of the other (E672).

    References
    ----------
    Stone and Brown (1962), A Computable Model of Economic Growth. Junius and Oosterhaven (2003),
    Economic Systems Research 15; Lenzen, Wood and Gallego (2007), Some comments on the GRAS method,
    same journal 19; Temurshoev, Miller and Bouwmeester (2013), A note on the GRAS method, 25.

    Examples
    --------
    Proportional already, but for the sums: one round.

    >>> balance(np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([6.0, 2.0]),
    ...     np.array([4.0, 4.0])).values.tolist()
    [[3.0, 3.0], [1.0, 1.0]]
    """
    a = np.array(matrix, dtype=np.float64)
    u = np.asarray(rows, dtype=np.float64)
    v = np.asarray(columns, dtype=np.float64)
    if a.ndim != 2 or u.shape != a.shape[:1] or v.shape != a.shape[1:]:
        raise UsageError(
            f"The matrix has the shape {a.shape}, its sums {u.shape} and {v.shape}: give one sum "
            "for each row and one for each column."
        )
    if not all(np.isfinite(x).all() for x in (a, u, v)):
        raise UsageError("The matrix or its sums hold something that is no finite number.")
    if not (tolerance > 0 and rounds >= 1):
        raise UsageError(f"tolerance = {tolerance} and rounds = {rounds} must be above 0.")
    names = [
        tuple(str(x) for x in (range(k) if given is None else given))
        for given, k in ((row_labels, a.shape[0]), (column_labels, a.shape[1]))
    ]
    if len(names[0]) != a.shape[0] or len(names[1]) != a.shape[1]:
        raise UsageError("Labels: one for each row and one for each column.")
    faults = _incompatible(a, u, v, names)
    if faults:
        raise DataError(faults)
    values, r, s, done, gap = gras(a, u, v, tolerance, rounds)
    findings = []
    if gap > tolerance:
        worst = int(np.argmax(_gaps(values, u)))
        what = (
            f"after {done:,} rounds row {names[0][worst]} sums to {values[worst].sum():,.6g}, not "
            f"{u[worst]:,.6g}; the zeros of the matrix may not allow these sums"
        )
        findings.append(make_finding("W671", what, value=names[0][worst]))
    return Balanced(
        values=values,
        before=a,
        row_labels=names[0],
        column_labels=names[1],
        row_factors=r,
        column_factors=s,
        rounds=done,
        gap=gap,
        is_balanced=gap <= tolerance,
        findings=tuple(findings),
    )


def gras(
    a: Array, u: Array, v: Array, tolerance: float = TOLERANCE, rounds: int = ROUNDS
) -> tuple[Array, Array, Array, int, float]:
    """Balance arrays that were checked: return values, factors of rows and columns, rounds, gap.

    Columns are met last, hence to the last digit.
    """
    p, n = np.maximum(a, 0.0), np.maximum(-a, 0.0)
    has_negative = bool(n.any())
    r, r_inverse = np.ones(len(u)), np.ones(len(u))
    s, s_inverse = _factors(u=v, p=p.sum(axis=0), n=n.sum(axis=0))
    done, gap = 0, np.inf
    for done in range(1, rounds + 1):
        of_rows = p @ s
        minus = n @ s_inverse if has_negative else np.zeros(len(u))
        # the columns are met by r and s: what do the rows miss?
        plus_now, minus_now = r * of_rows, r_inverse * minus
        size = plus_now + minus_now + np.abs(u)
        miss = np.abs(plus_now - minus_now - u)
        gap = float((miss / np.where(size > 0, size, 1.0)).max(initial=0.0))
        if gap <= tolerance:
            break
        r, r_inverse = _factors(u=u, p=of_rows, n=minus)
        if done > _SLOW and len(u) <= _NEWTON and done % 2:
            step = _newton(r, r_inverse, p, n, u, v)
            r, r_inverse = r * step, r_inverse / step
            if max(r.max(), r_inverse.max()) > _RUNAWAY:
                break  # the sums ask for entries where zeros are
        of_columns = r @ p
        minus = r_inverse @ n if has_negative else np.zeros(len(v))
        s, s_inverse = _factors(u=v, p=of_columns, n=minus)
    s, s_inverse = _factors(u=v, p=r @ p, n=r_inverse @ n)
    values = r[:, None] * p * s
    if has_negative:
        values -= r_inverse[:, None] * n * s_inverse
    return values, r, s, done, float(_gaps(values, u).max(initial=0.0))


def _newton(r: Array, r_inverse: Array, p: Array, n: Array, u: Array, v: Array) -> Array:
    """Return what to multiply the row factors by: one Newton step, the columns being met.

    With the columns met, the sums of rows have the derivatives diag(X 1) - X diag(1 / X'1) X' by
    the logarithms of the row factors, X the sizes of the entries: where plain rounds creep, a few
    such steps arrive.
    """
    s, s_inverse = _factors(u=v, p=r @ p, n=r_inverse @ n)
    plus, minus = r[:, None] * p * s, r_inverse[:, None] * n * s_inverse
    size = plus + minus
    rows, columns = size.sum(axis=1), size.sum(axis=0)
    missing = u - (plus.sum(axis=1) - minus.sum(axis=1))
    weighted = size * np.divide(1.0, columns, out=np.zeros_like(columns), where=columns > 0)
    slope = np.diag(rows * (1.0 + 1e-12) + (rows <= 0)) - weighted @ size.T
    step = np.linalg.lstsq(slope, missing, rcond=1e-14)[0]
    return np.asarray(np.exp(np.clip(step, -_FARTHEST, _FARTHEST)))


def _factors(*, u: Array, p: Array, n: Array) -> tuple[Array, Array]:
    """Return x > 0 with x p - n / x = u for each element, and 1 / x; both 0 where all is 0."""
    root = np.sqrt(u * u + 4.0 * p * n)
    # of the two forms of the solution the one without a difference of near numbers
    up, down = u + root, root - u
    x = np.where(
        u >= 0,
        np.divide(up, 2.0 * p, out=np.zeros_like(u), where=p > 0),
        np.divide(2.0 * n, down, out=np.zeros_like(u), where=down > 0),
    )
    inverse = np.where(
        u >= 0,
        np.divide(2.0 * p, up, out=np.zeros_like(u), where=up > 0),
        np.divide(down, 2.0 * n, out=np.zeros_like(u), where=n > 0),
    )
    return x, inverse


def _gaps(values: Array, u: Array) -> Array:
    size = np.abs(values).sum(axis=1) + np.abs(u)
    miss = np.abs(values.sum(axis=1) - u)
    gaps: Array = miss / np.where(size > 0, size, 1.0)
    return gaps


def _incompatible(a: Array, u: Array, v: Array, names: list[tuple[str, ...]]) -> list[Finding]:
    """Find sums that no matrix with these zeros and signs has."""
    found = []
    rows, columns = float(u.sum()), float(v.sum())
    if abs(rows - columns) > _TOTALS * max(np.abs(u).sum(), np.abs(v).sum()):
        what = f"the rows shall sum to {rows:,.9g} in all, the columns to {columns:,.9g}"
        found.append(make_finding("E671", what))
    for word, matrix, target, labels in (
        ("row", a, u, names[0]),
        ("column", a.T, v, names[1]),
    ):
        low, high = matrix.min(axis=1, initial=0.0) < 0, matrix.max(axis=1, initial=0.0) > 0
        bad = ((target > 0) & ~high) | ((target < 0) & ~low)
        if bad.any():
            named = [labels[k] for k in np.flatnonzero(bad)]
            k = int(np.flatnonzero(bad)[0])
            what = (
                f"{word} {listed(named)} has no entry of the sign of its sum "
                f"({target[k]:,.6g} for {labels[k]})"
            )
            found.append(make_finding("E672", what, value=labels[k], count=len(named)))
    return found
