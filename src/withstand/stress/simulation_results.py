"""What a simulation tells: time lines, losses, times, tables, and who limited whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, nearest
from withstand.model.hits import resolve
from withstand.model.recipe_inputs import CONSUMED
from withstand.model.units import periods_of
from withstand.stress.chains import CHAIN, FALL, Chain, limit_name

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.hits import Hit
    from withstand.model.network import ProductionNetwork
    from withstand.model.provenance import Provenance
    from withstand.model.scenario import Scenario
    from withstand.stress.recordings import Totals
    from withstand.stress.rules import Rules

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """One scenario played on a network.

    An array that was not recorded has no rows.

    Parameters
    ----------
    network : ProductionNetwork
    scenario : Scenario
    rules : Rules
    output, unmet : ndarray of float64, shape (n_periods, n_nodes), units per period
        Output, and final demand that was not met.
    limited_by : ndarray of int64, shape (n_periods, n_nodes)
        What held output back: -1 nothing but demand, -2 own capacity, else the index of the
        input that bound.
    finished : ndarray of float64, shape (n_periods, n_nodes), units
        Stock of finished goods at the end of each period.
    alpha : ndarray of float64, shape (n_periods, n_nodes)
        Overcapacity of the period that follows, as a multiple of capacity.
    stock : ndarray of float64, shape (n_periods, n_inputs), input units
        Stock at the end of each period.
    nodes, inputs : ndarray of int64, or None
        The nodes and inputs in the columns of these arrays; None: all.
    totals : Totals
        Sums over all nodes, whatever else is recorded.
    folder : Path or None
        Where the run was written to.
    findings : tuple of Finding
        For instance a suspicious zero.
    provenance : Provenance
    """

    network: ProductionNetwork
    scenario: Scenario
    rules: Rules
    output: Array
    unmet: Array
    limited_by: Array
    finished: Array
    alpha: Array
    stock: Array
    nodes: Array | None
    inputs: Array | None
    totals: Totals
    folder: Path | None
    findings: tuple[Finding, ...]
    provenance: Provenance

    @property
    def n_periods(self) -> int:
        """Periods played."""
        return len(self.totals.lost)

    @property
    def residual(self) -> float:
        """Largest violation of conservation, as a share of the input's flow; NaN: not checked.

        Conservation: stock now = stock before + received - used.
        """
        return float(self.totals.residual.max(initial=0.0))

    @property
    def loss(self) -> float:
        """Unmet final demand, in currency (nodes without a price left out)."""
        return float(self.totals.loss.sum())

    @property
    def loss_in_periods(self) -> float:
        """Unmet final demand in periods of final demand at rest, weighted as in `met`."""
        rest = float(np.maximum(self.network.final_demand, 0.0) @ loss_weight(self.network))
        return float(self.totals.lost.sum()) / rest if rest > 0 else 0.0

    @property
    def met(self) -> Array:
        """Share of final demand met in each period, by value, shape (n_periods,), 0 to 1.

        Nodes without a price are left out, unless none has one; then units are added up.
        """
        asked = self.totals.asked
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(asked > 0, 1.0 - self.totals.lost / asked, 1.0)

    @cached_property
    def demand(self) -> Array:
        """Final demand asked for, of the nodes recorded: shape (n_periods, n_nodes), units.

        Demand that a shock takes away is not asked for, so it is no loss.
        """
        hits = resolve(self.scenario, self.network, self.n_periods)
        demand = demand_of(self.network, hits, self.n_periods)
        return demand if self.nodes is None else demand[:, self.nodes]

    @property
    def time_to_survive(self) -> int | None:
        """Periods from the first shock until some node misses final demand; None if none does."""
        short = self._short_periods()
        return int(short[0]) - self._first_hit() if len(short) else None

    @property
    def time_to_recover(self) -> int | None:
        """Periods from the first shock until every node meets final demand again, to the end.

        0 if it was always met, None if it is not met in the last period played. This is the time
        of the network; the time that a node itself is down is its shock's.
        """
        short = self._short_periods()
        if len(short) == 0:
            return 0
        back = int(short[-1]) + 1
        return back - self._first_hit() if back < self.n_periods else None

    def _short_periods(self) -> Array:
        return np.flatnonzero(self.totals.is_short)

    def _first_hit(self) -> int:
        """First period in which a shock takes something."""
        period = self.network.settings.period
        starts = [periods_of(s.start, period) for s in self.scenario.shocks if s.share > 0]
        return int(min(starts, default=0.0) + 1e-9)

    def to_frame(self) -> pl.DataFrame:
        """Return one row a period: share met, output against rest, unmet demand, what bound.

        `limited_by` names what held back the node that misses most (its own capacity, or an
        input); `mean_output` is the mean over nodes that make something at rest, each counted
        once; `loss` is in currency.
        """
        totals = self.totals
        names = [limit_name(self.network, int(k)) if k > -3 else "" for k in totals.worst]
        return pl.DataFrame(
            {
                "period": np.arange(self.n_periods),
                "met": self.met,
                "mean_output": totals.mean_output,
                "unmet": totals.unmet,
                "loss": totals.loss,
                "limited_by": names,
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def node_frame(self) -> pl.DataFrame:
        """Return one row a node: output lost in all, lowest output, first period below rest.

        What is made above rest later on, to refill stocks, is not set against the loss.
        """
        self._need("output")
        which = slice(None) if self.nodes is None else self.nodes
        rest = self.network.output[which]
        gap = np.maximum(rest - self.output, 0.0)
        fallen = self.output < rest * (1.0 - FALL)
        first = np.where(fallen.any(axis=0), fallen.argmax(axis=0), -1)
        with np.errstate(invalid="ignore", divide="ignore"):
            lowest = np.where(rest > 0, (self.output / rest).min(axis=0), 1.0)
            lost = np.where(rest > 0, gap.sum(axis=0) / rest, 0.0)
        network = self.network
        return (
            pl.DataFrame(
                {
                    "node": network.node_labels[which],
                    "product": network.product_labels[network.node_product[which]],
                    "region": network.region_labels[network.node_region[which]],
                    "periods_lost": lost,
                    "lowest_output": lowest,
                    "first_fall": first,
                }
            )
            .with_columns(pl.when(pl.col("first_fall") >= 0).then("first_fall").alias("first_fall"))
            .sort(["periods_lost", "node"], descending=[True, False])
        )

    def stocks_run_out(self) -> pl.DataFrame:
        """Return the stocks that reach zero, earliest first: period, buyer, input."""
        self._need("stock")
        network = self.network
        which = np.arange(network.n_inputs) if self.inputs is None else self.inputs
        rest = network.input_stock[which]
        held = (rest > 0) & (network.input_use[which] == CONSUMED)
        empty = self.stock <= rest * FALL
        out = np.flatnonzero(held & empty.any(axis=0))
        return pl.DataFrame(
            {
                "period": empty[:, out].argmax(axis=0),
                "buyer": network.node_labels[network.input_buyer[which[out]]],
                "input": network.product_labels[network.input_product[which[out]]],
                "stock_at_rest": rest[out],
            }
        ).sort(["period", "buyer", "input"])

    def recorded(self, table: str = "nodes") -> pl.LazyFrame:
        """Return what was written to the folder of the run, to be read as far as needed.

        Parameters
        ----------
        table : {"nodes", "inputs"}
            period, node and what was recorded of nodes; or period, buyer, input, stock.
        """
        if self.folder is None:
            raise UsageError("The run was kept in memory: simulate(..., out=folder) writes it.")
        files = sorted(self.folder.glob(f"{table}-*.parquet"))
        if not files:
            raise UsageError(f"{self.folder} holds no table '{table[:40]}'; use nodes or inputs.")
        return pl.scan_parquet(files)

    def _need(self, *names: str, of_all: bool = False) -> None:
        """Refuse to answer from what was not recorded."""
        missing = [name for name in names if len(getattr(self, name)) == 0]
        if missing == ["stock"] and self.folder is None:
            raise UsageError(
                "Stocks were not recorded: name them (record=[..., 'stock']), or write them to a "
                "folder (out=...) where the network is too large for this horizon."
            )
        if missing and self.folder is not None:
            raise UsageError(
                f"{' and '.join(missing)} stand in {self.folder}, not in memory: read them with "
                "recorded(), or play fewer periods without out."
            )
        if missing:
            raise UsageError(f"{' and '.join(missing)} were not recorded: name them in record.")
        if of_all and self.nodes is not None:
            raise UsageError("Only some nodes were recorded; leave nodes out for this question.")

    def why(self, label: str, period: int | None = None) -> pl.DataFrame:
        """Return the chain of who limited whom, from a node back to what was hit.

        Parameters
        ----------
        label : str
            A node.
        period : int, optional
            Default: the period of its lowest output.

        Returns
        -------
        polars.DataFrame
            step, period, node, output (share of rest), limited_by, supplier (the one that fell
            short most, since the stock of that input was full), shock (where the chain ends at
            something that was hit).
        """
        index = self.network.index("nodes")
        if label not in index:
            near = nearest(label, list(index))
            raise UsageError(
                f"There is no node '{label[:60]}'." + (f" Did you mean {near}?" if near else "")
            )
        node = index[label]
        self._need("output", "limited_by", of_all=True)
        at = int(self.output[:, node].argmin()) if period is None else period
        if not 0 <= at < self.n_periods:
            raise UsageError(f"period {at} was not played; there are {self.n_periods}.")
        hits = resolve(self.scenario, self.network, self.n_periods)
        chain = Chain(self.network, hits, self.output, self.limited_by, self.stock)
        return pl.DataFrame(chain.rows(node, at), schema=CHAIN, orient="row")

    def summary(self) -> str:
        """Return one sentence: times and loss."""
        survive, recover = self.time_to_survive, self.time_to_recover
        played = self._spoken(self.n_periods)
        if survive is None:
            return f"{self.scenario.name}: final demand is met throughout {played}."
        missed = "at once" if survive == 0 else f"after {self._spoken(survive)}"
        back = f"not within {played}" if recover is None else f"after {self._spoken(recover)}"
        period, lost = self.network.settings.period, self.loss_in_periods
        return (
            f"{self.scenario.name}: final demand is first missed {missed} and met again {back}; "
            f"{lost:.1f} {period}s of demand are lost."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Simulation: {self.summary()}>"

    def _spoken(self, number: int) -> str:
        return f"{number} {self.network.settings.period}{'' if number == 1 else 's'}"


def loss_weight(network: ProductionNetwork) -> Array:
    """Return what a unit of unmet final demand weighs: its value; 1 where none is known."""
    weight = np.nan_to_num(network.unmet_value)
    served = network.final_demand > 0
    return weight if (weight[served] > 0).any() else np.ones(len(weight))


def demand_of(
    network: ProductionNetwork, hits: Sequence[Hit], n_periods: int, start: int = 0
) -> Array:
    """Return the final demand asked for from period `start` to before `n_periods`."""
    rest = np.maximum(network.final_demand, 0.0)
    demand = np.broadcast_to(rest, (n_periods - start, network.n_nodes)).copy()
    for hit in hits:
        if hit.kind == "demand":
            demand[:, hit.indices] *= hit.factor[start:n_periods, None]
    return demand
