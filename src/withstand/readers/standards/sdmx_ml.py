"""SDMX-ML 2.1 data, generic and structure specific: sdmx1 reads it once the XML is safe."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import polars as pl

from withstand.errors import DataError, MissingExtraError
from withstand.model.findings import Finding, Origin, make_finding, shorten
from withstand.readers.standards.safe_xml import check_file, events, local
from withstand.readers.standards.sdmx_rows import ATTRIBUTES, table_of
from withstand.readers.standards.sdmx_table import MEASURE, TIME, SdmxTable

ROOTS = ("GenericData", "StructureSpecificData", "GenericTimeSeriesData",
         "StructureSpecificTimeSeriesData", "Structure")  # fmt: skip


def read_ml(path: Path, structure: Path | None) -> SdmxTable:
    """Read an SDMX-ML data message.

    Raises
    ------
    DataError
        If the XML is unsafe, no SDMX data, or of another structure.
    MissingExtraError
        If sdmx1 is not installed.
    """
    origin = check_file(path)
    _guard(path, origin)
    dsd = None if structure is None else _structure(structure)
    message = _read(path, origin, dsd)
    sets = list(getattr(message, "data", ()))
    if not sets:
        what = "the message holds no data set"
        raise DataError([make_finding("E744", what, origin=origin)])
    if len(sets) > 1 and len({str(s.structured_by and s.structured_by.id) for s in sets}) > 1:
        what = f"{len(sets)} data sets of several structures in one message"
        raise DataError([make_finding("E744", what, origin=origin)])
    rows = [row for one in sets for row in _rows(one)]
    names = list(dict.fromkeys(name for row in rows for name in row if name != MEASURE))
    given = {x.id for x in dsd.dimensions.components} if dsd is not None else None
    stated = {a for one in sets for obs in one.obs for a in obs.attrib}
    is_attribute = {
        x: x not in given if given is not None else x in stated or x.upper() in ATTRIBUTES
        for x in names
    }
    dimensions = [x for x in names if not is_attribute[x] and x != TIME]
    dimensions += [TIME] if TIME in names else []
    attributes = [x for x in names if is_attribute[x] and x != TIME]
    if not dimensions:
        raise DataError([make_finding("E744", "no dimension is there", origin=origin)])
    frame = pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in (*names, MEASURE)},
        schema=dict.fromkeys((*names, MEASURE), pl.String),
    )
    by = sets[0].structured_by
    findings: list[Finding] = []
    return table_of(
        frame, dimensions, attributes, origin, findings,
        structure="" if by is None else _named(by),
    )  # fmt: skip


def _named(structure: Any) -> str:
    maintainer = getattr(structure.maintainer, "id", None) or ""
    version = str(structure.version or "")
    return f"{maintainer + ':' if maintainer else ''}{structure.id}" + (
        f"({version})" if version and version != "None" else ""
    )


def _guard(path: Path, origin: Origin) -> None:
    """Read the whole file once with a parser that refuses document types and entities."""
    root = None
    for event, element in events(path):
        if root is None:
            root = element
            if local(element.tag) not in ROOTS:
                what = f"the first element is '{local(element.tag)}', expected GenericData"
                raise DataError([make_finding("E744", what, origin=origin)])
        elif event == "end":
            element.clear()


def _structure(path: Path) -> Any:
    origin = check_file(path)
    _guard(path, origin)
    message = _read(path, origin, None)
    found = list(getattr(message, "structure", {}).values())
    if len(found) != 1:
        what = f"{len(found)} data structures in the file, expected one"
        raise DataError([make_finding("E744", what, origin=origin)])
    return found[0]


def _read(path: Path, origin: Origin, dsd: Any) -> Any:
    try:
        import sdmx
    except ImportError as error:
        what = "SDMX-ML needs sdmx1: pip install 'withstand[sdmx]'. SDMX-CSV is read without."
        raise MissingExtraError(what) from error
    log = logging.getLogger("sdmx.reader.xml")
    level = log.level
    log.setLevel(logging.ERROR)  # it says on standard error that no structure was given
    try:
        with path.open("rb") as stream:
            return sdmx.read_sdmx(stream, **({} if dsd is None else {"structure": dsd}))
    except Exception as error:  # sdmx1 raises many kinds for files that break its rules
        what = f"the message cannot be read: {type(error).__name__} {shorten(error)}"
        raise DataError([make_finding("E744", what, origin=origin)]) from error
    finally:
        log.setLevel(level)


def _rows(data: Any) -> list[dict[str, str | None]]:
    """Return the observations of a data set: dimensions, attributes of every level, the value."""
    shared = {name: _text(x) for name, x in data.attrib.items()}
    rows = []
    for obs in data.obs:
        row = dict(shared)
        row |= {name: _text(x) for name, x in obs.key.values.items()}
        row |= {name: _text(x) for name, x in obs.attrib.items()}
        row[MEASURE] = None if obs.value is None else str(obs.value)
        rows.append(row)
    return rows


def _text(value: Any) -> str | None:
    inner = getattr(value, "value", value)
    inner = getattr(inner, "id", inner)  # a code where a structure is given
    return None if inner is None else str(inner)
