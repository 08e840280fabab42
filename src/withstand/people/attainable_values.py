"""Until when a target can still be reached: the most that any intake attains, by its first year.

For each year t: the plan stays as it is before t, and from t on any intake is possible that places
(seats, growing from t on), durations, completion and the people to draw on allow, whatever it
costs. The later it begins, the fewer such intakes there are, so that what can be attained never
rises with t; the last t that attains the target is the last year in which there is time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.people.entry_values import asked_of, best, linear_programme
from withstand.people.seat_paths import Seats, seats_of
from withstand.people.target_tables import Aim, Target, aims_of
from withstand.people.target_values import values_of
from withstand.people.targets import amount

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.people.projection_results import Projection

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reachability:
    """Until when targets can still be reached.

    Parameters
    ----------
    targets : tuple of Target
    starts, results : DataFrame
        As `by_start` and `to_frame` return them.
    findings : tuple of Finding
    """

    targets: tuple[Target, ...]
    starts: pl.DataFrame
    results: pl.DataFrame
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each target.

        target, indicator, filter, direction, year, value, projected (as planned), last_start (last
        year in which another intake can begin and still meet it; empty if there is none),
        out_of_reach (first year in which it is too late; empty if the plan meets it anyway),
        last_start_any_seats and out_of_reach_any_seats (the same if seats were no limit).
        """
        return self.results

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def by_start(self) -> pl.DataFrame:
        """Return the most that can be attained by the target's year, by first year of the intake.

        target, start, attainable, is_met, attainable_any_seats, is_met_any_seats (infinite where
        nothing limits it; for targets of at_most, the least).
        """
        return self.starts

    def summary(self) -> str:
        """Return some sentences for each target."""
        rows = self.results.iter_rows(named=True)
        return "\n".join(_told(t, row) for t, row in zip(self.targets, rows, strict=True))

    def __repr__(self) -> str:
        """Return one line."""
        last = self.results["last_start"].to_list()
        return f"<Reachability: {len(self.targets)} targets, last starts {last}>"


def reachability(
    projection: Projection,
    targets: Any = None,
    source: Any = None,
    *,
    programmes: Any = None,
    period: str = "year",
) -> Reachability:
    """Say until when targets can still be reached, by whatever intake, and with whatever seats.

    Parameters
    ----------
    projection : Projection
        Begin it early enough to see years in which it should have started.
    targets : Target, sequence of Target, or frame; optional
        Default: the table of targets of the source.
    source : ProductionNetwork or mapping of str to frame
        What the projection was made from; seats, their growth and first years come from its
        programmes. A programme without seats has no limit.
    programmes, period
        As in `project`, if they were given there.

    Returns
    -------
    Reachability

    Raises
    ------
    DataError
        With every fault of the targets.
    UsageError
        If the source is not that of the projection, or a share is to be at most something.

    Notes
    -----
    A linear programme for each start, with seats as stated and without limit (equations in
    `withstand.people.entry_choices`). Trainers and money are no limits here.

    Examples
    --------
    A million graduates in 2025-28, of whom 70.3 % complete after three years:

    >>> from withstand import people
    >>> tables = {"occupations": {"occupation": ["ENGINEER"], "people": [0]},
    ...           "programmes": {"programme": ["DEGREE"], "occupation": ["ENGINEER"],
    ...                          "duration": [3], "completion": [0.703], "seats": [355_619],
    ...                          "intake": [0]}}
    >>> found = reachability(people.project(tables, years=range(2022, 2029)),
    ...                      people.Target("graduates", 2028, 1e6, "since=2025"), tables)
    >>> found.by_start()["attainable"].round().to_list()
    [1000001.0, 750000.0, 500000.0, 250000.0, 0.0, 0.0, 0.0]
    >>> found.to_frame()["last_start"].item(), found.to_frame()["out_of_reach"].item()
    (2022, 2023)
    """
    aims, findings = aims_of(targets, projection, source)
    seats = seats_of(projection, source, programmes, period)
    starts, results = [], []
    for number, aim in enumerate(aims, 1):
        found = _starts(projection, aim, seats)
        starts.append(found.with_columns(target=pl.lit(number, dtype=pl.Int64)))
        results.append({"target": number, **_result(projection, aim, found)})
    whole = ("last_start", "out_of_reach", "last_start_any_seats", "out_of_reach_any_seats")
    columns = ("target", "start", "attainable", "is_met", "attainable_any_seats",
               "is_met_any_seats")  # fmt: skip
    return Reachability(
        targets=tuple(aim.target for aim in aims),
        starts=pl.concat(starts).select(columns).fill_nan(None),
        results=pl.DataFrame(results, schema_overrides=dict.fromkeys(whole, pl.Int64)).fill_nan(
            None
        ),
        findings=(*projection.findings, *findings),
    )


def _starts(projection: Projection, aim: Aim, seats: Seats) -> pl.DataFrame:
    """Return what is attained from each first year on."""
    choices, asked = asked_of(projection, [aim])
    programme = linear_programme(choices)
    columns = choices.entrants.ravel()
    any_seats = replace(seats, seats=np.full_like(seats.seats, np.inf))
    rows: dict[str, list[Any]] = {"start": [], "attainable": [], "attainable_any_seats": []}
    for start in range(choices.n_years):
        rows["start"].append(int(projection.years[start]))
        for name, limits in (("attainable", seats), ("attainable_any_seats", any_seats)):
            low, high = choices.bounds(limits.path(start, choices.n_years), start)
            programme.set_columns(columns, low.ravel(), high.ravel())
            rows[name].append(best(programme, asked[0], aim.target.direction, choices.n_columns))
    for name in ("attainable", "attainable_any_seats"):
        met = [None if np.isnan(x) else aim.target.is_met(x) for x in rows[name]]
        rows[name.replace("attainable", "is_met")] = met
    bools = dict.fromkeys(("is_met", "is_met_any_seats"), pl.Boolean)
    return pl.DataFrame(rows, schema_overrides=bools)


def _result(projection: Projection, aim: Aim, found: pl.DataFrame) -> dict[str, Any]:
    target = aim.target
    upto = int(target.year - projection.years[0])
    projected = float(values_of(projection, aim)[0][upto])
    is_met = not np.isnan(projected) and target.is_met(projected)
    row: dict[str, Any] = {
        "indicator": target.indicator,
        "filter": target.filter,
        "direction": target.direction,
        "year": target.year,
        "value": target.value,
        "projected": projected,
    }
    for ending in ("", "_any_seats"):
        met = found.filter(pl.col(f"is_met{ending}"))["start"]
        last = int(met.max()) if met.len() else None  # type: ignore[arg-type]
        row[f"last_start{ending}"] = last
        too_late = int(projection.years[0]) if last is None else last + 1
        row[f"out_of_reach{ending}"] = None if is_met else too_late
    return row


def _told(target: Target, row: dict[str, Any]) -> str:
    if row["out_of_reach"] is None:
        return f"{target}: the plan meets it ({amount(row['projected'])})."
    planned = "nothing to compare" if row["projected"] is None else amount(row["projected"])
    text = f"{target}: {planned} as planned. "
    if row["last_start"] is None:
        text += f"With the seats there are, no intake from {row['out_of_reach']} on meets it"
    else:
        text += (
            f"With the seats there are, another intake from {row['last_start']} on could still "
            f"meet it; begun in {row['out_of_reach']} it is too late"
        )
    last = row["last_start_any_seats"]
    if last is None:
        return text + ", nor would any number of seats."
    if last == row["last_start"]:
        return text + "; more seats would not change that."
    return text + f"; with as many seats as it takes, {last} would be soon enough."
