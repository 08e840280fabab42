"""SDMX data files (CSV 1.0 and 2.0, ML 2.1) as OECD and Eurostat publish them; offline."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import DataError
from withstand.model.findings import sort_findings
from withstand.readers.standards.safe_xml import check_file

if TYPE_CHECKING:
    from withstand.readers.standards.sdmx_table import SdmxTable


def read_sdmx(
    path: str | os.PathLike[str],
    *,
    structure: str | os.PathLike[str] | None = None,
) -> SdmxTable:
    r"""Read an SDMX data file that lies on this machine.

    Parameters
    ----------
    path : str or path
        SDMX-CSV 1.0 or 2.0 (also .csv.gz), or SDMX-ML 2.1, generic or structure specific (needs
        the extra: `pip install 'withstand[sdmx]'`).
    structure : str or path, optional
        File of the data structure (SDMX-ML), to tell dimensions from attributes in structure
        specific files. Without it the usual names of attributes tell.

    Returns
    -------
    SdmxTable

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If it is no SDMX data, or XML with a document type or entities.
    MissingExtraError
        For SDMX-ML without the extra.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     file = open(place + "/jobs.csv", "w")
    ...     _ = file.write("DATAFLOW,freq,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG\n"
    ...                    "ESTAT:JOBS(1.0),A,AT,2020,3.5,p\n")
    ...     file.close()
    ...     table = read_sdmx(place + "/jobs.csv")
    >>> table.dimensions, table.frame["OBS_VALUE"].to_list(), table.frame["OBS_FLAG"].to_list()
    (('freq', 'geo', 'TIME_PERIOD'), [3.5], ['p'])
    """
    file = Path(path)
    check_file(file)
    with file.open("rb") as stream:
        head = stream.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        from withstand.readers.standards.sdmx_ml import read_ml

        table = read_ml(file, None if structure is None else Path(structure))
    else:
        from withstand.readers.standards.sdmx_csv import read_csv

        table = read_csv(file)
    errors = [f for f in table.findings if f.severity == "error"]
    if errors:
        raise DataError(sort_findings(table.findings))
    return table
