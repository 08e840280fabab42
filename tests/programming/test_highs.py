"""A linear programme that stays in HiGHS."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from withstand.errors import SolverError
from withstand.programming.highs import Programme

FREE = np.inf


def programme(cost, matrix, row_lower, row_upper, lower, upper, *, maximise=False, index=np.int32):
    rows = sparse.csr_array(np.array(matrix, dtype=float).reshape(-1, len(cost)))
    rows.indptr, rows.indices = rows.indptr.astype(index), rows.indices.astype(index)
    numbers = (cost, row_lower, row_upper, lower, upper)
    cost, row_lower, row_upper, lower, upper = (np.array(x, dtype=float) for x in numbers)
    return Programme(
        cost=cost,
        lower=lower,
        upper=upper,
        matrix=rows,
        row_lower=row_lower,
        row_upper=row_upper,
        maximise=maximise,
    )


def gadgets():
    """Two gadgets at 3 and 5 a piece; 4, 12 and 18 hours on three machines: the best is 36."""
    return programme([3, 5], [[1, 0], [0, 2], [3, 2]], [-FREE] * 3, [4, 12, 18], [0, 0],
                     [FREE, FREE], maximise=True)  # fmt: skip


def test_a_textbook_programme_is_solved():
    # Hillier and Lieberman, Introduction to Operations Research, the Wyndor Glass example.
    solution = gadgets().solve()
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(36.0)
    assert solution.columns.tolist() == pytest.approx([2.0, 6.0])
    assert solution.rows.tolist() == pytest.approx([2.0, 12.0, 18.0])
    assert solution.duals.tolist() == pytest.approx([0.0, 1.5, 1.0])  # its shadow prices


def test_a_dual_is_what_one_more_unit_of_a_row_is_worth():
    more = programme([3, 5], [[1, 0], [0, 2], [3, 2]], [-FREE] * 3, [4, 13, 18], [0, 0],
                     [FREE, FREE], maximise=True)  # fmt: skip
    assert more.solve().objective - 36.0 == pytest.approx(1.5)


def test_a_reduced_cost_is_what_one_more_unit_of_a_bound_is_worth():
    # max x + y, x + 2 y <= 4, x <= 3: one more of x takes half a y.
    tight = programme([1, 1], [[1, 2]], [-FREE], [4], [0, 0], [3, FREE], maximise=True)
    assert tight.solve().reduced_costs[0] == pytest.approx(0.5)
    tight.set_upper(np.array([0]), np.array([3.5]))
    assert tight.solve().objective == pytest.approx(3.75)


def test_indices_of_either_width_are_taken():
    wide = programme([1, 1], [[1, 2]], [-FREE], [4], [0, 0], [3, FREE], maximise=True,
                     index=np.int64)  # fmt: skip
    assert wide.solve().objective == pytest.approx(3.5)


def test_a_programme_without_rows_stops_at_its_bounds():
    assert programme([1], [], [], [], [0], [3], maximise=True).solve().objective == 3.0


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (programme([1], [[1]], [2], [3], [0], [1]), "infeasible"),
        (programme([0, 0], [[0, 1], [0, 1]], [2, -FREE], [FREE, 1], [0, 0], [FREE, FREE]),
         "infeasible"),
        (programme([1], [[1]], [2], [FREE], [0], [FREE], maximise=True), "unbounded"),
        (programme([-1, 0], [[1, -1]], [0], [0], [0, 0], [FREE, FREE]), "unbounded"),
        # Presolve sees only that it is one of the two: a free column, and rows that clash.
        (programme([-1, 0, 0], [[0, 1, 1], [0, 1, 1]], [2, -FREE], [FREE, 1], [0] * 3, [FREE] * 3),
         "infeasible"),
    ],
)  # fmt: skip
def test_what_has_no_optimum_says_which_way(made, status):
    assert made.solve().status == status


def test_a_programme_can_be_feasible_again_after_a_bound_was_changed():
    one = programme([1], [[1]], [2], [3], [0], [1])
    assert one.solve().status == "infeasible"
    one.set_upper(np.array([0]), np.array([5.0]))
    assert one.solve().columns.tolist() == pytest.approx([2.0])


def test_rows_and_costs_can_be_changed_too():
    one = gadgets()
    one.solve()
    one.set_rows(np.array([1, 2]), np.array([-FREE, 0.0]), np.array([13.0, 18.0]))
    assert one.solve().objective == pytest.approx(37.5)
    one.set_cost(np.array([0]), np.array([10.0]))  # now 4 of the first and 3 of the second
    assert one.solve().objective == pytest.approx(55.0)


@pytest.mark.parametrize("place", ["cost", "matrix", "lower", "upper", "row_lower", "row_upper"])
def test_what_is_not_a_number_is_refused(place):
    numbers = {"cost": [1.0], "matrix": [[1.0]], "row_lower": [0.0], "row_upper": [1.0],
               "lower": [0.0], "upper": [1.0]}  # fmt: skip
    numbers[place] = [[np.nan]] if place == "matrix" else [np.nan]
    with pytest.raises(SolverError, match="not a number"):
        programme(**numbers)


@pytest.mark.parametrize("seed", range(10))
def test_warm_solves_after_bound_changes_equal_cold_ones(seed):
    rng = np.random.default_rng([seed, 5])
    n, m = 12, 8
    matrix = rng.uniform(0, 1, (m, n)) * (rng.random((m, n)) < 0.6)
    cost, rhs, upper = rng.uniform(1, 2, n), rng.uniform(1, 5, m), rng.uniform(0.5, 2, n)
    warm = programme(cost, matrix, [-FREE] * m, rhs, [0] * n, upper, maximise=True)
    for _ in range(5):
        at = rng.choice(n, 4, replace=False)
        upper[at] = rng.uniform(0, 3, 4)
        warm.set_upper(at, upper[at])
        found = warm.solve()
        cold = programme(cost, matrix, [-FREE] * m, rhs, [0] * n, upper, maximise=True).solve()
        other = linprog(-cost, A_ub=matrix, b_ub=rhs, bounds=[(0, u) for u in upper])
        assert found.objective == pytest.approx(cold.objective, abs=1e-7)
        assert found.objective == pytest.approx(-other.fun, abs=1e-7)
        assert (matrix @ found.columns <= rhs + 1e-7).all()
        assert (found.columns <= upper + 1e-7).all()
        # Strong duality: the duals of rows and bounds price the optimum.
        worth = found.duals @ rhs + np.maximum(found.reduced_costs, 0) @ upper
        assert worth == pytest.approx(found.objective, abs=1e-6)


def test_the_same_programme_gives_the_same_answer_bit_for_bit():
    one, other = gadgets().solve(), gadgets().solve()
    assert (one.columns == other.columns).all()
    assert (one.duals == other.duals).all()
