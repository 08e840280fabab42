"""Graduates beside what employers need: coverage, mismatch, graduates used and wasted, posts open.

For an occupation and region (or either) and a year, with needed entrants n (those of
`Projection.openings`, or the vacancies), graduates g = placed p + elsewhere e, and arrivals a from
outside, who are taken first:

    used = min(p, max(n - a, 0))        beyond need = p - used        wasted = beyond need + e
    unmet = max(n - a - p, 0)           coverage = g / n              used + wasted = g
    mismatch of a year = half the sum of |share of g - share of n| over all groups, n at least 0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.people.projection_results import BY, SMALLEST_GAP, sums_of
from withstand.people.target_values import coverage_parts
from withstand.people.targets import amount

if TYPE_CHECKING:
    import pandas as pd

    from withstand.people.projection_results import Projection

Array = np.ndarray
AGAINST = ("openings", "vacancies")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Alignment:
    """Graduates beside the need for them.

    Parameters
    ----------
    against : {"openings", "vacancies"}
    rows : DataFrame
        As `to_frame` returns it.
    """

    against: str
    rows: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each group and year, in people.

        occupation and region (as far as asked for), year, graduates, placed (at work in the group),
        elsewhere (without a place), arrivals, needed, used, beyond_need, wasted, unmet; coverage
        (graduates / needed, empty where nobody is needed).
        """
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_year(self) -> pl.DataFrame:
        """Return the sums of each year, with coverage and mismatch (0 to 1).

        Mismatch is the share of graduates who would have to be of another group for graduates to be
        spread as the need is; empty where there are no graduates, or nobody is needed.
        """
        needed = pl.col("needed").clip(lower_bound=0.0)
        shares = [x / x.sum() for x in (pl.col("graduates"), needed)]
        sums = [c for c in self.rows.columns if c not in (*BY, "year", "coverage", "needed")]
        return (
            self.rows.group_by("year", maintain_order=True)
            .agg(
                pl.col(*sums).sum(),
                needed.sum().alias("needed"),
                (0.5 * (shares[0] - shares[1]).abs().sum()).alias("mismatch"),
                _coverage(pl.col("graduates").sum(), needed.sum()).alias("coverage"),
            )
            .with_columns(
                mismatch=pl.when((pl.col("graduates") > 0) & (pl.col("needed") > 0)).then(
                    pl.col("mismatch").clip(0.0, 1.0)
                )
            )
            .select("year", "graduates", "needed", "coverage", "mismatch",
                    *[c for c in sums if c != "graduates"])
        )  # fmt: skip

    def summary(self) -> str:
        """Return a few sentences: how many graduates are used, wasted, missing, and where."""
        frame = self.rows
        years = frame["year"].to_list()
        first, last = min(years), max(years)
        total, used, wasted, unmet, away = (
            float(frame[c].sum()) for c in ("graduates", "used", "wasted", "unmet", "elsewhere")
        )
        if total <= 0:
            return f"No graduates in {first} to {last}; {amount(unmet)} entrants are missing."
        lines = [
            f"Of {amount(total)} graduates in {first} to {last}, {amount(used)} take up work that "
            f"is needed ({used / total:.0%}); {amount(wasted)} do not, of whom {amount(away)} are "
            f"qualified but elsewhere. {amount(unmet)} entrants are missing."
        ]
        for name, words in (("wasted", "Most beyond the need"), ("unmet", "Most missing")):
            keys = [k for k in BY if k in frame.columns]
            sums = frame.group_by(keys, maintain_order=True).agg(pl.col(name).sum())
            worst = sums.sort(name, descending=True, maintain_order=True).row(0, named=True)
            if worst[name] > SMALLEST_GAP:
                who = " in ".join(str(worst[k]) for k in keys)
                lines.append(f"{words}: {who}, {amount(worst[name])}.")
        mismatch = self.by_year().drop_nulls("mismatch")
        if mismatch.height:
            row = mismatch.row(-1, named=True)
            lines.append(
                f"In {row['year']}, {row['mismatch']:.0%} of the graduates would have to be of "
                "another field or region to be spread as the need is."
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return one line."""
        used, total = (float(self.rows[c].sum()) for c in ("used", "graduates"))
        return f"<Alignment: {amount(used)} of {amount(total)} graduates used>"


def alignment(
    projection: Projection,
    by: str | Sequence[str] = BY,
    *,
    against: str = "openings",
) -> Alignment:
    """Compare the graduates of each year with what employers need, by occupation and region.

    Parameters
    ----------
    projection : Projection
        With a need that is known: that of a network, or stated. Occupations without one are left
        out.
    by : sequence of {"occupation", "region"}
        Groups within which graduates can take each other's place.
    against : {"openings", "vacancies"}
        openings: the needed entrants of the year: growth of the need, exits and net moves out, as
        `Projection.openings` counts them. vacancies: everybody missing at the end of the year if
        nobody entered in it, so that posts left empty in earlier years count again, and people too
        many are taken off.

    Returns
    -------
    Alignment

    Raises
    ------
    UsageError
        If no need is known, or an argument is not possible.

    Examples
    --------
    Ten nurses leave a year; sixteen graduate, of whom two take up other work.

    >>> from withstand import people
    >>> tables = {"occupations": {"occupation": ["NURSE"], "people": [100], "exit_rate": [0.1],
    ...                           "people_needed": [100]},
    ...           "programmes": {"programme": ["SCHOOL"], "occupation": ["NURSE"],
    ...                          "duration": [1], "seats": [16], "retention": [0.875],
    ...                          "first_year": [2025]}}
    >>> found = alignment(people.project(tables, years=[2026]))
    >>> found.to_frame().select("graduates", "needed", "used", "wasted", "coverage").row(0)
    (16.0, 10.0, 10.0, 6.0, 1.6)
    """
    keys = [by] if isinstance(by, str) else list(by)
    if not keys or not set(keys) <= set(BY):
        raise UsageError(f"by must name some of {', '.join(BY)}, not {str(by)[:60]}.")
    if against not in AGAINST:
        raise UsageError(f"against must be one of {', '.join(AGAINST)}, not '{str(against)[:40]}'.")
    if projection.needed is None:
        raise UsageError(
            "No need is known. Give needs= (occupation, year, people) to the projection, fill "
            "people_needed in occupations, or project a network whose recipes take the hours."
        )
    _, needed = coverage_parts(projection)
    played, k = projection.played, projection.pipeline.steps_per_year
    if against == "vacancies":  # posts empty at the start of the year, or people too many there
        start = _grouped(projection, played.stock[:-1:k])
        needed = needed + projection.needed[:-1] - start
    values = {
        "placed": _grouped(projection, played.placed),
        "elsewhere": _grouped(projection, played.to_elsewhere),
        "arrivals": _grouped(projection, played.arrivals),
        "needed": needed,
    }
    return Alignment(against=against, rows=_rows(projection, values, keys))


def _grouped(projection: Projection, values: Array) -> Array:
    return sums_of(values, projection.group_of, projection.groups.height)


def _rows(projection: Projection, values: dict[str, Array], keys: list[str]) -> pl.DataFrame:
    n, years = projection.groups.height, projection.years
    rows = np.repeat(np.arange(n), len(years))
    is_known = pl.Series(~np.isnan(values["needed"][0]))[rows]
    labels = [*keys, "year"]
    placed, open_posts = pl.col("placed"), (pl.col("needed") - pl.col("arrivals")).clip(0.0)
    used = pl.min_horizontal(placed, open_posts)
    frame = projection.groups.select(keys)[rows].with_columns(
        pl.Series("year", np.tile(years, n), dtype=pl.Int64),
        **{name: pl.Series(np.ascontiguousarray(x.T).ravel()) for name, x in values.items()},
    )
    return (
        frame.filter(is_known)
        .group_by(labels, maintain_order=True)
        .sum()
        .with_columns(
            graduates=placed + pl.col("elsewhere"),
            used=used,
            beyond_need=placed - used,
            wasted=placed - used + pl.col("elsewhere"),
            unmet=open_posts - used,
        )
        .with_columns(coverage=_coverage(pl.col("graduates"), pl.col("needed")))
        .select(*labels, "graduates", "placed", "elsewhere", "arrivals", "needed", "used",
                "beyond_need", "wasted", "unmet", "coverage")
    )  # fmt: skip


def _coverage(graduates: pl.Expr, needed: pl.Expr) -> pl.Expr:
    return pl.when(needed > SMALLEST_GAP).then(graduates / needed)
