"""Many scenarios on every engine: the numbers of single runs, whatever the number of workers."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tiny_networks import link, need, network, node, stock
from withstand.errors import ScenarioError, SolverError, UsageError
from withstand.examples import example, tiny
from withstand.model.economy import build_economy
from withstand.model.scenario import Scenario, Shock
from withstand.model.scenario_sets import draw_years, every, single_failures
from withstand.model.settings import Settings
from withstand.readers.firms import network_from_links
from withstand.stress import ensemble_engines
from withstand.stress.best_response import respond
from withstand.stress.brackets import bracket
from withstand.stress.cascades import cascade
from withstand.stress.ensemble_engines import SCHEMA
from withstand.stress.ensembles import Ensemble, ensemble
from withstand.stress.simulation import simulate

HAZARDS = pl.DataFrame(
    {
        "label": ["quake", "flood", None],
        "region": ["JP", "CN", "DE"],
        "probability": [0.3, 0.2, 0.1],
        "share": [1.0, 0.5, 0.8],
        "duration": ["20w", "12w", "26w"],
        "duration_spread": [0.5, None, 1.0],
        "recovery": ["4w", None, "8w"],
    }
)


@pytest.fixture(scope="module")
def robots():
    return example()


@pytest.fixture(scope="module")
def firms():
    """Three firms in a row and a rival of the first."""
    nodes = pl.DataFrame(
        {
            "id": ["mine", "pit", "mill", "works"],
            "sector": ["ore", "ore", "steel", "cars"],
            "region": ["AU", "BR", "JP", "DE"],
        }
    )
    links = pl.DataFrame(
        {
            "supplier": ["mine", "pit", "mill"],
            "buyer": ["mill", "mill", "works"],
            "value": [3.0, 1.0, 6.0],
        }
    )
    return network_from_links(nodes, links, home="DE")


def _row(result: Ensemble, number: int = 0) -> dict:
    return result.outcomes.row(number, named=True)


def test_every_scenario_has_the_numbers_of_a_single_run(robots):
    scenarios = single_failures(robots, duration="20w")[:6]
    outcomes = ensemble(robots, scenarios).outcomes
    assert dict(outcomes.schema) == SCHEMA
    for scenario, row in zip(scenarios, outcomes.iter_rows(named=True), strict=True):
        run = simulate(robots, scenario)
        assert (row["loss"], row["periods_lost"]) == (run.loss, run.loss_in_periods)
        assert (row["time_to_survive"], row["time_to_recover"]) == (
            run.time_to_survive,
            run.time_to_recover,
        )
        assert row["share_lost"] is None
        assert row["finding"] == (" ".join(f.code for f in run.findings) or None)


def test_a_chain_by_hand():
    """The plant holds 4 weeks of steel; the mill stops for 6: two weeks of demand are lost."""
    net = network(
        [
            node("mill", "STEEL", "JP", capacity=30.0),
            node("plant", "GEAR", capacity=10.0, final_demand=10.0),
        ],
        [need("GEAR", "STEEL", 2.0)],
        [link("mill", "plant")],
        stocks=[stock("plant", "STEEL", 4.0)],
    )
    result = ensemble(net, every(net, "nodes", duration="6w"))
    assert result.outcomes["scenario"].to_list() == [
        "node mill loses 100% for 6w",
        "node plant loses 100% for 6w",
    ]
    assert result.outcomes["periods_lost"].to_list() == pytest.approx([2.0, 6.0])
    assert result.worst(1)["scenario"].to_list() == ["node plant loses 100% for 6w"]
    assert result.risk().mean == pytest.approx(4.0)


def test_cascades_lose_what_a_single_cascade_loses(firms):
    scenarios = every(firms, "nodes", share=0.5)
    weights = {"mine": 1.0, "works": 3.0}
    result = ensemble(firms, scenarios, engine="cascade", weights=weights, eps=1e-6)
    for scenario, row in zip(scenarios, result.outcomes.iter_rows(named=True), strict=True):
        single = cascade(firms, scenario, weights=weights, eps=1e-6)
        assert (row["share_lost"], row["rounds"]) == (single.loss, single.iterations)
        last = single.path.row(-1, named=True)
        assert row["down"] == pytest.approx(last["down"], abs=1e-12)
        assert row["up"] == pytest.approx(last["up"], abs=1e-12)
        assert row["periods_lost"] is None
    assert result.loss_column == "share_lost"
    assert "of the whole" in result.summary()


def test_the_best_response_and_the_bracket_are_those_of_single_runs():
    scenarios = every(tiny(), "nodes", duration="8w")
    best = ensemble(tiny(), scenarios, engine="respond", periods=30)
    both = ensemble(tiny(), scenarios, engine="bracket", periods=30)
    for k, scenario in enumerate(scenarios):
        answer = respond(tiny(), scenario, periods=30)
        run = simulate(tiny(), scenario, periods=30)
        assert _row(best, k)["best_periods_lost"] == answer.loss_in_periods
        assert _row(best, k)["periods_lost"] is None
        assert _row(both, k)["best_loss"] == answer.loss
        assert _row(both, k)["periods_lost"] == run.loss_in_periods
        assert _row(both, k)["is_comparable"] == bracket(answer, run).is_comparable
    # 1e-7: the tolerance of the solver
    assert (both.outcomes["best_periods_lost"] <= both.outcomes["periods_lost"] + 1e-7).all()


@pytest.mark.parametrize("engine", ["simulate", "cascade", "respond", "bracket"])
def test_a_year_in_which_nothing_strikes_loses_nothing(engine):
    calm = Scenario(name="calm", shocks=())
    result = ensemble(tiny(), [calm, *single_failures(tiny(), duration="4w")], engine=engine)
    row, other = _row(result), _row(result, 1)
    assert row[result.loss_column] == 0.0
    assert result.risk().mean >= 0.0
    # the same columns are filled, those of a missed period and of findings aside
    both = {k: (row[k] is None, other[k] is None) for k in row if k not in ("finding",)}
    assert all(a == b for k, (a, b) in both.items() if not k.startswith("time_to"))


def test_a_shock_that_changes_nothing_is_marked(robots):
    result = ensemble(robots, [Scenario.lose(region="AU", duration="12w")])
    assert _row(result)["finding"] == "W301"


def test_labels_of_hazards_name_what_contributes(robots):
    result = ensemble(robots, draw_years(HAZARDS, 60, period="week", seed=5))
    assert result.is_sample
    assert set(result.contributions(0.8)["target"]) <= {"quake", "flood", "region DE"}
    assert result.risk().mean_error > 0
    assert result.return_levels((2, 10, 50))["years"].to_list() == [2.0, 10.0, 50.0]


def test_the_expected_loss_is_that_of_all_ways_a_year_can_go():
    """Two hazards of fixed length at p = 0.3 and 0.2: four kinds of years, exactly weighed.

    When a hazard strikes does not change what is lost; the sample of 400 lies within 4 errors.
    """
    net = tiny()
    table = pl.DataFrame(
        {
            "node": ["STEEL@JP", "GEAR@HOME"],
            "probability": [0.3, 0.2],
            "share": [1.0, 0.5],
            "duration": [12, 3],
        }
    )
    one = Shock(node="STEEL@JP", duration=12.0)
    two = Shock(node="GEAR@HOME", share=0.5, duration=3.0)
    alone = [
        simulate(net, Scenario(name="x", shocks=(s,)), periods=120).loss_in_periods
        for s in (one, two)
    ]
    years = draw_years(table, 400, period="week", seed=2)
    single = [y for y in years if len(y.shocks) == 1]
    found = ensemble(net, single, periods=120).outcomes["periods_lost"].to_numpy()
    expected = [alone[0] if y.shocks[0].node == "STEEL@JP" else alone[1] for y in single]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_everything_unknown_is_said_before_anything_is_played(robots, monkeypatch):
    monkeypatch.setitem(ensemble_engines.ENGINES, "simulate", (None, {}))
    wrong = [
        Scenario.lose(region="JPP", name="a"),
        Scenario.lose(region="JP"),
        Scenario.lose(node="RV", name="b"),
    ]
    with pytest.raises(ScenarioError) as caught:
        ensemble(robots, wrong)
    assert [(f.code, f.what[:2]) for f in caught.value.findings] == [("E301", "a:"), ("E301", "b:")]
    assert caught.value.findings[0].suggestion == "JP"


def test_links_and_demand_cannot_cascade(firms):
    wrong = [
        Scenario.lose(link="mine>mill", name="road"),
        Scenario(name="slump", shocks=(Shock(region="DE", what="demand"),)),
    ]
    with pytest.raises(ScenarioError) as caught:
        ensemble(firms, wrong, engine="cascade")
    assert [f.code for f in caught.value.findings] == ["E302", "E302"]


def test_a_fault_on_the_way_names_the_scenario(monkeypatch):
    def fail(network, scenario, how):
        raise SolverError("no answer")

    monkeypatch.setitem(ensemble_engines.ENGINES, "respond", (fail, {}))
    with pytest.raises(SolverError, match="region JP loses 100% for 26w: no answer"):
        ensemble(tiny(), single_failures(tiny()), engine="respond")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"engine": "simulat"}, "Did you mean simulate"),
        ({"rules": "arioo"}, "Did you mean ario"),
        ({"eps": 0.0}, "eps"),
        ({"jobs": 0}, "jobs"),
        ({"jobs": 1.5}, "jobs"),
        ({"periods": 0}, "periods"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        ensemble(tiny(), single_failures(tiny()), **arguments)


def test_an_empty_set_is_refused():
    with pytest.raises(UsageError, match="no scenario"):
        ensemble(tiny(), [])


def test_a_loss_that_an_engine_does_not_give_is_refused(firms):
    result = ensemble(firms, every(firms, "nodes"), engine="cascade")
    with pytest.raises(UsageError, match="share_lost"):
        result.risk(column="periods_lost")


def test_progress_is_told_from_the_start_to_the_end():
    seen = []
    scenarios = every(tiny(), "nodes")
    ensemble(tiny(), scenarios, progress=lambda *state: seen.append(state))
    n = len(scenarios)
    assert seen == [("playing scenarios", k, n) for k in range(n + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["simulate", "cascade", "respond"])
def test_any_number_of_workers_gives_the_same_numbers(engine, robots):
    net = robots if engine != "respond" else tiny()
    scenarios = (
        draw_years(HAZARDS, 90, period="week", seed=3)
        if engine != "respond"
        else every(net, "nodes", duration="9w")
    )
    one = ensemble(net, scenarios, engine=engine, jobs=1)
    for jobs in (2, 3):
        assert ensemble(net, scenarios, engine=engine, jobs=jobs).outcomes.equals(one.outcomes)


@pytest.mark.slow
def test_an_economy_held_as_a_matrix_travels_to_the_workers():
    """Sixty cells; matrix products must not depend on who computes them."""
    rng = np.random.default_rng(4)
    regions, sectors = [f"R{i}" for i in range(6)], [f"s{i}" for i in range(10)]
    n = len(regions) * len(sectors)
    flows = rng.random((n, n)) / n
    nodes = pl.DataFrame(
        {"product": sectors * len(regions), "region": np.repeat(regions, len(sectors))}
    )
    final = np.full((n, 1), 1.0)
    net = build_economy(
        flows,
        final,
        {"nodes": nodes},
        pl.DataFrame({"region": ["R0"], "category": ["households"]}),
        Settings(lens="economy", home="R0", period="week"),
    )
    scenarios = every(net, "nodes", share=0.4, duration="4w")
    one = ensemble(net, scenarios, periods=20)
    assert one.outcomes["periods_lost"].min() > 0
    assert ensemble(net, scenarios, periods=20, jobs=2).outcomes.equals(one.outcomes)
