"""Read a project folder, a folder of tables or one workbook into a network."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import DataError
from withstand.model.building import build_network
from withstand.model.findings import (
    Finding,
    Origin,
    has_errors,
    make_finding,
    nearest,
    shorten,
    sort_findings,
)
from withstand.model.settings import Settings, read_settings
from withstand.model.tables import TABLES
from withstand.readers.atomic import finish_interrupted
from withstand.readers.files import SUFFIXES, RawTable, read_file
from withstand.readers.plant import is_shorthand, read_plant

if TYPE_CHECKING:
    import os

    from withstand.model.network import ProductionNetwork

SETTINGS_FILE = "withstand.toml"
_SHORTHAND_ONLY = ("items", "suppliers")
_CANONICAL = ("nodes", "products", "recipes", "links")


def read_folder(path: str | os.PathLike[str]) -> ProductionNetwork:
    """Read a network from a project folder, a folder of tables, or one workbook.

    The folder may hold `withstand.toml` and, in it or in its `tables/`, canonical tables (one file
    each, or sheets of a workbook) or plant shorthand (items, recipes, suppliers).

    Parameters
    ----------
    path : str or path
        Folder or XLSX file.

    Returns
    -------
    ProductionNetwork
        Its `findings` hold the warnings and notes.

    Raises
    ------
    DataError
        With every fault at once: file, sheet, row, column, value, what, why, fix.

    Examples
    --------
    >>> from withstand.examples import folder_of
    >>> read_folder(folder_of("robot_maker")).n_products
    127
    """
    folder = Path(path)
    tables, settings, findings = _collect(folder)
    if is_shorthand(tables):
        shorthand, origins, found = read_plant(tables, settings)
        findings += found
        frames = dict(shorthand)
        taken = {"items", "recipes", "suppliers", "occupations"}
        for name, raw in tables.items():
            if name in TABLES and name not in taken and name not in frames:
                frames[name], origins[name] = _sources(raw), raw.origin
    else:
        frames = {name: raw.frame for name, raw in tables.items() if name in TABLES}
        origins = {name: raw.origin for name, raw in tables.items()}
        for name, raw in tables.items():
            if raw.frame.height == 0 and name in TABLES:
                if raw.origin.sheet and name != "nodes":
                    del frames[name]  # an unused sheet of the template
                    continue
                findings.append(
                    make_finding("E112", f"table {name} has no rows", origin=raw.origin)
                )
    if has_errors(findings):
        raise DataError(sort_findings(findings))
    return build_network(frames, settings, origins=origins, findings=findings)


def _sources(raw: RawTable):  # type: ignore[no-untyped-def]
    """Let a table of sources call its key `id`."""
    if raw.name == "sources" and "id" in raw.frame.columns:
        return raw.frame.rename({"id": "source"})
    return raw.frame


def _collect(folder: Path) -> tuple[dict[str, RawTable], Settings, list[Finding]]:
    """Read every file that bears the name of a table, and the settings."""
    findings: list[Finding] = []
    place = Origin(shorten(folder.name or str(folder)))
    settings = Settings(name=folder.stem)
    try:
        if not folder.exists():
            findings.append(make_finding("E116", "there is no such file or folder", origin=place))
            raise DataError(findings)
        if folder.is_dir():
            _recover(folder)
            settings = _settings(folder, settings, findings)
            inner = folder / "tables"
            files = sorted((inner if inner.is_dir() else folder).iterdir())
        else:
            files = [folder]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            [make_finding("E116", f"cannot be opened: {reason}", origin=place)]
        ) from error
    tables: dict[str, RawTable] = {}
    known = (*TABLES, *_SHORTHAND_ONLY)
    for file in files:
        suffix = file.suffix.lower()
        if suffix not in SUFFIXES or file.name.startswith((".", "~")):
            continue
        is_book = suffix not in (".csv", ".tsv", ".txt", ".parquet")
        if not is_book and file.stem.casefold() not in known:
            near = nearest(file.stem.casefold(), known)
            findings.append(
                make_finding(
                    "W101",
                    "the file is not named after a table",
                    origin=Origin(shorten(file.name)),
                    suggestion=near,
                )
            )
            continue
        raws, found = read_file(file)
        findings += found
        _add(tables, raws, known, findings)
    if not any(name in tables for name in ("nodes", "items", "suppliers")) and not has_errors(
        findings
    ):
        what = "no table of nodes (or of items and suppliers) was found"
        findings.append(make_finding("E119", what, origin=place))
    elif ("items" in tables) != ("suppliers" in tables) and "nodes" not in tables:
        lacks = "suppliers" if "items" in tables else "items"
        if not has_errors(findings):
            findings.append(make_finding("E119", f"the table of {lacks} is missing", origin=place))
    if has_errors(findings) and not tables:
        raise DataError(sort_findings(findings))
    return tables, settings, findings


def _recover(folder: Path) -> None:
    try:
        finish_interrupted(folder)
    except PermissionError:
        return  # a reader without the right to write sees the state of the last full write


def _settings(folder: Path, default: Settings, findings: list[Finding]) -> Settings:
    file = folder / SETTINGS_FILE
    origin = Origin(SETTINGS_FILE)
    if not file.exists():
        return default
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        findings.append(make_finding("E118", f"not valid TOML: {shorten(error)}", origin=origin))
        return default
    data.setdefault("name", default.name)
    settings, found = read_settings(data, origin)
    findings += found
    return settings


def _add(
    tables: dict[str, RawTable],
    raws: list[RawTable],
    known: tuple[str, ...],
    findings: list[Finding],
) -> None:
    for raw in raws:
        name = raw.name.strip().casefold().replace(" ", "_")
        if name not in known:
            if raw.origin.sheet and name not in ("read_me", "readme"):
                findings.append(
                    make_finding(
                        "W101",
                        "the sheet is not named after a table",
                        origin=raw.origin,
                        suggestion=nearest(name, known),
                    )
                )
        elif name in tables:
            other = tables[name].origin
            findings.append(
                make_finding(
                    "E106",
                    f"the table {name} stands in {other.file} too",
                    origin=raw.origin,
                    value=name,
                )
            )
        else:
            tables[name] = RawTable(name, raw.frame, raw.origin)
