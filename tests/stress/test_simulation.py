"""One scenario, period by period: the numbers a user sees. The kernel has its own tests."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_measures as naive
from tiny_networks import from_plant, link, need, network, node, stock
from withstand.errors import ScenarioError, SolverError, UsageError
from withstand.examples import example, tiny
from withstand.model.scenario import Scenario, Shock, scenario_to_dict
from withstand.stress import simulate
from withstand.stress.rules import Rules

BASELINE = Scenario(name="baseline", shocks=())


def mill_and_plant(stock_periods=4.0, lead=1.0, spare=1.5, **settings):
    """A mill in JP makes 2 kg of steel for each of the plant's 10 gears a week."""
    return network(
        [
            node("MILL", "STEEL", "JP", capacity=20.0 * spare, price=6.0),
            node("PLANT", "GEAR", capacity=10.0 * spare, final_demand=10.0, price=50.0,
                 site="NORTH", company="ACME"),
        ],
        [need("GEAR", "STEEL", 2.0)],
        [link("MILL", lead_time=lead, route="STRAIT")],
        stocks=[stock("PLANT", "STEEL", stock_periods)],
        regions=[{"region": "HOME"}, {"region": "JP", "bloc": "ASIA"}],
        **settings,
    )  # fmt: skip


def mine_mill_plant(stocks=(2.0, 3.0), leads=(4.0, 5.0)):
    """Ore, then steel, then gears, one each; ore and steel are stocked and take their time."""
    return network(
        [
            node("MINE", "ORE", "AU", capacity=30.0),
            node("MILL", "STEEL", "JP", capacity=20.0),
            node("PLANT", "GEAR", capacity=15.0, final_demand=10.0),
        ],
        [need("STEEL", "ORE"), need("GEAR", "STEEL")],
        [link("MINE", lead_time=leads[0]), link("MILL", lead_time=leads[1])],
        stocks=[stock("MILL", "ORE", stocks[0]), stock("PLANT", "STEEL", stocks[1])],
        assume_recipe="shared",
    )


def two_products(prices=(10.0, 30.0)):
    """Two plants serve 10 each, at different prices, each from its own country."""
    return network(
        [
            node("F", "F", final_demand=10.0, price=prices[0]),
            node("G", "G", final_demand=10.0, price=prices[1]),
        ]
    )


# --- time to survive, time to recover, loss: by hand -----------------------------------------


@pytest.mark.parametrize("lead", [1, 2, 5])
@pytest.mark.parametrize("stock_periods", [0, 1, 4])
def test_a_plant_survives_as_long_as_its_stock_and_what_is_under_way(stock_periods, lead):
    run = simulate(mill_and_plant(stock_periods, lead), Scenario.lose(region="JP", duration=6))
    assert run.time_to_survive == stock_periods + lead
    assert run.time_to_recover == 6 + lead
    assert run.loss_in_periods == pytest.approx(6 - stock_periods)
    assert run.loss == pytest.approx((6 - stock_periods) * 10 * 50)


def test_times_are_counted_from_the_first_period_in_which_something_is_lost():
    shocks = (
        Shock(region="JP", share=0.0),  # takes nothing
        Shock(region="JP", start=10, duration=6),
    )
    run = simulate(mill_and_plant(), Scenario(name="x", shocks=shocks))
    assert (run.time_to_survive, run.time_to_recover) == (5, 7)
    assert run.met[:15].tolist() == [1.0] * 15
    assert run.met[15] == 0.0


def test_a_short_shock_is_covered_by_the_stock():
    run = simulate(mill_and_plant(), Scenario.lose(region="JP", duration=4))
    assert (run.time_to_survive, run.time_to_recover, run.loss) == (None, 0, 0.0)
    assert run.summary() == (
        f"region JP loses 100% for 4 periods: final demand is met throughout {run.n_periods} weeks."
    )
    assert run.findings == ()  # the mill did stop


def test_a_shock_without_an_end_is_never_recovered():
    run = simulate(mill_and_plant(), Scenario.lose(region="JP"))
    assert run.n_periods >= 2 * 52
    assert run.time_to_survive == 5
    assert run.time_to_recover is None
    assert run.met[5:].max() == 0.0
    assert f"not within {run.n_periods} weeks" in run.summary()


