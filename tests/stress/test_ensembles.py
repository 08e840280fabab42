"""Many scenarios: the same numbers for any number of workers, resumable, honest statistics."""

from __future__ import annotations

import operator
import os
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

from withstand.errors import ScenarioError, UsageError
from withstand.examples import example, tiny
from withstand.executor import Inline, Processes, executor
from withstand.model.scenario import Scenario
from withstand.model.scenario_sets import draw_years, names_of, region_pairs, single_failures
from withstand.stress import ensembles
from withstand.stress.ensembles import ensemble
from withstand.stress.simulation import simulate

HAZARDS = pl.DataFrame(
    {
        "region": ["JP", "CN", "DE"],
        "probability": [0.3, 0.2, 0.1],
        "share": [1.0, 0.5, 0.8],
        "duration": ["20w", "12w", "26w"],
        "duration_spread": [0.5, 0.0, 1.0],
        "recovery": ["4w", None, "8w"],
    }
)


def test_every_scenario_has_the_numbers_of_a_single_run():
    scenarios = single_failures(example(), duration="20w")[:6]
    outcomes = ensemble(example(), scenarios).outcomes
    for scenario, row in zip(scenarios, outcomes.iter_rows(named=True), strict=True):
        run = simulate(example(), scenario)
        assert (row["loss"], row["periods_lost"]) == (run.loss, run.loss_in_periods)
        assert (row["time_to_survive"], row["time_to_recover"]) == (
            run.time_to_survive,
            run.time_to_recover,
        )


@pytest.mark.slow
def test_two_workers_give_the_same_numbers_as_one():
    scenarios = draw_years(HAZARDS, 90, period="week", seed=3)
    one = ensemble(example(), scenarios, jobs=1)
    two = ensemble(example(), scenarios, jobs=2)
    assert one.outcomes.equals(two.outcomes)


def test_a_longer_sample_begins_with_the_same_years():
    short = draw_years(HAZARDS, 5, period="week", seed=7)
    long = draw_years(HAZARDS, 20, period="week", seed=7)
    assert [s.shocks for s in long[:5]] == [s.shocks for s in short]


def test_hazards_strike_as_often_and_as_long_as_the_table_says():
    years = draw_years(HAZARDS, 6000, period="week", seed=1)
    hits = [shock for year in years for shock in year.shocks]
    for region, probability, mean in (("JP", 0.3, 20.0), ("CN", 0.2, 12.0), ("DE", 0.1, 26.0)):
        own = [h for h in hits if h.region == region]
        error = np.sqrt(probability * (1 - probability) / 6000)
        assert abs(len(own) / 6000 - probability) < 4 * error
        lengths = np.array([h.duration for h in own])
        assert abs(lengths.mean() - mean) <= 4 * lengths.std() / np.sqrt(len(own)) + 1e-9


def test_risk_of_four_equal_draws_by_hand():
    """Losses 0, 1, 2, 10: mean 3.25; the worst half is (2 + 10) / 2 = 6; VaR of one half is 1."""
    frame = pl.DataFrame(
        {
            "number": [0, 1, 2, 3],
            "scenario": list("abcd"),
            "probability": [0.25] * 4,
            "loss": [0.0, 1.0, 2.0, 10.0],
            "periods_lost": [0.0, 1.0, 2.0, 10.0],
        }
    )
    result = ensembles.Ensemble(
        outcomes=frame, targets=((), ("x",), ("x",), ("x", "y")), is_sample=True, provenance=None
    )
    risk = result.risk(alpha=0.5)
    assert (risk["mean"], risk["var"], risk["cvar"]) == (3.25, 1.0, 6.0)
    assert risk["mean_error"] == pytest.approx(np.std([0, 1, 2, 10], ddof=1) / 2)
    assert result.exceedance()["probability"].to_list() == [1.0, 0.75, 0.5, 0.25]
    tail = dict(result.contributions(alpha=0.7).iter_rows())
    assert tail == {"x": 1.0, "y": pytest.approx(10 / 12)}


