"""A block of scenarios on an economy, played together; and one scenario with everything kept."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.errors import SolverError
from withstand.kernels import dense_dynamics as kernel
from withstand.kernels.dense_memory import new_work
from withstand.kernels.dynamics_memory import SimulationRecord, write_down
from withstand.stress.dense_arrays import Prepared, dense_obstacle, lane_shocks, prepare

if TYPE_CHECKING:
    from withstand.model.hits import Hit
    from withstand.model.network import ProductionNetwork
    from withstand.stress.rules import Rules

Array = np.ndarray


class DenseBlock:
    """Some scenarios at rest, and how a period changes them."""

    def __init__(self, ready: Prepared, hits: Sequence[Sequence[Hit]], n_periods: int) -> None:
        self.ready = ready
        self.work = new_work(ready.economy, len(hits))
        n_lanes = self.work.output.shape[1]
        self.shocks = [
            (lane_shocks(hits, ready.row, kind, n_lanes, n_periods), left)
            for kind, left in (
                ("node", self.work.capacity_left),
                ("demand", self.work.demand_left),
            )
        ]
        kernel.look_at_stocks(ready.economy, ready.rules, self.work)

    def produce(self, t: int) -> float:
        """Play a period until output is known; return the pace of orders for `deliver`."""
        for shocks, left in self.shocks:
            kernel.apply_shocks(*shocks, t, left)
        economy, rules = self.ready.economy, self.ready.rules
        pace = rules.pace if t > 0 else 0.0  # orders of the first period are those at rest
        kernel.add_up_orders(economy, rules, pace, self.work)
        if kernel.produce(economy, rules, self.work) != kernel.STATUS_DONE:
            raise SolverError(
                "An output stopped being a number. Check the tables for extreme quantities."
            )
        return pace

    def deliver(self, pace: float) -> None:
        """Play the rest of the period."""
        kernel.deliver(self.ready.economy, self.ready.rules, pace, self.work)


class DensePlayer:
    """One scenario on an economy, period by period, with all that can be recorded.

    Parameters
    ----------
    network : ProductionNetwork
        An economy: with a matrix of flows.
    ready : Prepared
    hits : sequence of Hit
        What the scenario hits.
    n_periods : int
        How far the hits reach.
    """

    def __init__(
        self, network: ProductionNetwork, ready: Prepared, hits: Sequence[Hit], n_periods: int
    ) -> None:
        self.ready = ready
        self.block = DenseBlock(ready, [hits], n_periods)
        self.place = network.input_product, ready.row[network.input_buyer]
        self.own_input = np.full((network.n_products, network.n_nodes), -1, dtype=np.int64)
        self.own_input[network.input_product, network.input_buyer] = np.arange(network.n_inputs)
        self.coefficient = network.input_coefficient
        self.buyer = network.input_buyer
        self.left = self._at_hand() - self.coefficient * network.output[self.buyer]
        self.bound = np.empty(network.n_nodes, np.int64)

    def play(self, record: SimulationRecord, start: int, stop: int) -> None:
        """Play the periods from start to before stop, each one into the next row of a record."""
        for row, t in enumerate(range(start, stop)):
            pace = self.block.produce(t)
            write_down(self._values(), record, row)
            self.block.deliver(pace)

    def _at_hand(self) -> Array:
        return self.block.work.stock[:, :, 0][self.place]

    def _values(self) -> Any:
        """Return what there is to record between production and delivery, as `write_down` asks."""
        work, row = self.block.work, self.ready.row
        output = work.output[row, 0]
        at_hand = self._at_hand()
        used = np.minimum(self.coefficient * output[self.buyer], at_hand)
        received, self.left = at_hand - self.left, at_hand - used
        return SimpleNamespace(
            output=output,
            unmet=work.unmet[row, 0],
            limited_by=self._limits(),
            finished=np.zeros(len(row)),
            alpha=work.alpha[row, 0],
            stock=self.left,
            received=received,
            used=used,
        )

    def _limits(self) -> Array:
        """Return what held each node back: -1, -2 or the index of an input."""
        kernel.name_limits(self.ready.economy, self.ready.rules, 0, self.block.work, self.bound)
        bound = self.bound[self.ready.row]
        named = self.own_input[np.maximum(bound, 0), np.arange(len(bound))]
        return np.where(bound >= 0, named, bound)


def dense_player(
    network: ProductionNetwork, rules: Rules, hits: Sequence[Hit], n_periods: int
) -> DensePlayer | None:
    """Return what plays a scenario on the matrix of flows, or None where links are needed.

    Parameters
    ----------
    network : ProductionNetwork
    rules : Rules
    hits : sequence of Hit
    n_periods : int
    """
    if dense_obstacle(network, rules, hits):
        return None
    return DensePlayer(network, prepare(network, rules), hits, n_periods)
