"""Read a Parquet or text file of a table's provider; what is wrong becomes a finding."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.findings import has_errors, shorten
from withstand.readers.files import read_file
from withstand.readers.mrio_draft import numbers_of, refuse

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.readers.mrio_draft import Wanted

Array = np.ndarray
TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
LONGEST_HEADER = 2**24
_FAULTS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError, csv.Error)


def read_frame(wanted: Wanted, *, keep_nameless: bool = False) -> pl.DataFrame:
    """Return the one table of a Parquet or text file (text cells as text).

    Parameters
    ----------
    wanted : Wanted
    keep_nameless : bool
        Keep a column of a text file that has no name: matrices often have their labels there.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    suffix = wanted.path.suffix.lower()
    if suffix not in (".parquet", *TEXT_SUFFIXES):
        what = f"this layout is read from .parquet, {', '.join(TEXT_SUFFIXES)}"
        raise refuse(wanted, "E125", what, value=suffix)
    tables, findings = read_file(wanted.path)
    if has_errors(findings) or not tables:
        raise DataError(findings)
    frame = tables[0].frame
    if keep_nameless and suffix != ".parquet":
        try:
            frame = pl.read_csv(wanted.path, infer_schema=False, glob=False)
        except pl.exceptions.PolarsError as error:
            what = f"the rows cannot be told apart: {shorten(error)}"
            raise refuse(wanted, "E117", what) from error
    if frame.height == 0:
        raise refuse(wanted, "E112", "the table has no rows")
    return frame


@dataclass(frozen=True, kw_only=True, eq=False)
class TextMatrix:
    """A matrix of a text file.

    Parameters
    ----------
    headers : list of list of str
        Every row of the header, without the columns of labels.
    labels : list of list of str
        Every column of labels.
    values : ndarray of float64, shape (n_rows, n_columns)
    """

    headers: list[list[str]]
    labels: list[list[str]]
    values: Array


def read_matrix(wanted: Wanted, *, n_labels: int, n_headers: int, n_skipped: int = 0) -> TextMatrix:
    """Return a matrix of a text file with rows of headers and columns of labels.

    Parameters
    ----------
    wanted : Wanted
    n_labels, n_headers : int
        How many columns of labels and rows of headers there are.
    n_skipped : int
        Rows between the headers and the numbers that are passed over.

    Raises
    ------
    DataError
        If a cell is no number, a row has another length, or the file is no text.
    """
    separator, headers = _headers(wanted, n_headers)
    width = len(headers[0])
    if any(len(row) != width for row in headers) or width <= n_labels:
        what = f"the {n_headers} rows of the header have {[len(row) for row in headers]} cells"
        raise refuse(wanted, "E125", what)
    names = [f"c{k}" for k in range(width)]
    kinds = dict.fromkeys(names, pl.Float64) | dict.fromkeys(names[:n_labels], pl.String)
    frame = _rows(wanted, kinds, separator, n_headers + n_skipped)
    if frame.height == 0:
        raise refuse(wanted, "E112", "there are no rows below the header")
    shown = [shorten(headers[-1][k]) for k in range(n_labels, width)]
    body = frame.select(names[n_labels:])
    if any(kind == pl.String for kind in body.dtypes):  # read as text, as some cell is no number
        body.columns = [f"{name}\x1f{k}" for k, name in enumerate(shown)]
        try:
            values = numbers_of(body, wanted)
        except DataError as error:
            raise DataError([_place(f, n_headers + n_skipped) for f in error.findings]) from None
    else:
        values = _filled(body)
    return TextMatrix(
        headers=[row[n_labels:] for row in headers],
        labels=[[x or "" for x in frame[name].to_list()] for name in names[:n_labels]],
        values=values,
    )


def _filled(body: pl.DataFrame) -> Array:
    """Return columns of numbers as rows of a matrix; empty cells count as zero."""
    out = np.empty(body.shape)
    for start in range(0, body.width, 256):
        part = body[:, start : start + 256].fill_null(0.0)
        out[:, start : start + part.width] = part.to_numpy()
    return out


def _place(finding: Finding, n_above: int) -> Finding:
    """Point a finding at the row of the file and at the name of the column."""
    row = None if finding.row is None else finding.row - 1 + n_above
    column = (finding.column or "").partition("\x1f")[0]
    return replace(finding, row=row, column=column)


def _headers(wanted: Wanted, n_headers: int) -> tuple[str, list[list[str]]]:
    """Return what separates the cells, and the first rows."""
    rows: list[list[str]] = []
    try:
        with wanted.path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [stream.readline(LONGEST_HEADER) for _ in range(n_headers)]
    except (OSError, UnicodeDecodeError) as error:
        raise _no_text(wanted, error) from error
    if not all(line.strip("\r\n \t,;") for line in lines):
        raise _no_text(wanted, None)
    separator = "\t" if lines[0].count("\t") >= lines[0].count(",") else ","
    try:
        rows = list(csv.reader(lines, delimiter=separator))
    except csv.Error as error:
        raise _no_text(wanted, error) from error
    return separator, rows


def _rows(wanted: Wanted, kinds: dict, separator: str, n_above: int) -> pl.DataFrame:  # type: ignore[type-arg]
    """Read the rows as numbers; as text if one of them is none, so that it can be named."""
    how = {"separator": separator, "has_header": False, "skip_rows": n_above, "glob": False}
    try:
        return pl.read_csv(wanted.path, schema=kinds, **how)  # type: ignore[arg-type]
    except _FAULTS:
        pass
    try:
        return pl.read_csv(wanted.path, schema=dict.fromkeys(kinds, pl.String), **how)  # type: ignore[arg-type]
    except _FAULTS as error:
        raise _no_text(wanted, error) from error


def _no_text(wanted: Wanted, error: Exception | None) -> DataError:
    """Return what the ordinary reader of files says, or that the file is no matrix."""
    _, findings = read_file(wanted.path)
    findings = [f for f in findings if f.code != "E120"]  # headers of several rows repeat labels
    if has_errors(findings):
        return DataError(findings)
    what = "the file is no matrix of numbers with a header"
    return refuse(wanted, "E113", f"{what}: {shorten(error)}" if error else what)
