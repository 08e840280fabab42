"""A network is a value: its arrays cannot be changed, its questions agree with each other."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from breaking import tiny_project
from withstand.errors import DataError, UsageError
from withstand.examples import example
from withstand.model.network import ProductionNetwork
from withstand.readers import read_folder

INDICES = {
    "node_product", "node_region", "inputs_indptr", "input_buyer", "input_product", "input_class",
    "input_use", "links_indptr", "link_supplier", "link_row", "supplier_indptr", "supplier_link",
}  # fmt: skip


@pytest.fixture(scope="module", params=["tiny", "robot maker", "robot maker, shared"])
def net(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ProductionNetwork:
    if request.param == "tiny":
        return read_folder(tiny_project(tmp_path_factory.mktemp("net") / "tiny"))
    whole = example("robot_maker")
    return whole.under_rule("shared") if "shared" in request.param else whole


@pytest.fixture
def tiny(tmp_path: Path) -> ProductionNetwork:
    return read_folder(tiny_project(tmp_path / "tiny"))


def arrays(net: ProductionNetwork) -> dict[str, np.ndarray]:
    values = {f.name: getattr(net, f.name) for f in fields(net)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


# --- a value -------------------------------------------------------------------------------------


def test_arrays_are_of_one_kind_and_contiguous(net: ProductionNetwork) -> None:
    for name, array in arrays(net).items():
        kind = array.dtype.kind
        if name in INDICES:
            assert array.dtype == np.int64, name
        elif name == "is_stated":
            assert array.dtype == np.bool_
        else:
            assert kind == "U" or array.dtype == np.float64, name
        assert array.flags.c_contiguous, name
        assert array.ndim == 1


def test_arrays_and_fields_cannot_be_changed(net: ProductionNetwork) -> None:
    for array in arrays(net).values():
        with pytest.raises(ValueError, match="read-only"):
            array[:1] = array[:1]
    with pytest.raises(FrozenInstanceError):
        net.output = net.capacity  # type: ignore[misc]
    with pytest.raises(TypeError):
        net.tables["nodes"] = pl.DataFrame()  # type: ignore[index]


def test_a_change_makes_a_new_network_and_leaves_the_old_one(tiny: ProductionNetwork) -> None:
    before = tiny.fingerprint()
    nodes = tiny.tables["nodes"].with_columns(final_demand=pl.Series([50.0, 0, 0, 0]))
    half = tiny.with_changes({"nodes": nodes})
    np.testing.assert_allclose(half.output, tiny.output / 2, rtol=1e-15)
    assert half.fingerprint() != before == tiny.fingerprint()
    assert tiny.final_demand[0] == 100.0
    other = tiny.with_changes(settings=replace(tiny.settings, currency="USD"))
    assert other.settings.currency == "USD"
    assert tiny.settings.currency == "EUR"


def test_a_change_that_breaks_a_rule_is_refused(tiny: ProductionNetwork) -> None:
    links = tiny.tables["links"].with_columns(share=0.3)
    with pytest.raises(DataError) as error:
        tiny.with_changes({"links": links})
    assert {f.code for f in error.value.findings if f.severity == "error"} == {"E202"}


def test_the_other_recipe_rule_is_built_once(tiny: ProductionNetwork) -> None:
    shared = tiny.under_rule("shared")
    assert shared is tiny.under_rule("shared")
    assert tiny.under_rule("none") is tiny
    assert shared.output[3] > tiny.output[3]
    with pytest.raises(UsageError, match="none, shared"):
        tiny.under_rule("half")


def test_a_network_travels_to_another_process(net: ProductionNetwork) -> None:
    again = pickle.loads(pickle.dumps(net))
    assert again.fingerprint() == net.fingerprint()
    for name, array in arrays(net).items():
        np.testing.assert_array_equal(getattr(again, name), array)


# --- what it says --------------------------------------------------------------------------------


def test_groups_of_inputs_and_links_fit_together(net: ProductionNetwork) -> None:
    assert net.inputs_indptr[0] == net.links_indptr[0] == net.supplier_indptr[0] == 0
    assert net.inputs_indptr[-1] == net.n_inputs
    assert net.links_indptr[-1] == net.supplier_indptr[-1] == net.n_links
    buyers = np.repeat(np.arange(net.n_nodes), np.diff(net.inputs_indptr))
    np.testing.assert_array_equal(buyers, net.input_buyer)
    assert (np.diff(net.input_buyer * net.n_products + net.input_product) > 0).all()
    np.testing.assert_array_equal(
        net.node_product[net.link_supplier], net.input_product[net.link_input]
    )
    supplied = np.diff(net.links_indptr) > 0
    sums = np.bincount(net.link_input, net.link_share, net.n_inputs)
    np.testing.assert_allclose(sums[supplied], 1.0, rtol=1e-12)


def test_the_transposed_index_is_that_of_scipy(net: ProductionNetwork) -> None:
    shape = (net.n_inputs, net.n_nodes)
    numbers = np.arange(1, net.n_links + 1)
    by_input = sparse.csr_array((numbers, net.link_supplier, net.links_indptr), shape)
    by_supplier = by_input.T.tocsr()
    by_supplier.sort_indices()
    np.testing.assert_array_equal(by_supplier.indptr, net.supplier_indptr)
    np.testing.assert_array_equal(by_supplier.data - 1, net.supplier_link)


def test_suppliers_and_buyers_tell_the_same_flows(net: ProductionNetwork) -> None:
    bought = {
        (node, *row)
        for node in net.node_labels.tolist()
        for row in net.suppliers_of(node).select("supplier", "input", "share", "flow").rows()
    }
    sold = {
        (buyer, node, *row)
        for node in net.node_labels.tolist()
        for buyer, *row in net.buyers_of(node).select("buyer", "product", "share", "flow").rows()
    }
    assert bought == sold
    assert len(bought) == net.n_links


def test_output_is_what_is_sold(net: ProductionNetwork) -> None:
    sold = np.bincount(net.link_supplier, net.link_flow, net.n_nodes) + net.final_demand
    np.testing.assert_allclose(sold, net.output, rtol=1e-12)


def test_suppliers_of_a_node_are_told_by_name(tiny: ProductionNetwork) -> None:
    rows = tiny.suppliers_of("plant").rows()
    assert rows == [
        ("STEEL", "mill", "HOME", 0.8, 96.0),
        ("STEEL", "far mill", "JP", 0.2, 24.0),
    ]
    assert tiny.buyers_of("mine").rows() == [("mill", "ORE", 1.0, pytest.approx(153.6))]
    assert tiny.buyers_of("plant").height == 0
    assert tiny.suppliers_of("mine").height == 0


def test_names_fall_back_on_labels(tiny: ProductionNetwork) -> None:
    assert tiny.product_names.tolist() == ["Precision gear", "Gear steel", "Iron ore"]
    products = tiny.tables["products"].with_columns(name=pl.Series(["Gear", None, None]))
    assert tiny.with_changes({"products": products}).product_names.tolist() == [
        "Gear", "STEEL", "ORE",
    ]  # fmt: skip
    assert tiny.column("nodes", "site").null_count() == tiny.n_nodes


def test_what_a_notebook_shows_is_escaped(tiny: ProductionNetwork) -> None:
    hostile = tiny.with_changes(
        settings=replace(tiny.settings, name="<script>alert(1)</script>", currency="<b>&</b>")
    )
    shown = hostile._repr_html_()
    assert "<script" not in shown
    assert "<b>&</b>" not in shown
    assert "&lt;script&gt;" in shown
    assert hostile.fingerprint() in shown
    assert repr(tiny) == (
        "<ProductionNetwork 'Gears': plant, 4 nodes, 3 products, 3 links, 2 regions, per week>"
    )
