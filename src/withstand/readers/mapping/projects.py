"""What a project holds before an import: settings, tables, and the files they stand in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import Origin, make_finding, shorten
from withstand.model.settings import Settings, read_settings
from withstand.readers.atomic import TABLES_FOLDER, current_files, recover
from withstand.readers.files import SUFFIXES, is_workbook, read_file
from withstand.readers.folder import KNOWN_TABLES, SETTINGS_FILE
from withstand.readers.mapping.targets import PLANT, TO_CANONICAL

if TYPE_CHECKING:
    import os

NODES = ("nodes", "links", "products")


@dataclass(kw_only=True, eq=False)
class Project:
    """A project before an import.

    Parameters
    ----------
    folder : Path
    settings : Settings
    is_new : bool
        Whether there is no withstand.toml yet.
    tables : dict of str to polars.DataFrame
        Its tables as they stand in its files.
    files : dict of str to str
        Table to its file, relative to the folder; of workbooks none can be replaced by itself.
    inner : str
        Where tables stand: `tables/` or the folder itself ("").
    """

    folder: Path
    settings: Settings
    is_new: bool
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    inner: str = f"{TABLES_FOLDER}/"

    @property
    def is_plant(self) -> bool:
        """Whether its tables are plant shorthand (items, suppliers), or may become so."""
        filled = {n for n, f in self.tables.items() if f.height}
        if filled & {"items", "suppliers"}:
            return True
        return self.settings.lens == "plant" and not filled & {"nodes", "products", "links"}

    def known_products(self) -> dict[str, str | None]:
        """Return the labels of products that it lists, with their units."""
        known: dict[str, str | None] = {}
        for name, key in (("items", "id"), ("products", "product")):
            frame = self.tables.get(name)
            if frame is not None and key in frame.columns:
                units = (
                    frame["unit"].to_list() if "unit" in frame.columns else [None] * frame.height
                )
                known |= dict(zip(frame[key].cast(pl.String).to_list(), units, strict=True))
        return known

    def names_in(self, column: str) -> set[str]:
        """Return the names that stand in a column of suppliers or nodes."""
        found: set[str] = set()
        for name in ("suppliers", "nodes"):
            frame = self.tables.get(name)
            if frame is not None and column in frame.columns:
                found |= set(frame[column].cast(pl.String).drop_nulls().to_list())
        return found


def open_project(path: str | os.PathLike[str]) -> Project:
    """Return what a project holds; a folder that is empty or not there becomes a new one.

    Raises
    ------
    UsageError
        If it is no folder.
    DataError
        If its settings or a table cannot be read.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name the project folder: --project FOLDER.")
    if not folder.exists():
        return Project(folder=folder, settings=Settings(name=folder.name or "network"), is_new=True)
    recover(folder)
    files = current_files(folder)
    name = folder.resolve().name
    project = Project(
        folder=folder, settings=Settings(name=name), is_new=SETTINGS_FILE not in files
    )
    if not project.is_new:
        project.settings = _settings(files[SETTINGS_FILE], name)
    has_inner = any(n.startswith(f"{TABLES_FOLDER}/") for n in files)
    for place, file in sorted(files.items()):
        is_inner = place.startswith(f"{TABLES_FOLDER}/")
        is_table = file.suffix.lower() in SUFFIXES and not file.name.startswith((".", "~"))
        if is_table and is_inner == has_inner:
            _take(project, place, file)
    if not has_inner and project.files:
        project.inner = ""
    return project


def _settings(file: Path, name: str) -> Settings:
    origin = Origin(SETTINGS_FILE)
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DataError(
            [make_finding("E118", f"not valid TOML: {shorten(error)}", origin=origin)]
        ) from error
    data.setdefault("name", name)
    settings, faults = read_settings(data, origin)
    if faults:
        raise DataError(faults)
    return settings


def _take(project: Project, place: str, file: Path) -> None:
    """Read the tables of one file of the project."""
    stem = _table_name(file.stem)
    if not is_workbook(file) and stem not in KNOWN_TABLES:
        return
    raws, faults = read_file(file)
    faults = [f for f in faults if f.severity == "error" and f.code not in ("E111", "E112")]
    if faults:
        raise DataError(faults)
    for raw in raws:
        name = _table_name(raw.name)
        if name in KNOWN_TABLES and name not in project.tables:
            project.tables[name] = raw.frame
            project.files[name] = place


def _table_name(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def in_family(name: str, frame: pl.DataFrame, *, is_plant: bool) -> tuple[str, pl.DataFrame]:
    """Return a table under the names of the family a project keeps: plant shorthand or our own.

    Examples
    --------
    >>> name, frame = in_family("items", pl.DataFrame({"id": ["GEAR"]}), is_plant=False)
    >>> name, frame.columns
    ('products', ['product'])
    """
    if is_plant:
        backward = {new: (old, columns) for old, (new, columns) in TO_CANONICAL.items()}
        if name not in backward:
            return name, frame
        old, columns = backward[name]
        return old, frame.rename({o: n for n, o in columns.items() if o in frame.columns})
    if name not in TO_CANONICAL:
        return name, frame
    new, columns = TO_CANONICAL[name]
    return new, frame.rename({n: o for n, o in columns.items() if n in frame.columns})


def is_plant_table(name: str) -> bool:
    """Tell whether a table is one of the plant shorthand."""
    return name in PLANT
