"""Many scenarios on an economy whose flows are one matrix, period by period, side by side."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.errors import UsageError
from withstand.kernels import dense_dynamics as kernel
from withstand.kernels.tiles import N_LANES
from withstand.model.hits import Hit, resolve
from withstand.model.units import periods_of
from withstand.stress.chains import FALL
from withstand.stress.dense_arrays import Prepared, dense_obstacle, prepare
from withstand.stress.dense_blocks import DenseBlock
from withstand.stress.rules import Rules, rules_of
from withstand.stress.simulation_results import loss_weight

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario

Array = np.ndarray
Progress = Callable[[int, int], None]
LANES = 104
"""Scenarios in a block at most: measured; wider blocks read the shares less often."""
BLOCK_BYTES = 2**30
"""What the stocks of all blocks that are played at a time may take."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DenseRun:
    """What some scenarios did to an economy.

    Parameters
    ----------
    output, unmet, asked : ndarray of float64, shape (n_periods, n_scenarios), currency per period
        Output, final demand that was not met, and final demand asked for, of all nodes, by value
        (`unmet_value` for the latter two; in units where no node has one).
    is_short, is_changed : ndarray of bool, shape (n_periods, n_scenarios)
        Whether some node misses more than a millionth of final demand; whether anything differs
        from rest.
    node_output, node_unmet : ndarray of float64, shape (n_nodes, n_scenarios), units
        Sums over all periods.
    loss : ndarray of float64, shape (n_scenarios,), currency
        Unmet final demand.
    loss_in_periods : ndarray of float64, shape (n_scenarios,), periods
        The same in periods of final demand at rest.
    first_hit : ndarray of int64, shape (n_scenarios,)
        First period in which a shock takes something.
    """

    output: Array
    unmet: Array
    asked: Array
    is_short: Array
    is_changed: Array
    node_output: Array
    node_unmet: Array
    loss: Array
    loss_in_periods: Array
    first_hit: Array

    @property
    def met(self) -> Array:
        """Share of final demand met, by value, shape (n_periods, n_scenarios), 0 to 1."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.asked > 0, 1.0 - self.unmet / self.asked, 1.0)

    def outcomes(self) -> list[dict[str, Any]]:
        """Return a row for each scenario, of what a `Simulation` would say.

        loss (currency), periods_lost, time_to_survive, time_to_recover (periods, or None),
        is_changed.
        """
        rows = []
        for k in range(len(self.loss)):
            short = np.flatnonzero(self.is_short[:, k])
            back = int(short[-1]) + 1 if len(short) else int(self.first_hit[k])
            rows.append(
                {
                    "loss": float(self.loss[k]),
                    "periods_lost": float(self.loss_in_periods[k]),
                    "time_to_survive": int(short[0] - self.first_hit[k]) if len(short) else None,
                    "time_to_recover": (
                        back - int(self.first_hit[k]) if back < len(self.is_short) else None
                    ),
                    "is_changed": bool(self.is_changed[:, k].any()),
                }
            )
        return rows


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """The arrays that blocks write to: columns are scenarios."""

    output: Array
    unmet: Array
    asked: Array
    is_short: Array
    is_changed: Array
    node_output: Array
    node_unmet: Array

    @classmethod
    def empty(cls, n_nodes: int, n_periods: int, n_scenarios: int) -> _Sums:
        by_period, by_node = (n_periods, n_scenarios), (n_nodes, n_scenarios)
        return cls(
            **{name: np.zeros(by_period) for name in ("output", "unmet", "asked")},
            **{name: np.zeros(by_period, dtype=bool) for name in ("is_short", "is_changed")},
            **{name: np.zeros(by_node) for name in ("node_output", "node_unmet")},
        )

    def part(self, columns: slice) -> _Sums:
        return _Sums(**{name: values[:, columns] for name, values in vars(self).items()})


def simulate_dense(
    network: ProductionNetwork,
    scenarios: Sequence[Scenario],
    *,
    periods: int,
    rules: Rules | str = "default",
    jobs: int | None = 1,
    lanes: int = LANES,
    prepared: Prepared | None = None,
    progress: Progress | None = None,
) -> DenseRun:
    """Play scenarios on an economy, all of them side by side.

    The same numbers as `simulate` gives for each scenario; the sums are the same bits for any
    number of threads and for any company of scenarios.

    Parameters
    ----------
    network : ProductionNetwork
        An economy: with a matrix of flows.
    scenarios : sequence of Scenario
    periods : int
        How long to play.
    rules : Rules or str
    jobs : int, optional
        Threads; default one, None: one per processor.
    lanes : int
        Scenarios in a block at most. Each thread plays one block at a time, and keeps
        n_products x n_nodes x lanes numbers: 150 MB for 60 products, 3,000 nodes, 104 lanes.
    prepared : Prepared, optional
        What `prepare` made of the network and the rules, where it is needed again.
    progress : callable of (done, all), optional
        Called with periods of scenarios.

    Returns
    -------
    DenseRun

    Raises
    ------
    UsageError
        If the network or the rules ask for more than the matrix of flows can say.
    ScenarioError
        If a scenario names something that the network lacks.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.scenario import Scenario
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "DE"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["DE"], "category": ["households"]}),
    ...     Settings(lens="economy", period="day"))
    >>> lose = [Scenario.lose(product="steel", share=s, duration=1) for s in (0.5, 1.0)]
    >>> run = simulate_dense(net, lose, periods=3, rules=Rules(inputs="leontief"))
    >>> run.output.T.round(6).tolist()
    [[12.0, 9.0, 14.0], [10.0, 4.0, 14.0]]
    """
    network = network.settled
    spoken = rules_of(rules, network.settings.period)
    n_periods = _whole(periods)
    hits = [resolve(scenario, network, n_periods) for scenario in scenarios]
    _stop_on_obstacle(network, spoken, [hit for some in hits for hit in some])
    ready = prepare(network, spoken) if prepared is None else prepared
    sums = _Sums.empty(network.n_nodes, n_periods, len(hits))
    price, weight = np.nan_to_num(network.price), loss_weight(network)
    n_jobs = max(1, min(jobs or os.cpu_count() or 1, -(-len(hits) // N_LANES)))
    done, lock = 0, threading.Lock()

    def report(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            if progress is not None:
                progress(done, len(hits) * n_periods)

    def play(part: slice) -> None:
        _play_block(ready, hits[part], price, weight, sums.part(part), report)

    parts = blocks(len(hits), _most_lanes(ready, lanes, n_jobs), n_jobs)
    if n_jobs == 1:
        for part in parts:
            play(part)
    else:
        with ThreadPoolExecutor(n_jobs) as pool:
            for _ in pool.map(play, parts):
                pass
    rest = float(np.maximum(network.final_demand, 0.0) @ weight)
    lost = sums.unmet.sum(axis=0)
    return DenseRun(
        **vars(sums),
        loss=np.nan_to_num(network.unmet_value) @ sums.node_unmet,
        loss_in_periods=lost / rest if rest > 0 else np.zeros(len(hits)),
        first_hit=np.array([_first_hit(network, scenario) for scenario in scenarios], np.int64),
    )


def _first_hit(network: ProductionNetwork, scenario: Scenario) -> int:
    period = network.settings.period
    starts = [periods_of(s.start, period) for s in scenario.shocks if s.share > 0]
    return int(min(starts, default=0.0) + 1e-9)


def blocks(count: int, lanes: int, jobs: int) -> list[slice]:
    """Return even blocks of scenarios: at most so many lanes, a multiple of the threads.

    Examples
    --------
    >>> blocks(100, 104, 2)
    [slice(0, 56, None), slice(56, 100, None)]
    """
    if count == 0:
        return []
    n_blocks = -(-count // lanes)
    n_blocks = -(-n_blocks // jobs) * jobs
    width = -(-count // n_blocks)
    width = -(-width // N_LANES) * N_LANES
    return [slice(first, min(first + width, count)) for first in range(0, count, width)]


def _whole(periods: int) -> int:
    is_whole = isinstance(periods, int | np.integer) and not isinstance(periods, bool)
    if not is_whole or periods < 1:
        raise UsageError(f"periods must be a whole number of at least 1, not {periods!r}.")
    return int(periods)


def _stop_on_obstacle(network: ProductionNetwork, rules: Rules, hits: Sequence[Hit]) -> None:
    obstacle = dense_obstacle(network, rules, hits)
    if obstacle:
        raise UsageError(
            f"The dense simulation cannot be used: {obstacle}. "
            "Use withstand.stress.simulate for this."
        )


def _most_lanes(ready: Prepared, lanes: int, jobs: int) -> int:
    """Return how many lanes a block may have, by memory."""
    of_a_lane = 8 * ready.economy.coefficient.size * jobs
    most = min(lanes, BLOCK_BYTES // max(of_a_lane, 1))
    return int(max(N_LANES, most // N_LANES * N_LANES))


def _play_block(
    ready: Prepared,
    hits: Sequence[Sequence[Hit]],
    price: Array,
    weight: Array,
    out: _Sums,
    report: Callable[[int], None],
) -> None:
    n_periods, n_scenarios = out.output.shape
    block = DenseBlock(ready, hits, n_periods)
    n_nodes, n_lanes = block.work.output.shape
    totals, sums = np.zeros((n_periods, 5, n_lanes)), np.zeros((2, n_nodes, n_lanes))
    price, weight = price[ready.order], weight[ready.order]
    for t in range(n_periods):
        pace = block.produce(t)
        kernel.tally(ready.economy, price, weight, FALL, t, block.work, totals, sums)
        block.deliver(pace)
        report(n_scenarios)
    totals = totals[:, :, :n_scenarios]
    out.output[:], out.unmet[:], out.asked[:] = totals[:, 0], totals[:, 1], totals[:, 2]
    out.is_short[:], out.is_changed[:] = totals[:, 3] > 0, totals[:, 4] > 0
    out.node_output[:] = sums[0, ready.row, :n_scenarios]
    out.node_unmet[:] = sums[1, ready.row, :n_scenarios]
