"""From tables to arrays: against the slow twin, and by hand on networks of a few nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naive_model import NaiveNetwork
from withstand.errors import DataError, UsageError
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings
from withstand.readers import network_from_links

SIZES = st.sampled_from([0.1, 0.25, 1.0, 1.5, 3.0, 10.0])


def frames(tables: dict[str, list[dict[str, Any]]]) -> dict[str, pl.DataFrame]:
    return {
        name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in tables.items() if rows
    }


def links_by_label(net: ProductionNetwork) -> dict[tuple[str, str, str], float]:
    """Shares by buyer, product and supplier, parallel links added."""
    found: dict[tuple[str, str, str], float] = {}
    for link in range(net.n_links):
        at = net.link_input[link]
        key = (
            str(net.node_labels[net.input_buyer[at]]),
            str(net.product_labels[net.input_product[at]]),
            str(net.node_labels[net.link_supplier[link]]),
        )
        found[key] = found.get(key, 0.0) + net.link_share[link]
    return found


# --- the twin ------------------------------------------------------------------------------------


@st.composite
def plants(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Tables of a plant without cycles: products need products further on in the alphabet."""
    n_products = draw(st.integers(2, 5))
    products = [f"P{i}" for i in range(n_products)]
    nodes: list[dict[str, Any]] = []
    for p in products:
        for k in range(draw(st.integers(1, 3))):
            nodes.append(
                {
                    "node": f"{p.lower()}{k}",
                    "product": p,
                    "region": draw(st.sampled_from(["HOME", "FAR"])),
                    "final_demand": draw(st.sampled_from([0.0, 0.0, 5.0, 20.0])),
                    "capacity": draw(st.none() | SIZES),
                    "output": draw(st.none() | st.none() | SIZES),
                }
            )
    labels = [n["node"] for n in nodes]
    product_of = {n["node"]: n["product"] for n in nodes}
    recipes = [
        {"buyer": buyer, "input": wanted, "quantity": draw(SIZES)}
        for buyer in (*products, *labels)
        for wanted in products
        if wanted > product_of.get(buyer, buyer) and draw(st.integers(0, 3)) == 0
    ]
    links = []
    for product in products:
        makers = [n for n in labels if product_of[n] == product]
        for buyer in ("*", *products, *labels):
            if product_of.get(buyer, buyer) >= product and buyer != "*":
                continue
            if draw(st.integers(0, 3)):
                continue
            chosen = draw(st.lists(st.sampled_from(makers), min_size=1, unique=True))
            weights = [draw(st.integers(1, 5)) for _ in chosen]
            for n, w in zip(chosen, weights, strict=True):
                stated = draw(st.sampled_from([None, product]))
                share = w / sum(weights)
                links.append({"supplier": n, "buyer": buyer, "product": stated, "share": share})
    stocks = [
        {"node": holder, "product": product, **draw(st.sampled_from(
            [{"quantity": 4.0}, {"periods_of_use": 3.0}, {"quantity": 1.0, "periods_of_use": 9.0}]
        ))}
        for holder in ("*", *products, *labels)
        for product in products
        if draw(st.integers(0, 5)) == 0
    ]  # fmt: skip
    demand = [
        {"node": n, "region": draw(st.sampled_from(["HOME", "FAR"])), "category": c, "value": 2.5}
        for n in labels
        for c in ("sales", "export")
        if draw(st.integers(0, 4)) == 0
    ]
    return {
        "products": [{"product": p} for p in products],
        "regions": [{"region": "HOME", "home": draw(st.booleans())}, {"region": "FAR"}],
        "nodes": nodes,
        "recipes": recipes,
        "links": links,
        "stocks": stocks,
        "final_demand": demand,
    }


@settings(max_examples=150)
@given(
    tables=plants(),
    rule=st.sampled_from(["none", "shared"]),
    home=st.sampled_from([None, "HOME"]),
    period=st.sampled_from(["week", "month"]),
    yearly=st.sampled_from([{}, {"P0": 520.0}, {"p00": 104.0}, {"P0": 520.0, "p00": 104.0}]),
)
def test_a_built_network_equals_its_twin(
    tables: dict[str, list[dict[str, Any]]],
    rule: str,
    home: str | None,
    period: str,
    yearly: dict[str, float],
) -> None:
    stated = Settings(home=home, assume_recipe=rule, period=period, final_demand=yearly)
    net = build_network(frames(tables), stated)
    twin = NaiveNetwork(tables, home=home, assume_recipe=rule, period=period, final_demand=yearly)
    nodes = list(twin.nodes)
    assert net.node_labels.tolist() == nodes
    close = {"rtol": 1e-12, "atol": 1e-12}  # sums in another order
    np.testing.assert_allclose(net.final_demand, [twin.demand(n) for n in nodes], **close)
    np.testing.assert_allclose(net.output, [twin.output(n) for n in nodes], **close)
    np.testing.assert_allclose(net.capacity, [twin.capacity(n) for n in nodes], **close)
    inputs = [(n, p) for n in nodes for p in sorted(twin.recipe(n))]
    assert [
        (str(net.node_labels[b]), str(net.product_labels[p]))
        for b, p in zip(net.input_buyer, net.input_product, strict=True)
    ] == inputs
    quantities = [twin.recipe(n)[p]["quantity"] for n, p in inputs]
    np.testing.assert_allclose(net.input_coefficient, quantities, **close)
    np.testing.assert_allclose(net.input_stock, [twin.stock(n, p) for n, p in inputs], **close)
    shares = {(n, p, s): share for n, p in inputs for s, share in twin.suppliers(n, p).items()}
    assert links_by_label(net) == pytest.approx(shares, abs=1e-12)


