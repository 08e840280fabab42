"""A graph as plain parts, between networks and files or objects of other libraries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Value = str | float | int | bool
TYPES: dict[type, str] = {bool: "boolean", int: "long", float: "double", str: "string"}
"""Types of attributes as GraphML and GEXF write them."""
KEY = "withstand"
"""Attribute of a graph that holds what nodes and edges cannot: settings and other tables."""


@dataclass(frozen=True, eq=False)
class GraphParts:
    """Nodes and edges with typed attributes.

    Parameters
    ----------
    nodes : dict of str to dict
        Attributes by label.
    edges : list of (source, target, attributes)
    facts : str, optional
        JSON of a network of our own.
    is_directed : bool
    n_left_out : int
        Hyperedges, ports and the like that have no place here.
    """

    nodes: dict[str, dict[str, Value]]
    edges: list[tuple[str, str, dict[str, Value]]]
    facts: str | None = None
    is_directed: bool = True
    n_left_out: int = 0
    faults: list[str] = field(default_factory=list)


def typed(text: str, kind: str) -> Value | None:
    """Return a value of a type of GraphML or GEXF, None if it is none of that type.

    Examples
    --------
    >>> typed("3", "double"), typed("true", "boolean"), typed("x", "int")
    (3.0, True, None)
    """
    kind = kind.casefold()
    try:
        if kind in ("boolean", "bool"):
            return {"true": True, "1": True, "false": False, "0": False}[text.strip().casefold()]
        if kind in ("int", "integer", "long", "short", "byte", "biginteger"):
            return int(text)
        if kind in ("double", "float", "bigdecimal"):
            return float(text)
    except (ValueError, KeyError):
        return None
    return text


def kind_of(values: list[Any]) -> str:
    """Return the type that holds all values: mixed ones become text, whole numbers numbers."""
    types = {type(value) for value in values}
    if types <= {int}:
        return "long"
    if types <= {int, float}:
        return "double"
    return TYPES[types.pop()] if len(types) == 1 else "string"
