"""The same event under several closures: what the least and the most is that can be lost.

Final demand lost, in value, for cells h that make at most (1 - s) of their output, or may sell only
(1 - s) to some buyers (a ban: the buyers' cells can then make only (1 - s), and final users there
get (1 - s)). Where every cell adds value and final demand is not negative:

    capacity    pooled <= planned <= capacity (mixed model, where feasible) <= rationed
    trade_ban   pooled <= planned <= rationed,  trade_ban (replaced from outside) <= planned

- `planned` is the least over all states x >= A x + f, 0 <= f <= y, x[h] <= (1 - s) x0[h]. The mixed
  model (all others' final demand met) and proportional rationing are such states.
- `pooled` adds the cells' balances up by product, so every planned state satisfies it.
- The mixed model loses at most s of the final demand that cells h reach: its loss is
  L_hh^-1 (L y)_h s, whose part for final demand elsewhere is a share of first passages.
- Of one single cell, `planned` and the mixed model lose the same where that is feasible: a unit of
  output is freed by the least final demand at the cell itself.
- A ban that is made good from outside loses what goes straight to final users, and each of the
  others loses that too.

No order holds for output, nor between `pooled` and `trade_ban`: who loses more final demand may
lose less output, because what is cut first is what is worth least per unit of the scarce input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse

from withstand.errors import UsageError
from withstand.model.findings import make_finding
from withstand.stress.closure_events import Event, event_of
from withstand.stress.closures import ASSUMPTIONS, Closure, closed, result
from withstand.stress.pooled_closure import pooled, solve_least

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
LARGEST = 4_000_000
"""Most coefficients (cells that are limited x cells) of the planner's programme."""
ROW = 1e4
"""Output at rest in a row of the planner's programme."""
SMALLEST_PART = 1e-9
"""Coefficients below this are left out, and taken as met: HiGHS would drop them."""
ROUNDING = 1e-9
ORDER = 1e-8
"""Share of all final demand that two bounds may miss their order by: the solver's tolerance."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ClosureBounds:
    """One event under several closures, least final demand lost first.

    Parameters
    ----------
    closures : tuple of Closure
        In the order of what they allow: the more can be replaced and chosen, the earlier.
    """

    closures: tuple[Closure, ...]

    def __getitem__(self, kind: str) -> Closure:
        """Return one of them by its name."""
        known = {c.kind: c for c in self.closures}
        if kind not in known:
            raise UsageError(f"There is no '{kind}' here; there are {', '.join(known)}.")
        return known[kind]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Doubts of the closures, and whether the order that the module proves fails to hold."""
        own = tuple(f for c in self.closures for f in c.findings)
        losses = {c.kind: c.total_final_loss for c in self.closures}
        whole = np.maximum(self.closures[0]._event.demand, 0.0).sum()
        infeasible = {c.kind for c in self.closures if c.findings}
        order = [("pooled", "planned"), ("planned", "rationed"), ("trade_ban", "planned")]
        order += [] if "capacity" in infeasible else [("planned", "capacity")]
        order += [("capacity", "rationed")]
        for low, high in order:
            if {low, high} <= set(losses) and losses[low] > losses[high] + ORDER * whole:
                what = f"'{low}' loses {losses[low]:.6g} and '{high}' {losses[high]:.6g}"
                return (*own, make_finding("W306", what))
        return own

    @property
    def least(self) -> float:
        """Final demand lost at least, currency per period."""
        return min(c.total_final_loss for c in self.closures)

    @property
    def most(self) -> float:
        """Final demand lost at most, currency per period."""
        return max(c.total_final_loss for c in self.closures)

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each closure: final demand, value added and output lost, assumption."""
        demand = np.maximum(self.closures[0]._event.demand, 0.0).sum() or 1.0
        return pl.DataFrame(
            {
                "closure": [c.kind for c in self.closures],
                "final_loss": [c.total_final_loss for c in self.closures],
                "final_share": [c.total_final_loss / demand for c in self.closures],
                "value_added_loss": [c.total_value_added_loss for c in self.closures],
                "output_loss": [c.total_output_loss for c in self.closures],
                "assumption": [c.assumption for c in self.closures],
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def why(self) -> str:
        """Return what each closure assumes, a line each."""
        return "\n".join(f"{c.kind}: {ASSUMPTIONS[c.kind]}." for c in self.closures)

    def summary(self) -> str:
        """Return one sentence."""
        low = min(self.closures, key=lambda c: c.total_final_loss)
        high = max(self.closures, key=lambda c: c.total_final_loss)
        demand = np.maximum(low._event.demand, 0.0).sum() or 1.0
        return (
            f"{low.asked}: between {low.total_final_loss / demand:.2%} ({low.kind}) and "
            f"{high.total_final_loss / demand:.2%} ({high.kind}) of all final demand is lost."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<ClosureBounds of {self.closures[0].asked}: {self.least:.6g} to {self.most:.6g}>"


def closure_bounds(
    network: ProductionNetwork,
    *,
    region: str | None = None,
    bloc: str | None = None,
    product: str | None = None,
    node: str | None = None,
    share: float | str = 1.0,
    to: str | None = None,
    time_limit: float = np.inf,
) -> ClosureBounds:
    """Say what is lost at least and at most if some cells make less, or may sell less to a region.

    The module says which order always holds, and why. Where no region can replace another, and a
    cell stands still, everybody who buys from it through any tier stands still too: `rationed` and
    `planned` are bounds, not forecasts; truth lies between them and `pooled`.

    Parameters
    ----------
    network, region, bloc, product, node, share, to
        As for `closure`: without `to` capacity is lost, with it sales to that region or bloc.
    time_limit : float, seconds
        Of wall time for each of the two programmes.

    Returns
    -------
    ClosureBounds

    Raises
    ------
    ScenarioError, UsageError
        As `closure`; and if so many cells are limited that the programme would be too large.
    SolverError
        If the time limit was reached.

    Examples
    --------
    A tenth of the steel of DE is lost. ES makes steel too, but has no capacity to spare. If 4 of
    the 5 that DE makes go into cars, the planner lets final users of steel go short, and nobody
    else; habit takes a tenth from everybody, and so 0.1 + 1.0 of final demand.

    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "FR"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[1.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["FR"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> both = closure_bounds(net, product="steel", share=0.1)
    >>> both.to_frame().select("closure", pl.col("final_loss").round(6)).rows()
    [('pooled', 0.5), ('planned', 0.5), ('capacity', 0.5), ('rationed', 1.1)]
    """
    event = event_of(
        network,
        region=region,
        bloc=bloc,
        product=product,
        node=node,
        share=share,
        kind="capacity" if to is None else "trade_ban",
        to=to,
    )
    before = event.system.solve_once(event.demand)
    limit = _limits(event)
    planned = _planned(event, before, limit, time_limit)
    named = closed(event, before)
    everybody = pooled(event, before, time_limit)
    rationed = _rationed(event, before, limit)
    middle = (planned, named) if event.kind == "capacity" else (named, planned)
    return ClosureBounds(closures=(everybody, *middle, rationed))


def _limits(event: Event) -> Array:
    """Share of its output that each cell can make where no region replaces another, (n_nodes,)."""
    limit = np.ones(event.network.n_nodes)
    if event.kind == "capacity":
        limit[event.nodes] = 1.0 - event.share
        return limit
    flows = event.system.flows
    for block in event.blocks:
        bought = np.asarray(flows[block.rows].sum(axis=0)).ravel()[block.columns]
        limit[block.columns[bought > 0]] = 1.0 - event.share
    return limit


def _planned(event: Event, before: Array, limit: Array, time_limit: float) -> Closure:
    """Least sum of u with (L u)[i] >= loss of i at least, direct <= u <= y: states x = L (y - u).

    Every x >= A x + f has x >= L f, so nothing is lost by taking x = L f; and cells that are not
    limited never make more than at rest, because u is not negative.
    """
    system = event.system
    demand = np.maximum(event.demand, 0.0)
    limited = np.flatnonzero((limit < 1.0) & (before > 0))
    size = len(limited) * system.n
    if size > LARGEST:
        raise UsageError(
            f"{len(limited):,} of {system.n:,} cells would be limited: a programme of "
            f"{size / 1e6:.0f} million coefficients, the most is {LARGEST / 1e6:.0f}. Hit fewer "
            "cells, ban sales to one region, or aggregate regions (withstand.aggregate)."
        )
    unit = np.zeros((system.n, len(limited)))
    unit[limited, np.arange(len(limited))] = 1.0
    reach = system.solve_transposed(unit).T if len(limited) else np.zeros((0, system.n))
    parts = reach * demand * (ROW / before[limited])[:, None]  # of ROW, per share of final demand
    # a cell that also sells out of stocks (negative final demand) makes less than this asks for
    need = np.minimum(ROW * (1.0 - limit[limited]), parts.sum(axis=1))
    is_small = parts < SMALLEST_PART
    need = (need - np.where(is_small, parts, 0.0).sum(axis=1)) * (1.0 - ROUNDING)
    parts[is_small] = 0.0
    solution = solve_least(
        cost=demand / (demand.sum() or 1.0),
        lower=np.minimum(event.direct, demand) / np.where(demand > 0, demand, 1.0),
        upper=np.where(demand > 0, 1.0, 0.0),
        matrix=sparse.csr_array(parts),
        row_lower=need,
        time_limit=time_limit,
    )
    unmet = demand * np.clip(solution.columns, 0.0, 1.0)
    return result(event, "planned", before, system.solve_once(unmet), unmet)


def _rationed(event: Event, before: Array, limit: Array) -> Closure:
    """Everybody makes the share that the worst of its suppliers, through all tiers, can make.

    Orders stay as at rest, and what is made is handed out in proportion to them.
    """
    system = event.system
    rate = np.ones(system.n)
    for level in np.unique(limit[limit < 1.0]):
        reached = (limit == level) & (rate > level)
        rate[reached] = level
        front = np.flatnonzero(reached & (before > 0))
        while len(front):
            bought = system.flows[front].max(axis=0)
            bought = bought.toarray().ravel() if system.is_sparse else np.asarray(bought)
            following = (bought > 0) & (system.output > 0) & (rate > level)
            rate[following] = level
            front = np.flatnonzero(following)
    demand = np.maximum(event.demand, 0.0)
    left = rate * (demand - np.minimum(event.direct, demand))
    loss = (1.0 - rate) * before
    return result(event, "rationed", before, loss, demand - left)
