"""Relatedness of occupations: how alike the skills are that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, listed, make_finding
from withstand.people.occupation_labels import occupation_index
from withstand.people.skill_vectors import skill_vectors

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
METRICS = ("centred_cosine", "cosine", "correlation")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Relatedness:
    """How alike occupations are in the skills that they ask for.

    Parameters
    ----------
    occupations : tuple of str, n
    matrix : ndarray of float64, shape (n, n), -1 to 1
        Symmetric, 1 on the diagonal.
    skills : tuple of str, k
    importance : ndarray of float64, shape (n, k), points of the scale that was given
    metric : str
    findings : tuple of Finding
    """

    occupations: tuple[str, ...]
    matrix: Array
    skills: tuple[str, ...]
    importance: Array
    metric: str
    findings: tuple[Finding, ...]

    def between(self, one: str, other: str) -> float:
        """Return the relatedness of two occupations, -1 to 1."""
        i, j = occupation_index(self.occupations, [one, other])
        return float(self.matrix[i, j])

    def nearest(self, occupation: str, n: int = 10) -> pl.DataFrame:
        """Return the n most related occupations, most related first; ties in the order given."""
        if n < 1:
            raise UsageError(f"n = {n}: ask for at least one occupation.")
        i = int(occupation_index(self.occupations, occupation)[0])
        order = np.argsort(-self.matrix[i], kind="stable")
        order = order[order != i][:n]
        return pl.DataFrame(
            {
                "occupation": [self.occupations[j] for j in order],
                "relatedness": self.matrix[i, order],
            },
            schema={"occupation": pl.String, "relatedness": pl.Float64},
        )

    def gaps(self, source: str, target: str) -> pl.DataFrame:
        """Return skill, has, needs, rise: what must rise from one to another, most first.

        Points of the scale of the importances; skills that need not rise are left out.
        """
        a, b = occupation_index(self.occupations, [source, target])
        rise = self.importance[b] - self.importance[a]
        frame = pl.DataFrame(
            {
                "skill": list(self.skills),
                "has": self.importance[a],
                "needs": self.importance[b],
                "rise": rise,
            }
        )
        return frame.filter(pl.col("rise") > 0).sort(["rise", "skill"], descending=[True, False])

    def to_frame(self) -> pl.DataFrame:
        """Return occupation, other, relatedness: a row for each ordered pair of two."""
        n = len(self.occupations)
        one, other = np.nonzero(~np.eye(n, dtype=bool))
        labels = pl.Series("occupation", self.occupations, dtype=pl.String)
        return pl.DataFrame(
            {
                "occupation": labels.gather(one),
                "other": labels.gather(other),
                "relatedness": self.matrix[one, other],
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def summary(self) -> str:
        """Return one sentence: the most related pair of all."""
        upper = np.triu_indices(len(self.occupations), 1)
        best = int(np.argmax(self.matrix[upper]))
        i, j = upper[0][best], upper[1][best]
        return (
            f"Of {len(self.occupations):,} occupations {self.occupations[i]} and "
            f"{self.occupations[j]} are most alike ({self.matrix[i, j]:.2f})."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Relatedness of {len(self.occupations):,} occupations by {len(self.skills):,} "
            f"skills, {self.metric}>"
        )


def relatedness(
    vectors: pl.DataFrame,
    *,
    metric: str = "centred_cosine",
    occupation: str = "occupation",
    skill: str = "skill",
    importance: str = "importance",
) -> Relatedness:
    """Say how alike occupations are in the skills that they ask for.

    With x_ik the importance of skill k in occupation i and m_k its mean over the occupations::

        related(i, j) = sum_k (x_ik - m_k)(x_jk - m_k) / (|x_i - m| |x_j - m|),

    the cosine of the two vectors measured from the average occupation: two occupations are alike if
    they stand out by the same skills. Skills that all need (speaking) do not make them alike.

    Parameters
    ----------
    vectors : polars.DataFrame
        Long (occupation, skill, importance) or wide (occupation, then a column for each skill).
    metric : {"centred_cosine", "cosine", "correlation"}
        `cosine` leaves m out. `correlation` puts the mean of x_i over its skills in the place of m:
        the shape of the profile alone, whatever its height.
    occupation, skill, importance : str
        Names of the columns in the frame.

    Returns
    -------
    Relatedness

    Raises
    ------
    UsageError
        If the metric is unknown, or there are fewer than two occupations.
    DataError
        Rows that stand twice, negative importances, occupations that are 0 everywhere.

    Notes
    -----
    Missing values are filled with the mean of the skill (finding W531). An occupation that does not
    differ from what is subtracted has no direction: 0 to all others (finding W532). The centre
    depends on which occupations are in the frame: leave none out that is part of the comparison.

    Examples
    --------
    Means are 2 and 2; turner (1, 0) and grinder (1, 0) stand out by the same skill, nurse by its
    lack.

    >>> frame = pl.DataFrame({"occupation": ["turner", "grinder", "nurse"],
    ...                       "tools": [3.0, 3.0, 0.0], "care": [2.0, 2.0, 2.0]})
    >>> result = relatedness(frame)
    >>> result.between("turner", "grinder"), result.between("turner", "nurse")
    (1.0, -1.0)
    >>> result.nearest("turner", 1).rows()
    [('grinder', 1.0)]
    """
    if metric not in METRICS:
        raise UsageError(f"metric = {metric!r}: choose one of {listed(METRICS)}.")
    read = skill_vectors(vectors, occupation=occupation, skill=skill, importance=importance)
    if len(read.occupations) < 2:
        raise UsageError("Relatedness compares occupations: give at least two.")
    values = read.importance
    if metric == "centred_cosine":
        values = values - values.mean(axis=0)
    elif metric == "correlation":
        values = values - values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1)
    # What is left of equal numbers after subtracting their mean is rounding, not a direction.
    is_level = length <= 1e-12 * np.linalg.norm(read.importance, axis=1)
    unit = np.where(is_level[:, None], 0.0, values / np.where(is_level, 1.0, length)[:, None])
    matrix = np.clip(unit @ unit.T, -1.0, 1.0)
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    findings = list(read.findings)
    if is_level.any():
        level = [read.occupations[i] for i in np.flatnonzero(is_level)]
        what = f"{listed(level)} does not differ from the average by any skill"
        findings.append(make_finding("W532", what, value=level[0], count=len(level)))
    return Relatedness(
        occupations=read.occupations,
        matrix=matrix,
        skills=read.skills,
        importance=read.importance,
        metric=metric,
        findings=tuple(findings),
    )
