"""The least-cost intake of people: recruit, train, move, let go, or leave work undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import make_finding
from withstand.model.units import PERIODS_PER_YEAR
from withstand.people.intake_draft import staged
from withstand.people.intake_frames import frames_of
from withstand.people.intake_problem import problem_of
from withstand.people.intake_programme import draft_of
from withstand.people.intake_result import Intake
from withstand.people.intake_solving import conflict_of, least_unmet, solve_staged

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from withstand.model.findings import Finding
    from withstand.people.intake_draft import Draft, Staged
    from withstand.people.intake_problem import IntakeProblem

Array = np.ndarray
AIMS = ("cost", "redundancy", "unmet")
RISKS = ("expected", "worst", "cvar")
COUNTED = {"redundancy": "redundancies", "unmet": "unmet"}
UNITS = {"cost": "currency", "redundancy": "people", "unmet": "person-years"}
WHOLE_ONLY = "whole persons"
WHOLE = ("recruits", "entrants", "movers", "redundancies", "short_time")
"""Decisions about persons; places grow by a share and stocks are expected values, so they, and the
surplus, stay broken."""


def optimise_intake(
    needs: pl.DataFrame | Mapping[str, Any],
    occupations: pl.DataFrame | Mapping[str, Any],
    *,
    programmes: pl.DataFrame | Mapping[str, Any] | None = None,
    moves: pl.DataFrame | Mapping[str, Any] | None = None,
    intakes: pl.DataFrame | Mapping[str, Any] | None = None,
    limits: pl.DataFrame | Mapping[str, Any] | None = None,
    aim: str = "cost",
    risk: str = "expected",
    alpha: float = 0.9,
    recruits_wait: bool = False,
    whole: bool = False,
    discount: float = 0.0,
    period: str = "year",
) -> Intake:
    """Find the intake of people over some years that meets the needs at least cost.

    Parameters
    ----------
    needs : DataFrame
        occupation, region, year, people (full-time people needed), scenario, probability. A row
        for every year from the first to the last; rows without a scenario hold in all of them.
    occupations : DataFrame
        occupation, region, people (settled people at the start), exit_rate, transfer_rate,
        new_exit_rate, staff_cost, and for each of recruit, redundancy, overmanning, short_time,
        overtime and unmet a `_limit` (people a year; overtime: share of the hours) and a `_cost`
        (currency per person), with short_time_output (share of full work). A lever is open where
        one of its two columns is filled; people beyond the need are free where neither is.
    programmes : DataFrame, optional
        programme, occupation, region, duration (periods), completion, retention, seats (entrants
        in the first year), seat_growth (share per year), seat_cost, trainers_per_seat, trainer,
        from_occupation, first_year, cost (currency per entrant).
    moves : DataFrame, optional
        from, to, region, to_region, limit (people a year), limit_share (of those where they go),
        cost (currency per person), success, leave, duration (periods; 0: within the year).
    intakes : DataFrame, optional
        programme, year (of entry, before the first year), people: who is in training at the start.
    limits : DataFrame, optional
        what (recruits, entrants, movers, redundancies, overmanning, short_time, overtime, unmet,
        cost), occupation, region, programme, year, over (each year, all years), limit.
    aim : {"cost", "redundancy", "unmet"}
        What is made small. With "redundancy" and "unmet" the cost decides between equals; with
        "unmet" work may stay undone everywhere.
    risk : {"expected", "worst", "cvar"}
        With scenarios: the mean over them, the worst of them, or the mean of the worst 1 - alpha.
    alpha : float, 0 to below 1
    recruits_wait : bool
        Recruit once the needs are known. Training always starts before; moves, redundancies, short
        time, overtime and work left undone always answer.
    whole : bool
        Whole persons in every decision; stocks are expected values.
    discount : float, per year
        Rate at which cost in later years counts less; the first year counts in full.
    period : {"day", "week", "month", "quarter", "year"}
        In which durations are given.

    Returns
    -------
    Intake
        With status "infeasible" and a finding if the limits contradict each other.

    Raises
    ------
    DataError
        With every fault of the tables.
    UsageError
        If an argument is not possible.

    Notes
    -----
    The equations, and the order within a year, stand in `withstand.people.intake_programme`.

    Examples
    --------
    Ten of twenty are needed. Recruits cost 3; who trains for a year costs 1, and half complete.

    >>> plan = optimise_intake(
    ...     {"occupation": ["nurse"] * 2, "year": [2026, 2027], "people": [10, 20]},
    ...     {"occupation": ["nurse"], "people": [10], "recruit_cost": [3]},
    ...     programmes={"programme": ["school"], "occupation": ["nurse"], "duration": [1],
    ...                 "completion": [0.5], "seats": [8], "cost": [1]})
    >>> plan.objective, plan.total("recruits"), plan.entrants["entrants"].to_list()
    (26.0, 6.0, [8.0, 0.0])
    >>> print(plan.explain())
    Least cost: 26 currency.
    In all years together: 6 recruited, 8 enter training.
    Held back most by: seats of school in 2026 (one more saves 0.50 currency).
    """
    _check(aim, risk, alpha, discount, period)
    given = {
        "needs": needs, "occupations": occupations, "programmes": programmes,
        "moves": moves, "intakes": intakes, "limits": limits,
    }  # fmt: skip
    problem = problem_of(given, period)
    draft = draft_of(problem, is_unmet_open=aim == "unmet", recruits_wait=recruits_wait)
    stages = staged(draft, WHOLE if whole else ())
    money = np.array([c.cost * (1.0 + discount) ** -c.year for c in draft.columns])
    counted = np.array([float(c.kind == COUNTED.get(aim)) for c in draft.columns])
    target = money if aim == "cost" else counted
    solved = solve_staged(stages, problem, target, money, risk, alpha)
    findings = list(problem.findings)
    conflict: tuple[str, ...] = ()
    if solved.status == "infeasible":
        conflict = _conflict(stages, problem, whole=whole)
        findings.append(_infeasible(problem, conflict, recruits_wait=recruits_wait))
    elif stages.whole.any():
        findings.append(make_finding("N522", "solved for whole persons"))
    return Intake(
        status=solved.status,
        aim=aim,
        risk=risk,
        objective=solved.objective,
        conflict=conflict,
        findings=tuple(findings),
        unit=UNITS[aim],
        **frames_of(problem, draft, stages, solved, discount),
    )


def _check(aim: str, risk: str, alpha: float, discount: float, period: str) -> None:
    chosen = (("aim", aim, AIMS), ("risk", risk, RISKS), ("period", period, [*PERIODS_PER_YEAR]))
    for name, value, valid in chosen:
        if value not in valid:
            raise UsageError(f"{name} must be one of {', '.join(valid)}, not '{str(value)[:40]}'.")
    for name, number in (("alpha", alpha), ("discount", discount)):
        if not (isinstance(number, int | float) and 0.0 <= number < 1.0):
            raise UsageError(f"{name} must be at least 0 and below 1, not {str(number)[:40]}.")


def _conflict(stages: Staged, problem: IntakeProblem, *, whole: bool) -> tuple[str, ...]:
    """Return limits that contradict each other, in words."""
    found = conflict_of(stages, problem)
    words = []
    for k, s in found:
        row = stages.rows[k]
        future = f", scenario {problem.scenarios[s]}" if problem.scenarios != ("",) else ""
        is_first = k in stages.first_rows
        most = problem.needs[s, row.subject, row.year] if row.kind == "need" else row.high
        share = row.used < len(row.terms) and row.high == 0.0
        amount = "" if share else f" ({_amount(most)} {row.unit})"
        words.append(f"{row.words}{'' if is_first else future}{amount}")
    return tuple(words) or ((WHOLE_ONLY,) if whole else ())


def _infeasible(
    problem: IntakeProblem, conflict: tuple[str, ...], *, recruits_wait: bool
) -> Finding:
    draft: Draft = draft_of(problem, is_unmet_open=True, recruits_wait=recruits_wait)
    least = least_unmet(staged(draft, ()), problem)
    if conflict == (WHOLE_ONLY,):
        what = "there is a plan in parts of persons, but none in whole ones (whole=True)"
    elif len(conflict) == 1:
        what = f"{conflict[0]} cannot be met, whatever else is allowed"
    else:
        what = f"these cannot hold together: {'; '.join(conflict)}"
    if np.isfinite(least) and least > 0:
        what += f". At least {_amount(least)} person-years of work would stay undone"
    return make_finding("E521", what)


def _amount(x: float) -> str:
    """Return `1,000,000` or `764.416`."""
    return f"{x:,.0f}" if abs(x) >= 1e6 else f"{x:,.6g}"
