"""The kernel for economies: matrix products, and the period against its slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dense_cases
import naive_dense
from withstand.kernels import tiles
from withstand.kernels.dense_memory import new_work
from withstand.kernels.dynamics_memory import new_record
from withstand.model.hits import resolve
from withstand.stress.arrays import network_arrays
from withstand.stress.dense_arrays import prepare
from withstand.stress.dense_blocks import DensePlayer

seeds = st.integers(0, 10**6)
N_PERIODS = 14
KEPT = ("output", "unmet", "limited_by", "alpha", "stock", "received", "used")


@pytest.mark.parametrize("n_lanes", [8, 24, 32, 40, 96])
@pytest.mark.parametrize(("n_rows", "n_terms"), [(1, 1), (3, 7), (8, 64), (13, 5), (50, 0)])
def test_tiles_add_the_product_of_two_matrices(n_lanes, n_rows, n_terms):
    rng = np.random.default_rng(n_rows)
    a, b = rng.normal(size=(n_rows, n_terms)), rng.normal(size=(n_terms, n_lanes))
    before = rng.normal(size=(n_rows, n_lanes))
    for multiply in (tiles.multiply_add, tiles._plain_multiply_add):
        for matrix, steps in ((a, (n_terms, 1)), (np.ascontiguousarray(a.T), (1, n_rows))):
            c = before.copy()
            flat = np.concatenate([[np.nan], matrix.ravel()])  # the first element is stepped over
            flat.setflags(write=False)
            multiply(flat, 1, *steps, n_rows, n_terms, b, 0, n_lanes, c, 0, n_lanes, n_lanes)
            # 64 terms of size 1 round at 64 x 1e-16
            np.testing.assert_allclose(c, before + a @ b, rtol=0, atol=1e-13)


def test_a_lane_gives_the_same_bits_in_any_company():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=50 * 70), rng.normal(size=(70, 40))
    a.setflags(write=False)
    c = np.zeros((50, 40))
    tiles.multiply_add(a, 0, 70, 1, 50, 70, b, 0, 40, c, 0, 40, 40)
    for first in range(0, 40, 8):
        alone, own = np.zeros((50, 8)), np.ascontiguousarray(b[:, first : first + 8])
        tiles.multiply_add(a, 0, 70, 1, 50, 70, own, 0, 8, alone, 0, 8, 8)
        np.testing.assert_array_equal(alone, c[:, first : first + 8])


def play(network, scenario, rules, **variant):
    """Play with everything recorded."""
    hits = resolve(scenario, network, N_PERIODS)
    ready = prepare(network, rules, **variant)
    record = new_record(network_arrays(network), N_PERIODS, KEPT)
    DensePlayer(network, ready, hits, N_PERIODS).play(record, 0, N_PERIODS)
    return record, hits


@settings(max_examples=150)
@given(
    seed=seeds,
    targets=st.sampled_from(["rest", "wanted"]),
    overtime=st.sampled_from(["capacity", "orders"]),
)
def test_the_kernel_equals_its_twin_that_writes_every_order_down(seed, targets, overtime):
    rng = np.random.default_rng(seed)
    network = dense_cases.economy(rng).settled
    scenario, rules = dense_cases.scenario(rng, network), dense_cases.rules(rng)
    record, hits = play(network, scenario, rules, targets=targets, overtime=overtime)
    left = {kind: np.ones((N_PERIODS, network.n_nodes)) for kind in ("node", "demand")}
    for hit in hits:
        left[hit.kind][:, hit.indices] *= hit.factor[:, None]
    keys = list(zip(network.input_product.tolist(), network.input_buyer.tolist(), strict=True))
    twin = naive_dense.play(
        {
            "flows": network.flow_table.flows,
            "product": network.node_product,
            "output": network.output,
            "capacity": network.capacity,
            "final": np.maximum(network.final_demand, 0.0),
            "stock": dict(zip(keys, network.input_stock, strict=True)),
            "target": dict(zip(keys, network.input_target, strict=True)),
            "class": dict(zip(keys, network.input_class, strict=True)),
        },
        {
            name: getattr(rules, name)
            for name in ("inputs", "psi", "orders", "stock_adjustment", "rationing")
        }
        | {
            "alpha_max": rules.alpha_max,
            "alpha_periods": rules.alpha_periods,
            "targets": targets,
            "overtime": overtime,
        },
        left["node"],
        left["demand"],
    )
    size = 1.0 + network.output.max() + network.input_stock.max(initial=0.0)
    for name, rows in twin.items():
        np.testing.assert_allclose(getattr(record, name), rows, rtol=0, atol=1e-9 * size)


def test_lanes_are_filled_up_to_a_multiple_of_eight():
    network = dense_cases.economy(np.random.default_rng(0))
    economy = prepare(network, dense_cases.rules(np.random.default_rng(0))).economy
    assert [new_work(economy, k).output.shape[1] for k in (0, 1, 8, 9)] == [8, 8, 8, 16]
