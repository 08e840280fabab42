"""Targets against a projection: what is reached, by how much it is missed, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.people.target_tables import Target, aims_of
from withstand.people.target_values import values_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.people.projection_results import Projection

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Attainment:
    """Targets and what a projection makes of them.

    Parameters
    ----------
    targets : tuple of Target
    results, years, groups : DataFrame
        As `to_frame`, `by_year` and `by_group` return them.
    findings : tuple of Finding
    """

    targets: tuple[Target, ...]
    results: pl.DataFrame
    years: pl.DataFrame
    groups: pl.DataFrame
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each target.

        target (its number, from 1), indicator, filter, direction, year, value, projected, gap (by
        how much it is missed, 0 if met), is_met, first_met (first year, up to the target's, in
        which it is met; empty if there is none).
        """
        return self.results

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_year(self) -> pl.DataFrame:
        """Return the indicator of each year: target, year, projected, gap, is_met."""
        return self.years

    def by_group(self) -> pl.DataFrame:
        """Return the indicator by occupation, region and year: target, ..., projected."""
        return self.groups

    @property
    def is_met(self) -> bool:
        """Whether all targets are met."""
        return bool(self.results["is_met"].fill_null(value=False).all())

    def summary(self) -> str:
        """Return a sentence for each target."""
        rows = self.results.iter_rows(named=True)
        return "\n".join(_told(t, r) for t, r in zip(self.targets, rows, strict=True))

    def __repr__(self) -> str:
        """Return one line: how many are met."""
        return f"<Attainment: {int(self.results['is_met'].sum())} of {len(self.targets)} met>"


def attainment(projection: Projection, targets: Any = None, source: Any = None) -> Attainment:
    """Say which targets a projection meets, by how much it misses the others, and where.

    Parameters
    ----------
    projection : Projection
    targets : Target, sequence of Target, or frame; optional
        Default: the table of targets of the source, of which those that are not about people are
        left out with a note.
    source : ProductionNetwork or mapping of str to frame, optional
        What the projection was made from: its table of targets, and the codes of occupations that
        filters name (without it, a code is the beginning of the occupation's label).

    Returns
    -------
    Attainment

    Raises
    ------
    DataError
        With every fault of the targets: unknown indicators and labels (with the nearest one), years
        that are not played, values that cannot be.
    UsageError
        If there are no targets.

    Examples
    --------
    Twenty enter a two-year programme every year from 2026 on, and half of them complete.

    >>> from withstand import people
    >>> tables = {"occupations": {"occupation": ["NURSE"], "people": [100]},
    ...           "programmes": {"programme": ["SCHOOL"], "occupation": ["NURSE"],
    ...                          "duration": [2], "completion": [0.5], "seats": [20]}}
    >>> found = attainment(people.project(tables, years=range(2026, 2031)),
    ...                    people.Target("graduates", 2030, 50))
    >>> found.by_year()["projected"].to_list()
    [0.0, 0.0, 10.0, 20.0, 30.0]
    >>> print(found.summary())
    graduates at least 50 by 2030: 30 projected, 20 short.
    """
    aims, findings = aims_of(targets, projection, source)
    results, years, groups = [], [], []
    for number, aim in enumerate(aims, 1):
        target = aim.target
        total, each, labels = values_of(projection, aim)
        upto = int(target.year - projection.years[0]) + 1
        met = [_met(target, x) for x in total]
        by_now = [y for y, m in zip(projection.years[:upto].tolist(), met, strict=False) if m]
        results.append(
            {
                "target": number,
                "indicator": target.indicator,
                "filter": target.filter,
                "direction": target.direction,
                "year": target.year,
                "value": target.value,
                "projected": float(total[upto - 1]),
                "gap": target.gap(total[upto - 1]),
                "is_met": met[upto - 1],
                "first_met": by_now[0] if by_now else None,
            }
        )
        years.append(
            pl.DataFrame(
                {
                    "target": np.full(len(total), number),
                    "year": projection.years,
                    "projected": total,
                    "gap": [target.gap(x) for x in total],
                    "is_met": pl.Series(met, dtype=pl.Boolean),
                }
            )
        )
        groups.append(_by_group(number, projection.years, each, labels))
    schema = {"first_met": pl.Int64, "is_met": pl.Boolean}
    return Attainment(
        targets=tuple(aim.target for aim in aims),
        results=pl.DataFrame(results, schema_overrides=schema).fill_nan(None),
        years=pl.concat(years).fill_nan(None),
        groups=pl.concat(groups).fill_nan(None),
        findings=(*projection.findings, *findings),
    )


def _met(target: Target, value: float) -> bool | None:
    """Tell whether a value meets a target; None for a share of nothing."""
    return None if np.isnan(value) else target.is_met(value)


def _by_group(number: int, years: Array, each: Array, labels: pl.DataFrame) -> pl.DataFrame:
    rows = np.repeat(np.arange(labels.height), len(years))
    return labels[rows].select(
        pl.lit(number, dtype=pl.Int64).alias("target"),
        "occupation",
        "region",
        pl.Series("year", np.tile(years, labels.height), dtype=pl.Int64),
        pl.Series("projected", np.ascontiguousarray(each.T).ravel(), dtype=pl.Float64),
    )


def _told(target: Target, row: dict[str, Any]) -> str:
    value = row["projected"]
    if value is None:
        return f"{target}: nothing is needed there in that year."
    end = "met" if row["is_met"] else f"{amount(row['gap'])} {_beyond(target)}"
    return f"{target}: {amount(value)} projected, {end}."


def _beyond(target: Target) -> str:
    return "short" if target.direction == "at_least" else "too many"


def amount(x: float) -> str:
    """Return `1,000,000`, `12.5`, `no limit`."""
    if np.isinf(x):
        return "no limit"
    return f"{x:,.0f}" if abs(x) >= 1e4 or abs(x - round(x)) < 5e-7 else f"{x:,.4g}"
