"""A small balanced world table, and files of it in the layout of every provider."""

from __future__ import annotations

import csv
import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import xlsxwriter

WIOD_NAMES = {
    2013: ["Final consumption expenditure by households",
           "Final consumption expenditure by non-profit organisations serving households (NPISH)",
           "Final consumption expenditure by government", "Gross fixed capital formation",
           "Changes in inventories and valuables"],
}  # fmt: skip
WIOD_CATEGORIES = ["CONS_h", "CONS_np", "CONS_g", "GFCF", "INVEN"]
WIOD_NUMBERS = {2013: [37, 38, 39, 41, 42], 2016: [57, 58, 59, 60, 61]}
WIOD_TOTALS = [
    ("II_fob", "r60", "r65", "Total intermediate consumption"),
    ("TXSP", "r99", "r66", "taxes less subsidies on products"),
    ("EXP_adj", "r61", "r67", "Cif/ fob adjustments on exports"),
    ("PURR", "r62", "r68", "Direct purchases abroad by residents"),
    ("PURNR", "r63", "r69", "Purchases on the domestic territory by non-residents "),
    ("VA", "r64", "r70", "Value added at basic prices"),
    ("IntTTM", "r65", "r71", "International Transport Margins"),
    ("GO", "r69", "r73", "Output at basic prices"),
]
SECTORS = {2013: ["AtB", "C"], 2016: ["A01", "B"]}
NAMES = ["Agriculture", "Mining and Quarrying"]


@dataclass
class World:
    """Z, Y, x, taxes, value added of a table that balances, with labels."""

    regions: list[str]
    sectors: list[str]
    categories: list[str]
    Z: np.ndarray
    Y: np.ndarray
    x: np.ndarray
    taxes: np.ndarray
    va: np.ndarray

    @property
    def cells(self) -> list[tuple[str, str]]:
        return [(r, s) for r in self.regions for s in self.sectors]

    @property
    def final(self) -> list[tuple[str, str]]:
        return [(r, c) for r in self.regions for c in self.categories]


def world(regions: list[str], sectors: list[str], categories: list[str], seed: int = 0) -> World:
    """Random flows with a few zeros; inventories may be negative."""
    rng = np.random.default_rng(seed)
    n, m = len(regions) * len(sectors), len(regions) * len(categories)
    Z = rng.lognormal(0, 1, (n, n)) * (rng.random((n, n)) < 0.8)
    Y = rng.lognormal(3, 1, (n, m))
    if len(categories) > 1:
        Y[:, len(categories) - 1 :: len(categories)] -= 15.0
    x = Z.sum(axis=1) + Y.sum(axis=1)
    taxes = rng.uniform(0, 1, n)
    return World(regions, sectors, categories, Z, Y, x, taxes, x - Z.sum(axis=0) - taxes)


def write_oecd(w: World, file: Path) -> None:
    """V1, REGION_INDUSTRY ..., REGION_CATEGORY ..., OUT; rows TLS, VA, OUT."""
    cells = [f"{r}_{s}" for r, s in w.cells]
    final = [f"{r}_{c}" for r, c in w.final]
    fills = np.ones(len(final))
    rows: list[list[Any]] = [["V1", *cells, *final, "OUT"]]
    for i, cell in enumerate(cells):
        rows.append([cell, *w.Z[i].tolist(), *w.Y[i].tolist(), float(w.x[i])])
    rows.append(["TLS", *w.taxes.tolist(), *fills.tolist(), float(w.taxes.sum() + fills.sum())])
    rows.append(["VA", *w.va.tolist(), *(0 * fills).tolist(), float(w.va.sum())])
    rows.append(["OUT", *w.x.tolist(), *(w.Y.sum(axis=0) + fills).tolist(), float(w.x.sum())])
    with file.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def wiod_rows(w: World, release: int, year: int) -> list[list[Any]]:
    """The sheet of a WIOD world table, cell by cell."""
    n_sectors, n = len(w.sectors), len(w.cells)
    numbers = WIOD_NUMBERS[release]
    columns = [(w.sectors[k % n_sectors], NAMES[k % n_sectors], w.cells[k][0],
                f"c{k % n_sectors + 1}") for k in range(n)]  # fmt: skip
    names = WIOD_NAMES[2013]
    codes = WIOD_CATEGORIES if release == 2016 else ["F"] * 5
    columns += [(codes[k], names[k], r, f"c{numbers[k]}") for r in w.regions for k in range(5)]
    columns.append(("GO", "Total output", "TOT", "c62" if release == 2016 else ""))
    titles = [f"Intercountry Input-Output Table, {year}", "", "(industry-by-industry)",
              "(millions of US$)", "", ""]  # fmt: skip
    if release == 2016:
        titles = ["Intercountry Input-Output Table", f"{year}", "(industry-by-industry)",
                  "(millions of US$)", "", ""]  # fmt: skip
    rows: list[list[Any]] = [[titles[0]], [titles[1]]]
    for j in range(4):
        rows.append([titles[2 + j], "", "", "", *[c[j] for c in columns]])
    mark = "c" if release == 2013 else "r"
    for i in range(n):
        label = [*columns[i][:3], f"{mark}{i % n_sectors + 1}"]
        rows.append([*label, *w.Z[i].tolist(), *w.Y[i].tolist(), float(w.x[i])])
    zero = [0.0] * n
    sides = {"II_fob": w.Z.sum(axis=0).tolist(), "TXSP": w.taxes.tolist(), "VA": w.va.tolist(),
             "GO": w.x.tolist()}  # fmt: skip
    for code, old, new, name in WIOD_TOTALS:
        number = old if release == 2013 else new
        body = sides.get(code, zero)
        rest = [0.0] * (5 * len(w.regions))
        rows.append([code, name, "TOT", number, *body, *rest, float(sum(body))])
    return rows


