"""Options: every effect on a small network whose numbers can be checked by hand."""

from __future__ import annotations

import math
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from withstand.errors import OptionError, UsageError
from withstand.examples import example
from withstand.measures.coverages import coverage
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.option import Effect, Option, Use, apply, check_options, read_options
from withstand.model.settings import Settings
from withstand.readers import network_from_links, read_folder, write_folder

NODES = pl.DataFrame(
    {
        "node": ["far", "near", "oil", "gear", "pump"],
        "product": ["STEEL", "STEEL", "OIL", "GEAR", "PUMP"],
        "region": ["FAR", "NEAR", "NEAR", "HOME", "HOME"],
        "capacity": [None, 15.0, None, 12.0, None],
        "final_demand": [None, None, None, 10.0, 5.0],
        "price": [3.0, 5.0, None, 40.0, 20.0],
    }
)
RECIPES = pl.DataFrame(
    {
        "buyer": ["GEAR", "PUMP", "GEAR"],
        "input": ["STEEL", "STEEL", "OIL"],
        "quantity": [2.0, 1.0, 0.5],
    }
)
LINKS = pl.DataFrame(
    {
        "supplier": ["far", "near"],
        "buyer": ["*", "*"],
        "share": [0.8, 0.2],
        "lead_time": [6.0, None],
        "share_basis": ["S1", "S2"],
    }
)
STOCKS = pl.DataFrame({"node": ["*"], "product": ["STEEL"], "periods_of_use": [3.0]})


def plant(**tables: pl.DataFrame) -> ProductionNetwork:
    """Gears need 2 steel and 0.5 oil, pumps 1 steel: 25 steel, of which 20 come from afar."""
    given = {"nodes": NODES, "recipes": RECIPES, "links": LINKS, "stocks": STOCKS, **tables}
    return build_network(given, Settings(name="gears", home="HOME"))


@pytest.fixture(scope="module")
def net() -> ProductionNetwork:
    return plant()


def one(effect: str, *, label: str = "A", **cells: object) -> Option:
    """An option of one effect."""
    return Option(label=label, effects=(Effect(effect=effect, **cells),))  # type: ignore[arg-type]


def shares(network: ProductionNetwork, buyer: str, product: str = "STEEL") -> dict[str, float]:
    frame = network.suppliers_of(buyer).filter(input=product)
    return dict(frame.select("supplier", "share").iter_rows())


def of_nodes(network: ProductionNetwork, what: str) -> dict[str, float]:
    return dict(zip(network.node_labels.tolist(), getattr(network, what).tolist(), strict=True))


def of_input(network: ProductionNetwork, buyer: str, product: str, what: str) -> float:
    i, p = network.index("nodes")[buyer], network.index("products")[product]
    (at,) = np.flatnonzero((network.input_buyer == i) & (network.input_product == p))
    return float(getattr(network, what)[at])


def codes(error: pytest.ExceptionInfo[OptionError]) -> list[str]:
    return [f.code for f in error.value.findings]


def test_the_small_network_is_as_its_docstring_says(net: ProductionNetwork) -> None:
    assert of_nodes(net, "output") == {
        "far": 20.0, "near": 5.0, "oil": 5.0, "gear": 10.0, "pump": 5.0,
    }  # fmt: skip


# --- add_node -------------------------------------------------------------------------------------


def test_a_new_node_stands_idle_with_its_capacity_and_the_share_zero(
    net: ProductionNetwork,
) -> None:
    after = apply(net, [one("add_node", product="STEEL", region="HOME", amount=30.0)])
    assert of_nodes(after, "capacity")["STEEL@HOME"] == 30.0
    assert of_nodes(after, "output")["STEEL@HOME"] == 0.0
    assert shares(after, "gear") == {"far": 0.8, "near": 0.2, "STEEL@HOME": 0.0}
    assert of_nodes(after, "output")["far"] == 20.0


def test_a_new_node_has_its_own_price_or_the_mean_price_of_its_product(
    net: ProductionNetwork,
) -> None:
    cells = {"product": "STEEL", "region": "HOME", "amount": 1.0}
    usual = apply(net, [one("add_node", **cells)])
    dear = apply(net, [one("add_node", price=9.0, **cells)])
    assert of_nodes(usual, "price")["STEEL@HOME"] == pytest.approx((20 * 3 + 5 * 5) / 25)
    assert of_nodes(dear, "price")["STEEL@HOME"] == 9.0


def test_a_new_node_at_home_follows_the_recipe_of_its_product(net: ProductionNetwork) -> None:
    home = apply(net, [one("add_node", product="GEAR", region="HOME", amount=4.0)])
    away = apply(net, [one("add_node", product="GEAR", region="NEAR", amount=4.0)])
    assert of_input(home, "GEAR@HOME", "STEEL", "input_coefficient") == 2.0
    assert away.suppliers_of("GEAR@NEAR").is_empty()


def test_default_labels_of_new_nodes_are_made_unique(net: ProductionNetwork) -> None:
    cells = {"product": "STEEL", "region": "HOME", "amount": 1.0}
    to = {"product": "STEEL", "from_": "far", "to": "STEEL@HOME"}
    second = Option(
        label="B",
        effects=(
            Effect(effect="add_node", **cells),
            Effect(effect="shift_share", amount=0.3, **to),
        ),
    )
    after = apply(net, [second, one("add_node", **cells)])
    assert shares(after, "gear") == {
        "far": pytest.approx(0.5), "near": 0.2, "STEEL@HOME": 0.0, "STEEL@HOME_2": 0.3,
    }  # fmt: skip


