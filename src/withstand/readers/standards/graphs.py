"""Graphs in and out: GraphML, GEXF, networkx and igraph."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.errors import DataError, MissingExtraError, UsageError
from withstand.model.findings import (
    Finding,
    Origin,
    listed,
    make_finding,
    nearest,
    shorten,
    sort_findings,
)
from withstand.readers.atomic import write_atomic
from withstand.readers.firms import UNSTATED_REGION, network_from_links
from withstand.readers.standards.graph_files import SUFFIXES, graph_text, read_graph_file
from withstand.readers.standards.graph_networks import frame_of, network_of, parts_of
from withstand.readers.standards.graph_parts import KEY, GraphParts, Value

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.network import ProductionNetwork

PRODUCTS = ("product", "sector", "industry", "nace", "class", "type", "category")
REGIONS = ("region", "country", "iso", "iso2", "iso3", "location")
VALUES = ("value", "weight", "amount", "flow", "volume", "sales")
NAMES = ("name", "v_name", "label", "Label")


def read_graph(
    source: Any,
    *,
    product: str | None = None,
    region: str | None = None,
    value: str | None = None,
    name: str | None = None,
    home: str | None = None,
    period: str = "year",
    currency: str = "",
) -> ProductionNetwork:
    """Read a graph into a network: one of our own as it was, any other as a network of firms.

    In a graph of another program an edge leads from the seller to the buyer, and its weight is the
    value sold. What the graph does not say is assumed, with a finding each.

    Parameters
    ----------
    source : path, networkx graph or igraph graph
        GraphML or GEXF file, or an object. Files with a document type or entities are refused.
    product, region, value : str, optional
        Attribute of nodes that says what they make and where they stand, and of edges that says
        the value sold. Default: the first of the usual names that is there.
    name, home, period, currency : str, optional
        Settings of the network; a graph that `write_graph` wrote has its own.

    Returns
    -------
    ProductionNetwork

    Raises
    ------
    UsageError
        If there is no such file or attribute, or the object is no graph.
    DataError
        With every fault of the file.

    Examples
    --------
    >>> import networkx
    >>> graph = networkx.DiGraph()
    >>> graph.add_node("mill", sector="steel")
    >>> graph.add_node("plant", sector="gears")
    >>> graph.add_edge("mill", "plant", weight=4.0)
    >>> read_graph(graph).output.tolist()
    [4.0, 4.0]
    """
    parts, origin = _parts(source)
    if parts.facts is not None:
        return network_of(parts, origin)
    findings: list[Finding] = []
    nodes, labels = _nodes(parts, product, region, home, origin, findings)
    links = _links(parts, labels, value, origin, findings)
    network = network_from_links(
        nodes, links, name=name or Path(origin.file).stem, home=home, period=period,
        currency=currency,
    )  # fmt: skip
    return replace(network, findings=tuple(sort_findings([*findings, *network.findings])))


def write_graph(network: ProductionNetwork, path: str | os.PathLike[str]) -> Path:
    """Write a network as GraphML or GEXF that other programs draw and `read_graph` reads back.

    Columns of the tables of nodes and links are typed attributes; settings and the other tables
    stand in one attribute of the graph. The fingerprint survives.

    Parameters
    ----------
    network : ProductionNetwork
    path : str or path
        Ends in .graphml or .gexf.

    Raises
    ------
    UsageError
        If the ending is another, a label holds characters that XML cannot hold, or the file cannot
        be written.

    Examples
    --------
    >>> import tempfile
    >>> import polars as pl
    >>> nodes = pl.DataFrame({"id": ["mill", "plant"], "sector": ["steel", "gears"]})
    >>> links = pl.DataFrame({"supplier": ["mill"], "buyer": ["plant"], "value": [4.0]})
    >>> net = network_from_links(nodes, links)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     again = read_graph(write_graph(net, place + "/firms.graphml"))
    >>> again.fingerprint() == net.fingerprint()
    True
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{file.name}: graphs are written as {' or '.join(SUFFIXES)}.")
    data = "".join(graph_text(parts_of(network), suffix)).encode()
    try:
        write_atomic(file, data)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{file} cannot be written: {reason}.") from error
    return file


