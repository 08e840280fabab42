"""Economies played on their matrix of flows: the same numbers as on links, and what must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dense_cases
from withstand.errors import ScenarioError, UsageError
from withstand.kernels.dynamics_memory import new_record
from withstand.model.economy import build_economy, in_links
from withstand.model.hits import resolve
from withstand.model.scenario import Scenario, Shock
from withstand.model.settings import Settings
from withstand.stress import horizons, simulate
from withstand.stress.dense_arrays import dense_obstacle, slowest_path
from withstand.stress.dense_blocks import dense_player
from withstand.stress.dense_simulation import blocks, simulate_dense
from withstand.stress.rules import PRESETS, Rules

seeds = st.integers(0, 10**6)
N_PERIODS = 16
KEPT = ("output", "unmet", "limited_by", "alpha", "stock", "received", "used")
BASELINE = Scenario(name="baseline", shocks=())


def record_of(network, scenario, rules, n_periods=N_PERIODS):
    """Return everything that the dense path records."""
    network = network.settled
    player = dense_player(network, rules, resolve(scenario, network, n_periods), n_periods)
    record = new_record(network, n_periods, KEPT)
    player.play(record, 0, n_periods)
    return record


def on_links(network):
    """Return the same economy without its matrix, which the engine for links must play."""
    return replace(network.settled, flow_table=None)


def size_of(network):
    return 1.0 + network.output.max() + network.input_stock.max(initial=0.0)


def two_regions(stock_periods=2.0):
    """Steel from two regions, half each, goes into cars of one; cars are for households."""
    nodes = pl.DataFrame(
        {
            "product": ["steel", "steel", "cars"],
            "region": ["DE", "FR", "DE"],
            "capacity": [8, 4, 12],
        }
    )
    flows = np.array([[0, 0, 4.0], [0, 0, 4.0], [0, 0, 0]])
    final = np.array([[0.0], [0.0], [10.0]])
    stocks = pl.DataFrame({"node": ["*"], "product": ["steel"], "periods_of_use": [stock_periods]})
    columns = pl.DataFrame({"region": ["DE"], "category": ["households"]})
    return build_economy(
        flows, final, {"nodes": nodes, "stocks": stocks}, columns,
        Settings(lens="economy", period="day"),
    )  # fmt: skip


def test_cars_run_short_of_steel_period_by_period():
    """German steel stops for three days; cars hold one day of steel, orders follow use.

    Steel at hand is stock + arrivals; 8 of it make 10 cars. Orders = use + (16 - stock - shipped),
    half to each supplier, who make at most 8 and 4.

    day          0    1    2    3    4    5
    at hand     16   12    8    4   12   12
    cars        10   10   10    5   10   10
    stock        8    4    0    0    4    4
    DE ships     0    0    0    8    4    6
    FR ships     4    4    4    4    4    4
    order       12   16   20    8   12   10
    """
    rules = Rules(inputs="leontief", orders="made")
    record = record_of(two_regions(1.0), Scenario.lose(node="steel@DE", duration=3), rules, 6)
    assert record.output[:, 2] == pytest.approx([10, 10, 10, 5, 10, 10])
    assert record.output[:, 0] == pytest.approx([0, 0, 0, 8, 4, 6])
    assert record.output[:, 1] == pytest.approx([4, 4, 4, 4, 4, 4])
    assert record.stock[:, 0] == pytest.approx([8, 4, 0, 0, 4, 4])
    assert record.unmet[:, 2] == pytest.approx([0, 0, 0, 5, 0, 0])
    assert record.limited_by[:, 2].tolist() == [-1, -1, -1, 0, -1, -1]
    assert record.limited_by[:3, 0].tolist() == [-2, -2, -2]


@settings(max_examples=120)
@given(seed=seeds)
def test_matrix_and_links_give_the_same_numbers_under_every_rule(seed):
    rng = np.random.default_rng(seed)
    network = dense_cases.economy(rng).settled
    scenario, rules = dense_cases.scenario(rng, network), dense_cases.rules(rng)
    names = ("output", "unmet", "limited_by", "alpha", "stock")
    links = simulate(
        on_links(network), scenario, periods=N_PERIODS, rules=rules, record=list(names)
    )
    dense = record_of(network, scenario, rules)
    together = simulate_dense(network, [scenario, BASELINE], periods=N_PERIODS, rules=rules)
    close = 1e-10 * size_of(network)
    for name in ("output", "unmet", "alpha", "stock"):
        np.testing.assert_allclose(getattr(dense, name), getattr(links, name), rtol=0, atol=close)
    np.testing.assert_array_equal(dense.limited_by, links.limited_by)
    summed = close * network.n_nodes * N_PERIODS
    np.testing.assert_allclose(together.loss[0], links.loss, rtol=0, atol=summed)
    np.testing.assert_allclose(together.output[:, 0], links.output.sum(axis=1), atol=summed)
    np.testing.assert_allclose(together.node_unmet[:, 0], links.unmet.sum(axis=0), atol=summed)
    np.testing.assert_array_equal(together.is_short[:, 0], links.totals.is_short)
    np.testing.assert_array_equal(together.is_changed[:, 0], links.totals.is_moved)
    np.testing.assert_allclose(together.met[:, 0], links.met, rtol=0, atol=1e-9)


@settings(max_examples=60)
@given(seed=seeds)
def test_what_is_shipped_arrives_and_nothing_else(seed):
    """Of every product: output less met final demand = what its buyers receive a period later."""
    rng = np.random.default_rng(seed)
    network = dense_cases.economy(rng).settled
    lose = Scenario.lose(node=str(network.node_labels[0]), share=0.8, duration=4)
    record = record_of(network, lose, dense_cases.rules(rng))
    met = np.maximum(network.final_demand, 0.0) - record.unmet
    shipped, received = np.zeros((2, N_PERIODS, network.n_products))
    np.add.at(shipped.T, network.node_product, (record.output - met).T)
    np.add.at(received.T, network.input_product, record.received.T)
    close = 1e-10 * size_of(network) * network.n_nodes
    np.testing.assert_allclose(shipped[:-1], received[1:], rtol=0, atol=close)
    now = record.stock[:-1] + record.received[1:] - record.used[1:]
    np.testing.assert_allclose(now, record.stock[1:], rtol=0, atol=close)
    assert (record.stock >= 0).all()


@settings(max_examples=60)
@given(seed=seeds, preset=st.sampled_from([*PRESETS]))
def test_without_a_shock_a_balanced_economy_stays_at_rest(seed, preset):
    network = dense_cases.economy(np.random.default_rng(seed), is_balanced=True)
    record = record_of(network, BASELINE, PRESETS[preset], 60)
    rest = np.broadcast_to(network.output, record.output.shape)
    np.testing.assert_allclose(record.output, rest, atol=1e-9 * size_of(network))
    np.testing.assert_allclose(record.unmet, 0.0, atol=1e-9 * size_of(network))


@settings(max_examples=40)
@given(seed=seeds)
def test_an_economy_in_other_units_gives_the_same_run(seed):
    def run(scale):
        rng = np.random.default_rng(seed)
        network = dense_cases.economy(rng, scale=scale).settled
        scenario, rules = dense_cases.scenario(rng, network), dense_cases.rules(rng)
        return network, record_of(network, scenario, rules).output

    (network, output), (_, larger) = run(1.0), run(4096.0)  # a power of two: no rounding
    np.testing.assert_allclose(larger / 4096.0, output, rtol=0, atol=1e-12 * size_of(network))


@settings(max_examples=15)
@given(seed=seeds)
def test_company_block_and_threads_change_no_bit(seed):
    rng = np.random.default_rng(seed)
    network, rules = dense_cases.economy(rng), dense_cases.rules(rng)
    scenarios = [dense_cases.scenario(rng, network) for _ in range(43)]

    def play(some, **how):
        return simulate_dense(network, some, periods=N_PERIODS, rules=rules, **how)

    whole = play(scenarios)
    for other in (play(scenarios, lanes=8), play(scenarios, lanes=32), play(scenarios, jobs=3)):
        for name, values in vars(whole).items():
            np.testing.assert_array_equal(getattr(other, name), values)
    alone = play(scenarios[40:41])
    np.testing.assert_array_equal(alone.node_output[:, 0], whole.node_output[:, 40])
    np.testing.assert_array_equal(alone.unmet[:, 0], whole.unmet[:, 40])


def test_outcomes_say_what_a_simulation_says():
    network = two_regions()
    scenarios = [
        Scenario.lose(node="steel@DE", start=1, duration=4),
        Scenario.lose(node="steel@FR", share=0.1, duration=1),
        Scenario(name="nothing", shocks=(Shock(node="steel@FR", share=0.0),)),
    ]
    rules = Rules(inputs="leontief")
    rows = simulate_dense(network, scenarios, periods=12, rules=rules).outcomes()
    for row, scenario in zip(rows, scenarios, strict=True):
        run = simulate(on_links(network), scenario, periods=12, rules=rules)
        assert row == {
            "loss": pytest.approx(run.loss),
            "periods_lost": pytest.approx(run.loss_in_periods),
            "time_to_survive": run.time_to_survive,
            "time_to_recover": run.time_to_recover,
            "is_changed": not run.findings,
        }


@settings(max_examples=30)
@given(seed=seeds)
def test_the_slowest_path_is_that_of_the_links(seed):
    network = dense_cases.economy(np.random.default_rng(seed)).settled
    by_links = horizons._slowest_path(on_links(network))
    assert slowest_path(network) == pytest.approx(by_links, rel=1e-12)


def test_progress_counts_periods_of_scenarios():
    seen = []
    simulate_dense(
        two_regions(), [BASELINE] * 9, periods=3, lanes=8,
        progress=lambda done, every: seen.append((done, every)),
    )  # fmt: skip
    assert seen[-1] == (27, 27)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_blocks_hold_every_scenario_once():
    for count in (0, 1, 7, 8, 100, 105, 1000):
        for lanes in (8, 104):
            for jobs in (1, 2, 3):
                parts = blocks(count, lanes, jobs)
                taken = [k for part in parts for k in range(part.start, part.stop)]
                assert taken == list(range(count))
                assert all(part.stop - part.start <= lanes for part in parts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reroute": True}, "reroute"),
        ({"priority": ("cars@DE",)}, "priority"),
    ],
)
def test_rules_that_need_links_are_refused_with_a_reason(change, said):
    rules = replace(Rules(), **change)
    assert said in dense_obstacle(two_regions(), rules)
    with pytest.raises(UsageError, match=said):
        simulate_dense(two_regions(), [BASELINE], periods=2, rules=rules)


def test_networks_of_links_shocks_to_links_and_finished_goods_need_links():
    network = two_regions()
    cut = Scenario(name="cut", shocks=(Shock(link="steel@DE>cars@DE"),))
    assert dense_obstacle(network, Rules()) == ""
    assert "no matrix" in dense_obstacle(in_links(network), Rules())
    assert "hits links" in dense_obstacle(network, Rules(), resolve(cut, network, 3))
    held = pl.DataFrame({"node": ["cars@DE"], "product": ["cars"], "periods_of_use": [2.0]})
    assert "what they make" in dense_obstacle(network.with_changes({"stocks": held}), Rules())
    assert dense_player(in_links(network), Rules(), [], 3) is None


def test_bad_arguments_are_refused():
    with pytest.raises(UsageError, match="whole number"):
        simulate_dense(two_regions(), [BASELINE], periods=0)
    with pytest.raises(ScenarioError):
        simulate_dense(two_regions(), [Scenario.lose(region="XX")], periods=2)
    assert simulate_dense(two_regions(), [], periods=2).outcomes() == []


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["default", "ario", "pichler"])
def test_the_world_of_2011_without_german_cars_gives_numbers(data_dir, preset):
    """WIOD does not balance to the last dollar; its rest is where the links' engine has it."""
    frame = pl.read_parquet(data_dir / "wiod2013" / "wiot_2011.parquet")
    cells = frame["cell"].to_list()
    finals = [c for c in frame.columns if c.startswith("Y_")]
    separator = "." if "." in cells[0] else "_"
    split = [cell.split(separator, 1) for cell in cells]
    network = build_economy(
        frame.select(cells).to_numpy().astype(float) / 365.0,
        frame.select(finals).to_numpy().astype(float) / 365.0,
        {
            "nodes": pl.DataFrame(
                {
                    "product": [sector for _, sector in split],
                    "region": [region for region, _ in split],
                    "output": frame["x"].cast(pl.Float64) / 365.0,
                }
            ),
            "stocks": pl.DataFrame(
                {"node": "*", "product": sorted({s for _, s in split}), "periods_of_use": 30.0}
            ),
        },
        pl.DataFrame({"region": [c[2:5] for c in finals], "category": [c[6:] for c in finals]}),
        Settings(lens="economy", period="day"),
    )
    sector = next(s for _, s in split if "15" in s)
    lose = Scenario.lose(region="DEU", product=sector, duration=1)
    run = simulate_dense(network, [lose, BASELINE], periods=60, rules=preset)
    assert all(np.isfinite(values).all() for values in vars(run).values())
    assert run.loss[0] > run.loss[1]
    total = network.output.sum()
    assert 0.9 * total < run.output.min() <= run.output.max() < 1.1 * total
    np.testing.assert_allclose(run.output[0, 1], total, rtol=0.01)
