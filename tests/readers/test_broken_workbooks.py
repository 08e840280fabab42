"""Workbooks with a fault: sheet and cell are named; what is no workbook is refused unparsed."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest

from breaking import Fault, all_of, faults_of, sheet_cell, tiny_workbook

BOOK = "tables.xlsx"
SHEET_FAULTS = [
    Fault("text in the second sheet", sheet_cell("regions", "C3", "maybe"), "E109", BOOK, 3,
          "home", sheet="regions", cell="C3"),
    Fault("number", sheet_cell("links", "D3", "a fifth"), "E103", BOOK, 3, "share",
          sheet="links", cell="D3"),
    Fault("error cell", sheet_cell("links", "D3", "#REF!"), "E110", BOOK, 3, "share",
          sheet="links", cell="D3"),
    Fault("error cell in a label", sheet_cell("nodes", "C4", "#N/A"), "E110", BOOK, 4, "region",
          sheet="nodes", cell="C4"),
    Fault("formula without a value", sheet_cell("links", "D3", "=1-D2"), "E110", BOOK, 3, "share",
          "formula", sheet="links", cell="D3"),
    Fault("unknown product", sheet_cell("recipes", "B3", "OAR"), "E104", BOOK, 3, "input",
          "tables.xlsx > products", sheet="recipes", cell="B3", suggests="ORE"),
    Fault("shares", sheet_cell("links", "D2", 0.7), "E202", BOOK, 2, "share", "sum to 0.9",
          sheet="links", cell="D2"),
    Fault("cycle", sheet_cell("recipes", "B3", "GEAR"), "E201", BOOK, None, "input",
          sheet="recipes"),
    Fault("empty cell", sheet_cell("nodes", "C4", None), "E102", BOOK, 4, "region",
          sheet="nodes", cell="C4"),
    Fault("header twice", sheet_cell("nodes", "D1", "node"), "E120", BOOK, None, "node",
          sheet="nodes"),
    Fault("negative under a wide header",
          all_of(sheet_cell("links", "E1", " Lead  Time "), sheet_cell("links", "E3", -1)),
          "E107", BOOK, 3, " Lead  Time ".strip(), sheet="links", cell="E3"),
]  # fmt: skip


@pytest.mark.parametrize("fault", SHEET_FAULTS, ids=str)
def test_a_fault_in_a_workbook_is_named_with_its_cell(tmp_path: Path, fault: Fault) -> None:
    folder = tiny_workbook(tmp_path / "book")
    fault.breaks(folder)
    found = faults_of(folder)
    assert any(fault.is_told_by(f) for f in found), "\n".join(str(f) for f in found)
    assert len(found) <= 2, "\n".join(map(str, found))
    if fault.cell:
        assert any(f"> {fault.sheet}!{fault.cell}" in str(f) for f in found)


def test_faults_in_two_sheets_are_told_at_once(tmp_path: Path) -> None:
    folder = tiny_workbook(tmp_path / "book")
    all_of(sheet_cell("nodes", "F3", "dear"), sheet_cell("links", "D3", "#REF!"))(folder)
    assert [(f.sheet, f.cell) for f in faults_of(folder)] == [("links", "D3"), ("nodes", "F3")]


def test_a_table_may_begin_anywhere_in_its_sheet(tmp_path: Path) -> None:
    folder = tiny_workbook(tmp_path / "book")
    book = openpyxl.load_workbook(folder / BOOK)
    book["nodes"].insert_rows(1, 2)
    book["nodes"].insert_cols(1)
    book["nodes"]["G6"] = "dear"
    book.save(folder / BOOK)
    (found,) = faults_of(folder)
    assert (found.row, found.column, found.cell) == (6, "price", "G6")


def _zip(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/"), data)
    return buffer.getvalue()


def _lying_bomb() -> bytes:
    """Return an archive whose one part is much longer than its directory says."""
    honest = _zip(xl__workbook=b"\0" * 5_000_000)
    return honest.replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"not a workbook at all", "E113", "not a workbook"),
        (b"PK\x03\x04 not a workbook at all", "E113", "damaged"),
        (_zip(a=b"nothing"), "E113", "damaged"),
        (_zip(xl__workbook=b"\0" * 100_000_000), "E122", "unpacks to"),
        (_lying_bomb(), "E113", "damaged"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "E113", "old workbook"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "E116", "password"),
        (b"", "E111", "empty"),
    ],
    ids=["text", "broken", "archive", "bomb", "lying bomb", "old", "password", "empty"],
)
def test_what_is_no_workbook_is_refused_before_it_is_parsed(
    tmp_path: Path, data: bytes, code: str, says: str
) -> None:
    file = tmp_path / "tables.xlsx"
    file.write_bytes(data)
    start = time.perf_counter()
    (found,) = faults_of(file)
    assert time.perf_counter() - start < 3
    assert (found.code, found.file) == (code, "tables.xlsx")
    assert says in found.what
