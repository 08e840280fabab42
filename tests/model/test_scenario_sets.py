"""Sets of scenarios: what fails in turn, years drawn from hazards, files with many scenarios."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from withstand.errors import ScenarioError, UsageError
from withstand.examples import example, tiny
from withstand.model.hazards import Hazard, duration_of, hazards_of
from withstand.model.scenario import Scenario, Shock
from withstand.model.scenario_files import read_scenarios
from withstand.model.scenario_sets import (
    draw_years,
    every,
    names_of,
    region_pairs,
    single_failures,
)

HAZARDS = pl.DataFrame(
    {
        "label": ["quake", "flood", "strike", "fire"],
        "region": ["JP", "CN", "DE", "TW"],
        "probability": [0.3, 0.2, 0.1, 0.5],
        "share": [1.0, 0.5, 0.8, 0.2],
        "distribution": ["lognormal", "fixed", "exponential", "uniform"],
        "duration": ["20w", "12w", "26w", None],
        "shortest": [None, None, None, "4w"],
        "longest": [None, None, None, "3 months"],
        "duration_spread": [0.5, None, None, None],
        "recovery": ["4w", None, "8w", "0"],
    }
)


@pytest.fixture(scope="module")
def robots():
    return example()


def test_every_region_outside_home_fails_once(robots):
    regions = {s.shocks[0].region for s in single_failures(robots)}
    makers = {str(robots.region_labels[r]) for r in robots.node_region}
    assert regions == makers - {"HOME"}


def test_every_product_that_is_made_fails_once(robots):
    products = [s.shocks[0].product for s in single_failures(robots, "products", share="50%")]
    assert sorted(products) == sorted(
        {str(robots.product_labels[p]) for p in robots.node_product[robots.output > 0]}
    )


def test_pairs_of_regions_are_all_there(robots):
    n = len(single_failures(robots))
    pairs = region_pairs(robots, share=0.3, duration="8w")
    assert len({tuple(x.region for x in s.shocks) for s in pairs}) == n * (n - 1) // 2
    assert pairs[0].name.endswith("lose 30% for 8w")


def test_an_unknown_set_is_refused_with_the_nearest_one(robots):
    with pytest.raises(UsageError, match="Did you mean regions"):
        every(robots, "region")
    with pytest.raises(UsageError, match="one at a time"):
        single_failures(robots, "planets")


def test_names_that_repeat_are_told_apart():
    twins = [Scenario.lose(region="JP", name="x"), Scenario.lose(region="CN", name="x")]
    assert names_of(twins) == ["x", "x (2)"]


# --- years ---------------------------------------------------------------------------------------


def test_a_longer_sample_begins_with_the_same_years():
    short = draw_years(HAZARDS, 5, period="week", seed=7)
    long = draw_years(HAZARDS, 20, period="week", seed=7)
    assert [s.shocks for s in long[:5]] == [s.shocks for s in short]


def test_another_seed_gives_other_years():
    a, b = (draw_years(HAZARDS, 20, period="week", seed=s) for s in (1, 2))
    assert [s.shocks for s in a] != [s.shocks for s in b]


def test_another_hazard_below_leaves_the_luck_of_those_above():
    """Common random numbers: the draws of a hazard depend on its row, not on the others."""
    few = draw_years(HAZARDS.head(2), 50, period="week", seed=3)
    many = draw_years(HAZARDS, 50, period="week", seed=3)
    for year, longer in zip(few, many, strict=True):
        assert year.shocks == tuple(s for s in longer.shocks if s.label in ("quake", "flood"))


def test_a_likelier_hazard_strikes_in_the_same_years_and_more():
    rare = draw_years(HAZARDS, 200, period="week", seed=3)
    table = HAZARDS.with_columns(pl.col("probability") * 1.5)
    often = draw_years(table, 200, period="week", seed=3)
    assert all(set(a.shocks) <= set(b.shocks) for a, b in zip(rare, often, strict=True))
    assert sum(len(b.shocks) for b in often) > sum(len(a.shocks) for a in rare)


def test_hazards_strike_as_often_and_as_long_as_the_table_says():
    """Means: 20; 12; 26; (4 + 13) / 2. Deviations: 10; 0; 26; 9 / sqrt(12)."""
    n = 6000
    years = draw_years(HAZARDS, n, period="week", seed=1)
    hits = [shock for year in years for shock in year.shocks]
    expected = {
        "quake": (0.3, 20.0, 10.0),
        "flood": (0.2, 12.0, 0.0),
        "strike": (0.1, 26.0, 26.0),
        "fire": (0.5, 8.5, 9 / np.sqrt(12)),
    }
    for label, (probability, mean, deviation) in expected.items():
        own = [h for h in hits if h.label == label]
        assert abs(len(own) / n - probability) < 4 * np.sqrt(probability * (1 - probability) / n)
        lengths = np.array([h.duration for h in own])
        assert abs(lengths.mean() - mean) <= 4 * deviation / np.sqrt(len(own)) + 1e-9
        # the error of a deviation is larger for long tails; 15 % covers the log-normal one
        assert lengths.std() == pytest.approx(deviation, rel=0.15, abs=1e-9)
        starts = np.array([h.start for h in own])
        assert starts.min() >= 0
        assert starts.max() <= 51
        assert abs(starts.mean() - 25.5) < 4 * 15.0 / np.sqrt(len(own))


@pytest.mark.parametrize(
    ("kind", "numbers", "u", "expected"),
    [
        ("fixed", {"duration": 12.0}, 0.9, 12.0),
        ("uniform", {"shortest": 4.0, "longest": 12.0}, 0.25, 6.0),
        ("exponential", {"duration": 10.0}, 1 - np.exp(-2.0), 20.0),
        # median of a log-normal of mean m and coefficient of variation c: m / sqrt(1 + c^2)
        ("lognormal", {"duration": 10.0, "spread": 0.75}, 0.5, 8.0),
        ("exponential", {"duration": 1e4}, 1 - 1e-12, 5200.0),
    ],
)
def test_durations_are_the_inverse_of_their_distribution(kind, numbers, u, expected):
    hazard = Hazard(
        targets={"region": "JP"}, probability=0.1, share=1.0, distribution=kind, **numbers
    )
    assert duration_of(hazard, u, "week") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (2.5, 0), (True, 0), (3, -1), (3, "x")])
def test_samples_and_seeds_that_cannot_be_are_refused(count, seed):
    with pytest.raises(UsageError, match="whole number"):
        draw_years(HAZARDS, count, period="week", seed=seed)


@pytest.mark.parametrize(
    ("columns", "code", "column"),
    [
        ({"probability": [0.1, 1.5, 0.1, 0.1]}, "E107", "probability"),
        ({"share": [0.1, None, 0.1, 0.1]}, "E102", "share"),
        ({"duration": ["20w", "soon", "1w", None]}, "E302", "duration"),
        ({"duration": ["20w", None, "1w", None]}, "E102", "duration"),
        ({"shortest": [None, None, None, "9 months"]}, "E302", "shortest"),
        ({"shortest": [None, "1w", None, "1w"]}, "E302", "shortest"),
        ({"distribution": ["lognormal", "normal", "exponential", "uniform"]}, "E109", None),
        ({"region": ["JP", None, "DE", "TW"]}, "E303", None),
        ({"region": ["JP", "CNN", "DE", "TW"]}, "E301", "region"),
    ],
)
def test_a_bad_hazard_is_a_finding_with_its_place(columns, code, column, robots):
    table = HAZARDS.with_columns([pl.Series(k, v) for k, v in columns.items()])
    with pytest.raises(ScenarioError) as caught:
        hazards_of(table, "week", network=robots)
    (finding,) = caught.value.findings
    assert (finding.code, finding.column or column) == (code, column or finding.column)
    assert finding.row == (5 if "longest" in str(finding.what) else 3)


def test_a_missing_hazard_column_is_named():
    with pytest.raises(ScenarioError, match="probability"):
        draw_years(HAZARDS.drop("probability"), 2, period="week")
    with pytest.raises(ScenarioError, match="what is hit"):
        draw_years(HAZARDS.drop("region"), 2, period="week")


# --- files ---------------------------------------------------------------------------------------


def _write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


MANY = """
[[scenario]]
name = "Strait"
probability = 0.05
[[scenario.shock]]
region = "TW"
share = 0.8
duration = "10w"
[[scenario.shock]]
region = "KR"
label = "ripple"

