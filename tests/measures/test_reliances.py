"""Whose inputs a sector uses, at face value and looked through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_economy as naive
from real_economies import wiod
from tiny_economies import economy, from_twin
from withstand.errors import UsageError
from withstand.measures import foreign_reliance

SEEDS = st.integers(0, 2**32 - 1)


def three_tiers(**more):
    """Ore of AU (2) goes into steel of DE (5 sold), that and 1 of home power into cars of FR."""
    return economy(
        [[0, 2, 0, 0], [0, 0, 5, 0], [0, 0, 0, 0], [0, 0, 1, 0]], [0, 0, 10, 0],
        regions=["AU", "DE", "FR", "FR"], sectors=["ore", "steel", "cars", "power"], **more,
    )  # fmt: skip


def rows(frame):
    return {row[0]: row[-3:] for row in frame.select("source", "face", "gross", "value").rows()}


def test_three_ways_to_count_inputs_by_hand():
    # Cars buy 5 in DE and 1 at home. Looking through, 5 + 1 + 2 of output is used, 2 of it of AU.
    # Of the value of 10: AU 2, DE 3, FR 4 + 1.
    result = foreign_reliance(three_tiers(), product="cars")
    assert rows(result.total()) == {
        "DE": pytest.approx((5 / 6, 5 / 8, 0.3)),
        "AU": pytest.approx((0.0, 2 / 8, 0.2)),
        "FR": pytest.approx((1 / 6, 1 / 8, 0.5)),
    }
    assert result.foreign("face").tolist() == pytest.approx([5 / 6])
    assert result.foreign().tolist() == pytest.approx([7 / 8])
    assert result.foreign("value").tolist() == pytest.approx([0.5])
    assert result.summary() == (
        "83.3% of inputs are bought abroad; looked through all tiers 87.5% of the inputs used, "
        "and 50.0% of the value, come from there."
    )


def test_a_source_or_a_bloc_can_be_asked_for():
    net = three_tiers(blocs={"DE": "EU", "FR": "EU"})
    result = foreign_reliance(net, region="FR", product="cars", source="AU")
    assert result.total()["source"].to_list() == ["AU"]
    assert result.to_frame()["gross"].to_list() == pytest.approx([0.25])
    assert result.share_of("EU") == pytest.approx(0.75)
    assert result.share_of("EU", kind="face") == pytest.approx(1.0)
    both = foreign_reliance(net, product="cars", source="EU").total()
    assert both["source"].to_list() == ["DE", "FR"]


def test_a_node_without_inputs_has_no_shares():
    result = foreign_reliance(three_tiers(), product="ore")
    assert np.isnan(result.shares("gross")).all()
    assert result.to_frame()["face"].to_list() == [None] * 3
    assert result.to_frame()["value"].to_list() == pytest.approx([1.0, 0.0, 0.0])


def test_the_heat_map_adds_up_buyers_of_one_product():
    net = economy([[0, 3, 0], [0, 0, 0], [0, 1, 0]], [0, 10, 10], regions=["A", "B", "C"],
                  sectors=["x", "y", "y"])  # fmt: skip
    frame = foreign_reliance(net).by_product("face")
    cells = {row[:2]: row[2] for row in frame.rows()}
    assert cells == {
        ("x", "A"): None, ("x", "B"): None, ("x", "C"): None,
        ("y", "A"): pytest.approx(0.75), ("y", "B"): 0.0, ("y", "C"): pytest.approx(0.25),
    }  # fmt: skip


@settings(max_examples=20)
@given(seed=SEEDS, empty=st.integers(0, 2))
def test_reliance_equals_the_twin(seed, empty):
    e = naive.random_economy(np.random.default_rng(seed), empty=empty)
    result = foreign_reliance(from_twin(e))
    for j in range(e.n):
        if not e.Z[:, j].sum() > 0:
            continue
        expected = naive.reliance(e, j)
        for r, region in enumerate(["R0", "R1", "R2"]):
            found = [result.shares(k)[r, j] for k in ("face", "gross", "value")]
            assert found == pytest.approx(expected[region], rel=1e-8, abs=1e-10)


@settings(max_examples=10)
@given(seed=SEEDS, scale=st.floats(1e-4, 1e4))
def test_order_of_cells_and_currency_do_not_matter(seed, scale):
    rng = np.random.default_rng(seed)
    e = naive.random_economy(rng)
    one = foreign_reliance(from_twin(e), region="R1").total()
    other = foreign_reliance(from_twin(e, rng.permutation(e.n), scale), region="R1").total()
    assert rows(other) == {k: pytest.approx(v, abs=1e-10) for k, v in rows(one).items()}


def test_american_industry_relies_on_china_more_than_it_sees(data_dir):
    # Baldwin, Freeman and Theodorakopoulos (2023): looking through shows several times as much.
    manufacturing = [f"c{i}" for i in range(3, 17)]
    result = foreign_reliance(wiod(data_dir, 2008), region="USA", product=manufacturing)
    china = rows(result.total())["CHN"]
    assert china[1] > 2 * china[0] > 0
    assert 0.1 < 1 - result.share_of("USA") < 0.4


def test_why_names_the_nodes_behind_one_buyer():
    result = foreign_reliance(three_tiers(), product="cars")
    frame = result.why("cars@FR")
    assert frame["node"].to_list() == ["steel@DE", "ore@AU", "power@FR", "cars@FR"]
    assert frame["gross"].to_list() == pytest.approx([5 / 8, 2 / 8, 1 / 8, 0.0])
    assert frame["face"].to_list() == pytest.approx([5 / 6, 0.0, 1 / 6, 0.0])
    assert frame["value"].to_list() == pytest.approx([0.3, 0.2, 0.1, 0.4])
    with pytest.raises(UsageError, match="'ore@AU' is not among the buyers"):
        result.why("ore@AU")


def test_an_unknown_kind_names_those_there_are():
    result = foreign_reliance(three_tiers())
    with pytest.raises(UsageError, match="kind='net' is unknown; use one of face, gross, value"):
        result.shares("net")


def test_the_result_says_what_it_is():
    result = foreign_reliance(three_tiers(), region="FR", source=["AU", "DE"])
    assert repr(result) == "<Reliance of 'tiny': 2 buyers x 2 sources>"
    assert result.provenance.to_dict()["parameters"]["source"] == ["AU", "DE"]
    assert result.to_pandas().shape == (4, 8)