def test_along_a_chain_stocks_and_lead_times_add_up():
    run = simulate(mine_mill_plant(), Scenario.lose(region="AU", duration=8))
    assert run.time_to_survive == 2 + 4 + 3 + 5
    assert run.time_to_recover == 8 + 4 + 5
    assert run.loss_in_periods == pytest.approx(8 - 2 - 3)


def test_the_default_horizon_is_long_enough_for_a_deep_chain():
    # Each lead time is short, all together are not: the last tier feels it after 60 weeks.
    n = 12
    net = network(
        [node(f"n{i}", f"P{i}", capacity=20.0, final_demand=10.0 if i == 0 else 0.0)
         for i in range(n)],
        [need(f"P{i}", f"P{i + 1}") for i in range(n - 1)],
        [link(f"n{i}", lead_time=4.0) for i in range(1, n)],
        stocks=[stock(f"n{i}", f"P{i + 1}", 2.0) for i in range(n - 1)],
    )  # fmt: skip
    run = simulate(net, Scenario.lose(node=f"n{n - 1}", duration=30))
    assert run.time_to_survive == 11 * (4 + 2)
    assert run.loss_in_periods == pytest.approx(30 - 22)
    assert run.time_to_recover == 30 + 11 * 4


def test_half_a_supply_drains_the_stock_half_as_fast():
    net = network(
        [node("A", "S", "X"), node("B", "S", "Y"), node("F", "F", final_demand=10.0)],
        [need("F", "S")],
        [link("A", share=0.5), link("B", share=0.5)],
        stocks=[stock("F", "S", 4.0)],
    )
    run = simulate(net, Scenario.lose(region="X"))
    assert run.time_to_survive == 1 + 8  # B makes all it can: half
    assert run.met[9:] == pytest.approx(0.5)
    assert run.time_to_recover is None


def test_hours_stop_at_once():
    net = network(
        [node("CREW", "SK", capacity=100.0), node("F", "F", final_demand=10.0, capacity=20.0)],
        [need("F", "SK", 4.0)],
        products=[{"product": "F", "kind": "product"}, {"product": "SK", "kind": "skill"}],
    )
    run = simulate(net, Scenario.lose(node="CREW", share=0.75, duration=2))
    # 100 hours are there, 40 are needed: of the 25 left 6.25 gears can be made.
    assert run.output[:3, 1] == pytest.approx([6.25, 6.25, 10.0])
    assert run.time_to_survive == 0
    assert run.summary().startswith(
        "node CREW loses 75% for 2 periods: final demand is first missed at once and met again "
        "after 2 weeks; 0.8 weeks of demand are lost."
    )


def test_one_week_is_one_week():
    run = simulate(mill_and_plant(0, 1), Scenario.lose(region="JP", duration=1))
    assert "first missed after 1 week and met again after 2 weeks" in run.summary()


def test_scarce_output_is_shared_in_proportion():
    net = network(
        [node("S", "S", "X"), node("F", "F", final_demand=6.0), node("G", "G", final_demand=2.0)],
        [need("F", "S"), need("G", "S")],
        [link("S")],
    )
    run = simulate(net, Scenario.lose(region="X", share=0.25), periods=4)
    assert run.output[2] == pytest.approx([6.0, 4.5, 1.5])


def test_recovery_brings_capacity_back_along_its_curve():
    net = network([node("F", "F", final_demand=10.0)])
    run = simulate(net, Scenario.lose(node="F", duration=2, recovery=3), periods=7)
    assert run.output[:, 0] == pytest.approx([0, 0, 2.5, 5, 7.5, 10, 10])
    assert run.loss_in_periods == pytest.approx(1 + 1 + 0.75 + 0.5 + 0.25)


@pytest.mark.parametrize(
    ("lead", "lag", "periods"),
    [(1.0, 0.0, 1), (0.0, 0.0, 1), (1.4, 0.0, 1), (2.6, 0.0, 3), (2, 3, 5)],
)
def test_lead_times_and_recipe_lags_are_added_and_rounded_to_whole_periods(lead, lag, periods):
    net = network(
        [node("MILL", "STEEL", "JP"), node("PLANT", "GEAR", final_demand=10.0)],
        [need("GEAR", "STEEL", lag=lag)],
        [link("MILL", lead_time=lead)],
    )
    assert simulate(net, Scenario.lose(region="JP")).time_to_survive == periods


