"""A production line from a table: one row a machine, in the order in which parts pass."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.conforming import conform_rows
from withstand.model.findings import Finding, Origin, has_errors, make_finding, shorten
from withstand.model.tables import Column, Table
from withstand.plants.lines import ProductionLine, line, oee

if TYPE_CHECKING:
    from pathlib import Path

Array = np.ndarray
DEFAULT_CYCLE = 60.0
LONGEST_SECONDS = 1e12
SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 604_800.0),
}
CYCLES = ("cycle", "cycles")
_TIME = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?|\.[0-9]+)\s*([a-z]*)\s*\Z", re.I)
_UNIT = "a time with a unit: 12h, 30 min, 90s, 500 cycles"


def _number(name: str, meaning: str, unit: str, **more: Any) -> Column:
    return Column(name=name, meaning=meaning, type="number", unit=unit, **more)


LINE = Table(
    name="line",
    meaning="The machines of a production line, one row each, in the order in which parts pass.",
    columns=(
        Column(name="machine", meaning="Name.", type="label", required=True, example="gear hobber"),
        Column(
            name="mtbf",
            meaning="Working time between failures, on average (days are of 24 hours).",
            unit=_UNIT,
            example="20h",
        ),
        Column(name="mttr", meaning="Time of a repair, on average.", unit=_UNIT, example="90 min"),
        _number(
            "failure",
            "Chance that the machine fails in a cycle in which it works; in place of mtbf.",
            "per cycle",
            low=0.0,
            high=1.0,
        ),
        _number(
            "repair",
            "Chance that a machine that is down is mended in a cycle; in place of mttr.",
            "per cycle",
            low=0.0,
            high=1.0,
        ),
        _number(
            "cycle_seconds",
            "Time of the machine for one part at its nominal speed.",
            "seconds",
            low=1e-6,
            high=1e9,
            default="60 where chances per cycle are given",
            example="45",
        ),
        Column(
            name="buffer_after",
            meaning="Places between this machine and the next, those on the two machines counted "
            "in: room for b parts between them is b + 2. Empty for the last machine.",
            type="integer",
            unit="parts",
            low=1,
            high=999_999,
            example="8",
        ),
        _number(
            "performance",
            "Share of its nominal speed that the machine reaches while it works.",
            "0 to 1",
            low=1e-6,
            high=1.0,
            default="1",
        ),
        _number("quality", "Share of good parts.", "0 to 1", low=1e-6, high=1.0, default="1"),
    ),
    key=("machine",),
)
"""The columns of a table of machines."""
EXAMPLE = """machine,mtbf,mttr,cycle_seconds,buffer_after,performance,quality
turning,30h,90 min,45,8,0.95,0.995
gear hobbing,16h,2h,45,8,0.95,0.99
grinding,22h,3h,45,,0.95,0.985
"""
"""A table to start from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LineTable:
    """Machines as a table states them.

    Parameters
    ----------
    machines : tuple of str
    repair, failure : ndarray of float64, shape (k,), per cycle of the machine
    cycle_seconds : ndarray of float64, shape (k,), seconds
    performance, quality : ndarray of float64, shape (k,), 0 to 1
    buffers : ndarray of int64, shape (k - 1,)
    findings : tuple of Finding
        Warnings and notes on the way.
    """

    machines: tuple[str, ...]
    repair: Array
    failure: Array
    cycle_seconds: Array
    performance: Array
    quality: Array
    buffers: Array
    findings: tuple[Finding, ...] = ()

    def work_out(
        self,
        method: str = "auto",
        *,
        seed: int = 0,
        simulated_cycles: int = 1_000_000,
        runs: int = 1,
        jobs: int | None = None,
    ) -> ProductionLine:
        """Return the line worked out; arguments as in `plants.line`."""
        return line(
            self.repair.tolist(),
            self.failure.tolist(),
            self.buffers.tolist(),
            cycle_seconds=self.cycle_seconds.tolist(),
            performance=self.performance.tolist(),
            quality=self.quality.tolist(),
            machines=self.machines,
            method=method,
            seed=seed,
            simulated_cycles=simulated_cycles,
            runs=runs,
            jobs=jobs,
        )


