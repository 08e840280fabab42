"""Write an import into its project as one step: files as given, tables, mappings."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.model.settings import settings_to_dict
from withstand.readers.atomic import TABLES_FOLDER, replace_folder
from withstand.readers.files import SUFFIXES, is_workbook
from withstand.readers.folder import SETTINGS_FILE
from withstand.readers.mapping.kept import MAPPINGS_FOLDER
from withstand.readers.mapping.marking import mark_blocks, mark_workbook, placed
from withstand.readers.saving import csv_bytes

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.readers.mapping.converted import BadCell
    from withstand.readers.mapping.importing import Import

DATA_FOLDER = "data"
_CHUNK = 2**20


def write_import(plan: Import) -> list[str]:
    """Write an import, and return the files that were written, relative to the project.

    Files as given go to `data/` and are never changed there: another file of the same name gets a
    number. A crash at any moment leaves the project as it was before or after.

    Raises
    ------
    UsageError
        If it is not ready, a table stands in a workbook, or the folder cannot be written.
    """
    if plan.refusals:
        raise UsageError(plan.refusals[0])
    if not plan.is_ready:
        raise UsageError("the import has faults that must be mended first; nothing was written.")
    project = plan.project
    _refuse_workbooks(plan)
    written: list[str] = []

    def write(target: Path) -> None:
        written.clear()
        if project.is_new:
            (target / SETTINGS_FILE).write_text(_settings(plan), encoding="utf-8")
            written.append(SETTINGS_FILE)
        for path in plan.paths:
            name = _free_name(project.folder / DATA_FOLDER, target / DATA_FOLDER, path)
            if name is not None:
                (target / DATA_FOLDER).mkdir(exist_ok=True)
                shutil.copyfile(path, target / DATA_FOLDER / name)
                written.append(f"{DATA_FOLDER}/{name}")
        for change in plan.changes:
            place = f"{project.inner}{change.table}.csv"
            (target / place).parent.mkdir(exist_ok=True)
            (target / place).write_bytes(csv_bytes(change.frame))
            written.append(place)
        for mapping in plan.mappings:
            place = f"{MAPPINGS_FOLDER}/{mapping.name}.toml"
            (target / place).parent.mkdir(exist_ok=True)
            (target / place).write_text(mapping.to_toml(), encoding="utf-8")
            written.append(place)

    def old_files(target: Path) -> list[Path]:
        gone = {c.table for c in plan.changes} | set(plan.dropped)
        inner = target / project.inner if project.inner else target
        files = [p for p in inner.iterdir() if p.is_file()] if inner.is_dir() else []
        return [
            p.relative_to(target)
            for p in files
            if p.suffix.lower() in SUFFIXES and not is_workbook(p) and p.stem.casefold() in gone
        ]

    replace_folder(project.folder, write, old_files)
    return written


def _refuse_workbooks(plan: Import) -> None:
    """Refuse tables that stand in a workbook of the project."""
    for change in plan.changes:
        place = plan.project.files.get(change.table)
        if place is not None and is_workbook(Path(place)):
            raise UsageError(
                f"table {change.table} stands in {place}, which is not rewritten. Save its "
                f"sheets as CSV files in {TABLES_FOLDER}/ and try again."
            )


def _settings(plan: Import) -> str:
    """Return withstand.toml of a new project."""
    values = settings_to_dict(plan.project.settings)
    return "".join(
        f"{k} = {json.dumps(v, ensure_ascii=False)}\n"
        for k, v in values.items()
        if isinstance(v, str | int)
    )


def _free_name(folder: Path, waiting: Path, path: Path) -> str | None:
    """Return a name under which a file can be kept; None where the same file is kept already."""
    digest = _digest(path)
    name, n = path.name, 2
    while (folder / name).exists() or (waiting / name).exists():
        there = folder / name if (folder / name).exists() else waiting / name
        if there.is_file() and _digest(there) == digest:
            return None
        name, n = f"{path.stem}-{n}{path.suffix}", n + 1
    return name


def _digest(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest()


def write_marked(plan: Import, target: Path) -> list[Finding]:
    """Write a copy of the files in which the bad cells are filled and commented.

    Parameters
    ----------
    plan : Import
        Of one file.
    target : Path
        XLSX file; it must not be one of the files that are added.

    Returns
    -------
    list of Finding
        What the copy lacks.
    """
    from withstand.readers.atomic import write_atomic

    if len(plan.paths) != 1:
        raise UsageError("--marked takes one file at a time.")
    path = plan.paths[0]
    if target.exists() and target.samefile(path):
        raise UsageError(f"{target} is the file itself; name another one for the marked copy.")
    if target.suffix.lower() not in (".xlsx", ".xlsm"):
        raise UsageError(f"{target.name}: a marked copy is an XLSX file.")
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        bad: dict[str | None, list[tuple[int, int, str, str]]] = {}
        for one in plan.blocks:
            cells: list[BadCell] = one.converted.bad if one.converted else []
            bad.setdefault(one.block.sheet, []).extend(placed(one.block, cells))
        content, findings = mark_workbook(path, bad)
    else:
        content = mark_blocks(
            [(b.block, b.converted.bad if b.converted else []) for b in plan.blocks]
        )
        findings = []
    write_atomic(target, content)
    return findings
