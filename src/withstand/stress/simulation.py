"""One scenario, period by period: what stops, when, for how long, and who limited whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import SolverError, UsageError
from withstand.kernels import dynamics
from withstand.model.findings import Finding, make_finding, nearest
from withstand.model.network import ProductionNetwork
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.recipe_inputs import CONSUMED
from withstand.model.scenario import Hit, Scenario, last_period, resolve
from withstand.model.units import PERIODS_PER_YEAR

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
STOCK_ADJUSTMENT = 1.0
TOLERANCE = 1e-9
FALL = 1e-6
"""Output or deliveries count as fallen when they are lower by more than this share."""
LARGEST_INPUT_RECORD = 2**29
"""Bytes that the record of stocks, receipts and use may take; else it is left out."""
_ENDLESS_YEARS = 2.0
_LONGEST_YEARS = 10.0
_DEEPEST = 30


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
        -1 demand, -2 own capacity, else the index of the input that bound.
    stock : ndarray of float64, shape (n_periods, n_inputs) or (0, n_inputs), input units
        Stock at the end of each period; empty where the record would take too much memory.
    demand : ndarray of float64, shape (n_periods, n_nodes), units per period
        Final demand asked for.
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
        """Unmet final demand in periods of final demand at rest, by value where prices are known."""
        weight = self._weight()
        rest = float(self.network.final_demand @ weight)
        return float((self.unmet @ weight).sum()) / rest if rest > 0 else 0.0

    @property
    def met(self) -> Array:
        """Share of final demand met in each period, shape (n_periods,), 0 to 1."""
        weight = self._weight()
        asked = self.demand @ weight
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(asked > 0, 1.0 - (self.unmet @ weight) / asked, 1.0)

    @property
    def time_to_survive(self) -> int | None:
        """Periods from the first shock until final demand is not met; None if it always is."""
        short = np.flatnonzero(self.met < 1.0 - FALL)
        return int(short[0]) - self._first_hit() if len(short) else None

    @property
    def time_to_recover(self) -> int | None:
        """Periods from the first shock until final demand is met again for good; None if not."""
        short = np.flatnonzero(self.met < 1.0 - FALL)
        if len(short) == 0:
            return 0
        back = int(short[-1]) + 1
        return back - self._first_hit() if back < self.n_periods else None

    def _first_hit(self) -> int:
        from withstand.model.units import periods_of

        period = self.network.settings.period
        return int(min(periods_of(s.start, period) for s in self.scenario.shocks))

    def _weight(self) -> Array:
        weight = np.nan_to_num(self.network.unmet_value)
        served = self.network.final_demand > 0
        return weight if (weight[served] > 0).any() else np.ones(len(weight))

    def to_frame(self) -> pl.DataFrame:
        """Return one row a period: share met, output against rest, unmet demand, what bound.

        `limited_by` names the input (or capacity) that bound the first node with unmet demand.
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
        """Return one row a node: output lost in all, lowest output, first period below rest."""
        rest = self.network.output
        gap = np.maximum(rest - self.output, 0.0)
        fallen = self.output < rest * (1.0 - FALL)
        first = np.where(fallen.any(axis=0), fallen.argmax(axis=0), -1)
        with np.errstate(invalid="ignore", divide="ignore"):
            lowest = np.where(rest > 0, (self.output / rest).min(axis=0), 1.0)
            lost = np.where(rest > 0, gap.sum(axis=0) / rest, 0.0)
        network = self.network
        return pl.DataFrame(
            {
                "node": network.node_labels,
                "product": network.product_labels[network.node_product],
                "region": network.region_labels[network.node_region],
                "periods_lost": lost,
                "lowest_output": lowest,
                "first_fall": first,
            }
        ).sort(["periods_lost", "node"], descending=[True, False])

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
            step, period, node, output (share of rest), limited_by, supplier (the one with the
            largest shortfall up to then, by share).
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
        return pl.DataFrame(_chain(self, node, at), schema=_CHAIN, orient="row")

    def _limit(self, t: int) -> str:
        short = np.flatnonzero(self.unmet[t] > FALL * np.maximum(self.demand[t], 1e-300))
        if len(short) == 0:
            return ""
        return limit_name(self.network, int(self.limited_by[t, short[0]]))

    def summary(self) -> str:
        """Return two sentences: loss and times."""
        period = self.network.settings.period
        survive, recover = self.time_to_survive, self.time_to_recover
        if survive is None:
            return f"{self.scenario.name}: final demand is met throughout {self.n_periods} {period}s."
        back = "not within the horizon" if recover is None else f"after {recover} {period}s"
        return (
            f"{self.scenario.name}: final demand is first missed after {survive} {period}s and "
            f"met again {back}; {self.loss_in_periods:.1f} {period}s of demand are lost."
        )


