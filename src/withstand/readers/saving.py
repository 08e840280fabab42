"""Write a network as a folder of canonical tables: CSV, Parquet or one workbook."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import UsageError
from withstand.model.cells import LONGEST_CELL
from withstand.model.settings import settings_to_dict
from withstand.model.tables import TABLES
from withstand.readers.atomic import TABLES_FOLDER, replace_folder
from withstand.readers.files import SUFFIXES
from withstand.readers.folder import SETTINGS_FILE
from withstand.readers.mrio_own import write_matrices
from withstand.readers.mrio_projects import FLOWS_FILE

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from xlsxwriter.worksheet import Worksheet

    from withstand.model.network import ProductionNetwork

FORMATS = ("csv", "parquet", "xlsx")
_RUN_BY_SPREADSHEETS = r"^('*[=+\-@\t\r])"  # apostrophes of our own included, to read back the same
_MOST_SHEET_ROWS = 1_048_575


def write_folder(
    network: ProductionNetwork, path: str | os.PathLike[str], *, format: str = "csv"
) -> Path:
    """Write a network into a project folder, as one step that cannot be left half done.

    Parameters
    ----------
    network : ProductionNetwork
    path : str or path
        The folder; tables of a project that is already there are replaced, other files stay.
    format : {"csv", "parquet", "xlsx"}
        One file a table, or one workbook with a sheet a table. The flows of an economy are
        always a Parquet file beside them.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageError
        If the format is unknown, or a table has more rows than a sheet can hold.
    ProjectLockedError
        If another process is writing to the folder.

    Examples
    --------
    >>> import tempfile
    >>> from withstand.examples import example
    >>> from withstand.readers import read_folder
    >>> net = example("robot_maker")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     again = read_folder(write_folder(net, place + "/plant"))
    >>> again.fingerprint() == net.fingerprint()
    True
    """
    if format not in FORMATS:
        raise UsageError(f"format '{format}' is unknown; use one of {', '.join(FORMATS)}.")
    folder = Path(path)
    tables = {n: network.tables[n] for n in TABLES if n in network.tables}

    def write(target: Path) -> None:
        (target / SETTINGS_FILE).write_text(settings_toml(network), encoding="utf-8")
        inner = target / TABLES_FOLDER
        inner.mkdir()
        if network.flow_table is not None:
            write_matrices(network, inner / FLOWS_FILE)
        if format == "xlsx":
            write_workbook(tables, inner / "tables.xlsx")
            return
        for name, frame in tables.items():
            if format == "csv":
                (inner / f"{name}.csv").write_bytes(csv_bytes(frame))
            else:
                frame.write_parquet(inner / f"{name}.parquet", compression="zstd")

    def old_tables(target: Path) -> list[Path]:
        inner = target / TABLES_FOLDER
        if not inner.is_dir():
            return []
        files = [p for p in inner.iterdir() if p.suffix.lower() in SUFFIXES]
        return [p.relative_to(target) for p in files]

    replace_folder(folder, write, old_tables)
    return folder


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """Return a frame as CSV that reads back the same and that no spreadsheet runs as a formula."""
    plain = _plain(frame)
    plain = plain.with_columns(
        plain.get_column(name).str.replace(_RUN_BY_SPREADSHEETS, "'$1") for name in _strings(plain)
    )
    plain.columns = pl.Series(plain.columns).str.replace(_RUN_BY_SPREADSHEETS, "'$1").to_list()
    buffer = io.BytesIO()
    plain.write_csv(buffer)
    return buffer.getvalue()


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Write booleans as yes and no."""
    words = {True: "yes", False: "no"}
    return frame.with_columns(
        pl.col(name).replace_strict(words, return_dtype=pl.String)
        for name, dtype in frame.schema.items()
        if dtype == pl.Boolean
    )


class _Exact(float):
    """A number that is written with all its digits: xlsxwriter asks for sixteen, one too few."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


def write_workbook(tables: Mapping[str, pl.DataFrame], path: Path) -> None:
    """Write frames as sheets of one workbook; text is always written as text.

    Raises
    ------
    UsageError
        If a table does not fit into a sheet.
    """
    import xlsxwriter

    for name, frame in tables.items():
        if frame.height > _MOST_SHEET_ROWS:
            raise UsageError(f"table {name} has too many rows for a sheet; use parquet.")
        if any((frame[c].str.len_chars() > LONGEST_CELL).any() for c in _strings(frame)):
            raise UsageError(f"table {name} has text too long for a sheet; use parquet.")
    with xlsxwriter.Workbook(path) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        for name, frame in tables.items():
            sheet = book.add_worksheet(name[:31])
            plain = _plain(frame)
            sheet.freeze_panes(1, 0)
            for at, column in enumerate(plain.columns):
                sheet.write_string(0, at, column, head)
                write = sheet.write_string if column in _strings(plain) else _write_number(sheet)
                for row, value in enumerate(plain[column].to_list(), 1):
                    if value is not None:
                        write(row, at, value)
            if plain.width:
                sheet.autofilter(0, 0, max(plain.height, 1), plain.width - 1)
            sheet.autofit(240)


def _strings(frame: pl.DataFrame) -> list[str]:
    return [name for name, dtype in frame.schema.items() if dtype == pl.String]


def _write_number(sheet: Worksheet) -> Callable[[int, int, float], int]:
    def write(row: int, at: int, value: float) -> int:
        return sheet.write_number(row, at, _Exact(value))

    return write


def settings_toml(network: ProductionNetwork) -> str:
    """Return withstand.toml of a network."""
    values = settings_to_dict(network.settings)
    lines = [
        f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, dict)
    ]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += ["", f"[{key}]"]
            lines += [f"{json.dumps(k, ensure_ascii=False)} = {_toml(v)}" for k, v in value.items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
