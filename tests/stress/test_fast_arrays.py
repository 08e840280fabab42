"""What the fast kernels read: both forms of the shares, cache lines, memory let go of."""

import numpy as np
import polars as pl
import pytest

from withstand.kernels.cascade_memory import N_LANES, new_lane_work
from withstand.model import encoding
from withstand.readers.firms import network_from_links
from withstand.stress import cascade_arrays, failures
from withstand.stress.cascade_arrays import frozen, prepare
from withstand.stress.fast_arrays import fast_arrays
from withstand.stress.systemic_risk import esri


@pytest.fixture(scope="module")
def network():
    rng = np.random.default_rng(3)
    n, m = 40, 5
    pairs = np.unique(rng.integers(0, n * n, 220))
    return network_from_links(
        pl.DataFrame({"id": np.arange(n), "sector": rng.integers(0, m, n)}),
        pl.DataFrame(
            {
                "supplier": pairs // n,
                "buyer": pairs % n,
                # links without a value serve slots and weigh nothing
                "value": np.where(rng.random(len(pairs)) < 0.2, 0.0, rng.random(len(pairs))),
            }
        ),
        pl.DataFrame(
            {
                "supplier_sector": np.repeat(np.arange(m), m),
                "buyer_sector": np.tile(np.arange(m), m),
                "class": rng.integers(0, 3, m * m),
            }
        ),
    )


def test_both_forms_of_the_shares_hold_every_link_once(network):
    arrays = prepare(network).arrays
    fast = fast_arrays(arrays, frozen(np.ones(network.n_nodes)))
    n, rank = network.n_nodes, fast.rank
    upstream = {}
    for buyer in range(n):
        for p in range(arrays.up_indptr[buyer], arrays.up_indptr[buyer + 1]):
            upstream[rank[arrays.up_supplier[p]], rank[buyer]] = arrays.up_share[p]
    by_row, by_column = {}, {}
    for i in range(n):
        for p in range(fast.row_indptr[i], fast.row_indptr[i + 1]):
            by_row[i, fast.row_buyer[p]] = fast.row_share[p]
        for p in range(fast.column_indptr[i], fast.column_indptr[i + 1]):
            by_column[fast.column_supplier[p], i] = fast.column_share[p]
    assert by_row == by_column == upstream


def test_what_buyers_need_is_what_suppliers_push_slot_by_slot(network):
    fast = fast_arrays(prepare(network).arrays, frozen(np.ones(network.n_nodes)))
    pushed = {}
    for i in range(network.n_nodes):
        for p in range(fast.down_indptr[i], fast.down_indptr[i + 1]):
            if fast.down_share[p] > 0:
                slot = pushed.setdefault(int(fast.down_slot[p]), {})
                slot[i] = fast.down_share[p]
    pulled = []
    for q, buyer in enumerate(fast.buyers):
        for p in range(fast.need_indptr[q], fast.need_indptr[q + 1]):
            if fast.need_share[p] < 0:
                pulled.append((int(buyer), {}))
            assert pulled[-1][0] == buyer, "a slot goes on in the next buyer"
            pulled[-1][1][int(fast.need_supplier[p])] = abs(fast.need_share[p])
    assert pulled == [(int(fast.slot_buyer[s]), pushed[s]) for s in sorted(pushed)]


def test_a_row_of_lanes_is_a_cache_line(network):
    fast = fast_arrays(prepare(network).arrays, frozen(np.ones(network.n_nodes)))
    lane = new_lane_work(fast)
    for state in (lane.down, lane.up, lane.next_up, lane.available, lane.inverse):
        assert state.shape[1] == N_LANES
        assert state.ctypes.data % 64 == 0
        assert state.flags.c_contiguous
    assert (lane.available == fast.market_size[:, None]).all()
    assert not lane.up.any()


def test_the_index_of_all_nodes_lets_go_of_what_it_prepared(network, monkeypatch):
    expected = esri(network)
    assert network in cascade_arrays._PREPARED
    monkeypatch.setattr(failures, "WORTH_PREPARING", 0)
    risk = esri(network)
    assert network not in cascade_arrays._PREPARED
    np.testing.assert_allclose(risk.esri, expected.esri, rtol=0, atol=1e-14)
    assert (risk.iterations == expected.iterations).all()
    assert risk.findings == expected.findings


def test_labels_are_encoded_alike_in_any_number_of_parts(monkeypatch):
    labels = pl.Series(["b", "a", "c"])
    wanted = pl.Series(["a", None, "c", "x", "b", "a", "a", "c"])
    whole = encoding.encode(labels, wanted)
    monkeypatch.setattr(encoding, "MOST_JOINED", 1)
    assert whole.tolist() == [1, -1, 2, -1, 0, 1, 1, 2]
    assert encoding.encode(labels, wanted).tolist() == whole.tolist()
