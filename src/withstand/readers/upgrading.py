"""Write a project of an older format as one of today's; what was there stays in `backups/`."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.errors import DataError, UsageError
from withstand.model.findings import Origin, has_errors, make_finding, shorten
from withstand.model.project_formats import (
    current_settings,
    fault_of,
    format_of,
    newest,
    renamed_columns,
    steps_from,
)
from withstand.readers.atomic import TABLES_FOLDER, current_files, recover, replace_folder
from withstand.readers.files import SUFFIXES, is_workbook, read_file
from withstand.readers.folder import SETTINGS_FILE, read_folder
from withstand.readers.saving import csv_bytes

if TYPE_CHECKING:
    import polars as pl

BACKUPS = "backups"


def upgrade_project(path: str | os.PathLike[str]) -> tuple[int, Path | None, list[str]]:
    """Write a project in today's format, as one step that cannot be left half done.

    Parameters
    ----------
    path : str or path
        Project folder.

    Returns
    -------
    int, Path or None, list of str
        The format it had; where the old files are kept, None if nothing had to be done; and what
        changed, in words.

    Raises
    ------
    UsageError
        If there is no project, or a table to change stands in a workbook.
    DataError
        If the project has faults, or a format that this version does not know.

    Examples
    --------
    >>> import tempfile
    >>> import withstand as ws
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     project = ws.readers.write_folder(ws.examples.tiny(), folder + "/plant")
    ...     had, kept, changes = ws.readers.upgrade_project(project)
    >>> had, kept, changes
    (1, None, [])
    """
    folder = Path(path)
    file = folder / SETTINGS_FILE
    if not file.is_file():
        raise UsageError(f"{folder} holds no {SETTINGS_FILE}; name a project folder.")
    recover(folder)
    read_folder(folder)  # faults are mended first, in the format that its user knows
    data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    number = format_of(data)
    if number is None:
        what = fault_of(data) or ""
        raise DataError([make_finding("E118", what, origin=Origin(SETTINGS_FILE), column="format")])
    if number == newest():
        return number, None, []
    changed = {SETTINGS_FILE: toml_of(current_settings(data)).encode(), **_tables(folder, number)}
    backup = _free_name(folder / BACKUPS, f"format-{number}")
    old = {name: (folder / name).read_bytes() for name in changed}

    def write(target: Path) -> None:
        for name, content in changed.items():
            _put(target / name, content)
        for name, content in old.items():
            _put(target / BACKUPS / backup / name, content)

    replace_folder(folder, write, lambda _: [])
    return number, folder / BACKUPS / backup, [step.what for step in steps_from(number)]


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _tables(folder: Path, number: int) -> dict[str, bytes]:
    """Return the tables that have columns of another name, as they are written today."""
    changed = {}
    for name, file in current_files(folder).items():
        if file.suffix.lower() not in SUFFIXES or not file.is_file():
            continue
        if is_workbook(file):
            if any(step.columns for step in steps_from(number)):
                raise UsageError(
                    f"{name} is a workbook, which is not rewritten. Save its sheets as CSV files "
                    f"in {TABLES_FOLDER}/ and try again."
                )
            continue
        names = renamed_columns(number, file.stem.strip().casefold().replace(" ", "_"))
        if not names:
            continue
        tables, faults = read_file(file)
        if has_errors(faults):
            raise DataError(faults)
        frame = tables[0].frame.rename(names, strict=False)
        changed[name] = _bytes_of(frame, file.suffix.lower())
    return changed


def _bytes_of(frame: pl.DataFrame, suffix: str) -> bytes:
    if suffix != ".parquet":
        return csv_bytes(frame)
    import io

    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _free_name(folder: Path, stem: str) -> str:
    names = (stem, *(f"{stem}-{n}" for n in range(2, 1000)))
    return next(name for name in names if not (folder / name).exists())


def toml_of(data: dict[str, Any], section: str = "") -> str:
    """Return plain values as TOML: text, numbers, truth, lists, and sections of the same."""
    sections = {k: v for k, v in data.items() if isinstance(v, dict)}
    lines = [f"{_key(k)} = {_value(v)}" for k, v in data.items() if k not in sections]
    for name, inside in sections.items():
        full = f"{section}{_key(name)}"
        lines += ["", f"[{full}]", toml_of(inside, f"{full}.").rstrip("\n")]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else _text(name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise UsageError(f"{SETTINGS_FILE} holds {shorten(value)}, which cannot be written.")
