"""XML of strangers: document types and entities are refused before anything else is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Any
from xml.etree.ElementTree import ParseError

from withstand.errors import DataError, UsageError
from withstand.model.findings import Origin, make_finding, shorten

LARGEST_XML = 2**31


def check_file(path: Path) -> Origin:
    """Return where a file is; refuse what is no ordinary file, empty or too large.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
    """
    origin = Origin(shorten(path.name))
    if not path.exists():
        raise UsageError(f"There is no file '{shorten(path.name)}'.")
    try:
        state = path.stat()
    except OSError as error:
        what = f"cannot be opened: {error.strerror or type(error).__name__}"
        raise DataError([make_finding("E116", what, origin=origin)]) from error
    if not S_ISREG(state.st_mode):
        raise DataError([make_finding("E116", "this is no ordinary file", origin=origin)])
    if state.st_size == 0:
        raise DataError([make_finding("E111", "the file is empty (0 bytes)", origin=origin)])
    if state.st_size > LARGEST_XML:
        what = f"{state.st_size / 2**30:.1f} GB of XML"
        raise DataError([make_finding("E122", what, origin=origin)])
    return origin


def events(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield ("start" or "end", element) of a file, as `xml.etree.ElementTree.iterparse` does.

    Raises
    ------
    DataError
        If it has a document type or entities (E743), or is no XML (E113).
    """
    from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
    from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

    origin = check_file(path)
    try:
        with path.open("rb") as stream:
            yield from iterparse(stream, events=("start", "end"), forbid_dtd=True)
    except DefusedXmlException as error:
        what = f"the file holds a document type or entities ({type(error).__name__})"
        raise DataError([make_finding("E743", what, origin=origin)]) from None
    except (ParseError, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        what = f"the file is no XML: {shorten(error)}"
        raise DataError([make_finding("E113", what, origin=origin)]) from error
    except OSError as error:
        what = f"cannot be read: {error.strerror or type(error).__name__}"
        raise DataError([make_finding("E116", what, origin=origin)]) from error


def local(tag: str) -> str:
    """Return the name of an element without its namespace."""
    return tag.rpartition("}")[2]