def test_a_new_node_takes_no_share_where_suppliers_were_not_stated(net: ProductionNetwork) -> None:
    after = apply(net, [one("add_node", product="OIL", region="HOME", amount=100.0)])
    assert shares(after, "gear", "OIL") == {"oil": 1.0, "OIL@HOME": 0.0}
    assert of_nodes(after, "output")["oil"] == 5.0


def test_a_new_node_of_a_product_that_nobody_made_supplies_all_of_it() -> None:
    net = plant(nodes=NODES.filter(pl.col("node") != "oil"))
    after = apply(net, [one("add_node", product="OIL", region="HOME", amount=100.0)])
    assert shares(after, "gear", "OIL") == {"OIL@HOME": 1.0}


def test_a_new_node_of_a_final_product_takes_no_final_demand() -> None:
    bare = NODES.with_columns(pl.lit(None, pl.Float64).alias("final_demand"))
    settings = Settings(home="HOME", final_demand={"GEAR": 520.0})
    net = build_network({"nodes": bare, "recipes": RECIPES, "links": LINKS}, settings)
    after = apply(net, [one("add_node", product="GEAR", region="HOME", amount=50.0)])
    assert of_nodes(after, "final_demand")["gear"] == 10.0
    shift = one("shift_share", product="GEAR", from_="gear", to="GEAR@HOME", amount=0.4, label="B")
    both = apply(net, [one("add_node", product="GEAR", region="HOME", amount=50.0), shift])
    assert of_nodes(both, "final_demand")["GEAR@HOME"] == pytest.approx(4.0)


def test_the_name_of_a_new_node_must_be_free(net: ProductionNetwork) -> None:
    with pytest.raises(OptionError, match="of this name already") as error:
        apply(net, [one("add_node", node="far", product="STEEL", region="HOME", amount=1.0)])
    assert codes(error) == ["E405"]


# --- add_capacity ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "mode", "amount", "capacity"),
    [
        ("near", "add", 5.0, 20.0),
        ("near", "scale", 1.2, 18.0),
        ("near", "set", 7.0, 7.0),
        ("far", "add", 5.0, 25.0),  # not stated: output at rest is 20
        ("far", "scale", 1.5, 30.0),
    ],
)
def test_capacity_is_added_scaled_or_set(
    net: ProductionNetwork, node: str, mode: str, amount: float, capacity: float
) -> None:
    after = apply(net, [one("add_capacity", node=node, mode=mode, amount=amount)])
    assert of_nodes(after, "capacity")[node] == pytest.approx(capacity)


def test_capacity_cannot_become_negative(net: ProductionNetwork) -> None:
    with pytest.raises(OptionError, match="capacity would be negative"):
        apply(net, [one("add_capacity", node="near", amount=-16.0)])


# --- shift_share ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "amount", "left"),
    [("add", 0.5, 0.3), ("scale", 0.5, 0.4), ("set", 0.5, 0.5), ("set", 0.9, 0.8)],
)
def test_a_share_of_purchases_moves_and_outputs_follow(
    net: ProductionNetwork, mode: str, amount: float, left: float
) -> None:
    cells = {"product": "STEEL", "from_": "far", "to": "near", "mode": mode}
    after = apply(net, [one("shift_share", amount=amount, **cells)])
    for buyer in ("gear", "pump"):
        assert shares(after, buyer) == pytest.approx({"far": left, "near": 1 - left})
    assert of_nodes(after, "output")["far"] == pytest.approx(25 * left)


def test_a_changed_share_says_which_option_changed_it(net: ProductionNetwork) -> None:
    after = apply(net, [one("shift_share", product="STEEL", from_="far", to="near", amount=0.1)])
    assert after.tables["links"]["share_basis"].to_list() == ["option A", "option A"]


def test_a_shift_for_one_buyer_leaves_the_others_alone(net: ProductionNetwork) -> None:
    cells = {"product": "STEEL", "from_": "far", "to": "near", "amount": 0.5}
    for buyer in ("pump", "PUMP"):
        after = apply(net, [one("shift_share", buyer=buyer, **cells)])
        assert shares(after, "pump") == pytest.approx({"far": 0.3, "near": 0.7})
        assert shares(after, "gear") == {"far": 0.8, "near": 0.2}
        assert of_nodes(after, "output")["near"] == pytest.approx(0.2 * 20 + 0.7 * 5)
        assert of_input(after, "pump", "STEEL", "input_stock") == 15.0


def test_a_shift_for_every_buyer_reaches_buyers_with_rows_of_their_own(
    net: ProductionNetwork,
) -> None:
    cells = {"product": "STEEL", "from_": "far", "to": "near"}
    after = apply(
        net,
        [
            one("shift_share", buyer="pump", amount=0.5, mode="scale", **cells),
            one("shift_share", label="B", amount=0.1, **cells),
        ],
    )
    assert shares(after, "pump") == pytest.approx({"far": 0.3, "near": 0.7})
    assert shares(after, "gear") == pytest.approx({"far": 0.7, "near": 0.3})


