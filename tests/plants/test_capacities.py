"""What a node can make, need by need, and lines as capacities of nodes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiny_networks import link, need, network, node
from withstand import plants, stress
from withstand.errors import UsageError
from withstand.model.scenario import Scenario

LINE = plants.line([0.1, 0.1], [0.01, 0.02], [10], cycle_seconds=360.0, machines=["hob", "grind"])


def plant(**more):
    """10 gears a week: 2 steel (30 there), 3 hours of grinding (36 there), 1 of machine (50)."""
    return network(
        [
            node("plant", "GEAR", final_demand=10.0, capacity=40.0, price=10.0),
            node("other", "PUMP", final_demand=5.0, capacity=8.0, price=10.0),
            node("mill", "STEEL", capacity=30.0),
            node("grinders", "SK_GRIND", capacity=60.0),
            node("machines", "EQ", capacity=50.0),
            node("paint", "PAINT", capacity=10.0),
        ],
        [
            need("GEAR", "STEEL", 2.0),
            need("GEAR", "SK_GRIND", 3.0),
            need("PUMP", "SK_GRIND", 4.0),
            need("GEAR", "EQ", 1.0),
            need("GEAR", "PAINT", 1.0, **{"class": "important"}),
        ],
        [link("mill"), link("grinders"), link("machines"), link("paint")],
        products=[
            {"product": "GEAR"},
            {"product": "PUMP"},
            {"product": "STEEL", "kind": "material"},
            {"product": "SK_GRIND", "kind": "skill"},
            {"product": "EQ", "kind": "equipment"},
            {"product": "PAINT", "kind": "material"},
        ],
        **more,
    )


def test_the_least_of_available_over_need_binds():
    """Grinders: 60 hours, used 30 and 20 at rest; of all 60 the plant gets 36, that is 12 gears."""
    found = plants.node_capacity(plant(), "plant")
    assert (found.binding, found.capacity) == ("SK_GRIND", pytest.approx(12.0))
    makes = dict(found.to_frame().select("need", "makes").iter_rows())
    assert makes["STEEL"] == 15.0
    assert makes["EQ"] == 50.0
    assert makes["capacity of the node"] == 40.0
    assert makes["PAINT"] == 10.0  # shown, but important inputs do not limit
    assert found.to_frame().filter(pl.col("binds"))["need"].to_list() == ["SK_GRIND"]
    assert "SK_GRIND holds it back" in repr(found)


@pytest.mark.parametrize(
    ("allotment", "hours"), [("proportional", 36.0), ("rest", 40.0), ("alone", 60.0)]
)
def test_what_a_buyer_gets_of_hours_that_others_use_too(allotment, hours):
    frame = plants.node_capacity(plant(), "plant", allotment=allotment).to_frame()
    assert frame.filter(pl.col("need") == "SK_GRIND")["available"][0] == pytest.approx(hours)


def test_hours_of_people_may_be_handed_in():
    found = plants.node_capacity(plant(), "plant", available={"SK_GRIND": 21.0})
    assert (found.binding, found.capacity) == ("SK_GRIND", pytest.approx(7.0))


def test_a_line_is_a_need_with_its_failures_counted_once():
    """E parts per 6 minutes: 10 E an hour; no availability on top."""
    found = plants.node_capacity(plant(), "plant", line=LINE, hours_per_period=1.2)
    assert found.capacity == pytest.approx(1.2 * 10 * LINE.throughput)
    assert found.binding == "line (grind)"
    wide = plants.node_capacity(plant(), "plant", line=LINE, hours_per_period=40.0)
    assert wide.binding == "SK_GRIND"


@given(performance=st.floats(0.3, 1.0), quality=st.floats(0.3, 1.0))
def test_an_oee_of_the_weakest_machine_says_the_same(performance, quality):
    """OEE = least availability x performance x quality, so OEE E / min e = E x p x q."""
    full = plants.line([0.1, 0.1], [0.01, 0.02], [10], performance=performance, quality=quality)
    bare = plants.line([0.1, 0.1], [0.01, 0.02], [10])
    measured = plants.oee(float(bare.availability.min()), performance, quality)
    assert plants.good_parts(bare, 40.0, oee=measured) == pytest.approx(
        plants.good_parts(full, 40.0), rel=1e-12
    )


def test_the_line_is_the_capacity_of_the_node_in_a_stress_run():
    """Half of the line's 12 gears a week is 6; half of the 40 stated before makes all 10."""
    net = plant()
    hours = 12.0 / LINE.per_hour
    lined = plants.with_line(net, "plant", LINE, hours)
    at = net.index("nodes")["plant"]
    assert lined.capacity[at] == pytest.approx(12.0)
    assert net.capacity[at] == 40.0
    surge = Scenario.lose(node="plant", share=0.5, duration="4w")
    run = stress.simulate(lined, surge, periods=8)
    assert run.output[:4, at] == pytest.approx(np.full(4, 6.0))  # half of the line's 12
    assert stress.simulate(net, surge, periods=8).output[:4, at] == pytest.approx(np.full(4, 10.0))


def test_a_line_too_slow_for_the_rest_is_a_scenario():
    net = plant()
    hours = 8.0 / LINE.per_hour
    with pytest.raises(UsageError, match="slow_line"):
        plants.with_line(net, "plant", LINE, hours)
    scenario = plants.slow_line(net, "plant", LINE, hours, duration="6w")
    run = stress.simulate(net, scenario, periods=6)
    at = net.index("nodes")["plant"]
    assert run.output[:, at] == pytest.approx(np.full(6, 8.0))
    assert run.loss == pytest.approx(6 * 2.0 * 10.0)
    with pytest.raises(UsageError, match="nothing is lost"):
        plants.slow_line(net, "plant", LINE, 400.0)


def test_what_a_node_can_make_is_what_it_makes_when_more_is_asked_for():
    """Without the pumps, demand for 20 gears, and only 24 hours of grinding a week: 8 gears."""
    net = network(
        [node("plant", "GEAR", final_demand=20.0, capacity=40.0), node("people", "SK")],
        [need("GEAR", "SK", 3.0)],
        [link("people")],
        products=[{"product": "GEAR"}, {"product": "SK", "kind": "skill"}],
    )
    run = stress.simulate(net, Scenario.lose(node="people", share=0.6), periods=4)
    found = plants.node_capacity(net, "plant", available={"SK": 24.0})
    assert run.output[-1, 0] == pytest.approx(found.capacity) == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: plants.node_capacity(plant(), "plan"), "Did you mean 'plant'"),
        (lambda: plants.node_capacity(plant(), "plant", available={"STEL": 1}), "'STEEL'"),
        (lambda: plants.node_capacity(plant(), "plant", available={"STEEL": -1}), "STEEL"),
        (lambda: plants.node_capacity(plant(), "plant", allotment="all"), "allotment"),
        (lambda: plants.node_capacity(plant(), "plant", line=LINE), "hours_per_period"),
        (lambda: plants.good_parts(LINE, -1.0), "hours"),
        (lambda: plants.good_parts(LINE, 1.0, oee=0.95), "oee"),
    ],
)
def test_what_cannot_be_is_refused(ask, message):
    with pytest.raises(UsageError, match=message):
        ask()
