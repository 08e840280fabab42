"""Targets against time: what is met, on course, late or missed, on a straight path to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import UsageError
from withstand.people import Target
from withstand.report.indicators import Asked
from withstand.report.words import number, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from withstand.model.network import ProductionNetwork

STATES = ("missed", "late", "not known", "open", "on course", "met")
"""What a target can be, the worst first."""
_SAID = {
    "met": "met",
    "on course": "on course",
    "late": "late",
    "missed": "missed",
    "open": "open: no earlier snapshot shows the way so far",
    "not known": "not known",
}


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One row of the table of targets.

    Parameters
    ----------
    number : int
        Its row, from 1.
    target : Target
        Indicator, filter, direction, year and value.
    asked : Asked, optional
        What is measured; None where the row names what there is not.
    why : str
        What is wrong with the row.
    """

    number: int
    target: Target
    asked: Asked | None
    why: str = ""

    @property
    def says(self) -> str:
        """What is to be reached, for people."""
        name = self.asked.title if self.asked else str(self.target.indicator)
        unit = self.asked.indicator.unit if self.asked else "count"
        side = "at least" if self.target.direction == "at_least" else "at most"
        return f"{name}: {side} {said_value(self.target.value, unit)} by {self.target.year}"


@dataclass(frozen=True, kw_only=True)
class Point:
    """What an indicator was on a day.

    Parameters
    ----------
    when : date
    value : float, optional
    expected : float, optional
        Of projections: what was then expected of the target's year.
    name : str
        Of the snapshot; `now` for the tables as they are.
    why : str
        Why there is no value.
    """

    when: date
    value: float | None
    expected: float | None = None
    name: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What became of a target so far.

    Parameters
    ----------
    goal : Goal
    status : {"met", "on course", "late", "missed", "open", "not known"}
    now, expected : float, optional
        The value now; of projections, what is expected of the target's year.
    due_now, due_this_year : float, optional
        On the straight path from the first snapshot to the target: today, and by the end of this
        year.
    behind : float, optional
        By how much `due_now` (of projections, the target) is missed; 0 if it is not.
    met_on : date, optional
        When it was met first.
    points : tuple of Point
    why : str
    """

    goal: Goal
    status: str
    now: float | None = None
    expected: float | None = None
    due_now: float | None = None
    due_this_year: float | None = None
    behind: float | None = None
    met_on: date | None = None
    points: tuple[Point, ...] = ()
    why: str = ""


def goals_of(network: ProductionNetwork) -> tuple[Goal, ...]:
    """Return the targets of a network's table, those that name what there is not among them.

    Raises
    ------
    UsageError
        If there is no table of targets (and how to write one).
    """
    frame = network.tables.get("targets")
    if frame is None or not frame.height:
        raise UsageError(
            "There are no targets. Write them in tables/targets.csv (indicator, filter, direction,"
            " year, value), for instance covered,without=JP; kind=equipment,at_least,2028,0.9 and"
            " largest_source,kind=equipment,at_most,2028,0.6. withstand track indicators lists"
            " what can be measured."
        )
    goals = []
    for number_, row in enumerate(frame.iter_rows(named=True), 1):
        target = Target(
            indicator=str(row["indicator"]),
            year=int(row["year"]),
            value=float(row["value"]),
            filter=(row.get("filter") or "").strip(),
            direction=row.get("direction") or "at_least",
        )
        try:
            goals.append(Goal(number=number_, target=target,
                              asked=Asked(target.indicator, target.filter)))  # fmt: skip
        except UsageError as error:
            goals.append(Goal(number=number_, target=target, asked=None, why=str(error)))
    return tuple(goals)


def judge(goal: Goal, points: Sequence[Point], today: date) -> Judgement:
    """Say what became of a target: the points by date, the last one of today.

    The path is straight from the first point before today to the value at the end of the target's
    year. Up to then a target is met if the value of today meets it; otherwise on course if the
    value meets the path (a projection: if what is expected of the target's year meets it), else
    late. After it, the last value of that year or before decides between met and missed.

    Parameters
    ----------
    goal : Goal
    points : sequence of Point
    today : date

    Examples
    --------
    A share is to grow from 20 % at the end of 2024 to 60 % by 2028, and is 30 % two years on:
    40 % were due.

    >>> goal = Goal(number=1, target=Target("home_share", 2028, 0.6), asked=Asked("home_share"))
    >>> days = [Point(when=date(2024, 12, 31), value=0.2), Point(when=date(2026, 12, 31), value=.3)]
    >>> found = judge(goal, days, date(2026, 12, 31))
    >>> found.status, round(found.due_now, 3), round(found.behind, 3)
    ('late', 0.4, 0.1)
    """
    if goal.asked is None:
        return Judgement(goal=goal, status="not known", why=goal.why)
    target, ordered = goal.target, sorted(points, key=lambda p: p.when)
    known = [p for p in ordered if p.value is not None]
    last = ordered[-1] if ordered else None
    deadline = date(target.year, 12, 31)
    if not known or last is None or (last.value is None and today <= deadline):
        why = last.why if last is not None else "Nothing was measured."
        return Judgement(goal=goal, status="not known", points=tuple(ordered), why=why)
    met_on = next((p.when for p in known if target.is_met(p.value)), None)  # type: ignore[arg-type]
    found: dict[str, Any] = {"goal": goal, "points": tuple(ordered), "met_on": met_on,
                             "now": last.value, "expected": last.expected}  # fmt: skip
    if today > deadline:
        return _after(target, known, deadline, found)
    first = known[0]
    due_now = path(first, target, today)
    found["due_this_year"] = path(first, target, min(deadline, date(today.year, 12, 31)))
    found["due_now"] = due_now
    assert last.value is not None
    if goal.asked.indicator.by_year and last.expected is not None:
        behind = target.gap(last.expected)
        status = "on course" if behind == 0.0 else "late"
    else:
        behind = Target(target.indicator, target.year, due_now, "", target.direction).gap(
            last.value
        )
        status = "late" if behind > 0 else "open" if first.when >= today else "on course"
    if target.is_met(last.value):
        status, behind = "met", 0.0
    return Judgement(**found, status=status, behind=behind)


def _after(
    target: Target, known: Sequence[Point], deadline: date, found: dict[str, Any]
) -> Judgement:
    """Judge a target whose year is over by the last value of that year or before."""
    upto = [p for p in known if p.when <= deadline]
    if not upto:
        return Judgement(
            **found, status="not known", why=f"Nothing was measured up to the end of {target.year}."
        )
    value = upto[-1].value
    assert value is not None
    if target.is_met(value):
        return Judgement(**found, status="met", behind=0.0)
    why = ""
    since = [p.when for p in known if p.when > deadline and target.is_met(p.value or 0.0)]
    if since:
        why = f"Reached since, on {since[0].isoformat()}."
    return Judgement(**found, status="missed", behind=target.gap(value), why=why)


def path(first: Point, target: Target, when: date) -> float:
    """Return what is due on a day: straight from the first point to the target's year's end.

    Examples
    --------
    >>> half = path(Point(when=date(2024, 12, 31), value=0.0), Target("people", 2026, 10.0),
    ...             date(2025, 12, 31))
    >>> half
    5.0
    """
    assert first.value is not None
    end = date(target.year, 12, 31).toordinal()
    start = first.when.toordinal()
    if target.is_met(first.value) or end <= start:
        return target.value
    part = min(max((when.toordinal() - start) / (end - start), 0.0), 1.0)
    return first.value + (target.value - first.value) * part


def said_value(value: float | None, unit: str) -> str:
    """Return a value in its unit, as a sentence says it.

    Examples
    --------
    >>> said_value(0.5, "share"), said_value(float("inf"), "periods"), said_value(1e6, "persons")
    ('50.0 %', 'no end', '1,000,000')
    """
    if value is not None and value == float("inf"):
        return "no end"
    return percent(value) if unit == "share" else number(value, 2 if unit == "index" else 1)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Tracked:
    """Every target of a project, judged.

    Parameters
    ----------
    name : str
        Of the network.
    judgements : tuple of Judgement
        In the order of the table.
    today : date
    snapshots : tuple of str
        Names of the snapshots that were looked at, the oldest first.
    made_at : str
    notes : tuple of str
    """

    name: str
    judgements: tuple[Judgement, ...]
    today: date
    snapshots: tuple[str, ...]
    made_at: str
    notes: tuple[str, ...] = ()

    @cached_property
    def rows(self) -> pl.DataFrame:
        """One row a target; see `to_frame`."""
        schema = {
            "target": pl.Int64, "indicator": pl.String, "filter": pl.String, "says": pl.String,
            "unit": pl.String, "direction": pl.String, "year": pl.Int64, "value": pl.Float64,
            "status": pl.String, "now": pl.Float64, "expected": pl.Float64, "due_now": pl.Float64,
            "due_this_year": pl.Float64, "behind": pl.Float64, "met_on": pl.Date,
            "why": pl.String,
        }  # fmt: skip
        rows = [
            {
                "target": j.goal.number,
                "indicator": j.goal.target.indicator,
                "filter": j.goal.target.filter,
                "says": j.goal.says,
                "unit": j.goal.asked.indicator.unit if j.goal.asked else "",
                "direction": j.goal.target.direction,
                "year": j.goal.target.year,
                "value": j.goal.target.value,
                **{k: getattr(j, k) for k in ("status", "now", "expected", "due_now",
                                              "due_this_year", "behind", "met_on", "why")},
            }
            for j in self.judgements
        ]  # fmt: skip
        return pl.DataFrame(rows, schema=schema)

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each target.

        target (its row), indicator, filter, says, unit, direction, year, value, status, now,
        expected (of projections), due_now, due_this_year, behind, met_on, why.
        """
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.rows.to_pandas()

    def history(self) -> pl.DataFrame:
        """Return what was measured: target, snapshot, when, value, expected."""
        schema = {"target": pl.Int64, "snapshot": pl.String, "when": pl.Date, "value": pl.Float64,
                  "expected": pl.Float64}  # fmt: skip
        rows = [(j.goal.number, p.name, p.when, p.value, p.expected)
                for j in self.judgements for p in j.points]  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")

    def why(self, target: int) -> pl.DataFrame:
        """Return what was measured for one target (its row, from 1)."""
        if not 1 <= target <= len(self.judgements):
            raise UsageError(f"There is no target {target}; there are {len(self.judgements)}.")
        return self.history().filter(pl.col("target") == target).drop("target")

    def count(self, status: str) -> int:
        """Return how many targets are of a state."""
        return sum(j.status == status for j in self.judgements)

    def summary(self) -> str:
        """Return a sentence: how many are met, on course, late, missed."""
        said = [f"{self.count(s)} {s}" for s in reversed(STATES) if self.count(s)]
        return f"Of {plural(len(self.judgements), 'target')}: {', '.join(said)}."

    def sentences(self) -> list[str]:
        """Return one sentence a target."""
        return [told(j) for j in self.judgements]

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Tracked: {self.summary()}>"


def told(found: Judgement) -> str:
    """Return what became of a target, in a sentence."""
    said = f"{found.goal.says}: {_SAID[found.status]}"
    unit = found.goal.asked.indicator.unit if found.goal.asked else "count"
    parts = []
    if found.now is not None:
        parts.append(f"{said_value(found.now, unit)} now")
    if found.expected is not None and found.status != "met":
        parts.append(f"{said_value(found.expected, unit)} expected in {found.goal.target.year}")
    elif found.status in ("late", "on course") and found.due_now is not None:
        parts.append(f"{said_value(found.due_now, unit)} due")
    if found.status in ("late", "on course") and found.due_this_year is not None:
        parts.append(f"{said_value(found.due_this_year, unit)} due by the end of the year")
    return said + (f" ({', '.join(parts)})" if parts else "") + "." + (
        f" {found.why}" if found.why else ""
    )  # fmt: skip
