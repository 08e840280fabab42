"""Track whether it happens: targets against snapshots and now, and what differs between two."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import FindingsError, UsageError
from withstand.workbench.comparing import BASE, COMPARED_ENDINGS, NOW, compare, write_each
from withstand.workbench.naming import hiding_for
from withstand.workbench.progress import Progress, now, silent
from withstand.workbench.projects import load
from withstand.workbench.snapshots import (
    Snapshot,
    number_of,
    reading_row,
    snapshot_named,
    snapshots_of,
)

if TYPE_CHECKING:
    from withstand.report.comparisons import Compared
    from withstand.report.indicators import Asked
    from withstand.report.tracking import Goal, Point, Tracked

STATUS_LIMITS = ("missed", "late")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HashesCompared:
    """What is known of two snapshots of which one kept hashes only.

    Parameters
    ----------
    names : tuple of str
    rows : polars.DataFrame
        indicator, filter, before, after, difference.
    tables : polars.DataFrame
        table, rows_before, rows_after, is_same.
    """

    names: tuple[str, str]
    rows: pl.DataFrame
    tables: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Return the indicators."""
        return self.rows

    def __repr__(self) -> str:
        """Return one line."""
        differ = self.tables.filter(~pl.col("is_same")).height
        return f"<HashesCompared: {self.names[0]} and {self.names[1]}, {differ} tables differ>"


def track_diff(
    project: str | os.PathLike[str],
    first: str,
    second: str = NOW,
    *,
    asked: Sequence[Asked] = (),
    hides_names: bool = False,
    progress: Progress = silent,
) -> Compared | HashesCompared:
    """Say what differs between two snapshots, or between one and the project as it is.

    Both are worked out anew from the tables that were kept; where one kept hashes only, what the
    manifests say is compared.

    Parameters
    ----------
    project : path
    first, second : str
        Names of snapshots; `now` is the project itself.
    asked : sequence of Asked
        Indicators besides the usual ones.
    hides_names : bool
        Whether suppliers, companies and sites become numbers.
    progress : callable, optional

    Raises
    ------
    UsageError
        If there is no such snapshot, or both are the same.
    """
    if first == second:
        raise UsageError(f"'{first[:60]}' differs from itself in nothing; name two.")
    both = [None if w in (NOW, BASE) else snapshot_named(project, w) for w in (first, second)]
    if all(s is None for s in both):
        raise UsageError("Name a snapshot: withstand track diff 2026-Q1 now.")
    if all(s is None or s.is_kept for s in both):
        words = [w if s is None else f"snapshot:{w}" for w, s in zip((first, second), both,
                                                                   strict=True)]  # fmt: skip
        return compare(
            words, project=project, asked=asked, hides_names=hides_names, progress=progress
        )
    if any(s is None for s in both):
        raise UsageError(
            f"{first[:60]} or {second[:60]} keeps hashes of its tables only, so that it compares"
            " with another snapshot, not with the tables of now. Take a snapshot first."
        )
    a, b = both
    assert a is not None
    assert b is not None
    return _by_hashes(a, b)


def _by_hashes(a: Snapshot, b: Snapshot) -> HashesCompared:
    old, new = ({(r["indicator"], r.get("filter", ""), r.get("year")): r for r in s.indicators}
                for s in (a, b))  # fmt: skip
    rows = []
    for key in old:
        if key not in new:
            continue
        before, after = number_of(old[key].get("value")), number_of(new[key].get("value"))
        known = before is not None and after is not None
        rows.append((key[0], key[1], before, after, after - before if known else None))  # type: ignore[operator]
    schema = {"indicator": pl.String, "filter": pl.String, "before": pl.Float64,
              "after": pl.Float64, "difference": pl.Float64}  # fmt: skip
    tables = [
        (n, a.tables.get(n, {}).get("rows"), b.tables.get(n, {}).get("rows"),
         a.tables.get(n, {}).get("hash") == b.tables.get(n, {}).get("hash"))
        for n in dict.fromkeys([*a.tables, *b.tables])
    ]  # fmt: skip
    return HashesCompared(
        names=(a.name, b.name),
        rows=pl.DataFrame(rows, schema=schema, orient="row"),
        tables=pl.DataFrame(
            tables,
            schema={"table": pl.String, "rows_before": pl.Int64, "rows_after": pl.Int64,
                    "is_same": pl.Boolean},
            orient="row",
        ),
    )  # fmt: skip


