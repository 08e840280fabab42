"""Rules about people: rates that can be, durations, age bands, shares of graduates."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.checks.few import first_few
from withstand.model.encoding import numbers
from withstand.model.findings import Finding, make_finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.findings import Origin

Array = np.ndarray
TOLERANCE = 1e-9
_BAND = re.compile(r"\s*(\d{1,3})\s*[-\u2013]\s*(\d{1,3})\s*\Z")
_OPEN = re.compile(r"\s*(\d{1,3})\s*\+\s*\Z")


def ages_of(band: str) -> tuple[int, int | None] | None:
    """Return first and last age of a band, no last age for an open one; None for other words.

    Examples
    --------
    >>> ages_of("25-34"), ages_of("65+"), ages_of("young")
    ((25, 34), (65, None), None)
    """
    if match := _BAND.match(band):
        return int(match[1]), int(match[2])
    if match := _OPEN.match(band):
        return int(match[1]), None
    return None


def check_people(
    tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]
) -> list[Finding]:
    """Run every rule about the tables of people; a network without them has none.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        Conformed tables; only occupations, people, transfers, programmes and placements are read.
    origins : mapping of str to Origin
    """
    if "occupations" not in tables:
        return []
    return [
        *more_leave_than_are_there(tables, origins),
        *transfer_to_where_they_are(tables, origins),
        *transfers_above_the_rate(tables, origins),
        *impossible_age_bands(tables, origins),
        *no_duration(tables, origins),
        *more_placed_than_graduate(tables, origins),
        *supplies_no_hours(tables, origins),
    ]


def supplies_no_hours(
    tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]
) -> list[Finding]:
    """Warn of occupations that supply a product of another kind than skill, where kinds are said.

    Its people would be counted against pieces, not against hours.
    """
    products, occupations = tables.get("products"), tables["occupations"]
    if products is None or "kind" not in products.columns or "product" not in occupations.columns:
        return []
    kind = dict(zip(text_of(products, "product"), text_of(products, "kind"), strict=True))
    supplied = text_of(occupations, "product")
    rows = [r for r, product in enumerate(supplied) if kind.get(product, "") not in ("", "skill")]

    def describe(row: int) -> Finding:
        return make_finding(
            "W505",
            f"its product is of kind {kind[supplied[row]]}, not skill",
            origin=origins["occupations"],
            index=row,
            column="product",
            value=supplied[row],
        )

    return first_few(rows, describe)


def text_of(frame: pl.DataFrame, name: str) -> list[str]:
    """Return a column as text, blank where it is empty or absent."""
    if name not in frame.columns:
        return [""] * frame.height
    return [x.strip() for x in frame[name].cast(pl.String).fill_null("")]


def _rows_of(labels: pl.Series, series: pl.Series) -> Array:
    """Return the first row of each label in `labels`, -1 where unknown; labels may stand twice."""
    rows: dict[str, int] = {}
    for row, label in enumerate(labels):
        rows.setdefault(label, row)
    return np.array([-1 if x is None else rows.get(x, -1) for x in series], dtype=np.int64)


def transfer_sums(tables: Mapping[str, pl.DataFrame]) -> tuple[Array, Array]:
    """Return the most that moves out of each occupation in any one region, share per year.

    Returns
    -------
    transfers, migration : ndarray of float64, shape (n_occupations,)
        To other occupations; to other regions in the same one.
    """
    labels = tables["occupations"]["occupation"]
    total: dict[bool, Array] = {kind: np.zeros(len(labels)) for kind in (False, True)}
    if "transfers" not in tables:
        return total[False], total[True]
    frame = tables["transfers"]
    start, end = _rows_of(labels, frame["from"]), _rows_of(labels, frame["to"])
    region = np.array(text_of(frame, "from_region"), dtype=object)
    share = numbers(frame, "share", 0.0)
    for is_same in (False, True):
        chosen = (start >= 0) & (end >= 0) & ((start == end) == is_same)
        everywhere = np.bincount(
            start[chosen & (region == "")], share[chosen & (region == "")], len(labels)
        )
        total[is_same] = everywhere
        for one in sorted(set(region[chosen]) - {""}):
            here = chosen & (region == one)
            local = everywhere + np.bincount(start[here], share[here], len(labels))
            total[is_same] = np.maximum(total[is_same], local)
    return total[False], total[True]


def more_leave_than_are_there(
    tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]
) -> list[Finding]:
    """Find rows whose yearly rates sum to more than 1, of occupations and of people."""
    occupations = tables["occupations"]
    listed, migration = transfer_sums(tables)
    leave = numbers(occupations, "exit_rate", 0.0)
    stated = numbers(occupations, "transfer_rate")
    transfer = np.where(np.isnan(stated), listed, np.maximum(stated, listed))
    total = np.where(_possible(leave) & _possible(transfer), leave + transfer + migration, 0.0)
    found = _above_one("occupations", occupations, total, origins)
    if "people" not in tables:
        return found
    people = tables["people"]
    at = _rows_of(occupations["occupation"], people["occupation"])
    known = at >= 0
    own_leave, own = numbers(people, "exit_rate"), numbers(people, "transfer_rate")
    leave_here = np.where(np.isnan(own_leave), np.where(known, leave[at], 0.0), own_leave)
    moves = np.where(np.isnan(own), np.where(known, transfer[at], 0.0), own)
    moves = np.maximum(moves, np.where(known, listed[at], 0.0))
    bands = {band: ages_of(band) for band in set(text_of(people, "age_band"))}
    next_one = {ages[0] for ages in bands.values() if ages}
    ageing = np.array(
        [_ageing(bands[band], next_one) for band in text_of(people, "age_band")], dtype=float
    )
    total = leave_here + moves + np.where(known, migration[at], 0.0) + ageing
    total = np.where(_possible(leave_here) & _possible(moves), total, 0.0)
    found += _above_one("people", people, total, origins)
    back = numbers(people, "return_rate", 0.0)
    back = np.where(_possible(leave_here) & _possible(back), leave_here + back, 0.0)
    found += _above_one("people", people, back, origins, "return_rate", "exits and returns")
    return found


def _possible(rate: Array) -> Array:
    """Return which rates can be by themselves; the others have a finding of their own."""
    return (rate >= 0) & (rate <= 1)


def _ageing(ages: tuple[int, int | None] | None, first_ages: set[int]) -> float:
    """Return the share of a band that grows into the next one in a year, 0 without a next one."""
    if ages is None or ages[1] is None or ages[1] + 1 not in first_ages or ages[1] < ages[0]:
        return 0.0
    return 1.0 / (ages[1] - ages[0] + 1)


def _above_one(
    table: str,
    frame: pl.DataFrame,
    total: Array,
    origins: Mapping[str, Origin],
    column: str = "exit_rate",
    noun: str = "exits, transfers, migration and ageing",
) -> list[Finding]:
    def describe(row: int) -> Finding:
        return make_finding(
            "E501",
            f"{noun} of {frame['occupation'][row]} sum to {total[row]:.4g} a year, expected at"
            " most 1",
            origin=origins[table],
            index=row,
            column=column if column in frame.columns else "occupation",
            value=f"{total[row]:.4g}",
        )

    return first_few(np.flatnonzero(total > 1 + TOLERANCE).tolist(), describe)


def transfer_to_where_they_are(
    tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]
) -> list[Finding]:
    """Find transfers that change neither occupation nor region."""
    if "transfers" not in tables:
        return []
    frame = tables["transfers"]
    here, there = text_of(frame, "from_region"), text_of(frame, "to_region")
    same = (frame["from"] == frame["to"]).fill_null(value=False).to_list()
    rows = [i for i in range(frame.height) if same[i] and (not there[i] or here[i] == there[i])]

    def describe(row: int) -> Finding:
        return make_finding(
            "E505",
            f"people of {frame['from'][row]} move to {frame['to'][row]} in the same region",
            origin=origins["transfers"],
            index=row,
            column="to",
            value=frame["to"][row],
        )

    return first_few(rows, describe)


def transfers_above_the_rate(
    tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]
) -> list[Finding]:
    """Find occupations whose listed transfers sum to more than their transfer rate."""
    frame = tables["occupations"]
    listed, _ = transfer_sums(tables)
    stated = numbers(frame, "transfer_rate")
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(listed > stated + TOLERANCE).tolist()

    def describe(row: int) -> Finding:
        return make_finding(
            "E506",
            f"transfers out of {frame['occupation'][row]} sum to {listed[row]:.4g} a year, its"
            f" transfer_rate is {stated[row]:.4g}",
            origin=origins["occupations"],
            index=row,
            column="transfer_rate",
            value=f"{stated[row]:.4g}",
        )

    return first_few(rows, describe)


def impossible_age_bands(
    tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]
) -> list[Finding]:
    """Find bands that run backwards, and bands of one occupation and region that overlap."""
    if "people" not in tables:
        return []
    frame = tables["people"]
    words = text_of(frame, "age_band")
    ages = [ages_of(word) for word in words]
    cases = [
        (row, f"age band {words[row]} runs backwards")
        for row, band in enumerate(ages)
        if band and band[1] is not None and band[1] < band[0]
    ]
    groups: dict[tuple[str, str], dict[tuple[int, float], int]] = {}
    keys = zip(text_of(frame, "occupation"), text_of(frame, "region"), strict=True)
    for row, (key, band) in enumerate(zip(keys, ages, strict=True)):
        if band and (band[1] is None or band[1] >= band[0]):
            groups.setdefault(key, {}).setdefault((band[0], band[1] or np.inf), row)
    for found in groups.values():
        ordered = sorted(found)
        cases += [
            (found[after], f"age bands {words[found[before]]} and {words[found[after]]} overlap")
            for before, after in pairwise(ordered)
            if after[0] <= before[1]
        ]

    def describe(case: tuple[int, str]) -> Finding:
        return make_finding(
            "E503",
            case[1],
            origin=origins["people"],
            index=case[0],
            column="age_band",
            value=words[case[0]],
        )

    return first_few(sorted(cases), describe)


def no_duration(tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]) -> list[Finding]:
    """Find programmes without a length."""
    if "programmes" not in tables:
        return []
    frame = tables["programmes"]
    duration = numbers(frame, "duration")
    rows = np.flatnonzero(duration == 0).tolist()

    def describe(row: int) -> Finding:
        return make_finding(
            "E502",
            f"programme {frame['programme'][row]} lasts {duration[row]:.4g} periods, expected more"
            " than 0",
            origin=origins["programmes"],
            index=row,
            column="duration",
            value=f"{duration[row]:.4g}",
        )

    return first_few(rows, describe)


def more_placed_than_graduate(
    tables: Mapping[str, pl.DataFrame], origins: Mapping[str, Origin]
) -> list[Finding]:
    """Find programmes whose graduates are placed more than once."""
    if "placements" not in tables:
        return []
    frame = tables["placements"].with_row_index("row")
    sums = (
        frame.group_by("programme", maintain_order=True)
        .agg(pl.col("share").sum(), pl.col("row").last())
        .filter(pl.col("share") > 1 + TOLERANCE)
    )

    def describe(case: tuple[str, float, int]) -> Finding:
        programme, share, row = case
        return make_finding(
            "E504",
            f"shares of the graduates of {programme} sum to {share:.4g}, expected at most 1",
            origin=origins["placements"],
            index=row,
            column="share",
            value=f"{share:.4g}",
        )

    return first_few(list(sums.iter_rows()), describe)
