"""Plans: choose among options, ask the next questions, write them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.readers.atomic import write_atomic
from withstand.workbench.progress import Progress, silent

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario
    from withstand.plan import Plan
    from withstand.report.plan_contents import PlanContents


NO_OPTIONS = (
    "There are no options to choose from. Write them in tables/options.csv (option, name, kind, "
    "cost_once, ready_periods) and what each does in tables/option_effects.csv (option, effect, "
    "product, amount, unit). For instance M1,More steel,stockpile,20000,4 and "
    "M1,add_stock,STEEL,8,weeks. The sheets options and option_effects of "
    "withstand template show every column."
)
PLAN_ENDINGS = (".html", ".xlsx", ".json")


def plan(
    network: ProductionNetwork,
    scenarios: Sequence[Scenario],
    *,
    budget: float | Sequence[float] | None = None,
    horizon: int = 5,
    onsets: Sequence[float] | None = None,
    aim: str = "value",
    loss_limit: float = math.inf,
    risk_weight: float = 0.0,
    alpha: float = 0.9,
    discount: float = 0.0,
    started: Mapping[str, float] | None = None,
    gap: float = 0.005,
    step: int | None = None,
    periods: int | None = None,
    candidates: int = 1,
    jobs: int | str = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> Plan:
    """Choose among the options of a network's tables; arguments as in `withstand.plan.solve`.

    Raises
    ------
    UsageError
        If the tables hold no options (and how to write them), or a number is not possible.
    OptionError
        With every fault of the options.
    """
    from withstand.model.option import read_options
    from withstand.plan import Risk, solve

    options = read_options(network)
    if not options:
        raise UsageError(NO_OPTIONS)
    return solve(
        network,
        options,
        scenarios,
        budget=budget,
        risk=Risk(weight=risk_weight, alpha=alpha),
        loss_limit=loss_limit,
        aim=aim,
        horizon=horizon,
        onsets=onsets,
        discount=discount,
        started=started,
        periods=periods,
        step=step,
        gap=gap,
        candidates=candidates,
        jobs=jobs if isinstance(jobs, str) else _threads(jobs),
        seed=seed,
        progress=progress,
    )


def gather_plan(
    found: Plan,
    *,
    is_verified: bool = True,
    n_budgets: int = 0,
    n_alternatives: int = 0,
    jobs: int | str = 1,
    progress: Progress = silent,
) -> PlanContents:
    """Ask a plan the next questions: does it help, what earns where, what would money buy."""
    from withstand.report import plan_gathering

    return plan_gathering.gather_plan(
        found,
        is_verified=is_verified,
        n_budgets=n_budgets,
        n_alternatives=n_alternatives,
        jobs=_threads(-1 if isinstance(jobs, str) else jobs),
        progress=progress,
    )


def _threads(jobs: int) -> int:
    """Return the number of threads; -1 stands for one a core."""
    if jobs == -1:
        return os.cpu_count() or 1
    if jobs < 1:
        raise UsageError(f"jobs must be at least 1 (or -1 for one a core), not {jobs}.")
    return jobs


def plan_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a plan's report, .html, .xlsx or .json; there may be none.

    Raises
    ------
    UsageError
        If one has another ending.
    """
    targets = [Path(p) for p in paths]
    for target in targets:
        if target.suffix.lower() not in PLAN_ENDINGS:
            raise UsageError(f"{target.name}: a plan ends in {', '.join(PLAN_ENDINGS)}.")
    return targets


def write_plan(contents: PlanContents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write a plan to each path: .html a page, .xlsx a workbook of every table, .json its data."""
    from withstand.report.plan_page import plan_json, plan_page, plan_workbook

    makers = dict(zip(PLAN_ENDINGS, (plan_page, plan_workbook, plan_json), strict=True))
    targets = plan_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets
