"""Read a table of hazards: CSV, Parquet, or a sheet of a workbook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import ScenarioError
from withstand.model.findings import has_errors, make_finding, shorten
from withstand.model.hazards import HAZARDS, Hazard, hazards_of
from withstand.readers.files import SUFFIXES, read_file

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork
    from withstand.readers.raw import RawTable


def read_hazards(
    path: str | os.PathLike[str], network: ProductionNetwork
) -> tuple[tuple[Hazard, ...], tuple[Finding, ...]]:
    """Return the hazards of a file, with warnings and notes; every fault is named with its cell.

    Parameters
    ----------
    path : path
        A file .csv, .tsv, .parquet or .xlsx with the columns of `withstand.model.hazards.HAZARDS`;
        of a workbook with several sheets, the one called hazards.
    network : ProductionNetwork
        Its labels are what hazards can hit; times are told in its periods.

    Returns
    -------
    tuple of Hazard, tuple of Finding

    Raises
    ------
    ScenarioError
        With every fault in the file.
    """
    file = Path(path)
    tables, findings = _read(file)
    if not has_errors(findings):
        table = tables[0] if len(tables) == 1 else _sheet(file, tables)
        hazards, notes = hazards_of(
            table.frame, network.settings.period, network=network, origin=table.origin
        )
        return hazards, (*findings, *notes)
    raise ScenarioError(findings)


def _read(file: Path) -> tuple[list[RawTable], list[Finding]]:
    if file.exists() and file.suffix.lower() not in SUFFIXES:
        what = f"a table of hazards ends in {', '.join(SUFFIXES)}, not in '{file.suffix}'"
        fault = make_finding("E113", what, value=shorten(file.name))
        return [], [fault]
    return read_file(file)


def _sheet(file: Path, tables: list[RawTable]) -> RawTable:
    """Return the sheet called hazards."""
    for table in tables:
        if table.name.strip().casefold() == HAZARDS.name:
            return table
    names = ", ".join(t.name for t in tables) or "none"
    what = f"the workbook needs a sheet 'hazards'; there are: {shorten(names)}"
    raise ScenarioError([make_finding("E119", what, value=shorten(file.name))])
