"""Which column of a block is which: one assignment for the whole block, with score and margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.readers.mapping.evidence import Evidence, evidence_of, fit, unit_kind
from withstand.readers.mapping.rates_in_words import without_rate
from withstand.readers.mapping.targets import HELPERS, Target, TargetColumn, targets
from withstand.readers.mapping.vocabulary import fold, nearness

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from withstand.readers.messy.blocks import Block

LEAST_SCORE = 0.85
"""A column is taken without help from here on."""
LEAST_MARGIN = 0.05
"""... if every other assignment of the whole block is worse by at least this."""
LEAST_SUGGESTED = 0.45
LEAST_TABLE_MARGIN = 0.4
MISSING = 0.7
"""What a required column that nothing fits costs a table."""
TITLE = 0.8
"""What a sheet or file that is called like a table gives it."""
RARE = 0.3
"""What tables that few files hold must make up for."""
BARE_TITLE = 0.4
OWN_NAME = 1.02
COUNTRY_ONLY = 0.5
UNTOLD = 0.6
"""What an idea is worth where the unit speaks for another reading of it."""


@dataclass(frozen=True, kw_only=True)
class Pick:
    """One column of a block, and the column of ours that it would be.

    Parameters
    ----------
    header : str
        As it stands in the file.
    column : int
        Its number in the block (0-based).
    target : str or None
        Our column; None where nothing fits.
    score, margin : float
        How well it fits, and how much worse the best assignment without this pair is.
    is_taken : bool
        Whether it counts without help.
    by : str
        What decided: words, erp, kept, user, or annotation.
    """

    header: str
    column: int
    target: str | None
    score: float = 0.0
    margin: float = 0.0
    is_taken: bool = False
    by: str = "words"


@dataclass(frozen=True, kw_only=True)
class Match:
    """A block as one table: its columns, how well it fits, how much worse the next table does."""

    table: str
    picks: tuple[Pick, ...]
    score: float
    margin: float = 0.0
    is_taken: bool = False
    runner_up: str | None = None
    by: str = "words"

    def __repr__(self) -> str:
        """Tell table and counts on one line."""
        taken = sum(p.is_taken for p in self.picks)
        return f"Match({self.table!r}, {taken} of {len(self.picks)} columns)"

    @property
    def taken(self) -> dict[str, int]:
        """Our columns that count, with their number in the block."""
        return {p.target: p.column for p in self.picks if p.is_taken and p.target is not None}

    @property
    def missing(self) -> tuple[str, ...]:
        """Required columns that no column of the block gives."""
        target = targets()[self.table]
        return tuple(c.name for c in target.columns if c.is_required and c.name not in self.taken)


def scores(
    headers: Sequence[tuple[str, str]], found: Sequence[Evidence], columns: Sequence[TargetColumn]
) -> np.ndarray:
    """Return how well each column of a block fits each of ours.

    Parameters
    ----------
    headers : sequence of (str, str)
        Header of each column, in full and without its unit.
    found : sequence of Evidence
    columns : sequence of TargetColumn

    Returns
    -------
    ndarray of float64, shape (n_headers, n_columns)
        Nearness of the names times the fit of the cells.
    """
    out = np.zeros((len(headers), len(columns)))
    for i, (full, bare) in enumerate(headers):
        for j, column in enumerate(columns):
            near = name_score(full, bare, column, found[i].unit)
            if near == 0.0 and column.kind in ("region", "hs") and found[i].filled:
                part = found[i].regions if column.kind == "region" else found[i].customs
                near = COUNTRY_ONLY if part > 0.9 and found[i].filled >= 3 else 0.0
            out[i, j] = near * fit(found[i], column) if near else 0.0
    return out


def name_score(full: str, bare: str, column: TargetColumn, unit: str | None) -> float:
    """Return how near a header is to a column of ours, by its own name and its ideas.

    An idea that may be an amount or a time ("stock") needs the unit to tell.
    """
    own = fold(column.name)
    if own in (fold(full), fold(bare)):
        return OWN_NAME
    best = 0.0
    is_time = unit is not None and unit_kind(unit) == "time"
    for idea, weight, measured in column.ideas:
        if measured and is_time != (measured == "time"):
            weight *= UNTOLD
        best = max(best, weight * nearness(bare, idea), 0.999 * weight * nearness(full, idea))
        if column.kind == "rate" and without_rate(bare) != bare:
            best = max(best, 0.998 * weight * nearness(without_rate(bare), idea))
    return best


def assign(matrix: np.ndarray) -> list[tuple[int, int, float, float]]:
    """Return the best pairs of rows and columns, each with its score and its margin.

    The margin of a pair is how much the best total falls when that pair is forbidden.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n_rows, n_columns)
        Scores; what is below `LEAST_SUGGESTED` counts as nothing.

    Examples
    --------
    >>> assign(np.array([[1.0, 0.9], [0.9, 0.0]]))
    [(0, 1, 0.9, 0.8), (1, 0, 0.9, 0.8)]
    """
    from scipy.optimize import linear_sum_assignment

    if matrix.size == 0:
        return []
    kept = np.where(matrix >= LEAST_SUGGESTED, matrix, 0.0)

    def best(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        rows, columns = linear_sum_assignment(values, maximize=True)
        return rows, columns, float(values[rows, columns].sum())

    rows, columns, total = best(kept)
    pairs = []
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        if kept[i, j] == 0.0:
            continue
        without = kept.copy()
        without[i, j] = 0.0
        pairs.append((i, j, float(matrix[i, j]), round(total - best(without)[2], 9)))
    return pairs


def match_as(block: Block, target: Target, found: Sequence[Evidence], title: str) -> Match:
    """Return a block as one given table."""
    headers = list(zip(block.header, block.bare, strict=True))
    free = [i for i, (full, _) in enumerate(headers) if full and not is_annotation(full)]
    matrix = scores([headers[i] for i in free], [found[i] for i in free], target.columns)
    picks: dict[int, Pick] = {}
    for i, j, score, margin in assign(matrix):
        picks[free[i]] = Pick(
            header=headers[free[i]][0],
            column=free[i],
            target=target.columns[j].name,
            score=score,
            margin=margin,
            is_taken=score >= LEAST_SCORE and margin >= LEAST_MARGIN,
        )
    for i, (full, _) in enumerate(headers):
        if is_annotation(full):
            name = full.strip().casefold().replace(" ", "_")
            picks[i] = Pick(
                header=full, column=i, target=name, score=1.0, margin=1.0, is_taken=True,
                by="annotation",
            )  # fmt: skip
        picks.setdefault(i, Pick(header=full, column=i, target=None))
    ordered = tuple(picks[i] for i in range(len(headers)))
    return Match(table=target.name, picks=ordered, score=_worth(ordered, target, title))


def is_annotation(header: str) -> bool:
    """Tell whether a header is a note beside another column: `share_basis`."""
    name = header.strip().casefold().replace(" ", "_")
    return name.endswith("_basis") and len(name) > len("_basis")


def _worth(picks: Sequence[Pick], target: Target, title: str) -> float:
    """Return how good a table is for a block: what it takes in, less what it lacks."""
    from withstand.readers.mapping.targets import COMMON

    own = {c.name for c in target.columns} - set(HELPERS)
    own -= {"source", "as_of", "basis", "confidence"} if target.name != "sources" else set()
    gained = 0.0
    given = set()
    for pick in picks:
        if pick.target in own:
            gained += pick.score if pick.is_taken else 0.5 * pick.score
            given.add(pick.target)
    lacking = sum(c.is_required and c.name not in given for c in target.columns)
    worth = gained - MISSING * lacking + _title_worth(title, target)
    return worth - (0.0 if target.name in COMMON else RARE)


def _title_worth(title: str, target: Target) -> float:
    """Return what the name of the sheet or file says for a table."""
    folded = fold(title)
    if folded in target.titles:
        return TITLE
    plain = "".join(c for c in folded if not c.isdigit())
    if plain in target.titles:
        return TITLE
    long = [t for t in target.titles if len(t) >= 5 or (t and ord(t[0]) > 0x2E80)]
    return BARE_TITLE if any(t in plain for t in long) else 0.0


def match_block(
    block: Block, names: Sequence[str], known: Collection[str] = (), title: str = ""
) -> Match | None:
    """Return the table that a block is, and which of its columns is which.

    Parameters
    ----------
    block : Block
    names : sequence of str
        Tables it may be.
    known : collection of str
        Labels of products that the project knows.
    title : str
        Name of the sheet or file.

    Returns
    -------
    Match or None
        The best table, `is_taken` where it is the best by far; None where nothing fits at all.
    """
    found = [evidence_of(block, i, known) for i in range(block.n_columns)]
    tried = [match_as(block, targets()[name], found, title or block.name) for name in names]
    if len(names) > 1:
        tried = [m for m in tried if any(p.target for p in m.picks if p.by == "words")]
    if not tried:
        return None
    tried.sort(key=lambda m: -m.score)
    first = tried[0]
    second = tried[1] if len(tried) > 1 else None
    margin = first.score - (second.score if second else 0.0)
    return Match(
        table=first.table,
        picks=first.picks,
        score=first.score,
        margin=margin,
        is_taken=margin >= LEAST_TABLE_MARGIN and first.score > 0,
        runner_up=second.table if second else None,
    )