def track_targets(
    project: str | os.PathLike[str],
    *,
    today: date | None = None,
    hides_names: bool = False,
    progress: Progress = silent,
) -> Tracked:
    """Judge the targets of a project against its snapshots and what it is now.

    What a snapshot did not measure is worked out from the tables that it kept.

    Parameters
    ----------
    project : path
        A project folder; of a workbook or an example, the targets are judged without snapshots.
    today : date, optional
        The day of now; default: today.
    hides_names : bool
        Whether suppliers, companies and sites become numbers.
    progress : callable, optional

    Raises
    ------
    UsageError
        If there are no targets, or a snapshot is damaged.
    """
    from withstand.report.indicator_values import Measured
    from withstand.report.tracking import Tracked, goals_of, judge

    day = today or date.today()
    network = load(project)
    goals = goals_of(network)
    folder = Path(project)
    kept = [s for s in snapshots_of(folder) if s.when <= day] if folder.is_dir() else []
    notes: list[str] = []
    points: list[list[Point]] = [[] for _ in goals]
    steps = (len(kept) + 1) * len(goals)
    for at, snapshot in enumerate(kept):
        past = _Past(snapshot, notes)
        for k, goal in enumerate(goals):
            progress(f"reading {snapshot.name}", at * len(goals) + k, steps)
            if goal.asked is not None:
                points[k].append(past.point(goal))
    measured = Measured(network, year=day.year)
    for k, goal in enumerate(goals):
        progress("measuring now", len(kept) * len(goals) + k, steps)
        if goal.asked is not None:
            row = reading_row(measured, goal.asked, _year(goal))
            points[k].append(_point(row, day, NOW))
    progress("done", steps, steps)
    found = Tracked(
        name=network.name,
        judgements=tuple(judge(g, p, day) for g, p in zip(goals, points, strict=True)),
        today=day,
        snapshots=tuple(s.name for s in kept),
        made_at=now(),
        notes=tuple(dict.fromkeys(notes)),
    )
    if not hides_names:
        return found
    from withstand.report.hidden_names import hidden_tracked

    return hidden_tracked(found, hiding_for(project, [network]))


class _Past:
    """A snapshot as it is asked for targets: its manifest first, then its tables."""

    def __init__(self, snapshot: Snapshot, notes: list[str]) -> None:
        self.snapshot = snapshot
        self.notes = notes
        self.rows = {
            (r["indicator"], r.get("filter", ""), r.get("year")): r for r in snapshot.indicators
        }
        self.measured: Any = None

    def point(self, goal: Goal) -> Point:
        """Return what a target's indicator was then."""
        from withstand.report.indicator_values import Measured

        asked = goal.asked
        assert asked is not None
        row = self.rows.get((asked.name, asked.filter, _year(goal)))
        if row is None and self.snapshot.is_kept:
            if self.measured is None:
                try:
                    self.measured = Measured(self.snapshot.load(), year=self.snapshot.when.year)
                except (UsageError, FindingsError) as error:
                    self.measured = False
                    self.notes.append(str(error).splitlines()[0])
            if self.measured:
                row = reading_row(self.measured, asked, _year(goal))
        if row is None:
            row = {"why": f"The snapshot {self.snapshot.name} did not measure it."}
        return _point(row, self.snapshot.when, self.snapshot.name)


def _year(goal: Goal) -> int | None:
    """Return the year of a target whose indicator is a projection."""
    asked = goal.asked
    return goal.target.year if asked is not None and asked.indicator.by_year else None


def _point(row: dict[str, Any], when: date, name: str) -> Point:
    from withstand.report.tracking import Point

    return Point(
        when=when,
        value=number_of(row.get("value")),
        expected=number_of(row.get("expected")),
        name=name,
        why=str(row.get("why") or ""),
    )


def write_tracked(found: Tracked, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write targets to each path: .html a page, .xlsx a workbook, .json their data."""
    from withstand.report.track_page import track_json, track_page, track_workbook

    makers = (track_page, track_workbook, track_json)
    return write_each(found, paths, dict(zip(COMPARED_ENDINGS, makers, strict=True)))
