"""The verb plan: the numbers of the library, exit codes, and words where there is no plan."""

from __future__ import annotations

import json
import math

import openpyxl
import polars as pl
import pytest

from withstand import examples, plan, readers, workbench
from withstand.cli import main
from withstand.cli.plan_command import amount_of
from withstand.errors import UsageError
from withstand.model.option import read_options
from withstand.model.scenario import Scenario

OPTIONS = pl.DataFrame(
    {
        "option": ["STOCK", "MILL", "GOLD"],
        "name": ["More steel", "A larger mill", "A golden mill"],
        "kind": ["stockpile", "expand_capacity", "expand_capacity"],
        "cost_once": [2000.0, 500.0, 1e9],
        "cost_per_period": [0.0, 1.0, 0.0],
        "ready_periods": [4.0, 60.0, 0.0],
    }
)
EFFECTS = pl.DataFrame(
    {
        "option": ["STOCK", "MILL", "GOLD"],
        "effect": ["add_stock", "add_capacity", "add_capacity"],
        "node": [None, "STEEL@HOME", "STEEL@HOME"],
        "product": ["STEEL", None, None],
        "amount": [6.0, 84.0, 84.0],
        "unit": ["weeks", None, None],
    }
)
JAPAN = ["--lose", "region:JP", "--for", "20w", "--recovery", "0", "--probability", "0.3"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of three nodes and three options."""
    folder = tmp_path_factory.mktemp("plan") / "steel"
    network = examples.tiny().with_changes({"options": OPTIONS, "option_effects": EFFECTS})
    return readers.write_folder(network, folder)


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def asked(call, project):
    """Run `withstand plan ... --json` on the project and return the document."""

    def run(*words):
        code, out, err = call("plan", *words, "--step", 1, "--json", "--project", project)
        assert (code, err) == (0, "")
        return json.loads(out)

    return run


def solved(project, **more):
    network = workbench.load(project)
    lost = Scenario.lose(region="JP", duration="20w", probability=0.3)
    return plan.solve(network, read_options(network), [lost], step=1, **{"horizon": 2, **more})


def test_the_document_holds_the_numbers_of_the_library(asked, project):
    document = asked(*JAPAN, "--budget", "3k", "--horizon", 2, "--frontier", 3, "--gap", 1e-9)
    found = solved(project, budget=3000.0, gap=1e-9)
    assert document["status"] == "ok"
    assert document["chosen"] == list(found.chosen) == ["STOCK", "MILL"]
    assert document["expected_loss"] == pytest.approx(found.expected_loss)
    assert document["expected_loss_before"] == pytest.approx(found.expected_loss_before)
    assert document["calendar"] == found.calendar().to_dicts()
    assert document["spend"] == found.spend().to_dicts()
    assert document["simulated_loss"] == pytest.approx(found.verify().expected("simulated_after"))
    assert [r["budget"] for r in document["frontier"]] == pytest.approx([0.0, 3000.0, 4500.0])
    assert not document["is_conditional"]


def test_money_by_year_and_no_verification(asked, project):
    document = asked(*JAPAN, "--budget", "500,2e3", "--horizon", 2, "--no-verify")
    found = solved(project, budget=[500.0, 2000.0])
    assert document["spend"] == found.spend().to_dicts()
    assert document["simulated_loss"] is None


def test_risk_target_discount_and_what_has_started_reach_the_library(asked, project):
    document = asked(
        *JAPAN, "--horizon", 2, "--aim", "cost", "--loss-limit", "10k", "--discount", 0.05,
        "--alpha", 0.8, "--risk-weight", 0.5, "--started", "MILL=1.5", "--onsets", "0.5,1",
    )  # fmt: skip
    found = solved(
        project, aim="cost", loss_limit=1e4, discount=0.05,
        risk=plan.Risk(weight=0.5, alpha=0.8), started={"MILL": 1.5}, onsets=[0.5, 1.0],
    )  # fmt: skip
    assert document["chosen"] == list(found.chosen)
    assert document["cvar"] == pytest.approx(found.cvar())
    assert document["provenance"]["parameters"]["aim"] == "cost"
    assert document["provenance"]["parameters"]["onsets"] == [0.5, 1.0]


def test_the_terminal_shows_calendar_money_losses_and_the_next_million(call, project):
    code, out, err = call(
        "plan", *JAPAN, "--budget", "3k", "--horizon", 2, "--step", 1, "--alternatives", 1,
        "--frontier", 2, "--project", project,
    )  # fmt: skip
    assert (code, err) == (0, "")
    for text in (
        "2 options for 2,544 USD bring the expected loss from", "Calendar", "A larger mill",
        "Money", "Losses, thousand USD", "Japan", "simulated, before", "What other budgets buy",
        "Share of demand that capacities allow", "The next thousand",
    ):  # fmt: skip
        assert text in out


def test_scenario_files_and_folders_are_planned_against(asked, tmp_path):
    file = tmp_path / "japan.toml"
    file.write_text(
        'name = "quake"\nprobability = 0.2\n[[shock]]\nregion = "JP"\nduration = "20w"\n',
        encoding="utf-8",
    )
    document = asked("--scenario", file, "--horizon", 1)
    assert [r["scenario"] for r in document["losses"]] == ["quake"]
    both = asked("--against", tmp_path, "--lose", "region=JP", "--for", "4w", "--horizon", 1)
    assert len(both["losses"]) == 2


def test_reports_are_written_beside_the_programme(call, project, tmp_path):
    files = [tmp_path / n for n in ("plan.html", "plan.xlsx", "plan.json", "plan.mps")]
    outs = [w for f in files[:3] for w in ("--out", f)]
    code, out, _ = call(
        "plan", *JAPAN, "--horizon", 1, "--step", 1, *outs, "--mps", files[3], "--project", project
    )
    assert code == 0
    assert all(f"Wrote {f}" in out.replace("\n", "") for f in files)
    assert files[0].read_bytes()[:15] == b"<!doctype html>"
    assert "Calendar" in openpyxl.load_workbook(files[1]).sheetnames
    assert json.loads(files[2].read_text(encoding="utf-8"))["status"] == "ok"
    assert files[3].read_text(encoding="utf-8").startswith("NAME")


def test_limits_that_contradict_each_other_are_named_with_exit_code_four(call, project):
    words = ["plan", *JAPAN, "--horizon", 1, "--step", 1, "--budget", "1k", "--aim", "cost",
             "--loss-limit", "1", "--project", project]  # fmt: skip
    code, out, err = call(*words)
    assert code == 4
    assert out == ""
    assert "No plan keeps within these limits" in err
    assert "the limit of the expected loss" in " ".join(err.split())
    code, out, _ = call(*words, "--json")
    document = json.loads(out)
    assert code == 4
    assert document["status"] == "infeasible"
    assert "the limit of the expected loss" in document["limits"]


def test_a_broken_threshold_ends_with_five(call, project):
    words = ["plan", *JAPAN, "--horizon", 1, "--step", 1, "--no-verify", "--project", project]
    code, out, _ = call(*words, "--fail-on", "expected_loss>1")
    assert code == 5
    assert "Threshold broken: expected_loss is" in out
    assert call(*words, "--fail-on", "expected_loss>1e9")[0] == 2  # as everywhere: no powers of ten
    assert call(*words, "--fail-on", "expected_loss>1000000000")[0] == 0


def test_a_project_without_options_is_told_how_to_write_them(call, tmp_path):
    bare = readers.write_folder(examples.tiny(), tmp_path / "bare")
    code, _, err = call("plan", *JAPAN, "--project", bare)
    assert code == 2
    for text in ("tables/options.csv", "tables/option_effects.csv", "add_stock", "template"):
        assert text in " ".join(err.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing to plan against"),
        (["--lose", "JP"], "is not a target"),
        (["--lose", "region:JP", "--budget", "much"], "no amount of money"),
        (["--lose", "region:JP", "--budget", "1,2,3"], "names 3 years, the horizon has 5"),
        (["--lose", "region:JP", "--out", "plan.pdf"], "a plan ends in"),
        (["--lose", "region:JP", "--aim", "profit"], "aim must be one of"),
        (["--lose", "region:JP", "--started", "STOK=1"], "STOCK"),
        (["--lose", "region:JP", "--started", "STOCK=soon"], "write M07=1.5"),
        (["--lose", "region:JP", "--onsets", "soon"], "write numbers"),
        (["--lose", "region:JP", "--jobs", "0"], "jobs must be at least 1"),
        (["--lose", "region:JP", "--mps", "plan.txt"], ".mps or .lp"),
        (["--scenario", "nowhere.toml", "--share", "50%"], "--share goes with --lose or --all"),
        (["--scenario", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_wrong_use_is_refused_in_words(call, project, words, said):
    code, out, err = call("plan", *words, "--project", project)
    assert code in (2, 3)
    assert out == ""
    assert said in " ".join(err.split())
    assert "Traceback" not in err


def test_the_same_words_give_the_same_document(asked):
    one, two = (asked(*JAPAN, "--horizon", 1, "--jobs", n) for n in (1, 2))
    assert one.pop("provenance")["parameters"] == two.pop("provenance")["parameters"]
    assert one == two


@pytest.mark.parametrize(
    ("text", "amount"),
    [("60e6", 6e7), ("60m", 6e7), ("1.5bn", 1.5e9), ("200K", 2e5), ("60_000", 6e4), (" 7 ", 7.0)],
)
def test_amounts_of_money_may_have_units(text, amount):
    assert amount_of(text) == amount


@pytest.mark.parametrize("text", ["", "-5", "5 mio", "1e", "nan", "inf", "5m5"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(UsageError, match="no amount of money"):
        amount_of(text)
    assert math.isfinite(amount_of("1e300"))
