"""The second trap: a convex mixture of mean and tail of the loss alone sheds demand.

Ten are asked for in a mild year and in a severe one, where only four can be served. To serve costs
1 a unit, what is not served loses 1.5. Who serves in the mild year saves 5.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from withstand.programming.objective import Objective
from withstand.programming.solving import solve_two_stage
from withstand.programming.two_stage import FirstStage, Recourse, TwoStage

COST, LOSS, DEMAND, SEVERE = 1.0, 1.5, 10.0, 4.0
WEIGHT, ALPHA = 0.5, 0.5


def shed_by_the_mixture() -> np.ndarray:
    """Return what is not served under cost + (1 - w) mean loss + w CVaR of the loss.

    Columns: served, unmet of both years, eta, excess of both years.
    """
    p = np.array([0.5, 0.5])
    cost = np.concatenate([p * COST, (1 - WEIGHT) * p * LOSS, [WEIGHT], WEIGHT * p / (1 - ALPHA)])
    serve = np.hstack([np.eye(2), np.eye(2), np.zeros((2, 3))])
    excess = np.hstack([np.zeros((2, 2)), LOSS * np.eye(2), -np.ones((2, 1)), -np.eye(2)])
    bounds = [(0, DEMAND), (0, SEVERE), (0, None), (0, None), (0, None), (0, None), (0, None)]
    found = linprog(
        cost, A_ub=excess, b_ub=np.zeros(2), A_eq=serve, b_eq=[DEMAND, DEMAND], bounds=bounds
    )
    return found.x[2:4]


def two_years() -> TwoStage:
    first = FirstStage(
        cost=np.zeros(1),
        lower=np.zeros(1),
        upper=np.zeros(1),
        integer=np.zeros(1, dtype=bool),
        matrix=sparse.csr_array((0, 1)),
        row_lower=np.empty(0),
        row_upper=np.empty(0),
    )
    years = tuple(
        Recourse(
            name=name,
            probability=0.5,
            cost=np.array([COST, LOSS]),
            lower=np.zeros(2),
            upper=np.array([can, DEMAND]),
            matrix=sparse.csr_array(np.ones((1, 2))),
            row_lower=np.full(1, DEMAND),
            row_upper=np.full(1, DEMAND),
            on_rows=sparse.csr_array((1, 1)),
            on_upper=sparse.csr_array((2, 1)),
        )
        for name, can in (("mild", DEMAND), ("severe", SEVERE))
    )
    return TwoStage(first=first, scenarios=years)


@pytest.mark.parametrize("method", ["extensive", "decomposition"])
def test_a_mixture_sheds_demand_in_the_mild_year_and_the_sum_does_not(method):
    mild, _ = shed_by_the_mixture()
    # (1 - w) x 1.5 saved is less than 1 spent, until the mild year is as bad as the severe one
    assert mild == pytest.approx(DEMAND - SEVERE)
    risk = Objective(risk_weight=WEIGHT, alpha=ALPHA)
    ours = solve_two_stage(two_years(), risk, method=method, gap=1e-9)
    served_mild = DEMAND * COST
    severe = SEVERE * COST + (DEMAND - SEVERE) * LOSS
    assert ours.answers.tolist() == pytest.approx([served_mild, severe])
    assert ours.objective == pytest.approx(0.5 * (served_mild + severe) + WEIGHT * severe)
