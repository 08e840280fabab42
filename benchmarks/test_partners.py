"""Best partners of a small generated plant, by both searches, which must agree."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from partners import generated, timed

from withstand.examples import example


def test_the_robot_maker(benchmark):
    """The full size: `python benchmarks/partners.py`."""
    found, _ = benchmark.pedantic(timed, args=(example("robot_maker"), 4, "auto", "none"), rounds=1)
    assert found.best(4).coverage == pytest.approx(0.52)


def test_both_searches_on_a_generated_plant():
    network = generated(40, 8)
    by_sets, _ = timed(network, 3, "brute_force", "none")
    by_programme, _ = timed(network, 3, "programme", "none")
    assert by_programme.best().coverage == pytest.approx(by_sets.best().coverage, abs=1e-6)