def write_xlsx(rows: list[list[Any]], file: Path, sheet: str) -> None:
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet(sheet)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if cell != "":
                    page.write(i, j, cell)


def write_csv(rows: list[list[Any]], file: Path) -> None:
    width = max(len(row) for row in rows)
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([[*row, *[""] * (width - len(row))] for row in rows])


def write_r_release(w: World, file: Path, year: int) -> None:
    """The table of the R release of 2016 as CSV."""
    n_sectors = len(w.sectors)
    header = ["IndustryCode", "IndustryDescription", "Country", "RNr", "Year"]
    header += [f"{r}{k + 1}" for r in w.regions for k in range(n_sectors)]
    header += [f"{r}{k}" for r in w.regions for k in WIOD_NUMBERS[2016]] + ["TOT"]
    rows: list[list[Any]] = [header]
    for row in wiod_rows(w, 2016, year)[6:]:
        rows.append([row[0], row[1], row[2], row[3][1:], year, *row[4:]])
    write_csv(rows, file)


def write_xlsb(rows: list[list[Any]], file: Path, sheet: str) -> None:
    """A binary workbook of one sheet: records of [MS-XLSB] with text in the cells themselves."""

    def record(kind: int, data: bytes = b"") -> bytes:
        head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
        size, length = len(data), b""
        while True:
            length += bytes([size & 0x7F | (0x80 if size > 127 else 0)])
            size >>= 7
            if not size:
                return head + length + data

    def text(words: str) -> bytes:
        return struct.pack("<I", len(words)) + words.encode("utf-16-le")

    width = max(len(row) for row in rows)
    body = record(129) + record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1))
    body += record(145)
    for i, row in enumerate(rows):
        body += record(0, struct.pack("<IIHHBI", i, 0, 300, 0, 0, 0))
        for j, cell in enumerate(row):
            place = struct.pack("<II", j, 0)
            if isinstance(cell, str):
                body += record(6, place + text(cell)) if cell else b""
            else:
                body += record(5, place + struct.pack("<d", cell))
    body += record(146) + record(130)
    bundle = struct.pack("<II", 0, 1) + text("rId1") + text(sheet)
    book = (
        record(131)
        + record(153, bytes(12))
        + record(143)
        + record(156, bundle)
        + record(144)
        + record(132)
    )
    schema = "http://schemas.openxmlformats.org"
    kinds = (
        f'<?xml version="1.0"?><Types xmlns="{schema}/package/2006/content-types">'
        '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled'
        '.main"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        'relationships+xml"/></Types>'
    )
    office = f"{schema}/officeDocument/2006/relationships"
    relations = (
        '<?xml version="1.0"?><Relationships xmlns="{0}/package/2006/relationships">'
        '<Relationship Id="rId1" Type="{1}/{2}" Target="{3}"/></Relationships>'
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", kinds)
        archive.writestr(
            "_rels/.rels", relations.format(schema, office, "officeDocument", "xl/workbook.bin")
        )
        archive.writestr("xl/workbook.bin", book)
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            relations.format(schema, office, "worksheet", "worksheets/sheet1.bin"),
        )
        archive.writestr("xl/worksheets/sheet1.bin", body)


