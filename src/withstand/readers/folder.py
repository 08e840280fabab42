"""Read a project folder, a folder of tables or one workbook into a network."""

from __future__ import annotations

import contextlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.errors import DataError, UsageError
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
from withstand.model.project_formats import (
    format_of,
    newest,
    renamed_columns,
    steps_from,
)
from withstand.model.settings import Settings, read_settings
from withstand.model.tables import TABLES
from withstand.readers.atomic import (
    DAMAGED_JOURNAL,
    MEND_JOURNAL,
    TABLES_FOLDER,
    current_files,
    recover,
    stamp,
)
from withstand.readers.databases.database_settings import DatabaseSettings, read_database_settings
from withstand.readers.files import SUFFIXES, RawTable, is_workbook, read_file
from withstand.readers.mrio_projects import FLOWS_FILE, read_project
from withstand.readers.plant import SHORTHAND_TABLES, is_shorthand, read_plant

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from withstand.model.network import ProductionNetwork

SETTINGS_FILE = "withstand.toml"
KNOWN_TABLES = (*TABLES, *SHORTHAND_TABLES)
MOST_ATTEMPTS = 5
_TURNED_INTO_OURS = ("items", "suppliers", "recipes", "occupations")
_NO_TABLES = ("read_me", "readme")


@dataclass
class _Collected:
    """What the files of a project hold."""

    settings: Settings
    tables: dict[str, RawTable] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    flows: Path | None = None
    database: DatabaseSettings | None = None
    format: int = 0

    @property
    def names(self) -> set[str]:
        """Tables that are there, readable or not."""
        return self.unread | set(self.tables)


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
    found = _collect_quietly(Path(path))
    if is_shorthand(found.names):
        return _from_shorthand(found)
    tables = {name: raw for name, raw in found.tables.items() if name in TABLES}
    for name in SHORTHAND_TABLES:
        if name in found.tables:
            found.findings.append(_not_used(found.tables[name], "the table of nodes is read"))
    frames = {name: _sources(raw) for name, raw in _with_rows(tables, found.findings)}
    origins = {name: raw.origin for name, raw in tables.items()}
    if found.flows is not None:
        return read_project(found.flows, frames, found.settings, origins, found.findings)
    return build_network(
        frames, found.settings, origins=origins, findings=found.findings, unread=found.unread
    )


def _from_shorthand(found: _Collected) -> ProductionNetwork:
    """Build from items, recipes and suppliers, and from our own tables beside them."""
    own = {n: raw for n, raw in found.tables.items() if n in _TURNED_INTO_OURS}
    ours = {n: raw for n, raw in found.tables.items() if n not in _TURNED_INTO_OURS}
    regions = {"regions": ours["regions"]} if "regions" in ours else {}
    frames, origins, findings = read_plant(own | regions, found.settings)
    if "programmes" in ours:  # stated apart, they take the place of those of occupations
        frames.pop("programmes", None)
    findings = found.findings + findings
    for name, raw in _with_rows(ours, findings):
        if name not in frames or frames[name].height == 0:
            frames[name], origins[name] = _sources(raw), raw.origin
        else:
            findings.append(_not_used(raw, "items, recipes and suppliers are read"))
    if "nodes" not in frames or is_shorthand(found.unread):
        raise DataError(sort_findings(findings))
    return build_network(
        frames, found.settings, origins=origins, findings=findings, unread=found.unread
    )


def _with_rows(
    tables: dict[str, RawTable], findings: list[Finding]
) -> Iterator[tuple[str, RawTable]]:
    """Yield tables that hold rows; an empty file is a fault, an empty sheet only a template's."""
    for name, raw in tables.items():
        if raw.frame.height or name == "nodes":
            yield name, raw
        elif not raw.origin.sheet:
            findings.append(make_finding("E112", f"table {name} has no rows", origin=raw.origin))


def _sources(raw: RawTable):  # type: ignore[no-untyped-def]
    """Let a table of sources call its key `id`."""
    if raw.name == "sources" and "id" in raw.frame.columns and "source" not in raw.frame.columns:
        return raw.frame.rename({"id": "source"})
    return raw.frame


def _not_used(raw: RawTable, because: str) -> Finding:
    return make_finding("W101", f"not used, as {because}", origin=raw.origin)


# --- files ---------------------------------------------------------------------------------------


def _collect_quietly(folder: Path) -> _Collected:
    """Read all files; again if somebody replaced them in the meantime."""
    for _ in range(MOST_ATTEMPTS):
        with contextlib.suppress(OSError, UsageError):  # what is wrong is told by the reading
            recover(folder)
        before = _stamp(folder)
        found = _collect(folder)
        if _stamp(folder) == before:
            return found
    what = "the project is being written all the time"
    raise DataError([make_finding("E116", what, origin=_place(folder), fix="Try again later.")])


def _stamp(folder: Path) -> object:
    try:
        return stamp(folder) if folder.is_dir() else None
    except (OSError, UsageError):
        return None


def _place(folder: Path) -> Origin:
    return Origin(shorten(folder.name or str(folder)))