def test_a_region_gives_from_its_suppliers_in_proportion() -> None:
    more = pl.DataFrame({"node": ["far2"], "product": ["STEEL"], "region": ["FAR"]})
    links = pl.DataFrame(
        {"supplier": ["far", "far2", "near"], "buyer": ["*"] * 3, "share": [0.6, 0.2, 0.2]}
    )
    net = plant(nodes=pl.concat([NODES, more], how="diagonal"), links=links)
    after = apply(net, [one("shift_share", product="STEEL", from_="FAR", to="near", amount=0.4)])
    assert shares(after, "gear") == pytest.approx({"far": 0.3, "far2": 0.1, "near": 0.6})
    own = apply(net, [one("shift_share", product="STEEL", from_="FAR", to="far2", amount=0.4)])
    assert shares(own, "gear") == pytest.approx({"far": 0.2, "far2": 0.6, "near": 0.2})


def test_shares_given_by_default_can_be_shifted(net: ProductionNetwork) -> None:
    add = one("add_node", product="OIL", region="HOME", amount=3.0)
    shift = one("shift_share", label="B", product="OIL", from_="oil", to="OIL@HOME", amount=0.25)
    after = apply(net, [shift, add])
    assert shares(after, "gear", "OIL") == {"oil": 0.75, "OIL@HOME": 0.25}


def test_a_new_link_has_the_lead_time_of_its_supplier() -> None:
    links = pl.DataFrame(
        {
            "supplier": ["far", "far", "near"],
            "buyer": ["gear", "pump", "pump"],
            "share": [1.0, 0.5, 0.5],
            "lead_time": [6.0, 6.0, 2.0],
        }
    )
    cells = {"product": "STEEL", "from_": "far", "to": "near", "buyer": "gear"}
    after = apply(plant(links=links), [one("shift_share", amount=0.4, **cells)])
    row = after.tables["links"].filter(supplier="near", buyer="gear")
    assert row.select("share", "lead_time").row(0) == (0.4, 2.0)


def test_no_more_moves_than_the_giver_has(net: ProductionNetwork) -> None:
    cells = {"product": "STEEL", "from_": "near", "to": "far"}
    with pytest.raises(OptionError, match=r"near has only 0.2 of the STEEL") as error:
        apply(net, [one("shift_share", amount=0.3, **cells)])
    assert codes(error) == ["E405"]


def test_two_options_cannot_take_the_same_share_twice(net: ProductionNetwork) -> None:
    cells = {"product": "STEEL", "from_": "near", "to": "far", "amount": 0.15}
    with pytest.raises(OptionError, match=r"only 0.05"):
        apply(net, [one("shift_share", **cells), one("shift_share", label="B", **cells)])


def test_a_buyer_that_does_not_buy_the_product_is_named(net: ProductionNetwork) -> None:
    cells = {"product": "OIL", "from_": "oil", "to": "OIL@HOME", "buyer": "pump", "amount": 0.1}
    add = Effect(effect="add_node", product="OIL", region="HOME", amount=1.0)
    option = Option(label="A", effects=(add, Effect(effect="shift_share", **cells)))
    with pytest.raises(OptionError, match="pump does not buy OIL"):
        apply(net, [option])


def test_a_supplier_that_loses_share_keeps_its_capacity(net: ProductionNetwork) -> None:
    after = apply(net, [one("shift_share", product="STEEL", from_="far", to="near", amount=0.4)])
    assert of_nodes(after, "capacity")["far"] == 20.0  # its output at rest fell to 10


# --- add_stock ------------------------------------------------------------------------------------


def test_stock_in_periods_lasts_so_much_longer_for_every_buyer(net: ProductionNetwork) -> None:
    after = apply(net, [one("add_stock", product="STEEL", amount=2.0, unit="periods")])
    assert of_input(after, "gear", "STEEL", "input_stock") == 100.0
    assert of_input(after, "pump", "STEEL", "input_stock") == 25.0


def test_stock_in_units_is_shared_out_by_use(net: ProductionNetwork) -> None:
    after = apply(net, [one("add_stock", product="STEEL", amount=50.0)])
    assert of_input(after, "gear", "STEEL", "input_stock") == pytest.approx(60 + 40)
    assert of_input(after, "pump", "STEEL", "input_stock") == pytest.approx(15 + 10)


def test_stock_can_be_added_at_one_buyer(net: ProductionNetwork) -> None:
    for cells in ({"buyer": "pump"}, {"node": "pump"}, {"buyer": "PUMP"}):
        after = apply(net, [one("add_stock", product="STEEL", amount=4.0, **cells)])
        assert of_input(after, "pump", "STEEL", "input_stock") == pytest.approx(19.0)
        assert of_input(after, "gear", "STEEL", "input_stock") == 60.0


def test_stock_can_be_added_where_there_was_none(net: ProductionNetwork) -> None:
    after = apply(net, [one("add_stock", product="OIL", amount=4.0, unit="periods")])
    assert of_input(after, "gear", "OIL", "input_stock") == 20.0


@pytest.mark.parametrize(("unit", "amount"), [("units", 50.0), ("periods", 2.0)])
def test_stock_given_in_units_grows_with_its_target(unit: str, amount: float) -> None:
    stocks = pl.DataFrame(
        {"node": ["*"], "product": ["STEEL"], "quantity": [30.0], "target": [35.0]}
    )
    after = apply(
        plant(stocks=stocks), [one("add_stock", product="STEEL", amount=amount, unit=unit)]
    )
    assert of_input(after, "gear", "STEEL", "input_stock") == pytest.approx(30 + 40)
    assert of_input(after, "pump", "STEEL", "input_stock") == pytest.approx(30 + 10)
    assert of_input(after, "pump", "STEEL", "input_target") == pytest.approx(35 + 10)


