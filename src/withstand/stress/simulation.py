"""One scenario, period by period: what stops, when, for how long, and who limited whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import SolverError, UsageError
from withstand.kernels import dynamics
from withstand.model.findings import Finding, make_finding, nearest
from withstand.model.hits import resolve
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.recipe_inputs import CONSUMED
from withstand.model.scenario import Scenario, scenario_to_dict
from withstand.model.units import periods_of
from withstand.stress.arrays import network_arrays, shock_arrays
from withstand.stress.chains import CHAIN, FALL, Chain, limit_name
from withstand.stress.horizons import horizon

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
STOCK_ADJUSTMENT = 1.0
TOLERANCE = 1e-9
LARGEST_INPUT_RECORD = 2**29
"""Bytes that the record of stocks, receipts and use may take; else it is left out."""
LARGEST_RECORD = 2**33
"""Bytes that the record of outputs, unmet demand and limits may take."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """One scenario played on a network.

    Parameters
    ----------
    network : ProductionNetwork
    scenario : Scenario
    output, unmet : ndarray of float64, shape (n_periods, n_nodes), units per period
        Output, and final demand that was not met.
    limited_by : ndarray of int64, shape (n_periods, n_nodes)
        What held output back: -1 nothing but demand, -2 own capacity, else the index of the
        input that bound.
    stock : ndarray of float64, shape (n_periods, n_inputs) or (0, n_inputs), input units
        Stock at the end of each period; empty where the record would take too much memory.
    demand : ndarray of float64, shape (n_periods, n_nodes), units per period
        Final demand asked for. Demand that a shock takes away is not asked for, so it is no loss.
    residual : float
        Largest violation of conservation (stock now = stock before + received - used), as a share
        of the input's flow; NaN where inputs were not recorded.
    findings : tuple of Finding
        For instance a suspicious zero.
    provenance : Provenance
    """

    network: ProductionNetwork
    scenario: Scenario
    output: Array
    unmet: Array
    limited_by: Array
    stock: Array
    demand: Array
    residual: float
    findings: tuple[Finding, ...]
    provenance: Provenance

    @property
    def n_periods(self) -> int:
        """Periods played."""
        return self.output.shape[0]

    @property
    def loss(self) -> float:
        """Unmet final demand, in currency (nodes without a price left out)."""
        return float((self.unmet @ np.nan_to_num(self.network.unmet_value)).sum())

    @property
    def loss_in_periods(self) -> float:
        """Unmet final demand in periods of final demand at rest, weighted as in `met`."""
        weight = self._weight()
        rest = float(np.maximum(self.network.final_demand, 0.0) @ weight)
        return float((self.unmet @ weight).sum()) / rest if rest > 0 else 0.0

    @property
    def met(self) -> Array:
        """Share of final demand met in each period, by value, shape (n_periods,), 0 to 1.

        Nodes without a price are left out, unless none has one; then units are added up.
        """
        weight = self._weight()
        asked = self.demand @ weight
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(asked > 0, 1.0 - (self.unmet @ weight) / asked, 1.0)

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
        return np.flatnonzero((self.unmet > FALL * self.demand).any(axis=1))

    def _first_hit(self) -> int:
        """First period in which a shock takes something."""
        period = self.network.settings.period
        starts = [periods_of(s.start, period) for s in self.scenario.shocks if s.share > 0]
        return int(min(starts, default=0.0) + 1e-9)

    def _weight(self) -> Array:
        weight = np.nan_to_num(self.network.unmet_value)
        served = self.network.final_demand > 0
        return weight if (weight[served] > 0).any() else np.ones(len(weight))

    def to_frame(self) -> pl.DataFrame:
        """Return one row a period: share met, output against rest, unmet demand, what bound.

        `limited_by` names what held back the node that misses most (its own capacity, or an
        input); `mean_output` is the mean over nodes that make something at rest, each counted
        once; `loss` is in currency.
        """
        rest = self.network.output
        active = rest > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = self.output[:, active] / rest[active]
        return pl.DataFrame(
            {
                "period": np.arange(self.n_periods),
                "met": self.met,
                "mean_output": relative.mean(axis=1) if active.any() else np.ones(self.n_periods),
                "unmet": self.unmet.sum(axis=1),
                "loss": self.unmet @ np.nan_to_num(self.network.unmet_value),
                "limited_by": [self._limit(t) for t in range(self.n_periods)],
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def node_frame(self) -> pl.DataFrame:
        """Return one row a node: output lost in all, lowest output, first period below rest.

        What is made above rest later on, to refill stocks, is not set against the loss.
        """
        rest = self.network.output
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
                    "node": network.node_labels,
                    "product": network.product_labels[network.node_product],
                    "region": network.region_labels[network.node_region],
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
        network = self.network
        held = (network.input_stock > 0) & (network.input_use == CONSUMED)
        if self.stock.shape[0] == 0:
            raise UsageError("Stocks were not recorded: the network is too large for this horizon.")
        empty = self.stock <= network.input_stock * FALL
        out = np.flatnonzero(held & empty.any(axis=0))
        return pl.DataFrame(
            {
                "period": empty[:, out].argmax(axis=0),
                "buyer": network.node_labels[network.input_buyer[out]],
                "input": network.product_labels[network.input_product[out]],
                "stock_at_rest": network.input_stock[out],
            }
        ).sort(["period", "buyer", "input"])

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
        at = int(self.output[:, node].argmin()) if period is None else period
        if not 0 <= at < self.n_periods:
            raise UsageError(f"period {at} was not played; there are {self.n_periods}.")
        hits = resolve(self.scenario, self.network, self.n_periods)
        chain = Chain(self.network, hits, self.output, self.limited_by, self.stock)
        return pl.DataFrame(chain.rows(node, at), schema=CHAIN, orient="row")

    def _limit(self, t: int) -> str:
        is_short = self.unmet[t] > FALL * self.demand[t]
        if not is_short.any():
            return ""
        worst = int(np.where(is_short, self.unmet[t] * self._weight(), -1.0).argmax())
        return limit_name(self.network, int(self.limited_by[t, worst]))

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

    def _spoken(self, number: int) -> str:
        return f"{number} {self.network.settings.period}{'' if number == 1 else 's'}"


def simulate(
    network: ProductionNetwork,
    scenario: Scenario,
    *,
    periods: int | None = None,
    stock_adjustment: float = STOCK_ADJUSTMENT,
) -> Simulation:
    """Play a scenario period by period: lead times, stocks, scarce inputs, rationing, recovery.

    The order of events within a period, ties and what is ignored stand on the page "mechanisms"
    and in `withstand.kernels.dynamics`: deliveries arrive, demand is added up, inputs limit output
    (essential ones in proportion), short output is rationed in proportion, orders refill stocks.

    Parameters
    ----------
    network : ProductionNetwork
    scenario : Scenario
    periods : int, optional
        How long to play; default: until the last recovery, and then long enough for the last
        gap to come down every tier, through lead times and stocks (at most ten years). A shock
        without an end is played for at least two years.
    stock_adjustment : float, periods, at least 1
        Time over which orders close the gap to the target stocks.

    Returns
    -------
    Simulation

    Raises
    ------
    ScenarioError
        If the scenario names something that the network lacks.
    UsageError
        If `periods` or `stock_adjustment` is not possible.

    Examples
    --------
    A mill feeds a plant that holds four weeks of steel; the mill stops for six weeks.

    >>> import polars as pl
    >>> from withstand.model.building import build_network
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
    n_periods = horizon(network, scenario) if periods is None else periods
    is_whole = isinstance(n_periods, int | np.integer) and not isinstance(n_periods, bool)
    if not is_whole or n_periods < 1:
        raise UsageError(f"periods must be a whole number of at least 1, not {periods!r}.")
    if n_periods * network.n_nodes * 24 > LARGEST_RECORD:
        raise UsageError(
            f"{n_periods:,} periods of {network.n_nodes:,} nodes do not fit in memory. "
            "Play fewer periods: periods=..."
        )
    if not 1.0 <= stock_adjustment < 1e6:
        raise UsageError(f"stock_adjustment must be at least 1 period, not {stock_adjustment}.")
    hits = resolve(scenario, network, n_periods)
    arrays = network_arrays(network)
    with_inputs = n_periods * network.n_inputs * 24 <= LARGEST_INPUT_RECORD
    record = dynamics.new_record(arrays, n_periods, with_inputs=with_inputs)
    status = dynamics.simulate(
        arrays,
        shock_arrays(hits, n_periods),
        float(stock_adjustment),
        dynamics.ORDERS_FOLLOW_WANTED,
        TOLERANCE,
        dynamics.new_work(arrays),
        record,
    )
    _raise_on(status)
    demand = np.broadcast_to(np.maximum(network.final_demand, 0.0), record.output.shape).copy()
    for hit in hits:
        if hit.kind == "demand":
            demand[:, hit.indices] *= hit.factor[:, None]
    findings = _suspicious_zero(network, scenario, record)
    return Simulation(
        network=network,
        scenario=scenario,
        output=record.output,
        unmet=record.unmet,
        limited_by=record.limited_by,
        stock=record.stock,
        demand=demand,
        residual=_residual(network, record),
        findings=findings,
        provenance=provenance_of(
            "stress.simulate",
            network,
            {
                "scenario": scenario_to_dict(scenario),
                "periods": int(n_periods),
                "stock_adjustment": float(stock_adjustment),
            },
        ),
    )


