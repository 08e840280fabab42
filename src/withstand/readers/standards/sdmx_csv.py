"""SDMX-CSV: version 1.0 (DATAFLOW first) and 2.0 (STRUCTURE first), with labels or without.

Columns stand in a fixed order: what the rows belong to, dimensions, OBS_VALUE, attributes
(SDMX-CSV field guide of the SDMX Technical Working Group). With labels, codes are written
`A: Annual` under headers `FREQ: Frequency`, or each column is followed by one of names.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from pathlib import Path

import polars as pl

from withstand.errors import DataError
from withstand.model.findings import Finding, Origin, has_errors, listed, make_finding, shorten
from withstand.readers.files import read_file
from withstand.readers.standards.sdmx_rows import table_of
from withstand.readers.standards.sdmx_table import MEASURE, SdmxTable

LARGEST_UNPACKED = 2**33
UPDATED = ("LAST UPDATE", "LAST_UPDATE")
NAMES = ("STRUCTURE_NAME",)
_BLOCK = 2**20


def read_csv(path: Path) -> SdmxTable:
    """Read an SDMX-CSV file.

    Raises
    ------
    DataError
        If it cannot be read, or its columns are not those of SDMX-CSV.
    """
    if path.suffix.lower() == ".gz":
        return _unpacked(path)
    origin = Origin(shorten(path.name))
    tables, findings = read_file(path)
    if has_errors(findings) or not tables:
        raise DataError(findings)
    frame = tables[0].frame
    first = frame.columns[0].upper().partition("[")[0].partition(":")[0]
    if first not in ("DATAFLOW", "STRUCTURE"):
        what = (
            f"the first column is '{frame.columns[0]}', expected DATAFLOW (1.0) or STRUCTURE (2.0)"
        )
        raise DataError([make_finding("E744", what, origin=origin, column=frame.columns[0])])
    findings = [f for f in findings if f.code != "N101"]
    return _table(frame, first, origin, findings)


def _unpacked(path: Path) -> SdmxTable:
    origin = Origin(shorten(path.name))
    with tempfile.TemporaryDirectory(prefix="withstand-") as place:
        target = Path(place) / path.with_suffix("").name
        written = 0
        try:
            with gzip.open(path) as source, target.open("wb") as sink:
                while block := source.read(_BLOCK):
                    written += len(block)
                    if written > LARGEST_UNPACKED:
                        what = f"it unpacks to more than {LARGEST_UNPACKED / 2**30:.0f} GB"
                        raise DataError([make_finding("E122", what, origin=origin)])
                    sink.write(block)
        except (OSError, EOFError, zlib.error) as error:
            what = f"cannot be unpacked: {shorten(error)}"
            raise DataError([make_finding("E113", what, origin=origin)]) from error
        return read_csv(target if target.suffix else target.rename(target.with_suffix(".csv")))


def _table(frame: pl.DataFrame, first: str, origin: Origin, findings: list[Finding]) -> SdmxTable:
    head = [frame.columns[0]]
    rest = frame.columns[1:]
    known = {"STRUCTURE_ID", "ACTION", *NAMES, *UPDATED}
    while rest and rest[0].upper() in known:
        head.append(rest.pop(0))
    frame, rest = _without_labels(frame, head, rest)
    at = next((k for k, name in enumerate(rest) if name.upper() == MEASURE), None)
    if at is None or at == 0:
        what = f"there is no column {MEASURE} after the dimensions; there are {listed(rest, 20)}"
        raise DataError([make_finding("E744", what, origin=origin, column=MEASURE)])
    dimensions, attributes = rest[:at], rest[at + 1 :]
    frame = frame.rename({rest[at]: MEASURE})
    frame = _without_deleted(frame, head, origin, findings)
    named = next((x for x in head if x.upper() == "STRUCTURE_ID"), head[0])
    flows = frame[named].drop_nulls().unique(maintain_order=True).to_list()
    if len(flows) > 1:
        what = f"several dataflows in one file: {listed(flows)}"
        raise DataError([make_finding("E744", what, origin=origin, column=named)])
    dates = [frame[x].drop_nulls() for x in head if x.upper() in UPDATED]
    updated = str(dates[0][0]) if dates and len(dates[0]) else None
    structure = str(flows[0]) if flows else ""
    if first == "DATAFLOW" and ": " in structure:
        structure = structure.partition(": ")[0]
    return table_of(
        frame, dimensions, attributes, origin, findings, structure=structure, updated=updated
    )


def _without_labels(
    frame: pl.DataFrame, head: list[str], rest: list[str]
) -> tuple[pl.DataFrame, list[str]]:
    """Return codes alone: names of codes stand behind a colon, or in a column of their own."""
    if all(": " in name for name in rest) and rest:
        names = {name: name.partition(": ")[0] for name in rest}
        cut = [
            pl.col(old).str.splitn(": ", 2).struct.field("field_0").alias(new)
            if new.upper() != MEASURE else pl.col(old).alias(new)
            for old, new in names.items()
        ]  # fmt: skip
        return frame.select(*head, *cut), list(names.values())
    if any(x.upper() in NAMES for x in head):
        codes = rest[::2]
        return frame.select(*head, *codes), codes
    return frame, rest


def _without_deleted(
    frame: pl.DataFrame, head: list[str], origin: Origin, findings: list[Finding]
) -> pl.DataFrame:
    action = next((x for x in head if x.upper() == "ACTION"), None)
    if action is None:
        return frame
    is_deleted = frame[action].str.strip_chars().str.to_uppercase() == "D"
    n = int(is_deleted.sum() or 0)
    if n:
        what = f"{n:,} rows only say that an observation is deleted (ACTION D)"
        findings.append(make_finding("W745", what, origin=origin, column=action, count=n))
    return frame.filter(~is_deleted.fill_null(value=False))
