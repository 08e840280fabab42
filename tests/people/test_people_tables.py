"""Tables of people on disk: the programmes of a plant's occupations, faults, a round trip."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

from withstand import people, read_folder, write_folder
from withstand.errors import DataError
from withstand.examples import example, folder_of
from withstand.model.building import build_network
from withstand.model.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """Return a copy of the robot maker that may be changed."""
    return shutil.copytree(folder_of("robot_maker"), tmp_path / "plant")


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_occupations_of_a_plant_state_their_training() -> None:
    """Weeks, completion and growth of places become programmes that nobody enters yet."""
    network = example("robot_maker")
    found = network.tables["programmes"]
    assert found["occupation"].to_list() == network.tables["occupations"]["occupation"].to_list()
    row = found.filter(pl.col("occupation") == "SK_GRIND").row(0, named=True)
    assert (row["duration"], row["completion"], row["seat_growth"]) == (182.0, 0.703, 0.035)
    assert people.project(network, years=range(2026, 2030)).played.entrants.sum() == 0


def test_a_table_of_programmes_takes_the_place_of_what_occupations_state(plant: Path) -> None:
    rows = "programme,occupation,duration,seats\nAPPRENTICES,SK_GRIND,156,12\n"
    (plant / "programmes.csv").write_text(rows, encoding="utf-8")
    network = read_folder(plant)
    assert network.tables["programmes"]["programme"].to_list() == ["APPRENTICES"]
    found = people.project(network, years=range(2026, 2030))
    assert found.pipeline.steps_per_year == 1
    assert found.played.entrants[:, 0].tolist() == [12] * 4


@pytest.mark.parametrize(
    ("old", "new", "code", "row", "column"),
    [
        (",182,0.06,0.703,", ",0,0.06,0.703,", "E502", 3, "training_weeks"),
        (",182,0.06,0.703,", ",-3,0.06,0.703,", "E107", 3, "training_weeks"),
        (",182,0.06,0.703,", ",3.5 y,0.06,0.703,", "E103", 3, "training_weeks"),
        (",182,0.06,0.703,", ",182,0.06,1.703,", "E107", 3, "training_completion_rate"),
        (",182,0.06,0.703,", ",182,1.06,0.703,", "E107", 3, "annual_separation_rate"),
    ],
)
def test_faults_of_training_point_at_the_cell_of_the_file(
    plant: Path, old: str, new: str, code: str, row: int, column: str
) -> None:
    _replace(plant / "occupations.csv", old, new)
    with pytest.raises(DataError) as caught:
        read_folder(plant)
    found = [f for f in caught.value.findings if f.severity == "error"]
    assert [(f.code, f.file, f.row, f.column) for f in found] == [
        (code, "occupations.csv", row, column)
    ]


def test_an_occupation_without_training_has_no_programme(plant: Path) -> None:
    _replace(plant / "occupations.csv", ",182,0.06,0.703,", ",,0.06,0.703,")
    assert "SK_GRIND" not in read_folder(plant).tables["programmes"]["occupation"].to_list()


def test_tables_of_people_come_back_as_they_were_written(tmp_path: Path) -> None:
    network = example("robot_maker").with_changes(
        {
            "people": pl.DataFrame(
                {
                    "occupation": ["SK_GRIND", "SK_GRIND"],
                    "region": ["HOME", "HOME"],
                    "age_band": ["25-44", "45+"],
                    "people": [20.0, 13.0],
                    "elsewhere": [4.0, 0.0],
                    "return_rate": [0.1, 0.0],
                }
            ),
            "transfers": pl.DataFrame({"from": ["SK_GRIND"], "to": ["SK_CNC"], "share": [0.02]}),
            "intakes": pl.DataFrame(
                {"programme": ["SK_GRIND_TRAINING"], "year": [2026], "people": [9.0]}
            ),
            "placements": pl.DataFrame(
                {
                    "programme": ["SK_GRIND_TRAINING"],
                    "occupation": ["SK_CNC"],
                    "share": [0.5],
                }
            ),
        }
    )
    write_folder(network, tmp_path / "again")
    again = read_folder(tmp_path / "again")
    for name in ("people", "transfers", "intakes", "placements", "programmes"):
        assert again.tables[name].equals(network.tables[name]), name
    years = range(2026, 2034)
    before, after = (people.project(net, years=years) for net in (network, again))
    assert after.to_frame().equals(before.to_frame())
    assert after.played.graduates.sum() == pytest.approx(9 * 0.703)


def test_a_network_with_impossible_people_is_not_built(plant: Path) -> None:
    rows = "occupation,region,people,exit_rate,transfer_rate\nSK_GRIND,HOME,33,0.7,0.6\n"
    (plant / "people.csv").write_text(rows + "SK_WELD,MOON,-1,1.5,0\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_folder(plant)
    found = {(f.code, f.file, f.row) for f in caught.value.findings if f.severity == "error"}
    assert {
        ("E501", "people.csv", 2),
        ("E104", "people.csv", 3),
        ("E107", "people.csv", 3),
    } <= found


def test_an_occupation_that_supplies_pieces_is_pointed_at() -> None:
    """Its people would be counted against pieces, not hours."""
    products = {"product": ["GEAR", "GRINDING"], "kind": ["component", "skill"]}
    tables = {
        "products": pl.DataFrame(products),
        "nodes": pl.DataFrame({"node": ["plant"], "product": ["GEAR"], "region": ["HOME"]}),
        "occupations": pl.DataFrame({"occupation": ["A", "B"], "product": ["GRINDING", "GEAR"]}),
    }
    found = [f for f in build_network(tables, Settings(name="x", home="HOME")).findings
             if f.code == "W505"]  # fmt: skip
    assert [(f.column, f.value) for f in found] == [("product", "GEAR")]
    assert "kind component" in found[0].what
