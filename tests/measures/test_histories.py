"""The same measure over several years."""

from __future__ import annotations

from functools import partial

import polars as pl
import pytest

from real_economies import wiod
from tiny_economies import economy
from withstand.errors import UsageError
from withstand.measures import foreign_reliance, over_time, upstreamness, value_added_content


def year(steel):
    """FR's cars of 10 buy some steel in DE."""
    return economy([[0, steel], [0, 0]], [0, 10], regions=["DE", "FR"], sectors=["steel", "cars"])


def domestic(network):
    return value_added_content(network, region="FR").domestic_share


def test_a_number_is_followed_over_the_years():
    frame = over_time({2001: year(4), 2000: year(2)}, domestic)
    assert frame.columns == ["year", "value"]
    assert frame["year"].to_list() == [2000, 2001]
    assert frame["value"].to_list() == pytest.approx([0.8, 0.6])


def test_a_result_is_followed_with_all_its_rows():
    frame = over_time({2000: year(2), 2001: year(4)}, lambda n: foreign_reliance(n, region="FR"))
    from_abroad = frame.filter(pl.col("source") == "DE")
    assert from_abroad["value"].to_list() == pytest.approx([0.2, 0.4])
    assert frame.height == 4


def test_frames_and_mappings_of_numbers_will_do():
    shares = over_time({1: year(2)}, lambda n: {"mean": upstreamness(n).mean, "n": n.n_nodes})
    assert shares.row(0) == (1, pytest.approx((2 * 2 + 10) / 12), 2)
    frame = over_time({1: year(2)}, lambda n: upstreamness(n).by_region(), column="wave")
    assert frame.columns == ["wave", "region", "sales", "upstreamness"]


def test_tables_can_be_read_when_their_year_is_due():
    read = []

    def reader(steel):
        read.append(steel)
        return year(steel)

    seen = []

    def measure(network):
        seen.append(len(read))
        return domestic(network)

    over_time({2000: partial(reader, 2), 2001: partial(reader, 4)}, measure)
    assert seen == [1, 2]


def test_nodes_that_appear_later_have_rows_only_then():
    late = economy([[0.0]], [3], regions=["X"], sectors=["new"])
    frame = over_time({1: year(2), 2: late}, upstreamness)
    assert frame.group_by("year", maintain_order=True).len()["len"].to_list() == [2, 1]


@pytest.mark.parametrize(
    ("networks", "measure", "column", "message"),
    [
        ({}, domestic, "year", "no year to measure"),
        ({1: year(1)}, lambda n: "much", "year", "returned a str; it must return"),
        ({1: year(1)}, upstreamness, "node", "a column 'node' of its own; name another"),
    ],
)
def test_wrong_use_is_refused(networks, measure, column, message):
    with pytest.raises(UsageError, match=message):
        over_time(networks, measure, column)


@pytest.mark.slow
def test_german_cars_become_less_german_year_by_year(data_dir):
    def german(network):
        return value_added_content(network, region="DEU", product="c15").domestic_share

    years = {y: partial(wiod, data_dir, y) for y in range(1995, 2012)}
    frame = over_time(years, german)
    assert frame["year"].to_list() == list(range(1995, 2012))
    assert frame["value"][0] == pytest.approx(0.79, abs=0.0075)  # Timmer et al. (2014)
    # The trend, not each step: 2009 interrupts it.
    assert frame["value"][0] - frame["value"][-1] > 0.1
    assert frame["value"].is_between(0.64, 0.80).all()
