"""How far regions can be relied upon, 0 to 1: from governance, or from votes; what to expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.measures.selections import as_list
from withstand.model.blocs import country_of
from withstand.model.findings import listed, make_finding, nearest

Array = np.ndarray
Reliability = Mapping[str, float] | pl.DataFrame
MOST_EXACT = 12
"""Partners up to which every case of who fails is gone through."""
WORST_ESTIMATE, BEST_ESTIMATE = -2.5, 2.5
"""Ends of the scale of the Worldwide Governance Indicators; few countries lie outside."""


def governance_reliability(
    frame: pl.DataFrame,
    *,
    year: int | None = None,
    region: str = "Code",
    value: str = "value",
) -> pl.DataFrame:
    """Return reliability from an indicator of governance: (estimate + 2.5) / 5, cut to 0 to 1.

    The estimates of the Worldwide Governance Indicators (Kaufmann and Kraay, World Bank) lie
    between -2.5 (weak) and 2.5 (strong) but for a few countries. It is a scale and no probability:
    nobody has counted failures of supply behind it.

    Parameters
    ----------
    frame : polars.DataFrame
        A row for each region and year. With a column `stat`, only rows "Estimate" are used.
    year : int, optional
        Default: the last one, if there is a column `year`.
    region, value : str
        Names of the columns.

    Returns
    -------
    polars.DataFrame
        region, reliability (0 to 1), basis. Regions without an estimate are left out; of a region
        with two rows the first counts, and `basis` says so.

    Raises
    ------
    DataError
        If a column is missing.
    UsageError
        If there is no such year, or no estimate.

    Examples
    --------
    >>> frame = pl.DataFrame({"Code": ["NOR", "SDN"], "year": [2022, 2022], "value": [0.9, -2.0]})
    >>> governance_reliability(frame).select("region", "reliability").rows()
    [('NOR', 0.68), ('SDN', 0.1)]
    """
    if "stat" in frame.columns:
        frame = frame.filter(pl.col("stat").cast(pl.String) == "Estimate")
    rows, when = _of_year(frame, region, value, year)
    width = BEST_ESTIMATE - WORST_ESTIMATE
    score = ((pl.col("value") - WORST_ESTIMATE) / width).clip(0.0, 1.0)
    return _with_basis(rows, score, f"governance{when}: (estimate + 2.5) / 5")


def voting_reliability(
    frame: pl.DataFrame,
    home: str | Sequence[str],
    *,
    year: int | None = None,
    region: str = "iso3c",
    value: str = "IdealPoint",
) -> pl.DataFrame:
    """Return reliability from votes: 1 - distance of ideal points from home / widest of all.

    1 is who votes as home does, 0 would be a region as far away as the two farthest of that year
    are from each other. Ideal points (Bailey, Strezhnev and Voeten 2017) are estimated anew in
    each release: years of one release can be compared, two releases cannot.

    Parameters
    ----------
    frame : polars.DataFrame
        A row for each region and year.
    home : str or sequence of str
        Codes as in the column of regions; of several the mean ideal point counts.
    year : int, optional
        Default: the last one, if there is a column `year`.
    region, value : str
        Names of the columns.

    Returns
    -------
    polars.DataFrame
        region, reliability (0 to 1), basis.

    Raises
    ------
    DataError
        If a column is missing.
    UsageError
        If there is no such year, or home has no ideal point in it.

    Examples
    --------
    >>> frame = pl.DataFrame({"iso3c": ["USA", "FRA", "SYR"], "IdealPoint": [2.5, 1.5, -1.5]})
    >>> voting_reliability(frame, "FRA").select("region", "reliability").rows()
    [('USA', 0.75), ('FRA', 1.0), ('SYR', 0.25)]
    """
    rows, when = _of_year(frame, region, value, year)
    known = dict(rows.select("region", "value").iter_rows())
    missing = [h for h in as_list(home) if h not in known]
    if missing:
        near = nearest(missing[0], list(known))
        raise UsageError(
            f"Home '{missing[0][:40]}' has no ideal point{when}."
            + (f" Did you mean {near}?" if near else "")
        )
    ours = float(np.mean([known[h] for h in as_list(home)]))
    width = max(known.values()) - min(known.values())
    distance = (pl.col("value") - ours).abs() / (width or 1.0)
    return _with_basis(rows, 1.0 - distance, f"votes{when}: 1 - distance to home / widest distance")


def _of_year(
    frame: pl.DataFrame, region: str, value: str, year: int | None
) -> tuple[pl.DataFrame, str]:
    """Return region and value of one year (the first row of each region), and its words."""
    for name in (region, value):
        if name not in frame.columns:
            near = nearest(name, frame.columns)
            what = f"the frame needs a column '{name}'"
            raise DataError([make_finding("E101", what, column=name, suggestion=near)])
    rows = frame.filter(pl.col(value).is_not_null() & pl.col(value).is_not_nan())
    when = ""
    if "year" in frame.columns:
        years = rows["year"].unique().sort().to_list()
        chosen = year if year is not None else (years[-1] if years else None)
        if chosen not in years:
            raise UsageError(f"There is no value for the year {chosen}; years: {listed(years, 8)}.")
        rows = rows.filter(pl.col("year") == chosen)
        when = f" {chosen}"
    elif year is not None:
        raise UsageError("year is given, and the frame has no column 'year'.")
    if rows.height == 0:
        raise UsageError(f"The column '{value}' holds no number.")
    rows = rows.select(
        pl.col(region).cast(pl.String).alias("region"),
        pl.col(value).cast(pl.Float64).alias("value"),
    )
    return rows.group_by("region", maintain_order=True).agg(
        pl.col("value").first(), pl.len().alias("rows")
    ), when


def _with_basis(rows: pl.DataFrame, score: pl.Expr, basis: str) -> pl.DataFrame:
    repeated = pl.when(pl.col("rows") > 1).then(pl.lit("; first of several rows"))
    words = pl.lit(basis) + repeated.otherwise(pl.lit(""))
    return rows.select("region", score.alias("reliability"), words.alias("basis"))


def reliability_by_region(given: Reliability) -> dict[str, float]:
    """Return reliability by label, from a mapping or a frame with region and reliability.

    Raises
    ------
    DataError
        If a column is missing.
    UsageError
        If a number is not between 0 and 1.
    """
    if isinstance(given, pl.DataFrame):
        for name in ("region", "reliability"):
            if name not in given.columns:
                near = nearest(name, given.columns)
                what = f"'reliability' needs a column '{name}'"
                raise DataError([make_finding("E101", what, column=name, suggestion=near)])
        rows = given.select(pl.col("region").cast(pl.String), "reliability").drop_nulls()
        known = {str(r): float(x) for r, x in rows.iter_rows()}
    elif isinstance(given, Mapping):
        known = {str(r): float(x) for r, x in given.items()}
    else:
        raise UsageError(
            "reliability takes a frame with the columns region and reliability, or a mapping "
            "{'DE': 0.9}."
        )
    for label, x in known.items():
        if not 0.0 <= x <= 1.0:
            raise UsageError(f"reliability of {label[:40]} is {x:g}; it must lie between 0 and 1.")
    return known


def reliability_of(label: str, known: Mapping[str, float]) -> float | None:
    """Return the reliability of a region, found by its label or as a country in another code.

    Examples
    --------
    >>> reliability_of("DE", {"DEU": 0.9}), reliability_of("Mine 7", {"DEU": 0.9}) is None
    (0.9, True)
    """
    if label in known:
        return known[label]
    country = country_of(label)
    if country is None:
        return None
    return next((x for other, x in known.items() if country_of(other) == country), None)


def expected_value(
    members: Sequence[int],
    reliability: Mapping[int, float],
    value: Callable[[int], float],
    *,
    samples: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the value expected when each member fails by itself, and its standard error.

    sum over subsets S of the members of prod_S r_i prod_others (1 - r_j) v(S): all of them up to
    twelve members (error 0), random ones beyond.

    Parameters
    ----------
    members : sequence of int
    reliability : mapping of member to float, 0 to 1
    value : callable
        Value of a set given as an integer of bits.
    samples : int
        Draws, where not every case is gone through.
    rng : numpy Generator

    Examples
    --------
    >>> import numpy as np
    >>> expected_value([0, 1], {0: 0.9, 1: 0.5}, lambda s: float(s == 3), samples=1,
    ...                rng=np.random.default_rng(0))
    (0.45, 0.0)
    """
    sure = sum(1 << i for i in members if reliability[i] >= 1.0)
    open_ = [i for i in members if 0.0 < reliability[i] < 1.0]
    if len(open_) <= MOST_EXACT:
        total = 0.0
        for size in range(len(open_) + 1):
            for there in combinations(open_, size):
                chance = 1.0
                for i in open_:
                    chance *= reliability[i] if i in there else 1.0 - reliability[i]
                total += chance * value(sure + sum(1 << i for i in there))
        return total, 0.0
    chances = np.array([reliability[i] for i in open_])
    drawn = rng.random((max(samples, 2), len(open_))) < chances
    values = np.array(
        [value(sure + sum(1 << i for i, is_in in zip(open_, row, strict=True) if is_in))
         for row in drawn]
    )  # fmt: skip
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
