"""The linear programme of the best response: every period, node, link and stock of a window.

In words, for node n, input i of buyer b (a its coefficient), link l with lead time L, period t:

    minimise    sum of weight x unmet final demand
    node        x[n,t] >= what n ships at t + final demand met at t
    consumed    stock[i,t] = stock[i,t-1] + arrivals[i,t] - used[i,t],  stock >= 0
    hours       used[i,t] <= arrivals[i,t]                        (perishable: no stock)
    essential   used = a x[b,t]
    important   x[b,t] <= x0/2 + (1 - x0 / (2 x_max)) used / a    (see below)
    limits      x <= capacity x share left,  shipments <= flow at rest x share left where that is
                below 1,  0 <= unmet <= final demand

Arrivals are what was shipped L periods before, and in the first L periods what flows at rest.
Minor inputs and inputs without links never bind. Nothing holds at the end of the window: stocks may
end empty, and what could only arrive after it need not be shipped.

Every path of `simulate` satisfies all of this, so the least loss is never above the simulated one.
An important input lets output run down: x <= max(s, (s + x0)/2), with s = at hand / a. That set is
not convex; the row above is its convex hull for outputs up to x_max (the capacity).

Quantities are in units of output at rest (links and stocks: of the input's use at rest), so that
coefficients are near 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.errors import UsageError
from withstand.model.recipe_inputs import CONSUMED, ESSENTIAL, MINOR
from withstand.stress.arrays import lead_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.hits import Hit
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
LARGEST = 20_000_000
"""Most variables that one programme may have."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What of a network binds: nodes that final demand needs, their inputs, and links to these.

    Parameters
    ----------
    nodes : ndarray of int64, shape (n,)
        Index of each node in the network.
    size, capacity, final_demand : ndarray of float64, shape (n,), units per period
        Size is output at rest (capacity where there is none); capacity includes `alpha_max`.
    half, slope : ndarray of float64, shape (n,)
        Of important inputs: half the output at rest over size, 1 - x0 / (2 capacity).
    inputs : ndarray of int64, shape (m,)
        Index of each input in the network.
    buyer : ndarray of int64, shape (m,)
        Position in `nodes`.
    scale, stock : ndarray of float64, shape (m,), input units
        Use at the buyer's size per period, and stock at rest.
    is_consumed, is_essential : ndarray of bool, shape (m,)
    links : ndarray of int64, shape (k,)
        Index of each link in the network; -1 for a supplier that is no supplier at rest.
    link_input, supplier : ndarray of int64, shape (k,)
        Positions in `inputs` and `nodes`.
    lead : ndarray of int64, shape (k,), periods
    flow : ndarray of float64, shape (k,), input units per period
        At rest.
    """

    nodes: Array
    size: Array
    capacity: Array
    final_demand: Array
    half: Array
    slope: Array
    inputs: Array
    buyer: Array
    scale: Array
    stock: Array
    is_consumed: Array
    is_essential: Array
    links: Array
    link_input: Array
    supplier: Array
    lead: Array
    flow: Array


def parts_of(network: ProductionNetwork, *, alpha_max: float = 1.0, reroute: bool = False) -> Parts:
    """Return what binds; with `reroute`, every maker of a product may serve every user of it."""
    final = np.maximum(network.final_demand, 0.0)
    link_input, supplier, lead, flow, links = _links(network, reroute)
    counts = np.bincount(link_input, minlength=network.n_inputs)
    binds = (network.input_class > MINOR) & (network.input_coefficient > 0) & (counts > 0)
    is_needed = final > 0
    joins = binds[link_input]
    buyer_of_link = network.input_buyer[link_input]
    while True:
        reached = is_needed.copy()
        reached[supplier[joins & is_needed[buyer_of_link]]] = True
        if np.array_equal(reached, is_needed):
            break
        is_needed = reached
    nodes = np.flatnonzero(is_needed)
    at_node = np.full(network.n_nodes, -1, np.int64)
    at_node[nodes] = np.arange(len(nodes))
    capacity = alpha_max * np.maximum(network.capacity[nodes], network.output[nodes])
    rest = network.output[nodes]
    size = np.where(rest > 0, rest, np.where(capacity > 0, capacity, 1.0))
    inputs = np.flatnonzero(binds & is_needed[network.input_buyer])
    at_input = np.full(network.n_inputs, -1, np.int64)
    at_input[inputs] = np.arange(len(inputs))
    keep = np.flatnonzero(at_input[link_input] >= 0)
    buyer = at_node[network.input_buyer[inputs]]
    is_consumed = network.input_use[inputs] == CONSUMED
    return Parts(
        nodes=nodes,
        size=size,
        capacity=capacity,
        final_demand=final[nodes],
        half=0.5 * rest / size,
        slope=1.0 - 0.5 * rest / np.maximum(capacity, np.maximum(rest, 1e-300)),
        inputs=inputs,
        buyer=buyer,
        scale=network.input_coefficient[inputs] * size[buyer],
        stock=np.where(is_consumed, network.input_stock[inputs], 0.0),
        is_consumed=is_consumed,
        is_essential=network.input_class[inputs] == ESSENTIAL,
        links=links[keep],
        link_input=at_input[link_input[keep]],
        supplier=at_node[supplier[keep]],
        lead=lead[keep],
        flow=flow[keep],
    )


def _links(network: ProductionNetwork, reroute: bool) -> tuple[Array, Array, Array, Array, Array]:
    """Return input, supplier, lead time, flow at rest and index of all links, new ones last."""
    link_input, supplier = network.link_input, network.link_supplier
    lead = lead_times(network)
    index = np.arange(network.n_links)
    if not reroute:
        return link_input, supplier, lead, network.link_flow, index
    new_input, new_supplier = _other_makers(network)
    fastest = np.full(network.n_inputs, np.iinfo(np.int64).max)
    np.minimum.at(fastest, link_input, lead)
    return (
        np.concatenate([link_input, new_input]),
        np.concatenate([supplier, new_supplier]),
        np.concatenate([lead, fastest[new_input]]),
        np.concatenate([network.link_flow, np.zeros(len(new_input))]),
        np.concatenate([index, np.full(len(new_input), -1)]),
    )


def _other_makers(network: ProductionNetwork) -> tuple[Array, Array]:
    """Return (input, node) pairs without a link: other makers of a product that has links."""
    counts = np.diff(network.links_indptr)
    wanted = np.flatnonzero((counts > 0) & (network.input_class > MINOR))
    by_product = np.argsort(network.node_product, kind="stable")
    first = np.searchsorted(network.node_product[by_product], np.arange(network.n_products + 1))
    product = network.input_product[wanted]
    many = first[product + 1] - first[product]
    if many.sum() > LARGEST:
        raise UsageError(
            f"Rerouting would add {int(many.sum()):,} links; the most is {LARGEST:,}. "
            "Use reroute=False."
        )
    pair_input = np.repeat(wanted, many)
    nth = np.arange(len(pair_input)) - np.repeat(np.cumsum(many) - many, many)
    pair_node = by_product[np.repeat(first[product], many) + nth]
    linked = network.link_input * network.n_nodes + network.link_supplier
    key = pair_input * network.n_nodes + pair_node
    is_new = ~np.isin(key, linked) & (pair_node != network.input_buyer[pair_input])
    is_new &= network.is_allowed[network.node_region[pair_node]]
    return pair_input[is_new], pair_node[is_new].astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class ResponseProgramme:
    """minimise cost x,  row_lower <= matrix x <= row_upper,  0 <= x <= upper.

    Parameters
    ----------
    parts : Parts
    cost, upper, row_lower, row_upper : ndarray of float64
    matrix : scipy.sparse.csr_array
    output, unmet, stock, used : ndarray of int64, shape (n_periods, ...)
        Columns of the nodes' output, of unmet demand (nodes with final demand), of stocks
        (consumed inputs) and of use (important inputs), in units of size or scale.
    served, stored, softened : ndarray of int64
        Positions (in the parts' nodes, inputs, inputs) of the last three.
    shipped : ndarray of int64, shape (n_shipments,)
        Columns of shipments; `shipped_link`, `shipped_at` say on which link and when.
    opening : ndarray of int64, shape (n_stored,)
        Rows of the stocks' balance in the first period.
    factor : ndarray of float64, shape (n_periods, n)
        Share left of each node's capacity.
    """

    parts: Parts
    cost: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    matrix: sparse.csr_array
    output: Array
    unmet: Array
    stock: Array
    used: Array
    served: Array
    stored: Array
    softened: Array
    shipped: Array
    shipped_link: Array
    shipped_at: Array
    opening: Array
    factor: Array


def programme_of(
    parts: Parts, network: ProductionNetwork, hits: Sequence[Hit], n_periods: int, weight: Array
) -> ResponseProgramme:
    """Return the programme; `weight` is the cost of one unit of unmet demand of each part's node.

    Parameters
    ----------
    hits : sequence of Hit
        With factors over `n_periods`, the window's first period first.
    weight : ndarray of float64, shape (n,)
    """
    n, times = len(parts.nodes), np.arange(n_periods)
    served = np.flatnonzero(parts.final_demand > 0)
    stored = np.flatnonzero(parts.is_consumed)
    softened = np.flatnonzero(~parts.is_essential)
    n_ships = np.maximum(n_periods - parts.lead, 0)
    shipped_link = np.repeat(np.arange(len(parts.lead)), n_ships)
    shipped_at = np.arange(len(shipped_link)) - np.repeat(np.cumsum(n_ships) - n_ships, n_ships)
    widths = [n, len(served), len(stored), len(softened)]
    ends = np.cumsum([0, *(n_periods * w for w in widths), len(shipped_link)])
    if ends[-1] > LARGEST:
        raise UsageError(
            f"The programme would have {ends[-1]:,} variables; the most is {LARGEST:,}. "
            "Play fewer periods, use reroute=False, or a smaller network."
        )
    output, unmet, stock, used = (
        start + times[:, None] * w + np.arange(w) for start, w in zip(ends[:4], widths, strict=True)
    )
    shipped = ends[4] + np.arange(len(shipped_link))
    factor, demand, limit = _factors(parts, network, hits, n_periods)
    rows = _Rows()

    relative = parts.final_demand[served] / parts.size[served]
    made = rows.new(n_periods, n)
    rows.put(made, output, 1.0)
    rows.put(made[:, served], unmet, relative)
    per_size = parts.scale[parts.link_input] / parts.size[parts.supplier]
    rows.put(made[shipped_at, parts.supplier[shipped_link]], shipped, -per_size[shipped_link])
    asked = np.zeros((n_periods, n))
    asked[:, served] = demand[:, served] * relative
    rows.bound(made, asked, np.inf)

    kept = rows.new(n_periods, len(parts.inputs))
    take = output[:, parts.buyer]
    take[:, softened] = used
    rows.put(kept, take, 1.0)
    rows.put(kept[:, stored], stock, 1.0)
    rows.put(kept[1:, stored], stock[:-1], -1.0)
    arrives = shipped_at + parts.lead[shipped_link]
    rows.put(kept[arrives, parts.link_input[shipped_link]], shipped, -1.0)
    under_way = np.zeros((n_periods, len(parts.inputs)))
    pipeline = parts.flow / parts.scale[parts.link_input]
    for t in range(min(n_periods, int(parts.lead.max(initial=0)))):
        late = parts.lead > t
        under_way[t] = np.bincount(parts.link_input[late], pipeline[late], len(parts.inputs))
    under_way[0, stored] += parts.stock[stored] / parts.scale[stored]
    rows.bound(kept, np.where(parts.is_consumed, under_way, -np.inf), under_way)

    buyer = parts.buyer[softened]
    soft = rows.new(n_periods, len(softened))
    rows.put(soft, output[:, buyer], 1.0)
    rows.put(soft, used, -parts.slope[buyer])
    rows.bound(soft, -np.inf, parts.half[buyer])

    upper = np.full(ends[-1], np.inf)
    upper[output] = factor * parts.capacity / parts.size
    upper[unmet] = demand[:, served]
    upper[shipped] = limit[shipped_at, shipped_link]
    cost = np.zeros(ends[-1])
    cost[unmet] = (weight * parts.final_demand)[served]
    matrix, row_lower, row_upper = rows.finish(int(ends[-1]))
    return ResponseProgramme(
        parts=parts, cost=cost, upper=upper, row_lower=row_lower, row_upper=row_upper,
        matrix=matrix, output=output, unmet=unmet, stock=stock, used=used, served=served,
        stored=stored, softened=softened, shipped=shipped, shipped_link=shipped_link,
        shipped_at=shipped_at, opening=kept[0, stored], factor=factor,
    )  # fmt: skip


def _factors(
    parts: Parts, network: ProductionNetwork, hits: Sequence[Hit], n_periods: int
) -> tuple[Array, Array, Array]:
    """Return shares left of capacity and of demand, and the limits of links over the scale."""
    node, demand = np.ones((2, n_periods, network.n_nodes))
    link = np.ones((n_periods, network.n_links))
    for hit in hits:
        left = {"node": node, "demand": demand, "link": link}[hit.kind]
        left[:, hit.indices] *= hit.factor[:, None]
    share = np.where(parts.links >= 0, link[:, parts.links], 1.0) if network.n_links else link
    most = share * (parts.flow / parts.scale[parts.link_input])
    return node[:, parts.nodes], demand[:, parts.nodes], np.where(share < 1.0, most, np.inf)


class _Rows:
    """Rows of a sparse matrix, put together from blocks of equal shape."""

    def __init__(self) -> None:
        self._count = 0
        self._entries: list[tuple[Array, Array, Array]] = []
        self._bounds: list[tuple[Array, Array]] = []

    def new(self, n_periods: int, width: int) -> Array:
        """Return the indices of new rows, shape (n_periods, width)."""
        first = self._count
        self._count += n_periods * width
        return first + np.arange(n_periods * width).reshape(n_periods, width)

    def put(self, rows: Array, columns: Array, values: Array | float) -> None:
        """Add coefficients; values are broadcast."""
        filled = np.broadcast_to(values, rows.shape)
        self._entries.append((rows.ravel(), columns.ravel(), filled.ravel()))

    def bound(self, rows: Array, lower: Array | float, upper: Array | float) -> None:
        """Set the bounds of the rows made last."""
        low, high = np.broadcast_to(lower, rows.shape), np.broadcast_to(upper, rows.shape)
        self._bounds.append((low.ravel(), high.ravel()))

    def finish(self, n_columns: int) -> tuple[sparse.csr_array, Array, Array]:
        """Return the matrix and the bounds of its rows."""
        row, column, value = (np.concatenate(x) for x in zip(*self._entries, strict=True))
        lower, upper = (np.concatenate(x) for x in zip(*self._bounds, strict=True))
        shape = (self._count, n_columns)
        return sparse.coo_array((value, (row, column)), shape).tocsr(), lower, upper
