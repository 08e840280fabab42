"""Random numbers by counting: published values, independence, rounding right in the mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

import naive_individuals as naive
from withstand.kernels.counted_draws import ENTRY, EVENT, GOLDEN, draw, round_people, stream

words = st.integers(0, 2**64 - 1)
small = st.integers(0, 10**6)


@pytest.fixture(autouse=True)
def _wrapping_round():
    """Let numpy's scalars overflow in silence, where compilation is off."""
    with np.errstate(over="ignore"):
        yield


def uniform(seed, run, step, purpose, n):
    start, increment = stream(np.uint64(seed), np.uint64(run), np.uint64(step), purpose)
    return np.array([draw(np.uint64(start), np.uint64(increment), i) for i in range(n)])


def test_numbers_are_those_of_the_published_generator():
    # SplitMix64 of seed 1234567, as in Rosetta Code, "Pseudo-random numbers/Splitmix64"
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    found = [draw(np.uint64(1234567), GOLDEN, i) for i in range(5)]
    assert found == [(number >> 11) / 2**53 for number in published]


@given(words, small, small, st.sampled_from([EVENT, ENTRY]), st.integers(0, 10**12))
def test_a_draw_is_that_of_the_twin(seed, run, step, purpose, number):
    start, increment = stream(np.uint64(seed), np.uint64(run), np.uint64(step), purpose)
    found = draw(np.uint64(start), np.uint64(increment), number)
    assert found == naive.draw(seed, run, step, int(purpose), number)
    assert 0.0 <= found < 1.0


@given(words, small, small)
def test_increments_are_odd_and_change_often_from_bit_to_bit(seed, run, step):
    increment = int(stream(np.uint64(seed), np.uint64(run), np.uint64(step), EVENT)[1])
    assert increment % 2 == 1
    assert (increment ^ (increment >> 1)).bit_count() >= 24


def _p_value(observed):
    """Return the chance of counts as uneven as these, were all equally likely."""
    expected = observed.mean()
    return chi2.sf(((observed - expected) ** 2 / expected).sum(), observed.size - 1)


@pytest.mark.parametrize("apart", ["person", "step", "run", "seed", "purpose"])
def test_neighbouring_draws_are_independent(apart):
    # pairs of draws that differ in one thing by one fall evenly on a board of 16 x 16
    n = 40_000
    a = uniform(5, 3, 7, EVENT, n + 1)
    b = {
        "person": lambda: a[1:],
        "step": lambda: uniform(5, 3, 8, EVENT, n),
        "run": lambda: uniform(5, 4, 7, EVENT, n),
        "seed": lambda: uniform(6, 3, 7, EVENT, n),
        "purpose": lambda: uniform(5, 3, 7, ENTRY, n),
    }[apart]()
    board, _, _ = np.histogram2d(a[:n], b[:n], bins=16, range=[[0, 1], [0, 1]])
    assert 1e-4 < _p_value(board) < 1 - 1e-4


def test_the_test_of_independence_finds_dependence():
    a = uniform(5, 3, 7, EVENT, 40_000)
    b = (a + 0.3 * uniform(5, 3, 8, EVENT, 40_000)) % 1.0
    board, _, _ = np.histogram2d(a, b, bins=16, range=[[0, 1], [0, 1]])
    assert _p_value(board) < 1e-4


def test_one_person_through_many_steps_draws_evenly():
    draws = np.array([uniform(1, 0, t, EVENT, 1)[0] for t in range(20_000)])
    counts, _ = np.histogram(draws, bins=100, range=(0, 1))
    assert 1e-4 < _p_value(counts) < 1 - 1e-4


def test_fractions_of_people_are_rounded_right_in_the_mean():
    people = np.array([3.4, 0.0, 7.0, 355_619.2, 0.999])
    people.flags.writeable = False  # as it comes from a pipeline: one type is compiled
    found = np.empty((4000, 5), np.int64)
    for run in range(4000):
        round_people(np.uint64(9), np.uint64(run), people, found[run])
    assert np.all((found == np.floor(people)) | (found == np.ceil(people)))
    # five standard errors of a share at most: sqrt(1 / 4 / 4000) = 0.008
    np.testing.assert_allclose(found.mean(0), people, atol=0.04)