[[scenario]]
[[scenario.shock]]
node = "RV@JP"

[[all]]
of = "regions"
share = 0.5
duration = "12w"
probability = 0.01
"""


def test_a_file_may_hold_many_scenarios_and_whole_sets(tmp_path, robots):
    scenarios = read_scenarios(_write(tmp_path, "stress.toml", MANY), robots)
    assert [s.name for s in scenarios[:2]] == ["Strait", "stress 2"]
    assert scenarios[0].shocks[1] == Shock(region="KR", label="ripple")
    expected = single_failures(robots, share=0.5, duration="12w")
    assert [s.shocks for s in scenarios[2:]] == [s.shocks for s in expected]
    assert {s.probability for s in scenarios[2:]} == {0.01}


def test_a_set_without_a_duration_lasts_for_ever_as_a_shock_does(tmp_path):
    file = _write(tmp_path, "s.toml", '[[all]]\nof = "nodes"\n')
    assert {s.shocks[0].duration for s in read_scenarios(file, tiny())} == {None}


def test_folders_and_files_are_read_by_name(tmp_path):
    for name, region in (("b.toml", "JP"), ("a.toml", "HOME")):
        _write(tmp_path, name, f'[[shock]]\nregion = "{region}"\n')
    assert [s.name for s in read_scenarios(tmp_path, tiny())] == ["a", "b"]
    both = read_scenarios([tmp_path / "b.toml", tmp_path], tiny())
    assert [s.name for s in both] == ["b", "a", "b"]


def test_all_faults_of_all_files_come_at_once(tmp_path, robots):
    _write(
        tmp_path,
        "a.toml",
        '[[scenario]]\nchance = 1\n[[scenario.shock]]\nregion = "JP"\nshare = 7\n'
        '[[all]]\nof = "region"\n[[all]]\nof = "nodes"\nlong = 3\n[[all]]\nof="nodes"\nshare=9\n',
    )
    _write(tmp_path, "b.toml", "[[shock]\n")
    _write(tmp_path, "c.toml", "all = 3\n[[scenario]]\n")
    with pytest.raises(ScenarioError) as caught:
        read_scenarios(tmp_path, robots)
    found = [(f.file, f.code) for f in caught.value.findings]
    assert found == [
        ("a.toml", "E304"),  # chance
        ("a.toml", "E302"),  # share 7
        ("a.toml", "E304"),  # of = region
        ("a.toml", "E304"),  # long
        ("a.toml", "E302"),  # share 9
        ("b.toml", "E304"),
        ("c.toml", "E304"),  # no shock
        ("c.toml", "E304"),  # all = 3
    ]
    texts = [str(f) for f in caught.value.findings]
    assert "Did you mean regions?" in texts[2]
    assert "[[all]] 2" in texts[3]


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(UsageError, match="no scenario"):
        read_scenarios(tmp_path, tiny())
