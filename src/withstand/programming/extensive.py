"""The extensive form: first stage and all scenarios as one programme."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.programming.highs import INFEASIBLE, LIMIT, OPTIMAL, UNBOUNDED, Programme
from withstand.programming.master import Master, master_of
from withstand.programming.memory import need_memory
from withstand.programming.solution import TwoStageSolution, nothing

if TYPE_CHECKING:
    from withstand.programming.objective import Objective
    from withstand.programming.two_stage import Recourse, TwoStage

Array = np.ndarray
FEASIBILITY = 1e-9
LONGEST_NAME = 200
_BYTES_OF_ENTRY, _BYTES_OF_COLUMN = 60.0, 120.0
"""What the solver and our copies take together, as a rule."""
_UNPRINTABLE = re.compile(r"[^!-~]")


def extensive_form(
    problem: TwoStage,
    objective: Objective,
    *,
    gap: float = 0.0,
    time_limit: float = np.inf,
    is_named: bool = False,
) -> tuple[Programme, Master]:
    """Return the programme of first stage and scenarios together, on request with names."""
    n_columns = sum(len(s.cost) for s in problem.scenarios)
    n_entries = sum(s.matrix.nnz + s.on_rows.nnz + s.on_upper.nnz for s in problem.scenarios)
    need_memory(
        _BYTES_OF_ENTRY * n_entries + _BYTES_OF_COLUMN * n_columns,
        f"One programme of {len(problem.scenarios):,} scenarios ({n_columns:,} variables)",
        "Use method='decomposition', fewer scenarios or a coarser step.",
    )
    master = master_of(problem, objective, np.full(len(problem.scenarios), -np.inf))
    if objective.is_plain:  # costs stand on the answers themselves, which integers like better
        master.cost[master.theta] = 0.0
        master.lower[master.theta] = master.upper[master.theta] = 0.0
    blocks = [_Block(s, number, master, objective) for number, s in enumerate(problem.scenarios)]
    starts = master.size + np.cumsum([0, *(len(s.cost) for s in problem.scenarios)])
    for block, start in zip(blocks, starts[:-1], strict=True):
        block.move(master.size, int(start))
    parts = [master.matrix, *(b.matrix for b in blocks)]
    ends = np.cumsum([0, *(x.nnz for x in parts)])
    indptr = [x.indptr[:-1].astype(np.int64) + e for x, e in zip(parts, ends, strict=False)]
    matrix = sparse.csr_array(
        (
            np.concatenate([x.data for x in parts]),
            np.concatenate([x.indices.astype(np.int64) for x in parts]),
            np.concatenate([*indptr, ends[-1:]]),
        ),
        shape=(sum(x.shape[0] for x in parts), int(starts[-1])),
    )
    names = None
    if is_named:
        names = (
            file_names([*master.columns, *(x for b in blocks for x in b.column_names())]),
            file_names([*master.rows, *(x for b in blocks for x in b.row_names())]),
        )
    programme = Programme(
        cost=np.concatenate([master.cost, *(b.cost for b in blocks)]),
        lower=np.concatenate([master.lower, *(s.lower for s in problem.scenarios)]),
        upper=np.concatenate([master.upper, *(b.upper for b in blocks)]),
        matrix=matrix,
        row_lower=np.concatenate([master.row_lower, *(b.low for b in blocks)]),
        row_upper=np.concatenate([master.row_upper, *(b.high for b in blocks)]),
        integer=np.concatenate([master.integer, *(b.integer for b in blocks)]),
        gap=gap,
        names=names,
        tolerance=FEASIBILITY,
        time_limit=time_limit,
    )
    return programme, master


class _Block:
    """One scenario's part: theta >= cost, its rows, and upper bounds that the first stage moves."""

    def __init__(
        self, scenario: Recourse, number: int, master: Master, objective: Objective
    ) -> None:
        s, k, width = scenario, len(scenario.cost), master.size
        self._scenario = s
        self._limited = np.flatnonzero(np.diff(s.on_upper.indptr))
        n = len(self._limited)
        pick = sparse.csr_array((np.ones(n), (np.arange(n), self._limited)), shape=(n, k))
        theta = sparse.csr_array(([1.0], ([0], [master.theta[number]])), shape=(1, width))
        priced = sparse.csr_array(
            (1, k) if objective.is_plain else sparse.csr_array(-s.cost[None, :])
        )
        left = [theta, _wide(-s.on_rows, width), _wide(-s.on_upper[self._limited], width)]
        both = [sparse.vstack(left), sparse.vstack([priced, s.matrix, pick])]
        self.matrix = sparse.csr_array(sparse.hstack(both, format="csr"))
        weight = objective.mean_weight * s.probability if objective.is_plain else 0.0
        self.cost = weight * s.cost
        self.upper = s.upper.copy()
        self.upper[self._limited] = np.inf
        self.low = np.concatenate([np.zeros(1), s.row_lower, np.full(n, -np.inf)])
        self.high = np.concatenate([np.full(1, np.inf), s.row_upper, s.upper[self._limited]])
        self.integer = np.zeros(k, dtype=bool) if s.integer is None else s.integer

    def move(self, width: int, start: int) -> None:
        """Let the scenario's own columns begin at `start`."""
        indices = self.matrix.indices.astype(np.int64)
        indices[indices >= width] += start - width
        shape = (self.matrix.shape[0], start + len(self.cost))
        self.matrix = sparse.csr_array((self.matrix.data, indices, self.matrix.indptr), shape=shape)

    def column_names(self) -> list[str]:
        s = self._scenario
        names = list(s.columns) or [f"y_{j}" for j in range(len(s.cost))]
        return [f"{s.name}.{name}" for name in names]

    def row_names(self) -> list[str]:
        s, columns = self._scenario, self.column_names()
        own = list(s.rows) or [f"row_{j}" for j in range(len(s.row_lower))]
        limits = (f"limit_of_{columns[j]}" for j in self._limited)
        return [f"{s.name}.cost", *(f"{s.name}.{name}" for name in own), *limits]


