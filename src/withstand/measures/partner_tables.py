"""Tables about partners: the curve of best sets, what each contributes, how pairs work together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.measures.partner_sets import TOLERANCE, PhysicalCoverage, ValueCoverage
from withstand.measures.shapley import MOST_EXACT, ShapleyShares, exact_shapley, sampled_shapley

if TYPE_CHECKING:
    from withstand.measures.partner_searches import BestSet

SURE = 2.0
"""Standard errors beyond which a drawn interaction is taken for one."""


def contributions(
    covers: PhysicalCoverage | ValueCoverage, samples: int, seed: int
) -> ShapleyShares:
    """Return the Shapley shares: exact where sets add up or are few, else over drawn orders."""
    n = covers.n
    if isinstance(covers, ValueCoverage):
        nothing = np.where(np.eye(n) > 0, np.nan, 0.0)
        return ShapleyShares(
            shares=covers.shares,
            errors=np.zeros(n),
            interactions=nothing,
            interaction_errors=nothing,
            is_exact=True,
            orders=0,
        )
    if n <= MOST_EXACT:
        return exact_shapley(n, covers.value)
    return sampled_shapley(n, covers.value, samples, np.random.default_rng([seed, 0]))


def curve_frame(sets: Sequence[BestSet]) -> pl.DataFrame:
    """Return a row for each size: coverage, gain, bound, gap, ties, expected, method, partners."""
    below = [sets[0], *sets]
    return pl.DataFrame(
        {
            "k": [s.k for s in sets],
            "coverage": [s.coverage for s in sets],
            "gain": [s.coverage - b.coverage for s, b in zip(sets, below, strict=False)],
            "bound": [s.bound for s in sets],
            "gap": [s.gap for s in sets],
            "ties": pl.Series([s.ties for s in sets], dtype=pl.Int64),
            "expected": pl.Series([s.expected for s in sets], dtype=pl.Float64),
            "method": [s.method for s in sets],
            "partners": pl.Series([list(s.partners) for s in sets], dtype=pl.List(pl.String)),
        }
    )


def shapley_frame(
    found: ShapleyShares, covers: PhysicalCoverage | ValueCoverage, labels: Sequence[str]
) -> pl.DataFrame:
    """Return a row for each candidate: its Shapley share, alone and last; largest first."""
    n = covers.n
    everyone = (1 << n) - 1
    none, every = covers.value(0), covers.value(everyone)
    gain = every - none
    shares = found.shares / gain if abs(gain) > TOLERANCE else np.full(n, np.nan)
    frame = pl.DataFrame(
        {
            "partner": labels,
            "shapley": found.shares,
            "standard_error": found.errors,
            "share_of_gain": pl.Series(shares).fill_nan(None),
            "alone": [covers.value(1 << i) - none for i in range(n)],
            "last": [every - covers.value(everyone ^ 1 << i) for i in range(n)],
        }
    )
    return frame.sort(["shapley", "partner"], descending=[True, False])


def interaction_frame(found: ShapleyShares, labels: Sequence[str]) -> pl.DataFrame:
    """Return a row for each pair of candidates that was met, strongest first."""
    rows = []
    for i, one in enumerate(labels):
        for j in range(i + 1, len(labels)):
            value, error = float(found.interactions[i, j]), float(found.interaction_errors[i, j])
            if not np.isnan(value):
                relation = _relation(value, error, found.is_exact)
                rows.append((one, labels[j], value, error, relation))
    schema = {
        "partner": pl.String,
        "other": pl.String,
        "interaction": pl.Float64,
        "standard_error": pl.Float64,
        "relation": pl.String,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.col("standard_error").fill_nan(None)
    )
    order = [pl.col("interaction").abs(), pl.col("partner"), pl.col("other")]
    return frame.sort(order, descending=[True, False, False])


def _relation(value: float, error: float, is_exact: bool) -> str:
    if abs(value) <= TOLERANCE:
        word = "neither"
    elif not is_exact and not abs(value) > SURE * error:  # an error that is not known is not small
        word = "not sure"
    else:
        word = "complements" if value > 0 else "substitutes"
    return word