def test_stock_needs_somebody_who_uses_it(net: ProductionNetwork) -> None:
    with pytest.raises(OptionError, match="nobody meant here uses OIL"):
        apply(net, [one("add_stock", product="OIL", buyer="pump", amount=1.0)])


# --- change_recipe --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "amount", "quantity"), [("add", -0.5, 1.5), ("scale", 0.5, 1.0), ("set", 3.0, 3.0)]
)
def test_a_recipe_quantity_is_added_to_scaled_or_set(
    net: ProductionNetwork, mode: str, amount: float, quantity: float
) -> None:
    option = one("change_recipe", buyer="GEAR", input="STEEL", mode=mode, amount=amount)
    after = apply(net, [option])
    assert of_input(after, "gear", "STEEL", "input_coefficient") == quantity
    assert of_nodes(after, "output")["near"] == pytest.approx(0.2 * (10 * quantity + 5))


def test_a_quantity_of_zero_removes_the_input(net: ProductionNetwork) -> None:
    option = one("change_recipe", buyer="GEAR", input="OIL", mode="add", amount=-0.5)
    after = apply(net, [option])
    assert after.tables["recipes"].filter(buyer="GEAR")["input"].to_list() == ["STEEL"]


def test_a_node_without_an_input_of_its_product_is_not_bound_by_it() -> None:
    twin = NODES.filter(pl.col("node") == "gear").with_columns(pl.lit("gear2").alias("node"))
    net = plant(nodes=pl.concat([NODES, twin]))
    after = apply(net, [one("change_recipe", buyer="gear", input="OIL", mode="set", amount=0.0)])
    assert of_input(after, "gear", "OIL", "input_coefficient") == 0.0
    assert of_input(after, "gear", "OIL", "input_class") == 0
    assert of_input(after, "gear2", "OIL", "input_coefficient") == 0.5
    assert of_nodes(after, "output")["oil"] == 5.0


def test_a_change_for_a_product_reaches_nodes_with_rows_of_their_own() -> None:
    own = pl.DataFrame({"buyer": ["gear"], "input": ["STEEL"], "quantity": [4.0]})
    net = plant(recipes=pl.concat([RECIPES, own]))
    option = one("change_recipe", buyer="GEAR", input="STEEL", mode="scale", amount=0.5)
    after = apply(net, [option])
    assert of_input(after, "gear", "STEEL", "input_coefficient") == 2.0
    assert after.tables["recipes"].filter(buyer="GEAR", input="STEEL")["quantity"][0] == 1.0


@pytest.mark.parametrize("buyer", ["PUMP", "pump"])
def test_a_new_input_is_essential(net: ProductionNetwork, buyer: str) -> None:
    after = apply(net, [one("change_recipe", buyer=buyer, input="OIL", amount=2.0)])
    assert of_input(after, "pump", "OIL", "input_coefficient") == 2.0
    assert of_input(after, "pump", "OIL", "input_class") == 2
    assert of_nodes(after, "output")["oil"] == 15.0


def test_an_input_that_is_not_needed_cannot_be_scaled(net: ProductionNetwork) -> None:
    for buyer in ("PUMP", "pump"):
        with pytest.raises(OptionError, match="is not known to need OIL"):
            apply(net, [one("change_recipe", buyer=buyer, input="OIL", mode="scale", amount=0.5)])


def test_a_recipe_quantity_cannot_become_negative(net: ProductionNetwork) -> None:
    with pytest.raises(OptionError, match="quantity would be negative"):
        apply(net, [one("change_recipe", buyer="GEAR", input="OIL", amount=-1.0)])


def test_an_option_that_makes_a_recipe_circle_is_refused_with_its_path(
    net: ProductionNetwork,
) -> None:
    with pytest.raises(OptionError, match="GEAR needs") as error:
        apply(net, [one("change_recipe", buyer="GEAR", input="GEAR", amount=1.0)])
    assert codes(error)[0] == "E201"


# --- prices, lead times, reliability --------------------------------------------------------------


def test_prices_change_for_a_node_or_for_all_of_a_product(net: ProductionNetwork) -> None:
    price = of_nodes(apply(net, [one("change_price", node="far", amount=1.5)]), "price")
    assert (price["far"], price["near"]) == (4.5, 5.0)
    option = one("change_price", product="STEEL", mode="scale", amount=2.0)
    price = of_nodes(apply(net, [option]), "price")
    assert (price["far"], price["near"], price["gear"]) == (6.0, 10.0, 40.0)


def test_a_price_that_is_not_known_can_only_be_set(net: ProductionNetwork) -> None:
    after = apply(net, [one("change_price", node="oil", mode="set", amount=2.0)])
    assert of_nodes(after, "price")["oil"] == 2.0
    with pytest.raises(OptionError, match="price is not known"):
        apply(net, [one("change_price", node="oil", amount=2.0)])


def test_lead_times_change_for_a_node_or_for_all_of_a_product(net: ProductionNetwork) -> None:
    after = apply(net, [one("change_lead_time", node="far", amount=-2.0)])
    assert after.tables["links"]["lead_time"].to_list() == [4.0, None]
    option = one("change_lead_time", product="STEEL", mode="scale", amount=0.5)
    assert apply(net, [option]).tables["links"]["lead_time"].to_list() == [3.0, 0.5]


def test_the_lead_time_of_a_supplier_by_default_can_be_set(net: ProductionNetwork) -> None:
    after = apply(net, [one("change_lead_time", node="oil", mode="set", amount=9.0)])
    p = after.index("products")["OIL"]
    assert after.link_lead_time[after.input_product[after.link_input] == p].tolist() == [9.0]


