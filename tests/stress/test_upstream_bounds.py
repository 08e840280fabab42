"""Bounds upstream from one vector for all failures, against the closed form."""

import numpy as np
import polars as pl
import pytest

from withstand.readers.firms import network_from_links
from withstand.stress.bounds import slowest_mode
from withstand.stress.cascade_arrays import prepare
from withstand.stress.systemic_risk import esri


def firms(seed, leak, n=30):
    """Firms that sell mostly to each other; a share of about `leak` goes to firms without sales."""
    rng = np.random.default_rng(seed)
    W = np.where(rng.random((n, n)) < 0.2, rng.lognormal(0, 1, (n, n)), 0.0)
    W[-3:] = 0.0
    W[:-3, -3:] *= leak
    W[np.arange(n - 3), (np.arange(n - 3) + 1) % (n - 3)] += 1.0
    W[0, -1] += leak
    supplier, buyer = np.nonzero(W)
    network = network_from_links(
        pl.DataFrame({"id": np.arange(n), "sector": np.zeros(n, int)}),
        pl.DataFrame({"supplier": supplier, "buyer": buyer, "value": W[supplier, buyer]}),
        pl.DataFrame({"supplier_sector": [0], "buyer_sector": [0], "class": [0]}),  # upstream only
    )
    return network, W / np.where(W.sum(axis=1) > 0, W.sum(axis=1), 1.0)[:, None]


@pytest.mark.parametrize("leak", [1.0, 1e-2, 1e-3])
@pytest.mark.parametrize("seed", range(8))
def test_upstream_bounds_hold_the_closed_form_and_where_the_stop_rule_ends(seed, leak):
    network, U = firms(seed, leak)
    N = np.linalg.inv(np.eye(len(U)) - U)
    w = prepare(network).weight
    true = (w @ N) / np.diag(N) / w.sum()
    risk = esri(network, bounds=True)
    assert risk.certified == 1.0
    assert (risk.low <= true + 1e-13).all()
    assert (true <= risk.high + 1e-13).all()
    assert (risk.low <= esri(network, eps=1e-7).esri + 1e-13).all()
    # no wider than what a stop at 1e-7 leaves open, with its thousandth above and below
    assert (risk.high - risk.low <= 1.01e-7 * (w @ N.sum(axis=1)) / w.sum() + 1e-12).all()


@pytest.mark.parametrize("leak", [1.0, 1e-2])
def test_one_vector_bounds_what_any_error_upstream_can_come_to(leak):
    network, U = firms(3, leak)
    slow, rate, kappa = slowest_mode(prepare(network).arrays)
    assert kappa > 0.5
    assert (slow[0] - U @ slow[0] >= kappa).all()
    assert rate == pytest.approx(abs(np.linalg.eigvals(U)).max(), abs=1e-6)


def test_without_a_leak_there_is_no_such_vector():
    n = 4
    ring = pl.DataFrame({"supplier": np.arange(n), "buyer": (np.arange(n) + 1) % n, "value": 1.0})
    nodes = pl.DataFrame({"id": np.arange(n), "sector": np.arange(n)})
    assert slowest_mode(prepare(network_from_links(nodes, ring)).arrays)[2] == 0.0


def test_where_nobody_buys_what_a_buyer_sells_losses_end_at_once():
    nodes = pl.DataFrame({"id": ["a", "b"], "sector": ["x", "y"]})
    one = pl.DataFrame({"supplier": ["a"], "buyer": ["b"], "value": [1.0]})
    risk = esri(network_from_links(nodes, one), bounds=True)
    np.testing.assert_allclose(risk.low, risk.high, atol=1e-6)
    assert risk.certified == 1.0