# --- each kind of shock, and each period -----------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "survives"),
    [
        ({"region": "JP"}, 5),
        ({"bloc": "ASIA"}, 5),
        ({"node": "MILL"}, 5),
        ({"product": "STEEL"}, 5),
        ({"link": "MILL>PLANT"}, 5),
        ({"route": "STRAIT"}, 5),
        ({"site": "NORTH"}, 0),
        ({"company": "ACME"}, 0),
        ({"product": "GEAR", "region": "HOME"}, 0),
    ],
)
def test_each_kind_of_target_stops_what_it_names(targets, survives):
    run = simulate(mill_and_plant(), Scenario.lose(**targets, duration=6))
    assert run.time_to_survive == survives
    assert run.loss_in_periods == pytest.approx(6.0 if survives == 0 else 2.0)


def test_demand_that_goes_away_is_no_loss():
    shock = Shock(product="GEAR", share=0.4, duration=3, what="demand")
    run = simulate(mill_and_plant(), Scenario(name="slump", shocks=(shock,)), periods=6)
    assert run.output[:, 1] == pytest.approx([6, 6, 6, 10, 10, 10])
    assert run.demand[:, 1] == pytest.approx([6, 6, 6, 10, 10, 10])
    assert (run.loss, run.time_to_survive, run.met.min()) == (0.0, None, 1.0)


def test_shocks_on_one_node_multiply():
    net = network([node("F", "F", "X", final_demand=8.0)], home=None)
    shocks = (Shock(node="F", share=0.5), Shock(region="X", share=0.5, start=1))
    run = simulate(net, Scenario(name="both", shocks=shocks), periods=3)
    assert run.output[:, 0] == pytest.approx([4.0, 2.0, 2.0])


@pytest.mark.parametrize(
    ("period", "duration", "periods"), [("week", "6w", 6), ("day", "1w", 7), ("month", "1y", 12)]
)
def test_durations_follow_the_period_of_the_network(period, duration, periods):
    run = simulate(mill_and_plant(period=period), Scenario.lose(region="JP", duration=duration))
    assert run.loss_in_periods == pytest.approx(periods - 4)
    assert f"{periods + 1} {period}s" in run.summary()


# --- several products, prices ----------------------------------------------------------------


def test_what_is_met_is_weighted_by_value():
    run = simulate(two_products(), Scenario.lose(node="G", duration=3), periods=5)
    assert run.met == pytest.approx([0.25, 0.25, 0.25, 1.0, 1.0])
    assert run.loss == pytest.approx(3 * 10 * 30)
    assert run.loss_in_periods == pytest.approx(3 * 0.75)


def test_without_prices_units_are_added_up():
    run = simulate(two_products((None, None)), Scenario.lose(node="G", duration=3), periods=5)
    assert run.met == pytest.approx([0.5, 0.5, 0.5, 1.0, 1.0])
    assert run.loss == 0.0
    assert run.loss_in_periods == pytest.approx(1.5)


def test_a_product_without_a_price_has_no_value_to_lose_but_is_missed():
    run = simulate(two_products((10.0, None)), Scenario.lose(node="G", start=2, duration=3))
    assert run.met.min() == 1.0
    assert run.loss == 0.0
    assert (run.time_to_survive, run.time_to_recover) == (0, 3)


def test_unmet_value_counts_where_it_is_given():
    net = network([node("F", "F", final_demand=10.0, price=5.0, unmet_value=8.0)])
    assert simulate(net, Scenario.lose(node="F", duration=2)).loss == pytest.approx(160.0)


# --- at rest, and what is conserved ----------------------------------------------------------


@pytest.mark.parametrize("rule", ["none", "shared"])
@pytest.mark.parametrize(
    "shock",
    [
        None,
        Shock(region="CN", share=0.0),
        Shock(link="LCD@CN>PENDANT@HOME", share=0.0),
        Shock(product="ROBOT", share=0.0, what="demand"),
    ],
)
def test_without_a_shock_the_robot_maker_stays_at_rest(rule, shock):
    net = example("robot_maker").under_rule(rule)
    scenario = Scenario(name="nothing", shocks=(shock,) if shock else ())
    run = simulate(net, scenario, periods=200)
    scale = np.maximum(net.output, 1e-9)
    assert np.abs(run.output / scale - net.output / scale).max() < 1e-9
    assert run.unmet.max() < 1e-9
    assert np.abs(run.stock - net.input_stock).max() < 1e-9 * net.input_stock.max()
    assert run.residual < 1e-9


