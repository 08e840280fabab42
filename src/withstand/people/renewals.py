"""Manpower models of Bartholomew: grades that people move through, recruits, a steady state.

Push (recruits are given):       n' = n P + R r,   steady state   n = R r (I - P)^-1
Renewal (the size is given):     n' = n Q,         Q = P + w' r,  w = 1 - P 1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray
TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Renewal:
    """The path of a manpower model and where it leads.

    Parameters
    ----------
    path : ndarray of float64, shape (steps + 1, grades), people
    steady : ndarray of float64, shape (grades,), people
        Steady state; in a renewal model of the size of the start.
    transitions : ndarray of float64, shape (grades, grades)
        P of a push, Q of a renewal model.
    leaving : ndarray of float64, shape (grades,), share per step
    recruits : ndarray of float64, shape (steps, grades), people per step
    """

    path: Array
    steady: Array
    transitions: Array
    leaving: Array
    recruits: Array

    def to_frame(self) -> pl.DataFrame:
        """Return the path: step, grade (from 0), people."""
        n_steps, n = self.path.shape
        return pl.DataFrame(
            {
                "step": np.repeat(np.arange(n_steps), n),
                "grade": np.tile(np.arange(n), n_steps),
                "people": self.path.ravel(),
            }
        )

    def __repr__(self) -> str:
        """Return one line: steps, and the steady state."""
        steady = ", ".join(f"{x:.6g}" for x in self.steady[:8])
        more = ", ..." if len(self.steady) > 8 else ""
        return f"<Renewal: {len(self.recruits)} steps, steady state ({steady}{more})>"


def push_model(
    transitions: Sequence[Sequence[float]] | Array,
    recruits: Sequence[float] | Array,
    entrants: float,
    start: Sequence[float] | Array | None = None,
    steps: int = 0,
) -> Renewal:
    """Return the grades of people when so many are recruited in each step.

    n' = n P + R r, with steady state n = R r (I - P)^-1.

    Parameters
    ----------
    transitions : array of float64, shape (grades, grades), share per step
        P: row i says where people of grade i are a step later; what is missing to 1 has left.
    recruits : array of float64, shape (grades,), share of recruits
        r: where recruits begin; sums to 1.
    entrants : float, people per step
        R.
    start : array of float64, shape (grades,), people, optional
        Default: nobody.
    steps : int
        Steps to play.

    Raises
    ------
    UsageError
        If the numbers are no shares, or people never leave some grade and those it leads to.

    References
    ----------
    Bartholomew, Forbes and McClean (1991), Statistical Techniques for Manpower Planning, chapter 4.

    Examples
    --------
    >>> push_model([[.70, .15, 0], [0, .75, .12], [0, 0, .85]], [.8, .15, .05], 100)
    <Renewal: 0 steps, steady state (266.667, 220, 209.333)>
    """
    p, r = _checked(transitions, recruits)
    total = _people(np.atleast_1d(entrants), 1, "entrants")[0]
    begin = _people(np.zeros(len(r)) if start is None else start, len(r), "start")
    if np.abs(np.linalg.eigvals(p)).max() >= 1 - TOLERANCE:
        raise UsageError(
            "transitions: from some grade nobody ever leaves, so that recruits add up without end. "
            "Let a row sum to less than 1, or use renewal_model for a fixed size."
        )
    steady = np.linalg.solve((np.eye(len(r)) - p).T, total * r)
    joined = np.tile(total * r, (_whole(steps), 1))
    return Renewal(
        path=_path(begin, p, joined),
        steady=steady,
        transitions=p,
        leaving=1.0 - p.sum(axis=1),
        recruits=joined,
    )


def renewal_model(
    transitions: Sequence[Sequence[float]] | Array,
    recruits: Sequence[float] | Array,
    start: Sequence[float] | Array,
    steps: int = 0,
) -> Renewal:
    """Return the grades of people when everybody who leaves is replaced.

    n' = n Q with Q = P + w' r: the total stays, and those who leave grade i come back as recruits.

    Parameters
    ----------
    transitions, recruits, steps
        As in `push_model`.
    start : array of float64, shape (grades,), people

    Raises
    ------
    UsageError
        If the numbers are no shares, or the steady state hangs on the start.

    References
    ----------
    Bartholomew, Forbes and McClean (1991), Statistical Techniques for Manpower Planning, chapter 4.

    Examples
    --------
    >>> renewal_model([[.70, .15, 0], [0, .75, .12], [0, 0, .85]], [.8, .15, .05],
    ...               [348, 174, 174])
    <Renewal: 0 steps, steady state (266.667, 220, 209.333)>
    """
    p, r = _checked(transitions, recruits)
    begin = _people(start, len(r), "start")
    leaving = 1.0 - p.sum(axis=1)
    q = p + np.outer(leaving, r)
    grades = len(r)
    system = np.vstack([(q - np.eye(grades)).T, np.ones(grades)])
    if np.linalg.matrix_rank(q - np.eye(grades), tol=TOLERANCE) < grades - 1:
        raise UsageError(
            "transitions: two groups of grades never exchange people, so that the steady state "
            "hangs on the start. Model each of them by itself."
        )
    shares = np.linalg.lstsq(system, np.append(np.zeros(grades), 1.0), rcond=None)[0]
    path = _path(begin, q, np.zeros((_whole(steps), grades)))
    return Renewal(
        path=path,
        steady=begin.sum() * np.clip(shares, 0.0, None),
        transitions=q,
        leaving=leaving,
        recruits=np.outer(path[:-1] @ leaving, r),
    )


def _path(start: Array, transitions: Array, joined: Array) -> Array:
    path = np.empty((len(joined) + 1, len(start)))
    path[0] = start
    for t, new in enumerate(joined):
        path[t + 1] = path[t] @ transitions + new
    return path


def _checked(transitions: object, recruits: object) -> tuple[Array, Array]:
    """Return P and r as arrays, or say all that is wrong with them."""
    try:
        p, r = (np.array(x, dtype=np.float64) for x in (transitions, recruits))
    except (TypeError, ValueError) as error:
        raise UsageError(
            "transitions must be a square matrix of shares, and recruits a share of each grade."
        ) from error
    wrong = []
    if p.ndim != 2 or p.shape[0] != p.shape[1] or p.size == 0:
        wrong.append(f"transitions must be a square matrix, not of shape {p.shape}")
    elif not np.isfinite(p).all() or (p < 0).any() or (p.sum(axis=1) > 1 + TOLERANCE).any():
        rows = np.flatnonzero(~(p >= 0).all(axis=1) | ~(p.sum(axis=1) <= 1 + TOLERANCE))
        wrong.append(
            f"transitions of grade {rows[0]} must be shares of 0 to 1 that sum to at most 1, not "
            f"{shorten(p[rows[0]].tolist())}"
        )
    if r.ndim != 1 or p.ndim != 2 or len(r) != len(p):
        wrong.append("recruits must be a share of each grade")
    elif not np.isfinite(r).all() or (r < 0).any() or abs(r.sum() - 1) > TOLERANCE:
        wrong.append(f"recruits must be shares that sum to 1, not to {r.sum():.6g}")
    if wrong:
        raise UsageError(f"{'; '.join(wrong)}.")
    return p, r


def _people(values: object, n: int, name: str) -> Array:
    try:
        people = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        people = np.full(1, np.nan)
    if people.shape != (n,) or not np.isfinite(people).all() or (people < 0).any():
        raise UsageError(
            f"{name} must be people of at least 0, {n} numbers, not {shorten(values)}."
        )
    return people


def _whole(steps: int) -> int:
    is_whole = isinstance(steps, int | np.integer) and not isinstance(steps, bool)
    if not is_whole or not 0 <= steps <= 100_000:
        raise UsageError(f"steps must be a whole number from 0 to 100,000, not {shorten(steps)}.")
    return int(steps)
