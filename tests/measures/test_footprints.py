"""What the final demand of each region takes, by the region where it arises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_economy as naive
from tiny_economies import economy, from_twin
from tiny_networks import network, node
from withstand.errors import UsageError
from withstand.measures import footprint

SEEDS = st.integers(0, 2**32 - 1)


def three_tiers(**more):
    """Ore of AU goes into steel of DE, steel into cars of FR; users in FR and, a little, in DE."""
    return economy(
        [[0, 2, 0], [0, 0, 4], [0, 0, 0]], [[0, 0], [0, 2], [10, 0]],
        regions=["AU", "DE", "FR"], sectors=["ore", "steel", "cars"], users=["FR", "DE"], **more,
    )  # fmt: skip


def cells(result):
    frame = result.to_frame()
    return dict(zip(zip(frame["origin"], frame["user"], strict=True), frame["value"], strict=True))


def test_value_is_followed_back_to_its_origin():
    # Steel makes 6 from 2 of ore: a third of what anybody spends on steel arises in AU.
    result = footprint(three_tiers())
    assert cells(result) == pytest.approx(
        {("AU", "FR"): 4 / 3, ("DE", "FR"): 8 / 3, ("FR", "FR"): 6.0,
         ("AU", "DE"): 2 / 3, ("DE", "DE"): 4 / 3, ("FR", "DE"): 0.0}
    )  # fmt: skip
    home = dict(result.home_share().iter_rows())
    assert home == pytest.approx({"FR": 0.6, "DE": 2 / 3})
    assert result.residual == pytest.approx(np.zeros(3), abs=1e-12)
    assert result.summary() == (
        "Of the value added that final demand takes, 61.1% arises in the region of the user."
    )


def test_an_extension_is_followed_in_its_own_unit():
    result = footprint(three_tiers(extensions={"jobs": [20, 6, 5]}), "jobs")
    assert cells(result)["AU", "FR"] == pytest.approx(20 * 2 / 3)
    assert result.total == pytest.approx([20 / 3 + 2, 40 / 3 + 4 + 5])  # users in order: DE, FR
    assert result.users == ("DE", "FR")
    assert result.stated == pytest.approx([20.0, 6.0, 5.0])


@settings(max_examples=20)
@given(seed=SEEDS, empty=st.integers(0, 2))
def test_footprints_equal_the_twin(seed, empty):
    e = naive.random_economy(np.random.default_rng(seed), empty=empty)
    expected = naive.footprint(e, naive.value_shares(e))
    assert cells(footprint(from_twin(e))) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_footprints_add_up_to_value_added_and_to_final_demand(seed):
    e = naive.random_economy(np.random.default_rng(seed))
    result = footprint(from_twin(e))
    value_added = e.x - e.Z.sum(axis=0)
    for r, region in enumerate(["R0", "R1", "R2"]):
        mine = [i for i in range(e.n) if e.region[i] == region]
        assert result.by_region[r].sum() == pytest.approx(value_added[mine].sum(), rel=1e-9)
        users = [k for k in range(len(e.user)) if e.user[k] == region]
        at = result.users.index(region)
        assert result.total[at] == pytest.approx(e.Y[:, users].sum(), rel=1e-9, abs=1e-9)


@settings(max_examples=10)
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3))
def test_order_of_cells_does_not_matter_and_currency_scales(seed, scale):
    rng = np.random.default_rng(seed)
    e = naive.random_economy(rng)
    one = cells(footprint(from_twin(e)))
    other = cells(footprint(from_twin(e, rng.permutation(e.n), scale)))
    assert other == pytest.approx({k: scale * v for k, v in one.items()}, rel=1e-8, abs=1e-8)


@settings(max_examples=10)
@given(seed=SEEDS)
def test_a_sector_split_in_two_equal_parts_leaves_the_footprints_as_they_are(seed):
    e = naive.random_economy(np.random.default_rng(seed))
    whole, parts = cells(footprint(from_twin(e))), cells(footprint(from_twin(naive.halved(e))))
    assert parts == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_an_economy_without_demand_has_no_footprint():
    net = economy(np.zeros((2, 2)), [[0], [0]], regions=["A", "B"], sectors="ab")
    result = footprint(net)
    assert result.to_frame()["share"].to_list() == [None, None]
    assert result.why("A").height == 0
    assert result.summary().endswith("0.0% arises in the region of the user.")


def test_what_does_not_balance_is_carried_as_a_residual():
    # AU states an output of 3 and sells 2: a unit of its value serves nobody in the table.
    result = footprint(three_tiers(output=[3, 6, 10]))
    assert result.residual == pytest.approx([1.0, 0.0, 0.0])
    assert "serves no final demand of the table" in result.summary()


def test_value_added_apart_from_taxes_leaves_the_taxes_out():
    result = footprint(three_tiers(value_added=[2, 4, 5]))  # 1 of the cars' 6 is tax
    assert result.total == pytest.approx([2.0, 9.0])


def test_why_names_the_nodes_behind_a_footprint():
    result = footprint(three_tiers())
    rows = result.why("FR")
    assert rows["node"].to_list() == ["cars@FR", "steel@DE", "ore@AU"]
    assert rows["value"].sum() == pytest.approx(10.0)
    assert rows["share"].sum() == pytest.approx(1.0)
    with pytest.raises(UsageError, match="no region of final users 'AU' here"):
        result.why("AU")


def test_a_network_of_links_has_no_users_with_a_region():
    net = network([node("F", "F", final_demand=1.0, price=1.0)])
    with pytest.raises(UsageError, match="needs the region of final users"):
        footprint(net)


def test_the_result_says_what_it_is():
    result = footprint(three_tiers())
    assert repr(result) == "<Footprint of 'tiny': value_added, 3 origins x 2 users>"
    assert result.provenance.to_dict()["parameters"] == {"extension": "value_added"}
    assert result.to_pandas().shape == (6, 4)
