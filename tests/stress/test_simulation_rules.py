"""Rules of a simulation as a user states them: presets, named buyers, finished goods, switching."""

from __future__ import annotations

import numpy as np
import pytest

import naive_response as naive
from dynamics_cases import RATIONING
from thoroughness import some_of
from tiny_networks import link, need, network, node, stock
from withstand.errors import UsageError
from withstand.model.scenario import Scenario
from withstand.stress import bracket, respond, simulate
from withstand.stress.arrays import finished_goods, network_arrays, rules_to_arrays
from withstand.stress.rules import PRESETS, Rules, rules_of, rules_to_dict, with_rules


def mill_and_plants(**settings):
    """A mill in JP makes 10 of steel for each of two plants, which hold none."""
    return network(
        [
            node("MILL", "STEEL", "JP", capacity=20.0, price=6.0),
            node("NORTH", "GEAR", capacity=10.0, final_demand=10.0, price=50.0),
            node("SOUTH", "GEAR", capacity=10.0, final_demand=10.0, price=50.0),
        ],
        [need("GEAR", "STEEL")],
        [link("MILL")],
        **settings,
    )


def two_mills(switch=None):
    """A plant buys 10 of steel from JP; a mill at home, which makes 3 of 8, could serve it too."""
    extra = {} if switch is None else {"switch_periods": switch}
    return network(
        [
            node("JP", "STEEL", "JP", capacity=30.0),
            node("OWN", "STEEL", capacity=8.0, final_demand=3.0),
            node("PLANT", "GEAR", capacity=10.0, final_demand=10.0),
        ],
        [need("GEAR", "STEEL")],
        [link("JP", "PLANT", 1.0), link("OWN", "PLANT", 0.0, **extra)],
    )


# --- rules as values ---------------------------------------------------------------------------


def test_times_of_presets_are_days_and_become_periods_of_the_network():
    assert rules_of("ario", "day").alpha_periods == 365.0
    weekly = rules_of("ario", "week")
    assert (weekly.stock_adjustment, weekly.alpha_periods) == pytest.approx((60 / 7, 365 / 7))
    assert rules_of("inoue_todo", "month").stock_adjustment == 1.0  # not in less than a period
    assert rules_of("default", "year") == Rules()
    own = Rules(stock_adjustment=3.0)
    assert rules_of(own, "year") is own  # in periods already


def test_a_run_says_which_rules_it_was_played_by():
    run = simulate(mill_and_plants(), Scenario.lose(region="JP", duration=2), rules="pichler")
    assert run.provenance.parameters["rules"] == {"stock_adjustment": pytest.approx(10 / 7)}
    assert run.rules == rules_of("pichler", "week")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_rules_survive_as_plain_values(name):
    rules = rules_of(name, "week")
    assert with_rules("default", rules_to_dict(rules)) == rules


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rationing": "final_frist"}, "Did you mean final_first"),
        ({"targets": "rset"}, "Did you mean rest"),
        ({"psi": 1.5}, "psi must be a number from 0 to 1"),
        ({"stock_adjustment": 0.5}, "stock_adjustment must be a number from 1"),
        ({"stock_adjustment": float("nan")}, "stock_adjustment must be a number from 1"),
        ({"alpha_max": True}, "alpha_max must be a number"),
        ({"alfa_max": 1.2}, "There is no rule 'alfa_max'. Did you mean alpha_max"),
    ],
)
def test_rules_that_cannot_be_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        with_rules("default", values)


def test_an_unknown_preset_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean ario"):
        simulate(mill_and_plants(), Scenario.lose(region="JP"), rules="aroi")


def test_slow_refilling_is_given_time_to_show():
    scenario = Scenario.lose(region="JP", duration=4)
    usual = simulate(mill_and_plants(), scenario).n_periods
    slow = simulate(mill_and_plants(), scenario, rules=Rules(stock_adjustment=11.0)).n_periods
    assert slow == usual + 30


# --- who is served -----------------------------------------------------------------------------


def test_a_named_buyer_is_served_before_the_others():
    """Half of the steel is there: the first plant gets 10 of 10, the second nothing."""
    half = Scenario.lose(region="JP", share=0.5, duration=1)
    run = simulate(mill_and_plants(), half, periods=3, rules=Rules(priority=("SOUTH",)))
    assert run.output[1].tolist() == [20, 0, 10]
    alike = simulate(mill_and_plants(), half, periods=3)
    assert alike.output[1, 1:].tolist() == [5, 5]


def test_a_named_buyer_that_is_no_node_is_refused():
    with pytest.raises(UsageError, match=r"'NORHT', which is no node\. Did you mean NORTH"):
        simulate(mill_and_plants(), Scenario.lose(region="JP"), rules=Rules(priority=("NORHT",)))


