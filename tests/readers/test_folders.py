"""Which files make a network, and what is said about those that do not."""

from __future__ import annotations

import shutil
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from breaking import (
    SHORTHAND,
    added,
    cell,
    faults_of,
    find,
    header,
    rows_of,
    settings,
    tiny_project,
    tiny_shorthand,
    tiny_workbook,
)
from withstand.model.network import ProductionNetwork
from withstand.readers import read_folder


def told(folder: Path, code: str) -> list[tuple[str | None, str]]:
    return [(f.file, f.what) for f in read_folder(folder).findings if f.code == code]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_project(tmp_path / "tiny")


@pytest.fixture
def shorthand(tmp_path: Path) -> Path:
    return tiny_shorthand(tmp_path / "plant")


# --- canonical tables ----------------------------------------------------------------------------


def test_tables_may_lie_in_the_folder_itself(tiny: Path) -> None:
    before = read_folder(tiny).fingerprint()
    for file in (tiny / "tables").iterdir():
        shutil.move(file, tiny / file.name)
    (tiny / "tables").rmdir()
    assert read_folder(tiny).fingerprint() == before


def test_a_workbook_may_be_read_alone(tmp_path: Path) -> None:
    folder = tiny_workbook(tmp_path / "book")
    alone = read_folder(folder / "tables.xlsx")
    assert alone.name == "tables"
    assert alone.n_links == read_folder(folder).n_links == 3


def test_capitals_in_names_of_files_and_headers_do_not_matter(tiny: Path) -> None:
    before = read_folder(tiny).fingerprint()
    find(tiny, "nodes.csv").rename(tiny / "tables" / "Nodes.CSV")
    header("links.csv", "lead_time", " Lead  Time ")(tiny)
    header("recipes.csv", "buyer", "BUYER")(tiny)
    assert read_folder(tiny).fingerprint() == before


def test_files_that_are_no_table_are_told_with_a_near_name(tiny: Path) -> None:
    (tiny / "tables" / "node.csv").write_text("a\n1\n")
    (found,) = [f for f in read_folder(tiny).findings if f.code == "W101"]
    assert (found.file, found.suggestion) == ("node.csv", "nodes")


def test_hidden_files_and_those_of_an_open_spreadsheet_are_passed_over(tiny: Path) -> None:
    for name in (".nodes.csv", "~$tables.xlsx", "notes.md"):
        (tiny / "tables" / name).write_text("x")
    assert told(tiny, "W101") == []


def test_tables_beside_the_tables_folder_are_told(tiny: Path) -> None:
    shutil.copy(find(tiny, "nodes.csv"), tiny / "nodes.csv")
    assert told(tiny, "W101") == [("nodes.csv", "not used, as there is a folder tables")]


def test_an_empty_tables_folder_hides_nothing(tiny: Path) -> None:
    for file in (tiny / "tables").iterdir():
        shutil.move(file, tiny / file.name)
    assert faults_of(tiny) == []


def test_sheets_that_are_no_table_are_told_and_a_readme_is_not(tmp_path: Path) -> None:
    folder = tiny_workbook(tmp_path / "book")
    book = openpyxl.load_workbook(folder / "tables.xlsx")
    book.create_sheet("read_me").append(["How to fill this in"])
    book.create_sheet("Sums").append(["Sum", None, "Sum"])  # no table: its header is not judged
    book["Sums"].append([1, 2, 3])
    book.create_sheet("Supply").append(["a"])
    book.create_sheet("stock").append(["b"])
    book.create_sheet("empty")
    book.create_sheet("options").append(["option", "kind"])  # a sheet of the template, not used
    book.save(folder / "tables.xlsx")
    found = [f for f in read_folder(folder).findings if f.code == "W101"]
    assert [(f.sheet, f.suggestion) for f in found] == [
        ("Sums", None),
        ("Supply", "suppliers"),
        ("stock", "stocks"),
    ]


def test_a_header_is_only_a_name(tiny: Path) -> None:
    """Some readers take `*` and `^a$` for patterns of names."""
    nodes = find(tiny, "nodes.csv")
    rows = rows_of(nodes)
    extra = ["*", "^node$", "a b", "pl.all()"]
    lines = [rows[0] + extra, *[row + ["1"] * 4 for row in rows[1:]]]
    nodes.write_text("\n".join(",".join(line) for line in lines))
    net = read_folder(tiny)
    assert net.tables["nodes"].columns[-4:] == extra


def test_columns_that_nobody_knows_are_kept_with_a_note(tiny: Path) -> None:
    header("nodes.csv", "company", "colour")(tiny)
    cell("nodes.csv", 3, "colour", "<red>")(tiny)  # not used, so not judged
    assert told(tiny, "N101") == [
        ("nodes.csv", "columns not in the data dictionary of nodes: colour")
    ]
    assert read_folder(tiny).tables["nodes"]["colour"][1] == "<red>"


def test_a_parquet_table_without_rows_is_told(tiny: Path) -> None:
    find(tiny, "stocks.csv").unlink()
    empty = pl.DataFrame(schema={"node": pl.String, "product": pl.String})
    empty.write_parquet(tiny / "tables" / "stocks.parquet")
    (found,) = faults_of(tiny)
    assert (found.code, found.file) == ("E112", "stocks.parquet")


def test_labels_with_blanks_around_are_trimmed_with_a_warning(tiny: Path) -> None:
    cell("nodes.csv", 3, "node", " mill ")(tiny)
    cell("nodes.csv", 4, "node", "far mill\u00a0")(tiny)
    (found,) = [f for f in read_folder(tiny).findings if f.code == "W102"]
    assert (found.row, found.column, found.count) == (3, "node", 2)


# --- plant shorthand -----------------------------------------------------------------------------


