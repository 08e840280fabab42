"""How few suppliers or regions each product hangs on."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_measures as naive
from tiny_networks import from_plant, link, need, network, node
from withstand.errors import UsageError
from withstand.examples import example, tiny
from withstand.measures import concentration


@pytest.fixture(scope="module")
def one_mine():
    """A plant buys parts from A (60 %) and B (40 %); both use ore from the one mine in C."""
    return network(
        [
            node("PLANT", "F", final_demand=10.0, price=50.0),
            node("S1", "PART", "A", price=10.0),
            node("S2", "PART", "B", price=10.0),
            node("MINE", "ORE", "C", price=4.0),
        ],
        [need("F", "PART"), need("PART", "ORE")],
        [link("S1", share=0.6), link("S2", share=0.4), link("MINE")],
        assume_recipe="shared",
    )


def row(result, product, **more):
    match = (pl.col("product") == product) & pl.all_horizontal(
        pl.lit(value=True), *(pl.col(k) == v for k, v in more.items())
    )
    return result.to_frame().row(by_predicate=match, named=True)


# --- by hand ---------------------------------------------------------------------------------


def test_the_index_is_the_sum_of_squared_shares(one_mine):
    part = row(concentration(one_mine), "PART")
    assert part["hhi"] == pytest.approx(0.6**2 + 0.4**2)
    assert (part["suppliers"], part["regions"], part["single_source"]) == (2, 2, False)
    assert (part["largest"], part["largest_share"]) == ("A", pytest.approx(0.6))
    ore = row(concentration(one_mine), "ORE")
    assert (ore["hhi"], ore["single_source"], ore["largest"]) == (1.0, True, "C")


def test_only_the_functional_look_sees_the_mine_behind_both_suppliers(one_mine):
    result = concentration(one_mine, look_through="functional")
    lost = dict(result.why("PART").select("source", "share").iter_rows())
    assert lost == pytest.approx({"A": 0.6, "B": 0.4, "C": 1.0})
    part = row(result, "PART")
    assert (part["largest"], part["largest_share"]) == ("C", 1.0)
    assert part["hhi"] is None  # what hangs on several regions is counted several times
    assert part["outside_home"] is None
    face = concentration(one_mine).why("PART")
    assert "C" not in face["source"]


def test_the_value_look_sees_the_mine_by_what_it_adds(one_mine):
    # Of 10 a part, 4 are ore from C and 6 the supplier's own.
    result = concentration(one_mine, look_through="value")
    found = dict(result.why("PART").select("source", "share").iter_rows())
    assert found == pytest.approx({"A": 0.36, "B": 0.24, "C": 0.4})
    part = row(result, "PART")
    assert part["hhi"] == pytest.approx(0.36**2 + 0.24**2 + 0.4**2)
    assert part["regions"] == 3
    assert (part["suppliers"], part["single_source"]) == (None, None)
    assert concentration(one_mine, look_through=True).look_through == "value"


def test_value_shares_are_weighted_by_value():
    # S1 costs 30 and S2 10: of the mean part's 20, 15 come from A.
    net = network(
        [node("F", "F", final_demand=1.0, price=99.0), node("S1", "PART", "A", price=30.0),
         node("S2", "PART", "B", price=10.0)],
        [need("F", "PART")],
        [link("S1", share=0.5), link("S2", share=0.5)],
    )  # fmt: skip
    found = concentration(net, look_through="value").why("PART")
    assert dict(found.select("source", "share").iter_rows()) == pytest.approx(
        {"A": 0.75, "B": 0.25}
    )


def test_suppliers_of_one_region_are_one_region_and_two_nodes():
    net = network(
        [node("F", "F", final_demand=1.0), node("S1", "A", "X"), node("S2", "A", "X")],
        [need("F", "A")],
        [link("S1", share=0.5), link("S2", share=0.5)],
    )
    by_region, by_node = row(concentration(net), "A"), row(concentration(net, "node"), "A")
    assert (by_region["hhi"], by_region["suppliers"], by_region["regions"]) == (1.0, 2, 1)
    assert (by_node["hhi"], by_node["suppliers"], by_node["regions"]) == (0.5, 2, 1)
    assert not by_region["single_source"]
    assert by_node["largest"] == "S1"


def test_one_row_a_buyer_shows_who_has_no_second_source():
    net = network(
        [node("F", "F", final_demand=1.0), node("G", "G", final_demand=3.0),
         node("S1", "A", "X"), node("S2", "A", "Y")],
        [need("F", "A"), need("G", "A")],
        [link("S1", "F"), link("S1", "G", 0.5), link("S2", "G", 0.5)],
    )  # fmt: skip
    result = concentration(net, per="buyer")
    assert row(result, "A", buyer="F")["single_source"]
    assert not row(result, "A", buyer="G")["single_source"]
    assert row(result, "A", buyer="G")["hhi"] == pytest.approx(0.5)
    over_all = row(concentration(net), "A")  # (1 + 1.5) of 4 from X
    assert over_all["largest_share"] == pytest.approx(2.5 / 4)


def test_purchases_abroad_count_by_the_known_recipe():
    # The mine sells only to JP, whose recipe is taken as known here.
    net = network(
        [node("F", "F", final_demand=1.0), node("S", "STEEL", "JP"), node("M", "ORE", "AU")],
        [need("F", "STEEL"), need("STEEL", "ORE")],
        [link("S"), link("M")],
    )
    assert net.output[2] == 0.0
    assert row(concentration(net), "ORE")["largest"] == "AU"


def test_home_bloc_and_law_sum_the_shares_outside():
    net = network(
        [node("F", "F", final_demand=1.0)]
        + [node(f"S{r}", "A", r) for r in ("HOME", "FRIEND", "OTHER", "BANNED")],
        [need("F", "A")],
        [link("SHOME", share=0.4), link("SFRIEND", share=0.3), link("SOTHER", share=0.2),
         link("SBANNED", share=0.1)],
        regions=[
            {"region": "HOME", "bloc": "EAST; SOUTH", "allowed": True},
            {"region": "FRIEND", "bloc": "SOUTH", "allowed": True},
            {"region": "OTHER", "bloc": "WEST", "allowed": None},
            {"region": "BANNED", "bloc": None, "allowed": False},
        ],
    )  # fmt: skip
    part = row(concentration(net), "A")
    assert part["outside_home"] == pytest.approx(0.6)
    assert part["outside_bloc"] == pytest.approx(0.3)
    assert part["not_allowed"] == pytest.approx(0.1)


def test_without_blocs_everything_outside_home_is_outside_the_bloc(one_mine):
    part = row(concentration(one_mine), "PART")
    assert (part["outside_home"], part["outside_bloc"], part["not_allowed"]) == (1.0, 1.0, 0.0)


def test_a_network_without_purchases_has_an_empty_table():
    net = network([node("F", "F", final_demand=1.0)])
    assert concentration(net).to_frame().height == 0
    assert concentration(net, look_through="value").to_frame().height == 0


# --- the robot maker -------------------------------------------------------------------------


def test_functional_shares_on_the_robot_maker_equal_the_twin():
    from withstand.examples import folder_of

    plant = naive.read_plant(folder_of("robot_maker"))
    result = concentration(example("robot_maker"), look_through="functional")
    found = dict(result.why("ROBOT").select("source", "share").iter_rows())
    expected = {r: 1 - naive.proportional(plant, {r}, "shared") for r in found}
    assert found == pytest.approx(expected, abs=1e-9)
    assert "HOME" not in found  # what stops without home is not a dependence abroad
    assert found["CN"] > 0.95  # face value shows nothing of this: the robot is made at home
    assert row(concentration(example("robot_maker")), "RV")["largest"] == "JP"


def test_rows_are_ordered_by_concentration():
    table = concentration(example("robot_maker")).to_frame()
    assert table["hhi"].is_sorted(descending=True)
    table = concentration(example("robot_maker"), look_through="functional").to_frame()
    assert table["largest_share"].is_sorted(descending=True)


# --- invariants ------------------------------------------------------------------------------


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), by=st.sampled_from(["region", "node"]),
       per=st.sampled_from(["product", "buyer"]))  # fmt: skip
def test_the_index_lies_between_even_and_single(seed, by, per):
    plant = naive.random_plant(np.random.default_rng(seed))
    result = concentration(from_plant(plant), by, per=per)
    for product, regions, suppliers, hhi, largest in result.to_frame().select(
        "product", "regions", "suppliers", "hhi", "largest_share"
    ).iter_rows():  # fmt: skip
        sources = regions if by == "region" else suppliers
        assert 1 / sources - 1e-9 <= hhi <= 1 + 1e-9
        assert largest**2 - 1e-9 <= hhi <= largest + 1e-9
        if per == "product":
            assert result.why(product)["share"].sum() == pytest.approx(1.0)


# --- wrong use -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "country"}, "by='country' is unknown; use one of region, node"),
        ({"look_through": "both"}, "look_through='both' is unknown"),
        ({"per": "node"}, "per='node' is unknown; use one of product, buyer"),
        ({"by": "node", "look_through": True}, "works by region and per product"),
        ({"per": "buyer", "look_through": "functional"}, "works by region and per product"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        concentration(tiny(), **arguments)


def test_why_of_an_unknown_product_names_the_nearest():
    with pytest.raises(UsageError, match=r"no product 'STEL' here\. Did you mean STEEL"):
        concentration(tiny()).why("STEL")


def test_the_answer_says_what_was_asked():
    asked = concentration(tiny(), look_through=True).provenance.parameters
    assert dict(asked) == {"by": "region", "look_through": "value", "per": "product"}
    assert concentration(tiny()).to_pandas().shape[0] == 1
