"""The verb stress: sets, engines, hazards and kept runs give the numbers of the library."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from withstand import stress
from withstand.cli import main
from withstand.examples import example
from withstand.model.scenario import Scenario
from withstand.model.scenario_sets import draw_years, every
from withstand.readers.hazards import read_hazards

ROBOTS = ["--project", "example:robot_maker"]
HAZARDS = """label,region,probability,share,distribution,duration,duration_spread,recovery
quake,JP,0.3,0.8,lognormal,12w,0.5,20w
flood,CN,0.4,0.5,fixed,12w,,4w
"""


@pytest.fixture(scope="module")
def robots():
    return example()


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def asked(call):
    """Run `withstand stress ... --json` on the robot maker and return the document."""

    def run(*words):
        code, out, err = call("stress", *words, "--json", *ROBOTS)
        assert (code, err) == (0, "")
        return json.loads(out)

    return run


@pytest.fixture
def hazards(tmp_path):
    file = tmp_path / "hazards.csv"
    file.write_text(HAZARDS, encoding="utf-8")
    return file


def test_all_nodes_in_a_cascade_are_ranked_by_systemic_risk_with_their_size(asked, robots):
    document = asked("--all", "nodes", "--engine", "cascade", "--bounds", "--top", 5)
    risk = stress.esri(robots, bounds=True)
    expected = risk.top(5)
    rows = document["nodes"]
    assert [r["node"] for r in rows] == expected["node"].to_list()
    assert [r["esri"] for r in rows] == expected["esri"].to_list()
    assert [r["high"] for r in rows] == expected["high"].to_list()
    assert [r["rank"] for r in rows] == [1, 2, 3, 4, 5]
    # size: output by value, as a share of all of it; counted here by hand
    price = robots.price
    worth = robots.output * [
        p if p == p else robots.product_price[q]
        for p, q in zip(price, robots.node_product, strict=True)
    ]
    share = worth[robots.index("nodes")[rows[0]["node"]]] / worth[worth == worth].sum()
    assert rows[0]["size"] == pytest.approx(share, rel=1e-9)
    assert rows[0]["rank_by_size"] == 1 + sum(worth > worth.max() * (1 + 1e-12))
    assert rows[0]["times_size"] == pytest.approx(rows[0]["esri"] / share, rel=1e-9)


@pytest.mark.parametrize("what", ["regions", "products", "region_pairs"])
def test_all_of_a_kind_in_a_cascade_are_those_of_the_library(asked, robots, what):
    document = asked("--all", what, "--engine", "cascade", "--share", "50%", "--top", 4)
    expected = stress.ensemble(robots, every(robots, what, share=0.5), engine="cascade")
    assert document["scenarios"] == expected.outcomes.height
    shown = [r["share_lost"] for r in document["outcomes"]]
    assert shown == expected.worst(4)["share_lost"].to_list()
    assert "for 26w" not in document["outcomes"][0]["scenario"]


def test_all_regions_simulated_are_those_of_the_library_and_the_worst_is_whole(asked, robots):
    document = asked("--all", "regions", "--for", "8w", "--top", 3)
    expected = stress.ensemble(robots, every(robots, "regions", duration="8w"))
    worst = expected.worst(3)
    assert [r["periods_lost"] for r in document["outcomes"]] == worst["periods_lost"].to_list()
    (run,) = document["runs"]
    assert run["scenario"] == worst["scenario"][0]
    assert run["periods_lost"] == worst["periods_lost"][0]
    unchanged = expected.outcomes["finding"].eq("W301").sum()
    assert [(f["code"], f["count"]) for f in document["findings"]] == [("W301", unchanged)]


def test_years_from_hazards_have_the_risk_of_the_library(asked, robots, hazards):
    document = asked("--hazards", hazards, "--samples", 40, "--seed", 7)
    rows, _ = read_hazards(hazards, robots)
    result = stress.ensemble(robots, draw_years(rows, 40, period="week", seed=7))
    assert document["is_sample"]
    assert document["risk"]["periods_lost"][0] == vars(result.risk(0.95))
    assert document["risk"]["loss"][1] == vars(result.risk(0.99, "loss"))
    assert document["contributions"] == result.contributions().to_dicts()
    assert document["exceedance"] == result.return_levels().to_dicts()


def test_years_are_shown_with_units_and_errors(call, hazards):
    code, out, err = call("stress", "--hazards", hazards, "--samples", 40, *ROBOTS)
    assert (code, err) == (0, "")
    for text in ("CVaR 95%", "standard error", "weeks of demand", "USD", "once in", "quake"):
        assert text in out


def test_another_seed_draws_other_years(asked, hazards):
    one, same, other = (
        asked("--hazards", hazards, "--samples", 30, "--seed", s)["risk"] for s in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_a_single_cascade_and_the_best_answer_are_those_of_the_library(asked, robots):
    scenario = Scenario.lose(region="JP", duration="8w")
    document = asked("--lose", "region:JP", "--engine", "cascade")
    assert document["share_lost"] == stress.cascade(robots, scenario).loss
    document = asked("--lose", "region:JP", "--for", "8w", "--engine", "bracket", "--periods", 40)
    best = stress.respond(robots, scenario, periods=40)
    run = stress.simulate(robots, scenario, periods=40)
    assert document["best_periods_lost"] == pytest.approx(best.loss_in_periods, abs=1e-9)
    assert document["runs"][0]["periods_lost"] == run.loss_in_periods


def test_rules_reach_the_simulation(asked, robots):
    words = ["--lose", "region:JP", "--for", "20w", "--periods", 60]
    scenario = Scenario.lose(region="JP", duration="20w")
    found = asked(*words, "--rules", "ario")["runs"][0]["periods_lost"]
    expected = stress.simulate(robots, scenario, periods=60, rules="ario").loss_in_periods
    assert found == expected
    assert found != asked(*words)["runs"][0]["periods_lost"]


def test_a_file_of_many_scenarios_is_played(asked, tmp_path):
    file = tmp_path / "set.toml"
    file.write_text('[[all]]\nof = "regions"\nshare = 0.5\nduration = "4w"\n', encoding="utf-8")
    assert asked(file)["scenarios"] == asked("--all", "regions", "--top", 1)["scenarios"]


def test_a_run_is_kept_and_goes_on(asked, tmp_path):
    out = tmp_path / "run"
    words = ["--all", "regions", "--for", "8w", "--rules", "pichler", "--periods", 40]
    first = asked(*words, "--out", out)
    assert asked("--resume", out) == first
    (out / "part-000000.parquet").write_bytes(b"PAR1")
    again = asked("--resume", out)
    assert again["findings"][0]["code"] == "W302"
    assert again["outcomes"] == first["outcomes"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Nothing to play"),
        (["--lose", "region:JP", "--all", "nodes"], "--lose and --all do not go together"),
        (["--all", "region"], "Did you mean regions"),
        (["--all", "regions", "--engine", "simulat"], "Did you mean simulate"),
        (["--lose", "region:JP", "--rules", "arioo"], "Did you mean ario"),
        (["--lose", "region:JP", "--engine", "cascade", "--for", "3w"], "knows no time"),
        (["--lose", "region:JP", "--engine", "respond", "--rules", "ario"], "--rules"),
        (["--lose", "region:JP", "--bounds"], "--bounds goes with"),
        (["--lose", "region:JP", "--samples", "5"], "--samples needs"),
        (["--all", "nodes", "--engine", "cascade", "--out", "x"], "--json"),
        (["--all", "regions", "--engine", "cascade", "--save"], "--save"),
        (["--resume", "nowhere"], "holds no run"),
        (["--resume", "nowhere", "--engine", "cascade"], "--engine is known to the folder"),
        (["--all", "regions", "--jobs", "0"], "jobs must be"),
        (["--all", "nodes", "--engine", "cascade", "--jobs", "-3"], "jobs must be"),
        (["some.toml", "--for", "3w"], "--for goes with"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(call, words, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call("stress", *words, *ROBOTS)
    assert code == 2
    assert says in " ".join(err.split())
    assert "Traceback" not in err + out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("region,probability,share,duration\nJPP,0.1,1,3w\n", "Did you mean JP?"),
        ("region,probability,share,duration\nJP,2,1,3w\n", "h.csv row 2, column probability"),
        ("", "0 bytes"),
    ],
)
def test_faults_in_hazards_end_with_3_and_name_the_cell(call, tmp_path, content, says):
    file = tmp_path / "h.csv"
    file.write_text(content, encoding="utf-8")
    code, _, err = call("stress", "--hazards", file, *ROBOTS)
    assert code == 3
    assert says in " ".join(err.split())


def test_a_table_given_as_a_scenario_is_told_from_one(call, hazards):
    code, _, err = call("stress", hazards, *ROBOTS)
    assert code == 3
    assert "--hazards FILE" in " ".join(err.split())


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        (["--all", "nodes", "--engine", "cascade"], "esri>99%"),
        (["--lose", "region:JP", "--engine", "cascade"], "share_lost>10%"),
        (["--lose", "region:JP", "--engine", "respond", "--periods", "40"], "best_periods_lost>1"),
        (["--all", "regions"], "cvar>1"),
    ],
)
def test_a_broken_threshold_ends_with_5(call, words, limit):
    assert call("stress", *words, "--fail-on", limit, *ROBOTS)[0] == 5
    assert call("stress", *words, "--fail-on", limit.split(">")[0] + ">100000", *ROBOTS)[0] == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stopped_run_ends_with_130_and_goes_on(call, tmp_path, hazards, jobs):
    """Ctrl-C at a terminal: no traceback, nothing lost that was written."""
    out = tmp_path / "run"
    command = [sys.executable, "-c", "import sys; from withstand.cli import main; sys.exit(main())"]
    command += ["stress", "--hazards", str(hazards), "--samples", "20000", "--out", str(out)]
    command += ["--jobs", str(jobs), *ROBOTS]
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may ignore it
        os.execv(command[0], command)
    os.set_blocking(terminal, False)
    said = b""
    stopped = False
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        time.sleep(0.05)
        try:
            said += os.read(terminal, 65536)
        except BlockingIOError:
            pass
        except OSError:  # the terminal closed with the program
            break
        if not stopped and len(list(out.glob("part-*"))) >= 2:
            os.write(terminal, b"\x03")
            stopped = True
    else:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    text = said.decode(errors="replace")
    assert stopped
    assert os.waitstatus_to_exitcode(status) == 130, text[-2000:]
    assert "Traceback" not in text
    assert "withstand stress --resume" in " ".join(text.split())
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["n_scenarios"] == 20000


@pytest.mark.slow
def test_jobs_of_the_command_line_give_the_same_document(tmp_path, hazards):
    def document(jobs):
        words = ["stress", "--hazards", hazards, "--samples", 60, "--jobs", jobs, "--json", *ROBOTS]
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from withstand.cli import main; sys.exit(main())"]
            + [str(w) for w in words],
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    assert document(1) == document(2)
