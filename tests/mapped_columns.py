"""What each column of the generated messy files truly is, and what was taken for it unaided."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from messy_files import make_files
from withstand.readers.mapping.assigning import match_block
from withstand.readers.mapping.targets import candidates, targets
from withstand.readers.messy import read_blocks

SCHEMA = ["file", "header", "truth", "found", "is_right"]


def mapped_columns(folder: Path, seed: int) -> pl.DataFrame:
    """Generate the files of a seed in `folder`, read and map each, and return a row per column.

    `truth` is empty for a column that the tables do not have, `found` for one that was left to the
    user; `is_right` needs the right table too.
    """
    rows = []
    for file in make_files(folder, seed):
        blocks = read_blocks(file.path).blocks
        for table in file.tables:
            known = targets()[table.table].by_name
            headers = [c.header.strip() for c in table.columns]
            there = [b for b in blocks if table.sheet in (None, b.sheet)]
            block = max(there, key=lambda b: len({h.strip() for h in b.header} & set(headers)))
            every = candidates(frozenset(), "plant")
            match = match_block(block, every, (), block.sheet or file.path.stem)
            picks = {p.header.strip(): p for p in (match.picks if match else ())}
            for column in table.columns:
                pick = picks.get(column.header.strip())
                is_taken = match is not None and match.is_taken and pick is not None
                found = pick.target if is_taken and pick.is_taken else None
                truth = column.canonical if column.canonical in known else None
                is_right = found == truth and (found is None or match.table == table.table)
                rows.append((file.path.name, column.header, truth, found, is_right))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
