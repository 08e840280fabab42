"""FIGARO inter-country input-output tables of Eurostat: flat and matrix CSV, both kinds.

The matrix (`matrix_eu-ic-io_ind-by-ind_24ed_2022.csv`) names its rows in the first column:
REGION_INDUSTRY (AT_A01; AT_CPA_A01 where products buy from products), then the rows W2_ of taxes
and value added. Columns are the same labels and REGION_CATEGORY of final demand (AT_P3_S14). The
flat file (`flatfile_eu-ic-io_...`, often still zipped) has a row a cell: two labels, refArea, the
row's code, counterpartArea, the column's code, obsValue. Values are million EUR at basic prices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.findings import Finding, listed, make_finding, shorten
from withstand.readers.mrio_archives import Archive, archive_names
from withstand.readers.mrio_draft import Draft, Wanted, refuse
from withstand.readers.mrio_frames import read_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Array = np.ndarray
OTHERS = "W2"
"""What stands for the region in the rows of taxes and value added."""
CATEGORIES = {
    "P3_S13": "government",
    "P3_S14": "households",
    "P3_S15": "non-profit institutions",
    "P51G": "fixed capital formation",
    "P5M": "changes in inventories and valuables",
}
COSTS = {
    "D21X31": "taxes less subsidies on products",
    "OP_RES": "direct purchases abroad by residents",
    "OP_NRES": "purchases by non-residents",
    "D1": "compensation of employees",
    "D29X39": "other net taxes on production",
    "B2A3G": "gross operating surplus",
}
ADDED = ("D1", "D29X39", "B2A3G")
"""Rows that make up value added at basic prices."""
UNIT = "million EUR"
REGION_NAMES = {"FIGW1": "Rest of the world", "WRL_REST": "Rest of the world"}
LARGEST_FLAT = 2**32
_LABEL = re.compile(r"(WRL_REST|[A-Z][A-Z0-9]{1,5})_(.+)")
_FLAT = re.compile(rb"(?i)\brefArea\b.*\bcounterpartArea\b.*\bobsValue\b")


def looks_like_figaro(path: Path, head: bytes) -> bool:
    """Tell whether a text file or an archive holds a FIGARO table."""
    suffix = path.suffix.lower()
    if suffix == ".csv" and not head.startswith(b"PK"):
        line = head.split(b"\n", 1)[0]
        if b"\n" not in head:
            with path.open("rb") as stream:
                line = stream.readline(2**22)
        return _FLAT.search(line) is not None or b"_P3_S14" in line
    if suffix == ".zip" and head.startswith(b"PK"):
        names = archive_names(path)
        return any(re.search(r"(?i)(flatfile|matrix)_.*ic-io.*\.csv$", name) for name in names)
    return False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Table:
    """The cells of a file with the labels of its rows and columns, (region, code) each."""

    rows: list[tuple[str, str]]
    columns: list[tuple[str, str]]
    values: Array


def read_figaro(wanted: Wanted) -> Draft:
    """Read the table of one year."""
    if wanted.path.suffix.lower() == ".zip":
        with Archive(wanted) as archive:
            names = [n for n in archive.names if n.lower().endswith(".csv")]
            if len(names) != 1:
                what = (
                    f"one CSV file is expected in the archive, there are {listed(names) or 'none'}"
                )
                raise refuse(wanted, "E125", what)
            return _draft(_cells(archive.wanted(names[0], LARGEST_FLAT)), wanted)
    return _draft(_cells(wanted), wanted)


def _cells(wanted: Wanted) -> _Table:
    with wanted.path.open("rb") as stream:
        is_flat = b"obsvalue" in stream.readline(2**22).lower()
    return _from_flat(wanted) if is_flat else _from_matrix(wanted)


def _from_matrix(wanted: Wanted) -> _Table:
    found = read_matrix(wanted, n_labels=1, n_headers=1)
    rows = [_parts(label.strip()) for label in found.labels[0]]
    columns = [_parts(label.strip()) for label in found.headers[0]]
    texts = (found.labels[0], found.headers[0])
    bad = [x for parts, all_ in zip((rows, columns), texts, strict=True)
           for (region, _), x in zip(parts, all_, strict=True) if not region]  # fmt: skip
    if bad:
        what = f"labels that are not written REGION_CODE: {listed(bad)}"
        raise refuse(wanted, "E125", what, value=bad[0], count=len(bad))
    _refuse_twice(rows, "row", wanted)
    _refuse_twice(columns, "column", wanted)
    return _Table(rows=rows, columns=columns, values=found.values)


def _parts(label: str) -> tuple[str, str]:
    found = _LABEL.fullmatch(label)
    return (found[1], found[2]) if found else ("", label)


def _refuse_twice(labels: Sequence[tuple[str, str]], what: str, wanted: Wanted) -> None:
    if len(set(labels)) < len(labels):
        seen: set[tuple[str, str]] = set()
        again = next(x for x in labels if x in seen or seen.add(x))  # type: ignore[func-returns-value]
        code = "E120" if what == "column" else "E106"
        raise refuse(wanted, code, f"a {what} stands twice: {'_'.join(again)}", value=again[1])


def _from_flat(wanted: Wanted) -> _Table:
    """Put the cells of a flat file into a matrix; cells that it leaves out are zero."""
    columns = _flat_columns(wanted)
    kinds = dict.fromkeys(columns[:4], pl.Categorical) | {columns[4]: pl.String}
    try:
        frame = pl.read_csv(
            wanted.path, columns=columns, schema_overrides=kinds, infer_schema=False, glob=False
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError) as error:
        raise refuse(wanted, "E113", f"the file cannot be read: {shorten(error)}") from error
    frame = frame.select(columns).rename(dict(zip(columns, _FIVE, strict=True)))
    if frame.height == 0:
        raise refuse(wanted, "E112", "the table has no rows")
    text = frame["value"].str.strip_chars()
    frame = frame.with_columns(number=text.cast(pl.Float64, strict=False))
    for name in (*_FIVE[:4], "number"):
        lost = frame[name].is_null()
        if lost.any():
            row = int(lost.arg_true()[0])
            code = "E102" if name != "number" or not text[row] else "E103"
            what = "a cell is empty" if code == "E102" else "this is no number"
            theirs = columns[4] if name == "number" else columns[_FIVE.index(name)]
            raise refuse(wanted, code, what, column=theirs, index=row, value=text[row],
                         count=int(lost.sum()))  # fmt: skip
    row_labels, row_at = _indexed(frame, "row_region", "row_code")
    column_labels, column_at = _indexed(frame, "column_region", "column_code")
    place = row_at * len(column_labels) + column_at
    if len(np.unique(place)) < len(place):
        order = np.argsort(place, kind="stable")
        again = int(order[1:][place[order][1:] == place[order][:-1]].min())
        value = (
            f"{'_'.join(row_labels[row_at[again]])}, {'_'.join(column_labels[column_at[again]])}"
        )
        raise refuse(wanted, "E106", "a cell stands twice", index=again, value=value)
    values = np.zeros(len(row_labels) * len(column_labels))
    values[place] = frame["number"].to_numpy()
    return _Table(
        rows=row_labels,
        columns=column_labels,
        values=values.reshape(len(row_labels), len(column_labels)),
    )


_FIVE = ("row_region", "row_code", "column_region", "column_code", "value")


def _flat_columns(wanted: Wanted) -> list[str]:
    """Return the five columns that count: editions write rowIi, rowPi, rowPp and the like."""
    with wanted.path.open(encoding="utf-8-sig", errors="replace") as stream:
        header = [x.strip().strip('"') for x in stream.readline(2**16).split(",")]
    folded = {x.casefold(): x for x in header}
    found = [folded.get("refarea"), None, folded.get("counterpartarea"), None, folded["obsvalue"]]
    for k, side in ((1, "row"), (3, "col")):
        names = [x for x in header if re.fullmatch(rf"(?i){side}[a-z]{{1,2}}", x)]
        found[k] = names[0] if len(names) == 1 else None
    for name, said in zip(found, ("refArea", "rowIi", "counterpartArea", "colIi", "obsValue"),
                          strict=True):  # fmt: skip
        if name is None:
            what = f"a column '{said}' is missing; there are {listed(header, 10)}"
            raise refuse(wanted, "E101", what, column=said)
    return [str(name) for name in found]


def _indexed(frame: pl.DataFrame, region: str, code: str) -> tuple[list[tuple[str, str]], Array]:
    """Return the pairs of two columns as they come, and which one stands in each row."""
    pairs = frame.select(pl.col(region, code)).unique(maintain_order=True)
    pairs = pairs.with_row_index("at")
    at = frame.select(region, code).join(
        pairs, on=[region, code], how="left", maintain_order="left"
    )
    labels = pairs.select(pl.col(region, code).cast(pl.String)).rows()
    return [(str(a), str(b)) for a, b in labels], at["at"].to_numpy().astype(np.int64)


# --- the draft -----------------------------------------------------------------------------------


def _draft(table: _Table, wanted: Wanted) -> Draft:
    nodes = [label for label in table.rows if label[0] != OTHERS]
    final = _check(table, nodes, wanted)
    row_at = {label: k for k, label in enumerate(table.rows)}
    column_at = {label: k for k, label in enumerate(table.columns)}
    rows = np.array([row_at[x] for x in nodes])
    columns = np.array([column_at[x] for x in nodes])
    costs = {
        code: table.values[row_at[OTHERS, code], columns]
        for code in COSTS
        if (OTHERS, code) in row_at
    }
    is_products = all(code.startswith("CPA_") for _, code in nodes)
    codes = [code.removeprefix("CPA_") if is_products else code for _, code in nodes]
    regions = [region for region, _ in nodes]
    labels = [f"{code}@{region}" for code, region in zip(codes, regions, strict=True)]
    kept = {"value added at basic prices": sum(costs[c] for c in ADDED), **{
        COSTS[c]: costs[c] for c in costs if c not in ("OP_RES", "OP_NRES")
    }}  # fmt: skip
    kind = "product by product" if is_products else "industry by industry"
    return Draft(
        flows=np.ascontiguousarray(table.values[np.ix_(rows, columns)]),
        final=table.values[np.ix_(rows, np.array([column_at[x] for x in final]))],
        nodes=pl.DataFrame(
            {"product": codes, "region": regions, "value_added": sum(costs.values())}
        ),
        final_columns=pl.DataFrame(final, schema=["region", "category"], orient="row"),
        currency=UNIT,
        region_names={r: n for r, n in REGION_NAMES.items() if r in set(regions)},
        extensions=pl.concat(
            pl.DataFrame({"node": labels, "name": name, "value": side, "unit": UNIT})
            for name, side in kept.items()
        ),
        sources=[
            ("layout", f"{wanted.path.name}: Eurostat FIGARO inter-country table, {kind}"),
            (
                "valuation",
                "basic prices, current million EUR; output is the sum of the row; value added of a "
                "node holds taxes less subsidies on products, so that purchases and value added "
                "make up output; what final users pay in W2 rows is not in the network",
            ),
            (
                "final demand",
                ", ".join(f"{c} {CATEGORIES[c]}" for c in dict.fromkeys(c for _, c in final)),
            ),
        ],
    )


def _check(
    table: _Table, nodes: Sequence[tuple[str, str]], wanted: Wanted
) -> list[tuple[str, str]]:
    """Return the columns of final demand; name what is missing and what is not known."""
    faults: list[Finding] = []
    if not nodes:
        raise refuse(wanted, "E112", "no row is an industry or a product of a region")
    origin = wanted.origin
    there = set(table.columns)
    _tell(faults, "E101", "rows without a column of the same name",
          [x for x in nodes if x not in there], origin)  # fmt: skip
    rows = set(table.rows)
    required = ("D21X31", *ADDED)
    _tell(faults, "E101", "rows are missing",
          [(OTHERS, c) for c in required if (OTHERS, c) not in rows], origin)  # fmt: skip
    _tell(faults, "E125", f"rows that are not known ({', '.join(COSTS)})",
          [x for x in table.rows if x[0] == OTHERS and x[1] not in COSTS], origin)  # fmt: skip
    known = set(nodes)
    final = [x for x in table.columns if x not in known]
    _tell(faults, "E125", f"columns that are no row and no final demand ({', '.join(CATEGORIES)})",
          [x for x in final if x[1] not in CATEGORIES], origin)  # fmt: skip
    categories = {c for _, c in final if c in CATEGORIES} or {"P3_S14"}
    regions = dict.fromkeys(region for region, _ in nodes)
    expected = [(r, c) for r in regions for c in CATEGORIES if c in categories]
    _tell(faults, "E101", "columns of final demand are missing",
          [x for x in expected if x not in there], origin)  # fmt: skip
    if faults:
        raise DataError(faults)
    return [x for x in final if x[1] in CATEGORIES]


def _tell(
    faults: list[Finding], code: str, what: str, labels: Sequence[tuple[str, str]], origin: object
) -> None:
    if labels:
        names = ["_".join(x) for x in labels]
        said = f"{what}: {listed(names, 10)}"
        faults.append(make_finding(code, said, origin=origin, column=names[0], count=len(names)))  # type: ignore[arg-type]
