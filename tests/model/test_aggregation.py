"""Aggregated economies keep every total, and aggregation in steps is aggregation at once."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import withstand as ws
from withstand.model.balances import residuals
from withstand.model.economy import build_economy
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings

REGIONS, PRODUCTS = ["DEU", "FRA", "USA", "RoW"], ["ore", "steel", "cars"]
CATEGORIES = ["households", "stocks"]


def economy(seed: int, *, gap: float = 0.0, tolerance: float = 0.0) -> ProductionNetwork:
    rng = np.random.default_rng(seed)
    n = len(REGIONS) * len(PRODUCTS)
    Z = rng.lognormal(0, 1, (n, n)) * (rng.random((n, n)) < 0.7)
    Y = rng.lognormal(3, 1, (n, len(REGIONS) * 2))
    Y[:, 1::2] -= 10.0
    pairs = [(p, r) for r in REGIONS for p in PRODUCTS]
    output = Z.sum(axis=1) + Y.sum(axis=1) + gap * rng.uniform(-1, 1, n)
    tables = {
        "nodes": pl.DataFrame({"product": [p for p, _ in pairs], "region": [r for _, r in pairs],
                               "output": output, "recovery_periods": rng.uniform(0, 1, n)}),
        "regions": pl.DataFrame({"region": REGIONS, "name": ["Germany", "France", "US", "Rest"],
                                 "bloc": ["EU;OECD", "OECD;EU", "OECD", None]}),
        "products": pl.DataFrame({"product": PRODUCTS,
                                  "kind": ["material", "material", "product"]}),
        "extensions": pl.DataFrame({"node": [f"{p}@{r}" for p, r in pairs], "name": "jobs",
                                    "value": rng.uniform(0, 9, n), "unit": "1000"}),
        "classes": pl.DataFrame({"supplier_product": ["ore", "steel"],
                                 "buyer_product": ["steel", "cars"],
                                 "class": ["essential", "minor"]}),
        "stocks": pl.DataFrame({"node": ["*"], "product": ["steel"], "periods_of_use": [0.5]}),
    }  # fmt: skip
    columns = pl.DataFrame({"region": [r for r in REGIONS for _ in CATEGORIES],
                            "category": CATEGORIES * len(REGIONS)})  # fmt: skip
    kept = Settings(lens="economy", period="year", home="DEU", viewpoint="cars")
    return build_economy(Z, Y, tables, columns, kept, tolerance=tolerance)


GROUPS = st.sampled_from(["a", "b", "c"])
GROUPING = st.fixed_dictionaries({}, optional=dict.fromkeys(REGIONS, GROUPS))
OF_PRODUCTS = st.fixed_dictionaries({}, optional=dict.fromkeys(PRODUCTS, GROUPS))


@settings(max_examples=40)
@given(seed=st.integers(0, 99), regions=GROUPING, products=OF_PRODUCTS)
def test_every_total_is_kept(seed: int, regions: dict[str, str], products: dict[str, str]) -> None:
    network = economy(seed, gap=3.0)
    small = ws.aggregate(network, regions=regions, products=products)
    new_region = [regions.get(r, r) for r in network.region_labels[network.node_region]]
    new_product = [products.get(p, p) for p in network.product_labels[network.node_product]]
    labels = [f"{p}@{r}" for p, r in zip(new_product, new_region, strict=True)]
    at = np.array([small.index("nodes")[label] for label in labels])
    n = small.n_nodes
    assert n == len(set(labels))
    for name in ("output", "value_added", "final_demand", "capacity"):
        of_old = getattr(network, name)
        np.testing.assert_allclose(getattr(small, name), np.bincount(at, of_old, n), rtol=1e-12)
    flows = np.zeros((n, n))
    for i in range(network.n_nodes):
        for j in range(network.n_nodes):
            flows[at[i], at[j]] += network.flow_table.flows[i, j]
    np.testing.assert_allclose(small.flow_table.flows, flows, rtol=1e-12)
    # gaps add up: nothing is balanced away
    gaps = residuals(network).join(
        pl.DataFrame({"node": network.node_labels, "new": labels}), on="node"
    )
    sums = gaps.group_by("new").agg(pl.col("sales_gap", "cost_gap").sum())
    both = sums.join(residuals(small), left_on="new", right_on="node")
    np.testing.assert_allclose(both["sales_gap"], both["sales_gap_right"], atol=1e-9)
    np.testing.assert_allclose(both["cost_gap"], both["cost_gap_right"], atol=1e-9)
    jobs = small.tables["extensions"]
    assert jobs.height == n
    assert jobs["value"].sum() == pytest.approx(network.tables["extensions"]["value"].sum())
    assert small.input_stock.sum() == pytest.approx(network.input_stock.sum())
    # final demand by region and category
    for region in set(new_region):
        for category in CATEGORIES:
            old = network.flow_table
            mine = (old.final_category == category) & np.isin(
                network.region_labels[old.final_region],
                [r for r in REGIONS if regions.get(r, r) == region],
            )
            new = small.flow_table
            its = (new.final_category == category) & (
                small.region_labels[new.final_region] == region
            )
            assert its.sum() == 1
            assert new.final[:, its].sum() == pytest.approx(old.final[:, mine].sum())


@settings(max_examples=20)
@given(seed=st.integers(0, 99), first=GROUPING, last=st.sampled_from(["a", "z"]))
def test_two_steps_are_one(seed: int, first: dict[str, str], last: str) -> None:
    network = economy(seed)
    second = dict.fromkeys(set(first.values()), last)
    steps = ws.aggregate(ws.aggregate(network, regions=first), regions=second)
    once = ws.aggregate(network, regions={k: second[v] for k, v in first.items()})
    assert sorted(steps.node_labels) == sorted(once.node_labels)
    order = [steps.index("nodes")[label] for label in once.node_labels]
    np.testing.assert_allclose(
        steps.flow_table.flows[np.ix_(order, order)], once.flow_table.flows, rtol=1e-12
    )
    np.testing.assert_allclose(steps.output[order], once.output, rtol=1e-12)


def test_aggregation_by_nothing_changes_nothing() -> None:
    network = economy(0)
    same = ws.aggregate(network)
    np.testing.assert_array_equal(same.flow_table.flows, network.flow_table.flows)
    np.testing.assert_array_equal(same.flow_table.final, network.flow_table.final)
    assert same.node_labels.tolist() == network.node_labels.tolist()
    np.testing.assert_array_equal(same.input_class, network.input_class)
    assert same.settings == network.settings


def test_regions_and_home_follow_their_group() -> None:
    network = economy(0)
    frame = pl.DataFrame({"region": ["DEU", "FRA"], "to": ["EU2", "EU2"]})
    small = ws.aggregate(network, regions=frame)
    assert small.settings.home == "EU2"
    rows = {row["region"]: row for row in small.tables["regions"].iter_rows(named=True)}
    assert set(rows["EU2"]["bloc"].split(";")) == {"EU", "OECD"}
    assert rows["USA"]["name"] == "US"  # what stays keeps its row
    assert ws.aggregate(network, regions={"FRA": "west", "USA": "west"}).tables["regions"].filter(
        pl.col("region") == "west")["bloc"].to_list() == ["OECD"]  # fmt: skip
    longest = max(network.recovery[:6])
    assert small.recovery[:3].max() == pytest.approx(longest)


def test_a_group_of_products_has_the_class_that_most_flows_have() -> None:
    network = economy(0)
    small = ws.aggregate(network, products={"ore": "inputs", "steel": "inputs"})
    value = network.input_coefficient * network.output[network.input_buyer]
    of_buyer = network.product_labels[network.node_product[network.input_buyer]]
    into = (of_buyer == "cars") & (network.product_labels[network.input_product] != "cars")
    heaviest = np.bincount(network.input_class[into], value[into], 3).argmax()
    classes = {row[:2]: row[2] for row in small.tables["classes"].iter_rows()}
    assert classes["inputs", "cars"] == ("minor", "important", "essential")[heaviest]
    assert small.tables["products"]["kind"].to_list() == ["material", "product"]


def test_rounding_adds_up_too() -> None:
    network = economy(0, tolerance=1.0)
    small = ws.aggregate(network, regions={"DEU": "EU", "FRA": "EU"}, products={"ore": "steel"})
    assert small.flow_table.tolerance == 4.0  # up to four nodes in one


def test_unknown_labels_and_doubles_are_told_all_at_once() -> None:
    network = economy(0)
    pairs = pl.DataFrame({"region": ["DEU", "DEU", "FRE"], "to": ["a", "b", "a"]})
    with pytest.raises(ws.DataError) as told:
        ws.aggregate(network, regions=pairs, products={"stele": "metals"})
    found = [(f.code, f.value, f.suggestion) for f in told.value.findings]
    assert found == [("E106", "DEU", None), ("E104", "FRE", "FRA"), ("E104", "stele", "steel")]
    with pytest.raises(ws.DataError, match="two columns"):
        ws.aggregate(network, regions=pl.DataFrame({"region": ["DEU"]}))
    with pytest.raises(ws.UsageError, match="Only economies"):
        ws.aggregate(ws.example("robot_maker"), regions={})


def test_what_cannot_be_added_is_told() -> None:
    network = economy(0)
    nodes = network.tables["nodes"].with_columns(latitude=pl.lit(50.0))
    regions = network.tables["regions"].with_columns(reliability=pl.lit(0.5))
    network = network.with_changes({"nodes": nodes, "regions": regions})
    small = ws.aggregate(network, regions={"DEU": "EU", "FRA": "EU"})
    said = [f.what for f in small.findings if f.code == "N211"]
    assert any("latitude" in what for what in said)
    assert any("reliability" in what for what in said)
