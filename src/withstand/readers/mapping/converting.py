"""The columns of a block in the units and words of ours; what cannot be said becomes a finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.findings import Origin
from withstand.readers.mapping.converted import Converted, Terms
from withstand.readers.mapping.number_columns import (
    money_column,
    plain_column,
    quantity_column,
    rate_column,
    share_column,
    time_column,
)
from withstand.readers.mapping.targets import HELPERS, TargetColumn, targets
from withstand.readers.mapping.word_columns import (
    choice_column,
    customs_column,
    decided,
    region_column,
    unit_column,
    yesno_column,
)

if TYPE_CHECKING:
    from withstand.readers.mapping.assigning import Match
    from withstand.readers.messy.blocks import Block

_READERS: dict[
    str, Callable[[Block, int, TargetColumn, Terms, Converted], tuple[str, pl.Series]]
] = {
    "number": plain_column,
    "degrees": plain_column,
    "year": plain_column,
    "quantity": quantity_column,
    "time": time_column,
    "rate": rate_column,
    "money": money_column,
    "share": share_column,
    "region": region_column,
    "kind": choice_column,
    "class": choice_column,
    "use": choice_column,
    "yesno": yesno_column,
    "hs": customs_column,
    "unit": unit_column,
}


def convert(block: Block, match: Match, file: str, terms: Terms) -> Converted:
    """Return a block as the table it was matched with, in our units and words.

    Parameters
    ----------
    block : Block
    match : Match
        Its columns that are taken count.
    file : str
        Name of the file, for findings.
    terms : Terms
    """
    target = targets()[match.table]
    taken = match.taken
    names = {ours: block.header[i] for ours, i in taken.items()}
    base = block.origin(file)
    origin = Origin(base.file, base.sheet, base.letters, names, list(block.rows))
    out = Converted(table=match.table, frame=pl.DataFrame(), origin=origin, places=dict(taken))
    done: dict[str, pl.Series] = {}
    for ours, i in taken.items():
        if ours in HELPERS:
            continue
        column = target.by_name.get(ours)
        if column is None or column.kind in ("text", "label", "choice"):
            done[ours] = decided(block.cells[i], ours, terms, out)
        else:
            name, series = _READERS[column.kind](block, i, column, terms, out)
            done[name] = series
    frame = pl.DataFrame([s.rename(n) for n, s in done.items()])
    out.frame = frame
    return out
