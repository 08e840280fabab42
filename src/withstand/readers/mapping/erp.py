"""Maps of well-known planning systems: the headers of their exports, as TOML beside this module."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.readers.mapping.vocabulary import DATA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.readers.mapping.assigning import Match
    from withstand.readers.messy.blocks import Block


@dataclass(frozen=True, kw_only=True)
class ErpTable:
    """One kind of export: what its header must hold, what its columns are, in which units."""

    erp: str
    table: str
    fits: tuple[str, ...]
    columns: dict[str, str]
    units: dict[str, str] = field(default_factory=dict)


@cache
def erp_tables() -> tuple[ErpTable, ...]:
    """Return every known export."""
    found = []
    for entry in sorted(files(DATA).joinpath("erp").iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".toml"):
            continue
        name = entry.name.removesuffix(".toml")
        for data in tomllib.loads(entry.read_text(encoding="utf-8"))["tables"]:
            fits, units = tuple(data["fits"]), data.get("units", {})
            known = ErpTable(
                erp=name, table=data["table"], fits=fits, columns=data["columns"], units=units
            )
            found += [known]
    return tuple(found)


def erp_names() -> list[str]:
    """Return the names of the systems."""
    return sorted({t.erp for t in erp_tables()})


def find_erp(
    header: Sequence[str], names: Sequence[str], erp: str | None = None
) -> ErpTable | None:
    """Return the export whose header this is, None for none.

    Parameters
    ----------
    header : sequence of str
    names : sequence of str
        Tables it may be.
    erp : str, optional
        Only this system.

    Raises
    ------
    UsageError
        If there is no such system.

    Examples
    --------
    >>> find_erp(["MATNR", "IDNRK", "MENGE", "MEINS"], ["recipes"]).erp
    'sap'
    >>> find_erp(["Part", "Qty"], ["recipes"]) is None
    True
    """
    if erp is not None and erp not in erp_names():
        raise UsageError(f"there is no map '{erp[:40]}'; use one of {', '.join(erp_names())}.")
    given = {_key(h) for h in header}
    fitting = [
        t
        for t in erp_tables()
        if (erp is None or t.erp == erp) and t.table in names and given >= {_key(f) for f in t.fits}
    ]
    return max(fitting, key=lambda t: sum(_key(c) in given for c in t.columns), default=None)


def _key(header: str) -> str:
    return header.strip().casefold()


def with_erp(match: Match, block: Block, known: ErpTable) -> Match:
    """Return a match in which the columns of an export are what its map says."""
    columns = {_key(h): ours for h, ours in known.columns.items()}
    taken: set[str] = set()
    picks = []
    for pick in match.picks:
        ours = columns.get(_key(block.header[pick.column]))
        if ours is not None and ours not in taken:
            taken.add(ours)
            picks.append(
                replace(pick, target=ours, score=1.0, margin=1.0, is_taken=True, by=known.erp)
            )
        elif pick.target in columns.values():
            picks.append(replace(pick, target=None, score=0.0, margin=0.0, is_taken=False))
        else:
            picks.append(pick)
    return replace(match, picks=tuple(picks), is_taken=True, by=known.erp)
