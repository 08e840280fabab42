"""Exposure weighted by what happens without the input."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import naive_decompositions as naive
from tiny_networks import link, need, network, node
from trade_cases import FINAL, FLOWS, REGIONS, SECTORS, three_by_two
from withstand.errors import UsageError
from withstand.examples import example, tiny
from withstand.measures import criticality
from withstand.model.economy import build_economy, in_links
from withstand.model.settings import Settings

CLASSES = {("s1", "s1"): "essential", ("s1", "s2"): "minor", ("s2", "s2"): "essential"}
"""Class of the first for the second; the other pair is important."""
WEIGHT = {"essential": 1.0, "important": 0.5, "minor": 0.0}


def rated(classes=CLASSES):
    tables = {"nodes": pl.DataFrame({"product": SECTORS, "region": REGIONS})}
    if classes:
        tables["classes"] = pl.DataFrame(
            [(a, b, c) for (a, b), c in classes.items()],
            schema=["supplier_product", "buyer_product", "class"],
            orient="row",
        )
    final = pl.DataFrame({"region": ["AAA", "BBB", "CCC"], "category": ["households"] * 3})
    settings = Settings(name="rated", lens="economy", period="year")
    return build_economy(FLOWS, FINAL, tables, final, settings)


def test_a_buyer_by_hand():
    # s1 of AAA buys s1 (essential): 10 at home, 3 of BBB, 2 of CCC; s2 (important): 5, 1 and 4.
    result = criticality(rated())
    np.testing.assert_allclose(result.share[0], [15 / 25, 4 / 25, 6 / 25])
    np.testing.assert_allclose(result.weighted[0], [12.5 / 20, 3.5 / 20, 4 / 20])
    np.testing.assert_allclose(result.per_output[0], np.array([12.5, 3.5, 4.0]) / 59)
    np.testing.assert_allclose(result.essential[0], [10 / 15, 3 / 15, 2 / 15])


def test_weighted_shares_are_those_of_loops_over_cells():
    result = criticality(rated())
    expected = naive.criticality(
        three_by_two(), lambda a, b: WEIGHT[CLASSES.get((a, b), "important")]
    )
    np.testing.assert_allclose(result.weighted, expected)


def test_without_classes_weighted_and_plain_shares_agree():
    result = criticality(rated({}))
    np.testing.assert_allclose(result.weighted, result.share)
    assert result.essential.max() == 0.0
    assert result.summary() == "No input is classed essential here, so no node hangs on one."


def test_the_matrix_and_its_links_give_the_same():
    one, two = criticality(rated()), criticality(in_links(rated()))
    for name in ("share", "weighted", "per_output", "essential"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), err_msg=name)
    assert one.why("s1@AAA", "BBB").equals(two.why("s1@AAA", "BBB"))


def test_a_buyer_of_minor_inputs_only_has_no_weighted_share():
    net = rated({(a, "s1"): "minor" for a in ("s1", "s2")})
    result = criticality(net)
    assert np.isnan(result.weighted[0]).all()
    frame = result.to_frame().filter(pl.col("node") == "s1@AAA")
    assert frame["weighted_share"].null_count() == frame.height == 3


def test_parts_of_one_essential_input_from_one_region_add_up():
    # Two plants of JP make steel; together they have 80 % of it.
    net = network(
        [
            node("PLANT", "GEAR", final_demand=10.0, price=100.0),
            node("JP1", "STEEL", "JP", price=20.0),
            node("JP2", "STEEL", "JP", price=20.0),
            node("MILL", "STEEL", price=20.0),
        ],
        [need("GEAR", "STEEL", 2.0, **{"class": "essential"})],
        [link("JP1", share=0.5), link("JP2", share=0.3), link("MILL", share=0.2)],
    )
    result = criticality(net)
    plant, jp = 0, list(net.region_labels).index("JP")
    assert result.essential[plant, jp] == pytest.approx(0.8)
    assert result.share[plant, jp] == pytest.approx(0.8)
    assert result.summary().startswith("1 of 4 nodes buy half or more of an essential input")


def test_why_names_the_inputs_with_their_class():
    why = criticality(rated()).why("s1@AAA", "BBB")
    assert why.select("product", "class", "weight").rows() == [
        ("s1", "essential", 1.0),
        ("s2", "important", 0.5),
    ]
    np.testing.assert_allclose(why["share_of_purchases"], [15 / 25, 10 / 25])
    np.testing.assert_allclose(why["share_of_source"], [3 / 15, 1 / 10])
    np.testing.assert_allclose(why["weighted"], [3.0, 0.5])


def test_other_weights_change_the_weighted_share_only():
    plain = criticality(rated())
    equal = criticality(rated(), weights={"essential": 2.0, "important": 2.0, "minor": 2.0})
    np.testing.assert_allclose(equal.weighted, plain.share)
    np.testing.assert_allclose(equal.essential, plain.essential)


def test_scaling_the_weights_changes_no_share():
    one = criticality(rated())
    two = criticality(rated(), weights={c: 3 * w for c, w in WEIGHT.items()})
    np.testing.assert_allclose(one.weighted, two.weighted)


def test_shares_of_every_buyer_sum_to_one():
    for net in (rated(), tiny(), example("robot_maker")):
        result = criticality(net)
        sums = result.share.sum(axis=1)
        assert np.all(np.isclose(sums, 1.0) | (sums == 0.0))
        rows = result.weighted[~np.isnan(result.weighted).any(axis=1)]
        np.testing.assert_allclose(rows.sum(axis=1), 1.0)


def test_the_frame_leaves_out_regions_that_sell_nothing():
    frame = criticality(tiny()).to_frame()
    assert (frame["share"] > 0).all()
    assert criticality(tiny()).to_pandas().shape == frame.shape
    assert repr(criticality(rated())) == "Criticality(6 nodes x 3 source regions)"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"critical": 1.0}, "no class 'critical'"),
        ({"essential": 1.0, "important": 0.5}, "has no 'minor'"),
        ({**WEIGHT, "minor": -1.0}, "must be 0 or more"),
        ({**WEIGHT, "minor": float("nan")}, "must be 0 or more"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(UsageError, match=message):
        criticality(rated(), weights=weights)


def test_unknown_labels_are_refused_with_the_nearest():
    result = criticality(rated())
    with pytest.raises(UsageError, match="Did you mean s1@AAA"):
        result.why("s1@AA", "BBB")
    with pytest.raises(UsageError, match="Did you mean BBB"):
        result.why("s1@AAA", "BBBB")


def test_a_network_without_prices_is_refused():
    net = network(
        [node("PLANT", "GEAR", final_demand=10.0), node("JP", "STEEL", "JP")],
        [need("GEAR", "STEEL", 2.0)],
        [link("JP")],
    )
    with pytest.raises(UsageError, match="has a price"):
        criticality(net)
