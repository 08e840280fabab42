"""What a result says of itself at the prompt: one line, whatever it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from withstand import measures, stress
from withstand.examples import example
from withstand.model.network import ProductionNetwork
from withstand.model.scenario import Scenario
from withstand.plan.comparison import Comparison
from withstand.plan.frontiers import Frontier

JAPAN = Scenario.lose(region="JP", duration="12w")


@pytest.fixture(scope="module")
def network() -> ProductionNetwork:
    return example("robot_maker")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda n: measures.coverage(n, without=["JP"]), "Coverage: Without JP, 26.7%"),
        (measures.exposure, "Exposure: 99.1%"),
        (measures.concentration, "Concentration of 'Robot maker'"),
        (lambda n: stress.simulate(n, JAPAN, periods=60), "Simulation: region JP loses"),
        (lambda n: stress.respond(n, JAPAN), "Response: region JP loses"),
        (lambda n: stress.ensemble(n, [JAPAN], periods=60), "Ensemble: 1 scenario"),
    ],
)
def test_a_result_is_one_line_at_the_prompt(
    network: ProductionNetwork, run: Callable[[ProductionNetwork], Any], said: str
) -> None:
    shown = repr(run(network))
    assert shown.startswith(f"<{said}")
    assert shown.endswith(">")
    assert "\n" not in shown
    assert len(shown) < 250


def test_tables_of_a_plan_are_one_line_too() -> None:
    rows = pl.DataFrame(
        {
            "region": ["CN", "JP"],
            "feasible_before": [0.4, 0.5],
            "feasible_after": [0.4, 1.0],
        }
    )
    assert repr(Comparison(rows=rows, n_periods=9)) == "<Comparison: 2 regions, 1 not mended>"
    none = np.zeros(2)
    frontier = Frontier(budgets=(0.0, 2e6), plans=(), smooth=none, worth=none)
    assert repr(frontier) == "<Frontier: 0 budgets, 0 to 2,000,000>"
