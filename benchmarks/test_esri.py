"""Systemic risk of a thousand firms, by the fast and by the general kernels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from withstand.model.network import ProductionNetwork
from withstand.readers.firms import network_from_links
from withstand.stress.cascade_arrays import prepare
from withstand.stress.cascades import cascade
from withstand.stress.failures import fail_each

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from esri import NO_GENERATOR, compile_kernels, firm_frames, firm_tables
from networks import firm_generator


@pytest.fixture(scope="module")
def network() -> ProductionNetwork:
    generator = firm_generator()
    if generator is None:
        pytest.skip(NO_GENERATOR)
    built = network_from_links(*firm_frames(firm_tables(generator, 1000, sectors=55)))
    for fast in (True, False):
        compile_kernels(built, 1, fast=fast)
    return built


@pytest.mark.parametrize("kernels", ["fast", "general"])
def test_every_firm_fails_once(benchmark, network: ProductionNetwork, kernels: str) -> None:
    prepared = prepare(network)
    weight = prepared.weight / prepared.weight.sum()
    nodes = np.arange(network.n_nodes)
    found = benchmark(fail_each, prepared, nodes, weight, 1e-2, 1, 1, fast=kernels == "fast")
    assert found.loss[:, 0].mean() == pytest.approx(0.014298, abs=1e-6)


def test_one_shock_of_one_firm(benchmark, network: ProductionNetwork) -> None:
    psi = np.zeros(network.n_nodes)
    psi[0] = 1.0
    assert 0.0 < benchmark(cascade, network, psi).loss < 1.0