def to_networkx(network: ProductionNetwork) -> Any:
    """Return a network as a `networkx.MultiDiGraph`; `read_graph` takes it back.

    Examples
    --------
    >>> from withstand.examples import example
    >>> to_networkx(example("robot_maker")).number_of_nodes()
    372
    """
    try:
        import networkx  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("networkx is missing: pip install 'withstand[graphs]'.") from error
    parts = parts_of(network)
    graph = networkx.MultiDiGraph(**{KEY: parts.facts})
    graph.add_nodes_from(parts.nodes.items())
    graph.add_edges_from(parts.edges)
    return graph


def to_igraph(network: ProductionNetwork) -> Any:
    """Return a network as a directed `igraph.Graph`; `read_graph` takes it back.

    Examples
    --------
    >>> from withstand.examples import example
    >>> to_igraph(example("robot_maker")).vcount()
    372
    """
    try:
        import igraph  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("igraph is missing: pip install 'withstand[graphs]'.") from error
    parts = parts_of(network)
    graph = igraph.Graph(n=len(parts.nodes), directed=True)
    graph[KEY] = parts.facts
    at = {label: k for k, label in enumerate(parts.nodes)}
    graph.vs["name"] = list(parts.nodes)
    for column in dict.fromkeys(c for row in parts.nodes.values() for c in row):
        graph.vs[column] = [row.get(column) for row in parts.nodes.values()]
    graph.add_edges([(at[a], at[b]) for a, b, _ in parts.edges])
    for column in dict.fromkeys(c for _, _, row in parts.edges for c in row):
        graph.es[column] = [row.get(column) for _, _, row in parts.edges]
    return graph


# --- in ------------------------------------------------------------------------------------------


def _parts(source: Any) -> tuple[GraphParts, Origin]:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return read_graph_file(path), Origin(shorten(path.name))
    home = type(source).__module__.partition(".")[0]
    if home == "networkx" or (hasattr(source, "nodes") and hasattr(source, "is_directed")):
        return _of_networkx(source), Origin("graph")
    if home == "igraph" or (hasattr(source, "vs") and hasattr(source, "es")):
        return _of_igraph(source), Origin("graph")
    raise UsageError(
        f"A {type(source).__name__} is no graph; give a GraphML or GEXF file, or a graph of "
        "networkx or igraph."
    )


def _plain(row: dict[Any, Any]) -> dict[str, Value]:
    """Return attributes as text, numbers and yes or no; empty ones are left out."""
    out: dict[str, Value] = {}
    for name, value in row.items():
        plain = value.item() if hasattr(value, "item") else value
        if plain is None or plain != plain:
            continue
        out[str(name)] = plain if isinstance(plain, str | int | float) else str(plain)
    return out


def _of_networkx(graph: Any) -> GraphParts:
    nodes = {str(node): _plain(data) for node, data in graph.nodes(data=True)}
    if len(nodes) < graph.number_of_nodes():
        raise UsageError("Two nodes of the graph have the same name as text; rename one of them.")
    edges = [(str(a), str(b), _plain(data)) for a, b, data in graph.edges(data=True)]
    facts = graph.graph.get(KEY)
    facts = facts if isinstance(facts, str) else None
    return GraphParts(nodes, edges, facts, bool(graph.is_directed()))


def _of_igraph(graph: Any) -> GraphParts:
    has_names = "name" in graph.vs.attributes()
    labels = [str(v["name"]) if has_names else str(v.index) for v in graph.vs]
    if len(set(labels)) < len(labels):
        raise UsageError("Two vertices of the graph have the same name; rename one of them.")
    nodes = {
        label: _plain({k: x for k, x in v.attributes().items() if k != "name"})
        for label, v in zip(labels, graph.vs, strict=True)
    }
    edges = [(labels[e.source], labels[e.target], _plain(e.attributes())) for e in graph.es]
    facts = graph[KEY] if KEY in graph.attributes() else None
    return GraphParts(nodes, edges, facts if isinstance(facts, str) else None, graph.is_directed())


