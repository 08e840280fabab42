"""JSON documents of a file, of lines, or of a folder; what cannot be read becomes a finding."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any

from withstand.errors import UsageError
from withstand.model.findings import Finding, Origin, make_finding, shorten

SUFFIXES = (".json", ".jsonl", ".ndjson")
LARGEST_FILE = 2**29
MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON value and the place it came from: the line of a file of lines, else None."""

    value: Any
    file: str
    line: int | None = None

    @property
    def origin(self) -> Origin:
        """Name of the file, for findings."""
        return Origin(self.file)


def read_documents(path: Path) -> tuple[list[Document], list[Finding]]:
    """Return the documents of a file or of all JSON files of a folder, in order of their names.

    Raises
    ------
    UsageError
        If there is no such file, or the folder holds none.
    """
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not files:
            raise UsageError(f"There is no JSON file in '{shorten(path.name)}'.")
        if len(files) > MOST_FILES:
            raise UsageError(f"'{shorten(path.name)}' holds more than {MOST_FILES:,} JSON files.")
    elif path.exists():
        files = [path]
    else:
        raise UsageError(f"There is no file '{shorten(path.name)}'.")
    documents: list[Document] = []
    findings: list[Finding] = []
    for file in files:
        _read(file, documents, findings)
    return documents, findings


def _read(file: Path, documents: list[Document], findings: list[Finding]) -> None:
    origin = Origin(shorten(file.name))

    def fault(code: str, what: str, line: int | None = None) -> None:
        index = None if line is None else line - 2
        findings.append(make_finding(code, what, origin=origin, index=index))

    try:
        state = file.stat()
        if not S_ISREG(state.st_mode):
            return fault("E116", "this is no ordinary file")
        if state.st_size > LARGEST_FILE:
            return fault("E122", f"{state.st_size / 2**20:,.0f} MB of JSON in one file")
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return fault("E116", f"cannot be opened: {error.strerror or type(error).__name__}")
    except UnicodeDecodeError as error:
        return fault("E114", f"byte {error.start} is not UTF-8")
    if not text.strip():
        return fault("E111", "the file is empty")
    if file.suffix.lower() in (".jsonl", ".ndjson"):
        return _lines(text, file.name, documents, fault)
    try:
        documents.append(Document(_parsed(text), shorten(file.name)))
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and lines[0].strip().startswith("{") and lines[0].strip().endswith("}"):
            return _lines(text, file.name, documents, fault)  # lines under the name of one document
        fault("E113", f"this is no JSON: {shorten(error)}", getattr(error, "lineno", None))


def _lines(text: str, name: str, documents: list[Document], fault: Any) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                documents.append(Document(_parsed(line), shorten(name), number))
            except (ValueError, RecursionError) as error:
                fault("E113", f"this line is no JSON: {shorten(error)}", number)


def _parsed(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")
