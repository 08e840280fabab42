"""A network as the parts of a graph, and back, without losing anything."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.building import build_network
from withstand.model.economy import CARRIED, build_economy
from withstand.model.findings import Finding, Origin, make_finding
from withstand.model.settings import read_settings, settings_to_dict
from withstand.model.tables import TABLES
from withstand.readers.standards.graph_parts import GraphParts, Value

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

FORMAT = 1
DERIVED = "derived"
"""Marks an edge that only draws what a table says of several links."""
MOST_EDGES = 5_000_000


def parts_of(network: ProductionNetwork) -> GraphParts:
    """Return a network as nodes and edges; what they cannot hold stands in the facts.

    Raises
    ------
    UsageError
        If there are too many links for a graph.
    """
    if network.n_links > MOST_EDGES:
        raise UsageError(
            f"{network.n_links:,} links are too many for a graph ({MOST_EDGES:,}); aggregate first."
        )
    nodes = {str(row.pop("node")): _filled(row) for row in network.tables["nodes"].to_dicts()}
    facts: dict[str, Any] = {"format": FORMAT, "settings": settings_to_dict(network.settings)}
    left = {name: frame for name, frame in network.tables.items() if name != "nodes"}
    if network.flow_table is not None:
        edges = _flows(network)
        table = network.flow_table
        facts["economy"] = {
            "tolerance": table.tolerance,
            "region": network.region_labels[table.final_region].tolist(),
            "category": table.final_category.tolist(),
            "final": table.final.tolist(),
            "nodes": network.node_labels.tolist(),
        }
    else:
        edges = []
        links = left.pop("links", None)
        if links is not None:
            is_edge = pl.col("buyer").is_in(list(nodes)) & pl.col("supplier").is_in(list(nodes))
            plain, others = links.filter(is_edge), links.filter(~is_edge)
            for row in plain.to_dicts():
                edges.append((row.pop("supplier"), row.pop("buyer"), _filled(row)))
            if others.height:
                left["links"] = others
                edges += _drawn(network, links, is_edge)
    facts["tables"] = {name: _columns(frame) for name, frame in left.items()}
    return GraphParts(nodes, edges, json.dumps(facts, ensure_ascii=True, allow_nan=False))


def _filled(row: dict[str, Any]) -> dict[str, Value]:
    kept = {k: v for k, v in row.items() if v is not None and v == v}
    return {k: v if isinstance(v, str | int | float) else str(v) for k, v in kept.items()}


def _flows(network: ProductionNetwork) -> list[tuple[str, str, dict[str, Value]]]:
    assert network.flow_table is not None
    flows = network.flow_table.flows
    rows, columns = np.nonzero(flows)
    labels = network.node_labels.tolist()
    values = flows[rows, columns].tolist()
    pairs = zip(rows.tolist(), columns.tolist(), values, strict=True)
    return [(labels[i], labels[j], {"value": value}) for i, j, value in pairs]


def _drawn(
    network: ProductionNetwork, links: pl.DataFrame, is_edge: pl.Expr
) -> list[tuple[str, str, dict[str, Value]]]:
    """Return the links that rows for a product or for every buyer stand for."""
    is_row = links.select(is_edge.alias("x"))["x"].to_numpy()
    row = network.link_row
    chosen = np.flatnonzero((row < 0) | ~is_row[np.maximum(row, 0)])
    labels = network.node_labels
    buyers = network.input_buyer[network.link_input]
    return [
        (
            str(labels[network.link_supplier[k]]),
            str(labels[buyers[k]]),
            {
                DERIVED: True,
                "share": float(network.link_share[k]),
                "flow": float(network.link_flow[k]),
            },
        )
        for k in chosen
    ]


def _columns(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """Return each column with its type: s text, n number, b yes or no."""
    out: dict[str, list[Any]] = {}
    for series in frame:
        if series.dtype == pl.Boolean:
            out[series.name] = ["b", series.to_list()]
        elif series.dtype.is_numeric():
            numbers = [None if x is None or x != x else float(x) for x in series.to_list()]
            if any(x is not None and math.isinf(x) for x in numbers):
                numbers = [None if x is None or math.isinf(x) else x for x in numbers]
            out[series.name] = ["n", numbers]
        else:
            out[series.name] = ["s", series.cast(pl.String).to_list()]
    return out


# --- back ----------------------------------------------------------------------------------------

_TYPES = {"b": pl.Boolean, "n": pl.Float64, "s": pl.String}


def network_of(parts: GraphParts, origin: Origin) -> ProductionNetwork:
    """Return the network that `parts_of` made the parts of.

    Raises
    ------
    DataError
        If the facts were damaged, or the tables break a rule.
    """
    findings: list[Finding] = []
    try:
        facts = json.loads(parts.facts or "")
        if facts["format"] != FORMAT:
            raise ValueError(f"format {facts['format']}, this version reads {FORMAT}")
        tables = {
            name: pl.DataFrame(
                [pl.Series(c, values, _TYPES[kind]) for c, (kind, values) in columns.items()]
            )
            for name, columns in facts["tables"].items()
            if name in TABLES or name in CARRIED
        }
        settings, faults = read_settings(facts["settings"], origin)
        economy = facts.get("economy")
        nodes = _nodes(parts, None if economy is None else economy["nodes"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError,
            pl.exceptions.PolarsError) as error:  # fmt: skip
        what = f"what withstand wrote beside the graph is damaged: {type(error).__name__} {error}"
        raise DataError([make_finding("E745", what[:200], origin=origin)]) from error
    findings += faults
    tables["nodes"] = nodes
    drawn = sum(bool(data.get(DERIVED)) for _, _, data in parts.edges)
    if drawn:
        what = f"{drawn:,} edges only draw the table of links"
        findings.append(make_finding("N746", what, origin=origin, count=drawn))
    origins = dict.fromkeys(TABLES, origin)
    if economy is not None:
        return _economy(parts, economy, tables, settings, origin, findings)
    rows = [
        {"supplier": a, "buyer": b, **data} for a, b, data in parts.edges if not data.get(DERIVED)
    ]
    if rows:
        edges = frame_of(rows)
        known = tables.get("links")
        tables["links"] = (
            edges if known is None else pl.concat([edges, known], how="diagonal_relaxed")
        )
    return build_network(tables, settings, origins=origins, findings=findings)


def _nodes(parts: GraphParts, order: list[str] | None) -> pl.DataFrame:
    labels = list(parts.nodes) if order is None else order
    return frame_of([{"node": label, **parts.nodes[label]} for label in labels])


def frame_of(rows: list[dict[str, Value]]) -> pl.DataFrame:
    """Return rows with the same or other keys as a frame; mixed types become text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = []
    for name in names:
        values = [row.get(name) for row in rows]
        types = {type(x) for x in values if x is not None}
        if types <= {int, float}:
            columns.append(pl.Series(name, [None if x is None else float(x) for x in values]))
        elif types == {bool}:
            columns.append(pl.Series(name, values, pl.Boolean))
        else:
            texts = [None if x is None else str(x) for x in values]
            columns.append(pl.Series(name, texts, pl.String))
    return pl.DataFrame(columns)


def _economy(
    parts: GraphParts, economy: dict[str, Any], tables: dict[str, pl.DataFrame], settings: Any,
    origin: Origin, findings: list[Finding],
) -> ProductionNetwork:  # fmt: skip
    at = {label: k for k, label in enumerate(economy["nodes"])}
    flows = np.zeros((len(at), len(at)))
    try:
        for a, b, data in parts.edges:
            flows[at[a], at[b]] += float(data["value"])
        final = np.array(economy["final"], dtype=np.float64).reshape(len(at), -1)
        columns = pl.DataFrame({"region": economy["region"], "category": economy["category"]})
        tolerance = float(economy["tolerance"])
    except (KeyError, TypeError, ValueError) as error:
        what = f"the flows of the economy are damaged: {type(error).__name__} {error}"
        raise DataError([make_finding("E745", what[:200], origin=origin)]) from error
    carried = {name: frame for name, frame in tables.items() if name in CARRIED}
    return build_economy(
        flows, final, carried, columns, settings, tolerance=tolerance,
        origins=dict.fromkeys((*TABLES, "flows", "final"), origin), findings=findings,
    )  # fmt: skip
