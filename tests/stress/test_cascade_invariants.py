"""What must hold for cascades and the index on any network, by hypothesis."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.readers.firms import network_from_links
from withstand.stress.cascade_arrays import prepare
from withstand.stress.cascades import cascade
from withstand.stress.failures import fail_each
from withstand.stress.systemic_risk import esri

ROUNDING = 1e-12
DEEP = 1e-10
"""Far beyond the published stop rule, where the end of a cascade no longer depends on it."""


@st.composite
def tables(draw):
    """Draw up to nine firms: link values, sectors, classes."""
    n, m = draw(st.integers(2, 9)), draw(st.integers(1, 4))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    links = draw(
        st.dictionaries(pair, st.floats(0.01, 100.0, allow_nan=False), min_size=1, max_size=25)
    )
    sector = draw(st.lists(st.integers(0, m - 1), min_size=n, max_size=n))
    classes = draw(st.lists(st.integers(0, 2), min_size=m * m, max_size=m * m))
    return links, sector, classes


def network_of(table, order=None, scale=1.0):
    links, sector, classes = table
    n, m = len(sector), round(len(classes) ** 0.5)
    order = np.arange(n) if order is None else order  # place of each firm in the table
    at = np.argsort(order)
    return network_from_links(
        pl.DataFrame({"id": [f"n{k}" for k in at], "sector": [f"s{sector[k]}" for k in at]}),
        pl.DataFrame({"supplier": [f"n{a}" for a, _ in links], "buyer": [f"n{b}" for _, b in links],
                      "value": [value * scale for value in links.values()]}),
        pl.DataFrame({"supplier_sector": [f"s{k}" for k in np.repeat(np.arange(m), m)],
                      "buyer_sector": [f"s{k}" for k in np.tile(np.arange(m), m)],
                      "class": classes}),
    )  # fmt: skip


def shares(n, most=1.0):
    return st.lists(st.sampled_from([0.0, 0.0, 0.2, 0.5, 1.0]), min_size=n, max_size=n).map(
        lambda psi: np.array(psi) * most
    )


def by_label(network, values):
    return dict(zip(network.node_labels.tolist(), values, strict=True))


@given(st.data(), tables(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_order_of_firms_changes_nothing(data, table, replaceability):
    n = len(table[1])
    order = np.array(data.draw(st.permutations(range(n))))
    psi = by_label(network_of(table), data.draw(shares(n)))
    results = []
    for network in (network_of(table), network_of(table, order)):
        risk = esri(network, replaceability=replaceability)
        end = cascade(network, psi, replaceability=replaceability)
        results.append(
            (by_label(network, zip(risk.esri, risk.iterations, strict=True)),
             by_label(network, end.losses), end.iterations)
        )  # fmt: skip
    for label, (value, rounds) in results[0][0].items():
        assert results[1][0][label][0] == pytest.approx(value, abs=ROUNDING)
        assert results[1][0][label][1] == rounds
        assert results[1][1][label] == pytest.approx(results[0][1][label], abs=ROUNDING)
    assert results[0][2] == results[1][2]


@given(st.data(), tables(), st.booleans(), st.sampled_from([2.0**-30, 2.0**20]))
@settings(max_examples=60, deadline=None)
def test_the_unit_of_money_changes_nothing_in_default_mode(data, table, replaceability, scale):
    # powers of two, so that no rounding stands between the two; parity mode has a unit of its own
    psi = data.draw(shares(len(table[1])))
    one, other = network_of(table), network_of(table, scale=scale)
    for network in (one, other):
        assert esri(network, nodes=[0]).findings == esri(one, nodes=[0]).findings
    risks = [esri(network, replaceability=replaceability) for network in (one, other)]
    ends = [cascade(network, psi, replaceability=replaceability) for network in (one, other)]
    assert (risks[0].iterations == risks[1].iterations).all()
    np.testing.assert_allclose(risks[0].esri, risks[1].esri, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(ends[0].losses, ends[1].losses, rtol=0, atol=ROUNDING)


@given(tables(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_without_losses_at_the_start_nothing_is_lost(table, replaceability):
    network = network_of(table)
    end = cascade(network, np.zeros(network.n_nodes), replaceability=replaceability)
    assert (end.loss, end.iterations) == (0.0, 1)
    assert (end.h_down == 1.0).all()
    assert (end.h_up == 1.0).all()


@given(st.data(), tables())
@settings(max_examples=60, deadline=None)
def test_larger_losses_at_the_start_end_no_better_without_replaceability(data, table):
    # round by round, hence at any stop rule if both are played for the same number of rounds
    network = network_of(table)
    small = data.draw(shares(network.n_nodes, 0.7))
    large = np.minimum(1.0, small + data.draw(shares(network.n_nodes, 0.3)))
    less, more = (cascade(network, psi, eps=DEEP, replaceability=False) for psi in (small, large))
    assert (more.losses >= less.losses - 1e-6).all()  # what DEEP may leave open in slow cascades
    rounds = min(less.iterations, more.iterations)
    part = [end.path["loss"].to_numpy()[:rounds] for end in (less, more)]
    assert (part[1] >= part[0] - ROUNDING).all()


@given(tables(), st.sampled_from(["off", "default", "parity"]), st.sampled_from([1e-1, 1e-2, 1e-4]))
@settings(max_examples=80, deadline=None)
def test_the_index_lies_between_its_parts_and_their_sum(table, rule, eps):
    network = network_of(table)
    risk = esri(
        network, eps=eps, replaceability=rule != "off",
        mode="parity" if rule == "parity" else "default",
    )  # fmt: skip
    settled = risk.iterations > 0
    total, down, up = risk.esri[settled], risk.down[settled], risk.up[settled]
    assert ((total >= 0) & (total <= 1 + ROUNDING)).all()
    assert (np.maximum(down, up) <= total + ROUNDING).all()
    assert (total <= down + up + ROUNDING).all()


@given(tables(), st.booleans(), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_threads_and_kernels_change_nothing(table, replaceability, jobs):
    network = network_of(table)
    prepared = prepare(network)
    weight = prepared.weight / prepared.weight.sum()
    nodes = np.tile(np.arange(network.n_nodes), 40)  # several chunks
    rule = int(replaceability)
    one = fail_each(prepared, nodes, weight, 1e-2, rule, 1, fast=False)
    many = fail_each(prepared, nodes, weight, 1e-2, rule, jobs, fast=False)
    assert np.array_equal(one.loss, many.loss)
    fast = [fail_each(prepared, nodes, weight, 1e-2, rule, k, fast=True) for k in (1, jobs)]
    assert np.array_equal(fast[0].loss, fast[1].loss)
    assert (fast[0].rounds == one.rounds).all()
    np.testing.assert_allclose(fast[0].loss, one.loss, rtol=0, atol=ROUNDING)
