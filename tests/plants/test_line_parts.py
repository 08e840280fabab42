"""Lines whose machines differ in their cycles, part by part."""

from __future__ import annotations

import numpy as np
import pytest

from withstand import plants
from withstand.errors import UsageError
from withstand.kernels.line_parts import run_parts


def run_parts_naive(times, places):
    """The twin, by events: at each moment, start whatever can start; then go to the next end."""
    n_parts, k = times.shape
    started, ended = [0] * k, [0] * k
    busy_until = [None] * k
    done = np.zeros((n_parts, k))
    now = 0.0
    while ended[-1] < n_parts:
        moved = True
        while moved:
            moved = False
            for i in range(k):
                has_part = started[i] < (n_parts if i == 0 else ended[i - 1])
                has_room = i == k - 1 or started[i] - ended[i + 1] < places[i]
                if busy_until[i] is None and has_part and has_room:
                    busy_until[i] = now + times[started[i], i]
                    started[i] += 1
                    moved = True
        now = min(t for t in busy_until if t is not None)
        for i in range(k):
            if busy_until[i] == now:
                busy_until[i] = None
                done[ended[i], i] = now
                ended[i] += 1
    return done


@pytest.mark.parametrize("seed", range(12))
def test_the_kernel_is_its_twin(seed):
    rng = np.random.default_rng(seed)
    k, n = int(rng.integers(2, 6)), 60
    places = rng.integers(1, 5, k - 1)
    times = np.ceil(rng.exponential(3.0, (n, k))) if seed % 2 else rng.exponential(1.0, (n, k))
    done = np.zeros((n + 6, k))  # no row is used twice
    starved, blocked, between = np.zeros(k), np.zeros(k), np.zeros(k - 1)
    run_parts(times, places, done, 0, starved, blocked, between)
    expected = run_parts_naive(times, places)
    assert done[:n] == pytest.approx(expected, abs=1e-9)
    gaps = [(expected[:, i + 1] - expected[:, i]).sum() for i in range(k - 1)]
    assert between == pytest.approx(gaps, abs=1e-7)
    assert starved[0] == blocked[-1] == 0.0


def test_pieces_make_the_same_as_one_go():
    rng = np.random.default_rng(3)
    times, places = rng.exponential(1.0, (90, 3)), np.array([2, 4])
    whole, parts = np.zeros((6, 3)), np.zeros((6, 3))
    sums = [[np.zeros(3), np.zeros(3), np.zeros(2)] for _ in range(2)]
    run_parts(times, places, whole, 0, *sums[0])
    for at in range(0, 90, 30):
        run_parts(times[at : at + 30], places, parts, at, *sums[1])
    assert parts.tolist() == whole.tolist()
    for one, other in zip(*sums, strict=True):
        assert one == pytest.approx(other)


@pytest.mark.parametrize("buffers", [[4, 7], [1, 2]])
def test_machines_of_one_cycle_are_the_exact_chain(buffers):
    """Tolerances: three half widths, and as much for shares and levels as they scatter."""
    r, p = [0.1, 0.2, 0.15], [0.01, 0.05, 0.02]
    exact = plants.exact_line(r, p, buffers)
    found = plants.simulate_parts(r, p, buffers, [30.0] * 3, parts=2_000_000, seed=1)
    assert abs(found.throughput - exact.throughput) < 3 * found.half_width
    assert found.levels == pytest.approx(exact.levels, rel=0.02)
    assert found.starved == pytest.approx(exact.starved, abs=0.006)
    assert found.blocked == pytest.approx(exact.blocked, abs=0.006)


def test_the_interval_covers_the_exact_line_as_often_as_it_says():
    args = [0.2] * 2, [0.02] * 2, [5]
    exact = plants.exact_line(*args).throughput
    runs = [plants.simulate_parts(*args, [1, 1], parts=50_000, seed=s) for s in range(100)]
    assert 89 <= sum(abs(x.throughput - exact) <= x.half_width for x in runs) <= 99


def test_the_slowest_machine_decides_where_nothing_fails():
    found = plants.line([1, 1, 1], [0, 0, 0], [3, 3], cycle_seconds=[40, 60, 50])
    assert found.per_hour == pytest.approx(60.0)
    assert found.bottleneck == "machine 2"
    assert found.effectiveness == pytest.approx(1.0)
    assert found.shares()["working"].to_list() == pytest.approx([40 / 60, 1.0, 50 / 60], rel=1e-6)


def test_unequal_speeds_lengthen_the_cycles_and_equal_ones_do_not():
    alike = plants.line([0.1] * 2, [0.01] * 2, [6], performance=[0.9, 0.9])
    assert alike.run.method == "exact"
    assert alike.per_hour == plants.line([0.1] * 2, [0.01] * 2, [6], performance=0.9).per_hour
    slow = plants.line([1, 1], [0, 0], [6], performance=[1.0, 0.8], quality=[0.9, 0.5])
    assert slow.per_hour == pytest.approx(60 * 0.8 * 0.45)
    assert slow.effectiveness == pytest.approx(0.8 * 0.45)


@pytest.mark.slow
def test_runs_give_the_same_for_any_number_of_workers():
    args = [0.1] * 2, [0.01] * 2, [5]
    one = plants.simulate_line(*args, cycles=20_000, runs=4, seed=2)
    two = plants.simulate_line(*args, cycles=20_000, runs=4, seed=2, jobs=2)
    assert (one.throughput, one.half_width) == (two.throughput, two.half_width)
    alone = plants.simulate_line(*args, cycles=20_000, seed=2)
    assert one.half_width < alone.half_width


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cycle_seconds": [60, 0]}, "above 0"),
        ({"cycle_seconds": [60, 60, 60]}, "one for each of 2"),
        ({"cycle_seconds": [60, 90], "method": "exact"}, "one cycle"),
        ({"performance": [1.0, 1.2]}, "up to 1"),
        ({"quality": "good"}, "quality"),
        ({"method": "simulation", "simulated_cycles": 10}, "1,000"),
        ({"method": "simulation", "runs": 0}, "runs"),
        ({"method": "simulation", "seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_is_refused(given, message):
    with pytest.raises(UsageError, match=message):
        plants.line([0.1, 0.1], [0.01, 0.01], [4], **given)
