"""Realistic messy files made from clean tables by a seed, each with the truth about it.

`make_files(folder, seed)` writes the files and returns, for each of them, which column of which
table holds which canonical column, what its cells are, and which findings are due.
"""

from __future__ import annotations

import csv
import datetime
import io
import random
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import polars as pl
import xlsxwriter

import withstand as ws
from messy_words import (
    COMPANIES,
    DECIMALS,
    ENCODINGS,
    HEADERS,
    LANGUAGES,
    NOTES,
    REMARK,
    THOUSANDS,
    TITLES,
    TOTALS,
    WEEKS,
    YESNO,
)
from withstand.examples import folder_of

Value = str | float | None


@dataclass(frozen=True)
class Column:
    """The truth about a column.

    `canonical` is None where the column means nothing to withstand. `values` are numbers for a
    number column (None where the cell can give none), text for the others, yes/no as booleans.
    """

    canonical: str | None
    kind: str
    values: tuple[Value, ...]
    header: str = ""
    unit: str | None = None
    shown: tuple[object, ...] = ()
    is_undecided: bool = False


@dataclass(frozen=True)
class Table:
    """The truth about a table of a file: what it is, and its columns from left to right."""

    table: str
    columns: tuple[Column, ...]
    sheet: str | None = None
    header_rows: tuple[int, ...] = (1,)
    first_row: int = 2

    @property
    def n_rows(self) -> int:
        return len(self.columns[0].values)


@dataclass(frozen=True)
class MessyFile:
    """A file with its truth: tables in reading order, findings that are due, what is wrong."""

    path: Path
    language: str
    faults: tuple[str, ...]
    tables: tuple[Table, ...]
    codes: frozenset[str]


# --- clean tables --------------------------------------------------------------------------------


@cache
def _clean() -> dict[str, pl.DataFrame]:
    folder = folder_of("robot_maker")
    read = {
        n: pl.read_csv(folder / f"{n}.csv", infer_schema=False)
        for n in ("items", "suppliers", "recipes")
    }
    net = ws.example("nation")
    links = net.tables["links"].head(400)
    return read | {"links": links, "regions": ws.example("robot_maker").tables["regions"]}


def clean_table(table: str, language: str, rng: random.Random, n_rows: int) -> list[Column]:
    """Return columns of a table of the examples, some rows of it, with names in a language."""
    if table == "stocks":
        frame = _clean()["suppliers"]
        start = rng.randrange(frame.height - n_rows)
        some = frame.slice(start, n_rows)
        numbers = [float(rng.randrange(1, 5000)) for _ in range(n_rows)]
        return [
            _text("node", some["supplier"].to_list()),
            _text("product", some["item"].to_list()),
            _number("quantity", numbers),
        ]
    frame = _clean()[table]
    n_rows = min(n_rows, frame.height)
    some = frame.slice(rng.randrange(frame.height - n_rows + 1), n_rows)
    company = _text("company", [rng.choice(COMPANIES[language]) for _ in range(n_rows)])
    if table == "items":
        return [
            _text("id", some["id"].to_list()),
            _text("name", [f"{v} ({i})" for i, v in enumerate(some["name"].to_list())]),
            _text("unit", some["unit"].to_list()),
            Column("hs_code", "code", tuple(_hs(rng) for _ in range(n_rows))),
        ]
    if table == "recipes":
        return [
            _text("parent", some["parent"].to_list()),
            _text("child", some["child"].to_list()),
            _number("qty_per_unit", [float(v) for v in some["qty_per_unit"].to_list()]),
        ]
    if table == "links":
        values = [round(float(rng.uniform(10, 90_000)), 2) for _ in range(n_rows)]
        return [
            _text("supplier", some["supplier"].cast(pl.String).to_list()),
            _text("buyer", some["buyer"].cast(pl.String).to_list()),
            company,
            _number("value", values, "EUR"),
        ]
    if table == "regions":
        yes = [rng.random() < 0.7 for _ in range(n_rows)]
        return [
            _text("region", some["region"].cast(pl.String).to_list()),
            Column("allowed", "yesno", tuple(yes)),  # type: ignore[arg-type]
            _number("reliability", [round(rng.uniform(0.05, 0.99), 2) for _ in range(n_rows)]),
        ]
    prices = [
        round(float(v or 1.0) * rng.uniform(0.9, 1.1), 2) for v in some["price_usd"].to_list()
    ]
    leads = [float(v or 1) for v in some["lead_time_weeks"].to_list()]
    capacity = [float(rng.randrange(100, 90_000)) for _ in range(n_rows)]
    return [
        _text("item", some["item"].to_list()),
        _text("supplier", some["supplier"].to_list()),
        company,
        _text("country", some["country"].to_list()),
        _number("share", [float(v) for v in some["share"].to_list()]),
        _number("price", prices, "USD"),
        _number("lead_time", leads, "week"),
        _number("capacity", capacity),
    ]


