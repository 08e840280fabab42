"""Clusters: groups of nodes, or products, that trade more with each other than chance has it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.cluster_results import Clusters
from withstand.measures.leiden import adjusted_rand, graph_of, leiden, modularity
from withstand.model.checked_frames import checked_frame
from withstand.model.encoding import encode
from withstand.model.findings import Finding, listed, make_finding, nearest, shorten
from withstand.model.network import ProductionNetwork
from withstand.model.recipe_inputs import HOSTED
from withstand.model.tables import Column, Table
from withstand.model.value_flows import value_flows

if TYPE_CHECKING:
    from scipy import sparse

Array = np.ndarray
UNITS = ("nodes", "products", "companies")
WEIGHTS = ("value", "share", "one")
_ROWS = 512  # of a matrix that are looked at together
_STABLE = 0.7  # runs that agree by less are worth a warning
_LINKS = Table(
    name="links",
    meaning="Who supplies whom.",
    columns=(
        Column(name="supplier", meaning="Who sells.", type="label", required=True),
        Column(name="buyer", meaning="Who buys.", type="label", required=True),
        Column(name="value", meaning="How much; 1 if not given.", type="number", low=0.0),
    ),
)


def clusters(
    links: ProductionNetwork | pl.DataFrame,
    *,
    of: str = "nodes",
    weight: str = "value",
    directed: bool = True,
    resolution: float = 1.0,
    least: float = 0.0,
    seed: int = 0,
    runs: int = 5,
) -> Clusters:
    """Find the clusters of a network: who trades more with each other than chance would have it.

    Maximises directed modularity

        Q = sum_c [ w_c / m - resolution out_c in_c / m^2 ]

    (w_c the value of links inside cluster c, out_c and in_c what its members sell and buy, m all
    links) by the Leiden method, whose communities hang together, over several seeds; the best
    division is shown, and how far the runs agree.

    Parameters
    ----------
    links : ProductionNetwork or polars.DataFrame
        A plant, firms or an economy; or a frame of supplier, buyer and value (repeated rows add
        up).
    of : {"nodes", "products", "companies"}
        What is grouped: nodes, or all nodes of a product (an industry) or of a company as one.
    weight : {"value", "share", "one"}
        What a link weighs: its value; its share of all that the buyer buys, so that small buyers
        count as large ones (of a network without prices: its share of the buyer's input, the
        inputs alike); or 1.
    directed : bool
        False: a link counts in both directions alike, as in the modularity of Newman and Girvan.
    resolution : float
        Above 1 more and smaller clusters. At 1 clusters that are small beside the whole network
        may be joined (resolution limit).
    least : float, 0 to 1
        Links below this share both of what the supplier sells and of what the buyer buys are left
        out, before anything is added up: world tables have millions of flows next to nothing.
    seed, runs : int
        Runs with the seeds seed, seed + 1 ...: the same seeds give the same clusters.

    Returns
    -------
    Clusters
        Its tables count links in value, whatever they weighed in the search.

    Raises
    ------
    UsageError
        Choices that are not known; nothing has a price; no links.
    DataError
        Faults in a frame of links.

    Notes
    -----
    What a node sells to itself is left out. Nodes without links are in no cluster (note N671).
    Warning W676: runs agree by less than 0.7, so no one division stands out. Modularity finds
    groups in random networks too: judge it beside that of the same network shuffled, or by the
    internal shares.

    References
    ----------
    Leicht and Newman (2008), Community structure in directed networks, Physical Review Letters 100.
    Traag, Waltman and van Eck (2019), From Louvain to Leiden, Scientific Reports 9:5233. Fortunato
    and Barthelemy (2007), Resolution limit in community detection, PNAS 104. Hubert and Arabie
    (1985), Comparing partitions, Journal of Classification 2.

    Examples
    --------
    Two pairs with one thin link between them.

    >>> frame = pl.DataFrame({"supplier": ["ore", "steel", "seed", "flour", "steel"],
    ...                       "buyer": ["steel", "ore", "flour", "seed", "flour"],
    ...                       "value": [5.0, 5.0, 5.0, 5.0, 1.0]})
    >>> found = clusters(frame)
    >>> found.nodes_of(1), found.nodes_of(2), found.stability
    (['ore', 'steel'], ['seed', 'flour'], 1.0)
    """
    _check(of, weight, resolution, least, seed, runs)
    labels, regions, size, matrix, findings = _read(links, of, weight, least)
    graph = graph_of(_weighed(matrix, weight), directed=directed)
    if graph.total <= 0:
        raise UsageError("No node has a link with another one: there are no clusters to find.")
    found = [leiden(graph, resolution, seed + k) for k in range(runs)]
    quality = np.array([modularity(graph, c, resolution) for c in found])
    best = int(np.flatnonzero(quality >= quality.max() - 1e-12)[0])
    linked = np.diff(graph.indptr) > 0
    pairs = [adjusted_rand(a[linked], b[linked]) for a, b in combinations(found, 2)]
    stability = float(np.mean(pairs)) if pairs else float("nan")
    if not linked.all():
        names = [labels[k] for k in np.flatnonzero(~linked)]
        what = f"{listed(names)} {'have' if len(names) > 1 else 'has'} no link with another node"
        findings.append(make_finding("N671", what, value=names[0], count=len(names)))
    if stability < _STABLE:
        what = f"{runs} runs agree by {stability:.2f} only (adjusted Rand index)"
        findings.append(make_finding("W676", what))
    return Clusters(
        labels=labels,
        regions=regions,
        membership=_largest_first(found[best], linked, size),
        size=size,
        modularity=float(quality[best]),
        resolution=float(resolution),
        directed=directed,
        seed=seed,
        best_seed=seed + best,
        modularities=quality,
        stability=stability,
        findings=tuple(findings),
        _links=matrix,
    )


def _check(of: str, weight: str, resolution: float, least: float, seed: int, runs: int) -> None:
    for word, given, known in (("of", of, UNITS), ("weight", weight, WEIGHTS)):
        if given not in known:
            near = nearest(str(given), known)
            hint = f" Did you mean '{near}'?" if near else ""
            raise UsageError(f"{word} = {shorten(given)}: known are {', '.join(known)}.{hint}")
    if not 0 < resolution < np.inf:
        raise UsageError(f"resolution = {resolution}: give a number above 0; 1 is usual.")
    if not 0 <= least < 1:
        raise UsageError(f"least = {least}: give a share from 0 to below 1, such as 0.001.")
    if runs < 1 or seed < 0:
        raise UsageError(
            f"runs = {runs}, seed = {seed}: give at least one run, and no seed below 0."
        )


def _largest_first(found: Array, linked: Array, size: Array) -> Array:
    """Return the number of each node's cluster, from 1 by output; 0 for nodes without links."""
    groups, first, at = np.unique(found[linked], return_index=True, return_inverse=True)
    total = np.bincount(at, size[linked], len(groups))
    rank = np.empty(len(groups), dtype=np.int64)
    rank[np.lexsort((first, -total))] = np.arange(1, len(groups) + 1)
    membership = np.zeros(len(found), dtype=np.int64)
    membership[linked] = rank[at]
    return membership


