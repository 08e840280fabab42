"""The workbook: every table, live types, no formula."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from withstand.report.contents import Contents
from withstand.report.workbook import all_tables, workbook

NETWORKS = ("robots", "tiny", "firms", "without_prices", "without_runs", "hostile")


def opened(contents: Contents) -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(contents)))


@pytest.mark.parametrize("name", NETWORKS)
def test_it_opens_and_has_a_sheet_for_every_table(
    request: pytest.FixtureRequest, name: str
) -> None:
    contents = request.getfixturevalue(name)
    book = opened(contents)
    assert book.sheetnames == ["Read me", *(t.name for t in all_tables(contents))]
    for table in all_tables(contents):
        sheet = book[table.name]
        assert sheet.max_row == table.frame.height + 1
        assert [c.value for c in sheet[1]] == [c.title.replace("\0", "?") for c in table.columns]


def test_numbers_are_numbers_and_shares_look_like_percentages(robots: Contents) -> None:
    sheet = opened(robots)["Value by region"]
    header = [c.value for c in sheet[1]]
    share = sheet[2][header.index("Share of value (%)")]
    assert share.value == pytest.approx(robots.exposure.shares["share"][0])
    assert share.data_type == "n"
    assert share.number_format == "0.0%"


def test_the_read_me_says_what_was_found_and_from_what(robots: Contents) -> None:
    sheet = opened(robots)["Read me"]
    text = "\n".join(str(v) for row in sheet.iter_rows(values_only=True) for v in row if v)
    assert robots.whole.provenance.fingerprint in text
    assert f"{robots.exposure.home_share:.1%}".replace("%", " %") in text
    assert robots.made_at in text
    for name in ("withstand", "numpy", "polars"):
        assert f"Version of {name}" in text


def test_text_stays_text_whatever_it_begins_with(hostile: Contents) -> None:
    book = opened(hostile)
    sources = book["Sources"]
    assert [c.value for c in sources[2]] == ["=1+1", "@SUM(A1)", "javascript:alert(1)"]
    for sheet in book:
        for row in sheet.iter_rows():
            assert {c.data_type for c in row} <= {"s", "n", "b", "inlineStr"}
            assert not [c for c in row if c.hyperlink]


def test_the_same_contents_give_the_same_bytes(tiny: Contents) -> None:
    assert workbook(tiny) == workbook(tiny)
