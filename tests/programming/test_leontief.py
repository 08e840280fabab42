"""The system of an economy: one factor, many right-hand sides, and tables that have none."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import naive_economy as naive
from tiny_economies import economy, from_twin
from tiny_networks import link, need, network, node
from withstand.errors import SolverError, UsageError
from withstand.programming import leontief, memory, removals
from withstand.programming.krylov import krylov_solve
from withstand.programming.leontief import LeontiefSystem, leontief_of
from withstand.programming.removals import Block, by_rounds, solve_without, woodbury

MILLER_BLAIR = np.array([[150.0, 500.0], [200.0, 100.0]])  # (2009), table 2.3
OUTPUT = np.array([1000.0, 2000.0])
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed, **more):
    return naive.random_economy(np.random.default_rng(seed), **more)


def system_of(e, form):
    flows = sparse.csr_array(e.Z) if form == "sparse" else e.Z
    return LeontiefSystem(flows, e.x, labels=np.array(e.labels))


# --- by hand and by twin -----------------------------------------------------------------------


def test_the_inverse_is_that_of_the_textbook():
    # Miller and Blair (2009), section 2.3: L = [1.254 .330; .264 1.122].
    found = LeontiefSystem(MILLER_BLAIR, OUTPUT).inverse()
    assert found.round(3).tolist() == [[1.254, 0.33], [0.264, 1.122]]


@pytest.mark.parametrize("form", ["dense", "sparse"])
@settings(max_examples=15)
@given(seed=SEEDS, empty=st.integers(0, 2))
def test_every_way_to_solve_equals_the_dense_inverse(form, seed, empty):
    e = drawn(seed, empty=empty)
    L = naive.leontief(e)
    rhs = np.random.default_rng(seed).normal(size=(e.n, 4))
    fresh, kept = system_of(e, form), system_of(e, form)
    assert kept.solve(rhs) == pytest.approx(L @ rhs, abs=1e-11)
    assert kept.solve(rhs[:, 0]) == pytest.approx(L @ rhs[:, 0], abs=1e-11)
    assert kept.solve_transposed(rhs) == pytest.approx(L.T @ rhs, abs=1e-11)
    assert kept.inverse() == pytest.approx(L, abs=1e-11)
    assert kept.coefficients() @ rhs == pytest.approx(naive.coefficients(e) @ rhs)
    for transposed in (False, True):
        expected = (L.T if transposed else L) @ rhs[:, 0]
        assert fresh.solve_once(rhs[:, 0], transposed) == pytest.approx(expected, abs=1e-9)
        assert kept.solve_once(rhs[:, 0], transposed) == pytest.approx(expected, abs=1e-11)
    assert kept.is_factored
    assert not fresh.is_factored
    assert fresh.multipliers == pytest.approx(L.sum(axis=0), abs=1e-9)
    assert kept.value_shares @ L == pytest.approx(np.ones(e.n), abs=1e-11)


@settings(max_examples=10)
@given(seed=SEEDS)
def test_rows_scaled_by_a_factor_equal_the_scaled_table(seed):
    e = drawn(seed)
    factor = np.random.default_rng(seed).uniform(0.5, 1.05, e.n)
    scaled = np.linalg.inv(np.eye(e.n) - factor[:, None] * naive.coefficients(e))
    rhs = np.arange(1.0, e.n + 1)
    system = LeontiefSystem(e.Z, e.x, row_factor=factor)
    assert system.solve_once(rhs) == pytest.approx(scaled @ rhs, rel=1e-9)
    assert system.solve_once(rhs, True) == pytest.approx(scaled.T @ rhs, rel=1e-9)
    assert system.solve(rhs) == pytest.approx(scaled @ rhs, rel=1e-11)
    assert system.inverse() == pytest.approx(scaled, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("transposed", [False, True])
def test_groups_change_the_way_and_not_the_answer(monkeypatch, transposed):
    e = drawn(3, n_regions=6, n_sectors=5)
    groups = np.repeat(np.arange(6), 5)
    rhs = np.arange(1.0, e.n + 1)
    plain = LeontiefSystem(e.Z, e.x)
    monkeypatch.setattr(leontief, "SMALLEST_BLOCKED", 10)
    blocked = LeontiefSystem(e.Z, e.x, groups=groups)
    assert len(blocked._blocks) == 6
    expected = plain.solve_once(rhs, transposed)
    assert blocked.solve_once(rhs, transposed) == pytest.approx(expected, rel=1e-9)


def test_cells_without_output_buy_nothing_and_keep_their_own_value():
    system = LeontiefSystem(np.array([[2.0, 3.0], [0.0, 0.0]]), np.array([10.0, 0.0]))
    assert system.solve(np.array([8.0, 1.0])).tolist() == pytest.approx([10.0, 1.0])
    assert system.value_shares.tolist() == pytest.approx([0.8, 1.0])
    assert system.without_output.tolist() == [1]


def test_a_large_network_of_links_is_solved_without_a_factor(monkeypatch):
    e = drawn(5)
    monkeypatch.setattr(leontief, "LARGEST_SPARSE_FACTOR", 3)
    system = system_of(e, "sparse")
    rhs = np.eye(e.n)[:, :2]
    assert system.memory_needed == 0
    assert system.solve(rhs) == pytest.approx(naive.leontief(e)[:, :2], abs=1e-9)
    assert not system.is_factored


# --- tables without an inverse that makes sense ------------------------------------------------


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("way", ["solve", "solve_once", "inverse"])
@pytest.mark.parametrize("spent", [1.0, 1.0 - 1e-14, 1.2, 3.0])
def test_a_circle_that_spends_all_it_makes_is_refused_by_name(form, way, spent):
    # a and b buy from each other all they make, or more; c is sound.
    flows = np.array([[0.0, 10 * spent, 0.0], [10 * spent, 0.0, 0.0], [0.0, 0.0, 2.0]])
    flows = sparse.csr_array(flows) if form == "sparse" else flows
    system = LeontiefSystem(flows, np.full(3, 10.0), labels=np.array(["a", "b", "c"]))
    ask = system.inverse if way == "inverse" else lambda: getattr(system, way)(np.ones(3))
    with pytest.raises(UsageError, match=r"cost as much as the output.*: a \(.*\), b \("):
        ask()
    assert not system.is_factored


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_a_cell_that_spends_more_than_it_makes_is_no_obstacle_by_itself(form):
    # b buys 12 for an output of 10, but nobody's circle closes: value added is negative, L exists.
    flows = np.array([[0.0, 12.0], [0.0, 0.0]])
    flows = sparse.csr_array(flows) if form == "sparse" else flows
    system = LeontiefSystem(flows, np.array([20.0, 10.0]))
    assert system.solve_once(np.array([0.0, 10.0])).tolist() == pytest.approx([12.0, 10.0])
    assert system.solve(np.array([0.0, 10.0])).tolist() == pytest.approx([12.0, 10.0])
    assert system.value_shares.tolist() == pytest.approx([1.0, -0.2])


@pytest.mark.parametrize(
    ("flows", "output", "message"),
    [
        ([[1.0, 2.0]], [1.0, 1.0], "flows are 1 x 2 and there are 2 outputs"),
        (np.zeros((0, 0)), [], "table is empty"),
        ([[np.nan, 0.0], [0.0, 0.0]], [1.0, 1.0], "0 have purchases that are no finite"),
        ([[0.0, 0.0], [0.0, np.inf]], [1.0, 1.0], "1 have purchases that are no finite"),
        ([[0.0, -1.0], [0.0, 0.0]], [1.0, 1.0], "flow between cells is negative"),
        ([[0.0, 0.0], [0.0, 0.0]], [1.0, -1.0], "1 have an output that is negative"),
        ([[0.0, 0.0], [0.0, 0.0]], [np.nan, 1.0], "0 have an output that is negative"),
    ],
)
def test_numbers_that_cannot_be_are_refused_by_name(flows, output, message):
    with pytest.raises(UsageError, match=message):
        LeontiefSystem(np.array(flows), np.array(output))


@pytest.mark.parametrize(
    ("rhs", "message"),
    [(np.ones(3), r"shape \(3,\); it needs 2 rows"), (np.array([1.0, np.nan]), "no finite number")],
)
def test_a_right_hand_side_that_does_not_fit_is_refused(rhs, message):
    system = LeontiefSystem(MILLER_BLAIR, OUTPUT)
    for ask in (system.solve, system.solve_transposed, system.solve_once):
        with pytest.raises(UsageError, match=message):
            ask(rhs)


def test_no_columns_give_no_columns():
    assert LeontiefSystem(MILLER_BLAIR, OUTPUT).solve(np.zeros((2, 0))).shape == (2, 0)


# --- memory ------------------------------------------------------------------------------------


def test_what_would_not_fit_is_refused_before_it_is_taken(monkeypatch):
    system = LeontiefSystem(MILLER_BLAIR, OUTPUT)
    assert system.memory_needed == 8 * 4
    monkeypatch.setattr(memory, "free_memory", lambda: 30)
    for ask in (lambda: system.solve(OUTPUT), system.inverse, system.coefficients):
        with pytest.raises(UsageError, match=r"(GB|MB) are free\. Aggregate regions or sectors"):
            ask()
    assert not system.is_factored
    assert system.solve_once(np.array([600.0, 1500.0])).round(2).tolist() == [1247.52, 1841.58]


def test_the_free_memory_is_known():
    assert 2**20 < memory.free_memory() < 2**60


def test_the_table_is_not_copied_and_the_factor_takes_one_matrix(monkeypatch):
    e = drawn(1)
    system = system_of(e, "dense")
    assert np.shares_memory(system.flows, e.Z)
    before = e.Z.copy()
    system.solve(e.x)
    assert (before == e.Z).all()
    assert system.memory_needed == 0


# --- one system for each network ---------------------------------------------------------------


def test_a_network_has_one_system_as_long_as_it_lives():
    net = economy([[0.0, 4.0], [0.0, 0.0]], [0.0, 10.0], regions="RR", sectors="ab")
    other = economy([[0.0, 4.0], [0.0, 0.0]], [0.0, 10.0], regions="RR", sectors="ab")
    assert leontief_of(net) is leontief_of(net)
    assert leontief_of(net) is not leontief_of(other)
    gone = weakref.ref(leontief_of(net))
    del net
    gc.collect()
    assert gone() is None


def test_a_network_of_links_has_the_values_of_its_flows():
    # A gear of 100 takes 2 kg of steel at 20, steel half a unit of ore at 8 a kg.
    net = network(
        [node("PLANT", "GEAR", final_demand=10.0, price=100.0), node("MILL", "STEEL", price=20.0),
         node("MINE", "ORE", price=8.0)],
        [need("GEAR", "STEEL", 2.0), need("STEEL", "ORE", 0.5)],
        [link("MILL"), link("MINE")],
    )  # fmt: skip
    system = leontief_of(net)
    assert system.is_sparse
    assert system.output.tolist() == pytest.approx([1000.0, 400.0, 80.0])
    assert system.value_shares.tolist() == pytest.approx([0.6, 0.8, 1.0])
    assert system.solve(np.array([1000.0, 0, 0])).tolist() == pytest.approx([1000.0, 400.0, 80.0])


def test_a_network_without_prices_is_refused():
    net = network([node("F", "F", final_demand=1.0), node("A", "A")], [need("F", "A")], [link("A")])
    with pytest.raises(UsageError, match="has a price"):
        leontief_of(net)


def test_an_economy_hands_over_its_own_matrix():
    net = from_twin(drawn(2))
    assert leontief_of(net).flows is net.flow_table.flows


# --- by rounds ---------------------------------------------------------------------------------


def test_rounds_that_do_not_settle_are_an_error():
    singular = np.array([[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(SolverError, match="did not settle"):
        krylov_solve(lambda v: singular @ v, np.array([1.0, 0.0]))


def test_nothing_asked_gives_nothing():
    assert krylov_solve(lambda v: v, np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("transposed", [False, True])
def test_close_to_singular_rounds_and_factor_still_agree(transposed):
    # a and b spend all but a millionth on each other: multipliers of some 500,000.
    flows = np.array([[0.0, 10 - 1e-5], [10 - 1e-5, 0.0]])
    fresh, kept = (LeontiefSystem(flows, np.full(2, 10.0)) for _ in range(2))
    rhs = np.array([1.0, 0.0])
    expected = kept._solve(rhs, transposed)
    assert expected[0] == pytest.approx(1 / (1 - (1 - 1e-6) ** 2), rel=1e-9)
    # Condition 2e6 times the rounding of products.
    assert fresh.solve_once(rhs, transposed) == pytest.approx(expected, rel=1e-7)


def test_where_rounds_do_not_settle_the_factor_answers(monkeypatch):
    e = drawn(4)
    system = system_of(e, "dense")

    def gives_up(*_):
        raise SolverError("did not settle")

    monkeypatch.setattr(leontief, "krylov_solve", gives_up)
    monkeypatch.setattr(removals, "krylov_solve", gives_up)
    assert system.solve_once(e.x) == pytest.approx(naive.leontief(e) @ e.x)
    fresh = system_of(e, "dense")
    block = Block(rows=np.array([0]), columns=np.array([1]))
    expected = removals.woodbury(system, [block], e.x)
    assert solve_without(fresh, [block], e.x) == pytest.approx(expected)
    monkeypatch.setattr(leontief, "LARGEST_SPARSE_FACTOR", 3)
    large = system_of(e, "sparse")
    for ask in (lambda: large.solve_once(e.x), lambda: solve_without(large, [block], e.x)):
        with pytest.raises(SolverError, match="did not settle"):
            ask()


# --- a part taken out --------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dense", "sparse"])
@settings(max_examples=20)
@given(seed=SEEDS, empty=st.integers(0, 2), transposed=st.booleans())
def test_woodbury_rounds_and_a_full_solve_agree(form, seed, empty, transposed):
    rng = np.random.default_rng(seed)
    e = drawn(seed, empty=empty)
    system = system_of(e, form)
    cells = rng.permutation(e.n)
    k, m = rng.integers(1, e.n, 2)
    blocks = [
        Block(rows=cells[:k], columns=np.arange(e.n)),
        Block(rows=cells[k:], columns=rng.permutation(e.n)[:m]),
    ]
    A = naive.coefficients(e)
    for block in blocks:
        A[np.ix_(block.rows, block.columns)] = 0.0
    rhs = rng.normal(size=e.n)
    matrix = np.eye(e.n) - A
    expected = np.linalg.solve(matrix.T if transposed else matrix, rhs)
    assert by_rounds(system, blocks, rhs, transposed) == pytest.approx(expected, abs=1e-9)
    assert not system.is_factored
    assert woodbury(system, blocks, rhs, transposed) == pytest.approx(expected, abs=1e-10)
    assert solve_without(system, blocks, rhs, transposed) == pytest.approx(expected, abs=1e-10)


def test_taking_nothing_out_changes_nothing():
    system = LeontiefSystem(MILLER_BLAIR, OUTPUT)
    expected = system.solve_once(OUTPUT)
    assert by_rounds(system, [], OUTPUT) == pytest.approx(expected)
    assert woodbury(system, [], OUTPUT) == pytest.approx(expected)
