"""What would be lost without some nodes, or without some trade."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_economy as naive
from tiny_economies import economy, from_twin
from tiny_networks import link, need, network, node
from withstand.errors import UsageError
from withstand.measures import extraction, footprint

SEEDS = st.integers(0, 2**32 - 1)


def three_tiers(**more):
    """Ore of AU (2) goes into steel of DE (4 to cars, 2 to users in FR), that into cars of FR."""
    return economy(
        [[0, 2, 0], [0, 0, 4], [0, 0, 0]], [0, 2, 10], users=["FR"],
        regions=["AU", "DE", "FR"], sectors=["ore", "steel", "cars"], **more,
    )  # fmt: skip


def test_without_steel_cars_need_no_ore_either():
    result = extraction(three_tiers(), product="steel")
    assert result.output_loss == pytest.approx([2.0, 6.0, 0.0])
    assert result.value_added_loss == pytest.approx([2.0, 4.0, 0.0])
    assert result.total_output_loss == pytest.approx(8.0)
    assert result.own_loss == pytest.approx(6.0)
    assert result.loss_share == pytest.approx(8 / 18)
    assert result.summary() == (
        "Without steel, output would be lower by 8 (44.44% of all, 2 of it at others), value "
        "added by 6."
    )


def test_nodes_that_buy_nothing_here_leave_their_suppliers_idle():
    result = extraction(three_tiers(), product="steel", kind="backward")
    assert result.output_loss == pytest.approx([2.0, 0.0, 0.0])
    assert "If steel bought nothing here, output" in result.summary()


def test_nodes_that_sell_nothing_here_leave_their_buyers_smaller():
    # Supply-driven: cars have 6 of their own, and of steel's 6 two thirds no longer arrive.
    result = extraction(three_tiers(), product="steel", kind="forward")
    assert result.output_loss == pytest.approx([0.0, 0.0, 4.0])
    assert result.total_value_added_loss == 0.0
    assert result.summary().endswith("(22.22% of all, 4 of it at others).")


def test_trade_between_two_regions_can_be_taken_out():
    # DE sells 4 of steel to FR's cars and 2 to its users: all its sales, and all of AU's.
    net = three_tiers()
    result = extraction(net, region="DE", to="FR")
    assert result.output_loss == pytest.approx([2.0, 6.0, 0.0])
    assert result.kind == "trade"
    assert result.to == ("FR",)
    assert extraction(net, region="FR", to="DE").total_output_loss == pytest.approx(0.0)
    assert result.summary().startswith("Without the sales of DE to FR, output would be lower by 8")


def test_a_region_of_users_without_nodes_can_be_cut_off():
    net = economy([[0, 4], [0, 0]], [[0, 0], [6, 4]], regions=["DE", "FR"], sectors="ab",
                  users=["FR", "US"])  # fmt: skip
    assert extraction(net, region="FR", to="US").output_loss == pytest.approx([1.6, 4.0])


def test_blocs_can_be_taken_out():
    net = three_tiers(blocs={"DE": "EU", "FR": "EU"})
    assert extraction(net, region="EU").total_output_loss == pytest.approx(18.0)
    assert extraction(net, region="AU", to="EU").output_loss == pytest.approx([2.0, 0.0, 0.0])


def test_networks_of_links_can_be_asked_too():
    net = network(
        [node("PLANT", "GEAR", final_demand=10.0, price=100.0), node("MILL", "STEEL", price=20.0),
         node("JP", "STEEL", "JP", price=20.0)],
        [need("GEAR", "STEEL", 2.0)], [link("MILL", share=0.25), link("JP", share=0.75)],
    )  # fmt: skip
    result = extraction(net, region="JP")
    assert result.output_loss == pytest.approx([0.0, 0.0, 300.0])


# --- the twin, and laws -------------------------------------------------------------------------


@pytest.mark.parametrize("factored", [False, True])
@settings(max_examples=15)
@given(seed=SEEDS, empty=st.integers(0, 2), n_cells=st.integers(1, 5))
def test_extraction_equals_a_table_without_the_cells(factored, seed, empty, n_cells):
    rng = np.random.default_rng(seed)
    e = naive.random_economy(rng, empty=empty)
    cells = rng.permutation(e.n)[:n_cells].tolist()
    named = [e.labels[i] for i in cells]
    net = from_twin(e)
    if factored:
        footprint(net)  # makes the factor, so that the formula of Woodbury is taken
    for kind, twin in (
        ("total", naive.without_cells),
        ("backward", naive.without_purchases),
        ("forward", naive.without_sales),
    ):
        result = extraction(net, node=named, kind=kind)
        # By rounds to a residual of 1e-12; by the formula to rounding.
        tolerance = 1e-10 if factored else 1e-8
        assert result.after == pytest.approx(twin(e, cells), rel=tolerance, abs=tolerance)
        assert result.before == pytest.approx(e.x, rel=1e-9)


@pytest.mark.parametrize("factored", [False, True])
@settings(max_examples=15)
@given(seed=SEEDS)
def test_trade_taken_out_equals_the_twin(factored, seed):
    e = naive.random_economy(np.random.default_rng(seed))
    net = from_twin(e)
    if factored:
        footprint(net)
    sellers = [i for i in range(e.n) if e.region[i] == "R0"]
    expected = naive.without_trade(e, sellers, ["R1", "R2"])
    found = extraction(net, region="R0", to=["R1", "R2"])
    assert found.after == pytest.approx(expected, rel=1e-8, abs=1e-8)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_without_a_node_nobody_makes_more(seed):
    e = naive.random_economy(np.random.default_rng(seed), inventories=False)
    net = from_twin(e)
    for kind in ("total", "backward", "forward"):
        assert extraction(net, region="R1", kind=kind).output_loss.min() > -1e-8
    assert extraction(net, region="R1", to="R0").output_loss.min() > -1e-8


@settings(max_examples=10)
@given(seed=SEEDS)
def test_all_that_is_taken_out_is_lost(seed):
    e = naive.random_economy(np.random.default_rng(seed))
    result = extraction(from_twin(e), region=["R0", "R1", "R2"])
    assert result.total_output_loss == pytest.approx(e.x.sum(), rel=1e-9)
    assert result.total_value_added_loss == pytest.approx(e.Y.sum(), rel=1e-9)


@settings(max_examples=10)
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3))
def test_order_of_cells_does_not_matter_and_currency_scales(seed, scale):
    rng = np.random.default_rng(seed)
    e = naive.random_economy(rng)
    order = rng.permutation(e.n)
    one = extraction(from_twin(e), product="s1")
    other = extraction(from_twin(e, order, scale), product="s1")
    assert other.output_loss == pytest.approx(scale * one.output_loss[order], rel=1e-7, abs=1e-7)


# --- why, and wrong use -------------------------------------------------------------------------


def test_losses_are_told_by_region_and_node():
    result = extraction(three_tiers(), product="steel")
    assert dict(result.by_region().select("region", "share_lost").iter_rows()) == pytest.approx(
        {"DE": 1.0, "AU": 1.0, "FR": 0.0}
    )
    assert result.why("AU")["node"].to_list() == ["ore@AU"]
    assert result.why("steel")["output_loss"].to_list() == pytest.approx([6.0])
    with pytest.raises(UsageError, match="no region or product 'XX'"):
        result.why("XX")


def test_a_stated_output_that_does_not_balance_is_no_loss():
    # AU states 3 and sells 2: before and after are both taken from what final demand needs.
    result = extraction(three_tiers(output=[3, 6, 10]), region="FR")
    assert result.before == pytest.approx([2.0, 6.0, 10.0])
    assert result.output_loss == pytest.approx([2.0 * 4 / 6, 4.0, 10.0])


def test_nothing_is_lost_where_nothing_is_made():
    net = economy(np.zeros((2, 2)), [[0], [0]], regions=["A", "B"], sectors="ab")
    result = extraction(net, region="A")
    assert result.loss_share == 0.0
    assert result.to_frame()["share_lost"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "Say what to take out: region, product or node"),
        ({"region": "DE", "kind": "half"}, "kind='half' is unknown; use one of total, backward"),
        ({"region": "DE", "to": "FR", "kind": "backward"}, "does not go with `to`"),
        ({"region": "DE", "to": "FRA"}, r"no region or bloc 'FRA' here\. Did you mean FR"),
    ],
)
def test_wrong_use_is_refused(asked, message):
    with pytest.raises(UsageError, match=message):
        extraction(three_tiers(), **asked)


def test_the_result_says_what_it_is():
    result = extraction(three_tiers(), region="DE")
    assert repr(result) == "<Extraction from 'tiny': DE (total), 44.44% of output lost>"
    assert result.to_pandas().shape == (3, 7)
    assert result.provenance.to_dict()["parameters"]["region"] == "DE"
