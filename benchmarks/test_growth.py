"""The growth figures on two tiny networks: does the script still work, and fit what it should."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from growth import STEPS, exponent, main


def test_exponents_are_the_slopes_of_power_laws():
    sizes = [10, 100, 1000]
    assert exponent(sizes, [3.0 * n**1.5 for n in sizes]) == pytest.approx(1.5)


@pytest.mark.slow
def test_the_script_for_growth_figures_works(capsys):
    figures = main(["--nodes", "300", "--links", "5", "--steps", "load", "cascade"])
    assert [f.step for f in figures] == ["load", "cascade"]
    assert all(f.cpu > 0 and f.peak >= f.imports > 0 for f in figures)
    assert set(STEPS) >= {"check", "exposure", "simulate"}
    assert "load" in capsys.readouterr().out
