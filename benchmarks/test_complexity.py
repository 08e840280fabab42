"""All indicators of complexity at a fifth of the size, and ecomplexity where it is."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from complexity import differences, find, half_filled, run_peer

from withstand import measures


def test_all_indicators(benchmark):
    found = benchmark(measures.complexity, half_filled(230, 1_000))
    assert found.cog.shape == (230, 1_000)
    assert found.findings == ()


def test_ecomplexity_gives_the_same():
    """Largest difference 1e-6: theirs comes from a matrix that is not symmetric."""
    python = os.environ.get("WITHSTAND_PEERS")
    if not python:
        pytest.skip("make bench installs ecomplexity and names its interpreter in WITHSTAND_PEERS")
    if find("ecomplexity", [python]) is None:
        pytest.skip("ecomplexity is not installed there")
    values = half_filled(40, 120)
    _, theirs = run_peer(python, "ecomplexity", values)
    told = differences(measures.complexity(values, convention="ecomplexity"), theirs)
    assert set(told) == {"rca", "density", "cog", "eci", "coi", "pci"}
    assert not any("correlation" in text for text in told.values()), told