def line_of(frame: pl.DataFrame, origin: Origin | None = None) -> LineTable:
    """Return the line of a table of machines, or raise every fault in it.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a machine, with the columns of `LINE`.
    origin : Origin, optional
        Where the table came from.

    Raises
    ------
    DataError
        With every fault in the table.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"machine": ["hob", "grinder"], "mtbf": ["100 min", "5000s"],
    ...     "mttr": ["10 min", "600 s"], "cycle_seconds": [60, 60], "buffer_after": [10, None]})
    >>> table = line_of(frame)
    >>> table.failure.tolist(), table.repair.tolist(), table.buffers.tolist()
    ([0.01, 0.012], [0.1, 0.1], [10])
    """
    origin = origin or Origin("line")
    conformed = conform_rows(frame, LINE, origin)
    findings = list(conformed.findings)
    if conformed.is_usable and not any(f.code == "E112" for f in findings):
        rows = list(conformed.frame.iter_rows(named=True))
        if len(rows) < 2:
            findings.append(make_finding("E583", "the table holds one machine", origin=origin))
        flawed = conformed.is_flawed.to_list() if conformed.is_flawed is not None else []
        done = []
        for at, row in enumerate(rows):
            if flawed and flawed[at]:
                _time_faults(row, at, origin, findings)
                continue
            findings += _buffer_faults(row, at, len(rows), origin)
            done.append(_chances(row, at, origin, findings))
    if has_errors(findings):
        raise DataError(findings)
    failure, repair, cycle = (np.array([d[i] for d in done]) for i in range(3))
    return LineTable(
        machines=tuple(row["machine"] for row in rows),
        failure=failure,
        repair=repair,
        cycle_seconds=cycle,
        performance=_share(rows, "performance"),
        quality=_share(rows, "quality"),
        buffers=np.array([row["buffer_after"] for row in rows[:-1]], dtype=np.int64),
        findings=tuple(findings),
    )


def _share(rows: list[dict[str, Any]], name: str) -> Array:
    return np.array([1.0 if row.get(name) is None else row[name] for row in rows])


def _buffer_faults(
    row: Mapping[str, Any], at: int, n_machines: int, origin: Origin
) -> list[Finding]:
    is_given, is_last = row.get("buffer_after") is not None, at == n_machines - 1
    if is_last == (not is_given):
        return []
    code, what = "N582", "the buffer of the last machine is left out"
    if not is_last:
        code, what = "E102", f"how many places are there behind '{shorten(row['machine'])}'?"
    return [make_finding(code, what, origin=origin, index=at, column="buffer_after")]


def _time_faults(row: Mapping[str, Any], at: int, origin: Origin, findings: list[Finding]) -> None:
    """Note what is wrong with the times of a row that has other faults already."""
    machine = _Row(row, at, origin, findings)
    for name in ("mtbf", "mttr"):
        if machine.has(name):
            machine.seconds(name, machine.cycle or DEFAULT_CYCLE)


class _Row:
    """One machine's row, which notes what is wrong with it."""

    def __init__(self, row: Mapping[str, Any], at: int, origin: Origin, findings: list[Finding]):
        self.row, self.at, self.origin, self.findings = row, at, origin, findings
        self.cycle: float | None = row.get("cycle_seconds")

    def has(self, name: str) -> bool:
        return self.row.get(name) is not None

    def say(self, code: str, what: str, column: str) -> None:
        value = self.row.get(column)
        self.findings.append(
            make_finding(code, what, origin=self.origin, index=self.at, column=column, value=value)
        )

    def seconds(self, name: str, cycle: float) -> float | None:
        found = seconds_of(str(self.row[name]), cycle)
        if isinstance(found, str):
            self.say("E581" if "unit" in found else "E103", found, name)
        elif not 0 < found <= LONGEST_SECONDS:
            self.say("E107", "a time must be above 0 and below 30,000 years", name)
        else:
            return found
        return None


def _chances(
    row: Mapping[str, Any], at: int, origin: Origin, findings: list[Finding]
) -> tuple[float, float, float]:
    """Return failure and repair per cycle, and the cycle; what is wrong is added to findings."""
    machine = _Row(row, at, origin, findings)
    has_times = machine.has("mtbf") or machine.has("mttr")
    has_chances = machine.has("failure") or machine.has("repair")
    if has_times and has_chances:
        machine.say("E582", "times and chances per cycle are given both", "failure")
    elif has_times:
        found = _from_times(machine)
        if found is not None and machine.cycle is not None:
            return *found, machine.cycle
    elif has_chances:
        return *_from_chances(machine), machine.cycle or DEFAULT_CYCLE
    else:
        machine.say("E582", "nothing says how often it fails, and how long it is down", "mtbf")
    return 0.0, 1.0, DEFAULT_CYCLE


def _from_chances(machine: _Row) -> tuple[float, float]:
    if machine.cycle is None:
        machine.say("N581", "a cycle of 60 seconds was taken", "cycle_seconds")
    failure, repair = machine.row.get("failure"), machine.row.get("repair")
    if failure is None:
        machine.say("E582", "failure is missing", "failure")
    elif failure > 0 and repair is None:
        machine.say("E582", "repair is missing", "repair")
    elif failure > 0 and repair == 0:
        machine.say("E107", "repair must be above 0: else the machine never comes back", "repair")
    return float(failure or 0.0), float(repair or 1.0)


def _from_times(machine: _Row) -> tuple[float, float] | None:
    absent = [n for n in ("mtbf", "mttr") if not machine.has(n)]
    if absent:
        machine.say("E582", f"{absent[0]} is missing", absent[0])
        return None
    if machine.cycle is None:
        machine.say("E102", "times need the cycle that they are counted in", "cycle_seconds")
        return None
    mtbf, mttr = (machine.seconds(name, machine.cycle) for name in ("mtbf", "mttr"))
    if mtbf is None or mttr is None:
        return None
    if min(mtbf, mttr) < machine.cycle:
        short = "mtbf" if mtbf < mttr else "mttr"
        machine.say("W581", f"{short} is shorter than the cycle of {machine.cycle:g} s", short)
    return per_cycle(mtbf, mttr, machine.cycle)