@pytest.mark.parametrize(
    ("mode", "amount", "reliability"),
    [("add", -0.25, 0.75), ("scale", 3.0, 1.0), ("set", 0.4, 0.4)],
)
def test_reliability_stays_between_zero_and_one(
    net: ProductionNetwork, mode: str, amount: float, reliability: float
) -> None:
    after = apply(net, [one("change_reliability", region="FAR", mode=mode, amount=amount)])
    assert after.tables["regions"].filter(region="FAR")["reliability"][0] == reliability
    assert after.tables["regions"].filter(region="NEAR")["reliability"][0] is None


# --- a value that never changes, in any order -----------------------------------------------------

PORTFOLIO = (
    Option(
        label="MILL",
        ready_periods=52.0,
        effects=(
            Effect(effect="add_node", product="STEEL", region="HOME", amount=10.0),
            Effect(
                effect="shift_share", product="STEEL", from_="far", to="STEEL@HOME", amount=0.25
            ),
            Effect(effect="change_lead_time", node="STEEL@HOME", mode="set", amount=0.5),
        ),
    ),
    one("add_capacity", label="HIRE", node="STEEL@HOME", amount=3.0),
    one("add_capacity", label="LEARN", node="STEEL@HOME", mode="scale", amount=2.0),
    one("add_stock", label="STORE", product="STEEL", amount=55.0),
    one("change_recipe", label="LEAN", buyer="PUMP", input="STEEL", mode="set", amount=2.0),
)


def test_the_order_of_options_does_not_matter(net: ProductionNetwork) -> None:
    orders = list(permutations(PORTFOLIO))[::7]
    results = {apply(net, order).fingerprint() for order in orders}
    assert len(results) == 1


def test_a_portfolio_has_the_numbers_found_by_hand(net: ProductionNetwork) -> None:
    after = apply(net, PORTFOLIO)  # pumps need 10 steel now: 30 in all
    output, capacity = of_nodes(after, "output"), of_nodes(after, "capacity")
    assert output["far"] == pytest.approx(0.55 * 30)
    assert output["STEEL@HOME"] == pytest.approx(7.5)
    assert capacity["STEEL@HOME"] == 2.0 * 10.0 + 3.0  # scale before add
    assert of_input(after, "pump", "STEEL", "input_stock") == pytest.approx(30 + 55 / 3)


def test_the_network_given_stays_as_it_was(net: ProductionNetwork) -> None:
    tables = {name: frame.clone() for name, frame in net.tables.items()}
    before = plant().fingerprint()
    apply(net, PORTFOLIO)
    assert plant().fingerprint() == before == net.fingerprint()
    assert all(net.tables[name].equals(frame) for name, frame in tables.items())


def test_applying_nothing_changes_nothing(net: ProductionNetwork) -> None:
    assert apply(net, []).fingerprint() == net.fingerprint()
    assert apply(net, PORTFOLIO, at_period=-1.0).fingerprint() == net.fingerprint()


def test_an_option_named_twice_counts_once(net: ProductionNetwork) -> None:
    option = one("add_capacity", node="near", amount=5.0)
    assert of_nodes(apply(net, [option, option]), "capacity")["near"] == 20.0
    other = one("add_capacity", node="near", amount=6.0)
    with pytest.raises(UsageError, match="label 'A'"):
        apply(net, [option, other])
    with pytest.raises(UsageError, match="takes a list"):
        apply(net, "A")


# --- at a period ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "capacity"), [(25, 15.0), (27, 15.0), (28, 20.0), (30, 24.0), (None, 20.0)]
)
def test_only_what_is_ready_counts_with_its_growth(
    net: ProductionNetwork, period: float | None, capacity: float
) -> None:
    grows = Effect(effect="add_capacity", node="near", amount=5.0, from_period=2.0, per_period=2.0)
    option = Option(label="A", ready_periods=26.0, effects=(grows,))
    after = apply(net, [option], at_period=period)
    assert of_nodes(after, "capacity")["near"] == capacity


def test_an_effect_on_a_new_node_waits_for_it(net: ProductionNetwork) -> None:
    hire = one("add_capacity", label="HIRE", node="STEEL@HOME", amount=3.0, per_period=1.0)
    assert "STEEL@HOME" not in of_nodes(apply(net, [hire, PORTFOLIO[0]], at_period=51), "output")
    later = apply(net, [hire, PORTFOLIO[0]], at_period=54)
    assert of_nodes(later, "capacity")["STEEL@HOME"] == 10 + 3 + 2


def test_growth_past_what_is_possible_is_found(net: ProductionNetwork) -> None:
    cells = {"product": "STEEL", "from_": "far", "to": "near", "amount": 0.5, "per_period": 0.1}
    with pytest.raises(OptionError, match="between 0 and 1"):
        apply(net, [one("shift_share", **cells)], at_period=10)


# --- where outputs are stated or links carry values -----------------------------------------------


def test_stated_outputs_move_by_what_the_shift_changes() -> None:
    """Far is said to make 22, 2 of which nobody in the network explains: they stay."""
    nodes = NODES.with_columns(pl.Series("output", [22.0, 5.0, None, 10.0, 5.0]))
    after = apply(
        plant(nodes=nodes),
        [one("shift_share", product="STEEL", from_="far", to="near", amount=0.4)],
    )
    output = of_nodes(after, "output")
    assert (output["far"], output["near"]) == pytest.approx((12.0, 15.0))
    assert after.tables["nodes"]["output"].is_null().to_list() == [False, False, True, False, False]


