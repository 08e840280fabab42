"""How far a rank by density can be trusted: the same with other draws of places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.measures.complexities import Complexity
    from withstand.measures.product_codes import CodeJoin

Array = np.ndarray
TIES = 1e-12


def density_ranks(
    capability: Complexity, place: str, join: CodeJoin, *, draws: int, level: float, seed: int
) -> pl.DataFrame:
    """Return product, density, rank, low, high: ranks by density over draws of places.

    Each draw takes as many places with replacement; proximities are those of the draw, what the
    place has is held. Products that nobody drawn has are not ranked in that draw.
    """
    if draws < 1:
        raise UsageError(f"draws = {draws}: at least one is needed.")
    if not 0 < level < 1:
        raise UsageError(f"level = {level}: a share between 0 and 1, such as 0.9.")
    rng = np.random.default_rng(seed)
    has = capability.present.astype(np.float64)
    home = has[capability.index_of(place, "place")]
    columns = np.flatnonzero((join.weights > 0).any(axis=0))
    near_itself = bool(np.diag(capability.proximity).any())  # by convention
    weights = join.weights[:, columns]
    ranks = [_ranks(_mean(weights, _density(has, home, columns, np.ones(len(has)), near_itself)))]
    for _ in range(draws):
        drawn = np.bincount(rng.integers(len(has), size=len(has)), minlength=len(has))
        density = _density(has, home, columns, drawn.astype(np.float64), near_itself)
        ranks.append(_ranks(_mean(weights, density)))
    table = np.array(ranks[1:])
    low, high = np.full(len(weights), np.nan), np.full(len(weights), np.nan)
    seen = ~np.isnan(table).all(axis=0)
    tail = 0.5 * (1.0 - level)
    if seen.any():
        low[seen] = np.nanquantile(table[:, seen], tail, axis=0, method="lower")
        high[seen] = np.nanquantile(table[:, seen], 1.0 - tail, axis=0, method="higher")
    frame = pl.DataFrame(
        {
            "product": list(join.products),
            "density": join.mean(capability.density[capability.index_of(place, "place")]),
            "rank": ranks[0],
            "low": low,
            "high": high,
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
    frame = frame.with_columns(pl.col("rank", "low", "high").cast(pl.Int64))
    return frame.sort(["rank", "product"], nulls_last=True)


def _density(has: Array, home: Array, columns: Array, drawn: Array, near_itself: bool) -> Array:
    """Return the density of some products for home, with places counted so many times each."""
    counts = drawn @ has
    both = (has[:, columns] * drawn[:, None]).T @ has
    phi = both / np.maximum(np.maximum(counts[columns, None], counts[None, :]), 1.0)
    if not near_itself:
        phi[np.arange(len(columns)), columns] = 0.0
    near = phi.sum(axis=1)
    return np.where(near > 0, phi @ home / np.where(near > 0, near, 1.0), np.nan)


def _mean(weights: Array, values: Array) -> Array:
    """Return the weighted mean of each row; NaN where a value is not known, or no weight is."""
    used = weights > 0
    known = used.any(axis=1) & ~(used & np.isnan(values)[None, :]).any(axis=1)
    return np.where(known, weights @ np.nan_to_num(values), np.nan)


def _ranks(values: Array) -> Array:
    """Return ranks, 1 for the highest, ties the same; NaN stays."""
    found = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    ordered = np.sort(values[known])
    above = len(known) - np.searchsorted(ordered, values[known] + TIES, side="right")
    found[known] = above + 1.0
    return found