def _collect(folder: Path) -> _Collected:
    """Read every file that bears the name of a table, and the settings."""
    found = _Collected(settings=Settings(name=folder.stem))
    try:
        if not folder.exists():
            what = "there is no such file or folder"
            raise DataError([make_finding("E116", what, origin=_place(folder))])
        files = current_files(folder) if folder.is_dir() else {folder.name: folder}
    except OSError as error:
        what = f"cannot be opened: {error.strerror or type(error).__name__}"
        raise DataError([make_finding("E116", what, origin=_place(folder))]) from error
    except UsageError as error:
        finding = make_finding("E116", DAMAGED_JOURNAL, origin=_place(folder), fix=MEND_JOURNAL)
        raise DataError([finding]) from error
    if SETTINGS_FILE in files:
        found.settings = _settings(files[SETTINGS_FILE], found)
    has_inner = any(name.startswith(f"{TABLES_FOLDER}/") for name in files)
    for name, file in sorted(files.items()):
        is_inner = name.startswith(f"{TABLES_FOLDER}/")
        if file.suffix.lower() in SUFFIXES and not file.name.startswith((".", "~")):
            _take(file, found, is_used=is_inner or not has_inner)
    _take_database(found, folder)
    _no_tables(found, _place(folder))
    return found


def _take(file: Path, found: _Collected, *, is_used: bool) -> None:
    """Read one file, if it is named after a table or may hold several."""
    origin = Origin(shorten(file.name))
    name = _table_name(file.stem)
    is_book = is_workbook(file)
    if file.name == FLOWS_FILE and is_used:
        found.flows = file
        return
    if not is_used:
        if name in KNOWN_TABLES:
            what = f"not used, as there is a folder {TABLES_FOLDER}"
            found.findings.append(make_finding("W101", what, origin=origin))
        return
    if not is_book and name not in KNOWN_TABLES:
        near = nearest(name, KNOWN_TABLES)
        what = "the file is not named after a table, so it was not read"
        found.findings.append(make_finding("W101", what, origin=origin, suggestion=near))
        return
    raws, faults = read_file(file)
    faults = [f for f in faults if f.sheet is None or _table_name(f.sheet) in KNOWN_TABLES]
    found.findings += faults
    broken = {_table_name(f.sheet) for f in faults if f.sheet and f.severity == "error"}
    if not raws and has_errors(faults):
        broken = set(TABLES) if is_book else {name}
    found.unread |= broken
    for raw in raws:
        if _table_name(raw.name) not in broken:
            _add(raw, found)


def _table_name(name: str) -> str:
    """Return the table that a file or sheet of some name would hold."""
    return name.strip().casefold().replace(" ", "_")


def _add(raw: RawTable, found: _Collected) -> None:
    name = _table_name(raw.name)
    if name not in KNOWN_TABLES:
        if name not in _NO_TABLES:
            near = nearest(name, KNOWN_TABLES)
            what = "the sheet is not named after a table, so it was not read"
            found.findings.append(make_finding("W101", what, origin=raw.origin, suggestion=near))
    elif name in found.tables:
        other = found.tables[name].origin
        where = f"{other.file} > {other.sheet}" if other.sheet else other.file
        found.findings.append(
            make_finding(
                "E106",
                f"the table {name} stands in {where} too",
                origin=raw.origin,
                value=name,
                fix="Keep one of the two, and move the other out of the folder.",
            )
        )
    else:
        names = renamed_columns(found.format, name) if found.format else {}
        found.tables[name] = RawTable(name, raw.frame.rename(names, strict=False), raw.origin)


def _no_tables(found: _Collected, place: Origin) -> None:
    """Say which table a network cannot do without, if it is not there."""
    names = found.names
    if "nodes" in names or is_shorthand(names):
        return
    given = [name for name in SHORTHAND_TABLES if name in names]
    if given:
        lacks = next(name for name in SHORTHAND_TABLES if name not in names)
        what = f"the table of {lacks} is missing beside {given[0]}"
    else:
        what = "no table of nodes (or of items and suppliers) was found"
    raise DataError(sort_findings([*found.findings, make_finding("E119", what, origin=place)]))


def _settings(file: Path, found: _Collected) -> Settings:
    origin = Origin(SETTINGS_FILE)
    default = found.settings
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        what = f"cannot be opened: {error.strerror or type(error).__name__}"
        found.findings.append(make_finding("E116", what, origin=origin))
        return default
    except UnicodeDecodeError as error:
        what = f"byte {error.object[error.start]:#04x} is not UTF-8"
        fix = "Save the file with the encoding UTF-8."
        found.findings.append(make_finding("E114", what, origin=origin, fix=fix))
        return default
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else shorten(error)
        found.findings.append(
            make_finding(
                "E118",
                f"not valid TOML: {reason}",
                origin=origin,
                fix="Correct the line named: text stands in quotation marks, sections in brackets.",
            )
        )
        return default
    data.setdefault("name", default.name)
    _note_old_format(data, found, origin)
    settings, faults = read_settings(data, origin)
    found.findings += faults
    if "database" in data:
        database, faults = read_database_settings(data["database"], KNOWN_TABLES, origin)
        found.findings += faults
        found.database = None if has_errors(faults) else database
        found.unread |= {"nodes", *database.queries} if has_errors(faults) else set()
    return settings


def _note_old_format(data: dict[str, Any], found: _Collected, origin: Origin) -> None:
    """Say what is read as if it were written today."""
    number = format_of(data)
    if number is None or number == newest():
        return
    found.format = number
    changes = "; ".join(step.what for step in steps_from(number))
    what = f"the project has format {number} and is read as one of format {newest()}: {changes}"
    found.findings.append(make_finding("N104", what, origin=origin, column="format"))


def _take_database(found: _Collected, folder: Path) -> None:
    """Read the tables that stand in a database; files of the same names are told about."""
    if found.database is None:
        return
    from withstand.readers.databases.reading import read_tables

    tables, faults, unread = read_tables(found.database, folder)
    found.findings += faults
    found.unread |= unread
    for raw in tables:
        _add(raw, found)