def by_node(net: ProductionNetwork, array: str) -> dict[str, float]:
    return dict(zip(net.node_labels.tolist(), getattr(net, array).tolist(), strict=True))


def test_the_shorthand_becomes_nodes_links_and_stocks(shorthand: Path) -> None:
    net = read_folder(shorthand)
    assert by_node(net, "output") == pytest.approx(
        {"plant": 100, "mill": 96, "far mill": 24, "mine": 153.6, "SK_GRIND@HOME": 50}
    )
    assert net.tables["links"]["buyer"].unique().to_list() == ["*"]
    assert net.link_lead_time.tolist() == [1.0, 8.0, 0.0, 12.0]  # hours are there at once
    assert net.tables["stocks"].rows() == [
        ("*", "STEEL", 0.8 * 2 + 0.2 * 4),
        ("*", "ORE", 4.0),
    ]
    assert net.tables["occupations"]["product"].to_list() == ["SK_GRIND"]


@pytest.mark.parametrize(
    ("period", "lead_time", "capacity"),
    [("week", 8.0, 3000 / 52), ("month", 8 * 12 / 52, 250.0), ("day", 8 * 365 / 52, 3000 / 365),
     ("year", 8 / 52, 3000.0)],
)  # fmt: skip
def test_times_and_rates_are_converted_once(
    shorthand: Path, period: str, lead_time: float, capacity: float
) -> None:
    settings('period = "week"', f'period = "{period}"')(shorthand)
    net = read_folder(shorthand)
    assert net.tables["links"]["lead_time"][2] == pytest.approx(lead_time)
    assert net.tables["nodes"]["capacity"][2] == pytest.approx(capacity)


def test_a_supplier_of_two_items_becomes_two_nodes_of_a_company(shorthand: Path) -> None:
    cell("suppliers.csv", 5, "supplier", "far mill")(shorthand)
    net = read_folder(shorthand)
    assert net.node_labels.tolist()[2:4] == ["STEEL@far mill", "ORE@far mill"]
    assert net.tables["nodes"]["company"].to_list()[2:4] == ["far mill", "far mill"]


def test_a_table_of_regions_says_which_countries_there_are(shorthand: Path) -> None:
    cell("suppliers.csv", 5, "country", "Outback")(shorthand)
    assert [f.code for f in faults_of(shorthand)] == ["E104"]
    (shorthand / "regions.csv").write_text("region,home\nHOME,yes\nJP,no\nOutback,no\n")
    assert faults_of(shorthand) == []
    cell("suppliers.csv", 5, "country", "Outbck")(shorthand)
    (found,) = faults_of(shorthand)
    assert (found.file, found.row, found.column, found.suggestion) == (
        "suppliers.csv", 5, "country", "Outback",
    )  # fmt: skip
    assert "regions.csv" in found.what


def test_our_own_tables_may_lie_beside_the_shorthand(shorthand: Path) -> None:
    (shorthand / "options.csv").write_text("option,kind\nx,second_source\n")
    (shorthand / "sources.csv").write_text("id,statement\nS01,so it is\n")
    (shorthand / "links.csv").write_text("supplier,buyer,share\nmill,plant,1\n")
    net = read_folder(shorthand)
    assert net.tables["options"].height == 1
    assert net.tables["sources"]["source"].to_list() == ["S01"]
    assert told(shorthand, "W101") == [
        ("links.csv", "not used, as items, recipes and suppliers are read")
    ]


def test_shorthand_beside_a_table_of_nodes_is_told(tiny: Path) -> None:
    (tiny / "tables" / "items.csv").write_text(SHORTHAND["items"])
    assert told(tiny, "W101") == [("items.csv", "not used, as the table of nodes is read")]


def test_columns_that_are_not_needed_are_told(shorthand: Path) -> None:
    codes = {f.code: f for f in read_folder(shorthand).findings}
    assert codes["N102"].column == "tier"
    header("items.csv", "name", "weight")(shorthand)
    codes = {f.code: f for f in read_folder(shorthand).findings}
    assert "weight" in codes["N103"].what


def test_warnings_point_at_the_rows_of_the_shorthand(shorthand: Path) -> None:
    cell("suppliers.csv", 3, "capacity_per_year", "52")(shorthand)
    cell("suppliers.csv", 4, "lead_time_weeks", "530")(shorthand)
    found = {f.code: f for f in read_folder(shorthand).findings}
    assert (found["W203"].file, found["W203"].row) == ("suppliers.csv", 3)
    assert found["W203"].column == "capacity_per_year"
    assert (found["W214"].row, found["W214"].column) == (4, "lead_time_weeks")


def test_a_workbook_of_shorthand_names_cells_under_the_headers_of_its_user(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in SHORTHAND.items():
        sheet = book.create_sheet(name.capitalize())
        for line in text.splitlines():
            sheet.append(line.split(","))
    book["Suppliers"]["F1"] = "Lead time weeks"
    book["Suppliers"]["F4"] = -3
    book["Suppliers"]["C5"] = "Korea, South"
    book.save(tmp_path / "plant.xlsx")
    found = {f.code: f for f in faults_of(tmp_path / "plant.xlsx")}
    assert (found["E107"].cell, found["E107"].column) == ("F4", "Lead time weeks")
    assert (found["E104"].cell, found["E104"].suggestion) == ("C5", "KR")
    assert "plant.xlsx > Suppliers!C5" in str(found["E104"])
    assert "Did you mean KR?" in str(found["E104"])


def test_a_skill_with_a_supplier_gets_no_second_node(shorthand: Path) -> None:
    added("suppliers.csv", "SK_GRIND", "agency", "JP", "1")(shorthand)
    assert "SK_GRIND@HOME" not in read_folder(shorthand).node_labels
