"""Our own layout of an economy: one wide Parquet file, or the arrays of an NPZ file.

The Parquet file has a row a node and the columns `cell`, one for each node in the order of the
rows, one for each pair of a region and a category of final demand (`Y_REGION_CATEGORY`), and
`x` (output) and `va` (value added). Labels are written REGION_SECTOR; in files of our own, which
region and sector they mean stands in the file's metadata too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.ceilings import need_memory
from withstand.model.findings import listed, make_finding, shorten
from withstand.readers.mrio_columns import BLOCK, columns_of, fill_columns
from withstand.readers.mrio_draft import Draft, Wanted, refuse

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
KEY = b"withstand"
CELL, OUTPUT, VALUE_ADDED = "cell", "x", "va"
FINAL_PREFIX = "Y_"
LARGEST_NODES = 40_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Matrices:
    """Flows and final demand of a file with their labels and metadata."""

    flows: Array
    final: Array
    cells: list[str]
    final_names: list[str]
    output: Array | None
    value_added: Array | None
    metadata: dict[str, Any]


def write_mrio(network: ProductionNetwork, path: Any) -> Path:
    """Write the flows of an economy as one Parquet file that `read_mrio` reads back.

    Flows, final demand, output and value added are kept, and the names of products; other tables
    (extensions, classes, stocks) need a project folder: `write_folder`.

    Parameters
    ----------
    network : ProductionNetwork
        An economy.
    path : str or path
        The file; it ends in .parquet.

    Raises
    ------
    UsageError
        If the network is one of links, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> from withstand.readers.mrio import read_mrio
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DEU", "DEU"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["DEU"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     again = read_mrio(write_mrio(net, place + "/tiny.parquet"))
    >>> again.node_labels.tolist(), again.flow_table.flows.tolist()
    (['steel@DEU', 'cars@DEU'], [[0.0, 4.0], [0.0, 0.0]])
    """
    file = Path(path)
    if network.flow_table is None:
        raise UsageError("Only economies have a matrix of flows; write_folder writes any network.")
    if file.suffix.lower() != ".parquet":
        raise UsageError(f"{file.name}: the layout is Parquet; end its name in .parquet.")
    try:
        write_matrices(network, file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{file} cannot be written: {reason}.") from error
    return file


def write_matrices(network: ProductionNetwork, file: Path) -> None:
    """Write the wide Parquet file of an economy."""
    import pyarrow as pa
    from pyarrow import parquet

    table = network.flow_table
    if table is None:
        raise UsageError("Only economies have a matrix of flows.")
    regions = network.region_labels[network.node_region].tolist()
    products = network.product_labels[network.node_product].tolist()
    of_final = network.region_labels[table.final_region].tolist()
    categories = table.final_category.tolist()
    cells = _distinct([f"{r}_{p}" for r, p in zip(regions, products, strict=True)])
    final_names = _distinct(
        [f"{FINAL_PREFIX}{r}_{c}" for r, c in zip(of_final, categories, strict=True)]
    )
    if {*cells, *final_names} & {CELL, OUTPUT, VALUE_ADDED} or {*cells} & {*final_names}:
        cells = [f"{cell}:{k}" for k, cell in enumerate(cells)]
    names = network.product_names.tolist()
    facts = {
        "format": 1,
        "name": network.name,
        "currency": network.settings.currency,
        "home": network.settings.home,
        "tolerance": table.tolerance,
        "region": regions,
        "product": products,
        "node": network.node_labels.tolist(),
        "final": [[r, c] for r, c in zip(of_final, categories, strict=True)],
        "product_names": {
            label: name
            for label, name in zip(network.product_labels.tolist(), names, strict=True)
            if label != name
        },
        "sources": _sources(network),
    }
    fields = [pa.field(CELL, pa.string())]
    fields += [pa.field(n, pa.float64()) for n in (*cells, *final_names, OUTPUT, VALUE_ADDED)]
    schema = pa.schema(fields, metadata={KEY: json.dumps(facts).encode()})
    columns: list[Any] = [pa.array(cells, pa.string())]
    for matrix in (table.flows, table.final):
        for start in range(0, matrix.shape[1], BLOCK):  # columns side by side are quick to copy
            block = np.ascontiguousarray(matrix[:, start : start + BLOCK].T)
            columns += [pa.array(column) for column in block]
    columns += [pa.array(network.output), pa.array(network.value_added)]
    parquet.write_table(
        pa.table(columns, schema=schema),
        file,
        compression="zstd",
        compression_level=1,
        use_dictionary=False,
        write_statistics=False,
    )


def _sources(network: ProductionNetwork) -> list[list[str]]:
    if "sources" not in network.tables:
        return []
    frame = network.tables["sources"]
    if "statement" not in frame.columns:
        return []
    return [[a, b or ""] for a, b in frame.select("source", "statement").iter_rows()]


def _distinct(labels: list[str]) -> list[str]:
    """Return labels of which none stands twice: R_A with B and R with A_B are written alike."""
    if len(set(labels)) == len(labels):
        return labels
    return [f"{label}:{k}" for k, label in enumerate(labels)]


def read_matrices(wanted: Wanted) -> Matrices:
    """Return the matrices of a wide Parquet file.

    Raises
    ------
    DataError
        If it is damaged, or a column is missing, of another type, or one too many.
    """
    from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(wanted.path) as file:
            return _read(file, wanted)
    except DataError:  # which is a ValueError too
        raise
    except (ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        raise refuse(wanted, "E113", f"damaged Parquet: {shorten(error)}") from error
    except MemoryError as error:
        raise refuse(wanted, "E122", "the matrix does not fit in memory") from error


def _read(file: Any, wanted: Wanted) -> Matrices:
    schema, n = file.schema_arrow, file.metadata.num_rows
    names = [str(name) for name in schema.names]
    if CELL not in names:
        raise refuse(wanted, "E101", f"a column '{CELL}' with the labels is missing", column=CELL)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise refuse(wanted, "E120", f"column '{twice}' stands twice", column=twice)
    if n == 0:
        raise refuse(wanted, "E112", "the table has no rows")
    if n > LARGEST_NODES:
        raise refuse(
            wanted, "E122", f"the table has {n:,} rows, at most {LARGEST_NODES:,} are read"
        )
    at = {name: k for k, name in enumerate(names)}
    labels = columns_of(file, [at[CELL]])[0].cast("string").to_pylist()
    _check_labels(labels, names, wanted)
    facts = _facts(schema)
    taken = {CELL, OUTPUT, VALUE_ADDED, *labels}
    rest = [c for c in names if c not in taken]
    final_names = [c for c in rest if c.startswith(FINAL_PREFIX)]
    strangers = [c for c in rest if c not in final_names and not c.startswith("__index_level_")]
    if strangers:
        what = f"columns that are no row, no final demand, not x and not va: {listed(strangers)}"
        raise refuse(wanted, "E125", what, column=strangers[0], count=len(strangers))
    if not final_names:
        raise refuse(
            wanted, "E101", "no column of final demand (Y_REGION_CATEGORY)", column=FINAL_PREFIX
        )
    try:
        need_memory(8.0 * n * (n + len(final_names)), f"The table of {n:,} rows", "Aggregate it.")
    except UsageError as error:
        raise refuse(wanted, "E122", str(error)) from error
    flows, final = np.empty((n, n)), np.empty((n, len(final_names)))
    fill_columns(flows, file, labels, at, wanted)
    fill_columns(final, file, final_names, at, wanted)
    sides = []
    for name in (OUTPUT, VALUE_ADDED):
        side = np.empty((n, 1)) if name in at else None
        if side is not None:
            fill_columns(side, file, [name], at, wanted)
        sides.append(None if side is None else side[:, 0])
    return Matrices(
        flows=flows,
        final=final,
        cells=labels,
        final_names=final_names,
        output=sides[0],
        value_added=sides[1],
        metadata=facts,
    )


def _check_labels(labels: list[str | None], names: list[str], wanted: Wanted) -> None:
    findings = []
    origin = wanted.origin
    seen: set[str] = set()
    for row, label in enumerate(labels):
        if label is None or not label.strip():
            findings.append(
                make_finding("E102", "a row without a label", origin=origin, index=row, column=CELL)
            )
        elif label in seen:
            what = "this row stands twice"
            findings.append(
                make_finding("E106", what, origin=origin, index=row, column=CELL, value=label)
            )
        else:
            seen.add(label)
    columns = set(names)
    missing = [label for label in labels if label and label not in columns]
    if missing:
        what = f"rows without a column of the same name: {listed(missing)}"
        findings.append(
            make_finding("E101", what, origin=origin, column=missing[0], count=len(missing))
        )
    if findings:
        raise DataError(findings[:20])


def _facts(schema: Any) -> dict[str, Any]:
    """Return the metadata of a file of our own, empty where there is none."""
    try:
        facts = json.loads((schema.metadata or {}).get(KEY, b"{}"))
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) and facts.get("format") == 1 else {}


# --- the layout ----------------------------------------------------------------------------------


def read_own(wanted: Wanted) -> Draft:
    """Read a wide Parquet file."""
    found = read_matrices(wanted)
    facts = found.metadata
    n, m = len(found.cells), len(found.final_names)
    if len(facts.get("region", ())) == n == len(facts.get("product", ())):
        regions, products = facts["region"], facts["product"]
    else:
        regions, products = _split(found.cells, wanted, CELL)
    if len(facts.get("final", ())) == m:
        final = facts["final"]
    else:
        known = sorted(set(regions), key=len, reverse=True)
        final = [_final_of(name, known, wanted) for name in found.final_names]
    sides = {"output": found.output, "value_added": found.value_added}
    nodes: dict[str, Any] = {"product": products, "region": regions}
    nodes |= {name: side for name, side in sides.items() if side is not None}
    if len(facts.get("node", ())) == n:
        nodes["node"] = facts["node"]
    return Draft(
        flows=found.flows,
        final=found.final,
        nodes=pl.DataFrame(nodes),
        final_columns=pl.DataFrame(final, schema=["region", "category"], orient="row"),
        name=str(facts.get("name") or ""),
        currency=str(facts.get("currency") or ""),
        home=facts.get("home"),
        tolerance=facts.get("tolerance"),
        product_names=facts.get("product_names") or _names_beside(wanted.path),
        sources=[(str(a), str(b)) for a, b in facts.get("sources", ())]
        or [
            ("layout", f"{wanted.path.name}: the wide layout of withstand (cell, x, va)"),
            (
                "valuation",
                "value added is output less intermediate purchases where va says so: it may hold "
                "net taxes on products and international transport margins",
            ),
        ],
    )


def _split(cells: list[str], wanted: Wanted, column: str) -> tuple[list[str], list[str]]:
    regions, products = [], []
    for row, cell in enumerate(cells):
        region, dash, product = cell.partition("_")
        if not (region and dash and product):
            raise refuse(
                wanted, "E125", "labels are written REGION_SECTOR", column=column, index=row,
                value=cell,
            )  # fmt: skip
        regions.append(region)
        products.append(product)
    return regions, products


def _final_of(name: str, known: list[str], wanted: Wanted) -> tuple[str, str]:
    """Return region and category of a column of final demand."""
    text = name.removeprefix(FINAL_PREFIX)
    for region in known:
        if text.startswith(f"{region}_") and len(text) > len(region) + 1:
            return region, text[len(region) + 1 :]
    what = f"final demand '{name}' names no region of the table (Y_REGION_CATEGORY)"
    raise refuse(wanted, "E125", what, column=name)


def _names_beside(path: Path) -> dict[str, str]:
    """Return the names of sectors from a file `sectors.csv` beside the table, if there is one."""
    file = path.parent / "sectors.csv"
    try:
        frame = pl.read_csv(file, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError, UnicodeDecodeError):
        return {}
    if not {"code", "name"} <= set(frame.columns):
        return {}
    pairs = frame.select("code", "name").drop_nulls().unique(subset="code", keep="first")
    return dict(pairs.iter_rows())


ARRAYS = ("Z", "Y", "region", "sector")
_KINDS = {"Z": "fiub", "Y": "fiub", "x": "fiub", "va": "fiub"}


def _check_array(name: str, array: object, wanted: Wanted) -> None:
    """Refuse what is no array of the kind that is expected: numbers, or labels in one row."""
    if not isinstance(array, np.ndarray):
        raise refuse(wanted, "E113", f"'{name}' in the NPZ file is no array")
    is_matrix = name in ("Z", "Y")
    if not is_matrix and array.ndim != 1:
        what = f"{name} has {array.ndim} dimensions, expected one"
        raise refuse(wanted, "E123", what)
    if array.dtype.kind not in _KINDS.get(name, "Uiu"):
        expected = "numbers" if name in _KINDS else "text (not bytes, not objects)"
        what = f"{name} holds {array.dtype}; expected are {expected}"
        raise refuse(wanted, "E103", what, column=name)
    try:
        "".join(array.tolist() if array.dtype.kind == "U" else ()).encode().decode()
    except ValueError as error:  # a half of a letter, or a number beyond all letters
        raise refuse(wanted, "E114", f"{name} holds signs that are no text", column=name) from error


def _arrays(wanted: Wanted) -> dict[str, Any]:
    """Return the arrays of an NPZ file that have a meaning, each of the kind that is expected."""
    try:
        with wanted.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            missing = [name for name in ARRAYS if name not in file.files]
            if missing:
                raise refuse(
                    wanted, "E101", f"arrays are missing: {listed(missing)}", column=missing[0]
                )
            kept = [n for n in (*ARRAYS, "x", "va", "final_region", "category") if n in file.files]
            arrays = {name: file[name] for name in kept}
    except DataError:  # which is a ValueError too
        raise
    except MemoryError as error:
        raise refuse(wanted, "E122", "an array does not fit in memory") from error
    except Exception as error:  # zip, zlib, and the header of an array, which is Python source
        raise refuse(wanted, "E113", f"damaged NPZ file: {shorten(error)}") from error
    for name, array in arrays.items():
        _check_array(name, array, wanted)
    return arrays


def read_npz(wanted: Wanted) -> Draft:
    """Read the arrays Z, Y, region, sector, and x and va where they are there."""
    arrays = _arrays(wanted)
    flows, final = (np.ascontiguousarray(arrays[k], dtype=np.float64) for k in ("Z", "Y"))
    n = len(flows)
    if flows.shape != (n, n) or final.ndim != 2 or len(final) != n:
        what = f"Z is {flows.shape} and Y {final.shape}; expected (n, n) and (n, m)"
        raise refuse(wanted, "E123", what)
    nodes: dict[str, Any] = {
        "product": [str(s) for s in arrays["sector"].tolist()],
        "region": [str(r) for r in arrays["region"].tolist()],
    }
    for name, key in (("output", "x"), ("value_added", "va")):
        if key in arrays:
            nodes[name] = np.asarray(arrays[key], dtype=np.float64)
    if any(len(column) != n for column in nodes.values()):
        raise refuse(wanted, "E123", f"region, sector, x and va must have {n:,} entries as Z has")
    regions = list(dict.fromkeys(nodes["region"]))
    buyers = arrays.get("final_region")
    of_final = regions if buyers is None else [str(r) for r in buyers.tolist()]
    given = arrays.get("category")
    categories = ["final"] * len(of_final) if given is None else [str(c) for c in given.tolist()]
    if len(of_final) != final.shape[1] or len(categories) != final.shape[1]:
        what = f"Y has {final.shape[1]} columns and there are {len(regions)} regions"
        fix = "Give an array final_region (and category) with an entry for each column of Y."
        raise refuse(wanted, "E123", what, fix=fix)
    return Draft(
        flows=flows,
        final=final,
        nodes=pl.DataFrame(nodes),
        final_columns=pl.DataFrame({"region": of_final, "category": categories}),
        sources=[("layout", f"{wanted.path.name}: arrays Z, Y, x, va, region, sector")],
    )
