"""Lines at the edges of what can be: never failing, always failing, no room, many machines."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand import plants
from withstand.errors import UsageError

CHANCE = st.floats(0.01, 1.0)
MAYBE = st.one_of(st.just(0.0), st.floats(0.001, 0.99))


def play_chain(r, p, buffers, periods=40_000):
    """The chain by loops over its states: shares of time after many steps from an empty line.

    Returns throughput, mean levels, and shares of time starved and blocked.
    """
    k = len(r)
    grids = [range(n + 1) for n in buffers]
    states = [
        (levels, modes)
        for levels in itertools.product(*grids)
        for modes in itertools.product((0, 1), repeat=k)
    ]
    place = {s: i for i, s in enumerate(states)}
    move = np.zeros((len(states), len(states)))
    made = np.zeros(len(states))
    for (levels, modes), i in place.items():
        feed = [m == 0 or levels[m - 1] > 0 for m in range(k)]
        room = [m == k - 1 or levels[m] < buffers[m] for m in range(k)]
        busy = [a and b for a, b in zip(feed, room, strict=True)]
        for after in itertools.product((0, 1), repeat=k):
            chance = 1.0
            for m in range(k):
                up = 1 - p[m] * busy[m] if modes[m] else r[m]
                chance *= up if after[m] else 1 - up
            if chance == 0:
                continue
            works = [b and a for a, b in zip(after, busy, strict=True)]
            then = tuple(levels[m] + works[m] - works[m + 1] for m in range(k - 1))
            move[i, place[then, after]] += chance
            made[i] += chance * works[-1]
    at = np.zeros(len(states))
    at[place[(0,) * (k - 1), (1,) * k]] = 1.0
    lazy = (move + np.eye(len(states))) / 2  # the same long run, without periods
    for _ in range(int(np.log2(periods))):
        lazy = lazy @ lazy
    share = at @ lazy
    share /= share.sum()
    levels = np.array([s[0] for s in states])
    modes = np.array([s[1] for s in states])
    full = np.array(buffers)
    starved = [
        0.0 if m == 0 else share @ ((modes[:, m] == 1) & (levels[:, m - 1] == 0)) for m in range(k)
    ]
    blocked = [
        0.0 if m == k - 1 else share @ ((modes[:, m] == 1) & (levels[:, m] == full[m]))
        for m in range(k)
    ]
    return share @ made, share @ levels, starved, blocked


@given(st.tuples(CHANCE, CHANCE), st.tuples(MAYBE, MAYBE), st.integers(1, 9))
@settings(deadline=None, max_examples=120)
def test_two_machines_are_their_chain_whatever_the_chances(r, p, n):
    """Also with r = 1, p = 0 and one to three places, where the closed form does not hold."""
    found = plants.two_machine_line(r, p, n)
    rate, levels, starved, blocked = play_chain(r, p, [n], 2**22)
    assert found.throughput == pytest.approx(rate, abs=1e-7)
    assert found.buffer_level == pytest.approx(levels[0], abs=1e-5)
    assert (found.starved, found.blocked) == pytest.approx((starved[1], blocked[0]), abs=1e-6)


@given(
    st.lists(CHANCE, min_size=3, max_size=3),
    st.lists(MAYBE, min_size=3, max_size=3),
    st.lists(st.integers(1, 3), min_size=2, max_size=2),
)
@settings(deadline=None, max_examples=40)
def test_three_machines_are_their_chain_whatever_the_chances(r, p, buffers):
    found = plants.exact_line(r, p, buffers)
    rate, levels, starved, blocked = play_chain(r, p, buffers, 2**22)
    assert found.throughput == pytest.approx(rate, abs=1e-7)
    assert found.levels == pytest.approx(levels, abs=1e-5)
    assert found.starved == pytest.approx(starved, abs=1e-6)
    assert found.blocked == pytest.approx(blocked, abs=1e-6)


@given(
    st.lists(st.tuples(CHANCE, MAYBE), min_size=3, max_size=4),
    st.lists(st.integers(1, 4), min_size=3, max_size=3),
    st.integers(0, 2),
)
@settings(deadline=None, max_examples=40)
def test_a_line_makes_the_same_backwards_and_never_less_with_more(machines, places, at):
    r, p = [m[0] for m in machines], [m[1] for m in machines]
    b = places[: len(r) - 1]
    rate = plants.exact_line(r, p, b).throughput
    assert rate == pytest.approx(plants.exact_line(r[::-1], p[::-1], b[::-1]).throughput, abs=1e-9)
    more = [n + (i == at % len(b)) for i, n in enumerate(b)]
    assert plants.exact_line(r, p, more).throughput >= rate - 1e-9
    faster = [min(1.0, 1.2 * x) if i == at % len(r) else x for i, x in enumerate(r)]
    assert plants.exact_line(faster, p, b).throughput >= rate - 1e-9


def test_a_single_place_lets_two_machines_work_in_turn():
    assert plants.two_machine_line((0.5, 0.5), (0.0, 0.0), 1).throughput == pytest.approx(0.5)
    half = plants.two_machine_line((0.2, 0.3), (0.0, 0.1), 1)
    assert half.throughput == pytest.approx(1 / (2 + 0.1 / 0.3), abs=1e-12)  # 2 cycles a part, and
    # a tenth of the parts waits 1 / .3 cycles more


def test_machines_that_fail_in_every_cycle_work_every_other_one():
    assert plants.two_machine_line((1, 1), (1, 1), 6).throughput == pytest.approx(0.5)
    assert plants.exact_line([1, 1, 1], [1, 1, 1], [4, 4]).throughput == pytest.approx(0.5)


def test_a_large_buffer_and_certain_repair_have_a_closed_form():
    """Far beyond what the chain could hold; the slower machine decides: 1 / (1 + p / r)."""
    found = plants.two_machine_line((1.0, 0.5), (0.3, 0.1), 200_000)
    assert found.throughput == pytest.approx(1 / 1.3, abs=1e-9)


@pytest.mark.parametrize("k", [10, pytest.param(50, marks=pytest.mark.slow)])
def test_long_lines_settle_backwards_too_and_stay_below_their_slowest_machine(k):
    rng = np.random.default_rng(k)
    r, p, b = rng.uniform(0.05, 0.3, k), rng.uniform(0.002, 0.02, k), rng.integers(2, 20, k - 1)
    found = plants.decomposition(r, p, b)
    back = plants.decomposition(r[::-1], p[::-1], b[::-1])
    assert found.throughput == pytest.approx(back.throughput, rel=1e-6)
    assert found.throughput < (r / (r + p)).min()


@pytest.mark.slow
def test_fifty_equal_machines_come_out_too_high_by_what_is_documented():
    args = [0.1] * 50, [0.01] * 50, [10] * 49
    ratio = plants.decomposition(*args).throughput / plants.simulate_line(*args).throughput
    assert 1.05 < ratio < 1.09


def test_the_decomposition_refuses_single_places_and_the_line_is_simulated():
    args = [0.1] * 9, [0.01] * 9, [1] * 8
    with pytest.raises(UsageError, match="2 places"):
        plants.decomposition(*args)
    found = plants.line(*args)
    assert found.run.method == "simulation"
    assert found.what_helps().height == 17


@pytest.mark.slow
def test_a_line_that_cannot_be_taken_apart_is_simulated():
    """Chances for which the two-machine lines never come to agree."""
    r = [0.077, 0.2733, 0.0661, 0.0104, 0.8836, 0.072, 0.0045, 0.0067, 0.0272, 0.2656]
    p = [0.2004, 0.6028, 0.0333, 0.2203, 0.032, 0.3323, 0.5073, 0.0, 0.0, 0.0059]
    found = plants.line(r, p, [15, 7, 6, 15, 14, 15, 17, 8, 17])
    assert found.run.method == "simulation"
    slowest = min(a / (a + b) for a, b in zip(r, p, strict=True))
    assert found.throughput == pytest.approx(slowest, rel=0.2)


def test_bernoulli_machines_that_never_miss():
    assert plants.bernoulli_line([1.0, 1.0], [3]).throughput == pytest.approx(1.0)
    assert plants.bernoulli_line([1.0, 0.6, 1.0], [3, 3]).throughput == pytest.approx(0.6)
    assert plants.bernoulli_line([0.7, 1.0], [1]).throughput == pytest.approx(0.7)


@pytest.mark.parametrize("rates", [[1.0, 2.0, 1.5], [0.4, 0.5, 3.0]])
def test_exponential_stations_make_the_same_backwards(rates):
    assert plants.exponential_line(rates, [1, 2]).throughput == pytest.approx(
        plants.exponential_line(rates[::-1], [2, 1]).throughput, abs=1e-10
    )


def test_shares_of_time_are_those_of_the_chain_and_sum_to_one():
    r, p, b = [0.1, 0.2, 0.15], [0.01, 0.05, 0.02], [4, 7]
    shares = plants.line(r, p, b).shares()
    total = shares.select(s="working", t="starved", u="blocked", v="down").sum_horizontal()
    assert total.to_list() == pytest.approx([1.0] * 3)
    exact = plants.exact_line(r, p, b)
    first, last = shares.row(0, named=True), shares.row(2, named=True)
    assert first["blocked"] == pytest.approx(exact.blocked[0], abs=1e-9)
    assert last["starved"] == pytest.approx(exact.starved[2], abs=1e-9)


def test_what_helps_is_told_by_one_method_for_all_changes():
    """Buffers just below what the exact chain takes: one place more would be above."""
    found = plants.line([0.1] * 3, [0.01] * 3, [80, 91])
    assert found.run.method == "exact"
    helps = found.what_helps()
    assert (helps["gain"] > 0).all()
    assert helps["gain"].max() < 0.01
