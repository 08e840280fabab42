"""Tables of hazards from files: the same whatever the format, every fault with its cell."""

from __future__ import annotations

import polars as pl
import pytest

from withstand.errors import ScenarioError
from withstand.examples import example
from withstand.model.hazards import Hazard
from withstand.readers.hazards import read_hazards

ROWS = {
    "Label": ["quake", "fire"],
    "region": ["JP", None],
    "node": [None, "RV@DE2"],
    "probability": [0.05, 0.2],
    "share": [0.8, 1.0],
    "duration": ["12w", "3"],
    "duration_spread": [0.5, None],
    "recovery": ["1 month", None],
    "curve": ["s-shaped", None],
}


@pytest.fixture(scope="module")
def robots():
    return example()


@pytest.fixture(scope="module")
def rows(robots):
    """Rows whose node is one of the robot maker's."""
    label = next(str(x) for x in robots.node_labels if str(x).startswith("RV@"))
    return {**ROWS, "node": [None, label]}


def _write(rows, file, **more):
    frame = pl.DataFrame(rows)
    if file.suffix == ".csv":
        frame.write_csv(file)
    elif file.suffix == ".parquet":
        frame.write_parquet(file)
    else:
        frame.write_excel(file, **more)
    return file


@pytest.mark.parametrize("name", ["h.csv", "h.parquet", "h.xlsx"])
def test_hazards_are_read_from_every_format(tmp_path, robots, rows, name):
    hazards, notes = read_hazards(_write(rows, tmp_path / name), robots)
    assert notes == ()
    quake, fire = hazards
    assert quake == Hazard(
        targets={"region": "JP"},
        probability=0.05,
        share=0.8,
        distribution="lognormal",
        duration=12.0,
        spread=0.5,
        recovery=pytest.approx(52 / 12),
        curve="s-shaped",
        label="quake",
    )
    assert (fire.distribution, fire.duration, fire.recovery) == ("fixed", 3.0, 0.0)


def test_a_fault_in_a_workbook_names_its_cell(tmp_path, robots, rows):
    wrong = {**rows, "region": ["JPP", None], "share": [0.8, 2.0]}
    file = _write(wrong, tmp_path / "h.xlsx", worksheet="hazards")
    with pytest.raises(ScenarioError) as caught:
        read_hazards(file, robots)
    assert [(f.code, f.sheet, f.cell) for f in caught.value.findings] == [
        ("E107", "hazards", "E3"),
        ("E301", "hazards", "B2"),
    ]


def test_columns_that_are_not_known_are_noted(tmp_path, robots, rows):
    file = _write({**rows, "colour": ["red", "blue"]}, tmp_path / "h.csv")
    _, (note,) = read_hazards(file, robots)
    assert note.code == "N101"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.csv", None, "E116"),
        ("h.csv", b"", "E111"),
        ("h.csv", b"region,probability,share\n", "E112"),
        ("h.doc", b"text", "E113"),
        ("h.csv", b"PK\x03\x04 and more", "E113"),
        ("h.csv", b"region,probability,share\nJP,0.1,1,7\n", "E117"),
    ],
)
def test_files_that_are_no_table_are_findings(tmp_path, robots, name, content, code):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        read_hazards(tmp_path / name, robots)
    assert [f.code for f in caught.value.findings] == [code]


def test_a_workbook_of_several_sheets_needs_one_called_hazards(tmp_path, robots, rows):
    import xlsxwriter

    for name, is_fine in (("Hazards", True), ("risks", False)):
        file = tmp_path / f"{name}.xlsx"
        with xlsxwriter.Workbook(file) as book:
            pl.DataFrame(rows).write_excel(book, worksheet="notes")
            pl.DataFrame(rows).write_excel(book, worksheet=name)
        if is_fine:
            assert len(read_hazards(file, robots)[0]) == 2
        else:
            with pytest.raises(ScenarioError, match="notes, risks"):
                read_hazards(file, robots)
