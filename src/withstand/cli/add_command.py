"""The verb add: files that nobody designed are read, mapped, shown, and only then written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from withstand.cli import add_answers, output
from withstand.errors import UsageError


def add(
    files: Annotated[list[Path], typer.Argument(help="CSV and other text, workbooks.")],
    table: Annotated[
        str | None, typer.Option(help="The table that the files are: suppliers.")
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option("--map", help="A kept mapping, or sap, odoo, erpnext, inventree, frepple."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Put rows over those of the same key, and beside.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put rows in the place of all there are.")
    ] = False,
    accept: Annotated[
        list[str] | None, typer.Option(help="Take the suggestions of a finding: E104; repeat.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="'Header=name' says which column it is, 'Header=' leaves it out; repeat."
        ),
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="Unit of a column: lead_time=days; repeat.")
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(help="Worth of a currency in the project's: EUR=1.08; repeat."),
    ] = None,
    decimal: Annotated[
        str, typer.Option(help="Mark of decimals, where the file does not show it: . or ,")
    ] = "",
    marked: Annotated[
        Path | None, typer.Option(help="Write a copy with the bad cells marked: marked.xlsx.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
) -> int:
    """Add messy files to the project: sniff, map columns, preview, import; the mapping is kept."""
    from withstand import workbench
    from withstand.cli import FAULTS, FINE, WRONG_USE

    if update and replace:
        raise UsageError("--update and --replace do not go together.")
    if decimal not in ("", ".", ","):
        raise UsageError(f"--decimal takes . or , not '{decimal[:10]}'.")
    plan = workbench.plan_import(
        output.settings.project,
        files,
        table=table,
        mapping=mapping,
        mode="update" if update else "replace" if replace else "new",
        accept=_codes(accept or []),
        columns=_pairs(column or [], "--column 'Header=name'", may_be_empty=True),
        units=_pairs(unit or [], "--unit lead_time=days"),
        rates={k: _rate(k, v) for k, v in _pairs(rate or [], "--rate EUR=1.08").items()},
        decimal=decimal,
    )
    if marked is not None:
        plan.findings += workbench.write_marked(plan, marked)
    written: list[str] = []
    if not output.settings.json:
        add_answers.say(plan, marked)
    if plan.is_ready and (yes or _asked()):
        written = workbench.write_import(plan)
    if output.settings.json:
        output.say_json(add_answers.document(plan, written, marked))
    else:
        add_answers.say_end(plan, written)
    if any(f.severity == "error" for f in plan.findings):
        return FAULTS
    if plan.refusals:
        return WRONG_USE
    return FINE if plan.changes else FAULTS


def _asked() -> bool:
    """Ask a person, where there is one."""
    if output.settings.json or output.settings.quiet or not sys.stdin.isatty():
        return False
    return typer.confirm("Write this into the project?", default=False)


def _codes(words: Sequence[str]) -> list[str]:
    from withstand.model.finding_codes import CODES

    codes = [c.strip().upper() for word in words for c in word.split(",") if c.strip()]
    for code in codes:
        if code not in CODES:
            raise UsageError(f"--accept {code[:20]}: there is no finding of that code.")
    return codes


def _pairs(words: Sequence[str], form: str, *, may_be_empty: bool = False) -> dict[str, str]:
    """Return `name=value` words as a mapping.

    Examples
    --------
    >>> _pairs(["lead_time=days"], "--unit lead_time=days")
    {'lead_time': 'days'}
    """
    found: dict[str, str] = {}
    for word in words:
        name, sign, value = (part.strip() for part in word.rpartition("="))
        if not sign or not name or not (value or may_be_empty):
            raise UsageError(f"'{word[:60]}' cannot be read; write {form}.")
        found[name] = value
    return found


def _rate(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e12:
        raise UsageError(f"--rate {name[:10]}={text[:20]}: a rate is a positive number.")
    return value
