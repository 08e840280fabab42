"""A firm network period by period: one command, a table of milliseconds a period.

    python benchmarks/simulate.py --firms 100000 --links 10 --sectors 600 [--periods 60] [--lead 1]
                                  [--threads 1|2]

One firm in a hundred loses four fifths of its capacity for the first half of the periods. Times are
wall and processor time per period, without recording; the compile time is that of the first call
in this process (near zero when numba's cache is warm: set NUMBA_CACHE_DIR to an empty folder).
"""

from __future__ import annotations

import argparse
import sys
import time
from types import ModuleType

import numpy as np
from networks import firm_generator

from withstand.kernels import dynamics
from withstand.kernels.dynamics_arrays import (
    LEONTIEF,
    NetworkArrays,
    RuleArrays,
    ShockArrays,
    no_shocks,
    read_only,
    rule_arrays,
)
from withstand.kernels.dynamics_memory import new_record, new_work

NO_GENERATOR = (
    "the generator of firm networks (shared/bench/firm_network.py) is not beside this repository"
)
STOCK, SPARE, FINAL = 10.0, 1.1, 0.3
"""Periods of use that buyers hold; capacity over output; final demand over sales to firms."""


def firm_arrays(
    generator: ModuleType, n_firms: int, links: float, sectors: int, lead: int = 1
) -> NetworkArrays:
    """Return a generated network as the kernels read it: an input is a sector that a firm buys."""
    net = generator.firm_network(n_firms, mean_degree=links, n_sectors=sectors)
    supplier, buyer = net["supplier"].astype(np.int64), net["buyer"].astype(np.int64)
    key = buyer * sectors + net["sector"][supplier]
    order = np.lexsort((supplier, key))
    supplier, value = supplier[order], net["value"][order]
    inputs, link_input = np.unique(key[order], return_inverse=True)
    input_buyer, input_sector = np.divmod(inputs, sectors)
    sales = np.bincount(supplier, value, n_firms)
    output = sales * (1.0 + FINAL) + 1.0
    bought = np.bincount(link_input, value, len(inputs))

    def indptr(groups: np.ndarray, n: int) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=n))])

    return read_only(
        NetworkArrays(
            output=output,
            capacity=output * SPARE,
            final_demand=output - sales,
            finished=np.zeros(n_firms),
            inputs_indptr=indptr(input_buyer, n_firms),
            input_coefficient=bought / output[input_buyer],
            input_class=net["essential"][input_sector, net["sector"][input_buyer]].astype(np.int64),
            input_use=np.zeros(len(inputs), np.int64),
            input_stock=bought * STOCK,
            input_target=bought * STOCK,
            links_indptr=indptr(link_input, len(inputs)),
            link_supplier=supplier,
            link_share=value / bought[link_input],
            link_lead_time=np.full(len(supplier), lead, np.int64),
            hours_order=np.arange(n_firms),
        )
    )


def shocks_of(n_firms: int, n_periods: int, seed: int = 1) -> ShockArrays:
    """Return one shock that takes four fifths of every hundredth firm for half of the time."""
    hit = np.random.default_rng(seed).choice(n_firms, max(1, n_firms // 100), replace=False)
    factor = np.ones((1, n_periods))
    factor[:, : n_periods // 2] = 0.2
    return read_only(
        no_shocks(n_periods)._replace(
            shock_indptr=[0, len(hit)], shock_node=hit, shock_factor=factor
        )
    )


def rule_sets(network: NetworkArrays) -> dict[str, RuleArrays]:
    """Return the rules that are timed, by name."""
    ario = {"inputs": LEONTIEF, "psi": 0.8, "is_wanted": False, "is_scaled": True}
    overtime = {"stock_adjustment": 60.0, "alpha_max": 1.25, "alpha_rate": 1 / 365}
    switch = np.full(len(network.link_supplier), 7.0)
    return {
        "default": rule_arrays(network, stock_adjustment=5.0),
        "ario": rule_arrays(network, **ario, **overtime),
        "final demand first, ten named": rule_arrays(
            network, stock_adjustment=5.0, rationing=1, priority=range(10)
        ),
        "rerouting": rule_arrays(network, stock_adjustment=5.0, link_switch=switch),
    }


def play(
    network: NetworkArrays, shocks: ShockArrays, rules: RuleArrays, threads: int = 1
) -> tuple[float, float]:
    """Return wall and processor seconds of a run."""
    work, record = new_work(network, rules), new_record(network, 0, ())
    wall, cpu = time.perf_counter(), time.process_time()
    status = dynamics.simulate(network, shocks, rules, work, record, threads=threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if status != dynamics.STATUS_DONE:
        sys.exit(f"the run ended with status {status}")
    return wall, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--firms", type=int, default=100_000)
    parser.add_argument("--links", type=float, default=10)
    parser.add_argument("--sectors", type=int, default=600)
    parser.add_argument("--periods", type=int, default=60)
    parser.add_argument("--lead", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    generator = firm_generator()
    if generator is None:
        sys.exit(NO_GENERATOR)
    small = firm_arrays(generator, 100, 5, 10)
    for name, rules in rule_sets(small).items():
        wall, cpu = play(small, shocks_of(100, 2), rules)
        print(f"first call, {name:31} {wall:8.2f} s wall {cpu:8.2f} s processor")
    network = firm_arrays(generator, asked.firms, asked.links, asked.sectors, asked.lead)
    n_inputs, n_links = len(network.input_use), len(network.link_supplier)
    print(
        f"{asked.firms:,} firms, {n_inputs:,} inputs, {n_links:,} links, lead {asked.lead}, "
        f"{asked.threads} threads"
    )
    shocks = shocks_of(asked.firms, asked.periods)
    for name, rules in rule_sets(network).items():
        wall, cpu = (1000 * x / asked.periods for x in play(network, shocks, rules, asked.threads))
        print(f"{name:43} {wall:8.1f} ms wall {cpu:8.1f} ms processor a period")


if __name__ == "__main__":
    main()