_CHAIN = {
    "step": pl.Int64,
    "period": pl.Int64,
    "node": pl.String,
    "output": pl.Float64,
    "limited_by": pl.String,
    "supplier": pl.String,
}


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
        How long to play; default: until the last recovery, twice the longest lead time on top.
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
    n_periods = _horizon(network, scenario) if periods is None else periods
    if not isinstance(n_periods, int) or isinstance(n_periods, bool) or n_periods < 1:
        raise UsageError(f"periods must be a whole number of at least 1, not {periods!r}.")
    if not 1.0 <= stock_adjustment < 1e6:
        raise UsageError(f"stock_adjustment must be at least 1 period, not {stock_adjustment}.")
    hits = resolve(scenario, network, n_periods)
    arrays = network_arrays(network)
    with_inputs = n_periods * network.n_inputs * 24 <= LARGEST_INPUT_RECORD
    record = dynamics.new_record(arrays, n_periods, with_inputs=with_inputs)
    status = dynamics.simulate(
        arrays,
        _shock_arrays(hits, n_periods),
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
            {"scenario": scenario.name, "periods": n_periods,
             "stock_adjustment": stock_adjustment},
        ),
    )


def _horizon(network: ProductionNetwork, scenario: Scenario) -> int:
    """Until the last recovery, twice the longest lead time on top; two years for endless shocks."""
    per_year = PERIODS_PER_YEAR[network.settings.period]
    longest = float(network.link_lead_time.max(initial=1.0))
    end = last_period(scenario, network)
    if any(s.duration is None for s in scenario.shocks):
        end = max(end, _ENDLESS_YEARS * per_year)
    tail = min(2.0 * longest, _LONGEST_YEARS * per_year)
    return int(np.ceil(end + tail)) + 2


def network_arrays(network: ProductionNetwork) -> dynamics.NetworkArrays:
    """Return the arrays the kernel reads; recipe lags count as lead time of the input."""
    lag = network.input_lag[network.link_input]
    lead = np.rint(network.link_lead_time + lag).astype(np.int64)
    return dynamics.read_only(
        dynamics.NetworkArrays(
            output=network.output,
            capacity=network.capacity,
            final_demand=np.maximum(network.final_demand, 0.0),
            inputs_indptr=network.inputs_indptr,
            input_coefficient=network.input_coefficient,
            input_class=network.input_class,
            input_use=network.input_use,
            input_stock=network.input_stock,
            input_target=network.input_target,
            links_indptr=network.links_indptr,
            link_supplier=network.link_supplier,
            link_share=network.link_share,
            link_lead_time=lead,
            hours_order=hours_order(network, lead),
        )
    )


def hours_order(network: ProductionNetwork, lead: Array) -> Array:
    """Return all nodes, every user of same-period hours before those who supply them."""
    at_once = (network.input_use[network.link_input] != CONSUMED) & (lead <= 0)
    user = network.input_buyer[network.link_input[at_once]]
    supplier = network.link_supplier[at_once]
    level = np.zeros(network.n_nodes, dtype=np.int64)
    for _ in range(network.n_nodes + 1):
        following = level.copy()
        np.maximum.at(following, supplier, level[user] + 1)
        if np.array_equal(following, level):
            return np.argsort(level, kind="stable").astype(np.int64)
        level = following
    raise SolverError(
        "Skilled or machine hours need each other in a circle within one period. "
        "Give one of the links a lead time of at least 1."
    )


def _shock_arrays(hits: list[Hit], n_periods: int) -> dynamics.ShockArrays:
    def group(kind: str) -> tuple[Array, Array, Array]:
        own = [h for h in hits if h.kind == kind]
        indptr = np.concatenate([[0], np.cumsum([len(h.indices) for h in own])]).astype(np.int64)
        indices = np.concatenate([h.indices for h in own]) if own else np.empty(0, np.int64)
        factor = np.stack([h.factor for h in own]) if own else np.ones((0, n_periods))
        return indptr, indices, factor

    return dynamics.read_only(
        dynamics.ShockArrays(*group("node"), *group("link"), *group("demand"))
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
    moved = np.abs(record.output - network.output) > FALL * np.maximum(network.output, 1e-300)
    if moved.any() or (record.unmet > 0).any():
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


def limit_name(network: ProductionNetwork, limit: int) -> str:
    """Return what limited a node in words: demand, capacity, or the label of an input."""
    if limit == dynamics.BY_DEMAND:
        return "demand"
    if limit == dynamics.BY_CAPACITY:
        return "capacity"
    return str(network.product_labels[network.input_product[limit]])


def _chain(run: Simulation, node: int, period: int) -> list[tuple[int, int, str, float, str, str | None]]:
    """Follow the binding input to the supplier with the largest shortfall, until none binds."""
    network = run.network
    rest = np.maximum(network.output, 1e-300)
    rows: list[tuple[int, int, str, float, str, str | None]] = []
    seen: set[int] = set()
    while node not in seen and len(rows) < _DEEPEST:
        seen.add(node)
        limit = int(run.limited_by[period, node])
        share = float(run.output[period, node] / rest[node])
        supplier, at = -1, period
        if limit >= 0:
            links = np.arange(network.links_indptr[limit], network.links_indptr[limit + 1])
            makers = network.link_supplier[links]
            gap = np.maximum(1.0 - run.output[: period + 1, makers] / rest[makers], 0.0)
            missed = gap.sum(axis=0) * network.link_share[links]
            if len(links) and missed.max() > FALL:
                best = int(missed.argmax())
                supplier, at = int(makers[best]), int(gap[:, best].argmax())
        label = str(network.node_labels[supplier]) if supplier >= 0 else None
        rows.append((len(rows), period, str(network.node_labels[node]), share,
                     limit_name(network, limit), label))
        if supplier < 0:
            break
        node, period = supplier, at
    return rows
