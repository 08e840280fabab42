"""Ways to break the files of a project, one cell at a time, and what should be said about it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl

from withstand.errors import DataError
from withstand.examples import folder_of
from withstand.model.findings import Finding
from withstand.readers import read_folder

SETTINGS = """\
name = "Gears"
format = 1
lens = "plant"
home = "HOME"
viewpoint = "GEAR"
currency = "EUR"
period = "week"
"""
TABLES = {
    "products": """\
product,name,kind,unit
GEAR,Precision gear,product,piece
STEEL,Gear steel,material,kg
ORE,Iron ore,material,kg
""",
    "regions": """\
region,name,home
HOME,Home,yes
JP,Japan,no
""",
    "nodes": """\
node,product,region,company,final_demand,price,capacity
plant,GEAR,HOME,Gears Ltd,100,50,
mill,STEEL,HOME,,,4,150
far mill,STEEL,JP,,,3,60
mine,ORE,JP,,,0.5,
""",
    "recipes": """\
buyer,input,quantity,class
GEAR,STEEL,1.2,essential
STEEL,ORE,1.6,essential
""",
    "links": """\
supplier,buyer,product,share,lead_time
mill,*,STEEL,0.8,1
far mill,*,STEEL,0.2,8
mine,mill,ORE,1,12
""",
    "stocks": """\
node,product,periods_of_use
*,STEEL,2
mill,ORE,4
""",
}


SHORTHAND_SETTINGS = SETTINGS + "[final_demand]\nGEAR = 5200\n"
SHORTHAND = {
    "items": """\
id,name,kind,tier,unit
GEAR,Precision gear,product,0,piece
STEEL,Gear steel,material,1,kg
ORE,Iron ore,material,2,kg
SK_GRIND,Grinding,skill,1,hour
""",
    "recipes": """\
parent,child,qty_per_unit,flow_type
GEAR,STEEL,1.2,consumed
STEEL,ORE,1.6,consumed
GEAR,SK_GRIND,0.5,person-hours
""",
    "suppliers": """\
item,supplier,country,share,price_eur,lead_time_weeks,capacity_per_year,inventory_weeks
GEAR,plant,HOME,1,50,1,6000,2
STEEL,mill,HOME,0.8,4,1,8000,2
STEEL,far mill,JP,0.2,3,8,3000,4
ORE,mine,AU,1,0.5,12,,4
""",
    "occupations": """\
id,occupation,person_hours_per_robot,fte_initial
SK_GRIND,Gear grinder,0.6,2
""",
}


def tiny_shorthand(folder: Path) -> Path:
    """Write the same plant as items, recipes and suppliers."""
    folder.mkdir(parents=True)
    (folder / "withstand.toml").write_text(SHORTHAND_SETTINGS, encoding="utf-8")
    for name, text in SHORTHAND.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def tiny_project(folder: Path) -> Path:
    """Write a project of canonical tables: a plant, two mills, a mine."""
    (folder / "tables").mkdir(parents=True)
    (folder / "withstand.toml").write_text(SETTINGS, encoding="utf-8")
    for name, text in TABLES.items():
        (folder / "tables" / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def plant_project(folder: Path) -> Path:
    """Copy the bundled robot maker, which is plant shorthand."""
    shutil.copytree(folder_of("robot_maker"), folder)
    return folder


def tiny_workbook(folder: Path) -> Path:
    """Write the canonical tables as sheets of one workbook, numbers as numbers."""
    folder.mkdir(parents=True)
    (folder / "withstand.toml").write_text(SETTINGS, encoding="utf-8")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in TABLES.items():
        sheet = book.create_sheet(name)
        for row in csv.reader(text.splitlines()):
            sheet.append([_typed(cell) for cell in row])
    book.save(folder / "tables.xlsx")
    return folder


def _typed(cell: str) -> str | float | None:
    try:
        return float(cell)
    except ValueError:
        return cell or None


# --- breaking ------------------------------------------------------------------------------------

Break = Callable[[Path], None]


@dataclass(frozen=True)
class Fault:
    """A way to break a project, and the finding that is expected for it."""

    name: str
    breaks: Break
    code: str
    file: str | None = None
    row: int | None = None
    column: str | None = None
    says: str = ""  # a word that stands in what or fix
    suggests: str | None = None
    sheet: str | None = None
    cell: str | None = None

    def __str__(self) -> str:
        return self.name

    def is_told_by(self, finding: Finding) -> bool:
        """Tell whether a finding is the expected one."""
        wanted = {
            "code": self.code,
            "file": self.file,
            "row": self.row,
            "column": self.column,
            "sheet": self.sheet,
            "cell": self.cell,
            "suggestion": self.suggests,
        }
        same = all(v is None or getattr(finding, k) == v for k, v in wanted.items())
        return same and self.says in f"{finding.what} {finding.fix}"


def find(folder: Path, name: str) -> Path:
    """Return a file of a project by its name, in the folder or in its tables."""
    return next(p for p in (folder / name, folder / "tables" / name) if p.exists())


def cell(file: str, row: int, column: str, value: str) -> Break:
    """Put a value into a cell of a CSV file; the header is row 1."""

    def breaks(folder: Path) -> None:
        rows = rows_of(find(folder, file))
        rows[row - 1][rows[0].index(column)] = value
        write_rows(find(folder, file), rows)

    return breaks


def added(file: str, *cells: str) -> Break:
    """Add a row at the end of a CSV file."""

    def breaks(folder: Path) -> None:
        rows = rows_of(find(folder, file))
        write_rows(find(folder, file), [*rows, [*cells, *[""] * (len(rows[0]) - len(cells))]])

    return breaks


def header(file: str, old: str, new: str) -> Break:
    """Rename a column of a CSV file."""

    def breaks(folder: Path) -> None:
        rows = rows_of(find(folder, file))
        rows[0][rows[0].index(old)] = new
        write_rows(find(folder, file), rows)

    return breaks


def content(file: str, change: Callable[[bytes], bytes]) -> Break:
    """Change the bytes of a file."""

    def breaks(folder: Path) -> None:
        place = find(folder, file)
        place.write_bytes(change(place.read_bytes()))

    return breaks


def settings(old: str, new: str) -> Break:
    """Replace a piece of withstand.toml."""

    def breaks(folder: Path) -> None:
        place = folder / "withstand.toml"
        text = place.read_text(encoding="utf-8")
        assert old in text
        place.write_text(text.replace(old, new), encoding="utf-8")

    return breaks


def all_of(*steps: Break) -> Break:
    """Break several things."""

    def breaks(folder: Path) -> None:
        for step in steps:
            step(folder)

    return breaks


def sheet_cell(sheet: str, place: str, value: Any) -> Break:
    """Put a value into a cell of the workbook tables.xlsx."""

    def breaks(folder: Path) -> None:
        book = openpyxl.load_workbook(folder / "tables.xlsx")
        book[sheet][place] = value
        if isinstance(value, str) and value.startswith("#"):
            book[sheet][place].data_type = "e"
        book.save(folder / "tables.xlsx")

    return breaks


def rows_of(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def write_rows(file: Path, rows: list[list[str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


# --- judging -------------------------------------------------------------------------------------


def faults_of(path: Path) -> list[Finding]:
    """Read a broken project and return its errors; nothing but DataError may come."""
    try:
        read_folder(path)
    except DataError as error:
        return [f for f in error.findings if f.severity == "error"]
    return []


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return time of change and bytes of every file below a folder."""
    return {
        p.relative_to(folder).as_posix(): (p.stat().st_mtime_ns, p.read_bytes())
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
