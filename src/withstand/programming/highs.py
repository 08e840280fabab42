"""A linear programme that stays in HiGHS: solve, change bounds, solve again from where it stood."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from withstand.errors import SolverError

Array = np.ndarray
OPTIMAL = "optimal"
INFEASIBLE = "infeasible"
UNBOUNDED = "unbounded"
LIMIT = "limit"
TOLERANCE = 1e-7


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """What the solver returned.

    Parameters
    ----------
    status : {"optimal", "infeasible", "unbounded", "limit"}
    objective : float
    columns, rows : ndarray of float64
        Values of the variables and of the rows.
    reduced_costs, duals : ndarray of float64
        Change of the objective per unit of a variable's bound, and of a row's bound.
    """

    status: str
    objective: float
    columns: Array
    rows: Array
    reduced_costs: Array
    duals: Array


class Programme:
    """max or min c'x with row_lower <= A x <= row_upper and lower <= x <= upper.

    Parameters
    ----------
    cost, lower, upper : ndarray of float64, shape (n_columns,)
    matrix : scipy sparse array, shape (n_rows, n_columns)
    row_lower, row_upper : ndarray of float64, shape (n_rows,)
    maximise : bool
    tolerance : float
        Most by which a bound, a row or the sign of a reduced cost may be missed.
    time_limit : float, seconds
        Time after which a solve gives up with status "limit".

    Raises
    ------
    SolverError
        If a number is NaN, or HiGHS refuses the programme.
    """

    def __init__(
        self,
        *,
        cost: Array,
        lower: Array,
        upper: Array,
        matrix: sparse.sparray,
        row_lower: Array,
        row_upper: Array,
        maximise: bool = False,
        tolerance: float = TOLERANCE,
        time_limit: float = np.inf,
    ) -> None:
        rows = sparse.csr_array(matrix)
        if any(np.isnan(x).any() for x in (cost, lower, upper, row_lower, row_upper, rows.data)):
            raise SolverError("A cost, coefficient or bound of the programme is not a number.")
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = rows.shape[1], rows.shape[0]
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, lower, upper
        lp.row_lower_, lp.row_upper_ = row_lower, row_upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = rows.indptr
        lp.a_matrix_.index_ = rows.indices
        lp.a_matrix_.value_ = rows.data
        lp.sense_ = highspy.ObjSense.kMaximize if maximise else highspy.ObjSense.kMinimize
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)  # the same pivots, so the same answer
        self._highs.setOptionValue("random_seed", 0)
        self._highs.setOptionValue("primal_feasibility_tolerance", tolerance)
        self._highs.setOptionValue("dual_feasibility_tolerance", tolerance)
        self._highs.setOptionValue("time_limit", time_limit)
        if self._highs.passModel(lp) == highspy.HighsStatus.kError:
            raise SolverError("HiGHS refused the programme: sizes or values are not possible.")

    def set_upper(self, columns: Array, upper: Array) -> None:
        """Change the upper bounds of some variables; their lower bounds become 0."""
        at = np.asarray(columns, dtype=np.int32)
        self._highs.changeColsBounds(len(at), at, np.zeros(len(at)), np.asarray(upper, np.float64))

    def set_rows(self, rows: Array, lower: Array, upper: Array) -> None:
        """Change the bounds of some rows."""
        at = np.asarray(rows, dtype=np.int32)
        low, high = np.asarray(lower, np.float64), np.asarray(upper, np.float64)
        self._highs.changeRowsBounds(len(at), at, low, high)  # type: ignore[attr-defined]  # a stub lacks it

    def set_cost(self, columns: Array, cost: Array) -> None:
        """Change the cost of some variables."""
        at = np.asarray(columns, dtype=np.int32)
        self._highs.changeColsCost(len(at), at, np.asarray(cost, np.float64))

    def solve(self) -> Solution:
        """Solve from the last basis; values mean something only if the status is "optimal".

        Raises
        ------
        SolverError
            If HiGHS fails for a reason other than the programme itself.
        """
        self._highs.run()
        found = self._highs.getModelStatus()
        if found == highspy.HighsModelStatus.kUnboundedOrInfeasible:  # presolve cannot tell which
            self._highs.setOptionValue("presolve", "off")
            self._highs.run()
            self._highs.setOptionValue("presolve", "choose")
            found = self._highs.getModelStatus()
        status = _STATUS.get(found)
        if status is None:
            raise SolverError(f"HiGHS stopped: {self._highs.modelStatusToString(found)}")
        solution = self._highs.getSolution()
        return Solution(
            status=status,
            objective=float(self._highs.getInfo().objective_function_value),
            columns=np.array(solution.col_value),
            rows=np.array(solution.row_value),
            reduced_costs=np.array(solution.col_dual),
            duals=np.array(solution.row_dual),
        )


_STATUS = {
    highspy.HighsModelStatus.kOptimal: OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: LIMIT,
    highspy.HighsModelStatus.kIterationLimit: LIMIT,
}
