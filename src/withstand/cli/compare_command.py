"""The verb compare: a base and up to five others, what differs, and whether it may."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import answers, output
from withstand.errors import UsageError

_LIMIT = re.compile(
    r"\s*([a-z0-9_]+\s*(?:[\[(].*[\])])?)\s*(?:\.(rise|fall))?\s*([<>])\s*([0-9.]+)\s*(%?)\s*\Z",
    re.DOTALL,
)
_OWN = ("home_share", "tier1_home_share", "feasible_output", "largest_hhi", "esri")
"""Thresholds of withstand.toml that mean the same here."""


@dataclass(frozen=True)
class Limit:
    """A threshold of an indicator: of its value, rise or fall, and the side that breaks it."""

    asked: Any
    change: str
    sign: str
    value: float

    def __str__(self) -> str:
        """Return it as it is written."""
        change = f".{self.change}" if self.change else ""
        return f"{self.asked}{change}{self.sign}{self.value:g}"


def compare(
    networks: Annotated[
        list[str],
        typer.Argument(
            help="The base, then one to five others: base (the project), a folder, a workbook,"
            " example:NAME, a snapshot, or the JSON of a plan, applied to the base."
        ),
    ],
    indicator: Annotated[
        list[str] | None,
        typer.Option(help="One more: 'covered(without=JP; kind=equipment)'; repeat."),
    ] = None,
    top: Annotated[int, typer.Option(help="Changed rows to show.", min=1)] = 10,
    out: Annotated[
        list[Path] | None, typer.Option(help="Report: compare.html, .xlsx, .json; repeat.")
    ] = None,
    hide_names: Annotated[
        bool, typer.Option("--hide-names", help="Suppliers, companies and sites become numbers.")
    ] = False,
    fail_on: Annotated[
        str,
        typer.Option(
            help="Exit with 5 if broken in one of the others: home_share<0.5, or by how much it"
            " differs from the base: home_share.fall>2%, esri.rise>5%."
        ),
    ] = "",
) -> int:
    """Set networks side by side: indicators, differences, and what changed in the tables."""
    from withstand import workbench
    from withstand.report.indicators import asked_of

    limits = limits_of(fail_on)
    targets = workbench.compared_targets([*(out or [])])
    asked = [*(asked_of(x) for x in indicator or []), *(x.asked for x in limits)]
    with output.progress() as progress:
        found = workbench.compare(
            networks,
            project=output.settings.project,
            asked=asked,
            hides_names=hide_names,
            progress=progress,
        )
        files = workbench.write_compared(found, targets)
    return answer(found, files, limits, top)


def answer(found: Any, files: list[Path], limits: list[Limit], top: int) -> int:
    """Print a comparison; return the exit code."""
    broken = broken_by(found, limits or own_limits(found.base.network))
    if output.settings.json:
        from withstand.report.compare_page import compare_document

        document = compare_document(found)
        output.say_json(document | {"files": [str(f) for f in files], "broken": broken})
    else:
        say(found, top)
        for file in files:
            output.say(f"Wrote {file}")
    return answers.judged(broken)


def limits_of(text: str) -> list[Limit]:
    """Parse `home_share<0.5, covered(without=JP, CN)<80%, esri.rise>0.05`.

    Examples
    --------
    >>> [str(x) for x in limits_of("home_share.fall>2%, covered(without=JP, CN)<80%")]
    ['home_share.fall>0.02', 'covered(without=JP, CN)<0.8']
    """
    from withstand.report.indicators import asked_of

    found = []
    for part in re.split(r",(?![^(\[]*[)\]])", text) if text.strip() else []:
        match = _LIMIT.match(part)
        try:
            value = float(match[4]) if match else 0.0
        except ValueError:
            match = None
        if match is None:
            raise UsageError(
                f"--fail-on '{part.strip()[:60]}' is no threshold; write home_share<0.5, or"
                " home_share.fall>2%."
            )
        scale = 100.0 if match[5] else 1.0
        found.append(Limit(asked_of(match[1]), match[2] or "", match[3], value / scale))
    return found


def own_limits(network: Any) -> list[Limit]:
    """Return the thresholds of withstand.toml that are measured here."""
    from withstand.report.indicators import Asked

    sides = {"more": "<", "less": ">"}
    wanted = [(Asked(n), v) for n, v in network.settings.thresholds.items() if n in _OWN]
    return [Limit(a, "", sides[a.indicator.better], v) for a, v in wanted]


def broken_by(found: Any, limits: list[Limit]) -> list[str]:
    """Return the thresholds that one of the others breaks, in words; what has no number breaks."""
    import polars as pl

    from withstand.report.tracking import said_value

    broken = []
    for limit in limits:
        column = "difference" if limit.change else "value"
        rows = found.rows.filter(
            (pl.col("indicator") == limit.asked.name) & (pl.col("filter") == limit.asked.filter)
        )
        for row in rows.iter_rows(named=True):
            if row["case"] == found.base.name:
                continue
            value = row[column]
            if value is None:
                broken.append(f"{limit} in {row['case']}: there is no number. {row['why']}")
                continue
            value = -value if limit.change == "fall" else value
            if (value < limit.value) if limit.sign == "<" else (value > limit.value):
                unit = limit.asked.indicator.unit
                broken.append(f"{limit} in {row['case']}: it is {said_value(value, unit)}")
    return broken


def say(found: Any, top: int) -> None:
    """Print a comparison: the sentence, indicators, what changed."""
    from withstand.report.compare_page import said_table, shortened

    output.say(found.summary())
    for note in found.notes:
        output.say(note)
    output.say("")
    made = said_table(found)
    columns = [c for c in made.frame.columns if not c.startswith("verdict")]
    headers = {
        c: x.header for c, x in zip(made.frame.columns, made.columns, strict=True) if c in columns
    }
    output.say_table(f"Indicators; differences are to {found.base.name}", made.frame, headers)
    if found.counts.height:
        output.say_table(
            "Rows of the tables that differ",
            found.counts,
            {"case": "network", "table": "table", "added": "added", "removed": "removed",
             "changed": "changed"},
        )  # fmt: skip
    for case in found.cases[1:]:
        rows = found.why(case.name)
        if rows.height:
            output.say_table(
                f"What differs in {case.name}, what moved most value first",
                shortened(rows.head(top)),
                {"table": "table", "change": "change", "key": "row", "column": "column",
                 "before": "before", "after": "after", "effect": "value moved"},
                shares=["effect"],
            )  # fmt: skip
            if rows.height > top:
                output.say(f"... and {rows.height - top:,} more (--top, --json or --out show all)")
