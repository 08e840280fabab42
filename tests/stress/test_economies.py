"""The engines on economies: matrix or links, bans in one line, real tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import withstand as ws
from real_economies import wiod
from tiny_economies import economy
from withstand.errors import ScenarioError, UsageError
from withstand.model.economy import in_links
from withstand.model.network import ProductionNetwork
from withstand.stress import best_response

SCENARIOS = [
    ws.Scenario.lose(region="R1", share=0.4, duration=2),
    ws.Scenario.lose(region="R0", product="s1"),
    ws.Scenario.lose(product="s2", share=0.2, start=1, duration=1, recovery=3),
]


def _random(seed: int) -> tuple[ProductionNetwork, ProductionNetwork]:
    """Return an economy with all classes of inputs as a matrix, and as links."""
    rng = np.random.default_rng(seed)
    n = 9
    flows = rng.lognormal(0, 1, (n, n)) * (rng.random((n, n)) < 0.7)
    final = rng.lognormal(2, 1, (n, 3))
    names, sectors = ["R0", "R1", "R2"], ["s0", "s1", "s2"]
    net = economy(
        flows,
        final,
        regions=[r for r in names for _ in sectors],
        sectors=sectors * 3,
        users=names,
    )
    pairs = [(s, b) for s in sectors for b in sectors]
    classes = {
        "supplier_product": [s for s, _ in pairs],
        "buyer_product": [b for _, b in pairs],
        "class": [("essential", "important", "minor")[k] for k in rng.integers(0, 3, 9)],
    }
    net = net.with_changes({"classes": pl.DataFrame(classes)})
    return net, in_links(net)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_cascade_is_the_same_on_matrix_and_links(seed: int, scenario: ws.Scenario) -> None:
    matrix, links = _random(seed)
    one = ws.stress.cascade(matrix, scenario, eps=1e-6)
    two = ws.stress.cascade(links, scenario, eps=1e-6)
    np.testing.assert_allclose(one.h_down, two.h_down, atol=1e-9)
    np.testing.assert_allclose(one.h_up, two.h_up, atol=1e-9)
    np.testing.assert_allclose(one.weight, two.weight, atol=1e-12)
    assert one.loss == pytest.approx(two.loss, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_simulation_is_the_same_on_matrix_and_links(seed: int, scenario: ws.Scenario) -> None:
    matrix, links = _random(seed)
    one = ws.stress.simulate(matrix, scenario, periods=8)
    two = ws.stress.simulate(links, scenario, periods=8)
    scale = matrix.output.max()
    np.testing.assert_allclose(one.output, two.output, atol=1e-9 * scale)
    np.testing.assert_allclose(one.unmet, two.unmet, atol=1e-9 * scale)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("reroute", [False, True])
def test_best_response_is_the_same_on_matrix_and_links(seed: int, reroute: bool) -> None:
    matrix, links = _random(seed)
    one = ws.stress.respond(matrix, SCENARIOS[0], periods=5, reroute=reroute)
    two = ws.stress.respond(links, SCENARIOS[0], periods=5, reroute=reroute)
    assert one.loss_in_periods == pytest.approx(two.loss_in_periods, abs=1e-9)
    run = ws.stress.simulate(matrix, SCENARIOS[0], periods=5)
    assert one.loss_in_periods <= run.loss_in_periods + 1e-7


@pytest.mark.parametrize("seed", range(3))
def test_risk_of_every_cell_is_the_same_on_matrix_and_links(seed: int) -> None:
    matrix, links = _random(seed)
    one, two = ws.stress.esri(matrix), ws.stress.esri(links)
    np.testing.assert_allclose(one.esri, two.esri, atol=1e-9)


def test_cells_weigh_by_output_and_lose_buyers_by_output() -> None:
    # Steel sells 4 of its 5 to cars and 1 to final users. All cars lost: steel loses 4/5 of its
    # buyers, not all of them; weights are outputs, 5 and 10.
    net = economy([[0, 4], [0, 0]], [[1], [10]], regions=["DE", "FR"], sectors=["steel", "cars"])
    found = ws.stress.cascade(net, {"cars@FR": 1.0})
    np.testing.assert_allclose(found.h_up, [0.2, 0.0])
    np.testing.assert_allclose(found.weight, [1 / 3, 2 / 3])
    assert found.loss == pytest.approx((4 + 10) / 15)


def test_best_response_of_a_large_economy_is_refused_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matrix, _ = _random(0)
    monkeypatch.setattr(best_response, "LARGEST_ECONOMY", 10)
    with pytest.raises(UsageError, match=r"Aggregate .* or try it with a time_limit"):
        ws.stress.respond(matrix, SCENARIOS[0], periods=5)
    assert ws.stress.respond(matrix, SCENARIOS[0], periods=5, time_limit=60.0).loss_in_periods > 0
    monkeypatch.setattr(best_response, "LARGEST_TRIED", 10)
    with pytest.raises(UsageError, match="closure_bounds, which knows no periods"):
        ws.stress.respond(matrix, SCENARIOS[0], periods=5, time_limit=60.0)


# a ban is one line

TRADE = {
    "flows": [[0, 0, 4, 6], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    "final": [[0, 0], [5, 0], [20, 0], [0, 30]],
}


def _trade() -> ProductionNetwork:
    """Steel of DE goes into cars of DE (4 of it, for 20) and of US (6 of it, for 30)."""
    return economy(
        **TRADE,
        regions=["DE", "FR", "DE", "US"],
        sectors=["steel", "food", "cars", "cars"],
        users=["DE", "US"],
        blocs={"US": "NAFTA"},
    )


@pytest.mark.parametrize("there", ["US", "NAFTA"])
def test_a_region_that_stops_exporting_to_a_bloc_is_one_line(there: str) -> None:
    # No stocks, deliveries take a period, and the only input is important: without it output goes
    # down to a half of that at rest. The mill makes what it may still ship. Cars of DE go on.
    ban = ws.Scenario.lose(region="DE", product="steel", to=there)
    run = ws.stress.simulate(_trade(), ban, periods=4)
    np.testing.assert_allclose(run.output[0], [4, 5, 20, 30])
    np.testing.assert_allclose(run.output[2], [4, 5, 20, 15], atol=1e-9)
    best = ws.stress.respond(_trade(), ban, periods=4, reroute=False)
    assert 0 < best.loss_in_periods <= run.loss_in_periods + 1e-9


def test_half_a_ban_lets_half_through() -> None:
    ban = ws.Scenario.lose(region="DE", to="US", share=0.5)
    run = ws.stress.simulate(_trade(), ban, periods=4)
    np.testing.assert_allclose(run.output[2], [7, 5, 20, 22.5], atol=1e-9)


def test_engines_that_read_no_links_say_so() -> None:
    ban = ws.Scenario.lose(region="DE", product="steel", to="US")
    with pytest.raises(UsageError, match="losses of nodes only; use simulate"):
        ws.stress.cascade(_trade(), ban)


def test_a_ban_that_names_nobody_is_refused() -> None:
    with pytest.raises(ScenarioError, match="JP"):
        ws.stress.simulate(_trade(), ws.Scenario.lose(region="DE", to="JP"), periods=2)


# real tables


@pytest.mark.slow
def test_a_world_table_goes_through_all_engines(data_dir: Path) -> None:
    net = wiod(data_dir, 2011)
    nothing = ws.stress.simulate(net, ws.Scenario(name="nothing", shocks=()), periods=4)
    assert nothing.loss_in_periods == 0  # although 10 cells sold out of stocks in that year
    for scenario in (
        ws.Scenario.lose(region="DEU", share=0.1),
        ws.Scenario.lose(region="DEU", product="c15", to="USA"),
    ):
        run = ws.stress.simulate(net, scenario, periods=4)
        assert 0 < run.loss_in_periods < 4
    found = ws.stress.cascade(net, ws.Scenario.lose(region="DEU"))
    germany = net.node_region == net.index("regions")["DEU"]
    np.testing.assert_allclose(found.losses[germany & (net.output > 0)], 1.0)
    assert 0.04 < found.loss < 0.1  # Germany itself is 4.8 % of the output of the world
