"""Moves between related occupations: what must be learned, how long it takes, what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import listed, make_finding
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    from withstand.people.related_occupations import Relatedness

Array = np.ndarray

# Midpoints, in years, of the training times behind the five job zones of O*NET (SVP below 4: up to
# 3 months; 4 to 6: to 1 year; 6 to 7: 1 to 2 years; 7 to 8: 2 to 4 years; 8 and above: 4 to 10).
ZONE_YEARS = {1: 0.125, 2: 0.625, 3: 1.5, 4: 3.0, 5: 7.0}

_PREPARATION = Table(
    name="preparation",
    meaning="How long an occupation is trained for.",
    columns=(
        Column(name="occupation", meaning="The occupation.", type="label", required=True),
        Column(name="years", meaning="Training time.", type="number", low=0.0),
        Column(name="zone", meaning="Job zone, 1 to 5.", type="integer", low=1.0, high=5.0),
    ),
    key=("occupation",),
)


@dataclass(frozen=True, kw_only=True)
class MoveTerms:
    """What time and money a move takes. Every default is an assumption, to be replaced.

    Parameters
    ----------
    years_per_point : float, years per point of importance
        Training time for each point that a skill must rise. In O*NET 29.3 the midpoint of an
        occupation's preparation rises by .12 years for each point of its 35 skills together.
    cost_per_year : float, currency per person-year of training
        1 by default: costs then count years of training.
    cost_per_move : float, currency per person
        What every move costs, however short.
    success : float, 0 to 1
        Share of those who begin that arrives.
    """

    years_per_point: float = 0.1
    cost_per_year: float = 1.0
    cost_per_move: float = 0.0
    success: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name in ("years_per_point", "cost_per_year", "cost_per_move"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise UsageError(f"{name} = {value}: must be a number of at least 0.")
        if not 0 < self.success <= 1:
            raise UsageError(f"success = {self.success}: must be above 0 and at most 1.")


def upskilling_moves(
    relatedness: Relatedness,
    *,
    preparation: pl.DataFrame | None = None,
    terms: MoveTerms | None = None,
    neighbours: int | None = 20,
    least: float = 0.0,
) -> pl.DataFrame:
    """List the moves between each occupation and the ones most related to it, priced.

    gap(a, b)      = sum_k max(0, x_bk - x_ak): points that skills must rise; none falls due
    duration(a, b) = max(years_per_point x gap, preparation(b) - preparation(a), 0)
    cost(a, b)     = cost_per_move + cost_per_year x duration

    The longer of the two times, not their sum, because the longer preparation is what the skills
    are learned in.

    Parameters
    ----------
    relatedness : Relatedness
    preparation : polars.DataFrame, optional
        occupation and years (training time), or zone (job zone 1 to 5, taken as the years of
        `ZONE_YEARS`). Without it only the gap counts. It may name more occupations.
    terms : MoveTerms, optional
    neighbours : int or None
        Two occupations are joined, both ways, if either has the other among this many most related
        ones (O*NET lists 20 for each); None: all are joined.
    least : float
        ... if they are at least so related.

    Returns
    -------
    DataFrame
        from, to, relatedness, gap [points], cost [currency per person], duration [years], success.
        It is a table of moves for `people.optimise_intake`.

    Raises
    ------
    DataError
        If `preparation` lacks an occupation, or has faults.

    Examples
    --------
    >>> from withstand.people.related_occupations import relatedness
    >>> frame = pl.DataFrame({"occupation": ["turner", "grinder", "nurse"],
    ...                       "tools": [3.0, 4.0, 0.0], "care": [2.0, 1.0, 4.0]})
    >>> years = pl.DataFrame({"occupation": ["turner", "grinder", "nurse"], "zone": [2, 3, 3]})
    >>> moves = upskilling_moves(relatedness(frame), preparation=years)
    >>> moves.select("from", "to", "gap", "duration").rows()
    [('turner', 'grinder', 1.0, 0.875), ('grinder', 'turner', 1.0, 0.1)]
    """
    if neighbours is not None and neighbours < 1:
        raise UsageError(f"neighbours = {neighbours}: at least 1, or None for all occupations.")
    if not -np.inf < least < np.inf:
        raise UsageError(f"least = {least}: must be a number, as a rule from -1 to 1.")
    terms = terms or MoveTerms()
    one, other = _related_pairs(relatedness, neighbours, least)
    importance = relatedness.importance
    gap = np.zeros(len(one))
    for k in range(importance.shape[1]):  # by skill, so that all pairs x all skills never stand
        gap += np.maximum(0.0, importance[other, k] - importance[one, k])
    years = terms.years_per_point * gap
    if preparation is not None:
        trained = preparation_years(relatedness.occupations, preparation)
        years = np.maximum(years, trained[other] - trained[one])
    labels = pl.Series("from", relatedness.occupations, dtype=pl.String)
    return pl.DataFrame(
        {
            "from": labels.gather(one),
            "to": labels.gather(other),
            "relatedness": relatedness.matrix[one, other],
            "gap": gap,
            "cost": terms.cost_per_move + terms.cost_per_year * years,
            "duration": years,
            "success": np.full(len(one), float(terms.success)),
        }
    )


def preparation_years(occupations: tuple[str, ...], preparation: pl.DataFrame) -> Array:
    """Return the training time of each occupation: ndarray of float64, shape (n,), years.

    Raises
    ------
    DataError
        If an occupation is not listed, or stands there without a number.

    Examples
    --------
    >>> zones = pl.DataFrame({"occupation": ["turner", "nurse"], "zone": [2, 4]})
    >>> preparation_years(("nurse", "turner"), zones).tolist()
    [3.0, 0.625]
    """
    frame, _ = checked_frame(preparation, _PREPARATION)
    if "years" not in frame.columns and "zone" not in frame.columns:
        raise UsageError("'preparation' needs a column 'years', or 'zone' (1 to 5).")
    years = pl.lit(None, dtype=pl.Float64)
    if "zone" in frame.columns:
        years = pl.col("zone").replace_strict(ZONE_YEARS, default=None, return_dtype=pl.Float64)
    if "years" in frame.columns:
        years = pl.coalesce(pl.col("years").cast(pl.Float64), years)
    known = dict(frame.select("occupation", years.alias("years")).iter_rows())
    missing = [label for label in occupations if known.get(label) is None]
    if missing:
        what = f"'preparation' has no years (and no zone) for {listed(missing)}"
        fix = "Add a row for each occupation of the skill vectors."
        found = make_finding("E102", what, column="occupation", value=missing[0],
                             count=len(missing), fix=fix)  # fmt: skip
        raise DataError([found])
    return np.array([known[label] for label in occupations])


def _related_pairs(
    relatedness: Relatedness, neighbours: int | None, least: float
) -> tuple[Array, Array]:
    """Return (from, to), both ways, of who is among the nearest of the other; in order."""
    n = len(relatedness.occupations)
    alike = relatedness.matrix.copy()
    np.fill_diagonal(alike, -np.inf)
    kept = min(n - 1, n if neighbours is None else neighbours)
    other = np.argsort(-alike, axis=1, kind="stable")[:, :kept]
    joined = np.zeros((n, n), dtype=bool)
    np.put_along_axis(joined, other, True, axis=1)
    one, other = np.nonzero((joined | joined.T) & (alike >= least))
    return one, other
