"""The nine terms of Koopman, Wang and Wei."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples

import naive_decompositions as naive
from tiny_economies import economy, from_twin
from trade_cases import agrees_with, cells_of, economies, other_programs, three_by_two
from withstand.measures import export_decomposition


def test_nine_terms_of_the_hand_made_table_are_those_of_another_program():
    # decompr 6.4 prints twelve digits.
    result = export_decomposition(from_twin(three_by_two()), method="kww")
    assert agrees_with(result, other_programs("kww")) < 1e-9


@examples(max_examples=25)
@given(economies())
def test_nine_terms_are_those_of_the_sums_in_the_paper(e):
    result = export_decomposition(from_twin(e), method="kww")
    expected = naive.kww(e)
    for k, exporter in enumerate(result.exporters):
        np.testing.assert_allclose(result.values[:, k, 0], expected[exporter], atol=1e-9)


@examples(max_examples=25)
@given(economies())
def test_terms_of_a_balanced_table_sum_to_its_gross_exports(e):
    result = export_decomposition(from_twin(e), method="kww", by="sector")
    by_region = export_decomposition(from_twin(e), method="kww")
    assert np.abs(by_region.residual).max() < 1e-9 * max(by_region.exports.sum(), 1)
    np.testing.assert_allclose(
        result.values.sum(axis=(1, 2)), by_region.values.sum(axis=(1, 2)), atol=1e-9
    )


@examples(max_examples=25)
@given(economies())
def test_first_three_terms_are_the_value_added_exports_of_johnson_and_noguera(e):
    result = export_decomposition(from_twin(e), method="kww")
    expected = naive.vax(e)
    for exporter, found in zip(result.exporters, result.totals()["VAX"], strict=True):
        assert found == pytest.approx(expected[exporter], abs=1e-9)


def test_steel_sold_for_cars_that_come_back_is_value_returned():
    # A sells steel for 40 (25 of it its own; 15 are B's ore), B sells A cars for 100.
    flows = np.zeros((3, 3))
    flows[0, 2] = 40.0  # steel of A to cars of B
    flows[1, 0] = 15.0  # ore of B to steel of A
    net = economy(
        flows, [0.0, 0.0, 100.0], regions=["A", "B", "B"], sectors=["steel", "ore", "cars"]
    )
    result = export_decomposition(net, method="kww")
    terms = cells_of(result)
    a = result.exporters.index("A")
    assert {t: v[a, 0] for t, v in terms.items() if v[a, 0] != 0} == pytest.approx(
        {"RDV_FIN": 25.0, "FDC": 15.0}
    )
    b = result.exporters.index("B")
    # B exports ore for 15 and cars for 100: 60 + 15 of the cars are B's own, 25 A's. The ore in
    # them is counted there, so the export of the ore itself counts twice.
    assert {t: v[b, 0] for t, v in terms.items() if v[b, 0] != 0} == pytest.approx(
        {"DVA_FIN": 75.0, "DDC": 15.0, "FVA_FIN": 25.0}
    )
