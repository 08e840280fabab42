"""A folder that pymrio saved: Z, Y and perhaps x as text or Parquet, named in one JSON file.

`file_parameters.json` names the files and how many rows of headers and columns of labels each has;
each subfolder with such a file is an extension (factor inputs, emissions).
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.findings import Finding, listed, make_finding, shorten
from withstand.readers.mrio_columns import columns_of, fill_columns
from withstand.readers.mrio_draft import MOST_EXTENSION_ROWS, Draft, Wanted, refuse
from withstand.readers.mrio_frames import read_matrix

Array = np.ndarray
PARAMETERS = "file_parameters.json"
LARGEST_JSON = 2**22
UNSAFE = (".pkl", ".pickle")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Matrix:
    """A matrix with its labels, a tuple a row and a tuple a column."""

    rows: list[tuple[str, ...]]
    columns: list[tuple[str, ...]]
    values: Array


def read_pymrio(wanted: Wanted) -> Draft:
    """Read a folder with Z and Y; x is the sum of the row where the folder has none."""
    files = _parameters(wanted, wanted.path)
    missing = [name for name in ("Z", "Y") if name not in files]
    if missing:
        what = f"{PARAMETERS} names no {listed(missing)}"
        fix = "Save the system with pymrio before calculating, or with Z and Y kept."
        raise refuse(wanted, "E101", what, column=missing[0], fix=fix)
    flows = _matrix(wanted, wanted.path, "Z", files["Z"])
    final = _matrix(wanted, wanted.path, "Y", files["Y"])
    _check(wanted, flows, final)
    n = len(flows.rows)
    nodes: dict[str, Any] = {
        "product": [row[1] for row in flows.rows],
        "region": [row[0] for row in flows.rows],
    }
    if "x" in files:
        output = _matrix(wanted, wanted.path, "x", files["x"])
        at = {row: k for k, row in enumerate(output.rows)}
        lost = [row for row in flows.rows if row not in at]
        if lost:
            what = f"x lacks rows of Z: {listed([' / '.join(row) for row in lost])}"
            raise refuse(wanted, "E101", what, column="x", count=len(lost))
        nodes["output"] = output.values[[at[row] for row in flows.rows], 0]
    facts = _metadata(wanted)
    findings: list[Finding] = []
    units = sorted(set(_units(wanted, wanted.path, files).values()))
    return Draft(
        flows=flows.values,
        final=final.values,
        nodes=pl.DataFrame(nodes),
        final_columns=pl.DataFrame(
            {
                "region": [c[0] for c in final.columns],
                "category": [c[1] if len(c) > 1 else "final" for c in final.columns],
            }
        ),
        name=str(facts.get("name") or wanted.path.name),
        currency=units[0] if len(units) == 1 else "",
        extensions=_extensions(wanted, flows.rows, n, findings),
        sources=[
            ("layout", f"{wanted.path.name}: a folder saved by pymrio"),
            ("valuation", "value added is output less intermediate purchases of the file"),
            *[
                (f"pymrio {key}", str(facts[key]))
                for key in ("description", "name", "system", "version")
                if facts.get(key)
            ],
            *([("unit", listed(units, 20))] if len(units) > 1 else []),
        ],
        findings=findings,
    )


def _parameters(wanted: Wanted, folder: Path) -> dict[str, dict[str, str]]:
    """Return the files that a folder names, by what they hold."""
    facts = _json(wanted, folder / PARAMETERS)
    files = facts.get("files")
    if not isinstance(files, dict) or not all(isinstance(x, dict) for x in files.values()):
        raise refuse(wanted, "E125", f"{PARAMETERS} holds no 'files'", column="files")
    return files


def _json(wanted: Wanted, file: Path) -> dict[str, Any]:
    try:
        size = file.stat().st_size
        facts = {} if size > LARGEST_JSON else json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise refuse(wanted, "E116", f"{file.name} cannot be opened: {reason}") from error
    except (ValueError, RecursionError) as error:
        what = f"{file.name} is no JSON: {shorten(error)}"
        raise refuse(wanted, "E113", what) from error
    if size > LARGEST_JSON:
        raise refuse(wanted, "E122", f"{file.name} is larger than any parameters are")
    if not isinstance(facts, dict):
        raise refuse(wanted, "E125", f"{file.name} is no JSON object")
    return facts


def _metadata(wanted: Wanted) -> dict[str, Any]:
    file = wanted.path / "metadata.json"
    return _json(wanted, file) if file.exists() else {}


def _inside(wanted: Wanted, folder: Path, name: str) -> Path:
    """Return a file of the folder; names that lead out of it are refused."""
    file = folder / name
    try:
        is_inside = file.resolve().is_relative_to(wanted.path.resolve())
    except (OSError, ValueError):
        is_inside = False
    if not is_inside or Path(name).is_absolute():
        what = "a file name leads out of the folder"
        raise refuse(wanted, "E121", what, value=name, fix="Name a file of the folder itself.")
    if file.suffix.lower() in UNSAFE:
        what = "pickle files can run programs and are not read"
        fix = "Save the system with table_format='txt' or 'parquet'."
        raise refuse(wanted, "E125", what, value=name, fix=fix)
    if not file.is_file():
        raise refuse(wanted, "E116", f"{PARAMETERS} names a file that is not there", value=name)
    return file


def _count(wanted: Wanted, parameters: dict[str, str], key: str) -> int:
    try:
        number = int(parameters[key])
    except (KeyError, TypeError, ValueError):
        number = 0
    if not 1 <= number <= 10:
        what = f"{key} of {PARAMETERS} must be a small number"
        raise refuse(wanted, "E125", what, column=key, value=parameters.get(key))
    return number


def _matrix(wanted: Wanted, folder: Path, what: str, parameters: dict[str, str]) -> _Matrix:
    file = _inside(wanted, folder, str(parameters.get("name", what)))
    n_labels = _count(wanted, parameters, "nr_index_col")
    n_headers = _count(wanted, parameters, "nr_header")
    here = replace(wanted, path=file)
    if file.suffix.lower() == ".parquet":
        return _from_parquet(here, n_headers)
    found = read_matrix(
        here, n_labels=n_labels, n_headers=n_headers, n_skipped=1 if n_headers > 1 else 0
    )
    return _Matrix(
        rows=list(zip(*found.labels, strict=True)),
        columns=list(zip(*found.headers, strict=True)),
        values=found.values,
    )


def _from_parquet(wanted: Wanted, n_headers: int) -> _Matrix:
    """Read a frame of pandas: names of columns are tuples in writing, labels are columns."""
    from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(wanted.path) as file:
            facts = json.loads((file.schema_arrow.metadata or {}).get(b"pandas", b"{}"))
            names = [str(name) for name in file.schema_arrow.names]
            index = [str(x) for x in facts.get("index_columns", ()) if isinstance(x, str)]
            if not index or not set(index) <= set(names):
                raise refuse(wanted, "E125", "the Parquet file holds no labels of rows (pandas)")
            at = {name: k for k, name in enumerate(names)}
            labels = [
                c.cast("string").to_pylist() for c in columns_of(file, [at[x] for x in index])
            ]
            order = [at[x] for x in index]
            labels = [labels[k] for k in np.argsort(np.argsort(order))]
            numbers = [name for name in names if name not in index]
            values = np.empty((file.metadata.num_rows, len(numbers)))
            fill_columns(values, file, numbers, at, wanted)
    except DataError:  # which is a ValueError too
        raise
    except (ArrowException, OSError, ValueError) as error:
        raise refuse(wanted, "E113", f"damaged Parquet: {shorten(error)}") from error
    return _Matrix(
        rows=list(zip(*labels, strict=True)),
        columns=[_tuple(name, n_headers, wanted) for name in numbers],
        values=values,
    )


def _tuple(name: str, n: int, wanted: Wanted) -> tuple[str, ...]:
    """Return the parts of a name of a column of pandas: `('reg1', 'food')`."""
    if n == 1:
        return (name,)
    try:
        parts = ast.literal_eval(name)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        parts = None
    if not isinstance(parts, tuple) or len(parts) != n:
        what = f"the name of a column is no list of {n} labels"
        raise refuse(wanted, "E125", what, column=name)
    return tuple(str(part) for part in parts)


def _check(wanted: Wanted, flows: _Matrix, final: _Matrix) -> None:
    """Refuse matrices whose rows and columns are not the same nodes in the same order."""
    for matrix, name in ((flows, "Z"), (final, "Y")):
        if matrix.rows and len(matrix.rows[0]) < 2:
            raise refuse(wanted, "E125", f"rows of {name} need a region and a sector", column=name)
    if [row[:2] for row in flows.rows] != [column[:2] for column in flows.columns]:
        rows, columns = {row[:2] for row in flows.rows}, {c[:2] for c in flows.columns}
        odd = [" / ".join(map(str, x)) for x in sorted(rows ^ columns)]
        what = f"rows and columns of Z differ: {listed(odd or ['their order'])}"
        raise refuse(wanted, "E123", what, column="Z")
    if len(set(flows.rows)) < len(flows.rows):
        twice = next(row for row in flows.rows if flows.rows.count(row) > 1)
        raise refuse(wanted, "E106", "a row stands twice", column="Z", value=" / ".join(twice))
    if flows.rows != final.rows:
        odd = [" / ".join(x) for x in sorted(set(flows.rows) ^ set(final.rows))]
        what = f"rows of Y are not those of Z: {listed(odd or ['their order'])}"
        raise refuse(wanted, "E123", what, column="Y")


def _units(wanted: Wanted, folder: Path, files: dict[str, dict[str, str]]) -> dict[Any, str]:
    """Return the unit of each row, by its label."""
    if "unit" not in files:
        return {}
    parameters = files["unit"]
    file = _inside(wanted, folder, str(parameters.get("name", "unit")))
    n = _count(wanted, parameters, "nr_index_col")
    if file.suffix.lower() == ".parquet":
        frame = pl.read_parquet(file)
        index = [c for c in frame.columns if c != "unit"]
        frame = frame.select(*index, "unit") if "unit" in frame.columns else frame
    else:
        try:
            frame = pl.read_csv(file, separator="\t", infer_schema=False, quote_char='"')
        except pl.exceptions.PolarsError:
            return {}
    if frame.width <= n:
        return {}
    return {tuple(str(x) for x in row[:n]): str(row[n]) for row in frame.iter_rows()}


def _extensions(
    wanted: Wanted, rows: list[tuple[str, ...]], n: int, findings: list[Finding]
) -> pl.DataFrame | None:
    """Return the totals of every extension by node; too many are left out with a finding."""
    nodes = [f"{row[1]}@{row[0]}" for row in rows]
    parts: list[pl.DataFrame] = []
    left_out: list[str] = []
    taken = 0
    for folder in sorted(x for x in wanted.path.iterdir() if (x / PARAMETERS).is_file()):
        files = _parameters(wanted, folder)
        if "F" not in files:
            continue
        matrix = _matrix(wanted, folder, "F", files["F"])
        if [c[:2] for c in matrix.columns] != [row[:2] for row in rows]:
            raise refuse(wanted, "E123", f"columns of {folder.name}/F are not the rows of Z")
        if taken + matrix.values.size > MOST_EXTENSION_ROWS:
            left_out.append(folder.name)
            continue
        taken += matrix.values.size
        units = _units(wanted, folder, files)
        parts += [
            pl.DataFrame(
                {
                    "node": nodes,
                    "name": " ".join(label),
                    "value": values,
                    "unit": units.get(label, ""),
                }
            )
            for label, values in zip(matrix.rows, matrix.values, strict=True)
        ]
    if left_out:
        what = f"extensions with more rows than are kept: {listed(left_out)}"
        findings.append(make_finding("N211", what, origin=wanted.origin, count=len(left_out)))
    if not parts:
        return None
    frame = pl.concat(parts)
    twice = frame.select("node", "name").is_duplicated()
    if twice.any():
        frame = frame.group_by("node", "name", maintain_order=True).agg(
            pl.col("value").sum(), pl.col("unit").first()
        )
    return frame
