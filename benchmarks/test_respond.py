"""Timed runs of the best response and of times to survive; once each as a smoke test."""

import sys
from pathlib import Path

import numpy as np
import pytest

from withstand.examples import example
from withstand.model.scenario import Scenario
from withstand.stress.best_response import respond as best_response
from withstand.stress.survival_times import survival

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from respond import bill_of_materials, check


@pytest.mark.parametrize(("shared", "dual"), [(0.0, 0.0), (0.2, 0.0), (0.2, 0.3)])
def test_survival_of_a_bill_of_materials(benchmark, shared, dual):
    """The full size has 10,000 nodes: `python benchmarks/respond.py`."""
    network = bill_of_materials(1_000, shared=shared, dual=dual)
    result = benchmark.pedantic(survival, args=(network,), rounds=1)
    assert np.isfinite(result.pi).all()
    assert (result.tts[network.final_demand > 0] == 0).all()


def test_a_sample_is_confirmed_period_by_period():
    network = bill_of_materials(200, shared=0.2, dual=0.2)
    assert check(network, survival(network), 5) == 5


def test_respond_on_the_robot_maker(benchmark):
    network = example("robot_maker")
    scenario = Scenario.lose(region="JP", duration="12w")
    best = benchmark.pedantic(best_response, args=(network, scenario), rounds=1)
    assert best.loss_in_periods > 0
