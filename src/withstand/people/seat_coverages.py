"""Training capacity by region: seats beside the people that each region needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import Finding, has_errors, make_finding, nearest, sort_findings
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

_PLACE = (
    Column(name="occupation", meaning="The occupation.", type="label", required=True),
    Column(name="region", meaning="The region.", type="label", required=True),
)
_SEATS = Table(
    name="seats",
    meaning="Places for new entrants.",
    columns=(
        *_PLACE,
        Column(name="programme", meaning="The programme.", type="label"),
        Column(name="seats", meaning="Entrants a year.", type="number", low=0.0, required=True),
        Column(
            name="completion", meaning="Share that completes.", type="number", low=0.0, high=1.0
        ),
        Column(name="retention", meaning="Share that stays.", type="number", low=0.0, high=1.0),
    ),
    key=("occupation", "region", "programme"),
)
_NEEDS = Table(
    name="needs",
    meaning="People needed each year.",
    columns=(
        *_PLACE,
        Column(name="people", meaning="New people a year.", type="number", low=0.0, required=True),
    ),
    key=("occupation", "region"),
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TrainingCoverage:
    """Seats beside needs, by occupation and region.

    Parameters
    ----------
    rows : DataFrame
        As `to_frame` returns it.
    findings : tuple of Finding
    """

    rows: pl.DataFrame
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each occupation and region that has seats or needs.

        seats, graduates, needed, gap (needed less graduates; below 0: more than needed), all
        in people per year; coverage (graduates / needed; empty where nobody is needed).
        """
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_region(self) -> pl.DataFrame:
        """Return the sums of each region; mismatch is the half sum of absolute share differences.

        Mismatch 0: graduates are spread over occupations as needs are; 1: none is where one is
        needed. Empty where there are no graduates or no needs.
        """
        return self._summed("region")

    def by_occupation(self) -> pl.DataFrame:
        """Return the sums of each occupation; mismatch over its regions."""
        return self._summed("occupation")

    def matrix(self) -> pl.DataFrame:
        """Return coverage with a row for each occupation and a column for each region.

        Empty where nobody is needed. Rows and columns are in alphabetical order.
        """
        wide = self.rows.sort("region", "occupation").pivot(
            on="region", index="occupation", values="coverage"
        )
        return wide.sort("occupation")

    def _summed(self, by: str) -> pl.DataFrame:
        share = (pl.col("graduates") / pl.col("graduates").sum()) - (
            pl.col("needed") / pl.col("needed").sum()
        )
        both = (pl.col("graduates").sum() > 0) & (pl.col("needed").sum() > 0)
        total = self.rows.group_by(by, maintain_order=True).agg(
            pl.col("seats", "graduates", "needed", "gap").sum(),
            pl.when(both).then(share.abs().sum() / 2).alias("mismatch"),
        )
        covered = pl.when(pl.col("needed") > 0).then(pl.col("graduates") / pl.col("needed"))
        order = [by, "seats", "graduates", "needed", "gap", "coverage", "mismatch"]
        return total.with_columns(coverage=covered).select(order).sort(by)

    def summary(self) -> str:
        """Return one sentence: how much is covered, and where least."""
        needed = float(self.rows["needed"].sum())
        graduates = float(self.rows["graduates"].sum())
        if needed == 0:
            return f"Nobody is needed; there are seats for {self.rows['seats'].sum():,.0f} a year."
        worst = self.rows.sort(["gap", "occupation", "region"], descending=[True, False, False])
        row = worst.row(0, named=True)
        return (
            f"Training covers {graduates / needed:.0%} of the {needed:,.0f} people needed a year; "
            f"the largest gap is {row['occupation']} in {row['region']} ({row['gap']:,.0f})."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<TrainingCoverage of {self.rows.height:,} occupations x regions>"


def training_coverage(seats: pl.DataFrame, needs: pl.DataFrame) -> TrainingCoverage:
    """Put training seats beside the people that each region needs.

        graduates = sum over programmes of seats x completion x retention
        coverage  = graduates / needed

    Parameters
    ----------
    seats : polars.DataFrame
        occupation, region, seats [entrants a year]; programme where there are several for one
        occupation and region; completion and retention [0 to 1], 1 where not given. Retention is
        the share of graduates who take up work in the region.
    needs : polars.DataFrame
        occupation, region, people [new people a year].

    Returns
    -------
    TrainingCoverage

    Raises
    ------
    DataError
        Rows that stand twice, negative numbers, shares above 1, labels that differ from those of
        the needs by capitals only.

    Notes
    -----
    Seats for an occupation or region that no need names are a finding (W535), with the nearest one.
    A steady state: how long the training takes does not enter, nor who moves between regions after
    graduating (but for those whom retention leaves out). For the path over years see
    `people.project`.

    Examples
    --------
    >>> seats = pl.DataFrame({"occupation": ["grinder", "grinder"], "region": ["N", "S"],
    ...                       "seats": [40.0, 10.0], "completion": [0.75, 0.5]})
    >>> needs = pl.DataFrame({"occupation": ["grinder", "welder"], "region": ["N", "S"],
    ...                       "people": [60.0, 20.0]})
    >>> result = training_coverage(seats, needs)
    >>> result.to_frame().select("occupation", "region", "graduates", "coverage").rows()
    [('grinder', 'N', 30.0, 0.5), ('grinder', 'S', 5.0, None), ('welder', 'S', 0.0, 0.0)]
    """
    given, findings = checked_frame(seats, _SEATS)
    wanted, more = checked_frame(needs, _NEEDS)
    if wanted.height == 0:
        raise UsageError("'needs' has no rows, so there is nothing to cover.")
    for column in ("occupation", "region"):
        findings += _not_needed(given, wanted, column)
    if has_errors(findings):
        raise DataError(sort_findings(findings))
    out = pl.col("seats").cast(pl.Float64)
    for share in ("completion", "retention"):
        if share in given.columns:
            out = out * pl.col(share).cast(pl.Float64).fill_null(1.0)
    key = ["occupation", "region"]
    trained = given.group_by(key).agg(pl.col("seats").cast(pl.Float64).sum(), graduates=out.sum())
    needed = wanted.select(*key, needed=pl.col("people").cast(pl.Float64))
    rows = trained.join(needed, on=key, how="full", coalesce=True).sort(key)
    rows = rows.with_columns(pl.col("seats", "graduates", "needed").fill_null(0.0))
    rows = rows.with_columns(
        gap=pl.col("needed") - pl.col("graduates"),
        coverage=pl.when(pl.col("needed") > 0).then(pl.col("graduates") / pl.col("needed")),
    )
    return TrainingCoverage(rows=rows, findings=(*findings, *more))


def _not_needed(seats: pl.DataFrame, needs: pl.DataFrame, column: str) -> list[Finding]:
    """Find labels of seats that no need has; one that differs by capitals only is a fault."""
    known = needs[column].unique(maintain_order=True).to_list()
    found = []
    for label in sorted(set(seats[column]) - set(known)):
        near = nearest(label, known)
        code = "E104" if near and near.casefold() == label.casefold() else "W535"
        what = f"seats name the {column} '{label}', which no row of needs has"
        found.append(make_finding(code, what, column=column, value=label, suggestion=near))
    return found
