"""Codes of standards: published examples pass, slips are found, lists agree with their sources."""

from __future__ import annotations

import string
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import withstand as ws
from withstand.model.codes import KINDS, check_codes
from withstand.model.codes.check_digits import gs1_digit, is_gs1, is_lei, lei_digits
from withstand.model.codes.code_lists import (
    countries,
    former_countries,
    headings,
    industries,
    occupations,
    sections,
)

RIGHT = {
    "gtin": ["6291041500213", "036000241457", "96385074", "10614141000415"],  # GS1's own examples
    "gln": ["6291041500213"],
    "sscc": ["106141412345678908"],
    "lei": ["506700GE1G29325QX363", "213800KUD8LAJWSQ9D15"],
    "iso3166": ["DE", "DEU", "276", "gbr"],
    "hs": ["84", "8483", "848340", "8483.40.90", "98010000"],
    "isic": ["C", "29", "2910", "C29", "C2910"],
    "nace": ["A", "01", "C25.1", "25.11", "C2511", "NACE_C25"],
    "cpa": ["26.11.30", "CPA_26.11", "26"],
    "isco": ["0", "25", "251", "2512", "OC251"],
    "bpnl": ["BPNL00000003AYRE"],
    "bpns": ["BPNS1234567890ZZ"],
    "bpna": ["BPNA1234567890ZZ"],
}


@pytest.mark.parametrize("kind", RIGHT)
def test_right_codes_pass(kind: str) -> None:
    assert check_codes([*RIGHT[kind], None, ""], kind) == []


@pytest.mark.parametrize(
    ("kind", "value", "code", "suggestion"),
    [
        ("gtin", "6921041500213", "W741", "6291041500213"),
        ("gtin", "36000241457", "W744", "036000241457"),
        ("gtin-13", "036000241457", "W744", "0036000241457"),
        ("sscc", "1061414123456789", "W742", None),
        ("gln", "629104150021X", "W742", None),
        ("lei", "506700GE1G29325QX336", "W741", "506700GE1G29325QX363"),
        ("lei", "506700GE", "W742", None),
        ("iso3166", "ED", "W743", "DE"),
        ("iso3166", "SUN", "N741", None),
        ("iso3166", "ZAR", "N741", "COD"),
        ("iso3166-alpha2", "DEU", "W742", "DE"),
        ("iso3166", "4", "W744", "004"),
        ("hs", "10121", "W744", "010121"),
        ("hs", "7701", "W743", None),
        ("hs", "84-83", "W742", None),
        ("nace", "B10", "W743", "C10"),
        ("nace", "1.1", "W744", "01.1"),
        ("nace", "25.111", "W742", None),
        ("isic", "40", "W743", None),
        ("isco", "275", "W743", None),
        ("bpnl", "bpnl00000003AYRE", "W742", "BPNL00000003AYRE"),
        ("bpnl", "BPNS00000003AYRE", "W742", None),
    ],
)
def test_wrong_codes_are_named_with_what_is_near(
    kind: str, value: str, code: str, suggestion: str | None
) -> None:
    (found,) = check_codes(pl.DataFrame({"x": [None, value, value]}), kind)
    assert (found.code, found.value, found.suggestion) == (code, value, suggestion)
    assert (found.row, found.column, found.count) == (3, "x", 2)


@settings(max_examples=100, deadline=None)
@given(st.text("0123456789", min_size=7, max_size=17), st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(body: str, place: int, by: int) -> None:
    code = body + gs1_digit(body)
    assert is_gs1(code)
    k = place % len(code)
    wrong = code[:k] + str((int(code[k]) + by) % 10) + code[k + 1 :]
    assert not is_gs1(wrong)


@settings(max_examples=100, deadline=None)
@given(st.text(string.digits + string.ascii_uppercase, min_size=18, max_size=18))
def test_lei_digits_leave_one(body: str) -> None:
    code = body + lei_digits(body)
    assert is_lei(code)
    assert not is_lei(code[:-1] + str((int(code[-1]) + 1) % 10))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.text(max_size=25))
def test_any_text_gives_at_most_one_finding(kind: str, text: str) -> None:
    assert len(check_codes([text], kind)) <= 1


def test_lists_are_whole() -> None:
    assert len(sections()) == 88
    assert len(set(sections().values())) == 21
    assert [sum(len(x) == n for x in occupations()) for n in (1, 2, 3)] == [10, 43, 130]
    assert [sum(len(x) == n for x in headings()) for n in (2, 4)] == [96, 1228]
    assert all(x in countries() for r in former_countries().values() for x in r["now"].split(";"))


def test_lists_agree_with_their_sources(data_dir: Path) -> None:
    isic = pl.read_parquet(data_dir / "concordances/isic4_desc.parquet")["code"].to_list()
    assert set(industries()) == {x for x in isic if len(x) <= 2}
    assert check_codes(isic, "isic") == []
    hs = pl.read_parquet(data_dir / "hs_codes/hs2022_names_hierarchy.parquet")
    assert check_codes(hs["hscode"].replace("TOTAL", None), "hs") == []
    assert {x for x in hs["hscode"] if len(x) == 4 and x[:2] != "99"} == {
        x for x in headings() if len(x) == 4
    }


def test_columns_of_a_network_are_checked() -> None:
    nodes = pl.DataFrame(
        {"id": ["a", "b", "c"], "sector": ["x", "y", "z"],
         "company": ["6291041500213", "6921041500213", "Smith"]}
    )  # fmt: skip
    links = pl.DataFrame({"supplier": ["a", "b"], "buyer": ["b", "c"], "value": [1.0, 1.0]})
    network = ws.network_from_links(nodes, links)
    assert {f.value for f in network.findings if f.code in ("W741", "W742")} == {
        "6921041500213", "Smith"}  # fmt: skip
    products = network.tables["products"].with_columns(
        hs=pl.Series(["10121", "8483;8482", "SOC 1-2"])
    )
    found = network.with_changes({"products": products}).findings
    assert [(f.value, f.suggestion) for f in found if f.code == "W744"] == [("10121", "010121")]


def test_wrong_use_is_said() -> None:
    with pytest.raises(ws.UsageError, match="Did you mean gtin"):
        check_codes([], "gtinn")
    with pytest.raises(ws.UsageError, match="no column 'b'"):
        check_codes(pl.DataFrame({"a": [1], "c": [2]}), "hs", column="b")
    with pytest.raises(ws.UsageError, match="no column"):
        check_codes("848340", "hs")