@pytest.mark.parametrize("rule", ["none", "shared"])
@pytest.mark.parametrize("region", ["CN", "JP", "DE"])
def test_nothing_is_created_when_the_robot_maker_loses_a_region(rule, region):
    net = example("robot_maker").under_rule(rule)
    run = simulate(net, Scenario.lose(region=region, duration="26w", recovery="8w"))
    assert run.residual < 1e-9
    assert run.stock.min() >= 0.0
    assert run.output.min() >= 0.0
    assert (run.output <= net.capacity * (1 + 1e-9)).all()
    assert (run.unmet <= run.demand * (1 + 1e-9)).all()


def test_a_shock_that_changes_nothing_is_suspicious():
    run = simulate(mill_and_plant(), Scenario.lose(region="JP", share=0.2, duration=4))
    (finding,) = run.findings  # the mill has a third of its capacity to spare
    assert finding.code == "W301"
    assert finding.what == "region JP loses 20% for 4 periods: no output changed in any period"
    assert simulate(mill_and_plant(), BASELINE).findings == ()


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(1e-2, 1e2), share=st.floats(0, 1))
def test_quantities_and_currency_scale_what_they_should(seed, factor, share):
    rng = np.random.default_rng(seed)
    plant = naive.random_plant(rng)
    plant.price = {n: float(rng.uniform(50, 60)) for n in plant.nodes}
    for label in plant.nodes:
        plant.capacity.setdefault(label, 1.0)
    scenario = Scenario.lose(region="HOME", share=share, duration=5, recovery=2)
    one = simulate(from_plant(plant), scenario)
    plant.price = {n: p * factor for n, p in plant.price.items()}
    dearer = simulate(from_plant(plant), scenario)
    assert dearer.loss == pytest.approx(one.loss * factor)
    assert dearer.met == pytest.approx(one.met)
    plant.demand = {p: d * factor for p, d in plant.demand.items()}
    plant.capacity = {n: c * factor for n, c in plant.capacity.items()}
    larger = simulate(from_plant(plant), scenario)
    assert larger.output == pytest.approx(one.output * factor, abs=1e-6 * factor)
    assert larger.met == pytest.approx(one.met, abs=1e-6)
    assert larger.residual < 1e-9


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.1, 1))
def test_the_order_of_rows_changes_nothing(seed, share):
    rng = np.random.default_rng(seed)
    plant = naive.random_plant(rng)
    scenario = Scenario.lose(region="HOME", share=share, duration=5, recovery=2)
    one, other = (simulate(net, scenario) for net in (from_plant(plant), from_plant(plant, rng)))
    assert one.met == pytest.approx(other.met, abs=1e-9)
    frames = [r.node_frame().sort("node").drop("first_fall") for r in (one, other)]
    for name in ("periods_lost", "lowest_output"):
        assert frames[0][name].to_numpy() == pytest.approx(frames[1][name].to_numpy(), abs=1e-9)


def test_slower_refilling_takes_longer():
    scenario = Scenario.lose(region="JP", duration=4)
    at_once = simulate(mill_and_plant(), scenario, periods=40)
    slowly = simulate(mill_and_plant(), scenario, periods=40, rules=Rules(stock_adjustment=8.0))
    assert at_once.stock[12, 0] == pytest.approx(80.0)
    assert at_once.stock[12, 0] > slowly.stock[12, 0] + 1.0
    assert slowly.stock[39, 0] == pytest.approx(80.0, rel=0.1)


# --- tables ----------------------------------------------------------------------------------


def test_the_time_line_has_a_row_a_period_and_says_what_bound():
    frame = simulate(mill_and_plant(), Scenario.lose(region="JP", duration=6)).to_frame()
    assert frame.columns == ["period", "met", "mean_output", "unmet", "loss", "limited_by"]
    assert frame["limited_by"].to_list()[4:8] == ["", "STEEL", "STEEL", ""]
    assert frame["unmet"].to_list()[4:8] == pytest.approx([0, 10, 10, 0])
    assert frame["loss"].sum() == pytest.approx(1000.0)
    assert frame["mean_output"][0] == pytest.approx(0.5)  # the mill has stopped, the plant not
    own = simulate(mill_and_plant(), Scenario.lose(site="NORTH", duration=1)).to_frame()
    assert own["limited_by"][0] == "capacity"