def _raise_on(status: int) -> None:
    if status == dynamics.STATUS_HOURS_ORDER:
        raise SolverError("The order of hours is not consistent; please report this network.")
    if status == dynamics.STATUS_NO_NUMBER:
        raise SolverError(
            "An output or a stock stopped being a number. Check the tables for extreme quantities."
        )


def _suspicious_zero(
    network: ProductionNetwork, scenario: Scenario, record: dynamics.SimulationRecord
) -> tuple[Finding, ...]:
    moved = np.abs(record.output - network.output) > FALL * network.output
    missed = record.unmet > FALL * np.maximum(network.final_demand, 0.0)
    if moved.any() or missed.any() or not scenario.shocks:
        return ()
    return (make_finding("W301", f"{scenario.name}: no output changed in any period"),)


def _residual(network: ProductionNetwork, record: dynamics.SimulationRecord) -> float:
    if record.stock.shape[0] == 0:
        return float("nan")
    consumed = (network.input_use == CONSUMED) & (np.diff(network.links_indptr) > 0)
    if not consumed.any():
        return 0.0
    before = np.vstack([network.input_stock[None, :], record.stock[:-1]])
    gap = np.abs(before + record.received - record.used - record.stock)[:, consumed]
    flow = network.input_coefficient * network.output[network.input_buyer] + network.input_stock
    return float((gap / np.maximum(flow[consumed], 1e-300)).max())
