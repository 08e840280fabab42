"""A line of three machines: the kernels at a twentieth of the size, and SimPy where it is."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from lines import by_cycles, by_parts, run_simpy

EXACT = 0.819137


@pytest.mark.parametrize("play", [by_cycles, by_parts])
def test_a_line_of_three_machines(benchmark, play):
    play(1_300)
    found = benchmark(play, 50_000)
    assert abs(found.throughput - EXACT) < 3 * found.half_width


def test_simpy_plays_the_same_line():
    """Four standard errors at 50,000 cycles are about .02."""
    python = os.environ.get("WITHSTAND_PEERS")
    if not python:
        pytest.skip("make bench installs SimPy and names its interpreter in WITHSTAND_PEERS")
    assert abs(run_simpy(python, 50_000)["throughput"] - EXACT) < 0.02