def _attribute(
    given: str | None, usual: tuple[str, ...], names: list[str], what: str
) -> str | None:
    """Return the name of the attribute that is meant: the one given, or the first usual one."""
    if given is not None:
        if given not in names:
            near = nearest(given, names)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"No {what} has an attribute '{given}'; there are "
                             f"{listed(names, 20) or 'none'}.{hint}")  # fmt: skip
        return given
    folded = {name.casefold(): name for name in reversed(names)}
    return next((folded[x] for x in usual if x in folded), None)


def _nodes(
    parts: GraphParts, product: str | None, region: str | None, home: str | None, origin: Origin,
    findings: list[Finding],
) -> tuple[pl.DataFrame, dict[str, str]]:  # fmt: skip
    """Return the table of nodes, and the label of each id."""
    names = list(dict.fromkeys(name for row in parts.nodes.values() for name in row))
    labels = _labels(parts)
    made = _attribute(product, PRODUCTS, names, "node")
    where = _attribute(region, REGIONS, names, "node")
    n = len(parts.nodes)
    without = [x for x, row in parts.nodes.items() if not _has(row, made)]
    if without:
        said = "no attribute says what nodes make" if made is None else f"no '{made}'"
        what = f"{len(without):,} of {n:,} nodes: {said}; each makes a product of its own"
        findings.append(make_finding("N742", what, origin=origin, column=made, count=len(without)))
    unplaced = [x for x, row in parts.nodes.items() if not _has(row, where)]
    if unplaced:
        away = home or UNSTATED_REGION
        what = f"{len(unplaced):,} of {n:,} nodes say no region: they stand in '{away}'"
        findings.append(
            make_finding("N742", what, origin=origin, column=where, count=len(unplaced))
        )
    rows: list[dict[str, Value]] = []
    kept = ("output", "capacity", "final_demand", "price", "site", "company", "latitude",
            "longitude")  # fmt: skip
    for label, row in parts.nodes.items():
        out: dict[str, Value] = {
            "node": labels[label],
            "product": str(row[made]) if made and _has(row, made) else labels[label],
            "region": str(row[where]) if where and _has(row, where) else (home or UNSTATED_REGION),
        }
        rows.append(out | {k: row[k] for k in kept if _has(row, k)})
    return frame_of(rows), labels


def _has(row: dict[str, Value], name: str | None) -> bool:
    """Tell whether an attribute is there and filled: igraph writes empty text where none is."""
    return name is not None and row.get(name, "") != ""


def _labels(parts: GraphParts) -> dict[str, str]:
    """Return the label of each node: a name that all have and none shares, else its id."""
    for name in NAMES:
        found = [str(row.get(name, "")).strip() for row in parts.nodes.values()]
        if all(found) and len(set(found)) == len(found):
            return dict(zip(parts.nodes, found, strict=True))
    return {label: label for label in parts.nodes}


def _links(
    parts: GraphParts, labels: dict[str, str], value: str | None, origin: Origin,
    findings: list[Finding],
) -> pl.DataFrame:  # fmt: skip
    names = list(dict.fromkeys(name for _, _, row in parts.edges for name in row))
    if not parts.edges:
        fault = make_finding("E745", "the graph has no edges", origin=origin)
        raise DataError([*findings, fault])
    weight = _attribute(value, VALUES, names, "edge")
    if not parts.is_directed:
        what = f"the {len(parts.edges):,} edges have no direction: the first named sells"
        findings.append(make_finding("W748", what, origin=origin, count=len(parts.edges)))
    if parts.n_left_out:
        what = f"{parts.n_left_out:,} hyperedges and ports are left out"
        findings.append(make_finding("W745", what, origin=origin, count=parts.n_left_out))
    bare = sum(not _has(row, weight) for _, _, row in parts.edges)
    if bare:
        said = "no attribute holds a value" if weight is None else f"no '{weight}'"
        what = f"{bare:,} of {len(parts.edges):,} edges: {said}; each counts as 1"
        findings.append(make_finding("W747", what, origin=origin, column=weight, count=bare))
    rows: list[dict[str, Value]] = [
        {
            "supplier": labels[a],
            "buyer": labels[b],
            "value": row[weight] if weight and _has(row, weight) else 1.0,
        }
        for a, b, row in parts.edges
    ]
    return frame_of(rows)