def _read(
    links: ProductionNetwork | pl.DataFrame, of: str, weight: str, least: float
) -> tuple[tuple[str, ...], tuple[str, ...], Array, sparse.csr_array, list[Finding]]:
    """Return labels, regions, sizes, the matrix of links in value, and findings."""
    from scipy import sparse

    if not isinstance(links, ProductionNetwork):
        if of != "nodes":
            raise UsageError("A frame of links has only nodes: leave of= out.")
        frame, findings = checked_frame(links, _LINKS)
        if "value" not in frame.columns:
            frame = frame.with_columns(value=pl.lit(1.0))
        frame = frame.with_columns(pl.col("value").cast(pl.Float64).fill_null(1.0))
        names = pl.concat([frame["supplier"], frame["buyer"].rename("supplier")])
        names = names.unique(maintain_order=True)
        at = encode(names, frame["supplier"]), encode(names, frame["buyer"])
        shape = (len(names), len(names))
        matrix = sparse.coo_array((frame["value"].to_numpy(), at), shape=shape).tocsr()
        size = np.maximum(_sum(matrix, 1), _sum(matrix, 0))
        return tuple(names), (), size, _without_small(matrix, least), findings
    if weight == "value":
        flows, output = value_flows(links)
    else:
        flows, output = _shares(links)
    matrix = _without_small(flows, least)
    labels = tuple(str(x) for x in links.node_labels)
    regions = tuple(str(x) for x in links.region_labels[links.node_region])
    if of != "nodes":
        labels, group = _groups(links, of)
        spread = sparse.csr_array(
            (np.ones(len(group)), (group, np.arange(len(group)))), shape=(len(labels), len(group))
        )
        matrix = sparse.csr_array(spread @ matrix @ spread.T)
        output = np.bincount(group, output, len(labels))
        regions = _one_region(regions, group, len(labels))
    matrix = matrix - sparse.dia_array((matrix.diagonal()[None, :], [0]), shape=matrix.shape)
    matrix = sparse.csr_array(matrix)
    matrix.eliminate_zeros()
    return labels, regions, np.asarray(output, dtype=np.float64), matrix, []