# --- finished goods ----------------------------------------------------------------------------


@pytest.mark.parametrize("holder", ["MILL", "STEEL"])
def test_a_stock_of_the_own_product_is_handed_out(holder):
    """Two weeks of steel at the mill; it stops for three: one week is missed."""
    net = mill_and_plants(stocks=[stock(holder, "STEEL", 2.0)])
    assert finished_goods(net).tolist() == [40, 0, 0]
    run = simulate(net, Scenario.lose(region="JP", duration=3))
    assert run.loss_in_periods == pytest.approx(1.0)
    assert run.finished[:4, 0].tolist() == [20, 0, 0, 0]
    bare = simulate(mill_and_plants(), Scenario.lose(region="JP", duration=3))
    assert bare.loss_in_periods == pytest.approx(3.0)


def test_the_more_specific_row_of_finished_goods_wins():
    rows = [stock("GEAR", "GEAR", 2.0), {"node": "SOUTH", "product": "GEAR", "quantity": 7.0}]
    net = mill_and_plants(stocks=rows)
    assert finished_goods(net).tolist() == [0, 20, 7]
    assert [f for f in net.findings if f.code == "N203"] == []  # no stock that counts for nothing


def test_stocks_of_every_buyer_of_own_inputs_and_of_hours_are_no_finished_goods():
    assert finished_goods(mill_and_plants(stocks=[stock("*", "STEEL", 2.0)])).tolist() == [0] * 3
    own = network(
        [node("A", "A", final_demand=1.0)],
        [need("A", "A", 0.2)],
        [link("A", "A")],
        stocks=[stock("A", "A", 3.0)],
        lens="economy",
    )
    assert finished_goods(own).tolist() == [0]
    assert own.input_stock[0] > 0
    hours = network(
        [node("F", "F", final_demand=1.0), node("P", "H")],
        [need("F", "H", 1.0, use="hours")],
        [link("P")],
        stocks=[stock("P", "H", 3.0)],
    )
    assert finished_goods(hours).tolist() == [0, 0]


# --- switching ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "general", "missed"), [(None, 1.0, 30), (1.0, 9.0, 30), (9.0, 0.0, 40)]
)
def test_the_time_to_switch_is_that_of_the_link_else_that_of_the_rules(own, general, missed):
    """JP stops for four weeks: without switching four weeks of gears are missed.

    The mill at home has 5 of 10 to spare; a switch of one week brings steel for 5 gears in weeks 3
    and 4.
    """
    rules = Rules(reroute=True, switch_periods=general)
    run = simulate(two_mills(own), Scenario.lose(region="JP", duration=4), periods=12, rules=rules)
    assert run.unmet[:, 2].sum() == pytest.approx(missed)


def test_links_that_nobody_listed_switch_by_the_rules():
    net = mill_and_plants()
    arrays = network_arrays(net)
    ruled = rules_to_arrays(net, arrays, Rules(reroute=True, switch_periods=2.5))
    assert ruled.link_switch.tolist() == [2.5, 2.5]


# --- substitutes -------------------------------------------------------------------------------


def blend(prices):
    """A plant mixes a kilo of A and a gram of B; B stops."""
    return network(
        [
            node("A", "A", price=prices[0]),
            node("B", "B", "X", price=prices[1]),
            node("PLANT", "MIX", final_demand=10.0),
        ],
        [need("MIX", "A", 1.0), need("MIX", "B", 0.001)],
        [link("A"), link("B")],
    )


@pytest.mark.parametrize(
    ("prices", "left"), [((1.0, 1000.0), 0.5), ((1.0, 3000.0), 0.25), ((1.0, None), 0.5)]
)
def test_substitutes_are_weighted_by_price_where_all_have_one(prices, left):
    """Worth per unit of output: A 1 and B 1, or B 3; without a price each counts alike."""
    run = simulate(
        blend(prices), Scenario.lose(region="X"), periods=2, rules=Rules(inputs="linear")
    )
    assert run.output[1, 2] == pytest.approx(10 * left)
    (row,) = run.why("PLANT", 1).head(1).iter_rows(named=True)
    assert (row["limited_by"], row["supplier"]) == ("B", "B")


def test_what_the_rule_of_psi_limits_is_named():
    net = mill_and_plants(stocks=[stock("NORTH", "STEEL", 4.0)])
    rules = Rules(psi=1.0)
    run = simulate(net, Scenario.lose(region="JP", duration=6), periods=6, rules=rules)
    # at hand 50, 40, 30, ...; a target of 40 at wanted output: the third week makes 7.5
    assert run.output[:3, 1].tolist() == [10, 10, 7.5]
    chain = run.why("NORTH", 2)
    assert chain["limited_by"].to_list() == ["STEEL", "capacity"]
    assert chain["shock"].to_list() == [None, "region JP loses 100% for 6 periods"]


