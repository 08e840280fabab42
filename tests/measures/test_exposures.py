"""Where the value of the viewpoint arises."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_measures as naive
from tiny_networks import from_plant, link, need, network, node
from withstand.errors import SolverError, UsageError
from withstand.examples import example, folder_of
from withstand.measures import exposure

NODES = [
    node("PLANT", "GEAR", final_demand=10.0, price=100.0),
    node("JP", "STEEL", "JP", price=20.0),
    node("MILL", "STEEL", price=20.0),
    node("MINE", "ORE", "AU", price=5.0),
]
RECIPES = [need("GEAR", "STEEL", 2.0), need("STEEL", "ORE")]
LINKS = [link("JP", share=0.8), link("MILL", share=0.2), link("MINE")]
PRODUCTS = [{"product": p, "kind": k} for p, k in
            (("GEAR", "product"), ("STEEL", "material"), ("ORE", "material"))]  # fmt: skip


def gears(nodes=NODES, recipes=RECIPES, links=LINKS, **settings):
    return network(nodes, recipes, links, products=PRODUCTS, **settings)


def shares(result):
    frame = result.to_frame()
    return dict(zip(frame[result.by], frame["share"], strict=True))


# --- by hand ---------------------------------------------------------------------------------


def test_value_arises_where_each_tier_adds_it():
    # Of 100: the plant adds 60, JP 32, the mill at home 8 x 15/20 = 6, its ore 2.
    result = exposure(gears())
    assert shares(result) == pytest.approx({"HOME": 0.66, "JP": 0.32, "AU": 0.02})
    assert result.home_share == pytest.approx(0.66)
    assert result.tier1_home_share == pytest.approx(0.2)
    assert result.purchase_cost == pytest.approx(40.0)
    assert result.summary() == (
        "20.0% of direct purchases come from home; of the value, all tiers counted, "
        "66.0% arises at home."
    )


def test_under_the_shared_rule_foreign_producers_buy_their_inputs():
    # JP adds 15 of each 20, the rest is ore: 24 and 8, with the 2 of the mill at home 10.
    assert shares(exposure(gears(assume_recipe="shared"))) == pytest.approx(
        {"HOME": 0.66, "JP": 0.24, "AU": 0.10}
    )


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("node", {"PLANT": 0.6, "JP": 0.32, "MILL": 0.06, "MINE": 0.02}),
        ("product", {"GEAR": 0.6, "STEEL": 0.38, "ORE": 0.02}),
        ("kind", {"product": 0.6, "material": 0.4}),
    ],
)
def test_the_same_value_is_split_by_node_product_or_kind(by, expected):
    result = exposure(gears(), by=by)
    assert shares(result) == pytest.approx(expected)
    assert result.to_frame()["share"].is_sorted(descending=True)


def test_domestic_content_is_recursive():
    content = dict(exposure(gears()).products.select("product", "domestic_content").iter_rows())
    assert content == pytest.approx({"GEAR": 0.66, "STEEL": 0.2 * 0.75, "ORE": 0.0})


def test_domestic_content_of_a_product_is_weighted_by_value():
    # Steel from home is dearer: 2 x (.8 x 20 + .2 x 40) = 48, of which .2 x (40 - 5) x 2 at home.
    dearer = [*NODES[:2], node("MILL", "STEEL", price=40.0), NODES[3]]
    products = exposure(gears(dearer)).products
    steel = products.row(by_predicate=pl.col("product") == "STEEL", named=True)
    assert steel["price"] == pytest.approx(24.0)
    assert steel["domestic_content"] == pytest.approx(0.2 * 35 / 24)
    assert steel["value_per_unit"] == pytest.approx(48.0)


def test_need_and_value_per_unit_count_every_recipe():
    products = exposure(gears()).products
    ore = products.row(by_predicate=pl.col("product") == "ORE", named=True)
    assert ore["need_per_unit"] == pytest.approx(2.0)  # whoever makes the steel
    assert ore["share_of_purchase_cost"] == pytest.approx(10.0 / 40.0)
    assert ore["tier"] == 2


def test_imports_of_the_final_product_do_not_make_it_cheaper():
    # Half of the gears come from JP, whose purchases are unknown: the plant's unit cost stays 40.
    nodes = [*NODES, node("GEAR@JP", "GEAR", "JP", final_demand=10.0, price=100.0)]
    assert exposure(gears(nodes)).purchase_cost == pytest.approx(40.0)


def test_inputs_without_a_price_or_a_supplier_are_named_and_stay_with_their_user():
    nodes = [*NODES, node("PEOPLE", "SKILL", "IN"), node("OIL1", "OIL", "RU", price=1.0),
             node("OIL2", "OIL", "NO")]  # fmt: skip
    recipes = [*RECIPES, need("GEAR", "SKILL", 3.0), need("GEAR", "OIL", 4.0), need("GEAR", "AIR")]
    links = [*LINKS, link("PEOPLE"), link("OIL1", share=0.5), link("OIL2", share=0.5)]
    result = exposure(network(nodes, recipes, links))
    # 4 oil, half of it without a price: 2 of 100 are RU's, the rest stays with the plant.
    assert result.unpriced == ("SKILL", "OIL", "AIR")
    assert shares(result) == pytest.approx(
        {"HOME": 0.64, "JP": 0.32, "AU": 0.02, "RU": 0.02, "IN": 0.0, "NO": 0.0}
    )


def test_negative_value_added_is_shown_and_not_cut():
    cheap = [node("PLANT", "GEAR", final_demand=10.0, price=30.0), *NODES[1:]]
    result = exposure(gears(cheap))
    assert shares(result)["HOME"] == pytest.approx((-10 + 6) / 30)
    assert sum(shares(result).values()) == pytest.approx(1.0)
    assert result.why("HOME")["share"].to_list() == pytest.approx([0.2, -1 / 3])
    by_node = exposure(gears(cheap), by="node")
    assert by_node.why("PLANT")["share"].item() == pytest.approx(-1 / 3)


def test_without_priced_purchases_there_is_no_share_from_home():
    net = network([node("F", "F", final_demand=1.0, price=1.0), node("A", "A", "X")],
                  [need("F", "A")], [link("A")])  # fmt: skip
    result = exposure(net)
    assert np.isnan(result.tier1_home_share)
    assert result.purchase_cost == 0.0
    assert result.summary() == (
        "No direct purchase has a price; of the value, all tiers counted, 100.0% arises at home."
    )


# --- circles ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_networks_with_circles_agree_with_the_leontief_inverse(seed):
    rng = np.random.default_rng([seed, 4])
    n = 8
    a = rng.random((n, n)) * (rng.random((n, n)) < 0.5)
    a *= 0.9 / max(np.abs(np.linalg.eigvals(a)).max(), 1e-9)
    np.fill_diagonal(a, 0.0)
    price = rng.uniform(1, 10, n)
    demand = rng.uniform(0, 5, n)
    net = network(
        [node(f"N{i}", f"P{i}", "HOME" if i % 2 else "X", price=price[i], final_demand=demand[i])
         for i in range(n)],
        [need(f"P{j}", f"P{i}", a[i, j] * price[j] / price[i])
         for i in range(n) for j in range(n) if a[i, j] > 0],
        [link(f"N{i}") for i in range(n)],
        lens="economy", home=None,
    )  # fmt: skip
    value = demand * price
    v = 1 - a.sum(axis=0)
    expected = v * (np.linalg.inv(np.eye(n) - a) @ value) / value.sum()
    found = shares(exposure(net, by="node"))
    assert [found[f"N{i}"] for i in range(n)] == pytest.approx(expected.tolist(), abs=1e-10)
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("quantity", [1.0, 1.01, 1.5, 1e6])
def test_a_circle_that_eats_its_own_output_is_refused(quantity):
    # With factor 1.5 a round a sum would overflow long before the last round.
    net = network(
        [node("A", "A", output=3.0, price=1.0, final_demand=1.0),
         node("B", "B", output=3.0, price=1.0)],
        [need("A", "B", quantity), need("B", "A", quantity)],
        [link("A"), link("B")],
        lens="economy",
    )  # fmt: skip
    with pytest.raises(SolverError, match="does not settle"):
        exposure(net)


# --- the robot maker -------------------------------------------------------------------------


def test_purchases_look_domestic_and_the_value_is_not():
    result = exposure(example("robot_maker"))
    assert result.tier1_home_share == pytest.approx(0.991, abs=5e-4)
    assert result.home_share == pytest.approx(0.388, abs=5e-4)
    assert result.purchase_cost == pytest.approx(17_376.0, abs=0.5)
    content = dict(result.products.select("product", "domestic_content").iter_rows())
    assert content["ARM"] == pytest.approx(0.206, abs=5e-4)
    assert content["CTRL"] == pytest.approx(0.470, abs=5e-4)


def test_reducers_servos_and_controller_are_most_of_the_purchase_cost():
    products = exposure(example("robot_maker")).products
    part = dict(products.select("product", "share_of_purchase_cost").iter_rows())
    reducers, servos = part["RV"] + part["HD"], part["SERVO_H"] + part["SERVO_L"] + part["DRIVE"]
    controller = part["CTRL"] - part["DRIVE"]
    assert reducers == pytest.approx(0.319, abs=5e-4)
    assert servos == pytest.approx(0.243, abs=5e-4)
    assert reducers + servos + controller == pytest.approx(0.721, abs=1e-3)


def test_domestic_content_of_every_product_equals_the_twin():
    plant = naive.read_plant(folder_of("robot_maker"))
    products = exposure(example("robot_maker")).products
    found = dict(products.select("product", "domestic_content").drop_nulls().iter_rows())
    assert len(found) == 113  # all but the skills
    expected = {p: naive.domestic_content(plant, p) for p in found}
    assert found == pytest.approx(expected, abs=1e-9)


def test_skills_have_no_price_and_are_named():
    unpriced = exposure(example("robot_maker")).unpriced
    assert len(unpriced) == 14
    assert all(p.startswith("SK_") for p in unpriced)


# --- invariants ------------------------------------------------------------------------------


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(1e-3, 1e3))
def test_shares_sum_to_one_and_the_currency_does_not_matter(seed, factor):
    rng = np.random.default_rng(seed)
    plant = naive.random_plant(rng)
    prices = {n: float(rng.uniform(50, 60)) for n in plant.nodes}
    results = []
    for scale in (1.0, factor):
        plant.price = {n: p * scale for n, p in prices.items()}
        results.append(exposure(from_plant(plant)))
    one, other = results
    assert sum(shares(one).values()) == pytest.approx(1.0, abs=1e-10)
    assert shares(one) == pytest.approx(shares(other), abs=1e-9)
    assert other.purchase_cost == pytest.approx(one.purchase_cost * factor)


# --- why, and wrong use ----------------------------------------------------------------------


def test_why_names_the_nodes_behind_a_region():
    rows = exposure(gears()).why("HOME")
    assert rows["node"].to_list() == ["PLANT", "MILL"]
    assert rows["share"].to_list() == pytest.approx([0.6, 0.06])


def test_why_of_an_unknown_region_names_the_nearest():
    with pytest.raises(UsageError, match=r"no region 'HOM' here\. Did you mean HOME"):
        exposure(gears()).why("HOM")


def test_an_unknown_split_names_those_there_are():
    with pytest.raises(UsageError, match="by='country' is unknown; use one of region, node"):
        exposure(gears(), by="country")


@pytest.mark.parametrize("missing", ["price", "final_demand"])
def test_a_viewpoint_without_value_is_refused(missing):
    plant = {k: v for k, v in NODES[0].items() if k != missing}
    with pytest.raises(UsageError, match="no final demand with a price"):
        exposure(gears([plant, *NODES[1:]], viewpoint="GEAR"))


def test_the_answer_says_what_was_asked():
    net = gears()
    provenance = exposure(net, by="kind").provenance
    assert provenance.to_dict()["parameters"] == {"by": "kind"}
    assert provenance.fingerprint == net.fingerprint()
    assert exposure(net).to_pandas().shape == (3, 4)
