"""Plans against the slow twin, against simulation, and against cases worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import naive_plan as naive
from plan_cases import JAPAN, PERIODS, random_case, second_source, stockpile, two_tiers
from thoroughness import some_of
from withstand import plan
from withstand.errors import OptionError, UsageError
from withstand.model.building import build_network
from withstand.model.option import Effect, Option, Use
from withstand.model.scenario import Scenario
from withstand.model.settings import Settings

# --- by hand -------------------------------------------------------------------------------------


def test_the_loss_before_is_six_weeks_less_the_stock():
    """Six weeks are lost, two are covered by stock: 4 x 10 x 100 (parts arrive a week late,
    so the week under way and the late return cancel)."""
    found = plan.solve(
        two_tiers(), [stockpile(cost=1e9)], [JAPAN], periods=PERIODS, step=1, horizon=1
    )
    assert found.expected_loss_before == pytest.approx(4000.0)
    assert found.chosen == ()


def test_a_stockpile_saves_its_weeks():
    found = plan.solve(two_tiers(), [stockpile()], [JAPAN], periods=PERIODS, step=1, horizon=1)
    assert found.chosen == ("STOCK",)
    assert found.expected_loss == pytest.approx(1000.0)
    assert found.value == pytest.approx(1100.0)


def test_a_second_source_serves_while_the_first_is_down():
    """5 a week arrive from the second week on, so of 6 weeks lost (less 2 of stock) 5 x 6 come."""
    found = plan.solve(two_tiers(), [second_source()], [JAPAN], periods=PERIODS, step=1, horizon=1)
    assert found.chosen == ("SECOND",)
    assert found.expected_loss == pytest.approx(1000.0)


def test_what_is_not_ready_when_the_scenario_strikes_saves_nothing_before_it_is():
    late = second_source(ready_periods=26.0 + PERIODS)
    found = plan.solve(two_tiers(), [late], [JAPAN], periods=PERIODS, step=1, horizon=1)
    assert found.chosen == ()


def test_an_option_ready_in_the_middle_of_a_window_helps_from_then_on():
    late = second_source(ready_periods=26.0 + 4.0)
    found = plan.solve(two_tiers(), [late], [JAPAN], periods=PERIODS, step=1, horizon=1)
    assert found.chosen == ("SECOND",)
    assert 1000.0 < found.expected_loss < 4000.0


def test_money_decides_and_its_worth_is_told():
    options = [stockpile(cost=100.0), second_source(cost=500.0)]
    poor = plan.solve(
        two_tiers(), options, [JAPAN], budget=200.0, periods=PERIODS, step=1, horizon=1
    )
    rich = plan.solve(
        two_tiers(), options, [JAPAN], budget=600.0, periods=PERIODS, step=1, horizon=1
    )
    assert poor.chosen == ("STOCK",)
    assert rich.chosen == ("STOCK", "SECOND")
    # a fifth of the second source is what 100 would buy; 500 would save 3000
    assert poor.worth_of_money()["worth"][0] == pytest.approx(3000.0 / 500.0 - 1.0)
    assert "money up to year 1" in poor.blocking()["meaning"].to_list()


@pytest.mark.parametrize("method", ["extensive", "decomposition"])
@pytest.mark.parametrize("budget", [0.0, 99.0, 499.0])
def test_a_budget_holds_beside_an_option_that_nobody_can_pay(method, budget):
    """A row of 1e9 and 100 must not be rounded until 100 is nothing."""
    dear = replace(second_source(cost=1e9), label="GOLD")
    options = [stockpile(cost=100.0), second_source(cost=500.0), dear]
    found = plan.solve(
        two_tiers(), options, [JAPAN], budget=budget, periods=PERIODS, step=1, horizon=2,
        method=method,
    )  # fmt: skip
    assert found.cost <= budget
    assert found.chosen == (("STOCK",) if budget >= 100.0 else ())


def test_money_that_is_not_spent_carries_over():
    option = second_source(cost=900.0)
    found = plan.solve(
        two_tiers(),
        [option],
        [JAPAN],
        budget=[300.0, 300.0, 300.0],
        horizon=3,
        periods=PERIODS,
        step=1,
    )
    assert found.calendar()["start_year"].to_list() == [3]
    assert found.spend()["left"].to_list() == pytest.approx([300.0, 600.0, 0.0])


def test_a_plan_ahead_of_the_shock_cannot_use_what_it_cannot_foresee():
    """The foresight trap: a programme that sees the whole horizon builds stock from spare capacity
    before the shock; ours begins at the onset, and loses what its stock cannot cover."""
    net = two_tiers(stock=0.0)
    nodes = net.tables["nodes"].with_columns(capacity=pl.Series([15.0, 0.0, 10.0]))
    net = net.with_changes({"nodes": nodes})
    late = Scenario.lose(region="JP", start="4w", duration="2w", name="Japan later")
    foreseen = naive.answer(net, late, PERIODS)
    ours = plan.solve(
        net, [stockpile(cost=1e9)], [late], periods=PERIODS, step=1, horizon=1
    ).expected_loss
    assert foreseen == pytest.approx(0.0, abs=1e-6)
    assert ours == pytest.approx(2000.0)


def test_a_domestic_line_needs_the_machine_that_makes_its_parts():
    """Multi-tier: the line is worth something only with the grinder, so both are bought or none."""
    net = two_tiers()
    tables = {
        "products": pl.DataFrame(
            {"product": ["PART", "PUMP", "GRINDER"], "kind": ["component", "product", "equipment"]}
        ),
        "nodes": pl.concat(
            [
                net.tables["nodes"].select(
                    "node", "product", "region", "final_demand", "capacity", "price"
                ),
                pl.DataFrame(
                    {
                        "node": ["grinders"],
                        "product": ["GRINDER"],
                        "region": ["HOME"],
                        "final_demand": [0.0],
                        "capacity": [0.0],
                        "price": [1.0],
                    }
                ),
            ]
        ),
        "recipes": pl.DataFrame(
            {"buyer": ["PUMP", "PART"], "input": ["PART", "GRINDER"], "quantity": [1.0, 0.5]}
        ),
        "links": pl.concat(
            [
                net.tables["links"].select("supplier", "buyer", "share"),
                pl.DataFrame({"supplier": ["grinders"], "buyer": ["*"], "share": [1.0]}),
            ]
        ),
        "stocks": net.tables["stocks"],
    }
    net = build_network(tables, Settings(name="line", home="HOME"))
    line = Option(
        label="LINE",
        kind="localise",
        cost_once=100.0,
        effects=(Effect(effect="add_node", product="PART", region="HOME", amount=10.0),),
    )
    machine = Option(
        label="GRIND",
        kind="buy_equipment",
        cost_once=300.0,
        effects=(Effect(effect="add_capacity", node="grinders", amount=5.0),),
    )
    both = plan.solve(net, [line, machine], [JAPAN], periods=PERIODS, step=1, horizon=1)
    alone = plan.solve(net, [line], [JAPAN], periods=PERIODS, step=1, horizon=1)
    assert both.chosen == ("LINE", "GRIND")
    assert alone.chosen == ()


def test_research_that_may_fail_is_worth_its_chance():
    research = Option(label="R", kind="research", cost_once=10.0, success_probability=0.25)
    line = second_source(cost=400.0, requires=("R",), ready_periods=0.0)
    found = plan.solve(two_tiers(), [research, line], [JAPAN], periods=PERIODS, step=1, horizon=1)
    saved = 3000.0 * 0.25 - 10.0 - 0.25 * 400.0
    assert found.chosen == ("R", "SECOND")
    assert found.expected_loss_before - found.value == pytest.approx(saved)


def test_options_that_exclude_each_other_are_never_both_chosen():
    other = replace(second_source(), label="THIRD", excludes=("SECOND",), cost_once=400.0)
    found = plan.solve(
        two_tiers(), [second_source(), other], [JAPAN], periods=PERIODS, step=1, horizon=1
    )
    assert found.chosen == ("THIRD",)


def test_a_sized_option_takes_the_size_that_pays():
    """One unit of capacity costs 50; the sixth of the lost parts is worth 600 a unit."""
    sized = Option(
        label="UNITS",
        kind="second_source",
        cost_once=50.0,
        size="continuous 8",
        effects=(Effect(effect="add_capacity", node="other", amount=1.0),),
    )
    found = plan.solve(two_tiers(), [sized], [JAPAN], periods=PERIODS, step=1, horizon=1)
    assert found.calendar()["size"].to_list() == pytest.approx([20.0 / 3.0], rel=1e-6)
    assert found.expected_loss == pytest.approx(0.0, abs=1e-5)


def test_building_draws_on_hours_that_must_be_there():
    net = two_tiers()
    hungry = replace(second_source(), uses=(Use(product="PUMP", quantity=30.0, periods=10.0),))
    assert plan.solve(net, [hungry], [JAPAN], periods=PERIODS, step=1, horizon=1).chosen == ()
    nodes = net.tables["nodes"].with_columns(capacity=pl.Series([10.0, 0.0, 11.0]))
    free = net.with_changes({"nodes": nodes})
    assert plan.solve(free, [hungry], [JAPAN], periods=PERIODS, step=1, horizon=1).chosen == (
        "SECOND",
    )


def test_a_region_that_may_not_supply_is_never_planned_with():
    net = two_tiers()
    law = net.with_changes(
        {"regions": pl.DataFrame({"region": ["JP", "DE", "HOME"], "allowed": [True, False, True]})}
    )
    found = plan.solve(law, [second_source()], [JAPAN], periods=PERIODS, step=1, horizon=1)
    assert found.chosen == ()


def test_what_has_started_is_fixed_when_planning_again():
    options = [stockpile(), second_source()]
    found = plan.solve(
        two_tiers(),
        options,
        [JAPAN],
        budget=0.0,
        started={"STOCK": 0.5},
        periods=PERIODS,
        step=1,
        horizon=1,
    )
    assert found.chosen == ()
    assert found.expected_loss == pytest.approx(1000.0)
    assert found.cost == 0.0


# --- aims and risk -------------------------------------------------------------------------------


def test_the_least_cost_to_reach_a_target():
    options = [stockpile(cost=700.0), second_source(cost=500.0)]
    found = plan.solve(
        two_tiers(),
        options,
        [JAPAN],
        aim="cost",
        loss_limit=1500.0,
        periods=PERIODS,
        step=1,
        horizon=1,
    )
    assert found.chosen == ("SECOND",)
    assert found.expected_loss <= 1500.0


def test_a_target_that_no_plan_reaches_is_explained():
    options = [stockpile(cost=700.0), second_source(cost=500.0)]
    found = plan.solve(
        two_tiers(),
        options,
        [JAPAN],
        aim="cost",
        loss_limit=500.0,
        budget=900.0,
        periods=PERIODS,
        step=1,
        horizon=1,
    )
    assert found.status == "infeasible"
    assert not found.is_found
    conflict = found.explain_infeasible()
    assert set(conflict.limits) == {"the budget", "the limit of the expected loss"}
    assert "contradict" in conflict.summary()


def test_the_most_resilience_for_the_money():
    options = [stockpile(cost=700.0), second_source(cost=500.0, capacity=1.0)]
    found = plan.solve(
        two_tiers(), options, [JAPAN], aim="loss", budget=800.0, periods=PERIODS, step=1, horizon=1
    )
    assert found.chosen == ("STOCK",)


def test_more_weight_on_the_tail_never_raises_it():
    scenarios = [
        replace(JAPAN, probability=0.02),
        Scenario.lose(region="DE", duration="2w", name="DE", probability=0.3),
    ]
    options = [stockpile(cost=60.0), second_source(cost=30.0)]
    tails = [
        plan.solve(
            two_tiers(),
            options,
            scenarios,
            risk=plan.Risk(weight=w, alpha=0.9),
            periods=PERIODS,
            step=1,
            horizon=1,
            gap=1e-9,
        ).cvar()
        for w in (0.0, 0.5, 5.0)
    ]
    assert tails[0] >= tails[1] - 1e-6 >= tails[2] - 2e-6


def test_the_least_regret_is_what_enumeration_says():
    options = [stockpile(cost=1200.0), second_source(cost=900.0)]
    scenarios = [JAPAN, Scenario.lose(region="JP", share=0.3, duration="6w", name="part")]
    found = plan.solve(
        two_tiers(), options, scenarios, aim="regret", periods=PERIODS, step=1, horizon=1, gap=1e-9
    )
    table = {}
    for subset in ((), ("STOCK",), ("SECOND",), ("STOCK", "SECOND")):
        net = naive.apply(two_tiers(), [o for o in options if o.label in subset])
        cost = sum(o.cost_once for o in options if o.label in subset)
        table[subset] = np.array([cost + naive.answer(net, s, PERIODS) for s in scenarios])
    best = np.min(list(table.values()), axis=0)
    regret = {k: float((v - best).max()) for k, v in table.items()}
    assert found.value == pytest.approx(min(regret.values()), rel=1e-6, abs=1e-6)
    assert regret[found.chosen] == pytest.approx(found.value, rel=1e-6, abs=1e-6)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"budget": -1.0}, "budget"),
        ({"budget": [1.0, 2.0]}, "budget"),
        ({"horizon": 0}, "horizon"),
        ({"aim": "profit"}, "aim"),
        ({"gap": 2.0}, "gap"),
        ({"method": "magic"}, "method"),
        ({"discount": -0.1}, "discount"),
        ({"started": {"STOK": 1.0}}, "STOCK"),
        ({"risk": plan.Risk(weight=-1.0)}, "risk_weight"),
        ({"risk": plan.Risk(alpha=1.0)}, "alpha"),
    ],
)
def test_a_wrong_number_is_refused_with_its_name(given, message):
    with pytest.raises(UsageError, match=message):
        plan.solve(
            two_tiers(), [stockpile()], [JAPAN], periods=PERIODS, step=1, **{"horizon": 1, **given}
        )


def test_nothing_to_choose_from_or_to_plan_against_is_refused():
    with pytest.raises(UsageError, match="no options"):
        plan.solve(two_tiers(), [], [JAPAN])
    with pytest.raises(UsageError, match="no scenarios"):
        plan.solve(two_tiers(), [stockpile()], [])
    with pytest.raises(UsageError, match="size"):
        plan.solve(two_tiers(), [stockpile(size="big")], [JAPAN])
    circle = [stockpile(requires=("SECOND",)), second_source(requires=("STOCK",))]
    with pytest.raises(OptionError, match="E403"):
        plan.solve(two_tiers(), circle, [JAPAN])


# --- the slow twin -------------------------------------------------------------------------------


def compare(seed: int, method: str) -> None:
    network, options, scenarios, budget = random_case(seed)
    found = plan.solve(
        network,
        options,
        scenarios,
        budget=budget,
        horizon=1,
        periods=8,
        step=1,
        gap=1e-9,
        method=method,
    )
    strikes = [(s.scenario, s.onset, s.probability) for s in found.problem.strikes]
    value, plans = naive.best_plan(network, options, strikes, budget, 1, 52.0, 8)
    assert found.value == pytest.approx(value, rel=1e-6, abs=1e-5)
    assert {*found.chosen} in [set(p) for p in plans]


@pytest.mark.parametrize("seed", range(12))
def test_a_random_plan_is_the_best_of_all_portfolios(seed):
    compare(seed, "decomposition" if seed % 2 else "extensive")


@pytest.mark.slow
@pytest.mark.parametrize("first", some_of(range(100, 400, 25), 2))
def test_random_plans_are_the_best_of_all_portfolios(first):
    for seed in range(first, first + 25):
        compare(seed, "auto")
