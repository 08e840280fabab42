"""The best possible answer to one scenario: a linear programme over its periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import SolverError, UsageError
from withstand.model.findings import Finding, make_finding
from withstand.model.hits import Hit, resolve
from withstand.model.provenance import Provenance, provenance_of
from withstand.programming.highs import OPTIMAL, Programme, Solution
from withstand.stress.horizons import horizon
from withstand.stress.response_programme import ResponseProgramme, parts_of, programme_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario

Array = np.ndarray
Loss = str | Array
LARGEST_ECONOMY, LARGEST_TRIED = 300_000, 5_000_000
"""Flows of an economy times periods: solved in minutes as a rule; taken if a time limit is set."""
LOSSES = ("value", "margin")
FALL = 1e-6
"""Deliveries count as fallen when they are lower by more than this share."""
REST = 1e-9
"""Share of output by which the state at rest may miss its balance and still count as at rest."""
SOLVER_TOLERANCE = 1e-9
EARLY = 1e-3
"""How much dearer a loss in the first period is than one after the window, to choose among ties."""
NOISE = 1e-7


@dataclass(frozen=True, kw_only=True, eq=False)
class Response:
    """The best answer to one scenario: no other use of stocks, links and capacity loses less.

    Where several answers lose the same, this is one that loses late; its loss is what counts.

    Parameters
    ----------
    network : ProductionNetwork
    scenario : Scenario
    output, unmet, demand : ndarray of float64, shape (n_periods, n_nodes), units per period
        Output, final demand that is not met, final demand asked for. Nodes that final demand does
        not need make nothing.
    weight : ndarray of float64, shape (n_nodes,), currency per unit
        What a unit of unmet final demand costs: what was minimised.
    worth_of_capacity : ndarray of float64, shape (n_nodes,), currency per (unit per period)
        Loss avoided per unit of capacity more throughout (at the margin; shocks hit it too).
    worth_of_stock : ndarray of float64, shape (n_inputs,), currency per input unit
        Loss avoided per unit of stock more when the shock comes (at the margin).
    findings : tuple of Finding
    provenance : Provenance
    """

    network: ProductionNetwork
    scenario: Scenario
    output: Array
    unmet: Array
    demand: Array
    weight: Array
    worth_of_capacity: Array
    worth_of_stock: Array
    findings: tuple[Finding, ...]
    provenance: Provenance

    @property
    def n_periods(self) -> int:
        """Periods in the window."""
        return self.output.shape[0]

    @property
    def loss(self) -> float:
        """Unmet final demand, in currency (nodes without a price left out)."""
        return float((self.unmet @ np.nan_to_num(self.network.unmet_value)).sum())

    @property
    def loss_in_periods(self) -> float:
        """What was minimised, in periods of final demand at rest."""
        rest = float(np.maximum(self.network.final_demand, 0.0) @ self.weight)
        return float((self.unmet @ self.weight).sum()) / rest if rest > 0 else 0.0

    @property
    def met(self) -> Array:
        """Share of final demand met in each period, by weight, shape (n_periods,), 0 to 1."""
        asked = self.demand @ self.weight
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(asked > 0, 1.0 - (self.unmet @ self.weight) / asked, 1.0)

    def to_frame(self) -> pl.DataFrame:
        """Return one row a period: share met, unmet demand (units), loss (currency)."""
        return pl.DataFrame(
            {
                "period": np.arange(self.n_periods),
                "met": self.met,
                "unmet": self.unmet.sum(axis=1),
                "loss": self.unmet @ np.nan_to_num(self.network.unmet_value),
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def what_helps(self, n: int = 20) -> pl.DataFrame:
        """Return what would avoid loss: kind, where, currency per unit more, worth at rest.

        `worth_at_rest` is the worth of one more period's use (of stock) or of doubling the
        capacity, were the margin to hold that far: an upper limit that ranks.
        """
        network = self.network
        nodes = np.flatnonzero(self.worth_of_capacity > 0)
        inputs = np.flatnonzero(self.worth_of_stock > 0)
        use = network.input_coefficient * network.output[network.input_buyer]
        return (
            pl.DataFrame(
                {
                    "kind": ["capacity"] * len(nodes) + ["stock"] * len(inputs),
                    "node": np.concatenate(
                        [
                            network.node_labels[nodes],
                            network.node_labels[network.input_buyer[inputs]],
                        ]
                    ),
                    "product": np.concatenate(
                        [
                            network.product_labels[network.node_product[nodes]],
                            network.product_labels[network.input_product[inputs]],
                        ]
                    ),
                    "worth": np.concatenate(
                        [self.worth_of_capacity[nodes], self.worth_of_stock[inputs]]
                    ),
                    "worth_at_rest": np.concatenate(
                        [
                            (self.worth_of_capacity * network.capacity)[nodes],
                            (self.worth_of_stock * use)[inputs],
                        ]
                    ),
                }
            )
            .sort(["worth_at_rest", "kind", "node"], descending=[True, False, False])
            .head(n)
        )

    def summary(self) -> str:
        """Return one sentence."""
        period = self.network.settings.period
        short = np.flatnonzero(self.met < 1.0 - FALL)
        if len(short) == 0:
            return (
                f"{self.scenario.name}: with the best answer final demand is met throughout "
                f"{self.n_periods} {period}s."
            )
        return (
            f"{self.scenario.name}: even the best answer loses {self.loss_in_periods:.1f} "
            f"{period}s of demand."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Response: {self.summary()}>"


def respond(
    network: ProductionNetwork,
    scenario: Scenario,
    *,
    periods: int | None = None,
    loss: Loss = "value",
    reroute: bool = True,
    alpha_max: float = 1.0,
    time_limit: float = np.inf,
) -> Response:
    """Find the best possible answer to a scenario: the least loss of final demand.

    A linear programme over all periods of the window (`withstand.stress.response_programme` states
    it). It relaxes `simulate`: same lead times, opening stocks, goods under way, shocks, horizon
    and loss, but a planner who knows how long the shocks last splits shipments freely. Its loss is
    therefore a lower bound, and what `simulate` loses more is the value of coordination. Before
    the first shock everything stays at rest: nobody builds stock for a shock that nobody foresees
    (later shocks of the same scenario are foreseen).

    Parameters
    ----------
    network : ProductionNetwork
    scenario : Scenario
    periods : int, optional
        How long to look; default: as long as `simulate` plays.
    loss : {"value", "margin"} or ndarray of float64, shape (n_nodes,), currency per unit
        What a unit of unmet final demand costs: its unmet_value; its margin (value added per unit
        where stated, else price less the price of its inputs, at least 0); or numbers of your own.
        Where none is known, every unit counts 1.
    reroute : bool
        Whether every node that makes a product (in an allowed region) may serve every buyer of it,
        at the lead time of the buyer's fastest link. Without it only existing links carry goods,
        in any split, also those with share 0.
    alpha_max : float, at least 1
        Overcapacity: output up to this multiple of capacity, from the start.
    time_limit : float, seconds
        Of wall time for the solver.

    Returns
    -------
    Response

    Raises
    ------
    ScenarioError
        If the scenario names something that the network lacks.
    UsageError
        If an argument is not possible, or the programme would be too large.
    SolverError
        If the time limit was reached.

    Examples
    --------
    Without the Japanese mill, the home mill makes 36 kg a week; the plant needs 120. Stocks (360),
    goods under way (4 x 96 + 24) and 36 (t - 1) from home last for t = 8.71 weeks; in the rest of
    the twelve the plant lacks 84 of 120 kg a week: 0.7 x 3.29 = 2.3 weeks of demand are lost.

    >>> from withstand.examples import tiny
    >>> from withstand.model.scenario import Scenario
    >>> best = respond(tiny(), Scenario.lose(node="STEEL@JP", duration="12w"), periods=12)
    >>> round(best.loss_in_periods, 6)
    2.3
    >>> best.what_helps()["kind", "product"].rows()
    [('capacity', 'STEEL'), ('stock', 'STEEL')]
    """
    network = network.settled
    weight = weights(network, loss)
    if not (np.isfinite(alpha_max) and alpha_max >= 1.0):
        raise UsageError(f"alpha_max must be at least 1, not {alpha_max}.")
    n_periods = horizon(network, scenario) if periods is None else periods
    is_whole = isinstance(n_periods, int | np.integer) and not isinstance(n_periods, bool)
    if not is_whole or n_periods < 1:
        raise UsageError(f"periods must be a whole number of at least 1, not {periods!r}.")
    _refuse_large_economy(network, n_periods, time_limit)
    hits = resolve(scenario, network, n_periods)
    onset = _onset(hits, n_periods) if is_at_rest(network) else 0
    output = np.repeat(network.output[None], n_periods, axis=0)
    demand = np.repeat(np.maximum(network.final_demand, 0.0)[None], n_periods, axis=0)
    for hit in hits:
        if hit.kind == "demand":
            demand[:, hit.indices] *= hit.factor[:, None]
    unmet = np.zeros_like(demand)
    worth_of_capacity, worth_of_stock = np.zeros(network.n_nodes), np.zeros(network.n_inputs)
    rest = float(np.maximum(network.final_demand, 0.0) @ weight)
    if rest > 0 and onset < n_periods:
        parts = parts_of(network, alpha_max=alpha_max, reroute=reroute)
        window = [_from(hit, onset) for hit in hits]
        built = programme_of(parts, network, window, n_periods - onset, weight[parts.nodes] / rest)
        solution = _solve(built, time_limit)
        output[onset:] = 0.0
        output[onset:, parts.nodes] = solution.columns[built.output] * parts.size
        lost = np.clip(solution.columns[built.unmet], 0.0, None) * parts.final_demand[built.served]
        unmet[onset:, parts.nodes[built.served]] = lost
        worth_of_capacity[parts.nodes], at_stock = _worth(built, solution, rest, alpha_max)
        worth_of_stock[parts.inputs[built.stored]] = at_stock
    parameters = {
        "scenario": scenario.name,
        "periods": n_periods,
        "loss": loss if isinstance(loss, str) else "given",
        "reroute": reroute,
        "alpha_max": alpha_max,
    }
    return Response(
        network=network,
        scenario=scenario,
        output=output,
        unmet=unmet,
        demand=demand,
        weight=weight,
        worth_of_capacity=worth_of_capacity,
        worth_of_stock=worth_of_stock,
        findings=no_demand(network),
        provenance=provenance_of("stress.respond", network, parameters),
    )


def _refuse_large_economy(network: ProductionNetwork, n_periods: int, time_limit: float) -> None:
    """Refuse, before anything large is taken, an economy whose programme would not be solved."""
    if network.flow_table is None:
        return
    shipments = network.flow_table.n_flows * max(n_periods - 1, 1)
    if shipments <= LARGEST_ECONOMY or (np.isfinite(time_limit) and shipments <= LARGEST_TRIED):
        return
    tried = "" if shipments > LARGEST_TRIED else ", or try it with a time_limit"
    raise UsageError(
        f"The best response of this economy would have {shipments:,} shipments; up to about "
        f"{LARGEST_ECONOMY:,} are solved in minutes. Aggregate regions or sectors "
        f"(withstand.aggregate), look at fewer periods, ask closure_bounds, which knows no "
        f"periods{tried}."
    )


def _solve(built: ResponseProgramme, time_limit: float) -> Solution:
    """Solve twice: first with early losses a little dearer, and from there as it is.

    The first answer is as a rule among the best of the second, which then has nothing to do: of
    all answers that lose least, it is one that loses late.
    """
    n_periods = len(built.unmet)
    dearer = built.cost.copy()
    early = 1.0 - np.arange(n_periods) / n_periods
    dearer[built.unmet] *= 1.0 + EARLY * early[:, None]
    programme = Programme(
        cost=dearer,
        lower=np.zeros(len(built.cost)),
        upper=built.upper,
        matrix=built.matrix,
        row_lower=built.row_lower,
        row_upper=built.row_upper,
        tolerance=SOLVER_TOLERANCE,
        time_limit=time_limit,
    )
    _optimal(programme.solve())
    programme.set_cost(built.unmet.ravel(), built.cost[built.unmet].ravel())
    return _optimal(programme.solve())


def _optimal(solution: Solution) -> Solution:
    if solution.status != OPTIMAL:
        raise SolverError(
            f"The best response was not found: status '{solution.status}'. "
            "Raise time_limit, play fewer periods, or use reroute=False."
        )
    return solution


def _worth(
    built: ResponseProgramme, solution: Solution, rest: float, alpha_max: float
) -> tuple[Array, Array]:
    """Return the loss avoided per unit of capacity, and per unit of opening stock."""
    parts = built.parts
    saved = np.maximum(-solution.reduced_costs[built.output], 0.0)
    capacity = (saved * built.factor).sum(axis=0) * alpha_max / parts.size
    stock = np.maximum(-solution.duals[built.opening], 0.0) / parts.scale[built.stored]
    return _no_noise(capacity * rest), _no_noise(stock * rest)


def _no_noise(values: Array) -> Array:
    return np.where(values > NOISE * values.max(initial=0.0), values, 0.0)


def weights(network: ProductionNetwork, loss: Loss) -> Array:
    """Return what a unit of unmet final demand costs, shape (n_nodes,); 1 where none is known."""
    if not isinstance(loss, str):
        given = np.asarray(loss, dtype=np.float64)
        if given.shape != (network.n_nodes,) or not (np.isfinite(given) & (given >= 0)).all():
            raise UsageError(
                f"loss must have one number of at least 0 for each of {network.n_nodes} nodes."
            )
        return given
    if loss not in LOSSES:
        raise UsageError(f"loss '{loss[:40]}' is unknown; use one of {', '.join(LOSSES)}.")
    weight = np.nan_to_num(network.unmet_value if loss == "value" else _margin(network))
    weight = np.maximum(weight, 0.0)
    served = network.final_demand > 0
    return weight if (weight[served] > 0).any() else np.ones(network.n_nodes)


def _margin(network: ProductionNetwork) -> Array:
    """Return value added per unit where stated, else price less the price of the inputs."""
    cost = network.input_coefficient * network.product_price[network.input_product]
    inputs = np.bincount(network.input_buyer, np.nan_to_num(cost), network.n_nodes)
    with np.errstate(invalid="ignore", divide="ignore"):
        stated = network.value_added / network.output
    is_stated = np.isfinite(stated)
    return np.where(is_stated, stated, np.maximum(network.price - inputs, 0.0))


def no_demand(network: ProductionNetwork) -> tuple[Finding, ...]:
    """Return a finding if there is no final demand, so that nothing can be lost."""
    if (network.final_demand > 0).any():
        return ()
    return (make_finding("W212", f"{network.name}: no node has final demand"),)


def is_at_rest(network: ProductionNetwork) -> bool:
    """Tell whether the state at rest lasts by itself: outputs balance, stocks are on target."""
    flow = np.bincount(network.link_supplier, network.link_flow, network.n_nodes)
    gap = np.abs(network.output - flow - np.maximum(network.final_demand, 0.0))
    linked = np.diff(network.links_indptr) > 0
    shares = np.bincount(network.link_input, network.link_share, network.n_inputs)
    return bool(
        (gap <= REST * np.maximum(network.output, 1e-300)).all()
        and (network.capacity >= network.output * (1.0 - REST)).all()
        and (np.abs(shares - 1.0)[linked] <= REST).all()
        and np.allclose(network.input_stock, network.input_target, rtol=REST, atol=0.0)
    )


def _onset(hits: list[Hit], n_periods: int) -> int:
    """Return the first period in which anything is hit."""
    changed = [np.flatnonzero(hit.factor != 1.0) for hit in hits]
    return min((int(at[0]) for at in changed if len(at)), default=n_periods)


def _from(hit: Hit, onset: int) -> Hit:
    return Hit(shock=hit.shock, kind=hit.kind, indices=hit.indices, factor=hit.factor[onset:])
