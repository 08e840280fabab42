"""Learning by doing in closed form, by sums over units, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from tiny_networks import link, need, network, node
from withstand import apply, plants, stress
from withstand.errors import UsageError
from withstand.model.scenario import Scenario

CURVE = plants.learning_curve(100.0, at=50.0, progress_ratio=0.8)


def test_a_doubling_leaves_the_progress_ratio():
    assert CURVE.cost([50, 100, 200, 400]) == pytest.approx([100, 80, 64, 51.2])
    assert CURVE.learning_rate == pytest.approx(0.2)
    assert CURVE.exponent == pytest.approx(0.321928, abs=1e-6)  # -log2 .8, the textbook value


def test_constant_output_follows_the_closed_form():
    """Cost after t years of 25 units: 100 (1 + t / 2)^-b."""
    path = CURVE.path([25.0] * 6, year=2030)
    t = np.arange(1, 7)
    assert path["at_end"].to_numpy() == pytest.approx(100 * (1 + t / 2) ** -CURVE.exponent)
    assert path["cumulated"].to_list() == [75, 100, 125, 150, 175, 200]
    assert path["year"].to_list() == list(range(2030, 2036))
    assert path["total"].sum() == pytest.approx(CURVE.total(50, 200))


@given(b=st.floats(0.0, 2.0), begin=st.floats(1.0, 100.0), more=st.floats(0.1, 500.0))
def test_the_cost_of_a_batch_is_the_integral_and_comes_back(b, begin, more):
    curve = plants.learning_curve(10.0, at=5.0, exponent=b)
    total = curve.total(begin, begin + more)
    slow = quad(lambda q: 10.0 * (q / 5.0) ** -b, begin, begin + more)[0]
    assert total == pytest.approx(slow, rel=1e-7)
    assert curve.units_for(begin, total) == pytest.approx(more, rel=1e-5)


@pytest.mark.parametrize("near", [1e-15, 1e-12, 1e-10, 1e-6])
def test_next_to_an_exponent_of_one_nothing_is_lost(near):
    curve = plants.learning_curve(10.0, exponent=1.0 - near)
    assert curve.total(1.0, np.e) == pytest.approx(10.0, rel=2 * near + 1e-14)
    assert curve.units_for(1.0, 10.0) == pytest.approx(np.e - 1, rel=3 * near + 1e-14)


def test_the_first_units_of_all_cost_a_finite_sum():
    """From nothing on, with b = 1/2: 10 x 2 sqrt(4) = 40."""
    assert plants.learning_curve(10.0, exponent=0.5).total(0.0, 4.0) == pytest.approx(40.0)


def test_an_exponent_of_one_is_the_logarithm():
    curve = plants.learning_curve(10.0, exponent=1.0)
    assert curve.total(1.0, np.e) == pytest.approx(10.0)
    assert curve.units_for(1.0, 10.0) == pytest.approx(np.e - 1)
    steep = plants.learning_curve(10.0, exponent=2.0)
    assert steep.units_for(1.0, 10.0) == np.inf  # all units ever take 10
    assert steep.units_for(1.0, 5.0) == pytest.approx(1.0)


def test_a_fit_is_the_regression_of_logarithms():
    rng = np.random.default_rng(3)
    made = np.cumsum(rng.uniform(10, 30, 40))
    cost = 80 * made**-0.3 * np.exp(rng.normal(0, 0.05, 40))
    found = plants.fit_learning(made, cost)
    twin = stats.linregress(np.log(made), np.log(cost))
    assert found.exponent == pytest.approx(-twin.slope, rel=1e-12)
    assert found.standard_error == pytest.approx(twin.stderr, rel=1e-10)
    assert found.r_squared == pytest.approx(twin.rvalue**2)
    assert found.cost(1.0)[0] == pytest.approx(np.exp(twin.intercept))
    low, high = found.interval()
    assert low < 0.3 < high
    assert "40 points" in found.summary()


def test_the_interval_holds_the_truth_as_often_as_it_says():
    made, inside = np.arange(1.0, 21.0), 0
    for seed in range(400):
        noise = np.random.default_rng(seed).normal(0, 0.1, 20)
        low, high = plants.fit_learning(made, made**-0.25 * np.exp(noise)).interval()
        inside += low <= 0.25 <= high
    assert 366 <= inside <= 393  # 380 expected, 3 standard deviations of 4.4


# --- the circle -----------------------------------------------------------------------------------


def test_two_years_by_hand():
    """100 hours make 10 units of 10 hours; 20 made by then, a unit takes 8: 12.5; and so on."""
    curve = plants.learning_curve(10.0, at=10.0, progress_ratio=0.8)
    found = plants.practice(curve, hours=100, demand=12, years=3, within_years=False)
    assert found.output.tolist() == [10.0, 12.0, 12.0]
    assert found.experience.tolist() == [10.0, 20.0, 32.0, 44.0]
    assert found.hours_at_start[1] == pytest.approx(8.0)
    assert found.bound_by == ("hours", "demand", "demand")
    assert found.first_year_met() == 2
    frame = found.to_frame()
    assert frame["unmet"].to_list() == [2.0, 0.0, 0.0]
    assert (frame["hours_used"] <= frame["hours"] + 1e-9).all()
    assert "met from 2 on" in found.summary()


@given(ratio=st.floats(0.6, 1.0), hours=st.floats(10, 1000), years=st.integers(1, 12))
def test_hours_alone_make_the_closed_form(ratio, hours, years):
    """Q(t)^(1-b) = Q(0)^(1-b) + (1-b) H t / (first at^b)."""
    curve = plants.learning_curve(4.0, at=20.0, progress_ratio=ratio)
    found = plants.practice(curve, hours=hours, demand=1e12, years=years)
    b = curve.exponent
    t = np.arange(years + 1)
    whole = (20 ** (1 - b) + (1 - b) * hours * t / (4.0 * 20**b)) ** (1 / (1 - b))
    assert found.experience == pytest.approx(whole, rel=1e-9)
    used = found.to_frame()["hours_used"].to_numpy()
    assert used == pytest.approx(np.full(years, hours), rel=1e-9)
    if ratio < 1:
        assert (
            np.diff(found.output) > -1e-9 * found.output.max()
        ).all()  # practice feeds on itself


def test_learning_within_years_does_not_depend_on_the_length_of_a_year():
    curve = plants.learning_curve(4.0, at=20.0, progress_ratio=0.8)
    whole = plants.practice(curve, hours=100, demand=1e9, years=2)
    parts = plants.practice(curve, hours=25, demand=1e9, years=8)
    assert parts.output[:4].sum() == pytest.approx(whole.output[0])
    assert parts.output[4:].sum() == pytest.approx(whole.output[1])


def test_forgetting_ends_where_a_year_brings_back_what_it_loses():
    """With demand 10 a year and 20 % lost, experience settles at .8 (e + 10), e = 40."""
    curve = plants.learning_curve(1.0, at=5.0, progress_ratio=0.8)
    found = plants.practice(curve, hours=1e9, demand=10, years=200, forgetting=0.2)
    assert found.experience[-1] == pytest.approx(40.0)


def test_other_means_limit_too():
    curve = plants.learning_curve(1.0, at=5.0, progress_ratio=0.8)
    found = plants.practice(curve, hours=100, demand=[50, 60, 70], limit=40)
    assert found.bound_by == ("limit",) * 3
    assert found.first_year_met() is None


def test_practice_is_an_option_year_by_year():
    """With ratio .8 and 100 hours of 10 a unit a year, a unit takes 8 hours in the second year."""
    net = network(
        [node("plant", "GEAR", final_demand=10.0, capacity=40.0), node("people", "SK")],
        [need("GEAR", "SK", 2.0)],
        [link("people")],
        products=[{"product": "GEAR"}, {"product": "SK", "kind": "skill"}],
    )
    curve = plants.learning_curve(10.0, at=10.0, progress_ratio=0.8)
    run = plants.practice(curve, hours=100, demand=50, years=3, within_years=False)
    option = plants.practice_option(net, "plant", "SK", run, cost_once=5.0)
    hours = [
        float(apply(net, [option], at_period=t).input_coefficient[0]) for t in (0, 51, 52, 104, 500)
    ]
    ratio = run.hours_at_start / 10.0
    assert hours == pytest.approx([2, 2, 2 * ratio[1], 2 * ratio[2], 2 * ratio[2]])
    assert ratio[1] == pytest.approx(0.8)
    half = Scenario.lose(node="people", share=0.5)
    later = stress.simulate(apply(net, [option], at_period=52), half, periods=4)
    assert later.output[-1, 0] == pytest.approx(10.0 / (2 * 0.8))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: plants.learning_curve(10.0), "State either"),
        (lambda: plants.learning_curve(10.0, progress_ratio=0.8, exponent=0.1), "State either"),
        (lambda: plants.learning_curve(0.0, exponent=0.1), "first"),
        (lambda: plants.learning_curve(1.0, progress_ratio=0.0), "progress_ratio"),
        (lambda: plants.learning_curve(1.0, at=-1, exponent=0.1), "at "),
        (lambda: plants.fit_learning([1, 1], [2, 3]), "different"),
        (lambda: plants.fit_learning([1, 2], [2]), "2 outputs but 1"),
        (lambda: plants.fit_learning([1, 0], [2, 3]), "number 2 is 0"),
        (lambda: plants.fit_learning(["x"], [2]), "numbers"),
        (lambda: plants.fit_learning([1, 2], [2, 1]).interval(), "three points"),
        (lambda: CURVE.cost([0.0]), "cumulated"),
        (lambda: CURVE.total(5, 4), "end"),
        (lambda: plants.practice(CURVE, hours=1, demand=1), "how many years"),
        (lambda: plants.practice(CURVE, hours=[1, 2], demand=[1, 2, 3]), "3 years"),
        (lambda: plants.practice(CURVE, hours=-1, demand=1, years=2), "hours"),
        (lambda: plants.practice(CURVE, hours=1, demand=1, years=2, forgetting=1), "forgetting"),
    ],
)
def test_what_cannot_be_is_refused(ask, message):
    with pytest.raises(UsageError, match=message):
        ask()