# --- the best answer is never worse ------------------------------------------------------------


def random_rules(rng, net):
    """Rules that the best answer relaxes."""
    labels = [str(x) for x in rng.permutation(net.node_labels)[: rng.integers(0, 3)]]
    return Rules(
        inputs=str(rng.choice(["classes", "leontief"])),
        psi=float(rng.choice([0.3, 1.0])) if rng.random() < 0.4 else None,
        orders=str(rng.choice(["wanted", "made"])),
        targets=str(rng.choice(["rest", "wanted"])),
        stock_adjustment=float(rng.choice([1.0, 3.0])),
        rationing=str(rng.choice(RATIONING)),
        priority=tuple(labels),
        alpha_max=float(rng.choice([1.0, 1.3])),
        alpha_periods=float(rng.choice([1.0, 4.0])),
        reroute=bool(rng.random() < 0.7),
        switch_periods=float(rng.integers(0, 3)),
    )


def check_bracket(seed):
    """Play and answer one case; both must see the same window."""
    rng = np.random.default_rng(seed)
    net = naive.random_network(rng, important=bool(seed % 2))
    scenario, rules = naive.random_scenario(rng, net), random_rules(rng, net)
    run = simulate(net, scenario, rules=rules)
    best = respond(net, scenario, periods=run.n_periods, alpha_max=rules.alpha_max, reroute=False)
    both = bracket(best, run)
    assert both.is_comparable, both.reason
    assert both.best <= both.simulated + 1e-7
    assert run.residual < 1e-9
    return rules, run


@pytest.mark.parametrize("seed", range(40))
def test_no_rule_beats_the_best_answer(seed):
    check_bracket(seed)


@pytest.mark.slow
def test_no_rule_beats_the_best_answer_in_many_cases():
    """Orders did move in many of them: the run differs from one without."""
    moved = 0
    seeds = some_of(range(1000, 1500), 80)
    for seed in seeds:
        rules, run = check_bracket(seed)
        if rules.reroute:
            stay = with_rules(rules, {"reroute": False})
            same = simulate(run.network, run.scenario, periods=run.n_periods, rules=stay)
            moved += not np.allclose(same.output, run.output)
    assert moved > 0.06 * len(seeds)


def test_what_the_best_answer_does_not_relax_is_not_compared():
    net, scenario = mill_and_plants(), Scenario.lose(region="JP", duration=3)
    best = respond(net, scenario, periods=9)

    def reason(**values):
        run = simulate(net, scenario, periods=9, rules=Rules(**values))
        return bracket(best, run).reason

    assert reason() == ""
    assert "replace one another" in reason(inputs="linear")
    assert "by a factor 1.5, the answer by 1" in reason(alpha_max=1.5)
    held = mill_and_plants(stocks=[stock("MILL", "STEEL", 2.0)])
    both = bracket(respond(held, scenario, periods=9), simulate(held, scenario, periods=9))
    assert "stocks of finished goods" in both.reason
    assert np.isnan(both.value_of_coordination)


# --- shapes that were published ----------------------------------------------------------------


def two_firms(stock_periods):
    """Each sells 100 a day to the other and 100 to final demand."""
    return network(
        [node(f, f.upper(), capacity=200.0, final_demand=100.0) for f in ("one", "two")],
        [need("ONE", "TWO", 0.5), need("TWO", "ONE", 0.5)],
        [link("one", "two"), link("two", "one")],
        stocks=[stock("*", p, stock_periods) for p in ("ONE", "TWO")],
        lens="economy",
        period="day",
    )


def test_a_tenth_lost_in_one_of_two_firms_pulls_both_down():
    """The shape of the two-firm example of the program proNet: a fall that never turns.

    It prints totals of 400, 380, 343.3, 303.8, 251.7, 231.0, 200, without saying its stocks, times
    and order of rationing. Here: no stock, a lead time of a day, orders of Inoue and Todo, final
    demand first. Firm one makes 180, gives 100 to final demand and 80 to firm two; that makes 160
    and has 60 left; firm one lives a day longer on the 20 that it had not used, and so on.
    """
    rules = with_rules("inoue_todo", {"rationing": "final_first"})
    lost = Scenario.lose(node="one", share=0.1)
    totals = simulate(two_firms(0.0), lost, periods=8, rules=rules).output.sum(axis=1)
    assert totals.tolist() == pytest.approx([380, 340, 320, 240, 80, 0, 0, 0])
    # rationed alike, both keep most of what they had: the shape depends on who is served first
    alike = simulate(two_firms(1.0), lost, periods=60, rules="inoue_todo").output.sum(axis=1)
    assert alike[-1] == pytest.approx(370.0)
