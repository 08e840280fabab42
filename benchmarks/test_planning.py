"""Timed runs of planning; once each as a smoke test."""

import sys
from argparse import Namespace
from pathlib import Path

import pytest

from withstand.plan.planning import solve_problem
from withstand.programming.extensive import extensive_form
from withstand.programming.objective import Objective

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from planning import arrays_of, generated


def small() -> Namespace:
    """The full size has 400 products: `python benchmarks/planning.py`."""
    return Namespace(products=40, options=8, regions=3, onsets=2, steps=13, budget=0.3)


def test_a_plan_of_a_generated_chain(benchmark):
    problem = generated(small())
    found = benchmark.pedantic(
        solve_problem, args=(problem,), kwargs={"method": "decomposition"}, rounds=1
    )
    assert found.gap <= 5e-3
    whole = solve_problem(problem, method="extensive")
    assert whole.value == pytest.approx(found.value, rel=1e-2)


def test_the_extensive_form_of_a_generated_chain(benchmark):
    problem = generated(small())
    benchmark.pedantic(extensive_form, args=(problem.two_stage, Objective()), rounds=1)
    arrays = arrays_of(problem)
    assert int(arrays["n_scenarios"]) == len(problem.strikes)
