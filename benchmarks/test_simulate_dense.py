"""Each benchmark of the dense simulation once, small."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from withstand.stress.dense_arrays import prepare
from withstand.stress.dense_simulation import simulate_dense

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from compare_boario import OWN_ECONOMY, SETTINGS, network_of, own_economy, play, rules_of
from simulate_dense import NO_GENERATOR, floor, main, mrio_generator, scenarios_of


def test_many_scenarios_on_a_small_economy(benchmark) -> None:
    network = network_of(own_economy(), 9.0)
    rules = rules_of(SETTINGS, 0.9)
    ready, some = prepare(network, rules), scenarios_of(network, 16)
    run = benchmark(simulate_dense, network, some, periods=30, rules=rules, prepared=ready)
    assert (run.loss > 0).all()


@pytest.mark.parametrize("by_blas", [True, False])
def test_the_floor_of_the_products(benchmark, by_blas: bool) -> None:
    clock = benchmark(floor, 4, 5, 8, by_blas)
    assert clock.wall > 0


def test_the_command_runs(capsys) -> None:
    if mrio_generator() is None:
        pytest.skip(NO_GENERATOR)
    main(["--regions", "3", "--sectors", "4", "--periods", "5", "--scenarios", "9"])
    said = capsys.readouterr().out
    assert "9 scenarios x 5 periods" in said
    assert "floor, BLAS" in said


def test_our_side_of_the_comparison_with_boario() -> None:
    settings = {**SETTINGS, "periods": 20, "stock": 10, "impact": OWN_ECONOMY}
    network, output = play(own_economy(), settings, {"targets": "wanted", "overtime": "orders"})
    hit = network.node_labels.tolist().index("ore@A")
    np.testing.assert_allclose(output[:5], np.broadcast_to(network.output, (5, 12)))
    assert output[5, hit] == pytest.approx(0.3 * network.output[hit])
