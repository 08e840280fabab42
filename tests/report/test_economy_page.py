"""The report of an economy: every number on it is one that a measure gives."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from withstand import measures, stress
from withstand.cli import main
from withstand.errors import UsageError
from withstand.examples import tiny
from withstand.model.economy import build_economy
from withstand.model.settings import Settings
from withstand.readers import write_folder
from withstand.report.economy_page import economy_page, economy_workbook, gather_economy, home_of


def economy(label="DE", home="DE"):
    flows = np.array([[1.0, 2.0, 4.0], [3.0, 1.0, 2.0], [1.0, 1.0, 2.0]])
    nodes = pl.DataFrame({"product": ["steel", "cars", "steel"], "region": [label, label, "FR"]})
    return build_economy(
        flows,
        np.array([[3.0, 1.0], [6.0, 4.0], [2.0, 9.0]]),
        {"nodes": nodes},
        pl.DataFrame({"region": [label, "FR"], "category": ["households"] * 2}),
        Settings(name="two regions", lens="economy", period="year", currency="EUR", home=home),
    )


def test_the_numbers_are_those_of_the_measures():
    net = economy()
    found = gather_economy(net)
    own = measures.value_added_content(net, region="DE").share_of("DE")
    assert found.cards[0].number == f"{100 * own:.1f} %"
    lost = stress.closure(net, region="FR", share=0.1, kind="capacity")
    assert found.losses.frame["region"].to_list() == ["FR"]
    assert found.losses.frame["world"][0] == pytest.approx(
        lost.to_frame()["value_added_loss"].sum()
    )
    assert [anchor for anchor, _, _ in found.panels] == ["inputs", "paths", "exports", "positions"]


def test_without_a_home_the_largest_region_is_looked_at():
    assert home_of(economy(home=None)) == "DE"


def test_hostile_names_do_no_harm():
    hostile = 'A&B" onload="x'
    page = economy_page(gather_economy(economy(hostile, hostile))).decode()
    assert 'B" onload' not in page
    assert "A&amp;B&quot; onload" in page or "A&amp;B&#34; onload" in page


def test_page_and_workbook_are_written_by_the_command(tmp_path, capsys):
    write_folder(economy(), tmp_path / "project")
    targets = f"{tmp_path / 'r.html'},{tmp_path / 'r.xlsx'}"
    assert main(["--json", "--project", str(tmp_path / "project"), "report", "--to", targets]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["home"] == "DE"
    assert (tmp_path / "r.html").read_bytes().startswith(b"<!doctype html>")
    assert (tmp_path / "r.xlsx").read_bytes()[:2] == b"PK"


def test_a_workbook_holds_every_table():
    assert economy_workbook(gather_economy(economy()))[:2] == b"PK"


def test_a_plant_is_no_economy():
    with pytest.raises(UsageError, match="no economy"):
        gather_economy(tiny())
