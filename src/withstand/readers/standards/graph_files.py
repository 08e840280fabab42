"""GraphML and GEXF files, in and out, with typed attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from withstand.errors import DataError, UsageError
from withstand.model.findings import make_finding
from withstand.readers.standards.graph_parts import KEY, GraphParts, Value, kind_of, typed
from withstand.readers.standards.safe_xml import check_file, events, local

SUFFIXES = (".graphml", ".gexf")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_GRAPHML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
)
_GEXF = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n'
)


def read_graph_file(path: Path) -> GraphParts:
    """Return the parts of a GraphML or GEXF file; the root element says which it is.

    Raises
    ------
    DataError
        If it is neither, has entities, or an edge names a node that is not there.
    """
    origin = check_file(path)
    stream = events(path)
    root = next(stream, (None, None))[1]
    name = None if root is None else local(root.tag)
    readers = {"graphml": _graphml, "gexf": _gexf}
    if name not in readers:
        what = f"the first element is '{name}', expected graphml or gexf"
        raise DataError([make_finding("E745", what, origin=origin, value=name)])
    parts = readers[name](stream, root)
    faults = list(dict.fromkeys(parts.faults))
    if not parts.nodes:
        faults.append("there are no nodes")
    lost = [end for a, b, _ in parts.edges for end in (a, b) if end not in parts.nodes]
    if lost:
        faults.append(f"an edge names a node that is not there: {lost[0]}")
    if faults:
        raise DataError([make_finding("E745", what, origin=origin) for what in faults[:20]])
    return parts


def _graphml(  # noqa: C901  one branch an element
    stream: Iterator[tuple[str, Any]], root: Any
) -> GraphParts:
    keys: dict[str, tuple[str, str]] = {}
    defaults: dict[str, dict[str, Value]] = {"node": {}, "edge": {}}
    parts = GraphParts({}, [])
    facts: str | None = None
    is_directed, n_left_out, depth = True, 0, 0
    for event, element in stream:
        tag = local(element.tag)
        if event == "start":
            depth += tag == "graph"
            if tag == "graph" and depth == 1:
                is_directed = element.get("edgedefault", "directed") != "undirected"
            continue
        if tag == "key":
            name = element.get("attr.name") or element.get("id", "")
            kind = element.get("attr.type", "string")
            keys[element.get("id", "")] = name, kind
            default = next((c.text for c in element if local(c.tag) == "default"), None)
            for_ = element.get("for", "all")
            if default is not None:
                value = typed(default, kind)
                for what in ("node", "edge"):
                    if for_ in (what, "all") and value is not None:
                        defaults[what][name] = value
        elif tag == "node":
            label = element.get("id")
            if label is None or label in parts.nodes:
                parts.faults.append(f"a node without an id, or a second '{label}'")
            else:
                data = _data(element, keys, parts.faults)
                parts.nodes[label] = {**defaults["node"], **data}
            element.clear()
        elif tag == "edge":
            data = {**defaults["edge"], **_data(element, keys, parts.faults)}
            parts.edges.append((element.get("source", ""), element.get("target", ""), data))
            element.clear()
        elif tag in ("hyperedge", "port"):
            n_left_out += 1
        elif tag == "graph":
            depth -= 1
            found = _data(element, keys, parts.faults).get(KEY)
            facts = found if isinstance(found, str) else facts
            element.clear()
            root.clear()
    return GraphParts(parts.nodes, parts.edges, facts, is_directed, n_left_out, parts.faults)


def _data(element: Any, keys: dict[str, tuple[str, str]], faults: list[str]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for child in element:
        if local(child.tag) == "data":
            key = child.get("key", "")
            name, kind = keys.get(key, (key, "string"))
            text = "".join(child.itertext())
            value = typed(text, kind)
            if value is None and text.strip():
                faults.append(f"'{text[:40]}' is no {kind} (attribute {name})")
            elif value is not None and value == value and len(child) == 0:  # NaN means empty
                found[name] = value
    return found


def _gexf(  # noqa: C901  one branch an element
    stream: Iterator[tuple[str, Any]], root: Any
) -> GraphParts:
    keys: dict[str, dict[str, tuple[str, str]]] = {"node": {}, "edge": {}}
    defaults: dict[str, dict[str, Value]] = {"node": {}, "edge": {}}
    parts = GraphParts({}, [])
    facts: str | None = None
    is_directed, side = True, "node"
    for event, element in stream:
        tag = local(element.tag)
        if event == "start":
            if tag == "graph":
                is_directed = element.get("defaultedgetype", "undirected") == "directed"
            elif tag == "attributes":
                side = element.get("class", "node")
            continue
        if tag == "attribute" and side in keys:
            name, kind = (
                element.get("title") or element.get("id", ""),
                element.get("type", "string"),
            )
            keys[side][element.get("id", "")] = name, kind
            default = next((c.text for c in element if local(c.tag) == "default"), None)
            value = None if default is None else typed(default, kind)
            if value is not None:
                defaults[side][name] = value
        elif tag == "node":
            label = element.get("id")
            if label is None or label in parts.nodes:
                parts.faults.append(f"a node without an id, or a second '{label}'")
            else:
                data = {**defaults["node"], **_values(element, keys["node"], parts.faults)}
                if element.get("label") not in (None, label) and "name" not in data:
                    data["name"] = str(element.get("label"))
                parts.nodes[label] = data
            element.clear()
        elif tag == "edge":
            data = {**defaults["edge"], **_values(element, keys["edge"], parts.faults)}
            if element.get("weight") is not None and "weight" not in data:
                weight = typed(str(element.get("weight")), "double")
                if weight is None:
                    parts.faults.append(f"'{element.get('weight')}' is no number (weight)")
                else:
                    data["weight"] = weight
            kind = element.get("type")
            is_directed = is_directed or kind == "directed"
            parts.edges.append((element.get("source", ""), element.get("target", ""), data))
            element.clear()
        elif tag == "description" and (element.text or "").startswith(f"{KEY} "):
            facts = str(element.text).removeprefix(f"{KEY} ")
    root.clear()
    return GraphParts(parts.nodes, parts.edges, facts, is_directed, 0, parts.faults)


def _values(element: Any, keys: dict[str, tuple[str, str]], faults: list[str]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for child in element.iter():
        if local(child.tag) == "attvalue":
            key = child.get("for", child.get("id", ""))
            name, kind = keys.get(key, (key, "string"))
            text = child.get("value", "")
            value = typed(text, kind)
            if value is None and text.strip():
                faults.append(f"'{text[:40]}' is no {kind} (attribute {name})")
            elif value is not None and value == value:  # NaN means empty
                found[name] = value
    return found


# --- out -----------------------------------------------------------------------------------------


def graph_text(parts: GraphParts, suffix: str) -> Iterator[str]:
    """Yield the text of a file, piece by piece.

    Raises
    ------
    UsageError
        If a label holds characters that XML cannot hold.
    """
    return _graphml_text(parts) if suffix == ".graphml" else _gexf_text(parts)


def _kinds(rows: list[dict[str, Value]]) -> dict[str, str]:
    """Return the type of each attribute, over all nodes or edges."""
    values: dict[str, list[Value]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, []).append(value)
    return {name: kind_of(found) for name, found in values.items()}


def _graphml_text(parts: GraphParts) -> Iterator[str]:
    yield _GRAPHML
    sides = {
        "node": _kinds(list(parts.nodes.values())),
        "edge": _kinds([data for _, _, data in parts.edges]),
    }
    ids: dict[tuple[str, str], str] = {}
    yield f'  <key id="g0" for="graph" attr.name="{KEY}" attr.type="string"/>\n'
    for side, kinds in sides.items():
        for name, kind in kinds.items():
            ids[side, name] = f"{side[0]}{len(ids)}"
            yield (
                f'  <key id="{ids[side, name]}" for="{side}" attr.name="{_xml(name)}" '
                f'attr.type="{kind}"/>\n'
            )
    yield '  <graph id="network" edgedefault="directed">\n'
    if parts.facts is not None:
        yield f'    <data key="g0">{_xml(parts.facts)}</data>\n'

    def data(side: str, row: dict[str, Value]) -> str:
        return "".join(
            f'<data key="{ids[side, name]}">{_xml(_written(value, sides[side][name]))}</data>'
            for name, value in row.items()
        )

    for label, row in parts.nodes.items():
        yield f'    <node id="{_xml(label)}">{data("node", row)}</node>\n'
    for a, b, row in parts.edges:
        yield f'    <edge source="{_xml(a)}" target="{_xml(b)}">{data("edge", row)}</edge>\n'
    yield "  </graph>\n</graphml>\n"


def _gexf_text(parts: GraphParts) -> Iterator[str]:
    yield _GEXF
    if parts.facts is not None:
        yield f"  <meta><description>{KEY} {_xml(parts.facts)}</description></meta>\n"
    yield '  <graph defaultedgetype="directed">\n'
    sides = {
        "node": _kinds(list(parts.nodes.values())),
        "edge": _kinds([data for _, _, data in parts.edges]),
    }
    for side, kinds in sides.items():
        yield f'    <attributes class="{side}">\n'
        for k, (name, kind) in enumerate(kinds.items()):
            yield f'      <attribute id="{k}" title="{_xml(name)}" type="{kind}"/>\n'
        yield "    </attributes>\n"

    def data(side: str, row: dict[str, Value]) -> str:
        order = {name: k for k, name in enumerate(sides[side])}
        values = (
            f'<attvalue for="{order[name]}" value="{_xml(_written(value, sides[side][name]))}"/>'
            for name, value in row.items()
        )
        return f"<attvalues>{''.join(values)}</attvalues>"

    yield "    <nodes>\n"
    for label, row in parts.nodes.items():
        yield f'      <node id="{_xml(label)}" label="{_xml(label)}">{data("node", row)}</node>\n'
    yield "    </nodes>\n    <edges>\n"
    for k, (a, b, row) in enumerate(parts.edges):
        ends = f'id="{k}" source="{_xml(a)}" target="{_xml(b)}"'
        yield f"      <edge {ends}>{data('edge', row)}</edge>\n"
    yield "    </edges>\n  </graph>\n</gexf>\n"


def _written(value: Value, kind: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(float(value)) if kind == "double" else str(value)


_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;",
     "\t": "&#9;"}
)  # fmt: skip


def _xml(text: str) -> str:
    """Return a text as it stands in XML: line ends and tabs too come back as they were."""
    found = _FORBIDDEN.search(text)
    if found:
        raise UsageError(f"XML cannot hold the character {found[0]!r} of {text[:40]!r}.")
    return text.translate(_ESCAPES)
