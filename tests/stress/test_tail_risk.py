"""Mean, VaR, CVaR, exceedance and contributions: by hand, and against a known distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.stress.tail_risk import (
    exceedance_curve,
    return_levels,
    tail_contributions,
    tail_risk,
)

FOUR = np.array([0.0, 1.0, 2.0, 10.0])
EQUAL = np.full(4, 0.25)


def test_risk_of_four_equal_draws_by_hand():
    """Losses 0, 1, 2, 10: mean 3.25; the worst half is (2 + 10) / 2 = 6; VaR of one half is 1."""
    risk = tail_risk(FOUR, EQUAL, 0.5, is_sample=True)
    assert (risk.mean, risk.var, risk.cvar) == (3.25, 1.0, 6.0)
    assert risk.mean_error == pytest.approx(np.std(FOUR, ddof=1) / 2)
    # one binomial deviation is sqrt(4 x 1/4) = 1: the first and third loss, half their distance
    assert risk.var_error == 1.0
    # excess over 1: 0, 0, 1, 9
    assert risk.cvar_error == pytest.approx(np.std([0, 0, 1, 9], ddof=1) / 2 / 0.5)


def test_weights_count_as_so_many_equal_draws():
    """A loss of weight 3/4 is as three equal draws."""
    heavy = tail_risk(np.array([2.0, 8.0]), np.array([0.75, 0.25]), 0.6, is_sample=False)
    equal = tail_risk(np.array([2.0, 2.0, 2.0, 8.0]), EQUAL, 0.6, is_sample=False)
    assert (heavy.mean, heavy.var) == (equal.mean, equal.var)
    assert heavy.cvar == pytest.approx(equal.cvar, rel=1e-12)
    assert heavy.cvar == pytest.approx((0.25 * 8 + 0.15 * 2) / 0.4, rel=1e-12)


def test_sets_that_are_no_samples_have_no_standard_errors():
    risk = tail_risk(FOUR, EQUAL, 0.5, is_sample=False)
    assert (risk.mean_error, risk.var_error, risk.cvar_error) == (None, None, None)
    assert exceedance_curve(FOUR, EQUAL, is_sample=False)["error"].null_count() == 4


def test_a_tail_of_one_draw_has_no_error():
    """The worst of four draws may be anything; an error of 0 would be false."""
    risk = tail_risk(FOUR, EQUAL, 0.75, is_sample=True)
    assert (risk.var, risk.cvar) == (2.0, 10.0)
    assert (risk.var_error, risk.cvar_error) == (None, None)
    assert risk.mean_error > 0


@pytest.mark.parametrize("alpha", [0.8, 0.95, 0.99])
def test_estimates_of_an_exponential_law_lie_within_their_errors(alpha):
    """Mean 3: VaR = -3 ln(1 - alpha), CVaR = VaR + 3 (memoryless)."""
    loss = np.random.default_rng(7).exponential(3.0, 20_000)
    risk = tail_risk(loss, np.full(len(loss), 1 / len(loss)), alpha, is_sample=True)
    var = -3.0 * np.log(1.0 - alpha)
    for found, error, true in (
        (risk.mean, risk.mean_error, 3.0),
        (risk.var, risk.var_error, var),
        (risk.cvar, risk.cvar_error, var + 3.0),
    ):
        assert abs(found - true) < 4 * error
        assert error < 0.1 * true


def test_standard_errors_are_the_spread_over_repeated_samples():
    """400 samples of 500 draws: the stated errors agree with what the estimates really do.

    The standard deviation of 400 values is known to 3.5 %; 15 % leaves room for the skew of small
    samples.
    """
    rng = np.random.default_rng(11)
    weight = np.full(500, 1 / 500)
    risks = [tail_risk(rng.exponential(1.0, 500), weight, 0.9, is_sample=True) for _ in range(400)]
    for name in ("mean", "var", "cvar"):
        spread = np.std([getattr(r, name) for r in risks])
        stated = np.mean([getattr(r, f"{name}_error") for r in risks])
        assert stated == pytest.approx(spread, rel=0.15)


def test_exceedance_by_hand():
    curve = exceedance_curve(np.array([2.0, 0.0, 2.0, 5.0]), EQUAL, is_sample=True)
    assert curve["loss"].to_list() == [0.0, 2.0, 5.0]
    assert curve["probability"].to_list() == [1.0, 0.75, 0.25]
    assert curve["error"].to_list() == [0.0, *[pytest.approx(np.sqrt(3) / 8)] * 2]


def test_return_levels_by_hand():
    """Of losses 1 to 100 the one reached once in ten years is the 90th; 100 years is too far."""
    loss = np.arange(1.0, 101.0)
    levels = return_levels(loss, np.full(100, 0.01), (2, 10, 50, 100, 500), is_sample=True)
    assert levels["years"].to_list() == [2.0, 10.0, 50.0]
    assert levels["loss"].to_list() == [50.0, 90.0, 98.0]
    # 10 years: 90 +- sqrt(100 x 0.9 x 0.1) = 3
    assert levels["error"][1] == 3.0


def test_contributions_by_hand():
    """Tail above the 70th percentile: losses 2 and 10; y is in the 10 only, z in none."""
    frame = tail_contributions(FOUR, EQUAL, ((), ("x", "z"), ("x",), ("x", "y")), 0.7)
    assert frame.rows() == [("x", 1.0, 2, 3), ("y", pytest.approx(10 / 12), 1, 1)]


def test_without_losses_nothing_contributes():
    frame = tail_contributions(np.zeros(3), np.full(3, 1 / 3), (("x",), ("x",), ()), 0.5)
    assert frame.height == 0


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=40),
    st.floats(0, 0.999),
)
def test_the_tail_is_never_milder_than_the_mean(losses, alpha):
    loss = np.array(losses)
    weight = np.full(len(loss), 1 / len(loss))
    risk = tail_risk(loss, weight, alpha, is_sample=False)
    slack = 1e-9 * (1 + loss.max())  # sums of rounded weights
    assert loss.min() <= risk.var <= loss.max()
    assert risk.mean - slack <= risk.cvar <= loss.max() + slack
    assert risk.cvar >= risk.var
    # by definition: at most 1 - alpha lies above VaR
    assert weight[loss > risk.var].sum() <= 1 - alpha + 1e-9


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 1)), min_size=1, max_size=20),
    st.floats(0, 0.99),
)
def test_the_tail_mean_is_the_best_bound_of_rockafellar_and_uryasev(pairs, alpha):
    """CVaR = min over a of a + E[max(L - a, 0)] / (1 - alpha); a minimum lies at some loss."""
    loss = np.array([p[0] for p in pairs])
    weight = np.array([p[1] for p in pairs])
    weight = weight / weight.sum()
    best = min(a + weight @ np.maximum(loss - a, 0) / (1 - alpha) for a in loss)
    risk = tail_risk(loss, weight, alpha, is_sample=False)
    assert risk.cvar == pytest.approx(best, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("alpha", [1.0, -0.1, True, "0.9", float("nan")])
def test_levels_that_leave_no_tail_are_refused(alpha):
    with pytest.raises(UsageError, match="alpha"):
        tail_risk(FOUR, EQUAL, alpha, is_sample=False)


def test_a_return_period_of_a_year_or_less_is_refused():
    with pytest.raises(UsageError, match="return period"):
        return_levels(FOUR, EQUAL, (1,), is_sample=False)
