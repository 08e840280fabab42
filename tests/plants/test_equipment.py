"""Machines, repairers and spares against chains solved as matrices, sums, and play with a seed."""

from __future__ import annotations

import heapq
from math import comb

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from tiny_networks import link, network, node
from withstand import plants
from withstand.errors import UsageError


def chain_as_a_matrix(n, k, mtbf, mttr, crews, standby):
    """The long run of the chain from its generator, as a linear system."""
    generator = np.zeros((n + 1, n + 1))
    for j in range(n + 1):
        up = n - j
        if j < n:
            generator[j, j + 1] = (up if standby == "hot" else min(k, up)) / mtbf
        if j > 0:
            generator[j, j - 1] = min(j, crews) / mttr
        generator[j, j] = -generator[j].sum()
    system = np.vstack([generator.T, np.ones(n + 1)])
    return np.linalg.lstsq(system, np.append(np.zeros(n + 1), 1.0), rcond=None)[0]


@given(
    n=st.integers(1, 9),
    data=st.data(),
    mtbf=st.floats(1, 100),
    mttr=st.floats(0.5, 60),
    standby=st.sampled_from(["hot", "cold"]),
)
def test_machines_are_their_chain(n, data, mtbf, mttr, standby):
    k, crews = data.draw(st.integers(1, n)), data.draw(st.integers(1, n))
    found = plants.machines(n, mtbf=mtbf, mttr=mttr, needed=k, crews=crews, standby=standby)
    share = chain_as_a_matrix(n, k, mtbf, mttr, crews, standby)
    j = np.arange(n + 1)
    assert found.down == pytest.approx(share, abs=1e-9)
    assert found.availability == pytest.approx(share[: n - k + 1].sum(), abs=1e-9)
    assert found.mean_up == pytest.approx(share @ (n - j), abs=1e-8)
    assert found.mean_working == pytest.approx(share @ np.minimum(k, n - j), abs=1e-8)
    # what fails is repaired: failures = repairs
    assert found.failures == pytest.approx(found.crew_use * crews / mttr, rel=1e-9)
    down = found.failures * (found.waiting + mttr)  # Little's law for all that are down
    assert down == pytest.approx(n - found.mean_up, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (3, 2), (5, 5), (8, 3)])
def test_with_a_repairer_each_machines_do_not_know_of_each_other(n, k):
    a = plants.availability(90, 10)
    found = plants.machines(n, mtbf=90, mttr=10, needed=k)
    several = sum(comb(n, i) * a**i * (1 - a) ** (n - i) for i in range(k, n + 1))
    assert found.availability == pytest.approx(several)
    assert found.waiting == pytest.approx(0.0, abs=1e-12)
    assert found.machine_hours(40.0) <= 40.0 * k


def test_two_machines_and_one_repairer_by_hand():
    """Load 1: weights 1, 2, 2; both up 1/5, one waits for 2/5 of the time."""
    found = plants.machines(2, mtbf=1, mttr=1, needed=1, crews=1)
    assert found.down == pytest.approx([0.2, 0.4, 0.4])
    assert found.availability == pytest.approx(0.6)
    assert found.crew_use == pytest.approx(0.8)
    assert found.waiting == pytest.approx(0.4 / 0.8)
    assert found.to_frame()["enough"].to_list() == [True, True, False]
    assert "2 machines" in repr(found)


def test_a_thousand_machines_are_no_number_too_large():
    found = plants.machines(1000, mtbf=1000, mttr=1, needed=990, crews=2)
    assert 0 < found.availability < 1
    assert found.down.sum() == pytest.approx(1.0)


def test_machines_that_are_repaired_at_once_never_lack():
    assert plants.machines(4, mtbf=10, mttr=0).availability == 1.0


# --- spares ---------------------------------------------------------------------------------------


@given(mean=st.floats(0.0, 30.0), s=st.integers(0, 40))
def test_backorders_are_the_sum_over_the_tail(mean, s):
    found = plants.spares(mean, 1.0, s, machines=5)
    n = np.arange(s, 400)
    assert found.backorders == pytest.approx(((n - s) * poisson.pmf(n, mean)).sum(), abs=1e-9)
    assert found.fill_rate == pytest.approx(poisson.pmf(np.arange(s), mean).sum(), abs=1e-9)
    k = np.arange(s + 1)
    assert found.on_hand == pytest.approx(((s - k) * poisson.pmf(k, mean)).sum(), abs=1e-7)


