"""Substitution after a loss: closed forms against small steps of time, limits of elasticities."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import naive_trade
from withstand.errors import UsageError
from withstand.measures.substitutions import Rerouting, substitution


def one(lost: float, sigma: float | None = None, **how: float) -> dict:
    horizon = how.pop("horizon", 365.0)
    found = substitution(
        pl.DataFrame({"product": ["280530"], "share_lost": [lost]}), sigma,
        rerouting=Rerouting(**how), horizon_days=horizon,
    )  # fmt: skip
    return found.to_frame().row(0, named=True)


@given(
    st.floats(0.05, 1.0),
    st.floats(0.0, 60.0),
    st.floats(0.0, 60.0),
    st.floats(0.0, 90.0),
    st.floats(0.0, 1.0),
)
@settings(max_examples=300)
@example(1.0, 0.0, 1.0, 5e-324, 1.0)  # a ramp too short to divide by
def test_days_equal_those_of_small_steps(
    lost: float, stock: float, starts: float, ramp: float, share: float
) -> None:
    step, horizon = 0.25, 120.0
    row = one(lost, stock_days=stock, starts=starts, ramp=ramp, share=share, horizon=horizon)
    missed, first = naive_trade.days_lost(lost, stock, starts, ramp, share, horizon, step)
    # a jump inside a step is seen up to half a step early or late
    assert row["days_lost"] == pytest.approx(missed, abs=lost * step)
    if first is not None and missed > lost * step:
        # the closed form says when stocks end: the step in which that happens is short, or the
        # next one where the last of the gap is small
        gap_at_first = missed_rate(lost, starts, ramp, share, first)
        assert row["days_to_shortage"] == pytest.approx(
            first, abs=step + lost * step / max(gap_at_first, 1e-3)
        )


def missed_rate(lost: float, starts: float, ramp: float, share: float, day: float) -> float:
    closed = min(max((day - starts) / ramp, 0.0), 1.0) if ramp > 0 else float(day >= starts)
    return lost * (1 - share * closed)


def test_stocks_that_outlast_the_gap_leave_no_shortage() -> None:
    row = one(0.5, stock_days=40, starts=30, ramp=90, share=1.0)
    assert (row["days_to_shortage"], row["days_lost"]) == (None, 0.0)  # the gap is 15 + 22.5
    row = one(0.5, stock_days=0, starts=30, ramp=90, share=1.0)
    assert (row["days_to_shortage"], row["days_lost"]) == (0.0, 37.5)


def test_what_others_cannot_take_over_is_short_for_good() -> None:
    row = one(0.8, stock_days=0, starts=0, ramp=0, share=0.75, horizon=100.0)
    assert row["days_lost"] == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("sigma", "factor", "substitutable", "capped"),
    [
        (3.0, 0.5 ** (1 / (1 - 3.0)), True, False),
        (1.5, 4.0, True, False),
        (1.2, 4.0, True, True),  # counts as 1.5
        (1.0, None, False, False),
        (0.4, None, False, False),
        (None, None, None, False),
    ],
)
def test_prices_follow_the_elasticity_where_there_is_one(
    sigma: float | None, factor: float | None, substitutable: bool | None, capped: bool
) -> None:
    row = one(0.5, sigma)
    if factor is None:
        assert row["price_factor_after_a_year"] is None
    else:
        assert row["price_factor_after_a_year"] == pytest.approx(factor)
    assert (row["substitutable"], row["capped"]) == (substitutable, capped)


@given(st.floats(0.0, 0.99), st.floats(1.6, 20.0))
def test_a_larger_loss_or_a_smaller_elasticity_costs_no_less(lost: float, sigma: float) -> None:
    price = one(lost, sigma)["price_factor_after_a_year"]
    assert price >= 1.0
    assert one(min(lost + 0.005, 1.0), sigma)["price_factor_after_a_year"] >= price
    assert one(lost, sigma - 0.05)["price_factor_after_a_year"] >= price


def test_an_elasticity_never_moves_the_days() -> None:
    days = [one(0.5, sigma)["days_lost"] for sigma in (None, 0.5, 1.2, 9.0)]
    assert len(set(days)) == 1


def test_the_longest_code_that_fits_gives_the_elasticity(data_dir: Path) -> None:
    losses = pl.DataFrame({"product": ["280530", "850511"], "share_lost": [0.5, 0.5]})
    given_codes = {"28": 2.0, "2805": 4.0, "8": 1.1}
    found = substitution(losses, given_codes)
    assert found.to_frame()["sigma"].to_list() == [4.0, 1.1]
    assert [f.code for f in found.findings] == ["W613"]
    table = pl.read_parquet(data_dir / "concordances" / "sigma_hs0.parquet")
    germany = table.filter(pl.col("iso3c") == "DEU").select(product="HS0_3d", sigma="sigma")
    known = substitution(losses, germany).to_frame()
    assert known["sigma"].null_count() == 0
    with pytest.raises(UsageError, match="choose one country"):
        substitution(losses, table.select(product="HS0_3d", sigma="sigma"))


def test_wrong_numbers_are_refused_with_the_product() -> None:
    losses = pl.DataFrame({"product": ["280530"], "share_lost": [1.5]})
    for text in ("half", "1.5"):
        with pytest.raises(UsageError, match="share_lost of 280530"):
            substitution(losses.with_columns(share_lost=pl.lit(text)))
    with pytest.raises(UsageError, match="ramp of 280530"):
        substitution(losses.with_columns(share_lost=pl.lit("0.5"), ramp=pl.lit("soon")))
    with pytest.raises(UsageError, match="share_lost of 280530"):
        substitution(losses)
    with pytest.raises(UsageError, match="share_lost"):
        substitution(losses.rename({"share_lost": "lost"}))
    with pytest.raises(UsageError, match="stock_days"):
        Rerouting(stock_days=-1)
