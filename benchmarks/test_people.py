"""Timed runs of people one by one; once as a smoke test, which also looks at the means."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from people import floor, furthest, generated, same, timed


@pytest.mark.parametrize("out_of_cells", [False, True])
def test_a_hundred_thousand_people_over_ten_years(benchmark, out_of_cells):
    """The full size: `python benchmarks/people.py`."""
    pipeline = generated(100_000, 60, 1, out_of_cells=out_of_cells)
    found, cpu, _ = benchmark.pedantic(timed, args=(pipeline, 1), rounds=1)
    assert cpu > 0
    assert furthest(found, pipeline) < 0.02  # the root of 100,000 is 0.3 % of it
    assert same(found, timed(pipeline, 1)[0])


def test_drawing_alone_takes_time():
    assert floor(1_000_000, 2) > 0
