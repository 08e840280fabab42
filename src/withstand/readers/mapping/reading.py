"""Read a file as it shows itself, and again as its user agreed, now or last time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from withstand.model.findings import Origin, make_finding, shorten
from withstand.readers.mapping.kept import stem_of
from withstand.readers.mapping.matching import Found
from withstand.readers.messy import read_blocks
from withstand.readers.messy.how import BlockHow, How, NumberFormat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from withstand.readers.mapping.kept import KeptMapping
    from withstand.readers.messy.blocks import Block, Blocks

FILLED = "W710"
"""Blank cells that may take the value above."""
TURNED = "W712"
"""Records that run across the columns."""


def read_as_agreed(
    path: Path, mappings: Sequence[KeptMapping], accepted: frozenset[str], decimal: str
) -> Blocks:
    """Read a file as it shows itself, and again as its user agreed, now or last time."""
    stem = stem_of(path.name, None)
    before = [m for m in mappings if m.name == stem or m.name.startswith(f"{stem}-")]
    decimal = decimal or next((m.decimal for m in before if m.decimal), "")
    how = None
    if decimal:
        how = How(number=NumberFormat(decimal, "." if decimal == "," else ","))
    read = read_blocks(path, how=how)
    agreed = accepted | {a for m in before for a in m.accepted}
    asked = [f for f in read.findings if f.code in (FILLED, TURNED) and f.code in agreed]
    if not asked:
        return read
    sideways = {f.sheet for f in asked if f.code == TURNED}
    filled = {(f.sheet, f.column) for f in asked if f.code == FILLED}
    hows = [
        _agreed_how(b.how, (b.sheet and shorten(b.sheet)) or None, sideways, filled)
        for b in read.blocks
    ]
    again = read_blocks(path, how=How(number=how.number if how else None, blocks=tuple(hows)))
    done = {FILLED, TURNED} & agreed
    findings = tuple(f for f in again.findings if f.code not in done)
    return replace(again, findings=findings)


def _agreed_how(
    how: BlockHow,
    sheet: str | None,
    sideways: set[str | None],
    filled: set[tuple[str | None, str | None]],
) -> BlockHow:
    if sheet in sideways:
        return replace(how, transposed=True, columns=())
    columns = tuple(
        replace(c, fill_down=c.fill_down or (sheet, c.header) in filled) for c in how.columns
    )
    return replace(how, columns=columns)


def turned(block: Block, file: str) -> Found:
    """Return that a table lies on its side, and is not mapped before somebody agrees."""
    what = f"the records of '{shorten(block.name)}' seem to run across the columns"
    fix = "Turn the table in the file, or have it turned: --accept W712."
    return Found(
        match=None, findings=[make_finding("E721", what, origin=Origin(file, block.sheet), fix=fix)]
    )
