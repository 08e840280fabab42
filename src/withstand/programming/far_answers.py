"""Second stages on workers elsewhere, each in a warm solver that stays where it was made.

What a solver answers may depend on where its last solve ended (of several optimal bases it finds
the near one). So that the cuts are those of one process, every scenario is asked every point in
turn by one solver: a worker that has not seen the points before, because the one before it was
lost, asks for them first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.programming.two_stage import Answer, Cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from withstand.executor import Executor
    from withstand.programming.two_stage import TwoStage

Array = np.ndarray
Block = tuple[tuple[int, ...], list[Array]]
"""Numbers of scenarios, and every point so far; the last one is asked."""


class WarmAnswers:
    """The second stages of a programme, and on a worker their solvers."""

    def __init__(self, problem: TwoStage) -> None:
        self.problem = problem
        self._answers: dict[int, tuple[Answer, int]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels: not the solvers."""
        return {"problem": self.problem}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take it, without solvers."""
        self.problem, self._answers = state["problem"], {}

    def solve(self, number: int, points: Sequence[Array]) -> tuple[float, Cut]:
        """Return cost and cut of a scenario at the last point, after all points before it."""
        answer, seen = self._answers.get(number, (None, 0))
        if answer is None or seen >= len(points):  # a point asked twice is asked from the start
            answer, seen = Answer(self.problem.scenarios[number], number), 0
        for point in points[seen:]:
            found = answer.solve(point)
        self._answers[number] = answer, len(points)
        return found


def solve_block(shared: WarmAnswers, block: Block) -> list[tuple[float, Cut]]:
    """Answer the last point for a block of scenarios."""
    numbers, points = block
    return [shared.solve(number, points) for number in numbers]


class FarAnswers:
    """All second stages, asked through an executor.

    Parameters
    ----------
    problem : TwoStage
    runner : Executor
        Its `n_workers`, where it has them, tells in how many blocks the scenarios are asked.
    """

    def __init__(self, problem: TwoStage, runner: Executor) -> None:
        self._runner = runner
        self._size = len(problem.scenarios)
        n_blocks = min(self._size, max(1, getattr(runner, "n_workers", 1)))
        self._blocks = [tuple(range(b, self._size, n_blocks)) for b in range(n_blocks)]
        self._points: list[Array] = []
        self._shared = runner.put(WarmAnswers(problem))

    def solve(self, point: Array) -> Iterator[tuple[float, Cut]]:
        """Return cost and cut of every scenario at a point, in their order."""
        self._points.append(point.copy())
        items = [(numbers, self._points) for numbers in self._blocks]
        found: list[Any] = [None] * self._size
        answered = self._runner.map(solve_block, self._shared, items)
        for numbers, answers in zip(self._blocks, answered, strict=True):
            for number, answer in zip(numbers, answers, strict=True):
                found[number] = answer
        return iter(found)
