"""Every lever that a plan may pull, each in a case small enough to work by hand.

The plant makes 10 pumps a week, worth 100 each, from as many parts; two weeks of parts are in
stock, and the only maker, in JP, is lost for six weeks: 40 pumps, 4000 EUR, are lost.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from plan_cases import JAPAN, PERIODS, second_source, stockpile, two_tiers
from withstand import plan
from withstand.model.building import build_network
from withstand.model.option import Effect, Option
from withstand.model.scenario import Scenario
from withstand.model.settings import Settings

OPTIONS = {"periods": PERIODS, "step": 1, "horizon": 1}


def with_tables(network, nodes=(), recipes=(), links=(), regions=None, products=None):
    """Return a network with more rows."""
    tables = {
        "nodes": pl.concat(
            [
                network.tables["nodes"].select(
                    "node", "product", "region", "final_demand", "capacity", "price"
                ),
                *([pl.DataFrame(list(nodes))] if nodes else []),
            ],
            how="diagonal_relaxed",
        ),
        "recipes": pl.concat(
            [
                network.tables["recipes"].select("buyer", "input", "quantity"),
                *([pl.DataFrame(list(recipes))] if recipes else []),
            ],
            how="diagonal_relaxed",
        ),
        "links": pl.concat(
            [
                network.tables["links"].select("supplier", "buyer", "share"),
                *([pl.DataFrame(list(links))] if links else []),
            ],
            how="diagonal_relaxed",
        ),
        "stocks": network.tables["stocks"],
    }
    if regions is not None:
        tables["regions"] = pl.DataFrame(regions)
    if products is not None:
        tables["products"] = pl.DataFrame(products)
    return build_network(tables, Settings(name="levers", home="HOME", currency="EUR"))


def new_channel(region: str, cost: float, capacity: float = 5.0, label: str = "CHANNEL") -> Option:
    effect = Effect(effect="add_node", product="PART", region=region, amount=capacity)
    return Option(label=label, kind="new_channel", cost_once=cost, effects=(effect,))


def test_a_second_source_that_also_takes_a_share_is_under_way_when_the_first_fails():
    """With 5 of 10 parts already coming from DE, half of all six weeks is served: 3000 without
    the stock of two weeks, and 1000 with it."""
    both = Option(
        label="SECOND",
        kind="second_source",
        cost_once=500.0,
        effects=(
            Effect(effect="add_capacity", node="other", amount=5.0),
            Effect(effect="shift_share", product="PART", from_="maker", to="other", amount=0.5),
        ),
    )
    found = plan.solve(two_tiers(), [both], [JAPAN], **OPTIONS)
    assert found.chosen == ("SECOND",)
    assert found.expected_loss == pytest.approx(1000.0)


def test_a_new_channel_is_worth_the_reliability_of_its_region():
    """It saves 3000 where it works: with 0.8 that is 2400 on average, whatever else happens."""
    regions = {"region": ["JP", "DE", "HOME", "VN"], "reliability": [1.0, 1.0, 1.0, 0.8]}
    net = with_tables(two_tiers(), regions=regions)
    dear = plan.solve(net, [new_channel("VN", cost=2500.0)], [JAPAN], **OPTIONS)
    cheap = plan.solve(net, [new_channel("VN", cost=2300.0)], [JAPAN], **OPTIONS)
    assert dear.chosen == ()
    assert cheap.chosen == ("CHANNEL",)
    assert cheap.expected_loss == pytest.approx(0.8 * 1000.0 + 0.2 * 4000.0)
    checked = cheap.verify()
    assert checked.expected("simulated_after") >= cheap.expected_loss - 1e-6


def test_a_channel_from_the_region_that_fails_is_worth_nothing():
    found = plan.solve(two_tiers(), [new_channel("JP", cost=1.0)], [JAPAN], **OPTIONS)
    assert found.chosen == ()


def test_partners_each_give_a_stage_and_get_the_product():
    """Castings from partner A, machining at home with B's machines: a half of it makes nothing, so
    neither contract is signed alone. What the partners get stands in the costs of the contracts."""
    net = two_tiers()
    regions = {"region": ["JP", "DE", "HOME", "PA", "PB"]}
    products = {
        "product": ["PART", "PUMP", "CASTING"],
        "kind": ["component", "product", "component"],
    }
    net = with_tables(
        net,
        nodes=[
            {"node": "caster", "product": "CASTING", "region": "PA", "capacity": 0.0, "price": 1.0},
        ],
        recipes=[{"buyer": "PART", "input": "CASTING", "quantity": 1.0}],
        links=[{"supplier": "caster", "buyer": "*", "share": 1.0}],
        regions=regions,
        products=products,
    )
    give_a = Option(
        label="A",
        kind="partner_contract",
        cost_once=100.0,
        effects=(Effect(effect="add_capacity", node="caster", amount=10.0),),
    )
    give_b = Option(
        label="B",
        kind="partner_contract",
        cost_once=200.0,
        requires=("A",),
        effects=(
            Effect(effect="add_node", product="PART", region="HOME", amount=6.0, node="line"),
        ),
    )
    alone = plan.solve(net, [give_a], [JAPAN], **OPTIONS)
    both = plan.solve(net, [give_a, give_b], [JAPAN], **OPTIONS)
    assert alone.chosen == ()
    assert both.chosen == ("A", "B")
    assert both.expected_loss < both.expected_loss_before - 300.0
    saved = both.contributions().filter(pl.col("option") == "A")["saved"].sum()
    assert saved == pytest.approx(both.expected_loss_before - both.expected_loss)


def test_a_stockpile_for_the_weeks_that_cost_least_is_bought_by_size():
    """A week of stock costs 300 and saves 1000, up to the four weeks that are lost."""
    sized = Option(
        label="WEEKS",
        kind="stockpile",
        cost_once=300.0,
        size="continuous 26",
        effects=(Effect(effect="add_stock", product="PART", amount=1.0, unit="periods"),),
    )
    found = plan.solve(two_tiers(), [sized], [JAPAN], **OPTIONS)
    assert found.calendar()["size"].to_list() == pytest.approx([4.0])
    assert found.value == pytest.approx(1200.0)
    assert found.verify().expected("simulated_after") == pytest.approx(0.0, abs=1e-5)


def test_projects_compete_for_one_fund_by_what_they_save_together():
    """Savings per money rank the stockpile first; the fund of 1000 is better spent on the two."""
    options = [
        stockpile(weeks=3.0, cost=700.0),
        second_source(cost=600.0, capacity=3.0),
        replace(second_source(cost=400.0, capacity=3.0), label="THIRD"),
    ]
    found = plan.solve(two_tiers(), options, [JAPAN], budget=1000.0, **OPTIONS)
    assert found.chosen == ("SECOND", "THIRD")
    assert found.expected_loss == pytest.approx(4000.0 - 2 * 3 * 6 * 100.0)


def test_staged_research_starts_its_second_stage_only_when_the_first_is_done():
    research = Option(
        label="R", kind="research", cost_once=10.0, success_probability=0.5, ready_periods=52.0
    )
    line = replace(second_source(cost=100.0), requires=("R",))
    found = plan.solve(
        two_tiers(), [research, line], [JAPAN], horizon=3, periods=PERIODS, step=1, onsets=(2.5,)
    )
    years = dict(found.calendar().select("option", "start_year").iter_rows())
    assert years["SECOND"] >= years["R"] + 1
    assert found.cost == pytest.approx(10.0 + 0.5 * 100.0)
    assert found.expected_loss == pytest.approx(0.5 * 4000.0 + 0.5 * 1000.0)


def skilled(hours: float = 40.0):
    """Each pump takes 4 hours of a skill that home has `hours` of a week; demand is 10 pumps."""
    return build_network(
        {
            "products": pl.DataFrame({"product": ["PUMP", "SKILL"], "kind": ["product", "skill"]}),
            "nodes": pl.DataFrame(
                {
                    "node": ["plant", "people"],
                    "product": ["PUMP", "SKILL"],
                    "region": ["HOME", "HOME"],
                    "final_demand": [10.0, 0.0],
                    "capacity": [10.0, hours],
                    "price": [100.0, 1.0],
                }
            ),
            "recipes": pl.DataFrame(
                {"buyer": ["PUMP"], "input": ["SKILL"], "quantity": [4.0], "use": ["hours"]}
            ),
            "links": pl.DataFrame({"supplier": ["people"], "buyer": ["plant"], "share": [1.0]}),
        },
        Settings(name="skilled", home="HOME", currency="EUR"),
    )


SICK = Scenario.lose(product="SKILL", share=0.5, duration="5w", name="half the people are away")


def test_training_and_robots_compete_for_one_scarce_skill():
    """Half of 40 hours are away for 5 weeks: 5 pumps a week, 2500. Robots halve the hours of a
    pump, people of a course give 20 hours more, of which half are away too."""
    robots = Option(
        label="ROBOTS",
        kind="robotise",
        cost_once=900.0,
        effects=(
            Effect(effect="change_recipe", buyer="PUMP", input="SKILL", amount=0.5, mode="scale"),
        ),
    )
    course = Option(
        label="COURSE",
        kind="train",
        cost_once=600.0,
        effects=(Effect(effect="add_capacity", node="people", amount=20.0),),
    )
    none = plan.solve(skilled(), [replace(course, cost_once=1e9)], [SICK], **OPTIONS)
    assert none.expected_loss == pytest.approx(2500.0)
    trained = plan.solve(skilled(), [course], [SICK], **OPTIONS)
    assert trained.expected_loss == pytest.approx(1250.0)
    found = plan.solve(skilled(), [robots, course], [SICK], **OPTIONS)
    assert found.chosen == ("ROBOTS",)  # 900 for 2500 beats 600 for 1250
    assert found.expected_loss == pytest.approx(0.0, abs=1e-6)
    poor = plan.solve(skilled(), [robots, course], [SICK], budget=700.0, **OPTIONS)
    assert poor.chosen == ("COURSE",)


def test_a_recipe_that_robots_change_works_on_capacity_that_another_option_adds():
    """Demand is 10, but 15 could be made: the robots' recipe runs on the enlarged plant too."""
    robots = Option(
        label="ROBOTS",
        kind="robotise",
        cost_once=10.0,
        effects=(
            Effect(effect="change_recipe", buyer="PUMP", input="SKILL", amount=0.5, mode="scale"),
        ),
    )
    half = Scenario.lose(product="PUMP", share=0.5, duration="5w", name="half the plant is down")
    plant = Option(
        label="PLANT",
        kind="expand_capacity",
        cost_once=10.0,
        effects=(Effect(effect="add_capacity", node="plant", amount=10.0),),
    )
    sick = replace(SICK, probability=0.5)
    down = replace(half, probability=0.5)
    found = plan.solve(skilled(), [robots, plant], [sick, down], **OPTIONS)
    assert found.chosen == ("ROBOTS", "PLANT")
    assert found.expected_loss == pytest.approx(0.0, abs=1e-5)


