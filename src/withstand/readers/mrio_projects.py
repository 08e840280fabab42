"""The flows of an economy in a project folder, beside its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.economy import CARRIED, build_economy
from withstand.model.findings import (
    Finding,
    Origin,
    has_errors,
    listed,
    make_finding,
    sort_findings,
)
from withstand.readers.mrio_draft import Wanted
from withstand.readers.mrio_own import read_matrices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from withstand.model.network import ProductionNetwork
    from withstand.model.settings import Settings

Array = np.ndarray
FLOWS_FILE = "flows.parquet"


def read_project(
    file: Path,
    tables: Mapping[str, pl.DataFrame],
    settings: Settings,
    origins: Mapping[str, Origin],
    findings: list[Finding],
) -> ProductionNetwork:
    """Return the economy of a project: its flows, and the tables beside them.

    The rows of the table of nodes may stand in any order; they are found by their label.

    Raises
    ------
    DataError
        With every finding, if any is an error.
    """
    if has_errors(findings):
        raise DataError(sort_findings(findings))
    found = read_matrices(Wanted(path=file))
    place = Origin(file.name)
    others = [name for name in tables if name not in CARRIED]
    for name in others:
        what = "not used: the flows of this economy are a matrix"
        findings.append(make_finding("W101", what, origin=origins.get(name)))
    facts = found.metadata
    labels, final = facts.get("node", []), facts.get("final", [])
    if len(labels) != len(found.cells) or len(final) != len(found.final_names):
        what = "the file has not the labels of a project's flows"
        fix = "Make the project again: withstand new economy --from FILE."
        raise DataError([make_finding("E125", what, origin=place, fix=fix)])
    order = _order(tables["nodes"], labels, place, origins, findings)
    flows, rows = found.flows, found.final
    if order is not None:
        flows, rows = flows[np.ix_(order, order)], rows[order]
    return build_economy(
        flows,
        rows,
        {name: frame for name, frame in tables.items() if name in CARRIED},
        pl.DataFrame(final, schema=["region", "category"], orient="row"),
        settings,
        tolerance=float(facts.get("tolerance") or 0.0),
        origins={**origins, "flows": place, "final": place},
        findings=findings,
    )


def _order(
    nodes: pl.DataFrame,
    labels: list[str],
    place: Origin,
    origins: Mapping[str, Origin],
    findings: list[Finding],
) -> Array | None:
    """Return the row of the matrix of each row of the table of nodes, None if they agree."""
    if "node" not in nodes.columns:
        what = "the table of nodes needs a column 'node' that names the rows of the flows"
        found = make_finding("E101", what, origin=origins.get("nodes"), column="node")
        raise DataError([*findings, found])
    given = [str(x) for x in nodes["node"].to_list()]
    if given == labels:
        return None
    at = {label: k for k, label in enumerate(labels)}
    faults = []
    for row, label in enumerate(given):
        if label not in at:
            what = f"the flows of {place.file} have no such node"
            faults.append(
                make_finding(
                    "E104", what, origin=origins.get("nodes"), index=row, column="node", value=label
                )
            )
    lost = sorted(set(labels) - set(given))
    if lost:
        what = f"nodes of the flows that the table of nodes lacks: {listed(lost)}"
        faults.append(make_finding("E123", what, origin=place, count=len(lost)))
    if faults:
        raise DataError(sort_findings([*findings, *faults[:20]]))
    if len(set(given)) < len(given):
        return None  # the table of nodes is told about its doubles
    return np.array([at[label] for label in given])
