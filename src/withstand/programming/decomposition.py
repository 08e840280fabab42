"""The multicut L-shaped method: a master programme that learns each scenario's cost by cuts.

1. Solve the continuous master with the cuts so far; ask every scenario for its cost at a point
   between the master's answer and the best point so far (in-out separation, Ben-Ameur and Neto
   2007: it damps the method's jumps); add a cut for each scenario whose cost the master
   underrates. Repeat until nothing is underrated.
2. Ask for whole numbers, keep all cuts, and repeat with the master's whole answers until the best
   answer is within the gap of the master's bound.

Van Slyke and Wets (1969), Birge and Louveaux (1988, multicut). Each scenario stays in a solver of
its own, so that a solve starts from its last basis; the order of scenarios is fixed, so any number
of threads gives the same numbers, and so do workers elsewhere (`far_answers`).
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.errors import SolverError, UsageError
from withstand.programming.far_answers import FarAnswers
from withstand.programming.highs import INFEASIBLE, LIMIT, OPTIMAL, UNBOUNDED, Programme
from withstand.programming.master import Master, master_of
from withstand.programming.solution import TwoStageSolution, nothing
from withstand.programming.two_stage import Answer, Cut, is_possible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from withstand.executor import Executor
    from withstand.programming.objective import Objective, Progress
    from withstand.programming.two_stage import TwoStage

Array = np.ndarray
LARGEST_ROUNDS = 1000
INSIDE = 0.5
"""Weight of the master's answer in the point that is asked about."""
UNDERRATED = 1e-9
"""A cut counts if the master is wrong by more than this share of the cost."""


@dataclass
class CutStore:
    """Cuts of a programme's scenarios: they hold for every budget, weight and level of risk.

    Give the same store to several solves of one programme (a frontier, a change of risk) and the
    later ones begin where the earlier ended.
    """

    cuts: list[Cut] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    floors: Array | None = None
    points: list[tuple[Array, Array]] = field(default_factory=list)
    """First stages that were asked about, each with the cost of every scenario."""
    told: Callable[[CutStore], None] | None = None
    """Called after each round, so that what was learnt can be kept."""


def solve_by_decomposition(
    problem: TwoStage,
    objective: Objective,
    *,
    gap: float = 1e-4,
    time_limit: float = np.inf,
    jobs: int = 1,
    store: CutStore | None = None,
    progress: Progress | None = None,
    runner: Executor | None = None,
) -> TwoStageSolution:
    """Solve a two-stage programme whose second stage is continuous.

    Parameters
    ----------
    problem : TwoStage
    objective : Objective
    gap : float
        Relative gap to stop at.
    time_limit : float, seconds of wall time
        The best answer found by then is returned with status "limit".
    jobs : int
        Threads that solve scenarios; the numbers do not depend on it.
    store : CutStore, optional
        Cuts of earlier solves of the same programme; new ones are added to it.
    runner : Executor, optional
        Workers elsewhere that solve scenarios in place of threads; each keeps warm what it solves.
        The numbers are the same.

    Raises
    ------
    UsageError
        If a scenario has whole variables.
    """
    if any(s.is_mixed for s in problem.scenarios):
        raise UsageError("Scenarios with whole variables need method='extensive'.")
    store = CutStore() if store is None else store
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        search = _Search(problem, objective, gap, time_limit, store, pool, progress, runner)
        return search.run()