def firms() -> ProductionNetwork:
    """A and B sell 6 and 4 to C, D sells 3 to A and 1 to B, C sells 20 to the world."""
    nodes = pl.DataFrame({"node": ["A", "B", "C", "D"], "product": ["S", "S", "T", "U"]})
    links = pl.DataFrame(
        {
            "supplier": ["A", "B", "D", "D"],
            "buyer": ["C", "C", "A", "B"],
            "value": [6.0, 4.0, 3.0, 1.0],
        }
    )
    return network_from_links(nodes, links)


def test_purchases_known_by_value_move_and_suppliers_of_suppliers_follow() -> None:
    net = firms()
    assert of_nodes(net, "output") == {"A": 6.0, "B": 4.0, "C": 10.0, "D": 4.0}
    after = apply(net, [one("shift_share", product="S", from_="A", to="B", amount=0.2)])
    assert shares(after, "C", "S") == pytest.approx({"A": 0.4, "B": 0.6})
    # A needs 0.5 of D a unit, B 0.25: 4 x 0.5 + 6 x 0.25
    assert of_nodes(after, "output") == pytest.approx({"A": 4.0, "B": 6.0, "C": 10.0, "D": 3.5})
    assert of_nodes(after, "final_demand") == of_nodes(net, "final_demand")
    assert of_nodes(after, "price") == of_nodes(net, "price")


def test_a_quantity_known_by_value_can_be_scaled() -> None:
    option = one("change_recipe", buyer="C", input="S", mode="scale", amount=0.5)
    after = apply(firms(), [option])
    assert of_nodes(after, "output") == pytest.approx({"A": 3.0, "B": 2.0, "C": 10.0, "D": 2.0})
    assert after.input_class.tolist() == firms().input_class.tolist()


def test_a_node_can_be_added_to_a_network_known_by_values() -> None:
    region = str(firms().region_labels[0])
    add = Effect(effect="add_node", node="E", product="S", region=region, amount=5.0)
    shift = Effect(effect="shift_share", product="S", from_="A", to="E", amount=0.1)
    idle = apply(firms(), [Option(label="A", effects=(add,))])
    assert of_nodes(idle, "output") == {**of_nodes(firms(), "output"), "E": 0.0}
    after = apply(firms(), [Option(label="A", effects=(add, shift))])
    assert of_nodes(after, "output")["E"] == pytest.approx(1.0)
    assert of_nodes(after, "output")["D"] == pytest.approx(3.5)


# --- options as tables ----------------------------------------------------------------------------

OPTIONS = pl.DataFrame(
    {
        "option": ["MILL", "HIRE", "DIG"],
        "kind": ["localise", "train", "localise"],
        "cost_once": [5e6, 1e5, None],
        "ready_periods": [52.0, 26.0, None],
        "requires": [None, "MILL; DIG", None],
        "excludes": [None, None, "MILL"],
    }
)
EFFECTS = pl.DataFrame(
    {
        "option": ["MILL", "MILL", "HIRE", "DIG"],
        "effect": ["add_node", "shift_share", "add_capacity", "add_stock"],
        "node": [None, None, "near", None],
        "product": ["STEEL", "STEEL", None, "STEEL"],
        "region": ["HOME", None, None, None],
        "from": [None, "FAR", None, None],
        "to": [None, "STEEL@HOME", None, None],
        "amount": [520.0, 0.5, 3.0, 2.0],
        "unit": ["t per year", None, None, "weeks"],
        "per_period": [52.0, None, None, None],
    }
)
USES = pl.DataFrame({"option": ["MILL"], "product": ["PUMP"], "quantity": [3.0]})


def with_options(
    options: pl.DataFrame = OPTIONS, effects: pl.DataFrame = EFFECTS
) -> ProductionNetwork:
    return plant(options=options, option_effects=effects, option_uses=USES)


def test_options_are_read_from_their_three_tables() -> None:
    mill, hire, dig = read_options(with_options())
    assert (mill.label, mill.name, mill.kind, mill.cost_once) == ("MILL", "MILL", "localise", 5e6)
    assert mill.uses == (Use(product="PUMP", quantity=3.0, periods=52.0),)
    assert (hire.requires, hire.excludes, dig.excludes) == (("MILL", "DIG"), (), ("MILL",))
    assert (dig.cost_once, dig.ready_periods, dig.size, dig.success_probability) == (
        0.0, 0.0, "binary", 1.0,
    )  # fmt: skip
    assert [e.row for e in mill.effects] == [0, 1]
    assert mill.effects[1].from_ == "FAR"


def test_amounts_are_converted_to_periods_once() -> None:
    mill, _, dig = read_options(with_options())
    add = mill.effects[0]
    assert (add.amount, add.per_period, add.unit) == (10.0, 1.0, "t per period")
    assert (dig.effects[0].amount, dig.effects[0].unit) == (2.0, "periods")
    yearly = EFFECTS.with_columns(pl.lit("months").alias("unit"))
    stock = read_options(with_options(effects=yearly))[2].effects[0]
    assert stock.amount == pytest.approx(2 * 52 / 12)


def test_options_are_chosen_by_label() -> None:
    after = apply(with_options(), ["MILL"])
    assert shares(after, "gear") == pytest.approx({"far": 0.3, "near": 0.2, "STEEL@HOME": 0.5})
    assert of_nodes(after, "capacity")["STEEL@HOME"] == pytest.approx(12.5)  # 10 is below its use
    assert read_options(after) == read_options(with_options())


