"""Economies that do not balance are settled before they are played."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from withstand import stress
from withstand.model.economy import build_economy
from withstand.model.scenario import Scenario
from withstand.model.settings import Settings


def economy(final=(3.0, -2.0, 6.0), output=(9.0, 4.0, 10.0)):
    flows = np.array([[1.0, 2.0, 4.0], [3.0, 0.0, 2.0], [1.0, 1.0, 2.0]])
    nodes = pl.DataFrame(
        {"product": ["a", "b", "c"], "region": ["DE", "DE", "FR"], "output": list(output)}
    )
    return build_economy(
        flows,
        np.array(final)[:, None],
        {"nodes": nodes},
        pl.DataFrame({"region": ["DE"], "category": ["all"]}),
        Settings(lens="economy", period="day"),
    )


def test_output_is_what_is_sold():
    """a makes 9 and sells 7 to nodes: 2 are left. b sells 5 to nodes but makes 4: it makes 5."""
    settled = economy().settled
    assert settled.final_demand.tolist() == [2.0, 0.0, 6.0]
    assert settled.output.tolist() == [9.0, 5.0, 10.0]
    use = settled.input_coefficient * settled.output[settled.input_buyer]
    assert use == pytest.approx(economy().flow_table.flows.T.ravel()[[0, 1, 2, 3, 5, 6, 7, 8]])


def test_an_economy_that_balances_is_settled_as_it_is():
    balanced = economy(final=(3.0, 0.0, 6.0), output=(10.0, 5.0, 10.0))
    assert balanced.settled is balanced


def test_a_table_that_does_not_balance_stays_at_rest_without_a_shock():
    quiet = Scenario(name="nothing", shocks=())
    for rules in ("default", "ario", "pichler"):
        run = stress.simulate(economy(), quiet, periods=60, rules=rules)
        assert run.output == pytest.approx(np.tile([9.0, 5.0, 10.0], (60, 1)), rel=1e-12)
        assert run.loss == 0.0


def test_the_matrix_and_its_links_play_the_same():
    """A lone shock on links makes the engine read links; with share 0 it changes nothing."""
    hit = Scenario.lose(region="FR", share=0.4, duration=3)
    dense = stress.simulate(economy(), hit, periods=20)
    links = stress.simulate(economy(), hit, periods=20, rules=stress.Rules(priority=("a@DE",)))
    assert dense.output.shape == links.output.shape
    assert dense.loss > 0
