"""Closed classes of sellers, and losses that do not settle: found, named, and never a surprise."""

import numpy as np
import polars as pl
import pytest

from withstand.readers.firms import network_from_links
from withstand.stress.cascade_arrays import prepare
from withstand.stress.cascades import cascade
from withstand.stress.closed_classes import closed_classes
from withstand.stress.systemic_risk import esri


def firms(links, classes=None):
    """Build firms from "a>b 2.0" links, each firm a sector of its own unless told otherwise."""
    rows = [(*link.split()[0].split(">"), float(link.split()[1])) for link in links.split("; ")]
    names = sorted({name for supplier, buyer, _ in rows for name in (supplier, buyer)})
    return network_from_links(
        pl.DataFrame({"id": names, "sector": names}),
        pl.DataFrame(rows, schema=["supplier", "buyer", "value"], orient="row"),
        classes,
    )


def spectral_radius(network):
    prepared = prepare(network)
    n = network.n_nodes
    U = np.zeros((n, n))
    buyer = np.repeat(np.arange(n), np.diff(prepared.arrays.up_indptr))
    np.add.at(U, (prepared.arrays.up_supplier, buyer), prepared.arrays.up_share)
    return max(abs(np.linalg.eigvals(U)))


def test_two_firms_that_sell_only_to_each_other_are_a_closed_class():
    network = firms("a>b 1; b>a 2; c>a 1")
    assert closed_classes(prepare(network)).tolist() == [0, 0, -1]
    (finding,) = esri(network).findings
    assert (finding.code, finding.count) == ("W303", 1)
    assert "2 of 3 nodes sell only to each other: a, b" in finding.what
    assert [f.code for f in cascade(network, {"c": 1.0}).findings] == ["W303"]


def test_one_sale_to_somebody_else_opens_the_class():
    network = firms("a>b 1; b>a 2; b>d 0.01")
    assert (closed_classes(prepare(network)) == -1).all()
    assert esri(network).findings == ()


def test_sales_to_final_buyers_open_the_class():
    network = firms("a>b 1; b>a 2")
    assert len(esri(network).findings) == 1
    assert esri(network, revenue={"a": 1.5, "b": 2.0}).findings == ()


def test_classes_are_numbered_by_size():
    network = firms("a>b 1; b>a 1; c>d 1; d>e 1; e>c 1; f>f 1; g>a 1; g>c 1")
    assert closed_classes(prepare(network)).tolist() == [1, 1, 0, 0, 0, 2, -1]
    (finding,) = esri(network).findings
    assert finding.count == 3
    assert "2 smaller or equal classes" in finding.what


@pytest.mark.parametrize("seed", range(40))
def test_a_class_is_closed_exactly_where_the_spectral_radius_is_one(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    pairs = {(int(a), int(b)) for a, b in rng.integers(0, n, (int(rng.integers(1, 2 * n)), 2))}
    network = firms("; ".join(f"n{a}>n{b} {rng.uniform(0.1, 3):.3f}" for a, b in sorted(pairs)))
    has_class = bool((closed_classes(prepare(network)) >= 0).any())
    # eigenvalues of defective matrices are found to some root of the rounding only
    assert has_class == (spectral_radius(network) > 1 - 1e-3)


@pytest.mark.parametrize("seed", range(10))
def test_without_a_closed_class_the_upstream_part_has_its_closed_form(seed):
    rng = np.random.default_rng(seed)
    n = 7
    pairs = [(a, b) for a in range(n) for b in range(a) if rng.random() < 0.5] + [(0, 6), (1, 0)]
    sales = [f"n{a}>n{b} {rng.uniform(0.1, 3):.3f}" for a, b in pairs] + ["n1>out 0.5"]
    network = firms("; ".join(sales))
    prepared = prepare(network)
    assert (closed_classes(prepared) == -1).all()
    n = network.n_nodes
    U = np.zeros((n, n))
    buyer = np.repeat(np.arange(n), np.diff(prepared.arrays.up_indptr))
    U[prepared.arrays.up_supplier, buyer] = prepared.arrays.up_share
    N, w = np.linalg.inv(np.eye(n) - U), prepared.weight / prepared.weight.sum()
    np.testing.assert_allclose(esri(network, eps=1e-13).up, (w @ N) / np.diag(N), atol=1e-9)


def test_in_a_closed_class_everything_is_lost_in_the_end():
    # b and c sell to a a tenth, and the rest to each other: 0.1, 0.19, 0.271, ... towards 1
    pairs = [(one, other, 0) for one in "abc" for other in "abc"]  # nothing downstream
    minor = pl.DataFrame(pairs, schema=["supplier_sector", "buyer_sector", "class"], orient="row")
    network = firms("a>b 1; b>a 1; b>c 9; c>a 1; c>b 9", minor)
    assert esri(network, nodes=["a"], eps=1e-9).up[0] == pytest.approx(1.0, abs=1e-6)
    stopped = esri(network, nodes=["a"], eps=0.085)  # 0.1, 0.09, then 0.081: three rounds
    assert stopped.iterations[0] == 3
    assert stopped.up[0] == pytest.approx((1 + 20 * 0.271) / 21)


def oscillating():
    """Return three firms in two sectors, in a unit in which an empty market counts as 1."""
    sector = {"a": "metal", "b": "power", "c": "metal"}
    links = [("a", "b", 0.5), ("b", "a", 0.6), ("b", "b", 1.8), ("c", "a", 0.7), ("c", "c", 0.8)]
    rows = [(supplier, buyer, value / 1000) for supplier, buyer, value in links]
    classes = [("metal", "metal", 2), ("metal", "power", 1), ("power", "metal", 1),
               ("power", "power", 1)]  # fmt: skip
    return network_from_links(
        pl.DataFrame({"id": list(sector), "sector": list(sector.values())}),
        pl.DataFrame(rows, schema=["supplier", "buyer", "value"], orient="row"),
        pl.DataFrame(classes, schema=["supplier_sector", "buyer_sector", "class"], orient="row"),
    )


def test_losses_that_go_round_for_ever_in_parity_mode_are_a_finding():
    network = oscillating()
    risk = esri(network, mode="parity")
    lost = risk.iterations < 0
    assert lost.any()
    assert np.isnan(risk.esri[lost]).all()
    finding = {f.code: f for f in risk.findings}["W304"]
    assert finding.count == lost.sum()
    assert str(risk.labels[np.flatnonzero(lost)[0]]) in finding.what
    assert "W304" not in {f.code for f in esri(network).findings}


def test_a_cascade_from_nothing_is_a_suspicious_zero():
    network = firms("a>b 1; b>c 1")
    assert [f.code for f in cascade(network, {}).findings] == ["W301"]
    assert cascade(network, {"a": 0.5}).findings == ()