def test_firms_of_one_park_fail_together():
    """Two lines in one park are no answer to the loss of the park; one elsewhere is."""
    net = with_tables(two_tiers(), regions={"region": ["JP", "DE", "HOME", "PARK", "TOWN"]})
    park = [
        new_channel("PARK", cost=100.0, label="PARK1"),
        replace(
            new_channel("PARK", cost=100.0, label="PARK2"),
            effects=(
                Effect(
                    effect="add_node", product="PART", region="PARK", amount=5.0, node="second line"
                ),
            ),
        ),
    ]
    town = new_channel("TOWN", cost=150.0, label="TOWN")
    flood = Scenario(
        name="flood of the park while Japan is out",
        shocks=(*JAPAN.shocks, *Scenario.lose(region="PARK", duration="6w").shocks),
    )
    in_park = plan.solve(net, park, [flood], **OPTIONS)
    assert in_park.chosen == ()
    found = plan.solve(net, [*park, town], [flood], **OPTIONS)
    assert found.chosen == ("TOWN",)
    dry = plan.solve(net, [*park, town], [JAPAN], **OPTIONS)
    assert set(dry.chosen) == {"PARK1", "PARK2"}
    assert dry.expected_loss == pytest.approx(0.0, abs=1e-5)


def test_nodes_of_one_unreliable_region_fail_together():
    """Both lines stand in a region that works with 0.5: two outcomes, not four."""
    regions = {"region": ["JP", "DE", "HOME", "PARK"], "reliability": [1.0, 1.0, 1.0, 0.5]}
    net = with_tables(two_tiers(), regions=regions)
    lines = [
        new_channel("PARK", cost=100.0, label="ONE"),
        replace(
            new_channel("PARK", cost=100.0, label="TWO"),
            effects=(
                Effect(effect="add_node", product="PART", region="PARK", amount=5.0, node="two"),
            ),
        ),
    ]
    found = plan.solve(net, lines, [JAPAN], **OPTIONS)
    assert found.chosen == ("ONE", "TWO")
    assert found.losses.tolist() == pytest.approx([0.0, 4000.0], abs=1e-5)


def test_recycling_feeds_a_stage_that_nothing_else_can_serve():
    recycling = Option(
        label="LOOP",
        kind="recycle",
        cost_once=100.0,
        effects=(
            Effect(effect="add_node", product="PART", region="HOME", amount=4.0, node="loop"),
        ),
    )
    found = plan.solve(two_tiers(), [recycling], [JAPAN], **OPTIONS)
    assert found.chosen == ("LOOP",)
    assert found.expected_loss == pytest.approx(4000.0 - 4 * 6 * 100.0)
