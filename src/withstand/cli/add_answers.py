"""What the verb add says: which column becomes which, what changes, what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.cli import output

if TYPE_CHECKING:
    from withstand.readers.mapping.importing import BlockImport, Import

SHOWN_ROWS = 3
SHOWN_COLUMNS = 8
_LONGEST_CELL = 24


def say(plan: Import, marked: Path | None) -> None:
    """Print the preview: blocks and their columns, changes of each table, findings."""
    for one in plan.blocks:
        _say_block(one)
    for change in plan.changes:
        counts = [
            f"{n:,} {word}"
            for n, word in (
                (change.added, "added"),
                (change.changed, "changed"),
                (change.removed, "removed"),
                (change.unchanged, "unchanged"),
            )
            if n
        ]
        output.say(f"Table {change.table}: {', '.join(counts) or 'no rows'}")
        for what, text in change.examples:
            if change.mode != "new":
                output.say(f"  {what} {text}")
    for name in plan.dropped:
        output.say(f"Table {name}: removed, as items and suppliers take its place")
    if plan.findings and not (output.settings.quiet and plan.is_ready):
        output.say_findings(plan.findings, failed=not plan.is_ready)
    if marked is not None:
        output.say(f"Wrote {marked}, a copy with the bad cells marked.")


def _say_block(one: BlockImport) -> None:
    match = one.found.match
    where = one.path.name + (f" > {one.block.sheet}" if one.block.sheet else "")
    size = f"{one.block.n_rows:,} rows"
    if match is None:
        output.say(f"{where}: {size}, no table of ours")
        return
    sure = "" if match.is_taken else "?"
    by = {"words": "", "kept": ", as last time"}.get(match.by, f", map {match.by}")
    output.say(f"{where}: {size} -> {match.table}{sure}{by}")
    width = max((len(p.header[:_LONGEST_CELL]) for p in match.picks), default=0)
    for pick in match.picks:
        if not pick.header:
            continue
        done = one.converted.said.get(pick.target or "", "") if one.converted else ""
        if pick.is_taken:
            said = f"{pick.target}" + (f"  ({done})" if done else "")
        elif pick.target:
            said = f"- (perhaps {pick.target})"
        else:
            said = "-"
        output.say(f"  {pick.header[:_LONGEST_CELL]:<{width}}  {said}")
    _say_rows(one)


def _say_rows(one: BlockImport) -> None:
    """Print the first rows as they will stand in the table."""
    if one.converted is None or one.converted.frame.width == 0:
        return
    frame = one.converted.frame.head(SHOWN_ROWS)
    frame = frame.select(frame.columns[:SHOWN_COLUMNS])
    output.say("  first rows:")
    for row in frame.iter_rows():
        output.say("    " + " | ".join(_cell(value) for value in row))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 3] + "..."


def say_end(plan: Import, written: list[str]) -> None:
    """Print what was written, or what is to do first."""
    project = plan.project.folder
    if written:
        output.say(f"Wrote {len(written)} files into {project}: {', '.join(_short(written))}")
        output.say(f"Next: withstand check --project {project}")
    elif plan.refusals:
        for refusal in plan.refusals:
            output.say_error(refusal)
    elif plan.is_ready:
        output.say("Nothing is written yet. To write it, say the same with --yes.")
    else:
        output.say("Nothing was written: the errors above come first.")


def _short(written: list[str], most: int = 6) -> list[str]:
    return written if len(written) <= most else [*written[:most], "..."]


def document(plan: Import, written: list[str], marked: Path | None) -> dict[str, Any]:
    """Return the import as one JSON document."""
    failed = (
        bool(plan.refusals) or not plan.changes or any(f.severity == "error" for f in plan.findings)
    )
    return {
        "status": "error" if failed else "ok",
        "project": str(plan.project.folder),
        "written": written,
        "marked": None if marked is None else str(marked),
        "refused": plan.refusals,
        "tables": [
            {
                "file": one.path.name,
                "sheet": one.block.sheet,
                "rows": one.block.n_rows,
                "table": one.found.match.table if one.found.match else None,
                "by": one.found.match.by if one.found.match else None,
                "is_sure": bool(one.found.match and one.found.match.is_taken),
            }
            for one in plan.blocks
        ],
        "columns": plan.to_frame(),
        "changes": [
            {
                "table": c.table,
                "mode": c.mode,
                "added": c.added,
                "changed": c.changed,
                "removed": c.removed,
                "unchanged": c.unchanged,
                "examples": [" ".join(e) for e in c.examples],
                "first_rows": c.frame.head(SHOWN_ROWS).to_dicts(),
            }
            for c in plan.changes
        ],
        "dropped": plan.dropped,
        "findings": [f.to_dict() for f in plan.findings],
    }
