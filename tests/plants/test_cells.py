"""Robot cells by hand and in closed form; automation as another recipe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiny_networks import link, need, network, node
from withstand import Scenario, apply, measures, plan, plants, stress
from withstand.errors import UsageError
from withstand.examples import example
from withstand.model.option import check_options

ONE = {"robots": 2, "robot_price": 20_000, "operators": 1, "shifts": 2, "wage": 40_000}


def test_a_cell_by_hand():
    """2 robots of 20,000 are 30 % of 133,333; 2 x 40,000 x 75 % saved, 10,000 a year to run."""
    found = plants.cell(
        **ONE, replaced_share=0.75, maintenance_hours=200, maintenance_wage=40, energy=2_000,
        years=5, interest=0.1, integrator_hours=300, currency="USD",
    )  # fmt: skip
    assert found.capex == pytest.approx(40_000 / 0.3)
    assert (found.saving, found.running) == (60_000, 10_000)
    assert found.payback == pytest.approx(133_333.333 / 50_000)
    assert found.hours_saved == 2 * 1650 * 0.75
    factor = (1 - 1.1**-5) / 0.1
    assert found.annuity == pytest.approx(found.capex / factor)
    assert found.net_present_value == pytest.approx(50_000 * factor - found.capex)
    assert found.break_even_wage == pytest.approx((found.capex / factor + 10_000) / 1.5)
    needs = dict(found.needs(3).select("need", "quantity").iter_rows())
    assert needs["robots"] == 6
    assert needs["integrator hours"] == 900
    assert needs["maintenance hours"] == 600
    assert needs["operator hours"] == -7425
    assert "USD" in found.summary()
    assert found.to_frame().filter(pl.col("figure") == "capex")["value"][0] == found.capex
    assert len(repr(found)) < 100


def test_the_payback_curve_is_the_cash_year_by_year():
    found = plants.cell(**ONE, years=3, interest=0.25, residual=12_500, robot_share=0.4)
    curve = found.payback_curve()
    assert curve.columns[:3] == ["year", "cash", "cumulated"]
    assert curve["year"].to_list() == [0, 1, 2, 3]
    assert curve["cash"].to_list() == [-100_000, 80_000, 80_000, 92_500]
    assert curve["cumulated"].to_list() == [-100_000, -20_000, 60_000, 152_500]
    worth = [-100_000, -36_000, 15_200, 15_200 + 92_500 / 1.25**3]
    assert curve["discounted"].to_list() == pytest.approx(worth)
    assert found.payback == pytest.approx(1.25)
    assert found.discounted_payback == pytest.approx(1 + 36 / 51.2)


@given(
    wage=st.floats(5_000, 200_000),
    share=st.floats(0.1, 1.0),
    interest=st.floats(0.0, 0.3),
    growth=st.floats(-0.05, 0.1),
    running=st.floats(0, 20_000),
    years=st.integers(1, 25),
)
def test_the_figures_of_a_cell_agree_with_each_other(wage, share, interest, growth, running, years):
    found = plants.cell(
        **{**ONE, "wage": wage}, replaced_share=share, interest=interest, wage_growth=growth,
        other_running=running, years=years, residual=5_000,
    )  # fmt: skip
    even = found.with_wage(found.break_even_wage)
    assert even.net_present_value == pytest.approx(0.0, abs=1e-6 * found.capex)
    if found.internal_rate >= 0:  # cells take no interest below 0
        there = replace(found, interest=found.internal_rate)
        assert there.net_present_value == pytest.approx(0.0, abs=1e-4 * found.capex)
        is_simple = (found.payback_curve()["cash"][1:] >= 0).all()  # one change of sign
        if abs(found.internal_rate - interest) > 1e-6 and is_simple:
            assert (found.net_present_value > 0) == (found.internal_rate > interest)
    assert found.discounted_payback >= found.payback - 1e-9
    assert found.payback_curve()["discounted"][-1] == pytest.approx(
        found.net_present_value, abs=1e-6 * found.capex
    )


def test_without_growth_payback_is_capex_over_yearly_cash():
    found = plants.cell(**ONE, other_running=13_333, years=30)
    assert found.payback == pytest.approx(found.capex / (found.saving - found.running))


def test_a_cell_that_saves_too_little_never_pays():
    found = plants.cell(**{**ONE, "wage": 1_000}, other_running=5_000)
    assert found.payback == np.inf
    assert found.discounted_payback == np.inf
    assert np.isnan(found.internal_rate)
    assert "does not pay" in found.summary()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"robot_share": 0.0}, "robot_share"),
        ({"robot_share": 1.2}, "robot_share"),
        ({"replaced_share": 1.01}, "replaced_share"),
        ({"robots": 0}, "robots"),
        ({"robot_price": -1}, "robot_price"),
        ({"wage": float("nan")}, "wage"),
        ({"wage": "much"}, "wage"),
        ({"years": 0}, "years"),
        ({"years": 2.5}, "years"),
        ({"interest": -0.1}, "interest"),
        ({"operators": True}, "operators"),
    ],
)
def test_what_cannot_be_a_cell_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        plants.cell(**{**ONE, **wrong})


# --- automation as an option ----------------------------------------------------------------------


def plant():
    """10 gears a week take 2 hours of assembly each; half an hour of maintenance elsewhere."""
    return network(
        [
            node("plant", "GEAR", final_demand=10.0, capacity=20.0, price=100.0),
            node("people", "SK_ASM", capacity=20.0),
            node("mechanics", "SK_MAINT", capacity=15.0),
            node("robots", "ROBOT", final_demand=5.0, capacity=6.0, price=20.0),
        ],
        [need("GEAR", "SK_ASM", 2.0), need("ROBOT", "SK_MAINT", 1.0)],
        [link("people"), link("mechanics")],
        products=[
            {"product": "GEAR", "kind": "product"},
            {"product": "ROBOT", "kind": "product"},
            {"product": "SK_ASM", "kind": "skill"},
            {"product": "SK_MAINT", "kind": "skill"},
        ],
    )


ASSEMBLY = plants.cell(
    robots=2, robot_price=20.0, operators=1, wage=1_000, replaced_share=0.5, hours_per_person=416,
    maintenance_hours=52, integrator_hours=26, other_running=104,
)  # fmt: skip


def coefficient(net, node, product):
    at = net.index("nodes")[node]
    own = range(net.inputs_indptr[at], net.inputs_indptr[at + 1])
    found = [
        net.input_coefficient[i] for i in own if net.product_labels[net.input_product[i]] == product
    ]
    return float(found[0]) if found else 0.0


def test_cells_lower_the_hours_of_a_unit_by_what_they_replace():
    """One cell saves 416 x .5 / 52 = 4 of 20 hours a week; its upkeep is 1 hour a week."""
    net = plant()
    option = plants.robotise(
        net, ASSEMBLY, "plant", skill="SK_ASM", maintenance="SK_MAINT", robots="ROBOT",
        integrators="SK_MAINT", ready="13w",
    )  # fmt: skip
    assert option.kind == "robotise"
    assert check_options(net, [option]) == []
    assert (option.cost_once, option.cost_per_period) == (pytest.approx(40 / 0.3), 2.0)
    after = apply(net, [option])
    assert coefficient(after, "plant", "SK_ASM") == pytest.approx(1.6, rel=1e-15)
    assert coefficient(after, "plant", "SK_MAINT") == pytest.approx(0.1, rel=1e-15)
    assert coefficient(net, "plant", "SK_ASM") == 2.0
    assert [(u.product, u.quantity, u.periods) for u in option.uses] == [
        ("ROBOT", 2.0, 13.0),
        ("SK_MAINT", 26.0, 13.0),
    ]


def test_a_share_may_be_stated_and_products_mean_their_nodes():
    net = plant()
    option = plants.robotise(net, ASSEMBLY, "GEAR", skill="SK_ASM", share=0.35)
    assert coefficient(apply(net, [option]), "plant", "SK_ASM") == pytest.approx(1.3, rel=1e-15)


def test_a_plant_short_of_skill_makes_more_with_cells():
    """30 % of the people leave: 14 hours make 7 gears; with 1.6 hours a gear, 8.75."""
    net = plant()
    lost = Scenario.lose(node="people", share=0.3)
    before = stress.simulate(net, lost, periods=8)
    option = plants.robotise(
        net, ASSEMBLY, "plant", skill="SK_ASM", maintenance="SK_MAINT", robots="ROBOT"
    )
    after = stress.simulate(apply(net, [option]), lost, periods=8)
    at = net.index("nodes")["plant"]
    assert before.output[-1, at] == pytest.approx(7.0)
    assert after.output[-1, at] == pytest.approx(14.0 / 1.6)
    assert plants.node_capacity(net, "plant", available={"SK_ASM": 14.0}).capacity == 7.0


def test_the_plan_builds_cells_with_its_own_robots():
    """1 robot a week is to spare; cells may take 2 over 13 weeks, and not 400.

    14 hours make 7 of 10 gears for 26 weeks; with 1.6 hours a gear, 8.75. A gear is worth 100.
    """
    net = plant()
    lost = Scenario.lose(node="people", share=0.3, duration="26w", name="people leave")
    few = plants.robotise(
        net, ASSEMBLY, "plant", skill="SK_ASM", robots="ROBOT", ready="13w", label="FEW"
    )
    greedy = replace(few, label="GREEDY", uses=(replace(few.uses[0], quantity=400.0),))
    asked = {"horizon": 3, "periods": 26, "step": 1, "onsets": [1.0]}
    solved = plan.solve(net, [few], [lost], **asked)
    assert solved.chosen == ("FEW",)
    assert solved.losses_before[0] == pytest.approx(26 * 3.0 * 100.0)
    assert solved.expected_loss == pytest.approx(26 * (10 - 14 / 1.6) * 100.0, rel=1e-6)
    assert plan.solve(net, [greedy], [lost], **asked).chosen == ()


def test_the_robot_maker_takes_cells():
    net = example("robot_maker")
    one = plants.cell(
        robots=2, robot_price=20_000, operators=2, shifts=2, wage=46_660, maintenance_hours=80,
        replaced_share=0.7,
    )  # fmt: skip
    option = plants.robotise(
        net, one, ["ARM", "CTRL"], skill="SK_ASM", cells=8, robots="ROBOT", maintenance="SK_MAINT"
    )
    assert check_options(net, [option]) == []
    after = apply(net, [option])
    people = net.index("nodes")["SK_ASM@HOME"]
    saved = 8 * one.hours_saved / 52
    assert net.output[people] - after.output[people] == pytest.approx(saved, rel=1e-9)
    mechanics = net.index("nodes")["SK_MAINT@HOME"]
    assert after.output[mechanics] - net.output[mechanics] == pytest.approx(8 * 80 / 52, rel=1e-9)
    assert measures.coverage(after, limit="capacity").feasible_output == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"skill": "SK_ASN"}, "Did you mean 'SK_ASM'"),
        ({"nodes": "plan"}, "Did you mean 'plant'"),
        ({"nodes": "robots"}, "uses no hours of SK_ASM; it is used by plant"),
        ({"nodes": []}, "empty"),
        ({"cells": 6}, "only 20 are used"),
        ({"cells": 0}, "cells"),
        ({"share": 1.5}, "share"),
        ({"robots": "ROBOTS"}, "Did you mean 'ROBOT'"),
        ({"skill": "ROBOT"}, "cells replace hours"),
    ],
)
def test_cells_that_cannot_be_are_refused(wrong, message):
    asked = {"nodes": "plant", "skill": "SK_ASM", **wrong}
    with pytest.raises(UsageError, match=message):
        plants.robotise(plant(), ASSEMBLY, asked.pop("nodes"), **asked)