def file_names(names: list[str]) -> list[str]:
    """Return names that a file of a programme can hold: printable, without blanks, each once.

    Examples
    --------
    >>> file_names(["Japan, year 1", "Japan, year 1", "Näh"])
    ['Japan,_year_1', 'Japan,_year_1~2', 'N_h']
    """
    seen: dict[str, int] = {}
    found = []
    for name in names:
        plain = _UNPRINTABLE.sub("_", name)[:LONGEST_NAME] or "_"
        seen[plain] = number = seen.get(plain, 0) + 1
        while number > 1 and f"{plain}~{number}" in seen:
            number += 1
        found.append(plain if number == 1 else f"{plain}~{number}")
        seen[found[-1]] = seen.get(found[-1], 0) or 1
    return found


def _wide(matrix: sparse.csr_array, width: int) -> sparse.csr_array:
    rows = sparse.csr_array(matrix)
    return sparse.csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], width))


def solve_extensive(
    problem: TwoStage, objective: Objective, *, gap: float = 0.0, time_limit: float = np.inf
) -> TwoStageSolution:
    """Solve first stage and scenarios together: for small programmes, and for tests.

    Parameters
    ----------
    problem : TwoStage
    objective : Objective
    gap : float
        Relative gap at which a programme with integers counts as solved.
    time_limit : float, seconds of wall time
    """
    programme, master = extensive_form(problem, objective, gap=gap, time_limit=time_limit)
    n, m = problem.first.size, len(problem.first.row_lower)
    whole = np.flatnonzero(
        np.concatenate(
            [
                master.integer,
                *(
                    np.zeros(len(s.cost), dtype=bool) if s.integer is None else s.integer
                    for s in problem.scenarios
                ),
            ]
        )
    )
    duals, relaxed = np.zeros(m), np.empty(0)
    if len(whole):
        programme.relax(whole)
        smooth = programme.solve()
        if smooth.status == OPTIMAL:
            duals, relaxed = smooth.duals[:m] * master.row_scale, smooth.columns[:n]
        programme.restrict(whole)
    found = programme.solve()
    if found.status in (INFEASIBLE, UNBOUNDED):
        return nothing(found.status, m, "extensive")
    if not np.isfinite(found.objective) or len(found.columns) == 0:
        return nothing(LIMIT, m, "extensive")
    first = found.columns[:n].copy()
    first[problem.first.integer] = np.round(first[problem.first.integer])
    if not len(whole):
        duals, relaxed = found.duals[:m] * master.row_scale, first
    start = master.size
    answers = np.empty(len(problem.scenarios))
    for number, s in enumerate(problem.scenarios):
        answers[number] = s.cost @ found.columns[start : start + len(s.cost)]
        start += len(s.cost)
    value = objective.value(float(problem.first.cost @ first), answers, problem.probabilities)
    shift = problem.constant if not objective.best else 0.0
    return TwoStageSolution(
        status=found.status,
        first=first,
        answers=answers,
        objective=value + objective.cost_weight * shift,
        bound=found.bound + objective.cost_weight * shift,
        duals=duals,
        relaxed=relaxed,
        rounds=0,
        cuts=0,
        method="extensive",
    )
