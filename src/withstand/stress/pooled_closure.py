"""The least that is lost if all makers of a product replace each other at once, up to capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.errors import SolverError
from withstand.programming.highs import OPTIMAL, Programme, Solution
from withstand.stress.closures import Closure, result

if TYPE_CHECKING:
    from withstand.programming.removals import Block
    from withstand.stress.closure_events import Event

Array = np.ndarray
WASTE = 1e-7
"""What a unit of output costs beside a unit of unmet final demand, so that nothing is made to no
end; far below one over the output that any final demand takes."""


def pooled(event: Event, before: Array, time_limit: float) -> Closure:
    """Return the least loss if every maker of a product serves every buyer of it, up to capacity.

    Output of each cell x, unmet final demand u of each product k, and, for a ban, the part r of u
    that users in the regions T of the buyers bear:

        product     sum over its makers of x + u >= use by all cells + final demand
        ban         sum over its makers that may sell to T of x + what is let in + r
                    >= use by the cells of T + final demand in T,  r <= u, r <= final demand in T
    """
    network, system = event.network, event.system
    n, m = network.n_nodes, network.n_products
    of = sparse.csr_array((np.ones(n), (network.node_product, np.arange(n))), shape=(m, n))
    need = np.asarray((of @ system.flows).toarray() if system.is_sparse else of @ system.flows)
    need = need * system.per_output
    demand = of @ np.maximum(event.demand, 0.0)
    drawn = of @ np.maximum(-event.demand, 0.0)  # stocks that are run down are supply
    most = np.maximum(before, 0.0) * _spare(event)
    if event.kind == "capacity":
        most[event.nodes] = (1.0 - event.share) * np.maximum(before, 0.0)[event.nodes]
    bans = [_ban(event, block, need, of) for block in event.blocks]
    products = np.unique(network.node_product[event.nodes])
    n_borne = len(products) * len(bans)
    upper = np.concatenate(
        [most, demand, *(np.maximum(final, 0.0)[products] for _, final, _ in bans)]
    )
    matrix = np.zeros((m + 2 * n_borne, n + m + n_borne))
    least = np.zeros(len(matrix))
    matrix[:m, :n] = of.toarray() - need
    matrix[:m, n : n + m] = np.eye(m)
    least[:m] = demand - drawn
    for number, (rule, final, let_in) in enumerate(bans):
        at = m + 2 * number * len(products)
        borne = n + m + number * len(products) + np.arange(len(products))
        own, second = at + np.arange(len(products)), at + len(products) + np.arange(len(products))
        matrix[own, :n] = rule[products]
        matrix[own, borne] = 1.0
        least[own] = (final - let_in)[products]
        matrix[second, n + products] = 1.0
        matrix[second, borne] = -1.0
    scale = np.where(upper > 0, upper, 1.0)
    width = np.abs(matrix * scale).max(axis=1, initial=0.0)
    width = np.where(width > 0, width, 1.0)
    cost = np.concatenate([WASTE * most, demand, np.zeros(n_borne)])
    solution = solve_least(
        cost=cost / (demand.sum() or 1.0),
        lower=np.zeros(len(upper)),
        upper=np.where(upper > 0, 1.0, 0.0),
        matrix=sparse.csr_array(matrix * scale / width[:, None]),
        row_lower=least / width,
        time_limit=time_limit,
    )
    share = np.clip(solution.columns[n : n + m], 0.0, 1.0)
    final_loss = np.maximum(event.demand, 0.0) * share[network.node_product]
    return result(event, "pooled", before, before - solution.columns[:n] * scale[:n], final_loss)


def _spare(event: Event) -> Array:
    """Return how far each cell can go above its output at rest, a factor of at least 1."""
    output, capacity = event.network.output, event.network.capacity
    ratio = np.divide(capacity, output, out=np.ones(len(output)), where=output > 0)
    return np.maximum(np.nan_to_num(ratio, nan=1.0, posinf=1e6), 1.0)


def _ban(
    event: Event, block: Block, need: Array, of: sparse.csr_array
) -> tuple[Array, Array, Array]:
    """Return, by product, supply for the regions less use there (a row), final demand, let in.

    Output of all other makers may go there, so that the row asks for no more than must hold.
    """
    network, system = event.network, event.system
    n = network.n_nodes
    there = np.isin(np.arange(n), block.columns)
    through = np.asarray(system.flows[block.rows][:, block.columns].sum(axis=1)).ravel()
    let_in = np.zeros(n)
    let_in[block.rows] = (1.0 - event.share) * (through + event.exposed[block.rows])
    others = np.ones(n)
    others[block.rows] = 0.0
    table = network.flow_table
    final = np.zeros(n)
    if table is not None:
        regions = np.unique(network.node_region[block.columns])
        final = table.final[:, np.isin(table.final_region, regions)].sum(axis=1)
    return of.toarray() * others - need * there, of @ final, of @ let_in


def solve_least(
    *,
    cost: Array,
    lower: Array,
    upper: Array,
    matrix: sparse.csr_array,
    row_lower: Array,
    time_limit: float,
) -> Solution:
    """Solve a programme of rows with lower bounds, or say why not."""
    programme = Programme(
        cost=cost,
        lower=lower,
        upper=upper,
        matrix=matrix,
        row_lower=row_lower,
        row_upper=np.full(matrix.shape[0], np.inf),
        tolerance=1e-9,
        time_limit=time_limit,
    )
    solution = programme.solve()
    if solution.status != OPTIMAL:
        raise SolverError(
            f"The programme of the bounds was not solved: '{solution.status}'. Raise time_limit, "
            "or hit fewer cells."
        )
    return solution
