"""The cascade kernels: twin, closed form, fast against general, bounds, invariants."""

import numpy as np
import polars as pl
import pytest

import naive_cascade as naive
from withstand.kernels import cascade as kernel
from withstand.kernels import cascade_lanes, lanes
from withstand.kernels import cascade_memory as memory
from withstand.readers.firms import network_from_links
from withstand.stress.cascade_arrays import frozen, prepare
from withstand.stress.cascades import cascade
from withstand.stress.failures import fail_each
from withstand.stress.fast_arrays import fast_arrays

RULES = {
    "off": kernel.REPLACE_NONE,
    "default": kernel.REPLACE_RELATIVE,
    "parity": kernel.REPLACE_PARITY,
}
OPTIONS = {
    "off": {"replaceability": False},
    "default": {},
    "parity": {"mode": "parity"},
}
# sums of up to a dozen terms over some hundred rounds round at 1e-14
AGREEMENT = 1e-12


def random_firms(seed, scale=1.0, most=12):
    """Draw dense link values, sectors and classes: thin and thick, with and without self-links."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, most)), int(rng.integers(1, 6))
    W = np.where(rng.random((n, n)) < rng.choice([0.1, 0.2, 0.5]), rng.lognormal(0, 1, (n, n)), 0)
    if seed % 3 == 0:
        np.fill_diagonal(W, 0)
    if W.sum() == 0:
        W[0, 1] = 1.0
    return W * scale, rng.integers(0, m, n), rng.choice([0, 1, 2], (m, m), p=[0.2, 0.4, 0.4])


def network_of(W, sector, classes):
    supplier, buyer = np.nonzero(W)
    m = len(classes)
    return network_from_links(
        pl.DataFrame({"id": [f"n{k}" for k in range(len(W))], "sector": [f"s{k}" for k in sector]}),
        pl.DataFrame({"supplier": [f"n{k}" for k in supplier], "buyer": [f"n{k}" for k in buyer],
                      "value": W[supplier, buyer]}),
        pl.DataFrame({"supplier_sector": [f"s{k}" for k in np.repeat(np.arange(m), m)],
                      "buyer_sector": [f"s{k}" for k in np.tile(np.arange(m), m)],
                      "class": classes.ravel()}),
    )  # fmt: skip


def all_failures(network, rule="default", eps=1e-2, *, fast=False, weight=None, jobs=1, **given):
    prepared = prepare(network, **given)
    weight = prepared.weight if weight is None else weight
    nodes = np.arange(network.n_nodes)
    return fail_each(prepared, nodes, weight / weight.sum(), eps, RULES[rule], jobs, fast=fast)


SEEDS = range(200)
FEW = range(0, 200, 20)


def _agrees_with_the_twin(seed):
    rng = np.random.default_rng(seed + 1000)
    # values below 1 in their unit matter in parity mode, where a dead market counts as 1
    W, sector, classes = random_firms(seed, scale=[1.0, 1e-3, 1e6][seed % 3])
    network, n = network_of(W, sector, classes), len(W)
    given = [
        {},
        {"revenue": W.sum(axis=1) * rng.uniform(0.5, 2.0, n)},
        {"costs": W.sum(axis=0) * rng.uniform(0.8, 3.0, n)},
    ][seed % 4 % 3]
    weight = rng.random(n) if seed % 5 == 0 else W.sum(axis=1)
    for rule in RULES:
        eps = [1e-2, 1e-3, 1e-1][seed % 3]
        expected = [
            naive.cascade(W, sector, classes, *(2 * [(np.arange(n) == f) * 1.0]), eps, rule,
                          rounds=2000, **given)
            for f in range(n)
        ]  # fmt: skip
        found = all_failures(network, rule, eps, weight=weight, **given)
        for f, (h_d, h_u, rounds) in enumerate(expected):
            if rounds < 0 or found.rounds[f] < 0:  # losses that go round for ever
                assert rule == "parity"
                assert rounds == found.rounds[f] or found.rounds[f] > 2000
                continue
            assert found.rounds[f] == rounds
            lost = [weight @ (1 - h) for h in (np.minimum(h_d, h_u), h_d, h_u)]
            np.testing.assert_allclose(found.loss[f], lost / weight.sum(), rtol=0, atol=AGREEMENT)


@pytest.mark.parametrize("seed", FEW)
def test_single_failures_agree_with_the_dense_twin(seed):
    _agrees_with_the_twin(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_single_failures_agree_with_the_dense_twin_on_many_networks(seed):
    _agrees_with_the_twin(seed)


@pytest.mark.parametrize("seed", range(40))
def test_any_losses_at_the_start_agree_with_the_dense_twin(seed):
    rng = np.random.default_rng(seed)
    W, sector, classes = random_firms(seed, scale=[1.0, 1e-3][seed % 2])
    n = len(W)
    psi = rng.random(n) * (rng.random(n) < 0.4)
    psi_up = rng.random(n) * (rng.random(n) < 0.4)
    for rule, options in OPTIONS.items():
        h_d, h_u, rounds = naive.cascade(W, sector, classes, psi, psi_up, 1e-3, rule, rounds=1000)
        if rounds > 0:
            found = cascade(network_of(W, sector, classes), psi, psi_up=psi_up, eps=1e-3, **options)
            assert found.iterations == rounds
            np.testing.assert_allclose(found.h_down, h_d, rtol=0, atol=AGREEMENT)
            np.testing.assert_allclose(found.h_up, h_u, rtol=0, atol=AGREEMENT)


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("dense_from", [0, 3])
def test_rounds_through_all_nodes_add_up_the_same(rule, dense_from):
    # from 0: every round; from 3: some rounds by lists, then all nodes, so that both must fit
    for seed in range(40):
        W, sector, classes = random_firms(seed, scale=[1.0, 1e-3][seed % 2])
        prepared = prepare(network_of(W, sector, classes))
        results = []
        for limit in (len(W) + 1, dense_from):
            loss, rounds = np.zeros((len(W), 3)), np.zeros(len(W), np.int64)
            work = memory.new_work(prepared.arrays, limit)
            kernel.single_failures(
                prepared.arrays, frozen(np.arange(len(W))), frozen(prepared.weight), 1e-3,
                RULES[rule], 500, work, loss, rounds,
            )  # fmt: skip
            assert work.counts.tolist() == [0, 0, 0, 0, limit]
            results.append((loss, rounds))
        settles = results[0][1] > 0
        assert (results[0][1] == results[1][1]).all()
        np.testing.assert_allclose(
            results[0][0][settles] / W.sum(), results[1][0][settles] / W.sum(), atol=AGREEMENT
        )


# --- what must hold whatever the network -------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_the_upstream_part_has_a_closed_form_as_the_stop_rule_goes_to_zero(seed):
    W, sector, classes = random_firms(seed + 50)
    revenue = W.sum(axis=1) * 1.25 + 0.1  # final buyers: what travels shrinks
    N = np.linalg.inv(np.eye(len(W)) - W / revenue[:, None])
    w = W.sum(axis=1) / W.sum()
    found = all_failures(network_of(W, sector, classes), eps=1e-13, revenue=revenue)
    np.testing.assert_allclose(found.loss[:, 2], (w @ N) / np.diag(N), rtol=0, atol=1e-9)


@pytest.mark.parametrize("rule", ["off", "default"])
@pytest.mark.parametrize("seed", range(30))
def test_larger_losses_at_the_start_never_lose_less_in_the_end(seed, rule):
    # Not a law in parity mode, where sigma falls when a market dies; nor at a fixed eps, where a
    # smaller loss may take more rounds: hence far beyond the published eps.
    rng = np.random.default_rng(seed)
    W, sector, classes = random_firms(seed)
    network, n = network_of(W, sector, classes), len(W)
    small = rng.random(n) * (rng.random(n) < 0.5)
    large = np.minimum(1.0, small + rng.random(n) * (rng.random(n) < 0.5))
    less, more = (cascade(network, psi, eps=1e-9, **OPTIONS[rule]) for psi in (small, large))
    assert (more.h_down <= less.h_down + 1e-5).all()  # 1e-9 a round, over many rounds
    assert (more.h_up <= less.h_up + 1e-5).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_unit_of_value_changes_nothing_outside_parity_mode(seed):
    W, sector, classes = random_firms(seed)
    for rule in ("off", "default"):
        one, other = (
            all_failures(network_of(W * scale, sector, classes), rule) for scale in (1.0, 2.0**-40)
        )
        assert (one.rounds == other.rounds).all()
        np.testing.assert_allclose(one.loss, other.loss, rtol=0, atol=1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_relabelling_nodes_changes_nothing(seed):
    W, sector, classes = random_firms(seed)
    order = np.random.default_rng(seed).permutation(len(W))
    one = all_failures(network_of(W, sector, classes))
    other = all_failures(network_of(W[np.ix_(order, order)], sector[order], classes))
    assert (one.rounds[order] == other.rounds).all()
    np.testing.assert_allclose(one.loss[order], other.loss, rtol=0, atol=1e-14)


def test_a_workspace_is_empty_after_use():
    W, sector, classes = random_firms(7)
    prepared = prepare(network_of(W, sector, classes))
    work = memory.new_work(prepared.arrays)
    kernel.single_failures(
        prepared.arrays, frozen(np.arange(len(W))), frozen(prepared.weight), 1e-2,
        kernel.REPLACE_RELATIVE, 1000, work, np.zeros((len(W), 3)), np.zeros(len(W), np.int64),
    )  # fmt: skip
    fresh = memory.new_work(prepared.arrays)
    for name in fresh._fields:
        if name not in ("down_list", "up_list", "changed", "touched"):
            assert np.array_equal(getattr(work, name), getattr(fresh, name)), name


# --- the fast kernels --------------------------------------------------------------------------


def by_fast_kernels(network, rule, eps, caps):
    """Play all failures by the two fast kernels in turn, whatever the size."""
    prepared = prepare(network)
    weight = frozen(prepared.weight / prepared.weight.sum())
    fast, n = fast_arrays(prepared.arrays, weight), network.n_nodes
    out, rounds = np.zeros((n, 3)), np.zeros(n, np.int64)
    easy, lane = memory.new_easy_work(fast), memory.new_lane_work(fast)
    for part in np.array_split(np.arange(n), 3):  # the workspaces are used again
        loss, count = np.zeros((len(part), 3)), np.zeros(len(part), np.int64)
        cascade_lanes.single_failures(
            fast, frozen(fast.rank[part]), eps, RULES[rule], 2000, frozen(np.array(caps)),
            easy, lane, loss, count,
        )  # fmt: skip
        out[part], rounds[part] = loss, count
    return out, rounds


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("caps", [(0, 0, 0), (6, 6, 40), (9999, 9999, 9999)])
def test_fast_kernels_agree_with_the_general_one(rule, caps):
    for seed in range(12):
        W, sector, classes = random_firms(seed, scale=[1.0, 1e-3, 1e6][seed % 3])
        network = network_of(W, sector, classes)
        for eps in (1e-2, 0.1, 1e-4):
            expected = all_failures(network, rule, eps)
            found, rounds = by_fast_kernels(network, rule, eps, caps)
            settles = expected.rounds > 0
            assert (rounds == expected.rounds)[settles].all()
            np.testing.assert_allclose(
                found[settles], expected.loss[settles], rtol=0, atol=AGREEMENT
            )


@pytest.mark.parametrize("rule", list(RULES))
def test_lanes_stop_where_losses_go_round_for_ever(rule):
    W, sector, classes = random_firms(0)
    found, rounds = by_fast_kernels(network_of(W, sector, classes), rule, 1e-2, (0, 0, 0))
    assert ((rounds > 0) | (rounds == -1)).all()
    assert np.isfinite(found).all()


def test_vector_sweeps_do_what_their_plain_twins_say():
    rng = np.random.default_rng(5)
    n, n_links = 9, 20
    indptr = np.sort(np.r_[0, rng.integers(0, n_links, n - 1), n_links]).astype(np.int32)
    index = rng.integers(0, n, n_links).astype(np.int32)
    share, state = rng.random(n_links), rng.random((n, lanes.N_LANES)) * 0.5
    results = []
    for sweep in (_compiled_up_rows, lanes._plain_up_rows):
        new, top = np.zeros((n, lanes.N_LANES)), np.full(lanes.N_LANES, 0.1)
        sweep(frozen(indptr), frozen(index), frozen(share), state, new, top, 2, 8)
        results.append((new, top))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=0, atol=1e-15)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=0, atol=1e-15)


def _compiled_up_rows(*args):
    import numba

    if numba.config.DISABLE_JIT:
        lanes.up_rows(*args)
        return

    @numba.njit
    def sweep(indptr, buyer, share, up, new, top, first, last):
        lanes.up_rows(indptr, buyer, share, up, new, top, first, last)

    sweep(*args)
