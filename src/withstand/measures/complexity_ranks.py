"""How far a rank in economic complexity can be trusted: the same with other draws of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.advantages import comparative_advantage, is_present
from withstand.measures.complexity_vectors import Vectors, complexity_vectors
from withstand.model.findings import Finding, listed, make_finding

if TYPE_CHECKING:
    from withstand.measures.complexities import Complexity

Array = np.ndarray

WAYS = ("products", "places", "noise")
_FALLEN_APART = 1e-9  # a second eigenvalue this close to 1 belongs to a table in pieces


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RankIntervals:
    """Ranks with the range they take over many draws.

    Parameters
    ----------
    rows : DataFrame
        As `to_frame` returns it.
    by : str
    draws : int
        Those that could be used.
    level : float
    seed : int
    findings : tuple of Finding
    """

    rows: pl.DataFrame
    by: str
    draws: int
    level: float
    seed: int
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return kind (place, product), label, index (eci, pci), rank, low, high; best first.

        Rank 1 is the highest index. low and high enclose the middle `level` of the draws.
        """
        return self.rows

    def summary(self) -> str:
        """Return one sentence: how wide the intervals are."""
        width = float((self.rows["high"] - self.rows["low"]).median() or 0.0)  # type: ignore[arg-type]
        return (
            f"{self.rows.height:,} ranks over {self.draws:,} draws of {self.by}: the middle "
            f"{self.level:.0%} spans {width:g} ranks (median)."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<RankIntervals of {self.rows.height:,} ranks, {self.draws:,} draws of {self.by}>"


def rank_intervals(
    complexity: Complexity,
    *,
    by: str = "products",
    draws: int = 200,
    level: float = 0.9,
    noise: float = 0.2,
    seed: int = 0,
) -> RankIntervals:
    """Say between which ranks places or products move when the data were a little different.

    Parameters
    ----------
    complexity : Complexity
    by : {"products", "places", "noise"}
        "products": as many products drawn with replacement, for the ranks of places; M is held.
        "places": the same with places, for the ranks of products. "noise": every value times a
        lognormal factor of mean 1, then RCA, M and both vectors anew, for both.
    draws : int
    level : float, 0 to 1
        The share of the draws that the interval encloses.
    noise : float
        Standard deviation of the logarithm of that factor (.2: a fifth up or down).
    seed : int

    Raises
    ------
    UsageError
        If an argument is out of its range.

    Notes
    -----
    Sign: every draw is turned so that it agrees with the index of the whole table. A draw that
    falls apart is not used (finding W659). Places and products outside the largest piece have no
    rank. The intervals tell of this table's noise; they know nothing of what the table leaves out.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, for the percentile interval.

    Examples
    --------
    >>> from withstand.measures.complexities import complexity
    >>> rng = np.random.default_rng(1)
    >>> found = complexity(rng.lognormal(sigma=1.5, size=(6, 30)))
    >>> rank_intervals(found, draws=50).to_frame().columns
    ['kind', 'label', 'index', 'rank', 'low', 'high']
    """
    _check(by, draws, level, noise)
    rng = np.random.default_rng(seed)
    rows, columns = ~np.isnan(complexity.eci), ~np.isnan(complexity.pci)
    if not rows.any():
        raise UsageError("The index is not defined for this table (see its findings): no ranks.")
    eci, pci = complexity.eci[rows], complexity.pci[columns]
    drawn_places: list[Array] = []
    drawn_products: list[Array] = []
    has = complexity.present[np.ix_(rows, columns)].astype(np.float64)
    for _ in range(draws):
        if by == "noise":
            places, products = _draw_noise(complexity, noise, rng, rows, columns)
        else:
            places, products = _draw_again(has, by, rng)
        if places is None and products is None:
            continue
        if places is not None:
            drawn_places.append(_ranks(places, eci))
        if products is not None:
            drawn_products.append(_ranks(products, pci))
    used = max(len(drawn_places), len(drawn_products))
    tables = [
        _intervals("place", complexity.places, complexity.eci, rows, drawn_places, level),
        _intervals("product", complexity.products, complexity.pci, columns, drawn_products, level),
    ]
    findings = []
    if used < draws:
        what = f"{draws - used:,} of {draws:,} draws fell apart and were not used"
        findings.append(make_finding("W659", what, count=draws - used))
    kept = [t for t, d in zip(tables, (drawn_places, drawn_products), strict=True) if d]
    return RankIntervals(
        rows=pl.concat(kept) if kept else tables[0].clear(),
        by=by,
        draws=used,
        level=level,
        seed=seed,
        findings=tuple(findings),
    )


def _check(by: str, draws: int, level: float, noise: float) -> None:
    """Refuse what makes no interval."""
    if by not in WAYS:
        raise UsageError(f"by = '{by}': known are {listed(WAYS)}.")
    if not (isinstance(draws, int | np.integer) and draws >= 1):
        raise UsageError(f"draws = {draws}: a whole number, and at least one, is needed.")
    if not 0 < level < 1:
        raise UsageError(f"level = {level}: a share between 0 and 1, such as 0.9.")
    if not noise > 0 and by == "noise":
        raise UsageError(f"noise = {noise}: a standard deviation above 0, such as 0.2.")


def _draw_noise(
    complexity: Complexity, noise: float, rng: np.random.Generator, rows: Array, columns: Array
) -> tuple[Array | None, Array | None]:
    """Return new values of places and of products (NaN for those that fall out), or None."""
    values = complexity.values * rng.lognormal(-0.5 * noise**2, noise, complexity.values.shape)
    rca = comparative_advantage(values)
    present = is_present(rca, complexity.threshold, at_it=complexity.convention != "stata")
    has = present[np.ix_(rows, columns)].astype(np.float64)
    vectors, some, others = _vectors(has, np.ones(has.shape[1]))
    if vectors is None:
        return None, None
    return _spread(vectors.places, some), _spread(vectors.products, others)


def _draw_again(has: Array, by: str, rng: np.random.Generator) -> tuple[Array | None, Array | None]:
    """Return new values of the side that is not drawn (NaN for those that fall out), or None."""
    if by == "places":
        has = has.T
    n = has.shape[1]
    vectors, some, _ = _vectors(has, np.bincount(rng.integers(n, size=n), minlength=n))
    found = None if vectors is None else _spread(vectors.places, some)
    return (found, None) if by == "products" else (None, found)


def _vectors(present: Array, weights: Array) -> tuple[Vectors | None, Array, Array]:
    """Return the vectors of what a draw holds, and which rows and columns that is."""
    columns = (weights > 0) & (present.sum(axis=0) > 0)
    rows = present[:, columns].sum(axis=1) > 0
    if rows.sum() < 2 or columns.sum() < 2:
        return None, rows, columns
    kept = np.ascontiguousarray(present[np.ix_(rows, columns)])
    vectors = complexity_vectors(kept, weights[columns].astype(np.float64))
    is_whole = vectors.eigenvalues[1] < 1.0 - _FALLEN_APART and np.any(vectors.places)
    return (vectors if is_whole else None), rows, columns


def _spread(values: Array, at: Array) -> Array:
    """Return values at their places, NaN elsewhere."""
    full = np.full(len(at), np.nan)
    full[at] = values
    return full


def _ranks(drawn: Array, index: Array) -> Array:
    """Return the ranks of a draw, 1 for the highest, turned to agree with the index."""
    known = ~np.isnan(drawn)
    values = drawn[known]
    agreement = (values - values.mean()) @ (index[known] - index[known].mean())
    order = np.argsort(np.argsort(-np.sign(agreement or 1.0) * values, kind="stable"))
    return _spread(order + 1.0, known)


def _intervals(
    kind: str,
    labels: tuple[str, ...],
    index: Array,
    known: Array,
    drawn: list[Array],
    level: float,
) -> pl.DataFrame:
    """Return rank, low and high of every label whose index is known, best first."""
    low = high = np.full(int(known.sum()), np.nan)
    if drawn:
        ranks = np.array(drawn)
        seen = ~np.isnan(ranks).all(axis=0)
        tail = 0.5 * (1.0 - level)
        low, high = low.copy(), low.copy()
        low[seen] = np.nanquantile(ranks[:, seen], tail, axis=0, method="lower")
        high[seen] = np.nanquantile(ranks[:, seen], 1.0 - tail, axis=0, method="higher")
    frame = pl.DataFrame(
        {
            "kind": [kind] * int(known.sum()),
            "label": [x for x, k in zip(labels, known, strict=True) if k],
            "index": index[known],
            "low": low,
            "high": high,
        },
        schema_overrides={"kind": pl.String, "label": pl.String},
    ).with_columns(pl.col("low", "high").fill_nan(None).cast(pl.Int64))
    rank = pl.col("index").rank("min", descending=True).cast(pl.Int64)
    frame = frame.with_columns(rank=rank).select("kind", "label", "index", "rank", "low", "high")
    return frame.sort(["rank", "label"])
