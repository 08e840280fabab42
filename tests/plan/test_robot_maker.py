"""The 28 drafted options of the robot maker: what they mend, and what they do not."""

from __future__ import annotations

import pytest

from withstand import plan
from withstand.examples import example
from withstand.model.option import apply, check_options, read_options
from withstand.model.scenario import Scenario


def test_the_options_are_sound_and_can_all_be_carried_out():
    network = example("robot_maker")
    options = read_options(network)
    assert len(options) == 28
    assert check_options(network) == []
    assert all(o.note for o in options)
    after = apply(network, options)
    assert after.n_nodes > network.n_nodes


@pytest.mark.slow
def test_a_plan_raises_what_can_be_made_without_japan_and_names_what_it_cannot_mend():
    network = example("robot_maker")
    scenarios = [
        Scenario.lose(region=r, duration="26w", recovery="13w", probability=0.02)
        for r in ("CN", "JP", "DE")
    ]
    found = plan.solve(
        network, None, scenarios, budget=60e6, aim="loss", horizon=5, onsets=(1.5, 3.5)
    )
    assert found.cost <= 60e6
    assert found.gap <= 5e-3
    sides = found.compare(["CN", "JP", "DE", "US", "TW", "KR"])
    rows = {row["region"]: row for row in sides.to_frame().iter_rows(named=True)}
    assert rows["JP"]["feasible_after"] > rows["JP"]["feasible_before"]
    assert rows["JP"]["loss_after"] < rows["JP"]["loss_before"]
    assert "CN" in sides.not_mended
    assert rows["CN"]["binds_after"] == "LCD"
    left = found.beyond_money()
    of_china = left.rows.filter(left.rows["strike"].str.contains("CN"))
    assert (of_china["share_that_stays"] > 1.0 - 1e-6).all()
    assert of_china["binding"].str.contains("LCD").all()
    checked = found.verify()
    assert checked.expected("simulated_after") < checked.expected("simulated_before")
    assert not checked.rows["is_comparable"].any()  # four weeks are one step