# --- by hand -------------------------------------------------------------------------------------


def gear_tables() -> dict[str, pl.DataFrame]:
    """A plant makes gears of steel from two mills, which make it of ore."""
    return {
        "nodes": pl.DataFrame(
            {
                "node": ["plant", "near", "far", "mine"],
                "product": ["GEAR", "STEEL", "STEEL", "ORE"],
                "region": ["HOME", "HOME", "JP", "JP"],
                "final_demand": [10.0, 0.0, 0.0, 0.0],
                "price": [50.0, 4.0, 3.0, 1.0],
            }
        ),
        "recipes": pl.DataFrame(
            {"buyer": ["GEAR", "STEEL"], "input": ["STEEL", "ORE"], "quantity": [2.0, 1.5]}
        ),
        "links": pl.DataFrame(
            {"supplier": ["near", "far"], "buyer": ["*", "*"], "share": [0.75, 0.25]}
        ),
    }


def test_a_foreign_supplier_needs_nothing_or_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    tables = gear_tables()
    net = build_network(tables, Settings(home="HOME"))
    assert net.output.tolist() == [10.0, 15.0, 5.0, 22.5]
    assert net.under_rule("shared").output.tolist() == [10.0, 15.0, 5.0, 30.0]


def test_a_row_for_a_node_goes_before_its_product_and_everybody() -> None:
    tables = gear_tables()
    tables["links"] = pl.DataFrame(
        {
            "supplier": ["near", "far", "far", "near"],
            "buyer": ["*", "*", "plant", "plant"],
            "share": [0.75, 0.25, 0.9, 0.1],
        }
    )
    tables["recipes"] = pl.concat(
        [
            tables["recipes"],
            pl.DataFrame({"buyer": ["near"], "input": ["ORE"], "quantity": [1.0]}),
        ]
    )
    net = build_network(tables, Settings(home="HOME"))
    assert net.output.tolist() == [10.0, 2.0, 18.0, 2.0]


def test_coefficients_of_value_links_are_value_over_output() -> None:
    nodes = pl.DataFrame({"id": [1, 2, 3], "sector": ["a", "b", "b"], "output": [10.0, 8.0, None]})
    links = pl.DataFrame({"supplier": [2, 3, 1], "buyer": [1, 1, 3], "value": [3.0, 1.0, 2.0]})
    net = network_from_links(nodes, links)
    assert net.output.tolist() == [10.0, 8.0, 2.0]
    assert net.final_demand.tolist() == [8.0, 5.0, 1.0]
    assert net.price.tolist() == [1.0, 1.0, 1.0]
    assert net.input_coefficient.tolist() == [0.4, 1.0]
    assert net.link_share.tolist() == [0.75, 0.25, 1.0]
    assert net.link_flow.tolist() == [3.0, 1.0, 2.0]
    assert {f.code for f in net.findings} >= {"N201", "N204"}


def test_parallel_links_are_added_and_keep_their_rows() -> None:
    nodes = {"id": [1, 2], "sector": ["a", "b"]}
    links = {"source": [2, 2, 2], "target": [1, 1, 9], "weight": [3.0, 1.0, 5.0]}
    with pytest.raises(DataError) as error:
        network_from_links(nodes, links)
    (fault,) = [f for f in error.value.findings if f.severity == "error"]
    assert (fault.code, fault.file, fault.row, fault.column) == ("E104", "links", 4, "target")
    good = network_from_links(nodes, {k: v[:2] for k, v in links.items()})
    assert good.link_flow.tolist() == [4.0]
    assert "N205" in {f.code for f in good.findings}


def test_all_faults_of_a_firm_network_are_told_at_once() -> None:
    nodes = pl.DataFrame({"id": ["1", "2", "2"], "sector": ["a", "b", None]})
    links = {"supplier": ["2", "2", "x"], "buyer": ["1", "1", "1"], "value": ["3", "4,5", "-1"]}
    essential = {"supplier_sector": ["b"], "buyer_sector": ["a"], "class": ["crucial"]}
    with pytest.raises(DataError) as error:
        network_from_links(nodes, links, essential)
    codes = sorted({f.code for f in error.value.findings if f.severity == "error"})
    assert codes == ["E102", "E104", "E105", "E106", "E107", "E109"]