def _without_small(flows: Array | sparse.csr_array, least: float) -> sparse.csr_array:
    """Return flows of at least a share of what is sold, or of what is bought."""
    from scipy import sparse

    sold, bought = (np.asarray(flows.sum(axis=k), dtype=np.float64).ravel() for k in (1, 0))
    parts = []
    for first in range(0, flows.shape[0], _ROWS):
        part = sparse.coo_array(flows[first : first + _ROWS])
        row, column = part.coords
        kept = part.data >= least * np.minimum(sold[first + row], bought[column])
        kept &= part.data > 0
        parts.append(
            sparse.csr_array((part.data[kept], (row[kept], column[kept])), shape=part.shape)
        )
    return sparse.csr_array(sparse.vstack(parts, format="csr"))


def _groups(network: ProductionNetwork, of: str) -> tuple[tuple[str, ...], Array]:
    if of == "products":
        used, group = np.unique(network.node_product, return_inverse=True)
        return tuple(str(x) for x in network.product_labels[used]), group
    company = network.column("nodes", "company").cast(pl.String)
    names = company.fill_null(pl.Series(network.node_labels.astype(str)))
    known = names.unique(maintain_order=True)
    return tuple(known), encode(known, names)


def _one_region(regions: tuple[str, ...], group: Array, n: int) -> tuple[str, ...]:
    """Return the region of each group if all its nodes stand in one; none at all otherwise."""
    first: dict[int, str] = {}
    for g, region in zip(group.tolist(), regions, strict=True):
        if first.setdefault(g, region) != region:
            return ()
    return tuple(first[g] for g in range(n))


def _shares(network: ProductionNetwork) -> tuple[sparse.csr_array, Array]:
    """Return links in value if nodes have prices; else each input as 1, split over suppliers."""
    from scipy import sparse

    if np.nan_to_num(network.output * network.price).sum() > 0:
        flows, output = value_flows(network)
        return sparse.csr_array(flows), output
    supplier, buyer = network.link_supplier, network.input_buyer[network.link_input]
    bought = network.input_use[network.link_input] != HOSTED
    shape = (network.n_nodes, network.n_nodes)
    matrix = sparse.coo_array(
        (np.where(bought, network.link_share, 0.0), (supplier, buyer)), shape=shape
    ).tocsr()
    return matrix, np.ones(network.n_nodes)


def _weighed(matrix: sparse.csr_array, weight: str) -> sparse.csr_array:
    from scipy import sparse

    matrix = sparse.csr_array(matrix, dtype=np.float64)
    if weight == "value":
        return matrix
    done = matrix.copy()
    if weight == "one":
        done.data = (done.data > 0).astype(np.float64)
        return done
    bought = _sum(matrix, 0)
    done.data = done.data / np.where(bought > 0, bought, 1.0)[done.indices]
    return done


def _sum(matrix: sparse.csr_array, axis: int) -> Array:
    return np.asarray(matrix.sum(axis=axis), dtype=np.float64).ravel()