class _Search:
    """One run of the method."""

    def __init__(
        self,
        problem: TwoStage,
        objective: Objective,
        gap: float,
        time_limit: float,
        store: CutStore,
        pool: ThreadPoolExecutor,
        progress: Progress | None,
        runner: Executor | None,
    ) -> None:
        self._problem, self._objective = problem, objective
        self._gap, self._store, self._pool, self._progress = gap, store, pool, progress
        self._ends = time.monotonic() + time_limit
        self._far = None if runner is None else FarAnswers(problem, runner)
        if not store.answers and self._far is None:
            store.answers = [Answer(s, k) for k, s in enumerate(problem.scenarios)]
        if store.floors is None:
            store.floors = np.array(list(pool.map(self._floor, range(len(problem.scenarios)))))
        self._master: Master = master_of(problem, objective, store.floors)
        self._best = np.inf
        self._best_first = np.empty(0)
        self._best_answers = np.empty(0)
        self._rounds = 0
        self._first_cuts = len(store.cuts)
        for first, answers in store.points:
            if is_possible(problem.first, first):
                self._keep(first, answers)

    def _floor(self, number: int) -> float:
        """Return a lower bound of one scenario's cost: its least over all relaxed first stages."""
        first, s = self._problem.first, self._problem.scenarios[number]
        if s.is_bounded_by_zero:
            return 0.0
        n, k = first.size, len(s.cost)
        limited = np.flatnonzero(np.diff(s.on_upper.indptr))
        pick = sparse.eye_array(k, format="csr")[limited]
        free = s.upper.copy()
        free[limited] = np.inf
        matrix = sparse.block_array(
            [[first.matrix, None], [-s.on_rows, s.matrix], [-s.on_upper[limited], pick]]
        )
        programme = Programme(
            cost=np.concatenate([np.zeros(n), s.cost]),
            lower=np.concatenate([first.lower, s.lower]),
            upper=np.concatenate([first.upper, free]),
            matrix=sparse.csr_array(matrix),
            row_lower=np.concatenate(
                [first.row_lower, s.row_lower, np.full(len(limited), -np.inf)]
            ),
            row_upper=np.concatenate([first.row_upper, s.row_upper, s.upper[limited]]),
        )
        found = programme.solve()
        if found.status == UNBOUNDED:
            raise UsageError(f"Scenario {s.name} has no least cost: something earns without limit.")
        if found.status == INFEASIBLE:
            return 0.0  # the master will find out
        return found.objective - 1e-7 * max(1.0, abs(found.objective))

    def run(self) -> TwoStageSolution:
        """Run both phases."""
        master = self._master
        n_rows = len(self._problem.first.row_lower)
        programme = Programme(
            cost=master.cost,
            lower=master.lower,
            upper=master.upper,
            matrix=master.matrix,
            row_lower=master.row_lower,
            row_upper=master.row_upper,
            tolerance=1e-9,
        )
        if self._store.cuts:
            programme.add_rows(*master.cut_rows(self._store.cuts))
        bound, status, duals, relaxed = self._smooth(programme, n_rows)
        if status in (INFEASIBLE, UNBOUNDED):
            return nothing(status, n_rows, "decomposition")
        if status == LIMIT and not len(self._best_first):
            self._try_simple_plans(relaxed)
        if status == OPTIMAL and master.integer.any():
            programme.restrict(np.flatnonzero(master.integer))
            bound, status = self._whole(programme, bound)
            if status == INFEASIBLE:
                return nothing(status, n_rows, "decomposition")
        shift = 0.0 if self._objective.best else self._problem.constant
        shift *= self._objective.cost_weight
        return TwoStageSolution(
            status=status if len(self._best_first) else LIMIT,
            first=self._best_first,
            answers=self._best_answers,
            objective=self._best + shift,
            bound=min(bound, self._best) + shift,
            duals=duals,
            relaxed=relaxed,
            rounds=self._rounds,
            cuts=len(self._store.cuts) - self._first_cuts,
            method="decomposition",
        )

    # the two phases

    def _smooth(self, programme: Programme, n_rows: int) -> tuple[float, str, Array, Array]:
        """Converge on the continuous relaxation."""
        master, is_mixed = self._master, bool(self._master.integer.any())
        bound, inside = -np.inf, np.empty(0)
        duals, z = np.zeros(n_rows), np.empty(0)
        for _ in range(LARGEST_ROUNDS):
            self._limit_time(programme)
            found = programme.solve()
            if found.status != OPTIMAL:
                return bound, found.status, duals, z
            z, bound, duals = found.columns[: master.n], found.objective, found.duals[:n_rows]
            duals = duals * master.row_scale
            theta = found.columns[master.theta]
            if self._is_over():
                return bound, LIMIT, duals, z
            new: list[Cut] = []
            if len(inside) and not np.allclose(inside, z):
                point = INSIDE * z + (1.0 - INSIDE) * inside
                new = self._ask(point, theta, z)
                inside = point
            if not new:
                new = self._ask(z, theta, z, keep=not is_mixed)
                inside = z
            self._say("relaxation", bound)
            if not new or (not is_mixed and self._is_close(bound)):
                return bound, OPTIMAL, duals, z
            programme.add_rows(*master.cut_rows(new))
        raise SolverError("The plan's relaxation did not settle; raise gap or simplify the plan.")

    def _whole(self, programme: Programme, bound: float) -> tuple[float, str]:
        """Close the gap with whole first stages."""
        master = self._master
        if self._is_close(bound):
            return bound, OPTIMAL
        for _ in range(LARGEST_ROUNDS):
            programme.set_gap(max(self._gap / 4.0, 1e-9))
            self._limit_time(programme)
            found = programme.solve()
            if np.isfinite(found.bound):
                bound = max(bound, found.bound)
            if found.status != OPTIMAL:
                return bound, self._ended(found.status)
            z = found.columns[: master.n].copy()
            whole = master.integer[: master.n]
            z[whole] = np.round(z[whole])
            new = self._ask(z, found.columns[master.theta], z, keep=True)
            self._say("whole plans", bound)
            if self._is_close(bound):
                return bound, OPTIMAL
            if not new:  # the master knows this answer: what is left is its own gap
                return bound, OPTIMAL
            if self._is_over():
                return bound, LIMIT
            programme.add_rows(*master.cut_rows(new))
        raise SolverError("The plan did not settle; raise gap or set a time_limit.")

    def _ended(self, status: str) -> str:
        """Return what a master without a proven optimum means."""
        if status == LIMIT and not len(self._best_first):
            self._try_simple_plans(np.empty(0))
        return OPTIMAL if status == INFEASIBLE and len(self._best_first) else status

    def _try_simple_plans(self, relaxed: Array) -> None:
        """When the time is up: what the relaxation takes whole, or nothing at all."""
        first = self._problem.first
        idle = np.clip(0.0, first.lower, first.upper)
        whole = np.where(first.integer, np.floor(relaxed + 1e-6), relaxed)
        for z in (whole, idle) if len(relaxed) else (idle,):
            if is_possible(first, z):
                answers = np.array([cost for cost, _ in self._solved(z)])
                if np.isfinite(answers).all():
                    self._keep(z, answers)
            if len(self._best_first):
                return

    # scenarios

    def _ask(self, point: Array, theta: Array, z: Array, *, keep: bool = False) -> list[Cut]:
        """Ask every scenario at a point; return the cuts that the master's answer z breaks."""
        self._rounds += 1
        answers = np.empty(len(theta))
        new: list[Cut] = []
        for number, (cost, cut) in enumerate(self._solved(point)):
            answers[number] = cost
            value = cut.constant + float(cut.slope @ z)
            at_most = 0.0 if cut.is_feasibility else theta[number]
            if value > at_most + UNDERRATED * max(1.0, abs(value)):
                new.append(cut)
        self._store.cuts += new
        if keep and np.isfinite(answers).all():
            self._store.points.append((point.copy(), answers))
            self._keep(point, answers)
        if self._store.told is not None:
            self._store.told(self._store)
        return new

    def _solved(self, point: Array) -> Iterator[tuple[float, Cut]]:
        if self._far is not None:
            return self._far.solve(point)
        return self._pool.map(lambda answer: answer.solve(point), self._store.answers)

    def _keep(self, first: Array, answers: Array) -> None:
        """Keep a first stage if it is the best that keeps the limits."""
        problem, p = self._problem, self._problem.probabilities
        slack = 1e-7 * max(1.0, float(np.abs(answers).max(initial=0.0)))
        if not self._objective.is_met(answers, p, slack):
            return
        value = self._objective.value(float(problem.first.cost @ first), answers, p)
        if value < self._best:
            self._best, self._best_first, self._best_answers = value, first.copy(), answers

    def _is_close(self, bound: float) -> bool:
        if not np.isfinite(self._best):
            return False
        return self._best - bound <= self._gap * max(abs(self._best), 1e-10)

    def _is_over(self) -> bool:
        return time.monotonic() > self._ends

    def _limit_time(self, programme: Programme) -> None:
        if np.isfinite(self._ends):
            programme.set_time_limit(self._ends - time.monotonic())

    def _say(self, stage: str, bound: float) -> None:
        if self._progress:
            self._progress(f"{stage}, at least {bound:,.0f}", self._rounds, 0)