def write_pymrio(w: World, folder: Path, form: str) -> None:
    """A folder as pymrio 0.7 saves it, as text or as Parquet of pandas."""
    (folder / "employment").mkdir(parents=True)
    suffix = "txt" if form == "txt" else "parquet"
    files = {"Z": (2, 2), "Y": (2, 2), "x": (2, 1), "unit": (2, 1)}
    _parameters(folder, files, suffix, "IOSystem")
    _parameters(folder / "employment", {"F": (1, 2), "unit": (1, 1)}, suffix, "Extension")
    (folder / "metadata.json").write_text(
        json.dumps(
            {
                "name": "tiny",
                "system": "ixi",
                "version": "v1",
                "description": "a test",
                "history": [],
            }
        )
    )
    save = _as_text if form == "txt" else _as_parquet
    save(folder / f"Z.{suffix}", ["region", "sector"], w.cells, ["region", "sector"], w.cells, w.Z)
    save(folder / f"Y.{suffix}", ["region", "sector"], w.cells, ["region", "category"], w.final,
         w.Y)  # fmt: skip
    save(folder / f"x.{suffix}", ["region", "sector"], w.cells, ["indout"], [("indout",)],
         w.x[:, None])  # fmt: skip
    jobs = np.arange(1.0, len(w.cells) + 1)[None, :]
    save(folder / f"employment/F.{suffix}", ["stressor"], [("jobs",)], ["region", "sector"],
         w.cells, jobs)  # fmt: skip
    for place, names, rows, unit in (
        (folder, ["region", "sector"], w.cells, "Mill USD"),
        (folder / "employment", ["stressor"], [("jobs",)], "1000 p"),
    ):
        if form == "txt":
            lines = ["\t".join([*names, "unit"]), *["\t".join([*row, unit]) for row in rows]]
            (place / "unit.txt").write_text("\n".join(lines) + "\n")
        else:
            columns = {name: [row[k] for row in rows] for k, name in enumerate(names)}
            pl.DataFrame({"unit": [unit] * len(rows), **columns}).write_parquet(
                place / "unit.parquet"
            )


def _parameters(folder: Path, files: dict[str, tuple[int, int]], suffix: str, kind: str) -> None:
    named = {
        name: {"name": f"{name}.{suffix}", "nr_index_col": str(i), "nr_header": str(h)}
        for name, (i, h) in files.items()
    }
    facts = {"files": named, "systemtype": kind, "name": folder.name}
    (folder / "file_parameters.json").write_text(json.dumps(facts))


def _as_text(
    file: Path,
    index: list[str],
    rows: list[tuple[str, ...]],
    head: list[str],
    columns: list[tuple[str, ...]],
    values: np.ndarray,
) -> None:
    pad = [""] * (len(index) - 1)
    lines = [[head[k], *pad, *[c[k] for c in columns]] for k in range(len(head))]
    if len(head) > 1:
        lines.append([*index, *[""] * len(columns)])
    else:
        lines = [[*index, *head]]
    lines += [[*row, *[repr(float(v)) for v in values[i]]] for i, row in enumerate(rows)]
    file.write_text("\n".join("\t".join(line) for line in lines) + "\n")


def _as_parquet(
    file: Path,
    index: list[str],
    rows: list[tuple[str, ...]],
    head: list[str],
    columns: list[tuple[str, ...]],
    values: np.ndarray,
) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names = [c[0] if len(head) == 1 else str(c) for c in columns]
    arrays = [pa.array(values[:, k]) for k in range(len(columns))]
    arrays += [pa.array([row[k] for row in rows]) for k in range(len(index))]
    facts = {"index_columns": index, "column_indexes": [{"name": h} for h in head]}
    table = pa.table(arrays, names=[*names, *index])
    table = table.replace_schema_metadata({b"pandas": json.dumps(facts).encode()})
    parquet.write_table(table, file)


def write_wide(w: World, file: Path, **changes: Any) -> pl.DataFrame:
    """The wide layout as other people write it: no metadata."""
    cells = [f"{r}_{s}" for r, s in w.cells]
    frame = pl.DataFrame(
        {
            "cell": cells,
            **{cell: w.Z[:, k] for k, cell in enumerate(cells)},
            **{f"Y_{r}_{c}": w.Y[:, k] for k, (r, c) in enumerate(w.final)},
            "x": w.x,
            "va": w.x - w.Z.sum(axis=0),
            **changes,
        }
    )
    frame.write_parquet(file)
    return frame
