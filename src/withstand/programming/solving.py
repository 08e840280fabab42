"""Solve a two-stage programme by whichever way suits its size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.programming.decomposition import CutStore, solve_by_decomposition
from withstand.programming.extensive import solve_extensive
from withstand.programming.objective import Objective
from withstand.programming.two_stage import Answer

if TYPE_CHECKING:
    from withstand.executor import Executor
    from withstand.programming.objective import Progress
    from withstand.programming.solution import TwoStageSolution
    from withstand.programming.two_stage import TwoStage

METHODS = ("auto", "extensive", "decomposition")
SMALL = 20_000
"""Columns up to which the extensive form is solved by default."""


def solve_two_stage(
    problem: TwoStage,
    objective: Objective | None = None,
    *,
    method: str = "auto",
    gap: float = 1e-4,
    time_limit: float = np.inf,
    jobs: int = 1,
    store: CutStore | None = None,
    progress: Progress | None = None,
    runner: Executor | None = None,
) -> TwoStageSolution:
    """Find the first stage that costs least together with its answers to the scenarios.

    Parameters
    ----------
    problem : TwoStage
    objective : Objective, optional
        Default: least cost plus mean cost of the answers.
    method : {"auto", "extensive", "decomposition"}
        One programme of everything, or the L-shaped method; by default by size.
    gap : float
        Relative gap between the best found and what is proven.
    time_limit : float, seconds of wall time
    jobs : int
        Threads of the decomposition.
    store : CutStore, optional
        Cuts of earlier solves of the same programme (decomposition only).
    progress : callable, optional
    runner : Executor, optional
        Workers elsewhere for the decomposition, in place of threads.

    Raises
    ------
    UsageError
        If the method is unknown or cannot hold the programme.

    Examples
    --------
    Buy z at 1, then the rest of an unknown need of 1 or 3 at 1.5: it is best to buy 1.

    >>> from scipy import sparse
    >>> from withstand.programming.two_stage import FirstStage, Recourse, TwoStage
    >>> first = FirstStage(cost=np.ones(1), lower=np.zeros(1), upper=np.full(1, 9.0),
    ...     integer=np.zeros(1, bool), matrix=sparse.csr_array((0, 1)),
    ...     row_lower=np.empty(0), row_upper=np.empty(0))
    >>> needs = tuple(Recourse(name=f"need {d:g}", probability=0.5, cost=np.full(1, 1.5),
    ...     lower=np.zeros(1), upper=np.full(1, np.inf), matrix=sparse.csr_array([[1.0]]),
    ...     row_lower=np.array([d]), row_upper=np.full(1, np.inf),
    ...     on_rows=sparse.csr_array([[-1.0]]), on_upper=sparse.csr_array((1, 1)))
    ...     for d in (1.0, 3.0))
    >>> found = solve_two_stage(TwoStage(first=first, scenarios=needs))
    >>> found.objective, found.first.tolist(), found.answers.tolist()
    (2.5, [1.0], [0.0, 3.0])
    """
    objective = Objective() if objective is None else objective
    if method not in METHODS:
        raise UsageError(f"method must be one of {', '.join(METHODS)}, not '{method[:40]}'.")
    if not 0.0 <= gap < 1.0:
        raise UsageError(f"gap must be at least 0 and below 1, not {gap}.")
    if not time_limit > 0.0:
        raise UsageError(f"time_limit must be above 0 seconds, not {time_limit}.")
    is_mixed = any(s.is_mixed for s in problem.scenarios)
    if method == "auto":
        size = sum(len(s.cost) for s in problem.scenarios)
        method = "extensive" if is_mixed or size <= SMALL else "decomposition"
    if method == "decomposition":
        return solve_by_decomposition(
            problem,
            objective,
            gap=gap,
            time_limit=time_limit,
            jobs=jobs,
            store=store,
            progress=progress,
            runner=runner,
        )
    found = solve_extensive(problem, objective, gap=gap, time_limit=time_limit)
    if is_mixed or len(found.first) == 0:
        return found
    # where a limit or the tail alone bounds an answer, the programme leaves it loose: solve again
    answers = [Answer(s, k).solve(found.first)[0] for k, s in enumerate(problem.scenarios)]
    return replace(found, answers=np.array(answers))