@pytest.mark.parametrize("format", ["csv", "parquet", "xlsx"])
def test_options_survive_writing_and_reading(tmp_path: Path, format: str) -> None:
    net = with_options()
    again = read_folder(write_folder(net, tmp_path / "plant", format=format))
    assert read_options(again) == read_options(net)
    assert apply(again, ["MILL"]).fingerprint() == apply(net, ["MILL"]).fingerprint()


def test_stock_of_an_input_that_the_same_portfolio_designs_away_is_nothing(
    net: ProductionNetwork,
) -> None:
    stock = Option(label="A", effects=(Effect(effect="add_stock", product="OIL", amount=5.0),))
    users = net.node_labels[net.input_buyer[net.input_product == net.index("products")["OIL"]]]
    away = Option(
        label="B",
        effects=tuple(
            Effect(effect="change_recipe", buyer=str(n), input="OIL", amount=0.0, mode="set")
            for n in users
        ),
    )
    assert apply(net, [stock, away]).fingerprint() == apply(net, [away]).fingerprint()
    with pytest.raises(OptionError, match="E405"):
        apply(apply(net, [away]), [stock])


def test_a_network_without_options_has_none(net: ProductionNetwork) -> None:
    assert read_options(net) == ()
    assert check_options(net) == []


# --- findings -------------------------------------------------------------------------------------


def test_good_options_have_no_finding() -> None:
    assert check_options(with_options(OPTIONS.with_columns(cost_once=5.0))) == []
    assert check_options(plant(), PORTFOLIO) == []


def test_options_in_tables_without_cost_or_effect_are_pointed_at() -> None:
    lonely = pl.DataFrame({"option": ["WAIT", "PAY"], "kind": "any", "cost_once": [None, 3.0]})
    findings = check_options(with_options(pl.concat([OPTIONS, lonely], how="diagonal")))
    assert [(f.code, f.value) for f in findings] == [
        ("W401", "DIG"), ("W401", "WAIT"), ("W402", "WAIT"), ("W402", "PAY"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"cost_once": math.nan},
        {"cost_once": -1.0},
        {"cost_per_period": math.inf},
        {"ready_periods": -2.0},
        {"ready_periods": math.nan},
        {"success_probability": 1.5},
        {"success_probability": math.nan},
        {"uses": (Use(product="PUMP", quantity=math.nan, periods=1.0),)},
    ],
)
def test_an_impossible_number_of_an_option_is_found(
    net: ProductionNetwork, wrong: dict[str, Any]
) -> None:
    effect = Effect(effect="add_capacity", node="near", amount=1.0)
    (finding,) = check_options(net, [Option(label="A", effects=(effect,), **wrong)])
    assert finding.code == "E406"
    assert finding.column in wrong or finding.column == "quantity"


@pytest.mark.parametrize(
    "wrong", [{"amount": math.inf}, {"per_period": math.nan}, {"from_period": -1.0}]
)
def test_an_impossible_number_of_an_effect_is_found(
    net: ProductionNetwork, wrong: dict[str, float]
) -> None:
    effect = Effect(effect="add_capacity", node="near", **{"amount": 1.0, **wrong})
    (finding,) = check_options(net, [Option(label="A", effects=(effect,))])
    assert finding.code == "E405"


@pytest.mark.parametrize(
    ("effect", "column", "near"),
    [
        ({"effect": "add_capacity", "node": "near1"}, "node", "near"),
        ({"effect": "add_stock", "product": "STEAL"}, "product", "STEEL"),
        ({"effect": "add_stock", "product": "STEEL", "buyer": "gears"}, "buyer", "GEAR"),
        ({"effect": "add_node", "product": "OIL", "region": "HOMES"}, "region", "HOME"),
        ({"effect": "change_recipe", "buyer": "GEAR", "input": "OILS"}, "input", "OIL"),
        ({"effect": "shift_share", "product": "STEEL", "from_": "FARR", "to": "near"}, "from",
         "FAR"),
        ({"effect": "shift_share", "product": "STEEL", "from_": "far", "to": "nears"}, "to",
         "near"),
    ],
)  # fmt: skip
def test_an_unknown_label_is_found_with_a_near_one(
    net: ProductionNetwork, effect: dict[str, str], column: str, near: str
) -> None:
    option = one(**effect, amount=0.1)  # type: ignore[arg-type]
    (finding,) = check_options(net, [option])
    assert (finding.code, finding.column, finding.suggestion) == ("E401", column, near)
    with pytest.raises(OptionError, match="E401"):
        apply(net, [option])


@pytest.mark.parametrize(
    ("from_", "to", "what"),
    [
        ("gear", "near", "gear makes GEAR, not STEEL"),
        ("far", "oil", "oil makes OIL, not STEEL"),
        ("HOME", "near", "nobody in HOME makes STEEL"),
    ],
)
def test_a_share_cannot_move_to_or_from_who_does_not_make_it(
    net: ProductionNetwork, from_: str, to: str, what: str
) -> None:
    option = one("shift_share", product="STEEL", from_=from_, to=to, amount=0.1)
    assert [(f.code, what in f.what) for f in check_options(net, [option])] == [("E401", True)]


