"""The transition network: into which occupations people go when they change their job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.encoding import encode
from withstand.model.findings import Finding, listed, make_finding
from withstand.model.tables import Column, Table
from withstand.people.occupation_labels import occupation_index
from withstand.people.related_occupations import Relatedness

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

_FLOWS = Table(
    name="flows",
    meaning="How many people went from one occupation into another.",
    columns=(
        Column(name="from", meaning="The occupation left.", type="label", required=True),
        Column(name="to", meaning="The occupation entered.", type="label", required=True),
        Column(name="people", meaning="How many.", type="number", low=0.0, required=True),
    ),
    key=("from", "to"),
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TransitionNetwork:
    """Where people go who take up a new job, if there are as many jobs everywhere.

    Parameters
    ----------
    occupations : tuple of str, n
    matrix : ndarray of float64, shape (n, n), 0 to 1
        A: row i is the occupation left, column j the one entered. Rows sum to 1.
    findings : tuple of Finding
    """

    occupations: tuple[str, ...]
    matrix: Array
    findings: tuple[Finding, ...]

    @property
    def stay(self) -> Array:
        """Share that takes up a job in the same occupation, shape (n,)."""
        return np.diag(self.matrix).copy()

    def leads_to(self, occupation: str) -> pl.DataFrame:
        """Return to, share: where people of an occupation go, largest share first."""
        i = int(occupation_index(self.occupations, occupation)[0])
        order = np.argsort(-self.matrix[i], kind="stable")
        order = order[self.matrix[i, order] > 0]
        labels = pl.Series("to", self.occupations, dtype=pl.String).gather(order)
        return pl.DataFrame({"to": labels, "share": self.matrix[i, order]})

    def to_frame(self) -> pl.DataFrame:
        """Return from, to, share: a row for each transition that happens."""
        one, other = np.nonzero(self.matrix)
        labels = pl.Series("from", self.occupations, dtype=pl.String)
        return pl.DataFrame(
            {
                "from": labels.gather(one),
                "to": labels.gather(other),
                "share": self.matrix[one, other],
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<TransitionNetwork of {len(self.occupations):,} occupations, "
            f"{np.count_nonzero(self.matrix):,} transitions, {self.stay.mean():.2f} stay>"
        )


def transition_network(
    source: pl.DataFrame | Relatedness,
    *,
    stay: float | None = 0.55,
    neighbours: int | None = 10,
    occupations: Sequence[str] | None = None,
) -> TransitionNetwork:
    """Say into which occupations people go, from flows that were seen or from relatedness.

        A_ii = stay,  A_ij = (1 - stay) T_ij / sum over l other than i of T_il,

    with T the people seen to go from i to j, or, without flows, the relatedness of i to its
    nearest occupations (never below 0).

    Parameters
    ----------
    source : polars.DataFrame or Relatedness
        Flows: from, to, people. Or a relatedness: then it is an assumption that people go where
        their skills are asked for, and it is symmetric but for the scaling.
    stay : float or None, 0 to 1
        Share of job changes within the same occupation. None: as the flows say (their rows with
        from = to); relatedness has no such rows.
    neighbours : int or None
        For relatedness: to how many nearest occupations people go; None: to all.
    occupations : sequence of str, optional
        Their order, and those to have. By default those of the flows, sorted.

    Returns
    -------
    TransitionNetwork

    Raises
    ------
    UsageError
        If `stay` is no share, or missing for relatedness.
    DataError
        Flows that stand twice, are negative, or name an occupation not in `occupations`.

    Notes
    -----
    An occupation that nobody was seen to leave keeps all its people (finding W533).

    References
    ----------
    del Rio-Chanona, Mealy, Beguerisse-Diaz, Lafond & Farmer (2021), Occupational mobility and
    automation: a data-driven network model, J. R. Soc. Interface 18, 20200898 (stay = .55).

    Examples
    --------
    >>> flows = pl.DataFrame({"from": ["a", "a", "b"], "to": ["b", "c", "c"],
    ...                       "people": [3.0, 1.0, 2.0]})
    >>> network = transition_network(flows, stay=0.6)
    >>> network.matrix.round(3).tolist()
    [[0.6, 0.3, 0.1], [0.0, 0.6, 0.4], [0.0, 0.0, 1.0]]
    >>> network.findings[0].code
    'W533'
    """
    if stay is not None and not 0 <= stay <= 1:
        raise UsageError(f"stay = {stay}: a share, 0 to 1.")
    if occupations is not None and len(set(occupations)) < len(occupations):
        raise UsageError("An occupation stands twice in 'occupations'. Name each once.")
    findings: list[Finding] = []
    if isinstance(source, Relatedness):
        if stay is None:
            raise UsageError("Relatedness does not say who stays. Give stay, 0 to 1.")
        labels = source.occupations if occupations is None else tuple(occupations)
        at = occupation_index(source.occupations, labels)
        weight = _related_weights(source.matrix[np.ix_(at, at)], neighbours)
    else:
        frame, findings = checked_frame(source, _FLOWS)
        seen = pl.concat([frame["from"], frame["to"].rename("from")]).unique().sort().to_list()
        labels = tuple(seen if occupations is None else occupations)
        occupation_index(labels, seen)
        weight = np.zeros((len(labels), len(labels)))
        order = pl.Series(labels, dtype=pl.String)
        weight[encode(order, frame["from"]), encode(order, frame["to"])] = frame["people"]
    matrix, stuck = _row_shares(weight, stay)
    if stuck.any():
        names = [labels[i] for i in np.flatnonzero(stuck)]
        what = f"nobody leaves {listed(names)}"
        findings.append(make_finding("W533", what, value=names[0], count=len(names)))
    return TransitionNetwork(occupations=labels, matrix=matrix, findings=tuple(findings))


def _row_shares(weight: Array, stay: float | None) -> tuple[Array, Array]:
    """Return rows that sum to 1, and which have no way out."""
    own = np.diag(weight).copy()
    others = weight.copy()
    np.fill_diagonal(others, 0.0)
    total = others.sum(axis=1)
    stuck = total <= 0
    if stay is None:
        kept = np.where(stuck, 1.0, own / np.where(stuck, 1.0, own + total))
    else:
        kept = np.where(stuck, 1.0, stay)
    matrix = others * ((1.0 - kept) / np.where(stuck, 1.0, total))[:, None]
    np.fill_diagonal(matrix, kept)
    return matrix, stuck


def _related_weights(matrix: Array, neighbours: int | None) -> Array:
    """Return the relatedness to the nearest ones, 0 elsewhere."""
    if neighbours is not None and neighbours < 1:
        raise UsageError(f"neighbours = {neighbours}: at least 1, or None for all occupations.")
    n = len(matrix)
    alike = np.maximum(matrix, 0.0)
    np.fill_diagonal(alike, -1.0)
    kept = min(n - 1, n if neighbours is None else neighbours)
    near = np.argsort(-alike, axis=1, kind="stable")[:, :kept]
    weight = np.zeros((n, n))
    np.put_along_axis(weight, near, np.take_along_axis(alike, near, axis=1), axis=1)
    return np.maximum(weight, 0.0)
