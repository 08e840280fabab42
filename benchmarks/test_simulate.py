"""A thousand firms period by period, by each set of rules that the benchmark times."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from withstand.kernels import dynamics
from withstand.kernels.dynamics_arrays import NetworkArrays
from withstand.kernels.dynamics_memory import new_record, new_work

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from networks import firm_generator
from simulate import NO_GENERATOR, firm_arrays, rule_sets, shocks_of


@pytest.fixture(scope="module")
def network() -> NetworkArrays:
    generator = firm_generator()
    if generator is None:
        pytest.skip(NO_GENERATOR)
    return firm_arrays(generator, 1000, 10, 55)


@pytest.mark.parametrize("name", ["default", "ario", "final demand first, ten named", "rerouting"])
def test_ten_periods(benchmark, network: NetworkArrays, name: str) -> None:
    rules, shocks = rule_sets(network)[name], shocks_of(1000, 10)
    work, record = new_work(network, rules), new_record(network, 10)
    status = benchmark(dynamics.simulate, network, shocks, rules, work, record)
    assert status == dynamics.STATUS_DONE
    held = record.output[0] <= np.maximum(network.output, network.capacity) * (1 + 1e-9)
    assert held.all()
    assert (record.output[0] < network.output * 0.9).any()