def test_sets_that_are_no_samples_have_no_standard_errors():
    assert ensemble(tiny(), single_failures(tiny(), "nodes")).risk()["mean_error"] is None


def test_pairs_of_regions_are_all_there():
    n = len(single_failures(example()))
    assert len(region_pairs(example())) == n * (n - 1) // 2


def test_names_that_repeat_are_told_apart():
    twins = [Scenario.lose(region="JP", name="x"), Scenario.lose(region="CN", name="x")]
    assert names_of(twins) == ["x", "x (2)"]


def test_a_run_goes_on_from_the_parts_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "CHUNK", 4)
    scenarios = single_failures(example(), duration="8w")[:10]
    whole = ensemble(example(), scenarios, out=tmp_path / "run")
    (tmp_path / "run" / "part-000001.parquet").unlink()
    played = []
    original = ensembles._play

    def counted(network, item):
        played.append(item[0])
        return original(network, item)

    monkeypatch.setattr(ensembles, "_play", counted)
    again = ensemble(example(), scenarios, out=tmp_path / "run")
    assert played == [4, 5, 6, 7]
    assert again.outcomes.equals(whole.outcomes)


def test_a_folder_of_another_run_is_refused(tmp_path):
    ensemble(tiny(), single_failures(tiny()), out=tmp_path)
    with pytest.raises(UsageError, match="another network or other scenarios"):
        ensemble(tiny(), single_failures(tiny(), duration="3w"), out=tmp_path)


_DRIVER = """
import sys
from withstand.examples import example
from withstand.model.scenario_sets import region_pairs
from withstand.stress import ensembles
ensembles.CHUNK = 8
ensembles.ensemble(example(), region_pairs(example())[:120], out=sys.argv[1], jobs=1)
"""


@pytest.mark.slow
def test_a_killed_driver_is_resumed_with_the_same_result(tmp_path, monkeypatch):
    """Kill -9 after the first parts are there; the rest is played by the next call."""
    out = tmp_path / "run"
    driver = subprocess.Popen([sys.executable, "-c", _DRIVER, str(out)])
    for _ in range(600):
        if len(list(out.glob("part-*.parquet"))) >= 2 or driver.poll() is not None:
            break
        time.sleep(0.05)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    monkeypatch.setattr(ensembles, "CHUNK", 8)
    scenarios = region_pairs(example())[:120]
    resumed = ensemble(example(), scenarios, out=out)
    assert resumed.outcomes.equals(ensemble(example(), scenarios).outcomes)


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"probability": [0.1, 1.5, 0.1]}, "E302"),
        ({"duration": ["soon", "1w", "1w"]}, "E302"),
        ({"region": [None, "CN", "DE"]}, "E303"),
    ],
)
def test_bad_hazards_are_findings(columns, code):
    table = HAZARDS.with_columns([pl.Series(k, v) for k, v in columns.items()])
    with pytest.raises(ScenarioError) as caught:
        draw_years(table, 2, period="week")
    assert [f.code for f in caught.value.findings] == [code]


def test_a_missing_hazard_column_is_named():
    with pytest.raises(ScenarioError, match="probability"):
        draw_years(HAZARDS.drop("probability"), 2, period="week")


def test_an_unknown_engine_and_an_empty_set_are_refused():
    with pytest.raises(UsageError, match="engine"):
        ensemble(tiny(), single_failures(tiny()), engine="magic")
    with pytest.raises(UsageError, match="no scenario"):
        ensemble(tiny(), [])


def test_executors_keep_the_order_of_items():
    assert isinstance(executor(1), Inline)
    with pytest.raises(UsageError):
        executor(0)


@pytest.mark.slow
def test_processes_share_arrays_and_clean_up():
    workers = Processes(2)
    shared = workers.put(np.arange(5.0))
    assert list(workers.map(operator.getitem, shared, range(5))) == [0.0, 1.0, 2.0, 3.0, 4.0]
    folder = workers._folder
    workers.close()
    assert not folder.exists()
