"""The command line gives the numbers of the library, exit codes, and one JSON document."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from withstand import measures, stress
from withstand.cli import main
from withstand.examples import example, folder_of
from withstand.model.scenario import Scenario

ROBOTS = ["--project", "example:robot_maker"]


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def broken(tmp_path):
    """Return a copy of the robot maker with one price that is no number."""
    folder = tmp_path / "plant"
    shutil.copytree(folder_of("robot_maker"), folder)
    file = folder / "suppliers.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(",20000.0,", ",cheap,", 1), "utf-8")
    return folder


def test_measure_gives_the_numbers_of_the_library(call):
    code, out, _ = call("measure", "--json", *ROBOTS)
    document = json.loads(out)
    assert code == 0
    assert document["exposure"]["home_share"] == measures.exposure(example()).home_share
    worst = measures.coverage_by_region(example()).row(0, named=True)
    assert document["coverage"][0] == worst


def test_measure_without_regions_gives_the_coverage_of_the_library(call):
    _, out, _ = call(
        "measure",
        "--without",
        "CN, JP",
        "--assume-recipe",
        "shared",
        "--what",
        "coverage",
        "--json",
        *ROBOTS,
    )
    expected = measures.coverage(example(), ["CN", "JP"], "shared").feasible_output
    assert json.loads(out)["coverage"]["feasible_output"] == expected


def test_stress_gives_the_numbers_of_the_library(call):
    _, out, _ = call(
        "stress", "--lose", "region:JP", "--share", "50%", "--for", "40w", "--json", *ROBOTS
    )
    run = stress.simulate(example(), Scenario.lose(region="JP", share=0.5, duration="40w"))
    (document,) = json.loads(out)["runs"]
    assert document["loss"] == run.loss
    assert document["time_to_survive"] == run.time_to_survive


@pytest.mark.parametrize(
    "words",
    [
        ["check", *ROBOTS],
        ["measure", *ROBOTS],
        ["stress", "--lose", "region:JP", *ROBOTS],
        ["stress", "--all", "regions", "--for", "8w", *ROBOTS],
        ["template", "--out", "t.xlsx"],
        ["new", "plant", "p", "--example", "robot_maker"],
        ["new", "firms", "f"],
        ["report", "--to", "r.html,r.xlsx", *ROBOTS],
        ["demo", "--out", "d"],
    ],
)
def test_every_command_prints_one_json_document(call, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*words, "--json")
    assert code == 0, err
    assert json.loads(out)["status"] == "ok"
    assert err == ""


@pytest.mark.parametrize("words", [["check"], ["measure"], ["stress", "--lose", "region:JP"]])
def test_faults_in_the_data_end_with_3_and_name_the_place(call, broken, words):
    code, _, err = call(*words, "--project", broken)
    assert code == 3
    assert "suppliers.csv row 2, column price_usd" in " ".join(err.split())
    assert "Traceback" not in err


def test_faults_are_the_json_document_where_json_is_asked_for(call, broken):
    code, out, err = call("measure", "--json", "--project", broken)
    finding = json.loads(out)["findings"][0]
    assert (code, err) == (3, "")
    assert (finding["code"], finding["row"], finding["value"]) == ("E103", 2, "cheap")


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["measure", "--what", "nothing", *ROBOTS],
        ["measure", "--without", "XX", *ROBOTS],
        ["measure", "--top", "0", *ROBOTS],
        ["measure", "--fail-on", "home_share=3", *ROBOTS],
        ["measure", "--fail-on", "charm<3", *ROBOTS],
        ["stress", *ROBOTS],
        ["stress", "--lose", "JP", *ROBOTS],
        ["stress", "--lose", "planet:JP", *ROBOTS],
        ["stress", "--lose", "region:JP", "--share", "150%", *ROBOTS],
        ["stress", "--lose", "region:JP", "--for", "soon", *ROBOTS],
        ["new", "spaceship"],
        ["report", "--to", "r.docx", *ROBOTS],
        ["check", "--project", "example:nothing"],
        ["demo", "--example", "nothing"],
    ],
)
def test_wrong_use_ends_with_2_and_says_why(call, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*words)
    assert code == 2
    assert "Error" in err
    assert "Traceback" not in err + out
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_region_on_the_command_line_is_suggested(call):
    code, _, err = call("stress", "--lose", "region:JPP", *ROBOTS)
    assert code == 3
    assert "Did you mean JP?" in err


def test_a_broken_threshold_ends_with_5(call):
    assert call("measure", "--fail-on", "home_share<50%", *ROBOTS)[0] == 5
    assert call("measure", "--fail-on", "home_share<0.3", *ROBOTS)[0] == 0
    assert call("stress", "--lose", "region:JP", "--fail-on", "periods_lost>1", *ROBOTS)[0] == 5


def test_a_project_is_made_checked_and_not_overwritten(call, tmp_path):
    folder = tmp_path / "mine"
    assert call("new", "plant", folder, "--example", "robot_maker")[0] == 0
    assert call("check", "--project", folder)[0] == 0
    assert call("new", "plant", folder)[0] == 2


def test_a_run_is_kept_when_asked(call, tmp_path):
    folder = tmp_path / "mine"
    call("new", "plant", folder, "--example", "robot_maker")
    assert call("stress", "--lose", "region:JP", "--save", "--project", folder)[0] == 0
    (run,) = (folder / "runs").iterdir()
    assert {p.name for p in run.iterdir()} == {"manifest.json", "timeline.parquet", "nodes.parquet"}


def test_scenario_files_are_played(call, tmp_path):
    file = tmp_path / "japan.toml"
    file.write_text('name = "Japan"\n[[shock]]\nregion = "JP"\nduration = "26w"\n', "utf-8")
    code, out, _ = call("stress", file, "--json", *ROBOTS)
    assert code == 0
    assert json.loads(out)["runs"][0]["scenario"] == "Japan"


def test_the_console_script_runs_in_a_fresh_process(tmp_path):
    script = Path(sys.executable).with_name("withstand")
    if not script.exists():
        pytest.skip("the console script is not installed beside this Python")
    done = subprocess.run(
        [script, "check", *ROBOTS], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0
    assert "no findings" in done.stdout or "note" in done.stdout


def test_slack_by_kind_is_read_from_the_command_line(call):
    _, out, _ = call(
        "measure",
        "--without",
        "CN",
        "--slack",
        "component=1.05,material=1.5",
        "--what",
        "coverage",
        "--json",
        *ROBOTS,
    )
    expected = measures.coverage(example(), ["CN"], slack={"component": 1.05, "material": 1.5})
    assert json.loads(out)["coverage"]["feasible_output"] == expected.feasible_output


def test_a_filled_template_is_not_overwritten(call, tmp_path):
    file = tmp_path / "tables.xlsx"
    assert call("template", "--out", file)[0] == 0
    before = file.read_bytes()
    assert call("template", "--out", file)[0] == 2
    assert file.read_bytes() == before
    assert call("template", "--out", file, "--force")[0] == 0


def test_the_template_is_a_network_that_has_no_errors(call, tmp_path):
    file = tmp_path / "tables.xlsx"
    call("template", "--out", file)
    assert call("check", file)[0] == 0


def test_thresholds_of_the_project_are_judged(call, tmp_path):
    folder = tmp_path / "mine"
    call("new", "plant", folder, "--example", "robot_maker")
    with (folder / "withstand.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n[thresholds]\nhome_share = 0.5\n")
    assert call("measure", "--project", folder)[0] == 5
    assert call("measure", "--what", "coverage", "--project", folder)[0] == 0


def test_a_network_without_prices_is_measured_all_the_same(call, tmp_path):
    folder = tmp_path / "mine"
    call("new", "plant", folder)
    nodes = folder / "tables" / "nodes.csv"
    header, *rows = nodes.read_text(encoding="utf-8").splitlines()
    at = header.split(",").index("price")
    cells = [r.split(",") for r in rows]
    for row in cells:
        row[at] = ""
    nodes.write_text("\n".join([header, *(",".join(r) for r in cells)]) + "\n", "utf-8")
    code, out, _ = call("measure", "--json", "--project", folder)
    assert code == 0
    assert "no final demand with a price" in json.loads(out)["exposure"]["summary"]


def test_the_version_is_said(call):
    code, out, _ = call("--version")
    assert (code, out.split()[0]) == (0, "withstand")


def test_a_report_of_a_network_without_prices_is_written(call, tmp_path):
    folder = tmp_path / "mine"
    call("new", "plant", folder)
    nodes = folder / "tables" / "nodes.csv"
    text = nodes.read_text(encoding="utf-8").replace(",35.0", ",").replace(",6.0", ",")
    nodes.write_text(text, encoding="utf-8")
    target = tmp_path / "r.html"
    code, _, err = call("report", "--project", folder, "--to", f"{target},{tmp_path / 'r.xlsx'}")
    assert code == 0, err
    assert b"</html>" in target.read_bytes()
