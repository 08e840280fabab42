"""Lines of machines against published numbers, chains built here, and each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from withstand import plants
from withstand.errors import UsageError


def chain_of_two(r, p, n):
    """The chain by loops: the long-run throughput of two machines, from the words alone."""
    states = list(itertools.product(range(n + 1), (0, 1), (0, 1)))
    place = {s: i for i, s in enumerate(states)}
    move = np.zeros((len(states), len(states)))
    made = np.zeros(len(states))
    for (level, a, b), i in place.items():
        works_1, works_2 = level < n, level > 0
        for a2, b2 in itertools.product((0, 1), (0, 1)):
            up_1 = 1 - p[0] * works_1 if a else r[0]
            up_2 = 1 - p[1] * works_2 if b else r[1]
            chance = (up_1 if a2 else 1 - up_1) * (up_2 if b2 else 1 - up_2)
            after = level + (a2 and works_1) - (b2 and works_2)
            move[i, place[after, a2, b2]] += chance
            made[i] += chance * (b2 and works_2)
    system = np.vstack([(move.T - np.eye(len(states))), np.ones(len(states))])
    share = np.linalg.lstsq(system, np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    return float(share @ made)


@pytest.mark.parametrize(
    ("n", "published"), [(4, 0.84093614), (10, 0.85617493), (20, 0.87054072), (50, 0.88784469)]
)
def test_two_equal_machines_make_what_is_published(n, published):
    found = plants.two_machine_line((0.1, 0.1), (0.01, 0.01), n)
    assert found.throughput == pytest.approx(published, abs=5e-9)


@pytest.mark.parametrize("seed", range(20))
def test_two_unequal_machines_are_the_chain_by_loops(seed):
    rng = np.random.default_rng(seed)
    r, p, n = rng.uniform(0.02, 0.9, 2), rng.uniform(0.002, 0.5, 2), int(rng.integers(1, 14))
    found = plants.two_machine_line(r, p, n)
    assert found.throughput == pytest.approx(chain_of_two(r, p, n), abs=1e-9)


def test_flow_is_what_idle_time_leaves():
    """E = e_i (1 - idle): flow rate and idle time (Gershwin 1994, section 3.4)."""
    r, p = (0.1, 0.3), (0.02, 0.05)
    found = plants.two_machine_line(r, p, 9)
    assert found.throughput == pytest.approx(r[0] / (r[0] + p[0]) * (1 - found.blocked), abs=1e-12)
    assert found.throughput == pytest.approx(r[1] / (r[1] + p[1]) * (1 - found.starved), abs=1e-12)


def test_a_machine_that_never_fails_leaves_the_other_alone():
    assert plants.two_machine_line((0.1, 0.2), (0.0, 0.05), 6).throughput == pytest.approx(0.8)
    assert plants.two_machine_line((0.1, 0.2), (0.05, 0.0), 6).throughput == pytest.approx(2 / 3)
    assert plants.two_machine_line((0.1, 0.2), (0.0, 0.0), 6).throughput == 1.0
    near = plants.two_machine_line((0.1, 0.2), (1e-9, 0.05), 6)
    limit = plants.two_machine_line((0.1, 0.2), (0.0, 0.05), 6)
    assert near.throughput == pytest.approx(limit.throughput, abs=1e-6)
    assert near.buffer_level == pytest.approx(limit.buffer_level, abs=1e-5)


def test_a_large_buffer_parts_the_machines():
    found = plants.two_machine_line((0.1, 0.3), (0.01, 0.01), 100_000)
    assert found.throughput == pytest.approx(0.1 / 0.11, abs=1e-6)


def test_more_places_never_make_less():
    rates = [plants.two_machine_line((0.1, 0.05), (0.02, 0.01), n).throughput for n in range(1, 60)]
    assert (np.diff(rates) > 0).all()


def test_a_line_run_backwards_makes_the_same():
    r, p, b = [0.1, 0.2, 0.15], [0.01, 0.05, 0.02], [4, 7]
    assert plants.exact_line(r, p, b).throughput == pytest.approx(
        plants.exact_line(r[::-1], p[::-1], b[::-1]).throughput, abs=1e-12
    )


@pytest.mark.parametrize(
    ("n", "exact", "ddx"),
    [(5, 0.794003, 0.794120), (10, 0.819137, 0.819829), (20, 0.846560, 0.847587)],
)
def test_three_machines_exact_and_taken_apart(n, exact, ddx):
    args = [0.1] * 3, [0.01] * 3, [n] * 2
    assert plants.exact_line(*args).throughput == pytest.approx(exact, abs=6e-7)
    assert plants.decomposition(*args).throughput == pytest.approx(ddx, abs=6e-7)


def test_taking_apart_two_machines_is_exact():
    args = [0.1, 0.3], [0.02, 0.04], [8]
    assert plants.decomposition(*args).throughput == pytest.approx(
        plants.two_machine_line(*args[:2], 8).throughput, abs=1e-12
    )


@pytest.mark.parametrize("seed", range(8))
def test_taking_apart_is_near_the_exact_chain(seed):
    rng = np.random.default_rng(seed)
    args = rng.uniform(0.05, 0.3, 4), rng.uniform(0.005, 0.05, 4), rng.integers(3, 8, 3)
    exact, apart = plants.exact_line(*args), plants.decomposition(*args)
    assert apart.throughput == pytest.approx(exact.throughput, rel=0.03)


@pytest.mark.parametrize(("n", "published"), [(1, 0.818182), (2, 0.857143), (5, 0.882353)])
def test_two_bernoulli_machines(n, published):
    assert plants.bernoulli_line([0.9, 0.9], [n]).throughput == pytest.approx(published, abs=5e-7)


def test_unequal_bernoulli_machines_are_the_chain():
    p1, p2, n = 0.6, 0.8, 3
    move = np.zeros((n + 1, n + 1))
    for level in range(n + 1):
        for a, b in itertools.product((0, 1), (0, 1)):
            gives = b and level > 0
            takes = a and (level < n or gives)  # blocked before service: room that is made counts
            chance = (p1 if a else 1 - p1) * (p2 if b else 1 - p2)
            move[level, level + int(takes) - int(gives)] += chance
    system = np.vstack([move.T - np.eye(n + 1), np.ones(n + 1)])
    share = np.linalg.lstsq(system, np.append(np.zeros(n + 1), 1.0), rcond=None)[0]
    found = plants.bernoulli_line([p1, p2], [n])
    assert found.throughput == pytest.approx(p2 * (1 - share[0]), abs=1e-12)
    assert found.levels[0] == pytest.approx(np.arange(n + 1) @ share, abs=1e-12)


@pytest.mark.parametrize(
    ("chance", "machines", "places"), [(0.9, 10, 5), (0.95, 15, 2), (0.9, 40, 10), (0.5, 10, 1000)]
)
def test_long_bernoulli_lines_of_equal_machines_settle(chance, machines, places):
    # Inside such a line the chances of neighbours come within 1e-11 of each other.
    found = plants.bernoulli_line([chance] * machines, [places] * (machines - 1))
    two = plants.bernoulli_line([chance] * 2, [places]).throughput
    longer = plants.bernoulli_line([chance] * 2 * machines, [places] * (2 * machines - 1))
    assert longer.throughput < found.throughput < two
    assert np.ptp(found.levels + found.levels[::-1]) < 1e-6  # read backwards, room is parts


def test_far_unequal_bernoulli_machines_with_large_buffers():
    full = plants.bernoulli_line([0.9, 0.5], [1000])
    assert full.throughput == pytest.approx(0.5, rel=1e-12)
    assert full.levels[0] == pytest.approx(999.875, rel=1e-12)  # the weights as fractions
    empty = plants.bernoulli_line([0.5, 0.9], [1000])
    assert (empty.throughput, empty.levels[0]) == pytest.approx((0.5, 0.625), rel=1e-12)
    assert plants.bernoulli_line([1e-9, 0.5], [2]).throughput == pytest.approx(1e-9, rel=1e-6)


def test_longer_bernoulli_lines_make_less_and_the_same_backwards():
    p, b = [0.9, 0.7, 0.8], [2, 3]
    found = plants.bernoulli_line(p, b)
    assert found.throughput < 0.7
    assert found.method == "aggregation"
    assert plants.bernoulli_line(p[::-1], b[::-1]).throughput == pytest.approx(found.throughput)


@pytest.mark.parametrize(("k", "published"), [(1, 1.0), (2, 2 / 3), (3, 0.5641), (4, 0.5148)])
def test_exponential_stations_without_buffers(k, published):
    assert plants.exponential_line([1.0] * k).throughput == pytest.approx(published, abs=5e-5)


def test_two_exponential_stations_are_a_queue():
    """Rates 1 and 2 with b places: M/M/1 with b + 3 states, of which the last blocks."""
    for b in range(5):
        rho = 0.5
        empty = (1 - rho) / (1 - rho ** (b + 3))
        found = plants.exponential_line([1.0, 2.0], [b])
        assert found.throughput == pytest.approx(2.0 * (1 - empty), abs=1e-12)


def test_the_simulation_covers_the_exact_line_as_often_as_it_says():
    args = [0.1] * 3, [0.01] * 3, [10] * 2
    exact = plants.exact_line(*args).throughput
    runs = [plants.simulate_line(*args, seed=s) for s in range(100)]
    covered = sum(abs(x.throughput - exact) <= x.half_width for x in runs)
    assert 89 <= covered <= 99
    assert np.mean([x.throughput for x in runs]) == pytest.approx(exact, abs=3e-4)


def test_the_simulation_sees_what_the_chain_sees():
    args = [0.1, 0.2, 0.15], [0.01, 0.05, 0.02], [4, 7]
    exact, run = plants.exact_line(*args), plants.simulate_line(*args, seed=3, cycles=3_000_000)
    assert run.levels == pytest.approx(exact.levels, rel=0.02)
    assert run.starved == pytest.approx(exact.starved, abs=0.01)
    assert run.blocked == pytest.approx(exact.blocked, abs=0.01)


def test_the_same_seed_plays_the_same_line():
    args = [0.1] * 2, [0.01] * 2, [5]
    one = plants.simulate_line(*args, seed=7, cycles=10_000)
    two = plants.simulate_line(*args, seed=7, cycles=10_000)
    assert (one.throughput, one.half_width) == (two.throughput, two.half_width)


def test_a_line_names_its_bottleneck_and_what_would_help():
    found = plants.line(
        [0.1, 0.1, 0.1], [0.01, 0.03, 0.01], [6, 6], machines=["hob", "grind", "wash"]
    )
    assert found.bottleneck == "grind"
    helps = found.what_helps()
    assert helps.filter(helps["change"] == "repair a tenth faster")["where"][0] == "grind"
    assert (helps["gain"] > 0).all()
    assert found.with_buffers([20, 20]).throughput > found.throughput
    assert "grind holds it back" in found.summary()


def test_hours_count_failures_once():
    found = plants.line(
        [0.1, 0.1], [0.01, 0.01], [10], cycle_seconds=36.0, performance=0.9, quality=0.95
    )
    assert found.per_hour == pytest.approx(100 * 0.85617493 * 0.9 * 0.95, rel=1e-7)
    assert found.hours_per_part() == pytest.approx(1 / found.per_hour)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([0.1], [0.01], []), "k machines"),
        (([0.1, 0.1], [0.01], [4]), "k machines"),
        (([0.1, 0.0], [0.01, 0.01], [4]), "r must"),
        (([0.1, 0.1], [0.01, 1.5], [4]), "p must"),
        (([0.1, 0.1], [0.01, -0.1], [4]), "p must"),
        (([0.1, 0.1], [0.01, 0.01], [0]), "buffers"),
        (([0.1, 0.1], [0.01, 0.01], [2.5]), "buffers"),
        (([0.1, float("nan")], [0.01, 0.01], [4]), "r must"),
        ((["a", 0.1], [0.01, 0.01], [4]), "numbers"),
        (([1e-200, 0.1], [0.01, 0.01], [4]), "1e-100"),
        (([0.1, 0.1], [0.01, 1e-200], [4]), "1e-100"),
        (([0.1, 0.1], [0.01, 0.01], [[4]]), "plain rows"),
    ],
)
def test_what_cannot_be_a_line_is_refused(given, message):
    for ask in (plants.decomposition, plants.exact_line, plants.simulate_line, plants.line):
        with pytest.raises(UsageError, match=message):
            ask(*given)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: plants.two_machine_line((0.1, 0.1), (0.01, 0.01), [[5]]), "plain rows"),
        (lambda: plants.bernoulli_line([[0.5, 0.5], [0.5, 0.5]], [2]), "plain rows"),
        (lambda: plants.bernoulli_line([0.5, float("nan")], [2]), "above 0"),
        (lambda: plants.exponential_line("abc"), "must be numbers"),
        (lambda: plants.exponential_line([[1.0, 2.0]], [1]), "plain rows"),
        (lambda: plants.simulate_line([0.1] * 2, [0.01] * 2, [4], cycles="x"), "cycles"),
        (lambda: plants.simulate_line([0.1] * 2, [0.01] * 2, [4], seed="x"), "seed"),
        (lambda: plants.simulate_parts([0.1] * 2, [0.01] * 2, [4], ["a", 1]), "cycle_seconds"),
        (lambda: plants.line([0.1] * 2, [0.01] * 2, [4], machines=["a", "a"]), "names"),
        (lambda: plants.oee("x", 0.9, 0.9), "availability"),
        (lambda: plants.oee(0.9, float("nan"), 0.9), "performance"),
        (lambda: plants.least_spares(plants.spares(1, 1, 0), 1.0), "below 1"),
    ],
)
def test_numbers_that_cannot_be_are_refused_with_their_name(ask, message):
    with pytest.raises(UsageError, match=message):
        ask()


def test_a_chain_that_is_too_large_says_what_to_use():
    with pytest.raises(UsageError, match="decomposition"):
        plants.exact_line([0.1] * 6, [0.01] * 6, [20] * 5)
