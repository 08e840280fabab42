"""The verb plant-line: the numbers of the library, exit codes, files, and hostile tables."""

from __future__ import annotations

import json
import re

import pytest

from pages_read import Parsed
from withstand import plants
from withstand.cli import main
from withstand.workbench import line_targets, read_line, work_out_line

LINE = """machine,failure,repair,cycle_seconds,buffer_after,quality
hob,.01,.1,36,10,1
grind,.02,.1,36,10,.95
wash,.01,.1,36,,1
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "gears.csv"
    path.write_text(LINE, encoding="utf-8")
    return path


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_document_has_the_numbers_of_the_library(call, file):
    code, out, err = call("plant-line", file, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    made = plants.line(
        [0.1] * 3, [0.01, 0.02, 0.01], [10, 10], cycle_seconds=36.0, quality=0.95,
        machines=["hob", "grind", "wash"],
    )  # fmt: skip
    assert document["method"] == "exact"
    assert document["throughput"] == pytest.approx(made.throughput, abs=1e-12)
    assert document["per_hour"] == pytest.approx(100 * 0.95 * made.throughput)
    assert document["oee"] == pytest.approx(0.95 * made.throughput)
    assert document["bottleneck"] == "grind"
    assert [m["machine"] for m in document["machines"]] == ["hob", "grind", "wash"]
    gains = [h["gain"] for h in document["helps"]]
    assert (
        gains == sorted(gains, reverse=True) == pytest.approx(made.what_helps()["gain"].to_list())
    )


def test_a_simulation_says_its_interval_and_keeps_to_its_seed(call, file):
    words = ("plant-line", file, "--simulate", "--cycles", 50_000, "--json", "--seed", 3)
    first, second = (json.loads(call(*words)[1]) for _ in range(2))
    assert first["throughput"] == second["throughput"]
    exact = json.loads(call("plant-line", file, "--json")[1])["throughput"]
    assert 0 < first["half_width"] < 0.05
    assert abs(first["throughput"] - exact) < 3 * first["half_width"]
    assert "95 %" in first["how"]
    other = json.loads(call(*words[:-1], 4)[1])
    assert other["throughput"] != first["throughput"]


def test_the_screen_says_what_holds_the_line_back(call, file):
    code, out, _ = call("plant-line", file)
    assert code == 0
    for said in ("grind holds it back", "OEE", "starved", "blocked", "one more place", "Exact"):
        assert said in out


def test_machines_of_different_cycles_are_simulated_and_this_is_said(call, file):
    file.write_text(LINE.replace("grind,.02,.1,36", "grind,.02,.1,45"), encoding="utf-8")
    document = json.loads(call("plant-line", file, "--json")[1])
    assert document["method"] == "simulation"
    assert document["how"].startswith("Cycles differ")
    code, _, err = call("plant-line", file, "--method", "exact")
    assert code == 2
    assert "one cycle" in err


def test_reports_are_written_and_hold_the_numbers(call, file, tmp_path):
    html, xlsx = tmp_path / "line.html", tmp_path / "line.xlsx"
    code, out, _ = call("plant-line", file, "--out", html, "--out", xlsx)
    assert code == 0
    assert "Wrote" in out
    page = html.read_text(encoding="utf-8")
    assert page.count("data-chart=") == 2
    named = [a["id"] for _, a in Parsed(page).elements if a.get("id")]
    assert len(named) == len(set(named))  # else a chart is drawn over its section
    assert "grind holds it back" in page
    assert xlsx.read_bytes().startswith(b"PK")
    assert re.search(r'src="|href="http', page.split("<script>")[0]) is None


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--fail-on", "per_hour<99"], 5, "Threshold broken"),
        (["--fail-on", "oee<10%"], 0, ""),
        (["--fail-on", "speed<1"], 2, "not measured"),
        (["--out", "line.docx"], 2, ".html or .xlsx"),
        (["--simulate", "--method", "exact"], 2, "do not go together"),
        (["--cycles", "5000"], 2, "--simulate"),
        (["--method", "magic"], 2, "method must be"),
    ],
)
def test_exit_codes(call, file, words, code, said):
    found, out, err = call("plant-line", file, *words)
    assert found == code
    assert said in out + err


def test_faults_exit_with_three_and_name_every_cell(call, file):
    file.write_text(LINE.replace(".02,.1", "2,.1").replace("wash", "<b>wash</b>"), encoding="utf-8")
    code, _, err = call("plant-line", file)
    assert code == 3
    assert "row 3, column failure" in err
    assert "row 4, column machine" in err
    code, out, _ = call("plant-line", file, "--json")
    document = json.loads(out)
    assert (code, document["status"]) == (3, "error")
    assert {f["code"] for f in document["findings"]} == {"E107", "E121"}


def test_the_template_is_a_table_that_works(call, tmp_path):
    target = tmp_path / "line.csv"
    assert call("plant-line", "--template", target)[0] == 0
    assert call("plant-line", "--template", target)[0] == 2  # it is there already
    assert call("plant-line", "--template", target, "--force")[0] == 0
    assert call("plant-line", "--template", tmp_path / "line.xlsx")[0] == 2
    assert call("plant-line", target)[0] == 0
    assert call("plant-line")[0] == 2


def test_hostile_names_do_nothing_in_a_report(file):
    """The reader refuses markup; what slipped through would be shown as text."""
    from dataclasses import replace

    from withstand.report.plant_page import line_page, line_workbook

    evil = "</script><img src=x onerror=alert(1)> %{x} <a href='https://evil.example'>"
    table = replace(read_line(file), machines=(evil, "=1+1", "@wash"))
    contents = work_out_line(table, name=evil)
    page = Parsed(line_page(contents).decode("utf-8"))
    tags = {tag for tag, _ in page.elements}
    assert "img" not in tags
    assert not [a for _, a in page.elements if "evil" in (a.get("href") or "")]
    assert line_workbook(contents).startswith(b"PK")
    assert line_targets([]) == []