def _text(name: str, values: Sequence[str | None]) -> Column:
    return Column(name, "text", tuple(values))


def _number(name: str, values: Sequence[float], unit: str | None = None) -> Column:
    return Column(name, "number", tuple(values), unit=unit)


def _hs(rng: random.Random) -> str:
    return f"{rng.choice((84, 85, 90, 72, 28))}{rng.randrange(10, 99)}{rng.randrange(10, 99)}"


# --- from values to cells ------------------------------------------------------------------------


def written(value: float, decimal: str, thousands: str, digits: int | None = None) -> str:
    """Return a number as people of a country write it."""
    text = f"{value:,.{digits}f}" if digits is not None else f"{value:,}"
    if digits is None and text.endswith(".0"):
        text = text[:-2]
    return text.replace(",", "\0").replace(".", decimal).replace("\0", thousands)


@dataclass
class _Sheet:
    """A sheet in the making: rows of cells, and what is around and over them."""

    rows: list[list[object]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)


class Author:
    """One who writes a messy table: draws from a seed, keeps the truth beside the cells."""

    def __init__(self, rng: random.Random, language: str, faults: Sequence[str], *, is_text: bool):
        self.rng, self.language, self.faults, self.is_text = rng, language, set(faults), is_text
        self.decimal = "." if "english_numbers" in self.faults else DECIMALS.get(language, ",")
        self.thousands = ""
        if "thousands" in self.faults:
            self.thousands = THOUSANDS.get(language, " ") if self.decimal == "," else ","
        if "swiss" in self.faults:
            self.decimal, self.thousands = ".", rng.choice(("'", "\u2019"))
        self.codes: set[str] = set()
        self.sheet = _Sheet()

    def table(
        self, name: str, columns: list[Column], at: int = 0, sheet: str | None = None
    ) -> Table:
        """Write one table below what is there; return the truth."""
        columns = [self.dressed(self.headed(c)) for c in columns]
        columns = self.spoiled(columns)
        rows = self.sheet.rows
        if "titles" in self.faults:
            for title in TITLES[self.language][: self.rng.randint(1, 2)]:
                rows.append([None] * at + [title])
            rows.append([])
            self.codes.add("N702")
        columns, n_header = self.header(columns, at)
        header_rows = tuple(range(len(rows) - n_header + 1, len(rows) + 1))
        first = len(rows) + 1
        self.body(columns, at, first)
        self.tail(columns, at)
        return Table(name, tuple(columns), sheet, header_rows, first)

    def headed(self, column: Column) -> Column:
        """Give a column a header, with its unit in one of many ways."""
        words = HEADERS.get(column.canonical or "", {}).get(self.language)
        header = self.rng.choice(words) if words else column.header or str(column.canonical)
        unit = column.unit
        if unit is not None:
            shown = (
                WEEKS[self.language]
                if unit == "week"
                else self.rng.choice((unit, "€" if unit == "EUR" else "$"))
            )
            if "units_in_cells" not in self.faults or unit != "week":
                form = self.rng.choice(("{} ({})", "{} [{}]", "{}, {}"))
                header = form.format(header, shown)
        if column.canonical == "share" and "percent" in self.faults and self.rng.random() < 0.5:
            header += " %" if self.rng.random() < 0.5 else " (%)"
            return replace(column, header=header, unit="%")
        return replace(column, header=header)

    def dressed(self, column: Column) -> Column:
        """Write the values as cells."""
        shown: list[object] = list(column.values)
        values = list(column.values)
        unit = column.unit
        if column.kind == "yesno":
            words = YESNO[self.language]
            shown = [words[0] if v else words[1] for v in values]
        elif column.kind == "number":
            digits = 2 if column.canonical in ("price", "value") else None
            is_share = column.canonical == "share" and "percent" in self.faults
            for i, v in enumerate(values):
                if v is None:
                    continue
                number = float(v) * 100 if is_share else float(v)
                number = float(f"{number:.6f}")
                values[i] = number / 100 if is_share else number
                if self.is_text or ("numbers_as_text" in self.faults and i % 3 == 1):
                    shown[i] = written(number, self.decimal, self.thousands, digits)
                else:
                    shown[i] = number
                if is_share and column.unit == "%":
                    values[i] = number
                elif is_share:
                    shown[i] = f"{written(number, self.decimal, '')}{self.rng.choice((' %', '%'))}"
                    values[i] = round(number / 100, 9)
            if column.canonical == "lead_time" and "units_in_cells" in self.faults:
                shown = [
                    f"{written(float(v), self.decimal, '')} {WEEKS[self.language]}" for v in values
                ]
                unit = "week"
                self.codes.add("N710")
            if column.canonical == "price" and "currency_in_cells" in self.faults:
                shown = [f"${s}" if self.rng.random() < 0.5 else f"{s} $" for s in map(str, shown)]
                if not self.is_text:
                    shown = [f"$ {written(float(v), self.decimal, '', 2)}" for v in values]
                self.codes.add("N710")
        return replace(column, shown=tuple(shown), values=tuple(values), unit=unit)

    def spoiled(self, columns: list[Column]) -> list[Column]:
        """Put the faults of cells into columns."""
        done = []
        for column in columns:
            shown, values = list(column.shown), list(column.values)
            n = len(shown)
            is_open = column.is_undecided
            if "placeholders" in self.faults and column.canonical == "capacity":
                for i in range(0, n, 7):
                    shown[i], values[i] = self.rng.choice(("-", "n/a", "?", "k.A.")), None
            if "negative" in self.faults and column.canonical == "value":
                for i in range(0, n, 4):
                    text = written(float(values[i] or 0), self.decimal, self.thousands, 2)
                    shown[i] = f"({text})" if i % 8 else f"{text}-"
                    values[i] = -float(values[i] or 0)
            if "ambiguous" in self.faults and column.canonical in ("capacity", "quantity"):
                values = [None] * n
                shown = [
                    f"{self.rng.randrange(1, 99)}{self.decimal}{self.rng.randrange(100, 999)}"
                    for _ in range(n)
                ]
                is_open = self.language not in ("zh", "ja")
                if not is_open:  # nobody there writes a decimal comma, so the point is decimal
                    values = [float(str(v)) for v in shown]
                self.codes.add("W701" if is_open else "N711")
            if "ambiguous_settled" in self.faults and column.canonical in ("capacity", "quantity"):
                thousands = "." if self.decimal == "," else ","
                values = [float(self.rng.randrange(1000, 99_999)) for _ in range(n)]
                shown = [written(float(v), self.decimal, thousands) for v in values]
                self.codes.add("N711")
            if "lost_zeros" in self.faults and column.kind == "code":
                values = [f"0{str(v)[1:]}" if i % 5 == 0 else v for i, v in enumerate(values)]
                shown = [str(v).lstrip("0") for v in values]
                values = list(shown)  # type: ignore[arg-type]
                if not self.is_text:
                    shown = [int(str(v)) for v in shown]
                self.codes.add("W707")
            if "scientific_codes" in self.faults and column.kind == "code":
                values = [f"{self.rng.randrange(10**12, 10**13)}" for _ in values]
                for i in range(1, n, 4):
                    values[i] = (
                        f"{self.rng.randrange(1, 9)}{self.decimal}{self.rng.randrange(10, 99)}E+12"
                    )
                shown = list(values)
                self.codes.add("W708")
            if "dates_for_numbers" in self.faults and column.canonical == "qty_per_unit":
                for i in range(2, n, 6):
                    day = datetime.date(2026, self.rng.randrange(1, 12), self.rng.randrange(1, 12))
                    shown[i], values[i] = day, None
                self.codes.add("W706")
            if "errors" in self.faults and column.canonical in ("price", "quantity", "value"):
                for i in range(1, n, 9):
                    shown[i], values[i] = (
                        ("#N/A" if self.is_text else _Formula("=NA()", "#N/A")),
                        None,
                    )
                self.codes.add("W704")
            if "formulas" in self.faults and column.canonical in ("capacity", "quantity", "value"):
                for i in range(0, n, 5):
                    shown[i], values[i] = _Formula("=1+1", ""), None
                self.codes.add("W705")
            if "invisible" in self.faults and column.canonical in ("supplier", "node", "id"):
                shown = [f"\u00a0{s}" if i % 3 else f"{s}\u200b " for i, s in enumerate(shown)]
                self.codes.add("N708")
            if "newlines" in self.faults and column.canonical in ("company", "name"):
                shown = [
                    str(s).replace(" ", "\n", 1) if i % 4 == 0 else s for i, s in enumerate(shown)
                ]
            done.append(
                replace(column, shown=tuple(shown), values=tuple(values), is_undecided=is_open)
            )
        if "remarks" in self.faults:
            n = len(done[0].shown)
            words = tuple("ok" if self.rng.random() < 0.3 else None for _ in range(n))
            done.append(Column(None, "text", words, REMARK[self.language], shown=words))
        if "empty_column" in self.faults:
            nothing = (None,) * len(done[0].shown)
            done.append(Column(None, "empty", nothing, "X" + REMARK[self.language], shown=nothing))
            self.codes.add("N707")
        if "repeated_names" in self.faults:
            twin = done[-1]
            done.append(replace(twin, canonical=None))
            self.codes.add("W713")
        return done

    def header(self, columns: list[Column], at: int) -> tuple[list[Column], int]:
        """Write the header in one or two rows; return columns with the header as it will be"
        " read."""
        rows = self.sheet.rows
        names = [c.header for c in columns]
        if "group_header" in self.faults and len(columns) >= 4:
            top: list[object] = [None] * len(columns)
            below: list[object] = list(names)
            group, start = HEADERS["product"][self.language][0] + " A", 1
            top[start] = group
            for k in (0, *range(3, len(columns))):
                top[k], below[k] = names[k], None
            rows += [[None] * at + top, [None] * at + below]
            row = len(rows) - 2
            if not self.is_text:
                self.sheet.merges.append((row, at + 1, row, at + 2))
                self.sheet.merges += [
                    (row, at + k, row + 1, at + k) for k in (0, *range(3, len(columns)))
                ]
            for k in (1, 2):
                names[k] = f"{group} / {names[k]}"
            self.codes.add("N702")
            return [replace(c, header=h) for c, h in zip(columns, names, strict=True)], 2
        if "units_row" in self.faults:
            bare = [
                n.split(" (")[0].split(" [")[0].split(", ")[0] if c.unit else n
                for n, c in zip(names, columns, strict=True)
            ]
            units = [_SHOWN_UNITS.get(c.unit or "") for c in columns]
            rows += [[None] * at + bare, [None] * at + units]
            joined = [f"{b} / {u}" if u else b for b, u in zip(bare, units, strict=True)]
            self.codes.add("N702")
            return [replace(c, header=h) for c, h in zip(columns, joined, strict=True)], 2
        rows.append([None] * at + list(names))
        return columns, 1

    def body(self, columns: list[Column], at: int, first: int) -> None:
        """Write the rows, with blank rows, repeated headers and sections among them."""
        rows, n = self.sheet.rows, len(columns[0].shown)
        header = list(rows[-1])
        for i in range(n):
            if "repeated_header" in self.faults and i == n // 2:
                rows.append(list(header))
                self.codes.add("N704")
            if "blank_rows" in self.faults and i in (n // 3, 2 * n // 3):
                rows.append([])
            row: list[object] = [None] * at + [c.shown[i] for c in columns]
            rows.append(row)
        if "merged_groups" in self.faults or "blank_groups" in self.faults:
            self.groups(columns, at, first - 1)
        if "hidden" in self.faults:
            self.sheet.hidden_rows.append(first + 2)
            self.sheet.hidden_columns.append(at + 1)
            self.codes.add("W711")

    def groups(self, columns: list[Column], at: int, first: int) -> None:
        """Show only the first of equal labels in the first column, merged or blank below."""
        n, rows = len(columns[0].shown), self.sheet.rows
        values = list(columns[0].values)
        for start in range(0, n, 4):
            end = min(start + 4, n)
            for i in range(start, end):
                values[i] = columns[0].values[start]
                rows[first + i][at] = columns[0].shown[start] if i == start else None
            if "merged_groups" in self.faults and end - start > 1:
                self.sheet.merges.append((first + start, at, first + end - 1, at))
        if "merged_groups" in self.faults:
            self.codes.add("N705")
        else:
            values = [v if i % 4 == 0 else None for i, v in enumerate(values)]
            self.codes.add("W710")
        columns[0] = replace(columns[0], values=tuple(values))

    def tail(self, columns: list[Column], at: int) -> None:
        """Write totals and notes below the table."""
        rows = self.sheet.rows
        if "totals" in self.faults:
            row: list[object] = [None] * (at + len(columns))
            row[at] = self.rng.choice(TOTALS[self.language])
            for k, column in enumerate(columns):
                if column.kind == "number" and column.canonical in (
                    "capacity",
                    "quantity",
                    "value",
                    "qty_per_unit",
                ):
                    total = round(sum(float(v) for v in column.values if v is not None), 2)
                    row[at + k] = (
                        written(total, self.decimal, self.thousands) if self.is_text else total
                    )
            rows.append(row)
            self.codes.add("N703")
        if "footnotes" in self.faults:
            if self.rng.random() < 0.5:
                rows.append([])
            rows += [[None] * at + [note] for note in NOTES[self.language]]


_SHOWN_UNITS = {"USD": "USD", "EUR": "EUR", "week": "weeks", "%": "%"}


@dataclass(frozen=True)
class _Formula:
    text: str
    value: str


# --- files ---------------------------------------------------------------------------------------


def _save_text(
    path: Path, sheet: _Sheet, separator: str, encoding: str, rng: random.Random
) -> None:
    rows = [["" if c is None else _plain(c) for c in row] for row in sheet.rows]
    if separator == " ":
        width = max(map(len, rows))
        rows = [r + [""] * (width - len(r)) for r in rows]
        widths = [max((len(r[k]) for r in rows), default=0) + 3 for k in range(width)]
        text = "\n".join(
            "".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows
        )
    else:
        width = max(map(len, rows))
        if rng.random() < 0.5:  # spreadsheets write every row in full width
            rows = [r + [""] * (width - len(r)) for r in rows]
        buffer = io.StringIO()
        csv.writer(
            buffer, delimiter=separator, lineterminator=rng.choice(("\n", "\r\n"))
        ).writerows(rows)
        text = buffer.getvalue()
    path.write_bytes(text.encode(encoding))


def _plain(cell: object) -> str:
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() else repr(cell)
    return cell.isoformat() if isinstance(cell, datetime.date) else str(cell)


def save_workbook(path: Path, sheets: dict[str, _Sheet], hidden: Sequence[str] = ()) -> None:
    """Write sheets as XLSX, with merged cells, formulas, errors and what is hidden."""
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, sheet in sheets.items():
            page = book.add_worksheet(name)
            if name in hidden:
                page.hide()
            for r, row in enumerate(sheet.rows):
                for k, cell in enumerate(row):
                    if isinstance(cell, _Formula):
                        page.write_formula(r, k, cell.text, None, cell.value)
                    elif isinstance(cell, datetime.date):
                        page.write_datetime(
                            r, k, datetime.datetime(cell.year, cell.month, cell.day), day
                        )
                    elif isinstance(cell, bool | int | float):
                        page.write_number(r, k, cell)
                    elif cell is not None:
                        page.write_string(r, k, str(cell))
            for top, left, bottom, right in sheet.merges:
                value = sheet.rows[top][left]
                page.merge_range(top, left, bottom, right, "")
                if value is not None and not isinstance(value, int | float):
                    page.write_string(top, left, str(value))
                elif value is not None:
                    page.write_number(top, left, value)
            for row in sheet.hidden_rows:
                page.set_row(row - 1, None, None, {"hidden": True})
            for column in sheet.hidden_columns:
                page.set_column(column, column, None, None, {"hidden": True})


def save_ods(path: Path, name: str, sheet: _Sheet) -> None:
    """Write a sheet as a small ODS."""
    lines = []
    for row in sheet.rows:
        cells = []
        for cell in row:
            if cell is None:
                cells.append("<table:table-cell/>")
            elif isinstance(cell, int | float):
                cells.append(
                    f'<table:table-cell office:value-type="float" office:value="{cell!r}">'
                    f"<text:p>{cell}</text:p></table:table-cell>"
                )
            else:
                cells.append(
                    f'<table:table-cell office:value-type="string"><text:p>'
                    f"{escape(str(cell))}</text:p></table:table-cell>"
                )
        lines.append(
            f"<table:table-row>{''.join(cells) or '<table:table-cell/>'}</table:table-row>"
        )
    spaces = " ".join(
        f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"'
        for n in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} '
        f'office:version="1.2"><office:body>'
        f"<office:spreadsheet><table:table"
        f" table:name={quoteattr(name)}>{''.join(lines)}</table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0"?><manifest:manifest '
        f'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" '
        f'manifest:media-type="{kind}"/></manifest:manifest>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)


KINDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # table, kind of file, faults
    ("suppliers", ";", ()),
    ("suppliers", ";", ("thousands", "titles")),
    ("suppliers", ",", ("percent", "remarks")),
    ("suppliers", "\t", ("thousands", "totals", "footnotes")),
    ("suppliers", "|", ("units_in_cells", "placeholders")),
    ("suppliers", " ", ()),
    ("suppliers", ";", ("currency_in_cells", "invisible")),
    ("suppliers", ";", ("swiss", "titles", "totals")),
    ("suppliers", ";", ("group_header",)),
    ("suppliers", ";", ("units_row", "footnotes")),
    ("suppliers", ";", ("ambiguous_settled", "repeated_header")),
    ("suppliers", ";", ("errors", "blank_rows", "empty_column")),
    ("suppliers", "xlsx", ()),
    ("suppliers", "xlsx", ("titles", "group_header", "totals")),
    ("suppliers", "xlsx", ("numbers_as_text", "hidden", "remarks")),
    ("suppliers", "xlsx", ("merged_groups", "titles")),
    ("suppliers", "xlsx", ("blank_groups",)),
    ("suppliers", "xlsx", ("errors", "formulas", "footnotes")),
    ("suppliers", "xlsx", ("units_row", "percent")),
    ("suppliers", "xlsx", ("repeated_names", "placeholders", "empty_column")),
    ("suppliers", "ods", ("titles", "totals")),
    ("suppliers", "xlsx", ("thousands", "numbers_as_text", "repeated_header", "totals")),
    ("items", ";", ("lost_zeros",)),
    ("items", ",", ("newlines", "titles")),
    ("items", "\t", ("scientific_codes",)),
    ("items", ";", ("invisible", "remarks")),
    ("items", "xlsx", ("lost_zeros", "titles")),
    ("items", "xlsx", ("newlines", "hidden")),
    ("items", "ods", ()),
    ("items", "xlsx", ("transposed",)),
    ("recipes", ";", ("totals", "titles")),
    ("recipes", ",", ("repeated_header",)),
    ("recipes", "xlsx", ("dates_for_numbers",)),
    ("recipes", "xlsx", ("merged_groups", "footnotes")),
    ("recipes", "xlsx", ("blank_groups", "titles")),
    ("recipes", "|", ("blank_rows",)),
    ("links", ";", ("thousands", "negative")),
    ("links", ",", ("totals",)),
    ("links", "\t", ("thousands", "titles", "footnotes")),
    ("links", "xlsx", ("errors", "titles", "totals")),
    ("links", "xlsx", ("numbers_as_text", "negative")),
    ("links", ";", ("swiss", "totals")),
    ("stocks", ";", ("ambiguous",)),
    ("stocks", "xlsx", ("totals", "empty_column")),
    ("stocks", ",", ("invisible", "footnotes")),
    ("stocks", "xlsx", ("formulas", "titles")),
    ("regions", ";", ("titles",)),
    ("regions", "xlsx", ("footnotes",)),
    ("regions", ",", ()),
    ("items+suppliers", "xlsx", ("two_sheets",)),
    ("items+recipes", "xlsx", ("two_sheets", "titles", "hidden_sheet")),
    ("items+recipes", "xlsx", ("stacked", "titles")),
    ("recipes+stocks", "xlsx", ("beside",)),
    ("stocks+recipes", "xlsx", ("beside", "totals")),
    ("items+suppliers", ";", ("stacked", "titles")),
    ("recipes+links", "xlsx", ("stacked", "footnotes")),
    ("suppliers", ";", ("totals", "footnotes", "titles", "thousands", "percent")),
    ("suppliers", "xlsx", ("totals", "footnotes", "titles", "group_header", "numbers_as_text")),
    ("suppliers", ",", ("english_numbers", "thousands", "currency_in_cells")),
    ("links", ";", ("english_numbers", "thousands")),
    ("stocks", ";", ("blank_groups", "totals")),
    ("recipes", "\t", ("titles", "footnotes", "blank_rows")),
    ("items", "|", ("empty_column", "footnotes")),
    ("suppliers", "\t", ("placeholders", "percent", "units_in_cells")),
)


