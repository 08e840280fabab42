"""Reskilling paths: the cheapest ways from what people can do to what is needed, step by step."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import make_finding, nearest
from withstand.model.tables import Column, Table
from withstand.people.cheapest_paths import cheapest_paths, distances_to, graph_of
from withstand.people.occupation_labels import occupation_index
from withstand.people.upskilling import upskilling_moves

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.people.related_occupations import Relatedness

_MOVES = Table(
    name="moves",
    meaning="What it takes to get from one occupation into another.",
    columns=(
        Column(name="from", meaning="The occupation left.", type="label", required=True),
        Column(name="to", meaning="The occupation entered.", type="label", required=True),
        Column(name="cost", meaning="Cost per person.", type="number", low=0.0, required=True),
        Column(name="duration", meaning="Years.", type="number", low=0.0, required=True),
        Column(name="success", meaning="Share that arrives.", type="number", low=0.0, high=1.0),
    ),
    key=("from", "to"),
)
_STEPS = {
    "path": pl.Int64,
    "step": pl.Int64,
    "from": pl.String,
    "to": pl.String,
    "relatedness": pl.Float64,
    "gap": pl.Float64,
    "cost": pl.Float64,
    "duration": pl.Float64,
    "success": pl.Float64,
    "cost_so_far": pl.Float64,
    "duration_so_far": pl.Float64,
    "success_so_far": pl.Float64,
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ReskillingPaths:
    """The cheapest ways into an occupation over related ones.

    Parameters
    ----------
    sources : tuple of str
    target : str
    by : {"cost", "duration"}
    paths : tuple of tuple of str
        Occupations from a source to the target; cheapest first, whatever the source.
    cost : tuple of float, currency per person who begins and goes all the way
    duration : tuple of float, years
    success : tuple of float, 0 to 1
        Share of those who begin that arrives: the product of its steps.
    steps : DataFrame
        As `to_frame` returns it.
    relatedness : Relatedness
    findings : tuple of Finding
    """

    sources: tuple[str, ...]
    target: str
    by: str
    paths: tuple[tuple[str, ...], ...]
    cost: tuple[float, ...]
    duration: tuple[float, ...]
    success: tuple[float, ...]
    steps: pl.DataFrame
    relatedness: Relatedness
    findings: tuple[Finding, ...]

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Sources from which no chain of moves leads to the target."""
        reached = {path[0] for path in self.paths}
        return tuple(label for label in self.sources if label not in reached)

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each step of each path.

        path (1 is the cheapest), step, from, to, relatedness (-1 to 1), gap (points that skills
        must rise), cost (currency per person), duration (years), success (0 to 1), and the last
        three so far along the path.
        """
        return self.steps

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def gaps(self, path: int = 1) -> pl.DataFrame:
        """Return step, from, to, skill, has, needs, rise: what must be learned in each step.

        Points of the scale of the importances, largest rise first within a step. `has` is what the
        occupation left asks for.

        Raises
        ------
        UsageError
            If there is no such path.
        """
        if not 1 <= path <= len(self.paths):
            raise UsageError(f"There is no path {path}; {len(self.paths)} were found.")
        way = self.paths[path - 1]
        parts = [
            self.relatedness.gaps(a, b).select(
                pl.lit(i).cast(pl.Int64).alias("step"),
                pl.lit(a).alias("from"),
                pl.lit(b).alias("to"),
                "skill",
                "has",
                "needs",
                "rise",
            )
            for i, (a, b) in enumerate(itertools.pairwise(way), 1)
        ]
        return pl.concat(parts)

    def summary(self) -> str:
        """Return one sentence: the cheapest path."""
        if not self.paths:
            return f"No chain of moves leads to {self.target}."
        return (
            f"The cheapest way: {' > '.join(self.paths[0])}, {self.cost[0]:.6g} per person and "
            f"{self.duration[0]:.3g} years; {self.success[0]:.0%} arrive."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<ReskillingPaths to {self.target}: {len(self.paths)} paths, by {self.by}>"


def reskilling_paths(
    relatedness: Relatedness,
    source: str | Sequence[str],
    target: str,
    *,
    moves: pl.DataFrame | None = None,
    paths: int = 3,
    by: str = "cost",
) -> ReskillingPaths:
    """Find the cheapest ways from some occupations into another, over related ones.

    Parameters
    ----------
    relatedness : Relatedness
        For the gaps in skills of each step.
    source : str or sequence of str
        Where people are now. Paths are found from each.
    target : str
        Where they are needed.
    moves : polars.DataFrame, optional
        from, to, cost [currency per person], duration [years], and success [0 to 1, 1 if absent]:
        only these moves can be made. Without it `upskilling_moves(relatedness)`.
    paths : int
        At most so many from each source; no path enters an occupation twice.
    by : {"cost", "duration"}
        What is least.

    Returns
    -------
    ReskillingPaths
        Without paths if no chain of moves leads there.

    Raises
    ------
    UsageError
        If an occupation is unknown, a source is the target, or an argument is out of range.
    DataError
        If `moves` has faults.

    Notes
    -----
    Costs are per person who goes all the way; who fails underway is not paid for twice. Of equal
    paths the one with fewer steps comes first (equal: to within 1e-12 of the largest move); further
    ties are broken by the order of the occupations.

    Examples
    --------
    >>> from withstand.people.related_occupations import relatedness
    >>> frame = pl.DataFrame({"occupation": ["clerk", "operator", "grinder"],
    ...                       "tools": [0.0, 3.0, 5.0], "letters": [4.0, 2.0, 1.0]})
    >>> moves = pl.DataFrame({"from": ["clerk", "operator", "clerk"],
    ...                       "to": ["operator", "grinder", "grinder"],
    ...                       "cost": [2.0, 3.0, 9.0], "duration": [1.0, 1.5, 2.0]})
    >>> found = reskilling_paths(relatedness(frame), "clerk", "grinder", moves=moves)
    >>> found.paths, found.cost
    ((('clerk', 'operator', 'grinder'), ('clerk', 'grinder')), (5.0, 9.0))
    >>> found.gaps().select("step", "skill", "rise").rows()
    [(1, 'tools', 3.0), (2, 'tools', 2.0)]
    """
    if by not in ("cost", "duration"):
        raise UsageError(f"by = {by!r}: choose 'cost' or 'duration'.")
    if paths < 1:
        raise UsageError(f"paths = {paths}: ask for at least one.")
    labels = relatedness.occupations
    starts = occupation_index(labels, source)
    goal = int(occupation_index(labels, target)[0])
    if goal in starts:
        raise UsageError(f"'{target}' is the target and a source at once. Leave it out of one.")
    table, findings = _moves(labels, upskilling_moves(relatedness) if moves is None else moves)
    one = occupation_index(labels, table["from"].to_list()) if table.height else np.empty(0, int)
    other = occupation_index(labels, table["to"].to_list()) if table.height else np.empty(0, int)
    graph = graph_of(len(labels), one, other, table[by].to_numpy())
    rest = distances_to(graph, goal)
    found: list[tuple[int, ...]] = []
    for start in dict.fromkeys(starts.tolist()):
        found += cheapest_paths(graph, start, goal, paths, rest)
    row = {pair: r for r, pair in enumerate(zip(one.tolist(), other.tolist(), strict=True))}
    lengths = table[by].to_list()
    along = [[row[step] for step in itertools.pairwise(way)] for way in found]
    rank = sorted(
        range(len(found)), key=lambda i: (math.fsum(lengths[r] for r in along[i]), len(found[i]))
    )
    ways = [found[i] for i in rank]
    steps = _steps(relatedness, table, ways, [along[i] for i in rank])
    ends = steps.group_by("path", maintain_order=True).last()
    return ReskillingPaths(
        sources=tuple(labels[i] for i in dict.fromkeys(starts.tolist())),
        target=target,
        by=by,
        paths=tuple(tuple(labels[i] for i in way) for way in ways),
        cost=tuple(ends["cost_so_far"].to_list()),
        duration=tuple(ends["duration_so_far"].to_list()),
        success=tuple(ends["success_so_far"].to_list()),
        steps=steps,
        relatedness=relatedness,
        findings=tuple(findings),
    )


def _moves(labels: Sequence[str], moves: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    """Check a table of moves; success is 1 where it is not given."""
    if isinstance(moves, pl.DataFrame) and moves.height == 0:
        raise UsageError("'moves' has no rows, so nobody can go anywhere. Lower `least`.")
    table, findings = checked_frame(moves, _MOVES)
    known = set(labels)
    faults = []
    for column in ("from", "to"):
        strangers = [x for x in table[column].unique(maintain_order=True) if x not in known]
        for label in strangers[:10]:
            what = f"moves name '{label}', which has no skill vector"
            near = nearest(label, labels)
            faults.append(make_finding("E104", what, column=column, value=label, suggestion=near))
    if faults:
        raise DataError(faults)
    given = pl.col("success") if "success" in table.columns else pl.lit(None, dtype=pl.Float64)
    return table.with_columns(success=given.cast(pl.Float64).fill_null(1.0)), findings


def _steps(
    relatedness: Relatedness,
    table: pl.DataFrame,
    ways: Sequence[tuple[int, ...]],
    along: Sequence[Sequence[int]],
) -> pl.DataFrame:
    """Return the rows of `to_frame`."""
    rows = list(_step_rows(relatedness, table, ways, along))
    return pl.DataFrame(rows, schema=_STEPS, orient="row")


def _step_rows(
    relatedness: Relatedness,
    table: pl.DataFrame,
    ways: Sequence[tuple[int, ...]],
    along: Sequence[Sequence[int]],
) -> Iterator[tuple[object, ...]]:
    """Walk along each path."""
    labels, importance = relatedness.occupations, relatedness.importance
    cost, years, success = (table[c].to_list() for c in ("cost", "duration", "success"))
    for number, (way, moves) in enumerate(zip(ways, along, strict=True), 1):
        for i, r in enumerate(moves):
            a, b = way[i], way[i + 1]
            gone = moves[: i + 1]
            yield (
                number,
                i + 1,
                labels[a],
                labels[b],
                float(relatedness.matrix[a, b]),
                float(np.maximum(0.0, importance[b] - importance[a]).sum()),
                cost[r],
                years[r],
                success[r],
                math.fsum(cost[m] for m in gone),
                math.fsum(years[m] for m in gone),
                math.prod(success[m] for m in gone),
            )
