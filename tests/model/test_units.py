"""Durations and shares as people write them."""

from __future__ import annotations

import pytest

from withstand.errors import UsageError
from withstand.model.units import PERIODS_PER_YEAR, periods_of, share_of


@pytest.mark.parametrize(
    ("text", "period", "periods"),
    [
        ("12w", "week", 12.0),
        ("12 weeks", "week", 12.0),
        (" 1.5 Y ", "week", 78.0),
        ("3 months", "week", 13.0),
        ("1 quarter", "month", 3.0),
        (".5y", "day", 182.5),
        ("2w", "day", 14.0),
        ("14d", "week", 2.0),
        ("8", "month", 8.0),
        (8, "month", 8.0),
        (0, "week", 0.0),
    ],
)
def test_a_duration_is_counted_in_periods(text, period, periods):
    assert periods_of(text, period) == pytest.approx(periods)


@pytest.mark.parametrize("period", PERIODS_PER_YEAR)
def test_a_year_is_a_year_in_every_period(period):
    assert periods_of("1y", period) == PERIODS_PER_YEAR[period]
    assert periods_of(f"1 {period}", period) == 1.0


@pytest.mark.parametrize("text", ["", "w", "-1w", "1e3w", "1 w w", "12 parsecs", "1,5w", "1w\n2w"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UsageError, match="is not a duration"):
        periods_of(text, "week")


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 1e6, "1000000000"])
def test_a_time_that_cannot_be_is_refused(value):
    with pytest.raises(UsageError, match="is not possible"):
        periods_of(value, "week")


@pytest.mark.parametrize(
    ("text", "share"), [("50%", 0.5), ("50 %", 0.5), ("0.5", 0.5), (".5", 0.5), (1, 1.0), (0, 0.0)]
)
def test_a_share_may_be_written_in_percent(text, share):
    assert share_of(text) == share


@pytest.mark.parametrize("text", ["", "%", "half", "1/2", "0,5", "-5%", "5%%"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(UsageError, match="is not a share"):
        share_of(text)


@pytest.mark.parametrize("value", ["101%", 1.01, -0.01, float("nan")])
def test_a_share_lies_between_0_and_1(value):
    with pytest.raises(UsageError, match="is not possible"):
        share_of(value)
