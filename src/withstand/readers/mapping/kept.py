"""Mappings kept in a project: columns, units, codes and decisions, used again next month."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.model.findings import Finding, Origin, make_finding, nearest, shorten
from withstand.readers.mapping.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

MAPPINGS_FOLDER = "mappings"
FORMAT = 1
_DATES = re.compile(
    r"(?:19|20)\d{2}[-_. ]?(?:0[1-9]|1[0-2])?[-_. ]?(?:[0-2]\d|3[01])?|[\d]+|\bv\d+\b"
)
_PLAIN = re.compile(r"[^\w-]+")
_TYPES = {
    "format": int,
    "name": str,
    "table": str,
    "file": str,
    "sheet": str,
    "decimal": str,
    "header": list,
    "columns": dict,
    "units": dict,
    "rates": dict,
    "codes": dict,
    "accepted": list,
}


@dataclass(frozen=True, kw_only=True)
class KeptMapping:
    """How the columns of one kind of file become a table of ours.

    Parameters
    ----------
    name : str
        Name of the mapping, and of its file.
    table : str
    header : tuple of str
        Headers of the file as they stood there.
    columns : dict of str to str
        Header to our column; "" for a column that is left out on purpose.
    units : dict of str to str
        Our column to the unit that its user stated.
    rates : dict of str to float
        Currency to its worth in the currency of the project.
    codes : dict of str to (dict of str to str)
        Our column to the values that were decided upon.
    accepted : tuple of str
        Codes of findings that were accepted once and hold for the next file, too.
    file, sheet, decimal : str
        Where it came from; mark of decimals where the file does not show it.
    """

    name: str
    table: str
    header: tuple[str, ...]
    columns: dict[str, str]
    units: dict[str, str] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    accepted: tuple[str, ...] = ()
    file: str = ""
    sheet: str = ""
    decimal: str = ""

    @property
    def signature(self) -> tuple[str, ...]:
        """The headers without case and marks, in order of the alphabet."""
        return signature_of(self.header)

    def to_toml(self) -> str:
        """Return the mapping as TOML."""
        lines = [
            "# How this file becomes a table of the project; written by withstand add.",
            f"format = {FORMAT}",
            f"name = {_text(self.name)}",
            f"table = {_text(self.table)}",
            f"file = {_text(self.file)}",
        ]
        lines += [f"sheet = {_text(self.sheet)}"] if self.sheet else []
        lines += [f"decimal = {_text(self.decimal)}"] if self.decimal else []
        lines.append(f"header = [{', '.join(_text(h) for h in self.header)}]")
        if self.accepted:
            lines.append(f"accepted = [{', '.join(_text(a) for a in self.accepted)}]")
        for title, values in (("columns", self.columns), ("units", self.units)):
            if values:
                lines += [
                    "",
                    f"[{title}]",
                    *(f"{_text(k)} = {_text(v)}" for k, v in values.items()),
                ]
        if self.rates:
            lines += ["", "[rates]", *(f"{_text(k)} = {v!r}" for k, v in self.rates.items())]
        for column, codes in self.codes.items():
            if codes:
                lines += ["", f"[codes.{_text(column)}]"]
                lines += [f"{_text(k)} = {_text(v)}" for k, v in codes.items()]
        return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def signature_of(header: Sequence[str]) -> tuple[str, ...]:
    """Return headers without case and marks, in order of the alphabet.

    Examples
    --------
    >>> signature_of(["Price (EUR)", "ITEM"])
    ('item', 'priceeur')
    """
    return tuple(sorted(fold(h) or h for h in header if h.strip()))


def stem_of(file: str, sheet: str | None) -> str:
    """Return what stays the same from month to month: name of file and sheet without dates.

    Examples
    --------
    >>> stem_of("BOM 2026-03.xlsx", "Sheet1"), stem_of("suppliers_v2.csv", None)
    ('bom-sheet', 'suppliers')
    """
    words = [_DATES.sub(" ", Path(file).stem.casefold())]
    words += [_DATES.sub(" ", sheet.casefold())] if sheet else []
    parts = [
        _PLAIN.sub("-", re.sub(r"\bv\b", " ", w.replace("_", " ")).strip()).strip("-")
        for w in words
    ]
    return "-".join(p for p in parts if p) or "file"


def read_mappings(project: Path) -> tuple[list[KeptMapping], list[Finding]]:
    """Return the mappings of a project, and what is wrong with those that cannot be used."""
    kept: list[KeptMapping] = []
    findings: list[Finding] = []
    folder = project / MAPPINGS_FOLDER
    if not folder.is_dir():
        return kept, findings
    for path in sorted(folder.glob("*.toml")):
        mapping, finding = read_mapping(path)
        kept += [mapping] if mapping is not None else []
        findings += [finding] if finding is not None else []
    return kept, findings


def read_mapping(path: Path) -> tuple[KeptMapping | None, Finding | None]:
    """Return one mapping, or what is wrong with it."""
    origin = Origin(f"{MAPPINGS_FOLDER}/{shorten(path.name)}")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return None, _broken(f"not valid TOML: {shorten(error)}", origin)
    fault = _fault(data)
    if fault:
        return None, _broken(fault, origin)
    values = {k: v for k, v in data.items() if k != "format"}
    values["header"] = tuple(values["header"])
    values["accepted"] = tuple(values.get("accepted", ()))
    values.setdefault("name", path.stem)
    return KeptMapping(**values), None


def _broken(what: str, origin: Origin) -> Finding:
    fix = "Correct the file, or delete it so that the columns are mapped anew."
    return make_finding("E726", what, origin=origin, fix=fix)


def _fault(data: dict[str, Any]) -> str | None:
    """Say what is wrong with a mapping, None where nothing is."""
    from withstand.readers.mapping.targets import targets

    for key, value in data.items():
        if key not in _TYPES:
            near = nearest(key, list(_TYPES))
            return f"unknown key '{key[:40]}'" + (f"; did you mean {near}?" if near else "")
        if not isinstance(value, _TYPES[key]):
            return f"{key} cannot be {value!r:.40}"
    for key in ("table", "header", "columns"):
        if key not in data:
            return f"the key {key} is missing"
    if data.get("format", FORMAT) != FORMAT:
        return f"this version reads mappings of format {FORMAT}"
    if data["table"] not in targets():
        return f"there is no table '{data['table'][:40]}'"
    return _fault_inside(data)


def _fault_inside(data: dict[str, Any]) -> str | None:
    """Say what is wrong with the values of a mapping."""
    texts = [*data["header"], *data["columns"].values(), *data.get("units", {}).values()]
    codes = data.get("codes", {}).values()
    if not all(isinstance(c, dict) for c in codes):
        return "codes are sections: [codes.country]"
    texts += [v for c in codes for v in c.values()]
    if not all(isinstance(t, str) for t in texts):
        return "header, columns, units and codes are text in quotation marks"
    rates = data.get("rates", {}).values()
    if not all(isinstance(r, int | float) and not isinstance(r, bool) and r > 0 for r in rates):
        return "rates are positive numbers"
    return None
