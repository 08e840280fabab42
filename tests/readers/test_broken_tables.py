"""Canonical tables with a fault: each is named with its place and its mend, and nothing crashes."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest

from breaking import (
    Fault,
    added,
    all_of,
    cell,
    content,
    contents,
    faults_of,
    find,
    header,
    rows_of,
    settings,
    tiny_project,
    tiny_workbook,
    write_rows,
)

NODES, LINKS, RECIPES, STOCKS, PRODUCTS, REGIONS = (
    f"{name}.csv" for name in ("nodes", "links", "recipes", "stocks", "products", "regions")
)
TOML = "withstand.toml"

FAULTS = [
    Fault("missing column", header(NODES, "region", "place"), "E101", NODES, None, "region",
          "Where it makes it"),
    Fault("near column", header(RECIPES, "quantity", "quantitiy"), "E101", RECIPES, None,
          "quantity", suggests="quantitiy"),
    Fault("text for a number", cell(LINKS, 3, "share", "a fifth"), "E103", LINKS, 3, "share"),
    Fault("percentage", cell(LINKS, 3, "share", "20 %"), "E103", LINKS, 3, "share",
          suggests="0.2"),
    Fault("decimal comma", cell(RECIPES, 2, "quantity", "1,2"), "E105", RECIPES, 2, "quantity",
          suggests="1.2"),
    Fault("duplicate node", added(NODES, "mill", "STEEL", "JP"), "E106", NODES, 6, "node",
          "rows 3, 6"),
    Fault("duplicate link", added(LINKS, "mine", "mill", "ORE", "0"), "E106", LINKS, 5,
          "supplier", "rows 4, 5"),
    Fault("recipe cycle", added(RECIPES, "ORE", "GEAR", "1"), "E201", RECIPES, None, "input",
          "GEAR needs STEEL needs ORE needs GEAR"),
    Fault("supply cycle", all_of(added(RECIPES, "mine", "STEEL", "0.1"),
                                 added(LINKS, "mill", "mine", "STEEL", "1")),
          "E201", RECIPES, None, "input", "buys from", ),
    Fault("shares do not sum to 1", cell(LINKS, 3, "share", "0.3"), "E202", LINKS, 2, "share",
          "STEEL sum to 1.1, expected 1 (rows 2, 3)"),
    Fault("shares of one buyer do not sum to 1", cell(LINKS, 4, "share", "0.9"), "E202", LINKS, 4,
          "share", "ORE bought by mill sum to 0.9"),
    Fault("supplier is the buyer", cell(LINKS, 4, "supplier", "mill"), "E203", LINKS, 4,
          "supplier", "supplies itself"),
    Fault("supplier of another product", cell(LINKS, 4, "product", "STEEL"), "E204", LINKS, 4,
          "product", "mine makes ORE", suggests="ORE"),
    Fault("no share and no value", cell(LINKS, 4, "share", ""), "E210", LINKS, 4, "share"),
    Fault("stock of nothing", cell(STOCKS, 3, "periods_of_use", ""), "E209", STOCKS, 3,
          "quantity"),
    Fault("input twice in a recipe",
          all_of(added(NODES, "GEAR2", "GEAR", "HOME"), header(RECIPES, "class", "class"),
                 added(RECIPES, "GEAR", "STEEL", "2")), "E106", RECIPES, 4, "buyer"),
    Fault("unit clash", all_of(header(RECIPES, "class", "unit"),
                               cell(RECIPES, 2, "unit", "tonne"), cell(RECIPES, 3, "unit", "kg")),
          "E205", RECIPES, 2, "unit", "STEEL is counted in kg", suggests="kg"),
    Fault("unknown region", cell(NODES, 4, "region", "JPN"), "E104", NODES, 4, "region",
          "regions.csv", suggests="JP"),
    Fault("unknown product", cell(NODES, 4, "product", "STEAL"), "E104", NODES, 4, "product",
          "products.csv", suggests="STEEL"),
    Fault("unknown supplier", cell(LINKS, 3, "supplier", "farmill"), "E104", LINKS, 3, "supplier",
          "nodes.csv", suggests="far mill"),
    Fault("unknown buyer", cell(LINKS, 4, "buyer", "mil"), "E104", LINKS, 4, "buyer",
          "nodes.csv or products.csv", suggests="mill"),
    Fault("unknown class", cell(RECIPES, 3, "class", "crucial"), "E109", RECIPES, 3, "class",
          "essential"),
    Fault("yes/no with maybe", cell(REGIONS, 3, "home", "maybe"), "E109", REGIONS, 3, "home",
          "yes or no"),
    Fault("empty file", content(STOCKS, lambda _: b""), "E111", STOCKS),
    Fault("header only", content(STOCKS, lambda old: old.split(b"\n")[0]), "E112", STOCKS),
    Fault("header of nodes only", content(NODES, lambda old: old.split(b"\n")[0]), "E112", NODES),
    Fault("error of a spreadsheet", cell(LINKS, 3, "share", "#DIV/0!"), "E110", LINKS, 3, "share"),
    Fault("1e308", cell(NODES, 3, "capacity", "1e308"), "E108", NODES, 3, "capacity"),
    Fault("NaN", cell(NODES, 3, "capacity", "nan"), "E108", NODES, 3, "capacity"),
    Fault("negative lead time", cell(LINKS, 3, "lead_time", "-8"), "E107", LINKS, 3, "lead_time",
          "periods"),
    Fault("the same column under two spellings", header(LINKS, "product", "Lead Time"), "E120",
          LINKS, None, None, "'Lead Time' and 'lead_time' are the same column"),
    Fault("a quotation mark that swallows the rest",
          content(NODES, lambda old: old.replace(b"mill,", b'"mill,', 1) + b"x,ORE,JP\n" * 9999),
          "E117", NODES, 3, says="Close the quotation mark"),
    Fault("a cell that swallows many rows",
          content(NODES, lambda old: old.replace(b"mill,", b'"mill,', 1) + b"x,ORE,JP\n" * 9999
                  + b'",,\n1,2,3,4,5,6,7,8,9\n'),
          "E115", NODES, 3, says="closing quotation mark"),
    Fault("text after a quotation mark", content(NODES, lambda old: old + b'"a"b,ORE,JP\n'),
          "E117", NODES, 6, says="quotation mark"),
    Fault("latitude", all_of(header(NODES, "company", "latitude"),
                             cell(NODES, 2, "latitude", "91")), "E107", NODES, 2, "latitude"),
    Fault("script", added(NODES, "<script>alert(1)</script>", "STEEL", "JP"), "E121", NODES, 6,
          "node"),
    Fault("formula", cell(PRODUCTS, 3, "name", "=cmd()"), "E121", PRODUCTS, 3, "name"),
    Fault("script in a note", all_of(header(NODES, "company", "source"),
                                     cell(NODES, 3, "source", "<img src=x>")), "E121", NODES, 3,
          "source"),
    Fault("broken TOML", settings("format = 1", "format 1"),
          "E118", TOML, says="line 2"),
    Fault("wrong home", settings('home = "HOME"', 'home = "HOM"'), "E207", TOML, None, "home",
          suggests="HOME"),
    Fault("viewpoint that nobody makes",
          all_of(added(PRODUCTS, "AXLE"), settings('viewpoint = "GEAR"', 'viewpoint = "AXLE"')),
          "E207", TOML, None, "viewpoint", "no node makes"),
    Fault("settings for text", settings('name = "Gears"', "name = 3"), "E118", TOML, None, "name",
          "quotation marks"),
    Fault("newer format", settings("format = 1", "format = 2"), "E118", TOML, None, "format"),
    Fault("unknown key", settings('period =', 'perriod ='), "E118", TOML, None, "perriod",
          suggests="period"),
    Fault("unknown node of a final demand",
          lambda folder: (folder / "tables" / "final_demand.csv").write_text(
              "node,region,category,value\nplant,HOME,sales,60\nplan,JP,sales,40\n"),
          "E104", "final_demand.csv", 3, "node", suggests="plant"),
    Fault("table twice",
          lambda folder: pl.read_csv(find(folder, NODES)).write_parquet(
              folder / "tables" / "nodes.parquet"),
          "E106", "nodes.parquet", says="Keep one of the two"),
    Fault("table that is a folder",
          lambda folder: (find(folder, STOCKS).unlink(), (folder / "tables" / STOCKS).mkdir()),
          "E116", STOCKS),
    Fault("link to itself",
          lambda folder: (find(folder, STOCKS).unlink(),
                          (folder / "tables" / STOCKS).symlink_to(STOCKS)), "E116", STOCKS),
    Fault("settings that are a folder",
          lambda folder: ((folder / TOML).unlink(), (folder / TOML).mkdir()), "E116", TOML),
    Fault("no nodes", lambda folder: find(folder, NODES).unlink(), "E119",
          says="Name a folder with nodes"),
    Fault("journal of a stranger",
          lambda folder: ((folder / ".withstand").mkdir(),
                          (folder / ".withstand" / "commit.json").write_text(
                              '{"move": [], "remove": ["../precious.txt"]}')),
          "E116", says="journal"),
]  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_project(tmp_path / "tiny")


def test_the_tables_have_no_fault_before_they_are_broken(tiny: Path, tmp_path: Path) -> None:
    assert faults_of(tiny) == []
    assert faults_of(tiny_workbook(tmp_path / "book")) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_named_with_its_place_and_its_mend(tiny: Path, fault: Fault) -> None:
    (tiny.parent / "precious.txt").write_text("to be kept")
    fault.breaks(tiny)
    before = contents(tiny)
    found = faults_of(tiny)
    assert any(fault.is_told_by(f) for f in found), "\n".join(str(f) for f in found)
    assert all(f.what and f.why and f.fix for f in found)
    assert contents(tiny) == before, "reading a broken project wrote something"
    assert len(found) <= 3, "one fault brings many findings:\n" + "\n".join(map(str, found))
    assert (tiny.parent / "precious.txt").exists()


def test_nine_faults_are_told_at_once(tiny: Path) -> None:
    all_of(
        cell(NODES, 2, "price", "1,5"),
        cell(NODES, 4, "region", "JPN"),
        added(RECIPES, "ORE", "GEAR", "1"),
        cell(LINKS, 3, "share", "0.3"),
        cell(STOCKS, 3, "periods_of_use", ""),
        cell(PRODUCTS, 3, "kind", "stuff"),
        cell(REGIONS, 3, "home", "maybe"),
        settings("lens =", "lenz ="),
        settings('viewpoint = "GEAR"', 'viewpoint = "GAER"'),
    )(tiny)
    codes = sorted(f.code for f in faults_of(tiny))
    assert codes == ["E104", "E105", "E109", "E109", "E118", "E201", "E202", "E207", "E209"]


def test_rows_are_counted_as_a_spreadsheet_does(tiny: Path) -> None:
    """Blank lines keep their number; a cell with a line break is one row."""
    nodes = find(tiny, NODES)
    rows = rows_of(nodes)
    rows[1][rows[0].index("company")] = "Gears\nand more"
    rows.insert(2, [""] * len(rows[0]))
    rows[4][rows[0].index("price")] = "dear"
    write_rows(nodes, rows)
    (found,) = faults_of(tiny)
    assert (found.code, found.row, found.column) == ("E103", 5, "price")


def test_lines_before_the_header_are_counted(tiny: Path) -> None:
    all_of(cell(NODES, 3, "price", "dear"), content(NODES, lambda old: b"\n\n" + old))(tiny)
    (found,) = faults_of(tiny)
    assert (found.code, found.row) == ("E103", 5)


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_line_ends_of_other_systems_are_read(tiny: Path, end: bytes) -> None:
    all_of(
        cell(NODES, 3, "price", "dear"),
        content(NODES, lambda old: old.replace(b"\r\n", b"\n").replace(b"\n", end)),
    )(tiny)
    (found,) = faults_of(tiny)
    assert (found.code, found.row) == ("E103", 3)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_read(tiny: Path, separator: str) -> None:
    nodes = find(tiny, NODES)
    text = "\n".join(separator.join(row) for row in rows_of(nodes))
    nodes.write_text(text)
    assert faults_of(tiny) == []


def test_columns_without_a_name_are_left_out_with_a_note(tiny: Path) -> None:
    nodes = find(tiny, NODES)
    rows = rows_of(nodes)
    write_rows(nodes, [[*row, "", "", "note" if i == 2 else ""] for i, row in enumerate(rows)])
    assert faults_of(tiny) == []


# --- very many faults ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [("price", "1,{i}", "E105"), ("price", "x{i}", "E103"), ("region", "R{i}", "E104"),
     ("node", "=n{i}", "E121"), ("price", "-{i}", "E107"), ("node", "same", "E106")],
)  # fmt: skip
def test_ten_thousand_faults_are_grouped_and_quick(
    tiny: Path, column: str, value: str, code: str
) -> None:
    nodes = find(tiny, NODES)
    rows = rows_of(nodes)
    at = rows[0].index(column)
    for i in range(1, 10_001):
        row = [f"n{i}", "ORE", "JP", *[""] * (len(rows[0]) - 3)]
        row[at] = value.format(i=i)
        rows.append(row)
    write_rows(nodes, rows)
    start = time.perf_counter()
    found = [f for f in faults_of(tiny) if f.code == code]
    assert time.perf_counter() - start < 5
    assert 1 <= len(found) <= 11
    assert sum(f.count for f in found) >= 9_999
    assert all(f.row for f in found)
