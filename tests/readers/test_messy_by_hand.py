"""Messy files written by hand, each after something that real programs and people produce."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest

from withstand.errors import UsageError
from withstand.readers.messy import (
    Block,
    BlockHow,
    ColumnHow,
    How,
    Limits,
    NumberFormat,
    read_blocks,
)
from withstand.readers.messy.how import how_from_dict

FOLDER = Path(__file__).parent.parent / "data" / "messy"


def only_block(path: Path, how: How | None = None) -> Block:
    (block,) = read_blocks(path, how=how).blocks
    return block


def written(folder: Path, text: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def codes(path: Path) -> set[str]:
    return {f.code for f in read_blocks(path).findings}


# --- kept files ----------------------------------------------------------------------------------


def test_a_printed_list_of_sap_is_a_table_without_its_rulers() -> None:
    block = only_block(FOLDER / "sap_liste.txt")
    assert block.header == ("Material", "Kurztext", "Menge", "BME", "Lieferant", "Preis")
    assert block.cells[1].to_list() == ["Gehäuse, Größe 2", "Welle", "Dichtung"]
    assert block.numbers(2).values.to_list() == [1234.0, 50.5, 12.0]
    assert block.numbers(5).values.to_list() == [12.5, -3.2, 1000.0]
    assert block.rows.tolist() == [5, 6, 7]


def test_a_russian_form_loses_its_column_numbers_and_its_total() -> None:
    read = read_blocks(FOLDER / "ведомость.csv")
    (block,) = read.blocks
    assert read.how.encoding == "cp1251"
    assert block.bare[3:] == ("Кол-во", "Цена")
    assert block.units == (None, None, None, "piece", "RUB")
    assert block.cells[1].to_list() == ["00017", "00018", "00019"]
    assert block.numbers(4).values.to_list() == [1250.5, 98000.0, 4300.75]
    assert [(d.row, d.reason) for d in block.dropped] == [(5, "title"), (9, "total")]


def test_a_comma_in_a_japanese_price_parts_thousands() -> None:
    block = only_block(FOLDER / "shiire.csv")
    assert block.numbers(3).values.to_list() == [1200.0, 98000.0, 12500.0]
    assert block.units[3:] == ("JPY", "week")


def test_chinese_is_read_without_a_mark() -> None:
    block = only_block(FOLDER / "gongyingshang.csv")
    assert block.header[2] == "供应商"
    assert block.cells[2][0] == "上海轴承有限公司"


def test_unicode_text_of_a_spreadsheet_with_a_hint_of_its_separator() -> None:
    block = only_block(FOLDER / "unicode_text.txt")
    assert block.header_rows == (2,)
    assert block.numbers(2).values.to_list() == [1234.5, -3.25, 0.75]
    assert block.units[2] == "USD"
    assert block.rows.tolist() == [3, 4, 5]


def test_swiss_marks_trailing_minus_and_shares() -> None:
    block = only_block(FOLDER / "schweiz.csv")
    assert block.numbers(1).values.to_list() == [1234.5, -12000.0, 7.25]
    assert block.numbers(2).values.to_list() == [0.125, 0.5, 0.375]
    assert block.units == (None, "CHF", None)


def test_sections_subtotals_and_the_form_above_are_told_apart_from_data() -> None:
    block = only_block(FOLDER / "form.csv")
    assert block.cells[0].to_list() == ["GEAR", "BOLT", "CHIP"]
    reasons = {d.row: d.reason for d in block.dropped}
    assert reasons[5] == reasons[9] == "section"
    assert reasons[8] == reasons[11] == reasons[12] == "total"
    assert "Company: Acme Ltd" in block.notes
    assert "Note: volumes of 2025" in block.notes


def test_lists_beside_each_other_are_two_tables() -> None:
    left, right = read_blocks(FOLDER / "two_lists.csv").blocks
    assert (left.header, right.header) == (("Part", "Name"), ("Supplier", "Country"))
    assert (left.n_rows, right.n_rows) == (6, 3)
    assert right.columns.tolist() == [4, 5]


def test_a_quotation_mark_that_nobody_closed_loses_no_row() -> None:
    block = only_block(FOLDER / "open_quote.csv")
    assert block.n_rows == 42
    assert "W717" in codes(FOLDER / "open_quote.csv")


def test_an_old_workbook_keeps_its_codes_and_dates() -> None:
    block = only_block(FOLDER / "lieferanten_alt.xls")
    assert block.cells[0].to_list() == ["00123", "00124", "00125"]
    assert [str(d) for d in block.dates(4)] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert block.origin("x").place(0, "Lieferant")["cell"] == "B4"


def test_markdown_is_a_table_too() -> None:
    block = only_block(FOLDER / "markdown.txt")
    assert block.header == ("Item", "Supplier", "Share")
    assert block.n_rows == 2


def test_a_web_page_under_the_name_of_a_workbook_is_refused_with_its_mend() -> None:
    (finding,) = read_blocks(FOLDER / "web_page.xls").findings
    assert finding.code == "E113"
    assert "save" in finding.fix


# --- headers and tables --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "header", "rows"),
    [
        ("A1;3;DE\nB2;4;JP\nC3;5;FR\n", ("", "", ""), [1, 2, 3]),
        ("Region,2021,2022,2023\nDE,1,2,3\nFR,2,3,4\n", ("Region", "2021", "2022", "2023"), [2, 3]),
        ("Part;Qty\n\nA;1\nB;2\n", ("Part", "Qty"), [3, 4]),
        (",part,qty\n0,A,1.5\n1,B,2.5\n", ("", "part", "qty"), [2, 3]),
        ("a,b\r1,x\r2,y\r", ("a", "b"), [2, 3]),
        ('a,b\n1,"x\ny"\n2,z\n', ("a", "b"), [2, 3]),
        ("Item,Qty\nA,1\nItem,Qty\nB,2\n", ("Item", "Qty"), [2, 4]),
        ("a,b,,c\n1,x,,3\n2,y,,4\n3,z,,5\n", ("a", "b", "c"), [2, 3, 4]),
        ("supplier\nA\nB\n", ("supplier",), [2, 3]),
        ("Part,Name\n", ("Part", "Name"), []),
    ],
)
def test_header_and_rows(
    tmp_path: Path, text: str, header: tuple[str, ...], rows: list[int]
) -> None:
    block = only_block(written(tmp_path, text))
    assert block.header == header
    assert block.rows.tolist() == rows


def test_a_second_list_of_words_below_is_a_table_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "Part;Name\nA;foo\nB;bar\n\nSupplier;City\nX;Rome\nY;Paris\n")
    assert [b.header for b in read_blocks(path).blocks] == [("Part", "Name"), ("Supplier", "City")]


def test_a_firm_called_total_stays(tmp_path: Path) -> None:
    path = written(tmp_path, "Supplier,Item,Price\nShell,oil,6\nTOTAL,oil,5\nBP,gas,8\nEni,gas,9\n")
    assert only_block(path).n_rows == 4
    last = written(tmp_path, "Supplier,Item,Price\nShell,oil,6\nBP,gas,8\nTotal,oil,5\n", "b.csv")
    assert only_block(last).n_rows == 3
    assert "W709" in codes(last)


def test_a_last_row_of_sums_without_a_word_is_a_total(tmp_path: Path) -> None:
    path = written(tmp_path, "Item,Country,Qty\nA,DE,1.5\nB,JP,2\nC,FR,4\n,,7.5\n")
    assert only_block(path).n_rows == 3
    other = written(tmp_path, "Item,Country,Qty\nA,DE,1.5\nB,JP,2\nC,FR,4\n,,7\n", "b.csv")
    assert only_block(other).n_rows == 4


# --- columns -------------------------------------------------------------------------------------


def test_one_to_thousand_is_undecided_until_another_column_or_the_user_tells(
    tmp_path: Path,
) -> None:
    alone = written(tmp_path, "part;qty\nA;1.234\nB;5.678\n")
    assert "W701" in codes(alone)
    assert only_block(alone).numbers(1).values.to_list() == [None, None]
    given = only_block(alone, How(number=NumberFormat(".", "")))
    assert given.numbers(1).values.to_list() == [1.234, 5.678]
    with_price = written(tmp_path, "part;qty;price\nA;1.234;2,5\nB;5.678;3,75\n", "b.csv")
    assert only_block(with_price).numbers(1).values.to_list() == [1234.0, 5678.0]


def test_numbers_that_contradict_each_other_are_told_and_not_guessed(tmp_path: Path) -> None:
    path = written(tmp_path, "part;qty\nA;1,5\nB;2.5\nC;3,25\nD;4.75\n")
    assert "W718" in codes(path)
    assert only_block(path).numbers(1).is_bad.all()


def test_lost_zeros_are_suggested_and_not_put_back(tmp_path: Path) -> None:
    path = written(tmp_path, "Ort;PLZ\nA;01234\nB;1067\nC;80331\nD;10115\n")
    assert only_block(path).cells[1].to_list() == ["01234", "1067", "80331", "10115"]
    (finding,) = [f for f in read_blocks(path).findings if f.code == "W707"]
    assert (finding.value, finding.suggestion, finding.row) == ("1067", "01067", 3)


def test_order_of_day_and_month_is_undecided_unless_a_date_tells(tmp_path: Path) -> None:
    path = written(tmp_path, "part;date\nA;03/04/2026\nB;05/06/2026\n")
    assert "W702" in codes(path)
    path = written(tmp_path, "part;date\nA;03/04/2026\nB;05/16/2026\n")
    assert [str(d) for d in only_block(path).dates(1)] == ["2026-03-04", "2026-05-16"]


# --- how -----------------------------------------------------------------------------------------


def test_what_was_sniffed_can_be_kept_and_given_back() -> None:
    for path in sorted(FOLDER.iterdir()):
        first = read_blocks(path)
        again = read_blocks(path, how=how_from_dict(first.how.to_dict()))
        assert [b.to_frame().rows() for b in again.blocks] == [
            b.to_frame().rows() for b in first.blocks
        ]
        assert again.how.blocks == first.how.blocks


def test_next_month_the_header_may_stand_lower(tmp_path: Path) -> None:
    first = read_blocks(written(tmp_path, "Part;Qty\nA;1.234\nB;5.678\n"))
    columns = tuple(
        ColumnHow(header=h, kind="number", number=NumberFormat(",", ".")) for h in ("Part", "Qty")
    )
    kept = How(blocks=(BlockHow(header_rows=first.blocks[0].header_rows, columns=columns),))
    block = only_block(written(tmp_path, "New title;\nPart;Qty\nC;9.876\n", "b.csv"), kept)
    assert block.header_rows == (2,)
    assert block.numbers(1).values.to_list() == [9876.0]


def test_a_header_row_can_be_given(tmp_path: Path) -> None:
    path = written(tmp_path, "x;y\na;b\nc;d\n")
    assert only_block(path, How(blocks=(BlockHow(header_rows=(2,)),))).header == ("a", "b")


def test_a_turned_table_is_suggested_and_turned_when_told(tmp_path: Path) -> None:
    path = written(
        tmp_path, "Part;A1;B2;C3;D4\nPrice;1,5;2,5;3,5;4,5\nCountry;DE;JP;FR;US\nQty;1;2;3;4\n"
    )
    assert "W712" in codes(path)
    block = only_block(path, How(blocks=(BlockHow(header_rows=(1,), transposed=True),)))
    assert block.header == ("Part", "Price", "Country", "Qty")
    assert block.numbers(1).values.to_list() == [1.5, 2.5, 3.5, 4.5]
    assert block.rows.tolist() == [2, 3, 4, 5]


def test_blank_cells_are_filled_only_when_told(tmp_path: Path) -> None:
    path = written(tmp_path, "Group;Item;Qty\nG1;A;1\n;B;2\n;C;3\nG2;D;4\n;E;5\n")
    assert "W710" in codes(path)
    assert only_block(path).cells[0].null_count() == 3
    told = How(
        blocks=(BlockHow(header_rows=(1,), columns=(ColumnHow(header="Group", fill_down=True),)),)
    )
    assert only_block(path, told).cells[0].to_list() == ["G1", "G1", "G1", "G2", "G2"]


def test_what_is_kept_is_checked_before_it_is_used() -> None:
    with pytest.raises(UsageError, match="did you mean separator"):
        how_from_dict({"seperator": ";"})
    with pytest.raises(UsageError, match="decimal mark"):
        how_from_dict({"number": {"decimal": "x"}})


# --- hostile files -------------------------------------------------------------------------------


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2**27)
    assert codes(path) == {"E122"}
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(50):
            archive.writestr(f"{i}.xml", "")
    assert {f.code for f in read_blocks(path, limits=Limits(parts=20)).findings} == {"E122"}


def test_an_old_workbook_whose_sectors_run_in_a_circle_is_refused(tmp_path: Path) -> None:
    content = bytearray((FOLDER / "lieferanten_alt.xls").read_bytes())
    (table,) = struct.unpack_from("<I", content, 76)
    at = (table + 1) * 512
    struct.pack_into("<I", content, at, 1)  # sector 0 leads to 1, and 1 to 0
    struct.pack_into("<I", content, at + 4, 0)
    path = tmp_path / "circle.xls"
    path.write_bytes(content)
    (finding,) = read_blocks(path).findings
    assert finding.code == "E113"
    assert "no end" in finding.what


def test_two_cells_in_far_corners_do_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    book = openpyxl.Workbook()
    book.active["A1"] = 1  # type: ignore[index]
    book.active["XFD1048576"] = 2  # type: ignore[index]
    book.save(path)
    assert codes(path) == {"E122"}


def test_other_files_and_odd_paths_give_findings(tmp_path: Path) -> None:
    for name, content in (
        ("a.parquet", b"PAR1xxxx"),
        ("a.pdf", b"%PDF-1.7 ..."),
        ("a.csv", b"\x00\x01\x02\x03" * 100),
        ("empty.csv", b""),
        ("blank.csv", b" \n \n"),
        ("a.xlsx", b"PK\x03\x04 and no more"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and no more"),
    ):
        (tmp_path / name).write_bytes(content)
        read = read_blocks(tmp_path / name)
        assert not read.blocks
        assert all(f.severity == "error" for f in read.findings)
        assert read.findings
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "a\x00b.csv", Path("/dev/null")):
        read = read_blocks(path)
        assert [f.severity for f in read.findings] == ["error"]


def test_hostile_names_are_shown_as_one_printable_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n1;2\n", "evil\n\x1b[31m.csv")
    read = read_blocks(path)
    assert "\x1b" not in read.file
    assert "\n" not in read.file
    assert "\n" not in repr(read) + repr(read.blocks[0])
