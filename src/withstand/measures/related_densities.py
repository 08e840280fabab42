"""Related density: how many of the activities akin to one a region already has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.measures.location_quotients import LocationQuotient
from withstand.measures.proximities import colocation
from withstand.model.checked_frames import checked_frame
from withstand.model.encoding import encode
from withstand.model.findings import Finding, listed, make_finding, nearest
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

_PROXIMITY = Table(
    name="proximity",
    meaning="How akin two activities are.",
    columns=(
        Column(name="activity", meaning="An activity.", type="label", required=True),
        Column(name="other", meaning="Another one.", type="label", required=True),
        Column(name="proximity", meaning="How akin.", type="number", required=True),
    ),
    key=("activity", "other"),
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RelatedDensity:
    """How many of the activities akin to each one every region has.

    Parameters
    ----------
    regions : tuple of str, m
    activities : tuple of str, n
    density : ndarray of float64, shape (m, n), 0 to 1
        NaN where nothing akin is known.
    lq : ndarray of float64, shape (m, n)
        NaN where not known.
    proximity : ndarray of float64, shape (n, n), 0 or more
    least : float
        An activity is present from this quotient on.
    findings : tuple of Finding
    """

    regions: tuple[str, ...]
    activities: tuple[str, ...]
    density: Array
    lq: Array
    proximity: Array
    least: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return region, activity, lq, is_present, density; empty where not known."""
        m, n = self.density.shape
        region = pl.Series("region", self.regions, dtype=pl.String)
        activity = pl.Series("activity", self.activities, dtype=pl.String)
        frame = pl.DataFrame(
            {
                "region": region.gather(np.repeat(np.arange(m), n)),
                "activity": activity.gather(np.tile(np.arange(n), m)),
                "lq": pl.Series(self.lq.ravel()).fill_nan(None),
            }
        )
        density = pl.Series("density", self.density.ravel()).fill_nan(None)
        return frame.with_columns(is_present=pl.col("lq") >= self.least).with_columns(density)

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def within_reach(self, region: str, n: int = 10) -> pl.DataFrame:
        """Return activity, lq, density: what a region lacks and has most akin to, densest first.

        Raises
        ------
        UsageError
            If there is no such region.
        """
        if region not in self.regions:
            near = nearest(region, self.regions)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no region '{region[:60]}' here.{hint}")
        r = self.regions.index(region)
        frame = pl.DataFrame(
            {"activity": list(self.activities), "lq": self.lq[r], "density": self.density[r]}
        ).with_columns(pl.col("lq", "density").fill_nan(None))
        lacking = frame.filter((pl.col("lq") < self.least) & pl.col("density").is_not_null())
        return lacking.sort(["density", "activity"], descending=[True, False]).head(n)

    def why(self, region: str, activity: str, n: int = 10) -> pl.DataFrame:
        """Return other, proximity, lq, is_present: the activities most akin to one, in a region.

        Raises
        ------
        UsageError
            If there is no such region or activity.
        """
        for label, known in ((region, self.regions), (activity, self.activities)):
            if label not in known:
                near = nearest(label, known)
                hint = f" Did you mean {near}?" if near else ""
                raise UsageError(f"There is no '{label[:60]}' here.{hint}")
        r, j = self.regions.index(region), self.activities.index(activity)
        frame = pl.DataFrame(
            {"other": list(self.activities), "proximity": self.proximity[j], "lq": self.lq[r]}
        ).with_columns(pl.col("lq").fill_nan(None))
        akin = frame.filter(pl.col("proximity") > 0)
        akin = akin.with_columns(is_present=pl.col("lq") >= self.least)
        return akin.sort(["proximity", "other"], descending=[True, False]).head(n)

    def summary(self) -> str:
        """Return one sentence."""
        known = self.density[~np.isnan(self.density)]
        mean = f"{known.mean():.2f}" if len(known) else "not known"
        return (
            f"{len(self.activities):,} activities in {len(self.regions):,} regions: the mean "
            f"density of what is akin is {mean}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        m, n = self.density.shape
        return f"<RelatedDensity of {n:,} activities in {m:,} regions>"


def related_density(
    quotients: LocationQuotient, proximity: pl.DataFrame | None = None, *, least: float = 1.0
) -> RelatedDensity:
    """Say how many of the activities akin to one a region already has.

        density_rj = sum_i phi_ij M_ri / sum_i phi_ij,  i other than j,

    with M_ri = 1 if activity i has a location quotient of `least` or more in region r, and the
    proximity phi_ij, if none is given, the smaller of the two chances that a region which has the
    one has the other too: regions with both / max(regions with i, regions with j).

    Parameters
    ----------
    quotients : LocationQuotient
        Of activities at one level: groups beside their members would be akin by construction.
    proximity : polars.DataFrame, optional
        activity, other, proximity; taken in both directions (their mean if both stand there),
        below 0 as 0. The relatedness of occupations fits, its columns renamed.
    least : float

    Returns
    -------
    RelatedDensity
        Unit: a share, 0 to 1.

    Raises
    ------
    UsageError
        If `least` is not above 0.
    DataError
        If `proximity` has faults, or none of its activities is in the table.

    Notes
    -----
    A quotient that is not known counts neither above nor below the line of the fraction; an
    activity without a row in a region counts as not there. For phi, not known counts as not there.

    References
    ----------
    Hidalgo, Klinger, Barabasi & Hausmann (2007), The product space conditions the development of
    nations, Science 317; they leave the activity itself in the sums, we leave it out.

    Examples
    --------
    Gears and robots stand out together in N and E; the fishers of S have nothing akin to them.

    >>> from withstand.measures.location_quotients import location_quotient
    >>> frame = pl.DataFrame({"region": ["N", "N", "E", "E", "S"],
    ...                       "activity": ["gears", "robots", "gears", "robots", "fish"],
    ...                       "value": [1.0, 1.0, 1.0, 1.0, 2.0]})
    >>> result = related_density(location_quotient(frame))
    >>> result.to_frame().filter(pl.col("activity") == "robots").select("region", "density").rows()
    [('N', 1.0), ('E', 1.0), ('S', 0.0)]
    """
    if not isinstance(quotients, LocationQuotient):
        raise UsageError(
            "related_density takes what location_quotient returns, not the table itself."
        )
    if not least > 0:
        raise UsageError(f"least = {least}: an activity is present from a quotient above 0 on.")
    rows = quotients.rows
    regions = rows["region"].unique(maintain_order=True)
    activities = rows["activity"].unique(maintain_order=True)
    lq = np.zeros((len(regions), len(activities)))
    at = encode(regions, rows["region"]), encode(activities, rows["activity"])
    lq[at] = rows["lq"].fill_null(np.nan).to_numpy()
    present = np.nan_to_num(lq) >= least
    findings = list(quotients.findings)
    if proximity is None:
        phi = colocation(present.astype(np.float64))
    else:
        phi, more = _given(proximity, activities)
        findings += more
    np.fill_diagonal(phi, 0.0)
    akin = (~np.isnan(lq)).astype(np.float64) @ phi
    has = present.astype(np.float64) @ phi
    density = np.where(akin > 0, has / np.where(akin > 0, akin, 1.0), np.nan)
    return RelatedDensity(
        regions=tuple(regions),
        activities=tuple(activities),
        density=density,
        lq=lq,
        proximity=phi,
        least=least,
        findings=tuple(findings),
    )


def _given(proximity: pl.DataFrame, activities: pl.Series) -> tuple[Array, list[Finding]]:
    """Return the proximities of a frame, symmetric, 0 where not stated."""
    frame, findings = checked_frame(proximity, _PROXIMITY)
    one, other = encode(activities, frame["activity"]), encode(activities, frame["other"])
    is_known = (one >= 0) & (other >= 0)
    if not is_known.any():
        label = frame["activity"][0] if frame.height else None
        what = "'proximity' names no two activities of the table"
        near = nearest(label, activities.to_list()) if label else None
        found = make_finding("E104", what, column="activity", value=label, suggestion=near)
        raise DataError([found])
    n = len(activities)
    total, times = np.zeros((n, n)), np.zeros((n, n))
    values = np.maximum(frame["proximity"].cast(pl.Float64).to_numpy(), 0.0)[is_known]
    i, j = one[is_known], other[is_known]
    for a, b in ((i, j), (j, i)):
        total[a, b] += values
        times[a, b] += 1.0
    silent = (times + np.eye(n)).sum(axis=1) <= 1
    if silent.any():
        names = [activities[int(k)] for k in np.flatnonzero(silent)]
        what = f"'proximity' says nothing about {listed(names)}"
        findings.append(make_finding("W536", what, value=names[0], count=len(names)))
    return total / np.where(times > 0, times, 1.0), findings
