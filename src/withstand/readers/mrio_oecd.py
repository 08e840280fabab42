"""OECD inter-country input-output tables (ICIO): CSV of the 2023 and 2025 editions.

The first column (V1) names the rows: REGION_INDUSTRY, then TLS (taxes less subsidies on
intermediate and final products), VA (value added) and OUT (output). Columns are the same
industries, REGION_CATEGORY of final demand (HFCE, NPISH, GGFC, GFCF, INVNT, and DPABR in the 2023
or NONRES in the 2025 edition), and OUT. Extended tables split China (CN1, CN2) and Mexico (MX1,
MX2), whose final demand stays with CHN and MEX.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.findings import Finding, listed, make_finding
from withstand.readers.mrio_draft import Draft, Wanted
from withstand.readers.mrio_frames import read_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

CATEGORIES = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR", "NONRES", "FD")
"""Final demand of any edition; FD is its sum in the small tables that hold only that."""
TAXES, VALUE_ADDED, OUTPUT = "TLS", "VA", "OUT"
PARTS = {"CN1": "CHN", "CN2": "CHN", "MX1": "MEX", "MX2": "MEX"}
NAMES = {
    "HFCE": "households",
    "NPISH": "non-profit institutions",
    "GGFC": "government",
    "GFCF": "fixed capital formation",
    "INVNT": "changes in inventories",
    "DPABR": "direct purchases abroad by residents",
    "NONRES": "purchases by non-residents",
}
_LABEL = re.compile(r"([A-Z][A-Z0-9]{2})_(.+)")


def read_oecd(wanted: Wanted) -> Draft:
    """Read the table of one year."""
    found = read_matrix(wanted, n_labels=1, n_headers=1)
    rows, columns = found.labels[0], [c.strip() for c in found.headers[0]]
    nodes = [r for r in rows if r not in (TAXES, VALUE_ADDED, OUTPUT)]
    final = _check(rows, columns, nodes, wanted)
    row_at = {label: k for k, label in enumerate(rows)}
    column_at = {label: k for k, label in enumerate(columns)}
    node_rows = [row_at[x] for x in nodes]
    node_columns = [column_at[x] for x in nodes]
    values = found.values
    taxes, added = (values[row_at[x], node_columns] for x in (TAXES, VALUE_ADDED))
    regions, products = (list(x) for x in zip(*(_parts(x) for x in nodes), strict=True))
    of_final = [_parts(c) for c in final]
    draft = Draft(
        flows=values[np.ix_(node_rows, node_columns)]
        if node_rows != list(range(len(nodes))) or node_columns != list(range(len(nodes)))
        else np.ascontiguousarray(values[: len(nodes), : len(nodes)]),
        final=values[np.ix_(node_rows, [column_at[c] for c in final])],
        nodes=pl.DataFrame(
            {
                "product": products,
                "region": regions,
                "output": values[node_rows, column_at[OUTPUT]],
                "value_added": added + taxes,
            }
        ),
        final_columns=pl.DataFrame(of_final, schema=["region", "category"], orient="row"),
        currency="million USD",
        extensions=pl.concat(
            pl.DataFrame(
                {
                    "node": [f"{p}@{r}" for p, r in zip(products, regions, strict=True)],
                    "name": name,
                    "value": side,
                    "unit": "million USD",
                }
            )
            for name, side in (
                ("value added at basic prices", added),
                ("taxes less subsidies on products", taxes),
            )
        ),
        sources=[
            ("layout", f"{wanted.path.name}: OECD inter-country input-output table (CSV)"),
            (
                "valuation",
                "basic prices, current million USD; value added of a node is VA and TLS together, "
                "so that purchases and value added make up output; taxes on final products are "
                "not in the network",
            ),
            (
                "final demand",
                ", ".join(f"{c} {NAMES[c]}" for c in dict.fromkeys(c for _, c in of_final)
                          if c in NAMES),
            ),
        ],
    )  # fmt: skip
    _tell_parts(draft, regions, wanted)
    return draft


def _parts(label: str) -> tuple[str, str]:
    found = _LABEL.fullmatch(label)
    return (found[1], found[2]) if found else ("", label)


def _check(
    rows: Sequence[str], columns: Sequence[str], nodes: Sequence[str], wanted: Wanted
) -> list[str]:
    """Return the columns of final demand; name every row and column that should not be so."""
    faults = [
        *_missing(rows, (TAXES, VALUE_ADDED, OUTPUT), "row", wanted),
        *_missing(columns, (OUTPUT,), "column", wanted),
        *_missing(columns, nodes, "column", wanted),
        *_twice(rows, "row", wanted),
        *_twice(columns, "column", wanted),
    ]
    bad = [x for x in nodes if not _LABEL.fullmatch(x)]
    if bad:
        what = f"rows that are not written REGION_INDUSTRY: {listed(bad)}"
        faults.append(make_finding("E125", what, origin=wanted.origin, value=bad[0],
                                   count=len(bad)))  # fmt: skip
    known = {*nodes, OUTPUT}
    final = [c for c in columns if c not in known]
    odd = [c for c in final if _parts(c)[1] not in CATEGORIES]
    if odd:
        what = (
            f"columns that are no row and no final demand ({', '.join(CATEGORIES)}): {listed(odd)}"
        )
        faults.append(make_finding("E125", what, origin=wanted.origin, column=odd[0],
                                   count=len(odd)))  # fmt: skip
    categories = {_parts(c)[1] for c in final} - {""}
    regions = list(dict.fromkeys(_parts(x)[0] for x in nodes))
    wholes = [r for r in regions if r not in PARTS]
    expected = [f"{r}_{c}" for r in wholes for c in CATEGORIES if c in categories]
    faults += _missing(columns, expected, "column", wanted)
    if not categories:
        faults += _missing(columns, [f"{r}_HFCE" for r in wholes], "column", wanted)
    if faults or not nodes:
        raise DataError(faults or [make_finding("E112", "no rows", origin=wanted.origin)])
    return final


def _missing(
    there: Sequence[str], expected: Sequence[str], what: str, wanted: Wanted
) -> list[Finding]:
    lost = [x for x in expected if x not in set(there)] if len(expected) < 20 else sorted(
        set(expected) - set(there)
    )  # fmt: skip
    if not lost:
        return []
    said = f"a {what} is missing: {listed(lost, 10)}"
    return [make_finding("E101", said, origin=wanted.origin, column=lost[0], count=len(lost))]


def _twice(labels: Sequence[str], what: str, wanted: Wanted) -> list[Finding]:
    if len(set(labels)) == len(labels):
        return []
    seen: set[str] = set()
    again = [x for x in labels if x in seen or seen.add(x)]  # type: ignore[func-returns-value]
    code = "E120" if what == "column" else "E106"
    said = f"a {what} stands twice: {listed(again)}"
    return [make_finding(code, said, origin=wanted.origin, column=again[0], count=len(again))]


def _tell_parts(draft: Draft, regions: Sequence[str], wanted: Wanted) -> None:
    """Say that the parts of China and Mexico are regions of their own."""
    parts = [r for r in dict.fromkeys(regions) if r in PARTS]
    if parts:
        merge = {part: PARTS[part] for part in parts}
        draft.sources.append(
            ("parts of countries", f"{', '.join(parts)} are regions of their own; "
             f"withstand.aggregate(network, regions={merge}) adds them to their country")
        )  # fmt: skip
