"""Plant shorthand with a fault: each is named with its place and its mend, and nothing crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from breaking import (
    Fault,
    added,
    all_of,
    cell,
    content,
    contents,
    faults_of,
    header,
    plant_project,
    settings,
)

SUP, REC, ITM, OCC, TOML = (
    "suppliers.csv",
    "recipes.csv",
    "items.csv",
    "occupations.csv",
    "withstand.toml",
)
LONG = "x" * 10_000_000


def _utf16(*, mark: bool):
    return lambda old: old.decode().encode("utf-16" if mark else "utf-16-le")


FAULTS = [
    Fault("missing column", header(SUP, "share", "part"), "E101", SUP, None, "share", "rename"),
    Fault("text for a number", cell(SUP, 9, "share", "half"), "E103", SUP, 9, "share", "number"),
    Fault("decimal comma", cell(SUP, 9, "price_usd", "3,5"), "E105", SUP, 9, "price_usd",
          "Write 1.5", suggests="3.5"),
    Fault("decimal comma after points", cell(SUP, 9, "price_usd", "1.234,5"), "E105", SUP, 9,
          "price_usd", suggests="1234.5"),
    Fault("comma that may mean thousands", cell(SUP, 9, "price_usd", "1,234"), "E105", SUP, 9,
          "price_usd", "1234 for thousands"),
    Fault("percentage", cell(SUP, 9, "share", "50%"), "E103", SUP, 9, "share", "percentage",
          suggests="0.5"),
    Fault("duplicate item", added(ITM, "ROBOT"), "E106", ITM, 129, "id", "rows 2, 129"),
    Fault("duplicate recipe row", added(REC, "ROBOT", "ARM", "1"), "E106", REC, 340, "parent",
          "Merge"),
    Fault("duplicate supplier row", added(SUP, "ROBOT", "ROBOT@HOME", "HOME", "0.5"), "E106", SUP,
          360, "item", "rows 2, 360"),
    Fault("recipe cycle", added(REC, "ARM", "ROBOT", "1"), "E201", REC, None, "child",
          "ROBOT needs ARM needs ROBOT"),
    Fault("item needs itself", added(REC, "ARM", "ARM", "1"), "E201", REC, 340, "child",
          "ARM needs ARM"),
    Fault("shares sum to less than 1", cell(SUP, 2, "share", "0.7"), "E202", SUP, 2, "share",
          "ROBOT sum to 0.7, expected 1 (row 2)"),
    Fault("unknown country", cell(SUP, 9, "country", "Korea, South"), "E104", SUP, 9, "country",
          "Write KR", suggests="KR"),
    Fault("country that is none", cell(SUP, 9, "country", "Atlantis"), "E104", SUP, 9, "country",
          "table of regions"),
    Fault("unknown item of a supplier", cell(SUP, 9, "item", "ROBOTT"), "E104", SUP, 9, "item",
          "item is not listed in items.csv", suggests="ROBOT"),
    Fault("unknown child", cell(REC, 9, "child", "ARMM"), "E104", REC, 9, "child",
          "child is not listed in items.csv", suggests="ARM"),
    Fault("unknown parent", cell(REC, 9, "parent", "NOBODY"), "E104", REC, 9, "parent"),
    Fault("unknown kind", cell(ITM, 9, "kind", "assembley"), "E109", ITM, 9, "kind",
          "expected one of", suggests="assembly"),
    Fault("unknown flow", cell(REC, 9, "flow_type", "man-days"), "E109", REC, 9, "flow_type",
          "machine-hours"),
    Fault("empty label", cell(SUP, 9, "item", ""), "E102", SUP, 9, "item", "Fill the cell"),
    Fault("empty number", cell(REC, 9, "qty_per_unit", " "), "E102", REC, 9, "qty_per_unit"),
    Fault("empty file", content(REC, lambda _: b""), "E111", REC, says="0 bytes"),
    Fault("only blanks", content(REC, lambda _: b"\n \n\n"), "E111", REC, says="blanks"),
    Fault("header only", content(REC, lambda old: old.split(b"\n")[0] + b"\n"), "E112", REC,
          says="Add the rows"),
    Fault("error of a spreadsheet", cell(SUP, 9, "share", "#REF!"), "E110", SUP, 9, "share",
          "formula"),
    Fault("error in a label", cell(SUP, 9, "country", "#N/A"), "E110", SUP, 9, "country"),
    Fault("number too large", cell(SUP, 9, "price_usd", "1e308"), "E108", SUP, 9, "price_usd",
          "beyond 1e15"),
    Fault("number that overflows", cell(SUP, 9, "price_usd", "1e400"), "E108", SUP, 9,
          "price_usd", "not a finite number"),
    Fault("NaN", cell(SUP, 9, "share", "NaN"), "E108", SUP, 9, "share", "may not be left empty"),
    Fault("negative lead time", cell(SUP, 9, "lead_time_weeks", "-3"), "E107", SUP, 9,
          "lead_time_weeks", "at least 0"),
    Fault("share above 1", cell(SUP, 9, "share", "80"), "E107", SUP, 9, "share",
          "between 0 and 1"),
    Fault("script for a label", cell(SUP, 9, "supplier", "<script>alert(1)</script>"), "E121",
          SUP, 9, "supplier", "markup"),
    Fault("formula for a label", cell(SUP, 9, "supplier", "=cmd()"), "E121", SUP, 9, "supplier",
          "formula"),
    Fault("script for a name", cell(ITM, 9, "name", "<script>alert(1)</script>"), "E121", ITM, 9,
          "name", "markup"),
    Fault("formula for a name", cell(ITM, 9, "name", "=cmd()"), "E121", ITM, 9, "name"),
    Fault("invisible letters", cell(SUP, 9, "supplier", "A\u200bB"), "E121", SUP, 9, "supplier",
          "invisible"),
    Fault("line break in a label", cell(SUP, 9, "supplier", "A\nB"), "E121", SUP, 9, "supplier"),
    Fault("binary file", content(SUP, lambda _: bytes(range(256)) * 40), "E113", SUP,
          says="Export"),
    Fault("workbook called csv", content(SUP, lambda _: b"PK\x03\x04" + b"\0" * 99), "E113", SUP,
          says="workbook"),
    Fault("UTF-16 with a mark", content(SUP, _utf16(mark=True)), "E114", SUP, says="UTF-16"),
    Fault("UTF-16 without a mark", content(SUP, _utf16(mark=False)), "E114", SUP, says="UTF-16"),
    Fault("latin-1", content(ITM, lambda old: old.replace(b"Mechanical arm", b"Caf\xe9")), "E114",
          ITM, 3, says="line 3 is not UTF-8"),
    Fault("latin-1 far down", content(SUP, lambda old: old + b"\xe9"), "E114", SUP, 360,
          says="line 360"),
    Fault("cell of 10 MB", cell(ITM, 9, "name", LONG), "E115", ITM, 9, "name", "32,767"),
    Fault("label of 10 MB", cell(SUP, 9, "supplier", LONG), "E115", SUP, 9, "supplier", "200"),
    Fault("ragged row", content(REC, lambda old: old + b"A,B,1,x,consumed,6,7\n"), "E117", REC,
          340, says="7 cells, the header 5"),
    Fault("quotation mark left open", content(REC, lambda old: old + b'"A,B,1\n'), "E117", REC,
          340, says="Close the quotation mark"),
    Fault("column twice", header(REC, "basis", "child"), "E120", REC, None, "child", "2 times"),
    Fault("price in two currencies", header(SUP, "price_basis", "price_eur"), "E120", SUP,
          says="all give price"),
    Fault("other currency", header(SUP, "price_usd", "price_eur"), "E205", SUP, None,
          "price_eur", "USD"),
    Fault("title above the header", content(REC, lambda old: b"Our recipes\n" + old), "E113", REC,
          1, says="lines above the header"),
    Fault("unknown setting", settings("lens =", "lenss ="), "E118", TOML, None, "lenss",
          "unknown setting", suggests="lens"),
    Fault("unknown lens", settings('"plant"', '"plants"'), "E118", TOML, None, "lens",
          suggests="plant"),
    Fault("broken TOML", settings("format = 1", "format = "), "E118", TOML, says="line 2"),
    Fault("TOML nested too deep", settings("format = 1", "a = " + "[" * 9999), "E118", TOML),
    Fault("TOML in latin-1", content(TOML, lambda old: old.replace(b"Robot", b"R\xf6bot")),
          "E114", TOML, says="0xf6"),
    Fault("wrong home", settings('"HOME"', '"HOMER"'), "E207", TOML, None, "home",
          suggests="HOME"),
    Fault("wrong viewpoint", settings('viewpoint = "ROBOT"', 'viewpoint = "ROBT"'), "E207", TOML,
          None, "viewpoint", suggests="ROBOT"),
    Fault("demand for an unknown product", settings("ROBOT = 10000", "ROBOTS = 10000"), "E207",
          TOML, None, "final_demand.ROBOTS", suggests="ROBOT"),
    Fault("negative demand", settings("ROBOT = 10000", "ROBOT = -1"), "E118", TOML, None,
          "final_demand.ROBOT", "negative"),
    Fault("unknown skill", cell(OCC, 3, "id", "SK_NO"), "E104", OCC, 3, "id"),
    Fault("no suppliers", lambda folder: (folder / SUP).unlink(), "E119", says="suppliers"),
    Fault("no items", lambda folder: (folder / ITM).unlink(), "E119", says="items"),
    Fault("folder called csv", lambda folder: ((folder / REC).unlink(), (folder / REC).mkdir()),
          "E116", REC, says="folder"),
]  # fmt: skip


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return plant_project(tmp_path / "plant")


def test_the_plant_has_no_fault_before_it_is_broken(plant: Path) -> None:
    assert faults_of(plant) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_named_with_its_place_and_its_mend(plant: Path, fault: Fault) -> None:
    fault.breaks(plant)
    before = contents(plant)
    found = faults_of(plant)
    assert any(fault.is_told_by(f) for f in found), "\n".join(str(f) for f in found)
    assert all(f.what and f.why and f.fix for f in found)
    assert contents(plant) == before, "reading a broken project wrote something"
    assert len(found) <= 3, "one fault brings many findings:\n" + "\n".join(map(str, found))


def test_five_faults_are_told_at_once(plant: Path) -> None:
    chosen = [
        cell(SUP, 2, "share", "0.7"),
        cell(ITM, 9, "name", "=cmd()"),
        cell(REC, 9, "child", "ARMM"),
        settings('"plant"', '"plants"'),
        added(REC, "ARM", "ROBOT", "1"),
        cell(SUP, 20, "country", "Korea, South"),
        cell(OCC, 3, "fte_initial", "1,5"),
    ]
    all_of(*chosen)(plant)
    codes = {f.code for f in faults_of(plant)}
    assert codes == {"E202", "E121", "E104", "E118", "E201", "E105"}


PAIRS = [
    (one, other)
    for one, other in zip(FAULTS[:46:2], FAULTS[1:46:2], strict=True)
    if one.file != other.file  # else they may touch the same rows
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} and {pair[1]}")
def test_two_faults_in_different_files_do_not_hide_each_other(
    plant: Path, pair: tuple[Fault, Fault]
) -> None:
    for fault in pair:
        fault.breaks(plant)
    found = faults_of(plant)
    for fault in pair:
        assert any(fault.is_told_by(f) for f in found), fault.name