@pytest.mark.parametrize(
    ("nodes", "links", "code"),
    [
        ({"id": [1]}, {"supplier": [1], "buyer": [1], "value": [1.0]}, "E101"),
        ({"sector": [1]}, {"supplier": [1], "buyer": [1], "value": [1.0]}, "E101"),
        ({"id": [1], "sector": ["a"]}, {"supplier": [1], "value": [1.0]}, "E101"),
        ({"id": [1], "sector": ["a"]}, {"supplier": [1], "buyer": [1]}, "E101"),
        ({"id": [], "sector": []}, {"supplier": [1], "buyer": [1], "value": [1.0]}, "E112"),
    ],
)
def test_a_missing_column_of_a_firm_network_is_told(
    nodes: dict[str, list[Any]], links: dict[str, list[Any]], code: str
) -> None:
    for essential in (None, {"supplier_sector": ["a"], "buyer_sector": ["a"], "class": [2]}):
        with pytest.raises(DataError) as error:
            network_from_links(nodes, links, essential)
        assert code in {f.code for f in error.value.findings}


@pytest.mark.parametrize("nodes", [3, "nodes.csv", None, {"id": [1, 2], "sector": [1]}, object()])
def test_what_is_no_frame_is_refused(nodes: object) -> None:
    with pytest.raises(UsageError, match="nodes is a"):
        network_from_links(nodes, {"supplier": [1], "buyer": [1], "value": [1.0]})


def test_links_that_are_no_frame_are_refused() -> None:
    with pytest.raises(UsageError, match="links is a NoneType"):
        network_from_links({"id": [1], "firm": [2], "sector": [1]}, None)


def test_frames_of_pandas_and_pyarrow_give_the_same_network() -> None:
    pd = pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    nodes = {"id": [1, 2, 3], "sector": ["a", "b", "b"], "output": [10.0, None, None]}
    links = {"supplier": [2, 3, 1], "buyer": [1, 1, 3], "value": [3.0, 1.0, 2.0]}
    made = [
        network_from_links(frame(nodes), frame(links))
        for frame in (dict, pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.table)
    ]
    assert len({net.fingerprint() for net in made}) == 1


def test_columns_of_mixed_objects_are_read_as_text() -> None:
    pd = pytest.importorskip("pandas")
    nodes = pd.DataFrame({"id": [1, "b", 3.0], "sector": ["x", 2, "x"], "note": [object(), {}, 1]})
    links = pd.DataFrame({"supplier": ["b", 3], "buyer": [1, 1], "value": [2, "4"]})
    net = network_from_links(nodes, links)
    assert net.node_labels.tolist() == ["1", "b", "3"]
    assert net.link_flow.tolist() == [4.0, 2.0] or net.link_flow.tolist() == [2.0, 4.0]
    with pytest.raises(DataError, match="column 'node'"):
        network_from_links(pd.DataFrame([[1, 2]]), links)


def test_output_that_grows_for_ever_is_told() -> None:
    tables = gear_tables()
    tables["recipes"] = pl.DataFrame(
        {"buyer": ["GEAR", "STEEL"], "input": ["STEEL", "GEAR"], "quantity": [2.0, 1.5]}
    )
    with pytest.raises(DataError) as error:
        build_network(tables, Settings(lens="economy"))
    assert [f.code for f in error.value.findings if f.severity == "error"] == ["E208"]


def test_an_economy_with_cycles_settles_at_the_leontief_solution() -> None:
    """Two industries: x = A x + f with A = [[0, .5], [.4, 0]], f = [8, 4]."""
    tables = {
        "nodes": pl.DataFrame(
            {"node": ["a", "b"], "product": ["A", "B"], "region": ["X", "X"],
             "final_demand": [8.0, 4.0]}
        ),
        "recipes": pl.DataFrame(
            {"buyer": ["B", "A"], "input": ["A", "B"], "quantity": [0.5, 0.4]}
        ),
    }  # fmt: skip
    net = build_network(tables, Settings(lens="economy"))
    wanted = np.linalg.solve(np.array([[1, -0.5], [-0.4, 1]]), [8.0, 4.0])
    np.testing.assert_allclose(net.output, wanted, rtol=1e-12)


def test_shares_that_miss_one_by_rounding_are_rescaled_with_a_warning() -> None:
    tables = gear_tables()
    tables["links"] = tables["links"].with_columns(share=pl.Series([0.6667, 0.3334]))
    net = build_network(tables, Settings(home="HOME"))
    np.testing.assert_allclose(net.link_share[:2], [0.6667 / 1.0001, 0.3334 / 1.0001], rtol=1e-15)
    assert "W202" in {f.code for f in net.findings}


def test_tables_that_are_not_known_are_left_alone() -> None:
    net = build_network({**gear_tables(), "wishes": pl.DataFrame({"a": [1]})}, Settings())
    assert "wishes" not in net.tables


def test_no_tables_at_all_are_told() -> None:
    with pytest.raises(DataError, match="no table of nodes"):
        build_network({}, Settings())
