"""A linear or mixed-integer programme that stays in HiGHS: solve, change it, solve again."""

from __future__ import annotations

from collections.abc import Sequence
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
PRIMAL = 4
"""Simplex strategy of HiGHS for programmes that the usual one cannot decide."""
USUAL: dict[str, int | str] = {"simplex_strategy": 1, "solver": "choose", "run_crossover": "on"}


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
        Change of the objective per unit of a variable's bound, and of a row's bound. Zero for a
        programme with integers.
    bound : float
        No solution is better than this: the objective itself for a solved linear programme, the
        proven bound for one with integers; -inf (inf when maximising) where nothing is known.
    """

    status: str
    objective: float
    columns: Array
    rows: Array
    reduced_costs: Array
    duals: Array
    bound: float = np.nan


class Programme:
    """max or min c'x with row_lower <= A x <= row_upper and lower <= x <= upper.

    Parameters
    ----------
    cost, lower, upper : ndarray of float64, shape (n_columns,)
    matrix : scipy sparse array, shape (n_rows, n_columns)
    row_lower, row_upper : ndarray of float64, shape (n_rows,)
    maximise : bool
    integer : ndarray of bool, shape (n_columns,), optional
        Variables that must be whole numbers.
    gap : float
        Relative gap at which a programme with integers counts as solved.
    names : tuple of sequence of str, optional
        Names of the columns and of the rows, for `write`.
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
        integer: Array | None = None,
        gap: float = 0.0,
        names: tuple[Sequence[str], Sequence[str]] | None = None,
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
        self._is_mixed = False
        if names is not None:
            lp.col_names_, lp.row_names_ = list(names[0]), list(names[1])
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)  # the same pivots, so the same answer
        self._highs.setOptionValue("random_seed", 0)
        self._tolerance = tolerance
        self._highs.setOptionValue("primal_feasibility_tolerance", tolerance)
        self._highs.setOptionValue("dual_feasibility_tolerance", tolerance)
        self._highs.setOptionValue("time_limit", time_limit)
        self._highs.setOptionValue("mip_rel_gap", gap)
        if self._highs.passModel(lp) == highspy.HighsStatus.kError:
            raise SolverError("HiGHS refused the programme: sizes or values are not possible.")
        if integer is not None and np.any(integer):
            self.restrict(np.flatnonzero(integer))  # a list for all columns would take seconds

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

    def set_gap(self, gap: float) -> None:
        """Change the relative gap at which a programme with integers counts as solved."""
        self._highs.setOptionValue("mip_rel_gap", gap)

    def set_time_limit(self, seconds: float) -> None:
        """Let the next solves take so long in all, seconds of wall time."""
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + max(seconds, 0.0))

    def set_columns(self, columns: Array, lower: Array, upper: Array) -> None:
        """Change both bounds of some variables."""
        at = np.asarray(columns, dtype=np.int32)
        low, high = np.asarray(lower, np.float64), np.asarray(upper, np.float64)
        self._highs.changeColsBounds(len(at), at, low, high)

    def relax(self, columns: Array) -> None:
        """Let variables that had to be whole take any value."""
        at = np.asarray(columns, dtype=np.int32)
        kinds = np.zeros(len(at), dtype=np.uint8)  # 0 is continuous
        self._highs.changeColsIntegrality(len(at), at, kinds)  # type: ignore[attr-defined,arg-type]
        self._is_mixed = False

    def restrict(self, columns: Array) -> None:
        """Let variables be whole numbers."""
        at = np.asarray(columns, dtype=np.int32)
        kinds = np.ones(len(at), dtype=np.uint8)  # 1 is integer
        self._highs.changeColsIntegrality(len(at), at, kinds)  # type: ignore[attr-defined,arg-type]
        self._is_mixed = len(at) > 0

    def add_rows(self, matrix: sparse.sparray, lower: Array, upper: Array) -> None:
        """Add rows below the others; the basis stays."""
        rows = sparse.csr_array(matrix)
        if np.isnan(rows.data).any() or np.isnan(lower).any() or np.isnan(upper).any():
            raise SolverError("A coefficient or bound of the new rows is not a number.")
        self._highs.addRows(
            rows.shape[0],
            np.asarray(lower, np.float64),
            np.asarray(upper, np.float64),
            rows.nnz,
            rows.indptr[:-1].astype(np.int32),
            rows.indices.astype(np.int32),
            rows.data,
        )

    def start_from(self, columns: Array) -> None:
        """Give a programme with integers a solution to start from."""
        start = highspy.HighsSolution()
        start.col_value = np.asarray(columns, np.float64)
        self._highs.setSolution(start)

    def write(self, path: str) -> None:
        """Write the programme to an MPS or LP file, as its ending says.

        Raises
        ------
        SolverError
            If the file cannot be written.
        """
        if self._highs.writeModel(path) == highspy.HighsStatus.kError:
            raise SolverError(f"HiGHS could not write {path}: use the ending .mps or .lp.")

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
        if found in _UNDECIDED:
            found = self._solve_again()
        status = _STATUS.get(found)
        if status is None:
            raise SolverError(f"HiGHS stopped: {self._highs.modelStatusToString(found)}")
        solution = self._highs.getSolution()
        info = self._highs.getInfo()
        objective = float(info.objective_function_value)
        return Solution(
            status=status,
            objective=objective,
            columns=np.array(solution.col_value),
            rows=np.array(solution.row_value),
            reduced_costs=np.array(solution.col_dual),
            duals=np.array(solution.row_dual),
            bound=float(info.mip_dual_bound) if self._is_mixed else objective,
        )

    def _solve_again(self) -> highspy.HighsModelStatus:
        """Solve without the last basis, by other methods."""
        found = highspy.HighsModelStatus.kUnknown
        tries: tuple[dict[str, int | str], ...] = (
            {"simplex_strategy": PRIMAL},
            {"solver": "ipm"},
            {"solver": "ipm", "run_crossover": "off"},  # decides where no basis is to be had
        )
        for more in tries:
            self._highs.clearSolver()
            for option, value in more.items():
                self._highs.setOptionValue(option, value)
            self._highs.run()
            for option in more:
                self._highs.setOptionValue(option, USUAL[option])
            found = self._highs.getModelStatus()
            if found not in _UNDECIDED:
                break
        return found


_UNDECIDED = (highspy.HighsModelStatus.kUnknown, highspy.HighsModelStatus.kNotset)
_STATUS = {
    highspy.HighsModelStatus.kOptimal: OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: LIMIT,
    highspy.HighsModelStatus.kIterationLimit: LIMIT,
}
