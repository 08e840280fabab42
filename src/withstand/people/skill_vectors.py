"""Skill vectors: how much each skill matters in each occupation, as one array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.encoding import encode
from withstand.model.findings import Finding, has_errors, listed, make_finding, sort_findings
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

Array = np.ndarray

_OCCUPATION = Column(name="occupation", meaning="The occupation.", type="label", required=True)
_LONG = Table(
    name="vectors",
    meaning="How much each skill matters in each occupation.",
    columns=(
        _OCCUPATION,
        Column(name="skill", meaning="The skill or element.", type="label", required=True),
        Column(name="importance", meaning="How much.", type="number", low=0.0),
    ),
    key=("occupation", "skill"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class SkillVectors:
    """How much each skill matters in each occupation.

    Parameters
    ----------
    occupations : tuple of str, n
    skills : tuple of str, k
    importance : ndarray of float64, shape (n, k), points of the scale that was given
    findings : tuple of Finding
        What was missing and how it was filled.
    """

    occupations: tuple[str, ...]
    skills: tuple[str, ...]
    importance: Array
    findings: tuple[Finding, ...]


def skill_vectors(
    vectors: pl.DataFrame,
    *,
    occupation: str = "occupation",
    skill: str = "skill",
    importance: str = "importance",
) -> SkillVectors:
    """Read skill vectors from a long frame, or from a wide one with a column for each skill.

    Parameters
    ----------
    vectors : polars.DataFrame
        Long: a row for each occupation and skill. Wide: a row for each occupation, a column of
        numbers for each skill. It is long if it has the column `skill`.
    occupation, skill, importance : str
        Names of the columns. Skills and knowledge of O*NET together need "Element ID" as skill:
        the name Mathematics stands in both.

    Raises
    ------
    DataError
        Rows that stand twice, negative importances, occupations that are 0 everywhere.

    Notes
    -----
    A value that is missing (empty, or no row) is taken as the mean of the skill over the
    occupations that have it, so that it says nothing once the vectors are centred; it is counted in
    a finding. A skill without any value is left out.

    Examples
    --------
    >>> long = pl.DataFrame({"occupation": ["a", "a", "b"], "skill": ["x", "y", "x"],
    ...                      "importance": [1.0, 4.0, 3.0]})
    >>> read = skill_vectors(long)
    >>> read.importance.tolist()
    [[1.0, 4.0], [3.0, 4.0]]
    >>> print(read.findings[0].what)
    1 of 4 values missing (b: y)
    """
    if not isinstance(vectors, pl.DataFrame) or skill in vectors.columns:
        names = {"occupation": occupation, "skill": skill, "importance": importance}
        frame, findings = checked_frame(vectors, _LONG, names)
        if "importance" not in frame.columns:
            raise UsageError(f"'vectors' has no column '{importance}' of numbers. Name it.")
        labels = frame["occupation"].unique(maintain_order=True)
        named = frame["skill"].unique(maintain_order=True)
        skills = named.to_list()
        values = np.full((len(labels), len(skills)), np.nan)
        at = encode(labels, frame["occupation"]), encode(named, frame["skill"])
        values[at] = frame["importance"].to_numpy()
    else:
        frame, findings, skills = _wide(vectors, occupation)
        labels = frame["occupation"]
        values = frame.drop("occupation").to_numpy().astype(np.float64)
    return _complete(labels.to_list(), skills, values, findings)


def _wide(vectors: pl.DataFrame, occupation: str) -> tuple[pl.DataFrame, list[Finding], list[str]]:
    """Check a wide frame: a row for each occupation, numbers in every other column."""
    skills = [c for c in vectors.columns if c != occupation]
    words = [
        c for c in skills if not (vectors[c].dtype.is_numeric() or vectors[c].dtype == pl.Null)
    ]
    if words or not skills:
        fault = f"{listed(words)} does not" if words else "there is none"
        raise UsageError(
            f"'vectors' has no column of skills as named, so each column beside '{occupation}' "
            f"must hold the numbers of one skill; {fault}. Leave such columns out, or name the "
            "columns (occupation=, skill=, importance=)."
        )
    columns = (
        Column(name=name, meaning="Importance of a skill.", type="number", low=0.0)
        for name in skills
    )
    clash = {"occupation"} & set(skills)
    if clash:
        raise UsageError("A skill may not be called 'occupation'. Rename the column.")
    table = Table(name="vectors", meaning=_LONG.meaning, columns=(_OCCUPATION, *columns),
                  key=("occupation",))  # fmt: skip
    frame, findings = checked_frame(vectors, table, {"occupation": occupation})
    return frame, findings, skills


def _complete(
    labels: list[str], skills: list[str], values: Array, findings: Iterable[Finding]
) -> SkillVectors:
    """Fill what is missing with the mean of its skill, and refuse occupations that say nothing."""
    found = list(findings)
    is_missing = np.isnan(values)
    silent = np.flatnonzero(np.where(is_missing, 0.0, values).max(axis=1, initial=0.0) == 0)
    for i in silent[:10]:
        what = f"no skill of {labels[i]} has an importance above 0"
        found.append(make_finding("E531", what, value=labels[i]))
    if len(silent) > 10:
        what = f"{len(silent) - 10} more occupations are 0 in every skill"
        found.append(make_finding("E531", what, count=len(silent) - 10))
    if has_errors(found):
        raise DataError(sort_findings(found))
    empty = is_missing.all(axis=0)
    if empty.any():
        left_out = [skills[j] for j in np.flatnonzero(empty)]
        what = f"no occupation has a value for {listed(left_out)}: left out"
        found.append(make_finding("W531", what, count=len(left_out)))
        values, is_missing = values[:, ~empty], is_missing[:, ~empty]
        skills = [skills[j] for j in np.flatnonzero(~empty)]
    if is_missing.any():
        where = [f"{labels[i]}: {skills[j]}" for i, j in np.argwhere(is_missing)[:4]]
        number = int(is_missing.sum())
        more = f" and {number - 3:,} more" if number > 4 else ""
        shown = ", ".join(where[:3] if more else where)
        what = f"{number:,} of {values.size:,} values missing ({shown}{more})"
        found.append(make_finding("W531", what, count=number))
        values = np.where(is_missing, np.nanmean(values, axis=0), values)
    return SkillVectors(
        occupations=tuple(labels),
        skills=tuple(skills),
        importance=np.ascontiguousarray(values, dtype=np.float64),
        findings=tuple(sort_findings(found)),
    )
