"""What a plan can be asked: what money cannot mend, other plans, screening, before and after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import naive_plan as naive
from plan_cases import JAPAN, PERIODS, random_case, second_source, stockpile, two_tiers
from withstand import plan
from withstand.errors import OptionError, ScenarioError, UsageError
from withstand.model.building import build_network
from withstand.model.option import Effect, Option
from withstand.model.scenario import Scenario
from withstand.model.settings import Settings

OPTIONS = {"periods": PERIODS, "step": 1, "horizon": 1}


# --- findings ----------------------------------------------------------------------------------


def codes(found: plan.Plan) -> list[str]:
    return [f.code for f in found.findings]


def test_a_sound_plan_has_no_findings():
    found = plan.solve(two_tiers(), [stockpile(), second_source()], [JAPAN], **OPTIONS)
    assert found.findings == ()


def test_unmet_demand_that_is_cheaper_than_the_product_is_warned_of():
    """The second trap has its guard at load: a plan would rather lose the sale than serve it."""
    net = two_tiers()
    nodes = net.tables["nodes"].with_columns(unmet_value=pl.Series([None, None, 20.0]))
    cheap = net.with_changes({"nodes": nodes})
    found = plan.solve(cheap, [stockpile()], [JAPAN], **OPTIONS)
    assert codes(found) == ["W209"]


def test_options_that_come_too_late_and_shocks_on_links_are_named():
    late = second_source(ready_periods=26.0 + PERIODS)
    link = Scenario.lose(link="maker>plant", duration="6w", name="strait closed")
    found = plan.solve(two_tiers(), [stockpile(), late], [JAPAN, link], **OPTIONS)
    assert codes(found) == ["W411", "W412", "N411"]
    assert found.findings[0].value == "SECOND"
    assert found.findings[1].value == "strait closed"


def test_what_waits_for_something_late_is_late_too():
    late = second_source(ready_periods=26.0 + PERIODS)
    stock = replace(stockpile(), requires=("SECOND",))
    found = plan.solve(two_tiers(), [late, stock], [JAPAN], **OPTIONS)
    assert found.beyond_money().too_late == ("SECOND", "STOCK")


def test_a_region_that_the_law_closes_is_named_with_its_options():
    regions = {"region": ["JP", "DE", "HOME"], "allowed": [True, False, True]}
    law = two_tiers().with_changes({"regions": pl.DataFrame(regions)})
    found = plan.solve(law, [second_source()], [JAPAN], **OPTIONS)
    assert codes(found) == ["W413"]


def test_demand_that_is_missed_at_rest_is_said_to_be_no_effect_of_a_scenario():
    regions = {"region": ["JP", "DE", "HOME"], "allowed": [False, True, True]}
    law = two_tiers().with_changes({"regions": pl.DataFrame(regions)})
    rare = replace(JAPAN, probability=0.1)
    found = plan.solve(law, [stockpile()], [rare], **OPTIONS)
    assert set(codes(found)) == {"W207", "W414"}
    checked = found.verify()
    assert not checked.rows["is_comparable"].any()


def test_a_free_option_and_one_without_effect_are_pointed_at():
    idle = Option(label="IDLE", cost_once=1.0)
    found = plan.solve(two_tiers(), [stockpile(cost=0.0), idle], [JAPAN], **OPTIONS)
    assert codes(found) == ["W401", "W402"]


# --- what money cannot mend -------------------------------------------------------------------


def test_what_money_cannot_mend_is_the_loss_under_everything_for_free():
    """Three more weeks of stock leave 1000 of 4000, whatever the budget; parts bind."""
    found = plan.solve(two_tiers(), [stockpile(cost=1e9)], [JAPAN], budget=0.0, **OPTIONS)
    left = found.beyond_money()
    assert left.expected == pytest.approx(1000.0)
    assert left.rows["share_that_stays"].to_list() == pytest.approx([0.25])
    assert left.rows["binding"].to_list() == ["PART"]
    assert "1,000 of an expected loss of 4,000" in left.summary()


def test_what_excludes_another_is_not_counted_twice_by_what_money_cannot_mend():
    other = replace(second_source(capacity=5.0), label="THIRD", excludes=("SECOND",))
    found = plan.solve(two_tiers(), [second_source(capacity=5.0), other], [JAPAN], **OPTIONS)
    # 5 a week arrive whichever is chosen, or half of each
    assert found.beyond_money().expected == pytest.approx(1000.0)


@pytest.mark.parametrize("seed", range(6))
def test_no_plan_has_less_loss_than_what_money_cannot_mend(seed):
    network, options, scenarios, _ = random_case(seed)
    found = plan.solve(network, options, scenarios, aim="loss", horizon=1, periods=8, step=1)
    left = found.beyond_money()
    stays = dict(left.rows.select("strike", "loss_that_stays").iter_rows())
    for strike, loss in zip(found.problem.strikes, found.losses, strict=True):
        assert stays[strike.name] <= loss + 1e-5


# --- other plans ---------------------------------------------------------------------------------


def all_portfolios(network, options, strikes, budget):
    """Return the value of every portfolio that can be had, by the slow twin."""
    found = {}
    for bits in range(2 ** len(options)):
        chosen = [o for k, o in enumerate(options) if bits >> k & 1]
        labels = {o.label for o in chosen}
        if any(not set(o.requires) <= labels or set(o.excludes) & labels for o in chosen):
            continue
        cost = sum(o.cost_once for o in chosen)
        if cost > budget + 1e-9:
            continue
        after = naive.apply(network, chosen)
        loss = sum(p * naive.answer(after, s, 8) for s, p in strikes if s.shocks)
        found[frozenset(labels)] = cost + loss
    return found


@pytest.mark.parametrize("seed", [0, 2, 4])
def test_the_next_best_plans_are_those_of_enumeration(seed):
    network, options, scenarios, budget = random_case(seed)
    found = plan.solve(
        network, options, scenarios, budget=budget, horizon=1, periods=8, step=1, gap=1e-9
    )
    strikes = [(s.scenario, s.probability) for s in found.problem.strikes]
    values = sorted(all_portfolios(network, options, strikes, budget).values())
    others = plan.next_best(found, 3)
    ours = [found.value, *(p.value for p in others)]
    assert ours == pytest.approx(values[: len(ours)], rel=1e-6, abs=1e-5)
    assert len(ours) == min(4, len(values))
    assert len({frozenset(p.chosen) for p in (found, *others)}) == len(ours)


def test_alternatives_lie_within_their_share_and_are_as_far_as_can_be():
    """Best is the stockpile (1100); the second source is worth 1101 and differs in both options,
    doing nothing (4000) lies beyond a tenth."""
    options = [stockpile(cost=100.0), second_source(cost=101.0)]
    found = plan.solve(two_tiers(), options, [JAPAN], budget=150.0, gap=1e-9, **OPTIONS)
    others = found.alternatives(3, within=0.1)
    assert [p.chosen for p in others] == [("SECOND",)]
    assert others[0].value == pytest.approx(1101.0)
    wide = found.alternatives(3, within=5.0)
    assert [p.chosen for p in wide] == [("SECOND",), ()]


def test_plans_are_put_in_order_by_simulation():
    """The programme shares the stocks of all; the simulation does not. A tie of the programme
    (either option saves as much) is decided by what is simulated."""
    options = [stockpile(weeks=3.0, cost=100.0), second_source(cost=101.0, capacity=5.0)]
    found = plan.solve(two_tiers(), options, [JAPAN], budget=150.0, gap=1e-9, **OPTIONS)
    order = found.rerank(3)
    frame = order.to_frame()
    assert frame["rank"].to_list() == [1, 2, 3]
    assert frame["simulated_value"].is_sorted()
    assert set(frame["chosen"]) == {"STOCK", "SECOND", ""}
    checked = {", ".join(p.chosen): p.verify().expected("simulated_after") for p in order.plans}
    assert dict(frame.select("chosen", "simulated_loss").iter_rows()) == pytest.approx(checked)
    best = plan.solve(
        two_tiers(), options, [JAPAN], budget=150.0, gap=1e-9, candidates=3, **OPTIONS
    )
    assert best.chosen == order.best.chosen
    assert (frame["programme_loss"] <= frame["simulated_loss"] + 1e-6).all()


# --- effects in time -----------------------------------------------------------------------------


def test_the_network_of_a_year_holds_what_is_in_place_then_and_waits_for_what_is_required():
    first = second_source(ready_periods=80.0)
    then = replace(stockpile(), requires=("SECOND",))
    found = plan.solve(
        two_tiers(), [first, then], [JAPAN], horizon=1, onsets=(2.0,), periods=PERIODS, step=1
    )
    assert set(found.chosen) == {"STOCK", "SECOND"}
    early, late = found.apply(1.0), found.apply(2.0)
    rest = two_tiers()
    assert early.input_stock.sum() == pytest.approx(rest.input_stock.sum())
    assert late.input_stock.sum() > rest.input_stock.sum()
    assert late.capacity.sum() == pytest.approx(rest.capacity.sum() + 5.0)


def test_growth_counts_from_when_the_option_is_ready():
    """A tenth of a part a week more, every week: after 26 weeks 2.6, after 27 2.7, and so on."""
    growing = Option(
        label="GROW",
        cost_once=1.0,
        effects=(Effect(effect="add_capacity", node="other", amount=0.0, per_period=0.1),),
    )
    found = plan.solve(two_tiers(stock=0.0), [growing], [JAPAN], **OPTIONS)
    made = 0.1 * (26 + 27 + 28 + 29 + 30 + 31)  # shipped in the weeks without Japan
    assert found.expected_loss == pytest.approx(6000.0 - 100.0 * made)
    node = found.apply(0.5).index("nodes")["other"]
    assert found.apply(0.5).capacity[node] == pytest.approx(2.6)


def test_what_waits_for_something_started_long_ago_is_there_before_the_plan():
    first = second_source(ready_periods=26.0)
    then = replace(stockpile(), requires=("SECOND",))
    found = plan.solve(
        two_tiers(), [first, then], [JAPAN], started={"SECOND": 1.0, "STOCK": 1.0}, **OPTIONS
    )
    assert found.expected_loss_before == pytest.approx(found.expected_loss)
    assert found.expected_loss_before == pytest.approx(0.0, abs=1e-5)


def test_later_costs_and_losses_are_discounted():
    found = plan.solve(
        two_tiers(), [second_source(cost=1e9)], [JAPAN], onsets=(2.0,), horizon=1,
        discount=0.1, periods=PERIODS, step=1,
    )  # fmt: skip
    assert found.expected_loss == pytest.approx(4000.0 / 1.1**2)
    checked = found.verify()
    assert checked.rows["programme_after"].to_list() == pytest.approx([4000.0])


# --- limits that contradict each other ------------------------------------------------------------


def test_the_conflict_is_irreducible():
    """Any limit of the conflict gone, there is a plan; all of them together, there is none."""
    network, options, scenarios, _ = random_case(8)
    target = plan.solve(
        network, options, scenarios, aim="loss", horizon=1, periods=8, step=1
    ).expected_loss
    kinds = {"periods": 8, "step": 1, "horizon": 1, "aim": "cost", "gap": 1e-6}
    hard = plan.solve(
        network, options, scenarios, budget=1.0, loss_limit=target * 1.001 + 1e-3, **kinds
    )
    assert hard.status == "infeasible"
    limits = set(hard.explain_infeasible().limits)
    assert limits == {"the budget", "the limit of the expected loss"}
    for change in ({"budget": None, "loss_limit": target * 1.001 + 1e-3}, {"budget": 1.0}):
        assert plan.solve(network, options, scenarios, **{**kinds, **change}).is_found


def test_an_order_among_options_can_be_part_of_the_conflict():
    other = replace(second_source(), label="THIRD", excludes=("SECOND",))
    late = second_source(requires=("NEVER",))
    never = Option(
        label="NEVER",
        cost_once=1e6,
        effects=(Effect(effect="add_capacity", node="maker", amount=1.0),),
    )
    found = plan.solve(
        two_tiers(), [late, never, other], [JAPAN], aim="cost", loss_limit=100.0, budget=2000.0,
        **OPTIONS,
    )  # fmt: skip
    limits = found.explain_infeasible().limits
    assert "the limit of the expected loss" in limits
    assert any("exclude" in x or "needs" in x for x in limits) or "the budget" in limits


# --- screening ------------------------------------------------------------------------------------


def test_screening_keeps_what_matters_and_all_above_it():
    network, _, _, _ = random_case(9)
    deepest = str(network.product_labels[-1])
    losses = np.zeros(network.n_products)
    losses[-1] = 1.0
    found = plan.screened(network, losses, cover=0.9)
    kept = set(found.network.product_labels.tolist())
    assert deepest in kept
    assert set(found.left_out["product"]) == set(network.product_labels.tolist()) - kept
    rows = network.tables["recipes"]
    for buyer, needed in rows.select("buyer", "input").iter_rows():
        assert buyer in kept or needed not in kept


def two_branches():
    """A pump needs a part from JP and a box from JP: the box never matters, it has much stock."""
    net = two_tiers()
    tables = {
        "nodes": pl.concat(
            [
                net.tables["nodes"].select(
                    "node", "product", "region", "final_demand", "capacity", "price"
                ),
                pl.DataFrame(
                    {
                        "node": ["boxes"],
                        "product": ["BOX"],
                        "region": ["JP"],
                        "final_demand": [0.0],
                        "capacity": [30.0],
                        "price": [1.0],
                    }
                ),
            ]
        ),
        "recipes": pl.DataFrame(
            {"buyer": ["PUMP", "PUMP"], "input": ["PART", "BOX"], "quantity": [1.0, 2.0]}
        ),
        "links": pl.concat(
            [
                net.tables["links"].select("supplier", "buyer", "share"),
                pl.DataFrame({"supplier": ["boxes"], "buyer": ["plant"], "share": [1.0]}),
            ]
        ),
        "stocks": pl.concat(
            [
                net.tables["stocks"].select("node", "product", "periods_of_use"),
                pl.DataFrame({"node": ["plant"], "product": ["BOX"], "periods_of_use": [20.0]}),
            ]
        ),
    }
    return build_network(tables, Settings(name="branches", home="HOME", currency="EUR"))


def test_a_plan_on_a_screened_network_is_certified_on_the_full_one():
    full = two_branches()
    by_label = {"PART": 4000.0, "PUMP": 0.0, "BOX": 0.0}
    losses = np.array([by_label[str(x)] for x in full.product_labels])
    small = plan.screened(full, losses, [stockpile(), second_source()])
    assert small.left_out["product"].to_list() == ["BOX"]
    assert small.covered == 1.0
    found = plan.solve(small.network, [stockpile(), second_source()], [JAPAN], **OPTIONS)
    whole = plan.solve(full, [stockpile(), second_source()], [JAPAN], **OPTIONS)
    assert found.chosen == whole.chosen
    assert found.value == pytest.approx(whole.value)
    proof = plan.certify(found, small)
    assert proof.missed == pytest.approx(0.0, abs=1e-6)
    assert proof.saved == pytest.approx(
        whole.verify().expected("simulated_before") - whole.verify().expected("simulated_after")
    )
    with pytest.raises(UsageError, match="not made on the network"):
        plan.certify(whole, small)


@pytest.mark.parametrize(
    "losses", [[1.0], [np.nan, 1.0], [-1.0, 1.0], "much", [[1.0, 2.0, 3.0]], [[1.0], [2.0, 3.0]]]
)
def test_losses_that_do_not_fit_are_refused(losses):
    with pytest.raises(UsageError, match="losses"):
        plan.screened(two_tiers(), losses)


# --- before and after --------------------------------------------------------------------------


def test_before_and_after_shows_lines_in_feasible_output_and_stock_in_the_simulation():
    line = plan.solve(two_tiers(), [second_source()], [JAPAN], **OPTIONS)
    rows = line.compare(["JP", "DE"], duration="6w").to_frame()
    assert rows["region"].to_list() == ["JP", "DE"]
    assert rows["feasible_before"].to_list() == pytest.approx([0.0, 1.0])
    assert rows["feasible_after"].to_list() == pytest.approx([0.5, 1.0])
    stock = plan.solve(two_tiers(), [stockpile()], [JAPAN], **OPTIONS).compare(
        ["JP"], duration="6w"
    )
    assert stock.not_mended == ("JP",)
    assert stock.rows["loss_before"][0] - stock.rows["loss_after"][0] == pytest.approx(3000.0)


# --- values ---------------------------------------------------------------------------------------


def test_values_of_a_plan_are_never_negative():
    network, options, scenarios, budget = random_case(12)
    found = plan.solve(
        network, options, scenarios, budget=budget, horizon=1, periods=8, step=1, gap=1e-9
    )
    values = found.values()
    assert values.of_stochastic_solution >= -1e-6
    assert values.of_perfect_information >= -1e-6


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"budget": "much"}, "budget"),
        ({"budget": float("nan")}, "budget"),
        ({"budget": [1.0, None]}, "budget"),
        ({"onsets": "soon"}, "onsets"),
        ({"onsets": [0.5, 0.5]}, "onsets"),
        ({"onsets": []}, "onsets"),
        ({"periods": 0}, "periods"),
        ({"periods": 3.5}, "periods"),
        ({"step": -1}, "step"),
        ({"step": True}, "step"),
        ({"started": {"STOCK": float("nan")}}, "started"),
        ({"started": {"STOCK": "long"}}, "started"),
        ({"time_limit": 0.0}, "time_limit"),
        ({"time_limit": float("nan")}, "time_limit"),
        ({"gap": float("nan")}, "gap"),
        ({"discount": float("nan")}, "discount"),
        ({"candidates": 0}, "n must be"),
        ({"risk": plan.Risk(weight=float("nan"))}, "risk_weight"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_its_name(given, message):
    with pytest.raises(UsageError, match=message):
        plan.solve(two_tiers(), [stockpile()], [JAPAN], **{**OPTIONS, **given})


def test_options_with_impossible_numbers_are_findings():
    with pytest.raises(OptionError, match="E406"):
        plan.solve(two_tiers(), [stockpile(cost=float("nan"))], [JAPAN], **OPTIONS)


def test_a_scenario_that_hits_nothing_now_and_nothing_planned_is_refused():
    with pytest.raises(ScenarioError, match="PT"):
        plan.solve(
            two_tiers(), [stockpile()], [Scenario.lose(region="PT", duration="6w")], **OPTIONS
        )


def test_questions_to_a_plan_that_was_not_found_are_refused():
    found = plan.solve(
        two_tiers(), [stockpile()], [JAPAN], aim="cost", loss_limit=1.0, budget=0.0, **OPTIONS
    )
    assert not found.is_found
    for ask in (found.verify, found.rerank, found.alternatives, found.sensitivity):
        with pytest.raises(UsageError, match="no plan"):
            ask()
    with pytest.raises(UsageError, match="no plan"):
        found.compare(["JP"])