def per_cycle(mtbf: float, mttr: float, cycle: float) -> tuple[float, float]:
    """Return the chances of failure and repair per cycle of times in seconds.

    Times shorter than a cycle are lengthened together, so that the share of time up stays the same.

    Examples
    --------
    >>> per_cycle(6000.0, 600.0, 60.0)
    (0.01, 0.1)
    >>> per_cycle(3000.0, 30.0, 60.0)
    (0.01, 1.0)
    """
    stretch = max(1.0, cycle / mtbf, cycle / mttr)
    return cycle / (mtbf * stretch), cycle / (mttr * stretch)


def seconds_of(text: str, cycle: float) -> float | str:
    """Return a time in seconds, or what is wrong with it.

    Examples
    --------
    >>> seconds_of("1.5 h", 60.0), seconds_of("500 cycles", 36.0)
    (5400.0, 18000.0)
    >>> seconds_of("12", 60.0)
    'the unit is missing'
    """
    match = _TIME.match(text)
    if match is None:
        return "this is no time"
    unit = match[2].lower()
    if not unit:
        return "the unit is missing"
    if unit == "m":
        return "the unit m could be minutes or months: write min"
    if unit in CYCLES:
        return float(match[1]) * cycle
    if unit not in SECONDS:
        return f"the unit '{unit[:20]}' is not known"
    return float(match[1]) * SECONDS[unit]


def read_line_toml(path: Path) -> tuple[pl.DataFrame, Origin]:
    """Return the table of machines of a TOML file: one `[[machine]]` each.

    Keys before the first machine hold for all of them.

    Raises
    ------
    DataError
        If it is no such file.
    """
    origin = Origin(shorten(path.name))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        what = f"the file cannot be opened: {reason}"
        raise DataError([make_finding("E116", what, origin=origin)]) from error
    except UnicodeDecodeError as error:
        what = "the file is not UTF-8 text"
        raise DataError([make_finding("E114", what, origin=origin)]) from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        what = f"the file is no TOML: {shorten(error)}"
        fix = 'Write the machines as [[machine]] with machine = "name", mtbf = "20h" ...'
        raise DataError([make_finding("E113", what, origin=origin, fix=fix)]) from error
    rows = content.pop("machine", None)
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows) or not rows:
        raise DataError([make_finding("E583", "the file has no [[machine]]", origin=origin)])
    rows = [{k: _text(v) for k, v in ({**content, **row}).items()} for row in rows]
    names = list(dict.fromkeys(k for row in rows for k in row))
    columns = {n: [row.get(n) for row in rows] for n in names}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
    return frame, Origin(origin.file, rows=_lines_of(path, len(rows)))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if not isinstance(value, list | dict) else shorten(value)


def _lines_of(path: Path, n_machines: int) -> list[int]:
    """Return the line of each [[machine]], so that findings point at it."""
    text = path.read_text(encoding="utf-8-sig").splitlines()
    found = [n for n, row in enumerate(text, 1) if re.match(r"\s*\[\[\s*[\"']?machine\b", row)]
    return found if len(found) == n_machines else [0] * n_machines


def machine_frame(table: LineTable, made: ProductionLine) -> pl.DataFrame:
    """Return one row a machine: what it is alone, and how it spends its time in the line.

    Returns
    -------
    polars.DataFrame
        machine, cycle_seconds (nominal), availability (alone), oee (alone), working, starved,
        blocked, down (shares of time), buffer_after, mean_level_after (parts).
    """
    shares = made.shares()
    alone = [
        oee(*factors)
        for factors in zip(
            made.availability.tolist(),
            table.performance.tolist(),
            table.quality.tolist(),
            strict=True,
        )
    ]
    return shares.select(
        "machine",
        pl.Series("cycle_seconds", table.cycle_seconds),
        pl.Series("availability", made.availability),
        pl.Series("oee", alone),
        "working",
        "starved",
        "blocked",
        "down",
        pl.Series("buffer_after", [*made.buffers.tolist(), None], dtype=pl.Int64),
        pl.Series("mean_level_after", [*made.run.levels.tolist(), None], dtype=pl.Float64),
    )


def how_found(made: ProductionLine, length: int, runs: int = 1) -> str:
    """Return how the numbers were found and how sure they are, in a sentence or two."""
    run = made.run
    if run.method == "exact":
        return "Exact: the chain of all states of the line was solved."
    if run.method == "decomposition":
        return (
            "By decomposition, an approximation: as a rule within 1 % for up to five machines, for "
            "long lines of equal machines some percent too high. A simulation gives an interval."
        )
    what, how = ("cycles", "") if made.has_one_cycle else ("parts", "Cycles differ: ")
    times = f"{runs:,} runs of " if runs > 1 else ""
    return (
        f"{how}simulated over {times}{length:,} {what}; with 95 % confidence the throughput lies "
        f"within {run.throughput:.5f} ± {run.half_width:.5f} parts per cycle."
    ).capitalize()