@pytest.mark.parametrize(
    ("effect", "lacking"),
    [
        ("add_node", "needs product, region, amount"),
        ("add_capacity", "needs node, amount"),
        ("shift_share", "needs product, from, to, amount"),
        ("add_stock", "needs product, amount"),
        ("change_recipe", "needs buyer, input, amount"),
        ("change_price", "needs node or product, amount"),
        ("change_lead_time", "needs node or product, amount"),
        ("change_reliability", "needs region, amount"),
    ],
)
def test_an_incomplete_effect_names_the_columns_it_lacks(
    net: ProductionNetwork, effect: str, lacking: str
) -> None:
    (finding,) = check_options(net, [one(effect)])
    assert finding.code == "E402"
    assert finding.what.endswith(lacking)


def test_options_that_require_each_other_in_a_circle_show_the_path(
    net: ProductionNetwork,
) -> None:
    options = [
        Option(label="A", requires=("B",)),
        Option(label="B", requires=("C", "D")),
        Option(label="C", requires=("A",)),
        Option(label="D"),
        Option(label="E", requires=("E", "A")),
    ]
    found = check_options(net, options)
    assert [f.code for f in found] == ["E403", "E403"]
    assert "A requires B requires C requires A" in found[0].what
    assert "E requires E" in found[1].what


def test_a_required_option_must_be_chosen_and_an_excluded_one_not() -> None:
    net = with_options()
    with pytest.raises(OptionError) as error:
        apply(net, ["HIRE", "DIG"])
    assert [(f.code, f.value) for f in error.value.findings] == [("E404", "MILL")]
    with pytest.raises(OptionError, match="DIG excludes MILL") as error:
        apply(net, ["HIRE", "DIG", "MILL"])
    assert codes(error) == ["E404"]


@pytest.mark.parametrize(
    "effect",
    [
        {"effect": "shift_share", "product": "STEEL", "from_": "far", "to": "near", "amount": 1.5},
        {"effect": "add_node", "product": "STEEL", "region": "HOME", "amount": -1.0},
        {"effect": "add_stock", "product": "STEEL", "amount": 2.0, "mode": "set"},
    ],
)
def test_an_impossible_amount_is_found_before_applying(
    net: ProductionNetwork, effect: dict[str, object]
) -> None:
    assert [f.code for f in check_options(net, [one(**effect)])] == ["E405"]  # type: ignore[arg-type]


def test_unknown_options_and_products_are_found(net: ProductionNetwork) -> None:
    option = Option(
        label="A", requires=("B",), uses=(Use(product="PUMPS", quantity=1.0, periods=1.0),)
    )
    assert [(f.code, f.value) for f in check_options(net, [option])] == [
        ("E401", "B"), ("E401", "PUMPS"),
    ]  # fmt: skip
    with pytest.raises(OptionError, match="Did you mean MILL") as error:
        apply(with_options(), ["MILLS"])
    assert codes(error) == ["E401"]


def test_an_effect_of_no_option_is_found() -> None:
    net = plant(option_effects=EFFECTS.head(1))
    assert [(f.code, f.value) for f in check_options(net)] == [("E401", "MILL")]


def test_a_finding_points_at_the_row_of_the_table() -> None:
    effects = EFFECTS.with_columns(pl.col("node").replace("near", "nearby"))
    net = with_options(OPTIONS.with_columns(cost_once=5.0), effects)
    (finding,) = check_options(net)
    assert (finding.file, finding.row, finding.column) == ("option_effects", 4, "node")


def test_all_faults_are_raised_together(net: ProductionNetwork) -> None:
    options = [one("add_capacity"), one("add_stock", label="B", product="X", amount=1.0)]
    with pytest.raises(OptionError) as error:
        apply(net, options)
    assert sorted(codes(error)) == ["E401", "E402"]


def test_every_buyer_is_no_buyer_of_a_recipe(net: ProductionNetwork) -> None:
    found = check_options(net, [one("change_recipe", buyer="*", input="OIL", amount=1.0)])
    assert [(f.code, f.column) for f in found] == [("E401", "buyer")]
    same = one("shift_share", buyer="*", product="STEEL", from_="far", to="near", amount=0.1)
    assert check_options(net, [same]) == []


def test_effects_and_modes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="effect 'steal' is unknown"):
        Effect(effect="steal")
    with pytest.raises(UsageError, match="mode 'most' is unknown"):
        Effect(effect="add_stock", mode="most")


# --- on the robot maker ---------------------------------------------------------------------------


def test_a_new_node_raises_coverage_limited_by_capacity() -> None:
    net = example("robot_maker")
    before = coverage(net, without=["TW"], limit="capacity")
    chips = one("add_node", product="FPGA", region="HOME", amount=50.0)
    after = coverage(apply(net, [chips]), without=["TW"], limit="capacity")
    assert before.binding[0] == "FPGA"
    assert after.feasible_output > before.feasible_output + 0.1
    assert "FPGA" not in after.binding


def test_the_order_of_options_does_not_matter_on_the_robot_maker() -> None:
    net = example("robot_maker")
    options = [
        one("add_node", label="CHIPS", product="FPGA", region="HOME", amount=100.0),
        one("shift_share", label="SHIFT", product="FPGA", from_="TW", to="FPGA@HOME", amount=0.3),
        one("change_recipe", label="LEAN", buyer="MAINBD", input="FPGA", mode="scale", amount=0.5),
        one("add_stock", label="STORE", product="FPGA", amount=5200.0),
    ]
    orders = list(permutations(options))[::3]
    results = {apply(net, order).fingerprint() for order in orders}
    assert len(results) == 1
