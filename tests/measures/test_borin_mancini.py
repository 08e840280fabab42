"""The terms of Borin and Mancini: value counted the first or the last time it leaves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples

import naive_decompositions as naive
from tiny_economies import economy, from_twin
from trade_cases import agrees_with, cells_of, economies, other_programs, three_by_two
from withstand.measures import export_decomposition

APPROACHES = ("source", "sink")


def decomposed(e, approach, perspective="exporter", **more):
    return export_decomposition(
        from_twin(e),
        method=f"borin_mancini_{approach}",
        perspective=perspective,
        by="sector",
        importer="each",
        **more,
    )


@pytest.mark.parametrize("approach", APPROACHES)
def test_twelve_terms_of_the_hand_made_table_are_those_of_another_program(approach):
    # exvatools 0.9 prints twelve digits.
    programme = other_programs(f"borin_mancini_{approach}")
    assert agrees_with(decomposed(three_by_two(), approach), programme) < 1e-9


def test_foreign_value_counted_once_in_the_world_is_that_of_another_program():
    # exvatools names it the first foreign double-counted term of Miroudot and Ye, world perimeter.
    result = decomposed(three_by_two(), "source", "world")
    assert agrees_with(result, other_programs("borin_mancini_source world")) < 1e-9


@pytest.mark.parametrize("perspective", ["exporter", "world"])
@pytest.mark.parametrize("approach", APPROACHES)
@examples(max_examples=8)
@given(e=economies())
def test_terms_are_those_of_value_followed_border_by_border(approach, perspective, e):
    result = cells_of(decomposed(e, approach, perspective))
    expected = naive.borin_mancini(e, approach, perspective)
    assert list(result) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(result[name], values, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("perspective", ["exporter", "world"])
@pytest.mark.parametrize("approach", APPROACHES)
@examples(max_examples=15)
@given(e=economies())
def test_terms_of_every_sector_and_importer_sum_to_its_gross_exports(approach, perspective, e):
    result = decomposed(e, approach, perspective)
    assert np.abs(result.residual).max() < 1e-9 * max(result.exports.sum(), 1)


@examples(max_examples=25)
@given(economies())
def test_first_and_last_time_agree_for_an_exporter_as_a_whole(e):
    """Only where it is counted differs, so domestic and foreign value of all exports agree."""
    source, sink = (
        export_decomposition(from_twin(e), method=f"borin_mancini_{a}").totals() for a in APPROACHES
    )
    for group in ("DVA", "VAX", "REF", "DDC", "FVA", "FDC"):
        np.testing.assert_allclose(source[group], sink[group], atol=1e-9, err_msg=group)


@examples(max_examples=25)
@given(economies())
def test_domestic_value_used_abroad_is_the_value_added_exports_of_johnson_and_noguera(e):
    totals = export_decomposition(from_twin(e)).totals()
    expected = naive.vax(e)
    for exporter, found in zip(totals["exporter"], totals["VAX"], strict=True):
        assert found == pytest.approx(expected[exporter], abs=1e-9)


@examples(max_examples=25)
@given(economies())
def test_foreign_value_counted_once_in_the_world_sums_to_the_same_both_ways(e):
    """All value that a foreign region exports again is counted once, at the first or the last."""
    first, last = (cells_of(decomposed(e, a, "world"))["FVA"].sum() for a in APPROACHES)
    assert first == pytest.approx(last, abs=1e-9)


@examples(max_examples=25)
@given(economies())
def test_the_world_counts_no_more_foreign_value_than_the_exporters_do(e):
    for approach in APPROACHES:
        world = cells_of(decomposed(e, approach, "world"))["FVA"].sum()
        exporter = decomposed(e, approach).totals()["FVA"].sum()
        assert world <= exporter + 1e-9


def test_value_that_leaves_twice_counts_the_first_time_or_the_last():
    # B's ore (15) goes to A, comes back in steel (40) and leaves in cars (100) for A.
    flows = np.zeros((3, 3))
    flows[0, 2], flows[1, 0] = 40.0, 15.0
    net = economy(
        flows, [0.0, 0.0, 100.0], regions=["A", "B", "B"], sectors=["steel", "ore", "cars"]
    )
    found = {}
    for approach in APPROACHES:
        method = f"borin_mancini_{approach}"
        totals = export_decomposition(net, method=method, exporter="B", by="sector").totals()
        rounded = totals.with_columns(pl.col(pl.Float64).round(9) + 0.0)
        found[approach] = rounded.select("product", "DVA", "DDC", "FVA").rows()
    assert found["source"] == [("ore", 15.0, 0.0, 0.0), ("cars", 60.0, 15.0, 25.0)]
    assert found["sink"] == [("ore", 0.0, 15.0, 0.0), ("cars", 75.0, 0.0, 25.0)]


def test_direct_absorption_is_what_crosses_one_border():
    # In the same chain the steel of A is used up after two borders, the ore after three.
    flows = np.zeros((3, 3))
    flows[0, 2], flows[1, 0] = 40.0, 15.0
    net = economy(
        flows, [0.0, 0.0, 100.0], regions=["A", "B", "B"], sectors=["steel", "ore", "cars"]
    )
    frame = export_decomposition(net).to_frame().filter(pl.col("value") > 1e-9)
    frame = frame.with_columns(pl.col("value").round(9))
    assert frame.select("exporter", "term", "value").rows() == [
        ("A", "REF1", 25.0),
        ("A", "FVA3", 15.0),
        ("B", "VAX1", 60.0),
        ("B", "VAX4", 15.0),
        ("B", "DDC", 15.0),
        ("B", "FVA1", 25.0),
    ]