def test_the_node_that_misses_most_says_what_bound():
    net = network(
        [node("F", "F", final_demand=1.0, price=1.0), node("G", "G", final_demand=9.0, price=1.0),
         node("A", "A", "X"), node("B", "B", "X")],
        [need("F", "A"), need("G", "B")],
        [link("A"), link("B")],
    )  # fmt: skip
    frame = simulate(net, Scenario.lose(region="X"), periods=3).to_frame()
    assert frame["limited_by"].to_list() == ["", "B", "B"]


def test_nodes_are_listed_by_what_they_lost():
    frame = simulate(mill_and_plant(), Scenario.lose(region="JP", duration=6)).node_frame()
    assert frame.columns == [
        "node", "product", "region", "periods_lost", "lowest_output", "first_fall",
    ]  # fmt: skip
    assert frame.row(0) == ("MILL", "STEEL", "JP", pytest.approx(6.0), 0.0, 0)
    assert frame.row(1) == ("PLANT", "GEAR", "HOME", pytest.approx(2.0), 0.0, 5)
    calm = simulate(mill_and_plant(), BASELINE, periods=3).node_frame()
    assert calm["first_fall"].to_list() == [None, None]


def test_stocks_that_run_out_are_listed_earliest_first():
    run = simulate(mine_mill_plant(), Scenario.lose(region="AU", duration=8))
    out = run.stocks_run_out()
    assert out["buyer"].to_list() == ["MILL", "PLANT"]
    assert out["input"].to_list() == ["ORE", "STEEL"]
    # The end of the last period in which the stock still sufficed.
    assert out["period"].to_list() == [4 + 2 - 1, 4 + 2 + 5 + 3 - 1]
    assert out["stock_at_rest"].to_list() == pytest.approx([20.0, 30.0])


def test_a_stock_that_holds_is_not_listed():
    run = simulate(mill_and_plant(), Scenario.lose(region="JP", duration=3))
    assert run.stocks_run_out().height == 0


def test_frames_are_polars_and_pandas_on_demand():
    run = simulate(tiny(), Scenario.lose(region="JP", duration=4))
    assert isinstance(run.to_frame(), pl.DataFrame)
    assert run.to_pandas().shape == run.to_frame().shape


def test_the_run_says_what_was_played():
    scenario = Scenario.lose(region="JP", duration="6w", recovery=2, curve="s-shaped")
    provenance = simulate(mill_and_plant(), scenario, periods=20).provenance
    assert provenance.to_dict()["parameters"] == {
        "scenario": scenario_to_dict(scenario),
        "periods": 20,
        "rules": {},
    }
    assert provenance.fingerprint == mill_and_plant().fingerprint()


# --- too large, and wrong use ----------------------------------------------------------------


def test_inputs_are_not_recorded_where_they_would_not_fit(monkeypatch):
    monkeypatch.setattr("withstand.stress.simulation.LARGEST_INPUT_RECORD", 10)
    run = simulate(mill_and_plant(), Scenario.lose(region="JP", duration=6))
    assert run.stock.shape == (0, 1)
    assert np.isnan(run.residual)
    assert run.time_to_survive == 5
    assert run.why("PLANT")["node"].to_list() == ["PLANT", "MILL"]
    with pytest.raises(UsageError, match="Stocks were not recorded"):
        run.stocks_run_out()


def test_a_horizon_that_would_not_fit_in_memory_is_refused():
    with pytest.raises(UsageError, match="do not fit in memory"):
        simulate(mill_and_plant(), Scenario.lose(region="JP"), periods=10**9)


@pytest.mark.parametrize("periods", [0, -1, 2.5, "12", True])
def test_periods_are_a_whole_number(periods):
    with pytest.raises(UsageError, match="periods must be a whole number of at least 1"):
        simulate(tiny(), BASELINE, periods=periods)


def test_periods_may_come_from_numpy():
    assert simulate(tiny(), BASELINE, periods=np.int64(3)).n_periods == 3


def test_an_unknown_region_is_named_with_the_nearest():
    with pytest.raises(ScenarioError, match="Did you mean JP") as error:
        simulate(tiny(), Scenario.lose(region="JPN"))
    assert error.value.findings[0].code == "E301"


def test_hours_that_need_each_other_are_refused():
    net = network(
        [node("a", "A", final_demand=1.0), node("b", "B")],
        [need("A", "B", 0.5, use="hours"), need("B", "A", 0.5, use="hours")],
        [link("a"), link("b")],
        lens="economy",
    )
    with pytest.raises(SolverError, match="in a circle within one period"):
        simulate(net, BASELINE)
