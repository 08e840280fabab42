"""Intakes are as good as those of an independent programme, and conserve people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from intake_twin import random_case, tables, twin
from withstand.people.intake_draft import staged
from withstand.people.intake_problem import problem_of
from withstand.people.intake_programme import draft_of
from withstand.people.intake_solving import conflict_of
from withstand.people.intakes import optimise_intake

SEEDS = st.integers(0, 2**32 - 1)
CLOSE = 1e-6  # both solvers keep rows to about 1e-7, and values are of the order of 1000


def same(found, expected):
    if expected is None:
        assert found.status == "infeasible"
        assert found.conflict
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(expected, rel=CLOSE, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, aim=st.sampled_from(["cost", "redundancy", "unmet"]))
def test_the_least_value_is_that_of_the_twin(seed, aim):
    case = random_case(np.random.default_rng(seed))
    same(optimise_intake(**tables(case), aim=aim), twin(case, aim=aim))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, risk=st.sampled_from(["expected", "worst"]))
def test_under_scenarios_too(seed, risk):
    case = random_case(np.random.default_rng(seed), n_scenarios=3)
    same(optimise_intake(**tables(case), risk=risk), twin(case, risk=risk))


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
@example(seed=42463420)  # places that grow by a share are not rounded down on the way
def test_in_whole_persons_too(seed):
    case = random_case(np.random.default_rng(seed))
    found = optimise_intake(**tables(case), whole=True)
    expected = twin(case, whole=True)
    same(found, expected)
    if expected is not None:
        for frame, column in (
            (found.stocks, "recruits"),
            (found.stocks, "redundancies"),
            (found.stocks, "short_time"),
            (found.moves, "movers"),
            (found.entrants, "entrants"),
        ):
            values = frame[column].to_numpy()
            assert np.abs(values - np.round(values)).max(initial=0.0) < 1e-5
        is_whole = "N522" in [f.code for f in found.findings]  # else nothing had to be whole
        assert found.limits["worth"].null_count() == is_whole * found.limits.height


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, n_scenarios=st.integers(1, 3))
def test_people_are_conserved_and_never_fewer_than_none(seed, n_scenarios):
    case = random_case(np.random.default_rng(seed), n_scenarios)
    found = optimise_intake(**tables(case))
    if not found.is_found:
        return
    people = {o["occupation"]: o["people"] for o in case["occupations"]}
    before: dict[tuple[str, str], float] = {}
    for row in found.stocks.iter_rows(named=True):
        key = (row.get("scenario", ""), row["occupation"])
        there = before.get(key, people[row["occupation"]])
        came = row["recruits"] + row["graduates"] + row["moved_in"]
        went = row["moved_out"] + row["to_training"] + row["redundancies"] + row["left"]
        assert row["people"] == pytest.approx(there + came - went, abs=1e-5)
        before[key] = row["people"]
        work = row["people"] + row["overtime"] + row["unmet"] - row["trainers"]
        output = {o["occupation"]: o.get("short_time_output", 0.5) for o in case["occupations"]}
        work -= (1.0 - output[row["occupation"]]) * row["short_time"]
        assert work - row["overmanning"] == pytest.approx(row["needed"], abs=1e-5)
    numbers = found.stocks.select(c for c in found.stocks.columns if c not in ("needed",))
    assert all(numbers[c].min() >= 0 for c in numbers.columns if numbers[c].dtype.is_float())
    bill = found.cost["present_value"].sum() if "scenario" not in found.cost.columns else None
    if bill is not None:
        assert bill == pytest.approx(found.by_scenario["cost"][0], abs=1e-6)
        assert bill == pytest.approx(found.objective, rel=1e-6, abs=1e-4)


def shifted(case, kind, at, step):
    """Return a case with one limit or need moved."""
    changed = {**case, "occupations": [dict(o) for o in case["occupations"]]}
    changed["needs"] = [[list(path) for path in need] for need in case["needs"]]
    changed["programmes"] = [dict(x) for x in case["programmes"]]
    if kind == "recruit":
        changed["occupations"][at]["recruit_limit"] += step
    elif kind == "seats":
        changed["programmes"][at]["seats"] += step
    else:
        changed["needs"][0][at[0]][at[1]] += step
    return changed


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_what_one_more_is_worth_lies_between_the_differences_to_both_sides(seed):
    case = random_case(np.random.default_rng(seed))
    for x in case["programmes"]:
        x.pop("seat_growth", None)
    found = optimise_intake(**tables(case))
    if not found.is_found:
        return
    worth = {}
    for row in found.limits.iter_rows(named=True):
        worth.setdefault((row["kind"], row["limit"].split(" in ")[0]), 0.0)
        worth[row["kind"], row["limit"].split(" in ")[0]] += row["worth"]
    asked = [
        ("recruit", c, -worth["recruits", f"recruitment of O{c}"])
        for c, o in enumerate(case["occupations"])
        if "recruit_limit" in o
    ]
    asked += [
        ("seats", p, -worth["entrants", f"seats of P{p}"]) for p, _ in enumerate(case["programmes"])
    ]
    needs = found.limits.filter(found.limits["kind"] == "need")
    for c in range(len(case["occupations"])):
        for t in range(len(case["needs"][0][0])):
            words = f"the need for O{c} in {2026 + t}"
            row = needs.filter(needs["limit"] == words)
            asked.append(("need", (c, t), row["worth"][0]))
    step = 1e-3
    for kind, at, slope in asked:
        less, more = (twin(shifted(case, kind, at, x)) for x in (-step, step))
        # convex in its limits: a dual is one of the slopes at the point (1e-3: cancellation)
        if less is not None and (kind != "need" or case["needs"][0][at[0]][at[1]] > step):
            assert slope >= (found.objective - less) / step - 1e-3
        if more is not None:
            assert slope <= (more - found.objective) / step + 1e-3


def can_hold(stages, problem, kept):
    """Tell whether the equations and some of the limits can hold together (scenario 0 is all)."""
    low, high = stages.limits(problem.needs[0])
    rows = [k for k, row in enumerate(stages.rows) if not row.words or k in kept]
    matrix = stages.matrix.toarray()[rows]
    only = LinearConstraint(matrix, low[rows], high[rows])
    n = matrix.shape[1]
    return milp(np.zeros(n), constraints=only, bounds=Bounds(0, np.inf)).status == 0


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_a_contradiction_is_one_and_none_of_its_limits_is_named_in_vain(seed):
    case = random_case(np.random.default_rng(seed))
    for o in case["occupations"]:
        o.pop("unmet_cost", None)
        o.pop("unmet_limit", None)
    problem = problem_of(tables(case), "year")
    stages = staged(draft_of(problem, is_unmet_open=False, recruits_wait=False), ())
    kept = {k for k, _ in conflict_of(stages, problem)}
    everything = {k for k, row in enumerate(stages.rows) if row.words}
    assert can_hold(stages, problem, everything) is (not kept)
    if kept:
        assert not can_hold(stages, problem, kept)
        assert all(can_hold(stages, problem, kept - {k}) for k in kept)
