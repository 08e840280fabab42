"""Whose value is inside what some nodes sell to final users."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_economy as naive
from real_economies import wiod
from tiny_economies import economy, from_twin
from tiny_networks import link, need, network, node
from withstand.errors import UsageError
from withstand.measures import exposure, value_added_content

SEEDS = st.integers(0, 2**32 - 1)


def three_tiers(**more):
    """Ore of AU (2) goes into steel of DE (4 sold), that into cars of FR (10)."""
    return economy(
        [[0, 2, 0], [0, 0, 4], [0, 0, 0]], [0, 0, 10],
        regions=["AU", "DE", "FR"], sectors=["ore", "steel", "cars"], **more,
    )  # fmt: skip


def shares(result):
    return dict(result.to_frame().select("region", "share").iter_rows())


def test_value_is_sliced_by_region_by_hand():
    result = value_added_content(three_tiers(), product="cars")
    assert shares(result) == pytest.approx({"FR": 0.6, "DE": 0.2, "AU": 0.2})
    assert result.to_frame()["value"].sum() == pytest.approx(10.0)
    assert result.domestic_share == pytest.approx(0.6)
    assert result.total == pytest.approx(10.0)
    assert result.nodes == ("cars@FR",)


def test_a_bloc_covers_the_value_of_its_members():
    net = three_tiers(blocs={"DE": "EU", "FR": "EU;G7", "AU": None})
    result = value_added_content(net, region="FR")
    assert result.share_of("EU") == pytest.approx(0.8)
    assert result.share_of("FR", "AU") == pytest.approx(0.8)
    assert value_added_content(net, region="EU").domestic_share == pytest.approx(0.8)
    with pytest.raises(UsageError, match=r"no region or bloc 'EUU' here\. Did you mean EU"):
        result.share_of("EUU")


def test_output_can_be_asked_about_where_nothing_goes_to_final_users():
    net = three_tiers()
    with pytest.raises(UsageError, match=r"steel@DE sell nothing to final users; ask with of='out"):
        value_added_content(net, product="steel")
    result = value_added_content(net, product="steel", of="output")
    assert shares(result) == pytest.approx({"FR": 0.0, "DE": 0.5, "AU": 0.5})


def test_home_is_asked_about_where_nothing_is_said():
    assert value_added_content(three_tiers(home="FR")).asked == "FR"
    assert value_added_content(three_tiers()).asked == "all nodes"


def test_several_nodes_count_by_their_final_sales():
    # 4 of steel and 10 of cars to final users; steel is half ore.
    net = economy([[0, 4, 0], [0, 0, 4], [0, 0, 0]], [0, 4, 10], regions=["AU", "DE", "FR"],
                  sectors=["ore", "steel", "cars"])  # fmt: skip
    result = value_added_content(net, node=["steel@DE", "cars@FR"])
    assert shares(result) == pytest.approx({"FR": 6 / 14, "DE": 4 / 14, "AU": 4 / 14})
    assert result.domestic_share == pytest.approx(10 / 14)


def test_it_agrees_with_exposure_in_a_network_of_links():
    net = network(
        [node("PLANT", "GEAR", final_demand=10.0, price=100.0), node("MILL", "STEEL", price=20.0),
         node("JP", "STEEL", "JP", price=20.0), node("MINE", "ORE", "AU", price=8.0)],
        [need("GEAR", "STEEL", 2.0), need("STEEL", "ORE", 0.5)],
        [link("MILL", share=0.25), link("JP", share=0.75), link("MINE")], assume_recipe="shared",
    )  # fmt: skip
    mine = shares(value_added_content(net, product="GEAR"))
    theirs = dict(exposure(net).to_frame().select("region", "share").iter_rows())
    assert mine == pytest.approx(theirs)


@settings(max_examples=20)
@given(seed=SEEDS, empty=st.integers(0, 2), n_cells=st.integers(1, 4))
def test_content_equals_the_twin_and_sums_to_one(seed, empty, n_cells):
    rng = np.random.default_rng(seed)
    e = naive.random_economy(rng, inventories=False, empty=empty)
    made = [i for i in rng.permutation(e.n).tolist() if e.x[i] > 0][:n_cells]
    result = value_added_content(from_twin(e), node=[e.labels[i] for i in made])
    assert shares(result) == pytest.approx(naive.value_content(e, made), rel=1e-8, abs=1e-10)
    assert result.by_node.sum() == pytest.approx(1.0, abs=1e-10)


@settings(max_examples=10)
@given(seed=SEEDS, scale=st.floats(1e-4, 1e4))
def test_order_of_cells_and_currency_do_not_matter(seed, scale):
    rng = np.random.default_rng(seed)
    e = naive.random_economy(rng, inventories=False)
    one = value_added_content(from_twin(e), region="R1")
    other = value_added_content(from_twin(e, rng.permutation(e.n), scale), region="R1")
    assert shares(other) == pytest.approx(shares(one), abs=1e-10)


@pytest.mark.parametrize(("year", "domestic"), [(1995, 0.79), (2008, 0.66)])
def test_german_cars_carry_the_german_value_that_timmer_and_others_found(data_dir, year, domestic):
    # Timmer et al. (2014), value added shares in the final output of German transport equipment.
    result = value_added_content(wiod(data_dir, year), region="DEU", product="c15")
    assert result.domestic_share == pytest.approx(domestic, abs=0.0075)
    assert result.domestic_share + shares(result)["FRA"] < 1.0


def test_negative_value_added_is_shown_and_not_cut():
    net = economy([[0, 12], [0, 0]], [2, 10], regions=["DE", "FR"], sectors=["steel", "cars"])
    assert shares(value_added_content(net, product="cars")) == pytest.approx(
        {"DE": 1.2, "FR": -0.2}
    )


def test_why_names_the_nodes_behind_a_region_or_product():
    result = value_added_content(three_tiers(), product="cars")
    assert result.why("DE")["node"].to_list() == ["steel@DE"]
    assert result.why("ore")["share"].to_list() == pytest.approx([0.2])
    with pytest.raises(UsageError, match="no region or product 'XX'"):
        result.why("XX")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"region": "FRA"}, r"no region or bloc 'FRA' here\. Did you mean FR"),
        ({"product": "car"}, r"no product 'car' here\. Did you mean cars"),
        ({"node": "cars@FRR"}, r"no node 'cars@FRR' here\. Did you mean cars@FR"),
        ({"region": "AU", "product": "cars"}, "No node meets region='AU', product='cars'"),
        ({"region": "FR", "of": "exports"}, "of='exports' is unknown; use one of final, output"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest(asked, message):
    with pytest.raises(UsageError, match=message):
        value_added_content(three_tiers(), **asked)


def test_the_result_says_what_it_is():
    result = value_added_content(three_tiers(), region="FR", product="cars")
    assert repr(result) == "<ValueContent of 'tiny': cars of FR, 60.0% domestic>"
    assert result.summary() == (
        "Of the value sold to final users by cars of FR, 60.0% arises in FR; most of the rest in "
        "AU (20.0%)."
    )
    assert result.provenance.to_dict()["parameters"]["product"] == "cars"
    assert result.to_pandas().shape == (3, 4)
