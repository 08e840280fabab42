"""Backward and forward participation in value chains."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples

import naive_decompositions as naive
from tiny_economies import economy, from_twin
from trade_cases import cells_of, economies, three_by_two
from withstand.errors import UsageError
from withstand.examples import tiny
from withstand.measures import export_decomposition, participation


def chain():
    """Ore of B (15) goes into steel of A (40), that into cars of B (100), all sold to A."""
    flows = np.zeros((3, 3))
    flows[0, 2], flows[1, 0] = 40.0, 15.0
    return economy(
        flows, [0.0, 0.0, 100.0], regions=["A", "B", "B"], sectors=["steel", "ore", "cars"]
    )


def test_a_chain_by_hand():
    # A: of 40 exported 15 are B's; its own 25 are in B's exports. B: of 115 exported 25 are A's;
    # its 15 of ore are in A's exports. Two borders or more: all of A's 40, B's ore (15), and 40 of
    # the cars.
    frame = participation(chain()).to_frame()
    wanted = ["region", "exports", "VS", "VS1", "DAVAX", "GVCB", "GVCF"]
    assert frame.select(wanted).with_columns(pl.col(pl.Float64).round(9) + 0.0).rows() == [
        ("A", 40.0, 15.0, 25.0, 0.0, 15.0, 25.0),
        ("B", 115.0, 25.0, 15.0, 60.0, 40.0, 15.0),
    ]
    assert frame["backward"].to_list() == pytest.approx([15 / 40, 25 / 115])
    assert frame["gvc_share"].to_list() == pytest.approx([1.0, 55 / 115])


@examples(max_examples=25)
@given(economies())
def test_value_is_in_other_exports_as_loops_over_regions_find_it(e):
    p = naive.Parts(e)
    frame = participation(from_twin(e)).to_frame()
    for s, (vs, vs1) in zip(p.others(), frame.select("VS", "VS1").iter_rows(), strict=True):
        into = out = 0.0
        for t in p.others(s):
            into += p.part(p.v, t) @ p.block(p.B, t, s) @ p.part(p.E, s).sum(axis=1)
            out += p.part(p.v, s) @ p.block(p.B, s, t) @ p.part(p.E, t).sum(axis=1)
        assert (vs, vs1) == pytest.approx((into, out), abs=1e-9)


@examples(max_examples=25)
@given(economies())
def test_what_some_take_in_others_gave(e):
    frame = participation(from_twin(e)).to_frame()
    assert frame["VS"].sum() == pytest.approx(frame["VS1"].sum(), abs=1e-9)


@examples(max_examples=25)
@given(economies())
def test_terms_of_the_decompositions_give_the_same(e):
    frame = participation(from_twin(e), by="sector").to_frame()
    kww = cells_of(export_decomposition(from_twin(e), method="kww", by="sector"))
    bm = cells_of(export_decomposition(from_twin(e), by="sector"))
    foreign = sum(kww[t][:, 0] for t in ("FVA_FIN", "FVA_INT", "FDC"))
    direct = bm["VAX1"][:, 0] + bm["VAX2"][:, 0]
    domestic = direct + sum(bm[t][:, 0] for t in ("VAX3", "VAX4", "REF1", "REF2"))
    np.testing.assert_allclose(frame["VS"], foreign, atol=1e-9)
    np.testing.assert_allclose(frame["DAVAX"], direct, atol=1e-9)
    np.testing.assert_allclose(frame["GVCF"], domestic - direct, atol=1e-9)
    np.testing.assert_allclose(frame["GVCB"], frame["exports"] - domestic, atol=1e-9)


@examples(max_examples=15)
@given(economies())
def test_sectors_add_up_to_their_region(e):
    sectors = participation(from_twin(e), by="sector").to_frame()
    regions = participation(from_twin(e)).to_frame()
    summed = sectors.group_by("region", maintain_order=True).agg(pl.col(pl.Float64).sum())
    for name in ("exports", "VS", "VS1", "GVCB", "GVCF", "backward", "forward", "gvc_share"):
        np.testing.assert_allclose(
            summed[name], regions[name].fill_null(0.0), atol=1e-9, err_msg=name
        )


def test_why_names_the_partners():
    result = participation(from_twin(three_by_two()))
    why = result.why("AAA")
    row = result.to_frame().row(0, named=True)
    assert set(why["partner"]) == {"BBB", "CCC"}
    assert why["value_from_partner"].sum() == pytest.approx(row["VS"])
    assert why["value_in_partner"].sum() == pytest.approx(row["VS1"])
    with pytest.raises(UsageError, match="Did you mean AAA"):
        result.why("AAAA")


def test_without_exports_there_are_no_shares():
    result = participation(economy([[1.0]], [[5.0]], regions=["A"], sectors=["s"]))
    assert result.summary() == "There are no exports."
    assert result.to_frame()["backward"].to_list() == [None]


def test_summary_and_short_form():
    result = participation(chain())
    assert result.summary() == (
        "25.8% of all exports is value of other regions than the exporter; "
        "61.3% crosses more than one border."
    )
    assert repr(result) == "Participation(by region, 2 rows)"
    assert result.to_pandas().shape == (2, 10)


def test_wrong_arguments_are_refused():
    with pytest.raises(UsageError, match="use one of region, sector"):
        participation(chain(), by="product")
    with pytest.raises(UsageError, match="needs an economy"):
        participation(tiny())
