"""The sixteen terms of Wang, Wei and Zhu."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import settings as examples

import naive_decompositions as naive
from tiny_economies import from_twin
from trade_cases import agrees_with, cells_of, economies, other_programs, three_by_two
from withstand.measures import export_decomposition
from withstand.measures.wwz import AS_KWW


def by_sector(e, **more):
    return export_decomposition(from_twin(e), method="wwz", by="sector", importer="each", **more)


def test_sixteen_terms_of_the_hand_made_table_are_those_of_another_program():
    # decompr 6.4 prints twelve digits.
    assert agrees_with(by_sector(three_by_two()), other_programs("wwz")) < 1e-9


@examples(max_examples=15)
@given(economies())
def test_sixteen_terms_are_those_of_the_sums_in_the_paper(e):
    np.testing.assert_allclose(by_sector(e).values, naive.wwz(e), atol=1e-9)


@examples(max_examples=25)
@given(economies())
def test_terms_of_every_sector_and_importer_sum_to_its_gross_exports(e):
    result = by_sector(e)
    assert np.abs(result.residual).max() < 1e-9 * max(result.exports.sum(), 1)


@examples(max_examples=25)
@given(economies())
def test_groups_of_the_sixteen_terms_are_the_nine_of_an_exporting_sector(e):
    sixteen = cells_of(by_sector(e))
    nine = cells_of(export_decomposition(from_twin(e), method="kww", by="sector"))
    for name, parts in AS_KWW:
        together = sum(sixteen[p].sum(axis=1) for p in parts)
        np.testing.assert_allclose(together, nine[name][:, 0], atol=1e-9)


def test_every_term_is_in_one_of_the_nine():
    parts = [p for _, some in AS_KWW for p in some]
    assert sorted(parts) == sorted(cells_of(by_sector(three_by_two())))