def make_files(folder: Path, seed: int) -> list[MessyFile]:
    """Write every kind of messy file once, drawn by a seed; return them with their truth."""
    rng = random.Random(seed)
    made = []
    for number, (tables, form, faults) in enumerate(KINDS):
        language = rng.choice(LANGUAGES)
        made.append(_make(folder, number, tables.split("+"), form, faults, language, rng))
    return made


def _make(
    folder: Path,
    number: int,
    tables: list[str],
    form: str,
    faults: tuple[str, ...],
    language: str,
    rng: random.Random,
) -> MessyFile:
    is_text = form not in ("xlsx", "ods")
    author = Author(rng, language, faults, is_text=is_text)
    sheets: dict[str, _Sheet] = {}
    truths: list[Table] = []
    for at, table in enumerate(tables):
        n_rows = rng.randint(12, 45) if "transposed" not in faults else rng.randint(6, 12)
        columns = clean_table(table, language, rng, n_rows)
        if "two_sheets" in faults:
            author.sheet = sheets.setdefault(
                f"{HEADERS['product'][language][0]} {at + 1}", _Sheet()
            )
            truths.append(author.table(table, columns, sheet=list(sheets)[-1]))
        elif "beside" in faults and at:
            other = Author(rng, language, faults, is_text=is_text)
            left = max(len(r) for r in author.sheet.rows) + 1
            truths.append(replace(other.table(table, columns), sheet="Sheet1"))
            _beside(author.sheet, other.sheet, left)
        else:
            if at:
                author.sheet.rows += [[], []]
            truths.append(author.table(table, columns, sheet=None if is_text else "Sheet1"))
    if len(tables) > 1 and "two_sheets" not in faults:
        author.codes.add("N706")
    sheets = sheets or {"Sheet1": author.sheet}
    if "transposed" in faults:
        author.codes.add("W712")
        width = max(map(len, author.sheet.rows))
        full = [r + [None] * (width - len(r)) for r in author.sheet.rows]
        author.sheet.rows = [list(c) for c in zip(*full, strict=True)]
    suffix = {"xlsx": ".xlsx", "ods": ".ods", "\t": ".tsv", "|": ".txt", " ": ".txt"}.get(
        form, ".csv"
    )
    path = folder / f"{number:02d}_{'_'.join(tables)}_{language}{suffix}"
    if form == "xlsx":
        hidden = [list(sheets)[-1]] if "hidden_sheet" in faults else []
        author.codes |= {"W711"} if hidden else set()
        save_workbook(path, sheets, hidden)
    elif form == "ods":
        save_ods(path, "Sheet1", author.sheet)
    else:
        encodings = ENCODINGS[language]
        encoding = rng.choice(encodings)
        if (
            form == " "
            or "invisible" in faults
            or author.thousands == "\u202f"
            or author.thousands == "\u2019"
        ):
            encoding = "utf-8"
        _save_text(path, author.sheet, form, encoding, rng)
    return MessyFile(path, language, faults, tuple(truths), frozenset(author.codes))


def _beside(sheet: _Sheet, other: _Sheet, left: int) -> None:
    """Put a sheet to the right of another."""
    n = max(len(sheet.rows), len(other.rows))
    for r in range(n):
        if r >= len(sheet.rows):
            sheet.rows.append([])
        if r < len(other.rows) and other.rows[r]:
            sheet.rows[r] = (
                sheet.rows[r] + [None] * (left - len(sheet.rows[r])) + list(other.rows[r])
            )
    sheet.merges += [(a, b + left, c, d + left) for a, b, c, d in other.merges]


if __name__ == "__main__":
    import sys

    for file in make_files(Path(sys.argv[1]), int(sys.argv[2])):
        print(file.path.name, *sorted(file.codes))
