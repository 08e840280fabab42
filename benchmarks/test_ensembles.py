"""Timed runs of an ensemble; once as a smoke test, which also compares the outcomes."""

import sys
from pathlib import Path

import pytest

from withstand.examples import example

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from ensembles import compare, play, years


def test_an_ensemble_of_forty_years(benchmark):
    """The full comparison: `python benchmarks/ensembles.py`."""
    network = example("robot_maker")
    scenarios = years(network, 40)
    result, timing = benchmark.pedantic(play, args=(network, scenarios, "simulate", None), rounds=1)
    assert result.outcomes.height == 40
    assert timing.cpu > 0


@pytest.mark.slow
def test_two_workers_give_the_outcomes_of_one_process():
    network = example("robot_maker")
    ((one, many),) = compare(network, years(network, 24), "simulate", jobs=2, runs=1)
    assert one.wall > 0
    assert many.cpu > 0
