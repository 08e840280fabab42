"""The verb track: keep what is, say what differs, judge targets."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from withstand.cli import compare_command, output
from withstand.errors import UsageError

ACTIONS = ("snapshot", "list", "diff", "targets", "indicators")
_FAILS = {"missed": ("missed", "not known"), "late": ("missed", "late", "not known")}


def track(
    action: Annotated[str, typer.Argument(help="snapshot, list, diff, targets or indicators.")],
    first: Annotated[
        str, typer.Argument(help="Name of the snapshot; of diff, the earlier one.")
    ] = "",
    second: Annotated[str, typer.Argument(help="Of diff: the later one. Default: now.")] = "",
    on: Annotated[str, typer.Option(help="The day it speaks of, 2026-12-31. Default: today.")] = "",
    note: Annotated[str, typer.Option(help="A line kept with a snapshot.")] = "",
    hashes_only: Annotated[
        bool, typer.Option("--hashes-only", help="Keep hashes of the tables, not the tables.")
    ] = False,
    indicator: Annotated[
        list[str] | None,
        typer.Option(help="One more: 'covered(without=JP; kind=equipment)'; repeat."),
    ] = None,
    top: Annotated[int, typer.Option(help="Changed rows to show.", min=1)] = 10,
    out: Annotated[
        list[Path] | None, typer.Option(help="Report: targets.html, .xlsx, .json; repeat.")
    ] = None,
    hide_names: Annotated[
        bool, typer.Option("--hide-names", help="Suppliers, companies and sites become numbers.")
    ] = False,
    fail_on: Annotated[
        str,
        typer.Option(help="Exit with 5. Of targets: late or missed; of diff as in compare."),
    ] = "",
) -> int:
    """Keep snapshots of a project, say what differs between two, judge its targets by year."""
    from withstand import workbench
    from withstand.report.indicators import asked_of

    if action not in ACTIONS:
        raise UsageError(f"track does {', '.join(ACTIONS)}, not '{action[:40]}'.")
    if second and action != "diff":
        raise UsageError(f"track {action} takes no second name.")
    if first and action in ("list", "targets", "indicators"):
        raise UsageError(f"track {action} takes no name.")
    if action == "indicators":
        return _indicators()
    day = day_of(on)
    asked = [asked_of(x) for x in indicator or []]
    targets = workbench.compared_targets([*(out or [])])
    if targets and action not in ("diff", "targets"):
        raise UsageError("--out goes with diff and targets.")
    if action == "list":
        return _list()
    if action == "targets":
        return _targets(day, targets, fail_on, hides_names=hide_names)
    if action == "diff":
        return _diff(first, second or "now", asked, targets, top, fail_on, hides_names=hide_names)
    with output.progress() as progress:
        made = workbench.take_snapshot(
            output.settings.project,
            first,
            on=day,
            note=note,
            keeps_tables=not hashes_only,
            asked=asked,
            progress=progress,
        )
    return _said(made)


def day_of(text: str) -> date | None:
    """Return the day of `2026-12-31`; None where nothing is stated.

    Examples
    --------
    >>> day_of("2026-12-31"), day_of("")
    (datetime.date(2026, 12, 31), None)
    """
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"--on '{text[:40]}' is no day; write 2026-12-31.") from error


def _said(made: Any) -> int:
    if output.settings.json:
        output.say_json(
            {
                "status": "ok",
                "name": made.name,
                "folder": str(made.folder),
                "when": made.when.isoformat(),
                "fingerprint": made.fingerprint,
                "indicators": list(made.indicators),
            }
        )
    rows = sum(int(t["rows"]) for t in made.tables.values())
    kept = "kept" if made.is_kept else "hashed"
    output.say(f"Snapshot {made.name}: {len(made.indicators)} indicators measured,"
               f" {rows:,} rows of {len(made.tables)} tables {kept}.")  # fmt: skip
    output.say(f"Made {made.folder}. Next: withstand track targets, or track diff {made.name}")
    return 0


def _list() -> int:
    import polars as pl

    from withstand import workbench

    found = workbench.snapshots_of(output.settings.project)
    rows = [(s.name, s.when.isoformat(), s.taken_at, s.is_kept, s.note, s.fingerprint)
            for s in found]  # fmt: skip
    schema = {"name": pl.String, "when": pl.String, "taken_at": pl.String, "tables": pl.Boolean,
              "note": pl.String, "fingerprint": pl.String}  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    if output.settings.json:
        output.say_json({"status": "ok", "snapshots": frame})
    elif not found:
        output.say("There are no snapshots; withstand track snapshot takes the first one.")
    else:
        headers = {"name": "name", "when": "day", "tables": "tables kept", "note": "note"}
        output.say_table("Snapshots, the oldest first", frame, headers)
    return 0


def _indicators() -> int:
    from withstand.report.indicators import registry

    if output.settings.json:
        output.say_json({"status": "ok", "indicators": registry()})
    output.say_table(
        "What can be compared and tracked",
        registry(),
        {"indicator": "indicator", "says": "what it says", "unit": "unit", "better": "good",
         "filters": "filters"},
    )  # fmt: skip
    return 0


def _diff(
    first: str,
    second: str,
    asked: list[Any],
    targets: list[Path],
    top: int,
    fail_on: str,
    *,
    hides_names: bool,
) -> int:
    from withstand import workbench

    if not first:
        raise UsageError("Name a snapshot: withstand track diff 2026-Q1, or two of them.")
    limits = compare_command.limits_of(fail_on)
    with output.progress() as progress:
        found = workbench.track_diff(
            output.settings.project,
            first,
            second,
            asked=[*asked, *(x.asked for x in limits)],
            hides_names=hides_names,
            progress=progress,
        )
    if not isinstance(found, workbench.HashesCompared):
        return compare_command.answer(
            found, workbench.write_compared(found, targets), limits, top
        )  # fmt: skip
    if targets or limits:
        raise UsageError("One of the two keeps hashes only: --out and --fail-on need its tables.")
    if output.settings.json:
        output.say_json({"status": "ok", "indicators": found.rows, "tables": found.tables})
    output.say_table(f"{found.names[0]} and {found.names[1]}, as their manifests say", found.rows,
                     {c: c for c in found.rows.columns})  # fmt: skip
    headers = {"table": "table", "rows_before": "rows before", "rows_after": "rows after"}
    output.say_table("Tables", found.tables, headers | {"is_same": "same"})
    return 0


def _targets(day: date | None, targets: list[Path], fail_on: str, *, hides_names: bool) -> int:
    from withstand import workbench
    from withstand.cli import FINE, THRESHOLD

    if fail_on and fail_on not in _FAILS:
        raise UsageError(f"--fail-on takes late or missed here, not '{fail_on[:40]}'.")
    with output.progress() as progress:
        found = workbench.track_targets(
            output.settings.project, today=day, hides_names=hides_names, progress=progress
        )
        files = workbench.write_tracked(found, targets)
    failing = [j for j in found.judgements if j.status in _FAILS.get(fail_on, ())]
    if output.settings.json:
        from withstand.report.track_page import track_document

        broken = [j.goal.says for j in failing]
        output.say_json(
            track_document(found) | {"files": [str(f) for f in files], "broken": broken}
        )
    else:
        _say_targets(found)
        for file in files:
            output.say(f"Wrote {file}")
        for one in failing:
            output.say(f"Threshold broken: {one.goal.says} is {one.status}")
    return THRESHOLD if failing else FINE


def _say_targets(found: Any) -> None:
    from withstand.report.track_page import target_table
    from withstand.report.words import plural

    output.say(found.summary())
    for note in found.notes:
        output.say(note)
    output.say("")
    made = target_table(found)
    headers = {c: x.header.lower() for c, x in zip(made.frame.columns, made.columns, strict=True)}
    headers.pop("year", None)
    output.say_table(
        f"Targets as of {found.today.isoformat()},"
        f" against {plural(len(found.snapshots), 'snapshot')}",
        made.frame,
        headers,
    )
