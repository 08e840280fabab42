"""One scenario, period by period: what stops, when, for how long, and who limited whom."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.errors import SolverError, UsageError
from withstand.kernels import dynamics
from withstand.kernels.dynamics_memory import SimulationRecord, new_record, new_work
from withstand.model.ceilings import need_memory
from withstand.model.findings import Finding, make_finding
from withstand.model.hits import resolve
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.recipe_inputs import CONSUMED
from withstand.model.scenario import scenario_to_dict
from withstand.stress.arrays import finished_goods, network_arrays, rules_to_arrays, shock_arrays
from withstand.stress.dense_blocks import dense_player
from withstand.stress.horizons import horizon
from withstand.stress.recordings import (
    BLOCK,
    OF_NODES,
    RECORDABLE,
    Folder,
    Totals,
    inputs_of,
    recorded_names,
    recorded_nodes,
)
from withstand.stress.rules import Rules, rules_of, rules_to_dict
from withstand.stress.simulation_results import Simulation, demand_of, loss_weight

if TYPE_CHECKING:
    from withstand.model.hits import Hit
    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario

__all__ = ["Simulation", "simulate"]

Array = np.ndarray
PlayBlock = Callable[[SimulationRecord, int, int], None]
LARGEST_INPUT_RECORD = 2**29
"""Bytes that stocks, receipts and use may take where nobody asked for them; else left out."""
LARGEST_RECORD = 2**33
"""Bytes that a record in memory may take."""
IN_SUMS = ("output", "unmet", "limited_by")
"""What the totals of a block are made from."""


def simulate(
    network: ProductionNetwork,
    scenario: Scenario,
    *,
    periods: int | None = None,
    rules: Rules | str = "default",
    record: Sequence[str] | None = None,
    nodes: Sequence[str] | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Simulation:
    """Play a scenario period by period: lead times, stocks, scarce inputs, rationing, recovery.

    The order of events within a period, every formula, ties and what is ignored stand on the page
    "mechanisms" and in `withstand.kernels.dynamics`: deliveries arrive, demand is added up, inputs
    limit output, short output is rationed, orders refill stocks. By default essential inputs limit
    in proportion and all buyers are rationed alike; `rules` has more.

    Parameters
    ----------
    network : ProductionNetwork
    scenario : Scenario
    periods : int, optional
        How long to play; default: until the last recovery, and then long enough for the last
        gap to come down every tier, through lead times and stocks (at most ten years). A shock
        without an end is played for at least two years.
    rules : Rules, or name of a preset: "default", "ario", "inoue_todo", "pichler"
        How makers, buyers and shippers behave. Times of presets are stated in days, and taken
        over into periods of the network.
    record : sequence of str, optional
        What to keep: "output", "unmet", "limited_by", "finished", "alpha", "stock". Default: the
        first three, finished goods and overcapacity where there are any, and stocks where they
        take less than half a gigabyte. Losses and times are there whatever is kept.
    nodes : sequence of str, optional
        Labels of the nodes that are kept (with their inputs); default: all.
    out : path, optional
        Folder for what is kept, written in blocks of periods, so that it need not fit in memory;
        read it with `recorded`. A folder that holds the same run, complete, is not played again.

    Returns
    -------
    Simulation

    Raises
    ------
    ScenarioError
        If the scenario names something that the network lacks.
    UsageError
        If an argument is not possible, the record would not fit in memory, or the folder holds
        something else.

    Examples
    --------
    A mill feeds a plant that holds four weeks of steel; the mill stops for six weeks.

    >>> import polars as pl
    >>> from withstand.model.building import build_network
    >>> from withstand.model.scenario import Scenario
    >>> from withstand.model.settings import Settings
    >>> net = build_network({
    ...     "nodes": pl.DataFrame({"node": ["mill", "plant"], "product": ["STEEL", "GEAR"],
    ...         "region": ["JP", "HOME"], "capacity": [30.0, 10.0], "final_demand": [0.0, 10.0]}),
    ...     "recipes": pl.DataFrame({"buyer": ["GEAR"], "input": ["STEEL"], "quantity": [2.0]}),
    ...     "links": pl.DataFrame({"supplier": ["mill"], "buyer": ["plant"], "share": [1.0]}),
    ...     "stocks": pl.DataFrame({"node": ["plant"], "product": ["STEEL"],
    ...         "periods_of_use": [4.0]})}, Settings(home="HOME"))
    >>> run = simulate(net, Scenario.lose(region="JP", duration="6w"))
    >>> run.time_to_survive, run.time_to_recover, round(run.loss_in_periods, 6)
    (5, 7, 2.0)
    """
    network = network.settled
    spoken = rules_of(rules, network.settings.period)
    n_periods = horizon(network, scenario, spoken) if periods is None else periods
    is_whole = isinstance(n_periods, int | np.integer) and not isinstance(n_periods, bool)
    if not is_whole or n_periods < 1:
        raise UsageError(f"periods must be a whole number of at least 1, not {periods!r}.")
    n_periods = int(n_periods)
    which = recorded_nodes(network, nodes)
    keep = recorded_names(record, _default_record(network, spoken, n_periods))
    hits = resolve(scenario, network, n_periods)
    parameters: dict[str, Any] = {
        "scenario": scenario_to_dict(scenario),
        "periods": n_periods,
        "rules": rules_to_dict(spoken),
    }
    provenance = provenance_of("stress.simulate", network, parameters)
    folder = None
    if out is not None:
        kept = {"record": list(keep), "nodes": None if which is None else which.tolist()}
        key = {"format": 1, "fingerprint": network.fingerprint(), **parameters, **kept}
        folder = Folder(out, key)
        totals = folder.read_totals()
        if totals is not None:
            nothing = new_record(network, 0, (), nodes=which)
            return _result(network, scenario, spoken, nothing, totals, folder, provenance)
        folder.clear()
    else:
        kept_bytes = _size(network, keep, which) * n_periods
        advice = (
            "Play fewer periods (periods=), keep less (record=, nodes=) or write them to a folder "
            "(out=)."
        )
        if kept_bytes > LARGEST_RECORD:
            raise UsageError(
                f"{n_periods:,} periods of {network.n_nodes:,} nodes do not fit in memory. {advice}"
            )
        what = f"The record of {n_periods:,} periods"
        need_memory(kept_bytes, what, advice, stated=network.settings.most_memory)
    dense = dense_player(network, spoken, hits, n_periods)
    play = dense.play if dense is not None else _on_links(network, spoken, hits, n_periods)
    whole, totals = Player(network, play, hits, n_periods).play(keep, which, folder)
    return _result(network, scenario, spoken, whole, totals, folder, provenance)


def _default_record(network: ProductionNetwork, rules: Rules, n_periods: int) -> tuple[str, ...]:
    """Return what is kept if nobody says."""
    extra = ["finished"] if finished_goods(network).any() else []
    extra += ["alpha"] if rules.alpha_max > 1.0 else []
    extra += ["stock"] if n_periods * network.n_inputs * 24 <= LARGEST_INPUT_RECORD else []
    return tuple(name for name in RECORDABLE if name in (*IN_SUMS, *extra))


def _size(network: ProductionNetwork, keep: Sequence[str], nodes: Array | None) -> int:
    """Return how many bytes of a period are kept."""
    of_nodes = 8 * (network.n_nodes if nodes is None else len(nodes))
    inputs = inputs_of(network, nodes) if "stock" in keep else None
    of_inputs = 8 * (network.n_inputs if inputs is None else len(inputs))
    return sum(of_nodes for name in keep if name in OF_NODES) + of_inputs * ("stock" in keep)


@dataclass(frozen=True, eq=False)
class Player:
    """A network and shocks, and what plays periods from start to stop into a record."""

    network: ProductionNetwork
    play_block: PlayBlock
    hits: list[Hit]
    n_periods: int

    def play(
        self, keep: Sequence[str], nodes: Array | None, folder: Folder | None
    ) -> tuple[SimulationRecord, Totals]:
        """Return what is kept in memory, and the totals.

        A block holds all nodes. If all of them are kept in memory, there is one block.
        """
        network, n_periods = self.network, self.n_periods
        weight, inputs = loss_weight(network), inputs_of(network, nodes)
        wide = {*keep, *IN_SUMS, *(("received", "used") if "stock" in keep else ())}
        is_whole = folder is None and nodes is None and set(IN_SUMS) <= set(keep)
        size = 8 * (network.n_nodes * 5 + (3 * network.n_inputs if "stock" in keep else 0))
        length = n_periods if is_whole else max(1, min(n_periods, BLOCK // size))
        rows = 0 if folder is not None else n_periods
        whole = new_record(network, rows, () if is_whole else keep, nodes=nodes, inputs=inputs)
        before = np.where(network.input_use == CONSUMED, network.input_stock, 0.0)
        blocks = []
        for number, start in enumerate(range(0, n_periods, length)):
            stop = min(start + length, n_periods)
            block = new_record(network, stop - start, tuple(wide))
            self.play_block(block, start, stop)
            demand = demand_of(network, self.hits, stop, start)
            residual = _residual(network, before, block)
            blocks.append(Totals.of_block(network, weight, demand, block, residual))
            before = block.stock[-1].copy() if len(block.stock) else before
            if is_whole:
                return block, blocks[0]
            if folder is not None:
                folder.write(network, number, start, block, keep, nodes)
            else:
                _copy(block, whole, slice(start, stop))
        totals = Totals.together(blocks)
        if folder is not None:
            folder.write_totals(totals)
        return whole, totals


def _on_links(
    network: ProductionNetwork, rules: Rules, hits: list[Hit], n_periods: int
) -> PlayBlock:
    """Return what plays periods on the links of a network."""
    arrays = network_arrays(network)
    ruled = rules_to_arrays(network, arrays, rules)
    shocks, work = shock_arrays(hits, n_periods), new_work(arrays, ruled)

    def play(block: SimulationRecord, start: int, stop: int) -> None:
        _raise_on(dynamics.simulate(arrays, shocks, ruled, work, block, start, stop))

    return play


def _copy(block: SimulationRecord, whole: SimulationRecord, rows: slice) -> None:
    """Take what is kept of a block over into the whole."""
    for name in RECORDABLE:
        values = getattr(whole, name)
        if len(values):
            which = whole.nodes if name in OF_NODES else whole.inputs
            own = getattr(block, name)
            values[rows] = own if which is None else own[:, which]


def _result(
    network: ProductionNetwork,
    scenario: Scenario,
    rules: Rules,
    record: SimulationRecord,
    totals: Totals,
    folder: Folder | None,
    provenance: Provenance,
) -> Simulation:
    return Simulation(
        network=network,
        scenario=scenario,
        rules=rules,
        **{name: getattr(record, name) for name in RECORDABLE},
        nodes=record.nodes,
        inputs=record.inputs,
        totals=totals,
        folder=None if folder is None else folder.path,
        findings=_suspicious_zero(scenario, totals),
        provenance=provenance,
    )


def _raise_on(status: int) -> None:
    if status == dynamics.STATUS_HOURS_ORDER:
        raise SolverError("The order of hours is not consistent; please report this network.")
    if status == dynamics.STATUS_NO_NUMBER:
        raise SolverError(
            "An output or a stock stopped being a number. Check the tables for extreme quantities."
        )


def _suspicious_zero(scenario: Scenario, totals: Totals) -> tuple[Finding, ...]:
    if totals.is_moved.any() or not scenario.shocks:
        return ()
    return (make_finding("W301", f"{scenario.name}: no output changed in any period"),)


def _residual(network: ProductionNetwork, before: Array, record: SimulationRecord) -> Array:
    """Return the largest violation of conservation per period; NaN where stocks are not kept."""
    n_periods = len(record.output)
    if len(record.stock) == 0:
        return np.full(n_periods, np.nan)
    consumed = network.input_use == CONSUMED
    if network.flow_table is None:  # every input of an economy has suppliers
        consumed &= np.diff(network.links_indptr) > 0
    if not consumed.any():
        return np.zeros(n_periods)
    earlier = np.vstack([before[None, :], record.stock[:-1]])
    gap = np.abs(earlier + record.received - record.used - record.stock)[:, consumed]
    flow = network.input_coefficient * network.output[network.input_buyer] + network.input_stock
    return (gap / np.maximum(flow[consumed], 1e-300)).max(axis=1)