def play_spares(rate, resupply, stock, periods, seed):
    """Demand by demand: share met at once, and mean number waited for; fixed resupply times."""
    rng = np.random.default_rng(seed)
    now, on_hand, waiting, area, met, asked = 0.0, stock, 0, 0.0, 0, 0
    arrivals, next_demand = [], rng.exponential(1 / rate)
    while now < periods:
        is_arrival = arrivals and arrivals[0] <= next_demand
        then = arrivals[0] if is_arrival else next_demand
        area += waiting * (then - now)
        now = then
        if is_arrival:
            heapq.heappop(arrivals)
            waiting, on_hand = (waiting - 1, on_hand) if waiting else (0, on_hand + 1)
            continue
        asked += 1
        met += on_hand > 0
        waiting, on_hand = (waiting, on_hand - 1) if on_hand else (waiting + 1, 0)
        heapq.heappush(arrivals, now + resupply)
        next_demand = now + rng.exponential(1 / rate)
    return met / asked, area / now


def test_a_stock_that_is_played_serves_as_the_formula_says():
    found = plants.spares(0.8, 3.0, 3, machines=20)
    met, waited = play_spares(0.8, 3.0, 3, periods=60_000, seed=11)
    assert met == pytest.approx(found.fill_rate, abs=0.01)  # 48,000 demands: 3 deviations of .003
    assert waited == pytest.approx(found.backorders, abs=0.02)


@pytest.mark.parametrize(
    ("measure", "target"), [("availability", 0.995), ("fill_rate", 0.9), ("backorders", 0.05)]
)
def test_the_least_stock_is_enough_and_one_less_is_not(measure, target):
    given_ = plants.spares(0.5, 6.0, 0, machines=8)
    found = plants.least_spares(given_, target, measure=measure)
    less = found.with_stock(found.stock - 1)
    if measure == "backorders":
        assert found.backorders <= target < less.backorders
    else:
        assert getattr(found, measure) >= target > getattr(less, measure)
    assert plants.least_spares(given_, 0.0, measure="fill_rate").stock == 0


def test_availability_counts_all_places_of_a_part():
    """.367879 waited for over 10 x 2 places; both of a machine's places must be filled."""
    found = plants.spares(0.5, 2.0, 1, machines=10, parts_per_machine=2)
    assert found.availability == pytest.approx((1 - np.exp(-1) / 20) ** 2)
    assert found.wait == pytest.approx(np.exp(-1) / 0.5)


def test_no_other_way_to_spend_as_much_waits_less():
    parts = [plants.spares(d, 4.0, 0, part=x) for d, x in ((0.1, "a"), (0.4, "b"), (0.2, "c"))]
    prices = {"a": 3.0, "b": 5.0, "c": 2.0}
    _, steps = plants.share_out_spares(parts, prices, budget=25.0)
    for step in steps.iter_rows(named=True):
        best = min(
            sum(p.with_stock(s).backorders for p, s in zip(parts, (i, j, k), strict=True))
            for i in range(9)
            for j in range(6)
            for k in range(13)
            if 3 * i + 5 * j + 2 * k <= step["spent"]
        )
        assert step["backorders"] == pytest.approx(best, abs=1e-12)
    assert steps["spent"].max() <= 25.0


def test_spares_stand_in_the_tables_of_a_network():
    """0.5 seals a week for 10 gears; 4 in all, 1 on order on average: 3 on the shelf."""
    held = plants.spares(0.5, 2.0, 4, machines=3, part="SEAL")
    rows = held.rows("plant", output=10.0)
    net = network(
        [node("plant", "GEAR", final_demand=10.0), node("maker", "SEAL", "JP")],
        [],
        [link("maker", lead_time=2.0)],
        products=[{"product": "GEAR"}, {"product": "SEAL"}],
    )
    full = net.with_changes(rows)
    assert full.input_coefficient.tolist() == [0.05]
    assert full.output[1] == 0.5
    assert full.input_stock.tolist() == [3.0]
    assert isinstance(rows["stocks"], pl.DataFrame)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: plants.availability(0, 1), "mtbf"),
        (lambda: plants.availability(1, -1), "mttr"),
        (lambda: plants.machines(0, mtbf=1, mttr=1), "count"),
        (lambda: plants.machines(2, mtbf=1, mttr=1, needed=3), "only 2"),
        (lambda: plants.machines(2, mtbf=1, mttr=1, crews=0), "crews"),
        (lambda: plants.machines(2, mtbf=1, mttr=1, standby="warm"), "standby"),
        (lambda: plants.spares(-1, 1, 1), "demand"),
        (lambda: plants.spares(1, 1, 1.5), "whole"),
        (lambda: plants.least_spares(plants.spares(1, 1, 1), 1.0), "target"),
        (
            lambda: plants.least_spares(plants.spares(1, 1, 1), 0.5, measure="fill"),
            "Did you mean 'fill_rate'",
        ),
        (lambda: plants.share_out_spares([], {}, budget=1), "at least one"),
        (lambda: plants.share_out_spares([plants.spares(1, 1, 0)], {}, budget=1), "no price"),
    ],
)
def test_what_cannot_be_is_refused(ask, message):
    with pytest.raises(UsageError, match=message):
        ask()
